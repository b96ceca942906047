"""系统接口: an integration that is narrowed records entries of its sources and kinds, at both doors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.api.service import Service, branch
from tests.command_line import merit
from tests.worksheet import Ledger as Sheet


@pytest.fixture
def narrowed(service: Service) -> Service:
    """crm records its own sales and deductions, hrm whatever comes from hrm."""
    service.append(branch())
    roles = [
        {"role": "integration", "source": "crm", "kind": kind} for kind in ("sale", "deduction")
    ]
    service.post("/v1/accounts", json={"account": "crm", "roles": roles})
    roles = [{"role": "integration", "source": "hrm"}]
    service.post("/v1/accounts", json={"account": "hrm", "roles": roles})
    return service


def sale(source: str, number: str) -> dict[str, Any]:
    return Sheet().put(
        "sale", "A", "effective_customers", quantity="1", source=source, source_id=number
    )


def rating(source: str, number: str) -> dict[str, Any]:
    return Sheet().put("rating", "A", "ability", score="80", source=source, source_id=number)


def reversal(of: dict[str, Any], source: str) -> dict[str, Any]:
    return Sheet().reverse(of) | {"source": source, "source_id": f"undo-{of['source_id']}"}


@pytest.mark.parametrize("door", ["http", "command line"])
def test_a_narrowed_integration_records_its_sources_and_kinds_alone(
    narrowed: Service, database_url: str, tmp_path: Path, door: str
):
    def record(who: str, *sent: dict[str, Any]) -> bool:
        before = narrowed.position
        if door == "http":
            made = narrowed.post(f"/v1/accounts/{who}/keys", json={}).json()
            before = narrowed.position
            key = {"X-API-Key": made["key"]}
            status = narrowed.post("/v1/entries", json=list(sent), headers=key).status_code
            narrowed.delete(f"/v1/accounts/{who}/keys/{made['number']}")
            assert status in {201, 403}
            return bool(status == 201)
        file = tmp_path / "sent.jsonl"
        file.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in sent))
        run = merit("import", file, "--as", who, database=database_url)
        assert (run.status == 0) == (narrowed.position > before), run.err
        assert run.status == 0 or "无权办理此事" in run.err, run.err
        return run.status == 0

    assert record("crm", sale("crm", "1"))
    assert not record("crm", sale("hrm", "2"))
    assert not record("crm", rating("crm", "3"))
    assert not record("crm", sale("crm", "4"), rating("crm", "5"))
    assert record("hrm", rating("hrm", "6"), sale("hrm", "7"))
    # A reversal is of the kind that it takes back, and of the sources of both.
    assert not record("crm", reversal(rating("hrm", "6"), "crm"))
    assert not record("crm", reversal(sale("hrm", "7"), "crm"))
    assert record("crm", reversal(sale("crm", "1"), "crm"))
    new = sale("crm", "8")
    assert record("crm", new, reversal(new, "crm"))


def test_a_source_and_a_kind_are_given_shown_and_taken_at_both_doors(
    service: Service, database_url: str
):
    seat = ("--role", "integration", "--source", "crm", "--kind", "sale")
    assert merit("account", "create", "crm", *seat, database=database_url).status == 0
    account = service.get("/v1/accounts/crm").json()
    shown = {"role": "integration", "source": "crm", "kind": "sale"}
    assert account["roles"] == [{"branch": None, "team": None, "manager": None} | shown]
    assert "crm sale" in merit("account", "show", "crm", database=database_url).out
    assert (
        service.app.state.service.rebuild()["accounts"][0]
        == (service.app.state.service.rebuild()["accounts"][1])
    )
    taken = service.delete("/v1/accounts/crm/roles", params=shown)
    assert taken.json()["roles"] == []
    wrong = merit(
        "account", "grant", "crm", "--role", "hr", "--source", "crm", database=database_url
    )
    assert (wrong.status, "integration" in wrong.err) == (2, True)
    refused = service.post("/v1/accounts/crm/roles", json={"role": "hr", "kind": "sale"})
    assert refused.status_code == 409
    unknown = merit(
        "account", "grant", "crm", "--role", "integration", "--kind", "x", database=database_url
    )
    assert (unknown.status, "rating" in unknown.err) == (2, True)


def test_an_integration_reads_back_what_it_sent_and_nothing_else(narrowed: Service):
    keys = {
        who: {"X-API-Key": narrowed.post(f"/v1/accounts/{who}/keys", json={}).json()["key"]}
        for who in ("crm", "hrm")
    }
    sent = [sale("crm", str(number)) for number in range(3)]
    assert narrowed.post("/v1/entries", json=sent, headers=keys["crm"]).status_code == 201
    others = [sale("hrm", "7"), rating("hrm", "8")]
    assert narrowed.post("/v1/entries", json=others, headers=keys["hrm"]).status_code == 201
    undo = [reversal(sent[0], "crm")]
    assert narrowed.post("/v1/entries", json=undo, headers=keys["crm"]).status_code == 201

    def read(path: str, who: str) -> tuple[list[str], str | None]:
        body = narrowed.get(path, headers=keys[who]).json()
        return [line["entry"]["source_id"] for line in body["entries"]], body["next"]

    assert read("/v1/entries/sent", "crm") == (["0", "1", "2", "undo-0"], None)
    assert read("/v1/entries/sent", "hrm") == (["7", "8"], None)
    first, following = read("/v1/entries/sent?limit=2", "crm")
    assert (first, following is not None) == (["0", "1"], True)
    assert read(str(following), "crm") == (["2", "undo-0"], None)
    assert narrowed.get("/v1/entries", headers=keys["crm"]).status_code == 403
    assert narrowed.get("/v1/entries/sent").json()["entries"] == []  # hr is no integration
