"""What a test wants to see of a ledger's store: entries from worksheets, rows as text, what counts
in the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from domain.entries.entry import AnyEntry
from domain.entries.parsing import parse_entry
from domain.ledger.ledger import Ledger
from projections.facts.reader import FactStore
from projections.store.database import database_of
from projections.store.fact_rows import COLUMNS, SYMBOL_COLUMNS

ALWAYS = 10**12  # a position after all others


def entries(raw: Iterable[dict[str, Any]]) -> list[AnyEntry]:
    """What a worksheet says, as entries."""
    return [parse_entry(entry) for entry in raw]


def key(entry: dict[str, Any]) -> str:
    return f"{entry['source']}:{entry['source_id']}"


def fact_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """Every fact row in order, with texts for symbols."""
    store = FactStore(ledger)
    rows = [
        row
        for part in (
            store.facts(0, 99_999, branches=None, as_of=ALWAYS),
            store.assignments(99_999, branches=None, as_of=ALWAYS),
        )
        for row in part.tolist()
    ]
    texts = store.symbols()
    named = [dict(zip(COLUMNS, row, strict=True)) for row in sorted(rows)]
    return [{c: texts[v] if c in SYMBOL_COLUMNS else v for c, v in row.items()} for row in named]


def counting(ledger: Ledger) -> list[tuple[Any, ...]]:
    """The facts that no counting reversal names, without their positions, in an order of their
    own.
    """
    rows, dead = fact_rows(ledger), set()
    for row in reversed(rows):
        if row["reverses"] and row["position"] not in dead:
            dead.add(row["reverses"])
    alive = [row for row in rows if not row["reverses"] and row["position"] not in dead]
    return sorted(
        tuple(value for column, value in row.items() if column != "position") for row in alive
    )


def states(ledger: Ledger) -> list[dict[str, Any]]:
    """The stored JSON of every event, in order."""
    with database_of(ledger).reading() as connection:
        position = database_of(ledger).position
        return [
            orjson.loads(bytes(s))
            for (s,) in connection.fetch(f"SELECT state FROM stored_events ORDER BY {position}")
        ]


def count(ledger: Ledger, table: str) -> int:
    with database_of(ledger).reading() as connection:
        number: int = connection.value(f"SELECT count(*) FROM {table}")
        return number
