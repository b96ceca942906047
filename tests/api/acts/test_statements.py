"""Statements at both doors: one answer, one rule, and one trace of who has read."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rights import Role, Seat
from tests.api.service import Service, branch
from tests.closing import acknowledge_all
from tests.command_line import merit

STATEMENT = "/v1/statements/2026-10/B"


def at_both_doors(
    service: Service, url: str, command: str, path: str, **asked: object
) -> tuple[Any, Any]:
    """The JSON of a command about B's October, and of the route with the same words."""
    options = [
        word for name, value in asked.items() for word in (f"--{name.replace('_', '-')}", value)
    ]
    run = merit(command, "B", "2026-10", *options, "--json", database=url)
    assert run.status == 0, run.err
    read = service.get(f"{STATEMENT}/{path}", params=asked)
    assert read.status_code == 200, read.text
    return run.json, read.json()


def test_an_explanation_and_a_history_are_the_same_at_both_doors(
    settled: Service, database_url: str
):
    settled.append([branch().put("deduction", "B", "member_retention", points="4.5")])
    settled.settle()
    known = settled.get(STATEMENT, params={"version": 1}).json()["position"]
    asked: list[dict[str, object]] = [
        {},
        {"version": 1},
        {"rulebook": "elastic-pay@3.0.0"},
        {"as_of": known},
        {"as_of": known, "rulebook": "elastic-pay"},
    ]
    for words in asked:
        command, route = at_both_doors(settled, database_url, "explain", "derivation", **words)
        assert command == route, words
    for words in ({}, {"as_of": known}, {"rulebook": "elastic-pay"}):
        command, route = at_both_doors(settled, database_url, "history", "history", **words)
        assert command == route, words


@pytest.fixture
def left(service: Service) -> Service:
    """B left after October was closed; its deduction of 10.5 points (a yuan each) is taken back."""
    service.append(branch())
    service.settle()
    service.append([branch().put("assignment", "B", role="left", month="2026-11", source="hr")])
    acknowledge_all(service.app.state.service)
    assert service.post("/v1/cycles/2026-10/B01/close").status_code == 201
    deduction = next(entry for entry in branch() if entry["kind"] == "deduction")
    service.append([branch().reverse(deduction) | {"source": "billing"}])
    done = service.post("/v1/cycles/2026-10/B01/resettle", json={"reason": "重复扣减"})
    assert done.status_code == 201, done.text
    return service


def test_postings_alone_are_explained_at_both_doors_as_the_statement_lists_them(
    left: Service, database_url: str
):
    command = merit("explain", "B", "2026-11", "--json", database=database_url)
    assert command.status == 0, command.err
    explained = left.get("/v1/statements/2026-11/B/derivation")
    assert explained.status_code == 200
    assert explained.json() == command.json
    assert (command.json["payable"], command.json["steps"]) == ("10.5", {})
    read = left.get("/v1/statements/2026-11/B").json()
    # Two readings were put on record meanwhile: this one comes after that of the derivation.
    assert read == command.json | {"position": command.json["position"] + 1}


def test_who_asks_for_a_certain_statement_is_not_given_postings(left: Service, database_url: str):
    words: list[tuple[dict[str, object], tuple[str, ...]]] = [
        ({"version": 1}, ("--version", "1")),
        ({"rulebook": "elastic-pay"}, ("--rulebook", "elastic-pay")),
        ({"as_of": left.position}, ("--as-of", str(left.position))),
    ]
    for params, options in words:
        read = left.get("/v1/statements/2026-11/B/derivation", params=params)
        run = merit("explain", "B", "2026-11", *options, "--json", database=database_url)
        assert (read.status_code, run.status, run.out) == (404, 2, ""), params


def test_a_version_as_of_a_moment_is_refused_at_both_doors(settled: Service, database_url: str):
    for path in ("", "/derivation"):
        read = settled.get(f"{STATEMENT}{path}", params={"version": 1, "as_of": 1})
        assert read.status_code == 422
        assert [reason["field"] for reason in read.json()["reasons"]] == ["version"]
    both = ("--version", "1", "--as-of", "1", "--lang", "en")
    run = merit("explain", "B", "2026-10", *both, database=database_url)
    assert (run.status, run.out) == (2, "")
    assert "not both" in run.err


def test_who_reads_anothers_statement_is_on_record_whatever_the_door(
    settled: Service, database_url: str
):
    accounts = settled.app.state.service.accounts
    secret, _ = accounts.keys.create("auditor", "tester", [Seat(Role.AUDITOR)])
    own, _ = accounts.keys.create("b", "tester", [Seat(Role.MANAGER, manager="B")])
    for command, path in (("explain", "derivation"), ("history", "history")):
        for who, key in (("auditor", secret), ("b", own)):
            run = merit(command, "B", "2026-10", "--as", who, database=database_url)
            assert run.status == 0, run.err
            read = settled.get(f"{STATEMENT}/{path}", headers={"X-API-Key": key})
            assert read.status_code == 200
        merit(command, "NOBODY", "2026-10", "--as", "auditor", database=database_url)
    reads = settled.get("/v1/audit/reads").json()["reads"]
    assert [(read["by"], read["manager"], read["what"]) for read in reads] == [
        *[("auditor", "B", "derivation")] * 2,
        *[("auditor", "B", "history")] * 2,
    ]
