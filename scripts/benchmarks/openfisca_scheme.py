"""V3.0 as an OpenFisca user would write it: a variable for each input and each step, numpy formulas
over them.

Ranks are `get_rank`, group figures `sum` and `nb_persons` of an entity, choices `np.where` and
`np.select`; amounts are floats of 32 bits, as the engine has them, flags and places their own
types. What only a refusal could say is left out: bounds of ratings and an order that is final for
some of a branch alone. The scheme's figures stand in the formulas, where its users would read
parameters, which takes longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from openfisca_core.entities import Entity, GroupEntity
from openfisca_core.periods import MONTH
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from benchmarks.branches import BRANCH, TEAM, Province
from benchmarks.openfisca_piece_rate import piece_rate
from domain.evaluation.columns import Column
from domain.rulebook.model import Rulebook

MONTH_ASKED = "2026-10"
BASE = {8: 1275, 7: 1150, 6: 1025, 5: 800, 4: 655}
POINTS = np.array([1200, 1000, 800, 600])
TYPES = {"kpi_missed": bool, "barred": bool, "gs_barred": bool, "gs_rank": int, "gs_tier": int}


def system(book: Rulebook) -> TaxBenefitSystem:
    """The scheme's variables: inputs and steps by their names (dots become underscores)."""
    person = Entity("person", "persons", "", "")
    groups = [
        GroupEntity(name, f"{name}s", "", "", roles=[{"key": "member"}])
        for name in ("branch", "team")
    ]
    made = TaxBenefitSystem([person, *groups])

    def add(name: str, formula: Any = None) -> None:
        kind = next((kind for start, kind in TYPES.items() if name.startswith(start)), float)
        body = {"value_type": kind, "entity": person, "definition_period": MONTH, "label": name}
        made.add_variable(type(name, (Variable,), body | ({"formula": formula} if formula else {})))

    for name in (
        "grade",
        "role",
        *(plain(n) for group in book.inputs for n in members(book, group)),
    ):
        add(name)
    for name, formula in (
        piece_rate(book) if "base_marks" in book.tables else _formulas(book)
    ).items():
        add(name, formula)
    return made


def members(book: Rulebook, name: str) -> list[str]:
    """The items of an input, or the input itself."""
    items = book.inputs[name].items
    return [name] if items is None else [f"{name}.{item}" for item in items]


def plain(name: str) -> str:
    """A name that OpenFisca takes."""
    return name.replace(".", "_")


