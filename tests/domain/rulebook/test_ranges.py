"""The range of a figure is never too narrow, and finds what is impossible."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.evaluation.columns import Column
from domain.evaluation.programs import program_of, shipped_texts
from domain.rulebook.expressions import parse
from domain.rulebook.figures.ranges import Range, Ranges
from tests.facts import evaluated
from tests.generators import random_branch
from tests.rules import given, program

INPUTS = {
    "score": given("rating", "score", low="0", high="100"),
    "mark": given("rating", "score", low="20", high="100", missing="refuse"),
    "open": given("measure", "score"),
    "scores": given("rating", "score", high="marks", low="0", items={"p": {"zh": "品", "en": "p"}}),
}
TABLES = {
    "marks": {"unit": "score", "rows": {"p": "18"}},
    "bands": {"unit": "yuan", "match": "from", "rows": {"0": "1", "60": "2", "80": "3"}},
    "high_bands": {"unit": "yuan", "match": "from", "rows": {"60": "2", "120": "3"}},
    "levels": {"unit": "yuan", "rows": {"1": "10", "2": "20"}},
}


def ranges(steps: dict[str, str], **parts: Any) -> tuple[Ranges, list[tuple[str, str]]]:
    rules = program(steps, inputs=INPUTS, tables=TABLES, **parts)
    found = Ranges(rules.rulebook)
    told = [
        (c.step.step, text.en)
        for c in rules.steps
        for _, text in found.find_impossible(c.step.step, c.node)
    ]
    return found, told


@pytest.mark.parametrize(
    ("expression", "low", "high"),
    [
        ("score", "0", "100"),
        ("mark", "20", "100"),
        ("open", None, None),
        ("scores.p", "0", "18"),
        ("sum(scores)", "0", "18"),
        ("score + mark", "20", "200"),
        ("score - mark", "-100", "80"),
        ("score * 0.5", "0", "50.0"),
        ("score * -2", "-200", "0"),
        ("min(open, 7)", None, "7"),
        ("max(open, 7)", "7", None),
        ("max(min(score, 90), 10)", "10", "90"),
        ("score if open > 0 else -5", "-5", "100"),
        ("score if open > 0 else refuse('out_of_bounds')", "0", "100"),
        ("round(score * 0.333, 0)", "0", "34"),
        ("round(score / mark, 6)", "0", None),
        ("round(open / mark, 6)", None, None),
        ("otherwise(mark, 0)", "0", "100"),
        ("mean(score, branch)", "0", "100"),
        ("sum(score, branch)", "0", None),
        ("sum(open, branch)", None, None),
        ("rank(open, branch) * 1", "0", None),
    ],
)
def test_the_range_of_an_expression(expression: str, low: str | None, high: str | None) -> None:
    rules = program({"open_ score": "open", "x score": "1"}, inputs=INPUTS, tables=TABLES)
    found = Ranges(rules.rulebook).range(parse(expression))
    assert found == Range(low and Decimal(low), high and Decimal(high))


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("(1 if score >= 90 else 2)", None),
        ("(1 if score >= 0 else 2)", "always holds"),
        ("(1 if score > 100 else 2)", "can never hold"),
        ("(1 if score >= 100 else 2)", None),
        ("(1 if score < 0 else 2)", "can never hold"),
        ("(1 if score <= 0 else 2)", None),
        ("(1 if score <= 100 else 2)", "always holds"),
        ("(1 if mark == 19 else 2)", "can never hold"),
        ("(1 if mark != 19 else 2)", "always holds"),
        ("(1 if mark == 20 else 2)", None),
        ("lookup(bands, score)", None),
        ("lookup(bands, min(score, 79))", "row 80"),
        ("lookup(bands, max(score, 60))", "row 0"),
        ("lookup(high_bands, mark)", "row 120"),
        ("lookup(high_bands, mark * 2)", "no row for values below 60"),
        ("lookup(levels, min(mark, 1))", "row 2"),
        ("lookup(levels, max(mark, 1))", "row 1"),
    ],
)
def test_impossible_rows_and_conditions_are_found(expression: str, says: str | None) -> None:
    _, told = ranges(
        {"x score": f"score + 0 * ({expression})"}
        if "lookup" not in expression
        else {"x yuan": expression}
    )
    if says is None:
        assert told == []
    else:
        assert any(says in text for _, text in told)


@pytest.mark.parametrize("rulebook", [program_of(text).rulebook.id for text in shipped_texts()])
@pytest.mark.parametrize("seed", range(6))
def test_no_figure_is_outside_its_range(rulebook: str, seed: int) -> None:
    (text,) = [text for text in shipped_texts() if program_of(text).rulebook.id == rulebook]
    rules, branch = program_of(text), random_branch(rulebook, 12, seed)
    found = Ranges(rules.rulebook)
    for checked in rules.steps:
        assert found.find_impossible(checked.step.step, checked.node) == []
    evaluation = evaluated(branch.entries, rules, branch.period)
    for step, column in evaluation.steps.items():
        if isinstance(column, Column):
            there = [
                Decimal(text)
                for text, present in zip(column.texts(), column.present, strict=True)
                if present
            ]
            assert all(figure in found.steps[step] for figure in there), step


def test_a_range_of_more_digits_than_decimals_are_reckoned_with_is_exact() -> None:
    nines = "9" * 18
    found, told = ranges(
        {
            "x ratio": f"{nines} * {nines}",
            "y ratio": "x + 0.000001",
            "z ratio": "1 if x < y else 2",
            "w ratio": f"1 if x > {nines} * 999999999999999998 else 2",
        }
    )
    square = str(int(nines) ** 2)
    assert found.steps["x"] == Range(Decimal(square), Decimal(square))
    assert found.steps["y"] == Range(Decimal(square + ".000001"), Decimal(square + ".000001"))
    assert told == [("z", "this condition always holds"), ("w", "this condition always holds")]
