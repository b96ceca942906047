"""整分: whether a step comes to whole cents, decided from its expression alone.

Pay, what is payable and every posting are whole cents, whatever the rulebook says. What a rulebook
computes is whole cents where it is rounded so, or where nothing in it can have more than two
decimal places. What people record in yuan (adjustments, measures, amounts of sales) is taken to be
in cents, as money is; a figure that is not shows when the month is closed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.numbers import PLACES
from domain.rulebook.expressions import (
    Binary,
    Call,
    Choice,
    Name,
    Node,
    Number,
    Quotient,
    is_without_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.rulebook.model import Input, Rulebook
    from domain.rulebook.source import Mistake

CENTS = 2  # decimal places of yuan
MONEY = frozenset({("adjustment", "yuan"), ("sale", "amount")})  # read, take
ANY_PLACES = 40  # of an earlier statement's figure


class DecimalPlaces:
    """Finds the most decimal places of every step, in their order."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.steps: dict[str, int] = {}

    def mistakes(self, index: int, step: str, node: Node) -> list[Mistake]:
        """What is wrong with a step `pay` that may have fractions of a cent."""
        self.steps[step] = places = self.places(node)
        if step != "pay" or places <= CENTS:
            return []
        text = Text(
            f"{step} 可能有 {places} 位小数，薪酬须为整分；请按条款四舍五入到分：round(…, {CENTS})",
            f"{step} may have {places} decimal places, and pay is whole cents: round it where the "
            f"clause says, round(…, {CENTS})",
        )
        return [(("steps", index, "value"), text)]

    def places(self, node: Node) -> int:
        """The most decimal places of an expression; of a text none."""
        match node:
            case Number():
                return _places_of(node.value)
            case Name():
                return self._places_of_name(node.name)
            case Binary(operator="*"):
                return self.places(node.left) + self.places(node.right)
            case Binary():
                return self._most([node.left, node.right])
            case Quotient():
                return node.places
            case Choice():
                return self._most([node.then, node.otherwise])
            case Call():
                return self._places_of_call(node)
        return 0

    def _most(self, nodes: Iterable[Node]) -> int:
        return max((self.places(node) for node in nodes if not is_without_value(node)), default=0)

    def _places_of_call(self, node: Call) -> int:
        first = node.arguments[0]
        match node.function:
            case "round":
                asked = node.arguments[1]
                assert isinstance(asked, Number)
                return min(self.places(first), int(asked.value))
            case "min" | "max" | "otherwise":
                return self._most(node.arguments)
            case "sum" if len(node.arguments) > 1:
                return self.places(first)
            case "sum":
                return self._places_of_group(first)
            case "sumproduct":
                return self._places_of_group(first) + self._places_of_column(node.arguments[1])
            case "lookup":
                return self._places_of_column(first)
            case "mean":
                return PLACES
            case "share":
                return CENTS
        return 0  # counts, places, tiers, months, flags

    def _places_of_name(self, name: str) -> int:
        if name in self.steps:
            return self.steps[name]
        if parameter := self.rulebook.parameters.get(name):
            return _places_of(parameter.value)
        found = self.rulebook.find_input(name)
        return _places_of_input(found[0]) if found else 0

    def _places_of_group(self, group: Node) -> int:
        assert isinstance(group, Name)
        if group.name.partition(".")[0] in self.rulebook.tables:
            return self._places_of_column(group)
        if spec := self.rulebook.inputs.get(group.name):
            return _places_of_input(spec)
        members = (p for step, p in self.steps.items() if step.rpartition(".")[0] == group.name)
        return max(members, default=0)

    def _places_of_column(self, table: Node) -> int:
        assert isinstance(table, Name)
        name, _, part = table.name.partition(".")
        figures = self.rulebook.tables[name].column(part).values()
        return max(map(_places_of, figures), default=0)


def _places_of(figure: Decimal) -> int:
    return max(-int(figure.normalize().as_tuple().exponent), 0)


def _places_of_input(spec: Input) -> int:
    if spec.take == "count" or spec.read == "attribute":
        return 0
    if spec.read == "statement":
        return ANY_PLACES
    is_money = spec.unit == "yuan" and (spec.read == "measure" or (spec.read, spec.take) in MONEY)
    default = Decimal(spec.default) if spec.default is not None else Decimal(0)
    return max(CENTS if is_money else PLACES, _places_of(default))
