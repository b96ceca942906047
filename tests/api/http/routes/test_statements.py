"""Statements, derivations and histories over HTTP."""

from __future__ import annotations

from tests.api.service import Service, branch
from tests.closing import acknowledge_all
from tests.worksheet import alone

STATEMENT = "/v1/statements/2026-10/B"


def test_a_statement_is_what_was_settled(settled: Service):
    body = settled.get(STATEMENT).json()
    assert (body["version"], body["branch"], body["issued"]["by"]) == (1, "B01", "hr")
    assert body["steps"]["deduction"] == "10.5"
    assert body["rulebook"]["id"] == "elastic-pay"
    published = settled.get("/v1/rulebooks/elastic-pay/3.0.0").json()
    assert body["rulebook"]["digest"] == published["digest"]


def test_each_settling_is_a_version_and_the_latest_is_read(settled: Service):
    sheet = branch()
    settled.append([sheet.put("deduction", "B", "member_retention", points="4.5")])
    settled.settle()
    assert settled.get(STATEMENT).json()["steps"]["deduction"] == "15"
    assert settled.get(STATEMENT, params={"version": 1}).json()["steps"]["deduction"] == "10.5"
    assert settled.get(STATEMENT, params={"version": 3}).status_code == 404


def test_as_of_evaluates_what_was_known_then_and_records_only_that_it_was_read(settled: Service):
    known = settled.get(STATEMENT).json()["position"]
    settled.append([branch().put("deduction", "B", "member_retention", points="4.5")])
    before = settled.position
    now = settled.get(STATEMENT, params={"as_of": settled.position}).json()
    assert (now["steps"]["deduction"], now["version"], now["issued"]) == ("15", None, None)
    then = settled.get(STATEMENT, params={"as_of": known}).json()
    issued = settled.get(STATEMENT).json()
    assert then["steps"] == issued["steps"]
    assert then["digest"] == issued["digest"]
    versioned = settled.get(
        STATEMENT, params={"as_of": known, "rulebook": "elastic-pay@3.0.0"}
    ).json()
    assert versioned["digest"] == issued["digest"]
    written = settled.app.state.service.ledger.read(before, 10)
    assert [type(event).__name__ for _, event in written] == ["StatementRead"] * 4


def test_a_derivation_as_of_a_moment_explains_the_statement_of_that_moment(service: Service):
    service.append(branch())
    known = service.position
    service.append(
        [branch().put("deduction", "B", "member_retention", points="4.5", source="late")]
    )
    assert service.get(f"{STATEMENT}/derivation").status_code == 404
    for as_of, deduction in ((known, "10.5"), ("2099-12-31", "15")):
        body = service.get(f"{STATEMENT}/derivation", params={"as_of": as_of}).json()
        steps = {step["step"]: step["value"] for step in body["steps"]}
        read = service.get(STATEMENT, params={"as_of": as_of}).json()
        assert (steps["deduction"], body["provisional"], body["version"], body["issued"]) == (
            deduction,
            True,
            None,
            None,
        )
        assert {name: steps[name] for name in read["steps"]} == read["steps"]
        assert body["digest"] == read["digest"]
    both = service.get(f"{STATEMENT}/derivation", params={"as_of": known, "version": 1})
    assert (both.status_code, both.json()["reasons"][0]["field"]) == (422, "version")


def test_as_of_needs_no_settlement_and_takes_an_instant(service: Service):
    service.append(branch())
    body = service.get(STATEMENT, params={"as_of": "2099-12-31"}).json()
    assert body["steps"]["deduction"] == "10.5"
    assert service.get(STATEMENT, params={"as_of": "1999-12-31"}).status_code == 404
    assert service.get(STATEMENT).status_code == 404
    beyond = service.get(STATEMENT, params={"as_of": service.position + 1})
    assert beyond.status_code == 422
    assert f"its last is {service.position}" in beyond.json()["reasons"][0]["message"]


def test_as_of_follows_the_person_to_the_branch_of_that_moment(settled: Service):
    sheet = branch()
    settled.append(
        [
            sheet.hire("B", 8, branch="B02"),
            sheet.put("measure", item="minimum_wage", value="1680", branch="B02"),
        ]
    )
    assert settled.get(STATEMENT, params={"as_of": settled.position}).json()["branch"] == "B02"
    assert settled.get(STATEMENT).json()["branch"] == "B01"
    settled.append([sheet.put("assignment", "B", role="left")])
    gone = settled.get(STATEMENT, params={"as_of": settled.position})
    assert gone.status_code == 404
    assert "no branch" in gone.json()["detail"]


