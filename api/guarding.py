"""What rights mean for whoever acts: where somebody works decides who may record and read."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from domain.entries import AnyEntry, Assignment, Measure, Reversal
from domain.events import StatementRead
from domain.identifiers import Month, Period, stream_id
from domain.rights import EVERYWHERE, Forbidden, Place, may, may_in_branch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.accounts import Caller
    from projections.book import Book


def check(who: Caller, act: str, place: Place | None = EVERYWHERE) -> None:
    """Raises Forbidden unless a seat of the caller allows the act there (without a place: anywhere at all)."""
    if not may(who.seats, act, place):
        raise Forbidden(who.name, act)


def check_in_branch(caller: Caller, act: str, branch: str) -> None:
    """Raises Forbidden unless the caller may do the act for the branch as a whole."""
    if not may_in_branch(caller.seats, act, branch):
        raise Forbidden(caller.name, act)


def may_record(book: Book, who: Caller, entry: AnyEntry) -> None:
    """Raises Forbidden unless the caller may record this entry, or take back the one that it reverses."""
    act = "record_ratings" if entry.kind == "rating" else "record_entries"
    if may(who.seats, act, EVERYWHERE):  # nothing to look up
        return
    match entry:
        case Reversal():
            if (reversed_entry := book.entry_at(entry.reverses.source, entry.reverses.source_id)) is not None:
                may_record(book, who, reversed_entry)
        case Assignment():
            check(who, act, Place(entry.branch, entry.team, entry.manager))
        case Measure(manager=None):
            check(who, act, Place(entry.branch, entry.team))
        case _:
            month = Month.parse(str(entry.month))
            assert entry.manager is not None
            check(who, act, book.place_of(entry.manager, Period(month, month)))


def replays(who: Caller, branches: Iterable[str]) -> None:
    """Raises Forbidden unless the caller may replay these branches; none named: all of them."""
    for place in [Place(branch) for branch in branches] or [EVERYWHERE]:
        check(who, "replay", place)


def may_set_password(who: Caller, account: str) -> None:
    """Raises Forbidden unless the account is the caller's own, or the caller manages accounts."""
    if who.name != account:
        check(who, "manage_accounts")


def reads(book: Book, who: Caller, manager: str, period: Period, what: str) -> None:
    """Raises Forbidden unless the caller may read the person's statement; another's is read on record."""
    check(who, "read_statements", book.place_of(manager, period))
    if who.manager == manager:
        return
    # Each reading has a stream of its own: two people who read at once never clash.
    stream = stream_id("reading", secrets.token_hex(16), period.last.index)
    book.ledger.record(
        StatementRead(
            originator_id=stream, originator_version=1, by=who.name, manager=manager, period=str(period), what=what
        )
    )
