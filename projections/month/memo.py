"""部门联系单 and 公示: the results as they go to HR, and what the branch is shown of them, as they
were reported.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import rfc8785

from domain.errors import Declined, Text
from domain.numbers import plain
from domain.processes.branch_month import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.processes.branch_month import BranchMonth
    from projections.month.cycle import Cycle
    from projections.records.statements import Issued

SHOWN = ("point", "score", "place", "tier")  # the units of what is published: points, never pay


def memo_of(cycle: Cycle) -> dict[str, Any]:
    """The document with its SHA-256 over canonical JSON, and its text. Reported, it stays the same
    for ever.

    Until then it is a draft of what is settled. Raises Declined where nothing is.
    """
    state = cycle.as_reported()
    document: dict[str, Any] = {
        "branch": cycle.branch,
        "period": str(cycle.period),
        "reported": _reported(state),
        "settlements": [_settlement(cycle, position) for position in _settled(cycle, state)],
        "steps": [
            {
                "step": step.code,
                "label": step.label._asdict(),
                "by": done.by,
                "at": done.at,
                "times": done.times,
            }
            for step in STEPS
            if (done := state.done.get(step.code)) is not None
        ],
        "samples": [cycle.sample_json(order) for order in state.samples],
        "findings": [finding._asdict() for finding in state.findings],
    }
    digest = hashlib.sha256(rfc8785.dumps(document)).hexdigest()
    return {
        "digest": digest,
        "text": {language: _text(document, language) for language in ("zh", "en")},
        "document": document,
    }


def published(cycle: Cycle) -> dict[str, Any]:
    """What the branch is shown: everyone's points, and until when they may object. Raises Declined
    before that.
    """
    state = cycle.as_reported()
    if not state.published_at:
        raise Declined(
            Text(
                f"{cycle.branch} {cycle.period} 尚未公示；步骤 reported 办理后公示",
                f"{cycle.period} of {cycle.branch} is not published yet: step reported publishes "
                "it",
            )
        )
    objection, decision = cycle.windows(state)
    people = cycle.people_of(_settled(cycle, state))
    return {
        "branch": cycle.branch,
        "period": str(cycle.period),
        "published_at": state.published_at,
        "objection_until": objection,
        "decision_until": decision,
        "steps": {row.rulebook: _steps(cycle, row) for row in people},
        "people": [
            {
                "manager": row.manager,
                "team": row.team,
                "rulebook": row.rulebook,
                "version": row.number,
                "steps": {
                    s["step"]: row.steps[s["step"]]
                    for s in _steps(cycle, row)
                    if s["step"] in row.steps
                },
            }
            for row in people
        ],
    }


def _reported(state: BranchMonth) -> dict[str, str | None] | None:
    done = state.done.get("reported")
    return {"by": done.by, "at": done.at, "note": done.note} if done else None


def _settled(cycle: Cycle, state: BranchMonth) -> list[int]:
    """The settlements that were reviewed; where no total was calculated yet, the last ones."""
    calculated = state.done.get("total_calculated")
    return list(calculated.settlements) if calculated else [s.position for s in cycle.settlements()]


def _steps(cycle: Cycle, row: Issued) -> list[dict[str, Any]]:
    """The steps of a statement's rulebook that are shown."""
    steps = cycle.models.rulebooks.find(row.rulebook, row.version).rulebook.steps
    return [
        {"step": s.step, "label": s.label.model_dump(), "unit": s.unit}
        for s in steps
        if s.unit in SHOWN
    ]


def _settlement(cycle: Cycle, position: int) -> dict[str, Any]:
    found = cycle.models.statements.settlement(position)
    assert found is not None
    rows = cycle.models.statements.of_settlement(found)
    return {
        "settlement": position,
        "rulebook": found.rulebook,
        "version": found.version,
        "as_of": found.as_of,
        "digest": found.digest,
        "managers": found.people,
        "pay": plain(sum((Decimal(row.steps.get("pay", 0)) for row in rows), Decimal(0))),
        "people": [
            {
                "manager": row.manager,
                "team": row.team,
                "version": row.number,
                "pay": row.steps.get("pay"),
            }
            for row in rows
        ],
    }


def _text(document: dict[str, Any], language: str) -> str:
    """The document in words."""
    lines = [
        line.in_language(language)
        for line in (*_head(document), *_results(document), *_process(document))
    ]
    return "\n".join(lines) + "\n"


def _head(document: dict[str, Any]) -> Iterator[Text]:
    draft = (
        Text("", "")
        if document["reported"]
        else Text("（草稿，尚未报送）", " (draft, not reported yet)")
    )
    yield Text(f"部门联系单{draft.zh}", f"Memo to human resources{draft.en}")
    period, branch = document["period"], document["branch"]
    yield Text(
        f"主送：人力资源部　　考核月：{period}　　分公司：{branch}",
        f"Period: {period}  Branch: {branch}",
    )


def _results(document: dict[str, Any]) -> Iterator[Text]:
    for s in document["settlements"]:
        yield Text("", "")
        rules = f"{s['rulebook']} {s['version']}"
        yield Text(
            f"结算 {s['settlement']}（{rules}）：{s['managers']} 人，薪酬合计 {s['pay']} 元，"
            f"计入账本至 {s['as_of']}，摘要 {s['digest']}",
            f"Settlement {s['settlement']} ({rules}): {s['managers']} people, pay {s['pay']} yuan "
            "in all, "
            f"ledger taken in to {s['as_of']}, digest {s['digest']}",
        )
        for p in s["people"]:
            who, pay = f"{p['manager']}  {p['team']}", p["pay"] or "—"
            yield Text(
                f"  {who}  {pay} 元（考核单第 {p['version']} 版）",
                f"  {who}  {pay} yuan (statement {p['version']})",
            )


def _process(document: dict[str, Any]) -> Iterator[Text]:
    yield Text("", "")
    for step in document["steps"]:
        done = f"{step['by']}  {step['at']}"
        yield Text(f"{step['label']['zh']}：{done}", f"{step['label']['en']}: {done}")
    yield Text("", "")
    for s in document["samples"]:
        zh, en = "、".join(s["managers"]), ", ".join(s["managers"])
        yield Text(
            f"抽样 {s['size']} 人，种子 {s['seed']}：{zh}",
            f"Sample of {s['size']}, seed {s['seed']}: {en}",
        )
    if not document["samples"]:
        yield Text("未抽样", "No sample was drawn")
    for f in document["findings"]:
        what = f"{f['manager'] or ''} {f['text']}".strip()
        yield Text(
            f"稽核问题 {f['number']}：{what}；{f['resolved'] or '未整改'}",
            f"Finding {f['number']}: {what}; {f['resolved'] or 'open'}",
        )
