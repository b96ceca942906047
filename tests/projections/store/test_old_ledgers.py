"""A ledger that an earlier program made is opened, read, added to and rebuilt by this one.

`tests/ledgers/version-1.*.sql` are dumps of such a ledger, made before there was a table of what
rulebooks read; the one of PostgreSQL has its own text of `merit_append`. Branch B7 has Ann, Bo and
Cy in October 2026, settled under `shop-pay`: 30 yuan a phone, less the rent of the shop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from domain.identifiers import Period
from projections.service import Service
from tests.conftest import Server
from tests.store import count, entries, fact_rows
from tests.worksheet import Ledger as Sheet

DUMPS = Path(__file__).parents[2] / "ledgers"
OCTOBER = Period.parse("2026-10")
LAST = 18  # its last position


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """The old ledger, opened by this program, on each database."""
    dump = (DUMPS / f"version-1.{request.param}.sql").read_text("utf-8")
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/old.db"
        with closing(sqlite3.connect(tmp_path / "old.db")) as file:
            file.executescript(dump)
    else:
        server: Server = request.getfixturevalue("postgres")
        url = server.empty()
        with psycopg.connect(url) as connection:
            connection.execute(dump.encode())
    book = Service.open(url)
    yield book
    book.close()


def test_nothing_is_added_by_opening_it_and_its_figures_are_there(old: Service) -> None:
    assert old.ledger.position() == LAST
    assert count(old.ledger, "facts") == count(old.ledger, "keys") == 13
    issued = {
        manager: old.find_statement(manager, OCTOBER, "shop-pay", None)
        for manager in ("Ann", "Bo", "Cy")
    }
    assert {manager: row.steps["pay"] for manager, row in issued.items()} == {
        "Ann": "510",  # 20 × 30 - 90
        "Bo": "335",  # 10.5 × 30 + 20
        "Cy": "0",
    }
    (again,) = old.settle(OCTOBER, "B7", "shop-pay", by="clerk")
    assert {row.digest for row in issued.values()} == {again.evaluation.digest}


def test_the_items_that_its_rulebook_reads_are_known(old: Service) -> None:
    read = [("sale", "phones"), ("measure", "rent.south"), ("adjustment", "any")]
    unread = [("sale", "cards"), ("rating", "phones"), ("measure", "rents")]
    assert [old.rulebooks.knows_item(*item) for item in read + unread] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("together", [True, False], ids=["together", "one by one"])
def test_entries_are_added_as_to_a_new_ledger(old: Service, *, together: bool) -> None:
    sheet = Sheet()
    sheet.hire("Di", source="new", attributes={"shop": "north"})
    sheet.put("sale", "Di", "cards", quantity="2", amount="0.05", source="new")
    sheet.put("rating", "Cy", "care", score="3", rater_level="self", source="new")
    sheet.put("sale", "Nobody", "cards", quantity="2", source="new")
    sent = entries([*sheet, Sheet().put("sale", "Ann", "phones", quantity="20", source_id="2")])
    if together:
        outcomes = old.ledger.append(sent, by="x")
    else:
        outcomes = [old.ledger.append([entry], by="x")[0] for entry in sent]
    assert [outcome.status for outcome in outcomes] == [
        *["accepted"] * 3,
        "rejected",
        "conflict",  # it was recorded with an amount
    ]
    hired, sold, rated = fact_rows(old.ledger)[-3:]
    assert (hired["attributes"], hired["value"]) == ('{"shop":"north"}', 6_000_000)
    assert (sold["item"], sold["value"], sold["amount"]) == ("cards", 2_000_000, 50_000)
    assert (rated["manager"], rated["detail"]) == ("Cy", "self")
    assert all(before == after for before, after in old.rebuild().values())


def test_its_read_models_are_derived_again_to_what_they_were(old: Service) -> None:
    digests = old.rebuild()
    assert [name for name, (before, after) in digests.items() if before != after] == []
    assert "rulebook_items" in digests
