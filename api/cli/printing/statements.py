"""What the command line prints for people: plain lines, Chinese by default. It formats and computes
nothing.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from domain.entries.entry import KINDS
from domain.errors import Text
from domain.evaluation.nearest import change_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from api.acts.entries import ImportReport
    from domain.errors import Finding
    from domain.evaluation.trace import StepTrace
    from domain.rulebook.model import Rulebook
    from projections.explain.derivation import EntryBehind, Explanation
    from projections.month.settle import Settled
    from projections.records.statements import Issued
    from projections.replay.replay import Answer

SHOWN = 20  # rows of a long list
SHOW_PROGRESS_AFTER_SECONDS = 1
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


def answer(found: Answer, language: str) -> None:
    """A replay: totals, findings, and who differs."""
    for e in found.evaluations:
        book, totals = e.program.rulebook, e.totals()
        if e.findings:
            say(
                language,
                f"{e.period} {e.branch} {book.id} {book.version}：",
                f"{e.period} {e.branch} {book.id} {book.version}:",
            )
            findings(e.findings, language)
            continue
        pay = totals.get("pay")
        zh = f"{e.period} {e.branch} {book.id} {book.version}：{totals['managers']} 人" + (
            f"，合计 {pay} 元" if pay else ""
        )
        en = f"{e.period} {e.branch} {book.id} {book.version}: {totals['managers']} people" + (
            f", {pay} yuan" if pay else ""
        )
        say(language, f"{zh}；摘要 {e.digest[:16]}…", f"{en}; digest {e.digest[:16]}…")
    if found.comparison:
        comparison(found.comparison, language)
    say(
        language,
        f"以上只是计算，没有改动任何考核单；重放编号 {found.position}。",
        f"This was computed only; no statement has changed. It is replay {found.position}.",
    )


def comparison(found: dict[str, Any], language: str) -> None:
    """Who gains and who loses."""
    t = found["totals"]
    change = f"{t['before']} → {t['after']}"
    say(
        language,
        f"与 {found['against']} 比较：{change}，差额 {signed(t['difference'])}；"
        f"增 {t['gainers']} 人，减 {t['losers']} 人，共 {t['managers']} 人",
        f"against {found['against']}: {change}, {signed(t['difference'])}; "
        f"{t['gainers']} gain, {t['losers']} lose, of {t['managers']}",
    )
    for r in found["refused"]:
        of = f"{r['period']} {r['branch']} {r['rulebook']}"
        say(
            language,
            f"{of} 被拒绝计算，未参与比较",
            f"{of} is refused, and left out of the comparison",
        )
    heads = [
        Text("周期", "period"),
        Text("客户经理", "manager"),
        Text("原", "before"),
        Text("现", "after"),
        Text("差额", "difference"),
        Text("变动步骤", "steps that differ"),
    ]
    table = Table(*(head.in_language(language) for head in heads), box=None)
    for d in found["differences"][:SHOWN]:
        steps = ", ".join(f"{s['step']} {s['before']}→{s['after']}" for s in d["steps"][:4])
        table.add_row(
            d["period"],
            d["manager"],
            d["before"] or "–",
            d["after"] or "–",
            signed(d["difference"]),
            steps,
        )
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)
    if (more := len(found["differences"]) - SHOWN) > 0:
        say(
            language,
            f"……另有 {more} 人（--json 或 --csv 给出全部）",
            f"… and {more} more (--json or --csv gives all)",
        )
    if "causes" in found and found["differences"]:
        causes(found, language)


def causes(found: dict[str, Any], language: str) -> None:
    """Where each difference comes from, and for whom that cannot be told."""
    heads = [
        *(
            Text("周期", "period"),
            Text("客户经理", "manager"),
            Text("差额", "difference"),
            Text("规则", "rules"),
        ),
        *(
            Text("本人记录", "own entries"),
            Text("本人冲销", "own reversals"),
            Text("其他人", "others"),
        ),
        *(Text("（交互）", "(interaction)"), Text("因何变动", "moved by")),
    ]
    say(language, "差额的来源：", "Where the differences come from:")
    table = Table(*(head.in_language(language) for head in heads), box=None)
    for d in found["differences"][:SHOWN]:
        names = ("rule", "entries", "reversals", "others", "interaction")
        parts = [(d["causes"] or {}).get(name) for name in names]
        shown = [signed(part) if part is not None else "–" for part in parts]
        table.add_row(
            d["period"],
            d["manager"],
            signed(d["difference"]),
            *shown,
            (d["why"] or {}).get(language, ""),
        )
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)
    said = found["causes"]["attribution"]
    say(language, said["zh"], said["en"])
    for u in found["causes"]["unparted"]:
        of = " ".join(part for part in (u["period"], u["branch"], u["manager"]) if part)
        if u["part"] == "baseline":
            say(
                language,
                f"{of}：没有结算过，差额无从分解",
                f"{of}: never settled, so there is nothing to part",
            )
            continue
        listed = "; ".join(f["message"] for f in u["findings"][:3])
        say(
            language,
            f"{of}：来源说不清（{u['part']}），按中间一步计算会被拒绝：{listed}",
            f"{of}: the causes cannot be told ({u['part']}): what stands between is refused: "
            f"{listed}",
        )


def signed(figure: str) -> str:
    """A difference with its sign."""
    return figure if figure.startswith("-") or figure == "0" else f"+{figure}"


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


def checked(summary: dict[str, Any], language: str) -> None:
    """A rulebook that holds."""
    s = summary
    say(
        language,
        f"通过：{s['id']} {s['version']}，{s['steps']} 个步骤，{s['examples']} 个例子",
        f"holds: {s['id']} {s['version']}, {s['steps']} steps, {s['examples']} examples",
    )


def rulebooks(rows: Sequence[dict[str, Any]], language: str) -> None:
    """The published rulebooks."""
    heads = [
        Text("编号", "id"),
        Text("版本", "version"),
        Text("周期", "period"),
        Text("生效", "from"),
        Text("名称", "title"),
        Text("来源", "source"),
    ]
    table = Table(*(head.in_language(language) for head in heads), box=None)
    for row in rows:
        table.add_row(
            row["id"],
            row["version"],
            row["period"],
            row["effective_from"],
            row["title"][language],
            row["source"][language],
        )
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


def pays_by(document: dict[str, Any], language: str) -> None:
    """What a branch pays by."""
    listed = ", ".join(document["rulebooks"])
    say(
        language,
        f"分公司 {document['branch']} 的计薪办法：{listed}",
        f"branch {document['branch']} pays by: {listed}",
    )


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
