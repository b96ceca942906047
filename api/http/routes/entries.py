"""Entries over HTTP: taken in, with what became of each; and the audit trail of what was
recorded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request, Response

from api.acts.access import may_record
from api.acts.entries import Malformed, every_reason, parsed
from api.documents import base as shapes
from api.documents.field_types import PeriodText
from api.http.authentication import TheCaller, act, check
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
from api.http.problems import KINDS, documented, problem, reason_json
from api.importing.bodies import KNOWN, NDJSON, read_body
from domain.entries.entry import AnyEntry
from domain.entries.kinds import KindCode
from domain.errors import Invalid, Reason, Text
from domain.identifiers import ID, Period
from domain.rights import Place, may
from projections.facts.audit_trail import Filter, Trail
from projections.facts.moments import position_of
from projections.month.late_entries import late_among

if TYPE_CHECKING:
    from api.importing.rows import RawRow
    from domain.ledger.acceptance import Outcome
    from projections.records.accounts import Caller
from projections.service import Service

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
    if not rows:
        raise Invalid([Reason("empty", "", Text("没有记录", "there is no entry"))])
    results = _append(service, rows, who)
    for outcome, number in Counter(result["status"] for result in results).items():
        request.app.state.metrics.entries.labels(outcome).inc(number)
    position = service.ledger.position()
    status = _status({result["status"] for result in results})
    if status == KINDS["entries_rejected"].status:
        detail = KINDS["entries_rejected"].meaning.both
        return problem("entries_rejected", detail, results=results, position=position)
    return answer({"results": results, "position": position}, status, position=position)


def _append(service: Service, rows: list[RawRow], who: Caller) -> list[dict[str, Any]]:
    found = [parsed(row) for row in rows]
    entries = [entry for entry in found if not isinstance(entry, Malformed)]
    may_record(service, who, entries)
    outcomes = iter(service.ledger.append(entries, by=who.name) if entries else ())
    refused = iter(every_reason(service, who, [one for one in found if isinstance(one, Malformed)]))
    knows = lru_cache(service.rulebooks.knows_item)
    results = [
        _rejected(one, next(refused))
        if isinstance(one, Malformed)
        else _result(one, next(outcomes), knows)
        for one in found
    ]
    late = late_among(
        service, [result["position"] for result in results if result["position"] is not None]
    )
    return [result | {"late": result["position"] in late} for result in results]


def _rejected(malformed: Malformed, reasons: tuple[Reason, ...]) -> dict[str, Any]:
    raw = malformed.raw or {}
    return {
        "source": _text(raw.get("source")),
        "source_id": _text(raw.get("source_id")),
        "status": "rejected",
        "position": None,
        "reasons": [reason_json(reason) for reason in reasons],
        "unknown_item": False,
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _result(entry: AnyEntry, outcome: Outcome, knows: Any) -> dict[str, Any]:
    item = getattr(entry, "item", None)
    return {
        "source": entry.source,
        "source_id": entry.source_id,
        "status": outcome.status,
        "position": outcome.position,
        "reasons": [reason_json(reason) for reason in outcome.reasons],
        "unknown_item": item is not None and not knows(entry.kind, item),
    }


def _status(found: set[str]) -> int:
    if found == {"accepted"}:
        return 201
    if found == {"duplicate"}:
        return 200
    return 422 if found <= {"rejected", "conflict"} else 207


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
    place = service.places.place_of(manager, wanted.period, branch) if manager else Place(branch)
    check(who, "read_entries", place)
    if manager and not may(who.seats, "read_entries", Place(manager=manager)):
        wanted = replace(wanted, branch=place.branch)
    lines, following = Trail(service.ledger).page(
        wanted, after=cursor, limit=limit, as_of=position_of(service.ledger, as_of)
    )
    late = late_among(service, [line.position for line in lines])
    return page(
        request,
        {"entries": [line._asdict() | {"late": line.position in late} for line in lines]},
        following,
    )
