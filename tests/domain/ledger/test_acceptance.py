"""Which entries are taken, and in which order they are decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.acceptance import (
    Decision,
    Draft,
    Known,
    Reversals,
    Target,
    _walk,
    arrange,
    decide,
)
from tests.store import entries
from tests.worksheet import OCTOBER, Ledger


def decided(sheet: Sequence[dict[str, Any]], known: Known | None = None) -> dict[str, Decision]:
    """What becomes of each entry of a worksheet, by its id; decided in the order of `arrange`."""
    parsed = entries(sheet)
    order = arrange(parsed, known.targets if known else {})
    found = decide([Draft.of(parsed[i]) for i in order], known or Known())
    return {parsed[i].source_id: decision for i, decision in zip(order, found, strict=True)}


def statuses(sheet: Sequence[dict[str, Any]]) -> list[str]:
    """The same as bare statuses, in the order of the worksheet."""
    found = decided(sheet)
    return [found[entry["source_id"]].status for entry in sheet]


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def test_an_entry_of_somebody_who_works_here_is_accepted() -> None:
    sheet = Ledger()
    sheet.hire("M1")
    sheet.put("sale", "M1", "group_count", quantity="2")
    assert statuses(sheet) == ["accepted", "accepted"]


def test_an_entry_of_somebody_without_assignment_by_that_month_is_rejected() -> None:
    sheet = Ledger()
    sheet.hire("M1", month="2026-11")
    sale = sheet.put("sale", "M1", "group_count", quantity="2")
    decision = decided(sheet)[sale["source_id"]]
    assert (decision.status, codes(decision)) == ("rejected", ["no_assignment"])
    assert "M1" in decision.reasons[0].text.en
    assert "2026-10" in decision.reasons[0].text.zh


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "sale", "item": "a", "quantity": "1"},
        {"kind": "deduction", "item": "a", "points": "1"},
        {"kind": "rating", "item": "a", "score": "1"},
        {"kind": "adjustment", "points": "1", "reason": "r"},
        {"kind": "measure", "item": "a", "value": "1"},
    ],
)
def test_every_kind_about_a_manager_asks_for_an_assignment(fields: dict[str, Any]) -> None:
    sheet = Ledger()
    sheet.put(manager="M1", **fields)
    assert statuses(sheet) == ["rejected"]


def test_a_measure_of_a_branch_asks_for_nobody() -> None:
    sheet = Ledger()
    sheet.branch("minimum_wage", "1000")
    assert statuses(sheet) == ["accepted"]


def test_an_assignment_later_in_the_batch_counts() -> None:
    sheet = Ledger()
    sheet.put("sale", "M1", "group_count", quantity="2")
    sheet.hire("M1")
    assert statuses(sheet) == ["accepted", "accepted"]


def test_an_assignment_that_is_refused_counts_for_nobody() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1")
    sheet.put("sale", "M1", "group_count", quantity="2")
    known = Known(keys={("test", hired["source_id"]): (7, b"other content")})
    found = decided(sheet, known)
    assert [(d.status, codes(d)) for d in found.values()] == [
        ("conflict", ["conflict"]),
        ("rejected", ["no_assignment"]),
    ]


def test_a_reversed_assignment_gives_no_place() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1")
    sheet.put("sale", "M1", "group_count", quantity="2")
    sheet.reverse(hired)
    assert statuses(sheet) == ["accepted", "rejected", "accepted"]


def test_an_assignment_whose_reversal_is_reversed_gives_a_place_again() -> None:
    sheet = Ledger()
    sheet.put("sale", "M1", "group_count", quantity="2")
    sheet.reverse(sheet.reverse(sheet.hire("M1")))
    assert statuses(sheet) == ["accepted"] * 4


def test_the_same_entry_twice_in_a_batch_is_a_duplicate_of_the_first() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1")
    drafts = [Draft.of(entry) for entry in entries([hired, hired])]
    first, second = decide(drafts, Known())
    assert (first.status, second) == ("accepted", Decision("duplicate", -1))


def test_a_known_key_with_other_content_is_a_conflict() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1")
    drafts = [Draft.of(entry) for entry in entries([hired, hired | {"grade": 8}])]
    second = decide(drafts, Known())[1]
    assert (second.status, codes(second), second.node) == ("conflict", ["conflict"], 0)


def test_a_refused_entry_leaves_its_key_free() -> None:
    sheet = Ledger()
    sale = sheet.put("sale", "M1", "group_count", quantity="2")
    drafts = [Draft.of(entry) for entry in entries([sale, sale])]
    assert [d.status for d in decide(drafts, Known())] == ["rejected", "rejected"]


def test_a_reversal_may_stand_before_what_it_reverses() -> None:
    sheet = Ledger()
    sheet.hire("M1")
    sale = sheet.put("sale", "M1", "group_count", quantity="2")
    reversal = sheet.reverse(sale)
    assert statuses([sheet[0], reversal, sale]) == ["accepted"] * 3


def test_a_reversal_of_nothing_is_rejected() -> None:
    sheet = Ledger()
    reversal = sheet.reverse({"source": "test", "source_id": "nowhere"})
    decision = decided(sheet)[reversal["source_id"]]
    assert codes(decision) == ["unknown_entry"]
    assert "test:nowhere" in decision.reasons[0].text.zh


def test_a_reversal_of_a_refused_entry_is_rejected() -> None:
    sheet = Ledger()
    sheet.reverse(sheet.put("sale", "M1", "group_count", quantity="2"))
    assert statuses(sheet) == ["rejected", "rejected"]


def test_the_second_reversal_of_an_entry_is_rejected() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1")
    sheet.reverse(hired)
    second = sheet.reverse(hired)
    found = decided(sheet)
    assert [d.status for d in found.values()] == ["accepted", "accepted", "rejected"]
    assert codes(found[second["source_id"]]) == ["already_reversed"]


def test_an_entry_that_counts_again_may_be_reversed_again_whatever_the_order() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1")
    again = sheet.reverse(hired)
    first = sheet.reverse(hired)
    undone = sheet.reverse(first)
    for order in (
        [hired, again, first, undone],
        [undone, first, again, hired],
        [first, undone, again, hired],
    ):
        assert statuses(order) == ["accepted"] * 4


def test_reversals_that_name_each_other_are_rejected() -> None:
    sheet = Ledger()
    one = sheet.reverse({"source": "test", "source_id": "1"})
    other = sheet.reverse(one)
    assert other["source_id"] == "1"
    assert statuses(sheet) == ["rejected", "rejected"]


def test_a_chain_of_ten_thousand_reversals_is_decided() -> None:
    sheet = Ledger()
    last = sheet.hire("M1")
    for _ in range(10_000):
        last = sheet.reverse(last)
    assert set(statuses(sheet[::-1])) == {"accepted"}


def test_what_counts_alternates_along_a_chain() -> None:
    chain = Reversals({2: 1, 3: 2, 4: 3})
    assert [chain.counts(node) for node in (1, 2, 3, 4)] == [False, True, False, True]
    chain.add(5, 4)
    assert [chain.counts(node) for node in (1, 2, 3, 4, 5)] == [True, False, True, False, True]


def test_an_entry_reversed_twice_over_counts_only_when_both_are_reversed() -> None:
    twice = Reversals({2: 1, 3: 2, 4: 1, 5: 3})  # 5 lets 3 lapse, so that 2 counts again beside 4
    assert not twice.counts(1)
    twice.add(6, 4)
    assert not twice.counts(1)
    twice.add(7, 2)
    assert twice.counts(1)


def test_entries_of_one_kind_keep_their_order_and_assignments_come_first() -> None:
    sheet = Ledger()
    sheet.put("sale", "M1", "a", quantity="1")
    sheet.reverse(sheet.hire("M1"))
    sheet.branch("b", "1")
    sheet.hire("M1")
    sheet.put("sale", "M1", "a", quantity="2")
    sheet.reverse(sheet[0])
    assert arrange(entries(sheet), {}) == [1, 4, 2, 0, 3, 5, 6]


@st.composite
def batches(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Two people, three months, and reversals of anything, each named once at most."""
    sheet = Ledger()
    for _ in range(draw(st.integers(1, 4))):
        manager = draw(st.sampled_from(["M1", "M2"]))
        sheet.hire(manager, month=draw(st.sampled_from(["2026-09", OCTOBER, "2026-11"])))
    for _ in range(draw(st.integers(0, 5))):
        sheet.put("sale", draw(st.sampled_from(["M1", "M2", "M3"])), "a", quantity="1")
    free = list(range(len(sheet)))
    for _ in range(draw(st.integers(0, 6))):
        named = free.pop(draw(st.integers(0, len(free) - 1)))
        free.append(len(sheet))
        sheet.reverse(sheet[named])
    return sheet


