"""What goes in and out over HTTP, as OpenAPI prints it: the shapes of bodies, each with an
example.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from api.documents.field_types import PeriodText
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
        return self.model_dump_json(exclude_unset=True, by_alias=True, indent=indent).encode()


class Written(NamedTuple, Generic[D]):
    """What an act that wrote returns: the document, and the ledger position that was reached."""

    document: D
    position: int


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


METRICS = 'merit_entries_total{outcome="accepted"} 1042.0\n'

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
