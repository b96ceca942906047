"""Replays over HTTP: nothing but the fact that they ran is written."""

from __future__ import annotations

from typing import Any

import pytest

from domain.identifiers import Period
from domain.ledger.events import ReplayRun
from domain.rights import Role, Seat
from projections.month.cycle import Cycle
from tests.api.service import YAML, Service, branch
from tests.closing import acknowledge_all


def run(service: Service, status: int = 201, **asked: Any) -> dict[str, Any]:
    response = service.post("/v1/replays", json={"periods": ["2026-10"]} | asked)
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    return body


def pay(body: dict[str, Any], manager: str) -> str:
    figures: str = next(s for s in body["evaluations"][0]["statements"] if s["manager"] == manager)[
        "steps"
    ]["pay"]
    return figures


def test_a_draft_with_the_cap_at_6000_compares_and_writes_only_that_it_ran(settled: Service):
    before = settled.position
    body = run(settled, draft=settled.draft("6000"), against="settled")
    (difference,) = body["comparison"]["differences"]
    assert (difference["manager"], difference["difference"]) == ("A", "-2000")
    assert body["id"] == body["position"] == settled.position == before + 1
    event = settled.app.state.service.ledger.event_at(before + 1)
    assert isinstance(event, ReplayRun)
    assert event.by == "hr"
    published = [
        row
        for row in settled.get("/v1/rulebooks").json()["rulebooks"]
        if row["id"] == "elastic-pay"
    ]
    assert [row["version"] for row in published] == ["3.0.0"]


def test_a_run_is_read_again_by_its_id(settled: Service):
    body = run(settled, branches=["B01"], rulebook="elastic-pay@3.0.0")
    read = settled.get(f"/v1/replays/{body['id']}").json()
    assert read["digests"] == [body["evaluations"][0]["digest"]]
    assert read["parameters"]["branches"] == ["B01"]
    assert read["by"] == "hr"
    assert settled.get("/v1/replays/1").status_code == 404
    assert settled.get("/v1/replays/999999").status_code == 404


def test_differences_are_those_of_the_run_whatever_was_recorded_since(settled: Service):
    settled.append([branch().put("deduction", "B", "member_retention", points="4.5")])
    body = run(settled, against="settled")
    assert [d["manager"] for d in body["comparison"]["differences"]] == ["B"]
    settled.append([branch().put("deduction", "A", "member_retention", points="1", source="late")])
    before = settled.position
    read = settled.get(f"/v1/replays/{body['id']}/differences")
    assert read.json()["comparison"] == body["comparison"]
    assert settled.position == before + 1  # that it was read


def test_a_run_without_a_comparison_has_no_differences(settled: Service):
    assert settled.get(f"/v1/replays/{run(settled)['id']}/differences").json()["comparison"] is None


def test_entries_supposed_or_left_out_change_the_answer_and_not_the_ledger(settled: Service):
    deduction = next(entry for entry in branch() if entry["kind"] == "deduction")
    more = branch().put("deduction", "B", "member_retention", points="4.5")
    now, supposed = pay(run(settled), "B"), pay(run(settled, **{"with": [more]}), "B")
    without = pay(run(settled, without=[f"test:{deduction['source_id']}"]), "B")
    assert float(now) - float(supposed) == 4.5
    assert float(without) - float(now) == 10.5
    assert (
        settled.get("/v1/entries?kind=deduction").json()["entries"][-1]["entry"]["points"] == "10.5"
    )


@pytest.mark.parametrize(
    "what", ["draft", "with", "settled since", "published since", "chosen since"]
)
def test_every_run_is_repeated_whatever_came_since_and_shows_no_more_than_was_asked(
    settled: Service, what: str
):
    more = branch().put("deduction", "B", "member_retention", points="4.5", source="if")
    asked: dict[str, dict[str, Any]] = {
        "draft": {"draft": settled.draft("6000")},
        "with": {"with": [more]},
        "settled since": {"against": "settled"},
        "published since": {"rulebook": "elastic-pay@3.0.0", "against": "elastic-pay"},
        "chosen since": {},
    }
    body = run(settled, **{"against": "settled"} | asked[what])
    settled.append([more])
    settled.settle()
    text = settled.draft("6000").encode()
    assert settled.post("/v1/rulebooks/publish", content=text, headers=YAML).status_code == 201
    read = settled.get(f"/v1/replays/{body['id']}/differences")
    assert (read.status_code, read.json()["comparison"]) == (200, body["comparison"])
    parameters = settled.get(f"/v1/replays/{body['id']}").json()["parameters"]
    assert set(parameters) == {
        "periods",
        "branches",
        "rulebook",
        "draft",
        "against",
        "as_of",
        "with",
        "without",
    }