def test_as_of_is_refused_where_a_figure_would_be_wrong(service: Service):
    service.append(entry for entry in branch() if entry.get("item") != "minimum_wage")
    response = service.get(STATEMENT, params={"as_of": service.position})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/refused")


def test_a_derivation_reaches_the_clause_and_the_entry(settled: Service):
    body = settled.get(f"{STATEMENT}/derivation").json()
    step = next(step for step in body["steps"] if step["step"] == "raw_deduction")
    assert (step["value"], step["clause"]) == ("10.5", "第五条3")
    (position,) = step["entries"]
    entry = next(entry for entry in body["entries"] if entry["position"] == position)
    assert entry["entry"]["points"] == "10.5"
    assert entry["by"] == "hr"
    assert body["total"]["value"] == settled.get(STATEMENT).json()["steps"]["pay"]


def test_a_history_has_entries_and_versions_in_ledger_order(settled: Service):
    settled.append([branch().put("deduction", "B", "member_retention", points="4.5", note="补录")])
    settled.settle()
    events = settled.get(f"{STATEMENT}/history").json()["events"]
    assert [event["version"] for event in events if event["type"] == "statement"] == [1, 2]
    assert [event["position"] for event in events] == sorted(event["position"] for event in events)
    assert events[-2]["why"] == "补录"
    assert {"step": "deduction", "before": "10.5", "after": "15"} in events[-1]["changed"]


def test_the_figures_are_those_of_the_oracle(service: Service):
    sheet = branch()
    sheet[:] = [entry for entry in sheet if entry.get("manager") != "A"]
    service.append(sheet)
    service.settle()
    assert alone(sheet).items() <= service.get(STATEMENT).json()["steps"].items()


def test_what_contradicts_itself_is_invalid(settled: Service):
    for query in ("as_of=9&version=1", "rulebook=elastic-pay@3", "version=0", "as_of=-1"):
        response = settled.get(f"{STATEMENT}?{query}")
        assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid"), query
    assert settled.get("/v1/statements/october/B").status_code == 422
    assert settled.get("/v1/statements/2026-10/nobody/derivation").status_code == 404


def left(service: Service) -> None:
    """B left after October was closed; its deduction of 10.5 points (a yuan each) is taken back,
    and resettled.
    """
    service.append(branch())
    service.settle()
    service.append([branch().put("assignment", "B", role="left", month="2026-11", source="hr")])
    acknowledge_all(service.app.state.service)
    assert service.post("/v1/cycles/2026-10/B01/close").status_code == 201
    deduction = next(entry for entry in branch() if entry["kind"] == "deduction")
    service.append([branch().reverse(deduction) | {"source": "billing"}])
    done = service.post("/v1/cycles/2026-10/B01/resettle", json={"reason": "重复扣减"})
    assert done.status_code == 201, done.text


def test_who_left_and_has_something_to_get_has_a_statement_of_postings_alone(service: Service):
    left(service)
    body = service.get("/v1/statements/2026-11/B").json()
    assert (body["rulebook"], body["version"], body["issued"], body["steps"]) == (
        None,
        None,
        None,
        {},
    )
    assert (body["branch"], body["payable"], body["provisional"]) == ("B01", "10.5", True)
    (posted,) = body["payment"]["postings"]
    assert (posted["item"], posted["amount"], posted["period"]) == ("back_pay", "10.5", "2026-10")
    assert (posted["from_version"], posted["to_version"]) == (1, 2)
    assert service.get("/v1/statements/2026-11/B", params={"version": 1}).status_code == 404
    assert (
        service.get("/v1/statements/2026-11/B", params={"rulebook": "elastic-pay"}).status_code
        == 404
    )
    assert service.get("/v1/statements/2026-Q4/B").status_code == 404


def test_who_has_nothing_to_get_or_give_has_no_statement(service: Service):
    left(service)
    for address in ("2026-11/A", "2026-09/B", "2026-11/nobody"):
        assert service.get(f"/v1/statements/{address}").status_code == 404, address
    assert service.get("/v1/statements/2026-10/B").json()["rulebook"]["id"] == "elastic-pay"
