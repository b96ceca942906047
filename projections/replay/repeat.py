"""重放记录: replays that were run, and the same question asked again of the ledger as it was
then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.entries.parsing import parse_entry
from domain.errors import Declined, NotFound, Text
from domain.evaluation.programs import program_of
from domain.identifiers import Period
from domain.ledger.events import ReplayRun
from projections.replay.replay import Answer, Question, answered

if TYPE_CHECKING:
    from domain.entries.entry import AnyEntry
    from projections.models import ReadModels


class NotRepeatable(Declined):
    """The same question has another answer now: the ledger was changed, or the program computes
    otherwise.
    """

    code = "not_repeatable"

    def __init__(self, run: int) -> None:
        super().__init__(
            Text(
                f"重放 {run} 不能重现：结果与当时的摘要不同，账本被改动过，或程序的算法变了；"
                "请核对账本后重新运行",
                f"replay {run} cannot be repeated: its digests are others now, so the ledger was "
                "changed, or the "
                "program computes otherwise. Check the ledger and run it anew",
            )
        )


def run_at(models: ReadModels, position: int) -> ReplayRun:
    """The run that stands at a position. Raises NotFound."""
    event = models.ledger.event_at(position)
    if not isinstance(event, ReplayRun):
        raise NotFound(
            Text(f"位置 {position} 上没有重放", f"no replay stands at position {position}")
        )
    return event


def asked_in(run: ReplayRun) -> dict[str, Any]:
    """The run's parameters as they were asked."""
    return {name: value for name, value in run.parameters.items() if name != "kept"}


def supposed_in(run: ReplayRun) -> tuple[tuple[AnyEntry, ...], tuple[tuple[str, str], ...]]:
    """The entries that a run supposed, and the keys of those that it left out."""
    return supposed_of(run.parameters)


def supposed_of(asked: dict[str, Any]) -> tuple[tuple[AnyEntry, ...], tuple[tuple[str, str], ...]]:
    """The same, of the parameters of a run or a job."""
    added = tuple(
        parse_entry(parts["entry"] | parts["personal"]) for parts in asked["kept"]["supposed"]
    )
    keys = [key.partition(":") for key in asked["without"]]
    return added, tuple((source, number) for source, _, number in keys)


def repeated(models: ReadModels, position: int) -> Answer:
    """The answer that the run at a position had; nothing is written. Raises NotFound,
    NotRepeatable.
    """
    run = run_at(models, position)
    answer = answered(models, question_of(run.parameters))
    if tuple(evaluation.digest for evaluation in answer.evaluations) != run.digests:
        raise NotRepeatable(position)
    answer.position = position
    return answer


def question_of(asked: dict[str, Any]) -> Question:
    """The question that these parameters of a run or a job stand for."""
    kept = asked["kept"]
    added, left_out = supposed_of(asked)
    return Question(
        tuple(Period.parse(period) for period in asked["periods"]),
        tuple(asked["branches"]),
        asked["rulebook"],
        program_of(kept["draft"], "draft") if kept["draft"] else None,
        asked["against"],
        str(kept["position"]),
        added,
        left_out,
        checked=True,
    )
