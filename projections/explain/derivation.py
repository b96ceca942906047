"""推导: a statement down to the last entry and clause.

The derivation is computed anew from the ledger as of the statement's position, under its rulebook,
and must give the statement's figures again: what is explained is what was issued.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.errors import NextAct, StoreError, Text
from domain.evaluation.nearest import NearestChange, nearest_changes
from domain.evaluation.trace import StepTrace, trace_steps
from domain.identifiers import Period
from domain.ledger.event_json import instant
from domain.ledger.events import EntryRecorded
from projections.evaluation.provisional import VersionAndMoment, statement_as_of
from projections.facts.counting import counting, counting_reversals
from projections.month.payable import Payout, payout_of
from projections.records.statement_choice import in_force_at
from projections.records.statements import Issued
from projections.store.database import database_of

if TYPE_CHECKING:
    from domain.evaluation.context import Evaluation
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Rulebook
    from projections.evaluation.provisional import ProvisionalStatement
    from projections.models import ReadModels


class EntryBehind(NamedTuple):
    """An entry behind a figure, as it was recorded."""

    position: int
    entry: dict[str, object]
    by: str
    at: str
    reversed_by: str | None = None  # source:source_id of the reversal that counts


@dataclass(frozen=True)
class Explanation:
    """A statement with its derivation."""

    issued: Issued  # a provisional one has number 0, and nobody issued it
    rulebook: Rulebook
    rulebook_digest: str
    name: str  # of the manager
    steps: list[StepTrace]
    entries: dict[int, EntryBehind]  # by ledger position
    statements: dict[int, Issued]  # earlier ones that it reads, by ledger position
    reversed_entries: list[EntryBehind]  # of the person and period, that do not count
    payout: Payout | None  # what the month pays, where the rulebook does
    changes: list[NearestChange]  # of one own figure; each would have moved something
    withdrawn: bool = False  # the last settlement no longer contains the person
    provisional: bool = False  # evaluated for this explanation, and recorded nowhere
    in_force: Issued | None = None  # of a provisional one: what had been issued by its position

    @property
    def total(self) -> StepTrace:
        """Pay, or the last step that the person has under a rulebook that does not pay."""
        with_value = [step for step in self.steps if step.value is not None] or self.steps
        return next((step for step in self.steps if step.step == "pay"), with_value[-1])


class Unexplained(StoreError):
    """A statement that does not follow from the ledger: its figures, or entries, were changed."""

    def __init__(self, issued: Issued, zh: str, en: str) -> None:
        super().__init__(
            Text(
                f"{issued.manager} {issued.period} 第 {issued.number} 版考核单与账本不符：{zh}。"
                "请先保全数据库，再重建读模型；仍不符则账本被改动过，不得据此发薪",
                f"statement {issued.number} of {issued.manager} for {issued.period} does not "
                f"follow from the ledger: {en}. Keep a copy of the database and rebuild the read "
                "models; if it still differs, the ledger was changed: do not pay from it",
            ),
            NextAct("rebuild", {}),
        )


def explain(
    models: ReadModels,
    manager: str,
    period: Period,
    rulebook: str | None = None,
    number: int | None = None,
    as_of: str | None = None,
) -> Explanation:
    """The derivation of a statement version, or of what a statement would say as of a moment.

    Without a number that of the latest version. Raises NotFound, Declined, StoreError; as of a
    moment also Refused, WrongPeriod, and VersionAndMoment where a number is given too.
    """
    if as_of is None:
        return _explained(models, models.find_statement(manager, period, rulebook, number), period)
    if number is not None:
        raise VersionAndMoment
    position = models.position_of(as_of)
    provisional = statement_as_of(
        models.evaluator, models.rulebooks, manager, period, rulebook, position
    )
    unissued = _unissued(provisional)
    explained = _explained(models, unissued, period)
    in_force = in_force_at(models.statements, manager, str(period), unissued.rulebook, position)
    return replace(explained, provisional=True, withdrawn=False, payout=None, in_force=in_force)


def _unissued(provisional: ProvisionalStatement) -> Issued:
    """A provisional statement in the form of one that was issued."""
    evaluation, statement = provisional
    rules = evaluation.program.rulebook
    return Issued(
        manager=statement.manager,
        period=evaluation.period,
        rulebook=rules.id,
        number=0,
        position=0,
        branch=statement.branch,
        team=statement.team,
        version=rules.version,
        as_of=evaluation.position,
        digest=evaluation.digest,
        steps=statement.steps,
        warnings=[dict(warning.as_json()) for warning in statement.warnings],
        by="",
        at="",
    )


def derived(models: ReadModels, issued: Issued) -> tuple[list[StepTrace], dict[int, EntryBehind]]:
    """A statement's steps and the entries behind them, by ledger position. Raises StoreError."""
    steps = _derived(models, issued).steps
    behind = {position for step in steps for position in step.positions}
    behind -= models.statements.at(behind).keys()
    events = _as_recorded(models, issued, behind)
    return steps, {position: _entry(position, events[position]) for position in behind}


