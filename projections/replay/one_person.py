"""换一人: a branch as it came out, but for the facts of one person.

What others have entered is not read again.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.evaluation.columns import Column, TextColumn, rescale
from domain.evaluation.context import Evaluation
from domain.evaluation.evaluator import Runner, evaluate
from domain.evaluation.people import UNBOUNDED, Bounds, Fault, InputColumn, People
from projections.replay.scenarios import (
    Outcome,
    Scenario,
    inputs_for,
    outcomes_of,
    row_ranges,
    scenario_name,
    without_marks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.evaluation.columns import AnyColumn, Ints, Mask, Poison
    from domain.evaluation.people import Inputs
    from domain.identifiers import Period
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Input
    from projections.evaluation.branches import Evaluator
    from projections.replay.scenarios import PeriodFacts

MAX_PEOPLE = 200_000  # people of one evaluation: what bounds the memory


class OtherFacts(NamedTuple):
    """A person of a branch that was evaluated, and a scenario of this person and the branch's
    measures alone.
    """

    whole: Outcome
    manager: str
    alone: Scenario


def evaluate_with_other_facts(
    evaluator: Evaluator,
    program: Program,
    period: Period,
    facts: PeriodFacts,
    changes: Sequence[OtherFacts],
) -> Iterator[Outcome]:
    """The outcome of each branch with the person's other facts, in order."""
    chunk: list[OtherFacts] = []
    size = 0
    for change in changes:
        people = change.whole.high - change.whole.low + 1
        is_other_run = chunk and change.whole.evaluation is not chunk[0].whole.evaluation
        if chunk and (size + people > MAX_PEOPLE or is_other_run):
            yield from _evaluate_chunk(evaluator, program, period, facts, chunk)
            chunk, size = [], 0
        chunk.append(change)
        size += people
    if chunk:
        yield from _evaluate_chunk(evaluator, program, period, facts, chunk)


def _evaluate_chunk(
    evaluator: Evaluator,
    program: Program,
    period: Period,
    facts: PeriodFacts,
    changes: Sequence[OtherFacts],
) -> Iterator[Outcome]:
    own = inputs_for(program, period, facts, [change.alone for change in changes])
    own.people = without_marks(own.people)
    whole = changes[0].whole.evaluation
    rows, ends = _rows(changes, own.people, len(whole.people))
    inputs = _Copies(_Source(program, whole.inputs), _Source(program, own), rows, ends)
    branches = [change.whole.branch for change in changes]
    yield from outcomes_of(evaluator, evaluate(program, inputs), branches)


def _rows(changes: Sequence[OtherFacts], own: People, everyone: int) -> tuple[Ints, list[int]]:
    """The rows of all copies, and the end of each copy.

    A row below `everyone` is of the whole evaluation; those behind are of the persons themselves.
    """
    parts: list[Ints] = []
    ends = [0]
    for (whole, manager, _), (low, high) in zip(
        changes, row_ranges(own, len(changes)), strict=True
    ):
        at = bisect_left(whole.evaluation.people.managers, manager, whole.low, whole.high)
        was_there = whole.row(manager) is not None
        copy = [
            np.arange(whole.low, at),
            np.arange(everyone + low, everyone + high),  # empty where the person is elsewhere
            np.arange(at + was_there, whole.high),
        ]
        parts += copy
        ends.append(ends[-1] + sum(map(len, copy)))
    return np.concatenate(parts), ends


@dataclass(frozen=True)
class _Source:
    """Inputs with the bounds that their program sets."""

    program: Program
    inputs: Inputs

    def read(self, name: str, given: Input, item: str | None) -> InputColumn:
        bounds = Runner(Evaluation(self.program, self.inputs)).compute_bounds(given, item)
        return self.inputs.read(name, given, item, bounds)


