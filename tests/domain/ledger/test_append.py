"""How entries are taken in together: by several threads at once, and in chunks of which one is made
while another is written.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from domain.entries.entry import AnyEntry
from domain.ledger.ledger import Ledger, Outcome
from projections.store.database import database_of
from tests.store import count, entries
from tests.worksheet import Ledger as Sheet


def month(sales: int) -> list[AnyEntry]:
    sheet = Sheet()
    sheet.hire("M1")
    for i in range(sales):
        sheet.put("sale", "M1", "a", quantity=str(i))
    return entries(sheet)


def until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.001)


def test_who_is_interrupted_while_waiting_holds_up_nobody(ledger: Ledger) -> None:
    hired, first, interrupted, third = month(3)
    ledger.append([hired], by="x")
    group_commit, outcomes = ledger._group_commit, SimpleQueue[Outcome]()

    def append(entry: AnyEntry) -> None:
        outcomes.put(ledger.append([entry], by="x")[0])

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    with database_of(ledger).locking():
        threading.Thread(target=append, args=[first], daemon=True).start()
        until(lambda: group_commit._turn.locked() and not group_commit._waiting)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            ledger.append([interrupted], by="x")
        signal.signal(signal.SIGALRM, before)
        threading.Thread(target=append, args=[third], daemon=True).start()
        until(lambda: len(group_commit._waiting) == 2)
    assert [outcomes.get(timeout=60).status for _ in range(2)] == ["accepted"] * 2
    assert ledger.append([interrupted], by="x")[0].status == "duplicate"
    assert count(ledger, "stored_events") == 4


def test_all_who_wait_are_told_of_a_failure_and_the_next_one_is_not(ledger: Ledger) -> None:
    hired, *sales = month(8)
    ledger.append([hired], by="x")
    told = SimpleQueue[BaseException | str]()
    ready = threading.Barrier(len(sales))

    def append(entry: AnyEntry) -> None:
        ready.wait()
        try:
            told.put(ledger.append([entry], by="x")[0].status)
        except Exception as error:
            told.put(error)

    refuse(ledger, "value >= 0")
    for sale in sales:
        threading.Thread(target=append, args=[sale], daemon=True).start()
    assert all(isinstance(told.get(timeout=60), Exception) for _ in sales)
    assert count(ledger, "stored_events") == 1
    allow(ledger)
    assert ledger.append([sales[0]], by="x")[0].status == "accepted"


def test_a_chunk_that_fails_leaves_those_before_it_and_none_after_it(ledger: Ledger) -> None:
    ledger.chunk = 3
    refuse(ledger, "value = 4000000")  # the sixth of them, in the second chunk
    with pytest.raises(Exception, match="refused"):
        ledger.append(month(9), by="x")
    assert count(ledger, "stored_events") == count(ledger, "keys") == count(ledger, "facts") == 3
    allow(ledger)
    assert [o.status for o in ledger.append(month(9), by="x")] == ["duplicate"] * 3 + [
        "accepted"
    ] * 7


def refuse(ledger: Ledger, which: str) -> None:
    """Lets the database fail at some facts from now on."""
    statements = [
        (
            f"CREATE TRIGGER refused BEFORE INSERT ON facts WHEN new.{which} "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    ]
    if database_of(ledger).is_server:
        statements = [
            (
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
                "'refused'; END $$"
            ),
            (
                f"CREATE TRIGGER refused BEFORE INSERT ON facts FOR EACH ROW WHEN (new.{which}) "
                "EXECUTE FUNCTION refuse()"
            ),
        ]
    with database_of(ledger).writing() as connection:
        for statement in statements:
            connection.execute(statement)


def allow(ledger: Ledger) -> None:
    """Ends that."""
    with database_of(ledger).writing() as connection:
        connection.execute(
            "DROP TRIGGER refused" + (" ON facts" if database_of(ledger).is_server else "")
        )
