"""作业: replays that take long, in the background. The question is on record, so that a restart
goes on with it.

A job answers as of the moment at which it was asked for. Its result is the replay that it ran, kept
by its digests.
"""

from __future__ import annotations

import logging
import secrets
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from domain.errors import Declined, MeritError, NotFound, StoreError, Text, VersionClash
from domain.identifiers import stream_id
from domain.ledger.events import JobCancelled, JobFinished, JobRequested
from projections.records.job_rows import COLUMNS, WAITING, Job, JobRows
from projections.replay.question import question_in
from projections.replay.replay import answer_question, check_question, run_of
from projections.store.database import database_of

if TYPE_CHECKING:
    from uuid import UUID

    from domain.ledger.events import Event
    from projections.models import ReadModels
    from projections.replay.question import Question
    from projections.replay.replay import Progress


class NoSuchJob(NotFound):
    """An id that no job has."""

    def __init__(self, job: str) -> None:
        super().__init__(Text(f"没有作业 {job}", f"there is no job {job}"))
        self.job = job


class JobHasEnded(Declined):
    """A job that has ended cannot be cancelled."""

    def __init__(self, job: str, state: str) -> None:
        super().__init__(
            Text(
                f"作业 {job} 已结束（{state}）", f"job {job} has ended ({state}): nothing to cancel"
            )
        )
        self.job, self.state = job, state


class JobProgress(NamedTuple):
    """The last period that is done, and how many of how many are."""

    period: str
    done: int
    of: int


class _Stopped(Exception):
    """The job was cancelled, or the service ends."""


class Jobs:
    """Takes jobs in, and runs them one after another in a thread of its own once it is started."""

    def __init__(self, models: ReadModels) -> None:
        self.models, self.ledger, self.rows = models, models.ledger, JobRows()
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()
        self._progress: dict[str, JobProgress] = {}

    # asking

    def request(self, question: Question, *, by: str) -> str:
        """A new job: its id. Raises Declined, Invalid where the question cannot be asked."""
        job = secrets.token_hex(8)
        parameters = check_question(self.models, question)
        self.ledger.record(JobRequested(**_head(job, 1, by), parameters=parameters))
        self._waiting.put(job)
        return job

    def cancel(self, job: str, *, by: str) -> int:
        """Keeps a job from being run, or from being run to its end. The ledger position.

        Raises NotFound, Declined where it has ended.
        """
        state = self.get(job).state
        if state != WAITING:
            raise JobHasEnded(job, state)
        return self.ledger.record(JobCancelled(**_head(job, 2, by)))

    def get(self, job: str) -> Job:
        """A job. Raises NotFound."""
        jobs = self._jobs("WHERE job = ?", job)
        if not jobs:
            raise NoSuchJob(job)
        return jobs[0]

    def parameters(self, job: str) -> dict[str, object]:
        """The recorded parameters of a job's question."""
        return self._request(job).parameters

    def progress(self, job: str) -> JobProgress | None:
        """How far a job of this process is."""
        return self._progress.get(job)

    def _request(self, job: str) -> JobRequested:
        event = self.ledger.events_of(stream_id("job", job))[0]
        assert isinstance(event, JobRequested)
        return event

    # running

    def start(self) -> None:
        """Goes on with what waits, in a thread."""
        for waiting in self._jobs("WHERE state = ? ORDER BY position", WAITING):
            self._waiting.put(waiting.job)
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leaves what is not finished for the next start."""
        self._ends.set()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None and not self._ends.is_set():
            try:
                self.run(job)
            except Exception:
                # A job that fails does not hold up the others; it waits for the next start.
                logging.getLogger(__name__).exception("job %s", job)

    def run(self, job: str) -> None:
        """Runs a job that waits; one that has ended stays as it is."""
        if self.get(job).state != WAITING:
            return
        requested = self._request(job)
        by = requested.by
        try:
            question = question_in(requested.parameters)
            answer = answer_question(self.models, question, self._progress_reporter(job))
        except _Stopped:
            return
        except StoreError:
            raise  # it waits, for the store to come back
        except MeritError as error:
            self._end(JobFinished(**_head(job, 2, by), refused=error.text.both))
            return
        run = run_of(requested.parameters, answer, by)
        # Both or none: after a crash the job still waits.
        self._end(run, JobFinished(**_head(job, 2, by), digests=run.digests))

    def _end(self, *events: Event) -> None:
        """Records how a job ended, unless it was cancelled in the meantime, or done by another."""
        with suppress(VersionClash):
            self.ledger.record(*events)

    def _progress_reporter(self, job: str) -> Progress:
        def report(period: str, done: int, of: int) -> None:
            self._progress[job] = JobProgress(period, done, of)
            if self._ends.is_set() or self.get(job).state != WAITING:
                raise _Stopped

        return report

    def _jobs(self, where: str, *params: object) -> list[Job]:
        self.rows.catch_up(self.ledger)
        with database_of(self.ledger).reading() as connection:
            rows = connection.fetch(f"SELECT {COLUMNS} FROM jobs {where}", params)
        return [Job(*row) for row in rows]


class _Head(TypedDict):
    """What every event of a job has."""

    originator_id: UUID
    originator_version: int
    by: str
    job: str


def _head(job: str, version: int, by: str) -> _Head:
    return _Head(originator_id=stream_id("job", job), originator_version=version, by=by, job=job)
