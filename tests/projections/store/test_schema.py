"""The tables of a ledger stay as they are: what stands in databases already is not made again."""

from __future__ import annotations

from domain.ledger.ledger import Ledger
from projections.store.database import database_of

# As ledgers of version 1 have it, in the order of each database.
FACTS_ON_SQLITE = (
    "position month kind manager item value amount branch team detail attributes reverses"
)
WIDE_ON_POSTGRES = "position value amount reverses"
NARROW_ON_POSTGRES = "month kind manager item branch team detail attributes"


def test_the_columns_of_facts_have_their_names_order_and_types(ledger: Ledger) -> None:
    with database_of(ledger).reading() as connection:
        if database_of(ledger).is_server:
            columns = connection.fetch(
                "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
                "WHERE table_name = 'facts' ORDER BY ordinal_position"
            )
            expected = [(name, "bigint", "NO") for name in WIDE_ON_POSTGRES.split()]
            expected += [(name, "integer", "NO") for name in NARROW_ON_POSTGRES.split()]
        else:
            columns = connection.fetch(
                "SELECT name, type, pk, \"notnull\" FROM pragma_table_info('facts')"
            )
            key = {"month": 1, "manager": 2, "position": 3}
            expected = [
                (name, "INTEGER", key.get(name, 0), 1)  # type: ignore[misc]
                for name in FACTS_ON_SQLITE.split()
            ]
    assert columns == expected
