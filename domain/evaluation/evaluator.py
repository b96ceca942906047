"""The one evaluator: runs a rulebook over whole columns, keeps every step, and names what it refuses.

A row without a value carries the number of the reason (`poison`). It only counts where it reaches a kept step: both
sides of a choice are computed, but only the one taken can refuse.
"""

from __future__ import annotations

import operator as op
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.evaluation import columns, operators
from domain.evaluation.columns import AnyColumn, Column, Mask, Poison, TextColumn
from domain.evaluation.functions import FUNCTIONS
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

    from domain.evaluation.people import Inputs, People, Reading
    from domain.rulebook.checks import CheckedStep, Program
    from domain.rulebook.model import Input

COMPARE: dict[str, Callable[[columns.Ints, columns.Ints], object]] = {
    "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge, "==": op.eq, "!=": op.ne,
}  # fmt: skip
ARITHMETIC = {"+": columns.add, "-": columns.subtract, "*": columns.multiply}
NO_ROWS = np.zeros(0, np.int64)


class Problem(NamedTuple):
    """Why rows have no value: the finding's code and what it is about (an input, a table, a step)."""

    code: str
    about: str


@dataclass(frozen=True)
class RowFinding:
    """A finding for one person: at which step, and which entry (a ledger position) is to blame, if one is."""

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
    """Runs every step. Findings, if any, refuse the branches of the people concerned; nothing is raised for them."""
    evaluation = Evaluation(program, inputs)
    runner = Runner(evaluation)
    for step in program.steps:
        runner.run_step(step)
    runner.refuse_unread_points()
    runner.warn_of_ties()
    return evaluation


