"""账号: who may act, in which seats. All of it is events; of secrets only hashes are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, NotFound, Text
from domain.identifiers import check_id
from domain.ledger.events import PasswordSet, SeatGiven, SeatTaken
from domain.rights import Role, Seat
from projections.records.accounts.api_keys import ApiKeys
from projections.records.accounts.passwords import hash_password
from projections.records.accounts.rows import AccountRecords, Change, opening_changes
from projections.records.accounts.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.ledger import Ledger


class Caller(NamedTuple):
    """Who acts, and their seats."""

    name: str
    seats: tuple[Seat, ...]
    manager: str | None = None
    has_account: bool = True  # else they run commands, and hold the database itself


class AccountExists(Declined):
    """An account of this name was opened before."""

    def __init__(self, account: str) -> None:
        super().__init__(Text(f"账号 {account} 已存在", f"there is an account {account} already"))
        self.account = account


class SeatNotFound(NotFound):
    """The account has no such seat."""

    def __init__(self, account: str, seat: Seat) -> None:
        super().__init__(Text(f"{account} 没有角色 {seat}", f"{account} has no role {seat}"))
        self.account, self.seat = account, seat


class Accounts(AccountRecords):
    """Opens accounts, gives them seats and takes seats back; says who acts.

    Their keys and sessions are in `keys` and `sessions`.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.keys, self.sessions = ApiKeys(self), Sessions(self)

    def open(
        self,
        name: str,
        seats: Sequence[Seat],
        *,
        by: str,
        manager: str | None = None,
        password: str | None = None,
    ) -> int:
        """A new account; a manager's seat makes their statements its own. The ledger position.

        Raises AccountExists, BadPassword, BadIdentifier.
        """
        if self.find(check_id(name)):
            raise AccountExists(name)
        changes = opening_changes(seats, manager)
        if password is not None:
            changes.append(Change(PasswordSet, {"password_hash": hash_password(password)}))
        return self.record(name, 0, changes, by=by)

    def give(self, name: str, seat: Seat, *, by: str) -> int:
        """Gives one more seat; the same again changes nothing. Raises NotFound."""
        account = self.get(name)
        changes = [] if seat in account.seats else [Change(SeatGiven, seat._asdict())]
        return self.record(name, account.version, changes, by=by)

    def take(self, name: str, seat: Seat, *, by: str) -> int:
        """Takes a seat back. Raises NotFound."""
        account = self.get(name)
        if seat not in account.seats:
            raise SeatNotFound(name, seat)
        return self.record(name, account.version, [Change(SeatTaken, seat._asdict())], by=by)

    def caller_of(self, secret: str) -> Caller | None:
        """Who comes with a key or a session; None where it opens nothing."""
        account = self.find_owner(secret)
        return Caller(account.name, account.seats, account.manager) if account else None

    def at_the_console(self, name: str) -> Caller:
        """Who acts on the command line: an account, or under any other name the administrator.

        Whoever runs commands holds the database itself: to refuse a name without an account would
        protect nothing.
        """
        account = self.find(name)
        if account is None:
            return Caller(name, (Seat(Role.ADMIN),), has_account=False)
        return Caller(name, account.seats, account.manager)
