"""重新结算: a closed period is settled again; what differs is posted into the open month, once.

Person by person: what all statements of the period now give, less what was paid and posted for it,
over rulebooks, branches and appeals together. So there is one back pay or one clawback, never both.
Somebody who moved between two branches that are closed is settled by both, together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import BACK_PAY, CLAWBACK
from domain.errors import Invalid, Overtaken
from domain.ledger.events import MonthClosed, MonthResettled, Posting, StatementIssued
from domain.ledger.store_protocol import AsRead
from domain.numbers import plain
from domain.processes.branch_month import check_text
from domain.processes.payout import ZERO, cents
from projections.month.cycle import Cycle
from projections.month.payable import check_in_cents
from projections.month.payer import PostingMonths
from projections.month.postings import record_postings
from projections.month.refusals import AppealOfAnotherMonth, NotClosed, PostingsImpossible
from projections.month.settle import evaluated, events_of, last_settlements
from projections.records.payments import Posted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.errors import Reason
    from domain.identifiers import Period
    from domain.ledger.events import Event
    from projections.evaluation.branches import WhatIf
    from projections.models import ReadModels
    from projections.records.payments import Closing

LATER = 10**15  # a ledger position behind all others


class Resettlement(NamedTuple):
    """What a resettlement did: the position reached with the entries of its postings, the
    settlements that it recorded, and its postings.
    """

    position: int
    settlements: tuple[int, ...]
    postings: list[Posted]


class _Version(NamedTuple):
    """Which statement a figure is from."""

    rulebook: str
    number: int | None


@dataclass
class _SettledAgain:
    """What a branch's period comes to now: its new events, and what everyone's statement pays."""

    cycle: Cycle
    version: int  # of the month
    events: list[Event] = field(default_factory=list)
    settlements: list[int] = field(default_factory=list)  # places in `events`
    digests: list[str] = field(default_factory=list)
    pay: dict[str, tuple[Decimal, _Version]] = field(default_factory=dict)  # by manager


@dataclass
class _Plan:
    """A resettlement before it is recorded: of the branches that settle again, in order, and what
    each of them posts.
    """

    branches: list[_SettledAgain]
    postings: dict[str, list[Posting]]  # by branch

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not any(self.postings.values()) and not any(each.events for each in self.branches)


def resettle(
    cycle: Cycle,
    reason: str,
    *,
    by: str,
    appeal: str | None = None,
    check: Callable[[str], None] | None = None,
) -> Resettlement:
    """Settles a closed period again and posts what differs. Where nothing differs nothing is done.

    `check` is called with every other branch that has to be settled again too, and may refuse.
    Raises NotClosed, AppealOfAnotherMonth, Refused, PayNotInCents, PostingsImpossible,
    VersionClash.
    """
    check_text(reason)
    models = cycle.models
    if appeal is not None:
        _check_appeal(cycle, appeal)
    while True:
        record_postings(models.ledger, models.payments)
        as_read = AsRead(models.ledger.position(), (MonthClosed.TOPIC,))
        plan = _plan(cycle, by)
        if plan.is_empty:
            return Resettlement(models.ledger.position(), (), [])
        _check_partners(plan, check)
        events, settlements = _events(plan, reason, by, appeal)
        _check_postings(events, cycle.period)
        try:
            position = models.ledger.record(*events, as_read=as_read)
        except Overtaken:  # a month was closed meanwhile, perhaps the one to post into
            continue
        record_postings(models.ledger, models.payments)
        first = position - len(events) + 1
        posted = [
            posting
            for again in plan.branches
            for posting in models.payments.posted(again.cycle.branch, str(cycle.period))
            if posting.position >= first
        ]
        return Resettlement(
            models.ledger.position(), tuple(first + place for place in settlements), posted
        )


def rehearse_resettlement(
    cycle: Cycle,
    what_if: WhatIf,
    reason: str,
    *,
    by: str,
    check: Callable[[str], None] | None = None,
) -> None:
    """Raises whatever would keep a closed period from being settled again with these entries;
    `check` is called as by `resettle`.
    """
    plan = _plan(cycle, by, what_if)
    _check_partners(plan, check)
    events, _ = _events(plan, reason, by, None)
    _check_postings(events, cycle.period)


def _check_partners(plan: _Plan, check: Callable[[str], None] | None) -> None:
    for again in plan.branches[1:]:
        if check is not None:
            check(again.cycle.branch)


def _events(plan: _Plan, reason: str, by: str, appeal: str | None) -> tuple[list[Event], list[int]]:
    """The events of a plan, and the places of the settlements among them."""
    events: list[Event] = []
    settlements: list[int] = []
    for again in plan.branches:
        postings = plan.postings.get(again.cycle.branch, [])
        if not again.events and not postings:
            continue
        settlements += [len(events) + place for place in again.settlements]
        events += again.events
        events.append(
            MonthResettled(
                **again.cycle.place(by, again.version + 1),
                reason=reason,
                appeal=appeal,
                digests=tuple(again.digests),
                postings=tuple(postings),
            )
        )
    return events, settlements


def _plan(cycle: Cycle, by: str, what_if: WhatIf | None = None) -> _Plan:
    """What the branch settles to now, and the branches with which it shares people who moved."""
    models, period = cycle.models, cycle.period
    settled: dict[str, _SettledAgain] = {}
    waiting = [cycle]
    while waiting:
        next_one = waiting.pop(0)
        settled[next_one.branch] = again = _settle_again(next_one, by, what_if)
        known = {*settled, *(each.branch for each in waiting)}
        waiting += [
            Cycle(models, period, branch)
            for branch in _partners(again, what_if)
            if branch not in known
        ]
    return _Plan([*settled.values()], _postings(models, period, cycle.branch, settled))


def _settle_again(cycle: Cycle, by: str, what_if: WhatIf | None) -> _SettledAgain:
    """Evaluates the period; a settlement whose digest is the last one's is not recorded again."""
    models, state = cycle.models, cycle.state()
    if state.closed is None:
        raise NotClosed(cycle.branch, cycle.period)
    again = _SettledAgain(cycle, state.version)
    settled = last_settlements(models, cycle.period, cycle.branch)
    last = {settlement.rulebook: settlement for settlement in settled}
    for evaluation in evaluated(
        models, cycle.programs(), settled, cycle.period, cycle.branch, what_if
    ):
        rulebook = evaluation.program.rulebook.id
        pays = {
            s.manager: Decimal(s.steps["pay"]) for s in evaluation.statements if "pay" in s.steps
        }
        check_in_cents(cycle.branch, cycle.period, rulebook, pays)
        if rulebook in last and last[rulebook].digest == evaluation.digest:
            for row in models.statements.of_settlement(last[rulebook]):
                if row.manager in pays:
                    again.pay[row.manager] = pays[row.manager], _Version(rulebook, row.number)
            continue
        events = events_of(models.ledger, evaluation, cycle.period, by)
        again.settlements.append(len(again.events))
        again.digests.append(evaluation.digest)
        again.events += events
        for event in events:
            if isinstance(event, StatementIssued) and event.manager in pays:
                version = _Version(rulebook, event.originator_version)
                again.pay[event.manager] = pays[event.manager], version
    return again


