"""CSV, as Excel writes it: UTF-8 with or without a mark, else GB 18030, and no third guess."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from api.importing.rows import RawRow
from api.importing.table_rows import read_table
from domain.errors import Reason, Text

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_csv(data: bytes) -> Iterator[RawRow]:
    """The entries of a CSV file; rows are counted as Excel does, a line break inside quotes
    starting none.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
        else:
            return read_table(_rows(text))
    why = Text(
        "文件既不是 UTF-8 也不是 GB 18030（GBK）编码；请在 Excel 中另存为“CSV UTF-8”",
        "the file is neither UTF-8 nor GB 18030 (GBK): save it in Excel as “CSV UTF-8”",
    )
    return iter([RawRow(line, None, (Reason("encoding", "", why),))])


def _rows(text: str) -> Iterator[tuple[int, list[str] | Reason]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    row = 0
    while True:
        row += 1
        try:
            yield row, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            why = Text(
                f"引号不配对或单元格过长：{error}",
                f"its quotes do not pair, or a cell is too long: {error}",
            )
            yield row, Reason("not_csv", "", why)
