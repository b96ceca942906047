"""审计轨迹: the entries as they were recorded, in ledger order, with who recorded them, when, and
what reverses them.
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
from projections.facts.places import ALL_MONTHS
from projections.store.database import database_of
from projections.store.entry_recorder import EntryRecorder
from projections.store.fact_rows import FACT

if TYPE_CHECKING:
    from collections.abc import Collection

    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from projections.facts.places import HeldMonths
    from projections.store.connection import Connection, Database

REVERSAL = "reversal"
_MONTHS = range(Month(FIRST_YEAR, 1).index, Month(LAST_YEAR, 12).index + 1)


@dataclass(frozen=True)
class Filter:
    """Which entries: all for which everything holds that is not None.

    A reversal belongs to the manager, month and item of what it reverses. The entries of a branch
    are its own, and those of everyone who works there in the entry's month, by the assignments that
    count as of the position. `held`: of a manager's months those that the reader may see.
    """

    manager: str | None = None
    period: Period | None = None
    branch: str | None = None
    kind: str | None = None
    item: str | None = None
    held: HeldMonths = ALL_MONTHS


class Line(NamedTuple):
    """One entry of the trail. `counts`: no reversal that counts itself reverses it."""

    position: int
    kind: str
    entry: dict[str, object]
    by: str
    at: str
    reversed_by: tuple[int, ...]  # every reversal of it
    counts: bool


class _Query(NamedTuple):
    """A query of positions, with its conditions and their parameters in order."""

    select: str
    where: list[str]
    params: list[object]

    def add(self, condition: str, *params: object) -> None:
        self.where.append(condition)
        self.params.extend(params)


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
        """At most `limit` entries after a position, as of another; and the position after which the
        next page begins, None where this is the last.
        """
        with self._database.reading() as connection:
            self._symbols.refresh(connection)
            query = self._query(connection, wanted, after, as_of)
            sql = f"{query.select} WHERE {' AND '.join(query.where)} ORDER BY 1 LIMIT ?"
            rows = connection.fetch(sql, (*query.params, limit + 1))
        positions = [position for (position,) in rows]
        events = cast("dict[int, EntryRecorded]", self.ledger.events_at(positions[:limit]))
        with self._database.reading() as connection:
            months = {self._month_and_manager(event) for event in events.values()}
            reversals = {
                position: reversed_position
                for position, reversed_position in self._database.reversals(connection, months)
                if position <= as_of
            }
        return _lines(events, reversals), positions[limit - 1] if len(positions) > limit else None

    def _query(self, connection: Connection, wanted: Filter, after: int, as_of: int) -> _Query:
        """A query of positions: of the log or of the facts, whichever has an index for it."""
        if not (wanted.manager or wanted.period or wanted.branch or wanted.item):
            return _of_log(self._database, wanted.kind, after, as_of)
        query = _Query("SELECT position FROM facts", [], [])
        query.add("position > ?", after)
        query.add("position <= ?", as_of)
        if wanted.period:
            months = range(wanted.period.first.index, wanted.period.last.index + 1)
            query.add(f"month {self._database.one_of}", self._database.array(months))
        elif wanted.manager:  # the index of facts is by month and manager
            query.add(f"month {self._database.one_of}", self._database.array(_MONTHS))
        if not wanted.held.is_all:
            held = [month for months in wanted.held.months for month in months]
            query.add(
                f"(month {self._database.one_of} OR kind = 0 AND branch = 0 "
                f"AND month {self._database.one_of})",
                self._database.array(held),
                self._database.array(sorted(wanted.held.left)),
            )
        if wanted.manager:
            query.add("manager = ?", self._number(wanted.manager))
        if wanted.item:  # the item of an assignment is its role
            query.add("item = ? AND kind <> 0", self._number(wanted.item))
        if wanted.kind == REVERSAL:
            query.add("reverses <> 0")
        elif wanted.kind:
            query.add("kind = ? AND reverses = 0", KIND_CODES[wanted.kind])
        if wanted.branch:
            self._add_branch(query, connection, self._number(wanted.branch), as_of)
        return query

    def _add_branch(self, query: _Query, connection: Connection, branch: int, as_of: int) -> None:
        """Of the branch itself, or of a manager whose latest assignment by the fact's month is in
        the branch. An assignment that says that somebody left, which has no branch, belongs to the
        branch before.
        """
        query.add(
            f"""(branch = ? OR manager IN (
                SELECT a.manager FROM facts a WHERE a.kind = 0 AND a.branch = ?
            ) AND (
                SELECT a.branch FROM facts a
                WHERE a.kind = 0 AND a.manager = facts.manager AND a.month <= facts.month
                AND (a.branch <> 0 OR facts.kind <> 0) AND a.reverses = 0 AND a.position <= ?
                AND NOT (a.position {self._database.one_of})
                ORDER BY a.month DESC, a.position DESC LIMIT 1
            ) = ?)""",
            branch,
            branch,
            as_of,
            self._database.array(self._reversed_assignments(connection, branch, as_of)),
            branch,
        )

    def _reversed_assignments(self, connection: Connection, branch: int, as_of: int) -> list[int]:
        """The positions of assignments that do not count, of whoever was ever assigned to the
        branch.
        """
        rows = connection.numbers(
            "SELECT position, reverses FROM facts "
            "WHERE kind = 0 AND reverses <> 0 AND position <= ? AND manager IN ("
            "SELECT a.manager FROM facts a WHERE a.kind = 0 AND a.branch = ?)",
            (as_of, branch),
            FACT[["position", "reverses"]],
        )
        return list(counting_reversals(rows).values())

    def _number(self, text: str) -> int:
        return self._symbols.numbers.get(text, -1)

    def _month_and_manager(self, event: EntryRecorded) -> tuple[int, int]:
        """Of what an entry is about, as facts have them."""
        subject = event.subject
        manager = self._symbols.numbers[subject.manager] if subject.manager else 0
        return Month.parse(subject.month).index, manager


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
    chains = Reversals(reversals)
    reversed_by: dict[int, list[int]] = {}
    for position, reversed_position in sorted(reversals.items()):
        reversed_by.setdefault(reversed_position, []).append(position)
    return [
        Line(
            position,
            event.entry.kind,
            event.entry.content(),
            event.by,
            instant(event.at),
            tuple(reversed_by.get(position, ())),
            chains.counts(position),
        )
        for position, event in sorted(events.items())
    ]


def _of_log(database: Database, kind: str | None, after: int, as_of: int) -> _Query:
    topics = [ENTRY_TOPICS[kind]] if kind else list(ENTRY_TOPICS.values())
    query = _Query(f"SELECT {database.position} FROM stored_events", [], [])
    query.add(f"{database.position} > ?", after)
    query.add(f"{database.position} <= ?", as_of)
    query.add(f"topic {database.one_of}", database.array(topics))
    return query
