"""Comparisons: everyone who differs, with what differs, and sums that add up."""

from __future__ import annotations

from decimal import Decimal

from domain.evaluation.programs import program_of, shipped_texts
from domain.evaluation.statements import Statement
from projections.evaluation.branches import BranchEvaluation
from projections.replay.comparison import BranchChange, StepChange, Totals, compare, compare_all

PROGRAM = program_of(next(text for text in shipped_texts() if "id: elastic-pay\n" in text))


def evaluation(**pay: str) -> BranchEvaluation:
    statements = [Statement(m, "B01", "T1", {"gs_tier": "3", "pay": p}, ()) for m, p in pay.items()]
    return BranchEvaluation("2026-10", "B01", PROGRAM, 1, statements)


def test_only_who_differs_is_listed_with_the_steps_that_differ() -> None:
    after = evaluation(A="10.5", B="20", C="30")
    before = {
        "A": {"gs_tier": "3", "pay": "10"},
        "B": {"gs_tier": "3", "pay": "20"},
        "C": {"gs_tier": "2", "pay": "30"},
    }
    one, two = compare(after, before)
    assert (one.manager, one.before, one.after, one.difference) == (
        "A",
        "10",
        "10.5",
        Decimal("0.5"),
    )
    assert one.steps == (StepChange("pay", "10", "10.5"),)
    assert (two.manager, two.difference, two.steps) == (
        "C",
        Decimal(0),
        (StepChange("gs_tier", "2", "3"),),
    )


def test_who_is_on_one_side_only_has_nothing_on_the_other() -> None:
    came, went = compare(evaluation(A="10"), {"Z": {"pay": "7"}})
    assert (came.manager, came.before, came.after, came.difference) == (
        "A",
        None,
        "10",
        Decimal(10),
    )
    assert (went.manager, went.before, went.after, went.difference) == ("Z", "7", None, Decimal(-7))
    assert StepChange("pay", "7", None) in went.steps


def test_the_sums_are_those_of_the_people_and_the_greatest_difference_comes_first() -> None:
    after = evaluation(A="10.01", B="5", C="1")
    before = {"A": {"pay": "10"}, "B": {"pay": "25"}, "C": {"gs_tier": "2", "pay": "1"}}
    found = compare_all("settled", compare(after, before), [after], {"2026-10": Decimal(36)})
    difference = Decimal("-19.99")
    assert found.totals == Totals(Decimal(36), Decimal("16.01"), difference, 1, 1, managers=3)
    assert [d.manager for d in found.differences] == ["B", "A", "C"]
    assert found.groups == [BranchChange("2026-10", "B01", "elastic-pay", difference, 1, 1)]


def test_people_are_compared_by_the_last_figure_where_the_last_step_is_a_word() -> None:
    graded = program_of(next(text for text in shipped_texts() if "id: service-kpi\n" in text))
    statement = Statement("A", "B01", "T1", {"kpi_score": "81.5", "kpi_grade": "B"}, ())
    after = BranchEvaluation("2026-10", "B01", graded, 1, [statement])
    (found,) = compare(after, {"A": {"kpi_score": "90", "kpi_grade": "A"}})
    assert (found.step, found.before, found.after, found.difference) == (
        "kpi_score",
        "90",
        "81.5",
        Decimal("-8.5"),
    )
    assert found.steps == (
        StepChange("kpi_score", "90", "81.5"),
        StepChange("kpi_grade", "A", "B"),
    )
