"""薪酬办法 over HTTP: what a branch pays by, from which month on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from api.acts import rulebooks as acts
from api.acts.settlements import list_promotions
from api.acts.versions import Versioned
from api.documents import rulebooks as shapes
from api.documents.parts.field_types import MonthText
from api.documents.settlements import Promotions
from api.http.authentication import TheCaller, act
from api.http.dependencies import (
    Id,
    IfMatch,
    Moment,
    Reading,
    StateRequired,
    ThePeriod,
    Writing,
    answer,
    router,
)
from api.http.problems import documented
from domain.identifiers import Month

routes = router("branches")


@routes.get(
    "/branches/{branch}/rulebooks",
    summary="Read what a branch pays by",
    response_model=shapes.BranchRulebooks,
    responses=documented("not_yet", "store"),
    openapi_extra=act("read_rulebooks"),
)
def read_branch_rulebooks(
    branch: Id,
    service: Reading,
    who: TheCaller,
    as_of: Moment,
    month: Annotated[
        MonthText | None, Query(description="this one, where none is named", examples=["2026-10"])
    ] = None,
) -> Response:
    """The rulebooks of a month, and every choice that was made (the last 1000). The ETag is for
    changing it.
    """
    at = Month.parse(month) if month else None
    return _state(acts.show_branch_rulebooks(service, who, branch, at, as_of))


@routes.put(
    "/branches/{branch}/rulebooks",
    summary="Set what a branch pays by",
    response_model=shapes.BranchRulebooks,
    openapi_extra=act("set_branch_rulebooks"),
    responses=documented(
        "precondition_failed",
        "precondition_required",
        "declined",
        "not_found",
        "invalid",
        "too_large",
        "unsupported_media",
    ),
)
def set_branch_rulebooks(
    branch: Id,
    asked: shapes.SetRulebooks,
    service: Writing,
    who: TheCaller,
    if_match: IfMatch = None,
) -> Response:
    """From a month on the branch pays by these rulebooks; their populations must not share a
    role.
    """
    if if_match is None:
        raise StateRequired
    return _state(acts.set_branch_rulebooks(service, who, branch, asked, version_read=if_match))


@routes.get(
    "/branches/{branch}/promotions/{period}",
    summary="List who stands for promotion and for exit",
    response_model=Promotions,
    responses=documented("not_yet", "store"),
    openapi_extra=act("read_settlements"),
)
def read_promotions(branch: Id, period: ThePeriod, service: Reading, who: TheCaller) -> Response:
    """By what was last settled for the period, usually a year, under rulebooks that say who stands
    for what; with the figures of each statement.
    """
    return answer(list_promotions(service, who, period, branch))


def _state(state: Versioned[shapes.BranchRulebooks]) -> Response:
    headers = {"ETag": f'"{state.version}"'}
    return answer(state.document, position=state.position, headers=headers)
