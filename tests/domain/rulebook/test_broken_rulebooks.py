"""Every mistake has a file that makes it, with the expected message in its first line.

# LINE:COLUMN words in English | words in Chinese
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.evaluation.programs import publishable_program
from domain.rulebook.source import BrokenRulebook, Location

FILES = sorted((Path(__file__).parents[2] / "broken_rulebooks").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_broken_rulebook_says_where_it_is_broken_and_what_to_write_instead(file: Path) -> None:
    text = file.read_text("utf-8")
    first = re.fullmatch(r"# (\d+):(\d+) (.+)", text.split("\n")[0])
    assert first is not None
    with pytest.raises(BrokenRulebook) as broken:
        publishable_program(text, file.name)
    (problem,) = broken.value.problems
    assert problem.location == Location(int(first[1]), int(first[2])), problem.at(file.name)
    for words in first[3].split(" | "):
        assert words in problem.text.both
    assert str(broken.value) == f"{file.name}:{first[1]}:{first[2]}: {problem.text.both}"


def test_there_are_files_for_at_least_forty_mistakes() -> None:
    assert len(FILES) >= 40
