"""迟到: which entries came after what the closing of their month took in, and what each does to the branch's pay."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.events import EntryRecorded
from domain.identifiers import Month, Period
from domain.numbers import plain
from projections.database import database_of
from projections.evaluating import WhatIf
from projections.payments import BACK_PAY, CLAWBACK, ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.rulebook.checks import Program
    from projections.book import Book
    from projections.cycles import Cycle


def late_among(book: Book, positions: Sequence[int]) -> set[int]:
    """Those of the entries at these ledger positions that are late; a posting is never late."""
    closings = book.payments.closings()
    if not closings or not positions:
        return set()
    first = min(closing.taken_in for closing in closings)
    wanted = [position for position in positions if position > first]
    database, texts = database_of(book.ledger), book.evaluator.facts.symbols()
    sql = f"SELECT position, month, manager, item, branch FROM facts WHERE position {database.one_of}"
    with database.reading() as connection:
        rows = connection.fetch(sql, (database.array(wanted),)) if wanted else []
    late = set()
    for position, month, manager, item, branch in rows:
        held = [c for c in closings if c.first_month <= month <= c.last_month and position > c.taken_in]
        if held and texts[item] not in {BACK_PAY, CLAWBACK}:
            where = texts[branch] if branch else _branch(book, texts[manager], month)
            late |= {position} if any(closing.branch == where for closing in held) else set()
    return late


def _branch(book: Book, manager: str, month: int) -> str | None:
    period = Month.of_index(month)
    return book.place_of(manager, Period(period, period)).branch


def late_evidence(cycle: Cycle) -> list[dict[str, Any]]:
    """Every entry that came after the closing, or was backdated into it: who recorded it when, what it is worth.

    The effect is on the whole branch's pay, as it is now, against the same without the entry.
    """
    since = _late_since(cycle)
    if since is None:
        return []
    positions = cycle.positions_after(since)
    events = cycle.book.ledger.events_at(positions)
    programs, now = cycle.programs(), cycle.book.ledger.position()
    whole = _total(cycle, programs, now, None)
    found = []
    for position in positions:
        event = events[position]
        assert isinstance(event, EntryRecorded)
        without = _total(cycle, programs, now, WhatIf((), (event.entry.key,)))
        effect = plain(whole - without) if whole is not None and without is not None else None
        found.append(
            {
                "position": position,
                "entry": event.entry.content(),
                "by": event.by,
                "at": event.at.isoformat(),
                "appeal": getattr(event.entry, "appeal", None),
                "after": "close" if cycle.state().closed else "publication",
                "effect": effect,
            }
        )
    return found


def _late_since(cycle: Cycle) -> int | None:
    """After which position an entry is late: what the closing took in, else the publication."""
    if (closing := cycle.book.payments.closing(cycle.branch, str(cycle.period))) is not None:
        return closing.taken_in
    published = cycle.state().published_at
    return cycle.book.position_of(published) if published else None


def _total(cycle: Cycle, programs: list[Program], now: int, what_if: WhatIf | None) -> Decimal | None:
    """The branch's whole pay; None where it is refused."""
    total = ZERO
    for program in programs:
        evaluation = cycle.book.evaluator.branches(program, cycle.period, [cycle.branch], now, what_if)[0]
        if evaluation.findings:
            return None
        total += sum((Decimal(s.steps["pay"]) for s in evaluation.statements if "pay" in s.steps), ZERO)
    return total
