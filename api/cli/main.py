"""`merit`: the command line. Each command turns its words into one call and prints what comes
back.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from api.cli.commands.accounts import account_app, key_app
from api.cli.commands.appeals import appeal_app
from api.cli.commands.cycles import cycle_app, month_app
from api.cli.commands.entries import entry_app
from api.cli.commands.grants import grant_app
from api.cli.commands.people import person_app
from api.cli.commands.replays import replay_app
from api.cli.commands.rulebooks import branch_app, rulebook_app
from api.cli.commands.settlements import settlement_app
from api.cli.commands.statements import statement_app
from api.cli.context import (
    DONE,
    PARTLY,
    Call,
    Database,
    Json,
    Language,
    Who,
    complain,
    put,
    report_of,
    spoken,
    status_of,
    to_close,
)
from api.cli.printing import statements as printing
from domain.errors import MeritError, StoreError
from domain.identifiers import BadIdentifier

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="绩效账本 Merit Ledger",
    pretty_exceptions_enable=False,
)
app.add_typer(entry_app)
app.add_typer(settlement_app)
app.add_typer(statement_app)
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
