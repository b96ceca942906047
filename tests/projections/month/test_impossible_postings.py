"""A decision is recorded only if all that follows can be carried out, and one broken item holds up
nothing else. Ledgers that hold such a decision already are mended by the next resettlement.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.entries.parsing import recorded_entry
from domain.evaluation.programs import program_of
from domain.identifiers import Month
from domain.ledger.events import MonthResettled, Posting
from domain.processes.payout import Due, paid_out
from projections.appeals import process
from projections.month.cycle import Cycle
from projections.month.refusals import PayNotInCents, PostingsImpossible
from projections.service import Service
from tests.closing import NOVEMBER, OCTOBER, close, entry, floor, grant, proposed, record, works
from tests.rules import text_of
from tests.ten_people import HER

CARD = "622848000000"  # a card number in the column of amounts


def adjusted(number: str, amount: str, month: str = "2026-10") -> dict[str, Any]:
    return entry("adjustment", number, month, manager=HER, amount=amount, reason="r")


def decided_before(book: Service, amount: str) -> None:
    """A posting as an earlier release recorded it."""
    cycle = Cycle(book, OCTOBER, "B01")
    posting = Posting(
        manager=HER,
        item="back_pay",
        amount=amount,
        month="2026-11",
        rulebook="elastic-pay",
        from_version=1,
        to_version=1,
    )
    place = cycle.place("hr", cycle.state().version + 1)
    book.ledger.record(
        MonthResettled(**place, reason="r", appeal=None, digests=(), postings=(posting,))
    )


@pytest.mark.parametrize("amount", ["0.333", "1245696000001", "0.0000001", "-5"])
def test_a_posting_that_nobody_can_be_paid_holds_nothing_up_and_is_settled_anew(
    closed: Service, amount: str
) -> None:
    record(closed, works("X01", "2026-10"), floor("2026-10", "B02"), floor("2026-11"))
    decided_before(closed, amount)
    closed.resume()
    close(closed, OCTOBER, "B02")
    record(closed, adjusted("late", "70"))
    done = closed.resettle(Cycle(closed, OCTOBER, "B01"), "mended", by="hr")
    assert [(p.manager, p.amount) for p in done.postings] == [(HER, "70")]
    close(closed, NOVEMBER)
    (paid,) = closed.payments.of_manager(HER, "2026-11")
    assert paid.back_pay == "70"


def test_fractions_of_a_cent_that_an_earlier_release_recorded_are_not_posted_again(
    closed: Service,
) -> None:
    decided_before(closed, "70.333")
    at = closed.ledger.position()
    carried_out = {"source": "merit", "source_id": f"posting-{at}-1", "item": "back_pay"}
    raw = adjusted("old", "70.333", "2026-11") | carried_out
    closed.ledger.append([recorded_entry(raw)], by="hr")
    record(closed, adjusted("late", "70.33"))
    done = closed.resettle(Cycle(closed, OCTOBER, "B01"), "late", by="hr")
    assert done.postings == []


def test_differences_that_no_entry_can_carry_are_refused_by_name_and_nothing_is_recorded(
    closed: Service,
) -> None:
    record(closed, adjusted("1", CARD), adjusted("2", CARD))
    before = closed.ledger.position()
    with pytest.raises(PostingsImpossible, match=f"{HER}: .* has more than 12 integer digits"):
        closed.resettle(Cycle(closed, OCTOBER, "B01"), "late", by="hr")
    assert closed.ledger.position() == before


def test_an_appeal_whose_consequence_no_entry_can_carry_is_not_decided(closed: Service) -> None:
    record(closed, adjusted("1", CARD))
    name = proposed(closed, correction=grant(HER, CARD))
    before = closed.ledger.position()
    with pytest.raises(PostingsImpossible):
        process.decide(closed, name, "upheld", "属实", by="decider", proposal=1)
    assert (closed.ledger.position(), closed.appeals.get(name).state) == (before, "accepted")


def pay_what_is_not_rounded(book: Service) -> None:
    """What an earlier release published: pay of three places."""
    text = text_of(
        {"pay yuan": "base + adjusted"},
        inputs={"adjusted": {"unit": "yuan", "read": "adjustment", "take": "yuan"}},
        parameters={"base yuan": "1000.005"},
        id="odd",
        period="month",
        roles=["customer_manager"],
    )
    event = book.rulebooks.publication(program_of(text), by="hr", effective_from=None, impact=None)
    assert event is not None
    book.ledger.record(event)
    book.rulebooks.pay_by("B01", ["odd"], Month(2026, 10), by="hr")


def test_pay_that_is_not_whole_cents_is_not_paid(october: Service) -> None:
    pay_what_is_not_rounded(october)
    with pytest.raises(PayNotInCents, match=rf"under odd is not whole cents: .*{HER} 1000\.005"):
        close(october)
    assert october.payments.closings() == []


def test_pay_that_is_not_whole_cents_is_not_posted(closed: Service) -> None:
    pay_what_is_not_rounded(closed)
    before = closed.ledger.position()
    with pytest.raises(PayNotInCents):
        closed.resettle(Cycle(closed, OCTOBER, "B01"), "late", by="hr")
    assert closed.ledger.position() == before


# What is paid of pay, back pay and a clawback: worked by hand.


@pytest.mark.parametrize(
    ("pay", "back_pay", "clawback", "room", "taken", "carried", "payable"),
    [
        ("2000", "0", "700", "500", "500", "200", "1500"),
        ("2000", "300", "700", "500", "700", "0", "1600"),  # the back pay first: 300 + 400
        ("2000", "300", "200", "0", "200", "0", "2100"),  # at the floor, of the back pay alone
        ("2000", "300", "900", "0", "300", "600", "2000"),
        ("2000", "0", "2500", None, "2000", "500", "0"),  # no floor: all of the pay
        ("0", "100", "250", None, "100", "150", "0"),
        ("-50", "0", "0", None, "-50", "50", "0"),  # nobody pays anything in
        ("-50", "20", "0", None, "-30", "30", "0"),
        ("-50", "200", "0", None, "0", "0", "150"),
        ("-50", "200", "500", None, "150", "350", "0"),
    ],
)
def test_what_is_taken_of_pay_and_what_is_carried(
    pay: str, back_pay: str, clawback: str, room: str | None, taken: str, carried: str, payable: str
) -> None:
    due = Due(Decimal(back_pay), Decimal(clawback))
    share = paid_out(Decimal(pay), due, None if room is None else Decimal(room))
    assert share == tuple(map(Decimal, (back_pay, taken, carried, payable)))
