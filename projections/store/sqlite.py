"""The ledger on SQLite: one file, WAL, every commit on disk before it is acknowledged, one writer
at a time.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import numpy as np
import orjson
from eventsourcing.persistence import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    PersistenceError,
)
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
    SQLiteTransaction,
)

from domain.errors import StoreError
from domain.ledger.event_json import UNREADABLE, instant, stamped
from domain.ledger.store_protocol import UnreadableEvents
from projections.store import schema
from projections.store.connection import Connection, Database, SqlRow, SqlValues, Table
from projections.store.entry_recorder import INDEXES, EntryRecorder, check_as_read
from projections.store.fact_rows import COLUMNS, Symbols

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from uuid import UUID

    from eventsourcing.persistence import StoredEvent
    from numpy.typing import NDArray

    from domain.entries.entry import Key

WAIT_SECONDS = 60  # for the writer before, in this process or another
PAUSE_SECONDS = 0.01
# Of pages that a connection keeps, at most: an import comes back to the same index pages.
CACHE_KIB = 64 * 1024

EVENTS = Table(
    "stored_events", ("originator_id", "originator_version", "topic", "state", "rowid"), ()
)
# Finds an event of a topic after a position.
SCHEMA = (
    """CREATE TABLE keys (
        source TEXT NOT NULL, source_id TEXT NOT NULL,
        position INTEGER NOT NULL, digest BLOB NOT NULL,
        PRIMARY KEY (source, source_id)) WITHOUT ROWID""",
    "CREATE TABLE symbols (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    f"""CREATE TABLE facts (
        {", ".join(f"{column} INTEGER NOT NULL" for column in COLUMNS)},
        PRIMARY KEY (month, manager, position)) WITHOUT ROWID""",
    *INDEXES,
    "CREATE TABLE tracking (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
    schema.CREATE_TABLE,
    schema.INSERT_VERSION,
)


def open_factory(path: str, *, begin: bool = True) -> SQLiteLedgerFactory:
    """The ledger in a file, which is made if it does not exist and `begin` says so. Raises
    StoreError, NoLedger.
    """
    file = os.path.abspath(path)
    if not path or os.path.isdir(file):
        raise schema.unusable(
            path, "这是一个目录，请写出文件名", "this is a directory; name a file in it"
        )
    address = f"file:{quote(file)}"
    try:
        return _open(address, file, path, begin=begin)
    except (PersistenceError, sqlite3.Error, OSError) as error:
        unwritable = _read_only(address, file, error)
        if begin or unwritable is None:
            raise _why(path, error) from error
    try:
        return _open(unwritable, file, path, begin=False)
    except (PersistenceError, sqlite3.Error, OSError) as error:
        raise _why(path, error) from error


def _open(address: str, file: str, path: str, *, begin: bool) -> SQLiteLedgerFactory:
    with ExitStack() as on_failure:
        is_ledger = _is_ledger(address, file, path)
        if not is_ledger and not begin:
            raise schema.NoLedger(path)
        factory = SQLiteLedgerFactory(LedgerDatastore(address))
        on_failure.callback(factory.close)
        if is_ledger:
            with factory.datastore.transaction(commit=False):
                pass  # the log that stands beside the file can be opened too
        else:
            _create(factory.application_recorder(), path)
        on_failure.pop_all()
    return factory


def _read_only(address: str, file: str, error: Exception) -> str | None:
    """The file's address for reading alone, where nothing can be written beside it: the disk is
    full, or may not be written. None where reading alone would not help.

    Without a log beside it the file is all there is, and is read as one that nobody changes: SQLite
    could make no log there, nor an index of one.
    """
    if isinstance(error, OSError) or not os.path.isfile(file):
        return None
    if not any(word in str(error) for word in ("disk I/O", "unable to open", "readonly", "full")):
        return None
    log = f"{file}-wal"
    has_log = os.path.exists(log) and os.path.getsize(log) > 0
    return f"{address}?mode=ro" if has_log else f"{address}?immutable=1"


def _is_ledger(address: str, file: str, path: str) -> bool:
    """Reads without changing anything: the file may belong to another program."""
    try:
        os.stat(file)
    except FileNotFoundError:
        os.stat(os.path.dirname(file))
        return False
    if "?" not in address:
        address += "?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS)) as probe:
        session = SQLiteSession(probe.cursor())
        return schema.is_ledger(session, _tables(session), path)


def _create(recorder: SQLiteLedgerRecorder, path: str) -> None:
    with recorder.database.writing() as session:
        if not schema.is_ledger(
            session, _tables(session), path
        ):  # nor has another process made them since
            for statement in (*recorder.create_table_statements, *SCHEMA):
                session.execute(statement)


def _tables(connection: Connection) -> set[str]:
    return {
        name
        for (name,) in connection.fetch(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        )
    }


def _why(path: str, error: Exception) -> StoreError:
    text = str(error)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return schema.unusable(
            path, "所在目录不存在，请先建立", "its directory does not exist; make it first"
        )
    if "not a database" in text:
        return schema.unusable(path, "文件不是 SQLite 数据库", "the file is not an SQLite database")
    if isinstance(error, PermissionError) or "unable to open" in text or "readonly" in text:
        return schema.unusable(path, "没有读写权限", "no permission to read and write it")
    return schema.unusable(path, text, text)


class _Pool(SQLiteConnectionPool):
    """Connections whose commits survive a power cut, and which keep their statements (the library's
    keep only one).
    """

    def _create_connection(self) -> SQLiteConnection:
        try:
            made = sqlite3.connect(
                self.db_name,
                timeout=WAIT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                uri=True,
            )
            if "?" not in self.db_name:
                _keep_log(made)
            made.execute("PRAGMA synchronous = FULL")
            made.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        made.row_factory = sqlite3.Row
        return SQLiteConnection(sqlite_conn=made, max_age=self.max_age)


def _keep_log(connection: sqlite3.Connection) -> None:
    """Sets WAL. SQLite does not wait where another process is setting it, whatever the timeout."""
    until = monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(PAUSE_SECONDS)
        else:
            return


class _Transaction(SQLiteTransaction):
    """A writer takes the lock at once: a transaction that begins by reading may find that it cannot
    write any more.
    """

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error
        except sqlite3.DatabaseError as error:
            raise DatabaseError(error) from error
        return cursor


class LedgerDatastore(SQLiteDatastore):
    """The library's datastore with these connections and transactions."""

    def __init__(self, path: str) -> None:
        super().__init__(path, lock_timeout=WAIT_SECONDS, pool_timeout=WAIT_SECONDS)
        self.pool = _Pool(db_name=path, lock_timeout=WAIT_SECONDS, pool_timeout=WAIT_SECONDS)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[Any]:
        """A look, or a transaction that commits."""
        with (
            self.get_connection(commit=commit) as connection,
            _Transaction(connection, commit=commit) as opened,
            opened as cursor,
        ):
            yield cursor


