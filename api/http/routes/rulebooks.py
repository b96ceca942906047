"""管理办法 over HTTP: what is published, checked before, and read as it was written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from api.documents import base as shapes
from api.documents.field_types import MonthText
from api.http.authentication import TheCaller, act, check
from api.http.dependencies import (
    PAGE,
    Content,
    Cursor,
    Limit,
    Reading,
    UnsupportedMedia,
    Writing,
    answer,
    media_type,
    page,
    router,
)
from api.http.problems import documented
from domain.errors import Invalid, NotFound, Reason, Text
from domain.evaluation.programs import program_of, publishable_program
from domain.identifiers import Month
from domain.processes.rulebook_history import Published
from domain.rulebook.checks import Program
from domain.rulebook.differences import find_changes
from projections.records.accounts import Caller
from projections.service import Service

YAML = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain")
RulebookId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,62}$", examples=["elastic-pay"])]
Version = Annotated[str, Path(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$", examples=["3.0.0"])]
From = Annotated[
    MonthText | None, Query(description="the text's own where none is given", examples=["2026-11"])
]
PUBLISHING = documented(
    "already_published",
    "broken_rulebook",
    "invalid",
    "too_large",
    "unsupported_media",
    "version_clash",
)

routes = router("rulebooks")


def _text(request: Request, content: bytes) -> str:
    """The YAML of a body. Raises UnsupportedMedia, Invalid."""
    if media_type(request) not in YAML:
        raise UnsupportedMedia(media_type(request), *YAML)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.start + 1
        why = Text(f"第 {byte} 字节起不是 UTF-8", f"not UTF-8 from byte {byte} on")
        raise Invalid([Reason("encoding", "", why)]) from None


@routes.get(
    "/rulebooks",
    summary="List the published rulebooks",
    response_model=shapes.Rulebooks,
    openapi_extra=act("read_rulebooks"),
    responses=documented("not_yet", "store"),
)
def list_rulebooks(
    request: Request, service: Reading, limit: Limit = PAGE, cursor: Cursor = 0
) -> Response:
    """Every published version, in the order of publication."""
    rows = [row for row in service.rulebooks.all() if row.position > cursor]
    following = rows[limit - 1].position if len(rows) > limit else None
    return page(request, {"rulebooks": [_summary(row) for row in rows[:limit]]}, following)


@routes.post(
    "/rulebooks",
    summary="Check a rulebook",
    response_model=shapes.Checked,
    responses=documented("broken_rulebook", "invalid", "too_large", "unsupported_media"),
    openapi_extra=act("check_rulebooks", **shapes.YAML_BODY),
)
def check_rulebook(request: Request, content: Content) -> Response:
    """Checks a YAML text and runs its examples; publishes nothing. What is wrong has line and
    column.
    """
    program = publishable_program(_text(request, content))
    return answer(_identity(program) | {"examples": len(program.rulebook.examples)})


@routes.get(
    "/rulebooks/{id}/{version}",
    summary="Read a rulebook",
    response_model=shapes.RulebookText,
    openapi_extra=act("read_rulebooks"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_rulebook(id: RulebookId, version: Version, service: Reading) -> Response:
    """The text as it was published, byte for byte, and what it says: parameters, inputs, steps and
    notes.
    """
    row = next((row for row in service.rulebooks.versions(id) if row.version == version), None)
    if row is None:
        raise NotFound(Text(f"{id} 没有版本 {version}", f"{id} has no version {version}"))
    rules = program_of(row.text).rulebook
    said = rules.model_dump(mode="json", include={"notes"}) | {
        "parameters": [
            {
                "name": n,
                "label": p.label.model_dump(),
                "value": str(p.value),
                "unit": p.unit,
                "clause": p.clause,
            }
            for n, p in rules.parameters.items()
        ],
        "inputs": [
            {
                "name": name,
                "label": given.label.model_dump(),
                "read": given.read,
                "clause": given.clause,
            }
            for name, given in rules.inputs.items()
        ],
        "steps": [
            step.model_dump(include={"step", "label", "unit", "clause", "value"})
            for step in rules.steps
        ],
    }
    return answer(_summary(row) | said | {"text": row.text})


@routes.get(
    "/rulebooks/{id}/{version}/diff/{other}",
    summary="Compare two versions of a rulebook",
    response_model=shapes.RulebookChanges,
    openapi_extra=act("read_rulebooks"),
    responses=documented("not_found", "not_yet", "store"),
)
def compare_versions(
    id: RulebookId, version: Version, other: Version, service: Reading
) -> Response:
    """What `other` changes of `version`: parameters, tables, inputs, steps, notes and examples,
    with their clauses.
    """
    old, new = service.rulebooks.find(id, version), service.rulebooks.find(id, other)
    changes = [change.as_json() for change in find_changes(old.rulebook, new.rulebook)]
    return answer({"from": _identity(old), "to": _identity(new), "changes": changes})


@routes.post(
    "/rulebooks/publish",
    status_code=201,
    summary="Publish a rulebook",
    response_model=shapes.Published,
    responses={
        200: {"description": "It was published already", "model": shapes.Published},
        **PUBLISHING,
    },
    openapi_extra=act("publish_rulebooks", **shapes.YAML_BODY),
)
def publish_rulebook(
    request: Request,
    content: Content,
    service: Writing,
    who: TheCaller,
    effective_from: From = None,
) -> Response:
    """Publishes a text whose examples hold, in force from a month on and never changed
    afterwards.
    """
    return _publish(service, _text(request, content), who, effective_from)


@routes.post(
    "/rulebooks/{id}/{version}/publish",
    status_code=201,
    summary="Publish a version of a rulebook",
    response_model=shapes.Published,
    responses={
        200: {"description": "It was published already", "model": shapes.Published},
        **PUBLISHING,
    },
    openapi_extra=act("publish_rulebooks", **shapes.YAML_BODY),
)
def publish_version(
    request: Request,
    id: RulebookId,
    version: Version,
    content: Content,
    service: Writing,
    who: TheCaller,
    effective_from: From = None,
) -> Response:
    """The same, for a text that must have this id and version."""
    text = _text(request, content)
    rules = program_of(text).rulebook
    if (rules.id, rules.version) != (id, version):
        why = Text(
            f"正文是 {rules.id} {rules.version}，地址是 {id} {version}；请改为一致",
            f"the text is {rules.id} {rules.version} and the address {id} {version}: make them the "
            "same",
        )
        raise Invalid([Reason("bad_value", "version", why)])
    return _publish(service, text, who, effective_from)


def _publish(service: Service, text: str, who: Caller, effective_from: str | None) -> Response:
    check(who, "publish_rulebooks")
    month = Month.parse(effective_from) if effective_from else None
    done = service.publish(text, file="rulebook", by=who.name, effective_from=month)
    row = next(
        row
        for row in service.rulebooks.versions(done.program.rulebook.id)
        if row.digest == done.program.digest
    )
    said = {
        "effective_from": str(row.effective_from),
        "position": done.position,
        "impact": done.impact,
    }
    return answer(_identity(done.program) | said, 201 if done.new else 200, position=done.position)


def _identity(program: Program) -> dict[str, Any]:
    return {
        "id": program.rulebook.id,
        "version": program.rulebook.version,
        "digest": program.digest,
    }


def _summary(row: Published) -> dict[str, Any]:
    rules = program_of(row.text).rulebook
    return {
        "id": row.rulebook,
        "version": row.version,
        "title": rules.title.model_dump(),
        "source": rules.source.model_dump(),
        "period": rules.period,
        "effective_from": str(row.effective_from),
        "roles": list(rules.roles),
        "digest": row.digest,
        "position": row.position,
        "by": row.by,
        "at": row.at,
    }
