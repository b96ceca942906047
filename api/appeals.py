"""What lists of appeals say, at every door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.rights import may

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.accounts import Caller
    from projections.book import Book


def summaries(book: Book, who: Caller, rows: Sequence[tuple[int, str, str]]) -> list[dict[str, Any]]:
    """Of these appeals (position, id, state) those that the caller may read, by where they were filed."""
    found = []
    for _, name, state in rows:
        appeal = book.appeals.get(name)
        if may(who.seats, "read_appeals", book.appeals.place(appeal)):
            said = {key: getattr(appeal.filed, key) for key in ("manager", "period", "branch", "reason")}
            found.append({"appeal": name, "state": state, **said})
    return found
