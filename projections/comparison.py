"""比较: what an evaluation gives against another, or against what was settled: who gains, who loses, by which step."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from domain.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.evaluating import BranchEvaluation


@dataclass(frozen=True)
class Difference:
    """One person's figures on both sides; None: not there."""

    manager: str
    branch: str
    period: str
    rulebook: str
    step: str  # the figure compared: pay, or the rulebook's last step
    before: str | None
    after: str | None
    steps: tuple[tuple[str, str | None, str | None], ...]  # that differ

    @property
    def amount(self) -> Decimal:
        """After − before; who is absent on a side has 0 there."""
        return _figure(self.after) - _figure(self.before)

    def as_json(self) -> dict[str, Any]:
        """The difference as data."""
        return {
            "manager": self.manager,
            "branch": self.branch,
            "period": self.period,
            "rulebook": self.rulebook,
            "step": self.step,
            "before": self.before,
            "after": self.after,
            "difference": plain(self.amount),
            "steps": [{"step": s, "before": b, "after": a} for s, b, a in self.steps],
        }


def _figure(text: str | None) -> Decimal:
    try:
        return Decimal(text or 0)
    except InvalidOperation:
        return Decimal(0)  # a word, such as a band: it differs, and has no amount


def compare(evaluation: BranchEvaluation, before: Mapping[str, Mapping[str, str]]) -> list[Difference]:
    """Everyone whose figures differ between what was before (manager → steps) and the evaluation."""
    book = evaluation.program.rulebook
    step = "pay" if book.pays else book.steps[-1].step
    after = {statement.manager: statement.steps for statement in evaluation.statements}
    found = []
    for manager in sorted({*before, *after}):
        old, new = before.get(manager, {}), after.get(manager, {})
        names = list(dict.fromkeys([*new, *old]))
        changed = tuple((n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n))
        if changed:
            where = manager, evaluation.branch, evaluation.period, book.id
            found.append(Difference(*where, step, old.get(step), new.get(step), changed))
    return found


def summary(
    against: str, differences: Sequence[Difference], evaluations: Sequence[BranchEvaluation], before: Decimal
) -> dict[str, Any]:
    """The comparison as data: totals, gainers and losers, by period and branch, and everyone who differs."""
    amounts = [difference.amount for difference in differences]
    change = sum(amounts, Decimal(0))
    people = sum(len(evaluation.statements) for evaluation in evaluations)
    groups: dict[tuple[str, str, str], list[Difference]] = {}
    for difference in differences:
        groups.setdefault((difference.period, difference.branch, difference.rulebook), []).append(difference)
    return {
        "against": against,
        "totals": {
            "before": plain(before),
            "after": plain(before + change),
            "difference": plain(change),
            "gainers": sum(amount > 0 for amount in amounts),
            "losers": sum(amount < 0 for amount in amounts),
            "managers": people,
        },
        "groups": [
            {
                "period": period,
                "branch": branch,
                "rulebook": rulebook,
                "difference": plain(sum((d.amount for d in of), Decimal(0))),
                "gainers": sum(d.amount > 0 for d in of),
                "losers": sum(d.amount < 0 for d in of),
            }
            for (period, branch, rulebook), of in groups.items()
        ],
        "differences": [d.as_json() for d in sorted(differences, key=lambda d: (-abs(d.amount), d.period, d.manager))],
    }
