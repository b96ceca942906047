"""The one evaluator: runs a rulebook over whole columns, keeps every step, and names what it
refuses.

A row without a value carries the number of the reason (`poison`). It only counts where it reaches a
kept step: both sides of a choice are computed, but only the one taken can refuse.
"""

from __future__ import annotations

import operator as op
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.evaluation import columns, operators
from domain.evaluation.columns import AnyColumn, Column, Mask, Poison, TextColumn
from domain.evaluation.functions import FUNCTIONS
from domain.evaluation.people import Bounds
from domain.fact_kinds import READABLE
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
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from domain.evaluation.people import Fault, Inputs, People
    from domain.rulebook.checks import CheckedStep, Program
    from domain.rulebook.model import Input

COMPARE: dict[str, Callable[[columns.Ints, columns.Ints], object]] = {
    "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge, "==": op.eq, "!=": op.ne,
}  # fmt: skip
LOGICAL: dict[str, Callable[[columns.Ints, columns.Ints], columns.Ints]] = {
    "and": op.and_,
    "or": op.or_,
}
ARITHMETIC = {"+": columns.add, "-": columns.subtract, "*": columns.multiply}
WHERE_MISSING = {  # what is left out counts 0 (section 0)
    **{name: kind.missing for name, kind in READABLE.items()},
    "attribute": "refuse",
    "statement": "absent",
}


class Problem(NamedTuple):
    """Why rows have no value: the finding's code and what it is about (an input, a table, a
    step).
    """

    code: str
    about: str


@dataclass(frozen=True)
class RowFinding:
    """A finding for one person: at which step, and which entry (a ledger position) is to blame, if
    one is.
    """

    row: int
    step: str
    problem: Problem
    position: int | None = None


@dataclass(frozen=True)
class RowWarning:
    """A warning beside the statements of these rows."""

    code: str
    step: str
    about: str
    rows: Mask


@dataclass
class Evaluation:
    """Every step of a rulebook for every person: the columns are the trace."""

    program: Program
    inputs: Inputs
    steps: dict[str, AnyColumn] = field(default_factory=dict)
    readings: dict[str, AnyColumn] = field(default_factory=dict)
    warnings: list[RowWarning] = field(default_factory=list)
    findings: list[RowFinding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=lambda: [Problem("", "")])

    @property
    def people(self) -> People:
        """The population."""
        return self.inputs.people


def evaluate(program: Program, inputs: Inputs) -> Evaluation:
    """Runs every step. Findings, if any, refuse the branches of the people concerned; nothing is
    raised for them.
    """
    evaluation = Evaluation(program, inputs)
    runner = Runner(evaluation)
    for step in program.steps:
        runner.run_step(step)
    runner.refuse_unread_points()
    runner.warn_of_ties()
    return evaluation


