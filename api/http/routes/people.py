"""客户经理 over HTTP: interviews about a person's months, and the rulebooks that they agree
with.
"""

from __future__ import annotations

from fastapi import Response

from api.acts.access import check, person_page
from api.documents import cycles as shapes
from api.http.authentication import TheCaller, act
from api.http.dependencies import Id, Reading, Writing, answer, router
from api.http.problems import documented
from domain.identifiers import Period

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
    check(who, "read_statements", service.places.place_of(manager))
    return answer(person_page(service, who, manager))


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
    check(who, "record_feedback", service.places.place_of(manager, Period.parse(asked.period)))
    position = service.people.record_feedback(manager, asked.model_dump(), by=who.name)
    return answer({"position": position}, 201, position=position)


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
    check(who, "acknowledge", service.places.place_of(manager))
    position = service.people.acknowledge(manager, asked.rulebook, asked.version, by=who.name)
    return answer({"position": position}, 201, position=position)
