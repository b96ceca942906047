"""Branches for the schemes of a quarter or a year: facts spread over the months, tied ranks, seats
that run out.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from tests.generation.draft import Draft, Member, shifted
from tests.generation.monthly import percent
from tests.generation.pick import plain

# Section 1, the year


def elastic_pay_year(draft: Draft) -> None:
    """Settled months for most people, in any number; equal averages; a grade by the review for
    some.
    """
    pick = draft.pick
    draft.staff()
    for member in draft.everyone:
        for month in draft.months[-pick.integer(1, 12) :] if not pick.chance(6) else ():
            points = pick.of(("1635", "2085", "8000.000001", "1234.5678905", "-12.5"))
            draft.settled.setdefault(month, {})[member.manager] = points
        draft.settled.setdefault(shifted(draft.months[0], -1), {})[member.manager] = "99999"
        for _ in range(pick.of((0, 1, 1, 2))):
            draft.about(member, "rating", "annual_grade", score=pick.of(("1", "3", "5")))


# Section 5, the year

TENURES = (36, 36, 70, 120, 48, 35, 12, 13, 11, 3, 2, 0)


def graded_management(draft: Draft) -> None:
    """Tenure, average and education on each side of each bar; award holders; more candidates than
    seats.
    """
    pick = draft.pick

    def attributes() -> dict[str, str | bool]:
        entered = f"{shifted(draft.months[-1], -pick.of(TENURES))}-{pick.of(('01', '15', '28'))}"
        employment = pick.of(({}, {"employment": "dispatched"}))
        probation = pick.of(({}, {"probation_passed": True}, {}, {}, {"probation_passed": False}))
        education = pick.of(("college", "bachelor", "master", "secondary"))
        accounts = pick.of(({}, {"key_accounts": True}, {}, {}, {"key_accounts": False}))
        own = {**employment, **probation, **accounts}
        return {"education": education, "entered_post": entered, **own}

    draft.staff(attributes)
    for member in draft.bystanders:
        if pick.chance(2):  # in the branch, but not dispatched: outside all the same
            draft.assign(member, draft.months[-1], attributes={"employment": "formal"})
    for member in draft.everyone:
        average = pick.of(("90", "85", "90", "85", "84.999999", "80", "80", "79.99", "87.28"))
        for _ in range(pick.of((1, 1, 2, 12, 0))):
            draft.about(member, "rating", "monthly_score", score=average)
        if pick.chance(6):
            draft.about(member, "rating", "monthly_score", score=pick.number(60, 100))
        if pick.chance(8):
            draft.about(member, "rating", "honour", score=pick.of(("1", "0")))


# Section 6, the year


def plan_appraisal_year(draft: Draft) -> None:
    """Actuals at the target, the challenge and 60%, and where a mark ends in exactly a half."""
    pick = draft.pick
    draft.staff()
    for member in draft.everyone:
        for kpi in ("revenue", "customers", "service"):
            target, challenge = (
                Decimal(n) for n in pick.of((("80", "100"), ("61", "189"), ("0.7", "0.700003")))
            )
            for name, value in {
                "target": target,
                "challenge": challenge,
                "actual": actual(draft, target, challenge),
            }.items():
                draft.of_manager(member, f"{name}.{kpi}", plain(value))
        for item in ("project", "team"):
            draft.rate(member, item, lambda: pick.of(("1", "5", "3.3", "4.999999")))
        if pick.chance(2):
            draft.about(member, "rating", "ability_plan", score="77")


def actual(draft: Draft, target: Decimal, challenge: Decimal) -> Decimal:
    """So far between 60% of target (0), the target (1) and the challenge (2), or beyond."""
    way = Decimal(
        draft.pick.of(
            (
                "1",
                "0",
                "2",
                "0.25",
                "0.75",
                "1.25",
                "1.75",
                "1.1",
                "0.4",
                "-1",
                "3",
                "0.2499",
                "1.749999",
            )
        )
    )
    low = target * Decimal("0.6")
    value = low + way * (target - low) if way <= 1 else target + (way - 1) * (challenge - target)
    return max(value, Decimal(0)).quantize(Decimal("0.000001"), ROUND_DOWN)


# Section 7

MAXIMA = {4: 54000, 5: 66000, 6: 83000, 7: 107000, 8: 136000}


def pay_structure(draft: Draft) -> None:
    """Monthly measures, some months missing, some corrected; totals at the grade's maximum and
    beside it.
    """
    pick = draft.pick
    draft.staff()
    for member in draft.everyone:
        months = [month for month in draft.months if month >= member.since]
        if pick.chance(3):  # exactly at the maximum, a cent below, a cent above
            total = Decimal(MAXIMA[member.grade]) + Decimal(
                pick.of(("0", "-0.01", "0.01", "0.000001"))
            )
            annual = Decimal(pick.number(0, 20000))
            monthly(draft, member, months[-1], "position_wage", plain(total - annual))
            monthly(draft, member, months[0], "annual_bonus", plain(annual))
            continue
        for month in months:
            for item, high in {
                "position_wage": 9000,
                "seniority_pay": 600,
                "monthly_bonus": 3000,
            }.items():
                if not pick.chance(8):
                    monthly(draft, member, month, item, pick.number(0, high))
        for _ in range(pick.of((1, 0, 2))):
            monthly(draft, member, pick.of(months), "annual_bonus", pick.number(0, 30000, 3))


def monthly(draft: Draft, member: Member, month: str, item: str, value: str) -> None:
    """A measure of one month; sometimes a wrong one before it."""
    if draft.pick.chance(20):
        draft.add("measure", manager=member.manager, month=month, item=item, value="99999")
    draft.add("measure", manager=member.manager, month=month, item=item, value=value)


# Section 8

ASPECTS = ("kpi", "culture", "projects", "staff_satisfaction", "customer")


def third_tier_review(draft: Draft) -> None:
    """Aspects sometimes missing; review levels missing; raters whose level has no weight."""
    pick = draft.pick
    draft.staff()
    for member in draft.everyone:
        flat = pick.of(("80", "75.5")) if pick.chance(3) else None  # so that people tie
        score = (lambda flat=flat: flat) if flat else percent(pick)
        for aspect in ASPECTS:
            draft.rate(member, aspect, score)
        rate_levels(draft, member, "democratic_review", ("leader", "peer", "subordinate"), score)


def rate_levels(
    draft: Draft, member: Member, item: str, levels: tuple[str, ...], score: object
) -> None:
    """Ratings by level: each level sometimes missing, sometimes several times; sometimes one of no
    level or another.
    """
    pick = draft.pick
    for level in levels:
        for _ in range(pick.of((1, 1, 2, 0, 3))):
            draft.about(member, "rating", item, score=score(), rater_level=level)
    if pick.chance(8):
        other = pick.of(({}, {"rater_level": "self" if "leader" in levels else "leader"}))
        draft.about(member, "rating", item, score=score(), **other)


# Section 10

VIRTUES = {"virtue": 20, "diligence": 20, "ability": 30, "results": 30}


def four_virtues(draft: Draft) -> None:
    """Three staff groups of any size; equal scores; awards beyond 10; scores on both sides of
    100.
    """
    pick = draft.pick
    groups = pick.of(
        (("frontline",), ("frontline", None), ("frontline", "office", "management", None))
    )

    def attributes() -> dict[str, str]:
        group = pick.of(groups)
        return {} if group is None else {"staff_group": group}

    draft.staff(attributes)
    for member in draft.everyone:
        part = pick.of(("1", "0.5", "0.9", "mixed", "mixed"))
        for source in ("check", "monthly", "year_end"):
            for virtue, full in VIRTUES.items():
                if part == "mixed":
                    draft.rate(
                        member, f"{source}.{virtue}", lambda full=full: pick.number(0, full, 2)
                    )
                else:
                    draft.about(
                        member,
                        "rating",
                        f"{source}.{virtue}",
                        score=plain(Decimal(full) * Decimal(part)),
                    )
        for _ in range(pick.of((0, 0, 0, 1, 2))):
            draft.about(member, "rating", "award", score=pick.of(("1", "10", "5")))


# Section 12

THRESHOLDS = ("90", "80", "70", "89.999999", "79.999999", "69.999999", "0", "100")


def bonus(draft: Draft) -> None:
    """Indicators rated by three levels; totals on each threshold and just below."""
    pick = draft.pick
    draft.staff()
    for member in draft.everyone:
        flat = pick.of(THRESHOLDS) if pick.chance(2) else None
        score = (lambda flat=flat: flat) if flat else (lambda: pick.number(55, 100, 2))
        for item in ("results", "ability", "attitude"):
            rate_levels(draft, member, item, ("company", "self", "customer"), score)
