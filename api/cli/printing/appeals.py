"""Appeals in words: what is disputed, what was brought forward and decided, and what it changed for
whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.cli.printing.cycles import postings, table
from api.cli.printing.statements import moment, say
from api.documents.cycles import Posting
from domain.errors import Text
from domain.processes.appeal import DECISIONS, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

FIGURES = ("points", "quantity", "score", "amount", "value")
WHAT = {
    "appeal-filed": ("提出申诉", "filed"),
    "appeal-accepted": ("受理", "accepted"),
    "appeal-rejected": ("不予受理", "rejected"),
    "evidence-attached": ("补充证据", "evidence attached"),
    "correction-proposed": ("提出更正", "correction proposed"),
    "appeal-decided": ("裁决", "decided"),
    "appeal-carried-out": ("执行", "carried out"),
    "appeal-notified": ("告知本人", "person notified"),
    "appeal-withdrawn": ("撤回", "withdrawn"),
    "review-requested": ("申请复核", "review asked for"),
}


def appeals(found: Sequence[dict[str, Any]], language: str) -> None:
    """Appeals, one a line."""
    rows = [
        (
            a["appeal"],
            STATES[a["state"]].in_language(language),
            a["manager"],
            a["period"],
            a["branch"],
            a["reason"],
        )
        for a in found
    ]
    zh = ("申诉", "状态", "客户经理", "考核月", "分公司", "理由")
    table(language, zh, ("appeal", "state", "manager", "period", "branch", "reason"), rows)


def appeal(found: dict[str, Any], language: str) -> None:
    """How an appeal stands."""
    state = STATES[found["state"]]
    number = found["statement"]["version"]
    say(
        language,
        f"申诉 {found['appeal']}　{state.zh}　{found['manager']} {found['period']}，考核单第 "
        f"{number} 版",
        f"Appeal {found['appeal']}: {state.en}; {found['manager']} {found['period']}, statement "
        f"{number}",
    )
    late = (
        Text("（超过申诉期限）", " (after the window)") if found["filed"]["late"] else Text("", "")
    )
    say(language, f"理由{late.zh}：{found['reason']}", f"Reason{late.en}: {found['reason']}")
    if found["objection_until"]:
        say(
            language,
            f"申诉截至 {found['objection_until']}，裁决截至 {found['decision_until']}",
            f"Objections until {found['objection_until']}, decision until "
            f"{found['decision_until']}",
        )
    _disputed(found["disputed"], language)
    _brought_forward(found, language)
    _decided(found, language)
    for event in found["history"]:
        what = WHAT.get(event["what"], (event["what"], event["what"]))[language == "en"]
        line = f"{moment(event['at'])}  {event['by']}  {what}"
        say(language, line, line)


def _disputed(lines: Sequence[dict[str, Any]], language: str) -> None:
    for line in lines:
        label = line["label"][language]
        say(
            language,
            f"异议：{label}（{line['step']}）= {line['value']}，条款 {line['clause']}",
            f"Disputed: {label} ({line['step']}) = {line['value']}, clause {line['clause']}",
        )
        for behind in line["entries"]:
            entry = behind["entry"]
            figure = next((entry[name] for name in FIGURES if name in entry), "")
            key, what = (
                f"{entry['source']}:{entry['source_id']}",
                f"{entry.get('item', '')} {figure}",
            )
            told = f"  {behind['position']}  {key}  {what}  {behind['by']} {moment(behind['at'])}"
            say(language, told, told)


def _brought_forward(found: dict[str, Any], language: str) -> None:
    for e in found["evidence"]:
        what = e["name"] or (f"replay {e['replay']}" if e["replay"] else "")
        say(
            language,
            f"证据 {e['number']}：{e['note']} {what}",
            f"Evidence {e['number']}: {e['note']} {what}",
        )
    for p in found["proposals"]:
        note = p["note"] or ""
        say(
            language,
            f"更正 {p['number']}（{p['by']}）：{note}",
            f"Correction {p['number']} ({p['by']}): {note}",
        )
        for entry in p["entries"]:
            told = "  " + " ".join(str(part) for part in _parts(entry) if part)
            say(language, told, told)


def _parts(entry: dict[str, Any]) -> list[object]:
    """What an entry says, in the order in which people look for it."""
    named = entry.get("reverses") or {}
    taken_back = f"{named.get('source')}:{named.get('source_id')}" if named else ""
    figures = [entry.get(name) for name in FIGURES]
    return [
        entry.get("kind"),
        entry.get("manager"),
        entry.get("month"),
        entry.get("item"),
        *figures,
        taken_back,
    ]


def _decided(found: dict[str, Any], language: str) -> None:
    if rejected := found["rejected"]:
        label, by = rejected["label"][language], f"{rejected['by']} {moment(rejected['at'])}"
        say(
            language,
            f"不予受理：{label}，{rejected['reason']}（{by}）",
            f"Rejected: {label}, {rejected['reason']} ({by})",
        )
    for d in found["decisions"]:
        word, by = DECISIONS[d["decision"]], f"{d['by']} {moment(d['at'])}"
        late = ("，逾期", ", overdue")[language == "en"] if d["late"] else ""
        by += late
        say(
            language,
            f"裁决：{word.zh}（{by}）：{d['reason']}",
            f"Decision: {word.en} ({by}): {d['reason']}",
        )
    for c in found["carried_out"]:
        say(
            language,
            f"执行：薪酬 {c['before']} → {c['after']} 元，差额计入 {c['month'] or '—'}",
            f"Carried out: pay {c['before']} → {c['after']} yuan, the difference is paid in "
            f"{c['month'] or '—'}",
        )
    if found["postings"]:
        postings([Posting(**p) for p in found["postings"]], language)
