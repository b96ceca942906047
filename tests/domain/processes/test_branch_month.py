"""考核月: the thirteen steps, what makes them outdated, who may review, and what keeps a month open.

Every row is of October 2026 in B01, so the days of the steps are days of November.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.errors import Declined, Text
from domain.identifiers import Month, Period, stream_id
from domain.ledger.events import (
    AuditFindingRecorded,
    AuditFindingResolved,
    CycleStepDone,
    Event,
    FindingAcknowledged,
    MonthClosed,
    MonthResettled,
    SampleOrdered,
)
from domain.processes.branch_month import (
    BY_CODE,
    DECISION_DAYS,
    OBJECTION_DAYS,
    STEPS,
    USUAL,
    Acknowledged,
    BranchMonth,
    StepState,
    after,
    check_closing,
    check_step,
    check_text,
    deadline,
    evolve,
    schedule_of,
    step_states,
    window,
)
from domain.rights import ACTS, Role
from domain.rulebook.model import CycleTerms, Rulebook
from tests.rules import program

OCTOBER = Period.parse("2026-10")
Happened = str | tuple[type[Event], dict[str, Any]]  # a step by its code, or another event

# A month up to its payment, in the order of the steps.
LOADED = (
    *("gs_rated", "deductions_loaded", "position_calculated", "position_reviewed"),
    *("industry_loaded", "kpi_loaded", "deep_loaded"),
)
REPORTED = (*LOADED, "total_calculated", "total_reviewed", "submitted", "audited", "reported")


def done(step: str, by: str = "wang", at: str = "2026-11-05T08:00Z", **fields: Any) -> Happened:
    return CycleStepDone, {"step": step, "by": by, "at": at, **fields}


def finding(text: str = "缺凭证", **fields: Any) -> Happened:
    return AuditFindingRecorded, {"text": text, "blocking": True, **fields}


def resolved(number: int, text: str = "已补") -> Happened:
    return AuditFindingResolved, {"number": number, "text": text}


CLOSED: Happened = MonthClosed, {"settlements": (), "payments": ()}


def month(*happened: Happened, settled: tuple[int, ...] = ()) -> BranchMonth:
    """The month after these events; `settled`: what the branch was last settled at."""
    common = {"originator_id": stream_id("cycle", "B01"), "branch": "B01", "period": "2026-10"}
    common |= {"by": "wang", "at": datetime(2026, 11, 5, 8, tzinfo=UTC)}
    events = []
    for version, one in enumerate(happened, 1):
        kind, fields = done(one) if isinstance(one, str) else one
        events.append(kind(**common | {"originator_version": version} | fields))
    return evolve(BranchMonth("B01", "2026-10", settled=frozenset(settled)), events)


def states(state: BranchMonth) -> str:
    """The first letter of each step's state (done, outdated, ready, blocked), in order."""
    return "".join(state.state_of(step)[0] for step in STEPS)


def refusal(state: BranchMonth, step: str, who: str = "zhao") -> Declined:
    with pytest.raises(Declined) as declined:
        check_step(state, step, who)
    return declined.value


# The steps

INTEGRATION, OFFICE, LEADERS = ["integration"], ["back_office"], ["branch_leader", "team_leader"]


@pytest.mark.parametrize(
    ("number", "zh", "code", "owners", "day"),
    [
        (1, "GS考核计算", "gs_rated", LEADERS, 10),
        (2, "扣减积分取数", "deductions_loaded", INTEGRATION, 10),
        (3, "岗位考核积分计算", "position_calculated", OFFICE, 12),
        (4, "岗位考核积分复核", "position_reviewed", ["team_leader"], 13),
        (5, "行业深度运营取数", "industry_loaded", INTEGRATION, 10),
        (6, "集团KPI取数", "kpi_loaded", INTEGRATION, 12),
        (7, "集团深度运营取数", "deep_loaded", INTEGRATION, 12),
        (8, "积分总和计算", "total_calculated", OFFICE, 14),
        (9, "积分总和复核", "total_reviewed", LEADERS, 16),
        (10, "积分总和报送", "submitted", OFFICE, 16),
        (11, "考核积分稽核", "audited", ["department", "auditor"], 18),
        (12, "报送人力资源部", "reported", ["department"], 18),
        (13, "薪酬计算与发放", "paid", ["hr"], 20),
    ],
)
def test_a_step_is_as_the_scheme_prints_it(
    number: int, zh: str, code: str, owners: list[str], day: int
) -> None:
    step = STEPS[number - 1]
    assert (step.code, step.label.zh, step.day) == (code, zh, day)
    assert [*ACTS[step.act]] == owners


