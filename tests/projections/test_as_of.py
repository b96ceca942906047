"""As of a position: whatever is recorded, published, chosen, settled or closed after it has no
influence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import Declined, Invalid, NotFound
from domain.evaluation.programs import program_of
from domain.identifiers import Period
from domain.ledger.events import ReplayRun
from projections.evaluation.provisional import statement_as_of
from projections.explain.derivation import explain
from projections.month.cycle import Cycle
from projections.replay.comparison import Comparison
from projections.replay.question import Question
from projections.replay.repeat import NotRepeatable, repeat_replay, run_at
from projections.replay.replay import Answer, replay
from projections.service import Service
from tests.closing import acknowledge_all
from tests.store import entries
from tests.ten_people import APPEALED, DISPLACED, HER, PAY, reversal, ten_people
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")
PEOPLE = sorted(PAY)
TOTAL = sum(map(int, PAY.values()))


def asked(book: Service, **asked: Any) -> Answer:
    return replay(book, Question((OCTOBER,), **asked), by="auditor")


def record(book: Service, *raw: dict[str, Any]) -> None:
    assert {outcome.status for outcome in book.ledger.append(entries(raw), by="x")} == {"accepted"}


def move_all(book: Service, to: str = "B02") -> None:
    """Everyone has been in another branch all the time, as we learn now."""
    record(book, *(Sheet().hire(name, branch=to, source="late", source_id=name) for name in PEOPLE))


def revised(book: Service, version: str = "3.1.0", cap: str = "1000") -> str:
    """V3.0 with a lower cap on what M03 loses."""
    text = book.rulebooks.find("elastic-pay", "3.0.0").text.partition("\nexamples:")[0] + "\n"
    assert text.count("3: {share: 0.60, points: 800}") == 1
    text = text.replace("3: {share: 0.60, points: 800}", f"3: {{share: 0.60, points: {cap}}}")
    return text.replace("version: 3.0.0", f"version: {version}", 1)


def other_pay(book: Service) -> str:
    return revised(book, "1.0.0").replace("id: elastic-pay", "id: other-pay", 1)


def pays(answer: Answer) -> dict[str, str]:
    return {s.manager: s.steps["pay"] for e in answer.evaluations for s in e.statements}


def contents(answer: Answer) -> tuple[object, ...]:
    """All that an answer gives, but for the runs that it comes from."""
    evaluations = [(e.period, e.branch, e.digest, e.statements) for e in answer.evaluations]
    return answer.position, evaluations, answer.comparison


def compared(answer: Answer) -> Comparison:
    assert answer.comparison is not None
    return answer.comparison


@pytest.fixture
def settled(october: Service) -> Service:
    october.settle(OCTOBER, "B01", None, by="clerk")
    return october


@pytest.fixture
def closed(settled: Service) -> Service:
    acknowledge_all(settled)
    settled.close_month(Cycle(settled, OCTOBER, "B01"), by="hr")
    return settled


# branches


def test_the_branches_are_those_of_the_position(settled: Service) -> None:
    known = settled.ledger.position()
    move_all(settled)
    assert settled.places.branches(OCTOBER) == ["B02"]
    assert settled.places.branches(OCTOBER, known) == ["B01"]
    answer = asked(settled, as_of=str(known))
    assert [e.branch for e in answer.evaluations] == ["B01"]
    assert pays(answer) == PAY


@pytest.mark.parametrize("rulebook", [None, "elastic-pay"])
@pytest.mark.parametrize("against", ["settled", "paid"])
def test_a_branch_that_everybody_has_left_is_compared_with_what_it_had(
    closed: Service, rulebook: str | None, against: str
) -> None:
    move_all(closed)
    record(
        closed,
        Sheet().put("measure", item="minimum_wage", value="1500", branch="B02", source="late"),
    )
    found = compared(asked(closed, against=against, rulebook=rulebook))
    left = [d for d in found.differences if d.branch == "B01"]
    assert {d.manager: (d.before, d.after) for d in left} == {
        name: (pay, None) for name, pay in PAY.items()
    }
    assert found.totals.before == TOTAL


def test_a_branch_that_all_are_supposed_to_leave_is_compared_with_what_other_rules_give(
    october: Service,
) -> None:
    gone = [
        Sheet().put("assignment", name, role="left", source="if", source_id=name) for name in PEOPLE
    ]
    found = compared(
        asked(october, rulebook="elastic-pay", against="elastic-pay", added=tuple(entries(gone)))
    )
    assert (found.totals.before, found.totals.after) == (TOTAL, 0)


# rules


def test_what_is_published_or_chosen_later_does_not_hold_as_of_then(settled: Service) -> None:
    known = settled.ledger.position()
    ask: dict[str, Any] = {"branches": ("B01",), "as_of": str(known)}
    settled.publish(revised(settled), file="f", by="x")
    assert pays(asked(settled, branches=("B01",))) != PAY
    assert pays(asked(settled, **ask)) == PAY
    assert pays(asked(settled, rulebook="elastic-pay", **ask)) == PAY
    assert compared(asked(settled, against="elastic-pay", **ask)).differences == []
    then = statement_as_of(settled.evaluator, settled.rulebooks, HER, OCTOBER, None, known)
    assert then == statement_as_of(
        settled.evaluator, settled.rulebooks, HER, OCTOBER, "elastic-pay", known
    )
    assert (then.statement.steps["pay"], then.evaluation.program.rulebook.version) == (
        PAY[HER],
        "3.0.0",
    )
    settled.publish(other_pay(settled), file="f", by="x")
    chosen = settled.ledger.position()
    settled.rulebooks.pay_by("B01", ["other-pay"], OCTOBER.first, by="hr")
    by = [
        asked(settled, branches=("B01",), as_of=at).evaluations[0].program.rulebook.id
        for at in (str(chosen), None)
    ]
    assert by == ["elastic-pay", "other-pay"]
    assert (
        statement_as_of(
            settled.evaluator, settled.rulebooks, HER, OCTOBER, None, chosen
        ).evaluation.program.rulebook.id
        == "elastic-pay"
    )
    with pytest.raises(NotFound, match=f"as of position {known}: no rulebook other-pay"):
        asked(settled, rulebook="other-pay", **ask)


def test_a_version_that_is_named_may_be_published_later(settled: Service) -> None:
    known = str(settled.ledger.position())
    settled.publish(revised(settled), file="f", by="x")
    assert (
        asked(settled, rulebook="elastic-pay@3.1.0", as_of=known)
        .evaluations[0]
        .program.rulebook.version
        == "3.1.0"
    )
    assert compared(asked(settled, against="elastic-pay@3.1.0", as_of=known)).differences != []


def test_it_is_compared_with_the_last_settlement_of_then(settled: Service) -> None:
    known = settled.ledger.position()
    record(settled, reversal(APPEALED, "1"))
    settled.settle(OCTOBER, "B01", None, by="clerk")
    again = settled.ledger.position()
    then = compared(asked(settled, against="settled", as_of=str(known)))
    assert (then.differences, then.totals.before) == ([], TOTAL)
    half = compared(
        asked(settled, against="settled", as_of=str(again - 1))
    )  # its last statement was not there yet
    assert {d.manager for d in half.differences} == {HER, DISPLACED}
    assert compared(asked(settled, against="settled", as_of=str(again))).differences == []
    before = (
        next(p for p, e in settled.ledger.read(0, 1000) if e.TOPIC == "settlement-recorded") - 1
    )
    assert compared(asked(settled, against="settled", as_of=str(before))).totals.before == 0


# what is supposed


def test_what_is_supposed_is_judged_by_what_was_known_then(settled: Service) -> None:
    known = str(settled.ledger.position())
    sale = Sheet().put("sale", HER, "group_count", quantity="10", source="late")
    supposed = pays(asked(settled, added=tuple(entries([sale])), as_of=known))
    assert supposed[HER] != PAY[HER]
    late = Sheet()
    late.hire("N01", source="late", source_id="n")
    ratings = Sheet()
    ratings.put("sale", "N01", "group_count", quantity="1", source="if")
    record(settled, sale, late[0])
    assert pays(asked(settled, added=tuple(entries([sale])), as_of=known)) == supposed
    other = tuple(entries([sale | {"quantity": "11"}]))
    assert pays(asked(settled, added=other, as_of=known))[HER] > supposed[HER]
    with pytest.raises(Invalid, match="late"):
        asked(settled, added=other)
    with pytest.raises(Invalid, match="N01"):
        asked(settled, added=tuple(entries(ratings)), as_of=known)
    with pytest.raises(Declined, match="no such entry to leave out: late:n"):
        asked(settled, left_out=(("late", "n"),), as_of=known)


# runs


def publish(book: Service) -> None:
    book.publish(revised(book), file="f", by="x")


def choose(book: Service) -> None:
    book.publish(other_pay(book), file="f", by="x")
    book.rulebooks.pay_by("B01", ["other-pay"], OCTOBER.first, by="hr")


def settle_again(book: Service) -> None:
    record(book, reversal(APPEALED, "late"))
    book.settle(OCTOBER, "B01", None, by="clerk")


def record_the_supposed(book: Service) -> None:
    record(book, SUPPOSED)


def undo_her_assignment(book: Service) -> None:
    hired = next(e for e in ten_people() if e["kind"] == "assignment" and e["manager"] == HER)
    record(book, reversal(f"{hired['source']}:{hired['source_id']}", "late"))


SUPPOSED = Sheet().put("sale", HER, "group_count", quantity="10", source="if", note="口头告知")


@pytest.mark.parametrize(
    "since",
    [publish, choose, settle_again, move_all, record_the_supposed, undo_her_assignment],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("what", ["plain", "draft", "supposed", "left out"])
def test_a_run_is_repeated_whatever_came_since(
    settled: Service, since: Callable[[Service], None], what: str
) -> None:
    record(settled, Sheet().put("sale", "M01", "group_count", quantity="1", source="unsettled"))
    asking: dict[str, dict[str, Any]] = {
        "plain": {},
        "draft": {"draft": program_of(revised(settled, "3.2.0", "700"), "draft")},
        "supposed": {"added": tuple(entries([SUPPOSED, *ten_people()[1:2]]))},  # the other is known
        "left out": {"left_out": (("billing", "250"),)},
    }
    answers = [
        asked(settled, against=against, **asking[what])
        for against in ("settled", "elastic-pay", None)
    ]
    since(settled)
    before = settled.ledger.position()
    for answer in answers:
        assert contents(repeat_replay(settled, answer.position)) == contents(answer)
    assert settled.ledger.position() == before


def test_a_run_whose_digests_differ_is_not_repeated(settled: Service) -> None:
    answer = asked(settled, against="settled")
    run = run_at(settled, answer.position)
    other = ReplayRun(
        originator_id=uuid4(),
        originator_version=1,
        by="x",
        parameters=run.parameters,
        digests=("0" * 64,),
    )
    assert contents(repeat_replay(settled, answer.position)) == contents(answer)
    position = settled.ledger.record(other)
    with pytest.raises(NotRepeatable, match=f"replay {position} cannot be repeated"):
        repeat_replay(settled, position)


# explained


def test_what_is_explained_as_of_a_moment_is_what_a_statement_would_say_then(
    october: Service,
) -> None:
    known = october.ledger.position()
    record(october, reversal(APPEALED, "1"))
    now, then = (
        explain(october, HER, OCTOBER, as_of=str(at)) for at in (october.ledger.position(), known)
    )
    assert (then.total.value, now.total.value) == (PAY[HER], "2085")
    assert {s.step: s.value for s in then.steps if s.value is not None} == statement_as_of(
        october.evaluator, october.rulebooks, HER, OCTOBER, None, known
    ).statement.steps
    assert ([e.reversed_by for e in now.reversed_entries], then.reversed_entries) == (
        ["appeal:1"],
        [],
    )
    assert (then.provisional, then.issued.as_of, then.name) == (True, known, HER)
    assert then.payout is None
    with pytest.raises(Invalid, match="not both"):
        explain(october, HER, OCTOBER, number=1, as_of=str(known))


def test_beside_what_the_ledger_gives_stands_the_version_that_was_in_force_then(
    settled: Service,
) -> None:
    first = settled.ledger.position()
    record(settled, reversal(APPEALED, "1"))
    known = settled.ledger.position()
    settled.settle(OCTOBER, "B01", None, by="second-clerk")
    second = settled.ledger.position()
    settled.publish(other_pay(settled), file="other", by="x")
    settled.settle(OCTOBER, "B01", "other-pay", by="clerk")
    before = settled.statements.of_manager(HER, "2026-10")[0].position - 1
    told = {
        at: (
            found.total.value,
            found.in_force and (found.in_force.number, found.in_force.steps["pay"]),
        )
        for at in (before, first, known, second, settled.ledger.position())
        if (found := explain(settled, HER, OCTOBER, as_of=str(at)))
    }
    assert told == {
        before: (PAY[HER], None),
        first: (PAY[HER], (1, PAY[HER])),
        known: ("2085", (1, PAY[HER])),  # the ledger had moved on, the statement had not
        second: ("2085", (2, "2085")),
        settled.ledger.position(): ("2085", (2, "2085")),  # not that under another rulebook
    }
    other = explain(settled, HER, OCTOBER, "other-pay", as_of=str(second + 1))
    assert other.in_force is None
    assert explain(settled, HER, OCTOBER).in_force is None


# paid


def test_it_is_compared_with_what_was_paid_whatever_was_settled_since(closed: Service) -> None:
    record(closed, reversal(APPEALED, "1"))
    closed.resettle(Cycle(closed, OCTOBER, "B01"), "申诉成立", by="hr")
    assert compared(asked(closed, against="settled")).differences == []
    found = compared(asked(closed, against="paid"))
    assert {d.manager: (d.before, d.after) for d in found.differences} == {
        HER: ("1635", "2085"), DISPLACED: ("2025", "1825"),
    }  # fmt: skip
    assert found.causes is not None
    assert found.causes.reversals == 450
    assert (found.against, found.totals.before) == ("paid", TOTAL)


def test_without_a_branch_named_what_was_paid_is_compared_for_closed_ones(closed: Service) -> None:
    there = Sheet()
    there.hire("N01", branch="B02", source="b02")
    there.put("measure", item="minimum_wage", value="9000", branch="B02", source="b02")
    record(closed, *there)
    answer = asked(closed, against="paid")
    assert [e.branch for e in answer.evaluations] == ["B01"]
    assert [e.branch for e in asked(closed, against="settled").evaluations] == ["B01", "B02"]
    with pytest.raises(Declined, match="2026-10 is not closed for B02"):
        asked(closed, against="paid", branches=("B01", "B02"))


def test_what_was_known_before_the_close_is_compared_with_what_was_paid_and_an_open_period_is_declined(
    closed: Service,
) -> None:
    before = closed.payments.closings()[0].position - 1
    for known in (before, before + 1):
        assert compared(asked(closed, against="paid", as_of=str(known))).differences == []
    with pytest.raises(Declined, match="2026-11 is not closed"):
        replay(closed, Question((OCTOBER, Period.parse("2026-11")), against="paid"), by="x")
