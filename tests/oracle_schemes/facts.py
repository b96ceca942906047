"""What counts in a period, and for whom (section 0): the entries behind one evaluation, before any
rule is applied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Entry = Mapping[str, Any]
POSTINGS = (
    "back_pay",
    "clawback",
)  # 补发, 扣回: they settle another month, and no rulebook reads them


@dataclass(frozen=True)
class Person:
    """Someone of the branch, as the latest assignment has them."""

    manager: str
    team: str
    role: str
    grade: int
    attributes: Mapping[str, Any]


def months_of(period: str) -> list[str]:
    """`2026-10`, `2026-Q3`, `2026-H2` or `2026` as its months."""
    year, _, part = period.partition("-")
    if part.startswith("Q"):
        last, count = 3 * int(part[1]), 3
    elif part.startswith("H"):
        last, count = 6 * int(part[1]), 6
    elif part:
        last, count = int(part), 1
    else:
        last, count = 12, 12
    return [f"{year}-{month:02d}" for month in range(last - count + 1, last + 1)]


def counted(entries: Sequence[Entry]) -> list[Entry]:
    """The entries that no reversal in force names. It comes after what it names, so the last word
    goes first.
    """
    reversed_keys: set[tuple[str, str]] = set()
    left: list[Entry] = []
    for entry in reversed(entries):
        if (entry["source"], entry["source_id"]) in reversed_keys:
            continue
        if entry["kind"] == "reversal":
            reversed_keys.add((entry["reverses"]["source"], entry["reverses"]["source_id"]))
        else:
            left.append(entry)
    return left[::-1]


def latest_assignments(entries: Sequence[Entry], last_month: str) -> dict[str, Entry]:
    """Manager → the assignment of the greatest month not after `last_month`, within a month the
    last one recorded.
    """
    latest: dict[str, Entry] = {}
    for entry in entries:
        if entry["kind"] == "assignment" and entry["month"] <= last_month:
            known = latest.get(entry["manager"])
            if known is None or known["month"] <= entry["month"]:
                latest[entry["manager"]] = entry
    return latest


class Facts:
    """The people of a branch at the end of a period, and the period's entries about them, by kind
    and item.
    """

    def __init__(self, entries: Sequence[Entry], period: str, branch: str) -> None:
        self.period, self.months, self.branch = period, months_of(period), branch
        standing = counted(entries)
        self._people = [
            Person(
                manager, entry["team"], entry["role"], entry["grade"], entry.get("attributes") or {}
            )
            for manager, entry in sorted(latest_assignments(standing, self.months[-1]).items())
            if entry["role"] != "left" and entry["branch"] == branch
        ]
        self._by_item: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
        self._adjustments: dict[str, list[Entry]] = defaultdict(list)
        self._measures: dict[tuple[str | None, ...], dict[str, Fraction]] = defaultdict(dict)
        for entry in standing:
            if entry.get("month") in self.months:
                self._file(entry)

    def _file(self, entry: Entry) -> None:
        match entry["kind"]:
            case "measure":
                scope = entry.get("branch"), entry.get("team"), entry.get("manager")
                self._measures[*scope, entry["item"]][entry["month"]] = Fraction(entry["value"])
            case "adjustment":
                self._adjustments[entry["manager"]].append(entry)
            case "deduction" | "sale" | "rating":
                self._by_item[entry["kind"], entry["manager"], entry["item"]].append(entry)

    def people(self, roles: Collection[str] | None = None) -> list[Person]:
        """The branch's people of these roles, or everyone, by manager id."""
        return [person for person in self._people if roles is None or person.role in roles]

    def ratings(self, manager: str, item: str) -> list[Entry]:
        """The period's ratings of an item, in ledger order."""
        return self._by_item["rating", manager, item]

    def scores(self, manager: str, item: str) -> list[Fraction]:
        """Their scores."""
        return [Fraction(entry["score"]) for entry in self.ratings(manager, item)]

    def sales(self, manager: str, item: str) -> list[Entry]:
        """The period's sales of an item."""
        return self._by_item["sale", manager, item]

    def quantity(self, manager: str, item: str) -> Fraction:
        """What was sold of an item in all."""
        return sum((Fraction(sale["quantity"]) for sale in self.sales(manager, item)), Fraction(0))

    def deductions(self, manager: str, item: str) -> list[Fraction]:
        """The points of the period's deductions of an item."""
        return [Fraction(entry["points"]) for entry in self._by_item["deduction", manager, item]]

    def adjustments(self, manager: str) -> list[Entry]:
        """The period's adjustments that a rulebook reads: all but postings of a resettlement."""
        return [entry for entry in self._adjustments[manager] if entry.get("item") not in POSTINGS]

    def of_manager(self, manager: str, item: str) -> Fraction | None:
        """A manager's measure in the latest month of the period that has it."""
        return self._latest(self.monthly(manager, item))

    def of_team(self, team: str, item: str) -> Fraction | None:
        """A team's measure, likewise."""
        return self._latest(self._measures.get((self.branch, team, None, item), {}))

    def of_branch(self, item: str) -> Fraction | None:
        """The branch's measure, likewise."""
        return self._latest(self._measures.get((self.branch, None, None, item), {}))

    def monthly(self, manager: str, item: str) -> dict[str, Fraction]:
        """Month → a manager's measure, for the months that have it."""
        return self._measures.get((None, None, manager, item), {})

    @staticmethod
    def _latest(by_month: Mapping[str, Fraction]) -> Fraction | None:
        return by_month[max(by_month)] if by_month else None
