"""Every event that the ledger remembers, in one file.

An event is a small immutable fact under a TOPIC that outlives the module it stands in. It says what happened as it
was reported, never what a rulebook makes of it; the one exception is a statement, which keeps what was really shown.
Every event knows its stream and place in it, when it was recorded (UTC, microseconds), by whom, and 16 random bytes
of salt, because proofs will publish hashes of events and a salary can be guessed.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.entries import Adjustment as AdjustmentEntry
from domain.entries import AnyEntry, Assignment, Deduction, Measure, Rating, Reversal, Sale


class Event(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    TOPIC: ClassVar[str]

    originator_id: UUID
    originator_version: int
    by: str
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    salt: str = Field(default_factory=lambda: secrets.token_hex(16))


class EntryRecorded(Event):
    """记录: an entry was accepted. It stands in the stream of its manager (or branch) and month."""

    entry: AnyEntry


class AssignmentRecorded(EntryRecorded):
    """任职: from a month on a manager works in a branch and team, in a role and grade, or has left."""

    TOPIC = "assignment-recorded"
    entry: Assignment


class DeductionRecorded(EntryRecorded):
    """扣减: points were reported against a manager."""

    TOPIC = "deduction-recorded"
    entry: Deduction


class SaleRecorded(EntryRecorded):
    """产品发展: a manager sold a quantity of a product. Points are absent: a rulebook derives them."""

    TOPIC = "sale-recorded"
    entry: Sale


class RatingRecorded(EntryRecorded):
    """评价: someone gave a manager a score."""

    TOPIC = "rating-recorded"
    entry: Rating


class AdjustmentRecorded(EntryRecorded):
    """调整: points or yuan were granted or taken by decision, with a reason."""

    TOPIC = "adjustment-recorded"
    entry: AdjustmentEntry


class MeasureRecorded(EntryRecorded):
    """指标值: a value was set for a branch, a team or a manager, for one month."""

    TOPIC = "measure-recorded"
    entry: Measure


class ReversalRecorded(EntryRecorded):
    """冲销: an entry (or a reversal) no longer counts. It stands in the stream of what it reverses.

    `position` is that of the entry or reversal it names; `root` is the kind of the entry at the end of the chain,
    and month, manager, item (of an assignment: its role), branch and team are that entry's own, so that a month is
    whole without looking elsewhere.
    """

    TOPIC = "reversal-recorded"
    entry: Reversal
    position: int
    root: str
    month: str
    manager: str | None
    item: str | None
    branch: str | None
    team: str | None


class RulebookPublished(Event):
    """发布: a version of a rulebook, with its whole text, in force from a month on and never changed afterwards."""

    TOPIC = "rulebook-published"
    rulebook: str
    version: str
    effective_from: str  # YYYY-MM
    text: str  # the YAML as it was published, byte for byte
    digest: str  # SHA-256 of text, hex
    impact: dict[str, object] | None = None  # on the months last settled under it, as replayed before publication


class BranchRulebooksSet(Event):
    """薪酬办法: from a month on, a branch pays by these rulebooks; their populations share no role."""

    TOPIC = "branch-rulebooks-set"
    branch: str
    effective_from: str
    rulebooks: tuple[str, ...]


class SettlementRecorded(Event):
    """结算: a branch's period was evaluated, and every one of its people was issued a statement."""

    TOPIC = "settlement-recorded"
    branch: str
    period: str
    rulebook: str
    version: str
    rulebook_digest: str
    position: int  # the last ledger position taken in
    digest: str  # of the evaluation, as the contract defines it
    statements: int


class StatementIssued(Event):
    """考核单: what was shown to a manager. Its version is its place in its stream (manager, period, rulebook)."""

    TOPIC = "statement-issued"
    manager: str
    period: str
    branch: str
    team: str
    rulebook: str
    version: str
    position: int
    digest: str  # of the settlement's evaluation
    steps: dict[str, str]
    warnings: tuple[dict[str, str | None], ...]


class ReplayRun(Event):
    """重放: somebody asked what would be; nothing else was written. Parameters as asked, digests as answered."""

    TOPIC = "replay-run"
    parameters: dict[str, object]
    digests: tuple[str, ...]


class AccountOpened(Event):
    """账号: a person or a program that may be given a seat. `manager`: whose statements are their own."""

    TOPIC = "account-opened"
    account: str
    manager: str | None = None


class SeatGiven(Event):
    """授予角色: from now on the account acts in this role, for what the scope names (None: everywhere)."""

    TOPIC = "seat-given"
    account: str
    role: str
    branch: str | None = None
    team: str | None = None
    manager: str | None = None


class SeatTaken(Event):
    """收回角色: the account no longer acts in this role and scope."""

    TOPIC = "seat-taken"
    account: str
    role: str
    branch: str | None = None
    team: str | None = None
    manager: str | None = None


class PasswordSet(Event):
    """口令: the account may open sessions with it. Only an argon2 hash is kept."""

    TOPIC = "password-set"
    account: str
    password_hash: str


class ApiKeyCreated(Event):
    """接口密钥: a program may call. Only a hash of the secret is kept; the account is the actor."""

    TOPIC = "api-key-created"
    account: str
    number: int
    secret_hash: str
    expires_at: str | None = None


class ApiKeyRevoked(Event):
    """吊销密钥: the key opens nothing any more."""

    TOPIC = "api-key-revoked"
    account: str
    number: int


class SessionOpened(Event):
    """登录: with the right password. Only a hash of the token is kept."""

    TOPIC = "session-opened"
    account: str
    token_hash: str
    expires_at: str


class SessionClosed(Event):
    """退出: the session opens nothing any more."""

    TOPIC = "session-closed"
    account: str
    token_hash: str


class StatementRead(Event):
    """查阅: somebody read another's statement: who, when, whose."""

    TOPIC = "statement-read"
    manager: str
    period: str
    what: str  # statement, derivation or history


ENTRY_EVENTS: dict[str, type[EntryRecorded]] = {
    "assignment": AssignmentRecorded,
    "deduction": DeductionRecorded,
    "sale": SaleRecorded,
    "rating": RatingRecorded,
    "adjustment": AdjustmentRecorded,
    "measure": MeasureRecorded,
    "reversal": ReversalRecorded,
}
EVENTS: tuple[type[Event], ...] = (
    *ENTRY_EVENTS.values(),
    RulebookPublished,
    BranchRulebooksSet,
    SettlementRecorded,
    StatementIssued,
    ReplayRun,
    AccountOpened,
    SeatGiven,
    SeatTaken,
    PasswordSet,
    ApiKeyCreated,
    ApiKeyRevoked,
    SessionOpened,
    SessionClosed,
    StatementRead,
)
BY_TOPIC = {event.TOPIC: event for event in EVENTS}
assert len(BY_TOPIC) == len(EVENTS), "two events share a topic"
