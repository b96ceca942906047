"""历史: everything that happened to a person in a period, in ledger order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from domain.errors import NotFound, Text
from domain.evaluation.trace import positions_read
from domain.fact_kinds import KIND_CODES
from domain.identifiers import Period
from domain.ledger.event_json import instant
from domain.ledger.events import EntryRecorded
from projections.facts.places import ALL_MONTHS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from projections.facts.places import HeldMonths
    from projections.models import ReadModels
    from projections.records.statements import Issued

Fields = dict[str, object]  # an entry as it was recorded


class RulebookVersion(NamedTuple):
    """A version of a rulebook."""

    id: str
    version: str


class StepChange(NamedTuple):
    """A step that differs from the version before; None where there is no such step."""

    step: str
    before: str | None
    after: str | None


class EntryEvent(NamedTuple):
    """An entry was recorded. `why`: its reason or its note."""

    position: int
    entry: Fields
    by: str
    at: str
    why: str | None
    type: Literal["entry"] = "entry"


class StatementEvent(NamedTuple):
    """A statement version was issued. `why`: the reason of the resettlement that recorded it."""

    position: int
    version: int
    rulebook: RulebookVersion
    branch: str
    as_of: int  # the last ledger position taken in
    digest: str
    steps: dict[str, str]
    warnings: Sequence[Mapping[str, str]]
    changed: tuple[StepChange, ...]  # since the version before
    by: str
    at: str
    why: str | None
    type: Literal["statement"] = "statement"


class WithdrawalEvent(NamedTuple):
    """A settlement no longer contained the person: their statement of this version is withdrawn."""

    position: int
    version: int
    rulebook: RulebookVersion
    branch: str
    by: str
    at: str
    why: None = None
    type: Literal["withdrawal"] = "withdrawal"


class PaymentEvent(NamedTuple):
    """The person was paid with the closing of a month; `version`: of the statement."""

    position: int
    branch: str
    period: str
    manager: str
    rulebook: str | None
    version: int | None
    pay: str
    back_pay: str
    clawback: str
    carried: str
    payable: str
    by: str
    at: str
    why: None = None
    type: Literal["payment"] = "payment"


HistoryEvent = EntryEvent | StatementEvent | WithdrawalEvent | PaymentEvent


class History(NamedTuple):
    """A person's events of a period, in ledger order, and the measures of branch and team that are
    behind their statements.
    """

    manager: str
    period: str
    events: tuple[HistoryEvent, ...]


class NothingRecorded(NotFound):
    """A person of whom the ledger has nothing up to the end of a period."""

    def __init__(self, manager: str, period: Period) -> None:
        super().__init__(
            Text(
                f"账本中没有 {manager} 到 {period} 为止的任何记录；请核对员工编号",
                f"the ledger has nothing of {manager} up to {period}: check the manager's id",
            )
        )


def history(
    models: ReadModels,
    manager: str,
    period: Period,
    rulebook: str | None = None,
    as_of: str | None = None,
    held: HeldMonths = ALL_MONTHS,
) -> History:
    """All statement versions, entries and payments of a person and period, as of a moment, and the
    measures of branch and team that moved a statement.

    The statements under one rulebook (`ID` or `ID@VERSION`) or under all. Of a reader who holds
    some months: the entries of those, and what sums up the period if they hold all of it. Raises
    NotFound where nothing is recorded, or there is no such rulebook.
    """
    last = models.position_of(as_of)
    if rulebook:
        models.rulebooks.named(rulebook, None)
    issued = models.statements.of_manager(manager, str(period), rulebook)
    issued = [row for row in issued if row.position <= last]
    events: list[HistoryEvent] = [*_entries(models, manager, period, held)]
    if held.has_whole(period):
        events += [
            *_measures(models, period, issued),
            *_statements(models, period, issued),
            *_withdrawals(models, issued),
            *_payments(models, manager, period),
        ]
    events = [event for event in events if event.position <= last]
    if not events:
        raise NothingRecorded(manager, period)
    events.sort(key=lambda event: event.position)
    return History(manager, str(period), tuple(events))


def _entries(
    models: ReadModels, manager: str, period: Period, held: HeldMonths
) -> Iterator[EntryEvent]:
    """The person's entries of the period, and all their assignments up to its end: those of the
    months that are held.
    """
    rows = models.facts.of_manager(manager, 0, period.last.index, as_of=models.ledger.position())
    first, shown = period.first.index, []
    for position, kind, month, branch in rows[["position", "kind", "month", "branch"]].tolist():
        if kind == KIND_CODES["assignment"]:
            is_shown = held.has_assignment(month, branch)
        else:
            is_shown = month >= first and held.has(month)
        if is_shown:
            shown.append(position)
    yield from _recorded(models, shown)


def _recorded(models: ReadModels, positions: Collection[int]) -> Iterator[EntryEvent]:
    for position, event in models.ledger.events_at(positions).items():
        assert isinstance(event, EntryRecorded)
        why = getattr(event.entry, "reason", None) or event.entry.note
        yield EntryEvent(position, event.entry.content(), event.by, instant(event.at), why)


def _measures(models: ReadModels, period: Period, issued: list[Issued]) -> Iterator[EntryEvent]:
    """The measures of branch and team that a statement has read, and what reverses them."""
    read: dict[str, set[int]] = {}  # by branch
    for row in issued:
        read.setdefault(row.branch, set()).update(_positions_read(models, row))
    first, last = period.first.index, period.last.index
    for branch, positions in read.items():
        known = models.ledger.position()
        rows = models.facts.facts(first, last, branches=[branch], as_of=known)
        rows = np.sort(rows[rows["manager"] == 0], order="position")
        listed = set()
        for position, reversed_position in rows[["position", "reverses"]].tolist():
            if position in positions or reversed_position in listed:
                listed.add(position)
        yield from _recorded(models, listed)


def _positions_read(models: ReadModels, issued: Issued) -> set[int]:
    """The ledger positions of all that a statement has read."""
    program = models.rulebooks.find(issued.rulebook, issued.version)
    period = Period.parse(issued.period)
    evaluation = models.evaluator.columns(program, period, [issued.branch], issued.as_of)
    managers = evaluation.people.managers
    if issued.manager not in managers:  # the ledger was changed since: `explain` says so
        return set()
    return positions_read(evaluation, managers.index(issued.manager))


def _statements(
    models: ReadModels, period: Period, issued: list[Issued]
) -> Iterator[StatementEvent]:
    reasons = [
        reason
        for branch in dict.fromkeys(row.branch for row in issued)
        for reason in _reasons(models, period, branch)
    ]
    steps_before: dict[str, dict[str, str]] = {}  # by rulebook
    for row in issued:
        yield StatementEvent(
            position=row.position,
            version=row.number,
            rulebook=RulebookVersion(row.rulebook, row.version),
            branch=row.branch,
            as_of=row.as_of,
            digest=row.digest,
            steps=row.steps,
            warnings=row.warnings,
            changed=_changes(steps_before.get(row.rulebook, {}), row),
            by=row.by,
            at=row.at,
            why=next((why for issued_at, why in reasons if row.position in issued_at), None),
        )
        steps_before[row.rulebook] = row.steps


def _reasons(models: ReadModels, period: Period, branch: str) -> Iterator[tuple[range, str]]:
    """The reasons of a branch's resettlements, each with the positions of the statements that were
    issued for it.

    A closed period is settled by resettlements alone, each settlement of which stands in the
    ledger before the event that names its digest.
    """
    closing = models.payments.closing(branch, str(period))
    if closing is None:
        return
    from projections.month.cycle import Cycle  # explaining a statement starts without it

    settlements = models.statements.settlements(str(period), branch)
    since = iter([made for made in settlements if made.position > closing.position])
    for resettled in Cycle(models, period, branch).state().resettled:
        for digest in resettled.digests:
            made = next((made for made in since if made.digest == digest), None)
            if made is not None:
                yield range(made.position + 1, made.position + 1 + made.people), resettled.reason


def _withdrawals(models: ReadModels, issued: list[Issued]) -> Iterator[WithdrawalEvent]:
    for settlement, row in models.statements.withdrawals(issued):
        yield WithdrawalEvent(
            position=settlement.position,
            version=row.number,
            rulebook=RulebookVersion(row.rulebook, row.version),
            branch=row.branch,
            by=settlement.by,
            at=settlement.at,
        )


def _changes(before: dict[str, str], row: Issued) -> tuple[StepChange, ...]:
    """The steps that differ from the version before; none for the first version."""
    if not before:
        return ()
    return tuple(
        StepChange(step, before.get(step), row.steps.get(step))
        for step in dict.fromkeys([*row.steps, *before])
        if before.get(step) != row.steps.get(step)
    )


def _payments(models: ReadModels, manager: str, period: Period) -> Iterator[PaymentEvent]:
    for paid in models.payments.of_manager(manager, str(period)):
        closing = models.payments.closing(paid.branch, paid.period)
        assert closing is not None
        yield PaymentEvent(*paid, by=closing.by, at=closing.at)
