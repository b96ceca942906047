"""Traces: a person's figures, what they were read from, and what bound or did not."""

from __future__ import annotations

from typing import Any

import pytest

from domain.evaluation.trace import StepTrace, trace_steps
from tests.facts import evaluated, shipped_program
from tests.rules import given, program, run
from tests.ten_people import HER, ten_people
from tests.worksheet import OCTOBER
from tests.worksheet import Ledger as Sheet


def traced(sheet: Sheet, manager: str = HER) -> dict[str, StepTrace]:
    evaluation = evaluated(sheet, shipped_program("elastic-pay"), OCTOBER)
    return {
        step.step: step
        for step in trace_steps(evaluation, evaluation.people.managers.index(manager))
    }


def limits(step: StepTrace) -> list[tuple[str, bool, str]]:
    return [(limit.kind, limit.fired, limit.distance) for limit in step.limits]


def person(
    points: str = "0", sold: str = "0", minimum: str = "0", **fields: int
) -> dict[str, StepTrace]:
    """One person's trace: deducted, sold (pieces of 50 points), with a minimum wage."""
    sheet = Sheet()
    sheet.branch("minimum_wage", minimum)
    sheet.hire("M1", **fields)
    sheet.put("deduction", "M1", "bundling_rate", points=points)
    sheet.put("sale", "M1", "key_products", quantity=sold)
    return traced(sheet, "M1")


def test_every_step_is_traced_with_its_label_unit_and_clause() -> None:
    found = traced(ten_people())
    step = found["deduction"]
    assert (step.value, step.unit, step.clause) == ("370", "point", "第五条4")
    assert (step.label.zh, step.label.en) == ("扣减积分", "Deduction")
    assert [(r.name, r.kind, r.value) for r in step.reads] == [
        ("raw_deduction", "step", "370"),
        ("deduction_cap", "step", "1000"),
    ]
    assert list(found)[-1] == "pay"


@pytest.mark.parametrize(
    ("points", "fired", "distance", "deducted"),
    [
        ("999.999999", False, "0.000001", "999.999999"),
        ("1000", False, "0", "1000"),
        ("1000.000001", True, "0.000001", "1000"),
    ],
)
def test_a_cap_fires_above_itself_only(
    points: str, fired: bool, distance: str, deducted: str
) -> None:
    step = person(points)["deduction"]
    assert step.value == deducted
    assert limits(step) == [("cap", fired, distance)]
    assert "触发" in step.limits[0].text.zh
    assert ("未触发" not in step.limits[0].text.zh) == fired


@pytest.mark.parametrize(
    ("minimum", "fired", "distance", "pay"),
    [
        ("1824.99", False, "0.01", "1825"),
        ("1825", False, "0", "1825"),
        ("1825.01", True, "0.01", "1825.01"),
    ],
)
def test_a_floor_fires_below_itself_only(
    minimum: str, fired: bool, distance: str, pay: str
) -> None:
    step = person(minimum=minimum)["pay"]  # 1025 + 800: alone, one is of the third tier
    assert step.value == pay
    assert limits(step) == [("floor", fired, distance)]


@pytest.mark.parametrize(
    ("points", "fired", "distance"), [("300", False, "0"), ("300.000001", True, "0.000001")]
)
def test_a_condition_says_whether_it_holds_and_by_how_much(
    points: str, fired: bool, distance: str
) -> None:
    step = person(points)["barred_by_deduction"]
    assert step.value == ("1" if fired else "0")
    assert limits(step) == [("condition", fired, distance)]
    text = step.limits[0].text
    assert text.en == f"Deductions before the cap > Deduction that bars: {points} against 300, " + (
        "holds" if fired else "does not hold"
    )
    assert text.zh.endswith("成立" if fired else "不成立")


def test_a_cap_inside_a_floor_has_its_own_line() -> None:
    assert limits(person(sold="160")["performance_points"]) == [
        ("floor", False, "8000"),
        ("cap", False, "0"),
    ]
    assert limits(person(sold="160.5")["performance_points"]) == [
        ("floor", False, "8000"),
        ("cap", True, "25"),
    ]
    assert person(sold="160.5")["performance_points"].value == "8000"


