"""Texts that must be a period, a month or a moment: looked at with the rest of a request, so that
all is said.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema

from domain.errors import Declined, Text
from domain.identifiers import BadIdentifier, Month, Period, is_date
from projections.facts.calendar import Calendar
from projections.facts.moments import instant_of


def _period(text: str) -> str:
    Period.parse(text)
    return text


def _month(text: str) -> str:
    Month.parse(text)
    return text


def _day(text: str) -> str:
    if not is_date(text):
        raise BadIdentifier(
            Text(f"{text!r} 不是日期，应写作 2026-10-31", f"{text!r} is no day; write 2026-10-31")
        )
    return text


def _moment(text: str) -> str:
    """A position or an instant, as it was given."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        try:
            instant_of(text, Calendar())  # whatever the zone
        except Declined as error:
            raise BadIdentifier(error.text) from None
    return text


def _position_in_words(value: object) -> object:
    return str(value) if type(value) is int else value


def _with_plus(value: object) -> object:
    """A plus that was not escaped (%2B) in the address has become a space; before the time a space
    is allowed.
    """
    return value[:11] + value[11:].replace(" ", "+") if isinstance(value, str) else value


# What people write: no NUL, which PostgreSQL keeps in no text.
Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=r"^[^\x00]*$"),
]
PeriodText = Annotated[str, AfterValidator(_period)]
DayText = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
MonthText = Annotated[str, AfterValidator(_month)]
MomentText = Annotated[
    str,
    BeforeValidator(_position_in_words),
    AfterValidator(_moment),
    WithJsonSchema({"type": ["string", "integer"]}),
]
MomentInAddress = Annotated[str, BeforeValidator(_with_plus), AfterValidator(_moment)]
