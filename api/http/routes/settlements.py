"""结算 over HTTP: a branch's period is evaluated and recorded, or read again."""

from __future__ import annotations

from fastapi import Request, Response

from api.documents import base as shapes
from api.http.authentication import TheCaller, act, check
from api.http.dependencies import Position, Reading, Writing, answer, router
from api.http.problems import documented
from domain.errors import NotFound, Text
from domain.identifiers import Period
from domain.rights import Place

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
    check(who, "settle", Place(asked.branch))
    settled = service.settle(Period.parse(asked.period), asked.branch, asked.rulebook, by=who.name)
    request.app.state.metrics.settlements.inc(len(settled))
    first, reached = settled[0].id, settled[0].position
    evaluations = [{"settlement": one.id, **one.evaluation.as_json()} for one in settled]
    content = {"id": first, "position": reached, "evaluations": evaluations}
    return answer(content, 201, position=reached, headers={"Location": f"/v1/settlements/{first}"})


@routes.get(
    "/settlements/{id}",
    summary="Read a settlement",
    response_model=shapes.Settlement,
    openapi_extra=act("read_settlements"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_settlement(id: Position, service: Reading, who: TheCaller) -> Response:
    """What was settled, under which rules, as of which position, by whom."""
    found = service.statements.settlement(id)
    if found is None:
        raise NotFound(
            Text(
                f"没有结算 {id}；编号是结算时返回的 id",
                f"no settlement {id}: its id came with the settling",
            )
        )
    check(who, "read_settlements", Place(found.branch))
    content = {
        "id": found.position,
        "period": found.period,
        "branch": found.branch,
        "rulebook": {
            "id": found.rulebook,
            "version": found.version,
            "digest": found.rulebook_digest,
        },
        "as_of": found.as_of,
        "digest": found.digest,
        "managers": found.people,
        "by": found.by,
        "at": found.at,
    }
    return answer(content)
