"""A branch's month in words: its steps, what was paid, posted, drawn, and what came late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import moment, put_table, put_text, say
from domain.entries.kinds import KINDS
from domain.rights import LABELS, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.documents.cycles import (
        AuditFinding,
        ClosedMonth,
        CycleState,
        Drawn,
        LateEvidence,
        Memo,
        Publication,
        Resettled,
    )
    from api.documents.parts.postings import Posting

_STATES = {
    "done": ("已完成", "done"),
    "outdated": ("须重办", "to be done again"),
    "ready": ("可办理", "ready"),
    "blocked": ("等待前序", "blocked"),
}
_MONTHS = {
    "closed": ("已封账", "closed"),
    "published": ("已公示", "published"),
    "open": ("进行中", "open"),
    "new": ("未开始", "not begun"),
}
AFTER = {"close": ("封账后", "after close"), "publication": ("公示后", "after publication")}
_ITEMS = {"back_pay": ("补发", "back pay"), "clawback": ("扣回", "clawback")}


def table(
    language: str, zh: Sequence[str], en: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Rows under heads in the language asked for."""
    put_table(en if language == "en" else zh, rows)


def _word(words: dict[str, tuple[str, str]], key: str, language: str) -> str:
    return words[key][language == "en"]


def cycle(found: CycleState, language: str) -> None:
    """The thirteen steps, one a line, and what stands beside them."""
    state = found.state
    say(
        language,
        f"分公司 {found.branch}　{found.period}　{_word(_MONTHS, state, 'zh')}",
        f"Branch {found.branch}, {found.period}: {_word(_MONTHS, state, 'en')}",
    )
    rows = []
    for step in found.steps:
        mark = ("逾期", "overdue")[language == "en"] if step.overdue else ""
        owners = ("、" if language == "zh" else ", ").join(
            LABELS[Role(r)].in_language(language) for r in step.owners
        )
        who = f"{step.by} {moment(step.at)}" if step.at else owners
        what = f"{_word(_STATES, step.state, language)} {mark}".strip()
        rows.append(
            (f"{step.number}. {step.step}", step.label.in_language(language), step.due, what, who)
        )
    table(
        language,
        ("步骤", "内容", "截止", "状态", "经办"),
        ("step", "what", "due", "state", "who"),
        rows,
    )
    for step in found.steps:
        if step.note:
            say(
                language,
                f"{step.step} 说明：{step.note}",
                f"{step.step}, note: {step.note}",
            )
    if found.published_at:
        say(
            language,
            f"{moment(found.published_at)} 公示；申诉截至 {found.objection_until}，"
            f"裁决截至 {found.decision_until}",
            f"Published {moment(found.published_at)}; objections until "
            f"{found.objection_until}, "
            f"decisions until {found.decision_until}",
        )
    for drawn in found.samples:
        sample(drawn, language)
    for one in found.findings:
        finding(one, language)
    if found.closed:
        say(
            language,
            f"由 {found.closed.by} 封账，应发合计 {found.closed.payable} 元；迟到记录 "
            f"{found.late} 条",
            f"Closed by {found.closed.by}, {found.closed.payable} yuan payable; "
            f"{found.late} late entries",
        )


def finding(found: AuditFinding, language: str) -> None:
    """What an audit found, of whom, by whom and when; whether it holds up the closing; how it was
    resolved.
    """
    about = f"{found.manager} " if found.manager else ""
    by = f"{found.by} {moment(found.at)}"
    if found.resolved and found.resolved_at:
        how = f"{found.resolved}，{found.resolved_by} {moment(found.resolved_at)}"
        state = (f"已销号：{how}", f"resolved: {how.replace('，', ', ')}")
    elif found.blocking:
        state = ("未整改，不能封账", "open, holds up the closing")
    else:
        state = ("未整改，不影响封账", "open, does not hold up the closing")
    say(
        language,
        f"稽核问题 {found.number}：{about}{found.text}（{by}）　{state[0]}",
        f"Finding {found.number}: {about}{found.text} ({by}): {state[1]}",
    )


