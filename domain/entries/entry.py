"""The seven kinds of entry: one business fact each, as the public contract prints them.

`parsing.py` turns what arrived into one of them. What an entry needs from the ledger (an
assignment, the entry that it reverses) is decided in `domain/ledger/acceptance.py`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from domain.entries.field_errors import missing
from domain.errors import Reason, Text
from domain.identifiers import ID, BadIdentifier, Month, check_id, is_date
from domain.numbers import BadNumber, parse_number, plain

SERVICE = "merit"  # the source of the service's own entries
POSTING = "posting-"  # how the ids of postings begin
# The source of the entries that carry out decisions on appeals, and their ids: the appeal, the
# number of the proposal, the number of the entry.
APPEALS = "appeal"
CORRECTION_ID = re.compile(r"A\d{4}(-\d\d|-[QH]\d)?-\d+-\d+-\d+")
BACK_PAY, CLAWBACK = "back_pay", "clawback"  # 补发, 扣回: the items of postings
CENT = Decimal("0.01")
# Stored in a part of their own, so that they can be encrypted per person.
PERSONAL = frozenset({"name", "note", "reason"})
RaterLevel = Literal["leader", "peer", "subordinate", "self", "customer", "company"]
LEFT = "left"  # 离职: the role of an assignment that ends all others


def _month(value: object) -> Month:
    if isinstance(value, Month):
        return value
    if not isinstance(value, str):
        raise BadIdentifier(
            Text(f"月份 {value!r} 应是文本 YYYY-MM", f"month {value!r}: write it as text, YYYY-MM")
        )
    return Month.parse(value)


def _not_negative(value: object) -> Decimal:
    number = parse_number(value)
    if number < 0:
        raise BadNumber(
            "negative",
            Text(
                f"{number} 为负数；退货、更正请用冲销 (reversal) 或调整 (adjustment)",
                f"{number} is negative: record a return or correction as a reversal or an "
                "adjustment",
            ),
        )
    return number


def _attribute(value: object, words: ValidatorFunctionWrapHandler) -> object:
    """Numbers are strings in the end: whole numbers are taken, floats are refused."""
    if isinstance(value, bool):
        return value
    return words(plain(parse_number(value)) if isinstance(value, int | float) else value)


def _date(value: object) -> date:
    if type(value) is date:
        return value
    if isinstance(value, str) and is_date(value):
        return date.fromisoformat(value)
    raise BadIdentifier(
        Text(f"日期 {value!r} 应写成 YYYY-MM-DD", f"date {value!r}: write YYYY-MM-DD")
    )


# Patterns are checked inside pydantic-core, which is several times as quick as calling back. The
# messages are made in `parsing.py`.
Id = Annotated[str, StringConstraints(strict=True, pattern=f"^{ID}$")]
MonthField = Annotated[
    Month, PlainValidator(_month), WithJsonSchema({"type": "string", "examples": ["2026-10"]})
]
Date = Annotated[date, PlainValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
_NUMBER = WithJsonSchema({"type": ["string", "integer"], "examples": ["12.50"]})
Number = Annotated[Decimal, PlainValidator(parse_number), _NUMBER]
Amount = Annotated[Decimal, PlainValidator(_not_negative), _NUMBER]
Words = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")
]
_YES_NO_OR_WORDS = {
    "anyOf": [{"type": "boolean"}, {"maxLength": 4000, "minLength": 1, "type": "string"}]
}
Attribute = Annotated[Words, WrapValidator(_attribute), WithJsonSchema(_YES_NO_OR_WORDS)]
Attributes = dict[Annotated[str, AfterValidator(check_id)], Attribute]


Key = tuple[str, str]  # source and source_id


class Entry(BaseModel):
    """What every entry carries: its kind, the pair that names it for ever, and what is known beside
    it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    converted_fields: ClassVar[tuple[str, ...]]  # those that may be absent, or are no text
    personal_fields: ClassVar[tuple[str, ...]]

    source: Id
    source_id: Id
    occurred_on: Date | None = None
    note: Words | None = None
    attributes: Attributes = Field(default_factory=dict)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        fields = cls.model_fields.items()
        cls.converted_fields = tuple(
            name for name, field in fields if field.annotation is not str and name != "kind"
        )
        cls.personal_fields = tuple(name for name in cls.model_fields if name in PERSONAL)

    @classmethod
    def check_combination(cls, raw: dict[str, Any]) -> list[Reason]:  # noqa: ARG003
        """What is wrong with fields of `raw` that depend on each other."""
        return []

    @property
    def key(self) -> Key:
        """The pair that names the entry for ever."""
        return self.source, self.source_id

    def parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The entry as plain JSON in two parts: without its personal text, and that alone.

        Numbers are their shortest text and absent fields are left out, so that equal entries are
        equal JSON.
        """
        public = self.__dict__.copy()
        for name in self.converted_fields:
            value = public[name]
            if value is None:
                del public[name]
            elif (to_json := _TO_JSON.get(type(value))) is not None:
                public[name] = to_json(value)
        if not self.attributes:
            del public["attributes"]
        return public, {name: public.pop(name) for name in self.personal_fields if name in public}

    def content(self) -> dict[str, Any]:
        """The entry as plain JSON, whole."""
        public, personal = self.parts()
        return public | personal

    def digest(self) -> bytes:
        """SHA-256 of both parts: tells a duplicate from a conflict."""
        return hashlib.sha256(entry_body(*self.parts())).digest()


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces: the form in which entries are stored and compared."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def entry_body(public: dict[str, Any], personal: dict[str, Any]) -> bytes:
    """An entry's two parts as its event stores them."""
    return b'"entry":%b,"personal":%b' % (
        canonical(public),
        canonical(personal) if personal else b"{}",
    )


