"""A recorded settlement in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.checks import check
from api.cli.printing.lines import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.documents.settlements import SettledBranch
    from projections.month.settle import Settled


def settled(document: SettledBranch, language: str) -> None:
    """The recorded settlements, then the month check."""
    settlements(document.settlements, language)
    check(document.check, language)


def settlements(recorded: Sequence[Settled], language: str) -> None:
    """Of each: how many people, what they come to, and the digest."""
    for settlement in recorded:
        evaluation = settlement.evaluation
        rules, totals = evaluation.program.rulebook, evaluation.totals()
        zh = (
            f"已结算 {evaluation.period} {evaluation.branch}：{rules.title.zh}"
            f"（{rules.id} {rules.version}），{totals.managers} 人"
        )
        en = (
            f"settled {evaluation.period} {evaluation.branch}: {rules.title.en} "
            f"({rules.id} {rules.version}), {totals.managers} people"
        )
        say(
            language,
            zh + (f"，合计 {totals.pay} 元" if totals.pay else ""),
            en + (f", {totals.pay} yuan in all" if totals.pay else ""),
        )
        say(
            language,
            f"结算编号 {settlement.id}，摘要 {evaluation.digest}",
            f"settlement {settlement.id}, digest {evaluation.digest}",
        )
