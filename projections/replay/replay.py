"""重放与试算: evaluates without recording anything but that it was run: when, by whom, with what,
and the digests.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.entries.entry import AnyEntry
from domain.errors import Declined, Invalid, Refused, Text
from domain.identifiers import Period, stream_id
from domain.ledger.events import ReplayRun
from domain.ledger.ledger import collection_paused
from projections.evaluation.branches import BranchEvaluation, NothingToLeaveOut, WhatIf
from projections.facts.moments import position_of
from projections.replay.attribution import parted
from projections.replay.causes import Compared, totals
from projections.replay.comparison import (
    Baseline,
    Difference,
    compare,
    figure,
    figure_step,
    summary,
)
from projections.replay.scenarios import Later
from projections.store.database import database_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.rulebook.checks import Program
    from projections.models import ReadModels
    from projections.records.statements import Issued
    from projections.replay.causes import Unparted


@dataclass(frozen=True)
class Question:
    """What is asked: periods and branches (none: all), under which rules, as of when, with what
    added or left out.
    """

    periods: tuple[Period, ...]
    branches: tuple[str, ...] = ()
    rulebook: str | None = None  # ID or ID@VERSION
    draft: Program | None = None  # instead, a rulebook that is not published
    against: str | None = None  # settled, paid, or ID[@VERSION]
    as_of: str | None = None  # a position, or an instant
    added: tuple[AnyEntry, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    causes: bool = True  # whether a comparison says where each difference comes from
    checked: bool = False  # that the ledger would take what is added: it was asked before

    def parameters(self) -> dict[str, object]:
        """The question as it is kept with the fact that it was asked."""
        draft = self.draft.rulebook if self.draft else None
        return {
            "periods": [str(period) for period in self.periods],
            "branches": list(self.branches),
            "rulebook": self.rulebook or (f"{draft.id}@{draft.version}" if draft else None),
            "draft": self.draft.digest if self.draft else None,
            "against": self.against,
            "as_of": self.as_of,
            "with": [
                f"{source}:{number}" for source, number in (entry.key for entry in self.added)
            ],
            "without": [f"{source}:{number}" for source, number in self.left_out],
        }


@dataclass
class Answer:
    """The evaluations asked for, and the comparison if one was."""

    evaluations: list[BranchEvaluation]
    comparison: dict[str, Any] | None = None
    differences: list[Difference] = field(default_factory=list)
    position: int = 0  # at which the fact that it was run stands
    as_of: int = 0  # the last position taken in
    what_if: WhatIf | None = None

    @property
    def refused(self) -> bool:
        """Whether any evaluation has findings."""
        return any(evaluation.findings for evaluation in self.evaluations)

    def kept(self, draft: Program | None) -> dict[str, object]:
        """What it takes, beside the parameters, to answer the same again on any later day."""
        parts = [entry.parts() for entry in self.what_if.added] if self.what_if else []
        supposed = [{"entry": public, "personal": personal} for public, personal in parts]
        return {
            "position": self.as_of,
            "draft": draft.text if draft else None,
            "supposed": supposed,
        }

    def as_json(self) -> dict[str, Any]:
        """The answer as the contract prints it."""
        evaluations = [evaluation.as_json() for evaluation in self.evaluations]
        return {"id": self.position, "evaluations": evaluations, "comparison": self.comparison}


Progress = Callable[[str, int, int], None]  # what is done, how many of how many


def replay(
    models: ReadModels, question: Question, *, by: str, progress: Progress | None = None
) -> Answer:
    """Answers the question, and records that it was asked. Raises NotFound, Declined, Invalid,
    WrongPeriod.
    """
    answer = answered(models, question, progress)
    answer.position = _record(models, question, answer, by)
    return answer


def answered(models: ReadModels, question: Question, progress: Progress | None = None) -> Answer:
    """The answer alone: nothing is written. Nothing that was recorded after the position asked
    about is in it.
    """
    with collection_paused():
        return _answered(models, question, progress)


def _answered(models: ReadModels, question: Question, progress: Progress | None) -> Answer:
    position = position_of(models.ledger, question.as_of)
    what_if = _what_if(models, question, position)
    answer, comparing = Answer([], as_of=position, what_if=what_if), _Comparing(models, question)
    periods = tuple(dict.fromkeys(question.periods))
    for number, period in enumerate(periods):
        before = (
            _compared_branches(models, question, period, Later(position, what_if))
            if question.against
            else set()
        )
        for program, branches in _programs(
            models, question, period, Later(position, what_if), before
        ):
            later = Later(
                position, what_if, models.evaluator.loaded(period, branches, position, what_if)
            )
            found = models.evaluator.branches(program, period, branches, *later)
            if branches is None:
                gone = before - {evaluation.branch for evaluation in found}
                found += [
                    BranchEvaluation(str(period), branch, program, position, [])
                    for branch in sorted(gone)
                ]
            there = {*question.branches, *before}
            found = [e for e in found if e.statements or e.findings or e.branch in there]
            differences = (
                comparing.differences(period, later, program, found) if question.against else []
            )
            there = {*question.branches, *(difference.branch for difference in differences)}
            answer.evaluations += [
                e for e in found if e.statements or e.findings or e.branch in there
            ]
            answer.differences += differences
        if progress:
            progress(str(period), number + 1, len(periods))
    answer.evaluations.sort(key=lambda e: (e.period, e.branch, e.program.rulebook.id))
    if question.against:
        answer.comparison = comparing.summed(answer)
    return answer


class _Comparing:
    """The comparison of an answer, as its parts come in."""

    def __init__(self, models: ReadModels, question: Question) -> None:
        self.models, self.question = models, question
        self.before: dict[str, Decimal] = {}  # Σ of each period
        self.programs: dict[str, Program] = {}  # of the other side, by digest
        self.unparted: list[Unparted] = []

    def differences(
        self, period: Period, later: Later, program: Program, found: Sequence[BranchEvaluation]
    ) -> list[Difference]:
        """Everyone of these branches who differs, with the causes. Raises NotFound, Declined,
        Refused.
        """
        found = [evaluation for evaluation in found if not evaluation.findings]
        branches = [evaluation.branch for evaluation in found]
        baselines = _baselines(
            self.models, str(self.question.against), program, period, branches, later.position
        )
        compared = []
        for evaluation in found:
            baseline = baselines[evaluation.branch]
            compared.append(
                Compared(evaluation, baseline, compare(evaluation, baseline.steps, baseline.teams))
            )
            step = figure_step(evaluation.program.rulebook)
            figures = (figure(steps.get(step)) for steps in baseline.steps.values())
            self.before[str(period)] = sum(figures, self.before.get(str(period), Decimal(0)))
            if baseline.program is not None:
                self.programs[baseline.program.digest] = baseline.program
        if not self.question.causes:
            return [difference for side in compared for difference in side.differences]
        parting = parted(self.models.evaluator, period, later, compared)
        self.unparted += parting.unparted
        return [
            replace(
                d,
                causes=parting.causes.get((d.branch, d.manager)),
                why=parting.why.get((d.branch, d.manager)),
            )
            for side in compared
            for d in side.differences
        ]

    def summed(self, answer: Answer) -> dict[str, Any]:
        """The comparison as data."""
        against = str(self.question.against)
        found = summary(
            against, answer.differences, answer.evaluations, self.before, self.programs.values()
        )
        found["refused"] = [
            {"period": e.period, "branch": e.branch, "rulebook": e.program.rulebook.id}
            for e in answer.evaluations
            if e.findings
        ]
        if self.question.causes:
            parts = totals(d.causes for d in answer.differences if d.causes is not None)
            found["causes"] = parts | {
                "unparted": [unparted.as_json() for unparted in self.unparted]
            }
        return found


def _programs(
    models: ReadModels, question: Question, period: Period, later: Later, before: set[str]
) -> list[tuple[Program, list[str] | None]]:
    """Which rulebook for which branches: the one that is named, else what each branch pays by as of
    then.

    Without a branch named (None): all that have anyone, and those `before`; against what was paid:
    these alone.
    """
    as_of, last = later.position, period.last
    named = question.draft or (
        models.rulebooks.named(question.rulebook, last, as_of) if question.rulebook else None
    )
    branches = list(question.branches) or (sorted(before) if question.against == "paid" else None)
    if named:
        return [(named, branches)]
    chosen: dict[str, list[str]] = {}
    supposed = later.what_if.assigns if later.what_if else set()
    for branch in branches or sorted({*models.places.branches(period, as_of), *supposed, *before}):
        for rulebook in models.rulebooks.pays_by(branch, last, as_of):
            chosen.setdefault(rulebook, []).append(branch)
    found: list[tuple[Program, list[str] | None]] = [
        (models.rulebooks.find(rulebook, month=last, as_of=as_of), of)
        for rulebook, of in chosen.items()
    ]
    fitting = [(program, of) for program, of in found if program.rulebook.period == period.kind]
    return fitting or found  # none fits: the evaluator says so


def _compared_branches(
    models: ReadModels, question: Question, period: Period, later: Later
) -> set[str]:
    """The branches that have something to compare with, whoever is still in them. Raises Declined.

    Of what was paid: closed ones only; every branch that is asked about must be closed, or some
    where none is named.
    """
    if question.against == "settled":
        return models.statements.settled_branches(str(period), later.position)
    if question.against != "paid":
        return {*models.places.branches(period, later.position)} if later.what_if else set()
    closings = models.payments.closings(period.last.index)
    closed = {
        c.branch for c in closings if c.period == str(period)
    }  # what was paid stays as it was, whenever asked
    missing = ", ".join(sorted({*question.branches} - closed))
    if missing or not closed:
        raise Declined(
            Text(
                f"{period} 尚未封账{f'（{missing}）' if missing else ''}，没有已发薪酬可比；请与 "
                "settled 比较",
                f"{period} is not closed{f' for {missing}' if missing else ''}, so nothing was "
                "paid to compare with: "
                "compare with settled",
            )
        )
    return closed


def _baselines(
    models: ReadModels,
    against: str,
    program: Program,
    period: Period,
    branches: Sequence[str],
    position: int,
) -> dict[str, Baseline]:
    """What each of these branches is compared with."""
    rulebook = program.rulebook.id
    if not branches:
        return {}
    if against == "settled":
        latest = models.statements.latest_of(str(period), rulebook, branches, position)
        return {branch: _issued(models, issued) for branch, issued in latest.items()}
    if against == "paid":
        return {
            branch: _issued(models, _paid(models, branch, period, rulebook)) for branch in branches
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


def _issued(models: ReadModels, latest: Mapping[str, Issued]) -> Baseline:
    """What a branch's people were issued, all under one version."""
    steps = {manager: issued.steps for manager, issued in latest.items()}
    teams = {manager: issued.team for manager, issued in latest.items()}
    if not latest:
        return Baseline(steps, teams, None, 0)
    issued = next(iter(latest.values()))
    return Baseline(
        steps, teams, models.rulebooks.find(issued.rulebook, issued.version), issued.as_of
    )


