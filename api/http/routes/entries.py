"""Entries over HTTP: taken in, with what became of each; and the audit trail of what was
recorded.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import Query, Request, Response

from api.acts import entries as acts
from api.documents import entries as shapes
from api.documents.parts.field_types import PeriodText
from api.http.authentication import TheCaller, act
from api.http.dependencies import (
    PAGE,
    Content,
    Cursor,
    Limit,
    Moment,
    Reading,
    UnsupportedMedia,
    Writing,
    answer,
    media_type,
    page,
    router,
)
from api.http.problems import KINDS, documented, problem
from api.importing.bodies import KNOWN, NDJSON, read_body
from domain.entries.kinds import KindCode
from domain.identifiers import ID, Period
from projections.facts.audit_trail import Filter

MAX_ENTRIES = 10_000  # one transaction of the ledger
IdFilter = Annotated[str | None, Query(pattern=f"^{ID}$")]

routes = router("entries")


@routes.post(
    "/entries",
    status_code=201,
    summary="Append entries",
    response_description="All were accepted",
    responses={
        200: {"description": "All were duplicates; nothing was appended", "model": shapes.Appended},
        207: {"description": "Some were accepted and some were not", "model": shapes.Appended},
        **documented("entries_rejected", "invalid", "too_large", "unsupported_media"),
    },
    response_model=shapes.Appended,
    openapi_extra=act("record_ratings", **shapes.ENTRY_BODY),
)
def append_entries(
    request: Request, content: Content, service: Writing, who: TheCaller
) -> Response:
    """Takes one entry, an array, NDJSON or CloudEvents (structured, batched or binary) and says
    what became of each.

    An entry is known for ever by its `source` and `source_id`: sent again it is a duplicate, and
    nothing is appended; with other content it is a conflict. Numbers are strings ("12.50") or whole
    numbers; floats are rejected. An item that no published rulebook reads is accepted and marked
    `unknown_item`.
    """
    kind = media_type(request)
    if kind not in {*KNOWN, *NDJSON}:
        raise UnsupportedMedia(kind, *KNOWN)
    rows = read_body(kind, request.headers, content, MAX_ENTRIES)
    appended, position = acts.append_entries(service, who, rows)
    by_status = Counter(result.status for result in appended.results)
    for outcome, number in by_status.items():
        request.app.state.metrics.entries.labels(outcome).inc(number)
    status = _status({*by_status})
    if status == KINDS["entries_rejected"].status:
        detail = KINDS["entries_rejected"].meaning.both
        return problem("entries_rejected", detail, **appended.model_dump())
    return answer(appended, status, position=position)


def _status(outcomes: set[str]) -> int:
    if outcomes == {"accepted"}:
        return 201
    if outcomes == {"duplicate"}:
        return 200
    return 422 if outcomes <= {"rejected", "conflict"} else 207


@routes.get(
    "/entries",
    summary="Read the audit trail",
    response_model=shapes.Trail,
    openapi_extra=act("read_entries"),
)
def read_entries(
    request: Request,
    service: Reading,
    who: TheCaller,
    as_of: Moment,
    manager: IdFilter = None,
    period: Annotated[PeriodText | None, Query(examples=["2026-10"])] = None,
    branch: IdFilter = None,
    kind: KindCode | None = None,
    item: IdFilter = None,
    limit: Limit = PAGE,
    cursor: Cursor = 0,
) -> Response:
    """The entries in ledger order: what each says, who recorded it and when, and what reversed it.

    A reversal stands under the manager, period and item of what it reverses. The entries of a
    branch are its own and those of everyone who works there in the entry's month; of a person
    whoever reads for one branch is given those only. With `as_of`, as the ledger was then.
    """
    wanted = Filter(manager, Period.parse(period) if period else None, branch, kind, item)
    entries = acts.list_entries(service, who, wanted, limit=limit, cursor=cursor, as_of=as_of)
    return page(request, *entries)


@routes.get(
    "/entries/sent",
    summary="Read back what an integration has sent",
    response_model=shapes.Trail,
    openapi_extra=act("record_ratings"),
)
def read_sent_entries(
    request: Request, service: Reading, who: TheCaller, limit: Limit = PAGE, cursor: Cursor = 0
) -> Response:
    """The entries that the calling integration has recorded itself, in ledger order, as in the
    audit trail; none for other callers, who read the trail itself. A page may have fewer than
    `limit`: read on while there is a `next`.
    """
    return page(request, *acts.list_sent_entries(service, who, limit=limit, cursor=cursor))
