"""The fact row of an entry: what evaluation reads of it, as whole numbers in a narrow row of fixed
width.

It is derived from the stored event alone, at the moment of writing and again whenever projections
are rebuilt.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from domain.entries.entry import canonical
from domain.entries.kinds import KINDS
from domain.fact_kinds import ABSENT, KIND_CODES
from domain.identifiers import Month
from domain.numbers import PLACES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projections.store.connection import Connection


class Column(NamedTuple):
    """A column of facts: a whole number of so many bytes."""

    name: str
    bytes: int
    is_symbol: bool = False  # the number of a text, 0 for none


FACT_COLUMNS = (
    Column("position", 8),
    Column("month", 4),
    Column("kind", 4),
    Column("manager", 4, is_symbol=True),
    Column("item", 4, is_symbol=True),
    Column("value", 8),
    Column("amount", 8),
    Column("branch", 4, is_symbol=True),
    Column("team", 4, is_symbol=True),
    Column("detail", 4, is_symbol=True),
    Column("attributes", 4, is_symbol=True),
    Column("reverses", 8),
)
COLUMNS = tuple(column.name for column in FACT_COLUMNS)
SYMBOL_COLUMNS = tuple(column.name for column in FACT_COLUMNS if column.is_symbol)
FACT = np.dtype([(column.name, f"i{column.bytes}") for column in FACT_COLUMNS])
FactRow = tuple[int, ...]  # in the order of the columns


def fact_row(
    position: int, fields: Mapping[str, Any], link: Mapping[str, Any], symbols: Interning
) -> FactRow:
    """The row of an entry with these fields; of a reversal by its link, which has the month,
    manager, branch and item of what it reverses.

    Symbols are asked for in the order of the columns, so that they get the same numbers each time.
    """
    where, item, value, amount, attributes = link, link.get("item"), ABSENT, ABSENT, None
    if not link:
        kind = KINDS[fields["kind"]]
        where, item, attributes = fields, fields.get(kind.about), fields.get("attributes")
        value, amount = _number(fields, kind.value), _number(fields, "amount")
    return (
        position,
        month_index(where["month"]),
        KIND_CODES[link["root"] if link else fields["kind"]],
        symbols[where.get("manager")],
        symbols[item],
        value,
        amount,
        symbols[where.get("branch")],
        symbols[where.get("team")],
        symbols[where.get("rater_level")],
        symbols[canonical(attributes).decode() if attributes else None],
        link["position"] if link else 0,
    )


def _number(fields: Mapping[str, Any], name: str | None) -> int:
    return ABSENT if name is None or name not in fields else whole(str(fields[name]))


def whole(text: str) -> int:
    """A number as entries are stored with it, in 10**-6: `12.5` → 12500000."""
    units, _, places = text.partition(".")
    return int(units + places.ljust(PLACES, "0"))


@lru_cache
def month_index(text: str) -> int:
    """`2026-10` as the month's index."""
    return Month.parse(text).index


class Interning(dict[str | None, int]):
    """Numbers for texts during one transaction: those that are committed, and for new texts the
    next free ones, in order. No text has the number 0.
    """

    def __init__(self, committed: Mapping[str, int]) -> None:
        super().__init__({None: 0})
        self._committed = committed
        self.first = len(committed) + 1
        self.texts: list[str] = []  # the new ones: first, first + 1, …

    def __missing__(self, text: str | None) -> int:
        assert text is not None
        number = self._committed.get(text)
        # Another thread may have committed the text since: then its number may be one given here.
        if number is None or number >= self.first:
            number = self.first + len(self.texts)
            self.texts.append(text)
        self[text] = number
        return number


class Symbols:
    """The texts that facts refer to by number, from 1: what is committed, kept in the process and
    read on from there.
    """

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self.numbers: dict[str, int] = {}
        self._lock = Lock()

    def refresh(self, connection: Connection) -> None:
        """Reads what others have added."""
        with self._lock:
            last = len(self.numbers)
            rows = connection.fetch(
                "SELECT id, text FROM symbols WHERE id > ? ORDER BY id", (last,)
            )
            self._extend(last + 1, [text for _, text in rows])

    def committed(self, new: Interning) -> None:
        """Keeps what a transaction added, once it is committed."""
        with self._lock:
            self._extend(new.first, new.texts)

    def forget(self) -> None:
        """Reads everything again the next time."""
        with self._lock:
            self.texts, self.numbers = [""], {}

    def _extend(self, first: int, texts: list[str]) -> None:
        for number, text in enumerate(texts, first):
            if number == len(self.texts):
                self.texts.append(text)
                self.numbers[text] = number
