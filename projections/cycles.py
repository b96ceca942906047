"""考核周期: a branch's month from its ratings to its payment, and what changes it afterwards.

The steps and what they need are decided in `domain/branch_month.py`; here they meet settlements and payments.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from domain.branch_month import (
    BY_CODE,
    CALCULATED,
    DECISION_DAYS,
    OBJECTION_DAYS,
    REVIEWED,
    BranchMonth,
    as_json,
    check_step,
    evolve,
    window,
)
from domain.errors import Declined, NotFound, Text
from domain.events import (
    AuditFindingRecorded,
    AuditFindingResolved,
    CycleStepDone,
    SampleOrdered,
)
from domain.identifiers import Period, stream_id
from domain.numbers import plain
from domain.rights import ACTS, SeparationOfDuties
from domain.sampling import drawn
from domain.storing import instant
from projections.closing import close
from projections.lateness import late_evidence
from projections.payments import BACK_PAY, CLAWBACK, ZERO
from projections.resettling import Resettlement, resettle

if TYPE_CHECKING:
    from uuid import UUID

    from domain.events import Event
    from domain.rulebook.checks import Program
    from projections.book import Book
    from projections.statements import Settlement


class Cycle:
    """One branch's period."""

    def __init__(self, book: Book, period: Period, branch: str) -> None:
        self.book, self.period, self.branch = book, period, branch
        self.stream: UUID = stream_id("cycle", f"{branch}\n{period}", period.last.index)

    # reading

    def state(self) -> BranchMonth:
        """The month as its events tell it."""
        return evolve(BranchMonth(self.branch, str(self.period)), self.book.ledger.events_of(self.stream))

    def as_json(self, today: date | None = None) -> dict[str, Any]:
        """The thirteen steps, the windows, what was found, closed and resettled."""
        state, today = self.state(), today or datetime.now(UTC).date()
        closed = state.closed
        objection, decision = (window(state.published_at, days) for days in self.days())
        paid = self.book.payments.paid(self.branch, str(self.period))
        return {
            "branch": self.branch,
            "period": str(self.period),
            "state": "closed" if closed else "published" if state.published_at else "open" if state.begun else "new",
            "version": state.version,
            "steps": as_json(state, self.period, today),
            "published_at": state.published_at,
            "objection_until": objection.isoformat() if objection else None,
            "decision_until": decision.isoformat() if decision else None,
            "samples": [self._sample_json(order) for order in state.samples],
            "findings": [finding._asdict() for finding in state.findings],
            "closed": {
                "by": closed.by,
                "at": closed.at.isoformat(),
                "settlements": [pinned.model_dump() for pinned in closed.settlements],
                "payable": plain(sum((Decimal(p.payable) for p in paid), ZERO)),
                "payments": [p.as_json() for p in paid],
            }
            if closed
            else None,
            "resettlements": [
                {
                    "by": done.by,
                    "at": done.at.isoformat(),
                    "reason": done.reason,
                    "appeal": done.appeal,
                    "digests": list(done.digests),
                    "postings": [posting.model_dump() for posting in done.postings],
                }
                for done in state.resettled
            ],
            "late": len(self.late_positions()) if closed else 0,
        }

    def days(self) -> tuple[int, int]:
        """The windows for objections and decisions: parameters of a pay rulebook, else the usual ones."""
        found = {"objection_days": OBJECTION_DAYS, "decision_days": DECISION_DAYS}
        for program in self.programs():
            for name in found:
                if (parameter := program.rulebook.parameters.get(name)) is not None:
                    found[name] = int(parameter.value)
        return found["objection_days"], found["decision_days"]

    def late_positions(self) -> list[int]:
        """The entries that arrived after what the closing took in: of its people, and of the branch itself."""
        closing = self.book.payments.closing(self.branch, str(self.period))
        return self.positions_after(closing.taken_in) if closing else []

    def positions_after(self, position: int) -> list[int]:
        """The entries of the branch's people and of the branch, for this period, after a ledger position."""
        facts, now = self.book.evaluator.facts, self.book.ledger.position()
        first, last = self.period.first.index, self.period.last.index
        rows = np.concatenate(
            [
                facts.facts(first, last, branches=[self.branch], as_of=now),
                facts.assignments(last, branches=[self.branch], as_of=now),
            ]
        )
        texts = facts.symbols()
        rows = rows[rows["position"] > position]
        return sorted(int(r["position"]) for r in rows if texts[int(r["item"])] not in {BACK_PAY, CLAWBACK})

    # the steps

    def do(self, code: str, *, by: str, note: str | None = None, after: int | None = None) -> int:
        """Does a step, or does it again; a calculation settles the branch. The position reached.

        `after`: the version of the month that the caller knows. Raises what `check_step` raises, VersionClash, Refused.
        """
        state = self.state()
        check_step(state, code, by)
        if code == "paid":
            return self.close(by=by, note=note, after=after)
        if code in REVIEWED and any(settlement.by == by for settlement in self.last_settlements()):
            done = Text("结算了该月", "settled this month")
            raise SeparationOfDuties(by, done, Text("复核", "review it"), ACTS[BY_CODE[code].act])
        settlements: tuple[int, ...] = ()
        if code in CALCULATED:
            settlements = tuple(s.id for s in self.book.settle(self.period, self.branch, None, by=by))
        version = state.version if after is None else after
        return self.book.ledger.record(self.done(code, by, note, settlements, version + 1))

    def done(self, code: str, by: str, note: str | None, settlements: tuple[int, ...], version: int) -> Event:
        """The event that says that a step was done."""
        return CycleStepDone(**self.place(by, version), step=BY_CODE[code].code, note=note, settlements=settlements)

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

    def order_sample(self, size: int, *, by: str, by_team: bool = False, by_amount: bool = False) -> dict[str, Any]:
        """A sample of the submitted settlement; the seed is of the stored submission, which nobody chose."""
        state = self.state()
        settlements = self.settlements()
        if size < 1:
            raise Declined(Text("样本量至少为 1", "a sample has at least one person"))
        order = SampleOrdered(
            **self.place(by, state.version + 1),
            size=size,
            seed=self._seed(),
            by_team=by_team,
            by_amount=by_amount,
            settlement=settlements[0].position,
        )
        position = self.book.ledger.record(order)
        return {"position": position, **self._sample_json(order)}

    def _seed(self) -> str:
        """SHA-256 of the submission as it is stored, with its salt (of the settlement, where none was submitted)."""
        events = self.book.ledger.events_of(self.stream)
        submitted = [e for e in events if isinstance(e, CycleStepDone) and e.step == "submitted"]
        salt = submitted[-1].salt if submitted else self.book.ledger.event_at(self.last_settlements()[0].position).salt
        number = sum(isinstance(event, SampleOrdered) for event in events) + 1
        return hashlib.sha256(f"{self.branch}\n{self.period}\n{number}\n{salt}".encode()).hexdigest()

    def _sample_json(self, order: SampleOrdered) -> dict[str, Any]:
        settlement = self.book.statements.settlement(order.settlement)
        assert settlement is not None
        people = self.book.statements.of_settlement(settlement)
        weighed = [(p.manager, p.team, _fen(p.steps.get("pay"))) for p in people]
        managers = drawn(weighed, order.seed, order.size, by_team=order.by_team, by_amount=order.by_amount)
        return {
            "size": order.size,
            "seed": order.seed,
            "by_team": order.by_team,
            "by_amount": order.by_amount,
            "settlement": order.settlement,
            "by": order.by,
            "at": order.at.isoformat(),
            "managers": managers,
        }

    def record_finding(self, text: str, *, by: str, manager: str | None = None, blocking: bool = True) -> int:
        """What an audit found; blocking, it holds up the closing until it is resolved."""
        state = self.state()
        fields: dict[str, Any] = {"manager": manager, "text": text, "blocking": blocking}
        return self.book.ledger.record(AuditFindingRecorded(**self.place(by, state.version + 1), **fields))

    def resolve_finding(self, number: int, text: str, *, by: str) -> int:
        """It was mended, or explained. Raises NotFound, Declined where it is resolved already."""
        state = self.state()
        if not 1 <= number <= len(state.findings):
            raise NotFound(Text(f"没有稽核问题 {number}", f"there is no finding {number}"))
        if state.findings[number - 1].resolved is not None:
            raise Declined(Text(f"稽核问题 {number} 已销号", f"finding {number} is resolved already"))
        event = AuditFindingResolved(**self.place(by, state.version + 1), number=number, text=text)
        return self.book.ledger.record(event)

    def changes_since(self, version: int) -> list[Text]:
        """What was done since a version of the month: what, by whom, when."""
        events = [e for e in self.book.ledger.events_of(self.stream) if e.originator_version > version]
        said = []
        for event in events:
            step = BY_CODE.get(getattr(event, "step", ""))
            what = step.label if step else Text(type(event).__doc__ or "", type(event).TOPIC)
            zh, when = what.zh.partition(":")[0], instant(event.at)
            said.append(Text(f"{zh}（{event.by}，{when}）", f"{what.en} ({event.by}, {when})"))
        return said

    def settlements(self) -> list[Settlement]:
        """The last settlement under each rulebook that the branch pays by. Raises Declined where there is none."""
        found = self.last_settlements()
        if not found:
            raise self._nothing_settled()
        return found

    def last_settlements(self) -> list[Settlement]:
        """The last settlement under each rulebook that the branch pays by."""
        found = {s.rulebook: s for s in self.book.statements.settlements(str(self.period), self.branch)}
        paying = [program.rulebook.id for program in self.programs()]
        return [found[rulebook] for rulebook in paying if rulebook in found]

    def programs(self) -> list[Program]:
        """The pay rulebooks of this kind of period, in force in it."""
        names = self.book.shelf.pays_by(self.branch, self.period.last)
        programs = [self.book.shelf.named(name, self.period.last) for name in names]
        return [p for p in programs if p.rulebook.period == self.period.kind and p.rulebook.pays]

    def _nothing_settled(self) -> Declined:
        return Declined(
            Text(
                f"{self.branch} {self.period} 尚未结算；请先结算：merit settle {self.period} --branch {self.branch}",
                f"nothing is settled for {self.period} of {self.branch}; first: "
                f"merit settle {self.period} --branch {self.branch}",
            )
        )

    # the end of the month, and afterwards

    def close(self, *, by: str, note: str | None = None, after: int | None = None) -> int:
        """Pins the settlements and pays everyone: see `closing.close`."""
        return close(self, by=by, note=note, after=after)

    def resettle(self, reason: str, *, by: str, appeal: str | None = None) -> Resettlement:
        """Settles a closed period again and posts what differs: see `resettling.resettle`."""
        return resettle(self, reason, by=by, appeal=appeal)

    def late(self) -> list[dict[str, Any]]:
        """Every entry after the close, or the publication, with its effect: see `lateness.late_evidence`."""
        return late_evidence(self)


def _fen(pay: str | None) -> int:
    """An amount in whole fen, to weigh by."""
    return int(Decimal(pay or 0) * 100)
