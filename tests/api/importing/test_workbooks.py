"""Excel: a cell counts only where what was typed can still be told; everywhere else the words say
what to do.
"""

# ruff: noqa: DTZ001 - a time in Excel has no zone

import zipfile
from datetime import date, datetime, timedelta

import pytest

from api.importing import UnreadableFile, read_file
from api.importing.table_rows import column_letters


@pytest.fixture
def read(tmp_path, workbook):
    def read_rows(*rows, first_row=0):
        return list(read_file(workbook(tmp_path / "entries.xlsx", rows, first_row)))

    return read_rows


@pytest.fixture
def value(read):
    """The one field of a sheet with one cell under a header."""

    def value_of(header, cell):
        (row,) = read([header], [cell])
        assert row.reasons == ()
        return row.raw

    return value_of


@pytest.fixture
def refused(read):
    """The one reason why a sheet with one cell under a header is refused."""

    def reason_of(header, cell):
        (row,) = read([header], [cell])
        assert (row.line, row.raw) == (2, None)
        (reason,) = row.reasons
        assert "cell A2:" in reason.text.en
        assert "单元格 A2：" in reason.text.zh
        return reason

    return reason_of


def test_text_stays_as_it_was_typed(value):
    assert value("来源编号", "007") == {"source_id": "007"}
    assert value("金额", "12.50") == {"amount": "12.50"}
    assert value("月份", "2026-10") == {"month": "2026-10"}


def test_only_the_first_sheet_is_read_with_excels_own_row_numbers(read):
    rows = read(
        ["类型", "备注"], [None, None], ["产品发展", "x"], [None, ""], ["评价", "y"], first_row=2
    )
    assert [(row.line, row.raw) for row in rows] == [
        (5, {"kind": "sale", "note": "x"}),
        (7, {"kind": "rating", "note": "y"}),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "source",
        "来源编号",
        "manager",
        "branch",
        "team",
        "role",
        "item",
        "rater",
        "appeal",
        "冲销来源编号",
    ],
)
def test_an_id_that_excel_holds_as_a_number_is_refused_with_what_to_do(refused, header):
    reason = refused(header, 1001)
    assert reason.code == "not_text"
    assert "leading zeros" in reason.text.en
    assert "format the column as Text" in reason.text.en
    assert "“文本”格式" in reason.text.zh


@pytest.mark.parametrize(
    "header", ["points", "quantity", "amount", "score", "value", "attributes.level"]
)
def test_a_whole_number_is_taken_as_text(value, header):
    name = header.removeprefix("attributes.")
    raw = value(header, 12)
    assert raw.get("attributes", raw)[name] == "12"
    assert value(header, -3).get("attributes", {name: "-3"})[name] == "-3"


@pytest.mark.parametrize("number", [12.5, 0.1, 1e-9])
def test_a_number_with_a_fraction_is_a_binary_double_and_refused(refused, number):
    reason = refused("金额", number)
    assert reason.code == "float"
    assert repr(number) in reason.text.en
    assert "format the column as Text" in reason.text.en


def test_a_grade_is_a_whole_number_however_it_was_typed(value):
    assert value("职级", 7) == {"grade": 7}
    assert value("职级", "7") == {"grade": 7}


def test_a_date_is_written_as_the_contract_has_it(value, dated):
    assert value("发生日期", dated(datetime(2026, 10, 5), "m/d/yy")) == {
        "occurred_on": "2026-10-05"
    }
    assert value("发生日期", dated(date(2026, 10, 5))) == {"occurred_on": "2026-10-05"}


def test_a_date_with_a_time_of_day_is_refused(refused, dated):
    assert (
        "time of day"
        in refused("发生日期", dated(datetime(2026, 10, 5, 14, 30), "yyyy-mm-dd hh:mm")).text.en
    )


def test_a_month_that_excel_turned_into_its_first_day_is_that_month(value, dated):
    assert value("考核月", dated(date(2026, 10, 1), "mmm-yy")) == {"month": "2026-10"}


def test_a_month_that_is_another_day_is_refused(refused, dated):
    reason = refused("考核月", dated(date(2026, 10, 5)))
    assert "2026-10-05" in reason.text.en
    assert "格式" in reason.text.zh


@pytest.mark.parametrize("header", ["item", "quantity", "备注", "kind"])
def test_a_date_where_none_belongs_is_what_excel_made_of_something_else(refused, dated, header):
    assert "by Excel" in refused(header, dated(date(2026, 1, 2), "d-mmm")).text.en


def test_a_length_of_time_is_no_value(refused, dated):
    assert refused("quantity", dated(timedelta(hours=36), "[h]:mm")).code == "not_text"


