"""Whatever happens in whatever order: paid + posted = what stands, for everyone, and one payer.

A history is a list of acts on three branches, of which one pays by quarters: entries and reversals
(late ones too), moves between them, people who leave, rulebooks that are revised or chosen for
closed months, closings, resettlements and appeals. At its end every closed period is resettled, and
the sums are compared to the cent; then months are closed until nothing is left to pay.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain.errors import MeritError
from domain.identifiers import Month, Period
from projections.appeals import process
from projections.month import close as close_month
from projections.month.cycle import Cycle
from projections.month.settle import NobodyToSettle
from projections.service import Service
from tests.rules import text_of
from tests.store import entries
from tests.worksheet import Ledger as Sheet

BRANCHES = {"B01": ("A", "B", "C"), "B02": ("X", "Y"), "B03": ("Q",)}
ROLES = {"B01": "customer_manager", "B02": "customer_manager", "B03": "clerk"}
QUARTERS = "B03"  # pays its clerks by quarters
EVERYONE = [manager for people in BRANCHES.values() for manager in people]
MONTHS = [f"{year}-{number:02d}" for year in (2026, 2027) for number in range(1, 13)]
FIRST = Month.parse(MONTHS[0])
ZERO = Decimal(0)

AMOUNTS = st.sampled_from(["0.01", "120", "333.33", "800", "2500"])
WHO = st.sampled_from(EVERYONE)
WHERE = st.sampled_from(sorted(BRANCHES))
BACK = st.integers(0, 3)  # months before the open one
ACTS = st.one_of(
    st.tuples(st.just("deduct"), WHO, BACK, AMOUNTS),
    st.tuples(st.just("grant"), WHO, BACK, AMOUNTS),
    st.tuples(st.just("take"), WHO, BACK, AMOUNTS),
    st.tuples(st.just("rate"), WHO, BACK, st.sampled_from(["60", "80", "99"])),
    st.tuples(st.just("reverse"), st.integers(0, 30)),
    st.tuples(st.just("move"), WHO, BACK, WHERE),
    st.tuples(st.just("leave"), WHO, BACK),
    st.tuples(st.just("revise"), st.sampled_from(["700", "900", "1300"])),
    st.tuples(st.just("choose"), WHERE, BACK, st.sampled_from(["elastic-pay", "flat-pay"])),
    st.tuples(st.just("empty"), WHERE, BACK),
    st.tuples(st.just("close"), WHERE),
    st.tuples(st.just("close"), WHERE),
    st.tuples(st.just("resettle"), WHERE, BACK),
    st.tuples(st.just("appeal"), WHO, BACK, AMOUNTS),
)
HISTORIES = st.lists(ACTS, min_size=3, max_size=14)
NUMBER = int(os.environ.get("HISTORIES", "200"))  # 1000 at night


def paying(name: str, role: str, period: str) -> str:
    """A rulebook that pays a base, and what was granted or taken in the period."""
    adjusted = {"unit": "yuan", "read": "adjustment", "take": "yuan"}
    return text_of(
        {"pay yuan": "base + adjusted"},
        inputs={"adjusted": adjusted},
        parameters={"base yuan": "1700"},
        id=name,
        period=period,
        roles=[role],
    )


def beginning() -> Sheet:
    sheet = Sheet()
    for branch, people in BRANCHES.items():
        for month in MONTHS:
            sheet.branch("minimum_wage", "1500", branch=branch, month=month)
        for manager in people:
            sheet.hire(manager, branch=branch, month=MONTHS[0], role=ROLES[branch])
    return sheet


def begin(book: Service) -> None:
    """The three branches, and what they pay by."""
    assert {o.status for o in book.ledger.append(entries(beginning()), by="x")} == {"accepted"}
    book.publish(paying("flat-pay", "customer_manager", "month"), file="flat", by="hr")
    book.publish(paying("quarter-pay", "clerk", "quarter"), file="quarter", by="hr")
    book.rulebooks.pay_by(QUARTERS, ["quarter-pay"], FIRST, by="hr")


class World:
    """A book, and what a history does with it."""

    def __init__(self, book: Service) -> None:
        self.book, self.number, self.minor = book, 0, 0
        self.recorded: list[tuple[str, str]] = []
        self.base = book.rulebooks.find("elastic-pay").rulebook

    def open_month(self, branch: str) -> Month:
        closed = self.book.payments.last_closed(branch, months_only=branch != QUARTERS)
        return Month.of_index(max(closed + 1, FIRST.index))

    def period(self, branch: str, month: Month) -> Period:
        """The period of a branch that a month is in."""
        if branch == QUARTERS:
            return Period.parse(f"{month.year}-Q{(month.number + 2) // 3}")
        return Period(month, month)

    def month(self, manager: str, back: int) -> str:
        home = next(branch for branch, people in BRANCHES.items() if manager in people)
        return str(Month.of_index(max(self.open_month(home).index - back, FIRST.index)))

    def put(self, kind: str, **fields: Any) -> None:
        self.number += 1
        raw = {"kind": kind, "source": "test", "source_id": f"later-{self.number}", **fields}
        (outcome,) = self.book.ledger.append(entries([raw]), by="x")
        if outcome.status == "accepted":
            self.recorded.append((raw["source"], raw["source_id"]))

    def act(self, name: str, *given_: Any) -> None:
        # What the ledger declines (a reversal twice, nobody to settle, …) is part of a history like
        # all else.
        with suppress(MeritError):
            getattr(self, name)(*given_)

    def deduct(self, manager: str, back: int, amount: str) -> None:
        self.put(
            "deduction",
            manager=manager,
            month=self.month(manager, back),
            item="arrears_recovery",
            points=amount,
        )

    def grant(self, manager: str, back: int, amount: str) -> None:
        self.put(
            "adjustment",
            manager=manager,
            month=self.month(manager, back),
            amount=amount,
            reason="r",
        )

    def take(self, manager: str, back: int, amount: str) -> None:
        self.put(
            "adjustment",
            manager=manager,
            month=self.month(manager, back),
            amount=f"-{amount}",
            reason="r",
        )

    def rate(self, manager: str, back: int, score: str) -> None:
        month = self.month(manager, back)
        self.put("rating", manager=manager, month=month, item="initiative", score=score)

    def reverse(self, which: int) -> None:
        if self.recorded:
            source, number = self.recorded[which % len(self.recorded)]
            self.put("reversal", reverses={"source": source, "source_id": number}, reason="r")

    def move(self, manager: str, back: int, branch: str) -> None:
        place = {
            "branch": branch,
            "team": "T1",
            "role": ROLES[branch],
            "grade": 6,
            "name": manager,
        }
        self.put(
            "assignment", manager=manager, month=self.month(manager, back), attributes={}, **place
        )

    def leave(self, manager: str, back: int) -> None:
        self.put(
            "assignment",
            manager=manager,
            month=self.month(manager, back),
            name=manager,
            role="left",
            attributes={},
        )

    def revise(self, points: str) -> None:
        self.minor += 1
        old = next(
            row.text
            for row in self.book.rulebooks.versions("elastic-pay")
            if row.version == "3.0.0"
        )
        body = old.partition("\nexamples:")[0]  # they are of the old points
        assert body.count("points: 800}") == 1
        body = body.replace("points: 800}", f"points: {points}}}")
        body = body.replace("version: 3.0.0", f"version: 3.{self.minor}.0", 1)
        self.book.publish(body, file="draft", by="x")

    def choose(self, branch: str, back: int, rulebook: str) -> None:
        if branch != QUARTERS:
            month = Month.of_index(max(self.open_month(branch).index - back, FIRST.index))
            self.book.rulebooks.pay_by(branch, [rulebook], month, by="hr")

    def empty(self, branch: str, back: int) -> None:
        """Everybody leaves a branch."""
        for manager in BRANCHES[branch]:
            self.leave(manager, back)

    def close(self, branch: str) -> None:
        period = self.period(branch, self.open_month(branch))
        with suppress(NobodyToSettle):  # its postings alone are paid
            self.book.settle(period, branch, None, by="x")
        self.book.close_month(Cycle(self.book, period, branch), by="hr")

    def resettle(self, branch: str, back: int) -> None:
        month = Month.of_index(self.open_month(branch).index - 1 - back)
        self.book.resettle(Cycle(self.book, self.period(branch, month), branch), "r", by="hr")

    def appeal(self, manager: str, back: int, amount: str) -> None:
        home = next(branch for branch, people in BRANCHES.items() if manager in people)
        month = self.month(manager, back)
        name = process.file_appeal(
            self.book, manager, self.period(home, Month.parse(month)), "r", by=manager
        )
        process.accept(self.book, name, by="handler")
        grant = {
            "kind": "adjustment",
            "manager": manager,
            "month": month,
            "amount": amount,
            "reason": "r",
        }
        process.propose(self.book, name, [grant], by="handler")
        process.decide(self.book, name, "upheld", "r", by="decider", proposal=1)

    def finish(self) -> None:
        """Every closed month is resettled."""
        for closed in self.book.payments.closings():
            self.book.resettle(
                Cycle(self.book, Period.parse(closed.period), closed.branch), "the end", by="hr"
            )

    def check(self) -> None:
        """The invariant, for every closed period and person; and that every posting is paid or
        still due, once.
        """
        payments = self.book.payments
        closings = payments.closings()
        for period in {closed.period for closed in closings}:
            branches = {closed.branch for closed in closings if closed.period == period}
            sums: dict[str, Decimal] = {}
            for branch in branches:
                for paid in payments.paid(branch, period):
                    if paid.rulebook:
                        sums[paid.manager] = sums.get(paid.manager, ZERO) + Decimal(paid.pay)
                for posted in payments.posted(branch, period):
                    sums[posted.manager] = sums.get(posted.manager, ZERO) + posted.signed
            stands = {
                manager: [Decimal(row.steps["pay"]) for row in rows if row.branch in branches]
                for manager, rows in self.book.statements.standing(period, EVERYONE).items()
            }
            assert {m: len(pays) for m, pays in stands.items() if len(pays) > 1} == {}, period
            says = {manager: sum(pays, ZERO) for manager, pays in stands.items()}
            for manager in {*sums, *says}:
                assert sums.get(manager, ZERO) == says.get(manager, ZERO), (period, manager)
        for closed in closings:
            cycle = Cycle(self.book, Period.parse(closed.period), closed.branch)
            assert not self.book.resettle(cycle, "again", by="hr").postings
        self.check_dues()

    def check_dues(self) -> None:
        """What was posted to a person is what was paid out of it, and what is still due."""
        payments = self.book.payments
        balance: dict[str, Decimal] = {}
        for closed in payments.closings():
            for posted in payments.posted(closed.branch, closed.period):
                balance[posted.manager] = balance.get(posted.manager, ZERO) + posted.signed
            for paid in payments.paid(closed.branch, closed.period):
                taken = Decimal(paid.back_pay) - Decimal(paid.clawback)
                balance[paid.manager] = balance.get(paid.manager, ZERO) - taken
                payable = Decimal(paid.payable)
                assert payable == Decimal(paid.pay) + taken
                assert payable >= max(min(Decimal(paid.pay), Decimal(1500)), ZERO) or (
                    paid.rulebook in {"flat-pay", "quarter-pay"} and payable >= 0
                )
                assert payable == round(payable, 2)
        due = payments.due(Month.parse("2099-12"))
        still = {manager: one.back_pay - one.clawback for manager, one in due.items()}
        assert {m: v for m, v in balance.items() if v} == {m: v for m, v in still.items() if v}

    def close_on(self) -> None:
        """Closes every branch, one after the other: in the end nobody has anything to get."""
        for _ in range(2):
            for branch in BRANCHES:
                self.act("close", branch)
        left = self.book.payments.due(Month.parse("2099-12"))
        assert {m: due for m, due in left.items() if due.back_pay > due.clawback} == {}


@pytest.fixture(scope="module")
def template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with the two branches in it, to begin from."""
    path = tmp_path_factory.mktemp("branches") / "ledger.db"
    shutil.copyfile(sqlite_template, path)
    with closing(Service.open(f"sqlite:///{path}")) as book:
        begin(book)
    return path


