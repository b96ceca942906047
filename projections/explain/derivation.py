"""推导与沿革: a statement down to the last entry and clause, and everything that happened to it, in
order.

The derivation is computed anew from the ledger as of the statement's position, under its rulebook,
and must give the statement's figures again: what is explained is what was issued.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from domain.errors import Invalid, NotFound, Reason, StoreError, Text
from domain.evaluation.messages import warning_text
from domain.evaluation.nearest import Change, Move, change_text, nearest_changes
from domain.evaluation.trace import StepTrace, derivation
from domain.fact_kinds import KIND_CODES
from domain.identifiers import Period
from domain.ledger.event_json import instant
from domain.ledger.events import EntryRecorded
from projections.evaluation.provisional import statement_as_of
from projections.facts.counting import counting, counting_reversals
from projections.month.payable import Payout, payout_json, payout_of
from projections.records.statements import Issued
from projections.store.database import database_of

if TYPE_CHECKING:
    from collections.abc import Container

    from domain.evaluation.evaluator import Evaluation
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Rulebook
    from projections.evaluation.provisional import Live
    from projections.models import Book


@dataclass(frozen=True)
class EntryBehind:
    """An entry behind a figure: what it says, where it came from, when, by whom, and what took it
    out, if anything.
    """

    position: int
    entry: dict[str, Any]
    by: str
    at: str
    reversed_by: str | None = None  # source:source_id of the reversal that counts

    def as_json(self) -> dict[str, Any]:
        """The entry as data."""
        return {
            "position": self.position,
            "entry": self.entry,
            "by": self.by,
            "at": self.at,
            "reversed_by": self.reversed_by,
        }


@dataclass(frozen=True)
class Explanation:
    """A statement with its derivation."""

    issued: Issued  # or what would be, by nobody: `provisional`
    rulebook: Rulebook
    rulebook_digest: str
    name: str  # of the manager
    steps: list[StepTrace]
    entries: dict[int, EntryBehind]
    statements: dict[int, Issued]  # earlier ones that it reads, by ledger position
    reversed_entries: list[EntryBehind]  # of the person and period, that do not count
    payout: Payout | None  # what the month pays, where the rulebook does
    changes: list[
        Change
    ]  # the smallest, of one of the person's own figures, that would have moved something
    provisional: bool = (
        False  # evaluated for this explanation, as of a moment, and recorded nowhere
    )

    @property
    def total(self) -> StepTrace:
        """Pay, or the last step that the person has under a rulebook that does not pay."""
        there = [step for step in self.steps if step.value is not None] or self.steps
        return next((step for step in self.steps if step.step == "pay"), there[-1])

    def warnings(self) -> list[tuple[dict[str, Any], Text]]:
        """The statement's warnings with their words."""
        return [
            (w, warning_text(w["code"], w["about"], self.rulebook)) for w in self.issued.warnings
        ]

    def as_json(self) -> dict[str, Any]:
        """The explanation as data, in both languages."""
        issued, book = self.issued, self.rulebook
        return {
            "manager": issued.manager,
            "name": self.name,
            "period": issued.period,
            "branch": issued.branch,
            "team": issued.team,
            "rulebook": {
                "id": book.id,
                "version": book.version,
                "digest": self.rulebook_digest,
                "title": book.title.model_dump(),
                "source": book.source.model_dump(),
            },
            "version": None if self.provisional else issued.number,
            "position": issued.as_of,
            "digest": issued.digest,
            "issued": None
            if self.provisional
            else {"by": issued.by, "at": issued.at, "position": issued.position},
            "provisional": self.provisional,
            "total": {"step": self.total.step, "value": self.total.value, "unit": self.total.unit},
            "steps": [_step(step, self.entries) for step in self.steps],
            "changes": [_change(change, book) for change in self.changes],
            "warnings": [w | {"message": _both(text)} for w, text in self.warnings()],
            "entries": [self.entries[position].as_json() for position in sorted(self.entries)],
            "statements": [_statement(row) for row in self.statements.values()],
            "reversed": [entry.as_json() for entry in self.reversed_entries],
            "notes": [note.model_dump(exclude_none=True) for note in book.notes],
            **payout_json(self.payout),
        }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _statement(row: Issued) -> dict[str, Any]:
    return {
        "position": row.position,
        "period": row.period,
        "branch": row.branch,
        "rulebook": {"id": row.rulebook, "version": row.version},
        "version": row.number,
        "steps": row.steps,
        "digest": row.digest,
        "by": row.by,
        "at": row.at,
    }


def _step(step: StepTrace, entries: Container[int]) -> dict[str, Any]:
    return {
        "step": step.step,
        "label": _both(step.label),
        "value": step.value,
        "unit": step.unit,
        "clause": step.clause,
        "formula": _both(step.formula),
        "figures": _both(step.figures),
        "reads": [
            {"name": r.name, "kind": r.kind, "label": _both(r.label), "value": r.value}
            for r in step.reads
        ],
        "limits": [
            {
                "kind": lim.kind,
                "fired": lim.fired,
                "distance": lim.distance,
                "message": _both(lim.text),
            }
            for lim in step.limits
        ],
        "entries": [position for position in step.positions if position in entries],
        "statements": [position for position in step.positions if position not in entries],
    }


