"""Inputs from a ledger: a period's facts as columns, grouped once by kind and item."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from domain.evaluation import columns
from domain.evaluation.columns import MEAN_PLACES, AnyColumn, Column, Ints, Mask, fit
from domain.evaluation.operators import standing_of
from domain.evaluation.people import UNBOUND, Bounds, Fault, People, Reading, out_of_bounds, worded
from domain.fact_kinds import ABSENT, FACT_KINDS, KIND_CODES
from domain.numbers import PLACES
from domain.rulebook.digits import STATED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.evaluation.operators import Codes
    from domain.rulebook.model import Input

POSTINGS = (
    "back_pay",
    "clawback",
)  # 补发、扣回 settle another month: no rulebook reads them (section 0)
BY_ATTRIBUTE = re.compile(r"(.*)<(\w+)>(.*)")
NOTHING = columns.constant(Decimal(0))
AT_LEAST_ONE = columns.constant(Decimal(1))
Rows = NDArray[Any]


class Said(NamedTuple):
    """A figure of a statement, and the ledger position at which it was issued."""

    figure: str
    position: int


@dataclass(frozen=True)
class Slice:
    """Entries and whose they are (row of the person, -1 for nobody's), in position order."""

    person: Codes
    rows: Rows

    def where(self, keep: Mask) -> Slice:
        """Only these."""
        return self if keep.all() else Slice(self.person[keep], self.rows[keep])


@dataclass
class LedgerInputs:
    """Reads a rulebook's inputs from facts that count: nothing reversed, nobody outside the
    population.

    `rows` are fact rows of the period (position, month, kind, manager, item, value, amount, branch,
    team, detail, attributes; ids as numbers of `symbols`), in position order. `attributes` has, per
    person, the number of the symbol that holds the assignment's attributes as JSON; `symbols[0]` is
    "". `settled` has what earlier statements say: (rulebook, step) → month → manager → figure.
    """

    people: People
    rows: Rows
    symbols: Sequence[str]
    manager_symbols: Codes  # per person
    attributes: Codes  # per person
    last_month: int
    assigned: Codes  # per person: the ledger position of the assignment
    settled: dict[tuple[str, str], dict[int, dict[str, Said]]] = field(default_factory=dict)

    @cached_property
    def _slices(self) -> dict[tuple[int, str], Slice]:
        keys = self.rows["kind"].astype(np.int64) * len(self.symbols) + self.rows["item"]
        order = np.argsort(keys, kind="stable")
        rows, starts = self.rows[order], np.flatnonzero(np.diff(keys[order], prepend=-1))
        person = standing_of(rows["manager"], self.manager_symbols)
        return {
            (int(rows["kind"][low]), self.symbols[rows["item"][low]]): Slice(
                person[low:high], rows[low:high]
            )
            for low, high in pairwise([*starts.tolist(), len(rows)])
        }

    def slice(self, kind: str, item: str) -> Slice:
        """All entries of a kind and item."""
        return self._slices.get((KIND_CODES[kind], item)) or Slice(
            np.zeros(0, np.int64), self.rows[:0]
        )

    def read(self, name: str, given: Input, item: str | None, bounds: Bounds = UNBOUND) -> Reading:
        """The input (or one item of its group) for every person."""
        code = given.item_code(name, item)
        match given.read:
            case "attribute":
                return self._attribute(code, given)
            case "statement":
                return self._statement(given)
            case "measure":
                return self._measure(code, given, bounds)
            case _:
                return self._entries(code, given, item, bounds)

    # entries: sums, counts, means, the latest

    def _chosen(self, code: str, given: Input, item: str | None) -> Slice:
        """The people's entries that an input reads."""
        return self._of_level(self._found(code, given), given, item)

    def _found(self, code: str, given: Input) -> Slice:
        """The people's entries of a code, whoever rated."""
        if given.read == "adjustment" and given.item is None:
            found = self._all_adjustments(given.but_not)
        else:
            found = self.slice(given.read, code)
        found = found.where(found.person >= 0)
        if given.unless is not None:
            found = found.where(
                self._spelt(found.rows["attributes"], lambda text: not _is_true(text, given.unless))
            )
        return found

    def _odd_flags(self, found: Slice, given: Input) -> list[Fault]:
        """Entries whose attribute, which says whether they count, is neither true nor false."""
        if given.unless is None:
            return []
        name = given.unless
        odd = self._spelt(
            found.rows["attributes"],
            lambda text: (word_of(text, name) or "false").lower() not in {"true", "false"},
        )
        return (
            [Fault("bad_flag", found.person[odd], found.rows["position"][odd])] if odd.any() else []
        )

    def _of_level(self, found: Slice, given: Input, item: str | None) -> Slice:
        """Only what raters of the input's level, or of the item's, have said."""
        if given.level is None:
            return found
        wanted = given.level.replace("{item}", item or "")
        return found.where(self._spelt(found.rows["detail"], lambda word: word == wanted))

    def _of_no_level(self, found: Slice, given: Input) -> Mask | None:
        """Who has ratings of a level that is none of the group's."""
        if given.level != "{item}":
            return None
        levels = given.items or {}
        mask = np.zeros(len(self.people), bool)
        mask[
            found.where(self._spelt(found.rows["detail"], lambda word: word not in levels)).person
        ] = True
        return mask

    def _all_adjustments(self, but_not: Sequence[str] = ()) -> Slice:
        """Every adjustment but the postings of a resettlement and what another input reads."""
        aside = {*POSTINGS, *but_not}
        kind = KIND_CODES["adjustment"]
        found = [
            part for (k, item), part in self._slices.items() if k == kind and item not in aside
        ]
        if not found:
            return self.slice("adjustment", "")
        rows, person = (
            np.concatenate([part.rows for part in found]),
            np.concatenate([part.person for part in found]),
        )
        order = np.argsort(rows["position"])
        return Slice(person[order], rows[order])

    def _spelt(self, numbers: Ints, wanted: Callable[[str], bool]) -> Mask:
        """Which of these symbols are wanted ones."""
        unique, inverse = np.unique(numbers, return_inverse=True)
        found: Mask = np.array([wanted(self.symbols[number]) for number in unique.tolist()], bool)[
            inverse
        ]
        return found

    def _entries(self, code: str, given: Input, item: str | None, bounds: Bounds) -> Reading:
        """Several entries of a person become one figure, as the input says."""
        found = self._found(code, given)
        faults = self._odd_flags(found, given)
        if not len(found.rows):
            kind = FACT_KINDS[given.read]
            counts_zero = given.take != "latest" and (kind.is_summed or given.take == "count")
            return Reading(NOTHING, None if counts_zero else np.ones(1, bool))
        name = "amount" if given.take in {"amount", "yuan"} else "value"
        there = found.rows[name] != ABSENT
        if given.take == "amount" and not there.all():
            faults.append(
                Fault("missing_amount", found.person[~there], found.rows["position"][~there])
            )
        found = found.where(there)
        faults += out_of_bounds(found.person, found.rows[name], found.rows["position"], bounds)
        uncounted = self._of_no_level(found, given)
        found = self._of_level(found, given, item)
        reading = self._figure(found.person, found.rows[name], given)
        return Reading(reading.column, reading.absent, tuple(faults), uncounted)

    def _figure(self, person: Codes, values: Ints, given: Input) -> Reading:
        """Per person: the latest of these values, or what they come to."""
        if given.take == "latest":
            return self._latest(person, values)
        count = _count(person, len(self.people))
        figures = count if given.take == "count" else self._sum(person, values, count)
        kind = FACT_KINDS[given.read]
        if kind.is_summed or given.take == "count":
            return Reading(figures)
        if (given.take or kind.takes[0]) == "mean":
            figures = columns.quotient(
                figures, columns.greater(count, AT_LEAST_ONE), MEAN_PLACES, 0
            )
        return Reading(figures, count.data == 0)

    def _sum(self, person: Codes, values: Ints, count: Column) -> Column:
        """Per person: the exact sum of so many values."""
        data: Ints = np.zeros(len(self.people), np.int64)
        if columns.largest(values) * count.bound > columns.LIMIT:
            values, data = values.astype(object), data.astype(object)
        np.add.at(data, person, values)
        return fit(data, PLACES)

    def _latest(self, person: Codes, values: Ints, faults: Sequence[Fault] = ()) -> Reading:
        """Per person: the last value as they stand."""
        data, absent = np.zeros(len(self.people), np.int64), np.ones(len(self.people), bool)
        data[person] = values
        absent[person] = False
        return Reading(fit(data, PLACES), absent, tuple(faults))

    # measures

    def _measure(self, code: str, given: Input, bounds: Bounds) -> Reading:
        """The latest recorded of a month; the latest month of the period that has it, or the sum
        over its months.
        """
        if match := BY_ATTRIBUTE.fullmatch(code):
            return self._measure_by_attribute(match, given, bounds)
        return self._measure_named(code, given, bounds)

    def _measure_named(self, code: str, given: Input, bounds: Bounds) -> Reading:
        found = self.slice("measure", code)
        if given.of != "manager_or_branch":
            return self._measure_of(found, given.of, given, bounds)
        own, branch = (
            self._measure_of(found, scope, given, bounds) for scope in ("manager", "branch")
        )
        assert own.absent is not None
        assert branch.absent is not None
        column = columns.choose(columns.flags(own.absent), branch.column, own.column)
        faults = (*own.faults, *(fault.of(own.absent) for fault in branch.faults))
        return Reading(column, own.absent & branch.absent, faults)

    def _measure_of(self, found: Slice, scope: str, given: Input, bounds: Bounds) -> Reading:
        person, values, positions = self._standing(found, scope, given)
        faults = out_of_bounds(person, values, positions, bounds)
        if given.take != "sum":
            return self._latest(person, values, faults)
        count = _count(person, len(self.people))
        return Reading(self._sum(person, values, count), count.data == 0, tuple(faults))

    def _standing(self, found: Slice, scope: str, given: Input) -> tuple[Codes, Ints, Codes]:
        """The measures that hold for each person: row, value and position, superseded ones left
        out.
        """
        holder, rows = self._scoped(found, scope)
        order = np.lexsort((rows["position"], rows["month"], holder))
        holder, rows = holder[order], rows[order]
        superseded = holder[1:] == holder[:-1]
        if given.take == "sum":
            superseded &= rows["month"][1:] == rows["month"][:-1]
        holds = np.append(~superseded, True)[: len(rows)]
        return self._spread(holder[holds], rows[holds], scope)

    def _scoped(self, found: Slice, scope: str) -> tuple[Codes, Rows]:
        """The measures of a scope, with the person's row, or the code of the branch or team, that
        each is of.
        """
        rows, holder = found.rows, found.person
        if scope != "manager":
            rows = rows[(rows["manager"] == 0) & ((rows["team"] != 0) == (scope == "team"))]
            holder = self._coded(rows["branch"], self.people.branches)
        if scope == "team":
            team = self._coded(rows["team"], self.people.teams)
            holder = np.where(
                (holder >= 0) & (team >= 0), holder * len(self.people.teams) + team, -1
            )
        return holder[holder >= 0], rows[holder >= 0]

    def _coded(self, numbers: Ints, words: Sequence[str]) -> Codes:
        """Symbols as codes of these words; -1 for all others."""
        unique, inverse = np.unique(numbers, return_inverse=True)
        code = dict(zip(words, range(len(words)), strict=True))
        found: Codes = np.array(
            [code.get(self.symbols[number], -1) for number in unique.tolist()], np.int64
        )[inverse]
        return found

    def _spread(self, holder: Codes, rows: Rows, scope: str) -> tuple[Codes, Ints, Codes]:
        """A branch's or team's values for each of its people, by person; `holder` is sorted."""
        if scope == "manager":
            return holder, rows["value"], rows["position"]
        mine = self.people.branch
        if scope == "team":
            mine = mine * len(self.people.teams) + self.people.team
        low, high = np.searchsorted(holder, mine, "left"), np.searchsorted(holder, mine, "right")
        counts = high - low
        person = np.repeat(np.arange(len(mine)), counts)
        at = np.arange(len(person)) + np.repeat(low - (np.cumsum(counts) - counts), counts)
        return person, rows["value"][at], rows["position"][at]

    def _measure_by_attribute(self, match: re.Match[str], given: Input, bounds: Bounds) -> Reading:
        """`gs_adjustment.<industry>`: the measure whose name ends in the person's own attribute."""
        words, codes = self._words(match[2])
        column: AnyColumn = columns.constant(Decimal(0)).over(len(self.people))
        absent, faults = np.ones(len(self.people), bool), list[Fault]()
        for code, word in enumerate(words):
            name = f"{match[1]}{word}{match[3]}"
            if word is not None and (KIND_CODES["measure"], name) in self._slices:
                mine, reading = codes == code, self._measure_named(name, given, bounds)
                assert reading.absent is not None
                column = columns.choose(columns.flags(mine), reading.column, column)
                absent = np.where(mine, reading.absent, absent)
                faults += [fault.of(mine) for fault in reading.faults]
        return Reading(column, absent, tuple(faults))

    # attributes, statements

    def _words(self, attribute: str) -> tuple[list[str | None], Codes]:
        """What the people's assignments say of an attribute (None: nothing), and which of it each
        person has.
        """
        unique, inverse = np.unique(self.attributes, return_inverse=True)
        return [word_of(self.symbols[number], attribute) for number in unique.tolist()], inverse

    def _attribute(self, name: str, given: Input) -> Reading:
        """A word of the person's latest assignment."""
        words, codes = self._words(name)
        return worded(words, codes, given, self.assigned)

    def _statement(self, given: Input) -> Reading:
        """A step of the person's settled statements of the period's months: their mean, or the
        latest month's.
        """
        assert given.rulebook is not None
        assert given.step is not None
        figures = count = columns.constant(Decimal(0)).over(len(self.people))
        nothing, faults = Said("0", 0), list[Fault]()
        for _, said in sorted(self.settled.get((given.rulebook, given.step), {}).items()):
            there = columns.flags(
                np.array([manager in said for manager in self.people.managers], bool)
            )
            told = [said.get(manager, nothing).figure for manager in self.people.managers]
            long = np.flatnonzero([len(figure) > STATED for figure in told])
            faults += [Fault("too_many_digits", long, np.zeros_like(long))] if len(long) else []
            month = columns.of_decimals(
                [Decimal(figure if len(figure) <= STATED else 0) for figure in told]
            )
            figures = (
                _later(there, month, figures)
                if given.take == "latest"
                else columns.add(figures, month)
            )
            count = columns.add(count, there)
        if given.take != "latest":
            figures = columns.quotient(
                figures, columns.greater(count, AT_LEAST_ONE), MEAN_PLACES, 0
            )
        return Reading(figures, count.data == 0, tuple(faults))

    def unread_points(self) -> Mask:
        """Who has adjustments in points (postings aside)."""
        found = self._all_adjustments()
        mask = np.zeros(len(self.people), bool)
        mask[found.person[(found.person >= 0) & (found.rows["value"] != ABSENT)]] = True
        return mask

    # where figures come from

    def positions(self, name: str, given: Input, item: str | None, row: int) -> set[int]:
        """Ledger positions of the entries behind a person's figure of this input."""
        code = given.item_code(name, item)
        match given.read:
            case "attribute":
                return self.positions_of_person(row)
            case "statement":
                return self._positions_of_statements(given, row)
            case "measure":
                return self._positions_of_measure(code, given, row)
            case _:
                found = self._chosen(code, given, item)
                return set(found.rows["position"][found.person == row].tolist())

    def _positions_of_statements(self, given: Input, row: int) -> set[int]:
        """The statements that the figure is of: all of them, or the latest month's."""
        months = self.settled.get((given.rulebook or "", given.step or ""), {})
        manager = self.people.managers[row]
        found = [said[manager].position for _, said in sorted(months.items()) if manager in said]
        return set(found[-1:] if given.take == "latest" else found)

    def _positions_of_measure(self, code: str, given: Input, row: int) -> set[int]:
        """The manager's own measure, else that of the team or branch, as the input says."""
        if match := BY_ATTRIBUTE.fullmatch(code):
            words, codes = self._words(match[2])
            code = f"{match[1]}{words[codes[row]]}{match[3]}"
        for scope in ("manager", "branch") if given.of == "manager_or_branch" else (given.of,):
            person, _, positions = self._standing(self.slice("measure", code), scope, given)
            if mine := set(positions[person == row].tolist()):
                return mine
        return set()

    def positions_of_person(self, row: int) -> set[int]:
        """The assignment that says what the person's grade, role and team are."""
        return {int(self.assigned[row])}


def _count(person: Codes, people: int) -> Column:
    return fit(np.bincount(person, minlength=people), 0)


def _later(there: Column, later: Column, earlier: Column) -> Column:
    chosen = columns.choose(there, later, earlier)
    assert isinstance(chosen, Column)
    return chosen


def _is_true(attributes: str, name: str | None) -> bool:
    return (word_of(attributes, name or "") or "").lower() == "true"


def word_of(attributes: str, name: str) -> str | None:
    """An attribute of a set as JSON ("" for none): words as they are, booleans as true and
    false.
    """
    value = orjson.loads(attributes).get(name) if attributes else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
