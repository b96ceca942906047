"""What goes in and out over HTTP, as OpenAPI prints it: the shapes of bodies, each with an
example.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from api.documents.field_types import MomentText, MonthText, PeriodText
from api.importing.bodies import EVENT, EVENTS, JSON, NDJSON
from domain.entries.entry import AnyEntry
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
SALE = {
    "kind": "sale",
    "source": "crm",
    "source_id": "2026-10-000123",
    "manager": "M0007",
    "month": "2026-10",
    "item": "group_members",
    "quantity": "12",
}
_PAIR = ("kind", "source", "source_id")
SALE_EVENT = {
    "specversion": "1.0",
    "type": "merit.sale",
    "source": "crm",
    "id": "2026-10-000123",
    "data": {name: value for name, value in SALE.items() if name not in _PAIR},
}


class Shape(BaseModel):
    """Any body: what it does not name is a mistake."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """The document of a value that has these fields as attributes."""
        return cls.model_validate(value, from_attributes=True)

    def json_bytes(self, *, indent: int | None = None) -> bytes:
        """The document as JSON. A field that nobody set is left out."""
        return self.model_dump_json(by_alias=True, exclude_unset=True, indent=indent).encode()


class Written(NamedTuple, Generic[D]):
    """What an act that wrote returns: the document, and the ledger position that was reached."""

    document: D
    position: int


class Page(NamedTuple, Generic[D]):
    """What an act that lists returns: the document of one page, and the cursor of the next.

    The document's `next` is null: whoever has an address for the next page writes it there.
    """

    document: D
    following: int | None


def example(**values: Any) -> ConfigDict:
    """The configuration of a shape with this example."""
    return ConfigDict(json_schema_extra={"examples": [values]})


# Entries


class Reason(Shape):
    """Why: a code for programs, the field, and the words in both languages."""

    code: str
    field: str
    message: str


class EntryResult(Shape):
    """What became of one entry. `position`: of its event, or of the one that it repeats."""

    source: str | None
    source_id: str | None
    status: Literal["accepted", "duplicate", "conflict", "rejected"]
    position: int | None
    reasons: list[Reason]
    unknown_item: bool
    late: bool = Field(
        default=False, description="its month is closed: it waits for a resettlement"
    )


RESULT = {
    "source": "crm",
    "source_id": "2026-10-000123",
    "status": "accepted",
    "position": 1042,
    "reasons": [],
    "unknown_item": False,
}


class Appended(Shape):
    """What became of each entry, in the order given, and the position that the ledger reached."""

    model_config = example(results=[RESULT], position=1042)
    results: list[EntryResult]
    position: int


class TrailLine(Shape):
    """An entry as it was recorded. `counts`: no reversal that counts itself names it."""

    position: int
    kind: str
    entry: dict[str, Any]
    by: str
    at: str
    reversed_by: list[int]
    counts: bool
    late: bool = Field(
        default=False, description="it came after what the closing of its month took in"
    )


class Trail(Shape):
    """A page of the audit trail; `next` is the address of the next one."""

    model_config = example(
        entries=[
            {
                "position": 1042,
                "kind": "sale",
                "entry": SALE,
                "by": "crm",
                "at": AT,
                "reversed_by": [],
                "counts": True,
            }
        ],
        next="/v1/entries?manager=M0007&limit=1&cursor=1042",
    )
    entries: list[TrailLine]
    next: str | None


# Settlements and statements


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


class RecordedEvaluation(Evaluation):
    """The evaluation of a settlement, and its id."""

    settlement: int


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


class Settle(Shape):
    """What to settle; without a rulebook, under all that the branch pays by."""

    model_config = ConfigDict(extra="forbid", **example(period="2026-10", branch="B01"))
    period: PeriodText
    branch: IdText
    rulebook: RulebookName | None = None


class Settled(Shape):
    """What was settled: the first settlement's id, the position reached, and every evaluation."""

    model_config = example(id=1043, position=1083, evaluations=[{"settlement": 1043, **EVALUATION}])
    id: int
    position: int
    evaluations: list[RecordedEvaluation]


