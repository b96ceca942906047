"""`merit close`, `merit resettle`, `merit cycle …`: a branch's month on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from api.acts import cycles as acts
from api.cli.context import AsOf, Call, command
from api.cli.printing import cycles as printing
from api.documents.cycles import (
    ClosedMonth,
    CycleState,
    Drawn,
    LateEvidence,
    Memo,
    Publication,
    Resettled,
)
from domain.errors import Declined, Text
from domain.identifiers import Period, check_id
from domain.processes.branch_month import BY_CODE

cycle_app = typer.Typer(no_args_is_help=True, help="考核周期 / a branch's month")
topic_app = typer.Typer()  # close and resettle, beside the other commands
topic_app.add_typer(cycle_app, name="cycle")

Branch = Annotated[str, typer.Option("--branch", help="分公司 / branch")]
Codes = Annotated[
    list[str] | None,
    typer.Option("--acknowledge", metavar="CODE", help="确认月检的问题 / of the month check"),
]
Note = Annotated[str | None, typer.Option("--note", help="说明 / a note")]


@command(topic_app, "close", show=printing.closed)
def close(
    call: Call,
    period: str,
    branch: Branch,
    acknowledge: Codes = None,
    note: Note = None,
) -> ClosedMonth:
    """封账发放：锁定结算，此后的变化由重新结算补发或扣回 / closes the month and pays it."""
    month = Period.parse(period), check_id(branch)
    closed = acts.close_month(*call.start(), *month, note=note, acknowledged=acknowledge or ())
    return closed.document


@command(topic_app, "resettle", show=printing.resettled)
def resettle(
    call: Call,
    period: str,
    branch: Branch,
    reason: Annotated[str, typer.Option("--reason", help="原因 / why")],
    appeal: Annotated[str | None, typer.Option("--appeal", help="申诉编号 / the appeal")] = None,
) -> Resettled:
    """重新结算已封账的月份，差额补发或扣回到未封账月份 / posts what differs into the open month."""
    if not reason.strip():
        raise Declined(Text("请写明原因：--reason", "say why: --reason"))
    return acts.resettle_month(
        *call.start(),
        Period.parse(period),
        check_id(branch),
        reason,
        appeal=check_id(appeal) if appeal else None,
    ).document


@command(cycle_app, "show", show=printing.cycle)
def show(call: Call, period: str, branch: Branch, as_of: AsOf = None) -> CycleState:
    """十三个步骤：谁、何时、状态、卡在哪里 / the thirteen steps: who, when, what blocks."""
    return acts.show_cycle(*call.start(), Period.parse(period), check_id(branch), as_of)


@command(cycle_app, "do", show=printing.cycle)
def do(
    call: Call,
    period: str,
    step: Annotated[str, typer.Argument(help=", ".join(BY_CODE))],
    branch: Branch,
    note: Note = None,
) -> CycleState:
    """办理一个步骤，或重办 / does a step, or does it again."""
    done = acts.do_step(*call.start(), Period.parse(period), check_id(branch), step, note=note)
    return done.document


@command(cycle_app, "sample", show=printing.sample)
def sample(
    call: Call,
    period: str,
    branch: Branch,
    size: Annotated[int, typer.Option("--size", min=1, max=100_000, help="人数 / how many")],
    by_team: Annotated[bool, typer.Option("--by-team", help="按班组分层 / by team")] = False,
    by_amount: Annotated[bool, typer.Option("--by-amount", help="按金额加权 / by pay")] = False,
) -> Drawn:
    """抽样稽核：人数和种子先记录，任何人都能重抽 / a sample that anyone can draw again."""
    drawn = acts.draw_sample(
        *call.start(),
        Period.parse(period),
        check_id(branch),
        size,
        by_team=by_team,
        by_amount=by_amount,
    )
    return drawn.document


@command(cycle_app, "finding", show=printing.cycle)
def finding(
    call: Call,
    period: str,
    branch: Branch,
    text: Annotated[str, typer.Option("--text", help="问题 / what was found")],
    manager: Annotated[str | None, typer.Option("--manager", help="客户经理 / manager")] = None,
    minor: Annotated[
        bool, typer.Option("--minor", help="不影响封账 / does not hold up the closing")
    ] = False,
) -> CycleState:
    """记录稽核问题 / records what an audit found."""
    done = acts.record_finding(
        *call.start(),
        Period.parse(period),
        check_id(branch),
        text,
        manager=check_id(manager) if manager else None,
        blocking=not minor,
    )
    return done.document


@command(cycle_app, "resolve", show=printing.cycle)
def resolve(
    call: Call,
    period: str,
    number: int,
    branch: Branch,
    text: Annotated[str, typer.Option("--text", help="如何整改 / how it was mended")],
) -> CycleState:
    """稽核问题销号 / resolves a finding."""
    done = acts.resolve_finding(*call.start(), Period.parse(period), check_id(branch), number, text)
    return done.document


@command(cycle_app, "late", show=printing.late)
def late(call: Call, period: str, branch: Branch, as_of: AsOf = None) -> LateEvidence:
    """公示或封账之后的记录及其影响 / entries after publication or close, with their effect."""
    return acts.show_late_entries(*call.start(), Period.parse(period), check_id(branch), as_of)


@command(cycle_app, "publication", show=printing.publication)
def publication(call: Call, period: str, branch: Branch, as_of: AsOf = None) -> Publication:
    """公示：每人的积分，不含薪酬 / what is published: everyone's points, never their pay."""
    return acts.show_publication(*call.start(), Period.parse(period), check_id(branch), as_of)


@command(cycle_app, "memo", show=printing.memo)
def memo(call: Call, period: str, branch: Branch, as_of: AsOf = None) -> Memo:
    """部门联系单 / the memo by which the results go to HR."""
    return acts.show_memo(*call.start(), Period.parse(period), check_id(branch), as_of)
