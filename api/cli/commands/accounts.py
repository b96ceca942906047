"""`merit account …` and `merit key …`: who may act, in which roles, and the keys of programs."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from api.acts import accounts as acts
from api.cli.context import Call, command
from api.cli.printing import accounts as printing
from api.documents.accounts import Account, Accounts, ChangedAccount, CreatedKey, Key
from domain.entries.kinds import KINDS
from domain.errors import Declined, Text
from domain.identifiers import check_id
from domain.rights import Role, Seat, seat_of

account_app = typer.Typer(no_args_is_help=True, help="账号与角色 / accounts and roles")
key_app = typer.Typer(no_args_is_help=True, help="接口密钥 / API keys")
topic_app = typer.Typer()
topic_app.add_typer(account_app, name="account")
topic_app.add_typer(key_app, name="key")

RoleOption = Annotated[str | None, typer.Option("--role", help="角色 / " + ", ".join(Role))]
NewRole = Annotated[str, typer.Option("--role", help="角色 / " + ", ".join(Role))]
Branch = Annotated[str | None, typer.Option("--branch", help="只在此分公司 / in this branch only")]
Team = Annotated[str | None, typer.Option("--team", help="只在此班组 / in this team only")]
Manager = Annotated[str | None, typer.Option("--manager", help="只对此人 / for this manager only")]
Source = Annotated[
    str | None,
    typer.Option("--source", help="接口只录此来源 / an integration records this source only"),
]
Kind = Annotated[
    str | None,
    typer.Option("--kind", help="接口只录此类 / an integration records this kind only"),
]
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


@command(account_app, "create", show=printing.account)
def create_account(
    call: Call,
    name: str,
    role: RoleOption = None,
    branch: Branch = None,
    team: Team = None,
    manager: Manager = None,
    source: Source = None,
    kind: Kind = None,
    owner: Owner = None,
    password_stdin: FromInput = False,
) -> ChangedAccount:
    """新建账号，可同时授予一个角色 / a new account, with a role if one is named."""
    seats = seats_of(role, branch, team, manager, source, kind)
    service, who = call.start(begin=True)
    opened = acts.open_account(
        service,
        who,
        name,
        seats,
        manager=check_id(owner) if owner else None,
        password=read_password() if password_stdin else None,
    )
    return opened.document


@command(account_app, "list", show=printing.accounts)
def list_accounts(call: Call) -> Accounts:
    """列出账号 / every account with its roles."""
    return acts.list_accounts(*call.start()).document


@command(account_app, "show", show=printing.account_with_keys)
def show_account(call: Call, name: str) -> Account:
    """显示一个账号的角色和密钥 / an account's roles and keys."""
    return acts.show_account(*call.start(), name)


@command(account_app, "grant", show=printing.account)
def grant_role(
    call: Call,
    name: str,
    role: NewRole,
    branch: Branch = None,
    team: Team = None,
    manager: Manager = None,
    source: Source = None,
    kind: Kind = None,
) -> ChangedAccount:
    """授予角色 / one more role, for what is named."""
    service, who = call.start()
    (seat,) = seats_of(role, branch, team, manager, source, kind)
    return acts.give_role(service, who, name, seat).document


@command(account_app, "withdraw", show=printing.account)
def withdraw_role(
    call: Call,
    name: str,
    role: NewRole,
    branch: Branch = None,
    team: Team = None,
    manager: Manager = None,
    source: Source = None,
    kind: Kind = None,
) -> ChangedAccount:
    """收回角色，范围须与授予时相同 / takes a role back, named with the scope that it was given."""
    service, who = call.start()
    (seat,) = seats_of(role, branch, team, manager, source, kind)
    return acts.take_role(service, who, name, seat).document


@command(account_app, "password", show=printing.account)
def set_password(call: Call, name: str) -> ChangedAccount:
    """设定口令（从标准输入读），此前的登录随之失效 / sets the password, read from stdin, and ends
    every session.
    """
    service, who = call.start()
    return acts.set_password(service, who, name, read_password()).document


@command(key_app, "create", show=printing.created_key)
def create_key(
    call: Call,
    name: str,
    role: RoleOption = None,
    branch: Branch = None,
    team: Team = None,
    manager: Manager = None,
    source: Source = None,
    kind: Kind = None,
    days: Days = None,
) -> CreatedKey:
    """新建接口密钥，只显示一次；写明角色时同时开户 / a new API key, shown once; a role opens the
    account too.
    """
    seats = seats_of(role, branch, team, manager, source, kind)
    service, who = call.start(begin=bool(seats))
    return acts.create_key_and_account(service, who, check_id(name), seats, days=days).document


@command(key_app, "revoke", show=printing.revoked_key)
def revoke_key(call: Call, name: str, number: int) -> ChangedAccount:
    """吊销密钥 / ends a key for good."""
    return acts.revoke_key(*call.start(), name, number).document


@command(key_app, "list", show=printing.keys)
def list_keys(call: Call, name: str) -> list[Key]:
    """列出一个账号的密钥 / an account's keys, without their secrets."""
    return acts.show_account(*call.start(), name).keys


class NoSuchKind(Declined):
    """A word that is no kind of entry."""

    def __init__(self, kind: str) -> None:
        listed = ", ".join(KINDS)
        super().__init__(
            Text(
                f"没有记录类别 {kind}，可用：{listed}",
                f"there is no kind of entry {kind}; there are: {listed}",
            )
        )
        self.kind = kind


def seats_of(
    role: str | None,
    branch: str | None,
    team: str | None,
    manager: str | None,
    source: str | None,
    kind: str | None,
) -> tuple[Seat, ...]:
    """The role that the options name, if they do. Raises Declined, BadIdentifier."""
    if kind is not None and kind not in KINDS:
        raise NoSuchKind(kind)
    where = [check_id(part) if part else None for part in (branch, team, manager, source, kind)]
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