def _partners(again: _SettledAgain, what_if: WhatIf | None) -> list[str]:
    """The closed branches that have to be settled again with this one: they still have a statement
    of somebody who has one here, or have none yet of somebody who works there and was paid here, or
    are to have somebody by what is supposed.
    """
    models, period, branch = again.cycle.models, again.cycle.period, again.cycle.branch
    served = {paid.manager for paid in models.payments.paid(branch, str(period))}
    served.update(posted.manager for posted in models.payments.posted(branch, str(period)))
    standing = models.statements.standing(str(period), served | again.pay.keys())
    elsewhere = {
        manager: [row.branch for row in rows if row.branch != branch and "pay" in row.steps]
        for manager, rows in standing.items()
    }
    found = [other for manager in again.pay for other in elsewhere.get(manager, ())]
    gone = [m for m in served - again.pay.keys() if not elsewhere.get(m)]
    if gone:
        places = models.places.of_everyone(branch, period)
        found += [place.branch for m in gone if (place := places.get(m)) and place.branch]
    found += what_if.assigns if what_if else ()
    return sorted(
        other
        for other in {*found} - {branch}
        if models.payments.closing(other, str(period)) is not None
    )


def _postings(
    models: ReadModels, period: Period, branch: str, settled: dict[str, _SettledAgain]
) -> dict[str, list[Posting]]:
    """What everyone's statements now give beyond what was paid and posted for the period."""
    now: dict[str, Decimal] = {}
    version: dict[str, tuple[str, _Version]] = {}  # the branch that settles it, and the statement
    for name, again in settled.items():
        for manager, (pay, of) in again.pay.items():
            now[manager] = now.get(manager, ZERO) + pay
            version[manager] = name, of
    people = {*now}
    for name in settled:
        people.update(paid.manager for paid in models.payments.paid(name, str(period)))
        people.update(posted.manager for posted in models.payments.posted(name, str(period)))
    before: dict[str, Decimal] = {}
    last: dict[str, tuple[str, _Version]] = {}
    for paid in models.payments.paid_for(str(period), people):
        if paid.rulebook is not None:
            before[paid.manager] = before.get(paid.manager, ZERO) + cents(paid.pay)
            last[paid.manager] = paid.branch, _Version(paid.rulebook, paid.version)
    for posted in models.payments.posted_for(str(period), people):
        before[posted.manager] = before.get(posted.manager, ZERO) + cents(posted.signed)
        last[posted.manager] = posted.branch, _Version(posted.rulebook, posted.to_version)
    _add_standing_elsewhere(models, period, settled, people, now)
    postings: dict[str, list[Posting]] = {}
    months = PostingMonths(models, period)
    for manager in sorted(people):
        difference = now.get(manager, ZERO) - before.get(manager, ZERO)
        if not difference:
            continue
        where, after = version.get(manager, (None, None))
        where_before, earlier = last.get(manager, (None, None))
        statement = after or earlier
        assert statement is not None
        poster = next((b for b in (where, where_before) if b in settled), branch)
        postings.setdefault(poster, []).append(
            Posting(
                manager=manager,
                item=BACK_PAY if difference > 0 else CLAWBACK,
                amount=plain(abs(difference)),
                month=str(months.of(manager, poster)),
                rulebook=statement.rulebook,
                from_version=earlier.number if earlier else None,
                to_version=after.number if after else None,
            )
        )
    return postings


