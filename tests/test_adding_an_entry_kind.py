"""docs/adding-an-entry-kind.md: what it changes is all that a new kind takes. The changes are made
in a copy of the program, and the commands run there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console import DOCS, blocks, commands, pattern

ROOT = DOCS.parent
TEXT = (DOCS / "adding-an-entry-kind.md").read_text("utf-8")
CHANGES = blocks(TEXT, "diff")
MOST_FILES = 5  # of the program, that a new kind may touch


def changed_file(change: str) -> str:
    return change.splitlines()[0].removeprefix("+++ ")


def apply(change: str, root: Path) -> None:
    """Makes the change of one file: each part takes the place of lines that stand there once."""
    file = root / changed_file(change)
    text = file.read_text("utf-8")
    for part in re.split(r"^@@\n", change.partition("\n")[2], flags=re.MULTILINE):
        lines = part.splitlines(keepends=True)
        before = "".join(line[1:] or "\n" for line in lines if not line.startswith("+"))
        after = "".join(line[1:] or "\n" for line in lines if not line.startswith("-"))
        assert text.count(before) == 1, f"{file.name} does not have once:\n{before}"
        text = text.replace(before, after)
    file.write_text(text, "utf-8")


@pytest.fixture
def changed_program(tmp_path: Path) -> Path:
    """A copy of the program with the new kind."""
    for package in ("domain", "projections", "api"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for change in CHANGES:
        apply(change, tmp_path)
    return tmp_path


def test_a_new_kind_touches_few_files() -> None:
    assert 0 < len({changed_file(change) for change in CHANGES}) <= MOST_FILES


def test_the_changes_are_a_kind_that_is_imported_settled_explained_and_printed(
    changed_program: Path,
) -> None:
    folder, settings = changed_program / "walk", dict[str, str]()
    folder.mkdir()
    for name, content in re.findall(r"`([\w.-]+)`:\n\n```\w+\n(.*?)^```", TEXT, re.S | re.M):
        (folder / name).write_text(content, "utf-8")
    typed = commands(TEXT)
    for command, printed in typed:
        program, *words = shlex.split(command)
        if program == "export":
            settings |= dict(word.split("=", 1) for word in words)
            continue
        shown = run(words, folder, settings | {"PYTHONPATH": str(changed_program)})
        assert re.fullmatch(pattern(printed), shown), f"$ {command}\n{shown}"
    verbs = [command.split()[1] for command, _ in typed]
    assert verbs[1:] == ["rulebook", "import", "import", "settle", "explain", "history"]


def run(words: list[str], folder: Path, settings: dict[str, str]) -> str:
    """What a command of the copy prints."""
    start = (
        "import sys, api.cli.main as m; "
        "assert m.__file__.startswith(sys.path[1]), m.__file__; m.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", start, *words],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr
