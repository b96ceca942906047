"""Every reason at once, on both doors: form and ledger, in the language that was asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from domain.rights import Role, Seat
from tests.api.service import NDJSON, Service
from tests.command_line import merit
from tests.worksheet import Ledger as Sheet

HAN = re.compile("[一-鿿]")
BAD = {
    "kind": "sale",
    "source": "crm",
    "source_id": "1",
    "manager": "NOPE",
    "month": "2026-10",
    "item": "x",
}
NEGATIVE = BAD | {"quantity": "-1"}


def write(path: Path, *raw: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in raw), "utf-8")
    return path


def hired(manager: str = "NOPE") -> dict[str, Any]:
    return Sheet().hire(manager, source="hr")


def reversal(number: str, of: str, **more: Any) -> dict[str, Any]:
    named = {"source": "crm", "source_id": of}
    return {
        "kind": "reversal",
        "source": "r",
        "source_id": number,
        "reverses": named,
        "reason": "错",
        **more,
    }


def test_the_ledgers_reasons_stand_beside_those_of_the_form_over_http(service: Service):
    response = service.post("/v1/entries", json=NEGATIVE)
    (result,) = response.json()["results"]
    assert [reason["code"] for reason in result["reasons"]] == ["negative", "no_assignment"]
    undone = service.post("/v1/entries", json=reversal("1", "none", colour="red")).json()[
        "results"
    ][0]["reasons"]
    assert [reason["code"] for reason in undone] == ["unknown_field", "unknown_entry"]
    lines = b"".join(json.dumps(raw).encode() + b"\n" for raw in (NEGATIVE, hired()))
    both = service.post("/v1/entries", content=lines, headers=NDJSON).json()["results"]
    assert [[reason["code"] for reason in one["reasons"]] for one in both] == [["negative"], []]


def test_who_may_not_record_somebody_is_not_told_whether_the_ledger_has_them(service: Service):
    accounts = service.app.state.service.accounts
    accounts.open("lead", [Seat(Role.TEAM_LEADER, branch="B77", team="T1")], by="tester")
    service.headers["X-API-Key"] = accounts.keys.create("lead", by="tester")[0]
    rating = BAD | {"kind": "rating", "score": 1.5}
    (result,) = service.post("/v1/entries", json=rating).json()["results"]
    assert [reason["code"] for reason in result["reasons"]] == ["float"]


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_assignments_and_entries_of_the_batch_count_for_malformed_lines(
    database_url: str, tmp_path: Path, dry_run: tuple[str, ...]
):
    good = BAD | {"quantity": "1", "source_id": "2"}
    lines = (
        hired(),
        good,
        NEGATIVE,
        reversal("1", "2", colour="red"),
        reversal("2", "none", colour="red"),
    )
    stranger = NEGATIVE | {"manager": "X", "source_id": "9"}
    again = reversal("3", "2"), reversal("4", "2", colour="red")
    file = write(tmp_path / "batch.jsonl", *lines, stranger, *again)
    run = merit("import", file, *dry_run, "--lang", "en", "--json", database=database_url)
    assert (run.status, run.json["accepted"]) == (1, 3)
    counts = {row["line"]: len(row["reasons"]) for row in run.json["rejected"]}
    assert counts == {3: 1, 4: 2, 5: 2, 6: 2, 8: 2}
    told = {row["line"]: row["reasons"][-1] for row in run.json["rejected"]}
    assert "is reversed already" in told[4]
    assert "there is no entry crm:none" in told[5]
    assert "X has no assignment" in told[6]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_refusals_are_told_in_one_language_and_kept_in_both(
    database_url: str, tmp_path: Path, language: str
):
    file = write(
        tmp_path / "bad.jsonl",
        NEGATIVE | {"attributes": {"x": None}, "colour": "red"},
        {"kind": "bonus"},
    )
    run = merit("import", file, "--lang", language, database=database_url)
    kept = merit("import", file, "--lang", language, "--json", database=database_url).json
    assert all(" / " in reason for row in kept["rejected"] for reason in row["reasons"])
    reasons = re.findall(r"^  [·-] (.*)$", run.out, re.MULTILINE)
    assert len(reasons) == 7
    assert [bool(HAN.search(reason)) for reason in reasons] == [language == "zh"] * 7
    assert not any(" / " in reason for reason in reasons)
    error = merit("settle", "2026-13", "--branch", "B01", "--lang", language, database=database_url)
    assert (error.status, bool(HAN.search(error.err)), " / " in error.err) == (
        2,
        language == "zh",
        False,
    )


def test_a_supposed_file_is_refused_a_reason_a_line_with_file_line_and_field(
    database_url: str, tmp_path: Path
):
    merit("import", write(tmp_path / "hired.jsonl", hired("A")), database=database_url)
    fine = BAD | {"manager": "A", "quantity": "1"}
    file = write(
        tmp_path / "if.jsonl",
        fine,
        NEGATIVE | {"colour": "red"},
        BAD | {"quantity": "1", "source_id": "3"},
    )
    run = merit("replay", "2026-10", "--with", file, "--lang", "en", database=database_url)
    assert (run.status, run.out) == (2, "")
    assert [line.rpartition(file.name)[2].split(": ")[0] for line in run.err.splitlines()] == [
        ":2 quantity", ":2 colour", ":2 manager", ":3 manager",
    ]  # fmt: skip
    assert all(line.startswith(str(file)) for line in run.err.splitlines())


def test_every_period_that_is_none_is_named(service: Service, database_url: str):
    run = merit("replay", "bad", "worse", "--lang", "en", database=database_url)
    assert (run.status, ["'bad'" in run.err, "'worse'" in run.err]) == (2, [True, True])
    body = service.post(
        "/v1/replays", json={"periods": ["bad", "worse"], "as_of": "soon", "zz": 1}
    ).json()
    assert [reason["field"] for reason in body["reasons"]] == [
        "periods.0",
        "periods.1",
        "as_of",
        "zz",
    ]
    body = service.post("/v1/settlements", json={"period": "x", "zz": 1}).json()
    assert {(reason["code"], reason["field"]) for reason in body["reasons"]} == {
        ("bad_value", "period"), ("missing_field", "branch"), ("unknown_field", "zz"),
    }  # fmt: skip


def test_over_http_both_halves_of_a_reason_are_in_their_own_language(service: Service):
    wrong = {
        "periods": 5,
        "branches": ["B 1"],
        "draft": 7,
        "against": "NO",
        "with": [1],
        "without": ["x"],
        "as_of": 1.5,
    }
    answers = [
        service.post("/v1/replays", json=wrong | {"as_of": 1.5}),
        service.post("/v1/replays", json={"periods": []}),
        service.post("/v1/settlements", json={"period": 5}),
        service.get("/v1/entries?limit=0&cursor=x&kind=gift&manager=a%20b&period=x&as_of=soon"),
        service.get("/v1/settlements/x"),
    ]
    reasons = [reason for response in answers for reason in response.json()["reasons"]]
    assert len(reasons) == 17
    for reason in reasons:
        zh, slash, en = reason["message"].partition(" / ")
        assert slash, reason
        assert HAN.search(zh), reason
        assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", zh), reason
        assert not HAN.search(en), reason
