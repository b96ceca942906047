"""差多少: the smallest single change of a person's own figures that would have moved something.

The evaluator itself answers: a person's branch is evaluated many times side by side, each time with
another figure for one of the person's inputs, and what comes out is compared with what came out.
Nothing is guessed from formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from domain.errors import Text
from domain.evaluation.columns import AnyColumn, Column, TextColumn, fit, rescaled, subtract
from domain.evaluation.evaluator import Evaluation, Runner, evaluate
from domain.evaluation.people import UNBOUND, Bounds, People, Reading
from domain.evaluation.trace import YES_NO
from domain.numbers import PLACES, plain, plain_scaled
from domain.rulebook.expressions import Call, Node, children
from domain.rulebook.units import FLAG, TEXT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from domain.evaluation.columns import Ints, Mask
    from domain.evaluation.operators import Codes
    from domain.rulebook.model import Input, Rulebook

WHOLE = {
    "piece",
    "point",
    "score",
    "month",
    "place",
    "people",
    "tier",
    "grade",
}  # told in whole numbers; all else in hundredths
OUTCOMES = {"tier", TEXT, FLAG}  # a step in one of these is an outcome by itself
ONE = 1_000_000  # in 10**-6
DOUBLINGS = [1 << n for n in range(0, 21, 2)]  # the first look: changes of 1, 4, 16 … units
FARTHEST = DOUBLINGS[-1]
PARTS = 16  # then every gap is parted into so many, until it is one unit wide


class Candidate(NamedTuple):
    """Another figure for one of the person's inputs, in 10**-6."""

    name: str
    value: int


class Move(NamedTuple):
    """A step of the person that would have come out otherwise."""

    step: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """With `after` instead of `before` of an input, these steps would have moved and the total
    would be another.
    """

    name: str
    label: Text
    unit: str
    before: str
    after: str
    moves: tuple[Move, ...]  # tiers, words and flags
    limits: tuple[Move, ...]  # steps whose cap or floor binds (1) on one side only
    total: Move


def change_text(change: Change, book: Rulebook) -> Text:
    """The change as people say it: with 300 instead of 370 points, what moves and what the total
    comes to.
    """
    units = {step.step: step.unit for step in book.steps}

    def worded(move: Move, language: str) -> str:
        said = [
            value if units[move.step] != FLAG else YES_NO[value].in_language(language)
            for value in move[1:]
            if value
        ]
        return f"{book.label_of(move.step).in_language(language)} {' → '.join(said)}"

    zh, en = ([worded(move, language) for move in change.moves] for language in ("zh", "en"))
    for limit in change.limits:
        label, binds = book.label_of(limit.step), limit.after == "1"
        zh.append(f"「{label.zh}」的限额{'触发' if binds else '不再触发'}")
        en.append(f"the limit of “{label.en}” {'binds' if binds else 'no longer binds'}")
    before, after = (None if text is None else Decimal(text) for text in change.total[1:])
    if before is not None and after is not None and before != after:
        difference = (
            plain(after - before).removeprefix("-").join(("+" if after > before else "-", ""))
        )
        zh.append(f"{worded(change.total, 'zh')}（{difference}）")
        en.append(f"{worded(change.total, 'en')} ({difference})")
    return Text(
        f"若「{change.label.zh}」为 {change.after} 而不是 {change.before}：{'；'.join(zh)}",
        f"with {change.after} instead of {change.before} of “{change.label.en}”: {'; '.join(en)}",
    )


_Target = tuple[
    int, int
]  # what may move: by kind (0 an outcome, 1 a limit, 2 the total) and number


class _Way(NamedTuple):
    """One input, more of it or less."""

    name: str
    sign: int


