"""What an expression is computed in: names, the rows that count, findings and warnings.

A row without a value carries the number of the reason why (its poison, `columns.py`). The reason
becomes a finding only where it reaches a step's own column (`Runner.run_step`): both sides of a
choice are computed, but only the side that is taken can refuse.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.evaluation import columns
from domain.evaluation.columns import AnyColumn, Column, Mask, Poison, TextColumn
from domain.evaluation.people import Bounds
from domain.fact_kinds import READABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from domain.evaluation.operators import Groups, Ranking
    from domain.evaluation.people import Fault, Inputs, People
    from domain.rulebook.checks import Program
    from domain.rulebook.expressions import Call, Node
    from domain.rulebook.model import Input

# What happens where an input has no value and the rulebook does not say. None: it
# counts 0.
DEFAULT_MISSING = {
    **{name: kind.missing for name, kind in READABLE.items()},
    "attribute": "refuse",
    "statement": "absent",
}


class PoisonReason(NamedTuple):
    """Why rows have no value: the finding's code, and the input, table or step that it is about."""

    code: str
    about: str


@dataclass(frozen=True)
class RowFinding:
    """A finding for one person, at the first step that it concerns."""

    row: int
    step: str
    reason: PoisonReason
    position: int | None = None  # ledger position of the entry to blame, if it is one entry


@dataclass(frozen=True)
class RowWarning:
    """A warning beside the statements of these rows."""

    code: str
    step: str
    about: str
    rows: Mask


class RankedStep(NamedTuple):
    """A ranking that a step has computed."""

    step: str
    call: Call
    ranking: Ranking


class Spread(NamedTuple):
    """A total over groups that lacks a value: the reasons of the rows that it counts, 0 of others.

    Everybody of such a group is without the total, but it is about those who lack the value.
    """

    poison: Poison
    groups: Groups


@dataclass
class Evaluation:
    """Every step of a rulebook for every person: the columns are the trace."""

    program: Program
    inputs: Inputs
    steps: dict[str, AnyColumn] = field(default_factory=dict)
    input_columns: dict[str, AnyColumn] = field(default_factory=dict)  # by `input` or `input.item`
    warnings: list[RowWarning] = field(default_factory=list)
    findings: list[RowFinding] = field(default_factory=list)
    # By name of an input: for whom it was read, had no value, and counted 0 or its default.
    gaps: dict[str, Mask] = field(default_factory=dict)
    # The poison of a row is an index in this list; 0 stands for "has a value".
    reasons: list[PoisonReason] = field(default_factory=lambda: [PoisonReason("", "")])

    @property
    def people(self) -> People:
        """The population."""
        return self.inputs.people


