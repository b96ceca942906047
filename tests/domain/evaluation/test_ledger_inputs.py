"""A ledger's facts become figures: which entries count for whom, and what becomes of several."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from domain.evaluation.columns import AnyColumn, constant
from domain.evaluation.evaluator import evaluate
from domain.evaluation.ledger_inputs import LedgerInputs, SettledFigure
from domain.evaluation.people import Bounds, InputColumn
from domain.rulebook.model import Input, Label
from tests.facts import inputs
from tests.rules import figures, found, given, program, warned
from tests.worksheet import Ledger

SEPTEMBER, OCTOBER, NOVEMBER = "2026-09", "2026-10", "2026-11"
ANYTHING = program({"x ratio": "1"})


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.hire("M1", month=SEPTEMBER)
    made.hire("M2", month=SEPTEMBER, team="T2")
    made.hire("M3", month=SEPTEMBER, branch="B02", team="T1")
    return made


def read(
    ledger: Ledger, code: str, kind: str, *, period: str = OCTOBER, **more: Any
) -> InputColumn:
    """An input of this kind, from a branch's ledger."""
    bounds = Bounds(
        *(constant(Decimal(more[key])) if key in more else None for key in Bounds._fields)
    )
    asked = Input(label=Label(zh="甲", en="a"), read=kind, **{"unit": "ratio", **more})
    made = inputs(ledger, ANYTHING, period)
    reading, rows = made.read(code, asked, None, bounds), len(made.people)
    absent = (
        None if reading.absent is None else np.broadcast_to(reading.absent, rows)
    )  # one row where all are alike
    return replace(reading, column=reading.column.broadcast(rows), absent=absent)


def texts(reading: InputColumn | AnyColumn) -> list[str | None]:
    if not isinstance(reading, InputColumn):
        return list(reading.texts())
    shown = reading.column.texts()
    gone = [False] * len(shown) if reading.absent is None else reading.absent.tolist()
    return [None if absent else text for text, absent in zip(shown, gone, strict=True)]


def faults(reading: InputColumn) -> list[tuple[str, list[int], list[int]]]:
    return [(fault.code, fault.rows.tolist(), fault.positions.tolist()) for fault in reading.faults]


# Entries about a person


def test_quantities_of_the_month_are_added_up_a_person(ledger: Ledger) -> None:
    for manager, quantity in (("M1", "1.5"), ("M3", "7"), ("M1", "2.000001"), ("M3", "0")):
        ledger.put("sale", manager, "a", quantity=quantity)
    ledger.put("sale", "M1", "a", quantity="100", month=SEPTEMBER)
    ledger.put("sale", "M1", "b", quantity="100")
    ledger.put("deduction", "M1", "a", points="100")
    assert texts(read(ledger, "a", "sale")) == ["3.500001", "0", "7"]
    assert texts(read(ledger, "a", "deduction")) == ["100", "0", "0"]
    assert texts(read(ledger, "unheard-of", "sale")) == ["0", "0", "0"]


def test_what_nobody_has_is_zero_where_it_is_counted_and_absent_where_it_is_judged(
    ledger: Ledger,
) -> None:
    for kind, more in (
        ("sale", {}),
        ("deduction", {"take": "count"}),
        ("rating", {"take": "count"}),
    ):
        assert texts(read(ledger, "unheard-of", kind, **more)) == ["0", "0", "0"]
    for more in ({}, {"take": "latest"}, {"take": "sum"}):
        assert texts(read(ledger, "unheard-of", "rating", **more)) == [None, None, None]


def test_a_longer_period_takes_all_of_its_months(ledger: Ledger) -> None:
    for month in (SEPTEMBER, OCTOBER, "2026-12", "2027-01"):
        ledger.put("sale", "M1", "a", quantity="1", month=month)
    assert texts(read(ledger, "a", "sale", period="2026"))[0] == "3"
    assert texts(read(ledger, "a", "sale", period="2026-Q4"))[0] == "2"


def test_amounts_are_added_up_and_a_sale_without_one_is_a_fault(ledger: Ledger) -> None:
    ledger.put("sale", "M1", "a", quantity="1", amount="10.5")
    ledger.put("sale", "M1", "a", quantity="1", amount="0.25")
    ledger.put("sale", "M2", "a", quantity="1")
    reading = read(ledger, "a", "sale", take="amount")
    assert texts(reading) == ["10.75", "0", "0"]
    assert faults(reading) == [("missing_amount", [1], [6])]
    assert faults(read(ledger, "a", "sale")) == []


