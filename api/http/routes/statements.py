"""考核单 over HTTP: a person's figures, how they came about, and what happened to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from api.acts.access import reading
from api.documents import base as shapes
from api.http.authentication import TheCaller, act
from api.http.dependencies import Id, Moment, Reading, ThePeriod, answer, router
from api.http.problems import documented
from domain.errors import Invalid, Reason, Text
from projections.evaluation.provisional import Live, statement_as_of
from projections.explain.derivation import explain
from projections.explain.history import history
from projections.facts.moments import position_of
from projections.month.payable import payout_json, payout_of, postings_alone
from projections.records.statements import Issued
from projections.service import Service

RulebookName = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z][a-z0-9-]{0,62}(@\d{1,4}\.\d{1,4}\.\d{1,4})?$",
        description="where none is named: the branch's pay rulebook that has the person, else the only one settled",
        examples=["elastic-pay"],
    ),
]
Version = Annotated[
    int | None,
    Query(ge=1, le=2**31, description="of the statement; the latest where none is named"),
]

routes = router("statements")


@routes.get(
    "/statements/{period}/{manager}",
    summary="Read a statement",
    response_model=shapes.Statement,
    openapi_extra=act("read_statements"),
    responses=documented(
        "not_found", "refused", "wrong_period", "invalid", "declined", "not_yet", "store"
    ),
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
    answer.
    """
    with reading(service, who, manager, period, "statement"):
        if as_of is None:
            alone = None if rulebook or version else postings_alone(service, manager, period)
            return answer(
                alone
                or _issued(service, service.find_statement(manager, period, rulebook, version))
            )
        if version is not None:
            text = Text("version 与 as_of 只能给一个", "give one of version and as_of, not both")
            raise Invalid([Reason("bad_value", "version", text)])
        return answer(
            _live(
                statement_as_of(
                    service.evaluator,
                    service.rulebooks,
                    manager,
                    period,
                    rulebook,
                    position_of(service.ledger, as_of),
                )
            )
        )


def _issued(service: Service, row: Issued) -> dict[str, Any]:
    return {
        "manager": row.manager,
        "period": row.period,
        "branch": row.branch,
        "team": row.team,
        "rulebook": {
            "id": row.rulebook,
            "version": row.version,
            "digest": service.rulebooks.find(row.rulebook, row.version).digest,
        },
        "version": row.number,
        "position": row.as_of,
        "digest": row.digest,
        "steps": row.steps,
        "warnings": row.warnings,
        "issued": {"by": row.by, "at": row.at, "position": row.position},
        "provisional": False,
        **payout_json(payout_of(service, row)),
    }


def _live(found: Live) -> dict[str, Any]:
    evaluation, statement = found
    rules = evaluation.program.rulebook
    return {
        "manager": statement.manager,
        "period": evaluation.period,
        "branch": evaluation.branch,
        "team": statement.team,
        "rulebook": {"id": rules.id, "version": rules.version, "digest": evaluation.program.digest},
        "version": None,
        "position": evaluation.position,
        "digest": evaluation.digest,
        "steps": statement.steps,
        "warnings": [warning.as_json() for warning in statement.warnings],
        "issued": None,
        "provisional": True,
    }


@routes.get(
    "/statements/{period}/{manager}/derivation",
    summary="Explain a statement",
    response_model=shapes.Derivation,
    openapi_extra=act("read_statements"),
    responses=documented(
        "not_found", "refused", "wrong_period", "invalid", "declined", "not_yet", "store"
    ),
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
    null in the answer.
    """
    with reading(service, who, manager, period, "derivation"):
        return answer(explain(service, manager, period, rulebook, version, as_of).as_json())


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
    """All statement versions and entries of the person and period, in ledger order, with who, when
    and why.
    """
    with reading(service, who, manager, period, "history"):
        return answer(history(service, manager, period, rulebook, as_of))
