"""Files as the programs of this world write them."""

import pytest
import xlsxwriter


@pytest.fixture
def workbook():
    """Writes rows to the first sheet of a workbook; a value that can be called writes its cell
    itself.
    """

    def write(path, rows, first_row=0):
        book = xlsxwriter.Workbook(path)
        sheet, formats = book.add_worksheet(), {}
        for row, cells in enumerate(rows, first_row):
            for column, cell in enumerate(cells):
                if callable(cell):
                    cell(book, sheet, row, column, formats)
                elif isinstance(cell, str):
                    sheet.write_string(row, column, cell)
                elif cell is not None:
                    sheet.write(row, column, cell)
        book.add_worksheet("second").write_string(0, 0, "not read")
        book.close()
        return path

    return write


@pytest.fixture
def dated():
    """A cell that Excel holds as a date or a time, shown in a format."""

    def cell(value, shown="yyyy-mm-dd"):
        def write(book, sheet, row, column, formats):
            sheet.write_datetime(
                row,
                column,
                value,
                formats.setdefault(shown, book.add_format({"num_format": shown})),
            )

        return write

    return cell


@pytest.fixture
def formula():
    """A cell with a formula and what Excel last made of it."""

    def cell(text, value):
        def write(book, sheet, row, column, formats):
            sheet.write_formula(row, column, text, None, value)

        return write

    return cell
