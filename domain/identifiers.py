"""Names of things: months and periods, ids, and the streams that events belong to."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from domain.errors import Text

ID = r"[A-Za-z0-9._-]{1,64}"  # an id, as a pattern for the whole text
ID_PATTERN = re.compile(ID, re.ASCII)
FIRST_YEAR, LAST_YEAR = 2000, 2099
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
_HALF = re.compile(r"(\d{4})-H([12])", re.ASCII)
_YEAR = re.compile(r"(\d{4})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class BadIdentifier(ValueError):
    """A month, period or id that is not written in its form."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.both)
        self.text = text


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """考核月: a calendar month, ordered; `index` counts months since year 0 and fits two bytes."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """`2026-10` → Month(2026, 10). Raises BadIdentifier, also for years outside 2000–2099."""
        return _parse_month(text)

    @classmethod
    def of_index(cls, index: int) -> Month:
        """The month that `index` counts to."""
        return cls(index // 12, index % 12 + 1)

    @property
    def index(self) -> int:
        """Months since January of year 0."""
        return self.year * 12 + self.number - 1

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@lru_cache(maxsize=4096)
def _parse_month(text: str) -> Month:
    match = _MONTH.fullmatch(text)
    if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        raise BadIdentifier(
            Text(
                f"月份 {text!r} 应写成 YYYY-MM，年份在 {FIRST_YEAR}–{LAST_YEAR} 之间，例如 2026-10",
                f"month {text!r}: write YYYY-MM within {FIRST_YEAR}–{LAST_YEAR}, for example "
                "2026-10",
            )
        )
    return Month(int(match[1]), int(match[2]))


class Period(NamedTuple):
    """考核周期: a month, quarter, half-year or year, from its first to its last month."""

    first: Month
    last: Month

    @classmethod
    def parse(cls, text: str) -> Period:
        """`2026-10`, `2026-Q3`, `2026-H2` or `2026`. Raises BadIdentifier for anything else."""
        if match := _QUARTER.fullmatch(text):
            year, start, length = int(match[1]), 3 * int(match[2]) - 2, 3
        elif match := _HALF.fullmatch(text):
            year, start, length = int(match[1]), 6 * int(match[2]) - 5, 6
        elif match := _YEAR.fullmatch(text):
            year, start, length = int(match[1]), 1, 12
        elif _MONTH.fullmatch(text):
            return cls(Month.parse(text), Month.parse(text))
        else:
            year, start, length = 0, 1, 1
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise BadIdentifier(
                Text(
                    f"周期 {text!r} 应写成 2026-10、2026-Q3、2026-H2 或 2026",
                    f"period {text!r}: write 2026-10, 2026-Q3, 2026-H2 or 2026",
                )
            )
        return cls(Month(year, start), Month(year, start + length - 1))

    @property
    def kind(self) -> str:
        """`month`, `quarter`, `half` or `year`, as in a rulebook's `period`."""
        months = self.last.index - self.first.index + 1
        return {1: "month", 3: "quarter", 6: "half", 12: "year"}[months]

    def __str__(self) -> str:
        match self.kind:
            case "month":
                return str(self.first)
            case "quarter":
                return f"{self.first.year:04d}-Q{(self.first.number + 2) // 3}"
            case "half":
                return f"{self.first.year:04d}-H{(self.first.number + 5) // 6}"
            case _:
                return f"{self.first.year:04d}"


def is_date(text: str) -> bool:
    """Whether a text is a day of the calendar, written like 2026-10-31."""
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def check_id(text: str) -> str:
    """The id itself. Raises BadIdentifier unless it is 1–64 letters, digits, `.`, `_`, `-`."""
    if ID_PATTERN.fullmatch(text) is None:
        raise BadIdentifier(bad_id(text))
    return text


def bad_id(text: str) -> Text:
    """The message about a text that is not an id."""
    return Text(
        f"编号 {text!r} 只能由 1–64 个英文字母、数字、. _ - 组成",
        f"id {text!r}: write 1 to 64 of the letters A–Z a–z, digits, '.', '_', '-'",
    )


@lru_cache(maxsize=100_000)
def stream_id(kind: str, name: str, month_index: int = 0) -> UUID:
    """The stream of one thing, of one month if it has one.

    The two leading bytes are the month (0: none), so that everything of a month is one range of the
    primary key. The other fourteen are of SHA-256 over kind and name.
    """
    rest = hashlib.sha256(f"{kind}\n{name}".encode()).digest()[:14]
    return UUID(bytes=month_index.to_bytes(2, "big") + rest)
