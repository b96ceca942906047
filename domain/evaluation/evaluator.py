"""The one evaluator: runs a rulebook over whole columns, keeps every step, and reports findings."""

from __future__ import annotations

import operator as op
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from domain.evaluation import columns, operators
from domain.evaluation.columns import AnyColumn, Column, Mask, Poison, TextColumn
from domain.evaluation.context import Context, Evaluation, PoisonReason
from domain.evaluation.functions import COMPUTED
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
    names,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.evaluation.people import Inputs
    from domain.rulebook.checks import CheckedStep, Program

COMPARE: dict[str, Callable[[columns.Ints, columns.Ints], object]] = {
    "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge, "==": op.eq, "!=": op.ne,
}  # fmt: skip
LOGICAL: dict[str, Callable[[columns.Ints, columns.Ints], columns.Ints]] = {
    "and": op.and_,
    "or": op.or_,
}
ARITHMETIC = {"+": columns.add, "-": columns.subtract, "*": columns.multiply}


def evaluate(program: Program, inputs: Inputs) -> Evaluation:
    """Runs every step. Findings are kept, not raised: they refuse the branches of their people."""
    evaluation = Evaluation(program, inputs)
    runner = Runner(evaluation)
    for step in program.steps:
        runner.run_step(step)
    runner.refuse_unread_points()
    runner.warn_of_ties()
    return evaluation


