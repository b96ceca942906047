"""封账: what was settled is pinned, and everyone is paid, with what other months have posted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from domain.errors import Overtaken
from domain.ledger.events import MonthClosed, Payment, Pinned
from domain.numbers import plain
from domain.processes.branch_month import check_closing
from projections.month.check.month_check import check_acknowledged
from projections.month.payable import room_above_floor
from projections.month.postings import record_postings
from projections.month.refusals import (
    CorrectionNotSettled,
    MonthTooFarAhead,
    NotSettledUnder,
    PeopleMoved,
    PostingsNotRecorded,
)
from projections.records.payments import ZERO, Due, paid_out

if TYPE_CHECKING:
    from domain.ledger.events import Event
    from projections.month.cycle import Cycle
    from projections.records.payments import Share
    from projections.records.statements import Issued, Settlement

YEARS_AHEAD = 10


def close(
    cycle: Cycle, *, by: str, note: str | None = None, known_version: int | None = None
) -> int:
    """Pins the settlements and pays everyone, with what is due from other months.

    The position reached. Raises Closed, NotReady, the refusals of the month, VersionClash.
    """
    ledger, payments = cycle.models.ledger, cycle.models.payments
    while True:
        record_postings(ledger, payments)
        if waiting := payments.not_carried_out():
            raise PostingsNotRecorded([posted.entry for posted in waiting])
        position, events = ledger.position(), _closing_events(cycle, by, note, known_version)
        try:
            # Two branches could pay what is due to somebody who moved. Only one closing at a time
            # counts it; the other reads again.
            return ledger.record(*events, alone=(MonthClosed.TOPIC, position))
        except Overtaken:
            continue


def _closing_events(
    cycle: Cycle, by: str, note: str | None, known_version: int | None
) -> list[Event]:
    state = cycle.state()
    check_closing(state)
    _check_not_far_ahead(cycle)
    settlements = cycle.settlements()
    _check_all_settled(cycle, settlements)
    _check_nobody_moved(cycle, settlements)
    _check_corrections_settled(cycle, settlements)
    check_acknowledged(cycle)
    version = state.version if known_version is None else known_version
    events: list[Event] = []
    if state.begun:
        events.append(cycle.step_done("paid", by, note, (), version + 1))
    place = cycle.place(by, version + len(events) + 1)
    pinned = tuple(_pin(settlement) for settlement in settlements)
    payments = tuple(_payments(cycle, settlements))
    return [*events, MonthClosed(**place, settlements=pinned, payments=payments)]


def _pin(settlement: Settlement) -> Pinned:
    return Pinned(
        settlement=settlement.position,
        rulebook=settlement.rulebook,
        version=settlement.version,
        position=settlement.as_of,
        digest=settlement.digest,
    )


def _check_not_far_ahead(cycle: Cycle) -> None:
    today = datetime.now(UTC).date()
    last_closed = cycle.models.payments.last_closed(cycle.branch)
    reached = max(today.year * 12 + today.month - 1, last_closed)
    if cycle.period.last.index > reached + 12 * YEARS_AHEAD:
        raise MonthTooFarAhead(cycle.branch, cycle.period, YEARS_AHEAD)


def _check_all_settled(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises NotSettledUnder where a pay rulebook has people and no settlement."""
    evaluator, now = cycle.models.evaluator, cycle.models.ledger.position()
    settled = {settlement.rulebook for settlement in settlements}
    missing = []
    for program in cycle.programs():
        if program.rulebook.id not in settled:
            evaluation = evaluator.branches(program, cycle.period, [cycle.branch], now)[0]
            if evaluation.statements or evaluation.findings:
                missing.append(program.rulebook.id)
    if missing:
        raise NotSettledUnder(cycle.branch, cycle.period, missing)


def _check_nobody_moved(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises PeopleMoved where somebody in a settlement works elsewhere by now."""
    statements, places = cycle.models.statements, cycle.models.places
    people = {row.manager for one in settlements for row in statements.of_settlement(one)}
    moved = [m for m in people if places.place_of(m, cycle.period).branch != cycle.branch]
    if moved:
        raise PeopleMoved(cycle.branch, cycle.period, sorted(moved))


def _check_corrections_settled(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises CorrectionNotSettled where an appeal was carried out after what was settled."""
    taken_in = min(settlement.as_of for settlement in settlements)
    appeals = cycle.models.appeals.carried_out_after(cycle.branch, str(cycle.period), taken_in)
    if appeals:
        raise CorrectionNotSettled(cycle.branch, cycle.period, appeals)


def _payments(cycle: Cycle, settlements: list[Settlement]) -> list[Payment]:
    is_month = cycle.period.kind == "month"
    dues = cycle.models.payments.due(cycle.period.last) if is_month else {}
    payments: list[Payment] = []
    for settlement in settlements:
        for issued in cycle.models.statements.of_settlement(settlement):
            if "pay" in issued.steps:
                payments.append(_pay_statement(cycle, issued, dues.pop(issued.manager, Due())))
    for manager, due in sorted(dues.items()):
        if _pays_dues_of(cycle, manager):
            payments.append(_payment(manager, None, None, ZERO, paid_out(ZERO, due, None)))
    return payments


def _pay_statement(cycle: Cycle, issued: Issued, due: Due) -> Payment:
    pay = Decimal(issued.steps["pay"])
    room = room_above_floor(cycle.models, issued) if due.clawback else None
    return _payment(issued.manager, issued.rulebook, issued.number, pay, paid_out(pay, due, room))


def _pays_dues_of(cycle: Cycle, manager: str) -> bool:
    """Whether this branch pays what is due to somebody who has no statement here.

    It does where they work here. Where they work at a branch that pays nobody, or nowhere, the
    branch that paid or posted to them last does.
    """
    models = cycle.models
    works_at = models.places.place_of(manager, cycle.period).branch
    if works_at is not None:
        programs = models.rulebooks.programs_of(works_at, cycle.period)
        if any(program.rulebook.pays for program in programs):
            return works_at == cycle.branch
    return models.payments.last_branch(manager) == cycle.branch


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
