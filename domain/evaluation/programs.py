"""A rulebook's text becomes a program, checked and kept; and the rulebooks that are shipped."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from domain.rulebook.checks import check
from domain.rulebook.source import BrokenRulebook

if TYPE_CHECKING:
    from domain.rulebook.checks import Program


@lru_cache(maxsize=256)
def program_of(text: str, file: str = "rulebook") -> Program:
    """The program of a rulebook's text, checked once. Raises BrokenRulebook."""
    return check(text, file)


@lru_cache(maxsize=64)
def publishable_program(text: str, file: str = "rulebook") -> Program:
    """The program of a text that may be published: it has no weakness and its examples hold.

    Raises BrokenRulebook.
    """
    # Only what is published is examined like this; every other command starts without.
    from domain.evaluation.examples import run_examples
    from domain.rulebook.gate import find_weaknesses

    program = program_of(text, file)
    if problems := [*find_weaknesses(program), *run_examples(program)]:
        raise BrokenRulebook(problems, file)
    return program


def shipped_texts() -> list[str]:
    """The texts of the rulebooks that a new ledger begins with, by folder and file name."""
    folders = sorted((files("domain") / "rulebooks").iterdir(), key=lambda folder: folder.name)
    texts = []
    for folder in folders:
        files_of_folder = folder.iterdir() if folder.is_dir() else []
        for file in sorted(files_of_folder, key=lambda file: file.name):
            if file.name.endswith(".yaml"):
                texts.append(file.read_text("utf-8"))
    return texts
