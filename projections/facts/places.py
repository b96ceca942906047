"""任职地点: who works in which branch and team, when, and as known at which ledger position; and
which of a person's months a reader's scope held.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.fact_kinds import KIND_CODES
from domain.identifiers import FIRST_YEAR, LAST_YEAR, Month, Period
from domain.rights import EVERYWHERE, Place, scope
from projections.facts.counting import branches_of, counting, latest_assignments

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from domain.ledger.ledger import Ledger
    from domain.rights import Seat
    from projections.facts.reader import FactStore

ALWAYS = Month(LAST_YEAR, 12).index
EVER = Period(Month(FIRST_YEAR, 1), Month(LAST_YEAR, 12))


class Places:
    """Answers where people work, from the assignments that count."""

    def __init__(self, ledger: Ledger, facts: FactStore) -> None:
        self.ledger, self.facts = ledger, facts

    def branches(self, period: Period, as_of: int | None = None) -> list[str]:
        """The branches that have anyone in a period, as of a position or now, in order."""
        position = self.ledger.position() if as_of is None else as_of
        rows = self.facts.assignments(period.last.index, branches=None, as_of=position)
        return branches_of(rows, self.facts.symbols())

    def has_anyone(self, branch: str, period: Period, as_of: int) -> bool:
        """Whether anybody was ever assigned to a branch by the end of a period."""
        return bool(len(self.facts.assignments(period.last.index, branches=[branch], as_of=as_of)))

    def of_everyone(self, branch: str, period: Period) -> dict[str, Place]:
        """Where everyone who was ever assigned to a branch by the end of a period works in it; who
        left has a place without a branch.
        """
        position = self.ledger.position()
        rows = self.facts.assignments(period.last.index, branches=[branch], as_of=position)
        texts = self.facts.symbols()
        return {
            texts[manager]: Place(texts[branch] or None, texts[team] or None, texts[manager])
            for manager, branch, team in latest_assignments(counting(rows))[
                ["manager", "branch", "team"]
            ].tolist()
        }

    def known(self) -> list[str]:
        """Every branch to which anybody was ever assigned, in order."""
        rows = self.facts.assignments(ALWAYS, branches=None, as_of=self.ledger.position())
        texts = self.facts.symbols()
        return sorted({texts[number] for number in rows["branch"].tolist()} - {""})

    def place_of(
        self, manager: str, period: Period | None = None, branch: str | None = None
    ) -> Place:
        """Where a person works at the end of a period, or now; `branch` where they work nowhere."""
        place = place_by(manager, self.workplaces(manager), period.last.index if period else ALWAYS)
        return place if place.branch else Place(branch, None, manager)

    def held(self, seats: Sequence[Seat], act: str, manager: str) -> HeldMonths:
        """The months of a person that the seats which may do the act hold. Every read of a person
        asks this, of what was recorded up to now.
        """
        seats = scope(seats, act)
        if _holds_everybody(seats):
            return ALL_MONTHS
        return months_held(self.workplaces(manager), seats, manager)

    def held_of(
        self, seats: Sequence[Seat], act: str, managers: Collection[str]
    ) -> Mapping[str, HeldMonths]:
        """The same of many people, read at once."""
        seats = scope(seats, act)
        if _holds_everybody(seats):
            return dict.fromkeys(managers, ALL_MONTHS)
        workplaces = self._workplaces_of(managers)
        return {name: months_held(workplaces[name], seats, name) for name in managers}

    def _workplaces_of(self, managers: Collection[str]) -> dict[str, list[tuple[int, Place]]]:
        rows = self.facts.assignments(ALWAYS, branches=None, as_of=self.ledger.position())
        texts = self.facts.symbols()
        found: dict[str, list[tuple[int, Place]]] = {name: [] for name in managers}
        numbers = [number for number, text in enumerate(texts) if text in found]
        theirs = counting(rows[np.isin(rows["manager"], numbers)])
        for number, month, branch, team in theirs[["manager", "month", "branch", "team"]].tolist():
            place = Place(texts[branch] or None, texts[team] or None, texts[number])
            found[texts[number]].append((month, place))
        return {name: sorted(worked, key=itemgetter(0)) for name, worked in found.items()}

    def workplaces(self, manager: str) -> list[tuple[int, Place]]:
        """A person's assignments that count, as the index of the first month and the place, in
        order. The last that began by a month holds in it; a place without a branch: they left.
        """
        rows = self.facts.of_manager(manager, 0, ALWAYS, as_of=self.ledger.position())
        assigned = counting(rows[rows["kind"] == KIND_CODES["assignment"]])
        texts = self.facts.symbols()
        places = [
            (month, Place(texts[branch] or None, texts[team] or None, manager))
            for month, branch, team in assigned[["month", "branch", "team"]].tolist()
        ]
        return sorted(places, key=itemgetter(0))


def place_by(manager: str, workplaces: list[tuple[int, Place]], month: int) -> Place:
    """The last of these places that began by a month (its index); no branch where none did."""
    begun = [place for start, place in workplaces if start <= month]
    return begun[-1] if begun else Place(None, None, manager)


class HeldMonths(NamedTuple):
    """Which months of a person a reader's scope held, as the indexes of months.

    `left`: the months in which the person left that scope and worked nowhere; that they left is
    known where they worked before. `elsewhere`: the months in which they worked outside the scope.
    """

    months: tuple[range, ...]
    left: frozenset[int] = frozenset()
    elsewhere: tuple[range, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether no month is out of scope."""
        return self.months == ALL_MONTHS.months

    def has(self, month: int) -> bool:
        """Whether an entry of this month may be shown."""
        return any(month in held for held in self.months)

    def has_assignment(self, month: int, branch: int | str | None) -> bool:
        """Whether an assignment of this month may be shown; without a branch it says who left."""
        return self.has(month) or (not branch and month in self.left)

    def has_any_of(self, period: Period) -> bool:
        """Whether a month of the period is held: its entries may be listed, those of others not."""
        return any(_overlap(held, period) for held in self.months)

    def has_whole(self, period: Period) -> bool:
        """Whether what sums up the period may be shown: a statement, its reason, a payment.

        The last month must be held, and the person have worked in no month outside the scope.
        """
        return self.has(period.last.index) and not self.has_others(period)

    def has_others(self, period: Period) -> bool:
        """Whether the person worked outside the scope in a month of the period."""
        return any(_overlap(worked, period) for worked in self.elsewhere)


