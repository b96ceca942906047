"""A rulebook's text is a tree of texts in which every value keeps its location."""

from __future__ import annotations

import pytest

from domain.rulebook.source import MAX_BYTES, BrokenRulebook, Location, read


def test_every_scalar_stays_as_it_is_written() -> None:
    source = read("a: 0.10\nb: yes\nc: 2000-01\nd: null\ne: 08\nf: 1e3\ng: '0.10'\nh: ~\n")
    assert source.tree == {
        "a": "0.10",
        "b": "yes",
        "c": "2000-01",
        "d": "null",
        "e": "08",
        "f": "1e3",
        "g": "0.10",
        "h": "~",
    }


def test_every_key_and_value_has_its_location_in_characters() -> None:
    source = read("标题: {zh: 弹性, en: 'Elastic pay'}\n列:\n  - x: 1\n  - 二\n")
    assert source.values["标题", "zh"] == Location(1, 10)
    assert source.keys["标题", "en"] == Location(1, 14)
    assert source.values["标题", "en"] == Location(1, 19)  # inside the quotes
    assert source.locate(("标题", "en"), 8) == Location(1, 27)
    assert source.values["列", 0, "x"] == Location(3, 8)
    assert source.values["列", 1] == Location(4, 5)


def test_an_absent_value_is_located_at_its_nearest_parent() -> None:
    source = read("a:\n  b: 1\n")
    assert source.locate(("a", "c", "d"), 5) == Location(2, 3)
    assert source.locate(("z",)) == Location(1, 1)


def test_inside_a_value_of_several_lines_only_its_first_line_is_known() -> None:
    source = read("a: >-\n  one\n  two\n")
    assert source.tree == {"a": "one two"}
    assert source.locate(("a",), 4) == Location(1, 4)


def test_a_quoted_empty_text_is_a_value() -> None:
    assert read("a: ''\n").tree == {"a": ""}


def test_a_file_over_a_megabyte_is_refused_before_it_is_read() -> None:
    with pytest.raises(BrokenRulebook, match="over 1 MB"):
        read("a: " + "x" * MAX_BYTES)


def test_all_mistakes_are_named_at_once_in_the_order_of_the_text() -> None:
    with pytest.raises(BrokenRulebook) as broken:
        read("a: 1\na: 2\nb:\nc: 1\nc: 2\n", "file.yaml")
    assert [problem.location for problem in broken.value.problems] == [
        Location(2, 1),
        Location(3, 3),
        Location(5, 1),
    ]
    words = "键 a 重复，前一个在第 1 行 / key a is written twice; the first is on line 1"
    assert str(broken.value).startswith(f"file.yaml:2:1: {words}\n")