def test_the_largest_figures_that_entries_may_carry_add_up_exactly(ledger: Ledger) -> None:
    for _ in range(20):
        ledger.put("sale", "M1", "a", quantity="999999999999.999999")
    ledger.put("sale", "M2", "a", quantity="999999999999.999999")
    assert texts(read(ledger, "a", "sale")) == ["19999999999999.99998", "999999999999.999999", "0"]


def test_entries_are_counted_whatever_they_say(ledger: Ledger) -> None:
    ledger.put("deduction", "M2", "a", points="0")
    ledger.put("deduction", "M2", "a", points="5")
    assert texts(read(ledger, "a", "deduction", take="count")) == ["0", "2", "0"]
    beyond = read(ledger, "a", "deduction", take="count", high="4")
    assert (texts(beyond), faults(beyond)) == (["0", "2", "0"], [("out_of_bounds", [1], [5])])


def test_several_ratings_are_averaged_to_six_places(ledger: Ledger) -> None:
    for score in ("1", "1", "0"):
        ledger.put("rating", "M1", "a", score=score)
    ledger.put("rating", "M2", "a", score="0")
    assert texts(read(ledger, "a", "rating")) == ["0.666667", "0", None]
    assert texts(read(ledger, "a", "rating", take="sum")) == ["2", "0", None]
    assert texts(read(ledger, "a", "rating", take="count")) == ["3", "1", "0"]


def test_the_latest_rating_is_the_one_at_the_highest_position(ledger: Ledger) -> None:
    ledger.put("rating", "M1", "a", score="9")
    ledger.put("rating", "M2", "a", score="2")
    ledger.put("rating", "M1", "a", score="4")
    wrong = ledger.put("rating", "M1", "a", score="5")
    ledger.reverse(wrong)
    assert texts(read(ledger, "a", "rating", take="latest")) == ["4", "2", None]


def test_ratings_of_one_rater_level_are_read_without_the_others(ledger: Ledger) -> None:
    ledger.put("rating", "M1", "a", score="1", rater_level="leader")
    ledger.put("rating", "M1", "a", score="2", rater_level="peer")
    ledger.put("rating", "M1", "a", score="3")
    assert texts(read(ledger, "a", "rating", level="leader")) == ["1", None, None]
    assert texts(read(ledger, "a", "rating", level="self")) == [None, None, None]
    assert texts(read(ledger, "a", "rating")) == ["2", None, None]


RATERS = {name: {"zh": name, "en": name} for name in ("company", "self")}
PARTED: dict[str, Any] = {
    "review": given("rating", item="r", level="{item}", items=RATERS, missing="absent", high="100")
}


def rated(*ratings: tuple[str, str, str | None]) -> Ledger:
    made = Ledger()
    for manager in ("M1", "M2", "M3"):
        made.hire(manager)  # 1 to 3
    for manager, score, level in ratings:
        made.put("rating", manager, "r", score=score, rater_level=level)
    return made


def test_a_group_by_level_parts_the_ratings_of_one_code_by_their_raters() -> None:
    ledger = rated(
        ("M1", "80", "company"), ("M1", "91", "self"), ("M1", "90", "company"), ("M2", "70", "self")
    )
    steps = {
        "?c ratio": "review.company",
        "?s ratio": "review.self",
        "m ratio": "otherwise(mean(review), 0)",
    }
    rules = program(steps, inputs=PARTED)
    source = inputs(ledger, rules, OCTOBER)
    evaluation = evaluate(rules, source)
    assert figures(evaluation, "c") == {"M1": "85", "M2": None, "M3": None}
    assert figures(evaluation, "s") == {"M1": "91", "M2": "70", "M3": None}
    assert figures(evaluation, "m") == {"M1": "88", "M2": "70", "M3": "0"}
    assert warned(evaluation) == set()
    group = rules.rulebook.inputs["review"]
    assert source.positions("review", group, "company", 0) == {4, 6}
    assert source.positions("review", group, "self", 0) == {5}
    assert source.positions("review", group, "company", 1) == set()


