"""口令: argon2 hashes of passwords, made and checked a few at a time."""

from __future__ import annotations

import secrets
from functools import lru_cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from domain.errors import Declined, Text

if TYPE_CHECKING:
    from pwdlib import PasswordHash

MIN_PASSWORD, MAX_PASSWORD = 12, 1024  # characters
_at_once = BoundedSemaphore(4)  # each hash takes 64 MB


class BadPassword(Declined):
    """A password so short that it could be guessed, or so long that nobody could log in with it."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                f"口令至少 {MIN_PASSWORD} 个字符，至多 {MAX_PASSWORD} 个",
                f"a password has at least {MIN_PASSWORD} characters, and at most {MAX_PASSWORD}",
            )
        )


def hash_password(password: str) -> str:
    """The argon2 hash of a password. Raises BadPassword."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadPassword
    with _at_once:
        return _hasher().hash(password)


def is_password(password: str, hashed: str | None) -> bool:
    """Whether a password has this hash. Without a hash it takes as long to say no."""
    with _at_once:
        return _hasher().verify(password, hashed or _nobodys_hash()) and hashed is not None


@lru_cache(1)
def _hasher() -> PasswordHash:
    from pwdlib import PasswordHash

    return PasswordHash.recommended()


@lru_cache(1)
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))
