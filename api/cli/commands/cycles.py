"""`merit close`, `merit resettle`, `merit cycle …`: a branch's month on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.acts.access import check_in_branch, check_publication
from api.acts.cycles import closed_json, resettled_json
from api.cli.context import AsOf, Call, Database, Json, Language, Who, put
from api.cli.printing import cycles as printing
from domain.errors import Declined, Text
from domain.identifiers import Period, check_id
from domain.processes.branch_month import BY_CODE
from domain.rights import Place
from projections.facts.moments import position_as_of
from projections.month.cycle import Cycle
from projections.month.late_entries import late_evidence

if TYPE_CHECKING:
    from projections.service import Service

cycle_app = typer.Typer(no_args_is_help=True, help="考核周期 / a branch's month")

Branch = Annotated[str, typer.Option("--branch", help="分公司 / branch")]
Note = Annotated[str | None, typer.Option("--note", help="说明 / a note")]


def _cycle(
    call: Call, act: str, period: str, branch: str, as_of: str | None = None
) -> tuple[Service, Cycle]:
    service = call.open(act, None)
    check_in_branch(call.caller, act, check_id(branch))
    return service, Cycle(
        service, Period.parse(period), branch, position_as_of(service.ledger, as_of)
    )


def close(
    period: str,
    branch: Branch,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """封账发放：锁定结算，此后的变化由重新结算补发或扣回 / closes the month: what was settled is
    paid.
    """
    call = Call.of(database, who, language)
    service, cycle = _cycle(call, "close", period, branch)
    content = closed_json(cycle, service.close_month(cycle, by=call.by))
    put(content) if json else printing.closed(content, call.language)


def resettle(
    period: str,
    branch: Branch,
    reason: Annotated[str, typer.Option("--reason", help="原因 / why")],
    appeal: Annotated[str | None, typer.Option("--appeal", help="申诉编号 / the appeal")] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """重新结算已封账的月份，差额补发或扣回到未封账月份 / posts what differs into the open month."""
    call = Call.of(database, who, language)
    if not reason.strip():
        raise Declined(Text("请写明原因：--reason", "say why: --reason"))
    service, cycle = _cycle(call, "resettle", period, branch)
    content = resettled_json(service, cycle, reason, call.by, check_id(appeal) if appeal else None)
    put(content) if json else printing.resettled(content, call.language)


@cycle_app.command("show")
def show(
    period: str,
    branch: Branch,
    as_of: AsOf = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """十三个步骤：谁、何时、状态、卡在哪里 / the thirteen steps: who, by when, state, what
    blocks.
    """
    call = Call.of(database, who, language)
    _, cycle = _cycle(call, "read_cycle", period, branch, as_of)
    content = cycle.as_json()
    put(content) if json else printing.cycle(content, call.language)


@cycle_app.command("do")
def do(
    period: str,
    step: Annotated[str, typer.Argument(help=", ".join(BY_CODE))],
    branch: Branch,
    note: Note = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """办理一个步骤，或重办 / does a step, or does it again."""
    call = Call.of(database, who, language)
    if step not in BY_CODE:
        listed = ", ".join(BY_CODE)
        raise Declined(
            Text(
                f"没有步骤 {step}，共有：{listed}", f"there is no step {step}; there are: {listed}"
            )
        )
    service, cycle = _cycle(call, BY_CODE[step].act, period, branch)
    service.do_step(cycle, step, by=call.by, note=note)
    content = cycle.as_json()
    put(content) if json else printing.cycle(content, call.language)


@cycle_app.command("sample")
def sample(
    period: str,
    branch: Branch,
    size: Annotated[int, typer.Option("--size", min=1, help="人数 / how many")],
    by_team: Annotated[
        bool, typer.Option("--by-team", help="按班组分层 / stratified by team")
    ] = False,
    by_amount: Annotated[
        bool, typer.Option("--by-amount", help="按金额加权 / weighted by pay")
    ] = False,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """抽样稽核：人数和种子先记录，任何人都能重抽 / a sample that anyone can draw again."""
    call = Call.of(database, who, language)
    _service, cycle = _cycle(call, "audit", period, branch)
    drawn = cycle.order_sample(size, by=call.by, by_team=by_team, by_amount=by_amount)
    put(drawn) if json else printing.sample(drawn, call.language)


@cycle_app.command("finding")
def finding(
    period: str,
    branch: Branch,
    text: Annotated[str, typer.Option("--text", help="问题 / what was found")],
    manager: Annotated[str | None, typer.Option("--manager", help="客户经理 / manager")] = None,
    minor: Annotated[
        bool, typer.Option("--minor", help="不影响封账 / does not hold up the closing")
    ] = False,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """记录稽核问题 / records what an audit found."""
    call = Call.of(database, who, language)
    _service, cycle = _cycle(call, "audit", period, branch)
    cycle.record_finding(
        text, by=call.by, manager=check_id(manager) if manager else None, blocking=not minor
    )
    content = cycle.as_json()
    put(content) if json else printing.cycle(content, call.language)


@cycle_app.command("resolve")
def resolve(
    period: str,
    number: int,
    branch: Branch,
    text: Annotated[str, typer.Option("--text", help="如何整改 / how it was mended")],
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """稽核问题销号 / resolves a finding."""
    call = Call.of(database, who, language)
    _service, cycle = _cycle(call, "audit", period, branch)
    cycle.resolve_finding(number, text, by=call.by)
    content = cycle.as_json()
    put(content) if json else printing.cycle(content, call.language)


@cycle_app.command("late")
def late(
    period: str,
    branch: Branch,
    as_of: AsOf = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """公示或封账之后的记录及其影响 / entries after publication or close, with their effect in
    yuan.
    """
    call = Call.of(database, who, language)
    service = call.open("read_entries", Place(check_id(branch)))
    found = late_evidence(
        Cycle(service, Period.parse(period), branch, position_as_of(service.ledger, as_of))
    )
    put({"branch": branch, "period": period, "late": found}) if json else printing.late(
        found, call.language
    )


@cycle_app.command("publication")
def publication(
    period: str,
    branch: Branch,
    as_of: AsOf = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """公示：每人的积分，不含薪酬 / what is published: everyone's points, never their pay."""
    from projections.month.memo import published

    call = Call.of(database, who, language)
    service = call.open("read_publication", None)
    asked = Period.parse(period)
    check_publication(service, call.caller, asked, check_id(branch))
    found = published(Cycle(service, asked, branch, position_as_of(service.ledger, as_of)))
    put(found) if json else printing.publication(found, call.language)


@cycle_app.command("memo")
def memo(
    period: str,
    branch: Branch,
    as_of: AsOf = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """部门联系单 / the memo by which the results go to HR."""
    from projections.month.memo import memo_of

    call = Call.of(database, who, language)
    service = call.open("read_settlements", Place(check_id(branch)))
    found = memo_of(
        Cycle(service, Period.parse(period), branch, position_as_of(service.ledger, as_of))
    )
    put(found) if json else printing.memo(found, call.language)
