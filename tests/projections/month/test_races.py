"""Two act on one month at once: each act is held at every point at which it writes, and at points
between its reads, while the other is done whole. Nobody's money is left out, and what a closing
pinned was the last settlement when it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import MeritError
from domain.ledger.events import EntryRecorded, MonthClosed
from projections.appeals import process
from projections.month.cycle import Cycle
from projections.service import Service
from projections.store.database import database_of
from tests.closing import NOVEMBER, OCTOBER, acknowledge_all, entry, floor, record
from tests.ten_people import HER, ten_people

POINTS = 2  # between the reads of an act

Act = Callable[[Service], Any]


def settle(book: Service) -> None:
    book.settle(OCTOBER, "B01", None, by="clerk")


def close(book: Service) -> None:
    acknowledge_all(book)
    book.close_month(Cycle(book, OCTOBER, "B01"), by="hr")


def settle_and_close(book: Service) -> None:
    settle(book)
    close(book)


def resettle(book: Service) -> None:
    book.resettle(Cycle(book, OCTOBER, "B01"), "late", by="hr")


def close_the_next_month(book: Service) -> None:
    book.settle(NOVEMBER, "B01", None, by="clerk")
    acknowledge_all(book, NOVEMBER)
    book.close_month(Cycle(book, NOVEMBER, "B01"), by="hr")


def decide(book: Service) -> None:
    (name,) = book.appeals.filed_in("2026-10")
    process.decide(book, name, "upheld", "属实", by="decider", proposal=1)


def appealed(book: Service) -> None:
    name = process.file_appeal(book, HER, OCTOBER, "有误", by=HER)
    process.accept(book, name, by="handler")
    bonus = {"kind": "adjustment", "manager": HER, "month": "2026-10", "item": "bonus"}
    process.propose(book, name, [bonus | {"amount": "100"}], by="handler")


def late(book: Service) -> None:
    record(book, entry("adjustment", "late", "2026-10", manager=HER, amount="70", reason="r"))


def open_month(book: Service) -> None:
    settle(book)
    appealed(book)
    late(book)


def closed_month(book: Service) -> None:
    settle(book)
    appealed(book)
    close(book)
    late(book)
    record(book, floor("2026-11"))


# What the month is before, who acts, and who comes between.
PAIRS: dict[str, tuple[Act, Act, Act]] = {
    "closing while somebody decides": (open_month, settle_and_close, decide),
    "deciding while somebody closes": (open_month, decide, close),
    "settling while somebody closes": (open_month, settle, close),
    "closing while somebody settles": (open_month, close, settle),
    "resettling while somebody decides": (closed_month, resettle, decide),
    "deciding while somebody resettles": (closed_month, decide, resettle),
    "resettling while the next month is closed": (closed_month, resettle, close_the_next_month),
    "closing the next month while somebody resettles": (closed_month, close_the_next_month, resettle),
}  # fmt: skip


class Held:
    """Counts the reads and the writes of a service, and lets the other act before one of them."""

    def __init__(self, book: Service, other: Callable[[], None]) -> None:
        self.book, self.other = book, other
        self.reads = self.writes = 0
        self.at: tuple[str, int] | None = None

    def reached(self, kind: str, number: int) -> None:
        if self.at == (kind, number):
            self.at = None
            self.other()

    @contextmanager
    def watching(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        ledger, database = self.book.ledger, database_of(self.book.ledger)
        reading, record, append = database.reading, ledger.record, ledger.append

        def counted_reading() -> Any:
            self.reached("read", self.reads)
            self.reads += 1
            return reading()

        def counted(write: Callable[..., Any]) -> Callable[..., Any]:
            def held(*given: Any, **options: Any) -> Any:
                if not options.get("dry_run"):
                    self.reached("write", self.writes)
                    self.writes += 1
                return write(*given, **options)

            return held

        with monkeypatch.context() as patched:
            patched.setattr(database, "reading", counted_reading)
            patched.setattr(ledger, "record", counted(record))
            patched.setattr(ledger, "append", counted(append))
            yield


def play(
    url: str, before: Act, act: Act, between: Act, at: tuple[str, int] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[int, int]:  # fmt: skip
    """How many reads and writes the act took."""
    with closing(Service.open(url)) as mine, closing(Service.open(url)) as others:
        before(mine)

        def come_between() -> None:
            with suppress(MeritError):
                between(others)

        held = Held(mine, come_between)
        held.at = at
        with held.watching(monkeypatch), suppress(MeritError):
            act(mine)
        check(mine)
        return held.reads, held.writes


def check(book: Service) -> None:
    """What is closed pinned the last settlement, is settled by nobody but a resettlement since, and
    took in what was corrected while it was open. Nothing was posted into a closed month. What was
    paid and posted in the end is what stands.
    """
    log = book.ledger.read(0, 10**6)
    closings = {event.period: (at, event) for at, event in log if isinstance(event, MonthClosed)}
    assert len(closings) == len([e for _, e in log if isinstance(e, MonthClosed)])
    for at, event in closings.values():
        settlements = book.statements.settlements(event.period, event.branch)
        last = [s for s in settlements if s.position < at][-1]
        assert [pinned.settlement for pinned in event.settlements] == [last.position]
        assert {s.by for s in settlements if s.position > at} <= {"hr", "decider"}
    if "2026-10" not in closings:
        return
    book.resume()
    names = book.appeals.filed_in("2026-10")
    assert [name for name in names if book.appeals.get(name).state == "decided"] == []
    _, october = closings["2026-10"]
    for done in book.appeals.get(names[0]).carried_out:
        entries = {at for at, key in recorded(book) if key in done.entries}
        assert done.resettled or max(entries) <= october.settlements[0].position
    resettle(book)  # the late entry
    for posted in book.payments.posted("B01", "2026-10"):
        closed = closings.get(posted.month)
        assert closed is None or posted.position < closed[0]
    (stands,) = book.statements.standing("2026-10", [HER])[HER]
    paid = [Decimal(p.pay) for p in book.payments.of_manager(HER, "2026-10")]
    signed = [p.signed for p in book.payments.posted_for("2026-10", [HER])]
    assert sum(paid) + sum(signed) == Decimal(stands.steps["pay"])


def recorded(book: Service) -> list[tuple[int, str]]:
    """The entries of the ledger: position and key."""
    return [
        (at, f"{event.entry.source}:{event.entry.source_id}")
        for at, event in book.ledger.read(0, 10**6)
        if isinstance(event, EntryRecorded)
    ]


@pytest.mark.parametrize("pair", PAIRS)
def test_whoever_comes_between_nobodys_money_is_left_out(
    new_database: Callable[[], str], pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, act, between = PAIRS[pair]

    def held_at(at: tuple[str, int] | None) -> tuple[int, int]:
        url = new_database()
        with closing(Service.open(url)) as book:
            record(book, *ten_people())
        return play(url, before, act, between, at, monkeypatch)

    reads, writes = held_at(None)
    assert writes > 0
    for number in range(writes):
        held_at(("write", number))
    for number in range(1, POINTS + 1):
        held_at(("read", reads * number // (POINTS + 1)))
