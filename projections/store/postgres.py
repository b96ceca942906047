"""The ledger on PostgreSQL: one entry takes one round trip, many go by COPY; and how a database is
opened as one.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import orjson
import psycopg
from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import BasePostgresFactory, PostgresApplicationRecorder, PostgresFactory
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.errors import StoreError
from domain.ledger.acceptance import Draft, Outcome, conflict, no_assignment
from domain.ledger.append import retry_lost_connection, states
from domain.ledger.event_json import is_dated, stamped
from domain.ledger.events import ENTRY_TOPICS
from projections.store import schema
from projections.store.entry_recorder import EntryRecorder, check_as_read
from projections.store.fact_rows import COLUMNS, SYMBOL_COLUMNS, Interning, Symbols, fact_row
from projections.store.postgres_connection import (
    WAIT_SECONDS,
    LedgerDatastore,
    PostgresDatabase,
    PostgresSession,
)
from projections.store.postgres_schema import APPEND, SCHEMA, SENT, TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing.persistence import StoredEvent

    from domain.ledger.store_protocol import Row
    from projections.store.connection import Connection


class PostgresLedgerRecorder(EntryRecorder, PostgresApplicationRecorder):
    """The library's recorder, and entries with their keys and facts."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        super().__init__(datastore)
        self.database, self.symbols = PostgresDatabase(datastore), Symbols()

    def append_in_one_trip(self, drafts: Sequence[Draft]) -> list[Outcome | None]:
        """By one call of a function in the database, which takes the lock and decides as `decide`
        does. None for each reversal, and what the function leaves undecided.
        """
        rows: list[Row] = [
            (draft, draft.stream, {}) for draft in drafts if draft.stream is not None
        ]
        if not rows:
            return [None] * len(drafts)
        calls = [
            _call(draft, state, self.symbols)
            for (draft, _, _), state in zip(rows, states(rows), strict=True)
        ]
        with self.database.reading() as session:
            answers = session.fetch(APPEND, (orjson.dumps(calls).decode(),))
            if any(any(call["texts"]) for call in calls):
                self.symbols.refresh(session)
        outcomes = iter(
            [_outcome(row[0], *answer) for row, answer in zip(rows, answers, strict=True)]
        )
        return [None if draft.stream is None else next(outcomes) for draft in drafts]

    @retry_lost_connection
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """As the library does, all or none and each version once, with the moment of writing.

        By COPY and not in psycopg's pipeline, as the library does: its `sync` waits for an answer
        before everything is sent, so that a large event would wait for ever.
        """
        with self.database.locking() as session:
            check_as_read(session, self.database, kwargs.get("as_read"))
            first, moment = self.database.next_position(session), self.database.moment(session)
            rows = [
                (
                    event.originator_id,
                    event.originator_version,
                    event.topic,
                    stamped(event.state, moment),
                    position,
                )
                for position, event in enumerate(stored_events, first)
            ]
            self.database.insert_events(session, rows)
        return range(first, first + len(rows))


def _call(draft: Draft, state: bytes, symbols: Symbols) -> dict[str, Any]:
    """An entry as the function takes it; texts that have no number yet, as far as we know, as
    texts.
    """
    new = Interning(symbols.numbers)
    fact = dict(zip(COLUMNS, fact_row(0, draft.fields, {}, new), strict=True))
    numbers = [fact[column] for column in SYMBOL_COLUMNS]
    return {
        "stream": draft.stream,
        "topic": ENTRY_TOPICS[draft.kind],
        "state": state.hex(),
        "dated": is_dated(state),
        "source": draft.key[0],
        "source_id": draft.key[1],
        "digest": draft.digest.hex(),
        **{column: fact[column] for column in SENT},
        "asks_place": draft.needs_assignment,
        "numbers": numbers,
        "texts": [
            new.texts[number - new.first] if number >= new.first else None for number in numbers
        ],
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


def open_factory(url: str, *, begin: bool = True) -> PostgresLedgerFactory:
    """The ledger in a database; its tables are made where the database is empty and `begin` says
    so. Raises StoreError, NoLedger.
    """
    try:
        address = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its words may quote the password
        zh, en = (
            "地址写法有误，特殊字符请用 %XX 转义",
            "the address is malformed; write special characters as %XX",
        )
        raise schema.unusable("postgresql://…", zh, en) from None
    where = _where(address)
    try:
        with psycopg.connect(
            make_conninfo(url, connect_timeout=address.get("connect_timeout", WAIT_SECONDS)),
            autocommit=True,
        ) as probe:
            name, is_ledger = _look(PostgresSession(probe), where)
        if not is_ledger and not begin:
            raise schema.NoLedger(where)
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
    """The schema of the tables, and whether they are a ledger's."""
    name = session.value("SELECT current_schema()")
    if name is None:
        raise schema.unusable(
            where, "search_path 里没有可用的模式", "its search_path names no schema that exists"
        )
    encoding = session.value("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise schema.unusable(
            where,
            f"库的编码是 {encoding}，须为 UTF8",
            f"it is encoded in {encoding}; make it in UTF8",
        )
    return name, schema.is_ledger(session, _tables(session), where)


def _create(factory: PostgresLedgerFactory, where: str) -> None:
    recorder = factory.application_recorder()
    with PostgresDatabase(factory.datastore).preparing() as session:
        if not schema.is_ledger(
            session, _tables(session), where
        ):  # nor has another process made them since
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
        return schema.unusable(
            where, f"库或用户不存在，请先建立（{detail}）", f"make it first: {detail}"
        )
    if "permission denied" in detail:
        return schema.unusable(where, f"没有权限（{detail}）", f"no permission: {detail}")
    return schema.unusable(
        where,
        f"请检查服务器是否在运行、地址是否正确（{detail}）",
        f"is it running, and there? {detail}",
    )
