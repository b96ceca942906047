"""`merit account …` and `merit key …`: who may act, in which roles; the keys that programs call
with.
"""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.acts.access import may_set_password
from api.cli.context import Call, Database, Json, Language, Who, put
from api.cli.printing import statements as printing
from domain.errors import Declined, Text
from domain.identifiers import check_id
from domain.rights import LABELS, Role, Seat, seat_of

if TYPE_CHECKING:
    from projections.records.accounts import Account

account_app = typer.Typer(no_args_is_help=True, help="账号与角色 / accounts and roles")
key_app = typer.Typer(no_args_is_help=True, help="接口密钥 / API keys")

RoleOption = Annotated[str | None, typer.Option("--role", help="角色 / " + ", ".join(Role))]
NewRole = Annotated[str, typer.Option("--role", help="角色 / " + ", ".join(Role))]
Branch = Annotated[str | None, typer.Option("--branch", help="只在此分公司 / in this branch only")]
Team = Annotated[str | None, typer.Option("--team", help="只在此班组 / in this team only")]
Manager = Annotated[str | None, typer.Option("--manager", help="只对此人 / for this manager only")]
Owner = Annotated[
    str | None,
    typer.Option("--owner", help="账号属于哪位客户经理 / the manager whose account it is"),
]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="口令从标准输入读 / the password comes on stdin")
]
Days = Annotated[
    int | None, typer.Option("--days", min=1, max=36_500, help="有效天数 / days until it ends")
]


