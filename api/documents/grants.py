"""授权: what acts on grants take and return, each shape with an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import Field, StringConstraints, WithJsonSchema

from api.documents.parts.base import AT, DIGEST, Both, IdText, Shape, example
from domain.numbers import plain
from domain.processes.grant import BEYOND
from domain.processes.grant_terms import (
    CORRECTION_DAYS,
    KINDS,
    MAX_CORRECTION_DAYS,
    MAX_COUNT,
    MAX_TEXT,
)
from domain.rights import Role

if TYPE_CHECKING:
    from datetime import date

    from domain.processes.grant import Grant as GrantRecord
    from domain.processes.grant import Use as UseRecord
    from projections.records.grants import Sample as SampleRecord

Kind = Literal["policy_use", "service_upkeep", "resource_dispatch"]
Amount = Annotated[
    object,
    WithJsonSchema({"type": ["string", "integer", "null"], "description": "yuan, never a float"}),
]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
MonthText = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT)]

_TERMS = {
    "id": "B01-policy-2026",
    "kind": "policy_use",
    "role": "manager",
    "account": None,
    "owner": "li",
    "branch": "B01",
    "team": None,
    "limit_amount": "5000",
    "limit_count": None,
    "from": "2026-10-01",
    "until": "2026-12-31",
    "correction_days": 10,
}
GRANT = _TERMS | {
    "label": {"zh": "政策使用", "en": "use of policies"},
    "by": "hr",
    "at": AT,
    "ended": None,
}
_USAGE = {
    "what": "换卡免卡费",
    "customer": "C-2041",
    "why": "重要集团客户，当日投诉",
    "day": "2026-10-18",
    "amount": "600",
    "count": 1,
}
USE = _USAGE | {
    "id": 2051,
    "grant": "B01-policy-2026",
    "kind": "policy_use",
    "branch": "B01",
    "team": "T1",
    "manager": "M0007",
    "total": "5200",
    "over_limit": True,
    "reasons": [{"code": "over_amount", "message": "超过当月金额上限 / over the month's amount"}],
    "accountable": "li",
    "deadline": "2026-10-28",
    "open": True,
    "overdue": False,
    "outcomes": [],
    "by": "wang",
    "at": AT,
}


class MakeGrant(Shape):
    """What a grant is to say: whom it is for (a role or an account), where, how far a month, from
    when until when.
    """

    model_config = example(**_TERMS)
    id: IdText
    kind: Kind
    role: Role | None = None
    account: IdText | None = None
    owner: IdText | None = Field(
        None, description="who answers for what goes beyond it; whoever makes it, unless named"
    )
    branch: IdText
    team: IdText | None = None
    limit_amount: Amount = None
    limit_count: Count | None = None
    from_: Day = Field(alias="from")
    until: Day
    correction_days: int = Field(CORRECTION_DAYS, strict=True, ge=1, le=MAX_CORRECTION_DAYS)


class Ended(Shape):
    """How a grant was ended before its time."""

    last_day: str
    reason: str
    by: str
    at: str


class Grant(Shape):
    """A grant as it is now; what it leaves open is null."""

    model_config = example(**GRANT)
    id: str
    kind: Kind
    label: Both
    role: str | None = None
    account: str | None = None
    owner: str
    branch: str
    team: str | None = None
    limit_amount: str | None = None
    limit_count: int | None = None
    from_: str = Field(validation_alias="from", serialization_alias="from")
    until: str
    correction_days: int
    by: str
    at: str
    ended: Ended | None = None

    @classmethod
    def made_of(cls, grant: GrantRecord) -> Grant:
        """The document of a grant."""
        ended = grant.ended
        return cls(
            id=grant.id,
            kind=cast("Kind", grant.kind),
            label=Both.of(KINDS[grant.kind]),
            role=grant.role,
            account=grant.account,
            owner=grant.owner,
            branch=grant.branch,
            team=grant.team,
            limit_amount=None if grant.limit_amount is None else plain(grant.limit_amount),
            limit_count=grant.limit_count,
            from_=grant.from_day.isoformat(),
            until=grant.until_day.isoformat(),
            correction_days=grant.correction_days,
            by=grant.by,
            at=grant.at,
            ended=ended
            and Ended(
                last_day=ended.last_day.isoformat(),
                reason=ended.reason,
                by=ended.by,
                at=ended.at,
            ),
        )


class GrantAt(Shape):
    """A grant, and the ledger position that the act reached."""

    model_config = example(grant=GRANT, position=2040)
    grant: Grant
    position: int


class Grants(Shape):
    """A page of grants; `next` is the address of the next one."""

    model_config = example(grants=[GRANT], next="/v1/grants?branch=B01&limit=1&cursor=2040")
    grants: list[Grant]
    next: str | None


class EndGrant(Shape):
    """Why a grant ends, and the last day on which it may be used (today, where none is named)."""

    model_config = example(reason="政策调整", last_day="2026-11-15")
    reason: Words
    last_day: Day | None = None


class UseGrant(Shape):
    """What was done under a grant: what, for which customer, how much, why, on which day.

    Class, branch and team are those of the grant and of the caller's place, where nothing else is
    said.
    """

    model_config = example(**_USAGE)
    what: Words
    customer: Words
    why: Words
    day: Day
    kind: Kind | None = None
    amount: Amount = None
    count: Count = 1
    branch: IdText | None = None
    team: IdText | None = None
    accountable: IdText | None = Field(
        None, description="who answers if it is beyond the grant; its owner, unless named"
    )


class OverLimit(Shape):
    """Why a use is beyond its grant."""

    code: str
    message: str


class Outcome(Shape):
    """What a use came to."""

    kind: Literal["correction", "finding"]
    text: str
    by: str
    at: str
    position: int


class Use(Shape):
    """A use as it is now. `total`: of the grant and month with this use, in what the grant
    limits.
    """

    model_config = example(**USE)
    id: int
    grant: str
    kind: Kind
    what: str
    customer: str
    amount: str | None = None
    count: int
    why: str
    day: str
    branch: str | None = None
    team: str | None = None
    manager: str | None = None
    total: str
    over_limit: bool
    reasons: list[OverLimit]
    accountable: str | None = None
    deadline: str | None = None
    open: bool
    overdue: bool
    outcomes: list[Outcome]
    by: str
    at: str

    @classmethod
    def made_of(cls, use: UseRecord, today: date) -> Use:
        """The document of a use; `open` and `overdue` as of today."""
        return cls(
            id=use.id,
            grant=use.grant,
            kind=cast("Kind", use.kind),
            what=use.what,
            customer=use.customer,
            amount=None if use.amount is None else plain(use.amount),
            count=use.count,
            why=use.why,
            day=use.day.isoformat(),
            branch=use.branch,
            team=use.team,
            manager=use.manager,
            total=use.total,
            over_limit=bool(use.over_limit),
            reasons=[OverLimit(code=code, message=BEYOND[code].both) for code in use.over_limit],
            accountable=use.accountable,
            deadline=use.deadline.isoformat() if use.deadline else None,
            open=use.is_open,
            overdue=use.is_overdue(today),
            outcomes=[Outcome.of(outcome) for outcome in use.outcomes],
            by=use.by,
            at=use.at,
        )


class UseAt(Shape):
    """A use, and the ledger position that the act reached."""

    model_config = example(use=USE, position=2051)
    use: Use
    position: int


class Uses(Shape):
    """A page of uses; `next` is the address of the next one."""

    model_config = example(uses=[USE], next="/v1/grants/uses?month=2026-10&limit=1&cursor=2051")
    uses: list[Use]
    next: str | None


class SettleUse(Shape):
    """What was done about a use, or what an audit makes of it."""

    model_config = example(text="超出部分已由客户补缴，重新学习授权范围")
    text: Words


class GrantTotal(Shape):
    """Totals of one level, class and month; `count` is the sum of what the uses count for."""

    level: Literal["all", "branch", "team"]
    branch: str | None = None
    team: str | None = None
    month: str
    kind: Kind
    uses: int
    count: int
    amount: str
    over_limit: int
    open: int
    overdue: int


_TOTAL = {
    "level": "branch",
    "branch": "B01",
    "team": None,
    "month": "2026-10",
    "kind": "policy_use",
}


class GrantReport(Shape):
    """The totals, the widest level first; `today` is the day by which an open use is overdue."""

    model_config = example(
        today="2026-11-05",
        totals=[
            _TOTAL
            | {"uses": 9, "count": 9, "amount": "5200", "over_limit": 1, "open": 1, "overdue": 1}
        ],
    )
    today: str
    totals: list[GrantTotal]


_SAMPLE = {
    "size": 1,
    "month": "2026-10",
    "branch": "B01",
    "team": None,
    "by_team": False,
    "by_amount": False,
}


class OrderUseSample(Shape):
    """How many uses, of which month, branch and team; in proportion to teams, or to amounts, where
    that is said.
    """

    model_config = example(**_SAMPLE)
    size: int = Field(strict=True, ge=1, le=1000)
    month: MonthText | None = None
    branch: IdText | None = None
    team: IdText | None = None
    by_team: bool = False
    by_amount: bool = False


class Sample(Shape):
    """A sample: the seed is the SHA-256 of the event that ordered it, so that nobody chose it."""

    model_config = example(
        id=2080, **_SAMPLE, by="auditor", at=AT, seed=DIGEST, population=9, uses=[USE]
    )
    id: int
    size: int
    month: str | None = None
    branch: str | None = None
    team: str | None = None
    by_team: bool
    by_amount: bool
    by: str
    at: str
    seed: str
    population: int
    uses: list[Use]

    @classmethod
    def made_of(cls, sample: SampleRecord, today: date) -> Sample:
        """The document of a sample."""
        return cls(
            id=sample.id,
            **sample.order._asdict(),
            seed=sample.seed,
            population=sample.population,
            uses=[Use.made_of(use, today) for use in sample.uses],
        )
