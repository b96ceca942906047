"""Rulebooks, and what branches pay by: what acts take and return, each shape with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.documents.parts.base import (
    AT,
    BOTH,
    DIGEST,
    RULES,
    Both,
    RulebookId,
    Rules,
    Shape,
    example,
)
from api.documents.parts.field_types import MonthText

ChangeWord = Literal["added", "removed", "changed", "moved"]
# A rulebook is sent as YAML.
YAML_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {
                "schema": {"type": "string"},
                "examples": {
                    "the text of a rulebook": {
                        "summary": "the text of a rulebook",
                        "value": "id: elastic-pay\nversion: 3.1.0\n…\n",
                    }
                },
            }
        },
    }
}


class PublishedBy(Shape):
    """By whom, when and where in the ledger."""

    by: str
    at: str
    position: int


class RulebookLine(Shape):
    """A published version. `published` repeats position, by and at."""

    id: str
    version: str
    title: Both
    source: Both
    period: Literal["month", "quarter", "half", "year"]
    effective_from: str
    roles: list[str]
    digest: str
    position: int
    by: str
    at: str
    published: PublishedBy


LINE = {
    **RULES,
    "title": {
        "zh": "客户经理绩效考核及弹性薪酬管理办法 V3.0",
        "en": "Elastic pay of customer managers, V3.0",
    },
    "source": BOTH,
    "period": "month",
    "effective_from": "2000-01",
    "roles": ["customer_manager"],
    "position": 1,
    "by": "merit",
    "at": AT,
    "published": {"by": "merit", "at": AT, "position": 1},
}


class Rulebooks(Shape):
    """A page of the published versions."""

    model_config = example(rulebooks=[LINE], next="/v1/rulebooks?limit=1&cursor=1")
    rulebooks: list[RulebookLine]
    next: str | None


class RulebookParameter(Shape):
    """A figure that a clause sets."""

    name: str
    label: Both
    value: str
    unit: str
    clause: str


class RulebookItem(Shape):
    """One item of a group, and what whoever records it should look at."""

    item: str
    label: Both
    help: Both | None


class RulebookInput(Shape):
    """What a rulebook reads of people's entries; `items` of a group."""

    name: str
    label: Both
    read: str
    clause: str | None
    items: list[RulebookItem]


class RulebookStep(Shape):
    """A figure of the statement, and the expression that gives it."""

    step: str
    label: Both
    unit: str
    clause: str
    value: str


class RulebookNote(Shape):
    """How a silent, damaged or contradictory clause is read."""

    zh: str
    en: str
    clause: str | None


class RulebookText(RulebookLine):
    """A published version with its text and what it says."""

    model_config = example(
        **LINE,
        cycle={"objection_days": 7, "paid": 25},
        parameters=[
            {
                "name": "performance_cap",
                "label": BOTH,
                "value": "8000",
                "unit": "point",
                "clause": "第七条5(2)",
            }
        ],
        inputs=[
            {
                "name": "deductions",
                "label": BOTH,
                "read": "deduction",
                "clause": "第五条3",
                "items": [{"item": "bundling_rate", "label": BOTH, "help": BOTH}],
            }
        ],
        steps=[
            {
                "step": "pay",
                "label": BOTH,
                "unit": "yuan",
                "clause": "第八条1",
                "value": "max(gross, minimum_wage)",
            }
        ],
        notes=[],
        text="id: elastic-pay\nversion: 3.0.0\n…",
    )
    cycle: dict[str, int]  # windows and days of steps that are not the usual ones
    parameters: list[RulebookParameter]
    inputs: list[RulebookInput]
    steps: list[RulebookStep]
    notes: list[RulebookNote]
    text: str


class Checked(Shape):
    """A text that holds, with how many steps and examples; what is wrong with one is a problem."""

    model_config = example(ok=True, problems=[], **RULES, steps=14, examples=12)
    ok: Literal[True]
    problems: Annotated[list[str], Field(max_length=0)]
    id: str
    version: str
    digest: str
    steps: int
    examples: int


class FieldChange(Shape):
    """A field of a part, before and after; null: not said there."""

    field: str
    before: str | None
    after: str | None


class RulebookChange(Shape):
    """A part of a rulebook that differs."""

    part: str
    name: str
    change: ChangeWord
    label: Both
    clause: str | None
    fields: list[FieldChange]


class RulebookChanges(Shape):
    """What one version changes of another."""

    model_config = example(
        **{"from": RULES, "to": RULES | {"version": "3.1.0"}},
        changes=[
            {
                "part": "parameter",
                "name": "performance_cap",
                "change": "changed",
                "label": {"zh": "业绩积分封顶", "en": "Performance cap"},
                "clause": "第七条5(2)",
                "fields": [{"field": "value", "before": "8000", "after": "6000"}],
            }
        ],
    )
    from_: Rules = Field(alias="from")
    to: Rules
    changes: list[RulebookChange]


class ImpactMonth(Shape):
    """A branch's period that was last settled under the rulebook, and the digest of its replay
    under the new text.
    """

    period: str
    branch: str
    digest: str


class ImpactTotals(Shape):
    """Sums over those periods, and how many gain and lose."""

    before: str
    after: str
    difference: str
    gainers: int
    losers: int
    managers: int


class ImpactRefusal(Shape):
    """A period that the new text would refuse to evaluate."""

    period: str
    branch: str
    findings: int


class Impact(Shape):
    """What a new version makes of the periods last settled; its digest pins it, and the ledger
    keeps it.
    """

    position: int
    months: list[ImpactMonth]
    totals: ImpactTotals
    refused: list[ImpactRefusal]
    digest: str


class Published(Rules):
    """A version that is published, the position that the ledger reached, and the impact (null:
    nothing is settled).
    """

    model_config = example(
        **RULES,
        effective_from="2026-11",
        position=1092,
        new=True,
        impact={
            "position": 1091,
            "months": [{"period": "2026-10", "branch": "B01", "digest": DIGEST}],
            "totals": {
                "before": "18450",
                "after": "18150",
                "difference": "-300",
                "gainers": 0,
                "losers": 2,
                "managers": 10,
            },
            "refused": [],
            "digest": DIGEST,
        },
    )
    effective_from: str
    position: int
    new: bool = Field(description="false: the same text was published before")
    impact: Impact | None


# What branches pay by


class SetRulebooks(Shape):
    """What the branch is to pay by, and from which month on."""

    model_config = ConfigDict(
        extra="forbid", **example(**{"rulebooks": [RULES["id"]], "from": "2026-11"})
    )
    rulebooks: Annotated[list[RulebookId], Field(min_length=1, max_length=20)]
    from_: Annotated[MonthText, Field(alias="from")]


class Choice(Shape):
    """A choice that was made."""

    from_: Annotated[str, Field(alias="from")]
    rulebooks: list[str]
    position: int
    by: str
    at: str


class BranchRulebooks(Shape):
    """What a branch pays by in a month, and every choice in the order made; after a change, the
    position reached.
    """

    model_config = example(
        branch="B01",
        month="2026-11",
        rulebooks=[RULES["id"]],
        choices=[
            {
                "from": "2026-11",
                "rulebooks": [RULES["id"]],
                "position": 1090,
                "by": "hr",
                "at": AT,
            }
        ],
    )
    branch: str
    month: str
    rulebooks: list[str]
    choices: list[Choice]
    position: int | None = None
