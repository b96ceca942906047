"""`merit account …`, `merit key …`, and what each role may do on the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.documents.accounts import CreatedKey
from domain.rights import EVERYWHERE, Place, Role, Seat, may
from projections.service import Service
from tests.command_line import Run, every_command, merit
from tests.ten_people import HER, ten_people
from tests.worksheet import Ledger as Sheet

PASSWORD = "correct horse battery"
PERSON, TEAM, BRANCH = Place("B01", "T1", HER), Place("B01", "T1"), Place("B01")
OCTOBER, TEAM_OPTIONS = ("2026-10", "--branch", "B01"), ("--branch", "B01", "--team", "T1")
TALK = ("--held-on", "2026-11-25", "--held-by", "l", "--agreed", "a", "--plan", "2026-12-10=p")
DAYS = ("--from", "2026-10-01", "--until", "2026-12-31")
LEADER = {"role": "branch_leader", "branch": "B01", "team": None, "manager": None}
# A command, its act, and what the call is about (None: somewhere is enough).
COMMANDS: list[tuple[tuple[str, ...], str, Place | None]] = [
    (("import", "RATING"), "record_ratings", PERSON),
    (("settle", "2026-10", "--branch", "B01"), "settle", BRANCH),
    (("replay", "2026-10", "--branch", "B01"), "replay", BRANCH),
    (("explain", HER, "2026-10"), "read_statements", PERSON),
    (("history", HER, "2026-10"), "read_statements", PERSON),
    (("rebuild",), "maintain", EVERYWHERE),
    (("serve",), "maintain", EVERYWHERE),
    (("demo",), "maintain", EVERYWHERE),
    (("rulebook", "publish", "RULEBOOK"), "publish_rulebooks", EVERYWHERE),
    (("rulebook", "list"), "read_rulebooks", None),
    (("rulebook", "show", "elastic-pay"), "read_rulebooks", None),
    (("rulebook", "diff", "elastic-pay", "commission"), "read_rulebooks", None),
    (("branch", "rulebooks", "B01"), "read_rulebooks", None),
    (("branch", "promotions", "B01", "2026"), "read_settlements", BRANCH),
    (
        ("branch", "rulebooks", "B01", "elastic-pay", "--from", "2026-10"),
        "set_branch_rulebooks",
        BRANCH,
    ),
    (("check", *OCTOBER), "read_cycle", None),
    (("check", *OCTOBER, "--acknowledge", "missing", "--note", "n"), "close", None),
    (("close", *OCTOBER), "close", None),
    (("resettle", *OCTOBER, "--reason", "r"), "resettle", None),
    (("cycle", "show", *OCTOBER), "read_cycle", None),
    (("cycle", "do", "2026-10", "submitted", "--branch", "B01"), "submit", None),
    (("cycle", "sample", *OCTOBER, "--size", "1"), "audit", None),
    (("cycle", "finding", *OCTOBER, "--text", "t", "--minor"), "audit", None),
    (("cycle", "resolve", "2026-10", "99", "--branch", "B01", "--text", "t"), "audit", None),
    (("cycle", "late", *OCTOBER), "read_entries", BRANCH),
    (("cycle", "memo", *OCTOBER), "read_settlements", BRANCH),
    (("cycle", "publication", *OCTOBER), "read_publication", None),
    (("person", "show", HER), "read_statements", PERSON),
    (("person", "feedback", HER, "2026-10", *TALK), "record_feedback", PERSON),
    (("person", "acknowledge", HER, "elastic-pay"), "acknowledge", PERSON),
    (("appeal", "file", HER, "2026-10", "--reason", "r"), "file_appeals", PERSON),
    (("appeal", "list", "--branch", "B01"), "read_appeals", BRANCH),
    (("appeal", "show", "none"), "read_appeals", None),
    (("appeal", "accept", "none"), "handle_appeals", None),
    (("appeal", "reject", "none", "--reason", "r"), "handle_appeals", None),
    (("appeal", "evidence", "none", "--note", "n"), "add_evidence", None),
    (("appeal", "propose", "none", "RATING"), "handle_appeals", None),
    (("appeal", "decide", "none", "dismissed", "--reason", "r"), "decide_appeals", None),
    (("appeal", "notify", "none"), "handle_appeals", None),
    (("appeal", "withdraw", "none"), "withdraw_appeals", None),
    (("appeal", "review", "none", "--reason", "r"), "request_reviews", None),
    (
        ("grant", "make", "g1", "--kind", "policy_use", "--branch", "B01", *DAYS),
        "make_grants",
        BRANCH,
    ),
    (("grant", "list", *TEAM_OPTIONS), "read_grants", PERSON),
    (("grant", "end", "none", "--reason", "r"), "make_grants", None),
    (("grant", "use", "none", "--what", "w", "--customer", "c", "--why", "y"), "use_grants", None),
    (("grant", "uses", *TEAM_OPTIONS), "read_grants", TEAM),
    (("grant", "correct", "1", "--text", "t"), "use_grants", None),
    (("grant", "finding", "1", "--text", "t"), "audit_grants", None),
    (("grant", "report", *TEAM_OPTIONS), "read_grants", TEAM),
    (("grant", "sample", "--again", "1"), "audit_grants", None),
    (("account", "create", "new"), "manage_accounts", EVERYWHERE),
    (("account", "list"), "manage_accounts", EVERYWHERE),
    (("account", "show", "hr"), "manage_accounts", EVERYWHERE),
    (("account", "grant", "spare", "--role", "auditor"), "manage_accounts", EVERYWHERE),
    (("account", "withdraw", "spare", "--role", "auditor"), "manage_accounts", EVERYWHERE),
    (("account", "password", "spare"), "manage_accounts", EVERYWHERE),
    (("account", "password", "MYSELF"), "keep_self", None),
    (("key", "create", "spare"), "manage_accounts", EVERYWHERE),
    (("key", "revoke", "spare", "1"), "manage_accounts", EVERYWHERE),
    (("key", "list", "spare"), "manage_accounts", EVERYWHERE),
]
WITHOUT_LEDGER = {("rulebook", "check")}  # reads a file and nothing else
SEATS = {
    Role.MANAGER: Seat(Role.MANAGER, manager=HER),
    Role.TEAM_LEADER: Seat(Role.TEAM_LEADER, "B01", "T1"),
    Role.BRANCH_LEADER: Seat(Role.BRANCH_LEADER, "B01"),
    Role.BACK_OFFICE: Seat(Role.BACK_OFFICE, "B01"),
}


def write(path: Path, *raw: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in raw), "utf-8")
    return path


def done(run: Run) -> Run:
    assert run.status == 0, run.err
    return run


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who types the password."""
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))


