"""Templates of steps: one for every value, or for every node and leaf of a weighted tree."""

from __future__ import annotations

import pytest

from domain.rulebook.checks import check
from domain.rulebook.model import Step, load
from domain.rulebook.source import BrokenRulebook, Location
from tests.rules import figures, found, run, warned

HEAD = """
id: small
version: 1.0.0
title: {zh: 小, en: Small}
source: {zh: 试, en: Test}
period: month
effective_from: 2026-10
roles: everyone
"""
EACH = (
    HEAD
    + """steps:
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
    clause: "二 {n}"
    value: "1"
"""
)
TREE = (
    HEAD
    + """inputs:
  ratings:
    label: {zh: 评价, en: Ratings}
    unit: score
    read: rating
    low: 0
    high: 100
    items: {speed: {zh: 速度, en: Speed}, care: {zh: 用心, en: Care}, sales: {zh: 销售, en: Sales}}
steps:
  - tree:
      total: {service: 0.75, sales: 0.25}
      service: {speed: 0.4, care: 0.6}
    leaves: ratings
    labels: {total: {zh: 总分, en: Total}, service: {zh: 服务, en: Service}, \
care: {zh: 细心, en: Diligence}}
    clauses: {service: 二, care: 三}
    unit: score
    clause: 一
  - {step: half, label: {zh: 半, en: Half}, unit: score, clause: 四, value: "round(total / 2, 0)"}
"""
)
NODES = TREE[TREE.index("      total:") : TREE.index("    leaves:")]
PEOPLE = {
    "A": {"ratings": {"speed": "90", "care": "80", "sales": "60"}},
    "B": {"ratings": {"speed": "90", "care": "80"}},
}


def steps(text: str) -> dict[str, Step]:
    return {step.step: step for step in load(text)[0].steps}


def mistakes(text: str) -> list[tuple[Location, str]]:
    with pytest.raises(BrokenRulebook) as broken:
        check(text)
    return [(problem.location, problem.text.en) for problem in broken.value.problems]


# each


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
    assert [step.clause for step in book.steps] == ["一", "一", "二 one", "二 two"]
    assert book.steps[1].value == "1 + grade * oops_b"


def test_a_mistake_in_a_step_that_was_written_out_points_to_where_it_was_written() -> None:
    assert mistakes(EACH) == [
        (Location(15, 25), "there is no oops_a"),
        (Location(15, 25), "there is no oops_b"),
    ]


def test_each_value_is_a_step_of_its_own_even_where_it_is_written_twice() -> None:
    text = EACH.replace(" * oops_{k}", "").replace("[one, two]", "[one, two, one]")
    assert mistakes(text) == [(Location(16, 12), "the name c.one is taken")]


# trees


def test_every_node_and_leaf_is_a_step_parts_before_what_they_are_parts_of() -> None:
    assert {name: step.value for name, step in steps(TREE).items()} == {
        "speed": "ratings.speed",
        "care": "ratings.care",
        "service": "0.4 * speed + 0.6 * care",
        "sales": "ratings.sales",
        "total": "0.75 * service + 0.25 * sales",
        "half": "round(total / 2, 0)",
    }
    assert list(steps(TREE)) == ["speed", "care", "service", "sales", "total", "half"]


def test_the_order_of_the_nodes_below_the_root_does_not_matter() -> None:
    first, second = NODES.splitlines(keepends=True)
    deeper = "      care: {sales: 1}\n"
    unlabelled = TREE.replace(
        "sales: {zh: 销售, en: Sales}", "sales: {zh: 销售, en: Sales}"
    ).replace("care: {zh: 用心, en: Care}, ", "")
    three = first.replace("{service: 0.75, sales: 0.25}", "{service: 1}")
    one_way = unlabelled.replace(NODES, three + second + deeper)
    other_way = unlabelled.replace(NODES, three + deeper + second)
    assert (
        list(steps(one_way))
        == list(steps(other_way))
        == ["speed", "sales", "care", "service", "total", "half"]
    )


def test_a_step_of_a_tree_is_called_as_labels_say_else_as_the_item_is() -> None:
    named = {name: (step.label.zh, step.label.en) for name, step in steps(TREE).items()}
    assert named["total"] == ("总分", "Total")
    assert named["service"] == ("服务", "Service")
    assert named["care"] == ("细心", "Diligence")
    assert named["speed"] == ("速度", "Speed")


def test_a_step_of_a_tree_has_the_clause_that_clauses_give_it_else_the_tree_s() -> None:
    assert {name: step.clause for name, step in steps(TREE).items()} == {
        "speed": "一", "care": "三", "service": "二", "sales": "一", "total": "一", "half": "四",
    }  # fmt: skip


def test_a_tree_adds_up_by_its_weights() -> None:
    evaluation = run(check(TREE), PEOPLE)
    assert figures(evaluation, "service") == {"A": "84", "B": "84"}  # 0.4 × 90 + 0.6 × 80
    assert figures(evaluation, "total") == {"A": "78", "B": "63"}  # 63 + 0.25 × 60
    assert figures(evaluation, "half") == {"A": "39", "B": "32"}  # 31.5


