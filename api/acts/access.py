"""What rights mean for whoever acts: where somebody works decides who may record, suppose and
read.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import BACK_PAY, CLAWBACK, Adjustment, AnyEntry, Assignment, Reversal
from domain.identifiers import LAST_YEAR, Month, Period, stream_id
from domain.ledger.events import EntryRecorded, ReversalRecorded, StatementRead
from domain.rights import EVERYWHERE, Forbidden, Place, may, may_in_branch
from projections.facts.audit_trail import entries_under_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from projections.records.accounts import Caller
    from projections.service import Service

ALWAYS = Month(LAST_YEAR, 12).index


def check(who: Caller, act: str, place: Place | None = EVERYWHERE) -> None:
    """Raises Forbidden unless a seat of the caller allows the act there (without a place: anywhere
    at all).
    """
    if not may(who.seats, act, place):
        raise Forbidden(who.name, act, elsewhere=may(who.seats, act))


def check_in_branch(caller: Caller, act: str, branch: str) -> None:
    """Raises Forbidden unless the caller may do the act for the branch as a whole."""
    if not may_in_branch(caller.seats, act, branch):
        raise Forbidden(caller.name, act, elsewhere=may(caller.seats, act))


def may_record(service: Service, who: Caller, entries: Sequence[AnyEntry]) -> None:
    """Raises Forbidden unless the caller may record all these entries, or take back those that they
    reverse.

    Postings (补发, 扣回) are paid as they stand: those that are not a resettlement's are for
    whoever resettles.
    """
    if not may(who.seats, "resettle", EVERYWHERE):
        named = {
            (e.reverses.source, e.reverses.source_id) for e in entries if isinstance(e, Reversal)
        }
        taken_back = [
            _Subject.recorded(event) for event in entries_under_keys(service.ledger, named)
        ]
        for subject in (
            *(_Subject.of(e) for e in entries if isinstance(e, Adjustment)),
            *taken_back,
        ):
            if subject.kind == "adjustment" and subject.item in {BACK_PAY, CLAWBACK}:
                check(who, "resettle", service.places.place_of(subject.manager or ""))
    if may(
        who.seats, "record_entries", EVERYWHERE
    ):  # then ratings too, and there is nothing to look up
        return
    people = _Whereabouts(service, entries)
    for about in _subjects(service, entries):
        act = "record_ratings" if about.kind == "rating" else "record_entries"
        for place in people.concerned(about):
            check(who, act, place)


def replays(who: Caller, branches: Iterable[str]) -> None:
    """Raises Forbidden unless the caller may replay these branches; none named: all of them."""
    for place in [Place(branch) for branch in branches] or [EVERYWHERE]:
        check(who, "replay", place)


def supposes(
    service: Service, who: Caller, added: Sequence[AnyEntry], left_out: Sequence[tuple[str, str]]
) -> None:
    """Raises Forbidden unless the caller may replay everyone whom supposed entries, or those left
    out, are about.

    Otherwise a what-if could move people into the caller's branch, and show their figures.
    """
    if may(who.seats, "replay", EVERYWHERE):
        return
    people = _Whereabouts(service, added)
    for about in _subjects(service, added, left_out):
        for place in people.concerned(about):
            check(who, "replay", place)


@contextmanager
def reading(
    service: Service, who: Caller, manager: str, period: Period, what: str
) -> Iterator[None]:
    """Within it a person's statement is looked for. Raises Forbidden before; what was not found
    leaves no trace.
    """
    check(who, "read_statements", service.places.place_of(manager, period))
    yield
    put_on_record(service, who, manager, period, what)


def put_on_record(service: Service, who: Caller, manager: str, period: Period, what: str) -> None:
    """Another's statement was read; whoever has no account could read the database itself, and
    leaves no trace.
    """
    if who.manager == manager or not who.has_account:
        return
    # Each reading has a stream of its own: two people who read at once never clash.
    stream = stream_id("reading", secrets.token_hex(16), period.last.index)
    service.ledger.record(
        StatementRead(
            originator_id=stream,
            originator_version=1,
            by=who.name,
            manager=manager,
            period=str(period),
            what=what,
        )
    )


class _Subject(NamedTuple):
    """What an entry is about."""

    kind: str
    month: int  # its index
    manager: str | None
    branch: str | None
    team: str | None
    item: str | None

    @classmethod
    def of(cls, entry: AnyEntry) -> _Subject:
        """Of any entry but a reversal."""
        assert not isinstance(entry, Reversal)
        named = (getattr(entry, name, None) for name in ("manager", "branch", "team", "item"))
        return cls(entry.kind, Month.parse(str(entry.month)).index, *named)

    @classmethod
    def recorded(cls, event: EntryRecorded) -> _Subject:
        """Of an entry in the ledger: a reversal there says what the entry at the end of its chain
        is about.
        """
        if isinstance(event, ReversalRecorded):
            month = Month.parse(event.month).index
            return cls(event.root, month, event.manager, event.branch, event.team, event.item)
        return cls.of(event.entry)


def _subjects(
    service: Service, entries: Sequence[AnyEntry], keys: Sequence[tuple[str, str]] = ()
) -> Iterator[_Subject]:
    """What entries are about, and those that they reverse or that have these keys.

    A reversal of one that comes along needs no more than that one; what is nowhere the ledger will
    refuse.
    """
    yield from (_Subject.of(entry) for entry in entries if not isinstance(entry, Reversal))
    named = {(e.reverses.source, e.reverses.source_id) for e in entries if isinstance(e, Reversal)}
    yield from map(_Subject.recorded, entries_under_keys(service.ledger, {*named, *keys}))


class _Whereabouts:
    """Where people work by the ledger, and by assignments that come along with other entries."""

    def __init__(self, service: Service, entries: Sequence[AnyEntry]) -> None:
        self._book = service
        self._known: dict[str, list[tuple[int, Place]]] = {}
        self._coming: defaultdict[str, list[tuple[int, Place]]] = defaultdict(list)
        for entry in entries:
            if isinstance(entry, Assignment):
                place = Place(entry.branch, entry.team, entry.manager)
                self._coming[entry.manager].append((entry.month.index, place))

    def concerned(self, about: _Subject) -> list[Place]:
        """Every place that a caller must cover: a branch, or where the person works in that month.

        Whoever assigns somebody needs the new place, and where the ledger has the person in that
        month and last: else a branch could take over people, and read what was recorded of them
        elsewhere. Who leaves has no new place: there it is where they worked before.
        """
        if about.manager is None:
            return [Place(about.branch, about.team)]
        if about.kind != "assignment":
            return [_held(about.manager, self._expected(about.manager), about.month)]
        known = self._known_of(about.manager)
        if about.branch is None:
            known = [worked for worked in self._expected(about.manager) if worked[1].branch]
        held = [_held(about.manager, known, month) for month in (about.month, ALWAYS)]
        if about.branch is None:
            return held
        return [
            Place(about.branch, about.team, about.manager),
            *(place for place in held if place.branch),
        ]

    def _known_of(self, manager: str) -> list[tuple[int, Place]]:
        if manager not in self._known:
            self._known[manager] = self._book.places.workplaces(manager)
        return self._known[manager]

    def _expected(self, manager: str) -> list[tuple[int, Place]]:
        return sorted([*self._known_of(manager), *self._coming[manager]], key=itemgetter(0))


def _held(manager: str, workplaces: list[tuple[int, Place]], month: int) -> Place:
    """The last that began by a month; who works nowhere is in no branch."""
    held = [place for start, place in workplaces if start <= month]
    return held[-1] if held else Place(None, None, manager)
