"""接口密钥: the keys that programs call with, two of an account at a time."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, NextAct, NotFound, Text
from domain.identifiers import check_id
from domain.ledger.event_json import instant
from domain.ledger.events import ApiKeyCreated, ApiKeyRevoked
from domain.rights import Role, Seat
from projections.records.accounts.rows import Change, hash_of, opening_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.records.accounts.rows import AccountRecords, ApiKey

SECRET_BYTES = 32
MAX_LIVE_KEYS = 2  # the old one and the new one, while callers are changed over


class KeyTaken(Declined):
    """An account has as many live keys as it may have."""

    code = "key_taken"

    def __init__(self, account: str) -> None:
        super().__init__(
            Text(
                f"{account} 已有 {MAX_LIVE_KEYS} 个有效密钥；请先吊销一个",
                f"{account} has {MAX_LIVE_KEYS} live keys: revoke one first",
            ),
            NextAct("revoke_key", {"account": account}),
        )
        self.account = account


class KeyNotFound(NotFound):
    """The account has no key of this number that is not revoked."""

    def __init__(self, account: str, number: int) -> None:
        super().__init__(
            Text(f"{account} 没有有效密钥 {number}", f"{account} has no live key {number}")
        )
        self.account, self.number = account, number


class NewKey(NamedTuple):
    """A key that was made: its secret, never to be read again, and the ledger position."""

    secret: str
    position: int


class ApiKeys:
    """Makes and revokes keys."""

    def __init__(self, accounts: AccountRecords) -> None:
        self.accounts = accounts

    def create(
        self,
        name: str,
        by: str,
        seats: Sequence[Seat] = (Seat(Role.ADMIN),),
        days: int | None = None,
    ) -> NewKey:
        """Makes a key that lives for some days, or until it is revoked.

        A name without an account gets one, with these seats. Raises KeyTaken, BadIdentifier.
        """
        account = self.accounts.find(check_id(name))
        if account is not None and len(account.live_keys) >= MAX_LIVE_KEYS:
            raise KeyTaken(name)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = Change(
            ApiKeyCreated,
            {
                "number": len(account.keys) + 1 if account else 1,
                "secret_hash": hash_of(secret),
                "expires_at": instant(datetime.now(UTC) + timedelta(days=days)) if days else None,
            },
        )
        if account is None:
            changes, version = [*opening_changes(seats), key], 0
        else:
            changes, version = [key], account.version
        return NewKey(secret, self.accounts.record(name, version, changes, by=by))

    def find(self, name: str, secret: str) -> ApiKey:
        """The account's key that this secret is."""
        hashed = hash_of(secret)
        return next(key for key in self.accounts.get(name).keys if key.hash == hashed)

    def revoke(self, name: str, number: int, *, by: str) -> int:
        """The key opens nothing any more. Raises NotFound."""
        account = self.accounts.get(name)
        if not any(key.number == number and key.revoked_at is None for key in account.keys):
            raise KeyNotFound(name, number)
        changes = [Change(ApiKeyRevoked, {"number": number})]
        return self.accounts.record(name, account.version, changes, by=by)
