"""`merit grant …`: makes, ends and uses grants; corrects, audits and samples their uses."""

from __future__ import annotations

from typing import Annotated

import typer

from api.acts import grants as acts
from api.cli.context import AsOf, Call, command
from api.cli.printing import grants as printing
from api.documents.grants import GrantAt, GrantReport, Grants, Sample, UseAt, Uses
from domain.identifiers import Month, check_id
from domain.processes.grant_terms import CORRECTION_DAYS, KINDS, Terms, Usage, checked_day
from projections.records.grants import GrantFilter, UseFilter

grant_app = typer.Typer(no_args_is_help=True, help="分层授权 / grants and their uses")
topic_app = typer.Typer()
topic_app.add_typer(grant_app, name="grant")

Branch = Annotated[str | None, typer.Option("--branch", help="分公司 / branch")]
Team = Annotated[str | None, typer.Option("--team", help="班组 / team")]
MonthOption = Annotated[
    str | None, typer.Option("--month", help="使用月份 / month of use, YYYY-MM")
]
KindOption = Annotated[str | None, typer.Option("--kind", help="类别 / " + ", ".join(KINDS))]
RoleOption = Annotated[str | None, typer.Option("--role", help="被授权角色 / the role it is for")]
AccountOption = Annotated[
    str | None, typer.Option("--account", help="被授权账号 / the account it is for")
]
Words = Annotated[str, typer.Option("--text", help="说明 / in words")]
Accountable = Annotated[
    str | None, typer.Option("--accountable", help="责任人 / who answers (default: the owner)")
]
UseId = Annotated[
    int, typer.Argument(metavar="USE", min=1, help="使用记录编号 / the id of the use")
]


@command(grant_app, "make", show=printing.grant_at)
def make_grant(
    call: Call,
    grant: str,
    kind: Annotated[str, typer.Option("--kind", help="类别 / " + ", ".join(KINDS))],
    branch: Annotated[str, typer.Option("--branch", help="分公司 / branch")],
    from_day: Annotated[str, typer.Option("--from", help="起 / first day, YYYY-MM-DD")],
    until_day: Annotated[str, typer.Option("--until", help="止 / last day, YYYY-MM-DD")],
    team: Team = None,
    role: RoleOption = None,
    account: AccountOption = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="负责人 / who answers (default: who makes it)")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", help="每月金额上限，元 / yuan a month")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", help="每月次数上限 / uses a month")
    ] = None,
    days: Annotated[
        int, typer.Option("--correction-days", help="整改期限 / days for a correction")
    ] = CORRECTION_DAYS,
) -> GrantAt:
    """授权：角色或账号在上限内不必逐笔请示 / lets a role or an account act up to a limit without
    asking.
    """
    terms = Terms(
        id=grant,
        kind=kind,
        branch=check_id(branch),
        from_day=from_day,
        until_day=until_day,
        team=_id(team),
        role=role,
        account=account,
        owner=owner,
        limit_amount=amount,
        limit_count=count,
        correction_days=days,
    )
    return acts.make_grant(*call.start(begin=True), terms).document


@command(grant_app, "list", show=printing.grants)
def list_grants(
    call: Call,
    branch: Branch = None,
    team: Team = None,
    on: Annotated[str | None, typer.Option("--on", help="该日可用的 / usable on this day")] = None,
    kind: KindOption = None,
    role: RoleOption = None,
    account: AccountOption = None,
) -> Grants:
    """列出授权 / grants in the order in which they were made."""
    day = checked_day("on", on) if on else None
    wanted = GrantFilter(_id(branch), _id(team), kind, role, _id(account), day)
    return acts.list_grants(*call.start(), wanted).document


@command(grant_app, "end", show=printing.grant_at)
def end_grant(
    call: Call,
    grant: str,
    reason: Annotated[str, typer.Option("--reason", help="原因 / why")],
    last_day: Annotated[
        str | None, typer.Option("--last-day", help="最后一天 / last day (default: today)")
    ] = None,
) -> GrantAt:
    """终止授权 / ends a grant before its time."""
    day = checked_day("last_day", last_day) if last_day else None
    return acts.end_grant(*call.start(), grant, reason, day).document


