"""授权 at every door: who may do what with grants, and grants, uses and samples as data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from api.acts.access import check
from domain.identifiers import Month, Period
from domain.numbers import plain
from domain.processes.grant import BEYOND, Person
from domain.processes.grant_terms import KINDS, checked_day
from domain.rights import Place, may, scope

if TYPE_CHECKING:
    from datetime import date

    from domain.processes.grant import Grant, Use
    from domain.processes.grant_terms import Terms, Usage
    from projections.records.accounts import Caller
    from projections.records.grants import GrantFilter, Sample, UseFilter
    from projections.service import Service

# Acts


def make(service: Service, who: Caller, terms: Terms) -> int:
    """A new grant, by whoever may make it there; the ledger position."""
    check(who, "make_grants", Place(terms.branch, terms.team))
    return service.grants.make(terms, by=Person(who.name, who.seats))


def end(service: Service, who: Caller, grant: str, reason: str, last_day: date | None) -> int:
    """Ends a grant, by whoever may make one there; the ledger position."""
    found = service.grants.get(grant)
    check(who, "make_grants", found.place)
    return service.grants.end(found, last_day=last_day, reason=reason, by=who.name)


def use(service: Service, who: Caller, grant: str, usage: Usage) -> Use:
    """Records what the caller did under a grant, where they work."""
    place = _where(service, who, service.grants.get(grant), usage)
    check(who, "use_grants", place)
    usage = replace(usage, branch=place.branch, team=place.team, manager=place.manager)
    return service.grants.use(grant, usage, by=Person(who.name, who.seats))


def correct(service: Service, who: Caller, use: int, text: str) -> int:
    """Records the correction of a use, by whoever uses grants there or answers for it; the ledger
    position.
    """
    found = service.grants.used(use)
    if who.name != found.accountable:
        check(who, "use_grants", found.place)
    return service.grants.correct(use, text, by=who.name)


def find(service: Service, who: Caller, use: int, text: str) -> int:
    """Records a finding upon a use; the ledger position."""
    check(who, "audit_grants", service.grants.used(use).place)
    return service.grants.record_finding(use, text, by=who.name)


def order_sample(
    service: Service,
    who: Caller,
    size: int,
    wanted: UseFilter,
    *,
    by_team: bool = False,
    by_amount: bool = False,
) -> Sample:
    """A new sample of the uses in a scope."""
    check(who, "audit_grants", Place(wanted.branch, wanted.team))
    return service.grants.order_sample(
        size, wanted, by=who.name, by_team=by_team, by_amount=by_amount
    )


def drawn_again(service: Service, who: Caller, sample: int) -> Sample:
    """A sample that was ordered before."""
    found = service.grants.sample(sample)
    check(who, "audit_grants", Place(found.asked["branch"], found.asked["team"]))
    return found


# What may be read


def may_list_grants(service: Service, who: Caller, wanted: GrantFilter) -> None:
    """Raises Forbidden unless the caller may read the grants of this scope; everybody may read
    their own.
    """
    if wanted.account != who.name:
        check(who, "read_grants", _as_manager(service, who, Place(wanted.branch, wanted.team)))


def may_list_uses(service: Service, who: Caller, wanted: UseFilter) -> None:
    """Raises Forbidden unless the caller may read the uses of this scope; everybody may read their
    own.
    """
    if wanted.by == who.name:
        return
    place = Place(wanted.branch, wanted.team)
    if wanted.grant is not None and not may(who.seats, "read_grants", place):
        place = service.grants.get(wanted.grant).place
    check(who, "read_grants", place)


def may_report(who: Caller, wanted: UseFilter) -> None:
    """Raises Forbidden unless the caller may read the totals of this scope."""
    check(who, "read_grants", Place(wanted.branch, wanted.team))


def _as_manager(service: Service, who: Caller, place: Place) -> Place:
    """The place, as a manager who works there sees it: what they may do without asking is theirs to
    know.
    """
    if who.manager is None or place.branch is None:
        return place
    here = service.places.place_of(who.manager)
    return (
        Place(*place[:2], who.manager)
        if here.branch == place.branch and place.team in (None, here.team)
        else place
    )


def _where(service: Service, who: Caller, grant: Grant, usage: Usage) -> Place:
    """Where a use was made: as said, else where the manager works, else the grant's scope, else the
    caller's own.
    """
    own = _workplace(service, who, usage)
    if usage.branch is not None:
        said = Place(usage.branch, usage.team)
        return own if own and said.branch == own.branch and said.team in (None, own.team) else said
    if own:
        return own
    seats = scope(who.seats, "use_grants")
    if not seats or any(seat.covers(grant.place) for seat in seats):
        return grant.place
    inside = (
        seat for seat in seats if seat.branch == grant.branch and grant.team in (None, seat.team)
    )
    seat = next(inside, seats[0])
    return Place(seat.branch, seat.team, seat.manager)


def _workplace(service: Service, who: Caller, usage: Usage) -> Place | None:
    """Where the caller worked as a manager in the month of the use; None for everyone else."""
    if who.manager is None:
        return None
    month = Month.parse(checked_day("day", usage.day).isoformat()[:7])
    return service.places.place_of(who.manager, Period(month, month))


# As data


def grant_json(grant: Grant) -> dict[str, Any]:
    """A grant as every door gives it."""
    ended = grant.ended
    return {
        "id": grant.id,
        "kind": grant.kind,
        "label": KINDS[grant.kind]._asdict(),
        "role": grant.role,
        "account": grant.account,
        "owner": grant.owner,
        "branch": grant.branch,
        "team": grant.team,
        "limit_amount": None if grant.limit_amount is None else plain(grant.limit_amount),
        "limit_count": grant.limit_count,
        "from": grant.from_day.isoformat(),
        "until": grant.until_day.isoformat(),
        "correction_days": grant.correction_days,
        "by": grant.by,
        "at": grant.at,
        "ended": ended._asdict() | {"last_day": ended.last_day.isoformat()} if ended else None,
    }


def use_json(use: Use, today: date) -> dict[str, Any]:
    """A use as every door gives it; `open` and `overdue` as of today."""
    return {
        "id": use.id,
        "grant": use.grant,
        "kind": use.kind,
        "what": use.what,
        "customer": use.customer,
        "amount": None if use.amount is None else plain(use.amount),
        "count": use.count,
        "why": use.why,
        "day": use.day.isoformat(),
        "branch": use.branch,
        "team": use.team,
        "manager": use.manager,
        "total": use.total,
        "over_limit": bool(use.over_limit),
        "reasons": [{"code": code, "message": BEYOND[code].both} for code in use.over_limit],
        "accountable": use.accountable,
        "deadline": use.deadline.isoformat() if use.deadline else None,
        "open": use.is_open,
        "overdue": use.is_overdue(today),
        "outcomes": [outcome._asdict() for outcome in use.outcomes],
        "by": use.by,
        "at": use.at,
    }


def sample_json(sample: Sample, today: date) -> dict[str, Any]:
    """A sample as every door gives it."""
    return {
        "id": sample.id,
        **sample.asked,
        "seed": sample.seed,
        "population": sample.population,
        "uses": [use_json(use, today) for use in sample.uses],
    }