def publication(found: Publication, language: str) -> None:
    """Everyone's places, tiers and total, as published; all points of each are in the data."""
    say(
        language,
        f"分公司 {found.branch}　{found.period}　{moment(found.published_at)} 公示，"
        f"申诉截至 {found.objection_until}",
        f"Branch {found.branch}, {found.period}: published {moment(found.published_at)}, "
        f"objections until {found.objection_until}",
    )
    for rulebook, steps in found.steps.items():
        last = [step.step for step in steps if step.unit == "point"][-1:]
        shown = [step for step in steps if step.unit in {"place", "tier"} or step.step in last]
        people = [row for row in found.people if row.rulebook == rulebook]
        rows = [
            (row.manager, row.team, *(row.steps.get(step.step, "—") for step in shown))
            for row in people
        ]
        labels = [step.label.in_language(language) for step in shown]
        table(language, ("客户经理", "班组", *labels), ("manager", "team", *labels), rows)


def closed(found: ClosedMonth, language: str) -> None:
    """Who was paid what."""
    say(
        language,
        f"{found.branch} {found.period} 已封账：{found.managers} 人，"
        f"薪酬 {found.pay} 元，应发 {found.payable} 元",
        f"{found.period} of {found.branch} is closed: {found.managers} people, pay "
        f"{found.pay}, "
        f"payable {found.payable} yuan",
    )
    if found.late:
        say(
            language,
            f"结算之后到达的记录 {found.late} 条未计入，重新结算时补发或扣回",
            f"{found.late} entries came after the settlement and are not in it: a resettlement "
            "posts them",
        )
    changed = [p for p in found.payments if (p.back_pay, p.clawback, p.carried) != ("0", "0", "0")]
    rows = [
        tuple(
            getattr(p, k) for k in ("manager", "pay", "back_pay", "clawback", "carried", "payable")
        )
        for p in changed
    ]
    if rows:
        zh = ("客户经理", "薪酬", "补发", "扣回", "转下月", "应发")
        table(language, zh, ("manager", "pay", "back pay", "clawback", "carried", "payable"), rows)


def resettled(found: Resettled, language: str) -> None:
    """What was posted to whom."""
    if not found.postings:
        say(
            language,
            "与已发和已补扣的没有差别，没有补发或扣回",
            "Nothing differs from what was paid and posted.",
        )
        return
    postings(found.postings, language)


def postings(posted: Sequence[Posting], language: str) -> None:
    """Postings, one a line."""
    rows = []
    for p in posted:
        versions = f"{p.from_version or '—'} → {p.to_version or '—'}"
        rows.append((p.manager, _word(_ITEMS, p.item, language), p.amount, p.month, versions))
    zh = ("客户经理", "补发/扣回", "金额（元）", "计入月份", "考核单版本")
    table(language, zh, ("manager", "posting", "yuan", "into", "statement versions"), rows)


def sample(found: Drawn, language: str) -> None:
    """Who was drawn, and by which seed."""
    say(
        language,
        f"抽样 {found.size} 人（{found.by} {moment(found.at)}，种子 {found.seed}）："
        f"{'、'.join(found.managers)}",
        f"Sample of {found.size} ({found.by} {moment(found.at)}, seed {found.seed}): "
        f"{', '.join(found.managers)}",
    )


def late(found: LateEvidence, language: str) -> None:
    """Every late entry, with its effect."""
    if not found.late:
        say(language, "没有迟到的记录", "No entry came late.")
        return
    rows = []
    for line in found.late:
        entry, about = line.entry, line.about
        kind = KINDS[entry["kind"]].name.in_language(language)
        what = " ".join(
            str(part) for part in (kind, about["manager"] or about["branch"], about["item"]) if part
        )
        key = f"{entry['source']}:{entry['source_id']}"
        after = AFTER[line.after][language == "en"]
        rows.append(
            (
                str(line.position),
                key,
                what,
                line.by,
                moment(line.at),
                after,
                line.effect or "—",
            )
        )
    zh = ("位置", "记录", "内容", "经办", "时间", "迟到", "影响（元）")
    table(language, zh, ("position", "entry", "what", "who", "when", "late", "effect, yuan"), rows)


def memo(found: Memo, language: str) -> None:
    """The document, as it is sent."""
    put_text(found.text.in_language(language))
    say(language, f"摘要 {found.digest}", f"Digest {found.digest}")
