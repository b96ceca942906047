"""A step computed again from what its explanation prints, person by person, in fractions.

Nothing but the operands of the explanations, the tables and the expression is looked at; what is
computed over a population reads everybody's explanation of the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from math import floor
from typing import cast

from domain.evaluation.context import Evaluation
from domain.evaluation.trace import StepTrace, trace_steps
from domain.identifiers import Month
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
    Words,
)
from tests.oracle_schemes import arithmetic
from tests.oracle_schemes.arithmetic import half_up, plain

Value = Fraction | str
COMPARE = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}


class NoValue(Exception):
    """There is none: an operand is absent, a quotient by zero, or the rules refuse."""


class Explained:
    """Everybody's explanations of an evaluation."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation, self.rulebook = evaluation, evaluation.program.rulebook
        self.nodes = {c.step.step: c.node for c in evaluation.program.steps}
        self.traces = [
            {step.step: step for step in trace_steps(evaluation, row)}
            for row in range(len(evaluation.people))
        ]

    def recomputed(self, row: int, step: str) -> str | None:
        """The figure of a person's step, from its operands; None where there is none."""
        try:
            value = _Reading(self, row, step).value(self.nodes[step])
        except NoValue:
            return None
        return value if isinstance(value, str) else plain(value)


class _Reading:
    def __init__(self, explained: Explained, row: int, step: str) -> None:
        self.explained, self.row, self.step = explained, row, step
        trace: StepTrace = explained.traces[row][step]
        self.operands = {read.name: read.value for read in trace.reads}

    def of(self, row: int) -> _Reading:
        return _Reading(self.explained, row, self.step)

    def value(self, node: Node) -> Value:  # noqa: C901 - one case for each node of the language
        match node:
            case Number():
                return Fraction(node.value)
            case Words():
                return node.value
            case Name():
                return self.named(node.name)
            case Binary():
                left, right = self.figure(node.left), self.figure(node.right)
                return {"+": left + right, "-": left - right, "*": left * right}[node.operator]
            case Quotient():
                return self.divided(
                    self.figure(node.dividend), self.figure(node.divisor), node.places
                )
            case Comparison():
                return Fraction(self.holds(node))
            case Logical(operator="not"):
                return Fraction(self.figure(node.parts[0]) == 0)
            case Logical():
                stop = 0 if node.operator == "and" else 1
                stopped = any(self.figure(part) == stop for part in node.parts)
                return Fraction(stop if stopped else 1 - stop)
            case Choice():
                return self.value(node.then if self.figure(node.condition) else node.otherwise)
            case Call():
                return cast("Value", getattr(self, f"call_{node.function}")(node, *node.arguments))
        raise AssertionError(node)

    def figure(self, node: Node) -> Fraction:
        return _figure(self.value(node))

    def divided(self, dividend: Fraction, divisor: Fraction, places: int) -> Fraction:
        if divisor == 0:
            raise NoValue
        return half_up(dividend / divisor, places)

    def named(self, name: str) -> Value:
        value = None if name == "none" else self.operands[name]
        if value is None:
            raise NoValue
        return value

    def holds(self, node: Comparison) -> bool:
        left, right = self.value(node.left), self.value(node.right)
        if node.operator in {"==", "!="}:
            equal = str(left) == str(right) or (
                _is_number(left, right) and _figure(left) == _figure(right)
            )
            return equal == (node.operator == "==")
        return bool(getattr(_figure(left), COMPARE[node.operator])(_figure(right)))

    # one person

    def call_min(self, _: Call, *arguments: Node) -> Fraction:
        return min(self.figure(argument) for argument in arguments)

    def call_max(self, _: Call, *arguments: Node) -> Fraction:
        return max(self.figure(argument) for argument in arguments)

    def call_round(self, _: Call, value: Node, places: Node) -> Fraction:
        return half_up(self.figure(value), int(self.figure(places)))

    def call_floor(self, _: Call, value: Node) -> Fraction:
        return Fraction(floor(self.figure(value)))

    def call_has(self, _: Call, value: Node) -> Fraction:
        try:
            self.value(value)
        except NoValue:
            return Fraction(0)
        return Fraction(1)

    def call_otherwise(self, _: Call, value: Node, default: Node) -> Value:
        try:
            return self.value(value)
        except NoValue:
            return self.value(default)

    def call_refuse(self, _: Call, __: Node) -> Value:
        raise NoValue

    def call_tenure(self, _: Call, value: Node) -> Fraction:
        day = date.fromisoformat(str(self.value(value)))
        last = self.explained.evaluation.inputs.last_month
        return Fraction(last - Month(day.year, day.month).index)

    def call_lookup(self, _: Call, table: Node, key: Node) -> Fraction:
        found = self.value(key)
        name = _name(table).partition(".")[0]
        rows = self.column(table)
        if self.explained.rulebook.tables[name].match == "from":
            fitting = [row for row in rows if Fraction(row) <= _figure(found)]
        else:
            fitting = [
                row
                for row in rows
                if row == str(found) or (_is_number(row, found) and _figure(row) == _figure(found))
            ]
        if not fitting:
            raise NoValue
        return rows[fitting[-1]]

    def column(self, table: Node) -> dict[str, Fraction]:
        name, _, part = _name(table).partition(".")
        column = self.explained.rulebook.tables[name].column(part)
        return {row: Fraction(figure) for row, figure in column.items()}

    def call_sumproduct(self, _: Call, group: Node, table: Node) -> Fraction:
        items, column = self.items(group), self.column(table)
        if items.keys() != column.keys():
            raise NoValue
        return sum((items[row] * by for row, by in column.items()), Fraction(0))

    def items(self, group: Node) -> dict[str, Fraction]:
        """By item: what the person has of a group."""
        name = _name(group)
        if name.partition(".")[0] in self.explained.rulebook.tables:
            return self.column(group)
        return {
            operand.removeprefix(f"{name}."): _figure(value)
            for operand, value in self.operands.items()
            if operand.rpartition(".")[0] == name or operand.partition(".")[0] == name
            if value is not None
        }

    # a population

    def people(self, call: Call, population: Node) -> Iterator[_Reading]:
        """Those of the person's part of the population for whom `where` holds."""
        people = self.explained.evaluation.people
        groups, by = (
            people.team if _name(population) == "team" else people.branch,
            call.option("by"),
        )
        for row in range(len(people)):
            other = self.of(row)
            if groups[row] != groups[self.row]:
                continue
            if by is not None and other.value(by) != self.value(by):
                continue
            if (where := call.option("where")) is None or other.is_flag(where):
                yield other

    def is_flag(self, node: Node) -> bool:
        try:
            return self.figure(node) != 0
        except NoValue:
            return False

    def call_sum(self, call: Call, value: Node, population: Node | None = None) -> Fraction:
        if population is None:
            return sum(self.items(value).values(), Fraction(0))
        return sum((other.figure(value) for other in self.people(call, population)), Fraction(0))

    def call_mean(self, call: Call, value: Node, population: Node | None = None) -> Fraction:
        if population is None:
            items, weights = self.items(value), call.option("weights")
            by = self.column(weights) if weights else dict.fromkeys(items, Fraction(1))
            top = sum((items[item] * by[item] for item in items), Fraction(0))
            return self.divided(top, sum((by[item] for item in items), Fraction(0)), 6)
        counted = list(self.people(call, population))
        if call.option("each") is not None:
            team = self.explained.evaluation.people.team
            counted = list({team[other.row]: other for other in reversed(counted)}.values())
        total = sum((other.figure(value) for other in counted), Fraction(0))
        return self.divided(total, Fraction(len(counted)), 6)

    def call_count(self, call: Call, population: Node) -> Fraction:
        return Fraction(sum(1 for _ in self.people(call, population)))

    def call_rank(self, call: Call, value: Node, population: Node) -> Fraction:
        counted = list(self.people(call, population))
        if self.row not in [other.row for other in counted]:
            return Fraction(0)
        self.figure(value)  # who has none has no place
        others = [other for other in counted if other.is_there(value)]
        order, then = call.option("fixed_by"), call.option("then")
        keys = {o.row: (-o.figure(value), -o.figure(then) if then else 0, o.row) for o in others}
        if order is not None and all(other.is_there(order) for other in others):
            keys = {o.row: (o.figure(order), 0, o.row) for o in others}
        return Fraction(sorted(keys, key=keys.__getitem__).index(self.row) + 1)

    def is_there(self, node: Node) -> bool:
        try:
            self.value(node)
        except NoValue:
            return False
        return True

    def call_distribute(self, call: Call, place: Node, table: Node, population: Node) -> Value:
        tiers = self.explained.rulebook.tables[_name(table)]
        shares = [Fraction(share) for share in tiers.column("share").values()]
        closed = sum(map(bool, tiers.column("barred").values()))
        others = {str(o.row): o for o in self.people(call, population) if o.figure(place) > 0}
        order = sorted(others, key=lambda row: others[row].figure(place))
        option = call.option("barred")
        barred = [row for row in order if option and others[row].figure(option)]
        seated = arithmetic.distribute(order, shares, barred, closed)
        tier = list(tiers.rows)[seated[str(self.row)] - 1]
        return Fraction(tier) if _is_number(tier) else tier

    def call_share(self, call: Call, pool: Node, weight: Node, population: Node) -> Fraction:
        weights = {f"{o.row:06}": o.figure(weight) for o in self.people(call, population)}
        return arithmetic.share(self.figure(pool), weights)[f"{self.row:06}"]


def _name(node: Node) -> str:
    assert isinstance(node, Name)
    return node.name


def _figure(value: Value) -> Fraction:
    return Fraction(value)


def _is_number(*values: Value) -> bool:
    return all(
        isinstance(v, Fraction) or v.lstrip("-").replace(".", "", 1).isdecimal() for v in values
    )
