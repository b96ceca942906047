"""考核单: a statement, its derivation and its history in words. Chinese by default; it formats and
computes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import moment, put_line, say
from api.documents.statements import (
    HistoryEntry,
    HistoryPayment,
    HistoryStatement,
    HistoryWithdrawal,
    PostingsAlone,
)
from domain.entries.kinds import KINDS
from domain.errors import Text
from domain.evaluation.trace import NONE, YES_NO
from domain.rulebook.units import FLAG, unit_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.documents.parts.base import Both
    from api.documents.statements import (
        Derivation,
        DerivedStep,
        EarlierStatement,
        History,
        InForce,
        Payout,
        RecordedEntry,
    )

POSTED = {"back_pay": Text("补发", "back pay"), "clawback": Text("扣回", "clawback")}


def payout(paid: Payout, language: str) -> None:
    """What the month pays, and what other months have posted into it."""
    say(
        language,
        f"应发：{paid.payable} 元 = 薪酬 {paid.pay} + 补发 {paid.back_pay} − 扣回 {paid.clawback}"
        + (f"（另有 {paid.carried} 元转下月扣回）" if paid.carried != "0" else ""),
        f"Payable: {paid.payable} yuan = pay {paid.pay} + back pay {paid.back_pay} - clawback "
        f"{paid.clawback}"
        + (
            f" (another {paid.carried} is carried to the next month)" if paid.carried != "0" else ""
        ),
    )
    for posting in paid.postings:
        versions = f"{posting.from_version or '—'} → {posting.to_version or '—'}"
        word = POSTED[posting.item]
        what = f"{posting.amount}　{posting.period} {posting.rulebook}"
        say(
            language,
            f"  {word.zh} {what}（考核单第 {versions} 版，{posting.entry}）",
            f"  {word.en} {what} (statement {versions}, {posting.entry})",
        )


def explanation(statement: Derivation | PostingsAlone, language: str) -> None:
    """The whole derivation, as an auditor reads it aloud; or the postings, where they are alone."""
    if isinstance(statement, PostingsAlone):
        postings_alone(statement, language)
        return
    heading(statement, language)
    for number, step in enumerate(statement.steps, 1):
        one_step(number, step, statement, language)
    not_fired(statement, language)
    if statement.changes:
        put_line()
        say(
            language,
            "差多少就不同（只改一项本人数据，由同一计算得出）：",
            "The smallest single changes that would have moved something:",
        )
    for change in statement.changes:
        say(language, f"   – {change.message.zh}", f"   - {change.message.en}")
    for warning in statement.warnings:
        say(language, f"提示：{warning.message.zh}", f"Note: {warning.message.en}")
    if statement.reversed:
        put_line()
        say(language, "已冲销、不计入的记录：", "Reversed entries, which do not count:")
    for entry in statement.reversed:
        line = entry_line(entry, statement.item_labels, language)
        say(
            language,
            f"    {line}，被 {entry.reversed_by} 冲销",
            f"    {line}, reversed by {entry.reversed_by}",
        )


def postings_alone(statement: PostingsAlone, language: str) -> None:
    """A statement of postings alone."""
    say(
        language,
        f"{statement.manager}　{statement.period}：本月没有考核单，只有其他月份的补发或扣回",
        f"{statement.manager}, {statement.period}: no statement in this month, only what other "
        "months have posted",
    )
    payout(statement.payment, language)


def heading(statement: Derivation, language: str) -> None:
    """Who, when and where; what it comes to and what is paid; under which rulebook, by whom."""
    s, rules = statement, statement.rulebook
    say(
        language,
        f"{s.manager} {s.name}　{s.period}　分公司 {s.branch}　班组 {s.team}",
        f"{s.manager} {s.name}, {s.period}, branch {s.branch}, team {s.team}",
    )
    total = next(step for step in s.steps if step.step == s.total.step)
    say(
        language,
        f"{total.label.zh}：{value_text(total, 'zh')}",
        f"{total.label.en}: {value_text(total, 'en')}",
    )
    if s.withdrawn:
        say(
            language,
            f"已作废：{s.branch} 最近一次结算不再包含 {s.manager}，不按本单发放",
            f"Withdrawn: the last settlement of {s.branch} no longer contains {s.manager}, and "
            "nobody is paid by it",
        )
    if s.payment and (s.payment.back_pay, s.payment.clawback, s.payment.carried) != ("0",) * 3:
        payout(s.payment, language)
    say(
        language,
        f"依据：{rules.title.zh}（{rules.id} {rules.version}）",
        f"Under: {rules.title.en} ({rules.id} {rules.version})",
    )
    if s.issued is None:
        say(
            language,
            f"未结算：按账本位置 {s.position} 之前的全部记录试算，不作记录",
            f"Not settled: evaluated on all up to ledger position {s.position}, and recorded "
            "nowhere",
        )
        in_force(s.in_force, language)
    else:
        by, at = s.issued.by, moment(s.issued.at)
        say(
            language,
            f"考核单第 {s.version} 版，{by} 于 {at} 结算，计入账本位置 {s.position} 之前的全部记录",
            f"Statement version {s.version}, settled by {by} at {at}, on all up to ledger "
            f"position {s.position}",
        )


def in_force(version: InForce | None, language: str) -> None:
    """The statement that had been issued last by the moment that was asked about."""
    if version is None:
        say(language, "当时没有已结算的考核单", "No statement had been settled by then")
        return
    v, rules = version, f"{version.rulebook.id} {version.rulebook.version}"
    zh, en = (f"，薪酬 {v.pay} 元", f", pay {v.pay} yuan") if v.pay is not None else ("", "")
    say(
        language,
        f"当时有效的考核单：第 {v.version} 版{zh}（{rules}，{v.by} 于 {moment(v.at)} 结算，"
        f"账本位置 {v.position}）",
        f"The statement in force then: version {v.version}{en} ({rules}, settled by {v.by} at "
        f"{moment(v.at)}, position {v.position})",
    )


def value_text(step: DerivedStep, language: str) -> str:
    """The value with its unit, as people say it: a flag is yes or no."""
    if step.value is None:
        return NONE.in_language(language)
    if step.unit == FLAG:
        return YES_NO[step.value].in_language(language)
    if step.word is not None:
        return f"{step.word.in_language(language)} ({step.value})"
    return f"{step.value} {unit_label(step.unit, language)}".rstrip()


def one_step(number: int, step: DerivedStep, statement: Derivation, language: str) -> None:
    """A step: label, value, unit, clause; the formula in words and in figures; what bound; the
    entries behind it.
    """
    value = value_text(step, language)
    put_line()
    say(
        language,
        f"{number}. {step.label.zh} = {value} 〔{step.clause}〕",
        f"{number}. {step.label.en} = {value} [{step.clause}]",
    )
    formula, figures = step.formula.in_language(language), step.figures.in_language(language)
    say(language, f"   {formula}", f"   {formula}")
    if figures not in {formula, step.value}:
        say(language, f"   = {figures}", f"   = {figures}")
    for read in step.reads:
        if read.averaged:
            label, averaged = read.label, read.averaged
            say(
                language,
                f"   「{label.zh}」{read.value}：{averaged.zh}",
                f"   “{label.en}” {read.value}: {averaged.en}",
            )
    for limit in step.limits:
        if limit.fired:
            say(language, f"   ▲ {limit.message.zh}", f"   ▲ {limit.message.en}")
    lines = {
        entry.position: entry_line(entry, statement.item_labels, language)
        for entry in statement.entries
        if entry.position in step.entries
    } | {
        earlier.position: earlier_line(earlier, language)
        for earlier in statement.statements
        if earlier.position in step.statements
    }
    for _, line in sorted(lines.items()):
        say(language, f"     · {line}", f"     · {line}")


def earlier_line(statement: EarlierStatement, language: str) -> str:
    """An earlier statement in one line: which, under what, who issued it and when."""
    s, rules = statement, f"{statement.rulebook.id} {statement.rulebook.version}"
    zh = (
        f"考核单 {s.period} 第 {s.version} 版（{rules}，分公司 {s.branch}）；"
        f"{s.by} 于 {moment(s.at)} 结算，账本位置 {s.position}"
    )
    en = (
        f"statement {s.period}, version {s.version} ({rules}, branch {s.branch}); "
        f"settled by {s.by} at {moment(s.at)}, position {s.position}"
    )
    return Text(zh, en).in_language(language)


def not_fired(statement: Derivation, language: str) -> None:
    """Caps, floors and bars that did not bind, and by how much."""
    quiet = [(step, limit) for step in statement.steps for limit in step.limits if not limit.fired]
    if quiet:
        put_line()
        say(
            language,
            "未触发的封顶、保底和条件：",
            "Caps, floors and conditions that did not bind:",
        )
    for step, limit in quiet:
        say(
            language,
            f"   – 〔{step.clause}〕{limit.message.zh}（相差 {limit.distance}）",
            f"   - [{step.clause}] {limit.message.en} (off by {limit.distance})",
        )


def entry_line(
    entry: RecordedEntry, item_labels: Mapping[tuple[str, str], Both], language: str
) -> str:
    """An entry in one line: what, source and number, both dates, who."""
    fields = {name: str(value) for name, value in entry.entry.items()}
    kind = KINDS[fields["kind"]]
    name = kind.name.in_language(language)
    key = f"{fields['source']}:{fields['source_id']}"
    if label := item_labels.get((fields["kind"], fields.get("item", ""))):
        fields["item"] = label.in_language(language)
    printed = (*kind.printed, "reason", "note")
    facts = " ".join(fields[field] for field in printed if field in fields)
    place = "/".join(fields[field] for field in ("branch", "team") if field in fields)
    scope = fields.get("manager") or place
    happened, month = fields.get("occurred_on"), fields.get("month", "")
    if language == "en":
        when = f"occurred {happened}, " if happened else ""
        recorded = f"{when}recorded {moment(entry.at)} by {entry.by}, position {entry.position}"
        return f"{name} {facts} ({scope}, {month}); {key}; {recorded}"
    when = f"发生于 {happened}，" if happened else ""
    recorded = f"{when}{entry.by} 记录于 {moment(entry.at)}，位置 {entry.position}"
    return f"{name} {facts}（{scope}，{month}）；来源 {key}；{recorded}"


def history(document: History, language: str) -> None:
    """Everything in order."""
    for event in document.events:
        lead = f"{event.position:>8}  {moment(event.at)}  {event.by}"
        match event:
            case HistoryEntry():
                recorded_entry(lead, event, language)
            case HistoryStatement():
                issued_statement(lead, event, language)
            case HistoryWithdrawal():
                rules = f"{event.rulebook.id} {event.rulebook.version}"
                say(
                    language,
                    f"{lead}  考核单第 {event.version} 版 {rules} 作废：{event.branch} 重新结算后"
                    "不再包含该人员",
                    f"{lead}  statement version {event.version} {rules} withdrawn: {event.branch} "
                    "was settled again without this person",
                )
            case HistoryPayment():
                say(
                    language,
                    f"{lead}  封账，应发 {event.payable}",
                    f"{lead}  closed, {event.payable} yuan payable",
                )


def recorded_entry(lead: str, event: HistoryEntry, language: str) -> None:
    """An entry of a history."""
    fields = event.entry
    kind = KINDS[str(fields["kind"])]
    facts = " ".join(str(fields[name]) for name in kind.printed if name in fields)
    if "manager" not in fields and "branch" in fields:
        facts += f" {'/'.join(str(fields[name]) for name in ('branch', 'team') if name in fields)}"
    reversed_entry = fields.get("reverses")
    target = ""
    if isinstance(reversed_entry, dict):
        target = f" → {reversed_entry['source']}:{reversed_entry['source_id']}"
    name = kind.name.in_language(language)
    line = f"{lead}  {name} {facts}{target} {fields['source']}:{fields['source_id']}"
    say(
        language,
        f"{line}（{event.why}）" if event.why else line,
        f"{line} ({event.why})" if event.why else line,
    )


def issued_statement(lead: str, event: HistoryStatement, language: str) -> None:
    """A statement of a history, with what changed since the one before."""
    rules = f"{event.rulebook.id} {event.rulebook.version}"
    total = event.steps.get("pay", list(event.steps.values())[-1])
    zh, en = f"考核单第 {event.version} 版", f"statement version {event.version}"
    why = f"（{event.why}）" if event.why else ""
    say(language, f"{lead}  {zh} {rules}：{total}{why}", f"{lead}  {en} {rules}: {total}{why}")
    for change in event.changed:
        say(
            language,
            f"            {change.step}：{change.before} → {change.after}",
            f"            {change.step}: {change.before} → {change.after}",
        )
