"""Branches for the other monthly schemes: every table's rows, and values on and beside every
edge.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tests.generation.draft import Draft, Member
from tests.generation.pick import Pick, plain

YUAN = ("-132.547", "77.705", "0.005", "-0.005", "20000", "-100000")
PERCENT_SCORES = ("80", "60", "100", "0", "79.99", "66.67", "33.333333", "90")


def percent(pick: Pick) -> Callable[[], str]:
    """A rating 0–100, often one of a few."""
    return lambda: pick.of(PERCENT_SCORES) if pick.chance(2) else pick.number(0, 100, 2)


def mark(pick: Pick, low: int, high: int) -> str:
    """A mark within its range, often at an end of it."""
    return pick.of((str(high), str(low), pick.number(low, high, 2), pick.number(low, high, 6)))


# Section 2

BASE = {
    "target_groups": 18,
    "new_groups": 6,
    "win_back": 4,
    "secretary_lines": 15,
    "million_plan": 6,
}
BASE |= {"effective_groups": 18, "wireless_phones": 13, "department_base": 20}
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
}
PLUS_MINUS |= {"group_satisfaction": (-10, 10), "it_revenue": (-10, 10)}


def piece_rate(draft: Draft) -> None:
    """A pool by points: equal people, people without points, nobody with points."""
    pick = draft.pick
    draft.staff(
        roles=("customer_manager", "area_manager", "township_head"), other_roles=("back_office",)
    )
    draft.minimum_wage()
    draft.of_branch(
        "quota_pool", pick.of(("100000", "99999.99", "0.07", "0", "33333.3", "7654321.98"))
    )
    for team in (*draft.teams, "T-empty", "T-other"):  # the last two have nobody of the three roles
        draft.of_team(
            team, "unit_completion", pick.of(("1", "0.9678", "1.25", "0.333333", "0", "2.000001"))
        )
    if not pick.chance(4):  # else several may come to 0, which refuses
        draft.of_team(draft.teams[0], "unit_completion", "0.87")
    styles = ("nobody",) if pick.chance(10) else ("full", "mixed", "mixed", "mixed", "idle", "loss")
    for member in draft.everyone:
        piece_rate_marks(draft, member, pick.of(styles))
        if not pick.chance(4):
            draft.of_manager(member, "fixed_pay", pick.of(("1500", "2237.79", "0.005", "0")))
        draft.adjust(member, YUAN)


def piece_rate_marks(draft: Draft, member: Member, style: str) -> None:
    """Full marks (so that people tie), mixed ones, none at all, or nothing but minus points."""
    pick, counts = draft.pick, (1,) if style == "full" else (1, 1, 1, 1, 0, 2, 3)
    for item, full in {**BASE, **PROCESS}.items() if style in {"full", "mixed"} else ():
        draft.rate(
            member,
            item,
            lambda full=full: str(full) if style == "full" else mark(pick, 0, full),
            counts,
        )
    for item, (low, high) in PLUS_MINUS.items() if style in {"loss", "mixed"} else ():
        draft.rate(
            member,
            item,
            lambda low=low, high=high: str(low) if style == "loss" else mark(pick, low, high),
        )


SUPPORT_ITEMS = (
    *("unit_volume", "timeliness", "department_rating", "audit_volume", "micro_area_result"),
    *("access_on_time", "activation_on_time", "service_satisfaction"),
    *("complaint_on_time", "user_satisfaction", "repeat_fault_free"),
)


def support_binding(draft: Draft) -> None:
    """All five roles, rated on everything, so that the role decides what counts."""
    roles = (
        "unit_support",
        "general_support",
        "engineering_support",
        "network_support",
        "service_hall",
    )
    draft.staff(roles=roles, other_roles=("customer_manager",))
    for member in draft.everyone:
        flat = draft.pick.of(PERCENT_SCORES) if draft.pick.chance(3) else None
        for item in SUPPORT_ITEMS:
            draft.rate(member, item, (lambda flat=flat: flat) if flat else percent(draft.pick))


# Section 3

UNIT_PRICES = (
    "dedicated_line",
    "group_vpn",
    "enterprise_sms",
    "iot_card",
    "cloud_host",
    "video_monitor",
)
ALLOWANCES = ("seniority", "housing", "hardship", "meals", "heat", "heating", "transport")


def quantified_pay(draft: Draft) -> None:
    """Seniors with and without peers, sales in arrears, incentives on both sides of the caps, tied
    scores.
    """
    pick = draft.pick
    draft.staff(attributes=lambda: {"level": pick.of(("junior", "intermediate", "senior"))})
    draft.minimum_wage()
    draft.of_branch("post3_wage", pick.of(("1869.23", "2000", "0.01")))
    for member in draft.everyone:
        draft.rate(member, "performance_score", lambda: pick.of(("70", "80", "90", "70.5")))
        draft.of_manager(
            member, "position_wage", pick.of(("2207.2", "5000", "560", "4188.711", "1234.567891"))
        )
        if not pick.chance(4):
            draft.of_manager(member, "standard_bonus", pick.of(("924.5", "0", "1500.333333")))
        for kind in ALLOWANCES:
            if pick.chance(3):
                draft.of_manager(member, f"allowance.{kind}", pick.number(0, 400))
        for _ in range(pick.integer(0, 4)):
            arrears = pick.of(({}, {"in_arrears": False}, {"in_arrears": True}))
            quantity = pick.of(("1", "10", "0.5", "33.333333", "66", "0", "26.666666"))
            draft.about(member, "sale", pick.of(UNIT_PRICES), quantity=quantity, attributes=arrears)
        draft.adjust(member, YUAN)


# Section 4


def call_centre(draft: Draft) -> None:
    """Score, quality and workload on and beside each bar; own and branch's measures; both kinds of
    veto.
    """
    pick = draft.pick
    draft.staff(
        attributes=lambda: {"post": pick.of(("trainee", "agent", "senior_agent", "expert"))}
    )
    draft.minimum_wage()
    for item, value in {
        "basic_workload": "2000",
        "target_workload": "2600",
        "base_wage": "1650",
    }.items():
        draft.of_branch(item, value)
    if pick.chance(2):
        draft.of_branch("cost_coefficient", pick.of(("1.04", "0.333333", "0", "1")))
    if pick.chance(2):
        draft.of_branch("service_full_mark", "50")
    for team in draft.teams:
        if pick.chance(4):
            draft.of_team(team, "veto", pick.of(("1", "0", "0.000001")))
    for member in draft.everyone:
        agent(draft, member)


def agent(draft: Draft, member: Member) -> None:
    """What is known about one of the centre's people."""
    pick = draft.pick
    excellent = pick.chance(3)  # around grade A
    scores = (
        ("90", "89.999999", "95.55")
        if excellent
        else ("80", "90", "59.999999", "60", "79.999999", "89.999999")
    )
    qualities = ("40",) if excellent else ("30", "24", "23.999999", "29.999999", "40", "0")
    workloads = (
        ("2600",),
        ("2600.5",),
        ("3120",),
        ("3119", "0.999999"),
        ("2000",),
        ("1999.9",),
        (),
    )
    draft.rate(member, "score", lambda: pick.of(scores))
    draft.rate(member, "service_quality", lambda: pick.of(qualities))
    for item, value in {
        "basic_workload": "2500.5",
        "target_workload": "3000",
        "base_wage": "4321.015",
    }.items():
        if pick.chance(5):
            draft.of_manager(member, item, value)
    for quantity in pick.of(workloads[2:4] if excellent else workloads):
        draft.about(member, "sale", "effective_workload", quantity=quantity)
    if pick.chance(12):
        draft.about(member, "deduction", "veto", points=pick.of(("0", "10")))
    draft.adjust(member, YUAN)


