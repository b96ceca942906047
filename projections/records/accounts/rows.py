"""账号台账: the rows of accounts and of hashes of secrets, read and recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import orjson

from domain.errors import NotFound, Text
from domain.identifiers import stream_id
from domain.ledger.event_json import instant
from domain.ledger.events import (
    AccountOpened,
    ApiKeyCreated,
    ApiKeyRevoked,
    Event,
    PasswordSet,
    SeatGiven,
    SeatTaken,
    SessionClosed,
    SessionOpened,
)
from domain.rights import Role, Seat
from projections.store.database import database_of
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection


class AccountNotFound(NotFound):
    """No account has this name."""

    def __init__(self, account: str) -> None:
        super().__init__(Text(f"没有账号 {account}", f"there is no account {account}"))
        self.account = account


class ApiKey(NamedTuple):
    """A key of an account, by the hash of its secret. Instants are texts as in events."""

    number: int
    hash: str
    expires_at: str | None
    created_at: str
    created_by: str
    revoked_at: str | None

    def is_live(self, now: str) -> bool:
        """Whether it opens something at an instant."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class Account(NamedTuple):
    """An account as it is now."""

    name: str
    manager: str | None  # whose statements are its own
    seats: tuple[Seat, ...]
    keys: tuple[ApiKey, ...]
    password: str | None  # its hash
    opened: int  # the ledger position
    version: int  # of its stream

    @property
    def live_keys(self) -> list[ApiKey]:
        """The keys that open something now."""
        now = instant(datetime.now(UTC))
        return [key for key in self.keys if key.is_live(now)]


@dataclass
class _State:
    """The column `state` of an account; its fields are stored in this order."""

    password: str | None
    seats: list[list[str | None]]
    keys: list[dict[str, str | int | None]]  # the fields of ApiKey by name
    manager: str | None
    opened: int

    @classmethod
    def parse(cls, text: str) -> _State:
        return cls(**orjson.loads(text))


