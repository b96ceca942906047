"""Accounts over HTTP: opened, given roles and keys, logged in to; and who read whose statement."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rights import Role, Seat
from projections.records.accounts import passwords
from tests.api.service import Service
from tests.store import states

PASSWORD = "correct horse battery"
LEADS = {"role": "branch_leader", "branch": "B01"}
LEADER = {**LEADS, "team": None, "manager": None}


@pytest.fixture
def li(service: Service) -> Service:
    """With the account of Li, who leads B01."""
    opened = service.post(
        "/v1/accounts", json={"account": "li", "roles": [LEADS], "password": PASSWORD}
    )
    assert opened.status_code == 201, opened.text
    return service


def log_in(service: Service, password: str = PASSWORD, name: str = "li") -> Any:
    return service.post("/v1/sessions", json={"account": name, "password": password})


def bearing(secret: str) -> dict[str, str]:
    """As who has this key or token."""
    return {"X-API-Key": secret}


def test_an_account_is_opened_read_and_listed_in_order(li: Service):
    opened = li.get("/v1/accounts/li").json()
    assert opened == {"account": "li", "manager": None, "roles": [LEADER], "keys": []}
    first = li.get("/v1/accounts", params={"limit": 1})
    assert [account["account"] for account in first.json()["accounts"]] == ["hr"]
    rest = li.get(first.json()["next"]).json()
    assert ([account["account"] for account in rest["accounts"]], rest["next"]) == (["li"], None)
    again = li.post("/v1/accounts", json={"account": "li"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/declined")
    assert li.get("/v1/accounts/wang").status_code == 404


def test_a_managers_role_makes_their_statements_the_accounts_own(service: Service):
    role = {"role": "manager", "manager": "A"}
    assert (
        service.post("/v1/accounts", json={"account": "a", "roles": [role]}).json()["manager"]
        == "A"
    )


def test_a_role_counts_from_when_it_is_given_until_it_is_taken_back(li: Service):
    audits = {"role": "auditor"}
    given = li.post("/v1/accounts/li/roles", json=audits)
    assert [role["role"] for role in given.json()["roles"]] == ["branch_leader", "auditor"]
    assert given.headers["Merit-Position"] == str(given.json()["position"]) == str(li.position)
    again = li.post("/v1/accounts/li/roles", json=audits).json()
    assert again["roles"] == given.json()["roles"]
    taken = li.delete("/v1/accounts/li/roles", params=LEADS).json()
    assert [role["role"] for role in taken["roles"]] == ["auditor"]
    assert li.delete("/v1/accounts/li/roles", params=LEADS).status_code == 404
    assert li.post("/v1/accounts/wang/roles", json=audits).status_code == 404
    without_scope = li.post("/v1/accounts/li/roles", json={"role": "team_leader", "branch": "B01"})
    assert (without_scope.status_code, "team" in without_scope.json()["detail"]) == (409, True)
    assert li.post("/v1/accounts/li/roles", json={"role": "boss"}).status_code == 422


def test_a_key_is_shown_once_and_of_two_the_old_one_is_revoked(li: Service):
    first, second = (li.post("/v1/accounts/li/keys", json={"days": 30}).json() for _ in range(2))
    assert [first["number"], second["number"]] == [1, 2]
    assert first["expires_at"] > first["created_at"]
    assert first["key"] not in str(states(li.app.state.service.ledger))
    third = li.post("/v1/accounts/li/keys", json={})
    assert (third.status_code, third.json()["type"]) == (409, "/problems/key_taken")
    assert li.get("/v1/me", headers=bearing(first["key"])).json()["account"] == "li"
    revoked = li.delete("/v1/accounts/li/keys/1").json()
    assert [key["revoked_at"] is None for key in revoked["keys"]] == [False, True]
    assert li.get("/v1/me", headers=bearing(first["key"])).status_code == 401
    assert li.get("/v1/me", headers=bearing(second["key"])).status_code == 200
    assert li.delete("/v1/accounts/li/keys/1").status_code == 404
    lasting = li.post("/v1/accounts/li/keys", json={}).json()
    assert lasting["expires_at"] is None
    assert li.post("/v1/accounts/wang/keys", json={}).status_code == 404


def test_a_session_opens_without_a_key_and_closes_with_its_token(li: Service):
    del li.headers["X-API-Key"]
    opened = log_in(li)
    assert opened.status_code == 201
    token = opened.json()["token"]
    assert token not in str(states(li.app.state.service.ledger))
    mine = li.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert (mine["account"], mine["roles"]) == ("li", [LEADER])
    assert {"read_statements", "read_self"} < set(mine["acts"])
    assert "settle" not in mine["acts"]
    assert li.delete("/v1/sessions", headers=bearing(token)).status_code == 200
    assert li.get("/v1/me", headers=bearing(token)).status_code == 401
    assert li.delete("/v1/sessions", headers=bearing(token)).status_code == 401


def test_a_key_is_not_logged_out(service: Service):
    refused = service.delete("/v1/sessions")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/declined")
    assert service.get("/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("li", PASSWORD + "!"), ("wang", PASSWORD), ("hr", "")]
)
def test_a_wrong_pair_is_401_whichever_of_them_is_wrong(li: Service, name: str, password: str):
    before = li.position
    refused = log_in(li, password, name)
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/wrong_password")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert li.position == before


def test_after_five_wrong_passwords_a_name_waits_though_the_sixth_were_right(
    li: Service, monkeypatch: pytest.MonkeyPatch
):
    # The pause is a second, and a password may take longer than that to check.
    monkeypatch.setattr("api.http.login_throttle.monotonic", lambda: 1000.0)
    assert [log_in(li, "wrong").status_code for _ in range(5)] == [401] * 5
    refused = log_in(li)
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too_many_tries")
    assert int(refused.headers["Retry-After"]) >= 1
    assert log_in(li, "wrong", "wang").status_code == 401


def test_a_right_password_forgets_the_wrong_ones(li: Service):
    for _ in range(2):
        assert [log_in(li, "wrong").status_code for _ in range(4)] == [401] * 4
        assert log_in(li).status_code == 201


def test_a_password_is_set_by_its_owner_or_the_administrator_and_ends_every_session(li: Service):
    token, other = (log_in(li).json()["token"] for _ in range(2))
    own = li.put(
        "/v1/accounts/li/password", json={"password": "another long one"}, headers=bearing(token)
    )
    assert own.status_code == 200
    assert [li.get("/v1/me", headers=bearing(each)).status_code for each in (token, other)] == [
        401,
        401,
    ]
    assert log_in(li).status_code == 401
    token = log_in(li, "another long one").json()["token"]
    anothers = li.put(
        "/v1/accounts/hr/password", json={"password": PASSWORD}, headers=bearing(token)
    )
    assert (anothers.status_code, anothers.json()["type"]) == (403, "/problems/forbidden")
    assert li.put("/v1/accounts/li/password", json={"password": PASSWORD}).status_code == 200
    assert log_in(li).status_code == 201
    assert li.put("/v1/accounts/li/password", json={"password": "short"}).status_code == 422


def test_an_account_without_a_role_may_do_nothing(service: Service):
    service.post("/v1/accounts", json={"account": "new"})
    secret = service.post("/v1/accounts/new/keys", json={}).json()["key"]
    assert service.get("/v1/me", headers=bearing(secret)).status_code == 403
    assert service.get("/v1/rulebooks", headers=bearing(secret)).status_code == 403


def test_whoever_reads_anothers_statement_is_listed_for_auditors_and_who_reads_their_own_is_not(
    settled: Service,
):
    accounts = settled.app.state.service.accounts
    own, _ = accounts.keys.create("a", "tester", [Seat(Role.MANAGER, manager="A")])
    leader, _ = accounts.keys.create("li", "tester", [Seat(Role.BRANCH_LEADER, "B01")])
    auditor, _ = accounts.keys.create("audit", "tester", [Seat(Role.AUDITOR)])
    for path in ("", "/derivation", "/history"):
        for manager, secret in (("A", own), ("A", leader), ("B", leader)):
            read = settled.get(f"/v1/statements/2026-10/{manager}{path}", headers=bearing(secret))
            assert read.status_code == 200, read.text
    asked = {"manager": "A"}
    reads = settled.get("/v1/audit/reads", params=asked, headers=bearing(auditor)).json()["reads"]
    assert [(r["manager"], r["period"], r["what"], r["by"]) for r in reads] == [
        ("A", "2026-10", what, "li") for what in ("statement", "derivation", "history")
    ]
    first = settled.get("/v1/audit/reads", params={"limit": 4}, headers=bearing(auditor)).json()
    rest = settled.get(first["next"], headers=bearing(auditor)).json()
    everyone = [read["manager"] for read in first["reads"] + rest["reads"]]
    assert (everyone, rest["next"]) == (["A", "B"] * 3, None)
    refused = settled.get("/v1/audit/reads", params=asked, headers=bearing(leader))
    assert refused.status_code == 403


def test_rebuilt_readings_are_the_same(settled: Service):
    settled.get("/v1/statements/2026-10/A")
    before, after = settled.app.state.service.rebuild()["readings"]
    assert before == after
    assert [read["by"] for read in settled.get("/v1/audit/reads").json()["reads"]] == ["hr"]


@pytest.mark.parametrize(("meanwhile", "status"), [("another horse battery", 401), (PASSWORD, 201)])
def test_a_password_that_is_set_while_the_old_one_is_verified_is_the_one_that_counts(
    li: Service, monkeypatch: pytest.MonkeyPatch, meanwhile: str, status: int
):
    verifier, calls = passwords._hasher(), []

    class Slow:
        """Verifies as ever; meanwhile, the first time, a password is set."""

        def verify(self, password: str, known: str) -> bool:
            right = verifier.verify(password, known)
            if not calls:
                li.app.state.service.accounts.sessions.set_password("li", meanwhile, by="hr")
            calls.append(password)
            return right

        def hash(self, password: str) -> str:
            return verifier.hash(password)

    monkeypatch.setattr(passwords, "_hasher", Slow)
    assert log_in(li).status_code == status
    assert calls == [PASSWORD, PASSWORD]  # and once more, against what was set
    opened = [state for state in states(li.app.state.service.ledger) if "token_hash" in state]
    assert len(opened) == (status == 201)
