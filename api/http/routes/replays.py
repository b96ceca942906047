"""重放与试算 over HTTP: what would be under other rules, as of another moment, with other
entries.
"""

from __future__ import annotations

from fastapi import Request, Response

from api.acts import replays as acts
from api.documents import replays as shapes
from api.http.authentication import TheCaller, act
from api.http.dependencies import (
    PAGE,
    Cursor,
    Limit,
    Position,
    Reading,
    Writing,
    answer,
    page,
    router,
)
from api.http.problems import documented

routes = router("replays")
ASKING = documented(
    "invalid",
    "broken_rulebook",
    "wrong_period",
    "not_found",
    "declined",
    "too_large",
    "unsupported_media",
)


@routes.post(
    "/replays",
    status_code=201,
    summary="Run a replay",
    response_model=shapes.Replayed,
    openapi_extra=act("replay"),
    responses=ASKING,
)
def run_replay(
    request: Request, asked: shapes.Replay, service: Writing, who: TheCaller
) -> Response:
    """Evaluates and records nothing but that it was run: when, by whom, with which parameters and
    digests.

    A refused evaluation has no statements and says why in `findings`; the others are given all the
    same.
    """
    document, position = acts.run_replay(service, who, asked)
    request.app.state.metrics.replays.inc()
    headers = {"Location": f"/v1/replays/{position}"}
    return answer(document, 201, position=position, headers=headers)


@routes.get(
    "/replays",
    summary="List the replays that were run",
    response_model=shapes.ReplayRuns,
    openapi_extra=act("replay"),
)
def list_replays(
    request: Request, service: Reading, who: TheCaller, limit: Limit = PAGE, cursor: Cursor = 0
) -> Response:
    """In ledger order, those that the caller may see. A page may have fewer than `limit`: read on
    while there is a `next`.
    """
    return page(request, *acts.list_replays(service, who, after=cursor, limit=limit))


@routes.get(
    "/replays/{id}",
    summary="Read that a replay was run",
    response_model=shapes.ReplayRun,
    openapi_extra=act("replay"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_replay(id: Position, service: Reading, who: TheCaller) -> Response:
    """Who asked, when, with which parameters, and the digests of what came out."""
    return answer(acts.show_replay(service, who, id))


@routes.get(
    "/replays/{id}/differences",
    summary="Read a replay's differences",
    response_model=shapes.Differences,
    openapi_extra=act("replay"),
    responses=documented("not_found", "not_repeatable", "not_yet", "store"),
)
def read_differences(id: Position, service: Reading, who: TheCaller) -> Response:
    """Asks the same of the ledger as it was then, and gives the comparison; null where none was
    asked for.

    What was recorded, published or chosen since changes nothing; the digests are those of the run,
    or it is declined.
    """
    return answer(acts.list_differences(service, who, id))