class AccountRows(Projection):
    """The rows: one an account, with its seats and keys; one a secret."""

    name = "accounts"
    topics = (
        *(AccountOpened.TOPIC, SeatGiven.TOPIC, SeatTaken.TOPIC, PasswordSet.TOPIC),
        *(ApiKeyCreated.TOPIC, ApiKeyRevoked.TOPIC, SessionOpened.TOPIC, SessionClosed.TOPIC),
    )
    tables: ClassVar[tuple[str, ...]] = ("accounts", "secrets")
    schema = (
        """CREATE TABLE IF NOT EXISTS accounts (
            account text NOT NULL PRIMARY KEY, state text NOT NULL, version integer NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS secrets (
            hash text NOT NULL PRIMARY KEY, account text NOT NULL, kind text NOT NULL,
            expires_at text)""",
    )
    canonical = (
        "SELECT account, state, version FROM accounts "
        "UNION ALL SELECT hash, account, 0 FROM secrets ORDER BY 1, 2"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Takes the events in, one by one: they are few."""
        for event in events:
            _update_secrets(connection, event)
            if event.topic not in {SessionOpened.TOPIC, SessionClosed.TOPIC}:
                _update_account(connection, event)


def _update_secrets(connection: Connection, event: Recorded) -> None:
    """Adds the hash of a new secret, or deletes those that open nothing any more."""
    state = event.json()
    account = state["account"]
    match event.topic:
        case SessionOpened.TOPIC:
            row = (state["token_hash"], account, "session", state["expires_at"])
            connection.execute("INSERT INTO secrets VALUES (?, ?, ?, ?)", row)
        case SessionClosed.TOPIC:
            connection.execute("DELETE FROM secrets WHERE hash = ?", (state["token_hash"],))
        case PasswordSet.TOPIC:  # a session that was opened with the old password ends
            sql = "DELETE FROM secrets WHERE account = ? AND kind = 'session'"
            connection.execute(sql, (account,))
        case ApiKeyCreated.TOPIC:
            row = (state["secret_hash"], account, "key", state["expires_at"])
            connection.execute("INSERT INTO secrets VALUES (?, ?, ?, ?)", row)
        case ApiKeyRevoked.TOPIC:
            stored = connection.value("SELECT state FROM accounts WHERE account = ?", (account,))
            keys = _State.parse(stored).keys
            revoked = next(key for key in keys if key["number"] == state["number"])
            connection.execute("DELETE FROM secrets WHERE hash = ?", (revoked["hash"],))


def _update_account(connection: Connection, event: Recorded) -> None:
    account = event.json()["account"]
    stored = connection.value("SELECT state FROM accounts WHERE account = ?", (account,))
    state = _State.parse(stored) if stored else _State(None, [], [], None, event.position)
    _evolve(state, event)
    connection.execute(
        "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT (account) DO UPDATE "
        "SET state = excluded.state, version = excluded.version",
        (account, orjson.dumps(state).decode(), event.version),
    )


def _evolve(account: _State, event: Recorded) -> None:
    """Changes the state of an account as an event says."""
    state = event.json()
    match event.topic:
        case AccountOpened.TOPIC:
            account.manager, account.opened = state["manager"], event.position
        case SeatGiven.TOPIC:
            account.seats.append(_stored_seat(state))
        case SeatTaken.TOPIC:
            account.seats.remove(_stored_seat(state))
        case PasswordSet.TOPIC:
            account.password = state["password_hash"]
        case ApiKeyCreated.TOPIC:
            key = ApiKey(
                number=state["number"],
                hash=state["secret_hash"],
                expires_at=state["expires_at"],
                created_at=state["at"],
                created_by=state["by"],
                revoked_at=None,
            )
            account.keys.append(key._asdict())
        case ApiKeyRevoked.TOPIC:
            key_fields = next(key for key in account.keys if key["number"] == state["number"])
            key_fields["revoked_at"] = state["at"]


def _stored_seat(state: dict[str, Any]) -> list[str | None]:
    """The fields of a seat; source and kind only where it has one, as earlier rows have neither."""
    fields = [state.get(name) for name in Seat._fields]
    return fields if any(fields[4:]) else fields[:4]


class Change(NamedTuple):
    """An event to be recorded of an account: its class, and its own fields."""

    event: Callable[..., Event]
    fields: dict[str, object]


class AccountRecords:
    """Reads accounts and records what changes them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, AccountRows(), database_of(ledger)

    def find(self, name: str) -> Account | None:
        """An account; None where there is none."""
        self.rows.catch_up(self.ledger)
        sql = "SELECT account, state, version FROM accounts WHERE account = ?"
        with self.database.reading() as connection:
            rows = connection.fetch(sql, (name,))
        return _account(*rows[0]) if rows else None

    def get(self, name: str) -> Account:
        """An account. Raises NotFound."""
        if (account := self.find(name)) is None:
            raise AccountNotFound(name)
        return account

    def all(self) -> list[Account]:
        """Every account, in the order in which they were opened."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            rows = connection.fetch("SELECT account, state, version FROM accounts")
        return sorted((_account(*row) for row in rows), key=lambda account: account.opened)

    def find_owner(self, secret: str) -> Account | None:
        """The account of a key or a session; None where the secret opens nothing.

        It is looked up by its hash, so that the time it takes says nothing about secrets that are
        near.
        """
        self.rows.catch_up(self.ledger)
        sql = (
            "SELECT a.account, a.state, a.version, s.expires_at FROM secrets s "
            "JOIN accounts a ON a.account = s.account WHERE s.hash = ?"
        )
        with self.database.reading() as connection:
            rows = connection.fetch(sql, (hash_of(secret),))
        if not rows:
            return None
        *account, expires_at = rows[0]
        if expires_at is not None and expires_at <= instant(datetime.now(UTC)):
            return None
        return _account(*account)

    def record(self, name: str, version: int, changes: Iterable[Change], *, by: str) -> int:
        """Records changes of an account that was read at a version; the ledger position.

        Raises VersionClash.
        """
        stream = account_stream(name)
        return self.ledger.record(
            *(
                change.event(
                    **change.fields,
                    originator_id=stream,
                    originator_version=version + number,
                    by=by,
                    account=name,
                )
                for number, change in enumerate(changes, 1)
            )
        )


def account_stream(name: str) -> UUID:
    """The stream of an account's events."""
    return stream_id("account", name)


def opening_changes(seats: Sequence[Seat], manager: str | None = None) -> list[Change]:
    """The changes that open an account; a manager's seat makes their statements its own."""
    owner = manager or next((seat.manager for seat in seats if seat.role is Role.MANAGER), None)
    return [
        Change(AccountOpened, {"manager": owner}),
        *(Change(SeatGiven, seat._asdict()) for seat in seats),
    ]


def hash_of(secret: str) -> str:
    """The hash by which a secret is kept and looked up.

    A plain hash is enough: secrets are random, so that they cannot be guessed.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _account(name: str, text: str, version: int) -> Account:
    state = orjson.loads(text)
    return Account(
        name=name,
        manager=state["manager"],
        seats=tuple(Seat(Role(role), *where) for role, *where in state["seats"]),
        keys=tuple(ApiKey(**key) for key in state["keys"]),
        password=state["password"],
        opened=state["opened"],
        version=version,
    )
