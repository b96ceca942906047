"""差额归因: what of a difference comes from the rules, from a person's own entries, from reversals,
from others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.errors import Text
from domain.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.errors import Finding
    from projections.evaluation.branches import BranchEvaluation
    from projections.replay.comparison import Baseline, Difference

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
PARTS = ("rule", "entries", "reversals", "others")


@dataclass(frozen=True)
class Causes:
    """The parts of one person's difference; `interaction` stands beside them, None where it cannot
    be told.
    """

    rule: Decimal
    entries: Decimal
    reversals: Decimal
    others: Decimal
    interaction: Decimal | None

    def as_json(self) -> dict[str, str | None]:
        """The parts as plain decimals."""
        return {part: plain(getattr(self, part)) for part in PARTS} | {
            "interaction": None if self.interaction is None else plain(self.interaction)
        }


class Compared(NamedTuple):
    """A branch on both sides, and who differs."""

    evaluation: BranchEvaluation
    baseline: Baseline
    differences: Sequence[Difference]


class Unparted(NamedTuple):
    """Where the way from one side to the other leads over something refused: of whom (None: of
    all), and why.
    """

    period: str
    branch: str
    rulebook: str
    manager: str | None
    part: str  # that cannot be told: one of PARTS, interaction, or baseline: nothing was settled
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The reason as data."""
        return self._asdict() | {"findings": [finding.as_json() for finding in self.findings]}


@dataclass
class Parting:
    """What was found, by branch and manager."""

    causes: dict[tuple[str, str], Causes] = field(default_factory=dict)
    why: dict[tuple[str, str], Text] = field(default_factory=dict)
    unparted: list[Unparted] = field(default_factory=list)


def totals(causes: Iterable[Causes]) -> dict[str, Any]:
    """The parts of everyone together, and how they were taken."""
    listed = list(causes)
    sums = {part: plain(sum((getattr(c, part) for c in listed), Decimal(0))) for part in PARTS}
    known = [c.interaction for c in listed if c.interaction is not None]
    interaction = plain(sum(known, Decimal(0))) if len(known) == len(listed) else None
    return sums | {
        "interaction": interaction,
        "attribution": {"zh": ATTRIBUTION.zh, "en": ATTRIBUTION.en},
    }
