"""申诉: every act in every state, who may decide, which correction a decision approves, and in time
or late.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.errors import Declined, Invalid
from domain.identifiers import stream_id
from domain.ledger.events import (
    AppealAccepted,
    AppealCarriedOut,
    AppealDecided,
    AppealFiled,
    AppealNotified,
    AppealRejected,
    AppealWithdrawn,
    CorrectionProposed,
    Event,
    EvidenceAttached,
    ReviewRequested,
)
from domain.processes.appeal import (
    ALLOWED,
    STATES,
    Appeal,
    WrongState,
    check,
    check_acceptance,
    check_decision,
    check_disinterest,
    check_rejection,
    evolve,
    parsed_entries,
)

Happened = tuple[type[Event], dict[str, Any]]

ACCEPTED: Happened = AppealAccepted, {}
REJECTED: Happened = AppealRejected, {"code": "out_of_time", "reason": "过期"}
EVIDENCE: Happened = EvidenceAttached, {"note": "凭证"}
NOTIFIED: Happened = AppealNotified, {}
WITHDRAWN: Happened = AppealWithdrawn, {}
REVIEW: Happened = ReviewRequested, {"reason": "不服"}
CARRIED_OUT: Happened = (
    AppealCarriedOut,
    {"entries": (), "resettled": False, "before": None, "after": None, "month": None},
)


def proposed(by: str = "wu") -> Happened:
    return CorrectionProposed, {"note": None, "entries": (), "by": by}


def decided(decision: str, proposal: int | None = None, by: str = "zhao") -> Happened:
    return AppealDecided, {"decision": decision, "reason": "r", "proposal": proposal, "by": by}


UPHELD = (ACCEPTED, proposed(), decided("upheld", 1))
DISMISSED = (ACCEPTED, decided("dismissed"))


def appeal(*happened: Happened, by: str = "M03", at: str = "2026-11-20T08:00Z") -> Appeal:
    """The appeal of M03 about October, filed by somebody then, after these events."""
    common = {"originator_id": stream_id("appeal", "A1"), "appeal": "A1"}
    common |= {"by": "li", "at": datetime(2026, 11, 21, tzinfo=UTC)}
    disputed = {"manager": "M03", "period": "2026-10", "branch": "B01", "team": "T1"}
    disputed |= {"rulebook": "elastic-pay", "version": 1, "lines": (), "reason": "有误"}
    filed = AppealFiled(**common | disputed | {"originator_version": 1, "by": by, "at": at})
    later = (
        kind(**common | {"originator_version": version} | fields)
        for version, (kind, fields) in enumerate(happened, 2)
    )
    return evolve([filed, *later])


# States


@pytest.mark.parametrize(
    ("happened", "state"),
    [
        ((), "filed"),
        ((EVIDENCE,), "filed"),
        ((ACCEPTED,), "accepted"),
        ((ACCEPTED, EVIDENCE, proposed()), "accepted"),
        ((REJECTED,), "rejected"),
        ((REJECTED, NOTIFIED), "rejected"),
        ((WITHDRAWN,), "withdrawn"),
        ((ACCEPTED, WITHDRAWN), "withdrawn"),
        (DISMISSED, "decided"),
        ((*DISMISSED, NOTIFIED), "decided"),
        (UPHELD, "decided"),
        ((*UPHELD, CARRIED_OUT), "carried_out"),
        ((*UPHELD, CARRIED_OUT, NOTIFIED), "carried_out"),
        ((*DISMISSED, REVIEW), "in_review"),
        ((*UPHELD, CARRIED_OUT, REVIEW), "in_review"),
        ((*UPHELD, REVIEW, CARRIED_OUT), "in_review"),  # carried out while it is in review
        ((*DISMISSED, REVIEW, EVIDENCE, proposed()), "in_review"),
        ((*DISMISSED, REVIEW, decided("dismissed", by="gao")), "decided"),
        ((*DISMISSED, REVIEW, proposed(), decided("upheld", 1, "gao")), "decided"),
        ((*DISMISSED, REVIEW, proposed(), decided("upheld", 1, "gao"), CARRIED_OUT), "carried_out"),
    ],
)
def test_what_an_appeal_has_come_to(happened: tuple[Happened, ...], state: str) -> None:
    assert appeal(*happened).state == state


IN_STATE: dict[str, tuple[Happened, ...]] = {
    "filed": (),
    "accepted": (ACCEPTED,),
    "rejected": (REJECTED,),
    "decided": UPHELD,
    "carried_out": (*UPHELD, CARRIED_OUT),
    "in_review": (*UPHELD, REVIEW),
    "withdrawn": (WITHDRAWN,),
}
# Which act (a column) an appeal in which state (a row) allows.
TABLE = """
            accept reject evidence propose decide notify withdraw review