ALL_MONTHS = HeldMonths((range(EVER.first.index, EVER.last.index + 1),))


def months_held(
    workplaces: list[tuple[int, Place]], seats: Sequence[Seat], manager: str
) -> HeldMonths:
    """The months in which one of the seats covers the place where the person works.

    `workplaces`: the assignments that count, by month. Before the first, and after they left, the
    person works in no branch: that is held by seats without a branch, and by their own.
    """
    if any(seat.manager == manager and seat.branch is None for seat in seats):
        return ALL_MONTHS
    starts = [(EVER.first.index, Place(None, None, manager)), *workplaces]
    ends = [*(start for start, _ in workplaces), EVER.last.index + 1]
    months, elsewhere, left = [], [], set()
    was_held = False
    for (start, place), end in zip(starts, ends, strict=True):
        is_held = any(seat.covers(place) for seat in seats)
        if not place.branch and was_held:
            left.add(start)
        if start < end:
            if is_held:
                months.append(range(start, end))
            elif place.branch:
                elsewhere.append(range(start, end))
            was_held = is_held
    return HeldMonths(tuple(months), frozenset(left), tuple(elsewhere))


def _holds_everybody(seats: Sequence[Seat]) -> bool:
    return any(seat.covers(EVERYWHERE) for seat in seats)


def _overlap(months: range, period: Period) -> bool:
    return months.start <= period.last.index and period.first.index < months.stop
