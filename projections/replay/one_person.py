"""换一人: a branch as it came out, but for the facts of one person: what others have entered is not
read again.
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
    Sight,
    World,
    inputs_for,
    ranges,
    seen,
    unmarked,
    world_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.evaluation.columns import AnyColumn, Ints, Mask, Poison
    from domain.evaluation.people import Inputs
    from domain.identifiers import Period
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Input
    from projections.evaluation.branches import Evaluator
    from projections.replay.scenarios import Known

AT_ONCE = 200_000  # people evaluated in one run: what bounds the memory


class Patch(NamedTuple):
    """A person of a branch that has been evaluated, and a world of nobody but them and the branch's
    measures.
    """

    first: Sight
    manager: str
    world: World


def patched(
    evaluator: Evaluator, program: Program, period: Period, known: Known, patches: Sequence[Patch]
) -> Iterator[Sight]:
    """What comes of each branch with the person's other facts, in order."""
    chunk: list[Patch] = []
    size = 0
    for patch in patches:
        people = patch.first.high - patch.first.low + 1
        if chunk and (
            size + people > AT_ONCE or patch.first.evaluation is not chunk[0].first.evaluation
        ):
            yield from _patched(evaluator, program, period, known, chunk)
            chunk, size = [], 0
        chunk.append(patch)
        size += people
    if chunk:
        yield from _patched(evaluator, program, period, known, chunk)


def _patched(
    evaluator: Evaluator, program: Program, period: Period, known: Known, patches: Sequence[Patch]
) -> Iterator[Sight]:
    own = inputs_for(program, period, known, [patch.world for patch in patches])
    own.people = unmarked(own.people)
    whole = patches[0].first.evaluation
    rows, ends = _rows(patches, own.people, len(whole.people))
    inputs = _Patched(_Source(program, whole.inputs), _Source(program, own), rows, ends)
    yield from seen(evaluator, evaluate(program, inputs), [patch.first.branch for patch in patches])


def _rows(patches: Sequence[Patch], own: People, everyone: int) -> tuple[Ints, list[int]]:
    """Everyone's row among the branches and, behind them, the persons of the patches; and where
    each patch ends.
    """
    parts: list[Ints] = []
    for (first, manager, _), (low, high) in zip(patches, ranges(own, len(patches)), strict=True):
        at = bisect_left(first.evaluation.people.managers, manager, first.low, first.high)
        there = first.row(manager) is not None
        parts += [
            np.arange(first.low, at),
            np.arange(
                everyone + low, everyone + high
            ),  # one person; nobody, where they are not of the branch
            np.arange(at + there, first.high),
        ]
    ends = np.cumsum(
        [
            len(a) + len(b) + len(c)
            for a, b, c in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        ]
    )
    return np.concatenate(parts), [0, *ends.tolist()]


@dataclass(frozen=True)
class _Source:
    """Inputs with what their program says of bounds."""

    program: Program
    inputs: Inputs

    def read(self, name: str, given: Input, item: str | None) -> InputColumn:
        bounds = Runner(Evaluation(self.program, self.inputs)).compute_bounds(given, item)
        return self.inputs.read(name, given, item, bounds)


class _Patched:
    """Copies of branches: in each, one person's rows are of another source."""

    def __init__(self, whole: _Source, own: _Source, rows: Ints, ends: Sequence[int]) -> None:
        self.sources, self.rows = (whole, own), rows
        self.last_month = whole.inputs.last_month
        a, b = whole.inputs.people, own.inputs.people
        managers = np.array([*a.managers, *b.managers], object)[rows]
        sizes = [high - low for low, high in pairwise(ends)]
        team, grade, role = (
            self.joined(x, y)
            for x, y in (
                (TextColumn(a.team, a.teams), TextColumn(b.team, b.teams)),
                (a.grade, b.grade),
                (a.role, b.role),
            )
        )
        assert isinstance(team, TextColumn)
        assert isinstance(grade, Column)
        assert isinstance(role, TextColumn)
        branches = tuple(world_name(number) for number in range(len(sizes)))
        branch = np.repeat(np.arange(len(sizes)), sizes)
        self.people = People(
            tuple(managers.tolist()), branches, branch, team.words, team.codes, grade, role
        )

    def joined(self, whole: AnyColumn, own: AnyColumn) -> AnyColumn:
        """A column of both sources at the rows of the copies."""
        a, b = (
            c.broadcast(len(s.inputs.people))
            for c, s in zip((whole, own), self.sources, strict=True)
        )
        poison = self.poison(a.poison, b.poison)
        if isinstance(a, TextColumn):
            assert isinstance(b, TextColumn)
            words = tuple(dict.fromkeys(a.words + b.words))
            return TextColumn(
                np.concatenate([a.codes_in(words), b.codes_in(words)])[self.rows], words, poison
            )
        assert isinstance(b, Column)
        places = max(a.places, b.places)
        a, b = rescale(a, places), rescale(b, places)
        return Column(
            np.concatenate([a.data, b.data])[self.rows], places, max(a.bound, b.bound), poison
        )

    def poison(self, a: Poison | None, b: Poison | None) -> Poison | None:
        if a is None and b is None:
            return None
        sizes = [len(source.inputs.people) for source in self.sources]
        both = [
            np.zeros(n, np.int16) if p is None else p for p, n in zip((a, b), sizes, strict=True)
        ]
        return np.concatenate(both)[self.rows]

    def mask(self, a: Mask | None, b: Mask | None) -> Mask | None:
        if a is None and b is None:
            return None
        sizes = [len(source.inputs.people) for source in self.sources]
        both = [
            np.broadcast_to(np.zeros(1, bool) if m is None else m, n)
            for m, n in zip((a, b), sizes, strict=True)
        ]
        found: Mask = np.concatenate(both)[self.rows]
        return found

    def read(
        self,
        name: str,
        given: Input,
        item: str | None,
        bounds: Bounds = UNBOUNDED,  # noqa: ARG002
    ) -> InputColumn:
        """As each source reads it, with bounds of its own."""
        a, b = (source.read(name, given, item) for source in self.sources)
        faults = [
            *a.faults,
            *(
                Fault(f.code, f.rows + len(self.sources[0].inputs.people), f.positions)
                for f in b.faults
            ),
        ]
        return InputColumn(
            self.joined(a.column, b.column),
            self.mask(a.absent, b.absent),
            tuple(self.fault(fault) for fault in faults),
            self.mask(a.uncounted, b.uncounted),
        )

    def fault(self, fault: Fault) -> Fault:
        """The fault wherever its row has a copy."""
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
        found = self.mask(*(source.inputs.unread_points() for source in self.sources))
        assert found is not None
        return found

    def positions(self, name: str, given: Input, item: str | None, row: int) -> set[int]:  # noqa: ARG002
        """Nobody asks: nothing is explained here."""
        return set()

    def positions_of_person(self, row: int) -> set[int]:  # noqa: ARG002
        """Nobody asks: nothing is explained here."""
        return set()
