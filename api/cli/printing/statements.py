"""What the command line prints for people: plain lines, Chinese by default. It formats and computes
nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from domain.entries.entry import KINDS
from domain.errors import Text
from domain.evaluation.nearest import change_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.acts.entries import ImportReport
    from domain.errors import Finding
    from domain.evaluation.trace import StepTrace
    from domain.rulebook.model import Rulebook
    from projections.explain.derivation import EntryBehind, Explanation
    from projections.month.settle import Settled
    from projections.records.statements import Issued

KIND_NAMES = dict(
    zip(
        KINDS,
        (
            Text("任职", "assignment"),
            Text("扣减", "deduction"),
            Text("产品发展", "sale"),
            Text("评价", "rating"),
            Text("调整", "adjustment"),
            Text("指标值", "measure"),
            Text("冲销", "reversal"),
        ),
        strict=True,
    )
)
FIELDS = (
    "item",
    "points",
    "quantity",
    "amount",
    "score",
    "value",
    "rater",
    "role",
    "grade",
    "reason",
    "note",
)

POSTED = {"back_pay": Text("补发", "back pay"), "clawback": Text("扣回", "clawback")}


def say(language: str, zh: str, en: str) -> None:
    """One line in the language asked for."""
    sys.stdout.write((en if language == "en" else zh) + "\n")


def import_report(report: ImportReport, language: str, *, dry_run: bool) -> None:
    """What became of the lines of the files."""
    n, d, bad = report.accepted, report.duplicates, len(report.rejected)
    done = ("可记入", "would be accepted") if dry_run else ("记入", "accepted")
    say(
        language,
        f"{done[0]} {n}，重复 {d}，拒绝 {bad}；账本位置 {report.position}",
        f"{done[1]} {n}, duplicates {d}, rejected {bad}; ledger position {report.position}",
    )
    for row in report.rejected:
        say(language, f"{row.file} 第 {row.line} 行：", f"{row.file}, line {row.line}:")
        for reason in row.reasons:
            say(language, f"  · {reason.told(language)}", f"  - {reason.told(language)}")
    for item in report.unknown_items:
        say(
            language,
            f"未知项目 {item}：已记入，但没有办法读取它",
            f"unknown item {item}: recorded, but no rulebook reads it",
        )


def findings(found: Sequence[Finding], language: str) -> None:
    """Why an evaluation is refused."""
    say(
        language,
        f"未结算，共 {len(found)} 个问题：",
        f"nothing is settled; {len(found)} finding(s):",
    )
    for finding in found:
        entry = f" [{finding.entry}]" if finding.entry else ""
        say(language, f"  · {finding.text.zh}{entry}", f"  - {finding.text.en}{entry}")


def settled(results: Sequence[Settled], language: str) -> None:
    """The recorded settlements."""
    for result in results:
        e, book = result.evaluation, result.evaluation.program.rulebook
        totals = e.totals()
        pay = totals.get("pay")
        zh = f"已结算 {e.period} {e.branch}：{book.title.zh}（{book.id} {book.version}），{totals['managers']} 人"
        en = f"settled {e.period} {e.branch}: {book.title.en} ({book.id} {book.version}), {totals['managers']} people"
        say(
            language,
            zh + (f"，合计 {pay} 元" if pay else ""),
            en + (f", {pay} yuan in all" if pay else ""),
        )
        say(
            language,
            f"结算编号 {result.id}，摘要 {e.digest}",
            f"settlement {result.id}, digest {e.digest}",
        )


def payout(p: dict[str, Any], language: str) -> None:
    """What the month pays, where other months have posted something into it; and what was
    posted.
    """
    carried = p["carried"]
    say(
        language,
        f"应发：{p['payable']} 元 = 薪酬 {p['pay']} + 补发 {p['back_pay']} − 扣回 {p['clawback']}"
        + (f"（另有 {carried} 元转下月扣回）" if carried != "0" else ""),
        f"Payable: {p['payable']} yuan = pay {p['pay']} + back pay {p['back_pay']} - clawback "
        f"{p['clawback']}"
        + (f" (another {carried} is carried to the next month)" if carried != "0" else ""),
    )
    for posted in p["postings"]:
        versions = f"{posted['from_version'] or '—'} → {posted['to_version'] or '—'}"
        word = POSTED[posted["item"]]
        what = f"{posted['amount']}　{posted['period']} {posted['rulebook']}"
        say(
            language,
            f"  {word.zh} {what}（考核单第 {versions} 版，{posted['entry']}）",
            f"  {word.en} {what} (statement {versions}, {posted['entry']})",
        )


def alone(found: dict[str, Any], language: str) -> None:
    """A statement of postings alone."""
    say(
        language,
        f"{found['manager']}　{found['period']}：本月没有考核单，只有其他月份的补发或扣回",
        f"{found['manager']}, {found['period']}: no statement in this month, only what other "
        "months have posted",
    )
    payout(found["payment"], language)


def explanation(found: Explanation, language: str) -> None:
    """The whole derivation, as an auditor reads it aloud."""
    i, book, total = found.issued, found.rulebook, found.total
    say(
        language,
        f"{i.manager} {found.name}　{i.period}　分公司 {i.branch}　班组 {i.team}",
        f"{i.manager} {found.name}, {i.period}, branch {i.branch}, team {i.team}",
    )
    say(
        language,
        f"{total.label.zh}：{total.value_text('zh')}",
        f"{total.label.en}: {total.value_text('en')}",
    )
    if (p := found.payout) is not None and (p.back_pay, p.clawback, p.carried) != ("0", "0", "0"):
        payout(p.as_json(), language)
    say(
        language,
        f"依据：{book.title.zh}（{book.id} {book.version}）",
        f"Under: {book.title.en} ({book.id} {book.version})",
    )
    if found.provisional:
        say(
            language,
            f"未结算：按账本位置 {i.as_of} 之前的全部记录试算，不作记录",
            f"Not settled: evaluated on all up to ledger position {i.as_of}, and recorded nowhere",
        )
    else:
        settled_by(i, language)
    for number, step in enumerate(found.steps, 1):
        one_step(number, step, found, language)
    not_fired(found, language)
    if found.changes:
        say(
            language,
            "\n差多少就不同（只改一项本人数据，由同一计算得出）：",
            "\nThe smallest single changes that would have moved something:",
        )
    for change in found.changes:
        text = change_text(change, book)
        say(language, f"   – {text.zh}", f"   - {text.en}")
    for _, text in found.warnings():
        say(language, f"提示：{text.zh}", f"Note: {text.en}")
    if found.reversed_entries:
        say(language, "\n已冲销、不计入的记录：", "\nReversed entries, which do not count:")
        for entry in found.reversed_entries:
            say(
                language,
                f"    {behind(entry, found.rulebook, 'zh')}，被 {entry.reversed_by} 冲销",
                f"    {behind(entry, found.rulebook, 'en')}, reversed by {entry.reversed_by}",
            )


def settled_by(i: Issued, language: str) -> None:
    """Who issued a statement, when, and on what."""
    say(
        language,
        f"考核单第 {i.number} 版，{i.by} 于 {moment(i.at)} 结算，计入账本位置 {i.as_of} "
        "之前的全部记录",
        f"Statement version {i.number}, settled by {i.by} at {moment(i.at)}, on all up to ledger "
        f"position {i.as_of}",
    )


def one_step(number: int, step: StepTrace, found: Explanation, language: str) -> None:
    """A step: label, value, unit, clause; the formula in words and in figures; what bound; the
    entries behind it.
    """
    value = step.value_text(language)
    say(
        language,
        f"\n{number}. {step.label.zh} = {value} 〔{step.clause}〕",
        f"\n{number}. {step.label.en} = {value} [{step.clause}]",
    )
    formula, figures = step.formula.in_language(language), step.figures.in_language(language)
    say(language, f"   {formula}", f"   {formula}")
    if figures not in {formula, step.value}:
        say(language, f"   = {figures}", f"   = {figures}")
    for limit in step.limits:
        if limit.fired:
            say(language, f"   ▲ {limit.text.zh}", f"   ▲ {limit.text.en}")
    for position in step.positions:
        if entry := found.entries.get(position):
            told = behind(entry, found.rulebook, language)
        else:
            told = earlier(found.statements[position], language)
        say(language, f"     · {told}", f"     · {told}")


def earlier(row: Issued, language: str) -> str:
    """An earlier statement in one line: which, under what, who issued it and when."""
    zh = (
        f"考核单 {row.period} 第 {row.number} 版（{row.rulebook} {row.version}，分公司 "
        f"{row.branch}）；"
        f"{row.by} 于 {moment(row.at)} 结算，账本位置 {row.position}"
    )
    en = (
        f"statement {row.period}, version {row.number} ({row.rulebook} {row.version}, branch "
        f"{row.branch}); "
        f"settled by {row.by} at {moment(row.at)}, position {row.position}"
    )
    return Text(zh, en).in_language(language)


def not_fired(found: Explanation, language: str) -> None:
    """Caps, floors and bars that did not bind, and by how much."""
    quiet = [(step, limit) for step in found.steps for limit in step.limits if not limit.fired]
    if quiet:
        say(
            language,
            "\n未触发的封顶、保底和条件：",
            "\nCaps, floors and conditions that did not bind:",
        )
    for step, limit in quiet:
        say(
            language,
            f"   – 〔{step.clause}〕{limit.text.zh}（相差 {limit.distance}）",
            f"   - [{step.clause}] {limit.text.en} (off by {limit.distance})",
        )


def behind(entry: EntryBehind, rulebook: Rulebook, language: str) -> str:
    """An entry in one line: what, source and number, both dates, who."""
    e = entry.entry
    kind = KIND_NAMES[e["kind"]].in_language(language)
    label = rulebook.item_labels.get((e["kind"], e.get("item", "")))
    named = {"item": label.in_language(language)} if label else {}
    facts = " ".join(str((e | named)[name]) for name in FIELDS if name in e)
    scope = e.get("manager") or "/".join(e[name] for name in ("branch", "team") if name in e)
    happened, key = e.get("occurred_on"), f"{e['source']}:{e['source_id']}"
    month = e.get("month", "")
    if language == "en":
        when = f"occurred {happened}, " if happened else ""
        told = f"{when}recorded {moment(entry.at)} by {entry.by}, position {entry.position}"
        return f"{kind} {facts} ({scope}, {month}); {key}; {told}"
    when = f"发生于 {happened}，" if happened else ""
    told = f"{when}{entry.by} 记录于 {moment(entry.at)}，位置 {entry.position}"
    return f"{kind} {facts}（{scope}，{month}）；来源 {key}；{told}"


def moment(text: str) -> str:
    """A recorded moment to the second; `--json` has the microseconds."""
    return f"{text[:10]} {text[11:19]} UTC"


def history(found: dict[str, Any], language: str) -> None:
    """Everything in order."""
    for item in found["events"]:
        lead = f"{item['position']:>8}  {moment(item['at'])}  {item['by']}"
        if item["type"] == "entry":
            recorded(lead, item, language)
        elif item["type"] == "payment":
            say(
                language,
                f"{lead}  封账，应发 {item['payable']}",
                f"{lead}  closed, {item['payable']} yuan payable",
            )
        else:
            issued(lead, item, language)


def recorded(lead: str, item: dict[str, Any], language: str) -> None:
    """An entry of a history."""
    e = item["entry"]
    facts = " ".join(
        str(e[name]) for name in FIELDS if name in e and name not in {"reason", "note"}
    )
    target = f" → {e['reverses']['source']}:{e['reverses']['source_id']}" if "reverses" in e else ""
    line = f"{lead}  {KIND_NAMES[e['kind']].in_language(language)} {facts}{target} {e['source']}:{e['source_id']}"
    say(
        language,
        f"{line}（{item['why']}）" if item["why"] else line,
        f"{line} ({item['why']})" if item["why"] else line,
    )


def issued(lead: str, item: dict[str, Any], language: str) -> None:
    """A statement of a history, with what changed since the one before."""
    rules = f"{item['rulebook']['id']} {item['rulebook']['version']}"
    total = item["steps"].get("pay", list(item["steps"].values())[-1])
    zh, en = f"考核单第 {item['version']} 版", f"statement version {item['version']}"
    why = f"（{item['why']}）" if item["why"] else ""
    say(language, f"{lead}  {zh} {rules}：{total}{why}", f"{lead}  {en} {rules}: {total}{why}")
    for change in item["changed"]:
        say(
            language,
            f"            {change['step']}：{change['before']} → {change['after']}",
            f"            {change['step']}: {change['before']} → {change['after']}",
        )


def rebuilt(document: dict[str, dict[str, Any]], language: str) -> None:
    """The digests of the projections before and after."""
    for name, row in document.items():
        same = row["same"]
        say(
            language,
            f"{name}：{'一致' if same else '不一致，已按账本重建'}　{row['after']}",
            f"{name}: {'same' if same else 'DIFFERED, now as the ledger says'}  {row['after']}",
        )
