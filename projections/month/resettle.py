"""重新结算: a closed period is settled again; what differs is posted into the open month, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import BACK_PAY, CLAWBACK
from domain.identifiers import Period
from domain.ledger.events import MonthResettled, Posting, StatementIssued
from domain.numbers import plain
from domain.processes.branch_month import check_text
from projections.month.postings import record_postings
from projections.month.refusals import AppealOfAnotherMonth, NotClosed
from projections.month.settle import evaluated, events_of
from projections.records.payments import ZERO, Posted

if TYPE_CHECKING:
    from domain.ledger.events import Event
    from projections.month.cycle import Cycle

Owed = tuple[str, str]  # a manager, under a rulebook


class Resettlement(NamedTuple):
    """What a resettlement did: the position reached with the entries of its postings, the
    settlements that it recorded, and its postings.
    """

    position: int
    settlements: tuple[int, ...]
    postings: list[Posted]


@dataclass
class _SettledAgain:
    """What a period comes to now: its new events, and everyone's pay with its statement version."""

    events: list[Event] = field(default_factory=list)
    settlements: list[int] = field(default_factory=list)  # places in `events`
    digests: list[str] = field(default_factory=list)
    pay: dict[Owed, tuple[Decimal, int]] = field(default_factory=dict)


def resettle(cycle: Cycle, reason: str, *, by: str, appeal: str | None = None) -> Resettlement:
    """Settles a closed period again and posts what differs. Where nothing differs nothing is done.

    Raises NotClosed, AppealOfAnotherMonth, Refused, VersionClash.
    """
    check_text(reason)
    models, state = cycle.models, cycle.state()
    if appeal is not None:
        _check_appeal(cycle, appeal)
    record_postings(models.ledger, models.payments)
    if state.closed is None:
        raise NotClosed(cycle.branch, cycle.period)
    again = _settle_again(cycle, by)
    postings = tuple(_postings(cycle, again.pay))
    if not again.events and not postings:
        return Resettlement(models.ledger.position(), (), [])
    resettled = MonthResettled(
        **cycle.place(by, state.version + 1),
        reason=reason,
        appeal=appeal,
        digests=tuple(again.digests),
        postings=postings,
    )
    position = models.ledger.record(*again.events, resettled)
    record_postings(models.ledger, models.payments)
    first = position - len(again.events)
    posted = models.payments.posted(cycle.branch, str(cycle.period))
    return Resettlement(
        models.ledger.position(),
        tuple(first + place for place in again.settlements),
        [posting for posting in posted if posting.position == position],
    )


def _settle_again(cycle: Cycle, by: str) -> _SettledAgain:
    """Evaluates the period; a settlement whose digest is the last one's is not recorded again."""
    models, again = cycle.models, _SettledAgain()
    last = {settlement.rulebook: settlement for settlement in cycle.last_settlements()}
    for evaluation in evaluated(
        models.ledger, models.evaluator, cycle.programs(), cycle.period, cycle.branch, known=last
    ):
        rulebook = evaluation.program.rulebook.id
        if rulebook in last and last[rulebook].digest == evaluation.digest:
            for row in models.statements.of_settlement(last[rulebook]):
                if "pay" in row.steps:
                    again.pay[row.manager, rulebook] = Decimal(row.steps["pay"]), row.number
            continue
        events = events_of(models.ledger, evaluation, cycle.period, by)
        again.settlements.append(len(again.events))
        again.digests.append(evaluation.digest)
        again.events += events
        for event in events:
            if isinstance(event, StatementIssued) and "pay" in event.steps:
                pay = Decimal(event.steps["pay"])
                again.pay[event.manager, rulebook] = pay, event.originator_version
    return again


def _check_appeal(cycle: Cycle, appeal: str) -> None:
    """Raises NotFound, or AppealOfAnotherMonth."""
    filed = cycle.models.appeals.get(appeal).filed
    if (filed.branch, filed.period) != (cycle.branch, str(cycle.period)):
        own = filed.branch, filed.period
        raise AppealOfAnotherMonth(appeal, own, cycle.branch, cycle.period)


def _postings(cycle: Cycle, pay: dict[Owed, tuple[Decimal, int]]) -> list[Posting]:
    """What everyone's latest statement says beyond what was paid and posted for it so far."""
    payments, branch, period = cycle.models.payments, cycle.branch, str(cycle.period)
    before: dict[Owed, Decimal] = {}
    version: dict[Owed, int | None] = {}
    for paid in payments.paid(branch, period):
        if paid.rulebook is not None:
            before[paid.manager, paid.rulebook] = Decimal(paid.pay)
            version[paid.manager, paid.rulebook] = paid.version
    for posted in payments.posted(branch, period):
        owed = posted.manager, posted.rulebook
        before[owed] = before.get(owed, ZERO) + posted.signed
        version[owed] = posted.to_version
    postings = []
    for owed in sorted({*before, *pay}):
        now, number = pay.get(owed, (ZERO, None))
        if difference := now - before.get(owed, ZERO):
            postings.append(_posting(cycle, owed, difference, version.get(owed), number))
    return postings


def _posting(
    cycle: Cycle, owed: Owed, difference: Decimal, before: int | None, after: int | None
) -> Posting:
    manager, rulebook = owed
    payments = cycle.models.payments
    month = payments.open_month(cycle.branch, cycle.period)
    works_at = cycle.models.places.place_of(manager, Period(month, month)).branch
    if works_at is not None and works_at != cycle.branch:
        # Another branch pays them now; its open month may be a later one.
        month = max(month, payments.open_month(works_at, cycle.period))
    return Posting(
        manager=manager,
        item=BACK_PAY if difference > 0 else CLAWBACK,
        amount=plain(abs(difference)),
        month=str(month),
        rulebook=rulebook,
        from_version=before,
        to_version=after,
    )
