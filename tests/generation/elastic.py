"""A branch-month for `elastic-pay`: ties, people barred for each reason, teams around 60% of
target, every cap.
"""

from __future__ import annotations

from decimal import Decimal

from tests.generation.draft import ELSEWHERE, Draft, Member
from tests.generation.pick import plain

KPI = ("group_count", "group_members", "adc_groups", "mas_groups")
PRODUCTS = (
    *(
        "effective_customers",
        "global_pass",
        "smart_network",
        "key_products",
        "premium_groups",
        "quality_groups",
    ),
    *(
        "campus_link",
        "smart_card",
        "education_projects",
        "transport_terminals",
        "transport_projects",
    ),
    *("rural_link", "rural_products", "rural_projects", "other_industry"),
)
DIMENSIONS = ("customer_orientation", "initiative", "teamwork", "ability")
INDUSTRIES = ("education", "transport", "rural", "finance")
COEFFICIENTS = ("0.8", "-0.8", "0.25", "-0.333333", "0")
SCORES = ("80", "60", "79.5", "80.000001", "100", "0", "90", "66.67")
QUANTITIES = ("1", "0", "3", "0.5", "40", "17.9", "0.000001", "123.456789", "1250", "99999.999999")
BASE_POINTS = {4: 655, 5: 800, 6: 1025, 7: 1150, 8: 1275}
COMPLETIONS = ("0.6", "0.599999", "0.5999995", "0.5999994", "0.600001", "0.3", "0.59", "1.2")
POINTS = ("-26.8", "100", "0.000001", "-5000")
YUAN = ("-132.547", "77.705", "0.005", "-0.005", "20000", "-100000")


def elastic_pay(draft: Draft) -> None:
    """Everything the scheme reads, and things it must not read."""
    pick = draft.pick
    draft.staff(
        attributes=lambda: pick.of(({}, *({"industry": industry} for industry in INDUSTRIES))),
        other_roles=("team_leader", "back_office"),
    )
    draft.minimum_wage()
    for industry in INDUSTRIES:
        if pick.chance(2):
            draft.of_branch(f"gs_adjustment.{industry}", pick.of(COEFFICIENTS))
    for member in draft.everyone:
        deductions(draft, member)
        ratings(draft, member)
        sales(draft, member)
        draft.adjust(member, YUAN, POINTS)
    final_ranks(draft)
    for team in (*draft.teams, "T-empty"):
        targets(draft, team)
    if pick.chance(2):  # another branch's team of the same name
        draft.of_team(draft.teams[0], "target.group_count", "1000000", branch=ELSEWHERE)


def deductions(draft: Draft, member: Member) -> None:
    """Around 300, the cap and the base, in one entry or two; an accountability entry; an item that
    is not listed.
    """
    pick, base = draft.pick, Decimal(BASE_POINTS[member.grade])
    just = Decimal("0.000001")
    total = pick.of(
        (
            *(Decimal(0), Decimal(0), Decimal(300), 300 + just, 300 - just, Decimal("73.2")),
            *(
                Decimal(1000),
                Decimal("1000.5"),
                1000 - just,
                base,
                base + just,
                base - just,
                base + 500,
            ),
        )
    )
    first = min(total, Decimal(pick.number(0, 300, 1)))
    for item, points in (("member_retention", first), ("bundling_rate", total - first)):
        if points:
            draft.about(member, "deduction", item, points=plain(points))
    if pick.chance(8):
        draft.about(member, "deduction", "arrears_recovery", points=pick.of(("0", "0.000001", "5")))
    if pick.chance(10):
        draft.about(member, "deduction", "provincial_accountability", points=pick.of(("0", "400")))
    if pick.chance(10):
        draft.about(member, "deduction", "late_report", points="350")


def ratings(draft: Draft, member: Member) -> None:
    """Often the same score in all dimensions, so that many tie; sometimes gaps, sometimes several
    raters.
    """
    pick, style = draft.pick, draft.pick.of(("flat", "flat", "mixed", "gaps", "raters", "none"))
    flat = pick.of(SCORES)
    for dimension in DIMENSIONS if style != "none" else ():
        raters = (
            3
            if style == "raters" and pick.chance(2)
            else 0
            if style == "gaps" and pick.chance(3)
            else 1
        )
        for rater in range(raters):
            score = flat if style == "flat" else pick.of(SCORES)
            draft.about(member, "rating", dimension, score=score, rater=f"L{rater}")
    if pick.chance(4):
        draft.about(member, "rating", "team_rank", score=pick.number(1, 9, 0))


def sales(draft: Draft, member: Member) -> None:
    """A few products in a few sales, now and then a quantity as large as an entry may carry."""
    pick = draft.pick
    for _ in range(pick.integer(0, 3)):
        draft.about(member, "sale", pick.of(KPI), quantity=pick.of(QUANTITIES))
    for _ in range(pick.integer(0, 4)):
        draft.about(member, "sale", pick.of(PRODUCTS), quantity=pick.of(QUANTITIES))
    if pick.chance(30):
        draft.about(member, "sale", pick.of((*KPI, *PRODUCTS)), quantity="999999999999.999999")


def final_ranks(draft: Draft) -> None:
    """For nobody, or for everyone: a strict order, one with equal ranks, and corrected ranks."""
    pick, style = draft.pick, draft.pick.of(("none", "none", "strict", "coarse", "corrected"))
    if style == "none":
        return
    places = list(range(1, len(draft.members) + 1))
    pick.chaos().shuffle(places)
    for member, place in zip(draft.members, places, strict=True):
        if style == "corrected" and pick.chance(2):
            draft.about(member, "rating", "final_rank", score="1")
        draft.about(
            member,
            "rating",
            "final_rank",
            score=str((place + 2) // 3 if style == "coarse" else place),
        )


def targets(draft: Draft, team: str) -> None:
    """None, 0, easy, out of reach, or such that the team ends exactly at a completion around
    60%.
    """
    for item in KPI:
        style = draft.pick.of(("none", "exact", "exact", "zero", "easy", "far"))
        if style == "exact":
            exact_target(draft, team, item, Decimal(draft.pick.of(COMPLETIONS)))
        elif style != "none":
            value = {"zero": "0", "easy": "0.000001", "far": "999999999999"}[style]
            draft.of_team(team, f"target.{item}", value)


def exact_target(draft: Draft, team: str, item: str, completion: Decimal) -> None:
    """A power of ten as target, and one more sale that brings the team to the completion."""
    people = [member for member in draft.members if member.team == team]
    ids = {member.manager for member in people}
    sold = [
        e
        for e in draft.entries
        if e["kind"] == "sale" and e["item"] == item and e["manager"] in ids
    ]
    done = sum((Decimal(sale["quantity"]) for sale in sold), Decimal(0))
    target = next(
        (t for power in range(2, 12) if (t := Decimal(10) ** power) * completion >= done), None
    )
    draft.of_team(team, f"target.{item}", plain(target or Decimal(999999999999)))
    if target is not None and people:
        draft.about(draft.pick.of(people), "sale", item, quantity=plain(target * completion - done))
