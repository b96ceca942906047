"""授权要素: what a grant and a use must have, checked at once: a refusal names all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Invalid, Reason, Text
from domain.identifiers import FIRST_YEAR, ID_PATTERN, LAST_YEAR, bad_id, is_date
from domain.numbers import BadNumber, parse_number
from domain.rights import ACTS, LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

CORRECTION_DAYS = 10  # from the day on which the use is recorded
MAX_CORRECTION_DAYS = 365
MAX_COUNT = 1_000_000
MAX_TEXT = 500
KINDS = {
    "policy_use": Text("政策使用", "use of policies"),
    "service_upkeep": Text("服务维护", "upkeep of service"),
    "resource_dispatch": Text("资源调配", "dispatch of resources"),
}
WORDS = {"what": "事项", "customer": "客户", "why": "原因", "reason": "原因"}
HOLDERS = ACTS["use_grants"]  # the roles that a grant can be for


class Terms(NamedTuple):
    """The terms of a new grant, as they were asked for. Days are written 2026-10-31."""

    id: str
    kind: str
    branch: str
    from_day: str
    until_day: str
    team: str | None = None
    role: str | None = None
    account: str | None = None
    owner: str | None = None
    limit_amount: object = None  # yuan a month, as `parse_number` reads it
    limit_count: object = None
    correction_days: int = CORRECTION_DAYS


@dataclass(frozen=True)
class Usage:
    """What somebody did under a grant, as they say, and where they work."""

    what: str
    customer: str
    why: str
    day: str
    kind: str | None = None  # none: that of the grant
    amount: object = None  # yuan
    count: object = 1
    branch: str | None = None
    team: str | None = None
    manager: str | None = None
    accountable: str | None = None  # none: the grant's owner


@dataclass(frozen=True)
class CheckedTerms:
    """A grant's limit and dates, read."""

    amount: Decimal | None
    count: int | None
    from_day: date
    until_day: date


@dataclass(frozen=True)
class CheckedUsage:
    """A use, read."""

    what: str
    customer: str
    why: str
    amount: Decimal | None
    count: int
    day: date


def checked_terms(terms: Terms) -> CheckedTerms:
    """The limit and dates of the terms, where everything is right. Raises Invalid."""
    reasons: list[Reason] = [*_ids(terms), *_kind(terms.kind), *_holder(terms)]
    amount = _amount("limit_amount", terms.limit_amount, reasons)
    count = _count("limit_count", terms.limit_count, reasons)
    if (terms.limit_amount is None) == (terms.limit_count is None):
        text = Text(
            "请写明每月上限：金额或次数，二者取一",
            "say the monthly limit: an amount or a number of uses, one of them",
        )
        reasons.append(Reason("missing_field", "limit_amount", text))
    if amount is not None and amount <= 0:
        reasons.append(
            Reason(
                "bad_value", "limit_amount", Text("金额上限应大于 0", "the limit must be above 0")
            )
        )
    first, last = _day("from", terms.from_day, reasons), _day("until", terms.until_day, reasons)
    if first and last and first > last:
        text = Text(
            f"止期 {last} 早于起期 {first}", f"it ends on {last}, before it begins on {first}"
        )
        reasons.append(Reason("bad_value", "until", text))
    if not 1 <= terms.correction_days <= MAX_CORRECTION_DAYS:
        text = Text(
            f"整改期限为 1–{MAX_CORRECTION_DAYS} 天",
            f"1 to {MAX_CORRECTION_DAYS} days for a correction",
        )
        reasons.append(Reason("bad_value", "correction_days", text))
    if reasons or first is None or last is None:
        raise Invalid(reasons)
    return CheckedTerms(amount, count, first, last)


