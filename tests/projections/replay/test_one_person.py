"""A branch with one person's other facts comes out as if all of it had been read again."""

from __future__ import annotations

import numpy as np
import pytest

from domain.identifiers import Period
from projections.replay.one_person import OtherFacts, evaluate_with_other_facts
from projections.replay.scenarios import (
    BranchRows,
    LaterSide,
    Outcome,
    PeriodFacts,
    Scenario,
    evaluate_scenarios,
    load_facts,
    rows_by_branch,
)
from projections.service import Service
from tests.store import entries
from tests.ten_people import APPEALED, HER, reversal
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")


class Branch:
    """The ten people as they were before something happened, and as they are since."""

    def __init__(self, service: Service, *since: dict[str, object]) -> None:
        self.service, before = service, service.ledger.position()
        outcomes = service.ledger.append(entries(since), by="x")
        assert {outcome.status for outcome in outcomes} == {"accepted"}
        self.program = service.rulebooks.find("elastic-pay")
        later = LaterSide(service.ledger.position())
        self.facts: PeriodFacts = load_facts(
            service.evaluator, [self.program], OCTOBER, ["B01"], before, later
        )
        self.rows: BranchRows = rows_by_branch(self.facts, {"B01": before})["B01"]

    def evaluated(self, scenario: Scenario) -> Outcome:
        (outcome,) = evaluate_scenarios(
            self.service.evaluator, self.program, OCTOBER, self.facts, [scenario]
        )
        return outcome

    def with_other_facts_of(self, *managers: str) -> list[Outcome]:
        whole = self.evaluated(Scenario(self.rows, self.rows.before))
        changes = [
            OtherFacts(whole, manager, Scenario(self.rows, self.counting(manager, alone=True)))
            for manager in managers
        ]
        evaluator = self.service.evaluator
        return list(
            evaluate_with_other_facts(evaluator, self.program, OCTOBER, self.facts, changes)
        )

    def counting(self, manager: str, *, alone: bool) -> np.ndarray:
        """What counts since of the person, with what counted before of nobody else, or of everyone
        else.
        """
        rows, number = self.rows, self.facts.symbols.index(manager)
        others = rows.before & (rows.manager == 0) if alone else rows.before
        return np.where(rows.manager == number, rows.after, others)


def figures(outcome: Outcome) -> dict[str, list[str | None]]:
    people = outcome.evaluation.people.managers[outcome.low : outcome.high]
    return {
        name: [outcome.text(name, step) for step in outcome.evaluation.steps] for name in people
    }


def test_everyone_comes_out_as_if_all_had_been_read_again(october: Service) -> None:
    sale = Sheet().put("sale", "M05", "group_members", quantity="10.25", source="late")
    moved = Sheet().hire("M07", 4, team="T9", source="late", source_id="m")
    gone = Sheet().hire("M01", branch="B02", source="late", source_id="g")
    new = Sheet().hire("A00", 8, source="late", source_id="n")
    rated = Sheet().put("rating", "A00", "ability", score="99.5", source="late", source_id="r")
    branch = Branch(october, reversal(APPEALED, "1"), sale, moved, gone, new, rated)
    changed = (HER, "M05", "M07", "M01", "A00")
    for manager, outcome in zip(changed, branch.with_other_facts_of(*changed), strict=True):
        again = branch.evaluated(Scenario(branch.rows, branch.counting(manager, alone=False)))
        assert figures(outcome) == figures(again)
    assert "M01" not in figures(branch.with_other_facts_of("M01")[0])
    assert branch.with_other_facts_of(HER)[0].text(HER, "pay") == "2085"


@pytest.mark.parametrize("others", [(), ("M05",)])
def test_what_is_wrong_with_the_person_is_found_for_them_alone(
    october: Service, others: tuple[str, ...]
) -> None:
    branch = Branch(
        october, Sheet().put("rating", HER, "ability", score="100.5", source="late", source_id="7")
    )
    mine, *rest = branch.with_other_facts_of(HER, *others)
    assert [(f.code, f.manager, f.entry) for f in mine.findings] == [
        ("out_of_bounds", HER, "late:7")
    ]
    assert [outcome.findings for outcome in rest] == [() for _ in others]