@account_app.command("create")
def create_account(
    name: str,
    role: RoleOption = None,
    branch: Branch = None,
    team: Team = None,
    manager: Manager = None,
    owner: Owner = None,
    password_stdin: FromInput = False,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """新建账号，可同时授予一个角色 / a new account, with a role if one is named."""
    call = Call.of(database, who, language)
    accounts = call.open("manage_accounts").accounts
    seats, password = (
        seats_of(role, branch, team, manager),
        read_password() if password_stdin else None,
    )
    position = accounts.open(
        name, seats, by=call.by, manager=check_id(owner) if owner else None, password=password
    )
    show_change(accounts.get(name), position, call, json=json)


@account_app.command("list")
def list_accounts(
    json: Json = False, database: Database = None, who: Who = None, language: Language = None
) -> None:
    """列出账号 / every account with its roles."""
    call = Call.of(database, who, language)
    found = call.open("manage_accounts").accounts.all()
    if json:
        put([account.as_json() for account in found])
        return
    for account in found:
        print_account(account, call.language)


@account_app.command("show")
def show_account(
    name: str,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """显示一个账号的角色和密钥 / an account's roles and keys."""
    call = Call.of(database, who, language)
    account = call.open("manage_accounts").accounts.get(name)
    if json:
        put(account.as_json())
    else:
        print_account(account, call.language)
        print_keys(account, call.language)


@account_app.command("grant")
def grant_role(
    name: str,
    role: NewRole,
    branch: Branch = None,
    team: Team = None,
    manager: Manager = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """授予角色 / one more role, for what is named."""
    call = Call.of(database, who, language)
    accounts = call.open("manage_accounts").accounts
    (seat,) = seats_of(role, branch, team, manager)
    position = accounts.give(name, seat, by=call.by)
    show_change(accounts.get(name), position, call, json=json)


@account_app.command("withdraw")
def withdraw_role(
    name: str,
    role: NewRole,
    branch: Branch = None,
    team: Team = None,
    manager: Manager = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """收回角色，范围须与授予时相同 / takes a role back, named with the scope that it was given."""
    call = Call.of(database, who, language)
    accounts = call.open("manage_accounts").accounts
    (seat,) = seats_of(role, branch, team, manager)
    position = accounts.take(name, seat, by=call.by)
    show_change(accounts.get(name), position, call, json=json)


@account_app.command("password")
def set_password(
    name: str,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """设定口令（从标准输入读），此前的登录随之失效 / sets the password, read from stdin, and ends
    every session.
    """
    call = Call.of(database, who, language)
    accounts = call.open("keep_self", None).accounts
    may_set_password(call.caller, name)
    position = accounts.set_password(name, read_password(), by=call.by)
    show_change(accounts.get(name), position, call, json=json)


@key_app.command("create")
def create_key(
    name: str,
    role: RoleOption = None,
    branch: Branch = None,
    team: Team = None,
    manager: Manager = None,
    days: Days = None,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """新建接口密钥，只显示一次；没有账号则一并新建 / a new API key, shown once; a new name gets an
    account.

    A new account has the role named, or is an administrator.
    """
    call = Call.of(database, who, language)
    accounts = call.open("manage_accounts").accounts
    seats = seats_of(role, branch, team, manager)
    if seats and accounts.find(check_id(name)):
        raise Declined(
            Text(
                f"{name} 已有账号，角色不随密钥而变；请用 merit account grant {name} --role …",
                f"{name} has an account, whose roles no key changes: merit account grant {name} "
                "--role …",
            )
        )
    secret, position = accounts.create(check_id(name), call.by, seats or (Seat(Role.ADMIN),), days)
    if json:
        put({"name": name, "key": secret, "position": position})
        return
    printing.say(
        call.language,
        f"{name} 的密钥（只显示这一次，请妥善保存）：",
        f"The key of {name} (shown this once, keep it safe):",
    )
    sys.stdout.write(f"{secret}\n")


@key_app.command("revoke")
def revoke_key(
    name: str,
    number: int,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """吊销密钥 / ends a key for good."""
    call = Call.of(database, who, language)
    position = call.open("manage_accounts").accounts.revoke(name, number, by=call.by)
    if json:
        put({"name": name, "number": number, "position": position})
    else:
        printing.say(
            call.language, f"已吊销 {name} 的密钥 {number}", f"key {number} of {name} is revoked"
        )


@key_app.command("list")
def list_keys(
    name: str,
    json: Json = False,
    database: Database = None,
    who: Who = None,
    language: Language = None,
) -> None:
    """列出一个账号的密钥 / an account's keys, without their secrets."""
    call = Call.of(database, who, language)
    account = call.open("manage_accounts").accounts.get(name)
    put(account.as_json()["keys"]) if json else print_keys(account, call.language)


def seats_of(
    role: str | None, branch: str | None, team: str | None, manager: str | None
) -> tuple[Seat, ...]:
    """The role that the options name, if they do. Raises Declined, BadIdentifier."""
    where = [check_id(part) if part else None for part in (branch, team, manager)]
    if role is None:
        if any(where):
            raise Declined(
                Text("范围要与角色一起写：--role 角色", "a scope goes with a role: --role ROLE")
            )
        return ()
    return (seat_of(role, *where),)


def read_password() -> str:
    """The first line of standard input; asked for, unseen, on a terminal."""
    return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def show_change(account: Account, position: int, call: Call, *, json: bool) -> None:
    """An account after a change."""
    put(account.as_json() | {"position": position}) if json else print_account(
        account, call.language
    )


def print_account(account: Account, language: str) -> None:
    """An account in one line."""
    roles = [
        " ".join([LABELS[s.role].in_language(language), *(part for part in s[1:] if part)])
        for s in account.seats
    ]
    zh, en = ("；".join(roles) or "没有角色"), ("; ".join(roles) or "no role")
    whose = (
        (f"（客户经理 {account.manager}）", f" (manager {account.manager})")
        if account.manager
        else ("", "")
    )
    printing.say(language, f"{account.name}{whose[0]}：{zh}", f"{account.name}{whose[1]}: {en}")


def print_keys(account: Account, language: str) -> None:
    """An account's keys, one a line."""
    if not account.keys:
        printing.say(language, "没有密钥", "no keys")
    live = [key["number"] for key in account.live_keys]
    for key in account.keys:
        zh, en = key_state(key, live=key["number"] in live)
        made = printing.moment(key["created_at"])
        printing.say(
            language,
            f"密钥 {key['number']}：{zh}；{key['created_by']} 新建于 {made}",
            f"key {key['number']}: {en}; made by {key['created_by']} at {made}",
        )


def key_state(key: dict[str, Any], *, live: bool) -> Text:
    """Whether a key opens anything, and until when."""
    if key["revoked_at"]:
        at = printing.moment(key["revoked_at"])
        return Text(f"已于 {at} 吊销", f"revoked at {at}")
    if key["expires_at"] is None:
        return Text("有效，没有期限", "live, without an end")
    at = printing.moment(key["expires_at"])
    return (
        Text(f"有效至 {at}", f"live until {at}")
        if live
        else Text(f"已于 {at} 到期", f"ended at {at}")
    )
