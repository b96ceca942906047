"""`merit explain`, `merit history`: how a statement came about, and what happened to it."""

from __future__ import annotations

from typing import Annotated

import typer

from api.acts import statements as acts
from api.cli.context import AsOf, Call, Rules, command
from api.cli.printing import statements as printing
from api.documents.statements import Derivation, History, PostingsAlone
from domain.identifiers import Period, check_id

topic_app = typer.Typer()


@command(topic_app, "explain", show=printing.explanation)
def explain(
    call: Call,
    manager: str,
    period: str,
    rulebook: Rules = None,
    version: Annotated[
        int | None, typer.Option("--version", help="考核单版本 / statement version")
    ] = None,
    as_of: AsOf = None,
) -> Derivation | PostingsAlone:
    """推导：每个数字从何而来 / the derivation of a statement, down to the entries."""
    return acts.explain_statement(
        *call.start(),
        check_id(manager),
        Period.parse(period),
        rulebook=rulebook,
        version=version,
        as_of=as_of,
    )


@command(topic_app, "history", show=printing.history)
def history(
    call: Call, manager: str, period: str, rulebook: Rules = None, as_of: AsOf = None
) -> History:
    """沿革：全部版本和记录 / all statement versions and entries, in order."""
    return acts.show_history(
        *call.start(), check_id(manager), Period.parse(period), rulebook=rulebook, as_of=as_of
    )
