"""Section 1: `elastic-pay` 客户经理绩效考核及弹性薪酬管理办法 V3.0, and its year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

from tests.oracle_schemes.arithmetic import (
    distribute,
    half_up,
    mean,
    parted_ties,
    quotient,
    rank,
    ranks,
)
from tests.oracle_schemes.book import PERCENT, Book
from tests.oracle_schemes.facts import Person

KPI = ("group_count", "group_members", "adc_groups", "mas_groups")
DEEP = (
    "effective_customers",
    "global_pass",
    "smart_network",
    "key_products",
    "premium_groups",
    "quality_groups",
)
INDUSTRY = (
    *("campus_link", "smart_card", "education_projects"),
    *("transport_terminals", "transport_projects"),
    *("rural_link", "rural_products", "rural_projects"),
    "other_industry",
)
UNIT_SCORES = {
    "group_count": 20,
    "group_members": 2,
    "adc_groups": 30,
    "mas_groups": 40,
    "effective_customers": 1,
    "global_pass": 5,
    "smart_network": 3,
    "key_products": 50,
    "premium_groups": 100,
    "quality_groups": 60,
    "campus_link": 1,
    "smart_card": 2,
    "education_projects": 200,
    "transport_terminals": 8,
    "transport_projects": 200,
    "rural_link": 1,
    "rural_products": 5,
    "rural_projects": 200,
    "other_industry": 10,
}


@dataclass(frozen=True)
class Parameters:
    """The numbers of the scheme, which the department may set anew each period."""

    base_points: Mapping[int, Any] = field(
        default_factory=lambda: {8: 1275, 7: 1150, 6: 1025, 5: 800, 4: 655}
    )
    deduction_items: Sequence[str] = ("member_retention", "bundling_rate", "arrears_recovery")
    deduction_cap: Any = 1000
    gs_dimensions: Sequence[str] = ("customer_orientation", "initiative", "teamwork", "ability")
    gs_adjustment_bound: Any = "0.8"
    tier_shares: Sequence[Any] = ("0.1", "0.2", "0.6", "0.1")
    tier_points: Sequence[Any] = (1200, 1000, 800, 600)
    barred_tiers: int = 2
    bar_completion: Any = "0.6"  # a group KPI below it …
    bar_items: int = 2  # … on so many items bars
    bar_deduction: Any = 300  # a deduction above it bars
    unit_scores: Mapping[str, Any] = field(default_factory=lambda: UNIT_SCORES)
    performance_cap: Any = 8000
    yuan_per_point: Any = 1

    def changed(self, overrides: Mapping[str, Any]) -> Parameters:
        """These parameters with some replaced; tables are merged key by key."""
        names = {parameter.name for parameter in fields(self)}
        assert set(overrides) <= names, f"no such parameter: {sorted(set(overrides) - names)}"
        tables = {
            name: {**getattr(self, name), **new}
            for name, new in overrides.items()
            if isinstance(new, Mapping)
        }
        return replace(self, **{**overrides, **tables})


def elastic_pay(book: Book, parameters: Parameters) -> None:
    """月度: position points + GS points + performance points, at one yuan a point, never below the
    minimum wage.
    """
    people = book.facts.people({"customer_manager"})
    for person in people:
        position(book, person, parameters)
    goal_setting(book, people, parameters)
    for person in people:
        performance(book, person, parameters)
        pay(book, person, parameters)


def position(book: Book, person: Person, parameters: Parameters) -> None:
    """第五条: base points less the deduction, which is capped."""
    steps = book.statements[person.manager]
    if person.grade not in parameters.base_points:
        book.refuse("unknown_key", person.manager, "base_points")
    base = Fraction(parameters.base_points.get(person.grade, 0))
    raw = sum(
        (sum(book.facts.deductions(person.manager, item)) for item in parameters.deduction_items),
        Fraction(0),
    )
    cap = min(
        base, Fraction(parameters.deduction_cap)
    )  # 第五条4: the base where it is under 1000, else 1000
    deduction = min(raw, cap)
    steps |= {
        "base_points": base,
        "raw_deduction": raw,
        "deduction_cap": cap,
        "deduction": deduction,
    }
    steps["position_points"] = base - deduction


def goal_setting(book: Book, people: Sequence[Person], parameters: Parameters) -> None:
    """第六条: four rated dimensions, four tiers forced over the branch, some people barred from the
    upper two.
    """
    managers = [person.manager for person in people]
    for person in people:
        dimensions = [
            book.rating(person.manager, d, "gs_score", PERCENT) for d in parameters.gs_dimensions
        ]
        book.statements[person.manager]["gs_score"] = mean(dimensions)
        book.statements[person.manager]["gs_barred"] = Fraction(
            is_barred(book, people, person, parameters)
        )
    keys = final_order(book, managers)
    order = rank(managers, keys.__getitem__)
    barred = {manager for manager in managers if book.statements[manager]["gs_barred"]}
    tiers = distribute(
        order, [Fraction(part) for part in parameters.tier_shares], barred, parameters.barred_tiers
    )
    for manager in parted_ties(keys, tiers):
        book.warn("tie", manager, "gs_tier")
    for person in people:
        steps, place = book.statements[person.manager], ranks(order)[person.manager]
        tier = tiers[person.manager]
        adjustment = gs_adjustment(book, person, parameters)
        steps |= {"gs_rank": Fraction(place), "gs_tier": Fraction(tier)}
        steps["gs_points"] = Fraction(parameters.tier_points[tier - 1]) * (1 + adjustment)


def is_barred(book: Book, people: Sequence[Person], person: Person, parameters: Parameters) -> bool:
    """第六条4: (a) the team is short of two group KPIs, (b) an accountability entry exists, (c)
    deductions over 300.
    """
    short = 0
    for item in KPI:
        target = book.facts.of_team(person.team, f"target.{item}")
        if target is None or target <= 0:  # 第七条2: not judged
            continue
        team = [member.manager for member in people if member.team == person.team]
        done = sum((book.facts.quantity(manager, item) for manager in team), Fraction(0))
        short += quotient(done, target) < Fraction(parameters.bar_completion)
    return (
        short >= parameters.bar_items
        or bool(book.facts.deductions(person.manager, "provincial_accountability"))
        or book.statements[person.manager]["raw_deduction"] > Fraction(parameters.bar_deduction)
    )


def final_order(book: Book, managers: Sequence[str]) -> dict[str, Fraction]:
    """第六条5: the key of the order, smallest first: the review's final rank where everyone has
    one, else the score.
    """
    final = {
        manager: scores[-1]
        for manager in managers
        if (scores := book.facts.scores(manager, "final_rank"))
    }
    if final and len(final) < len(managers):
        for manager in managers:
            if manager not in final:
                book.refuse("partial_ranking", manager, "gs_rank")
    if len(final) == len(managers):
        return final
    for manager in managers:  # 第六条5: the order by score stands and the statement says so
        book.warn("no_review", manager, "gs_rank")
    return {manager: -book.statements[manager]["gs_score"] for manager in managers}


def gs_adjustment(book: Book, person: Person, parameters: Parameters) -> Fraction:
    """第六条2(2): the coefficient of a special industry, within ±80%; none is 0."""
    industry = person.attributes.get("industry")
    coefficient = book.facts.of_branch(f"gs_adjustment.{industry}") if industry else None
    coefficient = coefficient or Fraction(0)
    if abs(coefficient) > Fraction(parameters.gs_adjustment_bound):
        book.refuse("out_of_bounds", person.manager, "gs_points")
    return coefficient


def performance(book: Book, person: Person, parameters: Parameters) -> None:
    """第七条: Σ unit score × quantity, not below 0, capped at 8000."""

    def points(items: Sequence[str]) -> Fraction:
        quantities = {item: book.facts.quantity(person.manager, item) for item in items}
        return sum(
            (Fraction(parameters.unit_scores[item]) * q for item, q in quantities.items()),
            Fraction(0),
        )

    steps = book.statements[person.manager]
    steps |= {
        "kpi_points": points(KPI),
        "deep_points": points(DEEP),
        "industry_points": points(INDUSTRY),
    }
    raw = points((*KPI, *DEEP, *INDUSTRY))
    steps["performance_raw"] = raw
    steps["performance_points"] = min(max(raw, Fraction(0)), Fraction(parameters.performance_cap))


def pay(book: Book, person: Person, parameters: Parameters) -> None:
    """第八条: points adjustments after all caps, yuan adjustments on the pay, the minimum wage last
    over everything.
    """
    steps = book.statements[person.manager]
    adjustments = book.facts.adjustments(person.manager)
    points = sum(
        (Fraction(a["points"]) for a in adjustments if a.get("points") is not None), Fraction(0)
    )
    yuan = sum(
        (Fraction(a["amount"]) for a in adjustments if a.get("amount") is not None), Fraction(0)
    )
    total = steps["position_points"] + steps["gs_points"] + steps["performance_points"] + points
    before_floor = half_up(total * Fraction(parameters.yuan_per_point) + yuan, 2)
    steps |= {"adjustment_points": points, "total_points": total, "pay_before_floor": before_floor}
    steps["pay"] = max(before_floor, book.minimum_wage())


def elastic_pay_year(book: Book, settled: Mapping[str, Mapping[str, str]]) -> None:
    """第九条: average monthly points, ranked within the branch; the review's grade, where there is
    one.
    """
    people = [person.manager for person in book.facts.people()]
    averages: dict[str, Fraction] = {}
    for manager in people:
        months = [
            settled[month][manager]
            for month in book.facts.months
            if manager in settled.get(month, {})
        ]
        if months:
            averages[manager] = mean([Fraction(points) for points in months])
        else:
            book.warn("no_statements", manager, "average_points")
    places = ranks(rank(averages, lambda manager: -averages[manager]))
    for manager in people:
        steps = book.statements[manager]
        if manager in averages:
            steps |= {"average_points": averages[manager], "points_rank": Fraction(places[manager])}
        if grades := book.scores(manager, "annual_grade", "annual_grade", (1, 5)):
            steps["annual_grade"] = grades[-1]