@command(grant_app, "use", show=printing.use_at)
def use_grant(
    call: Call,
    grant: str,
    what: Annotated[str, typer.Option("--what", help="事项 / what was done")],
    customer: Annotated[str, typer.Option("--customer", help="客户 / for which customer")],
    why: Annotated[str, typer.Option("--why", help="原因 / why")],
    day: Annotated[
        str | None, typer.Option("--day", help="日期 / on which day (default: today)")
    ] = None,
    amount: Annotated[str | None, typer.Option("--amount", help="金额，元 / yuan")] = None,
    count: Annotated[int, typer.Option("--count", help="次数 / how many")] = 1,
    kind: KindOption = None,
    branch: Branch = None,
    team: Team = None,
    accountable: Accountable = None,
) -> UseAt:
    """使用授权：笔笔留痕，超出也照记并标明 / records a use; beyond the grant it is recorded and
    marked.
    """
    service, who = call.start()
    usage = Usage(
        what=what,
        customer=customer,
        why=why,
        day=day or service.calendar.today().isoformat(),
        kind=kind,
        amount=amount,
        count=count,
        branch=_id(branch),
        team=_id(team),
        accountable=_id(accountable),
    )
    return acts.use_grant(service, who, grant, usage).document


@command(grant_app, "uses", show=printing.uses)
def list_uses(
    call: Call,
    grant: Annotated[str | None, typer.Option("--grant", help="授权 / of this grant")] = None,
    branch: Branch = None,
    team: Team = None,
    by: Annotated[str | None, typer.Option("--by", help="使用人 / by this account")] = None,
    month: MonthOption = None,
    is_open: Annotated[
        bool | None, typer.Option("--open/--settled", help="未了结的 / not settled yet")
    ] = None,
    over: Annotated[
        bool | None, typer.Option("--over-limit/--within", help="越权的 / beyond the grant")
    ] = None,
) -> Uses:
    """列出使用记录 / uses in ledger order."""
    wanted = UseFilter(_id(grant), _id(branch), _id(team), _id(by), _month(month), is_open, over)
    return acts.list_uses(*call.start(), wanted).document


@command(grant_app, "correct", show=printing.use_at)
def correct_use(call: Call, use: UseId, text: Words) -> UseAt:
    """整改：越权使用已如何纠正 / what was done about a use beyond its grant."""
    return acts.correct_use(*call.start(), use, text).document


@command(grant_app, "finding", show=printing.use_at)
def find_upon_use(call: Call, use: UseId, text: Words) -> UseAt:
    """稽核结论 / what an audit makes of a use."""
    return acts.find_upon_use(*call.start(), use, text).document


@command(grant_app, "report", show=printing.report)
def report_uses(
    call: Call,
    month: MonthOption = None,
    branch: Branch = None,
    team: Team = None,
    as_of: AsOf = None,
) -> GrantReport:
    """层层稽核：按层级、类别、月份汇总 / totals by level, class and month."""
    wanted = UseFilter(branch=_id(branch), team=_id(team), month=_month(month))
    return acts.report_uses(*call.start(), wanted, as_of)


@command(grant_app, "sample", show=printing.sample)
def draw_sample(
    call: Call,
    size: Annotated[
        int | None, typer.Argument(metavar="[SIZE]", help="抽取几笔 / how many uses")
    ] = None,
    again: Annotated[
        int | None, typer.Option("--again", help="重抽此前的样本 / an earlier sample's id")
    ] = None,
    month: MonthOption = None,
    branch: Branch = None,
    team: Team = None,
    by_team: Annotated[
        bool, typer.Option("--by-team", help="按班组分层 / in proportion to teams")
    ] = False,
    by_amount: Annotated[
        bool, typer.Option("--by-amount", help="按金额加权 / weighted by amount")
    ] = False,
) -> Sample:
    """抽样稽核：种子由账本决定，日后可重抽 / a sample whose seed nobody chooses; draw it again any
    day.
    """
    if again is not None and size is None:
        return acts.show_sample(*call.start(), again)
    if again is not None or size is None:
        raise typer.BadParameter("SIZE | --again ID")
    wanted = UseFilter(branch=_id(branch), team=_id(team), month=_month(month))
    drawn = acts.order_sample(*call.start(), size, wanted, by_team=by_team, by_amount=by_amount)
    return drawn.document


def _id(text: str | None) -> str | None:
    return check_id(text) if text else None


def _month(text: str | None) -> str | None:
    return str(Month.parse(text)) if text else None
