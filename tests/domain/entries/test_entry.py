"""Entries as the contract prints them: what each kind takes, what it refuses, and every reason at
once.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.entries.kinds import KINDS
from domain.entries.parsing import parse_entry, recorded_entry
from domain.errors import Invalid

KEY = {"source": "crm", "source_id": "1"}
OF = {"manager": "M0007", "month": "2026-10"}
ENTRIES: dict[str, dict[str, Any]] = {
    "assignment": {
        **OF,
        "name": "钱春燕",
        "branch": "B01",
        "team": "T1",
        "role": "customer_manager",
        "grade": 6,
    },
    "deduction": {**OF, "item": "bundling_rate", "points": "12.50"},
    "sale": {**OF, "item": "group_count", "quantity": "0.5"},
    "rating": {**OF, "item": "ability", "score": "-3.25"},
    "adjustment": {**OF, "amount": "-0.01", "reason": "补贴"},
    "measure": {"month": "2026-10", "item": "minimum_wage", "value": "2010", "branch": "B01"},
    "reversal": {"reverses": {"source": "billing", "source_id": "250"}, "reason": "申诉成立"},
}
NUMBERS = {
    "deduction": "points",
    "sale": "quantity",
    "rating": "score",
    "adjustment": "amount",
    "measure": "value",
}


def entry(kind: str, **changes: Any) -> dict[str, Any]:
    """A good entry of a kind, with these fields changed; None takes a field away."""
    raw = {"kind": kind, **KEY, **ENTRIES[kind], **changes}
    return {name: value for name, value in raw.items() if value is not None}


def reasons(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        parse_entry(raw)
    return sorted((reason.code, reason.field) for reason in refused.value.reasons)


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_kind_is_read_and_told_again_as_it_came(kind: str) -> None:
    raw = entry(
        kind,
        note="备注",
        occurred_on="2026-10-12",
        attributes={"industry": "education", "vip": True},
    )
    told = parse_entry(raw).content()
    expected = raw | ({"points": "12.5"} if kind == "deduction" else {})
    expected |= {"item": "adjustment"} if kind == "adjustment" else {}
    assert told == expected


def test_the_kinds_are_the_seven_of_the_contract() -> None:
    assert list(KINDS) == list(ENTRIES)


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_field_that_is_missing_is_named_one_by_one_and_all_at_once(kind: str) -> None:
    needed = {"source", "source_id", *ENTRIES[kind]} - {"branch", "amount"}
    if kind == "assignment":
        needed |= {"branch"}
    for field in needed:
        assert ("missing_field", field) in reasons(entry(kind, **{field: None}))
    every = {("missing_field", field) for field in needed}
    assert every <= set(reasons({"kind": kind}))


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_unknown_field_is_refused_by_name(kind: str) -> None:
    assert reasons(entry(kind, colour="red")) == [("unknown_field", "colour")]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({}, "missing_field"),
        ({"kind": None}, "missing_field"),
        ({"kind": "bonus"}, "unknown_kind"),
        ({"kind": ["sale"]}, "unknown_kind"),
    ],
)
def test_an_unknown_kind_is_refused_with_all_else_that_can_be_told(
    raw: dict[str, Any], code: str
) -> None:
    assert reasons(raw) == sorted(
        [(code, "kind"), ("missing_field", "source"), ("missing_field", "source_id")]
    )
    assert reasons(raw | KEY) == [(code, "kind")]
    more = {
        "manager": "M 7",
        "month": "2026-13",
        "attributes": {"x": 1.5},
        "colour": "red",
        "quantity": "1",
    }
    assert reasons(raw | KEY | more) == sorted(
        [
            (code, "kind"),
            ("bad_value", "manager"),
            ("bad_value", "month"),
            ("float", "attributes.x"),
            ("unknown_field", "colour"),
        ]
    )


@pytest.mark.parametrize("raw", [None, [], "sale", 5])
def test_what_is_no_object_is_refused(raw: Any) -> None:
    assert reasons(raw) == [("not_an_object", "")]


@pytest.mark.parametrize(("kind", "field"), NUMBERS.items())
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (1.5, "float"),
        ("NaN", "not_finite"),
        ("-Infinity", "not_finite"),
        ("1.0000001", "too_precise"),
        ("1234567890123", "too_large"),
        ("1e3", "not_a_number"),
        ("１２", "not_a_number"),
        ("", "not_a_number"),
        (True, "not_a_number"),
    ],
)
def test_a_number_that_is_none_or_not_exact_is_refused(
    kind: str, field: str, number: Any, code: str
) -> None:
    assert reasons(entry(kind, **{field: number})) == [(code, field)]


@pytest.mark.parametrize(("kind", "field"), NUMBERS.items())
def test_whole_numbers_may_be_json_integers_and_six_places_and_twelve_digits_are_taken(
    kind: str, field: str
) -> None:
    for written, told in (
        (5, "5"),
        ("999999999999.999999", "999999999999.999999"),
        ("0.000001", "0.000001"),
    ):
        assert parse_entry(entry(kind, **{field: written})).content()[field] == told


@pytest.mark.parametrize(("kind", "field"), [("deduction", "points"), ("sale", "quantity")])
def test_a_quantity_below_0_is_refused_because_a_return_is_a_reversal(
    kind: str, field: str
) -> None:
    assert reasons(entry(kind, **{field: "-0.000001"})) == [("negative", field)]
    assert parse_entry(entry(kind, **{field: "-0"})).content()[field] == "0"


@pytest.mark.parametrize(
    ("kind", "field"), [("rating", "score"), ("adjustment", "amount"), ("measure", "value")]
)
def test_other_numbers_may_be_below_0(kind: str, field: str) -> None:
    assert parse_entry(entry(kind, **{field: "-7.5"})).content()[field] == "-7.5"


@pytest.mark.parametrize(
    "month", ["1999-12", "2100-01", "2026-13", "2026-1", "2026-10-01", "２０２６-10", 202610, ""]
)
def test_a_month_is_a_month_from_2000_to_2099(month: Any) -> None:
    assert reasons(entry("sale", month=month)) == [("bad_value", "month")]
    for good in ("2000-01", "2099-12"):
        assert parse_entry(entry("sale", month=good)).content()["month"] == good


@pytest.mark.parametrize("name", ["", "a" * 65, "M 7", "客户", "M/7", 7])
def test_an_id_is_one_to_64_letters_digits_dots_dashes(name: Any) -> None:
    assert reasons(entry("sale", manager=name)) == [("bad_value", "manager")]
    assert parse_entry(entry("sale", manager="a" * 64)).content()["manager"] == "a" * 64
    assert parse_entry(entry("sale", manager="A.b_c-9")).content()["manager"] == "A.b_c-9"


def test_an_adjustment_is_of_points_or_of_yuan() -> None:
    assert reasons(entry("adjustment", points="1")) == [("bad_value", "points")]
    assert reasons(entry("adjustment", amount=None)) == [("bad_value", "points")]
    assert parse_entry(entry("adjustment", amount=None, points="-3")).content()["points"] == "-3"


@pytest.mark.parametrize(
    ("scope", "good"),
    [
        ({"branch": "B01"}, True),
        ({"branch": "B01", "team": "T1"}, True),
        ({"manager": "M1"}, True),
        ({"team": "T1"}, False),
        ({"branch": "B01", "manager": "M1"}, False),
        ({}, False),
    ],
)
def test_a_measure_is_of_a_branch_a_team_of_it_or_a_manager(
    scope: dict[str, str], good: bool
) -> None:
    raw = entry("measure", branch=None) | scope
    if good:
        assert parse_entry(raw).content().items() >= scope.items()
    else:
        assert reasons(raw) == [("bad_value", "branch")]


def test_only_who_leaves_has_no_place() -> None:
    gone = {"name": None, "branch": None, "team": None, "grade": None}
    assert parse_entry(entry("assignment", role="left", **gone)).content()["role"] == "left"
    assert reasons(entry("assignment", **gone)) == sorted(
        ("missing_field", field) for field in gone
    )


@pytest.mark.parametrize("grade", ["6", 6.0, True, -1, 100])
def test_a_grade_is_a_whole_number(grade: Any) -> None:
    assert [field for _, field in reasons(entry("assignment", grade=grade))] == ["grade"]


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"level": "senior"}, {"level": "senior"}),
        ({"level": 4}, {"level": "4"}),
        ({"in_arrears": True}, {"in_arrears": True}),
        # What is compared as a key is trimmed and in one form.
        ({"industry": "education "}, {"industry": "education"}),
        ({"industry": "\u3000ｅｄｕｃａｔｉｏｎ\n"}, {"industry": "education"}),
        ({"industry": "教育"}, {"industry": "教育"}),
    ],
)
def test_attributes_are_words_whole_numbers_and_yes_or_no(
    attributes: dict[str, Any], told: dict[str, Any]
) -> None:
    assert parse_entry(entry("sale", attributes=attributes)).content()["attributes"] == told


@pytest.mark.parametrize(
    "attributes",
    [{"level": " "}, {"level": 1.5}, {"level": None}, {"level": []}, {"a b": "x"}, [], "x"],
)
def test_other_attributes_are_refused(attributes: Any) -> None:
    assert len(reasons(entry("sale", attributes=attributes))) == 1


def test_every_attribute_that_is_wrong_has_one_reason_of_its_own() -> None:
    raw = entry(
        "sale",
        attributes={"x": 1.5, "y": None, "z": [], "a b": "c", "e": "", "bool": {}, "fine": True},
    )
    wrong = [
        ("float", "attributes.x"),
        *(("bad_value", f"attributes.{name}") for name in ("y", "z", "a b", "e")),
    ]
    assert reasons(raw) == sorted([*wrong, ("bad_value", "attributes.bool")])


WRONG = [
    entry("adjustment", item="back_pay", amount="-1.001"),
    entry("adjustment", item="clawback", amount=None, points="5"),
    entry("sale", attributes={"x": None, "y": ""}),
    entry("sale", attributes=[]),
    entry("sale", note="x" * 4001),
    entry("sale", note=5),
    entry("adjustment", reason=""),
    entry("reversal", reverses=5),
    entry("reversal", reverses={"source": "a", "source_id": "b", "more": 1}),
    entry("rating", rater_level="boss"),
    *(entry("assignment", grade=grade) for grade in ("6", 6.5, True, -1, 100)),
]


@pytest.mark.parametrize("raw", WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_in_chinese_and_in_english(raw: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        parse_entry(raw)
    for reason in refused.value.reasons:
        zh, en = (re.sub(r"'[^'…]*['…]", "", text) for text in reason.text)  # without what was sent
        assert re.search("[一-鿿]", zh)
        assert not re.search("[一-鿿]", en)
        assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", zh)
        assert "valid" not in en  # pydantic's word
        assert len(reason.text.en) < 200


@pytest.mark.parametrize("kind", ["adjustment", "reversal"])
def test_a_reason_of_blanks_alone_is_missing(kind: str) -> None:
    for blank in (" ", "　", "\t\n"):
        assert reasons(entry(kind, reason=blank)) == [("missing_field", "reason")]
    wrong = entry("adjustment", reason=" ", points="1")
    assert reasons(wrong) == [("bad_value", "points"), ("missing_field", "reason")]


@pytest.mark.parametrize("item", ["back_pay", "clawback"])
@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"amount": "-700"}, [("not_positive", "amount")]),
        ({"amount": "0"}, [("not_positive", "amount")]),
        ({"amount": "0.00"}, [("not_positive", "amount")]),
        ({"amount": -7}, [("not_positive", "amount")]),
        ({"amount": "0.005"}, [("fractional_cents", "amount")]),
        ({"amount": "700.001"}, [("fractional_cents", "amount")]),
        ({"amount": "-0.001"}, [("fractional_cents", "amount"), ("not_positive", "amount")]),
        ({"amount": None, "points": "5"}, [("not_in_yuan", "points")]),
        ({"amount": "5", "points": "5"}, [("bad_value", "points"), ("not_in_yuan", "points")]),
        ({"amount": "much"}, [("not_a_number", "amount")]),
        (
            {"amount": "-7", "reason": " "},
            [("missing_field", "reason"), ("not_positive", "amount")],
        ),
    ],
)
def test_back_pay_and_clawback_are_yuan_above_0_in_whole_cents(
    item: str, fields: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    assert reasons(entry("adjustment", item=item, **fields)) == wanted


@pytest.mark.parametrize("amount", ["700", "0.01", "700.10", "1.500000", "999999999999.99", 7])
def test_back_pay_and_clawback_are_taken_to_the_cent(amount: str | int) -> None:
    for item in ("back_pay", "clawback"):
        taken = parse_entry(entry("adjustment", item=item, amount=amount))
        assert getattr(taken, "amount") == Decimal(amount)  # noqa: B009


@pytest.mark.parametrize("item", ["bonus", "adjustment", None, ["back_pay"]])
def test_any_other_adjustment_may_be_negative_and_finer(item: Any) -> None:
    raw = entry("adjustment", item=item, amount="-0.000001")
    if isinstance(item, list):
        assert reasons(raw) == [("bad_value", "item")]
    else:
        parse_entry(raw)


def test_an_entry_recorded_before_it_was_asked_for_more_stays_readable() -> None:
    raw = entry("adjustment", item="back_pay", amount="-700.001", reason=" ")
    assert recorded_entry(raw).content() == raw | {"amount": "-700.001"}
    posting = raw | {"source": "merit", "source_id": "posting-9-1", "reason": "补发"}
    assert parse_entry(posting).content()["amount"] == "-700.001"  # decided before: carried out


@pytest.mark.parametrize(
    "day",
    [
        "2026-10-32",
        "2026-1-1",
        "20261001",
        "2026-W03-1",
        "2026-10-0１",
        20261001,
        "2026-10-01T00:00",
    ],
)
def test_a_date_is_a_day(day: Any) -> None:
    assert reasons(entry("sale", occurred_on=day)) == [("bad_value", "occurred_on")]


def test_a_rater_level_is_one_of_six() -> None:
    assert reasons(entry("rating", rater_level="boss")) == [("bad_value", "rater_level")]
    for level in ("leader", "peer", "subordinate", "self", "customer", "company"):
        assert parse_entry(entry("rating", rater_level=level)).content()["rater_level"] == level


def test_every_reason_is_given_at_once() -> None:
    raw = {
        "kind": "sale",
        "source": "c r m",
        "month": "2026-13",
        "item": "x",
        "quantity": 1.5,
        "colour": "red",
    }
    assert reasons(raw) == [
        ("bad_value", "month"),
        ("bad_value", "source"),
        ("float", "quantity"),
        ("missing_field", "manager"),
        ("missing_field", "source_id"),
        ("unknown_field", "colour"),
    ]


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=0, max_value=999999999999
    )
)
def test_equal_facts_have_equal_digests_however_their_figures_are_written(figure: Decimal) -> None:
    plain, padded = (
        parse_entry(entry("sale", quantity=f"{figure:f}")),
        f"{figure:f}".rstrip("0").rstrip(".") or "0",
    )
    assert plain.digest() == parse_entry(entry("sale", quantity=padded)).digest()
    assert plain.digest() != parse_entry(entry("sale", quantity=padded, item="other")).digest()


def test_personal_text_stands_in_a_part_of_its_own() -> None:
    public, personal = parse_entry(entry("assignment", note="家庭原因")).parts()
    assert personal == {"name": "钱春燕", "note": "家庭原因"}
    assert not {"name", "note"} & public.keys()
    assert parse_entry(entry("adjustment")).parts()[1] == {"reason": "补贴"}
