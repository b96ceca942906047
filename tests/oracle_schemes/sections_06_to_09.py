"""Sections 6 to 9: `plan-appraisal` and its year, `pay-structure`, `third-tier-review`,
`service-kpi`.
"""

from __future__ import annotations

from fractions import Fraction

from tests.oracle_schemes.arithmetic import half_up, mean, quotient, rank, ranks
from tests.oracle_schemes.book import PERCENT, Book

# 6. plan-appraisal and plan-appraisal-year


def by_grade(grade: int, low: str, middle: str, high: str) -> Fraction:
    """A weight by grade: up to 5, 6–7, from 8."""
    return Fraction(low if grade <= 5 else middle if grade <= 7 else high)


def plan_appraisal(book: Book) -> None:
    """月度: goals and attitude on the 100-mark scale, goals weighing more the higher the grade."""
    for person in book.facts.people():
        goal = book.rating(person.manager, "goal", "goal_score", PERCENT)
        attitude = book.rating(person.manager, "attitude", "attitude_score", PERCENT)
        weight = by_grade(person.grade, "0.7", "0.8", "0.9")
        monthly = weight * goal + (1 - weight) * attitude
        book.statements[person.manager] |= {
            "goal_score": goal,
            "attitude_score": attitude,
            "monthly_score": monthly,
        }


def plan_appraisal_year(book: Book) -> None:
    """年度: whole marks 1–5 for three KPIs, rated marks 1–5 for two goals."""
    for person in book.facts.people():
        manager, steps = person.manager, book.statements[person.manager]
        marks = []
        for kpi in ("revenue", "customers", "service"):
            marks.append(kpi_mark(book, manager, kpi))
            steps[f"kpi_mark.{kpi}"] = marks[-1]
        goals = [book.rating(manager, item, "gs_score", (1, 5)) for item in ("project", "team")]
        weight = by_grade(person.grade, "0.5", "0.6", "0.7")
        steps |= {"kpi_score": mean(marks), "gs_score": mean(goals)}
        steps["annual_score"] = weight * mean(marks) + (1 - weight) * mean(goals)


def kpi_mark(book: Book, manager: str, kpi: str) -> Fraction:
    """5 from the challenge, 3 at the target, 1 up to 60% of it, linear between, rounded once to a
    whole mark.
    """
    step = f"kpi_mark.{kpi}"
    measures = [
        book.facts.of_manager(manager, f"{name}.{kpi}")
        for name in ("target", "challenge", "actual")
    ]
    target, challenge, actual = measures
    if target is None or challenge is None or actual is None:
        book.refuse("missing_measure", manager, step)
        return Fraction(0)
    if target <= 0:
        book.refuse("not_positive", manager, step)
    if challenge <= target:
        book.refuse("out_of_bounds", manager, step)
    if target <= 0 or challenge <= target:
        return Fraction(0)
    if actual >= challenge:
        return Fraction(5)
    if actual <= Fraction("0.6") * target:
        return Fraction(1)
    if actual > target:
        return quotient(3 * (challenge - target) + 2 * (actual - target), challenge - target, 0)
    return quotient(
        Fraction("0.4") * target + 2 * (actual - Fraction("0.6") * target),
        Fraction("0.4") * target,
        0,
    )


# 7. pay-structure

BANDS = {
    4: (42000, 54000),
    5: (51000, 66000),
    6: (64000, 83000),
    7: (82000, 107000),
    8: (104000, 136000),
}


