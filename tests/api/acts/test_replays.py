"""The words of a replay: a question, or every reason why it is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.acts.replays import key_of, question_of
from domain.entries.parsing import parse_entry
from domain.errors import Declined, Invalid, MeritError
from domain.identifiers import BadIdentifier, Period
from domain.rulebook.source import BrokenRulebook
from tests.facts import shipped_text
from tests.worksheet import Ledger as Sheet


def test_words_become_a_question() -> None:
    sale = Sheet().put("sale", "M1", "mas_groups", quantity="1", source="crm", source_id="7")
    question = question_of(
        ["2026-10", "2026-Q3"],
        ["B01"],
        "elastic-pay@3.0.0",
        "settled",
        "42",
        [parse_entry(sale)],
        ["crm:2"],
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
    question = question_of(["2026-10"], [], str(tmp_path / name), None, None, [], [])
    assert question.rulebook is None
    assert question.draft is not None
    assert question.parameters()["rulebook"] == "elastic-pay@3.0.0"
    assert question.parameters()["draft"] == question.draft.digest


def test_a_broken_draft_names_its_place(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("id: [", "utf-8")
    with pytest.raises(BrokenRulebook, match=r"d\.yaml:\d+:\d+: "):
        question_of(["2026-10"], [], str(tmp_path / "d.yaml"), None, None, [], [])


def test_every_text_that_is_no_period_is_listed() -> None:
    with pytest.raises(Invalid) as caught:
        question_of(["bad", "2026-10", "worse"], [], None, None, None, [], [])
    first, second = caught.value.reasons
    assert ("'bad'" in first.text.en, "'worse'" in second.text.en) == (True, True)


@pytest.mark.parametrize("text", ["nokey", "", ":1", "crm:", "c r m:1"])
def test_a_key_is_source_and_number(text: str) -> None:
    with pytest.raises((Declined, BadIdentifier)):
        key_of(text)
    assert key_of("crm:sale-1") == ("crm", "sale-1")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MeritError, match="no\\."):
        question_of(["2026-10"], [], str(tmp_path / "no.yaml"), None, None, [], [])
