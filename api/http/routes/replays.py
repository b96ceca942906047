"""重放与试算 over HTTP: what would be under other rules, as of another moment, with other
entries.
"""

from __future__ import annotations

from fastapi import Request, Response

from api.acts.access import replays, supposes
from api.acts.replays import supposed
from api.documents import base as shapes
from api.http.authentication import TheCaller, act
from api.http.dependencies import Position, Reading, Writing, answer, router
from api.http.problems import documented
from api.importing.rows import RawRow
from domain.errors import Invalid, Reason, Text
from domain.evaluation.programs import program_of
from domain.identifiers import Period
from domain.ledger.event_json import instant
from domain.ledger.events import ReplayRun
from projections.records.accounts import Caller
from projections.replay.repeat import asked_in, repeated, run_at, supposed_in
from projections.replay.replay import Question, replay
from projections.service import Service

routes = router("replays")


@routes.post(
    "/replays",
    status_code=201,
    summary="Run a replay",
    response_model=shapes.Replayed,
    openapi_extra=act("replay"),
    responses=documented(
        "invalid",
        "broken_rulebook",
        "wrong_period",
        "not_found",
        "declined",
        "too_large",
        "unsupported_media",
    ),
)
def run_replay(
    request: Request, asked: shapes.Replay, service: Writing, who: TheCaller
) -> Response:
    """Evaluates and records nothing but that it was run: when, by whom, with which parameters and
    digests.

    A refused evaluation has no statements and says why in `findings`; the others are given all the
    same.
    """
    replays(who, asked.branches)
    question = question_of_body(service, who, asked)
    supposes(service, who, question.added, question.left_out)
    found = replay(service, question, by=who.name)
    request.app.state.metrics.replays.inc()
    content = {"id": found.position, "position": found.position, **found.as_json()}
    return answer(
        content, 201, position=found.position, headers={"Location": f"/v1/replays/{found.position}"}
    )


def _may_see(service: Service, who: Caller, run: ReplayRun) -> None:
    """Raises Forbidden unless the caller may replay what the run was about."""
    replays(who, asked_in(run)["branches"])
    supposes(service, who, *supposed_in(run))


def question_of_body(service: Service, who: Caller, asked: shapes.Replay) -> Question:
    """The question that a body asks. Raises Invalid, BrokenRulebook."""
    if asked.rulebook and asked.draft:
        text = Text("rulebook 与 draft 只能给一个", "give one of rulebook and draft, not both")
        raise Invalid([Reason("bad_value", "draft", text)])
    rows = ((f"with.{number}.", RawRow(number, raw)) for number, raw in enumerate(asked.with_))
    return Question(
        tuple(map(Period.parse, asked.periods)),
        tuple(asked.branches),
        asked.rulebook,
        program_of(asked.draft, "draft") if asked.draft else None,
        asked.against,
        asked.as_of,
        tuple(supposed(service, who, rows)),
        tuple(map(_key, asked.without)),
    )


def _key(text: str) -> tuple[str, str]:
    source, _, number = text.partition(":")
    return source, number


@routes.get(
    "/replays/{id}",
    summary="Read that a replay was run",
    response_model=shapes.ReplayRun,
    openapi_extra=act("replay"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_replay(id: Position, service: Reading, who: TheCaller) -> Response:
    """Who asked, when, with which parameters, and the digests of what came out."""
    run = run_at(service, id)
    _may_see(service, who, run)
    return answer(
        {
            "id": id,
            "by": run.by,
            "at": instant(run.at),
            "parameters": asked_in(run),
            "digests": run.digests,
        }
    )


@routes.get(
    "/replays/{id}/differences",
    summary="Read a replay's differences",
    response_model=shapes.Differences,
    openapi_extra=act("replay"),
    responses=documented("not_found", "not_repeatable", "not_yet", "store"),
)
def read_differences(id: Position, service: Reading, who: TheCaller) -> Response:
    """Asks the same of the ledger as it was then, and gives the comparison; null where none was
    asked for.

    What was recorded, published or chosen since changes nothing; the digests are those of the run,
    or it is declined.
    """
    _may_see(service, who, run_at(service, id))
    return answer({"id": id, "comparison": repeated(service, id).comparison})
