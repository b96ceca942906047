"""部门联系单: the document by which a branch's results go to HR: what was settled, who did which step."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import rfc8785

from domain.branch_month import STEPS
from domain.numbers import plain

if TYPE_CHECKING:
    from projections.cycles import Cycle


def memo_of(cycle: Cycle) -> dict[str, Any]:
    """The document, its words in Chinese, and its SHA-256 over canonical JSON. Raises Declined: nothing is settled."""
    state = cycle.state()
    settlements = cycle.settlements()
    document: dict[str, Any] = {
        "branch": cycle.branch,
        "period": str(cycle.period),
        "settlements": [
            {
                "settlement": s.position,
                "rulebook": s.rulebook,
                "version": s.version,
                "as_of": s.as_of,
                "digest": s.digest,
                "managers": s.people,
                "pay": plain(sum((_pay(row.steps) for row in cycle.book.statements.of_settlement(s)), Decimal(0))),
            }
            for s in settlements
        ],
        "steps": [
            {"step": step.code, "label": step.label.zh, "by": done.by, "at": done.at, "times": done.times}
            for step in STEPS
            if (done := state.done.get(step.code)) is not None
        ],
        "samples": [{"seed": o.seed, "size": o.size, "settlement": o.settlement} for o in state.samples],
        "findings": [finding._asdict() for finding in state.findings],
    }
    digest = hashlib.sha256(rfc8785.dumps(document)).hexdigest()
    return {"digest": digest, "text": _text(document), "document": document}


def _pay(steps: dict[str, str]) -> Decimal:
    return Decimal(steps.get("pay", 0))


def _text(document: dict[str, Any]) -> str:
    lines = [
        "部门联系单",
        f"主送：人力资源部　　考核月：{document['period']}　　分公司：{document['branch']}",
        "",
        *(
            f"结算 {s['settlement']}（{s['rulebook']} {s['version']}）：{s['managers']} 人，薪酬合计 {s['pay']} 元，"
            f"计入账本至 {s['as_of']}，摘要 {s['digest']}"
            for s in document["settlements"]
        ),
        "",
        *(f"{s['label']}：{s['by']}　{s['at'][:19]}" for s in document["steps"]),
        "",
        *(f"抽样 {s['size']} 人，种子 {s['seed']}" for s in document["samples"]),
        *(
            f"稽核问题 {f['number']}：{f['manager'] or ''} {f['text']}；{f['resolved'] or '未整改'}"
            for f in document["findings"]
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"
