"""查阅记录: who read whose statement, when; for auditors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from domain.ledger.events import StatementRead
from projections.store.database import database_of
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection

_COLUMNS = "position, manager, period, what, read_by, read_at"


class Reading(NamedTuple):
    """That somebody read another's statement; `what`: statement, derivation or history."""

    position: int
    manager: str
    period: str
    what: str
    by: str
    at: str


class ReadingRows(Projection):
    """The rows: one a reading."""

    name = "readings"
    topics = (StatementRead.TOPIC,)
    tables: ClassVar[tuple[str, ...]] = ("readings",)
    schema = (
        """CREATE TABLE IF NOT EXISTS readings (
            position bigint NOT NULL PRIMARY KEY, manager text NOT NULL, period text NOT NULL,
            what text NOT NULL, read_by text NOT NULL, read_at text NOT NULL)""",
        "CREATE INDEX IF NOT EXISTS readings_of_manager ON readings (manager, position)",
    )
    canonical = f"SELECT {_COLUMNS} FROM readings ORDER BY position"

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the rows of these events."""
        read = ((event.position, event.json()) for event in events)
        rows = [
            (position, s["manager"], s["period"], s["what"], s["by"], s["at"])
            for position, s in read
        ]
        connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?)", rows)


class StatementReads:
    """Lists who read whose statement."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, ReadingRows(), database_of(ledger)

    def page(
        self, manager: str | None = None, by: str | None = None, *, after: int = 0, limit: int
    ) -> tuple[list[Reading], int | None]:
        """A page of readings, of one person's statements or of all, by one reader or by all, in
        ledger order; and the cursor of the next page.
        """
        self.rows.catch_up(self.ledger)
        values: list[object] = [after]
        where = "position > ?"
        if manager:
            where += " AND manager = ?"
            values.append(manager)
        if by:
            where += " AND read_by = ?"
            values.append(by)
        sql = f"SELECT {_COLUMNS} FROM readings WHERE {where} ORDER BY position LIMIT {limit + 1}"
        with self.database.reading() as connection:
            readings = [Reading(*row) for row in connection.fetch(sql, values)]
        page = readings[:limit]
        return page, page[-1].position if len(page) < len(readings) else None
