"""Who works where in a period, and which of their entries count."""

from __future__ import annotations

from typing import Any

import pytest

from domain.identifiers import Period
from projections.facts.counting import counting, inputs_of, latest_assignments
from tests.facts import fact_rows, inputs
from tests.rules import program
from tests.worksheet import OCTOBER, Ledger

EVERYONE = program({"x ratio": "1"})
SELLERS = program({"x ratio": "1"}, roles=["seller", "helper"])


def people(
    ledger: Ledger, rules: Any = EVERYONE, branches: Any = None, period: str = OCTOBER
) -> list[tuple[str, ...]]:
    found = inputs(ledger, rules, period, branches).people
    return [
        (
            found.branches[found.branch[row]],
            manager,
            found.team_of(row),
            found.role.text(row),
            found.grade.text(row),
        )
        for row, manager in enumerate(found.managers)
    ]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_people_stand_by_branch_then_by_id_in_the_order_of_characters(ledger: Ledger) -> None:
    for manager, branch in (("m2", "B2"), ("a", "B10"), ("B", "B10"), ("m10", "B2")):
        ledger.hire(manager, branch=branch)
    assert [(branch, manager) for branch, manager, *_ in people(ledger)] == [
        ("B10", "B"), ("B10", "a"), ("B2", "m10"), ("B2", "m2"),
    ]  # fmt: skip


def test_the_assignment_of_the_greatest_month_not_after_the_period_counts(ledger: Ledger) -> None:
    ledger.hire("M1", grade=7, month="2026-09", team="T7")
    ledger.hire("M1", grade=5, month="2026-08", team="T5")
    ledger.hire("M1", grade=8, month="2026-11", team="T8")
    assert people(ledger) == [("B01", "M1", "T7", "customer_manager", "7")]
    assert people(ledger, period="2026-Q4") == [("B01", "M1", "T8", "customer_manager", "8")]
    assert people(ledger, period="2026-07") == []


def test_within_a_month_the_highest_position_counts(ledger: Ledger) -> None:
    ledger.hire("M1", team="T1")
    ledger.hire("M1", team="T2")
    ledger.reverse(ledger.hire("M1", team="T3"))
    assert people(ledger) == [("B01", "M1", "T2", "customer_manager", "6")]


def test_who_has_left_is_nowhere_until_the_next_assignment(ledger: Ledger) -> None:
    ledger.hire("M1", month="2026-08")
    ledger.put("assignment", "M1", role="left", month="2026-10")
    ledger.hire("M1", month="2026-12")
    assert [
        len(people(ledger, period=period))
        for period in ("2026-09", "2026-10", "2026-11", "2026-12")
    ] == [
        1,
        0,
        0,
        1,
    ]


def test_only_the_branches_asked_for_and_the_roles_of_the_rulebook(ledger: Ledger) -> None:
    ledger.hire("M1", role="seller")
    ledger.hire("M2", role="driver")
    ledger.hire("M3", role="helper", branch="B02")
    assert [manager for _, manager, *_ in people(ledger, SELLERS)] == ["M1", "M3"]
    assert [manager for _, manager, *_ in people(ledger, SELLERS, ["B02", "B03"])] == ["M3"]
    assert [manager for _, manager, *_ in people(ledger, EVERYONE, ["B01"])] == ["M1", "M2"]
    assert people(ledger, EVERYONE, []) == []
    assert people(Ledger()) == []


def test_who_moved_counts_where_they_are_now_with_all_their_entries(ledger: Ledger) -> None:
    ledger.hire("M1", month="2026-09", branch="B02")
    ledger.hire("M1")
    assert people(ledger, EVERYONE, ["B02"]) == []
    assert people(ledger, EVERYONE, ["B01"]) == [("B01", "M1", "T1", "customer_manager", "6")]


def test_teams_of_equal_names_in_two_branches_are_two_populations(ledger: Ledger) -> None:
    for manager, branch, team in (
        ("M1", "B1", "T"),
        ("M2", "B2", "T"),
        ("M3", "B2", "T"),
        ("M4", "B2", "U"),
    ):
        ledger.hire(manager, branch=branch, team=team)
    found = inputs(ledger, EVERYONE, OCTOBER).people
    assert found.by_branch.sizes.tolist() == [1, 3]
    assert sorted(found.by_team.sizes.tolist()) == [1, 1, 2]
    assert found.by_team.codes[1] == found.by_team.codes[2]


def test_an_entry_counts_unless_a_reversal_that_counts_names_it(ledger: Ledger) -> None:
    ledger.hire("M1")
    kept = ledger.put("sale", "M1", "a", quantity="1")
    gone = ledger.put("sale", "M1", "a", quantity="1")
    back = ledger.put("sale", "M1", "a", quantity="1")
    again = ledger.put("sale", "M1", "a", quantity="1")
    ledger.reverse(gone)
    ledger.reverse(ledger.reverse(back))
    ledger.reverse(ledger.reverse(ledger.reverse(again)))
    rows, _ = fact_rows(ledger)
    wanted = [ledger.index(entry) + 1 for entry in (ledger[0], kept, back)]
    assert counting(rows)["position"].tolist() == wanted
    assert counting(rows[::-1])["position"].tolist() == wanted


def test_the_latest_assignments_of_nobody_are_none() -> None:
    rows, _ = fact_rows([])
    assert len(latest_assignments(rows)) == 0
    assert len(counting(rows)) == 0


def test_somebody_without_a_grade_has_none(ledger: Ledger) -> None:
    ledger.hire("M1")
    ledger.hire("M2", grade=0)
    rows, symbols = fact_rows(ledger)
    rows["value"][0] = -(2**63)
    found = inputs_of(
        rows, rows[:0], symbols, Period.parse(OCTOBER), EVERYONE.rulebook, None
    ).people
    assert found.grade.present.tolist() == [False, True]
    assert found.grade.texts() == ["0", "0"]
