"""Appeals over HTTP: who may do what when, what a decision carries out and for whom, and that it is
done once.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from domain.identifiers import Period
from domain.processes.appeal import REJECTIONS
from domain.processes.branch_month import STEPS
from domain.rights import Role, Seat
from projections.appeals import carry_out as carrying_out
from projections.appeals import process as appeals
from projections.month.cycle import Cycle
from tests.api.service import ODD_TAGS, Service
from tests.closing import acknowledge_all
from tests.ten_people import APPEALED, DISPLACED, HER, ten_people
from tests.worksheet import Ledger as Sheet

SEATS = {
    "clerk": Seat(Role.BACK_OFFICE, "B01"),
    "hers": Seat(Role.MANAGER, manager=HER),
    "colleague": Seat(Role.MANAGER, manager=DISPLACED),
    "leader": Seat(Role.BRANCH_LEADER, "B01"),
    "handler": Seat(Role.HR),
    "decider": Seat(Role.HR),
    "committee": Seat(Role.DEPARTMENT),
    "payroll": Seat(Role.HR),
}
SOURCE, _, NUMBER = APPEALED.partition(":")
REVERSAL = {"kind": "reversal", "reverses": {"source": SOURCE, "source_id": NUMBER}}
As = Callable[[str], dict[str, str]]


@pytest.fixture
def key_of(service: Service) -> As:
    accounts = service.app.state.service.accounts
    keys = {
        name: accounts.keys.create(name, by="root", seats=[seat])[0] for name, seat in SEATS.items()
    }
    return lambda name: {"X-API-Key": keys[name]}


@pytest.fixture
def october(service: Service, key_of: As) -> Service:
    """The ten people, recorded by a system and settled by the clerk."""
    service.app.state.service.accounts.keys.create(
        "system", by="root", seats=[Seat(Role.INTEGRATION)]
    )
    service.append(ten_people())
    asked = {"period": "2026-10", "branch": "B01"}
    assert service.post("/v1/settlements", json=asked, headers=key_of("clerk")).status_code == 201
    return service


@pytest.fixture
def closed(october: Service, key_of: As) -> Service:
    acknowledge_all(october.app.state.service)
    assert (
        october.post("/v1/cycles/2026-10/B01/close", json={}, headers=key_of("payroll")).status_code
        == 201
    )
    return october


def post(
    service: Service, url: str, headers: dict[str, str], status: int = 201, **body: Any
) -> dict[str, Any]:
    response = service.post(url, json=body, headers=headers)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


def filed(service: Service, key_of: As) -> str:
    body = post(
        service,
        "/v1/appeals",
        key_of("hers"),
        manager=HER,
        period="2026-10",
        reason="有误",
        lines=["deduction"],
    )
    return f"/v1/appeals/{body['appeal']}"


def proposed(service: Service, key_of: As) -> str:
    """Accepted, and the handler has proposed to reverse the deduction."""
    url = filed(service, key_of)
    post(service, f"{url}/accept", key_of("handler"))
    post(service, f"{url}/evidence", key_of("handler"), note="重复计入", entries=[REVERSAL])
    return url


def test_an_appeal_that_is_upheld_after_the_close_is_paid_in_the_open_month(
    closed: Service, key_of: As
):
    url = proposed(closed, key_of)
    body = post(
        closed, f"{url}/decide", key_of("decider"), decision="upheld", reason="属实", proposal=1
    )
    assert body["state"] == "carried_out"
    (done,) = body["carried_out"]
    assert (done["before"], done["after"], done["month"], done["resettled"]) == (
        "1635",
        "2085",
        "2026-11",
        True,
    )
    assert [(p["manager"], p["item"], p["amount"]) for p in body["postings"]] == [
        (HER, "back_pay", "450"),
        (DISPLACED, "clawback", "200"),
    ]
    name = url.rpartition("/")[2]
    entry = closed.get("/v1/entries", params={"kind": "reversal"}).json()["entries"][0]
    assert (entry["entry"]["source"], entry["entry"]["source_id"], entry["by"]) == (
        "appeal",
        f"{name}-1-1",
        "decider",
    )
    assert name in entry["entry"]["reason"]
    (late,) = closed.get("/v1/cycles/2026-10/B01/late").json()["late"]
    assert (late["entry"]["source"], late["effect"]) == ("appeal", "250")
    post(closed, f"{url}/notify", key_of("handler"), note="当面告知")
    hers = closed.get(url, headers=key_of("hers")).json()
    assert [step["what"] for step in hers["history"]] == [
        "appeal-filed", "appeal-accepted", "correction-proposed", "appeal-decided",
        "appeal-carried-out", "appeal-notified",
    ]  # fmt: skip


def test_in_an_open_month_the_correction_is_recorded_and_the_month_is_still_to_be_settled(
    october: Service, key_of: As
):
    url = proposed(october, key_of)
    body = post(
        october,
        f"{url}/decide",
        key_of("decider"),
        decision="partly_upheld",
        reason="属实",
        proposal=1,
    )
    (done,) = body["carried_out"]
    assert (done["before"], done["after"], done["month"], done["resettled"]) == (
        "1635",
        "2085",
        "2026-10",
        False,
    )
    assert body["postings"] == []


def test_whoever_rated_or_calculated_or_proposed_does_not_decide(october: Service, key_of: As):
    accounts = october.app.state.service.accounts
    system, _ = accounts.keys.create("hr", by="root")  # recorded the ratings
    url = proposed(october, key_of)
    asked = {"decision": "upheld", "reason": "属实", "proposal": 1}
    for who, words in (({"X-API-Key": system}, "评价了该月"), (key_of("handler"), "提出了该更正")):
        refused = post(october, f"{url}/decide", who, 403, **asked)
        assert refused["type"] == "/problems/separation_of_duties"
        assert words in refused["detail"]
    accounts.give("clerk", Seat(Role.HR), by="root")
    assert "计算了该月" in post(october, f"{url}/decide", key_of("clerk"), 403, **asked)["detail"]
    assert (
        post(october, f"{url}/decide", key_of("leader"), 403, **asked)["type"]
        == "/problems/forbidden"
    )
    post(october, f"{url}/decide", key_of("decider"), **asked)


def test_nobody_appeals_for_a_colleague_or_reads_their_appeal(october: Service, key_of: As):
    asked = {"manager": HER, "period": "2026-10", "reason": "有误"}
    assert october.post("/v1/appeals", json=asked, headers=key_of("colleague")).status_code == 403
    url = filed(october, key_of)
    assert october.get(url, headers=key_of("colleague")).status_code == 403
    assert october.get(url, headers=key_of("leader")).status_code == 200


def test_an_act_that_the_state_does_not_allow_says_the_state_and_who_can_do_what(
    october: Service, key_of: As
):
    url = filed(october, key_of)
    refused = post(
        october, f"{url}/decide", key_of("decider"), 409, decision="dismissed", reason="无误"
    )
    assert refused["type"] == "/problems/wrong_state"
    for words in ("is filed", "accept it (HR, department", "withdraw it (the manager themselves"):
        assert words in refused["detail"]


def test_a_correction_that_the_ledger_would_refuse_is_refused_with_every_reason(
    october: Service, key_of: As
):
    url = filed(october, key_of)
    post(october, f"{url}/accept", key_of("handler"))
    wrong = [
        {"kind": "reversal", "reverses": {"source": "x", "source_id": "none"}},
        {"kind": "adjustment", "manager": HER, "month": "2026-10"},
    ]
    refused = post(october, f"{url}/evidence", key_of("handler"), 422, note="n", entries=wrong[1:])
    assert {r["field"] for r in refused["reasons"]} == {"entries.0.points"}
    refused = post(october, f"{url}/evidence", key_of("handler"), 422, note="n", entries=wrong[:1])
    assert refused["reasons"][0]["field"].startswith("entries.0")
    assert october.get(url).json()["proposals"] == []


def test_an_adjustment_of_a_decision_names_the_appeal(october: Service, key_of: As):
    url = filed(october, key_of)
    post(october, f"{url}/accept", key_of("handler"))
    grant = {"kind": "adjustment", "manager": HER, "month": "2026-10", "amount": "120"}
    post(october, f"{url}/evidence", key_of("handler"), note="补偿", entries=[grant])
    body = post(
        october,
        f"{url}/decide",
        key_of("decider"),
        decision="partly_upheld",
        reason="部分",
        proposal=1,
    )
    entry = october.get("/v1/entries", params={"kind": "adjustment"}).json()["entries"][0]["entry"]
    assert entry["appeal"] == url.rpartition("/")[2]
    assert body["carried_out"][0]["after"] == "1755"


def test_a_dismissed_appeal_changes_nothing_and_may_be_reviewed_once_by_somebody_else(
    closed: Service, key_of: As
):
    url = proposed(closed, key_of)
    post(
        closed,
        f"{url}/decide",
        key_of("decider"),
        409,
        decision="dismissed",
        reason="无误",
        proposal=1,
    )
    post(closed, f"{url}/decide", key_of("decider"), 409, decision="upheld", reason="属实")
    body = post(closed, f"{url}/decide", key_of("decider"), decision="dismissed", reason="无误")
    assert (body["state"], body["carried_out"]) == ("decided", [])
    post(closed, f"{url}/review", key_of("hers"), reason="不服")
    again = {"decision": "upheld", "reason": "复核属实", "proposal": 1}
    assert "原裁决" in post(closed, f"{url}/decide", key_of("decider"), 403, **again)["detail"]
    body = post(closed, f"{url}/decide", key_of("committee"), **again)
    assert (body["state"], body["carried_out"][0]["after"]) == ("carried_out", "2085")
    assert (
        "was reviewed once"
        in post(closed, f"{url}/review", key_of("hers"), 409, reason="再来")["detail"]
    )


def test_it_may_be_withdrawn_until_it_is_decided(october: Service, key_of: As):
    url = filed(october, key_of)
    body = post(october, f"{url}/withdraw", key_of("hers"), reason="已说明")
    assert body["state"] == "withdrawn"
    post(october, f"{url}/accept", key_of("handler"), 409)
    other = proposed(october, key_of)
    post(october, f"{other}/decide", key_of("decider"), decision="dismissed", reason="无误")
    post(october, f"{other}/withdraw", key_of("hers"), 409)


def test_a_rejection_says_why(october: Service, key_of: As):
    url = filed(october, key_of)
    assert (
        post(october, f"{url}/reject", key_of("handler"), 422, code="bad", reason="r")["type"]
        == "/problems/invalid"
    )
    body = post(october, f"{url}/reject", key_of("handler"), code="not_own", reason="非本人")
    assert body["state"] == "rejected"


def test_who_appeals_after_the_window_can_only_be_rejected(
    october: Service, key_of: As, monkeypatch: pytest.MonkeyPatch
):
    url = filed(october, key_of)
    monkeypatch.setattr(appeals, "windows", lambda *_: ("2026-01-05", "2026-01-15"))
    assert "out_of_time" in post(october, f"{url}/accept", key_of("handler"), 409)["detail"]
    post(october, f"{url}/reject", key_of("handler"), code="out_of_time", reason="过期")


def test_a_file_is_kept_with_its_digest_and_comes_back_byte_for_byte(october: Service, key_of: As):
    url, content = filed(october, key_of), bytes(range(256))
    file = {
        "name": "凭证.bin",
        "media_type": "application/octet-stream",
        "content": base64.b64encode(content).decode(),
    }
    body = post(october, f"{url}/evidence", key_of("hers"), note="凭证", file=file)
    assert body["evidence"][0]["digest"] == hashlib.sha256(content).hexdigest()
    got = october.get(f"{url}/evidence/1", headers=key_of("hers"))
    assert got.content == content
    assert october.get(f"{url}/evidence/1", headers=key_of("colleague")).status_code == 403
    assert october.get(f"{url}/evidence/2", headers=key_of("hers")).status_code == 404
    post(october, f"{url}/evidence", key_of("hers"), 409, note="x", file=file | {"content": "%%%"})


def test_a_what_if_is_kept_with_the_appeal(october: Service, key_of: As):
    url = filed(october, key_of)
    asked = {
        "periods": ["2026-10"],
        "branches": ["B01"],
        "without": [APPEALED],
        "against": "settled",
    }
    run = october.post("/v1/replays", json=asked, headers=key_of("handler")).json()
    body = post(
        october, f"{url}/evidence", key_of("handler"), note="如果没有该扣减", replay=run["id"]
    )
    assert body["evidence"][0]["replay"] == run["id"]
    assert body["evidence"][0]["digests"] == [run["evaluations"][0]["digest"]]
    assert (
        october.post(
            f"{url}/evidence", json={"note": "x", "replay": 1}, headers=key_of("handler")
        ).status_code
        == 404
    )


def test_of_two_who_act_at_once_the_second_is_told_what_changed(october: Service, key_of: As):
    url = filed(october, key_of)
    tag = october.get(url).headers["ETag"]
    post(october, f"{url}/accept", key_of("handler"))
    late = {**key_of("decider"), "If-Match": tag}
    refused = october.post(f"{url}/reject", json={"code": "other", "reason": "r"}, headers=late)
    assert refused.status_code == 412
    assert "appeal-accepted (handler)" in refused.json()["detail"]


@pytest.mark.parametrize(
    "point", ["before the entries", "before the resettlement", "before it is said to be done"]
)
def test_a_crash_between_decision_and_carrying_out_is_resumed_and_never_done_twice(
    closed: Service, key_of: As, monkeypatch: pytest.MonkeyPatch, point: str
):
    url, book = proposed(closed, key_of), closed.app.state.service

    def crash(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    where = {
        "before the entries": (appeals, "carry_out"),
        "before the resettlement": (carrying_out, "resettle"),
        "before it is said to be done": (carrying_out, "_figures"),
    }[point]
    with monkeypatch.context() as broken:
        broken.setattr(*where, crash)
        with pytest.raises(KeyboardInterrupt):
            appeals.decide(book, url.rpartition("/")[2], "upheld", "属实", by="decider", proposal=1)
    assert closed.get(url).json()["state"] == "decided"
    assert carrying_out.resume(book) == [url.rpartition("/")[2]]
    reached = closed.position
    assert carrying_out.resume(book) == []
    assert closed.position == reached
    body = closed.get(url).json()
    assert (body["state"], body["carried_out"][0]["after"]) == ("carried_out", "2085")
    assert [p["amount"] for p in body["postings"]] == ["450", "200"]
    assert len(closed.get("/v1/entries", params={"kind": "reversal"}).json()["entries"]) == 1


def test_appeals_are_listed_by_state_for_whoever_may_read_them(october: Service, key_of: As):
    first, second = filed(october, key_of), filed(october, key_of)
    post(october, f"{second}/accept", key_of("handler"))
    every = october.get("/v1/appeals", headers=key_of("handler")).json()["appeals"]
    assert [f"/v1/appeals/{a['appeal']}" for a in every] == [first, second]
    accepted = october.get(
        "/v1/appeals", params={"state": "accepted"}, headers=key_of("handler")
    ).json()["appeals"]
    assert [f"/v1/appeals/{a['appeal']}" for a in accepted] == [second]
    seen = october.get("/v1/appeals", headers=key_of("leader")).json()["appeals"]
    assert len(seen) == 2  # those of the branch, which are all there are
    of_branch = october.get(
        "/v1/appeals", params={"branch": "B01"}, headers=key_of("leader")
    ).json()["appeals"]
    assert len(of_branch) == 2
    one = october.get("/v1/appeals", params={"limit": 1}, headers=key_of("handler")).json()
    assert (
        october.get(one["next"], headers=key_of("handler")).json()["appeals"][0]["state"]
        == "accepted"
    )


def test_rebuilt_appeals_are_the_same(october: Service, key_of: As):
    post(
        october,
        f"{proposed(october, key_of)}/decide",
        key_of("decider"),
        decision="upheld",
        reason="r",
        proposal=1,
    )
    before, after = october.app.state.service.rebuild()["appeals"]
    assert before == after


def test_nobody_decides_an_appeal_of_their_own(october: Service, key_of: As):
    accounts = october.app.state.service.accounts
    accounts.give("hers", Seat(Role.HR), by="root")
    url = proposed(october, key_of)
    refused = post(
        october, f"{url}/decide", key_of("hers"), 403, decision="upheld", reason="r", proposal=1
    )
    assert "申诉" in refused["detail"]
    assert refused["type"] == "/problems/separation_of_duties"


def test_a_correction_with_which_the_month_could_not_be_evaluated_is_not_approved(
    closed: Service, key_of: As
):
    url = filed(closed, key_of)
    post(closed, f"{url}/accept", key_of("handler"))
    floor = next(e for e in ten_people() if e.get("item") == "minimum_wage")
    key = {"source": floor["source"], "source_id": floor["source_id"]}
    post(
        closed,
        f"{url}/evidence",
        key_of("handler"),
        note="n",
        entries=[{"kind": "reversal", "reverses": key}],
    )
    asked = {"decision": "upheld", "reason": "r", "proposal": 1}
    assert (
        post(closed, f"{url}/decide", key_of("decider"), 422, **asked)["type"]
        == "/problems/refused"
    )
    assert closed.get(url).json()["state"] == "accepted"


def test_a_review_that_was_asked_for_before_a_decision_was_carried_out_goes_on(
    closed: Service, key_of: As
):
    url, book = proposed(closed, key_of), closed.app.state.service
    name = url.rpartition("/")[2]
    with pytest.MonkeyPatch.context() as crash:
        crash.setattr(appeals, "carry_out", lambda *_: None)
        appeals.decide(book, name, "upheld", "属实", by="decider", proposal=1)
    post(closed, f"{url}/review", key_of("hers"), reason="不服")
    assert carrying_out.resume(book) == [name]
    body = closed.get(url).json()
    assert (body["state"], body["carried_out"][0]["after"]) == ("in_review", "2085")
    assert closed.get("/v1/appeals").json()["appeals"][0]["state"] == "in_review"
    post(closed, f"{url}/decide", key_of("committee"), decision="upheld", reason="维持")


def elsewhere(service: Service, manager: str, month: str = "2026-10") -> None:
    """Somebody works in B02 from a month on."""
    sheet = Sheet()
    sheet.hire(manager, branch="B02", team="T9", month=month, source="b02")
    sheet.branch("minimum_wage", "1500", branch="B02", month=month, source="b02")
    service.append(sheet)


def appealed(service: Service, manager: str, period: str = "2026-10") -> str:
    response = service.post(
        "/v1/appeals", json={"manager": manager, "period": period, "reason": "有误"}
    )
    assert response.status_code == 201, response.text
    name: str = response.json()["appeal"]
    return name


def listed(service: Service, headers: dict[str, str], **params: str) -> list[str]:
    response = service.get("/v1/appeals", params=params, headers=headers)
    assert response.status_code == 200, response.text
    return [appeal["appeal"] for appeal in response.json()["appeals"]]


def test_the_list_shows_everybody_the_appeals_that_they_may_read(october: Service, key_of: As):
    elsewhere(october, "X01")
    october.settle(branch="B02")
    hers, colleagues, other = (appealed(october, manager) for manager in (HER, DISPLACED, "X01"))
    there, _ = october.app.state.service.accounts.keys.create(
        "there", by="root", seats=[Seat(Role.BRANCH_LEADER, "B02")]
    )
    assert listed(october, key_of("hers")) == [hers]
    assert listed(october, key_of("colleague")) == [colleagues]
    assert listed(october, key_of("leader")) == [hers, colleagues]
    assert listed(october, {"X-API-Key": there}) == [other]
    assert listed(october, key_of("handler")) == [hers, colleagues, other]
    assert (
        october.get("/v1/appeals", params={"branch": "B02"}, headers=key_of("leader")).status_code
        == 403
    )


def test_of_who_moved_away_a_leader_reads_the_appeals_of_their_own_branch_alone(
    october: Service, key_of: As
):
    before = appealed(october, HER)
    elsewhere(october, HER, "2026-11")
    october.settle("2026-11", "B02")
    after = appealed(october, HER, "2026-11")
    there, _ = october.app.state.service.accounts.keys.create(
        "there", by="root", seats=[Seat(Role.BRANCH_LEADER, "B02")]
    )
    assert listed(october, {"X-API-Key": there}, manager=HER) == [after]
    assert listed(october, key_of("handler"), manager=HER) == [before, after]
    assert listed(october, key_of("hers"), manager=HER) == [before, after]
    assert listed(october, key_of("leader")) == [before]


def test_an_appeal_that_somebody_else_reads_is_on_record_and_ones_own_is_not(
    october: Service, key_of: As
):
    url = filed(october, key_of)

    def reads() -> list[tuple[str, str, str]]:
        found = october.get("/v1/audit/reads", params={"manager": HER}).json()["reads"]
        return [(read["by"], read["period"], read["what"]) for read in found]

    assert october.get(url, headers=key_of("hers")).status_code == 200
    assert october.get(url, headers=key_of("colleague")).status_code == 403
    assert reads() == []
    assert october.get(url, headers=key_of("leader")).status_code == 200
    assert reads() == [("leader", "2026-10", "appeal")]


def test_a_disputed_line_shows_its_value_its_clause_and_the_entries_behind_it(
    october: Service, key_of: As
):
    asked = {
        "manager": HER,
        "period": "2026-10",
        "reason": "有误",
        "lines": ["gs_points", "raw_deduction"],
    }
    (deducted, seat) = post(october, "/v1/appeals", key_of("hers"), **asked)["disputed"]
    assert (deducted["step"], deducted["label"]["zh"], deducted["value"]) == (
        "raw_deduction", "扣减合计（未封顶）", "370",
    )  # fmt: skip
    assert (deducted["unit"], deducted["clause"]) == ("point", "第五条3")
    behind = [(e["entry"]["source"], e["entry"]["points"], e["by"]) for e in deducted["entries"]]
    assert behind == [("billing", "120", "hr"), ("billing", "250", "hr")]
    assert (seat["step"], seat["value"]) == ("gs_points", "800")
    unnamed = {"manager": HER, "period": "2026-10", "reason": "有误"}
    assert post(october, "/v1/appeals", key_of("hers"), **unnamed)["disputed"] == []


def test_the_late_evidence_names_the_appeal_of_a_correction_and_of_a_reversal(
    closed: Service, key_of: As
):
    url = filed(closed, key_of)
    post(closed, f"{url}/accept", key_of("handler"))
    grant = {"kind": "adjustment", "manager": HER, "month": "2026-10", "amount": "120"}
    post(closed, f"{url}/evidence", key_of("handler"), note="n", entries=[REVERSAL, grant])
    post(closed, f"{url}/decide", key_of("decider"), decision="upheld", reason="属实", proposal=1)
    late = closed.get("/v1/cycles/2026-10/B01/late", headers=key_of("payroll")).json()["late"]
    name = url.rpartition("/")[2]
    assert [(line["entry"]["kind"], line["appeal"], line["about"]) for line in late] == [
        ("adjustment", name, {"manager": HER, "branch": None, "item": "adjustment"}),
        ("reversal", name, {"manager": HER, "branch": None, "item": "arrears_recovery"}),
    ]


def published(service: Service) -> None:
    """October's steps, up to its publication."""
    cycle = Cycle(service.app.state.service, Period.parse("2026-10"), "B01")
    for number, step in enumerate(STEPS[:-1]):
        if step.code == "total_reviewed":
            acknowledge_all(cycle.models)
        service.app.state.service.do_step(cycle, step.code, by=f"person-{number}")