def _formulas(book: Rulebook) -> dict[str, Any]:
    kpis = list(book.inputs["kpi_sales"].items or {})

    def of(group: str) -> list[str]:
        return [plain(name) for name in members(book, group)]

    def weighted(group: str, table: str) -> Any:
        scores = [int(value) for value in book.tables[table].column("").values()]
        return lambda p, t: sum(
            p(name, t) * score for name, score in zip(of(group), scores, strict=True)
        )

    def completion(item: str) -> Any:
        def formula(person: Any, period: Any) -> Any:
            target = person(f"target_{item}", period)
            sold = person.team.sum(person.team.members(f"kpi_sales_{item}", period))
            return np.where(target > 0, np.round(sold / np.where(target > 0, target, 1), 6), np.inf)

        return formula

    def missed(item: str) -> Any:
        return lambda p, t: p(f"kpi_completion_{item}", t) < 0.6

    return {
        "base_points": lambda p, t: np.select(
            [p("grade", t) == g for g in BASE], list(BASE.values())
        ),
        "raw_deduction": lambda p, t: sum(p(name, t) for name in of("deductions")),
        "deduction_cap": lambda p, t: np.minimum(p("base_points", t), 1000),
        "deduction": lambda p, t: np.minimum(p("raw_deduction", t), p("deduction_cap", t)),
        "position_points": lambda p, t: p("base_points", t) - p("deduction", t),
        "gs_score": lambda p, t: sum(p(name, t) for name in of("gs_ratings")) / 4,
        "team_rank": lambda p, t: p("team_order", t),
        **{f"kpi_completion_{item}": completion(item) for item in kpis},
        **{f"kpi_missed_{item}": missed(item) for item in kpis},
        "barred_by_team": lambda p, t: (
            sum(p(f"kpi_missed_{item}", t).astype(int) for item in kpis) >= 2
        ),
        "barred_by_province": lambda p, t: p("provincial_accountability", t) > 0,
        "barred_by_deduction": lambda p, t: p("raw_deduction", t) > 300,
        "gs_barred": lambda p, t: (
            p("barred_by_team", t) | p("barred_by_province", t) | p("barred_by_deduction", t)
        ),
        "gs_rank": _rank,
        "gs_tier": _tier,
        "gs_points": lambda p, t: POINTS[p("gs_tier", t) - 1] * (1 + p("gs_adjustment", t)),
        "kpi_points": weighted("kpi_sales", "kpi_scores"),
        "deep_points": weighted("deep_sales", "deep_scores"),
        "industry_points": weighted("industry_sales", "industry_scores"),
        "performance_raw": lambda p, t: (
            p("kpi_points", t) + p("deep_points", t) + p("industry_points", t)
        ),
        "performance_points": lambda p, t: np.clip(p("performance_raw", t), 0, 8000),
        "adjustment_points": lambda p, t: p("points_adjusted", t),
        "total_points": lambda p, t: (
            p("position_points", t)
            + p("gs_points", t)
            + p("performance_points", t)
            + p("adjustment_points", t)
        ),
        "pay_before_floor": lambda p, t: (
            np.floor((p("total_points", t) + p("yuan_adjusted", t)) * 100 + 0.5) / 100
        ),
        "pay": lambda p, t: np.maximum(p("pay_before_floor", t), p("minimum_wage", t)),
    }


def _rank(person: Any, period: Any) -> Any:
    """By the final order where everyone of the branch has a place in it, else by the score."""
    final = person("final_rank", period)
    fixed = person.branch.sum(final > 0) == person.branch.nb_persons()
    return 1 + person.get_rank(person.branch, np.where(fixed, final, -person("gs_score", period)))


def _tier(person: Any, period: Any) -> Any:
    """Seats are 10 %, 20 %, 60 % and 10 %; who is barred is passed over for the first two; the
    third takes the rest.
    """
    barred, rank = person("gs_barred", period), person("gs_rank", period)
    people = person.branch.nb_persons()
    first, second, last = (
        np.maximum(np.floor(people * share + 0.5), 1) for share in (0.1, 0.2, 0.1)
    )
    free = person.get_rank(person.branch, rank, condition=~barred)
    tier = np.select([barred, free < first, free < first + second], [0, 1, 2], 0)
    rest = person.get_rank(person.branch, rank, condition=tier == 0)
    third = people - person.branch.sum(tier > 0) - last
    return np.where(tier == 0, np.where(rest < third, 3, 4), tier)


def prepare(made: TaxBenefitSystem, given: Province) -> Any:
    """A simulation with its inputs set."""
    size = len(given.people)
    builder = SimulationBuilder()
    builder.create_entities(made)
    builder.declare_person_entity("person", np.arange(size))
    for name, people in (("branch", BRANCH), ("team", TEAM)):
        group = builder.declare_entity(name, np.arange((size + people - 1) // people))
        builder.join_with_persons(group, np.arange(size) // people, np.full(size, "member"))
    simulation = builder.build(made)
    for name, column in given.columns.items():
        assert isinstance(column, Column)
        simulation.set_input(plain(name), MONTH_ASKED, column.data / 10**column.places)
    simulation.set_input("grade", MONTH_ASKED, given.people.grade.data)
    simulation.set_input("role", MONTH_ASKED, given.people.role.codes)
    return simulation
