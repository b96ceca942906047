"""Where there is no ledger: a command that reads says so and leaves nothing behind, and only what
records something that a ledger may begin with makes one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.errors import NextAct
from projections.service import Service
from projections.store.database import open_ledger
from projections.store.schema import NoLedger
from tests.command_line import every_command, merit
from tests.conftest import Server
from tests.facts import shipped_text
from tests.ten_people import HER, ten_people

# Every command that a new ledger does not begin with, as somebody would call it.
OCTOBER = ("2026-10", "--branch", "B01")
READS: dict[str, tuple[str, ...]] = {
    "account grant": ("a", "--role", "hr"),
    "account list": (),
    "account password": ("a",),
    "account show": ("a",),
    "account withdraw": ("a", "--role", "hr"),
    "appeal accept": ("A1",),
    "appeal decide": ("A1", "dismissed", "--reason", "r"),
    "appeal evidence": ("A1", "--note", "n"),
    "appeal file": (HER, "2026-10", "--reason", "r"),
    "appeal list": (),
    "appeal notify": ("A1",),
    "appeal propose": ("A1", "FILE"),
    "appeal reject": ("A1", "--code", "not_own", "--reason", "r"),
    "appeal review": ("A1", "--reason", "r"),
    "appeal show": ("A1",),
    "appeal withdraw": ("A1",),
    "check": ("2026-10", "--branch", "B01"),
    "branch promotions": ("B01", "2026"),
    "branch rulebooks": ("B01",),
    "close": OCTOBER,
    "cycle finding": (*OCTOBER, "--text", "t"),
    "cycle late": OCTOBER,
    "cycle memo": OCTOBER,
    "cycle publication": OCTOBER,
    "cycle resolve": (*OCTOBER, "1", "--text", "t"),
    "cycle sample": (*OCTOBER, "--size", "1"),
    "cycle show": OCTOBER,
    "cycle do": ("2026-10", "gs_rated", "--branch", "B01"),
    "explain": (HER, "2026-10"),
    "grant correct": ("1", "--text", "t"),
    "grant end": ("G", "--reason", "r"),
    "grant finding": ("1", "--text", "t"),
    "grant list": (),
    "grant report": (),
    "grant sample": ("1",),
    "grant use": ("G", "--what", "w", "--customer", "c", "--why", "y"),
    "grant uses": (),
    "history": (HER, "2026-10"),
    "import": ("FILE", "--dry-run"),
    "key list": ("a",),
    "key revoke": ("a", "1"),
    "person acknowledge": (HER, "elastic-pay@3.0.0"),
    "person feedback": (
        *(HER, "2026-10", "--held-on", "2026-11-01", "--held-by", "x", "--agreed", "y"),
    ),
    "person show": (HER,),
    "rebuild": (),
    "replay": ("2026-10",),
    "resettle": (*OCTOBER, "--reason", "r"),
    "rulebook publish": ("RULEBOOK", "--dry-run"),
    "settle": OCTOBER,
}
SHIPPED: dict[str, tuple[str, ...]] = {  # read what every ledger begins with
    "rulebook diff": ("elastic-pay", "RULEBOOK"),
    "rulebook list": (),
    "rulebook show": ("elastic-pay",),
}
WITHOUT_A_LEDGER = {"rulebook check"}
BEGIN: dict[str, tuple[str, ...]] = {
    "account create": ("a", "--role", "hr"),
    "branch rulebooks": ("B01", "elastic-pay", "--from", "2026-10"),
    "grant make": (
        *("G", "--kind", "policy_use", "--branch", "B01", "--from", "2026-01-01"),
        *("--until", "2026-12-31", "--role", "hr", "--amount", "5"),
    ),
    "import": ("FILE",),
    "key create": ("a", "--role", "hr"),
    "rulebook publish": ("RULEBOOK",),
}
ELSEWHERE = {"serve", "demo"}  # begin a ledger too, and have tests of their own


class Nothing:
    """An address without a ledger, and what is there."""

    def __init__(self, url: str, found: Callable[[], object]) -> None:
        self.url, self.found = url, found


@pytest.fixture(params=["no file", "an empty file", "postgresql"])
def nothing(request: pytest.FixtureRequest, tmp_path: Path) -> Nothing:
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        url = server.empty()

        def tables() -> object:
            with psycopg.connect(url) as connection:
                sql = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                return connection.execute(sql).fetchall()

        return Nothing(url, tables)
    folder = tmp_path / "folder"
    folder.mkdir()
    if request.param == "an empty file":
        (folder / "merit.db").touch()
    url = f"sqlite:///{folder}/merit.db"
    return Nothing(url, lambda: [(file.name, file.stat().st_size) for file in folder.iterdir()])


def called(name: str, words: tuple[str, ...], folder: Path) -> list[object]:
    """The words of a command, with files that exist."""
    entries, rulebook = folder / "entries.jsonl", folder / "rulebook.yaml"
    entries.write_text("".join(json.dumps(raw) + "\n" for raw in ten_people()), "utf-8")
    rulebook.write_text(shipped_text("commission").replace("id: commission", "id: other"), "utf-8")
    files = {"FILE": entries, "RULEBOOK": rulebook}
    return [*name.split(), *(files.get(word, word) for word in words)]


def leaves(command: Any, name: str = "") -> set[str]:
    """The full names of all commands."""
    if not hasattr(command, "commands"):
        return {name}
    return {
        leaf
        for part, below in command.commands.items()
        for leaf in leaves(below, f"{name} {part}".strip())
    }


def test_every_command_is_known_to_begin_a_ledger_or_not() -> None:
    assert leaves(every_command()) == {*READS, *SHIPPED, *BEGIN, *WITHOUT_A_LEDGER, *ELSEWHERE}


@pytest.mark.parametrize("name", READS)
def test_what_begins_no_ledger_says_that_there_is_none_and_leaves_nothing(
    name: str, nothing: Nothing, tmp_path: Path
) -> None:
    before = nothing.found()
    run = merit(*called(name, READS[name], tmp_path), "--lang", "en", database=nothing.url)
    assert run.status == 2, run
    assert run.out == ""
    assert run.err.startswith("there is no ledger at "), run.err
    assert "merit import FILE" in run.err
    assert nothing.found() == before


@pytest.mark.parametrize("name", SHIPPED)
def test_the_rulebooks_of_a_new_ledger_are_read_without_one_and_leave_nothing(
    name: str, nothing: Nothing, tmp_path: Path
) -> None:
    before = nothing.found()
    run = merit(*called(name, SHIPPED[name], tmp_path), "--lang", "en", database=nothing.url)
    assert run.status == 0, run
    assert run.err.startswith("there is no ledger at "), run.err
    assert "elastic-pay" in run.out
    assert nothing.found() == before


@pytest.mark.parametrize("name", BEGIN)
def test_what_a_ledger_may_begin_with_makes_one(
    name: str, nothing: Nothing, tmp_path: Path
) -> None:
    run = merit(*called(name, BEGIN[name], tmp_path), database=nothing.url)
    assert run.status == 0, run
    assert merit("rulebook", "list", "--json", database=nothing.url).json["rulebooks"]


def test_a_wrong_call_of_what_begins_a_ledger_begins_none(nothing: Nothing, tmp_path: Path) -> None:
    before = nothing.found()
    absent = tmp_path / "absent.yaml"
    assert merit("rulebook", "publish", absent, database=nothing.url).status == 2
    assert merit("account", "create", "a", "--role", "king", database=nothing.url).status == 2
    assert nothing.found() == before


def test_the_refusal_names_the_place_without_a_password(nothing: Nothing) -> None:
    for opened in (open_ledger, Service.open):
        with pytest.raises(NoLedger) as refused:
            opened(nothing.url, begin=False)
        assert refused.value.next_act == NextAct("import_entries", {})
        assert "password" not in str(refused.value)
        assert refused.value.where in refused.value.text.zh
    open_ledger(nothing.url).close()
    open_ledger(nothing.url, begin=False).close()
