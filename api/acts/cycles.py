"""考核周期: a branch's month, its steps, audits, check, closing, and what comes after."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from api.acts.access import check, check_in_branch, held_people, put_listing_on_record
from api.acts.versions import check_version_read
from api.documents.checks import Check
from api.documents.cycles import (
    ClosedMonth,
    CycleState,
    Drawn,
    LateEntry,
    LateEvidence,
    Memo,
    Payment,
    Publication,
    Resettled,
)
from api.documents.parts.base import Written
from api.documents.parts.postings import Posting
from domain.numbers import plain
from domain.processes.branch_month import BY_CODE, NoSuchStep
from domain.rights import Place, may
from projections.month.check.month_check import acknowledge, check_month
from projections.month.cycle import Cycle
from projections.month.late_entries import late_evidence
from projections.month.memo import memo_of, published

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from domain.identifiers import Period
    from projections.facts.places import HeldMonths
    from projections.records.accounts.accounts import Caller
    from projections.service import Service


def show_cycle(
    service: Service, who: Caller, period: Period, branch: str, as_of: str | None = None
) -> CycleState:
    """The thirteen steps, the windows, samples, findings, payments and resettlements."""
    check_in_branch(who, "read_cycle", branch)
    return _without_others_payments(service, _cycle(service, period, branch, as_of), who)


def do_step(
    service: Service,
    who: Caller,
    period: Period,
    branch: str,
    code: str,
    *,
    note: str | None = None,
    version_read: str | None = None,
) -> Written[CycleState]:
    """Does a step, or does it again: calculations settle, `reported` publishes, `paid` closes."""
    if code not in BY_CODE:
        raise NoSuchStep(code)
    check_in_branch(who, BY_CODE[code].act, branch)
    cycle = Cycle(service, period, branch)
    known = _check_version(cycle, version_read)
    position = service.do_step(cycle, code, by=who.name, note=note, known_version=known)
    return Written(_without_others_payments(service, cycle, who), position)


def draw_sample(
    service: Service,
    who: Caller,
    period: Period,
    branch: str,
    size: int,
    *,
    by_team: bool = False,
    by_amount: bool = False,
) -> Written[Drawn]:
    """Draws a sample of the submitted settlement; its size and seed are recorded first."""
    check_in_branch(who, "audit", branch)
    cycle = Cycle(service, period, branch)
    position, sample = cycle.order_sample(size, by=who.name, by_team=by_team, by_amount=by_amount)
    document = Drawn.of(sample)
    document.position = position
    return Written(document, position)


def record_finding(
    service: Service,
    who: Caller,
    period: Period,
    branch: str,
    text: str,
    *,
    manager: str | None = None,
    blocking: bool = True,
) -> Written[CycleState]:
    """Records what an audit found; blocking, it holds up the closing until it is resolved."""
    check_in_branch(who, "audit", branch)
    cycle = Cycle(service, period, branch)
    position = cycle.record_finding(text, by=who.name, manager=manager, blocking=blocking)
    return Written(_without_others_payments(service, cycle, who), position)


def resolve_finding(
    service: Service, who: Caller, period: Period, branch: str, number: int, text: str
) -> Written[CycleState]:
    """Records how a finding was mended or explained."""
    check_in_branch(who, "audit", branch)
    cycle = Cycle(service, period, branch)
    position = cycle.resolve_finding(number, text, by=who.name)
    return Written(_without_others_payments(service, cycle, who), position)


def show_check(
    service: Service, who: Caller, period: Period, branch: str, as_of: str | None = None
) -> Check:
    """The findings of a branch's month; people whose statements are not the reader's to see are
    counted, not named.
    """
    check_in_branch(who, "read_cycle", branch)
    return check_of(_cycle(service, period, branch, as_of), who)


def acknowledge_findings(
    service: Service, who: Caller, period: Period, branch: str, codes: Sequence[str], note: str
) -> Written[Check]:
    """Records that the findings of these codes may stand, and why."""
    check(who, "close", Place(branch))
    cycle = Cycle(service, period, branch)
    position = acknowledge(cycle, codes, note, by=who.name)
    return Written(check_of(cycle, who), position)


def close_month(
    service: Service,
    who: Caller,
    period: Period,
    branch: str,
    *,
    note: str | None = None,
    acknowledged: Sequence[str] = (),
    version_read: str | None = None,
) -> Written[ClosedMonth]:
    """Pins rules, position and digest, and pays everyone; before that, the findings of these codes
    are acknowledged, with the note.
    """
    check(who, "close", Place(branch))
    cycle = Cycle(service, period, branch)
    known = _check_version(cycle, version_read)
    if acknowledged:
        before = cycle.state().version
        acknowledge(cycle, acknowledged, note or "", by=who.name)
        # What somebody else did since the caller has read the month is still noticed.
        known = None if known is None else known + cycle.state().version - before
    position = service.close_month(cycle, by=who.name, note=note, known_version=known)
    payments = service.payments.paid(branch, str(period))
    document = ClosedMonth(
        branch=branch,
        period=str(period),
        position=position,
        managers=len(payments),
        pay=plain(sum((Decimal(paid.pay) for paid in payments), Decimal(0))),
        payable=plain(sum((Decimal(paid.payable) for paid in payments), Decimal(0))),
        late=len(cycle.late_positions()),
        payments=[Payment.of(paid) for paid in payments],
    )
    return Written(document, position)


def resettle_month(
    service: Service,
    who: Caller,
    period: Period,
    branch: str,
    reason: str,
    *,
    appeal: str | None = None,
) -> Written[Resettled]:
    """Settles a closed month again; what differs from what was paid and posted is posted, once.

    The right is asked for every branch that has to be settled again with it.
    """

    def check_right(of: str) -> None:
        check(who, "resettle", Place(of))

    check_right(branch)
    cycle = Cycle(service, period, branch)
    done = service.resettle(cycle, reason, by=who.name, appeal=appeal, check=check_right)
    document = Resettled(
        branch=branch,
        period=str(period),
        position=done.position,
        settlements=list(done.settlements),
        postings=[Posting.of(posted) for posted in done.postings],
    )
    return Written(document, done.position)


def show_late_entries(
    service: Service, who: Caller, period: Period, branch: str, as_of: str | None = None
) -> LateEvidence:
    """Every entry after the publication or the close, with its effect on the branch's pay: of the
    months in which its people worked within the reader's scope.
    """
    check(who, "read_entries", Place(branch))

    def held_of(managers: Collection[str]) -> Mapping[str, HeldMonths]:
        return service.places.held_of(who.seats, "read_entries", managers)

    late = late_evidence(_cycle(service, period, branch, as_of), held_of)
    return LateEvidence(
        branch=branch, period=str(period), late=[LateEntry.of(entry) for entry in late]
    )


def show_memo(
    service: Service, who: Caller, period: Period, branch: str, as_of: str | None = None
) -> Memo:
    """部门联系单: the results as they were reported, with the digest; reading it is on record."""
    check(who, "read_settlements", Place(branch))

    def may_see(managers: Collection[str]) -> Collection[str]:
        return held_people(service, who, "read_settlements", managers, period)

    document = Memo.of(memo_of(_cycle(service, period, branch, as_of), may_see))
    put_listing_on_record(service, who, [branch], [period], "memo")
    return document


def show_publication(
    service: Service, who: Caller, period: Period, branch: str, as_of: str | None = None
) -> Publication:
    """公示: everyone's points, never their pay, for all who work in the branch."""
    works_here = who.manager is not None and (
        service.places.place_of(who.manager, period).branch == branch
    )
    if not (works_here and may(who.seats, "read_publication")):
        check_in_branch(who, "read_publication", branch)
    return Publication.of(published(_cycle(service, period, branch, as_of)))


