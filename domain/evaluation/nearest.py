"""差多少: the smallest single change of a person's own figures that would have changed the outcome.

The evaluator itself answers: the person's branch is evaluated many times side by side, each time
with another figure for one of the person's inputs, and the results are compared with the real one.
Nothing is inferred from formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from domain.errors import Text
from domain.evaluation.columns import AnyColumn, Column, TextColumn, fit, rescale, subtract
from domain.evaluation.evaluator import Runner, evaluate
from domain.evaluation.people import UNBOUNDED, Bounds, InputColumn, People
from domain.evaluation.trace import YES_NO
from domain.numbers import PLACES, SCALE, plain, plain_scaled
from domain.rulebook.expressions import Call, Node, children
from domain.rulebook.units import FLAG, TEXT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from domain.evaluation.columns import Ints, Mask
    from domain.evaluation.context import Evaluation
    from domain.evaluation.operators import Codes
    from domain.rulebook.model import Input, Rulebook

# Units whose figures change by whole numbers; all others change by hundredths.
WHOLE_UNITS = {"piece", "point", "score", "month", "place", "people", "tier", "grade"}
OUTCOME_UNITS = {"tier", TEXT, FLAG}  # a step in one of these is an outcome by itself
FIRST_SIZES = [1 << n for n in range(0, 21, 2)]  # the first look: changes of 1, 4, 16 … units
LARGEST_SIZE = FIRST_SIZES[-1]
PARTS = 16  # then each bracket is split into this many, until it is one unit wide


class Candidate(NamedTuple):
    """Another figure for one of the person's inputs, in 10**-6."""

    name: str
    value: int


class Move(NamedTuple):
    """A step of the person that would have another result; None: no value."""

    step: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class NearestChange:
    """With `after` instead of `before` as the person's input, these steps would differ."""

    name: str
    label: Text
    unit: str
    before: str
    after: str
    moves: tuple[Move, ...]  # steps that are tiers, words or flags
    limits: tuple[Move, ...]  # steps with a cap or floor that binds (1) or does not (0)
    total: Move


def change_text(change: NearestChange, rulebook: Rulebook) -> Text:
    """The change as a sentence: the figure instead of the present one, and what it leads to."""
    units = {step.step: step.unit for step in rulebook.steps}

    def describe(move: Move, language: str) -> str:
        values = [value for value in (move.before, move.after) if value]
        if units[move.step] == FLAG:
            values = [YES_NO[value].in_language(language) for value in values]
        return f"{rulebook.label_of(move.step).in_language(language)} {' → '.join(values)}"

    zh, en = ([describe(move, language) for move in change.moves] for language in ("zh", "en"))
    for limit in change.limits:
        label, binds = rulebook.label_of(limit.step), limit.after == "1"
        zh.append(f"「{label.zh}」的限额{'触发' if binds else '不再触发'}")
        en.append(f"the limit of “{label.en}” {'binds' if binds else 'no longer binds'}")
    if difference := _signed_difference(change.total):
        zh.append(f"{describe(change.total, 'zh')}（{difference}）")
        en.append(f"{describe(change.total, 'en')} ({difference})")
    return Text(
        f"若「{change.label.zh}」为 {change.after} 而不是 {change.before}：{'；'.join(zh)}",
        f"with {change.after} instead of {change.before} of “{change.label.en}”: {'; '.join(en)}",
    )


def _signed_difference(total: Move) -> str | None:
    """`+270` or `-30`; None where the total does not differ or is missing on one side."""
    if total.before is None or total.after is None:
        return None
    difference = Decimal(total.after) - Decimal(total.before)
    if not difference:
        return None
    return plain(difference) if difference < 0 else f"+{plain(difference)}"


class _Direction(NamedTuple):
    """One input, changed upwards (sign 1) or downwards (sign -1)."""

    name: str
    sign: int


# What a change may move: (0, n) the nth outcome, (1, n) the nth limit, (2, 0) the total.
_Target = tuple[int, int]
_Sized = tuple[_Direction, int]  # a change of this many units