class Settlement(Shape):
    """A recorded settlement. `as_of`: the last position taken in."""

    model_config = example(
        id=1043,
        period="2026-10",
        branch="B01",
        rulebook=RULES,
        as_of=1042,
        digest=DIGEST,
        managers=40,
        by="hr",
        at=AT,
    )
    id: int
    period: str
    branch: str
    rulebook: Rules
    as_of: int
    digest: str
    managers: int
    by: str
    at: str


class Issue(Shape):
    """By whom, when and where in the ledger."""

    by: str
    at: str
    position: int


ISSUE = {"by": "hr", "at": AT, "position": 1044}


class Payout(Shape):
    """What a month pays: `paid` with its closing, by the statement of this version; else as it
    stands now.
    """

    pay: str
    back_pay: str
    clawback: str
    carried: str
    payable: str
    paid: bool
    version: int | None
    postings: list[dict[str, Any]] = Field(
        default=[], description="into this month, each between two statements"
    )


class Statement(Shape):
    """A statement: `version` counts from 1, `position` is the last taken in; null parts mean that
    it is not issued.

    Without a rulebook and steps it is one of postings alone: of somebody who left, and has
    something to get or give.
    """

    model_config = example(
        period="2026-10",
        branch="B01",
        rulebook=RULES,
        version=1,
        position=1042,
        digest=DIGEST,
        issued=ISSUE,
        **FIGURES,
    )
    manager: str
    period: str
    branch: str
    team: str
    rulebook: Rules | None
    version: int | None
    position: int
    digest: str | None
    steps: dict[str, str]
    warnings: list[Warning]
    issued: Issue | None
    provisional: bool = Field(
        default=False, description="evaluated for this answer and recorded nowhere"
    )
    payable: str | None = Field(
        default=None, description="of a pay statement: pay + back pay - clawback"
    )
    payment: Payout | None = None


class Both(Shape):
    """Words in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text in `zh` or `en`."""
        return self.en if language == "en" else self.zh


class FullRules(Rules):
    """A version of a rulebook, with its name and where it is from."""

    title: Both
    source: Both


class Total(Shape):
    """The figure that the statement comes to."""

    step: str
    value: str | None
    unit: str


class Moved(Shape):
    """A step that would have come out otherwise."""

    step: str
    before: str | None
    after: str | None


class Change(Shape):
    """The smallest change of one of the person's own figures that would have moved something."""

    input: str
    label: Both
    unit: str
    before: str
    after: str
    moves: list[Moved]
    limits: list[Moved]
    total: Moved
    message: Both


class Derivation(Shape):
    """Every step with value, unit, formula, clause, limits, what it reads, and the entries behind
    it.
    """

    model_config = example(
        manager="M0007",
        name="赵晓岚",
        period="2026-10",
        branch="B01",
        team="T1",
        rulebook=RULES | {"title": BOTH, "source": BOTH},
        version=1,
        position=1042,
        digest=DIGEST,
        issued=ISSUE,
        total={"step": "pay", "value": "4200", "unit": "yuan"},
        steps=[
            {
                "step": "deduction",
                "label": {"zh": "扣减积分", "en": "Deduction"},
                "value": "800",
                "unit": "point",
                "clause": "第五条4",
                "formula": {
                    "zh": "扣减合计与扣减上限中较小者",
                    "en": "the lesser of deductions and cap",
                },
                "figures": {"zh": "900.5 与 800 中较小者", "en": "the lesser of 900.5 and 800"},
                "reads": [
                    {"name": "raw_deduction", "kind": "step", "label": BOTH, "value": "900.5"}
                ],
                "limits": [{"kind": "cap", "fired": True, "distance": "100.5", "message": BOTH}],
                "entries": [311],
                "statements": [],
            }
        ],
        changes=[
            {
                "input": "deductions.arrears_recovery",
                "label": {"zh": "集团欠费追缴", "en": "Corporate arrears recovery"},
                "unit": "point",
                "before": "370",
                "after": "300",
                "moves": [{"step": "gs_tier", "before": "3", "after": "2"}],
                "limits": [],
                "total": {"step": "pay", "before": "1635", "after": "1905"},
                "message": BOTH,
            }
        ],
        warnings=[],
        entries=[{"position": 311, "entry": SALE, "by": "crm", "at": AT, "reversed_by": None}],
        statements=[],
        reversed=[],
        notes=[],
    )
    manager: str
    name: str
    period: str
    branch: str
    team: str
    rulebook: FullRules
    version: int | None
    position: int
    digest: str
    issued: Issue | None
    provisional: bool = Field(
        default=False, description="evaluated for this answer and recorded nowhere"
    )
    total: Total
    steps: list[dict[str, Any]]
    changes: list[Change]
    warnings: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    statements: list[dict[str, Any]]
    reversed: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    payable: str | None = None
    payment: Payout | None = None


