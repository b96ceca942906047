"""封账: what was settled is pinned, and everyone is paid, with what other months have posted."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

from domain.errors import Overtaken
from domain.ledger.events import AppealDecided, MonthClosed, MonthResettled, Payment, Pinned
from domain.ledger.store_protocol import AsRead
from domain.numbers import plain
from domain.processes.branch_month import check_closing
from domain.processes.payout import ZERO, Due, paid_out
from projections.month.check.month_check import check_acknowledged
from projections.month.payable import check_in_cents, paid_elsewhere, rooms_above_floor
from projections.month.payer import PayingBranch, payer_of
from projections.month.postings import record_postings
from projections.month.refusals import (
    CorrectionNotSettled,
    MonthNotBegun,
    NothingSettled,
    NotSettledUnder,
    PaidElsewhere,
    PaidTwice,
    PeopleMoved,
    PostingsNotRecorded,
    SettledUnderAnother,
)
from projections.month.settle import last_settlements, settlement_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.ledger.events import Event
    from domain.processes.payout import Share
    from domain.rights import Place
    from projections.month.cycle import Cycle
    from projections.records.statements import Issued, Settlement


def close(
    cycle: Cycle, *, by: str, note: str | None = None, known_version: int | None = None
) -> int:
    """Pins the settlements and pays everyone, with what is due from other months.

    A branch of which nobody has a statement pays what is due to those who were here last.

    The position reached. Raises Closed, NotReady, the refusals of the month, VersionClash.
    """
    ledger, payments = cycle.models.ledger, cycle.models.payments
    while True:
        record_postings(ledger, payments)
        position, events = ledger.position(), _closing_events(cycle, by, note, known_version)
        # What is pinned is still the last settlement when it is written. What is due to somebody
        # who moved is paid once, though two branches could; nothing that an appeal corrects is
        # left out.
        settled = tuple(
            settlement_stream(cycle.branch, cycle.period, program.rulebook.id)
            for program in cycle.programs()
        )
        topics = (MonthClosed.TOPIC, MonthResettled.TOPIC, AppealDecided.TOPIC)
        try:
            return ledger.record(*events, as_read=AsRead(position, topics, settled))
        except Overtaken:
            continue


def _closing_events(
    cycle: Cycle, by: str, note: str | None, known_version: int | None
) -> list[Event]:
    state = cycle.state()
    check_closing(state)
    _check_begun(cycle)
    settlements = cycle.last_settlements()
    _check_all_settled(cycle, settlements)
    _check_settled_under_no_other(cycle, settlements)
    _check_corrections_settled(cycle, settlements)
    places = cycle.models.places.of_everyone(cycle.branch, cycle.period)
    payments = _payments(cycle, settlements, places)
    if not payments and not settlements:
        raise NothingSettled(cycle.branch, cycle.period)
    _check_recorded(cycle, payments)
    check_acknowledged(cycle)
    version = state.version if known_version is None else known_version
    events: list[Event] = []
    if state.begun:
        events.append(cycle.step_done("paid", by, note, (), version + 1))
    place = cycle.place(by, version + len(events) + 1)
    pinned = tuple(_pin(settlement) for settlement in settlements)
    return [*events, MonthClosed(**place, settlements=pinned, payments=tuple(payments))]


def _pin(settlement: Settlement) -> Pinned:
    return Pinned(
        settlement=settlement.position,
        rulebook=settlement.rulebook,
        version=settlement.version,
        position=settlement.as_of,
        digest=settlement.digest,
    )


def _check_begun(cycle: Cycle) -> None:
    calendar = cycle.models.calendar
    if not calendar.has_begun(cycle.period.first):
        raise MonthNotBegun(cycle.branch, cycle.period, calendar.today())


def _check_recorded(cycle: Cycle, payments: list[Payment]) -> None:
    """Raises PostingsNotRecorded where something was posted to these people whose entry the ledger
    could not take.
    """
    paid = {payment.manager for payment in payments}
    models = cycle.models
    # Somebody may have just decided them, and is about to record them.
    record_postings(models.ledger, models.payments)
    waiting = [p for p in models.payments.not_carried_out() if p.manager in paid]
    if waiting:
        raise PostingsNotRecorded([posted.entry for posted in waiting])


def _check_all_settled(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises NothingSettled, NotSettledUnder where a pay rulebook has people and no settlement."""
    evaluator, now = cycle.models.evaluator, cycle.models.ledger.position()
    settled = {settlement.rulebook for settlement in settlements}
    missing = []
    for program in cycle.programs():
        if program.rulebook.id not in settled:
            evaluation = evaluator.branches(program, cycle.period, [cycle.branch], now)[0]
            if evaluation.statements or evaluation.findings:
                missing.append(program.rulebook.id)
    if missing and not settlements:
        raise NothingSettled(cycle.branch, cycle.period)
    if missing:
        raise NotSettledUnder(cycle.branch, cycle.period, missing)


