"""职级的晋升及淘汰: who of a branch stands for promotion and who for exit, by what was settled.

Which figure of a statement says so is data: the section `standing` of its rulebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.rulebook.model import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.errors import Text
    from domain.identifiers import Period
    from domain.rulebook.model import Rulebook, Step
    from projections.models import ReadModels
    from projections.records.statements import Issued


class Figure(NamedTuple):
    """A figure of the statement, in the order of its rulebook."""

    step: str
    label: Text
    value: str
    unit: str


class Candidate(NamedTuple):
    """Somebody who stands for promotion or exit: by which figure, and the statement behind it."""

    outcome: str  # promotion or exit
    manager: str
    team: str
    rulebook: str
    version: str
    statement: int  # the number of the statement version
    step: str
    label: Text
    clause: str
    value: str
    figures: list[Figure]


def find_candidates(models: ReadModels, branch: str, period: Period) -> list[Candidate]:
    """Who stands for promotion, then who for exit, by the last settlement under each rulebook.

    In the order of rulebooks as they were settled, then of people.
    """
    last = {s.rulebook: s for s in models.statements.settlements(str(period), branch)}
    candidates: list[Candidate] = []
    for settlement in last.values():
        rules = models.rulebooks.find(settlement.rulebook, settlement.version).rulebook
        if rules.standing:
            for issued in models.statements.of_settlement(settlement):
                candidates += _candidates_of(issued, rules)
    return sorted(candidates, key=lambda candidate: OUTCOMES.index(candidate.outcome))


def _candidates_of(issued: Issued, rules: Rulebook) -> list[Candidate]:
    steps = {step.step: step for step in rules.steps}
    found = []
    for outcome, standing in rules.standing.items():
        value = issued.steps.get(standing.step, "")
        if value in standing.values:
            found.append(_candidate(outcome, issued, steps[standing.step], value, rules.steps))
    return found


def _candidate(
    outcome: str, issued: Issued, step: Step, value: str, steps: Sequence[Step]
) -> Candidate:
    figures = [
        Figure(one.step, one.label.text, issued.steps[one.step], one.unit)
        for one in steps
        if one.step in issued.steps
    ]
    return Candidate(
        outcome,
        issued.manager,
        issued.team,
        issued.rulebook,
        issued.version,
        issued.number,
        step.step,
        step.label.text,
        step.clause,
        value,
        figures,
    )