# accounts and keys


def test_an_account_is_created_given_roles_shown_and_listed(database_url: str, types: None) -> None:
    words = (
        "account",
        "create",
        "li",
        "--role",
        "branch_leader",
        "--branch",
        "B01",
        "--owner",
        "M01",
    )
    created = done(merit(*words, "--password-stdin", "--json", database=database_url)).json
    position = created.pop("position")
    assert created == {"account": "li", "manager": "M01", "roles": [LEADER], "keys": []}
    granted = done(
        merit("account", "grant", "li", "--role", "auditor", "--json", database=database_url)
    ).json
    assert (granted["position"], [role["role"] for role in granted["roles"]]) == (
        position + 1,
        ["branch_leader", "auditor"],
    )
    taken = ("account", "withdraw", "li", "--role", "branch_leader", "--branch", "B01")
    assert [
        role["role"] for role in done(merit(*taken, "--json", database=database_url)).json["roles"]
    ] == ["auditor"]
    assert merit(*taken, database=database_url).status == 2
    assert (
        done(merit("account", "show", "li", database=database_url)).out
        == "li（客户经理 M01）：稽核\n没有密钥\n"
    )
    listed = done(merit("account", "list", "--json", database=database_url)).json
    assert [(one["account"], len(one["roles"])) for one in listed["accounts"]] == [("li", 1)]
    assert listed["next"] is None
    said = done(merit("account", "list", "--lang", "en", database=database_url)).out
    assert said == "li (manager M01): auditor\n"


