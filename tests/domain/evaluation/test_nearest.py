"""The smallest change that has an effect: the oracle confirms it, and that less has none.

The oracle knows nothing of candidate columns: it evaluates the branch anew from entries with the
changed figure.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.evaluation.nearest import NearestChange, change_text, nearest_changes
from tests import oracle
from tests.facts import evaluated, shipped_program
from tests.generation.draft import Entry
from tests.generators import random_branch
from tests.rules import given, program, run
from tests.ten_people import HER, ten_people
from tests.worksheet import OCTOBER
from tests.worksheet import Ledger as Sheet

KINDS = {"deduction": "points", "sale": "quantity", "rating": "score", "measure": "value"}
PROGRAM = shipped_program("elastic-pay")


def changes(sheet: Sheet, manager: str) -> list[NearestChange]:
    evaluation = evaluated(sheet, PROGRAM, OCTOBER)
    return nearest_changes(evaluation, evaluation.people.managers.index(manager))


def with_figure(
    entries: list[Entry], manager: str, name: str, value: str, period: str
) -> list[Entry]:
    """The same ledger where the person's entries of an input come to this figure."""
    group, _, item = name.partition(".")
    given = PROGRAM.rulebook.inputs[group]
    code = given.item_code(group, item or None)
    mine = [
        e
        for e in entries
        if (e["kind"], e.get("manager"), e.get("item")) == (given.read, manager, code)
    ]
    # Without them, and without the reversals that name them or one another.
    gone = {(entry["source"], entry["source_id"]) for entry in mine}
    for entry in entries:
        if (
            entry["kind"] == "reversal"
            and (entry["reverses"]["source"], entry["reverses"]["source_id"]) in gone
        ):
            gone.add((entry["source"], entry["source_id"]))
    kept = [entry for entry in entries if (entry["source"], entry["source_id"]) not in gone]
    figure = {
        "kind": given.read,
        "manager": manager,
        "item": code,
        "month": period,
        KINDS[given.read]: value,
    }
    if given.take != "count":
        return [*kept, {"source": "nearest", "source_id": "1", **figure}]
    many = [
        {"source": "nearest", "source_id": str(number), **figure} for number in range(int(value))
    ]
    return [*kept, *many]


def statement(entries: list[Entry], manager: str, period: str = OCTOBER) -> dict[str, str]:
    result = oracle.evaluate("elastic-pay", entries, period, "B01")
    assert result.refusals == []
    return result.statements[manager]


def test_the_change_that_lifts_the_bar_is_found_with_its_effect_on_pay() -> None:
    (bar, *_) = changes(ten_people(), HER)
    assert (bar.name, bar.before, bar.after) == ("deductions.arrears_recovery", "370", "300")
    assert ("gs_tier", "3", "2") in bar.moves
    assert bar.total == ("pay", "1635", "1905")
    words = change_text(bar, PROGRAM.rulebook)
    assert words.zh == (
        "若「集团欠费追缴」为 300 而不是 370：岗位扣分超过300分 是 → 否；禁入一、二档 是 → 否；"
        "GS档次 3 → 2；"
        "月度薪酬 1635 → 1905（+270）"
    )
    assert "with 300 instead of 370 of “Corporate arrears recovery”: " in words.en
    assert words.en.endswith("GS tier 3 → 2; Pay 1635 → 1905 (+270)")


def test_a_seat_is_so_many_marks_away() -> None:
    # M05 has 75 in all four dimensions and is fifth; M04, in the last seat of tier 2, has 80: one
    # dimension needs 96 (the mean is then 80.25; with 95 it is 80, level with M04 whose id comes
    # first).
    (tier, *_) = changes(ten_people(), "M05")
    assert (tier.name, tier.before, tier.after) == ("gs_ratings.customer_orientation", "75", "96")
    assert tier.moves == (("gs_tier", "3", "2"),)


def test_the_change_that_passes_the_minimum_wage_is_found() -> None:
    sheet = Sheet()
    sheet.branch("minimum_wage", "3000")
    sheet.hire("M1")
    sheet.rate_gs(
        "M1", "80"
    )  # 1025 + 800, and 23 pieces of 50 points: 2975; the 24th passes the floor
    sheet.put("sale", "M1", "key_products", quantity="23")
    passing = [change for change in changes(sheet, "M1") if ("pay", "1", "0") in change.limits]
    assert ("deep_sales.key_products", "23", "24", "3025") in [
        (change.name, change.before, change.after, change.total.after) for change in passing
    ]


