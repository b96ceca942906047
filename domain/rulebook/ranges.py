"""What a figure can be at most and at least: a tier that nobody can reach or fall under is a
mistake with a place.

Ranges are wider than the truth, never narrower: nothing is known of how figures hang together. What
is called impossible here is impossible.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from itertools import pairwise
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.rulebook.digits import MAX_FIGURE
from domain.rulebook.expression_types import numeric_keys
from domain.rulebook.expressions import (
    Binary,
    Call,
    Choice,
    Comparison,
    Logical,
    Name,
    Node,
    Number,
    Quotient,
    children,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.rulebook.model import Input, Rulebook, Table

Mistake = tuple[Node, Text]
EXACT = Context(prec=2 * MAX_FIGURE)  # no figure is longer, so that nothing is rounded


@dataclass(frozen=True)
class Range:
    """The least and the greatest that a figure can be; None: without end."""

    low: Decimal | None = None
    high: Decimal | None = None

    def __contains__(self, figure: Decimal) -> bool:
        return (self.low is None or self.low <= figure) and (
            self.high is None or figure <= self.high
        )


ANY, NOT_NEGATIVE, FLAG = Range(), Range(Decimal(0)), Range(Decimal(0), Decimal(1))
HOLDS, FAILS = Range(Decimal(1), Decimal(1)), Range(Decimal(0), Decimal(0))


def hull(ranges: Iterable[Range]) -> Range:
    """The range around all of these."""
    lows, highs = zip(*((r.low, r.high) for r in ranges), strict=True)
    return Range(
        None if None in lows else min(low for low in lows if low is not None),
        None if None in highs else max(high for high in highs if high is not None),
    )


class Ranges:
    """Finds the range of every step, in their order, and what is impossible on the way."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.steps: dict[str, Range] = {}

    def mistakes(self, step: str, node: Node) -> list[Mistake]:
        """What can never be, or always is, in a step's expression."""
        with localcontext(EXACT):
            self.steps[step] = self.range(node)
            return [mistake for part in _parts(node) for mistake in self._impossible(part)]

    def range(self, node: Node) -> Range:
        """The range of an expression; texts and what has no value are of no matter."""
        match node:
            case Number():
                return Range(node.value, node.value)
            case Name():
                return self._named(node.name)
            case Binary():
                return _combined(node.operator, self.range(node.left), self.range(node.right))
            case Quotient():
                above, below = self.range(node.dividend), self.range(node.divisor)
                return NOT_NEGATIVE if Decimal(0) == _least(above) == _least(below) else ANY
            case Comparison():
                return _compared(node.operator, self.range(node.left), self.range(node.right))
            case Logical():
                return FLAG
            case Choice():
                return hull(
                    self.range(part)
                    for part in (node.then, node.otherwise)
                    if not _is_nothing(part)
                )
            case Call():
                return self._call(node)
        return ANY

    def _named(self, name: str) -> Range:
        if name in self.steps:
            return self.steps[name]
        if parameter := self.rulebook.parameters.get(name):
            return Range(parameter.value, parameter.value)
        found = self.rulebook.find_input(name)
        return self._read(*found) if found else ANY

    def _read(self, given: Input, item: str | None) -> Range:
        """What an input's bounds leave, and what counts where there is none."""
        kind = given.kind
        if given.take == "count" or (kind and not kind.is_signed):
            return ANY if given.take == "amount" else NOT_NEGATIVE
        if given.take == "sum" or kind is None or kind.is_summed:
            return ANY
        low = self._bound(given.low, item) if given.above is None else None
        inside = Range(low, self._bound(given.high, item))
        if given.default is not None:
            return hull([inside, Range(Decimal(given.default), Decimal(given.default))])
        counts_0 = given.missing == "warn" or (given.missing is None)
        return hull([inside, FAILS]) if counts_0 else inside

    def _bound(self, bound: Decimal | str | None, item: str | None) -> Decimal | None:
        if isinstance(bound, str):
            table, _, part = bound.partition(".")
            rows = self.rulebook.tables[table].column(part) if table in self.rulebook.tables else {}
            return rows.get(item or "")
        return bound

    def _call(self, node: Call) -> Range:
        first = node.arguments[0]
        match node.function:
            case "min" | "max":
                return _extreme(
                    node.function, [self.range(argument) for argument in node.arguments]
                )
            case "round" | "floor":
                return _widened(self.range(first))
            case "has":
                return FLAG
            case "otherwise":
                return hull(self.range(a) for a in node.arguments if not _is_nothing(a))
            case "lookup":
                return hull(Range(figure, figure) for figure in self._column(first).values())
            case "mean":
                return (
                    self.range(first)
                    if len(node.arguments) == 2
                    else hull([*self._members(first), FAILS])
                )
            case "sum" if len(node.arguments) == 1:
                return _summed(self._members(first))
            case "sum":
                return NOT_NEGATIVE if _least(self.range(first)) == 0 else ANY
            case "count" | "rank" | "share":
                return NOT_NEGATIVE
        return ANY

    def _members(self, group: Node) -> list[Range]:
        assert isinstance(group, Name)
        name = group.name
        if name.partition(".")[0] in self.rulebook.tables:
            return [Range(figure, figure) for figure in self._column(group).values()]
        if given := self.rulebook.inputs.get(name):
            return [self._read(given, item) for item in given.items or ()]
        return [
            hull([r, FAILS]) for step, r in self.steps.items() if step.rpartition(".")[0] == name
        ]

    def _column(self, table: Node) -> dict[str, Decimal]:
        assert isinstance(table, Name)
        name, _, part = table.name.partition(".")
        return self.rulebook.tables[name].column(part)

    # what is impossible

    def _impossible(self, node: Node) -> Iterator[Mistake]:
        match node:
            case Comparison():
                yield from self._constant(node)
            case Call(function="lookup"):
                yield from self._unreached(node)

    def _constant(self, node: Comparison) -> Iterator[Mistake]:
        match self.range(node):
            case found if found == HOLDS:
                yield node, Text("这个条件总是成立", "this condition always holds")
            case found if found == FAILS:
                yield node, Text("这个条件永远不成立", "this condition can never hold")

    def _unreached(self, node: Call) -> Iterator[Mistake]:
        """Rows that no value can come to, and values that no row is for."""
        name = node.arguments[0]
        assert isinstance(name, Name)
        table = self.rulebook.tables[name.name.partition(".")[0]]
        if not numeric_keys(table.rows):
            return
        key = self.range(node.arguments[1])
        for row, reaches in _reaches(table).items():
            if not _meets(key, reaches):
                yield (
                    node.arguments[0],
                    Text(
                        f"表格的行 {row} 永远取不到",
                        f"no value can come to the row {row} of the table",
                    ),
                )
        first = min(map(Decimal, table.rows))
        if table.match == "from" and key.low is not None and key.low < first:
            yield (
                node.arguments[0],
                Text(f"低于 {first} 的值没有对应的行", f"there is no row for values below {first}"),
            )


