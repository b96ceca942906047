"""Every event that the ledger remembers, in one file.

An event is a small immutable fact under a TOPIC that outlives the module it stands in. It says what
happened as it was reported, never what a rulebook makes of it; the one exception is a statement,
which keeps what was really shown. Every event knows its stream and place in it, when it was
recorded (UTC, microseconds), by whom, and 16 random bytes of salt, because proofs will publish
hashes of events and a salary can be guessed.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import ClassVar, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.entries.entry import (
    Adjustment,
    AnyEntry,
    Assignment,
    Deduction,
    Measure,
    Rating,
    Reversal,
    Sale,
)
from domain.entries.subject import Subject


class Event(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    TOPIC: ClassVar[str]

    originator_id: UUID
    originator_version: int
    by: str
    at: datetime = Field(
        default_factory=lambda: datetime.now(UTC)
    )  # not given: the store says it when it is written
    salt: str = Field(default_factory=lambda: secrets.token_hex(16))


class EntryRecorded(Event):
    """记录: an entry was accepted. It stands in the stream of its manager (or branch) and month."""

    entry: AnyEntry

    @classmethod
    def entry_kind(cls) -> str:
        """The kind of entry that it records: that of the model that its field `entry` is of."""
        model = cast("type[AnyEntry]", cls.model_fields["entry"].annotation)
        return str(model.model_fields["kind"].default)

    @property
    def subject(self) -> Subject:
        """What the entry is about."""
        return Subject.of_fields(self.entry.parts()[0])


class AssignmentRecorded(EntryRecorded):
    """任职: from a month on a manager works in a branch and team, in a role and grade, or has
    left.
    """

    TOPIC = "assignment-recorded"
    entry: Assignment


class DeductionRecorded(EntryRecorded):
    """扣减: points were reported against a manager."""

    TOPIC = "deduction-recorded"
    entry: Deduction


class SaleRecorded(EntryRecorded):
    """产品发展: a manager sold a quantity of a product. Points are absent: a rulebook derives
    them.
    """

    TOPIC = "sale-recorded"
    entry: Sale


class RatingRecorded(EntryRecorded):
    """评价: someone gave a manager a score."""

    TOPIC = "rating-recorded"
    entry: Rating


class AdjustmentRecorded(EntryRecorded):
    """调整: points or yuan were granted or taken by decision, with a reason."""

    TOPIC = "adjustment-recorded"
    entry: Adjustment


class MeasureRecorded(EntryRecorded):
    """指标值: a value was set for a branch, a team or a manager, for one month."""

    TOPIC = "measure-recorded"
    entry: Measure


class ReversalRecorded(EntryRecorded):
    """冲销: an entry (or a reversal) no longer counts. It stands in the stream of what it reverses.

    `position` is that of the entry or reversal it names; `root` is the kind of the entry at the end
    of the chain, and month, manager, item (of an assignment: its role), branch and team are that
    entry's own, so that a month is whole without looking elsewhere.
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

    @property
    def subject(self) -> Subject:
        """What the entry at the root of the chain is about."""
        return Subject(*(getattr(self, name) for name in Subject._fields))


class RulebookPublished(Event):
    """发布: a version of a rulebook, with its whole text, in force from a month on and never
    changed afterwards.
    """

    TOPIC = "rulebook-published"
    rulebook: str
    version: str
    effective_from: str  # YYYY-MM
    text: str  # the YAML as it was published, byte for byte
    digest: str  # SHA-256 of text, hex
    impact: dict[str, object] | None = (
        None  # on the months last settled under it, as replayed before publication
    )


class BranchRulebooksSet(Event):
    """薪酬办法: from a month on, a branch pays by these rulebooks; their populations share no
    role.
    """

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
    digest: str  # of the evaluation, docs/digests.md
    statements: int


class StatementIssued(Event):
    """考核单: what was shown to a manager. Its version is its place in its stream (manager, period,
    rulebook).
    """

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
    """重放: somebody asked what would be; nothing else was written. Parameters as asked, digests as
    answered.

    What a repetition needs beside is under `kept`: the position as of which, the draft's text, the
    supposed entries.
    """

    TOPIC = "replay-run"
    parameters: dict[str, object]
    digests: tuple[str, ...]


class AccountOpened(Event):
    """账号: a person or a program that may be given a seat. `manager`: whose statements are their
    own.
    """

    TOPIC = "account-opened"
    account: str
    manager: str | None = None


class SeatGiven(Event):
    """授予角色: from now on the account acts in this role, for what the scope names (None:
    everywhere).
    """

    TOPIC = "seat-given"
    account: str
    role: str
    branch: str | None = None
    team: str | None = None
    manager: str | None = None
    source: str | None = None  # of an integration: the entries that it records
    kind: str | None = None


class SeatTaken(Event):
    """收回角色: the account no longer acts in this role and scope."""

    TOPIC = "seat-taken"
    account: str
    role: str
    branch: str | None = None
    team: str | None = None
    manager: str | None = None
    source: str | None = None  # of an integration: the entries that it records
    kind: str | None = None


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


