"""旁置推演: branches as they would be if only some of the facts counted, many of them in one run of
the evaluator.

A world is a branch with a choice of fact rows. Worlds stand side by side as branches of their own:
each gets numbers of its own for its people and itself, so that one person may be in any number of
them, with other entries in each.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.evaluation.context import Evaluation
from domain.evaluation.evaluator import evaluate
from domain.evaluation.statements import findings_of
from domain.identifiers import Month
from projections.facts.counting import counting, counting_reversals, inputs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from domain.errors import Finding
    from domain.evaluation.columns import Ints, Mask
    from domain.evaluation.ledger_inputs import LedgerInputs, SettledFigure
    from domain.evaluation.people import People
    from domain.identifiers import Period
    from domain.rulebook.checks import Program
    from projections.evaluation.branches import Evaluator, Loaded, WhatIf
    from projections.facts.counting import Rows

AT_ONCE = 500_000  # fact rows evaluated in one run: what bounds the memory
MARK = "\0"  # in no id; behind a person's id it keeps their order
Told = dict[
    tuple[str, str], dict[int, dict[str, list["SettledFigure"]]]
]  # (rulebook, step) → month → manager → all versions


class Later(NamedTuple):
    """The later side: as of which position, with what supposed, and what has been read for it
    already.
    """

    position: int
    what_if: WhatIf | None = None
    loaded: Loaded | None = None


@dataclass(frozen=True)
class Known:
    """All that either side knows of a period, by position; `new`: what counts for the later
    side.
    """

    rows: Rows
    symbols: Sequence[str]
    new: Mask
    position: int  # of the later side
    told: Told = field(default_factory=dict)

    def said(self, manager: str, as_of: int) -> list[SettledFigure]:
        """What a person's statements of each month say as of a position, wherever a rulebook reads
        them.
        """
        return [
            version[-1]
            for months in self.told.values()
            for by_manager in months.values()
            if (version := [s for s in by_manager.get(manager, ()) if s.position <= as_of])
        ]


def known(
    evaluator: Evaluator,
    programs: Sequence[Program],
    period: Period,
    branches: Sequence[str],
    sides: tuple[int, Later],
) -> Known:
    """What is known of these branches at either position; what is supposed counts for the later
    side, the second.
    """
    earlier, later = sides
    what_if, loaded = later.what_if, later.loaded
    as_of = max(earlier, later.position)
    if loaded is None or earlier > later.position:
        loaded = evaluator.loaded(period, branches, as_of, what_if)
    facts, assignments, symbols = loaded
    then = [rows[rows["position"] <= later.position] for rows in (facts, assignments)]
    if what_if is not None:
        *then, symbols = evaluator.supposed(what_if, then[0], then[1], symbols, period)
    counts = np.concatenate(then)
    rows = np.concatenate([facts, assignments, counts[counts["position"] > as_of]])
    rows = rows[np.argsort(rows["position"], kind="stable")]
    new = np.isin(rows["position"], counting(counts)["position"])
    return Known(rows, symbols, new, later.position, _told(evaluator, programs, period))


def _told(evaluator: Evaluator, programs: Sequence[Program], period: Period) -> Told:
    wanted = {
        (given.rulebook, given.step)
        for program in programs
        for given in program.rulebook.inputs.values()
        if given.read == "statement" and given.rulebook and given.step
    }
    months = range(period.first.index, period.last.index + 1)
    return {
        (rulebook, step): {
            month: evaluator.statements.all_steps(str(Month.of_index(month)), rulebook, step)
            for month in months
        }
        for rulebook, step in wanted
    }


@dataclass(frozen=True)
class Place:
    """A branch: the rows of everyone ever assigned to it and its measures, and which of them count
    when.
    """

    branch: str
    number: int  # of its symbol
    position: int  # of the earlier side
    at: Ints  # where its rows stand among all that is known
    manager: Ints  # of each row; 0: a measure of the branch or of a team
    team: Ints
    old: Mask  # counts for the earlier side
    mid: Mask  # and with what was recorded since
    new: Mask  # and with what was reversed since, or is left out: counts for the later side

    @cached_property
    def changed(self) -> Mask:
        """The rows that count for one side only."""
        return np.not_equal(self.old, self.new)

    def holding(self, manager: int, teams: Sequence[int]) -> Mask:
        """The rows about a person (0: nobody), about the branch, and about these teams of it."""
        whole = (self.team == 0) | np.isin(self.team, teams)
        found: Mask = np.where(self.manager == 0, whole, self.manager == manager)
        return found


def places(known: Known, positions: Mapping[str, int]) -> dict[str, Place]:
    """The branches, each with the position at which the earlier side saw it."""
    rows = known.rows
    numbers = {known.symbols[n]: n for n in np.unique(rows["branch"]).tolist()}
    wanted = sorted((numbers[branch], branch) for branch in positions if branch in numbers)
    owner, at = _rows_of(rows, np.array([number for number, _ in wanted], np.int64))
    ends = np.searchsorted(owner, np.arange(len(wanted) + 1))
    return {
        branch: _place(known, branch, number, positions[branch], at[low:high])
        for (number, branch), (low, high) in zip(wanted, pairwise(ends.tolist()), strict=True)
    }


def _rows_of(rows: Rows, numbers: Ints) -> tuple[Ints, Ints]:
    """For each of the branches (by their place in `numbers`) where its rows stand, in position
    order.
    """
    assigned = rows[(rows["kind"] == 0) & np.isin(rows["branch"], numbers)]
    people = np.unique(assigned[["branch", "manager"]])
    order = np.argsort(rows["manager"], kind="stable")
    sorted_managers = rows["manager"][order]
    low, high = (
        np.searchsorted(sorted_managers, people["manager"], side) for side in ("left", "right")
    )
    counts = high - low
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    measures = np.flatnonzero((rows["manager"] == 0) & np.isin(rows["branch"], numbers))
    branch = np.concatenate([np.repeat(people["branch"], counts), rows["branch"][measures]])
    at = np.concatenate([order[np.repeat(low, counts) + within], measures])
    owner = np.searchsorted(numbers, branch)
    by_owner = np.lexsort((at, owner))
    return owner[by_owner], at[by_owner]


def _place(known: Known, branch: str, number: int, position: int, at: Ints) -> Place:
    rows = known.rows[at]
    there, reverses = rows["position"] <= position, rows["reverses"] != 0
    old, new = there & ~reverses, known.new[at]
    if (there & reverses).any():
        old &= ~np.isin(rows["position"], list(counting_reversals(rows[there]).values()))
    # What only one side can have seen is recorded since; the rest was taken out, or brought back.
    mid = np.where(rows["position"] > min(position, known.position), new, old)
    return Place(branch, number, position, at, rows["manager"], rows["team"], old, mid, new)


class World(NamedTuple):
    """Some rows of a branch; `later`: whose earlier statements are read as of the later side (None:
    all).
    """

    place: Place
    counts: Mask
    later: frozenset[str] | None = frozenset()


@dataclass(frozen=True)
class Sight:
    """What came of a branch: its rows of an evaluation that may have many others."""

    branch: str
    evaluation: Evaluation
    low: int
    high: int
    findings: tuple[Finding, ...] = ()

    def row(self, manager: str) -> int | None:
        """The person's row, or that there is none."""
        managers = self.evaluation.people.managers
        found = bisect_left(managers, manager, self.low, self.high)
        return found if found < self.high and managers[found] == manager else None

    def text(self, manager: str, step: str) -> str | None:
        """A person's figure; None where there is none."""
        row, column = self.row(manager), self.evaluation.steps.get(step)
        if row is None or column is None or (column.poison is not None and column.poison[row]):
            return None
        return column.text(row)


