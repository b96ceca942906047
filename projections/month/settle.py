"""结算: evaluates a branch's period and records it, with a new statement version for everyone of
the population.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, Refused, Text, VersionClash
from domain.identifiers import stream_id
from domain.ledger.events import SettlementRecorded, StatementIssued
from domain.processes.branch_month import Closed
from projections.store.database import database_of

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from uuid import UUID

    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from domain.rulebook.checks import Program
    from projections.evaluation.branches import BranchEvaluation, Evaluator
    from projections.models import ReadModels

TRIES = 3  # against somebody else who settles the same branch and period


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


def statement_stream(manager: str, period: Period, rulebook: str) -> UUID:
    """The stream of a person's statements: the version of an event is that of the statement."""
    return stream_id("statement", f"{manager}\n{period}\n{rulebook}", period.last.index)


def settle_branch(
    models: ReadModels, period: Period, branch: str, rulebook: str | None, *, by: str
) -> list[Settled]:
    """Settles an open period under a rulebook (`ID` or `ID@VERSION`), or under all that it pays by.

    Raises Closed, NothingForPeriod, and what `settle` raises.
    """
    if models.payments.closing(branch, str(period)) is not None:
        raise Closed(branch, str(period))
    rulebooks = models.rulebooks
    programs = (
        [rulebooks.named(rulebook, period.last)]
        if rulebook
        else rulebooks.programs_of(branch, period)
    )
    if not programs:
        raise NothingForPeriod(branch, str(period), rulebooks.pays_by(branch, period.last))
    return settle(models.ledger, models.evaluator, programs, period, branch, by=by)


def settle(
    ledger: Ledger,
    evaluator: Evaluator,
    programs: Sequence[Program],
    period: Period,
    branch: str,
    *,
    by: str,
) -> list[Settled]:
    """Settles a branch's period under each rulebook, all or none. Raises Refused, NobodyToSettle,
    VersionClash.
    """
    for attempt in range(TRIES):
        try:
            return _settle(ledger, evaluator, programs, period, branch, by)
        except VersionClash:
            if attempt == TRIES - 1:
                raise
    raise AssertionError


def _settle(
    ledger: Ledger,
    evaluator: Evaluator,
    programs: Sequence[Program],
    period: Period,
    branch: str,
    by: str,
) -> list[Settled]:
    populated = evaluated(ledger, evaluator, programs, period, branch)
    events: list[SettlementRecorded | StatementIssued] = []
    starts = []
    for evaluation in populated:
        starts.append(len(events))
        events += events_of(ledger, evaluation, period, by)
    reached = ledger.record(*events)
    # The events of one call stand in a row.
    first = reached - len(events) + 1
    return [Settled(first + start, reached, e) for start, e in zip(starts, populated, strict=True)]


def evaluated(
    ledger: Ledger,
    evaluator: Evaluator,
    programs: Sequence[Program],
    period: Period,
    branch: str,
    known: Container[str] = (),
) -> list[BranchEvaluation]:
    """The evaluations that a settlement would record. Raises Refused, NobodyToSettle.

    `known`: rulebooks under which the branch was settled before. Theirs are recorded even where
    nobody is left.
    """
    position = ledger.position()
    evaluations = [
        evaluator.branches(program, period, [branch], position)[0] for program in programs
    ]
    if findings := [finding for evaluation in evaluations for finding in evaluation.findings]:
        raise Refused(findings)
    populated = [e for e in evaluations if e.statements or e.program.rulebook.id in known]
    if not populated:
        raise NobodyToSettle(
            branch, str(period), ", ".join(program.rulebook.id for program in programs)
        )
    return populated


def events_of(
    ledger: Ledger, evaluation: BranchEvaluation, period: Period, by: str
) -> list[SettlementRecorded | StatementIssued]:
    """The events that record an evaluation as the branch's settlement: itself, then everyone's next
    statement.
    """
    rules, digest = evaluation.program.rulebook, evaluation.digest
    stream = stream_id(
        "settlement", f"{evaluation.branch}\n{period}\n{rules.id}", period.last.index
    )
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
