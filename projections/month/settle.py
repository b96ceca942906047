"""结算: evaluates a branch's period and records it, with a new statement version for everyone of
the population.
"""

from __future__ import annotations

from itertools import combinations, count
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, Overtaken, Refused, Text, VersionClash
from domain.identifiers import stream_id
from domain.ledger.events import SettlementRecorded, StatementIssued
from domain.ledger.store_protocol import AsRead
from domain.processes.branch_month import Closed
from projections.evaluation.branches import BranchEvaluation
from projections.month.refusals import PaidTwice
from projections.store.database import database_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from domain.rulebook.checks import Program
    from projections.evaluation.branches import WhatIf
    from projections.models import ReadModels
    from projections.records.statements import Settlement

TRIES = 5  # against others who act on the same branch and period


class Settled(NamedTuple):
    """A recorded settlement: its id is the ledger position at which it stands."""

    id: int
    position: int  # that the ledger reached
    evaluation: BranchEvaluation


class NobodyToSettle(Declined):
    """A branch without anyone of the rulebook's population."""

    code = "nobody_to_settle"

    def __init__(self, branch: str, period: str, rulebook: str) -> None:
        super().__init__(
            Text(
                f"分公司 {branch} 在 {period} 没有 {rulebook} 适用的人员；"
                "请核对分公司编号和任职记录",
                f"branch {branch} has nobody of the population of {rulebook} in {period}: "
                "check its id and the assignments",
            )
        )


class NothingForPeriod(Declined):
    """A branch that goes by no rulebook of this kind of period."""

    code = "wrong_period"

    def __init__(self, branch: str, period: str, rulebooks: Sequence[str]) -> None:
        listed = ", ".join(rulebooks)
        super().__init__(
            Text(
                f"分公司 {branch} 所用的办法（{listed}）都不按 {period} 这样的周期考核；"
                "请指明办法（rulebook）",
                f"branch {branch} goes by {listed}, none of which is for a period like {period}: "
                "name a rulebook",
            )
        )


def month_stream(branch: str, period: Period) -> UUID:
    """The stream of a branch's period: its steps, its closing and its resettlements."""
    return stream_id("cycle", f"{branch}\n{period}", period.last.index)


def settlement_stream(branch: str, period: Period, rulebook: str) -> UUID:
    """The stream of a branch's settlements of a period under a rulebook."""
    return stream_id("settlement", f"{branch}\n{period}\n{rulebook}", period.last.index)


def statement_stream(manager: str, period: Period, rulebook: str) -> UUID:
    """The stream of a person's statements: the version of an event is that of the statement."""
    return stream_id("statement", f"{manager}\n{period}\n{rulebook}", period.last.index)


def settle_branch(
    models: ReadModels, period: Period, branch: str, rulebook: str | None, *, by: str
) -> list[Settled]:
    """Settles an open period under a rulebook (`ID` or `ID@VERSION`), or under all that it pays by:
    all or none.

    Raises Closed, NothingForPeriod, Refused, NobodyToSettle, PaidTwice, VersionClash.
    """
    ledger, month = models.ledger, month_stream(branch, period)
    tries = count(1)
    while True:
        as_read = AsRead(ledger.position(), streams=(month,))
        if models.payments.closing(branch, str(period)) is not None:
            raise Closed(branch, str(period))
        programs, settled = _programs(models, period, branch, rulebook)
        evaluations = evaluated(models, programs, settled, period, branch)
        if not evaluations:
            listed = ", ".join(program.rulebook.id for program in programs)
            raise NobodyToSettle(branch, str(period), listed)
        events: list[SettlementRecorded | StatementIssued] = []
        starts = []
        for evaluation in evaluations:
            starts.append(len(events))
            events += events_of(ledger, evaluation, period, by)
        try:
            reached = ledger.record(*events, as_read=as_read)
        except (Overtaken, VersionClash):  # a step of the month, or somebody else's settlement
            if next(tries) == TRIES:
                raise VersionClash from None
            continue
        # The events of one call stand in a row.
        first = reached - len(events) + 1
        return [
            Settled(first + start, reached, e) for start, e in zip(starts, evaluations, strict=True)
        ]


