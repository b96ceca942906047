"""Who stands for promotion and exit is read from what was last settled, by what the rulebook says."""

from __future__ import annotations

from domain.identifiers import Period
from projections.month.promotions import find_candidates
from projections.service import Service
from tests.closing import entry, record
from tests.rules import text_of

YEAR = Period.parse("2026")


def graded(book: Service, number: str, **grades: str) -> None:
    record(
        book,
        *(
            entry("rating", f"{number}-{m}", "2026-12", manager=m, item="annual_grade", score=grade)
            for m, grade in grades.items()
        ),
    )


def found(book: Service) -> list[tuple[str, str, str]]:
    candidates = find_candidates(book, "B01", YEAR)
    return [(one.outcome, one.manager, one.value) for one in candidates]


def test_the_reviews_grade_of_the_year_decides_and_its_figures_stand_beside(
    october: Service,
) -> None:
    graded(october, "a", M01="1", M02="2", M09="5", M10="5")
    assert found(october) == []  # nothing is settled
    october.settle(YEAR, "B01", "elastic-pay-year", by="clerk")
    assert found(october) == [
        ("promotion", "M01", "1"), ("exit", "M09", "5"), ("exit", "M10", "5"),
    ]  # fmt: skip
    first = find_candidates(october, "B01", YEAR)[0]
    assert (first.team, first.rulebook, first.version, first.statement, first.step) == (
        "T1", "elastic-pay-year", "1.0.0", 1, "annual_grade",
    )  # fmt: skip
    assert (first.clause, first.label.zh) == ("第九条", "年度考核等级")
    assert [(f.step, f.value, f.unit) for f in first.figures] == [("annual_grade", "1", "grade")]


def test_who_is_settled_again_stands_by_the_last_statement(october: Service) -> None:
    graded(october, "a", M01="1")
    october.settle(YEAR, "B01", "elastic-pay-year", by="clerk")
    graded(october, "b", M01="2", M03="1")
    october.settle(YEAR, "B01", "elastic-pay-year", by="clerk")
    assert found(october) == [("promotion", "M03", "1")]
    assert find_candidates(october, "B02", YEAR) == []


def test_a_rulebook_that_says_nothing_of_it_lists_nobody_and_words_count_like_figures(
    october: Service,
) -> None:
    steps = {"grade_of_it text": "'good' if role == 'customer_manager' else 'poor'"}
    october.publish(text_of(steps, id="silent"), file="f", by="hr")
    outcome = {"exit": {"step": "grade_of_it", "values": ["poor", "good"]}}
    october.publish(text_of(steps, id="worded", standing=outcome), file="f", by="hr")
    october.settle(YEAR, "B01", "silent", by="clerk")
    assert found(october) == []
    october.settle(YEAR, "B01", "worded", by="clerk")
    assert {(outcome, value) for outcome, _, value in found(october)} == {("exit", "good")}
    assert len(found(october)) == 10
