"""归因推演: the steps from one side of a comparison to the other, which give each part of a
difference.

The parts are taken in a fixed order, each as the figure with it less the figure before it, so that
they add up:

    before → new rules → + own entries → + own reversals → everyone's: after

A person's own are the entries about them, and the measures of their branch and teams; an entry that
was recorded and reversed since leaves no trace. What rules and facts do only together falls to the
part that is taken later.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from projections.replay.causes import Attributed, Causes, Unattributed
from projections.replay.comparison import figure, figure_step
from projections.replay.one_person import OtherFacts, evaluate_with_other_facts
from projections.replay.overtaking import OvertakingReasons, moving_calls
from projections.replay.scenarios import (
    Outcome,
    Scenario,
    evaluate_scenarios,
    load_facts,
    rows_by_branch,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.errors import Finding
    from domain.evaluation.columns import Mask
    from domain.identifiers import Period
    from domain.rulebook.checks import Program
    from projections.evaluation.branches import Evaluator
    from projections.replay.comparison import ComparedBranch, Difference
    from projections.replay.scenarios import BranchRows, LaterSide, PeriodFacts


def attribute(
    evaluator: Evaluator, period: Period, later: LaterSide, compared: Sequence[ComparedBranch]
) -> Attributed:
    """The causes of the differences of branches that are evaluated under one program, as of one
    position.
    """
    result = Attributed()
    sides = [side for side in compared if side.differences]
    for side in sides:
        if side.baseline.program is None:
            result.unattributed.append(_unattributed(side, None, "baseline", ()))
    sides = [side for side in sides if side.baseline.program is not None]
    if sides:
        _Attribution(evaluator, period, later, sides, result).run()
    return result


def _unattributed(
    side: ComparedBranch, manager: str | None, part: str, findings: tuple[Finding, ...]
) -> Unattributed:
    evaluation = side.evaluation
    rulebook = evaluation.program.rulebook.id
    return Unattributed(evaluation.period, evaluation.branch, rulebook, manager, part, findings)


class _Own(NamedTuple):
    """Whose facts have changed in a branch's scenario: a person's (0: nobody's), and of teams."""

    branch: str
    manager: int
    name: str  # where the person's entries or earlier statements have changed, "" otherwise
    teams: tuple[int, ...]
    of_branch: bool  # whether measures of the branch have changed


_Figure = Decimal | tuple["Finding", ...]  # or why there is none


class _Attribution:
    """The attribution for the branches of one program; what it finds goes into `result`."""

    def __init__(
        self,
        evaluator: Evaluator,
        period: Period,
        later: LaterSide,
        sides: Sequence[ComparedBranch],
        result: Attributed,
    ) -> None:
        self.evaluator, self.period, self.result = evaluator, period, result
        self.program: Program = sides[0].evaluation.program
        self.step = figure_step(self.program.rulebook)
        self.sides = {side.evaluation.branch: side for side in sides}
        positions = {branch: side.baseline.position for branch, side in self.sides.items()}
        self.facts: PeriodFacts = load_facts(
            evaluator, self.programs(), period, list(self.sides), max(positions.values()), later
        )
        self.rows: dict[str, BranchRows] = rows_by_branch(self.facts, positions)
        self.restated = {
            branch: self.people_with_other_statements(rows) for branch, rows in self.rows.items()
        }
        self.own_figures: dict[tuple[_Own, str], dict[str, _Figure]] = {}
        self.new_rules: dict[str, Outcome] = {}  # with the facts of the earlier side
        self.old_rules: dict[str, Outcome] = {}  # with the facts of the later side

    def programs(self) -> list[Program]:
        """The new rules, and all that the earlier sides were evaluated under."""
        programs = {self.program.digest: self.program}
        for side in self.sides.values():
            if side.baseline.program:
                programs[side.baseline.program.digest] = side.baseline.program
        return list(programs.values())

    def run(self) -> None:
        """Evaluates what lies between the two sides, and attributes every difference."""
        own = {branch: dict(self.own_facts(side)) for branch, side in self.sides.items()}
        changed = [self.rows[branch] for branch in self.sides if self.has_changed(branch)]
        under_new_rules = [rows for rows in changed if self.has_new_rules(rows.branch)]
        moved = self.people_moved_by_others(changed, own)
        self.evaluate_new_rules(
            [rows.branch for rows in under_new_rules]
            + [branch for branch in self.sides if own[branch] or branch in moved]
        )
        self.evaluate_own_facts(own)
        self.evaluate_old_rules(under_new_rules)
        for branch, side in self.sides.items():
            self.attribute_branch(side, own[branch])
        self.explain_moves(moved)

    def evaluate(self, program: Program, scenarios: Iterable[Scenario]) -> Iterator[Outcome]:
        return evaluate_scenarios(self.evaluator, program, self.period, self.facts, list(scenarios))

    def evaluate_new_rules(self, branches: Iterable[str]) -> None:
        """The new rules with the facts of the earlier side."""
        rows = [self.rows[branch] for branch in dict.fromkeys(branches)]
        for outcome in self.evaluate(self.program, [Scenario(each, each.before) for each in rows]):
            self.new_rules[outcome.branch] = outcome

    def evaluate_old_rules(self, branches: Sequence[BranchRows]) -> None:
        """The old rules with the facts of the later side."""
        by_program: dict[str, tuple[Program, list[BranchRows]]] = {}
        for rows in branches:
            program = self.sides[rows.branch].baseline.program
            assert program is not None
            by_program.setdefault(program.digest, (program, []))[1].append(rows)
        for program, listed in by_program.values():
            scenarios = [Scenario(rows, rows.after, None) for rows in listed]
            for outcome in self.evaluate(program, scenarios):
                self.old_rules[outcome.branch] = outcome

    def has_new_rules(self, branch: str) -> bool:
        before = self.sides[branch].baseline.program
        return before is not None and before.digest != self.program.digest

    def has_changed(self, branch: str) -> bool:
        """Whether any fact of the branch counts for one side only."""
        rows = self.rows.get(branch)
        return rows is not None and (bool(rows.changed.any()) or bool(self.restated[branch]))

    def people_with_other_statements(self, rows: BranchRows) -> set[str]:
        """Whose earlier statements, where the rulebook reads them, say something else by now."""
        if not self.facts.earlier:
            return set()
        numbers = np.unique(rows.manager).tolist()
        names = {self.facts.symbols[number] for number in numbers if number}
        now, then = self.facts.position, rows.position
        return {
            name
            for name in names
            if self.facts.statements_of(name, now) != self.facts.statements_of(name, then)
        }

    # whose own facts have changed

    def own_facts(self, side: ComparedBranch) -> Iterator[tuple[str, _Own]]:
        """Everyone who differs and of whose own facts some count for one side only."""
        branch = side.evaluation.branch
        if not self.has_changed(branch):
            return
        rows = self.rows[branch]
        measures = rows.changed & (rows.manager == 0)
        of_branch = bool((measures & (rows.team == 0)).any())
        people = self.numbers_by_name(rows.manager[rows.changed].tolist())
        teams = self.numbers_by_name(rows.team[measures].tolist())
        after = self.teams_after(side) if teams else {}
        restated = self.restated[branch]
        for difference in side.differences:
            name = difference.manager
            own_teams = {side.baseline.teams.get(name), after.get(name)} & {*teams}
            numbers = tuple(sorted(teams[team] for team in own_teams if team is not None))
            number = people.get(name, 0)
            if number or numbers or of_branch or name in restated:
                named = name if number or name in restated else ""
                yield name, _Own(branch, number, named, numbers, of_branch)

    def numbers_by_name(self, numbers: Iterable[int]) -> dict[str, int]:
        """Texts of symbols and their numbers, without 0."""
        return {self.facts.symbols[number]: number for number in {*numbers} - {0}}

    def teams_after(self, side: ComparedBranch) -> dict[str, str]:
        """Everyone's team on the later side."""
        return {each.manager: each.team for each in side.evaluation.statements}

    def evaluate_own_facts(self, own: dict[str, dict[str, _Own]]) -> None:
        """The figures of everyone in scenarios where only their own facts have changed."""
        sharing: dict[_Own, list[str]] = defaultdict(list)
        for by_name in own.values():
            for name, facts in by_name.items():
                sharing[facts].append(name)
        whole: list[tuple[_Own, str, Scenario]] = []
        alone: list[tuple[_Own, str, OtherFacts]] = []
        for facts in sharing:
            for part, scenario in self.own_scenarios(facts):
                if self.is_later_side(scenario):
                    after = self.figures_after(facts.branch)
                    self.own_figures[facts, part] = {name: after[name] for name in sharing[facts]}
                elif (change := self.change_of_one(facts, scenario)) is not None:
                    alone.append((facts, part, change))
                else:
                    whole.append((facts, part, scenario))
        outcomes = self.evaluate(self.program, [scenario for *_, scenario in whole])
        self.keep_own_figures([key[:2] for key in whole], outcomes, sharing)
        outcomes = evaluate_with_other_facts(
            self.evaluator,
            self.program,
            self.period,
            self.facts,
            [change for *_, change in alone],
        )
        self.keep_own_figures([key[:2] for key in alone], outcomes, sharing)

    def keep_own_figures(
        self,
        keys: Sequence[tuple[_Own, str]],
        outcomes: Iterable[Outcome],
        sharing: dict[_Own, list[str]],
    ) -> None:
        """The figures of these outcomes, or their findings."""
        for (facts, part), outcome in zip(keys, outcomes, strict=True):
            self.own_figures[facts, part] = {
                name: outcome.findings or self.figure_in(outcome, name) for name in sharing[facts]
            }

    def figures_after(self, branch: str) -> dict[str, Decimal]:
        """The later figure of everyone who differs."""
        return {each.manager: figure(each.after) for each in self.sides[branch].differences}

    def change_of_one(self, own: _Own, scenario: Scenario) -> OtherFacts | None:
        """The branch under the new rules with this person's other facts.

        None where more has changed than the person's entries.
        """
        whole, rows = self.new_rules.get(own.branch), scenario.rows
        if whole is None or whole.findings or self.facts.earlier:
            return None
        if not own.manager or own.teams or own.of_branch:
            return None
        alone = scenario.counts & ((rows.manager == own.manager) | (rows.manager == 0))
        return OtherFacts(whole, own.name, Scenario(rows, alone))

    def is_later_side(self, scenario: Scenario) -> bool:
        """Whether nothing else has changed, so that the scenario is the later side itself."""
        restated = self.restated[scenario.rows.branch]
        differs = _differ(scenario.counts, scenario.rows.after)
        return not differs and restated <= (scenario.later or frozenset())

    def own_scenarios(self, own: _Own) -> Iterator[tuple[str, Scenario]]:
        """With the own entries, then with the own reversals too: each only where there are any."""
        rows = self.rows[own.branch]
        about = rows.about(own.manager, own.teams)
        later = frozenset({own.name} - {""})
        entries = np.where(about, rows.with_entries, rows.before)
        reversals = np.where(about, rows.after, rows.before)
        if later & self.restated[own.branch] or _differ(entries, rows.before):
            yield "entries", Scenario(rows, entries, later)
        if _differ(entries, reversals):
            yield "reversals", Scenario(rows, reversals, later)

    # the parts

    def attribute_branch(self, side: ComparedBranch, own: dict[str, _Own]) -> None:
        """Everyone's parts; where no fact has changed, the rules alone make the difference."""
        branch = side.evaluation.branch
        outcome, has_new_rules = self.new_rules.get(branch), self.has_new_rules(branch)
        if has_new_rules and outcome is not None and outcome.findings:
            self.refuse(side, None, "rule", outcome.findings)
            return
        old_rules = self.old_rules.get(branch)
        if old_rules is not None and old_rules.findings:
            self.refuse(side, None, "interaction", old_rules.findings)
        for difference in side.differences:
            manager = difference.manager
            before, after = figure(difference.before), figure(difference.after)
            ruled = before
            if has_new_rules:
                ruled = after if outcome is None else self.figure_in(outcome, manager)
            interaction: Decimal | None = Decimal(0)
            if has_new_rules and old_rules is not None:
                rules_last = after - self.figure_in(old_rules, manager)
                interaction = None if old_rules.findings else rules_last - (ruled - before)
            figures = before, ruled, after
            self.attribute_one(side, difference, figures, own.get(manager), interaction)

    def figure_in(self, outcome: Outcome, manager: str) -> Decimal:
        """A person's figure in an outcome."""
        return figure(outcome.text(manager, self.step))

    def attribute_one(
        self,
        side: ComparedBranch,
        difference: Difference,
        figures: tuple[Decimal, Decimal, Decimal],
        own: _Own | None,
        interaction: Decimal | None,
    ) -> None:
        """One person's parts, unless an evaluation between the sides is refused.

        `figures`: before, under the new rules, after.
        """
        before, reached, after = figures
        parts = [reached - before]
        for part in ("entries", "reversals"):
            then: _Figure = reached
            if own is not None:
                then = self.own_figures.get((own, part), {}).get(difference.manager, reached)
            if isinstance(then, tuple):
                self.refuse(side, difference.manager, part, then)
                return
            parts.append(then - reached)
            reached = then
        key = side.evaluation.branch, difference.manager
        rule, entries, reversals = parts
        self.result.causes[key] = Causes(rule, entries, reversals, after - reached, interaction)

    def refuse(
        self, side: ComparedBranch, manager: str | None, part: str, findings: tuple[Finding, ...]
    ) -> None:
        self.result.unattributed.append(_unattributed(side, manager, part, findings))

    # why others moved somebody

    def people_moved_by_others(
        self, changed: Sequence[BranchRows], own: dict[str, dict[str, _Own]]
    ) -> dict[str, list[str]]:
        """By branch, everyone who differs and whom only others can have moved."""
        moved: dict[str, list[str]] = {}
        if not moving_calls(self.program):
            return moved
        for rows in changed:
            branch = rows.branch
            managers = (each.manager for each in self.sides[branch].differences)
            if names := [name for name in managers if name not in own[branch]]:
                moved[branch] = names
        return moved

    def explain_moves(self, moved: dict[str, list[str]]) -> None:
        """Who overtook them in a rank or a distribution, or whose weight in a share has changed."""
        reasons = OvertakingReasons()
        for branch, names in moved.items():
            before = self.new_rules[branch]
            if before.findings:
                continue
            for name, text in reasons.find(before, self.later_outcome(branch), names):
                self.result.reasons[branch, name] = text

    def later_outcome(self, branch: str) -> Outcome:
        """The later side itself."""
        evaluation = self.sides[branch].evaluation.columns
        assert evaluation is not None
        people = evaluation.people
        code = people.branches.index(branch) if branch in people.branches else len(people.branches)
        low, high = np.searchsorted(people.branch, [code, code + 1]).tolist()
        return Outcome(branch, evaluation, low, high)


def _differ(a: Mask, b: Mask) -> bool:
    return bool((a != b).any())
