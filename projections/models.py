"""The ledger with its read models: what the doors are given to work with."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import orjson

from domain.errors import Declined, Invalid, NotFound, Reason, Text
from domain.evaluation.programs import proven
from domain.evaluation.trace import derivation
from domain.fact_kinds import KIND_CODES
from domain.identifiers import LAST_YEAR, Month, Period
from domain.ledger.events import EntryRecorded
from domain.processes.branch_month import Closed
from domain.rights import Place
from projections.appeals.carry_out import resume
from projections.appeals.process import Appeals
from projections.evaluation.branches import Evaluator
from projections.facts.counting import branches_of, counting
from projections.month.cycle import Cycle
from projections.month.settle import Settled, settle
from projections.people import People
from projections.records.accounts import Accounts
from projections.records.grants import Grants
from projections.records.job_rows import JobRows
from projections.records.payments import Payments
from projections.records.rulebooks import Shelf
from projections.records.statement_reads import Readings
from projections.records.statements import Issued, Statements
from projections.replay.impact import impact_of
from projections.replay.replay import instant_of
from projections.store.database import database_of, open_ledger
from projections.store.read_model import rebuild

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from domain.ledger.ledger import Ledger
    from domain.rulebook.checks import Program

_LAST = Month(LAST_YEAR, 12).index


class NothingForPeriod(Declined):
    """A branch that goes by no rulebook of this kind of period."""

    code = "wrong_period"

    def __init__(self, branch: str, period: str, rulebooks: Sequence[str]) -> None:
        listed = ", ".join(rulebooks)
        super().__init__(
            Text(
                f"分公司 {branch} 所用的办法（{listed}）都不按 {period} 这样的周期考核；请用 "
                "--rulebook 指明",
                f"branch {branch} goes by {listed}, none of which is for a period like {period}: "
                "name a rulebook",
            )
        )


class Publication(NamedTuple):
    """What came of publishing: the program, the ledger position, and what it does to the months
    last settled.
    """

    program: Program
    position: int
    impact: dict[str, Any] | None
    new: bool  # not the same text again


class Book:
    """One ledger, its rulebooks, its statements."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.shelf = Shelf(ledger)
        self.statements = Statements(ledger)
        self.accounts = Accounts(ledger)
        self.grants = Grants(ledger, self.accounts)
        self.payments = Payments(ledger)
        self.readings = Readings(ledger)
        self.evaluator = Evaluator(ledger, self.statements)
        self.appeals = Appeals(self)
        self.people = People(self)

    @classmethod
    def open(cls, url: str) -> Book:
        """The ledger at a database address; a new one begins with the shipped rulebooks. Raises
        StoreError.
        """
        book = cls(open_ledger(url))
        book.shelf.begin()
        return book

    def close(self) -> None:
        """Lets go of the database."""
        self.ledger.close()

    def rebuild(self) -> dict[str, tuple[str, str]]:
        """Drops every read model and derives it again; each one's digest before and after."""
        models = (
            self.shelf,
            self.shelf.items,
            self.statements,
            self.accounts,
            self.payments,
            self.grants,
            self.readings,
            self.appeals,
        )
        return rebuild(self.ledger, [*(model.rows for model in models), JobRows()])

    def settle(
        self, period: Period, branch: str, rulebook: str | None, *, by: str
    ) -> list[Settled]:
        """Settles a branch's period under a rulebook (`ID` or `ID@VERSION`), or under all that it
        pays by.
        """
        if self.payments.closing(branch, str(period)) is not None:
            raise Closed(branch, str(period))
        programs = (
            [self.shelf.named(rulebook, period.last)]
            if rulebook
            else self.shelf.programs_of(branch, period)
        )
        if not programs:
            raise NothingForPeriod(branch, str(period), self.shelf.pays_by(branch, period.last))
        return settle(self.ledger, self.evaluator, programs, period, branch, by=by)

    def cycle(self, period: Period, branch: str, as_of: int | None = None) -> Cycle:
        """A branch's month as a process, as it is or was as of a position."""
        return Cycle(self, period, branch, as_of)

    def carry_out_postings(self) -> None:
        """Records the entries of postings that were decided; those that are there already stay as
        they are.
        """
        for posted in self.payments.not_carried_out():
            self.ledger.append([posted.entry()], by=posted.by)

    def resume(self) -> None:
        """Carries out what was decided when a crash came between: postings, and decisions on
        appeals.
        """
        self.carry_out_postings()
        resume(self)

    def room_above_floor(self, issued: Issued) -> Decimal | None:
        """What a statement's pay is above its minimum wage, compared as its scheme does; None where
        it has no floor.
        """
        program = self.shelf.find(issued.rulebook, issued.version)
        period = Period.parse(issued.period)
        evaluation = self.evaluator.columns(program, period, [issued.branch], issued.as_of)
        steps = derivation(evaluation, evaluation.people.managers.index(issued.manager))
        floors = [
            limit
            for step in steps
            if step.step == "pay"
            for limit in step.limits
            if limit.kind == "floor"
        ]
        return min(
            (Decimal(0 if limit.fired else limit.distance) for limit in floors), default=None
        )

    def publish(
        self,
        text: str,
        *,
        file: str,
        by: str,
        effective_from: Month | None = None,
        dry_run: bool = False,
    ) -> Publication:
        """Publishes a rulebook that passes the gate, with its impact; the same text again changes
        nothing.

        Raises BrokenRulebook, AlreadyPublished, VersionClash.
        """
        program = proven(text, file)
        impact = impact_of(self, program)
        event = self.shelf.publication(program, by=by, effective_from=effective_from, impact=impact)
        reached = self.ledger.position() if event is None or dry_run else self.ledger.record(event)
        self.shelf.items.rows.catch_up(self.ledger)
        return Publication(program, reached, impact, new=event is not None)

    def has_entries(self) -> bool:
        """Whether any entry was ever recorded."""
        with database_of(self.ledger).reading() as connection:
            return connection.value("SELECT 1 FROM keys LIMIT 1") is not None

    def branches(self, period: Period, as_of: int | None = None) -> list[str]:
        """The branches that have anyone in a period, as of a position or now, in order."""
        facts = self.evaluator.facts
        known = self.ledger.position() if as_of is None else as_of
        rows = facts.assignments(period.last.index, branches=None, as_of=known)
        return branches_of(rows, facts.symbols())

    def place_of(
        self, manager: str, period: Period | None = None, branch: str | None = None
    ) -> Place:
        """Where a person works at the end of a period, or now; who works nowhere is of the branch
        asked about.
        """
        last = period.last.index if period else _LAST
        held = [place for start, place in self.workplaces(manager) if start <= last]
        return held[-1] if held and held[-1].branch else Place(branch, None, manager)

    def workplaces(self, manager: str) -> list[tuple[int, Place]]:
        """Where a person's assignments that count put them (no branch: they left), in order, each
        with the index of the month from which on; the last that began by a month holds in it.
        """
        facts = self.evaluator.facts
        rows = facts.of_manager(manager, 0, _LAST, as_of=self.ledger.position())
        assigned = counting(rows[rows["kind"] == KIND_CODES["assignment"]])
        texts = facts.symbols()
        found = [
            (month, Place(texts[branch] or None, texts[team] or None, manager))
            for month, branch, team in assigned[["month", "branch", "team"]].tolist()
        ]
        return sorted(found, key=itemgetter(0))

    def entries_of(self, keys: Collection[tuple[str, str]]) -> list[EntryRecorded]:
        """The entries of these keys, as they were recorded; keys without one are left out."""
        with (database := database_of(self.ledger)).reading() as connection:
            found = database.keys(connection, list(keys)) if keys else {}
        return [
            cast("EntryRecorded", event)
            for event in self.ledger.events_at([p for p, _ in found.values()]).values()
        ]

    def statement(
        self, manager: str, period: Period, rulebook: str | None, number: int | None
    ) -> Issued:
        """A statement version (the latest where none is named). Raises NotFound.

        Under `ID`, `ID@VERSION`, or: the branch's pay rulebook that has the person, else the only
        one settled.
        """
        under = Text("", "")
        if rulebook:
            self.shelf.named(rulebook, None)  # there may be no such rulebook
            under = Text(f"按 {rulebook} 的", f" under {rulebook}")
        issued = self.statements.of_manager(manager, str(period), rulebook)
        if not issued:
            settle = f"merit settle {period} --branch"
            raise NotFound(
                Text(
                    f"{manager} 在 {period} 没有{under.zh}考核单；请先结算：{settle} 分公司，"
                    "或加 as_of（--as-of）查看按现有记录试算的结果",
                    f"{manager} has no statement for {period}{under.en}; settle it first: {settle} "
                    "BRANCH, "
                    "or give as_of (--as-of) for what it would say by now",
                )
            )
        chosen = issued[-1].rulebook if rulebook else self._rulebook_of(issued, period)
        versions = [row for row in issued if row.rulebook == chosen]
        found = (
            versions[-1]
            if number is None
            else next((row for row in versions if row.number == number), None)
        )
        if found is None:
            raise NotFound(
                Text(
                    f"没有第 {number} 版，最新为第 {versions[-1].number} 版",
                    f"no version {number}; the latest is {versions[-1].number}",
                )
            )
        return found

    def _rulebook_of(self, issued: list[Issued], period: Period) -> str:
        settled = list(dict.fromkeys(row.rulebook for row in issued))
        paying = self.shelf.pays_by(issued[-1].branch, period.last)
        chosen = [name for name in settled if name in paying] or settled
        if len(chosen) > 1:
            listed = ", ".join(chosen)
            raise Declined(
                Text(
                    f"有多个办法的考核单：{listed}；请用 --rulebook 指明",
                    f"statements under several rulebooks: {listed}; name one with --rulebook",
                )
            )
        return chosen[0]

    def position_of(self, as_of: str | None) -> int:
        """The ledger position that an `as of` means: the last one, a given one, or the last by an
        instant.

        Raises Invalid for a position that the ledger has not reached, Declined for what is neither.
        """
        last = self.ledger.position()
        if as_of is None:
            return last
        if as_of.isdecimal():
            if int(as_of) > last:
                raise Invalid([Reason("bad_value", "as_of", _beyond(as_of, last))])
            return int(as_of)
        return self._position_by(instant_of(as_of), last)

    def as_of(self, moment: str | None) -> int | None:
        """The ledger position that is meant; None for now. Raises what `position_of` does."""
        return None if moment is None else self.position_of(moment)

    def _position_by(self, at: datetime, last: int) -> int:
        """The last position recorded by an instant: the times of events never decrease."""
        if last and self._first_from(last)[1] <= at <= datetime.now(UTC):
            # Somebody may be writing what is dated already and cannot be seen yet; it will have
            # been there by then.
            with database_of(self.ledger).locking():
                last = self.ledger.position()
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            position, recorded = self._first_from(middle)
            if recorded <= at:
                low = max(position, middle)
            else:
                high = middle - 1
        return min(low, last)

    def _first_from(self, position: int) -> tuple[int, datetime]:
        database = database_of(self.ledger)
        column = database.position
        sql = f"SELECT {column}, state FROM stored_events WHERE {column} >= ? ORDER BY 1 LIMIT 1"
        with database.reading() as connection:
            found, state = connection.fetch(sql, (position,))[0]
        return found, datetime.fromisoformat(orjson.loads(bytes(state))["at"])


def _beyond(as_of: str, last: int) -> Text:
    return Text(
        f"账本没有位置 {as_of}，最后的位置是 {last}；省略 as_of 即为现在",
        f"the ledger has no position {as_of}, its last is {last}; leave as_of out for now",
    )