class _Gap(NamedTuple):
    """Between which changes of an input something begins to move, in units."""

    way: _Way
    low: int
    high: int

    def parts(self) -> list[tuple[_Way, int]]:
        """The changes that part the gap; none where it is one unit wide."""
        sizes = {self.low + (self.high - self.low) * part // PARTS for part in range(1, PARTS)}
        return [(self.way, size) for size in sorted(sizes - {self.low, self.high})]

    def narrowed(self, moving: Collection[tuple[_Way, int]]) -> _Gap:
        """The part of the gap in which it begins to move, by which of its parts move it."""
        low = self.low
        for way, size in self.parts():
            if (way, size) in moving:
                return _Gap(way, low, size)
            low = size
        return self._replace(low=low)


class _Side(NamedTuple):
    """How one candidate came out for the person: what is compared with the person's real
    figures.
    """

    outcomes: tuple[str | None, ...]
    limits: tuple[bool, ...]
    total: Decimal | None


def nearest_changes(evaluation: Evaluation, row: int) -> list[Change]:
    """The smallest changes, one for each thing that could move: outcomes first, then limits, last a
    higher total.

    Where the rulebook pays, only changes that would have raised the pay; a person whose branch is
    refused has none.
    """
    return _Search(evaluation, row).changes() if not evaluation.findings else []


class _Search:
    def __init__(self, evaluation: Evaluation, row: int) -> None:
        self.evaluation, self.book = evaluation, evaluation.program.rulebook
        branch = evaluation.people.branch
        self.rows: Codes = np.flatnonzero(branch == branch[row])
        self.row = int(np.flatnonzero(self.rows == row)[0])
        steps = evaluation.program.steps
        self.outcomes = [c.step.step for c in steps if c.step.unit in OUTCOMES]
        self.limits = [(c.step.step, node) for c in steps for node in _limits(c.node)]
        self.total = "pay" if self.book.pays else steps[-1].step.step
        self.own = {name: self.value_of(name) for name in evaluation.readings if self.is_own(name)}
        self.units = {name: self.unit_of(name) for name in self.own}
        self.bounds = {name: self.bounds_of(name) for name in self.own}
        self.before = self.sides_of(
            replace(evaluation, warnings=[], findings=[]), self.rows[[self.row]]
        )[0]
        self.tried: dict[Candidate, _Side] = {}

    # the person's own inputs

    def is_own(self, name: str) -> bool:
        """Whether an input is the person's own figure, and not that of a branch, a team or an
        adjustment.
        """
        given, _ = Runner(self.evaluation).find_input(name)
        column = self.evaluation.readings[name]
        return (
            isinstance(column, Column)
            and given.kind is not None
            and given.kind.is_own
            and given.of in {"manager", "manager_or_branch"}
            and bool(column.over(len(self.rows)).present[0])
        )

    def value_of(self, name: str) -> int:
        column = self.evaluation.readings[name].over(len(self.evaluation.people))
        assert isinstance(column, Column)
        return int(rescaled(column, PLACES).data[self.rows[self.row]])

    def unit_of(self, name: str) -> int:
        """What such figures are told in, in 10**-6."""
        given, _ = Runner(self.evaluation).find_input(name)
        return ONE if given.take == "count" or given.unit in WHOLE else ONE // 100

    def bounds_of(self, name: str) -> tuple[int | None, int | None]:
        """The least and the greatest that entries allow."""
        given, item = Runner(self.evaluation).find_input(name)
        bounds = Runner(self.evaluation).bounds(given, item)
        low, high = (self.bound_at(bound) for bound in (bounds.low, bounds.high))
        if given.kind and not given.kind.is_signed and given.take != "amount":
            low = max(low or 0, 0)
        if bounds.above is not None:
            low = (self.bound_at(bounds.above) or 0) + 1
        return low, None if given.take == "sum" else high

    def bound_at(self, bound: Column | None) -> int | None:
        if bound is None:
            return None
        return int(
            rescaled(bound, PLACES).over(len(self.evaluation.people)).data[self.rows[self.row]]
        )

    # the search

    def changes(self) -> list[Change]:
        """The first look over all inputs, then ever closer around what moved."""
        reach: dict[_Way, int] = {}
        grid: list[tuple[_Way, int]] = []
        for name in self.own:
            for way in (_Way(name, 1), _Way(name, -1)):
                reach[way] = self.reach(way)
                steps = [size for size in DOUBLINGS if size < reach[way]]
                grid += [(way, size) for size in (*steps, reach[way]) if size]
        found = self.hits(grid)
        targets = sorted({target for hits in found.values() for target in hits})
        changes = self.refined({target: self.closest(target, grid, found) for target in targets})
        return self.told(list(dict.fromkeys(changes)))

    def reach(self, way: _Way) -> int:
        """How many units the input can go that way."""
        low, high = self.bounds[way.name]
        end = high if way.sign > 0 else low
        if end is None:
            return FARTHEST
        distance = (end - self.own[way.name]) * way.sign
        return min(max(-(-distance // self.units[way.name]), 0), FARTHEST)

    def candidate(self, way: _Way, size: int) -> Candidate:
        """The figure so many units away: on a whole unit, where the person's is between two, and
        within bounds.
        """
        unit, value = self.units[way.name], self.own[way.name]
        base = value // unit if way.sign > 0 else -(-value // unit)
        low, high = self.bounds[way.name]
        moved = (base + way.sign * size) * unit
        moved = moved if low is None else max(moved, low)
        return Candidate(way.name, moved if high is None else min(moved, high))

    def hits(self, grid: Sequence[tuple[_Way, int]]) -> dict[tuple[_Way, int], set[_Target]]:
        """For each change: what it moves."""
        sides = self.sides([self.candidate(*change) for change in grid])
        own = self.own
        return {
            change: self.moved(side, has_any=own[change[0].name] != 0)
            for change, side in zip(grid, sides, strict=True)
        }

    def moved(self, side: _Side, *, has_any: bool) -> set[_Target]:
        before = self.before
        if self.book.pays and not (
            side.total is not None and before.total is not None and side.total > before.total
        ):
            return set()
        found = {
            (0, n)
            for n, (a, b) in enumerate(zip(before.outcomes, side.outcomes, strict=True))
            if a != b
        }
        if has_any:  # that more of what one does not have would pass a cap is no news
            found |= {
                (1, n)
                for n, (a, b) in enumerate(zip(before.limits, side.limits, strict=True))
                if a != b
            }
        return found | (
            {(2, 0)} if side.total is not None and side.total != before.total else set()
        )

    def closest(
        self,
        target: _Target,
        grid: Sequence[tuple[_Way, int]],
        found: dict[tuple[_Way, int], set[_Target]],
    ) -> list[_Gap]:
        """The ways that may reach a target soonest, each with the last size that does not and the
        first that does.
        """
        gaps: dict[_Way, tuple[int, int]] = {}
        last: dict[_Way, int] = {}
        for way, size in grid:
            if way not in gaps and target in found[way, size]:
                gaps[way] = last.get(way, 0), size
            last[way] = size
        return _soonest([_Gap(way, low, high) for way, (low, high) in gaps.items()])

    def refined(self, nearest: dict[_Target, list[_Gap]]) -> list[Candidate]:
        """For each target the smallest change, to the unit; all are followed at once."""
        while grid := list(
            dict.fromkeys(part for gaps in nearest.values() for gap in gaps for part in gap.parts())
        ):
            found = self.hits(grid)
            for target, gaps in nearest.items():
                moving = {change for change in grid if target in found[change]}
                nearest[target] = _soonest([gap.narrowed(moving) for gap in gaps])
        soonest = [min(gaps, key=lambda gap: gap.high) for gaps in nearest.values()]
        return [self.candidate(gap.way, gap.high) for gap in soonest]

    def told(self, candidates: list[Candidate]) -> list[Change]:
        """The changes in words' parts: what moves, and what it comes to."""
        return [
            self.change(candidate, side)
            for candidate, side in zip(candidates, self.sides(candidates), strict=True)
        ]

    def change(self, candidate: Candidate, side: _Side) -> Change:
        given, _ = Runner(self.evaluation).find_input(candidate.name)
        pairs = zip(self.outcomes, self.before.outcomes, side.outcomes, strict=True)
        bound = zip(self.limits, self.before.limits, side.limits, strict=True)
        return Change(
            candidate.name,
            self.book.label_of(candidate.name),
            given.unit,
            plain_scaled(self.own[candidate.name], PLACES),
            plain_scaled(candidate.value, PLACES),
            tuple(Move(step, a, b) for step, a, b in pairs if a != b),
            tuple(
                dict.fromkeys(
                    Move(step, str(int(a)), str(int(b))) for (step, _), a, b in bound if a != b
                )
            ),
            Move(
                self.total,
                *(None if s.total is None else plain(s.total) for s in (self.before, side)),
            ),
        )

    # candidate columns

    def sides(self, candidates: Sequence[Candidate]) -> list[_Side]:
        """How the person comes out with each candidate."""
        new = list(
            dict.fromkeys(candidate for candidate in candidates if candidate not in self.tried)
        )
        if new:
            inputs = CandidateInputs(self.evaluation, self.rows, self.row, new, len(new))
            tried = evaluate(self.evaluation.program, inputs)
            at = np.arange(len(new)) * len(self.rows) + self.row
            self.tried |= zip(new, self.sides_of(tried, at), strict=True)
        return [self.tried[candidate] for candidate in candidates]

    def sides_of(self, tried: Evaluation, at: Codes) -> list[_Side]:
        """How the people of these rows come out."""
        outcomes = [_texts(tried.steps[step], at) for step in self.outcomes]
        runner = Runner(tried)
        limits = [_bound(runner, node, len(tried.people))[at].tolist() for _, node in self.limits]
        totals = [
            None if text is None else _figure(text) for text in _texts(tried.steps[self.total], at)
        ]
        nothing: list[tuple[Any, ...]] = [()] * len(
            at
        )  # of a rulebook without outcomes, or without limits
        by_copy = (
            list(zip(*outcomes, strict=True)) or nothing,
            list(zip(*limits, strict=True)) or nothing,
        )
        return list(map(_Side, *by_copy, totals))


class CandidateInputs:
    """A branch many times over: in each copy one input of one person is another figure."""

    def __init__(
        self,
        evaluation: Evaluation,
        rows: Codes,
        row: int,
        candidates: Sequence[Candidate],
        copies: int,
    ) -> None:
        self.readings, self.everyone, self.at = (
            evaluation.readings,
            len(evaluation.people),
            np.tile(rows, copies),
        )
        self.last_month = evaluation.inputs.last_month
        self.changed: dict[str, tuple[list[int], list[int]]] = {}
        for copy, candidate in enumerate(candidates):
            places, values = self.changed.setdefault(candidate.name, ([], []))
            places.append(copy * len(rows) + row)
            values.append(candidate.value)
        people = evaluation.people
        grade, role = self.tiled(people.grade), self.tiled(people.role)
        assert isinstance(grade, Column)
        assert isinstance(role, TextColumn)
        names = [people.managers[i] for i in rows.tolist()] * copies
        branch, team = np.repeat(np.arange(copies), len(rows)), people.team[self.at]
        branches = tuple(map(str, range(copies)))
        self.people = People(tuple(names), branches, branch, people.teams, team, grade, role)

    def tiled(self, column: AnyColumn) -> AnyColumn:
        """The branch's rows, so many times."""
        return column.over(self.everyone).take(self.at)

    def read(self, name: str, given: Input, item: str | None, bounds: Bounds = UNBOUND) -> Reading:  # noqa: ARG002
        """As the evaluation read it, but for the candidates."""
        full = name if item is None else f"{name}.{item}"
        column = self.tiled(self.readings[full])
        absent = ~column.present
        column = column.with_poison(None)
        if full not in self.changed:
            return Reading(column, absent)
        assert isinstance(column, Column)
        places, values = self.changed[full]
        data: Ints = rescaled(column, PLACES).data.copy()
        data[places] = values
        return Reading(fit(data, PLACES), absent)

    def unread_points(self) -> Mask:
        """Nobody's: the evaluation was not refused."""
        return np.zeros(len(self.people), bool)

    def positions(self, name: str, given: Input, item: str | None, row: int) -> set[int]:  # noqa: ARG002
        """None: a candidate is no entry."""
        return set()

    def positions_of_person(self, row: int) -> set[int]:  # noqa: ARG002
        """None: a candidate is no entry."""
        return set()


def _soonest(gaps: list[_Gap]) -> list[_Gap]:
    """Those in which the smallest change can be: the others begin where one of them has ended."""
    least = min(gap.high for gap in gaps)
    return [gap for gap in gaps if gap.low < least]


def _limits(node: Node) -> Iterator[Call]:
    """Every cap and floor in an expression."""
    if isinstance(node, Call) and node.function in {"min", "max"}:
        yield node
    for child in children(node):
        yield from _limits(child)


def _bound(runner: Runner, node: Call, people: int) -> Mask:
    """For whom a cap or floor binds."""
    subject = runner.figure(node.arguments[0])
    result = subtract(runner.figure(node), subject).over(people)
    return np.asarray(result.data != 0, bool)


def _texts(column: AnyColumn, rows: Codes) -> list[str | None]:
    there = column.over(int(rows[-1]) + 1) if len(column) == 1 else column
    return [
        text if here else None
        for text, here in zip(there.take(rows).texts(), there.present[rows], strict=True)
    ]


def _figure(text: str) -> Decimal | None:
    return Decimal(text) if text.lstrip("-")[:1].isdigit() else None
