"""差额归因: what of a difference comes from the rules, from a person's own entries, from reversals
of them, and from other people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from domain.errors import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.errors import Finding

ATTRIBUTION = Text(
    "依次计入：先换规则，再计本人（及所在分公司、班组指标）新增的记录，再计本人记录的冲销，"
    "最后计其他人；各项之和等于差额。"
    "规则与记录共同造成的部分归入后计入的一项；「交互」是若把规则放在最后计入，规则一项会多出的数，"
    "只供参考，不计入合计。",
    "Taken in this order: the new rules, then the person's own entries since (and measures of "
    "their branch and teams), "
    "then reversals of their own entries, then other people; the parts add up to the difference. "
    "What rules and facts "
    "do only together falls to the part taken later; `interaction` is what the rules' part would "
    "be more if it were "
    "taken last: it stands beside the parts and is not added.",
)


@dataclass(frozen=True, slots=True)
class Causes:
    """The parts of one person's difference, which add up to it.

    `interaction` stands beside them. It is None where an evaluation that it needs is refused.
    """

    rule: Decimal
    entries: Decimal
    reversals: Decimal
    others: Decimal
    interaction: Decimal | None


@dataclass(frozen=True, slots=True)
class Unattributed:
    """A difference whose causes are unknown, because an evaluation between the sides is refused."""

    period: str
    branch: str
    rulebook: str
    manager: str | None  # None: everyone of the branch
    part: str  # a part of Causes, or `baseline`: nothing was settled to compare with
    findings: tuple[Finding, ...]


@dataclass
class Attributed:
    """Causes, and reasons why others moved somebody, by (branch, manager); and what has no
    causes.
    """

    causes: dict[tuple[str, str], Causes] = field(default_factory=dict)
    reasons: dict[tuple[str, str], Text] = field(default_factory=dict)
    unattributed: list[Unattributed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TotalCauses:
    """The sums over everyone whose causes are known; `attribution` says how they were taken.

    `interaction` is None where one person's is.
    """

    rule: Decimal
    entries: Decimal
    reversals: Decimal
    others: Decimal
    interaction: Decimal | None
    attribution: Text
    unparted: Sequence[Unattributed]  # the public format's word


def add_up_causes(causes: Iterable[Causes], unattributed: Sequence[Unattributed]) -> TotalCauses:
    """The causes of everyone together."""
    zero = Decimal(0)
    listed = list(causes)
    interactions = [each.interaction for each in listed if each.interaction is not None]
    return TotalCauses(
        rule=sum((each.rule for each in listed), zero),
        entries=sum((each.entries for each in listed), zero),
        reversals=sum((each.reversals for each in listed), zero),
        others=sum((each.others for each in listed), zero),
        interaction=sum(interactions, zero) if len(interactions) == len(listed) else None,
        attribution=ATTRIBUTION,
        unparted=unattributed,
    )
