"""接口密钥: who may call over HTTP. A secret is shown once; the ledger keeps its hash, and whose it is."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from domain.errors import Declined, Text
from domain.events import ApiKeyCreated
from domain.identifiers import check_id, stream_id
from projections.database import database_of
from projections.following import Projection, Recorded

if TYPE_CHECKING:
    from domain.ledger import Ledger
    from projections.sql import Connection

SECRET_BYTES = 32  # random ones: nothing that could be guessed, so a plain hash keeps them


class KeyTaken(Declined):
    """A name has one key, so that an entry's actor says which integration it was."""

    code = "key_taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(
                f"名称 {name} 已有密钥，密钥不能再次显示；请换一个名称新建",
                f"{name} has a key already, and a key is shown only once: create one under another name",
            )
        )


class KeyRows(Projection):
    """The rows: one a key."""

    name = "api_keys"
    topics = (ApiKeyCreated.TOPIC,)
    tables: ClassVar[tuple[str, ...]] = ("api_keys",)
    schema = (
        (
            "CREATE TABLE IF NOT EXISTS api_keys (secret_hash text NOT NULL PRIMARY KEY, name text NOT NULL UNIQUE, "
            "position bigint NOT NULL, created_by text NOT NULL, created_at text NOT NULL)"
        ),
    )
    canonical = "SELECT secret_hash, name, position, created_by, created_at FROM api_keys ORDER BY position"

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the rows of these events."""
        states = [(event.position, event.json()) for event in events]
        rows = [(s["secret_hash"], s["name"], position, s["by"], s["at"]) for position, s in states]
        connection.executemany("INSERT INTO api_keys VALUES (?, ?, ?, ?, ?)", rows)


class ApiKeys:
    """Makes keys, and knows whose a secret is."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, KeyRows(), database_of(ledger)
        self._known: dict[str, str] = {}  # hash → name: a key never changes hands

    def create(self, name: str, by: str) -> tuple[str, int]:
        """A new key: its secret, never to be read again, and the ledger position. Raises KeyTaken, BadIdentifier."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            if connection.value("SELECT 1 FROM api_keys WHERE name = ?", (check_id(name),)):
                raise KeyTaken(name)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        event = ApiKeyCreated(
            # Two who ask for one name at once clash here: the name is the stream.
            originator_id=stream_id("api-key", name),
            originator_version=1,
            by=by,
            name=name,
            secret_hash=_hash(secret),
        )
        return secret, self.ledger.record(event)

    def actor_of(self, secret: str) -> str | None:
        """The name of the key with this secret; None where there is none.

        It is looked up by its hash, so that the time it takes says nothing about secrets that are near.
        """
        hashed = _hash(secret)
        if hashed not in self._known:
            self.rows.catch_up(self.ledger)
            with self.database.reading() as connection:
                name = connection.value("SELECT name FROM api_keys WHERE secret_hash = ?", (hashed,))
            if name is None:
                return None
            self._known[hashed] = name
        return self._known[hashed]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
