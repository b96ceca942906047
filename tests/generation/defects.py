"""What refuses an evaluation: one way of spoiling a branch for each code that its scheme can
give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.generation import longer, monthly
from tests.generation.draft import Draft
from tests.generation.elastic import DIMENSIONS
from tests.generation.pick import plain

Spoil = Callable[[Draft], None]
Defect = tuple[str, Spoil]  # the code to expect, and what makes it
JUST = Decimal("0.000001")


def without_measure(item: str, *, of_everyone: bool = True) -> Defect:
    """Nobody has the measure, or one person has not."""

    def spoil(draft: Draft) -> None:
        owner = None if of_everyone else draft.pick.of(draft.members).manager
        draft.entries = [
            e
            for e in draft.entries
            if not (
                e["kind"] == "measure"
                and e["item"] == item
                and (owner is None or e.get("manager") == owner)
            )
        ]

    return "missing_measure", spoil


def without_targets() -> Defect:
    """One person without any target."""

    def spoil(draft: Draft) -> None:
        owner = draft.pick.of(draft.members).manager
        draft.entries = [
            e
            for e in draft.entries
            if e.get("manager") != owner or not str(e.get("item")).startswith("target.")
        ]

    return "missing_measure", spoil


def without_unit_completion() -> Defect:
    """One team that has people of the three roles lacks its measure."""

    def spoil(draft: Draft) -> None:
        team = draft.pick.of(draft.members).team
        draft.entries = [
            e for e in draft.entries if e["kind"] != "measure" or e.get("team") != team
        ]

    return "missing_measure", spoil


def zero_completion() -> Defect:
    """All teams at 0."""

    def spoil(draft: Draft) -> None:
        for entry in draft.entries:
            if entry.get("item") == "unit_completion":
                entry["value"] = "0"

    return "division_by_zero", spoil


def without_attribute(name: str) -> Defect:
    """One person lacks an attribute."""

    def spoil(draft: Draft) -> None:
        draft.pick.of(draft.members).attributes.pop(name, None)

    return "missing_attribute", spoil


def with_attribute(name: str, value: str, code: str = "unknown_key") -> Defect:
    """One person has a value that no table has."""

    def spoil(draft: Draft) -> None:
        draft.pick.of(draft.members).attributes[name] = value

    return code, spoil


def unknown_grade() -> Defect:
    """One person has a grade that the table does not have."""

    def spoil(draft: Draft) -> None:
        draft.pick.of(draft.members).assignment["grade"] = draft.pick.of((3, 9))

    return "unknown_key", spoil


def marked_outside(bounds: Mapping[str, tuple[int, int]], **fields: str) -> Defect:
    """One person has a rating of some item just outside its bounds, which the mean may hide."""

    def spoil(draft: Draft) -> None:
        item = draft.pick.of(tuple(bounds))
        low, high = bounds[item]
        score = draft.pick.of((high + JUST, low - JUST, Decimal(high + 1), Decimal(low - 1)))
        draft.about(draft.pick.of(draft.members), "rating", item, score=plain(score), **fields)

    return "out_of_bounds", spoil


def percent(*items: str) -> Defect:
    """The same for ratings 0–100."""
    return marked_outside(dict.fromkeys(items, (0, 100)))


def outside_in_role() -> Defect:
    """The same for `support-binding`, in an item that the score of the person's own role reads."""
    read = {"engineering_support": "access_on_time", "network_support": "repeat_fault_free"}
    read |= {"service_hall": "micro_area_result"}

    def spoil(draft: Draft) -> None:
        member = draft.pick.of(draft.members)
        score = draft.pick.of(("100.000001", "-0.000001"))
        draft.about(member, "rating", read.get(member.role, "department_rating"), score=score)

    return "out_of_bounds", spoil


def points_adjusted() -> Defect:
    """One person has an adjustment in points."""

    def spoil(draft: Draft) -> None:
        member = draft.pick.of(draft.members)
        draft.about(
            member,
            "adjustment",
            "adjustment",
            points=draft.pick.of(("5", "-5", "0")),
            reason="复核",
        )

    return "points_not_read", spoil


def rewarded() -> Defect:
    """A reward below or above its bounds."""

    def spoil(draft: Draft) -> None:
        amount = draft.pick.of(("99.99", "2000.01", "-100"))
        draft.about(
            draft.pick.of(draft.members), "adjustment", "reward", amount=amount, reason="嘉奖"
        )

    return "out_of_bounds", spoil


def gs_adjusted_too_far() -> Defect:
    """One person's industry has a coefficient beyond ±80%."""

    def spoil(draft: Draft) -> None:
        draft.pick.of(draft.members).attributes["industry"] = "mining"
        draft.of_branch("gs_adjustment.mining", draft.pick.of(("0.800001", "-0.800001", "5")))

    return "out_of_bounds", spoil


