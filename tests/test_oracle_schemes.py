"""The oracle's schemes hold against the words of the rules, where a word is easily read past; one
part a section.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.oracle_schemes.arithmetic import plain
from tests.worksheet import OCTOBER, Ledger, alone


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.branch("minimum_wage", "0.01")
    return made


# Section 1


@pytest.mark.parametrize(
    ("sold", "target", "barred"),
    [
        ("599999", "1000000", "1"),
        ("600000", "1000000", "0"),
        ("599999.5", "1000000", "0"),
        ("0", "0", "0"),
        ("0", "1", "1"),
    ],
)
def test_a_team_short_of_two_targets_bars_its_people(
    ledger: Ledger, sold: str, target: str, barred: str
) -> None:
    ledger.hire("M1")
    for item in ("group_count", "adc_groups"):
        ledger.branch(f"target.{item}", target, team="T1")
        ledger.put("sale", "M1", item, quantity=sold)
    assert alone(ledger)["gs_barred"] == barred


def test_one_short_target_bars_nobody(ledger: Ledger) -> None:
    ledger.hire("M1")
    ledger.branch("target.group_count", "1", team="T1")
    assert alone(ledger)["gs_barred"] == "0"


@pytest.mark.parametrize(("points", "barred"), [("300", "0"), ("300.000001", "1")])
def test_deductions_above_300_bar(ledger: Ledger, points: str, barred: str) -> None:
    ledger.hire("M1", grade=4)
    ledger.put("deduction", "M1", "member_retention", points=points)
    assert alone(ledger)["gs_barred"] == barred


@pytest.mark.parametrize(
    ("grade", "points", "left"),
    [(8, "1000.5", "275"), (4, "655.000001", "0"), (5, "799.999999", "0.000001")],
)
def test_deductions_are_capped_at_the_base_or_at_1000(
    ledger: Ledger, grade: int, points: str, left: str
) -> None:
    ledger.hire("M1", grade=grade)
    ledger.put("deduction", "M1", "arrears_recovery", points=points)
    assert alone(ledger)["position_points"] == left


def test_a_final_rank_replaces_the_rated_order_only_where_everyone_has_one(ledger: Ledger) -> None:
    for manager, score in {"M1": "90", "M2": "80", "M3": "70"}.items():
        ledger.hire(manager)
        ledger.rate_gs(manager, score)
    ledger.put("rating", "M1", "final_rank", score="1")
    ledger.put("rating", "M2", "final_rank", score="2")
    assert ledger.evaluated().refusals == [("partial_ranking", "M3", "gs_rank")]
    ledger.put("rating", "M1", "final_rank", score="3")
    ledger.put("rating", "M3", "final_rank", score="1")
    ranks = {manager: steps["gs_rank"] for manager, steps in ledger.evaluated().statements.items()}
    assert ranks == {"M1": "3", "M2": "2", "M3": "1"}


def test_equal_scores_in_different_tiers_are_named(ledger: Ledger) -> None:
    for manager in ("M1", "M2"):
        ledger.hire(manager)
        ledger.rate_gs(manager, "80")
    both = [("no_review", "gs_rank"), ("tie", "gs_tier")]
    assert ledger.evaluated().warnings == {"M1": both, "M2": both}


def test_an_order_by_score_is_named_where_there_is_no_review(ledger: Ledger) -> None:
    ledger.hire("M1")
    ledger.rate_gs("M1", "80")
    assert ledger.evaluated().warnings == {"M1": [("no_review", "gs_rank")]}
    ledger.put("rating", "M1", "final_rank", score="1")
    assert ledger.evaluated().warnings == {}


@pytest.mark.parametrize(
    ("coefficient", "points"), [("0.8", "1440"), ("-0.8", "160"), ("0.25", "1000")]
)
def test_special_industries_scale_gs_points(ledger: Ledger, coefficient: str, points: str) -> None:
    ledger.hire("M1", attributes={"industry": "rural"})
    ledger.branch("gs_adjustment.rural", coefficient)
    assert alone(ledger)["gs_points"] == points


def test_parameters_can_be_changed(ledger: Ledger) -> None:
    ledger.hire("M1", grade=4)
    ledger.put("sale", "M1", "group_count", quantity="350")
    changes = {
        "performance_cap": "6000",
        "unit_scores": {"group_count": 18},
        "tier_points": (1, 2, 3, 4),
    }
    steps = ledger.evaluated(overrides=changes).statements["M1"]
    assert (steps["kpi_points"], steps["performance_points"], steps["gs_points"]) == (
        "6300",
        "6000",
        "3",
    )
    with pytest.raises(ValueError, match="only elastic-pay"):
        ledger.evaluated("commission", overrides=changes)


def test_the_year_averages_settled_months_wherever_they_were_settled() -> None:
    ledger = Ledger()
    for manager in ("A", "B", "C"):
        ledger.hire(manager)
    ledger.put("rating", "A", "annual_grade", score="4")
    settled = {
        "2025-12": {"A": "9999"},
        "2026-01": {"A": "100", "B": "1"},
        "2026-02": {"A": "100"},
        "2026-10": {"A": "101"},
    }
    result = ledger.evaluated("elastic-pay-year", "2026", settled=settled)
    assert result.statements == {
        "A": {"average_points": "100.333333", "points_rank": "1", "annual_grade": "4"},
        "B": {"average_points": "1", "points_rank": "2"},
        "C": {},
    }
    assert result.warnings == {"C": [("no_statements", "average_points")]}


# The other schemes, where a word of the rule is easily read past


def test_everything_that_refuses_is_found_at_once() -> None:
    ledger = Ledger()
    ledger.hire("M1", grade=9)
    ledger.hire("M2", grade=4)
    ledger.put("rating", "M2", "teamwork", score="100.5")
    ledger.put("rating", "M2", "teamwork", score="99.5")  # the mean would be within bounds
    result = ledger.evaluated()
    assert result.statements == {}
    assert set(result.refusals) == {
        ("unknown_key", "M1", "base_points"),
        ("out_of_bounds", "M2", "gs_score"),
        ("missing_measure", None, "pay"),
    }


def test_a_pool_that_nobody_has_points_for_stays_and_is_named(ledger: Ledger) -> None:
    ledger.hire("M1")
    ledger.branch("quota_pool", "500")
    ledger.branch("unit_completion", "0.9", team="T1")
    ledger.put("rating", "M1", "it_revenue", score="-10")
    result = ledger.evaluated("piece-rate")
    assert (result.statements["M1"]["unit_price"], result.statements["M1"]["bonus"]) == ("0", "0")
    assert ("undistributed", "bonus") in result.warnings["M1"]


PIECE_RATE_MARKS = """
    target_groups 0 18, new_groups 0 6, win_back 0 4, secretary_lines 0 15,
    million_plan 0 6, effective_groups 0 18, wireless_phones 0 13, department_base 0 20,
    records_upkeep 0 20, alert_handling 0 20, group_arrears 0 10, key_contact 0 20, department_process 0 20,
    product_sms -5 5, product_site -5 5, group_loss -5 0, product_400 -5 5, group_satisfaction -10 10, it_revenue -10 10
