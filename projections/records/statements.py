"""考核单: every statement version as it was issued, and the settlements that they belong to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import orjson

from domain.evaluation.ledger_inputs import SettledFigure
from domain.ledger.events import SettlementRecorded, StatementIssued
from projections.store.database import database_of
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection

_COLUMNS = (
    "manager, period, rulebook, number, position, branch, team, version, as_of, digest, "
    "steps, warnings, issued_by, issued_at"
)
_SETTLEMENT = (
    "position, branch, period, rulebook, version, rulebook_digest, as_of, digest, people, "
    "settled_by, settled_at"
)


_CREATE_STATEMENTS = """
CREATE TABLE IF NOT EXISTS statements (
    manager text NOT NULL, period text NOT NULL, rulebook text NOT NULL, number integer NOT NULL,
    position bigint NOT NULL, branch text NOT NULL, team text NOT NULL, version text NOT NULL,
    as_of bigint NOT NULL, digest text NOT NULL, steps text NOT NULL, warnings text NOT NULL,
    issued_by text NOT NULL, issued_at text NOT NULL,
    PRIMARY KEY (manager, period, rulebook, number)
)"""
_CREATE_SETTLEMENTS = """
CREATE TABLE IF NOT EXISTS settlements (
    position bigint NOT NULL PRIMARY KEY, branch text NOT NULL, period text NOT NULL,
    rulebook text NOT NULL,
    version text NOT NULL, rulebook_digest text NOT NULL, as_of bigint NOT NULL,
    digest text NOT NULL,
    people integer NOT NULL, settled_by text NOT NULL, settled_at text NOT NULL
)"""
_INDEX = "CREATE INDEX IF NOT EXISTS statements_of_branch ON statements (period, rulebook, branch)"


class Issued(NamedTuple):
    """A statement version as it was issued; `number` is its version, `version` that of the
    rulebook.
    """

    manager: str
    period: str
    rulebook: str
    number: int
    position: int
    branch: str
    team: str
    version: str
    as_of: int  # the last ledger position taken in
    digest: str
    steps: dict[str, str]
    warnings: list[dict[str, Any]]
    by: str
    at: str


class Settlement(NamedTuple):
    """A settlement of a branch, period and rulebook; its id is its ledger position."""

    position: int
    branch: str
    period: str
    rulebook: str
    version: str
    rulebook_digest: str
    as_of: int
    digest: str
    people: int
    by: str
    at: str


class Stood(NamedTuple):
    """A figure that stands from a ledger position on, or none, where the statement is withdrawn."""

    since: int
    figure: SettledFigure | None


class StatementRows(Projection):
    """The rows of issued statements and recorded settlements."""

    name = "statements"
    topics = (SettlementRecorded.TOPIC, StatementIssued.TOPIC)
    tables: ClassVar[tuple[str, ...]] = ("statements", "settlements")
    schema = (_CREATE_STATEMENTS, _CREATE_SETTLEMENTS, _INDEX)
    canonical = (
        "SELECT position, manager, period, rulebook, number, digest, steps, warnings FROM "
        "statements UNION ALL "
        "SELECT position, branch, period, rulebook, people, digest, version, settled_by FROM "
        "settlements ORDER BY 1"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the rows of these events."""
        statements, settlements = [], []
        for event in events:
            s = event.json()
            if event.topic == StatementIssued.TOPIC:
                written = orjson.dumps(s["steps"]).decode(), orjson.dumps(s["warnings"]).decode()
                of, where = (
                    (s["manager"], s["period"], s["rulebook"], event.version),
                    (s["branch"], s["team"]),
                )
                row = (
                    *of,
                    event.position,
                    *where,
                    s["version"],
                    s["position"],
                    s["digest"],
                    *written,
                    s["by"],
                    s["at"],
                )
                statements.append(row)
            else:
                rules = s["rulebook"], s["version"], s["rulebook_digest"]
                result = s["position"], s["digest"], s["statements"], s["by"], s["at"]
                settlements.append((event.position, s["branch"], s["period"], *rules, *result))
        connection.executemany(f"INSERT INTO statements VALUES ({', '.join('?' * 14)})", statements)
        connection.executemany(
            f"INSERT INTO settlements VALUES ({', '.join('?' * 11)})", settlements
        )