def _what_if(models: ReadModels, question: Question, position: int) -> WhatIf | None:
    """The supposed entries, if the ledger would have taken them as of then. Raises Declined,
    Invalid.
    """
    if question.checked or not (question.added or question.left_out):
        return WhatIf(question.added, question.left_out) if question.checked else None
    with (database := database_of(models.ledger)).reading() as connection:
        known = database.keys(connection, list(question.left_out))
    if missing := [
        key for key in question.left_out if key not in known or known[key][0] > position
    ]:
        raise NothingToLeaveOut(missing)
    outcomes = models.ledger.rehearsed(question.added, as_of=position)
    reasons = [
        reason._replace(field=f"{entry.source}:{entry.source_id} {reason.field}".strip())
        for entry, outcome in zip(question.added, outcomes, strict=True)
        for reason in outcome.reasons
        if outcome.status in {"rejected", "conflict"}
    ]
    if reasons:
        raise Invalid(reasons)
    new = tuple(e for e, o in zip(question.added, outcomes, strict=True) if o.status == "accepted")
    return WhatIf(new, question.left_out)


def asked(models: ReadModels, question: Question) -> dict[str, object]:
    """What it takes to answer a question later as of now, checked. Raises Declined, Invalid,
    NotFound.
    """
    position = position_of(models.ledger, question.as_of)
    answer = Answer([], as_of=position, what_if=_what_if(models, question, position))
    for period in question.periods:
        _programs(models, question, period, Later(position, answer.what_if), set())
    return question.parameters() | {"kept": answer.kept(question.draft)}


def _record(models: ReadModels, question: Question, answer: Answer, by: str) -> int:
    return models.ledger.record(
        run_of(question.parameters() | {"kept": answer.kept(question.draft)}, answer, by)
    )


def run_of(parameters: dict[str, object], answer: Answer, by: str) -> ReplayRun:
    """The event that says that it was run. Each has a stream of its own: two people who ask at once
    never clash.
    """
    return ReplayRun(
        originator_id=stream_id("replay", secrets.token_hex(16)),
        originator_version=1,
        by=by,
        parameters=parameters,
        digests=tuple(evaluation.digest for evaluation in answer.evaluations),
    )
