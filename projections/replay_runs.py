"""重放记录: replays that were run, and the same question asked again of the ledger as it was then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.errors import Declined, NotFound, Text
from domain.events import ReplayRun
from domain.identifiers import Period
from projections.replay import Answer, Question, answered

if TYPE_CHECKING:
    from projections.book import Book


class NotRepeatable(Declined):
    """A run keeps its parameters and digests; what else it was asked with is not in the ledger, or has changed."""

    code = "not_repeatable"

    def __init__(self, run: int, zh: str, en: str) -> None:
        super().__init__(
            Text(f"重放 {run} 不能重现：{zh}；请重新运行", f"replay {run} cannot be repeated: {en}. Run it anew")
        )


def run_at(book: Book, position: int) -> ReplayRun:
    """The run that stands at a position. Raises NotFound."""
    event = book.ledger.event_at(position)
    if not isinstance(event, ReplayRun):
        raise NotFound(Text(f"位置 {position} 上没有重放", f"no replay stands at position {position}"))
    return event


def repeated(book: Book, position: int) -> Answer:
    """The answer that the run at a position had; nothing is written. Raises NotFound, NotRepeatable."""
    run = run_at(book, position)
    question = _question(book, run, position)
    _check_baseline(book, question, position)
    answer = answered(book, question)
    if tuple(evaluation.digest for evaluation in answer.evaluations) != run.digests:
        raise NotRepeatable(position, "此后发布或选用了别的规则", "other rules have been published or chosen since")
    answer.position = position
    return answer


def _question(book: Book, run: ReplayRun, position: int) -> Question:
    asked: dict[str, Any] = run.parameters
    if asked["draft"]:
        raise NotRepeatable(position, "草案未保存", "its draft was not kept")
    if asked["with"]:
        raise NotRepeatable(position, "假设的记录未保存", "the entries that it supposed were not kept")
    left_out = [key.partition(":") for key in asked["without"]]
    return Question(
        tuple(Period.parse(period) for period in asked["periods"]),
        tuple(asked["branches"]),
        asked["rulebook"],
        None,
        asked["against"],
        str(min(book.position_of(asked["as_of"]), position - 1)),
        (),
        tuple((source, number) for source, _, number in left_out),
    )


def _check_baseline(book: Book, question: Question, position: int) -> None:
    """What the run was compared with must be what it was: digests do not cover it. Raises NotRepeatable."""
    against = question.against
    if against == "settled":
        for period in question.periods:
            for branch in question.branches or book.branches(period):
                if any(settled.position > position for settled in book.statements.settlements(str(period), branch)):
                    raise NotRepeatable(
                        position, f"{branch} {period} 此后又结算过", f"{branch} settled {period} again since"
                    )
    elif against and "@" not in against and any(row.position > position for row in book.shelf.versions(against)):
        raise NotRepeatable(position, f"此后发布了 {against} 的新版", f"a version of {against} was published since")