class Context(ABC):
    """Looks up names, and notes warnings and findings, for the expression being computed."""

    def __init__(self, evaluation: Evaluation, step: str = "") -> None:
        self.evaluation, self.step = evaluation, step
        self.rulebook = evaluation.program.rulebook
        self.people = evaluation.people
        # For whom the expression is computed now: what is wrong with other rows neither refuses
        # nor warns. None: for everyone.
        self.rows: Mask | None = None
        self.rankings: list[RankedStep] = []
        # The poison of the inputs that the step has read, each with the rows it was read for.
        self.poison_read: list[tuple[Poison, Mask | None]] = []
        self.spreads: list[Spread] = []
        self._input_faults: dict[str, tuple[Fault, ...]] = {}
        self._input_warnings: dict[str, tuple[str, Mask]] = {}  # name → code and rows
        self._input_gaps: dict[str, Mask] = {}  # name → who has no value and counts 0 or a default
        self._reported: set[tuple[int, PoisonReason, int | None]] = set()
        self._warned_rows: dict[tuple[str, str], Mask] = {}

    @abstractmethod
    def compute(self, node: Node) -> AnyColumn:
        """The value of an expression for every person."""

    def compute_figure(self, node: Node) -> Column:
        """The value of a numeric expression; that it is one was checked with the rulebook."""
        column = self.compute(node)
        assert isinstance(column, Column), node
        return column

    # rows

    @contextmanager
    def for_rows(self, rows: Mask) -> Iterator[None]:
        """Inside, expressions are computed for these rows."""
        rows_before, self.rows = self.rows, rows
        yield
        self.rows = rows_before

    def narrowed_to(self, rows: Mask) -> AbstractContextManager[None]:
        """Inside, expressions are computed for those of the present rows that are in `rows`."""
        if len(rows) != len(self.people):
            rows = np.broadcast_to(rows, len(self.people))
        return self.for_rows(rows if self.rows is None else rows & self.rows)

    # findings and warnings

    def reason_number(self, code: str, about: str) -> int:
        """The poison of rows that have no value for this reason."""
        reason = PoisonReason(code, about)
        if reason not in self.evaluation.reasons:
            self.evaluation.reasons.append(reason)
        return self.evaluation.reasons.index(reason)

    def poisoned_column(self, code: str) -> Column:
        """No value in any row, for this reason."""
        number = self.reason_number(code, self.step)
        return columns.constant(Decimal(0)).with_poison(np.array([number], np.int16))

    def add_finding(self, row: int, reason: PoisonReason, position: int | None = None) -> None:
        """Notes a finding; what an earlier step has reported is not reported again."""
        if (row, reason, position) not in self._reported:
            self._reported.add((row, reason, position))
            self.evaluation.findings.append(RowFinding(row, self.step, reason, position))

    def note_spread(self, column: Column, where: Mask, groups: Groups) -> None:
        """Notes whose missing values leave a group without a total."""
        if column.poison is not None and (poison := np.where(where, column.poison, 0)).any():
            self.spreads.append(Spread(poison, groups))

    def warn(self, code: str, about: str, rows: Mask) -> None:
        """Notes a warning for those of the present rows that are in `rows`, once for each row."""
        warned = self._warned_rows.get((code, about), np.zeros(len(self.people), bool))
        rows = rows & ~warned if self.rows is None else rows & ~warned & self.rows
        if rows.any():
            self.evaluation.warnings.append(RowWarning(code, self.step, about, rows))
            self._warned_rows[code, about] = warned | rows

    # names

    def column_of(self, name: str) -> AnyColumn:
        """The column that a name stands for: a step, a parameter, an attribute or an input."""
        if name in self.evaluation.steps:
            return self.evaluation.steps[name]
        if parameter := self.rulebook.parameters.get(name):
            return columns.constant(parameter.value)
        if name == "none":
            return self.poisoned_column("absent")
        if name == "grade":
            return self._grade()
        if name == "role":
            return self.people.role
        if name == "team":
            return TextColumn(self.people.team, self.people.teams)
        if name not in self.evaluation.input_columns:
            self.evaluation.input_columns[name] = self._read_input(name)
        if self._input_faults or self._input_warnings or self._input_gaps:
            self._report_input(name)
        column = self.evaluation.input_columns[name]
        if column.poison is not None:
            self.poison_read.append((column.poison, self.rows))
        return column

    def _grade(self) -> Column:
        grade = self.people.grade
        if grade.poison is None:
            return grade
        missing = np.int16(self.reason_number("missing_attribute", "grade"))
        return grade.with_poison(np.where(grade.poison != 0, missing, np.int16(0)))

    # inputs

    def _read_input(self, name: str) -> AnyColumn:
        """The input's column; where it has no value, what the rulebook says instead."""
        spec, item = self.rulebook.input_of(name)
        group = name if item is None else name[: -len(item) - 1]
        values = self.evaluation.inputs.read(group, spec, item, self.compute_bounds(spec, item))
        if values.faults:
            self._input_faults[name] = values.faults
        if values.uncounted is not None:
            self._input_warnings[group] = "uncounted_rating", values.uncounted
        if values.absent is None or not values.absent.any():
            return values.column
        return self._fill_absent(name, spec, values.column, values.absent)

    def compute_bounds(self, spec: Input, item: str | None) -> Bounds:
        """An input's bounds for each person."""
        low, high, above = (
            self._compute_bound(bound, item) for bound in (spec.low, spec.high, spec.above)
        )
        return Bounds(low, high, above)

    def _compute_bound(self, bound: Decimal | str | None, item: str | None) -> Column | None:
        """A figure, the item's row of a table, or another input."""
        if bound is None or isinstance(bound, Decimal):
            return None if bound is None else columns.constant(bound)
        table, _, part = bound.partition(".")
        if table in self.rulebook.tables:
            return columns.constant(self.rulebook.tables[table].column(part)[item or ""])
        column = self.column_of(bound)
        assert isinstance(column, Column)
        return column

    def _report_input(self, name: str) -> None:
        """Reports what is wrong with an input that is read: faults refuse, gaps are kept and may
        warn.
        """
        if name in self._input_gaps:
            self._note_gap(name)
        about, (spec, _) = name, self.rulebook.input_of(name)
        for bound in (spec.low, spec.high, spec.above):
            if isinstance(bound, str) and bound in self.rulebook.inputs:
                self._report_input(bound)  # whoever reads the input reads its bound too
        if spec.level == "{item}":  # its items are entries of one code, told apart by rater level
            about = name.rpartition(".")[0]
        for fault in self._input_faults.get(name, ()):
            for row, position in zip(fault.rows.tolist(), fault.positions.tolist(), strict=True):
                if self.rows is None or self.rows[row]:
                    self.add_finding(row, PoisonReason(fault.code, about), position or None)
        for part in dict.fromkeys((about, name)):
            if part in self._input_warnings:
                code, rows = self._input_warnings[part]
                self.warn(code, part, rows)

    def _note_gap(self, name: str) -> None:
        """Keeps for whom the input is read now and has no value of its own."""
        absent = np.broadcast_to(self._input_gaps[name], len(self.people))
        rows = absent if self.rows is None else absent & self.rows
        noted = self.evaluation.gaps.get(name)
        self.evaluation.gaps[name] = rows if noted is None else noted | rows

    def _fill_absent(self, name: str, spec: Input, column: AnyColumn, absent: Mask) -> AnyColumn:
        """The column with the default, 0, or a reason where the input has no value."""
        if spec.default is not None:
            self._input_gaps[name] = absent
            return _replace_rows(column, absent, spec.default)
        match spec.missing or DEFAULT_MISSING.get(spec.read):
            case None:
                self._input_gaps[name] = absent
                return _replace_rows(column, absent, "0")
            case "warn":
                self._input_gaps[name] = absent
                self._input_warnings[name] = f"missing_{spec.read}", absent
                return _replace_rows(column, absent, "0")
            case missing:
                code = "absent" if missing == "absent" else f"missing_{spec.read}"
                number = np.int16(self.reason_number(code, name))
                poison = np.where(absent, number, np.int16(0))
                return column.with_poison(columns.merge_poison(column.poison, poison))


def _replace_rows(column: AnyColumn, rows: Mask, text: str) -> AnyColumn:
    """The column with this figure or word in these rows."""
    condition = columns.flags(rows)
    if isinstance(column, TextColumn):
        return columns.choose(condition, TextColumn(np.zeros(1, np.int64), (text,)), column)
    return columns.choose(condition, columns.constant(Decimal(text)), column)
