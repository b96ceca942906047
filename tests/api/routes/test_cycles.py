"""A branch's month over HTTP: the steps and their people, sampling, findings, closing, resettlement, late evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.rights import Role, Seat
from tests.api.service import Service, branch

CYCLE = "/v1/cycles/2026-10/B01"
LOADS = ("deductions_loaded", "industry_loaded", "kpi_loaded", "deep_loaded")
SEATS = {
    "system": Seat(Role.INTEGRATION),
    "office": Seat(Role.BACK_OFFICE, "B01"),
    "leader": Seat(Role.BRANCH_LEADER, "B01"),
    "team": Seat(Role.TEAM_LEADER, "B01", "T1"),
    "department": Seat(Role.DEPARTMENT),
    "auditor": Seat(Role.AUDITOR),
    "payroll": Seat(Role.HR),
}
ORDER = (
    ("gs_rated", "leader"),
    *((step, "system") for step in LOADS),
    ("position_calculated", "office"),
    ("position_reviewed", "team"),
    ("total_calculated", "office"),
    ("total_reviewed", "leader"),
    ("submitted", "office"),
    ("audited", "auditor"),
    ("reported", "department"),
)
As = Callable[[str], dict[str, str]]


@pytest.fixture
def key_of(service: Service) -> As:
    """The header of each person's key."""
    accounts = service.app.state.book.accounts
    keys = {name: accounts.create(name, by="root", seats=[seat])[0] for name, seat in SEATS.items()}
    return lambda name: {"X-API-Key": keys[name]}


@pytest.fixture
def october(service: Service) -> Service:
    service.append(branch())
    return service


def do(service: Service, step: str, headers: dict[str, str], status: int = 201) -> dict[str, Any]:
    response = service.post(f"{CYCLE}/steps/{step}", json={}, headers=headers)
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    return body


def states(service: Service) -> dict[str, str]:
    return {step["step"]: step["state"] for step in service.get(CYCLE).json()["steps"]}


def through(service: Service, key_of: As, last: str) -> None:
    """The month up to a step."""
    for step, who in ORDER:
        do(service, step, key_of(who))
        if step == last:
            return


def test_a_month_goes_through_its_thirteen_steps_with_the_right_people_and_is_paid(october: Service, key_of: As):
    through(october, key_of, "reported")
    published = october.get(CYCLE).json()
    assert published["state"] == "published"
    assert published["objection_until"] is not None
    body = do(october, "paid", key_of("payroll"))
    assert body["state"] == "closed"
    assert set(states(october).values()) == {"done"}
    by_step = {step["step"]: step["by"] for step in body["steps"]}
    assert (by_step["position_calculated"], by_step["position_reviewed"], by_step["paid"]) == (
        "office",
        "team",
        "payroll",
    )
    assert {p["manager"] for p in body["closed"]["payments"]} == {"A", "B"}


@pytest.mark.parametrize(
    ("step", "who"), [("position_calculated", "leader"), ("audited", "office"), ("paid", "auditor")]
)
def test_a_step_is_done_by_its_owners_alone(october: Service, key_of: As, step: str, who: str):
    before = october.position
    detail = do(october, step, key_of(who), 403)["detail"]
    assert "无权办理" in detail
    assert october.position == before


def test_a_step_of_another_branch_is_not_theirs(october: Service, key_of: As):
    other = october.post("/v1/cycles/2026-10/B02/steps/gs_rated", json={}, headers=key_of("leader"))
    assert other.status_code == 403


def test_whoever_calculated_does_not_review(october: Service, key_of: As):
    through(october, key_of, "position_calculated")
    both, _ = october.app.state.book.accounts.create("both", by="root")  # an administrator: the rule holds for all
    do(october, "position_calculated", {"X-API-Key": both})
    refused = do(october, "position_reviewed", {"X-API-Key": both}, 403)
    assert refused["type"] == "/problems/separation_of_duties"
    do(october, "position_reviewed", key_of("team"))


def test_a_step_whose_turn_has_not_come_says_what_is_missing_and_who_does_it(october: Service, key_of: As):
    refused = do(october, "total_calculated", key_of("office"), 409)
    assert refused["type"] == "/problems/not_ready"
    for words in ("gs_rated", "branch leader, team leader", "kpi_loaded", "integration"):
        assert words in refused["detail"]


def test_a_step_that_is_done_again_makes_what_stands_on_it_outdated(october: Service, key_of: As):
    through(october, key_of, "total_reviewed")
    do(october, "kpi_loaded", key_of("system"))
    found = states(october)
    assert {step for step, state in found.items() if state == "outdated"} == {"total_calculated", "total_reviewed"}
    assert do(october, "submitted", key_of("office"), 409)["type"] == "/problems/not_ready"
    redone = do(october, "total_calculated", key_of("office"))
    assert next(s["times"] for s in redone["steps"] if s["step"] == "total_calculated") == 2