class PayListed(Event):
    """批量查阅: somebody read what many people earn at once: who, when, of which branches and
    periods. No branch: of all.
    """

    TOPIC = "pay-listed"
    branches: tuple[str, ...]
    periods: tuple[str, ...]
    what: str  # memo, comparison or settlement; of a replay its run is on record


class CycleStepDone(Event):
    """步骤: one of the thirteen steps of a branch's month was done, or done again."""

    TOPIC = "cycle-step-done"
    branch: str
    period: str
    step: str
    note: str | None = None
    settlements: tuple[int, ...] = ()  # what a calculation settled: ids, which are ledger positions


class SampleOrdered(Event):
    """抽样: a sample was asked for. Size and seed stand here before anyone is drawn; the draw
    follows from them.
    """

    TOPIC = "sample-ordered"
    branch: str
    period: str
    size: int
    seed: str
    by_team: bool
    by_amount: bool
    settlement: int  # of whom the sample is drawn, by ledger position
    others: tuple[int, ...] = ()  # settlements under the branch's other pay rulebooks


class AuditFindingRecorded(Event):
    """稽核问题: what an audit found, of a person or of the whole month; blocking ones hold up the
    closing.
    """

    TOPIC = "audit-finding-recorded"
    branch: str
    period: str
    manager: str | None = None
    text: str
    blocking: bool


class AuditFindingResolved(Event):
    """销号: a finding was mended, or explained."""

    TOPIC = "audit-finding-resolved"
    branch: str
    period: str
    number: int
    text: str


class FindingAcknowledged(Event):
    """确认: a finding of the month check was seen and accepted, with the reason. `digest` is of
    what was found, so that it no longer counts when that changes.
    """

    TOPIC = "finding-acknowledged"
    branch: str
    period: str
    code: str
    digest: str
    note: str


class Payment(BaseModel):
    """发放: what a person was paid for a month: pay, and the postings of other months that were
    settled with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    manager: str
    rulebook: str | None  # none: without a statement in the month, by postings alone
    version: int | None  # of the statement
    pay: str
    back_pay: str
    clawback: str
    carried: str  # of what was to be clawed back: left for the next month
    payable: str


class Pinned(BaseModel):
    """What a closing holds fast: a settlement, its rules, the last ledger position it took in, its
    digest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    settlement: int
    rulebook: str
    version: str
    position: int
    digest: str


class MonthClosed(Event):
    """封账: a branch's period is paid. What comes later changes nothing that was paid until a
    resettlement.
    """

    TOPIC = "month-closed"
    branch: str
    period: str
    settlements: tuple[Pinned, ...]
    payments: tuple[Payment, ...]


class Posting(BaseModel):
    """补发或扣回: a difference between two versions of a statement, posted into the month that is
    open.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    manager: str
    item: str  # back_pay or clawback
    amount: str  # above 0
    month: str  # into which
    rulebook: str
    from_version: int | None  # none: nothing was paid
    to_version: int | None  # none: the person has no statement any more


class MonthResettled(Event):
    """重新结算: a closed period was settled again, and what differs was posted."""

    TOPIC = "month-resettled"
    branch: str
    period: str
    reason: str
    appeal: str | None = None
    digests: tuple[str, ...]  # of the evaluations that were settled with it
    postings: tuple[Posting, ...]


class FeedbackRecorded(Event):
    """面谈: who spoke with a person about a month, when, what was agreed, and a plan with dates."""

    TOPIC = "feedback-recorded"
    branch: str
    period: str
    manager: str
    held_on: str
    held_by: str  # who spoke with them
    agreed: str
    plan: tuple[dict[str, str], ...] = ()  # what, until when


class RulebookAcknowledged(Event):
    """认同考核标准: a manager has read a version of a rulebook that applies to them and agrees with
    it.
    """

    TOPIC = "rulebook-acknowledged"
    manager: str
    rulebook: str
    version: str


class GrantMade(Event):
    """授权: a role or an account may do a kind of act in a branch or team, up to a limit a month,
    without asking.
    """

    TOPIC = "grant-made"
    grant: str
    kind: str
    role: str | None = None  # whom it is for: a role,
    account: str | None = None  # or one account
    owner: str
    branch: str
    team: str | None = None
    limit_amount: str | None = None  # yuan a calendar month,
    limit_count: int | None = None  # or uses
    from_day: str  # the first day and
    until_day: str  # the last day on which it may be used
    correction_days: int


class GrantEnded(Event):
    """终止授权: it may not be used after this day, earlier than it would have ended by itself."""

    TOPIC = "grant-ended"
    grant: str
    last_day: str
    reason: str


class GrantUsed(Event):
    """使用授权: what was done, for whom, how much, why. What went beyond the grant says so, and who
    answers for it.
    """

    TOPIC = "grant-used"
    grant: str
    kind: str
    what: str
    customer: str
    amount: str | None = None  # yuan
    count: int
    why: str
    day: str
    branch: str | None = None
    team: str | None = None
    manager: str | None = None
    # Of the grant's calendar month with this use: yuan or uses, as the limit. An attempt adds none.
    total: str
    over_limit: tuple[str, ...] = ()  # why it is beyond the grant; none: within it
    accountable: str | None = None
    deadline: str | None = None


class GrantUseCorrected(Event):
    """整改: what was done about a use beyond its grant."""

    TOPIC = "grant-use-corrected"
    use: int  # its ledger position
    text: str


class GrantUseFindingRecorded(Event):
    """授权稽核结论: what an audit makes of a use."""

    TOPIC = "grant-use-finding-recorded"
    use: int
    text: str


class GrantSampleOrdered(Event):
    """授权抽样: so many of the uses recorded before. The seed is the SHA-256 of this event as it is
    stored.
    """

    TOPIC = "grant-sample-ordered"
    size: int
    month: str | None = None
    branch: str | None = None
    team: str | None = None
    by_team: bool = False
    by_amount: bool = False


class AppealFiled(Event):
    """提出申诉: a person disputes a statement, or lines of it."""

    TOPIC = "appeal-filed"
    appeal: str
    manager: str
    period: str
    branch: str
    team: str | None
    rulebook: str
    version: int  # of the statement
    lines: tuple[str, ...]  # steps; none named: the whole statement
    reason: str


class AppealAccepted(Event):
    """受理: the appeal is investigated from now on."""

    TOPIC = "appeal-accepted"
    appeal: str
    note: str | None = None


class AppealRejected(Event):
    """不予受理: out of time, or not the person's own, or for another reason."""

    TOPIC = "appeal-rejected"
    appeal: str
    code: str
    reason: str


