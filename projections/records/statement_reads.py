"""查阅记录: who read whose statement, and who read what many people earn, when; for auditors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import orjson

from domain.ledger.events import PayListed, ReplayRun, StatementRead
from projections.store.database import database_of
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection

_COLUMNS = "position, manager, period, what, read_by, read_at"


_LISTED = "position, '', '', what, read_by, read_at, branches, periods"


class Reading(NamedTuple):
    """That somebody read another's statement; `what`: statement, derivation or history.

    Or what everybody of some branches (none: of all) earns in some periods: then there is no
    manager, and `what` is memo, replay, comparison or settlement.
    """

    position: int
    manager: str
    period: str
    what: str
    by: str
    at: str
    branches: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()


class ReadingRows(Projection):
    """The rows: one a reading of a statement; one of many people's pay, as of a replay's run."""

    name = "readings"
    topics = (StatementRead.TOPIC, PayListed.TOPIC, ReplayRun.TOPIC)
    tables: ClassVar[tuple[str, ...]] = ("readings", "pay_listings")
    schema = (
        """CREATE TABLE IF NOT EXISTS readings (
            position bigint NOT NULL PRIMARY KEY, manager text NOT NULL, period text NOT NULL,
            what text NOT NULL, read_by text NOT NULL, read_at text NOT NULL)""",
        "CREATE INDEX IF NOT EXISTS readings_of_manager ON readings (manager, position)",
        """CREATE TABLE IF NOT EXISTS pay_listings (
            position bigint NOT NULL PRIMARY KEY, branches text NOT NULL, periods text NOT NULL,
            what text NOT NULL, read_by text NOT NULL, read_at text NOT NULL)""",
    )
    canonical = (
        f"SELECT {_COLUMNS} FROM readings UNION ALL "
        "SELECT position, branches, periods, what, read_by, read_at FROM pay_listings ORDER BY 1"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the rows of these events."""
        readings: list[tuple[object, ...]] = []
        listings: list[tuple[object, ...]] = []
        for event in events:
            s = event.json()
            if event.topic == StatementRead.TOPIC:
                about = (s["manager"], s["period"], s["what"])
                readings.append((event.position, *about, s["by"], s["at"]))
                continue
            of, what = (s, s["what"]) if "what" in s else (s["parameters"], "replay")
            about = (_list(of["branches"]), _list(of["periods"]), what)
            listings.append((event.position, *about, s["by"], s["at"]))
        connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?)", readings)
        connection.executemany("INSERT INTO pay_listings VALUES (?, ?, ?, ?, ?, ?)", listings)


def _list(names: Sequence[str]) -> str:
    return orjson.dumps(names).decode()


class StatementReads:
    """Lists who read whose statement, and who read many people's pay."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, ReadingRows(), database_of(ledger)

    def page(
        self,
        manager: str | None = None,
        by: str | None = None,
        *,
        listings: bool = False,
        after: int = 0,
        limit: int,
    ) -> tuple[list[Reading], int | None]:
        """A page of readings, of one person's statements or of all, by one reader or by all, in
        ledger order; and the cursor of the next page. `listings`: those of many people's pay too,
        whoever the person is.
        """
        self.rows.catch_up(self.ledger)
        readings = self._rows(
            f"SELECT {_COLUMNS}, '[]', '[]' FROM readings", manager, by, after, limit
        )
        if listings:
            readings += self._rows(f"SELECT {_LISTED} FROM pay_listings", None, by, after, limit)
            readings.sort(key=lambda reading: reading.position)
        page = readings[:limit]
        return page, page[-1].position if len(page) < len(readings) else None

    def _rows(
        self, select: str, manager: str | None, by: str | None, after: int, limit: int
    ) -> list[Reading]:
        """One more than the limit, where there are as many."""
        where, values = "position > ?", list[object]([after])
        for column, wanted in (("manager", manager), ("read_by", by)):
            if wanted:
                where += f" AND {column} = ?"
                values.append(wanted)
        sql = f"{select} WHERE {where} ORDER BY position LIMIT {limit + 1}"
        with self.database.reading() as connection:
            rows = connection.fetch(sql, values)
        return [
            Reading._make((*row, tuple(orjson.loads(branches)), tuple(orjson.loads(periods))))
            for *row, branches, periods in rows
        ]
