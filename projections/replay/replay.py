"""重放与试算: evaluates without recording anything but that it was run: when, by whom, with what,
and the digests.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, Invalid, NextAct, Refused, Text
from domain.identifiers import stream_id
from domain.ledger.events import ReplayRun
from domain.ledger.ledger import collection_paused
from projections.evaluation.branches import BranchEvaluation, NothingToLeaveOut, WhatIf
from projections.replay.attribution import attribute
from projections.replay.causes import add_up_causes
from projections.replay.comparison import (
    Baseline,
    ComparedBranch,
    compare,
    compare_all,
    figure,
    figure_step,
)
from projections.replay.scenarios import LaterSide
from projections.store.database import database_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.identifiers import Period
    from domain.rulebook.checks import Program
    from projections.models import ReadModels
    from projections.records.statements import Issued
    from projections.replay.causes import Unattributed
    from projections.replay.comparison import Comparison, Difference
    from projections.replay.question import Question

Progress = Callable[[str, int, int], None]  # the period that is done, how many of how many


class NothingPaid(Declined):
    """A month that is not closed has paid nothing that could be compared with."""

    def __init__(self, period: Period, branches: Sequence[str]) -> None:
        missing = ", ".join(branches)
        super().__init__(
            Text(
                f"{period} 尚未封账{f'（{missing}）' if missing else ''}，没有已发薪酬可比；请与 "
                "settled 比较",
                f"{period} is not closed{f' for {missing}' if missing else ''}, so nothing was "
                "paid to compare with: "
                "compare with settled",
            ),
            NextAct("replay", {"period": str(period), "against": "settled"}),
        )
        self.period, self.branches = period, tuple(branches)


@dataclass
class Answer:
    """The evaluations asked for, and the comparison if one was."""

    evaluations: list[BranchEvaluation]
    as_of: int  # the last position taken in
    what_if: WhatIf | None = None
    comparison: Comparison | None = None
    position: int = 0  # of the fact that it was run

    @property
    def is_refused(self) -> bool:
        """Whether any evaluation has findings."""
        return any(evaluation.findings for evaluation in self.evaluations)


def replay(
    models: ReadModels, question: Question, *, by: str, progress: Progress | None = None
) -> Answer:
    """Answers the question, and records that it was asked.

    Raises NotFound, Declined, Invalid, WrongPeriod.
    """
    answer = answer_question(models, question, progress)
    parameters = _parameters(question, answer.as_of, answer.what_if)
    answer.position = models.ledger.record(run_of(parameters, answer, by))
    return answer


def answer_question(
    models: ReadModels, question: Question, progress: Progress | None = None
) -> Answer:
    """The answer alone: nothing is written.

    Nothing that was recorded after the position asked about is in it.
    """
    with collection_paused():
        return _answer(models, question, progress)


def _answer(models: ReadModels, question: Question, progress: Progress | None) -> Answer:
    position = models.position_of(question.as_of)
    what_if = _what_if(models, question, position)
    later = LaterSide(position, what_if)
    comparer = _Comparer(models, question)
    evaluations: list[BranchEvaluation] = []
    periods = tuple(dict.fromkeys(question.periods))
    for number, period in enumerate(periods):
        compared: set[str] = set()
        if question.against:
            compared = _branches_to_compare(models, question, period, later)
        for group in _programs(models, question, period, later, compared):
            evaluations += _evaluate(comparer, period, later, group, compared)
        if progress:
            progress(str(period), number + 1, len(periods))
    evaluations.sort(key=lambda e: (e.period, e.branch, e.program.rulebook.id))
    comparison = comparer.comparison(evaluations) if question.against else None
    return Answer(evaluations, position, what_if, comparison)


class _ProgramBranches(NamedTuple):
    """A program and the branches that it evaluates; None: all that have anyone."""

    program: Program
    branches: list[str] | None


def _evaluate(
    comparer: _Comparer,
    period: Period,
    later: LaterSide,
    group: _ProgramBranches,
    compared: set[str],
) -> list[BranchEvaluation]:
    """The evaluations that belong into the answer, once they are compared.

    An empty branch belongs there if it was asked about or somebody in it differs.
    """
    evaluator, (program, branches) = comparer.models.evaluator, group
    loaded = evaluator.loaded(period, branches, later.position, later.what_if)
    later = later._replace(loaded=loaded)
    evaluations = evaluator.branches(program, period, branches, *later)
    if branches is None:
        gone = compared - {evaluation.branch for evaluation in evaluations}
        evaluations += [
            BranchEvaluation(str(period), branch, program, later.position, [])
            for branch in sorted(gone)
        ]
    asked = {*comparer.question.branches}
    if not comparer.question.against:
        return _with_people_or_in(evaluations, asked)
    evaluations = _with_people_or_in(evaluations, asked | compared)
    differences = comparer.compare_branches(period, later, evaluations)
    return _with_people_or_in(evaluations, asked | {each.branch for each in differences})


def _with_people_or_in(
    evaluations: Sequence[BranchEvaluation], branches: set[str]
) -> list[BranchEvaluation]:
    return [e for e in evaluations if e.statements or e.findings or e.branch in branches]


class _Comparer:
    """Compares a period and a program at a time, and adds up at the end."""

    def __init__(self, models: ReadModels, question: Question) -> None:
        self.models, self.question = models, question
        self.before: dict[str, Decimal] = {}  # the sum of each period
        self.programs: dict[str, Program] = {}  # of the earlier side, by digest
        self.differences: list[Difference] = []
        self.unattributed: list[Unattributed] = []

    def compare_branches(
        self, period: Period, later: LaterSide, evaluations: Sequence[BranchEvaluation]
    ) -> list[Difference]:
        """Everyone of these branches, evaluated under one program, who differs.

        Raises NotFound, Declined, Refused.
        """
        evaluations = [evaluation for evaluation in evaluations if not evaluation.findings]
        if not evaluations:
            return []
        program = evaluations[0].program
        branches = [evaluation.branch for evaluation in evaluations]
        against = str(self.question.against)
        baselines = _baselines(self.models, against, program, period, branches, later.position)
        step = figure_step(program.rulebook)
        compared = []
        for evaluation in evaluations:
            baseline = baselines[evaluation.branch]
            differences = compare(evaluation, baseline.steps, baseline.teams)
            compared.append(ComparedBranch(evaluation, baseline, differences))
            figures = (figure(steps.get(step)) for steps in baseline.steps.values())
            self.before[str(period)] = sum(figures, self.before.get(str(period), Decimal(0)))
            if baseline.program is not None:
                self.programs[baseline.program.digest] = baseline.program
        found = self._with_causes(period, later, compared)
        self.differences += found
        return found

    def _with_causes(
        self, period: Period, later: LaterSide, compared: Sequence[ComparedBranch]
    ) -> list[Difference]:
        differences = [difference for side in compared for difference in side.differences]
        if not self.question.causes:
            return differences
        attributed = attribute(self.models.evaluator, period, later, compared)
        self.unattributed += attributed.unattributed
        caused = []
        for difference in differences:
            key = difference.branch, difference.manager
            causes, why = attributed.causes.get(key), attributed.reasons.get(key)
            caused.append(replace(difference, causes=causes, why=why))
        return caused

    def comparison(self, evaluations: Sequence[BranchEvaluation]) -> Comparison:
        """The comparison of all that was compared."""
        causes = None
        if self.question.causes:
            known = (each.causes for each in self.differences if each.causes is not None)
            causes = add_up_causes(known, self.unattributed)
        return compare_all(
            str(self.question.against),
            self.differences,
            evaluations,
            self.before,
            self.programs.values(),
            causes,
        )


def _programs(
    models: ReadModels, question: Question, period: Period, later: LaterSide, compared: set[str]
) -> list[_ProgramBranches]:
    """Which rulebook for which branches: the one that is named, else what each branch pays by as of
    then.

    Where no branch is named: all that have anyone, and those `compared`; against what was paid,
    these alone.
    """
    as_of, last = later.position, period.last
    named = question.draft
    if named is None and question.rulebook:
        named = models.rulebooks.named(question.rulebook, last, as_of)
    branches = list(question.branches)
    if not branches and question.against == "paid":
        branches = sorted(compared)
    if named:
        return [_ProgramBranches(named, branches or None)]
    if not branches:
        supposed = later.what_if.assigns if later.what_if else set()
        branches = sorted({*models.places.branches(period, as_of), *supposed, *compared})
    chosen: dict[str, list[str]] = {}
    for branch in branches:
        for rulebook in models.rulebooks.pays_by(branch, last, as_of):
            chosen.setdefault(rulebook, []).append(branch)
    programs = [
        _ProgramBranches(models.rulebooks.find(rulebook, month=last, as_of=as_of), listed)
        for rulebook, listed in chosen.items()
    ]
    fitting = [each for each in programs if each.program.rulebook.period == period.kind]
    return fitting or programs  # none fits: the evaluator says so


def _branches_to_compare(
    models: ReadModels, question: Question, period: Period, later: LaterSide
) -> set[str]:
    """The branches that have something to compare with, even if everyone has left. Raises Declined.

    Of what was paid: closed ones only; every branch that is asked about must be closed, or some
    where none is named.
    """
    if question.against == "settled":
        return models.statements.settled_branches(str(period), later.position)
    if question.against != "paid":
        return {*models.places.branches(period, later.position)} if later.what_if else set()
    # What was paid stays as it was, whatever the moment asked about.
    closings = models.payments.closings(period.last.index)
    closed = {closing.branch for closing in closings if closing.period == str(period)}
    missing = sorted({*question.branches} - closed)
    if missing or not closed:
        raise NothingPaid(period, missing)
    return closed


def _baselines(
    models: ReadModels,
    against: str,
    program: Program,
    period: Period,
    branches: Sequence[str],
    position: int,
) -> dict[str, Baseline]:
    """The earlier side of each of these branches."""
    rulebook = program.rulebook.id
    if against == "settled":
        latest = models.statements.latest_of(str(period), rulebook, branches, position)
        return {branch: _baseline_of(models, issued) for branch, issued in latest.items()}
    if against == "paid":
        return {
            branch: _baseline_of(models, _paid(models, branch, period, rulebook))
            for branch in branches
        }
    other = models.rulebooks.named(against, period.last, position)
    baselines = {}
    for evaluation in models.evaluator.branches(other, period, branches, position):
        if evaluation.findings:
            raise Refused(evaluation.findings)
        steps = {statement.manager: statement.steps for statement in evaluation.statements}
        teams = {statement.manager: statement.team for statement in evaluation.statements}
        baselines[evaluation.branch] = Baseline(steps, teams, other, position)
    return baselines


def _paid(models: ReadModels, branch: str, period: Period, rulebook: str) -> dict[str, Issued]:
    """Everyone's statement that a closed period of a branch was paid by."""
    paid = {
        row.manager: row.version
        for row in models.payments.paid(branch, str(period))
        if row.rulebook == rulebook
    }
    return models.statements.numbered(str(period), rulebook, branch, paid)


