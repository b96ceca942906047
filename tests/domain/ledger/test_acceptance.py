"""Which entries are taken, and in which order they are decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.acceptance import (
    BatchContext,
    Decision,
    Draft,
    Reversals,
    _walk,
    arrange,
    decide,
)
from tests.store import entries
from tests.worksheet import OCTOBER, Ledger


def decided(
    sheet: Sequence[dict[str, Any]], known: BatchContext | None = None
) -> dict[str, Decision]:
    """What becomes of each entry of a worksheet, by its id; decided in the order of `arrange`."""
    parsed = entries(sheet)
    order = arrange(parsed, known.targets if known else {})
    found = decide([Draft.of(parsed[i]) for i in order], known or BatchContext())
    return {parsed[i].source_id: decision for i, decision in zip(order, found, strict=True)}


def statuses(sheet: Sequence[dict[str, Any]]) -> list[str]:
    """The same as bare statuses, in the order of the worksheet."""
    found = decided(sheet)
    return [found[entry["source_id"]].status for entry in sheet]


def test_a_refusal_names_what_it_is_about() -> None:
    sheet = Ledger()
    hired = sheet.hire("M1", month="2026-11")
    known = sheet.hire("M2")
    early = sheet.put("sale", "M1", "a", quantity="2")
    nothing = sheet.reverse({"source": "test", "source_id": "nowhere"})
    posting = sheet.reverse({"source": "merit", "source_id": "posting-1-1"})
    sheet.reverse(hired)
    twice = sheet.reverse(hired)
    found = decided(sheet, BatchContext(keys={("test", known["source_id"]): (7, b"other content")}))
    for entry, code, name in (
        (known, "conflict", "test:1"),
        (early, "no_assignment", "M1"),
        (early, "no_assignment", "2026-10"),
        (nothing, "unknown_entry", "test:nowhere"),
        (posting, "is_posting", "merit:posting-1-1"),
        (twice, "already_reversed", "test:0"),
    ):
        (reason,) = found[entry["source_id"]].reasons
        assert reason.code == code
        assert name in reason.text.zh
        assert name in reason.text.en


def test_an_assignment_later_in_the_batch_counts() -> None:
    sheet = Ledger()
    sheet.put("sale", "M1", "group_count", quantity="2")
    sheet.hire("M1")
    assert statuses(sheet) == ["accepted", "accepted"]


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


def test_a_reversal_may_stand_before_what_it_reverses() -> None:
    sheet = Ledger()
    sheet.hire("M1")
    sale = sheet.put("sale", "M1", "group_count", quantity="2")
    reversal = sheet.reverse(sale)
    assert statuses([sheet[0], reversal, sale]) == ["accepted"] * 3


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
    known = BatchContext(reversals=Counted({}))
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

    chain._reversals_of = Watched(chain._reversals_of)  # type: ignore[assignment]
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
