"""任职地点: who works in which branch and team, when, and as known at which ledger position."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from domain.fact_kinds import KIND_CODES
from domain.identifiers import LAST_YEAR, Month
from domain.rights import Place
from projections.facts.counting import branches_of, counting, latest_assignments

if TYPE_CHECKING:
    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from projections.facts.reader import FactStore

ALWAYS = Month(LAST_YEAR, 12).index


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
