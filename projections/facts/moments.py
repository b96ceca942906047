"""截止时点: which ledger position is meant by a position, an instant, or nothing (now)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import orjson

from domain.entries.field_errors import shown
from domain.errors import Declined, Invalid, Reason, Text
from domain.ledger.event_json import UNREADABLE
from domain.ledger.store_protocol import UnreadableEvents
from domain.numbers import LAST_NUMBER
from projections.store.database import database_of

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.facts.calendar import Calendar

DAY_LENGTH = len("2026-11-18")


class NoMoment(Declined):
    """A text that is neither a ledger position nor an instant."""

    def __init__(self, text: str) -> None:
        super().__init__(
            Text(
                f"时点 {text!r} 应是账本位置（整数）或时间，如 2026-11-18 或 "
                "2026-11-18T09:00:00+08:00",
                f"{text!r} is no ledger position (a whole number) and no instant such as "
                "2026-11-18T09:00:00+08:00",
            )
        )


def position_of(ledger: Ledger, moment: str | None, calendar: Calendar) -> int:
    """The ledger position that is meant: a given one, the last one by an instant; now: the last.

    Raises Invalid for a position that the ledger has not reached, NoMoment for what is neither.
    """
    last = ledger.position()
    if moment is None:
        return last
    if moment.isdecimal():
        if len(moment) > len(str(LAST_NUMBER)) or int(moment) > last:
            raise Invalid([Reason("bad_value", "as_of", _beyond(shown(moment), last))])
        return int(moment)
    return _last_position_by(ledger, instant_of(moment, calendar), last)


def instant_of(text: str, calendar: Calendar) -> datetime:
    """An instant: `2026-11-18T09:00:00+08:00`. Without a zone it is of the calendar's; a day alone
    means its end there.

    Raises NoMoment.
    """
    try:
        if len(text) == DAY_LENGTH:
            return datetime.combine(date.fromisoformat(text), time.max, calendar.zone)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise NoMoment(text) from None
    return at if at.tzinfo else at.replace(tzinfo=calendar.zone)


def _last_position_by(ledger: Ledger, at: datetime, last: int) -> int:
    """The last position recorded by an instant: the times of events never decrease."""
    if last and _first_event_from(ledger, last)[1] <= at <= datetime.now(UTC):
        # Somebody may be writing an event that is dated already and not visible yet. It counts: it
        # will have been recorded by then.
        with database_of(ledger).locking():
            last = ledger.position()
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        position, recorded = _first_event_from(ledger, middle)
        if recorded <= at:
            low = max(position, middle)
        else:
            high = middle - 1
    return min(low, last)


def _first_event_from(ledger: Ledger, position: int) -> tuple[int, datetime]:
    """Position and time of the first event at or after a position."""
    database = database_of(ledger)
    column = database.position
    sql = f"SELECT {column}, state FROM stored_events WHERE {column} >= ? ORDER BY 1 LIMIT 1"
    with database.reading() as connection:
        first, state = connection.fetch(sql, (position,))[0]
    try:
        return first, datetime.fromisoformat(orjson.loads(bytes(state))["at"])
    except UNREADABLE:
        raise UnreadableEvents([first]) from None


def _beyond(moment: str, last: int) -> Text:
    return Text(
        f"账本没有位置 {moment}，最后的位置是 {last}；省略 as_of 即为现在",
        f"the ledger has no position {moment}, its last is {last}; leave as_of out for now",
    )