def test_there_are_thirteen_steps() -> None:
    assert len(STEPS) == len(BY_CODE) == 13


# What a step needs

FREE = ("gs_rated", "deductions_loaded", "industry_loaded", "kpi_loaded", "deep_loaded")
NEEDS = {
    "position_calculated": ("deductions_loaded",),
    "position_reviewed": ("position_calculated",),
    "total_calculated": (
        *("gs_rated", "position_reviewed", "industry_loaded", "kpi_loaded", "deep_loaded"),
    ),
    "total_reviewed": ("total_calculated",),
    "submitted": ("total_reviewed",),
    "audited": ("submitted",),
    "reported": ("audited",),
    "paid": ("reported",),
}


@pytest.mark.parametrize("step", FREE)
def test_a_step_that_needs_nothing_may_come_first(step: str) -> None:
    assert check_step(month(), step, "zhao").code == step


@pytest.mark.parametrize(
    ("step", "need"), [(s, need) for s, needs in NEEDS.items() for need in needs]
)
def test_a_step_waits_for_each_that_it_needs(step: str, need: str) -> None:
    before = REPORTED[: REPORTED.index(step)] if step in REPORTED else REPORTED
    assert check_step(month(*before), step, "zhao").code == step
    lacking = month(*(code for code in before if code != need))
    assert need in lacking.waits_for(BY_CODE[step])
    assert refusal(lacking, step).code == "not_ready"


@pytest.mark.parametrize(
    ("so_far", "expected"),
    [
        ((), "rrbbrrrbbbbbb"),
        (("gs_rated",), "drbbrrrbbbbbb"),
        (("deductions_loaded",), "rdrbrrrbbbbbb"),
        (("deductions_loaded", "position_calculated"), "rddrrrrbbbbbb"),
        (LOADED[1:], "rddddddbbbbbb"),
        (LOADED, "dddddddrbbbbb"),
        (REPORTED[:8], "ddddddddrbbbb"),
        (REPORTED[:9], "dddddddddrbbb"),
        (REPORTED[:10], "ddddddddddrbb"),
        (REPORTED[:11], "dddddddddddrb"),
        (REPORTED, "ddddddddddddr"),
        ((*REPORTED, "paid"), "ddddddddddddd"),
    ],
)
def test_a_month_on_its_way(so_far: tuple[str, ...], expected: str) -> None:
    assert states(month(*so_far)) == expected


def test_a_step_that_is_not_ready_names_what_is_missing_in_order_and_who_does_it() -> None:
    state = month("gs_rated", "deductions_loaded", "position_calculated", "deductions_loaded")
    text = refusal(state, "total_calculated").text
    assert text.en == (
        "total_calculated (total calculated) of B01 2026-10 cannot be done yet; first: "
        "position_calculated (position calculated, outdated, by back office, administrator); "
        "position_reviewed (position reviewed, blocked, by team leader, administrator); "
        "industry_loaded (industry operation loaded, ready, by integration, administrator); "
        "kpi_loaded (group KPI loaded, ready, by integration, administrator); "
        "deep_loaded (group deep operation loaded, ready, by integration, administrator)"
    )
    assert text.zh.startswith(
        "B01 2026-10 的 total_calculated（积分总和计算）还不能办理，须先完成："
    )
    assert "position_calculated（岗位考核积分计算，须重办，由分公司后台、管理员办理）" in text.zh
    assert "position_reviewed（岗位考核积分复核，未办，由班组长、管理员办理）" in text.zh
    assert "deductions_loaded" not in text.both


def test_a_step_that_there_is_not_is_declined_with_those_that_there_are() -> None:
    assert "gs_rated, deductions_loaded, " in refusal(month(), "gs").text.en


