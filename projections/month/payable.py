"""应发: what a pay statement comes to with the postings of other months: pay + back pay −
clawback.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from domain.evaluation.trace import limits_of
from domain.identifiers import Period
from domain.numbers import plain
from domain.processes.payout import ZERO, Due, cents, in_cents, paid_out
from projections.month.payer import PayingBranch, payer_of
from projections.month.refusals import PayNotInCents
from projections.records.payments import Paid, Posted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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
    """What a statement's month pays its person; None where its rulebook does not pay, or the
    statement is withdrawn before it was paid.
    """
    if "pay" not in issued.steps:
        return None
    period = Period.parse(issued.period)
    pays_dues = PayingBranch(models, issued.branch, period).pays_dues
    posted = models.payments.posted_to(issued.manager, period) if pays_dues else ()
    for paid in models.payments.of_manager(issued.manager, issued.period):
        if (paid.rulebook, paid.branch) == (issued.rulebook, issued.branch):
            return _paid(paid, posted)
    if models.statements.is_withdrawn(issued):
        return None
    due = _due(models, issued.manager, issued.branch, period)
    room = rooms_above_floor(models, [issued]).get(issued.manager) if due.clawback else None
    return _owed(Decimal(issued.steps["pay"]), due, room, posted)


def postings_alone(models: ReadModels, manager: str, period: Period) -> PostingsAlone | None:
    """What other months posted into a month in which somebody has no statement.

    None where there is a statement that stands or was paid, or nothing to get or to give back.
    """
    payments = models.payments.of_manager(manager, str(period))
    if any(paid.rulebook for paid in payments) or models.statements.standing(
        str(period), [manager]
    ):
        return None
    posted = models.payments.posted_to(manager, period)
    payer = payer_of(models, manager, period.last)
    due = _due(models, manager, payer, period)
    if payments:
        payout = _paid(payments[-1], posted)
    elif due != Due():
        payout = _owed(ZERO, due, None, posted)
    else:
        return None
    branch = payments[-1].branch if payments else payer
    return PostingsAlone(manager, str(period), branch or "", models.ledger.position(), payout)


def _due(models: ReadModels, manager: str, payer: str | None, period: Period) -> Due:
    """What is due to somebody with the closing of a period at the branch that pays them."""
    if payer is None or not PayingBranch(models, payer, period).pays_dues:
        return Due()
    return models.payments.due(period.last, manager).get(manager, Due())


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


def rooms_above_floor(models: ReadModels, statements: Sequence[Issued]) -> dict[str, Decimal]:
    """How far the pay of each of these people is above their minimum wage, as their scheme compares
    the two. Who has no floor is left out. One evaluation for each settlement.
    """
    found: dict[str, Decimal] = {}
    by_settlement = attrgetter("rulebook", "version", "period", "branch", "as_of")
    for key, rows in groupby(sorted(statements, key=by_settlement), by_settlement):
        rulebook, version, period, branch, as_of = key
        program = models.rulebooks.find(rulebook, version)
        evaluation = models.evaluator.columns(program, Period.parse(period), [branch], as_of)
        row_of = {manager: row for row, manager in enumerate(evaluation.people.managers)}
        statements_here = list(rows)
        limits = limits_of(evaluation, "pay", [row_of[i.manager] for i in statements_here])
        for issued, own in zip(statements_here, limits, strict=True):
            rooms = [
                Decimal(0 if limit.fired else limit.distance)
                for limit in own
                if limit.kind == "floor"
            ]
            if rooms:
                found[issued.manager] = min(rooms)
    return found


def check_in_cents(
    branch: str, period: Period, rulebook: str, pays: Mapping[str, str | Decimal]
) -> None:
    """Raises PayNotInCents where somebody's pay is not whole cents."""
    broken = {manager: str(pay) for manager, pay in pays.items() if not in_cents(Decimal(pay))}
    if broken:
        raise PayNotInCents(branch, period, rulebook, broken)


def paid_elsewhere(
    models: ReadModels,
    branch: str,
    period: Period,
    managers: Collection[str],
    as_of: int | None = None,
) -> dict[str, tuple[str, Decimal]]:
    """Who of these people was paid by another branch for the period: by which, and how much, as of
    a position or now.

    What a resettlement took back again was not paid.
    """
    known = models.ledger.position() if as_of is None else as_of
    sums: dict[tuple[str, str], Decimal] = {}
    for paid in models.payments.paid_for(str(period), managers):
        if paid.rulebook is not None and paid.position <= known:
            whose = paid.manager, paid.branch
            sums[whose] = sums.get(whose, ZERO) + cents(paid.pay)
    for posted in models.payments.posted_for(str(period), managers):
        if posted.position <= known:
            whose = posted.manager, posted.branch
            sums[whose] = sums.get(whose, ZERO) + cents(posted.signed)
    net: dict[str, Decimal] = {}
    for (manager, _), amount in sums.items():
        net[manager] = net.get(manager, ZERO) + amount
    return {
        manager: (payer, amount)
        for (manager, payer), amount in sorted(sums.items())
        if payer != branch and amount and net[manager]
    }
