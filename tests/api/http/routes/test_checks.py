"""The month check through both doors: what is shown to whom, and what is acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.rights import Role, Seat
from tests.api.service import Service, branch
from tests.command_line import merit

CHECK = "/v1/checks/2026-10/B01"
FIELDS = {"code", "severity", "count", "managers", "entries", "message", "acknowledged"}
As = Callable[[Seat], dict[str, str]]


@pytest.fixture
def october(service: Service) -> Service:
    """A and B of team T1, with an industry that has no coefficient, and CZ9 of T2 whom no rulebook
    pays, with a sale that nothing reads.
    """
    sheet = branch()
    for manager, grade in (("A", 6), ("B", 8)):
        sheet.hire(manager, grade, attributes={"industry": "education"})
    sheet.hire("CZ9", 5, team="T2", role="driver")
    sheet.put("sale", "CZ9", "group_count", quantity="1", source_id="of-C")
    sheet.put("adjustment", "CZ9", amount="70", reason="r", source_id="pay-C")
    service.append(sheet)
    return service


@pytest.fixture
def key_of(service: Service) -> As:
    keys = service.app.state.service.accounts.keys
    return lambda seat: {"X-API-Key": keys.create(f"a-{seat.role}", by="root", seats=[seat])[0]}


def findings(service: Service, **headers: Any) -> dict[tuple[str, str], dict[str, Any]]:
    body = service.get(CHECK, **headers).json()
    return {(finding["code"], finding["about"]): finding for finding in body["findings"]}


def test_the_check_has_the_shape_of_the_contract_at_both_doors(
    october: Service, database_url: str
) -> None:
    body = october.get(CHECK).json()
    assert body["open"] == sum(finding["severity"] == "decide" for finding in body["findings"])
    assert all(set(finding) >= FIELDS for finding in body["findings"])
    assert all(finding["acknowledged"] is None for finding in body["findings"])
    run = merit("check", "2026-10", "--branch", "B01", "--json", database=database_url)
    assert (run.status, run.json) == (1, body)


def test_people_whose_statements_are_not_the_readers_to_see_are_counted_and_not_named(
    october: Service, key_of: As
) -> None:
    unread = findings(october)["unread", "person"]
    assert (unread["managers"], unread["entries"], unread["yuan"], unread["count"]) == (
        ["CZ9"], ["test:of-C", "test:pay-C"], "70", 2,
    )  # fmt: skip
    headers = key_of(Seat(Role.TEAM_LEADER, "B01", "T1"))
    seen = findings(october, headers=headers)
    hidden = seen["unread", "person"]
    assert (hidden["managers"], hidden["entries"], hidden["yuan"], hidden["count"]) == (
        [],
        [],
        None,
        2,
    )
    assert seen["missing", "gs_adjustment"]["managers"] == ["A", "B"]
    assert "CZ9" not in october.get(CHECK, headers=headers).text


def test_a_finding_is_acknowledged_over_http_and_shown_with_who_and_why(
    october: Service, key_of: As
) -> None:
    body = {"code": "unread", "note": "  按件另付 "}
    done = october.post(f"{CHECK}/acknowledgements", json=body, headers=key_of(Seat(Role.HR)))
    assert done.status_code == 201, done.text
    assert done.headers["Merit-Position"] == str(october.position)
    shown = findings(october)
    assert (
        shown["unread", "person"]["acknowledged"].items()
        >= {"by": "a-hr", "note": "按件另付"}.items()
    )
    assert shown["uncovered", "driver"]["acknowledged"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"code": "negative", "note": "x"}, 404),
        ({"code": "cap", "note": "x"}, 404),
        ({"code": "unread", "note": " "}, 422),
        ({"code": "unread", "note": "x" * 2001}, 422),
        ({"code": "unread"}, 422),
    ],
)
def test_what_is_not_acknowledged(october: Service, body: dict[str, str], status: int) -> None:
    before = october.position
    assert october.post(f"{CHECK}/acknowledgements", json=body).status_code == status
    assert october.position == before


def test_the_command_acknowledges_and_ends_well_once_nothing_is_open(
    october: Service, database_url: str
) -> None:
    def run(*words: str) -> Any:
        return merit("check", "2026-10", "--branch", "B01", *words, database=database_url)

    assert run("--acknowledge", "unread").status == 2  # without a reason
    assert run("--acknowledge", "unread", "--note", "x", "--as-of", "1").status == 2
    first = run("--acknowledge", "unread", "--acknowledge", "uncovered", "--note", "x")
    assert first.status == 1
    assert "unread　没有办法读取的记录　70 元　已确认" in first.out
    rest = ("--acknowledge", "missing", "--acknowledge", "tie", "--note", "x")
    assert run(*rest).status == 0
    assert run().status == 0
    english = run("--lang", "en").out
    assert "0 to be acknowledged" in english
    assert "uncovered: people whom no pay rulebook pays (acknowledged" in english


def test_a_closing_with_open_findings_says_what_to_do_at_each_door(
    october: Service, database_url: str
) -> None:
    october.settle()
    refused = october.post("/v1/cycles/2026-10/B01/close", json={})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/check_open")
    assert "POST /v1/checks/2026-10/B01/acknowledgements" in refused.json()["detail"]
    assert "CZ9" not in refused.text
    close = ("close", "2026-10", "--branch", "B01")
    run = merit(*close, "--lang", "en", database=database_url)
    assert run.status == 2
    command = "merit check 2026-10 --branch B01 --acknowledge uncovered --note NOTE"
    assert command in run.err
    assert "uncovered: people with the role driver" in run.err


def test_a_closing_acknowledges_the_codes_that_it_is_given(
    october: Service, database_url: str
) -> None:
    october.settle()
    codes = ["uncovered", "unread", "missing", "tie"]
    tag = october.get("/v1/cycles/2026-10/B01").headers["ETag"]
    url = "/v1/cycles/2026-10/B01/close"
    few = october.post(url, json={"acknowledge": codes[:1], "note": "x"})
    assert few.json()["type"] == "/problems/check_open"
    assert findings(october)["uncovered", "driver"]["acknowledged"]["note"] == "x"
    body = {"acknowledge": codes, "note": "已核对"}
    stale = october.post(url, json=body, headers={"If-Match": tag})
    assert stale.status_code == 412  # something was acknowledged since
    tag = october.get("/v1/cycles/2026-10/B01").headers["ETag"]
    closed = october.post(url, json=body, headers={"If-Match": tag})
    assert closed.status_code == 201, closed.text


def test_the_command_closes_with_acknowledgements(october: Service, database_url: str) -> None:
    october.settle()
    words = [
        w for code in ("uncovered", "unread", "missing", "tie") for w in ("--acknowledge", code)
    ]
    close = ("close", "2026-10", "--branch", "B01", *words)
    assert merit(*close, database=database_url).status == 2  # without a reason
    assert merit(*close, "--note", "已核对", database=database_url).status == 0