def _programs(
    models: ReadModels, period: Period, branch: str, rulebook: str | None
) -> tuple[list[Program], list[Settlement]]:
    """What to settle under, and the last settlements that it takes the place of."""
    rulebooks = models.rulebooks
    settled = last_settlements(models, period, branch)
    if rulebook:
        program = rulebooks.named(rulebook, period.last)
        return [program], [s for s in settled if s.rulebook == program.rulebook.id]
    programs = rulebooks.programs_of(branch, period)
    if not programs:
        raise NothingForPeriod(branch, str(period), rulebooks.pays_by(branch, period.last))
    return programs, settled


def last_settlements(models: ReadModels, period: Period, branch: str) -> list[Settlement]:
    """The last settlement of a branch's period under each rulebook, those included by which the
    branch does not go any more.
    """
    settled = models.statements.settlements(str(period), branch)
    return [*{settlement.rulebook: settlement for settlement in settled}.values()]


def evaluated(
    models: ReadModels,
    programs: Sequence[Program],
    settled: Sequence[Settlement],
    period: Period,
    branch: str,
    what_if: WhatIf | None = None,
) -> list[BranchEvaluation]:
    """The evaluations that a settlement would record; none where there is nobody and was nobody.
    Raises Refused, PaidTwice.

    Where a rulebook has nobody left of those who were settled under it, or the branch pays by it no
    more, the evaluation without anyone withdraws their statements.
    """
    position = models.ledger.position()
    evaluations = [
        models.evaluator.branches(program, period, [branch], position, what_if)[0]
        for program in programs
    ]
    if findings := [finding for evaluation in evaluations for finding in evaluation.findings]:
        raise Refused(findings)
    _check_paid_once(evaluations, period, branch)
    before = {settlement.rulebook: settlement for settlement in settled}
    populated = [e for e in evaluations if e.statements or e.program.rulebook.id in before]
    for one in before.values():
        if one.people and one.rulebook not in {program.rulebook.id for program in programs}:
            program = models.rulebooks.find(one.rulebook, one.version)
            if program.rulebook.pays:
                populated.append(BranchEvaluation(str(period), branch, program, position, []))
    return populated


def _check_paid_once(evaluations: Sequence[BranchEvaluation], period: Period, branch: str) -> None:
    """Raises PaidTwice where two rulebooks pay the same person."""
    paying = [evaluation for evaluation in evaluations if evaluation.program.rulebook.pays]
    for one, other in combinations(paying, 2):
        twice = {s.manager for s in one.statements} & {s.manager for s in other.statements}
        if twice:
            rules = one.program.rulebook.id, other.program.rulebook.id
            raise PaidTwice(branch, period, *rules, _roles(one, twice))


def _roles(evaluation: BranchEvaluation, managers: Collection[str]) -> list[tuple[str, str]]:
    """These people of an evaluation, each with the role."""
    assert evaluation.columns is not None
    people = evaluation.columns.people
    roles = [people.role.words[code] for code in people.role.codes.tolist()]
    return sorted(pair for pair in zip(people.managers, roles, strict=True) if pair[0] in managers)


def events_of(
    ledger: Ledger, evaluation: BranchEvaluation, period: Period, by: str
) -> list[SettlementRecorded | StatementIssued]:
    """The events that record an evaluation as the branch's settlement: itself, then everyone's next
    statement.
    """
    rules, digest = evaluation.program.rulebook, evaluation.digest
    stream = settlement_stream(evaluation.branch, period, rules.id)
    streams = {
        s.manager: statement_stream(s.manager, period, rules.id) for s in evaluation.statements
    }
    versions = _versions(ledger, [stream, *streams.values()])
    settlement = SettlementRecorded(
        originator_id=stream,
        originator_version=versions.get(stream, 0) + 1,
        by=by,
        branch=evaluation.branch,
        period=str(period),
        rulebook=rules.id,
        version=rules.version,
        rulebook_digest=evaluation.program.digest,
        position=evaluation.position,
        digest=digest,
        statements=len(evaluation.statements),
    )
    issued = [
        StatementIssued(
            originator_id=streams[s.manager],
            originator_version=versions.get(streams[s.manager], 0) + 1,
            by=by,
            manager=s.manager,
            period=str(period),
            branch=s.branch,
            team=s.team,
            rulebook=rules.id,
            version=rules.version,
            position=evaluation.position,
            digest=digest,
            steps=s.steps,
            warnings=tuple(dict(warning.as_json()) for warning in s.warnings),
        )
        for s in evaluation.statements
    ]
    return [settlement, *issued]


def _versions(ledger: Ledger, streams: Sequence[UUID]) -> dict[UUID, int]:
    database = database_of(ledger)
    with database.reading() as connection:
        return database.versions(connection, streams)
