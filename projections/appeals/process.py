"""申诉办理: what is done with appeals, by the rules of `domain/processes/appeal.py`.

A decision is carried out once, also after a crash or when others write at the same time.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import APPEALS, Rating
from domain.errors import Declined, Invalid, Overtaken, Reason, Text, VersionClash
from domain.fact_kinds import KIND_CODES
from domain.identifiers import Period
from domain.ledger.event_json import instant
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
    MonthClosed,
    ReviewRequested,
)
from domain.ledger.store_protocol import AsRead
from domain.processes import appeal as rules
from domain.processes.appeal import MAX_FILE_BYTES, Appeal, parsed_entries
from domain.processes.branch_month import CALCULATED, check_text
from projections.appeals.carry_out import carry_out, rehearse, resume
from projections.month.cycle import Cycle
from projections.month.refusals import StatementWithdrawn
from projections.records.appeal_log import first_place, next_place
from projections.replay.repeat import run_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from domain.entries.entry import AnyEntry
    from projections.models import ReadModels


class NewFile(NamedTuple):
    """A file to attach; its content is base64."""

    name: str
    media_type: str
    content: str


class Correction(NamedTuple):
    """The entries of a correction, with their keys: as they were sent, and parsed."""

    raw: tuple[dict[str, object], ...]
    parsed: list[AnyEntry]


class NoSuchLines(Declined):
    """Disputed lines that are no steps of the statement."""

    def __init__(self, lines: Sequence[str], steps: Sequence[str]) -> None:
        listed = ", ".join(steps)
        super().__init__(
            Text(
                f"考核单没有 {'、'.join(lines)}，共有：{listed}",
                f"the statement has no {', '.join(lines)}; there are: {listed}",
            )
        )
        self.lines, self.steps = tuple(lines), tuple(steps)


class NothingProposed(Invalid):
    """A correction without entries."""

    def __init__(self) -> None:
        text = Text("没有更正的记录", "there is no entry to correct by")
        super().__init__([Reason("empty", "entries", text)])


class NotBase64(Declined):
    """The content of a file that isn't base64."""

    def __init__(self) -> None:
        super().__init__(Text("文件内容应为 base64", "a file's content is base64"))


class EmptyFile(Declined):
    """A file without a byte."""

    def __init__(self) -> None:
        super().__init__(Text("文件是空的", "the file is empty"))


class FileTooLarge(Declined):
    """A file over the limit."""

    def __init__(self, size: int) -> None:
        super().__init__(
            Text(
                f"文件 {size} 字节，最多 {MAX_FILE_BYTES}；请只附摘要和说明",
                f"the file has {size} bytes, at most {MAX_FILE_BYTES}: attach its digest and a "
                "note instead",
            )
        )
        self.size = size


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
    """Files an appeal against the person's latest statement: its id.

    Raises NotFound, StatementWithdrawn, NoSuchLines.
    """
    check_text(reason)
    issued = models.find_statement(manager, period, rulebook, None)
    if models.statements.is_withdrawn(issued):
        raise StatementWithdrawn(manager, issued.period, issued.branch)
    if unknown := [line for line in lines if line not in issued.steps]:
        raise NoSuchLines(unknown, list(issued.steps))
    for number in count(len(models.appeals.filed_in(str(period))) + 1):
        name = f"A{period}-{number}"
        filed = AppealFiled(
            **first_place(name, by),
            manager=manager,
            period=str(period),
            branch=issued.branch,
            team=issued.team or None,
            rulebook=issued.rulebook,
            version=issued.number,
            lines=tuple(lines),
            reason=reason,
        )
        with suppress(VersionClash):  # somebody else has just filed under this number
            models.ledger.record(filed)
            return name
    raise AssertionError


def accept(
    models: ReadModels,
    name: str,
    *,
    by: str,
    note: str | None = None,
    known_version: int | None = None,
) -> int:
    """Takes the appeal up. Raises WrongState, FiledLate."""
    appeal = models.appeals.get(name)
    rules.check(appeal, "accept")
    rules.check_acceptance(appeal, _filed_on(models, appeal), windows(models, appeal)[0])
    return models.ledger.record(AppealAccepted(**next_place(appeal, by, known_version), note=note))


