"""What a scheme writes while it is evaluated: values by person and step, warnings, refusals
(section 0).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeVar

from tests.oracle_schemes.arithmetic import mean, quotient
from tests.oracle_schemes.facts import Facts, Person

Value = Fraction | str
T = TypeVar("T")
Bounds = tuple[Fraction | int, Fraction | int] | None
PERCENT = (0, 100)  # the bounds of a rating where a scheme says 0–100
STAND_IN = Fraction(
    1
)  # for what is missing, so that the other findings come out too; nothing is published then


class Book:
    """One evaluation in the making. Warnings and refusals keep the order of their discovery, each
    of them once.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.statements: dict[str, dict[str, Value]] = defaultdict(dict)
        self.warnings: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        self.refusals: dict[tuple[str, str | None, str | None], None] = {}

    def warn(self, code: str, manager: str, step: str) -> None:
        """Name something on a statement."""
        self.warnings[manager][code, step] = None

    def refuse(self, code: str, manager: str | None, step: str) -> None:
        """Name a reason why nothing is settled."""
        self.refusals[code, manager, step] = None

    # Ratings: several are averaged, none count 0 with a warning, bounds hold for each.

    def rating(self, manager: str, item: str, step: str, bounds: Bounds = None) -> Fraction:
        """The mean of the period's ratings of an item."""
        scores = self.scores(manager, item, step, bounds)
        if not scores:
            self.warn("missing_rating", manager, step)
            return Fraction(0)
        return mean(scores)

    def scores(self, manager: str, item: str, step: str, bounds: Bounds = None) -> list[Fraction]:
        """The scores themselves."""
        scores = self.facts.scores(manager, item)
        if bounds and not all(bounds[0] <= score <= bounds[1] for score in scores):
            self.refuse("out_of_bounds", manager, step)
        return scores

    def levelled_rating(
        self, manager: str, item: str, step: str, weights: Mapping[str, int], bounds: Bounds = None
    ) -> Fraction:
        """Σ(w × level mean) / Σ(w present): a level without raters gives its weight to the others
        in proportion.
        """
        self.scores(manager, item, step, bounds)
        by_level: dict[str, list[Fraction]] = defaultdict(list)
        for entry in self.facts.ratings(manager, item):
            if entry.get("rater_level") in weights:
                by_level[entry["rater_level"]].append(Fraction(entry["score"]))
            else:
                self.warn("uncounted_rating", manager, step)
        if not by_level:
            self.warn("missing_rating", manager, step)
            return Fraction(0)
        weighted = sum(
            (weights[level] * mean(scores) for level, scores in by_level.items()), Fraction(0)
        )
        return quotient(weighted, sum(weights[level] for level in by_level))

    # Measures: a required one that is missing refuses, every other counts 0.

    def required(self, value: Fraction | None, manager: str | None, step: str) -> Fraction:
        """A required measure; `manager` is None for a branch's or a team's."""
        if value is None:
            self.refuse("missing_measure", manager, step)
            return STAND_IN
        return value

    def minimum_wage(self, step: str = "pay") -> Fraction:
        """最低工资: required wherever a scheme has a floor."""
        return self.required(self.facts.of_branch("minimum_wage"), None, step)

    def measure(self, manager: str, item: str) -> Fraction:
        """A manager's measure that counts 0 where it is missing."""
        return self.facts.of_manager(manager, item) or Fraction(0)

    # Attributes and tables.

    def attribute(self, person: Person, name: str, step: str) -> str | None:
        """A required attribute as text, or None after a refusal."""
        value = person.attributes.get(name)
        if value is None:
            self.refuse("missing_attribute", person.manager, step)
            return None
        return str(value)

    def looked_up(
        self, person: Person, table: Mapping[str, T], name: str, step: str, otherwise: T
    ) -> T:
        """What a table has for a required attribute; `otherwise` after a refusal."""
        key = self.attribute(person, name, step)
        if key is not None and key not in table:
            self.refuse("unknown_key", person.manager, step)
        return otherwise if key is None else table.get(key, otherwise)

    # Adjustments, where the scheme is monthly and has a pay.

    def yuan(self, manager: str, wanted: Callable[[str], bool] = lambda _: True) -> Fraction:
        """Σ yuan adjustments whose item is `wanted`. Points are not read here, and refuse."""
        total = Fraction(0)
        for entry in self.facts.adjustments(manager):
            if entry.get("points") is not None:
                self.refuse("points_not_read", manager, "pay")
            elif wanted(entry.get("item") or "adjustment"):
                total += Fraction(entry["amount"])
        return total
