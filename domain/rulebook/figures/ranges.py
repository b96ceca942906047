"""The least and the greatest that a figure can be, to find rows and conditions out of reach.

A range may be wider than the truth, because dependencies between figures are ignored, but never
narrower. So what is called impossible here is impossible.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from itertools import pairwise
from typing import TYPE_CHECKING

from domain.errors import Text
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
    is_without_value,
)
from domain.rulebook.figures.digits import MAX_DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.rulebook.model import Input, Rulebook, Table

ExpressionMistake = tuple[Node, Text]
EXACT = Context(prec=2 * MAX_DIGITS)  # no figure is longer, so nothing is rounded


@dataclass(frozen=True)
class Range:
    """The least and the greatest that a figure can be; None: unlimited."""

    low: Decimal | None = None
    high: Decimal | None = None

    def __contains__(self, figure: Decimal) -> bool:
        return (self.low is None or self.low <= figure) and (
            self.high is None or figure <= self.high
        )


UNLIMITED, NOT_NEGATIVE = Range(), Range(Decimal(0))
FLAG, ALWAYS, NEVER = (
    Range(Decimal(0), Decimal(1)),
    Range(Decimal(1), Decimal(1)),
    Range(Decimal(0), Decimal(0)),
)
ZERO = NEVER


def hull(ranges: Iterable[Range]) -> Range:
    """The smallest range that contains all of these."""
    lows, highs = zip(*((r.low, r.high) for r in ranges), strict=True)
    return Range(
        None if None in lows else min(low for low in lows if low is not None),
        None if None in highs else max(high for high in highs if high is not None),
    )


class Ranges:
    """Finds the range of every step, in their order, and what is impossible in them."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.steps: dict[str, Range] = {}

    def find_impossible(self, step: str, node: Node) -> list[ExpressionMistake]:
        """The conditions that always or never hold, and the rows that no value can reach."""
        with localcontext(EXACT):
            self.steps[step] = self.range(node)
            return [mistake for part in _parts(node) for mistake in self._mistakes(part)]

    def range(self, node: Node) -> Range:
        """The range of an expression; that of a text, or without a value, is never looked at."""
        match node:
            case Number():
                return Range(node.value, node.value)
            case Name():
                return self._range_of_name(node.name)
            case Binary():
                return _combine(node.operator, self.range(node.left), self.range(node.right))
            case Quotient():
                operands = self.range(node.dividend), self.range(node.divisor)
                return NOT_NEGATIVE if all(map(_is_not_negative, operands)) else UNLIMITED
            case Comparison():
                return _compare(node.operator, self.range(node.left), self.range(node.right))
            case Logical():
                return FLAG
            case Choice():
                return self._hull_of_values([node.then, node.otherwise])
            case Call():
                return self._range_of_call(node)
        return UNLIMITED

    def _hull_of_values(self, nodes: Iterable[Node]) -> Range:
        return hull(self.range(node) for node in nodes if not is_without_value(node))

    def _range_of_name(self, name: str) -> Range:
        if name in self.steps:
            return self.steps[name]
        if parameter := self.rulebook.parameters.get(name):
            return Range(parameter.value, parameter.value)
        found = self.rulebook.find_input(name)
        return self._range_of_input(*found) if found else UNLIMITED

    def _range_of_input(self, spec: Input, item: str | None) -> Range:
        """The figures within an input's bounds, and what counts where it has none."""
        kind = spec.kind
        if spec.take == "count" or (kind and not kind.is_signed):
            return UNLIMITED if spec.take == "amount" else NOT_NEGATIVE
        if spec.take == "sum" or kind is None or kind.is_summed:
            return UNLIMITED
        low = self._bound(spec.low, item) if spec.above is None else None
        within_bounds = Range(low, self._bound(spec.high, item))
        if spec.default is not None:
            default = Decimal(spec.default)
            return hull([within_bounds, Range(default, default)])
        counts_0 = spec.missing == "warn" or spec.missing is None
        return hull([within_bounds, ZERO]) if counts_0 else within_bounds

    def _bound(self, bound: Decimal | str | None, item: str | None) -> Decimal | None:
        """The figure of a bound; None for one that is another input."""
        if isinstance(bound, str):
            table, _, part = bound.partition(".")
            rows = self.rulebook.tables[table].column(part) if table in self.rulebook.tables else {}
            return rows.get(item or "")
        return bound

    def _range_of_call(self, node: Call) -> Range:
        first = node.arguments[0]
        match node.function:
            case "min":
                return _minimum([self.range(argument) for argument in node.arguments])
            case "max":
                return _maximum([self.range(argument) for argument in node.arguments])
            case "round" | "floor":
                return _round_outwards(self.range(first))
            case "has":
                return FLAG
            case "otherwise":
                return self._hull_of_values(node.arguments)
            case "lookup":
                return hull(Range(figure, figure) for figure in self._column(first).values())
            case "mean" | "sum":
                return self._range_of_total(node)
            case "count" | "rank" | "share":
                return NOT_NEGATIVE
        return UNLIMITED

    def _range_of_total(self, node: Call) -> Range:
        """A sum or mean over the items of a group (one argument), or over a population."""
        first, over_items = node.arguments[0], len(node.arguments) == 1
        if node.function == "mean":
            return hull([*self._members(first), ZERO]) if over_items else self.range(first)
        if over_items:
            return _sum(self._members(first))
        return NOT_NEGATIVE if _is_not_negative(self.range(first)) else UNLIMITED

    def _members(self, group: Node) -> list[Range]:
        assert isinstance(group, Name)
        name = group.name
        if name.partition(".")[0] in self.rulebook.tables:
            return [Range(figure, figure) for figure in self._column(group).values()]
        if spec := self.rulebook.inputs.get(name):
            return [self._range_of_input(spec, item) for item in spec.items or ()]
        members = [r for step, r in self.steps.items() if step.rpartition(".")[0] == name]
        return [hull([member, ZERO]) for member in members]  # a person may be without one

    def _column(self, table: Node) -> dict[str, Decimal]:
        assert isinstance(table, Name)
        name, _, part = table.name.partition(".")
        return self.rulebook.tables[name].column(part)

    # what is impossible

    def _mistakes(self, node: Node) -> Iterator[ExpressionMistake]:
        match node:
            case Comparison():
                yield from self._constant_condition(node)
            case Call(function="lookup"):
                yield from self._unreachable_rows(node)

    def _constant_condition(self, node: Comparison) -> Iterator[ExpressionMistake]:
        result = self.range(node)
        if result == ALWAYS:
            yield node, Text("这个条件总是成立", "this condition always holds")
        if result == NEVER:
            yield node, Text("这个条件永远不成立", "this condition can never hold")

    def _unreachable_rows(self, node: Call) -> Iterator[ExpressionMistake]:
        """Rows that no value can reach, and values that have no row."""
        name = node.arguments[0]
        assert isinstance(name, Name)
        table = self.rulebook.tables[name.name.partition(".")[0]]
        if not numeric_keys(table.rows):
            return
        key = self.range(node.arguments[1])
        for row, values in _values_of_rows(table).items():
            if not _overlap(key, values):
                text = Text(
                    f"表格的行 {row} 永远取不到",
                    f"no value can reach the row {row} of the table",
                )
                yield name, text
        first = min(map(Decimal, table.rows))
        if table.match == "from" and key.low is not None and key.low < first:
            text = Text(
                f"低于 {first} 的值没有对应的行", f"there is no row for values below {first}"
            )
            yield name, text


