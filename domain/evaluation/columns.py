"""Exact numbers in columns: the one place that knows how a column of figures is represented.

A `Column` holds one whole number per row at a declared number of decimal places, a bound on their
absolute value, and, where rows have no value, why (`poison`). Before an operation whose result may
pass 2**63 the data are looked at to tighten the bounds; if that is not enough, the operands become
Python integers. Nothing wraps and no float is made. A column of one row stands for the same figure
in every row, as a constant does.
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
MEAN_PLACES = 6  # section 0: a mean without saying more has six places
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

    def over(self, rows: int) -> Column:
        """The column with one row for each of so many people."""
        if len(self.data) == rows:
            return self
        poison = None if self.poison is None else np.broadcast_to(self.poison, rows)
        return Column(np.broadcast_to(self.data, rows), self.places, self.bound, poison)

    def text(self, row: int) -> str:
        """The figure of a row as the shortest plain decimal."""
        return plain_scaled(int(self.data[row]), self.places)

    def texts(self) -> list[str]:
        """All figures as the shortest plain decimals."""
        # Many people have the same figure, and writing one takes longer than finding its like.
        wholes, place = np.unique(self.data, return_inverse=True)
        shown = [plain_scaled(whole, self.places) for whole in wholes.tolist()]
        return [shown[at] for at in place.tolist()]

    def with_poison(self, poison: Poison | None) -> Column:
        """The same figures, with no value where `poison` says so."""
        return self if poison is self.poison else Column(self.data, self.places, self.bound, poison)

    def repeated(self, times: Ints, poison: Poison | None) -> Column:
        """Each row so many times."""
        return Column(np.repeat(self.data, times), self.places, self.bound, poison)

    def take(self, rows: NDArray[Any]) -> Column:
        """The column at these rows."""
        return Column(
            self.data[rows],
            self.places,
            self.bound,
            None if self.poison is None else self.poison[rows],
        )


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

    def over(self, rows: int) -> TextColumn:
        """The column with one row for each of so many people."""
        if len(self.codes) == rows:
            return self
        poison = None if self.poison is None else np.broadcast_to(self.poison, rows)
        return TextColumn(np.broadcast_to(self.codes, rows), self.words, poison)

    def text(self, row: int) -> str:
        """The word of a row."""
        return self.words[int(self.codes[row])]

    def texts(self) -> list[str]:
        """All words."""
        return [self.words[code] for code in self.codes.tolist()]

    def take(self, rows: NDArray[Any]) -> TextColumn:
        """The column at these rows."""
        return TextColumn(
            self.codes[rows], self.words, None if self.poison is None else self.poison[rows]
        )

    def with_poison(self, poison: Poison | None) -> TextColumn:
        """The same words, with no value where `poison` says so."""
        return self if poison is self.poison else TextColumn(self.codes, self.words, poison)

    def recoded(self, words: Sequence[str]) -> NDArray[np.int64]:
        """The codes of the same words in another vocabulary; -1 where it lacks the word."""
        index = {word: code for code, word in enumerate(words)}
        return np.array([index.get(word, -1) for word in self.words], np.int64)[self.codes]


AnyColumn = Column | TextColumn


def _present(column: AnyColumn) -> Mask:
    return np.ones(len(column), bool) if column.poison is None else column.poison == 0


def constant(value: Decimal) -> Column:
    """The same figure in every row, at the places that it is written with."""
    return _constant(str(value))  # 0.5 and 0.50 are equal, and one would be taken for the other


@lru_cache(maxsize=1024)
def _constant(text: str) -> Column:
    return of_decimals([Decimal(text)])


def of_decimals(values: Sequence[Decimal]) -> Column:
    """A column of these figures, however many digits they have."""
    ratios = [value.as_integer_ratio() for value in values]
    places = max((_places(value) for value in values), default=0)
    return fit(np.array([top * 10**places // bottom for top, bottom in ratios], object), places)


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), f"{value} is not finite"
    return max(-exponent, 0)


def flags(mask: Mask, poison: Poison | None = None) -> Column:
    """1 where the mask holds, else 0."""
    return Column(mask.view(np.int8), 0, 1, poison)


def fit(data: Ints, places: int, poison: Poison | None = None) -> Column:
    """A column of exact data, as int64 where every figure fits."""
    data, bound = _fitted(data)
    return Column(data, places, bound, poison)


def _fitted(data: Ints) -> tuple[Ints, int]:
    bound = largest(data)
    return (data.astype(np.int64, copy=False) if bound <= LIMIT else data), bound


def largest(data: Ints) -> int:
    """The largest absolute value; 0 for no rows."""
    return max(int(data.max()), -int(data.min())) if len(data) else 0


def wide(data: Ints) -> Ints:
    """Flags as int64, to calculate with."""
    return data.astype(np.int64) if data.dtype == INT8 else data


def cleared(poison: Poison, rows: Mask) -> Poison | None:
    """What is left where these rows have a value after all."""
    left = np.where(rows, np.int16(0), poison)
    return left if left.any() else None


def said(poison: Poison, reasons: Sequence[int]) -> Mask:
    """The rows without a value for one of these reasons."""
    rows = np.zeros(len(poison), bool)
    for reason in reasons:
        rows |= poison == reason
    return rows


def merge(*poisons: Poison | None) -> Poison | None:
    """No value where any operand has none; the first reason stands."""
    merged: Poison | None = None
    for poison in poisons:
        if poison is not None:
            merged = poison if merged is None else np.where(merged != 0, merged, poison)
    return merged


def exactly(
    operation: Callable[[Ints, Ints], Ints], a: Ints, b: Ints, bound: int, tight: Callable[[], int]
) -> tuple[Ints, int]:
    """The operation on int64 if its result is sure to fit, else on Python integers; with the bound
    of the result.
    """
    if bound > LIMIT:
        bound = tight()
    if bound <= LIMIT and a.dtype == b.dtype == INT64:
        return operation(a, b), bound
    if bound <= LIMIT and OBJECT not in (a.dtype, b.dtype):
        return operation(wide(a), wide(b)), bound
    return _fitted(operation(a.astype(object), b.astype(object)))


def rescaled(column: Column, places: int) -> Column:
    """The same figures at more decimal places."""
    if places == column.places:
        return column
    assert places > column.places, "figures lose places only by rounding"
    return multiply(column, _one(places - column.places))


@lru_cache(maxsize=64)
def _one(places: int) -> Column:
    """1 at so many places: a figure times it is the same figure at more places."""
    return fit(np.array([10**places], object), places)


def aligned(a: Column, b: Column) -> tuple[Column, Column]:
    """Both at the larger number of places."""
    if a.places == b.places:
        return a, b
    places = max(a.places, b.places)
    return rescaled(a, places), rescaled(b, places)


def add(a: Column, b: Column) -> Column:
    """a + b, exact."""
    a, b = aligned(a, b)
    if len(b) == 1 and not b.bound:
        return a.with_poison(merge(a.poison, b.poison))
    if len(a) == 1 and not a.bound:
        return b.with_poison(merge(a.poison, b.poison))
    data, bound = exactly(
        np.add, a.data, b.data, a.bound + b.bound, lambda: largest(a.data) + largest(b.data)
    )
    return Column(data, a.places, bound, merge(a.poison, b.poison))


def subtract(a: Column, b: Column) -> Column:
    """a - b, exact."""
    a, b = aligned(a, b)
    data, bound = exactly(
        np.subtract, a.data, b.data, a.bound + b.bound, lambda: largest(a.data) + largest(b.data)
    )
    return Column(data, a.places, bound, merge(a.poison, b.poison))


def multiply(a: Column, b: Column) -> Column:
    """a × b, exact: places add up."""
    data, bound = exactly(
        np.multiply, a.data, b.data, a.bound * b.bound, lambda: largest(a.data) * largest(b.data)
    )
    return Column(data, a.places + b.places, bound, merge(a.poison, b.poison))


def smaller(a: Column, b: Column) -> Column:
    """The smaller of both, row by row."""
    a, b = aligned(a, b)
    return _narrow(
        Column(
            np.minimum(a.data, b.data), a.places, max(a.bound, b.bound), merge(a.poison, b.poison)
        )
    )


def greater(a: Column, b: Column) -> Column:
    """The greater of both, row by row."""
    a, b = aligned(a, b)
    return _narrow(
        Column(
            np.maximum(a.data, b.data), a.places, max(a.bound, b.bound), merge(a.poison, b.poison)
        )
    )


def _narrow(column: Column) -> Column:
    """The same figures as int64 again, where they fit after all."""
    return fit(column.data, column.places, column.poison) if column.data.dtype == OBJECT else column


def compare(operation: Callable[[Ints, Ints], Any], a: Column, b: Column) -> Column:
    """1 where the comparison holds, else 0."""
    a, b = aligned(a, b)
    return flags(operation(a.data, b.data).astype(bool), merge(a.poison, b.poison))


def quotient(a: Column, b: Column, places: int, by_zero: int) -> Column:
    """round(a / b, places), half away from zero; rows with b = 0 have no value, for the reason
    `by_zero`.
    """
    zero = b.data == 0
    poison = merge(a.poison, b.poison)
    if zero.any():
        poison = merge(poison, np.where(zero, np.int16(by_zero), np.int16(0)))
        b = Column(np.where(zero, 1, b.data), b.places, max(b.bound, 1))
    # q = a / b × 10**places, with a = A × 10**-pa and b = B × 10**-pb: q = A × 10**(places - pa +
    # pb) / B
    shift = places - a.places + b.places
    if (runs := _runs(a, b, 10 ** abs(shift))) is not None:
        starts, lengths = runs
        return (
            quotient(a.take(starts), b.take(starts), places, by_zero)
            .with_poison(None)
            .repeated(lengths, poison)
        )
    return _halved(
        rescaled(a, a.places + max(shift, 0)),
        rescaled(b, b.places + max(-shift, 0)),
        places,
        poison,
    )


def _runs(a: Column, b: Column, factor: int) -> tuple[Ints, Ints] | None:
    """Where the same figures stand row after row, as a branch's do, and Python integers would be
    needed for them: the first rows of the runs, and their lengths.
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


