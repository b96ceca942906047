"""分层授权 over HTTP: grants, what is done under them, what becomes of it, and the audit of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from api.acts import grants as acts
from api.documents import grants as shapes
from api.documents.parts.field_types import MonthText
from api.http.authentication import TheCaller, act
from api.http.dependencies import (
    PAGE,
    Cursor,
    Id,
    Limit,
    Moment,
    Position,
    Reading,
    Writing,
    answer,
    page,
    router,
)
from api.http.problems import documented
from domain.identifiers import ID, Month
from domain.processes.grant_terms import Terms, Usage, checked_day
from domain.rights import Role
from projections.records.grants import GrantFilter, UseFilter

IdFilter = Annotated[str | None, Query(pattern=f"^{ID}$")]
MonthFilter = Annotated[
    MonthText | None, Query(description="the month of use", examples=["2026-10"])
]
WRITES = ("invalid", "not_found", "too_large", "unsupported_media")

routes = router("grants")


@routes.post(
    "/grants",
    status_code=201,
    summary="Make a grant",
    response_model=shapes.GrantAt,
    responses=documented(*WRITES, "declined", "version_clash", "forbidden", "separation_of_duties"),
    openapi_extra=act("make_grants"),
)
def make_grant(asked: shapes.MakeGrant, service: Writing, who: TheCaller) -> Response:
    """A role or an account may do a class of acts without asking first, up to a limit a month. It
    never changes.
    """
    given = asked.model_dump(exclude={"from_", "until"})
    terms = Terms(from_day=asked.from_, until_day=asked.until, **given)
    made = acts.make_grant(service, who, terms)
    return answer(made.document, 201, position=made.position)


@routes.get(
    "/grants",
    summary="List grants",
    response_model=shapes.Grants,
    responses=documented("not_yet"),
    openapi_extra=act("read_grants"),
)
def read_grants(
    request: Request,
    service: Reading,
    who: TheCaller,
    branch: IdFilter = None,
    team: IdFilter = None,
    kind: shapes.Kind | None = None,
    role: Role | None = None,
    account: IdFilter = None,
    on: Annotated[
        str | None, Query(description="those that may be used on this day", examples=["2026-10-18"])
    ] = None,
    limit: Limit = PAGE,
    cursor: Cursor = 0,
) -> Response:
    """Grants in the order in which they were made, those that have ended too."""
    wanted = GrantFilter(branch, team, kind, role, account, checked_day("on", on) if on else None)
    return page(request, *acts.list_grants(service, who, wanted, after=cursor, limit=limit))


@routes.post(
    "/grants/{id}/end",
    summary="End a grant",
    response_model=shapes.GrantAt,
    responses=documented(*WRITES, "declined", "version_clash"),
    openapi_extra=act("make_grants"),
)
def end_grant(id: Id, asked: shapes.EndGrant, service: Writing, who: TheCaller) -> Response:
    """It may not be used after its last day; what was done before stays as it was marked."""
    last_day = checked_day("last_day", asked.last_day) if asked.last_day else None
    ended = acts.end_grant(service, who, id, asked.reason, last_day)
    return answer(ended.document, position=ended.position)


@routes.post(
    "/grants/{id}/uses",
    status_code=201,
    summary="Record a use of a grant",
    response_model=shapes.UseAt,
    responses=documented(*WRITES, "version_clash"),
    openapi_extra=act("use_grants"),
)
def use_grant(id: Id, asked: shapes.UseGrant, service: Writing, who: TheCaller) -> Response:
    """What the caller did. Beyond the grant it is recorded all the same, marked, with who answers
    for it until when.
    """
    used = acts.use_grant(service, who, id, Usage(**asked.model_dump()))
    return answer(used.document, 201, position=used.position)


@routes.get(
    "/grants/uses",
    summary="List uses of grants",
    response_model=shapes.Uses,
    responses=documented("not_found", "not_yet"),
    openapi_extra=act("read_grants"),
)
def read_uses(
    request: Request,
    service: Reading,
    who: TheCaller,
    grant: IdFilter = None,
    branch: IdFilter = None,
    team: IdFilter = None,
    by: IdFilter = None,
    month: MonthFilter = None,
    is_open: Annotated[
        bool | None, Query(alias="open", description="beyond the grant, not settled yet")
    ] = None,
    over_limit: Annotated[bool | None, Query(description="beyond the grant")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = 0,
) -> Response:
    """Uses in ledger order, with what became of those that were beyond their grant."""
    wanted = UseFilter(grant, branch, team, by, _month(month), is_open, over_limit)
    return page(request, *acts.list_uses(service, who, wanted, after=cursor, limit=limit))


@routes.post(
    "/grants/uses/{id}/correct",
    summary="Record the correction of a use",
    response_model=shapes.UseAt,
    responses=documented(*WRITES, "declined", "version_clash"),
    openapi_extra=act("use_grants"),
)
def correct_use(
    id: Position, asked: shapes.SettleUse, service: Writing, who: TheCaller
) -> Response:
    """What was done about a use beyond its grant: it is open no more. The use itself stays as it
    was recorded.
    """
    corrected = acts.correct_use(service, who, id, asked.text)
    return answer(corrected.document, position=corrected.position)


@routes.post(
    "/grants/uses/{id}/finding",
    summary="Record a finding upon a use",
    response_model=shapes.UseAt,
    responses=documented(*WRITES, "declined", "version_clash", "forbidden", "separation_of_duties"),
    openapi_extra=act("audit_grants"),
)
def find_upon_use(
    id: Position, asked: shapes.SettleUse, service: Writing, who: TheCaller
) -> Response:
    """What an audit makes of any use, by somebody who neither did it nor answers for it."""
    audited = acts.find_upon_use(service, who, id, asked.text)
    return answer(audited.document, position=audited.position)


@routes.get(
    "/grants/report",
    summary="Report uses by level",
    response_model=shapes.GrantReport,
    responses=documented("not_yet"),
    openapi_extra=act("read_grants"),
)
def read_report(
    service: Reading,
    who: TheCaller,
    as_of: Moment,
    month: MonthFilter = None,
    branch: IdFilter = None,
    team: IdFilter = None,
) -> Response:
    """Totals by class and month: over all and by branch and team, of one branch and its teams, or
    of one team.
    """
    wanted = UseFilter(branch=branch, team=team, month=_month(month))
    return answer(acts.report_uses(service, who, wanted, as_of))


@routes.post(
    "/grants/sample",
    status_code=201,
    summary="Draw a sample of uses",
    response_model=shapes.Sample,
    responses=documented(*WRITES, "version_clash"),
    openapi_extra=act("audit_grants"),
)
def order_sample(asked: shapes.OrderUseSample, service: Writing, who: TheCaller) -> Response:
    """The order is recorded first; its own hash is the seed, so that nobody chooses whom the sample
    falls upon.
    """
    wanted = UseFilter(branch=asked.branch, team=asked.team, month=_month(asked.month))
    drawn = acts.order_sample(
        service, who, asked.size, wanted, by_team=asked.by_team, by_amount=asked.by_amount
    )
    return answer(drawn.document, 201, position=drawn.position)


@routes.get(
    "/grants/samples/{id}",
    summary="Draw an earlier sample again",
    response_model=shapes.Sample,
    responses=documented("not_found", "not_yet"),
    openapi_extra=act("audit_grants"),
)
def read_sample(id: Position, service: Reading, who: TheCaller) -> Response:
    """The same uses as on the day on which it was ordered, as they stand now."""
    return answer(acts.show_sample(service, who, id))


def _month(text: str | None) -> str | None:
    return str(Month.parse(text)) if text else None