# Section 5, by the month


def graded_wage(draft: Draft) -> None:
    """All four levels; rewards at both bounds; penalties beyond the wage; overtime beside the
    minimum wage.
    """
    pick = draft.pick
    draft.staff(attributes=lambda: {"level": pick.of(("1", "2", "3", "4"))})
    draft.minimum_wage()
    for member in draft.everyone:
        for item, values in {
            "performance_wage": ("401.6", "2236.725", "0"),
            "overtime_pay": ("423.59", "0.005"),
        }.items():
            if not pick.chance(3):
                draft.of_manager(member, item, pick.of(values))
        for _ in range(pick.of((0, 0, 1, 2))):
            amount = pick.of(("100", "2000", "100.01", "1999.999999"))
            draft.about(member, "adjustment", "reward", amount=amount, reason="省级嘉奖")
        for _ in range(pick.of((0, 0, 0, 1, 2))):
            draft.about(
                member, "deduction", "violation", points=pick.of(("70.35", "5000", "0.005"))
            )
        draft.adjust(member, YUAN)


# Section 6, by the month


def plan_appraisal(draft: Draft) -> None:
    """Every grade; goals and attitude, sometimes missing."""
    draft.staff()
    for member in draft.everyone:
        for item in ("goal", "attitude"):
            draft.rate(member, item, percent(draft.pick))


