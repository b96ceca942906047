"""Closing and resettlement: what was paid stays, what differs later is posted once, and clawbacks
stop at the floor.

The worked case of ten people, and the months after it, as `tests/closing.py` tells them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.errors import Declined, NotFound, VersionClash
from domain.ledger.events import MonthClosed, ReversalRecorded
from domain.processes.branch_month import BY_CODE, Closed, NotReady
from projections.appeals import process
from projections.appeals import process as appeals
from projections.facts import calendar
from projections.facts.audit_trail import entries_under_keys
from projections.month.cycle import Cycle
from projections.month.late_entries import late_among, late_evidence
from projections.month.refusals import (
    CorrectionNotSettled,
    MonthNotBegun,
    NotClosed,
    NothingSettled,
)
from projections.service import Service
from tests.closing import (
    DECEMBER,
    JANUARY,
    NOVEMBER,
    OCTOBER,
    QUARTER,
    SENIOR,
    SENIOR_PAY,
    acknowledge_all,
    close,
    entry,
    floor,
    go_by_as_before,
    grant,
    pay_quarters_too,
    pay_seniors_too,
    payable,
    proposed,
    record,
    resettle,
    works,
)
from tests.ten_people import APPEALED, DISPLACED, HER, PAY, reversal

STEPS = list(BY_CODE)


@pytest.fixture
def resettled(closed: Service) -> Service:
    """Her appeal was upheld after the close: her second tier is hers again, and M04 falls to the
    third.
    """
    record(closed, reversal(APPEALED, "1"))
    closed.resettle(Cycle(closed, OCTOBER, "B01"), "申诉成立", by="hr")
    return closed


def test_closing_pays_everyone_what_was_settled_and_pins_it(closed: Service) -> None:
    (settlement,) = closed.statements.settlements("2026-10", "B01")
    event = closed.ledger.event_at(closed.ledger.position())
    assert isinstance(event, MonthClosed)
    (pinned,) = event.settlements
    assert (pinned.settlement, pinned.version, pinned.position, pinned.digest) == (
        settlement.position, "3.0.0", settlement.as_of, settlement.digest,
    )  # fmt: skip
    assert {
        p.manager: (p.version, p.pay, p.payable) for p in closed.payments.paid("B01", "2026-10")
    } == {manager: (1, pay, pay) for manager, pay in PAY.items()}


def test_a_month_that_is_not_settled_is_not_closed(october: Service) -> None:
    with pytest.raises(NothingSettled, match="settle it first"):
        october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")
    assert october.payments.closings() == []


def test_a_closed_month_is_neither_closed_nor_settled_again(closed: Service) -> None:
    before = closed.ledger.position()
    with pytest.raises(Closed):
        closed.close_month(Cycle(closed, OCTOBER, "B01"), by="hr")
    with pytest.raises(Closed):
        closed.settle(OCTOBER, "B01", None, by="clerk")
    assert closed.ledger.position() == before


def test_of_two_who_close_at_once_one_pays(october: Service) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    cycle = Cycle(october, OCTOBER, "B01")
    acknowledge_all(october)
    stale = cycle.state()
    october.close_month(cycle, by="hr")
    cycle.state = lambda: stale  # type: ignore[method-assign] - what the other had read before
    with pytest.raises(VersionClash):
        october.close_month(cycle, by="other")
    assert len(october.payments.closings()) == 1


def test_an_entry_after_the_close_is_late_and_changes_nothing_that_was_paid(
    closed: Service,
) -> None:
    cycle = Cycle(closed, OCTOBER, "B01")
    assert cycle.late_positions() == []
    record(closed, reversal(APPEALED, "1"))
    assert cycle.late_positions() == [closed.ledger.position()]
    (late,) = late_evidence(cycle)
    assert (late.entry["reverses"]["source_id"], late.by, late.effect) == (
        "250",
        "x",
        "250",
    )  # 450 - 200
    assert {p.manager: p.pay for p in closed.payments.paid("B01", "2026-10")} == PAY


def test_a_resettlement_posts_the_differences_into_the_open_month_between_two_versions(
    resettled: Service,
) -> None:
    posted = resettled.payments.posted("B01", "2026-10")
    assert [
        (p.manager, p.item, p.amount, p.month, p.from_version, p.to_version) for p in posted
    ] == [
        (HER, "back_pay", "450", "2026-11", 1, 2),
        (DISPLACED, "clawback", "200", "2026-11", 1, 2),
    ]
    (recorded,) = entries_under_keys(resettled.ledger, [("merit", posted[0].source_id)])
    content = recorded.entry.content()
    assert (content["manager"], content["item"], content["amount"], content["month"]) == (
        HER, "back_pay", "450", "2026-11",
    )  # fmt: skip
    assert content["attributes"]["from_version"] == "1"
    assert {p.manager: p.pay for p in resettled.payments.paid("B01", "2026-10")} == PAY
    assert resettled.find_statement(HER, OCTOBER, None, None).steps["pay"] == "2085"
    assert resettled.find_statement(HER, OCTOBER, None, 1).steps["pay"] == "1635"


def test_the_same_resettlement_again_posts_nothing(resettled: Service) -> None:
    before = resettled.ledger.position()
    again = resettled.resettle(Cycle(resettled, OCTOBER, "B01"), "再来一次", by="hr")
    assert (again.settlements, again.postings) == ((), [])
    assert resettled.ledger.position() == before


def test_a_retro_of_a_retro_counts_what_was_posted_before(resettled: Service) -> None:
    record(
        resettled, reversal("appeal:1", "2")
    )  # the decision is overturned: the deduction counts again
    again = resettled.resettle(Cycle(resettled, OCTOBER, "B01"), "复核撤销", by="hr")
    assert [
        (p.manager, p.item, p.amount, p.from_version, p.to_version) for p in again.postings
    ] == [
        (HER, "clawback", "450", 2, 3),
        (DISPLACED, "back_pay", "200", 2, 3),
    ]


def test_the_open_month_pays_back_pay_and_takes_a_clawback_down_to_the_minimum_wage(
    resettled: Service,
) -> None:
    record(
        resettled,
        floor("2026-11"),
        entry(
            "adjustment", "short", manager=DISPLACED, amount="-200", reason="r"
        ),  # 1825 - 200: 125 above the floor
    )
    close(resettled, NOVEMBER)
    assert payable(resettled, NOVEMBER) == {
        HER: ("2025", "450", "0", "2475"),
        DISPLACED: ("1625", "0", "125", "1500"),
    }
    record(resettled, floor("2026-12"))
    close(resettled, DECEMBER)
    assert payable(resettled, DECEMBER) == {DISPLACED: ("1825", "0", "75", "1750")}


def test_postings_go_into_the_month_after_the_last_closed_one(closed: Service) -> None:
    record(closed, floor("2026-11"))
    close(closed, NOVEMBER)
    record(closed, reversal(APPEALED, "1"))
    done = closed.resettle(Cycle(closed, OCTOBER, "B01"), "申诉成立", by="hr")
    assert {p.month for p in done.postings} == {"2026-12"}


def test_who_has_left_is_paid_by_postings_alone(closed: Service) -> None:
    left = entry(
        "assignment",
        "left",
        manager=HER,
        name="x",
        branch="B01",
        team="T1",
        role="left",
        attributes={},
    )
    record(closed, left, reversal(APPEALED, "1"), floor("2026-11"))
    closed.resettle(Cycle(closed, OCTOBER, "B01"), "申诉成立", by="hr")
    close(closed, NOVEMBER)
    hers = next(p for p in closed.payments.paid("B01", "2026-11") if p.manager == HER)
    assert (hers.rulebook, hers.version, hers.pay, hers.payable) == (None, None, "0", "450")


def test_a_revised_rulebook_in_force_since_then_is_resettled_too(closed: Service) -> None:
    text = closed.rulebooks.versions("elastic-pay")[-1].text
    cheaper = text.replace("version: 3.0.0", "version: 3.1.0")
    assert cheaper != text
    closed.publish(cheaper, file="x", by="hr")
    done = closed.resettle(Cycle(closed, OCTOBER, "B01"), "新版", by="hr")
    assert done.postings == []  # other words, the same figures
    assert len(done.settlements) == 1
    assert closed.find_statement(HER, OCTOBER, None, None).version == "3.1.0"


def test_an_open_month_is_not_resettled(october: Service) -> None:
    with pytest.raises(NotClosed, match="settle it again"):
        october.resettle(Cycle(october, OCTOBER, "B01"), "r", by="hr")


def test_postings_that_a_crash_left_undone_are_done_at_the_next_call_and_once(
    closed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(closed, reversal(APPEALED, "1"))
    with monkeypatch.context() as crash:
        crash.setattr("projections.month.resettle.record_postings", lambda *_: None)
        closed.resettle(Cycle(closed, OCTOBER, "B01"), "申诉成立", by="hr")
    assert len(closed.payments.not_carried_out()) == 2
    for _ in range(2):
        closed.resettle(Cycle(closed, OCTOBER, "B01"), "再来一次", by="hr")
        assert closed.payments.not_carried_out() == []
    assert {
        name: (due.back_pay, due.clawback)
        for name, due in closed.payments.due(NOVEMBER.last).items()
    } == {
        HER: (450, 0),
        DISPLACED: (0, 200),
    }


def test_rebuilt_payments_are_the_same(resettled: Service) -> None:
    before, after = resettled.rebuild()["payments"]
    assert before == after
    assert len(resettled.payments.posted("B01", "2026-10")) == 2


def test_only_what_came_after_the_close_into_its_month_and_branch_is_late(closed: Service) -> None:
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


def test_a_branch_that_turns_out_to_have_had_nobody_is_resettled_to_nobody(closed: Service) -> None:
    moved = [
        entry(
            "assignment",
            f"moved-{m}",
            "2026-10",
            manager=m,
            name=m,
            branch="B02",
            team="T1",
            grade=6,
            attributes={},
        )
        | {"role": "customer_manager"}
        for m in PAY
    ]
    record(closed, *moved)
    done = closed.resettle(Cycle(closed, OCTOBER, "B01"), "都在 B02", by="hr")
    assert {p.manager: (p.item, p.amount, p.to_version) for p in done.postings} == {
        manager: ("clawback", pay, None) for manager, pay in PAY.items()
    }
    assert closed.statements.latest("2026-10", "elastic-pay", "B01") == {}
    assert closed.resettle(Cycle(closed, OCTOBER, "B01"), "again", by="hr").postings == []


def test_who_moved_after_the_settlement_holds_up_the_closing_until_it_is_settled_again(
    october: Service,
) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    place = {
        "name": "x",
        "branch": "B02",
        "team": "T1",
        "grade": 6,
        "role": "customer_manager",
        "attributes": {},
    }
    record(october, entry("assignment", "moved", "2026-10", manager="M10", **place))
    with pytest.raises(Declined, match="M10"):
        october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")
    close(october)
    assert "M10" not in {p.manager for p in october.payments.paid("B01", "2026-10")}


# What holds a closing up


def test_a_month_is_not_closed_while_people_of_another_pay_rulebook_are_not_settled(
    october: Service,
) -> None:
    pay_seniors_too(october)
    record(october, works("Z1", "2026-10", "B01", "senior"))
    october.settle(OCTOBER, "B01", "elastic-pay", by="clerk")
    before = october.ledger.position()
    with pytest.raises(Declined, match=f"people of {SENIOR} who are not settled"):
        october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")
    assert october.ledger.position() == before
    close(october)
    assert {p.manager: p.payable for p in october.payments.paid("B01", "2026-10")} == PAY | {
        "Z1": SENIOR_PAY
    }


def test_a_pay_rulebook_that_is_for_nobody_in_the_branch_holds_nothing_up(october: Service) -> None:
    pay_seniors_too(october)
    close(october)
    assert {p.manager: p.payable for p in october.payments.paid("B01", "2026-10")} == PAY


def test_a_month_is_not_closed_while_what_an_appeal_corrected_is_not_calculated(
    october: Service,
) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    name = proposed(october)
    process.decide(october, name, "upheld", "属实", by="decider", proposal=1)
    with pytest.raises(CorrectionNotSettled, match=f"was corrected for appeal {name}"):
        october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")
    assert october.payments.closings() == []
    close(october)
    # As was posted in `resettled`, only at once: 1635 + 450 and 2025 - 200.
    corrected = PAY | {HER: "2085", DISPLACED: "1825"}
    assert {p.manager: p.payable for p in october.payments.paid("B01", "2026-10")} == corrected


def test_what_an_appeal_corrected_after_the_month_was_reported_is_calculated_and_reviewed_again(
    october: Service,
) -> None:
    cycle, after = (
        Cycle(october, OCTOBER, "B01"),
        STEPS[STEPS.index("total_calculated") : STEPS.index("paid")],
    )
    go_through(cycle, *STEPS[: STEPS.index("paid")])
    process.decide(october, proposed(october), "upheld", "属实", by="decider", proposal=1)
    with pytest.raises(Declined, match="calculate and review it again"):
        october.close_month(cycle, by="hr")
    october.settle(OCTOBER, "B01", None, by="clerk")
    with pytest.raises(NotReady, match="total_calculated"):
        october.close_month(cycle, by="hr")
    go_through(cycle, *after)
    acknowledge_all(october)
    october.close_month(cycle, by="hr")
    assert {p.manager: p.payable for p in october.payments.paid("B01", "2026-10")}[HER] == "2085"


def go_through(cycle: Cycle, *steps: str) -> None:
    """Whoever reviews is somebody else."""
    for step in steps:
        if step in {"total_reviewed", "paid"}:
            acknowledge_all(cycle.models)
        cycle.models.do_step(cycle, step, by="leader" if step.endswith("reviewed") else "clerk")


def test_a_branch_that_goes_by_a_rulebook_that_does_not_pay_goes_through_its_month_and_is_paid(
    october: Service,
) -> None:
    go_by_as_before(october, "B01", "elastic-pay", "support-binding")
    record(october, works("S1", "2026-10", "B01", "unit_support"))
    cycle = Cycle(october, OCTOBER, "B01")
    go_through(cycle, *STEPS)
    assert {s.rulebook for s in october.statements.settlements("2026-10", "B01")} == {
        "elastic-pay",
        "support-binding",
    }
    assert {step.state for step in cycle.overview().steps} == {"done"}
    assert {p.manager: p.payable for p in october.payments.paid("B01", "2026-10")} == PAY


def test_a_rulebook_that_does_not_pay_holds_no_closing_up(october: Service) -> None:
    go_by_as_before(october, "B01", "elastic-pay", "support-binding")
    record(october, works("S1", "2026-10", "B01", "unit_support"))
    october.settle(OCTOBER, "B01", "elastic-pay", by="clerk")
    acknowledge_all(october)
    october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")
    assert {p.manager: p.payable for p in october.payments.paid("B01", "2026-10")} == PAY


def test_a_branch_pays_by_months_and_by_quarters_and_each_kind_of_period_is_closed_and_resettled(
    october: Service,
) -> None:
    pay_quarters_too(october)
    close(october)
    close(october, QUARTER)
    assert {p.manager: p.payable for p in october.payments.paid("B01", "2026-10")} == PAY
    quarter = october.payments.paid("B01", "2026-Q4")
    assert {p.manager: (p.rulebook, p.payable) for p in quarter} == {
        m: ("quarterly-bonus", "3000" if m == "M01" else "0") for m in PAY
    }
    # Without the 60% for results: 0.25 x 90 + 0.15 x 90 = 36 marks, for which there is no bonus.
    record(october, reversal("later:q-results", "1"))
    done = october.resettle(Cycle(october, QUARTER, "B01"), "评价有误", by="hr")
    assert [(p.manager, p.item, p.amount, p.month) for p in done.postings] == [
        ("M01", "clawback", "3000", "2027-01")
    ]
    record(october, floor("2027-01"))
    close(october, JANUARY)
    # 1025 + 1200 = 2225 is 725 above the floor.
    assert payable(october, JANUARY) == {"M01": ("2225", "0", "725", "1500")}


# What a crash cut off


def decided_and_cut_off(book: Service, monkeypatch: pytest.MonkeyPatch) -> str:
    """Her appeal is decided, and nothing more."""
    name = proposed(book)
    with monkeypatch.context() as crash:
        crash.setattr(appeals, "carry_out", lambda *_: None)
        process.decide(book, name, "upheld", "属实", by="decider", proposal=1)
    assert book.appeals.get(name).state == "decided"
    return name


@pytest.fixture
def cut_off(closed: Service, monkeypatch: pytest.MonkeyPatch) -> tuple[Service, str]:
    """So it is with her appeal about the closed month."""
    return closed, decided_and_cut_off(closed, monkeypatch)


def carried_out_once(book: Service, name: str) -> None:
    appeal = book.appeals.get(name)
    assert appeal.state == "carried_out"
    assert [(done.before, done.after, done.month) for done in appeal.carried_out] == [
        ("1635", "2085", "2026-11")
    ]
    assert [
        (p.manager, p.item, p.amount, p.appeal) for p in book.payments.posted("B01", "2026-10")
    ] == [
        (HER, "back_pay", "450", name),
        (DISPLACED, "clawback", "200", name),
    ]
    assert book.payments.not_carried_out() == []
    reversals = [
        event for _, event in book.ledger.read(0, 10_000) if isinstance(event, ReversalRecorded)
    ]
    assert [event.entry.key for event in reversals] == [("appeal", f"{name}-1-1")]


def test_a_decision_that_a_crash_cut_off_is_carried_out_before_the_next_closing(
    cut_off: tuple[Service, str],
) -> None:
    book, name = cut_off
    record(book, floor("2026-11"))
    close(book, NOVEMBER)
    carried_out_once(book, name)
    # 2025 + 450, and 1825 - 200.
    assert payable(book, NOVEMBER) == {
        HER: ("2025", "450", "0", "2475"),
        DISPLACED: ("1825", "0", "200", "1625"),
    }


def test_a_decision_that_a_crash_cut_off_is_carried_out_before_the_next_resettlement(
    cut_off: tuple[Service, str],
) -> None:
    book, name = cut_off
    for _ in range(2):
        assert book.resettle(Cycle(book, OCTOBER, "B01"), "别的原因", by="hr").postings == []
        carried_out_once(book, name)


def test_a_decision_that_a_crash_cut_off_is_carried_out_by_the_next_decision(
    cut_off: tuple[Service, str],
) -> None:
    book, name = cut_off
    process.decide(book, proposed(book, "M05", grant("M05")), "dismissed", "无误", by="decider")
    carried_out_once(book, name)


def test_a_decision_about_an_open_month_that_a_crash_cut_off_holds_up_its_closing(
    october: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    name = decided_and_cut_off(october, monkeypatch)
    with pytest.raises(Declined, match=f"what was corrected for appeal {name}"):
        october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")
    assert october.appeals.get(name).state == "carried_out"
    close(october)
    assert {p.manager: p.payable for p in october.payments.paid("B01", "2026-10")}[HER] == "2085"


def test_a_posting_that_a_crash_cut_off_is_paid_with_the_next_closing(
    closed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(closed, floor("2026-11"))
    with monkeypatch.context() as crash:
        crash.setattr("projections.month.resettle.record_postings", lambda *_: None)
        resettle(closed)
    assert len(closed.payments.not_carried_out()) == 2
    close(closed, NOVEMBER)
    assert closed.payments.not_carried_out() == []
    assert payable(closed, NOVEMBER) == {
        HER: ("2025", "450", "0", "2475"),
        DISPLACED: ("1825", "0", "200", "1625"),
    }


# Which appeal a resettlement is for


def test_a_resettlement_for_an_appeal_that_does_not_exist_or_is_about_another_month_is_refused(
    closed: Service,
) -> None:
    record(closed, floor("2026-11"), works("Y1", "2026-10"), floor("2026-10", "B02"))
    close(closed, NOVEMBER)
    close(closed, OCTOBER, "B02")
    asked = (("M05", NOVEMBER), ("Y1", OCTOBER))
    others = [
        process.file_appeal(closed, manager, period, "有误", by=manager)
        for manager, period in asked
    ]
    own = process.file_appeal(closed, HER, OCTOBER, "有误", by=HER)
    record(closed, reversal(APPEALED, "1"))
    before, cycle = closed.ledger.position(), Cycle(closed, OCTOBER, "B01")
    with pytest.raises(NotFound, match="there is no appeal A2026-10-9"):
        closed.resettle(cycle, "r", by="hr", appeal="A2026-10-9")
    for name in others:
        with pytest.raises(
            Declined, match=f"appeal {name} is about .* and not about 2026-10 of B01: check its id"
        ):
            closed.resettle(cycle, "r", by="hr", appeal=name)
    assert closed.ledger.position() == before
    assert {p.appeal for p in closed.resettle(cycle, "r", by="hr", appeal=own).postings} == {own}


HAS_BEGUN = calendar.Calendar.has_begun  # which the other tests do without


def today_is(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(calendar, "now", lambda: now)
    monkeypatch.setattr(calendar.Calendar, "has_begun", HAS_BEGUN)


@pytest.mark.parametrize(
    ("instant", "begun"), [("2026-09-30T15:59:59", False), ("2026-09-30T16:00:00", True)]
)
def test_a_month_that_has_not_begun_where_the_organisation_is_is_not_closed(
    october: Service, monkeypatch: pytest.MonkeyPatch, instant: str, *, begun: bool
) -> None:
    today_is(monkeypatch, datetime.fromisoformat(f"{instant}+00:00"))
    if begun:
        close(october)
        assert len(october.payments.closings()) == 1
        return
    with pytest.raises(MonthNotBegun, match=r"today is 2026-09-30, and 2026-10 .* has not begun"):
        close(october)
    assert october.payments.closings() == []


def test_a_quarter_is_closed_once_its_first_month_has_begun(
    october: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay_quarters_too(october)
    today_is(monkeypatch, datetime(2026, 9, 30, 12, tzinfo=UTC))
    with pytest.raises(MonthNotBegun):
        close(october, QUARTER)
    today_is(monkeypatch, datetime(2026, 10, 1, 12, tzinfo=UTC))
    close(october, QUARTER)
