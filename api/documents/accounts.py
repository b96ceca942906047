"""账号与权限: what acts on accounts, keys and sessions take and return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, StringConstraints

from api.documents.parts.base import AT, IdText, Shape, example
from domain.entries.kinds import KINDS
from domain.rights import Role
from projections.records.accounts.passwords import MAX_PASSWORD, MIN_PASSWORD

if TYPE_CHECKING:
    from projections.records.statement_reads import Reading

Password = Annotated[str, StringConstraints(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]

# OpenAPI leaves out what is null, so an example has a value for everything.
ENDS, REVOKED = "2027-11-05T02:14:07.120934Z", "2026-12-01T08:00:00.000000Z"
LEADS = {"role": "branch_leader", "branch": "B01"}
KEY = {
    "number": 1,
    "created_at": AT,
    "created_by": "admin",
    "expires_at": ENDS,
    "revoked_at": REVOKED,
}
ACCOUNT = {"account": "li", "manager": "M0007", "roles": [LEADS], "keys": [KEY]}


EntryKind = Annotated[str, StringConstraints(pattern="^(" + "|".join(KINDS) + ")$")]


class Seat(Shape):
    """A role, and what it counts for: a branch, a team of it, one manager; of an integration, the
    source and the kind of the entries that it records. Null: everything.
    """

    model_config = example(**LEADS)
    role: Role
    branch: IdText | None = None
    team: IdText | None = None
    manager: IdText | None = None
    source: IdText | None = None
    kind: EntryKind | None = None

    @classmethod
    def of(cls, value: object) -> Self:
        """The document of a seat; source and kind are left out where it is not narrowed."""
        seat = super().of(value)
        narrowed = {name for name in ("source", "kind") if getattr(seat, name) is not None}
        fields = {"role", "branch", "team", "manager", *narrowed}
        return cls(**seat.model_dump(include=fields))


class Key(Shape):
    """A key without its secret."""

    number: int
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None


class Account(Shape):
    """Who may act, in which roles. `manager`: whose statements are its own."""

    model_config = example(**ACCOUNT)
    account: str
    manager: str | None
    roles: list[Seat]
    keys: list[Key]


class ChangedAccount(Account):
    """An account after a change, and the ledger position reached."""

    model_config = example(**ACCOUNT, position=1093)
    position: int


class Accounts(Shape):
    """A page of the accounts, in the order in which they were opened."""

    model_config = example(accounts=[ACCOUNT], next="/v1/accounts?limit=1&cursor=1093")
    accounts: list[Account]
    next: str | None


class OpenAccount(Shape):
    """A new account. Without a password nobody logs in to it; without roles it may do nothing."""

    model_config = Shape.model_config | example(account="li", roles=[LEADS])
    account: IdText
    manager: IdText | None = None
    roles: Annotated[list[Seat], Field(max_length=100)] = Field(default_factory=list)
    password: Password | None = None


class SetPassword(Shape):
    """The password from now on."""

    model_config = Shape.model_config | example(password="correct horse battery staple")  # noqa: S106
    password: Password


class CreateKey(Shape):
    """How long the key is to live; without `days`, until it is revoked."""

    model_config = Shape.model_config | example(days=365)
    days: Annotated[int, Field(ge=1, le=36_500)] | None = None


class CreatedKey(Key):
    """A new key with its secret, shown this once."""

    model_config = example(**KEY, account="li", key="pW3…", position=1094)
    account: str
    key: str
    position: int


class LogIn(Shape):
    """Name and password."""

    model_config = Shape.model_config | example(
        account="li",
        password="correct horse battery staple",  # noqa: S106
    )
    account: IdText
    password: Annotated[str, StringConstraints(max_length=MAX_PASSWORD)]


class Session(Shape):
    """A session: the token is sent as a key is."""

    model_config = example(token="x7Q…", expires_at=ENDS)  # noqa: S106
    token: str
    expires_at: str


class LoggedOut(Shape):
    """That the session is closed, and the ledger position reached."""

    model_config = example(position=1095)
    position: int


class Me(Shape):
    """Who calls: their roles, and the acts that these allow somewhere."""

    model_config = example(
        account="li", manager="M0007", roles=[LEADS], acts=["read_settlements", "read_statements"]
    )
    account: str
    manager: str | None
    roles: list[Seat]
    acts: list[str]


READING = {
    "position": 1096,
    "manager": "M0007",
    "period": "2026-10",
    "what": "derivation",
    "by": "li",
    "at": AT,
}


class ReadStatement(Shape):
    """That somebody read another's statement; `what`: statement, derivation or history.

    Or what everybody of some branches earned (`what`: memo, replay, comparison or settlement): then
    `manager` is null, `branches` names them (none: all of them), and `period` has every period.
    """

    position: int
    manager: str | None
    period: str
    what: str
    by: str
    at: str
    branches: list[str] = Field(default_factory=list)

    @classmethod
    def of_reading(cls, reading: Reading) -> Self:
        """The document of a reading."""
        document = cls(
            position=reading.position,
            manager=reading.manager or None,
            period=reading.period or ", ".join(reading.periods),
            what=reading.what,
            by=reading.by,
            at=reading.at,
        )
        if not reading.manager:
            document.branches = list(reading.branches)
        return document


class Reads(Shape):
    """A page of who read whose statement, in ledger order."""

    model_config = example(reads=[READING], next="/v1/audit/reads?limit=1&cursor=1096")
    reads: list[ReadStatement]
    next: str | None