class _Bracket(NamedTuple):
    """A target is not moved by a change of `low` units, and is moved by one of `high` units."""

    direction: _Direction
    low: int
    high: int

    def inner_changes(self) -> list[_Sized]:
        """The changes that split the bracket; none where it is one unit wide."""
        width = self.high - self.low
        sizes = {self.low + width * part // PARTS for part in range(1, PARTS)}
        return [(self.direction, size) for size in sorted(sizes - {self.low, self.high})]

    def narrowed(self, moving: Collection[_Sized]) -> _Bracket:
        """The part of the bracket in which the target begins to move."""
        low = self.low
        for direction, size in self.inner_changes():
            if (direction, size) in moving:
                return _Bracket(direction, low, size)
            low = size
        return self._replace(low=low)


class _Result(NamedTuple):
    """How the person comes out under one candidate, as far as it is compared."""

    outcomes: tuple[str | None, ...]
    limits: tuple[bool, ...]
    total: Decimal | None


def nearest_changes(evaluation: Evaluation, row: int) -> list[NearestChange]:
    """The smallest change for each thing that could move: outcomes, limits, and a higher total.

    Where the rulebook pays, only changes that would have raised the pay. None for a person whose
    branch is refused.
    """
    return _Search(evaluation, row).find_changes() if not evaluation.findings else []


class _Search:
    def __init__(self, evaluation: Evaluation, row: int) -> None:
        self.evaluation, self.rulebook = evaluation, evaluation.program.rulebook
        branch = evaluation.people.branch
        self.rows: Codes = np.flatnonzero(branch == branch[row])
        self.row = int(np.flatnonzero(self.rows == row)[0])  # the person's row in the branch
        steps = evaluation.program.steps
        self.outcomes = [c.step.step for c in steps if c.step.unit in OUTCOME_UNITS]
        self.limits = [(c.step.step, node) for c in steps for node in _limits(c.node)]
        self.total = "pay" if self.rulebook.pays else steps[-1].step.step
        self.own = {
            name: self.own_value(name) for name in evaluation.input_columns if self.is_own(name)
        }
        self.units = {name: self.unit_of(name) for name in self.own}
        self.bounds = {name: self.bounds_of(name) for name in self.own}
        unreported = replace(evaluation, warnings=[], findings=[], gaps={})
        self.before = self.results_of(unreported, self.rows[[self.row]])[0]
        self.results: dict[Candidate, _Result] = {}

    # the person's own inputs

    def is_own(self, name: str) -> bool:
        """Whether the input is a figure of the person, not of a team or branch or an adjustment."""
        spec, _ = self.rulebook.input_of(name)
        column = self.evaluation.input_columns[name]
        is_figure = isinstance(column, Column)
        is_recorded = spec.kind is not None and spec.kind.is_own
        has_value = bool(column.broadcast(len(self.rows)).present[0])
        return (
            is_figure and is_recorded and has_value and spec.of in {"manager", "manager_or_branch"}
        )

    def own_value(self, name: str) -> int:
        column = self.evaluation.input_columns[name]
        assert isinstance(column, Column)
        return self.scaled_at_row(column)

    def unit_of(self, name: str) -> int:
        """The smallest change of the input, in 10**-6."""
        spec, _ = self.rulebook.input_of(name)
        return SCALE if spec.take == "count" or spec.unit in WHOLE_UNITS else SCALE // 100

    def bounds_of(self, name: str) -> tuple[int | None, int | None]:
        """The least and the greatest figure that entries may give, in 10**-6."""
        spec, item = self.rulebook.input_of(name)
        bounds = Runner(self.evaluation).compute_bounds(spec, item)
        low, high, above = (
            None if bound is None else self.scaled_at_row(bound) for bound in bounds
        )
        if spec.kind and not spec.kind.is_signed and spec.take != "amount":
            low = max(low or 0, 0)
        if above is not None:
            low = above + 1
        return low, None if spec.take == "sum" else high

    def scaled_at_row(self, column: Column) -> int:
        """The person's figure in 10**-6."""
        data: Ints = rescale(column, PLACES).broadcast(len(self.evaluation.people)).data
        return int(data[self.rows[self.row]])

    # the search

    def find_changes(self) -> list[NearestChange]:
        """Looks at all inputs roughly first, then ever closer around what moved."""
        changes: list[_Sized] = []
        for name in self.own:
            for direction in (_Direction(name, 1), _Direction(name, -1)):
                largest = self.largest_size(direction)
                sizes = [size for size in FIRST_SIZES if size < largest]
                changes += [(direction, size) for size in (*sizes, largest) if size]
        moved = self.targets_moved(changes)
        targets = sorted({target for targets in moved.values() for target in targets})
        brackets = {target: self.first_brackets(target, changes, moved) for target in targets}
        candidates = list(dict.fromkeys(self.narrow_down(brackets)))
        results = self.compute_results(candidates)
        return [
            self.describe(candidate, result)
            for candidate, result in zip(candidates, results, strict=True)
        ]

    def largest_size(self, direction: _Direction) -> int:
        """By how many units the input can change in this direction."""
        low, high = self.bounds[direction.name]
        end = high if direction.sign > 0 else low
        if end is None:
            return LARGEST_SIZE
        distance = (end - self.own[direction.name]) * direction.sign
        units = -(-distance // self.units[direction.name])
        return min(max(units, 0), LARGEST_SIZE)

    def candidate(self, direction: _Direction, size: int) -> Candidate:
        """The figure this many units away, within bounds.

        If the person's figure lies between two units, sizes count from the unit behind it.
        """
        unit, value = self.units[direction.name], self.own[direction.name]
        base = value // unit if direction.sign > 0 else -(-value // unit)
        low, high = self.bounds[direction.name]
        figure = (base + direction.sign * size) * unit
        figure = figure if low is None else max(figure, low)
        return Candidate(direction.name, figure if high is None else min(figure, high))

    def targets_moved(self, changes: Sequence[_Sized]) -> dict[_Sized, set[_Target]]:
        """For each change: what it moves."""
        results = self.compute_results([self.candidate(*change) for change in changes])
        return {
            change: self.differing(result, has_any=self.own[change[0].name] != 0)
            for change, result in zip(changes, results, strict=True)
        }

    def differing(self, result: _Result, *, has_any: bool) -> set[_Target]:
        """What differs from the real result; `has_any`: the person's figure is not 0."""
        before, after = self.before, result
        rises = after.total is not None and before.total is not None and after.total > before.total
        if self.rulebook.pays and not rises:
            return set()
        targets = {(0, n) for n in _differing_indices(before.outcomes, after.outcomes)}
        # That more of something the person has none of would pass its cap helps nobody.
        if has_any:
            targets |= {(1, n) for n in _differing_indices(before.limits, after.limits)}
        if after.total is not None and after.total != before.total:
            targets.add((2, 0))
        return targets

    def first_brackets(
        self,
        target: _Target,
        changes: Sequence[_Sized],
        moved: dict[_Sized, set[_Target]],
    ) -> list[_Bracket]:
        """For each direction: between which of the sizes the target first begins to move."""
        brackets: dict[_Direction, _Bracket] = {}
        size_before: dict[_Direction, int] = {}
        for direction, size in changes:
            if direction not in brackets and target in moved[direction, size]:
                brackets[direction] = _Bracket(direction, size_before.get(direction, 0), size)
            size_before[direction] = size
        return _competing(list(brackets.values()))

    def narrow_down(self, brackets: dict[_Target, list[_Bracket]]) -> list[Candidate]:
        """For each target the smallest change, to the unit; all targets are followed at once."""
        while changes := _inner_changes(brackets):
            moved = self.targets_moved(changes)
            for target, competing in brackets.items():
                moving = {change for change in changes if target in moved[change]}
                brackets[target] = _competing([bracket.narrowed(moving) for bracket in competing])
        smallest = [
            min(competing, key=lambda bracket: bracket.high) for competing in brackets.values()
        ]
        return [self.candidate(bracket.direction, bracket.high) for bracket in smallest]

    def describe(self, candidate: Candidate, result: _Result) -> NearestChange:
        before, after = self.before, result
        moves = [
            Move(self.outcomes[n], before.outcomes[n], after.outcomes[n])
            for n in _differing_indices(before.outcomes, after.outcomes)
        ]
        limits = [
            Move(self.limits[n][0], _flag(before.limits[n]), _flag(after.limits[n]))
            for n in _differing_indices(before.limits, after.limits)
        ]
        return NearestChange(
            candidate.name,
            self.rulebook.label_of(candidate.name),
            self.rulebook.input_of(candidate.name)[0].unit,
            plain_scaled(self.own[candidate.name], PLACES),
            plain_scaled(candidate.value, PLACES),
            tuple(moves),
            tuple(dict.fromkeys(limits)),
            Move(self.total, _plain_or_none(before.total), _plain_or_none(after.total)),
        )

    # evaluations

    def compute_results(self, candidates: Sequence[Candidate]) -> list[_Result]:
        """How the person comes out with each candidate; each is evaluated once."""
        new = list(dict.fromkeys(c for c in candidates if c not in self.results))
        if new:
            inputs = CandidateInputs(self.evaluation, self.rows, self.row, new)
            evaluation = evaluate(self.evaluation.program, inputs)
            rows = np.arange(len(new)) * len(self.rows) + self.row
            self.results |= zip(new, self.results_of(evaluation, rows), strict=True)
        return [self.results[candidate] for candidate in candidates]

    def results_of(self, evaluation: Evaluation, rows: Codes) -> list[_Result]:
        """How the people of these rows come out."""
        runner = Runner(evaluation)
        outcomes = [_texts(evaluation.steps[step], rows) for step in self.outcomes]
        limits = [_binds(runner, node)[rows].tolist() for _, node in self.limits]
        totals = map(_figure_or_none, _texts(evaluation.steps[self.total], rows))
        return list(map(_Result, _by_row(outcomes, len(rows)), _by_row(limits, len(rows)), totals))


class CandidateInputs:
    """Copies of a branch; in each, one input of one person is another figure."""

    def __init__(
        self, evaluation: Evaluation, rows: Codes, row: int, candidates: Sequence[Candidate]
    ) -> None:
        copies = len(candidates)
        self.input_columns = evaluation.input_columns
        self.everyone = len(evaluation.people)
        self.source_rows = np.tile(rows, copies)
        self.last_month = evaluation.inputs.last_month
        # By input: the rows of the person's copies that differ, and their figures.
        self.changed: dict[str, tuple[list[int], list[int]]] = {}
        for copy, candidate in enumerate(candidates):
            changed_rows, values = self.changed.setdefault(candidate.name, ([], []))
            changed_rows.append(copy * len(rows) + row)
            values.append(candidate.value)
        people = evaluation.people
        grade, role = self.copy_rows(people.grade), self.copy_rows(people.role)
        assert isinstance(grade, Column)
        assert isinstance(role, TextColumn)
        managers = [people.managers[i] for i in rows.tolist()] * copies
        branch, team = np.repeat(np.arange(copies), len(rows)), people.team[self.source_rows]
        branches = tuple(map(str, range(copies)))
        self.people = People(tuple(managers), branches, branch, people.teams, team, grade, role)

    def copy_rows(self, column: AnyColumn) -> AnyColumn:
        """The branch's rows, once for each copy."""
        return column.broadcast(self.everyone).take(self.source_rows)

    def read(
        self,
        name: str,
        spec: Input,  # noqa: ARG002
        item: str | None,
        bounds: Bounds = UNBOUNDED,  # noqa: ARG002
    ) -> InputColumn:
        """As the evaluation read it, but for the candidates."""
        full_name = name if item is None else f"{name}.{item}"
        column = self.copy_rows(self.input_columns[full_name])
        absent = ~column.present
        column = column.with_poison(None)
        if full_name not in self.changed:
            return InputColumn(column, absent)
        assert isinstance(column, Column)
        rows, values = self.changed[full_name]
        data: Ints = rescale(column, PLACES).data.copy()
        data[rows] = values
        return InputColumn(fit(data, PLACES), absent)

    def unread_points(self) -> Mask:
        """Nobody: the evaluation was not refused."""
        return np.zeros(len(self.people), bool)

    def positions(self, name: str, spec: Input, item: str | None, row: int) -> set[int]:  # noqa: ARG002
        """None: a candidate is no entry."""
        return set()

    def positions_of_person(self, row: int) -> set[int]:  # noqa: ARG002
        """None: a candidate is no entry."""
        return set()


def _competing(brackets: list[_Bracket]) -> list[_Bracket]:
    """The brackets that can contain the smallest change: the others begin above its upper end."""
    least = min(bracket.high for bracket in brackets)
    return [bracket for bracket in brackets if bracket.low < least]


def _inner_changes(brackets: dict[_Target, list[_Bracket]]) -> list[_Sized]:
    """All changes that split these brackets, each once."""
    changes: dict[_Sized, None] = {}
    for competing in brackets.values():
        for bracket in competing:
            changes |= dict.fromkeys(bracket.inner_changes())
    return list(changes)


def _differing_indices(before: Sequence[Any], after: Sequence[Any]) -> list[int]:
    return [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]


def _flag(holds: bool) -> str:
    return "1" if holds else "0"


def _plain_or_none(figure: Decimal | None) -> str | None:
    return None if figure is None else plain(figure)


def _by_row(columns: list[Any], rows: int) -> list[tuple[Any, ...]]:
    """Lists by step or limit as tuples by row; empty tuples where there are no lists."""
    return list(zip(*columns, strict=True)) if columns else [()] * rows


def _limits(node: Node) -> Iterator[Call]:
    """Every cap and floor in an expression."""
    if isinstance(node, Call) and node.function in {"min", "max"}:
        yield node
    for child in children(node):
        yield from _limits(child)


def _binds(runner: Runner, node: Call) -> Mask:
    """For whom a cap or floor binds: its result is not its first argument."""
    subject = runner.compute_figure(node.arguments[0])
    distance = subtract(runner.compute_figure(node), subject).broadcast(len(runner.people))
    return np.asarray(distance.data != 0, bool)


def _texts(column: AnyColumn, rows: Codes) -> list[str | None]:
    """The values of these rows as text; None for a row without a value."""
    if len(column) == 1:
        column = column.broadcast(int(rows[-1]) + 1)
    texts = column.take(rows).texts()
    return [
        text if present else None
        for text, present in zip(texts, column.present[rows].tolist(), strict=True)
    ]


def _figure_or_none(text: str | None) -> Decimal | None:
    """The figure of a total; None for a total that is a word."""
    if text is None or not text.lstrip("-")[:1].isdigit():
        return None
    return Decimal(text)
