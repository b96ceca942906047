"""A document that shows commands and what they print, typed as it says: `…` stands for what differs
each time.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.command_line import merit

DOCS = Path(__file__).parents[1] / "docs"


def blocks(text: str, language: str) -> list[str]:
    """The blocks of a document in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[tuple[str, str]]:
    """Every command with what is printed below it, in order."""
    parts = [re.split(r"^\$ ", block, flags=re.MULTILINE)[1:] for block in blocks(text, "console")]
    return [
        (command, printed)
        for part in parts
        for command, _, printed in (shown.partition("\n") for shown in part)
    ]


def pattern(printed: str) -> str:
    """What is printed, with `…` for the rest of a line or, alone on its line, for any lines."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"[ ]*\n"
        for line in printed.splitlines()
    ]
    return "".join(lines)


class Reader:
    """Who types the commands: in a folder with the project's documents, on a ledger that begins
    empty.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "docs").symlink_to(DOCS)
        monkeypatch.chdir(folder)
        self.monkeypatch, self.status = monkeypatch, 0

    def types(self, command: str) -> str:
        """What the command prints."""
        match shlex.split(command, comments=False):
            case ["merit", *words]:
                run = merit(*words)
                self.status = run.status
                return run.out + run.err
            case ["export", *settings]:
                for setting in settings:
                    self.monkeypatch.setenv(*setting.split("=", 1))
                return ""
            case ["cd", folder]:
                self.monkeypatch.chdir(folder)
                return ""
            case ["echo", "$?"]:
                return f"{self.status}\n"
        return subprocess.run(  # noqa: S602
            command, shell=True, check=True, capture_output=True, text=True
        ).stdout

    def follows(self, text: str) -> None:
        """Types every command of a document, and compares what it prints."""
        for command, printed in commands(text):
            shown = self.types(command)
            assert re.fullmatch(pattern(printed), shown), f"$ {command}\n{shown}"
