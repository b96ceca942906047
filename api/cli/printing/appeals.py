"""Appeals in words: what is disputed, what was brought forward and decided, and what it changed for
whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.cycles import postings, table
from api.cli.printing.lines import moment, say
from domain.errors import Text
from domain.processes.appeal import DECISIONS, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from api.documents.appeals import AppealList, AppealState, DisputedLine

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


def appeals(found: AppealList, language: str) -> None:
    """Appeals, one a line."""
    rows = [
        (
            row.appeal,
            STATES[row.state].in_language(language),
            row.manager,
            row.period,
            row.branch,
            row.reason,
        )
        for row in found.appeals
    ]
    zh = ("申诉", "状态", "客户经理", "考核月", "分公司", "理由")
    table(language, zh, ("appeal", "state", "manager", "period", "branch", "reason"), rows)


def appeal(found: AppealState, language: str) -> None:
    """What is disputed, what was brought forward and decided, and the history."""
    state, number = STATES[found.state], found.statement.version
    say(
        language,
        f"申诉 {found.appeal}　{state.zh}　{found.manager} {found.period}，考核单第 {number} 版",
        f"Appeal {found.appeal}: {state.en}; {found.manager} {found.period}, statement {number}",
    )
    late = Text("（超过申诉期限）", " (after the window)") if found.filed.late else Text("", "")
    say(language, f"理由{late.zh}：{found.reason}", f"Reason{late.en}: {found.reason}")
    if found.objection_until:
        say(
            language,
            f"申诉截至 {found.objection_until}，裁决截至 {found.decision_until}",
            f"Objections until {found.objection_until}, decision until {found.decision_until}",
        )
    _disputed(found.disputed, language)
    _brought_forward(found, language)
    _decided(found, language)
    for event in found.history:
        what = WHAT.get(event.what, (event.what, event.what))[language == "en"]
        line = f"{moment(event.at)}  {event.by}  {what}"
        say(language, line, line)


def _disputed(lines: Sequence[DisputedLine], language: str) -> None:
    for line in lines:
        label = line.label.in_language(language)
        say(
            language,
            f"异议：{label}（{line.step}）= {line.value}，条款 {line.clause}",
            f"Disputed: {label} ({line.step}) = {line.value}, clause {line.clause}",
        )
        for behind in line.entries:
            entry = behind.entry
            figure = next((entry[name] for name in FIGURES if name in entry), "")
            key = f"{entry['source']}:{entry['source_id']}"
            what = f"{entry.get('item', '')} {figure}"
            words = f"  {behind.position}  {key}  {what}  {behind.by} {moment(behind.at)}"
            say(language, words, words)


def _brought_forward(found: AppealState, language: str) -> None:
    for evidence in found.evidence:
        what = evidence.name or (f"replay {evidence.replay}" if evidence.replay else "")
        say(
            language,
            f"证据 {evidence.number}：{evidence.note} {what}",
            f"Evidence {evidence.number}: {evidence.note} {what}",
        )
    for proposal in found.proposals:
        note = proposal.note or ""
        say(
            language,
            f"更正 {proposal.number}（{proposal.by}）：{note}",
            f"Correction {proposal.number} ({proposal.by}): {note}",
        )
        for entry in proposal.entries:
            words = "  " + " ".join(str(part) for part in _entry_parts(entry) if part)
            say(language, words, words)


def _entry_parts(entry: Mapping[str, object]) -> Iterator[object]:
    """The fields of an entry in the order in which people look for them; what it reverses last."""
    for name in ("kind", "manager", "month", "item", *FIGURES):
        yield entry.get(name)
    reverses = entry.get("reverses")
    if isinstance(reverses, dict):
        yield f"{reverses.get('source')}:{reverses.get('source_id')}"


def _decided(found: AppealState, language: str) -> None:
    if rejected := found.rejected:
        label, by = rejected.label.in_language(language), f"{rejected.by} {moment(rejected.at)}"
        say(
            language,
            f"不予受理：{label}，{rejected.reason}（{by}）",
            f"Rejected: {label}, {rejected.reason} ({by})",
        )
    for decision in found.decisions:
        word, by = DECISIONS[decision.decision], f"{decision.by} {moment(decision.at)}"
        if decision.late:
            by += ("，逾期", ", overdue")[language == "en"]
        say(
            language,
            f"裁决：{word.zh}（{by}）：{decision.reason}",
            f"Decision: {word.en} ({by}): {decision.reason}",
        )
    for done in found.carried_out:
        month = done.month or "—"
        say(
            language,
            f"执行：薪酬 {done.before} → {done.after} 元，差额计入 {month}",
            f"Carried out: pay {done.before} → {done.after} yuan, the difference is paid in "
            f"{month}",
        )
    if found.postings:
        postings(found.postings, language)
