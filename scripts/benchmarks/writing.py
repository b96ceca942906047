"""Import of many entries, and one durable append, against the same event rows written bare."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.databases import new_database, postgres
from benchmarks.measuring import Row, in_turns, seconds
from domain.entries import AnyEntry, parse_entry
from domain.ledger import Ledger
from projections.database import open_ledger

ENTRIES, MANAGERS, APPENDS = 200_000, 2_000, 200
CREATE = "CREATE TABLE bare (originator_id {id}, originator_version bigint, topic text, state {bytes}, position bigint)"
_ids = count()


def entries(number: int) -> list[AnyEntry]:
    """Assignments of 2,000 managers, then sales spread over them."""
    managers = [f"M{i:05d}" for i in range(MANAGERS)]
    who = {"source": "hr", "name": "某某", "branch": "B01", "team": "T1", "role": "customer_manager", "grade": 5}
    found: list[AnyEntry] = [
        parse_entry({"kind": "assignment", "source_id": m, "manager": m, "month": "2026-10"} | who) for m in managers
    ]
    what = {"kind": "sale", "source": "crm", "month": "2026-10", "item": "group_members"}
    for i in range(number - MANAGERS):
        of = {"source_id": str(i), "manager": managers[i % MANAGERS], "quantity": f"{i % 97}.5"}
        found.append(parse_entry(what | of))
    return found


def rows_of(ledger: Ledger) -> list[tuple[Any, ...]]:
    """The event rows that an import wrote, to be written again bare."""
    events = ledger.recorder.select_notifications(1, ENTRIES)
    return [(e.originator_id, e.originator_version, e.topic, e.state, e.id) for e in events]


def imports() -> Iterator[Row]:
    """200,000 entries."""
    given = entries(ENTRIES)
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        for name, make, bare in (
            ("PostgreSQL", lambda: new_database(server), lambda rows: _copy(new_database(server), rows)),
            ("SQLite", lambda: f"sqlite:///{folder}/{next(_ids)}.db", lambda rows: _executemany(folder, rows)),
        ):
            with open_ledger(make()) as ledger:
                ledger.append(given, by="bench")
                rows = rows_of(ledger)
            ledgers = [open_ledger(make()) for _ in range(3)]
            ours, reference = in_turns(_appending(ledgers, given), _writing(bare, rows))
            for ledger in ledgers:
                ledger.close()
            yield _rate(f"import of {len(rows):,} entries, {name}", ours, reference, len(rows), "≥ 0.3")


def _appending(ledgers: list[Ledger], given: list[AnyEntry]) -> Callable[[], object]:
    fresh = iter(ledgers)
    return lambda: next(fresh).append(given, by="bench")


def _writing(bare: Callable[[list[tuple[Any, ...]]], object], rows: list[tuple[Any, ...]]) -> Callable[[], object]:
    return lambda: bare(rows)


def _rate(what: str, ours: float, reference: float, number: int, goal: str) -> Row:
    return Row(what, f"{number / ours:,.0f}/s", f"{number / reference:,.0f}/s", f"{reference / ours:.2f}", goal)


def _copy(url: str, rows: list[tuple[Any, ...]]) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE.format(id="uuid", bytes="bytea"))
        with cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["uuid", "int8", "text", "bytea", "int8"])
            for row in rows:
                copy.write_row(row)


def _sqlite(folder: str) -> sqlite3.Connection:
    connection = sqlite3.connect(Path(folder) / f"bare-{next(_ids)}.db", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(CREATE.format(id="text", bytes="blob"))
    return connection


def _executemany(folder: str, rows: list[tuple[Any, ...]]) -> None:
    connection = _sqlite(folder)
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?)", [(r[0].hex, *r[1:]) for r in rows])
    connection.execute("COMMIT")
    connection.close()


def appends() -> Iterator[Row]:
    """One durable entry at a time, by 1 and by 8 clients (threads of one process on both sides)."""
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        url = new_database(server)
        with open_ledger(url) as ledger:
            ledger.append(entries(MANAGERS), by="bench")
            for clients in (1, 8):
                pools = [psycopg.connect(url, autocommit=True) for _ in range(clients)]
                pools[0].execute("DROP TABLE IF EXISTS bare")
                pools[0].execute(CREATE.format(id="uuid", bytes="bytea"))
                statement = "INSERT INTO bare VALUES (gen_random_uuid(), 1, 'sale-recorded', %s, 1)"
                bare = [partial(c.execute, statement, (bytes(300),), prepare=True) for c in pools]
                yield _each("PostgreSQL", ledger, bare, clients)
                for connection in pools:
                    connection.close()
        with open_ledger(f"sqlite:///{folder}/one.db") as ledger:
            ledger.append(entries(MANAGERS), by="bench")
            connection = _sqlite(folder)
            insert = "INSERT INTO bare VALUES ('x', 1, 'sale-recorded', ?, 1)"
            yield _each("SQLite", ledger, [lambda: connection.execute(insert, (bytes(300),))], 1)
            connection.close()


def _each(name: str, ledger: Ledger, bare: list[Callable[[], object]], clients: int) -> Row:
    number = APPENDS * clients
    what = {"kind": "sale", "source": "one", "month": "2026-10", "item": "group_members", "quantity": "1"}

    def append_some(_: Callable[[], object]) -> None:
        for _i in range(APPENDS):
            key = {"source_id": str(next(_ids)), "manager": f"M{next(_ids) % MANAGERS:05d}"}
            ledger.append([parse_entry(what | key)], by="bench")

    def write_some(write: Callable[[], object]) -> None:
        for _i in range(APPENDS):
            write()

    def together(work: Callable[[Callable[[], object]], None]) -> Callable[[], object]:
        def run() -> None:
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(work, bare))

        return run

    seconds(together(append_some))
    ours, reference = in_turns(together(append_some), together(write_some))
    return _rate(f"one durable append, {name}, {clients} client(s)", ours, reference, number, "≥ 0.55")
