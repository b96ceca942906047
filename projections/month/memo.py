"""部门联系单 and 公示: the results as they go to HR, and what the branch is shown of them, as they
were reported.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, cast

import rfc8785

from domain.errors import Text, visible
from domain.numbers import plain
from domain.processes.branch_month import STEPS
from domain.processes.month_check import CODES
from projections.month.check.month_check import check_month
from projections.month.refusals import NotPublished

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from domain.processes.branch_month import BranchMonth
    from domain.processes.month_check import CheckFinding
    from projections.month.cycle import Cycle
    from projections.records.statements import Issued

    MaySee = Callable[[Collection[str]], Collection[str]]

# The document is digested as it is written, so its parts are plain JSON.


class Words(TypedDict):
    """A text in both languages."""

    zh: str
    en: str


class Reported(TypedDict):
    """By whom and when the month was reported."""

    by: str
    at: str
    note: str | None


class MemoPerson(TypedDict):
    """A person's line: `version` is that of the statement; no pay under a rulebook of points."""

    manager: str
    team: str
    version: int
    pay: str | None


class MemoSettlement(TypedDict):
    """A settlement with everyone's pay."""

    settlement: int
    rulebook: str
    version: str
    as_of: int
    digest: str
    managers: int
    pay: str
    people: list[MemoPerson]


class MemoStep(TypedDict):
    """A step that was done."""

    step: str
    label: Words
    by: str
    at: str
    times: int


class MemoSample(TypedDict):
    """A sample: what was asked for, and who was drawn by it."""

    size: int
    seed: str
    by_team: bool
    by_amount: bool
    settlements: list[int]
    by: str
    at: str
    managers: list[str]


class MemoFinding(TypedDict):
    """What an audit found, and how it was resolved."""

    number: int
    manager: str | None
    text: str
    blocking: bool
    by: str
    at: str
    resolved: str | None
    resolved_by: str | None
    resolved_at: str | None


class MemoAcknowledgement(TypedDict):
    """Who acknowledged a finding of the month check, when, and why."""

    by: str
    at: str
    note: str


class MemoCheckFinding(TypedDict):
    """A finding of the month check, as it was when the month was reported."""

    code: str
    severity: str
    about: str
    label: Words
    count: int
    managers: list[str]
    entries: list[str]
    yuan: str | None
    acknowledged: MemoAcknowledgement | None


class MemoDocument(TypedDict):
    """What the digest is made of."""

    branch: str
    period: str
    reported: Reported | None
    settlements: list[MemoSettlement]
    steps: list[MemoStep]
    samples: list[MemoSample]
    findings: list[MemoFinding]
    check: list[MemoCheckFinding]


class Memo(NamedTuple):
    """The document, its SHA-256 over canonical JSON, and its text."""

    digest: str
    text: Text
    document: MemoDocument


class PublishedStep(NamedTuple):
    """A step that is published."""

    step: str
    label: Text
    unit: str


class PublishedPerson(NamedTuple):
    """What is published of a person: the steps in points, places and tiers."""

    manager: str
    team: str
    rulebook: str
    version: int
    steps: dict[str, str]


@dataclass(frozen=True)
class Publication:
    """A branch's points as they were published, and the last days for objections and decisions."""

    branch: str
    period: str
    published_at: str
    objection_until: str | None
    decision_until: str | None
    steps: dict[str, list[PublishedStep]]
    people: list[PublishedPerson]


SHOWN = ("point", "score", "place", "tier")  # the units of what is published: points, never pay


def memo_of(cycle: Cycle, may_see: MaySee | None = None) -> Memo:
    """The document with its SHA-256 over canonical JSON, and its text. Reported, it stays the same
    for ever.

    Until then it is a draft of what is settled. `may_see`: which of these people a reader may see;
    the lines of the others are left out and counted, and the digest is that of the whole document.
    Raises Declined where nothing is settled.
    """
    state = cycle.as_reported()
    check = check_month(_when_reported(cycle, state))
    document: MemoDocument = {
        "branch": cycle.branch,
        "period": str(cycle.period),
        "reported": _reported(state),
        "settlements": [_settlement(cycle, position) for position in _settled(cycle, state)],
        "steps": [
            {
                "step": step.code,
                "label": {"zh": step.label.zh, "en": step.label.en},
                "by": done.by,
                "at": done.at,
                "times": done.times,
            }
            for step in STEPS
            if (done := state.done.get(step.code)) is not None
        ],
        "samples": [cast("MemoSample", asdict(cycle.sample(order))) for order in state.samples],
        "findings": [cast("MemoFinding", finding._asdict()) for finding in state.findings],
        "check": [_checked(finding) for finding in check.findings],
    }
    digest = hashlib.sha256(rfc8785.dumps(cast("Any", document))).hexdigest()
    withheld = 0 if may_see is None else _leave_out(document, may_see)
    text = Text(_text(document, withheld, "zh"), _text(document, withheld, "en"))
    return Memo(digest, text, document)


