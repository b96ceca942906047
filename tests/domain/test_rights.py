"""Who may do what, where: the table, and what a seat covers."""

from __future__ import annotations

import pytest

from domain.errors import Declined
from domain.rights import (
    ACTS,
    EVERYWHERE,
    Forbidden,
    Place,
    Role,
    Seat,
    may,
    may_in_branch,
    seat_of,
)

LEADER = Seat(Role.TEAM_LEADER, "B01", "T1")


@pytest.mark.parametrize(
    ("seat", "place", "covered"),
    [
        (Seat(Role.HR), EVERYWHERE, True),
        (Seat(Role.HR), Place("B01", "T1", "M1"), True),
        (Seat(Role.HR, "B01"), EVERYWHERE, False),
        (Seat(Role.HR, "B01"), Place("B01"), True),
        (Seat(Role.HR, "B01"), Place("B02"), False),
        (LEADER, Place("B01", "T1", "M1"), True),
        (LEADER, Place("B01", "T2", "M1"), False),
        (LEADER, Place("B01"), False),
        (Seat(Role.MANAGER, manager="M1"), Place("B01", "T1", "M1"), True),
        (Seat(Role.MANAGER, manager="M1"), Place("B01", "T1", "M2"), False),
        (Seat(Role.MANAGER, manager="M1"), Place("B01", "T1"), False),
    ],
)
def test_a_seat_covers_what_lies_within_its_scope(
    seat: Seat, place: Place, *, covered: bool
) -> None:
    assert seat.covers(place) is covered


def test_an_act_is_allowed_to_its_roles_and_the_administrator_and_denied_to_all_others() -> None:
    for act, roles in ACTS.items():
        allowed = {role for role in Role if may([Seat(role)], act, EVERYWHERE)}
        assert allowed == {*roles, Role.ADMIN}
    assert not may([], "settle")


def test_an_auditor_reads_everything_and_changes_nothing() -> None:
    acts = {act for act, roles in ACTS.items() if Role.AUDITOR in roles}
    assert acts == {
        "read_entries", "read_statements", "read_settlements", "replay", "read_rulebooks", "check_rulebooks",
        "read_cycle", "read_publication", "do_steps", "audit", "read_appeals", "read_grants", "audit_grants",
        "read_reads", "read_self", "keep_self", "operate",
    }  # fmt: skip


def test_without_a_place_a_seat_anywhere_is_enough() -> None:
    assert may([LEADER], "read_statements")
    assert not may([LEADER], "close")


def test_a_refusal_says_who_may() -> None:
    text = Forbidden("li", "close").text
    assert "人力资源" in text.zh
    assert "HR, administrator" in text.en


@pytest.mark.parametrize(
    ("role", "branch", "team", "manager"),
    [
        ("manager", "B01", None, None),
        ("team_leader", "B01", None, None),
        ("branch_leader", None, None, None),
        ("back_office", None, None, None),
        ("hr", None, "T1", None),
        ("boss", None, None, None),
    ],
)
def test_a_role_that_counts_somewhere_must_say_where(
    role: str, branch: str | None, team: str | None, manager: str | None
) -> None:
    with pytest.raises(Declined):
        seat_of(role, branch, team, manager)


def test_the_offices_count_everywhere_unless_a_branch_is_named() -> None:
    assert seat_of("hr", None, None, None) == Seat(Role.HR)
    assert seat_of("hr", "B01", None, None) == Seat(Role.HR, "B01")


@pytest.mark.parametrize(
    ("role", "branch", "team", "act", "counts"),
    [
        ("team_leader", "B01", "T1", "do_steps", True),
        ("team_leader", "B02", "T1", "do_steps", False),
        ("branch_leader", "B01", None, "do_steps", True),
        ("back_office", "B01", "T1", "do_steps", False),
        ("hr", "B01", "T1", "close", False),
        ("hr", "B01", None, "close", True),
        ("hr", None, None, "close", True),
        ("admin", "B01", "T1", "close", False),
    ],
)
def test_of_seats_in_a_team_the_team_leaders_alone_counts_for_the_whole_branch(
    role: str, branch: str | None, team: str | None, act: str, *, counts: bool
) -> None:
    assert may_in_branch([seat_of(role, branch, team, None)], act, "B01") is counts
