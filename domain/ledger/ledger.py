"""绩效账本: the ledger, the only writer. Entries and other events are appended; nothing is ever
changed or taken out.

Entries are decided (`acceptance.py`) under the store's lock, so that a decision still holds when it
is written. A batch is written in whole chunks of `Ledger.chunk` entries, one transaction each. Sent
again, the entries that are in the ledger already are duplicates, and the rest is added.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError
from eventsourcing.utils import Environment

from domain.entries.entry import AnyEntry, Key, reversed_keys
from domain.errors import NotFound, Overtaken, Text, VersionClash
from domain.ledger.acceptance import Draft, Outcome, Target, arrange, decide, decide_new
from domain.ledger.append import GroupCommit, append_chunk, append_expecting_new
from domain.ledger.event_json import UNREADABLE, JsonTranscoder, LedgerMapper, stamp
from domain.ledger.events import Event
from domain.ledger.store_protocol import Store, UnreadableEvents, store_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from eventsourcing.persistence import (
        InfrastructureFactory,
        Mapper,
        Notification,
        StoredEvent,
    )

    from domain.errors import Reason
    from domain.ledger.store_protocol import AsRead


class NoSuchPosition(NotFound):
    """A position at which the ledger has no event."""

    def __init__(self, position: int) -> None:
        super().__init__(
            Text(f"账本中没有位置 {position}", f"the ledger has no position {position}")
        )
        self.position = position


class Ledger(Application[UUID]):
    """All that happened, in one order. `domain` writes through it; `projections` read what it
    wrote.
    """

    chunk = 20_000  # entries a transaction

    def __init__(self, factory: InfrastructureFactory[Any]) -> None:
        self._given_factory = factory
        super().__init__()
        self._store = cast("Store", self.recorder)
        self._group_commit = GroupCommit(self._store)

    def construct_env(self, name: str, env: object = None) -> Environment:  # noqa: ARG002
        """Nothing from the process environment: whoever opens the ledger says where it is."""
        return Environment(name, {})

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:  # noqa: ARG002
        """The one that was given."""
        return self._given_factory

    def construct_mapper(self) -> Mapper[UUID]:
        """Ours, for events with names of their own."""
        return LedgerMapper(transcoder=JsonTranscoder())

    # Entries

    def append(
        self,
        entries: Sequence[AnyEntry],
        *,
        by: str,
        at: datetime | None = None,
        dry_run: bool = False,
    ) -> list[Outcome]:
        """Appends entries and says what became of each, in the order given. A dry run writes
        nothing.

        Within a chunk entries keep their order, but for reversals, which come last; a batch of more
        than one chunk is written in the order of `arrange`, assignments first. `at` is when they
        were recorded; where it is not given, the store says it, never earlier than the last event.
        Raises StoreError.
        """
        start = stamp(by, at)
        with store_errors():
            if dry_run:
                return self._rehearse(entries)
            if len(entries) == 1:
                return [self._group_commit.append(Draft.of(entries[0], start))]
            with collection_paused():
                return self._append_many(entries, start)

    def _append_many(self, entries: Sequence[AnyEntry], start: bytes) -> list[Outcome]:
        order = self._order(entries)
        chunks = [order[first : first + self.chunk] for first in range(0, len(order), self.chunk)]
        outcomes: dict[int, Outcome] = {}
        expects_new = True
        from concurrent.futures import ThreadPoolExecutor  # brings logging: only a batch needs it

        with ThreadPoolExecutor(1) as helper:

            @lru_cache(maxsize=2)
            def drafts_of(number: int) -> Future[list[Draft]]:
                """The drafts of a chunk, begun when first asked for; none after the last one."""
                places = order[number * self.chunk : (number + 1) * self.chunk]
                return helper.submit(lambda: [Draft.of(entries[place], start) for place in places])

            for number, places in enumerate(chunks):
                drafts, prepare_next = drafts_of(number).result(), partial(drafts_of, number + 1)
                if expects_new:
                    appended, expects_new = append_expecting_new(
                        self._store, drafts, places, prepare_next
                    )
                else:
                    appended = append_chunk(
                        self._store, drafts, places, prepare_next, look_up_keys=True
                    )
                    statuses = {outcome.status for outcome in appended}
                    expects_new = not statuses & {"duplicate", "conflict"}
                outcomes |= zip(places, appended, strict=True)
        return [outcomes[place] for place in range(len(entries))]

    def rehearsed(self, entries: Sequence[AnyEntry], *, as_of: int) -> list[Outcome]:
        """What would have become of each as of a position. Raises StoreError."""
        with store_errors():
            return self._rehearse(entries, as_of)

    def _order(self, entries: Sequence[AnyEntry], as_of: int | None = None) -> list[int]:
        return arrange(entries, self.targets(reversed_keys(entries), as_of))

    def _rehearse(self, entries: Sequence[AnyEntry], as_of: int | None = None) -> list[Outcome]:
        order = self._order(entries, as_of)
        drafts = [Draft.of(entries[i]) for i in order]
        with self._store.reading(as_of) as store:
            decisions = decide(drafts, store.load_context(drafts, look_up_keys=True))
        outcomes = [Outcome(d.status, d.node if d.node > 0 else None, d.reasons) for d in decisions]
        return [
            outcome for _, outcome in sorted(zip(order, outcomes, strict=True), key=itemgetter(0))
        ]

    def reasons(
        self, probes: Sequence[AnyEntry], beside: Sequence[AnyEntry] = ()
    ) -> list[tuple[Reason, ...]]:
        """Why each of the probes would be refused, sent after `beside`. Nothing is written, and no
        probe counts for another. Raises StoreError.
        """
        with store_errors():
            drafts = [Draft.of(beside[i]) for i in self._order(beside)]
            asked = [Draft.of(probe) for probe in probes]
            with self._store.reading() as store:
                context = store.load_context([*drafts, *asked], look_up_keys=True)
            decide(drafts, context, asked)
            return [decide_new(draft, context).reasons for draft in asked]

    # Other events

    def record(self, *events: Event, as_read: AsRead | None = None) -> int:
        """Writes events, all or none; the position of the last. Raises VersionClash where somebody
        has taken a version of a stream, Overtaken where what was read does not hold any more.
        """
        if not events:
            return self.position()
        with store_errors():
            try:
                return self.events.put(events, as_read=as_read)[-1].notification.id
            except (IntegrityError, Overtaken) as error:
                # The library tries again after a lost acknowledgement; an event is recognised by
                # its salt.
                position = self._store.position_of(self.mapper.to_stored_event(events[-1]))
                if position is not None:
                    return position
                if isinstance(error, Overtaken):
                    raise
                raise VersionClash from None

    def next_version(self, stream_id: UUID) -> int:
        """The version that the stream's next event will have; the first is 1."""
        with store_errors():
            last = self.recorder.select_events(stream_id, desc=True, limit=1)
        return last[0].originator_version + 1 if last else 1

    # Reading

    def targets(self, keys: Collection[Key], as_of: int | None = None) -> dict[Key, Target]:
        """The entries and reversals with these keys as what a reversal may reverse; keys that are
        not in the ledger, or were not as of a position, are left out. Raises StoreError.
        """
        if not keys:
            return {}
        with store_errors(), self._store.reading(as_of) as store:
            return store.targets(keys)

    def position(self) -> int:
        """That of the last event; 0 of an empty ledger."""
        with store_errors():
            return self._store.last_position()

    def events_of(self, stream_id: UUID, as_of: int | None = None) -> list[Event]:
        """A stream from its beginning, up to a position. Raises UnreadableEvents."""
        with store_errors():
            last = None if as_of is None else self._store.version_at(stream_id, as_of)
            stored = self.recorder.select_events(stream_id, lte=last)
            return self._read_all(stored, lambda event: self._store.position_of(event) or 0)

    def event_at(self, position: int) -> Event:
        """The event at a position. Raises NotFound."""
        events = self.events_at([position])
        if position not in events:
            raise NoSuchPosition(position)
        return events[position]

    def events_at(self, positions: Collection[int]) -> dict[int, Event]:
        """The events at these positions, by one query; positions without one are left out."""
        with store_errors():
            stored = self._store.select_positions(positions)
        events = self._read_all(stored, lambda event: cast("Notification", event).id)
        return {n.id: event for n, event in zip(stored, events, strict=True)}

    def read(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """The log: at most `limit` events after a position, in order."""
        with store_errors():
            stored = self.recorder.select_notifications(after, limit, inclusive_of_start=False)
        events = self._read_all(stored, lambda event: cast("Notification", event).id)
        return [(n.id, event) for n, event in zip(stored, events, strict=True)]

    def _read_all(
        self, stored: Sequence[StoredEvent], position_of: Callable[[StoredEvent], int]
    ) -> list[Event]:
        """The events that were stored. Raises UnreadableEvents, which names all that are none."""
        events, unreadable = [], []
        for each in stored:
            try:
                events.append(cast("Event", self.mapper.to_domain_event(each)))
            except UNREADABLE:
                unreadable.append(position_of(each))
        if unreadable:
            raise UnreadableEvents(unreadable)
        return events


@contextmanager
def collection_paused() -> Iterator[None]:
    """No search for cyclic garbage meanwhile: a batch makes none, and looking for it took a third
    of an import.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
