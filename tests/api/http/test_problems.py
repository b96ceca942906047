"""Every refusal is a problem whose type this service explains."""

from __future__ import annotations

from typing import Any

import pytest

import api.http.app  # noqa: F401 - every error that the service knows is defined by then
from api.http.problems import KINDS, kind_of
from domain.errors import MeritError, StoreError, Text
from tests.api.service import Service


def every(error: type[MeritError]) -> set[type[MeritError]]:
    return {error}.union(*(every(child) for child in error.__subclasses__()))


def test_every_error_of_the_service_has_a_documented_kind():
    inside = (
        "domain.",
        "projections.",
        "api.http.routes.",
        "api.http.dependencies",
        "api.http.authentication",
    )
    errors = [
        error for error in every(MeritError) - {MeritError} if error.__module__.startswith(inside)
    ]
    assert len(errors) > 15
    for error in errors:
        assert kind_of(error) != "internal", error


def test_an_error_of_its_own_code_has_its_own_kind_and_others_that_of_their_parent():
    class Odd(StoreError):
        code = "odd"

    assert kind_of(Odd) == "store"
    assert {kind_of(error) for error in every(MeritError)} <= set(KINDS)


def test_each_type_is_an_address_that_says_what_it_means_in_both_languages(service: Service):
    kinds = service.get("/problems").json()["problems"]
    assert {kind["code"] for kind in kinds} == set(KINDS)
    for kind in kinds:
        assert service.get(kind["type"]).json() == kind
        assert kind["title"]["zh"] != kind["title"]["en"]
        assert kind["meaning"]["zh"] != kind["meaning"]["en"]
    assert service.get("/problems/no-such-problem").status_code == 404


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("DELETE", "/v1/entries", 405, "method_not_allowed"),
        ("GET", "/v1/settlements/x", 422, "invalid"),
        ("GET", "/v1/settlements/99999999999999999999", 422, "invalid"),
        ("GET", "/v1/statements/2026-10/A%20B", 422, "invalid"),
    ],
)
def test_a_call_that_goes_nowhere_is_a_problem_too(
    service: Service, method: str, address: str, status: int, code: str
):
    response = service.request(method, address)
    body: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, body["status"], body["type"]) == (
        status,
        status,
        f"/problems/{code}",
    )
    assert {"title", "detail"} < set(body)
    assert (response.headers.get("Allow") is not None) == (status == 405)


def test_a_mistake_of_the_program_says_nothing_of_its_inside(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    def broken() -> int:
        raise RuntimeError("secret")

    monkeypatch.setattr(service.app.state.service.ledger, "position", broken)
    quiet = Service(service.app, raise_server_exceptions=False)
    response = super(Service, quiet).request("GET", "/health/ready")
    assert (response.status_code, response.json()["type"]) == (500, "/problems/internal")
    assert "secret" not in response.text


def test_a_store_that_fails_is_503(service: Service, monkeypatch: pytest.MonkeyPatch):
    def unreachable() -> int:
        raise StoreError(Text("连不上", "unreachable"))

    monkeypatch.setattr(service.app.state.service.ledger, "position", unreachable)
    for address in ("/health/ready", "/v1/entries"):
        response = service.get(address)
        assert (response.status_code, response.json()["type"]) == (503, "/problems/store")
    assert service.get("/health/live").status_code == 200
