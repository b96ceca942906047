"""考核单的选定: which statement is meant, where a person has several in a period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import Declined, NextAct, NotFound, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.identifiers import Period
    from projections.records.rulebooks import Rulebooks
    from projections.records.statements import Issued, Statements


class NoStatement(NotFound):
    """A person without a statement in a period, or without one under a rulebook."""

    def __init__(self, manager: str, period: Period, rulebook: str | None) -> None:
        under = Text(f"按 {rulebook} 的", f" under {rulebook}") if rulebook else Text("", "")
        super().__init__(
            Text(
                f"{manager} 在 {period} 没有{under.zh}考核单；可用 as_of 查看按现有记录试算的结果，"
                "或先结算",
                f"{manager} has no statement for {period}{under.en}: give as_of for what it would "
                "say by now, or settle it first",
            ),
            NextAct("settle", {"period": str(period)}),
        )


class NoSuchVersion(NotFound):
    """A statement version that was never issued."""

    def __init__(self, number: int, latest: int) -> None:
        super().__init__(
            Text(
                f"没有第 {number} 版，最新为第 {latest} 版",
                f"no version {number}; the latest is {latest}",
            )
        )


class SeveralRulebooks(Declined):
    """A person with statements under several rulebooks, none of which is named."""

    def __init__(self, rulebooks: Sequence[str]) -> None:
        listed = ", ".join(rulebooks)
        super().__init__(
            Text(
                f"有多个办法的考核单：{listed}；请指明办法（rulebook）",
                f"statements under several rulebooks: {listed}; name one (rulebook)",
            )
        )


def find_statement(
    statements: Statements,
    rulebooks: Rulebooks,
    manager: str,
    period: Period,
    rulebook: str | None,
    number: int | None,
) -> Issued:
    """A statement version, or the latest that stands. Raises NotFound, SeveralRulebooks.

    Under `ID` or `ID@VERSION`; where none is named under the one of those that stand by which the
    branch pays, else under the only one settled.
    """
    if rulebook:
        rulebooks.named(rulebook, None)  # there may be no such rulebook
    issued = statements.of_manager(manager, str(period), rulebook)
    if not issued:
        raise NoStatement(manager, period, rulebook)
    standing = statements.standing(str(period), [manager]).get(manager) or issued
    chosen = issued[-1].rulebook if rulebook else _choose_rulebook(rulebooks, standing, period)
    versions = [row for row in issued if row.rulebook == chosen]
    if number is None:
        numbers = {row.number for row in standing if row.rulebook == chosen}
        return ([row for row in versions if row.number in numbers] or versions)[-1]
    for row in versions:
        if row.number == number:
            return row
    raise NoSuchVersion(number, versions[-1].number)


def in_force_at(
    statements: Statements, manager: str, period: str, rulebook: str, position: int
) -> Issued | None:
    """The statement version under a rulebook that was the latest as of a ledger position."""
    issued = statements.of_manager(manager, period, rulebook)
    return next((row for row in reversed(issued) if row.position <= position), None)


def _choose_rulebook(rulebooks: Rulebooks, issued: list[Issued], period: Period) -> str:
    settled = list(dict.fromkeys(row.rulebook for row in issued))
    paying = rulebooks.pays_by(issued[-1].branch, period.last)
    candidates = [name for name in settled if name in paying] or settled
    if len(candidates) > 1:
        raise SeveralRulebooks(candidates)
    return candidates[0]
