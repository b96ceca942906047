"""封账: what was settled is pinned, and everyone is paid, with what other months have posted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.entries.entry import SERVICE
from domain.errors import Declined, Overtaken, Text
from domain.ledger.events import MonthClosed, Payment, Pinned
from domain.numbers import plain
from domain.processes.branch_month import check_closing
from projections.month.payable import room_above_floor
from projections.month.postings import record_postings
from projections.records.payments import ZERO, Due, paid_out

if TYPE_CHECKING:
    from domain.ledger.events import Event
    from projections.month.cycle import Cycle
    from projections.records.statements import Issued, Settlement

YEARS_AHEAD = 10


def close(
    cycle: Cycle, *, by: str, note: str | None = None, known_version: int | None = None
) -> int:
    """Pins the settlements and pays everyone, with what is due from other months. The position
    reached.

    Raises Closed, NotReady, Declined where findings are open or nothing is settled, VersionClash.
    """
    while True:
        record_postings(cycle.models.ledger, cycle.models.payments)
        _check_postings(cycle)
        known, events = cycle.models.ledger.position(), _events(cycle, by, note, known_version)
        try:
            # Somebody who moved may have dues that two branches could pay: only one closing at a
            # time counts them.
            return cycle.models.ledger.record(*events, alone=(MonthClosed.TOPIC, known))
        except Overtaken:
            continue


def _events(cycle: Cycle, by: str, note: str | None, known_version: int | None) -> list[Event]:
    state = cycle.state()
    check_closing(state)
    _check_ahead(cycle)
    settlements = cycle.settlements()
    _check_complete(cycle, settlements)
    _check_people(cycle, settlements)
    _check_appeals(cycle, settlements)
    version = state.version if known_version is None else known_version
    events: list[Event] = []
    if state.begun:
        events.append(cycle.step_done("paid", by, note, (), version + 1))
    pinned = tuple(
        Pinned(
            settlement=s.position,
            rulebook=s.rulebook,
            version=s.version,
            position=s.as_of,
            digest=s.digest,
        )
        for s in settlements
    )
    place = cycle.place(by, version + len(events) + 1)
    events.append(
        MonthClosed(**place, settlements=pinned, payments=tuple(_payments(cycle, settlements)))
    )
    return events


def _check_ahead(cycle: Cycle) -> None:
    """Raises Declined for a month far ahead, which nobody means: postings would wait for the month
    after it.
    """
    today = datetime.now(UTC).date()
    reached = max(
        today.year * 12 + today.month - 1, cycle.models.payments.last_closed(cycle.branch)
    )
    if cycle.period.last.index > reached + 12 * YEARS_AHEAD:
        raise Declined(
            Text(
                f"{cycle.period} 比今天和 {cycle.branch} 已封账的月份晚 {YEARS_AHEAD} 年以上，"
                "不能封账；请核对月份",
                f"{cycle.period} is more than {YEARS_AHEAD} years after today and what "
                f"{cycle.branch} has closed: "
                "check the month",
            )
        )


def _check_postings(cycle: Cycle) -> None:
    """Raises Declined where the entry of a posting could not be recorded: then what is due is not
    known.
    """
    if left := cycle.models.payments.not_carried_out():
        keys = ", ".join(f"{SERVICE}:{posted.source_id}" for posted in left)
        raise Declined(
            Text(
                f"补发或扣回 {keys} 未能记入账本（编号被其他记录占用）；"
                "请冲销占用的记录并联系管理员，再封账",
                f"the postings {keys} could not be recorded, because other entries have their "
                "keys: let an "
                "administrator look into it, then close",
            )
        )


def _check_complete(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises Declined where somebody's pay rulebook was not settled."""
    settled = {settlement.rulebook for settlement in settlements}
    left = [program for program in cycle.programs() if program.rulebook.id not in settled]
    now = cycle.models.ledger.position()
    found = [
        cycle.models.evaluator.branches(program, cycle.period, [cycle.branch], now)[0]
        for program in left
    ]
    if names := ", ".join(e.program.rulebook.id for e in found if e.statements or e.findings):
        raise Declined(
            Text(
                f"{cycle.branch} {cycle.period} 还有适用 {names} 的人员没有结算；请先结算：merit "
                f"settle {cycle.period} "
                f"--branch {cycle.branch}",
                f"{cycle.period} of {cycle.branch} has people of {names} who are not settled; "
                "first: "
                f"merit settle {cycle.period} --branch {cycle.branch}",
            )
        )


def _check_appeals(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises Declined where an appeal was carried out in the open month and its correction is not
    settled yet.
    """
    taken_in = min(settlement.as_of for settlement in settlements)
    left = cycle.models.appeals.carried_out_after(cycle.branch, str(cycle.period), taken_in)
    if left:
        zh, en = "、".join(left), ", ".join(left)
        raise Declined(
            Text(
                f"申诉 {zh} 的更正尚未计入 {cycle.branch} {cycle.period} 的结算；请重新计算、"
                "复核后封账",
                f"what was corrected for appeal {en} is not in the settlement of {cycle.period} of "
                f"{cycle.branch}: "
                "calculate and review it again, then close",
            )
        )


def _check_people(cycle: Cycle, settlements: list[Settlement]) -> None:
    """Raises Declined where somebody in a settlement works elsewhere by now."""
    people = {
        row.manager
        for settlement in settlements
        for row in cycle.models.statements.of_settlement(settlement)
    }
    moved = sorted(
        m for m in people if cycle.models.places.place_of(m, cycle.period).branch != cycle.branch
    )
    if moved:
        raise Declined(
            Text(
                f"{'、'.join(moved)} 按现有任职已不在 {cycle.branch}；请重新结算后封账",
                f"{', '.join(moved)} no longer belong to {cycle.branch} by their assignments: "
                "settle again, then close",
            )
        )


def _payments(cycle: Cycle, settlements: list[Settlement]) -> list[Payment]:
    month = cycle.period.kind == "month"
    dues = cycle.models.payments.due(cycle.period.last) if month else {}
    paid: list[Payment] = []
    for settlement in settlements:
        for issued in cycle.models.statements.of_settlement(settlement):
            if "pay" in issued.steps:
                due = dues.pop(issued.manager, Due())
                paid.append(_of_statement(cycle, issued, due))
    for manager, due in sorted(dues.items()):
        if _is_ours(cycle, manager):
            share = paid_out(ZERO, due, None)
            paid.append(_payment(manager, None, None, ZERO, share))
    return paid


def _of_statement(cycle: Cycle, issued: Issued, due: Due) -> Payment:
    pay = Decimal(issued.steps["pay"])
    room = room_above_floor(cycle.models, issued) if due.clawback else None
    return _payment(issued.manager, issued.rulebook, issued.number, pay, paid_out(pay, due, room))


def _is_ours(cycle: Cycle, manager: str) -> bool:
    """Whether somebody without a statement here is paid here.

    Works here; or works where nobody is paid, or nowhere, and was last paid or posted here.
    """
    where = cycle.models.places.place_of(manager, cycle.period).branch
    pays = where is not None and any(
        p.rulebook.pays for p in cycle.models.rulebooks.programs_of(where, cycle.period)
    )
    return (where if pays else cycle.models.payments.last_branch(manager)) == cycle.branch


def _payment(
    manager: str, rulebook: str | None, number: int | None, pay: Decimal, share: Any
) -> Payment:
    return Payment(
        manager=manager,
        rulebook=rulebook,
        version=number,
        pay=plain(pay),
        back_pay=plain(share.back_pay),
        clawback=plain(share.clawback),
        carried=plain(share.carried),
        payable=plain(share.payable),
    )