class OfManager(Entry):
    """An entry about one manager in one month."""

    manager: Id
    month: MonthField


class Assignment(OfManager):
    """任职: from `month` on the manager works here, until the next assignment; role `left` ends
    it.
    """

    kind: Literal["assignment"] = "assignment"

    name: Words | None = None
    branch: Id | None = None
    team: Id | None = None
    role: Id
    grade: Annotated[int, Field(strict=True, ge=0, le=99)] | None = None

    @classmethod
    def check_combination(cls, raw: dict[str, Any]) -> list[Reason]:
        """Only who leaves has no place."""
        needed = () if raw.get("role") == LEFT else ("name", "branch", "team", "grade")
        return [missing(field) for field in needed if raw.get(field) is None]


class Deduction(OfManager):
    """扣减: points that are to be taken off; what they come to is the rulebook's."""

    kind: Literal["deduction"] = "deduction"
    item: Id
    points: Amount


class Sale(OfManager):
    """产品发展: a quantity of a product or indicator, in the item's own unit; amount in yuan where
    it is known.
    """

    kind: Literal["sale"] = "sale"
    item: Id
    quantity: Amount
    amount: Number | None = None


class Rating(OfManager):
    """评价: a score that someone gave."""

    kind: Literal["rating"] = "rating"
    item: Id
    score: Number
    rater: Id | None = None
    rater_level: RaterLevel | None = None


class Adjustment(OfManager):
    """调整: points or yuan, either sign, by decision and with its reason."""

    kind: Literal["adjustment"] = "adjustment"
    item: Id = "adjustment"
    points: Number | None = None
    amount: Number | None = None
    reason: Words
    appeal: Id | None = None

    @classmethod
    def check_combination(cls, raw: dict[str, Any]) -> list[Reason]:
        """Points or yuan, not both; back pay and clawback in yuan; and a reason in words."""
        reasons = _missing_if_blank(raw, "reason")
        if len(_filled(raw, "points", "amount")) != 1:
            text = Text(
                "调整须在 points（分）和 amount（元）中只填一个",
                "give exactly one of points and amount",
            )
            reasons.insert(0, Reason("bad_value", "points", text))
        if str(raw.get("item")) in _POSTING_WORDS and not is_postings_key(_key_of(raw)):
            reasons += _posting_by_hand(raw)
        return reasons


_POSTING_WORDS = {BACK_PAY: Text("补发", "back pay"), CLAWBACK: Text("扣回", "clawback")}


