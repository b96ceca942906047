"""JSON Lines: what is read, and every line that JSON would let pass and pay must not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.importing.json_lines import BadLine, _carefully, read_json_lines, read_object
from domain.entries.parsing import parse_entry
from domain.errors import Invalid


def rows(*lines):
    return list(
        read_json_lines(line if isinstance(line, bytes) else line.encode() for line in lines)
    )


def only_reason(line):
    (row,) = rows(line)
    assert row.raw is None
    (reason,) = row.reasons
    return reason


def test_lines_are_counted_from_one_and_blank_ones_are_left_out():
    read = rows('{"a":"1"}\n', "\n", " \t\r\n", '{"b":"2"}\r\n', '{"c":"3"}')
    assert [(row.line, row.raw, row.reasons) for row in read] == [
        (1, {"a": "1"}, ()),
        (4, {"b": "2"}, ()),
        (5, {"c": "3"}, ()),
    ]


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it():
    assert rows(b'\xef\xbb\xbf{"a":"\xe7\xbb\xa9"}\n', '{"b":"2"}')[0].raw == {"a": "绩"}


def test_a_mark_before_another_line_is_not_json():
    assert rows('{"a":"1"}\n', b'\xef\xbb\xbf{"b":"2"}')[1].reasons[0].code == "not_json"


def test_a_bad_line_does_not_keep_the_others_out():
    read = rows('{"a":"1"}\n', "nonsense\n", b"\xff\xfe\n", '{"b":"2"}\n')
    assert [(row.line, row.raw is None) for row in read] == [
        (1, False),
        (2, True),
        (3, True),
        (4, False),
    ]


def test_a_float_stays_a_float_so_that_the_entry_refuses_it():
    (row,) = rows(
        '{"kind":"sale","source":"s","source_id":"1","manager":"m","month":"2026-10","item":"i","quantity":1.5}'
    )
    assert isinstance(row.raw["quantity"], float)
    with pytest.raises(Invalid, match="quote it"):
        parse_entry(row.raw)


def test_a_whole_number_stays_one():
    (row,) = rows('{"grade": 7, "points": -12}')
    assert row.raw == {"grade": 7, "points": -12}
    assert {type(value) for value in row.raw.values()} == {int}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"points":"1","points":"2"}', "points"),
        ('{"points":"1","points":"1"}', "points"),
        ('{"a" : 1, "a" : 2}', "a"),
        ('{"reverses":{"source":"a","source":"b"}}', "source"),
        ('{"note":"x","attributes":{"a":"1","b":"2","a":"3"}}', "a"),
        (r'{"a":1,"\u0061":2}', "a"),
        ('{"a":[{"b":1,"b":2}]}', "b"),
    ],
)
def test_a_field_that_stands_twice_is_refused_by_name(line, key):
    reason = only_reason(line)
    assert (reason.code, reason.field) == ("duplicate_field", key)
    assert "twice" in reason.text.en
    assert "两次" in reason.text.zh


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_refused(word):
    reason = only_reason('{"points":' + word + "}")
    assert reason.code == "not_finite"
    assert word in reason.text.en


def test_a_line_that_is_not_json_names_the_column():
    reason = only_reason('{"类型":"sale" "source":"x"}\n')
    assert reason.code == "not_json"
    assert "column 14 " in reason.text.en
    assert "第 14 列" in reason.text.zh


@pytest.mark.parametrize(
    "line", ["{", '{"a":"1"} {"b":"2"}', "{'a': 1}", '{"a":01}', '{"a":"1",}', '{"a":"tab\there"}']
)
def test_what_only_looks_like_json_is_refused(line):
    assert only_reason(line).code == "not_json"


@pytest.mark.parametrize("line", ["[]", '[{"kind":"sale"}]', '"text"', "12", "null", "true"])
def test_json_that_is_no_object_is_refused(line):
    assert only_reason(line).code == "not_an_object"


def test_bytes_that_are_not_utf_8_are_refused_with_their_place():
    reason = only_reason(b'{"note":"' + "备注".encode("gbk") + b'"}')
    assert reason.code == "encoding"
    assert "byte 10 " in reason.text.en


def test_half_a_character_is_no_text_and_a_whole_one_is():
    assert only_reason(r'{"note":"\ud83d"}').code == "encoding"
    assert rows(r'{"note":"\ud83d\ude00"}')[0].raw == {"note": "😀"}


@pytest.mark.parametrize(
    ("line", "code"), [("[" * 200_000, "not_json"), ('{"points":' + "1" * 5000 + "}", "too_large")]
)
def test_what_would_break_the_parser_is_one_bad_line(line, code):
    assert only_reason(line).code == code


def test_a_very_long_line_is_read():
    note = "长" * 2_000_000
    assert rows(json.dumps({"note": note}))[0].raw == {"note": note}


SMALL = st.text(st.sampled_from('ab:"\\ é'), max_size=4)
VALUES = st.recursive(
    SMALL
    | st.integers(-(10**9), 10**9)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SMALL, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(SMALL, VALUES, max_size=5),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]),
    st.booleans(),
)
def test_the_quick_reading_agrees_with_the_careful_one(value, separators, ascii_only):
    line = json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode()
    assert read_object(line) == _carefully(line) == value


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "a:", "c"]), VALUES), max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_no_pair_of_equal_keys_gets_through(pairs, nested, spaced):
    colon = " : " if spaced else ":"
    line = (
        "{" + ",".join(f"{json.dumps(key)}{colon}{json.dumps(value)}" for key, value in pairs) + "}"
    )
    if nested:
        line = '{"attributes":' + line + "}"
    if len({key for key, _ in pairs}) == len(pairs):
        assert read_object(line.encode()) == json.loads(line)
    else:
        with pytest.raises(BadLine):
            read_object(line.encode())
