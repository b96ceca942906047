"""旁置推演: branches as they would be if only some of the facts counted, many in one evaluation.

A scenario is a branch with a choice of fact rows. Scenarios stand side by side as branches of their
own: each gets numbers of its own for its people and itself, so that one person may be in any number
of them, with other entries in each.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.evaluation.context import Evaluation
from domain.evaluation.evaluator import evaluate
from domain.evaluation.statements import findings_of
from domain.identifiers import Month
from projections.facts.counting import counting, counting_reversals, inputs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from domain.errors import Finding
    from domain.evaluation.columns import Ints, Mask
    from domain.evaluation.ledger_inputs import LedgerInputs, SettledFigure
    from domain.evaluation.people import People
    from domain.identifiers import Period
    from domain.rulebook.checks import Program
    from projections.evaluation.branches import Evaluator, Loaded, WhatIf
    from projections.facts.counting import Rows
    from projections.records.statements import Stood

MAX_ROWS = 500_000  # fact rows of one evaluation: what bounds the memory
MARK = "\0"  # in no id; behind a person's id it keeps the order of ids
# (rulebook, step) → month → manager → what stood from which position on
EarlierStatements = dict[tuple[str, str], dict[int, dict[str, list["Stood"]]]]


class LaterSide(NamedTuple):
    """The later side of a comparison: its position, what is supposed, and its rows where loaded."""

    position: int
    what_if: WhatIf | None = None
    loaded: Loaded | None = None


@dataclass(frozen=True)
class PeriodFacts:
    """The facts of a period that either side has, by position.

    `counts_later`: the rows that count for the later side, as of `position`.
    """

    rows: Rows
    symbols: Sequence[str]
    counts_later: Mask
    position: int
    earlier: EarlierStatements = field(default_factory=dict)

    def statements_of(self, manager: str, as_of: int) -> list[SettledFigure]:
        """What a person's statements say as of a position, wherever a rulebook reads them."""
        latest = []
        for months in self.earlier.values():
            for by_manager in months.values():
                figure = _standing(by_manager.get(manager, ()), as_of)
                latest += [figure] if figure else []
        return latest


def load_facts(
    evaluator: Evaluator,
    programs: Sequence[Program],
    period: Period,
    branches: Sequence[str],
    earlier_position: int,
    later: LaterSide,
) -> PeriodFacts:
    """The facts of these branches on both sides; what is supposed counts for the later one."""
    what_if, loaded = later.what_if, later.loaded
    as_of = max(earlier_position, later.position)
    if loaded is None or earlier_position > later.position:
        loaded = evaluator.loaded(period, branches, as_of, what_if)
    facts, assignments, symbols = loaded
    then = [rows[rows["position"] <= later.position] for rows in (facts, assignments)]
    if what_if is not None:
        *then, symbols = evaluator.supposed(what_if, then[0], then[1], symbols, period)
    counts = np.concatenate(then)
    rows = np.concatenate([facts, assignments, counts[counts["position"] > as_of]])
    rows = rows[np.argsort(rows["position"], kind="stable")]
    counts_later = np.isin(rows["position"], counting(counts)["position"])
    earlier = _earlier_statements(evaluator, programs, period)
    return PeriodFacts(rows, symbols, counts_later, later.position, earlier)


def _earlier_statements(
    evaluator: Evaluator, programs: Sequence[Program], period: Period
) -> EarlierStatements:
    """What stood when of the statements that these rulebooks read."""
    steps_read = {
        (given.rulebook, given.step)
        for program in programs
        for given in program.rulebook.inputs.values()
        if given.read == "statement" and given.rulebook and given.step
    }
    months = range(period.first.index, period.last.index + 1)
    return {
        (rulebook, step): {
            month: evaluator.statements.standing_steps(str(Month.of_index(month)), rulebook, step)
            for month in months
        }
        for rulebook, step in steps_read
    }


@dataclass(frozen=True)
class BranchRows:
    """The rows of everyone ever assigned to a branch and of its measures, and which count when."""

    branch: str
    number: int  # of its symbol
    position: int  # of the earlier side
    at: Ints  # the places of the rows among the facts of the period
    manager: Ints  # of each row; 0: a measure of the branch or of a team
    team: Ints
    before: Mask  # counts for the earlier side
    with_entries: Mask  # and with what was recorded since
    after: Mask  # and with what was reversed since, or is left out: counts for the later side

    @cached_property
    def changed(self) -> Mask:
        """The rows that count for one side only."""
        return np.not_equal(self.before, self.after)

    def about(self, manager: int, teams: Sequence[int]) -> Mask:
        """The rows about a person (0: nobody), about the branch, and about these teams of it."""
        whole = (self.team == 0) | np.isin(self.team, teams)
        about: Mask = np.where(self.manager == 0, whole, self.manager == manager)
        return about


