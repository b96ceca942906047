"""What every endpoint goes through: the key, the size and the JSON of a request; positions, pages
and answers.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import Annotated, Any, get_type_hints
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query, Security
from fastapi.dependencies.utils import get_flat_params, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api.documents.parts.base import Document, Shape
from api.documents.parts.field_types import MomentInAddress, PeriodText
from api.http.authentication import Actor, caller, check, identify
from api.http.problems import documented
from api.importing.bodies import read_json
from domain.errors import MeritError, Text
from domain.identifiers import ID, Period
from projections.records.accounts.accounts import Caller
from projections.service import Service

_IN_ADDRESS = ParamTypes.query, ParamTypes.path
MAX_BYTES, DRAINED_BYTES = 32 * 1024 * 1024, 128 * 1024 * 1024
MAX_BYTES_WITHOUT_KEY = 64 * 1024  # from whom nobody knows
WAIT_SECONDS, WAIT_STEP = 3.0, 0.02
PAGE, MAX_PAGE = 100, 1000
JSON = "application/json"
_LENGTH = re.compile(r"[0-9]{1,18}")
_log = logging.getLogger("uvicorn.error")


class TooLarge(MeritError):
    """A body, or a batch, over the limit."""

    code = "too_large"

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(Text(f"{zh}；请分批发送", f"{en}: send it in parts"))


class UnsupportedMedia(MeritError):
    """A body of a kind that the endpoint does not read."""

    code = "unsupported_media"

    def __init__(self, given: str, *known: str) -> None:
        listed = ", ".join(known)
        super().__init__(
            Text(
                f"内容类型 {given!r} 不能读，可用：{listed}",
                f"content type {given!r} cannot be read; there are: {listed}",
            )
        )


class NotYet(MeritError):
    """The ledger has not reached the position that a read was to wait for."""

    code = "not_yet"
    headers = {"Retry-After": "1"}  # noqa: RUF012

    def __init__(self, wanted: int, reached: int) -> None:
        super().__init__(
            Text(
                f"账本位置为 {reached}，尚未到 {wanted}；请稍后再试",
                f"the ledger is at position {reached} and not yet at {wanted}: try again in a "
                "moment",
            )
        )


class Stopping(MeritError):
    """The service was told to stop before the body had come."""

    code = "busy"
    headers = {"Retry-After": "10"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(
            Text(
                "服务正在停止，内容没有收全，什么也没有记录；请稍后重发",
                "the service is stopping and has not got all of it; nothing was recorded. Send it "
                "again in a moment",
            )
        )


class StateRequired(MeritError):
    """A change must say which state it changes."""

    code = "precondition_required"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "请先读取，再以其 ETag 作为 If-Match 发送",
                "read it first, and send its ETag as If-Match",
            )
        )


class ReadRequest(Request):
    """A request whose body has been read, and its JSON with care: no key twice, no NaN."""

    def __init__(self, request: Request, content: bytes, document: object) -> None:
        super().__init__(request.scope, request.receive)
        self._content, self._document = content, document

    async def body(self) -> bytes:
        """The body."""
        return self._content

    async def json(self) -> Any:
        """The body's JSON."""
        return self._document


class LedgerRoute(APIRoute):
    """A route that wants a key and a right, before anything else is read. It declares its act, or
    is not made.

    What stands in the address and means nothing is refused: else a filter that is misspelt would
    let everything by.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # FastAPI wants documents that are built already; they are built when they are first used.
        for kind in (*get_type_hints(endpoint).values(), options.get("response_model")):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                kind.model_config["defer_build"] = False
                kind.model_rebuild(force=True)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The key and the right, then the body, then the endpoint."""
        handle = super().get_route_handler()
        declared = self.openapi_extra or {}
        wanted: str | None = declared["x-act"]
        needs_role = not declared.get("x-without-role")
        fields = get_flat_params(self.dependant)

        async def handler(request: Request) -> Response:
            if wanted is not None:
                request.state.caller = found = await self.find_caller(request)
                if needs_role:
                    check(found, wanted, None)
            check_address(request, fields)
            content = await _content(request, MAX_BYTES if wanted else MAX_BYTES_WITHOUT_KEY)
            request.state.content = content
            document = None
            if (
                self.body_field is not None and content
            ):  # without a body the endpoint's own default counts
                if media_type(request) != JSON:
                    raise UnsupportedMedia(media_type(request), JSON)
                # A large one takes seconds.
                document = await run_in_threadpool(read_json, content)
            response = await handle(ReadRequest(request, content, document))
            response.headers.setdefault("Cache-Control", "no-store")  # it may show a person
            return response

        return handler

    async def find_caller(self, request: Request) -> Caller:
        """Who comes with the request. Raises KeyRequired."""
        return await run_in_threadpool(identify, request, request.app.state.service.accounts)


