"""日历: days are days of the organisation's zone. Events keep UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain.identifiers import Month

DEFAULT_ZONE = "Asia/Shanghai"


def now() -> datetime:
    """The clock of this process."""
    return datetime.now(UTC)


class Calendar:
    """Which day it is, or was, in a zone (an IANA name)."""

    def __init__(self, zone: str = DEFAULT_ZONE) -> None:
        self.zone = ZoneInfo(zone)

    def now(self) -> datetime:
        """The time, in the zone."""
        return now().astimezone(self.zone)

    def today(self) -> date:
        """The day that it is."""
        return self.now().date()

    def month(self) -> Month:
        """The month that it is."""
        today = self.today()
        return Month(today.year, today.month)

    def has_begun(self, month: Month) -> bool:
        """Whether a month has begun."""
        return month <= self.month()

    def day_of(self, instant: str) -> date:
        """The day of an instant as events store it."""
        return self.at(instant).date()

    def at(self, instant: str) -> datetime:
        """An instant as events store it, in the zone."""
        return datetime.fromisoformat(instant).astimezone(self.zone)
