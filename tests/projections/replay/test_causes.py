"""Causes: a difference is parted into rules, own entries, own reversals and others, and the parts
add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from domain.errors import Refused
from domain.evaluation.programs import program_of
from domain.identifiers import Period
from domain.numbers import plain
from domain.rulebook.checks import Program
from projections.replay import scenarios
from projections.replay.causes import Causes, TotalCauses
from projections.replay.comparison import Comparison
from projections.replay.question import Question
from projections.replay.replay import Answer, answer_question
from projections.service import Service
from tests import oracle
from tests.conftest import Files
from tests.facts import shipped_text
from tests.generation.draft import BRANCH, ELSEWHERE
from tests.generators import SCHEMES, random_branch
from tests.store import entries
from tests.ten_people import APPEALED, DISPLACED, HER, reversal
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")
ASK = Question((OCTOBER,), ("B01",), against="settled")


def compared(answer: Answer) -> Comparison:
    assert answer.comparison is not None
    return answer.comparison


def total_causes(answer: Answer) -> TotalCauses:
    causes = compared(answer).causes
    assert causes is not None
    return causes


def parts_of(causes: Causes | None) -> tuple[Decimal, ...]:
    assert causes is not None
    return causes.rule, causes.entries, causes.reversals, causes.others


def caused(answer: Answer) -> dict[str, tuple[str, ...]]:
    """The parts of everyone who differs."""
    found = {}
    for difference in sorted(compared(answer).differences, key=lambda d: d.manager):
        parts = parts_of(difference.causes)
        assert sum(parts) == difference.difference
        found[difference.manager] = tuple(map(plain, parts))
    return found


def reasons(answer: Answer) -> dict[str, str | None]:
    return {d.manager: d.why.en if d.why else None for d in compared(answer).differences}


def asked(book: Service, **changes: Any) -> Answer:
    return answer_question(book, replace(ASK, **changes))


def late(book: Service, sheet: Sequence[dict[str, Any]]) -> None:
    outcomes = book.ledger.append(entries({**raw, "source": "late"} for raw in sheet), by="x")
    assert {outcome.status for outcome in outcomes} == {"accepted"}


def deducted(*managers: str) -> Sheet:
    """Enough to be barred from the upper tiers."""
    sheet = Sheet()
    for manager in managers:
        sheet.put("deduction", manager, "arrears_recovery", points="301", occurred_on="2026-10-12")
    return sheet


def draft(**points: str) -> Program:
    """V3.0 with other points for tiers: `t3="850"`."""
    text = shipped_text("elastic-pay")
    for tier, old in (("t2", "share: 0.20, points: 1000"), ("t3", "share: 0.60, points: 800")):
        if tier in points:
            assert old in text
            text = text.replace(old, f"{old.split(' points')[0]} points: {points[tier]}")
    return program_of(text, "draft.yaml")


@pytest.fixture
def settled(october: Service) -> Service:
    october.settle(OCTOBER, "B01", None, by="clerk")
    return october


def test_a_rule_alone_is_the_whole_difference(settled: Service) -> None:
    answer = asked(settled, draft=draft(t3="850"))
    assert caused(answer) == dict.fromkeys(
        [HER, *(f"M{n:02d}" for n in range(5, 10))], ("50", "0", "0", "0")
    )
    assert total_causes(answer).rule == 300
    assert total_causes(answer).interaction == 0
    assert total_causes(answer).unparted == []


def test_an_own_entry_alone_is_the_whole_difference(settled: Service) -> None:
    late(settled, [Sheet().put("sale", HER, "group_members", quantity="10")])
    assert caused(asked(settled)) == {HER: ("0", "20", "0", "0")}


def test_a_reversal_gives_her_the_seat_that_another_loses_to_her(settled: Service) -> None:
    settled.ledger.append(entries([reversal(APPEALED, "1")]), by="x")
    answer = asked(settled)
    assert caused(answer) == {HER: ("0", "0", "450", "0"), DISPLACED: ("0", "0", "0", "-200")}
    assert reasons(answer) == {
        HER: None,
        DISPLACED: "“GS tier” falls from 2 to 3: displaced by M03",
    }
    (zh,) = [d.why.zh for d in compared(answer).differences if d.why]
    assert "由 2 降到 3：被 M03 超过" in zh


def test_what_is_left_out_and_what_is_supposed_count_as_reversed_and_recorded_since(
    settled: Service,
) -> None:
    named, _, number = APPEALED.partition(":")
    new = entries([Sheet().put("sale", HER, "group_members", quantity="10", source="if")])
    answer = asked(settled, left_out=((named, number),), added=tuple(new))
    assert caused(answer) == {HER: ("0", "20", "450", "0"), DISPLACED: ("0", "0", "0", "-200")}
    supposed = asked(settled, added=tuple(entries([reversal(APPEALED, "1")])))
    assert caused(supposed)[HER] == ("0", "0", "450", "0")


def test_all_four_together_add_up_and_the_interaction_stands_beside(settled: Service) -> None:
    late(settled, [Sheet().put("sale", HER, "group_members", quantity="10")])
    settled.ledger.append(entries([reversal(APPEALED, "1")]), by="x")
    late(settled, [raw | {"source_id": f"d{n}"} for n, raw in enumerate(deducted("M01", "M02"))])
    answer = asked(settled, draft=draft(t2="1100", t3="850"))
    # Two above her are barred: she has the seat of tier 1, M04 and M05 those of tier 2.
    assert caused(answer) == {
        "M01": ("0", "-651", "0", "0"),  # 1200 -> 850 points, 301 deducted
        "M02": ("100", "-551", "0", "0"),
        HER: ("50", "20", "500", "100"),
        "M04": ("100", "0", "0", "0"),
        "M05": ("50", "0", "0", "250"),
        **dict.fromkeys(["M06", "M07", "M08", "M09"], ("50", "0", "0", "0")),
    }
    assert reasons(answer)["M05"] == "“GS tier” rises from 3 to 2: M01, M02 fell behind"
    beside = {d.manager: d.causes and d.causes.interaction for d in compared(answer).differences}
    # Of her tier 1 the new points say nothing, of M05's tier 2 they say 100 instead of 50.
    assert (beside[HER], beside["M05"], beside["M04"]) == (-50, 50, 0)
    assert "added" in total_causes(answer).attribution.en


def test_an_entry_that_was_recorded_and_reversed_since_leaves_no_trace(settled: Service) -> None:
    late(settled, deducted("M01"))
    settled.ledger.append(entries([reversal("late:0", "9")]), by="x")
    assert caused(asked(settled)) == {}
    late(settled, [Sheet().put("sale", "M01", "group_members", quantity="10") | {"source_id": "s"}])
    assert caused(asked(settled)) == {"M01": ("0", "20", "0", "0")}


def test_a_reversal_of_a_reversal_brings_back_under_reversals(october: Service) -> None:
    october.ledger.append(entries([reversal(APPEALED, "1")]), by="x")
    october.settle(OCTOBER, "B01", None, by="clerk")
    october.ledger.append(entries([reversal("appeal:1", "2")]), by="x")
    assert caused(asked(october)) == {
        HER: ("0", "0", "-450", "0"),
        DISPLACED: ("0", "0", "0", "200"),
    }


def test_as_of_a_moment_before_the_settlement_there_is_nothing_to_part(october: Service) -> None:
    known = october.ledger.position()
    october.settle(OCTOBER, "B01", None, by="clerk")
    answer = asked(october, as_of=str(known))
    assert [(u.branch, u.part) for u in total_causes(answer).unparted] == [("B01", "baseline")]


def test_a_measure_of_the_branch_is_everyones_own(settled: Service) -> None:
    sheet = Sheet()
    sheet.branch("minimum_wage", "1830")
    late(settled, sheet)
    everyone = {HER: "195", **dict.fromkeys((f"M{n:02d}" for n in range(5, 10)), "5"), "M10": "205"}
    assert caused(asked(settled)) == {m: ("0", amount, "0", "0") for m, amount in everyone.items()}


def test_who_leaves_loses_all_by_their_own_entry_and_others_by_the_seats(settled: Service) -> None:
    late(settled, [Sheet().hire("M01", branch="B02")])
    # Nine people: one seat in tier 1, two in tier 2, five in tier 3, one in tier 4.
    answer = asked(settled)
    found = caused(answer)
    assert found["M01"] == ("0", "-2225", "0", "0")
    assert found["M02"] == ("0", "0", "0", "200")
    assert found["M05"] == ("0", "0", "0", "200")
    assert reasons(answer)["M02"] == "“GS tier” rises from 2 to 1: M01 fell behind"


def test_who_comes_gains_all_by_their_own_entries(settled: Service) -> None:
    sheet = Sheet()
    sheet.hire("N01", 8)
    sheet.rate_gs("N01", "100")
    late(settled, sheet)
    found = caused(asked(settled))
    assert found["N01"] == ("0", "2475", "0", "0")
    assert set(found) - {"N01"} == {m for m, parts in found.items() if parts[:3] == ("0", "0", "0")}
    assert found["M01"] == ("0", "0", "0", "-200")


def test_a_pool_is_parted_by_what_others_weigh(october: Service) -> None:
    sheet = Sheet()
    for manager in ("A", "B", "C"):
        sheet.hire(manager, branch="P01")
        sheet.put("rating", manager, "target_groups", score="10")
        marks = {
            "records_upkeep": "20",
            "alert_handling": "20",
            "group_arrears": "10",
            "key_contact": "20",
        }
        for item, score in {**marks, "department_process": "20"}.items():
            sheet.put("rating", manager, item, score=score)
    for item, value in (("minimum_wage", "0"), ("quota_pool", "90")):
        sheet.branch(item, value, branch="P01")
    sheet.branch("unit_completion", "1", branch="P01", team="T1")
    october.ledger.append(entries({**raw, "source": "pool"} for raw in sheet), by="x")
    october.settle(OCTOBER, "P01", "piece-rate", by="clerk")
    ask = {"branches": ("P01",), "rulebook": "piece-rate"}
    late(october, [Sheet().put("rating", "B", "secretary_lines", score="10")])
    answer = asked(october, **ask)
    assert caused(answer) == {
        "A": ("0", "0", "0", "-7.5"),
        "B": ("0", "15", "0", "0"),
        "C": ("0", "0", "0", "-7.5"),
    }
    told = reasons(answer)["A"]
    assert told is not None
    assert told.endswith("moves with the weights of others: B 10 → 20")
    more = Sheet()
    more.branch("quota_pool", "180", branch="P01")
    late(october, [raw | {"source_id": "pool"} for raw in more])
    others = ("0", "30", "0", "-15")  # of the new pool of 180 a third, and then a quarter
    assert caused(asked(october, **ask)) == {"A": others, "B": ("0", "60", "0", "0"), "C": others}


def test_where_the_new_rules_refuse_what_was_settled_the_finding_is_named_and_no_number_is_made_up(
    settled: Service,
) -> None:
    settled.ledger.append(entries([reversal(APPEALED, "1")]), by="x")
    text = shipped_text("elastic-pay")
    bound = text.replace(
        "clause: 第五条3\n    read: deduction\n",
        "clause: 第五条3\n    read: deduction\n    high: 200\n",
    )
    answer = asked(settled, draft=program_of(bound, "bound.yaml"))
    assert {d.manager: d.causes for d in compared(answer).differences} == {
        HER: None,
        DISPLACED: None,
    }
    (unparted,) = total_causes(answer).unparted
    assert (unparted.branch, unparted.manager, unparted.part) == ("B01", None, "rule")
    assert {(f.code, f.manager, f.entry) for f in unparted.findings} == {
        ("out_of_bounds", HER, APPEALED)
    }
    assert total_causes(answer).rule == 0


def test_where_ones_own_entries_alone_are_refused_only_ones_own_parts_are_missing(
    settled: Service,
) -> None:
    """A final order is refused unless all have a place: of none can it be told what their place
    alone would do.
    """
    order = Sheet()
    for place, number in enumerate((2, 1, *range(3, 11)), 1):
        order.put("rating", f"M{number:02d}", "final_rank", score=str(place))
    late(settled, order)
    answer = asked(settled)
    assert {d.manager: d.causes for d in compared(answer).differences} == {
        "M01": None,
        "M02": None,
    }
    unparted = total_causes(answer).unparted
    assert [(u.manager, u.part) for u in unparted] == [("M01", "entries"), ("M02", "entries")]
    assert {f.code for u in unparted for f in u.findings} == {"partial_ranking"}
    assert {f.manager for f in unparted[0].findings} == {f"M{n:02d}" for n in range(2, 11)}


ANNUAL = """
id: annual
version: 1.0.0
title: {zh: 年度, en: Annual}
source: {zh: 例, en: Example}
period: year
effective_from: 2000-01
roles: [customer_manager]
inputs:
  months: {label: {zh: 月度积分, en: Monthly points}, unit: point, clause: 第九条, read: statement,
    rulebook: elastic-pay, step: total_points, take: mean, missing: refuse}
