"""The statement of each person, what refuses a branch, and the digest of the result."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.evaluation import statements
from domain.evaluation.statements import (
    Statement,
    digest_of,
    findings_of,
    refused_branches,
    statements_of,
)
from tests.rules import given as reads
from tests.rules import program, run

RULES = program(
    {"?x ratio": "a", "y ratio": "round(1 / b, 2)", "z score": "r", "w text": "team"},
    inputs={
        "a": reads("measure", missing="absent"),
        "b": reads("measure"),
        "r": reads("rating", "score", high="100"),
    },
)
PEOPLE = {
    "M2": {"branch": "B", "team": "T", "a": "1", "b": "4", "r": "50"},
    "M1": {"branch": "B", "team": "U", "b": "3"},
    "M3": {"branch": "C", "b": "0", "r": "101"},
    "M4": {"branch": "C", "b": "0", "r": "1"},
}


def test_statements_are_ordered_by_branch_and_id_and_have_their_present_steps() -> None:
    made = statements_of(run(RULES, PEOPLE))
    assert made == [
        Statement(
            "M1",
            "B",
            "U",
            {"y": "0.33", "z": "0", "w": "U"},
            (statements.Warning("missing_rating", "z", "r"),),
        ),
        Statement("M2", "B", "T", {"x": "1", "y": "0.25", "z": "50", "w": "T"}, ()),
    ]
    assert made[0].as_json() == {
        "manager": "M1",
        "team": "U",
        "steps": {"y": "0.33", "z": "0", "w": "U"},
        "warnings": [{"code": "missing_rating", "step": "z", "about": "r"}],
    }


def test_a_refused_branch_has_findings_by_person_and_step_and_no_statement() -> None:
    evaluation = run(RULES, PEOPLE)
    assert refused_branches(evaluation) == {1}
    assert findings_of(evaluation, "B", str) == []
    findings = findings_of(evaluation, "C", str)
    assert [(f.code, f.manager, f.step, f.entry) for f in findings] == [
        ("division_by_zero", "M3", "y", None),
        ("out_of_bounds", "M3", "z", None),
        ("division_by_zero", "M4", "y", None),
    ]
    assert findings[1].text.zh == "M3「《z》」：「《r》」超出办法规定的范围；请冲销并更正"
    assert (
        findings[1].text.en
        == "M3, the z: “the r” is outside the bounds the rulebook states; reverse and correct it"
    )


def test_a_finding_names_the_entry_at_its_position() -> None:
    evaluation = run(RULES, {"M1": {"b": "1", "r": "101"}})
    (finding,) = evaluation.findings
    evaluation.findings = [type(finding)(finding.row, finding.step, finding.reason, 17)]
    (named,) = findings_of(evaluation, "B", lambda position: f"crm:{position}")
    assert named.entry == "crm:17"


STATEMENT = Statement("M1", "B01", "T", {"pay": "1.5", "甲": "优"}, ())


def test_the_digest_is_that_of_the_canonical_document() -> None:
    document = (
        '{"branch":"B01","period":"2026-10","rulebook":"r","statements":[{"manager":"M1",'
        '"steps":{"pay":"1.5","甲":"优"},"team":"T","warnings":[]}],"version":"1.0.0"}'
    )
    assert (
        digest_of("r", "1.0.0", "2026-10", "B01", [STATEMENT])
        == hashlib.sha256(document.encode()).hexdigest()
    )


def test_the_digest_changes_with_everything_that_it_pins() -> None:
    named = ("r", "1.0.0", "2026-10", "B01")
    whole = digest_of(*named, [STATEMENT])
    for place in range(4):
        other = [*named[:place], "other", *named[place + 1 :]]
        assert digest_of(*other, [STATEMENT]) != whole
    changed = (
        Statement("M2", "B01", "T", STATEMENT.steps, ()),
        Statement("M1", "B01", "U", STATEMENT.steps, ()),
        Statement("M1", "B01", "T", {**STATEMENT.steps, "pay": "1.6"}, ()),
        Statement("M1", "B01", "T", STATEMENT.steps, (statements.Warning("tie", "a", "b"),)),
    )
    assert all(digest_of(*named, [statement]) != whole for statement in changed)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF))


@settings(max_examples=300)
@given(
    st.recursive(
        TEXTS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=20
    )
)
def test_documents_of_texts_with_names_of_the_basic_plane_are_written_as_rfc_8785_asks(
    document: Any,
) -> None:
    assert orjson.dumps(document, option=orjson.OPT_SORT_KEYS) == rfc8785.dumps(document)


def test_beyond_the_basic_plane_the_two_would_sort_names_differently() -> None:
    document = {"\ufa0e": "", "\U00020000": ""}  # which is why a rulebook's names keep to it
    assert orjson.dumps(document, option=orjson.OPT_SORT_KEYS) != rfc8785.dumps(document)
