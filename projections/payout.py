"""应发: what a pay statement comes to with the postings of other months: pay + back pay − clawback."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.identifiers import Period
from domain.numbers import plain
from projections.payments import Due, paid_out

if TYPE_CHECKING:
    from projections.book import Book
    from projections.statements import Issued


class Payout(NamedTuple):
    """The parts, in yuan; `paid`: with the closing of the month, by statement `version`; else as it stands now."""

    pay: str
    back_pay: str
    clawback: str
    carried: str
    payable: str
    paid: bool
    version: int | None

    def as_json(self) -> dict[str, str | bool | int | None]:
        """The payout as data."""
        return self._asdict()


def payout_json(payout: Payout | None) -> dict[str, Any]:
    """What stands beside a statement's figures; nothing where its rulebook does not pay."""
    return {"payable": payout.payable, "payment": payout.as_json()} if payout else {}


def payout_of(book: Book, issued: Issued) -> Payout | None:
    """What a statement's month pays its person; None where its rulebook does not pay."""
    if "pay" not in issued.steps:
        return None
    for paid in book.payments.of_manager(issued.manager, issued.period):
        if (paid.rulebook, paid.branch) == (issued.rulebook, issued.branch):
            return Payout(paid.pay, paid.back_pay, paid.clawback, paid.carried, paid.payable, True, paid.number)
    period, pay = Period.parse(issued.period), Decimal(issued.steps["pay"])
    dues = book.payments.due(period.last, issued.manager) if period.kind == "month" else {}
    due = dues.get(issued.manager, Due())
    share = paid_out(pay, due, book.room_above_floor(issued) if due.clawback else None)
    back_pay, clawback, carried, payable = (plain(amount) for amount in share)
    return Payout(plain(pay), back_pay, clawback, carried, payable, False, None)
