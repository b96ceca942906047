"""`merit grant …`: grants are made, used, ended; what went beyond them is corrected, found upon,
reported, sampled.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.acts import grants as granting
from api.cli.context import AsOf, Call, Database, Json, Language, Who, put
from api.cli.printing.grants import print_grant, print_sample, print_total, print_use
from domain.identifiers import Month, check_id
from domain.processes.grant_terms import CORRECTION_DAYS, KINDS, Terms, Usage, checked_day
from domain.rights import Place
from projections.facts.moments import position_as_of
from projections.records.grant_report import report
from projections.records.grants import GrantFilter, UseFilter

if TYPE_CHECKING:
    from projections.service import Service

grant_app = typer.Typer(no_args_is_help=True, help="分层授权 / grants and their uses")

PAGE = 1_000
Branch = Annotated[str | None, typer.Option("--branch", help="分公司 / branch")]
Team = Annotated[str | None, typer.Option("--team", help="班组 / team")]
MonthOption = Annotated[
    str | None, typer.Option("--month", help="使用月份 / month of use, YYYY-MM")
]
KindOption = Annotated[str | None, typer.Option("--kind", help="类别 / " + ", ".join(KINDS))]
Words = Annotated[str, typer.Option("--text", help="说明 / in words")]
Accountable = Annotated[
    str | None, typer.Option("--accountable", help="责任人 / who answers (default: the owner)")
]
UseId = Annotated[
    int, typer.Argument(metavar="USE", min=1, help="使用记录编号 / the id of the use")
]


@grant_app.command("make")
def make_grant(
    grant: str,
    kind: Annotated[str, typer.Option("--kind", help="类别 / " + ", ".join(KINDS))],
    branch: Annotated[str, typer.Option("--branch", help="分公司 / branch")],
    from_day: Annotated[str, typer.Option("--from", help="起 / first day, YYYY-MM-DD")],
    until_day: Annotated[str, typer.Option("--until", help="止 / last day, YYYY-MM-DD")],
    team: Team = None,
    role: Annotated[
        str | None, typer.Option("--role", help="被授权角色 / the role it is for")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="被授权账号 / the account it is for")
    ] = None,
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
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """授权：角色或账号在上限内不必逐笔请示 / lets a role or an account act up to a limit without
    asking.
    """
    call = Call.of(database, who, language)
    service = call.open("make_grants", Place(check_id(branch), team))
    terms = Terms(
        grant, kind, branch, from_day, until_day, team, role, account, owner, amount, count, days
    )
    position = granting.make(service, call.caller, terms)
    document = granting.grant_json(service.grants.get(grant))
    put({"grant": document, "position": position}) if json else print_grant(document, call.language)


@grant_app.command("list")
def list_grants(
    branch: Branch = None,
    team: Team = None,
    on: Annotated[str | None, typer.Option("--on", help="该日可用的 / usable on this day")] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """列出授权 / grants in the order in which they were made."""
    call = Call.of(database, who, language)
    service, wanted = (
        call.open("read_grants", None),
        GrantFilter(branch, team, on=checked_day("on", on) if on else None),
    )
    granting.may_list_grants(service, call.caller, wanted)
    rows = [granting.grant_json(grant) for grant in everything(service.grants.all, wanted)]
    if json:
        put(rows)
        return
    for row in rows:
        print_grant(row, call.language)


@grant_app.command("end")
def end_grant(
    grant: str,
    reason: Annotated[str, typer.Option("--reason", help="原因 / why")],
    last_day: Annotated[
        str | None, typer.Option("--last-day", help="最后一天 / last day (default: today)")
    ] = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """终止授权 / ends a grant before its time."""
    call = Call.of(database, who, language)
    service = call.open("make_grants", None)
    day = checked_day("last_day", last_day) if last_day else None
    position = granting.end(service, call.caller, grant, reason, day)
    document = granting.grant_json(service.grants.get(grant))
    put({"grant": document, "position": position}) if json else print_grant(document, call.language)


@grant_app.command("use")
def use_grant(
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
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """使用授权：笔笔留痕，超出也照记并标明 / records a use; beyond the grant it is recorded and
    marked.
    """
    call = Call.of(database, who, language)
    service = call.open("use_grants", None)
    on = day or today().isoformat()
    usage = Usage(
        what, customer, why, on, kind, amount, count, branch, team, accountable=accountable
    )
    used = granting.use(service, call.caller, grant, usage)
    document = granting.use_json(used, today())
    put({"use": document, "position": used.id}) if json else print_use(document, call.language)


@grant_app.command("uses")
def list_uses(
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
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """列出使用记录 / uses in ledger order."""
    call = Call.of(database, who, language)
    service = call.open("read_grants", None)
    wanted = UseFilter(grant, branch, team, by, month_of(month), is_open, over)
    granting.may_list_uses(service, call.caller, wanted)
    rows = [granting.use_json(use, today()) for use in everything(service.grants.uses, wanted)]
    if json:
        put(rows)
        return
    for row in rows:
        print_use(row, call.language)


@grant_app.command("correct")
def correct_use(
    use: UseId,
    text: Words,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """整改：越权使用已如何纠正 / what was done about a use beyond its grant."""
    call = Call.of(database, who, language)
    service = call.open("use_grants", None)
    show_outcome(call, use, granting.correct(service, call.caller, use, text), service, json=json)


@grant_app.command("finding")
def find_upon_use(
    use: UseId,
    text: Words,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """稽核结论 / what an audit makes of a use."""
    call = Call.of(database, who, language)
    service = call.open("audit_grants", None)
    show_outcome(call, use, granting.find(service, call.caller, use, text), service, json=json)


@grant_app.command("report")
def report_uses(
    month: MonthOption = None,
    branch: Branch = None,
    team: Team = None,
    as_of: AsOf = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """层层稽核：按层级、类别、月份汇总 / totals by level, class and month."""
    call = Call.of(database, who, language)
    service = call.open("read_grants", Place(branch, team))
    wanted, known = (
        UseFilter(branch=branch, team=team, month=month_of(month)),
        position_as_of(service.ledger, as_of),
    )
    totals = report(service.grants, wanted, today=today(), as_of=known)
    if json:
        put({"today": today().isoformat(), "totals": totals})
        return
    for total in totals:
        print_total(total, call.language)


@grant_app.command("sample")
def draw_sample(
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
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """抽样稽核：种子由账本决定，日后可重抽 / a sample whose seed nobody chooses; draw it again any
    day.
    """
    if (size is None) == (again is None):
        raise typer.BadParameter("SIZE | --again ID")
    call = Call.of(database, who, language)
    service = call.open("audit_grants", None)
    if again is not None:
        drawn = granting.drawn_again(service, call.caller, again)
    else:
        assert size is not None
        wanted = UseFilter(branch=branch, team=team, month=month_of(month))
        drawn = granting.order_sample(
            service, call.caller, size, wanted, by_team=by_team, by_amount=by_amount
        )
    document = granting.sample_json(drawn, today())
    put(document) if json else print_sample(document, call.language)


def show_outcome(call: Call, use: int, position: int, service: Service, *, json: bool) -> None:
    """A use after it was settled."""
    document = granting.use_json(service.grants.used(use), today())
    put({"use": document, "position": position}) if json else print_use(document, call.language)


def everything(pages: Any, wanted: Any) -> list[Any]:
    """All pages of a list."""
    rows, following = pages(wanted, limit=PAGE)
    while following is not None:
        more, following = pages(wanted, after=following, limit=PAGE)
        rows += more
    return list(rows)


def month_of(text: str | None) -> str | None:
    """A month as it was given. Raises BadIdentifier."""
    return str(Month.parse(text)) if text else None


def today() -> date:
    """The day by which an open use is overdue."""
    return datetime.now(UTC).date()