def test_ratings_of_no_level_of_the_group_are_left_out_with_a_warning_once() -> None:
    ledger = rated(
        ("M1", "80", "company"),
        ("M1", "0", "peer"),
        ("M2", "0", None),
        ("M3", "60", "self"),
        ("M3", "70", "company"),
    )
    weights = {"w": {"unit": "ratio", "rows": {"company": "0.6", "self": "0.2"}}}
    steps = {
        "x ratio": "otherwise(mean(review, weights=w), 0, warn='missing_rating')",
        "?y ratio": "review.self",
    }
    rules = program(steps, inputs=PARTED, tables=weights)
    evaluation = evaluate(rules, inputs(ledger, rules, OCTOBER))
    assert figures(evaluation, "x") == {
        "M1": "80",
        "M2": "0",
        "M3": "67.5",
    }  # (0.6 × 70 + 0.2 × 60) / 0.8
    assert warned(evaluation) == {
        ("M1", "uncounted_rating", "x"),
        ("M2", "uncounted_rating", "x"),
        ("M2", "missing_rating", "x"),
    }
    about = [warning.about for warning in evaluation.warnings if warning.code == "uncounted_rating"]
    assert about == ["review"]


def test_uncounted_ratings_warn_only_whom_the_group_is_read_for() -> None:
    ledger = rated(("M1", "80", "peer"), ("M2", "80", "peer"))
    ledger.put("measure", "M1", "b", value="1")
    rules = program(
        {"x ratio": "sum(review) if b > 0 else 0"}, inputs=PARTED | {"b": given("measure")}
    )
    assert warned(evaluate(rules, inputs(ledger, rules, OCTOBER))) == {
        ("M1", "uncounted_rating", "x")
    }


def test_a_group_without_levels_and_a_single_level_leave_ratings_out_in_silence() -> None:
    ledger = rated(("M1", "80", "peer"), ("M1", "70", None))
    for asked, mean in (({}, "75"), ({"level": "peer"}, "80")):
        rules = program({"x ratio": "r"}, inputs={"r": given("rating", **asked)})
        evaluation = evaluate(rules, inputs(ledger, rules, OCTOBER))
        assert figures(evaluation, "x")["M1"] == mean
        assert {code for _, code, _ in warned(evaluation)} <= {"missing_rating"}


def test_bounds_of_a_group_by_level_hold_for_every_rating_and_each_entry_is_named_once() -> None:
    ledger = rated(("M1", "100", "company"), ("M2", "100.000001", "self"), ("M3", "101", "peer"))
    rules = program({"x ratio": "sum(review)"}, inputs=PARTED)
    evaluation = evaluate(rules, inputs(ledger, rules, OCTOBER))
    assert found(evaluation) == {
        ("M2", "out_of_bounds", "x", "review"),
        ("M3", "out_of_bounds", "x", "review"),
    }
    assert sorted(finding.position or 0 for finding in evaluation.findings) == [5, 6]


def test_entries_that_an_attribute_excepts_do_not_count(ledger: Ledger) -> None:
    for attributes in (
        {"in_arrears": True},
        {"in_arrears": False},
        {"in_arrears": "true"},
        {"other": True},
        {},
    ):
        ledger.put("sale", "M1", "a", quantity="1", attributes=attributes)
    assert texts(read(ledger, "a", "sale", unless="in_arrears")) == ["3", "0", "0"]
    assert texts(read(ledger, "a", "sale")) == ["5", "0", "0"]


def test_bounds_hold_for_each_entry_and_name_it(ledger: Ledger) -> None:
    for manager, score in (
        ("M1", "100"),
        ("M1", "0"),
        ("M2", "100.000001"),
        ("M2", "0"),
        ("M3", "-0.000001"),
    ):
        ledger.put("rating", manager, "a", score=score)
    assert faults(read(ledger, "a", "rating", low="0", high="100")) == [
        ("out_of_bounds", [1, 2], [6, 8])
    ]
    assert faults(read(ledger, "a", "rating", above="0")) == [
        ("not_positive", [0, 1, 2], [5, 7, 8])
    ]


