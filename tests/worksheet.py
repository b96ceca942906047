"""A worksheet: the few entries that a test of one rule needs, written short, and what the oracle
makes of them.
"""

from __future__ import annotations

from typing import Any

from tests.oracle import Result, evaluate

OCTOBER = "2026-10"


class Ledger(list[dict[str, Any]]):
    """Entries of October in branch B01, written as short as a test needs them."""

    def put(
        self, kind: str, manager: str | None = None, item: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        given = {"kind": kind, "manager": manager, "item": item, "month": OCTOBER, **fields}
        entry = {"source": "test", "source_id": str(len(self))} | {
            k: v for k, v in given.items() if v is not None
        }
        self.append(entry)
        return entry

    def hire(self, manager: str, grade: int = 6, **fields: Any) -> dict[str, Any]:
        place = {
            "branch": "B01",
            "team": "T1",
            "role": "customer_manager",
            "attributes": {},
            **fields,
        }
        return self.put("assignment", manager, name=manager, grade=grade, **place)

    def branch(self, item: str, value: str, **fields: Any) -> None:
        self.put("measure", item=item, value=value, **{"branch": "B01", **fields})

    def reverse(self, entry: dict[str, Any]) -> dict[str, Any]:
        key = {"source": entry["source"], "source_id": entry["source_id"]}
        return self.put("reversal", reverses=key, reason="录入错误", month=None)

    def rate_gs(self, manager: str, score: str) -> None:
        for dimension in ("customer_orientation", "initiative", "teamwork", "ability"):
            self.put("rating", manager, dimension, score=score)

    def evaluated(
        self, rulebook: str = "elastic-pay", period: str = OCTOBER, **options: Any
    ) -> Result:
        return evaluate(rulebook, self, period, "B01", **options)


def alone(ledger: Ledger, rulebook: str = "elastic-pay", period: str = OCTOBER) -> dict[str, str]:
    """The steps of the branch's only person."""
    result = ledger.evaluated(rulebook, period)
    assert result.refusals == []
    (steps,) = result.statements.values()
    return steps
