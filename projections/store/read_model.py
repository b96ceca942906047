"""Read models follow the log: rows and the position they are good for are written together, so each
event counts once.

Every read model can be dropped and derived again (`rebuild`), with the same result, on any day.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from uuid import UUID

import orjson
from eventsourcing.persistence import PersistenceError, StoredEvent

from domain.entries.entry import entry_body
from domain.ledger.event_json import UNREADABLE, JsonTranscoder, LedgerMapper
from domain.ledger.events import ENTRY_TOPICS, ReversalRecorded
from domain.ledger.store_protocol import UnreadableEvents, store_errors
from projections.store.database import database_of
from projections.store.entry_recorder import FACTS, KEYS, SYMBOLS, EntryRecorder
from projections.store.fact_rows import COLUMNS, SYMBOL_COLUMNS, Interning, fact_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection, Database

BATCH = 2_000  # events a transaction


class Recorded(NamedTuple):
    """An event as it is stored: enough for most read models, and several times as quick as the
    domain's event.
    """

    position: int
    stream: UUID
    version: int
    topic: str
    state: bytes

    def json(self) -> dict[str, Any]:
        """The event's state."""
        state: dict[str, Any] = orjson.loads(self.state)
        return state


class Projection(ABC):
    """A read model with tables of its own."""

    name: ClassVar[str]
    topics: ClassVar[tuple[str, ...]] = ()  # the events that it is made of; none named: all
    schema: ClassVar[
        tuple[str, ...]
    ]  # CREATE TABLE IF NOT EXISTS …, in words that both databases know
    tables: ClassVar[tuple[str, ...]]
    canonical: ClassVar[
        str
    ]  # a query of all that it holds, in an order that never changes: it is digested
    _prepared = False

    @abstractmethod
    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Takes in the next events, in order."""

    def catch_up(self, ledger: Ledger) -> int:
        """Follows the log to its end; the position reached. Any number of processes may do it at
        the same time.
        """
        database = database_of(ledger)
        with store_errors():
            self.prepare(database)
            while True:
                with database.reading() as connection:
                    reached, end = (
                        tracked(connection, self.name),
                        last_position(connection, database),
                    )
                if reached >= end:
                    return reached
                with database.writing() as connection:
                    self.step(connection, database)

    def prepare(self, database: Database) -> None:
        """Makes the tables, unless they have been made."""
        if not self._prepared:
            row = "INSERT INTO tracking VALUES (?, 0) ON CONFLICT (name) DO NOTHING"
            try:
                with database.preparing() as connection:
                    # The row first, as `step` takes it first: CREATE INDEX locks its table even
                    # where the index exists.
                    connection.execute(row, (self.name,))
                    for statement in self.schema:
                        connection.execute(statement)
            except PersistenceError as error:
                # Nothing can be written: what was derived before can still be read.
                if not cannot_write(error) or not self._was_made(database):
                    raise
            self._prepared = True

    def _was_made(self, database: Database) -> bool:
        with database.reading() as connection:
            sql = "SELECT 1 FROM tracking WHERE name = ?"
            return connection.value(sql, (self.name,)) is not None

    def step(self, connection: Connection, database: Database) -> bool:
        """Applies one batch of events; whether there may be more."""
        # Changing the row, if only to what it is, keeps whoever else follows waiting until this
        # batch is committed.
        touch = "UPDATE tracking SET position = position WHERE name = ? RETURNING position"
        after, end = connection.value(touch, (self.name,)), last_position(connection, database)
        events = read_log(connection, database, after, end, self.topics)
        if events:
            with readable(events):
                self.apply(connection, events)
        full = len(events) == BATCH
        reached = events[-1].position if full else end
        connection.execute("UPDATE tracking SET position = ? WHERE name = ?", (reached, self.name))
        return full


def cannot_write(error: PersistenceError) -> bool:
    """Whether the database can be read and not written: its disk is full, or may not be changed."""
    return any(word in str(error) for word in ("readonly", "read-only", "is full"))


def tracked(connection: Connection, name: str) -> int:
    """The position that a read model is good for."""
    return connection.value("SELECT position FROM tracking WHERE name = ?", (name,)) or 0


def last_position(connection: Connection, database: Database) -> int:
    """The position of the last event, 0 of an empty ledger."""
    return connection.value(f"SELECT max({database.position}) FROM stored_events") or 0


def read_log(
    connection: Connection, database: Database, after: int, end: int, topics: Sequence[str] = ()
) -> list[Recorded]:
    """The next batch of events after a position, up to another."""
    of_topics = f"AND topic {database.one_of}" if topics else ""
    rows = connection.fetch(
        f"SELECT {database.position}, originator_id, originator_version, topic, state FROM "
        "stored_events "
        f"WHERE {database.position} > ? AND {database.position} <= ? {of_topics} ORDER BY 1 LIMIT "
        f"{BATCH}",
        (after, end, database.array(topics)) if topics else (after, end),
    )
    return [
        Recorded(p, s if isinstance(s, UUID) else UUID(s), version, topic, state)
        for p, s, version, topic, state in rows
    ]


@contextmanager
def readable(events: Sequence[Recorded]) -> Iterator[None]:
    """Where reading these events fails because of what is stored: raises UnreadableEvents, with all
    of them that cannot be read.
    """
    try:
        yield
    except UNREADABLE:
        unreadable = [event.position for event in events if not _is_readable(event)]
        if unreadable:
            raise UnreadableEvents(unreadable) from None
        raise


def _is_readable(event: Recorded) -> bool:
    stored = StoredEvent(event.stream, event.version, event.topic, event.state)
    try:
        LedgerMapper(transcoder=JsonTranscoder()).to_domain_event(stored)
    except UNREADABLE:
        return False
    return True


def rebuild(ledger: Ledger, followers: Sequence[Projection] = ()) -> dict[str, tuple[str, str]]:
    """Drops every read model and derives it again from the log, in one transaction that keeps
    writers waiting.

    Gives for each the digest of what it held before and after. Where two differ, what it held
    before did not follow from the log. Then other processes must be started again: they know
    symbols by their old numbers.
    """
    database = database_of(ledger)
    assert isinstance(ledger.recorder, EntryRecorder)
    for follower in followers:
        follower.prepare(database)
    with store_errors(), database.rebuilding() as connection:
        _follow(followers, connection, database)
        before = _digests(connection, followers)
        for table in (
            "keys",
            "facts",
            "symbols",
            *(table for follower in followers for table in follower.tables),
        ):
            connection.execute(f"DELETE FROM {table}")
        _derive(connection, database)
        for follower in followers:
            connection.execute("UPDATE tracking SET position = 0 WHERE name = ?", (follower.name,))
        _follow(followers, connection, database)
        after = _digests(connection, followers)
    ledger.recorder.symbols.forget()
    return {name: (before[name], after[name]) for name in before}


def _follow(followers: Sequence[Projection], connection: Connection, database: Database) -> None:
    for follower in followers:
        while follower.step(connection, database):
            pass


def _derive(connection: Connection, database: Database) -> None:
    """Keys, facts and symbols, from the events of entries."""
    symbols, position, end = Interning({}), 0, last_position(connection, database)
    while events := read_log(connection, database, position, end, tuple(ENTRY_TOPICS.values())):
        position = events[-1].position
        keys, facts = [], []
        with readable(events):
            for event in events:
                state = event.json()
                fields = state["entry"]
                link = state if event.topic == ReversalRecorded.TOPIC else {}
                digest = hashlib.sha256(entry_body(fields, state["personal"])).digest()
                keys.append((fields["source"], fields["source_id"], event.position, digest))
                facts.append(fact_row(event.position, fields, link, symbols))
        connection.insert(KEYS, keys)
        connection.insert(FACTS, facts)
    connection.insert(SYMBOLS, enumerate(symbols.texts, symbols.first))


def _digests(connection: Connection, followers: Sequence[Projection]) -> dict[str, str]:
    texts = {0: ""} | dict(connection.fetch("SELECT id, text FROM symbols ORDER BY id"))
    symbols = {i for i, column in enumerate(COLUMNS) if column in SYMBOL_COLUMNS}
    facts = f"SELECT {', '.join(COLUMNS)} FROM facts ORDER BY position"
    return {
        "keys": _digest(
            connection.stream(
                "SELECT source, source_id, position, digest FROM keys ORDER BY position"
            )
        ),
        "symbols": _digest(texts.items()),
        # A connection reads one stream at a time, so each is digested before the next is opened.
        "facts": _digest(
            [texts.get(value, value) if i in symbols else value for i, value in enumerate(row)]
            for row in connection.stream(facts)
        ),
        **{follower.name: _digest(connection.stream(follower.canonical)) for follower in followers},
    }


def _digest(rows: Iterable[Any]) -> str:
    """SHA-256 over the rows, one JSON array a line."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(orjson.dumps(list(row), default=_plain) + b"\n")
    return digest.hexdigest()


def _plain(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
