"""审计轨迹: the entries as they were recorded, in ledger order, with who, when, and what was
reversed by what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from domain.fact_kinds import KIND_CODES
from domain.identifiers import FIRST_YEAR, LAST_YEAR, Month
from domain.ledger.acceptance import Reversals
from domain.ledger.event_json import instant
from domain.ledger.events import ENTRY_TOPICS, EntryRecorded
from projections.facts.counting import counting_reversals
from projections.store.database import database_of
from projections.store.entry_recorder import EntryRecorder
from projections.store.fact_rows import FACT

if TYPE_CHECKING:
    from collections.abc import Collection

    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection, Database

REVERSAL = "reversal"
_MONTHS = range(Month(FIRST_YEAR, 1).index, Month(LAST_YEAR, 12).index + 1)


@dataclass(frozen=True)
class Filter:
    """Which entries: what is None does not matter.

    A reversal belongs to the manager, month and item of what it reverses. Those of a branch are its
    own, and those of everyone who works there in the entry's month, by the assignments that count
    at the position asked about.
    """

    manager: str | None = None
    period: Period | None = None
    branch: str | None = None
    kind: str | None = None
    item: str | None = None


class Line(NamedTuple):
    """One entry of the trail. `counts`: no reversal that counts itself names it."""

    position: int
    kind: str
    entry: dict[str, object]
    by: str
    at: str
    reversed_by: tuple[int, ...]  # every reversal that names it
    counts: bool


class Trail:
    """Reads the trail of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        assert isinstance(ledger.recorder, EntryRecorder)
        self.ledger, self._database, self._symbols = (
            ledger,
            database_of(ledger),
            ledger.recorder.symbols,
        )

    def page(
        self, wanted: Filter, *, after: int, limit: int, as_of: int
    ) -> tuple[list[Line], int | None]:
        """At most `limit` entries after a position, up to another; and where to go on after, if
        there are more.
        """
        with self._database.reading() as connection:
            self._symbols.refresh(connection)
            sql, params = self._query(connection, wanted, after, as_of)
            found = [
                row[0]
                for row in connection.fetch(f"{sql} ORDER BY 1 LIMIT ?", (*params, limit + 1))
            ]
        events = cast("dict[int, EntryRecorded]", self.ledger.events_at(found[:limit]))
        with self._database.reading() as connection:
            months = {self._place(event) for event in events.values()}
            reversals = dict(
                row for row in self._database.reversals(connection, months) if row[0] <= as_of
            )
        return _lines(events, reversals), found[limit - 1] if len(found) > limit else None

    def _query(
        self, connection: Connection, wanted: Filter, after: int, as_of: int
    ) -> tuple[str, list[object]]:
        """The log where its own index leads on, the facts where one of theirs does."""
        if not (wanted.manager or wanted.period or wanted.branch or wanted.item):
            return _in_log(self._database, wanted.kind, after, as_of)
        months = (
            range(wanted.period.first.index, wanted.period.last.index + 1)
            if wanted.period
            else _MONTHS
        )
        one_of = self._database.one_of
        where, params = ["position > ?", "position <= ?"], list[object]((after, as_of))
        if wanted.period or wanted.manager:  # the index of facts is by month and manager
            where, params = [*where, f"month {one_of}"], [*params, self._database.array(months)]
        if wanted.manager:
            where, params = [*where, "manager = ?"], [*params, self._number(wanted.manager)]
        if wanted.item:  # an assignment has its role there
            where, params = [*where, "item = ? AND kind <> 0"], [*params, self._number(wanted.item)]
        if wanted.kind == REVERSAL:
            where.append("reverses <> 0")
        elif wanted.kind:
            where, params = (
                [*where, "kind = ? AND reverses = 0"],
                [*params, KIND_CODES[wanted.kind]],
            )
        if wanted.branch:
            branch = self._number(wanted.branch)
            ever = "manager IN (SELECT a.manager FROM facts a WHERE a.kind = 0 AND a.branch = ?)"
            where.append(f"(branch = ? OR {ever} AND {self._working_place()} = ?)")
            params += [
                branch,
                branch,
                as_of,
                self._database.array(self._taken_back(connection, branch, as_of)),
                branch,
            ]
        return f"SELECT position FROM facts WHERE {' AND '.join(where)}", params

    def _working_place(self) -> str:
        """SQL: the branch of the latest assignment by a fact's month. An entry that says who left
        (it has no branch) stands where they worked before.
        """
        return (
            "(SELECT a.branch FROM facts a WHERE a.kind = 0 AND a.manager = facts.manager AND "
            "a.month <= facts.month "
            "AND (a.branch <> 0 OR facts.kind <> 0) AND a.reverses = 0 AND a.position <= ? "
            f"AND NOT (a.position {self._database.one_of}) ORDER BY a.month DESC, a.position DESC "
            "LIMIT 1)"
        )

    def _taken_back(self, connection: Connection, branch: int, as_of: int) -> list[int]:
        """The assignments, of whoever was ever assigned to the branch, that a reversal takes
        out.
        """
        rows = connection.numbers(
            "SELECT position, reverses FROM facts WHERE kind = 0 AND reverses <> 0 AND position <= "
            "? "
            "AND manager IN (SELECT a.manager FROM facts a WHERE a.kind = 0 AND a.branch = ?)",
            (as_of, branch),
            FACT[["position", "reverses"]],
        )
        return list(counting_reversals(rows).values())

    def _number(self, text: str) -> int:
        return self._symbols.numbers.get(text, -1)

    def _place(self, event: EntryRecorded) -> tuple[int, int]:
        """Month and manager, by their numbers: a reversal stands where what it reverses stands."""
        _, month, manager, *_ = event.subject
        return Month.parse(month).index, self._symbols.numbers[manager] if manager else 0


def entries_under_keys(ledger: Ledger, keys: Collection[tuple[str, str]]) -> list[EntryRecorded]:
    """The entries of these keys, as they were recorded; keys without one are left out."""
    if not keys:
        return []
    with (database := database_of(ledger)).reading() as connection:
        stored = database.keys(connection, list(keys))
    events = ledger.events_at([position for position, _ in stored.values()])
    return [cast("EntryRecorded", event) for event in events.values()]


def has_entries(ledger: Ledger) -> bool:
    """Whether any entry was ever recorded."""
    with database_of(ledger).reading() as connection:
        return connection.value("SELECT 1 FROM keys LIMIT 1") is not None


def _lines(events: dict[int, EntryRecorded], reversals: dict[int, int]) -> list[Line]:
    standing = Reversals(reversals)
    against: dict[int, list[int]] = {}
    for position, named in sorted(reversals.items()):
        against.setdefault(named, []).append(position)
    return [
        Line(
            position,
            event.entry.kind,
            event.entry.content(),
            event.by,
            instant(event.at),
            tuple(against.get(position, ())),
            standing.counts(position),
        )
        for position, event in sorted(events.items())
    ]


def _in_log(
    database: Database, kind: str | None, after: int, as_of: int
) -> tuple[str, list[object]]:
    topics = [ENTRY_TOPICS[kind]] if kind else list(ENTRY_TOPICS.values())
    column = database.position
    return (
        (
            f"SELECT {column} FROM stored_events WHERE {column} > ? AND {column} <= ? AND topic "
            f"{database.one_of}"
        ),
        [after, as_of, database.array(topics)],
    )