def test_adjustments_are_read_without_postings_and_those_of_other_inputs(
    ledger: Ledger,
) -> None:
    for item, fields in (
        ("adjustment", {"points": "1"}),
        ("adjustment", {"amount": "-20"}),
        ("reward", {"amount": "300"}),
        ("back_pay", {"amount": "4000", "source": "merit", "source_id": "posting-9-1"}),
        ("clawback", {"amount": "50000", "source": "merit", "source_id": "posting-9-2"}),
    ):
        ledger.put("adjustment", "M1", item, reason="r", **fields)
    assert texts(read(ledger, "x", "adjustment", take="points"))[0] == "1"
    assert texts(read(ledger, "x", "adjustment", take="yuan"))[0] == "280"
    assert texts(read(ledger, "x", "adjustment", take="yuan", but_not=("reward",)))[0] == "-20"
    assert texts(read(ledger, "x", "adjustment", take="yuan", item="reward"))[0] == "300"
    assert inputs(ledger, ANYTHING, OCTOBER).unread_points().tolist() == [True, False, False]


def test_postings_in_points_are_no_unread_points(ledger: Ledger) -> None:
    ledger.put(
        "adjustment",
        "M1",
        "back_pay",
        reason="r",
        points="1",
        source="merit",
        source_id="posting-9-1",
    )
    ledger.put("adjustment", "M2", "adjustment", reason="r", amount="1")
    assert inputs(ledger, ANYTHING, OCTOBER).unread_points().tolist() == [False, False, False]
    assert texts(read(ledger, "x", "adjustment", take="points")) == ["0", "0", "0"]


# Measures


def test_the_latest_measure_of_the_month_counts(ledger: Ledger) -> None:
    for value, month in (("1", OCTOBER), ("2", OCTOBER), ("9", SEPTEMBER), ("8", NOVEMBER)):
        ledger.put("measure", "M1", "a", value=value, month=month)
    assert texts(read(ledger, "a", "measure")) == ["2", None, None]


def test_a_year_takes_the_latest_month_that_has_it_or_the_sum_of_its_months(ledger: Ledger) -> None:
    for month, value in (
        ("2026-11", "5"),
        ("2026-09", "1"),
        ("2026-09", "2"),
        ("2026-11", "7"),
        ("2026-10", "30"),
    ):
        ledger.put("measure", "M1", "a", value=value, month=month)
    assert texts(read(ledger, "a", "measure", period="2026")) == ["7", None, None]
    assert texts(read(ledger, "a", "measure", period="2026", take="sum")) == ["39", None, None]


def test_a_branch_measure_is_that_of_ones_own_branch_and_no_team_or_manager_measure(
    ledger: Ledger,
) -> None:
    ledger.branch("a", "5")
    ledger.put("measure", item="a", value="6", branch="B02")
    ledger.put("measure", item="a", value="7", branch="B01", team="T1")
    ledger.put("measure", item="a", value="9", branch="B99")
    ledger.put("measure", "M1", "a", value="8")
    assert texts(read(ledger, "a", "measure", of="branch")) == ["5", "5", "6"]
    assert texts(read(ledger, "a", "measure", of="team")) == ["7", None, None]
    assert texts(read(ledger, "a", "measure", of="manager")) == ["8", None, None]


def test_teams_of_equal_names_in_two_branches_are_two(ledger: Ledger) -> None:
    ledger.put("measure", item="a", value="2", branch="B02", team="T1")
    ledger.put("measure", item="a", value="4", branch="B02", team="T2")
    ledger.put("measure", item="a", value="1", branch="B01", team="T1")
    ledger.put("measure", item="a", value="9", branch="B01", team="T9")
    assert texts(read(ledger, "a", "measure", of="team")) == ["1", None, "2"]


def test_ones_own_measure_goes_before_the_branchs(ledger: Ledger) -> None:
    ledger.put("measure", "M1", "a", value="1")
    ledger.branch("a", "-5")
    reading = read(ledger, "a", "measure", of="manager_or_branch", above="0")
    assert texts(reading) == ["1", "-5", None]
    assert faults(reading) == [("not_positive", [1], [5])]  # M1 does not read the branch's


def test_bounds_of_a_measure_hold_for_the_one_that_counts(ledger: Ledger) -> None:
    ledger.branch("a", "99")
    ledger.branch("a", "5")
    assert faults(read(ledger, "a", "measure", of="branch", high="10")) == []
    ledger.branch("a", "11")
    assert faults(read(ledger, "a", "measure", of="branch", high="10")) == [
        ("out_of_bounds", [0, 1], [6, 6])
    ]


