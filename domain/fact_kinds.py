"""The kinds of facts: the code of each in fact rows, and what a rulebook may say of an input that
reads it.

Entries and rulebooks both read this table, so it knows neither events nor rulebooks. All else about
a kind of entry stands in `domain/entries/kinds.py`.
"""

from __future__ import annotations

from typing import NamedTuple

_ENTRIES = frozenset({"take", "item", "items", "unless", "low", "high", "above"})
_GAPS = frozenset({"missing", "default"})


class FactKind(NamedTuple):
    """One kind of fact. Without `takes` no rulebook reads it."""

    code: int  # in fact rows; it stands in ledgers and never changes
    takes: tuple[str, ...] = ()  # what an input may take of its entries; the first is the default
    keys: frozenset[str] = frozenset()  # of an input, beside label, unit, clause and read
    is_summed: bool = False  # its entries add up, and no entry is 0
    is_signed: bool = True  # its figure may be below 0
    is_own: bool = True  # a person's own figure, which could have been another
    reads_any_item: bool = False  # an input that names no item reads the entries of all
    missing: str | None = None  # what no entry means where the input does not say; None: it is 0


FACT_KINDS = {
    "assignment": FactKind(0),
    "deduction": FactKind(
        1, takes=("sum", "count"), keys=_ENTRIES, is_summed=True, is_signed=False
    ),
    "sale": FactKind(
        2, takes=("sum", "amount", "count"), keys=_ENTRIES, is_summed=True, is_signed=False
    ),
    "rating": FactKind(
        3,
        takes=("mean", "latest", "sum", "count"),
        keys=_ENTRIES | _GAPS | {"level"},
        missing="warn",
    ),
    "adjustment": FactKind(
        4,
        takes=("points", "yuan"),
        keys=_ENTRIES - {"items"} | {"but_not"},
        is_summed=True,
        is_own=False,
        reads_any_item=True,
    ),
    "measure": FactKind(5, takes=("latest", "sum"), keys=_ENTRIES - {"unless"} | _GAPS | {"of"}),
}
ABSENT = -(2**63)  # in `value` and `amount` of a fact: the entry has none
KIND_CODES = {name: kind.code for name, kind in FACT_KINDS.items()}
READABLE = {name: kind for name, kind in FACT_KINDS.items() if kind.takes}
