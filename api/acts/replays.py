"""重放与试算: what would be under other rules, as of another moment, with other entries."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from api.acts.access import (
    check,
    check_may_replay,
    check_may_suppose,
    put_listing_on_record,
)
from api.acts.entries import Malformed, every_reason, parsed
from api.documents.jobs import JobProgress, JobState
from api.documents.parts.base import Page, Written
from api.documents.replays import DifferencesRows, ReplayedRows, ReplayRun, ReplayRuns, people_shown
from api.importing.rows import RawRow
from domain.errors import Invalid, Reason, Text
from domain.evaluation.programs import program_of
from domain.identifiers import Period
from domain.ledger.event_json import instant
from domain.rights import EVERYWHERE, Forbidden, may
from projections.replay.branches import check_branches
from projections.replay.question import (
    Question,
    branches_in,
    question_in,
    supposed_in,
    without_kept,
)
from projections.replay.repeat import repeat_replay, run_at, runs_after
from projections.replay.replay import replay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.documents.parts.rows import MaySee
    from api.documents.replays import Replay
    from domain.entries.entry import AnyEntry
    from domain.ledger.events import ReplayRun as RecordedRun
    from projections.records.accounts.accounts import Caller
    from projections.replay.jobs import Jobs
    from projections.replay.question import Key
    from projections.replay.replay import Answer, Progress
    from projections.service import Service

PlacedRow = tuple[str, RawRow]  # a row, and the text that says where it was given


class RulebookAndDraft(Invalid):
    """A question that names a rulebook and brings a draft."""

    def __init__(self) -> None:
        text = Text("rulebook 与 draft 只能给一个", "give one of rulebook and draft, not both")
        super().__init__([Reason("bad_value", "draft", text)])


def run_replay(
    service: Service,
    who: Caller,
    asked: Replay,
    *,
    supposed: Iterable[PlacedRow] | None = None,
    draft_name: str = "draft",
    progress: Progress | None = None,
) -> Written[ReplayedRows]:
    """Evaluates, and records nothing but that it was run: when, by whom, with which parameters and
    digests.

    A refused evaluation has no statements and says why in `findings`; the others are given all the
    same. `supposed`: the rows of `asked.with_` with their places, where they come from a file.
    """
    question = _question(service, who, asked, supposed, draft_name)
    answer = replay(service, question, by=who.name, progress=progress)
    may_see = _may_see(service, who, answer, question.periods)
    return Written(ReplayedRows.of(answer, may_see), answer.position)


def show_replay(service: Service, who: Caller, position: int) -> ReplayRun:
    """That a replay was run: who asked, when, with which parameters, and the digests."""
    run = run_at(service, position)
    _check_parameters(service, who, run.parameters)
    return _document(position, run)


def list_replays(service: Service, who: Caller, *, after: int = 0, limit: int) -> Page[ReplayRuns]:
    """A page of the replays that were run, in ledger order: those that the caller may see.

    It may have fewer than `limit`, and there is a next one while the ledger has more.
    """
    check(who, "replay", None)
    runs, following = runs_after(service, after, limit)
    shown = []
    for position, run in runs:
        with suppress(Forbidden):
            _check_parameters(service, who, run.parameters)
            shown.append(_document(position, run))
    return Page(ReplayRuns(replays=shown, next=None), following)


def _document(position: int, run: RecordedRun) -> ReplayRun:
    return ReplayRun(
        id=position,
        by=run.by,
        at=instant(run.at),
        parameters=without_kept(run.parameters),
        digests=list(run.digests),
    )


def list_differences(service: Service, who: Caller, position: int) -> DifferencesRows:
    """The comparison of a replay, of the ledger as it was then; null where none was asked for.

    What was recorded, published or chosen since changes nothing; the digests are those of the run,
    or it is declined.
    """
    parameters = run_at(service, position).parameters
    _check_parameters(service, who, parameters)
    answer, periods = repeat_replay(service, position), question_in(parameters).periods
    may_see = _may_see(service, who, answer, periods)
    put_listing_on_record(service, who, branches_in(parameters), periods, "comparison")
    return DifferencesRows(position, people_shown(answer.comparison, may_see))


def _may_see(
    service: Service, who: Caller, answer: Answer, periods: Iterable[Period]
) -> MaySee | None:
    """Whether the caller may see a person's figures of a period; None: everybody's.

    Those who worked outside the caller's scope in a part of the period are left out. Months in
    which somebody works nowhere are supposed by the caller.
    """
    if may(who.seats, "replay", EVERYWHERE):
        return None
    managers = {row.manager for each in answer.evaluations for row in each.statements}
    if answer.comparison is not None:
        managers |= {row.manager for row in answer.comparison.differences}
    held = service.places.held_of(who.seats, "replay", managers)
    shown = {
        (manager, str(period))
        for period in periods
        for manager, months in held.items()
        if not months.has_others(period)
    }
    return lambda manager, period: (manager, period) in shown


def ask_for_job(service: Service, jobs: Jobs, who: Caller, asked: Replay) -> Written[JobState]:
    """Asks for a replay in the background, as of now. It survives a restart of the service."""
    question = _question(service, who, asked)
    job = jobs.request(question, by=who.name)
    return Written(_job_state(jobs, job), service.ledger.position())


def show_job(service: Service, jobs: Jobs, who: Caller, job: str) -> JobState:
    """A job: waiting with its progress, done with its replay, refused with the reason, or
    cancelled.
    """
    _check_job(service, jobs, who, job)
    return _job_state(jobs, job)


def cancel_job(service: Service, jobs: Jobs, who: Caller, job: str) -> JobState:
    """Keeps a job from being run to its end; what has ended stays."""
    _check_job(service, jobs, who, job)
    jobs.cancel(job, by=who.name)
    return _job_state(jobs, job)


def check_may_see_replay(service: Service, who: Caller, position: int) -> None:
    """Raises NotFound where no replay was run there, Forbidden where it is not the caller's to see.

    Whoever may see none does not learn what there is.
    """
    check(who, "replay", None)
    _check_parameters(service, who, run_at(service, position).parameters)


def _check_job(service: Service, jobs: Jobs, who: Caller, job: str) -> None:
    jobs.get(job)
    _check_parameters(service, who, jobs.parameters(job))


def _check_parameters(service: Service, who: Caller, parameters: dict[str, object]) -> None:
    """Raises Forbidden unless the caller may ask what a run or a job has asked."""
    check_may_replay(who, branches_in(parameters))
    check_may_suppose(service, who, *supposed_in(parameters))


def _job_state(jobs: Jobs, name: str) -> JobState:
    job, progress = jobs.get(name), jobs.progress(name)
    return JobState(
        id=name,
        state=job.state,
        by=job.by,
        at=job.at,
        progress=JobProgress(**progress._asdict()) if progress else None,
        ended_at=job.ended_at,
        replay=job.replay,
        why=job.why,
    )


def _question(
    service: Service,
    who: Caller,
    asked: Replay,
    supposed: Iterable[PlacedRow] | None = None,
    draft_name: str = "draft",
) -> Question:
    """The question, if the caller may ask it.

    Raises Forbidden, Invalid, BrokenRulebook, UnreadableFile, UnknownBranch.
    """
    check_may_replay(who, asked.branches)
    if asked.rulebook and asked.draft:
        raise RulebookAndDraft
    if supposed is None:
        supposed = (
            (f"with.{number}.", RawRow(number, raw)) for number, raw in enumerate(asked.with_)
        )
    question = Question(
        tuple(map(Period.parse, asked.periods)),
        tuple(asked.branches),
        asked.rulebook,
        program_of(asked.draft, draft_name) if asked.draft else None,
        asked.against,
        asked.as_of,
        tuple(_supposed_entries(service, who, supposed)),
        tuple(map(_key, asked.without)),
    )
    check_may_suppose(service, who, question.added, question.left_out)
    check_branches(service.places, question)
    return question


def _key(text: str) -> Key:
    source, _, number = text.partition(":")
    return source, number


def _supposed_entries(service: Service, who: Caller, rows: Iterable[PlacedRow]) -> list[AnyEntry]:
    """The entries of these rows, if the ledger would take them all.

    Raises Invalid with every reason of each, its field behind the place; Forbidden where the caller
    may not suppose one of them; UnreadableFile.
    """
    places, results = [], []
    for place, row in rows:
        places.append(place)
        results.append(parsed(row))
    entries = [one for one in results if not isinstance(one, Malformed)]
    check_may_suppose(service, who, entries, ())
    outcomes = iter(service.ledger.append(entries, by=who.name, dry_run=True))
    malformed = [one for one in results if isinstance(one, Malformed)]
    reasons_of_malformed = iter(
        every_reason(
            service,
            who,
            malformed,
            beside=entries,
            asks=lambda service, who, probe: check_may_suppose(service, who, probe, ()),
        )
    )
    reasons = []
    for place, one in zip(places, results, strict=True):
        is_malformed = isinstance(one, Malformed)
        listed = next(reasons_of_malformed) if is_malformed else next(outcomes).reasons
        reasons += [
            reason._replace(field=f"{place}{reason.field}".rstrip(" .")) for reason in listed
        ]
    if reasons:
        raise Invalid(reasons)
    return entries
