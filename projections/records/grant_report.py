"""层层稽核: totals of uses of grants, by team, branch and over all, by class and month."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from domain.numbers import plain

if TYPE_CHECKING:
    from datetime import date

    from projections.records.grants import Grants, UseFigures, UseFilter

LEVELS = ("all", "branch", "team")


class Line(NamedTuple):
    """What a total is of: a level, what of it, a class, a month."""

    level: str
    branch: str | None
    team: str | None
    month: str
    kind: str


@dataclass
class Total:
    """How many uses, their counts and yuan; how many are beyond their grant, open, overdue."""

    uses: int = 0
    count: int = 0
    amount: Decimal = Decimal()
    over_limit: int = 0
    open: int = 0
    overdue: int = 0

    def add(self, use: UseFigures, today: str) -> None:
        """Adds a use; its own count may be above one."""
        self.uses += 1
        self.count += use.count
        self.amount += Decimal(use.amount or 0)
        self.over_limit += use.is_over_limit
        self.open += use.is_open
        self.overdue += use.is_open and use.deadline is not None and today > use.deadline


@dataclass(frozen=True)
class GrantTotal:
    """A line of the report, with its total; `amount` in yuan."""

    level: str
    branch: str | None
    team: str | None
    month: str
    kind: str
    uses: int
    count: int
    amount: str
    over_limit: int
    open: int
    overdue: int


def report(
    grants: Grants, wanted: UseFilter, *, today: date, as_of: int | None = None
) -> list[GrantTotal]:
    """The totals of the uses wanted, as of a position, the widest level first.

    Without a branch from the total over all on, with a branch from its own on, with a team its own.
    """
    levels = LEVELS[(wanted.branch is not None) + (wanted.team is not None) :]
    totals: dict[Line, Total] = {}
    for use in grants.figures(wanted, as_of):
        for level in levels:
            totals.setdefault(_line(level, use), Total()).add(use, today.isoformat())
    return [_total(line, totals[line]) for line in sorted(totals, key=_order)]


def _line(level: str, use: UseFigures) -> Line:
    branch = use.branch if level != "all" else None
    team = use.team if level == "team" else None
    return Line(level, branch, team, use.month, use.kind)


def _order(line: Line) -> tuple[int, str, str, str, str]:
    level, branch, team, month, kind = line
    return LEVELS.index(level), branch or "", team or "", month, kind


def _total(line: Line, total: Total) -> GrantTotal:
    return GrantTotal(
        *line,
        uses=total.uses,
        count=total.count,
        amount=plain(total.amount),
        over_limit=total.over_limit,
        open=total.open,
        overdue=total.overdue,
    )
