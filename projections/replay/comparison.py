"""比较: what an evaluation gives against another, or against what was settled or paid: who gains,
who loses, by which step.

The values have the names of their parts in the document: a comparison is written as it is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from domain.errors import Text
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Rulebook
    from projections.evaluation.branches import BranchEvaluation
    from projections.replay.causes import Causes, TotalCauses

K = TypeVar("K")
NOBODY: Mapping[str, str] = MappingProxyType({})
SUMMED = ("yuan", "point")  # units of steps whose differences are summed over people


class Baseline(NamedTuple):
    """What a branch is compared with: manager → steps, manager → team, the rules, the position.

    `program` is None where there is nothing to compare with: the branch was never settled.
    """

    steps: Mapping[str, Mapping[str, str]]
    teams: Mapping[str, str]
    program: Program | None
    position: int


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step whose figure differs; None: the person has no such figure on that side."""

    step: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One person's figures on both sides; None: the person is absent on that side."""

    manager: str
    branch: str
    team: str  # on the later side; of who is gone, the last
    period: str
    rulebook: str
    step: str  # the figure compared: pay, or the rulebook's last figure
    before: str | None
    after: str | None
    difference: Decimal  # after − before; who is absent on a side has 0 there
    steps: tuple[StepChange, ...]
    causes: Causes | None = None  # None: not asked for, or unknown
    why: Text | None = None  # who overtook the person, where only others have moved them


class ComparedBranch(NamedTuple):
    """A branch on both sides, and who differs."""

    evaluation: BranchEvaluation
    baseline: Baseline
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of both sides, and how many gain, lose and were evaluated."""

    before: Decimal
    after: Decimal
    difference: Decimal
    gainers: int
    losers: int
    managers: int


@dataclass(frozen=True, slots=True)
class PeriodTotals:
    """The totals of a period."""

    period: str
    before: Decimal
    after: Decimal
    difference: Decimal
    gainers: int
    losers: int
    managers: int


@dataclass(frozen=True, slots=True)
class BranchChange:
    """What a branch's people gain or lose in a period under a rulebook."""

    period: str
    branch: str
    rulebook: str
    difference: Decimal
    gainers: int
    losers: int


@dataclass(frozen=True, slots=True)
class TeamChange:
    """What a team's people gain or lose in a period under a rulebook."""

    period: str
    branch: str
    team: str
    rulebook: str
    difference: Decimal
    gainers: int
    losers: int


@dataclass(frozen=True, slots=True)
class StepTotal:
    """What a step's differences come to over all people, and for how many it differs."""

    rulebook: str
    step: str
    unit: str
    difference: Decimal
    people: int


