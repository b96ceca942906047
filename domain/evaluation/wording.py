"""Formulas in words: an expression as an auditor reads it aloud, with labels or with one person's
figures.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.errors import Text
from domain.numbers import plain
from domain.rulebook.expressions import (
    Binary,
    Call,
    Choice,
    Comparison,
    Logical,
    Name,
    Node,
    Number,
    Quotient,
    Words,
)

SIGNS = {
    "<": "<",
    "<=": "≤",
    ">": ">",
    ">=": "≥",
    "==": "=",
    "!=": "≠",
    "+": "+",
    "-": "−",
    "*": "×",
}
JOINERS = {"and": Text(" 且 ", " and "), "or": Text(" 或 ", " or ")}
FIXED = {
    "branch": Text("分公司", "the branch"),
    "team": Text("班组", "the team"),
    "none": Text("无", "none"),
}
PHRASES = {  # {0}, {1}, … are the arguments
    "min": Text("取较小者（{all}）", "the smaller of ({all})"),
    "max": Text("取较大者（{all}）", "the greater of ({all})"),
    "floor": Text("{0} 取整（舍去小数）", "{0} rounded down to a whole number"),
    "lookup": Text("查《{0}》：{1}", "look up {1} in “{0}”"),
    "sumproduct": Text("Σ（{0} × 《{1}》）", "Σ ({0} × “{1}”)"),
    "has": Text("有「{0}」", "there is “{0}”"),
    "otherwise": Text("{0}（没有时取 {1}）", "{0} (or {1} where there is none)"),
    "tenure": Text("自 {0} 至期末的月数", "months from {0} to the period's end"),
    "distribute": Text("按排名强制分布于《{1}》", "forced distribution over “{1}” by rank"),
    "share": Text(
        "总额 {0} 按 {1} 占{2}合计的比例分配，分毫不差",
        "the pool {0} shared by {1} over {2}, exactly",
    ),
    "count": Text("{0}人数", "people of {0}"),
    "rank": Text("{0} 在{1}内从高到低的名次", "place by {0} within {1}, highest first"),
}
WITHIN = {
    "sum": Text("{1}内 {0} 合计", "total of {0} over {1}"),
    "mean": Text("{1}内 {0} 平均", "mean of {0} over {1}"),
}
ITEMS = {"sum": Text("{0} 各项合计", "total of {0}"), "mean": Text("{0} 各项平均", "mean of {0}")}
OPTIONS = {
    "where": Text("（限 {0}）", " (where {0})"),
    "by": Text("（按 {0} 分组）", " (by {0})"),
    "then": Text("（相同再按 {0}）", " (then by {0})"),
    "fixed_by": Text("（{0} 齐备时以其为准）", " (or {0} where everyone has one)"),
    "barred": Text("（{0} 者不入禁入档）", " (closed tiers pass over {0})"),
    "each": Text("（每个班组计一次）", " (each team once)"),
    "warn": Text("", ""),
}


Shown = Callable[[str], str]
Special = Callable[[Call], str | None]
OUTERMOST = -1
STRENGTH = {"+": 1, "-": 1, "*": 2}


def in_words(node: Node, language: str, show: Shown, special: Special | None = None) -> str:
    """The expression in `zh` or `en`; `show` gives the words (or the figure) for a name.

    `special` may word a call in its own way, such as by the figures behind a total; None leaves it
    to the phrase.
    """
    return _Wording(language, show, special).of(node, OUTERMOST)


class _Wording:
    def __init__(self, language: str, show: Shown, special: Special | None) -> None:
        self.language, self.show, self.special = language, show, special

    def phrase(self, zh: str, en: str, *parts: object) -> str:
        return Text(zh, en).in_language(self.language).format(*parts)

    def of(self, node: Node, parent: int = 0) -> str:
        """The words; in brackets where a neighbour of strength `parent` would part them."""
        match node:
            case Number():
                return plain(node.value)
            case Words():
                return f"“{node.value}”"
            case Name():
                known = FIXED.get(node.name)
                return known.in_language(self.language) if known else self.show(node.name)
            case Quotient():
                zh, en = "{0} ÷ {1}（四舍五入，{2} 位小数）", "{0} ÷ {1} (half up, {2} places)"
                return self.phrase(
                    zh, en, self.of(node.dividend, 2), self.of(node.divisor, 3), node.places
                )
            case Call():
                return (self.special and self.special(node)) or self.call(node)
        text, strength = self.joined(node)
        return f"({text})" if strength < parent else text

    def joined(self, node: Node) -> tuple[str, int]:
        match node:
            case Binary():
                strength = STRENGTH[node.operator]
                right = self.of(node.right, strength + (node.operator == "-"))
                return f"{self.of(node.left, strength)} {SIGNS[node.operator]} {right}", strength
            case Comparison():
                return f"{self.of(node.left, 1)} {SIGNS[node.operator]} {self.of(node.right, 1)}", 0
            case Logical(operator="not"):
                return self.phrase("非 {0}", "not {0}", self.of(node.parts[0], 1)), 0
            case Logical():
                return JOINERS[node.operator].in_language(self.language).join(
                    self.of(p) for p in node.parts
                ), -1
            case Choice():
                parts = self.of(node.then), self.of(node.condition), self.of(node.otherwise)
                return self.phrase(
                    "若 {1}，则 {0}；否则 {2}", "{0} if {1}, otherwise {2}", *parts
                ), -1
        raise AssertionError(node)

    def call(self, node: Call) -> str:
        arguments = [self.of(argument) for argument in node.arguments]
        if (
            node.function == "otherwise"
            and isinstance(node.arguments[1], Name)
            and node.arguments[1].name == "none"
        ):
            return self.phrase(
                "{0}（没有则空缺）", "{0} (nothing where there is none)", arguments[0]
            )
        if node.function == "round":
            template = Text("{0}（四舍五入，{1} 位小数）", "{0} (half up, {1} places)")
        elif node.function in WITHIN:
            template = (WITHIN if len(arguments) > 1 else ITEMS)[node.function]
        else:
            template = PHRASES[node.function]
        separator = "，" if self.language == "zh" else ", "
        text = template.in_language(self.language).format(*arguments, all=separator.join(arguments))
        return text + "".join(
            OPTIONS[n].in_language(self.language).format(self.of(v)) for n, v in node.options
        )
