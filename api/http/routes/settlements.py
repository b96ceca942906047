"""结算 over HTTP: a branch's period is evaluated and recorded, or read again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from api.acts import settlements as acts
from api.documents import settlements as shapes
from api.documents.parts.field_types import PeriodText
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
from domain.identifiers import ID, Period

IdFilter = Annotated[str | None, Query(pattern=f"^{ID}$")]

routes = router("settlements")


@routes.post(
    "/settlements",
    status_code=201,
    summary="Settle a branch's period",
    response_model=shapes.Settled,
    openapi_extra=act("settle"),
    responses=documented(
        "refused",
        "wrong_period",
        "invalid",
        "not_found",
        "nobody_to_settle",
        "version_clash",
        "too_large",
        "unsupported_media",
    ),
)
def settle(request: Request, asked: shapes.Settle, service: Writing, who: TheCaller) -> Response:
    """Evaluates the branch and issues a new statement version to everyone of the population, all or
    none.

    Without a rulebook: under every rulebook that the branch pays by. `id` is that of the first
    settlement.
    """
    period = Period.parse(asked.period)
    settled, position = acts.settle(service, who, period, asked.branch, asked.rulebook)
    request.app.state.metrics.settlements.inc(len(settled.settlements))
    location = {"Location": f"/v1/settlements/{settled.id}"}
    return answer(settled, 201, position=position, headers=location)


@routes.get(
    "/settlements",
    summary="List the settlements",
    response_model=shapes.Settlements,
    openapi_extra=act("read_settlements"),
)
def list_settlements(
    request: Request,
    service: Reading,
    who: TheCaller,
    period: Annotated[PeriodText | None, Query(examples=["2026-10"])] = None,
    branch: IdFilter = None,
    limit: Limit = PAGE,
    cursor: Cursor = 0,
) -> Response:
    """In ledger order, of a period and a branch or of all that the caller may read; without
    anybody's pay. A page may have fewer than `limit`: read on while there is a `next`.
    """
    listed = acts.list_settlements(
        service,
        who,
        period=Period.parse(period) if period else None,
        branch=branch,
        after=cursor,
        limit=limit,
    )
    return page(request, *listed)


@routes.get(
    "/settlements/{id}",
    summary="Read a settlement",
    response_model=shapes.Settlement,
    openapi_extra=act("read_settlements"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_settlement(id: Position, service: Reading, who: TheCaller) -> Response:
    """What was settled, under which rules, as of which position, by whom."""
    return answer(acts.show_settlement(service, who, id))
