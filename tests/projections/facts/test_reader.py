"""The raw facts of a month: the rows asked for, as they were known."""

from __future__ import annotations

import orjson
import pytest

from domain.fact_kinds import ABSENT, KIND_CODES
from domain.identifiers import Month
from domain.ledger.ledger import Ledger
from projections.facts.reader import FactStore
from projections.store.fact_rows import FACT
from tests.store import ALWAYS, entries, fact_rows
from tests.worksheet import Ledger as Sheet

OCTOBER = Month(2026, 10).index
NOTHING = {
    "amount": ABSENT,
    "branch": "",
    "team": "",
    "detail": "",
    "attributes": "",
    "reverses": 0,
}


def test_every_kind_of_entry_has_its_row(ledger: Ledger) -> None:
    sheet = Sheet()
    sheet.hire("M1", grade=6, attributes={"level": "3", "industry": "education"})
    sheet.put("assignment", "M1", role="left", month="2026-12")
    sheet.put("deduction", "M1", "bundling_rate", points="120.000001")
    sheet.put("sale", "M1", "group_count", quantity="0.5", amount="-12.30")
    sheet.put("rating", "M1", "initiative", score="90", rater="M2", rater_level="peer")
    sheet.put("adjustment", "M1", points="-5", reason="核减")
    sheet.put("adjustment", "M1", amount="200", reason="奖励")
    sheet.branch("gs_adjustment.education", "999999999999.999999", team="T2")
    sheet.put("measure", "M1", "target", value="7")
    ledger.append(entries(sheet), by="x")
    ledger.append(entries(sheet.reverse(sheet[place]) for place in (3, 0, 7)), by="x")

    def row(place: int, kind: str, item: str, value: int, **fields: object) -> dict[str, object]:
        base = {
            "position": place,
            "month": OCTOBER,
            "kind": KIND_CODES[kind],
            "manager": "M1",
            "item": item,
            "value": value,
        }
        return base | NOTHING | fields

    attributes = '{"industry":"education","level":"3"}'
    place = {"branch": "B01", "team": "T1"}
    expected = [
        row(1, "assignment", "customer_manager", 6_000_000, attributes=attributes, **place),
        row(2, "assignment", "left", ABSENT, month=OCTOBER + 2),
        row(3, "deduction", "bundling_rate", 120_000_001),
        row(4, "sale", "group_count", 500_000, amount=-12_300_000),
        row(5, "rating", "initiative", 90_000_000, detail="peer"),
        row(6, "adjustment", "adjustment", -5_000_000),
        row(7, "adjustment", "adjustment", ABSENT, amount=200_000_000),
        row(
            8,
            "measure",
            "gs_adjustment.education",
            999_999_999_999_999_999,
            manager="",
            branch="B01",
            team="T2",
        ),
        row(9, "measure", "target", 7_000_000),
        # Reversals stand in the order in which they are decided: of assignments first, then of what
        # came last.
        row(10, "assignment", "customer_manager", ABSENT, reverses=1, **place),
        row(
            11,
            "measure",
            "gs_adjustment.education",
            ABSENT,
            manager="",
            branch="B01",
            team="T2",
            reverses=8,
        ),
        row(12, "sale", "group_count", ABSENT, reverses=4),
    ]
    assert fact_rows(ledger) == expected


@pytest.mark.parametrize("together", [True, False], ids=["together", "one by one"])
def test_symbols_are_numbered_as_they_appear_however_they_come(
    ledger: Ledger, *, together: bool
) -> None:
    sheet = Sheet()
    sheet.hire("M2", branch="B02")
    sheet.put("sale", "M2", "B02", quantity="1")
    sheet.put("rating", "M2", "M3", score="1", rater_level="peer")
    for batch in [sheet] if together else [[entry] for entry in sheet]:
        ledger.append(entries(batch), by="x")
    assert FactStore(ledger).symbols() == ["", "M2", "customer_manager", "B02", "T1", "M3", "peer"]


def positions(rows: object) -> list[int]:
    assert getattr(rows, "dtype", None) == FACT
    return sorted(rows["position"].tolist())  # type: ignore[index]


def test_a_month_is_given_with_the_people_of_its_branches_as_it_was_known(ledger: Ledger) -> None:
    sheet = Sheet()
    sheet.hire("M1")  # 1
    sheet.hire("M2", branch="B02")  # 2
    sheet.hire("M2", month="2026-12")  # 3: comes to B01 later
    sheet.put("sale", "M1", "a", quantity="1")  # 4
    sheet.put("sale", "M2", "a", quantity="1")  # 5
    sheet.put("sale", "M1", "a", quantity="1", month="2026-11")  # 6
    sheet.branch("minimum_wage", "1")  # 7
    sheet.put("measure", item="minimum_wage", value="2", branch="B02")  # 8
    ledger.append(entries(sheet), by="x")
    ledger.append(entries([sheet.reverse(sheet[3])]), by="x")  # 9
    store = FactStore(ledger)

    assert positions(store.facts(OCTOBER, OCTOBER, branches=None, as_of=ALWAYS)) == [4, 5, 7, 8, 9]
    assert positions(store.facts(OCTOBER, OCTOBER, branches=None, as_of=7)) == [4, 5, 7]
    assert positions(store.facts(OCTOBER, OCTOBER + 1, branches=["B01"], as_of=ALWAYS)) == [
        4,
        6,
        7,
        9,
    ]
    assert positions(store.facts(OCTOBER, OCTOBER, branches=["B02"], as_of=ALWAYS)) == [5, 8]
    assert positions(store.facts(OCTOBER, OCTOBER + 2, branches=["B01"], as_of=ALWAYS)) == [
        4,
        5,
        6,
        7,
        9,
    ]
    assert positions(store.facts(OCTOBER, OCTOBER, branches=["B01", "B02"], as_of=ALWAYS)) == [
        4,
        5,
        7,
        8,
        9,
    ]
    assert positions(store.facts(OCTOBER, OCTOBER, branches=["B99"], as_of=ALWAYS)) == []
    assert positions(store.assignments(OCTOBER, branches=["B01"], as_of=ALWAYS)) == [1]
    assert positions(store.assignments(OCTOBER + 2, branches=["B01"], as_of=ALWAYS)) == [1, 2, 3]
    assert positions(store.assignments(OCTOBER + 2, branches=None, as_of=2)) == [1, 2]


def test_the_reversal_of_an_assignment_is_among_the_assignments(ledger: Ledger) -> None:
    sheet = Sheet()
    sheet.reverse(sheet.reverse(sheet.hire("M1")))
    ledger.append(entries(sheet), by="x")
    store = FactStore(ledger)
    rows = store.assignments(OCTOBER, branches=["B01"], as_of=ALWAYS)
    assert sorted(rows[["position", "reverses"]].tolist()) == [(1, 0), (2, 1), (3, 2)]
    assert positions(store.facts(OCTOBER, OCTOBER, branches=["B01"], as_of=ALWAYS)) == []


def test_a_worked_month_gives_a_row_for_every_entry(ledger: Ledger) -> None:
    with open("tests/examples/elastic-pay.jsonl", "rb") as file:
        month = entries(orjson.loads(line) for line in file)
    outcomes = ledger.append(month, by="x")
    assert {outcome.status for outcome in outcomes} == {"accepted"}
    assert len(fact_rows(ledger)) == len(month)
