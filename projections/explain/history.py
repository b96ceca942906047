"""历史: everything that happened to a person in a period, in ledger order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.errors import NotFound, Text
from domain.fact_kinds import KIND_CODES
from domain.ledger.event_json import instant
from domain.ledger.events import EntryRecorded
from projections.facts.moments import position_of
from projections.month.cycle import Cycle

if TYPE_CHECKING:
    from domain.identifiers import Period
    from projections.models import ReadModels


def history(
    models: ReadModels,
    manager: str,
    period: Period,
    rulebook: str | None = None,
    as_of: str | None = None,
) -> dict[str, Any]:
    """All statement versions and entries of a person and period, in ledger order, with who, when
    and why.

    Under one rulebook: `ID` or `ID@VERSION`; as of a moment. Raises NotFound where there are none,
    or no such rulebook.
    """
    last = position_of(models.ledger, as_of)
    if rulebook:
        models.rulebooks.named(rulebook, None)
    issued = models.statements.of_manager(manager, str(period), rulebook)
    rows = models.facts.of_manager(manager, 0, period.last.index, as_of=models.ledger.position())
    mine = (rows["kind"] == KIND_CODES["assignment"]) | (rows["month"] >= period.first.index)
    positions = rows["position"][mine].tolist()
    items: list[dict[str, Any]] = []
    for position, event in models.ledger.events_at(positions).items():
        assert isinstance(event, EntryRecorded)
        why = getattr(event.entry, "reason", None)
        items.append(
            {
                "position": position,
                "type": "entry",
                "entry": event.entry.content(),
                "by": event.by,
                "at": instant(event.at),
                "why": why or event.entry.note,
            }
        )
    before: dict[str, dict[str, str]] = {}
    resettled = {
        branch: Cycle(models, period, branch).state().resettled
        for branch in {row.branch for row in issued}
    }
    for row in issued:
        old = before.get(row.rulebook, {})
        changed = [
            {"step": step, "before": old.get(step), "after": row.steps.get(step)}
            for step in dict.fromkeys([*row.steps, *old])
            if old and old.get(step) != row.steps.get(step)
        ]
        before[row.rulebook] = row.steps
        items.append(
            {
                "position": row.position,
                "type": "statement",
                "version": row.number,
                "rulebook": {"id": row.rulebook, "version": row.version},
                "branch": row.branch,
                "as_of": row.as_of,
                "digest": row.digest,
                "steps": row.steps,
                "warnings": row.warnings,
                "changed": changed,
                "by": row.by,
                "at": row.at,
                "why": next(
                    (r.reason for r in reversed(resettled[row.branch]) if row.digest in r.digests),
                    None,
                ),
            }
        )
    for paid in models.payments.of_manager(manager, str(period)):
        closing = models.payments.closing(paid.branch, paid.period)
        assert closing is not None
        items.append(
            {"type": "payment", **paid._asdict(), "by": closing.by, "at": closing.at, "why": None}
        )
    items = [item for item in items if item["position"] <= last]
    if not items:
        raise NotFound(
            Text(
                f"账本中没有 {manager} 到 {period} 为止的任何记录；请核对员工编号",
                f"the ledger has nothing of {manager} up to {period}: check the manager's id",
            )
        )
    return {
        "manager": manager,
        "period": str(period),
        "events": sorted(items, key=lambda item: item["position"]),
    }