def _check_settled_under_no_other(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises SettledUnderAnother where statements stand under a pay rulebook by which the branch
    does not pay (any more): nobody would be paid by them, and they would count as what stands.
    """
    rulebooks, pinned = cycle.models.rulebooks, {settlement.rulebook for settlement in settlements}
    others = [
        settlement.rulebook
        for settlement in last_settlements(cycle.models, cycle.period, cycle.branch)
        if settlement.people
        and settlement.rulebook not in pinned
        and rulebooks.find(settlement.rulebook, settlement.version).rulebook.pays
    ]
    if others:
        raise SettledUnderAnother(cycle.branch, cycle.period, others)


def _check_corrections_settled(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises CorrectionNotSettled where an appeal was upheld after what was settled."""
    taken_in = min((settlement.as_of for settlement in settlements), default=0)
    log, period = cycle.models.appeals, str(cycle.period)
    waiting = set(log.to_carry_out()) & set(log.filed_in(period))
    late = {name for name in waiting if log.get(name).filed.branch == cycle.branch}
    late.update(log.carried_out_after(cycle.branch, period, taken_in))
    if late:
        raise CorrectionNotSettled(cycle.branch, cycle.period, sorted(late))


def _payments(
    cycle: Cycle, settlements: list[Settlement], places: Mapping[str, Place]
) -> list[Payment]:
    models, period = cycle.models, cycle.period
    by_rulebook = {
        settlement.rulebook: [
            row for row in models.statements.of_settlement(settlement) if "pay" in row.steps
        ]
        for settlement in settlements
    }
    statements = [issued for rows in by_rulebook.values() for issued in rows]
    _check_nobody_moved(cycle, statements, places)
    for rulebook, rows in by_rulebook.items():
        _check_in_cents(cycle, rulebook, rows)
    _check_paid_by_one(cycle, by_rulebook)
    paying = PayingBranch(models, cycle.branch, period)
    dues = models.payments.due(period.last) if paying.pays_dues else {}
    rooms = rooms_above_floor(
        models, [i for i in statements if dues.get(i.manager, Due()).clawback]
    )
    payments = [
        _pay_statement(issued, dues.pop(issued.manager, Due()), rooms.get(issued.manager))
        for issued in statements
    ]
    payments += [
        _payment(manager, None, None, ZERO, paid_out(ZERO, dues[manager], None))
        for manager in _paid_alone(paying, dues, places)
    ]
    return payments


def _paid_alone(
    paying: PayingBranch, dues: Mapping[str, Due], places: Mapping[str, Place]
) -> list[str]:
    """Who of those to whom something is due is paid by this branch, without a statement here."""
    models, branch, month = paying.models, paying.branch, paying.period.last
    here = {manager for manager, place in places.items() if place.branch == branch}
    served = models.payments.served_by(branch)
    return sorted(
        manager
        for manager in dues.keys() & (here | served)
        if (paying.pays and manager in here) or payer_of(models, manager, month) == branch
    )


def _check_nobody_moved(
    cycle: Cycle, statements: list[Issued], places: Mapping[str, Place]
) -> None:
    """Raises PeopleMoved where somebody in a settlement works elsewhere by now."""
    moved = {
        issued.manager
        for issued in statements
        if issued.manager not in places or places[issued.manager].branch != cycle.branch
    }
    if moved:
        raise PeopleMoved(cycle.branch, cycle.period, sorted(moved))


def _check_in_cents(cycle: Cycle, rulebook: str, statements: list[Issued]) -> None:
    pays = {issued.manager: issued.steps["pay"] for issued in statements}
    check_in_cents(cycle.branch, cycle.period, rulebook, pays)


def _check_paid_by_one(cycle: Cycle, by_rulebook: Mapping[str, list[Issued]]) -> None:
    """Raises PaidTwice, PaidElsewhere: one person, one month, one payer."""
    for (one, rows), (other, others) in combinations(by_rulebook.items(), 2):
        if twice := {row.manager for row in rows} & {row.manager for row in others}:
            listed = [(manager, "") for manager in sorted(twice)]
            raise PaidTwice(cycle.branch, cycle.period, one, other, listed)
    people = {row.manager for rows in by_rulebook.values() for row in rows}
    elsewhere = paid_elsewhere(cycle.models, cycle.branch, cycle.period, people)
    if elsewhere:
        payers = {manager: payer for manager, (payer, _) in elsewhere.items()}
        raise PaidElsewhere(cycle.branch, cycle.period, payers)


def _pay_statement(issued: Issued, due: Due, room: Decimal | None) -> Payment:
    pay = Decimal(issued.steps["pay"])
    return _payment(issued.manager, issued.rulebook, issued.number, pay, paid_out(pay, due, room))


def _payment(
    manager: str, rulebook: str | None, version: int | None, pay: Decimal, share: Share
) -> Payment:
    return Payment(
        manager=manager,
        rulebook=rulebook,
        version=version,
        pay=plain(pay),
        back_pay=plain(share.back_pay),
        clawback=plain(share.clawback),
        carried=plain(share.carried),
        payable=plain(share.payable),
    )
