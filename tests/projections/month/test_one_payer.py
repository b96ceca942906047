"""One person, one month, one payer: a statement stands or is withdrawn, and who moved is paid once.

The ten people of October at B01, 2025 yuan hers and 1825 a colleague's (see `tests/closing.py`).
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.errors import Refused
from domain.evaluation.programs import program_of
from domain.identifiers import Month, Period
from domain.ledger.events import AssignmentRecorded
from domain.processes.rulebook_history import publish
from projections.appeals import process
from projections.explain.history import StatementEvent, WithdrawalEvent, history
from projections.month.cycle import Cycle
from projections.month.payable import payout_of
from projections.month.refusals import (
    PaidElsewhere,
    PaidTwice,
    SettledUnderAnother,
    StatementWithdrawn,
)
from projections.service import Service
from tests.closing import (
    NOVEMBER,
    OCTOBER,
    SENIOR,
    acknowledge_all,
    close,
    dues,
    entry,
    floor,
    pay_seniors_too,
    payable,
    record,
    works,
)
from tests.rules import text_of
from tests.ten_people import DISPLACED, HER, PAY, reversal


def paid_in_all(book: Service, manager: str) -> Decimal:
    """Everything that a person was ever paid."""
    closings = book.payments.closings()
    paid = [p for c in closings for p in book.payments.paid(c.branch, c.period)]
    return sum((Decimal(p.payable) for p in paid if p.manager == manager), Decimal(0))


def moves(manager: str, branch: str = "B02", month: str = "2026-10") -> dict[str, object]:
    return works(manager, month, branch)


# Moves into and out of months that are closed


def test_who_moved_out_of_a_closed_month_is_not_paid_by_the_other_branch_before_it_is_resettled(
    closed: Service,
) -> None:
    record(closed, floor("2026-10", "B02"), moves(HER))
    with pytest.raises(PaidElsewhere, match=f"{HER} .by B01.*resettle it there first"):
        close(closed, OCTOBER, "B02")
    closed.resettle(Cycle(closed, OCTOBER, "B01"), "moved", by="hr")
    (hers,) = [p for p in closed.payments.posted("B01", "2026-10") if p.manager == HER]
    assert (hers.item, hers.amount, hers.to_version) == ("clawback", PAY[HER], None)
    close(closed, OCTOBER, "B02")
    assert [(p.branch, p.pay) for p in closed.payments.of_manager(HER, "2026-10")] == [
        ("B01", PAY[HER]),
        ("B02", PAY[HER]),  # alone in a branch she is in the third tier too
    ]


def test_a_move_between_two_closed_months_is_settled_by_both_branches_with_one_posting(
    closed: Service,
) -> None:
    record(closed, floor("2026-10", "B02"), works("X01", "2026-10"))
    close(closed, OCTOBER, "B02")
    record(closed, moves(HER))
    done = closed.resettle(Cycle(closed, OCTOBER, "B01"), "moved", by="hr")
    now = closed.statements.standing("2026-10", [HER])[HER]
    assert [row.branch for row in now] == ["B02"]
    difference = Decimal(now[0].steps["pay"]) - Decimal(PAY[HER])
    hers = [p for p in done.postings if p.manager == HER]
    assert [p.signed for p in hers] == ([difference] if difference else [])
    assert {s.branch for s in map(closed.statements.settlement, done.settlements) if s} == {
        "B01",
        "B02",
    }
    # Whichever branch it is asked of, nothing is left to post.
    for branch in ("B01", "B02"):
        again = closed.resettle(Cycle(closed, OCTOBER, branch), "again", by="hr")
        assert (again.settlements, again.postings) == ((), [])


def test_the_branch_to_which_somebody_moved_settles_the_other_with_it_too(closed: Service) -> None:
    record(closed, floor("2026-10", "B02"), works("X01", "2026-10"))
    close(closed, OCTOBER, "B02")
    record(closed, moves(HER))
    done = closed.resettle(Cycle(closed, OCTOBER, "B02"), "moved", by="hr")
    assert len([p for p in done.postings if p.manager == HER]) <= 1
    assert closed.statements.standing("2026-10", [HER])[HER][0].branch == "B02"
    assert closed.statements.latest("2026-10", "elastic-pay", "B01").keys().isdisjoint({HER})


def test_an_appeal_that_is_upheld_after_the_appellant_moved_corrects_the_pay_and_does_not_take_it(
    closed: Service,
) -> None:
    record(closed, floor("2026-10", "B02"), works("X01", "2026-10"))
    close(closed, OCTOBER, "B02")
    name = process.file_appeal(closed, HER, OCTOBER, "有误", by=HER)
    process.accept(closed, name, by="handler")
    bonus = {"kind": "adjustment", "manager": HER, "month": "2026-10", "item": "bonus"}
    process.propose(closed, name, [bonus | {"amount": "100"}], by="handler")
    record(closed, moves(HER))
    process.decide(closed, name, "upheld", "属实", by="decider", proposal=1)
    (stands,) = closed.statements.standing("2026-10", [HER])[HER]
    posted = sum(p.signed for p in closed.payments.posted_for("2026-10", [HER]))
    assert stands.branch == "B02"
    assert posted == Decimal(stands.steps["pay"]) - Decimal(PAY[HER])
    assert closed.appeals.get(name).state == "carried_out"


# Two rulebooks


def widen(book: Service) -> None:
    """A version of the elastic pay that is for seniors too, as an earlier release published it."""
    text = book.rulebooks.version("elastic-pay").text.partition("\nexamples:")[0]
    wider = text.replace("roles: [customer_manager]", "roles: [customer_manager, senior]")
    assert wider != text
    program = program_of(wider.replace("version: 3.", "version: 4.", 1))
    history = [row for row in book.rulebooks.all() if row.rulebook == "elastic-pay"]
    event = publish(history, program, effective_from=None, by="hr", impact=None)
    assert event is not None
    book.ledger.record(event)


def test_two_rulebooks_that_would_pay_one_person_are_refused_at_the_settlement(
    october: Service,
) -> None:
    pay_seniors_too(october)
    record(october, works("S01", "2026-10", "B01", role="senior"))
    widen(october)
    with pytest.raises(
        PaidTwice, match=r"elastic-pay and senior-pay would both pay S01 .role senior"
    ):
        october.settle(OCTOBER, "B01", None, by="clerk")
    assert october.statements.settlements("2026-10", "B01") == []


def test_settlements_that_pay_one_person_twice_are_not_closed(october: Service) -> None:
    pay_seniors_too(october)
    record(october, works("S01", "2026-10", "B01", role="senior"))
    october.settle(OCTOBER, "B01", None, by="clerk")
    widen(october)
    october.settle(OCTOBER, "B01", "elastic-pay", by="clerk")
    with pytest.raises(PaidTwice, match="S01"):
        october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")


# A statement stands, or is withdrawn


def test_settled_again_without_anyone_of_a_rulebook_its_statements_are_withdrawn(
    october: Service,
) -> None:
    pay_seniors_too(october)
    record(october, works("S01", "2026-10", "B01", role="senior"))
    october.settle(OCTOBER, "B01", None, by="clerk")
    record(october, works("S01", "2026-10", "B01") | {"source_id": "corrected"})
    close(october)
    paid = october.payments.of_manager("S01", "2026-10")
    assert [p.rulebook for p in paid] == ["elastic-pay"]
    old = october.statements.of_manager("S01", "2026-10", SENIOR)[-1]
    assert october.statements.is_withdrawn(old)
    assert payout_of(october, old) is None
    told = [(e.type, e.version, e.rulebook.id) for e in history(october, "S01", OCTOBER).events
            if isinstance(e, StatementEvent | WithdrawalEvent)]  # fmt: skip
    assert told == [
        ("statement", 1, SENIOR),
        ("statement", 1, "elastic-pay"),
        ("withdrawal", 1, SENIOR),
    ]
    assert october.find_statement("S01", OCTOBER, None, None).rulebook == "elastic-pay"


def test_statements_under_a_rulebook_that_the_branch_does_not_pay_by_any_more_are_withdrawn(
    october: Service,
) -> None:
    pay_seniors_too(october)
    record(october, works("S01", "2026-10", "B01", role="senior"))
    october.settle(OCTOBER, "B01", None, by="clerk")
    october.rulebooks.pay_by("B01", ["elastic-pay"], Month(2026, 10), by="hr")
    close(october)
    old = october.statements.of_manager("S01", "2026-10", SENIOR)[-1]
    assert october.statements.is_withdrawn(old)
    assert october.payments.of_manager("S01", "2026-10") == []


def test_a_withdrawn_statement_pays_nobody_counts_in_no_year_and_cannot_be_appealed(
    october: Service,
) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    position = october.ledger.position()
    (key,) = [
        event.entry
        for _, event in october.ledger.read(0, position)
        if isinstance(event, AssignmentRecorded) and event.entry.manager == HER
    ]
    record(
        october,
        reversal(f"{key.source}:{key.source_id}", "began-later"),
        works(HER, "2026-11", "B01"),
        floor("2026-11"),
    )
    close(october)
    hers = october.statements.of_manager(HER, "2026-10")[-1]
    assert october.statements.is_withdrawn(hers)
    assert payout_of(october, hers) is None
    assert HER not in {p.manager for p in october.payments.paid("B01", "2026-10")}
    with pytest.raises(StatementWithdrawn, match=f"{HER}'s statement for 2026-10 is withdrawn"):
        process.file_appeal(october, HER, OCTOBER, "r", by=HER)
    close(october, NOVEMBER)
    steps = october.statements.latest_steps("2026-10", "elastic-pay", "pay", 10**9)
    assert HER not in steps
    assert DISPLACED in steps
    assert HER in october.statements.latest_steps("2026-10", "elastic-pay", "pay", position)


def test_what_stood_when_is_what_the_latest_steps_of_each_position_say(october: Service) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    record(october, moves(HER), floor("2026-10", "B02"))
    october.settle(OCTOBER, "B02", None, by="clerk")
    october.settle(OCTOBER, "B01", None, by="clerk")
    record(october, entry("assignment", "gone", "2026-10", manager=HER, name="x", role="left"))
    close(october)
    reads = "2026-10", "elastic-pay", "pay"
    stood = october.statements.standing_steps(*reads)
    assert [s.figure is not None for s in stood[HER]] == [True, True, True]
    for as_of in range(october.ledger.position() + 1):
        latest = october.statements.latest_steps(*reads, as_of)
        for manager, changes in stood.items():
            known = [s.figure for s in changes if s.since <= as_of]
            assert latest.get(manager) == (known[-1] if known else None), (manager, as_of)


# Everybody gone


def test_a_branch_that_everybody_left_closes_a_month_of_postings_alone(closed: Service) -> None:
    everyone = [*PAY]
    record(
        closed,
        entry("adjustment", "late", "2026-10", manager=HER, amount="300", reason="r"),
        *(
            entry("assignment", f"gone-{m}", "2026-11", manager=m, name="x", role="left")
            for m in everyone
        ),
    )
    closed.resettle(Cycle(closed, OCTOBER, "B01"), "late", by="hr")
    closed.close_month(Cycle(closed, NOVEMBER, "B01"), by="hr")
    assert payable(closed, NOVEMBER) == {HER: ("0", "300", "0", "300")}
    assert dues(closed, Period.parse("2027-12")) == {}
    assert paid_in_all(closed, HER) == Decimal(PAY[HER]) + 300
    # It has nothing to settle again, and nothing is late.
    again = closed.resettle(Cycle(closed, NOVEMBER, "B01"), "again", by="hr")
    assert (again.settlements, again.postings) == ((), [])


def test_who_was_never_here_after_all_gives_back_what_they_were_paid(closed: Service) -> None:
    (key,) = [
        f"{event.entry.source}:{event.entry.source_id}"
        for _, event in closed.ledger.read(0, closed.ledger.position())
        if isinstance(event, AssignmentRecorded) and event.entry.manager == HER
    ]
    record(closed, reversal(key, "never"))
    done = closed.resettle(Cycle(closed, OCTOBER, "B01"), "never here", by="hr")
    assert (HER, "clawback", PAY[HER]) in [(p.manager, p.item, p.amount) for p in done.postings]
    assert closed.payments.not_carried_out() == []
    assert dues(closed, NOVEMBER)[HER] == (0, int(PAY[HER]))


def test_a_month_that_is_settled_under_another_rulebook_too_is_not_closed(october: Service) -> None:
    pay_seniors_too(october)
    record(october, works("S01", "2026-10", "B01", role="senior"))
    october.settle(OCTOBER, "B01", None, by="clerk")
    october.rulebooks.pay_by("B01", ["elastic-pay"], Month(2026, 10), by="hr")
    october.settle(OCTOBER, "B01", "elastic-pay", by="clerk")
    acknowledge_all(october)
    with pytest.raises(SettledUnderAnother, match="settled under senior-pay too"):
        october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")
    october.settle(OCTOBER, "B01", None, by="clerk")
    october.close_month(Cycle(october, OCTOBER, "B01"), by="hr")


def test_who_comes_back_before_the_closing_has_the_statement_that_is_paid(october: Service) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    record(october, floor("2026-10", "B02"), moves(HER))
    october.settle(OCTOBER, "B02", None, by="clerk")
    there = october.statements.of_manager(HER, "2026-10")[-1]
    record(
        october, reversal("later:" + str(moves(HER)["source_id"]), "back"), works("X01", "2026-10")
    )
    october.settle(OCTOBER, "B02", None, by="clerk")
    assert october.statements.is_withdrawn(there)
    assert payout_of(october, there) is None
    assert october.find_statement(HER, OCTOBER, None, None).branch == "B01"
    name = process.file_appeal(october, HER, OCTOBER, "r", by=HER)
    assert october.appeals.get(name).filed.branch == "B01"


def test_a_correction_that_moves_somebody_where_nobody_can_be_settled_is_not_decided(
    closed: Service,
) -> None:
    record(closed, floor("2026-10", "B02"), works("X01", "2026-10"))
    close(closed, OCTOBER, "B02")
    record(closed, reversal(f"later:{floor('2026-10', 'B02')['source_id']}", "no-floor"))
    name = process.file_appeal(closed, HER, OCTOBER, "r", by=HER)
    process.accept(closed, name, by="handler")
    process.propose(closed, name, [moves(HER)], by="handler")
    before = closed.ledger.position()
    with pytest.raises(Refused):
        process.decide(closed, name, "upheld", "r", by="decider", proposal=1)
    assert (closed.ledger.position(), closed.appeals.get(name).state) == (before, "accepted")


def test_a_decision_asks_for_the_right_at_every_branch_that_it_settles_again(
    closed: Service,
) -> None:
    record(closed, floor("2026-10", "B02"), works("X01", "2026-10"))
    close(closed, OCTOBER, "B02")
    name = process.file_appeal(closed, HER, OCTOBER, "r", by=HER)
    process.accept(closed, name, by="handler")
    process.propose(closed, name, [moves(HER)], by="handler")
    asked: list[str] = []
    process.decide(closed, name, "upheld", "r", by="decider", proposal=1, check=asked.append)
    assert asked == ["B02"]


def test_postings_of_a_month_go_behind_a_quarter_that_is_closed_since(october: Service) -> None:
    close(october)
    quarterly = text_of(
        {"pay yuan": "base + adjusted"}, id="by-quarter", period="quarter",
        roles=["customer_manager"], parameters={"base yuan": "3000"},
        inputs={"adjusted": {"unit": "yuan", "read": "adjustment", "take": "yuan"}},
    )  # fmt: skip
    october.publish(quarterly, file="q", by="hr")
    october.rulebooks.pay_by("B01", ["by-quarter"], Month(2026, 11), by="hr")
    close(october, Period.parse("2027-Q1"))
    record(october, entry("adjustment", "late", "2026-10", manager=HER, amount="70", reason="r"))
    done = october.resettle(Cycle(october, OCTOBER, "B01"), "late", by="hr")
    assert [(p.manager, p.amount, p.month) for p in done.postings] == [(HER, "70", "2027-04")]
    close(october, Period.parse("2027-Q2"))
    hers = october.statements.of_manager(HER, "2027-Q2")[-1]
    payout = payout_of(october, hers)
    assert payout is not None
    assert (payout.back_pay, [p.amount for p in payout.postings]) == ("70", ["70"])
