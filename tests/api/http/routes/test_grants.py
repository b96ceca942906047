"""Grants over HTTP: who may make, use, read, correct and audit them where; and what each answer
says.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.rights import Role, Seat
from tests.api.service import Service
from tests.worksheet import Ledger as Sheet

TODAY = datetime.now(UTC).date()
SEATS = {
    "department": Seat(Role.DEPARTMENT),
    "auditor": Seat(Role.AUDITOR),
    "leader": Seat(Role.BRANCH_LEADER, "B01"),
    "other_leader": Seat(Role.BRANCH_LEADER, "B02"),
    "team_leader": Seat(Role.TEAM_LEADER, "B01", "T1"),
    "wang": Seat(Role.MANAGER, manager="A"),
    "crm": Seat(Role.INTEGRATION),
}
GRANT = {
    "id": "G1",
    "kind": "policy_use",
    "role": "manager",
    "branch": "B01",
    "limit_amount": "1000",
    "from": "2026-10-01",
    "until": "2099-12-31",
}
USE = {"what": "换卡免卡费", "customer": "C-1", "why": "投诉", "day": "2026-10-31", "amount": "600"}


Keys = dict[str, dict[str, str]]  # the header of everybody, by name


@pytest.fixture
def keys(service: Service) -> Keys:
    """Accounts in every role; wang is the manager A, who works in team T1 of B01."""
    sheet = Sheet()
    sheet.hire("A", 6)
    service.append(sheet)
    accounts = service.app.state.service.accounts
    accounts.open("wang", [SEATS["wang"]], by="tester", manager="A")
    return {
        name: {"X-API-Key": accounts.keys.create(name, by="tester", seats=[seat])[0]}
        for name, seat in SEATS.items()
    }


@pytest.fixture
def granted(service: Service, keys: Keys) -> Service:
    """With the grant G1, made and owned by the leader of B01."""
    response = service.post("/v1/grants", json=GRANT, headers=keys["leader"])
    assert response.status_code == 201, response.text
    return service


def use(
    service: Service, key: dict[str, str], status: int = 201, grant: str = "G1", **changed: Any
) -> dict[str, Any]:
    response = service.post(f"/v1/grants/{grant}/uses", json=USE | changed, headers=key)
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    return body["use"] if status == 201 else body


def ids(response: Any, name: str = "uses") -> list[Any]:
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()[name]]


# Making and ending


def test_a_grant_is_made_and_read_back(granted: Service, keys: Keys):
    (found,) = granted.get("/v1/grants?branch=B01&on=2026-10-01", headers=keys["leader"]).json()[
        "grants"
    ]
    assert GRANT.items() <= found.items()
    assert (found["owner"], found["by"], found["correction_days"], found["ended"]) == (
        "leader",
        "leader",
        10,
        None,
    )
    assert (
        ids(granted.get("/v1/grants?branch=B01&on=2026-09-30", headers=keys["leader"]), "grants")
        == []
    )


MAKERS = [
    *(("leader", "B02", 403), ("other_leader", "B02", 201), ("department", "B02", 201)),
    *(
        ("team_leader", "B01", 403),
        ("wang", "B01", 403),
        ("auditor", "B01", 403),
        ("crm", "B01", 403),
    ),
]


def test_grants_are_made_within_ones_scope(service: Service, keys: Keys):
    for number, (name, branch, status) in enumerate(MAKERS):
        before, asked = service.position, GRANT | {"id": f"G{number}", "branch": branch}
        response = service.post("/v1/grants", json=asked, headers=keys[name])
        assert response.status_code == status, (name, branch)
        if status == 403:
            assert response.json()["type"] == "/problems/forbidden"
            assert "分公司负责人" in response.json()["detail"]
            assert "branch leader" in response.json()["detail"]
            assert service.position == before


def test_everything_that_a_grant_leaves_open_is_said(service: Service, keys: Keys):
    wrong = {**GRANT, "limit_amount": 10.5, "until": "2026-09-30", "role": None}
    response = service.post("/v1/grants", json=wrong, headers=keys["leader"])
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid")
    reasons = {(reason["field"], reason["code"]) for reason in response.json()["reasons"]}
    assert reasons == {("limit_amount", "float"), ("until", "bad_value"), ("role", "missing_field")}
    unknown = service.post("/v1/grants", json=GRANT | {"limit": "1"}, headers=keys["leader"])
    assert unknown.json()["reasons"][0]["code"] == "unknown_field"


def test_nobody_grants_to_themselves_or_twice_or_to_nobody(granted: Service, keys: Keys):
    own = granted.post(
        "/v1/grants", json=GRANT | {"id": "G2", "role": "branch_leader"}, headers=keys["leader"]
    )
    assert (own.status_code, own.json()["type"]) == (403, "/problems/separation_of_duties")
    again = granted.post("/v1/grants", json=GRANT, headers=keys["department"])
    assert (again.status_code, again.json()["type"]) == (409, "/problems/declined")
    nobody = granted.post(
        "/v1/grants", json=GRANT | {"id": "G2", "owner": "nobody"}, headers=keys["leader"]
    )
    assert (nobody.status_code, nobody.json()["type"]) == (404, "/problems/not_found")


def test_a_grant_is_ended_once_by_whoever_may_make_it(granted: Service, keys: Keys):
    asked = {"reason": "政策调整", "last_day": (TODAY - timedelta(days=1)).isoformat()}
    for name in ("other_leader", "team_leader", "wang"):
        assert granted.post("/v1/grants/G1/end", json=asked, headers=keys[name]).status_code == 403
    response = granted.post("/v1/grants/G1/end", json=asked, headers=keys["department"])
    assert response.status_code == 200
    assert response.headers["Merit-Position"] == str(granted.position)
    ended = response.json()["grant"]["ended"]
    assert (ended["last_day"], ended["reason"], ended["by"]) == (
        asked["last_day"],
        "政策调整",
        "department",
    )
    again = granted.post("/v1/grants/G1/end", json={"reason": "x"}, headers=keys["leader"])
    assert (again.status_code, again.json()["type"]) == (409, "/problems/declined")
    assert (
        granted.post("/v1/grants/G9/end", json={"reason": "x"}, headers=keys["leader"]).status_code
        == 404
    )
    assert [r["code"] for r in use(granted, keys["wang"], day=TODAY.isoformat())["reasons"]] == [
        "ended"
    ]


# Using


def test_a_manager_uses_a_grant_where_they_work(granted: Service, keys: Keys):
    used = use(granted, keys["wang"])
    assert USE.items() <= used.items()
    assert (used["branch"], used["team"], used["manager"], used["by"]) == ("B01", "T1", "A", "wang")
    assert (used["total"], used["over_limit"], used["reasons"], used["open"]) == (
        "600",
        False,
        [],
        False,
    )
    assert used["id"] == granted.position


def test_a_use_beyond_the_grant_is_a_fact_with_somebody_who_answers(granted: Service, keys: Keys):
    use(granted, keys["wang"])
    within = use(granted, keys["wang"], amount="400")
    beyond = use(granted, keys["wang"], amount="0.01")
    assert (within["total"], within["over_limit"]) == ("1000", False)
    assert (beyond["total"], beyond["over_limit"], beyond["open"], beyond["overdue"]) == (
        "1000.01",
        True,
        True,
        False,
    )
    assert [reason["code"] for reason in beyond["reasons"]] == ["over_amount"]
    assert beyond["accountable"] == "leader"
    assert (
        beyond["deadline"]
        == (date.fromisoformat(beyond["at"][:10]) + timedelta(days=10)).isoformat()
    )
    next_month = use(granted, keys["wang"], day="2026-11-01", amount="1000")
    assert next_month["over_limit"] is False


def test_somebody_it_is_not_for_is_recorded_in_their_own_place(granted: Service, keys: Keys):
    used = use(granted, keys["team_leader"], amount="100")
    assert (used["branch"], used["team"], [r["code"] for r in used["reasons"]]) == (
        "B01",
        "T1",
        ["not_for_them"],
    )
    elsewhere = use(granted, keys["other_leader"])
    assert (elsewhere["branch"], elsewhere["team"]) == ("B02", None)
    assert [reason["code"] for reason in elsewhere["reasons"]] == ["outside_scope", "not_for_them"]


def test_a_use_is_recorded_in_ones_own_place_by_those_who_use_grants(granted: Service, keys: Keys):
    before = granted.position
    assert "班组长" in use(granted, keys["auditor"], 403)["detail"]
    assert use(granted, keys["crm"], 403)["type"] == "/problems/forbidden"
    for name in ("team_leader", "wang"):
        assert (
            use(granted, keys[name], 403, branch="B01", team="T2")["type"] == "/problems/forbidden"
        )
        assert use(granted, keys[name], 403, branch="B02")["type"] == "/problems/forbidden"
    assert granted.position == before
    assert use(granted, keys["wang"], branch="B01", team="T1")["manager"] == "A"
    assert use(granted, keys["team_leader"], branch="B01", team="T1")["team"] == "T1"


def test_a_use_that_says_too_little_is_refused_at_once(granted: Service, keys: Keys):
    later = (TODAY + timedelta(days=2)).isoformat()
    body = use(granted, keys["wang"], 422, why=" ", amount=None, day=later)
    reasons = {(reason["field"], reason["code"]) for reason in body["reasons"]}
    assert reasons == {("why", "missing_field"), ("amount", "missing_field"), ("day", "bad_value")}
    assert use(granted, keys["wang"], 422, amount=0.5)["reasons"][0]["code"] == "float"
    assert use(granted, keys["wang"], 404, grant="G9")["type"] == "/problems/not_found"


def test_eight_at_once_are_neither_lost_nor_slip_under_the_limit(granted: Service, keys: Keys):
    def send(_: int) -> dict[str, Any]:
        return use(granted, keys["wang"], amount="300")

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(send, range(8)))
    assert sorted(int(used["total"]) for used in done) == [300 * number for number in range(1, 9)]
    assert sum(used["over_limit"] for used in done) == 5
    listed = ids(granted.get("/v1/grants/uses?grant=G1", headers=keys["leader"]))
    assert listed == sorted(used["id"] for used in done)


# Settling


def test_a_correction_closes_and_an_auditor_may_still_find(granted: Service, keys: Keys):
    used = use(granted, keys["wang"], amount="1001")
    address, text = f"/v1/grants/uses/{used['id']}", {"text": "已补缴"}
    for name, status in (("other_leader", 403), ("auditor", 403), ("crm", 403)):
        assert (
            granted.post(f"{address}/correct", json=text, headers=keys[name]).status_code == status
        )
    done = granted.post(f"{address}/correct", json=text, headers=keys["team_leader"])
    assert done.status_code == 200
    assert (done.json()["use"]["open"], done.json()["use"]["over_limit"]) == (False, True)
    again = granted.post(f"{address}/correct", json=text, headers=keys["leader"])
    assert (again.status_code, again.json()["type"]) == (409, "/problems/declined")
    found = granted.post(f"{address}/finding", json={"text": "属实"}, headers=keys["auditor"])
    outcomes = found.json()["use"]["outcomes"]
    assert [(o["kind"], o["by"]) for o in outcomes] == [
        ("correction", "team_leader"),
        ("finding", "auditor"),
    ]
    assert outcomes[1]["position"] == granted.position


def test_who_answers_for_a_use_does_not_find_upon_it(granted: Service, keys: Keys):
    used = use(granted, keys["wang"], amount="1001")
    address = f"/v1/grants/uses/{used['id']}/finding"
    own = granted.post(address, json={"text": "得当"}, headers=keys["leader"])
    assert (own.status_code, own.json()["type"]) == (403, "/problems/separation_of_duties")
    for name in ("wang", "team_leader", "other_leader"):
        assert (
            granted.post(address, json={"text": "x"}, headers=keys[name]).json()["type"]
            == "/problems/forbidden"
        )
    done = granted.post(address, json={"text": "不当"}, headers=keys["auditor"])
    assert done.json()["use"]["open"] is False
    assert (
        granted.post(
            "/v1/grants/uses/1/finding", json={"text": "x"}, headers=keys["auditor"]
        ).status_code
        == 404
    )


# Reading


def test_uses_are_filtered_and_paged(granted: Service, keys: Keys):
    within = use(granted, keys["wang"], amount="1000")["id"]
    beyond = use(granted, keys["wang"], amount="1")["id"]
    later = use(granted, keys["team_leader"], day="2026-11-01")["id"]

    def found(query: str) -> list[int]:
        return ids(granted.get(f"/v1/grants/uses?{query}", headers=keys["department"]))

    assert found("") == found("grant=G1") == found("branch=B01") == [within, beyond, later]
    assert found("month=2026-10") == found("by=wang") == [within, beyond]
    assert found("open=true") == found("over_limit=true") == [beyond, later]
    assert found("open=false") == found("over_limit=false") == [within]
    assert found("branch=B01&team=T2") == found("branch=B02") == []
    first = granted.get("/v1/grants/uses?limit=2&branch=B01", headers=keys["department"])
    assert first.headers["Link"] == f'<{first.json()["next"]}>; rel="next"'
    second = granted.get(first.json()["next"], headers=keys["department"])
    assert (ids(first) + ids(second), second.json()["next"]) == ([within, beyond, later], None)
    assert (
        granted.get("/v1/grants/uses?month=2026-13", headers=keys["department"]).status_code == 422
    )


USE_READERS = [
    *(
        ("auditor", "", 200),
        ("department", "", 200),
        ("leader", "", 403),
        ("leader", "branch=B01", 200),
    ),
    *(
        ("leader", "grant=G1", 200),
        ("other_leader", "grant=G1", 403),
        ("other_leader", "branch=B01", 403),
    ),
    *(("team_leader", "branch=B01", 403), ("team_leader", "branch=B01&team=T1", 200)),
    *(
        ("wang", "branch=B01", 403),
        ("wang", "by=wang", 200),
        ("wang", "by=leader", 403),
        ("wang", "", 403),
    ),
    *(("crm", "by=crm", 403), ("leader", "grant=G9", 404)),
]


def test_uses_are_read_within_ones_scope_and_ones_own_always(granted: Service, keys: Keys):
    for name, query, status in USE_READERS:
        response = granted.get(f"/v1/grants/uses?{query}", headers=keys[name])
        assert response.status_code == status, (name, query)


GRANT_READERS = [
    *(
        ("wang", "branch=B01", 200),
        ("wang", "branch=B01&team=T1", 200),
        ("wang", "account=wang", 200),
    ),
    *(("wang", "branch=B01&team=T2", 403), ("wang", "branch=B02", 403), ("wang", "", 403)),
    *(
        ("leader", "branch=B02", 403),
        ("auditor", "", 200),
        ("team_leader", "branch=B01&team=T1", 200),
    ),
]


def test_grants_are_read_within_ones_scope_and_by_managers_where_they_work(
    granted: Service, keys: Keys
):
    for name, query, status in GRANT_READERS:
        response = granted.get(f"/v1/grants?{query}", headers=keys[name])
        assert response.status_code == status, (name, query)


def test_the_report_has_the_levels_that_the_caller_may_see(granted: Service, keys: Keys):
    use(granted, keys["wang"], amount="1000")
    use(granted, keys["wang"], amount="0.5")

    def levels(name: str, query: str) -> list[tuple[str, str, int, int]]:
        response = granted.get(f"/v1/grants/report?{query}", headers=keys[name])
        assert response.status_code == 200, response.text
        return [
            (t["level"], t["amount"], t["over_limit"], t["open"]) for t in response.json()["totals"]
        ]

    figures = ("1000.5", 1, 1)
    assert levels("auditor", "month=2026-10") == [
        ("all", *figures),
        ("branch", *figures),
        ("team", *figures),
    ]
    assert levels("leader", "month=2026-10&branch=B01") == [
        ("branch", *figures),
        ("team", *figures),
    ]
    assert levels("team_leader", "branch=B01&team=T1") == [("team", *figures)]
    assert levels("auditor", "month=2026-11") == []
    for name, query in (
        ("leader", ""),
        ("team_leader", "branch=B01"),
        ("other_leader", "branch=B01"),
        ("wang", ""),
    ):
        assert granted.get(f"/v1/grants/report?{query}", headers=keys[name]).status_code == 403


def test_a_sample_is_drawn_and_drawn_again(granted: Service, keys: Keys):
    done = [use(granted, keys["wang"], amount="1")["id"] for _ in range(5)]
    asked = {"size": 2, "month": "2026-10", "branch": "B01"}
    for name in ("wang", "team_leader", "other_leader"):
        assert granted.post("/v1/grants/sample", json=asked, headers=keys[name]).status_code == 403
    response = granted.post("/v1/grants/sample", json=asked, headers=keys["auditor"])
    assert response.status_code == 201
    sample = response.json()
    assert (sample["population"], len(sample["uses"]), len(sample["seed"])) == (5, 2, 64)
    assert {row["id"] for row in sample["uses"]} < set(done)
    use(granted, keys["wang"], amount="1")
    again = granted.get(f"/v1/grants/samples/{sample['id']}", headers=keys["leader"])
    assert again.json() == sample
    assert (
        granted.get(f"/v1/grants/samples/{sample['id']}", headers=keys["other_leader"]).status_code
        == 403
    )
    assert granted.get("/v1/grants/samples/1", headers=keys["auditor"]).status_code == 404