# A step that is done again


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        (("gs_rated",), "dddddddooooob"),
        (("deductions_loaded",), "ddoodddooooob"),
        (("position_calculated",), "dddodddooooob"),
        (("position_reviewed",), "dddddddooooob"),
        (("industry_loaded",), "dddddddooooob"),
        (("kpi_loaded",), "dddddddooooob"),
        (("deep_loaded",), "dddddddooooob"),
        (("total_calculated",), "ddddddddoooob"),
        (("total_reviewed",), "dddddddddooob"),
        (("submitted",), "ddddddddddoob"),
        (("audited",), "dddddddddddob"),
        (("reported",), "ddddddddddddr"),
        (("paid", "reported"), "ddddddddddddo"),
        # And on the way back.
        (("deductions_loaded", "position_calculated"), "dddodddooooob"),
        (("deductions_loaded", "position_calculated", "position_reviewed"), "dddddddooooob"),
        (("kpi_loaded", "deep_loaded", "total_calculated"), "ddddddddoooob"),
        (("total_calculated", "total_reviewed", "submitted", "audited"), "dddddddddddob"),
        (REPORTED[7:], "ddddddddddddr"),
    ],
)
def test_what_stands_on_a_step_is_outdated_when_it_is_done_again(
    again: tuple[str, ...], expected: str
) -> None:
    assert states(month(*REPORTED, *again)) == expected


def test_an_outdated_step_is_done_again_once_what_it_needs_is() -> None:
    state = month(*REPORTED, "deductions_loaded")
    assert check_step(state, "position_calculated", "zhao").code == "position_calculated"
    assert refusal(state, "position_reviewed").code == "not_ready"
    assert refusal(state, "total_calculated").code == "not_ready"


def test_the_last_time_counts_and_the_times_are_counted() -> None:
    first = done("gs_rated", "wang", "2026-11-05T08:00Z", note="初评")
    state = month(first, done("gs_rated", "li", "2026-11-06T09:00Z", settlements=(7,)))
    assert state.done["gs_rated"] == (
        *("li", "2026-11-06T09:00:00.000000Z", None, (7,)),
        *(2, 2),  # its place among the events, and how often it was done
    )
    assert (state.begun, month(finding()).begun) == (True, False)


@pytest.mark.parametrize(
    ("calculated", "settled", "closed", "state"),
    [
        ((7,), (7,), False, "done"),
        ((7,), (), False, "done"),
        ((7, 8), (7,), False, "done"),
        ((7, 8), (8, 7), False, "done"),
        ((7,), (9,), False, "outdated"),
        ((7, 8), (7, 9), False, "outdated"),
        ((), (9,), False, "outdated"),
        ((7,), (9,), True, "done"),
    ],
)
def test_a_settlement_after_the_total_makes_it_outdated_while_the_month_is_open(
    calculated: tuple[int, ...], settled: tuple[int, ...], closed: bool, state: str
) -> None:
    total = done("total_calculated", settlements=calculated)
    later = (*REPORTED[8:], *((CLOSED,) if closed else ()))
    found = month(*LOADED, total, *later, settled=settled)
    assert found.state_of(BY_CODE["total_calculated"]) == state
    assert found.state_of(BY_CODE["reported"]) == state
    assert found.state_of(BY_CODE["position_calculated"]) == "done"


# Who may review

POSITION = ("deductions_loaded", "position_calculated")


@pytest.mark.parametrize(
    ("before", "review", "who", "allowed"),
    [
        (POSITION, "position_reviewed", "zhao", True),
        (POSITION, "position_reviewed", "wang", False),
        # Somebody else calculated again: theirs is the calculation under review.
        ((*POSITION, done("position_calculated", "zhao")), "position_reviewed", "zhao", False),
        ((*POSITION, done("position_calculated", "zhao")), "position_reviewed", "wang", True),
        (REPORTED[:8], "total_reviewed", "zhao", True),
        (REPORTED[:8], "total_reviewed", "wang", False),
        # Whoever calculated the positions alone did not calculate the total.
        ((*LOADED, done("total_calculated", "zhao")), "total_reviewed", "wang", True),
        ((*LOADED, done("total_calculated", "zhao")), "total_reviewed", "zhao", False),
        # Nothing else is kept apart.
        (REPORTED[:9], "submitted", "wang", True),
        (REPORTED, "paid", "wang", True),
    ],
)
def test_a_calculation_is_reviewed_by_another_person(
    before: tuple[Happened, ...], review: str, who: str, allowed: bool
) -> None:
    if allowed:
        assert check_step(month(*before), review, who).code == review
    else:
        declined = refusal(month(*before), review, who)
        assert declined.code == "separation_of_duties"
        assert f"{who} calculated this month and may not review it" in declined.text.en