def check_of(cycle: Cycle, who: Caller) -> Check:
    """The check of a month, as far as this reader may see whom it is about."""
    return Check.of_check(
        check_month(cycle), lambda named: may(who.seats, "read_statements", named.place)
    )


def _cycle(service: Service, period: Period, branch: str, as_of: str | None) -> Cycle:
    return Cycle(service, period, branch, service.position_as_of(as_of))


def _check_version(cycle: Cycle, version_read: str | None) -> int | None:
    return check_version_read(version_read, cycle.state().version, cycle.changes_since)


def _without_others_payments(service: Service, cycle: Cycle, who: Caller) -> CycleState:
    """The month, without what others were paid where that is not the reader's to see."""
    state = CycleState.of(cycle.overview())
    paid = state.closed.payments if state.closed is not None else []
    posted = [posting for done in state.resettlements for posting in done.postings]
    shown: set[str] = set()
    if may(who.seats, "read_statements", Place(cycle.branch)):
        managers = {row.manager for row in paid} | {row.manager for row in posted}
        shown = held_people(service, who, "read_statements", managers, cycle.period)
    if state.closed is not None:
        state.closed.payments = [row for row in paid if row.manager in shown]
    for done in state.resettlements:
        done.postings = [row for row in done.postings if row.manager in shown]
    return state
