"""What a rulebook allows an input to be: within its bounds, one of its words."""

from __future__ import annotations

from typing import Any

import pytest

from domain.evaluation.evaluator import evaluate
from tests.facts import inputs
from tests.rules import figures, found, given, label, program, run
from tests.worksheet import OCTOBER, Ledger

ITEMS = {"x": label("x"), "y": label("y")}
FULL = {"full": {"unit": "ratio", "rows": {"x": "10", "y": "5"}}}
LIMITS = {
    "limits": {
        "columns": {"least": "ratio", "most": "ratio"},
        "rows": {"x": {"least": "-1", "most": "10"}, "y": {"least": "2", "most": "5"}},
    }
}


def refused(
    person: dict[str, Any], given_inputs: dict[str, Any], expression: str = "i", **parts: Any
) -> set[Any]:
    """What refuses somebody alone: the finding's code and what it is about."""
    evaluation = run(program({"x ratio": expression}, inputs=given_inputs, **parts), {"M": person})
    return {(code, about) for _, code, _, about in found(evaluation)}


# Bounds that a table states


@pytest.mark.parametrize(
    ("marks", "about"),
    [
        ({"x": "10", "y": "5"}, None),
        ({"x": "10.000001", "y": "5"}, "i.x"),
        ({"x": "5.000001", "y": "4.999999"}, None),
        ({"x": "10", "y": "5.000001"}, "i.y"),
    ],
)
def test_every_item_of_a_group_has_the_bound_of_its_row(
    marks: dict[str, str], about: str | None
) -> None:
    group = {"i": given("measure", items=ITEMS, high="full")}
    assert refused({"i": marks}, group, "sum(i)", tables=FULL) == (
        {("out_of_bounds", about)} if about else set()
    )


@pytest.mark.parametrize(
    ("marks", "about"),
    [
        ({"x": "-1", "y": "2"}, set()),
        ({"x": "-1.000001", "y": "2"}, {"i.x"}),
        ({"x": "1.999999", "y": "1.999999"}, {"i.y"}),
        ({"x": "10", "y": "5"}, set()),
        ({"x": "10.000001", "y": "5.000001"}, {"i.x", "i.y"}),
    ],
)
def test_a_table_may_have_a_column_for_each_bound(marks: dict[str, str], about: set[str]) -> None:
    group = {"i": given("measure", items=ITEMS, low="limits.least", high="limits.most")}
    assert refused({"i": marks}, group, "sum(i)", tables=LIMITS) == {
        ("out_of_bounds", item) for item in about
    }


def test_what_must_be_above_its_row_is_refused_at_it() -> None:
    group = {"i": given("measure", items=ITEMS, above="full")}
    assert (
        refused({"i": {"x": "10.000001", "y": "5.000001"}}, group, "sum(i)", tables=FULL) == set()
    )
    assert refused({"i": {"x": "10", "y": "5.000001"}}, group, "sum(i)", tables=FULL) == {
        ("not_positive", "i.x")
    }


# Bounds that a measure states


@pytest.mark.parametrize(
    ("bound", "value", "measure", "code"),
    [
        ("high", "50", "50", None),
        ("high", "50.000001", "50", "out_of_bounds"),
        ("high", "100", None, None),
        ("high", "100.000001", None, "out_of_bounds"),
        ("high", "-7", "-7", None),
        ("low", "50", "50", None),
        ("low", "49.999999", "50", "out_of_bounds"),
        ("low", "100", None, None),
        ("low", "99.999999", None, "out_of_bounds"),
        ("above", "50.000001", "50", None),
        ("above", "50", "50", "not_positive"),
        ("above", "49.999999", "50", "not_positive"),
        ("above", "100", None, "not_positive"),
        ("above", "100.000001", None, None),
    ],
)
def test_a_measure_bounds_another_input_by_its_value_or_its_default(
    bound: str, value: str, measure: str | None, code: str | None
) -> None:
    both = {"i": given("rating", **{bound: "m"}), "m": given("measure", default="100")}
    person = {"i": value} | ({"m": measure} if measure else {})
    assert refused(person, both) == ({(code, "i")} if code else set())


def test_everyone_has_the_bound_of_their_own_measure() -> None:
    rules = program(
        {"x ratio": "i"},
        inputs={"i": given("rating", high="m"), "m": given("measure", default="3")},
    )
    people = {
        "M1": {"i": "4", "m": "4"},
        "M2": {"i": "4"},
        "M3": {"i": "3"},
        "M4": {"i": "4", "m": "3.999999"},
    }
    assert found(run(rules, people)) == {
        ("M2", "out_of_bounds", "x", "i"),
        ("M4", "out_of_bounds", "x", "i"),
    }


def test_a_bound_holds_for_each_of_several_entries_and_not_for_what_they_come_to() -> None:
    both = {"i": given("rating", high="m"), "m": given("measure", default="5")}
    assert refused({"i": ["5", "5"]}, both) == set()
    assert refused({"i": ["5.000001", "1"]}, both) == {("out_of_bounds", "i")}
    summed = {"i": given("sale", high="m"), "m": given("measure", default="5")}
    assert refused({"i": ["5", "5"]}, summed) == set()