def _leave_out(document: MemoDocument, may_see: MaySee) -> int:
    """Takes the lines of people out whom a reader may not see, and their names out of the check,
    with the entries and the yuan of such a finding. How many people of the settlements they are.
    """
    everybody = {line["manager"] for made in document["settlements"] for line in made["people"]}
    checked = {manager for finding in document["check"] for manager in finding["managers"]}
    seen = set(may_see(everybody | checked))
    for made in document["settlements"]:
        made["people"] = [line for line in made["people"] if line["manager"] in seen]
    for finding in document["check"]:
        if not seen.issuperset(finding["managers"]):
            finding["managers"] = [name for name in finding["managers"] if name in seen]
            finding["entries"], finding["yuan"] = [], None
    return len(everybody - seen)


def published(cycle: Cycle) -> Publication:
    """What the branch is shown: everyone's points, and until when they may object. Raises Declined
    before that.
    """
    state = cycle.as_reported()
    if not state.published_at:
        raise NotPublished(cycle.branch, cycle.period)
    objection, decision = cycle.windows(state)
    people = cycle.people_of(_settled(cycle, state))
    return Publication(
        branch=cycle.branch,
        period=str(cycle.period),
        published_at=state.published_at,
        objection_until=objection,
        decision_until=decision,
        steps={row.rulebook: _steps(cycle, row) for row in people},
        people=[_person(row, _steps(cycle, row)) for row in people],
    )


def _person(row: Issued, shown: list[PublishedStep]) -> PublishedPerson:
    steps = {step.step: row.steps[step.step] for step in shown if step.step in row.steps}
    return PublishedPerson(row.manager, row.team, row.rulebook, row.number, steps)


def _reported(state: BranchMonth) -> Reported | None:
    done = state.done.get("reported")
    return {"by": done.by, "at": done.at, "note": done.note} if done else None


def _when_reported(cycle: Cycle, state: BranchMonth) -> Cycle:
    """The month as it was known when it was reported; as it is, where it was not yet."""
    done = state.done.get("reported")
    if done is None:
        return cycle
    as_of = cycle.models.position_of(done.at)
    return type(cycle)(cycle.models, cycle.period, cycle.branch, as_of)


def _checked(finding: CheckFinding) -> MemoCheckFinding:
    label, by = CODES[finding.code].label, finding.acknowledged
    return {
        "code": finding.code,
        "severity": finding.severity,
        "about": finding.about,
        "label": {"zh": label.zh, "en": label.en},
        "count": finding.count,
        "managers": [named.name for named in finding.managers],
        "entries": [named.name for named in finding.entries],
        "yuan": finding.yuan,
        "acknowledged": {"by": by.by, "at": by.at, "note": by.note} if by else None,
    }


def _settled(cycle: Cycle, state: BranchMonth) -> list[int]:
    """The settlements that were reviewed; where no total was calculated yet, the last ones."""
    calculated = state.done.get("total_calculated")
    return list(calculated.settlements) if calculated else [s.position for s in cycle.settlements()]


def _steps(cycle: Cycle, row: Issued) -> list[PublishedStep]:
    """The steps of a statement's rulebook that are shown."""
    steps = cycle.models.rulebooks.find(row.rulebook, row.version).rulebook.steps
    return [PublishedStep(s.step, s.label.text, s.unit) for s in steps if s.unit in SHOWN]


