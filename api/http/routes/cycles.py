"""考核周期 over HTTP: a branch's month, its thirteen steps, its closing and what comes after."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response

from api.acts import cycles as acts
from api.documents import cycles as shapes
from api.http.authentication import TheCaller, act
from api.http.dependencies import Id, IfMatch, Moment, Reading, ThePeriod, Writing, answer, router
from api.http.problems import documented

routes = router("cycles")
NOTHING = shapes.DoStep()  # a request without a body
PLAIN_CLOSING = shapes.Close()
ACTING = documented(
    *(
        "not_ready",
        "check_open",
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
    return _state(acts.show_cycle(service, who, period, branch, as_of))


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
    done = acts.do_step(service, who, period, branch, code, note=asked.note, version_read=if_match)
    return _state(done.document, 201, done.position)


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
    drawn = acts.draw_sample(
        service,
        who,
        period,
        branch,
        asked.size,
        by_team=asked.by_team,
        by_amount=asked.by_amount,
    )
    return answer(drawn.document, 201, position=drawn.position)


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
    done = acts.record_finding(
        service, who, period, branch, asked.text, manager=asked.manager, blocking=asked.blocking
    )
    return _state(done.document, 201, done.position)


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
    done = acts.resolve_finding(service, who, period, branch, number, asked.text)
    return _state(done.document, 201, done.position)


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
    asked: shapes.Close = PLAIN_CLOSING,
    if_match: IfMatch = None,
) -> Response:
    """Pins rules, position and digest. With open findings, of an audit or of the month check, or
    unfinished steps it is refused, with the list.
    """
    closed = acts.close_month(
        service,
        who,
        period,
        branch,
        note=asked.note,
        acknowledged=asked.acknowledge,
        version_read=if_match,
    )
    return answer(closed.document, 201, position=closed.position)


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
    done = acts.resettle_month(service, who, period, branch, asked.reason, appeal=asked.appeal)
    return answer(done.document, 201, position=done.position)


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
    return answer(acts.show_late_entries(service, who, period, branch, as_of))


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
    return answer(acts.show_memo(service, who, period, branch, as_of))


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
    return answer(acts.show_publication(service, who, period, branch, as_of))


def _state(state: shapes.CycleState, status: int = 200, position: int | None = None) -> Response:
    return answer(state, status, position=position, headers={"ETag": f'"{state.version}"'})
