"""作业: the rows of jobs: one each, with its state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Literal, NamedTuple

from domain.ledger.events import JobCancelled, JobFinished, JobRequested
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from projections.store.connection import Connection

State = Literal["waiting", "done", "refused", "cancelled"]
WAITING: Final = "waiting"
DONE: Final = "done"
REFUSED: Final = "refused"
CANCELLED: Final = "cancelled"
COLUMNS = "job, position, asked_by, asked_at, state, ended_at, replay, why"  # as Job has them


class Job(NamedTuple):
    """A job and its state. `replay`: the id of the run that is its result; `why` it was refused."""

    job: str
    position: int
    by: str
    at: str
    state: State
    ended_at: str | None
    replay: int | None
    why: str | None


class JobRows(Projection):
    """The rows: one a job, with its state."""

    name = "jobs"
    topics = (JobRequested.TOPIC, JobFinished.TOPIC, JobCancelled.TOPIC)
    tables: ClassVar[tuple[str, ...]] = ("jobs",)
    schema = (
        """CREATE TABLE IF NOT EXISTS jobs (
            job text NOT NULL PRIMARY KEY, position bigint NOT NULL, asked_by text NOT NULL,
            asked_at text NOT NULL, state text NOT NULL, ended_at text, replay bigint, why text)""",
    )
    canonical = "SELECT position, job, asked_by, state, replay, why FROM jobs ORDER BY position"

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the jobs, and how they ended."""
        for event in events:
            if event.topic == JobRequested.TOPIC:
                self._add(connection, event)
            else:
                self._end(connection, event)

    def _add(self, connection: Connection, event: Recorded) -> None:
        fields = event.json()
        job = Job(
            fields["job"], event.position, fields["by"], fields["at"], WAITING, None, None, None
        )
        connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", tuple(job))

    def _end(self, connection: Connection, event: Recorded) -> None:
        fields = event.json()
        refused, replay = fields.get("refused"), None
        state: State = DONE
        if event.topic == JobCancelled.TOPIC:
            state = CANCELLED
        elif refused:
            state = REFUSED
        else:
            replay = event.position - 1  # the run is recorded right before its job's end
        connection.execute(
            "UPDATE jobs SET state = ?, ended_at = ?, replay = ?, why = ? WHERE job = ?",
            (state, fields["at"], replay, refused, fields["job"]),
        )
