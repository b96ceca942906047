"""申诉: filed, taken up or rejected, investigated, decided, carried out, reviewed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.acts.access import (
    check,
    check_holds,
    check_holds_any,
    check_may_record,
    held_months,
    held_people,
    put_on_record,
)
from api.acts.replays import check_may_see_replay
from api.acts.versions import check_version_read
from api.documents.appeals import AppealList, AppealState, AppealSummary
from api.documents.parts.base import Written
from domain.errors import Text
from domain.identifiers import Period
from domain.processes.appeal import ALLOWED
from domain.rights import Place, may
from projections.appeals import process
from projections.appeals.page import appeal_page

if TYPE_CHECKING:
    from collections.abc import Collection

    from api.documents import appeals as shapes
    from domain.processes.appeal import Appeal
    from projections.records.accounts.accounts import Caller
    from projections.records.appeal_log import StoredFile
    from projections.service import Service


def list_appeals(
    service: Service, who: Caller, wanted: shapes.AppealFilter, *, after: int = 0, limit: int
) -> tuple[AppealList, int | None]:
    """A page of appeals in the order of filing, and the position after which the next one begins.

    Of those asked for the ones that the caller may read: by where they were filed, and by the
    months of the person that the caller holds.
    """
    if wanted.manager:
        check_holds_any(service, who, "read_appeals", wanted.manager)
    else:
        check(who, "read_appeals", Place(wanted.branch) if wanted.branch else None)
    rows, following = service.appeals.page(
        manager=wanted.manager,
        period=wanted.period,
        branch=wanted.branch,
        state=wanted.state,
        after=after,
        limit=limit,
    )
    summaries = []
    for row in rows:
        appeal = service.appeals.get(row.appeal)
        filed = appeal.filed
        held = held_months(service, who, "read_appeals", filed.manager)
        is_here = may(who.seats, "read_appeals", service.appeals.place(appeal))
        if is_here and held.has_whole(Period.parse(filed.period)):
            summary = AppealSummary(
                appeal=row.appeal,
                state=row.state,
                manager=filed.manager,
                period=filed.period,
                branch=filed.branch,
                reason=filed.reason,
            )
            summaries.append(summary)
    return AppealList(appeals=summaries, next=None), following


def show_appeal(service: Service, who: Caller, name: str, as_of: str | None = None) -> AppealState:
    """The disputed statement, the evidence, the decisions, and what they changed.

    That somebody else than the person read it is on record.
    """
    filed = _find_appeal(service, who, name, "read_appeals").filed
    document = _state(service, who, name, service.position_as_of(as_of))
    put_on_record(service, who, filed.manager, Period.parse(filed.period), "appeal")
    return document


def read_file(service: Service, who: Caller, name: str, number: int) -> StoredFile:
    """The file that was attached as the evidence with this number."""
    _find_appeal(service, who, name, "read_appeals")
    return service.appeals.file_of(name, number)


def file_appeal(service: Service, who: Caller, asked: shapes.FileAppeal) -> Written[AppealState]:
    """Files an appeal against the person's latest statement: by themselves, or by HR for them."""
    period = Period.parse(asked.period)
    check_holds(service, who, "file_appeals", asked.manager, period)
    name = process.file_appeal(
        service,
        asked.manager,
        period,
        asked.reason,
        by=who.name,
        rulebook=asked.rulebook,
        lines=asked.lines,
    )
    return Written(_state(service, who, name), service.ledger.position())


def accept(
    service: Service,
    who: Caller,
    name: str,
    asked: shapes.Note,
    *,
    version_read: str | None = None,
) -> Written[AppealState]:
    """受理: takes the appeal up; filed after the window for objections it can only be rejected."""
    known = _check_act(service, who, name, "accept", version_read)
    position = process.accept(service, name, by=who.name, note=asked.note, known_version=known)
    return Written(_state(service, who, name), position)


def reject(
    service: Service,
    who: Caller,
    name: str,
    asked: shapes.Reject,
    *,
    version_read: str | None = None,
) -> Written[AppealState]:
    """不予受理: does not take the appeal up, for a reason."""
    known = _check_act(service, who, name, "reject", version_read)
    position = process.reject(
        service, name, asked.code, asked.reason, by=who.name, known_version=known
    )
    return Written(_state(service, who, name), position)


