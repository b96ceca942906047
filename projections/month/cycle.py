"""考核周期: a branch's month from its ratings to its payment, and what changes it afterwards.

The steps and what they need are decided in `domain/processes/branch_month.py`; here they meet
settlements and payments.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from domain.errors import Text
from domain.identifiers import Period
from domain.ledger.event_json import instant
from domain.ledger.events import (
    AuditFindingRecorded,
    AuditFindingResolved,
    CycleStepDone,
    SampleOrdered,
)
from domain.numbers import plain
from domain.processes.branch_month import (
    BY_CODE,
    BranchMonth,
    check_text,
    evolve,
    schedule_of,
    step_states,
    window,
)
from domain.processes.payout import ZERO
from domain.processes.sampling import EmptySample, drawn
from projections.month.refusals import (
    FindingResolved,
    NeverWorkedHere,
    NobodyAssigned,
    NoSuchFinding,
    NothingSettled,
)
from projections.month.settle import month_stream
from projections.records.payments import is_posting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from domain.ledger.events import Event, MonthClosed, Pinned, Posting
    from domain.processes.branch_month import AuditFinding, Schedule, StepState
    from domain.rulebook.checks import Program
    from projections.models import ReadModels
    from projections.records.payments import Closing, Paid
    from projections.records.statements import Issued, Settlement


@dataclass(frozen=True)
class Sample:
    """A sample of a settlement: what was asked for, and who is drawn by it."""

    size: int
    seed: str
    by_team: bool
    by_amount: bool
    settlements: list[int]
    by: str
    at: str
    managers: list[str]


@dataclass(frozen=True)
class ClosedMonth:
    """How a month was closed: what it pinned, and what everyone was paid."""

    by: str
    at: str
    settlements: tuple[Pinned, ...]
    payable: str
    payments: list[Paid]


@dataclass(frozen=True)
class ResettledMonth:
    """A resettlement of a closed month."""

    by: str
    at: str
    reason: str
    appeal: str | None
    digests: tuple[str, ...]
    postings: tuple[Posting, ...]


@dataclass(frozen=True)
class MonthOverview:
    """A branch's month as it stands. `version` is that of its stream; `late` counts entries."""

    branch: str
    period: str
    state: str
    version: int
    steps: list[StepState]
    published_at: str | None
    objection_until: str | None
    decision_until: str | None
    samples: list[Sample]
    findings: list[AuditFinding]
    closed: ClosedMonth | None
    resettlements: list[ResettledMonth]
    late: int


