"""重新结算: a closed period is settled again, and what differs is posted into the month that is
open, once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import BACK_PAY, CLAWBACK
from domain.errors import Declined, Text
from domain.identifiers import Period
from domain.ledger.events import MonthResettled, Posting
from domain.numbers import plain
from domain.processes.branch_month import check_text
from projections.month.postings import record_postings
from projections.month.settle import evaluated, events_of
from projections.records.payments import ZERO, Posted

if TYPE_CHECKING:
    from domain.ledger.events import Event
    from projections.month.cycle import Cycle


class Resettlement(NamedTuple):
    """What a resettlement did: the position reached with the entries of its postings, and what it
    recorded.
    """

    position: int
    settlements: tuple[int, ...]
    postings: list[Posted]


def resettle(cycle: Cycle, reason: str, *, by: str, appeal: str | None = None) -> Resettlement:
    """Settles a closed period again and posts what differs into the open month. Nothing differs:
    nothing is done.

    Raises Declined where the period is open, Refused, VersionClash.
    """
    check_text(reason)
    models, state = cycle.models, cycle.state()
    if appeal is not None:
        _check_appeal(cycle, appeal)
    record_postings(models.ledger, models.payments)
    if state.closed is None:
        raise Declined(
            Text(
                f"{cycle.branch} {cycle.period} 尚未封账，可直接：merit settle {cycle.period} "
                f"--branch {cycle.branch}",
                f"{cycle.period} of {cycle.branch} is not closed; settle it again: "
                f"merit settle {cycle.period} --branch {cycle.branch}",
            )
        )
    events: list[Event] = []
    said: dict[tuple[str, str], tuple[Decimal, int]] = {}
    settled: list[int] = []
    digests: list[str] = []
    last = {s.rulebook: s for s in cycle.last_settlements()}
    ours = models.ledger, models.evaluator, cycle.programs(), cycle.period, cycle.branch
    for evaluation in evaluated(*ours, known=last):
        rulebook = evaluation.program.rulebook.id
        if rulebook in last and last[rulebook].digest == evaluation.digest:
            rows = models.statements.of_settlement(last[rulebook])
            said |= {
                (r.manager, rulebook): (Decimal(r.steps["pay"]), r.number)
                for r in rows
                if "pay" in r.steps
            }
            continue
        settled.append(len(events))
        digests.append(evaluation.digest)
        made = events_of(models.ledger, evaluation, cycle.period, by)
        events += made
        for event in made[1:]:
            if "pay" in (steps := getattr(event, "steps", {})):
                manager = getattr(event, "manager", "")
                said[manager, rulebook] = Decimal(steps["pay"]), event.originator_version
    postings = tuple(_postings(cycle, said))
    if not events and not postings:
        return Resettlement(models.ledger.position(), (), [])
    place = cycle.place(by, state.version + 1)
    done = MonthResettled(
        **place, reason=reason, appeal=appeal, digests=tuple(digests), postings=postings
    )
    position = models.ledger.record(*events, done)
    start = position - len(events)
    record_postings(models.ledger, models.payments)
    posted = [
        p for p in models.payments.posted(cycle.branch, str(cycle.period)) if p.position == position
    ]
    return Resettlement(
        models.ledger.position(), tuple(start + offset for offset in settled), posted
    )


def _check_appeal(cycle: Cycle, appeal: str) -> None:
    """Raises NotFound, or Declined for an appeal about another month."""
    filed = cycle.models.appeals.get(appeal).filed
    if (filed.branch, filed.period) != (cycle.branch, str(cycle.period)):
        raise Declined(
            Text(
                f"申诉 {appeal} 针对 {filed.branch} {filed.period}，不是 {cycle.branch} "
                f"{cycle.period}；请核对编号",
                f"appeal {appeal} is about {filed.period} of {filed.branch} and not about "
                f"{cycle.period} of "
                f"{cycle.branch}: check its id",
            )
        )


def _postings(cycle: Cycle, said: dict[tuple[str, str], tuple[Decimal, int]]) -> list[Posting]:
    """What everyone's latest statement says beyond what was paid and posted for it so far."""
    before: dict[tuple[str, str], Decimal] = {}
    version: dict[tuple[str, str], int | None] = {}
    for paid in cycle.models.payments.paid(cycle.branch, str(cycle.period)):
        if paid.rulebook is not None:
            before[paid.manager, paid.rulebook] = Decimal(paid.pay)
            version[paid.manager, paid.rulebook] = paid.version
    for posted in cycle.models.payments.posted(cycle.branch, str(cycle.period)):
        who = posted.manager, posted.rulebook
        before[who] = before.get(who, ZERO) + posted.signed
        version[who] = posted.to_version
    postings = []
    for who in sorted({*before, *said}):
        now, number = said.get(who, (ZERO, None))
        if difference := now - before.get(who, ZERO):
            postings.append(_posting(cycle, *who, difference, version.get(who), number))
    return postings


def _posting(
    cycle: Cycle,
    manager: str,
    rulebook: str,
    difference: Decimal,
    before: int | None,
    after: int | None,
) -> Posting:
    month = cycle.models.payments.open_month(cycle.branch, cycle.period)
    where = cycle.models.places.place_of(manager, Period(month, month)).branch
    if where not in {
        None,
        cycle.branch,
    }:  # paid by another branch now, whose open month may be a later one
        month = max(month, cycle.models.payments.open_month(str(where), cycle.period))
    return Posting(
        manager=manager,
        item=BACK_PAY if difference > 0 else CLAWBACK,
        amount=plain(abs(difference)),
        month=str(month),
        rulebook=rulebook,
        from_version=before,
        to_version=after,
    )
