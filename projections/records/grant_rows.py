"""授权台账: the rows behind grants, their uses and the samples of them; each says what its events
said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from domain.ledger.events import (
    Event,
    GrantEnded,
    GrantMade,
    GrantSampleOrdered,
    GrantUseCorrected,
    GrantUsed,
    GrantUseFindingRecorded,
)
from domain.processes.grant import Ended, Grant, Outcome, Use
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from projections.store.connection import Connection

GRANT_COLUMNS = "state, ended, version"
USE_COLUMNS = "position, state, outcomes"


class GrantRows(Projection):
    """One row a grant, with the version of its stream; one a use, with what it came to; one a
    sample, with its seed.
    """

    name = "grants"
    topics = (
        *(GrantMade.TOPIC, GrantEnded.TOPIC, GrantUsed.TOPIC),
        *(GrantUseCorrected.TOPIC, GrantUseFindingRecorded.TOPIC, GrantSampleOrdered.TOPIC),
    )
    tables: ClassVar[tuple[str, ...]] = ("grants", "grant_uses", "grant_samples")
    # Indexes are constraints of their table: CREATE INDEX would lock it while others follow, and
    # wait for them in turn.
    schema = (
        """CREATE TABLE IF NOT EXISTS grants (
            id text NOT NULL PRIMARY KEY, position bigint NOT NULL, version integer NOT NULL, kind text NOT NULL,
            branch text NOT NULL, team text, role text, account text, from_day text NOT NULL, last_day text NOT NULL,
            state text NOT NULL, ended text)""",
        """CREATE TABLE IF NOT EXISTS grant_uses (
            position bigint NOT NULL PRIMARY KEY, grant_id text NOT NULL, month text NOT NULL, kind text NOT NULL,
            branch text, team text, used_by text NOT NULL, amount text, times integer NOT NULL,
            over_limit integer NOT NULL, is_open integer NOT NULL, deadline text,
            state text NOT NULL, outcomes text NOT NULL,
            UNIQUE (grant_id, month, position), UNIQUE (branch, month, position))""",
        """CREATE TABLE IF NOT EXISTS grant_samples (
            position bigint NOT NULL PRIMARY KEY, seed text NOT NULL, state text NOT NULL)""",
    )
    canonical = (
        "SELECT id, version, state, coalesce(ended, '') FROM grants "
        "UNION ALL SELECT CAST(position AS text), is_open, state, outcomes FROM grant_uses "
        "UNION ALL SELECT CAST(position AS text), 0, state, seed FROM grant_samples ORDER BY 1, 2, "
        "3"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Takes the events in, one by one."""
        for event in events:
            _APPLY[event.topic](connection, event, event.json())


def _made(connection: Connection, event: Recorded, s: dict[str, Any]) -> None:
    place = (s["branch"], s["team"], s["role"], s["account"], s["from_day"], s["until_day"])
    row = (s["grant"], event.position, event.version, s["kind"], *place, _text(GrantMade, s), None)
    connection.execute(f"INSERT INTO grants VALUES ({_marks(row)})", row)


def _ended(connection: Connection, event: Recorded, s: dict[str, Any]) -> None:
    sql = "UPDATE grants SET version = ?, last_day = ?, ended = ? WHERE id = ?"
    connection.execute(sql, (event.version, s["last_day"], _text(GrantEnded, s), s["grant"]))


def _used(connection: Connection, event: Recorded, s: dict[str, Any]) -> None:
    connection.execute("UPDATE grants SET version = ? WHERE id = ?", (event.version, s["grant"]))
    over, where = int(bool(s["over_limit"])), (s["branch"], s["team"], s["by"])
    counted = (s["amount"], s["count"], over, over, s["deadline"])
    row = (
        event.position,
        s["grant"],
        s["day"][:7],
        s["kind"],
        *where,
        *counted,
        _text(GrantUsed, s),
        "[]",
    )
    connection.execute(f"INSERT INTO grant_uses VALUES ({_marks(row)})", row)


def _settled(connection: Connection, event: Recorded, s: dict[str, Any]) -> None:
    known = connection.value("SELECT outcomes FROM grant_uses WHERE position = ?", (s["use"],))
    kind = "correction" if event.topic == GrantUseCorrected.TOPIC else "finding"
    outcomes = [*orjson.loads(known), [kind, s["text"], s["by"], s["at"], event.position]]
    sql = "UPDATE grant_uses SET is_open = 0, outcomes = ? WHERE position = ?"
    connection.execute(sql, (orjson.dumps(outcomes).decode(), s["use"]))


def _sampled(connection: Connection, event: Recorded, s: dict[str, Any]) -> None:
    seed = hashlib.sha256(bytes(event.state)).hexdigest()
    row = (event.position, seed, _text(GrantSampleOrdered, s))
    connection.execute("INSERT INTO grant_samples VALUES (?, ?, ?)", row)


_APPLY = {
    GrantMade.TOPIC: _made,
    GrantEnded.TOPIC: _ended,
    GrantUsed.TOPIC: _used,
    GrantUseCorrected.TOPIC: _settled,
    GrantUseFindingRecorded.TOPIC: _settled,
    GrantSampleOrdered.TOPIC: _sampled,
}


def _marks(row: Sequence[object]) -> str:
    return ", ".join("?" * len(row))


def _text(event: type[Event], state: dict[str, Any]) -> str:
    """What the event says, without what only the log needs."""
    kept = [
        name
        for name in event.model_fields
        if name not in {"originator_id", "originator_version", "salt"}
    ]
    return orjson.dumps({name: state[name] for name in kept}).decode()


def grant_of(state: str, ended: str | None, version: int) -> Grant:
    """A grant from its row (GRANT_COLUMNS)."""
    s, e = orjson.loads(state), orjson.loads(ended) if ended else None
    return Grant(
        s["grant"],
        s["kind"],
        s["role"],
        s["account"],
        s["owner"],
        s["branch"],
        s["team"],
        _number(s["limit_amount"]),
        s["limit_count"],
        date.fromisoformat(s["from_day"]),
        date.fromisoformat(s["until_day"]),
        s["correction_days"],
        version,
        s["by"],
        s["at"],
        Ended(date.fromisoformat(e["last_day"]), e["reason"], e["by"], e["at"]) if e else None,
    )


def use_of(position: int, state: str, outcomes: str) -> Use:
    """A use from its row (USE_COLUMNS)."""
    s = orjson.loads(state)
    read = {
        "amount": _number(s["amount"]),
        "day": date.fromisoformat(s["day"]),
        "over_limit": tuple(s["over_limit"]),
        "deadline": date.fromisoformat(s["deadline"]) if s["deadline"] else None,
    }
    return Use(
        id=position,
        outcomes=tuple(Outcome(*outcome) for outcome in orjson.loads(outcomes)),
        **(s | read),
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
