"""What is due to whom: each posting is paid or taken once, by one branch, in whatever order months
are closed.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from domain.entries.parsing import recorded_entry
from domain.identifiers import Period
from domain.ledger.events import AssignmentRecorded
from projections.explain.derivation import explain
from projections.explain.history import history
from projections.month import close as closing
from projections.month.cycle import Cycle
from projections.month.late_entries import late_among, late_evidence
from projections.month.payable import payout_of, postings_alone
from projections.service import Service
from projections.store.database import database_of
from tests.closing import (
    DECEMBER,
    FEBRUARY,
    JANUARY,
    NOVEMBER,
    OCTOBER,
    QUARTER,
    acknowledge_all,
    close,
    dues,
    entry,
    floor,
    go_by_as_before,
    pay_quarters_too,
    payable,
    record,
    resettle,
    works,
)
from tests.store import entries
from tests.ten_people import DISPLACED, HER, reversal

BACK_PAY, CLAWBACK = (HER, "back_pay", "450"), (DISPLACED, "clawback", "200")


def posting(item: str, month: str, manager: str, amount: str) -> dict[str, Any]:
    """An entry as resettlements record them, of another month than theirs."""
    fields = {"item": item, "manager": manager, "amount": amount, "reason": "r"}
    return entry("adjustment", f"posting-0-{month}", month, **fields) | {"source": "merit"}


# Months closed out of order


def test_a_later_month_that_is_closed_first_pays_what_was_posted_and_the_earlier_ones_nothing_twice(
    closed: Service,
) -> None:
    record(closed, *(floor(month) for month in ("2026-11", "2026-12", "2027-01", "2027-02")))
    assert resettle(closed) == [(*BACK_PAY, "2026-11"), (*CLAWBACK, "2026-11")]
    close(closed, DECEMBER)
    # 2025 + 450, and 1825 - 200.
    assert payable(closed, DECEMBER) == {
        HER: ("2025", "450", "0", "2475"),
        DISPLACED: ("1825", "0", "200", "1625"),
    }
    record(closed, reversal("appeal:1", "2"))  # the decision is overturned
    again = closed.resettle(Cycle(closed, OCTOBER, "B01"), "复核撤销", by="hr").postings
    assert [(p.manager, p.item, p.amount, p.month) for p in again] == [
        (
            HER,
            "clawback",
            "450",
            "2027-01",
        ),  # after the last that is closed, though November is open
        (DISPLACED, "back_pay", "200", "2027-01"),
    ]
    close(closed, JANUARY)
    # 2025 - 450 is above 1500 still; 1825 + 200.
    assert payable(closed, JANUARY) == {
        HER: ("2025", "0", "450", "1575"),
        DISPLACED: ("1825", "200", "0", "2025"),
    }
    for period in (NOVEMBER, FEBRUARY):
        close(closed, period)
        assert payable(closed, period) == {}


def test_an_earlier_month_that_is_closed_late_takes_what_a_later_one_carried(
    closed: Service,
) -> None:
    short = entry("adjustment", "short", "2026-12", manager=DISPLACED, amount="-200", reason="r")
    record(closed, floor("2026-11"), floor("2026-12"), short)
    resettle(closed)
    close(closed, DECEMBER)
    close(closed, NOVEMBER)
    # 1825 - 200 = 1625 has room for 125 of the 200; November for the other 75.
    assert payable(closed, DECEMBER)[DISPLACED] == ("1625", "0", "125", "1500")
    assert payable(closed, NOVEMBER) == {DISPLACED: ("1825", "0", "75", "1750")}


def test_a_quarter_that_is_closed_beside_its_months_pays_no_dues_and_is_no_later_month(
    october: Service,
) -> None:
    pay_quarters_too(october)
    close(october)
    record(october, floor("2026-11"), floor("2026-12"), posting("back_pay", "2026-12", HER, "70"))
    close(october, QUARTER)  # its last month is December
    assert payable(october, QUARTER) == {}
    assert resettle(october) == [(*BACK_PAY, "2026-11"), (*CLAWBACK, "2026-11")]
    close(october, NOVEMBER)
    assert payable(october, NOVEMBER) == {
        HER: ("2025", "450", "0", "2475"),
        DISPLACED: ("1825", "0", "200", "1625"),
    }
    close(october, DECEMBER)
    assert payable(october, DECEMBER) == {HER: ("2025", "70", "0", "2095")}


# Somebody who moved


def test_the_dues_of_somebody_who_moved_are_paid_by_the_new_branch_alone_down_to_the_floor(
    closed: Service,
) -> None:
    short = entry("adjustment", "short", manager=DISPLACED, amount="-200", reason="r")
    months = [floor(month, branch) for month in ("2026-11", "2026-12") for branch in ("B01", "B02")]
    record(closed, *months, works(DISPLACED), short)
    resettle(closed)
    for period in (NOVEMBER, DECEMBER):
        close(closed, period)
    assert payable(closed, NOVEMBER) == {HER: ("2025", "450", "0", "2475")}
    assert payable(closed, DECEMBER) == {}
    assert dues(closed, DECEMBER) == {DISPLACED: (0, 200)}
    # Alone in B02: 1025 + 800 - 200 = 1625, 125 above the floor; then 1825 - 75.
    close(closed, NOVEMBER, "B02")
    assert payable(closed, NOVEMBER, "B02") == {DISPLACED: ("1625", "0", "125", "1500")}
    close(closed, DECEMBER, "B02")
    assert payable(closed, DECEMBER, "B02") == {DISPLACED: ("1825", "0", "75", "1750")}
    assert dues(closed, DECEMBER) == {}


@pytest.mark.parametrize("ahead", ["B01", "B02"])
def test_a_resettlement_posts_into_the_first_month_open_at_the_branch_that_pays_the_person_now(
    closed: Service, ahead: str
) -> None:
    months = [
        floor(str(period), branch)
        for period in (NOVEMBER, DECEMBER, JANUARY)
        for branch in ("B01", "B02")
    ]
    record(closed, *months, works(DISPLACED))
    for period in (NOVEMBER, DECEMBER):
        close(closed, period, ahead)
    after = (
        {"B01": "2027-01", "B02": "2026-11"}
        if ahead == "B01"
        else {"B01": "2026-11", "B02": "2027-01"}
    )
    assert resettle(closed) == [(*BACK_PAY, after["B01"]), (*CLAWBACK, after["B02"])]
    pays = Period.parse(after["B02"])
    close(closed, pays, "B02")
    assert payable(closed, pays, "B02") == {DISPLACED: ("1825", "0", "200", "1625")}


def test_the_dues_of_somebody_who_moved_where_nobody_is_paid_are_paid_by_the_branch_that_paid_them_last(
    closed: Service,
) -> None:
    go_by_as_before(closed, "B02", "support-binding", month="2026-11")  # a ratio, no pay
    record(closed, floor("2026-11"), works(HER))
    resettle(closed)
    close(closed, NOVEMBER)
    assert payable(closed, NOVEMBER)[HER] == ("0", "450", "0", "450")
    assert HER not in dues(closed, NOVEMBER)


def test_of_two_branches_that_close_at_the_same_time_one_pays_the_dues_of_who_moved(
    closed: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(closed, floor("2026-11"), floor("2026-12", "B02"), works(HER, "2026-12"))
    assert resettle(closed) == [(*BACK_PAY, "2026-11"), (*CLAWBACK, "2026-11")]
    months = {"B01": NOVEMBER, "B02": DECEMBER}  # she is in both, and both are after the posting
    for branch, period in months.items():
        closed.settle(period, branch, None, by="clerk")
    both_have_counted, counted, payments = (
        threading.Barrier(2, timeout=60),
        set(),
        closing._payments,
    )

    def slow(cycle: Any, *given: Any) -> Any:
        """Neither records before both know what is due; after that each goes on as it likes."""
        paid = payments(cycle, *given)
        if cycle.branch not in counted:
            counted.add(cycle.branch)
            both_have_counted.wait()
        return paid

    def pay(branch: str) -> None:
        book = Service.open(database_url)
        try:
            book.close_month(Cycle(book, months[branch], branch), by="hr")
        finally:
            book.close()

    monkeypatch.setattr(closing, "_payments", slow)
    for branch, period in months.items():
        acknowledge_all(closed, period, branch)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(pay, months))
    hers = [closed.payments.of_manager(HER, str(period))[0] for period in months.values()]
    assert [p.pay for p in hers] == ["2025", "1825"]
    assert sorted(p.back_pay for p in hers) == ["0", "450"]
    assert dues(closed, DECEMBER) == {}


# What is a posting, and what is only named like one

ODD = {
    "sale": {"quantity": "1", "amount": "9999"},
    "deduction": {"points": "1"},
    "rating": {"score": "5"},
    "measure": {"value": "5"},
}


@pytest.mark.parametrize("item", ["back_pay", "clawback"])
def test_what_is_no_adjustment_is_never_paid_whatever_its_item(closed: Service, item: str) -> None:
    record(closed, floor("2026-11"))
    record(
        closed,
        *(entry(kind, kind, manager="M05", item=item, **fields) for kind, fields in ODD.items()),
    )
    assert dues(closed, NOVEMBER) == {}
    close(closed, NOVEMBER)
    assert payable(closed, NOVEMBER) == {}


@pytest.mark.parametrize("item", ["back_pay", "clawback"])
def test_what_is_named_like_a_posting_is_late_like_anything_else_and_a_posting_never(
    closed: Service, item: str
) -> None:
    record(closed, posting(item, "2026-10", "M05", "5"))
    cycle = Cycle(closed, OCTOBER, "B01")
    assert late_evidence(cycle) == []
    assert late_among(closed, [closed.ledger.position()]) == set()
    for kind, fields in ODD.items():
        record(closed, entry(kind, kind, "2026-10", manager="M05", item=item, **fields))
        position = closed.ledger.position()
        assert cycle.late_positions()[-1] == position
        assert late_among(closed, [position]) == {position}
    assert [late.entry["kind"] for late in late_evidence(cycle)] == list(ODD)


# Postings stay


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside another entry"])
def test_nobody_reverses_a_posting(closed: Service, alone: bool) -> None:
    resettle(closed)
    record(closed, floor("2026-11"))
    for number, posted in enumerate(closed.payments.posted("B01", "2026-10")):
        undo = reversal(f"merit:{posted.source_id}", f"undo-{number}")
        beside = entry("sale", f"s{number}", manager="M05", item="other", quantity="1")
        for dry_run in (True, False):
            outcomes = closed.ledger.append(
                entries([undo] if alone else [undo, beside]), by="root", dry_run=dry_run
            )
            assert (outcomes[0].status, [reason.code for reason in outcomes[0].reasons]) == (
                "rejected",
                ["is_posting"],
            )
    assert dues(closed, NOVEMBER) == {HER: (450, 0), DISPLACED: (0, 200)}


def test_a_posting_is_recorded_for_somebody_whose_only_assignment_was_reversed(
    closed: Service,
) -> None:
    record(closed, undone_assignment(closed, "M10"), floor("2026-11"))
    done = closed.resettle(Cycle(closed, OCTOBER, "B01"), "从未任职", by="hr")
    # Of nine people the last is M09, whose tier is the fourth now: 1625 instead of 1825.
    assert [(p.manager, p.item, p.amount) for p in done.postings] == [
        ("M09", "clawback", "200"),
        ("M10", "clawback", "1625"),
    ]
    assert closed.payments.not_carried_out() == []
    close(closed, NOVEMBER)
    # 1625 has room for 125; who is paid nothing owes all of it still.
    assert payable(closed, NOVEMBER) == {
        "M09": ("1625", "0", "125", "1500"),
        "M10": ("0", "0", "0", "0"),
    }
    assert dues(closed, DECEMBER) == {"M09": (0, 75), "M10": (0, 1625)}


def test_back_pay_is_paid_to_somebody_whose_only_assignment_was_reversed_meanwhile(
    closed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        crash.setattr("projections.month.resettle.record_postings", lambda *_: None)
        resettle(closed)
    record(closed, undone_assignment(closed, HER), floor("2026-11"))
    close(closed, NOVEMBER)
    assert payable(closed, NOVEMBER)[HER] == ("0", "450", "0", "450")


def undone_assignment(book: Service, manager: str) -> dict[str, Any]:
    """The reversal of the only assignment that somebody has."""
    events = [
        event for _, event in book.ledger.read(0, 1000) if isinstance(event, AssignmentRecorded)
    ]
    (hired,) = (event.entry for event in events if event.entry.manager == manager)
    return reversal(":".join(hired.key), f"undone-{manager}", source="later")


# What a person is shown


def test_who_has_left_has_a_statement_of_postings_alone_until_they_are_paid_and_then(
    closed: Service,
) -> None:
    record(
        closed,
        floor("2026-11"),
        *(works(manager, role="left", branch="B01") for manager in (HER, DISPLACED)),
    )
    assert postings_alone(closed, HER, NOVEMBER) is None
    resettle(closed)
    for is_paid in (False, True):
        hers, other = (postings_alone(closed, manager, NOVEMBER) for manager in (HER, DISPLACED))
        assert hers is not None
        assert other is not None
        assert (hers.branch, hers.payment.paid, other.payment.paid) == ("B01", is_paid, is_paid)
        assert (hers.payment.pay, hers.payment.back_pay, hers.payment.payable) == (
            "0",
            "450",
            "450",
        )
        assert (other.payment.clawback, other.payment.carried, other.payment.payable) == (
            "0",
            "200",
            "0",
        )
        for alone, (manager, item, amount) in ((hers, BACK_PAY), (other, CLAWBACK)):
            listed = [(p.manager, p.item, p.amount, p.period) for p in alone.payment.postings]
            assert listed == [(manager, item, amount, "2026-10")]
        if not is_paid:
            close(closed, NOVEMBER)
    assert postings_alone(closed, HER, DECEMBER) is None  # she has had it
    carried = postings_alone(closed, DISPLACED, DECEMBER)
    assert carried is not None
    assert (carried.payment.carried, carried.payment.postings) == ("200", ())


def test_a_person_with_a_statement_has_their_postings_listed_in_the_payout(closed: Service) -> None:
    record(closed, floor("2026-11"))
    resettle(closed)
    closed.settle(NOVEMBER, "B01", None, by="clerk")
    for is_paid in (False, True):
        payout = payout_of(closed, closed.find_statement(DISPLACED, NOVEMBER, None, None))
        assert payout is not None
        assert (payout.pay, payout.clawback, payout.payable, payout.paid) == (
            "1825",
            "200",
            "1625",
            is_paid,
        )
        assert [(p.manager, p.item, p.amount) for p in payout.postings] == [CLAWBACK]
        assert [p.period for p in payout.postings] == ["2026-10"]
        other = payout_of(closed, closed.find_statement("M05", NOVEMBER, None, None))
        assert other is not None
        assert (other.payable, other.postings) == ("1825", ())
        assert postings_alone(closed, DISPLACED, NOVEMBER) is None
        if not is_paid:
            close(closed, NOVEMBER)


# The order of postings


def test_the_tenth_posting_comes_after_the_second(closed: Service) -> None:
    people = [f"M{number:02d}" for number in range(1, 11)]
    more = {"amount": "5", "reason": "补"}
    for person in (*people, HER):  # hers twice: into one month from two resettlements
        record(
            closed,
            *(
                entry(
                    "adjustment",
                    f"{person}-{closed.ledger.position()}-{n}",
                    "2026-10",
                    manager=who,
                    **more,
                )
                for n, who in enumerate(people if person == HER else [person])
            ),
        )
    closed.resettle(Cycle(closed, OCTOBER, "B01"), "补", by="hr")
    posted = closed.payments.posted("B01", "2026-10")
    assert [one.manager for one in posted] == people
    position = posted[0].position
    assert [one.source_id for one in posted] == [f"posting-{position}-{n}" for n in range(1, 11)]
    positions = [place(closed, one.entry) for one in posted]
    assert positions == sorted(positions)  # carried out in the same order


def place(book: Service, key: str) -> int:
    """The ledger position of the entry with a key."""
    pair = tuple(key.split(":"))
    database = database_of(book.ledger)
    with database.reading() as connection:
        return database.keys(connection, [pair])[pair][0]  # type: ignore[list-item, index]


def test_a_persons_postings_of_a_month_stand_in_order(closed: Service) -> None:
    for number in range(11):
        amount = {"amount": str(number + 1), "reason": "补"}
        record(closed, entry("adjustment", f"{number}", "2026-10", manager=HER, **amount))
        closed.resettle(Cycle(closed, OCTOBER, "B01"), f"{number}", by="hr")
    assert [one.amount for one in closed.payments.posted_to(HER, NOVEMBER)] == [
        str(number + 1) for number in range(11)
    ]


# Postings by hand


def test_a_ledger_that_holds_postings_of_another_form_opens_reads_and_closes(
    closed: Service, database_url: str
) -> None:
    odd = ({"amount": "-700"}, {"amount": "0.005"}, {"points": "5"})
    kept = [
        entry("adjustment", f"old-{n}", manager="M05", item="back_pay", reason="r", **fields)
        for n, fields in enumerate(odd)
    ]
    outcomes = closed.ledger.append([recorded_entry(raw) for raw in kept], by="before")
    assert [outcome.status for outcome in outcomes] == ["accepted"] * 3
    again = Service.open(database_url)
    try:
        recorded = [e for e in history(again, "M05", NOVEMBER).events if e.type == "entry"][-3:]
        assert [event.entry for event in recorded] == kept
        record(again, floor("2026-11"))
        close(again, NOVEMBER)
        assert explain(again, "M05", NOVEMBER).total.step == "pay"
        assert again.rebuild()["facts"][0] == again.rebuild()["facts"][1]
    finally:
        again.close()
