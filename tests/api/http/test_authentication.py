"""A key on every route but health, documentation and login; its name is the actor."""

from __future__ import annotations

import re

import pytest

from api.http.app import create_app
from api.http.dependencies import LedgerRoute
from api.settings import Settings
from tests.api.service import Service, act_of, routes_of

ROUTES = routes_of(create_app(Settings()))
PUBLIC = {"/health/live", "/health/ready", "/problems", "/problems/{code}"}
FREE = {*(("GET", path) for path in PUBLIC), ("POST", "/v1/sessions")}
GUARDED = [
    (method, route)
    for route in ROUTES
    for method in route.methods or ()
    if (method, route.path) not in FREE
]
VALUES = {
    "period": "2026-10",
    "manager": "A",
    "branch": "B01",
    "id": "1",
    "version": "3.0.0",
    "other": "3.0.0",
}


@pytest.fixture
def stranger(service: Service) -> Service:
    """A client without a key."""
    del service.headers["X-API-Key"]
    return service


def test_every_route_wants_a_key_but_health_documentation_and_login(stranger: Service):
    assert len(GUARDED) >= 30
    for method, route in GUARDED:
        address = re.sub(r"\{(\w+)\}", lambda m: VALUES.get(m[1], "1"), route.path)
        response = stranger.request(method, address)
        assert response.status_code == 401, f"{method} {address}"
        assert response.json()["type"] == "/problems/key_required"
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    for address in [*PUBLIC, "/openapi.json"]:
        assert stranger.get(address.replace("{code}", "invalid")).status_code == 200, address


def test_every_route_that_wants_a_key_declares_its_act_and_is_not_made_without(stranger: Service):
    for _, route in GUARDED:
        assert isinstance(route, LedgerRoute)
        assert act_of(route)
    with pytest.raises(KeyError):
        LedgerRoute("/v1/secrets", lambda: None)


def test_the_document_has_every_route_and_says_which_want_a_key(stranger: Service):
    paths = stranger.app.openapi()["paths"]
    assert set(paths) == {route.path for route in ROUTES}
    for path, operations in paths.items():
        for method, operation in operations.items():
            wanted = [] if (method.upper(), path) in FREE else [{"bearer": []}, {"header": []}]
            assert operation.get("security", []) == wanted, path


def test_the_key_comes_as_bearer_or_in_its_own_header(stranger: Service):
    secret, _ = stranger.app.state.service.accounts.keys.create("crm", by="tester")

    def status(name: str, value: str) -> int:
        return int(stranger.get("/v1/rulebooks", headers={name: value}).status_code)

    assert status("Authorization", f"Bearer {secret}") == 200
    assert status("Authorization", f"bearer {secret}") == 200
    assert status("X-API-Key", secret) == 200
    assert status("Authorization", f"Basic {secret}") == 401
    for wrong in (secret[:-1], "crm", " "):
        assert status("X-API-Key", wrong) == 401


def test_without_a_key_the_body_is_not_looked_at(stranger: Service):
    response = stranger.post(
        "/v1/entries", content=b"{", headers={"content-type": "application/json"}
    )
    assert response.status_code == 401
