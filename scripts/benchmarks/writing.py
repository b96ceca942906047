"""Import of many entries, and one durable append, against the same event rows written bare.

Bare rows go into a like table: the library's own, with its indexes, in a fresh ledger, under the
same settings. An import takes entries that are parsed; it decides them and writes a key and a fact
beside each event, so a second line says how it compares with writing the rows of all three tables
bare.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any

import psycopg

from benchmarks.databases import new_database, postgres
from benchmarks.measuring import Row, in_turns, seconds
from domain.entries.entry import AnyEntry
from domain.entries.parsing import parse_entry
from domain.ledger.ledger import Ledger
from projections.store import postgres_connection as postgres_sql
from projections.store import sqlite
from projections.store.connection import Table
from projections.store.database import database_of, open_ledger
from projections.store.entry_recorder import FACTS, KEYS

ENTRIES, MANAGERS, APPENDS = 200_000, 2_000, 200
Tables = Sequence[tuple[Table, Sequence[Sequence[Any]]]]  # each with the rows that go there
_ids = count()


def entries(number: int) -> list[AnyEntry]:
    """Assignments of 2,000 managers, then sales spread over them."""
    managers = [f"M{i:05d}" for i in range(MANAGERS)]
    who = {
        "source": "hr",
        "name": "某某",
        "branch": "B01",
        "team": "T1",
        "role": "customer_manager",
        "grade": 5,
    }
    found: list[AnyEntry] = [
        parse_entry({"kind": "assignment", "source_id": m, "manager": m, "month": "2026-10"} | who)
        for m in managers
    ]
    what = {"kind": "sale", "source": "crm", "month": "2026-10", "item": "group_members"}
    for i in range(number - MANAGERS):
        of = {"source_id": str(i), "manager": managers[i % MANAGERS], "quantity": f"{i % 97}.5"}
        found.append(parse_entry(what | of))
    return found


def written(ledger: Ledger, events: Table) -> Tables:
    """The rows that an import wrote, to be written again bare."""
    with database_of(ledger).reading() as connection:
        return [
            (
                table,
                connection.fetch(
                    f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {position}"
                ),
            )
            for table, position in (
                (events, events.columns[-1]),
                (KEYS, "position"),
                (FACTS, "position"),
            )
        ]


def imports() -> Iterator[Row]:
    """200,000 entries."""
    given = entries(ENTRIES)
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        for name, make, events, bare in (
            ("PostgreSQL", lambda: new_database(server), postgres_sql.EVENTS, _copy),
            ("SQLite", lambda: f"sqlite:///{folder}/{next(_ids)}.db", sqlite.EVENTS, _executemany),
        ):
            with open_ledger(make()) as ledger:
                ledger.append(given, by="bench")
                tables = written(ledger, events)
            for reference, part, goal in (
                ("", tables[:1], "≥ 0.3"),
                (", to all three tables", tables, ""),
            ):
                ours, theirs = in_turns(
                    _on_fresh(make, partial(_append, given)), _on_fresh(make, partial(bare, part))
                )
                yield _rate(
                    f"import of {ENTRIES:,} entries, {name}{reference}", ours, theirs, ENTRIES, goal
                )


def _on_fresh(
    make: Callable[[], str], work: Callable[[Ledger, str], object]
) -> Callable[[], object]:
    """The work, each time on one of some ledgers that were made before."""
    urls = [make() for _ in range(3)]
    fresh = iter([(open_ledger(url), url) for url in urls])

    def run() -> None:
        ledger, url = next(fresh)
        work(ledger, url)
        ledger.close()

    return run


def _append(given: list[AnyEntry], ledger: Ledger, _: str) -> None:
    ledger.append(given, by="bench")


def _rate(what: str, ours: float, reference: float, number: int, goal: str) -> Row:
    return Row(
        what,
        f"{number / ours:,.0f}/s",
        f"{number / reference:,.0f}/s",
        f"{reference / ours:.2f}",
        goal,
    )


def _copy(tables: Tables, _: Ledger, url: str) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table, rows in tables:
            with cursor.copy(
                f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN (FORMAT BINARY)"
            ) as copy:
                copy.set_types(table.types)
                for row in rows:
                    copy.write_row(row)


def _sqlite(url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{sqlite.CACHE_KIB}")
    return connection


def _executemany(tables: Tables, _: Ledger, url: str) -> None:
    connection = _sqlite(url)
    connection.execute("BEGIN IMMEDIATE")
    for table, rows in tables:
        places = ", ".join("?" * len(table.columns))
        connection.executemany(
            f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({places})", rows
        )
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
                pools[0].execute("CREATE TABLE bare (LIKE stored_events INCLUDING ALL)")
                statement = "INSERT INTO bare VALUES (gen_random_uuid(), 1, 'sale-recorded', %s)"
                bare = [partial(c.execute, statement, (bytes(300),), prepare=True) for c in pools]
                yield _each("PostgreSQL", ledger, bare, clients)
                for connection in pools:
                    connection.close()
        with open_ledger(f"sqlite:///{folder}/one.db") as ledger:
            ledger.append(entries(MANAGERS), by="bench")
            open_ledger(f"sqlite:///{folder}/bare.db").close()
            connection = _sqlite(f"{folder}/bare.db")
            insert = "INSERT INTO stored_events VALUES (hex(randomblob(16)), 1, 'sale-recorded', ?)"
            yield _each("SQLite", ledger, [lambda: connection.execute(insert, (bytes(300),))], 1)
            connection.close()


def _each(name: str, ledger: Ledger, bare: list[Callable[[], object]], clients: int) -> Row:
    number = APPENDS * clients
    what = {
        "kind": "sale",
        "source": "one",
        "month": "2026-10",
        "item": "group_members",
        "quantity": "1",
    }

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
    return _rate(
        f"one durable append, {name}, {clients} client(s)", ours, reference, number, "≥ 0.55"
    )
