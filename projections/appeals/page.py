"""申诉全貌: an appeal with the disputed statement, the entries behind its disputed lines, and what
was brought forward, decided and changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import BACK_PAY, CLAWBACK
from domain.identifiers import Period
from domain.ledger.event_json import instant
from domain.numbers import plain
from domain.processes.appeal import REJECTIONS
from domain.processes.payout import ZERO
from projections.appeals import process
from projections.evaluation.branches import WhatIf
from projections.explain.derivation import derived

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from domain.errors import Text
    from domain.evaluation.trace import StepTrace
    from domain.ledger.events import AppealRejected, EvidenceAttached
    from domain.processes.appeal import Appeal
    from projections.explain.derivation import EntryBehind
    from projections.models import ReadModels
    from projections.records.payments import Posted
    from projections.records.people import Interview
    from projections.records.statements import Issued

    MaySee = Callable[[Collection[str]], Collection[str]]


class AppealedRules(NamedTuple):
    """The version of the rulebook that the disputed statement was evaluated under."""

    id: str
    version: str


class DisputedStatement(NamedTuple):
    """The version of the disputed statement, and the value of each of its steps."""

    version: int
    steps: dict[str, str]


class DisputedLine(NamedTuple):
    """A disputed step of the statement, with the entries behind it in ledger order."""

    step: str
    label: Text
    value: str | None
    unit: str
    clause: str
    entries: list[EntryBehind]


class Filing(NamedTuple):
    """Who filed the appeal, when. `late`: after the window for objections."""

    by: str
    at: str
    late: bool


class Rejection(NamedTuple):
    """Why the appeal was not taken up."""

    code: str
    label: Text
    reason: str
    by: str
    at: str


class AttachedEvidence(NamedTuple):
    """A note, with a file (its digest: SHA-256, hex) or the replay of a what-if. Counted from 1."""

    number: int
    note: str
    name: str | None
    media_type: str | None
    digest: str | None
    replay: int | None
    digests: tuple[str, ...]  # of what the replay answered
    by: str
    at: str


class Proposal(NamedTuple):
    """A correction that was proposed: its entries as they will be recorded. Counted from 1."""

    number: int
    note: str | None
    entries: tuple[dict[str, object], ...]
    by: str
    at: str


class Decision(NamedTuple):
    """A decision; `late`: after the window for decisions."""

    decision: str
    reason: str
    proposal: int | None
    by: str
    at: str
    late: bool


class CarriedOut(NamedTuple):
    """A correction that was recorded: the person's pay before and after it, in yuan, and the month
    that pays the difference.
    """

    entries: tuple[str, ...]  # source:source_id
    resettled: bool
    before: str | None
    after: str | None
    month: str | None
    at: str


class HistoryLine(NamedTuple):
    """An event of the appeal; `what`: its topic."""

    what: str
    by: str
    at: str


@dataclass(frozen=True)
class AppealPage:
    """An appeal as it is, or was as of a position."""

    appeal: str
    state: str
    version: int
    manager: str
    period: str
    branch: str
    team: str | None
    rulebook: AppealedRules
    statement: DisputedStatement
    lines: tuple[str, ...]
    disputed: list[DisputedLine]
    reason: str
    filed: Filing
    rejected: Rejection | None
    objection_until: str | None
    decision_until: str | None
    evidence: list[AttachedEvidence]
    proposals: list[Proposal]
    decisions: list[Decision]
    carried_out: list[CarriedOut]
    postings: list[Posted]  # of resettlements that carried the appeal out
    talks: list[Interview]  # about the disputed period
    history: list[HistoryLine]


def appeal_page(
    models: ReadModels, name: str, as_of: int | None = None, may_see: MaySee | None = None
) -> AppealPage:
    """The appeal, as of a position.

    `may_see`: whose periods the reader may see; of others they see what the appeal has moved.
    Raises NotFound.
    """
    appeal = models.appeals.get(name, as_of)
    filed = appeal.filed
    issued = models.find_statement(
        filed.manager, Period.parse(filed.period), filed.rulebook, filed.version
    )
    objection_until, decision_until = process.windows(models, appeal, as_of)
    return AppealPage(
        appeal=name,
        state=appeal.state,
        version=appeal.version,
        manager=filed.manager,
        period=filed.period,
        branch=filed.branch,
        team=filed.team,
        rulebook=AppealedRules(issued.rulebook, issued.version),
        statement=DisputedStatement(filed.version, issued.steps),
        lines=filed.lines,
        disputed=_disputed_lines(models, appeal, issued),
        reason=filed.reason,
        filed=Filing(filed.by, instant(filed.at), _is_late(models, filed.at, objection_until)),
        rejected=_rejection(appeal.rejected) if appeal.rejected else None,
        objection_until=objection_until,
        decision_until=decision_until,
        evidence=[_evidence(number, event) for number, event in enumerate(appeal.evidence, 1)],
        proposals=[
            Proposal(number, event.note, event.entries, event.by, instant(event.at))
            for number, event in enumerate(appeal.proposals, 1)
        ],
        decisions=[
            Decision(
                event.decision,
                event.reason,
                event.proposal,
                event.by,
                instant(event.at),
                _is_late(models, event.at, decision_until),
            )
            for event in appeal.decisions
        ],
        carried_out=[
            CarriedOut(
                event.entries,
                event.resettled,
                event.before,
                event.after,
                event.month,
                instant(event.at),
            )
            for event in appeal.carried_out
        ],
        postings=_postings(models, appeal, as_of, may_see),
        talks=[
            interview
            for interview in models.people.page(filed.manager).feedback
            if interview.period == filed.period
        ],
        history=[HistoryLine(event.TOPIC, event.by, instant(event.at)) for event in appeal.history],
    )


def _postings(
    models: ReadModels, appeal: Appeal, as_of: int | None, may_see: MaySee | None
) -> list[Posted]:
    """The postings of resettlements that carried the appeal out.

    A resettlement posts whatever differs, other late entries too. Of people whom the reader may not
    see, only the part that the correction itself moved is shown.
    """
    filed = appeal.filed
    posted = [
        posting
        for posting in models.payments.posted(filed.branch, filed.period)
        if posting.appeal == filed.appeal and (as_of is None or posting.position <= as_of)
    ]
    seen = {posting.manager for posting in posted}
    if may_see is not None:
        seen = set(may_see(seen))
    if all(posting.manager in seen for posting in posted):
        return posted
    corrected = _correction_keys(appeal)
    shown = []
    for position, rulebook in dict.fromkeys((each.position, each.rulebook) for each in posted):
        together = [
            each for each in posted if (each.position, each.rulebook) == (position, rulebook)
        ]
        moved = _moved_pay(models, appeal, together, corrected)
        for posting in together:
            if posting.manager in seen:
                shown.append(posting)
            elif amount := moved.get(posting.manager, ZERO):
                item = BACK_PAY if amount > 0 else CLAWBACK
                shown.append(posting._replace(item=item, amount=plain(abs(amount))))
    return shown


def _correction_keys(appeal: Appeal) -> list[tuple[str, str]]:
    """The keys of the entries that every decision on the appeal has had recorded."""
    split = (key.partition(":") for done in appeal.carried_out for key in done.entries)
    return [(source, number) for source, _, number in split]


def _moved_pay(
    models: ReadModels,
    appeal: Appeal,
    postings: Sequence[Posted],
    corrected: Sequence[tuple[str, str]],
) -> dict[str, Decimal]:
    """What the correction moved of everybody's pay, in yuan, by manager: the branch evaluated when
    it was posted, with its entries and without. Nobody, where that is refused.
    """
    filed, period = appeal.filed, Period.parse(appeal.filed.period)
    rulebook, position = postings[0].rulebook, postings[0].position
    version = next(
        (
            row.version
            for each in postings
            for row in models.statements.of_manager(each.manager, filed.period, rulebook)
            if row.number == each.to_version
        ),
        None,
    )
    if version is None or not corrected:
        return {}
    program = models.rulebooks.find(rulebook, version)
    pays = []
    for what_if in (None, WhatIf((), corrected)):
        evaluation = models.evaluator.branches(program, period, [filed.branch], position, what_if)[
            0
        ]
        if evaluation.findings:
            return {}
        pays.append({s.manager: Decimal(s.steps.get("pay", 0)) for s in evaluation.statements})
    after, before = pays
    return {
        manager: after.get(manager, ZERO) - before.get(manager, ZERO)
        for manager in {*after, *before}
    }


def _disputed_lines(models: ReadModels, appeal: Appeal, issued: Issued) -> list[DisputedLine]:
    if not appeal.filed.lines:
        return []
    steps, entries = derived(models, issued)
    steps_by_name = {step.step: step for step in steps}
    return [
        DisputedLine(
            step.step,
            step.label,
            step.value,
            step.unit,
            step.clause,
            [
                entries[position]
                for position in sorted(_positions_behind(step, steps_by_name))
                if position in entries
            ],
        )
        for step in steps
        if step.step in appeal.filed.lines
    ]


def _positions_behind(step: StepTrace, steps_by_name: Mapping[str, StepTrace]) -> set[int]:
    """The ledger positions behind a step and all the steps that it reads."""
    positions, waiting, seen = set[int](), [step.step], set[str]()
    while waiting:
        name = waiting.pop()
        if name in steps_by_name and name not in seen:
            seen.add(name)
            positions.update(steps_by_name[name].positions)
            waiting += [read.name for read in steps_by_name[name].reads if read.kind == "step"]
    return positions


def _is_late(models: ReadModels, at: datetime, last_day: str | None) -> bool:
    """Whether it came after the last day of its window, if that has begun."""
    return last_day is not None and models.calendar.day_of(instant(at)).isoformat() > last_day


def _rejection(event: AppealRejected) -> Rejection:
    return Rejection(event.code, REJECTIONS[event.code], event.reason, event.by, instant(event.at))


def _evidence(number: int, event: EvidenceAttached) -> AttachedEvidence:
    return AttachedEvidence(
        number,
        event.note,
        event.name,
        event.media_type,
        event.digest,
        event.replay,
        event.digests,
        event.by,
        instant(event.at),
    )
