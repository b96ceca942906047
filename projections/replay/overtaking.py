"""席位变动: who overtook whom, where a person's rank, tier or share moved by what others did.

It is derived from the operators of any rulebook: the same parts of its expressions, evaluated
before and after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from domain.errors import Text
from domain.evaluation.columns import Column
from domain.evaluation.evaluator import Runner
from domain.evaluation.functions import group_population
from domain.rulebook.expressions import Call, Name, Node, children

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.evaluation.columns import AnyColumn
    from domain.evaluation.context import Evaluation
    from domain.evaluation.operators import Codes
    from domain.rulebook.checks import Program
    from projections.replay.scenarios import Outcome

# Operator → the argument that names its population.
POPULATION = {"distribute": 2, "rank": 1, "share": 2}
MAX_NAMES = 5  # people who are named; the others are counted


@lru_cache(maxsize=256)
def moving_calls(program: Program) -> tuple[tuple[str, Call], ...]:
    """The operators of a rulebook that give people places or parts among others, each with its
    step; tiers first.
    """
    calls: list[tuple[str, Call]] = []
    for checked in program.steps:
        moving = (call for call in _calls(checked.node) if call.function in POPULATION)
        calls += [(checked.step.step, call) for call in moving]
    order = [*POPULATION]
    return tuple(sorted(calls, key=lambda pair: order.index(pair[1].function)))


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
    for child in children(node):
        yield from _calls(child)


@dataclass(frozen=True)
class _Standing:
    """A branch's people in one operator: the figure that places them (the smaller the better), the
    figure as it is shown, and their group.
    """

    figure: dict[str, Decimal]
    shown: dict[str, str]
    group: dict[str, int]
    size: dict[int, int]  # how many have a figure in each group


class OvertakingReasons:
    """Finds why others moved somebody.

    It keeps the operators of an evaluation, which may have many branches.
    """

    def __init__(self) -> None:
        self._computed: dict[tuple[int, int], tuple[Evaluation, AnyColumn, Codes]] = {}

    def find(
        self, before: Outcome, after: Outcome, managers: Sequence[str]
    ) -> Iterator[tuple[str, Text]]:
        """For each of these people of a branch whose place or part moved: which, and by whom."""
        program = after.evaluation.program
        standings = [
            (step, call, self._standing(before, call), self._standing(after, call))
            for step, call in moving_calls(program)
        ]
        for manager in managers:
            texts: list[Text] = []
            for step, call, old, new in standings:
                if before.text(manager, step) == after.text(manager, step):
                    continue
                if call.function == "rank" and texts:
                    continue  # the tier that goes by the rank is named already
                explain = _share_text if call.function == "share" else _move_text
                text = explain(manager, old, new)
                if text is not None:
                    label = program.rulebook.label_of(step)
                    texts.append(Text(f"「{label.zh}」{text.zh}", f"“{label.en}” {text.en}"))
            if texts:
                zh = "；".join(text.zh for text in texts)
                yield manager, Text(zh, "; ".join(text.en for text in texts))

    def _standing(self, outcome: Outcome, call: Call) -> _Standing:
        column, codes = self._column(outcome.evaluation, call)
        rows = np.arange(outcome.low, outcome.high)
        of_branch = column.take(rows)
        managers = outcome.evaluation.people.managers[outcome.low : outcome.high]
        figures = zip(managers, _placing_figures(outcome, call, of_branch), strict=True)
        figure = {manager: placing for manager, placing in figures if placing is not None}
        group = dict(zip(managers, codes[rows].tolist(), strict=True))
        size: dict[int, int] = {}
        for manager in figure:
            size[group[manager]] = size.get(group[manager], 0) + 1
        shown = dict(zip(managers, of_branch.texts(), strict=True))
        return _Standing(figure, shown, group, size)

    def _column(self, evaluation: Evaluation, call: Call) -> tuple[AnyColumn, Codes]:
        """The operator for everyone of the evaluation (of a share: the weights), and the groups."""
        key = id(evaluation), id(call)
        if key not in self._computed:
            runner = Runner(replace(evaluation, warnings=[], findings=[], gaps={}))
            node = call.arguments[1] if call.function == "share" else call
            column = runner.compute(node).broadcast(len(evaluation.people))
            groups = group_population(runner, call, POPULATION[call.function])
            self._computed[key] = evaluation, column, groups.codes
        return self._computed[key][1:]


def _placing_figures(outcome: Outcome, call: Call, column: AnyColumn) -> list[Decimal | None]:
    """The figures that are compared: the number of the tier, the place, the weight.

    None: the person is outside the population.
    """
    texts = column.texts()
    if call.function == "distribute":
        table = call.arguments[1]
        assert isinstance(table, Name)
        tiers = outcome.evaluation.program.rulebook.tables[table.name].rows
        number = {tier: Decimal(n) for n, tier in enumerate(tiers)}
        return [number.get(text) for text in texts]
    assert isinstance(column, Column)
    outside = "0" if call.function == "rank" else None
    return [None if text == outside else Decimal(text) for text in texts]


def _move_text(manager: str, old: _Standing, new: _Standing) -> Text | None:
    """From which place to which, and who overtook the person or was overtaken."""
    was, now = old.figure.get(manager), new.figure.get(manager)
    if was is None or now is None or was == now:
        return None
    a, b = old.shown[manager], new.shown[manager]
    if now > was:
        names = _overtaking(manager, old, new, was, now)
        by = _by(names, old, new, manager, Text("被 {} 超过", "displaced by {}"))
        return Text(f"由 {a} 降到 {b}{by.zh}", f"falls from {a} to {b}{by.en}")
    # Whom the person overtook would overtake them if the sides were exchanged.
    names = _overtaking(manager, new, old, now, was)
    by = _by(names, old, new, manager, Text("{} 退后", "{} fell behind"))
    return Text(f"由 {a} 升到 {b}{by.zh}", f"rises from {a} to {b}{by.en}")


def _overtaking(
    manager: str, old: _Standing, new: _Standing, was: Decimal, now: Decimal
) -> list[str]:
    """Those of the same group who were not before the person and are now, best first."""
    last = Decimal("Infinity")
    overtaking = []
    for other, place in new.figure.items():
        before = old.figure.get(other, last)
        rose = place < before and before >= was and place < now
        if other != manager and rose and new.group[other] == new.group[manager]:
            overtaking.append((place, other))
    return [other for _, other in sorted(overtaking)]


def _by(names: Sequence[str], old: _Standing, new: _Standing, manager: str, words: Text) -> Text:
    """Who it was by name; where nobody is named, how the group has grown or shrunk."""
    if names:
        return Text(
            f"：{words.zh.format(_listed(names, 'zh'))}",
            f": {words.en.format(_listed(names, 'en'))}",
        )
    a, b = old.size[old.group[manager]], new.size[new.group[manager]]
    if a == b:
        return Text("", "")
    return Text(f"：参加排名的人数 {a} → {b}", f": the people ranked are {b} instead of {a}")


def _share_text(manager: str, old: _Standing, new: _Standing) -> Text | None:
    """Whose weight in the same pool has changed, the greatest change first."""
    changes = []
    for other in {*old.group, *new.group} - {manager}:
        a, b = old.figure.get(other, Decimal(0)), new.figure.get(other, Decimal(0))
        was_together = old.group.get(other) == old.group.get(manager)
        is_together = new.group.get(other) == new.group[manager]
        if a != b and (is_together or was_together):
            shown = f"{other} {old.shown.get(other, '0')} → {new.shown.get(other, '0')}"
            changes.append((-abs(b - a), other, shown))
    if not changes:
        return None
    names = [text for *_, text in sorted(changes)]
    zh, en = _listed(names, "zh"), _listed(names, "en")
    return Text(f"随他人权重变动：{zh}", f"moves with the weights of others: {en}")


def _listed(names: Sequence[str], language: str) -> str:
    more = len(names) - MAX_NAMES
    shown = ("、" if language == "zh" else ", ").join(names[:MAX_NAMES])
    if more <= 0:
        return shown
    return f"{shown} 等 {len(names)} 人" if language == "zh" else f"{shown} and {more} more"
