"""What a branch pays by, changed by one person at a time."""

from __future__ import annotations

from typing import Any

from tests.api.service import YAML, Service

ADDRESS = "/v1/branches/B01/rulebooks"
CHOICE = {"rulebooks": ["elastic-pay"], "from": "2026-11"}


def put(service: Service, tag: str | None, **change: Any) -> Any:
    return service.put(ADDRESS, json=CHOICE | change, headers={"If-Match": tag} if tag else {})


def test_a_new_branch_pays_by_elastic_pay_alone(service: Service):
    response = service.get(ADDRESS)
    assert response.json()["rulebooks"] == ["elastic-pay"]
    assert response.json()["choices"] == []


def test_a_choice_holds_from_its_month_on_and_says_who_made_it(service: Service):
    other = service.draft("6000").replace("id: elastic-pay", "id: other-pay", 1)
    assert (
        service.post("/v1/rulebooks/publish", content=other.encode(), headers=YAML).status_code
        == 201
    )
    response = put(service, service.get(ADDRESS).headers["ETag"], rulebooks=["other-pay"])
    assert response.status_code == 200
    assert (
        response.headers["Merit-Position"]
        == str(service.position)
        == str(response.json()["position"])
    )
    assert response.json()["choices"][0]["by"] == "hr"
    assert service.get(ADDRESS, params={"month": "2026-10"}).json()["rulebooks"] == ["elastic-pay"]
    assert service.get(ADDRESS, params={"month": "2027-01"}).json()["rulebooks"] == ["other-pay"]
    both = put(service, "*", rulebooks=["elastic-pay", "other-pay"])
    assert (both.status_code, both.json()["type"]) == (409, "/problems/declined")


def test_a_change_must_name_the_state_that_was_read(service: Service):
    before = service.position
    assert put(service, None).status_code == 428
    tag = service.get(ADDRESS).headers["ETag"]
    assert put(service, '"stale"').status_code == 412
    assert service.position == before
    changed = put(service, f'"stale", {tag}')
    assert changed.status_code == 200
    assert put(service, tag).status_code == 412
    assert put(service, changed.headers["ETag"], **{"from": "2026-12"}).status_code == 200


def test_what_is_not_a_choice_says_why(service: Service):
    assert put(service, "*", rulebooks=[]).status_code == 422
    assert put(service, "*", **{"from": "2026"}).status_code == 422
    assert put(service, "*", rulebooks=["no-such-rules"]).status_code == 404
    assert service.get(ADDRESS, params={"month": "x"}).status_code == 422