steps:
  - {step: average_points, label: {zh: 月均积分, en: Average points}, unit: point, clause: 第九条, value: months}
examples:
  - name: 平均
    clause: 第九条
    people: {A: {months: 100}, B: {months: 300}}
    expect: {A: {average_points: 100}, B: {average_points: 300}}
"""


def test_a_new_statement_of_a_month_is_an_own_entry_of_the_year(settled: Service) -> None:
    year = Period.parse("2026")
    settled.publish(ANNUAL, file="annual.yaml", by="x")
    settled.settle(year, "B01", "annual", by="clerk")
    settled.ledger.append(entries([reversal(APPEALED, "1")]), by="x")
    settled.settle(OCTOBER, "B01", None, by="clerk")
    answer = asked(settled, periods=(year,), rulebook="annual")
    assert caused(answer) == {HER: ("0", "450", "0", "0"), DISPLACED: ("0", "-200", "0", "0")}


def test_what_was_never_settled_has_nothing_to_be_parted(october: Service) -> None:
    answer = asked(october)
    assert {d.causes for d in compared(answer).differences} == {None}
    assert [(u.part, u.branch) for u in total_causes(answer).unparted] == [("baseline", "B01")]


def test_each_branch_is_parted_from_its_own_settlement_in_one_run(
    october: Service, monkeypatch: Any
) -> None:
    """Someone moves from one branch to another between the two settlements: in each they are who
    they were there.
    """
    other = Sheet()
    other.hire("N01", branch="B02")
    other.rate_gs("N01", "50")
    other.branch("minimum_wage", "1500", branch="B02")
    october.ledger.append(entries({**raw, "source": "b02"} for raw in other), by="x")
    october.settle(OCTOBER, "B01", None, by="clerk")
    late(october, [Sheet().hire("M10", branch="B02")])
    october.settle(OCTOBER, "B02", None, by="clerk")
    late(october, [Sheet().put("sale", "M10", "group_members", quantity="10") | {"source_id": "s"}])
    for at_once in (scenarios.MAX_ROWS, 1):
        monkeypatch.setattr(scenarios, "MAX_ROWS", at_once)
        answer = asked(october, branches=("B01", "B02"))
        found = {(d.branch, d.manager): d.causes for d in compared(answer).differences}
        assert parts_of(found["B01", "M10"]) == (0, -1625, 0, 0)
        assert parts_of(found["B02", "M10"]) == (0, 20, 0, 0)


def test_groups_teams_steps_and_the_series_add_up_to_the_same(settled: Service) -> None:
    settled.ledger.append(entries([reversal(APPEALED, "1")]), by="x")
    november = Period.parse("2026-11")
    wage = Sheet().put("measure", item="minimum_wage", value="1500", branch="B01", month="2026-11")
    late(settled, [wage | {"source_id": "w"}])
    settled.settle(november, "B01", None, by="clerk")
    answer = asked(settled, periods=(OCTOBER, november))
    found = compared(answer)
    assert [(s.period, s.difference, s.gainers, s.losers, s.managers) for s in found.series] == [
        ("2026-10", 250, 1, 1, 10),
        ("2026-11", 0, 0, 0, 10),
    ]
    assert [int(s.after) - int(s.before) for s in found.series] == [250, 0]
    assert [(t.team, t.difference, t.gainers) for t in found.teams] == [("T1", 250, 1)]
    steps = {s.step: (s.difference, s.people, s.unit) for s in found.steps}
    assert steps["deduction"] == (-250, 1, "point")
    assert steps["gs_points"] == (0, 2, "point")
    assert steps["pay"] == (250, 2, "yuan")
    assert "gs_tier" not in steps


def test_a_comparison_may_do_without_causes(settled: Service) -> None:
    answer = asked(settled, draft=draft(t3="850"), causes=False)
    assert compared(answer).causes is None
    assert {d.causes for d in compared(answer).differences} == {None}


# Random branches: the way from one side to the other, part by part, against the oracle.

LATE = ("sale", "deduction", "rating", "adjustment", "measure", "assignment")


def happened_since(ledger: Sequence[Mapping[str, Any]], chaos: Random) -> list[dict[str, Any]]:
    """Some entries recorded later, some of them reversed at once, and some reversals of what
    counted.
    """
    named = {
        (r["reverses"]["source"], r["reverses"]["source_id"])
        for r in ledger
        if r["kind"] == "reversal"
    }
    untouched = [
        e for e in ledger if e["kind"] != "reversal" and (e["source"], e["source_id"]) not in named
    ]
    untouched = [
        e for e in untouched if e["source"] != "merit"
    ]  # a resettlement's own entries stay as they are
    again = [
        e for e in untouched if e["kind"] in LATE and not (e["kind"] == "measure" and e.get("team"))
    ]
    dead = [e for e in untouched if e["kind"] in LATE[:4]]
    found: list[dict[str, Any]] = []
    for number in range(chaos.randint(1, 8)):
        new = {**chaos.choice(again), "source": "late", "source_id": f"n{number}"}
        if new["kind"] == "assignment":
            new |= chaos.choice(({"branch": ELSEWHERE}, {"team": "T0"}, {"grade": 6}))
        elif new["kind"] == "measure":
            new |= {"value": chaos.choice(("1", "2000", "3000"))}
        found.append(new)
        if chaos.random() < 0.2:
            found.append(undone(new, f"u{number}"))
    for number, entry in enumerate(chaos.sample(dead, min(len(dead), chaos.randint(0, 4)))):
        found.append(undone(entry, f"r{number}"))
    return found


def undone(entry: Mapping[str, Any], number: str) -> dict[str, Any]:
    key = {"source": entry["source"], "source_id": entry["source_id"]}
    return {
        "kind": "reversal",
        "source": "late",
        "source_id": number,
        "reverses": key,
        "reason": "更正",
    }


def own_of(
    manager: str, since: Sequence[Mapping[str, Any]], ledger: Sequence[Mapping[str, Any]]
) -> tuple[list, list]:
    """A person's entries and reversals since: also measures of the branch, but nothing that left no
    trace.
    """
    at = {(e["source"], e["source_id"]): e for e in [*ledger, *since]}
    undone_keys = {
        (e["reverses"]["source"], e["reverses"]["source_id"])
        for e in since
        if e["kind"] == "reversal"
    }

    def mine(entry: Mapping[str, Any]) -> bool:
        return entry.get("manager") == manager or (
            entry["kind"] == "measure" and entry.get("branch") == BRANCH
        )

    new = [
        e
        for e in since
        if e["kind"] != "reversal" and (e["source"], e["source_id"]) not in undone_keys
    ]
    back = [e for e in since if e["kind"] == "reversal" and e["reverses"]["source"] != "late"]
    named = [(e, at[e["reverses"]["source"], e["reverses"]["source_id"]]) for e in back]
    return [e for e in new if mine(e)], [e for e, target in named if mine(target)]


POPULATION_FREE = ("commission", "graded-wage", "call-centre")


@pytest.mark.parametrize(
    "rulebook", ["elastic-pay", "piece-rate", "quantified-pay", "support-binding", *POPULATION_FREE]
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(1, 12),
    cap=st.sampled_from(["8000", "100", "37.5"]),
)
def test_the_parts_are_what_the_oracle_finds_on_the_way(
    rulebook: str, seed: int, size: int, cap: str, sqlite_ledgers: Files
) -> None:
    made, period = random_branch(rulebook, size, seed), SCHEMES[rulebook][0]
    assume(made.settled == {})
    since = happened_since(made.entries, Random(seed))
    book = Service.open(sqlite_ledgers.begun_ledger())
    try:
        book.ledger.append(entries(made.entries), by="x")
        try:
            book.settle(Period.parse(period), BRANCH, rulebook, by="clerk")
        except Refused:
            assume(condition=False)
        outcomes = book.ledger.append(entries(since), by="x")
        assume({outcome.status for outcome in outcomes} <= {"accepted"})
        question = Question((Period.parse(period),), (BRANCH,), rulebook, against="settled")
        overrides: dict[str, Any] = {}
        if rulebook == "elastic-pay" and cap != "8000":
            overrides = {"performance_cap": cap}
            changed = shipped_text(rulebook).replace(
                "clause: 第七条5(2), value: 8000", f"clause: 第七条5(2), value: {cap}"
            )
            question = replace(question, rulebook=None, draft=program_of(changed, "cap.yaml"))
        answer = answer_question(book, question)
    finally:
        book.close()
    check_against_oracle(answer, made.entries, since, (rulebook, period, overrides))


def check_against_oracle(
    answer: Answer,
    ledger: list[dict[str, Any]],
    since: list[dict[str, Any]],
    scheme: tuple[str, str, Mapping[str, Any]],
) -> None:
    rulebook, period, overrides = scheme
    assume(not answer.is_refused)
    skipped = {u.manager for u in total_causes(answer).unparted}

    def pay(manager: str, facts: list[dict[str, Any]], rules: Mapping[str, Any]) -> Decimal:
        result = oracle.evaluate(rulebook, facts, period, BRANCH, overrides=rules)
        assert result.refusals == []
        text = result.statements.get(manager, {}).get(step, "0")
        return Decimal(text) if text.lstrip("-")[:1].isdigit() else Decimal(0)

    for d in compared(answer).differences:
        manager, step = d.manager, d.step
        if d.causes is None:
            assert skipped & {manager, None}
            continue
        new, back = own_of(manager, since, ledger)
        way = [
            pay(manager, ledger, {}),
            pay(manager, ledger, overrides),
            pay(manager, [*ledger, *new], overrides),
            pay(manager, [*ledger, *new, *back], overrides),
            pay(manager, [*ledger, *since], overrides),
        ]
        parts = list(parts_of(d.causes))
        assert parts == [after - before for before, after in pairwise(way)]
        assert sum(parts) == d.difference
        turned = pay(manager, [*ledger, *since], overrides) - pay(manager, [*ledger, *since], {})
        assert d.causes.interaction == turned - parts[0]
        if not (new or back):
            assert parts[1:3] == [0, 0]
        if rulebook in POPULATION_FREE:
            assert parts[3] == 0
