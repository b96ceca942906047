"""Exact numbers and their text."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from domain.numbers import plain


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
@example(Decimal("1E+3"))
@example(Decimal("1E-9"))
@example(Decimal("0E+5"))
@example(Decimal("-0.00"))
@example(Decimal("120.500"))
def test_a_number_is_written_without_exponent_and_without_zeros_that_say_nothing(
    value: Decimal,
) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert not set(text) - set("0123456789.-")
    assert text == "0" if value == 0 else not text.startswith("-0") or text.startswith("-0.")
    assert "." not in text or text[-1] not in "0."