class _Copies:
    """Copies of branches as inputs: in each, one person's rows are of another source."""

    def __init__(self, whole: _Source, own: _Source, rows: Ints, ends: Sequence[int]) -> None:
        self.sources, self.rows = (whole, own), rows
        self.last_month = whole.inputs.last_month
        a, b = whole.inputs.people, own.inputs.people
        managers = np.array([*a.managers, *b.managers], object)[rows]
        team = self.joined(TextColumn(a.team, a.teams), TextColumn(b.team, b.teams))
        grade, role = self.joined(a.grade, b.grade), self.joined(a.role, b.role)
        assert isinstance(team, TextColumn)
        assert isinstance(grade, Column)
        assert isinstance(role, TextColumn)
        sizes = [high - low for low, high in pairwise(ends)]
        branches = tuple(scenario_name(number) for number in range(len(sizes)))
        branch = np.repeat(np.arange(len(sizes)), sizes)
        self.people = People(
            tuple(managers.tolist()), branches, branch, team.words, team.codes, grade, role
        )

    def joined(self, whole: AnyColumn, own: AnyColumn) -> AnyColumn:
        """A column of both sources at the rows of the copies."""
        a, b = (
            column.broadcast(len(source.inputs.people))
            for column, source in zip((whole, own), self.sources, strict=True)
        )
        poison = self.joined_poison(a.poison, b.poison)
        if isinstance(a, TextColumn):
            assert isinstance(b, TextColumn)
            words = tuple(dict.fromkeys(a.words + b.words))
            codes = np.concatenate([a.codes_in(words), b.codes_in(words)])[self.rows]
            return TextColumn(codes, words, poison)
        assert isinstance(b, Column)
        places = max(a.places, b.places)
        a, b = rescale(a, places), rescale(b, places)
        data = np.concatenate([a.data, b.data])[self.rows]
        return Column(data, places, max(a.bound, b.bound), poison)

    def joined_poison(self, a: Poison | None, b: Poison | None) -> Poison | None:
        """The poison of both sources at the rows of the copies."""
        if a is None and b is None:
            return None
        sizes = [len(source.inputs.people) for source in self.sources]
        both = [
            np.zeros(size, np.int16) if poison is None else poison
            for poison, size in zip((a, b), sizes, strict=True)
        ]
        return np.concatenate(both)[self.rows]

    def joined_mask(self, a: Mask | None, b: Mask | None) -> Mask | None:
        """The mask of both sources at the rows of the copies."""
        if a is None and b is None:
            return None
        sizes = [len(source.inputs.people) for source in self.sources]
        both = [
            np.broadcast_to(np.zeros(1, bool) if mask is None else mask, size)
            for mask, size in zip((a, b), sizes, strict=True)
        ]
        joined: Mask = np.concatenate(both)[self.rows]
        return joined

    def read(
        self,
        name: str,
        given: Input,
        item: str | None,
        bounds: Bounds = UNBOUNDED,  # noqa: ARG002
    ) -> InputColumn:
        """As each source reads it, with bounds of its own."""
        a, b = (source.read(name, given, item) for source in self.sources)
        first = len(self.sources[0].inputs.people)
        own_faults = (Fault(f.code, f.rows + first, f.positions) for f in b.faults)
        return InputColumn(
            self.joined(a.column, b.column),
            self.joined_mask(a.absent, b.absent),
            tuple(self.copied_fault(fault) for fault in (*a.faults, *own_faults)),
            self.joined_mask(a.uncounted, b.uncounted),
        )

    def copied_fault(self, fault: Fault) -> Fault:
        """The fault at every copy of its rows."""
        order = np.argsort(self.rows, kind="stable")
        low, high = (
            np.searchsorted(self.rows[order], fault.rows, side) for side in ("left", "right")
        )
        at = [order[a:b] for a, b in zip(low.tolist(), high.tolist(), strict=True)]
        return Fault(
            fault.code,
            np.concatenate([np.zeros(0, np.int64), *at]),
            np.repeat(fault.positions, [len(copies) for copies in at]),
        )

    def unread_points(self) -> Mask:
        """Who has adjustments in points."""
        unread = self.joined_mask(*(source.inputs.unread_points() for source in self.sources))
        assert unread is not None
        return unread

    def positions(self, name: str, given: Input, item: str | None, row: int) -> set[int]:  # noqa: ARG002
        """None: copies are not explained."""
        return set()

    def positions_of_person(self, row: int) -> set[int]:  # noqa: ARG002
        """None: copies are not explained."""
        return set()