def _change(change: Change, book: Rulebook) -> dict[str, Any]:
    def moved(move: Move) -> dict[str, Any]:
        return {"step": move.step, "before": move.before, "after": move.after}

    return {
        "input": change.name,
        "label": _both(change.label),
        "unit": change.unit,
        "before": change.before,
        "after": change.after,
        "moves": [moved(move) for move in change.moves],
        "limits": [moved(move) for move in change.limits],
        "total": moved(change.total),
        "message": _both(change_text(change, book)),
    }


class Unexplained(StoreError):
    """A statement that does not follow from the ledger: figures, or entries behind them, are not
    what they were.
    """

    def __init__(self, issued: Issued, zh: str, en: str) -> None:
        super().__init__(
            Text(
                f"{issued.manager} {issued.period} 第 {issued.number} 版考核单与账本不符：{zh}。"
                "请保全数据库并运行 merit rebuild；仍不符则账本被改动过，不得据此发薪",
                f"statement {issued.number} of {issued.manager} for {issued.period} does not "
                "follow from the ledger: "
                f"{en}. Keep a copy of the database and run merit rebuild; "
                "if it still differs, the ledger was changed: do not pay from it",
            )
        )


def explain(
    book: Book,
    manager: str,
    period: Period,
    rulebook: str | None = None,
    number: int | None = None,
    as_of: str | None = None,
) -> Explanation:
    """The derivation of a statement version (the latest where none is named), or of what it would
    say as of a moment.

    Raises NotFound, StoreError; as of a moment also Refused, WrongPeriod, Declined, and Invalid for
    a version too.
    """
    if as_of is None:
        return _explained(book, book.statement(manager, period, rulebook, number), period)
    if number is not None:
        text = Text("version 与 as_of 只能给一个", "give one of version and as_of, not both")
        raise Invalid([Reason("bad_value", "version", text)])
    live = statement_as_of(book, manager, period, rulebook, book.position_of(as_of))
    return replace(_explained(book, _unissued(live), period), provisional=True, payout=None)


def _unissued(live: Live) -> Issued:
    """A statement that was not issued, in the form of one that was."""
    evaluation, s = live
    rules = evaluation.program.rulebook
    return Issued(
        manager=s.manager,
        period=evaluation.period,
        rulebook=rules.id,
        number=0,
        position=0,
        branch=s.branch,
        team=s.team,
        version=rules.version,
        as_of=evaluation.position,
        digest=evaluation.digest,
        steps=s.steps,
        warnings=[dict(warning.as_json()) for warning in s.warnings],
        by="",
        at="",
    )


def derived(book: Book, issued: Issued) -> tuple[list[StepTrace], dict[int, EntryBehind]]:
    """A statement's steps and the entries behind them, by ledger position. Raises StoreError."""
    steps = _derived(book, issued).steps
    behind = {position for step in steps for position in step.positions}
    behind -= book.statements.at(behind).keys()
    events = _as_recorded(book, issued, behind)
    return steps, {position: _entry(position, events[position]) for position in behind}


class _Derived(NamedTuple):
    program: Program
    evaluation: Evaluation
    row: int | None  # of the person, if the branch has them
    steps: list[StepTrace]


def _derived(book: Book, issued: Issued) -> _Derived:
    """The evaluation behind a statement, which must give its figures again. Raises Unexplained."""
    program = book.shelf.find(issued.rulebook, issued.version)
    evaluation = book.evaluator.columns(
        program, Period.parse(issued.period), [issued.branch], issued.as_of
    )
    managers = evaluation.people.managers
    row = managers.index(issued.manager) if issued.manager in managers else None
    steps = [] if row is None else derivation(evaluation, row)
    if {step.step: step.value for step in steps if step.value is not None} != issued.steps:
        raise Unexplained(
            issued,
            f"按位置 {issued.as_of} 重算的结果不同",
            f"evaluated as of position {issued.as_of} it has other figures",
        )
    return _Derived(program, evaluation, row, steps)


def _explained(book: Book, issued: Issued, period: Period) -> Explanation:
    manager = issued.manager
    program, evaluation, row, steps = _derived(book, issued)
    behind = {position for step in steps for position in step.positions}
    statements = book.statements.at(behind)
    behind -= statements.keys()
    dead = _reversed(book, manager, period, issued.as_of)
    assigned = set() if row is None else evaluation.inputs.positions_of_person(row)
    events = _as_recorded(book, issued, behind | assigned | set(dead) | set(dead.values()))
    entries = {position: _entry(position, events[position]) for position in behind}
    gone = [
        _entry(position, events[position], _key(events[by]))
        for position, by in sorted(dead.items())
    ]
    name = next((events[position].entry.content().get("name", "") for position in assigned), "")
    changes = [] if row is None else nearest_changes(evaluation, row)
    known = steps, entries, statements, gone, payout_of(book, issued), changes
    return Explanation(issued, program.rulebook, program.digest, name, *known)