def test_figures_are_written_out() -> None:
    found = traced(ten_people())
    assert found["raw_deduction"].figures.en == "370"
    assert found["kpi_points"].figures.en == "3 × 20 + 40 × 2 + 1 × 40"
    assert (
        found["position_points"].figures.zh == found["position_points"].figures.en == "1025 − 370"
    )
    assert found["total_points"].figures.en == "655 + 800 + 180 + 0"
    assert found["gs_score"].figures.en == "(85 + 85 + 85 + 85) ÷ 4 (half up, 6 places)"
    assert found["gs_rank"].figures.en == "place 3 of 10 people"
    assert found["gs_rank"].figures.zh == "第 3 名，共 10 人"
    assert found["gs_tier"].figures.en == "place 3; seats for 10 people 1:1、2:2、3:6、4:1"
    assert found["base_points"].figures.en == "6 → 1025"
    assert found["deduction"].figures.en == "the smaller of (370, 1000)"
    assert found["pay"].figures.zh == "取较大者（1635，1500）"


def test_the_entries_behind_a_figure_are_the_persons_own_and_count() -> None:
    sheet = ten_people()
    mine = {n for n, raw in enumerate(sheet, 1) if raw.get("manager") == HER}
    found = traced(sheet)
    by_item = {
        raw.get("item"): n
        for n, raw in enumerate(sheet, 1)
        if raw.get("manager") == HER and raw["kind"] == "sale"
    }
    assert found["kpi_points"].positions == tuple(sorted(by_item.values()))
    both = tuple(n for n, raw in enumerate(sheet, 1) if raw["kind"] == "deduction")
    assert found["raw_deduction"].positions == both
    assert found["pay"].positions == (1,)  # the branch's minimum wage
    everything = {p for step in found.values() for p in step.positions} - {1}
    assert everything <= mine
    reversed_one = next(raw for raw in sheet if raw.get("points") == "250")
    sheet.reverse(reversed_one)
    assert traced(sheet)["raw_deduction"].positions == both[:1]


def test_an_optional_step_that_someone_is_without_has_no_value() -> None:
    found = traced(ten_people())
    assert found["team_rank"].value is None
    assert found["kpi_completion.group_count"].value is None  # the team has no targets
    assert found["kpi_missed.group_count"].value == "0"


# What was near: seats, tiers, the conditions of a choice


def small(steps: dict[str, str], figures: dict[str, str], **parts: Any) -> dict[str, StepTrace]:
    """The only person's trace under a small rulebook."""
    evaluation = run(program(steps, **parts), {"M": figures})
    return {step.step: step for step in trace_steps(evaluation, 0)}


def test_a_code_is_said_in_the_words_of_its_rulebook() -> None:
    evaluation = run(shipped_program("four-virtues"), {"M": {"check": "10"}})
    found = {step.step: step for step in trace_steps(evaluation, 0)}
    assert (found["band"].value, found["band"].word) == ("fair", ("尚可", "fair"))
    assert found["band"].value_text("zh") == "尚可 (fair)"
    assert found["rank"].word is None


def test_a_trace_says_by_how_many_places_a_better_tier_was_missed() -> None:
    found = traced(ten_people(), "M06")  # sixth of ten: tiers 1 and 2 have three seats
    assert limits(found["gs_tier"]) == [("seat", True, "3")]
    assert found["gs_tier"].limits[0].text == (
        "第 1、2 档共 3 席：第 6 名，差 3 名",
        "3 seats in 1, 2: place 6, 3 behind",
    )
    assert limits(traced(ten_people(), "M01")["gs_tier"]) == []
    assert (
        limits(traced(ten_people(), HER)["gs_tier"]) == []
    )  # third: the bar decided, not the seats


