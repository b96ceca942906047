"""The piece-rate scheme as an OpenFisca user would write it."""

from __future__ import annotations

from typing import Any

import numpy as np

from domain.rulebook.model import Rulebook

WEIGHTS = ((0.8, 0.2), (0.6, 0.4), (0.4, 0.6))  # own results and the unit's, by role
PROCESS_MARKS = 90


def piece_rate(book: Rulebook) -> dict[str, Any]:
    """A formula for each step; inputs by their names with underscores."""

    def total(group: str) -> Any:
        names = [f"{group}_{item}" for item in book.inputs[group].items or ()]
        return lambda p, t: sum(p(name, t) for name in names)

    process = total("process")
    return {
        "base_indicator_points": total("base"),
        "unit_ratio": _unit_ratio,
        "unit_factor": _unit_factor,
        "process_coefficient": lambda p, t: np.minimum(
            np.round(process(p, t) / PROCESS_MARKS, 6), 1
        ),
        "plus_minus_points": total("plus_minus"),
        "monthly_points": lambda p, t: (
            p("base_indicator_points", t) * p("unit_factor", t) * p("process_coefficient", t)
            + p("plus_minus_points", t)
        ),
        "priced_points": lambda p, t: np.maximum(p("monthly_points", t), 0),
        "bonus": _bonus,
        "unit_price": lambda p, t: np.round(
            p("quota_pool", t) / p.branch.sum(p("priced_points", t)), 6
        ),
        "pay": lambda p, t: np.maximum(
            np.floor((p("fixed_pay", t) + p("bonus", t) + p("yuan_adjusted", t)) * 100 + 0.5) / 100,
            p("minimum_wage", t),
        ),
    }


def _unit_ratio(person: Any, period: Any) -> Any:
    """Completion of the team by the mean of the branch's teams, each once."""
    completion, part = person("unit_completion", period), 1 / person.team.nb_persons()
    return np.round(
        completion / (person.branch.sum(completion * part) / person.branch.sum(part)), 6
    )


def _unit_factor(person: Any, period: Any) -> Any:
    role = person("role", period)
    own, unit = (
        np.select([role == 0, role == 1], [a, b], c) for a, b, c in zip(*WEIGHTS, strict=True)
    )
    return own + unit * person("unit_ratio", period)


def _bonus(person: Any, period: Any) -> Any:
    """The pool by points, down to the cent; the cents left over go to the largest remainders."""
    points, pool = person("priced_points", period), person("quota_pool", period)
    exact = 100 * pool * points / person.branch.sum(points)
    cents = np.floor(exact)
    left = np.round(100 * pool - person.branch.sum(cents))
    return (cents + (person.get_rank(person.branch, cents - exact) < left)) / 100
