"""登录: sessions that a password opens, and the password itself."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, NextAct, Overtaken, Text, VersionClash
from domain.identifiers import stream_id
from domain.ledger.event_json import instant
from domain.ledger.events import PasswordSet, SessionClosed, SessionOpened
from domain.ledger.store_protocol import AsRead
from projections.records.accounts.passwords import hash_password, is_password
from projections.records.accounts.rows import Change, hash_of

if TYPE_CHECKING:
    from projections.records.accounts.rows import AccountRecords

SESSION_HOURS = 12
TOKEN_BYTES = 32


class KeyIsNoSession(Declined):
    """Whoever came to log out came with an API key."""

    def __init__(self, account: str, number: int) -> None:
        super().__init__(
            Text(
                "这是接口密钥，不是登录；要停用请吊销",
                "this is an API key, not a session; to end it, revoke it",
            ),
            NextAct("revoke_key", {"account": account, "number": str(number)}),
        )
        self.account, self.number = account, number


class Session(NamedTuple):
    """A session that was opened; its token is shown this once."""

    token: str
    expires_at: str


class Sessions:
    """Opens and closes sessions, and sets the passwords that open them."""

    def __init__(self, accounts: AccountRecords) -> None:
        self.accounts = accounts

    def set_password(self, name: str, password: str, *, by: str) -> int:
        """Sets the password that opens sessions from now on, and ends those that are open.

        Raises NotFound, BadPassword.
        """
        account = self.accounts.get(name)
        changes = [Change(PasswordSet, {"password_hash": hash_password(password)})]
        return self.accounts.record(name, account.version, changes, by=by)

    def log_in(self, name: str, password: str) -> Session | None:
        """A new session; None where name and password do not belong together."""
        while True:
            position, account = self.accounts.ledger.position(), self.accounts.find(name)
            if not is_password(password, account.password if account else None):
                return None
            try:
                return self._open(name, known_at=position)
            except Overtaken:  # a password was set meanwhile, and it may have been this one
                continue

    def _open(self, name: str, *, known_at: int) -> Session:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires_at = instant(datetime.now(UTC) + timedelta(hours=SESSION_HOURS))
        event = SessionOpened(
            originator_id=stream_id("session", hash_of(token)),
            originator_version=1,
            by=name,
            account=name,
            token_hash=hash_of(token),
            expires_at=expires_at,
        )
        self.accounts.ledger.record(event, as_read=AsRead(known_at, (PasswordSet.TOPIC,)))
        return Session(token, expires_at)

    def log_out(self, token: str) -> None:
        """Closes a session; one that is closed stays closed. Raises Declined for an API key."""
        account = self.accounts.find_owner(token)
        if account is None:
            return
        hashed = hash_of(token)
        for key in account.keys:
            if key.hash == hashed:
                raise KeyIsNoSession(account.name, key.number)
        event = SessionClosed(
            originator_id=stream_id("session", hashed),
            originator_version=2,
            by=account.name,
            account=account.name,
            token_hash=hashed,
        )
        try:
            self.accounts.ledger.record(event)
        except VersionClash:  # somebody closed it at the same time
            return
