"""分层授权: who may act without asking, and how far; a use beyond its grant is recorded all the
same, with somebody who answers for it.

Everything here is a pure function. The limit is counted per grant and calendar month of use, over
all uses of the grant in the order in which they were recorded; what is recorded later never changes
how a use was marked. A use by somebody whom the grant is not for, or outside its branch or team, is
recorded as an attempt: it uses nothing of the grant up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, Invalid, Reason, Text
from domain.identifiers import stream_id
from domain.ledger.events import (
    GrantEnded,
    GrantMade,
    GrantUseCorrected,
    GrantUsed,
    GrantUseFindingRecorded,
)
from domain.numbers import plain
from domain.processes.grant_terms import checked_terms, checked_text, checked_usage
from domain.rights import ACTS, Place, Role, SeparationOfDuties

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from domain.processes.grant_terms import Terms, Usage
    from domain.rights import Seat

DAY_AHEAD = timedelta(hours=14)  # of UTC, where the day begins first on earth
# Why a use may be beyond its grant, by code.
BEYOND = {
    "over_amount": Text("超过当月金额上限", "over the month's amount"),
    "over_count": Text("超过当月次数上限", "over the month's number of uses"),
    "outside_dates": Text("不在授权期内", "outside the grant's dates"),
    "ended": Text("授权已终止", "the grant had ended"),
    "other_kind": Text("不是该类授权", "of another class than the grant"),
    "outside_scope": Text(
        "不在授权范围（分公司、班组）内，不占用授权额度",
        "outside the grant's branch or team, so that nothing of it is used up",
    ),
    "not_for_them": Text(
        "使用人不是被授权人，不占用授权额度",
        "by somebody whom the grant is not for, so that nothing of it is used up",
    ),
}


ATTEMPT = frozenset({"outside_scope", "not_for_them"})  # with one of these nothing is used up


class AlreadyEnded(Declined):
    """A grant was ended before."""

    def __init__(self, grant: str, ended: Ended) -> None:
        super().__init__(
            Text(
                f"授权 {grant} 已由 {ended.by} 终止，最后一天为 {ended.last_day}；需要时请重新授权",
                f"grant {grant} was ended by {ended.by}, its last day is {ended.last_day}; make "
                "a new one if needed",
            )
        )
        self.grant, self.ended = grant, ended


class EndsByItself(Declined):
    """A grant was to be ended as of a day on which it is over anyway."""

    def __init__(self, grant: str, until_day: date) -> None:
        super().__init__(
            Text(
                f"授权 {grant} 到 {until_day} 自行到期；请写更早的日期",
                f"grant {grant} ends by itself on {until_day}: name an earlier day",
            )
        )
        self.grant, self.until_day = grant, until_day


class NothingToCorrect(Declined):
    """A use is within its grant."""

    def __init__(self, use: int) -> None:
        super().__init__(
            Text(
                f"使用 {use} 在授权之内，无须整改；稽核可记录结论",
                f"use {use} is within its grant and needs no correction; an auditor may record a "
                "finding",
            )
        )
        self.use = use


class AlreadySettled(Declined):
    """A use was corrected or found upon before."""

    def __init__(self, use: int, outcome: Outcome) -> None:
        super().__init__(
            Text(
                f"使用 {use} 已由 {outcome.by} 于 {outcome.at[:10]} 了结：{outcome.text}",
                f"use {use} was settled by {outcome.by} on {outcome.at[:10]}: {outcome.text}",
            )
        )
        self.use, self.outcome = use, outcome


class FindingExists(Declined):
    """An auditor has found upon a use before."""

    def __init__(self, use: int, outcome: Outcome) -> None:
        super().__init__(
            Text(
                f"使用 {use} 已有 {outcome.by} 的稽核结论：{outcome.text}",
                f"use {use} has a finding by {outcome.by} already: {outcome.text}",
            )
        )
        self.use, self.outcome = use, outcome


class Person(NamedTuple):
    """Who acts: an account and its seats."""

    name: str
    seats: tuple[Seat, ...] = ()


class Ended(NamedTuple):
    """How a grant was ended before its time."""

    last_day: date
    reason: str
    by: str
    at: str


class Grant(NamedTuple):
    """A grant as it is now; `version` is that of its stream."""

    id: str
    kind: str
    role: str | None
    account: str | None
    owner: str
    branch: str
    team: str | None
    limit_amount: Decimal | None
    limit_count: int | None
    from_day: date
    until_day: date
    correction_days: int
    version: int
    by: str
    at: str
    ended: Ended | None = None

    @property
    def place(self) -> Place:
        """Its scope."""
        return Place(self.branch, self.team)


class Outcome(NamedTuple):
    """What a use came to: a `correction` or a `finding`."""

    kind: str
    text: str
    by: str
    at: str
    position: int


@dataclass(frozen=True)
class Use:
    """A use as it is now; its id is its ledger position."""

    id: int
    grant: str
    kind: str
    what: str
    customer: str
    amount: Decimal | None
    count: int
    why: str
    day: date
    branch: str | None
    team: str | None
    manager: str | None
    total: str
    over_limit: tuple[str, ...]
    accountable: str | None
    deadline: date | None
    by: str
    at: str
    outcomes: tuple[Outcome, ...] = ()

    @property
    def place(self) -> Place:
        """Where it was done, and by which manager."""
        return Place(self.branch, self.team, self.manager)

    @property
    def is_open(self) -> bool:
        """Beyond the grant, and neither corrected nor found upon."""
        return bool(self.over_limit) and not self.outcomes

    def is_overdue(self, today: date) -> bool:
        """Still open after its last day."""
        return self.is_open and self.deadline is not None and today > self.deadline


def make(terms: Terms, *, by: Person) -> GrantMade:
    """授权: the event of a new grant; the owner is whoever makes it, unless named.

    Raises Invalid with all that is wrong, SeparationOfDuties where somebody would grant to
    themselves.
    """
    checked = checked_terms(terms)
    place = Place(terms.branch, terms.team)
    if terms.account == by.name or any(
        s.role == terms.role and _overlaps(s, place) for s in by.seats
    ):
        raise SeparationOfDuties(
            by.name,
            Text("是被授权人之一", "would hold the grant"),
            Text("给自己授权", "make it"),
            (*ACTS["make_grants"], Role.ADMIN),
        )
    return GrantMade(
        originator_id=grant_stream(terms.id),
        originator_version=1,
        by=by.name,
        grant=terms.id,
        kind=terms.kind,
        role=terms.role,
        account=terms.account,
        owner=terms.owner or by.name,
        branch=terms.branch,
        team=terms.team,
        limit_amount=plain(checked.amount) if checked.amount is not None else None,
        limit_count=checked.count,
        from_day=checked.from_day.isoformat(),
        until_day=checked.until_day.isoformat(),
        correction_days=terms.correction_days,
    )


def end(grant: Grant, *, last_day: date | None, reason: str, by: str, today: date) -> GrantEnded:
    """终止: the grant may not be used after a day (today, where none is named; yesterday at the
    earliest).

    Raises Declined where it has ended or will by then, Invalid.
    """
    reason, chosen = checked_text("reason", reason), last_day or today
    if grant.ended:
        raise AlreadyEnded(grant.id, grant.ended)
    if chosen >= grant.until_day:
        raise EndsByItself(grant.id, grant.until_day)
    if chosen < today - timedelta(days=1):
        text = Text(
            f"不能追溯终止到 {chosen}；最早为 {today - timedelta(days=1)}，此前的使用请由稽核认定",
            f"it cannot be ended as of {chosen}, but of {today - timedelta(days=1)} at the "
            "earliest; what was done "
            "before is for an auditor to find upon",
        )
        raise Invalid([Reason("bad_value", "last_day", text)])
    return GrantEnded(
        originator_id=grant_stream(grant.id),
        originator_version=grant.version + 1,
        by=by,
        grant=grant.id,
        last_day=chosen.isoformat(),
        reason=reason,
    )


def use(grant: Grant, counted: Decimal, usage: Usage, *, by: Person, at: datetime) -> GrantUsed:
    """使用: the event of a use, marked where it is beyond the grant. `counted`: the month's total
    before it.

    Raises Invalid where it is no fact: words are missing, the amount is missing where yuan are
    limited, or the day has not come.
    """
    checked = checked_usage(
        usage, needs_amount=grant.limit_amount is not None, latest=(at + DAY_AHEAD).date()
    )
    kind = usage.kind or grant.kind
    total = counted + (
        checked.count if checked.amount is None or grant.limit_amount is None else checked.amount
    )
    place = Place(usage.branch, usage.team, usage.manager)
    reasons = tuple(_beyond(grant, total, kind, checked.day, place, by))
    return GrantUsed(
        originator_id=grant_stream(grant.id),
        originator_version=grant.version + 1,
        by=by.name,
        grant=grant.id,
        kind=kind,
        what=checked.what,
        customer=checked.customer,
        amount=plain(checked.amount) if checked.amount is not None else None,
        count=checked.count,
        why=checked.why,
        day=checked.day.isoformat(),
        branch=usage.branch,
        team=usage.team,
        manager=usage.manager,
        total=plain(counted if is_attempt(reasons) else total),
        over_limit=reasons,
        accountable=(usage.accountable or grant.owner) if reasons else None,
        deadline=(at.date() + timedelta(days=grant.correction_days)).isoformat()
        if reasons
        else None,
    )


def is_attempt(reasons: Iterable[str]) -> bool:
    """Whether a use that is beyond its grant for these reasons uses nothing of it up."""
    return not ATTEMPT.isdisjoint(reasons)


def _beyond(
    grant: Grant, total: Decimal, kind: str, day: date, place: Place, by: Person
) -> Iterable[str]:
    """Why a use is beyond its grant, in the order of BEYOND."""
    if grant.limit_amount is not None and total > grant.limit_amount:
        yield "over_amount"
    if grant.limit_count is not None and total > grant.limit_count:
        yield "over_count"
    if not grant.from_day <= day <= grant.until_day:
        yield "outside_dates"
    if grant.ended and day > grant.ended.last_day:
        yield "ended"
    if kind != grant.kind:
        yield "other_kind"
    if place.branch != grant.branch or grant.team not in (None, place.team):
        yield "outside_scope"
    if not is_for(grant, by, place):
        yield "not_for_them"


def is_for(grant: Grant, by: Person, place: Place) -> bool:
    """Whether the grant is for this person, acting there."""
    if grant.account is not None:
        return by.name == grant.account
    return any(seat.role == grant.role and seat.covers(place) for seat in by.seats)


def correct(corrected: Use, text: str, *, by: str) -> GrantUseCorrected:
    """整改: what was done about a use beyond its grant. Raises Declined where nothing is open,
    Invalid.
    """
    text = checked_text("text", text)
    if not corrected.over_limit:
        raise NothingToCorrect(corrected.id)
    if corrected.outcomes:
        raise AlreadySettled(corrected.id, corrected.outcomes[-1])
    return GrantUseCorrected(
        originator_id=use_stream(corrected.id),
        originator_version=len(corrected.outcomes) + 1,
        by=by,
        use=corrected.id,
        text=text,
    )


def record_finding(audited: Use, text: str, *, by: str) -> GrantUseFindingRecorded:
    """稽核结论: what an audit makes of a use, once, by somebody who neither did it nor answers for
    it.

    Raises SeparationOfDuties, Declined, Invalid.
    """
    text = checked_text("text", text)
    if by in (audited.by, audited.accountable):
        done = Text(f"是使用 {audited.id} 的经办人或责任人", f"did or answers for use {audited.id}")
        raise SeparationOfDuties(
            by, done, Text("作出稽核结论", "find upon it"), (*ACTS["audit_grants"], Role.ADMIN)
        )
    for outcome in audited.outcomes:
        if outcome.kind == "finding":
            raise FindingExists(audited.id, outcome)
    return GrantUseFindingRecorded(
        originator_id=use_stream(audited.id),
        originator_version=len(audited.outcomes) + 1,
        by=by,
        use=audited.id,
        text=text,
    )


def grant_stream(grant: str) -> UUID:
    """The stream of a grant's events."""
    return stream_id("grant", grant)


def use_stream(use: int) -> UUID:
    """The stream of what a use came to: settling a use never clashes with using the grant."""
    return stream_id("grant-use", str(use))


def _overlaps(seat: Seat, place: Place) -> bool:
    pairs = ((seat.branch, place.branch), (seat.team, place.team))
    return all(one is None or other is None or one == other for one, other in pairs)
