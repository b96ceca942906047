"""席位变动: who came past whom, where a person's rank, tier or share moved by what others did.

It is read from the operators of any rulebook: the same parts of its expressions, evaluated before
and after.
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
    from projections.replay.scenarios import Sight

POPULATION = {
    "distribute": 2,
    "rank": 1,
    "share": 2,
}  # which argument of the operator names whom it is over
NAMED = 5  # people who are named; the others are counted


@lru_cache(maxsize=256)
def moving_calls(program: Program) -> tuple[tuple[str, Call], ...]:
    """The operators of a rulebook that give people places or parts among others, each with its
    step; tiers first.
    """
    found = [
        (c.step.step, call)
        for c in program.steps
        for call in _calls(c.node)
        if call.function in POPULATION
    ]
    order = [*POPULATION]
    return tuple(sorted(found, key=lambda pair: order.index(pair[1].function)))


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
    for child in children(node):
        yield from _calls(child)


@dataclass(frozen=True)
class _Standing:
    """A branch's people in one operator: their figures (the smaller the place the better), as
    shown, and the groups.
    """

    figure: dict[str, Decimal]
    shown: dict[str, str]
    group: dict[str, int]
    size: dict[int, int]  # how many have a figure in each group


class Displacements:
    """Reasons for what others moved; it keeps the operators of a run, which may have many
    branches.
    """

    def __init__(self) -> None:
        self._computed: dict[tuple[int, int], tuple[Evaluation, AnyColumn, Codes]] = {}

    def reasons(
        self, before: Sight, after: Sight, managers: Sequence[str]
    ) -> Iterator[tuple[str, Text]]:
        """For each of these people of a branch whose place or part moved: which, and by whom."""
        program = after.evaluation.program
        standings = [
            (step, call, self._standing(before, call), self._standing(after, call))
            for step, call in moving_calls(program)
        ]
        for manager in managers:
            told: list[Text] = []
            for step, call, old, new in standings:
                if before.text(manager, step) == after.text(manager, step):
                    continue
                if call.function == "rank" and told:
                    continue  # the tier that goes by the rank has said it
                said = (
                    _share(manager, old, new)
                    if call.function == "share"
                    else _moved(manager, old, new)
                )
                if said is not None:
                    label = program.rulebook.label_of(step)
                    told.append(Text(f"「{label.zh}」{said.zh}", f"“{label.en}” {said.en}"))
            if told:
                yield manager, Text("；".join(t.zh for t in told), "; ".join(t.en for t in told))

    def _standing(self, sight: Sight, call: Call) -> _Standing:
        column, codes = self._column(sight.evaluation, call)
        rows = np.arange(sight.low, sight.high)
        there, managers = (
            column.take(rows),
            sight.evaluation.people.managers[sight.low : sight.high],
        )
        figure = {
            m: f
            for m, f in zip(managers, _places(sight, call, there), strict=True)
            if f is not None
        }
        group = dict(zip(managers, codes[rows].tolist(), strict=True))
        size: dict[int, int] = {}
        for manager in figure:
            size[group[manager]] = size.get(group[manager], 0) + 1
        shown = dict(zip(managers, there.texts(), strict=True))
        return _Standing(figure, shown, group, size)

    def _column(self, evaluation: Evaluation, call: Call) -> tuple[AnyColumn, Codes]:
        """The operator for everyone of the run (of a share: the weights), and the groups."""
        key = id(evaluation), id(call)
        if key not in self._computed:
            runner = Runner(replace(evaluation, warnings=[], findings=[]))
            node = call.arguments[1] if call.function == "share" else call
            column = runner.compute(node).broadcast(len(evaluation.people))
            groups = group_population(runner, call, POPULATION[call.function])
            self._computed[key] = evaluation, column, groups.codes
        return self._computed[key][1:]


def _places(sight: Sight, call: Call, column: AnyColumn) -> list[Decimal | None]:
    """The figures that are compared: the number of the tier, the place, the weight; None:
    outside.
    """
    texts = column.texts()
    if call.function == "distribute":
        table = call.arguments[1]
        assert isinstance(table, Name)
        number = {
            tier: Decimal(n)
            for n, tier in enumerate(sight.evaluation.program.rulebook.tables[table.name].rows)
        }
        return [number.get(text) for text in texts]
    assert isinstance(column, Column)
    outside = "0" if call.function == "rank" else None
    return [None if text == outside else Decimal(text) for text in texts]


def _moved(manager: str, old: _Standing, new: _Standing) -> Text | None:
    """From which place to which, and whom the person was displaced by or comes past."""
    was, now = old.figure.get(manager), new.figure.get(manager)
    if was is None or now is None or was == now:
        return None
    a, b = old.shown[manager], new.shown[manager]
    if now > was:
        names = _passing(manager, old, new, was, now)
        by = _by(names, old, new, manager, Text("被 {} 超过", "displaced by {}"))
        return Text(f"由 {a} 降到 {b}{by.zh}", f"falls from {a} to {b}{by.en}")
    names = _passing(
        manager, new, old, now, was
    )  # who would come past the person if time ran backwards
    by = _by(names, old, new, manager, Text("{} 退后", "{} fell behind"))
    return Text(f"由 {a} 升到 {b}{by.zh}", f"rises from {a} to {b}{by.en}")


def _passing(manager: str, old: _Standing, new: _Standing, was: Decimal, now: Decimal) -> list[str]:
    """Those of the same group who were not before the person and are now, best first."""
    last = Decimal("Infinity")
    found = []
    for other, place in new.figure.items():
        before = old.figure.get(other, last)
        rose = place < before and before >= was and place < now
        if other != manager and rose and new.group[other] == new.group[manager]:
            found.append((place, other))
    return [other for _, other in sorted(found)]


def _by(names: Sequence[str], old: _Standing, new: _Standing, manager: str, words: Text) -> Text:
    if names:
        return Text(
            f"：{words.zh.format(_listed(names, 'zh'))}",
            f": {words.en.format(_listed(names, 'en'))}",
        )
    a, b = old.size[old.group[manager]], new.size[new.group[manager]]
    if a == b:
        return Text("", "")
    return Text(f"：参加排名的人数 {a} → {b}", f": the people ranked are {b} instead of {a}")


def _share(manager: str, old: _Standing, new: _Standing) -> Text | None:
    """Whose weight in the same pool has changed, the greatest change first."""
    zero = Decimal(0)
    changes = []
    for other in {*old.group, *new.group} - {manager}:
        a, b = old.figure.get(other, zero), new.figure.get(other, zero)
        with_them = new.group.get(other) == new.group[manager] or old.group.get(
            other
        ) == old.group.get(manager)
        if a != b and with_them:
            changes.append(
                (
                    -abs(b - a),
                    other,
                    f"{other} {old.shown.get(other, '0')} → {new.shown.get(other, '0')}",
                )
            )
    if not changes:
        return None
    names = [text for *_, text in sorted(changes)]
    zh, en = _listed(names, "zh"), _listed(names, "en")
    return Text(f"随他人权重变动：{zh}", f"moves with the weights of others: {en}")


def _listed(names: Sequence[str], language: str) -> str:
    more = len(names) - NAMED
    shown = ("、" if language == "zh" else ", ").join(names[:NAMED])
    if more <= 0:
        return shown
    return f"{shown} 等 {len(names)} 人" if language == "zh" else f"{shown} and {more} more"