class Runner:
    """Computes expressions in the context of an evaluation; after the run, any part of one for its explanation."""

    def __init__(self, evaluation: Evaluation, step: str = "") -> None:
        self.evaluation, self.step = evaluation, step
        self.rulebook = evaluation.program.rulebook
        self.people = evaluation.people
        self.ties: list[tuple[str, operators.Ranking]] = []

    # steps and what refuses them

    def run_step(self, checked: CheckedStep) -> None:
        """Keeps the step's column; rows without a value refuse, unless the step is optional and its input absent."""
        self.step = checked.step.step
        column = self.compute(checked.node)
        if column.poison is not None and column.poison.any():
            self.find(column.poison, optional=checked.step.optional)
        self.evaluation.steps[self.step] = column

    def find(self, poison: Poison, *, optional: bool) -> None:
        problems = self.evaluation.problems
        for number in np.unique(poison[poison != 0]).tolist():
            if optional and problems[number].code == "absent":
                continue
            rows = np.flatnonzero(poison == number)
            known = {(f.row, f.problem) for f in self.evaluation.findings}
            self.evaluation.findings += [
                RowFinding(row, self.step, problems[number])
                for row in rows.tolist()
                if (row, problems[number]) not in known
            ]

    def poison(self, code: str, about: str) -> int:
        """The number under which rows carry this reason."""
        problem = Problem(code, about)
        if problem not in self.evaluation.problems:
            self.evaluation.problems.append(problem)
        return self.evaluation.problems.index(problem)

    def warn(self, code: str, about: str, rows: Mask) -> None:
        if rows.any():
            self.evaluation.warnings.append(RowWarning(code, self.step, about, rows))

    def refuse_unread_points(self) -> None:
        """Section 0: points of an adjustment count where a rulebook reads them, and refuse elsewhere."""
        reads = any(given.read == "adjustment" and given.take == "points" for given in self.rulebook.inputs.values())
        if self.rulebook.pays and self.rulebook.period == "month" and not reads:
            problem = Problem("points_not_read", "adjustment")
            rows = np.flatnonzero(self.evaluation.inputs.unread_points())
            self.evaluation.findings += [RowFinding(row, "pay", problem) for row in rows.tolist()]

    def warn_of_ties(self) -> None:
        """Equals in a ranking who end in different tiers, by nothing but their ids, are told so."""
        for step, ranking in self.ties:
            if not ranking.tied.any():
                continue
            for follower in self.evaluation.program.steps:
                if follower.step.step != step and any(name.name == step for name in names(follower.node)):
                    self.step = step
                    self.warn(
                        "tie", follower.step.step, _parted(ranking.tied, self.evaluation.steps[follower.step.step])
                    )

    # expressions

    def compute(self, node: Node) -> AnyColumn:
        """The expression for every person."""
        match node:
            case Number():
                return columns.constant(node.value, len(self.people))
            case Words():
                return TextColumn(np.zeros(len(self.people), np.int64), (node.value,))
            case Name():
                return self.named(node.name)
            case Binary():
                return ARITHMETIC[node.operator](self.figure(node.left), self.figure(node.right))
            case Quotient():
                zero = self.poison("division_by_zero", self.step)
                return columns.quotient(self.figure(node.dividend), self.figure(node.divisor), node.places, zero)
            case Comparison():
                return self.compared(node)
            case Logical():
                return self.logical(node)
            case Choice():
                return columns.choose(
                    self.figure(node.condition), self.compute(node.then), self.compute(node.otherwise)
                )
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
            return columns.constant(parameter.value, len(self.people))
        if name == "none":
            nothing = columns.constant(Decimal(0), len(self.people))
            return nothing.with_poison(np.full(len(self.people), self.poison("absent", self.step), np.int16))
        if name == "grade":
            return self.people.grade.with_poison(self.no_grade())
        if name == "role":
            return self.people.role
        if name == "team":
            return TextColumn(self.people.team, self.people.teams)
        if name not in self.evaluation.readings:
            self.evaluation.readings[name] = self.input(name)
        return self.evaluation.readings[name]

    def no_grade(self) -> Poison | None:
        poison = self.people.grade.poison
        return (
            None
            if poison is None
            else np.where(poison != 0, np.int16(self.poison("missing_attribute", "grade")), np.int16(0))
        )

    def logical(self, node: Logical) -> Column:
        parts: list[Column] = [self.figure(part) for part in node.parts]
        if node.operator == "not":
            return columns.flags(parts[0].data == 0, parts[0].poison)
        result = parts[0]
        for part in parts[1:]:
            # Like a choice: a part that cannot change the outcome any more cannot refuse it.
            chosen = (
                columns.choose(result, part, result) if node.operator == "and" else columns.choose(result, result, part)
            )
            assert isinstance(chosen, Column)
            result = chosen
        return result

    def compared(self, node: Comparison) -> Column:
        left, right = self.compute(node.left), self.compute(node.right)
        if isinstance(left, TextColumn):
            assert isinstance(right, TextColumn)
            words = tuple(dict.fromkeys(left.words + right.words))
            same = COMPARE[node.operator](left.recoded(words), right.recoded(words))
            return columns.flags(np.asarray(same, bool), columns.merge(left.poison, right.poison))
        assert isinstance(right, Column)
        return columns.compare(COMPARE[node.operator], left, right)

    # inputs

    def input(self, name: str) -> AnyColumn:
        """An input with the rulebook's word on what counts where there is none; values out of bounds refuse."""
        given, item = self.find_input(name)
        reading = self.evaluation.inputs.read(name if item is None else name.rpartition(".")[0], given, item)
        self.report(name, reading)
        if reading.absent is None or not reading.absent.any():
            return reading.column
        return self.filled(name, given, reading.column, reading.absent)

    def find_input(self, name: str) -> tuple[Input, str | None]:
        if given := self.rulebook.inputs.get(name):
            return given, None
        # A group's item may itself have dots, so the longest input name wins.
        prefix = max((n for n in self.rulebook.inputs if name.startswith(f"{n}.")), key=len)
        return self.rulebook.inputs[prefix], name[len(prefix) + 1 :]

    def report(self, name: str, reading: Reading) -> None:
        for fault in reading.faults:
            problem = Problem(fault.code, name)
            self.evaluation.findings += [
                RowFinding(row, self.step, problem, position or None)
                for row, position in zip(fault.rows.tolist(), fault.positions.tolist(), strict=True)
            ]

    def filled(self, name: str, given: Input, column: AnyColumn, absent: Mask) -> AnyColumn:
        missing = given.missing
        if given.default is not None:
            return self.replaced(column, absent, given.default)
        if missing is None:
            missing = {"rating": "warn", "attribute": "refuse", "statement": "absent"}.get(given.read)  # type: ignore[assignment]
        if missing is None:  # section 0: every other measure that is missing counts 0
            return self.replaced(column, absent, "0")
        if missing == "warn":
            self.warn(f"missing_{given.read}", name, absent)
            return self.replaced(column, absent, "0")
        number = self.poison("absent" if missing == "absent" else f"missing_{given.read}", name)
        return column.with_poison(columns.merge(column.poison, np.where(absent, np.int16(number), np.int16(0))))

    def replaced(self, column: AnyColumn, absent: Mask, default: str) -> AnyColumn:
        rows = columns.flags(absent)
        if isinstance(column, TextColumn):
            return columns.choose(rows, TextColumn(np.zeros(len(absent), np.int64), (default,)), column)
        return columns.choose(rows, columns.constant(Decimal(default), len(absent)), column)


def _parted(tied: operators.Codes, outcome: AnyColumn) -> Mask:
    """Which rows of a set of equals have an outcome that another of the set has not."""
    values = outcome.codes if isinstance(outcome, TextColumn) else np.unique(outcome.data, return_inverse=True)[1]
    low, high = np.full(int(tied.max()) + 1, np.iinfo(np.int64).max), np.full(int(tied.max()) + 1, -1)
    np.minimum.at(low, tied, values)
    np.maximum.at(high, tied, values)
    return (tied > 0) & (low[tied] != high[tied])