class Statements:
    """Reads issued statements; never behind the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, StatementRows(), database_of(ledger)

    def of_manager(self, manager: str, period: str, rulebook: str | None = None) -> list[Issued]:
        """All versions for a person and period (under `ID`, `ID@VERSION`, or any), in the order of
        issue.
        """
        name, _, version = (rulebook or "").partition("@")
        chosen = ("AND rulebook = ? " if name else "") + ("AND version = ? " if version else "")
        params = (manager, period, *(word for word in (name, version) if word))
        return self._issued(f"WHERE manager = ? AND period = ? {chosen}ORDER BY position", params)

    def latest(self, period: str, rulebook: str, branch: str) -> dict[str, Issued]:
        """Everyone's statement of the branch's last settlement: who has left the branch since is
        not among them.
        """
        of = period, rulebook, branch
        # The statements of a settlement stand right behind it.
        last = (
            "SELECT max(position) FROM settlements WHERE period = ? AND rulebook = ? AND branch = ?"
        )
        found = self._issued(
            f"WHERE period = ? AND rulebook = ? AND branch = ? AND position > ({last}) ORDER BY "
            "position",
            (*of, *of),
        )
        return {row.manager: row for row in found}

    def latest_of(
        self, period: str, rulebook: str, branches: Collection[str], as_of: int
    ) -> dict[str, dict[str, Issued]]:
        """The statements of the last settlement by a position of each of these branches, by branch
        and manager.
        """
        last = self.last_of(period, rulebook, as_of)
        found: dict[str, dict[str, Issued]] = {branch: {} for branch in branches}
        wanted = sorted({*branches} & {*last})
        if not wanted:
            return found
        # What was issued before the first of the last settlements, or later than as of then, is of
        # none of them.
        where = f"branch {self.database.one_of} AND position >= ? AND position <= ?"
        rows = self._issued(
            f"WHERE period = ? AND rulebook = ? AND {where} ORDER BY position",
            (
                period,
                rulebook,
                self.database.array(wanted),
                min(last[branch].start for branch in wanted),
                as_of,
            ),
        )
        for row in rows:
            if row.position in last[row.branch]:
                found[row.branch][row.manager] = row
        return found

    def last_of(self, period: str, rulebook: str, as_of: int) -> dict[str, range]:
        """Branch → the positions of its last settlement's statements: the last to be recorded whole
        by a position.
        """
        self.rows.catch_up(self.ledger)
        sql = (
            "SELECT branch, position, people FROM settlements WHERE period = ? AND rulebook = ? "
            "AND position + people <= ? ORDER BY position"
        )
        with self.database.reading() as connection:
            found = connection.fetch(sql, (period, rulebook, as_of))
        return {
            branch: range(position + 1, position + 1 + people) for branch, position, people in found
        }

    def settled_branches(self, period: str, as_of: int) -> set[str]:
        """The branches of which a settlement of a period, under any rulebook, was recorded by a
        position.
        """
        self.rows.catch_up(self.ledger)
        sql = "SELECT DISTINCT branch FROM settlements WHERE period = ? AND position + people <= ?"
        with self.database.reading() as connection:
            return {branch for (branch,) in connection.fetch(sql, (period, as_of))}

    def numbered(
        self, period: str, rulebook: str, branch: str, numbers: Mapping[str, int | None]
    ) -> dict[str, Issued]:
        """The statements of these people of a branch, each of the number given."""
        found = self._issued(
            "WHERE period = ? AND rulebook = ? AND branch = ? ORDER BY position",
            (period, rulebook, branch),
        )
        return {row.manager: row for row in found if numbers.get(row.manager) == row.number}

    def of_settlement(self, settlement: Settlement) -> list[Issued]:
        """The statements that a settlement issued, by manager: they stand right behind it."""
        where = "WHERE position > ? AND position <= ? ORDER BY position"
        return self._issued(where, (settlement.position, settlement.position + settlement.people))

    def latest_steps(
        self, period: str, rulebook: str, step: str, as_of: int
    ) -> dict[str, SettledFigure]:
        """A step of everyone's statement of a period that stands as of a position, whichever branch
        settled it.
        """
        found = self._issued(
            "WHERE period = ? AND rulebook = ? AND position <= ? ORDER BY position",
            (period, rulebook, as_of),
        )
        last = self.last_of(period, rulebook, as_of)
        return {
            row.manager: SettledFigure(row.steps[step], row.position)
            for row in found
            if step in row.steps and row.position in last.get(row.branch, ())
        }

    def standing(
        self, period: str, managers: Collection[str], as_of: int | None = None
    ) -> dict[str, list[Issued]]:
        """The statements of these people that stand as of a position or now, in the order of issue:
        the last settlement of their branch, period and rulebook contains them.
        """
        known = self.ledger.position() if as_of is None else as_of
        found = self._issued(
            f"WHERE period = ? AND manager {self.database.one_of} AND position <= ? "
            "ORDER BY position",
            (period, self.database.array([*managers]), known),
        )
        last = {name: self.last_of(period, name, known) for name in {row.rulebook for row in found}}
        standing: dict[str, list[Issued]] = {}
        for row in found:
            if row.position in last[row.rulebook].get(row.branch, ()):
                standing.setdefault(row.manager, []).append(row)
        return standing

    def is_withdrawn(self, issued: Issued, as_of: int | None = None) -> bool:
        """Whether the person has no statement of this period, rulebook and branch any more: the
        last settlement does not contain them.
        """
        standing = self.standing(issued.period, [issued.manager], as_of).get(issued.manager, ())
        of = issued.rulebook, issued.branch
        return all((row.rulebook, row.branch) != of for row in standing)

    def withdrawals(self, issued: Sequence[Issued]) -> list[tuple[Settlement, Issued]]:
        """Which settlements withdrew these statements of one person and period: they no longer
        contain the person, whom the one before did.
        """
        found: list[tuple[Settlement, Issued]] = []
        own = {row.position: row for row in issued}
        for period, branch in dict.fromkeys((row.period, row.branch) for row in issued):
            standing: dict[str, Issued] = {}  # by rulebook
            for settlement in self.settlements(period, branch):
                after = range(settlement.position + 1, settlement.position + 1 + settlement.people)
                now = next((own[at] for at in after if at in own), None)
                before = standing.pop(settlement.rulebook, None)
                if now is not None:
                    standing[settlement.rulebook] = now
                elif before is not None:
                    found.append((settlement, before))
        return found

    def standing_steps(self, period: str, rulebook: str, step: str) -> dict[str, list[Stood]]:
        """A step of everyone's statement of a period, as it stood from each settlement on, in
        order.
        """
        self.rows.catch_up(self.ledger)
        where = "WHERE period = ? AND rulebook = ? ORDER BY position"
        rows = self._issued(where, (period, rulebook))
        with self.database.reading() as connection:
            sql = f"SELECT {_SETTLEMENT} FROM settlements {where}"
            settlements = [Settlement(*row) for row in connection.fetch(sql, (period, rulebook))]
        at = [row.position for row in rows]
        stood: dict[str, list[Stood]] = {}
        by_branch: dict[str, dict[str, SettledFigure]] = {}
        for settlement in settlements:
            whole = settlement.position + settlement.people
            first, after = bisect_right(at, settlement.position), bisect_right(at, whole)
            own = {
                row.manager: SettledFigure(row.steps[step], row.position)
                for row in rows[first:after]
                if step in row.steps
            }
            gone = by_branch.get(settlement.branch, {}).keys() - own.keys()
            by_branch[settlement.branch] = own
            for manager in (*own, *gone):
                elsewhere = [of[manager] for of in by_branch.values() if manager in of]
                figure = max(elsewhere, key=attrgetter("position"), default=None)
                stood.setdefault(manager, []).append(Stood(whole, figure))
        return stood

    def at(self, positions: Collection[int]) -> dict[int, Issued]:
        """The statements that were issued at these ledger positions."""
        if not positions:
            return {}
        marks = ", ".join("?" * len(positions))
        found = self._issued(f"WHERE position IN ({marks}) ORDER BY position", tuple(positions))
        return {row.position: row for row in found}

    def settlement(self, position: int) -> Settlement | None:
        """A settlement by its id."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            found = connection.fetch(
                f"SELECT {_SETTLEMENT} FROM settlements WHERE position = ?", (position,)
            )
        return Settlement(*found[0]) if found else None

    def settlements_page(
        self, *, period: str | None, branch: str | None, after: int, limit: int
    ) -> tuple[list[Settlement], int | None]:
        """A page of settlements in ledger order, of a period or of all, of a branch or of all; and
        the position after which the next one begins.
        """
        self.rows.catch_up(self.ledger)
        where, values = "position > ?", list[object]([after])
        for column, wanted in (("period", period), ("branch", branch)):
            if wanted is not None:
                where += f" AND {column} = ?"
                values.append(wanted)
        sql = f"SELECT {_SETTLEMENT} FROM settlements WHERE {where} ORDER BY position LIMIT ?"
        with self.database.reading() as connection:
            found = [Settlement(*row) for row in connection.fetch(sql, (*values, limit + 1))]
        page = found[:limit]
        return page, page[-1].position if len(page) < len(found) else None

    def last_settled(self, rulebook: str) -> dict[str, str]:
        """Branch → the latest period that is settled under a rulebook."""
        self.rows.catch_up(self.ledger)
        sql = "SELECT branch, max(period) FROM settlements WHERE rulebook = ? GROUP BY branch"
        with self.database.reading() as connection:
            return dict(sorted(connection.fetch(sql, (rulebook,))))

    def settlements(self, period: str, branch: str) -> list[Settlement]:
        """The settlements of a branch's period, in order."""
        self.rows.catch_up(self.ledger)
        sql = f"SELECT {_SETTLEMENT} FROM settlements WHERE period = ? AND branch = ? "
        sql += "ORDER BY position"
        with self.database.reading() as connection:
            return [Settlement(*row) for row in connection.fetch(sql, (period, branch))]

    def _issued(self, where: str, params: tuple[Any, ...]) -> list[Issued]:
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            rows = connection.fetch(f"SELECT {_COLUMNS} FROM statements {where}", params)
        return [
            Issued._make((*of, orjson.loads(steps), orjson.loads(warnings), by, at))
            for *of, steps, warnings, by, at in rows
        ]
