"""Entries at both doors: what one may not record is not recorded, a refusal gives no hint, and an
import asks no rulebook.
"""

from __future__ import annotations

import json
from pathlib import Path

import orjson

from domain.evaluation.programs import program_of
from domain.rights import Role, Seat
from projections.service import Service as Ledger
from tests.api.service import Service, branch
from tests.closing import acknowledge_all
from tests.command_line import merit
from tests.worksheet import Ledger as Sheet


def hired_and_sold() -> Sheet:
    sheet = Sheet()
    sheet.hire("A")
    sheet.put("sale", "A", "mas_groups", quantity="1")
    sheet.put("sale", "A", "moon_phone", quantity="1")
    return sheet


def test_the_import_of_one_sale_compiles_no_rulebook(database_url: str, tmp_path: Path) -> None:
    Ledger.open(database_url).close()
    file = tmp_path / "one.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, hired_and_sold())))
    before = program_of.cache_info()
    run = merit("import", file, "--json", database=database_url)
    assert (run.json["accepted"], run.json["unknown_items"]) == (3, ["sale:moon_phone"])
    assert program_of.cache_info() == before


def test_one_sale_over_http_compiles_no_rulebook(service: Service) -> None:
    sheet = hired_and_sold()
    service.append(sheet[:1])
    before = program_of.cache_info()
    results = [service.append([sale])["results"][0] for sale in sheet[1:]]
    assert [result["unknown_item"] for result in results] == [False, True]
    assert program_of.cache_info() == before


def test_both_doors_refuse_a_batch_with_an_entry_that_is_not_ones_own_to_record(
    service: Service, database_url: str, tmp_path: Path
):
    service.append(branch())
    accounts = service.app.state.service.accounts
    secret, _ = accounts.keys.create("office", "tester", [Seat(Role.BACK_OFFICE, "B02")])
    auditor, _ = accounts.keys.create("auditor", "tester", [Seat(Role.AUDITOR)])
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


def test_an_import_says_what_is_unread_and_what_is_late_grouped(
    service: Service, database_url: str, tmp_path: Path
) -> None:
    service.append(branch())
    service.settle()
    acknowledge_all(service.app.state.service)
    assert service.post("/v1/cycles/2026-10/B01/close").status_code == 201
    sheet = Sheet()
    for number in ("1", "2"):
        sheet.put("sale", "A", "group_cuont", quantity="1", month="2026-11", source_id=f"x{number}")
    sheet.put("rating", "A", "results", score="1", month="2026-11", source_id="r")
    sheet.put("deduction", "B", "member_retention", points="1", source_id="late")
    file = tmp_path / "more.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, sheet)))
    words = ("import", file, "--lang", "en")
    tried = merit(*words, "--dry-run", "--json", database=database_url)
    assert (tried.status, tried.json["late"]) == (0, [])  # nothing is recorded
    said = merit(*words, database=database_url).out.splitlines()[1:]
    assert said == [
        "unknown item sale:group_cuont (nearest: group_count): recorded, but no rulebook reads it",
        "unread: 1 of rating:results: no rulebook of the branch reads it (test:r)",
        "late: 1, of a month that is closed; they wait for a resettlement (test:late)",
    ]
    again = merit("import", file, "--json", database=database_url).json
    assert again["late"] == ["test:late"]
    assert (
        again["unread"]
        == tried.json["unread"]
        == [
            {
                "why": "item",
                "kind": "rating",
                "item": "results",
                "near": None,
                "entries": ["test:r"],
            },
            {
                "why": "item",
                "kind": "sale",
                "item": "group_cuont",
                "near": "group_count",
                "entries": ["test:x1", "test:x2"],
            },
        ]
    )
