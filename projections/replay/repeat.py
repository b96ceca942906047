"""重放记录: replays that were run, and the same question asked again of the ledger as it was
then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import Declined, NotFound, Text
from domain.ledger.events import ReplayRun
from projections.replay.question import question_in
from projections.replay.replay import answer_question
from projections.store.database import database_of

if TYPE_CHECKING:
    from projections.models import ReadModels
    from projections.replay.replay import Answer


class NoSuchReplay(NotFound):
    """What was recorded at a position is no replay."""

    def __init__(self, position: int) -> None:
        super().__init__(
            Text(f"位置 {position} 上没有重放", f"no replay stands at position {position}")
        )
        self.position = position


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
        self.run = run


def run_at(models: ReadModels, position: int) -> ReplayRun:
    """The run recorded at a position. Raises NotFound."""
    event = models.ledger.event_at(position)
    if not isinstance(event, ReplayRun):
        raise NoSuchReplay(position)
    return event


def runs_after(
    models: ReadModels, after: int, limit: int
) -> tuple[list[tuple[int, ReplayRun]], int | None]:
    """A page of runs in ledger order, each with its position; and the position after which the next
    one begins.
    """
    database = database_of(models.ledger)
    with database.reading() as connection:
        rows = connection.fetch(
            f"SELECT {database.position} FROM stored_events WHERE topic = ? "
            f"AND {database.position} > ? ORDER BY 1 LIMIT ?",
            (ReplayRun.TOPIC, after, limit + 1),
        )
    positions = [position for (position,) in rows]
    events = models.ledger.events_at(positions[:limit])
    runs = [(at, event) for at, event in sorted(events.items()) if isinstance(event, ReplayRun)]
    return runs, positions[limit - 1] if len(positions) > limit else None


def repeat_replay(models: ReadModels, position: int) -> Answer:
    """The answer that the run at a position had; nothing is written.

    Raises NotFound, NotRepeatable.
    """
    run = run_at(models, position)
    answer = answer_question(models, question_in(run.parameters))
    if tuple(evaluation.digest for evaluation in answer.evaluations) != run.digests:
        raise NotRepeatable(position)
    answer.position = position
    return answer
