"""A branch's month over HTTP: the steps and their people, sampling, findings, closing,
resettlement, late evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.identifiers import Period
from domain.rights import Role, Seat
from tests.api.service import ODD_TAGS, Service, branch
from tests.closing import acknowledge_all
from tests.worksheet import Ledger as Sheet

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
    accounts = service.app.state.service.accounts
    keys = {
        name: accounts.keys.create(name, by="root", seats=[seat])[0] for name, seat in SEATS.items()
    }
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
        if step == "total_reviewed":
            acknowledge_all(service.app.state.service)
        do(service, step, key_of(who))
        if step == last:
            return


def test_a_month_goes_through_its_thirteen_steps_with_the_right_people_and_is_paid(
    october: Service, key_of: As
):
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
    both, _ = october.app.state.service.accounts.keys.create(
        "both", by="root"
    )  # an administrator: the rule holds for all
    do(october, "position_calculated", {"X-API-Key": both})
    refused = do(october, "position_reviewed", {"X-API-Key": both}, 403)
    assert refused["type"] == "/problems/separation_of_duties"
    do(october, "position_reviewed", key_of("team"))


def test_a_step_whose_turn_has_not_come_says_what_is_missing_and_who_does_it(
    october: Service, key_of: As
):
    refused = do(october, "total_calculated", key_of("office"), 409)
    assert refused["type"] == "/problems/not_ready"
    for words in ("gs_rated", "branch leader, team leader", "kpi_loaded", "integration"):
        assert words in refused["detail"]


def test_a_step_that_is_done_again_makes_what_stands_on_it_outdated(october: Service, key_of: As):
    through(october, key_of, "total_reviewed")
    do(october, "kpi_loaded", key_of("system"))
    found = states(october)
    assert {step for step, state in found.items() if state == "outdated"} == {
        "total_calculated",
        "total_reviewed",
    }
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


def test_a_sample_is_drawn_by_the_size_and_seed_that_were_on_record_and_again_the_same(
    october: Service, key_of: As
):
    through(october, key_of, "submitted")
    drawn = october.post(f"{CYCLE}/sample", json={"size": 1}, headers=key_of("auditor"))
    assert drawn.status_code == 201
    (kept,) = october.get(CYCLE).json()["samples"]
    assert kept["managers"] == drawn.json()["managers"]
    assert (kept["size"], len(kept["managers"]), len(kept["seed"])) == (1, 1, 64)
    assert (
        october.post(f"{CYCLE}/sample", json={"size": 1}, headers=key_of("office")).status_code
        == 403
    )
    again = october.post(f"{CYCLE}/sample", json={"size": 1}, headers=key_of("auditor"))
    assert again.json()["managers"] == kept["managers"]
    assert again.json()["position"] == october.position  # which stands on record once
    assert len(october.get(CYCLE).json()["samples"]) == 1
    other = october.post(
        f"{CYCLE}/sample",
        json={"size": 2, "by_team": True, "by_amount": True},
        headers=key_of("auditor"),
    )
    assert other.json()["managers"] == ["A", "B"]
    assert (
        other.json()["seed"] == kept["seed"]
    )  # of the submission: nobody chooses, and nobody chooses again


def test_a_blocking_finding_holds_up_the_closing_until_it_is_resolved(october: Service, key_of: As):
    through(october, key_of, "reported")
    auditor, payroll = key_of("auditor"), key_of("payroll")
    for wrong in ({"text": "x", "manager": "Z"}, {"text": " "}):
        assert october.post(f"{CYCLE}/findings", json=wrong, headers=auditor).status_code in {
            409,
            422,
        }
    for text, blocking in (("凭证缺失", True), ("字迹不清", False)):
        october.post(
            f"{CYCLE}/findings",
            json={"text": text, "manager": "A", "blocking": blocking},
            headers=auditor,
        )
    refused = october.post(f"{CYCLE}/close", json={}, headers=payroll)
    assert refused.status_code == 409
    assert "凭证缺失" in refused.json()["detail"]
    assert "字迹不清" not in refused.json()["detail"]
    assert (
        october.post(
            f"{CYCLE}/findings/1/resolve", json={"text": "已补"}, headers=auditor
        ).status_code
        == 201
    )
    first = october.get(CYCLE).json()["findings"][0]
    assert (first["resolved"], first["resolved_by"], first["by"]) == ("已补", "auditor", "auditor")
    assert (
        october.post(
            f"{CYCLE}/findings/1/resolve", json={"text": "已补"}, headers=auditor
        ).status_code
        == 409
    )
    assert (
        october.post(
            f"{CYCLE}/findings/9/resolve", json={"text": "已补"}, headers=auditor
        ).status_code
        == 404
    )
    assert october.post(f"{CYCLE}/close", json={}, headers=payroll).status_code == 201


def test_a_month_that_has_begun_is_not_closed_before_its_steps_are_done(
    october: Service, key_of: As
):
    through(october, key_of, "total_reviewed")
    refused = october.post(f"{CYCLE}/close", json={}, headers=key_of("payroll"))
    assert refused.json()["type"] == "/problems/not_ready"
    assert "reported" in refused.json()["detail"]


def test_a_month_without_a_process_is_closed_on_its_settlement_and_resettled(
    october: Service, key_of: As
):
    payroll = key_of("payroll")
    october.settle()
    acknowledge_all(october.app.state.service)
    closed = october.post(f"{CYCLE}/close", json={}, headers=payroll)
    assert closed.status_code == 201
    assert closed.json()["managers"] == 2
    again = october.post(f"{CYCLE}/close", json={}, headers=payroll)
    assert again.json()["type"] == "/problems/closed"
    settled = october.post("/v1/settlements", json={"period": "2026-10", "branch": "B01"})
    assert settled.json()["type"] == "/problems/closed"
    before = october.get("/v1/statements/2026-10/B").json()
    october.append(
        [branch().put("deduction", "B", "member_retention", points="4.5", source="late")]
    )
    (late,) = october.get(f"{CYCLE}/late").json()["late"]
    assert (late["entry"]["source"], late["effect"], late["after"]) == (
        "late",
        "-4.5",
        "close",
    )  # a yuan a point
    done = october.post(f"{CYCLE}/resettle", json={"reason": "迟到的扣减"}, headers=payroll).json()
    assert [(p["manager"], p["item"], p["amount"], p["month"]) for p in done["postings"]] == [
        ("B", "clawback", "4.5", "2026-11")
    ]
    assert (
        october.post(f"{CYCLE}/resettle", json={"reason": "again"}, headers=payroll).json()[
            "postings"
        ]
        == []
    )
    after = october.get("/v1/statements/2026-10/B").json()
    assert (before["payable"], before["payment"]["paid"]) == (before["steps"]["pay"], True)
    assert (after["version"], after["payable"], after["payment"]["version"]) == (
        2,
        before["payable"],
        1,
    )
    assert october.get(CYCLE).json()["resettlements"][0]["reason"] == "迟到的扣减"


def test_the_memo_says_what_was_settled_and_who_did_what_under_a_digest(
    october: Service, key_of: As
):
    assert october.get(f"{CYCLE}/memo").status_code == 409
    lacking = Sheet()
    for name, grade in (("A", 6), ("B", 8)):
        industry = {"attributes": {"industry": "education"}, "source_id": f"industry-{name}"}
        lacking.hire(name, grade, **industry)
    october.append(lacking)
    through(october, key_of, "submitted")
    draft = october.get(f"{CYCLE}/memo").json()
    assert draft["document"]["reported"] is None
    assert "草稿" in draft["text"]["zh"]
    for step, who in (("audited", "auditor"), ("reported", "department")):
        do(october, step, key_of(who))
    memo = october.get(f"{CYCLE}/memo").json()
    (settled,) = memo["document"]["settlements"]
    assert [(p["manager"], p["pay"]) for p in settled["people"]] == [
        (name, october.get(f"/v1/statements/2026-10/{name}").json()["steps"]["pay"])
        for name in ("A", "B")
    ]
    checked = {(f["code"], f["about"]): f for f in memo["document"]["check"]}
    assert checked["missing", "gs_adjustment"]["managers"] == ["A", "B"]
    assert checked["missing", "gs_adjustment"]["acknowledged"]["by"] == "hr"
    assert checked["cap", "performance_points"]["acknowledged"] is None
    for words in (
        "人力资源部",
        "积分总和报送：office",
        "未抽样",
        "月检 missing（缺少的评价和指标值） gs_adjustment：2；hr ",
    ):
        assert words in memo["text"]["zh"]
    assert "submitted: office" in memo["text"]["en"]
    october.post(
        f"{CYCLE}/findings", json={"text": "字迹不清", "blocking": False}, headers=key_of("auditor")
    )
    do(october, "paid", key_of("payroll"))
    october.append([branch().put("sale", "A", "no_such", quantity="1", source="late")])
    assert october.get(f"{CYCLE}/memo").json() == memo  # as it was reported, for ever
    assert (
        october.get(f"{CYCLE}/memo", headers=key_of("team")).status_code == 403
    )  # it has everyone's pay


def test_a_published_month_shows_the_branch_points_and_never_pay(october: Service, key_of: As):
    accounts = october.app.state.service.accounts
    for manager, seat in (
        ("A", Seat(Role.MANAGER, manager="A")),
        ("Z", Seat(Role.MANAGER, manager="Z")),
    ):
        accounts.open(manager.lower(), [seat], by="root", manager=manager)
    own, stranger = ({"X-API-Key": accounts.keys.create(name, by="root")[0]} for name in ("a", "z"))
    address = f"{CYCLE}/publication"
    assert october.get(address, headers=own).status_code == 409
    through(october, key_of, "reported")
    shown = october.get(address, headers=own).json()
    assert [person["manager"] for person in shown["people"]] == ["A", "B"]
    issued = october.get("/v1/statements/2026-10/A").json()["steps"]
    steps = shown["people"][0]["steps"]
    assert steps["total_points"] == issued["total_points"]
    assert {"pay", "minimum_wage"}.isdisjoint(steps)
    assert shown["objection_until"] == october.get(CYCLE).json()["objection_until"]
    assert october.get(address, headers=stranger).status_code == 403
    assert october.get(address, headers=key_of("team")).status_code == 200


def test_interviews_and_agreements_stand_on_a_persons_page(october: Service, key_of: As):
    accounts = october.app.state.service.accounts
    accounts.open("a", [Seat(Role.MANAGER, manager="A")], by="root", manager="A")
    own = {"X-API-Key": accounts.keys.create("a", by="root")[0]}
    talk = {"period": "2026-10", "held_on": "2026-11-25", "held_by": "班组长", "agreed": "补齐回收"}
    plan = [{"what": "欠费回收", "until": "2026-12-10"}]
    url = "/v1/managers/A"
    assert (
        october.post(
            f"{url}/feedback", json=talk | {"plan": plan}, headers=key_of("team")
        ).status_code
        == 201
    )
    assert october.post(f"{url}/feedback", json=talk, headers=own).status_code == 403
    assert october.get(url, headers=own).json()["to_acknowledge"] == [
        {"rulebook": "elastic-pay", "version": "3.0.0"}
    ]
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


def test_what_was_settled_after_its_review_is_not_paid_and_who_settled_does_not_review(
    october: Service, key_of: As
):
    through(october, key_of, "reported")
    asked = {"period": "2026-10", "branch": "B01"}
    assert october.post("/v1/settlements", json=asked, headers=key_of("payroll")).status_code == 201
    refused = october.post(f"{CYCLE}/close", json={}, headers=key_of("payroll"))
    assert refused.status_code == 409
    for step in ("total_calculated", "total_reviewed", "submitted", "audited", "reported"):
        assert step in refused.json()["detail"]
        assert states(october)[step] == "outdated"
    october.app.state.service.accounts.give("leader", Seat(Role.BACK_OFFICE, "B01"), by="root")
    do(october, "total_calculated", key_of("leader"))
    assert (
        do(october, "total_reviewed", key_of("leader"), 403)["type"]
        == "/problems/separation_of_duties"
    )
    do(october, "total_reviewed", key_of("team"))


@pytest.mark.parametrize(
    ("last", "then"), [("total_calculated", "total_reviewed"), ("audited", "reported")]
)
def test_what_was_settled_since_is_not_reviewed_or_reported(
    october: Service, key_of: As, last: str, then: str
):
    through(october, key_of, last)
    asked = {"period": "2026-10", "branch": "B01"}
    assert october.post("/v1/settlements", json=asked, headers=key_of("payroll")).status_code == 201
    whose = dict(ORDER)[then]
    assert do(october, then, key_of(whose), 409)["type"] == "/problems/not_ready"


def test_a_step_that_was_done_after_its_day_stays_overdue(october: Service, key_of: As):
    body = do(october, "kpi_loaded", key_of("system"))
    late = next(step for step in body["steps"] if step["step"] == "kpi_loaded")
    assert late["overdue"] == (late["at"][:10] > "2026-11-12")


def test_a_branch_that_nobody_was_ever_assigned_to_has_no_month(october: Service, key_of: As):
    nowhere = "/v1/cycles/2026-10/B77"
    assert october.get(nowhere).status_code == 404
    for path, who in (("steps/kpi_loaded", "system"), ("close", "payroll"), ("sample", "auditor")):
        body = {"size": 1} if path == "sample" else {}
        assert october.post(f"{nowhere}/{path}", json=body, headers=key_of(who)).status_code == 404


def test_a_team_leader_sees_the_steps_and_not_what_others_are_paid(october: Service, key_of: As):
    october.settle()
    acknowledge_all(october.app.state.service)
    assert october.post(f"{CYCLE}/close", json={}, headers=key_of("payroll")).status_code == 201
    assert october.get(CYCLE, headers=key_of("team")).json()["closed"]["payments"] == []
    assert len(october.get(CYCLE, headers=key_of("leader")).json()["closed"]["payments"]) == 2


def test_postings_by_hand_are_for_whoever_resettles_and_those_of_resettlements_are_nobodys(
    october: Service, key_of: As
):
    def sent(who: str, **entry: Any) -> list[str]:
        response = october.post(
            "/v1/entries", json={"source": "x", "month": "2026-11"} | entry, headers=key_of(who)
        )
        assert response.status_code in {201, 403, 422}, response.text
        results = response.json().get("results", [{"status": "forbidden", "reasons": []}])
        return [results[0]["status"], *(reason["code"] for reason in results[0]["reasons"])]

    posting = {
        "kind": "adjustment",
        "manager": "A",
        "item": "back_pay",
        "amount": "70",
        "reason": "r",
    }
    assert sent("office", source_id="1", **posting) == ["forbidden"]
    for key in (
        {"source": "merit", "source_id": "posting-99-1"},
        {"source": "appeal", "source_id": "A2026-10-1-1-1"},
    ):
        assert sent("payroll", **key, **posting) == ["rejected", "reserved"]
    assert sent("payroll", source_id="1", **posting) == ["accepted"]
    undo = {"kind": "reversal", "reason": "r"}
    for named, number in (("1", "2"), ("2", "3")):  # taken back, and the taking back taken back
        reverses = {"source": "x", "source_id": named}
        entry = {"source": "x", "source_id": number, "reverses": reverses, **undo}
        assert october.post("/v1/entries", json=entry, headers=key_of("office")).status_code == 403
        assert october.post("/v1/entries", json=entry, headers=key_of("payroll")).status_code == 201
    named = {
        "manager": "A",
        "item": "back_pay",
    }  # what is named so and is no adjustment is no posting
    assert sent("office", kind="sale", source_id="4", quantity="1", amount="9999", **named) == [
        "accepted"
    ]
    assert sent("office", kind="rating", source_id="5", score="1", **named) == ["accepted"]
    floor = {
        "kind": "measure",
        "source": "hr",
        "source_id": "floor",
        "month": "2026-11",
        "item": "minimum_wage",
    }
    assert (
        october.post("/v1/entries", json=floor | {"branch": "B01", "value": "1680"}).status_code
        == 201
    )
    asked = {"period": "2026-11", "branch": "B01"}
    assert october.post("/v1/settlements", json=asked, headers=key_of("office")).status_code == 201
    acknowledge_all(october.app.state.service, Period.parse("2026-11"))
    closed = october.post("/v1/cycles/2026-11/B01/close", json={}, headers=key_of("payroll")).json()
    assert {p["manager"]: p["back_pay"] for p in closed["payments"]} == {"A": "70", "B": "0"}


def test_a_seat_in_a_team_closes_no_month_of_the_branch(october: Service, key_of: As):
    through(october, key_of, "reported")
    accounts = october.app.state.service.accounts
    secret, _ = accounts.keys.create("of-a-team", by="root", seats=[Seat(Role.HR, "B01", "T1")])
    assert do(october, "paid", {"X-API-Key": secret}, 403)["type"] == "/problems/forbidden"
    do(october, "paid", key_of("payroll"))


def test_late_evidence_says_whom_it_is_about_and_is_for_who_reads_the_entries(
    october: Service, key_of: As
):
    first = next(e for e in branch() if e["kind"] == "deduction")
    october.settle()
    acknowledge_all(october.app.state.service)
    assert october.post(f"{CYCLE}/close", headers=key_of("payroll")).status_code == 201
    undo = {"kind": "reversal", "source": "late", "source_id": "undo", "reason": "重复"}
    undo["reverses"] = {"source": first["source"], "source_id": first["source_id"]}
    october.append(
        [branch().put("deduction", "A", "member_retention", points="4.5", source="late"), undo]
    )
    own, reversal = october.get(f"{CYCLE}/late", headers=key_of("payroll")).json()["late"]
    assert own["about"] == {"manager": "A", "branch": None, "item": "member_retention"}
    assert reversal["about"] == {"manager": "B", "branch": None, "item": "member_retention"}
    assert [(line["after"], line["appeal"]) for line in (own, reversal)] == [("close", None)] * 2
    assert october.get(f"{CYCLE}/late", headers=key_of("team")).status_code == 403


def test_without_a_body_a_step_and_the_close_are_done_as_with_an_empty_one(
    october: Service, key_of: As
):
    done = october.post(f"{CYCLE}/steps/kpi_loaded", headers=key_of("system"))
    assert done.status_code == 201
    assert next(s["note"] for s in done.json()["steps"] if s["step"] == "kpi_loaded") is None
    november = "/v1/cycles/2026-11/B01"
    assert (
        october.post("/v1/settlements", json={"period": "2026-11", "branch": "B01"}).status_code
        == 422
    )
    october.append(
        [branch().put("measure", item="minimum_wage", value="1680", branch="B01", month="2026-11")]
    )
    october.settle("2026-11")
    acknowledge_all(october.app.state.service, Period.parse("2026-11"))
    closed = october.post(f"{november}/close", headers=key_of("payroll"))
    assert (closed.status_code, closed.json()["managers"]) == (201, 2)


@pytest.mark.parametrize("path", ["sample", "findings", "findings/1/resolve", "resettle"])
def test_without_a_body_what_wants_fields_says_that_they_are_missing(october: Service, path: str):
    before = october.position
    refused = october.post(f"{CYCLE}/{path}")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid")
    assert [reason["code"] for reason in refused.json()["reasons"]] == ["missing_field"]
    assert october.position == before


@pytest.mark.parametrize("tag", ODD_TAGS)
def test_a_tag_that_is_none_of_the_months_is_another_state_whatever_it_looks_like(
    october: Service, key_of: As, tag: bytes
):
    before = october.position
    for path, who in (("steps/kpi_loaded", "system"), ("close", "payroll")):
        refused = october.post(f"{CYCLE}/{path}", headers={**key_of(who), "If-Match": tag})
        assert (refused.status_code, refused.json()["type"]) == (
            412,
            "/problems/precondition_failed",
        )
    assert october.position == before


def test_a_character_that_no_database_keeps_is_refused_and_everything_still_reads(
    october: Service, key_of: As
):
    auditor, payroll = key_of("auditor"), key_of("payroll")
    october.settle()
    acknowledge_all(october.app.state.service)
    assert october.post(f"{CYCLE}/close", headers=payroll).status_code == 201
    october.append(
        [branch().put("deduction", "B", "member_retention", points="4.5", source="late")]
    )
    assert (
        october.post(f"{CYCLE}/findings", json={"text": "凭证缺失"}, headers=auditor).status_code
        == 201
    )
    before = october.position
    for path, body, who in (
        ("resettle", {"reason": "a\0b"}, payroll),
        ("findings", {"text": "a\0b"}, auditor),
        ("findings/1/resolve", {"text": "\0a"}, auditor),
        ("steps/kpi_loaded", {"note": "a\0"}, key_of("system")),
    ):
        refused = october.post(f"{CYCLE}/{path}", json=body, headers=who)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid"), path
    assert october.position == before
    assert (
        october.post(
            f"{CYCLE}/resettle", json={"reason": "迟到的扣减"}, headers=payroll
        ).status_code
        == 201
    )
    for address in (
        CYCLE,
        f"{CYCLE}/late",
        f"{CYCLE}/memo",
        "/v1/entries",
        "/v1/statements/2026-11/B",
    ):
        assert october.get(address).status_code == 200, address
