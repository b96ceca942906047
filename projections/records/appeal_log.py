"""申诉台账: appeals as their events tell them, and a row for each with its state."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypedDict

from domain.errors import NotFound, Text
from domain.identifiers import stream_id
from domain.ledger.events import (
    AppealAccepted,
    AppealCarriedOut,
    AppealDecided,
    AppealFiled,
    AppealRejected,
    AppealWithdrawn,
    ReviewRequested,
)
from domain.processes.appeal import Appeal, evolve
from domain.rights import Place
from projections.store.database import database_of
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection

_AFTER = {
    AppealAccepted.TOPIC: "accepted",
    AppealRejected.TOPIC: "rejected",
    AppealDecided.TOPIC: "decided",
    AppealCarriedOut.TOPIC: "carried_out",
    AppealWithdrawn.TOPIC: "withdrawn",
    ReviewRequested.TOPIC: "in_review",
}


class AppealRows(Projection):
    """The rows: one an appeal, with its state."""

    name = "appeals"
    topics = (AppealFiled.TOPIC, *_AFTER)
    tables: ClassVar[tuple[str, ...]] = ("appeals",)
    schema = (
        """CREATE TABLE IF NOT EXISTS appeals (
            appeal text NOT NULL PRIMARY KEY, position bigint NOT NULL, branch text NOT NULL,
            team text, manager text NOT NULL, period text NOT NULL, state text NOT NULL,
            approved integer NOT NULL, carried integer NOT NULL)""",
    )
    canonical = (
        "SELECT position, appeal, branch, manager, period, state, approved, carried "
        "FROM appeals ORDER BY 1"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the appeals, and their states."""
        for event in events:
            state = event.json()
            if event.topic == AppealFiled.TOPIC:
                row = (
                    state["appeal"],
                    event.position,
                    state["branch"],
                    state["team"],
                    state["manager"],
                    state["period"],
                    "filed",
                    0,
                    0,
                )
                connection.execute("INSERT INTO appeals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                continue
            approved = int(event.topic == AppealDecided.TOPIC and state["proposal"] is not None)
            carried = int(event.topic == AppealCarriedOut.TOPIC)
            # Carried out after a crash, when a review was asked for already: the review goes on.
            connection.execute(
                "UPDATE appeals SET "
                "state = CASE WHEN ? = 1 AND state <> 'decided' THEN state ELSE ? END, "
                "approved = approved + ?, carried = carried + ? WHERE appeal = ?",
                (carried, _AFTER[event.topic], approved, carried, state["appeal"]),
            )


class NoAppeal(NotFound):
    """An appeal that the ledger does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(Text(f"没有申诉 {name}", f"there is no appeal {name}"))
        self.name = name


class NoFile(NotFound):
    """An appeal has no evidence with this number, or one without a file."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(
            Text(f"申诉 {name} 没有文件 {number}", f"appeal {name} has no file {number}")
        )
        self.name, self.number = name, number


class AppealRow(NamedTuple):
    """An appeal in a list; `position`: where it was filed."""

    position: int
    appeal: str
    state: str


class StoredFile(NamedTuple):
    """A file that was attached as evidence; `digest`: its SHA-256, hex."""

    content: bytes
    digest: str


class EventPlace(TypedDict):
    """The fields that place an event of an appeal."""

    originator_id: UUID
    originator_version: int
    by: str
    appeal: str


class AppealLog:
    """Reads appeals; never behind the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, AppealRows(), database_of(ledger)

    def get(self, name: str, as_of: int | None = None) -> Appeal:
        """An appeal, as it is or was as of a position. Raises NotFound."""
        events = self.ledger.events_of(appeal_stream(name), as_of)
        if not events:
            raise NoAppeal(name)
        return evolve(events)

    def place(self, appeal: Appeal) -> Place:
        """Whose appeal it is, where."""
        return Place(appeal.filed.branch, appeal.filed.team, appeal.filed.manager)

    def page(
        self,
        *,
        manager: str | None = None,
        period: str | None = None,
        branch: str | None = None,
        state: str | None = None,
        after: int,
        limit: int,
    ) -> tuple[list[AppealRow], int | None]:
        """A page of appeals in the order of filing, and the position after which the next one
        begins. A filter that is None does not matter.
        """
        self.rows.catch_up(self.ledger)
        columns = {"manager": manager, "period": period, "branch": branch, "state": state}
        filters = {name: value for name, value in columns.items() if value is not None}
        where = "".join(f" AND {name} = ?" for name in filters)
        sql = (
            "SELECT position, appeal, state FROM appeals "
            f"WHERE position > ?{where} ORDER BY position LIMIT ?"
        )
        with self.database.reading() as connection:
            found = connection.fetch(sql, (after, *filters.values(), limit + 1))
        rows = [AppealRow(*row) for row in found[:limit]]
        return rows, rows[-1].position if len(found) > limit else None

    def file_of(self, name: str, number: int) -> StoredFile:
        """The file of the evidence with this number. Raises NotFound."""
        evidence = self.get(name).evidence
        attached = evidence[number - 1] if 1 <= number <= len(evidence) else None
        if attached is None or attached.content is None:
            raise NoFile(name, number)
        return StoredFile(base64.b64decode(attached.content), attached.digest or "")

    def to_carry_out(self) -> list[str]:
        """The appeals with a decision whose correction is still to be carried out, in the order of
        filing.
        """
        return self._names("approved > carried")

    def carried_out_in(self, branch: str, period: str) -> list[str]:
        """The appeals about a branch's period with a correction that was carried out."""
        return self._names("branch = ? AND period = ? AND carried > 0", branch, period)

    def carried_out_after(self, branch: str, period: str, position: int) -> list[str]:
        """The appeals whose corrections of a branch's period were recorded after a position."""
        names = self.carried_out_in(branch, period)
        keys = {name: _keys(self.get(name)) for name in names}
        with self.database.reading() as connection:
            return [
                name
                for name in names
                if any(
                    at > position for at, _ in self.database.keys(connection, keys[name]).values()
                )
            ]

    def filed_in(self, period: str) -> list[str]:
        """The appeals about a period, in the order of filing."""
        return self._names("period = ?", period)

    def _names(self, where: str, *params: str) -> list[str]:
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            found = connection.fetch(
                f"SELECT appeal FROM appeals WHERE {where} ORDER BY position", params
            )
        return [name for (name,) in found]


def appeal_stream(name: str) -> UUID:
    """The stream of an appeal's events."""
    return stream_id("appeal", name)


def first_place(name: str, by: str) -> EventPlace:
    """The place of the event that files an appeal."""
    return _place(name, 1, by)


def next_place(appeal: Appeal, by: str, known_version: int | None = None) -> EventPlace:
    """The place behind the last event of an appeal, or behind the last that the caller knows."""
    version = appeal.version if known_version is None else known_version
    return _place(appeal.filed.appeal, version + 1, by)


def _place(name: str, version: int, by: str) -> EventPlace:
    return EventPlace(
        originator_id=appeal_stream(name), originator_version=version, by=by, appeal=name
    )


def _keys(appeal: Appeal) -> list[tuple[str, str]]:
    """The keys of the entries that carried out decisions."""
    split = (key.partition(":") for done in appeal.carried_out for key in done.entries)
    return [(source, number) for source, _, number in split]