def partly_ranked() -> Defect:
    """A final rank for the first half: a branch of one cannot be spoiled like this."""

    def spoil(draft: Draft) -> None:
        draft.entries = [e for e in draft.entries if e.get("item") != "final_rank"]
        for member in draft.members[: max(1, len(draft.members) // 2)]:
            draft.about(member, "rating", "final_rank", score="1")

    return "partial_ranking", spoil


def pool_of_fractions() -> Defect:
    """A pool with a tenth of a cent."""

    def spoil(draft: Draft) -> None:
        draft.of_branch("quota_pool", "100.001")

    return "fractional_cents", spoil


def unpaid_sale() -> Defect:
    """A sale that is paid by its amount has none."""

    def spoil(draft: Draft) -> None:
        draft.about(draft.pick.of(draft.members), "sale", "cloud", quantity="3")

    return "missing_amount", spoil


def measured(item: str, value: str, code: str) -> Defect:
    """One person has a measure that the scheme cannot take."""

    def spoil(draft: Draft) -> None:
        member = draft.pick.of(draft.members)
        draft.add("measure", manager=member.manager, month=draft.months[-1], item=item, value=value)

    return code, spoil


NO_FLOOR = without_measure("minimum_wage")

VIRTUES = {
    f"{source}.{v}": (0, full)
    for source in ("check", "monthly", "year_end")
    for v, full in longer.VIRTUES.items()
}

DEFECTS: dict[str, tuple[Defect, ...]] = {
    "elastic-pay": (
        NO_FLOOR,
        unknown_grade(),
        gs_adjusted_too_far(),
        partly_ranked(),
        percent(*DIMENSIONS),
    ),
    "elastic-pay-year": (marked_outside({"annual_grade": (1, 5)}),),
    "piece-rate": (
        *(
            NO_FLOOR,
            without_measure("quota_pool"),
            without_unit_completion(),
            zero_completion(),
            pool_of_fractions(),
        ),
        marked_outside(
            {item: (0, full) for item, full in {**monthly.BASE, **monthly.PROCESS}.items()}
        ),
        *(marked_outside(monthly.PLUS_MINUS), points_adjusted()),
    ),
    "support-binding": (outside_in_role(),),
    "quantified-pay": (
        *(
            NO_FLOOR,
            without_measure("post3_wage"),
            without_measure("position_wage", of_everyone=False),
        ),
        *(without_attribute("level"), with_attribute("level", "chief"), points_adjusted()),
    ),
    "call-centre": (
        *(
            NO_FLOOR,
            *(without_measure(item) for item in ("basic_workload", "target_workload", "base_wage")),
        ),
        *(
            without_attribute("post"),
            with_attribute("post", "chief"),
            marked_outside({"service_quality": (0, 50)}),
        ),
        points_adjusted(),
    ),
    "graded-management": (
        *(
            without_attribute("education"),
            without_attribute("entered_post"),
            with_attribute("education", "primary"),
        ),
        with_attribute("entered_post", "last spring", "bad_attribute"),
    ),
    "graded-wage": (
        NO_FLOOR,
        without_attribute("level"),
        with_attribute("level", "5"),
        rewarded(),
        points_adjusted(),
    ),
    "plan-appraisal": (percent("goal", "attitude"),),
    "plan-appraisal-year": (
        *(
            without_measure(f"{name}.customers", of_everyone=False)
            for name in ("target", "challenge", "actual")
        ),
        *(
            measured("target.revenue", "0", "not_positive"),
            measured("target.service", "-1", "not_positive"),
        ),
        *(
            measured("challenge.service", "-5", "out_of_bounds"),
            marked_outside({"project": (1, 5), "team": (1, 5)}),
        ),
    ),
    "pay-structure": (unknown_grade(),),
    "third-tier-review": (
        percent(*longer.ASPECTS),
        marked_outside({"democratic_review": (0, 100)}, rater_level="peer"),
    ),
    "service-kpi": (
        *(without_targets(), measured("target.sales", "0", "not_positive")),
        measured("target.satisfaction", "-1", "not_positive"),
    ),
    "four-virtues": (
        *(
            marked_outside(VIRTUES),
            marked_outside({"award": (1, 10)}),
            with_attribute("staff_group", "board"),
        ),
    ),
    "commission": (
        *(
            NO_FLOOR,
            without_measure("base_wage", of_everyone=False),
            unpaid_sale(),
            points_adjusted(),
        ),
        percent("results", "ability", "attitude"),
    ),
    "quarterly-bonus": (),  # nothing that it reads can be refused
    "quarterly-bonus-year": (),
    "indicator-tree": (percent(*monthly.INDICATOR_LEAVES),),
    "balanced-scorecard": (percent(*monthly.SCORECARD_LEAVES),),
}


def spoil(draft: Draft, rulebook: str) -> frozenset[str]:
    """Spoil a draft in one way, sometimes in a second that leaves the first alone; the codes that
    must come of it.
    """
    known = [
        defect
        for defect in DEFECTS[rulebook]
        if defect[0] != "partial_ranking" or len(draft.members) > 1
    ]
    beside = [defect for defect in known if defect[0] in {"out_of_bounds", "points_not_read"}]
    chosen = [draft.pick.of(known)] if known else []
    if beside and draft.pick.chance(2):
        chosen.append(draft.pick.of(beside))
    for _, make in chosen:
        make(draft)
    return frozenset(code for code, _ in chosen)
