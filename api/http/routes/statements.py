"""考核单 over HTTP: a person's figures, how they came about, and what happened to them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from api.acts import statements as acts
from api.documents import statements as shapes
from api.documents.parts.base import Shape, one_example
from api.http.authentication import TheCaller, act
from api.http.dependencies import Id, Moment, Reading, ThePeriod, answer, router
from api.http.problems import documented

RulebookName = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z][a-z0-9-]{0,62}(@\d{1,4}\.\d{1,4}\.\d{1,4})?$",
        description="where none is named: the branch's pay rulebook that has the person, else the "
        "only one settled",
        examples=["elastic-pay"],
    ),
]
Version = Annotated[
    int | None,
    Query(ge=1, le=2**31, description="of the statement; the latest where none is named"),
]

routes = router("statements")
REFUSALS = documented(
    "not_found", "refused", "wrong_period", "invalid", "declined", "not_yet", "store"
)


def one_of(shape: type[Shape], summary: str) -> dict[int | str, dict[str, object]]:
    """The examples of an answer in this shape, or of postings alone, as OpenAPI lists them."""
    examples = one_example(_example_of(shape), summary)
    examples |= one_example(_example_of(shapes.PostingsAlone), "postings alone")
    return {200: {"content": {"application/json": {"examples": examples}}}}


def _example_of(shape: type[Shape]) -> object:
    return shape.model_json_schema(mode="serialization")["examples"][0]


@routes.get(
    "/statements/{period}/{manager}",
    summary="Read a statement",
    response_model=shapes.Statement | shapes.PostingsAlone,
    openapi_extra=act("read_statements"),
    responses=REFUSALS | one_of(shapes.Statement, "a statement"),
)
def read_statement(
    period: ThePeriod,
    manager: Id,
    service: Reading,
    who: TheCaller,
    as_of: Moment,
    rulebook: RulebookName = None,
    version: Version = None,
) -> Response:
    """The statement as it was issued; with `as_of`, what it would say by what the ledger knew then,
    unrecorded.

    The rulebook may carry a version (`elastic-pay@3.0.0`); with `as_of`, `version` is null in the
    answer. Of somebody without a statement who has something to get or to give back: the postings
    alone.
    """
    statement = acts.show_statement(
        service, who, manager, period, rulebook=rulebook, version=version, as_of=as_of
    )
    return answer(statement)


@routes.get(
    "/statements/{period}/{manager}/derivation",
    summary="Explain a statement",
    response_model=shapes.Derivation | shapes.PostingsAlone,
    openapi_extra=act("read_statements"),
    responses=REFUSALS | one_of(shapes.Derivation, "a derivation"),
)
def read_derivation(
    period: ThePeriod,
    manager: Id,
    service: Reading,
    who: TheCaller,
    as_of: Moment,
    rulebook: RulebookName = None,
    version: Version = None,
) -> Response:
    """Every step with value, unit, formula, clause, what limited it, the steps it reads, and the
    entries behind it.

    With `as_of`: of what the statement would say by what the ledger knew then; then `version` is
    null in the answer. Of somebody without a statement who has something to get or to give back:
    the postings alone, as the statement lists them.
    """
    derivation = acts.explain_statement(
        service, who, manager, period, rulebook=rulebook, version=version, as_of=as_of
    )
    return answer(derivation)


@routes.get(
    "/statements/{period}/{manager}/history",
    summary="Read a statement's history",
    response_model=shapes.History,
    openapi_extra=act("read_statements"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_history(
    period: ThePeriod,
    manager: Id,
    service: Reading,
    who: TheCaller,
    as_of: Moment,
    rulebook: RulebookName = None,
) -> Response:
    """All statement versions, entries and payments of the person and period, in ledger order, with
    who, when and why.
    """
    history = acts.show_history(service, who, manager, period, rulebook=rulebook, as_of=as_of)
    return answer(history)
