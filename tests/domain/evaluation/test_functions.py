"""Every function of the language: for one person, over items, and over a population."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rulebook.vocabulary import REFUSALS
from tests.rules import figures, found, given, label, program, run, value, warned

A = {"a": given("measure"), "b": given("measure")}
OPEN = {"a": given("measure", missing="absent"), "b": given("measure", missing="absent")}
BANDS = {"bands": {"unit": "ratio", "match": "from", "rows": {"0": "1", "60": "2", "80.5": "3"}}}
LEVEL_ROWS = {"junior": {"pay": "10", "days": "1"}, "senior": {"pay": "20", "days": "2"}}
LEVELS = {"levels": {"columns": {"pay": "yuan", "days": "ratio"}, "rows": LEVEL_ROWS}}
TIERS = {
    "tiers": {"columns": {"share": "ratio"}, "rows": {"1": {"share": "0.5"}, "2": {"share": "0.5"}}}
}
WORD_TIERS = {
    "tiers": {
        "columns": {"share": "ratio"},
        "rows": {"good": {"share": "0.5"}, "poor": {"share": "0.5"}},
    }
}
ITEMS = {
    "g": given("sale", "piece", items={"x": {"zh": "x", "en": "x"}, "y": {"zh": "y", "en": "y"}})
}
GAPPED = {
    "g": given(
        "rating", missing="absent", items={"x": {"zh": "x", "en": "x"}, "y": {"zh": "y", "en": "y"}}
    )
}


def one(expression: str, person: dict[str, Any] | None = None, **parts: Any) -> str | None:
    """What an expression is for somebody alone."""
    return value(expression, {"M": person or {}}, **parts)["M"]


# One person


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("min(3, 1, 2)", "1"),
        ("max(3, 1, 5)", "5"),
        ("min(-1, -2)", "-2"),
        ("max(0.5, 0.05)", "0.5"),
        ("round(2.345, 2)", "2.35"),
        ("round(-2.345, 2)", "-2.35"),
        ("round(2.344999, 2)", "2.34"),
        ("round(2.5, 0)", "3"),
        ("round(5, 2)", "5"),
        ("round(2 / 3, 4)", "0.6667"),
        ("round(-1 / 2, 0)", "-1"),
        ("round(1 / 8, 2)", "0.13"),
        ("floor(2.999999)", "2"),
        ("floor(-0.1)", "-1"),
        ("floor(3)", "3"),
        ("1 - 2 * 3", "-5"),
        ("(1 - 2) * 3", "-3"),
        ("-(1 + 2)", "-3"),
        ("0.1 + 0.2", "0.3"),
        ("1 if 2 > 1 else 0", "1"),
        ("1 if 2 < 1 else 0", "0"),
        ("1 < 2 < 3", "1"),
        ("1 < 2 < 2", "0"),
        ("2 <= 2", "1"),
        ("2 < 2", "0"),
        ("2 >= 2", "1"),
        ("2 > 2", "0"),
        ("2 == 2.0", "1"),
        ("2 != 2.0", "0"),
        ("2 in (1, 2, 3)", "1"),
        ("4 in (1, 2, 3)", "0"),
        ("not 2 > 1", "0"),
        ("not 2 < 1", "1"),
        ("1 > 2 or 2 > 1", "1"),
        ("1 > 2 or 2 > 3", "0"),
        ("2 > 1 and 3 > 2", "1"),
        ("2 > 1 and 3 > 4", "0"),
        ("1 > 2 and 3 > 2", "0"),
    ],
)
def test_what_an_expression_of_figures_is(expression: str, result: str) -> None:
    flag = (
        any(sign in expression for sign in ("<", ">", "==", "!=", " in "))
        and "if" not in expression
    )
    assert one(expression, unit="flag" if flag else "ratio") == result


def test_has_is_whether_there_is_a_value() -> None:
    people = {"M1": {"a": "0"}, "M2": {}}
    assert value("has(a)", people, unit="flag", inputs=OPEN) == {"M1": "1", "M2": "0"}
    assert value("has(1)", people, unit="flag") == {"M1": "1", "M2": "1"}
    assert value("has(round(1 / a, 2))", people, unit="flag", inputs=OPEN) == {"M1": "0", "M2": "0"}


def test_something_wrong_is_not_something_missing() -> None:
    rules = program(
        {"x flag": "has(lookup(t, a))", "y ratio": "otherwise(lookup(t, a), 5)"},
        inputs=OPEN,
        tables={"t": {"unit": "ratio", "rows": {"1": "1"}}},
    )
    evaluation = run(rules, {"M1": {"a": "1"}, "M2": {"a": "9"}, "M3": {}})
    assert figures(evaluation, "x") == {"M1": "1", "M2": None, "M3": "0"}
    assert figures(evaluation, "y") == {"M1": "1", "M2": None, "M3": "5"}
    assert found(evaluation) == {("M2", "unknown_key", "x", "t")}


def test_otherwise_is_the_second_where_the_first_is_missing_or_a_quotient_by_zero() -> None:
    people = {"M1": {"a": "4", "b": "2"}, "M2": {"a": "4"}, "M3": {"a": "4", "b": "0"}}
    assert value("otherwise(round(a / b, 2), -1)", people, inputs=OPEN) == {
        "M1": "2",
        "M2": "-1",
        "M3": "-1",
    }
    assert value("otherwise(a, 9)", {"M": {"a": "0"}}, inputs=OPEN) == {"M": "0"}
    assert value("otherwise(a, b)", {"M": {}}, inputs=OPEN) == {"M": None}


def test_otherwise_may_warn_and_only_whom_it_concerns() -> None:
    words = {"no_a": label("no a")}
    rules = program({"x ratio": "otherwise(a, 0, warn='no_a')"}, inputs=OPEN, warnings=words)
    assert warned(run(rules, {"M1": {"a": "1"}, "M2": {}})) == {("M2", "no_a", "x")}
    choice = {"x ratio": "otherwise(a, 0, warn='no_a') if b > 0 else 7"}
    chosen = program(choice, inputs=A | {"a": OPEN["a"]}, warnings=words)
    assert warned(run(chosen, {"M1": {"b": "1"}, "M2": {"b": "0"}})) == {("M1", "no_a", "x")}


def test_an_own_warning_is_given_by_its_step_and_once_to_each_person() -> None:
    words = {"no_a": label("no a"), "no_b": label("no b")}
    steps = {
        "x ratio": "otherwise(a, 0, warn='no_a') + otherwise(b, 0, warn='no_b')",
        "y ratio": "otherwise(a, 1, warn='no_a') + otherwise(b, 1, warn='missing_measure')",
    }
    evaluation = run(
        program(steps, inputs=OPEN, warnings=words), {"M1": {"a": "1"}, "M2": {}, "M3": {"b": "2"}}
    )
    in_x = {("M1", "no_b", "x"), ("M2", "no_a", "x"), ("M2", "no_b", "x"), ("M3", "no_a", "x")}
    in_y = {
        ("M1", "missing_measure", "y"),
        ("M2", "no_a", "y"),
        ("M2", "missing_measure", "y"),
        ("M3", "no_a", "y"),
    }
    assert warned(evaluation) == in_x | in_y
    assert figures(evaluation, "y") == {"M1": "2", "M2": "2", "M3": "3"}
    assert found(evaluation) == set()


def test_otherwise_neither_replaces_nor_warns_of_a_wrong_value() -> None:
    rules = program(
        {"x ratio": "otherwise(a, 0, warn='no_a')"},
        inputs={"a": {**OPEN["a"], "high": "5"}},
        warnings={"no_a": label("no a")},
    )
    evaluation = run(rules, {"M1": {"a": "5"}, "M2": {"a": "5.000001"}})
    assert (found(evaluation), warned(evaluation)) == ({("M2", "out_of_bounds", "x", "a")}, set())


# Refusals


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_a_finding_of_its_code_for_whom_it_is_taken(code: str) -> None:
    rules = program({"x ratio": f"a if a > 0 else refuse('{code}')", "y ratio": "x + 1"}, inputs=A)
    evaluation = run(rules, {"M1": {"a": "0.000001"}, "M2": {"a": "0"}, "M3": {"a": "-1"}})
    assert figures(evaluation, "x") == {"M1": "0.000001", "M2": None, "M3": None}
    assert found(evaluation) == {("M2", code, "x", "x"), ("M3", code, "x", "x")}
    assert warned(evaluation) == set()


def test_a_refusal_for_a_missing_value_counts_even_in_an_optional_step() -> None:
    rules = program({"?x ratio": "otherwise(a, refuse('missing_measure'))"}, inputs=OPEN)
    evaluation = run(rules, {"M1": {"a": "0"}, "M2": {}})
    assert figures(evaluation, "x") == {"M1": "0", "M2": None}
    assert found(evaluation) == {("M2", "missing_measure", "x", "x")}


def test_a_refusal_takes_the_unit_of_the_other_side() -> None:
    inputs = {"p": given("measure", "yuan"), "b": given("measure")}
    rules = program({"x yuan": "p if b > 0 else refuse('out_of_bounds')"}, inputs=inputs)
    assert figures(run(rules, {"M1": {"p": "5", "b": "1"}, "M2": {"p": "5"}}), "x") == {
        "M1": "5",
        "M2": None,
    }
    flag = program({"f flag": "b > 1 if b > 0 else refuse('out_of_bounds')"}, inputs=inputs)
    evaluation = run(flag, {"M1": {"b": "2"}, "M2": {"b": "1"}, "M3": {"b": "0"}})
    assert figures(evaluation, "f") == {"M1": "1", "M2": "0", "M3": None}


def test_otherwise_replaces_a_refusal_of_what_is_missing_but_not_of_what_is_wrong() -> None:
    assert one("otherwise(refuse('missing_rating'), 3)") == "3"
    assert one("has(refuse('missing_attribute'))", unit="flag") == "0"
    for code in ("out_of_bounds", "not_positive"):
        assert one(f"otherwise(refuse('{code}'), 3)") is None


def test_a_refusal_in_a_population_concerns_those_who_count() -> None:
    rules = program(
        {"x ratio": "sum(a if a > 0 else refuse('out_of_bounds'), branch, where=b > 0)"}, inputs=A
    )
    counted = {"M1": {"a": "1", "b": "1"}, "M2": {"a": "0", "b": "0"}}
    assert figures(run(rules, counted), "x") == {"M1": "1", "M2": "1"}
    assert figures(run(rules, counted | {"M3": {"a": "0", "b": "1"}}), "x") == {
        "M1": None,
        "M2": None,
        "M3": None,
    }


def test_a_table_is_looked_up_by_its_key() -> None:
    people = {"M1": {"level": "senior"}, "M2": {"level": "junior"}, "M3": {"level": "chief"}}
    level = {"level": given("attribute", "text")}
    rules = program({"x yuan": "lookup(levels.pay, level)"}, inputs=level, tables=LEVELS)
    evaluation = run(rules, people)
    assert figures(evaluation, "x") == {"M1": "20", "M2": "10", "M3": None}
    assert found(evaluation) == {("M3", "unknown_key", "x", "levels.pay")}
    assert value("lookup(levels.days, level)", people, inputs=level, tables=LEVELS)["M1"] == "2"
    grades, table = (
        {"M1": {"grade": "5"}, "M2": {"grade": "7"}},
        {"unit": "ratio", "rows": {"7": "70", "5": "50"}},
    )
    assert value("lookup(t, grade)", grades, tables={"t": table}) == {"M1": "50", "M2": "70"}


def test_a_word_is_looked_up_among_numbers_as_it_is_spelt_and_a_number_by_its_value() -> None:
    rows = {"t": {"unit": "ratio", "rows": {"1": "10", "1.50": "15", "10": "100", "-2": "7"}}}
    star = {"star": given("attribute", "text")}
    spelt = ["1", "10", "1.50", "-2", "1.5", "1.0", "01", "", "one", "2"]
    evaluation = run(
        program({"x ratio": "lookup(t, star)"}, inputs=star, tables=rows),
        {f"M{n}": {"star": word} for n, word in enumerate(spelt)},
    )
    assert list(figures(evaluation, "x").values()) == ["10", "100", "15", "7", *[None] * 6]
    assert found(evaluation) == {(f"M{n}", "unknown_key", "x", "t") for n in range(4, 10)}
    people = {
        f"M{n}": {"a": value} for n, value in enumerate(["1", "1.0", "1.5", "10.000", "-2", "2"])
    }
    assert list(value("lookup(t, a)", people, inputs=A, tables=rows).values()) == [
        "10",
        "10",
        "15",
        "100",
        "7",
        None,
    ]
    assert one("lookup(t, '1.50')", tables=rows) == "15"


def test_a_word_that_is_missing_is_missing_and_no_unknown_row() -> None:
    rules = program({"x ratio": "lookup(t, star)"}, inputs={"star": given("attribute", "text")},
                    tables={"t": {"unit": "ratio", "rows": {"1": "10"}}})  # fmt: skip
    assert found(run(rules, {"M1": {}, "M2": {"star": "1"}})) == {
        ("M1", "missing_attribute", "x", "star")
    }


def test_a_table_of_lower_bounds_gives_the_last_not_above_the_value() -> None:
    people = {
        f"M{i}": {"a": a}
        for i, a in enumerate(["-0.000001", "0", "59.999999", "60", "80.499999", "80.5", "999"])
    }
    found_rows = value("lookup(bands, a)", people, inputs=A, tables=BANDS)
    assert list(found_rows.values()) == [None, "1", "1", "2", "2", "3", "3"]


def test_tenure_is_months_from_the_month_of_the_date_to_the_last_of_the_period() -> None:
    entered = {"d": given("attribute", "date")}
    people = {
        "M1": {"d": "2026-12-31"},
        "M2": {"d": "2026-11-30"},
        "M3": {"d": "2023-12-01"},
        "M4": {"d": "2027-02-01"},
    }
    assert value("tenure(d)", people, unit="month", inputs=entered) == {
        "M1": "0",
        "M2": "1",
        "M3": "36",
        "M4": "-2",
    }
    refused = run(
        program({"x month": "tenure(d)"}, inputs=entered), {"M1": {"d": "2026-02-30"}, "M2": {}}
    )
    assert found(refused) == {
        ("M1", "bad_attribute", "x", "d"),
        ("M2", "missing_attribute", "x", "d"),
    }


# The items of a group


def test_a_group_is_summed_and_averaged_over_its_items() -> None:
    assert one("sum(g)", {"g": {"x": "1", "y": "2.5"}}, unit="piece", inputs=ITEMS) == "3.5"
    assert one("mean(g)", {"g": {"x": "1", "y": "2"}}, unit="piece", inputs=ITEMS) == "1.5"
    assert (
        one("mean(g)", {"g": {"x": "0.000001", "y": "0"}}, unit="piece", inputs=ITEMS) == "0.000001"
    )


def test_absent_items_are_skipped_and_without_items_there_is_no_mean() -> None:
    people = {"M1": {"g": {"x": "4", "y": "2"}}, "M2": {"g": {"x": "4"}}, "M3": {}}
    assert value("mean(g)", people, inputs=GAPPED) == {"M1": "3", "M2": "4", "M3": None}
    assert value("sum(g)", people, inputs=GAPPED) == {"M1": "6", "M2": "4", "M3": "0"}


@pytest.mark.parametrize(
    ("person", "mean"),
    [
        ({"x": "4", "y": "2"}, "3.5"),  # (0.6 × 4 + 0.2 × 2) / 0.8
        ({"x": "4"}, "4"),
        ({"y": "2"}, "2"),
        ({"x": "0", "y": "2"}, "0.5"),  # 0 is there: 0.4 / 0.8
        ({"x": "0.000001", "y": "-0.000001"}, "0.000001"),  # 0.0000005, half up
        ({"x": "0", "y": "0.000001"}, "0"),  # 0.00000025
        ({}, None),
    ],
)
def test_a_mean_may_weigh_the_items_that_are_there(
    person: dict[str, str], mean: str | None
) -> None:
    weights = {"w": {"unit": "ratio", "rows": {"x": "0.6", "y": "0.2"}}}
    columns = {"c": {"columns": {"other": "point", "w": "ratio"}, "rows": {
        "y": {"other": "9", "w": "0.2"}, "x": {"other": "1", "w": "0.6"}}}}  # fmt: skip
    assert one("mean(g, weights=w)", {"g": person}, inputs=GAPPED, tables=weights) == mean
    assert one("mean(g, weights=c.w)", {"g": person}, inputs=GAPPED, tables=columns) == mean


def test_an_item_that_weighs_nothing_does_not_count_and_alone_gives_no_mean() -> None:
    tables = {"w": {"unit": "ratio", "rows": {"x": "0", "y": "2"}}}
    people = {"M1": {"g": {"x": "9", "y": "3"}}, "M2": {"g": {"x": "9"}}}
    assert value("mean(g, weights=w)", people, inputs=GAPPED, tables=tables) == {
        "M1": "3",
        "M2": None,
    }


def test_who_has_nothing_to_weigh_is_warned_or_refused_as_the_rule_says() -> None:
    tables = {"w": {"unit": "ratio", "rows": {"x": "1", "y": "2"}}}
    people = {"M1": {"g": {"y": "3"}}, "M2": {}}
    warning = {"x ratio": "otherwise(mean(g, weights=w), 0, warn='missing_rating')"}
    evaluation = run(program(warning, inputs=GAPPED, tables=tables), people)
    assert figures(evaluation, "x") == {"M1": "3", "M2": "0"}
    assert (warned(evaluation), found(evaluation)) == ({("M2", "missing_rating", "x")}, set())
    bare = run(program({"x ratio": "mean(g, weights=w)"}, inputs=GAPPED, tables=tables), people)
    assert found(bare) == {("M2", "division_by_zero", "x", "x")}


def test_a_weighed_item_out_of_bounds_refuses() -> None:
    tables = {"w": {"unit": "ratio", "rows": {"x": "1", "y": "2"}}}
    bounded = {"g": {**GAPPED["g"], "high": "5"}}
    evaluation = run(
        program({"x ratio": "mean(g, weights=w)"}, inputs=bounded, tables=tables),
        {"M1": {"g": {"x": "5"}}, "M2": {"g": {"x": "5.000001", "y": "1"}}},
    )
    assert found(evaluation) == {("M2", "out_of_bounds", "x", "g.x")}


def test_the_rows_of_a_table_are_summed_and_averaged() -> None:
    assert one("sum(levels.pay)", unit="yuan", tables=LEVELS) == "30"
    assert one("mean(levels.days)", tables=LEVELS) == "1.5"
    figures_of = {"t": {"unit": "point", "rows": {"1": "0.5", "2": "-2", "3": "3"}}}
    assert one("sum(t)", unit="point", tables=figures_of) == "1.5"
    assert one("mean(t)", unit="point", tables=figures_of) == "0.5"
    assert one("round(5 / sum(t), 2)", unit="ratio/point", tables=figures_of) == "3.33"


def test_flags_of_a_table_are_counted() -> None:
    flags = {"t": {"columns": {"open": "flag", "n": "ratio"}, "rows": {
        "1": {"open": "1", "n": "5"}, "2": {"n": "6"}, "3": {"open": "1", "n": "7"}}}}  # fmt: skip
    assert one("sum(t.open)", tables=flags) == "2"
    assert one("mean(t.open)", tables=flags) == "0.666667"


def test_a_wrong_item_refuses_the_group() -> None:
    steps = {"s.x ratio": "a", "s.y ratio": "round(1 / a, 2)", "x ratio": "sum(s)"}
    evaluation = run(program(steps, inputs=A), {"M1": {"a": "2"}, "M2": {"a": "0"}})
    assert figures(evaluation, "x") == {"M1": "2.5", "M2": None}
    assert found(evaluation) == {("M2", "division_by_zero", "s.y", "s.y")}


def test_steps_with_one_prefix_are_a_group() -> None:
    steps = {
        "s.x ratio": "1",
        "s.z.z ratio": "5",
        "s.y ratio": "2",
        "other ratio": "9",
        "x ratio": "sum(s)",
    }
    assert figures(run(program(steps), {"M": {}}), "x") == {"M": "3"}
    flags = {"f.x flag": "1 > 0", "f.y flag": "2 > 1", "f.z flag": "1 > 2", "x ratio": "sum(f)"}
    assert figures(run(program(flags), {"M": {}}), "x") == {"M": "2"}


def test_a_sum_of_products_takes_each_quantity_by_its_figure() -> None:
    scores = {"t": {"unit": "point/piece", "rows": {"x": "20", "y": "0.5"}}}
    person = {"g": {"x": "3", "y": "-0.1"}}
    assert one("sumproduct(g, t)", person, unit="point", inputs=ITEMS, tables=scores) == "59.95"


# Populations

PEOPLE = {
    "M1": {"branch": "B", "team": "T", "a": "1", "b": "1"},
    "M2": {"branch": "B", "team": "U", "a": "2", "b": "0"},
    "M3": {"branch": "B", "team": "U", "a": "6", "b": "1"},
    "M4": {"branch": "C", "team": "T", "a": "100", "b": "1"},
}


def over(
    expression: str, *, unit: str = "ratio", people: dict[str, Any] | None = None, **parts: Any
) -> list[str | None]:
    return list(
        value(
            expression, people or PEOPLE, unit=unit, inputs=A | parts.pop("inputs", {}), **parts
        ).values()
    )


@pytest.mark.parametrize(
    ("expression", "unit", "result"),
    [
        ("sum(a, branch)", "ratio", ["9", "9", "9", "100"]),
        ("sum(a, team)", "ratio", ["1", "8", "8", "100"]),
        ("sum(a, branch, where=b > 0)", "ratio", ["7", "7", "7", "100"]),
        ("mean(a, branch)", "ratio", ["3", "3", "3", "100"]),
        ("mean(a, team, where=b > 0)", "ratio", ["1", "6", "6", "100"]),
        ("mean(a, branch, each=team)", "ratio", ["1.5", "1.5", "1.5", "100"]),
        ("mean(a, branch, each=team, where=b > 0)", "ratio", ["3.5", "3.5", "3.5", "100"]),
        ("count(branch)", "people", ["3", "3", "3", "1"]),
        ("count(team)", "people", ["1", "2", "2", "1"]),
        ("count(branch, where=b > 0)", "people", ["2", "2", "2", "1"]),
        ("count(branch, where=a > 5)", "people", ["1", "1", "1", "1"]),
        ("rank(a, branch)", "people", ["3", "2", "1", "1"]),
        ("rank(a, team)", "people", ["1", "2", "1", "1"]),
        ("rank(a, branch, where=b > 0)", "people", ["2", "0", "1", "1"]),
        ("rank(b, branch, then=a)", "people", ["2", "3", "1", "1"]),
        ("rank(b, branch)", "people", ["1", "3", "2", "1"]),
    ],
)
def test_what_is_computed_over_a_population(expression: str, unit: str, result: list[str]) -> None:
    assert over(expression, unit=unit) == result


def test_a_mean_of_nobody_is_a_quotient_by_zero() -> None:
    assert over("otherwise(mean(a, team, where=b > 5), -1)") == ["-1"] * 4
    assert over("sum(a, team, where=b > 5)") == ["0"] * 4


def test_a_population_is_split_by_an_attribute() -> None:
    groups = {"group": given("attribute", "text", default="front")}
    people = {
        m: {**said, **({"group": "office"} if m == "M2" else {})} for m, said in PEOPLE.items()
    }
    assert over("count(branch, by=group)", unit="people", people=people, inputs=groups) == [
        "2",
        "1",
        "2",
        "1",
    ]
    assert over("rank(a, branch, by=group)", unit="people", people=people, inputs=groups) == [
        "2",
        "1",
        "1",
        "1",
    ]
    assert over("sum(a, branch, by=group)", people=people, inputs=groups) == ["7", "2", "7", "100"]


@pytest.mark.parametrize(
    "expression",
    ["count(branch, by=group)", "rank(a, branch, by=group)", "sum(a, branch, by=group)"],
)
def test_a_person_without_the_attribute_to_split_by_is_refused(expression: str) -> None:
    groups = {"group": given("attribute", "text")}
    people = {"M1": {"group": "x", "branch": "B"}, "M2": {"branch": "C"}}
    unit = "ratio" if expression.startswith("sum") else "people"
    evaluation = run(program({f"x {unit}": expression}, inputs=A | groups), people)
    assert found(evaluation) == {("M2", "missing_attribute", "x", "group")}


def test_who_has_no_key_has_no_place_and_takes_none() -> None:
    people = {"M1": {"a": "1"}, "M2": {}, "M3": {"a": "3"}}
    assert value("rank(a, branch)", people, unit="people", inputs=OPEN) == {
        "M1": "2",
        "M2": None,
        "M3": "1",
    }
    assert value("rank(1, branch, then=a)", people, unit="people", inputs=OPEN) == {
        "M1": "2",
        "M2": None,
        "M3": "1",
    }
    outside = {"M1": {"a": "1", "b": "1"}, "M2": {"b": "0"}}
    inputs = {"a": OPEN["a"], "b": A["b"]}
    assert value("rank(a, branch, where=b > 0)", outside, unit="people", inputs=inputs) == {
        "M1": "1",
        "M2": "0",
    }
    assert value("rank(1, branch, then=a, where=b > 0)", outside, unit="people", inputs=inputs) == {
        "M1": "1",
        "M2": "0",
    }


def test_a_total_over_a_figure_that_someone_lacks_is_lacking_for_their_group_alone() -> None:
    people = {
        "M1": {"branch": "B", "a": "1"},
        "M2": {"branch": "B"},
        "M3": {"branch": "C", "a": "3"},
    }
    assert value("sum(a, branch)", people, inputs=OPEN) == {"M1": None, "M2": None, "M3": "3"}
    assert value("sum(a, branch, where=has(a))", people, inputs=OPEN) == {
        "M1": "1",
        "M2": "1",
        "M3": "3",
    }


def test_a_condition_that_someone_lacks_concerns_that_person() -> None:
    people = {"M1": {"a": "1"}, "M2": {}}
    assert value("count(branch, where=a > 0)", people, unit="people", inputs=OPEN) == {
        "M1": "1",
        "M2": None,
    }
    assert value("sum(1, branch, where=a > 0)", people, inputs=OPEN) == {"M1": "1", "M2": None}


# A fixed order

FIXED = {"a": given("measure"), "f": given("rating", "people", take="latest", missing="absent")}
BY_REVIEW = "rank(a, branch, fixed_by=f)"


def test_a_fixed_order_replaces_the_key_where_everyone_of_the_population_has_a_place() -> None:
    people = {
        "M1": {"branch": "B", "a": "3", "f": "2"},
        "M2": {"branch": "B", "a": "2", "f": "1.5"},
        "M3": {"branch": "C", "a": "1"},
        "M4": {"branch": "C", "a": "2"},
    }
    assert list(value(BY_REVIEW, people, unit="people", inputs=FIXED).values()) == [
        "2",
        "1",
        "2",
        "1",
    ]


def test_a_fixed_order_of_only_some_refuses_and_names_the_others() -> None:
    people = {"M1": {"f": "1"}, "M2": {}, "M3": {"f": "2"}, "M4": {"branch": "C"}}
    evaluation = run(program({"x people": BY_REVIEW}, inputs=FIXED), people)
    assert found(evaluation) == {("M2", "partial_ranking", "x", "f")}


def test_one_place_of_two_refuses_the_other() -> None:
    evaluation = run(program({"x people": BY_REVIEW}, inputs=FIXED), {"M1": {"f": "1"}, "M2": {}})
    assert found(evaluation) == {("M2", "partial_ranking", "x", "f")}


def test_parts_of_equal_name_in_two_branches_are_two() -> None:
    people = {
        "M1": {"branch": "B", "role": "r1", "a": "1"},
        "M2": {"branch": "B", "role": "r2", "a": "2"},
        "M3": {"branch": "C", "role": "r1", "a": "4"},
        "M4": {"branch": "C", "role": "r2", "a": "8"},
    }
    sums = value("sum(a, branch, by=role)", people, inputs=A, roles=["r1", "r2"])
    assert sums == {"M1": "1", "M2": "2", "M3": "4", "M4": "8"}


def test_a_fixed_order_counts_those_who_are_ranked_and_wins_over_every_key() -> None:
    rules = "rank(0, branch, where=a > 0, fixed_by=f, then=a)"
    people = {"M1": {"a": "5", "f": "2"}, "M2": {"a": "1", "f": "1"}, "M3": {"a": "0"}}
    assert value(rules, people, unit="people", inputs=FIXED) == {"M1": "2", "M2": "1", "M3": "0"}
    level = {"M1": {"a": "1", "f": "1"}, "M2": {"a": "9", "f": "1"}}
    assert value(rules, level, unit="people", inputs=FIXED) == {"M1": "1", "M2": "2"}


# Forced distribution


def test_a_distribution_gives_the_key_of_the_tier_as_a_figure_or_a_word() -> None:
    people = {"M1": {"a": "1", "b": "1"}, "M2": {"a": "2", "b": "1"}, "M3": {"a": "9", "b": "0"}}
    steps = {"r people": "rank(a, branch, where=b > 0)", "x tier": "distribute(r, tiers, branch)"}
    assert figures(run(program(steps, inputs=A, tables=TIERS), people), "x") == {
        "M1": "2",
        "M2": "1",
        "M3": "0",
    }
    words = {"r people": "rank(a, branch, where=b > 0)", "x text": "distribute(r, tiers, branch)"}
    evaluation = run(program(words, inputs=A, tables=WORD_TIERS), people)
    assert figures(evaluation, "x") == {"M1": "poor", "M2": "good", "M3": "none"}


def test_a_distribution_within_groups_of_a_branch_fills_the_seats_of_each() -> None:
    people = {f"M{i}": {"a": str(i), "group": "x" if i < 3 else "y"} for i in range(1, 5)}
    steps = {
        "r people": "rank(a, branch, by=group)",
        "x tier": "distribute(r, tiers, branch, by=group)",
    }
    rules = program(steps, inputs=A | {"group": given("attribute", "text")}, tables=TIERS)
    assert figures(run(rules, people), "x") == {"M1": "2", "M2": "1", "M3": "2", "M4": "1"}


def test_the_barred_are_passed_over_for_closed_tiers() -> None:
    rows = {"1": {"share": "0.4", "barred": "1"}, "2": {"share": "0.6"}}
    closed = {"tiers": {"columns": {"share": "ratio", "barred": "flag"}, "rows": rows}}
    people = {"M1": {"a": "3", "b": "1"}, "M2": {"a": "2", "b": "0"}}
    steps = {"r people": "rank(a, branch)", "x tier": "distribute(r, tiers, branch, barred=b > 0)"}
    assert figures(run(program(steps, inputs=A, tables=closed), people), "x") == {
        "M1": "2",
        "M2": "1",
    }


def test_who_has_no_place_or_nothing_to_be_barred_by_has_no_tier() -> None:
    steps = {
        "?r people": "rank(a, branch)",
        "?x tier": "distribute(r, tiers, branch, barred=b > 0)",
    }
    people = {"M1": {"a": "1", "b": "0"}, "M2": {"b": "0"}, "M3": {"a": "2"}}
    evaluation = run(program(steps, inputs=OPEN, tables=TIERS), people)
    assert figures(evaluation, "x") == {"M1": "2", "M2": None, "M3": None}


# Shares of a pool

POOL = {"p": given("measure", "yuan", of="branch"), "w": given("measure")}


def shares(people: dict[str, Any], of: str = "branch") -> Any:
    return run(program({"x yuan": f"share(p, w, {of})"}, inputs=POOL), people)


def test_a_pool_is_shared_to_the_cent_by_weight_within_each_group() -> None:
    people = {
        "M1": {"branch": "B", "p": "100", "w": "1"},
        "M2": {"branch": "B", "p": "100", "w": "1"},
        "M3": {"branch": "B", "p": "100", "w": "1"},
        "M4": {"branch": "C", "p": "0.05", "w": "0.000001"},
        "M5": {"branch": "C", "p": "0.05", "w": "0.000002"},
    }
    # C: 5 cents as 1⅔ and 3⅓: 1 and 3, and the cent that is left to the larger remainder.
    assert list(figures(shares(people), "x").values()) == [
        "33.34",
        "33.33",
        "33.33",
        "0.02",
        "0.03",
    ]


def test_a_pool_nobody_weighs_in_for_stays_undistributed_with_a_warning() -> None:
    people = {"M1": {"branch": "B", "p": "10", "w": "0"}, "M2": {"branch": "C", "p": "0", "w": "0"}}
    evaluation = shares(people)
    assert figures(evaluation, "x") == {"M1": "0", "M2": "0"}
    assert warned(evaluation) == {("M1", "undistributed", "x"), ("M2", "undistributed", "x")}


@pytest.mark.parametrize(
    ("person", "code"),
    [
        ({"p": "0.001", "w": "1"}, "fractional_cents"),
        ({"p": "10.000001", "w": "0"}, "fractional_cents"),
        ({"p": "10", "w": "-1"}, "negative_weight"),
    ],
)
def test_a_pool_of_fractions_of_a_cent_or_a_negative_weight_refuses(
    person: dict[str, str], code: str
) -> None:
    people = {"M1": {"branch": "B", **person}, "M2": {"branch": "C", "p": "1", "w": "1"}}
    evaluation = shares(people)
    assert found(evaluation) == {("M1", code, "x", "x")}
    assert figures(evaluation, "x")["M2"] == "1"


def test_a_pool_must_be_the_same_for_all_who_share_it() -> None:
    people = {
        "M1": {"p": "10", "w": "1"},
        "M2": {"p": "20", "w": "1"},
        "M3": {"branch": "C", "p": "5", "w": "1"},
    }
    assert {(who, code) for who, code, _, _ in found(shares(people))} == {
        ("M1", "uneven_pool"),
        ("M2", "uneven_pool"),
    }
    assert figures(shares({"M3": people["M3"]}), "x") == {"M3": "5"}


@pytest.mark.parametrize("odd", ["M1", "M2", "M3"])
def test_an_uneven_pool_is_put_down_to_whose_is_another_than_most(odd: str) -> None:
    people = {who: {"p": "20" if who == odd else "10", "w": "1"} for who in ("M1", "M2", "M3")}
    assert found(shares(people)) == {(odd, "uneven_pool", "x", "x")}


def test_a_share_lacks_its_value_for_the_whole_group_where_one_lacks_the_weight_or_the_pool() -> (
    None
):
    inputs = {
        "p": given("measure", "yuan", of="branch", missing="absent"),
        "w": given("measure", missing="absent"),
    }
    people = {
        "M1": {"branch": "B", "p": "10", "w": "1"},
        "M2": {"branch": "B", "p": "10"},
        "M3": {"branch": "C", "w": "1"},
        "M4": {"branch": "D", "p": "10", "w": "1"},
    }
    assert value("share(p, w, branch)", people, unit="yuan", inputs=inputs) == {
        "M1": None, "M2": None, "M3": None, "M4": "10",
    }  # fmt: skip


# whom a finding is about


def blamed(steps: dict[str, str], people: dict[str, dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Person, code and step of every finding."""
    inputs = {
        "a": given("measure", missing="refuse"),
        "b": given("measure", missing="refuse"),
        "t": given("measure", of="team", missing="refuse"),
        "pool": given("measure", "yuan", of="branch"),
    }
    used = {name: spec for name, spec in inputs.items() if f"{name}" in " ".join(steps.values())}
    evaluation = run(program(steps, inputs=used), people, pool="10")
    return {(who, code, step) for who, code, step, _ in found(evaluation)}