def _posting_by_hand(raw: dict[str, Any]) -> list[Reason]:
    """What is wrong with a back pay or a clawback: both are yuan, above 0, in whole cents. Checked
    where an entry arrives, as a blank reason is: a ledger may hold others since before the check.
    """
    item, reasons = raw["item"], []
    word, other = _POSTING_WORDS[item], CLAWBACK if item == BACK_PAY else BACK_PAY
    if raw.get("points") is not None:
        text = Text(
            f"{word.zh} ({item}) 以元发放，没有办法读取其分值；请把金额填在 amount（元）",
            f"{word.en} ({item}) is paid in yuan, and no rulebook reads its points: give the "
            "amount in yuan",
        )
        reasons.append(Reason("not_in_yuan", "points", text))
    try:
        amount = parse_number(raw["amount"]) if raw.get("amount") is not None else None
    except BadNumber:
        return reasons  # said by the model
    if amount is not None and amount <= 0:
        text = Text(
            f"{word.zh} ({item}) 的金额须大于 0，{plain(amount)} 不是；反方向请用 {other}",
            f"the amount of a {word.en} ({item}) must be above 0, and {plain(amount)} is not: for "
            f"the other direction use {other}",
        )
        reasons.append(Reason("not_positive", "amount", text))
    if amount is not None and amount != amount.quantize(CENT, ROUND_FLOOR):
        text = Text(
            f"{word.zh} ({item}) 须为整分，{plain(amount)} 元不是；请写到分（最多两位小数）",
            f"{word.en} ({item}) is paid in whole cents, and {plain(amount)} yuan is not: write at "
            "most two decimal places",
        )
        reasons.append(Reason("fractional_cents", "amount", text))
    return reasons


class Measure(Entry):
    """指标值: a value of a branch, a team or a manager that holds for one month; the latest one
    recorded counts.
    """

    kind: Literal["measure"] = "measure"
    month: MonthField
    item: Id
    value: Number
    branch: Id | None = None
    team: Id | None = None
    manager: Id | None = None

    @classmethod
    def check_combination(cls, raw: dict[str, Any]) -> list[Reason]:
        """One scope, not two, not none."""
        if _filled(raw, "branch", "team", "manager") in (
            ["branch"],
            ["branch", "team"],
            ["manager"],
        ):
            return []
        text = Text(
            "指标值的范围须是 branch（分公司）、branch 加 team（班组）或 manager（客户经理）之一",
            "the scope of a measure is a branch, or a branch and a team, or a manager",
        )
        return [Reason("bad_value", "branch", text)]


class Reference(BaseModel):
    """The pair that names another entry."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    source: Id
    source_id: Id

    @property
    def key(self) -> Key:
        """The pair as the other entry's key."""
        return self.source, self.source_id


_TO_JSON: dict[type, Callable[[Any], object]] = {
    Decimal: plain,
    Month: lru_cache(str),
    date: str,
    Reference: lambda reference: {"source": reference.source, "source_id": reference.source_id},
}


class Reversal(Entry):
    """冲销: the entry that it names no longer counts; a reversal can itself be reversed."""

    kind: Literal["reversal"] = "reversal"
    reverses: Reference
    reason: Words

    @classmethod
    def check_combination(cls, raw: dict[str, Any]) -> list[Reason]:
        """A reason in words."""
        return _missing_if_blank(raw, "reason")


AnyEntry = Assignment | Deduction | Sale | Rating | Adjustment | Measure | Reversal


def reversed_keys(entries: Iterable[AnyEntry]) -> set[Key]:
    """The keys of what the reversals among these entries reverse."""
    return {entry.reverses.key for entry in entries if isinstance(entry, Reversal)}


def _key_of(raw: dict[str, Any]) -> Key:
    """The pair of an entry that may not be one."""
    return str(raw.get("source")), str(raw.get("source_id"))


def _filled(raw: dict[str, Any], *fields: str) -> list[str]:
    return [field for field in fields if raw.get(field) is not None]


def _missing_if_blank(raw: dict[str, Any], field: str) -> list[Reason]:
    """A text of blanks alone says nothing. Checked where an entry arrives and not by the model, so
    that entries recorded before the check stay readable.
    """
    value = raw.get(field)
    return [missing(field)] if isinstance(value, str) and value and not value.strip() else []


def is_postings_key(key: Key) -> bool:
    """Whether the pair names a posting of a resettlement."""
    return key[0] == SERVICE and key[1].startswith(POSTING)


def is_reserved_key(key: Key) -> bool:
    """Whether only the service records entries under this pair: postings, and what carries out
    decisions on appeals.
    """
    return is_postings_key(key) or (
        key[0] == APPEALS and CORRECTION_ID.fullmatch(key[1]) is not None
    )


def reserved_key() -> Reason:
    """Why nobody but the service records an entry under such a key."""
    text = Text(
        f"该编号由系统使用（{SERVICE} 的补发扣回、{APPEALS} 的申诉更正）；请用自己的来源系统",
        f"the service has this id for itself (postings of {SERVICE}, corrections of {APPEALS}): "
        "use a source of your own",
    )
    return Reason("reserved", "source_id", text)