class SQLiteSession(Connection):
    """SQL on a cursor of SQLite."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        cursor.row_factory = None
        self.cursor = cursor

    def fetch(self, sql: str, params: SqlValues = ()) -> list[SqlRow]:
        """All rows of a query."""
        return self.cursor.execute(sql, params).fetchall()

    def stream(self, sql: str, params: SqlValues = ()) -> Iterator[SqlRow]:
        """The rows of a query as they come."""
        return self.cursor.execute(sql, params)

    def execute(self, sql: str, params: SqlValues = ()) -> None:
        """One statement."""
        self.cursor.execute(sql, params)

    def executemany(self, sql: str, rows: Iterable[SqlValues]) -> None:
        """One statement for each of the rows."""
        self.cursor.executemany(sql, rows)

    def insert(self, table: Table, rows: Iterable[SqlValues]) -> None:
        """Many rows at once."""
        places = ", ".join("?" * len(table.columns))
        self.cursor.executemany(
            f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({places})", rows
        )

    def numbers(self, sql: str, params: SqlValues, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Whole numbers as a structured array."""
        return np.array(self.fetch(sql, params), dtype=dtype)


def _moment(cursor: Any) -> str:
    sql = "SELECT rowid, state FROM stored_events ORDER BY rowid DESC LIMIT 1"
    last = cursor.execute(sql).fetchone()
    now = instant(datetime.now(UTC))
    try:
        return now if last is None else max(now, orjson.loads(last[1])["at"])
    except UNREADABLE:
        raise UnreadableEvents([last[0]]) from None