filed       x      x      x        -       -      -      x        -
accepted    -      -      x        x       x      -      x        -
rejected    -      -      -        -       -      x      -        -
decided     -      -      -        -       -      x      -        x
carried_out -      -      -        -       -      x      -        x
in_review   -      -      x        x       x      -      -        -
withdrawn   -      -      -        -       -      -      -        -
"""
ACTS, *ROWS = (row.split() for row in TABLE.strip().splitlines())


@pytest.mark.parametrize(("state", "marks"), [(row[0], row[1:]) for row in ROWS], ids=IN_STATE)
def test_each_state_allows_these_acts_and_no_other(state: str, marks: list[str]) -> None:
    found = appeal(*IN_STATE[state])
    assert found.state == state
    assert "".join(attempt(found, act) for act in ACTS) == "".join(marks)


def attempt(found: Appeal, act: str) -> str:
    """The table's mark for an act; what is refused is refused for the state."""
    try:
        check(found, act)
    except WrongState:
        return "-"
    return "x"


def test_the_table_has_every_act_and_every_state() -> None:
    assert sorted(ACTS) == sorted(ALLOWED)
    assert [row[0] for row in ROWS] == list(IN_STATE) == list(STATES)


def test_a_refused_act_says_the_state_and_what_can_be_done_by_whom() -> None:
    with pytest.raises(WrongState) as declined:
        check(appeal(ACCEPTED, WITHDRAWN), "decide")
    zh, en = declined.value.text
    assert zh == "申诉 A1 的状态是已撤回，不能裁决；现在可以：无"
    assert en == "appeal A1 is withdrawn: one cannot decide it; what can be done now: nothing"
    with pytest.raises(WrongState) as declined:
        check(appeal(*UPHELD), "withdraw")
    zh, en = declined.value.text
    assert zh == (
        "申诉 A1 的状态是已裁决，不能撤回；现在可以："
        "告知（人力资源、主管部门、管理员）；申请复核（客户经理本人、人力资源、管理员）"
    )
    assert en == (
        "appeal A1 is decided: one cannot withdraw it; what can be done now: "
        "notify the person (HR, department, administrator); "
        "ask for a review (the manager themselves, HR, administrator)"
    )


@pytest.mark.parametrize(
    "happened",
    [
        (*DISMISSED, REVIEW, decided("dismissed", by="gao")),
        (*UPHELD, CARRIED_OUT, REVIEW, decided("dismissed", by="gao")),
    ],
)
def test_a_decision_goes_to_review_once(happened: tuple[Happened, ...]) -> None:
    with pytest.raises(Declined, match="A1 was reviewed once") as declined:
        check(appeal(*happened), "review")
    assert declined.value.code == "declined"
    check(appeal(*happened), "notify")


def test_every_event_is_kept_where_it_belongs() -> None:
    two = decided("dismissed", by="gao")
    events = (EVIDENCE, *UPHELD, CARRIED_OUT, NOTIFIED, REVIEW, two, NOTIFIED)
    found = appeal(*events)
    assert [type(event) for event in found.history] == [AppealFiled, *(kind for kind, _ in events)]
    assert (appeal().version, found.version) == (1, 10)
    assert (len(found.evidence), len(found.proposals), len(found.carried_out)) == (1, 1, 1)
    assert [decision.by for decision in found.decisions] == ["zhao", "gao"]
    assert len(found.notified) == 2
    assert (found.accepted, found.review) == (found.history[2], found.history[7])


# In time or late

