"""分公司的人和记录: the people of a branch in a period and the entries that are theirs, as columns,
and the rulebooks that read them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.entries.entry import BACK_PAY, CLAWBACK
from domain.errors import NotFound
from domain.fact_kinds import KIND_CODES
from domain.identifiers import Month, Period
from domain.ledger.events import EntryRecorded
from domain.processes.month_check import Named
from domain.rights import Place
from projections.facts.counting import counting, inputs_of, latest_assignments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.evaluation.columns import Mask
    from domain.evaluation.ledger_inputs import LedgerInputs
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Rulebook
    from projections.evaluation.branches import Loaded
    from projections.facts.counting import Rows
    from projections.models import ReadModels

LENGTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}  # of a period, in months


class Reader(NamedTuple):
    """A rulebook that the branch goes by, and its population in the branch."""

    rulebook: Rulebook
    people: LedgerInputs


class BranchFacts:
    """A branch's period as it was known at a ledger position."""

    def __init__(self, models: ReadModels, period: Period, branch: str, as_of: int) -> None:
        self.models, self.period, self.branch, self.as_of = models, period, branch, as_of
        self.loaded: Loaded = models.evaluator.loaded(period, [branch], as_of)
        self.symbols: list[str] = self.loaded.symbols
        self.place = Place(branch)
        self.numbers = {text: number for number, text in enumerate(self.symbols)}
        self._assign()
        self._collect()

    def _assign(self) -> None:
        """Who works here at the end of the period, and whoever left from here."""
        number = self.numbers.get(self.branch, -1)
        assigned = counting(self.loaded.assignments)
        latest = latest_assignments(assigned)
        placed = latest_assignments(assigned[assigned["branch"] != 0])
        self.members: Rows = latest[latest["branch"] == number]
        gone = latest["manager"][latest["branch"] == 0]
        # Whoever left belongs to the branch where they worked last.
        was_here = placed["branch"] == number
        self.leavers: Rows = placed[was_here & np.isin(placed["manager"], gone)]
        self.places: dict[str, Place] = {
            self.symbols[manager]: Place(self.branch, self.symbols[team], self.symbols[manager])
            for rows in (self.members, self.leavers)
            for manager, team in rows[["manager", "team"]].tolist()
        }

    def _collect(self) -> None:
        """The entries that count, of these people and of the branch itself; postings apart."""
        rows = counting(self.loaded.facts)
        people = np.concatenate([self.members["manager"], self.leavers["manager"]])
        is_own = np.isin(rows["manager"], people) | (rows["manager"] == 0)
        items = [self.numbers.get(item, -1) for item in (BACK_PAY, CLAWBACK)]
        is_posting = (rows["kind"] == KIND_CODES["adjustment"]) & np.isin(rows["item"], items)
        self.rows: Rows = rows[is_own & ~is_posting]
        self.postings: Rows = rows[is_own & is_posting]

    # names

    def named_people(self, managers: Iterable[str]) -> tuple[Named, ...]:
        """These people with the place of each, in order."""
        nowhere = Place(None, None, None)
        return tuple(
            Named(manager, self.places.get(manager, nowhere._replace(manager=manager)))
            for manager in sorted(set(managers))
        )

    def named_rows(self, rows: Rows) -> tuple[Named, ...]:
        """The entries of these fact rows by key, each with its place, in ledger order."""
        places = {
            position: self._place_of(manager, team)
            for position, manager, team in rows[["position", "manager", "team"]].tolist()
        }
        events = self.models.ledger.events_at(sorted(places))
        return tuple(
            Named(":".join(event.entry.key), places[position])
            for position, event in sorted(events.items())
            if isinstance(event, EntryRecorded)
        )

    def _place_of(self, manager: int, team: int) -> Place:
        if manager == 0:
            return Place(self.branch, self.symbols[team] or None, None)
        name = self.symbols[manager]
        return self.places.get(name, Place(None, None, name))

    def managers_of(self, rows: Rows) -> set[str]:
        """Everyone whom these rows are about."""
        return {self.symbols[number] for number in np.unique(rows["manager"]).tolist() if number}

    def is_item(self, kind: str, item: str) -> Mask:
        """Which rows are of a kind and item."""
        number = self.numbers.get(item, -1)
        is_it: Mask = (self.rows["kind"] == KIND_CODES[kind]) & (self.rows["item"] == number)
        return is_it

    def items_of(self, kind: str) -> set[str]:
        """The items of a kind that the entries have."""
        rows = self.rows[self.rows["kind"] == KIND_CODES[kind]]
        return {self.symbols[number] for number in np.unique(rows["item"]).tolist()}

    # rulebooks

    @cached_property
    def paying(self) -> list[Reader]:
        """The rulebooks of any kind of period that the branch pays by."""
        readers = map(self._reader, self._pay_programs())
        return [reader for reader in readers if reader.rulebook.pays]

    @cached_property
    def readers(self) -> list[Reader]:
        """Every rulebook that may read entries of the period for the branch: those that it pays by,
        those under which it was settled, and those whose statements these read.
        """
        programs = {program.rulebook.id: program for program in self._pay_programs()}
        waiting = [*self._settled_under(), *programs]
        while waiting:
            name = waiting.pop()
            program = programs.get(name) or self._find(name)
            if program is not None:
                programs[name] = program
                read = {spec.rulebook for spec in program.rulebook.inputs.values()}
                waiting += [other for other in read if other and other not in programs]
        return [self._reader(program) for program in programs.values()]

    def _pay_programs(self) -> Iterator[Program]:
        names = self.models.rulebooks.pays_by(self.branch, self.period.last, self.as_of)
        return (program for name in names if (program := self._find(name)) is not None)

    def _find(self, name: str) -> Program | None:
        try:
            return self.models.rulebooks.named(name, self.period.last, self.as_of)
        except NotFound:
            return None

    def _reader(self, program: Program) -> Reader:
        facts, assignments, symbols = self.loaded
        people = inputs_of(
            assignments, facts[:0], symbols, self.period, program.rulebook, [self.branch]
        )
        return Reader(program.rulebook, people)

    def _settled_under(self) -> set[str]:
        """The rulebooks under which the branch was settled for a period that holds this one."""
        settled = self.models.statements.settlements
        return {
            settlement.rulebook
            for period in periods_around(self.period)
            for settlement in settled(str(period), self.branch)
            if settlement.position <= self.as_of
        }


def periods_around(period: Period) -> Sequence[Period]:
    """The period itself and every longer one that it is part of."""
    first, last = period.first.index, period.last.index
    around = []
    for length in LENGTHS.values():
        start = first - first % length
        if start + length > last:
            around.append(Period(Month.of_index(start), Month.of_index(start + length - 1)))
    return around


def period_before(period: Period) -> Period:
    """The period of the same kind just before."""
    length = LENGTHS[period.kind]
    first, last = period.first.index - length, period.last.index - length
    return Period(Month.of_index(first), Month.of_index(last))
