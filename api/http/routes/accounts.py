"""账号与权限 over HTTP: accounts, their roles and keys; sessions; and who read whose statement."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.acts.access import check, may_set_password
from api.documents import accounts as shapes
from api.http.authentication import NO_ACT, TheCaller, act, secret_of
from api.http.dependencies import (
    PAGE,
    Cursor,
    Id,
    LedgerRoute,
    Limit,
    Reading,
    Writing,
    answer,
    page,
    router,
)
from api.http.login_throttle import Tries
from api.http.problems import documented
from domain.errors import MeritError, Text
from domain.identifiers import ID, check_id
from domain.rights import ACTS, EVERYWHERE, Role, Seat, may, seat_of
from projections.service import Service

routes = router("accounts")
doorstep = APIRouter(
    prefix="/v1",
    tags=["accounts"],
    route_class=LedgerRoute,
    responses=documented("invalid", "not_yet", "store"),
)
CHANGING = documented(
    "not_found", "declined", "version_clash", "invalid", "too_large", "unsupported_media"
)
IdFilter = Annotated[str | None, Query(pattern=f"^{ID}$")]
KeyNumber = Annotated[int, Path(ge=1, le=2**31, examples=[1])]

_checking = BoundedSemaphore(4)  # a password takes 64 MB to check


class WrongPassword(MeritError):
    """Name and password do not belong together; which of them is wrong is not said."""

    code = "wrong_password"
    headers = {"WWW-Authenticate": 'Bearer realm="merit"'}  # noqa: RUF012 - RFC 9110 wants it with every 401

    def __init__(self) -> None:
        super().__init__(
            Text("账号或口令不对；请重新输入", "name or password is wrong: enter them again")
        )


@routes.get(
    "/accounts",
    summary="List the accounts",
    response_model=shapes.Accounts,
    openapi_extra=act("manage_accounts"),
)
def list_accounts(
    request: Request, service: Reading, who: TheCaller, limit: Limit = PAGE, cursor: Cursor = 0
) -> Response:
    """Every account with its roles and keys, in the order in which they were opened."""
    check(who, "manage_accounts")
    found = [account for account in service.accounts.all() if account.opened > cursor]
    following = found[limit - 1].opened if len(found) > limit else None
    return page(request, {"accounts": [account.as_json() for account in found[:limit]]}, following)


@routes.post(
    "/accounts",
    status_code=201,
    summary="Open an account",
    response_model=shapes.ChangedAccount,
    openapi_extra=act("manage_accounts"),
    responses=CHANGING,
)
def open_account(asked: shapes.OpenAccount, service: Writing, who: TheCaller) -> Response:
    """A person or a program that may act, with its first roles. A manager's role makes their
    statements its own.
    """
    check(who, "manage_accounts")
    seats = [_seat(seat) for seat in asked.roles]
    position = service.accounts.open(
        asked.account, seats, by=who.name, manager=asked.manager, password=asked.password
    )
    return _changed(
        service, asked.account, position, 201, {"Location": f"/v1/accounts/{asked.account}"}
    )


@routes.get(
    "/accounts/{account}",
    summary="Read an account",
    response_model=shapes.Account,
    openapi_extra=act("manage_accounts"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_account(account: Id, service: Reading, who: TheCaller) -> Response:
    """Its roles and keys; no secret."""
    check(who, "manage_accounts")
    return answer(service.accounts.get(account).as_json())


@routes.post(
    "/accounts/{account}/roles",
    summary="Give a role",
    response_model=shapes.ChangedAccount,
    openapi_extra=act("manage_accounts"),
    responses=CHANGING,
)
def give_role(account: Id, asked: shapes.Seat, service: Writing, who: TheCaller) -> Response:
    """From now on the account acts in this role, for what is named; one that it has already changes
    nothing.
    """
    check(who, "manage_accounts")
    return _changed(service, account, service.accounts.give(account, _seat(asked), by=who.name))


@routes.delete(
    "/accounts/{account}/roles",
    summary="Take a role back",
    response_model=shapes.ChangedAccount,
    openapi_extra=act("manage_accounts"),
    responses=CHANGING,
)
def take_role(
    account: Id,
    role: Annotated[Role, Query(examples=["branch_leader"])],
    service: Writing,
    who: TheCaller,
    branch: IdFilter = None,
    team: IdFilter = None,
    manager: IdFilter = None,
) -> Response:
    """Takes back a role, named with the scope that it was given."""
    check(who, "manage_accounts")
    seat = seat_of(role, branch, team, manager)
    return _changed(service, account, service.accounts.take(account, seat, by=who.name))


@routes.put(
    "/accounts/{account}/password",
    summary="Set a password",
    response_model=shapes.ChangedAccount,
    openapi_extra=act("keep_self"),
    responses=CHANGING,
)
def set_password(
    account: Id, asked: shapes.SetPassword, service: Writing, who: TheCaller
) -> Response:
    """One's own, or anybody's by the administrator. Every session that is open ends. Only an argon2
    hash is kept.
    """
    may_set_password(who, account)
    with _checking:
        position = service.accounts.set_password(account, asked.password, by=who.name)
    return _changed(service, account, position)


@routes.post(
    "/accounts/{account}/keys",
    status_code=201,
    summary="Create a key",
    response_model=shapes.CreatedKey,
    openapi_extra=act("manage_accounts"),
    responses=CHANGING | documented("key_taken", "declined", "version_clash"),
)
def create_key(account: Id, asked: shapes.CreateKey, service: Writing, who: TheCaller) -> Response:
    """Its secret is in this answer and nowhere else. Two keys live at once: the new one, and the
    old one until it is revoked.
    """
    check(who, "manage_accounts")
    service.accounts.get(account)
    secret, position = service.accounts.create(account, who.name, days=asked.days)
    shown = service.accounts.get(account).key_of(secret)
    return answer(
        {"account": account, "key": secret, **shown, "position": position}, 201, position=position
    )


@routes.delete(
    "/accounts/{account}/keys/{number}",
    summary="Revoke a key",
    response_model=shapes.ChangedAccount,
    openapi_extra=act("manage_accounts"),
    responses=CHANGING,
)
def revoke_key(account: Id, number: KeyNumber, service: Writing, who: TheCaller) -> Response:
    """It opens nothing any more."""
    check(who, "manage_accounts")
    return _changed(service, account, service.accounts.revoke(account, number, by=who.name))


@doorstep.post(
    "/sessions",
    status_code=201,
    summary="Log in",
    response_model=shapes.Session,
    openapi_extra=NO_ACT,
    responses=documented("wrong_password", "too_many_tries", "too_large", "unsupported_media"),
)
def log_in(request: Request, asked: shapes.LogIn) -> Response:
    """A token for twelve hours, sent as a key is. No key. After five wrong passwords a name has to
    wait.
    """
    service: Service = request.app.state.service
    tries: Tries = request.app.state.tries
    tries.begin(check_id(asked.account))
    with _checking:
        session = service.accounts.log_in(asked.account, asked.password)
    if session is None:
        raise WrongPassword
    tries.right(asked.account)
    return answer(session._asdict(), 201, position=service.ledger.position())


@routes.delete(
    "/sessions",
    summary="Log out",
    response_model=shapes.LoggedOut,
    openapi_extra=act("keep_self"),
    responses=documented("declined"),
)
def log_out(request: Request, service: Writing, _: TheCaller) -> Response:
    """The token that comes with the call opens nothing any more."""
    service.accounts.log_out(secret_of(request))
    position = service.ledger.position()
    return answer({"position": position}, position=position)


@routes.get(
    "/me", summary="Read who calls", response_model=shapes.Me, openapi_extra=act("read_self")
)
def read_me(who: TheCaller, _: Reading) -> Response:
    """The account of the key or session, its roles, and the acts that they allow somewhere."""
    acts = sorted(name for name in ACTS if may(who.seats, name))
    roles = [seat._asdict() for seat in who.seats]
    return answer({"account": who.name, "manager": who.manager, "roles": roles, "acts": acts})


@routes.get(
    "/audit/reads",
    summary="Read who read whose statement",
    response_model=shapes.Reads,
    openapi_extra=act("read_reads"),
)
def read_reads(
    request: Request,
    service: Reading,
    who: TheCaller,
    manager: IdFilter = None,
    limit: Limit = PAGE,
    cursor: Cursor = 0,
) -> Response:
    """Every time that somebody read another's statement, derivation or history: who, whose,
    when.
    """
    check(who, "read_reads", service.places.place_of(manager) if manager else EVERYWHERE)
    found, following = service.statement_reads.page(manager, after=cursor, limit=limit)
    return page(request, {"reads": [reading._asdict() for reading in found]}, following)


def _seat(asked: shapes.Seat) -> Seat:
    return seat_of(asked.role, asked.branch, asked.team, asked.manager)


def _changed(
    service: Service,
    account: str,
    position: int,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    content: dict[str, Any] = service.accounts.get(account).as_json() | {"position": position}
    return answer(content, status, position=position, headers=headers)