# Deadlines


@pytest.mark.parametrize(
    ("period", "due"),
    [
        ("2026-10", "2026-11-20"),
        ("2026-12", "2027-01-20"),
        ("2026-01", "2026-02-20"),
        ("2026-Q3", "2026-10-20"),
        ("2026-Q4", "2027-01-20"),
        ("2026-H1", "2026-07-20"),
        ("2026", "2027-01-20"),
    ],
)
def test_a_step_is_due_in_the_month_after_the_period(period: str, due: str) -> None:
    assert deadline(BY_CODE["paid"], Period.parse(period)) == date.fromisoformat(due)
    assert deadline(BY_CODE["gs_rated"], Period.parse(period)).day == 10


def scheduled(**terms: str) -> Rulebook:
    return program({"pay yuan": "1"}, cycle=terms).rulebook


def test_a_rulebook_sets_windows_and_days_and_leaves_the_others_as_usual() -> None:
    assert schedule_of([]) == schedule_of([scheduled()]) == USUAL
    schedule = schedule_of([scheduled(objection_days="7", decision_days="20", paid="25")])
    assert (schedule.objection_days, schedule.decision_days) == (7, 20)
    assert schedule.days == {**USUAL.days, "paid": 25}
    assert deadline(BY_CODE["paid"], OCTOBER, schedule) == date(2026, 11, 25)
    assert deadline(BY_CODE["gs_rated"], OCTOBER, schedule) == date(2026, 11, 10)


def test_of_two_rulebooks_the_longer_window_and_the_earlier_day_hold() -> None:
    a = scheduled(objection_days="7", decision_days="10", gs_rated="8", paid="25")
    b = scheduled(objection_days="6", decision_days="12", gs_rated="9", paid="22")
    for rulebooks in ([a, b], [b, a]):
        schedule = schedule_of(rulebooks)
        assert (schedule.objection_days, schedule.decision_days) == (7, 12)
        assert (schedule.days["gs_rated"], schedule.days["paid"]) == (8, 22)
    usual = schedule_of([scheduled(objection_days="3", paid="25", gs_rated="8"), scheduled()])
    # What the other leaves out is what is usual.
    assert (usual.objection_days, usual.days["paid"], usual.days["gs_rated"]) == (5, 20, 8)


def test_every_step_has_a_key_in_a_rulebooks_cycle() -> None:
    assert {*CycleTerms.model_fields} == {"objection_days", "decision_days", *BY_CODE}


def test_a_step_is_overdue_by_the_schedule() -> None:
    schedule = schedule_of([scheduled(gs_rated="8")])
    lines = step_states(month(), OCTOBER, date(2026, 11, 9), day_of, schedule)
    assert [one.step for one in lines if one.overdue] == ["gs_rated"]
    assert lines[0].due == "2026-11-08"


@pytest.mark.parametrize(("period", "day"), [("2026-10", "2026-11-01"), ("2026-12", "2027-01-01")])
def test_the_month_after_begins_on_its_first_day(period: str, day: str) -> None:
    assert after(Month.parse(period)) == date.fromisoformat(day)


def day_of(at: str) -> date:
    """Of an instant, where it was written in the zone."""
    return date.fromisoformat(at[:10])


def line(state: BranchMonth, step: str, today: str) -> StepState:
    """How a step stands on a day."""
    lines = step_states(state, OCTOBER, date.fromisoformat(today), day_of)
    assert [one.number for one in lines] == list(range(1, 14))
    return next(one for one in lines if one.step == step)


LATE = done("gs_rated", at="2026-11-11T00:00:00Z")
LAST_MOMENT = done("gs_rated", at="2026-11-10T23:59:59.999999Z")