def pay_structure(book: Book) -> None:
    """年度: fixed and variable income, capped at the grade's maximum, against the grade's
    median.
    """
    for person in book.facts.people():
        manager = person.manager
        if person.grade not in BANDS:
            book.refuse("unknown_key", manager, "cash_total")
        median, maximum = BANDS.get(person.grade, (1, 1))
        monthly = [
            book.facts.monthly(manager, i)
            for i in ("position_wage", "seniority_pay", "monthly_bonus")
        ]
        fixed = sum((sum(by_month.values()) for by_month in monthly), Fraction(0))
        variable = book.measure(manager, "annual_bonus")
        total = min(fixed + variable, Fraction(maximum))
        steps = book.statements[manager]
        steps |= {
            "fixed_income": fixed,
            "variable_income": variable,
            "cash_total_raw": fixed + variable,
        }
        steps |= {
            "cash_total": total,
            "compa_ratio": quotient(total, median),
            "pay": half_up(total, 2),
        }


# 8. third-tier-review

ASPECTS = {
    "kpi": Fraction("0.5"),
    "culture": Fraction("0.1"),
    "projects": Fraction("0.1"),
    "staff_satisfaction": Fraction("0.1"),
    "customer": Fraction("0.1"),
}
REVIEW_LEVELS = {"leader": 50, "peer": 30, "subordinate": 20}


def third_tier_review(book: Book) -> None:
    """年度: five rated aspects and the democratic review, ranked over the branch."""
    scores: dict[str, Fraction] = {}
    for person in book.facts.people():
        manager, steps = person.manager, book.statements[person.manager]
        for aspect in ASPECTS:
            steps[aspect] = book.rating(manager, aspect, aspect, PERCENT)
        review = book.levelled_rating(
            manager, "democratic_review", "democratic_review", REVIEW_LEVELS, PERCENT
        )
        scores[manager] = sum(
            (w * steps[aspect] for aspect, w in ASPECTS.items()), Fraction("0.1") * review
        )
        steps |= {"democratic_review": review, "review_score": scores[manager]}
    for manager, place in ranks(rank(scores, lambda m: -scores[m])).items():
        book.statements[manager]["review_rank"] = Fraction(place)


# 9. service-kpi

HOURS = ("resolution_hours", "complaint_hours")  # lower is better
SERVICE_KPIS = (
    *(
        "satisfaction",
        "resolution_hours",
        "service_level",
        "complaint_hours",
        "callback_rate",
        "collaboration",
    ),
    *(
        "resolution_rate",
        "team_management",
        "sales",
        "quality_review",
        "personal_growth",
        "retention_rate",
    ),
)


def service_kpi(book: Book) -> None:
    """月度: each KPI that has a target, at most 120; their mean, and a grade."""
    for person in book.facts.people():
        manager, steps = person.manager, book.statements[person.manager]
        scores = []
        for kpi in SERVICE_KPIS:
            target = book.facts.of_manager(manager, f"target.{kpi}")
            if target is not None:
                scores.append(min(item_score(book, manager, kpi, target), Fraction(120)))
                steps[f"score.{kpi}"] = scores[-1]
                steps[f"mark.{kpi}"] = Fraction(mark_of(scores[-1]))
        if not scores:
            book.refuse("missing_measure", manager, "kpi_score")
            continue
        score = mean(scores)
        steps["kpi_score"] = score
        steps["kpi_grade"] = "exceeded" if score >= 110 else "met" if score >= 100 else "missed"


def mark_of(score: Fraction) -> int:
    """表2: 5 above the target, 4 at it, 3 from 80% of it, 2 below."""
    if score > 100:
        return 5
    if score == 100:
        return 4
    return 3 if score >= 80 else 2


def item_score(book: Book, manager: str, kpi: str, target: Fraction) -> Fraction:
    """100 × actual / target; for hours 100 × target / actual, and 120 where the actual is 0."""
    actual = book.facts.of_manager(manager, f"actual.{kpi}")
    if actual is None:
        book.warn("missing_measure", manager, f"score.{kpi}")
    if kpi in HOURS:
        if actual is None:
            return Fraction(0)
        return quotient(100 * target, actual) if actual else Fraction(120)
    if target <= 0:
        book.refuse("not_positive", manager, f"score.{kpi}")
        return Fraction(0)
    return quotient(100 * (actual or Fraction(0)), target)
