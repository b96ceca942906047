"""`merit check`: what must be seen before a month's money moves."""

from __future__ import annotations

from typing import Annotated

import typer

from api.acts import cycles as acts
from api.cli.context import DONE, PARTLY, AsOf, Call, command
from api.cli.printing import checks as printing
from api.documents.checks import Check
from domain.errors import Declined, Text
from domain.identifiers import Period, check_id

topic_app = typer.Typer()

Codes = Annotated[
    list[str] | None, typer.Option("--acknowledge", metavar="CODE", help="确认 / acknowledges")
]


def _status(found: Check) -> int:
    return PARTLY if found.open else DONE


@command(topic_app, "check", show=printing.check, status=_status)
def check(
    call: Call,
    period: str,
    branch: Annotated[str, typer.Option("--branch", help="分公司 / branch")],
    acknowledge: Codes = None,
    note: Annotated[str | None, typer.Option("--note", help="原因 / why it may stand")] = None,
    as_of: AsOf = None,
) -> Check:
    """月检：付款前须看的问题，及其确认 / what must be seen before money moves."""
    month = Period.parse(period), check_id(branch)
    if not acknowledge:
        return acts.show_check(*call.start(), *month, as_of)
    if as_of is not None:
        raise Declined(
            Text(
                "确认的是现在的问题，请去掉 --as-of",
                "what stands now is acknowledged: leave out --as-of",
            )
        )
    return acts.acknowledge_findings(*call.start(), *month, acknowledge, note or "").document
