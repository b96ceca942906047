"""A made-up province in columns: the same figures for both engines, with ties, barred people and
sales.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from domain.evaluation.columns import AnyColumn, Column, Mask, TextColumn, constant
from domain.evaluation.people import UNBOUNDED, Bounds, InputColumn, People
from domain.rulebook.model import Input, Rulebook

BRANCH, TEAM = 40, 10  # people of a branch, of a team
NOTHING = constant(Decimal(0))
Whole = NDArray[np.int64]


@dataclass
class Province:
    """Inputs from ready columns, by name; numbers are whole, at the places of their kind."""

    people: People
    columns: dict[str, AnyColumn]
    last_month: int = 2026 * 12 + 9

    def read(
        self, name: str, given: Input, item: str | None, bounds: Bounds = UNBOUNDED
    ) -> InputColumn:
        """The column, or nothing recorded; the figures made up are within their bounds."""
        del given, bounds
        column = self.columns.get(name if item is None else f"{name}.{item}")
        return InputColumn(NOTHING, np.ones(1, bool)) if column is None else InputColumn(column)

    def unread_points(self) -> Mask:
        """Nobody."""
        return np.zeros(len(self.people), bool)

    def positions(self, name: str, given: Input, item: str | None, row: int) -> set[int]:
        """There is no ledger behind it."""
        del name, given, item, row
        return set()

    def positions_of_person(self, row: int) -> set[int]:
        """There is no ledger behind it."""
        del row
        return set()


def province(size: int, rulebook: Rulebook) -> Province:
    """The same made-up people each time, with figures for all that entries can say; in tenths, and
    within bounds.
    """
    random = np.random.default_rng(20261121)
    branch, team = np.arange(size) // BRANCH, np.arange(size) // TEAM
    branches, teams = int(branch[-1]) + 1, BRANCH // TEAM
    roles = ("customer_manager",) if rulebook.is_for_everyone else rulebook.roles
    people = People(
        tuple(f"M{i:07d}" for i in range(size)),
        tuple(f"B{i:06d}" for i in range(branches)),
        branch,
        tuple(f"T{i}" for i in range(teams)),
        np.arange(size) % BRANCH // TEAM,
        Column(random.integers(4, 9, size), 0, 8),
        TextColumn(random.integers(0, len(roles), size), roles),
    )
    columns: dict[str, AnyColumn] = {}
    for name, given in rulebook.inputs.items():
        for item in given.items or (None,):
            made = _figures(given, item, random, rulebook, (branch, team))
            if made is not None:
                columns[name if item is None else f"{name}.{item}"] = made
    return Province(people, columns)


def _figures(
    given: Input,
    item: str | None,
    random: np.random.Generator,
    rulebook: Rulebook,
    groups: tuple[Whole, Whole],
) -> AnyColumn | None:
    """A column of an input; None for what few people have."""
    size = len(groups[0])
    match given.read:
        case "attribute":
            words = given.one_of or ("none",)
            return TextColumn(random.integers(0, len(words), size), words)
        case "deduction" if given.take == "count":
            return _tenths(10 * (random.integers(0, 50, size) == 0))
        case "deduction":
            return _tenths(random.integers(0, 2500, size))
        case "sale":
            return _tenths(random.integers(0, 300, size))
        case "rating" if given.missing != "absent" and given.take != "sum":
            low, high = (_bound(bound, item, rulebook) for bound in (given.low, given.high))
            return _tenths(random.integers(10 * low, 10 * high + 1, size))
        case "measure" if given.of == "team":
            return _tenths(random.integers(1, 8000, size)[groups[1] * TEAM])
        case "measure" if given.of == "branch" and given.default is None:
            return _tenths(np.full(size, 20100))
    return None


def _bound(bound: Decimal | str | None, item: str | None, rulebook: Rulebook) -> int:
    if isinstance(bound, str):
        table, _, part = bound.partition(".")
        return int(rulebook.tables[table].column(part)[item or ""])
    return int(bound or 0)


def _tenths(data: Whole) -> Column:
    return Column(data.astype(np.int64), 1, int(np.abs(data).max(initial=0)))
