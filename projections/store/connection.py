"""One small way to speak SQL to either database, so that a read model is written once.

Statements have `?` where a value goes. Where the two dialects differ, `Database` says how.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from contextlib import AbstractContextManager
    from uuid import UUID

    import numpy as np
    from numpy.typing import NDArray

    from domain.entries.entry import Key


SqlRow = tuple[Any, ...]  # as the database has them: whole numbers, texts, bytes, none
SqlValues = Sequence[Any]


class Table(NamedTuple):
    """Where many rows go: the columns, and their types on PostgreSQL."""

    name: str
    columns: Sequence[str]
    types: Sequence[str]


class Connection(ABC):
    """A transaction on the database, or a look at it."""

    @abstractmethod
    def fetch(self, sql: str, params: SqlValues = ()) -> list[SqlRow]:
        """All rows of a query."""

    @abstractmethod
    def stream(self, sql: str, params: SqlValues = ()) -> Iterator[SqlRow]:
        """The rows of a query as they come; until the last one is read the connection is busy."""

    @abstractmethod
    def execute(self, sql: str, params: SqlValues = ()) -> None:
        """One statement."""

    @abstractmethod
    def executemany(self, sql: str, rows: Iterable[SqlValues]) -> None:
        """One statement for each of the rows."""

    @abstractmethod
    def insert(self, table: Table, rows: Iterable[SqlValues]) -> None:
        """Many rows at once. While they are made, the connection is busy."""

    @abstractmethod
    def numbers(self, sql: str, params: SqlValues, dtype: np.dtype[Any]) -> NDArray[Any]:
        """A query of whole numbers, none of them null, as a structured array: one field of `dtype`
        a column.
        """

    def value(self, sql: str, params: SqlValues = ()) -> Any:
        """The first value of the first row; None without rows."""
        rows = self.fetch(sql, params)
        return rows[0][0] if rows else None


class Database(ABC):
    """The database behind a ledger."""

    position: ClassVar[str]  # the column of stored_events that has the ledger position
    is_server: ClassVar[bool]  # it works while this process does
    one_of: ClassVar[str]  # `manager {one_of}` with `array(values)` is true for one of the values

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """A look at what is committed."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction: it commits at the end, or leaves no trace."""

    @abstractmethod
    def preparing(self) -> AbstractContextManager[Connection]:
        """A transaction that makes tables; one process at a time."""

    @abstractmethod
    def locking(self) -> AbstractContextManager[Connection]:
        """A transaction during which nobody else appends to the ledger."""

    @abstractmethod
    def rebuilding(self) -> AbstractContextManager[Connection]:
        """The same, for work that takes long."""

    @abstractmethod
    def array(self, values: Collection[Any]) -> Any:
        """Values as the one parameter that `one_of` takes."""

    @abstractmethod
    def stream(self, stream: UUID) -> Any:
        """A stream's id as the library stores it."""

    @abstractmethod
    def keys(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, tuple[int, bytes]]:
        """Position and digest of those keys that are taken."""

    @abstractmethod
    def reversals(
        self, connection: Connection, months: Collection[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """The reversals of these months and managers, by their numbers: position, and of what it
        names.
        """

    @abstractmethod
    def versions(self, connection: Connection, streams: Collection[UUID]) -> dict[UUID, int]:
        """The last version of those streams that have events."""

    @abstractmethod
    def next_position(self, connection: Connection) -> int:
        """The position of the next event; it, and those that follow, are free to use while
        `locking`.
        """

    @abstractmethod
    def moment(self, connection: Connection) -> str:
        """Now, as it is stored, and never before the last event: only while `locking`."""

    @abstractmethod
    def insert_events(self, connection: Connection, events: Iterable[SqlRow]) -> None:
        """Rows of stream, version, topic, state and position, the next positions in order; only
        while `locking`.
        """

    @abstractmethod
    def close(self) -> None:
        """Closes every connection."""