def _parts(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from _parts(child)


def _is_not_negative(range_: Range) -> bool:
    return range_.low is not None and range_.low >= 0


def _combine(operator: str, a: Range, b: Range) -> Range:
    if operator == "+":
        return _sum([a, b])
    if operator == "-":
        return _sum([a, Range(_negate(b.high), _negate(b.low))])
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return NOT_NEGATIVE if _is_not_negative(a) and _is_not_negative(b) else UNLIMITED
    products = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high]
    return Range(min(products), max(products))


def _negate(figure: Decimal | None) -> Decimal | None:
    return None if figure is None else -figure


def _sum(ranges: Iterable[Range]) -> Range:
    low: Decimal | None = Decimal(0)
    high: Decimal | None = Decimal(0)
    for r in ranges:
        low = None if low is None or r.low is None else low + r.low
        high = None if high is None or r.high is None else high + r.high
    return Range(low, high)


def _minimum(ranges: list[Range]) -> Range:
    highs = [r.high for r in ranges if r.high is not None]
    return Range(hull(ranges).low, min(highs, default=None))


def _maximum(ranges: list[Range]) -> Range:
    lows = [r.low for r in ranges if r.low is not None]
    return Range(max(lows, default=None), hull(ranges).high)


def _round_outwards(range_: Range) -> Range:
    """To whole numbers: rounding to any number of places stays within them."""
    low = None if range_.low is None else range_.low.to_integral_value("ROUND_FLOOR")
    high = None if range_.high is None else range_.high.to_integral_value("ROUND_CEILING")
    return Range(low, high)


def _compare(operator: str, a: Range, b: Range) -> Range:
    """ALWAYS, NEVER, or FLAG where it depends."""
    if operator in {">", ">="}:
        return _compare({">": "<", ">=": "<="}[operator], b, a)
    if operator in {"==", "!="}:
        never_equal = not _overlap(a, b)
        always_equal = a == b and a.low is not None and a.low == a.high
        if operator == "==":
            return ALWAYS if always_equal else NEVER if never_equal else FLAG
        return ALWAYS if never_equal else NEVER if always_equal else FLAG
    if _is_below(a, b, or_equal=operator == "<="):
        return ALWAYS
    if _is_below(b, a, or_equal=operator == "<"):
        return NEVER
    return FLAG


def _is_below(a: Range, b: Range, *, or_equal: bool = False) -> bool:
    """Whether every figure of a is below (or equal to) every figure of b."""
    if a.high is None or b.low is None:
        return False
    return a.high < b.low or (or_equal and a.high == b.low)


def _values_of_rows(table: Table) -> dict[str, Range]:
    """The values that find each row.

    With `match: from`, a row ends just below the next key: at the next smaller figure of EXACT.
    """
    keys = {row: Decimal(row) for row in table.rows}
    if table.match == "exact":
        return {row: Range(key, key) for row, key in keys.items()}
    next_keys = {row: next_key for (row, _), (_, next_key) in pairwise(keys.items())}
    return {
        row: Range(key, next_keys[row].next_minus() if row in next_keys else None)
        for row, key in keys.items()
    }


def _overlap(a: Range, b: Range) -> bool:
    """Whether some figure is in both ranges."""
    return not (_is_below(a, b) or _is_below(b, a))
