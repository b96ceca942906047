"""What goes in and out over HTTP, as OpenAPI prints it: the shapes of bodies, each with an
example.
"""

from __future__ import annotations

from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    Self,
    TypeVar,
    runtime_checkable,
)

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.documents.field_types import MomentText, MonthText, PeriodText
from domain.identifiers import ID

D = TypeVar("D")
IdText = Annotated[str, StringConstraints(pattern=f"^{ID}$")]
RulebookId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
RulebookName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}(@\d{1,4}\.\d{1,4}\.\d{1,4})?$")
]
VersionText = Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
KeyText = Annotated[str, StringConstraints(pattern=f"^{ID}:{ID}$")]

DIGEST = "9f2d7c41a0b35e886d1c04f7b92ea3550c7f6e1d2b48a9930e57c1d4f6a8b270"
AT = "2026-11-05T02:14:07.120934Z"
RULES = {"id": "elastic-pay", "version": "3.0.0", "digest": DIGEST}
BOTH = {"zh": "薪酬", "en": "Pay"}


@runtime_checkable
class Document(Protocol):
    """What an act returns; every door can print it as JSON."""

    def json_bytes(self, *, indent: int | None = None) -> bytes:
        """The document as JSON."""


class Shape(BaseModel):
    """Any body: what it does not name is a mistake."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """The document of a value that has these fields as attributes."""
        return cls.model_validate(value, from_attributes=True)

    def json_bytes(self, *, indent: int | None = None) -> bytes:
        """The document as JSON. A field that nobody set is left out."""
        return self.model_dump_json(exclude_unset=True, indent=indent).encode()


class Listed(Shape):
    """A page of a list; `next` is the address of the next page, which the door knows."""

    next: str | None = None


class Written(NamedTuple, Generic[D]):
    """What an act that wrote returns: the document, and the ledger position that was reached."""

    document: D
    position: int


class Page(NamedTuple, Generic[D]):
    """A page of a list, and the cursor at which the next page begins; None: it is the last one."""

    document: D
    cursor: int | None


def example(**values: Any) -> ConfigDict:
    """The configuration of a shape with this example."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def one_example(value: object, summary: str) -> dict[str, object]:
    """An example of a body that has no shape of its own, as OpenAPI lists it."""
    return {summary: {"summary": summary, "value": value}}


# Evaluations


class Rules(Shape):
    """A version of a rulebook."""

    id: str
    version: str
    digest: str


class Warning(Shape):  # noqa: A001 - the contract's word
    """What must be seen beside a statement."""

    code: str
    step: str
    about: str


class Finding(Shape):
    """Why an evaluation was refused; what is not known is null."""

    code: str
    manager: str | None
    step: str | None
    entry: str | None
    message: str


class Figures(Shape):
    """One person's figures, by step."""

    manager: str
    team: str
    steps: dict[str, str]
    warnings: list[Warning]


class Totals(Shape):
    """Of a branch: how many people, and Σ pay where the rulebook pays."""

    managers: int
    pay: str | None = None


class Evaluation(Shape):
    """A branch's period under a rulebook."""

    period: str
    branch: str
    rulebook: Rules
    position: int
    digest: str
    statements: list[Figures]
    totals: Totals
    findings: list[Finding] = Field(default_factory=list)


FIGURES = {
    "manager": "M0007",
    "team": "T1",
    "steps": {"points": "4200", "pay": "4200"},
    "warnings": [],
}
EVALUATION = {
    "period": "2026-10",
    "branch": "B01",
    "rulebook": RULES,
    "position": 1042,
    "digest": DIGEST,
    "statements": [FIGURES],
    "totals": {"managers": 1, "pay": "4200"},
}


class Both(Shape):
    """Words in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text in `zh` or `en`."""
        return self.en if language == "en" else self.zh


# Branches


