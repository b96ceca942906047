"""Every route with every role: what the table of rights does not allow is refused, and a refusal
writes nothing.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from fastapi.routing import APIRoute

from domain.processes.branch_month import BY_CODE
from domain.rights import ACTS, EVERYWHERE, Place, Role, Seat, may
from tests.api.service import Service, act_of, routes_of
from tests.worksheet import Ledger as Sheet

HER = "M0007"  # of whom the examples of the API speak; X works elsewhere
PERSON, TEAM, BRANCH = Place("B01", "T1", HER), Place("B01", "T1"), Place("B01")
SEATS = {
    Role.MANAGER: Seat(Role.MANAGER, manager=HER),
    Role.TEAM_LEADER: Seat(Role.TEAM_LEADER, "B01", "T1"),
    Role.BRANCH_LEADER: Seat(Role.BRANCH_LEADER, "B01"),
    Role.BACK_OFFICE: Seat(Role.BACK_OFFICE, "B01"),
}
SCOPED = [*SEATS.values(), *(Seat(role, "B01") for role in Role if role not in SEATS)]
OPEN_TO_ALL = {act for act, roles in ACTS.items() if set(roles) == set(Role)}


class Asked(NamedTuple):
    """How a route is called in the walk, where its example does not do, and what the call is
    about.
    """

    place: Place | None = None  # None: whoever may do it anywhere may do it in B01
    act: str | None = None  # where the endpoint asks for more than the route declares
    json: Any = None
    params: dict[str, str] = {}  # noqa: RUF012
    values: dict[str, object] = {}  # noqa: RUF012


def rating(manager: str) -> dict[str, Any]:
    return Sheet().put("rating", manager, "ability", score="80", source="walk")


WALK = {
    "POST /v1/entries": Asked(PERSON, json=rating(HER)),
    "GET /v1/entries": Asked(PERSON, params={"manager": HER}),
    "POST /v1/settlements": Asked(BRANCH),
    "GET /v1/settlements/{id}": Asked(BRANCH),
    "POST /v1/replays": Asked(BRANCH),
    "GET /v1/replays/{id}": Asked(BRANCH),
    "GET /v1/replays/{id}/differences": Asked(BRANCH),
    "PUT /v1/branches/{branch}/rulebooks": Asked(BRANCH),
    "GET /v1/branches/{branch}/promotions/{period}": Asked(BRANCH),
    "DELETE /v1/accounts/{account}/roles": Asked(params={"role": "auditor"}),
    "DELETE /v1/accounts/{account}/keys/{number}": Asked(values={"number": 9}),
    "GET /v1/cycles/{period}/{branch}/late": Asked(BRANCH),
    "GET /v1/cycles/{period}/{branch}/memo": Asked(BRANCH),
    "GET /v1/appeals": Asked(PERSON, params={"manager": HER}),
    "GET /v1/grants": Asked(PERSON, params={"branch": "B01", "team": "T1"}),
    "GET /v1/grants/uses": Asked(TEAM, params={"branch": "B01", "team": "T1"}),
    "GET /v1/grants/report": Asked(TEAM, params={"branch": "B01", "team": "T1"}),
    "POST /v1/cycles/{period}/{branch}/steps/{code}": Asked(
        act=BY_CODE["submitted"].act, values={"code": "submitted"}
    ),
}


class Walker:
    """Calls routes as somebody who has one seat."""

    def __init__(self, service: Service, ids: dict[str, int]) -> None:
        self.service, self.ids = service, ids
        self.keys: dict[str, tuple[str, str]] = {}

    def key_of(self, seat: Seat) -> tuple[str, str]:
        """The name and key of whoever has this seat."""
        if str(seat) not in self.keys:
            name = f"a{len(self.keys)}"
            secret, _ = self.service.app.state.service.accounts.keys.create(name, "tester", [seat])
            self.keys[str(seat)] = name, secret
        return self.keys[str(seat)]

    def call(self, seat: Seat, method: str, path: str, **options: Any) -> str:
        """The status; of a refusal by right its kind."""
        options.setdefault("headers", {})["X-API-Key"] = self.key_of(seat)[1]
        response = self.service.request(method, path, **options)
        assert response.status_code < 500, response.text
        return (
            "forbidden"
            if response.text.startswith('{"type":"/problems/forbidden"')
            else str(response.status_code)
        )

    def walk(self, seat: Seat, method: str, route: APIRoute, asked: Asked, **where: str) -> str:
        """A route with its example, about B01 and HER or where it is said."""
        account = self.key_of(seat)[0]
        values = {
            "period": "2026-10",
            "branch": "B01",
            "manager": HER,
            "account": account,
            "version": "3.0.0",
        }
        id_ = next(
            (position for of, position in self.ids.items() if f"/{of}/" in route.path),
            "elastic-pay",
        )
        values |= {"id": id_, "other": "3.0.0"}
        address = re.sub(
            r"\{(\w+)\}", lambda m: str((values | asked.values | where).get(m[1], 1)), route.path
        )
        headers = {"If-Match": "*"}
        if asked.json is not None:
            return self.call(
                seat, method, address, json=asked.json, params=asked.params, headers=headers
            )
        body = self.service.app.openapi()["paths"][route.path][method.lower()].get("requestBody")
        if body is None:
            return self.call(seat, method, address, params=asked.params, headers=headers)
        kind, content = next(iter(body["content"].items()))
        if kind != "application/json":
            return self.call(
                seat, method, address, content=b"id: x", headers=headers | {"content-type": kind}
            )
        shape = content["schema"]["$ref"].rpartition("/")[2]
        example = self.service.app.openapi()["components"]["schemas"][shape]["examples"][0]
        return self.call(seat, method, address, json=example, params=asked.params, headers=headers)


@pytest.fixture
def walker(service: Service) -> Walker:
    """With HER in B01 and X in B02, each settled and replayed."""
    ids = {}
    for branch, manager, team in (("B02", "X", "T9"), ("B01", HER, "T1")):
        sheet = Sheet()
        source = {"branch": branch, "source": f"of-{branch}"}
        sheet.branch("minimum_wage", "1680", **source)
        sheet.hire(manager, team=team, **source)
        sheet.put("sale", manager, "effective_customers", quantity="10", source=source["source"])
        service.append(sheet)
        settled = service.settle(branch=branch)["id"]
        run = service.post(
            "/v1/replays", json={"periods": ["2026-10"], "branches": [branch]}
        ).json()["id"]
        ids |= {
            f"settlements of {branch}": settled,
            f"replays of {branch}": run,
            "settlements": settled,
            "replays": run,
        }
    return Walker(service, ids)


def routes(service: Service) -> list[tuple[str, APIRoute, str]]:
    """Method, route and act of all that want a key."""
    found = [
        (method, route)
        for route in routes_of(service.app)
        for method in sorted(route.methods or ())
    ]
    return [
        (method, route, act)
        for method, route in found
        if route.openapi_extra and (act := act_of(route))
    ]


def test_every_route_of_the_ledger_declares_an_act_of_the_table_but_login(service: Service):
    declared = {f"{method} {route.path}" for method, route, act in routes(service) if act in ACTS}
    every = {
        f"{method} {route.path}"
        for route in routes_of(service.app)
        for method in route.methods or ()
    }
    assert {name for name in every - declared if " /v1/" in name} == {"POST /v1/sessions"}
    assert set(WALK) <= declared


def test_every_route_is_refused_to_exactly_the_roles_that_the_table_does_not_name(walker: Walker):
    wrong = []
    for role in Role:
        seat = SEATS.get(role, Seat(role))
        for method, route, act in routes(walker.service):
            asked = WALK.get(f"{method} {route.path}", Asked())
            allowed = may([seat], act) and may([seat], asked.act or act, asked.place)
            said = walker.walk(seat, method, route, asked)
            if (said == "forbidden") == allowed or said == "401":
                wrong.append(f"{role} {method} {route.path}: {said}, though allowed is {allowed}")
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("role", Role)
def test_entries_that_are_no_ratings_want_the_right_to_record_them(walker: Walker, role: Role):
    seat = SEATS.get(role, Seat(role))
    sale = Sheet().put("sale", HER, "effective_customers", quantity="1", source="walk")
    allowed = may([seat], "record_entries", PERSON)
    assert walker.call(seat, "POST", "/v1/entries", json=sale) == (
        "201" if allowed else "forbidden"
    )


def test_what_is_about_another_branch_or_person_is_refused_to_who_works_in_one_and_nothing_is_written(
    walker: Walker,
):
    for seat in SCOPED:
        walker.key_of(seat)
    before, wrong = walker.service.position, []
    about = [
        (m, r) for m, r, act in routes(walker.service) if re.search(r"\{(branch|manager)\}", r.path)
    ]
    assert len(about) >= 5
    for seat in SCOPED:
        for method, route in about:
            asked = WALK.get(f"{method} {route.path}", Asked())
            said = walker.walk(seat, method, route, asked, branch="B02", manager="X")
            if said != "forbidden" and act_of(route) not in OPEN_TO_ALL:
                wrong.append(f"{seat}: {method} {route.path}: {said}")
    assert not wrong, "\n".join(map(str, wrong))
    assert walker.service.position == before


def elsewhere() -> list[Any]:
    """Entries that are none of B01's business."""
    sheet = Sheet()
    sheet.put("rating", "X", "ability", score="80")
    sheet.put("sale", "X", "effective_customers", quantity="1")
    sheet.put("adjustment", "X", amount="1", reason="r")
    sheet.hire("X", branch="B02", team="T1")
    sheet.hire("NEW", branch="B02", team="T1")
    sheet.branch("minimum_wage", "1", branch="B02")
    sheet.put("measure", "X", "minimum_wage", value="1")
    sheet.reverse({"source": "of-B02", "source_id": "2"})
    return [pytest.param([entry], id=entry["kind"]) for entry in sheet] + [
        pytest.param([rating(HER), sheet[0]], id="one good, one not")
    ]