def test_a_cap_passed_already_is_no_news_but_less_than_what_one_has_is() -> None:
    sheet = Sheet()
    sheet.branch("minimum_wage", "0")
    sheet.hire("M1", grade=4)  # 655 base points, and as much can be deducted
    sheet.rate_gs("M1", "80")
    sheet.put("deduction", "M1", "bundling_rate", points="700")
    told = {(c.name, c.after): c for c in changes(sheet, "M1")}
    assert told["deductions.bundling_rate", "654"].limits == (("deduction", "1", "0"),)
    assert told["deductions.bundling_rate", "654"].total == ("pay", "800", "801")
    assert told["deductions.bundling_rate", "300"].moves[-1] == ("gs_barred", "1", "0")
    assert not any(
        "performance_points" in {move.step for move in change.limits} for change in told.values()
    )


def test_ratings_stay_within_their_bounds_and_quantities_above_0() -> None:
    sheet = Sheet()
    sheet.branch("minimum_wage", "0")
    for manager in ("M1", "M2"):
        sheet.hire(manager)
        sheet.rate_gs(manager, "100" if manager == "M1" else "1")
    for change in [*changes(sheet, "M1"), *changes(sheet, "M2")]:
        assert Decimal(0) <= Decimal(change.after)
        assert not change.name.startswith("gs_ratings") or Decimal(change.after) <= 100
    # M2 would need 400 marks together; 100 in one dimension does not move the seat.
    assert not [c for c in changes(sheet, "M2") if ("gs_tier", "3", "2") in c.moves]


def test_a_refused_branch_has_no_nearest_changes() -> None:
    sheet = Sheet()
    sheet.hire("M1")
    assert changes(sheet, "M1") == []


@pytest.mark.parametrize("size", [1, 3, 9])
@pytest.mark.parametrize("seed", range(12))
def test_the_oracle_agrees_with_every_change_and_that_a_unit_less_changes_less(
    size: int, seed: int
) -> None:
    branch = random_branch("elastic-pay", size, seed)
    entries: list[Any] = list(branch.entries)
    evaluation = evaluated(entries, PROGRAM, branch.period, [branch.branch])
    for row, manager in enumerate(evaluation.people.managers):
        before = statement(entries, manager, branch.period)
        for change in nearest_changes(evaluation, row):
            changed = with_figure(entries, manager, change.name, change.after, branch.period)
            after = statement(changed, manager, branch.period)
            assert (before["pay"], after["pay"]) == (change.total.before, change.total.after)
            moves = [
                move for move in change.moves if move.step in before
            ]  # not what only the rulebook names
            for move in moves:
                assert (before[move.step], after[move.step]) == (move.before, move.after)
            assert Decimal(after["pay"]) > Decimal(before["pay"])
            if (
                moves
                and not change.limits
                and abs(Decimal(change.after) - Decimal(change.before)) > 1
            ):
                nearer = Decimal(change.after) + (
                    1 if Decimal(change.after) < Decimal(change.before) else -1
                )
                less = statement(
                    with_figure(entries, manager, change.name, f"{nearer:f}", branch.period),
                    manager,
                    branch.period,
                )
                same = any(less[move.step] == move.before for move in moves)
                assert same or Decimal(less["pay"]) <= Decimal(before["pay"])


def test_of_many_inputs_the_one_with_the_smallest_change_is_found() -> None:
    each = {"a": "1", "b": "1.1", "c": "1.2", "d": "1.3"}
    total = " + ".join(f"{weight} * {name}" for name, weight in each.items())
    rules = program(
        {"x piece": f"min({total}, 100)"},
        inputs={name: given("sale", "piece") for name in each},
    )
    (passing,) = [
        change
        for change in nearest_changes(run(rules, {"M": dict.fromkeys(each, "10")}), 0)
        if ("x", "0", "1") in change.limits
    ]
    # 46 of 100: 55 more of a, 50 of b, 46 of c, and 42 of d (54.6) pass the cap.
    assert (passing.name, passing.before, passing.after) == ("d", "10", "52")