THREE: dict[str, dict[str, Any]] = {"M1": {"a": "1", "b": "1"}, "M2": {"b": "2"}, "M3": {"a": "3"}}


@pytest.mark.parametrize(
    "expression",
    [
        "sum(a, branch)",
        "mean(a, branch)",
        "1 + sum(a * 2, branch, by=team)",
        "mean(a, branch, where=grade > 0)",
        "sum(a, branch) if grade > 5 else a",
        "sum(mean(a, team), branch)",
        "mean(mean(a, team), branch, each=team)",
    ],
)
def test_who_lacks_a_value_is_blamed_and_not_who_is_without_the_total(expression: str) -> None:
    assert blamed({"x ratio": expression}, THREE) == {("M2", "missing_measure", "x")}


def test_everybody_who_lacks_a_value_that_a_total_counts_is_blamed() -> None:
    assert blamed({"x ratio": "sum(a, branch) + sum(b, branch)"}, THREE) == {
        ("M2", "missing_measure", "x"),
        ("M3", "missing_measure", "x"),
    }
    only_of_team = "sum(a, branch, where=team == 'T')"
    people = {**THREE, "M4": {"team": "T2"}}  # M4 lacks it too, and it does not count
    assert blamed({"x ratio": only_of_team}, people) == {("M2", "missing_measure", "x")}
    own_too = f"a + {only_of_team}"
    assert blamed({"x ratio": own_too}, people) == {
        ("M2", "missing_measure", "x"),
        ("M4", "missing_measure", "x"),
    }


