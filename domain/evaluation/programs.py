"""Programs by their text, checked once; and the rulebooks that the service ships."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from domain.evaluation.examples import run_examples
from domain.rulebook.checks import check
from domain.rulebook.gate import weaknesses
from domain.rulebook.source import BrokenRulebook

if TYPE_CHECKING:
    from domain.rulebook.checks import Program


@lru_cache(maxsize=256)
def program_of(text: str, file: str = "rulebook") -> Program:
    """The program of a rulebook's text. Raises BrokenRulebook."""
    return check(text, file)


@lru_cache(maxsize=64)
def proven(text: str, file: str = "rulebook") -> Program:
    """The program of a text fit for publication: examples come out, nothing is idle. Raises
    BrokenRulebook.
    """
    program = program_of(text, file)
    if problems := [*weaknesses(program), *run_examples(program)]:
        raise BrokenRulebook(problems, file)
    return program


def shipped() -> list[str]:
    """The texts of the rulebooks that a new ledger begins with."""
    folders = sorted((files("domain") / "rulebooks").iterdir(), key=lambda folder: folder.name)
    return [
        text.read_text("utf-8")
        for folder in folders
        if folder.is_dir()
        for text in sorted(folder.iterdir(), key=lambda file: file.name)
        if text.name.endswith(".yaml")
    ]
