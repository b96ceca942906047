"""The rule language is a small part of Python's grammar, read without ever making a float."""

from __future__ import annotations

import warnings
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rulebook.expressions import (
    MAX_DEPTH,
    MAX_LENGTH,
    Binary,
    Call,
    Choice,
    Comparison,
    ExpressionError,
    Logical,
    Name,
    Node,
    Number,
    Quotient,
    Words,
    children,
    names,
    parse,
)


def number(value: str, column: int = 0) -> Number:
    return Number(column, Decimal(value))


def read(text: str) -> Node | ExpressionError:
    try:
        return parse(text)
    except ExpressionError as error:
        return error


def column_of(expression: str) -> int:
    with pytest.raises(ExpressionError) as error:
        parse(expression)
    return error.value.column


def test_a_figure_is_taken_from_the_text() -> None:
    figure = parse("0.10")
    assert isinstance(figure, Number)
    assert figure.value.as_tuple() == Decimal("0.10").as_tuple()
    assert parse("-12.5") == number("-12.5")
    assert parse("999999999999.999999") == number("999999999999.999999")


def test_every_construct_has_its_node() -> None:
    a, b = Name(0, "a"), Name(4, "b")
    assert parse("a + b") == Binary(0, "+", a, b)
    assert parse("a - b") == Binary(0, "-", a, b)
    assert parse("a * b") == Binary(0, "*", a, b)
    assert parse("-a") == Binary(0, "-", number("0"), Name(1, "a"))
    assert parse("a < b") == Comparison(0, "<", a, b)
    assert parse("not a") == Logical(0, "not", (Name(4, "a"),))
    assert parse("a and b and c") == Logical(0, "and", (a, Name(6, "b"), Name(12, "c")))
    assert parse("a or b") == Logical(0, "or", (a, Name(5, "b")))
    assert parse("a if b else c") == Choice(0, Name(5, "b"), a, Name(12, "c"))
    assert parse("'senior'") == Words(0, "senior")
    assert parse("round(a / b, 6)") == Quotient(0, Name(6, "a"), Name(10, "b"), 6)
    assert parse("round(2 * a / b, 0)") == Quotient(
        0, Binary(6, "*", number("2", 6), Name(10, "a")), Name(14, "b"), 0
    )
    assert parse("round(a, 2)") == Call(0, "round", (Name(6, "a"), number("2")))
    assert parse("sum(a, team, where=b)") == Call(
        0, "sum", (Name(4, "a"), Name(7, "team")), (("where", Name(19, "b")),)
    )
    assert parse("kpi.group.a") == Name(0, "kpi.group.a")


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
def test_comparisons_chain_as_in_mathematics(operator: str) -> None:
    chain = parse(f"a < b {operator} c")
    assert isinstance(chain, Logical)
    assert chain.operator == "and"
    assert [part.operator for part in chain.parts if isinstance(part, Comparison)] == [
        "<",
        operator,
    ]


def test_one_of_several_is_a_comparison_with_each() -> None:
    assert parse("a in (1, 2)") == Logical(
        0,
        "or",
        (
            Comparison(0, "==", Name(0, "a"), number("1", 6)),
            Comparison(0, "==", Name(0, "a"), number("2", 9)),
        ),
    )


def test_names_may_be_chinese_and_columns_count_characters() -> None:
    assert parse("基本积分 + 扣减") == Binary(0, "+", Name(0, "基本积分"), Name(7, "扣减"))
    assert column_of("基本积分 + 扣减 / 2") == 7
    assert column_of("'分' + ＋") == 6
    assert parse("(a +\n b)") == Binary(1, "+", Name(1, "a"), Name(6, "b"))
    assert column_of("(a +\n b.c())") == 6


def test_texts_in_quotes_may_have_any_character() -> None:
    assert parse("post == '客户经理（高级）１'") == Comparison(
        0, "==", Name(0, "post"), Words(8, "客户经理（高级）１")
    )


def test_nesting_is_read_up_to_its_limit() -> None:
    deep = MAX_DEPTH - 1
    assert parse("(" * deep + "a" + ")" * deep) == Name(deep, "a")
    parse(" + ".join(["1"] * MAX_DEPTH))
    parse("1" + " " * (MAX_LENGTH - 1))
    for too_deep in (
        " + ".join(["1"] * (MAX_DEPTH + 1)),
        "not " * MAX_DEPTH + "a",
        "a if b else " * MAX_DEPTH + "c",
    ):
        with pytest.raises(ExpressionError, match="nested more than 40 deep"):
            parse(too_deep)


@given(
    st.text(
        alphabet="()[]{}+-*/.,<>=!'\"\\ \t\n\0ab10e_@#:;分＋１\u3000" + "not if else", max_size=60
    )
)
def test_whatever_is_written_is_read_or_refused_at_a_place_in_it(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(text)
    assert isinstance(found, Node) or 0 <= found.column <= max(len(text), 1)


@pytest.mark.parametrize(
    "text", ["1+" * 999 + "1", "a" + ".a" * 990, "-" * 2000, "(" * 300, "not " * 490 + "a", "a\0b"]
)
def test_what_would_exhaust_the_parser_is_refused_or_read(text: str) -> None:
    found = read(text)
    assert isinstance(found, Name) or found.text.zh


def test_a_walk_over_an_expression_meets_every_name_in_reading_order() -> None:
    node = parse("sum(a, team, where=b > c) + (d if e else round(f / g, 2)) * min(1, h)")
    assert [name.name for name in names(node)] == ["a", "team", "b", "c", "d", "e", "f", "g", "h"]
    assert children(number("1")) == ()
    call = parse("sum(a, team, where=b)")
    assert isinstance(call, Call)
    assert call.option("where") == Name(19, "b")
    assert call.option("by") is None


@pytest.mark.parametrize(
    "wrap", ["({}) in (0, 1)", "0 <= ({}) <= 1", "({}) in (0, 1) and x", "1 > ({}) in (0,)"]
)
def test_no_part_of_an_expression_is_visited_twice_but_names_and_figures(wrap: str) -> None:
    assert isinstance(parse(wrap.format("x")), Logical)
    assert isinstance(parse(wrap.format("-1")), Logical)
    with pytest.raises(ExpressionError, match="make it a step and compare that"):
        parse(wrap.format("x + 1"))


def test_what_one_comparison_alone_reads_may_be_an_expression() -> None:
    assert parse("(a + b) in (c,)") == Logical(
        0, "or", (Comparison(0, "==", Binary(1, "+", Name(1, "a"), Name(5, "b")), Name(12, "c")),)
    )
    assert isinstance(parse("a + b < c <= d + e"), Logical)