class Runner:
    """Computes expressions in the context of an evaluation; after the run, any part of one for its
    explanation.
    """

    def __init__(self, evaluation: Evaluation, step: str = "") -> None:
        self.evaluation, self.step = evaluation, step
        self.rulebook = evaluation.program.rulebook
        self.people = evaluation.people
        self.rows: Mask | None = (
            None  # for whom the expression is being computed; None: for everyone
        )
        self.ties: list[tuple[str, Node, operators.Ranking]] = []
        self._faults: dict[str, tuple[Fault, ...]] = {}
        self._gaps: dict[str, tuple[str, Mask]] = {}
        self._found: set[tuple[int, Problem, int | None]] = set()
        self._warned: dict[tuple[str, str], Mask] = {}
        self._lacking: list[
            tuple[Poison, Mask | None]
        ] = []  # inputs that the step has read, and for whom

    # steps and what refuses them

    def run_step(self, checked: CheckedStep) -> None:
        """Keeps the step's column; rows without a value refuse, unless the step is optional and its
        input absent.
        """
        self.step, self._lacking = checked.step.step, []
        column = self.compute(checked.node).over(len(self.people))
        if column.poison is not None and column.poison.any():
            refused = self._refuse(column.poison, optional=checked.step.optional)
            others = (
                self._lacking if refused.any() else []
            )  # a row carries one reason; who is refused is told them all
            for poison, read_for in others:
                told = refused if read_for is None else refused & read_for
                self._refuse(np.where(told, poison, np.int16(0)), optional=True)
        else:
            column = column.with_poison(None)
        self.evaluation.steps[self.step] = column

    def _refuse(self, poison: Poison, *, optional: bool) -> Mask:
        """Findings for the rows that carry a reason, and which these are; where optional, not for
        what is absent.
        """
        refused = np.zeros(len(self.people), bool)
        for number, problem in enumerate(self.evaluation.problems[1:], 1):
            if not (optional and problem.code == "absent"):
                refused |= (rows := poison == number)
                for row in np.flatnonzero(rows).tolist():
                    self._find(row, problem)
        return refused

    def _find(self, row: int, problem: Problem, position: int | None = None) -> None:
        """A finding, at the first step that it concerns."""
        if (row, problem, position) not in self._found:
            self._found.add((row, problem, position))
            self.evaluation.findings.append(RowFinding(row, self.step, problem, position))

    def poison(self, code: str, about: str) -> int:
        """The number under which rows carry this reason."""
        problem = Problem(code, about)
        if problem not in self.evaluation.problems:
            self.evaluation.problems.append(problem)
        return self.evaluation.problems.index(problem)

    def warn(self, code: str, about: str, rows: Mask) -> None:
        """A warning for those of the rows that are being computed, once for each."""
        told = self._warned.get((code, about), np.zeros(len(self.people), bool))
        rows = rows & ~told if self.rows is None else rows & ~told & self.rows
        if rows.any():
            self.evaluation.warnings.append(RowWarning(code, self.step, about, rows))
            self._warned[code, about] = told | rows

    @contextmanager
    def among(self, rows: Mask) -> Iterator[None]:
        """Inside, expressions are computed for these rows: only what is wrong with them refuses or
        warns.
        """
        before, self.rows = self.rows, rows
        yield
        self.rows = before

    def only(self, rows: Mask) -> AbstractContextManager[None]:
        """Inside, expressions are computed for those of the rows for whom they were before."""
        if len(rows) != len(self.people):
            rows = np.broadcast_to(rows, len(self.people))
        return self.among(rows if self.rows is None else rows & self.rows)

    def refuse_unread_points(self) -> None:
        """Section 0: points of an adjustment count where a rulebook reads them, and refuse
        elsewhere.
        """
        reads = any(
            given.read == "adjustment" and given.take == "points"
            for given in self.rulebook.inputs.values()
        )
        if self.rulebook.pays and self.rulebook.period == "month" and not reads:
            self.step = "pay"
            for row in np.flatnonzero(self.evaluation.inputs.unread_points()).tolist():
                self._find(row, Problem("points_not_read", "adjustment"))

    def warn_of_ties(self) -> None:
        """Section 0: equals in a ranking whose outcomes differ, by nothing but their ids, are told
        so.
        """
        for step, node, ranking in self.ties:
            if ranking.tied.any():
                for outcome in outcomes(self.evaluation.program, step, node):
                    self.step = outcome
                    self.warn("tie", outcome, _parted(ranking.tied, self.evaluation.steps[outcome]))

    # expressions

    def compute(self, node: Node) -> AnyColumn:
        """The expression for every person."""
        match node:
            case Number():
                return columns.constant(node.value)
            case Words():
                return TextColumn(np.zeros(1, np.int64), (node.value,))
            case Name():
                return self.named(node.name)
            case Binary():
                return ARITHMETIC[node.operator](self.figure(node.left), self.figure(node.right))
            case Quotient():
                zero = self.poison("division_by_zero", self.step)
                return columns.quotient(
                    self.figure(node.dividend), self.figure(node.divisor), node.places, zero
                )
            case Comparison():
                return self._compared(node)
            case Logical():
                return self._logical(node)
            case Choice():
                return self._chosen(node)
            case Call():
                return FUNCTIONS[node.function](self, node)
        raise AssertionError(node)

    def figure(self, node: Node) -> Column:
        """A numeric expression; checked when the rulebook was."""
        column = self.compute(node)
        assert isinstance(column, Column), node
        return column

    def named(self, name: str) -> AnyColumn:
        """A step, an input, a parameter, or what is known of the person."""
        if name in self.evaluation.steps:
            return self.evaluation.steps[name]
        if parameter := self.rulebook.parameters.get(name):
            return columns.constant(parameter.value)
        if name == "none":
            return self.nothing("absent")
        if name == "grade":
            return self._grade()
        if name == "role":
            return self.people.role
        if name == "team":
            return TextColumn(self.people.team, self.people.teams)
        if name not in self.evaluation.readings:
            self.evaluation.readings[name] = self._input(name)
        if self._faults or self._gaps:
            self._report(name)
        reading = self.evaluation.readings[name]
        if reading.poison is not None:
            self._lacking.append((reading.poison, self.rows))
        return reading

    def nothing(self, code: str) -> Column:
        """No value, for this reason."""
        return columns.constant(Decimal(0)).with_poison(
            np.array([self.poison(code, self.step)], np.int16)
        )

    def _grade(self) -> Column:
        grade = self.people.grade
        if grade.poison is None:
            return grade
        missing = np.int16(self.poison("missing_attribute", "grade"))
        return grade.with_poison(np.where(grade.poison != 0, missing, np.int16(0)))

    def _chosen(self, node: Choice) -> AnyColumn:
        condition = self.figure(node.condition)
        with self.only(condition.data != 0):
            then = self.compute(node.then)
        with self.only(condition.data == 0):
            otherwise = self.compute(node.otherwise)
        return columns.choose(condition, then, otherwise)

    def _logical(self, node: Logical) -> Column:
        """Like a choice: a part that cannot change the outcome any more cannot refuse it."""
        result = self.figure(node.parts[0])
        if node.operator == "not":
            return columns.flags(result.data == 0, result.poison)
        for part in node.parts[1:]:
            open_still = result.data != 0 if node.operator == "and" else result.data == 0
            with self.only(open_still):
                other = self.figure(part)
            if result.poison is None and other.poison is None:
                result = Column(LOGICAL[node.operator](result.data, other.data), 0, 1)
            else:
                chosen = columns.choose(columns.flags(open_still, result.poison), other, result)
                assert isinstance(chosen, Column)
                result = chosen
        return result

    def _compared(self, node: Comparison) -> Column:
        left, right = self.compute(node.left), self.compute(node.right)
        if isinstance(left, TextColumn):
            assert isinstance(right, TextColumn)
            words = tuple(dict.fromkeys(left.words + right.words))
            same = COMPARE[node.operator](left.recoded(words), right.recoded(words))
            return columns.flags(np.asarray(same, bool), columns.merge(left.poison, right.poison))
        assert isinstance(right, Column)
        return columns.compare(COMPARE[node.operator], left, right)

    # inputs

    def _input(self, name: str) -> AnyColumn:
        """An input with the rulebook's word on what counts where there is none."""
        given, item = self.find_input(name)
        group = name if item is None else name[: -len(item) - 1]
        reading = self.evaluation.inputs.read(group, given, item, self.bounds(given, item))
        if reading.faults:
            self._faults[name] = reading.faults
        if reading.uncounted is not None:
            self._gaps[group] = "uncounted_rating", reading.uncounted
        if reading.absent is None or not reading.absent.any():
            return reading.column
        return self._filled(name, given, reading.column, reading.absent)

    def bounds(self, given: Input, item: str | None) -> Bounds:
        """An input's bounds, for each person."""
        return Bounds(*(self._bound(bound, item) for bound in (given.low, given.high, given.above)))

    def _bound(self, bound: Decimal | str | None, item: str | None) -> Column | None:
        """A figure, the item's row of a table, or another input."""
        if bound is None or isinstance(bound, Decimal):
            return None if bound is None else columns.constant(bound)
        table, _, part = bound.partition(".")
        if table in self.rulebook.tables:
            return columns.constant(self.rulebook.tables[table].column(part)[item or ""])
        column = self.named(bound)
        assert isinstance(column, Column)
        return column

    def find_input(self, name: str) -> tuple[Input, str | None]:
        """The input of this name, or the group that it is an item of, and the item."""
        if given := self.rulebook.inputs.get(name):
            return given, None
        group, _, item = name.partition(".")
        return self.rulebook.inputs[group], item

    def _report(self, name: str) -> None:
        """What is wrong with an input, where it is read: values out of bounds refuse, gaps may
        warn.
        """
        about, (given, _) = name, self.find_input(name)
        for bound in (given.low, given.high, given.above):
            if (
                isinstance(bound, str) and bound in self.rulebook.inputs
            ):  # is read with it, each time
                self._report(bound)
        if given.level == "{item}":  # its items are the same entries, parted by their raters
            about = name.rpartition(".")[0]
        for fault in self._faults.get(name, ()):
            for row, position in zip(fault.rows.tolist(), fault.positions.tolist(), strict=True):
                if self.rows is None or self.rows[row]:
                    self._find(row, Problem(fault.code, about), position or None)
        for told in dict.fromkeys((about, name)):
            if told in self._gaps:
                code, rows = self._gaps[told]
                self.warn(code, told, rows)

    def _filled(self, name: str, given: Input, column: AnyColumn, absent: Mask) -> AnyColumn:
        if given.default is not None:
            return _replaced(column, absent, given.default)
        match given.missing or WHERE_MISSING.get(given.read):
            case None:
                return _replaced(column, absent, "0")
            case "warn":
                self._gaps[name] = f"missing_{given.read}", absent
                return _replaced(column, absent, "0")
            case word:
                number = self.poison(
                    "absent" if word == "absent" else f"missing_{given.read}", name
                )
                return column.with_poison(
                    columns.merge(column.poison, np.where(absent, np.int16(number), np.int16(0)))
                )


