"""Raw facts: the rows of the months asked for, as they were known at a position, as one array of
whole numbers.

What reversals take out, and who belongs to a branch, is for the reader to resolve (`counting.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.store.database import database_of
from projections.store.entry_recorder import EntryRecorder
from projections.store.fact_rows import COLUMNS, FACT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM facts WHERE position <= ? AND "


class FactStore:
    """The facts of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        assert isinstance(ledger.recorder, EntryRecorder)
        self._database, self._symbols = database_of(ledger), ledger.recorder.symbols

    def facts(
        self, first_month: int, last_month: int, *, branches: Sequence[str] | None, as_of: int
    ) -> NDArray[Any]:
        """Rows other than assignments of these months (indices, both included), in no order.

        Of everybody; or of everyone who was ever assigned to one of the branches by the last month,
        with the measures of these branches.
        """
        months = (as_of, first_month, last_month)
        where = _SELECT + "kind <> 0 AND month BETWEEN ? AND ?"
        with self._database.reading() as connection:
            if branches is None:
                return connection.numbers(where, months, FACT)
            numbers = self._database.array(self._numbers(connection, branches))
            people = self._database.array(self._people(connection, numbers, last_month))
            one_of = self._database.one_of
            return connection.numbers(
                f"{where} AND (manager {one_of} OR manager = 0 AND branch {one_of})",
                (*months, people, numbers),
                FACT,
            )

    def assignments(
        self, last_month: int, *, branches: Sequence[str] | None, as_of: int
    ) -> NDArray[Any]:
        """Assignments, and what reverses them, of months up to the last, in no order.

        Of everybody; or of everyone who was ever assigned to one of the branches, with all their
        assignments.
        """
        where = _SELECT + "kind = 0 AND month <= ?"
        with self._database.reading() as connection:
            if branches is None:
                return connection.numbers(where, (as_of, last_month), FACT)
            numbers = self._database.array(self._numbers(connection, branches))
            people = self._database.array(self._people(connection, numbers, last_month))
            return connection.numbers(
                f"{where} AND manager {self._database.one_of}", (as_of, last_month, people), FACT
            )

    def of_manager(
        self, manager: str, first_month: int, last_month: int, *, as_of: int
    ) -> NDArray[Any]:
        """All rows of one manager and these months, assignments too, in no order."""
        where = _SELECT + "manager = ? AND month BETWEEN ? AND ?"
        with self._database.reading() as connection:
            self._symbols.refresh(connection)
            number = self._symbols.numbers.get(manager, -1)
            return connection.numbers(where, (as_of, number, first_month, last_month), FACT)

    def symbols(self) -> list[str]:
        """The texts that facts name by number; 0 is no text. The list grows: read it after the
        facts.
        """
        with self._database.reading() as connection:
            self._symbols.refresh(connection)
        return self._symbols.texts

    def _numbers(self, connection: Connection, branches: Sequence[str]) -> list[int]:
        self._symbols.refresh(connection)
        return [
            self._symbols.numbers[branch] for branch in branches if branch in self._symbols.numbers
        ]

    def _people(self, connection: Connection, branches: Any, last_month: int) -> list[int]:
        rows = connection.fetch(
            "SELECT DISTINCT manager FROM facts WHERE kind = 0 AND month <= ? AND branch "
            f"{self._database.one_of}",
            (last_month, branches),
        )
        return [manager for (manager,) in rows]
