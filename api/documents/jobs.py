"""Jobs over HTTP, as OpenAPI prints them."""

from __future__ import annotations

from typing import Any, Literal

from api.documents.base import AT, Shape, example


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
    state: Literal["waiting", "done", "refused", "cancelled"]
    by: str
    at: str
    progress: dict[str, Any] | None
    ended_at: str | None
    replay: int | None
    why: str | None
