"""The largest size of a figure is known before evaluation: never too small, and limited."""

from __future__ import annotations

from typing import Any

import pytest

from domain.evaluation.columns import Column
from domain.evaluation.programs import program_of, publishable_program, shipped_texts
from domain.rulebook.checks import check
from domain.rulebook.figures.digits import MAX_DIGITS, Size, Sizes
from domain.rulebook.source import BrokenRulebook
from tests.facts import evaluated
from tests.generators import random_branch
from tests.rules import figures, given, program, run, text_of

INPUTS = {
    "a": given("measure", "ratio"),
    "said": given("statement", "ratio", rulebook="r", step="s"),
    "g": given("rating", "ratio", items={"p": {"zh": "品", "en": "p"}}),
}
TABLES = {"t": {"unit": "ratio", "rows": {"p": "0.5"}}}
NINES = "9" * 18


@pytest.mark.parametrize(
    ("expression", "whole", "places"),
    [
        ("0.25", 1, 2),
        ("-120", 3, 0),
        ("a", 24, 6),
        ("said", 42, 40),
        ("g.p", 24, 6),
        ("a + 0.25", 25, 6),
        ("a - 1000", 25, 6),
        ("a * 0.25", 25, 8),
        ("a * a", 48, 12),
        ("round(1 / a, 3)", 8, 3),
        ("round(a, 2)", 25, 2),
        ("round(0.5, 2)", 2, 1),
        ("floor(a)", 25, 0),
        ("max(1, a, 0.25)", 24, 6),
        ("otherwise(a, 0.12345678)", 24, 8),
        ("a if a > 1 else 0.12345678", 24, 8),
        ("sum(a, branch)", 36, 6),
        ("sum(g)", 36, 6),
        ("sum(t)", 24, 6),
        ("mean(a, branch)", 55, 6),
        ("sumproduct(g, t)", 48, 12),
        ("count(branch) * 1", 13, 6),
    ],
)
def test_the_size_of_an_expression(expression: str, whole: int, places: int) -> None:
    rules = program(
        {"x ratio": expression} if "count" not in expression else {"x people": expression}, **PARTS
    )
    found = Sizes(rules.rulebook)
    assert found.size(rules.steps[0].node) == Size(whole, places)


PARTS: dict[str, Any] = {"inputs": INPUTS, "tables": TABLES}


def test_a_step_is_as_long_as_what_it_is_made_of_and_a_group_as_its_longest() -> None:
    rules = program(
        {"k.a ratio": "a * a", "k.b ratio": "1", "x ratio": "k.a * 10", "y ratio": "sum(k)"},
        **PARTS,
    )
    found = Sizes(rules.rulebook)
    for checked in rules.steps:
        found.check(checked.step.step, checked.node)
    assert found.steps == {"k.a": (48, 12), "k.b": (1, 0), "x": (50, 12), "y": (60, 12)}


def squares(times: int) -> str:
    steps = {"z0 ratio": "3"} | {f"z{n} ratio": f"z{n - 1} * z{n - 1}" for n in range(1, times + 1)}
    return text_of(steps)


@pytest.mark.parametrize("times", [16, 23, 60])
def test_squares_of_squares_are_refused_at_the_first_that_is_too_long(times: int) -> None:
    with pytest.raises(BrokenRulebook) as broken:
        publishable_program(squares(times))
    problem = broken.value.problems[0]
    assert "multiply fewer steps" in problem.text.en
    line = squares(times).split("\n")[problem.location.line - 1]
    assert "z9 * z9" in line  # 2**10 digits, counted as if 3 were 9


def test_the_longest_figures_that_are_let_through_are_evaluated_and_written_digit_for_digit() -> (
    None
):
    publishable_program(squares(9))
    assert figures(run(check(squares(9)), {"M1": {}}), "z9") == {"M1": str(3**512)}
    long = {"x ratio": " * ".join([NINES] * 27), "y ratio": "x * x + 0.5"}
    publishable_program(text_of(long))
    whole = int(NINES) ** 54
    assert MAX_DIGITS - 30 < len(str(whole)) < MAX_DIGITS
    assert figures(run(program(long), {"M1": {}}), "y") == {"M1": f"{whole}.5"}


@pytest.mark.parametrize("rulebook", [program_of(text).rulebook.id for text in shipped_texts()])
def test_no_figure_is_longer_than_its_size(rulebook: str) -> None:
    (text,) = [text for text in shipped_texts() if program_of(text).rulebook.id == rulebook]
    rules, branch = program_of(text), random_branch(rulebook, 12, 1)
    found = Sizes(rules.rulebook)
    for checked in rules.steps:
        found.check(checked.step.step, checked.node)
    for step, column in evaluated(branch.entries, rules, branch.period).steps.items():
        if isinstance(column, Column):
            assert column.places <= found.steps[step].places, step
            assert all(
                abs(int(whole)) < 10 ** (found.steps[step].whole + column.places)
                for whole in column.data
            ), step
