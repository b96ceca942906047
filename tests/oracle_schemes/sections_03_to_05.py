"""Sections 3 to 5: `quantified-pay` 量化薪酬, `call-centre` 客户服务呼叫中心, and 客户经理分级管理
with its wage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import floor

from tests.oracle_schemes.arithmetic import distribute, half_up, mean, parted_ties, quotient, rank
from tests.oracle_schemes.book import Book
from tests.oracle_schemes.facts import Person

# 3. quantified-pay

UNIT_PRICES = {
    "dedicated_line": 300,
    "group_vpn": 50,
    "enterprise_sms": 30,
    "iot_card": 2,
    "cloud_host": 120,
    "video_monitor": 25,
}
QUANTIFICATION = {"junior": Fraction(1), "intermediate": Fraction(1), "senior": Fraction("1.3")}
INCENTIVE_CAPS = {
    "junior": Fraction(8000),
    "intermediate": Fraction(8000),
    "senior": Fraction(10000),
}
PERFORMANCE_SHARES = (Fraction("0.2"), Fraction("0.6"), Fraction("0.2"))
PERFORMANCE_COEFFICIENTS = (Fraction("1.2"), Fraction(1), Fraction("0.8"))
OTHER_ALLOWANCES = ("housing", "hardship", "meals", "heat", "heating", "transport")


def quantified_pay(book: Book) -> None:
    """月度: base wage + capped incentive + allowances; 年功 counts towards the minimum wage, the
    others do not.
    """
    people = book.facts.people()
    coefficients = performance_coefficients(book, people)
    for person in people:
        manager, steps = person.manager, book.statements[person.manager]
        own_wage = book.required(
            book.facts.of_manager(manager, "position_wage"), manager, "base_wage"
        )
        post3 = Fraction("0.3") * book.required(
            book.facts.of_branch("post3_wage"), None, "base_wage"
        )
        steps["base_wage"] = own_wage - post3
        steps["incentive_base"] = post3 + book.measure(manager, "standard_bonus")
        steps["product_amount"] = product_amount(book, people, person)
        steps["performance_coefficient"] = coefficients[manager]
        senior = book.looked_up(
            person, QUANTIFICATION, "level", "quantification_coefficient", Fraction(1)
        )
        steps["quantification_coefficient"] = senior
        steps["incentive_raw"] = steps["product_amount"] * coefficients[manager] * senior
        steps["incentive_cap"] = INCENTIVE_CAPS.get(
            str(person.attributes.get("level")), Fraction(0)
        )
        steps["incentive"] = min(steps["incentive_raw"], steps["incentive_cap"])
        seniority = book.measure(manager, "allowance.seniority")
        others = sum(
            (book.measure(manager, f"allowance.{kind}") for kind in OTHER_ALLOWANCES), Fraction(0)
        )
        steps["allowances"] = seniority + others
        due = steps["base_wage"] + steps["incentive"] + book.yuan(manager) + seniority
        steps["pay"] = half_up(max(due, book.minimum_wage()) + others, 2)


def performance_coefficients(book: Book, people: Sequence[Person]) -> dict[str, Fraction]:
    """By rank of the monthly performance score over the prefecture, as a forced distribution."""
    keys = {
        p.manager: -book.rating(p.manager, "performance_score", "performance_coefficient")
        for p in people
    }
    tiers = distribute(rank(keys, keys.__getitem__), PERFORMANCE_SHARES)
    for manager in parted_ties(keys, tiers):
        book.warn("tie", manager, "performance_coefficient")
    return {manager: PERFORMANCE_COEFFICIENTS[tier - 1] for manager, tier in tiers.items()}


def product_amount(book: Book, people: Sequence[Person], person: Person) -> Fraction:
    """One's own products without arrears; a senior's is the mean of the team's junior and
    intermediate managers.
    """
    if person.attributes.get("level") != "senior":
        return own_amount(book, person.manager)
    peers = [
        p
        for p in people
        if p.team == person.team and p.attributes.get("level") in {"junior", "intermediate"}
    ]
    if not peers:
        book.warn("no_peers", person.manager, "product_amount")
        return Fraction(0)
    return mean([own_amount(book, peer.manager) for peer in peers])


def own_amount(book: Book, manager: str) -> Fraction:
    """Σ quantity × unit price; a sale in arrears pays nothing."""
    amount = Fraction(0)
    for item, price in UNIT_PRICES.items():
        for sale in book.facts.sales(manager, item):
            if (sale.get("attributes") or {}).get("in_arrears") is not True:
                amount += Fraction(sale["quantity"]) * price
    return amount


# 4. call-centre

POST_COEFFICIENTS = {
    "trainee": Fraction("0.8"),
    "agent": Fraction(1),
    "senior_agent": Fraction("1.2"),
    "expert": Fraction("1.5"),
}
CHALLENGE_RATES = {"A": Fraction("1.5"), "B": Fraction("1.2")}


def call_centre(book: Book) -> None:
    """月度: a basic award by post and score, a challenge award over target, a veto."""
    for person in book.facts.people():
        manager, steps = person.manager, book.statements[person.manager]

        def own_else_branch(item: str, step: str, manager: str = manager) -> Fraction:
            own = book.facts.of_manager(manager, item)
            return book.required(book.facts.of_branch(item) if own is None else own, manager, step)

        score = book.rating(manager, "score", "up_to_standard")
        workload = book.facts.quantity(manager, "effective_workload")
        basic = own_else_branch("basic_workload", "up_to_standard")
        target = own_else_branch("target_workload", "award_grade")
        quality = quality_passed(book, manager)
        passed = workload >= basic and score >= 60 and quality
        grade = award_grade(score, workload, target) if passed else "none"
        coefficient = book.looked_up(person, POST_COEFFICIENTS, "post", "basic_award", Fraction(1))
        cost = book.facts.of_branch("cost_coefficient")
        award = 600 * coefficient * quotient(score, 100) * (Fraction(1) if cost is None else cost)
        challenged = grade in CHALLENGE_RATES and score >= 80 and workload > target
        challenge = (workload - target) * CHALLENGE_RATES[grade] if challenged else Fraction(0)
        vetoed = (book.facts.of_team(person.team, "veto") or 0) > 0 or bool(
            book.facts.deductions(manager, "veto")
        )
        if vetoed or not passed:
            award = challenge = Fraction(0)
        steps |= {"up_to_standard": Fraction(passed), "award_grade": grade, "basic_award": award}
        steps |= {"challenge_award": challenge, "vetoed": Fraction(vetoed)}
        due = own_else_branch("base_wage", "pay") + award + challenge + book.yuan(manager)
        steps["pay"] = half_up(max(due, book.minimum_wage()), 2)


def quality_passed(book: Book, manager: str) -> bool:
    """Service quality of at least 60% of its full mark."""
    full_mark = book.facts.of_branch("service_full_mark")
    full_mark = Fraction(40) if full_mark is None else full_mark
    return (
        book.rating(manager, "service_quality", "up_to_standard", (0, full_mark))
        >= Fraction("0.6") * full_mark
    )


def award_grade(score: Fraction, workload: Fraction, target: Fraction) -> str:
    """A: 90 and 120% of target; B: 80 and the target; else C."""
    if score >= 90 and workload >= Fraction("1.2") * target:
        return "A"
    return "B" if score >= 80 and workload >= target else "C"


# 5. graded-management and graded-wage

EDUCATION = {
    "secondary": False,
    "college": True,
    "bachelor": True,
    "master": True,
}  # college or above?


def graded_management(book: Book) -> None:
    """年度: interns by tenure; seats of level 4 to award holders first, then by average, those of
    level 3 by average; the rest juniors.
    """
    people = [
        p
        for p in book.facts.people()
        if p.attributes.get("employment", "dispatched") == "dispatched"
    ]
    candidates: dict[str, bool] = {}  # not interns → college or above, and key accounts
    for person in people:
        manager, steps = person.manager, book.statements[person.manager]
        steps["tenure_months"] = Fraction(tenure_months(book, person))
        steps["average_score"] = book.rating(manager, "monthly_score", "average_score")
        college = book.looked_up(person, EDUCATION, "education", "level", False)
        steps["level"] = Fraction(1)
        if steps["tenure_months"] >= 3 and person.attributes.get("probation_passed") is not False:
            steps["level"] = Fraction(2)
            entrusted = person.attributes.get("key_accounts") is not False
            candidates[manager] = college and entrusted
    for level, tenure, average, part in ((4, 36, 85, "0.15"), (3, 12, 80, "0.5")):
        seats = floor(Fraction(part) * len(candidates))
        fill_level(
            book,
            [m for m, may_rise in candidates.items() if may_rise],
            level,
            (tenure, average, seats),
        )
    for person in people:
        steps = book.statements[person.manager]
        steps["conversion_eligible"] = Fraction(steps["level"] == 4)


def fill_level(
    book: Book, candidates: Sequence[str], level: int, rule: tuple[int, int, int]
) -> None:
    """Seat who has the tenure and average, and no higher level yet."""
    tenure, average, seats = rule
    keys = {}
    for manager in candidates:
        steps = book.statements[manager]
        if (
            steps["level"] == 2
            and steps["tenure_months"] >= tenure
            and steps["average_score"] >= average
        ):
            # 得到省市级奖励者优先 is printed under level 4 only.
            has_award = level == 4 and bool(book.facts.ratings(manager, "honour"))
            keys[manager] = (not has_award, -steps["average_score"])
    for manager in rank(keys, keys.__getitem__)[:seats]:
        book.statements[manager]["level"] = Fraction(level)
    for manager in parted_ties(
        keys, {manager: book.statements[manager]["level"] for manager in keys}
    ):
        book.warn("tie", manager, "level")


def tenure_months(book: Book, person: Person) -> int:
    """Months in the post by the end of the year, from the month of `entered_post`."""
    entered = book.attribute(person, "entered_post", "tenure_months")
    if entered is None:
        return 0
    try:
        day = date.fromisoformat(entered)
    except ValueError:
        book.refuse("bad_attribute", person.manager, "tenure_months")
        return 0
    return 12 * (int(book.facts.period) - day.year) + 12 - day.month


GRADE_WAGES = {"1": Fraction(1200), "2": Fraction(1500), "3": Fraction(1900), "4": Fraction(2400)}


def graded_wage(book: Book) -> None:
    """月度: grade wage + performance wage + rewards − penalties, at least the minimum wage;
    overtime on top.
    """
    for person in book.facts.people():
        manager, steps = person.manager, book.statements[person.manager]
        rewards = [Fraction(a["amount"]) for a in book.facts.adjustments(manager) if is_reward(a)]
        if not all(100 <= reward <= 2000 for reward in rewards):
            book.refuse("out_of_bounds", manager, "reward")
        steps["grade_wage"] = book.looked_up(
            person, GRADE_WAGES, "level", "grade_wage", Fraction(0)
        )
        steps["performance_wage"] = book.measure(manager, "performance_wage")
        steps["reward"] = sum(rewards, Fraction(0))
        steps["overtime_pay"] = book.measure(manager, "overtime_pay")
        steps["penalty"] = sum(book.facts.deductions(manager, "violation"), Fraction(0))
        due = steps["grade_wage"] + steps["performance_wage"] + steps["reward"] - steps["penalty"]
        due += book.yuan(manager, lambda item: item != "reward")
        steps["pay"] = half_up(max(due, book.minimum_wage()) + steps["overtime_pay"], 2)


def is_reward(adjustment: dict[str, str]) -> bool:
    """A reward in yuan."""
    return adjustment.get("item") == "reward" and adjustment.get("amount") is not None
