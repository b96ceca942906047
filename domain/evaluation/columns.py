"""Exact numbers in columns: the one place that knows how a column of figures is represented.

A `Column` holds one whole number per row at a declared number of decimal places, a bound on their absolute value,
and, where rows have no value, why (`poison`). Before an operation whose result may pass 2**63 the data are looked at
to tighten the bounds; if that is not enough, the operands become Python integers. Nothing wraps and no float is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from domain.numbers import plain_scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT = 2**63 - 1
MEAN_PLACES = 6  # section 0: a mean without saying more has six places
Ints = NDArray[Any]  # int64, or object holding Python ints after promotion
Mask = NDArray[np.bool_]
Poison = NDArray[np.int16]  # 0: the row has a value; else the number of the reason why it has none


@dataclass(frozen=True)
class Column:
    """Figures of one step or input: `data` × 10**-places, one per row."""

    data: Ints
    places: int = 0
    bound: int = LIMIT
    poison: Poison | None = None

    def __len__(self) -> int:
        return len(self.data)

    @property
    def present(self) -> Mask:
        """Which rows have a value."""
        return np.ones(len(self.data), bool) if self.poison is None else self.poison == 0

    def text(self, row: int) -> str:
        """The figure of a row as the shortest plain decimal."""
        return plain_scaled(int(self.data[row]), self.places)

    def texts(self) -> list[str]:
        """All figures as the shortest plain decimals."""
        return [plain_scaled(whole, self.places) for whole in self.data.tolist()]

    def with_poison(self, poison: Poison | None) -> Column:
        """The same figures, with no value where `poison` says so."""
        return replace(self, poison=poison)

    def take(self, rows: NDArray[Any]) -> Column:
        """The column at these rows."""
        return Column(self.data[rows], self.places, self.bound, None if self.poison is None else self.poison[rows])


@dataclass(frozen=True)
class TextColumn:
    """Words, such as a band or a grade: `words[codes[row]]`."""

    codes: NDArray[np.int64]
    words: tuple[str, ...]
    poison: Poison | None = None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def present(self) -> Mask:
        """Which rows have a value."""
        return np.ones(len(self.codes), bool) if self.poison is None else self.poison == 0

    def text(self, row: int) -> str:
        """The word of a row."""
        return self.words[int(self.codes[row])]

    def texts(self) -> list[str]:
        """All words."""
        return [self.words[code] for code in self.codes.tolist()]

    def with_poison(self, poison: Poison | None) -> TextColumn:
        """The same words, with no value where `poison` says so."""
        return replace(self, poison=poison)

    def recoded(self, words: Sequence[str]) -> NDArray[np.int64]:
        """The codes of the same words in another vocabulary; -1 where it lacks the word."""
        index = {word: code for code, word in enumerate(words)}
        return np.array([index.get(word, -1) for word in self.words] or [-1], np.int64)[self.codes]


AnyColumn = Column | TextColumn


def constant(value: Decimal, rows: int) -> Column:
    """The same figure in every row."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), f"{value} is not finite"
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    places = max(-exponent, 0)
    whole *= 10 ** max(exponent, 0)
    data: Ints = np.full(rows, whole, np.int64) if abs(whole) <= LIMIT else np.array([whole] * rows, object)
    return Column(data, places, abs(whole))


def of_decimals(values: Sequence[Decimal]) -> Column:
    """A column of these figures."""
    places = max((-int(v.as_tuple().exponent) for v in values), default=0)
    wholes = [int(v.scaleb(max(places, 0))) for v in values]
    return fit(np.array(wholes, object), max(places, 0))


def flags(mask: Mask, poison: Poison | None = None) -> Column:
    """1 where the mask holds, else 0."""
    return Column(mask.astype(np.int64), 0, 1, poison)


def fit(data: Ints, places: int, poison: Poison | None = None) -> Column:
    """A column of exact data, as int64 where every figure fits."""
    if data.dtype == object:
        bound = max((abs(whole) for whole in data), default=0)
        return Column(data.astype(np.int64) if bound <= LIMIT else data, places, bound, poison)
    return Column(data, places, largest(data), poison)


def largest(data: Ints) -> int:
    """The largest absolute value; 0 for no rows."""
    if not len(data):
        return 0
    return max(abs(int(data.max())), abs(int(data.min())))


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
    """The operation on int64 if its result is sure to fit, else on Python integers; with the bound of the result."""
    if bound > LIMIT or a.dtype == object or b.dtype == object:
        bound = tight()
        if bound > LIMIT or a.dtype == object or b.dtype == object:
            result = fit(operation(a.astype(object), b.astype(object)), 0)
            return result.data, result.bound
    return operation(a, b), bound


def rescaled(column: Column, places: int) -> Column:
    """The same figures at more decimal places."""
    if places == column.places:
        return column
    assert places > column.places, "figures lose places only by rounding"
    factor = 10 ** (places - column.places)
    data, bound = exactly(
        lambda a, b: a * b,
        column.data,
        _one(factor),
        column.bound * factor,
        lambda: largest(column.data) * factor,
    )
    return Column(data, places, bound, column.poison)


