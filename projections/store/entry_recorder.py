"""How entries get into the database: each event with its key and its fact in one transaction, on
either database.

`EntryRecorder` extends the library's recorders, which keep the events; our tables stand beside
theirs. What differs between the databases is in `sqlite.py` and `postgres.py`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from eventsourcing.persistence import Notification

from domain.entries.subject import Subject
from domain.errors import Overtaken
from domain.ledger.acceptance import BatchContext, Draft, Reversals, Target
from domain.ledger.event_json import UNREADABLE, is_stored_as, stamped
from domain.ledger.events import ENTRY_TOPICS
from domain.ledger.store_protocol import UnreadableEvents
from projections.store.connection import Connection, Database, SqlRow, Table
from projections.store.fact_rows import (
    COLUMNS,
    FACT_COLUMNS,
    Interning,
    Symbols,
    fact_row,
    month_index,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from eventsourcing.persistence import StoredEvent

    from domain.entries.entry import Key
    from domain.ledger.acceptance import Outcome
    from domain.ledger.store_protocol import AsRead, PrepareNext, Row

KEYS = Table(
    "keys", ("source", "source_id", "position", "digest"), ("text", "text", "int8", "bytea")
)
SYMBOLS = Table("symbols", ("id", "text"), ("int4", "text"))
FACTS = Table("facts", COLUMNS, tuple(f"int{column.bytes}" for column in FACT_COLUMNS))

# Assignments by manager, and by branch.
INDEXES = (
    "CREATE INDEX facts_assignments ON facts (manager, month) WHERE kind = 0",
    "CREATE INDEX facts_branches ON facts (branch, month, manager) WHERE kind = 0",
)


def check_as_read(connection: Connection, database: Database, as_read: AsRead | None) -> None:
    """Raises Overtaken where something came that whoever writes has not read."""
    if as_read is None:
        return
    since = (
        f"SELECT 1 FROM stored_events WHERE {database.position} > ? "
        f"AND (topic {database.one_of} OR originator_id {database.one_of}) LIMIT 1"
    )
    topics = database.array(as_read.topics)
    streams = database.array([database.stream(stream) for stream in as_read.streams])
    if connection.fetch(since, (as_read.position, topics, streams)):
        raise Overtaken


class EntryWork:
    """What the ledger does in one transaction, or one look (`domain.ledger.store_protocol.Reading`
    and `Writing`).
    """

    def __init__(
        self, connection: Connection, database: Database, symbols: Symbols, as_of: int | None = None
    ) -> None:
        self._connection, self._database, self._symbols = connection, database, symbols
        self._as_of = as_of  # nothing that was recorded after this position is seen
        symbols.refresh(connection)
        self.new = Interning(symbols.numbers)

    def load_context(self, drafts: Sequence[Draft], *, look_up_keys: bool) -> BatchContext:
        """What is stored that decides these drafts."""
        reversed_keys = {draft.reversed_key for draft in drafts if draft.reversed_key is not None}
        targets = self.targets(reversed_keys) if reversed_keys else {}
        subjects = [target.subject for target in targets.values()]
        reversals = self._reversals_about(subjects) if subjects else {}
        managers = {draft.manager for draft in drafts if draft.manager and draft.needs_assignment}
        reassigned = {s.manager for s in subjects if s.manager and s.root == "assignment"}
        assignments = self._assignments(managers | reassigned, reassigned, reversals)
        keys = self._keys([draft.key for draft in drafts]) if look_up_keys else {}
        return BatchContext(keys, assignments, targets, Reversals(reversals))

    def targets(self, keys: Collection[Key]) -> dict[Key, Target]:
        """The entries and reversals with these keys, where they are stored."""
        stored = self._keys(list(keys))
        positions = [position for position, _ in stored.values()]
        events = {n.id: n for n in select_positions(self._connection, self._database, positions)}
        return {key: _target(events[position]) for key, (position, _) in stored.items()}

    def _keys(self, keys: Sequence[Key]) -> dict[Key, tuple[int, bytes]]:
        stored = self._database.keys(self._connection, keys)
        if self._as_of is None:
            return stored
        return {
            key: (position, digest)
            for key, (position, digest) in stored.items()
            if position <= self._as_of
        }

    def _reversals_about(self, subjects: Iterable[Subject]) -> dict[int, int]:
        """The reversals in the months of these managers, each with what it reverses: the chains of
        what has these subjects, and some more.
        """
        numbers = self._symbols.numbers
        months = {(month_index(s.month), numbers[s.manager] if s.manager else 0) for s in subjects}
        return {
            position: reversed_position
            for position, reversed_position in self._database.reversals(self._connection, months)
            if self._as_of is None or position <= self._as_of
        }

    def _assignments(
        self, managers: set[str], reassigned: set[str], reversals: dict[int, int]
    ) -> dict[str, dict[int, int]]:
        """The assignments of these managers, by position, with their months.

        All assignments of those in `reassigned` and of whoever has had one reversed; then
        `reversals` gains their reversals. Of all others the earliest is enough, at position 0,
        since no reversal reverses it.
        """
        numbers = {self._symbols.numbers[m]: m for m in managers if m in self._symbols.numbers}
        assignments: dict[str, dict[int, int]] = {}
        one_of, until = self._database.one_of, ""
        if self._as_of is not None:
            until = f" AND position <= {self._as_of}"
        rows = self._connection.fetch(
            "SELECT manager, min(month), max(reverses) FROM facts "
            f"WHERE kind = 0 AND manager {one_of}{until} GROUP BY manager",
            (self._database.array(numbers),),
        )
        for number, month, last_reversed in rows:
            if last_reversed == 0 and numbers[number] not in reassigned:
                assignments[numbers[number]] = {0: month}
        rest = [number for number, manager in numbers.items() if manager not in assignments]
        rows = self._connection.fetch(
            "SELECT manager, position, month, reverses FROM facts "
            f"WHERE kind = 0 AND manager {one_of}{until}",
            (self._database.array(rest),),
        )
        for number, position, month, reversed_position in rows:
            if reversed_position:
                reversals[position] = reversed_position
            else:
                assignments.setdefault(numbers[number], {})[position] = month
        return assignments

    def next_position(self) -> int:
        """The position of the next event; the transaction may use it and those that follow."""
        return self._database.next_position(self._connection)

    def write(
        self,
        first: int,
        rows: Sequence[Row],
        states: Iterable[bytes],
        prepare_next: PrepareNext,
    ) -> None:
        """Events from that position on, with these states, and their keys and facts. Raises
        IntegrityError where a key is taken.

        Rows are made while those before them are on their way. `prepare_next` is called when the
        database works without this process: a server all the time, a file when it commits.
        """
        if self._database.is_server:
            prepare_next()
        streams = {stream.int: stream for _, stream, _ in rows}  # a UUID is slow to look up by
        last = self._database.versions(self._connection, streams.values())
        versions = {number: last.get(stream, 0) for number, stream in streams.items()}
        names = {number: self._database.stream(stream) for number, stream in streams.items()}
        keys = (
            (*draft.key, position, draft.digest)
            for position, (draft, _, _) in enumerate(rows, first)
        )
        self._connection.insert(KEYS, keys)
        moment = self._database.moment(self._connection)
        dated = (stamped(state, moment) for state in states)
        self._database.insert_events(self._connection, _events(rows, first, dated, names, versions))
        facts = (
            fact_row(position, draft.fields, link, self.new)
            for position, (draft, _, link) in enumerate(rows, first)
        )
        self._connection.insert(FACTS, facts)
        if self.new.texts:
            self._connection.insert(SYMBOLS, enumerate(self.new.texts, self.new.first))
        if not self._database.is_server:
            prepare_next()


def _events(
    rows: Sequence[Row],
    first: int,
    states: Iterable[bytes],
    names: Mapping[int, Any],
    versions: dict[int, int],
) -> Iterator[SqlRow]:
    for position, ((draft, stream, _), state) in enumerate(zip(rows, states, strict=True), first):
        number = stream.int
        versions[number] += 1
        yield names[number], versions[number], ENTRY_TOPICS[draft.kind], state, position


def select_positions(
    connection: Connection, database: Database, positions: Collection[int]
) -> list[Notification]:
    """The events at these positions; positions without one are left out."""
    rows = connection.fetch(
        f"SELECT {database.position}, originator_id, originator_version, topic, state FROM "
        "stored_events "
        f"WHERE {database.position} {database.one_of} ORDER BY 1",
        (database.array(positions),),
    )
    return [_notification(row) for row in rows]


def _notification(row: SqlRow) -> Notification:
    position, stream, version, topic, state = row
    return Notification(
        stream if isinstance(stream, UUID) else UUID(stream),
        version,
        topic,
        bytes(state),
        id=position,
    )


def _target(event: Notification) -> Target:
    assert isinstance(event.originator_id, UUID)
    try:
        subject = Subject.of_state(orjson.loads(event.state))
    except UNREADABLE:
        raise UnreadableEvents([event.id]) from None
    return Target(event.id, event.originator_id, subject)


class EntryRecorder:
    """What the ledger needs beside the library's recorder (`domain.ledger.store_protocol.Store`);
    mixed into one.
    """

    database: Database
    symbols: Symbols

    @contextmanager
    def reading(self, as_of: int | None = None) -> Iterator[EntryWork]:
        """A look at what is stored, or was as of a position."""
        with self.database.reading() as connection:
            yield EntryWork(connection, self.database, self.symbols, as_of)

    @contextmanager
    def writing(self) -> Iterator[EntryWork]:
        """The lock, and a transaction that commits at the end or leaves no trace."""
        with self.database.locking() as connection:
            work = EntryWork(connection, self.database, self.symbols)
            yield work
        self.symbols.committed(work.new)

    def append_in_one_trip(self, drafts: Sequence[Draft]) -> list[Outcome | None]:
        """None for each: only a server can decide and write entries in one round trip."""
        return [None] * len(drafts)

    def position_of(self, stored_event: StoredEvent) -> int | None:
        """The position of this very event; None where the ledger does not have it."""
        with self.database.reading() as connection:
            assert isinstance(stored_event.originator_id, UUID)
            stream = self.database.stream(stored_event.originator_id)
            rows = connection.fetch(
                f"SELECT {self.database.position}, state FROM stored_events "
                "WHERE originator_id = ? AND originator_version = ? AND topic = ?",
                (stream, stored_event.originator_version, stored_event.topic),
            )
        return next(
            (
                position
                for position, state in rows
                if is_stored_as(stored_event.state, bytes(state))
            ),
            None,
        )

    def version_at(self, stream_id: UUID, position: int) -> int:
        """The version that a stream had reached by a position; 0 where it had not begun."""
        where = f"originator_id = ? AND {self.database.position} <= ?"
        sql = f"SELECT max(originator_version) FROM stored_events WHERE {where}"
        with self.database.reading() as connection:
            version: int | None = connection.value(sql, (self.database.stream(stream_id), position))
            return version or 0

    def last_position(self) -> int:
        """That of the last event; the library would ask a database that does not answer ten
        times.
        """
        with self.database.reading() as connection:
            position: int | None = connection.value(
                f"SELECT max({self.database.position}) FROM stored_events"
            )
            return position or 0

    def select_positions(self, positions: Collection[int]) -> Sequence[Notification]:
        """The events at these positions; positions without one are left out."""
        with self.database.reading() as connection:
            return select_positions(connection, self.database, positions)