def test_a_measure_may_be_named_by_ones_own_attribute(ledger: Ledger) -> None:
    ledger.hire("M1", attributes={"industry": "rural"})
    ledger.hire("M2", attributes={"industry": "<industry>"})
    ledger.hire("M4", attributes={"industry": "rural"}, branch="B02")
    ledger.branch("c.rural", "0.5")
    ledger.put("measure", item="c.rural", value="2", branch="B02")
    ledger.branch("c.", "9")
    ledger.branch("c.transport", "9")
    reading = read(ledger, "c", "measure", of="branch", item="c.<industry>", high="1")
    assert texts(reading) == ["0.5", None, None, "2"]
    assert faults(reading) == [("out_of_bounds", [3], [8])]


# Attributes and people


def test_attributes_are_those_of_the_latest_assignment(ledger: Ledger) -> None:
    ledger.hire("M1", attributes={"post": "agent", "passed": True, "level": 3})
    ledger.hire("M2", attributes={"post": "agent", "passed": False})
    for name, shown in (
        ("post", ["agent", "agent", None]),
        ("passed", ["true", "false", None]),
        ("level", ["3", None, None]),
    ):
        assert texts(read(ledger, name, "attribute", unit="text")) == shown


def test_a_date_that_is_none_is_a_fault_of_the_assignment(ledger: Ledger) -> None:
    ledger.hire("M1", attributes={"entered": "2026-02-28"})
    ledger.hire("M2", attributes={"entered": "2026-02-30"})
    ledger.hire("M3", attributes={"entered": "20260101"}, branch="B02")
    reading = read(ledger, "entered", "attribute", unit="date")
    assert texts(reading)[0] == "2026-02-28"
    assert faults(reading) == [("bad_attribute", [1, 2], [5, 6])]
    assert faults(read(ledger, "entered", "attribute", unit="text")) == []


def test_people_with_another_attribute_are_outside_the_population() -> None:
    ledger = Ledger()
    for manager, attributes in (
        ("Agency", {"employment": "agency", "full_time": True}),
        ("Contract", {"employment": "contract", "full_time": True}),
        ("Dispatched", {"employment": "dispatched", "full_time": True}),
        ("Half", {"employment": "dispatched", "full_time": False}),
        ("Unsaid", {}),
    ):
        ledger.hire(manager, attributes=attributes)
    ledger.hire("Moved", attributes={"employment": "dispatched"}, month=SEPTEMBER)
    ledger.hire("Moved", attributes={"employment": "contract"})

    def population(**only: Any) -> tuple[str, ...]:
        return inputs(ledger, program({"x ratio": "1"}, only=only), OCTOBER).people.managers

    assert population(employment="dispatched") == ("Dispatched", "Half", "Unsaid")
    assert population(employment=["dispatched", "agency"]) == (
        "Agency",
        "Dispatched",
        "Half",
        "Unsaid",
    )
    assert population(employment="dispatched", full_time="true") == ("Dispatched", "Unsaid")
    assert population(employment="nobody") == ("Unsaid",)
    assert len(population()) == 6
    rules = program({"x people": "count(branch)"}, only={"employment": "dispatched"})
    assert figures(evaluate(rules, inputs(ledger, rules, OCTOBER)), "x") == dict.fromkeys(
        ("Dispatched", "Half", "Unsaid"), "3"
    )


# Earlier statements


def settled(**months: dict[str, str]) -> LedgerInputs:
    ledger = Ledger()
    ledger.hire("M1")
    ledger.hire("M2")
    ledger.hire("M3")
    source = inputs(ledger, ANYTHING, "2026")
    source.settled = {
        ("r", "s"): {
            int(name[1:]): {manager: SettledFigure(figure, 0) for manager, figure in said.items()}
            for name, said in months.items()
        }
    }
    return source


def statement(take: str | None, **months: dict[str, str]) -> list[str | None]:
    asked = Input(
        label=Label(zh="甲", en="a"),
        read="statement",
        unit="point",
        rulebook="r",
        step="s",
        take=take,
    )
    return texts(settled(**months).read("a", asked, None))