def _one(whole: int) -> Ints:
    return np.array([whole], np.int64 if abs(whole) <= LIMIT else object)


def aligned(a: Column, b: Column) -> tuple[Column, Column]:
    """Both at the larger number of places."""
    places = max(a.places, b.places)
    return rescaled(a, places), rescaled(b, places)


def add(a: Column, b: Column) -> Column:
    """a + b, exact."""
    a, b = aligned(a, b)
    data, bound = exactly(np.add, a.data, b.data, a.bound + b.bound, lambda: largest(a.data) + largest(b.data))
    return Column(data, a.places, bound, merge(a.poison, b.poison))


def subtract(a: Column, b: Column) -> Column:
    """a - b, exact."""
    a, b = aligned(a, b)
    data, bound = exactly(np.subtract, a.data, b.data, a.bound + b.bound, lambda: largest(a.data) + largest(b.data))
    return Column(data, a.places, bound, merge(a.poison, b.poison))


def multiply(a: Column, b: Column) -> Column:
    """a × b, exact: places add up."""
    data, bound = exactly(np.multiply, a.data, b.data, a.bound * b.bound, lambda: largest(a.data) * largest(b.data))
    return Column(data, a.places + b.places, bound, merge(a.poison, b.poison))


def smaller(a: Column, b: Column) -> Column:
    """The smaller of both, row by row."""
    a, b = aligned(a, b)
    return Column(np.minimum(a.data, b.data), a.places, max(a.bound, b.bound), merge(a.poison, b.poison))


def greater(a: Column, b: Column) -> Column:
    """The greater of both, row by row."""
    a, b = aligned(a, b)
    return Column(np.maximum(a.data, b.data), a.places, max(a.bound, b.bound), merge(a.poison, b.poison))


def compare(operation: Callable[[Ints, Ints], Any], a: Column, b: Column) -> Column:
    """1 where the comparison holds, else 0."""
    a, b = aligned(a, b)
    return flags(operation(a.data, b.data).astype(bool), merge(a.poison, b.poison))


def quotient(a: Column, b: Column, places: int, by_zero: int) -> Column:
    """round(a / b, places), half away from zero; rows with b = 0 have no value, for the reason `by_zero`."""
    zero = b.data == 0
    poison = merge(a.poison, b.poison)
    if zero.any():
        poison = merge(poison, np.where(zero, np.int16(by_zero), np.int16(0)))
    divisor = Column(np.where(zero, 1, b.data), b.places, max(b.bound, 1))
    # q = a / b × 10**places, with a = A × 10**-pa and b = B × 10**-pb: q = A × 10**(places - pa + pb) / B
    shift = places - a.places + b.places
    top, bottom = Column(a.data, 0, a.bound), Column(divisor.data, 0, divisor.bound)
    if shift >= 0:
        top = multiply(top, Column(_one(10**shift), 0, 10**shift))
    else:
        bottom = multiply(bottom, Column(_one(10**-shift), 0, 10**-shift))
    return _halved(top, bottom, places, poison)


def _halved(top: Column, bottom: Column, places: int, poison: Poison | None) -> Column:
    # half away from zero in one exact integer operation: sign × (2|a| + |b|) // (2|b|)
    need = 2 * top.bound + 2 * bottom.bound
    a, b = top.data, bottom.data
    if need > LIMIT or a.dtype == object or b.dtype == object:
        need = 2 * largest(a) + 2 * largest(b)
        if need > LIMIT or a.dtype == object or b.dtype == object:
            a, b = a.astype(object), b.astype(object)
    size = (2 * abs(a) + abs(b)) // (2 * abs(b))
    negative = (a < 0) != (b < 0)
    return fit(np.where(negative, -size, size), places, poison)


def rounded(a: Column, places: int) -> Column:
    """Half up to `places`, ties away from zero."""
    if a.places <= places:
        return a
    factor = 10 ** (a.places - places)
    return _halved(Column(a.data, 0, a.bound), Column(_one(factor), 0, factor), places, a.poison)


def floored(a: Column) -> Column:
    """The greatest whole number not above the figure."""
    return fit(a.data // 10**a.places, 0, a.poison)


def choose(condition: Column, a: AnyColumn, b: AnyColumn) -> AnyColumn:
    """a where the condition holds, else b; only the branch that is taken can lack its value."""
    taken = condition.data != 0
    poison: Poison | None = None
    if a.poison is not None or b.poison is not None:
        clean = np.zeros(len(taken), np.int16)
        poison = np.where(taken, clean if a.poison is None else a.poison, clean if b.poison is None else b.poison)
    poison = merge(condition.poison, poison)
    if isinstance(a, TextColumn) or isinstance(b, TextColumn):
        assert isinstance(a, TextColumn)
        assert isinstance(b, TextColumn)
        words = tuple(dict.fromkeys(a.words + b.words))
        return TextColumn(np.where(taken, a.recoded(words), b.recoded(words)), words, poison)
    a, b = aligned(a, b)
    return Column(np.where(taken, a.data, b.data), a.places, max(a.bound, b.bound), poison)
