"""账号与权限 over HTTP: accounts, their roles and keys; sessions; and who read whose statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response

from api.acts import accounts as acts
from api.documents import accounts as shapes
from api.documents.parts.base import Written
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
from api.http.login_throttle import LoginThrottle
from api.http.password_queue import PasswordQueue
from api.http.problems import documented
from domain.identifiers import ID, check_id
from domain.rights import Role, Seat, seat_of
from projections.service import Service

T = TypeVar("T")
routes = router("accounts")
without_key = APIRouter(
    prefix="/v1",
    tags=["accounts"],
    route_class=LedgerRoute,
    responses=documented("invalid", "not_yet", "store"),
)
HASHING = documented("store", "busy")
CHANGING = documented(
    "not_found", "declined", "version_clash", "invalid", "too_large", "unsupported_media"
)
IdFilter = Annotated[str | None, Query(pattern=f"^{ID}$")]
KeyNumber = Annotated[int, Path(ge=1, le=2**31, examples=[1])]


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
    return page(request, *acts.list_accounts(service, who, after=cursor, limit=limit))


@routes.post(
    "/accounts",
    status_code=201,
    summary="Open an account",
    response_model=shapes.ChangedAccount,
    openapi_extra=act("manage_accounts"),
    responses=CHANGING | HASHING,
)
async def open_account(
    request: Request, asked: shapes.OpenAccount, service: Writing, who: TheCaller
) -> Response:
    """A person or a program that may act, with its first roles. A manager's role makes their
    statements its own.
    """
    opened = await _in_turn(
        request,
        lambda: acts.open_account(
            service,
            who,
            asked.account,
            [_seat(seat) for seat in asked.roles],
            manager=asked.manager,
            password=asked.password,
        ),
    )
    location = {"Location": f"/v1/accounts/{asked.account}"}
    return answer(opened.document, 201, position=opened.position, headers=location)


@routes.get(
    "/accounts/{account}",
    summary="Read an account",
    response_model=shapes.Account,
    openapi_extra=act("manage_accounts"),
    responses=documented("not_found", "not_yet", "store"),
)
def read_account(account: Id, service: Reading, who: TheCaller) -> Response:
    """Its roles and keys; no secret."""
    return answer(acts.show_account(service, who, account))


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
    changed = acts.give_role(service, who, account, _seat(asked))
    return answer(changed.document, position=changed.position)


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
    source: IdFilter = None,
    kind: IdFilter = None,
) -> Response:
    """Takes back a role, named with the scope that it was given."""
    seat = seat_of(role, branch, team, manager, source, kind)
    changed = acts.take_role(service, who, account, seat)
    return answer(changed.document, position=changed.position)


@routes.put(
    "/accounts/{account}/password",
    summary="Set a password",
    response_model=shapes.ChangedAccount,
    openapi_extra=act("keep_self"),
    responses=CHANGING | HASHING,
)
async def set_password(
    request: Request, account: Id, asked: shapes.SetPassword, service: Writing, who: TheCaller
) -> Response:
    """One's own, or anybody's by the administrator. Every session that is open ends. Only an argon2
    hash is kept.
    """
    changed = await _in_turn(
        request, lambda: acts.set_password(service, who, account, asked.password)
    )
    return answer(changed.document, position=changed.position)


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
    created = acts.create_key(service, who, account, days=asked.days)
    return answer(created.document, 201, position=created.position)


@routes.delete(
    "/accounts/{account}/keys/{number}",
    summary="Revoke a key",
    response_model=shapes.ChangedAccount,
    openapi_extra=act("manage_accounts"),
    responses=CHANGING,
)
def revoke_key(account: Id, number: KeyNumber, service: Writing, who: TheCaller) -> Response:
    """It opens nothing any more."""
    changed = acts.revoke_key(service, who, account, number)
    return answer(changed.document, position=changed.position)


@without_key.post(
    "/sessions",
    status_code=201,
    summary="Log in",
    response_model=shapes.Session,
    openapi_extra=NO_ACT,
    responses=documented("wrong_password", "too_many_tries", "too_large", "unsupported_media")
    | HASHING,
)
async def log_in(request: Request, asked: shapes.LogIn) -> Response:
    """A token for twelve hours, sent as a key is. No key. After five wrong passwords a name has to
    wait.
    """
    service: Service = request.app.state.service
    throttle: LoginThrottle = request.app.state.login_throttle
    check_id(asked.account)

    def opened_session() -> Written[shapes.Session]:
        throttle.count_attempt(asked.account)
        return acts.log_in(service, asked.account, asked.password)

    opened = await _in_turn(request, opened_session)
    throttle.reset(asked.account)
    return answer(opened.document, 201, position=opened.position)


@routes.delete(
    "/sessions",
    summary="Log out",
    response_model=shapes.LoggedOut,
    openapi_extra=act("keep_self", **{"x-without-role": True}),
    responses=documented("declined"),
)
def log_out(request: Request, service: Writing, _: TheCaller) -> Response:
    """The token that comes with the call opens nothing any more."""
    closed = acts.log_out(service, secret_of(request))
    return answer(closed.document, position=closed.position)


@routes.get(
    "/me", summary="Read who calls", response_model=shapes.Me, openapi_extra=act("read_self")
)
def read_me(who: TheCaller, _: Reading) -> Response:
    """The account of the key or session, its roles, and the acts that they allow somewhere."""
    return answer(acts.show_me(who))


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
    by: IdFilter = None,
    limit: Limit = PAGE,
    cursor: Cursor = 0,
) -> Response:
    """Every time that somebody read another's statement, derivation or history: who (`by`), whose,
    when. An auditor of a branch sees what was read of the months there.
    """
    return page(request, *acts.list_reads(service, who, manager, by, after=cursor, limit=limit))


async def _in_turn(request: Request, act: Callable[[], T]) -> T:
    """Does what hashes a password, where it keeps nobody else waiting. Raises TooBusy."""
    passwords: PasswordQueue = request.app.state.passwords
    return await passwords.run(act)


def _seat(asked: shapes.Seat) -> Seat:
    return seat_of(asked.role, asked.branch, asked.team, asked.manager, asked.source, asked.kind)