@pytest.mark.parametrize("entries", elsewhere())
def test_entries_of_another_branch_are_refused_and_with_them_all_that_came_along(
    walker: Walker, entries: list[dict[str, Any]]
):
    for seat in SCOPED:
        walker.key_of(seat)
    before = walker.service.position
    for seat in SCOPED:
        assert walker.call(seat, "POST", "/v1/entries", json=entries) == "forbidden", seat
    assert walker.service.position == before


def test_settlements_replays_and_entries_of_another_branch_or_of_all_are_refused(walker: Walker):
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/settlements", {"json": {"period": "2026-10", "branch": "B02"}}),
        ("GET", f"/v1/settlements/{walker.ids['settlements of B02']}", {}),
        ("POST", "/v1/replays", {"json": {"periods": ["2026-10"], "branches": ["B02"]}}),
        ("POST", "/v1/replays", {"json": {"periods": ["2026-10"], "branches": ["B01", "B02"]}}),
        ("POST", "/v1/replays", {"json": {"periods": ["2026-10"]}}),
        ("GET", f"/v1/replays/{walker.ids['replays of B02']}", {}),
        ("GET", f"/v1/replays/{walker.ids['replays of B02']}/differences", {}),
        ("GET", "/v1/entries", {}),
        ("GET", "/v1/entries", {"params": {"branch": "B02"}}),
        ("GET", "/v1/entries", {"params": {"manager": "X"}}),
        ("GET", "/v1/entries", {"params": {"manager": "X", "branch": "B01"}}),
        ("GET", "/v1/audit/reads", {"params": {"manager": "X"}}),
        ("GET", "/v1/accounts", {}),
        ("POST", "/v1/accounts", {"json": {"account": "new", "roles": [{"role": "admin"}]}}),
        ("POST", "/v1/accounts/a0/roles", {"json": {"role": "admin"}}),
        ("POST", "/v1/accounts/a0/keys", {"json": {}}),
        ("PUT", "/v1/accounts/hr/password", {"json": {"password": "correct horse battery"}}),
    ]
    for seat in SCOPED:
        walker.key_of(seat)
    before = walker.service.position
    for seat in SCOPED:
        for method, address, options in calls:
            assert walker.call(seat, method, address, **options) == "forbidden", (
                seat,
                method,
                address,
                options,
            )
    assert walker.service.position == before


