"""How many digits a figure can have at most, whatever is recorded: rules that could fill any memory
are mistakes.

Entries have 12 digits and 6 places, and a population or a period has fewer than 10**12 of them.
What earlier statements say is refused where it has more than STATED characters
(`ledger_inputs.py`). So every bound here holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.numbers import INTEGER_DIGITS, PLACES
from domain.rulebook.expression_types import Mismatch
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
    from collections.abc import Iterable

    from domain.rulebook.model import Input, Rulebook

MAX_FIGURE = 1000  # digits of a figure, places included
STATED = 40  # characters of a figure of a statement that another rulebook reads
MANY = 12  # digits by which a sum can be longer than what is summed


class Size(NamedTuple):
    """The most digits before and after the point."""

    whole: int
    places: int


FLAG, RECORDED, KEY = Size(1, 0), Size(INTEGER_DIGITS, PLACES), Size(80, 80)


class Sizes:
    """Finds the size of every step, in their order."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.steps: dict[str, Size] = {}

    def check(self, step: str, node: Node) -> None:
        """Keeps the size of a step. Raises Mismatch at the part that is too large."""
        self.steps[step] = self.of(node)

    def of(self, node: Node) -> Size:
        """The size of an expression. Raises Mismatch at the part that is too large."""
        size = self._of(node)
        if sum(size) > MAX_FIGURE:
            raise Mismatch(
                node,
                f"这里可能超过 {MAX_FIGURE} 位数字；请减少相乘的步骤，或先用 round(x, 位数) 取整",
                f"this may come to more than {MAX_FIGURE} digits: multiply fewer steps, or round "
                "them first",
            )
        return size

    def _of(self, node: Node) -> Size:
        match node:
            case Number(value=value):
                return Size(max(value.adjusted() + 1, 1), max(-int(value.as_tuple().exponent), 0))
            case Name():
                return self._named(node.name)
            case Binary(operator="*"):
                left, right = self.of(node.left), self.of(node.right)
                return Size(left.whole + right.whole, left.places + right.places)
            case Binary():
                return _more(_widest([self.of(node.left), self.of(node.right)]), 1)
            case Quotient():
                above, below = self.of(node.dividend), self.of(node.divisor)
                return Size(above.whole + below.places + 1, node.places)
        parts = [self.of(part) for part in children(node)]
        match node:
            case Comparison() | Logical():
                return FLAG
            case Choice():
                return _widest(parts)
            case Call():
                return self._called(node, parts)
        return FLAG  # words

    def _called(self, node: Call, parts: list[Size]) -> Size:
        first = parts[0]
        match node.function:
            case "round":
                assert isinstance(node.arguments[1], Number)
                return Size(first.whole + 1, min(first.places, int(node.arguments[1].value)))
            case "floor":
                return Size(first.whole + 1, 0)
            case "min" | "max" | "otherwise":
                return _widest(parts)
            case "sum":
                return _more(first, MANY)
            case "mean":  # weights may be small, and are divided by
                return Size(first.whole + MANY + sum(RECORDED) + 1, PLACES)
            case "sumproduct":
                return Size(first.whole + RECORDED.whole + MANY, first.places + RECORDED.places)
            case "share":
                return first
            case "distribute":
                return KEY
        return RECORDED

    def _named(self, name: str) -> Size:
        if name in self.steps:
            return self.steps[name]
        if found := self.rulebook.find_input(name):
            return _read(found[0])
        members = [size for step, size in self.steps.items() if step.rpartition(".")[0] == name]
        return _widest(
            [RECORDED, *members]
        )  # a group of steps; a parameter, a table, what is known of the person


def _read(given: Input) -> Size:
    return Size(STATED + 2, STATED) if given.read == "statement" else _more(RECORDED, MANY)


def _more(size: Size, digits: int) -> Size:
    return Size(size.whole + digits, size.places)


def _widest(sizes: Iterable[Size]) -> Size:
    wholes, places = zip(*sizes, strict=True)
    return Size(max(wholes), max(places))