def test_true_and_false_are_values_of_attributes_only(value, refused):
    assert value("attributes.certified", True) == {"attributes": {"certified": True}}
    assert refused("备注", False).code == "not_text"


def test_a_formula_counts_by_what_excel_last_made_of_it(value, formula, refused):
    assert value("项目", formula('="group"&"_count"', "group_count")) == {"item": "group_count"}
    assert value("数量", formula("=1+2", 3)) == {"quantity": "3"}
    assert refused("数量", formula("=0.1+0.2", 0.30000000000000004)).code == "float"


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!", "#VALUE!"])
def test_a_cell_that_shows_an_error_is_not_taken_for_an_empty_one(read, formula, error):
    rows = read(["branch", "team"], ["B01", formula("=VLOOKUP(1,A1:A2,1)", error)], ["B01", ""])
    assert [(row.line, row.raw) for row in rows] == [(2, None), (3, {"branch": "B01"})]
    assert [(reason.code, reason.field) for reason in rows[0].reasons] == [("bad_value", "team")]
    assert "cell B2:" in rows[0].reasons[0].text.en


@pytest.fixture
def saved_as(tmp_path, workbook, formula):
    """A workbook with a formula for a team, its cell saved as another program than Excel may save
    it.
    """

    def read_saved(cell):
        path = workbook(tmp_path / "a.xlsx", [["branch", "team"], ["B01", formula("=A9", "T1")]])
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name).replace(b' t="str"><f>A9</f><v>T1</v>', cell))
        (row,) = read_file(tmp_path / "b.xlsx")
        return row

    return read_saved


@pytest.mark.parametrize("cell", [b"><f>A9</f>", b"><f>A9</f><v></v>", b"><f>A9</f><v/>"])
def test_a_formula_that_was_never_calculated_is_not_taken_for_an_empty_cell(saved_as, cell):
    row = saved_as(cell)
    assert (row.raw, row.reasons[0].field) == (None, "team")


def test_a_formula_that_gives_no_text_is_an_empty_cell(saved_as):
    assert saved_as(b' t="str"><f>A9</f><v></v>').raw == {"branch": "B01"}


def test_every_bad_cell_of_a_row_is_told_at_once(read):
    (row,) = read(["来源编号", "客户经理", "金额", "备注"], [1, 2, 1.5, "fine"])
    assert [reason.field for reason in row.reasons] == ["source_id", "manager", "amount"]


def test_a_header_that_is_a_number_is_not_known(read):
    (row,) = read(["kind", 2026], ["sale", "x"])
    assert (row.line, row.reasons[0].code) == (1, "unknown_field")


def test_a_workbook_without_rows_has_none(read):
    assert read() == []


@pytest.mark.parametrize(
    ("part", "saved_as", "content"),
    [
        ("xl/worksheets/sheet1.xml", "elsewhere.xml", None),
        ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml", lambda xml: xml + b"<unclosed>"),
        ("xl/workbook.xml", "xl/Workbook.xml", None),
    ],
)
def test_a_workbook_with_a_part_lost_or_broken_is_refused(
    tmp_path, workbook, formula, part, saved_as, content
):
    path = workbook(tmp_path / "a.xlsx", [["kind"], [formula("=A9", "sale")]])
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for name in old.namelist():
            xml = old.read(name)
            new.writestr(
                saved_as if name == part else name,
                content(xml) if content and name == part else xml,
            )
    with pytest.raises(UnreadableFile):
        list(read_file(tmp_path / "b.xlsx"))


@pytest.mark.parametrize(
    ("index", "letters"),
    [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")],
)
def test_columns_are_named_as_excel_names_them(index, letters):
    assert column_letters(index) == letters


@pytest.mark.parametrize("number", [440301199001011234, 10**15, -(10**15)])
@pytest.mark.parametrize("header", ["attributes.id_card", "金额"])
def test_a_number_of_more_digits_than_excel_keeps_is_refused_with_what_to_do(
    refused, header, number
):
    reason = refused(header, number)
    assert reason.code == "not_text"
    assert "15 digits" in reason.text.en
    assert "format the column as Text" in reason.text.en


@pytest.mark.parametrize("number", [10**12, -(10**12), 10**15 - 1])
def test_a_number_of_an_attribute_has_no_more_digits_than_in_json(refused, value, number):
    assert refused("attributes.level", number).code == "too_large"
    assert value("attributes.level", 10**12 - 1) == {"attributes": {"level": "999999999999"}}


@pytest.mark.parametrize(
    ("cell", "meant"), [("TRUE", True), ("True", True), ("false", False), ("maybe", "maybe")]
)
def test_true_and_false_that_were_typed_as_text_are_the_same_of_an_attribute(value, cell, meant):
    assert value("attributes.certified", cell) == {"attributes": {"certified": meant}}
