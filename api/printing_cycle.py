"""A branch's month in words: its steps, what was paid, posted, drawn, and what came late."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from api.printing import moment, say
from domain.appeal import DECISIONS, STATES
from domain.rights import LABELS, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_ITEMS = {"back_pay": ("补发", "back pay"), "clawback": ("扣回", "clawback")}


def table(language: str, zh: Sequence[str], en: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under heads in the language asked for."""
    shown = Table(*(en if language == "en" else zh), box=None)
    for row in rows:
        shown.add_row(*row)
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160).print(shown)


def _word(words: dict[str, tuple[str, str]], key: str, language: str) -> str:
    return words[key][language == "en"]


def cycle(found: dict[str, Any], language: str) -> None:
    """The thirteen steps, one a line, and what stands beside them."""
    state = found["state"]
    say(
        language,
        f"分公司 {found['branch']}　{found['period']}　{_word(_MONTHS, state, 'zh')}",
        f"Branch {found['branch']}, {found['period']}: {_word(_MONTHS, state, 'en')}",
    )
    rows = []
    for step in found["steps"]:
        mark = ("逾期", "overdue")[language == "en"] if step["overdue"] else ""
        owners = ("、" if language == "zh" else ", ").join(
            LABELS[Role(r)].in_language(language) for r in step["owners"]
        )
        who = f"{step['by']} {moment(step['at'])}" if step["by"] else owners
        what = f"{_word(_STATES, step['state'], language)} {mark}".strip()
        rows.append((f"{step['number']}. {step['step']}", step["label"][language], step["due"], what, who))
    table(language, ("步骤", "内容", "截止", "状态", "经办"), ("step", "what", "due", "state", "who"), rows)
    for finding in found["findings"]:
        mended = finding["resolved"]
        say(
            language,
            f"稽核问题 {finding['number']}：{finding['manager'] or ''} {finding['text']}　{mended or '未整改'}",
            f"Finding {finding['number']}: {finding['manager'] or ''} {finding['text']}: {mended or 'open'}",
        )
    if found["closed"]:
        say(
            language,
            f"由 {found['closed']['by']} 封账，应发合计 {found['closed']['payable']} 元；迟到记录 {found['late']} 条",
            f"Closed by {found['closed']['by']}, {found['closed']['payable']} yuan payable; "
            f"{found['late']} late entries",
        )


def closed(found: dict[str, Any], language: str) -> None:
    """Who was paid what."""
    say(
        language,
        f"{found['branch']} {found['period']} 已封账：{found['managers']} 人，"
        f"薪酬 {found['pay']} 元，应发 {found['payable']} 元",
        f"{found['period']} of {found['branch']} is closed: {found['managers']} people, pay {found['pay']}, "
        f"payable {found['payable']} yuan",
    )
    if found["late"]:
        say(
            language,
            f"结算之后到达的记录 {found['late']} 条未计入，重新结算时补发或扣回",
            f"{found['late']} entries came after the settlement and are not in it: a resettlement posts them",
        )
    changed = [p for p in found["payments"] if (p["back_pay"], p["clawback"], p["carried"]) != ("0", "0", "0")]
    rows = [tuple(p[k] for k in ("manager", "pay", "back_pay", "clawback", "carried", "payable")) for p in changed]
    if rows:
        zh = ("客户经理", "薪酬", "补发", "扣回", "转下月", "应发")
        table(language, zh, ("manager", "pay", "back pay", "clawback", "carried", "payable"), rows)


def resettled(found: dict[str, Any], language: str) -> None:
    """What was posted to whom."""
    postings = found["postings"]
    if not postings:
        say(language, "与已发和已补扣的没有差别，没有补发或扣回", "Nothing differs from what was paid and posted.")
        return
    rows = []
    for p in postings:
        versions = f"{p['from_version'] or '—'} → {p['to_version'] or '—'}"
        rows.append((p["manager"], _word(_ITEMS, p["item"], language), p["amount"], p["month"], versions))
    zh = ("客户经理", "补发/扣回", "金额（元）", "计入月份", "考核单版本")
    table(language, zh, ("manager", "posting", "yuan", "into", "statement versions"), rows)


def sample(found: dict[str, Any], language: str) -> None:
    """Who was drawn, and by which seed."""
    say(language, f"种子 {found['seed']}", f"Seed {found['seed']}")
    say(language, "抽中：" + "、".join(found["managers"]), "Drawn: " + ", ".join(found["managers"]))


def late(found: Sequence[dict[str, Any]], language: str) -> None:
    """Every late entry, with its effect."""
    if not found:
        say(language, "没有迟到的记录", "No entry came late.")
        return
    rows = []
    for line in found:
        entry = line["entry"]
        what = f"{entry['kind']} {entry.get('manager') or entry.get('branch') or ''} {entry.get('item') or ''}".strip()
        key = f"{entry['source']}:{entry['source_id']}"
        rows.append((str(line["position"]), key, what, line["by"], moment(line["at"]), line["effect"] or "—"))
    zh = ("位置", "记录", "内容", "经办", "时间", "影响（元）")
    table(language, zh, ("position", "entry", "what", "who", "when", "effect, yuan"), rows)


def memo(found: dict[str, Any]) -> None:
    """The document, as it is sent."""
    sys.stdout.write(f"{found['text']}\n摘要 {found['digest']}\n")


def appeals(found: Sequence[dict[str, Any]], language: str) -> None:
    """Appeals, one a line."""
    rows = [
        (a["appeal"], STATES[a["state"]].in_language(language), a["manager"], a["period"], a["branch"], a["reason"])
        for a in found
    ]
    zh = ("申诉", "状态", "客户经理", "考核月", "分公司", "理由")
    table(language, zh, ("appeal", "state", "manager", "period", "branch", "reason"), rows)


def appeal(found: dict[str, Any], language: str) -> None:
    """How an appeal stands: what is disputed, what was brought forward and decided, and what it changed for whom."""
    state = STATES[found["state"]]
    say(
        language,
        f"申诉 {found['appeal']}　{state.zh}　{found['manager']} {found['period']}，"
        f"考核单第 {found['statement']['version']} 版",
        f"Appeal {found['appeal']}: {state.en}; {found['manager']} {found['period']}, "
        f"statement {found['statement']['version']}",
    )
    say(language, f"理由：{found['reason']}", f"Reason: {found['reason']}")
    steps = found["statement"]["steps"]
    for line in found["lines"]:
        say(language, f"异议：{line} = {steps[line]}", f"Disputed: {line} = {steps[line]}")
    for e in found["evidence"]:
        what = e["name"] or (f"replay {e['replay']}" if e["replay"] else "")
        say(language, f"证据 {e['number']}：{e['note']} {what}", f"Evidence {e['number']}: {e['note']} {what}")
    for p in found["proposals"]:
        say(
            language,
            f"更正 {p['number']}（{p['by']}）：{len(p['entries'])} 条记录",
            f"Correction {p['number']} ({p['by']}): {len(p['entries'])} entries",
        )
    for d in found["decisions"]:
        word = DECISIONS[d["decision"]]
        say(
            language,
            f"裁决：{word.zh}（{d['by']}，{moment(d['at'])}）：{d['reason']}",
            f"Decision: {word.en} ({d['by']}, {moment(d['at'])}): {d['reason']}",
        )
    for c in found["carried_out"]:
        say(
            language,
            f"执行：薪酬 {c['before']} → {c['after']} 元，差额计入 {c['month'] or '—'}",
            f"Carried out: pay {c['before']} → {c['after']} yuan, the difference is paid in {c['month'] or '—'}",
        )
    if found["postings"]:
        resettled(found, language)