def test_a_calculation_settles_and_says_which_settlement_it_was(october: Service, key_of: As):
    through(october, key_of, "position_calculated")
    step = next(s for s in october.get(CYCLE).json()["steps"] if s["step"] == "position_calculated")
    (settlement,) = step["settlements"]
    assert october.get(f"/v1/settlements/{settlement}").json()["by"] == "office"


def test_of_two_who_act_on_one_state_the_second_is_told_what_changed(october: Service, key_of: As):
    tag = october.get(CYCLE).headers["ETag"]
    do(october, "kpi_loaded", key_of("system"))
    late = {**key_of("leader"), "If-Match": tag}
    refused = october.post(f"{CYCLE}/steps/gs_rated", json={}, headers=late)
    assert refused.status_code == 412
    assert "group KPI loaded (system" in refused.json()["detail"]
    fresh = {**key_of("leader"), "If-Match": october.get(CYCLE).headers["ETag"]}
    assert october.post(f"{CYCLE}/steps/gs_rated", json={}, headers=fresh).status_code == 201


def test_a_sample_is_drawn_by_the_size_and_seed_that_were_on_record_and_again_the_same(october: Service, key_of: As):
    through(october, key_of, "submitted")
    drawn = october.post(f"{CYCLE}/sample", json={"size": 1}, headers=key_of("auditor"))
    assert drawn.status_code == 201
    (kept,) = october.get(CYCLE).json()["samples"]
    assert kept["managers"] == drawn.json()["managers"]
    assert (kept["size"], len(kept["managers"]), len(kept["seed"])) == (1, 1, 64)
    assert october.post(f"{CYCLE}/sample", json={"size": 1}, headers=key_of("office")).status_code == 403
    other = october.post(
        f"{CYCLE}/sample", json={"size": 2, "by_team": True, "by_amount": True}, headers=key_of("auditor")
    )
    assert other.json()["managers"] == ["A", "B"]
    assert other.json()["seed"] != kept["seed"]


def test_a_blocking_finding_holds_up_the_closing_until_it_is_resolved(october: Service, key_of: As):
    through(october, key_of, "reported")
    auditor, payroll = key_of("auditor"), key_of("payroll")
    for text, blocking in (("凭证缺失", True), ("字迹不清", False)):
        october.post(f"{CYCLE}/findings", json={"text": text, "manager": "A", "blocking": blocking}, headers=auditor)
    refused = october.post(f"{CYCLE}/close", json={}, headers=payroll)
    assert refused.status_code == 409
    assert "凭证缺失" in refused.json()["detail"]
    assert "字迹不清" not in refused.json()["detail"]
    assert october.post(f"{CYCLE}/findings/1/resolve", json={"text": "已补"}, headers=auditor).status_code == 201
    assert october.post(f"{CYCLE}/findings/1/resolve", json={"text": "已补"}, headers=auditor).status_code == 409
    assert october.post(f"{CYCLE}/findings/9/resolve", json={"text": "已补"}, headers=auditor).status_code == 404
    assert october.post(f"{CYCLE}/close", json={}, headers=payroll).status_code == 201


def test_a_month_that_has_begun_is_not_closed_before_its_steps_are_done(october: Service, key_of: As):
    through(october, key_of, "total_reviewed")
    refused = october.post(f"{CYCLE}/close", json={}, headers=key_of("payroll"))
    assert refused.json()["type"] == "/problems/not_ready"
    assert "reported" in refused.json()["detail"]


def test_a_month_without_a_process_is_closed_on_its_settlement_and_resettled(october: Service, key_of: As):
    payroll = key_of("payroll")
    october.settle()
    closed = october.post(f"{CYCLE}/close", json={}, headers=payroll)
    assert closed.status_code == 201
    assert closed.json()["managers"] == 2
    again = october.post(f"{CYCLE}/close", json={}, headers=payroll)
    assert again.json()["type"] == "/problems/closed"
    settled = october.post("/v1/settlements", json={"period": "2026-10", "branch": "B01"})
    assert settled.json()["type"] == "/problems/closed"
    before = october.get("/v1/statements/2026-10/B").json()
    october.append([branch().put("deduction", "B", "member_retention", points="4.5", source="late")])
    (late,) = october.get(f"{CYCLE}/late").json()["late"]
    assert (late["entry"]["source"], late["effect"], late["after"]) == ("late", "-4.5", "close")  # a yuan a point
    done = october.post(f"{CYCLE}/resettle", json={"reason": "迟到的扣减"}, headers=payroll).json()
    assert [(p["manager"], p["item"], p["amount"], p["month"]) for p in done["postings"]] == [
        ("B", "clawback", "4.5", "2026-11")
    ]
    assert october.post(f"{CYCLE}/resettle", json={"reason": "again"}, headers=payroll).json()["postings"] == []
    after = october.get("/v1/statements/2026-10/B").json()
    assert (before["payable"], before["payment"]["paid"]) == (before["steps"]["pay"], True)
    assert (after["version"], after["payable"], after["payment"]["version"]) == (2, before["payable"], 1)
    assert october.get(CYCLE).json()["resettlements"][0]["reason"] == "迟到的扣减"


