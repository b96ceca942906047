"""Methods and query parameters: what an address knows, and that it says so of everything else."""

from __future__ import annotations

import pytest

from tests.api.service import Service, routes_of


def test_allow_names_every_method_of_an_address(service: Service):
    for address, allowed in {
        "/v1/entries": {"GET", "HEAD", "POST"},
        "/v1/branches/B01/rulebooks": {"GET", "HEAD", "PUT"},
        "/v1/settlements": {"GET", "HEAD", "POST"},
        "/health/live": {"GET", "HEAD"},
    }.items():
        response = service.delete(address)
        assert (response.status_code, set(response.headers["Allow"].split(", "))) == (
            405,
            allowed,
        ), address


@pytest.mark.parametrize(
    "address", ["/health/live", "/health/ready", "/problems/store", "/v1/entries"]
)
def test_head_is_get_without_its_body(service: Service, address: str):
    get, head = service.get(address), service.head(address)
    assert (head.status_code, head.content) == (get.status_code, b"") == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["content-type"] == get.headers["content-type"]
    assert service.head("/v1/nothing").status_code == 404
    assert service.head("/v1/cycles/2026-10/B01/close").headers["Allow"] == "POST"


def test_a_misspelt_parameter_is_refused_by_name_together_with_all_else(service: Service):
    response = service.get("/v1/entries?perod=2026-10&limit=0")
    body = response.json()
    assert (response.status_code, body["type"]) == (422, "/problems/invalid")
    by_field = {reason["field"]: reason for reason in body["reasons"]}
    assert set(by_field) == {"perod", "limit"}
    assert by_field["perod"]["code"] == "unknown_field"
    for known in ("period", "manager", "cursor", "wait", "as_of"):
        assert known in by_field["perod"]["message"]
    assert service.post("/v1/settlements?x=1", json={}).json()["reasons"][0]["field"] == "x"


def test_no_route_that_reads_ignores_a_parameter(service: Service):
    paths = sorted(
        r.path for r in routes_of(service.app) if r.path.startswith("/v1/") and "GET" in r.methods
    )
    assert len(paths) > 20
    for path in paths:
        address = path.replace("{period}", "2026-10").replace("{version}", "3.0.0")
        for name in ("id", "position", "number"):
            address = address.replace(f"{{{name}}}", "1")
        address = address.replace("{", "").replace("}", "")
        response = service.get(address, params={"no_such_parameter": "1"})
        assert response.status_code == 422, path
        assert "no_such_parameter" in [reason["field"] for reason in response.json()["reasons"]], (
            path
        )