def _halved(top: Column, bottom: Column, places: int, poison: Poison | None) -> Column:
    # Only the whole numbers are read; half away from zero in one operation: sign × (2|a| + |b|) //
    # (2|b|).
    data, _ = exactly(
        _half_up,
        top.data,
        bottom.data,
        2 * top.bound + 2 * bottom.bound,
        lambda: 2 * largest(top.data) + 2 * largest(bottom.data),
    )
    return fit(data, places, poison)


def _half_up(a: Ints, b: Ints) -> Ints:
    divisor = abs(b)
    size: Ints = (2 * abs(a) + divisor) // (2 * divisor)
    below = (a < 0) ^ (b < 0)
    return np.where(below, -size, size) if below.any() else size


def rounded(a: Column, places: int) -> Column:
    """Half up to `places`, ties away from zero."""
    if a.places <= places:
        return a
    return _halved(a, _one(a.places - places), places, a.poison)


def floored(a: Column) -> Column:
    """The greatest whole number not above the figure."""
    data, _ = exactly(
        np.floor_divide, a.data, _one(a.places).data, a.bound, lambda: largest(a.data)
    )
    return fit(data, 0, a.poison)


def choose(condition: Column, a: AnyColumn, b: AnyColumn) -> AnyColumn:
    """a where the condition holds, else b; only the branch that is taken can lack its value."""
    taken = condition.data != 0
    if len(taken) and (taken.all() or not taken.any()):
        return _chosen_by_all(condition, *((a, b) if taken.all() else (b, a)))
    poison: Poison | None = None
    if a.poison is not None or b.poison is not None:
        clean = np.zeros(len(taken), np.int16)
        poison = np.where(
            taken, clean if a.poison is None else a.poison, clean if b.poison is None else b.poison
        )
    poison = merge(condition.poison, poison)
    if isinstance(a, TextColumn):
        assert isinstance(b, TextColumn)
        words = tuple(dict.fromkeys(a.words + b.words))
        return TextColumn(np.where(taken, a.recoded(words), b.recoded(words)), words, poison)
    assert isinstance(b, Column)
    a, b = aligned(a, b)
    return _narrow(Column(np.where(taken, a.data, b.data), a.places, max(a.bound, b.bound), poison))


def _chosen_by_all(condition: Column, chosen: AnyColumn, other: AnyColumn) -> AnyColumn:
    if isinstance(chosen, Column) and isinstance(other, Column):
        chosen = rescaled(chosen, max(chosen.places, other.places))
    chosen = chosen.over(max(len(condition), len(chosen), len(other)))
    return chosen.with_poison(merge(condition.poison, chosen.poison))