def sights(
    evaluator: Evaluator, program: Program, period: Period, known: Known, worlds: Sequence[World]
) -> Iterator[Sight]:
    """What comes of each world, in order. Whoever keeps a sight keeps the run that it is of."""
    chunk: list[World] = []
    size = 0
    for world in worlds:
        rows = int(world.counts.sum())
        if chunk and size + rows > AT_ONCE:
            yield from _seen(evaluator, program, period, known, chunk)
            chunk, size = [], 0
        chunk.append(world)
        size += rows
    if chunk:
        yield from _seen(evaluator, program, period, known, chunk)


def _seen(
    evaluator: Evaluator, program: Program, period: Period, known: Known, worlds: Sequence[World]
) -> Iterator[Sight]:
    inputs = inputs_for(program, period, known, worlds)
    evaluation = evaluate(program, inputs)
    inputs.people = unmarked(inputs.people)
    return seen(evaluator, evaluation, [world.place.branch for world in worlds])


def seen(evaluator: Evaluator, evaluation: Evaluation, branches: Sequence[str]) -> Iterator[Sight]:
    """What a run of worlds gives for each, of which branches they are."""
    named = evaluator.entry_names(evaluation) if evaluation.findings else {}
    for number, (low, high) in enumerate(ranges(evaluation.people, len(branches))):
        wrong = (
            findings_of(evaluation, world_name(number), named.__getitem__)
            if evaluation.findings
            else []
        )
        yield Sight(branches[number], evaluation, low, high, tuple(wrong))


