"""What is asked of a version of a rulebook: statements under it, its month, and months that it
refuses.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.service import YAML, Service
from tests.command_line import merit
from tests.ten_people import HER, ten_people
from tests.worksheet import Ledger as Sheet

OLD, NEW = "elastic-pay@3.0.0", "elastic-pay@3.1.0"


def write(path: Path, *raw: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in raw), "utf-8")
    return path


def revised(url: str, path: Path) -> Path:
    text = merit("rulebook", "show", OLD, database=url).out
    path.write_text(text.replace("version: 3.0.0", "version: 3.1.0", 1), "utf-8")
    return path


@pytest.fixture
def october(database_url: str, tmp_path: Path) -> str:
    assert (
        merit(
            "import", write(tmp_path / "october.jsonl", *ten_people()), database=database_url
        ).status
        == 0
    )
    return database_url


@pytest.mark.parametrize("command", ["explain", "history"])
def test_the_latest_statement_under_a_version_is_found_by_it(
    october: str, tmp_path: Path, command: str
) -> None:
    merit("settle", "2026-10", "--branch", "B01", database=october)
    asked = (command, HER, "2026-10", "--lang", "en")
    none = merit(*asked, "--rulebook", NEW, database=october)
    assert (none.status, "3.1.0" in none.err) == (2, True)
    merit(
        "rulebook",
        "publish",
        revised(october, tmp_path / "v.yaml"),
        "--from",
        "2026-10",
        database=october,
    )
    if command == "explain":
        unsettled = merit(*asked, "--rulebook", NEW, database=october)
        assert (unsettled.status, f"no statement for 2026-10 under {NEW}" in unsettled.err) == (
            2,
            True,
        )
    merit("settle", "2026-10", "--branch", "B01", database=october)
    merit("settle", "2026-10", "--branch", "B01", database=october)
    found = {
        name: merit(*asked, "--rulebook", name, "--json", database=october).json
        for name in (OLD, NEW)
    }
    if command == "explain":
        assert {n: (f["version"], f["rulebook"]["version"]) for n, f in found.items()} == {
            OLD: (1, "3.0.0"), NEW: (3, "3.1.0"),
        }  # fmt: skip
        assert merit(*asked, "--rulebook", NEW, "--version", "1", database=october).status == 2
    else:
        versions = {
            n: [e["version"] for e in f["events"] if e["type"] == "statement"]
            for n, f in found.items()
        }
        assert versions == {OLD: [1], NEW: [2, 3]}
    nope = merit(*asked, "--rulebook", "nope", database=october)
    assert (nope.status, "no rulebook nope" in nope.err) == (2, True)


def test_the_same_over_http(settled: Service) -> None:
    address = "/v1/statements/2026-10/A"
    for part in ("", "/derivation"):
        body = settled.get(f"{address}{part}?rulebook={OLD}").json()
        assert (body["version"], body["rulebook"]["version"]) == (1, "3.0.0")
    events = settled.get(f"{address}/history?rulebook={OLD}").json()["events"]
    assert [event["version"] for event in events if event["type"] == "statement"] == [1]
    text = settled.draft("8000").encode()
    assert settled.post("/v1/rulebooks/publish", content=text, headers=YAML).status_code == 201
    for part in ("", "/derivation"):
        unsettled = settled.get(f"{address}{part}?rulebook={NEW}")
        assert (unsettled.status_code, f"under {NEW}" in unsettled.json()["detail"]) == (404, True)
    for part in ("", "/derivation", "/history"):
        nope = settled.get(f"{address}{part}?rulebook=nope")
        assert (nope.status_code, "no rulebook nope" in nope.json()["detail"]) == (404, True)


def test_a_text_published_again_says_from_which_month_it_stands(
    database_url: str, tmp_path: Path
) -> None:
    publish = ("rulebook", "publish", revised(database_url, tmp_path / "v.yaml"))
    first = merit(*publish, "--from", "2026-11", "--json", database=database_url).json
    assert (first["new"], first["effective_from"]) == (True, "2026-11")
    again = merit(*publish, "--from", "2027-01", "--json", database=database_url).json
    assert (again["new"], again["effective_from"]) == (False, "2026-11")
    said = merit(*publish, "--from", "2027-01", "--lang", "en", database=database_url).out
    assert "published before, from 2026-11 on; nothing changed" in said
    assert "--from 2027-01 was not taken" in said
    assert (
        "not taken"
        not in merit(*publish, "--from", "2026-11", "--lang", "en", database=database_url).out
    )
    dry = merit(
        "rulebook", "publish", tmp_path / "v.yaml", "--dry-run", "--json", database=database_url
    ).json
    assert dry["effective_from"] == "2026-11"


def test_a_comparison_names_what_was_refused_and_left_out(october: str, tmp_path: Path) -> None:
    merit(
        "import",
        write(tmp_path / "b02.jsonl", Sheet().hire("X01", branch="B02", source="b02")),
        database=october,
    )
    asked = ("replay", "2026-10", "--against", OLD, "--branch", "B01", "--branch", "B02")
    run = merit(*asked, "--json", database=october)
    assert run.status == 1
    refused = [{"period": "2026-10", "branch": "B02", "rulebook": "elastic-pay"}]
    assert run.json["comparison"]["refused"] == refused
    assert (
        "2026-10 B02 elastic-pay is refused" in merit(*asked, "--lang", "en", database=october).out
    )
    whole = merit(
        "replay", "2026-10", "--against", OLD, "--branch", "B01", "--json", database=october
    )
    assert whole.json["comparison"]["refused"] == []
