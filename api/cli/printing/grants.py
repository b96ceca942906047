"""Grants, their uses, totals and samples in words, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import say
from domain.errors import Text
from domain.processes.grant_terms import KINDS
from domain.rights import LABELS, Role

if TYPE_CHECKING:
    from api.documents.grants import (
        Grant,
        GrantAt,
        GrantReport,
        Grants,
        GrantTotal,
        Sample,
        Use,
        UseAt,
        Uses,
    )

_OUTCOMES = {"correction": Text("整改", "corrected"), "finding": Text("稽核结论", "finding")}


def grant_at(done: GrantAt, language: str) -> None:
    """A grant that was made or ended."""
    grant(done.grant, language)


def grants(listed: Grants, language: str) -> None:
    """Every grant in a line."""
    for one in listed.grants:
        grant(one, language)


def grant(one: Grant, language: str) -> None:
    """A grant in a line."""
    holder = Text(one.account, one.account) if one.account else LABELS[Role(one.role or "")]
    place = "/".join(filter(None, (one.branch, one.team)))
    limit = Text(f"每月 {one.limit_amount} 元", f"{one.limit_amount} yuan a month")
    if one.limit_count is not None:
        limit = Text(f"每月 {one.limit_count} 次", f"{one.limit_count} use(s) a month")
    zh = (
        f"{one.id}：{one.label.zh}，{place} 的 {holder.zh}，{limit.zh}，"
        f"{one.from_} 至 {one.until}，负责人 {one.owner}"
    )
    en = (
        f"{one.id}: {one.label.en} by {holder.en} in {place}, {limit.en}, "
        f"{one.from_} to {one.until}, owner {one.owner}"
    )
    if ended := one.ended:
        zh += f"；{ended.by} 终止，最后一天 {ended.last_day}：{ended.reason}"
        en += f"; ended by {ended.by}, last day {ended.last_day}: {ended.reason}"
    say(language, zh, en)


def use_at(done: UseAt, language: str) -> None:
    """A use that was recorded, corrected or audited."""
    use(done.use, language)


def uses(listed: Uses, language: str) -> None:
    """Every use, with its lines."""
    for one in listed.uses:
        use(one, language)


def use(one: Use, language: str) -> None:
    """A use in a line; in others why it is beyond the grant, who answers, and what became of it."""
    quantity = Text(f"{one.count} 次", f"{one.count} use(s)")
    if one.amount is not None:
        quantity = Text(f"{one.amount} 元", f"{one.amount} yuan")
    deed = f"{one.what}（{one.customer}，{one.why}）"
    say(
        language,
        f"{one.id} {one.day} {one.by} 用 {one.grant}：{deed} {quantity.zh}，当月累计 {one.total}",
        f"{one.id} {one.day} {one.by} used {one.grant}: {deed} {quantity.en}, "
        f"{one.total} this month",
    )
    for reason in one.reasons:
        say(language, f"  ! {reason.message}", f"  ! {reason.message}")
    if one.open:
        late = Text("，已逾期", ", overdue") if one.overdue else Text("", "")
        say(
            language,
            f"  责任人 {one.accountable}，限 {one.deadline} 整改完毕{late.zh}："
            f"merit grant correct {one.id} --text 说明",
            f"  {one.accountable} answers until {one.deadline}{late.en}: "
            f"merit grant correct {one.id} --text WORDS",
        )
    for outcome in one.outcomes:
        kind, made = _OUTCOMES[outcome.kind], f"{outcome.by} {outcome.at[:10]}"
        say(
            language,
            f"  {kind.zh}（{made}）：{outcome.text}",
            f"  {kind.en} ({made}): {outcome.text}",
        )


def report(made: GrantReport, language: str) -> None:
    """Every total in a line."""
    for total in made.totals:
        _total(total, language)


def _total(total: GrantTotal, language: str) -> None:
    place, kind = _place_of(total), KINDS[total.kind]
    say(
        language,
        f"{place.zh} {total.month} {kind.zh}：{total.uses} 笔 {total.count} 次 {total.amount} 元；"
        f"越权 {total.over_limit}，未了结 {total.open}，逾期 {total.overdue}",
        f"{place.en} {total.month} {kind.en}: {total.uses} recorded, {total.count} use(s), "
        f"{total.amount} yuan; "
        f"{total.over_limit} over the limit, {total.open} open, {total.overdue} overdue",
    )


def _place_of(total: GrantTotal) -> Text:
    if total.level == "all":
        return Text("全部", "all")
    if total.level == "branch":
        return Text(f"{total.branch} 合计", f"{total.branch} in all")
    return Text(
        f"{total.branch}/{total.team or '无班组'}", f"{total.branch}/{total.team or 'no team'}"
    )


def sample(drawn: Sample, language: str) -> None:
    """A sample: how it came about, then its uses."""
    count = len(drawn.uses)
    say(
        language,
        f"样本 {drawn.id}：{drawn.population} 笔中抽 {count} 笔，种子 {drawn.seed}",
        f"sample {drawn.id}: {count} of {drawn.population} uses, seed {drawn.seed}",
    )
    for one in drawn.uses:
        use(one, language)