class Runner(Context):
    """Computes the expressions of an evaluation; after the run, parts of them for explanations."""

    # steps

    def run_step(self, checked: CheckedStep) -> None:
        """Keeps the step's column; a row without a value is a finding.

        An optional step may have no value where an input is absent.
        """
        self.step, self.poison_read = checked.step.step, []
        column = self.compute(checked.node).broadcast(len(self.people))
        if column.poison is not None and column.poison.any():
            refused = self._report_poison(column.poison, optional=checked.step.optional)
            if refused.any():
                self._report_other_inputs(refused)
        else:
            column = column.with_poison(None)
        self.evaluation.steps[self.step] = column

    def _report_poison(self, poison: Poison, *, optional: bool) -> Mask:
        """Adds a finding for everybody whom the poison concerns, and returns the poisoned rows.

        In an optional step, what is merely absent is no finding.
        """
        refused = np.zeros(len(self.people), bool)
        for number, reason in enumerate(self.evaluation.reasons[1:], 1):
            if not (optional and reason.code == "absent"):
                refused |= (rows := poison == number)
                for row in np.flatnonzero(self._concerned(rows, number)).tolist():
                    self.add_finding(row, reason)
        return refused

    def _concerned(self, rows: Mask, number: int) -> Mask:
        """Who lacks the value, of rows that have none for a reason.

        Where a group has no total because some of it lack a value, these alone are concerned, and
        whoever reads a value of their own that is missing.
        """
        own = np.zeros(len(rows), bool)
        for poison, read_for in self.poison_read:
            own |= (poison == number) & (True if read_for is None else read_for)
        concerned = rows
        for spread in reversed(self.spreads):  # a total may be made of other totals
            lacking = spread.poison == number
            without = np.zeros(spread.groups.count, bool)
            without[spread.groups.codes[lacking]] = True
            asking = np.zeros(spread.groups.count, bool)
            asking[spread.groups.codes[concerned]] = True
            of_group = without[spread.groups.codes]
            concerned = (concerned & ~of_group) | (lacking & asking[spread.groups.codes])
        return concerned | (rows & own)

    def _report_other_inputs(self, refused: Mask) -> None:
        """Adds the findings of all other inputs that the step has read for the refused rows.

        A row carries one reason only, but a person who is refused should see them all.
        """
        for poison, read_for in self.poison_read:
            rows = refused if read_for is None else refused & read_for
            self._report_poison(np.where(rows, poison, np.int16(0)), optional=True)

    def refuse_unread_points(self) -> None:
        """An adjustment in points refuses where no input of the rulebook reads it."""
        reads_points = any(
            spec.read == "adjustment" and spec.take == "points"
            for spec in self.rulebook.inputs.values()
        )
        if self.rulebook.pays and self.rulebook.period == "month" and not reads_points:
            self.step = "pay"
            for row in np.flatnonzero(self.evaluation.inputs.unread_points()).tolist():
                self.add_finding(row, PoisonReason("points_not_read", "adjustment"))

    def warn_of_ties(self) -> None:
        """Warns people of equal rank whose outcomes differ only by their ids."""
        for step, call, ranking in self.rankings:
            if ranking.ties.any():
                for outcome in steps_decided_by(self.evaluation.program, step, call):
                    self.step = outcome
                    differs = _differs_within_tie(ranking.ties, self.evaluation.steps[outcome])
                    self.warn("tie", outcome, differs)

    # expressions

    def compute(self, node: Node) -> AnyColumn:
        match node:
            case Number():
                return columns.constant(node.value)
            case Words():
                return TextColumn(np.zeros(1, np.int64), (node.value,))
            case Name():
                return self.column_of(node.name)
            case Binary():
                operation = ARITHMETIC[node.operator]
                return operation(self.compute_figure(node.left), self.compute_figure(node.right))
            case Quotient():
                return self._divide(node)
            case Comparison():
                return self._compare(node)
            case Logical():
                return self._combine_flags(node)
            case Choice():
                return self._choose(node)
            case Call():
                return COMPUTED[node.function](self, node)
        raise AssertionError(node)

    def _divide(self, node: Quotient) -> Column:
        by_zero = self.reason_number("division_by_zero", self.step)
        dividend, divisor = self.compute_figure(node.dividend), self.compute_figure(node.divisor)
        return columns.divide(dividend, divisor, node.places, by_zero)

    def _compare(self, node: Comparison) -> Column:
        left, right = self.compute(node.left), self.compute(node.right)
        if isinstance(left, TextColumn):
            assert isinstance(right, TextColumn)
            words = tuple(dict.fromkeys(left.words + right.words))
            holds = COMPARE[node.operator](left.codes_in(words), right.codes_in(words))
            poison = columns.merge_poison(left.poison, right.poison)
            return columns.flags(np.asarray(holds, bool), poison)
        assert isinstance(right, Column)
        return columns.compare(COMPARE[node.operator], left, right)

    def _combine_flags(self, node: Logical) -> Column:
        """Short-circuit: a part that cannot change the outcome any more cannot poison it."""
        result = self.compute_figure(node.parts[0])
        if node.operator == "not":
            return columns.flags(result.data == 0, result.poison)
        for part in node.parts[1:]:
            undecided = result.data != 0 if node.operator == "and" else result.data == 0
            with self.narrowed_to(undecided):
                other = self.compute_figure(part)
            if result.poison is None and other.poison is None:
                result = Column(LOGICAL[node.operator](result.data, other.data), 0, 1)
            else:
                chosen = columns.choose(columns.flags(undecided, result.poison), other, result)
                assert isinstance(chosen, Column)
                result = chosen
        return result

    def _choose(self, node: Choice) -> AnyColumn:
        condition = self.compute_figure(node.condition)
        with self.narrowed_to(condition.data != 0):
            then = self.compute(node.then)
        with self.narrowed_to(condition.data == 0):
            otherwise = self.compute(node.otherwise)
        return columns.choose(condition, then, otherwise)


@lru_cache(maxsize=256)
def steps_decided_by(program: Program, step: str, ranking: Call) -> list[str]:
    """The step around a ranking; where the step is the ranking itself, the steps that read it.

    A step that is a place in another ranking is left out: that ranking has ties of its own.
    """
    if any(checked.step.step == step and checked.node is not ranking for checked in program.steps):
        return [step]
    return [
        checked.step.step
        for checked in program.steps
        if checked.step.unit != "place" and any(name.name == step for name in names(checked.node))
    ]


def _differs_within_tie(ties: operators.Codes, outcome: AnyColumn) -> Mask:
    """The rows of every set of equals whose members have different outcomes."""
    rows = np.flatnonzero(ties)
    sets = ties[rows]
    values = (outcome.codes if isinstance(outcome, TextColumn) else outcome.data)[rows]
    if values.dtype == object:
        values = operators.number_densely(values)
    first_value = np.zeros(int(sets.max()) + 1, np.int64)
    first_value[sets] = values
    set_differs = np.zeros(len(first_value), bool)
    set_differs[sets[values != first_value[sets]]] = True
    differs = np.zeros(len(ties), bool)
    differs[rows] = set_differs[sets]
    return differs
