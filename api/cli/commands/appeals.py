"""`merit appeal …`: appeals on the command line."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path
from typing import Annotated

import typer

from api.acts import appeals as acts
from api.cli.context import AsOf, Call, command
from api.cli.printing import appeals as printing
from api.documents import appeals as shapes
from api.documents.appeals import AppealList, AppealState
from api.documents.parts.checked import checked
from api.importing import read_file
from api.importing.files import read_given
from domain.errors import Declined, Invalid, Text
from domain.identifiers import check_id
from domain.processes.appeal import MAX_FILE_BYTES
from projections.appeals.process import FileTooLarge

appeal_app = typer.Typer(no_args_is_help=True, help="申诉 / appeals")
topic_app = typer.Typer()
topic_app.add_typer(appeal_app, name="appeal")
ALL = 1_000_000  # appeals in one list

Reason = Annotated[str, typer.Option("--reason", help="理由 / why")]
Note = Annotated[str | None, typer.Option("--note", help="说明 / a note")]


@command(appeal_app, "file", show=printing.appeal)
def file(
    call: Call,
    manager: str,
    period: str,
    reason: Reason,
    line: Annotated[
        list[str] | None, typer.Option("--line", help="有异议的步骤，可重复 / a disputed step")
    ] = None,
    rulebook: Annotated[str | None, typer.Option("--rulebook", help="ID")] = None,
) -> AppealState:
    """提出申诉 / files an appeal against a person's latest statement."""
    asked = checked(
        shapes.FileAppeal,
        manager=manager,
        period=period,
        reason=reason,
        rulebook=rulebook,
        lines=line or [],
    )
    return acts.file_appeal(*call.start(), asked).document


@command(appeal_app, "list", show=printing.appeals)
def list_appeals(
    call: Call,
    branch: Annotated[str | None, typer.Option("--branch", help="分公司 / branch")] = None,
    manager: Annotated[str | None, typer.Option("--manager", help="客户经理 / manager")] = None,
    state: Annotated[str | None, typer.Option("--state", help="状态 / state")] = None,
    period: Annotated[str | None, typer.Option("--period", help="考核周期 / period")] = None,
) -> AppealList:
    """申诉一览 / the appeals that one may read."""
    wanted = checked(
        shapes.AppealFilter, manager=manager, period=period, branch=branch, state=state
    )
    found, _ = acts.list_appeals(*call.start(), wanted, limit=ALL)
    return found


@command(appeal_app, "show", show=printing.appeal)
def show(call: Call, name: str, as_of: AsOf = None) -> AppealState:
    """申诉的经过 / an appeal as it stands."""
    return acts.show_appeal(*call.start(), check_id(name), as_of)


@command(appeal_app, "accept", show=printing.appeal)
def accept(call: Call, name: str, note: Note = None) -> AppealState:
    """受理 / takes it up."""
    asked = checked(shapes.Note, note=note)
    return acts.accept(*call.start(), check_id(name), asked).document


@command(appeal_app, "reject", show=printing.appeal)
def reject(
    call: Call,
    name: str,
    reason: Reason,
    code: Annotated[str, typer.Option("--code", help="out_of_time, not_own, other")] = "other",
) -> AppealState:
    """不予受理 / does not take it up."""
    asked = checked(shapes.Reject, code=code, reason=reason)
    return acts.reject(*call.start(), check_id(name), asked).document


@command(appeal_app, "evidence", show=printing.appeal)
def evidence(
    call: Call,
    name: str,
    note: Annotated[str, typer.Option("--note", help="说明 / a note")],
    attached: Annotated[Path | None, typer.Option("--file", help="文件 / a file")] = None,
    replay: Annotated[
        int | None, typer.Option("--replay", help="试算的编号 / a what-if's id")
    ] = None,
) -> AppealState:
    """证据：说明、文件、试算 / a note, a file, a what-if."""
    file = _file_fields(attached) if attached else None
    asked = checked(shapes.Evidence, note=note, file=file, replay=replay)
    return acts.attach_evidence(*call.start(), check_id(name), asked).document


def _file_fields(path: Path) -> dict[str, str]:
    """Raises FileTooLarge before the file is read."""
    try:
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            raise FileTooLarge(size)
        content = base64.b64encode(read_given(path, MAX_FILE_BYTES)).decode()
    except OSError as error:
        raise Declined(
            Text(f"读不了文件 {path}：{error}", f"cannot read {path}: {error}")
        ) from None
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"name": path.name, "media_type": media_type, "content": content}


@command(appeal_app, "propose", show=printing.appeal)
def propose(
    call: Call,
    name: str,
    entries: Annotated[Path, typer.Argument(help="更正的记录 / entries that correct it, .jsonl")],
    note: Note = None,
) -> AppealState:
    """提出更正：由另一人裁决时批准 / a correction, for somebody else's decision to approve."""
    asked = checked(shapes.ProposeCorrection, entries=_read_entries(entries), note=note)
    return acts.propose_correction(*call.start(), check_id(name), asked).document


def _read_entries(path: Path) -> list[dict[str, object]]:
    """Raises Invalid with the file and line of every row that can't be read."""
    entries, reasons = [], []
    for row in read_file(path):
        entries.append(row.raw or {})
        for reason in row.reasons:
            place = f"{path}:{row.line} {reason.field}".strip()
            reasons.append(reason._replace(field=place))
    if reasons:
        raise Invalid(reasons)
    return entries


@command(appeal_app, "decide", show=printing.appeal)
def decide(
    call: Call,
    name: str,
    decision: Annotated[str, typer.Argument(help="upheld, partly_upheld, dismissed")],
    reason: Reason,
    proposal: Annotated[
        int | None, typer.Option("--proposal", help="批准的更正 / the correction approved")
    ] = None,
) -> AppealState:
    """裁决并执行 / decides, and carries out what is approved."""
    asked = checked(shapes.Decide, decision=decision, reason=reason, proposal=proposal)
    return acts.decide(*call.start(), check_id(name), asked).document


@command(appeal_app, "notify", show=printing.appeal)
def notify(call: Call, name: str, note: Note = None) -> AppealState:
    """已告知本人 / the person was told."""
    asked = checked(shapes.Note, note=note)
    return acts.notify(*call.start(), check_id(name), asked).document


@command(appeal_app, "withdraw", show=printing.appeal)
def withdraw(
    call: Call,
    name: str,
    reason: Annotated[str | None, typer.Option("--reason", help="理由 / why")] = None,
) -> AppealState:
    """撤回 / withdraws it."""
    asked = checked(shapes.Withdraw, reason=reason)
    return acts.withdraw(*call.start(), check_id(name), asked).document


@command(appeal_app, "review", show=printing.appeal)
def review(call: Call, name: str, reason: Reason) -> AppealState:
    """申请上级复核，一次 / asks the level above, once."""
    asked = checked(shapes.RequestReview, reason=reason)
    return acts.request_review(*call.start(), check_id(name), asked).document
