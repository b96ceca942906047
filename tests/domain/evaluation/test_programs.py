"""Programs by their text, and what the service ships."""

from __future__ import annotations

import pytest

from domain.evaluation.programs import program_of, publishable_program, shipped_texts
from domain.rulebook.source import BrokenRulebook


def test_every_shipped_rulebook_holds_its_examples_and_is_its_own() -> None:
    programs = [publishable_program(text) for text in shipped_texts()]
    names = [(program.rulebook.id, program.rulebook.version) for program in programs]
    assert ("elastic-pay", "3.0.0") in names
    assert len(set(names)) == len(names)


def test_a_text_is_checked_once() -> None:
    text = shipped_texts()[0]
    assert program_of(text, "one") is program_of(text, "one")
    assert program_of(text).text == text


def test_an_example_that_does_not_come_out_is_a_problem_with_a_place() -> None:
    text = next(t for t in shipped_texts() if "id: elastic-pay\n" in t)
    wrong = text.replace(
        "G8: {base_points: 1275, position_points: 1275}",
        "G8: {base_points: 1275, position_points: 1276}",
    )
    assert wrong != text
    line = 1 + wrong[: wrong.index("position_points: 1276")].count("\n")
    with pytest.raises(BrokenRulebook) as caught:
        publishable_program(wrong, "draft.yaml")
    (problem,) = caught.value.problems
    assert problem.location.line == line
    assert "1276" in problem.text.en
    assert "1275" in problem.text.en