@pytest.mark.parametrize(
    ("happened", "step", "today", "overdue"),
    [
        ((), "gs_rated", "2026-11-10", False),
        ((), "gs_rated", "2026-11-11", True),
        ((LAST_MOMENT,), "gs_rated", "2026-11-30", False),
        ((LATE,), "gs_rated", "2026-11-30", True),
        ((), "position_reviewed", "2026-11-13", False),  # blocked, and due all the same
        ((), "position_reviewed", "2026-11-14", True),
        # What is outdated is due again by the same day.
        ((*POSITION, "deductions_loaded"), "position_calculated", "2026-11-12", False),
        ((*POSITION, "deductions_loaded"), "position_calculated", "2026-11-13", True),
        (REPORTED, "paid", "2026-11-20", False),
        (REPORTED, "paid", "2026-11-21", True),
    ],
)
def test_a_step_is_overdue_from_the_day_after_its_last(
    happened: tuple[Happened, ...], step: str, today: str, overdue: bool
) -> None:
    assert line(month(*happened), step, today).overdue is overdue


def test_a_line_says_who_did_the_step_and_what_blocks_it() -> None:
    calculated = done(
        "position_calculated", "li", "2026-11-06T09:00Z", note="试算", settlements=(7,)
    )
    state = month("deductions_loaded", calculated)
    assert line(state, "position_calculated", "2026-11-30") == StepState(
        number=3,
        step="position_calculated",
        label=Text("岗位考核积分计算", "position calculated"),
        owners=(Role.BACK_OFFICE,),
        due="2026-11-12",
        state="done",
        overdue=False,
        waits_for=[],
        by="li",
        at="2026-11-06T09:00:00.000000Z",
        note="试算",
        settlements=(7,),
        times=1,
    )
    waiting = line(state, "total_calculated", "2026-11-30")
    assert waiting == StepState(
        number=8,
        step="total_calculated",
        label=Text("积分总和计算", "total calculated"),
        owners=(Role.BACK_OFFICE,),
        due="2026-11-14",
        state="blocked",
        overdue=True,
        waits_for=[*NEEDS["total_calculated"]],
        by=None,
        at=None,
        note=None,
        settlements=(),
        times=0,
    )


# Publication and its windows


@pytest.mark.parametrize(
    ("published", "days", "last_day"),
    [
        (None, 5, None),
        (date(2026, 11, 18), 5, "2026-11-23"),
        (date(2026, 11, 28), 5, "2026-12-03"),
        (date(2026, 12, 30), 15, "2027-01-14"),
        (date(2028, 2, 28), 1, "2028-02-29"),
        (date(2026, 11, 18), 0, "2026-11-18"),
    ],
)
def test_a_window_is_counted_in_days_from_publication(
    published: date | None, days: int, last_day: str | None
) -> None:
    assert window(published, days) == (date.fromisoformat(last_day) if last_day else None)


def test_objections_have_five_days_and_decisions_fifteen() -> None:
    assert (OBJECTION_DAYS, DECISION_DAYS) == (5, 15)


def test_a_month_is_published_when_it_is_reported_and_again_when_it_is_reported_again() -> None:
    reports = [done("reported", at=f"2026-11-{day}T08:00Z") for day in (17, 19)]
    assert month(*REPORTED[:11]).published_at is None
    assert month(*REPORTED[:11], reports[0]).published_at == "2026-11-17T08:00:00.000000Z"
    assert month(*REPORTED[:11], *reports).published_at == "2026-11-19T08:00:00.000000Z"


@pytest.mark.parametrize(
    ("happened", "stage"),
    [
        ((), "new"),
        ((finding(),), "new"),  # no step of it was done
        (("gs_rated",), "open"),
        (REPORTED[:11], "open"),
        (REPORTED, "published"),
        ((*REPORTED, "gs_rated"), "published"),
        ((*REPORTED, "paid", CLOSED), "closed"),
        ((CLOSED,), "closed"),
    ],
)
def test_how_far_a_month_is(happened: tuple[Happened, ...], stage: str) -> None:
    assert month(*happened).stage == stage


# Audits


def test_a_finding_has_a_number_and_keeps_what_resolved_it() -> None:
    of_m3 = finding("缺凭证", manager="M03", by="shen", at="2026-11-17T08:00Z")
    mended = (
        AuditFindingResolved,
        {"number": 1, "text": "已补", "by": "gao", "at": "2026-11-18T08:00Z"},
    )
    one, two = month(of_m3, finding("多计", blocking=False), mended).findings
    assert one == (
        *(1, "M03", "缺凭证", True, "shen", "2026-11-17T08:00:00.000000Z"),
        *("已补", "gao", "2026-11-18T08:00:00.000000Z"),
    )
    assert (two.number, two.manager, two.blocking, two.resolved) == (2, None, False, None)


