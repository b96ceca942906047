"""V3.0 as an OpenFisca user would write it: variables with numpy formulas, float32 as the engine has it."""

from __future__ import annotations

from typing import Any

import numpy as np
from openfisca_core.entities import Entity, GroupEntity
from openfisca_core.periods import MONTH
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from benchmarks.branches import BRANCH, TEAM, Province
from domain.rulebook.model import Rulebook

MONTH_ASKED = "2026-10"
BASE = {8: 1275, 7: 1150, 6: 1025, 5: 800, 4: 655}
POINTS = np.array([1200, 1000, 800, 600])


def system(book: Rulebook, names: list[str]) -> TaxBenefitSystem:
    """The scheme's variables: inputs by their names (dots become underscores), and the steps."""
    person = Entity("person", "persons", "", "")
    groups = [GroupEntity(name, f"{name}s", "", "", roles=[{"key": "member"}]) for name in ("branch", "team")]
    made = TaxBenefitSystem([person, *groups])

    def add(name: str, formula: Any = None) -> None:
        body = {"value_type": float, "entity": person, "definition_period": MONTH, "label": name}
        made.add_variable(type(name, (Variable,), body | ({"formula": formula} if formula else {})))

    for name in names:
        add(plain(name))
    add("grade")
    for name, formula in _formulas(book).items():
        add(name, formula)
    return made


def plain(name: str) -> str:
    """A name that OpenFisca takes."""
    return name.replace(".", "_")


def _formulas(book: Rulebook) -> dict[str, Any]:
    def asking(*names: str) -> Any:
        return lambda person, period: [person(name, period) for name in names]

    def of(group: str) -> list[str]:
        return [plain(f"{group}.{item}") for item in book.inputs[group].items or {}]

    def weighted(group: str, table: str) -> Any:
        scores = [int(value) for value in book.tables[table].column("").values()]
        return lambda p, t: sum(p(name, t) * score for name, score in zip(of(group), scores, strict=True))

    def missed(person: Any, period: Any) -> Any:
        count = 0
        for sold, target in zip(of("kpi_sales"), of("target"), strict=True):
            sums = person.team.sum(person.team.members(sold, period))
            count = count + (sums / person(target, period) < 0.6)
        return count

    def barred(person: Any, period: Any) -> Any:
        count, accountable, raw = asking("kpi_missed", "provincial_accountability", "raw_deduction")(person, period)
        return (count >= 2) | (accountable > 0) | (raw > 300)

    return {
        "base_points": lambda p, t: np.select([p("grade", t) == g for g in BASE], list(BASE.values())),
        "raw_deduction": lambda p, t: sum(p(name, t) for name in of("deductions")),
        "deduction": lambda p, t: np.minimum(p("raw_deduction", t), np.minimum(p("base_points", t), 1000)),
        "position_points": lambda p, t: p("base_points", t) - p("deduction", t),
        "gs_score": lambda p, t: sum(p(name, t) for name in of("gs_ratings")) / 4,
        "kpi_missed": missed,
        "gs_barred": barred,
        "gs_rank": lambda p, t: 1 + p.get_rank(p.branch, -p("gs_score", t)),
        "gs_tier": _tier,
        "gs_points": lambda p, t: POINTS[p("gs_tier", t).astype(int) - 1],
        "kpi_points": weighted("kpi_sales", "kpi_scores"),
        "deep_points": weighted("deep_sales", "deep_scores"),
        "industry_points": weighted("industry_sales", "industry_scores"),
        "performance_raw": lambda p, t: p("kpi_points", t) + p("deep_points", t) + p("industry_points", t),
        "performance_points": lambda p, t: np.clip(p("performance_raw", t), 0, 8000),
        "total_points": lambda p, t: p("position_points", t) + p("gs_points", t) + p("performance_points", t),
        "pay_before_floor": lambda p, t: np.floor(p("total_points", t) * 100 + 0.5) / 100,
        "pay": lambda p, t: np.maximum(p("pay_before_floor", t), p("minimum_wage", t)),
    }


def _tier(person: Any, period: Any) -> Any:
    """Branches of 40: seats 4, 8, 24, 4; who is barred is passed over for the first two."""
    barred = person("gs_barred", period) > 0
    rank = person("gs_rank", period)
    free = person.get_rank(person.branch, rank, condition=~barred)
    tier = np.where(barred, 0, np.where(free < 4, 1, np.where(free < 12, 2, 0)))
    left = 12 - np.minimum(person.branch.sum(~barred), 12)
    rest = person.get_rank(person.branch, rank, condition=tier == 0)
    return np.where(tier == 0, np.where(rest < 24 + left, 3, 4), tier)


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
        simulation.set_input(plain(name), MONTH_ASKED, column.data / 10**column.places)
    simulation.set_input("grade", MONTH_ASKED, given.people.grade.data)
    return simulation
