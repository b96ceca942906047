"""Replays in words: totals, findings, who differs, and why."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.progress import Progress

from api.cli.printing.lines import findings, put_table, say
from domain.errors import Text
from domain.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from decimal import Decimal

    from rich.console import Console

    from api.documents.parts.rows import EvaluationRows
    from api.documents.replays import ReplayedRows
    from projections.replay.causes import TotalCauses, Unattributed
    from projections.replay.comparison import Comparison, Difference, StepChange

SHOWN = 20  # rows of a long list
SHOWN_STEPS, SHOWN_FINDINGS = 4, 3  # of one person
SHOW_PROGRESS_AFTER_SECONDS = 1
DIFFERENCE_COLUMNS = (
    Text("周期", "period"),
    Text("客户经理", "manager"),
    Text("原", "before"),
    Text("现", "after"),
    Text("差额", "difference"),
    Text("变动步骤", "steps that differ"),
)
CAUSE_COLUMNS = (
    Text("周期", "period"),
    Text("客户经理", "manager"),
    Text("差额", "difference"),
    Text("规则", "rules"),
    Text("本人记录", "own entries"),
    Text("本人冲销", "own reversals"),
    Text("其他人", "others"),
    Text("（交互）", "(interaction)"),
    Text("因何变动", "moved by"),
)


def replay(document: ReplayedRows, language: str) -> None:
    """A replay: totals, findings, and who differs."""
    for each in document.evaluations:
        evaluation(each, language)
    if document.comparison:
        comparison(document.comparison, language)
    say(
        language,
        f"以上只是计算，没有改动任何考核单；重放编号 {document.id}。",
        f"This was computed only; no statement has changed. It is replay {document.id}.",
    )


def evaluation(document: EvaluationRows, language: str) -> None:
    """A branch's totals, or why it is refused."""
    rules = document.rulebook
    name = f"{document.period} {document.branch} {rules.id} {rules.version}"
    if document.findings:
        say(language, f"{name}：", f"{name}:")
        findings(document.findings, language)
        return
    people, pay = document.totals["managers"], document.totals.get("pay")
    paid = Text(f"，合计 {pay} 元", f", {pay} yuan") if pay else Text("", "")
    digest = f"{document.digest[:16]}…"
    say(
        language,
        f"{name}：{people} 人{paid.zh}；摘要 {digest}",
        f"{name}: {people} people{paid.en}; digest {digest}",
    )


def comparison(document: Comparison, language: str) -> None:
    """Who gains and who loses."""
    totals = document.totals
    change = f"{plain(totals.before)} → {plain(totals.after)}"
    difference = signed(totals.difference)
    say(
        language,
        f"与 {document.against} 比较：{change}，差额 {difference}；"
        f"增 {totals.gainers} 人，减 {totals.losers} 人，共 {totals.managers} 人",
        f"against {document.against}: {change}, {difference}; "
        f"{totals.gainers} gain, {totals.losers} lose, of {totals.managers}",
    )
    for refused in document.refused:
        name = f"{refused.period} {refused.branch} {refused.rulebook}"
        say(
            language,
            f"{name} 被拒绝计算，未参与比较",
            f"{name} is refused, and left out of the comparison",
        )
    rows = (
        (
            each.period,
            each.manager,
            each.before or "–",
            each.after or "–",
            signed(each.difference),
            steps(each.steps[:SHOWN_STEPS]),
        )
        for each in document.differences[:SHOWN]
    )
    put_table([column.in_language(language) for column in DIFFERENCE_COLUMNS], rows)
    if (more := len(document.differences) - SHOWN) > 0:
        say(
            language,
            f"……另有 {more} 人（--json 或 --csv 给出全部）",
            f"… and {more} more (--json or --csv gives all)",
        )
    if document.causes and document.differences:
        causes(document.causes, document.differences, language)


def steps(changes: Sequence[StepChange]) -> str:
    """The steps that differ, with what they were and are."""
    return ", ".join(f"{each.step} {each.before}→{each.after}" for each in changes)


def causes(document: TotalCauses, differences: Sequence[Difference], language: str) -> None:
    """Where each difference comes from, and whose causes are unknown."""
    say(language, "差额的来源：", "Where the differences come from:")
    rows = (
        (
            each.period,
            each.manager,
            signed(each.difference),
            *parts(each),
            each.why.in_language(language) if each.why else "",
        )
        for each in differences[:SHOWN]
    )
    put_table([column.in_language(language) for column in CAUSE_COLUMNS], rows)
    say(language, document.attribution.zh, document.attribution.en)
    for each_unknown in document.unparted:
        unattributed(each_unknown, language)


def parts(difference: Difference) -> list[str]:
    """The parts of a difference; those that are unknown as a dash."""
    of = difference.causes
    if of is None:
        return ["–"] * 5
    amounts = (of.rule, of.entries, of.reversals, of.others, of.interaction)
    return ["–" if amount is None else signed(amount) for amount in amounts]


def unattributed(document: Unattributed, language: str) -> None:
    """Whose causes are unknown, and why."""
    named = (document.period, document.branch, document.manager)
    name = " ".join(part for part in named if part)
    if document.part == "baseline":
        say(
            language,
            f"{name}：没有结算过，差额无从分解",
            f"{name}: never settled, so there is nothing to part",
        )
        return
    listed = "; ".join(finding.text.both for finding in document.findings[:SHOWN_FINDINGS])
    say(
        language,
        f"{name}：来源说不清（{document.part}），按中间一步计算会被拒绝：{listed}",
        f"{name}: the causes cannot be told ({document.part}): what stands between is refused: "
        f"{listed}",
    )


def signed(amount: Decimal | str) -> str:
    """A difference with its sign."""
    text = amount if isinstance(amount, str) else plain(amount)
    return text if text.startswith("-") or text == "0" else f"+{text}"


@contextmanager
def progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal, gone when the work is done; elsewhere a line, once the work has taken a
    second.
    """
    began = monotonic()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def report(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of)
            if not console.is_terminal and monotonic() - began > SHOW_PROGRESS_AFTER_SECONDS:
                console.print(f"{what} {done}/{of}")

        yield report