def test_acknowledgements_of_the_check_are_kept_by_what_was_found() -> None:
    """The last one of a digest says who and why."""
    first, again, other = (
        (FindingAcknowledged, {"code": "tie", "digest": digest, "note": note, "by": by})
        for digest, note, by in (("a", "n", "li"), ("a", "m", "hr"), ("b", "o", "li"))
    )
    at = "2026-11-05T08:00:00.000000Z"
    assert month(first, again, other).acknowledged == {
        "a": Acknowledged("hr", at, "m"),
        "b": Acknowledged("li", at, "o"),
    }


def test_samples_and_resettlements_are_kept_in_order_and_every_event_counts_as_a_version() -> None:
    order = {"size": 1, "seed": "s", "by_team": False, "by_amount": False, "settlement": 7}
    samples = [(SampleOrdered, order | {"size": size}) for size in (1, 2)]
    resettled = [
        (MonthResettled, {"reason": reason, "digests": (), "postings": ()}) for reason in "ab"
    ]
    state = month("gs_rated", *samples, CLOSED, *resettled)
    assert [sample.size for sample in state.samples] == [1, 2]
    assert [one.reason for one in state.resettled] == ["a", "b"]
    assert state.closed is not None
    assert (month().version, month("gs_rated").version, state.version) == (0, 1, 6)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", False),
        (" \n\t", False),
        ("好", True),
        ("字" * 2000, True),
        (f"  {'字' * 2000}  ", True),
        ("字" * 2001, False),
        ("a\0b", False),
    ],
)
def test_a_finding_says_something_in_up_to_2000_characters(text: str, allowed: bool) -> None:
    if allowed:
        check_text(text)
    else:
        with pytest.raises(Declined, match="1 to 2000 characters"):
            check_text(text)


# The end


@pytest.mark.parametrize(
    ("happened", "code"),
    [
        ((), None),  # closed on its settlement, without a process
        (REPORTED, None),
        *((REPORTED[:count], "not_ready") for count in range(1, 12)),
        (("deep_loaded",), "not_ready"),
        ((*REPORTED, "audited"), "not_ready"),
        ((*REPORTED, "audited", "reported"), None),
        ((*REPORTED, "deductions_loaded"), "not_ready"),
        ((finding(),), "declined"),
        ((finding(blocking=False),), None),
        ((finding(), resolved(1)), None),
        ((finding(), finding(), resolved(1)), "declined"),
        ((finding(), finding(), resolved(1), resolved(2)), None),
        ((*REPORTED, finding()), "declined"),
        ((*REPORTED, finding(), resolved(1)), None),
        ((*REPORTED, "paid", CLOSED), "closed"),
        ((CLOSED,), "closed"),
    ],
)
def test_what_keeps_a_month_from_being_closed(
    happened: tuple[Happened, ...], code: str | None
) -> None:
    if code is None:
        check_closing(month(*happened))
    else:
        with pytest.raises(Declined) as declined:
            check_closing(month(*happened))
        assert declined.value.code == code


def test_a_settlement_that_nobody_reviewed_keeps_a_month_open() -> None:
    total = done("total_calculated", settlements=(7,))
    check_closing(month(*LOADED, total, *REPORTED[8:], settled=(7,)))
    with pytest.raises(Declined, match="total_calculated"):
        check_closing(month(*LOADED, total, *REPORTED[8:], settled=(9,)))


def test_what_is_open_is_named_with_its_number_and_what_is_resolved_is_not() -> None:
    state = month(
        *(finding("缺凭证"), finding("多计", manager="M03"), finding("迟报", blocking=False)),
        *(finding("漏计"), resolved(1)),
    )
    with pytest.raises(Declined) as declined:
        check_closing(state)
    assert "2 条稽核问题未整改" in declined.value.text.zh
    assert "2. M03 多计；4.  漏计" in declined.value.text.zh
    assert "缺凭证" not in declined.value.text.zh
    assert "迟报" not in declined.value.text.zh
    assert "2 open blocking finding(s)" in declined.value.text.en


@pytest.mark.parametrize("step", [step.code for step in STEPS])
def test_no_step_of_a_closed_month_is_done_again(step: str) -> None:
    declined = refusal(month(*REPORTED, "paid", CLOSED), step)
    assert declined.code == "closed"
    assert "B01 2026-10" in declined.text.zh
