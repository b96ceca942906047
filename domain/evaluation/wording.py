"""Formulas in words: an expression with labels, or with one person's figures."""

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
    "<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠", "+": "+", "-": "−", "*": "×",
}  # fmt: skip
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

WordsOfName = Callable[[str], str]
WordsOfCall = Callable[[Call], str | None]
OUTERMOST = -1
STRENGTH = {"+": 1, "-": 1, "*": 2}


def in_words(
    node: Node, language: str, show: WordsOfName, show_call: WordsOfCall | None = None
) -> str:
    """The expression in `zh` or `en`; `show` gives the words (or the figure) for a name.

    `show_call` may word a call in its own way, such as by the figures behind a total; where it
    gives None, the call gets its usual phrase.
    """
    return _Wording(language, show, show_call).word(node, OUTERMOST)


class _Wording:
    def __init__(self, language: str, show: WordsOfName, show_call: WordsOfCall | None) -> None:
        self.language, self.show, self.show_call = language, show, show_call

    def phrase(self, zh: str, en: str, *parts: object) -> str:
        return Text(zh, en).in_language(self.language).format(*parts)

    def word(self, node: Node, strength_around: int = 0) -> str:
        """The words; in brackets where what is around binds more strongly."""
        match node:
            case Number():
                return plain(node.value)
            case Words():
                return f"“{node.value}”"
            case Name():
                fixed = FIXED.get(node.name)
                return fixed.in_language(self.language) if fixed else self.show(node.name)
            case Quotient():
                zh, en = "{0} ÷ {1}（四舍五入，{2} 位小数）", "{0} ÷ {1} (half up, {2} places)"
                dividend, divisor = self.word(node.dividend, 2), self.word(node.divisor, 3)
                return self.phrase(zh, en, dividend, divisor, node.places)
            case Call():
                return (self.show_call and self.show_call(node)) or self.call(node)
        text, strength = self.join(node)
        return f"({text})" if strength < strength_around else text

    def join(self, node: Node) -> tuple[str, int]:
        """The words of an expression of several parts, and how strongly it binds."""
        match node:
            case Binary():
                strength = STRENGTH[node.operator]
                left = self.word(node.left, strength)
                right = self.word(node.right, strength + (node.operator == "-"))
                return f"{left} {SIGNS[node.operator]} {right}", strength
            case Comparison():
                left, right = self.word(node.left, 1), self.word(node.right, 1)
                return f"{left} {SIGNS[node.operator]} {right}", 0
            case Logical(operator="not"):
                return self.phrase("非 {0}", "not {0}", self.word(node.parts[0], 1)), 0
            case Logical():
                joiner = JOINERS[node.operator].in_language(self.language)
                return joiner.join(self.word(part) for part in node.parts), -1
            case Choice():
                zh, en = "若 {1}，则 {0}；否则 {2}", "{0} if {1}, otherwise {2}"
                then, condition = self.word(node.then), self.word(node.condition)
                return self.phrase(zh, en, then, condition, self.word(node.otherwise)), -1
        raise AssertionError(node)

    def call(self, node: Call) -> str:
        arguments = [self.word(argument) for argument in node.arguments]
        second = node.arguments[1] if len(node.arguments) > 1 else None
        if node.function == "otherwise" and isinstance(second, Name) and second.name == "none":
            zh, en = "{0}（没有则空缺）", "{0} (nothing where there is none)"
            return self.phrase(zh, en, arguments[0])
        if node.function == "round":
            template = Text("{0}（四舍五入，{1} 位小数）", "{0} (half up, {1} places)")
        elif node.function in WITHIN:
            template = (WITHIN if len(arguments) > 1 else ITEMS)[node.function]
        else:
            template = PHRASES[node.function]
        separator = "，" if self.language == "zh" else ", "
        text = template.in_language(self.language).format(*arguments, all=separator.join(arguments))
        for name, value in node.options:
            text += OPTIONS[name].in_language(self.language).format(self.word(value))
        return text