def test_a_seat_everywhere_of_another_role_takes_nothing_from_the_seat_in_a_branch(walker: Walker):
    accounts = walker.service.app.state.service.accounts
    secret, _ = accounts.keys.create(
        "both", "tester", [Seat(Role.AUDITOR), Seat(Role.BACK_OFFICE, "B01")]
    )
    key = {"X-API-Key": secret}
    assert may([Seat(Role.AUDITOR)], "read_entries", EVERYWHERE)
    assert walker.service.post("/v1/entries", json=rating(HER), headers=key).status_code == 201
    assert walker.service.post("/v1/entries", json=rating("X"), headers=key).status_code == 403


def test_a_teams_leader_is_no_leader_of_the_other_team(walker: Walker):
    sheet = Sheet()
    sheet.hire("OTHER", team="T2", source="more")
    walker.service.append(sheet)
    walker.service.settle()
    leader = SEATS[Role.TEAM_LEADER]
    assert walker.call(leader, "GET", f"/v1/statements/2026-10/{HER}") == "200"
    before = walker.service.position
    assert walker.call(leader, "GET", "/v1/statements/2026-10/OTHER") == "forbidden"
    assert walker.call(leader, "POST", "/v1/entries", json=rating("OTHER")) == "forbidden"
    assert walker.service.position == before
