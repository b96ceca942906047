"""The month check: its findings, and who acknowledged them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from api.documents.parts.base import AT, Shape, example
from api.documents.parts.field_types import Words
from domain import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.processes import month_check
    from domain.processes.month_check import Named
    from projections.month.check.month_check import MonthCheck

# As JSON one text in both languages; printers take it in one.
MessageText = Annotated[
    errors.Text,
    PlainValidator(lambda text: text if isinstance(text, errors.Text) else errors.Text(text, text)),
    PlainSerializer(lambda text: text.both, return_type=str),
    WithJsonSchema({"type": "string"}),
]
CodeText = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
FINDING = {
    "code": "unread",
    "severity": "decide",
    "about": "left",
    "count": 1,
    "managers": ["M0007"],
    "entries": ["hr:severance-7"],
    "yuan": "500",
    "message": "1 条记录的客户经理已离职… / entries of people who have left: 1 …",
    "acknowledged": {"by": "payroll", "at": AT, "note": "随 11 月另付"},
}


class Acknowledged(Shape):
    """Who acknowledged a finding, when, and why it may stand."""

    by: str
    at: str
    note: str


class CheckFinding(Shape):
    """One finding. `severity`: `decide` holds up the month until it is acknowledged, `note` is only
    shown. `about` tells findings of one code apart.

    Names and amounts of people whose statements are not the reader's to see are left out; `count`
    is of all.
    """

    code: str
    severity: str
    about: str
    count: int
    managers: list[str]
    entries: list[str] = Field(description="`source:source_id`")
    yuan: str | None
    message: MessageText
    acknowledged: Acknowledged | None

    @classmethod
    def of_finding(
        cls, finding: month_check.CheckFinding, may_see: Callable[[Named], bool]
    ) -> Self:
        """The finding, as far as the reader may see whom it is about."""
        named = (*finding.managers, *finding.entries)
        return cls(
            code=finding.code,
            severity=finding.severity,
            about=finding.about,
            count=finding.count,
            managers=[person.name for person in finding.managers if may_see(person)],
            entries=[entry.name for entry in finding.entries if may_see(entry)],
            yuan=finding.yuan if all(map(may_see, named)) else None,
            message=finding.message,
            acknowledged=Acknowledged.of(finding.acknowledged) if finding.acknowledged else None,
        )


CHECK = {
    "branch": "B01",
    "period": "2026-10",
    "position": 1042,
    "open": 0,
    "findings": [FINDING],
}


class Check(Shape):
    """The month check of a branch as of a ledger position; `open`: how many findings hold up the
    month.
    """

    model_config = example(**CHECK)
    branch: str
    period: str
    position: int
    open: int
    findings: list[CheckFinding]

    @classmethod
    def of_check(cls, found: MonthCheck, may_see: Callable[[Named], bool]) -> Self:
        """The check, as far as the reader may see it."""
        return cls(
            branch=found.branch,
            period=found.period,
            position=found.position,
            open=len(found.open),
            findings=[CheckFinding.of_finding(one, may_see) for one in found.findings],
        )


class Acknowledge(Shape):
    """All findings of a code that hold up the month are acknowledged, with the reason."""

    model_config = example(code="missing", note="本月无特殊行业系数")
    code: CodeText
    note: Words
