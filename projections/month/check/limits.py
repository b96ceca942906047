"""封顶与保底: whom each cap and floor of a rulebook limited, over whole columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.evaluation.columns import Column, Mask, subtract
from domain.evaluation.evaluator import Runner
from domain.rulebook.expressions import Call, Choice, Node, children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.evaluation.context import Evaluation

KINDS = {"min": "cap", "max": "floor"}


class RowLimit(NamedTuple):
    """A cap or floor in a step: whom it limited, and how far each person's figure was beyond it."""

    kind: str  # cap or floor
    step: str
    rows: Mask
    by: Column


def find_limits(evaluation: Evaluation) -> Iterator[RowLimit]:
    """Every cap and floor that limited anybody, in the order of the steps."""
    # The evaluation has reported what it found; computing parts of it must add nothing.
    runner = Runner(replace(evaluation, warnings=[], findings=[], gaps={}))
    everyone: Mask = np.ones(len(evaluation.people), bool)
    for checked in evaluation.program.steps:
        runner.step = checked.step.step
        for limit in _limits(runner, checked.node, everyone):
            if limit.rows.any():
                yield limit


def _limits(runner: Runner, node: Node, rows: Mask) -> Iterator[RowLimit]:
    """The limits in an expression, for those of these rows that it is computed for."""
    if isinstance(node, Choice):
        condition = runner.compute_figure(node.condition).broadcast(len(rows))
        holds = condition.data != 0
        yield from _limits(runner, node.then, rows & holds)
        yield from _limits(runner, node.otherwise, rows & ~holds)
        return
    if isinstance(node, Call) and node.function in KINDS:
        figure = runner.compute_figure(node.arguments[0])
        for argument in node.arguments[1:]:
            bound = runner.compute_figure(argument)
            over = subtract(figure, bound) if node.function == "min" else subtract(bound, figure)
            over = over.broadcast(len(rows))
            is_limited = rows & over.present & (over.data > 0)
            yield RowLimit(KINDS[node.function], runner.step, np.asarray(is_limited, bool), over)
    for child in children(node):
        yield from _limits(runner, child, rows)