def test_a_later_total_blames_nobody_for_what_an_earlier_step_refused() -> None:
    steps = {
        "own ratio": "a",
        "ours ratio": "mean(own, team)",
        "all ratio": "mean(ours, branch, each=team)",
        "above flag": "own > all",
    }
    assert blamed(steps, THREE) == {("M2", "missing_measure", "own")}
    of_team = {"ours ratio": "mean(a, team)", "all ratio": "sum(ours, branch)"}
    assert blamed(of_team, THREE) == {("M2", "missing_measure", "ours")}


def test_who_has_no_weight_is_blamed_for_the_share() -> None:
    assert blamed({"x yuan": "share(pool, a, branch)"}, THREE) == {("M2", "missing_measure", "x")}


def test_what_a_team_lacks_is_about_all_of_the_team() -> None:
    people = {"M1": {"t": "1"}, "M2": {"team": "T2"}, "M3": {"team": "T2"}}
    expression = "mean(t, branch, each=team)"
    assert blamed({"x ratio": expression}, people) == {
        ("M2", "missing_measure", "x"),
        ("M3", "missing_measure", "x"),
    }


def test_a_mean_of_nobody_is_about_all_who_need_it() -> None:
    people = {"M1": {"a": "0"}, "M2": {"a": "0"}, "M3": {"a": "0", "branch": "C", "team": "T2"}}
    assert blamed({"x ratio": "mean(a, branch, where=a > 0)"}, people) == {
        (who, "division_by_zero", "x") for who in people
    }


@pytest.mark.parametrize(
    "dividing", ["sum(round(1 / a, 2), branch)", "share(pool, round(1 / a, 2), branch)"]
)
def test_who_divides_by_zero_is_blamed_for_the_total(dividing: str) -> None:
    people = {"M1": {"a": "1"}, "M2": {"a": "0"}}
    unit = "yuan" if dividing.startswith("share") else "ratio"
    assert blamed({f"x {unit}": dividing}, people) == {("M2", "division_by_zero", "x")}
