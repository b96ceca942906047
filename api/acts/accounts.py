"""账号与权限: accounts with their roles and keys, sessions, and who read whose statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.acts.access import check, check_holds_any
from api.documents.accounts import (
    Account,
    Accounts,
    ChangedAccount,
    CreatedKey,
    Key,
    LoggedOut,
    Me,
    Reads,
    ReadStatement,
    Seat,
    Session,
)
from api.documents.parts.base import Page, Written
from domain.errors import Declined, MeritError, NextAct, NotFound, Text
from domain.identifiers import Period, check_id
from domain.rights import ACTS, Place, may
from domain.rights import Seat as SeatOfAccount
from projections.facts.places import place_by

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from projections.records.accounts.accounts import Caller
    from projections.records.accounts.api_keys import NewKey
    from projections.records.accounts.rows import Account as AccountRecord
    from projections.records.statement_reads import Reading
    from projections.service import Service


class WrongPassword(MeritError):
    """Name and password do not belong together; which of them is wrong is not said."""

    code = "wrong_password"

    def __init__(self) -> None:
        super().__init__(
            Text("账号或口令不对；请重新输入", "name or password is wrong: enter them again")
        )


class RolesOfExistingAccount(Declined):
    """A new key was to give roles to an account that is open already."""

    def __init__(self, account: str) -> None:
        super().__init__(
            Text(
                f"{account} 已有账号，角色不随密钥而变；请另行授予角色",
                f"{account} has an account, whose roles no key changes: give it the role itself",
            ),
            NextAct("give_role", {"account": account}),
        )
        self.account = account


class NoAccountForKey(NotFound):
    """A key was to be made for a name that has no account: it would act as nobody knows whom."""

    def __init__(self, account: str) -> None:
        super().__init__(
            Text(
                f"没有账号 {account}，密钥必须属于一个账号；请核对名称，或先开户并授予角色"
                "（新建密钥时写明角色，会同时开户）",
                f"there is no account {account}, and a key belongs to one: check the name, or open "
                "it with its role (a key that is made with a role opens it too)",
            ),
            NextAct("create_key", {"account": account}),
        )
        self.account = account


def list_accounts(
    service: Service, who: Caller, *, after: int = 0, limit: int | None = None
) -> Page[Accounts]:
    """Every account with its roles and keys, in the order in which they were opened."""
    check(who, "manage_accounts")
    accounts = [account for account in service.accounts.all() if account.opened > after]
    page = accounts if limit is None else accounts[:limit]
    following = page[-1].opened if len(page) < len(accounts) else None
    return Page(Accounts(accounts=[_document(account) for account in page], next=None), following)


def show_account(service: Service, who: Caller, name: str) -> Account:
    """An account with its roles and keys; no secret."""
    check(who, "manage_accounts")
    return _document(service.accounts.get(name))


def open_account(
    service: Service,
    who: Caller,
    name: str,
    seats: Sequence[SeatOfAccount],
    *,
    manager: str | None = None,
    password: str | None = None,
) -> Written[ChangedAccount]:
    """Opens an account with its first roles. A manager's role makes their statements its own."""
    check(who, "manage_accounts")
    position = service.accounts.open(name, seats, by=who.name, manager=manager, password=password)
    return _changed(service, name, position)


def give_role(
    service: Service, who: Caller, name: str, seat: SeatOfAccount
) -> Written[ChangedAccount]:
    """Gives one more role; one that the account has already changes nothing."""
    check(who, "manage_accounts")
    return _changed(service, name, service.accounts.give(name, seat, by=who.name))


def take_role(
    service: Service, who: Caller, name: str, seat: SeatOfAccount
) -> Written[ChangedAccount]:
    """Takes a role back, named with the scope that it was given."""
    check(who, "manage_accounts")
    return _changed(service, name, service.accounts.take(name, seat, by=who.name))


def set_password(
    service: Service, who: Caller, name: str, password: str
) -> Written[ChangedAccount]:
    """Sets one's own password, or as the administrator anybody's; every open session ends."""
    check(who, "keep_self", None)
    if who.name != name:
        check(who, "manage_accounts")
    position = service.accounts.sessions.set_password(name, password, by=who.name)
    return _changed(service, name, position)


def create_key(
    service: Service, who: Caller, name: str, *, days: int | None = None
) -> Written[CreatedKey]:
    """Makes a key of an account; its secret is in this document and nowhere else."""
    check(who, "manage_accounts")
    service.accounts.get(name)
    return _created(service, name, service.accounts.keys.create(name, who.name, days=days))