def _baseline_of(models: ReadModels, statements: Mapping[str, Issued]) -> Baseline:
    """The statements that a branch's people were issued, all under one version."""
    steps = {manager: issued.steps for manager, issued in statements.items()}
    teams = {manager: issued.team for manager, issued in statements.items()}
    if not statements:
        return Baseline(steps, teams, None, 0)
    issued = next(iter(statements.values()))
    program = models.rulebooks.find(issued.rulebook, issued.version)
    return Baseline(steps, teams, program, issued.as_of)


def _what_if(models: ReadModels, question: Question, position: int) -> WhatIf | None:
    """The supposed entries, if the ledger would have taken them as of then.

    Raises Declined, Invalid.
    """
    if question.checked:
        return WhatIf(question.added, question.left_out)
    if not (question.added or question.left_out):
        return None
    with (database := database_of(models.ledger)).reading() as connection:
        known = database.keys(connection, list(question.left_out))
    missing = [key for key in question.left_out if key not in known or known[key][0] > position]
    if missing:
        raise NothingToLeaveOut(missing)
    outcomes = models.ledger.rehearsed(question.added, as_of=position)
    reasons = []
    for entry, outcome in zip(question.added, outcomes, strict=True):
        if outcome.status in {"rejected", "conflict"}:
            key = f"{entry.source}:{entry.source_id}"
            reasons += [
                reason._replace(field=f"{key} {reason.field}".strip()) for reason in outcome.reasons
            ]
    if reasons:
        raise Invalid(reasons)
    new = tuple(e for e, o in zip(question.added, outcomes, strict=True) if o.status == "accepted")
    return WhatIf(new, question.left_out)


def check_question(models: ReadModels, question: Question) -> dict[str, object]:
    """The parameters by which a question is answered later as of now.

    Raises Declined, Invalid, NotFound where it cannot be.
    """
    position = models.position_of(question.as_of)
    what_if = _what_if(models, question, position)
    for period in question.periods:
        _programs(models, question, period, LaterSide(position, what_if), set())
    return _parameters(question, position, what_if)


def _parameters(question: Question, position: int, what_if: WhatIf | None) -> dict[str, object]:
    return question.parameters(position, tuple(what_if.added) if what_if else ())


def run_of(parameters: dict[str, object], answer: Answer, by: str) -> ReplayRun:
    """The event that a question was answered.

    Each has a stream of its own: two people who ask at once never clash.
    """
    return ReplayRun(
        originator_id=stream_id("replay", secrets.token_hex(16)),
        originator_version=1,
        by=by,
        parameters=parameters,
        digests=tuple(evaluation.digest for evaluation in answer.evaluations),
    )
