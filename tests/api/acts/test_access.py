"""Where somebody works decides: what one branch may record, suppose and read of people who work in
another.
"""

from __future__ import annotations

from typing import Any

import pytest

from domain.rights import Role, Seat
from tests.api.service import Service, branch
from tests.worksheet import Ledger as Sheet

Entries = list[dict[str, Any]]


@pytest.fixture
def both(service: Service) -> Service:
    """B01 with A and B, and C01 with V, whose deduction is nobody's business in B01."""
    service.append(branch())
    sheet = Sheet()
    sheet.branch("minimum_wage", "1680", branch="C01", source="c")
    sheet.hire("V", branch="C01", source="c", source_id="hired")
    sheet.rate_gs("V", "61")
    for rating in sheet[2:]:
        rating["source"] = "c"
    sheet.put("deduction", "V", "member_retention", points="77", source="c", source_id="secret")
    service.append(sheet)
    return service


def as_(service: Service, role: Role = Role.BACK_OFFICE, branch: str = "B01") -> dict[str, str]:
    """The key of somebody in this role there."""
    accounts = service.app.state.service.accounts
    name = f"{role}-{branch}-{len(accounts.all())}"
    return {"X-API-Key": accounts.keys.create(name, "tester", [Seat(role, branch)])[0]}


def post(service: Service, entries: Entries, key: dict[str, str]) -> int:
    status: int = service.post("/v1/entries", json=entries, headers=key).status_code
    return status


def replay(service: Service, key: dict[str, str], **asked: Any) -> int:
    body = {"periods": ["2026-10"], "branches": ["B01"], **asked}
    status: int = service.post("/v1/replays", json=body, headers=key).status_code
    return status


def trail(service: Service, key: dict[str, str] | None = None, **query: Any) -> list[str]:
    read = service.get("/v1/entries", params=query, headers=key or {})
    assert read.status_code == 200, read.text
    return [
        f"{line['entry']['source']}:{line['entry']['source_id']}" for line in read.json()["entries"]
    ]


# What is supposed


def moved(**fields: Any) -> dict[str, Any]:
    return Sheet().hire("V", source="what-if", **fields)


def back() -> dict[str, Any]:
    return Sheet().reverse({"source": "c", "source_id": "hired"}) | {"source": "what-if"}


@pytest.mark.parametrize(
    "asked",
    [
        {"with": [moved()]},
        {"with": [moved(month="2026-01")]},
        {"with": [back()]},
        {"with": [Sheet().put("deduction", "V", "member_retention", points="1", source="what-if")]},
        {
            "with": [
                Sheet().put(
                    "measure", item="minimum_wage", value="1", branch="C01", source="what-if"
                )
            ]
        },
        {"without": ["c:hired"]},
        {"without": ["c:secret"]},
    ],
)
def test_a_what_if_about_people_of_another_branch_is_refused_to_who_leads_one(
    both: Service, asked: dict[str, Any]
):
    leader, before = as_(both, Role.BRANCH_LEADER), both.position
    assert replay(both, leader, **asked) == 403
    assert both.position == before
    assert replay(both, {}, **asked) == 201  # HR may


def test_a_what_if_about_ones_own_people_or_somebody_new_is_answered(both: Service):
    leader, sheet = as_(both, Role.BRANCH_LEADER), Sheet()
    sheet.hire("NEW", source="what-if")
    sheet.put("deduction", "NEW", "member_retention", points="1", source="what-if")
    sheet.hire("A", 7, source="what-if")
    sheet.reverse(sheet[-1])["source"] = "what-if"
    assert replay(both, leader, **{"with": sheet}) == 201
    assert replay(both, leader, without=["test:12"]) == 201


def test_differences_of_a_run_without_anothers_entry_are_for_who_may_see_that_one(both: Service):
    asked = {"periods": ["2026-10"], "branches": ["B01"], "without": ["c:hired"]}
    run = both.post("/v1/replays", json=asked).json()["id"]
    leader = as_(both, Role.BRANCH_LEADER)
    for path in ("", "/differences"):
        assert both.get(f"/v1/replays/{run}{path}", headers=leader).status_code == 403
        assert both.get(f"/v1/replays/{run}{path}").status_code == 200


# What is recorded


@pytest.mark.parametrize("month", ["2025-01", "2026-10", "2026-12"])
def test_a_branch_does_not_assign_people_of_another_to_itself(both: Service, month: str):
    key, before = as_(both), both.position
    assert post(both, [Sheet().hire("V", month=month, source="grab")], key) == 403
    assert both.position == before
    assert post(both, [Sheet().hire("V", month=month, source="hr")], {}) == 201