def _parts(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _parts(child)


def _is_nothing(node: Node) -> bool:
    return (isinstance(node, Name) and node.name == "none") or (
        isinstance(node, Call) and node.function == "refuse"
    )


def _least(found: Range) -> Decimal | None:
    """0 for what cannot be negative."""
    return Decimal(0) if found.low is not None and found.low >= 0 else None


def _combined(operator: str, a: Range, b: Range) -> Range:
    if operator == "+":
        return _summed([a, b])
    if operator == "-":
        return _summed([a, Range(_negative(b.high), _negative(b.low))])
    if None in {a.low, a.high, b.low, b.high}:
        return NOT_NEGATIVE if Decimal(0) == _least(a) == _least(b) else ANY
    products = [
        x * y for x in (a.low, a.high) for y in (b.low, b.high) if x is not None and y is not None
    ]
    return Range(min(products), max(products))


def _negative(figure: Decimal | None) -> Decimal | None:
    return None if figure is None else -figure


def _summed(ranges: Iterable[Range]) -> Range:
    low: Decimal | None = Decimal(0)
    high: Decimal | None = Decimal(0)
    for r in ranges:
        low = None if low is None or r.low is None else low + r.low
        high = None if high is None or r.high is None else high + r.high
    return Range(low, high)


def _extreme(function: str, ranges: list[Range]) -> Range:
    lows, highs = [r.low for r in ranges], [r.high for r in ranges]
    if function == "max":
        known = [low for low in lows if low is not None]
        return Range(max(known, default=None), hull(ranges).high)
    known = [high for high in highs if high is not None]
    return Range(hull(ranges).low, min(known, default=None))


def _widened(found: Range) -> Range:
    """What rounding can make of it: at most one more or less."""
    low = None if found.low is None else found.low.to_integral_value("ROUND_FLOOR")
    return Range(low, None if found.high is None else found.high.to_integral_value("ROUND_CEILING"))


def _compared(operator: str, a: Range, b: Range) -> Range:
    """1, 0, or either."""
    if operator in {">", ">="}:
        return _compared({">": "<", ">=": "<="}[operator], b, a)
    if operator in {"==", "!="}:
        apart = not _meets(a, b)
        alike = a == b and a.low is not None and a.low == a.high
        known = alike if operator == "==" else apart
        return HOLDS if known else FAILS if (apart if operator == "==" else alike) else FLAG
    if (
        a.high is not None
        and b.low is not None
        and (a.high < b.low or (operator == "<=" and a.high == b.low))
    ):
        return HOLDS
    if (
        a.low is not None
        and b.high is not None
        and (a.low > b.high or (operator == "<" and a.low == b.high))
    ):
        return FAILS
    return FLAG


def _reaches(table: Table) -> dict[str, Range]:
    """Which values come to each row; a tier's upper end is the next one's beginning, which it does
    not have.
    """
    keys = {row: Decimal(row) for row in table.rows}
    if table.match == "exact":
        return {row: Range(key, key) for row, key in keys.items()}
    ends = {row: following for (row, _), (_, following) in pairwise(keys.items())}
    return {
        row: Range(key, ends[row].next_minus() if row in ends else None)
        for row, key in keys.items()
    }


def _meets(a: Range, b: Range) -> bool:
    return not (
        (a.high is not None and b.low is not None and a.high < b.low)
        or (a.low is not None and b.high is not None and a.low > b.high)
    )
