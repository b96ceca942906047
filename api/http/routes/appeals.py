"""申诉 over HTTP: filed by the person, investigated, decided by somebody else, carried out,
reviewed once.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from api.acts import appeals as acts
from api.documents import appeals as shapes
from api.documents.parts.base import Written
from api.documents.parts.field_types import PeriodText
from api.http.authentication import TheCaller, act
from api.http.dependencies import (
    PAGE,
    Cursor,
    IfMatch,
    Limit,
    Moment,
    Reading,
    Writing,
    answer,
    page,
    router,
)
from api.http.problems import documented
from domain.errors import Invalid, Reason, Text

routes = router("appeals")
NO_NOTE, NO_REASON = shapes.Note(), shapes.Withdraw()  # requests without a body
ACTING = documented(
    *(
        "wrong_state",
        "declined",
        "separation_of_duties",
        "version_clash",
        "precondition_failed",
        "not_found",
    ),
    *("refused", "invalid", "too_large", "unsupported_media"),
)
BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": "%PDF",
            }
        }
    }
}
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["A2026-10-1"])]
IdFilter = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


@routes.get(
    "/appeals",
    summary="List appeals",
    response_model=shapes.AppealList,
    responses=documented("not_yet", "store"),
    openapi_extra=act("read_appeals"),
)
def list_appeals(
    request: Request,
    service: Reading,
    who: TheCaller,
    manager: IdFilter = None,
    period: Annotated[PeriodText | None, Query(examples=["2026-10"])] = None,
    branch: IdFilter = None,
    state: shapes.StateName | None = None,
    limit: Limit = PAGE,
    cursor: Cursor = 0,
) -> Response:
    """Appeals in the order of filing: of those asked for, the ones that the caller may read."""
    wanted = shapes.AppealFilter(manager=manager, period=period, branch=branch, state=state)
    found, following = acts.list_appeals(service, who, wanted, after=cursor, limit=limit)
    return page(request, found, following)


@routes.post(
    "/appeals",
    status_code=201,
    summary="File an appeal",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("file_appeals"),
)
def file_appeal(asked: shapes.FileAppeal, service: Writing, who: TheCaller) -> Response:
    """Against the person's latest statement of a period: by themselves, or by HR for them."""
    done = acts.file_appeal(service, who, asked)
    return _state(
        done.document, 201, done.position, {"Location": f"/v1/appeals/{done.document.appeal}"}
    )


@routes.get(
    "/appeals/{id}",
    summary="Read an appeal",
    response_model=shapes.AppealState,
    responses=documented("not_found", "not_yet", "store"),
    openapi_extra=act("read_appeals"),
)
def read_appeal(id: Name, service: Reading, who: TheCaller, as_of: Moment) -> Response:
    """The disputed statement, the evidence, the decisions, and what they changed, for whom, paid in
    which month.
    """
    return _state(acts.show_appeal(service, who, id, as_of))


@routes.get(
    "/appeals/{id}/evidence/{number}",
    summary="Read a file",
    response_class=Response,
    responses={**BYTES, **documented("not_found", "not_yet", "store")},
    openapi_extra=act("read_appeals"),
)
def read_file(
    id: Name, number: Annotated[int, Path(ge=1, le=10_000)], service: Reading, who: TheCaller
) -> Response:
    """The bytes that were attached. The appeal has their SHA-256."""
    file = acts.read_file(service, who, id, number)
    headers = {"ETag": f'"{file.digest}"'}
    return Response(file.content, media_type="application/octet-stream", headers=headers)


@routes.post(
    "/appeals/{id}/accept",
    status_code=201,
    summary="Accept an appeal",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("handle_appeals"),
)
def accept(
    id: Name,
    service: Writing,
    who: TheCaller,
    asked: shapes.Note = NO_NOTE,
    if_match: IfMatch = None,
) -> Response:
    """受理; filed after the window for objections it can only be rejected."""
    return _written(acts.accept(service, who, id, asked, version_read=if_match))


@routes.post(
    "/appeals/{id}/reject",
    status_code=201,
    summary="Reject an appeal",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("handle_appeals"),
)
def reject(
    id: Name, asked: shapes.Reject, service: Writing, who: TheCaller, if_match: IfMatch = None
) -> Response:
    """不予受理: out of time, not the person's own, or for another reason."""
    return _written(acts.reject(service, who, id, asked, version_read=if_match))


@routes.post(
    "/appeals/{id}/evidence",
    status_code=201,
    summary="Attach evidence, or propose a correction",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("add_evidence"),
)
def attach(
    id: Name, asked: shapes.Evidence, service: Writing, who: TheCaller, if_match: IfMatch = None
) -> Response:
    """A note with a file or a what-if; with `entries`, a correction that a decision may approve."""
    if asked.entries is None:
        return _written(acts.attach_evidence(service, who, id, asked, version_read=if_match))
    if asked.file is not None or asked.replay is not None:
        text = Text(
            "更正（entries）单独提出，不与 file、replay 同时给出",
            "entries are proposed without file or replay",
        )
        raise Invalid([Reason("bad_value", "entries", text)])
    correction = shapes.ProposeCorrection(entries=asked.entries, note=asked.note)
    return _written(acts.propose_correction(service, who, id, correction, version_read=if_match))


@routes.post(
    "/appeals/{id}/decide",
    status_code=201,
    summary="Decide an appeal",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("decide_appeals"),
)
def decide(
    id: Name, asked: shapes.Decide, service: Writing, who: TheCaller, if_match: IfMatch = None
) -> Response:
    """By somebody who neither rated nor calculated the month nor proposed the correction, which is
    carried out.
    """
    return _written(acts.decide(service, who, id, asked, version_read=if_match))


@routes.post(
    "/appeals/{id}/notify",
    status_code=201,
    summary="Record that the person was told",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("handle_appeals"),
)
def notify(
    id: Name,
    service: Writing,
    who: TheCaller,
    asked: shapes.Note = NO_NOTE,
    if_match: IfMatch = None,
) -> Response:
    """告知: when, and by whom."""
    return _written(acts.notify(service, who, id, asked, version_read=if_match))


@routes.post(
    "/appeals/{id}/withdraw",
    status_code=201,
    summary="Withdraw an appeal",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("withdraw_appeals"),
)
def withdraw(
    id: Name,
    service: Writing,
    who: TheCaller,
    asked: shapes.Withdraw = NO_REASON,
    if_match: IfMatch = None,
) -> Response:
    """Until it is decided."""
    return _written(acts.withdraw(service, who, id, asked, version_read=if_match))


@routes.post(
    "/appeals/{id}/review",
    status_code=201,
    summary="Ask for a review",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("request_reviews"),
)
def review(
    id: Name,
    asked: shapes.RequestReview,
    service: Writing,
    who: TheCaller,
    if_match: IfMatch = None,
) -> Response:
    """上级绩效管理委员会: once; it is decided as the appeal was, by somebody else."""
    return _written(acts.request_review(service, who, id, asked, version_read=if_match))


def _written(done: Written[shapes.AppealState]) -> Response:
    return _state(done.document, 201, done.position)


def _state(
    state: shapes.AppealState,
    status: int = 200,
    position: int | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    tag = {"ETag": f'"{state.version}"'}
    return answer(state, status, position=position, headers=tag | (headers or {}))
