"""比较: what an evaluation gives against another, or against what was settled: who gains, who
loses, by which step.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from domain.errors import Text
    from domain.evaluation.statements import Statement
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Rulebook
    from projections.evaluation.branches import BranchEvaluation
    from projections.replay.causes import Causes

NOBODY: Mapping[str, str] = MappingProxyType({})
SUMMED = ("yuan", "point")  # units of steps whose differences are summed over people


class Baseline(NamedTuple):
    """What a branch is compared with: manager → steps, their teams, under which rules and as of
    which position.

    `program` is None where there is nothing to compare with, such as a branch that was never
    settled.
    """

    steps: Mapping[str, Mapping[str, str]]
    teams: Mapping[str, str]
    program: Program | None
    position: int


@dataclass(frozen=True)
class Difference:
    """One person's figures on both sides; None: not there."""

    manager: str
    branch: str
    period: str
    rulebook: str
    step: str  # the figure compared: pay, or the rulebook's last figure
    before: str | None
    after: str | None
    steps: tuple[tuple[str, str | None, str | None], ...]  # that differ
    teams: tuple[str, ...] = ("",)  # the person's, the earlier side's first
    causes: Causes | None = None  # None: not asked for, or not to be told
    why: Text | None = None  # for whom only others moved: who came past them

    @cached_property
    def amount(self) -> Decimal:
        """After − before; who is absent on a side has 0 there."""
        return figure(self.after) - figure(self.before)

    @property
    def team(self) -> str:
        """The person's team; of who is gone, the last."""
        return self.teams[-1]

    def as_json(self) -> dict[str, Any]:
        """The difference as data."""
        return {
            "manager": self.manager,
            "branch": self.branch,
            "team": self.team,
            "period": self.period,
            "rulebook": self.rulebook,
            "step": self.step,
            "before": self.before,
            "after": self.after,
            "difference": plain(self.amount),
            "causes": self.causes.as_json() if self.causes else None,
            "why": {"zh": self.why.zh, "en": self.why.en} if self.why else None,
            "steps": [{"step": s, "before": b, "after": a} for s, b, a in self.steps],
        }


def figure(text: str | None) -> Decimal:
    """A figure as an amount; what is not there is 0."""
    try:
        return Decimal(text or 0)
    except InvalidOperation:
        return Decimal(0)  # a word, such as a band: it differs, and has no amount


def figure_step(rules: Rulebook) -> str:
    """The step that people are compared by: pay, or the rulebook's last figure; words have no
    amount.
    """
    figures = [step.step for step in rules.steps if step.unit != "text"]
    return "pay" if rules.pays else [rules.steps[-1].step, *figures][-1]


def compare(
    evaluation: BranchEvaluation,
    before: Mapping[str, Mapping[str, str]],
    teams: Mapping[str, str] = NOBODY,
) -> list[Difference]:
    """Everyone whose figures differ between what was before (manager → steps, teams) and the
    evaluation.
    """
    rules = evaluation.program.rulebook
    step = figure_step(rules)
    after = {statement.manager: statement for statement in evaluation.statements}
    found = []
    for manager in sorted({*before, *after}):
        statement = after.get(manager)
        old, new = before.get(manager, {}), statement.steps if statement else {}
        if old == new:
            continue
        changed: list[tuple[str, str | None, str | None]]
        changed = [
            (name, old.get(name), text) for name, text in new.items() if old.get(name) != text
        ]
        changed += [(name, text, None) for name, text in old.items() if name not in new]
        where = manager, evaluation.branch, evaluation.period, rules.id
        found.append(
            Difference(
                *where,
                step,
                old.get(step),
                new.get(step),
                tuple(changed),
                _teams(teams.get(manager), statement),
            )
        )
    return found


def _teams(before: str | None, after: Statement | None) -> tuple[str, ...]:
    """The person's teams, without saying one twice."""
    if after is None:
        return (before or "",)
    return (after.team,) if before in {None, after.team} else (before or "", after.team)


def summary(
    against: str,
    differences: Sequence[Difference],
    evaluations: Sequence[BranchEvaluation],
    before: Mapping[str, Decimal],
    others: Iterable[Program] = (),
) -> dict[str, Any]:
    """The comparison as data: totals, gainers and losers, by period, branch and team, and everyone
    who differs.

    `before`: Σ of each period; `others`: programs that only the other side was evaluated under.
    """
    people: dict[str, int] = defaultdict(int)
    for evaluation in evaluations:
        people[evaluation.period] += len(evaluation.statements)
    programs = {program.digest: program for program in (*others, *(e.program for e in evaluations))}
    total = _totals(sum(before.values(), Decimal(0)), differences, sum(people.values()))
    by_period = _grouped(differences, lambda d: (d.period,))
    periods = sorted({*people, *before})
    return {
        "against": against,
        "totals": total,
        "groups": _groups(differences, ("period", "branch", "rulebook")),
        "teams": _groups(differences, ("period", "branch", "team", "rulebook")),
        "steps": _steps(differences, programs.values()),
        "series": [
            {"period": p} | _totals(before.get(p, Decimal(0)), by_period.get((p,), ()), people[p])
            for p in periods
        ],
        "differences": [
            d.as_json()
            for d in sorted(differences, key=lambda d: (-abs(d.amount), d.period, d.manager))
        ],
    }


def _grouped(
    differences: Iterable[Difference], key: Callable[[Difference], tuple[str, ...]]
) -> dict[tuple[str, ...], list[Difference]]:
    groups: dict[tuple[str, ...], list[Difference]] = {}
    for difference in differences:
        groups.setdefault(key(difference), []).append(difference)
    return groups


def _change(of: Iterable[Difference]) -> dict[str, Any]:
    amounts = [difference.amount for difference in of]
    return {
        "difference": plain(sum(amounts, Decimal(0))),
        "gainers": sum(amount > 0 for amount in amounts),
        "losers": sum(amount < 0 for amount in amounts),
    }


def _totals(before: Decimal, of: Sequence[Difference], people: int) -> dict[str, Any]:
    change = _change(of)
    sums = {"before": plain(before), "after": plain(before + Decimal(change["difference"]))}
    return sums | change | {"managers": people}


def _groups(differences: Iterable[Difference], names: tuple[str, ...]) -> list[dict[str, Any]]:
    groups = _grouped(differences, lambda d: tuple(getattr(d, name) for name in names))
    return [dict(zip(names, key, strict=True)) | _change(of) for key, of in groups.items()]


def _steps(differences: Iterable[Difference], programs: Iterable[Program]) -> list[dict[str, Any]]:
    """Which steps made the difference: what each comes to over all people, and for how many; pay
    comes last.
    """
    units = {
        (program.rulebook.id, step.step): step.unit
        for program in programs
        for step in program.rulebook.steps
    }
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    people: dict[tuple[str, str], int] = defaultdict(int)
    for difference in differences:
        for step, before, after in difference.steps:
            key = difference.rulebook, step
            if units.get(key) in SUMMED:
                sums[key] += figure(after) - figure(before)
                people[key] += 1
    return [
        {
            "rulebook": key[0],
            "step": key[1],
            "unit": unit,
            "difference": plain(sums[key]),
            "people": people[key],
        }
        for key, unit in units.items()
        if key in people
    ]
