"""Replays: other rules, another moment, entries added or left out; only the fact that it was run is
recorded.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Declined, Invalid, NotFound
from domain.evaluation.programs import program_of
from domain.identifiers import Period
from domain.ledger.events import ReplayRun
from projections.evaluation.branches import WrongPeriod
from projections.replay.comparison import StepChange, Totals
from projections.replay.question import Question
from projections.replay.replay import Answer, replay
from projections.service import Service
from tests.rules import text_of
from tests.store import entries
from tests.ten_people import APPEALED, DISPLACED, HER, PAY, reversal, ten_people
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")
ASK = Question((OCTOBER,), ("B01",))


def asked(book: Service, question: Question = ASK, **changes: Any) -> Answer:
    return replay(book, replace(question, **changes), by="auditor")


def pays(answer: Answer, number: int = 0) -> dict[str, str]:
    return {s.manager: s.steps["pay"] for s in answer.evaluations[number].statements}


def added(*raw: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entries(raw))


def key(text: str) -> tuple[str, str]:
    source, _, number = text.partition(":")
    return source, number


@pytest.fixture
def settled(october: Service) -> Service:
    october.settle(OCTOBER, "B01", None, by="clerk")
    return october


def test_without_the_appealed_deduction_she_gains_450_and_who_had_her_seat_falls_to_800(
    settled: Service,
) -> None:
    answer = asked(settled, left_out=(key(APPEALED),), against="settled")
    steps = {s.manager: s.steps for s in answer.evaluations[0].statements}
    assert {n: steps[HER][n] for n in ("deduction", "position_points", "gs_tier", "gs_points", "pay")} == {
        "deduction": "120", "position_points": "905", "gs_tier": "2", "gs_points": "1000", "pay": "2085",
    }  # fmt: skip
    assert (steps[DISPLACED]["gs_points"], steps[DISPLACED]["pay"]) == ("800", "1825")
    assert answer.comparison is not None
    differences = {
        d.manager: (d.before, d.after, int(d.difference)) for d in answer.comparison.differences
    }
    assert differences == {HER: ("1635", "2085", 450), DISPLACED: ("2025", "1825", -200)}
    total = sum(int(pay) for pay in PAY.values())
    assert answer.comparison.totals == Totals(
        before=Decimal(total),
        after=Decimal(total + 250),
        difference=Decimal(250),
        gainers=1,
        losers=1,
        managers=10,
    )


def test_a_lower_cap_replays_a_settled_month_and_only_the_run_is_recorded(settled: Service) -> None:
    settled.ledger.append(
        added(Sheet().put("sale", HER, "key_products", quantity="200", source="late")), by="x"
    )
    settled.settle(OCTOBER, "B01", None, by="clerk")  # 10,000 + 180 points, capped at 8000
    before, issued = settled.ledger.position(), settled.statements.of_manager(HER, "2026-10")
    draft = program_of(
        settled.rulebooks.find("elastic-pay").text.replace("value: 8000}", "value: 6000}"),
        "draft.yaml",
    )
    answer = asked(settled, draft=draft, against="settled")
    assert answer.comparison is not None
    (difference,) = answer.comparison.differences
    assert (difference.manager, difference.difference) == (HER, Decimal(-2000))
    assert StepChange("performance_points", "8000", "6000") in difference.steps
    assert settled.ledger.position() == before + 1 == answer.position
    run = settled.ledger.event_at(answer.position)
    assert isinstance(run, ReplayRun)
    assert run.by == "auditor"
    assert run.digests == (answer.evaluations[0].digest,)
    assert run.parameters["draft"] == draft.digest
    assert run.parameters["periods"] == ["2026-10"]
    assert settled.statements.of_manager(HER, "2026-10") == issued


def test_replayed_as_it_was_settled_it_is_the_same_to_the_digest(settled: Service) -> None:
    answer = asked(settled, against="settled")
    assert [answer.evaluations[0].digest] == [
        s.digest for s in settled.statements.settlements("2026-10", "B01")
    ]
    assert answer.comparison is not None
    assert answer.comparison.differences == []


def test_who_was_moved_away_before_a_second_settlement_is_no_difference_to_it(
    settled: Service,
) -> None:
    settled.ledger.append(added(Sheet().hire("M10", branch="B02", source="hr")), by="x")
    settled.settle(OCTOBER, "B01", None, by="clerk")
    answer = asked(settled, against="settled")
    assert answer.comparison is not None
    assert answer.comparison.differences == []
    assert "M10" not in settled.statements.latest("2026-10", "elastic-pay", "B01")


def test_as_of_a_position_or_an_instant_is_what_was_known_then(settled: Service) -> None:
    known = settled.ledger.position()
    settled.ledger.append(added(reversal(APPEALED, "1")), by="x")
    at = settled.ledger.event_at(known + 1).at
    assert pays(asked(settled))[HER] == "2085"
    assert pays(asked(settled, as_of=str(known)))[HER] == "1635"
    assert pays(asked(settled, as_of=str(known + 1)))[HER] == "2085"
    assert pays(asked(settled, as_of=(at - timedelta(microseconds=1)).isoformat()))[HER] == "1635"
    assert pays(asked(settled, as_of=at.isoformat()))[HER] == "2085"
    assert asked(settled, as_of=str(known)).evaluations[0].position == known
    begun = max(row.position for row in settled.rulebooks.all())
    assert asked(settled, as_of=str(begun)).evaluations[0].statements == []
    assert asked(settled, branches=(), as_of="1999-01-01").evaluations == []
    with pytest.raises(NotFound, match="as of position 0: no rulebook elastic-pay"):
        asked(settled, as_of="0")


def test_every_instant_finds_the_last_event_recorded_by_then(october: Service) -> None:
    begin, last = datetime(2100, 1, 1, tzinfo=UTC), october.ledger.position()
    for number in range(7):
        sale = Sheet().put(
            "sale", HER, "group_count", quantity="1", source="timed", source_id=str(number)
        )
        october.ledger.append(added(sale), by="x", at=begin + timedelta(hours=number))
    for number in range(7):
        at = begin + timedelta(hours=number)
        assert october.position_of(at.isoformat()) == last + number + 1
        assert october.position_of((at - timedelta(microseconds=1)).isoformat()) == last + number
    assert october.position_of("2101-01-01") == last + 7


def test_a_position_that_the_ledger_has_not_reached_is_refused_and_says_the_last(
    october: Service,
) -> None:
    last = october.ledger.position()
    assert october.position_of(str(last)) == last
    with pytest.raises(Invalid, match=f"its last is {last}"):
        october.position_of(str(last + 1))
    with pytest.raises(Invalid, match=f"its last is {last}"):
        asked(october, as_of=str(last + 1))


@pytest.mark.parametrize("as_of", ["yesterday", "-1", "2026-13-01", "²", "2026-10-31T25:00"])
def test_what_is_no_position_and_no_instant_is_declined(october: Service, as_of: str) -> None:
    with pytest.raises(Declined, match="instant"):
        asked(october, as_of=as_of)


def test_a_supposed_reversal_takes_out_an_entry_of_the_ledger(october: Service) -> None:
    assert pays(asked(october, added=added(reversal(APPEALED, "1")))) == PAY | {
        HER: "2085",
        DISPLACED: "1825",
    }
    assert pays(asked(october)) == PAY


def test_a_supposed_reversal_of_a_reversal_brings_the_entry_back(october: Service) -> None:
    october.ledger.append(added(reversal(APPEALED, "1")), by="x")
    again = reversal("appeal:1", "2")
    assert pays(asked(october))[HER] == "2085"
    assert pays(asked(october, added=added(again)))[HER] == "1635"
    both = added(again, reversal("appeal:2", "3"))
    assert pays(asked(october, added=both))[HER] == "2085"


def test_a_chain_of_supposed_reversals_may_be_as_long_as_a_batch(october: Service) -> None:
    chain = [reversal(APPEALED if n == 1 else f"appeal:{n - 1}", str(n)) for n in range(1, 1502)]
    assert pays(asked(october, added=added(*chain)))[HER] == "2085"
    assert pays(asked(october, added=added(*reversed(chain[:1500]))))[HER] == "1635"
    sale = Sheet().put("sale", HER, "group_count", quantity="9", source="if")
    undone = reversal(f"if:{sale['source_id']}", "1")
    again = [sale, undone, reversal("appeal:1", "2")]
    assert (
        pays(asked(october, added=added(*again[::-1])))[HER]
        == pays(asked(october, added=added(sale)))[HER]
    )


def test_a_supposed_entry_and_its_supposed_reversal_leave_no_trace(october: Service) -> None:
    sale = Sheet().put("sale", HER, "group_count", quantity="9", source="if")
    question = added(sale, reversal(f"if:{sale['source_id']}", "1"))
    assert (
        asked(october, added=question).evaluations[0].digest == asked(october).evaluations[0].digest
    )


def test_leaving_out_a_reversal_brings_back_what_it_took_out(october: Service) -> None:
    october.ledger.append(added(reversal(APPEALED, "1")), by="x")
    assert pays(asked(october, left_out=(("appeal", "1"),))) == PAY
    assert pays(asked(october, left_out=(("appeal", "1"), key(APPEALED))))[HER] == "2085"


def test_someone_new_takes_part_in_the_distribution(october: Service) -> None:
    sheet = Sheet()
    sheet.hire("N01", 8)
    sheet.rate_gs("N01", "100")
    new = added(*({**raw, "source": "if"} for raw in sheet))
    found = {s.manager: s.steps for s in asked(october, added=new).evaluations[0].statements}
    assert (found["N01"]["gs_rank"], found["N01"]["gs_tier"], found["N01"]["pay"]) == (
        "1",
        "1",
        "2475",
    )
    assert (found["M01"]["gs_rank"], found["M01"]["gs_tier"]) == ("2", "2")  # 11 people: 1, 2, 7, 1
    assert "N01" not in pays(asked(october))


def test_who_is_supposed_to_come_from_another_branch_brings_what_they_sold(
    october: Service,
) -> None:
    there = Sheet()
    there.hire("M77", branch="B02")
    there.put("sale", "M77", "group_count", quantity="10")
    there.branch("minimum_wage", "100")
    there[-1]["branch"] = "B02"
    october.ledger.append(added(*({**raw, "source": "b02"} for raw in there)), by="x")
    move = Sheet().hire("M77", branch="B01", source="if")
    for branches in (("B01",), ("B01", "B02")):
        answer = asked(october, branches=branches, added=added(move))
        steps = {s.manager: s.steps for s in answer.evaluations[0].statements}
        assert steps["M77"]["kpi_points"] == "200"
    assert answer.evaluations[1].statements == []


def test_a_branch_that_is_only_supposed_is_evaluated(october: Service) -> None:
    sheet = Sheet()
    sheet.hire("N01", branch="B09")
    sheet.branch("minimum_wage", "3000")
    sheet[-1]["branch"] = "B09"
    new = added(*({**raw, "source": "if"} for raw in sheet))
    answer = asked(october, branches=(), added=new)
    assert [(e.branch, pays(answer, n).get("N01")) for n, e in enumerate(answer.evaluations)] == [
        ("B01", None),
        ("B09", "3000"),
    ]


def test_several_periods_and_branches_come_in_order(october: Service) -> None:
    later = Sheet()
    later.hire("N01", branch="A01", month="2026-11")
    for month, branch in (("2026-11", "A01"), ("2026-11", "B01")):
        later.put("measure", item="minimum_wage", value="9000", branch=branch, month=month)
    october.ledger.append(added(*({**raw, "source": "later"} for raw in later)), by="x")
    november = Period.parse("2026-11")
    answer = asked(october, periods=(november, OCTOBER), branches=())
    assert [(e.period, e.branch, len(e.statements)) for e in answer.evaluations] == [
        ("2026-10", "B01", 10),
        ("2026-11", "A01", 1),
        ("2026-11", "B01", 10),
    ]
    named = asked(october, periods=(OCTOBER,), branches=("A01", "B01"), rulebook="elastic-pay")
    assert [(e.branch, len(e.statements)) for e in named.evaluations] == [("A01", 0), ("B01", 10)]


def test_a_branch_without_anyone_of_the_population_is_given_where_it_is_named(
    october: Service,
) -> None:
    october.ledger.append(
        added(Sheet().hire("C01", branch="B02", role="clerk", source="hr")), by="x"
    )
    assert [e.branch for e in asked(october, branches=()).evaluations] == ["B01"]
    assert [e.branch for e in asked(october, branches=("B01", "B02")).evaluations] == ["B01", "B02"]


def test_a_refused_branch_says_why_and_the_others_are_given(october: Service) -> None:
    odd = Sheet().hire("X01", branch="B02", source="b02")
    october.ledger.append(added(odd), by="x")
    answer = asked(october, branches=())
    given, refused = answer.evaluations
    assert pays(answer) == PAY
    assert given.findings == []
    assert refused.statements == []
    assert {(f.code, f.manager, f.step, f.entry) for f in refused.findings} == {
        ("missing_measure", "X01", "pay", None)
    }
    assert answer.is_refused


def test_a_finding_names_the_entry_it_is_about(october: Service) -> None:
    odd = Sheet().put("rating", HER, "ability", score="100.5", source="review", source_id="7")
    october.ledger.append(added(odd), by="x")
    (finding,) = asked(october).evaluations[0].findings
    assert (finding.code, finding.manager, finding.step) == ("out_of_bounds", HER, "gs_score")
    assert finding.entry == "review:7"


def test_a_version_is_compared_with_another(october: Service) -> None:
    text = october.rulebooks.find("elastic-pay").text
    higher = text.replace("version: 3.0.0", "version: 3.1.0").replace(
        "3: {share: 0.60, points: 800}", "3: {share: 0.60, points: 850}"
    )
    higher = higher[: higher.index("\nexamples:")] + "\n"  # the examples are about 800
    october.publish(higher, file="f", by="x", effective_from=Period.parse("2026-11").first)
    answer = asked(october, rulebook="elastic-pay@3.1.0", against="elastic-pay@3.0.0")
    assert answer.comparison is not None
    assert {d.manager: d.difference for d in answer.comparison.differences} == dict.fromkeys(
        [HER, *(f"M{n:02d}" for n in range(5, 10))], 50
    )
    # By its name alone a rulebook is the version in force in the month.
    assert asked(october, rulebook="elastic-pay").evaluations[0].program.rulebook.version == "3.0.0"
    assert (
        asked(october, rulebook="elastic-pay", against="elastic-pay").comparison.differences == []
    )  # type: ignore[index]


def test_what_is_not_there_is_said(october: Service) -> None:
    before = october.ledger.position()
    with pytest.raises(Declined, match="no such entry to leave out: crm:nothing"):
        asked(october, left_out=(("crm", "nothing"),))
    with pytest.raises(NotFound, match="no rulebook nothing"):
        asked(october, rulebook="nothing")
    with pytest.raises(NotFound, match=r"no version of elastic-pay for 9\.9\.9"):
        asked(october, rulebook="elastic-pay@9.9.9")
    with pytest.raises(Declined, match="compare with settled"):
        asked(october, against="paid")
    with pytest.raises(WrongPeriod, match="2026-Q3"):
        asked(october, periods=(Period.parse("2026-Q3"),))
    with pytest.raises(Invalid, match="N01"):
        asked(
            october,
            added=added(Sheet().put("sale", "N01", "group_count", quantity="1", source="if")),
        )
    assert october.ledger.position() == before


def test_an_annual_rulebook_reads_the_statements_settled_by_then(october: Service) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    known = october.ledger.position()
    october.ledger.append(added(reversal(APPEALED, "1")), by="x")
    october.settle(OCTOBER, "B01", None, by="clerk")
    annual = program_of(ANNUAL, "annual.yaml")
    year = Question((Period.parse("2026"),), ("B01",), draft=annual)

    def average(as_of: str | None) -> str:
        statements = asked(october, year, as_of=as_of).evaluations[0].statements
        return next(s.steps["average_points"] for s in statements if s.manager == HER)

    assert (average(str(known)), average(None)) == ("1635", "2085")


ANNUAL = """
id: annual
version: 1.0.0
title: {zh: 年度, en: Annual}
source: {zh: 例, en: Example}
period: year
effective_from: 2000-01
roles: [customer_manager]
inputs:
  months:
    label: {zh: 月度积分, en: Monthly points}
    unit: point
    clause: 第九条
    read: statement
    rulebook: elastic-pay
    step: total_points
    take: mean
    missing: refuse
steps:
  - {step: average_points, label: {zh: 月均积分, en: Average points}, unit: point, clause: 第九条, value: months}
"""


def test_a_rulebook_that_does_not_pay_is_totalled_by_its_last_figure(october: Service) -> None:
    steps = {"x ratio": "2 * grade", "w text": "'high' if x > 12 else 'low'"}
    october.publish(text_of(steps, period="month"), file="f", by="x")
    draft = program_of(
        text_of(steps | {"x ratio": "3 * grade"}, period="month", version="1.1.0"), "draft.yaml"
    )
    grades = sum(entry["grade"] for entry in ten_people() if entry["kind"] == "assignment")
    found = asked(october, draft=draft, against="small@1.0.0").comparison
    assert found is not None
    assert {d.step for d in found.differences} == {"x"}
    assert found.totals == Totals(
        before=Decimal(2 * grades),
        after=Decimal(3 * grades),
        difference=Decimal(grades),
        gainers=10,
        losers=0,
        managers=10,
    )
    assert [(p.before, p.after) for p in found.series] == [(2 * grades, 3 * grades)]
