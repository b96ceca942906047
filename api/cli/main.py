"""`merit`: the command line. Each command turns its words into one call and prints what comes
back.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.acts.access import reading
from api.cli.commands.accounts import account_app, key_app
from api.cli.commands.appeals import appeal_app
from api.cli.commands.cycles import cycle_app, month_app
from api.cli.commands.grants import grant_app
from api.cli.commands.people import person_app
from api.cli.commands.replays import replay_app
from api.cli.commands.rulebooks import branch_app, rulebook_app
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
    put,
    report_of,
    spoken,
    status_of,
    to_close,
)
from api.cli.printing import statements as printing
from domain.errors import MeritError, Refused, StoreError
from domain.identifiers import BadIdentifier, Period, check_id
from domain.rights import Place

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="绩效账本 Merit Ledger",
    pretty_exceptions_enable=False,
)
app.add_typer(rulebook_app, name="rulebook")
app.add_typer(branch_app, name="branch")
app.add_typer(cycle_app, name="cycle")
app.add_typer(person_app, name="person")
app.add_typer(appeal_app, name="appeal")
app.add_typer(month_app)
app.add_typer(replay_app)
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


@app.command()
def rebuild(
    json: Json = False, database: Database = None, who: Who = None, language: Language = None
) -> None:
    """重建：丢弃全部读模型，从账本重新推出 / drops every projection and derives it again."""
    call = Call.of(database, who, language)
    digests = call.open("maintain").rebuild()
    same = all(before == after for before, after in digests.values())
    document = {name: {"before": b, "after": a, "same": b == a} for name, (b, a) in digests.items()}
    put(document) if json else printing.rebuilt(document, call.language)
    raise typer.Exit(DONE if same else PARTLY)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option("--host")] = None,
    port: Annotated[int | None, typer.Option("--port")] = None,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """服务：HTTP 接口 / the HTTP service."""
    from api.http.serve import listening, serve

    call = Call.of(database, who, language)
    settings = call.settings
    call.open(
        "maintain"
    ).close()  # a database that does not answer is said in one line, not by the server
    with listening(host or settings.host, settings.port if port is None else port) as door:
        serve(settings, door)


@app.command()
def demo(database: Database = None, who: Who = None, language: Language = None) -> None:
    """演示：造一个分公司三个月的数据，结算并解释 / a made-up branch, settled and explained."""
    from api.cli.demo.story import run

    call = Call.of(database, who, language)
    run(call.open("maintain"), call.by, call.language, call.settings.database)
