"""考核周期 over HTTP: a branch's month, its thirteen steps, its closing and what comes after."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response

from api.acts.access import check, check_in_branch, check_publication
from api.acts.cycles import closed_json, resettled_json
from api.documents import cycles as shapes
from api.http.authentication import TheCaller, act
from api.http.dependencies import (
    Id,
    IfMatch,
    Moment,
    Reading,
    ThePeriod,
    Writing,
    answer,
    known_version,
    router,
)
from api.http.problems import documented
from domain.errors import NotFound, Text
from domain.processes.branch_month import BY_CODE
from domain.rights import Place, may
from projections.facts.moments import position_as_of
from projections.month.cycle import Cycle
from projections.month.late_entries import late_evidence
from projections.month.memo import memo_of, published
from projections.records.accounts import Caller

routes = router("cycles")
NOTHING = shapes.DoStep()  # a request without a body
ACTING = documented(
    *(
        "not_ready",
        "closed",
        "declined",
        "separation_of_duties",
        "version_clash",
        "precondition_failed",
    ),
    *("not_found", "refused", "nobody_to_settle", "too_large", "unsupported_media", "invalid"),
)
Code = Annotated[str, Path(pattern=r"^[a-z_]{1,40}$", examples=["total_calculated"])]


@routes.get(
    "/cycles/{period}/{branch}",
    summary="Read a branch's month",
    response_model=shapes.CycleState,
    responses=documented("not_found", "not_yet", "store"),
    openapi_extra=act("read_cycle"),
)
def read_cycle(
    period: ThePeriod, branch: Id, service: Reading, who: TheCaller, as_of: Moment
) -> Response:
    """The thirteen steps with owner, deadline, state and what blocks; the windows, samples,
    findings and payments.
    """
    check_in_branch(who, "read_cycle", branch)
    return _state(Cycle(service, period, branch, position_as_of(service.ledger, as_of)), who)


@routes.post(
    "/cycles/{period}/{branch}/steps/{code}",
    status_code=201,
    summary="Do a step, or do it again",
    response_model=shapes.CycleState,
    responses=ACTING,
    openapi_extra=act("do_steps"),
)
def do_step(
    period: ThePeriod,
    branch: Id,
    code: Code,
    service: Writing,
    who: TheCaller,
    asked: shapes.DoStep = NOTHING,
    if_match: IfMatch = None,
) -> Response:
    """The calculations settle the branch, `reported` publishes the month, `paid` closes it. A redo
    is a new event.
    """
    if code not in BY_CODE:
        listed = ", ".join(BY_CODE)
        raise NotFound(
            Text(
                f"没有步骤 {code}，共有：{listed}", f"there is no step {code}; there are: {listed}"
            )
        )
    check_in_branch(who, BY_CODE[code].act, branch)
    cycle = Cycle(service, period, branch)
    known = _known(cycle, if_match)
    position = service.do_step(cycle, code, by=who.name, note=asked.note, known_version=known)
    return _state(cycle, who, 201, position)


@routes.post(
    "/cycles/{period}/{branch}/sample",
    status_code=201,
    summary="Draw a sample",
    response_model=shapes.Drawn,
    responses=ACTING,
    openapi_extra=act("audit"),
)
def draw_sample(
    period: ThePeriod, branch: Id, asked: shapes.OrderSample, service: Writing, who: TheCaller
) -> Response:
    """Size and seed are recorded first; the seed is of the stored submission: anyone can draw the
    same again.
    """
    check_in_branch(who, "audit", branch)
    drawn = Cycle(service, period, branch).order_sample(
        asked.size, by=who.name, by_team=asked.by_team, by_amount=asked.by_amount
    )
    return answer(drawn, 201, position=drawn["position"])


@routes.post(
    "/cycles/{period}/{branch}/findings",
    status_code=201,
    summary="Record what an audit found",
    response_model=shapes.CycleState,
    responses=ACTING,
    openapi_extra=act("audit"),
)
def record_finding(
    period: ThePeriod, branch: Id, asked: shapes.RecordFinding, service: Writing, who: TheCaller
) -> Response:
    """A blocking finding holds up the closing until it is resolved."""
    check_in_branch(who, "audit", branch)
    cycle = Cycle(service, period, branch)
    position = cycle.record_finding(
        asked.text, by=who.name, manager=asked.manager, blocking=asked.blocking
    )
    return _state(cycle, who, 201, position)


@routes.post(
    "/cycles/{period}/{branch}/findings/{number}/resolve",
    status_code=201,
    summary="Resolve a finding",
    response_model=shapes.CycleState,
    responses=ACTING,
    openapi_extra=act("audit"),
)
def resolve_finding(
    period: ThePeriod,
    branch: Id,
    number: Annotated[int, Path(ge=1, le=100_000)],
    asked: shapes.Resolve,
    service: Writing,
    who: TheCaller,
) -> Response:
    """It was mended, or explained."""
    check_in_branch(who, "audit", branch)
    cycle = Cycle(service, period, branch)
    return _state(cycle, who, 201, cycle.resolve_finding(number, asked.text, by=who.name))


@routes.post(
    "/cycles/{period}/{branch}/close",
    status_code=201,
    summary="Close the month and pay",
    response_model=shapes.ClosedMonth,
    responses=ACTING,
    openapi_extra=act("close"),
)
def close(
    period: ThePeriod,
    branch: Id,
    service: Writing,
    who: TheCaller,
    asked: shapes.DoStep = NOTHING,
    if_match: IfMatch = None,
) -> Response:
    """Pins rules, position and digest. With open findings or unfinished steps it is refused, with
    the list.
    """
    check(who, "close", Place(branch))
    cycle = Cycle(service, period, branch)
    position = service.close_month(
        cycle, by=who.name, note=asked.note, known_version=_known(cycle, if_match)
    )
    return answer(closed_json(cycle, position), 201, position=position)


@routes.post(
    "/cycles/{period}/{branch}/resettle",
    status_code=201,
    summary="Settle a closed month again",
    response_model=shapes.Resettled,
    responses=ACTING,
    openapi_extra=act("resettle"),
)
def resettle(
    period: ThePeriod, branch: Id, asked: shapes.Resettle, service: Writing, who: TheCaller
) -> Response:
    """Posts what differs from what was paid and posted so far into the open month; the second time
    nothing.
    """
    check(who, "resettle", Place(branch))
    cycle = Cycle(service, period, branch)
    content = resettled_json(service, cycle, asked.reason, who.name, asked.appeal)
    return answer(content, 201, position=content["position"])


@routes.get(
    "/cycles/{period}/{branch}/late",
    summary="Read the late evidence",
    response_model=shapes.LateEvidence,
    responses=documented("not_found", "not_yet", "store"),
    openapi_extra=act("read_entries"),
)
def read_late(
    period: ThePeriod, branch: Id, service: Reading, who: TheCaller, as_of: Moment
) -> Response:
    """Every entry after the publication or the close, with its effect on the branch's pay in
    yuan.
    """
    check(who, "read_entries", Place(branch))
    late = late_evidence(Cycle(service, period, branch, position_as_of(service.ledger, as_of)))
    return answer({"branch": branch, "period": str(period), "late": late})


@routes.get(
    "/cycles/{period}/{branch}/memo",
    summary="Read the memo to HR",
    response_model=shapes.Memo,
    responses=documented("declined", "not_found", "not_yet", "store"),
    openapi_extra=act("read_settlements"),
)
def read_memo(
    period: ThePeriod, branch: Id, service: Reading, who: TheCaller, as_of: Moment
) -> Response:
    """部门联系单: the results, who did which step, the samples and what was found, as reported,
    with the digest.
    """
    check(who, "read_settlements", Place(branch))
    return answer(memo_of(Cycle(service, period, branch, position_as_of(service.ledger, as_of))))


@routes.get(
    "/cycles/{period}/{branch}/publication",
    summary="Read what is published",
    response_model=shapes.Publication,
    responses=documented("declined", "not_found", "not_yet", "store"),
    openapi_extra=act("read_publication"),
)
def read_publication(
    period: ThePeriod, branch: Id, service: Reading, who: TheCaller, as_of: Moment
) -> Response:
    """公示: everyone's points, never their pay, and until when they may object; for all who work in
    the branch.
    """
    check_publication(service, who, period, branch)
    return answer(published(Cycle(service, period, branch, position_as_of(service.ledger, as_of))))


def _known(cycle: Cycle, if_match: str | None) -> int | None:
    return known_version(if_match, cycle.state().version, cycle.changes_since)


def _state(cycle: Cycle, who: Caller, status: int = 200, position: int | None = None) -> Response:
    content = cycle.as_json()
    if not may(
        who.seats, "read_statements", Place(cycle.branch)
    ):  # what others were paid is not theirs to read
        content["closed"] = content["closed"] and content["closed"] | {"payments": []}
        content["resettlements"] = [done | {"postings": []} for done in content["resettlements"]]
    return answer(content, status, position=position, headers={"ETag": f'"{content["version"]}"'})
