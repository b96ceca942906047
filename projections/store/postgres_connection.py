"""SQL on PostgreSQL: connections, transactions and the library's lock, COPY both ways.

Whoever appends holds the library's table lock (EXCLUSIVE: readers are not kept waiting) from before
it asks for a position until it has committed. So a reader that follows the log never sees a
position and later one before it.
"""

from __future__ import annotations

import select
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg.rows import tuple_row

from projections.store.connection import Connection, Database, SqlRow, SqlValues, Table
from projections.store.postgres_schema import CREATING, MOMENT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from uuid import UUID

    from numpy.typing import NDArray

    from domain.entries.entry import Key

CONNECTIONS = 20  # of one process, at most
WAIT_SECONDS = 10  # for a connection
LOCK_SECONDS = 20  # for whoever holds a lock; what is tried again waits as long each time
STATEMENT_SECONDS = 60  # for one statement, but those of `preparing` and `rebuilding`
_HEADER = 19  # bytes before the rows of a binary COPY
_SEQUENCE = "stored_events_notification_id_seq"
EVENTS = Table(
    "stored_events",
    ("originator_id", "originator_version", "topic", "state", "notification_id"),
    ("uuid", "int8", "text", "bytea", "int8"),
)


class LedgerDatastore(PostgresDatastore):
    """The library's datastore, with whatever else libpq reads from the address."""

    def __init__(self, address: dict[str, Any], schema: str) -> None:
        dbname, host, port, user, password = (
            cast("str", address.get(name))
            for name in ("dbname", "host", "port", "user", "password")
        )
        super().__init__(
            dbname,
            host,
            port,
            user,
            password,
            pool_size=1,
            max_overflow=CONNECTIONS - 1,
            connect_timeout=WAIT_SECONDS,
            idle_in_transaction_session_timeout=60,
            schema=schema,
        )
        library = self.after_connect_func()

        def configure(connection: psycopg.Connection[Any]) -> None:
            library(connection)
            connection.execute(
                f"SET lock_timeout = '{LOCK_SECONDS}s'; "
                f"SET statement_timeout = '{STATEMENT_SECONDS}s'"
            )

        self.pool = type(self.pool)(
            get_password_func=None,
            connection_class=self.pool.connection_class,
            kwargs={**cast("dict[str, Any]", self.pool.kwargs), **address},
            min_size=1,
            max_size=CONNECTIONS,
            open=False,
            configure=configure,
            timeout=WAIT_SECONDS,
            max_lifetime=self.pool.max_lifetime,
            check=check_if_stirred,
        )


def check_if_stirred(connection: psycopg.Connection[Any]) -> None:
    """Whether a connection that has lain in the pool still stands; the pool replaces it where this
    raises.

    A server that has gone has sent word of it, which waits to be read. So a quiet connection is not
    asked, which would cost every use of it a round trip.
    """
    try:
        stirred, _, _ = select.select([connection.pgconn.socket], [], [], 0)
    except (OSError, ValueError, psycopg.Error) as error:
        raise psycopg.OperationalError(str(error)) from error
    if stirred:
        connection.execute("")


class PostgresSession(Connection):
    """SQL on a cursor of PostgreSQL."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.cursor = connection.cursor(binary=True, row_factory=tuple_row)

    def fetch(self, sql: str, params: SqlValues = ()) -> list[SqlRow]:
        """All rows of a query."""
        return self.cursor.execute(_placeholders(sql), params).fetchall()

    def stream(self, sql: str, params: SqlValues = ()) -> Iterator[SqlRow]:
        """The rows of a query as they come."""
        return self.cursor.stream(_placeholders(sql), params)

    def execute(self, sql: str, params: SqlValues = ()) -> None:
        """One statement."""
        self.cursor.execute(_placeholders(sql), params)

    def executemany(self, sql: str, rows: Iterable[SqlValues]) -> None:
        """One statement for each of the rows."""
        self.cursor.executemany(_placeholders(sql), rows)

    def insert(self, table: Table, rows: Iterable[SqlValues]) -> None:
        """Many rows at once, by a binary COPY."""
        with self.cursor.copy(
            f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.set_types(table.types)
            for row in rows:
                copy.write_row(row)

    def numbers(self, sql: str, params: SqlValues, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Whole numbers as a structured array: rows of a binary COPY that are all of one width need
        no parsing.
        """
        with self.cursor.copy(
            f"COPY ({_placeholders(sql)}) TO STDOUT (FORMAT BINARY)", params
        ) as copy:
            data = b"".join(copy)
        wire = np.frombuffer(
            data, _wire(dtype), offset=_HEADER, count=(len(data) - _HEADER) // _wire(dtype).itemsize
        )
        rows = np.empty(len(wire), dtype)
        for name in dtype.names or ():
            rows[name] = wire[name]
        return rows