class _Derived(NamedTuple):
    program: Program
    evaluation: Evaluation
    row: int | None  # of the person, if the branch has them
    steps: list[StepTrace]


def _derived(models: ReadModels, issued: Issued) -> _Derived:
    """The evaluation behind a statement, which must give its figures again. Raises Unexplained."""
    program = models.rulebooks.find(issued.rulebook, issued.version)
    evaluation = models.evaluator.columns(
        program, Period.parse(issued.period), [issued.branch], issued.as_of
    )
    managers = evaluation.people.managers
    row = managers.index(issued.manager) if issued.manager in managers else None
    steps = [] if row is None else trace_steps(evaluation, row)
    if {step.step: step.value for step in steps if step.value is not None} != issued.steps:
        raise Unexplained(
            issued,
            f"按位置 {issued.as_of} 重算的结果不同",
            f"evaluated as of position {issued.as_of} it has other figures",
        )
    return _Derived(program, evaluation, row, steps)


def _explained(models: ReadModels, issued: Issued, period: Period) -> Explanation:
    manager = issued.manager
    program, evaluation, row, steps = _derived(models, issued)
    behind = {position for step in steps for position in step.positions}
    statements = models.statements.at(behind)
    behind -= statements.keys()
    reversals = _reversals(models, manager, period, issued.as_of)
    assigned = set() if row is None else evaluation.inputs.positions_of_person(row)
    positions = behind | assigned | set(reversals) | set(reversals.values())
    events = _as_recorded(models, issued, positions)
    return Explanation(
        issued=issued,
        rulebook=program.rulebook,
        rulebook_digest=program.digest,
        name=next((events[at].entry.content().get("name", "") for at in assigned), ""),
        steps=steps,
        entries={position: _entry(position, events[position]) for position in behind},
        statements=statements,
        reversed_entries=[
            _entry(position, events[position], _key(events[reversal]))
            for position, reversal in sorted(reversals.items())
        ],
        payout=payout_of(models, issued),
        changes=[] if row is None else nearest_changes(evaluation, row),
        withdrawn=models.statements.is_withdrawn(issued),
    )


def _as_recorded(
    models: ReadModels, issued: Issued, positions: set[int]
) -> dict[int, EntryRecorded]:
    """The entries at these positions. Raises UnreadableEvents; and Unexplained where one is not
    what its key pins.
    """
    changed = "账本中的记录被改动过", "an entry behind it was changed"
    events = {
        at: event
        for at, event in models.ledger.events_at(positions).items()
        if isinstance(event, EntryRecorded)
    }
    database = database_of(models.ledger)
    with database.reading() as connection:
        kept = database.keys(connection, [event.entry.key for event in events.values()])
    recorded = {position: bytes(digest) for position, digest in kept.values()}
    if (
        recorded != {position: event.entry.digest() for position, event in events.items()}
        or set(events) != positions
    ):
        raise Unexplained(issued, *changed)
    return events


def _entry(position: int, event: EntryRecorded, reversed_by: str | None = None) -> EntryBehind:
    return EntryBehind(position, event.entry.content(), event.by, instant(event.at), reversed_by)


def _key(event: EntryRecorded) -> str:
    return f"{event.entry.source}:{event.entry.source_id}"


def _reversals(models: ReadModels, manager: str, period: Period, as_of: int) -> dict[int, int]:
    """The person's entries of the period that do not count, each with the reversal that counts.

    By ledger position.
    """
    rows = models.facts.of_manager(manager, period.first.index, period.last.index, as_of=as_of)
    entries = rows[rows["reverses"] == 0]
    still_counting = np.isin(entries["position"], counting(rows)["position"], assume_unique=True)
    not_counting = entries[~still_counting]
    reversed_positions = set(not_counting["position"].tolist())
    return {
        entry: reversal
        for reversal, entry in counting_reversals(rows).items()
        if entry in reversed_positions
    }
