"""授权: grants, what is done under them, what becomes of it, and the audit of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from api.acts.access import check
from api.documents.grants import (
    Grant,
    GrantAt,
    GrantReport,
    Grants,
    GrantTotal,
    Sample,
    Use,
    UseAt,
    Uses,
)
from api.documents.parts.base import Page, Written
from domain.identifiers import Month, Period
from domain.processes.grant import Person
from domain.processes.grant_terms import checked_day
from domain.rights import Place, may, scope
from projections.records.grant_report import report

if TYPE_CHECKING:
    from datetime import date

    from domain.processes.grant import Grant as GrantRecord
    from domain.processes.grant_terms import Terms, Usage
    from projections.records.accounts.accounts import Caller
    from projections.records.grants import GrantFilter, UseFilter
    from projections.service import Service


def make_grant(service: Service, who: Caller, terms: Terms) -> Written[GrantAt]:
    """Makes a grant in the caller's scope; it never changes."""
    check(who, "make_grants", Place(terms.branch, terms.team))
    position = service.grants.make(terms, by=Person(who.name, who.seats))
    return _grant_at(service, terms.id, position)


def list_grants(
    service: Service,
    who: Caller,
    wanted: GrantFilter,
    *,
    after: int = 0,
    limit: int | None = None,
) -> Page[Grants]:
    """Grants in the order in which they were made; everybody may read those for their account."""
    check(who, "read_grants", None)
    if wanted.account != who.name:
        check(who, "read_grants", _seen_as_manager(service, who, Place(wanted.branch, wanted.team)))
    grants, following = service.grants.all(wanted, after=after, limit=limit)
    return Page(Grants(grants=[Grant.made_of(grant) for grant in grants], next=None), following)


def end_grant(
    service: Service, who: Caller, name: str, reason: str, last_day: date | None
) -> Written[GrantAt]:
    """Ends a grant in the caller's scope: after its last day (today, unless named) it is over."""
    check(who, "make_grants", None)
    grant = service.grants.get(name)
    check(who, "make_grants", grant.place)
    position = service.grants.end(grant, last_day=last_day, reason=reason, by=who.name)
    return _grant_at(service, name, position)


def use_grant(service: Service, who: Caller, name: str, usage: Usage) -> Written[UseAt]:
    """Records what the caller did under a grant, where they work; beyond it, marked as such."""
    check(who, "use_grants", None)
    place = _place_of_use(service, who, service.grants.get(name), usage)
    check(who, "use_grants", place)
    usage = replace(usage, branch=place.branch, team=place.team, manager=place.manager)
    used = service.grants.use(name, usage, by=Person(who.name, who.seats))
    return Written(UseAt(use=Use.made_of(used, _today(service)), position=used.id), used.id)


def list_uses(
    service: Service,
    who: Caller,
    wanted: UseFilter,
    *,
    after: int = 0,
    limit: int | None = None,
) -> Page[Uses]:
    """Uses in ledger order; everybody may read their own."""
    check(who, "read_grants", None)
    if wanted.by != who.name:
        place = Place(wanted.branch, wanted.team)
        if wanted.grant is not None and not may(who.seats, "read_grants", place):
            place = service.grants.get(wanted.grant).place
        check(who, "read_grants", place)
    uses, following = service.grants.uses(wanted, after=after, limit=limit)
    today = _today(service)
    return Page(Uses(uses=[Use.made_of(use, today) for use in uses], next=None), following)


def correct_use(service: Service, who: Caller, use: int, text: str) -> Written[UseAt]:
    """Records the correction of a use, by whoever uses grants there or answers for it."""
    check(who, "use_grants", None)
    corrected = service.grants.used(use)
    if who.name != corrected.accountable:
        check(who, "use_grants", corrected.place)
    return _use_at(service, use, service.grants.correct(use, text, by=who.name))


def find_upon_use(service: Service, who: Caller, use: int, text: str) -> Written[UseAt]:
    """Records an auditor's finding upon a use."""
    check(who, "audit_grants", None)
    check(who, "audit_grants", service.grants.used(use).place)
    return _use_at(service, use, service.grants.record_finding(use, text, by=who.name))


def report_uses(
    service: Service, who: Caller, wanted: UseFilter, as_of: str | None = None
) -> GrantReport:
    """Totals by level, class and month: of all, of a branch and its teams, or of a team."""
    check(who, "read_grants", Place(wanted.branch, wanted.team))
    today, position = _today(service), service.position_as_of(as_of)
    totals = report(service.grants, wanted, today=today, as_of=position)
    return GrantReport(today=today.isoformat(), totals=[GrantTotal.of(total) for total in totals])


def order_sample(
    service: Service,
    who: Caller,
    size: int,
    wanted: UseFilter,
    *,
    by_team: bool = False,
    by_amount: bool = False,
) -> Written[Sample]:
    """Draws a sample of the uses of a month, branch or team; its order is recorded first."""
    check(who, "audit_grants", Place(wanted.branch, wanted.team))
    sample = service.grants.order_sample(
        size, wanted, by=who.name, by_team=by_team, by_amount=by_amount
    )
    return Written(Sample.made_of(sample, _today(service)), sample.id)


def show_sample(service: Service, who: Caller, number: int) -> Sample:
    """Draws an earlier sample again: the same uses, as they are now."""
    check(who, "audit_grants", None)
    sample = service.grants.sample(number)
    check(who, "audit_grants", Place(sample.order.branch, sample.order.team))
    return Sample.made_of(sample, _today(service))


def _seen_as_manager(service: Service, who: Caller, place: Place) -> Place:
    """A place where the caller works as a manager, as theirs: they may read its grants.

    Any other place as it is.
    """
    if who.manager is None or place.branch is None:
        return place
    workplace = service.places.place_of(who.manager)
    if workplace.branch == place.branch and place.team in (None, workplace.team):
        return place._replace(manager=who.manager)
    return place


def _place_of_use(service: Service, who: Caller, grant: GrantRecord, usage: Usage) -> Place:
    """The place that the usage names, else where the caller works as a manager, else the grant's
    scope, else the caller's own.
    """
    workplace = _workplace(service, who, usage)
    if usage.branch is not None:
        named = Place(usage.branch, usage.team)
        is_own = workplace is not None and (
            named.branch == workplace.branch and named.team in (None, workplace.team)
        )
        return workplace if workplace and is_own else named
    if workplace:
        return workplace
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


def _grant_at(service: Service, name: str, position: int) -> Written[GrantAt]:
    grant = Grant.made_of(service.grants.get(name))
    return Written(GrantAt(grant=grant, position=position), position)


def _use_at(service: Service, use: int, position: int) -> Written[UseAt]:
    document = Use.made_of(service.grants.used(use), _today(service))
    return Written(UseAt(use=document, position=position), position)


def _today(service: Service) -> date:
    """The day by which an open use is overdue."""
    return service.calendar.today()
