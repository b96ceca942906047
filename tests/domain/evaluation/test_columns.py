"""Columns are exact: every operation equals the same operation in fractions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.evaluation import columns
from domain.evaluation.columns import LIMIT, Column, TextColumn
from tests.oracle_schemes.arithmetic import half_up

EDGES = [
    0,
    1,
    -1,
    2**31,
    2**62,
    -(2**62),
    LIMIT,
    -LIMIT,
    LIMIT + 1,
    -(2**63),
    2**64,
    10**18,
    5 * 10**17 - 1,
]
WHOLES = st.one_of(st.sampled_from(EDGES), st.integers(-1000, 1000), st.integers(-(2**70), 2**70))
PLACES = st.integers(0, 12)


@st.composite
def pairs(draw: st.DrawFn, wholes: st.SearchStrategy[int] = WHOLES) -> tuple[Column, Column]:
    """Two columns of as many rows, at any places."""
    rows = draw(st.integers(0, 4))
    a, b = ([draw(wholes) for _ in range(rows)] for _ in "ab")
    return column(a, draw(PLACES)), column(b, draw(PLACES))


def column(wholes: Sequence[int], places: int = 0, poison: Sequence[int] | None = None) -> Column:
    reasons = None if poison is None else np.array(poison, np.int16)
    return columns.fit(np.array(wholes, object), places, reasons)


def fractions(figures: Column) -> list[Fraction]:
    return [Fraction(int(whole), 10**figures.places) for whole in figures.data.tolist()]


def is_sound(figures: Column) -> None:
    """The bound holds, and figures that fit are int64."""
    assert all(abs(int(whole)) <= figures.bound for whole in figures.data.tolist())
    assert figures.data.dtype == np.int64 or any(
        abs(whole) > LIMIT for whole in figures.data.tolist()
    )


# Arithmetic


@pytest.mark.parametrize(
    ("operation", "exact"),
    [
        (columns.add, operator.add),
        (columns.subtract, operator.sub),
        (columns.multiply, operator.mul),
        (columns.minimum, min),
        (columns.maximum, max),
    ],
)
@given(pairs())
@example((column([LIMIT]), column([1])))
@example((column([-LIMIT]), column([-2])))
@example((column([2**62, 1]), column([2**62, 1])))
@example((column([3037000500]), column([3037000500])))
@example((column([LIMIT // 10 + 1], 0), column([1], 1)))
def test_arithmetic_is_exact_past_63_bits(
    operation: Callable[[Column, Column], Column],
    exact: Callable[[Fraction, Fraction], Fraction],
    given_pair: tuple[Column, Column],
) -> None:
    a, b = given_pair
    result = operation(a, b)
    is_sound(result)
    assert fractions(result) == [
        exact(x, y) for x, y in zip(fractions(a), fractions(b), strict=True)
    ]


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq", "ne"])
@given(pairs(st.sampled_from(EDGES)))
def test_comparisons_are_exact_at_any_places(name: str, given_pair: tuple[Column, Column]) -> None:
    a, b = given_pair
    compare = getattr(operator, name)
    wanted = [int(compare(x, y)) for x, y in zip(fractions(a), fractions(b), strict=True)]
    assert columns.compare(compare, a, b).data.tolist() == wanted


@given(pairs(), PLACES)
@example((column([5, -5, 15, -15, 4, -4]), column([10] * 6)), 0)
@example((column([1, -1]), column([3, 3])), 6)
@example((column([1, 1]), column([-2, 0])), 0)
@example((column([LIMIT]), column([LIMIT])), 12)
@example((column([LIMIT // 2]), column([1])), 0)
@example((column([7]), column([2], 6)), 0)
@example((column([7], 6), column([2])), 0)
def test_a_quotient_is_rounded_once_half_away_from_zero_and_there_is_none_by_zero(
    given_pair: tuple[Column, Column], places: int
) -> None:
    a, b = given_pair
    result = columns.divide(a, b, places, by_zero=7)
    is_sound(result)
    assert result.places == places
    for row, (x, y) in enumerate(zip(fractions(a), fractions(b), strict=True)):
        if y == 0:
            assert result.poison is not None
            assert result.poison[row] == 7
        else:
            assert result.present[row]
            assert fractions(result)[row] == half_up(x / y, places)


@given(st.lists(WHOLES, max_size=4), st.integers(0, 30), PLACES)
@example([5, -5, 4, -4, 15, -15], 1, 0)
@example([LIMIT, -LIMIT], 19, 0)
@example([LIMIT], 2, 2)
def test_rounding_is_half_away_from_zero(wholes: list[int], places: int, to: int) -> None:
    before = column(wholes, places)
    after = columns.round_half_up(before, to)
    is_sound(after)
    assert after.places == min(places, to)
    assert fractions(after) == [half_up(x, to) for x in fractions(before)]


def test_what_has_no_more_places_is_not_rounded() -> None:
    figures = column([15, -15], 2)
    assert columns.round_half_up(figures, 2) is figures
    assert columns.round_half_up(figures, 3) is figures


@given(st.lists(WHOLES, max_size=4), st.integers(0, 30))
@example([-1, 1, 10, -10], 1)
@example([LIMIT, -LIMIT], 25)
def test_floor_is_the_greatest_whole_number_not_above(wholes: list[int], places: int) -> None:
    before = column(wholes, places)
    after = columns.round_down(before)
    is_sound(after)
    assert fractions(after) == [Fraction(floor(x)) for x in fractions(before)]


def test_the_smallest_int64_has_no_positive_twin_and_is_not_kept_as_one() -> None:
    smallest = np.array([-(2**63)], np.int64)
    assert columns.fit(smallest, 0).bound == 2**63
    assert columns.fit(np.array([-(2**63)], object), 0).data.dtype == object
    assert fractions(columns.subtract(column([0]), columns.fit(smallest, 0))) == [Fraction(2**63)]


def test_what_was_promoted_comes_back_to_int64_where_the_figures_fit_again() -> None:
    huge = column([2**70, 5])
    assert huge.data.dtype == object
    for narrow in (
        columns.minimum(huge, column([8, 8])),
        columns.maximum(columns.subtract(column([0, 0]), huge), column([0, 0])),
        columns.choose(column([0, 1]), huge, column([1, 1])),
        columns.subtract(huge, huge),
        columns.divide(huge, column([2**60, 1]), 0, 1),
    ):
        assert narrow.data.dtype == np.int64


def test_int64_ends_where_it_ends() -> None:
    assert np.iinfo(np.int64).max == LIMIT


@pytest.mark.parametrize(
    ("bound", "tight", "kind", "result"),
    [
        (LIMIT, None, np.int64, LIMIT),
        (LIMIT + 1, 5, np.int64, 5),
        (LIMIT + 1, LIMIT, np.int64, LIMIT),
        (LIMIT + 1, LIMIT + 1, np.dtype(object), 4),
    ],
)
def test_an_operation_is_done_in_int64_as_long_as_its_result_is_sure_to_fit(
    bound: int, tight: int | None, kind: Any, result: int
) -> None:
    seen: list[Any] = []

    def operation(a: Any, b: Any) -> Any:
        seen.extend((a.dtype, b.dtype))
        return a + b

    def look() -> int:
        assert tight is not None, "nothing need be looked at"
        return tight

    data, found = columns.calculate_exactly(
        operation, np.array([1, 3]), np.array([-1, 1]), bound, look
    )
    assert seen == [kind, kind]
    assert (data.dtype, data.tolist(), found) == (np.int64, [0, 4], result)


@pytest.mark.parametrize("first", [True, False])
def test_flags_are_widened_to_int64_up_to_the_last_result_that_fits(first: bool) -> None:
    seen: list[Any] = []

    def operation(a: Any, b: Any) -> Any:
        seen.extend((a.dtype, b.dtype))
        return a + b

    sides = [columns.flags(np.array([True, False])).data, np.array([LIMIT - 1, 0])]
    data, bound = columns.calculate_exactly(
        operation, *(sides if first else sides[::-1]), LIMIT, lambda: LIMIT
    )
    assert seen == [np.int64, np.int64]
    assert (data.tolist(), bound) == ([LIMIT, 0], LIMIT)


@pytest.mark.parametrize("first", [True, False])
def test_python_integers_are_not_mixed_with_int64(first: bool) -> None:
    seen: list[Any] = []

    def operation(a: Any, b: Any) -> Any:
        seen.extend((a.dtype, b.dtype))
        return a - a

    sides = [np.array([2**70], object), np.array([1])]
    columns.calculate_exactly(operation, *(sides if first else sides[::-1]), 1, lambda: 1)
    assert seen == [object, object]


def test_bounds_are_tightened_by_a_look_at_the_data_before_anything_is_promoted() -> None:
    loose = Column(np.array([2, 3]), 0, LIMIT)
    for result in (
        columns.add(loose, loose),
        columns.multiply(loose, loose),
        columns.divide(loose, loose, 6, 1),
    ):
        assert result.data.dtype == np.int64
        assert result.bound < 100_000_000


# Figures from decimals, and back


@given(
    st.lists(
        st.decimals(
            allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=9
        )
    )
)
@example([Decimal("1E+3"), Decimal("0.10"), Decimal("-0")])
@example([Decimal("123456789012345678901234567890.123456789012345678901")])
def test_decimals_become_columns_digit_for_digit(values: list[Decimal]) -> None:
    figures = columns.from_decimals(values)
    is_sound(figures)
    assert fractions(figures) == [Fraction(value) for value in values]


def test_a_figure_is_written_as_the_shortest_plain_decimal() -> None:
    figures = column([0, -0, 100, 150, -150, 5, -5, 10**20], 2)
    assert figures.texts() == ["0", "0", "1", "1.5", "-1.5", "0.05", "-0.05", "1000000000000000000"]
    assert [figures.text(row) for row in range(8)] == figures.texts()


def test_a_word_is_written_as_it_is() -> None:
    words = TextColumn(np.array([1, 0, 1]), ("甲", "B"))
    assert words.texts() == ["B", "甲", "B"]
    assert words.text(1) == "甲"


# A constant stands for every row


def test_a_column_of_one_row_is_the_same_figure_in_every_row() -> None:
    two = columns.constant(Decimal("2"))
    many = column([1, 2, 3])
    assert fractions(columns.multiply(many, two)) == [2, 4, 6]
    assert fractions(columns.subtract(two, many)) == [1, 0, -1]
    assert columns.compare(operator.lt, many, two).data.tolist() == [1, 0, 0]
    assert two.broadcast(3).data.tolist() == [2, 2, 2]
    assert two.broadcast(0).data.tolist() == []
    assert many.broadcast(3) is many
    assert TextColumn(np.array([0]), ("a",)).broadcast(2).texts() == ["a", "a"]


def test_over_nobody_every_operation_gives_nothing() -> None:
    nobody, two = column([]), columns.constant(Decimal("2"))
    for result in (
        columns.add(nobody, two),
        columns.multiply(two, nobody),
        columns.divide(nobody, two, 6, 1),
        columns.round_half_up(nobody, 2),
        columns.round_down(nobody),
        columns.choose(nobody, two, two),
    ):
        assert len(result) == 0
        is_sound(result)
    assert (
        columns.fit(np.array([], object), 3).bound == columns.max_abs(np.array([], np.int64)) == 0
    )
    assert columns.from_decimals([]).places == 0
    assert nobody.texts() == []


# Flags are kept in a byte, and calculate like any figures


def test_flags_never_wrap() -> None:
    result = one = columns.flags(np.array([True, False]))
    for _ in range(299):
        result = columns.add(result, one)
    assert result.data.tolist() == [300, 0]
    assert columns.multiply(columns.rescale(one, 6), columns.rescale(one, 6)).data.tolist() == [
        10**12,
        0,
    ]
    assert columns.divide(one, columns.constant(Decimal(3)), 6, 1).data.tolist() == [333333, 0]
    assert columns.subtract(
        columns.subtract(one, one), columns.constant(Decimal(200))
    ).data.tolist() == [-200, -200]
    assert columns.maximum(one, columns.constant(Decimal("0.5"))).data.tolist() == [10, 5]
    assert columns.choose(one, one, columns.constant(Decimal(1000))).data.tolist() == [1, 1000]


def test_nothing_is_added_without_touching_the_figures() -> None:
    many, nothing = column([1, 2, 3], poison=[0, 2, 0]), columns.from_decimals([Decimal("0.00")])
    for result in (columns.add(many, nothing), columns.add(nothing, many)):
        assert fractions(result)[0] == 1
        assert result.places == 2
        assert result.poison is not None
        assert result.poison.tolist() == [0, 2, 0]
    absent = nothing.with_poison(np.array([7], np.int16))
    assert columns.add(absent, many).poison.tolist() == [7, 7, 7]  # type: ignore[union-attr]
    assert columns.add(many, absent).poison.tolist() == [7, 2, 7]  # type: ignore[union-attr]


@pytest.mark.parametrize("rows", [2, 3])
def test_nothing_in_every_row_is_added_row_by_row(rows: int) -> None:
    nothing, five = column([0] * rows), columns.constant(Decimal(5))
    assert columns.add(five, nothing).data.tolist() == [5] * rows
    assert columns.add(nothing, five).data.tolist() == [5] * rows


# Rows without a value


def reasons(figures: Column | TextColumn) -> list[int]:
    return [0] * len(figures) if figures.poison is None else figures.poison.tolist()


def test_arithmetic_keeps_a_row_without_a_value_and_its_first_reason() -> None:
    a, b = column([1, 2, 3, 4], poison=[0, 3, 0, 3]), column([1, 1, 1, 1], poison=[0, 0, 4, 4])
    for operation in (
        columns.add,
        columns.subtract,
        columns.multiply,
        columns.minimum,
        columns.maximum,
    ):
        assert reasons(operation(a, b)) == [0, 3, 4, 3]
        assert reasons(operation(b, a)) == [0, 3, 4, 4]
    assert reasons(columns.compare(operator.eq, a, b)) == [0, 3, 4, 3]
    assert reasons(columns.divide(a, b, 2, 9)) == [0, 3, 4, 3]
    assert reasons(columns.round_half_up(column([15, 25], 1, [0, 2]), 0)) == [0, 2]
    assert reasons(columns.round_down(column([15, 25], 1, [0, 2]))) == [0, 2]
    assert reasons(columns.rescale(column([15, 25], 1, [0, 2]), 3)) == [0, 2]


def test_a_divisor_of_zero_is_the_last_of_the_reasons() -> None:
    assert reasons(columns.divide(column([1, 1], poison=[5, 0]), column([0, 0]), 2, 9)) == [5, 9]


def test_a_choice_lacks_a_value_only_where_the_side_that_is_taken_does() -> None:
    condition = column([1, 1, 0, 0])
    a, b = column([1, 1, 1, 1], poison=[0, 3, 0, 3]), column([2, 2, 2, 2], poison=[4, 0, 4, 0])
    chosen = columns.choose(condition, a, b)
    assert reasons(chosen) == [0, 3, 4, 0]
    assert chosen.data.tolist() == [1, 1, 2, 2]
    is_sound(columns.choose(condition, column([900] * 4), b))
    is_sound(columns.choose(condition, a, column([900] * 4)))
    assert columns.flags(np.array([True])).bound == 1
    assert reasons(columns.choose(condition, a, column([0] * 4))) == [0, 3, 0, 0]
    assert reasons(columns.choose(column([0], poison=[8]), a, b)) == [8, 8, 8, 8]
    assert columns.choose(condition, column([1] * 4), column([2] * 4)).poison is None


@pytest.mark.parametrize("all_of", [True, False])
def test_a_choice_that_all_make_alike_is_that_side_at_the_places_of_both(all_of: bool) -> None:
    fine, coarse = (
        column([125, 250], 2),
        columns.constant(Decimal(7)).with_poison(np.array([3], np.int16)),
    )
    condition = columns.flags(np.array([all_of, all_of]), np.array([0, 4], np.int16))
    sides = (fine, coarse) if all_of else (coarse, fine)
    chosen = columns.choose(condition, *sides)
    assert isinstance(chosen, Column)
    assert (chosen.data.tolist(), chosen.places) == ([125, 250], 2)
    assert chosen.poison is not None
    assert chosen.poison.tolist() == [0, 4]
    other = columns.choose(condition, *reversed(sides))
    assert isinstance(other, Column)
    assert (other.data.tolist(), other.places) == ([700, 700], 2)
    assert other.poison is not None
    assert other.poison.tolist() == [3, 4]


def test_a_choice_that_all_make_alike_is_no_wider_than_that_side() -> None:
    small, large = column([1, 2]), column([10**15, 10**15])
    for condition, sides in ((column([1, 1]), (small, large)), (column([0, 0]), (large, small))):
        chosen = columns.choose(condition, *sides)
        assert isinstance(chosen, Column)
        assert (chosen.data.tolist(), chosen.bound) == ([1, 2], 2)


def test_a_choice_of_words_keeps_the_words_of_both_sides() -> None:
    a, b = TextColumn(np.array([0, 1, 0]), ("x", "y")), TextColumn(np.array([0, 0, 1]), ("y", "z"))
    chosen = columns.choose(column([1, 0, 0]), a, b)
    assert chosen.texts() == ["x", "y", "z"]
    assert isinstance(chosen, TextColumn)
    assert chosen.words == ("x", "y", "z")


def test_a_constant_takes_the_rows_of_the_reasons_it_meets() -> None:
    poisoned = columns.constant(Decimal(7)).with_poison(np.array([0, 2, 0], np.int16))
    assert poisoned.data.tolist() == [7, 7, 7]
    assert poisoned.present.tolist() == [True, False, True]
    nothing = columns.add(
        column([1, 2]), columns.constant(Decimal(0)).with_poison(np.array([6], np.int16))
    )
    assert reasons(nothing) == [6, 6]
    words = TextColumn(np.array([0]), ("a",)).with_poison(np.array([0, 1], np.int16))
    assert words.present.tolist() == [True, False]
    assert words.texts() == ["a", "a"]
    assert reasons(
        columns.constant(Decimal(1)).with_poison(np.array([3], np.int16)).broadcast(2)
    ) == [
        3,
        3,
    ]


def test_rows_are_taken_with_their_reasons() -> None:
    taken = column([1, 2, 3], 1, [0, 5, 0]).take(np.array([1, 1, 0]))
    assert taken.data.tolist() == [2, 2, 1]
    assert reasons(taken) == [5, 5, 0]
    assert taken.places == 1


def test_words_are_recoded_into_another_vocabulary_and_unknown_ones_are_marked() -> None:
    words = TextColumn(np.array([0, 1, 2]), ("a", "b", "c"))
    assert words.codes_in(("c", "a")).tolist() == [1, -1, 0]


@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.integers(-(10**12), 10**12), st.integers(-3, 3)),
        min_size=1,
        max_size=5,
    )
)
def test_quotients_beyond_63_bits_are_exact_where_figures_repeat_row_after_row(
    runs: list[tuple[int, int, int]],
) -> None:
    above = [a for times, a, _ in runs for _ in range(4 * times)]
    below = [b for times, _, b in runs for _ in range(4 * times)]
    top = columns.fit(np.array(above, np.int64), 0)
    bottom = columns.fit(np.array(below, np.int64), 9)
    found = columns.divide(top, bottom, 6, 7)
    assert len(found) == len(above)
    for row, (a, b) in enumerate(zip(above, below, strict=True)):
        if b == 0:
            assert found.poison is not None
            assert found.poison[row] == 7
        else:
            size = (2 * abs(a) * 10**15 + abs(b)) // (2 * abs(b))
            assert int(found.data[row]) == (-size if (a < 0) != (b < 0) else size)


LARGE = 10**17  # its quotient of six places needs Python integers
LAST = LIMIT // (2 * 10**6) - 3  # the largest whose quotient by 3 does not


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ([LARGE + n for n in range(5)], [3] * 5),
        ([LARGE] * 5, [3, 7, -7, 11, 13]),
        ([0, 0, 0, LARGE, 0], [3] * 5),
    ],
)
def test_runs_of_one_operand_do_not_hide_changes_of_the_other(
    above: list[int], below: list[int]
) -> None:
    found = columns.divide(column(above), column(below), 6, 7)
    assert fractions(found) == [
        half_up(Fraction(a, b), 6) for a, b in zip(above, below, strict=True)
    ]


@pytest.mark.parametrize(
    ("above", "divided"),
    [
        ([LARGE] * 5, 1),
        ([LARGE] * 3 + [-LARGE] * 2, 2),
        ([LARGE] * 2 + [-LARGE] * 2, 4),  # not worth the looking
        ([LARGE] * 2 + [-LARGE] * 2 + [LARGE] * 2, 6),
        ([LAST + 1] * 5, 1),
        ([LAST] * 5, 5),
        ([2**70] * 5, 5),  # Python integers already
    ],
)
def test_a_run_of_equal_figures_is_divided_once_where_that_avoids_python_integers(
    above: list[int], divided: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    half_up_of_arrays = columns._half_up_quotients

    def counting(a: Any, b: Any) -> Any:
        rows.append(len(a))
        return half_up_of_arrays(a, b)

    monkeypatch.setattr(columns, "_half_up_quotients", counting)
    found = columns.divide(column(above), column([3] * len(above)), 6, 7)
    assert rows == [divided]
    assert fractions(found) == [half_up(Fraction(a, 3), 6) for a in above]


def test_a_large_divisor_is_divided_by_once_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    monkeypatch.setattr(columns, "_half_up_quotients", lambda a, _: rows.append(len(a)) or a)
    columns.divide(column([7] * 5, 12), column([LARGE] * 5), 6, 7)
    assert rows == [1]


@pytest.mark.parametrize("texts", [("0.5", "0.50"), ("0.50", "0.5")])
def test_a_constant_has_the_places_it_is_written_with_whatever_was_asked_before(
    texts: tuple[str, str],
) -> None:
    assert [columns.constant(Decimal(text)).places for text in texts] == [
        len(text) - 2 for text in texts
    ]
