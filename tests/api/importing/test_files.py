"""The door for files: what a name says, and what is told when a file cannot be read at all."""

import json

import pytest

from api.importing import UnreadableFile, read_file
from domain.errors import MeritError

ENTRY = {
    "kind": "sale",
    "source": "crm",
    "source_id": "S1",
    "manager": "M1",
    "month": "2026-10",
    "item": "i",
    "quantity": "1",
}


def test_the_same_entry_comes_out_of_every_kind_of_file(tmp_path, workbook):
    (tmp_path / "a.jsonl").write_text(json.dumps(ENTRY))
    (tmp_path / "a.CSV").write_text(",".join(ENTRY) + "\n" + ",".join(ENTRY.values()))
    workbook(tmp_path / "a.xlsx", [list(ENTRY), list(ENTRY.values())])
    read = {path.suffix: [row.raw for row in read_file(path)] for path in tmp_path.iterdir()}
    assert read == {".jsonl": [ENTRY], ".CSV": [ENTRY], ".xlsx": [ENTRY]}


def test_a_path_may_be_text(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(ENTRY))
    assert [row.raw for row in read_file(str(tmp_path / "a.jsonl"))] == [ENTRY]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.xlsx"])
def test_a_missing_file_is_said_to_be_missing(tmp_path, name):
    with pytest.raises(UnreadableFile, match="No such file") as caught:
        list(read_file(tmp_path / name))
    assert str(tmp_path / name) in caught.value.text.zh
    assert "请检查路径" in caught.value.text.zh
    assert isinstance(caught.value, MeritError)


@pytest.mark.parametrize("name", ["a.txt", "a", "a.xls"])
def test_an_extension_that_is_not_known_names_those_that_are(tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(UnreadableFile, match=r"use \.jsonl, \.csv or \.xlsx"):
        list(read_file(tmp_path / name))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_folder_is_not_a_file(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(UnreadableFile, match="directory"):
        list(read_file(tmp_path / name))


@pytest.mark.parametrize("content", [b"", b"kind,source\n", b"PK\x03\x04 broken"])
def test_what_is_called_a_workbook_and_is_none_is_refused(tmp_path, content):
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(UnreadableFile, match="no readable workbook"):
        list(read_file(tmp_path / "a.xlsx"))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_an_empty_file_has_no_rows(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert list(read_file(tmp_path / name)) == []
