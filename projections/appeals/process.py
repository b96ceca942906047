"""申诉: appeals as they stand, and what is done with them: decisions are carried out once, whatever
comes between.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from domain.entries.entry import APPEALS, Rating
from domain.errors import Declined, Invalid, Reason, Text, VersionClash
from domain.fact_kinds import KIND_CODES
from domain.identifiers import Period
from domain.ledger.events import (
    AppealAccepted,
    AppealDecided,
    AppealFiled,
    AppealNotified,
    AppealRejected,
    AppealWithdrawn,
    CorrectionProposed,
    EntryRecorded,
    EvidenceAttached,
    ReviewRequested,
)
from domain.processes import appeal as rules
from domain.processes.appeal import MAX_FILE_BYTES, REJECTIONS, Appeal, parsed_entries
from domain.processes.branch_month import CALCULATED, check_text
from projections.appeals.carry_out import carry_out, rehearse, resume
from projections.month.cycle import Cycle
from projections.records.appeal_log import event_place
from projections.replay.repeat import run_at

if TYPE_CHECKING:
    from domain.entries.entry import AnyEntry
    from projections.models import ReadModels


def file_appeal(
    models: ReadModels,
    manager: str,
    period: Period,
    reason: str,
    *,
    by: str,
    rulebook: str | None = None,
    lines: Sequence[str] = (),
) -> str:
    """A new appeal against the person's latest statement: its id. Raises NotFound, Declined for
    unknown lines.
    """
    check_text(reason)
    issued = models.find_statement(manager, period, rulebook, None)
    if unknown := [line for line in lines if line not in issued.steps]:
        listed = ", ".join(issued.steps)
        raise Declined(
            Text(
                f"考核单没有 {'、'.join(unknown)}，共有：{listed}",
                f"the statement has no {', '.join(unknown)}; there are: {listed}",
            )
        )
    fields: dict[str, Any] = {
        "manager": manager,
        "period": str(period),
        "branch": issued.branch,
        "team": issued.team or None,
        "rulebook": issued.rulebook,
        "version": issued.number,
        "lines": tuple(lines),
        "reason": reason,
    }
    for number in count(len(models.appeals.filed_in(str(period))) + 1):
        name = f"A{period}-{number}"
        with suppress(VersionClash):  # somebody else has just filed under this number
            models.ledger.record(AppealFiled(**event_place(name, 1, by), **fields))
            return name
    raise AssertionError


def accept(
    models: ReadModels, name: str, *, by: str, note: str | None = None, after: int | None = None
) -> int:
    """It is investigated from now on. Raises WrongState, Declined where it is out of time."""
    appeal = models.appeals.get(name)
    rules.check(appeal, "accept")
    rules.check_acceptance(appeal, windows(models, appeal)[0])
    return models.appeals.record(appeal, AppealAccepted, by, after, note=note)


def reject(
    models: ReadModels, name: str, code: str, reason: str, *, by: str, after: int | None = None
) -> int:
    """It is not taken up, for a reason that is said. Raises WrongState, Declined."""
    appeal = models.appeals.get(name)
    check_text(reason)
    rules.check(appeal, "reject")
    if code not in REJECTIONS:
        listed = ", ".join(REJECTIONS)
        raise Declined(
            Text(
                f"没有理由 {code}，可用：{listed}",
                f"there is no such code {code}; use: {listed}",
            )
        )
    if code == "out_of_time":
        rules.check_lateness(appeal, windows(models, appeal)[0])
    return models.appeals.record(appeal, AppealRejected, by, after, code=code, reason=reason)


def attach(
    models: ReadModels,
    name: str,
    note: str,
    *,
    by: str,
    file: tuple[str, str, str] | None = None,
    replay: int | None = None,
    after: int | None = None,
) -> int:
    """A note, with a file (name, media type, base64) or a what-if (the position of its replay),
    or neither.
    """
    appeal = models.appeals.get(name)
    check_text(note)
    rules.check(appeal, "evidence")
    fields: dict[str, Any] = {"note": note}
    if file is not None:
        content = _decoded(file[2])
        digest = hashlib.sha256(content).hexdigest()
        fields |= {"name": file[0], "media_type": file[1], "digest": digest, "content": file[2]}
    if replay is not None:
        fields |= {"replay": replay, "digests": run_at(models, replay).digests}
    return models.appeals.record(appeal, EvidenceAttached, by, after, **fields)


def propose(
    models: ReadModels,
    name: str,
    entries: Sequence[dict[str, Any]],
    *,
    by: str,
    note: str | None = None,
    after: int | None = None,
    permit: Callable[[Sequence[AnyEntry]], None] = lambda _: None,
) -> int:
    """Entries that would put right what is wrong; their keys and the appeal are filled in.
    Raises Invalid.
    """
    appeal = models.appeals.get(name)
    rules.check(appeal, "propose")
    number = len(appeal.proposals) + 1
    raw = tuple(_named_entry(name, number, place, entry) for place, entry in enumerate(entries, 1))
    if not raw:
        raise Invalid(
            [
                Reason(
                    "empty",
                    "entries",
                    Text("没有更正的记录", "there is no entry to correct by"),
                )
            ]
        )
    permit(parsed := parsed_entries(raw))
    outcomes = models.ledger.append(parsed, by=by, dry_run=True)
    reasons = [
        reason._replace(field=f"entries.{place}.{reason.field}".rstrip("."))
        for place, outcome in enumerate(outcomes)
        for reason in outcome.reasons
    ]
    if reasons:
        raise Invalid(reasons)
    return models.appeals.record(appeal, CorrectionProposed, by, after, note=note, entries=raw)


def decide(
    models: ReadModels,
    name: str,
    decision: str,
    reason: str,
    *,
    by: str,
    proposal: int | None = None,
    after: int | None = None,
) -> int:
    """Decides, and carries the approved correction out. Raises WrongState, Declined,
    SeparationOfDuties.
    """
    resume(models)
    check_text(reason)
    appeal = models.appeals.get(name)
    rules.check_decision(
        appeal, decision, proposal, by, _raters(models, appeal), _calculators(models, appeal)
    )
    account = models.accounts.find(by)
    rules.check_disinterest(appeal, by, account.manager if account else None)
    if proposal is not None:
        rehearse(models, appeal, appeal.proposals[proposal - 1])
    models.appeals.record(
        appeal, AppealDecided, by, after, decision=decision, reason=reason, proposal=proposal
    )
    with suppress(
        VersionClash
    ):  # others resettle the month again and again: it is on record, and resumed
        carry_out(models, name)
    return models.ledger.position()


def notify(
    models: ReadModels, name: str, *, by: str, note: str | None = None, after: int | None = None
) -> int:
    """The person was told."""
    appeal = models.appeals.get(name)
    rules.check(appeal, "notify")
    return models.appeals.record(appeal, AppealNotified, by, after, note=note)


def withdraw(
    models: ReadModels, name: str, *, by: str, reason: str | None = None, after: int | None = None
) -> int:
    """The person does not pursue it."""
    appeal = models.appeals.get(name)
    rules.check(appeal, "withdraw")
    return models.appeals.record(appeal, AppealWithdrawn, by, after, reason=reason)


def request_review(
    models: ReadModels, name: str, reason: str, *, by: str, after: int | None = None
) -> int:
    """The level above is to decide once more; once."""
    appeal = models.appeals.get(name)
    check_text(reason)
    rules.check(appeal, "review")
    return models.appeals.record(appeal, ReviewRequested, by, after, reason=reason)


def windows(
    models: ReadModels, appeal: Appeal, as_of: int | None = None
) -> tuple[str | None, str | None]:
    """The last days for objections and for decisions; None while the month is not published."""
    cycle = Cycle(models, Period.parse(appeal.filed.period), appeal.filed.branch, as_of)
    return cycle.windows(cycle.state())


def _raters(models: ReadModels, appeal: Appeal) -> set[str]:
    """Who rated the person in the period: whoever recorded a rating, and whom it names."""
    period = Period.parse(appeal.filed.period)
    facts = models.facts
    rows = facts.of_manager(
        appeal.filed.manager,
        period.first.index,
        period.last.index,
        as_of=models.ledger.position(),
    )
    events = models.ledger.events_at(
        rows["position"][rows["kind"] == KIND_CODES["rating"]].tolist()
    )
    rated = [
        e for e in events.values() if isinstance(e, EntryRecorded) and isinstance(e.entry, Rating)
    ]
    done = Cycle(models, period, appeal.filed.branch).state().done
    fixed = {done["gs_rated"].by} if "gs_rated" in done else set()
    return (
        fixed
        | {e.by for e in rated}
        | {e.entry.rater for e in rated if isinstance(e.entry, Rating) and e.entry.rater}
    )


def _calculators(models: ReadModels, appeal: Appeal) -> set[str]:
    """Who settled the month, or did its calculations."""
    period = Period.parse(appeal.filed.period)
    done = Cycle(models, period, appeal.filed.branch).state().done
    settled = models.statements.settlements(appeal.filed.period, appeal.filed.branch)
    # Resettlements carry decisions out; who decided does not become a calculator by it.
    closing = models.payments.closing(appeal.filed.branch, appeal.filed.period)
    before = [s for s in settled if closing is None or s.position < closing.position]
    return {s.by for s in before} | {done[step].by for step in CALCULATED if step in done}


def _named_entry(name: str, number: int, place: int, entry: dict[str, Any]) -> dict[str, Any]:
    named = entry | {"source": APPEALS, "source_id": f"{name}-{number}-{place}"}
    if named.get("kind") == "adjustment":
        named["appeal"] = name
    if named.get("kind") in {"adjustment", "reversal"}:
        named.setdefault("reason", f"申诉 {name}")
    return named


def _decoded(content: str) -> bytes:
    """The bytes of a base64 text. Raises Declined where it is none, or too large."""
    try:
        data = base64.b64decode(content, validate=True)
    except binascii.Error:
        raise Declined(Text("文件内容应为 base64", "a file's content is base64")) from None
    if not data:
        raise Declined(Text("文件是空的", "the file is empty"))
    if len(data) > MAX_FILE_BYTES:
        raise Declined(
            Text(
                f"文件 {len(data)} 字节，最多 {MAX_FILE_BYTES}；请只附摘要和说明",
                f"the file has {len(data)} bytes, at most {MAX_FILE_BYTES}: attach its digest and "
                "a note instead",
            )
        )
    return data
