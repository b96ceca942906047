"""Accounts and keys: what one door says of an act, the other says too."""

from __future__ import annotations

import io

import pytest

from api.documents.accounts import CreatedKey
from projections.records.accounts.passwords import MAX_PASSWORD
from tests.api.service import Service
from tests.command_line import merit


def test_both_doors_show_the_same_accounts(service: Service, database_url: str):
    created = service.post("/v1/accounts", json={"account": "li", "roles": [{"role": "auditor"}]})
    assert created.status_code == 201
    listed = merit("account", "list", "--json", database=database_url).json
    assert listed == service.get("/v1/accounts").json()
    shown = merit("account", "show", "li", "--json", database=database_url).json
    assert shown == service.get("/v1/accounts/li").json()


def test_both_doors_say_the_same_of_a_new_key_and_of_a_revoked_one(
    service: Service, database_url: str
):
    service.post("/v1/accounts", json={"account": "li"})
    over_http = service.post("/v1/accounts/li/keys", json={"days": 2}).json()
    typed = merit("key", "create", "li", "--days", 2, "--json", database=database_url).json
    assert set(typed) == set(over_http) == set(CreatedKey.model_fields)
    assert (over_http["number"], typed["number"]) == (1, 2)
    changed = merit("key", "revoke", "li", 1, "--json", database=database_url).json
    assert changed == service.get("/v1/accounts/li").json() | {"position": service.position}


def test_a_password_so_long_that_nobody_could_log_in_with_it_is_refused_at_both_doors(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    service.post("/v1/accounts", json={"account": "li"})
    before, too_long = service.position, "x" * (MAX_PASSWORD + 1)
    over_http = service.put("/v1/accounts/li/password", json={"password": too_long})
    assert over_http.status_code == 422
    monkeypatch.setattr("sys.stdin", io.StringIO(too_long + "\n"))
    typed = merit("account", "password", "li", database=database_url)
    assert (typed.status, str(MAX_PASSWORD) in typed.err) == (2, True)
    assert service.position == before


def test_somebodys_own_password_is_theirs_to_set_at_both_doors_and_no_others(
    service: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    password = "correct horse battery"
    for name in ("li", "wang"):
        opened = {"account": name, "roles": [{"role": "auditor"}]}
        service.post("/v1/accounts", json=opened)
    key = {"X-API-Key": service.post("/v1/accounts/li/keys", json={}).json()["key"]}
    for name, status, ended in (("li", 200, 0), ("wang", 403, 2)):
        over_http = service.put(
            f"/v1/accounts/{name}/password", json={"password": password}, headers=key
        )
        assert over_http.status_code == status
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        typed = merit("account", "password", name, "--as", "li", database=database_url)
        assert typed.status == ended, typed.err


def test_no_door_makes_a_key_for_a_name_without_an_account(service: Service, database_url: str):
    before = service.position
    over_http = service.post("/v1/accounts/misspelt/keys", json={})
    assert over_http.status_code == 404
    typed = merit("key", "create", "misspelt", database=database_url)
    assert (typed.status, typed.out) == (2, "")
    for way in (
        "merit account create misspelt --role",
        "merit key create misspelt --role",
    ):
        assert way in typed.err
    assert service.position == before
    assert merit("account", "show", "misspelt", database=database_url).status == 2
    opened = merit("key", "create", "new", "--role", "auditor", database=database_url)
    assert opened.status == 0


def test_who_has_an_account_logs_out_also_without_a_role(service: Service):
    opened = {"account": "bare", "password": "correct horse battery"}
    assert service.post("/v1/accounts", json=opened).status_code == 201
    token = service.post("/v1/sessions", json=opened).json()["token"]
    bearing = {"X-API-Key": token}
    assert service.get("/v1/accounts", headers=bearing).status_code == 403
    assert service.delete("/v1/sessions", headers=bearing).status_code == 200
    assert service.delete("/v1/sessions", headers=bearing).status_code == 401
