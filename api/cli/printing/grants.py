"""What `merit grant` prints for people: a grant, use or total in a line. It formats and computes
nothing.
"""

from __future__ import annotations

from typing import Any

from api.cli.printing.statements import say
from domain.errors import Text
from domain.processes.grant_terms import KINDS
from domain.rights import LABELS, Role


def print_grant(g: dict[str, Any], language: str) -> None:
    """A grant in a line."""
    holder = Text(g["account"], g["account"]) if g["account"] else LABELS[Role(g["role"])]
    place = "/".join(part for part in (g["branch"], g["team"]) if part)
    limit = Text(f"每月 {g['limit_amount']} 元", f"{g['limit_amount']} yuan a month")
    if g["limit_count"] is not None:
        limit = Text(f"每月 {g['limit_count']} 次", f"{g['limit_count']} use(s) a month")
    label, first, last, owner = g["label"], g["from"], g["until"], g["owner"]
    zh = f"{g['id']}：{label['zh']}，{place} 的 {holder.zh}，{limit.zh}，{first} 至 {last}，负责人 {owner}"
    en = f"{g['id']}: {label['en']} by {holder.en} in {place}, {limit.en}, {first} to {last}, owner {owner}"
    if ended := g["ended"]:
        zh += f"；{ended['by']} 终止，最后一天 {ended['last_day']}：{ended['reason']}"
        en += f"; ended by {ended['by']}, last day {ended['last_day']}: {ended['reason']}"
    say(language, zh, en)


def print_use(u: dict[str, Any], language: str) -> None:
    """A use in a line, and what is beyond the grant or became of it in others."""
    much = f"{u['amount']} 元" if u["amount"] is not None else f"{u['count']} 次"
    many = f"{u['amount']} yuan" if u["amount"] is not None else f"{u['count']} use(s)"
    said = f"{u['what']}（{u['customer']}，{u['why']}）"
    say(
        language,
        f"{u['id']} {u['day']} {u['by']} 用 {u['grant']}：{said} {much}，当月累计 {u['total']}",
        f"{u['id']} {u['day']} {u['by']} used {u['grant']}: {said} {many}, {u['total']} this month",
    )
    for reason in u["reasons"]:
        say(language, *[f"  ! {reason['message']}"] * 2)
    if u["open"]:
        late, answers = ("，已逾期", ", overdue") if u["overdue"] else ("", ""), u["accountable"]
        say(
            language,
            f"  责任人 {answers}，限 {u['deadline']} 整改完毕{late[0]}：merit grant correct "
            f"{u['id']} --text 说明",
            f"  {answers} answers until {u['deadline']}{late[1]}: merit grant correct {u['id']} "
            "--text WORDS",
        )
    for outcome in u["outcomes"]:
        kind = {"correction": Text("整改", "corrected"), "finding": Text("稽核结论", "finding")}[
            outcome["kind"]
        ]
        say(
            language,
            f"  {kind.zh}（{outcome['by']} {outcome['at'][:10]}）：{outcome['text']}",
            f"  {kind.en} ({outcome['by']} {outcome['at'][:10]}): {outcome['text']}",
        )


def print_total(t: dict[str, Any], language: str) -> None:
    """A total in a line."""
    whole = {"all": ("全部", "all"), "branch": (f"{t['branch']} 合计", f"{t['branch']} in all")}
    team = (f"{t['branch']}/{t['team'] or '无班组'}", f"{t['branch']}/{t['team'] or 'no team'}")
    place = whole.get(t["level"], team)[language == "en"]
    kind = KINDS[t["kind"]]
    say(
        language,
        f"{place} {t['month']} {kind.zh}：{t['uses']} 笔 {t['count']} 次 {t['amount']} 元；"
        f"越权 {t['over_limit']}，未了结 {t['open']}，逾期 {t['overdue']}",
        f"{place} {t['month']} {kind.en}: {t['uses']} recorded, {t['count']} use(s), {t['amount']} "
        "yuan; "
        f"{t['over_limit']} over the limit, {t['open']} open, {t['overdue']} overdue",
    )


def print_sample(sample: dict[str, Any], language: str) -> None:
    """A sample: how it came about, then its uses."""
    s, drawn = sample, len(sample["uses"])
    say(
        language,
        f"样本 {s['id']}：{s['population']} 笔中抽 {drawn} 笔，种子 {s['seed']}",
        f"sample {s['id']}: {drawn} of {s['population']} uses, seed {s['seed']}",
    )
    for use in s["uses"]:
        print_use(use, language)
