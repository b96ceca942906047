"""反馈与认同: interviews about a person's months, and the rulebooks that they have read and agree
with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.identifiers import Month, Period, stream_id
from domain.ledger.event_json import instant
from domain.ledger.events import FeedbackRecorded, RulebookAcknowledged

if TYPE_CHECKING:
    from projections.models import Book


class People:
    """What stands on people's pages beside their statements."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def page(self, manager: str) -> dict[str, Any]:
        """Interviews, agreements, and the rulebooks in force for the person's branch that wait for
        agreement.
        """
        events = self.book.ledger.events_of(_stream(manager))
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
        branch = self.book.place_of(manager).branch
        if branch is None:
            return []
        last = Month(2099, 12)
        books = [
            self.book.shelf.find(name, month=last).rulebook
            for name in self.book.shelf.pays_by(branch, last)
        ]
        return [(book.id, book.version) for book in books]

    def record_feedback(self, manager: str, given: dict[str, Any], *, by: str) -> int:
        """An interview: period, held_on, held_by, agreed, plan. The ledger position."""
        period = Period.parse(given["period"])
        branch = self.book.place_of(manager, period).branch or ""
        return self.book.ledger.record(
            FeedbackRecorded(
                originator_id=_stream(manager),
                originator_version=self.book.ledger.next_version(_stream(manager)),
                by=by,
                manager=manager,
                branch=branch,
                **given | {"period": str(period), "plan": tuple(given["plan"])},
            )
        )

    def acknowledge(self, manager: str, rulebook: str, version: str, *, by: str) -> int:
        """They agree with this version; said again it changes nothing. Raises NotFound."""
        book = self.book.shelf.find(rulebook, version).rulebook
        done = {(a["rulebook"], a["version"]) for a in self.page(manager)["acknowledged"]}
        if (book.id, book.version) in done:
            return self.book.ledger.position()
        return self.book.ledger.record(
            RulebookAcknowledged(
                originator_id=_stream(manager),
                originator_version=self.book.ledger.next_version(_stream(manager)),
                by=by,
                manager=manager,
                rulebook=book.id,
                version=book.version,
            )
        )


def _stream(manager: str) -> Any:
    return stream_id("person", manager)
