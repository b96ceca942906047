"""What rights mean for whoever acts: where somebody works decides who may record, suppose and
read.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING

from domain.entries.entry import (
    BACK_PAY,
    CLAWBACK,
    AnyEntry,
    Assignment,
    Key,
    Reversal,
    reversed_keys,
)
from domain.entries.kinds import KINDS
from domain.entries.subject import Subject
from domain.identifiers import LAST_YEAR, Month, Period, stream_id
from domain.ledger.events import PayListed, StatementRead
from domain.rights import EVERYWHERE, Forbidden, Place, may, may_in_branch
from projections.facts.places import EVER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from domain.rights import Seat
    from projections.facts.places import HeldMonths
    from projections.records.accounts.accounts import Caller
    from projections.service import Service

ALWAYS = Month(LAST_YEAR, 12).index


def check(who: Caller, act: str, place: Place | None = EVERYWHERE) -> None:
    """Raises Forbidden unless a seat of the caller allows the act there (without a place: anywhere
    at all).
    """
    if not may(who.seats, act, place):
        raise Forbidden(who.name, act, elsewhere=may(who.seats, act))


def held_months(service: Service, who: Caller, act: str, manager: str) -> HeldMonths:
    """The months of a person of which the caller may see what the act shows."""
    return service.places.held(who.seats, act, manager)


def check_holds(service: Service, who: Caller, act: str, manager: str, period: Period) -> None:
    """Raises Forbidden unless the caller may see what sums up a person's period.

    Where they hold a part of its months, the refusal says to name a month.
    """
    held = held_months(service, who, act, manager)
    if not held.has_whole(period):
        may_somewhere = may(who.seats, act)
        in_part = period.first != period.last and held.has_any_of(period)
        raise Forbidden(who.name, act, elsewhere=may_somewhere, some_months=in_part)


def check_holds_any(
    service: Service, who: Caller, act: str, manager: str, period: Period = EVER
) -> HeldMonths:
    """The months of a person that the caller may see. Raises Forbidden if none is of the period."""
    held = held_months(service, who, act, manager)
    if not held.has_any_of(period):
        raise Forbidden(who.name, act, elsewhere=may(who.seats, act))
    return held


def held_people(
    service: Service, who: Caller, act: str, managers: Collection[str], period: Period
) -> set[str]:
    """Those people whose period the caller may see summed up."""
    held = service.places.held_of(who.seats, act, managers)
    return {manager for manager in managers if held[manager].has_whole(period)}


def check_in_branch(caller: Caller, act: str, branch: str) -> None:
    """Raises Forbidden unless the caller may do the act for the branch as a whole."""
    if not may_in_branch(caller.seats, act, branch):
        raise Forbidden(caller.name, act, elsewhere=may(caller.seats, act))


def check_may_record(service: Service, who: Caller, entries: Sequence[AnyEntry]) -> None:
    """Raises Forbidden unless the caller may record all these entries, or take back those that they
    reverse.

    Postings (补发, 扣回) are paid as they stand: those that are not a resettlement's are for
    whoever resettles. A narrowed integration records its sources and kinds alone.
    """
    if any(seat.is_narrowed for seat in who.seats):
        for entry, seats in _seats_for(service, who, entries):
            _check_may_record(service, who._replace(seats=seats), [entry], beside=entries)
        return
    _check_may_record(service, who, entries, beside=entries)


def _seats_for(
    service: Service, who: Caller, entries: Sequence[AnyEntry]
) -> Iterator[tuple[AnyEntry, tuple[Seat, ...]]]:
    """Each entry with the seats that record its source and kind. A reversal is of the kind that it
    takes back, and of the sources of both.
    """
    coming = {entry.key: entry.kind for entry in entries}
    targets = service.ledger.targets(reversed_keys(entries))
    for entry in entries:
        sources, kind = {entry.source}, str(entry.kind)
        if isinstance(entry, Reversal):
            key = (entry.reverses.source, entry.reverses.source_id)
            sources.add(entry.reverses.source)
            kind = targets[key].subject.root if key in targets else coming.get(key, kind)
        yield entry, tuple(seat for seat in who.seats if seat.records(sources, kind))


def _check_may_record(
    service: Service, who: Caller, entries: Sequence[AnyEntry], *, beside: Sequence[AnyEntry]
) -> None:
    """The same with seats that record all these entries; `beside`: what comes along with them."""
    records_all, resettles = (
        may(who.seats, act, EVERYWHERE) for act in ("record_entries", "resettle")
    )
    if records_all and resettles:  # then ratings too, and there is nothing to look up
        return
    subjects = list(_subjects(service, entries))
    if not resettles:
        for about in subjects:
            if about.root == "adjustment" and about.item in {BACK_PAY, CLAWBACK}:
                check(who, "resettle", service.places.place_of(about.manager or ""))
    if records_all:
        return
    people = _Whereabouts(service, beside)
    for about in subjects:
        act = KINDS[about.root].act
        for place in people.concerned(about):
            check(who, act, place)


def check_may_replay(who: Caller, branches: Iterable[str]) -> None:
    """Raises Forbidden unless the caller may replay these branches; none named: all of them."""
    for place in [Place(branch) for branch in branches] or [EVERYWHERE]:
        check(who, "replay", place)


def check_may_suppose(
    service: Service, who: Caller, added: Sequence[AnyEntry], left_out: Sequence[Key]
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
    check_holds(service, who, "read_statements", manager, period)
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


def put_listing_on_record(
    service: Service, who: Caller, branches: Sequence[str], periods: Sequence[Period], what: str
) -> None:
    """What everybody of these branches earns was read; like `put_on_record`, of whoever has an
    account.
    """
    if not who.has_account:
        return
    service.ledger.record(
        PayListed(
            originator_id=stream_id("reading", secrets.token_hex(16), periods[-1].last.index),
            originator_version=1,
            by=who.name,
            branches=tuple(branches),
            periods=tuple(map(str, periods)),
            what=what,
        )
    )


def _subjects(
    service: Service, entries: Sequence[AnyEntry], keys: Iterable[Key] = ()
) -> Iterator[Subject]:
    """What entries are about, and those that they reverse or that have these keys.

    A reversal of one that comes along needs no more than that one; what is nowhere the ledger will
    refuse.
    """
    for entry in entries:
        if not isinstance(entry, Reversal):
            yield Subject.of_fields(entry.parts()[0])
    targets = service.ledger.targets({*reversed_keys(entries), *keys})
    yield from (target.subject for target in targets.values())


class _Whereabouts:
    """Where people work by the ledger, and by assignments that come along with other entries."""

    def __init__(self, service: Service, entries: Sequence[AnyEntry]) -> None:
        self._service = service
        self._known: dict[str, list[tuple[int, Place]]] = {}
        self._coming: defaultdict[str, list[tuple[int, Place]]] = defaultdict(list)
        for entry in entries:
            if isinstance(entry, Assignment):
                place = Place(entry.branch, entry.team, entry.manager)
                self._coming[entry.manager].append((entry.month.index, place))

    def concerned(self, about: Subject) -> list[Place]:
        """Every place that a caller must cover: a branch, or where the person works in that month.

        Whoever assigns somebody needs the new place, and where the ledger has the person in that
        month and last: else a branch could take over people, and read what was recorded of them
        elsewhere. Who leaves has no new place: there it is where they worked before.
        """
        if about.manager is None:
            return [Place(about.branch, about.team)]
        month = Month.parse(about.month).index
        if about.root != "assignment":
            return [_held(about.manager, self._expected(about.manager), month)]
        known = self._known_of(about.manager)
        if about.branch is None:
            known = [worked for worked in self._expected(about.manager) if worked[1].branch]
        if about.branch is None:
            return [_held(about.manager, known, until) for until in (month, ALWAYS)]
        # Who left is still somebody of the branch where they worked last: to take them in again
        # is for that branch, or for whoever may record everywhere.
        known = [worked for worked in known if worked[1].branch]
        held = [_held(about.manager, known, until) for until in (month, ALWAYS)]
        return [
            Place(about.branch, about.team, about.manager),
            *(place for place in held if place.branch),
        ]

    def _known_of(self, manager: str) -> list[tuple[int, Place]]:
        if manager not in self._known:
            self._known[manager] = self._service.places.workplaces(manager)
        return self._known[manager]

    def _expected(self, manager: str) -> list[tuple[int, Place]]:
        return sorted([*self._known_of(manager), *self._coming[manager]], key=itemgetter(0))


def _held(manager: str, workplaces: list[tuple[int, Place]], month: int) -> Place:
    """The last that began by a month; who works nowhere is in no branch."""
    held = [place for start, place in workplaces if start <= month]
    return held[-1] if held else Place(None, None, manager)
