"""Whom each cap and floor limited, over whole columns."""

from __future__ import annotations

from domain.evaluation.context import Evaluation
from projections.month.check.limits import find_limits
from tests.rules import given, program, run

INPUTS = {"a": given("measure", missing="absent")}


def limited(evaluation: Evaluation) -> dict[tuple[str, str], dict[str, str]]:
    """(kind, step) → person → how far beyond the limit."""
    return {
        (limit.kind, limit.step): {
            evaluation.people.managers[row]: limit.by.text(row) for row in limit.rows.nonzero()[0]
        }
        for limit in find_limits(evaluation)
    }


def test_who_is_cut_to_a_cap_or_lifted_to_a_floor_and_by_how_much() -> None:
    rules = program({"?x ratio": "max(min(a, 10), 2)"}, inputs=INPUTS)
    people = {
        "At": {"a": "10"},
        "Above": {"a": "10.5"},
        "Low": {"a": "1"},
        "Floor": {"a": "2"},
        "None": {},
    }
    assert limited(run(rules, people)) == {
        ("floor", "x"): {"Low": "1"},
        ("cap", "x"): {"Above": "0.5"},
    }


def test_a_limit_in_a_side_that_is_not_taken_limits_nobody() -> None:
    rules = program({"?x ratio": "min(a, 1) if grade > 5 else max(a, 9)"}, inputs=INPUTS)
    people = {"High": {"grade": "6", "a": "5"}, "Low": {"grade": "4", "a": "5"}}
    assert limited(run(rules, people)) == {
        ("cap", "x"): {"High": "4"},
        ("floor", "x"): {"Low": "4"},
    }


def test_looking_for_limits_adds_nothing_to_the_evaluation() -> None:
    rules = program({"x ratio": "min(b, 1) if grade > 5 else 0"}, inputs={"b": given("rating")})
    evaluation = run(rules, {"M1": {"grade": "4"}, "M2": {"grade": "6"}})
    before = (len(evaluation.warnings), len(evaluation.findings), {**evaluation.gaps})
    assert list(find_limits(evaluation)) == []
    assert (len(evaluation.warnings), len(evaluation.findings)) == before[:2]
    assert evaluation.gaps == before[2]
