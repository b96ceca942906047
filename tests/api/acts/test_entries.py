"""Entries at both doors: what one may not record is not recorded, and a refusal gives no hint."""

from __future__ import annotations

import json
from pathlib import Path

from domain.rights import Role, Seat
from tests.api.service import Service, branch
from tests.command_line import merit
from tests.worksheet import Ledger as Sheet


def test_both_doors_refuse_a_batch_with_an_entry_that_is_not_ones_own_to_record(
    service: Service, database_url: str, tmp_path: Path
):
    service.append(branch())
    accounts = service.app.state.service.accounts
    secret, _ = accounts.create("office", "tester", [Seat(Role.BACK_OFFICE, "B02")])
    auditor, _ = accounts.create("auditor", "tester", [Seat(Role.AUDITOR)])
    entry = Sheet().put("deduction", "B", "member_retention", points="1", source="grab")
    file = tmp_path / "grab.jsonl"
    file.write_text(json.dumps(entry), "utf-8")
    before = service.position
    for name, key in (("office", secret), ("auditor", auditor)):
        answered = service.post("/v1/entries", json=entry, headers={"X-API-Key": key})
        run = merit("import", file, "--as", name, "--json", database=database_url)
        assert (answered.status_code, run.status, run.out) == (403, 2, ""), name
    assert service.position == before


def test_an_import_gives_every_reason_in_the_language_of_the_command_and_both_as_json(
    service: Service, database_url: str, tmp_path: Path
):
    service.append(branch())
    good = Sheet().put("deduction", "B", "member_retention", points="1", source="more")
    wrong = good | {"source_id": "x", "points": 1.5, "colour": "red"}
    file = tmp_path / "more.jsonl"
    file.write_text(f"{json.dumps(good)}\n{json.dumps(wrong)}\n", "utf-8")
    dry = merit("import", file, "--dry-run", "--json", database=database_url)
    run = merit("import", file, "--json", database=database_url)
    assert (dry.status, run.status) == (1, 1)
    assert run.json == dry.json | {"position": service.position}
    (refused,) = run.json["rejected"]
    answered = service.append([wrong], status=422)["results"][0]["reasons"]
    assert refused == {
        "file": str(file),
        "line": 2,
        "reasons": [f"{reason['field']}: {reason['message']}" for reason in answered],
    }
    in_words = {
        language: merit("import", file, "--lang", language, database=database_url).out
        for language in ("zh", "en")
    }
    for reason in answered:
        zh, en = reason["message"].split(" / ")
        assert f"  · {reason['field']}: {zh}\n" in in_words["zh"]
        assert f"  - {reason['field']}: {en}\n" in in_words["en"]
