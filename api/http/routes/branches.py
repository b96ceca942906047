"""薪酬办法 over HTTP: what a branch pays by, from which month on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query, Response

from api.acts.versions import StaleState
from api.documents import base as shapes
from api.documents.field_types import MonthText
from api.http.authentication import TheCaller, act, check
from api.http.dependencies import (
    Id,
    IfMatch,
    Moment,
    Reading,
    StateRequired,
    Writing,
    answer,
    router,
)
from api.http.problems import documented
from domain.errors import VersionClash
from domain.identifiers import Month
from domain.rights import Place
from projections.facts.moments import position_as_of
from projections.service import Service

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
    as_of: Moment,
    month: Annotated[
        MonthText | None, Query(description="this one, where none is named", examples=["2026-10"])
    ] = None,
) -> Response:
    """The rulebooks of a month, and every choice that was made (the last 1000). The ETag is for
    changing it.
    """
    known = position_as_of(service.ledger, as_of)
    return _state(service, branch, Month.parse(month) if month else None, as_of=known)


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
    check(who, "set_branch_rulebooks", Place(branch))
    if if_match is None:
        raise StateRequired
    known = len(service.rulebooks.choices(branch))
    if {"*", _etag(known)}.isdisjoint(tag.strip() for tag in if_match.split(",")):
        raise StaleState
    month = Month.parse(asked.from_)
    try:
        position = service.rulebooks.pay_by(
            branch, asked.rulebooks, month, by=who.name, after=known
        )
    except VersionClash:
        raise StaleState from None
    return _state(service, branch, month, position)


def _state(
    service: Service,
    branch: str,
    month: Month | None,
    position: int | None = None,
    as_of: int | None = None,
) -> Response:
    if month is None:
        today = datetime.now(UTC)
        month = Month(today.year, today.month)
    choices = [
        choice
        for choice in service.rulebooks.choices(branch)
        if as_of is None or choice.position <= as_of
    ]
    content: dict[str, Any] = {
        "branch": branch,
        "month": str(month),
        "rulebooks": service.rulebooks.pays_by(branch, month, as_of),
        "choices": [
            {
                "from": str(c.effective_from),
                "rulebooks": c.rulebooks,
                "position": c.position,
                "by": c.by,
                "at": c.at,
            }
            for c in choices[-1000:]
        ],
    }
    if position is not None:
        content["position"] = position
    return answer(content, position=position, headers={"ETag": _etag(len(choices))})


def _etag(choices: int) -> str:
    """Of how many choices have been made: none is ever taken back."""
    return f'"{choices}"'