class SQLiteDatabase(Database):
    """SQL on the file of a ledger."""

    position = "rowid"
    is_server = False
    one_of = "IN (SELECT value FROM json_each(?))"

    def __init__(self, datastore: LedgerDatastore) -> None:
        self._datastore = datastore

    @contextmanager
    def reading(self) -> Iterator[SQLiteSession]:
        """A look at what is committed."""
        with self._datastore.transaction(commit=False) as cursor:
            yield SQLiteSession(cursor)

    @contextmanager
    def writing(self) -> Iterator[SQLiteSession]:
        """A transaction; SQLite has one writer, so it is all the others too."""
        with self._datastore.transaction(commit=True) as cursor:
            yield SQLiteSession(cursor)

    locking = preparing = rebuilding = writing

    def array(self, values: Collection[Any]) -> str:
        """The values as JSON."""
        return orjson.dumps(list(values)).decode()

    def stream(self, stream: UUID) -> str:
        """The library keeps streams as hex."""
        return stream.hex

    def keys(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, tuple[int, bytes]]:
        """Position and digest of those keys that are taken."""
        assert isinstance(connection, SQLiteSession)
        stored = {}
        for key in keys:
            sql = "SELECT position, digest FROM keys WHERE source = ? AND source_id = ?"
            if (row := connection.cursor.execute(sql, key).fetchone()) is not None:
                stored[key] = row
        return stored

    def reversals(
        self, connection: Connection, months: Collection[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """The reversals of these months and managers: position, and of what it names."""
        sql = (
            "SELECT position, reverses FROM facts WHERE month = ? AND manager = ? AND reverses <> 0"
        )
        return [row for month in months for row in connection.fetch(sql, month)]

    def versions(self, connection: Connection, streams: Collection[UUID]) -> dict[UUID, int]:
        """The last version of those streams that have events."""
        assert isinstance(connection, SQLiteSession)
        versions = {}
        for stream in streams:
            sql = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
            if (last := connection.cursor.execute(sql, (stream.hex,)).fetchone()[0]) is not None:
                versions[stream] = last
        return versions

    def close(self) -> None:
        """Closes every connection."""
        self._datastore.close()

    def next_position(self, connection: Connection) -> int:
        """The next position, which the write lock reserves."""
        position: int = connection.value("SELECT coalesce(max(rowid), 0) + 1 FROM stored_events")
        return position

    def moment(self, connection: Connection) -> str:
        """By the clock of this machine, the same for every process that writes."""
        assert isinstance(connection, SQLiteSession)
        return _moment(connection.cursor)

    def insert_events(self, connection: Connection, events: Iterable[SqlRow]) -> None:
        """Events with their positions."""
        connection.insert(EVENTS, events)


class SQLiteLedgerRecorder(EntryRecorder, SQLiteApplicationRecorder):
    """The library's recorder, and entries with their keys and facts."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        super().__init__(datastore)
        self.database, self.symbols = SQLiteDatabase(datastore), Symbols()

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """As the library does, in the transaction that it opened, with the moment of writing."""
        check_as_read(
            SQLiteSession(cast("sqlite3.Cursor", c)), self.database, kwargs.get("as_read")
        )
        moment = _moment(c)
        dated = [replace(event, state=stamped(event.state, moment)) for event in stored_events]
        return super()._insert_events(c, dated, **kwargs)


class SQLiteLedgerFactory(SQLiteFactory):
    """What the library's application is given: our datastore and recorder."""

    datastore: LedgerDatastore

    def __init__(self, datastore: LedgerDatastore) -> None:
        super(SQLiteFactory, self).__init__({})
        self.datastore = datastore

    def application_recorder(self) -> SQLiteLedgerRecorder:
        """Ours; whoever opens the ledger has made the tables."""
        return SQLiteLedgerRecorder(self.datastore)
