"""How entries are appended: decided, put in order and written in one transaction; those that come
one by one at the same time are written in one transaction together.
"""

from __future__ import annotations

import os
from collections import deque
from queue import SimpleQueue
from threading import Event, Lock
from typing import TYPE_CHECKING

from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError
from eventsourcing.utils import retry

from domain.ledger.acceptance import Decision, Draft, Outcome, Target, decide
from domain.ledger.event_json import entry_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from domain.ledger.store_protocol import PrepareNext, Row, Store

MAX_GROUP = 64  # entries, at most, that came one by one and are written in one transaction
# How long, at most, a writer waits for callers just answered to come with their next entry.
GATHERING_SECONDS = 0.0005
WAIT_SECONDS = 0.2

# A connection may be lost at any moment, before or after the commit. Trying again does no harm: an
# entry that was written then is a duplicate now, and another event is recognised by its salt.
retry_lost_connection = retry((InterfaceError, OperationalError), max_attempts=3, wait=WAIT_SECONDS)


def prepare_nothing() -> None:
    """For entries after which none come."""


def append_expecting_new(
    store: Store,
    drafts: Sequence[Draft],
    places: Sequence[int],
    prepare_next: PrepareNext = prepare_nothing,
) -> tuple[list[Outcome], bool]:
    """`append_chunk` for entries that are likely to be new and accepted, and whether they were.

    Looking keys up costs more than finding out that one is taken, as long as none is.
    """
    try:
        return append_chunk(store, drafts, places, prepare_next, look_up_keys=False), True
    except IntegrityError:
        return append_chunk(store, drafts, places, prepare_next, look_up_keys=True), False


@retry_lost_connection
def append_chunk(
    store: Store,
    drafts: Sequence[Draft],
    places: Sequence[int],
    prepare_next: PrepareNext = prepare_nothing,
    *,
    look_up_keys: bool,
) -> list[Outcome]:
    """Decides the drafts in this order and writes them in that of `places`, in one transaction.

    `prepare_next` is called when the store has work that this process need not wait for (perhaps
    more than once, or never). Without looking keys up it raises IntegrityError and writes nothing
    if one is taken, or an entry is to be refused.
    """
    with store.writing() as work:
        decisions = decide(drafts, work.load_context(drafts, look_up_keys=look_up_keys))
        if not look_up_keys and any(decision.status == "rejected" for decision in decisions):
            # What is in the ledger already is never refused, so its key must be looked up.
            raise IntegrityError
        order = _writing_order(decisions, places)
        first = work.next_position()
        positions = {-1 - i: position for position, i in enumerate(order, first)}
        rows = [_row(drafts[i], decisions[i].target, positions) for i in order]
        if rows:
            work.write(first, rows, states(rows), prepare_next)
    return [
        Outcome(status, positions.get(node or -1 - i, node) or None, reasons)
        for i, (status, node, reasons, _) in enumerate(decisions)
    ]


def _writing_order(decisions: Sequence[Decision], places: Sequence[int]) -> list[int]:
    """The accepted entries in the order of their places, then the accepted reversals, each of which
    was decided after what it reverses.
    """
    accepted = [i for i, decision in enumerate(decisions) if decision.status == "accepted"]
    entries = [i for i in accepted if decisions[i].target is None]
    entries.sort(key=places.__getitem__)
    return entries + [i for i in accepted if decisions[i].target is not None]


def _row(draft: Draft, target: Target | None, positions: Mapping[int, int]) -> Row:
    """An entry goes into its own stream, a reversal into that of what it reverses, with the
    position of that.
    """
    if target is None:
        assert draft.stream is not None
        return draft, draft.stream, {}
    node = positions.get(target.node, target.node)
    return draft, target.stream, target._replace(node=node).link()


def states(rows: Sequence[Row]) -> Iterator[bytes]:
    """The stored form of each row's event, with salt of its own."""
    salts = os.urandom(16 * len(rows)).hex().encode()
    for i, (draft, _, link) in enumerate(rows):
        yield entry_state(draft.stamp, salts[32 * i : 32 * i + 32], draft.body, link)


class _Waiting:
    """One entry that waits to be written. Its caller is answered with what became of it, with an
    error to raise, or with None: then it may be the caller's turn to write.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.answers: SimpleQueue[Outcome | BaseException | None] = SimpleQueue()
        self.has_left = False


class GroupCommit:
    """Appends entries that come one by one, from several threads: whoever has the turn writes for
    all who wait.

    So all of them wait for the disk once, instead of for each other. Whoever is answered leaves at
    once, whether or not somebody else is writing already. As many callers as there were at the end
    of the last write, answered or waiting, are expected again, and waited for a moment. A lone
    caller never waits.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[_Waiting] = deque()
        self._turn = Lock()
        self._expected, self._gathered = 1, Event()

    def append(self, draft: Draft) -> Outcome:
        """Appends one entry: what became of it, once that is on disk."""
        mine = _Waiting(draft)
        self._waiting.append(mine)
        if len(self._waiting) >= self._expected:
            self._gathered.set()
        answer = None
        try:
            while answer is None:
                if self._turn.acquire(blocking=False):
                    self._take_turn()
                answer = mine.answers.get()
        except BaseException:  # the caller is interrupted, and it may be their turn
            mine.has_left = True
            self._call_next()
            raise
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _take_turn(self) -> None:
        try:
            self._gathered.clear()
            if len(self._waiting) < self._expected:
                self._gathered.wait(GATHERING_SECONDS)
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_GROUP))]
            self._write(group)
            self._expected = min(len(group) + len(self._waiting), MAX_GROUP)
        finally:
            self._turn.release()
            self._call_next()

    def _call_next(self) -> None:
        for waiting in tuple(self._waiting):
            if not waiting.has_left:
                return waiting.answers.put(None)

    def _write(self, group: Sequence[_Waiting]) -> None:
        answers: Sequence[Outcome | BaseException]
        try:
            drafts = [waiting.draft for waiting in group]
            answers = _append_group(self._store, drafts) if group else []
        except BaseException as error:  # each of them raises it
            answers = [error] * len(group)
        for waiting, answer in zip(group, answers, strict=True):
            waiting.answers.put(answer)


def _append_group(store: Store, drafts: Sequence[Draft]) -> list[Outcome]:
    """What became of each: in one round trip where the store has a way to, else by a chunk."""
    outcomes = dict(enumerate(retry_lost_connection(store.append_in_one_trip)(drafts)))
    left = [i for i, outcome in outcomes.items() if outcome is None]
    if left:
        appended, _ = append_expecting_new(store, [drafts[i] for i in left], left)
        outcomes |= zip(left, appended, strict=True)
    return [outcome for outcome in outcomes.values() if outcome is not None]
