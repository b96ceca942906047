"""管理办法 over HTTP: what is published, checked before, and read as it was written."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.acts import rulebooks as acts
from api.documents import rulebooks as shapes
from api.documents.parts.base import Written
from api.documents.parts.field_types import MonthText
from api.http.authentication import TheCaller, act
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
from domain.errors import Invalid, Reason, Text
from domain.identifiers import Month

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
    request: Request, service: Reading, who: TheCaller, limit: Limit = PAGE, cursor: Cursor = 0
) -> Response:
    """Every published version, in the order of publication."""
    document, following = acts.list_rulebooks(service, who, after=cursor, limit=limit)
    return page(request, document, following)


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
    return answer(acts.check_rulebook(_text(request, content), "rulebook"))


@routes.get(
    "/rulebooks/{id}/{version}",
    summary="Read a rulebook",
    response_model=shapes.RulebookText,
    openapi_extra=act("read_rulebooks"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_rulebook(id: RulebookId, version: Version, service: Reading, who: TheCaller) -> Response:
    """The text as it was published, byte for byte, and what it says: parameters, inputs, steps and
    notes.
    """
    return answer(acts.show_rulebook(service, who, id, version))


@routes.get(
    "/rulebooks/{id}/{version}/diff/{other}",
    summary="Compare two versions of a rulebook",
    response_model=shapes.RulebookChanges,
    openapi_extra=act("read_rulebooks"),
    responses=documented("not_found", "not_yet", "store"),
)
def compare_versions(
    id: RulebookId, version: Version, other: Version, service: Reading, who: TheCaller
) -> Response:
    """What `other` changes of `version`: parameters, tables, inputs, steps, notes and examples,
    with their clauses.
    """
    old, new = (acts.find_rulebook(service, who, id, each) for each in (version, other))
    return answer(acts.compare_rulebooks(old, new))


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
    text = _text(request, content)
    return _published(
        acts.publish_rulebook(service, who, text, effective_from=_month(effective_from))
    )


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
    return _published(
        acts.publish_rulebook(
            service,
            who,
            _text(request, content),
            effective_from=_month(effective_from),
            only=acts.RulebookVersion(id, version),
        )
    )


def _month(effective_from: str | None) -> Month | None:
    return Month.parse(effective_from) if effective_from else None


def _published(done: Written[shapes.Published]) -> Response:
    return answer(done.document, 201 if done.document.new else 200, position=done.position)
