"""A rulebook as it is read: its parts, its steps written out, and what people call them."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import pytest

from domain.identifiers import Month
from domain.rulebook.checks import check
from domain.rulebook.model import load, text_digest
from domain.rulebook.source import BrokenRulebook, Location
from tests.rules import given, program, text_of

EACH = """
id: small
version: 1.0.0
title: {zh: 小, en: Small}
source: {zh: 试, en: Test}
period: month
effective_from: 2026-10
roles: [seller, helper]
steps:
  - step: "score.{k}"
    each: {k: {a: {zh: 甲, en: first}, b: {zh: 乙, en: second}}}
    label: {zh: "得分：{k}", en: "Score: {k}"}
    unit: ratio
    clause: 一
    value: "1 + grade * oops_{k}"
  - step: "c.{n}"
    each: {n: [one, two]}
    label: {zh: "{n} 号", en: "number {n}"}
    unit: ratio
    clause: 二
    value: "1"
"""


def test_figures_are_exact_and_months_are_months() -> None:
    book, _ = load(
        text_of({"x ratio": "1"}, parameters={"p ratio": "0.10"}, effective_from="2026-10")
    )
    assert book.parameters["p"].value.as_tuple() == Decimal("0.10").as_tuple()
    assert book.effective_from == Month(2026, 10)


def test_steps_with_each_are_written_out_for_each_value() -> None:
    book, _ = load(EACH)
    assert [step.step for step in book.steps] == ["score.a", "score.b", "c.one", "c.two"]
    assert [step.label.zh for step in book.steps] == ["得分：甲", "得分：乙", "one 号", "two 号"]
    assert [step.label.en for step in book.steps] == [
        "Score: first",
        "Score: second",
        "number one",
        "number two",
    ]
    assert book.steps[1].value == "1 + grade * oops_b"


def test_a_mistake_in_a_step_that_was_written_out_points_to_where_it_was_written() -> None:
    with pytest.raises(BrokenRulebook) as broken:
        check(EACH)
    assert [(p.location, p.text.en) for p in broken.value.problems] == [
        (Location(15, 25), "there is no oops_a"),
        (Location(15, 25), "there is no oops_b"),
    ]


def test_what_a_rulebook_is_for() -> None:
    book, _ = load(EACH)
    assert book.roles == ("seller", "helper")
    assert not book.is_for_everyone
    assert not book.pays
    everyone = program({"pay yuan": "1"}).rulebook
    assert everyone.is_for_everyone
    assert everyone.pays
    assert everyone.roles == ("everyone",)


def test_which_items_a_rulebook_reads() -> None:
    labels = {"a": {"zh": "甲", "en": "a"}, "b": {"zh": "乙", "en": "b"}}
    book = program(
        {"x ratio": "1"},
        inputs={
            "sales": given("sale", "piece", items=labels),
            "target": given("measure", "piece", item="target.{item}", items=labels),
            "coefficient": given("measure", item="c.<industry>"),
            "level": given("attribute", "text"),
            "renamed": given("rating", "score", item="score"),
        },
    ).rulebook
    sales, targets = (
        {("sale", "a"), ("sale", "b")},
        {("measure", "target.a"), ("measure", "target.b")},
    )
    assert book.items_read == sales | targets | {("measure", "c.*"), ("rating", "score")}
    assert book.find_input("sales.a") == (book.inputs["sales"], "a")
    assert book.find_input("level") == (book.inputs["level"], None)
    assert book.find_input("sales.z") is None
    assert book.find_input("sales.a.b") is None
    assert book.find_input("other.a") is None


def test_everything_has_a_label() -> None:
    labels = {"a": {"zh": "甲", "en": "first"}}
    book = program(
        {"x ratio": "1", "g.a ratio": "1", "g.b ratio": "2"},
        inputs={"sales": given("sale", "piece", items=labels)},
        tables={"t": {"columns": {"low": "ratio"}, "rows": {"1": {"low": "1"}}}},
        parameters={"cap point": "1"},
    ).rulebook
    shown = {
        name: book.label_of(name).en
        for name in ("x", "sales", "sales.a", "t", "t.low", "cap", "grade", "g", "zzz")
    }
    assert shown == {
        "x": "the x",
        "sales": "the sales",
        "sales.a": "first",
        "t": "the t",
        "t.low": "the t",
        "cap": "the cap",
        "grade": "grade",
        "g": "the g.a",
        "zzz": "zzz",
    }


def test_a_flag_that_a_row_does_not_have_is_0() -> None:
    rows = {"1": {"share": "0.4", "barred": "1"}, "2": {"share": "0.6"}}
    book = program(
        {"x ratio": "1"},
        tables={"t": {"columns": {"share": "ratio", "barred": "flag"}, "rows": rows}},
    ).rulebook
    assert book.tables["t"].column("barred") == {"1": Decimal(1), "2": Decimal(0)}
    single = program({"x ratio": "1"}, tables={"t": {"unit": "ratio", "rows": {"1": "5"}}}).rulebook
    assert single.tables["t"].column("") == {"1": Decimal(5)}


def test_a_text_has_the_digest_of_its_bytes() -> None:
    assert text_digest("弹性") == hashlib.sha256("弹性".encode()).hexdigest()


def test_all_mistakes_of_shape_are_named_at_once() -> None:
    text = text_of(
        {"x ratio": "1"},
        parameters={"p ratio": "many"},
        inputs={"i": given("sales")},
        period="week",
    )
    with pytest.raises(BrokenRulebook) as broken:
        load(text)
    assert [p.text.en.split(" ")[0] for p in broken.value.problems] == ["period", "'many'", "read"]
