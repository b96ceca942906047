"""What closing and resettling answer, at every door."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.numbers import plain

if TYPE_CHECKING:
    from projections.month.cycle import Cycle
    from projections.service import Service


def closed_json(cycle: Cycle, position: int) -> dict[str, Any]:
    """What a closing has paid, and what it left out: entries that came after the settlement."""
    payments = cycle.models.payments.paid(cycle.branch, str(cycle.period))
    return {
        "branch": cycle.branch,
        "period": str(cycle.period),
        "position": position,
        "managers": len(payments),
        "pay": plain(sum((Decimal(paid.pay) for paid in payments), Decimal(0))),
        "payable": plain(sum((Decimal(paid.payable) for paid in payments), Decimal(0))),
        "late": len(cycle.late_positions()),
        "payments": [paid.as_json() for paid in payments],
    }


def resettled_json(
    service: Service, cycle: Cycle, reason: str, by: str, appeal: str | None
) -> dict[str, Any]:
    """Resettles, and says what was settled and posted."""
    done = service.resettle(cycle, reason, by=by, appeal=appeal)
    return {
        "branch": cycle.branch,
        "period": str(cycle.period),
        "position": done.position,
        "settlements": list(done.settlements),
        "postings": [posted.as_json() for posted in done.postings],
    }