def reject(
    models: ReadModels,
    name: str,
    code: str,
    reason: str,
    *,
    by: str,
    known_version: int | None = None,
) -> int:
    """Does not take the appeal up, for a reason.

    Raises WrongState, NoSuchRejection, FiledInTime.
    """
    appeal = models.appeals.get(name)
    check_text(reason)
    rules.check(appeal, "reject")
    rules.check_rejection(appeal, code, _filed_on(models, appeal), windows(models, appeal)[0])
    return models.ledger.record(
        AppealRejected(**next_place(appeal, by, known_version), code=code, reason=reason)
    )


def attach(
    models: ReadModels,
    name: str,
    note: str,
    *,
    by: str,
    file: NewFile | None = None,
    replay: int | None = None,
    known_version: int | None = None,
) -> int:
    """Attaches a note, with a file, or a what-if (the position of its replay), or neither."""
    appeal = models.appeals.get(name)
    check_text(note)
    rules.check(appeal, "evidence")
    digest = hashlib.sha256(_decode(file.content)).hexdigest() if file else None
    digests = () if replay is None else run_at(models, replay).digests
    return models.ledger.record(
        EvidenceAttached(
            **next_place(appeal, by, known_version),
            note=note,
            name=file.name if file else None,
            media_type=file.media_type if file else None,
            digest=digest,
            content=file.content if file else None,
            replay=replay,
            digests=digests,
        )
    )


def correction_of(appeal: Appeal, entries: Sequence[Mapping[str, object]]) -> Correction:
    """The entries as the next correction of an appeal: with their keys, and the appeal's name.

    Raises WrongState where none can be proposed, NothingProposed, Invalid.
    """
    rules.check(appeal, "propose")
    number = len(appeal.proposals) + 1
    raw = tuple(
        _name_entry(appeal.filed.appeal, f"{number}-{place}", entry)
        for place, entry in enumerate(entries, 1)
    )
    if not raw:
        raise NothingProposed
    return Correction(raw, parsed_entries(raw))


def propose(
    models: ReadModels,
    name: str,
    entries: Sequence[Mapping[str, object]],
    *,
    by: str,
    note: str | None = None,
    known_version: int | None = None,
) -> int:
    """Proposes entries that would put right what is wrong. Raises what `correction_of` does, and
    Invalid with every reason for which the ledger would not take them.
    """
    appeal = models.appeals.get(name)
    correction = correction_of(appeal, entries)
    outcomes = models.ledger.append(correction.parsed, by=by, dry_run=True)
    reasons = [
        reason._replace(field=f"entries.{index}.{reason.field}".rstrip("."))
        for index, outcome in enumerate(outcomes)
        for reason in outcome.reasons
    ]
    if reasons:
        raise Invalid(reasons)
    return models.ledger.record(
        CorrectionProposed(
            **next_place(appeal, by, known_version), note=note, entries=correction.raw
        )
    )


def decide(
    models: ReadModels,
    name: str,
    decision: str,
    reason: str,
    *,
    by: str,
    proposal: int | None = None,
    known_version: int | None = None,
    check: Callable[[str], None] | None = None,
) -> int:
    """Decides, and carries the approved correction out. Raises WrongState, Declined,
    SeparationOfDuties.

    `check` is called with every other branch that the correction would settle again, and may
    refuse.
    """
    resume(models)
    check_text(reason)
    appeal = models.appeals.get(name)
    rules.check_decision(
        appeal, decision, proposal, by, _raters(models, appeal), _calculators(models, appeal)
    )
    account = models.accounts.find(by)
    rules.check_disinterest(appeal, by, account.manager if account else None)
    decided = AppealDecided(
        **next_place(appeal, by, known_version),
        decision=decision,
        reason=reason,
        proposal=proposal,
    )
    while True:
        as_read = AsRead(models.ledger.position(), (MonthClosed.TOPIC,))
        if proposal is not None:
            rehearse(models, appeal, appeal.proposals[proposal - 1], check)
        try:
            models.ledger.record(decided, as_read=as_read)
        except Overtaken:  # what follows from it is another thing in a closed month
            continue
        break
    # Where others resettle the month again and again, the decision is on record, and resumed.
    with suppress(VersionClash):
        carry_out(models, name)
    return models.ledger.position()


