"""Grants: rights, filters and documents are the same at both doors."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rights import Role, Seat
from tests.api.service import Service
from tests.command_line import merit

TERMS = {
    "kind": "policy_use",
    "branch": "B01",
    "limit_amount": "10",
    "from": "2026-10-01",
    "until": "2099-12-31",
}
USE = ("--what", "w", "--customer", "c", "--why", "y", "--day", "2026-10-31", "--amount", "11")


@pytest.fixture
def granted(service: Service) -> Service:
    """G1 is for the managers of B01, G2 for wang, who leads team T1 of B01."""
    accounts = service.app.state.service.accounts
    accounts.open("wang", [Seat(Role.TEAM_LEADER, "B01", "T1")], by="tester")
    accounts.open("nobody", [], by="tester")
    for terms in ({"id": "G1", "role": "manager"}, {"id": "G2", "account": "wang"}):
        made = service.post("/v1/grants", json=TERMS | terms)
        assert made.status_code == 201, made.text
    return service


def key_of(service: Service, name: str) -> dict[str, str]:
    secret, _ = service.app.state.service.accounts.keys.create(name, by="tester")
    return {"X-API-Key": secret}


@pytest.mark.parametrize(
    ("query", "words", "ids"),
    [
        ("", (), ["G1", "G2"]),
        ("account=wang", ("--account", "wang"), ["G2"]),
        ("role=manager", ("--role", "manager"), ["G1"]),
        ("kind=service_upkeep", ("--kind", "service_upkeep"), []),
        ("branch=B01&on=2026-09-30", ("--branch", "B01", "--on", "2026-09-30"), []),
    ],
)
def test_both_doors_find_the_same_grants_and_show_them_alike(
    granted: Service, database_url: str, query: str, words: tuple[str, ...], ids: list[str]
):
    typed = merit("grant", "list", *words, "--json", database=database_url).json
    assert [grant["id"] for grant in typed["grants"]] == ids
    assert typed == granted.get(f"/v1/grants?{query}").json()


def test_a_grant_for_ones_own_account_is_read_at_both_doors(granted: Service, database_url: str):
    key = key_of(granted, "wang")
    assert granted.get("/v1/grants?account=wang", headers=key).status_code == 200
    assert granted.get("/v1/grants?account=hr", headers=key).status_code == 403
    for account, status in (("wang", 0), ("hr", 2)):
        run = merit("grant", "list", "--account", account, "--as", "wang", database=database_url)
        assert run.status == status, run.err


@pytest.mark.parametrize("option", ["branch", "team", "account"])
def test_a_filter_that_can_be_no_id_is_refused_at_both_doors(
    granted: Service, database_url: str, option: str
):
    assert granted.get("/v1/grants", params={option: "B 01"}).status_code == 422
    run = merit("grant", "list", f"--{option}", "B 01", database=database_url)
    assert (run.status, run.out, "B 01" in run.err) == (2, "", True)


def test_both_doors_show_uses_and_totals_alike(granted: Service, database_url: str):
    used = merit("grant", "use", "G2", *USE, "--as", "wang", "--json", database=database_url).json
    assert (used["use"]["over_limit"], used["position"]) == (True, granted.position)
    uses = merit("grant", "uses", "--open", "--json", database=database_url).json
    assert uses == granted.get("/v1/grants/uses?open=true").json()
    assert uses["uses"] == [used["use"]]
    report = merit("grant", "report", "--branch", "B01", "--json", database=database_url).json
    assert report == granted.get("/v1/grants/report?branch=B01").json()
    sample = merit("grant", "sample", 1, "--json", database=database_url).json
    assert sample == granted.get(f"/v1/grants/samples/{sample['id']}").json()


@pytest.mark.parametrize("door", ["http", "command line"])
def test_whoever_a_grant_is_not_for_uses_nothing_of_it_up(
    granted: Service, database_url: str, door: str
):
    """The limit is 10: after a stranger's attempt, and the administrator's, it is there whole."""
    granted.app.state.service.accounts.open(
        "stranger", [Seat(Role.TEAM_LEADER, "B01", "T1")], by="tester"
    )

    def use(who: str, amount: str) -> dict[str, Any]:
        words = dict(zip(("what", "customer", "why", "day"), USE[1::2], strict=False))
        if door == "http":
            done = granted.post(
                "/v1/grants/G2/uses", json=words | {"amount": amount}, headers=key_of(granted, who)
            )
            assert done.status_code == 201, done.text
            return dict(done.json()["use"])
        run = merit(
            "grant", "use", "G2", *USE[:-1], amount, "--as", who, "--json", database=database_url
        )
        assert run.status == 0, run.err
        return dict(run.json["use"])

    for who in ("stranger", "hr"):
        attempt = use(who, "9")
        assert "not_for_them" in {reason["code"] for reason in attempt["reasons"]}
        assert (attempt["total"], attempt["open"], attempt["accountable"]) == ("0", True, "hr")
    whole = use("wang", "10")
    assert (whole["total"], whole["over_limit"]) == ("10", False)
    granted.app.state.service.rebuild()
    assert use("wang", "1")["total"] == "11"


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/v1/grants/G9/end", {"reason": "r"}, ("end", "G9", "--reason", "r")),
        (
            "POST",
            "/v1/grants/G9/uses",
            {"what": "w", "customer": "c", "why": "y", "day": "2026-10-31"},
            ("use", "G9", "--what", "w", "--customer", "c", "--why", "y"),
        ),
        ("POST", "/v1/grants/uses/9/correct", {"text": "t"}, ("correct", "9", "--text", "t")),
        ("POST", "/v1/grants/uses/9/finding", {"text": "t"}, ("finding", "9", "--text", "t")),
        ("GET", "/v1/grants/samples/9", None, ("sample", "--again", "9")),
    ],
)
def test_who_has_no_right_anywhere_does_not_learn_at_either_door_what_there_is(
    granted: Service,
    database_url: str,
    method: str,
    path: str,
    body: dict[str, str] | None,
    words: tuple[str, ...],
):
    refused = granted.request(method, path, json=body, headers=key_of(granted, "nobody"))
    assert refused.json()["type"] == "/problems/forbidden"
    run = merit("grant", *words, "--as", "nobody", database=database_url)
    assert (run.status, "无权办理此事" in run.err) == (2, True)
    assert granted.request(method, path, json=body).status_code == 404
    assert "没有" in merit("grant", *words, database=database_url).err
