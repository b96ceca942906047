"""A client that holds every answer of the service against its own OpenAPI document: nothing
undocumented passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from api.http.app import create_app
from api.settings import Settings
from tests.worksheet import Ledger

NDJSON = {"content-type": "application/x-ndjson"}
YAML = {"content-type": "application/yaml"}
# What If-Match may bring that is no version of anything.
ODD_TAGS = (b"9" * 5000, b'"9999999999"', b"\xb2", "１".encode(), b"-1", b'"', b"W/*", b"soon")


class Service(TestClient):
    """The service, started, with a key."""

    app: FastAPI

    def request(self, method: str, url: Any, **options: Any) -> Any:  # type: ignore[override]
        response = super().request(method, url, **options)
        check_documented(method, response)
        return response

    @property
    def position(self) -> int:
        reached: int = self.app.state.service.ledger.position()
        return reached

    def append(self, entries: Iterable[dict[str, Any]], status: int = 201) -> dict[str, Any]:
        """Sends entries as NDJSON."""
        lines = b"".join(orjson.dumps(entry) + b"\n" for entry in entries)
        response = self.post("/v1/entries", content=lines, headers=NDJSON)
        assert response.status_code == status, response.text
        body: dict[str, Any] = response.json()
        return body

    def settle(self, period: str = "2026-10", branch: str = "B01") -> dict[str, Any]:
        response = self.post("/v1/settlements", json={"period": period, "branch": branch})
        assert response.status_code == 201, response.text
        body: dict[str, Any] = response.json()
        return body

    def draft(self, cap: str, version: str = "3.1.0") -> str:
        """V3.0 with another performance cap."""
        text: str = self.get("/v1/rulebooks/elastic-pay/3.0.0").json()["text"]
        assert text.count("value: 8000}") == 1
        return text.replace("value: 8000}", f"value: {cap}}}").replace(
            "version: 3.0.0", f"version: {version}", 1
        )


def branch() -> Ledger:
    """B01 in October: A of grade 6 sells enough to be capped at 8000 points, B of grade 8 has a
    deduction.
    """
    sheet = Ledger()
    sheet.branch("minimum_wage", "1680")
    for manager, grade in (("A", 6), ("B", 8)):
        sheet.hire(manager, grade)
        sheet.rate_gs(manager, "80")
    sheet.put("sale", "A", "effective_customers", quantity="10000")
    sheet.put("deduction", "B", "member_retention", points="10.5")
    return sheet


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Every route of the service."""
    return [route for route in app.routes if isinstance(route, APIRoute)]


def act_of(route: APIRoute) -> str | None:
    """The act that a route declares; it must declare one, if only that it wants none."""
    act: str | None = (route.openapi_extra or {})["x-act"]
    return act


@cache
def documented() -> dict[str, Any]:
    """The OpenAPI document, the same whatever the settings are; making it takes half a second."""
    document: dict[str, Any] = create_app(Settings()).openapi()
    return document


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What OpenAPI says of a request; None where it knows of none."""
    for template, operations in documented()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None


def check_documented(method: str, response: Any) -> None:
    """Status, content type and body must be as documented; without an operation only 404 and 405
    are.
    """
    if method == "HEAD":  # documented as GET, and without a body to look at
        return
    operation, status = operation_of(method, response.url.path), str(response.status_code)
    media = response.headers["content-type"].partition(";")[0]
    if operation is None:
        assert status in {"404", "405"} or response.url.path == "/openapi.json"
        return
    assert status in operation["responses"], (
        f"{method} {response.url.path} → {status}: {response.text}"
    )
    content = operation["responses"][status]["content"]
    assert media in content, f"{media} of {status}"
    if media.endswith("json"):
        schema = content[media]["schema"] | {"components": documented()["components"]}
        Draft202012Validator(schema).validate(response.json())
    if status == "422" or media == "application/problem+json":
        assert response.json()["type"].startswith("/problems/")
        assert response.json()["status"] == response.status_code
