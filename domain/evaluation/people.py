"""Who is evaluated, and where a rulebook's inputs come from: how any source of them reads a figure
or a word.
"""

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

SOME_DAY = "2000-01-01"  # stands where a date should, in rows that are refused for it


@dataclass(frozen=True)
class People:
    """The population of an evaluation, in the order (branch, manager id): one row a person."""

    managers: tuple[str, ...]
    branches: tuple[str, ...]  # names; `branch` holds their codes
    branch: Codes
    teams: tuple[str, ...]
    team: Codes
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
        """The people of each team of each branch; teams of equal name in two branches are two."""
        return self.by_branch.split(self.team, max(len(self.teams), 1))

    def team_of(self, row: int) -> str:
        """The team of a person."""
        return self.teams[int(self.team[row])]


@dataclass(frozen=True)
class Fault:
    """Values that the rulebook does not allow: which rows, the finding's code, and the entries
    (ledger positions).
    """

    code: str
    rows: Codes
    positions: Codes  # 0 where no entry is to blame

    def of(self, people: Mask) -> Fault:
        """The fault for these people alone."""
        return Fault(self.code, self.rows[people[self.rows]], self.positions[people[self.rows]])


@dataclass(frozen=True)
class Reading:
    """An input as read: its figures, where there are none, and what is wrong with some; one row
    where all are alike.
    """

    column: AnyColumn
    absent: Mask | None = None
    faults: tuple[Fault, ...] = ()
    uncounted: Mask | None = None  # who has ratings of a level that the group does not have


class Bounds(NamedTuple):
    """What the input's bounds are for each person, at most six places."""

    low: Column | None = None
    high: Column | None = None
    above: Column | None = None  # refuses at or below


UNBOUND = Bounds()


class Inputs(Protocol):
    """Where figures come from: a ledger's facts, an example in a rulebook, candidate columns."""

    people: People
    last_month: int

    def read(self, name: str, given: Input, item: str | None, bounds: Bounds = UNBOUND) -> Reading:
        """The input (or one item of its group) for every person."""
        ...

    def unread_points(self) -> Mask:
        """Who has adjustments in points."""
        ...

    def positions(self, name: str, given: Input, item: str | None, row: int) -> set[int]:
        """Ledger positions of the entries behind a person's figure of this input."""
        ...

    def positions_of_person(self, row: int) -> set[int]:
        """Ledger positions of the assignment that says what the person's grade, role and team
        are.
        """
        ...


def out_of_bounds(rows: Codes, values: Ints, positions: Codes, bounds: Bounds) -> list[Fault]:
    """What bounds refuse among these values (in 10**-6); they hold for each entry, not for the
    mean.
    """
    beyond = np.zeros(len(values), bool)
    if bounds.low is not None:
        beyond |= values < _of(bounds.low, rows)
    if bounds.high is not None:
        beyond |= values > _of(bounds.high, rows)
    wrong = {"out_of_bounds": beyond}
    if bounds.above is not None:
        wrong["not_positive"] = values <= _of(bounds.above, rows)
    return [Fault(code, rows[bad], positions[bad]) for code, bad in wrong.items() if bad.any()]


def _of(bound: Column, rows: Codes) -> Ints:
    data = rescale(bound, PLACES).data
    return data if len(data) == 1 else data[rows]


def worded(words: Sequence[str | None], codes: Codes, given: Input, positions: Codes) -> Reading:
    """An attribute: the words that there are (None: nothing), and which of them each person has."""
    bad = [word is not None and given.unit == "date" and not is_date(word) for word in words]
    blank = SOME_DAY if given.unit == "date" else ""
    spelt = [
        blank if word is None or wrong else word for word, wrong in zip(words, bad, strict=True)
    ]
    unknown = [
        given.one_of is not None and word is not None and word not in given.one_of for word in words
    ]
    distinct = tuple(dict.fromkeys(spelt))
    place = {word: code for code, word in enumerate(distinct)}
    column = TextColumn(np.array([place[word] for word in spelt], np.int64)[codes], distinct)
    absent = np.array([word is None for word in words], bool)[codes]
    faults = []
    for code, wrong in (("bad_attribute", bad), ("unknown_key", unknown)):
        rows = np.flatnonzero(np.array(wrong, bool)[codes])
        faults += [Fault(code, rows, positions[rows])] if len(rows) else []
    return Reading(column, absent, tuple(faults))
