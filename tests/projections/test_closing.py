"""Closing and resettlement: what was paid stays, what differs later is posted once, and clawbacks stop at the floor.

The worked case of ten people, November and December after it: nobody is rated there, so ranks follow ids (tiers of
1200, 1000, 800 and 600 points for 1, 2, 6 and 1 people; base 1025), and the minimum wage is 1500.
"""

from __future__ import annotations

from typing import Any

import pytest

from domain.branch_month import Closed
from domain.errors import Declined, VersionClash
from domain.events import MonthClosed
from domain.identifiers import Period
from projections.book import Book
from projections.cycles import Cycle
from projections.lateness import late_among
from tests.store import entries
from tests.ten_people import APPEALED, DISPLACED, HER, MINIMUM_WAGE, PAY, reversal

MONTHS = [Period.parse(f"2026-{number}") for number in (10, 11, 12)]
OCTOBER, NOVEMBER, DECEMBER = MONTHS


def record(book: Book, *raw: dict[str, Any]) -> None:
    assert {outcome.status for outcome in book.ledger.append(entries(raw), by="x")} == {"accepted"}


def entry(kind: str, number: str, month: str = "2026-11", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "source": "later", "source_id": number, "month": month, **fields}


def floor(month: str) -> dict[str, Any]:
    return entry("measure", f"floor-{month}", month, branch="B01", item="minimum_wage", value=MINIMUM_WAGE)


def close(book: Book, period: Period = OCTOBER) -> Cycle:
    book.settle(period, "B01", None, by="clerk")
    cycle = book.cycle(period, "B01")
    cycle.close(by="hr")
    return cycle


def payable(book: Book, period: Period) -> dict[str, tuple[str, str, str, str]]:
    """Of those who had postings: pay, back pay, clawback taken, payable."""
    paid = book.payments.paid("B01", str(period))
    return {
        p.manager: (p.pay, p.back_pay, p.clawback, p.payable) for p in paid if p.payable != p.pay or p.carried != "0"
    }


@pytest.fixture
def closed(october: Book) -> Book:
    close(october)
    return october


@pytest.fixture
def resettled(closed: Book) -> Book:
    """Her appeal was upheld after the close: her second tier is hers again, and M04 falls to the third."""
    record(closed, reversal(APPEALED, "1"))
    closed.cycle(OCTOBER, "B01").resettle("申诉成立", by="hr")
    return closed


def test_closing_pays_everyone_what_was_settled_and_pins_it(closed: Book) -> None:
    (settlement,) = closed.statements.settlements("2026-10", "B01")
    event = closed.ledger.event_at(closed.ledger.position())
    assert isinstance(event, MonthClosed)
    (pinned,) = event.settlements
    assert (pinned.settlement, pinned.version, pinned.position, pinned.digest) == (
        settlement.position, "3.0.0", settlement.as_of, settlement.digest,
    )  # fmt: skip
    assert {p.manager: (p.number, p.pay, p.payable) for p in closed.payments.paid("B01", "2026-10")} == {
        manager: (1, pay, pay) for manager, pay in PAY.items()
    }


def test_a_month_that_is_not_settled_is_not_closed(october: Book) -> None:
    with pytest.raises(Declined, match="merit settle 2026-10 --branch B01"):
        october.cycle(OCTOBER, "B01").close(by="hr")
    assert october.payments.closings() == []


def test_a_closed_month_is_neither_closed_nor_settled_again(closed: Book) -> None:
    before = closed.ledger.position()
    with pytest.raises(Closed):
        closed.cycle(OCTOBER, "B01").close(by="hr")
    with pytest.raises(Closed):
        closed.settle(OCTOBER, "B01", None, by="clerk")
    assert closed.ledger.position() == before


def test_of_two_who_close_at_once_one_pays(october: Book) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    cycle = october.cycle(OCTOBER, "B01")
    stale = cycle.state()
    cycle.close(by="hr")
    cycle.state = lambda: stale  # type: ignore[method-assign] - what the other had read before
    with pytest.raises(VersionClash):
        cycle.close(by="other")
    assert len(october.payments.closings()) == 1


