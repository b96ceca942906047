"""Days are days of the organisation's zone: a UTC evening is the next day in Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.errors import Declined
from domain.identifiers import Month
from projections.facts import calendar
from projections.facts.calendar import Calendar
from projections.facts.moments import NoMoment, instant_of

LATE = "2026-10-31T16:30:00.000000Z"  # half past midnight in Shanghai


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Asia/Shanghai", date(2026, 11, 1)), ("UTC", date(2026, 10, 31)), ("America/New_York", date(2026, 10, 31))],
)  # fmt: skip
def test_the_day_of_an_instant_is_that_of_the_zone(
    monkeypatch: pytest.MonkeyPatch, zone: str, day: date
) -> None:
    monkeypatch.setattr(calendar, "now", lambda: datetime(2026, 10, 31, 16, 30, tzinfo=UTC))
    here = Calendar(zone)
    assert (here.day_of(LATE), here.today()) == (day, day)
    assert here.month() == Month(day.year, day.month)


def test_a_day_means_its_end_and_a_time_without_a_zone_is_of_the_organisations() -> None:
    here = Calendar("Asia/Shanghai")
    end = datetime(2026, 10, 31, 15, 59, 59, 999999, tzinfo=UTC)
    assert instant_of("2026-10-31", here) == end
    assert instant_of("2026-11-01T00:30:00", here) == datetime(2026, 10, 31, 16, 30, tzinfo=UTC)
    assert instant_of("2026-11-01T00:30:00Z", here) == datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
    with pytest.raises(NoMoment):
        instant_of("tomorrow", here)
    assert issubclass(NoMoment, Declined)