def create_key_and_account(
    service: Service,
    who: Caller,
    name: str,
    seats: Sequence[SeatOfAccount],
    *,
    days: int | None = None,
) -> Written[CreatedKey]:
    """Makes a key; with seats it opens an account, without it is for one that is open.

    Raises RolesOfExistingAccount where seats are named and there is an account, NoAccountForKey
    where there is neither.
    """
    check(who, "manage_accounts")
    account = service.accounts.find(check_id(name))
    if seats and account:
        raise RolesOfExistingAccount(name)
    if not seats and account is None:
        raise NoAccountForKey(name)
    new = service.accounts.keys.create(name, who.name, seats, days)
    return _created(service, name, new)


def revoke_key(service: Service, who: Caller, name: str, number: int) -> Written[ChangedAccount]:
    """Ends a key for good."""
    check(who, "manage_accounts")
    return _changed(service, name, service.accounts.keys.revoke(name, number, by=who.name))


def log_in(service: Service, name: str, password: str) -> Written[Session]:
    """Opens a session for twelve hours. Raises WrongPassword."""
    session = service.accounts.sessions.log_in(check_id(name), password)
    if session is None:
        raise WrongPassword
    return Written(Session.of(session), service.ledger.position())


def log_out(service: Service, token: str) -> Written[LoggedOut]:
    """Closes the session of this token: whoever has it may, also without a role. Raises Declined
    for an API key.
    """
    service.accounts.sessions.log_out(token)
    position = service.ledger.position()
    return Written(LoggedOut(position=position), position)


def show_me(who: Caller) -> Me:
    """The caller's account, roles, and the acts that these allow somewhere."""
    check(who, "read_self", None)
    return Me(
        account=who.name,
        manager=who.manager,
        roles=[Seat.of(seat) for seat in who.seats],
        acts=sorted(name for name in ACTS if may(who.seats, name)),
    )


def list_reads(
    service: Service,
    who: Caller,
    manager: str | None,
    by: str | None = None,
    *,
    after: int,
    limit: int,
) -> Page[Reads]:
    """Who read whose statement, derivation or history, when; of one person or of all, by one reader
    or by all.

    An auditor of a branch sees what was read of the months in which people worked there.
    """
    if manager:
        check_holds_any(service, who, "read_reads", manager)
    else:
        check(who, "read_reads", None)
    reads, following = service.statement_reads.page(
        manager, by, listings=True, after=after, limit=limit
    )
    people = {read.manager for read in reads if read.manager}
    held = service.places.held_of(who.seats, "read_reads", people)
    reads = [
        read
        for read in reads
        if (
            held[read.manager].has_any_of(Period.parse(read.period))
            if read.manager
            else _is_listing_shown(service, who, read, manager)
        )
    ]
    return Page(
        Reads(reads=[ReadStatement.of_reading(read) for read in reads], next=None), following
    )


def _is_listing_shown(service: Service, who: Caller, listing: Reading, manager: str | None) -> bool:
    """Whether somebody who read many people's pay is shown: to whoever holds one of the branches,
    and of a person, where they worked in one of them.
    """
    of = listing.branches
    if of and not any(may(who.seats, "read_reads", Place(branch)) for branch in of):
        return False
    if manager is None:
        return True
    held = service.places.held(who.seats, "read_reads", manager)
    periods = [Period.parse(period) for period in listing.periods]
    return any(
        held.has_any_of(period)
        and (not listing.branches or _worked_in(service, manager, listing.branches, period))
        for period in periods
    )


def _worked_in(service: Service, manager: str, branches: Collection[str], period: Period) -> bool:
    workplaces = service.places.workplaces(manager)
    return any(
        place_by(manager, workplaces, month).branch in branches
        for month in range(period.first.index, period.last.index + 1)
    )


def _created(service: Service, name: str, new: NewKey) -> Written[CreatedKey]:
    made = service.accounts.keys.find(name, new.secret)
    document = CreatedKey(
        **Key.of(made).model_dump(), account=name, key=new.secret, position=new.position
    )
    return Written(document, new.position)


def _changed(service: Service, name: str, position: int) -> Written[ChangedAccount]:
    account = _document(service.accounts.get(name))
    fields = account.model_dump(exclude_unset=True)
    return Written(ChangedAccount(**fields, position=position), position)


def _document(account: AccountRecord) -> Account:
    """An account without any secret."""
    return Account(
        account=account.name,
        manager=account.manager,
        roles=[Seat.of(seat) for seat in account.seats],
        keys=[Key.of(key) for key in account.keys],
    )