def test_a_missing_or_wrong_value_is_found_at_its_leaf() -> None:
    evaluation = run(
        check(TREE), {**PEOPLE, "C": {"ratings": {"speed": "100.1", "care": "80", "sales": "60"}}}
    )
    assert warned(evaluation) == {("B", "missing_rating", "sales")}
    assert found(evaluation) == {("C", "out_of_bounds", "speed", "ratings.speed")}


def test_a_tree_may_be_as_deep_as_it_is_long() -> None:
    count = 3000
    nodes = {f"n{i}": f"{{n{i + 1}: 1}}" for i in range(count)} | {
        f"n{count}": "{speed: 0.2, care: 0.3, sales: 0.5}"
    }
    tree = "".join(f"      {node}: {parts}\n" for node, parts in nodes.items())
    labels = ", ".join(f"{node}: {{zh: 点, en: Node}}" for node in nodes)
    text = TREE[: TREE.index("    clauses:")] + "    unit: score\n    clause: 一\n"
    text = text.replace(NODES, tree).replace(
        text[text.index("labels: {") :].split("\n")[0], f"labels: {{{labels}}}"
    )
    assert list(steps(text)) == ["speed", "care", "sales", *reversed(nodes)]


def test_a_mistake_in_a_step_of_a_tree_points_to_the_tree() -> None:
    assert mistakes(TREE.replace("total:", "team:").replace("round(total", "round(team")) == [
        (Location(18, 5), "team is reserved in the rule language: choose another name")
    ]


def test_a_mistake_in_a_step_after_a_tree_points_to_that_step() -> None:
    assert mistakes(TREE.replace("round(total", "round(totals")) == [
        (Location(26, 82), "there is no totals: did you mean total?")
    ]


def test_all_mistakes_of_a_tree_are_named_at_once() -> None:
    broken = TREE.replace("{service: 0.75, sales: 0.25}", "{service: 0.7, speed: 0.2}").replace(
        "service: {speed: 0.4, care: 0.6}", "service: {speed: 0.4, cares: 0.6}"
    )
    assert mistakes(broken) == [
        (Location(19, 7), "care is not part of any node"),
        (Location(19, 7), "sales is not part of any node"),
        (Location(19, 14), "the weights of the parts of total must be above 0 and add up to 1"),
        (Location(20, 24), "speed is part of something else already"),
        (Location(20, 36), "cares is neither a node nor an item of leaves"),
    ]


def test_every_node_of_a_detached_cycle_is_named() -> None:
    cycle = NODES + "      x: {y: 1}\n      y: {x: 1}\n"
    labels = "labels: {x: {zh: 甲, en: X}, y: {zh: 乙, en: Y}, "
    assert mistakes(TREE.replace(NODES, cycle).replace("labels: {", labels)) == [
        (Location(19, 7), "x is not part of any node"),
        (Location(19, 7), "y is not part of any node"),
    ]


def test_nothing_is_a_leaf_where_leaves_names_no_group() -> None:
    told = ["care", "sales", "speed"]
    for leaves in ("half", "total", "[ratings]"):
        found_there = {
            words.split(" ")[0]
            for _, words in mistakes(TREE.replace("leaves: ratings", f"leaves: {leaves}"))
        }
        assert sorted(found_there) == told


def each(values: str, value: str) -> str:
    label = "label: {zh: 甲, en: x}\n    unit: ratio\n    clause: 一\n"
    return (
        HEAD
        + f"steps:\n  - each: {{k: {values}}}\n    step: x.{{k}}\n    {label}    value: '{value}'\n"
    )


@pytest.mark.parametrize(
    ("values", "value"),
    [
        (f"[{'a' * 2000}]", "{k}" * 2000),
        (f"{{a: {{zh: 甲, en: {'b' * 2000}}}}}", "{k}" * 2000),
        (f"[{', '.join('a' * 2000)}]", "1" * 2000),
    ],
)
def test_what_would_be_written_out_into_millions_of_characters_is_refused(
    values: str, value: str
) -> None:
    (told,) = mistakes(each(values, value))
    assert told[0] == Location(10, 11)
    assert "over 1,000,000 characters" in told[1]


def test_the_steps_that_are_written_out_are_counted_together() -> None:
    one = each(f"[{', '.join(f'a{n}' for n in range(400))}]", "1" * 2000)
    assert "digits" in mistakes(one)[0][1]
    step = one[one.index("  - each") :]
    (told,) = mistakes(one + step.replace("x.{k}", "y.{k}"))
    assert "over 1,000,000 characters" in told[1]


def test_a_tree_is_written_out_no_further_than_that_either() -> None:
    (told,) = mistakes(
        TREE.replace("    clauses:", f"    condition: {'x' * 200_000}\n    clauses:")
    )
    assert told[0] == Location(19, 5) or "over 1,000,000 characters" in told[1]
    assert "over 1,000,000 characters" in told[1]
