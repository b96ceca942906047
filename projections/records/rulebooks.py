"""规则库: published rulebooks, and which of them a branch pays by."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

import orjson

from domain.errors import NotFound, Overtaken, Text, VersionClash
from domain.evaluation.programs import program_of, shipped_texts
from domain.identifiers import Month, stream_id
from domain.ledger.events import BranchRulebooksSet, RulebookPublished
from domain.ledger.store_protocol import AsRead
from domain.processes.pay_rulebooks import (
    DEFAULT_RULEBOOKS,
    Choice,
    check_choice,
    check_publication,
)
from domain.processes.rulebook_history import Published, in_force, publish
from projections.records.rulebook_items import RulebookItems
from projections.store.database import database_of
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from domain.rulebook.checks import Program
    from projections.store.connection import Connection

HOUSE = "merit"  # who published what the service ships


class NoSuchRulebook(NotFound):
    """An id under which nothing is published, or was as of a position."""

    def __init__(self, rulebook: str, published: Sequence[str], as_of: int | None) -> None:
        listed = ", ".join(published) or "—"
        then = Text("", "")
        if as_of is not None:
            then = Text(f"按账本位置 {as_of}，", f"as of position {as_of}: ")
        super().__init__(
            Text(
                f"{then.zh}没有规则 {rulebook}，已发布的有：{listed}",
                f"{then.en}no rulebook {rulebook}; published are: {listed}",
            )
        )
        self.rulebook, self.as_of = rulebook, as_of


class NoSuchVersion(NotFound):
    """A version that was never published, or a month in which none is in force."""

    def __init__(self, rulebook: str, wanted: str, published: Sequence[Published]) -> None:
        listed = ", ".join(f"{row.version} ({row.effective_from})" for row in published)
        super().__init__(
            Text(
                f"{rulebook} 没有 {wanted} 的版本，已发布：{listed}",
                f"no version of {rulebook} for {wanted}; published: {listed}",
            )
        )
        self.rulebook, self.wanted = rulebook, wanted


_CREATE_RULEBOOKS = """
CREATE TABLE IF NOT EXISTS rulebooks (
    rulebook text NOT NULL, version text NOT NULL, effective_from integer NOT NULL,
    position bigint NOT NULL, digest text NOT NULL, body text NOT NULL,
    published_by text NOT NULL, published_at text NOT NULL,
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
            fields = event.json()
            month, by = Month.parse(fields["effective_from"]).index, (fields["by"], fields["at"])
            if event.topic == RulebookPublished.TOPIC:
                name = fields["rulebook"], fields["version"]
                row = (*name, month, event.position, fields["digest"], fields["text"], *by)
                connection.execute("INSERT INTO rulebooks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            else:
                rulebooks = orjson.dumps(fields["rulebooks"]).decode()
                choice = (fields["branch"], month, event.position, rulebooks, *by)
                connection.execute("INSERT INTO branch_rulebooks VALUES (?, ?, ?, ?, ?, ?)", choice)


class Rulebooks:
    """Published rulebooks, and what branches pay by."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, RulebookRows(), database_of(ledger)
        self.items = RulebookItems(ledger)
        self._read: tuple[int, list[Published]] = (-1, [])  # as of which position

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
        if self._read[0] != position:
            sql = (
                "SELECT rulebook, version, effective_from, position, digest, body, published_by, "
                "published_at FROM rulebooks ORDER BY position"
            )
            with self.database.reading() as connection:
                rows = connection.fetch(sql)
            published = [
                Published(rulebook, version, Month.of_index(month), *rest)
                for rulebook, version, month, *rest in rows
            ]
            self._read = position, published
        return [row for row in self._read[1] if as_of is None or row.position <= as_of]

    def versions(self, rulebook: str, as_of: int | None = None) -> list[Published]:
        """The versions of one rulebook, of those published by a position. Raises NotFound where
        there are none.
        """
        published = self.all(as_of)
        versions = [row for row in published if row.rulebook == rulebook]
        if not versions:
            ids = list(dict.fromkeys(row.rulebook for row in published))
            raise NoSuchRulebook(rulebook, ids, as_of)
        return versions

    def version(
        self,
        rulebook: str,
        version: str | None = None,
        month: Month | None = None,
        as_of: int | None = None,
    ) -> Published:
        """A version by its number, or the one in force in a month, or the last published. Raises
        NotFound.

        As of a position only what was published by then can be in force; by its number any version
        can be named.
        """
        versions = self.versions(rulebook, None if version else as_of)
        chosen: Published | None = versions[-1]
        if version is not None:
            chosen = next((row for row in versions if row.version == version), None)
        elif month is not None:
            chosen = in_force(versions, month)
        if chosen is None:
            raise NoSuchVersion(rulebook, version or str(month), versions)
        return chosen

    def find(
        self,
        rulebook: str,
        version: str | None = None,
        month: Month | None = None,
        as_of: int | None = None,
    ) -> Program:
        """The program of a version: see `version`. Raises NotFound."""
        published = self.version(rulebook, version, month, as_of)
        return program_of(published.text, f"{rulebook}@{published.version}")

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
        impact: dict[str, object] | None,
    ) -> RulebookPublished | None:
        """The event that publishes a proven rulebook; None where its text is published already.

        Raises AlreadyPublished, SameRoleTwice.
        """
        rulebook = program.rulebook.id
        history = [row for row in self.all() if row.rulebook == rulebook]
        event = publish(history, program, effective_from=effective_from, by=by, impact=impact)
        if event is not None:
            self._check_publication(event)
        return event

    def _check_publication(self, event: RulebookPublished) -> None:
        """Raises SameRoleTwice where a branch that pays by this rulebook could not go on."""
        new = Published(
            event.rulebook,
            event.version,
            Month.parse(event.effective_from),
            self.ledger.position() + 1,  # later than all others
            event.digest,
            event.text,
            event.by,
            "",
        )
        histories = self._histories()
        histories[new.rulebook] = [*histories.get(new.rulebook, ()), new]
        with self.database.reading() as connection:
            sql = "SELECT DISTINCT branch FROM branch_rulebooks ORDER BY branch"
            branches = [branch for (branch,) in connection.fetch(sql)]
        check_publication(new, {branch: self.choices(branch) for branch in branches}, histories)

    def _histories(self) -> dict[str, list[Published]]:
        """Every rulebook's versions."""
        histories: dict[str, list[Published]] = {}
        for row in self.all():
            histories.setdefault(row.rulebook, []).append(row)
        return histories

    def record_publication(self, event: RulebookPublished) -> int:
        """Records a publication; the position reached. Raises what `publication` does.

        A branch could choose meanwhile, or another rulebook be published, so that one person is
        paid twice: then it is looked at again.
        """
        while True:
            as_read = AsRead(
                self.ledger.position(), (BranchRulebooksSet.TOPIC, RulebookPublished.TOPIC)
            )
            self._check_publication(event)
            with suppress(Overtaken):
                return self.ledger.record(event, as_read=as_read)

    def pays_by(self, branch: str, month: Month, as_of: int | None = None) -> tuple[str, ...]:
        """The rulebooks that a branch pays by in a month, as chosen by a position, or by now."""
        reached = self.rows.catch_up(self.ledger)
        sql = (
            "SELECT rulebooks FROM branch_rulebooks "
            "WHERE branch = ? AND effective_from <= ? AND position <= ? "
            "ORDER BY effective_from DESC, position DESC LIMIT 1"
        )
        with self.database.reading() as connection:
            chosen = connection.value(
                sql, (branch, month.index, reached if as_of is None else as_of)
            )
        return tuple(orjson.loads(chosen)) if chosen else DEFAULT_RULEBOOKS

    def programs_of(self, branch: str, period: Period, as_of: int | None = None) -> list[Program]:
        """What a branch goes by in a period: those of its rulebooks that are for this kind of
        period.
        """
        names = self.pays_by(branch, period.last, as_of)
        programs = [self.named(name, period.last, as_of) for name in names]
        return [program for program in programs if program.rulebook.period == period.kind]

    def paying(self, branch: str, month: Month) -> list[Program]:
        """The pay rulebooks by which a branch goes in a month, of any kind of period."""
        programs = [self.named(name, month) for name in self.pays_by(branch, month)]
        return [program for program in programs if program.rulebook.pays]

    def choices(self, branch: str, as_of: int | None = None) -> list[Choice]:
        """Every choice of what the branch pays by, made by a position, in the order in which they
        were made.
        """
        reached = self.rows.catch_up(self.ledger)
        sql = (
            "SELECT effective_from, rulebooks, position, set_by, set_at FROM branch_rulebooks "
            "WHERE branch = ? AND position <= ? ORDER BY position"
        )
        with self.database.reading() as connection:
            rows = connection.fetch(sql, (branch, reached if as_of is None else as_of))
        return [
            Choice(Month.of_index(month), tuple(orjson.loads(rulebooks)), *rest)
            for month, rulebooks, *rest in rows
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
        """From a month on the branch pays by these rulebooks. Raises NotFound, PaysNobody,
        SameRoleTwice.

        `after`: how many choices the caller knows of. Raises VersionClash where there are others.
        """
        stream = stream_id("branch-rulebooks", branch)
        event = BranchRulebooksSet(
            originator_id=stream,
            originator_version=self.ledger.next_version(stream) if after is None else after + 1,
            by=by,
            branch=branch,
            effective_from=str(month),
            rulebooks=tuple(rulebooks),
        )
        while True:
            as_read = AsRead(self.ledger.position(), (RulebookPublished.TOPIC,))
            for rulebook in rulebooks:
                self.version(rulebook, month=month)
            choices, histories = self.choices(branch), self._histories()
            chosen = Choice(month, tuple(rulebooks), as_read.position + 1, by, "")
            check_choice(branch, choices, chosen, {name: histories[name] for name in rulebooks})
            # A version could be published meanwhile that is for the same role as another.
            with suppress(Overtaken):
                return self.ledger.record(event, as_read=as_read)

    def knows_item(self, kind: str, item: str) -> bool:
        """Whether any published rulebook reads the item."""
        return self.items.knows(kind, item)