def test_an_entry_after_the_close_is_late_and_changes_nothing_that_was_paid(closed: Book) -> None:
    cycle = closed.cycle(OCTOBER, "B01")
    assert cycle.late_positions() == []
    record(closed, reversal(APPEALED, "1"))
    assert cycle.late_positions() == [closed.ledger.position()]
    (late,) = cycle.late()
    assert (late["entry"]["reverses"]["source_id"], late["by"], late["effect"]) == ("250", "x", "250")  # 450 - 200
    assert {p.manager: p.pay for p in closed.payments.paid("B01", "2026-10")} == PAY


def test_a_resettlement_posts_the_differences_into_the_open_month_between_two_versions(resettled: Book) -> None:
    posted = resettled.payments.posted("B01", "2026-10")
    assert [(p.manager, p.item, p.amount, p.month, p.from_number, p.to_number) for p in posted] == [
        (HER, "back_pay", "450", "2026-11", 1, 2),
        (DISPLACED, "clawback", "200", "2026-11", 1, 2),
    ]
    (recorded,) = resettled.entries_of([("merit", posted[0].source_id)])
    content = recorded.entry.content()
    assert (content["manager"], content["item"], content["amount"], content["month"]) == (
        HER, "back_pay", "450", "2026-11",
    )  # fmt: skip
    assert content["attributes"]["from_version"] == "1"
    assert {p.manager: p.pay for p in resettled.payments.paid("B01", "2026-10")} == PAY
    assert resettled.statement(HER, OCTOBER, None, None).steps["pay"] == "2085"
    assert resettled.statement(HER, OCTOBER, None, 1).steps["pay"] == "1635"


def test_the_same_resettlement_again_posts_nothing(resettled: Book) -> None:
    before = resettled.ledger.position()
    again = resettled.cycle(OCTOBER, "B01").resettle("再来一次", by="hr")
    assert (again.settlements, again.postings) == ((), [])
    assert resettled.ledger.position() == before


def test_a_retro_of_a_retro_counts_what_was_posted_before(resettled: Book) -> None:
    record(resettled, reversal("appeal:1", "2"))  # the decision is overturned: the deduction counts again
    again = resettled.cycle(OCTOBER, "B01").resettle("复核撤销", by="hr")
    assert [(p.manager, p.item, p.amount, p.from_number, p.to_number) for p in again.postings] == [
        (HER, "clawback", "450", 2, 3),
        (DISPLACED, "back_pay", "200", 2, 3),
    ]


def test_the_open_month_pays_back_pay_and_takes_a_clawback_down_to_the_minimum_wage(resettled: Book) -> None:
    record(
        resettled,
        floor("2026-11"),
        entry("adjustment", "short", manager=DISPLACED, amount="-200", reason="r"),  # 1825 - 200: 125 above the floor
    )
    close(resettled, NOVEMBER)
    assert payable(resettled, NOVEMBER) == {
        HER: ("2025", "450", "0", "2475"),
        DISPLACED: ("1625", "0", "125", "1500"),
    }
    record(resettled, floor("2026-12"))
    close(resettled, DECEMBER)
    assert payable(resettled, DECEMBER) == {DISPLACED: ("1825", "0", "75", "1750")}


def test_postings_go_into_the_month_after_the_last_closed_one(closed: Book) -> None:
    record(closed, floor("2026-11"))
    close(closed, NOVEMBER)
    record(closed, reversal(APPEALED, "1"))
    done = closed.cycle(OCTOBER, "B01").resettle("申诉成立", by="hr")
    assert {p.month for p in done.postings} == {"2026-12"}


def test_who_has_left_is_paid_by_postings_alone(closed: Book) -> None:
    left = entry("assignment", "left", manager=HER, name="x", branch="B01", team="T1", role="left", attributes={})
    record(closed, left, reversal(APPEALED, "1"), floor("2026-11"))
    closed.cycle(OCTOBER, "B01").resettle("申诉成立", by="hr")
    close(closed, NOVEMBER)
    hers = next(p for p in closed.payments.paid("B01", "2026-11") if p.manager == HER)
    assert (hers.rulebook, hers.number, hers.pay, hers.payable) == (None, None, "0", "450")


def test_a_revised_rulebook_in_force_since_then_is_resettled_too(closed: Book) -> None:
    text = closed.shelf.versions("elastic-pay")[-1].text
    cheaper = text.replace("version: 3.0.0", "version: 3.1.0")
    assert cheaper != text
    closed.publish(cheaper, file="x", by="hr")
    done = closed.cycle(OCTOBER, "B01").resettle("新版", by="hr")
    assert done.postings == []  # other words, the same figures
    assert len(done.settlements) == 1
    assert closed.statement(HER, OCTOBER, None, None).version == "3.1.0"


