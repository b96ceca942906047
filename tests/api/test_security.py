"""A key on every route but health and documentation; its name is the actor."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute

from api.doors import LedgerRoute
from api.routes import branches, entries, operation, replays, rulebooks, settlements, statements
from tests.api.service import Service

MODULES = (entries, settlements, statements, branches, replays, rulebooks)
GUARDED = [route for routes in [*(m.routes for m in MODULES), operation.guarded] for route in routes.routes]
PUBLIC = operation.public.routes
FREE = {"/health/live", "/health/ready", "/problems", "/problems/{code}", "/openapi.json"}
VALUES = {"period": "2026-10", "manager": "A", "branch": "B01", "id": "1", "version": "3.0.0", "other": "3.0.0"}


@pytest.fixture
def stranger(service: Service) -> Service:
    """A client without a key."""
    del service.headers["X-API-Key"]
    return service


def calls() -> list[tuple[str, str]]:
    found = []
    for route in GUARDED:
        assert isinstance(route, APIRoute)
        address = re.sub(r"\{(\w+)\}", lambda m: VALUES[m[1]], route.path)
        found += [(method, address) for method in route.methods or ()]
    return found


def test_every_route_wants_a_key_but_health_and_documentation(stranger: Service):
    assert len(calls()) >= 18
    for method, address in calls():
        response = stranger.request(method, address)
        assert response.status_code == 401, f"{method} {address}"
        assert response.json()["type"] == "/problems/key_required"
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    for address in FREE:
        assert stranger.get(address.replace("{code}", "invalid")).status_code == 200, address


def test_the_document_has_every_route_and_says_which_want_a_key(stranger: Service):
    paths = stranger.app.openapi()["paths"]
    assert set(paths) == {route.path for route in [*GUARDED, *PUBLIC]} | FREE - {"/openapi.json"}
    assert all(isinstance(route, LedgerRoute) for route in GUARDED)
    for path, operations in paths.items():
        for operation_ in operations.values():
            wanted = [] if path in FREE else [{"bearer": []}, {"header": []}]
            assert operation_.get("security", []) == wanted, path


def test_the_key_comes_as_bearer_or_in_its_own_header(stranger: Service):
    secret, _ = stranger.app.state.book.accounts.create("crm", by="tester")

    def status(name: str, value: str) -> int:
        return int(stranger.get("/v1/rulebooks", headers={name: value}).status_code)

    assert status("Authorization", f"Bearer {secret}") == 200
    assert status("Authorization", f"bearer {secret}") == 200
    assert status("X-API-Key", secret) == 200
    assert status("Authorization", f"Basic {secret}") == 401
    for wrong in (secret[:-1], "crm", " "):
        assert status("X-API-Key", wrong) == 401


def test_without_a_key_the_body_is_not_looked_at(stranger: Service):
    response = stranger.post("/v1/entries", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 401