FILED, FILED_ON = "2026-11-23T15:59:59.999999Z", date(2026, 11, 23)


@pytest.mark.parametrize(
    ("last_day", "in_time"),
    [
        ("2026-11-23", True),
        ("2026-11-22", False),
        ("2026-11-24", True),
        (None, True),  # before publication no window has begun
    ],
)
def test_an_appeal_of_the_last_day_is_in_time_and_one_of_the_next_day_is_late(
    last_day: str | None, in_time: bool
) -> None:
    found = appeal(at=FILED)
    if in_time:
        check_acceptance(found, FILED_ON, last_day)
        with pytest.raises(Declined, match=r"2026-11-23.*not_own or other"):
            check_rejection(found, "out_of_time", FILED_ON, last_day)
    else:
        check_rejection(found, "out_of_time", FILED_ON, last_day)
        with pytest.raises(Declined, match=r"2026-11-23.*closed on 2026-11-22.*out_of_time"):
            check_acceptance(found, FILED_ON, last_day)


def test_an_appeal_that_is_not_late_says_until_when_the_window_is_open() -> None:
    with pytest.raises(Declined, match="the window closes on 2026-11-24: it is in time"):
        check_rejection(appeal(at=FILED), "out_of_time", FILED_ON, "2026-11-24")
    with pytest.raises(Declined, match="not published, so no window has begun: it is in time"):
        check_rejection(appeal(at=FILED), "out_of_time", FILED_ON, None)


# Who may decide, and what

FIRST = (ACCEPTED, proposed("wu"), proposed("zhou"))
SECOND = (*FIRST, decided("upheld", 1, "zhao"), CARRIED_OUT, REVIEW)


@pytest.mark.parametrize(
    ("before", "decision", "proposal", "who", "because"),
    [
        # A first decision: one that helps approves a proposal, one that dismisses approves none.
        (FIRST, "upheld", 1, "gao", None),
        (FIRST, "partly_upheld", 2, "gao", None),
        (FIRST, "dismissed", None, "gao", None),
        (FIRST, "upheld", None, "gao", "approves a correction"),
        (FIRST, "partly_upheld", None, "gao", "approves a correction"),
        (FIRST, "dismissed", 1, "gao", "corrects nothing"),
        (FIRST, "granted", 1, "gao", "use: upheld, partly_upheld, dismissed"),
        # Proposals are numbered from 1.
        (FIRST, "upheld", 0, "gao", "no correction 0; there are 2"),
        (FIRST, "upheld", 3, "gao", "no correction 3; there are 2"),
        (FIRST, "upheld", -1, "gao", "no correction -1; there are 2"),
        ((ACCEPTED,), "upheld", 1, "gao", "no correction 1; there are 0"),
        # Not by who rated or calculated the month, nor by who proposed what it approves.
        (FIRST, "dismissed", None, "rater", "rater rated this month"),
        (FIRST, "upheld", 1, "rater", "rater rated this month"),
        (FIRST, "dismissed", None, "clerk", "clerk calculated this month"),
        (FIRST, "upheld", 1, "wu", "wu proposed this correction"),
        (FIRST, "upheld", 2, "wu", None),
        (FIRST, "dismissed", None, "wu", None),
        # Only while it is open.
        ((), "dismissed", None, "gao", "is filed"),
        ((REJECTED,), "dismissed", None, "gao", "is rejected"),
        (DISMISSED, "dismissed", None, "gao", "is decided"),
        # A review: by somebody else than the first decision; it may leave things as they are.
        (SECOND, "upheld", None, "gao", None),
        (SECOND, "partly_upheld", None, "gao", None),
        (SECOND, "dismissed", None, "gao", None),
        (SECOND, "upheld", 2, "gao", None),
        (SECOND, "dismissed", 2, "gao", None),
        (SECOND, "dismissed", 3, "gao", "no correction 3; there are 2"),
        (SECOND, "dismissed", None, "zhao", "zhao made the first decision"),
        (SECOND, "upheld", 2, "zhao", "zhao made the first decision"),
        (SECOND, "upheld", 2, "zhou", "zhou proposed this correction"),
        (SECOND, "dismissed", 2, "zhou", "zhou proposed this correction"),
        (SECOND, "upheld", None, "rater", "rater rated this month"),
        (SECOND, "upheld", None, "clerk", "clerk calculated this month"),
    ],
)
def test_a_decision(
    before: tuple[Happened, ...],
    decision: str,
    proposal: int | None,
    who: str,
    because: str | None,
) -> None:
    found, people = appeal(*before), ({"rater", "another"}, {"clerk", "another"})
    if because is None:
        check_decision(found, decision, proposal, who, *people)
        return
    with pytest.raises(Declined, match=because) as declined:
        check_decision(found, decision, proposal, who, *people)
    code = "separation_of_duties" if because.startswith(who) else "declined"
    assert declined.value.code == ("wrong_state" if because.startswith("is ") else code)


