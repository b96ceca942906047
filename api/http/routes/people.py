"""客户经理 over HTTP: interviews about a person's months, and the rulebooks that they agree
with.
"""

from __future__ import annotations

from fastapi import Response

from api.acts import people as acts
from api.documents import people as shapes
from api.http.authentication import TheCaller, act
from api.http.dependencies import Id, Reading, Writing, answer, router
from api.http.problems import documented

routes = router("people")


@routes.get(
    "/managers/{manager}",
    summary="Read a person's page",
    response_model=shapes.PersonPage,
    responses=documented("not_yet", "store"),
    openapi_extra=act("read_statements"),
)
def read_person(manager: Id, service: Reading, who: TheCaller) -> Response:
    """The interviews about their months, and the rulebooks that they have agreed with, or have
    still to.
    """
    return answer(acts.show_person(service, who, manager))


@routes.post(
    "/managers/{manager}/feedback",
    status_code=201,
    summary="Record an interview",
    response_model=shapes.Done,
    responses=documented("invalid", "too_large", "unsupported_media"),
    openapi_extra=act("record_feedback"),
)
def record_feedback(
    manager: Id, asked: shapes.Feedback, service: Writing, who: TheCaller
) -> Response:
    """反馈: who spoke with the person, when, what was agreed, and an improvement plan with
    dates.
    """
    done = acts.record_feedback(service, who, manager, asked)
    return answer(done.document, 201, position=done.position)


@routes.post(
    "/managers/{manager}/acknowledgements",
    status_code=201,
    summary="Agree with a rulebook",
    response_model=shapes.Done,
    responses=documented("not_found", "invalid", "too_large", "unsupported_media"),
    openapi_extra=act("acknowledge"),
)
def acknowledge(
    manager: Id, asked: shapes.Acknowledge, service: Writing, who: TheCaller
) -> Response:
    """了解并认同考核标准: once for every version that applies to them."""
    done = acts.acknowledge(service, who, manager, asked.rulebook, asked.version)
    return answer(done.document, 201, position=done.position)
