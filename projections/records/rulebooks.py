"""规则库: published rulebooks and which of them a branch pays by."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import orjson

from domain.errors import Declined, NotFound, Text, VersionClash
from domain.evaluation.programs import program_of, shipped_texts
from domain.identifiers import Month, stream_id
from domain.ledger.events import BranchRulebooksSet, RulebookPublished
from domain.processes.rulebook_history import Published, in_force, publish
from projections.records.rulebook_items import RulebookItems
from projections.store.database import database_of
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from domain.rulebook.checks import Program
    from projections.store.connection import Connection

DEFAULT_RULEBOOKS = ("elastic-pay",)
HOUSE = "merit"  # who published what the service ships


class Choice(NamedTuple):
    """What a branch was to pay by from a month on."""

    effective_from: Month
    rulebooks: tuple[str, ...]
    position: int
    by: str
    at: str


_CREATE_RULEBOOKS = """
CREATE TABLE IF NOT EXISTS rulebooks (
    rulebook text NOT NULL, version text NOT NULL, effective_from integer NOT NULL, position bigint NOT NULL,
    digest text NOT NULL, body text NOT NULL, published_by text NOT NULL, published_at text NOT NULL,
    PRIMARY KEY (rulebook, version)
)"""
_CREATE_BRANCH_RULEBOOKS = """
CREATE TABLE IF NOT EXISTS branch_rulebooks (
    branch text NOT NULL, effective_from integer NOT NULL, position bigint NOT NULL PRIMARY KEY,
    rulebooks text NOT NULL, set_by text NOT NULL, set_at text NOT NULL
)"""


class RulebookRows(Projection):
    """The rows: one a published version, one a change of what a branch pays by."""

    name = "shelf"
    topics = (RulebookPublished.TOPIC, BranchRulebooksSet.TOPIC)
    tables: ClassVar[tuple[str, ...]] = ("rulebooks", "branch_rulebooks")
    schema = (_CREATE_RULEBOOKS, _CREATE_BRANCH_RULEBOOKS)
    canonical = (
        "SELECT position, rulebook, version, effective_from, digest FROM rulebooks UNION ALL "
        "SELECT position, branch, rulebooks, effective_from, set_by FROM branch_rulebooks ORDER BY "
        "1"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the rows of these events."""
        for event in events:
            state = event.json()
            month, by = Month.parse(state["effective_from"]).index, (state["by"], state["at"])
            if event.topic == RulebookPublished.TOPIC:
                row = (
                    state["rulebook"],
                    state["version"],
                    month,
                    event.position,
                    state["digest"],
                    state["text"],
                    *by,
                )
                connection.execute("INSERT INTO rulebooks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            else:
                listed = orjson.dumps(state["rulebooks"]).decode()
                set_row = (state["branch"], month, event.position, listed, *by)
                connection.execute(
                    "INSERT INTO branch_rulebooks VALUES (?, ?, ?, ?, ?, ?)", set_row
                )


class Rulebooks:
    """Looks rulebooks up, publishes them, and knows what a branch pays by."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, RulebookRows(), database_of(ledger)
        self.items = RulebookItems(ledger)
        self._known: tuple[int, list[Published]] = (-1, [])

    def begin(self) -> None:
        """A new ledger begins with every shipped rulebook, all at once; of two processes one does
        it.
        """
        if self.all():
            return
        events = [
            publish((), program_of(text), effective_from=None, by=HOUSE) for text in shipped_texts()
        ]
        with suppress(VersionClash):
            self.ledger.record(*(event for event in events if event is not None))
        self.items.rows.catch_up(self.ledger)  # while the programs are at hand

    def all(self, as_of: int | None = None) -> list[Published]:
        """Every version published by a position, or by now, in the order of publication."""
        position = self.rows.catch_up(self.ledger)
        if self._known[0] != position:
            sql = "SELECT rulebook, version, effective_from, position, digest, body, published_by, published_at "
            with self.database.reading() as connection:
                found = connection.fetch(sql + "FROM rulebooks ORDER BY position")
            self._known = (
                position,
                [Published(r, v, Month.of_index(m), *rest) for r, v, m, *rest in found],
            )
        return [row for row in self._known[1] if as_of is None or row.position <= as_of]

    def versions(self, rulebook: str, as_of: int | None = None) -> list[Published]:
        """The versions of one rulebook, of those published by a position. Raises NotFound where
        there are none.
        """
        found = [row for row in self.all(as_of) if row.rulebook == rulebook]
        if not found:
            known = ", ".join(dict.fromkeys(row.rulebook for row in self.all(as_of))) or "—"
            then = (
                Text("", "")
                if as_of is None
                else Text(f"按账本位置 {as_of}，", f"as of position {as_of}: ")
            )
            raise NotFound(
                Text(
                    f"{then.zh}没有规则 {rulebook}，已发布的有：{known}",
                    f"{then.en}no rulebook {rulebook}; published are: {known}",
                )
            )
        return found

    def find(
        self,
        rulebook: str,
        version: str | None = None,
        month: Month | None = None,
        as_of: int | None = None,
    ) -> Program:
        """A version by its number, or the one in force in a month, or the last published. Raises
        NotFound.

        As of a position only what was published by then can be in force; by its number any version
        can be named.
        """
        history = self.versions(rulebook, None if version else as_of)
        if version is not None:
            chosen = next((row for row in history if row.version == version), None)
        else:
            chosen = in_force(history, month) if month else history[-1]
        if chosen is None:
            listed = ", ".join(f"{row.version} ({row.effective_from})" for row in history)
            wanted = version or str(month)
            raise NotFound(
                Text(
                    f"{rulebook} 没有 {wanted} 的版本，已发布：{listed}",
                    f"no version of {rulebook} for {wanted}; published: {listed}",
                )
            )
        return program_of(chosen.text, f"{rulebook}@{chosen.version}")

    def named(self, name: str, month: Month | None, as_of: int | None = None) -> Program:
        """`ID` (in force in the month, as known at a position or now) or `ID@VERSION`."""
        rulebook, _, version = name.partition("@")
        return self.find(rulebook, version or None, month, as_of)

    def publication(
        self,
        program: Program,
        *,
        by: str,
        effective_from: Month | None,
        impact: dict[str, Any] | None,
    ) -> RulebookPublished | None:
        """The event that publishes a proven rulebook; None where its text is published already.

        Raises AlreadyPublished.
        """
        history = [row for row in self.all() if row.rulebook == program.rulebook.id]
        return publish(history, program, effective_from=effective_from, by=by, impact=impact)

    def pays_by(self, branch: str, month: Month, as_of: int | None = None) -> tuple[str, ...]:
        """The rulebooks that a branch pays by in a month, as chosen by a position, or by now."""
        reached = self.rows.catch_up(self.ledger)
        known = reached if as_of is None else as_of
        sql = "SELECT rulebooks FROM branch_rulebooks WHERE branch = ? AND effective_from <= ? AND position <= ? "
        with self.database.reading() as connection:
            listed = connection.value(
                sql + "ORDER BY effective_from DESC, position DESC LIMIT 1",
                (branch, month.index, known),
            )
        return tuple(orjson.loads(listed)) if listed else DEFAULT_RULEBOOKS

    def programs_of(self, branch: str, period: Period, as_of: int | None = None) -> list[Program]:
        """What a branch goes by in a period: those of its rulebooks that are for this kind of
        period.
        """
        names = self.pays_by(branch, period.last, as_of)
        programs = [self.named(name, period.last, as_of) for name in names]
        return [program for program in programs if program.rulebook.period == period.kind]

    def choices(self, branch: str) -> list[Choice]:
        """Every choice of what the branch pays by, in the order in which they were made."""
        self.rows.catch_up(self.ledger)
        sql = "SELECT effective_from, rulebooks, position, set_by, set_at FROM branch_rulebooks WHERE branch = ? "
        with self.database.reading() as connection:
            found = connection.fetch(sql + "ORDER BY position", (branch,))
        return [
            Choice(Month.of_index(month), tuple(orjson.loads(listed)), *rest)
            for month, listed, *rest in found
        ]

    def pay_by(
        self,
        branch: str,
        rulebooks: Sequence[str],
        month: Month,
        *,
        by: str,
        after: int | None = None,
    ) -> int:
        """From a month on the branch pays by these rulebooks. Raises Declined where two are for the
        same role.

        `after`: how many choices the caller knows of. Raises VersionClash where there are others.
        """
        books = [self.find(rulebook, month=month).rulebook for rulebook in rulebooks]
        for i, one in enumerate(books):
            for other in books[i + 1 :]:
                share = (
                    one.is_for_everyone
                    or other.is_for_everyone
                    or set(one.roles) & set(other.roles)
                )
                if share and one.period == other.period:
                    raise Declined(
                        Text(
                            f"{one.id} 与 {other.id} 适用于同一岗位，一个分公司不能同时按两者计薪",
                            f"{one.id} and {other.id} are for the same role: a branch cannot pay "
                            "by both",
                        )
                    )
        stream = stream_id("branch-rulebooks", branch)
        return self.ledger.record(
            BranchRulebooksSet(
                originator_id=stream,
                originator_version=self.ledger.next_version(stream) if after is None else after + 1,
                by=by,
                branch=branch,
                effective_from=str(month),
                rulebooks=tuple(rulebooks),
            )
        )

    def knows_item(self, kind: str, item: str) -> bool:
        """Whether any published rulebook reads the item."""
        return self.items.knows(kind, item)