def test_an_open_month_is_not_resettled(october: Book) -> None:
    with pytest.raises(Declined, match="merit settle 2026-10"):
        october.cycle(OCTOBER, "B01").resettle("r", by="hr")


def test_postings_that_a_crash_left_undone_are_done_at_the_next_call_and_once(
    closed: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(closed, reversal(APPEALED, "1"))
    with monkeypatch.context() as crash:
        crash.setattr(Book, "carry_out_postings", lambda _: None)
        closed.cycle(OCTOBER, "B01").resettle("申诉成立", by="hr")
    assert len(closed.payments.not_carried_out()) == 2
    for _ in range(2):
        closed.cycle(OCTOBER, "B01").resettle("再来一次", by="hr")
        assert closed.payments.not_carried_out() == []
    assert {name: (due.back_pay, due.clawback) for name, due in closed.payments.due(NOVEMBER.last).items()} == {
        HER: (450, 0),
        DISPLACED: (0, 200),
    }


def test_rebuilt_payments_are_the_same(resettled: Book) -> None:
    before, after = resettled.rebuild()["payments"]
    assert before == after
    assert len(resettled.payments.posted("B01", "2026-10")) == 2


def test_only_what_came_after_the_close_into_its_month_and_branch_is_late(closed: Book) -> None:
    record(
        closed,
        reversal(APPEALED, "1"),
        entry("deduction", "a", "2026-10", manager=HER, item="arrears_recovery", points="1"),
        entry("deduction", "b", "2026-11", manager=HER, item="arrears_recovery", points="1"),
        entry("measure", "c", "2026-10", branch="B02", item="minimum_wage", value="1"),
        entry("measure", "d", "2026-10", branch="B01", item="minimum_wage", value="1"),
    )
    last = closed.ledger.position()
    # The measures are written as they came; the reversal stands last.
    events = closed.ledger.events_at(range(last - 4, last + 1))
    named = {position: event.entry.source_id for position, event in events.items()}  # type: ignore[attr-defined]
    assert {named[position] for position in late_among(closed, list(named))} == {"1", "a", "d"}
    assert late_among(closed, range(1, last - 10)) == set()


def test_a_branch_that_turns_out_to_have_had_nobody_is_resettled_to_nobody(closed: Book) -> None:
    moved = [
        entry("assignment", f"moved-{m}", "2026-10", manager=m, name=m, branch="B02", team="T1", grade=6, attributes={})
        | {"role": "customer_manager"}
        for m in PAY
    ]
    record(closed, *moved)
    done = closed.cycle(OCTOBER, "B01").resettle("都在 B02", by="hr")
    assert {p.manager: (p.item, p.amount, p.to_number) for p in done.postings} == {
        manager: ("clawback", pay, None) for manager, pay in PAY.items()
    }
    assert closed.statements.latest("2026-10", "elastic-pay", "B01") == {}
    assert closed.cycle(OCTOBER, "B01").resettle("again", by="hr").postings == []


def test_who_moved_after_the_settlement_holds_up_the_closing_until_it_is_settled_again(october: Book) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    place = {"name": "x", "branch": "B02", "team": "T1", "grade": 6, "role": "customer_manager", "attributes": {}}
    record(october, entry("assignment", "moved", "2026-10", manager="M10", **place))
    with pytest.raises(Declined, match="M10"):
        october.cycle(OCTOBER, "B01").close(by="hr")
    close(october)
    assert "M10" not in {p.manager for p in october.payments.paid("B01", "2026-10")}


def test_postings_that_were_reversed_after_they_were_paid_are_settled_once(resettled: Book) -> None:
    record(resettled, floor("2026-11"), floor("2026-12"))
    close(resettled, NOVEMBER)
    keys = [(p.source_id, number) for number, p in enumerate(resettled.payments.posted("B01", "2026-10"))]
    record(resettled, *(reversal(f"merit:{key}", f"back-{number}") for key, number in keys))
    due = resettled.payments.due(DECEMBER.last)
    assert {m: (d.back_pay, d.clawback) for m, d in due.items()} == {HER: (0, 450), DISPLACED: (200, 0)}
    close(resettled, DECEMBER)
    assert payable(resettled, DECEMBER)[DISPLACED] == ("1825", "200", "0", "2025")
    assert resettled.payments.due(Period.parse("2027-01").last) == {}
