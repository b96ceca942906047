"""应发: what pay, back pay and a clawback come to in a month, in yuan.

decided (a posting) → due (to be paid or taken by a month) → share (of a person's month) → payment.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import NamedTuple

ZERO, CENT = Decimal(0), Decimal("0.01")


class Due(NamedTuple):
    """What is to be paid beside the pay of a month, and what is to be taken from it; both at least
    0.
    """

    back_pay: Decimal = ZERO
    clawback: Decimal = ZERO


class Share(NamedTuple):
    """What of a person's pay and dues comes to be paid in a month."""

    back_pay: Decimal
    clawback: Decimal
    carried: Decimal
    payable: Decimal


def in_cents(amount: Decimal) -> bool:
    """Whether an amount is whole cents, as all that is paid is."""
    return amount == amount.quantize(CENT, ROUND_FLOOR)


def cents(amount: str | Decimal) -> Decimal:
    """What was paid of an amount that an old rulebook had not rounded."""
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)


def paid_out(pay: Decimal, due: Due, room: Decimal | None) -> Share:
    """Pay and back pay less clawback, which takes the back pay first, then at most the room above
    the minimum wage (None: all of the pay).

    Nobody pays anything in: of a pay below zero, what back pay does not make up for is carried, as
    a clawback below zero of this month.
    """
    above_floor = pay if room is None else min(room, pay)
    of_pay = max(above_floor, ZERO) if pay >= 0 else pay
    taken = min(due.clawback, (due.back_pay + of_pay).quantize(CENT, ROUND_FLOOR))
    return Share(due.back_pay, taken, due.clawback - taken, pay + due.back_pay - taken)


def set_off(back_pay: Decimal, clawback: Decimal) -> Due:
    """What is left of both; where more was paid or taken than stands now, they are set off against
    each other.
    """
    if back_pay >= 0 and clawback >= 0:
        return Due(back_pay, clawback)
    net = back_pay - clawback
    return Due(max(net, ZERO), max(-net, ZERO))
