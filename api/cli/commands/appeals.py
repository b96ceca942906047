"""`merit appeal …`: appeals on the command line."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.acts.appeals import read, summaries
from api.cli.context import Call, Database, Json, Language, Who, put
from api.cli.printing import appeals as printing
from api.importing import read_file
from domain.errors import Declined, Invalid, Text
from domain.identifiers import Period, check_id
from domain.rights import Place
from projections.appeals import process
from projections.appeals.page import appeal_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.service import Service

appeal_app = typer.Typer(no_args_is_help=True, help="申诉 / appeals")

Reason = Annotated[str, typer.Option("--reason", help="理由 / why")]
Note = Annotated[str | None, typer.Option("--note", help="说明 / a note")]


def _act(
    name: str,
    act: str,
    do: Callable[[Service, str], object],
    json: bool,
    database: str | None,
    who: str | None,
    language: str | None,
) -> None:
    """Does one thing with an appeal, and shows how it stands."""
    call = Call.of(database, who, language)
    service = call.open(act, None)
    call.check(act, service.appeals.place(service.appeals.get(name)))
    do(service, call.by)
    content = appeal_page(service, name)
    put(content) if json else printing.appeal(content, call.language)


@appeal_app.command("file")
def file(
    manager: str,
    period: str,
    reason: Reason,
    line: Annotated[
        list[str] | None, typer.Option("--line", help="有异议的步骤，可重复 / a disputed step")
    ] = None,
    rulebook: Annotated[str | None, typer.Option("--rulebook", help="ID")] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """提出申诉 / files an appeal against a person's latest statement."""
    call = Call.of(database, who, language)
    service, asked = call.open("file_appeals", None), Period.parse(period)
    call.check("file_appeals", service.places.place_of(check_id(manager), asked))
    name = process.file_appeal(
        service, manager, asked, reason, by=call.by, rulebook=rulebook, lines=line or []
    )
    content = appeal_page(service, name)
    put(content) if json else printing.appeal(content, call.language)


@appeal_app.command("list")
def list_appeals(
    branch: Annotated[str | None, typer.Option("--branch", help="分公司 / branch")] = None,
    manager: Annotated[str | None, typer.Option("--manager", help="客户经理 / manager")] = None,
    state: Annotated[str | None, typer.Option("--state", help="状态 / state")] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """申诉一览 / the appeals that one may read."""
    call = Call.of(database, who, language)
    service = call.open("read_appeals", Place(branch) if branch else None)
    rows, _ = service.appeals.page(
        {"branch": branch, "manager": manager, "state": state}, after=0, limit=1_000_000
    )
    found = summaries(service, call.caller, rows)
    put({"appeals": found}) if json else printing.appeals(found, call.language)


@appeal_app.command("show")
def show(
    name: str,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """申诉的经过 / an appeal as it stands."""
    call = Call.of(database, who, language)
    content = read(call.open("read_appeals", None), call.caller, name)
    put(content) if json else printing.appeal(content, call.language)


@appeal_app.command("accept")
def accept(
    name: str,
    note: Note = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """受理 / takes it up."""
    _act(
        name,
        "handle_appeals",
        lambda service, by: process.accept(service, name, by=by, note=note),
        json,
        database,
        who,
        language,
    )


@appeal_app.command("reject")
def reject(
    name: str,
    reason: Reason,
    code: Annotated[str, typer.Option("--code", help="out_of_time, not_own, other")] = "other",
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """不予受理 / does not take it up."""
    _act(
        name,
        "handle_appeals",
        lambda service, by: process.reject(service, name, code, reason, by=by),
        json,
        database,
        who,
        language,
    )


@appeal_app.command("evidence")
def evidence(
    name: str,
    note: Annotated[str, typer.Option("--note", help="说明 / a note")],
    attached: Annotated[Path | None, typer.Option("--file", help="文件 / a file")] = None,
    replay: Annotated[
        int | None, typer.Option("--replay", help="试算的编号 / a what-if's id")
    ] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """证据：说明、文件、试算 / a note, a file, a what-if."""
    file = _content(attached) if attached else None
    _act(
        name,
        "add_evidence",
        lambda service, by: process.attach(service, name, note, by=by, file=file, replay=replay),
        json,
        database,
        who,
        language,
    )


def _content(path: Path) -> tuple[str, str, str]:
    try:
        content = base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise Declined(
            Text(f"读不了文件 {path}：{error}", f"cannot read {path}: {error}")
        ) from None
    return path.name, mimetypes.guess_type(path.name)[0] or "application/octet-stream", content


@appeal_app.command("propose")
def propose(
    name: str,
    entries: Annotated[Path, typer.Argument(help="更正的记录 / entries that correct it, .jsonl")],
    note: Note = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """提出更正：由另一人裁决时批准 / a correction, for somebody else's decision to approve."""
    raw, reasons = [], []
    for row in read_file(entries):
        reasons += [
            reason._replace(field=f"{entries}:{row.line} {reason.field}".strip())
            for reason in row.reasons
        ]
        raw.append(row.raw or {})
    if reasons:
        raise Invalid(reasons)
    _act(
        name,
        "handle_appeals",
        lambda service, by: process.propose(service, name, raw, by=by, note=note),
        json,
        database,
        who,
        language,
    )


@appeal_app.command("decide")
def decide(
    name: str,
    decision: Annotated[str, typer.Argument(help="upheld, partly_upheld, dismissed")],
    reason: Reason,
    proposal: Annotated[
        int | None, typer.Option("--proposal", help="批准的更正 / the correction approved")
    ] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """裁决并执行 / decides, and carries out what is approved."""
    _act(
        name,
        "decide_appeals",
        lambda service, by: process.decide(
            service, name, decision, reason, by=by, proposal=proposal
        ),
        json,
        database,
        who,
        language,
    )


@appeal_app.command("notify")
def notify(
    name: str,
    note: Note = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """已告知本人 / the person was told."""
    _act(
        name,
        "handle_appeals",
        lambda service, by: process.notify(service, name, by=by, note=note),
        json,
        database,
        who,
        language,
    )


@appeal_app.command("withdraw")
def withdraw(
    name: str,
    reason: Annotated[str | None, typer.Option("--reason", help="理由 / why")] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """撤回 / withdraws it."""
    _act(
        name,
        "withdraw_appeals",
        lambda service, by: process.withdraw(service, name, by=by, reason=reason),
        json,
        database,
        who,
        language,
    )


@appeal_app.command("review")
def review(
    name: str,
    reason: Reason,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """申请上级复核，一次 / asks the level above, once."""
    _act(
        name,
        "request_reviews",
        lambda service, by: process.request_review(service, name, reason, by=by),
        json,
        database,
        who,
        language,
    )
