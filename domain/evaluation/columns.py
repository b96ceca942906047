"""Exact numbers in columns: the one place that knows how a column of figures is represented.

A `Column` holds one whole number per row at a declared number of decimal places, an upper bound of
their absolute values, and its poison: for each row without a value, the number of the reason why
(0 for a row with a value). Whatever is computed from a poisoned row is poisoned too.

Before an operation whose result may pass 2**63, the data are read to tighten the bound; if that is
not enough, the operands become Python integers. So no integer overflows, and no float is made. A
column of one row stands for the same figure in every row, as a constant does.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from domain.numbers import plain_scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT = 2**63 - 1
MEAN_PLACES = 6  # a mean has six decimal places
INT64, INT8, OBJECT = np.dtype(np.int64), np.dtype(np.int8), np.dtype(object)
Ints = NDArray[Any]  # int64, int8 for flags, or object holding Python ints after promotion
Mask = NDArray[np.bool_]
Poison = NDArray[np.int16]  # 0: the row has a value; else the number of the reason why it has none


@dataclass(frozen=True)
class Column:
    """Figures of one step or input: `data` × 10**-places, one per row."""

    data: Ints
    places: int
    bound: int
    poison: Poison | None = None

    def __post_init__(self) -> None:
        if self.poison is not None and len(self.poison) != len(self.data):
            data, poison = np.broadcast_arrays(self.data, self.poison)
            object.__setattr__(self, "data", data)
            object.__setattr__(self, "poison", poison)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def present(self) -> Mask:
        """Which rows have a value."""
        return _present(self)

    def broadcast(self, rows: int) -> Column:
        """The column at this many rows; it has them already, or has a single row."""
        if len(self.data) == rows:
            return self
        poison = None if self.poison is None else np.broadcast_to(self.poison, rows)
        return Column(np.broadcast_to(self.data, rows), self.places, self.bound, poison)

    def text(self, row: int) -> str:
        """The figure of a row as the shortest plain decimal."""
        return plain_scaled(int(self.data[row]), self.places)

    def texts(self) -> list[str]:
        """All figures as the shortest plain decimals."""
        # Many people have equal figures, and finding them is faster than formatting each one.
        distinct, inverse = np.unique(self.data, return_inverse=True)
        texts = [plain_scaled(whole, self.places) for whole in distinct.tolist()]
        return [texts[index] for index in inverse.tolist()]

    def with_poison(self, poison: Poison | None) -> Column:
        """The same figures under another poison."""
        return self if poison is self.poison else Column(self.data, self.places, self.bound, poison)

    def repeat(self, times: Ints, poison: Poison | None) -> Column:
        """Each row repeated its own number of times."""
        return Column(np.repeat(self.data, times), self.places, self.bound, poison)

    def take(self, rows: NDArray[Any]) -> Column:
        """The column at these rows."""
        poison = None if self.poison is None else self.poison[rows]
        return Column(self.data[rows], self.places, self.bound, poison)


@dataclass(frozen=True)
class TextColumn:
    """Words, such as a band or a grade: `words[codes[row]]`."""

    codes: NDArray[np.int64]
    words: tuple[str, ...]
    poison: Poison | None = None

    def __post_init__(self) -> None:
        if self.poison is not None and len(self.poison) != len(self.codes):
            codes, poison = np.broadcast_arrays(self.codes, self.poison)
            object.__setattr__(self, "codes", codes)
            object.__setattr__(self, "poison", poison)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def present(self) -> Mask:
        """Which rows have a value."""
        return _present(self)

    def broadcast(self, rows: int) -> TextColumn:
        """The column at this many rows; it has them already, or has a single row."""
        if len(self.codes) == rows:
            return self
        poison = None if self.poison is None else np.broadcast_to(self.poison, rows)
        return TextColumn(np.broadcast_to(self.codes, rows), self.words, poison)

    def text(self, row: int) -> str:
        """The word of a row."""
        return self.words[int(self.codes[row])]

    def texts(self) -> list[str]:
        """The words of all rows."""
        return [self.words[code] for code in self.codes.tolist()]

    def take(self, rows: NDArray[Any]) -> TextColumn:
        """The column at these rows."""
        poison = None if self.poison is None else self.poison[rows]
        return TextColumn(self.codes[rows], self.words, poison)

    def with_poison(self, poison: Poison | None) -> TextColumn:
        """The same words under another poison."""
        return self if poison is self.poison else TextColumn(self.codes, self.words, poison)

    def codes_in(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Each row's code in another vocabulary; -1 where that lacks the word."""
        code_of = {word: code for code, word in enumerate(words)}
        return np.array([code_of.get(word, -1) for word in self.words], np.int64)[self.codes]