def test_who_may_not_suppose_an_entry_may_not_read_what_came_of_it(settled: Service):
    accounts = settled.app.state.service.accounts
    settled.append([branch().hire("C", branch="C01", source="c01")])
    move = branch().hire("C", branch="B01", source="if")
    supposed, plain = (run(settled, branches=["B01"], **{"with": more}) for more in ([move], []))
    leader, _ = accounts.keys.create("leader", by="hr", seats=[Seat(Role.BRANCH_LEADER, "B01")])
    for path, status in ((supposed["id"], 403), (plain["id"], 200)):
        for what in ("", "/differences"):
            assert (
                settled.get(f"/v1/replays/{path}{what}", headers={"X-API-Key": leader}).status_code
                == status
            )


def test_what_was_paid_is_compared_with(settled: Service):
    acknowledge_all(settled.app.state.service)
    settled.app.state.service.close_month(
        Cycle(settled.app.state.service, Period.parse("2026-10"), "B01"), by="hr"
    )
    body = run(settled, draft=settled.draft("6000"), against="paid")
    (difference,) = body["comparison"]["differences"]
    assert (difference["manager"], difference["difference"]) == ("A", "-2000")
    declined = run(settled, 409, periods=["2026-11"], against="paid")
    assert "2026-11 is not closed" in declined["detail"]


def test_a_refused_evaluation_gives_its_findings_and_no_statements(service: Service):
    service.append(entry for entry in branch() if entry.get("item") != "minimum_wage")
    (evaluation,) = run(service)["evaluations"]
    assert evaluation["statements"] == []
    assert {finding["manager"] for finding in evaluation["findings"]} == {"A", "B"}


def test_as_of_is_a_position_or_an_instant(settled: Service):
    late = settled.position
    settled.append([branch().put("deduction", "B", "member_retention", points="4.5")])
    assert run(settled, as_of=late)["evaluations"][0]["position"] == late
    assert run(settled, as_of=str(late))["evaluations"][0]["position"] == late
    assert run(settled, as_of="1999-01-01")["evaluations"] == []
    beyond = run(settled, 422, as_of=settled.position + 1)
    assert f"its last is {settled.position}" in beyond["reasons"][0]["message"]
    for wrong in ("soon", True, 1.0, -1):
        assert run(settled, 422, as_of=wrong)["type"] == "/problems/invalid"


def test_what_cannot_be_asked_says_why(settled: Service):
    float_entry = branch().put("deduction", "B", "member_retention", points=4.5)
    assert run(settled, 422, **{"with": [float_entry]})["reasons"][0] | {"message": ""} == {
        "code": "float",
        "field": "with.0.points",
        "message": "",
    }
    stranger = branch().put("deduction", "nobody", "member_retention", points="1")
    assert run(settled, 422, **{"with": [stranger]})["reasons"][0]["code"] == "no_assignment"
    assert run(settled, 422, draft="id: one\nid: two\n")["problems"][0]["line"] == 2
    assert run(settled, 422, draft="x", rulebook="elastic-pay")["type"] == "/problems/invalid"
    assert run(settled, 422, periods=[])["type"] == "/problems/invalid"
    assert run(settled, 422, without=["nothing"])["type"] == "/problems/invalid"
    assert run(settled, 409, against="paid")["type"] == "/problems/declined"
    assert run(settled, 404, rulebook="no-such-rules")["type"] == "/problems/not_found"
    text = settled.post("/v1/replays", content=b"{}", headers={"content-type": "text/plain"})
    assert text.status_code == 415
    twice = settled.post(
        "/v1/replays",
        content=b'{"periods": [], "periods": []}',
        headers={"content-type": "application/json"},
    )
    assert twice.json()["reasons"][0]["code"] == "duplicate_field"


def test_what_was_paid_is_compared_with_as_of_a_moment_before_the_closing_too(settled: Service):
    before = settled.position
    settled.append(
        [branch().put("deduction", "B", "member_retention", points="4.5", source="late")]
    )
    acknowledge_all(settled.app.state.service)
    settled.app.state.service.close_month(
        Cycle(settled.app.state.service, Period.parse("2026-10"), "B01"), by="hr"
    )
    assert run(settled, against="paid", as_of=before)["comparison"]["differences"] == []
    (difference,) = run(settled, against="paid")["comparison"]["differences"]
    assert (difference["manager"], difference["difference"]) == ("B", "-4.5")
