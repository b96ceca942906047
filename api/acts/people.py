"""反馈与认同: interviews about a person's months, and the rulebooks that they agree with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.acts.access import check, held_months
from api.documents.parts.base import Written
from api.documents.people import Done, PersonPage
from domain.identifiers import Period

if TYPE_CHECKING:
    from api.documents.people import Feedback
    from projections.records.accounts.accounts import Caller
    from projections.service import Service


def show_person(service: Service, who: Caller, manager: str) -> PersonPage:
    """A person's page, without interviews about months when the reader may not read about them."""
    check(who, "read_statements", service.places.place_of(manager))
    page = PersonPage.of(service.people.page(manager))
    held = held_months(service, who, "read_statements", manager)
    page.feedback = [
        interview for interview in page.feedback if held.has_whole(Period.parse(interview.period))
    ]
    return page


def record_feedback(
    service: Service, who: Caller, manager: str, feedback: Feedback
) -> Written[Done]:
    """Records an interview about a month."""
    period = Period.parse(feedback.period)
    check(who, "record_feedback", service.places.place_of(manager, period))
    position = service.people.record_feedback(
        manager,
        period,
        held_on=feedback.held_on,
        held_by=feedback.held_by,
        agreed=feedback.agreed,
        plan=[item.model_dump() for item in feedback.plan],
        by=who.name,
    )
    return Written(Done(position=position), position)


def acknowledge(
    service: Service, who: Caller, manager: str, rulebook: str, version: str | None
) -> Written[Done]:
    """The person agrees with a version of a rulebook, or with the last one published."""
    check(who, "acknowledge", service.places.place_of(manager))
    version = version or service.rulebooks.named(rulebook, None).rulebook.version
    position = service.people.acknowledge(manager, rulebook, version, by=who.name)
    return Written(Done(position=position), position)
