"""The made-up branch: valid, always the same, and with what it promises to show, by the oracle's
reckoning.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from api.cli.demo.data import MONTHS, demo_entries
from domain.entries.parsing import parse_entry
from tests.oracle import evaluate

ENTRIES = demo_entries()
AUGUST, SEPTEMBER, OCTOBER = MONTHS


@pytest.fixture(scope="module")
def results():
    return {month: evaluate("elastic-pay", ENTRIES, month, "B01") for month in MONTHS}


def test_every_entry_is_one_of_the_contract_under_a_number_of_its_own():
    assert len({parse_entry(entry).key for entry in ENTRIES}) == len(ENTRIES)
    assert {entry["kind"] for entry in ENTRIES} == {
        "assignment", "deduction", "sale", "rating", "adjustment", "measure", "reversal",
    }  # fmt: skip


def test_a_ledger_accepts_them_in_their_order():
    recorded, assigned = set(), set()
    for entry in ENTRIES:
        if entry["kind"] == "assignment":
            assigned.add(entry["manager"])
        elif entry["kind"] == "reversal":
            assert tuple(entry["reverses"].values()) in recorded
        elif "manager" in entry:
            assert entry["manager"] in assigned
        recorded.add((entry["source"], entry["source_id"]))


def test_another_python_process_makes_the_same():
    script = "import json, api.cli.demo.data as d; print(json.dumps(d.demo_entries(), ensure_ascii=True))"
    made = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parents[4], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, check=True, timeout=60,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert made[0] == made[1]


def test_forty_managers_of_different_names_in_four_teams_have_a_statement_each_month(results):
    teams = {entry["manager"]: entry["team"] for entry in ENTRIES if entry["kind"] == "assignment"}
    assert Counter(teams.values()) == {"T1": 10, "T2": 10, "T3": 10, "T4": 10}
    assert len({entry["name"] for entry in ENTRIES if entry["kind"] == "assignment"}) == 40
    for result in results.values():
        assert result.refusals == []
        for warnings in result.warnings.values():  # the made-up branch has no collective review
            assert warnings == [("no_review", "gs_rank")]
        assert result.statements.keys() == teams.keys()


def test_every_product_is_sold_and_every_dimension_rated_by_two_or_three():
    sold = {entry["item"] for entry in ENTRIES if entry["kind"] == "sale"}
    assert len(sold) == 19
    ratings = [
        entry for entry in ENTRIES if entry["kind"] == "rating" and entry["item"] != "team_rank"
    ]
    raters = Counter((entry["month"], entry["manager"], entry["item"]) for entry in ratings)
    assert len(raters) == 3 * 40 * 4
    assert set(raters.values()) == {2, 3}
    assert all(entry["rater"] != entry["manager"] for entry in ratings)


def test_a_team_leader_orders_the_team_from_1_to_10():
    orders = {}
    for entry in ENTRIES:
        if entry["kind"] == "rating" and entry["item"] == "team_rank":
            orders.setdefault((entry["month"], (int(entry["manager"][1:]) - 1) // 10), []).append(
                int(entry["score"])
            )
    assert len(orders) == 12
    assert all(sorted(order) == list(range(1, 11)) for order in orders.values())


def test_m0007_is_capped_at_the_base_points_and_barred_though_rated_best(results):
    steps = results[OCTOBER].statements["M0007"]
    assert steps["base_points"] == steps["deduction_cap"] == steps["deduction"] == "800"  # grade 5
    assert steps["raw_deduction"] == "900.5"  # 460 + 260 + 180.50
    assert steps["position_points"] == "0"
    assert (steps["gs_rank"], steps["gs_barred"], steps["gs_tier"], steps["gs_points"]) == (
        "1",
        "1",
        "3",
        "800",
    )
    assert steps["pay"] == steps["pay_before_floor"]


def test_m0023_alone_is_lifted_to_the_minimum_wage_in_the_last_month(results):
    steps = results[OCTOBER].statements["M0023"]
    assert (steps["base_points"], steps["deduction"], steps["gs_points"]) == (
        "655",
        "120",
        "600",
    )  # grade 4, tier 4
    assert steps["performance_points"] == "98"  # 20 × 1 + 2 × 24 + 5 × 6
    assert (steps["pay_before_floor"], steps["pay"]) == ("1233", "2010")  # 655 − 120 + 600 + 98
    statements = results[OCTOBER].statements.items()
    assert [manager for manager, each in statements if each["pay"] != each["pay_before_floor"]] == [
        "M0023"
    ]


def test_a_cap_of_6000_takes_from_the_three_who_sell_most_and_from_nobody_else(results):
    paid = results[OCTOBER].statements
    lowered = evaluate(
        "elastic-pay", ENTRIES, OCTOBER, "B01", overrides={"performance_cap": 6000}
    ).statements
    assert {manager for manager in paid if paid[manager]["pay"] != lowered[manager]["pay"]} == {
        "M0012",
        "M0021",
        "M0038",
    }
    assert int(paid["M0012"]["performance_raw"]) > 8000
    assert int(paid["M0012"]["pay"]) - int(lowered["M0012"]["pay"]) == 2000


def test_each_way_of_being_barred_is_there(results):
    barred = {
        month: {
            manager for manager, steps in result.statements.items() if steps["gs_barred"] == "1"
        }
        for month, result in results.items()
    }
    team_4 = {f"M{number:04d}" for number in range(31, 41)}
    assert barred == {AUGUST: {"M0006"}, SEPTEMBER: team_4, OCTOBER: {"M0007"}}
    assert float(results[AUGUST].statements["M0006"]["raw_deduction"]) <= 300


def test_adjustments_and_the_promotion_are_in_the_pay(results):
    statements = results[OCTOBER].statements
    assert statements["M0005"]["adjustment_points"] == "-40"
    assert results[SEPTEMBER].statements["M0016"]["adjustment_points"] == "60"
    assert int(statements["M0028"]["pay"]) - int(statements["M0028"]["total_points"]) == 300
    assert results[SEPTEMBER].statements["M0015"]["base_points"] == "1025"  # grade 6
    assert statements["M0015"]["base_points"] == "1150"  # grade 7


def test_what_was_reversed_does_not_count_and_what_was_reinstated_does(results):
    def without(month, *source_ids):
        left = [entry for entry in ENTRIES if entry["source_id"] not in source_ids]
        return evaluate("elastic-pay", left, month, "B01").statements

    twice = f"sale-{OCTOBER}-M0018-mas_groups-again"
    again = [
        entry["source_id"]
        for entry in ENTRIES
        if entry.get("reverses", {}).get("source_id") == twice
    ]
    assert len(again) == 1
    assert without(OCTOBER, twice, *again) == results[OCTOBER].statements

    reinstated = f"deduction-{AUGUST}-M0026-member_retention-late"
    first, second = [entry["source_id"] for entry in ENTRIES if entry["kind"] == "reversal"][-2:]
    assert without(AUGUST, first, second) == results[AUGUST].statements
    gone = without(AUGUST, reinstated, first, second)["M0026"]["raw_deduction"]
    assert int(results[AUGUST].statements["M0026"]["raw_deduction"]) - int(gone) == 45