class SetRulebooks(Shape):
    """What the branch is to pay by, and from which month on."""

    model_config = ConfigDict(
        extra="forbid", **example(**{"rulebooks": ["elastic-pay"], "from": "2026-11"})
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
        rulebooks=["elastic-pay"],
        choices=[
            {
                "from": "2026-11",
                "rulebooks": ["elastic-pay"],
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


# Replays


class Replay(Shape):
    """What is asked. `draft`: the YAML of a rulebook that is not published; `without`:
    SOURCE:SOURCE_ID.
    """

    model_config = ConfigDict(
        extra="forbid",
        **example(
            periods=["2026-10"], branches=["B01"], rulebook="elastic-pay@3.0.0", against="settled"
        ),
    )
    periods: Annotated[list[PeriodText], Field(min_length=1, max_length=120)]
    branches: Annotated[list[IdText], Field(max_length=1000)] = Field(default_factory=list)
    rulebook: RulebookName | None = None
    draft: Annotated[str, Field(max_length=1_000_000)] | None = None
    against: RulebookName | None = Field(None, description="settled, paid, or ID[@VERSION]")
    as_of: Annotated[MomentText | None, Field(description="a ledger position, or an instant")] = (
        None
    )
    with_: Annotated[list[dict[str, Any]], Field(alias="with", max_length=10_000)] = Field(
        default_factory=list
    )
    without: Annotated[list[KeyText], Field(max_length=10_000)] = Field(default_factory=list)


CHANGE = {"difference": "-200", "gainers": 0, "losers": 1}
TOTALS = {"before": "4200", "after": "4000", **CHANGE, "managers": 2}
# Where a difference comes from: rule + entries + reversals + others = difference; interaction
# stands beside them.
CAUSES = {"rule": "0", "entries": "0", "reversals": "0", "others": "-200", "interaction": "0"}
COMPARISON = {
    "against": "settled",
    "totals": TOTALS,
    "groups": [{"period": "2026-10", "branch": "B01", "rulebook": "elastic-pay", **CHANGE}],
    "teams": [
        {"period": "2026-10", "branch": "B01", "team": "T1", "rulebook": "elastic-pay", **CHANGE}
    ],
    "steps": [
        {
            "rulebook": "elastic-pay",
            "step": "pay",
            "unit": "yuan",
            "difference": "-200",
            "people": 1,
        }
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
            "manager": "M0008",
            "branch": "B01",
            "team": "T1",
            "period": "2026-10",
            "rulebook": "elastic-pay",
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
}


class Replayed(Shape):
    """The evaluations, the comparison if one was asked for, and where the fact stands that this was
    run.
    """

    model_config = example(id=1091, position=1091, evaluations=[EVALUATION], comparison=COMPARISON)
    id: int
    position: int
    evaluations: list[Evaluation]
    comparison: dict[str, Any] | None


PARAMETERS = {
    "periods": ["2026-10"],
    "branches": ["B01"],
    "rulebook": "elastic-pay@3.0.0",
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
    parameters: dict[str, Any]
    digests: list[str]


class Differences(Shape):
    """The comparison of a replay."""

    model_config = example(
        id=1091,
        comparison=COMPARISON,
    )
    id: int
    comparison: dict[str, Any] | None


# Rulebooks


class RulebookLine(Shape):
    """A published version."""

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
}


class Rulebooks(Shape):
    """A page of the published versions."""

    model_config = example(rulebooks=[LINE], next="/v1/rulebooks?limit=1&cursor=1")
    rulebooks: list[RulebookLine]
    next: str | None


class RulebookText(RulebookLine):
    """A published version with its text and what it says."""

    model_config = example(
        **LINE,
        parameters=[
            {
                "name": "performance_cap",
                "label": BOTH,
                "value": "8000",
                "unit": "point",
                "clause": "第七条5(2)",
            }
        ],
        inputs=[{"name": "deductions", "label": BOTH, "read": "deduction", "clause": "第五条3"}],
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
    parameters: list[dict[str, Any]]
    inputs: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    text: str


class Checked(Shape):
    """A text that holds, and how many examples it carries."""

    model_config = example(**RULES, examples=12)
    id: str
    version: str
    digest: str
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
    change: Literal["added", "removed", "changed", "moved"]
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
    impact: Impact | None


# Operation


class Health(Shape):
    """That it runs."""

    model_config = example(status="ok")
    status: Literal["ok"]


class Ready(Health):
    """That the store answers, too."""

    model_config = example(status="ok", position=1092)
    position: int


NOT_FOUND = {
    "type": "/problems/not_found",
    "code": "not_found",
    "status": 404,
    "title": {"zh": "不存在", "en": "Not found"},
    "meaning": {"zh": "请核对地址和编号", "en": "Check the address and the ids"},
}


class ProblemKind(Shape):
    """A kind of problem."""

    model_config = example(**NOT_FOUND)
    type: str
    code: str
    status: int
    title: Both
    meaning: Both


class ProblemKinds(Shape):
    """All kinds."""

    model_config = example(problems=[NOT_FOUND])
    problems: list[ProblemKind]


METRICS = 'merit_entries_total{outcome="accepted"} 1042.0\n'

# A body that is not read by its shape: a rulebook is YAML.
YAML_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {
                "schema": {"type": "string"},
                "examples": one_example(
                    "id: elastic-pay\nversion: 3.1.0\n…\n", "the text of a rulebook"
                ),
            }
        },
    }
}