@pytest.mark.parametrize(
    ("filed_by", "who", "manager", "allowed"),
    [
        ("M03", "gao", None, True),
        ("M03", "gao", "M04", True),
        ("M03", "M03", None, False),
        ("hr1", "hr1", None, False),  # filed for the person
        ("hr1", "gao", None, True),
        ("hr1", "gao", "M03", False),  # their own month, by whatever account
        ("M03", "wang", "M03", False),
    ],
)
def test_no_party_to_an_appeal_decides_it(
    filed_by: str, who: str, manager: str | None, allowed: bool
) -> None:
    found = appeal(ACCEPTED, by=filed_by)
    if allowed:
        check_disinterest(found, who, manager)
    else:
        with pytest.raises(Declined, match=f"{who} is a party to this appeal") as declined:
            check_disinterest(found, who, manager)
        assert declined.value.code == "separation_of_duties"


# What is carried out


@pytest.mark.parametrize(
    ("happened", "undone"),
    [
        ((ACCEPTED, proposed()), None),
        (DISMISSED, None),
        (UPHELD, 1),
        ((*UPHELD, CARRIED_OUT), None),
        ((*UPHELD, REVIEW), 1),
        ((*UPHELD, REVIEW, CARRIED_OUT), None),
        # A review that leaves things as they are leaves the first correction to be carried out.
        ((*UPHELD, REVIEW, decided("upheld", by="gao")), 1),
        # One that approves another takes its place.
        ((*UPHELD, REVIEW, proposed(), decided("upheld", 2, "gao")), 2),
        ((*UPHELD, REVIEW, proposed(), decided("upheld", 2, "gao"), CARRIED_OUT), None),
        ((*UPHELD, CARRIED_OUT, REVIEW, decided("dismissed", by="gao")), None),
    ],
)
def test_which_correction_is_still_to_be_carried_out(
    happened: tuple[Happened, ...], undone: int | None
) -> None:
    found = appeal(*happened).to_carry_out
    assert (found.proposal if found else None) == undone


def test_a_decision_has_the_correction_of_its_number() -> None:
    found = appeal(*FIRST, decided("upheld", 2), REVIEW, decided("dismissed", by="gao"))
    first, second = found.decisions
    correction = found.correction_approved_by(first)
    assert correction is not None
    assert correction.by == "zhou"
    assert found.correction_approved_by(second) is None


# Entries of a correction

GRANT = {"kind": "adjustment", "source": "appeal", "source_id": "1", "manager": "M03"}
GRANT |= {"month": "2026-10", "amount": "5", "reason": "更正"}


def test_the_entries_of_a_correction_are_read_in_order() -> None:
    found = parsed_entries([GRANT, GRANT | {"source_id": "2"}])
    assert [entry.key for entry in found] == [("appeal", "1"), ("appeal", "2")]


def test_every_mistake_of_every_entry_is_named_with_its_place() -> None:
    with pytest.raises(Invalid) as invalid:
        parsed_entries(
            [GRANT | {"month": "October", "amount": 0.5}, GRANT, GRANT | {"kind": "wish"}]
        )
    assert {(reason.field, reason.code) for reason in invalid.value.reasons} == {
        ("entries.0.month", "bad_value"),
        ("entries.0.amount", "float"),
        ("entries.2.kind", "unknown_kind"),
    }