def test_settled_figures_of_the_months_that_have_one_are_averaged() -> None:
    said = {"m9": {"M1": "1", "M2": "5"}, "m7": {"M1": "0"}, "m8": {"M1": "1"}}
    assert statement("mean", **said) == ["0.666667", "5", None]
    assert statement(None, **said) == ["0.666667", "5", None]
    assert statement("latest", **said) == ["1", "5", None]
    assert statement("mean") == [None, None, None]


def test_the_latest_settled_figure_is_the_last_months_whatever_the_order() -> None:
    assert statement("latest", m9={"M1": "9"}, m7={"M1": "7", "M2": "70"}, m11={"M3": "11"}) == [
        "9",
        "70",
        "11",
    ]


def test_settled_figures_longer_than_any_entry_are_averaged_exactly() -> None:
    long = "12345678901234567890.123456789012345678"
    assert statement("latest", m1={"M1": long})[0] == long
    assert statement("mean", m1={"M1": long}, m2={"M1": "-" + long})[0] == "0"
    assert statement("mean", m1={"M1": long}, m2={"M1": long})[0] == "12345678901234567890.123457"


# Where figures come from


def test_a_figure_knows_the_positions_of_its_entries(ledger: Ledger) -> None:
    ledger.put("sale", "M1", "a", quantity="1")  # 4
    ledger.put("sale", "M2", "a", quantity="1")
    gone = ledger.put("sale", "M1", "a", quantity="1")
    ledger.reverse(gone)
    ledger.put("sale", "M1", "a", quantity="1")  # 8
    ledger.branch("m", "1")
    ledger.branch("m", "2")  # 10
    ledger.put("measure", "M2", "m", value="3")  # 11
    ledger.hire("M2", attributes={"industry": "rural"})  # 12
    ledger.branch("c.rural", "2")  # 13
    source = inputs(ledger, ANYTHING, OCTOBER)

    def positions(row: int, kind: str, code: str, **more: Any) -> set[int]:
        asked = Input(label=Label(zh="甲", en="a"), read=kind, **{"unit": "ratio", **more})
        return source.positions(code, asked, None, row)

    assert positions(0, "sale", "a") == {4, 8}
    assert positions(1, "sale", "a") == {5}
    assert positions(2, "sale", "a") == set()
    assert positions(0, "measure", "m", of="branch") == {10}
    assert positions(0, "measure", "m", of="manager_or_branch") == {10}
    assert positions(1, "measure", "m", of="manager_or_branch") == {11}
    assert positions(0, "measure", "c", of="branch", item="c.<industry>") == set()
    assert positions(1, "measure", "c", of="branch", item="c.<industry>") == {13}
    assert positions(1, "attribute", "industry", unit="text") == {12}
    assert positions(0, "statement", "s", rulebook="r", step="s") == set()
    assert source.positions_of_person(0) == {1}


# Through the evaluator


def test_a_fault_names_the_person_the_step_and_the_entry(ledger: Ledger) -> None:
    ledger.put("rating", "M2", "r", score="101")
    rules = program({"x ratio": "r"}, inputs={"r": given("rating", high="100")})
    evaluation = evaluate(rules, inputs(ledger, rules, OCTOBER, ["B01"]))
    assert found(evaluation) == {("M2", "out_of_bounds", "x", "r")}
    assert [finding.position for finding in evaluation.findings] == [4]


def test_a_count_of_nothing_is_0_and_not_a_gap(ledger: Ledger) -> None:
    rules = program({"x ratio": "d"}, inputs={"d": given("deduction", take="count")})
    assert figures(evaluate(rules, inputs(ledger, rules, OCTOBER)), "x") == {
        "M1": "0",
        "M2": "0",
        "M3": "0",
    }


def test_a_settled_figure_that_is_too_long_refuses_its_person() -> None:
    longest = "1" * 40
    asked = Input(
        label=Label(zh="甲", en="a"),
        read="statement",
        unit="point",
        rulebook="r",
        step="s",
        take="latest",
    )
    reading = settled(m1={"M1": longest, "M2": longest + "1"}, m2={"M3": "2"}).read(
        "a", asked, None
    )
    assert texts(reading) == [longest, "0", "2"]
    assert faults(reading) == [("too_many_digits", [1], [0])]
    assert faults(settled(m1={"M1": longest}).read("a", asked, None)) == []
