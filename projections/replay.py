"""重放与试算: evaluates without recording anything but that it was run: when, by whom, with what, and the digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.entries import AnyEntry
from domain.errors import Declined, Invalid, Refused, Text
from domain.events import ReplayRun
from domain.identifiers import Period, stream_id
from projections.causes import Compared, totals
from projections.comparison import Baseline, Difference, compare, figure, figure_step, summary
from projections.evaluating import BranchEvaluation, WhatIf
from projections.parting import parted
from projections.worlds import Later

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.rulebook.checks import Program
    from projections.book import Book
    from projections.causes import Unparted
    from projections.statements import Issued


@dataclass(frozen=True)
class Question:
    """What is asked: periods and branches (none: all), under which rules, as of when, with what added or left out."""

    periods: tuple[Period, ...]
    branches: tuple[str, ...] = ()
    rulebook: str | None = None  # ID or ID@VERSION
    draft: Program | None = None  # instead, a rulebook that is not published
    against: str | None = None  # settled, paid, or ID[@VERSION]
    as_of: str | None = None  # a position, or an instant
    added: tuple[AnyEntry, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    causes: bool = True  # whether a comparison says where each difference comes from

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
            "with": [f"{source}:{number}" for source, number in (entry.key for entry in self.added)],
            "without": [f"{source}:{number}" for source, number in self.left_out],
        }


@dataclass
class Answer:
    """The evaluations asked for, and the comparison if one was."""

    evaluations: list[BranchEvaluation]
    comparison: dict[str, Any] | None = None
    differences: list[Difference] = field(default_factory=list)
    position: int = 0  # at which the fact that it was run stands

    @property
    def refused(self) -> bool:
        """Whether any evaluation has findings."""
        return any(evaluation.findings for evaluation in self.evaluations)

    def as_json(self) -> dict[str, Any]:
        """The answer as the contract prints it."""
        return {"evaluations": [e.as_json() for e in self.evaluations], "comparison": self.comparison}


Progress = Callable[[str, int, int], None]  # what is done, how many of how many


def replay(book: Book, question: Question, *, by: str, progress: Progress | None = None) -> Answer:
    """Answers the question, and records that it was asked. Raises NotFound, Declined, Invalid, WrongPeriod."""
    answer = answered(book, question, progress)
    answer.position = _record(book, question, answer, by)
    return answer


def answered(book: Book, question: Question, progress: Progress | None = None) -> Answer:
    """The answer alone: nothing is written."""
    position = book.position_of(question.as_of)
    what_if = _what_if(book, question)
    answer, comparing = Answer([]), _Comparing(book, question)
    periods = tuple(dict.fromkeys(question.periods))
    for number, period in enumerate(periods):
        for program, branches in _programs(book, question, period, what_if):
            later = Later(position, what_if, book.evaluator.loaded(period, branches, position, what_if))
            found = [
                evaluation
                for evaluation in book.evaluator.branches(program, period, branches, *later)
                if evaluation.statements or evaluation.findings or evaluation.branch in question.branches
            ]
            answer.evaluations += found
            if question.against:
                answer.differences += comparing.differences(period, later, [e for e in found if not e.findings])
        if progress:
            progress(str(period), number + 1, len(periods))
    answer.evaluations.sort(key=lambda e: (e.period, e.branch, e.program.rulebook.id))
    if question.against:
        answer.comparison = comparing.summed(answer)
    return answer


class _Comparing:
    """The comparison of an answer, as its parts come in."""

    def __init__(self, book: Book, question: Question) -> None:
        self.book, self.question = book, question
        self.before: dict[str, Decimal] = {}  # Σ of each period
        self.programs: dict[str, Program] = {}  # of the other side, by digest
        self.unparted: list[Unparted] = []

    def differences(self, period: Period, later: Later, found: Sequence[BranchEvaluation]) -> list[Difference]:
        """Everyone of these branches who differs, with the causes. Raises NotFound, Declined, Refused."""
        baselines = _baselines(self.book, str(self.question.against), period, found, later.position)
        compared = []
        for evaluation in found:
            baseline = baselines[evaluation.branch]
            compared.append(Compared(evaluation, baseline, compare(evaluation, baseline.steps, baseline.teams)))
            step = figure_step(evaluation.program.rulebook)
            figures = (figure(steps.get(step)) for steps in baseline.steps.values())
            self.before[str(period)] = sum(figures, self.before.get(str(period), Decimal(0)))
            if baseline.program is not None:
                self.programs[baseline.program.digest] = baseline.program
        if not self.question.causes:
            return [difference for side in compared for difference in side.differences]
        parting = parted(self.book.evaluator, period, later, compared)
        self.unparted += parting.unparted
        return [
            replace(d, causes=parting.causes.get((d.branch, d.manager)), why=parting.why.get((d.branch, d.manager)))
            for side in compared
            for d in side.differences
        ]

    def summed(self, answer: Answer) -> dict[str, Any]:
        """The comparison as data."""
        against = str(self.question.against)
        found = summary(against, answer.differences, answer.evaluations, self.before, self.programs.values())
        if self.question.causes:
            parts = totals(d.causes for d in answer.differences if d.causes is not None)
            found["causes"] = parts | {"unparted": [unparted.as_json() for unparted in self.unparted]}
        return found


def _programs(
    book: Book, question: Question, period: Period, what_if: WhatIf | None
) -> list[tuple[Program, list[str] | None]]:
    """Which rulebook for which branches: the one that is named, else what each branch pays by."""
    named = question.draft or (book.shelf.named(question.rulebook, period.last) if question.rulebook else None)
    branches = list(question.branches) or None
    if named:
        return [(named, branches)]
    chosen: dict[str, list[str]] = {}
    supposed = what_if.assigns if what_if else set()
    for branch in branches or sorted({*book.branches(period), *supposed}):
        for rulebook in book.shelf.pays_by(branch, period.last):
            chosen.setdefault(rulebook, []).append(branch)
    return [(book.shelf.find(rulebook, month=period.last), of) for rulebook, of in chosen.items()]


def _baselines(
    book: Book, against: str, period: Period, found: Sequence[BranchEvaluation], position: int
) -> dict[str, Baseline]:
    """What each of these branches is compared with."""
    branches = [evaluation.branch for evaluation in found]
    if not found:
        return {}
    if against == "settled":
        latest = book.statements.latest_of(str(period), found[0].program.rulebook.id, branches)
        return {branch: _settled(book, issued) for branch, issued in latest.items()}
    if against == "paid":
        raise Declined(
            Text(
                "尚无封账月份，不能与已发薪酬比较；请与 settled 比较",
                "no month has been closed, so there is nothing paid to compare with: compare with settled",
            )
        )
    other = book.shelf.named(against, period.last)
    baselines = {}
    for evaluation in book.evaluator.branches(other, period, branches, position):
        if evaluation.findings:
            raise Refused(evaluation.findings)
        steps = {statement.manager: statement.steps for statement in evaluation.statements}
        teams = {statement.manager: statement.team for statement in evaluation.statements}
        baselines[evaluation.branch] = Baseline(steps, teams, other, position)
    return baselines


def _settled(book: Book, latest: Mapping[str, Issued]) -> Baseline:
    """A branch's last settlement, from its statements."""
    steps = {manager: issued.steps for manager, issued in latest.items()}
    teams = {manager: issued.team for manager, issued in latest.items()}
    if not latest:
        return Baseline(steps, teams, None, 0)
    issued = next(iter(latest.values()))
    return Baseline(steps, teams, book.shelf.find(issued.rulebook, issued.version), issued.as_of)


