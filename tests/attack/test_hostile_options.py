"""Every argument and option of every command, with words that nobody means: never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attack.test_hostile_words import imported
from tests.command_line import every_command, merit
from tests.ten_people import HER, ten_people

WORDS = ("", "\x1b[8m\r\n\u202e", "9" * 5000, "/dev/zero", "2026-13", "a\x00b", "[red]x[/]")
# What stands in the other places of a command.
PLAUSIBLE = {
    "period": "2026-10", "manager": HER, "branch": "B01", "reason": "x", "text": "x", "why": "x",
    "note": "x", "size": "1", "number": "1", "use": "1", "role": "hr", "day": "2026-10-05",
    "name": "clerk", "step": "ratings_recorded", "kind": "policy_use", "from_day": "2026-10-01",
    "until_day": "2026-10-31", "grant": "g", "rulebook": "elastic-pay", "decision": "upheld",
}  # fmt: skip
LONG_RUNNING = {"serve", "demo", "rebuild"}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    within = getattr(command, "commands", None)
    if within is None:
        yield path, command
        return
    for name, each in within.items():
        if name not in LONG_RUNNING:
            yield from commands(each, (*path, name))


def calls(command: Any) -> Iterator[list[str]]:
    """Calls of a command, with an odd word in one place each."""
    params = [p for p in command.params if p.name not in {"help", "database", "json"}]
    for odd in params:
        if getattr(odd, "is_flag", False):
            continue
        for word in WORDS:
            words, arguments = [], []
            for param in params:
                given = word if param is odd else PLAUSIBLE.get(param.name, "x")
                if param.param_type_name == "argument":
                    arguments.append(given)
                elif param is odd or param.required:
                    words += [param.opts[0], given]
            yield [*words, "--", *arguments]


COMMANDS = dict(commands(every_command()))


@pytest.fixture(scope="module")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options")
    file = folder / "ledger.db"
    imported(folder, f"sqlite:///{file}", ten_people())
    url = f"sqlite:///{file}"
    assert merit("settle", "2026-10", "--branch", "B01", database=url).status == 0
    return file


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_word_ends_a_command_in_a_traceback(
    ledger_file: Path, path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MERIT_DATABASE", f"sqlite:///{ledger_file}")
    monkeypatch.chdir(tmp_path)
    for words in calls(COMMANDS[path]):
        run = merit(*path, *words)
        assert run.status in range(4), words
        assert "Traceback" not in run.err
        assert not {"\x1b", "\r", "\u202e"} & {*run.out, *run.err}, words
