"""Tables: a header row in English codes or Chinese words, then one entry a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.importing.json_lines import BadLine, read_object
from api.importing.rows import RawRow
from domain.entries.entry import LEFT
from domain.entries.kinds import COMMON_COLUMNS, KINDS
from domain.errors import Reason, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# Other words for a column than those of the kinds.
OTHER_HEADERS = {"生产单元": "team", "指标值": "value", "冲销记录": "reverses"}
# Chinese headers and the fields they stand for; a field's own name is a header too.
HEADERS = {
    header: field
    for columns in (COMMON_COLUMNS, *(kind.columns for kind in KINDS.values()))
    for field, header in columns.items()
} | OTHER_HEADERS
FIELDS = frozenset(HEADERS.values())
OBJECTS = {"attributes", "reverses"}  # whole in one cell, or each part in a column of its own
ATTRIBUTES = "attributes."
BOOLEANS = {"true": True, "false": False}  # as Excel writes them into a CSV: TRUE, FALSE
ATTRIBUTE_HEADERS = (ATTRIBUTES, "属性.")

# Fields that take one of some codes, and the Chinese word for each code; a cell may have either.
WORDS = {
    "kind": {kind.name.zh: code for code, kind in KINDS.items()},
    "rater_level": {
        "领导": "leader",
        "同级": "peer",
        "下级": "subordinate",
        "本人": "self",
        "客户": "customer",
        "公司": "company",
    },
    "role": {"离职": LEFT},
}


class BadCell(ValueError):
    """A cell that cannot be read; its text says what to do in the program that holds the table."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.text = code, Text(zh, en)


def read_table(
    rows: Iterable[tuple[int, Sequence[object] | Reason]],
    value_of: Callable[[str, Any], object] = lambda _, cell: cell,
) -> Iterator[RawRow]:
    """The entries of a table's rows, given with their line; a row may itself be the reason why it
    cannot be read.

    `value_of(field, cell)` turns a cell that is not empty into the field's value, or raises
    BadCell. A header that is unknown or given twice is reported on its line, and no row below is
    read: the field of its cells would be a guess.
    """
    fields: list[str] | None = None
    for line, cells in rows:
        if isinstance(cells, Reason):
            yield RawRow(line, None, (cells,))
        elif all(map(_is_empty, cells)):
            continue
        elif fields is None:
            fields, reasons = _header(cells)
            if reasons:
                yield RawRow(line, None, tuple(reasons))
                return
        else:
            yield _row(line, fields, cells, value_of)


def _header(cells: Sequence[object]) -> tuple[list[str], list[Reason]]:
    """The field of each column, "" where the header is empty; and what is wrong with the
    headers.
    """
    fields: list[str] = []
    reasons = []
    for index, cell in enumerate(cells):
        title, column = str(cell).strip(), column_letters(index)
        field = _field(title)
        if title and not field:
            known = "、".join(HEADERS), ", ".join(sorted(FIELDS))
            text = Text(
                f"{column} 列的表头不是已知列名。可用：{known[0]}、属性.名称",
                f"the header of column {column} is not known. There are: {known[1]}, "
                "attributes.NAME",
            )
            reasons.append(Reason("unknown_field", title, text))
        elif field and field in fields:
            first = column_letters(fields.index(field))
            text = Text(
                f"{column} 列与 {first} 列是同一字段，请只留一列",
                f"columns {first} and {column} are one field: keep one",
            )
            reasons.append(Reason("duplicate_field", title, text))
        fields.append(field)
    return fields, reasons


def _field(title: str) -> str:
    """The field that a header stands for, or ""."""
    for prefix in ATTRIBUTE_HEADERS:
        if title.startswith(prefix) and title != prefix:
            return ATTRIBUTES + title.removeprefix(prefix)
    return title if title in FIELDS else HEADERS.get(title, "")


def _row(
    line: int, fields: list[str], cells: Sequence[object], value_of: Callable[[str, Any], object]
) -> RawRow:
    raw: dict[str, Any] = {}
    reasons = []
    for index, cell in enumerate(cells):
        if _is_empty(cell):
            continue
        field = fields[index] if index < len(fields) else ""
        try:
            if not field:
                raise BadCell(
                    "unknown_field",
                    "该列没有表头，请补上表头或清空",
                    "its column has no header: add one or clear it",
                )
            _set_field(raw, field, _interpret(field, value_of(field, cell)))
        except BadCell as bad:
            place = f"{column_letters(index)}{line}"
            text = Text(f"单元格 {place}：{bad.text.zh}", f"cell {place}: {bad.text.en}")
            reasons.append(Reason(bad.code, field, text))
    return RawRow(line, None, tuple(reasons)) if reasons else RawRow(line, raw)


def _set_field(raw: dict[str, Any], field: str, value: object) -> None:
    """Sets a field of the entry; of an object whose parts stand in several columns, a part."""
    parent, dot, name = field.partition(".")
    parts = {name: value} if dot else value
    if not isinstance(parts, dict):
        raw[field] = parts
        return
    earlier = raw.setdefault(parent, {})
    if twice := [name for name in parts if name in earlier]:
        listed = ", ".join(twice)
        raise BadCell(
            "duplicate_field", f"{listed} 在另一列已填", f"another column has said {listed} already"
        )
    earlier |= parts


def _interpret(field: str, value: object) -> object:
    """A word as its code, a grade (99 at most) as a whole number, TRUE of an attribute as true."""
    if not isinstance(value, str):
        return value
    if field == "grade" and value.isascii() and value.isdigit() and len(value) <= 3:
        return int(value)
    if field in OBJECTS:
        return _object(field, value)
    if field.startswith(ATTRIBUTES):
        return BOOLEANS.get(value.strip().lower(), value)
    return WORDS.get(field, {}).get(value, value)


def _object(field: str, text: str) -> dict[str, Any]:
    """A cell that holds a whole object: JSON, or, of what is reversed, SOURCE:SOURCE_ID."""
    if field == "reverses" and not text.lstrip().startswith("{"):
        source, _, number = text.strip().partition(":")
        return {"source": source, "source_id": number}
    try:
        return read_object(text.encode())
    except BadLine as bad:
        raise BadCell(bad.reason.code, bad.reason.text.zh, bad.reason.text.en) from None


def _is_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def column_letters(index: int) -> str:
    """Excel's name of a column counted from 0: A … Z, AA …"""
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
