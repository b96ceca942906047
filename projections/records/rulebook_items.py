"""规则读取的项目: which items of which kinds of entry the published rulebooks read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from domain.evaluation.programs import program_of
from domain.fact_kinds import READABLE
from domain.ledger.events import RulebookPublished
from projections.store.connection import Table
from projections.store.database import database_of
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection

_ITEMS = Table(
    "rulebook_items", ("position", "place", "kind", "item"), ("int8", "int4", "text", "text")
)
_CREATE_ITEMS = """
CREATE TABLE IF NOT EXISTS rulebook_items (
    position bigint NOT NULL, place integer NOT NULL, kind text NOT NULL, item text NOT NULL,
    PRIMARY KEY (kind, item, position)
)"""


class RulebookItemRows(Projection):
    """The rows: one an item that the version published at a position reads, with its place among
    them. `target.*` is every item that begins with `target.`.
    """

    name = "rulebook_items"
    topics = (RulebookPublished.TOPIC,)
    tables: ClassVar[tuple[str, ...]] = ("rulebook_items",)
    schema = (_CREATE_ITEMS,)
    canonical = "SELECT position, place, kind, item FROM rulebook_items ORDER BY position, place"

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the items of these versions."""
        for event in events:
            items = sorted(program_of(event.json()["text"]).rulebook.items_read)
            connection.insert(
                _ITEMS,
                [(event.position, place, *read) for place, read in enumerate(items)],
            )


class RulebookItems:
    """Answers whether an item is read by anybody, without a look at the rulebooks."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, RulebookItemRows(), database_of(ledger)

    def knows(self, kind: str, item: str) -> bool:
        """Whether any published version reads entries of this kind and item."""
        if kind in READABLE and READABLE[kind].reads_any_item:
            return True
        self.rows.catch_up(self.ledger)
        prefixes = [f"{item[:length]}*" for length in range(len(item) + 1)]
        sql = f"SELECT 1 FROM rulebook_items WHERE kind = ? AND item {self.database.one_of} LIMIT 1"
        with self.database.reading() as connection:
            found = connection.value(sql, (kind, self.database.array([item, *prefixes])))
        return found is not None

    def read_by(self, versions: Sequence[int]) -> frozenset[tuple[str, str]]:
        """Kind and item of all that these versions read, each given by the position at which it was
        published.
        """
        self.rows.catch_up(self.ledger)
        sql = f"SELECT kind, item FROM rulebook_items WHERE position {self.database.one_of}"
        with self.database.reading() as connection:
            return frozenset(connection.fetch(sql, (self.database.array(versions),)))
