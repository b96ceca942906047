"""Every finding and warning has words in both languages that name what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import domain.evaluation
from domain.evaluation.messages import FINDINGS, WARNINGS, finding_text, warning_text
from tests.rules import given, label, program

RULES = program(
    {"x ratio": "m"},
    inputs={
        "m": given("measure", of="branch", item="gs.<industry>"),
        "g": given(
            "measure",
            "piece",
            of="team",
            item="target.{item}",
            items={"a": {"zh": "甲项", "en": "item A"}},
        ),
        "r": given("rating", "score", items={"a": {"zh": "乙项", "en": "item B"}}),
    },
).rulebook


def codes_in_the_code() -> set[str]:
    sources = "".join(
        file.read_text("utf-8") for file in Path(domain.evaluation.__path__[0]).glob("*.py")
    )
    reasons = re.findall(
        r'(?:reason_number|poisoned_column|PoisonReason|Fault)\(\s*"(\w+)"', sources
    )
    listed = re.findall(
        r'"(fractional_cents|uneven_pool|negative_weight|out_of_bounds|not_positive)"', sources
    )
    return {
        *reasons,
        *listed,
        "missing_measure",
        "missing_rating",
        "missing_statement",
        "bad_attribute",
    }


def test_every_code_of_a_finding_has_its_words() -> None:
    assert codes_in_the_code() - {""} == set(FINDINGS)


@pytest.mark.parametrize("code", sorted(FINDINGS))
def test_a_finding_names_person_step_and_matter_in_both_languages(code: str) -> None:
    text = finding_text(code, "M1", "x", "r.a", RULES)
    assert text.zh.startswith("M1「《x》」：")
    assert text.en.startswith("M1, the x: ")
    assert "{" not in text.zh + text.en
    if "{about}" in FINDINGS[code].en:
        assert "乙项" in text.zh
        assert "item B" in text.en


@pytest.mark.parametrize(
    ("about", "code"),
    [("m", "gs.<industry>"), ("g.a", "target.a"), ("r.a", "a"), ("unheard_of", "unheard_of")],
)
def test_a_finding_names_the_item_code_of_the_entries(about: str, code: str) -> None:
    assert (
        f"record {code} for the month"
        in finding_text("missing_measure", "M1", "x", about, RULES).en
    )
    assert (
        f"请录入该月的 {code} 后重算" in finding_text("missing_measure", "M1", "x", about, RULES).zh
    )


@pytest.mark.parametrize("code", sorted(WARNINGS))
def test_a_warning_has_words_in_both_languages(code: str) -> None:
    text = warning_text(code, "x", RULES)
    assert "{" not in text.zh + text.en
    assert ("《x》" in text.zh) == ("{about}" in WARNINGS[code].zh)


def test_a_warning_of_the_rulebook_says_what_the_rulebook_says() -> None:
    rules = program({"x ratio": "1"}, warnings={"no_peers": label("no peers")}).rulebook
    assert warning_text("no_peers", "x", rules) == ("《no peers》", "the no peers")
