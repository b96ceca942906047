"""作业: the rows of jobs: one each, with its state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from domain.ledger.events import JobCancelled, JobFinished, JobRequested
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from projections.store.connection import Connection

WAITING, DONE, REFUSED, CANCELLED = "waiting", "done", "refused", "cancelled"


class JobRows(Projection):
    """The rows: one a job, with its state."""

    name = "jobs"
    topics = (JobRequested.TOPIC, JobFinished.TOPIC, JobCancelled.TOPIC)
    tables: ClassVar[tuple[str, ...]] = ("jobs",)
    schema = (
        """CREATE TABLE IF NOT EXISTS jobs (
            job text NOT NULL PRIMARY KEY, position bigint NOT NULL, asked_by text NOT NULL, asked_at text NOT NULL,
            state text NOT NULL, ended_at text, replay bigint, why text)""",
    )
    canonical = "SELECT position, job, asked_by, state, replay, why FROM jobs ORDER BY position"

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the jobs, and how they ended."""
        for event in events:
            s = event.json()
            if event.topic == JobRequested.TOPIC:
                row = (s["job"], event.position, s["by"], s["at"], WAITING, None, None, None)
                connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
                continue
            refused = s.get("refused")
            state = CANCELLED if event.topic == JobCancelled.TOPIC else REFUSED if refused else DONE
            replay = (
                event.position - 1 if state == DONE else None
            )  # the run stands right before its job's end
            connection.execute(
                "UPDATE jobs SET state = ?, ended_at = ?, replay = ?, why = ? WHERE job = ?",
                (state, s["at"], replay, refused, s["job"]),
            )
