"""作业 over HTTP: a replay that takes long runs in the background; its progress and result are
asked for.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response

from api.acts.access import replays, supposes
from api.documents import base as shapes
from api.documents.jobs import JobState
from api.http.authentication import TheCaller, act
from api.http.dependencies import Reading, Writing, answer, router
from api.http.problems import documented
from api.http.routes.replays import question_of_body
from projections.records.accounts import Caller
from projections.replay.jobs import Jobs
from projections.replay.repeat import supposed_of
from projections.service import Service

routes = router("jobs")
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["5f0c11aa93b2d740"])]


@routes.post(
    "/jobs/replays",
    status_code=202,
    summary="Ask for a replay in the background",
    response_model=JobState,
    openapi_extra=act("replay"),
    responses=documented(
        "invalid",
        "broken_rulebook",
        "wrong_period",
        "not_found",
        "declined",
        "too_large",
        "unsupported_media",
    ),
)
def request_replay(
    request: Request, asked: shapes.Replay, service: Writing, who: TheCaller
) -> Response:
    """The same question as `POST /v1/replays`, answered as of now. It survives a restart of the
    service.
    """
    replays(who, asked.branches)
    question = question_of_body(service, who, asked)
    supposes(service, who, question.added, question.left_out)
    jobs: Jobs = request.app.state.jobs
    name = jobs.request(question, by=who.name)
    return _state(jobs, name, 202, headers={"Location": f"/v1/jobs/{name}"})


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
    jobs: Jobs = request.app.state.jobs
    _may(service, who, jobs, id)
    return _state(jobs, id)


@routes.delete(
    "/jobs/{id}",
    summary="Cancel a job",
    response_model=JobState,
    openapi_extra=act("replay"),
    responses=documented("not_found", "declined", "version_clash", "store"),
)
def cancel_job(request: Request, id: Name, service: Writing, who: TheCaller) -> Response:
    """It is not run, or not to its end; what has ended stays."""
    jobs: Jobs = request.app.state.jobs
    _may(service, who, jobs, id)
    jobs.cancel(id, by=who.name)
    return _state(jobs, id)


def _may(service: Service, who: Caller, jobs: Jobs, name: str) -> None:
    jobs.get(name)
    parameters = jobs.parameters(name)
    replays(who, parameters["branches"])
    supposes(service, who, *supposed_of(parameters))


def _state(
    jobs: Jobs, name: str, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    job = jobs.get(name)
    content = {
        "id": name,
        "state": job.state,
        "by": job.by,
        "at": job.at,
        "progress": jobs.progress(name),
        "ended_at": job.ended_at,
        "replay": job.replay,
        "why": job.why,
    }
    return answer(
        content, status, position=jobs.ledger.position() if status == 202 else None, headers=headers
    )
