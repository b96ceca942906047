"""The words of a replay: a question, or every reason why it is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.asking import key_of, question_of
from domain.errors import Declined, Invalid, MeritError
from domain.identifiers import BadIdentifier, Period
from domain.rulebook.source import BrokenRulebook
from tests.facts import shipped_text
from tests.worksheet import Ledger as Sheet


def test_words_become_a_question(tmp_path: Path) -> None:
    file = tmp_path / "if.jsonl"
    sale = Sheet().put("sale", "M1", "mas_groups", quantity="1", source="crm", source_id="7")
    file.write_text(json.dumps(sale) + "\n", "utf-8")
    question = question_of(
        ["2026-10", "2026-Q3"], ["B01"], "elastic-pay@3.0.0", "settled", "42", file, ["hr:A:1", "crm:2"][1:]
    )
    assert question.periods == (Period.parse("2026-10"), Period.parse("2026-Q3"))
    assert (question.rulebook, question.draft, question.against, question.as_of) == (
        "elastic-pay@3.0.0",
        None,
        "settled",
        "42",
    )
    assert [entry.key for entry in question.added] == [("crm", "7")]
    assert question.left_out == (("crm", "2"),)
    assert question.parameters()["with"] == ["crm:7"]
    assert question.parameters()["without"] == ["crm:2"]


@pytest.mark.parametrize("name", ["draft.yaml", "draft.yml"])
def test_a_file_is_a_draft(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(shipped_text("elastic-pay"), "utf-8")
    question = question_of(["2026-10"], [], str(tmp_path / name), None, None, None, [])
    assert question.rulebook is None
    assert question.draft is not None
    assert question.parameters()["rulebook"] == "elastic-pay@3.0.0"
    assert question.parameters()["draft"] == question.draft.digest


def test_a_broken_draft_names_its_place(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("id: [", "utf-8")
    with pytest.raises(BrokenRulebook, match=r"d\.yaml:\d+:\d+: "):
        question_of(["2026-10"], [], str(tmp_path / "d.yaml"), None, None, None, [])


def test_every_bad_line_of_supposed_entries_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "if.jsonl"
    bad = Sheet().put("sale", "M1", "mas_groups", quantity="-1", colour="red")
    file.write_text("nonsense\n" + json.dumps(bad) + "\n", "utf-8")
    with pytest.raises(Invalid) as caught:
        question_of(["2026-10"], [], None, None, None, file, [])
    fields = [reason.field for reason in caught.value.reasons]
    assert len(fields) == 3
    assert {field.split()[0] for field in fields} == {f"{file}:1", f"{file}:2"}


@pytest.mark.parametrize("text", ["nokey", "", ":1", "crm:", "c r m:1"])
def test_a_key_is_source_and_number(text: str) -> None:
    with pytest.raises((Declined, BadIdentifier)):
        key_of(text)
    assert key_of("crm:sale-1") == ("crm", "sale-1")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    for words in (("2026-10", str(tmp_path / "no.yaml"), None), ("2026-10", None, tmp_path / "no.jsonl")):
        with pytest.raises(MeritError, match="no\\."):
            question_of([words[0]], [], words[1], None, None, words[2], [])
