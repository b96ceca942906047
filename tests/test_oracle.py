"""The oracle holds against the worked examples and the words of the rules, before anything is held
against it.
"""

from __future__ import annotations

import ast
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import RULEBOOKS, evaluate
from tests.oracle_schemes.arithmetic import (
    distribute,
    half_up,
    plain,
    quotient,
    rounded_seats,
    seats,
    share,
)
from tests.oracle_schemes.facts import months_of
from tests.worksheet import Ledger, alone

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE / "examples").glob("*.expected.json"))
GS = tuple(Fraction(part) for part in ("0.1", "0.2", "0.6", "0.1"))


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.branch("minimum_wage", "0.01")
    return made


# Against the worked examples


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name.split(".")[0])
def test_every_worked_example_is_met_step_by_step(file: Path) -> None:
    expected = json.loads(file.read_text("utf-8"))
    lines = (HERE / "examples" / f"{expected['rulebook']}.jsonl").read_text("utf-8").splitlines()
    result = evaluate(
        expected["rulebook"],
        [json.loads(line) for line in lines],
        expected["period"],
        expected["branch"],
    )
    assert result.refusals == []
    assert result.statements == expected["statements"]


def test_every_rulebook_but_the_one_that_reads_settlements_has_a_worked_example() -> None:
    assert {file.name.split(".")[0] for file in EXAMPLES} == set(RULEBOOKS) - {"elastic-pay-year"}


def test_the_worked_case_of_the_main_scheme_with_its_appeal() -> None:
    ledger = Ledger()
    ledger.branch("minimum_wage", "1000")
    for place in range(1, 11):
        ledger.hire(f"M{place:02d}")
        ledger.rate_gs(f"M{place:02d}", str(100 - place))
    ledger.put("deduction", "M03", "member_retention", points="120")
    disputed = ledger.put("deduction", "M03", "bundling_rate", points="250")
    for item, quantity in {"group_count": "3", "group_members": "40", "mas_groups": "1"}.items():
        ledger.put("sale", "M03", item, quantity=quantity)

    before = ledger.evaluated().statements
    assert {
        step: before["M03"][step]
        for step in ("deduction", "position_points", "gs_tier", "total_points", "pay")
    } == {
        "deduction": "370",
        "position_points": "655",
        "gs_tier": "3",
        "total_points": "1635",
        "pay": "1635",
    }
    assert before["M04"]["gs_points"] == "1000"

    ledger.reverse(disputed)
    after = ledger.evaluated().statements
    assert (after["M03"]["position_points"], after["M03"]["gs_points"], after["M03"]["pay"]) == (
        "905",
        "1000",
        "2085",
    )
    assert after["M04"]["gs_points"] == "800"  # the person displaced
    assert {m for m in after if after[m] != before[m]} == {"M03", "M04"}


# Independence


def test_the_oracle_imports_nothing_but_the_standard_library_and_itself() -> None:
    files = [HERE / "oracle.py", *(HERE / "oracle_schemes").glob("*.py")]
    imported = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(node.module or "")
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign
    assert all(name.startswith("tests.oracle_schemes") for name in foreign)


# Section 0: arithmetic


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        ("0.5", 0, "1"),
        ("-0.5", 0, "-1"),
        ("0.4999", 0, "0"),
        ("1.005", 2, "1.01"),
        ("-1.005", 2, "-1.01"),
        ("2.5", 0, "3"),
    ],
)
def test_halves_go_away_from_zero(value: str, places: int, rounded: str) -> None:
    assert half_up(Fraction(value), places) == Fraction(rounded)


def test_a_quotient_has_six_places_unless_it_says_otherwise() -> None:
    assert plain(quotient(Fraction(2), 3)) == "0.666667"
    assert plain(quotient(Fraction(-2), 3)) == "-0.666667"
    assert plain(quotient(Fraction(2), 3, 8)) == "0.66666667"


@pytest.mark.parametrize(
    "text", ["0", "-0.01", "10", "1000000000000", "0.000001", "-12.5", "999999999999.999999"]
)
def test_values_are_written_as_the_shortest_plain_decimal(text: str) -> None:
    assert plain(Fraction(text)) == text
    assert plain(Fraction(text + ("0" if "." in text else ".0"))) == text


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (1, [0, 0, 1, 0]),
        (2, [0, 1, 1, 0]),
        (3, [1, 1, 1, 0]),
        (4, [1, 1, 1, 1]),
        (10, [1, 2, 6, 1]),
    ],
)
def test_the_seats_of_small_branches_are_those_of_the_rule(
    people: int, expected: list[int]
) -> None:
    assert seats(GS, people) == expected


def test_the_words_alone_fail_to_add_up_for_252_of_the_sizes_to_500() -> None:
    assert sum(sum(rounded_seats(GS, people)) != people for people in range(1, 501)) == 252