def attach_evidence(
    service: Service,
    who: Caller,
    name: str,
    asked: shapes.Evidence,
    *,
    version_read: str | None = None,
) -> Written[AppealState]:
    """Attaches a note, with a file or a what-if that was run: one that the caller may see."""
    known = _check_act(service, who, name, "evidence", version_read)
    if asked.replay is not None:
        check_may_see_replay(service, who, asked.replay)
    file = None
    if asked.file is not None:
        file = process.NewFile(asked.file.name, asked.file.media_type, asked.file.content)
    position = process.attach(
        service,
        name,
        asked.note,
        by=who.name,
        file=file,
        replay=asked.replay,
        known_version=known,
    )
    return Written(_state(service, who, name), position)


def propose_correction(
    service: Service,
    who: Caller,
    name: str,
    asked: shapes.ProposeCorrection,
    *,
    version_read: str | None = None,
) -> Written[AppealState]:
    """Proposes entries as the correction: such as the caller may record."""
    known = _check_act(service, who, name, "propose", version_read)
    correction = process.correction_of(service.appeals.get(name), asked.entries)
    check_may_record(service, who, correction.parsed)
    position = process.propose(
        service, name, asked.entries, by=who.name, note=asked.note, known_version=known
    )
    return Written(_state(service, who, name), position)


def decide(
    service: Service,
    who: Caller,
    name: str,
    asked: shapes.Decide,
    *,
    version_read: str | None = None,
) -> Written[AppealState]:
    """裁决: decides, and carries the approved correction out."""
    known = _check_act(service, who, name, "decide", version_read)

    def check_right(branch: str) -> None:
        check(who, "decide_appeals", Place(branch))

    position = process.decide(
        service,
        name,
        asked.decision,
        asked.reason,
        by=who.name,
        proposal=asked.proposal,
        known_version=known,
        check=check_right,
    )
    return Written(_state(service, who, name), position)


def notify(
    service: Service,
    who: Caller,
    name: str,
    asked: shapes.Note,
    *,
    version_read: str | None = None,
) -> Written[AppealState]:
    """告知: the person was informed of what became of the appeal."""
    known = _check_act(service, who, name, "notify", version_read)
    position = process.notify(service, name, by=who.name, note=asked.note, known_version=known)
    return Written(_state(service, who, name), position)


def withdraw(
    service: Service,
    who: Caller,
    name: str,
    asked: shapes.Withdraw,
    *,
    version_read: str | None = None,
) -> Written[AppealState]:
    """撤回: withdraws the appeal, until it is decided."""
    known = _check_act(service, who, name, "withdraw", version_read)
    position = process.withdraw(
        service, name, by=who.name, reason=asked.reason, known_version=known
    )
    return Written(_state(service, who, name), position)


def request_review(
    service: Service,
    who: Caller,
    name: str,
    asked: shapes.RequestReview,
    *,
    version_read: str | None = None,
) -> Written[AppealState]:
    """申请复核: asks the level above to decide once more, once."""
    known = _check_act(service, who, name, "review", version_read)
    position = process.request_review(service, name, asked.reason, by=who.name, known_version=known)
    return Written(_state(service, who, name), position)


def _find_appeal(service: Service, who: Caller, name: str, right: str) -> Appeal:
    """Raises Forbidden, and to those who have the right somewhere NotFound."""
    check(who, right, None)
    appeal = service.appeals.get(name)
    check(who, right, service.appeals.place(appeal))
    # Whatever is done to an appeal shows it.
    check_holds(service, who, right, appeal.filed.manager, Period.parse(appeal.filed.period))
    return appeal


def _check_act(
    service: Service, who: Caller, name: str, act: str, version_read: str | None
) -> int | None:
    """The version that the caller has read, to write behind. Raises Forbidden, NotFound,
    StaleState.
    """
    appeal = _find_appeal(service, who, name, ALLOWED[act].right)

    def changes_since(version: int) -> list[Text]:
        return [
            Text(f"{event.TOPIC}（{event.by}）", f"{event.TOPIC} ({event.by})")
            for event in appeal.history[version:]
        ]

    return check_version_read(version_read, appeal.version, changes_since)


def _state(service: Service, who: Caller, name: str, as_of: int | None = None) -> AppealState:
    period = Period.parse(service.appeals.get(name).filed.period)

    def may_see(managers: Collection[str]) -> Collection[str]:
        return held_people(service, who, "read_statements", managers, period)

    return AppealState.of(appeal_page(service, name, as_of, may_see))
