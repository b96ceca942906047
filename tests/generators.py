"""Made-up branches for every rulebook, rich in edges: from a seed, or drawn (and shrunk) by
hypothesis.

`random_branch` gives the same branch for the same rulebook, size and seed on any machine.
`branches` is a strategy of the same branches. Entries are valid, in ledger order; everybody's first
assignment comes before all else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.generation import longer, monthly
from tests.generation.defects import spoil
from tests.generation.draft import BRANCH, Draft, Entry
from tests.generation.elastic import elastic_pay
from tests.generation.pick import Pick

MONTH, QUARTER, YEAR = "2026-10", "2026-Q3", "2025"

SCHEMES: dict[str, tuple[str, Callable[[Draft], None]]] = {
    "elastic-pay": (MONTH, elastic_pay),
    "elastic-pay-year": (YEAR, longer.elastic_pay_year),
    "piece-rate": (MONTH, monthly.piece_rate),
    "support-binding": (MONTH, monthly.support_binding),
    "quantified-pay": (MONTH, monthly.quantified_pay),
    "call-centre": (MONTH, monthly.call_centre),
    "graded-management": (YEAR, longer.graded_management),
    "graded-wage": (MONTH, monthly.graded_wage),
    "plan-appraisal": (MONTH, monthly.plan_appraisal),
    "plan-appraisal-year": (YEAR, longer.plan_appraisal_year),
    "pay-structure": (YEAR, longer.pay_structure),
    "third-tier-review": (YEAR, longer.third_tier_review),
    "service-kpi": (MONTH, monthly.service_kpi),
    "four-virtues": (YEAR, longer.four_virtues),
    "commission": (MONTH, monthly.commission),
    "quarterly-bonus": (QUARTER, longer.bonus),
    "quarterly-bonus-year": (YEAR, longer.bonus),
    "indicator-tree": (MONTH, monthly.indicator_tree),
    "balanced-scorecard": (MONTH, monthly.balanced_scorecard),
}


@dataclass(frozen=True)
class Branch:
    """One branch's period as a ledger; `members` are the ids of the rulebook's population, in
    order.

    `refusals` are codes that an evaluation must be refused with, at least; empty unless they were
    asked for.
    """

    rulebook: str
    period: str
    branch: str
    entries: list[Entry]
    members: list[str]
    settled: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refusals: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Short: a failing example prints what it is, and the entries are printed by whoever needs
        them.
        """
        return f"Branch({self.rulebook!r}, {self.period!r}, {len(self.members)} people, {len(self.entries)} entries)"


def random_branch(rulebook: str, size: int, seed: int, *, refused: bool = False) -> Branch:
    """A branch with so many people in the rulebook's population, and some bystanders; `refused`
    spoils it.
    """
    return make(Pick.seeded(f"{rulebook}/{size}/{seed}"), rulebook, size, refused=refused)


@st.composite
def branches(
    draw: Any, rulebook: str = "elastic-pay", max_size: int = 40, *, refused: bool = False
) -> Branch:
    """Branches of 1 to `max_size` people."""
    pick = Pick(lambda low, high: draw(st.integers(low, high)))
    return make(pick, rulebook, pick.integer(1, max_size), refused=refused)


def make(pick: Pick, rulebook: str, size: int, *, refused: bool) -> Branch:
    """Draft it, spoil it if asked to, finish it."""
    period, scheme = SCHEMES[rulebook]
    draft = Draft(pick, period, size)
    scheme(draft)
    refusals = spoil(draft, rulebook) if refused else frozenset()
    entries = draft.finish(tidy=not pick.chance(2))
    members = sorted(member.manager for member in draft.members)
    return Branch(rulebook, period, BRANCH, entries, members, draft.settled, refusals)