def _what_if(book: Book, question: Question) -> WhatIf | None:
    """The supposed entries, if the ledger would take them. Raises Invalid with every reason."""
    if not (question.added or question.left_out):
        return None
    outcomes = book.ledger.append(question.added, by="what-if", dry_run=True) if question.added else []
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


def _record(book: Book, question: Question, answer: Answer, by: str) -> int:
    at = datetime.now(UTC)
    # Each run has a stream of its own: two people who ask at once never clash.
    return book.ledger.record(
        ReplayRun(
            originator_id=stream_id("replay", f"{by}\n{at.isoformat()}\n{id(answer)}"),
            originator_version=1,
            by=by,
            at=at,
            parameters=question.parameters(),
            digests=tuple(evaluation.digest for evaluation in answer.evaluations),
        )
    )


def instant_of(text: str) -> datetime:
    """An instant: `2026-11-18T09:00:00+08:00`; without a zone it is UTC; a day alone means its end (UTC).

    Raises Declined.
    """
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Declined(
            Text(
                f"时点 {text!r} 应是账本位置（整数）或时间，如 2026-11-18 或 2026-11-18T09:00:00+08:00",
                f"{text!r} is no ledger position (a whole number) and no instant such as 2026-11-18T09:00:00+08:00",
            )
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