def play(book: Service, history: list[tuple[Any, ...]]) -> None:
    world = World(book)
    for name, *given_ in history:
        world.act(name, *given_)
    world.finish()
    world.check()
    world.close_on()
    world.check_dues()


@pytest.fixture(autouse=True)
def without_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """These months are odd throughout, and would be acknowledged throughout."""
    monkeypatch.setattr(close_month, "check_acknowledged", lambda _: None)


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@example([("close", "B02"), ("move", "X", 1, "B01"), ("leave", "Y", 1), ("resettle", "B02", 0)])
@settings(max_examples=NUMBER, deadline=None, suppress_health_check=QUIET)
@given(HISTORIES)
def test_paid_and_posted_is_what_the_latest_settlement_says(
    template: Path, ledger_folder: Path, history: list[tuple[Any, ...]]
) -> None:
    for old in ledger_folder.iterdir():
        old.unlink()
    path = ledger_folder / "ledger.db"
    shutil.copyfile(template, path)
    with closing(Service.open(f"sqlite:///{path}")) as book:
        play(book, history)


TOLD: list[tuple[Any, ...]] = [
    ("deduct", "A", 0, "800"), ("close", "B01"), ("close", "B02"), ("reverse", 0), ("resettle", "B01", 0),
    ("move", "A", 1, "B02"), ("resettle", "B01", 0), ("resettle", "B02", 0), ("revise", "900"), ("close", "B01"),
    ("appeal", "B", 1, "333.33"), ("leave", "C", 2), ("resettle", "B01", 1), ("close", "B01"), ("close", "B02"),
]  # fmt: skip


def test_a_history_with_every_kind_of_act_holds_on_both_databases(book: Service) -> None:
    begin(book)
    play(book, TOLD)
    posted = [p for c in book.payments.closings() for p in book.payments.posted(c.branch, c.period)]
    assert {p.item for p in posted} == {"back_pay", "clawback"}
    assert any(p.appeal for p in posted)