"""
VIRTUE_MARKS = "check.virtue 0 20, monthly.diligence 0 20, check.ability 0 30, year_end.results 0 30, award 1 10"


@pytest.mark.parametrize(
    ("rulebook", "period", "marks"),
    [("piece-rate", OCTOBER, PIECE_RATE_MARKS), ("four-virtues", "2026", VIRTUE_MARKS)],
)
def test_marks_hold_to_their_range_both_ends_included(
    ledger: Ledger, rulebook: str, period: str, marks: str
) -> None:
    ledger.hire("M1")
    ledger.branch("quota_pool", "500")
    ledger.branch("unit_completion", "0.9", team="T1")
    for item, low, high in (mark.split() for mark in marks.split(",")):
        for score in (low, high):
            ledger.put("rating", "M1", item, score=score)
        assert ledger.evaluated(rulebook, period).refusals == [], item
        for score in (Fraction(low) - Fraction("0.000001"), Fraction(high) + Fraction("0.000001")):
            outside = ledger.put("rating", "M1", item, score=plain(score))
            assert [code for code, _, _ in ledger.evaluated(rulebook, period).refusals] == [
                "out_of_bounds"
            ], item
            ledger.reverse(outside)


def test_a_mean_completion_of_zero_refuses_with_the_person(ledger: Ledger) -> None:
    ledger.hire("M1")
    ledger.branch("quota_pool", "500.001")
    ledger.branch("unit_completion", "0", team="T1")
    refusals = ledger.evaluated("piece-rate").refusals
    assert refusals == [
        ("division_by_zero", "M1", "unit_ratio"),
        ("fractional_cents", None, "bonus"),
    ]


@pytest.mark.parametrize(
    ("actual", "mark"),
    [("85", "4"), ("84.9", "3"), ("64", "2"), ("56", "2"), ("48", "1"), ("100", "5")],
)
def test_a_mark_between_target_and_challenge_is_rounded_once(actual: str, mark: str) -> None:
    ledger = Ledger()
    ledger.hire("M1")
    for name, value in {"target": "80", "challenge": "100", "actual": actual}.items():
        for kpi in ("revenue", "customers", "service"):
            ledger.put("measure", "M1", f"{name}.{kpi}", value=value)
    assert alone(ledger, "plan-appraisal-year", "2026")["kpi_mark.revenue"] == mark


def test_a_missing_level_gives_its_weight_to_the_others() -> None:
    ledger = Ledger()
    ledger.hire("M1")
    ledger.put("rating", "M1", "democratic_review", score="90", rater_level="leader")
    ledger.put("rating", "M1", "democratic_review", score="60", rater_level="subordinate")
    ledger.put("rating", "M1", "democratic_review", score="0", rater_level="self")
    result = ledger.evaluated("third-tier-review", "2026")
    assert result.statements["M1"]["democratic_review"] == "81.428571"  # (50 × 90 + 20 × 60) / 70
    assert ("uncounted_rating", "democratic_review") in result.warnings["M1"]


@pytest.mark.parametrize(
    ("actual", "score"), [("0", "120"), ("3", "100"), ("2", "120"), ("9", "33.333333"), (None, "0")]
)
def test_hours_are_better_the_fewer_they_are(actual: str | None, score: str) -> None:
    ledger = Ledger()
    ledger.hire("M1")
    ledger.put("measure", "M1", "target.complaint_hours", value="3")
    if actual is not None:
        ledger.put("measure", "M1", "actual.complaint_hours", value=actual)
    assert alone(ledger, "service-kpi")["score.complaint_hours"] == score


@pytest.mark.parametrize(
    ("actual", "mark"),
    [("100.0001", "5"), ("100", "4"), ("99.9999", "3"), ("80", "3"), ("79.9999", "2")],
)
def test_a_mark_of_table_2_is_by_the_score(ledger: Ledger, actual: str, mark: str) -> None:
    ledger.hire("M1")
    ledger.put("measure", "M1", "target.sales", value="100")
    ledger.put("measure", "M1", "actual.sales", value=actual)
    assert alone(ledger, "service-kpi")["mark.sales"] == mark


def test_the_outer_bands_are_the_candidates_in_a_small_group_too(ledger: Ledger) -> None:
    for place in range(1, 6):
        ledger.hire(f"M{place}")
        ledger.put("rating", f"M{place}", "year_end.results", score=str(30 - place))
    statements = ledger.evaluated("four-virtues", "2026").statements
    flags = ("raise_candidate", "honour_award", "demotion_candidate")
    assert {m: [steps[flag] for flag in flags] for m, steps in statements.items()} == {
        "M1": ["1", "1", "0"],  # honour: half_up(10% of 5) = 1
        "M2": ["0", "0", "0"],
        "M3": ["0", "0", "0"],
        "M4": ["0", "0", "0"],
        "M5": ["0", "0", "1"],
    }


def test_points_refuse_where_only_yuan_are_read(ledger: Ledger) -> None:
    ledger.hire("M1", attributes={"level": "1"})
    ledger.put("adjustment", "M1", points="5", reason="复核")
    assert ledger.evaluated("graded-wage").refusals == [("points_not_read", "M1", "pay")]


def test_overtime_does_not_count_towards_the_minimum_wage(ledger: Ledger) -> None:
    ledger.hire("M1", attributes={"level": "1"})
    ledger.branch("minimum_wage", "1500")
    ledger.put("measure", "M1", "overtime_pay", value="300")
    ledger.put("adjustment", "M1", "reward", amount="100", reason="嘉奖")
    assert alone(ledger, "graded-wage")["pay"] == "1800"  # max(1200 + 100, 1500) + 300


def test_whoever_finds_no_seat_in_level_4_stands_for_level_3() -> None:
    ledger = Ledger()
    attributes = {"education": "college", "entered_post": "2020-01-15"}
    averages = {"A": "90", "B": "95", "C": "99", "D": "81", "E": "84.9", "F": "70", "G": "98"}
    for manager, average in averages.items():
        # G has no key accounts, so level 2 is the highest.
        ledger.hire(manager, attributes={**attributes, "key_accounts": manager != "G"})
        ledger.put("rating", manager, "monthly_score", score=average)
    for manager in ("A", "D"):  # an award counts for level 4 only
        ledger.put("rating", manager, "honour", score="0")
    ledger.hire("intern", attributes={**attributes, "probation_passed": False})
    ledger.hire("formal", attributes={**attributes, "employment": "formal"})
    statements = ledger.evaluated("graded-management", "2026").statements
    levels = {manager: steps["level"] for manager, steps in statements.items()}
    # n = 7: one seat of level 4 for the award holder, three of level 3 by average.
    assert levels == {
        "A": "4",
        "B": "3",
        "C": "3",
        "D": "2",
        "E": "3",
        "F": "2",
        "G": "2",
        "intern": "1",
    }
    assert statements["A"]["tenure_months"] == "83"
