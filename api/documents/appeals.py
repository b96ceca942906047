"""Appeals over HTTP, as OpenAPI prints it: the shapes of bodies, each with an example."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from api.documents.base import AT, RULES, IdText, RulebookId, Shape, example
from api.documents.cycles import POSTING, Posting
from api.documents.field_types import PeriodText, Words

NAME = "A2026-10-1"
SUMMARY: dict[str, Any] = {
    "appeal": NAME,
    "state": "filed",
    "manager": "M0007",
    "period": "2026-10",
    "branch": "B01",
    "reason": "欠费扣减 250 分有误",
}


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
    entries: list[dict[str, Any]] | None = Field(
        default=None,
        description="a correction: entries without source and source_id, which are filled in",
        max_length=100,
    )


class Decide(Shape):
    """The decision; upheld, or partly, it approves a correction that somebody else proposed."""

    model_config = example(decision="partly_upheld", reason="凭证属实", proposal=1)
    decision: Literal["upheld", "partly_upheld", "dismissed"]
    reason: Words
    proposal: int | None = Field(default=None, ge=1)


class Why(Shape):
    """A reason."""

    model_config = example(reason="扣减依据不足")
    reason: Words


class MayBeWhy(Shape):
    """A reason, if there is one."""

    model_config = example(reason="已沟通一致")
    reason: Words | None = None


class AppealState(Shape):
    """An appeal: what is disputed, what was brought forward and decided, and what it changed.
    `version`: its ETag.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                SUMMARY
                | {
                    "version": 1,
                    "team": "T1",
                    "rulebook": {"id": RULES["id"], "version": RULES["version"]},
                    "statement": {"version": 1, "steps": {"pay": "4200"}},
                    "lines": ["deduction"],
                    "disputed": [
                        {
                            "step": "deduction",
                            "label": {"zh": "扣减", "en": "Deduction"},
                            "value": "250",
                            "unit": "point",
                            "clause": "二",
                            "entries": [],
                        }
                    ],
                    "filed": {"by": "m0007", "at": AT, "late": False},
                    "objection_until": "2026-11-23",
                    "decision_until": "2026-12-03",
                    "evidence": [],
                    "proposals": [],
                    "decisions": [],
                    "carried_out": [],
                    "postings": [POSTING],
                    "talks": [],
                    "history": [{"what": "appeal-filed", "by": "m0007", "at": AT}],
                }
            ]
        },
    )
    appeal: str
    state: str
    version: int
    manager: str
    period: str
    branch: str
    team: str | None
    rulebook: dict[str, str]
    statement: dict[str, Any]
    lines: list[str]
    disputed: list[dict[str, Any]]
    reason: str
    filed: dict[str, Any]
    rejected: dict[str, Any] | None = None
    objection_until: str | None
    decision_until: str | None
    evidence: list[dict[str, Any]]
    proposals: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    carried_out: list[dict[str, Any]]
    postings: list[Posting]
    talks: list[dict[str, Any]]
    history: list[dict[str, Any]]


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
