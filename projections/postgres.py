"""The ledger on PostgreSQL: positions become visible in order, one entry takes one round trip, many go by COPY.

Whoever appends holds the library's table lock (EXCLUSIVE: readers are not kept waiting) from before it asks for a
position until it has committed. So a reader that follows the log never sees a position and later one before it.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson
import psycopg
from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import BasePostgresFactory, PostgresApplicationRecorder, PostgresDatastore, PostgresFactory
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import tuple_row

from domain.appending import Outcome, again, states
from domain.errors import StoreError
from domain.events import ENTRY_EVENTS
from domain.manager_month import Draft, Key, conflict, no_assignment
from projections import schema
from projections.fact_rows import Interning, Symbols, fact_row
from projections.postgres_schema import APPEND, CREATING, SCHEMA, TABLES
from projections.recorders import EntryRecorder
from projections.sql import Connection, Database, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from uuid import UUID

    from eventsourcing.persistence import StoredEvent
    from numpy.typing import NDArray

    from domain.store import Row


CONNECTIONS = 20  # of one process, at most
WAIT_SECONDS = 10  # for a connection
FEW_EVENTS = 100  # are inserted as the library does it
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
            cast("str", address.get(name)) for name in ("dbname", "host", "port", "user", "password")
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
        self.pool.kwargs = {**cast("dict[str, Any]", self.pool.kwargs), **address}


class PostgresSession(Connection):
    """SQL on a cursor of PostgreSQL."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.cursor = connection.cursor(binary=True, row_factory=tuple_row)

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.cursor.execute(_placeholders(sql), params).fetchall()

    def stream(self, sql: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query as they come."""
        return self.cursor.stream(_placeholders(sql), params)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> None:
        """One statement."""
        self.cursor.execute(_placeholders(sql), params)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for each of the rows."""
        self.cursor.executemany(_placeholders(sql), rows)

    def insert(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """Many rows at once, by a binary COPY."""
        with self.cursor.copy(f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(table.types)
            for row in rows:
                copy.write_row(row)

    def numbers(self, sql: str, params: Sequence[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Whole numbers as a structured array: rows of a binary COPY that are all of one width need no parsing."""
        with self.cursor.copy(f"COPY ({_placeholders(sql)}) TO STDOUT (FORMAT BINARY)", params) as copy:
            data = b"".join(copy)
        wire = np.frombuffer(data, _wire(dtype), offset=_HEADER, count=(len(data) - _HEADER) // _wire(dtype).itemsize)
        rows = np.empty(len(wire), dtype)
        for name in dtype.names or ():
            rows[name] = wire[name]
        return rows


def _listed(ids: Iterable[str]) -> str:
    """Many ids as one text: an array of its own takes psycopg longer than the query takes PostgreSQL."""
    return ",".join(ids)


@lru_cache
def _placeholders(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


@lru_cache
def _wire(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A row as COPY sends it: the number of fields, then of each its length and its value, big-endian."""
    fields = [("", ">i2")]
    for name in dtype.names or ():
        fields += [(f"length of {name}", ">i4"), (name, dtype[name].newbyteorder(">").str)]
    return np.dtype(fields)


class PostgresDatabase(Database):
    """SQL on the database of a ledger."""

    position = "notification_id"
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
    def preparing(self) -> Iterator[PostgresSession]:
        """A transaction that makes tables: two at once would get into each other's way, even IF NOT EXISTS."""
        with self.writing() as connection:
            connection.execute("SET LOCAL client_min_messages = warning")
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
            "SELECT source, source_id, position, digest FROM keys JOIN unnest(string_to_array(?, ','), "
            "string_to_array(?, ',')) AS asked (source, source_id) USING (source, source_id)",
            (_listed(source for source, _ in keys), _listed(source_id for _, source_id in keys)),
        )
        return {(source, source_id): (position, bytes(digest)) for source, source_id, position, digest in rows}

    def reversals(self, connection: Connection, months: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
        """The reversals of these months and managers: position, and of what it names."""
        return connection.fetch(
            "SELECT position, reverses FROM facts JOIN unnest(?::integer[], ?::integer[]) AS asked (month, manager) "
            "USING (month, manager) WHERE reverses <> 0",
            ([month for month, _ in months], [manager for _, manager in months]),
        )

    def versions(self, connection: Connection, streams: Collection[UUID]) -> dict[UUID, int]:
        """The last version of those streams that have events."""
        rows = connection.fetch(
            "SELECT stream, last.version FROM unnest(string_to_array(?, ',')::uuid[]) AS stream, LATERAL (SELECT "
            "max(originator_version) AS version FROM stored_events WHERE originator_id = stream) AS last "
            "WHERE last.version IS NOT NULL",
            (_listed(map(str, streams)),),
        )
        return dict(rows)

    def next_position(self, connection: Connection) -> int:
        """The next number of the library's sequence, which nobody else can take."""
        position: int = connection.value(f"SELECT last_value + is_called::int FROM {_SEQUENCE}")
        return position

    def insert_events(self, connection: Connection, events: Iterable[tuple[Any, ...]]) -> None:
        """Events with their positions, and word to whoever listens."""
        connection.insert(EVENTS, events)
        connection.execute(f"SELECT setval('{_SEQUENCE}', max(notification_id)) FROM stored_events")
        connection.execute("NOTIFY stored_events")


class PostgresLedgerRecorder(EntryRecorder, PostgresApplicationRecorder):
    """The library's recorder, and entries with their keys and facts."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        super().__init__(datastore)
        self.database, self.symbols = PostgresDatabase(datastore), Symbols()

    def append_few(self, drafts: Sequence[Draft]) -> list[Outcome | None]:
        """Each by one call of a function in the database, which takes the lock and decides as `decide` does.

        Reversals take the long way, and what the function finds too hard.
        """
        rows: list[Row] = [(draft, draft.stream, {}) for draft in drafts if draft.stream is not None]
        if not rows:
            return [None] * len(drafts)
        calls = [_call(draft, state, self.symbols) for (draft, _, _), state in zip(rows, states(rows), strict=True)]
        with self.database.reading() as session:
            answers = session.fetch(APPEND, (orjson.dumps(calls).decode(),))
            if any(any(call["texts"]) for call in calls):
                self.symbols.refresh(session)
        outcomes = iter([_outcome(row[0], *answer) for row, answer in zip(rows, answers, strict=True)])
        return [None if draft.stream is None else next(outcomes) for draft in drafts]

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """As the library does, all or none and each version once; many go by COPY."""
        if len(stored_events) <= FEW_EVENTS:
            return cast("Sequence[int]", super().insert_events(stored_events, **kwargs))
        positions: Sequence[int] = self._copy_events(stored_events)
        return positions

    @again
    def _copy_events(self, stored_events: Sequence[StoredEvent]) -> Sequence[int]:
        with self.database.locking() as session:
            first = self.database.next_position(session)
            rows = [
                (event.originator_id, event.originator_version, event.topic, event.state, position)
                for position, event in enumerate(stored_events, first)
            ]
            self.database.insert_events(session, rows)
        return range(first, first + len(rows))


def _call(draft: Draft, state: bytes, symbols: Symbols) -> dict[str, Any]:
    """An entry as the function takes it; texts that have no number yet, as far as we know, as texts."""
    new = Interning(symbols.numbers)
    fact = fact_row(0, draft.fields, {}, new)
    _, month, kind, manager, item, value, amount, branch, team, detail, attributes, _ = fact
    numbers = [manager, item, branch, team, detail, attributes]
    return {
        "stream": draft.stream,
        "topic": ENTRY_EVENTS[draft.kind].TOPIC,
        "state": state.hex(),
        "source": draft.key[0],
        "source_id": draft.key[1],
        "digest": draft.digest.hex(),
        "month": month,
        "kind": kind,
        "value": value,
        "amount": amount,
        "asks_place": draft.manager is not None and draft.kind != "assignment",
        "numbers": numbers,
        "texts": [new.texts[number - new.first] if number >= new.first else None for number in numbers],
    }


def _outcome(draft: Draft, status: str, position: int | None) -> Outcome | None:
    match status:
        case "accepted" | "duplicate":
            return Outcome(status, position)
        case "conflict":
            return Outcome("conflict", None, conflict(draft).reasons)
        case "no_assignment":
            return Outcome("rejected", None, no_assignment(draft).reasons)
    return None


class PostgresLedgerFactory(PostgresFactory):
    """What the library's application is given: our datastore and recorder."""

    datastore: LedgerDatastore

    def __init__(self, datastore: LedgerDatastore) -> None:
        super(BasePostgresFactory, self).__init__({})
        self.datastore = datastore

    def application_recorder(self) -> PostgresLedgerRecorder:
        """Ours; whoever opens the ledger has made the tables."""
        return PostgresLedgerRecorder(self.datastore)


def open_factory(url: str) -> PostgresLedgerFactory:
    """The ledger in a database; its tables are made where the database is empty. Raises StoreError."""
    try:
        address = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its words may quote the password
        zh, en = "地址写法有误，特殊字符请用 %XX 转义", "the address is malformed; write special characters as %XX"
        raise schema.unusable("postgresql://…", zh, en) from None
    where = _where(address)
    try:
        with psycopg.connect(
            make_conninfo(url, connect_timeout=address.get("connect_timeout", WAIT_SECONDS)), autocommit=True
        ) as probe:
            name, is_ledger = _look(PostgresSession(probe), where)
        with ExitStack() as on_failure:
            factory = PostgresLedgerFactory(LedgerDatastore(address, name))
            on_failure.callback(factory.close)
            if not is_ledger:
                _create(factory, where)
            on_failure.pop_all()
    except (psycopg.Error, PersistenceError) as error:
        raise _why(where, error) from error
    return factory


def _look(session: PostgresSession, where: str) -> tuple[str, bool]:
    """The schema that tables stand in, and whether a ledger is there."""
    name = session.value("SELECT current_schema()")
    if name is None:
        raise schema.unusable(where, "search_path 里没有可用的模式", "its search_path names no schema that exists")
    encoding = session.value("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise schema.unusable(
            where, f"库的编码是 {encoding}，须为 UTF8", f"it is encoded in {encoding}; make it in UTF8"
        )
    return name, schema.is_ledger(session, _tables(session), where)


def _create(factory: PostgresLedgerFactory, where: str) -> None:
    recorder = factory.application_recorder()
    with PostgresDatabase(factory.datastore).preparing() as session:
        if not schema.is_ledger(session, _tables(session), where):  # nobody was quicker
            for made in recorder.sql_create_statements:
                session.cursor.execute(made)
            for statement in SCHEMA:
                session.execute(statement)


def _tables(connection: Connection) -> set[str]:
    return {name for (name,) in connection.fetch(TABLES)}


def _where(address: dict[str, Any]) -> str:
    """The address, without what must stay secret."""
    user = f"{address['user']}@" if "user" in address else ""
    port = f":{address['port']}" if "port" in address else ""
    return f"postgresql://{user}{address.get('host', '')}{port}/{address.get('dbname', '')}"


def _why(where: str, error: Exception) -> StoreError:
    detail = " ".join(str(error).split())
    if "password" in detail:
        return schema.unusable(where, "用户名或密码不对", "user name or password is wrong")
    if "does not exist" in detail:
        return schema.unusable(where, f"库或用户不存在，请先建立（{detail}）", f"make it first: {detail}")
    if "permission denied" in detail:
        return schema.unusable(where, f"没有权限（{detail}）", f"no permission: {detail}")
    return schema.unusable(
        where, f"请检查服务器是否在运行、地址是否正确（{detail}）", f"is it running, and there? {detail}"
    )