def test_what_was_filed_before_or_within_the_window_is_not_rejected_as_late(
    october: Service, key_of: As
):
    url, late = filed(october, key_of), {"code": "out_of_time", "reason": "过期"}
    refused = post(october, f"{url}/reject", key_of("handler"), 409, **late)
    assert "no window has begun" in refused["detail"]
    published(october)
    refused = post(october, f"{url}/reject", key_of("handler"), 409, **late)
    assert f"closes on {october.get(url).json()['objection_until']}" in refused["detail"]
    assert october.get(url).json()["state"] == "filed"
    body = post(october, f"{url}/reject", key_of("handler"), code="other", reason="材料不全")
    rejected = body["rejected"]
    assert (rejected["code"], rejected["reason"], rejected["by"]) == (
        "other",
        "材料不全",
        "handler",
    )
    assert rejected["label"] == REJECTIONS["other"]._asdict()
    assert rejected["at"] == body["history"][-1]["at"]


@pytest.mark.parametrize(("days", "status"), [(0, 409), (-1, 201)])
def test_the_last_day_of_the_window_is_still_in_time(
    october: Service, key_of: As, monkeypatch: pytest.MonkeyPatch, days: int, status: int
):
    url = filed(october, key_of)
    day = date.fromisoformat(october.get(url).json()["filed"]["at"][:10]) + timedelta(days=days)
    monkeypatch.setattr(appeals, "windows", lambda *_: (day.isoformat(), day.isoformat()))
    post(october, f"{url}/reject", key_of("handler"), status, code="out_of_time", reason="过期")


