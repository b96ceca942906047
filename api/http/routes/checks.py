"""月检 over HTTP: what must be seen before a month's money moves, and its acknowledgement."""

from __future__ import annotations

from fastapi import Response

from api.acts import cycles as acts
from api.documents import checks as shapes
from api.http.authentication import TheCaller, act
from api.http.dependencies import Id, Moment, Reading, ThePeriod, Writing, answer, router
from api.http.problems import documented

routes = router("checks")


@routes.get(
    "/checks/{period}/{branch}",
    summary="Read the month check",
    response_model=shapes.Check,
    responses=documented("not_found", "not_yet", "store"),
    openapi_extra=act("read_cycle"),
)
def read_check(
    period: ThePeriod, branch: Id, service: Reading, who: TheCaller, as_of: Moment
) -> Response:
    """People whom nothing pays, entries that nothing reads, what was missing, ties, what came late,
    and what is unusual.
    """
    return answer(acts.show_check(service, who, period, branch, as_of))


@routes.post(
    "/checks/{period}/{branch}/acknowledgements",
    status_code=201,
    summary="Acknowledge findings of the month check",
    response_model=shapes.Check,
    responses=documented(
        "closed",
        "declined",
        "version_clash",
        "not_found",
        "too_large",
        "unsupported_media",
        "invalid",
    ),
    openapi_extra=act("close"),
)
def acknowledge(
    period: ThePeriod, branch: Id, asked: shapes.Acknowledge, service: Writing, who: TheCaller
) -> Response:
    """Every finding of the code may stand, for this reason, until what was found changes."""
    done = acts.acknowledge_findings(service, who, period, branch, [asked.code], asked.note)
    return answer(done.document, 201, position=done.position)
