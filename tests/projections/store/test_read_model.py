"""Read models: each event counts once, and they are derived again to the same digests."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

import projections.store.read_model
from domain.ledger.ledger import Ledger
from projections.store.connection import Connection
from projections.store.database import database_of, open_ledger
from projections.store.read_model import Projection, Recorded, rebuild, tracked
from tests.projections.store.test_entry_recorder import sales
from tests.store import entries, fact_rows
from tests.worksheet import Ledger as Sheet


class Tally(Projection):
    """How many entries of each item came, and the last position that changed it."""

    name = "tally"
    topics = ("sale-recorded",)
    schema = (
        (
            "CREATE TABLE IF NOT EXISTS tally "
            "(item text PRIMARY KEY, number integer NOT NULL, last bigint NOT NULL)"
        ),
    )
    tables = ("tally",)
    canonical = "SELECT item, number, last FROM tally ORDER BY item"

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        for event in events:
            connection.execute(
                "INSERT INTO tally VALUES (?, 1, ?) ON CONFLICT (item) DO UPDATE "
                "SET number = tally.number + 1, last = excluded.last",
                (event.json()["entry"]["item"], event.position),
            )


class Broken(Tally):
    """Fails when it has written."""

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        super().apply(connection, events)
        raise ZeroDivisionError


def tally(ledger: Ledger) -> dict[str, int]:
    with database_of(ledger).reading() as connection:
        return dict(connection.fetch("SELECT item, number FROM tally"))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections.store.read_model, "BATCH", 10)


@pytest.mark.usefixtures("small_batches")
def test_a_read_model_follows_to_the_end_and_takes_nothing_twice(ledger: Ledger) -> None:
    month = sales(45)
    expected = Counter(entry["item"] for entry in month[1:])
    ledger.append(entries(month[:30]), by="x")
    assert Tally().catch_up(ledger) == 30
    ledger.append(entries(month[30:]), by="x")
    assert [Tally().catch_up(ledger) for _ in range(2)] == [46, 46]
    assert tally(ledger) == expected


@pytest.mark.usefixtures("small_batches")
def test_rows_and_position_are_written_together_or_not_at_all(ledger: Ledger) -> None:
    ledger.append(entries(sales(25)), by="x")
    with pytest.raises(ZeroDivisionError):
        Broken().catch_up(ledger)
    with database_of(ledger).reading() as connection:
        assert tracked(connection, "tally") == 0
    assert tally(ledger) == {}
    Tally().catch_up(ledger)
    assert sum(tally(ledger).values()) == 25


@pytest.mark.usefixtures("small_batches")
def test_competing_followers_count_each_event_once_while_it_is_written(database_url: str) -> None:
    written = threading.Event()

    def follow(_: int) -> None:
        with open_ledger(database_url) as mine:
            while not written.is_set():
                Tally().catch_up(mine)
            Tally().catch_up(mine)

    with open_ledger(database_url) as ledger, ThreadPoolExecutor(4) as followers:
        done = [followers.submit(follow, number) for number in range(4)]
        try:
            for part in range(6):
                ledger.append(entries(sales(40, f"part{part}")), by="x")
        finally:
            written.set()
        for follower in done:
            follower.result()
        expected = Counter(entry["item"] for entry in sales(40)[1:])
        assert tally(ledger) == {item: 6 * number for item, number in expected.items()}


def everything(ledger: Ledger) -> None:
    """Entries of every kind, together and one by one, with reversals of reversals."""
    sheet = Sheet()
    sheet.hire("M1", attributes={"industry": "education"})
    sheet.put("sale", "M1", "group_count", quantity="0.5", amount="-12.30", note="备注")
    sheet.put("rating", "M1", "initiative", score="90", rater_level="peer")
    sheet.put("adjustment", "M1", amount="200", reason="奖励")
    sheet.branch("minimum_wage", "1000")
    sheet.reverse(sheet.reverse(sheet[1]))
    ledger.append(entries(sheet), by="x")
    for number in range(3):
        sheet.hire(f"N{number}", team=f"T{number}")
        ledger.append(entries(sheet[-1:]), by="x")
    ledger.append(entries(sales(50, "other")), by="x")


@pytest.mark.usefixtures("small_batches")
def test_a_rebuild_gives_the_same_digests(ledger: Ledger) -> None:
    everything(ledger)
    Tally().catch_up(ledger)
    rows = fact_rows(ledger)
    digests = rebuild(ledger, [Tally()])
    assert set(digests) == {"keys", "symbols", "facts", "tally"}
    assert all(before == after for before, after in digests.values())
    assert fact_rows(ledger) == rows
    assert ledger.append(entries(sales(50, "other")), by="x")[7].status == "duplicate"
    assert ledger.append(entries(sales(1, "new")), by="x")[1].status == "accepted"


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("facts", "UPDATE facts SET value = value + 1 WHERE position = 1"),
        ("facts", "DELETE FROM facts WHERE position = 2"),
        ("facts", "UPDATE facts SET reverses = 1 WHERE reverses = 2"),
        ("keys", "UPDATE keys SET position = 99 WHERE position = 3"),
        ("symbols", "UPDATE symbols SET text = 'M7' WHERE id = 1"),
        ("tally", "UPDATE tally SET number = number + 1"),
    ],
)
def test_a_rebuild_mends_what_was_changed_and_says_so(
    ledger: Ledger, name: str, damage: str
) -> None:
    everything(ledger)
    Tally().catch_up(ledger)
    whole = rebuild(ledger, [Tally()])
    with database_of(ledger).writing() as connection:
        connection.execute(damage)
    digests = rebuild(ledger, [Tally()])
    assert digests[name][0] != whole[name][1]
    assert {key: after for key, (_, after) in digests.items()} == {
        key: after for key, (_, after) in whole.items()
    }


def test_the_same_entries_have_the_same_facts_on_both_databases(
    new_database: Callable[[], str], tmp_path: object
) -> None:
    with open_ledger(new_database()) as one, open_ledger(f"sqlite:///{tmp_path}/other.db") as other:
        everything(one)
        everything(other)
        digests = [
            {name: after for name, (_, after) in rebuild(each).items()} for each in (one, other)
        ]
        assert digests[0] == digests[1]
