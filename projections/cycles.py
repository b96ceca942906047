"""考核周期: a branch's month from its ratings to its payment, and what changes it afterwards.

The steps and what they need are decided in `domain/branch_month.py`; here they meet settlements and payments.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from domain.branch_month import (
    BY_CODE,
    CALCULATED,
    DECISION_DAYS,
    OBJECTION_DAYS,
    BranchMonth,
    as_json,
    check_closing,
    check_step,
    evolve,
    window,
)
from domain.errors import Declined, NotFound, Text
from domain.events import (
    AuditFindingRecorded,
    AuditFindingResolved,
    CycleStepDone,
    EntryRecorded,
    MonthClosed,
    MonthResettled,
    Payment,
    Pinned,
    Posting,
    SampleOrdered,
)
from domain.identifiers import Period, stream_id
from domain.numbers import plain
from domain.sampling import drawn
from domain.storing import instant
from projections.evaluating import WhatIf
from projections.payments import BACK_PAY, CLAWBACK, ZERO, Due, Posted, paid_out
from projections.settling import evaluated, events_of

if TYPE_CHECKING:
    from uuid import UUID

    from domain.events import Event
    from domain.rulebook.checks import Program
    from projections.book import Book
    from projections.statements import Issued, Settlement


class Resettlement(NamedTuple):
    """What a resettlement did: the settlements and postings that it recorded; none where nothing differs."""

    position: int
    settlements: tuple[int, ...]
    postings: list[Posted]


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
        for program in self._programs():
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
        settlements: tuple[int, ...] = ()
        if code in CALCULATED:
            settlements = tuple(s.id for s in self.book.settle(self.period, self.branch, None, by=by))
        version = state.version if after is None else after
        return self.book.ledger.record(self._done(code, by, note, settlements, version + 1))

    def _done(self, code: str, by: str, note: str | None, settlements: tuple[int, ...], version: int) -> Event:
        return CycleStepDone(**self._place(by, version), step=BY_CODE[code].code, note=note, settlements=settlements)

    def _place(self, by: str, version: int) -> dict[str, Any]:
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
            **self._place(by, state.version + 1),
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
        salt = submitted[-1].salt if submitted else self.book.ledger.event_at(self._settlements()[0].position).salt
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
        return self.book.ledger.record(AuditFindingRecorded(**self._place(by, state.version + 1), **fields))

    def resolve_finding(self, number: int, text: str, *, by: str) -> int:
        """It was mended, or explained. Raises NotFound, Declined where it is resolved already."""
        state = self.state()
        if not 1 <= number <= len(state.findings):
            raise NotFound(Text(f"没有稽核问题 {number}", f"there is no finding {number}"))
        if state.findings[number - 1].resolved is not None:
            raise Declined(Text(f"稽核问题 {number} 已销号", f"finding {number} is resolved already"))
        event = AuditFindingResolved(**self._place(by, state.version + 1), number=number, text=text)
        return self.book.ledger.record(event)

    # closing

    def close(self, *, by: str, note: str | None = None, after: int | None = None) -> int:
        """Pins the settlements and pays everyone, with what is due from other months. The position reached.

        Raises Closed, NotReady, Declined where findings are open or nothing is settled, VersionClash.
        """
        self.book.carry_out_postings()
        state = self.state()
        check_closing(state)
        settlements = self.settlements()
        version = state.version if after is None else after
        events: list[Event] = []
        if state.begun:
            events.append(self._done("paid", by, note, (), version + 1))
        pinned = tuple(
            Pinned(settlement=s.position, rulebook=s.rulebook, version=s.version, position=s.as_of, digest=s.digest)
            for s in settlements
        )
        place = self._place(by, version + len(events) + 1)
        events.append(MonthClosed(**place, settlements=pinned, payments=tuple(self._payments(settlements))))
        return self.book.ledger.record(*events)

    def _payments(self, settlements: list[Settlement]) -> list[Payment]:
        month = self.period.kind == "month"
        dues = self.book.payments.due(self.period.last) if month else {}
        paid: list[Payment] = []
        for settlement in settlements:
            for issued in self.book.statements.of_settlement(settlement):
                if "pay" in issued.steps:
                    due = dues.pop(issued.manager, Due())
                    paid.append(self._payment(issued, due))
        for manager, due in sorted(dues.items()):
            if self._is_ours(manager):
                share = paid_out(ZERO, due, None)
                paid.append(_payment(manager, None, None, ZERO, share))
        return paid

    def _payment(self, issued: Issued, due: Due) -> Payment:
        pay = Decimal(issued.steps["pay"])
        room = self.book.room_above_floor(issued) if due.clawback else None
        return _payment(issued.manager, issued.rulebook, issued.number, pay, paid_out(pay, due, room))

    def _is_ours(self, manager: str) -> bool:
        """Whether somebody without a statement here is paid here: works here, or was last paid or posted here."""
        where = self.book.place_of(manager, self.period).branch
        return (where or self.book.payments.last_branch(manager)) == self.branch

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
        found = self._settlements()
        if not found:
            raise self._nothing_settled()
        return found

    def _settlements(self) -> list[Settlement]:
        """The last settlement under each rulebook that the branch pays by."""
        found = {s.rulebook: s for s in self.book.statements.settlements(str(self.period), self.branch)}
        paying = [program.rulebook.id for program in self._programs()]
        return [found[rulebook] for rulebook in paying if rulebook in found]

    def _programs(self) -> list[Program]:
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

    # resettlement

    def resettle(self, reason: str, *, by: str, appeal: str | None = None) -> Resettlement:
        """Settles a closed period again and posts what differs into the open month. Nothing differs: nothing is done.

        Raises Declined where the period is open, Refused, VersionClash.
        """
        book, state = self.book, self.state()
        book.carry_out_postings()
        if state.closed is None:
            raise Declined(
                Text(
                    f"{self.branch} {self.period} 尚未封账，可直接：merit settle {self.period} --branch {self.branch}",
                    f"{self.period} of {self.branch} is not closed; settle it again: "
                    f"merit settle {self.period} --branch {self.branch}",
                )
            )
        events: list[Event] = []
        said: dict[tuple[str, str], tuple[Decimal, int]] = {}
        settled: list[int] = []
        digests: list[str] = []
        last = {s.rulebook: s for s in self._settlements()}
        ours = book.ledger, book.evaluator, self._programs(), self.period, self.branch
        for evaluation in evaluated(*ours, known=last):
            rulebook = evaluation.program.rulebook.id
            if rulebook in last and last[rulebook].digest == evaluation.digest:
                rows = book.statements.of_settlement(last[rulebook])
                said |= {(r.manager, rulebook): (Decimal(r.steps["pay"]), r.number) for r in rows if "pay" in r.steps}
                continue
            settled.append(len(events))
            digests.append(evaluation.digest)
            made = events_of(book.ledger, evaluation, self.period, by)
            events += made
            for event in made[1:]:
                if "pay" in (steps := getattr(event, "steps", {})):
                    manager = getattr(event, "manager", "")
                    said[manager, rulebook] = Decimal(steps["pay"]), event.originator_version
        postings = tuple(self._postings(said))
        if not events and not postings:
            return Resettlement(book.ledger.position(), (), [])
        place = self._place(by, state.version + 1)
        done = MonthResettled(**place, reason=reason, appeal=appeal, digests=tuple(digests), postings=postings)
        position = book.ledger.record(*events, done)
        start = position - len(events)
        book.carry_out_postings()
        posted = [p for p in book.payments.posted(self.branch, str(self.period)) if p.position == position]
        return Resettlement(position, tuple(start + offset for offset in settled), posted)

    def _postings(self, said: dict[tuple[str, str], tuple[Decimal, int]]) -> list[Posting]:
        """What everyone's latest statement says beyond what was paid and posted for it so far."""
        before: dict[tuple[str, str], Decimal] = {}
        version: dict[tuple[str, str], int | None] = {}
        for paid in self.book.payments.paid(self.branch, str(self.period)):
            if paid.rulebook is not None:
                before[paid.manager, paid.rulebook] = Decimal(paid.pay)
                version[paid.manager, paid.rulebook] = paid.number
        for posted in self.book.payments.posted(self.branch, str(self.period)):
            who = posted.manager, posted.rulebook
            before[who] = before.get(who, ZERO) + posted.signed
            version[who] = posted.to_number
        postings = []
        for who in sorted({*before, *said}):
            now, number = said.get(who, (ZERO, None))
            if difference := now - before.get(who, ZERO):
                postings.append(self._posting(*who, difference, version.get(who), number))
        return postings

    def _posting(
        self, manager: str, rulebook: str, difference: Decimal, before: int | None, after: int | None
    ) -> Posting:
        month = self.book.payments.open_month(self.branch, self.period)
        where = self.book.place_of(manager, Period(month, month)).branch
        if where not in {None, self.branch}:  # paid by another branch now, whose open month may be a later one
            month = max(month, self.book.payments.open_month(str(where), self.period))
        return Posting(
            manager=manager,
            item=BACK_PAY if difference > 0 else CLAWBACK,
            amount=plain(abs(difference)),
            month=str(month),
            rulebook=rulebook,
            from_version=before,
            to_version=after,
        )

    # late evidence

    def late(self) -> list[dict[str, Any]]:
        """Every entry that came after the closing, or was backdated into it: who recorded it when, what it is worth.

        The effect is on the whole branch's pay, as it is now, against the same without the entry.
        """
        since = self._late_since()
        if since is None:
            return []
        positions = self.positions_after(since)
        events = self.book.ledger.events_at(positions)
        programs, now = self._programs(), self.book.ledger.position()
        whole = self._total(programs, now, None)
        found = []
        for position in positions:
            event = events[position]
            assert isinstance(event, EntryRecorded)
            without = self._total(programs, now, WhatIf((), (event.entry.key,)))
            effect = plain(whole - without) if whole is not None and without is not None else None
            found.append(
                {
                    "position": position,
                    "entry": event.entry.content(),
                    "by": event.by,
                    "at": event.at.isoformat(),
                    "appeal": getattr(event.entry, "appeal", None),
                    "after": "close" if self.state().closed else "publication",
                    "effect": effect,
                }
            )
        return found

    def _late_since(self) -> int | None:
        """After which position an entry is late: what the closing took in, else the publication."""
        if (closing := self.book.payments.closing(self.branch, str(self.period))) is not None:
            return closing.taken_in
        published = self.state().published_at
        return self.book.position_of(published) if published else None

    def _total(self, programs: list[Program], now: int, what_if: WhatIf | None) -> Decimal | None:
        """The branch's whole pay; None where it is refused."""
        total = ZERO
        for program in programs:
            evaluation = self.book.evaluator.branches(program, self.period, [self.branch], now, what_if)[0]
            if evaluation.findings:
                return None
            total += sum((Decimal(s.steps["pay"]) for s in evaluation.statements if "pay" in s.steps), ZERO)
        return total


def _payment(manager: str, rulebook: str | None, number: int | None, pay: Decimal, share: Any) -> Payment:
    return Payment(
        manager=manager,
        rulebook=rulebook,
        version=number,
        pay=plain(pay),
        back_pay=plain(share.back_pay),
        clawback=plain(share.clawback),
        carried=plain(share.carried),
        payable=plain(share.payable),
    )


def _fen(pay: str | None) -> int:
    """An amount in whole fen, to weigh by."""
    return int(Decimal(pay or 0) * 100)