def _listed(ids: Iterable[str]) -> str:
    """Many ids as one text: an array of its own takes psycopg longer than the query takes
    PostgreSQL.
    """
    return ",".join(ids)


@lru_cache
def _placeholders(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


@lru_cache
def _wire(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A row as COPY sends it: the number of fields, then of each its length and its value,
    big-endian.
    """
    fields = [("", ">i2")]
    for name in dtype.names or ():
        fields += [(f"length of {name}", ">i4"), (name, dtype[name].newbyteorder(">").str)]
    return np.dtype(fields)


class PostgresDatabase(Database):
    """SQL on the database of a ledger."""

    position = "notification_id"
    is_server = True
    one_of = "= ANY(?)"

    def __init__(self, datastore: LedgerDatastore) -> None:
        self._datastore = datastore

    @contextmanager
    def reading(self) -> Iterator[PostgresSession]:
        """A look at what is committed, each query by itself."""
        with self._datastore.get_connection() as connection:
            yield PostgresSession(connection)

    @contextmanager
    def writing(self) -> Iterator[PostgresSession]:
        """A transaction."""
        with self._datastore.get_connection() as connection, connection.transaction():
            yield PostgresSession(connection)

    @contextmanager
    def locking(self) -> Iterator[PostgresSession]:
        """A transaction that holds the library's lock."""
        with self.writing() as connection:
            connection.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
            yield connection

    @contextmanager
    def rebuilding(self) -> Iterator[PostgresSession]:
        """The same, for as long as it takes."""
        with self.locking() as connection:
            connection.execute("SET LOCAL statement_timeout = 0")
            yield connection

    @contextmanager
    def preparing(self) -> Iterator[PostgresSession]:
        """A transaction that makes tables: two at once would get into each other's way, even IF NOT
        EXISTS.
        """
        with self.writing() as connection:
            connection.execute("SET LOCAL client_min_messages = warning")
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute("SELECT pg_advisory_xact_lock(?)", (CREATING,))
            yield connection

    def close(self) -> None:
        """Closes every connection."""
        self._datastore.close()

    def array(self, values: Collection[Any]) -> list[Any]:
        """The values as a list."""
        return list(values)

    def stream(self, stream: UUID) -> UUID:
        """The library keeps streams as they are."""
        return stream

    def keys(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, tuple[int, bytes]]:
        """Position and digest of those keys that are taken."""
        rows = connection.fetch(
            "SELECT source, source_id, position, digest FROM keys JOIN unnest(string_to_array(?, "
            "','), "
            "string_to_array(?, ',')) AS asked (source, source_id) USING (source, source_id)",
            (_listed(source for source, _ in keys), _listed(source_id for _, source_id in keys)),
        )
        return {
            (source, source_id): (position, bytes(digest))
            for source, source_id, position, digest in rows
        }

    def reversals(
        self, connection: Connection, months: Collection[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """The reversals of these months and managers: position, and of what it names."""
        return connection.fetch(
            "SELECT position, reverses FROM facts JOIN unnest(?::integer[], ?::integer[]) AS asked "
            "(month, manager) "
            "USING (month, manager) WHERE reverses <> 0",
            ([month for month, _ in months], [manager for _, manager in months]),
        )

    def versions(self, connection: Connection, streams: Collection[UUID]) -> dict[UUID, int]:
        """The last version of those streams that have events."""
        rows = connection.fetch(
            "SELECT stream, last.version FROM unnest(string_to_array(?, ',')::uuid[]) AS stream, "
            "LATERAL (SELECT "
            "max(originator_version) AS version FROM stored_events WHERE originator_id = stream) "
            "AS last "
            "WHERE last.version IS NOT NULL",
            (_listed(map(str, streams)),),
        )
        return dict(rows)

    def next_position(self, connection: Connection) -> int:
        """The next number of the library's sequence, which the lock reserves."""
        position: int = connection.value(f"SELECT last_value + is_called::int FROM {_SEQUENCE}")
        return position

    def moment(self, connection: Connection) -> str:
        """By the server's clock, the same for every process that writes."""
        moment: str = connection.value(MOMENT)
        return moment

    def insert_events(self, connection: Connection, events: Iterable[SqlRow]) -> None:
        """Events with their positions, and word to whoever listens."""
        connection.insert(EVENTS, events)
        connection.execute(f"SELECT setval('{_SEQUENCE}', max(notification_id)) FROM stored_events")
        connection.execute("NOTIFY stored_events")