def test_a_branch_does_not_assign_to_itself_a_month_in_which_somebody_worked_elsewhere(
    both: Service,
):
    both.append([Sheet().hire("V", month="2026-12", source="hr")])
    key = as_(both)
    assert post(both, [Sheet().hire("V", month="2026-11", source="grab")], key) == 403
    assert post(both, [Sheet().hire("V", 7, month="2027-01", source="own")], key) == 201


def test_somebody_new_comes_with_what_is_recorded_of_them_in_one_batch(both: Service):
    sheet = Sheet()
    sheet.put("deduction", "NEW", "member_retention", points="1", source="own")
    sheet.hire("NEW", source="own")
    assert post(both, sheet, as_(both)) == 201
    taken = Sheet()
    taken.put("deduction", "V", "member_retention", points="1", source="grab")
    taken.hire("V", source="grab", month="2027-01")
    assert post(both, taken, as_(both)) == 403


def test_the_branch_where_somebody_works_records_that_they_left_and_takes_it_back(both: Service):
    left = Sheet().put(
        "assignment", "A", role="left", month="2026-12", source="own", source_id="left"
    )
    assert post(both, [left], as_(both, branch="C01")) == 403
    key = as_(both)
    assert post(both, [left], key) == 201
    undone = Sheet().reverse(left) | {"source": "undo"}
    assert post(both, [undone], as_(both, branch="C01")) == 403
    assert post(both, [undone], key) == 201


def test_a_reversal_at_the_end_of_a_long_chain_is_about_what_stands_at_its_beginning(both: Service):
    chain, last = Sheet(), {"source": "c", "source_id": "secret"}
    for _ in range(1500):
        last = chain.reverse(last)
        last["source"] = "chain"
    both.append(chain)
    for key, status in ((as_(both), 403), (as_(both, branch="C01"), 201)):
        assert post(both, [Sheet().reverse(last) | {"source": "end"}], key) == status


# What is read


def test_what_does_not_exist_is_refused_like_anothers_and_leaves_no_trace(both: Service):
    key, before = as_(both, Role.BRANCH_LEADER), both.position
    for path in ("", "/derivation", "/history"):
        for manager in ("V", "nobody"):
            read = both.get(f"/v1/statements/2026-10/{manager}{path}", headers=key)
            assert read.status_code == 403, read.text
        assert both.get(f"/v1/statements/2026-10/nobody{path}").status_code == 404
    assert both.get("/v1/statements/2026-10/nobody?as_of=1").status_code == 404
    assert both.position == before


def test_the_trail_of_a_branch_has_its_people_in_the_months_in_which_they_work_there(both: Service):
    sheet = Sheet()
    for month in ("2026-11", "2026-12", "2027-01"):
        sheet.put(
            "deduction",
            "A",
            "member_retention",
            points="1",
            month=month,
            source="of",
            source_id=month,
        )
    sheet.hire("A", branch="C01", month="2026-12", source="of", source_id="moved")
    sheet.put("assignment", "A", role="left", month="2027-01", source="of", source_id="left")
    both.append(sheet)
    key = as_(both, Role.BRANCH_LEADER)
    assert [name for name in trail(both, key, branch="B01") if name.startswith("of:")] == [
        "of:2026-11"
    ]
    mine = trail(both, as_(both, Role.BRANCH_LEADER, "C01"), branch="C01")
    assert [name for name in mine if name.startswith("of:")] == [
        "of:2026-12",
        "of:moved",
        "of:left",
    ]


def test_the_trail_of_a_person_has_for_a_branch_the_months_in_which_they_worked_there(
    both: Service,
):
    both.append([Sheet().hire("V", month="2026-12", source="hr")])
    assert trail(both, as_(both, Role.BRANCH_LEADER), manager="V") == ["hr:0"]
    assert "c:secret" in trail(both, manager="V")
    own, _ = both.app.state.service.accounts.keys.create(
        "v", "tester", [Seat(Role.MANAGER, manager="V")]
    )
    assert {"c:secret", "hr:0"} <= set(trail(both, {"X-API-Key": own}, manager="V"))


def test_the_trail_of_a_branch_knows_no_assignment_that_came_later_or_was_taken_back(both: Service):
    before = both.position
    moving = Sheet().hire("V", source="hr")
    both.append([moving])
    assert "c:secret" in trail(both, branch="B01")
    assert "c:secret" not in trail(both, branch="B01", as_of=before)
    assert "c:secret" in trail(both, branch="C01", as_of=before)
    undone = Sheet().reverse(moving) | {"source": "undo"}
    both.append([undone])
    assert "c:secret" not in trail(both, branch="B01")
    both.append([Sheet().reverse(undone) | {"source": "redo"}])
    assert "c:secret" in trail(both, branch="B01")
