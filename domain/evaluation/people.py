"""Who is evaluated, and where a rulebook's inputs come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.evaluation.columns import AnyColumn, Column, Mask, TextColumn
from domain.evaluation.operators import Codes, Groups
from domain.rulebook.model import Input


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
    """Values that the rulebook does not allow: which rows, the finding's code, and the entries (ledger positions)."""

    code: str
    rows: NDArray[np.int64]
    positions: NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """An input as read: its figures, where there are none, and what is wrong with some."""

    column: AnyColumn
    absent: Mask | None = None
    faults: tuple[Fault, ...] = ()


class Inputs(Protocol):
    """Where figures come from: a ledger's facts, an example in a rulebook, candidate columns."""

    people: People
    last_month: int

    def read(self, name: str, given: Input, item: str | None) -> Reading:
        """The input (or one item of its group) for every person."""
        ...

    def unread_points(self) -> Mask:
        """Who has adjustments in points."""
        ...
