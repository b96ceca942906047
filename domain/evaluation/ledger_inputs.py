"""Inputs from a ledger: a period's facts as columns, grouped once by kind, item and person."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from domain.evaluation import columns
from domain.evaluation.columns import MEAN_PLACES, AnyColumn, Column, Ints, Mask, TextColumn, fit
from domain.evaluation.people import Fault, People, Reading
from domain.numbers import PLACES, SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.evaluation.operators import Codes
    from domain.rulebook.model import Input

KIND_CODES = {"assignment": 0, "deduction": 1, "sale": 2, "rating": 3, "adjustment": 4, "measure": 5}
ABSENT = -(2**63)  # in `value` and `amount`: the entry has none
POSTINGS = ("back_pay", "clawback")  # 补发、扣回 settle another month: no rulebook reads them (section 0)
Rows = NDArray[Any]


@dataclass(frozen=True)
class Slice:
    """The entries of one kind and item: whose (row of the person), when, and how much; by person, then position."""

    person: Codes
    rows: Rows


@dataclass
class LedgerInputs:
    """Reads a rulebook's inputs from facts that count: nothing reversed, nobody outside the population.

    `rows` are fact rows of the period (position, month, kind, manager, item, value, amount, branch, team, detail,
    attributes; ids as numbers of `symbols`), in position order. `attributes` has, per person, the number of the
    symbol that holds the assignment's attributes as JSON; `symbols[0]` is "".
    """

    people: People
    rows: Rows
    symbols: Sequence[str]
    manager_symbols: Codes  # per person
    attributes: Codes  # per person
    last_month: int
    settled: dict[tuple[str, str], list[tuple[int, list[str | None]]]] = field(default_factory=dict)

    @cached_property
    def symbol_numbers(self) -> dict[str, int]:
        """Text → number."""
        return {text: number for number, text in enumerate(self.symbols)}

    @cached_property
    def persons(self) -> Codes:
        """Per fact row: the person's row, -1 for measures of a branch or team and for people outside."""
        lookup = np.full(len(self.symbols) + 1, -1, np.int64)
        lookup[self.manager_symbols] = np.arange(len(self.people))
        lookup[0] = -1
        return lookup[self.rows["manager"]]

    @cached_property
    def index(self) -> tuple[Codes, Codes, Codes]:
        """The rows in the order (kind, item, person, position), and the sorted (kind, item) keys to find them by."""
        keys = self.rows["kind"].astype(np.int64) * (len(self.symbols) + 1) + self.rows["item"]
        order = np.lexsort((self.rows["position"], self.persons, keys))
        return order, keys[order], self.persons[order]

    def slice(self, kind: str, item: str) -> Slice:
        """All entries of a kind and item."""
        number = self.symbol_numbers.get(item)
        order, keys, persons = self.index
        if number is None:
            return Slice(persons[:0], self.rows[:0])
        key = KIND_CODES[kind] * (len(self.symbols) + 1) + number
        low, high = np.searchsorted(keys, [key, key + 1])
        return Slice(persons[low:high], self.rows[order[low:high]])

    def read(self, name: str, given: Input, item: str | None) -> Reading:
        """The input (or one item of its group) for every person."""
        code = given.item_code(name, item)
        match given.read:
            case "attribute":
                return self.attribute(code, given)
            case "statement":
                return self.statement(given)
            case "measure":
                return self.measure(code, given)
            case _:
                return self.entries(self.chosen(code, given), given)

    # entries: sums, counts, means, the latest

    def chosen(self, code: str, given: Input) -> Slice:
        """The entries that an input reads."""
        if given.read == "adjustment" and given.item is None:
            found = self.all_adjustments(given)
        else:
            found = self.slice(given.read, code)
        keep = found.person >= 0
        if given.level is not None:
            keep &= found.rows["detail"] == self.symbol_numbers.get(given.level, -1)
        if given.unless is not None:
            keep &= ~self.marked(found.rows["attributes"], given.unless)
        return Slice(found.person[keep], found.rows[keep])

    def all_adjustments(self, given: Input) -> Slice:
        """Every adjustment but the postings of a resettlement and what another input reads."""
        aside = [self.symbol_numbers.get(item, -1) for item in (*POSTINGS, *given.but_not)]
        mine = np.flatnonzero((self.rows["kind"] == KIND_CODES["adjustment"]) & ~np.isin(self.rows["item"], aside))
        mine = mine[np.lexsort((self.rows["position"][mine], self.persons[mine]))]
        return Slice(self.persons[mine], self.rows[mine])

    def marked(self, numbers: Ints, attribute: str) -> Mask:
        """Which of these attribute sets have the attribute true."""
        unique, inverse = np.unique(numbers, return_inverse=True)
        return np.array([self.attributes_of(n).get(attribute) in {True, "true"} for n in unique.tolist()] or [False])[
            inverse
        ]

    def attributes_of(self, number: int) -> dict[str, Any]:
        """An attribute set by the number of its symbol."""
        return orjson.loads(self.symbols[number]) if number else {}

    def entries(self, found: Slice, given: Input) -> Reading:
        """Several entries of a person become one figure, as the input says."""
        field_name = "amount" if given.take in {"amount", "yuan"} else "value"
        values = found.rows[field_name]
        given_here = values != ABSENT
        faults = list(self.without_amount(found, given_here, given))
        person, values, rows = found.person[given_here], values[given_here], found.rows[given_here]
        faults += self.out_of_bounds(person, values, rows["position"], given)
        if given.take == "count":
            return Reading(self.per_person_count(person))
        if given.take == "latest":
            return self.latest(person, values, tuple(faults))
        sums = self.per_person_sum(person, values)
        if given.read != "rating" or given.take == "sum":
            absent = self.per_person_count(person).data == 0 if given.read == "rating" else None
            return Reading(sums, absent, tuple(faults))
        count = self.per_person_count(person)
        nobody = count.data == 0
        mean = columns.quotient(sums, Column(np.where(nobody, 1, count.data), 0, count.bound), MEAN_PLACES, 0)
        return Reading(mean, nobody, tuple(faults))

    def without_amount(self, found: Slice, given_here: Mask, given: Input) -> Sequence[Fault]:
        if given.take != "amount" or given_here.all():
            return ()
        return (Fault("missing_amount", found.person[~given_here], found.rows["position"][~given_here]),)

    def out_of_bounds(self, person: Codes, values: Ints, positions: Codes, given: Input) -> list[Fault]:
        """Bounds hold for each entry, not for the mean."""
        wrong = np.zeros(len(values), bool)
        if given.low is not None:
            wrong |= values < _scaled(given.low)
        if given.high is not None:
            wrong |= values > _scaled(given.high)
        faults = [Fault("out_of_bounds", person[wrong], positions[wrong])] if wrong.any() else []
        if given.above is not None and (low := values <= _scaled(given.above)).any():
            faults.append(Fault("not_positive", person[low], positions[low]))
        return faults

    def per_person_sum(self, person: Codes, values: Ints) -> Column:
        """Exact sums; `person` is sorted."""
        data: Ints = np.zeros(len(self.people), np.int64)
        if not len(person):
            return Column(data, PLACES, 0)
        starts = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]]))
        longest = int(np.diff(np.append(starts, len(person))).max())
        if columns.largest(values) * longest > columns.LIMIT:
            values, data = values.astype(object), data.astype(object)
        data[person[starts]] = np.add.reduceat(values, starts)
        return fit(data, PLACES)

    def per_person_count(self, person: Codes) -> Column:
        """How many entries each person has."""
        return Column(np.bincount(person, minlength=len(self.people)).astype(np.int64), 0, max(len(person), 1))

    def latest(self, person: Codes, values: Ints, faults: tuple[Fault, ...] = ()) -> Reading:
        """Each person's last value; rows are sorted by person, then by what came last."""
        data, absent = np.zeros(len(self.people), np.int64), np.ones(len(self.people), bool)
        if len(person):
            last = np.concatenate([person[1:] != person[:-1], [True]])
            data[person[last]] = values[last]
            absent[person[last]] = False
        return Reading(fit(data, PLACES), absent, faults)

    # measures

    def measure(self, code: str, given: Input) -> Reading:
        """The latest recorded of a month; the latest month of the period that has it, or the sum over its months."""
        if match := re.fullmatch(r"(.*)<(\w+)>(.*)", code):
            return self.measure_by_attribute(match, given)
        found = self.slice("measure", code)
        if given.of != "manager_or_branch":
            return self.measure_of(found, given.of, given)
        own, branch = self.measure_of(found, "manager", given), self.measure_of(found, "branch", given)
        assert own.absent is not None
        assert branch.absent is not None
        column = columns.choose(columns.flags(own.absent), branch.column, own.column)
        return Reading(column, own.absent & branch.absent, own.faults + branch.faults)

    def measure_of(self, found: Slice, scope: str, given: Input) -> Reading:
        people, rows = self.scoped(found, scope)
        order = np.lexsort((rows["position"], rows["month"], people))
        people, rows = people[order], rows[order]
        if len(people):
            superseded = np.concatenate(
                [(people[1:] == people[:-1]) & (rows["month"][1:] == rows["month"][:-1]), [False]]
            )
            people, rows = people[~superseded], rows[~superseded]
            if given.take != "sum":
                last = np.concatenate([people[1:] != people[:-1], [True]])
                people, rows = people[last], rows[last]
        person, values, positions = self.spread(people, rows, scope)
        faults = tuple(self.out_of_bounds(person, values, positions, given))
        if given.take == "sum":
            return Reading(self.per_person_sum(person, values), self.per_person_count(person).data == 0, faults)
        return self.latest(person, values, faults)

    def scoped(self, found: Slice, scope: str) -> tuple[Codes, Rows]:
        """The measures of a scope, with the person's row, or the code of the branch or team, that each is of."""
        rows = found.rows
        if scope == "manager":
            keep = found.person >= 0
            return found.person[keep], rows[keep]
        keep = (rows["manager"] == 0) & ((rows["team"] != 0) == (scope == "team"))
        rows = rows[keep]
        branch = self.coded(rows["branch"], self.people.branches)
        if scope == "branch":
            return branch[branch >= 0], rows[branch >= 0]
        team = self.coded(rows["team"], self.people.teams)
        known = (branch >= 0) & (team >= 0)
        return branch[known] * max(len(self.people.teams), 1) + team[known], rows[known]

    def coded(self, numbers: Ints, words: Sequence[str]) -> Codes:
        lookup = np.full(len(self.symbols) + 1, -1, np.int64)
        for code, word in enumerate(words):
            lookup[self.symbol_numbers.get(word, len(self.symbols))] = code
        lookup[len(self.symbols)] = -1
        return lookup[numbers]

    def spread(self, groups: Codes, rows: Rows, scope: str) -> tuple[Codes, Ints, Codes]:
        """A branch's or team's values for each of its people, by person."""
        if scope == "manager":
            return groups, rows["value"], rows["position"]
        teams = max(len(self.people.teams), 1)
        mine = self.people.branch if scope == "branch" else self.people.branch * teams + self.people.team
        low, high = np.searchsorted(groups, mine, "left"), np.searchsorted(groups, mine, "right")
        counts = high - low
        person = np.repeat(np.arange(len(mine)), counts)
        first = np.repeat(low - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) if len(mine) else low
        at = np.arange(len(person)) + first
        return person, rows["value"][at], rows["position"][at]

    def measure_by_attribute(self, match: re.Match[str], given: Input) -> Reading:
        """`gs_adjustment.<industry>`: the measure whose name ends in the person's own attribute."""
        words = self.attribute(match[2], given).column
        assert isinstance(words, TextColumn)
        result: AnyColumn = columns.Column(np.zeros(len(self.people), np.int64), 0, 0)
        absent, faults = np.ones(len(self.people), bool), list[Fault]()
        for code, word in enumerate(words.words):
            mine = words.codes == code
            reading = self.measure(f"{match[1]}{word}{match[3]}", given) if word else Reading(result, absent)
            assert reading.absent is not None
            result = columns.choose(columns.flags(mine), reading.column, result)
            absent = np.where(mine, reading.absent, absent)
            faults += [Fault(f.code, f.rows[mine[f.rows]], f.positions[mine[f.rows]]) for f in reading.faults]
        return Reading(result, absent, tuple(f for f in faults if len(f.rows)))

    # attributes, statements

    def attribute(self, name: str, given: Input) -> Reading:
        """A word of the person's latest assignment."""
        unique, inverse = np.unique(self.attributes, return_inverse=True)
        found = [_word(self.attributes_of(number).get(name)) for number in unique.tolist()]
        words = tuple(dict.fromkeys(word or "" for word in found)) or ("",)
        codes = np.array([words.index(word or "") for word in found] or [0], np.int64)[inverse]
        absent = np.array([word is None for word in found] or [True])[inverse]
        if given.take == "date":
            return self.dates(TextColumn(codes, words), absent)
        return Reading(TextColumn(codes, words), absent)

    def dates(self, column: TextColumn, absent: Mask) -> Reading:
        """Words that are dates; others are faults."""
        bad = np.array([not _is_date(word) for word in column.words])[column.codes] & ~absent
        words = tuple(word if _is_date(word) else "2000-01-01" for word in column.words)
        rows = np.flatnonzero(bad)
        faults = (Fault("out_of_bounds", rows, np.zeros(len(rows), np.int64)),) if len(rows) else ()
        return Reading(TextColumn(column.codes, words), absent, faults)

    def statement(self, given: Input) -> Reading:
        """A step of the person's settled statements of the period's months: their mean, or the latest month's."""
        assert given.rulebook is not None
        assert given.step is not None
        months = self.settled.get((given.rulebook, given.step), [])
        values: list[list[Decimal]] = [[] for _ in range(len(self.people))]
        for _, figures in sorted(months):
            for row, figure in enumerate(figures):
                if figure is not None:
                    values[row].append(Decimal(figure))
        absent = np.array([not v for v in values], bool)
        if given.take == "latest":
            return Reading(columns.of_decimals([v[-1] if v else Decimal(0) for v in values]), absent)
        sums = columns.of_decimals([sum(v, Decimal(0)) for v in values])
        counts = np.array([max(len(v), 1) for v in values], np.int64)
        return Reading(columns.quotient(sums, Column(counts, 0, 12), MEAN_PLACES, 0), absent)

    def unread_points(self) -> Mask:
        """Who has adjustments in points (postings aside)."""
        rows = self.rows[(self.rows["kind"] == KIND_CODES["adjustment"]) & (self.rows["value"] != ABSENT)]
        aside = [self.symbol_numbers.get(item, -1) for item in POSTINGS]
        managers = np.unique(rows["manager"][~np.isin(rows["item"], aside)])
        return np.isin(self.manager_symbols, managers)


def _scaled(figure: Decimal) -> int:
    return int(figure * SCALE)


def _word(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _is_date(word: str) -> bool:
    try:
        date.fromisoformat(word)
    except ValueError:
        return False
    return True
