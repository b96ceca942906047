"""账号与密钥: who may act, in which roles; and whose a secret is. All of it is events; only hashes
are kept.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import orjson

from domain.errors import Declined, NotFound, Overtaken, Text, VersionClash
from domain.identifiers import check_id, stream_id
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
    from pwdlib import PasswordHash

    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection

SECRET_BYTES = 32  # random ones: nothing that could be guessed, so a plain hash keeps them
LIVE_KEYS = 2  # the old one and the new one, while callers are changed over
SESSION_HOURS = 12
MIN_PASSWORD = 12

Facts = list[
    tuple[type[Event], dict[str, Any]]
]  # what is to be recorded of an account, and its fields


class Caller(NamedTuple):
    """Who acts, and their seats."""

    name: str
    seats: tuple[Seat, ...]
    manager: str | None = None
    has_account: bool = True  # else whoever runs commands, who holds the database itself


class KeyTaken(Declined):
    """An account has two keys that live."""

    code = "key_taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(
                f"{name} 已有 {LIVE_KEYS} 个有效密钥；请先吊销一个：merit key revoke {name} 编号",
                f"{name} has {LIVE_KEYS} live keys: revoke one first: merit key revoke {name} "
                "NUMBER",
            )
        )


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
            hash text NOT NULL PRIMARY KEY, account text NOT NULL, kind text NOT NULL, expires_at text)""",
    )
    canonical = (
        "SELECT account, state, version FROM accounts "
        "UNION ALL SELECT hash, account, 0 FROM secrets ORDER BY 1, 2"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Takes the events in, one by one: they are few."""
        for event in events:
            state = event.json()
            if event.topic == SessionOpened.TOPIC:
                _keep_secret(
                    connection,
                    state["token_hash"],
                    state["account"],
                    "session",
                    state["expires_at"],
                )
            elif event.topic == SessionClosed.TOPIC:
                connection.execute("DELETE FROM secrets WHERE hash = ?", (state["token_hash"],))
            else:
                _apply_to_account(connection, event, state)


def _keep_secret(
    connection: Connection, hashed: str, account: str, kind: str, expires_at: str | None
) -> None:
    connection.execute(
        "INSERT INTO secrets VALUES (?, ?, ?, ?)", (hashed, account, kind, expires_at)
    )


def _apply_to_account(connection: Connection, event: Recorded, given: dict[str, Any]) -> None:
    account = given["account"]
    known = connection.value("SELECT state FROM accounts WHERE account = ?", (account,))
    state = orjson.loads(known) if known else {"password": None, "seats": [], "keys": []}
    seat = [given.get(name) for name in Seat._fields]
    match event.topic:
        case AccountOpened.TOPIC:
            state |= {"manager": given["manager"], "opened": event.position}
        case SeatGiven.TOPIC:
            state["seats"].append(seat)
        case SeatTaken.TOPIC:
            state["seats"].remove(seat)
        case PasswordSet.TOPIC:
            state["password"] = given["password_hash"]
            # Whoever knew the old one is out.
            connection.execute(
                "DELETE FROM secrets WHERE account = ? AND kind = 'session'", (account,)
            )
        case ApiKeyCreated.TOPIC:
            key = {
                "number": given["number"],
                "hash": given["secret_hash"],
                "expires_at": given["expires_at"],
            }
            state["keys"].append(
                key | {"created_at": given["at"], "created_by": given["by"], "revoked_at": None}
            )
            _keep_secret(connection, given["secret_hash"], account, "key", given["expires_at"])
        case ApiKeyRevoked.TOPIC:
            key = next(key for key in state["keys"] if key["number"] == given["number"])
            key["revoked_at"] = given["at"]
            connection.execute("DELETE FROM secrets WHERE hash = ?", (key["hash"],))
    row = (account, orjson.dumps(state).decode(), event.version)
    connection.execute(
        "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT (account) DO UPDATE "
        "SET state = excluded.state, version = excluded.version",
        row,
    )


class Account(NamedTuple):
    """An account as it stands."""

    name: str
    manager: str | None
    seats: tuple[Seat, ...]
    keys: list[dict[str, Any]]
    password: str | None
    opened: int  # the ledger position
    version: int  # of its stream

    @property
    def live_keys(self) -> list[dict[str, Any]]:
        """Those that still open something."""
        now = instant(datetime.now(UTC))
        return [
            k
            for k in self.keys
            if k["revoked_at"] is None and (k["expires_at"] is None or k["expires_at"] > now)
        ]

    def as_json(self) -> dict[str, Any]:
        """The account without any secret."""
        seats = [seat._asdict() for seat in self.seats]
        return {
            "account": self.name,
            "manager": self.manager,
            "roles": seats,
            "keys": list(map(_shown, self.keys)),
        }

    def key_of(self, secret: str) -> dict[str, Any]:
        """What is shown of the key that this secret is."""
        return next(_shown(key) for key in self.keys if key["hash"] == _hash(secret))


def _shown(key: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name != "hash"}


class Session(NamedTuple):
    """What a login is given, this once."""

    token: str
    expires_at: str


class Accounts:
    """Opens accounts, gives seats and keys, and knows who comes with a secret."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, AccountRows(), database_of(ledger)

    # who there is

    def find(self, name: str) -> Account | None:
        """An account; None where there is none."""
        self.rows.catch_up(self.ledger)
        return self._read(name)

    def get(self, name: str) -> Account:
        """An account. Raises NotFound."""
        if (account := self.find(name)) is None:
            raise NotFound(Text(f"没有账号 {name}", f"there is no account {name}"))
        return account

    def all(self) -> list[Account]:
        """Every account, in the order in which they were opened."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            found = connection.fetch("SELECT account, state, version FROM accounts")
        return sorted((_account(*row) for row in found), key=lambda account: account.opened)

    def _read(self, name: str) -> Account | None:
        with self.database.reading() as connection:
            found = connection.fetch(
                "SELECT account, state, version FROM accounts WHERE account = ?", (name,)
            )
        return _account(*found[0]) if found else None

    # changes

    def open(
        self,
        name: str,
        seats: Sequence[Seat],
        *,
        by: str,
        manager: str | None = None,
        password: str | None = None,
    ) -> int:
        """A new account; a manager's seat makes their statements its own. Raises Declined where
        there is one of this name, BadIdentifier.
        """
        if self.find(check_id(name)):
            raise Declined(Text(f"账号 {name} 已存在", f"there is an account {name} already"))
        facts = _opening(seats, manager)
        if password is not None:
            facts.append((PasswordSet, {"password_hash": hashed_password(password)}))
        return self._record(name, 0, facts, by)

    def give(self, name: str, seat: Seat, *, by: str) -> int:
        """One more seat; the same again changes nothing. Raises NotFound."""
        account = self.get(name)
        facts: Facts = [] if seat in account.seats else [(SeatGiven, seat._asdict())]
        return self._record(name, account.version, facts, by)

    def take(self, name: str, seat: Seat, *, by: str) -> int:
        """A seat less. Raises NotFound."""
        account = self.get(name)
        if seat not in account.seats:
            raise NotFound(Text(f"{name} 没有角色 {seat}", f"{name} has no role {seat}"))
        return self._record(name, account.version, [(SeatTaken, seat._asdict())], by)

    def set_password(self, name: str, password: str, *, by: str) -> int:
        """The password that opens sessions from now on. Raises NotFound, Declined where it is too
        short.
        """
        account = self.get(name)
        return self._record(
            name, account.version, [(PasswordSet, {"password_hash": hashed_password(password)})], by
        )

    def create(
        self,
        name: str,
        by: str,
        seats: Sequence[Seat] = (Seat(Role.ADMIN),),
        days: int | None = None,
    ) -> tuple[str, int]:
        """A new key: its secret, never to be read again, and the ledger position.

        A name without an account gets one, with these seats. Raises KeyTaken, BadIdentifier.
        """
        account = self.find(check_id(name))
        facts: Facts = []
        if account is None:
            facts = _opening(seats)
        elif len(account.live_keys) >= LIVE_KEYS:
            raise KeyTaken(name)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = {
            "number": len(account.keys) + 1 if account else 1,
            "secret_hash": _hash(secret),
            "expires_at": instant(datetime.now(UTC) + timedelta(days=days)) if days else None,
        }
        return secret, self._record(
            name, account.version if account else 0, [*facts, (ApiKeyCreated, key)], by
        )

    def revoke(self, name: str, number: int, *, by: str) -> int:
        """The key opens nothing any more. Raises NotFound."""
        account = self.get(name)
        if not any(key["number"] == number and key["revoked_at"] is None for key in account.keys):
            raise NotFound(
                Text(f"{name} 没有有效密钥 {number}", f"{name} has no live key {number}")
            )
        return self._record(name, account.version, [(ApiKeyRevoked, {"number": number})], by)

    def log_in(self, name: str, password: str) -> Session | None:
        """A new session; None where name and password do not belong together."""
        while True:
            position, account = self.ledger.position(), self.find(name)
            # Who is not known is checked as slowly as who is.
            known = account.password if account and account.password else _nobodys_password()
            if (
                not _passwords().verify(password, known)
                or account is None
                or account.password is None
            ):
                return None
            try:
                return self._open_session(name, known_at=position)
            except Overtaken:  # a password was set meanwhile, and it may have been this one
                continue

    def _open_session(self, name: str, *, known_at: int) -> Session:
        token = secrets.token_urlsafe(SECRET_BYTES)
        expires_at = instant(datetime.now(UTC) + timedelta(hours=SESSION_HOURS))
        event = SessionOpened(
            originator_id=stream_id("session", _hash(token)),
            originator_version=1,
            by=name,
            account=name,
            token_hash=_hash(token),
            expires_at=expires_at,
        )
        self.ledger.record(event, alone=(PasswordSet.TOPIC, known_at))
        return Session(token, expires_at)

    def log_out(self, token: str) -> None:
        """The session opens nothing any more; one that is closed stays closed. Raises Declined for
        an API key.
        """
        caller = self.caller_of(token)
        if caller is None:
            return
        if any(key["hash"] == _hash(token) for key in self.get(caller.name).keys):
            raise Declined(
                Text(
                    f"这是接口密钥，不是登录；要停用请吊销：merit key revoke {caller.name} 编号",
                    f"this is an API key, not a session; to end it: merit key revoke {caller.name} "
                    "NUMBER",
                )
            )
        stream = stream_id("session", _hash(token))
        try:
            event = SessionClosed(
                originator_id=stream,
                originator_version=2,
                by=caller.name,
                account=caller.name,
                token_hash=_hash(token),
            )
            self.ledger.record(event)
        except VersionClash:  # somebody closed it at the same time
            return

    def caller_of(self, secret: str) -> Caller | None:
        """Who comes with a key or a session; None where it opens nothing.

        It is looked up by its hash, so that the time it takes says nothing about secrets that are
        near.
        """
        self.rows.catch_up(self.ledger)
        sql = (
            "SELECT a.account, a.state, a.version, s.expires_at FROM secrets s "
            "JOIN accounts a ON a.account = s.account WHERE s.hash = ?"
        )
        with self.database.reading() as connection:
            found = connection.fetch(sql, (_hash(secret),))
        if not found or (found[0][3] is not None and found[0][3] <= instant(datetime.now(UTC))):
            return None
        account = _account(*found[0][:3])
        return Caller(account.name, account.seats, account.manager)

    def at_the_console(self, name: str) -> Caller:
        """Who acts on the command line: an account with its seats; any other name as the
        administrator.

        Whoever runs commands holds the database itself, so a name that has no account is trusted as
        far as it is.
        """
        account = self.find(name)
        return (
            Caller(name, account.seats, account.manager)
            if account
            else Caller(name, (Seat(Role.ADMIN),), has_account=False)
        )

    def _record(self, name: str, version: int, facts: Facts, by: str) -> int:
        stream = stream_id("account", name)
        return self.ledger.record(
            *(
                kind(
                    **fields,
                    originator_id=stream,
                    originator_version=version + number,
                    by=by,
                    account=name,
                )  # type: ignore[call-arg]
                for number, (kind, fields) in enumerate(facts, 1)
            )
        )


def _opening(seats: Sequence[Seat], manager: str | None = None) -> Facts:
    manager = manager or next((seat.manager for seat in seats if seat.role is Role.MANAGER), None)
    return [(AccountOpened, {"manager": manager}), *((SeatGiven, seat._asdict()) for seat in seats)]


def _account(name: str, state: str, version: int) -> Account:
    known = orjson.loads(state)
    seats = tuple(Seat(Role(role), *where) for role, *where in known["seats"])
    return Account(
        name, known["manager"], seats, known["keys"], known["password"], known["opened"], version
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def hashed_password(password: str) -> str:
    """The argon2 hash of a password. Raises Declined where it is too short."""
    if len(password) < MIN_PASSWORD:
        raise Declined(
            Text(
                f"口令至少 {MIN_PASSWORD} 个字符",
                f"a password has at least {MIN_PASSWORD} characters",
            )
        )
    return _passwords().hash(password)


@lru_cache(1)
def _passwords() -> PasswordHash:
    from pwdlib import PasswordHash

    return PasswordHash.recommended()


@lru_cache(1)
def _nobodys_password() -> str:
    return _passwords().hash(secrets.token_urlsafe(SECRET_BYTES))
