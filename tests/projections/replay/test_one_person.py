"""Patches: a branch with one person's other facts comes out as if all of it had been read again."""

from __future__ import annotations

import numpy as np
import pytest

from domain.identifiers import Period
from projections.replay.one_person import Patch, patched
from projections.replay.scenarios import Known, Later, Place, Sight, World, known, places, sights
from projections.service import Service
from tests.store import entries
from tests.ten_people import APPEALED, HER, reversal
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")


class Branch:
    """The ten people as they were before something happened, and as they are since."""

    def __init__(self, book: Service, *since: dict[str, object]) -> None:
        self.book, before = book, book.ledger.position()
        outcomes = book.ledger.append(entries(since), by="x")
        assert {outcome.status for outcome in outcomes} == {"accepted"}
        self.program = book.rulebooks.find("elastic-pay")
        later = Later(book.ledger.position())
        self.known: Known = known(book.evaluator, [self.program], OCTOBER, ["B01"], (before, later))
        self.place: Place = places(self.known, {"B01": before})["B01"]

    def seen(self, world: World) -> Sight:
        (sight,) = sights(self.book.evaluator, self.program, OCTOBER, self.known, [world])
        return sight

    def patched(self, *managers: str) -> list[Sight]:
        first = self.seen(World(self.place, self.place.old))
        patches = [
            Patch(first, manager, World(self.place, self.of(manager, alone=True)))
            for manager in managers
        ]
        return list(patched(self.book.evaluator, self.program, OCTOBER, self.known, patches))

    def of(self, manager: str, *, alone: bool) -> np.ndarray:
        """What counts since of the person, with what counted before of nobody else, or of everyone
        else.
        """
        place, number = self.place, self.known.symbols.index(manager)
        others = place.old & (place.manager == 0) if alone else place.old
        return np.where(place.manager == number, place.new, others)


def figures(sight: Sight) -> dict[str, list[str | None]]:
    people = sight.evaluation.people.managers[sight.low : sight.high]
    return {name: [sight.text(name, step) for step in sight.evaluation.steps] for name in people}


def test_everyone_comes_out_as_if_all_had_been_read_again(october: Service) -> None:
    sale = Sheet().put("sale", "M05", "group_members", quantity="10.25", source="late")
    moved = Sheet().hire("M07", 4, team="T9", source="late", source_id="m")
    gone = Sheet().hire("M01", branch="B02", source="late", source_id="g")
    new = Sheet().hire("A00", 8, source="late", source_id="n")
    rated = Sheet().put("rating", "A00", "ability", score="99.5", source="late", source_id="r")
    branch = Branch(october, reversal(APPEALED, "1"), sale, moved, gone, new, rated)
    changed = (HER, "M05", "M07", "M01", "A00")
    for manager, sight in zip(changed, branch.patched(*changed), strict=True):
        again = branch.seen(World(branch.place, branch.of(manager, alone=False)))
        assert figures(sight) == figures(again)
    assert "M01" not in figures(branch.patched("M01")[0])
    assert branch.patched(HER)[0].text(HER, "pay") == "2085"


@pytest.mark.parametrize("others", [(), ("M05",)])
def test_what_is_wrong_with_the_person_is_told_of_their_patch_alone(
    october: Service, others: tuple[str, ...]
) -> None:
    branch = Branch(
        october, Sheet().put("rating", HER, "ability", score="100.5", source="late", source_id="7")
    )
    mine, *rest = branch.patched(HER, *others)
    assert [(f.code, f.manager, f.entry) for f in mine.findings] == [
        ("out_of_bounds", HER, "late:7")
    ]
    assert [sight.findings for sight in rest] == [() for _ in others]