def _settlement(cycle: Cycle, position: int) -> MemoSettlement:
    found = cycle.models.statements.settlement(position)
    assert found is not None
    rows = cycle.models.statements.of_settlement(found)
    return {
        "settlement": position,
        "rulebook": found.rulebook,
        "version": found.version,
        "as_of": found.as_of,
        "digest": found.digest,
        "managers": found.people,
        "pay": plain(sum((Decimal(row.steps.get("pay", 0)) for row in rows), Decimal(0))),
        "people": [
            {
                "manager": row.manager,
                "team": row.team,
                "version": row.number,
                "pay": row.steps.get("pay"),
            }
            for row in rows
        ],
    }


def _text(document: MemoDocument, withheld: int, language: str) -> str:
    """The document in words."""
    parts = (
        *_head(document),
        *_results(document),
        *_withheld(withheld),
        *_process(document),
        *_check(document),
    )
    # A finding's text makes no line of its own.
    lines = [visible(line.in_language(language)) for line in parts]
    return "\n".join(lines) + "\n"


def _head(document: MemoDocument) -> Iterator[Text]:
    draft = (
        Text("", "")
        if document["reported"]
        else Text("（草稿，尚未报送）", " (draft, not reported yet)")
    )
    yield Text(f"部门联系单{draft.zh}", f"Memo to human resources{draft.en}")
    period, branch = document["period"], document["branch"]
    yield Text(
        f"主送：人力资源部　　考核月：{period}　　分公司：{branch}",
        f"Period: {period}  Branch: {branch}",
    )


def _results(document: MemoDocument) -> Iterator[Text]:
    for s in document["settlements"]:
        yield Text("", "")
        rules = f"{s['rulebook']} {s['version']}"
        yield Text(
            f"结算 {s['settlement']}（{rules}）：{s['managers']} 人，薪酬合计 {s['pay']} 元，"
            f"计入账本至 {s['as_of']}，摘要 {s['digest']}",
            f"Settlement {s['settlement']} ({rules}): {s['managers']} people, pay {s['pay']} yuan "
            "in all, "
            f"ledger taken in to {s['as_of']}, digest {s['digest']}",
        )
        for p in s["people"]:
            who, pay = f"{p['manager']}  {p['team']}", p["pay"] or "—"
            yield Text(
                f"  {who}  {pay} 元（考核单第 {p['version']} 版）",
                f"  {who}  {pay} yuan (statement {p['version']})",
            )


def _withheld(people: int) -> Iterator[Text]:
    if people:
        yield Text(
            f"另有 {people} 人本周期内有月份不在查阅人范围内，不列出；摘要是全文的摘要，"
            "全文请向主管部门或人力资源查阅",
            f"Not listed: {people} who worked outside the reader's scope in a part of the period. "
            "The digest is that of the whole memo; the department and HR may read it",
        )


def _process(document: MemoDocument) -> Iterator[Text]:
    yield Text("", "")
    for step in document["steps"]:
        done = f"{step['by']}  {step['at']}"
        yield Text(f"{step['label']['zh']}：{done}", f"{step['label']['en']}: {done}")
    yield Text("", "")
    for s in document["samples"]:
        zh, en = "、".join(s["managers"]), ", ".join(s["managers"])
        yield Text(
            f"抽样 {s['size']} 人，种子 {s['seed']}：{zh}",
            f"Sample of {s['size']}, seed {s['seed']}: {en}",
        )
    if not document["samples"]:
        yield Text("未抽样", "No sample was drawn")
    for f in document["findings"]:
        what = f"{f['manager'] or ''} {f['text']}".strip()
        yield Text(
            f"稽核问题 {f['number']}：{what}；{f['resolved'] or '未整改'}",
            f"Finding {f['number']}: {what}; {f['resolved'] or 'open'}",
        )


def _check(document: MemoDocument) -> Iterator[Text]:
    yield Text("", "")
    for c in document["check"]:
        about, count, by = f" {c['about']}".rstrip(), c["count"], c["acknowledged"]
        how = Text("", "")
        if by is not None:
            how = Text(
                f"；{by['by']} {by['at']} 确认：{by['note']}",
                f"; acknowledged by {by['by']} {by['at']}: {by['note']}",
            )
        yield Text(
            f"月检 {c['code']}（{c['label']['zh']}）{about}：{count}{how.zh}",
            f"Month check, {c['code']} ({c['label']['en']}){about}: {count}{how.en}",
        )
    if not document["check"]:
        yield Text("月检没有问题", "The month check found nothing")
