"""层层稽核: what was done under grants, by team, branch and over all, by class and month."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.numbers import plain

if TYPE_CHECKING:
    from datetime import date

    from projections.records.grants import Grants, UseFilter

LEVELS = ("all", "branch", "team")


class Line(NamedTuple):
    """Where a total stands: of which level, what, which class, which month."""

    level: str
    branch: str | None
    team: str | None
    month: str
    kind: str


@dataclass
class Total:
    """Recorded uses, their counts and yuan; how many are beyond their grant, open, open after their
    deadline.
    """

    uses: int = 0
    count: int = 0
    amount: Decimal = Decimal()
    over_limit: int = 0
    open: int = 0
    overdue: int = 0

    def add(
        self, amount: str | None, times: int, over: int, is_open: int, *, overdue: bool
    ) -> None:
        """One recorded use more; its count may be above one."""
        self.uses += 1
        self.count += times
        self.amount += Decimal(amount or 0)
        self.over_limit += over
        self.open += is_open
        self.overdue += overdue


def report(
    grants: Grants, wanted: UseFilter, *, today: date, as_of: int | None = None
) -> list[dict[str, Any]]:
    """The totals of the uses wanted, as of a position: those over all only where no branch is
    named, of branches where no team is.
    """
    levels = LEVELS[(wanted.branch is not None) + (wanted.team is not None) :]
    totals: dict[Line, Total] = {}
    for branch, team, month, kind, amount, times, over, is_open, deadline in grants.figures(
        wanted, as_of
    ):
        overdue = bool(is_open) and today.isoformat() > deadline
        for level in levels:
            line = Line(
                level,
                branch if level != "all" else None,
                team if level == "team" else None,
                month,
                kind,
            )
            totals.setdefault(line, Total()).add(amount, times, over, is_open, overdue=overdue)
    ordered = sorted(
        totals.items(), key=lambda item: (LEVELS.index(item[0].level), *(x or "" for x in item[0]))
    )
    return [
        line._asdict() | vars(total) | {"amount": plain(total.amount)} for line, total in ordered
    ]