@pytest.mark.parametrize(
    "shares", [GS, ("0.2", "0.6", "0.2"), ("0.05", "0.2", "0.5", "0.2", "0.05"), ("0.5", "0.5")]
)
def test_seats_always_add_up_and_only_the_bulk_tier_deviates(shares: tuple[Any, ...]) -> None:
    parts = [Fraction(part) for part in shares]
    bulk = parts.index(max(parts))
    for people in range(1, 200):
        given = seats(parts, people)
        assert sum(given) == people
        assert min(given) >= 0
        if given[bulk] >= 1 and people > len(parts):
            words = rounded_seats(parts, people)
            assert [n for tier, n in enumerate(given) if tier != bulk] == [
                n for t, n in enumerate(words) if t != bulk
            ]


def test_of_two_equal_bulk_tiers_the_better_takes_the_difference() -> None:
    assert seats([Fraction("0.5")] * 2, 3) == [1, 2]  # 1.5 rounds to 2 each, one too many


def test_barred_people_are_passed_over_and_sit_where_they_may() -> None:
    order = [f"M{place}" for place in range(10)]
    tiers = distribute(order, GS, barred={"M0", "M2"}, barred_tiers=2)
    assert [tiers[manager] for manager in order] == [3, 1, 3, 2, 2, 3, 3, 3, 3, 4]


def test_seats_that_no_eligible_person_is_left_for_go_to_the_bulk_tier() -> None:
    order = [f"M{place}" for place in range(10)]
    tiers = distribute(order, GS, barred=set(order[1:]), barred_tiers=2)
    assert [tiers[manager] for manager in order] == [1, 3, 3, 3, 3, 3, 3, 3, 3, 4]
    assert distribute(["M1", "M2"], GS, barred={"M1", "M2"}, barred_tiers=2) == {"M1": 3, "M2": 3}


def test_a_pool_is_shared_to_the_cent_largest_remainders_first() -> None:
    thirds = share(Fraction(100), {"B": Fraction(1), "C": Fraction(1), "A": Fraction(1)})
    assert thirds == {"A": Fraction("33.34"), "B": Fraction("33.33"), "C": Fraction("33.33")}
    # 0.10 by 1 : 2 : 4 is 1.43, 2.86 and 5.71 cents: two cents are left over, for the middle and
    # the last.
    parts = share(Fraction("0.10"), {"A": Fraction(1), "B": Fraction(2), "C": Fraction(4)})
    assert parts == {"A": Fraction("0.01"), "B": Fraction("0.03"), "C": Fraction("0.06")}


def test_a_population_without_weight_gets_nothing() -> None:
    assert share(Fraction(100), {"A": Fraction(0), "B": Fraction(0)}) == {"A": 0, "B": 0}


# Section 0: people and facts


@pytest.mark.parametrize(
    ("period", "first", "last", "count"),
    [
        *(
            ("2026-10", "2026-10", "2026-10", 1),
            ("2026-Q1", "2026-01", "2026-03", 3),
            ("2026-Q4", "2026-10", "2026-12", 3),
        ),
        *(
            ("2026-H1", "2026-01", "2026-06", 6),
            ("2026-H2", "2026-07", "2026-12", 6),
            ("2026", "2026-01", "2026-12", 12),
        ),
    ],
)
def test_a_period_is_its_months(period: str, first: str, last: str, count: int) -> None:
    months = months_of(period)
    assert (months[0], months[-1], len(months)) == (first, last, count)


def test_a_reversed_entry_does_not_count_until_its_reversal_is_reversed(ledger: Ledger) -> None:
    ledger.hire("M1")
    reversal = ledger.reverse(ledger.put("sale", "M1", "other_industry", quantity="3"))
    assert alone(ledger)["industry_points"] == "0"
    again = ledger.reverse(reversal)
    assert alone(ledger)["industry_points"] == "30"
    ledger.reverse(again)
    assert alone(ledger)["industry_points"] == "0"


def test_people_stand_where_their_latest_assignment_puts_them(ledger: Ledger) -> None:
    ledger.hire("here", grade=4, month="2026-01")
    ledger.hire("here", grade=8)
    ledger.hire("here", grade=7)  # the same month: the later entry
    ledger.hire("here", grade=5, month="2026-11")
    ledger.hire("moved", month="2026-09")
    ledger.hire("moved", branch="B02")
    ledger.hire("left", month="2026-09")
    ledger.hire("left", role="left")
    ledger.hire("other", role="team_leader")
    result = ledger.evaluated()
    assert set(result.statements) == {"here"}
    assert result.statements["here"]["base_points"] == "1150"


def test_the_latest_recorded_measure_of_the_month_counts(ledger: Ledger) -> None:
    ledger.hire("M1", grade=4)
    ledger.branch("minimum_wage", "5000", month="2026-09")
    ledger.branch("minimum_wage", "3000")
    wrong = ledger.put("measure", item="minimum_wage", value="4000", branch="B01")
    assert alone(ledger)["pay"] == "4000"
    ledger.reverse(wrong)
    assert alone(ledger)["pay"] == "3000"


def test_postings_of_a_resettlement_are_not_read(ledger: Ledger) -> None:
    ledger.hire("M1", grade=4)
    ledger.put("adjustment", "M1", "back_pay", amount="100", reason="补发")
    ledger.put("adjustment", "M1", "clawback", amount="7", reason="扣回")
    assert alone(ledger)["pay"] == "1455"  # 655 + 800, third tier