def _add_standing_elsewhere(
    models: ReadModels,
    period: Period,
    settled: dict[str, _SettledAgain],
    people: set[str],
    now: dict[str, Decimal],
) -> None:
    """Adds what statements of other closed branches give these people, which are not settled again
    with these: those that the closing paid, or that a resettlement has issued since.
    """
    paid = {
        (paid.manager, paid.branch, paid.rulebook)
        for paid in models.payments.paid_for(str(period), people)
    }
    closed: dict[str, Closing | None] = dict.fromkeys(settled)
    for manager, rows in models.statements.standing(str(period), people).items():
        for row in rows:
            if row.branch not in closed:
                closed[row.branch] = models.payments.closing(row.branch, str(period))
            closing = closed[row.branch]
            if closing is None or "pay" not in row.steps:
                continue
            if (
                manager,
                row.branch,
                row.rulebook,
            ) in paid or row.position > closing.position:
                now[manager] = now.get(manager, ZERO) + cents(row.steps["pay"])


def _check_postings(events: Sequence[Event], period: Period) -> None:
    """Raises PostingsImpossible where the entry of a posting would be refused."""
    broken: dict[str, Reason] = {}
    for event in events:
        for posted in Posted.all_of(event, LATER) if isinstance(event, MonthResettled) else ():
            try:
                posted.as_entry()
            except Invalid as error:
                broken[posted.manager] = error.reasons[0]
    if broken:
        raise PostingsImpossible(period, broken)


def _check_appeal(cycle: Cycle, appeal: str) -> None:
    """Raises NotFound, or AppealOfAnotherMonth."""
    filed = cycle.models.appeals.get(appeal).filed
    if (filed.branch, filed.period) != (cycle.branch, str(cycle.period)):
        own = filed.branch, filed.period
        raise AppealOfAnotherMonth(appeal, own, cycle.branch, cycle.period)