def test_a_password_comes_from_standard_input_and_opens_sessions(
    database_url: str, types: None
) -> None:
    done(merit("account", "create", "li", database=database_url))
    run = done(merit("account", "password", "li", "--json", database=database_url))
    assert PASSWORD not in run.out
    book = Service.open(database_url)
    assert book.accounts.sessions.log_in("li", PASSWORD) is not None
    book.close()
    short = merit("account", "password", "li", database=database_url)  # nothing more comes
    assert (short.status, "12" in short.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("account", "create", "li", "--branch", "B01"), "--role"),
        (("account", "create", "li", "--role", "boss"), "boss"),
        (("account", "create", "li", "--role", "team_leader", "--branch", "B01"), "team"),
        (("account", "create", "two words"), "two words"),
        (("account", "create", "li", "--role", "hr", "--branch", "B 1"), "B 1"),
        (("account", "show", "nobody"), "nobody"),
        (("account", "grant", "nobody", "--role", "hr"), "nobody"),
        (("account", "password", "nobody"), "nobody"),
        (("key", "revoke", "nobody", "1"), "nobody"),
        (("key", "create", "li", "--days", "0"), "--days"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    tmp_path: Path, types: None, words: tuple[str, ...], said: str
) -> None:
    plain = f"sqlite:///{tmp_path}/plain.db"
    Service.open(plain).close()
    run = merit(*words, database=plain)
    assert (run.status, run.out) == (2, "")
    assert said in run.err


def test_a_key_has_the_role_and_days_that_are_named(database_url: str) -> None:
    words = ("key", "create", "crm", "--role", "integration", "--days", "30", "--json")
    created = done(merit(*words, database=database_url)).json
    assert (created["account"], created["number"]) == ("crm", 1)
    assert set(created) == set(CreatedKey.model_fields)  # what HTTP answers
    again = merit(*words, database=database_url)
    assert (again.status, "merit account grant crm --role" in again.err) == (2, True)
    done(merit("key", "create", "crm", database=database_url))
    account = done(merit("account", "show", "crm", "--json", database=database_url)).json
    assert [role["role"] for role in account["roles"]] == ["integration"]
    keys = done(merit("key", "list", "crm", "--json", database=database_url)).json
    assert keys == account["keys"]
    assert [(key["number"], key["expires_at"] is None) for key in keys] == [(1, False), (2, True)]
    revoked = done(merit("key", "revoke", "crm", "1", database=database_url))
    assert revoked.out == "已吊销 crm 的密钥 1\n"
    first, second = done(
        merit("key", "list", "crm", "--lang", "en", database=database_url)
    ).out.splitlines()
    assert first.startswith("key 1: revoked at ")
    assert second.startswith("key 2: live, without an end; made by ")
    assert merit("key", "revoke", "crm", "1", database=database_url).status == 2
    book = Service.open(database_url)
    assert book.accounts.caller_of(created["key"]) is None
    book.close()


# rights


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """October settled, and an account of each role: what is allowed does not hang on the
    database.
    """
    folder = tmp_path_factory.mktemp("staffed")
    url = f"sqlite:///{folder}/staffed.db"
    b02 = Sheet()
    b02.hire("X01", branch="B02", team="T9", source="b02")
    done(merit("import", write(folder / "october.jsonl", *ten_people(), *b02), database=url))
    done(merit("settle", "2026-10", "--branch", "B01", database=url))
    for role in Role:
        seat = SEATS.get(role, Seat(role))
        scope = [
            word
            for name in ("branch", "team", "manager")
            if (of := getattr(seat, name))
            for word in (f"--{name}", of)
        ]
        done(merit("account", "create", role, "--role", role, *scope, database=url))
    for name in ("nobody", "spare"):
        done(merit("account", "create", name, database=url))
    return url


@pytest.fixture
def files(tmp_path: Path, staffed: str) -> dict[str, str]:
    """What stands for the files of commands."""
    revised = merit("rulebook", "show", "elastic-pay", database=staffed).out.replace(
        ": 3.0.0", ": 3.0.1", 1
    )
    (tmp_path / "revised.yaml").write_text(revised, "utf-8")
    rating = Sheet().put("rating", HER, "initiative", score="60", source="walk")
    return {
        "RATING": str(write(tmp_path / "rating.jsonl", rating)),
        "RULEBOOK": str(tmp_path / "revised.yaml"),
    }


