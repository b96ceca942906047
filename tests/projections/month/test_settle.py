"""Settling: what is evaluated is recorded, all or nothing, and a second settlement is a second
version.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from domain.errors import Refused, VersionClash
from domain.identifiers import Period
from projections.month.settle import NobodyToSettle
from projections.service import Service
from tests.store import entries, states
from tests.ten_people import HER, PAY, ten_people
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")


def test_the_worked_case_is_paid_as_worked_by_hand(october: Service) -> None:
    (settled,) = october.settle(OCTOBER, "B01", None, by="clerk")
    assert {s.manager: s.steps["pay"] for s in settled.evaluation.statements} == PAY
    hers = october.find_statement(HER, OCTOBER, None, None).steps
    expected = {
        "base_points": "1025",
        "raw_deduction": "370",
        "deduction_cap": "1000",
        "deduction": "370",
    }
    expected |= {
        "position_points": "655",
        "gs_rank": "3",
        "gs_barred": "1",
        "gs_tier": "3",
        "gs_points": "800",
    }
    assert expected | {"total_points": "1635", "pay": "1635"} == {
        name: hers[name] for name in [*expected, "total_points", "pay"]
    }


def test_a_settlement_records_itself_and_a_first_version_for_everyone(october: Service) -> None:
    before = october.ledger.position()
    (settled,) = october.settle(OCTOBER, "B01", "elastic-pay@3.0.0", by="clerk")
    assert settled.id == before + 1
    assert settled.position == october.ledger.position() == before + 1 + len(PAY)
    kept = october.statements.settlement(settled.id)
    assert kept is not None
    assert (kept.as_of, kept.people, kept.by, kept.digest) == (
        before,
        10,
        "clerk",
        settled.evaluation.digest,
    )
    assert kept.rulebook_digest == october.rulebooks.find("elastic-pay").digest
    issued = october.statements.latest("2026-10", "elastic-pay", "B01")
    assert {row.manager: (row.number, row.as_of, row.steps["pay"]) for row in issued.values()} == {
        manager: (1, before, pay) for manager, pay in PAY.items()
    }
    assert october.statements.settlements("2026-10", "B01") == [kept]
    assert october.statements.settlement(before) is None


def test_settled_again_everyone_has_a_second_version_and_the_first_stands(october: Service) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    october.ledger.append(
        entries([ten_people().put("adjustment", HER, points="10", reason="补记", source="late")]),
        by="x",
    )
    october.settle(OCTOBER, "B01", None, by="clerk")
    first, second = october.statements.of_manager(HER, "2026-10")
    assert [(row.number, row.steps["pay"]) for row in (first, second)] == [(1, "1635"), (2, "1645")]
    assert october.find_statement(HER, OCTOBER, None, 1) == first
    assert october.find_statement(HER, OCTOBER, None, None) == second


def test_a_branch_without_anyone_of_the_population_is_declined(october: Service) -> None:
    before = october.ledger.position()
    for branch, period in (("B02", OCTOBER), ("B01", Period.parse("2026-09"))):
        with pytest.raises(NobodyToSettle, match=branch):
            october.settle(period, branch, None, by="clerk")
    assert october.ledger.position() == before


def test_findings_keep_the_whole_branch_from_being_settled(october: Service) -> None:
    sheet = Sheet()
    odd = sheet.hire("M11", grade=3, source="hr")
    october.ledger.append(entries([odd]), by="x")
    before = october.ledger.position()
    with pytest.raises(Refused) as caught:
        october.settle(OCTOBER, "B01", None, by="clerk")
    assert {(f.code, f.manager, f.step) for f in caught.value.findings} == {
        ("unknown_key", "M11", "base_points")
    }
    assert october.ledger.position() == before
    assert october.statements.settlements("2026-10", "B01") == []


def test_two_who_settle_at_once_never_share_a_version(new_database: Callable[[], str]) -> None:
    url = new_database()
    with_entries = Service.open(url)
    with_entries.ledger.append(entries(ten_people()), by="x")
    books, barrier = [Service.open(url) for _ in range(3)], Barrier(3)

    def settle(book: Service) -> int:
        barrier.wait()
        try:
            return len(book.settle(OCTOBER, "B01", None, by="clerk"))
        except VersionClash:
            return 0

    with ThreadPoolExecutor(3) as threads:
        done = sum(threads.map(settle, books))
    assert done >= 1
    for manager in PAY:
        numbers = [row.number for row in with_entries.statements.of_manager(manager, "2026-10")]
        assert numbers == list(range(1, done + 1))
    for book in (with_entries, *books):
        book.close()


def test_a_branch_with_two_pay_rulebooks_is_settled_under_both_at_once(october: Service) -> None:
    text = october.rulebooks.find("elastic-pay").text
    other = text.replace("id: elastic-pay", "id: other-pay").replace(
        "[customer_manager]", "[clerk]"
    )
    october.publish(other[: other.index("\nexamples:")] + "\n", file="other.yaml", by="x")
    october.rulebooks.pay_by("B01", ["elastic-pay", "other-pay"], OCTOBER.first, by="x")
    october.ledger.append(entries([Sheet().hire("C01", role="clerk", source="hr")]), by="x")
    settled = october.settle(OCTOBER, "B01", None, by="clerk")
    assert [s.evaluation.program.rulebook.id for s in settled] == ["elastic-pay", "other-pay"]
    assert [states(october.ledger)[s.id - 1]["rulebook"] for s in settled] == [
        "elastic-pay",
        "other-pay",
    ]
    assert october.find_statement("C01", OCTOBER, None, None).rulebook == "other-pay"
    assert october.find_statement(HER, OCTOBER, None, None).rulebook == "elastic-pay"
