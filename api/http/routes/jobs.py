"""作业 over HTTP: a replay that takes long runs in the background; its progress and result are
asked for.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response

from api.acts import replays as acts
from api.documents.jobs import JobState
from api.documents.replays import Replay
from api.http.authentication import TheCaller, act
from api.http.dependencies import Reading, Writing, answer, router
from api.http.problems import documented
from api.http.routes.replays import ASKING

routes = router("jobs")
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["5f0c11aa93b2d740"])]


@routes.post(
    "/jobs/replays",
    status_code=202,
    summary="Ask for a replay in the background",
    response_model=JobState,
    openapi_extra=act("replay"),
    responses=ASKING,
)
def request_replay(request: Request, asked: Replay, service: Writing, who: TheCaller) -> Response:
    """The same question as `POST /v1/replays`, answered as of now. It survives a restart of the
    service.
    """
    job, position = acts.ask_for_job(service, request.app.state.jobs, who, asked)
    return answer(job, 202, position=position, headers={"Location": f"/v1/jobs/{job.id}"})


@routes.get(
    "/jobs/{id}",
    summary="Read a job",
    response_model=JobState,
    openapi_extra=act("replay"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_job(request: Request, id: Name, service: Reading, who: TheCaller) -> Response:
    """waiting (with its progress), done (with the replay that is its result), refused (why) or
    cancelled.
    """
    return answer(acts.show_job(service, request.app.state.jobs, who, id))


@routes.delete(
    "/jobs/{id}",
    summary="Cancel a job",
    response_model=JobState,
    openapi_extra=act("replay"),
    responses=documented("not_found", "declined", "version_clash", "store"),
)
def cancel_job(request: Request, id: Name, service: Writing, who: TheCaller) -> Response:
    """It is not run, or not to its end; what has ended stays."""
    return answer(acts.cancel_job(service, request.app.state.jobs, who, id))
