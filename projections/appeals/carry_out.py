"""执行裁决: an approved correction is recorded and a closed month resettled, once, whatever comes
between.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from domain.errors import Invalid, MeritError, Overtaken, Refused, VersionClash
from domain.identifiers import Period
from domain.ledger.events import AppealCarriedOut, MonthClosed
from domain.ledger.store_protocol import AsRead
from domain.processes.appeal import parsed_entries
from projections.evaluation.branches import WhatIf
from projections.month.cycle import Cycle
from projections.month.postings import record_postings
from projections.month.resettle import rehearse_resettlement, resettle
from projections.records.appeal_log import next_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.ledger.events import AppealFiled, CorrectionProposed
    from domain.processes.appeal import Appeal
    from projections.models import ReadModels

MAX_ATTEMPTS = 5  # to resettle a month that others resettle at the same time


def carry_out(models: ReadModels, name: str) -> None:
    """Records the approved correction and resettles a closed month; what is done already is not
    done again.

    Every part knows itself: entries by their keys, postings by what was paid and posted, this act
    by its version. Raises VersionClash where others keep resettling the month.
    """
    appeal = models.appeals.get(name)
    decision = appeal.to_carry_out
    if decision is None:
        return
    filed, correction = appeal.filed, appeal.correction_approved_by(decision)
    assert correction is not None
    entries = parsed_entries(correction.entries)
    outcomes = models.ledger.append(entries, by=decision.by)
    positions = {
        outcome.position: entry
        for entry, outcome in zip(entries, outcomes, strict=True)
        if outcome.position is not None
    }
    first = min(positions, default=0)
    while True:
        # A month that is open when this is recorded cannot be closed without the correction.
        as_read = AsRead(models.ledger.position(), (MonthClosed.TOPIC,))
        closed = models.payments.closing(filed.branch, filed.period) is not None
        if closed:
            _resettle(models, filed, name, decision.by)
        before, after, month = _figures(models, filed, first, closed=closed)
        event = AppealCarriedOut(
            **next_place(appeal, decision.by),
            entries=tuple(f"{entry.source}:{entry.source_id}" for entry in positions.values()),
            resettled=closed,
            before=before,
            after=after,
            month=month,
        )
        try:
            models.ledger.record(event, as_read=None if closed else as_read)
        except Overtaken:
            continue
        except VersionClash:  # somebody else has finished it
            return
        return


def _resettle(models: ReadModels, filed: AppealFiled, name: str, by: str) -> None:
    for attempt in range(MAX_ATTEMPTS):
        try:
            resettle(
                Cycle(models, Period.parse(filed.period), filed.branch),
                reason_of(name),
                by=by,
                appeal=name,
            )
        except VersionClash:
            if attempt == MAX_ATTEMPTS - 1:
                raise
        else:
            return


def _figures(
    models: ReadModels, filed: AppealFiled, first: int, *, closed: bool
) -> tuple[str | None, str | None, str | None]:
    """Pay before the correction, whose first entry has the position `first`, and after it; the
    month that pays the difference.

    Of a closed month by its statements and postings, whoever's resettlement made them; of an open
    one evaluated anew.
    """
    period = Period.parse(filed.period)
    versions = models.statements.of_manager(filed.manager, filed.period, filed.rulebook)
    earlier = [row for row in versions if row.position < first] or versions[:1]
    before = earlier[-1].steps.get("pay")
    if not closed:
        return before, _current_pay(models, filed, period), filed.period
    posted = [
        posting
        for posting in models.payments.posted(filed.branch, filed.period)
        if (posting.manager, posting.rulebook) == (filed.manager, filed.rulebook)
        and posting.position > first
    ]
    return before, versions[-1].steps.get("pay"), posted[-1].month if posted else None


def _current_pay(models: ReadModels, filed: AppealFiled, period: Period) -> str | None:
    """The pay of an open month, evaluated now; None where the evaluation is refused."""
    program = models.rulebooks.named(filed.rulebook, period.last)
    evaluation = models.evaluator.branches(
        program, period, [filed.branch], models.ledger.position()
    )[0]
    for statement in evaluation.statements:
        if statement.manager == filed.manager:
            return statement.steps.get("pay")
    return None


def resume(models: ReadModels) -> list[str]:
    """Carries out what was decided when a crash came between: postings, then decisions on appeals.

    The appeals that were carried out.
    """
    record_postings(models.ledger, models.payments)
    done = []
    for name in models.appeals.to_carry_out():
        # What cannot be carried out now waits, and holds up nothing else.
        with suppress(MeritError):
            carry_out(models, name)
            done.append(name)
    return done


def rehearse(
    models: ReadModels,
    appeal: Appeal,
    correction: CorrectionProposed,
    check: Callable[[str], None] | None = None,
) -> None:
    """Raises whatever would keep the correction from being recorded now, the month from being
    evaluated, or a closed month from being resettled; `check` is asked for every other branch that
    is resettled with it.
    """
    entries = parsed_entries(correction.entries)
    outcomes = models.ledger.append(entries, by="rehearsal", dry_run=True)
    if reasons := [reason for outcome in outcomes for reason in outcome.reasons]:
        raise Invalid(reasons)
    cycle = Cycle(models, Period.parse(appeal.filed.period), appeal.filed.branch)
    supposed, now = WhatIf(tuple(entries)), models.ledger.position()
    if cycle.state().closed is not None:
        reason = reason_of(appeal.filed.appeal)
        rehearse_resettlement(cycle, supposed, reason, by="rehearsal", check=check)
        return
    for program in cycle.programs():
        evaluation = models.evaluator.branches(
            program, cycle.period, [cycle.branch], now, supposed
        )[0]
        if evaluation.findings:
            raise Refused(evaluation.findings)


def reason_of(name: str) -> str:
    """Why a month is resettled that an appeal corrects."""
    return f"申诉 {name}"
