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
from projections.month.refusals import NotPublished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.processes.branch_month import BranchMonth
    from projections.month.cycle import Cycle
    from projections.records.statements import Issued

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


class MemoDocument(TypedDict):
    """What the digest is made of."""

    branch: str
    period: str
    reported: Reported | None
    settlements: list[MemoSettlement]
    steps: list[MemoStep]
    samples: list[MemoSample]
    findings: list[MemoFinding]


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


def memo_of(cycle: Cycle) -> Memo:
    """The document with its SHA-256 over canonical JSON, and its text. Reported, it stays the same
    for ever.

    Until then it is a draft of what is settled. Raises Declined where nothing is.
    """
    state = cycle.as_reported()
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
    }
    digest = hashlib.sha256(rfc8785.dumps(cast("Any", document))).hexdigest()
    text = Text(_text(document, "zh"), _text(document, "en"))
    return Memo(digest, text, document)


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


def _text(document: MemoDocument, language: str) -> str:
    """The document in words."""
    lines = [
        visible(line.in_language(language))  # a finding's text makes no line of its own
        for line in (*_head(document), *_results(document), *_process(document))
    ]
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