class History(Shape):
    """Statement versions (`type` statement) and entries (`type` entry) in ledger order."""

    model_config = example(
        manager="M0007",
        period="2026-10",
        events=[
            {"position": 311, "type": "entry", "entry": SALE, "by": "crm", "at": AT, "why": None}
        ],
    )
    manager: str
    period: str
    events: list[dict[str, Any]]


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


# Problems


class RulebookProblem(Shape):
    """A mistake in a rulebook's text, and where it is."""

    line: int
    column: int
    message: str


class Problem(Shape):
    """RFC 9457. `type` is an address of this service that says what the problem means."""

    model_config = example(
        type="/problems/invalid",
        title="内容不合要求 / Not well formed",
        status=422,
        detail="缺少必填字段 / required field is missing",
        reasons=[
            {
                "code": "missing_field",
                "field": "manager",
                "message": "缺少必填字段 / required field is missing",
            }
        ],
    )
    type: str
    title: str
    status: int
    detail: str
    reasons: list[Reason] | None = None
    findings: list[Finding] | None = None
    problems: list[RulebookProblem] | None = None
    results: list[EntryResult] | None = None
    position: int | None = None


# Bodies that are not read by their shape: entries keep floats and doubled keys recognisable,
# rulebooks are YAML.

SCHEMAS = "#/components/schemas/"
ENTRY_SCHEMA = TypeAdapter(AnyEntry).json_schema(ref_template=SCHEMAS + "{model}")
ENTRY_SCHEMAS: dict[str, Any] = ENTRY_SCHEMA.pop("$defs") | {"Entry": ENTRY_SCHEMA}
_ENTRY = {"$ref": SCHEMAS + "Entry"}
_EVENT = {
    "type": "object",
    "required": ["specversion", "type", "source", "id", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "type": {"type": "string", "pattern": "^merit\\."},
        "source": {"type": "string"},
        "id": {"type": "string"},
        "data": {"type": "object"},
    },
}


def _one(value: object, summary: str) -> dict[str, Any]:
    return {summary: {"summary": summary, "value": value}}


ENTRY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"anyOf": [_ENTRY, {"type": "array", "items": _ENTRY}]},
                "examples": _one(SALE, "one entry") | _one([SALE], "several"),
            },
            NDJSON[0]: {
                "schema": {"type": "string"},
                "examples": _one('{"kind": "sale", …}\n', "one entry a line"),
            },
            EVENT: {"schema": _EVENT, "examples": _one(SALE_EVENT, "a CloudEvent")},
            EVENTS: {
                "schema": {"type": "array", "items": _EVENT},
                "examples": _one([SALE_EVENT], "a batch of CloudEvents"),
            },
        },
    }
}
YAML_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {
                "schema": {"type": "string"},
                "examples": _one("id: elastic-pay\nversion: 3.1.0\n…\n", "the text of a rulebook"),
            }
        },
    }
}
