"""Operation over HTTP: whether the service runs and its store answers, what it counts, and what its
problems mean.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, TypeVar

from eventsourcing.persistence import PersistenceError
from fastapi import APIRouter, Path, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.acts import operation as acts
from api.documents import operation as shapes
from api.documents.parts.base import Both
from api.http.authentication import Actor, act, identify, secret_of
from api.http.dependencies import LedgerRoute, answer
from api.http.problems import KINDS, documented
from domain.errors import NotFound, StoreError, Text
from projections.records.accounts.accounts import Caller

T = TypeVar("T")
MAX_READERS = 100  # of metrics, whose keys are remembered
READY_SECONDS = 2  # for the store; whoever probes asks again soon


class StoreTooSlow(StoreError):
    """The store has not answered in time."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                f"数据库{READY_SECONDS} 秒内没有回答",
                f"the database gave no answer within {READY_SECONDS} seconds",
            )
        )


class ProblemNotFound(NotFound):
    """No kind of problem has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(
            Text(
                f"没有问题类型 {code}；全部类型见 /problems",
                f"no problem {code}: /problems lists them all",
            )
        )


async def _soon(ask: Callable[[], T]) -> T:
    """What the store says, in a thread that nobody else waits for. Raises TimeoutError."""
    async with asyncio.timeout(READY_SECONDS):
        return await asyncio.to_thread(ask)


class MetricsRoute(LedgerRoute):
    """A route that answers while the store is away: to the keys that it knew before, by their
    hashes.
    """

    async def find_caller(self, request: Request) -> Caller:
        """Who comes with the request. Raises KeyRequired; and StoreError, StoreTooSlow where the
        store cannot be asked and the key was not known.
        """
        known: dict[str, Caller] = request.app.state.metrics.readers
        hashed = hashlib.sha256(secret_of(request).encode()).hexdigest()
        accounts = request.app.state.service.accounts
        known_before = known.pop(hashed, None)
        try:
            found = await _soon(partial(identify, request, accounts))
        except (TimeoutError, StoreError, PersistenceError) as error:
            if known_before is None:
                raise StoreTooSlow from error
            found = known_before
        if len(known) < MAX_READERS:
            known[hashed] = found
        return found


public = APIRouter(tags=["operation"])
guarded = APIRouter(
    tags=["operation"],
    route_class=MetricsRoute,
    responses=documented("key_required", "forbidden", "store"),
)


@public.get("/health/live", summary="Whether the service runs", response_model=shapes.Health)
async def live() -> Response:
    """It answers, so it does; nothing else is looked at. No key."""
    return answer(shapes.Health(status="ok"))


@public.get(
    "/health/ready",
    summary="Whether the store answers",
    response_model=shapes.Ready,
    responses=documented("store"),
)
async def ready(request: Request) -> Response:
    """The position of the ledger, read from the store, which has two seconds to answer. No key."""
    try:
        return answer(await _soon(partial(acts.check_store, request.app.state.service)))
    except TimeoutError:
        raise StoreTooSlow from None


@guarded.get(
    "/metrics",
    openapi_extra=act("operate"),
    summary="What the service counts",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": shapes.METRICS}}}
    },
)
async def metrics(request: Request, _: Actor) -> Response:
    """Counters in Prometheus' text format. While the store does not answer, the position is the
    last that was known, and whoever was given them before is given them still.
    """
    counted = request.app.state.metrics
    with suppress(TimeoutError, StoreError):
        counted.position.set(await _soon(request.app.state.service.ledger.position))
    return Response(counted.text(), media_type=CONTENT_TYPE_LATEST)


@public.get("/problems", summary="Every kind of problem", response_model=shapes.ProblemKinds)
def read_problems() -> Response:
    """What the service declines with, and what to do about it. No key."""
    return answer(shapes.ProblemKinds(problems=[_kind(code) for code in KINDS]))


@public.get(
    "/problems/{code}",
    summary="A kind of problem",
    response_model=shapes.ProblemKind,
    responses=documented("not_found", "invalid"),
)
def read_problem(
    code: Annotated[str, Path(pattern=r"^[a-z_-]{1,64}$", examples=["not_found"])],
) -> Response:
    """What a problem's `type` stands for. No key."""
    if code not in KINDS:
        raise ProblemNotFound(code)
    return answer(_kind(code))


def _kind(code: str) -> shapes.ProblemKind:
    kind = KINDS[code]
    return shapes.ProblemKind(
        type=f"/problems/{code}",
        code=code,
        status=kind.status,
        title=Both.of(kind.title),
        meaning=Both.of(kind.meaning),
    )