def test_without_a_body_it_is_accepted_withdrawn_and_told_as_with_an_empty_one(
    october: Service, key_of: As
):
    first, second = filed(october, key_of), filed(october, key_of)
    for url in (first, second):
        assert (
            october.post(f"{url}/accept", headers=key_of("handler")).json()["state"] == "accepted"
        )
    assert october.post(f"{second}/withdraw", headers=key_of("hers")).json()["state"] == "withdrawn"
    post(october, f"{first}/decide", key_of("decider"), decision="dismissed", reason="无误")
    told = october.post(f"{first}/notify", headers=key_of("handler"))
    assert (told.status_code, told.json()["history"][-1]["what"]) == (201, "appeal-notified")


@pytest.mark.parametrize("act", ["reject", "evidence", "decide", "review", ""])
def test_without_a_body_what_wants_fields_says_that_they_are_missing(
    october: Service, key_of: As, act: str
):
    url, before = filed(october, key_of), october.position
    refused = october.post(f"{url}/{act}" if act else "/v1/appeals")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid")
    assert [reason["code"] for reason in refused.json()["reasons"]] == ["missing_field"]
    assert october.position == before


@pytest.mark.parametrize("tag", ODD_TAGS)
def test_a_tag_that_is_none_of_the_appeals_is_another_state_whatever_it_looks_like(
    october: Service, key_of: As, tag: bytes
):
    url = filed(october, key_of)
    refused = october.post(f"{url}/accept", headers={**key_of("handler"), "If-Match": tag})
    assert (refused.status_code, refused.json()["type"]) == (412, "/problems/precondition_failed")
    assert october.get(url).json()["state"] == "filed"


