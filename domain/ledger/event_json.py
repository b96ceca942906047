"""How events are stored: a topic that outlives the module, and one JSON object with personal text
apart.

An entry's event is {"at", "by", "salt", "entry": {…}, "personal": {…}} and, of a reversal, the link
to what it reverses.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder
from eventsourcing.utils import register_topic

from domain.entries.entry import entry_body
from domain.ledger.events import BY_TOPIC, EVENTS, EntryRecorded, Event

for _event in EVENTS:
    register_topic(_event.TOPIC, _event)

# The fields of every event of an entry; what else one has is the link of a reversal.
_COMMON = ("originator_id", "originator_version", "by", "at", "salt", "entry")


# What reading a stored form raises where it is not what was written.
UNREADABLE = ValueError, KeyError, TypeError, AttributeError, AssertionError


class JsonTranscoder(Transcoder):
    """JSON by orjson."""

    def encode(self, obj: object) -> bytes:
        """The object as JSON."""
        return orjson.dumps(obj)

    def decode(self, data: bytes) -> Any:
        """The object that the JSON says."""
        return orjson.loads(data)


class LedgerMapper(Mapper[UUID]):
    """Between the events of the domain and their stored form."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The event as it is stored. Where it was made without `at`, the store adds that when it
        is written (`stamped`).
        """
        event: Event = domain_event
        if isinstance(event, EntryRecorded):
            link = {
                name: getattr(event, name)
                for name in type(event).model_fields
                if name not in _COMMON
            }
            body = entry_body(*event.entry.parts())
            state = entry_state(stamp(event.by, _moment_of(event)), event.salt.encode(), body, link)
        else:
            plain = event.model_dump(
                mode="json", exclude={"originator_id", "originator_version", "at"}
            )
            at = _moment_of(event)
            state = orjson.dumps(({"at": instant(at)} if at else {}) | plain)
        return StoredEvent(event.originator_id, event.originator_version, event.TOPIC, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        """The event that was stored. Raises one of `UNREADABLE` where it is none."""
        state = orjson.loads(stored_event.state)
        if "personal" in state:
            state["entry"] |= state.pop("personal")
        state["originator_id"] = stored_event.originator_id
        state["originator_version"] = stored_event.originator_version
        return BY_TOPIC[stored_event.topic].model_validate(state)


def _moment_of(event: Event) -> datetime | None:
    """When the event was recorded; None where it was made without `at`."""
    return event.at if "at" in event.model_fields_set else None


def instant(at: datetime) -> str:
    """A moment as it is stored: UTC, microseconds."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def stamp(by: str, at: datetime | None = None) -> bytes:
    """The beginning of a stored entry: when, if that is given, and by whom. The same for a whole
    batch.
    """
    return orjson.dumps(({"at": instant(at)} if at else {}) | {"by": by})[:-1]


_WHEN = b'{"at":"%b",'
_WHEN_LENGTH = len(_WHEN % instant(datetime.min.replace(tzinfo=UTC)).encode())


def is_dated(state: bytes) -> bool:
    """Whether a stored form says when."""
    return state.startswith(b'{"at":')


def stamped(state: bytes, moment: str) -> bytes:
    """The stored form with the moment at which it is written, unless it has one."""
    return state if is_dated(state) else _WHEN % moment.encode() + state[1:]


def is_stored_as(state: bytes, stored: bytes) -> bool:
    """Whether this is what was stored, whenever that was."""
    return stored in {state, stored[:_WHEN_LENGTH] + state[1:]}


def entry_state(stamp: bytes, salt: bytes, body: bytes, link: dict[str, Any]) -> bytes:
    """The stored form of an entry's event: put together from parts that are JSON already."""
    end = b"," + orjson.dumps(link)[1:] if link else b"}"
    return b'%b,"salt":"%b",%b%b' % (stamp, salt, body, end)
