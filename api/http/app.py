"""The HTTP service: one function wires it. Nothing here connects or reads the environment on
import.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api.documents.entries import SCHEMAS, entry_schemas
from api.documents.problems import Problem
from api.http import problems
from api.http.head_requests import HeadRequests
from api.http.login_throttle import LoginThrottle
from api.http.metrics import Metrics, RequestCounter
from api.http.password_queue import PasswordQueue
from api.http.routes import find_routers
from projections.replay.jobs import Jobs
from projections.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.settings import Settings

DESCRIPTION = """绩效账本: the event ledger that people's pay is derived from, replayed and
explained to the cent.

Every route but health, documentation and login wants an API key (`merit key create NAME`) or a
session. Numbers travel as strings. A write answers with the ledger position that it reached
(`Merit-Position`); a read with `?wait=POSITION` includes it. Refusals are RFC 9457 problems, whose
`type` is an address of this service."""


def create_app(settings: Settings) -> FastAPI:
    """The service over the ledger that the settings name, which is opened, or raises StoreError,
    when it starts.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service = await run_in_threadpool(
            Service.open, settings.database, settings.calendar
        )
        await run_in_threadpool(service.resume)
        app.state.jobs = background = Jobs(service)
        background.start()
        app.state.passwords = passwords = PasswordQueue()
        try:
            yield
        finally:
            await run_in_threadpool(passwords.close)
            await run_in_threadpool(background.stop)
            await run_in_threadpool(service.close)

    app = FastAPI(
        title="Merit Ledger 绩效账本",
        version=version("merit-ledger"),
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        # Their pages load scripts from elsewhere; /openapi.json is the documentation.
        docs_url=None,
        redoc_url=None,
    )
    metrics = Metrics()
    app.state.metrics, app.state.login_throttle = metrics, LoginThrottle()
    app.add_middleware(RequestCounter, metrics=metrics)
    app.add_middleware(HeadRequests)
    problems.install(app)
    for router in find_routers():
        # They are whole already. `include_router` would build each anew for every app.
        app.router.routes.extend(router.routes)
    _complete_openapi(app)
    return app


def _complete_openapi(app: FastAPI) -> None:
    """Adds the shapes that no endpoint names by type: problems, and entries, which the domain reads
    itself.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            problem = Problem.model_json_schema(ref_template=SCHEMAS + "{model}")
            shapes = problem.pop("$defs") | {"Problem": problem} | entry_schemas()
            document["components"]["schemas"] |= shapes
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