# Section 9

HOURS = ("resolution_hours", "complaint_hours")
SERVICE_KPIS = (
    *("satisfaction", "service_level", "callback_rate", "collaboration", "resolution_rate"),
    *("team_management", "sales", "quality_review", "personal_growth", "retention_rate"),
)


def service_kpi(draft: Draft) -> None:
    """Some of the KPIs for each; actuals missing, 0, on target, far beyond; means around 100 and
    110.
    """
    pick = draft.pick
    draft.staff()
    for member in draft.everyone:
        style = pick.of(("mixed", "mixed", "met", "exceeded"))
        first = pick.of((*SERVICE_KPIS, *HOURS))
        for kpi in (*SERVICE_KPIS, *HOURS):
            if kpi == first or pick.chance(2):
                service_item(draft, member, kpi, style)


def service_item(draft: Draft, member: Member, kpi: str, style: str) -> None:
    """One KPI: exactly 100 or 110 where the style says so, and anything otherwise."""
    pick, target = draft.pick, Decimal(draft.pick.of(("3", "110", "94.5", "0.000007", "700000")))
    draft.of_manager(member, f"target.{kpi}", plain(target))
    if style == "exceeded" and kpi not in HOURS:
        actual = plain((target * Decimal("1.1")).quantize(Decimal("0.000001")))
    elif style != "mixed":
        actual = plain(target)
    else:
        actual = pick.of((None, "0", plain(target), "1", "77.777777", "1000000", "104.06"))
    if actual is not None:
        draft.of_manager(member, f"actual.{kpi}", actual)


# Section 11


def commission(draft: Draft) -> None:
    """Sales by amount, also negative ones and products without a rate; scores whose hundredth part
    must be rounded.
    """
    pick = draft.pick
    draft.staff()
    draft.minimum_wage()
    for member in draft.everyone:
        draft.of_manager(member, "base_wage", pick.of(("1853.63", "3079.75", "0", "2438.715")))
        for item in (
            "bonus_base",
            "allowance.transport",
            "allowance.meals",
            "allowance.communication",
        ):
            if not pick.chance(4):
                draft.of_manager(member, item, pick.number(0, 2000))
        for item in ("results", "ability", "attitude"):
            draft.rate(member, item, percent(pick))
        for _ in range(pick.integer(0, 4)):
            amount = pick.of(
                (
                    "9785.1",
                    "17643.84",
                    "-500.55",
                    "0",
                    "999999999999.999999",
                    "0.000001",
                    "12968.42",
                )
            )
            draft.about(
                member,
                "sale",
                pick.of(("voice", "data", "solution", "cloud")),
                quantity="1",
                amount=amount,
            )
        if pick.chance(5):
            draft.about(member, "sale", "handset", quantity="2")
        draft.adjust(member, YUAN)


# Section 13

INDICATOR_LEAVES = (
    *(
        "customer_relations",
        "attitude",
        "response",
        "problem_solving",
        "market_analysis",
        "new_customers",
    ),
    *("target_completion", "teamwork", "efficiency"),
)
SCORECARD_LEAVES = ("finance", "customer", "process", "learning")


def indicator_tree(draft: Draft) -> None:
    """All leaves, sometimes missing."""
    rate_leaves(draft, INDICATOR_LEAVES)


def balanced_scorecard(draft: Draft) -> None:
    """All leaves, sometimes missing."""
    rate_leaves(draft, SCORECARD_LEAVES)


def rate_leaves(draft: Draft, leaves: tuple[str, ...]) -> None:
    """Ratings for everyone."""
    draft.staff()
    for member in draft.everyone:
        for leaf in leaves:
            draft.rate(member, leaf, percent(draft.pick))