def notify(
    models: ReadModels,
    name: str,
    *,
    by: str,
    note: str | None = None,
    known_version: int | None = None,
) -> int:
    """Records that the person was informed. Raises WrongState."""
    appeal = models.appeals.get(name)
    rules.check(appeal, "notify")
    return models.ledger.record(AppealNotified(**next_place(appeal, by, known_version), note=note))


def withdraw(
    models: ReadModels,
    name: str,
    *,
    by: str,
    reason: str | None = None,
    known_version: int | None = None,
) -> int:
    """Withdraws the appeal. Raises WrongState."""
    appeal = models.appeals.get(name)
    rules.check(appeal, "withdraw")
    return models.ledger.record(
        AppealWithdrawn(**next_place(appeal, by, known_version), reason=reason)
    )


def request_review(
    models: ReadModels, name: str, reason: str, *, by: str, known_version: int | None = None
) -> int:
    """Asks the level above to decide once more. Raises WrongState, ReviewedAlready."""
    appeal = models.appeals.get(name)
    check_text(reason)
    rules.check(appeal, "review")
    return models.ledger.record(
        ReviewRequested(**next_place(appeal, by, known_version), reason=reason)
    )


def windows(
    models: ReadModels, appeal: Appeal, as_of: int | None = None
) -> tuple[str | None, str | None]:
    """The last days for objections and for decisions; None while the month is not published."""
    cycle = Cycle(models, Period.parse(appeal.filed.period), appeal.filed.branch, as_of)
    return cycle.windows(cycle.state())


def _filed_on(models: ReadModels, appeal: Appeal) -> date:
    return models.calendar.day_of(instant(appeal.filed.at))


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
    positions = rows["position"][rows["kind"] == KIND_CODES["rating"]].tolist()
    raters = set()
    for event in models.ledger.events_at(positions).values():
        if isinstance(event, EntryRecorded) and isinstance(event.entry, Rating):
            raters.add(event.by)
            if event.entry.rater:
                raters.add(event.entry.rater)
    done = Cycle(models, period, appeal.filed.branch).state().done
    if "gs_rated" in done:
        raters.add(done["gs_rated"].by)
    return raters


def _calculators(models: ReadModels, appeal: Appeal) -> set[str]:
    """Who settled the month, or did its calculations."""
    period = Period.parse(appeal.filed.period)
    done = Cycle(models, period, appeal.filed.branch).state().done
    settled = models.statements.settlements(appeal.filed.period, appeal.filed.branch)
    # Resettlements carry decisions out: whoever decided doesn't become a calculator by it.
    closing = models.payments.closing(appeal.filed.branch, appeal.filed.period)
    before = [s for s in settled if closing is None or s.position < closing.position]
    return {s.by for s in before} | {done[step].by for step in CALCULATED if step in done}


def _name_entry(name: str, number: str, entry: Mapping[str, object]) -> dict[str, object]:
    """The entry with its key; an adjustment names the appeal, and has it as its reason if none is
    given, as a reversal has.
    """
    named = dict(entry) | {"source": APPEALS, "source_id": f"{name}-{number}"}
    if named.get("kind") == "adjustment":
        named["appeal"] = name
    if named.get("kind") in ("adjustment", "reversal"):  # which may be a list: no set has it
        named.setdefault("reason", f"申诉 {name}")
    return named


def _decode(content: str) -> bytes:
    """The bytes of a base64 text. Raises NotBase64, EmptyFile, FileTooLarge."""
    try:
        data = base64.b64decode(content, validate=True)
    except ValueError:  # which binascii's own error is, and that of letters beyond ASCII
        raise NotBase64 from None
    if not data:
        raise EmptyFile
    if len(data) > MAX_FILE_BYTES:
        raise FileTooLarge(len(data))
    return data
