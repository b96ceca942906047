"""An entry at either door: what importing it asks of the rulebooks."""

from __future__ import annotations

from pathlib import Path

import orjson

from domain.evaluation.programs import program_of
from projections.models import Book
from tests.api.service import Service
from tests.command_line import merit
from tests.worksheet import Ledger as Sheet


def hired_and_sold() -> Sheet:
    sheet = Sheet()
    sheet.hire("A")
    sheet.put("sale", "A", "mas_groups", quantity="1")
    sheet.put("sale", "A", "moon_phone", quantity="1")
    return sheet


def test_the_import_of_one_sale_compiles_no_rulebook(database_url: str, tmp_path: Path) -> None:
    Book.open(database_url).close()
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
