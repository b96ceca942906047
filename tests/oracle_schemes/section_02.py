"""Section 2: `piece-rate` 江苏 集团客户经理工作业绩量化考评, and `support-binding`
客户经理支撑捆绑考核体系.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tests.oracle_schemes.arithmetic import half_up, mean, quotient, rank, ranks, share
from tests.oracle_schemes.book import PERCENT, STAND_IN, Book
from tests.oracle_schemes.facts import Person

OWN_AND_UNIT = {  # (a, b) by role
    "customer_manager": (Fraction("0.8"), Fraction("0.2")),
    "area_manager": (Fraction("0.6"), Fraction("0.4")),
    "township_head": (Fraction("0.4"), Fraction("0.6")),
}
BASE_INDICATORS = {
    "target_groups": 18,
    "new_groups": 6,
    "win_back": 4,
    "secretary_lines": 15,
    "million_plan": 6,
    "effective_groups": 18,
    "wireless_phones": 13,
    "department_base": 20,
}
PROCESS = {
    "records_upkeep": 20,
    "alert_handling": 20,
    "group_arrears": 10,
    "key_contact": 20,
    "department_process": 20,
}
PLUS_MINUS = {
    "product_sms": (-5, 5),
    "product_site": (-5, 5),
    "group_loss": (-5, 0),
    "product_400": (-5, 5),
    "group_satisfaction": (-10, 10),
    "it_revenue": (-10, 10),
}


def piece_rate(book: Book) -> None:
    """月度: points by indicators, the unit's completion and the process; the branch's pool divided
    by points.
    """
    people = book.facts.people(OWN_AND_UNIT)
    completion = unit_completions(book, people)
    average = mean(list(completion.values())) if completion else Fraction(0)
    for person in people:
        monthly_points(book, person, completion[person.team], average)
    pay_from_pool(book, people)


def unit_completions(book: Book, people: list[Person]) -> dict[str, Fraction]:
    """Team → its completion, for the teams that have someone of the three roles, each once."""
    teams = sorted({person.team for person in people})
    return {
        team: book.required(book.facts.of_team(team, "unit_completion"), None, "unit_ratio")
        for team in teams
    }


def monthly_points(book: Book, person: Person, completion: Fraction, average: Fraction) -> None:
    """Base points × (a + b × unit completion / mean) × process coefficient + plus/minus points."""
    manager, steps = person.manager, book.statements[person.manager]

    def scores(full_marks: Mapping[str, int], step: str) -> Fraction:
        return sum(
            (book.rating(manager, item, step, (0, full)) for item, full in full_marks.items()),
            Fraction(0),
        )

    steps["base_indicator_points"] = scores(BASE_INDICATORS, "base_indicator_points")
    if average == 0:
        book.refuse("division_by_zero", manager, "unit_ratio")
    steps["unit_ratio"] = quotient(completion, average or STAND_IN)
    own, unit = OWN_AND_UNIT[person.role]
    steps["unit_factor"] = own + unit * steps["unit_ratio"]
    process = quotient(scores(PROCESS, "process_coefficient"), sum(PROCESS.values()))
    steps["process_coefficient"] = min(process, Fraction(1))
    marks = [
        book.rating(manager, item, "plus_minus_points", bounds)
        for item, bounds in PLUS_MINUS.items()
    ]
    steps["plus_minus_points"] = sum(marks, Fraction(0))
    base = steps["base_indicator_points"] * steps["unit_factor"] * steps["process_coefficient"]
    steps["monthly_points"] = base + steps["plus_minus_points"]


def pay_from_pool(book: Book, people: list[Person]) -> None:
    """The pool is spent exactly; negative points weigh 0; no upper cap, the minimum wage last."""
    weights = {
        p.manager: max(book.statements[p.manager]["monthly_points"], Fraction(0)) for p in people
    }
    pool = (
        book.required(book.facts.of_branch("quota_pool"), None, "bonus") if people else Fraction(0)
    )
    if (pool * 100).denominator != 1:
        book.refuse("fractional_cents", None, "bonus")
    total = sum(weights.values(), Fraction(0))
    unit_price = quotient(pool, total) if total else Fraction(0)
    bonuses = share(half_up(pool, 2), weights)
    for manager, bonus in bonuses.items():
        if not total:
            book.warn("undistributed", manager, "bonus")
        due = book.measure(manager, "fixed_pay") + bonus + book.yuan(manager)
        pay = half_up(max(due, book.minimum_wage()), 2)
        book.statements[manager] |= {"unit_price": unit_price, "bonus": bonus, "pay": pay}


ENGINEERING = ("access_on_time", "activation_on_time", "service_satisfaction")
NETWORK = (*ENGINEERING, "complaint_on_time", "user_satisfaction", "repeat_fault_free")
SUPPORT_ROLES = (
    "unit_support",
    "general_support",
    "engineering_support",
    "network_support",
    "service_hall",
)


def support_binding(book: Book) -> None:
    """月度: the back office's score by role, ranked over the branch."""
    people = book.facts.people(SUPPORT_ROLES)
    scores = {person.manager: support_score(book, person) for person in people}
    places = ranks(rank(scores, lambda manager: -scores[manager]))
    for manager, score in scores.items():
        book.statements[manager] |= {
            "support_score": score,
            "support_rank": Fraction(places[manager]),
        }


def support_score(book: Book, person: Person) -> Fraction:
    """By role, from ratings 0–100."""

    def rated(item: str) -> Fraction:
        return book.rating(person.manager, item, "support_score", PERCENT)

    match person.role:
        case "unit_support":
            # A quotient takes everything multiplied before it as its dividend: 0.6 × (…) / 2 is one
            # quotient.
            volume = quotient(Fraction("0.6") * (rated("unit_volume") + rated("timeliness")), 2)
            return volume + Fraction("0.4") * rated("department_rating")
        case "general_support":
            return Fraction("0.4") * rated("audit_volume") + Fraction("0.6") * rated(
                "department_rating"
            )
        case "engineering_support":
            return mean([rated(item) for item in ENGINEERING])
        case "network_support":
            return mean([rated(item) for item in NETWORK])
        case _:
            return rated("micro_area_result")
