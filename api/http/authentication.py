"""Who calls over HTTP, by an API key or a session, and which act a route declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.requests import Request

from api.acts.access import check as check
from domain.errors import MeritError, Text
from domain.rights import roles_of
from projections.records.accounts.accounts import Caller

if TYPE_CHECKING:
    from projections.records.accounts.accounts import Accounts

_bearer = HTTPBearer(
    scheme_name="bearer", description="Authorization: Bearer KEY", auto_error=False
)
_header = APIKeyHeader(
    name="X-API-Key", scheme_name="header", description="X-API-Key: KEY", auto_error=False
)


class KeyRequired(MeritError):
    """No key or session came with the request, or one that opens nothing."""

    code = "key_required"

    def __init__(self, *, came: bool) -> None:
        what = (
            Text("密钥无效或已过期", "the key is not known, or has expired")
            if came
            else Text("没有密钥", "there is no key")
        )
        super().__init__(
            Text(
                f"{what.zh}；请用 Authorization: Bearer 密钥 或 X-API-Key: 密钥，新建密钥：merit "
                "key create 名称",
                f"{what.en}: send Authorization: Bearer KEY or X-API-Key: KEY; `merit key create "
                "NAME` makes one",
            )
        )


def secret_of(request: Request) -> str:
    """The key or session token that came with a request; empty where none did."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        secret = request.headers.get("x-api-key", "")
    return secret.strip()


def identify(request: Request, accounts: Accounts) -> Caller:
    """Who comes with the request. Raises KeyRequired."""
    secret = secret_of(request)
    who = accounts.caller_of(secret) if secret else None
    if who is None:
        raise KeyRequired(came=bool(secret))
    return who


# What a route declares as `openapi_extra`; FastAPI takes nothing narrower.
OpenApiExtra = dict[str, Any]
NO_ACT: OpenApiExtra = {"x-act": None}  # it wants neither key nor right


def act(name: str, **more: Any) -> OpenApiExtra:
    """What a route declares: the act that a caller must be allowed to do somewhere.

    With `x-without-role` every account may do it, also one without a role.
    """
    return {"x-act": name, "x-roles": sorted(roles_of(name)), **more}


def caller(
    request: Request,
    _: Annotated[object, Security(_bearer)],
    __: Annotated[object, Security(_header)],
) -> Caller:
    """Who calls: `LedgerRoute` identified them before it read the body.

    The other parameters make OpenAPI say how a key is sent.
    """
    who: Caller = request.state.caller
    return who


def actor(who: Annotated[Caller, Security(caller)]) -> str:
    """The name under which events are recorded."""
    return who.name


TheCaller = Annotated[Caller, Security(caller)]
Actor = Annotated[str, Security(actor)]
