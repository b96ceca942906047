"""授权要素: each term of a grant and each part of a use, on both sides of its limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Invalid
from domain.processes.grant_terms import (
    CORRECTION_DAYS,
    KINDS,
    CheckedTerms,
    CheckedUsage,
    Terms,
    Usage,
    checked_day,
    checked_terms,
    checked_text,
    checked_usage,
)

TERMS = Terms(
    "G1", "policy_use", "B01", "2026-10-01", "2026-11-30", role="manager", limit_amount="1000"
)
USAGE = Usage("换卡免卡费", "C-1", "投诉", "2026-10-18", amount="100")
LATEST = date(2026, 10, 18)
Reasons = list[tuple[str, str]]  # field and code of each, in order
OK: Reasons = []


def reasons(check: Callable[..., object], *given: Any, **more: Any) -> Reasons:
    """Why this is refused; none where it is not."""
    try:
        check(*given, **more)
    except Invalid as invalid:
        return [(reason.field, reason.code) for reason in invalid.reasons]
    return OK


def of_terms(**changed: Any) -> Reasons:
    return reasons(checked_terms, TERMS._replace(**changed))


def of_usage(*, needs_amount: bool = True, **changed: Any) -> Reasons:
    return reasons(
        checked_usage, replace(USAGE, **changed), needs_amount=needs_amount, latest=LATEST
    )


# The numbers and days that both have

AMOUNTS = [
    ("0.01", None),
    ("+5", None),
    (5, None),
    ("999999999999.999999", None),
    ("0.0000001", "too_precise"),
    ("1000000000000", "too_large"),
    (0.5, "float"),
    ("1e3", "not_a_number"),
    ("1,000", "not_a_number"),
    ("", "not_a_number"),
    (True, "not_a_number"),
    ("NaN", "not_finite"),
]
COUNTS = [
    (1, True),
    (1_000_000, True),
    (1_000_001, False),
    (0, False),
    (-1, False),
    (1.0, False),
    ("3", False),
    (True, False),
]
DAYS = [
    ("2026-10-18", True),
    ("2024-02-29", True),
    ("2000-01-01", True),
    ("1999-12-31", False),
    ("2026-02-29", False),
    ("2026-10-32", False),
    ("2026-13-01", False),
    ("2026-10-1", False),
    ("20261001", False),
    ("2026/10/01", False),
    ("2026-10-01T00:00", False),
    ("２０２６-10-01", False),
    ("soon", False),
    ("", False),
]


@pytest.mark.parametrize(("amount", "code"), AMOUNTS)
def test_an_amount_is_a_plain_exact_number(amount: object, code: str | None) -> None:
    assert of_terms(limit_amount=amount) == ([("limit_amount", code)] if code else OK)
    assert of_usage(amount=amount) == ([("amount", code)] if code else OK)


@pytest.mark.parametrize(("count", "allowed"), COUNTS)
def test_a_count_is_a_whole_number_up_to_a_million(count: object, allowed: bool) -> None:
    limits = {"limit_amount": None, "limit_count": count}
    assert of_terms(**limits) == (OK if allowed else [("limit_count", "bad_value")])
    assert of_usage(count=count) == (OK if allowed else [("count", "bad_value")])


@pytest.mark.parametrize(("day", "allowed"), DAYS)
def test_a_day_is_one_of_the_calendar_from_2000_to_2099(day: str, allowed: bool) -> None:
    assert of_terms(from_day=day) == (OK if allowed else [("from", "bad_value")])
    assert of_usage(day=day) == (OK if allowed else [("day", "bad_value")])
    assert reasons(checked_day, "since", day) == (OK if allowed else [("since", "bad_value")])


def test_the_last_day_of_all_is_that_of_2099() -> None:
    assert of_terms(until_day="2099-12-31") == OK
    assert of_terms(until_day="2100-01-01") == [("until", "bad_value")]
    assert checked_day("since", "2099-12-31") == date(2099, 12, 31)


# A grant


@pytest.mark.parametrize("field", ["id", "branch", "team", "account", "owner"])
@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("a", True),
        ("A-z_0.9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("a\n", False),
        ("a/b", False),
        ("授权", False),
        ("Ａ", False),
    ],
)
def test_names_are_ids(field: str, name: str, allowed: bool) -> None:
    changed = {field: name} | ({"role": None} if field == "account" else {})
    assert of_terms(**changed) == (OK if allowed else [(field, "bad_value")])


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        ("policy_use", True),
        ("service_upkeep", True),
        ("resource_dispatch", True),
        ("policy", False),
        ("", False),
    ],
)
def test_a_grant_and_a_use_are_of_one_of_three_classes(kind: str, allowed: bool) -> None:
    assert of_terms(kind=kind) == (OK if allowed else [("kind", "bad_value")])
    assert of_usage(kind=kind) == (OK if allowed else [("kind", "bad_value")])


def test_the_classes_are_those_of_the_scheme() -> None:
    assert [(code, text.zh) for code, text in KINDS.items()] == [
        ("policy_use", "政策使用"),
        ("service_upkeep", "服务维护"),
        ("resource_dispatch", "资源调配"),
    ]
    assert of_usage(kind=None) == OK  # that of the grant


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("manager", True),
        ("team_leader", True),
        ("branch_leader", True),
        ("back_office", True),
        ("department", True),
        ("hr", True),
        ("integration", False),  # a program uses nothing by itself
        ("auditor", False),  # audits the uses
        ("admin", False),
        ("boss", False),
        ("", False),
    ],
)
def test_a_grant_is_for_who_may_use_grants(role: str, allowed: bool) -> None:
    assert of_terms(role=role) == (OK if allowed else [("role", "bad_value")])


@pytest.mark.parametrize(
    ("role", "account", "allowed"),
    [
        ("manager", None, True),
        (None, "wang", True),
        (None, None, False),
        ("manager", "wang", False),
    ],
)
def test_a_grant_is_for_a_role_or_for_an_account(
    role: str | None, account: str | None, allowed: bool
) -> None:
    expected = OK if allowed else [("role", "missing_field")]
    assert of_terms(role=role, account=account) == expected


@pytest.mark.parametrize(
    ("amount", "count", "expected"),
    [
        ("1000", None, OK),
        (None, 3, OK),
        (None, None, [("limit_amount", "missing_field")]),
        ("1000", 3, [("limit_amount", "missing_field")]),
        # What is written badly is still written.
        ("soon", None, [("limit_amount", "not_a_number")]),
        (None, 0, [("limit_count", "bad_value")]),
        ("soon", 0, [("limit_amount", "not_a_number"), ("limit_count", "bad_value"),
                     ("limit_amount", "missing_field")]),
        # An amount is above nothing.
        ("0.01", None, OK),
        ("0", None, [("limit_amount", "bad_value")]),
        ("-0.01", None, [("limit_amount", "bad_value")]),
    ],
)  # fmt: skip
def test_a_grant_has_one_limit_a_month(amount: object, count: object, expected: Reasons) -> None:
    assert of_terms(limit_amount=amount, limit_count=count) == expected


@pytest.mark.parametrize(
    ("first", "last", "allowed"),
    [
        ("2026-10-01", "2026-10-01", True),
        ("2026-10-01", "2026-10-02", True),
        ("2026-10-02", "2026-10-01", False),
        ("2026-12-31", "2027-01-01", True),
    ],
)
def test_a_grant_begins_no_later_than_it_ends(first: str, last: str, allowed: bool) -> None:
    expected = OK if allowed else [("until", "bad_value")]
    assert of_terms(from_day=first, until_day=last) == expected


@pytest.mark.parametrize(
    ("days", "allowed"), [(0, False), (-1, False), (1, True), (365, True), (366, False)]
)
def test_a_correction_has_from_one_day_to_a_year(days: int, allowed: bool) -> None:
    expected = OK if allowed else [("correction_days", "bad_value")]
    assert of_terms(correction_days=days) == expected


def test_a_correction_has_ten_days_unless_the_grant_says_otherwise() -> None:
    assert TERMS.correction_days == CORRECTION_DAYS == 10


def test_everything_that_is_wrong_with_a_grant_is_said_at_once() -> None:
    assert of_terms(
        id="", branch="分公司", kind="any", role="auditor", owner="a b", limit_amount="-1",
        from_day="soon", until_day="later", correction_days=0,
    ) == [
        *(("id", "bad_value"), ("branch", "bad_value"), ("owner", "bad_value")),
        *(("kind", "bad_value"), ("role", "bad_value"), ("limit_amount", "bad_value")),
        *(("from", "bad_value"), ("until", "bad_value"), ("correction_days", "bad_value")),
    ]  # fmt: skip


def test_the_terms_are_read_as_numbers_and_days() -> None:
    assert checked_terms(TERMS) == CheckedTerms(
        Decimal(1000), None, date(2026, 10, 1), date(2026, 11, 30)
    )
    counted = TERMS._replace(limit_amount=None, limit_count=3)
    assert checked_terms(counted) == CheckedTerms(None, 3, date(2026, 10, 1), date(2026, 11, 30))


# A use


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("好", None),
        ("字" * 500, None),
        (f" {'字' * 500} ", None),
        ("字" * 501, "bad_value"),
        ("a\0b", "bad_value"),
        ("", "missing_field"),
        (" \n\t", "missing_field"),
    ],
)
@pytest.mark.parametrize("field", ["what", "customer", "why"])
def test_a_use_says_what_for_whom_and_why_in_up_to_500_characters(
    field: str, text: str, code: str | None
) -> None:
    assert of_usage(**{field: text}) == ([(field, code)] if code else OK)
    assert reasons(checked_text, field, text) == ([(field, code)] if code else OK)


@pytest.mark.parametrize(
    ("amount", "needs_amount", "expected"),
    [
        ("100", True, OK),
        ("0", True, OK),
        ("-0.01", True, [("amount", "bad_value")]),
        (None, True, [("amount", "missing_field")]),
        ("soon", True, [("amount", "not_a_number")]),
        ("100", False, OK),
        ("-0.01", False, [("amount", "bad_value")]),
        (None, False, OK),
    ],
)
def test_a_use_says_how_much_where_yuan_are_limited_and_never_less_than_nothing(
    amount: object, needs_amount: bool, expected: Reasons
) -> None:
    assert of_usage(amount=amount, needs_amount=needs_amount) == expected


@pytest.mark.parametrize(
    ("day", "allowed"), [("2026-10-17", True), ("2026-10-18", True), ("2026-10-19", False)]
)
def test_a_use_is_of_a_day_that_has_come(day: str, allowed: bool) -> None:
    assert of_usage(day=day) == (OK if allowed else [("day", "bad_value")])


def test_everything_that_is_wrong_with_a_use_is_said_at_once() -> None:
    assert of_usage(
        kind="any", what=" ", customer="", why="字" * 501, amount="-1", count=0, day="2026-10-19"
    ) == [
        *(("kind", "bad_value"), ("what", "missing_field"), ("customer", "missing_field")),
        *(("why", "bad_value"), ("amount", "bad_value"), ("count", "bad_value")),
        ("day", "bad_value"),
    ]


def test_a_use_is_read_as_words_numbers_and_a_day() -> None:
    said = replace(USAGE, what=" 换卡免卡费\n", count=2)
    assert checked_usage(said, needs_amount=True, latest=LATEST) == CheckedUsage(
        *("换卡免卡费", "C-1", "投诉"), Decimal(100), 2, date(2026, 10, 18)
    )
    free = replace(USAGE, amount=None)
    assert checked_usage(free, needs_amount=False, latest=LATEST) == CheckedUsage(
        *("换卡免卡费", "C-1", "投诉"), None, 1, date(2026, 10, 18)
    )


def test_a_refusal_names_the_field_and_what_can_be_written() -> None:
    with pytest.raises(Invalid) as invalid:
        checked_terms(TERMS._replace(kind="any", role="auditor", until_day="2026-09-30"))
    kind, role, until = (reason.text for reason in invalid.value.reasons)
    assert "policy_use 政策使用、service_upkeep 服务维护、resource_dispatch 资源调配" in kind.zh
    assert "policy_use, service_upkeep, resource_dispatch" in kind.en
    assert "auditor" in role.en
    assert "team_leader" in role.en
    assert "班组长" in role.zh
    assert until.en == "it ends on 2026-09-30, before it begins on 2026-10-01"
    with pytest.raises(Invalid, match="customer") as invalid:
        checked_text("customer", "")
    assert "客户" in invalid.value.text.zh