@dataclass(frozen=True, slots=True)
class RefusedBranch:
    """A branch whose evaluation is refused, so that it is not compared."""

    period: str
    branch: str
    rulebook: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Totals, the same by period, branch, team and step, and everyone who differs: the greatest
    difference first.
    """

    against: str
    totals: Totals
    groups: list[BranchChange]
    teams: list[TeamChange]
    steps: list[StepTotal]
    series: list[PeriodTotals]
    differences: list[Difference]
    refused: list[RefusedBranch]
    causes: TotalCauses | None  # None: not asked for


def figure(text: str | None) -> Decimal:
    """A figure as an amount; an absent one is 0."""
    try:
        return Decimal(text or 0)
    except InvalidOperation:
        return Decimal(0)  # a word, such as a band: it differs, and has no amount


def figure_step(rules: Rulebook) -> str:
    """The step that people are compared by: pay, or the rulebook's last figure, as words have no
    amount.
    """
    figures = [step.step for step in rules.steps if step.unit != "text"]
    return "pay" if rules.pays else [rules.steps[-1].step, *figures][-1]


def compare(
    evaluation: BranchEvaluation,
    before: Mapping[str, Mapping[str, str]],
    teams: Mapping[str, str] = NOBODY,
) -> list[Difference]:
    """Everyone whose figures differ between the earlier side (manager → steps, manager → team) and
    the evaluation, by manager id.
    """
    rules = evaluation.program.rulebook
    step = figure_step(rules)
    after = {statement.manager: statement for statement in evaluation.statements}
    differences = []
    for manager in sorted({*before, *after}):
        statement = after.get(manager)
        old, new = before.get(manager, {}), statement.steps if statement else {}
        if old == new:
            continue
        differences.append(
            Difference(
                manager=manager,
                branch=evaluation.branch,
                team=statement.team if statement else teams.get(manager, ""),
                period=evaluation.period,
                rulebook=rules.id,
                step=step,
                before=old.get(step),
                after=new.get(step),
                difference=figure(new.get(step)) - figure(old.get(step)),
                steps=tuple(_step_changes(old, new)),
            )
        )
    return differences


def _step_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[StepChange]:
    """The steps of the later side that differ, then those that only the earlier side has."""
    changes = [
        StepChange(step, old.get(step), text) for step, text in new.items() if old.get(step) != text
    ]
    changes += [StepChange(step, text, None) for step, text in old.items() if step not in new]
    return changes


def compare_all(
    against: str,
    differences: Sequence[Difference],
    evaluations: Sequence[BranchEvaluation],
    before: Mapping[str, Decimal],
    other_programs: Iterable[Program] = (),
    causes: TotalCauses | None = None,
) -> Comparison:
    """The comparison of all branches and periods.

    `before`: the sum of each period on the earlier side. `other_programs`: those that only the
    earlier side was evaluated under.
    """
    people: dict[str, int] = defaultdict(int)
    for evaluation in evaluations:
        people[evaluation.period] += len(evaluation.statements)
    programs = {
        program.digest: program
        for program in (*other_programs, *(each.program for each in evaluations))
    }
    return Comparison(
        against=against,
        totals=_totals(sum(before.values(), Decimal(0)), differences, sum(people.values())),
        groups=_branch_changes(differences),
        teams=_team_changes(differences),
        steps=_step_totals(differences, programs.values()),
        series=_series(differences, before, people),
        differences=sorted(differences, key=lambda d: (-abs(d.difference), d.period, d.manager)),
        refused=[
            RefusedBranch(each.period, each.branch, each.program.rulebook.id)
            for each in evaluations
            if each.findings
        ],
        causes=causes,
    )


class _Change(NamedTuple):
    difference: Decimal
    gainers: int
    losers: int


def _change(differences: Iterable[Difference]) -> _Change:
    amounts = [each.difference for each in differences]
    return _Change(
        sum(amounts, Decimal(0)),
        sum(amount > 0 for amount in amounts),
        sum(amount < 0 for amount in amounts),
    )


def _totals(before: Decimal, differences: Iterable[Difference], people: int) -> Totals:
    change = _change(differences)
    return Totals(before, before + change.difference, *change, managers=people)


def _series(
    differences: Iterable[Difference], before: Mapping[str, Decimal], people: Mapping[str, int]
) -> list[PeriodTotals]:
    by_period = _grouped(differences, lambda d: d.period)
    series = []
    for period in sorted({*people, *before}):
        earlier = before.get(period, Decimal(0))
        change = _change(by_period.get(period, ()))
        later = earlier + change.difference
        series.append(PeriodTotals(period, earlier, later, *change, people.get(period, 0)))
    return series


def _branch_changes(differences: Iterable[Difference]) -> list[BranchChange]:
    groups = _grouped(differences, lambda d: (d.period, d.branch, d.rulebook))
    return [BranchChange(*key, *_change(group)) for key, group in groups.items()]


def _team_changes(differences: Iterable[Difference]) -> list[TeamChange]:
    groups = _grouped(differences, lambda d: (d.period, d.branch, d.team, d.rulebook))
    return [TeamChange(*key, *_change(group)) for key, group in groups.items()]


def _grouped(
    differences: Iterable[Difference], key: Callable[[Difference], K]
) -> dict[K, list[Difference]]:
    groups: dict[K, list[Difference]] = {}
    for difference in differences:
        groups.setdefault(key(difference), []).append(difference)
    return groups


def _step_totals(differences: Iterable[Difference], programs: Iterable[Program]) -> list[StepTotal]:
    """Of every step that makes a difference, in the order of the rulebook: pay comes last."""
    units = {
        (program.rulebook.id, step.step): step.unit
        for program in programs
        for step in program.rulebook.steps
    }
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    people: dict[tuple[str, str], int] = defaultdict(int)
    for difference in differences:
        for change in difference.steps:
            key = difference.rulebook, change.step
            if units.get(key) in SUMMED:
                sums[key] += figure(change.after) - figure(change.before)
                people[key] += 1
    return [
        StepTotal(*key, unit, sums[key], people[key])
        for key, unit in units.items()
        if key in people
    ]
