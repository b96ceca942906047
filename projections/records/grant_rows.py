"""授权台账: the rows of grants, of their uses and of samples, as their events have them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

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
    from collections.abc import Mapping

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
            id text NOT NULL PRIMARY KEY, position bigint NOT NULL, version integer NOT NULL,
            kind text NOT NULL, branch text NOT NULL, team text, role text, account text,
            from_day text NOT NULL, last_day text NOT NULL, state text NOT NULL, ended text)""",
        """CREATE TABLE IF NOT EXISTS grant_uses (
            position bigint NOT NULL PRIMARY KEY, grant_id text NOT NULL, month text NOT NULL,
            kind text NOT NULL, branch text, team text, used_by text NOT NULL, amount text,
            times integer NOT NULL, over_limit integer NOT NULL, is_open integer NOT NULL,
            deadline text, state text NOT NULL, outcomes text NOT NULL,
            UNIQUE (grant_id, month, position), UNIQUE (branch, month, position))""",
        """CREATE TABLE IF NOT EXISTS grant_samples (
            position bigint NOT NULL PRIMARY KEY, seed text NOT NULL, state text NOT NULL)""",
    )
    canonical = (
        "SELECT id, version, state, coalesce(ended, '') FROM grants "
        "UNION ALL SELECT CAST(position AS text), is_open, state, outcomes FROM grant_uses "
        "UNION ALL SELECT CAST(position AS text), 0, state, seed FROM grant_samples "
        "ORDER BY 1, 2, 3"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Takes the events in, one by one."""
        for event in events:
            _APPLY[event.topic](connection, event)


def _made(connection: Connection, event: Recorded) -> None:
    s = event.json()
    place = (s["branch"], s["team"], s["role"], s["account"], s["from_day"], s["until_day"])
    row = (s["grant"], event.position, event.version, s["kind"], *place, _text(GrantMade, s), None)
    connection.execute(f"INSERT INTO grants VALUES ({_marks(row)})", row)


def _ended(connection: Connection, event: Recorded) -> None:
    s = event.json()
    sql = "UPDATE grants SET version = ?, last_day = ?, ended = ? WHERE id = ?"
    connection.execute(sql, (event.version, s["last_day"], _text(GrantEnded, s), s["grant"]))


def _used(connection: Connection, event: Recorded) -> None:
    s = event.json()
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


def _settled(connection: Connection, event: Recorded) -> None:
    s = event.json()
    known = connection.value("SELECT outcomes FROM grant_uses WHERE position = ?", (s["use"],))
    kind = "correction" if event.topic == GrantUseCorrected.TOPIC else "finding"
    outcomes = [*orjson.loads(known), [kind, s["text"], s["by"], s["at"], event.position]]
    sql = "UPDATE grant_uses SET is_open = 0, outcomes = ? WHERE position = ?"
    connection.execute(sql, (orjson.dumps(outcomes).decode(), s["use"]))


def _sampled(connection: Connection, event: Recorded) -> None:
    s = event.json()
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


def _text(event: type[Event], state: Mapping[str, object]) -> str:
    """The event's own fields as JSON, without those that only the log needs."""
    kept = [
        name
        for name in event.model_fields
        if name not in {"originator_id", "originator_version", "salt"}
    ]
    return orjson.dumps({name: state[name] for name in kept}).decode()


def grant_of(state: str, ended: str | None, version: int) -> Grant:
    """A grant from its row (GRANT_COLUMNS)."""
    s = orjson.loads(state)
    return Grant(
        id=s["grant"],
        kind=s["kind"],
        role=s["role"],
        account=s["account"],
        owner=s["owner"],
        branch=s["branch"],
        team=s["team"],
        limit_amount=_number(s["limit_amount"]),
        limit_count=s["limit_count"],
        from_day=date.fromisoformat(s["from_day"]),
        until_day=date.fromisoformat(s["until_day"]),
        correction_days=s["correction_days"],
        version=version,
        by=s["by"],
        at=s["at"],
        ended=_ended_of(ended) if ended else None,
    )


def _ended_of(state: str) -> Ended:
    s = orjson.loads(state)
    return Ended(date.fromisoformat(s["last_day"]), s["reason"], s["by"], s["at"])


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