def rows_by_branch(facts: PeriodFacts, positions: Mapping[str, int]) -> dict[str, BranchRows]:
    """The rows of branches, each with the position of its earlier side."""
    rows = facts.rows
    numbers = {facts.symbols[n]: n for n in np.unique(rows["branch"]).tolist()}
    branches = sorted((numbers[branch], branch) for branch in positions if branch in numbers)
    owner, at = _rows_of(rows, np.array([number for number, _ in branches], np.int64))
    ends = np.searchsorted(owner, np.arange(len(branches) + 1))
    return {
        branch: _branch_rows(facts, branch, number, positions[branch], at[low:high])
        for (number, branch), (low, high) in zip(branches, pairwise(ends.tolist()), strict=True)
    }


def _rows_of(rows: Rows, numbers: Ints) -> tuple[Ints, Ints]:
    """For each of the branches (by their place in `numbers`) the places of its rows, in position
    order.
    """
    assigned = rows[(rows["kind"] == 0) & np.isin(rows["branch"], numbers)]
    people = np.unique(assigned[["branch", "manager"]])
    order = np.argsort(rows["manager"], kind="stable")
    sorted_managers = rows["manager"][order]
    low, high = (
        np.searchsorted(sorted_managers, people["manager"], side) for side in ("left", "right")
    )
    counts = high - low
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    measures = np.flatnonzero((rows["manager"] == 0) & np.isin(rows["branch"], numbers))
    branch = np.concatenate([np.repeat(people["branch"], counts), rows["branch"][measures]])
    at = np.concatenate([order[np.repeat(low, counts) + within], measures])
    owner = np.searchsorted(numbers, branch)
    by_owner = np.lexsort((at, owner))
    return owner[by_owner], at[by_owner]


def _branch_rows(
    facts: PeriodFacts, branch: str, number: int, position: int, at: Ints
) -> BranchRows:
    rows = facts.rows[at]
    recorded, reverses = rows["position"] <= position, rows["reverses"] != 0
    before, after = recorded & ~reverses, facts.counts_later[at]
    if (recorded & reverses).any():
        reversed_then = list(counting_reversals(rows[recorded]).values())
        before &= ~np.isin(rows["position"], reversed_then)
    # What only one side can have is recorded since; the rest was taken out, or brought back.
    is_new = rows["position"] > min(position, facts.position)
    with_entries = np.where(is_new, after, before)
    columns = rows["manager"], rows["team"]
    return BranchRows(branch, number, position, at, *columns, before, with_entries, after)


class Scenario(NamedTuple):
    """Some rows of a branch. `later`: whose earlier statements are read as of the later side (None:
    everyone's).
    """

    rows: BranchRows
    counts: Mask
    later: frozenset[str] | None = frozenset()


@dataclass(frozen=True)
class Outcome:
    """A branch's rows of an evaluation that may have many others."""

    branch: str
    evaluation: Evaluation
    low: int
    high: int
    findings: tuple[Finding, ...] = ()

    def row(self, manager: str) -> int | None:
        """The person's row; None where the branch has no such person."""
        managers = self.evaluation.people.managers
        row = bisect_left(managers, manager, self.low, self.high)
        return row if row < self.high and managers[row] == manager else None

    def text(self, manager: str, step: str) -> str | None:
        """A person's figure; None where there is none."""
        row, column = self.row(manager), self.evaluation.steps.get(step)
        if row is None or column is None or (column.poison is not None and column.poison[row]):
            return None
        return column.text(row)


def evaluate_scenarios(
    evaluator: Evaluator,
    program: Program,
    period: Period,
    facts: PeriodFacts,
    scenarios: Sequence[Scenario],
) -> Iterator[Outcome]:
    """The outcome of each scenario, in order. Who keeps an outcome keeps its whole evaluation."""
    chunk: list[Scenario] = []
    size = 0
    for scenario in scenarios:
        rows = int(scenario.counts.sum())
        if chunk and size + rows > MAX_ROWS:
            yield from _evaluate_chunk(evaluator, program, period, facts, chunk)
            chunk, size = [], 0
        chunk.append(scenario)
        size += rows
    if chunk:
        yield from _evaluate_chunk(evaluator, program, period, facts, chunk)