def named(command: Any, *before: str) -> Iterator[tuple[str, ...]]:
    """The words of every command."""
    below: dict[str, Any] = getattr(command, "commands", {})
    if not below:
        yield before
    for name, one in below.items():
        yield from named(one, *before, name)


def test_every_command_is_in_the_list_with_its_act() -> None:
    every = set(named(every_command()))
    listed = {words[: 1 + (words[:2] in every)] for words, _, _ in COMMANDS}
    assert every - listed == WITHOUT_LEDGER


@pytest.mark.parametrize(
    ("words", "act", "place"), COMMANDS, ids=[" ".join(words) for words, _, _ in COMMANDS]
)
def test_a_command_asks_for_its_act_and_writes_nothing_where_it_is_refused(
    staffed: str,
    files: dict[str, str],
    types: None,
    words: tuple[str, ...],
    act: str,
    place: Place | None,
) -> None:
    given = [files.get(word, "spare" if word == "MYSELF" else word) for word in words]
    before = position(staffed)
    refused = merit(*given, "--as", "nobody", database=staffed)
    assert (refused.status, refused.out) == (2, "")
    wanted = "keep_self" if "password" in words else act
    assert f"nobody 无权办理此事（{wanted}）" in refused.err
    assert position(staffed) == before


@pytest.mark.parametrize("role", Role)
def test_each_role_may_run_what_the_table_says_and_nothing_else(
    staffed: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)  # it would serve for ever
    seat, wrong = SEATS.get(role, Seat(role)), []
    for words, act, place in COMMANDS:
        monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
        given = [files.get(word, role if word == "MYSELF" else word) for word in words]
        run = merit(*given, "--as", role, database=staffed)
        if ("无权办理此事" in run.err) == may([seat], act, place):
            wrong.append((words, run.err))
    assert not wrong, "\n".join(map(str, wrong))


def position(url: str) -> int:
    book = Service.open(url)
    reached = book.ledger.position()
    book.close()
    return reached


OUTSIDE: list[tuple[Role, tuple[str, ...]]] = [
    (Role.BACK_OFFICE, ("settle", "2026-10", "--branch", "B02")),
    (Role.BACK_OFFICE, ("import", "MIXED")),
    (Role.BACK_OFFICE, ("import", "MIXED", "--dry-run")),
    (Role.BACK_OFFICE, ("replay", "2026-10")),
    (Role.BRANCH_LEADER, ("replay", "2026-10", "--branch", "B01", "--branch", "B02")),
    (Role.BRANCH_LEADER, ("history", "X01", "2026-10")),
    (Role.MANAGER, ("explain", "M04", "2026-10")),
    (Role.MANAGER, ("history", "M04", "2026-10")),
]


@pytest.mark.parametrize(
    ("role", "words"), OUTSIDE, ids=[" ".join([role, *words]) for role, words in OUTSIDE]
)
def test_what_is_out_of_scope_is_refused_and_nothing_is_written(
    staffed: str, tmp_path: Path, role: Role, words: tuple[str, ...]
) -> None:
    sheet = Sheet()
    for manager in (HER, "X01"):
        sheet.put("rating", manager, "initiative", score="60", source="mixed")
    mixed = write(tmp_path / "mixed.jsonl", *sheet)
    before = position(staffed)
    run = merit(
        *[mixed if word == "MIXED" else word for word in words], "--as", role, database=staffed
    )
    assert (run.status, run.out) == (2, "")
    assert "无权办理此事" in run.err
    assert position(staffed) == before


def test_explaining_anothers_statement_is_on_record_and_ones_own_is_not(staffed: str) -> None:
    def recorded() -> list[tuple[str, str, str]]:
        book = Service.open(staffed)
        found, _ = book.statement_reads.page("M05", limit=100)
        book.close()
        return [(reading.by, reading.period, reading.what) for reading in found]

    done(
        merit("account", "create", "m05", "--role", "manager", "--manager", "M05", database=staffed)
    )
    for command in ("explain", "history"):
        done(merit(command, "M05", "2026-10", "--as", "m05", database=staffed))
    assert recorded() == []
    for command in ("explain", "history"):
        done(merit(command, "M05", "2026-10", "--as", "team_leader", database=staffed))
    assert recorded() == [
        ("team_leader", "2026-10", "derivation"),
        ("team_leader", "2026-10", "history"),
    ]