class Cycle:
    """One branch's period, as it is or was as of a position. Raises NotFound where nobody was
    assigned by then.
    """

    def __init__(
        self, models: ReadModels, period: Period, branch: str, as_of: int | None = None
    ) -> None:
        self.models, self.period, self.branch, self.as_of = models, period, branch, as_of
        if not models.places.has_anyone(branch, period, self.known):
            raise NobodyAssigned(branch, period)
        self.stream: UUID = month_stream(branch, period)

    @property
    def known(self) -> int:
        """The ledger position up to which is looked."""
        return self.models.ledger.position() if self.as_of is None else self.as_of

    # reading

    def state(self) -> BranchMonth:
        """The month as its events tell it, and what the branch was settled at since."""
        state = BranchMonth(self.branch, str(self.period))
        state.settled = frozenset(settlement.position for settlement in self.last_settlements())
        return evolve(state, self.models.ledger.events_of(self.stream, self.as_of))

    def as_reported(self) -> BranchMonth:
        """The month as it was when it was last reported, and so published; as it is, where it was
        not yet.
        """
        events = self.models.ledger.events_of(self.stream, self.as_of)
        reported = [
            number
            for number, e in enumerate(events, 1)
            if isinstance(e, CycleStepDone) and e.step == "reported"
        ]
        return evolve(
            BranchMonth(self.branch, str(self.period)),
            events[: reported[-1]] if reported else events,
        )

    def overview(self, today: date | None = None) -> MonthOverview:
        """The thirteen steps, the windows, what was found, closed and resettled."""
        state, calendar = self.state(), self.models.calendar
        objection, decision = self.windows(state)
        return MonthOverview(
            branch=self.branch,
            period=str(self.period),
            state=state.stage,
            version=state.version,
            steps=step_states(
                state, self.period, today or calendar.today(), calendar.day_of, self.schedule()
            ),
            published_at=state.published_at,
            objection_until=objection,
            decision_until=decision,
            samples=[self.sample(order) for order in state.samples],
            findings=state.findings,
            closed=self._closed_month(state.closed) if state.closed else None,
            resettlements=[
                ResettledMonth(
                    by=done.by,
                    at=instant(done.at),
                    reason=done.reason,
                    appeal=done.appeal,
                    digests=done.digests,
                    postings=done.postings,
                )
                for done in state.resettled
            ],
            late=len(self.late_positions()) if state.closed else 0,
        )

    def _closed_month(self, closed: MonthClosed) -> ClosedMonth:
        payments = self.models.payments.paid(self.branch, str(self.period))
        return ClosedMonth(
            by=closed.by,
            at=instant(closed.at),
            settlements=closed.settlements,
            payable=plain(sum((Decimal(paid.payable) for paid in payments), ZERO)),
            payments=payments,
        )

    def windows(self, state: BranchMonth) -> tuple[str | None, str | None]:
        """The last days for objections and for decisions; None while the month is not published."""
        schedule = self.schedule()
        published_on = (
            self.models.calendar.day_of(state.published_at) if state.published_at else None
        )
        objection = window(published_on, schedule.objection_days)
        decision = window(published_on, schedule.decision_days)
        return (
            objection.isoformat() if objection else None,
            decision.isoformat() if decision else None,
        )

    def schedule(self) -> Schedule:
        """The windows and days: those of the rulebooks that the branch pays by."""
        return schedule_of(program.rulebook for program in self.programs())

    def late_positions(self) -> list[int]:
        """The entries that arrived after what the closing took in: of its people, and of the branch
        itself.
        """
        closing = self.closing()
        return self.positions_after(closing.taken_in) if closing else []

    def closing(self) -> Closing | None:
        """How the period was closed, if it was by then."""
        found = self.models.payments.closing(self.branch, str(self.period))
        return found if found and found.position <= self.known else None

    def positions_after(self, position: int) -> list[int]:
        """The entries of the branch's people and of the branch, for this period, after a ledger
        position.
        """
        facts, now = self.models.facts, self.known
        first, last = self.period.first.index, self.period.last.index
        rows = np.concatenate(
            [
                facts.facts(first, last, branches=[self.branch], as_of=now),
                facts.assignments(last, branches=[self.branch], as_of=now),
            ]
        )
        texts = facts.symbols()
        rows = rows[rows["position"] > position]
        return sorted(
            int(r["position"]) for r in rows if not is_posting(r["kind"], texts[r["item"]])
        )

    # the steps

    def step_done(
        self, code: str, by: str, note: str | None, settlements: tuple[int, ...], version: int
    ) -> Event:
        """The event that says that a step was done."""
        return CycleStepDone(
            **self.place(by, version), step=BY_CODE[code].code, note=note, settlements=settlements
        )

    def place(self, by: str, version: int) -> dict[str, Any]:
        """The fields that place an event of the month."""
        return {
            "originator_id": self.stream,
            "originator_version": version,
            "by": by,
            "branch": self.branch,
            "period": str(self.period),
        }

    # audits

    def order_sample(
        self, size: int, *, by: str, by_team: bool = False, by_amount: bool = False
    ) -> tuple[int, Sample]:
        """A sample of the submitted settlement; the seed is of the stored submission, which nobody
        chose.
        """
        state = self.state()
        if size < 1:
            raise EmptySample
        settlement, *others = (settlement.position for settlement in self.settlements())
        order = SampleOrdered(
            **self.place(by, state.version + 1),
            size=size,
            seed=self._seed(),
            by_team=by_team,
            by_amount=by_amount,
            settlement=settlement,
            others=tuple(others),
        )
        drawn_before = [before for before in state.samples if _asks(before) == _asks(order)]
        position = (
            self.models.ledger.position() if drawn_before else self.models.ledger.record(order)
        )
        return position, self.sample((drawn_before or [order])[0])

    def _seed(self) -> str:
        """SHA-256 over the salt of the stored submission (of the settlement, where none was
        submitted).

        One submission has one seed: whoever draws again gets the same sample, and cannot wish for
        another.
        """
        events = self.models.ledger.events_of(self.stream)
        submitted = [e for e in events if isinstance(e, CycleStepDone) and e.step == "submitted"]
        salt = (
            submitted[-1].salt
            if submitted
            else self.models.ledger.event_at(self.settlements()[0].position).salt
        )
        return hashlib.sha256(f"{self.branch}\n{self.period}\n{salt}".encode()).hexdigest()

    def sample(self, order: SampleOrdered) -> Sample:
        """Who is drawn by an order."""
        settlements = [order.settlement, *order.others]
        weighed = [
            (p.manager, p.team, _fen(p.steps.get("pay"))) for p in self.people_of(settlements)
        ]
        managers = drawn(
            weighed, order.seed, order.size, by_team=order.by_team, by_amount=order.by_amount
        )
        return Sample(
            size=order.size,
            seed=order.seed,
            by_team=order.by_team,
            by_amount=order.by_amount,
            settlements=settlements,
            by=order.by,
            at=instant(order.at),
            managers=managers,
        )

    def people_of(self, settlements: Sequence[int]) -> list[Issued]:
        """Everyone's statement of these settlements (ledger positions)."""
        statements = self.models.statements
        found = [
            settlement
            for position in settlements
            if (settlement := statements.settlement(position))
        ]
        return [row for settlement in found for row in statements.of_settlement(settlement)]

    def record_finding(
        self, text: str, *, by: str, manager: str | None = None, blocking: bool = True
    ) -> int:
        """What an audit found; blocking, it holds up the closing until it is resolved.

        Raises Declined without a text, or for somebody who never worked in the branch.
        """
        state = self.state()
        check_text(text)
        if manager and not any(
            place.branch == self.branch for _, place in self.models.places.workplaces(manager)
        ):
            raise NeverWorkedHere(manager, self.branch)
        fields: dict[str, Any] = {"manager": manager, "text": text, "blocking": blocking}
        return self.models.ledger.record(
            AuditFindingRecorded(**self.place(by, state.version + 1), **fields)
        )

    def resolve_finding(self, number: int, text: str, *, by: str) -> int:
        """It was mended, or explained. Raises NotFound, Declined where it is resolved already."""
        state = self.state()
        check_text(text)
        if not 1 <= number <= len(state.findings):
            raise NoSuchFinding(number)
        if state.findings[number - 1].resolved is not None:
            raise FindingResolved(number)
        event = AuditFindingResolved(**self.place(by, state.version + 1), number=number, text=text)
        return self.models.ledger.record(event)

    def changes_since(self, version: int) -> list[Text]:
        """What was done since a version of the month: what, by whom, when."""
        events = [
            e for e in self.models.ledger.events_of(self.stream) if e.originator_version > version
        ]
        said = []
        for event in events:
            step = BY_CODE.get(getattr(event, "step", ""))
            what = step.label if step else Text(type(event).__doc__ or "", type(event).TOPIC)
            zh, when = what.zh.partition(":")[0], instant(event.at)
            said.append(Text(f"{zh}（{event.by}，{when}）", f"{what.en} ({event.by}, {when})"))
        return said

    def settlements(self) -> list[Settlement]:
        """The last settlement under each rulebook that the branch pays by. Raises Declined where
        there is none.
        """
        found = self.last_settlements()
        if not found:
            raise NothingSettled(self.branch, self.period)
        return found

    def last_settlements(self) -> list[Settlement]:
        """The last settlement under each rulebook that the branch pays by."""
        settled = self.models.statements.settlements(str(self.period), self.branch)
        found = {s.rulebook: s for s in settled if s.position <= self.known}
        paying = [program.rulebook.id for program in self.programs()]
        return [found[rulebook] for rulebook in paying if rulebook in found]

    def programs(self) -> list[Program]:
        """The rulebooks that the branch pays by, of this kind of period, in force in it."""
        return [
            p
            for p in self.models.rulebooks.programs_of(self.branch, self.period, self.as_of)
            if p.rulebook.pays
        ]


def _asks(order: SampleOrdered) -> tuple[Any, ...]:
    """What decides who is drawn."""
    return order.size, order.seed, order.by_team, order.by_amount, order.settlement, order.others


def _fen(pay: str | None) -> int:
    """An amount in whole fen, to weigh by."""
    return int(Decimal(pay or 0) * 100)
