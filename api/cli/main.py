"""`merit`: the command line. Each command turns its words into one call and prints what comes
back.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.acts.access import replays, supposes
from api.cli.commands.accounts import account_app, key_app
from api.cli.commands.appeals import appeal_app
from api.cli.commands.cycles import cycle_app, month_app
from api.cli.commands.entries import entry_app
from api.cli.commands.grants import grant_app
from api.cli.commands.people import person_app
from api.cli.commands.rulebooks import rulebook_app
from api.cli.commands.settlements import settlement_app
from api.cli.commands.statements import statement_app
from api.cli.context import (
    DONE,
    PARTLY,
    AsOf,
    Call,
    Database,
    Json,
    Language,
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
from domain.errors import Declined, MeritError, StoreError, Text
from domain.identifiers import BadIdentifier, Month, check_id
from domain.rights import Place

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="绩效账本 Merit Ledger",
    pretty_exceptions_enable=False,
)
branch_app = typer.Typer(no_args_is_help=True, help="分公司 / branches")
app.add_typer(entry_app)
app.add_typer(settlement_app)
app.add_typer(statement_app)
app.add_typer(rulebook_app, name="rulebook")
app.add_typer(branch_app, name="branch")
app.add_typer(cycle_app, name="cycle")
app.add_typer(person_app, name="person")
app.add_typer(appeal_app, name="appeal")
app.add_typer(month_app)
app.add_typer(account_app, name="account")
app.add_typer(key_app, name="key")
app.add_typer(grant_app, name="grant")


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
