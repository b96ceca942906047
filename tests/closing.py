"""What the tests of closing, paying and appealing share: months of the ten people that are settled,
closed, appealed.

Nobody is rated after October, so ranks follow ids: of ten the tiers of 1200, 1000, 800 and 600
points have 1, 2, 6 and
1 seats; who is alone in a branch is in the third. Everyone's base is 1025, the minimum wage 1500.
"""

from __future__ import annotations

from typing import Any

from domain.identifiers import Month, Period, stream_id
from domain.ledger.events import BranchRulebooksSet
from projections.appeals import process
from projections.month.check.month_check import acknowledge, check_month
from projections.month.cycle import Cycle
from projections.service import Service
from tests.rules import text_of
from tests.store import entries
from tests.ten_people import APPEALED, HER, MINIMUM_WAGE, reversal

OCTOBER, NOVEMBER, DECEMBER, JANUARY, FEBRUARY = (
    Period.parse(month) for month in ("2026-10", "2026-11", "2026-12", "2027-01", "2027-02")
)
QUARTER = Period.parse("2026-Q4")
SENIOR, SENIOR_PAY = "senior-pay", "1000"  # a second rulebook, for other people of the same branch


def record(book: Service, *raw: dict[str, Any]) -> None:
    assert {outcome.status for outcome in book.ledger.append(entries(raw), by="x")} == {"accepted"}


def entry(kind: str, number: str, month: str = "2026-11", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "source": "later", "source_id": number, "month": month, **fields}


def floor(month: str, branch: str = "B01") -> dict[str, Any]:
    return entry(
        "measure",
        f"floor-{branch}-{month}",
        month,
        branch=branch,
        item="minimum_wage",
        value=MINIMUM_WAGE,
    )


def works(
    manager: str, month: str = "2026-11", branch: str = "B02", role: str = "customer_manager"
) -> dict[str, Any]:
    """Where somebody works from a month on."""
    place = {
        "name": "x",
        "branch": branch,
        "team": "T1",
        "grade": 6,
        "role": role,
        "attributes": {},
    }
    return entry("assignment", f"{manager}-{month}-{branch}", month, manager=manager, **place)


def acknowledge_all(book: Service, period: Period = OCTOBER, branch: str = "B01") -> None:
    """Acknowledges whatever the month check has to be decided: these months lack ratings and more."""
    cycle = Cycle(book, period, branch)
    if codes := [finding.code for finding in check_month(cycle).open]:
        acknowledge(cycle, codes, "已核对", by="hr")


def close(book: Service, period: Period = OCTOBER, branch: str = "B01") -> Cycle:
    """Settles the period and closes it, with whatever its check found."""
    book.settle(period, branch, None, by="clerk")
    cycle = Cycle(book, period, branch)
    acknowledge_all(book, period, branch)
    book.close_month(cycle, by="hr")
    return cycle


def resettle(book: Service, branch: str = "B01") -> list[tuple[str, str, str, str]]:
    """Her deduction is reversed after the close, and October settled again: her second tier is hers
    again (+450), and M04 falls to the third (−200).
    """
    record(book, reversal(APPEALED, "1"))
    done = book.resettle(Cycle(book, OCTOBER, branch), "申诉成立", by="hr")
    return [(p.manager, p.item, p.amount, p.month) for p in done.postings]


def payable(
    book: Service, period: Period, branch: str = "B01"
) -> dict[str, tuple[str, str, str, str]]:
    """Of those who had postings: pay, back pay, clawback taken, payable."""
    paid = book.payments.paid(branch, str(period))
    return {
        p.manager: (p.pay, p.back_pay, p.clawback, p.payable)
        for p in paid
        if p.payable != p.pay or p.carried != "0"
    }


def dues(book: Service, period: Period) -> dict[str, tuple[int, int]]:
    """Back pay and clawback that are due by a month."""
    return {
        name: (int(due.back_pay), int(due.clawback))
        for name, due in book.payments.due(period.last).items()
    }


def pay_seniors_too(book: Service) -> None:
    """B01 pays seniors by a rulebook of their own beside the elastic pay."""
    adjusted = {"unit": "yuan", "read": "adjustment", "take": "yuan"}
    text = text_of(
        {"pay yuan": "base + adjusted"},
        inputs={"adjusted": adjusted},
        parameters={"base yuan": SENIOR_PAY},
        id=SENIOR,
        period="month",
        roles=["senior"],
    )
    book.publish(text, file="senior", by="hr")
    book.rulebooks.pay_by("B01", ["elastic-pay", SENIOR], Month(2026, 10), by="hr")


def go_by_as_before(book: Service, branch: str, *rulebooks: str, month: str = "2026-10") -> None:
    """A choice of an older ledger: then a branch could go by rulebooks that do not pay, too."""
    stream = stream_id("branch-rulebooks", branch)
    choice = BranchRulebooksSet(
        originator_id=stream,
        originator_version=book.ledger.next_version(stream),
        by="hr",
        branch=branch,
        effective_from=month,
        rulebooks=rulebooks,
    )
    book.ledger.record(choice)


def pay_quarters_too(book: Service, manager: str = "M01") -> None:
    """B01 pays a bonus by quarter beside the elastic pay; the company rates one person 90
    throughout: 3000 yuan.
    """
    book.rulebooks.pay_by("B01", ["elastic-pay", "quarterly-bonus"], Month(2026, 10), by="hr")
    rated = {"manager": manager, "score": "90", "rater_level": "company"}
    record(
        book,
        *(
            entry("rating", f"q-{item}", item=item, **rated)
            for item in ("results", "ability", "attitude")
        ),
    )


def proposed(book: Service, manager: str = HER, correction: dict[str, Any] | None = None) -> str:
    """An appeal that is accepted, with a correction: her deduction is to be reversed."""
    source, _, number = APPEALED.partition(":")
    name = process.file_appeal(book, manager, OCTOBER, "有误", by=manager)
    process.accept(book, name, by="handler")
    reversed_ = {"kind": "reversal", "reverses": {"source": source, "source_id": number}}
    process.propose(book, name, [correction or reversed_], by="handler")
    return name


def grant(manager: str, amount: str = "5") -> dict[str, Any]:
    """A correction that gives somebody a few yuan of October."""
    return {
        "kind": "adjustment",
        "manager": manager,
        "month": "2026-10",
        "item": "bonus",
        "amount": amount,
    }
