"""月检: what a branch's month has that nobody would otherwise see, and its acknowledgement before
money moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.ledger.events import EntryRecorded, Event, FindingAcknowledged
from domain.processes.branch_month import Closed, check_text
from domain.processes.month_check import CODES, DECIDE, CheckFinding, Named
from projections.month.check.branch_facts import BranchFacts
from projections.month.check.evaluated import (
    find_limited,
    find_missing,
    find_ties,
    find_uncovered,
)
from projections.month.check.pay import find_changes, find_negative, find_paid_elsewhere, pays_of
from projections.month.check.unread import find_unread
from projections.month.refusals import FindingsNotAcknowledged, NothingToAcknowledge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.evaluation.context import Evaluation
    from projections.month.cycle import Cycle

ORDER = list(CODES)


@dataclass(frozen=True)
class MonthCheck:
    """The findings of a branch's period as of a ledger position, those to be decided first."""

    branch: str
    period: str
    position: int
    findings: list[CheckFinding]

    @property
    def open(self) -> list[CheckFinding]:
        """The findings that hold up the month."""
        return [finding for finding in self.findings if finding.is_open]


def check_month(cycle: Cycle) -> MonthCheck:
    """What there is to see of a month, and what of it is acknowledged."""
    now, acknowledged = cycle.known, cycle.state().acknowledged
    found = [*_find_all(cycle, now), *_found_as_settled(cycle)]
    findings = [
        replace(finding, acknowledged=acknowledged.get(finding.digest))
        for finding in {finding.digest: finding for finding in reversed(found)}.values()
    ]
    findings.reverse()
    findings.sort(key=lambda f: (f.severity != DECIDE, ORDER.index(f.code)))
    return MonthCheck(cycle.branch, str(cycle.period), now, findings)


def acknowledge(cycle: Cycle, codes: Sequence[str], note: str, *, by: str) -> int:
    """Records that the findings of these codes may stand; what is acknowledged already stays so.

    The position reached. Raises Closed, NoText without a note, NothingToAcknowledge for a code
    without a finding that must be decided, VersionClash.
    """
    state = cycle.state()
    if state.closed:
        raise Closed(cycle.branch, str(cycle.period))
    check_text(note)
    check = check_month(cycle)
    to_decide = [finding for finding in check.findings if finding.severity == DECIDE]
    events: list[Event] = []
    for code in dict.fromkeys(codes):
        if code not in {finding.code for finding in to_decide}:
            raise NothingToAcknowledge(code, cycle.branch, cycle.period, check.open)
        for finding in check.open:
            if finding.code == code:
                place = cycle.place(by, state.version + len(events) + 1)
                events.append(
                    FindingAcknowledged(**place, code=code, digest=finding.digest, note=note)
                )
    ledger = cycle.models.ledger
    return ledger.record(*events) if events else ledger.position()


def check_acknowledged(cycle: Cycle) -> None:
    """Raises FindingsNotAcknowledged while a finding holds up the month."""
    if open_findings := check_month(cycle).open:
        raise FindingsNotAcknowledged(cycle.branch, cycle.period, open_findings)


def _find_all(cycle: Cycle, now: int) -> Iterator[CheckFinding]:
    facts = BranchFacts(cycle.models, cycle.period, cycle.branch, now)
    evaluator = cycle.models.evaluator
    evaluations: list[Evaluation] = [
        evaluator.columns(program, cycle.period, [cycle.branch], now, loaded=facts.loaded)
        for program in cycle.programs()
    ]
    pays = pays_of(evaluations)
    yield from find_uncovered(facts)
    yield from find_unread(facts)
    yield from find_missing(facts, evaluations)
    yield from find_ties(facts, evaluations)
    yield from _find_late(cycle, facts)
    yield from find_changes(facts, evaluations, pays)
    yield from find_limited(facts, evaluations)
    yield from find_paid_elsewhere(facts, pays)
    yield from find_negative(facts, pays)


def _found_as_settled(cycle: Cycle) -> Iterator[CheckFinding]:
    """What was to be decided when the month was settled. What has been corrected since is not
    settled yet, and a closing pays what is settled.
    """
    for as_of in sorted({settlement.as_of for settlement in cycle.last_settlements()}):
        if cycle.positions_after(as_of):
            for finding in _find_all(cycle, as_of):
                if finding.severity == DECIDE:
                    zh, en = finding.message
                    text = Text(f"结算时：{zh}", f"as it was settled: {en}")
                    yield replace(finding, message=text)


def _find_late(cycle: Cycle, facts: BranchFacts) -> Iterator[CheckFinding]:
    """The entries that came after what the last settlement took in."""
    settlements = cycle.last_settlements()
    if not settlements:
        return
    positions = cycle.positions_after(min(settlement.as_of for settlement in settlements))
    if not positions:
        return
    entries, managers = [], set[str]()
    for event in cycle.models.ledger.events_at(positions).values():
        assert isinstance(event, EntryRecorded)
        manager = event.subject.manager
        managers |= {manager} if manager else set()
        place = facts.named_people([manager])[0].place if manager else facts.place
        entries.append(Named(":".join(event.entry.key), place))
    number = len(entries)
    text = Text(
        f"{number} 条记录在结算之后到达，尚未计入；请重新结算，已封账的月份请重新结算补扣",
        f"entries that came after the settlement and are not in it: {number}. Settle again; "
        "resettle a month that is closed",
    )
    yield CheckFinding("late", "", text, facts.named_people(managers), tuple(entries))
