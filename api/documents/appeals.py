"""申诉: what acts on appeals take and return, each shape with an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.documents.parts.base import AT, RULES, Both, IdText, RulebookId, Shape, example
from api.documents.parts.field_types import PeriodText, Words
from api.documents.parts.postings import POSTING, Posting
from api.documents.people import Interview

NAME = "A2026-10-1"
SUMMARY: dict[str, object] = {
    "appeal": NAME,
    "state": "filed",
    "manager": "M0007",
    "period": "2026-10",
    "branch": "B01",
    "reason": "欠费扣减 250 分有误",
}
StateName = Literal[
    "filed", "accepted", "rejected", "decided", "carried_out", "in_review", "withdrawn"
]
CorrectingEntries = Annotated[
    list[dict[str, object]],
    Field(
        max_length=100,
        description="a correction: entries without source and source_id, which are filled in",
    ),
]


class AppealFilter(Shape):
    """Which appeals to list: what is not given does not matter."""

    manager: IdText | None = None
    period: PeriodText | None = None
    branch: IdText | None = None
    state: StateName | None = None


class FileAppeal(Shape):
    """Whose statement is disputed, which of its lines, and why."""

    model_config = example(
        manager="M0007", period="2026-10", lines=["deduction"], reason="欠费扣减 250 分有误"
    )
    manager: IdText
    period: PeriodText
    reason: Words
    rulebook: RulebookId | None = None
    lines: list[str] = Field(default_factory=list, max_length=100)


class Note(Shape):
    """A note."""

    model_config = example(note="材料齐全")
    note: Words | None = None


class Reject(Shape):
    """Why an appeal is not taken up."""

    model_config = example(code="out_of_time", reason="公示期已过")
    code: Literal["out_of_time", "not_own", "other"]
    reason: Words


class File(Shape):
    """A file as evidence, in base64."""

    name: Words
    media_type: Annotated[str, StringConstraints(pattern=r"^[\w.+-]{1,60}/[\w.+-]{1,60}$")]
    content: Annotated[str, StringConstraints(max_length=1_400_000)]


class Evidence(Shape):
    """A note, with a file, or the replay of a what-if, or entries that are proposed as the
    correction.
    """

    model_config = example(
        note="客户缴费凭证",
        file={"name": "凭证.pdf", "media_type": "application/pdf", "content": "JVBERg=="},
    )
    note: Words
    file: File | None = None
    replay: int | None = Field(
        default=None, ge=1, le=2**63 - 1, description="the id of a replay that was run"
    )
    entries: CorrectingEntries | None = None


class ProposeCorrection(Shape):
    """Entries that are proposed as the correction."""

    entries: CorrectingEntries
    note: Words | None = None


class Decide(Shape):
    """The decision; upheld, or partly, it approves a correction that somebody else proposed."""

    model_config = example(decision="partly_upheld", reason="凭证属实", proposal=1)
    decision: Literal["upheld", "partly_upheld", "dismissed"]
    reason: Words
    proposal: int | None = Field(default=None, ge=1)


class RequestReview(Shape):
    """Why the decision is to be reviewed."""

    model_config = example(reason="扣减依据不足")
    reason: Words


class Withdraw(Shape):
    """Why the person does not pursue the appeal."""

    model_config = example(reason="已沟通一致")
    reason: Words | None = None


class AppealedRules(Shape):
    """The version of the rulebook that the disputed statement was evaluated under."""

    id: str
    version: str


class DisputedStatement(Shape):
    """The disputed statement: its version, and the value of each step."""

    version: int
    steps: dict[str, str]


class EntryBehind(Shape):
    """An entry behind a figure, and the reversal that took it out, if one did."""

    position: int
    entry: dict[str, object]
    by: str
    at: str
    reversed_by: str | None


class DisputedLine(Shape):
    """A disputed step with its value, its clause and the entries behind it."""

    step: str
    label: Both
    value: str | None
    unit: str
    clause: str
    entries: list[EntryBehind]


class Filing(Shape):
    """Who filed the appeal, when. `late`: after the window for objections."""

    by: str
    at: str
    late: bool


class Rejection(Shape):
    """Why the appeal was not taken up."""

    code: str
    label: Both
    reason: str
    by: str
    at: str


class AttachedEvidence(Shape):
    """A note, with a file (its name, kind and SHA-256) or the replay of a what-if."""

    number: int
    note: str
    name: str | None
    media_type: str | None
    digest: str | None
    replay: int | None
    digests: list[str]
    by: str
    at: str


class Proposal(Shape):
    """Entries that are proposed as the correction."""

    number: int
    note: str | None
    entries: list[dict[str, object]]
    by: str
    at: str


class Decision(Shape):
    """A decision, and the number of the correction that it approved."""

    decision: str
    reason: str
    proposal: int | None
    by: str
    at: str
    late: bool


class CarriedOut(Shape):
    """A correction that was recorded: the person's pay before and after it, and the month that pays
    the difference.
    """

    entries: list[str]
    resettled: bool
    before: str | None
    after: str | None
    month: str | None
    at: str


class HistoryLine(Shape):
    """An event of the appeal, by its stored name."""

    what: str
    by: str
    at: str


class AppealState(Shape):
    """An appeal: what is disputed, what was brought forward and decided, and what it changed.
    `version`: its ETag.
    """

    model_config = example(
        **SUMMARY,
        version=1,
        team="T1",
        rulebook={"id": RULES["id"], "version": RULES["version"]},
        statement={"version": 1, "steps": {"pay": "4200"}},
        lines=["deduction"],
        disputed=[
            {
                "step": "deduction",
                "label": {"zh": "扣减", "en": "Deduction"},
                "value": "250",
                "unit": "point",
                "clause": "二",
                "entries": [],
            }
        ],
        filed={"by": "m0007", "at": AT, "late": False},
        objection_until="2026-11-23",
        decision_until="2026-12-03",
        evidence=[],
        proposals=[],
        decisions=[],
        carried_out=[],
        postings=[POSTING],
        talks=[],
        history=[{"what": "appeal-filed", "by": "m0007", "at": AT}],
    )
    appeal: str
    state: str
    version: int
    manager: str
    period: str
    branch: str
    team: str | None
    rulebook: AppealedRules
    statement: DisputedStatement
    lines: list[str]
    disputed: list[DisputedLine]
    reason: str
    filed: Filing
    rejected: Rejection | None = None
    objection_until: str | None
    decision_until: str | None
    evidence: list[AttachedEvidence]
    proposals: list[Proposal]
    decisions: list[Decision]
    carried_out: list[CarriedOut]
    postings: list[Posting]
    talks: list[Interview]
    history: list[HistoryLine]


class AppealSummary(Shape):
    """An appeal in a list."""

    appeal: str
    state: str
    manager: str
    period: str
    branch: str
    reason: str


class AppealList(Shape):
    """A page of appeals in the order of filing."""

    model_config = example(appeals=[SUMMARY], next="/v1/appeals?limit=1&cursor=1043")
    appeals: list[AppealSummary]
    next: str | None
