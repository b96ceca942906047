"""How many digits a figure can have at most: a rule that could fill any memory is a mistake.

Entries have 12 digits and 6 places, and a population or a period has fewer than 10**12 of them.
Figures of earlier statements are refused above STATEMENT_CHARACTERS (`ledger_inputs.py`). So the
sizes here hold whatever is recorded.
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

MAX_DIGITS = 1000  # of a figure, decimal places included
STATEMENT_CHARACTERS = 40  # of a statement's figure that another rulebook reads
SUM_DIGITS = 12  # a sum can have this many digits more than its terms


class Size(NamedTuple):
    """The most digits that a figure can have before and after the decimal point."""

    whole: int
    places: int


FLAG, RECORDED = Size(1, 0), Size(INTEGER_DIGITS, PLACES)
TABLE_KEY = Size(80, 80)  # a key has at most 80 characters


class Sizes:
    """Finds the size of every step, in their order."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.steps: dict[str, Size] = {}

    def check(self, step: str, node: Node) -> None:
        """Keeps the size of a step. Raises Mismatch at the part that is too large."""
        self.steps[step] = self.size(node)

    def size(self, node: Node) -> Size:
        """The size of an expression. Raises Mismatch at the part that is too large."""
        size = self._size(node)
        if sum(size) > MAX_DIGITS:
            raise Mismatch(
                node,
                f"这里可能超过 {MAX_DIGITS} 位数字；请减少相乘的步骤，或先用 round(x, 位数) 取整",
                f"this may come to more than {MAX_DIGITS} digits: multiply fewer steps, or round "
                "them first",
            )
        return size

    def _size(self, node: Node) -> Size:
        match node:
            case Number(value=value):
                return Size(max(value.adjusted() + 1, 1), max(-int(value.as_tuple().exponent), 0))
            case Name():
                return self._size_of_name(node.name)
            case Binary(operator="*"):
                left, right = self.size(node.left), self.size(node.right)
                return Size(left.whole + right.whole, left.places + right.places)
            case Binary():
                return _longer(_largest([self.size(node.left), self.size(node.right)]), 1)
            case Quotient():
                dividend, divisor = self.size(node.dividend), self.size(node.divisor)
                return Size(dividend.whole + divisor.places + 1, node.places)
        parts = [self.size(part) for part in children(node)]
        match node:
            case Comparison() | Logical():
                return FLAG
            case Choice():
                return _largest(parts)
            case Call():
                return self._size_of_call(node, parts)
        return FLAG  # a text has no digits

    def _size_of_call(self, node: Call, parts: list[Size]) -> Size:
        first = parts[0]
        match node.function:
            case "round":
                assert isinstance(node.arguments[1], Number)
                return Size(first.whole + 1, min(first.places, int(node.arguments[1].value)))
            case "floor":
                return Size(first.whole + 1, 0)
            case "min" | "max" | "otherwise":
                return _largest(parts)
            case "sum":
                return _longer(first, SUM_DIGITS)
            case "mean":  # divided by weights, which may be small
                return Size(first.whole + SUM_DIGITS + sum(RECORDED) + 1, PLACES)
            case "sumproduct":
                whole = first.whole + RECORDED.whole + SUM_DIGITS
                return Size(whole, first.places + RECORDED.places)
            case "share":
                return first
            case "distribute":
                return TABLE_KEY
        return RECORDED

    def _size_of_name(self, name: str) -> Size:
        if name in self.steps:
            return self.steps[name]
        if found := self.rulebook.find_input(name):
            return _size_of_input(found[0])
        # A group of steps; or a parameter, a table or an attribute, which are as long as entries.
        members = [size for step, size in self.steps.items() if step.rpartition(".")[0] == name]
        return _largest([RECORDED, *members])


def _size_of_input(spec: Input) -> Size:
    if spec.read == "statement":
        return Size(STATEMENT_CHARACTERS + 2, STATEMENT_CHARACTERS)
    return _longer(RECORDED, SUM_DIGITS)


def _longer(size: Size, digits: int) -> Size:
    return Size(size.whole + digits, size.places)


def _largest(sizes: Iterable[Size]) -> Size:
    wholes, places = zip(*sizes, strict=True)
    return Size(max(wholes), max(places))
