"""A rulebook without mistakes becomes a program; otherwise every mistake is reported."""

from __future__ import annotations

import pytest

from domain.evaluation.programs import shipped_texts
from domain.rulebook.checks import check
from domain.rulebook.model import text_digest
from domain.rulebook.source import BrokenRulebook
from domain.rulebook.units import FLAG_TYPE, RATIO, parse_unit
from tests.rules import given, program, text_of


@pytest.mark.parametrize(
    "text", shipped_texts(), ids=lambda text: text.split("\nid: ")[1].split("\n")[0]
)
def test_a_shipped_rulebook_holds(text: str) -> None:
    made = check(text)
    assert made.text == text
    assert made.digest == text_digest(text)
    assert [checked.step for checked in made.steps] == list(made.rulebook.steps)


def test_steps_have_their_declared_type() -> None:
    made = program(
        {
            "x ratio": "1",
            "y yuan": "5",
            "f flag": "x > 0",
            "z yuan": "y * f",
            "w flag": "1 if f else 0",
        }
    )
    assert [checked.type for checked in made.steps] == [
        RATIO,
        parse_unit("yuan"),
        FLAG_TYPE,
        parse_unit("yuan"),
        FLAG_TYPE,
    ]


@pytest.mark.parametrize(
    ("expression", "unit"),
    [
        ("a", "point"),
        ("a + 1", "point"),
        ("2 * a", "point"),
        ("a * y", "point"),  # points × yuan per point … is yuan, see below
        ("round(a / a, 6)", "ratio"),
        ("round(y / a, 2)", "yuan/point"),
        ("a if y > 0 else 0", "point"),
        ("min(a, 100)", "point"),
        ("max(0, a)", "point"),
        ("floor(a)", "point"),
        ("sum(a, branch)", "point"),
        ("mean(a, team, where=y > 0)", "point"),
        ("rank(a, branch)", "people"),
        ("count(branch)", "people"),
        ("otherwise(a, 0)", "point"),
        ("has(a)", "flag"),
        ("a > 0", "flag"),
        ("a > 0 and y > 0", "flag"),
        ("(a > 0) + (y > 0)", "ratio"),
        ("(a > 0) * a", "point"),
        ("lookup(t, grade)", "yuan"),
        ("share(y, a, branch)", "yuan"),
        ("a in (1, 2)", "flag"),
        ("w == 'x'", "flag"),
        ("w if a > 0 else 'y'", "text"),
        ("tenure(d)", "month"),
        ("d", "date"),
        ("none", "point"),
        ("5", "score"),
    ],
)
def test_what_an_expression_is(expression: str, unit: str) -> None:
    inputs = {
        "a": given("measure", "point"),
        "y": given("measure", "yuan"),
        "w": given("attribute", "text"),
        "d": given("attribute", "date"),
    }
    tables = {"t": {"unit": "yuan", "rows": {"5": "1", "6": "2"}}}
    if expression == "a * y":
        with pytest.raises(BrokenRulebook, match="its expression is point·yuan"):
            program({f"x {unit}": expression}, inputs=inputs, tables=tables)
    else:
        program({f"x {unit}": expression}, inputs=inputs, tables=tables)


def test_everything_that_is_wrong_is_named_at_once_in_the_order_of_the_text() -> None:
    text = text_of(
        {"x yuan": "a + b", "y point": "c", "z dollar": "1 / 2"},
        inputs={"a": given("measure", "point"), "b": given("measure", "yuan", take="mean")},
        tables={"t": {"unit": "ratio", "rows": {}}},
    )
    with pytest.raises(BrokenRulebook) as broken:
        check(text, "r.yaml")
    said = [problem.text.en for problem in broken.value.problems]
    assert said[0] == "the table has no rows"
    assert said[1] == "with read: measure take is one of latest, sum"
    assert said[2] == "units differ: point and yuan"
    assert said[3] == "there is no c"
    assert said[4].startswith("there is no unit dollar")
    assert said[5] == "a quotient needs its decimal places: round(a / b, n)"
    assert [problem.location for problem in broken.value.problems] == sorted(
        p.location for p in broken.value.problems
    )


def test_a_name_is_suggested_where_one_is_near() -> None:
    with pytest.raises(BrokenRulebook, match=r"there is no base_point: did you mean base_points\?"):
        program({"base_points point": "1", "x point": "base_point"})


def test_a_monthly_rulebook_with_pay_reads_every_adjustment_in_yuan_once() -> None:
    yuan = given("adjustment", "yuan", take="yuan")
    program({"pay yuan": "i"}, inputs={"i": yuan}, period="month")
    program({"pay yuan": "5"}, period="year")
    program({"points point": "5"}, period="month")
    apart = {"rest": {**yuan, "but_not": ["reward"]}, "reward": {**yuan, "item": "reward"}}
    program({"pay yuan": "rest + reward"}, inputs=apart, period="month")
    points = {"rest": yuan, "reward": given("adjustment", "point", take="points", item="reward")}
    program({"pay yuan": "rest"}, inputs=points, period="month")


def test_groups_of_steps_of_one_unit_can_be_summed() -> None:
    program({"s.a point": "1", "s.b point": "2", "x point": "sum(s)"})
    program({"f.a flag": "1 > 0", "x ratio": "sum(f)"})
    with pytest.raises(BrokenRulebook, match="different units"):
        program({"s.a point": "1", "s.b yuan": "2", "s.c point": "1", "x point": "sum(s)"})
