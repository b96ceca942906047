"""Jobs: what acts on them return, each shape with an example."""

from __future__ import annotations

from pydantic import Field

from api.documents.parts.base import AT, Shape, example
from projections.records.job_rows import State


class JobProgress(Shape):
    """The last period that is done, and how many of how many are."""

    period: str
    done: int
    of_: int = Field(alias="of")


class JobState(Shape):
    """A job. `replay`: the id of the run that is its result, under /v1/replays."""

    model_config = example(
        id="5f0c11aa93b2d740",
        state="done",
        by="hr",
        at=AT,
        progress={"period": "2026-10", "done": 10, "of": 10},
        ended_at=AT,
        replay=1200,
        why="—",
    )
    id: str
    state: State
    by: str
    at: str
    progress: JobProgress | None
    ended_at: str | None
    replay: int | None
    why: str | None
