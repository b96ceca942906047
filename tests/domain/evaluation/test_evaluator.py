"""What an evaluation keeps, refuses and warns of, and for whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from domain.evaluation.context import Evaluation
from domain.evaluation.evaluator import evaluate
from domain.evaluation.examples import ExampleInputs
from domain.rulebook.model import Example
from tests.rules import figures, found, given, program, run, value, warned

A = {"a": given("measure"), "b": given("measure")}
OPEN = {"a": given("measure", missing="absent"), "b": given("measure")}
RATED = {"r": given("rating", low="0", high="100"), "b": given("measure")}
TIER_ROWS = {"1": {"share": "0.5", "points": "10"}, "2": {"share": "0.5", "points": "5"}}
TIERS = {"tiers": {"columns": {"share": "ratio", "points": "point"}, "rows": TIER_ROWS}}


# Names


def test_a_step_reads_steps_inputs_parameters_and_the_persons_attributes() -> None:
    rules = program(
        {
            "x ratio": "a + factor",
            "y ratio": "x * grade",
            "z text": "role",
            "w text": "team",
            "n ratio": "otherwise(none, 3)",
        },
        inputs=A,
        parameters={"factor ratio": "0.50"},
        roles=["seller", "helper"],
    )
    evaluation = run(rules, {"M1": {"a": "1", "grade": "7", "team": "U"}, "M2": {"role": "helper"}})
    assert figures(evaluation, "x") == {"M1": "1.5", "M2": "0.5"}
    assert figures(evaluation, "y") == {"M1": "10.5", "M2": "3"}
    assert figures(evaluation, "z") == {"M1": "seller", "M2": "helper"}
    assert figures(evaluation, "w") == {"M1": "U", "M2": "T"}
    assert figures(evaluation, "n") == {"M1": "3", "M2": "3"}


def test_people_of_other_roles_are_outside_the_population() -> None:
    rules = program({"x people": "count(branch)"}, roles="seller")
    evaluation = run(rules, {"M1": {}, "M2": {"role": "helper"}, "M3": {"role": "seller"}})
    assert figures(evaluation, "x") == {"M1": "2", "M3": "2"}


def test_every_step_is_kept_with_a_row_a_person_even_where_it_is_a_constant() -> None:
    evaluation = run(program({"x ratio": "5", "y text": "'word'"}), {"M1": {}, "M2": {}, "M3": {}})
    assert figures(evaluation, "x") == {"M1": "5", "M2": "5", "M3": "5"}
    assert figures(evaluation, "y") == {"M1": "word", "M2": "word", "M3": "word"}
    assert [len(column) for column in evaluation.steps.values()] == [3, 3]


def test_nobody_at_all_is_evaluated_without_a_finding() -> None:
    rules = program(
        {
            "x ratio": "round(1 / a, 2) if b > 0 else none",
            "s.k ratio": "a",
            "m ratio": "otherwise(mean(a, branch), 0)",
            "g ratio": "sum(s)",
            "r people": "rank(a, branch, fixed_by=b)",
            "t tier": "distribute(r, tiers, branch)",
            "p yuan": "share(pool, a, team)",
            "l point": "lookup(tiers.points, t)",
        },
        inputs=A | {"pool": given("measure", "yuan", of="branch")},
        tables=TIERS,
    )
    evaluation = run(rules, {})
    assert evaluation.findings == []
    assert evaluation.warnings == []
    assert all(len(column) == 0 for column in evaluation.steps.values())


# Choices and conditions: only what is taken counts


def test_only_the_side_that_is_taken_can_refuse() -> None:
    rules = program({"x ratio": "round(1 / a, 2) if a != 0 else 7"}, inputs=A)
    evaluation = run(rules, {"M1": {"a": "0"}, "M2": {"a": "4"}})
    assert figures(evaluation, "x") == {"M1": "7", "M2": "0.25"}
    assert found(evaluation) == set()
    careless = run(
        program({"x ratio": "round(1 / a, 2)"}, inputs=A), {"M1": {"a": "0"}, "M2": {"a": "4"}}
    )
    assert figures(careless, "x") == {"M1": None, "M2": "0.25"}
    assert found(careless) == {("M1", "division_by_zero", "x", "x")}


def test_a_refused_person_gets_a_finding_for_every_input_that_the_step_lacks() -> None:
    needed = {name: given("measure", missing="refuse") for name in ("a", "b")}
    people = {"M1": {}, "M2": {"a": "1"}, "M3": {"b": "1"}, "M4": {"a": "1", "b": "1"}}
    missing = {("M1", "a"), ("M1", "b"), ("M2", "b"), ("M3", "a")}
    together = run(program({"x ratio": "a + b", "y ratio": "x + b"}, inputs=needed), people)
    assert found(together) == {(who, "missing_measure", "x", what) for who, what in missing}
    apart = run(program({"x ratio": "a", "y ratio": "max(x, b)"}, inputs=needed), people)
    assert found(apart) == {
        (who, "missing_measure", {"a": "x", "b": "y"}[what], what) for who, what in missing
    }


def test_an_input_lacking_on_the_side_not_taken_is_no_finding() -> None:
    needed = {name: given("measure", missing="refuse") for name in ("a", "b")} | {
        "c": given("measure")
    }
    rules = program({"x ratio": "a if c > 0 else b"}, inputs=needed)
    evaluation = run(rules, {"M1": {"c": "1"}, "M2": {"c": "0"}, "M3": {"c": "1", "a": "3"}})
    assert found(evaluation) == {
        ("M1", "missing_measure", "x", "a"),
        ("M2", "missing_measure", "x", "b"),
    }


def test_a_condition_without_a_value_refuses_whichever_side() -> None:
    evaluation = run(
        program({"x ratio": "1 if a > 0 else 2"}, inputs=OPEN), {"M1": {}, "M2": {"a": "1"}}
    )
    assert figures(evaluation, "x") == {"M1": None, "M2": "1"}
    assert found(evaluation) == {("M1", "absent", "x", "a")}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("b > 0 and a > 0", {"M1": "0", "M2": None, "M3": "1", "M4": "0"}),
        ("b > 0 or a > 0", {"M1": None, "M2": "1", "M3": "1", "M4": "1"}),
        ("not a > 0", {"M1": None, "M2": None, "M3": "0", "M4": "0"}),
        ("a > 0 and b > 0", {"M1": None, "M2": None, "M3": "1", "M4": "0"}),
    ],
)
def test_a_part_that_cannot_change_the_outcome_any_more_cannot_refuse_it(
    expression: str, result: dict[str, str | None]
) -> None:
    people = {
        "M1": {"b": "0"},
        "M2": {"b": "1"},
        "M3": {"a": "1", "b": "1"},
        "M4": {"a": "1", "b": "0"},
    }
    assert value(expression, people, unit="flag", inputs=OPEN) == result


def test_ratings_warn_and_refuse_only_whom_they_are_read_for() -> None:
    rules = program(
        {"x score": "r if b > 0 else 0"},
        inputs={"r": given("rating", "score", low="0", high="100"), "b": A["b"]},
    )
    people = {
        "Read": {"b": "1", "r": "101"},
        "Missing": {"b": "1"},
        "Unread": {"b": "0", "r": "101"},
        "Unmissed": {"b": "0"},
    }
    evaluation = run(rules, people)
    assert found(evaluation) == {("Read", "out_of_bounds", "x", "r")}
    assert warned(evaluation) == {("Missing", "missing_rating", "x")}


def test_what_a_later_step_reads_for_others_is_found_there() -> None:
    inputs = {"r": given("rating", "score", high="100"), "b": A["b"]}
    rules = program({"x score": "r if b > 0 else 0", "y score": "r"}, inputs=inputs)
    evaluation = run(
        rules,
        {
            "M1": {"b": "1"},
            "M2": {"b": "0"},
            "M3": {"b": "0", "r": "101"},
            "M4": {"b": "1", "r": "102"},
        },
    )
    assert warned(evaluation) == {("M1", "missing_rating", "x"), ("M2", "missing_rating", "y")}
    assert found(evaluation) == {
        ("M3", "out_of_bounds", "y", "r"),
        ("M4", "out_of_bounds", "x", "r"),
    }


def test_a_condition_short_of_its_end_reads_nothing_of_the_rest() -> None:
    for word, b in (("and", "0"), ("or", "1")):
        rules = program({"x flag": f"b > 0 {word} r > 50"}, inputs=RATED)
        evaluation = run(
            rules,
            {"M1": {"b": b}, "M2": {"b": b, "r": "-1"}, "M3": {"b": str(1 - int(b)), "r": "-1"}},
        )
        assert warned(evaluation) == set()
        assert found(evaluation) == {("M3", "out_of_bounds", "x", "r")}


def test_a_population_reads_those_who_count_in_groups_that_somebody_asks_for() -> None:
    rules = program({"x ratio": "sum(r, branch, where=b > 0) if grade == 8 else 0"}, inputs=RATED)
    people = {
        "M1": {"branch": "B", "grade": "8", "b": "0"},
        "M2": {"branch": "B", "grade": "6", "b": "1", "r": "101"},
        "M3": {"branch": "B", "grade": "6", "b": "0", "r": "102"},
        "M4": {"branch": "C", "grade": "6", "b": "1", "r": "103"},
    }
    assert found(run(rules, people)) == {("M2", "out_of_bounds", "x", "r")}


# Missing inputs


@pytest.mark.parametrize(
    ("read", "more", "result", "finding", "warning"),
    [
        ("measure", {}, "0", None, None),
        ("measure", {"missing": "refuse"}, None, "missing_measure", None),
        ("measure", {"missing": "warn"}, "0", None, "missing_measure"),
        ("measure", {"missing": "absent"}, None, "absent", None),
        ("measure", {"default": "2.5"}, "2.5", None, None),
        ("rating", {}, "0", None, "missing_rating"),
        ("rating", {"missing": "refuse"}, None, "missing_rating", None),
        ("rating", {"missing": "absent"}, None, "absent", None),
        ("rating", {"default": "60"}, "60", None, None),
        ("statement", {"rulebook": "r", "step": "s"}, None, "absent", None),
        (
            "statement",
            {"rulebook": "r", "step": "s", "missing": "refuse"},
            None,
            "missing_statement",
            None,
        ),
        ("sale", {}, "0", None, None),
        ("deduction", {}, "0", None, None),
        ("adjustment", {"take": "points"}, "0", None, None),
        ("rating", {"take": "count"}, "0", None, None),
    ],
)
def test_what_counts_where_nothing_is_recorded(
    read: str, more: dict[str, str], result: str | None, finding: str | None, warning: str | None
) -> None:
    rules = program({"x ratio": "i"}, inputs={"i": given(read, **more)})
    evaluation = run(rules, {"M1": {}, "M2": {"i": "7"}})
    assert figures(evaluation, "x") == {"M1": result, "M2": "7"}
    assert found(evaluation) == ({("M1", finding, "x", "i")} if finding else set())
    assert warned(evaluation) == ({("M1", warning, "x")} if warning else set())


def test_an_attribute_that_is_missing_refuses_or_takes_its_default() -> None:
    people = {"M1": {}, "M2": {"i": "x"}}
    refused = run(program({"x text": "i"}, inputs={"i": given("attribute", "text")}), people)
    assert found(refused) == {("M1", "missing_attribute", "x", "i")}
    assert value(
        "i", people, unit="text", inputs={"i": given("attribute", "text", default="none")}
    ) == {
        "M1": "none",
        "M2": "x",
    }


def test_an_optional_step_may_lack_what_is_absent_but_nothing_else() -> None:
    rules = program(
        {"?x ratio": "a", "?y ratio": "round(1 / b, 1)", "z ratio": "otherwise(x, 5)"}, inputs=OPEN
    )
    evaluation = run(rules, {"M1": {"b": "0"}, "M2": {"a": "1", "b": "2"}})
    assert figures(evaluation, "x") == {"M1": None, "M2": "1"}
    assert figures(evaluation, "z") == {"M1": "5", "M2": "1"}
    assert found(evaluation) == {("M1", "division_by_zero", "y", "y")}


def test_somebody_without_a_grade_is_refused_where_the_grade_is_read() -> None:
    rules = program({"x ratio": "grade"})
    inputs = ExampleInputs(Example(name="t", people={"M1": {}, "M2": {"grade": "8"}}), rules)
    nameless = inputs.people.grade.with_poison(np.array([1, 0], np.int16))
    object.__setattr__(inputs.people, "grade", nameless)
    evaluation = evaluate(rules, inputs)
    assert figures(evaluation, "x") == {"M1": None, "M2": "8"}
    assert found(evaluation) == {("M1", "missing_attribute", "x", "grade")}


# Findings


def test_a_finding_is_reported_once_at_the_first_step_that_it_concerns() -> None:
    steps = {
        "x ratio": "round(1 / a, 1)",
        "y ratio": "x + 1",
        "z ratio": "y + x",
        "w ratio": "round(2 / a, 1)",
    }
    evaluation = run(program(steps, inputs=A), {"M1": {"a": "0"}})
    assert found(evaluation) == {
        ("M1", "division_by_zero", "x", "x"),
        ("M1", "division_by_zero", "w", "w"),
    }
    assert len(evaluation.findings) == 2


def test_a_finding_in_one_branch_leaves_the_others_alone() -> None:
    steps = {
        "x ratio": "round(1 / a, 2)",
        "t ratio": "sum(x, branch)",
        "r people": "rank(x, branch)",
    }
    people = {
        "M1": {"branch": "B", "team": "T", "a": "0"},
        "M2": {"branch": "B", "team": "T", "a": "1"},
        "M3": {"branch": "C", "team": "T", "a": "2"},
    }
    evaluation = run(program(steps, inputs=A), people)
    alone = run(program(steps, inputs=A), {"M3": people["M3"]})
    for step in ("x", "t", "r"):
        assert figures(evaluation, step)["M3"] == figures(alone, step)["M3"]
    assert "M3" not in {manager for manager, *_ in found(evaluation)}
    assert figures(evaluation, "t")["M2"] is None


MONTH: dict[str, Any] = {
    "period": "month",
    "inputs": {"yuan": given("adjustment", "yuan", take="yuan")},
}


def test_points_that_a_monthly_rulebook_with_pay_does_not_read_refuse() -> None:
    people = {"M1": {"points_adjustment": "5"}, "M2": {}}
    assert found(run(program({"pay yuan": "yuan"}, **MONTH), people)) == {
        ("M1", "points_not_read", "pay", "adjustment")
    }
    assert found(run(program({"other yuan": "yuan"}, **MONTH), people)) == set()
    assert found(run(program({"pay yuan": "yuan"}, **MONTH | {"period": "year"}), people)) == set()
    reads = MONTH["inputs"] | {"points": given("adjustment", "point", take="points")}
    assert found(run(program({"pay yuan": "yuan"}, period="month", inputs=reads), people)) == set()


# Ties


def tied(steps: dict[str, str], people: dict[str, Any], **parts: Any) -> Evaluation:
    return run(program(steps, inputs=A, tables=TIERS, **parts), people)


LEVEL = {"M1": {"a": "5"}, "M2": {"a": "5"}, "M3": {"a": "1"}, "M4": {"a": "0"}}
ACROSS = {"M1": {"a": "9"}, "M2": {"a": "5"}, "M3": {"a": "5"}, "M4": {"a": "0"}}
STEPS = {
    "r people": "rank(a, branch)",
    "t tier": "distribute(r, tiers, branch)",
    "p point": "lookup(tiers.points, t)",
}


def test_equal_keys_in_different_tiers_are_warned_and_others_are_not() -> None:
    assert warned(tied(STEPS, ACROSS)) == {("M2", "tie", "t"), ("M3", "tie", "t")}
    assert warned(tied(STEPS, LEVEL)) == set()


def test_a_tie_counts_within_its_group() -> None:
    people = {m: {**said, "branch": "B" if m < "M3" else "C"} for m, said in ACROSS.items()}
    assert warned(tied(STEPS, people)) == set()


def test_a_place_that_decides_nothing_ties_nobody() -> None:
    assert warned(tied({"r people": "rank(a, branch)"}, ACROSS)) == set()


def test_a_place_within_a_step_ties_by_the_outcome_of_that_step() -> None:
    steps = {
        "p point": "lookup(tiers.points, distribute(rank(a, branch), tiers, branch))",
        "q point": "p * (1 + b)",
    }
    people = {m: {**said, "b": str(n)} for n, (m, said) in enumerate(LEVEL.items())}
    assert warned(tied(steps, people)) == set()
    assert warned(tied(steps, ACROSS)) == {("M2", "tie", "p"), ("M3", "tie", "p")}


def test_every_step_that_reads_the_place_is_an_outcome() -> None:
    steps = {"r people": "rank(a, branch)", "first flag": "r <= 2", "last flag": "r > 3"}
    assert warned(tied(steps, ACROSS)) == {("M2", "tie", "first"), ("M3", "tie", "first")}


def test_outcomes_too_large_for_63_bits_are_compared_too() -> None:
    steps = {"r people": "rank(a, branch)", "x people": "r * 1000000000000 * 1000000000000"}
    assert warned(tied(steps, ACROSS)) == {("M2", "tie", "x"), ("M3", "tie", "x")}


def test_a_tie_in_words_is_a_tie() -> None:
    steps = {"r people": "rank(a, branch)", "x text": "'upper' if r <= 2 else 'lower'"}
    assert warned(tied(steps, ACROSS)) == {("M2", "tie", "x"), ("M3", "tie", "x")}
    assert warned(tied(steps, LEVEL)) == set()


# Gaps


def test_whom_an_input_was_read_for_and_counted_0_or_its_default_is_kept() -> None:
    inputs = {
        "plain": given("measure"),
        "filled": given("measure", default="2"),
        "rated": given("rating"),
        "open": given("measure", missing="absent"),
        "sold": given("sale"),
    }
    steps = {
        "x ratio": "plain + sold",
        "y ratio": "filled if grade > 5 else rated",
        "?z ratio": "open",
    }
    people = {
        "M1": {"grade": "6", "plain": "0"},
        "M2": {"grade": "5"},
        "M3": {"grade": "7", "filled": "1"},
    }
    evaluation = run(program(steps, inputs=inputs), people)
    gaps = {
        name: {evaluation.people.managers[row] for row in np.flatnonzero(rows)}
        for name, rows in evaluation.gaps.items()
    }
    # What is open or adds up has no gap; the other side of a choice is not read.
    assert gaps == {"plain": {"M2", "M3"}, "filled": {"M1"}, "rated": {"M2"}}
