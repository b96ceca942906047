"""Units of figures: how they are written, multiplied and shown."""

from __future__ import annotations

import pytest

from domain.rulebook.units import (
    DATE_TYPE,
    FLAG_TYPE,
    LITERAL,
    PEOPLE,
    RATIO,
    TEXT_TYPE,
    UnknownUnit,
    number,
    parse_unit,
    product,
    unit_label,
)

YUAN, POINT = parse_unit("yuan"), parse_unit("point")


def test_units_are_written_alone_or_as_one_per_another() -> None:
    assert parse_unit("point/piece") == number({"point": 1, "piece": -1})
    assert parse_unit("ratio") == parse_unit("grade") == parse_unit("tier") == RATIO
    assert parse_unit("people") == PEOPLE
    assert parse_unit("yuan/yuan") == RATIO
    assert (parse_unit("flag"), parse_unit("text"), parse_unit("date")) == (
        FLAG_TYPE,
        TEXT_TYPE,
        DATE_TYPE,
    )
    for unknown in ("dollar", "yuan/dollar", ""):
        with pytest.raises(UnknownUnit):
            parse_unit(unknown)


def test_products_and_quotients_have_the_units_that_come_of_it() -> None:
    assert product(parse_unit("point/piece"), parse_unit("piece")) == POINT
    assert product(YUAN, POINT, -1) == parse_unit("yuan/point")
    assert product(YUAN, YUAN, -1) == RATIO
    assert product(LITERAL, YUAN) == product(YUAN, LITERAL) == YUAN
    assert product(LITERAL, LITERAL) == LITERAL
    assert product(LITERAL, POINT, -1) == number({"point": -1})


def test_a_type_is_named_in_messages() -> None:
    assert [str(t) for t in (YUAN, RATIO, LITERAL, FLAG_TYPE, product(YUAN, YUAN))] == [
        "yuan",
        "ratio",
        "ratio",
        "flag",
        "yuan·yuan",
    ]
    assert str(parse_unit("point/piece")) == "point/piece"
    assert str(product(LITERAL, POINT, -1)) == "1/point"


def test_units_are_shown_as_people_write_them() -> None:
    assert unit_label("point/piece", "zh") == "分/件"
    assert unit_label("yuan", "en") == "yuan"
    assert [unit_label(unit, "zh") for unit in ("ratio", "flag", "text", "date", "tier")] == [
        ""
    ] * 5