def _evaluate_chunk(
    evaluator: Evaluator,
    program: Program,
    period: Period,
    facts: PeriodFacts,
    scenarios: Sequence[Scenario],
) -> Iterator[Outcome]:
    inputs = inputs_for(program, period, facts, scenarios)
    evaluation = evaluate(program, inputs)
    inputs.people = without_marks(inputs.people)
    yield from outcomes_of(evaluator, evaluation, [each.rows.branch for each in scenarios])


def outcomes_of(
    evaluator: Evaluator, evaluation: Evaluation, branches: Sequence[str]
) -> Iterator[Outcome]:
    """The outcomes of an evaluation of scenarios, which are of these branches."""
    entry_names = evaluator.entry_names(evaluation) if evaluation.findings else {}
    for number, (low, high) in enumerate(row_ranges(evaluation.people, len(branches))):
        findings: tuple[Finding, ...] = ()
        if evaluation.findings:
            name = scenario_name(number)
            findings = tuple(findings_of(evaluation, name, entry_names.__getitem__))
        yield Outcome(branches[number], evaluation, low, high, findings)


def without_marks(people: People) -> People:
    """The people under their own ids."""
    return replace(people, managers=tuple(name.partition(MARK)[0] for name in people.managers))


def row_ranges(people: People, scenarios: int) -> list[tuple[int, int]]:
    """The first row of each scenario's people, and the row after the last."""
    codes = {name: number for number, name in enumerate(people.branches)}
    ends = np.searchsorted(people.branch, np.arange(len(people.branches) + 1)).tolist()
    ranges = []
    for number in range(scenarios):
        code = codes.get(scenario_name(number))
        ranges.append((0, 0) if code is None else (ends[code], ends[code + 1]))
    return ranges


def scenario_name(number: int) -> str:
    """The name that a scenario has as a branch."""
    return f"{MARK}{number:07d}"


def inputs_for(
    program: Program, period: Period, facts: PeriodFacts, scenarios: Sequence[Scenario]
) -> LedgerInputs:
    """The scenarios as one population; a person's id has the scenario's number behind it."""
    picked = [scenario.rows.at[scenario.counts] for scenario in scenarios]
    owner = np.repeat(np.arange(len(scenarios)), [len(at) for at in picked])
    rows = facts.rows[np.concatenate(picked)]
    size = len(facts.symbols)
    of_branch = rows["branch"] == np.array([each.rows.number for each in scenarios])[owner]
    rows["branch"][of_branch] = size + owner[of_branch]
    of_person = rows["manager"] != 0
    pairs, person = np.unique(
        owner[of_person] * size + rows["manager"][of_person], return_inverse=True
    )
    rows["manager"][of_person] = size + len(scenarios) + person
    people = [(facts.symbols[pair % size], pair // size) for pair in pairs.tolist()]
    marked = [f"{manager}{MARK}{number}" for manager, number in people]
    names = [scenario_name(number) for number in range(len(scenarios))]
    symbols = [*facts.symbols, *names, *marked]
    assignments, others = rows[rows["kind"] == 0], rows[rows["kind"] != 0]
    inputs = inputs_of(assignments, others, symbols, period, program.rulebook, names)
    if facts.earlier:
        whose = [(manager, scenarios[number]) for manager, number in people]
        inputs.settled = _statements_read(facts, marked, whose)
    return inputs


def _statements_read(
    facts: PeriodFacts, marked: Sequence[str], people: Sequence[tuple[str, Scenario]]
) -> dict[tuple[str, str], dict[int, dict[str, SettledFigure]]]:
    """What earlier statements say of each person of each scenario, as of the position that holds
    for them in it.
    """
    positions = [
        facts.position
        if scenario.later is None or manager in scenario.later
        else scenario.rows.position
        for manager, scenario in people
    ]
    read: dict[tuple[str, str], dict[int, dict[str, SettledFigure]]] = {}
    for key, months in facts.earlier.items():
        for month, by_manager in months.items():
            of_month = read.setdefault(key, {}).setdefault(month, {})
            for mark, (manager, _), position in zip(marked, people, positions, strict=True):
                if figure := _standing(by_manager.get(manager, ()), position):
                    of_month[mark] = figure
    return read


def _standing(stood: Sequence[Stood], position: int) -> SettledFigure | None:
    """The figure that stands as of a position."""
    known = [each.figure for each in stood if each.since <= position]
    return known[-1] if known else None
