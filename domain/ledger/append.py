"""How entries are taken in: decided, placed and written in one transaction, with others that wait
at the same time.
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

    from domain.ledger.store_protocol import Ahead, Row, Store

TOGETHER = 64  # entries, at most, that came one by one and are written in one transaction
# How long, at most, a writer waits for callers just answered to come with their next entry.
GATHERING_SECONDS = 0.0005


# A connection may be lost at any moment, before or after the commit. Trying again does no harm: an
# entry that was written then is a duplicate now, and another event is known by its salt.
WAIT_SECONDS = 0.2
again = retry((InterfaceError, OperationalError), max_attempts=3, wait=WAIT_SECONDS)


def nothing() -> None:
    """What there is to do ahead of time for entries that come alone."""


def append_news(
    store: Store, drafts: Sequence[Draft], places: Sequence[int], ahead: Ahead = nothing
) -> tuple[list[Outcome], bool]:
    """`append_chunk` for entries that are likely to be new and accepted, and whether they were.

    Looking keys up costs more than finding out that one is taken, as long as none is.
    """
    try:
        return append_chunk(store, drafts, places, ahead, look_up=False), True
    except IntegrityError:
        return append_chunk(store, drafts, places, ahead, look_up=True), False


@again
def append_chunk(
    store: Store,
    drafts: Sequence[Draft],
    places: Sequence[int],
    ahead: Ahead = nothing,
    *,
    look_up: bool,
) -> list[Outcome]:
    """Decides the drafts in this order and writes them in that of `places`, in one transaction.

    `ahead` is called when the store has work that this process need not wait for (perhaps more than
    once, or never). Without looking keys up it raises IntegrityError and writes nothing if one is
    taken, or an entry is to be refused.
    """
    with store.writing() as work:
        decisions = decide(drafts, work.known(drafts, look_up=look_up))
        if not look_up and any(decision.status == "rejected" for decision in decisions):
            # what is there already is never refused, so it must be known whether it is
            raise IntegrityError
        line = _writing_order(decisions, places)
        first = work.next_position()
        positions = {-1 - i: position for position, i in enumerate(line, first)}
        rows = [_row(drafts[i], decisions[i].target, positions) for i in line]
        if rows:
            work.write(first, rows, states(rows), ahead)
    return [
        Outcome(status, positions.get(node or place, node) or None, reasons)
        for place, (status, node, reasons, _) in zip(
            range(-1, -1 - len(drafts), -1), decisions, strict=True
        )
    ]


def _writing_order(decisions: Sequence[Decision], places: Sequence[int]) -> list[int]:
    """The accepted ones as they came, then the accepted reversals, each of which was decided after
    what it names.
    """
    accepted = [i for i, decision in enumerate(decisions) if decision.status == "accepted"]
    entries = [i for i in accepted if decisions[i].target is None]
    entries.sort(key=places.__getitem__)
    return entries + [i for i in accepted if decisions[i].target is not None]


def _row(draft: Draft, target: Target | None, positions: Mapping[int, int]) -> Row:
    """An entry stands in its own stream, a reversal in that of what it reverses, with the position
    of what it names.
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
    """One entry that waits, and what its caller is told: what became of it, or None when it may be
    his turn.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.told: SimpleQueue[Outcome | BaseException | None] = SimpleQueue()
        self.gone = False


class Together:
    """Entries that come one by one, from several threads: whoever has the turn writes for all who
    wait.

    The disk is waited for once for all of them, where they would have waited for each other
    otherwise. Whoever has his answer leaves at once, whether or not somebody else is writing
    already. As many as were there at the end of the last write, answered or waiting, are likely to
    be there again; a moment is given them. One alone never waits.
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
                answer = mine.told.get()
        except BaseException:  # he is interrupted, and it may be his turn
            mine.gone = True
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
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
            self._write(batch)
            self._expected = min(len(batch) + len(self._waiting), TOGETHER)
        finally:
            self._turn.release()
            self._call_next()

    def _call_next(self) -> None:
        for waiting in tuple(self._waiting):
            if not waiting.gone:
                return waiting.told.put(None)

    def _write(self, batch: Sequence[_Waiting]) -> None:
        answers: Sequence[Outcome | BaseException]
        try:
            answers = (
                _append_few(self._store, [waiting.draft for waiting in batch]) if batch else []
            )
        except BaseException as error:  # each of them raises it
            answers = [error] * len(batch)
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.told.put(answer)


def _append_few(store: Store, drafts: Sequence[Draft]) -> list[Outcome]:
    """What became of each. The short way where the store has one, the long way for what is left."""
    outcomes = dict(enumerate(again(store.append_few)(drafts)))
    places = [place for place, outcome in outcomes.items() if outcome is None]
    if places:
        outcomes |= zip(
            places, append_news(store, [drafts[place] for place in places], places)[0], strict=True
        )
    return [outcome for outcome in outcomes.values() if outcome is not None]