class EvidenceAttached(Event):
    """证据: a note, a file (its digest, and the file itself) or a what-if that was run."""

    TOPIC = "evidence-attached"
    appeal: str
    note: str
    name: str | None = None
    media_type: str | None = None
    digest: str | None = None  # SHA-256 of the file, hex
    content: str | None = None  # the file, base64
    replay: int | None = None  # the ledger position of a what-if
    digests: tuple[str, ...] = ()  # what it answered


class CorrectionProposed(Event):
    """提出更正: entries that would put right what is wrong. They are recorded when a decision
    approves them.
    """

    TOPIC = "correction-proposed"
    appeal: str
    note: str | None
    entries: tuple[dict[str, object], ...]


class AppealDecided(Event):
    """裁决: upheld, partly upheld or dismissed; a correction that is approved is carried out."""

    TOPIC = "appeal-decided"
    appeal: str
    decision: str
    reason: str
    proposal: int | None = None  # its number, from 1


class AppealCarriedOut(Event):
    """执行: the correction was recorded, and the month resettled where it was closed."""

    TOPIC = "appeal-carried-out"
    appeal: str
    entries: tuple[str, ...]  # source:source_id
    resettled: bool
    before: str | None  # the person's pay
    after: str | None
    month: str | None  # in which the difference is paid


class AppealNotified(Event):
    """告知: the person was told."""

    TOPIC = "appeal-notified"
    appeal: str
    note: str | None = None


class AppealWithdrawn(Event):
    """撤回: the person does not pursue it."""

    TOPIC = "appeal-withdrawn"
    appeal: str
    reason: str | None = None


class ReviewRequested(Event):
    """申请复核: the level above is to decide once more."""

    TOPIC = "review-requested"
    appeal: str
    reason: str


class JobRequested(Event):
    """作业: a replay was asked for that takes long. Its parameters are those of the run, as of the
    moment of asking.
    """

    TOPIC = "job-requested"
    job: str
    parameters: dict[str, object]


class JobFinished(Event):
    """作业完成: the replay was run, or could not be, for the reason that is said."""

    TOPIC = "job-finished"
    job: str
    digests: tuple[str, ...] = ()
    refused: str | None = None


class JobCancelled(Event):
    """作业取消: nobody waits for it any more."""

    TOPIC = "job-cancelled"
    job: str


ENTRY_EVENTS = {event.entry_kind(): event for event in EntryRecorded.__subclasses__()}
ENTRY_TOPICS = {kind: event.TOPIC for kind, event in ENTRY_EVENTS.items()}
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
    PayListed,
    CycleStepDone,
    SampleOrdered,
    AuditFindingRecorded,
    AuditFindingResolved,
    FindingAcknowledged,
    MonthClosed,
    MonthResettled,
    FeedbackRecorded,
    RulebookAcknowledged,
    AppealFiled,
    AppealAccepted,
    AppealRejected,
    EvidenceAttached,
    CorrectionProposed,
    AppealDecided,
    AppealCarriedOut,
    AppealNotified,
    AppealWithdrawn,
    ReviewRequested,
    JobRequested,
    JobFinished,
    JobCancelled,
    GrantMade,
    GrantEnded,
    GrantUsed,
    GrantUseCorrected,
    GrantUseFindingRecorded,
    GrantSampleOrdered,
)
BY_TOPIC = {event.TOPIC: event for event in EVENTS}
assert len(BY_TOPIC) == len(EVENTS), "two events share a topic"
