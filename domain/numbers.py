"""Exact numbers: how amounts, points, scores and quantities are read, written and rounded.

There is no float anywhere.
"""

from __future__ import annotations

import re
from decimal import Decimal

from domain.errors import Text

PLACES = 6  # decimal places of an entry's number; stored values are whole numbers of 10**-6
INTEGER_DIGITS = 12
LAST_NUMBER = 2**63 - 1  # that a column of whole numbers keeps
SCALE: int = 10**PLACES
_PLAIN = re.compile(r"[+-]?(\d+)(?:\.(\d+))?", re.ASCII)
_SHORT = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?", re.ASCII)


class BadNumber(ValueError):
    """A number that an entry may not have; `code` is the rule that it breaks."""

    def __init__(self, code: str, text: Text) -> None:
        super().__init__(text.both)
        self.code, self.text = code, text


def parse_number(value: object) -> Decimal:
    """An entry's number: a string in plain decimal notation, or a whole number.

    Raises BadNumber for a float (it has been rounded already), for what is not a finite number, and
    for more than 6 decimal places or 12 integer digits.
    """
    if isinstance(value, str):
        return Decimal(value) if _SHORT.fullmatch(value) else _parse_checked(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise BadNumber("not_a_number", Text(f"{value!r} 不是数字", f"{value!r} is not a number"))
    if isinstance(value, float):
        raise BadNumber(
            "float",
            Text(
                f'JSON 浮点数 {value!r} 不精确，请加引号写成字符串，例如 "12.50"',
                f'{value!r} is a JSON float and inexact: quote it as a string, for example "12.50"',
            ),
        )
    return _parse_checked(str(value))


def _parse_checked(text: str) -> Decimal:
    """Any text; the usual short ones need none of these checks."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        if text.strip().lstrip("+-").lower() in {"nan", "snan", "inf", "infinity"}:
            raise BadNumber("not_finite", Text(f"{text!r} 不是有限数", f"{text!r} is not finite"))
        raise BadNumber(
            "not_a_number",
            Text(
                f"{text!r} 不是数字；请用半角数字写成 12.50 的形式，不用指数、逗号和空格",
                f"{text!r} is not a number: write plain half-width digits like 12.50, no exponent, "
                "comma or space",
            ),
        )
    if len(match[2] or "") > PLACES:
        raise BadNumber(
            "too_precise",
            Text(f"{text} 的小数超过 {PLACES} 位", f"{text} has more than {PLACES} decimal places"),
        )
    if len(match[1].lstrip("0")) > INTEGER_DIGITS:
        raise BadNumber(
            "too_large",
            Text(
                f"{text} 的整数部分超过 {INTEGER_DIGITS} 位",
                f"{text} has more than {INTEGER_DIGITS} integer digits",
            ),
        )
    return Decimal(text)


def scaled(value: Decimal) -> int:
    """A number of at most 6 places as a whole number of 10**-6; exact."""
    whole = value.scaleb(PLACES)
    assert whole == whole.to_integral_value(), f"{value} has more than {PLACES} places"
    return int(whole)


def plain(value: Decimal) -> str:
    """The shortest plain decimal: no exponent, no trailing zeros, no `-0`."""
    assert value.is_finite(), f"{value} is not finite"
    text = str(value)  # twice as fast as format(), which is needed only for an exponent
    if "E" in text:
        text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if value else "0"


def plain_scaled(whole: int, places: int) -> str:
    """`whole` × 10**-places as the shortest plain decimal; places may be negative."""
    if places <= 0:
        return str(whole * 10**-places)
    digits = str(abs(whole)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")
    return f"-{text}" if whole < 0 else text


def half_up(numerator: int, denominator: int) -> int:
    """四舍五入: the quotient as a whole number, halves away from zero; `denominator` is not 0."""
    assert denominator != 0, "a quotient by zero is never a number"
    negative = (numerator < 0) != (denominator < 0)
    whole = (2 * abs(numerator) + abs(denominator)) // (2 * abs(denominator))
    return -whole if negative else whole