@pytest.mark.parametrize(
    ("score", "distance"), [("0", "60"), ("59.5", "0.5"), ("60", "20"), ("79.999999", "0.000001")]
)
def test_the_next_tier_of_a_table_is_so_far_away(score: str, distance: str) -> None:
    inputs = {"score": given("rating", "score")}
    tables = {
        "bonus": {"unit": "yuan", "match": "from", "rows": {"0": "0", "60": "1000", "80": "2000"}}
    }
    step = small(
        {"x yuan": "lookup(bonus, score)"}, {"score": score}, inputs=inputs, tables=tables
    )["x"]
    assert limits(step) == [("tier", False, distance)]
    top = small({"x yuan": "lookup(bonus, score)"}, {"score": "80"}, inputs=inputs, tables=tables)[
        "x"
    ]
    assert limits(top) == []


def test_the_condition_of_a_choice_is_a_limit_unless_it_only_asks_for_0() -> None:
    inputs = {"score": given("rating", "score"), "target": given("measure", "score")}
    steps = {"x ratio": "(1 if score >= 90 else 0) if target > 0 else 0"}
    step = small(steps, {"score": "88.5", "target": "5"}, inputs=inputs)["x"]
    assert limits(step) == [("condition", False, "1.5")]


def test_a_comparison_with_the_team_shows_the_persons_own() -> None:
    inputs = {"a": given("measure")}
    steps = {"x ratio": "sum(a, team, where=team == 'T') if team == 'T' else 0"}
    step = small(steps, {"a": "12"}, inputs=inputs)["x"]
    assert step.figures.en == (
        "12〔total of the a over the team (where team = “T”)〕 if T = “T”, otherwise 0"
    )
    assert "若 T = “T”" in step.figures.zh


def test_what_has_no_value_is_said_to_have_none_in_figures() -> None:
    inputs = {"a": given("measure", missing="absent")}
    tables = {"t": {"unit": "ratio", "rows": {"1": "7"}}}
    steps = {
        "?looked ratio": "lookup(t, a) if has(a) else 0",
        "?floored ratio": "otherwise(max(a, 3), 1)",
        "?place place": "rank(a, branch)",
    }
    found = small(steps, {}, inputs=inputs, tables=tables)
    assert found["looked"].figures.en == "none → none if there is no「the a」, otherwise 0"
    assert found["floored"].value == "1"
    assert limits(found["floored"]) == []  # there was nothing to lift
    assert found["place"].figures.en == "place none of 1 people"


def test_a_sum_of_a_table_is_written_out() -> None:
    tables = {"t": {"columns": {"x": "ratio"}, "rows": {"1": {"x": "7"}, "2": {"x": "0.5"}}}}
    found = small({"x ratio": "sum(t.x) * 2", "y ratio": "mean(t.x)"}, {}, tables=tables)
    assert (found["x"].value, found["x"].figures.en) == ("15", "(7 + 0.5) × 2")
    assert (found["y"].value, found["y"].figures.en) == (
        "3.75",
        "(7 + 0.5) ÷ 2 (half up, 6 places)",
    )


def test_an_input_that_is_a_mean_of_several_says_of_how_many() -> None:
    inputs = {
        "a": given("rating", "score"),
        "b": given("measure", "score"),
        "c": given("rating", "score", take="sum"),
    }
    sheet = Sheet()
    sheet.hire("M")
    for score in ("90", "80", "81"):
        sheet.put("rating", "M", "a", score=score)
        sheet.put("rating", "M", "c", score=score)
    sheet.put("measure", "M", "b", value="1")
    evaluation = evaluated(sheet, program({"x score": "a + b + c"}, inputs=inputs), "2026")
    (step,) = trace_steps(evaluation, 0)
    assert {read.name: read.averaged and read.averaged.en for read in step.reads} == {
        "a": "mean of 3 figures (half up, 6 places)",
        "b": None,
        "c": None,
    }


def test_a_limit_without_a_name_is_called_what_it_is() -> None:
    inputs = {"a": given("measure")}
    step = small({"x ratio": "min(max(a, 0), 10)"}, {"a": "12"}, inputs=inputs)["x"]
    assert [limit.text.en for limit in step.limits] == [
        "limit of 10: bound, 12 is 2 above",
        "floor of 0: did not bind, 12",
    ]
