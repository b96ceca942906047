"""Bounds that are never known, or that leave no figure, are mistakes; no others are."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rulebook.checks import check
from domain.rulebook.source import BrokenRulebook
from tests.rules import given, label, text_of

ITEMS = {"x": label("x"), "y": label("y")}


def mistakes(given_inputs: dict[str, Any], **tables: dict[str, str]) -> list[str]:
    """What is wrong with these inputs, where tables have one column of marks."""
    rows = {name: {"unit": "score", "rows": figures} for name, figures in tables.items()}
    try:
        check(text_of({"step ratio": "1"}, inputs=given_inputs, tables=rows))
    except BrokenRulebook as broken:
        return [problem.text.en for problem in broken.problems]
    return []


def measure(**more: Any) -> dict[str, Any]:
    return given("measure", "score", default="1", **more)


def test_bounds_may_be_a_chain_and_two_may_be_the_same_measure() -> None:
    assert (
        mistakes({"a": measure(low="b", high="c"), "b": measure(high="c"), "c": measure(above="0")})
        == []
    )
    assert mistakes({"a": measure(low="b", above="b"), "b": measure()}) == []


def test_every_input_of_a_circle_is_a_mistake_and_one_that_only_leads_to_it_is_not() -> None:
    circle = {"a": measure(low="b"), "b": measure(high="c"), "c": measure(above="a")}
    told = [f"the bounds of {name} depend on {name} itself" for name in "abc"]
    assert mistakes(circle) == told
    assert mistakes(circle | {"d": measure(low="a")}) == told


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("10", "10", []),
        ("10.000001", "10", ["low is above high"]),
        ("t", "10", []),
        ("t", "9.999999", ["low is above high"]),
        ("5", "t", []),
        ("5.000001", "t", ["low is above high"]),
        ("t", "t", []),
        ("t", "u", ["low is above high"]),
        ("u", "t", []),
    ],
)
def test_the_lower_bound_of_every_item_is_at_most_the_upper(
    low: str, high: str, said: list[str]
) -> None:
    group = {"g": given("measure", "score", items=ITEMS, low=low, high=high)}
    assert mistakes(group, t={"x": "5", "y": "10"}, u={"x": "5", "y": "9"}) == said


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ("4.999999", []),
        ("5", ["above must be below high, or no figure is left"]),
        ("6", ["above must be below high, or"]),
    ],
)
def test_above_must_leave_figures_below_high(above: str, said: list[str]) -> None:
    found = mistakes({"a": given("measure", "score", above=above, high="5")})
    assert len(found) == len(said)
    assert all(mistake.startswith(start) for mistake, start in zip(found, said, strict=True))


def test_bounds_are_in_the_unit_of_what_they_bound() -> None:
    assert mistakes({"a": given("measure", "point", low="b"), "b": measure()}) == [
        "units differ: b is in score"
    ]
    group = {"g": given("measure", "point", items=ITEMS, high="t")}
    assert mistakes(group, t={"x": "5", "y": "10"}) == ["units differ: t is in score"]
    assert mistakes({"a": given("rating", "score", high="b"), "b": measure()}) == []
    places = {"a": given("rating", "place", high="b"), "b": given("measure", "people", default="9")}
    assert mistakes(places) == []
    counted = {"a": given("rating", "ratio", take="count", high="b"), "b": measure()}
    assert mistakes(counted) == []
