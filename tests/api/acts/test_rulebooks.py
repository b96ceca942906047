"""Rulebooks, and what branches pay by, through both doors: the same documents and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.rights import Role, Seat
from tests.api.service import YAML, Service
from tests.command_line import merit

ADDRESS = "/v1/branches/B01/rulebooks"


@pytest.fixture
def draft(service: Service, tmp_path: Path) -> Path:
    """A revision of elastic-pay that is not published."""
    file = tmp_path / "draft.yaml"
    file.write_text(service.draft("6000"), "utf-8")
    return file


def at_console(url: str, *words: object) -> Any:
    done = merit(*words, "--json", database=url)
    assert done.status == 0, done.err
    return done.json


def send(service: Service, address: str, text: str) -> Any:
    return service.post(address, content=text.encode(), headers=YAML).json()


def test_the_list_and_a_text_are_the_same_documents(service: Service, database_url: str) -> None:
    listed = service.get("/v1/rulebooks").json()
    assert at_console(database_url, "rulebook", "list") == listed
    line = next(row for row in listed["rulebooks"] if row["id"] == "elastic-pay")
    assert line["published"] == {name: line[name] for name in ("by", "at", "position")}
    shown = service.get("/v1/rulebooks/elastic-pay/3.0.0").json()
    assert at_console(database_url, "rulebook", "show", "elastic-pay@3.0.0") == shown
    assert shown.items() >= line.items()


def test_a_check_gives_the_same_document(service: Service, database_url: str, draft: Path) -> None:
    checked = send(service, "/v1/rulebooks", draft.read_text("utf-8"))
    assert at_console(database_url, "rulebook", "check", draft) == checked
    assert (checked["ok"], checked["problems"]) == (True, [])
    assert min(checked["steps"], checked["examples"]) > 0


def test_a_publication_and_its_repetition_give_the_same_documents(
    service: Service, database_url: str, draft: Path
) -> None:
    words = ("rulebook", "publish", draft, "--from", "2026-11", "--as", "hr")
    before = service.position
    tried = at_console(database_url, *words, "--dry-run")
    assert (tried["new"], tried["effective_from"], service.position) == (True, "2026-11", before)
    published = at_console(database_url, *words)
    assert published == tried | {"position": before + 1}
    again = send(service, "/v1/rulebooks/publish", draft.read_text("utf-8"))
    assert again == published | {"new": False}
    assert at_console(database_url, "rulebook", "publish", draft) == again


def test_a_difference_is_the_same_document(
    service: Service, database_url: str, draft: Path
) -> None:
    send(service, "/v1/rulebooks/publish", draft.read_text("utf-8"))
    changes = service.get("/v1/rulebooks/elastic-pay/3.0.0/diff/3.1.0").json()
    words = ("rulebook", "diff", "elastic-pay@3.0.0")
    assert at_console(database_url, *words, "elastic-pay@3.1.0") == changes
    assert at_console(database_url, *words, draft) == changes


def test_who_may_not_publish_or_choose_may_not_at_either_door(
    service: Service, database_url: str, draft: Path
) -> None:
    seats = [Seat(Role.BRANCH_LEADER, "B01"), Seat(Role.HR, "B02")]
    key, _ = service.app.state.service.accounts.keys.create("leader", by="hr", seats=seats)
    headers = {"X-API-Key": key}
    before = service.position
    text = draft.read_bytes()
    refused = service.post("/v1/rulebooks/publish", content=text, headers=YAML | headers)
    assert refused.status_code == 403
    choice = {"rulebooks": ["elastic-pay"], "from": "2026-11"}
    tagged = headers | {"If-Match": "*"}
    assert service.put(ADDRESS, json=choice, headers=tagged).status_code == 403
    for words in (
        ("rulebook", "publish", draft),
        ("branch", "rulebooks", "B01", "elastic-pay", "--from", "2026-11"),
    ):
        assert merit(*words, "--as", "leader", database=database_url).status == 2
    assert service.position == before


def test_what_a_branch_pays_by_is_the_same_document(service: Service, database_url: str) -> None:
    words = ("branch", "rulebooks", "B01")
    assert at_console(database_url, *words) == service.get(ADDRESS).json()  # of this month
    before = service.position
    chosen = at_console(database_url, *words, "elastic-pay", "--from", "2026-11", "--as", "hr")
    (choice,) = chosen["choices"]
    assert chosen["position"] == choice["position"] == before + 1
    assert (choice["from"], choice["by"]) == ("2026-11", "hr")
    shown = service.get(ADDRESS, params={"month": "2026-11"})
    assert chosen == shown.json() | {"position": before + 1}
    assert shown.headers["ETag"] == '"1"'
    assert at_console(database_url, *words, "--from", "2026-11") == shown.json()
    then = service.get(ADDRESS, params={"month": "2026-11", "as_of": str(before)}).json()
    assert then["choices"] == []
    assert at_console(database_url, *words, "--from", "2026-11", "--as-of", before) == then


@pytest.mark.parametrize(
    "rulebooks", [["elastic-pay"] * 21, ["elastic-pay@3.0.0"], ["Elastic"]], ids=lambda r: r[0]
)
def test_what_is_no_choice_is_refused_at_both_doors(
    service: Service, database_url: str, rulebooks: list[str]
) -> None:
    before = service.position
    choice = {"rulebooks": rulebooks, "from": "2026-11"}
    assert service.put(ADDRESS, json=choice, headers={"If-Match": "*"}).status_code == 422
    words = ("branch", "rulebooks", "B01", *rulebooks, "--from", "2026-11")
    done = merit(*words, database=database_url)
    assert (done.status, done.out) == (2, "")
    assert "rulebooks" in done.err
    assert service.position == before
