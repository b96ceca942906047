"""申诉 over HTTP: filed by the person, investigated, decided by somebody else, carried out,
reviewed once.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response

from api.acts.access import check, may_record
from api.acts.appeals import read, summaries
from api.acts.versions import check_version_read
from api.documents import appeals as shapes
from api.documents.field_types import PeriodText
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
from domain.identifiers import Period
from domain.rights import Place
from projections.appeals import process
from projections.appeals.page import appeal_page
from projections.facts.moments import position_as_of
from projections.records.accounts import Caller
from projections.service import Service

routes = router("appeals")
NO_NOTE, NO_REASON = shapes.Note(), shapes.MayBeWhy()  # requests without a body
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
State = Literal["filed", "accepted", "rejected", "decided", "carried_out", "in_review", "withdrawn"]
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
    state: State | None = None,
    limit: Limit = PAGE,
    cursor: Cursor = 0,
) -> Response:
    """Appeals in the order of filing: of those asked for, the ones that the caller may read."""
    check(
        who,
        "read_appeals",
        service.places.place_of(manager) if manager else Place(branch) if branch else None,
    )
    wanted = {
        "manager": manager,
        "period": str(Period.parse(period)) if period else None,
        "branch": branch,
        "state": state,
    }
    rows, following = service.appeals.page(wanted, after=cursor, limit=limit)
    return page(request, {"appeals": summaries(service, who, rows)}, following)


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
    period = Period.parse(asked.period)
    check(who, "file_appeals", service.places.place_of(asked.manager, period))
    name = process.file_appeal(
        service,
        asked.manager,
        period,
        asked.reason,
        by=who.name,
        rulebook=asked.rulebook,
        lines=asked.lines,
    )
    return _state(service, name, {"Location": f"/v1/appeals/{name}"})


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
    return _answer(read(service, who, id, position_as_of(service.ledger, as_of)))


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
    """The bytes that were attached; their SHA-256 stands with the evidence."""
    _may(service, who, id, "read_appeals")
    evidence, content = service.appeals.file_of(id, number)
    digest = evidence.digest or ""
    return Response(content, media_type="application/octet-stream", headers={"ETag": f'"{digest}"'})


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
    _may(service, who, id, "handle_appeals")
    process.accept(service, id, by=who.name, note=asked.note, after=_known(service, id, if_match))
    return _state(service, id)


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
    """不予受理: out of time, not the person's own, or for another reason that is said."""
    _may(service, who, id, "handle_appeals")
    process.reject(
        service, id, asked.code, asked.reason, by=who.name, after=_known(service, id, if_match)
    )
    return _state(service, id)


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
    known = _known(service, id, if_match)
    if asked.entries is not None:
        if asked.file is not None or asked.replay is not None:
            text = Text(
                "更正（entries）单独提出，不与 file、replay 同时给出",
                "entries are proposed without file or replay",
            )
            raise Invalid([Reason("bad_value", "entries", text)])
        _may(service, who, id, "handle_appeals")
        process.propose(
            service,
            id,
            asked.entries,
            by=who.name,
            note=asked.note,
            after=known,
            permit=lambda entries: may_record(service, who, entries),
        )
    else:
        _may(service, who, id, "add_evidence")
        file = (asked.file.name, asked.file.media_type, asked.file.content) if asked.file else None
        process.attach(
            service, id, asked.note, by=who.name, file=file, replay=asked.replay, after=known
        )
    return _state(service, id)


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
    _may(service, who, id, "decide_appeals")
    known = _known(service, id, if_match)
    process.decide(
        service, id, asked.decision, asked.reason, by=who.name, proposal=asked.proposal, after=known
    )
    return _state(service, id)


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
    _may(service, who, id, "handle_appeals")
    process.notify(service, id, by=who.name, note=asked.note, after=_known(service, id, if_match))
    return _state(service, id)


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
    asked: shapes.MayBeWhy = NO_REASON,
    if_match: IfMatch = None,
) -> Response:
    """Until it is decided."""
    _may(service, who, id, "withdraw_appeals")
    process.withdraw(
        service, id, by=who.name, reason=asked.reason, after=_known(service, id, if_match)
    )
    return _state(service, id)


@routes.post(
    "/appeals/{id}/review",
    status_code=201,
    summary="Ask for a review",
    response_model=shapes.AppealState,
    responses=ACTING,
    openapi_extra=act("request_reviews"),
)
def review(
    id: Name, asked: shapes.Why, service: Writing, who: TheCaller, if_match: IfMatch = None
) -> Response:
    """上级绩效管理委员会: once; it is decided as the appeal was, by somebody else."""
    _may(service, who, id, "request_reviews")
    process.request_review(
        service, id, asked.reason, by=who.name, after=_known(service, id, if_match)
    )
    return _state(service, id)


def _may(service: Service, who: Caller, name: str, wanted: str) -> None:
    check(who, wanted, service.appeals.place(service.appeals.get(name)))


def _known(service: Service, name: str, if_match: str | None) -> int | None:
    appeal = service.appeals.get(name)

    def since(version: int) -> list[Text]:
        events = appeal.history[version:]
        return [Text(f"{type(e).TOPIC}（{e.by}）", f"{type(e).TOPIC} ({e.by})") for e in events]

    return check_version_read(if_match, appeal.version, since)


def _state(service: Service, name: str, headers: dict[str, str] | None = None) -> Response:
    """How an appeal stands after a write."""
    return _answer(appeal_page(service, name), 201, service.ledger.position(), headers)


def _answer(
    content: dict[str, Any],
    status: int = 200,
    position: int | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    return answer(
        content,
        status,
        position=position,
        headers={"ETag": f'"{content["version"]}"', **(headers or {})},
    )
