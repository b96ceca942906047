"""API keys: who calls, by the secret that comes with the request. The key's name is the actor of what is written."""

from __future__ import annotations

from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.requests import Request

from domain.errors import MeritError, Text
from projections.api_keys import ApiKeys

_bearer = HTTPBearer(scheme_name="bearer", description="Authorization: Bearer KEY", auto_error=False)
_header = APIKeyHeader(name="X-API-Key", scheme_name="header", description="X-API-Key: KEY", auto_error=False)


class KeyRequired(MeritError):
    """No key came with the request, or one that nobody was given."""

    code = "key_required"
    headers = {"WWW-Authenticate": 'Bearer realm="merit"'}  # noqa: RUF012 - RFC 9110 wants it with every 401

    def __init__(self, *, given: bool) -> None:
        what = Text("密钥无效", "the key is not known") if given else Text("没有密钥", "there is no key")
        super().__init__(
            Text(
                f"{what.zh}；请用 Authorization: Bearer 密钥 或 X-API-Key: 密钥，新建密钥：merit key create 名称",
                f"{what.en}: send Authorization: Bearer KEY or X-API-Key: KEY; `merit key create NAME` makes one",
            )
        )


def identify(request: Request, keys: ApiKeys) -> str:
    """The name of the key that came with a request. Raises KeyRequired."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        secret = request.headers.get("x-api-key", "")
    secret = secret.strip()
    name = keys.actor_of(secret) if secret else None
    if name is None:
        raise KeyRequired(given=bool(secret))
    return name


def actor(request: Request, _: Annotated[object, Security(_bearer)], __: Annotated[object, Security(_header)]) -> str:
    """What `LedgerRoute` found before it read the body; the parameters are there for OpenAPI."""
    name: str = request.state.actor
    return name


Actor = Annotated[str, Security(actor)]