@given(batches(), st.data())
def test_the_order_of_arrival_decides_nothing(
    sheet: list[dict[str, Any]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(sheet))
    expected = {name: decision.status for name, decision in decided(sheet).items()}
    assert {name: decision.status for name, decision in decided(shuffled).items()} == expected


class Counted(Reversals):
    """How often it was asked."""

    asked = 0

    def counts(self, node: int) -> bool:
        self.asked += 1
        return super().counts(node)


def test_what_a_managers_assignments_count_for_is_asked_once_for_all_their_entries() -> None:
    sheet = Ledger()
    sheet.reverse(sheet.reverse(sheet.hire("M1")))
    for _ in range(50):
        sheet.put("sale", "M1", "a", quantity="1")
    known = Known(reversals=Counted({}))
    assert {decision.status for decision in decided(sheet, known).values()} == {"accepted"}
    assert isinstance(known.reversals, Counted)
    assert known.reversals.asked == 3  # one for each reversal, one for the assignment


def test_a_long_chain_is_walked_once_until_it_grows() -> None:
    chain = Reversals({node: node - 1 for node in range(2, 101)})
    visits = _visits(chain)
    assert [chain.counts(1) for _ in range(50)] == [False] * 50
    assert chain.counts(2)
    assert len(visits) < 4 * 100
    chain.add(101, 100)
    assert chain.counts(1)
    assert not chain.counts(2)


def test_what_is_added_near_the_root_leaves_the_rest_of_the_chain_as_it_was() -> None:
    chain = Reversals({node: node - 1 for node in range(2, 101)})
    assert not chain.counts(1)
    visits = _visits(chain)
    for node in range(200, 300, 2):
        chain.add(node, 2)
        assert chain.counts(1)
        chain.add(node + 1, node)
        assert not chain.counts(1)
    assert not set(visits) & set(range(4, 101))


def _visits(chain: Reversals) -> list[int]:
    """The nodes whose reversals are looked up from now on."""
    visits: list[int] = []

    class Watched(dict[int, list[int]]):
        def get(self, node: int, default: Any = None) -> Any:
            visits.append(node)
            return super().get(node, default)

        def __missing__(self, node: int) -> list[int]:
            self[node] = found = []
            return found

    chain._naming = Watched(chain._naming)  # type: ignore[assignment]
    return visits


@given(st.lists(st.integers(0, 30), max_size=25), st.data())
def test_what_counts_is_the_same_however_often_it_was_asked_before(
    named: list[int], data: st.DataObject
) -> None:
    asked = Reversals({})
    for node, root in enumerate(named, 1):
        asked.add(node, root % node)
        asked.counts(data.draw(st.integers(0, node)))
    fresh = Reversals({node: root % node for node, root in enumerate(named, 1)})
    nodes = range(len(named) + 1)
    assert [asked.counts(node) for node in nodes] == [fresh.counts(node) for node in nodes]
    hanging: dict[int, list[int]] = {}
    for node, root in enumerate(named, 1):
        hanging.setdefault(root % node, []).append(node)
    counting: dict[int, bool] = {}
    for node in reversed(nodes):
        counting[node] = not any(counting[other] for other in hanging.get(node, []))
    assert [fresh.counts(node) for node in nodes] == [counting[node] for node in nodes]


class Gone(list[int]):
    """How often somebody went through it."""

    times = 0

    def __reversed__(self) -> Any:
        self.times += 1
        return super().__reversed__()


def test_reversals_of_one_key_are_gone_into_once_however_often_the_key_stands_there() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1")
    first = sheet.reverse(hired)
    later = [sheet.reverse(first) for _ in range(5)]
    parsed = entries([hired, *[first] * 5, *later])
    naming = {parsed[0].key: [1, 2, 3, 4, 5], parsed[1].key: Gone([6, 7, 8, 9, 10])}
    found = _walk([parsed[0].key], naming, parsed)
    assert [i for i, _ in found] == [1, 6, 7, 8, 9, 10, 2, 3, 4, 5]
    assert naming[parsed[1].key].times == 1  # type: ignore[attr-defined]


def posting(sheet: Ledger, item: str = "back_pay", **named: Any) -> dict[str, Any]:
    """An entry as resettlements record it."""
    key = {"source": "merit", "source_id": f"posting-7-{len(sheet)}"} | named
    return sheet.put("adjustment", "M1", item, amount="5", reason="r", **key)


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "in the batch or nowhere"])
def test_the_entry_of_a_posting_is_reversed_by_nobody(*, stored: bool) -> None:
    sheet = Ledger()
    hired, posted = sheet.hire("M1"), posting(sheet)
    undone = sheet.reverse(posted)
    (draft,) = (Draft.of(entry) for entry in entries([posted]))
    key = (posted["source"], posted["source_id"])
    target = Target.of_draft(draft)._replace(node=7)
    known = Known(targets={key: target}) if stored else Known()
    decision = decided([hired, undone] if stored else sheet, known)[undone["source_id"]]
    assert (decision.status, codes(decision)) == ("rejected", ["is_posting"])
    assert ":".join(key) in decision.reasons[0].text.en


def test_what_is_no_posting_of_the_service_is_reversed_like_any_entry() -> None:
    sheet = Ledger()
    sheet.hire("M1")
    for named in (
        {"source": "merit", "source_id": "seat-7-1"},
        {"source": "hr", "source_id": "posting-7-1"},
    ):
        sheet.reverse(posting(sheet, "bonus", **named))
    assert statuses(sheet) == ["accepted"] * 5


def test_a_posting_asks_for_no_assignment_and_the_same_from_elsewhere_does() -> None:
    sheet = Ledger()
    posting(sheet)
    posting(sheet, "bonus", source="hr")
    posting(sheet, "bonus", source_id="seat-7-1")
    assert statuses(sheet) == ["accepted", "rejected", "rejected"]


def test_a_posting_is_recorded_though_the_assignment_was_reversed() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1")
    posting(sheet)
    sheet.reverse(hired)
    assert statuses(sheet) == ["accepted"] * 3
