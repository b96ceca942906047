"""A made-up province in columns: the same figures for both engines, with ties, barred people and sales."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from domain.evaluation.columns import Column, Mask, TextColumn, constant
from domain.evaluation.people import UNBOUND, Bounds, People, Reading
from domain.rulebook.model import Input, Rulebook

BRANCH, TEAM = 40, 10  # people of a branch, of a team
NOTHING = constant(Decimal(0))
Whole = NDArray[np.int64]


@dataclass
class Province:
    """Inputs from ready columns, by name; numbers are whole, at the places of their kind."""

    people: People
    columns: dict[str, Column]
    last_month: int = 2026 * 12 + 9

    def read(self, name: str, given: Input, item: str | None, bounds: Bounds = UNBOUND) -> Reading:
        """The column, or nothing recorded; the figures made up are within their bounds."""
        del given, bounds
        column = self.columns.get(name if item is None else f"{name}.{item}")
        return Reading(NOTHING, np.ones(1, bool)) if column is None else Reading(column)

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
    """The same made-up people each time."""
    random = np.random.default_rng(20261121)
    branch = np.arange(size) // BRANCH
    branches, teams = int(branch[-1]) + 1, BRANCH // TEAM
    people = People(
        tuple(f"M{i:07d}" for i in range(size)),
        tuple(f"B{i:06d}" for i in range(branches)),
        branch,
        tuple(f"T{i}" for i in range(teams)),
        np.arange(size) % BRANCH // TEAM,
        Column(random.integers(4, 9, size), 0, 8),
        TextColumn(np.zeros(size, np.int64), ("customer_manager",)),
    )
    columns = {f"kpi_sales.{item}": random.integers(0, 600, size) for item in rulebook.inputs["kpi_sales"].items or {}}
    for group in ("deep_sales", "industry_sales"):
        columns |= {f"{group}.{item}": random.integers(0, 150, size) for item in rulebook.inputs[group].items or {}}
    for item in rulebook.inputs["target"].items or {}:
        columns[f"target.{item}"] = np.repeat(random.integers(1, 8000, (size + TEAM - 1) // TEAM), TEAM)[:size]
    columns |= {
        f"deductions.{item}": random.integers(0, 2500, size) for item in rulebook.inputs["deductions"].items or {}
    }
    columns |= {
        f"gs_ratings.{item}": random.integers(600, 1000, size) for item in rulebook.inputs["gs_ratings"].items or {}
    }
    columns |= {
        "provincial_accountability": 10 * (random.integers(0, 50, size) == 0),
        "minimum_wage": np.full(size, 20100),
    }
    tenths = {name: Column(data.astype(np.int64), 1, int(data.max(initial=0))) for name, data in columns.items()}
    return Province(people, tenths)
