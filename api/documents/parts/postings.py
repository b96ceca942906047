"""A posting, as the documents of months, statements and appeals show it."""

from __future__ import annotations

from api.documents.parts.base import RULES, Shape

POSTING = {
    "manager": "M0007",
    "item": "back_pay",
    "amount": "450",
    "month": "2026-11",
    "rulebook": RULES["id"],
    "from_version": 1,
    "to_version": 2,
    "entry": "merit:posting-1200-1",
}


class Posting(Shape):
    """A difference between two statement versions, posted into the open month as an entry."""

    manager: str
    item: str
    amount: str
    month: str
    rulebook: str
    from_version: int | None
    to_version: int | None
    entry: str | None = None
