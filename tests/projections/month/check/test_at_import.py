"""What a batch brings that none of the branch's rulebooks will read, said as it comes in."""

from __future__ import annotations

from typing import Any

from domain.identifiers import Month, Period
from projections.month.check.at_import import unread_among
from projections.service import Service
from tests.closing import OCTOBER, entry, record, works
from tests.store import entries
from tests.ten_people import HER


def unread(book: Service, *raw: dict[str, Any]) -> list[tuple[str, str, str | None, list[str]]]:
    return [
        (item.why, f"{item.kind}:{item.item}", item.near, [*item.entries])
        for item in unread_among(book, entries(raw))
    ]


def sale(number: str, item: str, manager: str = HER, month: str = "2026-10") -> dict[str, Any]:
    return entry("sale", number, month, manager=manager, item=item, quantity="1")


def test_an_item_that_the_branch_does_not_read_is_unread_with_the_nearest_code(
    october: Service,
) -> None:
    results = entry("rating", "r", "2026-10", manager=HER, item="results", score="90")
    assert unread(october, sale("a", "group_cuont"), sale("b", "group_cuont"), results) == [
        ("item", "rating:results", None, ["later:r"]),
        ("item", "sale:group_cuont", "group_count", ["later:a", "later:b"]),
    ]
    october.rulebooks.pay_by("B01", ["elastic-pay", "quarterly-bonus"], Month(2026, 10), by="hr")
    assert unread(october, results) == []


def test_what_is_read_is_not_named(october: Service) -> None:
    read = (
        sale("a", "group_count"),
        entry("measure", "m", "2026-10", branch="B01", item="gs_adjustment.education", value="1"),
        entry("adjustment", "x", "2026-10", manager=HER, item="anything", amount="1", reason="r"),
        entry("adjustment", "y", "2026-10", manager=HER, item="back_pay", amount="1", reason="r"),
        works("N01", "2026-10", "B01"),
        {
            "kind": "reversal",
            "source": "l",
            "source_id": "v",
            "reason": "r",
            "reverses": {"source": "later", "source_id": "a"},
        },
    )
    assert unread(october, *read) == []


def test_a_rulebook_under_which_the_branch_was_settled_reads_too(october: Service) -> None:
    results = entry(
        "rating", "r", "2026-10", manager=HER, item="results", score="90", rater_level="company"
    )
    record(october, results)
    assert unread(october, results) != []
    october.settle(OCTOBER, "B01", None, by="clerk")
    october.settle(Period.parse("2026-Q4"), "B01", "quarterly-bonus", by="clerk")
    assert unread(october, results) == []


def test_an_entry_of_somebody_who_has_left_is_unread_also_where_they_leave_in_the_same_batch(
    october: Service,
) -> None:
    left = {
        "kind": "assignment",
        "source": "hr",
        "source_id": "l",
        "manager": HER,
        "month": "2026-11",
        "role": "left",
    }
    bonus = entry("adjustment", "a", "2026-11", manager=HER, amount="500", reason="r")
    assert unread(october, left, bonus, sale("b", "group_count")) == [
        ("left", "adjustment:adjustment", None, ["later:a"])
    ]
    record(october, left)
    assert unread(october, bonus)[0][0] == "left"
