"""`merit settle`: a branch's period is evaluated and recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from api.acts import settlements as acts
from api.cli.context import Call, Rules, command
from api.cli.printing import settlements as printing
from api.documents.settlements import SettledBranch
from domain.identifiers import Period, check_id

topic_app = typer.Typer()


@command(topic_app, "settle", show=printing.settled)
def settle(
    call: Call,
    period: str,
    branch: Annotated[str, typer.Option("--branch", help="分公司 / branch")],
    rulebook: Rules = None,
) -> SettledBranch:
    """结算：计算并记录，每人一张新版考核单 / evaluates and records a settlement."""
    return acts.settle(*call.start(), Period.parse(period), check_id(branch), rulebook).document
