"""申诉 as data: the disputed statement and lines with the entries behind them, what was brought
forward and decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.identifiers import Period
from domain.ledger.event_json import instant
from domain.processes.appeal import REJECTIONS
from projections.appeals import process
from projections.explain.derivation import derived

if TYPE_CHECKING:
    from datetime import datetime

    from domain.evaluation.trace import StepTrace
    from domain.ledger.events import EvidenceAttached
    from domain.processes.appeal import Appeal
    from projections.models import ReadModels
    from projections.records.statements import Issued


def appeal_page(models: ReadModels, name: str, as_of: int | None = None) -> dict[str, Any]:
    """The appeal with the disputed statement, its evidence, decisions, and what they changed for
    whom.

    As it was as of a position. Raises NotFound.
    """
    appeal = models.appeals.get(name, as_of)
    filed = appeal.filed
    issued = models.find_statement(
        filed.manager, Period.parse(filed.period), filed.rulebook, filed.version
    )
    objection, decision = process.windows(models, appeal, as_of)
    posted = [p for p in models.payments.posted(filed.branch, filed.period) if p.appeal == name]
    posted = [p for p in posted if as_of is None or p.position <= as_of]
    return {
        "appeal": name,
        "state": appeal.state,
        "version": appeal.version,
        "manager": filed.manager,
        "period": filed.period,
        "branch": filed.branch,
        "team": filed.team,
        "rulebook": {"id": issued.rulebook, "version": issued.version},
        "statement": {"version": filed.version, "steps": issued.steps},
        "lines": list(filed.lines),
        "disputed": _disputed(models, appeal, issued),
        "reason": filed.reason,
        "filed": {"by": filed.by, "at": instant(filed.at), "late": _is_late(filed.at, objection)},
        "rejected": _rejection(appeal),
        "objection_until": objection,
        "decision_until": decision,
        "evidence": [_evidence(number, event) for number, event in enumerate(appeal.evidence, 1)],
        "proposals": [
            {
                "number": number,
                "note": p.note,
                "entries": list(p.entries),
                "by": p.by,
                "at": instant(p.at),
            }
            for number, p in enumerate(appeal.proposals, 1)
        ],
        "decisions": [
            {
                "decision": d.decision,
                "reason": d.reason,
                "proposal": d.proposal,
                "by": d.by,
                "at": instant(d.at),
                "late": _is_late(d.at, decision),
            }
            for d in appeal.decisions
        ],
        "carried_out": [
            {
                "entries": list(c.entries),
                "resettled": c.resettled,
                "before": c.before,
                "after": c.after,
                "month": c.month,
                "at": instant(c.at),
            }
            for c in appeal.carried_out
        ],
        "postings": [p.as_json() for p in posted],
        "talks": [
            talk._asdict()
            for talk in models.people.page(filed.manager).feedback
            if talk.period == filed.period
        ],
        "history": [
            {"what": type(event).TOPIC, "by": event.by, "at": instant(event.at)}
            for event in appeal.history
        ],
    }


def _disputed(models: ReadModels, appeal: Appeal, issued: Issued) -> list[dict[str, Any]]:
    """The lines that are disputed, each with its value, clause and the entries behind it."""
    if not appeal.filed.lines:
        return []
    steps, entries = derived(models, issued)
    by_name = {step.step: step for step in steps}
    return [
        {
            "step": step.step,
            "label": {"zh": step.label.zh, "en": step.label.en},
            "value": step.value,
            "unit": step.unit,
            "clause": step.clause,
            "entries": [
                entries[at]._asdict() for at in sorted(_behind(step, by_name)) if at in entries
            ],
        }
        for step in steps
        if step.step in appeal.filed.lines
    ]


def _behind(step: StepTrace, by_name: dict[str, StepTrace]) -> set[int]:
    """The ledger positions behind a step and all the steps that it reads."""
    found, waiting, seen = set[int](), [step.step], set[str]()
    while waiting:
        if (name := waiting.pop()) in by_name and name not in seen:
            seen.add(name)
            found |= {*by_name[name].positions}
            waiting += [read.name for read in by_name[name].reads if read.kind == "step"]
    return found


def _is_late(at: datetime, last_day: str | None) -> bool:
    """Whether it came after the last day of its window, if that has begun."""
    return last_day is not None and at.date().isoformat() > last_day


def _rejection(appeal: Appeal) -> dict[str, Any] | None:
    if (event := appeal.rejected) is None:
        return None
    label = REJECTIONS[event.code]._asdict()
    return {
        "code": event.code,
        "label": label,
        "reason": event.reason,
        "by": event.by,
        "at": instant(event.at),
    }


def _evidence(number: int, event: EvidenceAttached) -> dict[str, Any]:
    return {
        "number": number,
        "note": event.note,
        "name": event.name,
        "media_type": event.media_type,
        "digest": event.digest,
        "replay": event.replay,
        "digests": list(event.digests),
        "by": event.by,
        "at": instant(event.at),
    }
