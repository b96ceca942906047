"""Excel workbooks: the first sheet. A cell is read only where it still shows exactly what was typed
into it.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from python_calamine import CalamineError, CalamineWorkbook

from api.importing.rows import RawRow, UnreadableFile
from api.importing.table_rows import ATTRIBUTES, BadCell, column_letters, read_table
from api.importing.uncalculated import uncalculated_cells
from domain.entries.kinds import NUMBERS
from domain.errors import Text
from domain.numbers import BadNumber, parse_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

EXACT = 10**15  # Excel keeps 15 digits of a number


def read_workbook(path: Path) -> Iterator[RawRow]:
    """The entries of a workbook's first sheet, with Excel's row numbers. Raises UnreadableFile if
    it is no workbook.
    """
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
        bad = uncalculated_cells(path) if rows else frozenset()
    except (CalamineError, BadZipFile, ParseError, LookupError) as error:
        why = Text(
            f"不是可读的 Excel 工作簿（{error}）；加密的请先去掉密码",
            f"no readable workbook ({error}); remove a password",
        )
        raise UnreadableFile(path, why) from None
    return read_table(_rows(rows, bad), _value)


def _rows(
    rows: Sequence[Sequence[object]], bad: frozenset[str]
) -> Iterator[tuple[int, Sequence[object]]]:
    for number, cells in enumerate(rows, 1):
        if bad:
            places = (f"{column_letters(index)}{number}" for index in range(len(cells)))
            cells = [
                _Uncalculated() if place in bad else cell
                for place, cell in zip(places, cells, strict=True)
            ]
        yield number, cells


class _Uncalculated:
    """The value of a cell that shows an error or was never calculated: not empty, and unknown."""


def _value(field: str, cell: object) -> object:
    """A cell's value for a field; text is always what was typed."""
    match cell:
        case str():
            return cell
        case bool():
            if field.startswith(ATTRIBUTES):
                return cell
            raise _as_text("是逻辑值", "holds TRUE or FALSE")
        case float() | int():
            return _number(field, cell)
        case datetime():
            if cell.time() != time():
                raise _as_text("带有时刻", "holds a time of day")
            return _date(field, cell.date())
        case date():
            return _date(field, cell)
        case time() | timedelta():
            raise _as_text("是时间", "holds a time")
    raise BadCell(
        "bad_value",
        "公式出错或未计算；请改正，或粘贴为数值",
        "its formula fails or was never calculated: correct it, or paste its value",
    )


def _number(field: str, cell: float) -> str:
    """Whole numbers of the fields that are numbers. Any other has been a binary double since it was
    typed.
    """
    if field not in NUMBERS and not field.startswith(ATTRIBUTES):
        raise _as_text(
            "是数值，前面的零和第 15 位以后的数字可能已丢失",
            "holds a number; leading zeros and digits beyond 15 may be lost",
        )
    if not float(cell).is_integer():
        raise BadCell(
            "float",
            *_advice(
                f"是二进制小数 {cell!r}，不精确",
                f"holds the binary double {cell!r}, which is inexact",
            ),
        )
    if abs(cell) >= EXACT:
        raise _as_text(
            "是超过 15 位的数值，后面的数字可能已丢失",
            "holds a number of over 15 digits; the last may be lost",
        )
    if field.startswith(ATTRIBUTES):
        _check_digits(int(cell))
    return str(int(cell))


def _check_digits(whole: int) -> None:
    """Attributes take the numbers that they take in JSON."""
    try:
        parse_number(whole)
    except BadNumber as error:
        raise BadCell(error.code, *error.text) from None


def _date(field: str, day: date) -> str:
    if field == "month":
        if day.day != 1:
            raise _as_text(f"是日期 {day}，不是月份", f"holds the date {day}, not a month")
        return f"{day:%Y-%m}"
    if field == "occurred_on" or field.startswith(ATTRIBUTES):
        return day.isoformat()
    raise _as_text(f"被 Excel 当成了日期 {day}", f"was taken for the date {day} by Excel")


def _as_text(zh: str, en: str) -> BadCell:
    return BadCell("not_text", *_advice(zh, en))


def _advice(zh: str, en: str) -> tuple[str, str]:
    return (
        f"{zh}；请把该列设为“文本”格式后重新输入",
        f"{en}: format the column as Text and type it again",
    )
