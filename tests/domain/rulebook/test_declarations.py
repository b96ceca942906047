"""The words of a rulebook's declarations are those of the service: levels of raters, warnings."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from domain.entries.entry import RaterLevel
from domain.evaluation.messages import WARNINGS as WORDED
from domain.rulebook.checks import check
from domain.rulebook.declarations import LEVELS
from domain.rulebook.expression_types import AUTOMATIC_WARNINGS, WARNINGS
from domain.rulebook.gate import find_weaknesses
from domain.rulebook.source import BrokenRulebook
from tests.rules import given, label, program, text_of


def test_levels_are_those_that_a_rating_can_have() -> None:
    assert get_args(RaterLevel) == LEVELS
    raters = {level: label(level) for level in LEVELS}
    program(
        {"x ratio": "sum(r)"}, inputs={"r": given("rating", item="r", level="{item}", items=raters)}
    )


@pytest.mark.parametrize("code", sorted(WORDED))
def test_no_warning_of_the_service_can_have_another_sentence(code: str) -> None:
    assert {*WARNINGS, *AUTOMATIC_WARNINGS} == set(WORDED)
    with pytest.raises(BrokenRulebook, match=f"{code} is a warning of the service"):
        program({"x ratio": "1"}, warnings={code: label("other words")})


@pytest.mark.parametrize("code", WARNINGS)
def test_a_warning_of_the_service_can_be_given(code: str) -> None:
    program(
        {"x ratio": f"otherwise(i, 0, warn='{code}')"},
        inputs={"i": given("measure", missing="absent")},
    )


def test_a_warning_deep_inside_a_step_counts_as_given() -> None:
    deep = {"x ratio": "1 + max(0, otherwise(i, 0, warn='one') if 2 > 1 else 0)", "y text": "'two'"}
    made = program(
        deep,
        inputs={"i": given("measure", missing="absent")},
        warnings={"one": label("one"), "two": label("two")},
    )
    told = [problem.text.en for problem in find_weaknesses(made) if "warning" in problem.text.en]
    assert told == ["no step gives the warning two: add one, or remove it"]


@pytest.mark.parametrize(
    ("only", "attribute", "holds"),
    [
        ({"post": "agent"}, {}, True),
        ({"post": ["agent", "clerk"]}, {"one_of": ["clerk", "driver"]}, True),
        ({"post": ["agent"]}, {"one_of": ["clerk", "driver"]}, False),
        ({"work": "agent"}, {"item": "work", "one_of": ["clerk"]}, False),
        ({"post": "agent"}, {"item": "work", "one_of": ["clerk"]}, True),
        ({"grade": "6"}, {}, False),
    ],
)
def test_only_names_words_that_the_attribute_can_have(
    only: dict[str, Any], attribute: dict[str, Any], holds: bool
) -> None:
    text = text_of(
        {"x text": "post"}, inputs={"post": given("attribute", "text", **attribute)}, only=only
    )
    if holds:
        assert check(text).rulebook.only
    else:
        with pytest.raises(BrokenRulebook):
            check(text)
