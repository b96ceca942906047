"""docs/tutorial.md: a reader who follows it sees what it prints, on a ledger of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.evaluation.programs import publishable_program
from domain.rulebook.source import BrokenRulebook
from tests.console import DOCS, Reader, blocks, commands, pattern

TEXT = (DOCS / "tutorial.md").read_text("utf-8")
RULEBOOK = (DOCS / "tutorial" / "store-bonus.yaml").read_text("utf-8")


def test_each_command_prints_what_the_tutorial_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, (entries,) = Reader(tmp_path, monkeypatch), blocks(TEXT, "jsonl")
    typed = commands(TEXT)
    for command, printed in typed:
        if command == "merit import october.jsonl" and not Path("october.jsonl").exists():
            Path("october.jsonl").write_text(entries, "utf-8")
        shown = reader.types(command)
        assert re.fullmatch(pattern(printed), shown), f"$ {command}\n{shown}"
    assert {command.split()[1] for command, _ in typed if command.startswith("merit ")} == {
        "rulebook",
        "branch",
        "import",
        "settle",
        "explain",
        "replay",
    }


def test_its_rulebook_may_be_published_and_has_the_parts_that_it_is_about() -> None:
    book = publishable_program(RULEBOOK).rulebook
    values = " ".join(step.value for step in book.steps)
    assert all(
        part in values for part in ("lookup(", "mean(service, team)", "share(pool, ", "max(")
    )


@pytest.mark.parametrize("excerpt", blocks(TEXT, "yaml"))
def test_what_it_shows_of_the_rulebook_stands_there(excerpt: str) -> None:
    assert excerpt in RULEBOOK


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("0: 0, 20000: 500", "0: 0, 20000.01: 500"),
        ("0: 0, 20000: 500", "0: 0, 19999.99: 500"),
        ("50000: 1500}", "50000.01: 1500}"),
        ("50000: 1500}", "49999.99: 1500}"),
        ("70: 1,", "70.000001: 1,"),
        ("70: 1,", "69.999999: 1,"),
        ("85: 1.1", "85.000001: 1.1"),
        ("85: 1.1", "84.999999: 1.1"),
        ("value: 600}", "value: 599.99}"),
        ("value: 600}", "value: 600.01}"),
        ("missing: refuse}", "default: 0}"),
        ("read: rating, low: 0, high: 100}", "read: rating, low: 0, high: 101}"),
        ("read: rating, low: 0, high: 100}", "read: rating, low: -1, high: 100}"),
        ("mean(service, team)", "mean(service, branch)"),
        ("share(pool, weight, branch)", "share(pool, sold, branch)"),
        ("award + part + adjusted", "award + part"),
    ],
)
def test_its_cases_notice_every_figure_that_is_changed(right: str, wrong: str) -> None:
    assert RULEBOOK.count(right) == 1
    with pytest.raises(BrokenRulebook):
        publishable_program(RULEBOOK.replace(right, wrong))