def unmarked(people: People) -> People:
    """The people with their ids as they are."""
    return replace(people, managers=tuple(name.partition(MARK)[0] for name in people.managers))


def ranges(people: People, worlds: int) -> list[tuple[int, int]]:
    """From which row to which each world's people stand."""
    code = {name: number for number, name in enumerate(people.branches)}
    ends = np.searchsorted(people.branch, np.arange(len(people.branches) + 1)).tolist()
    codes = [code.get(world_name(number)) for number in range(worlds)]
    return [(0, 0) if at is None else (ends[at], ends[at + 1]) for at in codes]


def world_name(number: int) -> str:
    """The name that a world has as a branch."""
    return f"{MARK}{number:07d}"


def inputs_for(
    program: Program, period: Period, known: Known, worlds: Sequence[World]
) -> LedgerInputs:
    """The worlds as one population; a person's id has the number of the world behind it."""
    picked = [world.place.at[world.counts] for world in worlds]
    world = np.repeat(np.arange(len(worlds)), [len(at) for at in picked])
    rows = known.rows[np.concatenate(picked)]
    size = len(known.symbols)
    mine = rows["branch"] == np.array([w.place.number for w in worlds])[world]
    rows["branch"][mine] = size + world[mine]
    whose = rows["manager"] != 0
    pairs, place = np.unique(world[whose] * size + rows["manager"][whose], return_inverse=True)
    rows["manager"][whose] = size + len(worlds) + place
    people = [(known.symbols[pair % size], pair // size) for pair in pairs.tolist()]
    marked = [f"{name}{MARK}{number}" for name, number in people]
    names = [world_name(number) for number in range(len(worlds))]
    symbols = [*known.symbols, *names, *marked]
    assignments, facts = rows[rows["kind"] == 0], rows[rows["kind"] != 0]
    inputs = inputs_of(assignments, facts, symbols, period, program.rulebook, names)
    if known.told:
        inputs.settled = _settled(
            known, marked, [(name, worlds[number]) for name, number in people]
        )
    return inputs


def _settled(
    known: Known, marked: Sequence[str], people: Sequence[tuple[str, World]]
) -> dict[tuple[str, str], dict[int, dict[str, SettledFigure]]]:
    """What earlier statements say of each person of each world, as of the position that holds for
    them there.
    """
    found: dict[tuple[str, str], dict[int, dict[str, SettledFigure]]] = {}
    as_of = [
        known.position if world.later is None or name in world.later else world.place.position
        for name, world in people
    ]
    for key, months in known.told.items():
        for month, by_manager in months.items():
            said = found.setdefault(key, {}).setdefault(month, {})
            for mark, (name, _), position in zip(marked, people, as_of, strict=True):
                if versions := [s for s in by_manager.get(name, ()) if s.position <= position]:
                    said[mark] = versions[-1]
    return found
