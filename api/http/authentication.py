"""Who calls over HTTP: by an API key or a session, and what their seats allow. What is written
bears their name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.requests import Request

from api.acts.access import check as check
from domain.errors import MeritError, Text
from domain.rights import roles_of
from projections.records.accounts import Caller

if TYPE_CHECKING:
    from projections.records.accounts import Accounts

_bearer = HTTPBearer(
    scheme_name="bearer", description="Authorization: Bearer KEY", auto_error=False
)
_header = APIKeyHeader(
    name="X-API-Key", scheme_name="header", description="X-API-Key: KEY", auto_error=False
)


class KeyRequired(MeritError):
    """No key came with the request, or one that nobody was given."""

    code = "key_required"
    headers = {"WWW-Authenticate": 'Bearer realm="merit"'}  # noqa: RUF012 - RFC 9110 wants it with every 401

    def __init__(self, *, given: bool) -> None:
        what = (
            Text("密钥无效或已过期", "the key is not known, or has expired")
            if given
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
    found = accounts.caller_of(secret) if secret else None
    if found is None:
        raise KeyRequired(given=bool(secret))
    return found


def act(name: str, **more: Any) -> dict[str, Any]:
    """What a route declares (as `openapi_extra`): the act that a caller must be allowed to do
    somewhere.
    """
    return {"x-act": name, "x-roles": sorted(roles_of(name)), **more}


NO_ACT: dict[str, Any] = {"x-act": None}  # what a route declares that wants neither key nor right


def caller(
    request: Request,
    _: Annotated[object, Security(_bearer)],
    __: Annotated[object, Security(_header)],
) -> Caller:
    """What `LedgerRoute` found before it read the body; the parameters are there for OpenAPI."""
    found: Caller = request.state.caller
    return found


def actor(found: Annotated[Caller, Security(caller)]) -> str:
    """The name that stands on what is written."""
    return found.name


TheCaller = Annotated[Caller, Security(caller)]
Actor = Annotated[str, Security(actor)]
