"""封账: what was settled is pinned, and everyone is paid, with what other months have posted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.branch_month import BranchMonth, check_closing
from domain.errors import Declined, Text
from domain.events import MonthClosed, Payment, Pinned
from domain.numbers import plain
from projections.payments import ZERO, Due, paid_out

if TYPE_CHECKING:
    from domain.events import Event
    from projections.cycles import Cycle
    from projections.statements import Issued, Settlement


def close(cycle: Cycle, *, by: str, note: str | None = None, after: int | None = None) -> int:
    """Pins the settlements and pays everyone, with what is due from other months. The position reached.

    Raises Closed, NotReady, Declined where findings are open or nothing is settled, VersionClash.
    """
    cycle.book.carry_out_postings()
    state = cycle.state()
    check_closing(state)
    settlements = cycle.settlements()
    _check_settlements(cycle, state, settlements)
    version = state.version if after is None else after
    events: list[Event] = []
    if state.begun:
        events.append(cycle.done("paid", by, note, (), version + 1))
    pinned = tuple(
        Pinned(settlement=s.position, rulebook=s.rulebook, version=s.version, position=s.as_of, digest=s.digest)
        for s in settlements
    )
    place = cycle.place(by, version + len(events) + 1)
    events.append(MonthClosed(**place, settlements=pinned, payments=tuple(_payments(cycle, settlements))))
    return cycle.book.ledger.record(*events)


def _check_settlements(cycle: Cycle, state: BranchMonth, settlements: list[Settlement]) -> None:
    """Raises Declined where what would be paid was not reviewed, or somebody in it works elsewhere by now."""
    if state.begun and any(s.position not in state.done["total_calculated"].settlements for s in settlements):
        raise Declined(
            Text(
                f"{cycle.branch} {cycle.period} 在积分总和计算之后又结算过；请重办 total_calculated 及其复核，再封账",
                f"{cycle.period} of {cycle.branch} was settled again after its calculation: do total_calculated and "
                "its review again, then close",
            )
        )
    people = {row.manager for settlement in settlements for row in cycle.book.statements.of_settlement(settlement)}
    moved = sorted(m for m in people if cycle.book.place_of(m, cycle.period).branch != cycle.branch)
    if moved:
        raise Declined(
            Text(
                f"{'、'.join(moved)} 按现有任职已不在 {cycle.branch}；请重新结算后封账",
                f"{', '.join(moved)} no longer belong to {cycle.branch} by their assignments: settle again, then close",
            )
        )


def _payments(cycle: Cycle, settlements: list[Settlement]) -> list[Payment]:
    month = cycle.period.kind == "month"
    dues = cycle.book.payments.due(cycle.period.last) if month else {}
    paid: list[Payment] = []
    for settlement in settlements:
        for issued in cycle.book.statements.of_settlement(settlement):
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
    room = cycle.book.room_above_floor(issued) if due.clawback else None
    return _payment(issued.manager, issued.rulebook, issued.number, pay, paid_out(pay, due, room))


def _is_ours(cycle: Cycle, manager: str) -> bool:
    """Whether somebody without a statement here is paid here: works here, or was last paid or posted here."""
    where = cycle.book.place_of(manager, cycle.period).branch
    return (where or cycle.book.payments.last_branch(manager)) == cycle.branch


def _payment(manager: str, rulebook: str | None, number: int | None, pay: Decimal, share: Any) -> Payment:
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
