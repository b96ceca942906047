"""Tables: attributes and what a reversal names, whole in one cell or each part in a column of its
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.importing.rows import RawRow
from api.importing.table_rows import read_table


def rows(*cells: Sequence[object]) -> list[RawRow]:
    return list(read_table(enumerate(cells, 1)))


def the_one(*cells: Sequence[object]) -> dict[str, Any]:
    (row,) = rows(*cells)
    assert row.raw is not None, row.reasons
    return row.raw


def test_attributes_stand_in_one_cell_as_json_beside_columns_of_their_own() -> None:
    for header in ("attributes", "属性"):
        raw = the_one(("kind", header, "属性.shop"), ("sale", '{"gift": true, "n": "3"}', "north"))
        assert raw["attributes"] == {"gift": True, "n": "3", "shop": "north"}


def test_what_a_reversal_names_stands_in_one_cell_or_in_two() -> None:
    wanted = {"source": "crm", "source_id": "7"}
    for header in ("reverses", "冲销记录"):
        for cell in ("crm:7", '{"source": "crm", "source_id": "7"}'):
            assert the_one(("kind", header), ("冲销", cell))["reverses"] == wanted
    assert (
        the_one(("kind", "冲销来源系统", "冲销来源编号"), ("冲销", "crm", "7"))["reverses"]
        == wanted
    )


def test_a_cell_that_is_no_object_and_a_part_that_is_said_twice_are_named() -> None:
    (bad,) = rows(("kind", "attributes"), ("sale", "gift"))
    assert [(r.code, r.field) for r in bad.reasons] == [("not_json", "attributes")]
    assert "B2" in bad.reasons[0].text.zh
    (twice,) = rows(("kind", "attributes", "attributes.x"), ("sale", '{"x": "1"}', "2"))
    assert [(r.code, r.field) for r in twice.reasons] == [("duplicate_field", "attributes.x")]
