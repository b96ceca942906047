"""What a revision changes, told by steps, tables and clauses."""

from __future__ import annotations

from typing import Any

from domain.rulebook.differences import find_changes
from domain.rulebook.model import load
from tests.rules import given, text_of

STEPS = {"a ratio": "1", "b ratio": "a + rate", "c ratio": "lookup(t, grade) + sum(g)"}
PARTS: dict[str, Any] = {
    "parameters": {"rate ratio": "0.50"},
    "tables": {"t": {"unit": "ratio", "rows": {"5": "10", "6": "20"}}},
    "inputs": {"g": given("sale", "ratio", items={"p": {"zh": "品", "en": "p"}})},
}


def changes(steps: dict[str, str], **parts: Any) -> list[tuple[str, str, str, tuple[Any, ...]]]:
    old, _ = load(text_of(STEPS, **PARTS))
    new, _ = load(text_of(steps, **(PARTS | parts)))
    return [(c.part, c.name, c.change, c.fields) for c in find_changes(old, new)]


def test_equal_rules_do_not_differ_however_their_figures_are_written() -> None:
    assert changes(STEPS) == []
    assert changes(STEPS, parameters={"rate ratio": "0.5"}) == []


def test_a_changed_figure_has_before_and_after_label_and_clause() -> None:
    assert changes(STEPS, parameters={"rate ratio": "0.6"}) == [
        ("parameter", "rate", "changed", (("value", "0.5", "0.6"),))
    ]
    old, _ = load(text_of(STEPS, **PARTS))
    new, _ = load(text_of(STEPS, **(PARTS | {"parameters": {"rate ratio": "0.6"}})))
    (change,) = find_changes(old, new)
    assert (change.label, change.clause) == (("《rate》", "the rate"), "一")
    assert change.as_json()["fields"] == [{"field": "value", "before": "0.5", "after": "0.6"}]


def test_windows_and_days_of_the_cycle_are_compared_one_by_one() -> None:
    assert changes(STEPS, cycle={"paid": "25", "objection_days": "7"}) == [
        ("cycle", "objection_days", "added", ()),
        ("cycle", "paid", "added", ()),
    ]


def test_rows_of_a_table_are_compared_one_by_one() -> None:
    table = {"t": {"unit": "ratio", "rows": {"5": "10", "6": "21", "7": "30"}}}
    assert changes(STEPS, tables=table) == [
        ("table", "t", "changed", (("rows.6", "20", "21"), ("rows.7", None, "30"))),
    ]


def test_an_items_label_and_an_inputs_bounds_are_compared() -> None:
    wider = {"g": given("sale", "ratio", items={"p": {"zh": "品种", "en": "p"}}, high="9")}
    assert changes(STEPS, inputs=wider) == [
        ("input", "g", "changed", (("items.p.zh", "品", "品种"), ("high", None, "9")))
    ]


def test_steps_come_go_and_change_their_formula() -> None:
    steps = {"a ratio": "2", "c ratio": STEPS["c ratio"], "d ratio": "rate"}
    assert changes(steps) == [
        ("step", "a", "changed", (("value", "1", "2"),)),
        ("step", "d", "added", ()),
        ("step", "b", "removed", ()),
    ]


def test_a_step_in_another_place_has_moved_and_its_neighbours_have_not() -> None:
    steps = {"c ratio": STEPS["c ratio"], "a ratio": "1", "b ratio": STEPS["b ratio"]}
    assert changes(steps) == [("step", "c", "moved", ())]


def test_the_head_is_compared_by_its_fields() -> None:
    assert changes(STEPS, version="1.1.0", effective_from="2026-11", roles=["agent"]) == [
        ("head", "version", "changed", (("version", "1.0.0", "1.1.0"),)),
        ("head", "effective_from", "changed", (("effective_from", "2000-01", "2026-11"),)),
        ("head", "roles", "changed", (("roles", "everyone", "agent"),)),
    ]


def test_notes_warnings_and_examples_are_parts_of_their_own() -> None:
    told = changes(
        STEPS,
        notes=[{"clause": "一", "zh": "原文未写", "en": "The source is silent"}],
        warnings={"odd": {"zh": "奇", "en": "odd"}},
        examples=[{"name": "甲", "people": {"M": {}}, "expect": {"M": {"a": "1"}}}],
    )
    assert [(part, name, change) for part, name, change, _ in told] == [
        ("note", "一 原文未写", "added"),
        ("warning", "odd", "added"),
        ("example", "甲", "added"),
    ]
