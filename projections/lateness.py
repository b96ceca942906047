"""迟到: which entries came after what the closing of their month took in. They wait for a resettlement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.identifiers import Month, Period
from projections.database import database_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.book import Book


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
        if held and texts[item] not in {"back_pay", "clawback"}:
            where = texts[branch] if branch else _branch(book, texts[manager], month)
            late |= {position} if any(closing.branch == where for closing in held) else set()
    return late


def _branch(book: Book, manager: str, month: int) -> str | None:
    period = Month.of_index(month)
    return book.place_of(manager, Period(period, period)).branch