def check_address(request: Request, fields: Sequence[Any]) -> None:
    """Raises RequestValidationError where the query has a name that is none of these parameters',
    with all else.
    """
    query, path = (
        [f for f in fields if getattr(f.field_info, "in_", None) is kind] for kind in _IN_ADDRESS
    )
    known = sorted(field.alias for field in query)
    strays = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if not strays:
        return
    zh = f"可用：{'、'.join(known)}" if known else "该地址没有查询参数"
    en = f"there are: {', '.join(known)}" if known else "there is none"
    text = Text(f"未知查询参数；{zh}", f"unknown query parameter; {en}")
    found: list[Any] = [
        {"type": "unknown_parameter", "loc": ("query", name), "msg": text} for name in strays
    ]
    for given, of in ((query, request.query_params), (path, request.path_params)):
        found += request_params_to_args(given, of)[1]
    raise RequestValidationError(found)


async def _content(request: Request, most: int) -> bytes:
    """The body. Raises TooLarge; and HTTPException, which nobody hears, where its sender has left.

    A little too much is read to its end and dropped: most clients look for the answer only when all
    is sent.
    """
    drained = DRAINED_BYTES if most == MAX_BYTES else 2 * most
    declared = request.headers.get("content-length", "")
    size = int(declared) if _LENGTH.fullmatch(declared) else 0
    parts: list[bytes] = []
    if size <= drained:
        size = 0
        try:
            async for part in request.stream():
                size += len(part)
                if size > drained:
                    break
                if size <= most:
                    parts.append(part)
        except ClientDisconnect:
            _log.info("the sender of %s %s left", request.method, request.scope["route"].path)
            raise HTTPException(HTTPStatus.BAD_REQUEST) from None
        except asyncio.CancelledError:  # told to stop, and the rest has not come in time
            raise Stopping from None
    if size > most:
        raise TooLarge(f"请求内容超过 {most} 字节", f"the body is over {most} bytes")
    return b"".join(parts)


def router(tag: str) -> APIRouter:
    """A router of routes that want a key."""
    return APIRouter(
        prefix="/v1",
        tags=[tag],
        route_class=LedgerRoute,
        responses=documented("key_required", "forbidden", "invalid", "not_yet", "store"),
        dependencies=[Security(caller)],
    )


def media_type(request: Request) -> str:
    """The kind of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


# What endpoints are given


def _service(request: Request, _: Actor) -> Service:
    service: Service = request.app.state.service
    return service


def _content_of(request: Request) -> bytes:
    content: bytes = request.state.content
    return content


async def _waited(
    service: Annotated[Service, Depends(_service)],
    wait: Annotated[
        int | None,
        Query(
            ge=0,
            le=2**63 - 1,
            description="answer once the ledger has reached this position",
            examples=[1042],
        ),
    ] = None,
) -> Service:
    """The ledger once it has reached a position, looking again for a few seconds. Raises NotYet."""
    if wait is not None:
        clock = asyncio.get_running_loop()
        end = clock.time() + WAIT_SECONDS
        while (reached := await run_in_threadpool(service.ledger.position)) < wait:
            if clock.time() >= end:
                raise NotYet(wait, reached)
            await asyncio.sleep(WAIT_STEP)
    return service


def _period(
    period: Annotated[
        PeriodText, Path(description="2026-10, 2026-Q3, 2026-H2 or 2026", examples=["2026-10"])
    ],
) -> Period:
    return Period.parse(period)


def _moment(
    as_of: Annotated[
        MomentInAddress | None,
        Query(
            description="a ledger position, or an instant; a day alone means its end, and a time "
            "without a zone is of the organisation's zone",
            examples=["1042"],
        ),
    ] = None,
) -> str | None:
    return as_of


Writing = Annotated[Service, Depends(_service)]
Reading = Annotated[Service, Depends(_waited)]
Content = Annotated[bytes, Depends(_content_of)]
ThePeriod = Annotated[Period, Depends(_period)]
Moment = Annotated[str | None, Depends(_moment)]
Id = Annotated[str, Path(pattern=f"^{ID}$")]
Position = Annotated[
    int,
    Path(ge=1, le=2**63 - 1, description="the ledger position at which it stands", examples=[1042]),
]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="how many, at most")]
Cursor = Annotated[
    int, Query(ge=0, le=2**63 - 1, description="where to go on, from the link to the next page")
]
IfMatch = Annotated[str | None, Header(description="the ETag that was read", examples=['"1"'])]

# Answers


def answer(
    content: object,
    status: int = 200,
    *,
    position: int | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A JSON answer; of a write, with the ledger position that it reached."""
    given = dict(headers or {})
    if position is not None:
        given["Merit-Position"] = str(position)
    body = content.json_bytes() if isinstance(content, Document) else orjson.dumps(content)
    return Response(body, status, given, JSON)


def page(request: Request, document: Shape, cursor: int | None) -> Response:
    """One page of a list, with the link to the next (RFC 8288) where there is one."""
    link = _link(request, cursor)
    return answer(document.model_copy(update={"next": link}), headers=_link_header(link))


def _link(request: Request, cursor: int | None) -> str | None:
    """The address of the page that begins at a cursor."""
    if cursor is None:
        return None
    query = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in {"cursor", "wait"}
    ]
    return f"{request.url.path}?{urlencode([*query, ('cursor', str(cursor))])}"


def _link_header(link: str | None) -> dict[str, str]:
    return {} if link is None else {"Link": f'<{link}>; rel="next"'}
