"""反馈与认同: interviews about a person's months, and the rulebooks that they have read and agree
with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.identifiers import Month, Period, stream_id
from domain.ledger.event_json import instant
from domain.ledger.events import FeedbackRecorded, RulebookAcknowledged

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.facts.places import Places
    from projections.records.rulebooks import Rulebooks


class People:
    """What stands on people's pages beside their statements."""

    def __init__(self, ledger: Ledger, places: Places, rulebooks: Rulebooks) -> None:
        self.ledger, self.places, self.rulebooks = ledger, places, rulebooks

    def page(self, manager: str) -> dict[str, Any]:
        """Interviews, agreements, and the rulebooks in force for the person's branch that wait for
        agreement.
        """
        events = self.ledger.events_of(_stream(manager))
        agreed = [e for e in events if isinstance(e, RulebookAcknowledged)]
        known = {(event.rulebook, event.version) for event in agreed}
        return {
            "manager": manager,
            "feedback": [
                {
                    "period": e.period,
                    "branch": e.branch,
                    "held_on": e.held_on,
                    "held_by": e.held_by,
                    "agreed": e.agreed,
                    "plan": list(e.plan),
                    "by": e.by,
                    "at": instant(e.at),
                }
                for e in events
                if isinstance(e, FeedbackRecorded)
            ],
            "acknowledged": [
                {"rulebook": e.rulebook, "version": e.version, "by": e.by, "at": instant(e.at)}
                for e in agreed
            ],
            "to_acknowledge": [
                {"rulebook": rulebook, "version": version}
                for rulebook, version in self._applies(manager)
                if (rulebook, version) not in known
            ],
        }

    def _applies(self, manager: str) -> list[tuple[str, str]]:
        branch = self.places.place_of(manager).branch
        if branch is None:
            return []
        last = Month(2099, 12)
        rulebooks = [
            self.rulebooks.find(name, month=last).rulebook
            for name in self.rulebooks.pays_by(branch, last)
        ]
        return [(rules.id, rules.version) for rules in rulebooks]

    def record_feedback(self, manager: str, given: dict[str, Any], *, by: str) -> int:
        """An interview: period, held_on, held_by, agreed, plan. The ledger position."""
        period = Period.parse(given["period"])
        branch = self.places.place_of(manager, period).branch or ""
        return self.ledger.record(
            FeedbackRecorded(
                originator_id=_stream(manager),
                originator_version=self.ledger.next_version(_stream(manager)),
                by=by,
                manager=manager,
                branch=branch,
                **given | {"period": str(period), "plan": tuple(given["plan"])},
            )
        )

    def acknowledge(self, manager: str, rulebook: str, version: str, *, by: str) -> int:
        """They agree with this version; said again it changes nothing. Raises NotFound."""
        rules = self.rulebooks.find(rulebook, version).rulebook
        done = {(a["rulebook"], a["version"]) for a in self.page(manager)["acknowledged"]}
        if (rules.id, rules.version) in done:
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


def _stream(manager: str) -> Any:
    return stream_id("person", manager)