def test_the_memo_says_what_was_settled_and_who_did_what_under_a_digest(october: Service, key_of: As):
    assert october.get(f"{CYCLE}/memo").status_code == 409
    through(october, key_of, "submitted")
    memo = october.get(f"{CYCLE}/memo").json()
    assert memo == october.get(f"{CYCLE}/memo").json()
    assert memo["document"]["settlements"][0]["managers"] == 2
    assert "人力资源部" in memo["text"]
    assert "积分总和报送：office" in memo["text"]


def test_interviews_and_agreements_stand_on_a_persons_page(october: Service, key_of: As):
    accounts = october.app.state.book.accounts
    accounts.open("a", [Seat(Role.MANAGER, manager="A")], by="root", manager="A")
    own = {"X-API-Key": accounts.create("a", by="root")[0]}
    talk = {"period": "2026-10", "held_on": "2026-11-25", "held_by": "班组长", "agreed": "补齐回收"}
    plan = [{"what": "欠费回收", "until": "2026-12-10"}]
    url = "/v1/managers/A"
    assert october.post(f"{url}/feedback", json=talk | {"plan": plan}, headers=key_of("team")).status_code == 201
    assert october.post(f"{url}/feedback", json=talk, headers=own).status_code == 403
    assert october.get(url, headers=own).json()["to_acknowledge"] == [{"rulebook": "elastic-pay", "version": "3.0.0"}]
    agreed = {"rulebook": "elastic-pay", "version": "3.0.0"}
    for _ in range(2):
        assert october.post(f"{url}/acknowledgements", json=agreed, headers=own).status_code == 201
    page = october.get(url, headers=own).json()
    assert [f["plan"] for f in page["feedback"]] == [plan]
    assert [a["by"] for a in page["acknowledged"]] == ["a"]
    assert page["to_acknowledge"] == []
    assert october.get("/v1/managers/B", headers=own).status_code == 403


def test_their_own_running_month_is_shown_as_provisional(october: Service, key_of: As):
    body = october.get("/v1/statements/2026-10/A", params={"as_of": october.position}).json()
    assert body["provisional"] is True
    october.settle()
    assert october.get("/v1/statements/2026-10/A").json()["provisional"] is False


def test_what_was_settled_after_its_review_is_not_paid_and_who_settled_does_not_review(october: Service, key_of: As):
    through(october, key_of, "reported")
    asked = {"period": "2026-10", "branch": "B01"}
    assert october.post("/v1/settlements", json=asked, headers=key_of("payroll")).status_code == 201
    refused = october.post(f"{CYCLE}/close", json={}, headers=key_of("payroll"))
    assert refused.status_code == 409
    assert "total_calculated" in refused.json()["detail"]
    october.app.state.book.accounts.give("leader", Seat(Role.BACK_OFFICE, "B01"), by="root")
    do(october, "total_calculated", key_of("office"))
    assert october.post("/v1/settlements", json=asked, headers=key_of("leader")).status_code == 201
    assert do(october, "total_reviewed", key_of("leader"), 403)["type"] == "/problems/separation_of_duties"


def test_a_team_leader_sees_the_steps_and_not_what_others_are_paid(october: Service, key_of: As):
    october.settle()
    assert october.post(f"{CYCLE}/close", json={}, headers=key_of("payroll")).status_code == 201
    assert october.get(CYCLE, headers=key_of("team")).json()["closed"]["payments"] == []
    assert len(october.get(CYCLE, headers=key_of("leader")).json()["closed"]["payments"]) == 2


def test_postings_are_recorded_by_whoever_resettles_alone(october: Service, key_of: As):
    posting = {"kind": "adjustment", "source": "x", "source_id": "1", "manager": "A", "month": "2026-11"}
    posting |= {"item": "back_pay", "amount": "9999", "reason": "r"}
    assert october.post("/v1/entries", json=posting, headers=key_of("office")).status_code == 403
    assert october.post("/v1/entries", json=posting, headers=key_of("payroll")).status_code == 201
    own = posting | {"source": "merit", "source_id": "posting-99-1"}
    assert october.post("/v1/entries", json=own, headers=key_of("payroll")).status_code == 403