def checked_usage(usage: Usage, *, needs_amount: bool, latest: date) -> CheckedUsage:
    """The use, where it has what, for whom, how much, why and a day up to `latest`.

    Raises Invalid.
    """
    reasons: list[Reason] = [*_kind(usage.kind)] if usage.kind is not None else []
    what, customer, why = (
        _text(name, getattr(usage, name), reasons) for name in ("what", "customer", "why")
    )
    amount = _amount("amount", usage.amount, reasons)
    if amount is None and usage.amount is None and needs_amount:
        text = Text("该授权按金额设限，请写明金额（元）", "the grant limits yuan: say how many")
        reasons.append(Reason("missing_field", "amount", text))
    if amount is not None and amount < 0:
        text = Text(
            "金额不能为负；记错的请整改或由稽核认定",
            "not below 0: what was recorded wrongly is corrected or found upon",
        )
        reasons.append(Reason("bad_value", "amount", text))
    count, day = _count("count", usage.count, reasons), _day("day", usage.day, reasons)
    if day and day > latest:
        text = Text(
            f"{day} 尚未到来；使用之后再记录",
            f"{day} has not come yet: record a use once it has been made",
        )
        reasons.append(Reason("bad_value", "day", text))
    if reasons or day is None or count is None:
        raise Invalid(reasons)
    return CheckedUsage(what, customer, why, amount, count, day)


def checked_text(field: str, text: str) -> str:
    """The words without blanks around them. Raises Invalid where none are left, or too many."""
    reasons: list[Reason] = []
    stripped = _text(field, text, reasons)
    if reasons:
        raise Invalid(reasons)
    return stripped


def checked_day(field: str, value: str) -> date:
    """A day of the calendar. Raises Invalid."""
    reasons: list[Reason] = []
    if (day := _day(field, value, reasons)) is None:
        raise Invalid(reasons)
    return day


def _ids(terms: Terms) -> Iterator[Reason]:
    for field in ("id", "branch", "team", "account", "owner"):
        value = getattr(terms, field)
        if value is not None and ID_PATTERN.fullmatch(value) is None:
            yield Reason("bad_value", field, bad_id(value))


def _kind(kind: str) -> Iterator[Reason]:
    if kind not in KINDS:
        zh = "、".join(f"{code} {text.zh}" for code, text in KINDS.items())
        text = Text(
            f"没有类别 {kind}，可用：{zh}",
            f"there is no class {kind}; there are: {', '.join(KINDS)}",
        )
        yield Reason("bad_value", "kind", text)


def _holder(terms: Terms) -> Iterator[Reason]:
    if (terms.role is None) == (terms.account is None):
        text = Text(
            "请写明被授权人：角色或账号，二者取一",
            "say whom it is for: a role or an account, one of them",
        )
        yield Reason("missing_field", "role", text)
    elif terms.role is not None and terms.role not in HOLDERS:
        zh = "、".join(f"{role} {LABELS[role].zh}" for role in HOLDERS)
        text = Text(
            f"不能授权给角色 {terms.role}，可用：{zh}",
            f"a grant cannot be for the role {terms.role}, but for: {', '.join(HOLDERS)}",
        )
        yield Reason("bad_value", "role", text)


def _amount(field: str, value: object, reasons: list[Reason]) -> Decimal | None:
    if value is None:
        return None
    try:
        return parse_number(value)
    except BadNumber as bad:
        reasons.append(Reason(bad.code, field, bad.text))
        return None


def _count(field: str, value: object, reasons: list[Reason]) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_COUNT:
        return value
    text = Text(
        f"次数（{field}）应为 1–{MAX_COUNT} 的整数",
        f"`{field}` is a whole number from 1 to {MAX_COUNT}",
    )
    reasons.append(Reason("bad_value", field, text))
    return None


def _day(field: str, value: str, reasons: list[Reason]) -> date | None:
    if is_date(value) and FIRST_YEAR <= int(value[:4]) <= LAST_YEAR:
        return date.fromisoformat(value)
    text = Text(
        f"日期 {value!r}（{field}）应写成 2026-10-31",
        f"`{field}` {value!r}: write a day like 2026-10-31",
    )
    reasons.append(Reason("bad_value", field, text))
    return None


def _text(field: str, value: str, reasons: list[Reason]) -> str:
    stripped = value.strip()
    if not stripped or len(stripped) > MAX_TEXT or "\0" in stripped:
        zh = WORDS.get(field, "说明")
        text = Text(
            f"请写明{zh}（{field}），不超过 {MAX_TEXT} 字",
            f"`{field}` is to be said in up to {MAX_TEXT} characters",
        )
        reasons.append(Reason("bad_value" if stripped else "missing_field", field, text))
    return stripped
