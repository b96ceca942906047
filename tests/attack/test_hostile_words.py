"""What people and programs hand to the command line: whatever comes, one clear line, the right exit
status, and nothing forged.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import visible
from tests.command_line import merit
from tests.conftest import Files
from tests.worksheet import Ledger as Sheet

FORGED = "张三\n      99  2026-11-27  root  closed\r\x1b[8m\x07\x9b2J\u202e\u2028\x7f"
SHOWN = "张三\\n      99  2026-11-27  root  closed\\r\\x1b[8m\\x07\\x9b2J\\u202e\\u2028\\x7f"
GRANT = [
    "grant",
    "make",
    "x",
    "--kind",
    "policy_use",
    "--branch",
    "B01",
    "--from",
    "2026-10-01",
    "--until",
    "2026-10-31",
]
BIG, LONG = "9" * 21, "9" * 5000


def imported(folder: Path, url: str, sheet: Sheet) -> None:
    file = folder / "sheet.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in sheet), "utf-8")
    run = merit("import", file, database=url)
    assert run.status == 0, run.out + run.err


@pytest.fixture
def database_url(sqlite_ledgers: Files) -> str:
    """What is printed asks no database: SQLite stands for both."""
    return sqlite_ledgers.begun_ledger()


@pytest.fixture
def forged(database_url: str, tmp_path: Path) -> str:
    """A branch of one, whose name and reason would forge lines."""
    sheet = Sheet()
    sheet.branch("minimum_wage", "1680")
    sheet.hire("A", 6)
    sheet[-1]["name"] = FORGED
    sheet.rate_gs("A", "80")
    sheet.put("adjustment", "A", amount="1", reason=FORGED, note=FORGED)
    imported(tmp_path, database_url, sheet)
    assert merit("settle", "2026-10", "--branch", "B01", database=database_url).status == 0
    return database_url


def test_what_people_wrote_is_shown_as_escapes() -> None:
    assert visible(FORGED) == SHOWN
    assert visible("钱春燕 — “ok” \\n") == "钱春燕 — “ok” \\n"


def commands() -> list[tuple[object, ...]]:
    """Every command that prints texts of people, once they are there."""
    branch = ("--branch", "B01")
    return [
        ("explain", "A", "2026-10"),
        ("history", "A", "2026-10"),
        ("cycle", "late", "2026-10", *branch),
        ("cycle", "finding", "2026-10", *branch, "--text", FORGED),
        ("cycle", "show", "2026-10", *branch),
        ("cycle", "memo", "2026-10", *branch),
        ("appeal", "file", "A", "2026-10", "--reason", FORGED),
        ("appeal", "list"),
        ("appeal", "show", "A2026-10-1"),
        ("appeal", "evidence", "A2026-10-1", "--note", FORGED),
        (*GRANT, "--role", "manager", "--amount", "5"),
        ("grant", "use", "x", "--why", FORGED, "--amount", "9"),
        ("grant", "uses"),
        ("grant", "list"),
        ("person", "show", "A"),
        ("rulebook", "list"),
        ("explain", FORGED, "2026-10"),
        ("cycle", "resolve", "2026-10", "7", *branch, "--text", FORGED),
    ]


def test_no_command_prints_a_line_that_somebody_wrote(forged: str) -> None:
    shown = 0
    for language in ("zh", "en"):
        for command in commands():
            run = merit(*command, "--lang", language, database=forged)
            for sign in "\r\x1b\x07\x9b\u202e\u2028\x7f":
                assert sign not in run.out + run.err, command
            for line in (run.out + run.err).splitlines():
                assert not line.startswith("      99"), command
            shown += run.out.count(SHOWN)
            assert run.status in {0, 2}, command
    assert shown > 10
    assert merit("history", "A", "2026-10", "--json", database=forged).json["events"][-2]["why"]
    said = merit("explain", "A", "2026-10", "--json", database=forged).out
    assert json.dumps(FORGED, ensure_ascii=False)[1:-1].split("\\n")[0] in said


@pytest.mark.parametrize("word", [BIG, LONG, "-1", "1.5", "１", "x", ""])
@pytest.mark.parametrize(
    "command",
    [
        ("cycle", "sample", "2026-10", "--branch", "B01", "--size", "?"),
        ("appeal", "evidence", "A2026-10-1", "--note", "x", "--replay", "?"),
        ("appeal", "decide", "A2026-10-1", "upheld", "--reason", "x", "--proposal", "?"),
        ("grant", "correct", "--text", "x", "--", "?"),
        ("grant", "sample", "--again", "?"),
        ("grant", "use", "x", "--why", "x", "--count", "?"),
        (*GRANT, "--count", "?"),
        (*GRANT, "--correction-days", "?"),
        ("explain", "A", "2026-10", "--version", "?"),
        ("cycle", "resolve", "2026-10", "--branch", "B01", "--text", "x", "--", "?"),
        ("key", "revoke", "--", "x", "?"),
        ("key", "create", "x", "--days", "?"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_number_that_is_none_is_refused_with_its_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], word: str
) -> None:
    words = [word if given == "?" else given for given in command]
    monkeypatch.setenv("MERIT_DATABASE", f"sqlite:///{tmp_path}/a.db")
    run = merit(*words)
    assert (run.status, run.out) == (2, "")
    assert run.err.count("\n") == 1, run.err
    assert " 至 " in run.err
    assert len(run.err) < 600


@pytest.mark.parametrize("word", [BIG, LONG, "-" + BIG])
def test_a_moment_that_is_none_is_one_line(forged: str, word: str) -> None:
    run = merit("explain", "A", "2026-10", "--as-of", word, "--lang", "en", database=forged)
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1)


def test_files_that_never_end_are_not_read(forged: str, tmp_path: Path) -> None:
    endless = tmp_path / "endless.jsonl"
    endless.symlink_to("/dev/zero")
    table = tmp_path / "endless.csv"
    table.symlink_to("/dev/zero")
    merit("appeal", "file", "A", "2026-10", "--reason", "x", database=forged)
    for command in (
        ("import", endless),
        ("import", table),
        ("appeal", "evidence", "A2026-10-1", "--note", "x", "--file", "/dev/zero"),
        ("appeal", "propose", "A2026-10-1", endless),
        ("replay", "2026-10", "--with", endless),
        ("rulebook", "check", "/dev/zero"),
    ):
        run = merit(*command, database=forged)
        assert (run.status, run.out, run.err.count("\n")) == (2, "", 1), command


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_table_on_a_full_disk_is_one_line(forged: str) -> None:
    run = merit("replay", "2026-10", "--csv", "/dev/full", "--lang", "en", database=forged)
    assert (run.status, run.err.count("\n")) == (2, 1)
    assert "/dev/full" in run.err


# In a process of its own: the shell's words, and the console.


def in_shell(*words: bytes | str, out: int | object = subprocess.PIPE, **env: str):
    return subprocess.run(
        [sys.executable, "-m", "api.cli.main", *words],
        env=os.environ | env,
        stdout=out,  # type: ignore[call-overload]
        stderr=subprocess.PIPE,
        check=False,
    )


def test_words_that_are_not_utf_8_are_one_line(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/a.db"
    for words in (
        ("history", b"\xff", "2026-10"),
        (b"\xffistory",),
        ("import", b"\xff.jsonl", "--json"),
    ):
        run = in_shell(*words, MERIT_DATABASE=database)
        assert (run.returncode, run.stdout, run.stderr.count(b"\n")) == (2, b"", 1), run.stderr
        assert b"UTF-8" in run.stderr


@pytest.mark.parametrize(
    "console",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}],
    ids=["ascii", "C"],
)
def test_a_console_without_chinese_shows_escapes(forged: str, console: dict[str, str]) -> None:
    for command in (("explain", "A", "2026-10"), ("rulebook", "list"), ("--help",)):
        run = in_shell(*command, MERIT_DATABASE=forged, **console)
        assert (run.returncode, run.stderr) == (0, b"")
        assert b"\\u" in run.stdout
    refused = in_shell("explain", "NOBODY", "2026-10", MERIT_DATABASE=forged, **console)
    assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("form", ["--lang=en", "--json"])
def test_output_that_finds_no_room_is_one_line(forged: str, form: str) -> None:
    with Path("/dev/full").open("wb") as full:
        run = in_shell("explain", "A", "2026-10", form, out=full, MERIT_DATABASE=forged)
    assert (run.returncode, run.stderr.count(b"\n")) == (1, 1), run.stderr
