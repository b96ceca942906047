"""Who is evaluated, and the protocol by which any source of entries gives a rulebook's inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from domain.evaluation.columns import AnyColumn, Column, Ints, Mask, TextColumn, rescale
from domain.evaluation.operators import Codes, Groups
from domain.identifiers import is_date
from domain.numbers import PLACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.rulebook.model import Input

PLACEHOLDER_DATE = "2000-01-01"  # in rows without a date, which are refused or filled


@dataclass(frozen=True)
class People:
    """The population of an evaluation, in the order (branch, manager id): one row a person."""

    managers: tuple[str, ...]
    branches: tuple[str, ...]
    branch: Codes  # per person, an index of `branches`
    teams: tuple[str, ...]
    team: Codes  # per person, an index of `teams`
    grade: Column
    role: TextColumn

    def __len__(self) -> int:
        return len(self.managers)

    @cached_property
    def by_branch(self) -> Groups:
        """The people of each branch."""
        return Groups(self.branch, len(self.branches))

    @cached_property
    def by_team(self) -> Groups:
        """The people of each team; teams of two branches differ even if they have one name."""
        return self.by_branch.split(self.team, max(len(self.teams), 1))

    def team_of(self, row: int) -> str:
        return self.teams[int(self.team[row])]


@dataclass(frozen=True)
class Fault:
    """Values that the rulebook does not allow."""

    code: str  # of the finding
    rows: Codes  # whose values; a row may occur more than once
    positions: Codes  # for each of `rows` the entry's ledger position; 0: no entry is to blame

    def restricted_to(self, people: Mask) -> Fault:
        is_kept = people[self.rows]
        return Fault(self.code, self.rows[is_kept], self.positions[is_kept])


@dataclass(frozen=True)
class InputColumn:
    """An input of all people; one row where all have the same."""

    column: AnyColumn
    absent: Mask | None = None  # who has no value
    faults: tuple[Fault, ...] = ()
    uncounted: Mask | None = None  # who has ratings of a level that the input's group lacks


class Bounds(NamedTuple):
    """The input's bounds for each person, at most six places; None: unbounded."""

    low: Column | None = None
    high: Column | None = None
    above: Column | None = None  # refuses at or below


UNBOUNDED = Bounds()


class Inputs(Protocol):
    """A source of inputs: a ledger's facts, an example in a rulebook, candidate columns.

    `name` is that of an input or of a group of inputs, `spec` its declaration in the rulebook,
    `item` the item of a group.
    """

    people: People
    last_month: int  # of the period, as `Month.index`

    def read(
        self, name: str, spec: Input, item: str | None, bounds: Bounds = UNBOUNDED
    ) -> InputColumn:
        """The input (or one item of its group) for every person."""
        ...

    def unread_points(self) -> Mask:
        """Who has adjustments in points."""
        ...

    def positions(self, name: str, spec: Input, item: str | None, row: int) -> set[int]:
        """Ledger positions of the entries behind a person's figure of this input."""
        ...

    def positions_of_person(self, row: int) -> set[int]:
        """Ledger position of the assignment behind the person's grade, role and team."""
        ...


def out_of_bounds(rows: Codes, values: Ints, positions: Codes, bounds: Bounds) -> list[Fault]:
    """The faults among these values (in 10**-6): bounds hold for each entry, not for the mean."""
    is_outside = np.zeros(len(values), bool)
    if bounds.low is not None:
        is_outside |= values < _bound_of_rows(bounds.low, rows)
    if bounds.high is not None:
        is_outside |= values > _bound_of_rows(bounds.high, rows)
    wrong = {"out_of_bounds": is_outside}
    if bounds.above is not None:
        wrong["not_positive"] = values <= _bound_of_rows(bounds.above, rows)
    return [Fault(code, rows[bad], positions[bad]) for code, bad in wrong.items() if bad.any()]


def _bound_of_rows(bound: Column, rows: Codes) -> Ints:
    data = rescale(bound, PLACES).data
    return data if len(data) == 1 else data[rows]


def attribute_column(
    words: Sequence[str | None], codes: Codes, spec: Input, positions: Codes
) -> InputColumn:
    """An attribute from its distinct words (None: no value) and each person's index in them."""
    is_bad_date = [word is not None and spec.unit == "date" and not is_date(word) for word in words]
    is_unknown = [
        word is not None and spec.one_of is not None and word not in spec.one_of for word in words
    ]
    placeholder = PLACEHOLDER_DATE if spec.unit == "date" else ""
    texts = [
        placeholder if word is None or bad else word
        for word, bad in zip(words, is_bad_date, strict=True)
    ]
    distinct = tuple(dict.fromkeys(texts))
    code_of = {text: code for code, text in enumerate(distinct)}
    column = TextColumn(np.array([code_of[text] for text in texts], np.int64)[codes], distinct)
    absent = np.array([word is None for word in words], bool)[codes]
    faults = []
    for code, is_wrong in (("bad_attribute", is_bad_date), ("unknown_key", is_unknown)):
        rows = np.flatnonzero(np.array(is_wrong, bool)[codes])
        if len(rows):
            faults.append(Fault(code, rows, positions[rows]))
    return InputColumn(column, absent, tuple(faults))
