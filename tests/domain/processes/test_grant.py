"""分层授权: both sides of every limit, the first and last day, who may grant, correct and find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Declined, Invalid
from domain.ledger.events import GrantUsed
from domain.processes.grant import (
    Ended,
    Grant,
    Outcome,
    Person,
    Use,
    correct,
    end,
    make,
    record_finding,
    use,
)
from domain.processes.grant_terms import Terms, Usage
from domain.rights import Role, Seat, SeparationOfDuties

AT = datetime(2026, 10, 18, 3, 0, tzinfo=UTC)
TODAY = AT.date()
WANG = Person("wang", (Seat(Role.MANAGER, manager="M1"),))
LI = Person("li", (Seat(Role.BRANCH_LEADER, "B01"),))
HR = Person("hr", (Seat(Role.HR),))
TERMS = Terms(
    "G1", "policy_use", "B01", "2026-10-01", "2026-11-30", role="manager", limit_amount="1000"
)
AMOUNT = Grant(
    "G1", "policy_use", "manager", None, "li", "B01", None, Decimal(1000), None,
    date(2026, 10, 1), date(2026, 11, 30), 10, 4, "li", "2026-10-01T00:00:00.000000Z",
)  # fmt: skip
COUNT = AMOUNT._replace(limit_amount=None, limit_count=3)
USAGE = Usage(
    "换卡免卡费", "C-1", "投诉", "2026-10-18", amount="100", branch="B01", team="T1", manager="M1"
)


def used(
    grant: Grant = AMOUNT, counted: str = "0", by: Person = WANG, **changed: object
) -> GrantUsed:
    return use(grant, Decimal(counted), replace(USAGE, **changed), by=by, at=AT)  # type: ignore[arg-type]


def codes(error: pytest.ExceptionInfo[Invalid]) -> set[tuple[str, str]]:
    return {(reason.field, reason.code) for reason in error.value.reasons}


# A use


def test_a_use_within_its_grant_says_everything_and_is_not_marked():
    event = used()
    assert (event.grant, event.kind, event.what, event.customer, event.why) == (
        *("G1", "policy_use", "换卡免卡费", "C-1", "投诉"),
    )
    assert (event.amount, event.count, event.day, event.total, event.by) == (
        "100",
        1,
        "2026-10-18",
        "100",
        "wang",
    )
    assert (event.over_limit, event.accountable, event.deadline) == ((), None, None)
    assert event.originator_version == AMOUNT.version + 1


@pytest.mark.parametrize(("amount", "reasons"), [("0.01", ()), ("0.02", ("over_amount",))])
def test_the_last_cent_of_the_limit_is_within_it(amount: str, reasons: tuple[str, ...]):
    event = used(counted="999.99", amount=amount)
    assert event.over_limit == reasons
    assert Decimal(event.total) == Decimal("999.99") + Decimal(amount)


@pytest.mark.parametrize(("count", "reasons"), [(1, ()), (2, ("over_count",))])
def test_the_last_use_of_the_limit_is_within_it(count: int, reasons: tuple[str, ...]):
    assert used(COUNT, "2", count=count, amount=None).over_limit == reasons


def test_a_grant_that_counts_uses_takes_any_amount_or_none():
    assert used(COUNT, amount="99999999").over_limit == ()
    assert used(COUNT, amount=None).total == "1"


@pytest.mark.parametrize(
    ("day", "reasons"),
    [("2026-10-01", ()), ("2026-09-30", ("outside_dates",)), ("2026-10-18", ())],
)
def test_the_first_day_is_a_day_of_the_grant(day: str, reasons: tuple[str, ...]):
    assert used(day=day).over_limit == reasons


@pytest.mark.parametrize(
    ("day", "reasons"), [("2026-10-10", ()), ("2026-10-11", ("outside_dates",))]
)
def test_the_last_day_is_a_day_of_the_grant(day: str, reasons: tuple[str, ...]):
    assert used(AMOUNT._replace(until_day=date(2026, 10, 10)), day=day).over_limit == reasons


@pytest.mark.parametrize(("day", "reasons"), [("2026-10-15", ()), ("2026-10-16", ("ended",))])
def test_an_ended_grant_may_be_used_to_its_last_day(day: str, reasons: tuple[str, ...]):
    ended = AMOUNT._replace(
        ended=Ended(date(2026, 10, 15), "x", "li", "2026-10-15T08:00:00.000000Z")
    )
    assert used(ended, day=day).over_limit == reasons


def test_another_class_is_beyond_the_grant():
    assert used(kind="policy_use").over_limit == ()
    event = used(kind="service_upkeep")
    assert (event.kind, event.over_limit) == ("service_upkeep", ("other_kind",))


@pytest.mark.parametrize(
    ("team", "place", "reasons"),
    [
        (None, ("B01", "T2"), ()),
        (None, ("B02", "T1"), ("outside_scope",)),
        ("T1", ("B01", "T1"), ()),
        ("T1", ("B01", "T2"), ("outside_scope",)),
        ("T1", ("B01", None), ("outside_scope",)),
        (None, (None, None), ("outside_scope",)),
    ],
)
def test_another_branch_or_team_is_beyond_the_grant(
    team: str | None, place: tuple[str, str], reasons: tuple[str, ...]
):
    assert used(AMOUNT._replace(team=team), branch=place[0], team=place[1]).over_limit == reasons


def test_a_grant_for_a_role_is_for_whoever_has_the_seat_there():
    assert used(by=WANG).over_limit == ()
    assert used(by=LI).over_limit == ("not_for_them",)
    assert used(by=Person("zhao", (Seat(Role.MANAGER, manager="M2"),))).over_limit == (
        "not_for_them",
    )
    assert used(by=Person("wang")).over_limit == ("not_for_them",)


def test_a_grant_for_an_account_is_for_nobody_else():
    grant = AMOUNT._replace(role=None, account="wang")
    assert used(grant, by=Person("wang")).over_limit == ()
    assert used(grant, by=Person("wang2", WANG.seats)).over_limit == ("not_for_them",)


@pytest.mark.parametrize("use", [{"by": LI}, {"branch": "B02"}, {"by": LI, "branch": "B02"}])
def test_an_attempt_uses_nothing_of_the_grant_up(use: dict[str, Any]):
    """By somebody whom the grant is not for, or outside its branch."""
    attempt = used(counted="400", amount="600", **use)
    assert attempt.over_limit
    assert (attempt.total, attempt.amount) == ("400", "600")
    assert used(counted="400", amount="600").total == "1000"


def test_everything_that_is_beyond_is_said_at_once():
    event = used(counted="1000", day="2026-09-30", kind="service_upkeep", branch="B02", by=LI)
    assert event.over_limit == (
        "over_amount",
        "outside_dates",
        "other_kind",
        "outside_scope",
        "not_for_them",
    )


def test_beyond_the_grant_its_owner_answers_within_ten_days_of_the_recording():
    event = used(counted="1000", day="2026-10-02")
    assert (event.accountable, event.deadline) == ("li", "2026-10-28")
    assert used(counted="1000", accountable="zhou").accountable == "zhou"
    assert used(AMOUNT._replace(correction_days=1), "1000").deadline == "2026-10-19"


def test_what_is_no_fact_is_refused_with_all_that_is_missing():
    with pytest.raises(Invalid) as error:
        used(what=" ", customer="", why="", amount=None, day="2026-10-32", count=0, kind="other")
    assert codes(error) == {
        *(("what", "missing_field"), ("customer", "missing_field"), ("why", "missing_field")),
        *(
            ("amount", "missing_field"),
            ("day", "bad_value"),
            ("count", "bad_value"),
            ("kind", "bad_value"),
        ),
    }


@pytest.mark.parametrize(
    ("amount", "code"), [(12.5, "float"), ("-1", "bad_value"), ("1e3", "not_a_number")]
)
def test_an_amount_is_exact_and_not_below_nothing(amount: object, code: str):
    with pytest.raises(Invalid) as error:
        used(amount=amount)
    assert codes(error) == {("amount", code)}


def test_a_day_counts_once_it_has_begun_somewhere():
    assert used(day="2026-10-18").day == "2026-10-18"
    late = datetime(2026, 10, 18, 10, 0, tzinfo=UTC)  # midnight on the first island
    assert (
        use(AMOUNT, Decimal(), replace(USAGE, day="2026-10-19"), by=WANG, at=late).day
        == "2026-10-19"
    )
    with pytest.raises(Invalid) as error:
        used(day="2026-10-19")
    assert codes(error) == {("day", "bad_value")}


# A grant


def test_a_grant_is_owned_by_whoever_makes_it_unless_somebody_is_named():
    event = make(TERMS, by=LI)
    assert (event.grant, event.owner, event.limit_amount, event.limit_count) == (
        "G1",
        "li",
        "1000",
        None,
    )
    assert (event.from_day, event.until_day, event.correction_days) == (
        "2026-10-01",
        "2026-11-30",
        10,
    )
    assert event.originator_version == 1
    assert make(TERMS._replace(owner="zhou"), by=LI).owner == "zhou"


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({"limit_count": 3}, {("limit_amount", "missing_field")}),
        ({"limit_amount": None}, {("limit_amount", "missing_field")}),
        ({"limit_amount": None, "limit_count": 0}, {("limit_count", "bad_value")}),
        ({"limit_amount": "0"}, {("limit_amount", "bad_value")}),
        ({"limit_amount": 0.5}, {("limit_amount", "float")}),
        ({"role": None}, {("role", "missing_field")}),
        ({"account": "wang"}, {("role", "missing_field")}),
        ({"role": "auditor"}, {("role", "bad_value")}),
        ({"kind": "anything"}, {("kind", "bad_value")}),
        ({"from_day": "2026-12-01"}, {("until", "bad_value")}),
        ({"until_day": "soon"}, {("until", "bad_value")}),
        (
            {"branch": "分公司", "correction_days": 0},
            {("branch", "bad_value"), ("correction_days", "bad_value")},
        ),
    ],
)
def test_a_grant_that_leaves_something_open_is_refused(
    changed: dict[str, object], reasons: set[tuple[str, str]]
):
    with pytest.raises(Invalid) as error:
        make(TERMS._replace(**changed), by=LI)  # type: ignore[arg-type]
    assert codes(error) == reasons


def test_a_grant_of_one_day_and_one_fen_is_a_grant():
    event = make(
        TERMS._replace(from_day="2026-10-01", until_day="2026-10-01", limit_amount="0.01"), by=LI
    )
    assert (event.from_day, event.until_day, event.limit_amount) == (
        "2026-10-01",
        "2026-10-01",
        "0.01",
    )


def test_nobody_grants_to_themselves():
    for terms, by in (
        (TERMS._replace(role=None, account="li"), LI),
        (TERMS._replace(role="branch_leader"), LI),
        (
            TERMS._replace(role="team_leader"),
            Person("li", (*LI.seats, Seat(Role.TEAM_LEADER, "B01", "T1"))),
        ),
        (TERMS._replace(role="hr"), HR),
    ):
        with pytest.raises(SeparationOfDuties):
            make(terms, by=by)
    elsewhere = Person("li", (*LI.seats, Seat(Role.TEAM_LEADER, "B02", "T1")))
    assert make(TERMS._replace(role="team_leader"), by=elsewhere).role == "team_leader"
    assert make(TERMS._replace(role="branch_leader"), by=HR).role == "branch_leader"


def test_a_grant_ends_today_unless_a_day_is_named():
    event = end(AMOUNT, last_day=None, reason="政策调整", by="li", today=TODAY)
    assert (event.last_day, event.reason, event.originator_version) == ("2026-10-18", "政策调整", 5)
    assert (
        end(AMOUNT, last_day=date(2026, 11, 29), reason="x", by="li", today=TODAY).last_day
        == "2026-11-29"
    )
    assert (
        end(AMOUNT, last_day=date(2026, 10, 17), reason="x", by="li", today=TODAY).last_day
        == "2026-10-17"
    )


def test_an_end_is_neither_told_afterwards_nor_later_than_the_grants_own_nor_given_twice():
    with pytest.raises(Invalid):
        end(AMOUNT, last_day=date(2026, 10, 16), reason="x", by="li", today=TODAY)
    with pytest.raises(Invalid):
        end(AMOUNT, last_day=None, reason=" ", by="li", today=TODAY)
    with pytest.raises(Declined, match="2026-11-30"):
        end(AMOUNT, last_day=date(2026, 11, 30), reason="x", by="li", today=TODAY)
    ended = AMOUNT._replace(ended=Ended(TODAY, "x", "zhou", "2026-10-18T00:00:00.000000Z"))
    with pytest.raises(Declined, match="zhou"):
        end(ended, last_day=None, reason="x", by="li", today=TODAY)


# What became of a use


def case(*outcomes: str, over: bool = True) -> Use:
    """A use by wang for which li answers, with these outcomes by zhou."""
    event = used(counted="1000" if over else "0")
    read = event.model_dump(exclude={"originator_id", "originator_version", "salt"})
    read |= {"amount": Decimal(100), "day": TODAY, "deadline": date(2026, 10, 28) if over else None}
    read["at"] = "2026-10-18T03:00:00.000000Z"
    done = tuple(Outcome(kind, "x", "zhou", "2026-10-20T00:00:00.000000Z", 9) for kind in outcomes)
    return Use(id=7, outcomes=done, **read)


def test_a_use_beyond_its_grant_is_open_until_it_is_corrected_or_found_upon():
    assert case().is_open
    assert not case("correction").is_open
    assert not case("finding").is_open
    assert not case(over=False).is_open


def test_it_is_overdue_after_its_last_day():
    assert not case().is_overdue(date(2026, 10, 28))
    assert case().is_overdue(date(2026, 10, 29))
    assert not case("correction").is_overdue(date(2026, 10, 29))


def test_only_what_is_open_is_corrected():
    event = correct(case(), "已补缴", by="li")
    assert (event.use, event.text, event.originator_version) == (7, "已补缴", 1)
    for settled in (case("correction"), case("finding"), case(over=False)):
        with pytest.raises(Declined):
            correct(settled, "已补缴", by="li")
    with pytest.raises(Invalid):
        correct(case(), "  ", by="li")


def test_a_finding_is_made_once_upon_any_use():
    assert record_finding(case(), "不当", by="shen").originator_version == 1
    assert record_finding(case(over=False), "得当", by="shen").text == "得当"
    assert record_finding(case("correction"), "已整改", by="shen").originator_version == 2
    with pytest.raises(Declined, match="zhou"):
        record_finding(case("correction", "finding"), "不当", by="shen")


def test_who_did_it_or_answers_for_it_does_not_find_upon_it():
    for by in ("wang", "li"):
        with pytest.raises(SeparationOfDuties):
            record_finding(case(), "得当", by=by)
