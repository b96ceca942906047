"""Rulebooks, and what branches pay by, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import put_table, put_text, say
from api.cli.printing.replays import signed
from domain.errors import Text
from domain.rulebook.differences import PARTS

if TYPE_CHECKING:
    from api.documents.rulebooks import (
        BranchRulebooks,
        Checked,
        Impact,
        Published,
        RulebookChange,
        RulebookChanges,
        Rulebooks,
        RulebookText,
    )
    from api.documents.settlements import Promotions

SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": "↕"}
COLUMNS = (
    Text("编号", "id"),
    Text("版本", "version"),
    Text("周期", "period"),
    Text("生效", "from"),
    Text("名称", "title"),
    Text("来源", "source"),
)


def checked(document: Checked, language: str) -> None:
    """A rulebook that holds."""
    name = f"{document.id} {document.version}"
    say(
        language,
        f"通过：{name}，{document.steps} 个步骤，{document.examples} 个例子",
        f"holds: {name}, {document.steps} steps, {document.examples} examples",
    )


def publication(
    document: Published, language: str, *, effective_from: str | None, dry_run: bool
) -> None:
    """A publication and its impact; `effective_from` is the month that was asked for."""
    since = document.effective_from
    if not document.new:
        done = Text(
            f"此前已发布，自 {since} 起生效，未作更改",
            f"was published before, from {since} on; nothing changed",
        )
    elif dry_run:
        done = Text("可以发布", "may be published")
    else:
        done = Text("已发布", "published")
    name, digest = f"{document.id} {document.version}", document.digest
    say(
        language,
        f"{done.zh}：{name}，账本位置 {document.position}，摘要 {digest}",
        f"{done.en}: {name}, ledger position {document.position}, digest {digest}",
    )
    if effective_from and effective_from != since:
        say(
            language,
            f"--from {effective_from} 没有采用：已发布的版本自 {since} 起生效，不再更改；"
            "要换月份请换版本号",
            f"--from {effective_from} was not taken: the published version stands from {since} on "
            "and never changes; for another month publish it under a version of its own",
        )
    impact_on_pay(document.impact, language)


def impact_on_pay(impact: Impact | None, language: str) -> None:
    """What a publication does to the months last settled."""
    if impact is None:
        say(
            language,
            "影响：还没有按此办法结算过的月份可以比较",
            "impact: no month is settled under this rulebook yet, so there is nothing to compare",
        )
        return
    totals, months = impact.totals, len(impact.months)
    change = signed(totals.difference)
    say(
        language,
        f"影响（最近结算的 {months} 个分公司月）：{totals.before} → {totals.after}，差额 {change}；"
        f"增 {totals.gainers} 人，减 {totals.losers} 人，共 {totals.managers} 人",
        f"impact on the {months} branch periods last settled: {totals.before} → {totals.after}, "
        f"{change}; {totals.gainers} gain, {totals.losers} lose, of {totals.managers}",
    )
    for month in impact.refused:
        name = f"{month.branch} {month.period}"
        say(
            language,
            f"  {name} 将被拒绝计算：{month.findings} 个问题",
            f"  {name} would be refused: {month.findings} finding(s)",
        )


def rulebooks(document: Rulebooks, language: str) -> None:
    """The published rulebooks."""
    rows = (
        (
            row.id,
            row.version,
            row.period,
            row.effective_from,
            row.title.in_language(language),
            row.source.in_language(language),
        )
        for row in document.rulebooks
    )
    put_table([column.in_language(language) for column in COLUMNS], rows)


def text(document: RulebookText, language: str) -> None:  # noqa: ARG001
    """The text as it was published."""
    put_text(document.text)


def changes(document: RulebookChanges, language: str) -> None:
    """What differs, a part a line, its fields below."""
    a, b = (f"{rules.id} {rules.version}" for rules in (document.from_, document.to))
    if not document.changes:
        say(language, f"{a} 与 {b} 没有差别", f"{a} and {b} do not differ")
        return
    count = len(document.changes)
    say(language, f"{a} → {b}，{count} 处不同：", f"{a} → {b}, {count} difference(s):")
    for change in document.changes:
        for line in change_lines(change, language):
            say(language, line, line)


def change_lines(change: RulebookChange, language: str) -> list[str]:
    """A part that differs, and its fields."""
    part, label = PARTS[change.part].in_language(language), change.label.in_language(language)
    name = change.name if label == change.name else f"{change.name} {label}"
    clause = f" 〔{change.clause}〕" if change.clause else ""
    fields = [
        f"      {field.field}: {field.before or '–'} → {field.after or '–'}"
        for field in change.fields
    ]
    return [f"  {SIGNS[change.change]} {part} {name}{clause}", *fields]


def branch_rulebooks(document: BranchRulebooks, language: str) -> None:
    """What a branch pays by."""
    listed = ", ".join(document.rulebooks)
    say(
        language,
        f"分公司 {document.branch} 的计薪办法：{listed}",
        f"branch {document.branch} pays by: {listed}",
    )


def promotions(document: Promotions, language: str) -> None:
    """Who stands for promotion and for exit, each with the figures of the statement."""
    if not (document.promotion or document.exit):
        say(
            language,
            f"{document.branch} {document.period} 没有晋升或淘汰对象（按已结算的考核单）",
            f"nobody of {document.branch} stands for promotion or exit in {document.period}, by "
            "what is settled",
        )
    for word, candidates in (
        (Text("晋升对象", "for promotion"), document.promotion),
        (Text("淘汰对象", "for exit"), document.exit),
    ):
        for one in candidates:
            label = one.label.in_language(language)
            figures = "; ".join(f"{f.label.in_language(language)} {f.value}" for f in one.figures)
            say(
                language,
                f"{word.zh}：{one.manager}（{one.team}）{label} = {one.value}　"
                f"{one.rulebook} {one.version} 第 {one.statement} 版〔{one.clause}〕",
                f"{word.en}: {one.manager} ({one.team}) {label} = {one.value}, "
                f"{one.rulebook} {one.version}, statement {one.statement} [{one.clause}]",
            )
            say(language, f"    {figures}", f"    {figures}")
