"""应发: what a pay statement comes to with the postings of other months: pay + back pay −
clawback.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from domain.evaluation.trace import trace_steps
from domain.identifiers import Period
from domain.numbers import plain
from projections.records.payments import ZERO, Due, Paid, Posted, paid_out

if TYPE_CHECKING:
    from projections.models import ReadModels
    from projections.records.statements import Issued


class Payout(NamedTuple):
    """The parts in yuan: paid with the month's closing by statement `version`, or as of now."""

    pay: str
    back_pay: str
    clawback: str
    carried: str
    payable: str
    paid: bool
    version: int | None
    postings: tuple[Posted, ...] = ()  # into this month


class PostingsAlone(NamedTuple):
    """The statement of somebody who has no other in a month, as of a ledger position."""

    manager: str
    period: str
    branch: str
    position: int
    payment: Payout


def payout_of(models: ReadModels, issued: Issued) -> Payout | None:
    """What a statement's month pays its person; None where its rulebook does not pay."""
    if "pay" not in issued.steps:
        return None
    posted = models.payments.posted_to(issued.manager, issued.period)
    for paid in models.payments.of_manager(issued.manager, issued.period):
        if (paid.rulebook, paid.branch) == (issued.rulebook, issued.branch):
            return _paid(paid, posted)
    due = _due(models, issued.manager, Period.parse(issued.period))
    room = room_above_floor(models, issued) if due.clawback else None
    return _owed(Decimal(issued.steps["pay"]), due, room, posted)


def postings_alone(models: ReadModels, manager: str, period: Period) -> PostingsAlone | None:
    """What other months posted into a month in which somebody has no statement.

    None where there is a statement, or nothing to get or to give back.
    """
    if models.statements.of_manager(manager, str(period)):
        return None
    posted = models.payments.posted_to(manager, str(period))
    payments = models.payments.of_manager(manager, str(period))
    due = _due(models, manager, period)
    if payments:
        payout = _paid(payments[-1], posted)
    elif due != Due():
        payout = _owed(ZERO, due, None, posted)
    else:
        return None
    branch = payments[-1].branch if payments else models.payments.last_branch(manager)
    return PostingsAlone(manager, str(period), branch or "", models.ledger.position(), payout)


def _due(models: ReadModels, manager: str, period: Period) -> Due:
    dues = models.payments.due(period.last, manager) if period.kind == "month" else {}
    return dues.get(manager, Due())


def _paid(paid: Paid, posted: tuple[Posted, ...]) -> Payout:
    return Payout(
        paid.pay,
        paid.back_pay,
        paid.clawback,
        paid.carried,
        paid.payable,
        True,
        paid.version,
        posted,
    )


def _owed(pay: Decimal, due: Due, room: Decimal | None, posted: tuple[Posted, ...]) -> Payout:
    back_pay, clawback, carried, payable = (plain(amount) for amount in paid_out(pay, due, room))
    return Payout(plain(pay), back_pay, clawback, carried, payable, False, None, posted)


def room_above_floor(models: ReadModels, issued: Issued) -> Decimal | None:
    """How far a statement's pay is above its minimum wage, as its scheme compares the two.

    None where the scheme has no floor.
    """
    program = models.rulebooks.find(issued.rulebook, issued.version)
    period = Period.parse(issued.period)
    evaluation = models.evaluator.columns(program, period, [issued.branch], issued.as_of)
    steps = trace_steps(evaluation, evaluation.people.managers.index(issued.manager))
    floors = [limit for step in steps if step.step == "pay" for limit in step.limits]
    rooms = [
        Decimal(0 if limit.fired else limit.distance) for limit in floors if limit.kind == "floor"
    ]
    return min(rooms, default=None)
