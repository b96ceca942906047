"""`merit`: the command line. Each command turns its words into one call and prints what comes
back.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.acts.access import reading, replays, supposes
from api.cli.commands.accounts import account_app, key_app
from api.cli.commands.appeals import appeal_app
from api.cli.commands.cycles import cycle_app, month_app
from api.cli.commands.grants import grant_app
from api.cli.commands.operation import operation_app
from api.cli.commands.people import person_app
from api.cli.commands.rulebooks import rulebook_app
from api.cli.context import (
    DONE,
    PARTLY,
    AsOf,
    Call,
    Database,
    Json,
    Language,
    Rules,
    Who,
    complain,
    errors,
    put,
    report_of,
    spoken,
    status_of,
    to_close,
)
from api.cli.printing import statements as printing
from domain.errors import Declined, MeritError, Refused, StoreError, Text
from domain.identifiers import BadIdentifier, Month, Period, check_id
from domain.rights import Place

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="绩效账本 Merit Ledger",
    pretty_exceptions_enable=False,
)
branch_app = typer.Typer(no_args_is_help=True, help="分公司 / branches")
app.add_typer(rulebook_app, name="rulebook")
app.add_typer(branch_app, name="branch")
app.add_typer(cycle_app, name="cycle")
app.add_typer(person_app, name="person")
app.add_typer(appeal_app, name="appeal")
app.add_typer(month_app)
app.add_typer(operation_app)
app.add_typer(account_app, name="account")
app.add_typer(key_app, name="key")
app.add_typer(grant_app, name="grant")

Branch = Annotated[str, typer.Option("--branch", help="分公司 / branch")]


def main() -> None:
    """The command; exit status 0 done, 1 done in part or a check did not hold, 2 wrong call, 3 the
    store.
    """
    spoken.set("both")
    try:
        with to_close:
            app()
    except (StoreError, MeritError, BadIdentifier) as error:
        if "--json" in sys.argv and (report := report_of(error)):
            put(report)
        complain(error)
        sys.exit(status_of(error))


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="jsonl、csv、xlsx")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查，不写入 / check, write nothing")
    ] = False,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """导入业务记录：好的记入，坏的列出原因 / appends entries, lists what is refused and why."""
    from api.acts.entries import import_entries

    call = Call.of(database, who, language)
    report = import_entries(
        call.open("record_ratings", None), files, who=call.caller, dry_run=dry_run
    )
    put(report.as_json()) if json else printing.import_report(
        report, call.language, dry_run=dry_run
    )
    raise typer.Exit(PARTLY if report.rejected else DONE)


@app.command()
def settle(
    period: str,
    branch: Branch,
    rulebook: Rules = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """结算：计算并记录，每人一张新版考核单 / evaluates and records a settlement."""
    call = Call.of(database, who, language)
    service = call.open("settle", Place(check_id(branch)))
    try:
        settled = service.settle(Period.parse(period), branch, rulebook, by=call.by)
    except Refused as refused:
        if json:
            put(
                {"settlements": [], "findings": [finding.as_json() for finding in refused.findings]}
            )
        else:
            printing.findings(refused.findings, call.language)
        raise typer.Exit(PARTLY) from None
    if json:
        put(
            {
                "settlements": [{"id": s.id} | s.evaluation.as_json() for s in settled],
                "position": settled[-1].position,
            }
        )
    else:
        printing.settled(settled, call.language)


@app.command()
def replay(
    periods: Annotated[list[str], typer.Argument(metavar="PERIOD...")],
    branch: Annotated[
        list[str] | None, typer.Option("--branch", help="分公司，可重复 / may be repeated")
    ] = None,
    rulebook: Annotated[
        str | None, typer.Option("--rulebook", help="ID、ID@VERSION 或 FILE.yaml")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="settled、paid 或 ID[@VERSION]")
    ] = None,
    as_of: AsOf = None,
    added: Annotated[Path | None, typer.Option("--with", help="假设增加的记录 FILE.jsonl")] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="假设没有的记录 SOURCE:SOURCE_ID")
    ] = None,
    json: Json = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="另存为 CSV")] = None,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """重放与试算：只计算，不记账 / evaluates without recording."""
    from api.acts.replays import question_of, supposed
    from api.cli.csv_export import write_csv
    from api.importing import read_file
    from projections.replay.replay import replay as run

    call = Call.of(database, who, language)
    service = call.open("replay", None)
    replays(call.caller, branch or [])
    rows = ((f"{added}:{row.line} ", row) for row in read_file(added)) if added else ()
    more = supposed(service, call.caller, rows)
    question = question_of(periods, branch or [], rulebook, against, as_of, more, without or [])
    supposes(service, call.caller, question.added, question.left_out)
    with printing.progress(errors) as report:
        answer = run(service, question, by=call.by, progress=report)
    if csv:
        write_csv(csv, answer)
    put(answer.as_json()) if json else printing.answer(answer, call.language)
    raise typer.Exit(PARTLY if answer.refused else DONE)


@app.command()
def explain(
    manager: str,
    period: str,
    rulebook: Rules = None,
    version: Annotated[
        int | None, typer.Option("--version", help="考核单版本 / statement version")
    ] = None,
    as_of: AsOf = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """推导：每个数字从何而来 / the derivation of a statement, down to the entries."""
    from projections.explain.derivation import explain as run
    from projections.month.payable import postings_alone

    call, asked = Call.of(database, who, language), Period.parse(period)
    service = call.open("read_statements", None)
    with reading(service, call.caller, manager, asked, "derivation"):
        alone = None if rulebook or version or as_of else postings_alone(service, manager, asked)
        found = None if alone else run(service, manager, asked, rulebook, version, as_of)
    if found is None:
        put(alone) if json else printing.alone(alone or {}, call.language)
        return
    put(found.as_json()) if json else printing.explanation(found, call.language)


@app.command()
def history(
    manager: str,
    period: str,
    rulebook: Rules = None,
    as_of: AsOf = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """沿革：全部版本和记录 / all statement versions and entries, in order."""
    from projections.explain.history import history as run

    call, asked = Call.of(database, who, language), Period.parse(period)
    service = call.open("read_statements", None)
    with reading(service, call.caller, manager, asked, "history"):
        found = run(service, manager, asked, rulebook, as_of)
    put(found) if json else printing.history(found, call.language)


@branch_app.command("rulebooks")
def branch_rulebooks(
    branch: str,
    rulebooks: Annotated[list[str] | None, typer.Argument(metavar="ID...")] = None,
    month: Annotated[
        str | None, typer.Option("--from", help="起始月 / from this month on, YYYY-MM")
    ] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """分公司按哪些办法计薪 / what a branch pays by; with ids, sets it from a month on."""
    call = Call.of(database, who, language)
    service = call.open("read_rulebooks", None)
    if rulebooks:
        call.check("set_branch_rulebooks", Place(branch))
        if month is None:
            raise Declined(
                Text("请写明起始月：--from YYYY-MM", "say from which month: --from YYYY-MM")
            )
        service.rulebooks.pay_by(check_id(branch), rulebooks, Month.parse(month), by=call.by)
    at = Month.parse(month) if month else Month(2099, 12)
    document = {
        "branch": branch,
        "month": str(at) if month else None,
        "rulebooks": list(service.rulebooks.pays_by(branch, at)),
    }
    put(document) if json else printing.pays_by(document, call.language)