def test_a_missing_value_is_within_every_bound() -> None:
    rules = program(
        {"x ratio": "i"},
        inputs={"i": given("measure", low="m"), "m": given("measure", default="5")},
    )
    evaluation = run(rules, {"M": {}})
    assert found(evaluation) == set()
    assert figures(evaluation, "x") == {"M": "0"}


def test_a_bound_that_is_itself_out_of_bounds_refuses_everyone_it_is_read_for() -> None:
    bounded = {
        "i": given("rating", high="m"),
        "m": given("measure", default="5", low="0"),
        "b": given("measure"),
    }
    assert refused({"i": "-2", "m": "-1"}, bounded) == {("out_of_bounds", "m")}
    steps = {"x ratio": "i if b > 0 else 0", "y ratio": "i"}
    people = {"M1": {"b": "1", "i": "-2", "m": "-1"}, "M2": {"b": "0", "i": "-2", "m": "-1"}}
    near = {("M1", "out_of_bounds", "x", "m"), ("M2", "out_of_bounds", "y", "m")}
    assert found(run(program(steps, inputs=bounded), people)) == near
    chained = bounded | {
        "m": given("measure", default="5", high="n"),
        "n": given("measure", default="5", low="0"),
    }
    far = {m: {**person, "n": "-1"} for m, person in people.items()}
    assert found(run(program(steps, inputs=chained), far)) == {
        ("M1", "out_of_bounds", "x", "n"), ("M2", "out_of_bounds", "y", "n"),
    }  # fmt: skip


def test_a_branchs_measure_bounds_what_its_people_record_and_the_entry_is_named() -> None:
    ledger = Ledger()
    ledger.hire("M1")
    ledger.hire("M2", branch="B02")
    ledger.branch("full", "50")  # 3
    for manager, score in (
        ("M1", "50"),
        ("M1", "50.000001"),
        ("M2", "50.000001"),
        ("M2", "60.000001"),
    ):  # 4 to 7
        ledger.put("rating", manager, "i", score=score)
    rules = program(
        {"x ratio": "i"},
        inputs={
            "i": given("rating", high="full"),
            "full": given("measure", of="branch", default="60"),
        },
    )
    evaluation = evaluate(rules, inputs(ledger, rules, OCTOBER))
    assert found(evaluation) == {
        ("M1", "out_of_bounds", "x", "i"),
        ("M2", "out_of_bounds", "x", "i"),
    }
    assert sorted(finding.position or 0 for finding in evaluation.findings) == [5, 7]


# Words that an attribute may be

LEVEL = given("attribute", "text", one_of=["junior", "senior"])
PEOPLE = {"M1": {"level": "senior"}, "M2": {"level": "chief"}, "M3": {}, "M4": {"level": "Junior"}}


def test_a_word_that_the_attribute_cannot_be_refuses_and_one_that_is_missing_is_missing() -> None:
    evaluation = run(program({"x text": "level"}, inputs={"level": LEVEL}), PEOPLE)
    assert found(evaluation) == {
        ("M2", "unknown_key", "x", "level"),
        ("M3", "missing_attribute", "x", "level"),
        ("M4", "unknown_key", "x", "level"),
    }
    assert figures(evaluation, "x")["M1"] == "senior"


def test_a_default_word_replaces_a_missing_one_and_not_a_wrong_one() -> None:
    rules = program({"x text": "level"}, inputs={"level": {**LEVEL, "default": "junior"}})
    evaluation = run(rules, PEOPLE)
    assert {(who, code) for who, code, _, _ in found(evaluation)} == {
        ("M2", "unknown_key"),
        ("M4", "unknown_key"),
    }
    assert figures(evaluation, "x")["M3"] == "junior"


def test_a_wrong_word_refuses_only_whom_it_is_read_for() -> None:
    rules = program(
        {"x flag": "level == 'senior' if b > 0 else 0"},
        inputs={"level": LEVEL, "b": given("measure")},
    )
    evaluation = run(
        rules, {"M1": {"b": "0", "level": "chief"}, "M2": {"b": "1", "level": "chief"}}
    )
    assert found(evaluation) == {("M2", "unknown_key", "x", "level")}


def test_the_assignment_with_a_wrong_word_is_named() -> None:
    ledger = Ledger()
    ledger.hire("M1", attributes={"level": "junior"})
    ledger.hire("M2", attributes={"level": "chief"})
    ledger.hire("M2", attributes={"level": "captain"})
    rules = program({"x text": "level"}, inputs={"level": LEVEL})
    evaluation = evaluate(rules, inputs(ledger, rules, OCTOBER))
    assert [
        (finding.row, finding.reason.code, finding.position) for finding in evaluation.findings
    ] == [(1, "unknown_key", 3)]
