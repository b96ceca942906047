"""反馈与认同: interviews about a person's months, and the rulebooks that they have read and agree
with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from domain.identifiers import Month, Period, stream_id
from domain.ledger.event_json import instant
from domain.ledger.events import FeedbackRecorded, RulebookAcknowledged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from domain.ledger.ledger import Ledger
    from projections.facts.places import Places
    from projections.records.rulebooks import Rulebooks


Planned = dict[str, str]  # `what` is to get better, `until` when


class Interview(NamedTuple):
    """An interview about a month: who spoke with the person, when, what was agreed, the plan."""

    period: str
    branch: str
    held_on: str
    held_by: str
    agreed: str
    plan: tuple[Planned, ...]
    by: str
    at: str


class Agreement(NamedTuple):
    """That the person agrees with a version of a rulebook."""

    rulebook: str
    version: str
    by: str
    at: str


class RulebookVersion(NamedTuple):
    """A version of a rulebook."""

    rulebook: str
    version: str


@dataclass(frozen=True)
class PersonPage:
    """Interviews, agreements, and the rulebooks in force for the person that wait for agreement."""

    manager: str
    feedback: list[Interview]
    acknowledged: list[Agreement]
    to_acknowledge: list[RulebookVersion]


class People:
    """What stands on people's pages beside their statements."""

    def __init__(self, ledger: Ledger, places: Places, rulebooks: Rulebooks) -> None:
        self.ledger, self.places, self.rulebooks = ledger, places, rulebooks

    def page(self, manager: str) -> PersonPage:
        """The person's page, with the interviews of all months."""
        events = self.ledger.events_of(_stream(manager))
        agreements = [
            Agreement(e.rulebook, e.version, e.by, instant(e.at))
            for e in events
            if isinstance(e, RulebookAcknowledged)
        ]
        agreed = {(agreement.rulebook, agreement.version) for agreement in agreements}
        return PersonPage(
            manager=manager,
            feedback=[_interview(e) for e in events if isinstance(e, FeedbackRecorded)],
            acknowledged=agreements,
            to_acknowledge=[
                version for version in self._rulebooks_of(manager) if version not in agreed
            ],
        )

    def _rulebooks_of(self, manager: str) -> list[RulebookVersion]:
        """The versions in force for the person's branch."""
        branch = self.places.place_of(manager).branch
        if branch is None:
            return []
        last = Month(2099, 12)
        rulebooks = [
            self.rulebooks.find(name, month=last).rulebook
            for name in self.rulebooks.pays_by(branch, last)
        ]
        return [RulebookVersion(rules.id, rules.version) for rules in rulebooks]

    def record_feedback(
        self,
        manager: str,
        period: Period,
        *,
        held_on: str,
        held_by: str,
        agreed: str,
        plan: Sequence[Planned],
        by: str,
    ) -> int:
        """Records an interview about a month. The ledger position."""
        return self.ledger.record(
            FeedbackRecorded(
                originator_id=_stream(manager),
                originator_version=self.ledger.next_version(_stream(manager)),
                by=by,
                manager=manager,
                branch=self.places.place_of(manager, period).branch or "",
                period=str(period),
                held_on=held_on,
                held_by=held_by,
                agreed=agreed,
                plan=tuple(plan),
            )
        )

    def acknowledge(self, manager: str, rulebook: str, version: str, *, by: str) -> int:
        """They agree with this version; said again it changes nothing. Raises NotFound."""
        rules = self.rulebooks.find(rulebook, version).rulebook
        agreed = {(done.rulebook, done.version) for done in self.page(manager).acknowledged}
        if (rules.id, rules.version) in agreed:
            return self.ledger.position()
        return self.ledger.record(
            RulebookAcknowledged(
                originator_id=_stream(manager),
                originator_version=self.ledger.next_version(_stream(manager)),
                by=by,
                manager=manager,
                rulebook=rules.id,
                version=rules.version,
            )
        )


def _interview(event: FeedbackRecorded) -> Interview:
    return Interview(
        event.period,
        event.branch,
        event.held_on,
        event.held_by,
        event.agreed,
        event.plan,
        event.by,
        instant(event.at),
    )


def _stream(manager: str) -> UUID:
    return stream_id("person", manager)
