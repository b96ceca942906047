"""`merit demo`: an empty ledger gets three settled months that answer for themselves; any other is
left alone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from api.cli.demo.data import demo_entries
from domain.entries.parsing import parse_entry
from projections.store.database import open_ledger
from tests.command_line import merit
from tests.ten_people import ten_people
from tests.test_elastic_month import EXAMPLE


def test_the_demo_settles_explains_replays_and_says_how_to_go_on(
    database_url: str, tmp_path: Path
) -> None:
    run = merit("demo", "--lang", "en", database=database_url)
    assert (run.status, run.err) == (0, "")
    assert run.out.count("settled 2026-") == 3
    assert "Statement version 1" in run.out
    losers = re.search(r"(\d+) gain, (\d+) lose, of 40", run.out)
    assert losers
    assert (losers[1], int(losers[2]) > 0) == ("0", True)
    # Whoever is over 6000 loses what is over it, up to 8000: the run says what a replay of one's
    # own says.
    shown = merit("rulebook", "show", "elastic-pay", database=database_url).out
    (tmp_path / "draft.yaml").write_text(shown.replace("value: 8000}", "value: 6000}"), "utf-8")
    asked = (
        "replay",
        "2026-10",
        "--branch",
        "B01",
        "--rulebook",
        tmp_path / "draft.yaml",
        "--against",
        "settled",
    )
    own, _, _ = merit(*asked, "--lang", "en", database=database_url).out.partition(
        "It is replay"
    )  # its own number
    assert own in run.out
    for command in re.findall(r"\.venv/bin/merit (explain|history) (\w+) ([\w-]+)", run.out):
        assert merit(*command, database=database_url).status == 0


def test_the_two_cases_are_worth_looking_at(database_url: str) -> None:
    assert merit("demo", database=database_url).status == 0
    capped = {
        s["step"]: s
        for s in merit("explain", "M0007", "2026-10", "--json", database=database_url).json["steps"]
    }
    assert (capped["raw_deduction"]["value"], capped["deduction"]["limits"][0]["fired"]) == (
        "900.5",
        True,
    )
    assert (capped["gs_barred"]["value"], int(capped["gs_tier"]["value"]) > 2) == ("1", True)
    lifted = {
        s["step"]: s
        for s in merit("explain", "M0023", "2026-10", "--json", database=database_url).json["steps"]
    }
    assert (lifted["pay"]["value"], lifted["pay"]["limits"][0]["fired"]) == ("2010", True)


def test_a_second_time_the_demo_says_that_it_is_there_and_how_to_go_on(database_url: str) -> None:
    first = merit("demo", "--lang", "en", database=database_url)
    with open_ledger(database_url) as ledger:
        before = ledger.position()
        again = merit("demo", "--lang", "en", database=database_url)
        assert ledger.position() == before
    assert (again.status, again.err) == (0, "")
    assert again.out.startswith("The demo ledger is there already")
    assert again.out.partition("\nTry next:")[2] == first.out.partition("\nTry next:")[2] != ""


def test_a_demo_that_was_cut_off_before_it_settled_goes_on(database_url: str) -> None:
    with open_ledger(database_url) as ledger:
        ledger.append([parse_entry(raw) for raw in demo_entries()], by="tester")
    run = merit("demo", "--lang", "en", database=database_url)
    assert (run.status, run.out.count("settled 2026-")) == (0, 3)


def test_the_demo_is_declined_where_there_are_entries(database_url: str) -> None:
    merit("import", EXAMPLE, database=database_url)
    with open_ledger(database_url) as ledger:
        before = ledger.position()
        run = merit("demo", database=database_url)
        assert (run.status, run.out) == (2, "")
        assert "merit demo --database sqlite:///demo.db" in run.err
        assert ledger.position() == before


def test_the_demo_is_declined_where_entries_are_of_a_later_month(
    database_url: str, tmp_path: Path
) -> None:
    sheet = [raw | {"month": "2027-01"} for raw in ten_people() if raw["kind"] == "assignment"]
    file = tmp_path / "later.jsonl"
    file.write_text("".join(json.dumps(raw) + "\n" for raw in sheet), "utf-8")
    assert merit("import", file, database=database_url).status == 0
    assert merit("demo", database=database_url).status == 2


def test_every_demo_entry_is_recorded(database_url: str) -> None:
    assert merit("demo", database=database_url).status == 0
    with open_ledger(database_url) as ledger:
        kinds = [event.TOPIC for _, event in ledger.read(0, 10_000)]
    assert sum(
        topic.endswith("-recorded") and topic != "settlement-recorded" for topic in kinds
    ) == len(demo_entries())
    assert kinds.count("statement-issued") == 3 * 40
