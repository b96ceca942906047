"""Formulas in words: every kind of expression, in both languages, with its brackets."""

from __future__ import annotations

import pytest

from domain.evaluation.wording import SUM, in_words
from domain.rulebook.expressions import parse

LABELS = {
    "a": ("甲", "A"),
    "b": ("乙", "B"),
    "c": ("丙", "C"),
    "t": ("表", "table"),
    "on": ("在岗", "on duty"),
}


def words(expression: str, language: str) -> str:
    return in_words(parse(expression), language, lambda name: LABELS[name][language == "en"])


@pytest.mark.parametrize(
    ("expression", "zh", "en"),
    [
        ("a + b - c", "甲 + 乙 − 丙", "A + B − C"),
        ("a - (b - c)", "甲 − (乙 − 丙)", "A − (B − C)"),
        ("a - b - c", "甲 − 乙 − 丙", "A − B − C"),
        ("a * (b + c)", "甲 × (乙 + 丙)", "A × (B + C)"),
        ("a * b + c", "甲 × 乙 + 丙", "A × B + C"),
        ("a <= b and not on", "甲 ≤ 乙 且 非 在岗", "A ≤ B and not on duty"),
        ("a < 1.50 or a != b", "甲 < 1.5 或 甲 ≠ 乙", "A < 1.5 or A ≠ B"),
        (
            "(a > b or a == b) and on",
            "(甲 > 乙 或 甲 = 乙) 且 在岗",
            "(A > B or A = B) and on duty",
        ),
        ("round(a / b, 2)", "甲 ÷ 乙（四舍五入，2 位小数）", "A ÷ B (half up, 2 places)"),
        (
            "round((a + b) / (a * c), 0)",
            "(甲 + 乙) ÷ (甲 × 丙)（四舍五入，0 位小数）",
            "(A + B) ÷ (A × C) (half up, 0 places)",
        ),
        ("round(a * b, 2)", "甲 × 乙（四舍五入，2 位小数）", "A × B (half up, 2 places)"),
        ("min(a, b)", "取较小者（甲，乙）", "the smaller of (A, B)"),
        (
            "max(min(a, 8000), 0)",
            "取较大者（取较小者（甲，8000），0）",
            "the greater of (the smaller of (A, 8000), 0)",
        ),
        ("floor(a)", "甲 取整（舍去小数）", "A rounded down to a whole number"),
        ("lookup(t, a)", "查《表》：甲", "look up A in “table”"),
        ("sumproduct(a, t)", "Σ（甲 × 《表》）", "Σ (A × “table”)"),
        ("a if on else none", "若 在岗，则 甲；否则 无", "A if on duty, otherwise none"),
        ("otherwise(a, b)", "甲（没有时取 乙）", "A (or B where there is none)"),
        ("has(a)", "有「甲」", "there is “A”"),
        ("sum(a)", "甲 各项合计", "total of A"),
        ("mean(a)", "甲 各项平均（四舍五入，6 位小数）", "mean of A (half up, 6 places)"),
        (
            "mean(a, weights=t) + b",
            "(甲 各项平均（四舍五入，6 位小数）（按《表》加权）) + 乙",
            "(mean of A (half up, 6 places) (weighted by “table”)) + B",
        ),
        ("round(a + b, 2)", "(甲 + 乙)（四舍五入，2 位小数）", "(A + B) (half up, 2 places)"),
        (
            "a * round(b / c, 2)",
            "甲 × (乙 ÷ 丙（四舍五入，2 位小数）)",
            "A × (B ÷ C (half up, 2 places))",
        ),
        (
            "otherwise(a + b, c) * 2",
            "((甲 + 乙)（没有时取 丙）) × 2",
            "((A + B) (or C where there is none)) × 2",
        ),
        (
            "otherwise(a, 0, warn='missing_rating')",
            "甲（没有时取 0）（并提示）",
            "A (or 0 where there is none) (with a note)",
        ),
        (
            "refuse('not_positive') if a <= 0 else a",
            "若 甲 ≤ 0，则 不予结算（须大于规定的下限）；否则 甲",
            "refused (not above the lower bound) if A ≤ 0, otherwise A",
        ),
        ("sum(a, team)", "班组内 甲 合计", "total of A over the team"),
        (
            "mean(a, branch, where=on)",
            "分公司内 甲 平均（四舍五入，6 位小数）（限 在岗）",
            "mean of A over the branch (half up, 6 places) (where on duty)",
        ),
        ("count(branch)", "分公司人数", "people of the branch"),
        (
            "rank(a, branch, then=b, fixed_by=c)",
            "甲 在分公司内从高到低的名次（相同再按 乙）（丙 齐备时以其为准）",
            "place by A within the branch, highest first (then by B) (or C where everyone has one)",
        ),
        (
            "distribute(a, t, branch, barred=on)",
            "按排名强制分布于《表》（在岗 者不入禁入档）",
            "forced distribution over “table” by rank (closed tiers pass over on duty)",
        ),
        (
            "share(a, b, branch)",
            "总额 甲 按 乙 占分公司合计的比例分配到分（先舍去，余分归余数最大者），分毫不差",
            (
                "the pool A shared by B over the branch in whole cents (rounded down, the cents "
                "left over to the largest remainders), exactly"
            ),
        ),
    ],
)
def test_an_expression_is_read_aloud(expression: str, zh: str, en: str) -> None:
    assert (words(expression, "zh"), words(expression, "en")) == (zh, en)


def test_a_special_wording_goes_before_the_phrase() -> None:
    node = parse("max(sum(a), 1)")
    shown = in_words(
        node, "zh", lambda _: "?", lambda call: ("1 + 2", SUM) if call.function == "sum" else None
    )
    assert shown == "取较大者（1 + 2，1）"


def test_a_total_in_figures_gets_its_brackets() -> None:
    shown = in_words(
        parse("a * sum(b) - sum(c)"),
        "zh",
        lambda _: "9",
        lambda call: ("1 + 2", SUM) if call.function == "sum" else None,
    )
    assert shown == "9 × (1 + 2) − (1 + 2)"


def test_a_template_in_a_label_is_left_alone() -> None:
    assert (
        in_words(parse("a + b"), "en", lambda name: "{0} {all}" if name == "a" else "B")
        == "{0} {all} + B"
    )
