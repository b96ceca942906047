"""作业: replays that take long, in the background. What was asked for is on record, so that a
restart goes on with it.

A job answers as of the moment at which it was asked for. Its result is the replay that it ran, kept
by its digests.
"""

from __future__ import annotations

import logging
import secrets
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.errors import Declined, MeritError, NotFound, StoreError, Text, VersionClash
from domain.identifiers import stream_id
from domain.ledger.events import JobCancelled, JobFinished, JobRequested, ReplayRun
from projections.records.job_rows import WAITING, JobRows
from projections.replay.repeat import question_of
from projections.replay.replay import answered, asked, run_of
from projections.store.database import database_of

if TYPE_CHECKING:
    from domain.ledger.events import Event
    from projections.models import ReadModels
    from projections.replay.replay import Question


class Job(NamedTuple):
    """A job as it stands; `replay`: the id of the run that is its result."""

    job: str
    position: int
    by: str
    at: str
    state: str
    ended_at: str | None
    replay: int | None
    why: str | None


class _Stopped(Exception):
    """The job was cancelled, or the service ends."""


class Jobs:
    """Takes jobs in, and runs them one after another in a thread of its own once it is started."""

    def __init__(self, models: ReadModels) -> None:
        self.models, self.ledger, self.rows = models, models.ledger, JobRows()
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()
        self._progress: dict[str, dict[str, Any]] = {}

    # asking

    def request(self, question: Question, *, by: str) -> str:
        """A new job: its id. Raises Declined, Invalid where the question cannot be asked."""
        name = secrets.token_hex(8)
        self._record(JobRequested, name, 1, by, parameters=asked(self.models, question))
        self._waiting.put(name)
        return name

    def cancel(self, name: str, *, by: str) -> int:
        """It is not run, or not to its end. Raises NotFound, Declined where it has ended."""
        job = self.get(name)
        if job.state != WAITING:
            raise Declined(
                Text(
                    f"作业 {name} 已结束（{job.state}）",
                    f"job {name} has ended ({job.state}): nothing to cancel",
                )
            )
        return self._record(JobCancelled, name, 2, by)

    def get(self, name: str) -> Job:
        """A job. Raises NotFound."""
        found = self._jobs("WHERE job = ?", name)
        if not found:
            raise NotFound(Text(f"没有作业 {name}", f"there is no job {name}"))
        return found[0]

    def parameters(self, name: str) -> dict[str, Any]:
        """What was asked."""
        event = self.ledger.events_of(stream_id("job", name))[0]
        assert isinstance(event, JobRequested)
        return event.parameters

    def progress(self, name: str) -> dict[str, Any] | None:
        """How far a job of this process is: the last period that is done, how many of how many."""
        return self._progress.get(name)

    # running

    def start(self) -> None:
        """Goes on with what waits, in a thread."""
        for job in self._jobs("WHERE state = ? ORDER BY position", WAITING):
            self._waiting.put(job.job)
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leaves what is not finished for the next start."""
        self._ends.set()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (name := self._waiting.get()) is not None and not self._ends.is_set():
            try:
                self.run(name)
            except (
                Exception
            ):  # one job that fails does not hold up the others; it waits for the next start
                logging.getLogger(__name__).exception("job %s", name)

    def run(self, name: str) -> None:
        """Runs a job that waits; one that has ended stays as it is."""
        if self.get(name).state != WAITING:
            return
        requested = self.ledger.events_of(stream_id("job", name))[0]
        assert isinstance(requested, JobRequested)
        try:
            answer = answered(self.models, question_of(requested.parameters), self._reporter(name))
        except _Stopped:
            return
        except StoreError:
            raise  # it waits, for the store to come back
        except MeritError as error:
            with suppress(VersionClash):
                self._record(JobFinished, name, 2, requested.by, refused=error.text.both)
            return
        run = run_of(requested.parameters, answer, requested.by)
        # Both or none: after a crash the job waits still. Cancelled in the meantime, or done by
        # another: it clashes.
        with suppress(VersionClash):
            self._record(JobFinished, name, 2, requested.by, run, digests=run.digests)

    def _reporter(self, name: str) -> Any:
        def report(what: str, done: int, of: int) -> None:
            self._progress[name] = {"period": what, "done": done, "of": of}
            if self._ends.is_set() or self.get(name).state != WAITING:
                raise _Stopped

        return report

    def _record(
        self,
        kind: type[Event],
        name: str,
        version: int,
        by: str,
        first: ReplayRun | None = None,
        /,
        **fields: Any,
    ) -> int:
        fields |= {
            "originator_id": stream_id("job", name),
            "originator_version": version,
            "by": by,
            "job": name,
        }
        event = kind(**fields)
        return self.ledger.record(*([first] if first else []), event)

    def _jobs(self, where: str, *params: object) -> list[Job]:
        self.rows.catch_up(self.ledger)
        columns = "job, position, asked_by, asked_at, state, ended_at, replay, why"
        with database_of(self.ledger).reading() as connection:
            return [
                Job(*row) for row in connection.fetch(f"SELECT {columns} FROM jobs {where}", params)
            ]