def _as_recorded(book: Book, issued: Issued, positions: set[int]) -> dict[int, EntryRecorded]:
    """The entries at these positions, each with the content that was recorded under its key. Raises
    Unexplained.
    """
    changed = "账本中的记录被改动过", "an entry behind it was changed"
    try:
        events = {
            at: event
            for at, event in book.ledger.events_at(positions).items()
            if isinstance(event, EntryRecorded)
        }
    except ValueError:  # no JSON, or no entry
        raise Unexplained(issued, *changed) from None
    database = database_of(book.ledger)
    with database.reading() as connection:
        kept = database.keys(connection, [event.entry.key for event in events.values()])
    recorded = {position: bytes(digest) for position, digest in kept.values()}
    if (
        recorded != {position: event.entry.digest() for position, event in events.items()}
        or set(events) != positions
    ):
        raise Unexplained(issued, *changed)
    return events


def _entry(position: int, event: object, reversed_by: str | None = None) -> EntryBehind:
    assert isinstance(event, EntryRecorded)
    return EntryBehind(position, event.entry.content(), event.by, instant(event.at), reversed_by)


def _key(event: object) -> str:
    assert isinstance(event, EntryRecorded)
    return f"{event.entry.source}:{event.entry.source_id}"


def _reversed(book: Book, manager: str, period: Period, as_of: int) -> dict[int, int]:
    """The person's entries of the period that do not count, each with the reversal that counts
    against it.
    """
    rows = book.evaluator.facts.of_manager(
        manager, period.first.index, period.last.index, as_of=as_of
    )
    entries = rows[rows["reverses"] == 0]
    dead = entries[~np.isin(entries["position"], counting(rows)["position"])]
    gone = set(dead["position"].tolist())
    against = counting_reversals(rows)
    return {reverses: position for position, reverses in against.items() if reverses in gone}


def history(
    book: Book, manager: str, period: Period, rulebook: str | None = None, as_of: str | None = None
) -> dict[str, Any]:
    """All statement versions and entries of a person and period, in ledger order, with who, when
    and why.

    Under one rulebook: `ID` or `ID@VERSION`; as of a moment. Raises NotFound where there are none,
    or no such rulebook.
    """
    last = book.position_of(as_of)
    if rulebook:
        book.shelf.named(rulebook, None)
    issued = book.statements.of_manager(manager, str(period), rulebook)
    rows = book.evaluator.facts.of_manager(
        manager, 0, period.last.index, as_of=book.ledger.position()
    )
    mine = (rows["kind"] == KIND_CODES["assignment"]) | (rows["month"] >= period.first.index)
    positions = rows["position"][mine].tolist()
    items: list[dict[str, Any]] = []
    for position, event in book.ledger.events_at(positions).items():
        assert isinstance(event, EntryRecorded)
        why = getattr(event.entry, "reason", None)
        items.append(
            {
                "position": position,
                "type": "entry",
                "entry": event.entry.content(),
                "by": event.by,
                "at": instant(event.at),
                "why": why or event.entry.note,
            }
        )
    before: dict[str, dict[str, str]] = {}
    resettled = {
        branch: book.cycle(period, branch).state().resettled
        for branch in {row.branch for row in issued}
    }
    for row in issued:
        old = before.get(row.rulebook, {})
        changed = [
            {"step": step, "before": old.get(step), "after": row.steps.get(step)}
            for step in dict.fromkeys([*row.steps, *old])
            if old and old.get(step) != row.steps.get(step)
        ]
        before[row.rulebook] = row.steps
        items.append(
            {
                "position": row.position,
                "type": "statement",
                "version": row.number,
                "rulebook": {"id": row.rulebook, "version": row.version},
                "branch": row.branch,
                "as_of": row.as_of,
                "digest": row.digest,
                "steps": row.steps,
                "warnings": row.warnings,
                "changed": changed,
                "by": row.by,
                "at": row.at,
                "why": next(
                    (r.reason for r in reversed(resettled[row.branch]) if row.digest in r.digests),
                    None,
                ),
            }
        )
    for paid in book.payments.of_manager(manager, str(period)):
        closing = book.payments.closing(paid.branch, paid.period)
        assert closing is not None
        items.append(
            {"type": "payment", **paid.as_json(), "by": closing.by, "at": closing.at, "why": None}
        )
    items = [item for item in items if item["position"] <= last]
    if not items:
        raise NotFound(
            Text(
                f"账本中没有 {manager} 到 {period} 为止的任何记录；请核对员工编号",
                f"the ledger has nothing of {manager} up to {period}: check the manager's id",
            )
        )
    return {
        "manager": manager,
        "period": str(period),
        "events": sorted(items, key=lambda item: item["position"]),
    }
