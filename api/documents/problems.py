"""Problems over HTTP: every refusal has this shape."""

from __future__ import annotations

from api.documents.entries import EntryResult, Reason
from api.documents.parts.base import Finding, Shape, example


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