AnyColumn = Column | TextColumn


def _present(column: AnyColumn) -> Mask:
    return np.ones(len(column), bool) if column.poison is None else column.poison == 0


def constant(value: Decimal) -> Column:
    """The same figure in every row, at the decimal places that it is written with."""
    return _constant(str(value))  # the cache must tell 0.5 from 0.50, which are equal as Decimal


@lru_cache(maxsize=1024)
def _constant(text: str) -> Column:
    return from_decimals([Decimal(text)])


def from_decimals(values: Sequence[Decimal]) -> Column:
    """A column of these figures, however many digits they have."""
    ratios = [value.as_integer_ratio() for value in values]
    places = max((_count_places(value) for value in values), default=0)
    return fit(np.array([top * 10**places // bottom for top, bottom in ratios], object), places)


def _count_places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), f"{value} is not finite"
    return max(-exponent, 0)


def flags(mask: Mask, poison: Poison | None = None) -> Column:
    """1 where the mask holds, else 0."""
    return Column(mask.view(np.int8), 0, 1, poison)


def fit(data: Ints, places: int, poison: Poison | None = None) -> Column:
    """A column of exact data, as int64 where every figure fits."""
    data, bound = _fit_data(data)
    return Column(data, places, bound, poison)


def _fit_data(data: Ints) -> tuple[Ints, int]:
    bound = max_abs(data)
    return (data.astype(np.int64, copy=False) if bound <= LIMIT else data), bound


def max_abs(data: Ints) -> int:
    """The largest absolute value; 0 for no rows."""
    return max(int(data.max()), -int(data.min())) if len(data) else 0


def widen(data: Ints) -> Ints:
    """Flags (int8) as int64, so that sums and products fit."""
    return data.astype(np.int64) if data.dtype == INT8 else data


def clear_poison(poison: Poison, rows: Mask) -> Poison | None:
    """The poison without that of these rows; None if no row is left."""
    remaining = np.where(rows, np.int16(0), poison)
    return remaining if remaining.any() else None


def mark_reasons(poison: Poison, reasons: Sequence[int]) -> Mask:
    """The rows that have no value for one of these reasons."""
    rows = np.zeros(len(poison), bool)
    for reason in reasons:
        rows |= poison == reason
    return rows


def merge_poison(*poisons: Poison | None) -> Poison | None:
    """A row has no value where any operand has none; its reason is the first operand's."""
    merged: Poison | None = None
    for poison in poisons:
        if poison is not None:
            merged = poison if merged is None else np.where(merged != 0, merged, poison)
    return merged


def calculate_exactly(
    operation: Callable[[Ints, Ints], Ints],
    a: Ints,
    b: Ints,
    bound: int,
    tighter_bound: Callable[[], int],
) -> tuple[Ints, int]:
    """The result and its bound: on int64 where it is sure to fit, else on Python integers.

    `bound` is known without reading the data; `tighter_bound` reads them.
    """
    if bound > LIMIT:
        bound = tighter_bound()
    if bound <= LIMIT and a.dtype == b.dtype == INT64:
        return operation(a, b), bound
    if bound <= LIMIT and OBJECT not in (a.dtype, b.dtype):
        return operation(widen(a), widen(b)), bound
    return _fit_data(operation(a.astype(object), b.astype(object)))


def rescale(column: Column, places: int) -> Column:
    """The same figures at more decimal places."""
    if places == column.places:
        return column
    assert places > column.places, "figures lose places only by rounding"
    return multiply(column, _one_at(places - column.places))


@lru_cache(maxsize=64)
def _one_at(places: int) -> Column:
    """1 at this many places: a figure times it is the same figure at that many more places."""
    return fit(np.array([10**places], object), places)


def align(a: Column, b: Column) -> tuple[Column, Column]:
    """Both columns at the larger number of places."""
    if a.places == b.places:
        return a, b
    places = max(a.places, b.places)
    return rescale(a, places), rescale(b, places)


def add(a: Column, b: Column) -> Column:
    """a + b, exact."""
    a, b = align(a, b)
    if len(b) == 1 and not b.bound:
        return a.with_poison(merge_poison(a.poison, b.poison))
    if len(a) == 1 and not a.bound:
        return b.with_poison(merge_poison(a.poison, b.poison))
    data, bound = calculate_exactly(
        np.add, a.data, b.data, a.bound + b.bound, lambda: max_abs(a.data) + max_abs(b.data)
    )
    return Column(data, a.places, bound, merge_poison(a.poison, b.poison))


def subtract(a: Column, b: Column) -> Column:
    """a - b, exact."""
    a, b = align(a, b)
    data, bound = calculate_exactly(
        np.subtract, a.data, b.data, a.bound + b.bound, lambda: max_abs(a.data) + max_abs(b.data)
    )
    return Column(data, a.places, bound, merge_poison(a.poison, b.poison))


def multiply(a: Column, b: Column) -> Column:
    """a × b, exact: places add up."""
    data, bound = calculate_exactly(
        np.multiply, a.data, b.data, a.bound * b.bound, lambda: max_abs(a.data) * max_abs(b.data)
    )
    return Column(data, a.places + b.places, bound, merge_poison(a.poison, b.poison))


def minimum(a: Column, b: Column) -> Column:
    """The smaller of both, row by row."""
    a, b = align(a, b)
    data, poison = np.minimum(a.data, b.data), merge_poison(a.poison, b.poison)
    return _narrow(Column(data, a.places, max(a.bound, b.bound), poison))


def maximum(a: Column, b: Column) -> Column:
    """The greater of both, row by row."""
    a, b = align(a, b)
    data, poison = np.maximum(a.data, b.data), merge_poison(a.poison, b.poison)
    return _narrow(Column(data, a.places, max(a.bound, b.bound), poison))


def _narrow(column: Column) -> Column:
    """The same figures as int64 again, where all of them fit."""
    return fit(column.data, column.places, column.poison) if column.data.dtype == OBJECT else column


def compare(operation: Callable[[Ints, Ints], Any], a: Column, b: Column) -> Column:
    """1 where the comparison holds, else 0."""
    a, b = align(a, b)
    return flags(operation(a.data, b.data).astype(bool), merge_poison(a.poison, b.poison))


def divide(a: Column, b: Column, places: int, by_zero: int) -> Column:
    """round(a / b, places), half away from zero; `by_zero` is the reason number where b is 0."""
    zero = b.data == 0
    poison = merge_poison(a.poison, b.poison)
    if zero.any():
        poison = merge_poison(poison, np.where(zero, np.int16(by_zero), np.int16(0)))
        b = Column(np.where(zero, 1, b.data), b.places, max(b.bound, 1))
    # With a = A × 10**-pa and b = B × 10**-pb, the quotient as a whole number of 10**-places is
    # A × 10**(places - pa + pb) / B.
    shift = places - a.places + b.places
    if (runs := _find_runs(a, b, 10 ** abs(shift))) is not None:
        starts, lengths = runs
        quotients = divide(a.take(starts), b.take(starts), places, by_zero)
        return quotients.with_poison(None).repeat(lengths, poison)
    return _divide_half_up(
        rescale(a, a.places + max(shift, 0)),
        rescale(b, b.places + max(-shift, 0)),
        places,
        poison,
    )


def _find_runs(a: Column, b: Column, factor: int) -> tuple[Ints, Ints] | None:
    """The first rows and the lengths of runs of equal figures, as the people of a branch have them.

    None where int64 is wide enough anyway, or where runs would save little.
    """
    if (
        (a.bound + b.bound) * 2 * factor <= LIMIT
        or len(a) != len(b)
        or OBJECT in (a.data.dtype, b.data.dtype)
    ):
        return None
    begins = (a.data[1:] != a.data[:-1]) | (b.data[1:] != b.data[:-1])
    starts = np.flatnonzero(np.concatenate([[True], begins]))
    return (starts, np.diff(starts, append=len(a))) if 2 * len(starts) < len(a) else None


def _divide_half_up(top: Column, bottom: Column, places: int, poison: Poison | None) -> Column:
    # The places of top and bottom do not count here. Half away from zero in one operation:
    # sign × (2|a| + |b|) // (2|b|).
    data, _ = calculate_exactly(
        _half_up_quotients,
        top.data,
        bottom.data,
        2 * top.bound + 2 * bottom.bound,
        lambda: 2 * max_abs(top.data) + 2 * max_abs(bottom.data),
    )
    return fit(data, places, poison)


def _half_up_quotients(a: Ints, b: Ints) -> Ints:
    divisor = abs(b)
    size: Ints = (2 * abs(a) + divisor) // (2 * divisor)
    negative = (a < 0) ^ (b < 0)
    return np.where(negative, -size, size) if negative.any() else size


def round_half_up(a: Column, places: int) -> Column:
    """四舍五入 to `places`: halves away from zero."""
    if a.places <= places:
        return a
    return _divide_half_up(a, _one_at(a.places - places), places, a.poison)


def round_down(a: Column) -> Column:
    """The greatest whole number not above the figure."""
    data, _ = calculate_exactly(
        np.floor_divide, a.data, _one_at(a.places).data, a.bound, lambda: max_abs(a.data)
    )
    return fit(data, 0, a.poison)


def choose(condition: Column, a: AnyColumn, b: AnyColumn) -> AnyColumn:
    """a where the condition holds, else b; the poison of the side not taken is dropped."""
    holds = condition.data != 0
    if len(holds) and (holds.all() or not holds.any()):
        return _choose_for_all(condition, *((a, b) if holds.all() else (b, a)))
    poison: Poison | None = None
    if a.poison is not None or b.poison is not None:
        clean = np.zeros(len(holds), np.int16)
        poison_a = clean if a.poison is None else a.poison
        poison_b = clean if b.poison is None else b.poison
        poison = np.where(holds, poison_a, poison_b)
    poison = merge_poison(condition.poison, poison)
    if isinstance(a, TextColumn):
        assert isinstance(b, TextColumn)
        words = tuple(dict.fromkeys(a.words + b.words))
        return TextColumn(np.where(holds, a.codes_in(words), b.codes_in(words)), words, poison)
    assert isinstance(b, Column)
    a, b = align(a, b)
    return _narrow(Column(np.where(holds, a.data, b.data), a.places, max(a.bound, b.bound), poison))


def _choose_for_all(condition: Column, chosen: AnyColumn, other: AnyColumn) -> AnyColumn:
    """The choice where the condition is the same for every row."""
    if isinstance(chosen, Column) and isinstance(other, Column):
        chosen = rescale(chosen, max(chosen.places, other.places))
    chosen = chosen.broadcast(max(len(condition), len(chosen), len(other)))
    return chosen.with_poison(merge_poison(condition.poison, chosen.poison))
