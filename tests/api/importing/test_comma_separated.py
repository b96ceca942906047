"""CSV: both encodings, both languages of headers, Excel's own row numbers, and nothing guessed."""

from typing import get_args

import pytest

from api.importing import read_file
from api.importing.table_rows import HEADERS
from domain.entries.entry import RaterLevel, Reference
from domain.entries.kinds import KINDS
from domain.entries.parsing import parse_entry
from domain.identifiers import Month


@pytest.fixture
def read(tmp_path):
    def read_text(text, encoding="utf-8-sig"):
        path = tmp_path / "entries.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return list(read_file(path))

    return read_text


CHINESE = "类型,来源系统,来源编号,客户经理,考核月,项目,分值,备注\n扣减,crm,D1,M1,2026-10,arrears_recovery,12.50,欠费\n"
DEDUCTION = {
    "kind": "deduction", "source": "crm", "source_id": "D1", "manager": "M1", "month": "2026-10",
    "item": "arrears_recovery", "points": "12.50", "note": "欠费",
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_chinese_headers_in_either_encoding(read, encoding):
    (row,) = read(CHINESE, encoding)
    assert (row.line, row.raw, row.reasons) == (2, DEDUCTION, ())


def test_english_headers(read):
    (row,) = read(",".join(DEDUCTION) + "\r\n" + ",".join(DEDUCTION.values()) + "\r\n")
    assert row.raw == DEDUCTION


def test_both_languages_and_spaces_around_a_header(read):
    (row,) = read("类型, source ,来源编号\nsale,crm,S1")
    assert row.raw == {"kind": "sale", "source": "crm", "source_id": "S1"}


def test_what_is_neither_utf_8_nor_gb18030_is_one_clear_reason(read):
    (row,) = read(b"kind,source\nsale,crm\nsale,\xff\xff\xff\n")
    assert (row.line, row.raw) == (3, None)
    (reason,) = row.reasons
    assert reason.code == "encoding"
    assert "GB 18030" in reason.text.en
    assert "另存为" in reason.text.zh


def test_a_header_that_is_not_known_is_named_and_nothing_below_is_read(read):
    (row,) = read("kind,source,sourceid,颜色,属性.\nsale,crm,S1,红,x\n")
    assert (row.line, row.raw) == (1, None)
    assert [(reason.code, reason.field) for reason in row.reasons] == [
        ("unknown_field", "sourceid"),
        ("unknown_field", "颜色"),
        ("unknown_field", "属性."),
    ]
    assert "column C " in row.reasons[0].text.en
    assert "source_id" in row.reasons[0].text.en
    assert "D 列" in row.reasons[1].text.zh
    assert "来源编号" in row.reasons[1].text.zh


def test_two_columns_of_one_field_are_refused(read):
    (row,) = read("类型,月份,来源编号,考核月\nsale,2026-10,S1,2026-09\n")
    (reason,) = row.reasons
    assert (row.line, row.raw, reason.code, reason.field) == (1, None, "duplicate_field", "考核月")
    assert "B and D" in reason.text.en


def test_rows_are_counted_as_excel_counts(read):
    read_rows = read('\nkind,note\n\nsale,"two\nlines"\n,\nrating,x\n')
    assert [(row.line, row.raw) for row in read_rows] == [
        (4, {"kind": "sale", "note": "two\nlines"}),
        (6, {"kind": "rating", "note": "x"}),
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_line_may_end_as_any_system_ends_it(read, ending):
    rows = read(ending.join(["kind,note", "sale,x", "rating,y"]))
    assert [(row.line, row.raw["kind"]) for row in rows] == [(2, "sale"), (3, "rating")]


def test_empty_cells_are_absent_and_short_rows_are_whole(read):
    assert [row.raw for row in read("kind,source,amount,note\nsale,, ,\nsale\n")] == [
        {"kind": "sale"},
        {"kind": "sale"},
    ]


def test_a_cell_without_a_header_is_refused_with_its_place(read):
    rows = read("kind,,source\nsale,,crm\nsale,x,crm\nsale,,crm,y\n")
    assert [row.raw is None for row in rows] == [False, True, True]
    assert "cell B3:" in rows[1].reasons[0].text.en
    assert "单元格 D4：" in rows[2].reasons[0].text.zh


def test_only_a_grade_becomes_a_number_and_the_rest_stays_text(read):
    (row,) = read("职级,数量,source_id,attributes.post\n7,007,0012,3\n")
    assert row.raw == {
        "grade": 7,
        "quantity": "007",
        "source_id": "0012",
        "attributes": {"post": "3"},
    }


@pytest.mark.parametrize("grade", ["7.0", "-1", "七", "1" * 5000])
def test_a_grade_that_is_no_whole_number_stays_what_it_was_for_the_entry_to_refuse(read, grade):
    (row,) = read(f"grade\n{grade}\n")
    assert row.raw == {"grade": grade}


def test_attributes_and_what_is_reversed_are_objects(read):
    (row,) = read(
        "kind,冲销来源系统,冲销来源编号,属性.industry,attributes.sub.level\n冲销,crm,S1,education,2\n"
    )
    assert row.raw == {
        "kind": "reversal",
        "reverses": {"source": "crm", "source_id": "S1"},
        "attributes": {"industry": "education", "sub.level": "2"},
    }


@pytest.mark.parametrize(
    ("kind", "word"),
    list(zip(KINDS, ("任职", "扣减", "产品发展", "评价", "调整", "指标值", "冲销"), strict=True)),
)
def test_a_kind_may_be_its_chinese_word(read, kind, word):
    assert [row.raw["kind"] for row in read(f"类型\n{word}\n{kind}\n")] == [kind, kind]


@pytest.mark.parametrize(
    ("level", "word"),
    list(zip(get_args(RaterLevel), ("领导", "同级", "下级", "本人", "客户", "公司"), strict=True)),
)
def test_a_raters_level_may_be_its_chinese_word(read, level, word):
    assert [row.raw["rater_level"] for row in read(f"评价人级别\n{word}\n{level}\n")] == [
        level,
        level,
    ]


def test_a_word_is_a_code_only_in_its_own_column(read):
    (row,) = read("类型,岗位,备注\n任职,离职,离职\n")
    assert row.raw == {"kind": "assignment", "role": "left", "note": "离职"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [('sale,"a"b\n', "not_csv"), ("sale," + "x" * 200_000 + "\n", "not_csv")],
)
def test_a_row_that_is_no_csv_is_refused_and_the_next_is_read(read, line, expected):
    rows = read("kind,note\n" + line + "rating,fine\n")
    assert [(row.line, row.raw) for row in rows] == [
        (2, None),
        (3, {"kind": "rating", "note": "fine"}),
    ]
    assert rows[0].reasons[0].code == expected


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_in_silence(read):
    (row,) = read('kind,note\nsale,"never closed\nrating,x\n')
    assert (row.raw, row.reasons[0].code) == (None, "not_csv")


def test_every_field_of_every_kind_has_a_chinese_header():
    fields = {name for kind in KINDS.values() for name in kind.model.model_fields}
    fields |= {f"reverses.{name}" for name in Reference.model_fields}
    assert fields == set(HEADERS.values())


def test_a_row_in_chinese_is_an_entry_of_the_domain(read):
    text = "类型,来源系统,来源编号,客户经理,姓名,月份,分公司,班组,岗位,职级,属性.industry\n"
    (row,) = read(
        text + "任职,hr,A1,M1,张三,2026-10,B01,T1,customer_manager,7,education\n", "gb18030"
    )
    entry = parse_entry(row.raw)
    assert (entry.name, entry.month, entry.grade) == ("张三", Month(2026, 10), 7)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [("TRUE", True), ("True", True), ("true", True), (" TRUE ", True), ("FALSE", False), ("false", False),
     ("yes", "yes"), ("是", "是")],
)  # fmt: skip
def test_true_and_false_of_an_attribute_are_what_they_say_however_excel_wrote_them(
    read, cell, meant
):
    (row,) = read(f"属性.in_arrears,备注\n{cell},{cell}\n")
    assert row.raw["attributes"] == {"in_arrears": meant}
    assert row.raw["note"] == cell  # a word elsewhere