def _replaced(column: AnyColumn, absent: Mask, default: str) -> AnyColumn:
    rows = columns.flags(absent)
    if isinstance(column, TextColumn):
        return columns.choose(rows, TextColumn(np.zeros(1, np.int64), (default,)), column)
    return columns.choose(rows, columns.constant(Decimal(default)), column)


@lru_cache(maxsize=256)
def outcomes(program: Program, step: str, ranking: Node) -> list[str]:
    """What a ranking decides: the step around it, or, where the step is the place itself, those
    that read it.

    A place in another ranking is no outcome: what that one decides is told by itself.
    """
    if any(checked.step.step == step and checked.node is not ranking for checked in program.steps):
        return [step]
    readers = [
        checked
        for checked in program.steps
        if any(name.name == step for name in names(checked.node))
    ]
    return [checked.step.step for checked in readers if checked.step.unit != "place"]


def _parted(tied: operators.Codes, outcome: AnyColumn) -> Mask:
    """Which rows of a set of equals have an outcome that another of the set has not."""
    rows = np.flatnonzero(tied)
    sets, values = (
        tied[rows],
        (outcome.codes if isinstance(outcome, TextColumn) else outcome.data)[rows],
    )
    if values.dtype == object:
        values = operators.dense(values)
    first = np.zeros(int(sets.max()) + 1, np.int64)
    first[sets] = values
    differs = np.zeros(len(first), bool)
    differs[sets[values != first[sets]]] = True
    parted = np.zeros(len(tied), bool)
    parted[rows] = differs[sets]
    return parted
