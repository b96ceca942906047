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
from domain.evaluation.operators import match_keys
from domain.evaluation.people import (
    UNBOUNDED,
    Bounds,
    Fault,
    InputColumn,
    People,
    attribute_column,
    out_of_bounds,
)
from domain.fact_kinds import ABSENT, FACT_KINDS, KIND_CODES
from domain.numbers import PLACES
from domain.rulebook.figures.digits import STATEMENT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.evaluation.operators import Codes
    from domain.rulebook.model import Input

# 补发、扣回: postings settle another month, so no rulebook reads them.
POSTINGS = ("back_pay", "clawback")
ATTRIBUTE_IN_CODE = re.compile(r"(.*)<(\w+)>(.*)")
ZERO = columns.constant(Decimal(0))
ONE = columns.constant(Decimal(1))
Rows = NDArray[Any]


class SettledFigure(NamedTuple):
    """A figure of a statement, and the ledger position at which the statement was issued."""

    figure: str
    position: int


@dataclass(frozen=True)
class Slice:
    """Fact rows in position order, and for each the row of its person (-1: of nobody here)."""

    person: Codes
    rows: Rows

    def where(self, keep: Mask) -> Slice:
        return self if keep.all() else Slice(self.person[keep], self.rows[keep])


@dataclass
class LedgerInputs:
    """Reads a rulebook's inputs from the facts that count: reversed ones are left out before.

    `rows` are fact rows of the period (position, month, kind, manager, item, value, amount, branch,
    team, detail, attributes; ids as numbers of `symbols`), in position order. `attributes` has, per
    person, the number of the symbol that holds the assignment's attributes as JSON; `symbols[0]` is
    "". `settled` has the figures of earlier statements: (rulebook, step) → month → manager.
    """

    people: People
    rows: Rows
    symbols: Sequence[str]
    manager_symbols: Codes  # per person
    attributes: Codes  # per person
    last_month: int
    assigned: Codes  # per person: the ledger position of the assignment
    settled: dict[tuple[str, str], dict[int, dict[str, SettledFigure]]] = field(
        default_factory=dict
    )

    @cached_property
    def _slices(self) -> dict[tuple[int, str], Slice]:
        keys = self.rows["kind"].astype(np.int64) * len(self.symbols) + self.rows["item"]
        order = np.argsort(keys, kind="stable")
        rows, starts = self.rows[order], np.flatnonzero(np.diff(keys[order], prepend=-1))
        person = match_keys(rows["manager"], self.manager_symbols)
        slices: dict[tuple[int, str], Slice] = {}
        for low, high in pairwise([*starts.tolist(), len(rows)]):
            key = int(rows["kind"][low]), self.symbols[rows["item"][low]]
            slices[key] = Slice(person[low:high], rows[low:high])
        return slices

    def slice(self, kind: str, item: str) -> Slice:
        """All entries of a kind and item."""
        empty = Slice(np.zeros(0, np.int64), self.rows[:0])
        return self._slices.get((KIND_CODES[kind], item), empty)

    def read(
        self, name: str, spec: Input, item: str | None, bounds: Bounds = UNBOUNDED
    ) -> InputColumn:
        """The input (or one item of its group) for every person."""
        code = spec.item_code(name, item)
        match spec.read:
            case "attribute":
                return self._read_attribute(code, spec)
            case "statement":
                return self._read_statements(spec)
            case "measure":
                return self._read_measure(code, spec, bounds)
            case _:
                return self._read_entries(code, spec, item, bounds)

    # entries: sums, counts, means, the latest

    def _read_entries(
        self, code: str, spec: Input, item: str | None, bounds: Bounds
    ) -> InputColumn:
        """Several entries of a person become one figure, as the input says."""
        entries = self._entries(code, spec)
        faults = self._flag_faults(entries, spec)
        if not len(entries.rows):
            nothing_is_zero = spec.take != "latest" and (
                spec.read != "rating" or spec.take == "count"
            )
            return InputColumn(ZERO, None if nothing_is_zero else np.ones(1, bool))
        name = "amount" if spec.take in {"amount", "yuan"} else "value"
        has_value = entries.rows[name] != ABSENT
        if spec.take == "amount" and not has_value.all():
            positions = entries.rows["position"][~has_value]
            faults.append(Fault("missing_amount", entries.person[~has_value], positions))
        entries = entries.where(has_value)
        values, positions = entries.rows[name], entries.rows["position"]
        faults += out_of_bounds(entries.person, values, positions, bounds)
        uncounted = self._rated_outside_levels(entries, spec)
        entries = self._of_level(entries, spec, item)
        figures = self._take(entries.person, entries.rows[name], spec)
        return InputColumn(figures.column, figures.absent, tuple(faults), uncounted)

    def _entries(self, code: str, spec: Input) -> Slice:
        """The people's entries of a code that count, of every rater level."""
        if spec.read == "adjustment" and spec.item is None:
            entries = self._all_adjustments(spec.but_not)
        else:
            entries = self.slice(spec.read, code)
        entries = entries.where(entries.person >= 0)
        if spec.unless is not None:
            flag = spec.unless
            counts = self._test_symbols(
                entries.rows["attributes"], lambda text: read_flag(text, flag) != "true"
            )
            entries = entries.where(counts)
        return entries

    def _flag_faults(self, entries: Slice, spec: Input) -> list[Fault]:
        """Entries whose attribute of `unless` is neither true nor false."""
        if spec.unless is None:
            return []
        flag = spec.unless
        is_bad = self._test_symbols(
            entries.rows["attributes"], lambda text: read_flag(text, flag) not in {"true", "false"}
        )
        if not is_bad.any():
            return []
        return [Fault("bad_flag", entries.person[is_bad], entries.rows["position"][is_bad])]

    def _of_level(self, entries: Slice, spec: Input, item: str | None) -> Slice:
        """The ratings by raters of the input's level, or of the item's."""
        if spec.level is None:
            return entries
        level = spec.level.replace("{item}", item or "")
        return entries.where(self._test_symbols(entries.rows["detail"], lambda w: w == level))

    def _rated_outside_levels(self, entries: Slice, spec: Input) -> Mask | None:
        """Who has ratings of a level that no item of the group stands for."""
        if spec.level != "{item}":
            return None
        levels = spec.items or {}
        is_outside = self._test_symbols(entries.rows["detail"], lambda word: word not in levels)
        mask = np.zeros(len(self.people), bool)
        mask[entries.where(is_outside).person] = True
        return mask

    def _all_adjustments(self, but_not: Sequence[str] = ()) -> Slice:
        """Every adjustment but a resettlement's postings and what another input reads."""
        left_out = {*POSTINGS, *but_not}
        parts = [
            part
            for (kind, item), part in self._slices.items()
            if kind == KIND_CODES["adjustment"] and item not in left_out
        ]
        if not parts:
            return self.slice("adjustment", "")
        rows = np.concatenate([part.rows for part in parts])
        person = np.concatenate([part.person for part in parts])
        order = np.argsort(rows["position"])
        return Slice(person[order], rows[order])

    def _test_symbols(self, numbers: Ints, test: Callable[[str], bool]) -> Mask:
        """For which of these symbols the test holds; each distinct one is tested once."""
        distinct, inverse = np.unique(numbers, return_inverse=True)
        results = np.array([test(self.symbols[number]) for number in distinct.tolist()], bool)
        holds: Mask = results[inverse]
        return holds

    def _take(self, person: Codes, values: Ints, spec: Input) -> InputColumn:
        """Per person: the latest of these values, their count, sum or mean."""
        if spec.take == "latest":
            return self._take_latest(person, values)
        count = _count_rows(person, len(self.people))
        figures = count if spec.take == "count" else self._sum_rows(person, values, count)
        kind = FACT_KINDS[spec.read]
        if kind.is_summed or spec.take == "count":
            return InputColumn(figures)
        if (spec.take or kind.takes[0]) == "mean":
            figures = columns.divide(figures, columns.maximum(count, ONE), MEAN_PLACES, 0)
        return InputColumn(figures, count.data == 0)

    def _sum_rows(self, person: Codes, values: Ints, count: Column) -> Column:
        """Per person: the exact sum of their values; `count` is how many each has."""
        sums: Ints = np.zeros(len(self.people), np.int64)
        if columns.max_abs(values) * count.bound > columns.LIMIT:
            values, sums = values.astype(object), sums.astype(object)
        np.add.at(sums, person, values)
        return fit(sums, PLACES)

    def _take_latest(
        self, person: Codes, values: Ints, faults: Sequence[Fault] = ()
    ) -> InputColumn:
        """Per person: the last of their values, which are in order."""
        latest, absent = np.zeros(len(self.people), np.int64), np.ones(len(self.people), bool)
        latest[person] = values
        absent[person] = False
        return InputColumn(fit(latest, PLACES), absent, tuple(faults))

    # measures

    def _read_measure(self, code: str, spec: Input, bounds: Bounds) -> InputColumn:
        """The measure of this code; `gs_adjustment.<industry>` is each person's own industry's."""
        match = ATTRIBUTE_IN_CODE.fullmatch(code)
        if match is None:
            return self._read_measure_of_code(code, spec, bounds)
        words, codes = self._attribute_words(match[2])
        column: AnyColumn = columns.constant(Decimal(0)).broadcast(len(self.people))
        absent, faults = np.ones(len(self.people), bool), list[Fault]()
        for number, word in enumerate(words):
            name = f"{match[1]}{word}{match[3]}"
            if word is not None and (KIND_CODES["measure"], name) in self._slices:
                has_word, measure = codes == number, self._read_measure_of_code(name, spec, bounds)
                assert measure.absent is not None
                column = columns.choose(columns.flags(has_word), measure.column, column)
                absent = np.where(has_word, measure.absent, absent)
                faults += [fault.restricted_to(has_word) for fault in measure.faults]
        return InputColumn(column, absent, tuple(faults))

    def _read_measure_of_code(self, code: str, spec: Input, bounds: Bounds) -> InputColumn:
        measures = self.slice("measure", code)
        if spec.of != "manager_or_branch":
            return self._read_measure_of_holder(measures, spec.of, spec, bounds)
        own = self._read_measure_of_holder(measures, "manager", spec, bounds)
        branch = self._read_measure_of_holder(measures, "branch", spec, bounds)
        assert own.absent is not None
        assert branch.absent is not None
        column = columns.choose(columns.flags(own.absent), branch.column, own.column)
        branch_faults = [fault.restricted_to(own.absent) for fault in branch.faults]
        return InputColumn(column, own.absent & branch.absent, (*own.faults, *branch_faults))

    def _read_measure_of_holder(
        self, measures: Slice, holder: str, spec: Input, bounds: Bounds
    ) -> InputColumn:
        """The measure of each person's `holder`: the manager, their team or their branch.

        Of a month, the measure recorded last counts; of the period, the latest month that has one,
        or the sum over its months.
        """
        person, values, positions = self._valid_measures(measures, holder, spec)
        faults = out_of_bounds(person, values, positions, bounds)
        if spec.take != "sum":
            return self._take_latest(person, values, faults)
        count = _count_rows(person, len(self.people))
        sums = self._sum_rows(person, values, count)
        return InputColumn(sums, count.data == 0, tuple(faults))

    def _valid_measures(
        self, measures: Slice, holder: str, spec: Input
    ) -> tuple[Codes, Ints, Codes]:
        """Per person and measure that counts: the person's row, the value and the position."""
        holders, rows = self._measures_by_holder(measures, holder)
        order = np.lexsort((rows["position"], rows["month"], holders))
        holders, rows = holders[order], rows[order]
        is_superseded = holders[1:] == holders[:-1]
        if spec.take == "sum":
            is_superseded &= rows["month"][1:] == rows["month"][:-1]
        is_valid = np.append(~is_superseded, True)[: len(rows)]
        return self._spread_to_people(holders[is_valid], rows[is_valid], holder)

    def _measures_by_holder(self, measures: Slice, holder: str) -> tuple[Codes, Rows]:
        """The measures of managers, teams or branches, each with the code of whose it is.

        The code is the person's row, or that of the branch or team as `_spread_to_people` numbers
        them.
        """
        rows, holders = measures.rows, measures.person
        if holder != "manager":
            rows = rows[(rows["manager"] == 0) & ((rows["team"] != 0) == (holder == "team"))]
            holders = self._symbols_as_codes(rows["branch"], self.people.branches)
        if holder == "team":
            team = self._symbols_as_codes(rows["team"], self.people.teams)
            number = holders * len(self.people.teams) + team
            holders = np.where((holders >= 0) & (team >= 0), number, -1)
        return holders[holders >= 0], rows[holders >= 0]

    def _symbols_as_codes(self, numbers: Ints, words: Sequence[str]) -> Codes:
        """Symbols as indices of these words; -1 for all others."""
        distinct, inverse = np.unique(numbers, return_inverse=True)
        code_of = {word: code for code, word in enumerate(words)}
        codes = np.array(
            [code_of.get(self.symbols[number], -1) for number in distinct.tolist()], np.int64
        )
        by_row: Codes = codes[inverse]
        return by_row

    def _spread_to_people(
        self, holders: Codes, rows: Rows, holder: str
    ) -> tuple[Codes, Ints, Codes]:
        """A branch's or team's measures for each of its people, by person; `holders` is sorted."""
        if holder == "manager":
            return holders, rows["value"], rows["position"]
        holder_of = self.people.branch
        if holder == "team":
            holder_of = holder_of * len(self.people.teams) + self.people.team
        low = np.searchsorted(holders, holder_of, "left")
        counts = np.searchsorted(holders, holder_of, "right") - low
        person = np.repeat(np.arange(len(holder_of)), counts)
        # Each person's measures are the `counts` rows from `low` on.
        starts = np.cumsum(counts) - counts
        indices = np.arange(len(person)) + np.repeat(low - starts, counts)
        return person, rows["value"][indices], rows["position"][indices]

    # attributes, statements

    def _attribute_words(self, attribute: str) -> tuple[list[str | None], Codes]:
        """The distinct words of an attribute (None: not recorded), and each person's index."""
        distinct, inverse = np.unique(self.attributes, return_inverse=True)
        words = [read_attribute(self.symbols[number], attribute) for number in distinct.tolist()]
        return words, inverse

    def _read_attribute(self, name: str, spec: Input) -> InputColumn:
        """A word of the person's latest assignment."""
        words, codes = self._attribute_words(name)
        return attribute_column(words, codes, spec, self.assigned)

    def _read_statements(self, spec: Input) -> InputColumn:
        """A step of the person's settled statements: its mean over the months, or the latest."""
        result: AnyColumn = columns.constant(Decimal(0)).broadcast(len(self.people))
        count = columns.constant(Decimal(0)).broadcast(len(self.people))
        faults = list[Fault]()
        for month in self._settled_months(spec):
            is_settled = columns.flags(np.array([m in month for m in self.people.managers], bool))
            figures = self._statement_figures(month, faults)
            count = columns.add(count, is_settled)
            if spec.take == "latest":
                result = columns.choose(is_settled, figures, result)
            else:
                assert isinstance(result, Column)
                result = columns.add(result, figures)
        if spec.take != "latest":
            assert isinstance(result, Column)
            result = columns.divide(result, columns.maximum(count, ONE), MEAN_PLACES, 0)
        return InputColumn(result, count.data == 0, tuple(faults))

    def _statement_figures(self, month: dict[str, SettledFigure], faults: list[Fault]) -> Column:
        """Per person: the figure of a settled month, 0 where there is none or it is too long.

        Adds the fault of the figures that are too long.
        """
        figures, too_long = [], []
        for row, manager in enumerate(self.people.managers):
            text = month[manager].figure if manager in month else "0"
            if len(text) > STATEMENT_CHARACTERS:
                text = "0"
                too_long.append(row)
            figures.append(Decimal(text))
        if too_long:
            rows = np.array(too_long, np.int64)
            faults.append(Fault("too_many_digits", rows, np.zeros_like(rows)))
        return columns.from_decimals(figures)

    def _settled_months(self, spec: Input) -> list[dict[str, SettledFigure]]:
        """The figures of each settled month by manager, the months in order."""
        assert spec.rulebook is not None
        assert spec.step is not None
        months = self.settled.get((spec.rulebook, spec.step), {})
        return [months[month] for month in sorted(months)]

    def unread_points(self) -> Mask:
        """Who has adjustments in points (postings aside)."""
        adjustments = self._all_adjustments()
        has_points = (adjustments.person >= 0) & (adjustments.rows["value"] != ABSENT)
        mask = np.zeros(len(self.people), bool)
        mask[adjustments.person[has_points]] = True
        return mask

    # where figures come from

    def positions(self, name: str, spec: Input, item: str | None, row: int) -> set[int]:
        """Ledger positions of the entries behind a person's figure of this input."""
        code = spec.item_code(name, item)
        match spec.read:
            case "attribute":
                return self.positions_of_person(row)
            case "statement":
                return self._positions_of_statements(spec, row)
            case "measure":
                return self._positions_of_measure(code, spec, row)
            case _:
                entries = self._of_level(self._entries(code, spec), spec, item)
                return set(entries.rows["position"][entries.person == row].tolist())

    def _positions_of_statements(self, spec: Input, row: int) -> set[int]:
        """The statements behind the figure: all of them, or the latest month's."""
        manager = self.people.managers[row]
        positions = [
            month[manager].position for month in self._settled_months(spec) if manager in month
        ]
        return set(positions[-1:] if spec.take == "latest" else positions)

    def _positions_of_measure(self, code: str, spec: Input, row: int) -> set[int]:
        """The manager's own measures, else those of the team or branch, as the input says."""
        if match := ATTRIBUTE_IN_CODE.fullmatch(code):
            words, codes = self._attribute_words(match[2])
            code = f"{match[1]}{words[codes[row]]}{match[3]}"
        for holder in ("manager", "branch") if spec.of == "manager_or_branch" else (spec.of,):
            person, _, positions = self._valid_measures(self.slice("measure", code), holder, spec)
            if own := set(positions[person == row].tolist()):
                return own
        return set()

    def positions_of_person(self, row: int) -> set[int]:
        """The assignment that gives the person's grade, role and team."""
        return {int(self.assigned[row])}


def _count_rows(person: Codes, people: int) -> Column:
    """Per person: how many of these rows are theirs."""
    return fit(np.bincount(person, minlength=people), 0)


def read_attribute(attributes: str, name: str) -> str | None:
    """An attribute of a set as JSON ("": no set); a boolean as `true` or `false`."""
    value = orjson.loads(attributes).get(name) if attributes else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def read_flag(attributes: str, name: str) -> str:
    """An attribute that should be `true` or `false`, in lower case; `false` where it is missing."""
    return (read_attribute(attributes, name) or "false").lower()
