"""重放: what acts on replays take and return, each shape with an example.

Answers may have 100,000 rows: they are written from the values of the comparison, and the shapes
`Replayed` and `Differences` say what they look like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import ConfigDict, Field

from api.documents.parts.base import (
    AT,
    DIGEST,
    EVALUATION,
    RULES,
    Both,
    Evaluation,
    Finding,
    IdText,
    KeyText,
    RulebookName,
    Shape,
    example,
)
from api.documents.parts.field_types import MomentText, PeriodText
from api.documents.parts.rows import EvaluationRows, Rows

if TYPE_CHECKING:
    from api.documents.parts.rows import MaySee
    from projections.replay import comparison as values
    from projections.replay.replay import Answer

MAX_SUPPOSED = 10_000  # entries added, and entries left out
RULEBOOK, VERSION = RULES["id"], "elastic-pay@3.0.0"


class Replay(Shape):
    """What is asked. `draft`: the YAML of a rulebook that is not published; `without`:
    SOURCE:SOURCE_ID.
    """

    model_config = ConfigDict(
        extra="forbid",
        **example(periods=["2026-10"], branches=["B01"], rulebook=VERSION, against="settled"),
    )
    periods: Annotated[list[PeriodText], Field(min_length=1, max_length=120)]
    branches: Annotated[list[IdText], Field(max_length=1000)] = Field(default_factory=list)
    rulebook: RulebookName | None = None
    draft: Annotated[str, Field(max_length=1_000_000)] | None = None
    against: RulebookName | None = Field(None, description="settled, paid, or ID[@VERSION]")
    as_of: Annotated[MomentText | None, Field(description="a ledger position, or an instant")] = (
        None
    )
    with_: Annotated[list[dict[str, object]], Field(alias="with", max_length=MAX_SUPPOSED)] = Field(
        default_factory=list
    )
    without: Annotated[list[KeyText], Field(max_length=MAX_SUPPOSED)] = Field(default_factory=list)


# The parts of a comparison


class Causes(Shape):
    """Where a difference comes from: rule + entries + reversals + others = difference; interaction
    stands beside them.
    """

    rule: str
    entries: str
    reversals: str
    others: str
    interaction: str | None


class Unattributed(Shape):
    """Whose causes are unknown (null: everyone's of the branch), because an evaluation that they
    need is refused.
    """

    period: str
    branch: str
    rulebook: str
    manager: str | None
    part: str = Field(description="a part of the causes, or baseline: nothing was settled")
    findings: list[Finding]


class TotalCauses(Causes):
    """The causes of everyone together, how they were taken, and whose are unknown."""

    attribution: Both
    unparted: list[Unattributed]


class ChangeCounts(Shape):
    """A sum of differences, and how many gain and lose."""

    difference: str
    gainers: int
    losers: int


class ComparisonTotals(ChangeCounts):
    """Sums of both sides, and how many were evaluated."""

    before: str
    after: str
    managers: int


class PeriodTotals(ComparisonTotals):
    """The totals of a period."""

    period: str


class BranchChange(ChangeCounts):
    """Of a branch, in a period under a rulebook."""

    period: str
    branch: str
    rulebook: str


class TeamChange(BranchChange):
    """Of a team, in a period under a rulebook."""

    team: str


class StepTotal(Shape):
    """What a step's differences come to, and for how many people it differs."""

    rulebook: str
    step: str
    unit: str
    difference: str
    people: int


class StepChange(Shape):
    """A step that differs; null: the person has no such figure on that side."""

    step: str
    before: str | None
    after: str | None


class Difference(StepChange):
    """One person's figures on both sides, where the difference comes from, and who overtook
    them.
    """

    manager: str
    branch: str
    team: str
    period: str
    rulebook: str
    difference: str
    causes: Causes | None
    why: Both | None
    steps: list[StepChange]


class RefusedBranch(Shape):
    """A branch whose evaluation is refused, so that it is not compared."""

    period: str
    branch: str
    rulebook: str


class Comparison(Shape):
    """Totals, the same by period, branch, team and step, and everyone who differs: the greatest
    difference first.
    """

    against: str
    totals: ComparisonTotals
    groups: list[BranchChange]
    teams: list[TeamChange]
    steps: list[StepTotal]
    series: list[PeriodTotals]
    causes: TotalCauses
    differences: list[Difference]
    refused: list[RefusedBranch]


CHANGE = {"difference": "-200", "gainers": 0, "losers": 1}
TOTALS = {"before": "4200", "after": "4000", **CHANGE, "managers": 2}
CAUSES = {"rule": "0", "entries": "0", "reversals": "0", "others": "-200", "interaction": "0"}
OF_BRANCH = {"period": "2026-10", "branch": "B01", "rulebook": RULEBOOK}
COMPARISON = {
    "against": "settled",
    "totals": TOTALS,
    "groups": [{**OF_BRANCH, **CHANGE}],
    "teams": [{**OF_BRANCH, "team": "T1", **CHANGE}],
    "steps": [
        {"rulebook": RULEBOOK, "step": "pay", "unit": "yuan", "difference": "-200", "people": 1}
    ],
    "series": [{"period": "2026-10", **TOTALS}],
    "causes": {
        **CAUSES,
        "attribution": {
            "zh": "依次计入：先换规则……",
            "en": "Taken in this order: the new rules, …",
        },
        "unparted": [],
    },
    "differences": [
        {
            **OF_BRANCH,
            "manager": "M0008",
            "team": "T1",
            "step": "pay",
            "before": "2025",
            "after": "1825",
            "difference": "-200",
            "causes": CAUSES,
            "why": {
                "zh": "「GS档次」由 2 降到 3：被 M0007 超过",
                "en": "“GS tier” falls from 2 to 3: displaced by M0007",
            },
            "steps": [{"step": "pay", "before": "2025", "after": "1825"}],
        }
    ],
    "refused": [],
}


class Replayed(Shape):
    """The evaluations, the comparison if one was asked for, and where the fact stands that this was
    run.
    """

    model_config = example(id=1091, position=1091, evaluations=[EVALUATION], comparison=COMPARISON)
    id: int
    position: int
    evaluations: list[Evaluation]
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class ReplayedRows(Rows):
    """The document that `Replayed` describes."""

    id: int
    position: int
    evaluations: list[EvaluationRows]
    comparison: values.Comparison | None

    @classmethod
    def of(cls, answer: Answer, may_see: MaySee | None = None) -> Self:
        """The document of an answer that is recorded, with the people whom a reader may see."""
        evaluations = [EvaluationRows(evaluation, may_see) for evaluation in answer.evaluations]
        comparison = people_shown(answer.comparison, may_see)
        return cls(answer.position, answer.position, evaluations, comparison)

    @property
    def is_refused(self) -> bool:
        """Whether any evaluation has findings."""
        return any(evaluation.findings for evaluation in self.evaluations)


class Differences(Shape):
    """The comparison of a replay."""

    model_config = example(id=1091, comparison=COMPARISON)
    id: int
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class DifferencesRows(Rows):
    """The document that `Differences` describes."""

    id: int
    comparison: values.Comparison | None


def people_shown(
    comparison: values.Comparison | None, may_see: MaySee | None
) -> values.Comparison | None:
    """A comparison with the people whom a reader may see; its sums are of all people."""
    if comparison is None or may_see is None:
        return comparison
    causes = comparison.causes
    if causes is not None:
        listed = [
            one
            for one in causes.unparted
            if one.manager is None or may_see(one.manager, one.period)
        ]
        causes = replace(causes, unparted=listed)
    shown = [row for row in comparison.differences if may_see(row.manager, row.period)]
    return replace(comparison, differences=shown, causes=causes)


PARAMETERS = {
    "periods": ["2026-10"],
    "branches": ["B01"],
    "rulebook": VERSION,
    "draft": None,
    "against": "settled",
    "as_of": None,
    "with": [],
    "without": [],
}


class ReplayRun(Shape):
    """That a replay was run: of a draft its digest, of supposed entries their pairs."""

    model_config = example(id=1091, by="hr", at=AT, parameters=PARAMETERS, digests=[DIGEST])
    id: int
    by: str
    at: str
    parameters: dict[str, object]
    digests: list[str]


class ReplayRuns(Shape):
    """A page of replays that were run, in ledger order; `next` is the address of the next one."""

    model_config = example(
        replays=[{"id": 1091, "by": "hr", "at": AT, "parameters": PARAMETERS, "digests": [DIGEST]}],
        next="/v1/replays?limit=1&cursor=1091",
    )
    replays: list[ReplayRun]
    next: str | None