@pytest.mark.parametrize("replay", [0, 2**63, 2**64])
def test_evidence_by_a_replay_that_no_ledger_could_have_is_refused(
    october: Service, key_of: As, replay: int
):
    url = filed(october, key_of)
    refused = post(october, f"{url}/evidence", key_of("hers"), 422, note="n", replay=replay)
    assert [reason["field"] for reason in refused["reasons"]] == ["replay"]
    assert (
        october.post(f"{url}/evidence", json={"note": "n", "replay": 2**63 - 1}).status_code == 404
    )


def test_a_character_that_no_database_keeps_is_refused_and_everything_still_reads(
    october: Service, key_of: As
):
    asked = {"manager": HER, "period": "2026-10"}
    assert (
        post(october, "/v1/appeals", key_of("hers"), 422, **asked, reason="a\0b")["type"]
        == "/problems/invalid"
    )
    assert listed(october, key_of("handler")) == []
    url = filed(october, key_of)
    file = {"name": "a\0b", "media_type": "text/plain", "content": "eA=="}
    bad: list[tuple[str, dict[str, Any]]] = [
        ("accept", {"note": "\0"}),
        ("reject", {"code": "other", "reason": "a\0"}),
        ("withdraw", {"reason": "\0b"}),
        ("evidence", {"note": "a\0b"}),
        ("evidence", {"note": "n", "file": file}),
        ("evidence", {"note": "n", "entries": [REVERSAL | {"reason": "a\0b"}]}),
    ]
    for act, body in bad:
        if "entries" in body:
            post(october, f"{url}/accept", key_of("handler"))
        assert (
            post(october, f"{url}/{act}", key_of("handler"), 422, **body)["type"]
            == "/problems/invalid"
        ), act
    assert post(october, f"{url}/decide", key_of("decider"), 422, decision="dismissed", reason="\0")
    post(october, f"{url}/decide", key_of("decider"), decision="dismissed", reason="无误")
    assert (
        post(october, f"{url}/review", key_of("hers"), 422, reason="a\0b")["type"]
        == "/problems/invalid"
    )
    assert october.get(url).json()["state"] == "decided"
    assert listed(october, key_of("handler")) == [url.rpartition("/")[2]]


def test_behind_a_line_that_is_a_step_of_a_step_are_the_entries_of_them_all(
    october: Service, key_of: As
):
    asked = {"manager": HER, "period": "2026-10", "reason": "有误", "lines": ["deduction"]}
    (deducted,) = post(october, "/v1/appeals", key_of("hers"), **asked)["disputed"]
    assert (deducted["value"], deducted["clause"]) == (
        "370",
        "第五条4",
    )  # the smaller of the sum and the cap
    behind = [
        entry["entry"]["source_id"]
        for entry in deducted["entries"]
        if entry["entry"]["source"] == "billing"
    ]
    assert behind == ["120", "250"]
    assert {entry["entry"]["kind"] for entry in deducted["entries"]} <= {"deduction", "assignment"}
