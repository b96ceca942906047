"""What an expression is before it is computed: names, arguments and units, with the place of what
does not fit.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.rulebook import units
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
from domain.rulebook.units import (
    FLAG,
    FLAG_TYPE,
    LITERAL,
    NUMBER,
    PEOPLE,
    RATIO,
    TEXT_TYPE,
    Type,
    parse_unit,
    product,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.rulebook.model import Rulebook

POPULATIONS = ("branch", "team")
PERSON = {"grade": RATIO, "role": TEXT_TYPE, "team": TEXT_TYPE}
OPTIONS: dict[
    str, tuple[int, int, tuple[str, ...]]
] = {  # function → least and most arguments, options
    "min": (2, 9, ()),
    "max": (2, 9, ()),
    "round": (2, 2, ()),
    "floor": (1, 1, ()),
    "sum": (1, 2, ("where", "by")),
    "mean": (1, 2, ("where", "by", "each", "weights")),
    "count": (1, 1, ("where", "by")),
    "rank": (2, 2, ("where", "by", "fixed_by", "then")),
    "distribute": (3, 3, ("by", "barred")),
    "share": (3, 3, ()),
    "lookup": (2, 2, ()),
    "sumproduct": (2, 2, ()),
    "has": (1, 1, ()),
    "otherwise": (2, 2, ("warn",)),
    "refuse": (1, 1, ()),
    "tenure": (1, 1, ()),
}
REFUSALS = (
    "out_of_bounds",
    "missing_measure",
    "missing_rating",
    "missing_attribute",
    "not_positive",
)
WARNINGS = ("missing_rating", "missing_measure")  # beside the rulebook's own
OF_ITSELF = (
    "tie",
    "uncounted_rating",
    "undistributed",
)  # warnings that no expression has to ask for
# A function's name may also be a step's: before a bracket it is the function, elsewhere the step.
RESERVED = {*POPULATIONS, *PERSON, "everyone", "none", "and", "or", "not", "if", "else", "in"}


class Mismatch(Exception):
    """A part of an expression that does not fit, and what to write instead."""

    def __init__(self, node: Node, zh: str, en: str) -> None:
        self.node, self.text = node, Text(zh, en)


class Typer:
    """Gives every expression its type, in the order of the steps: what is known so far is in
    `types` and `groups`.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.types: dict[str, Type] = dict(PERSON)
        self.groups: dict[str, Type | None] = {}  # None: its members are of different types

    def type(self, node: Node) -> Type:  # noqa: C901 - one case for each node of the language
        """What an expression is. Raises Mismatch at the part that does not fit."""
        match node:
            case Number():
                return LITERAL
            case Words():
                return TEXT_TYPE
            case Name():
                return self._name(node)
            case Binary():
                left, right = self._numeric(node.left), self._numeric(node.right)
                return (
                    product(left, right)
                    if node.operator == "*"
                    else self._same(node.right, left, right)
                )
            case Quotient():
                return product(self._numeric(node.dividend), self._numeric(node.divisor), -1)
            case Comparison():
                left, right = self.type(node.left), self.type(node.right)
                if not {left.kind, right.kind} <= {NUMBER, FLAG} and node.operator not in {
                    "==",
                    "!=",
                }:
                    raise Mismatch(
                        node, "文本只能比较是否相等", "texts are compared with == and != only"
                    )
                self._same(node.right, left, right)
                return FLAG_TYPE
            case Logical():
                for part in node.parts:
                    self._flag(part)
                return FLAG_TYPE
            case Choice():
                self._flag(node.condition)
                return self._same(node.otherwise, self.type(node.then), self.type(node.otherwise))
            case Call():
                return self._call(node)
        raise AssertionError(node)

    def _name(self, node: Name) -> Type:
        if node.name == "none":
            return LITERAL
        if node.name in self.types:
            return self.types[node.name]
        later = [step.step for step in self.rulebook.steps]
        if node.name in later:
            raise Mismatch(
                node,
                f"{node.name} 在这里还没有算出，请把它移到前面",
                f"{node.name} is not computed yet here: move its step up",
            )
        if node.name in self.groups:
            raise Mismatch(
                node,
                f"{node.name} 是一组数，用 sum({node.name}) 或写明其中一项",
                f"{node.name} is a group: sum({node.name}), or name one of it",
            )
        if node.name in self.rulebook.tables:
            raise Mismatch(
                node,
                f"{node.name} 是表格，用 lookup({node.name}, …)",
                f"{node.name} is a table: lookup({node.name}, …)",
            )
        near = _nearest(node.name, [*self.types, *self.groups, *self.rulebook.tables])
        raise Mismatch(
            node,
            f"没有名称 {node.name}{f'，是否 {near}？' if near else ''}",
            f"there is no {node.name}{f': did you mean {near}?' if near else ''}",
        )

    def _numeric(self, node: Node) -> Type:
        found = self.type(node)
        if found == FLAG_TYPE:
            return RATIO
        if found.kind != NUMBER:
            raise Mismatch(node, "这里需要数字", "a number is needed here")
        return found

    def _flag(self, node: Node) -> None:
        if self.type(node) != FLAG_TYPE:
            raise Mismatch(
                node,
                "这里需要条件（0/1），例如比较",
                "a condition is needed here, such as a comparison",
            )

    def _same(self, node: Node, left: Type, right: Type) -> Type:
        if left.kind == right.kind == NUMBER and None in (left.unit, right.unit):
            return right if left.unit is None else left
        if left == right:
            return left
        if {left, right} == {FLAG_TYPE, LITERAL}:
            return FLAG_TYPE
        raise Mismatch(node, f"单位不同：{left} 与 {right}", f"units differ: {left} and {right}")

    def _call(self, node: Call) -> Type:
        if node.function not in OPTIONS:
            near = _nearest(node.function, list(OPTIONS))
            raise Mismatch(
                node,
                f"没有函数 {node.function}{f'，是否 {near}？' if near else ''} 可用："
                f"{', '.join(OPTIONS)}",
                f"no function {node.function}{f': did you mean {near}?' if near else ''} One of "
                f"{', '.join(OPTIONS)}",
            )
        least, most, options = OPTIONS[node.function]
        if not least <= len(node.arguments) <= most:
            wanted = str(least) if least == most else f"{least}–{most}"
            raise Mismatch(
                node,
                f"{node.function} 需要 {wanted} 个参数",
                f"{node.function} takes {wanted} arguments, not {len(node.arguments)}",
            )
        for name, value in node.options:
            if name not in options:
                raise Mismatch(
                    value,
                    f"{node.function} 没有选项 {name}，可用：{', '.join(options) or '无'}",
                    f"{node.function} has no option {name}: {', '.join(options) or 'it has none'}",
                )
        if where := node.option("where"):
            self._flag(where)
        if (by := node.option("by")) and self.type(by) != TEXT_TYPE:
            raise Mismatch(by, "by 需要文本（如分组属性）", "by needs a text, such as an attribute")
        check: Callable[[Call], Type] = getattr(self, f"_call_{node.function}")
        return check(node)

    def _population(self, node: Node) -> None:
        if not (isinstance(node, Name) and node.name in POPULATIONS):
            raise Mismatch(
                node, "总体须是 branch（分公司）或 team（班组）", "the population is branch or team"
            )

    def _group(self, node: Node) -> Type:
        if isinstance(node, Name) and node.name.partition(".")[0] in self.rulebook.tables:
            column = self._column_type(*self._table(node))
            return RATIO if column == FLAG_TYPE else column
        if isinstance(node, Name) and node.name in self.groups:
            found = self.groups[node.name]
            if found is None or found.kind not in {NUMBER, FLAG}:
                raise Mismatch(
                    node,
                    f"{node.name} 的各项单位不同，或不是数字",
                    f"the items of {node.name} have different units, or are no numbers",
                )
            return RATIO if found == FLAG_TYPE else found
        raise Mismatch(
            node,
            "这里需要一组数（有 items 的输入、同名前缀的步骤，或表格）",
            "a group is needed here: an input with items, steps with the same prefix, or a table",
        )

    def _table(self, node: Node, *, column: bool = True) -> tuple[str, str]:
        if isinstance(node, Name):
            name, _, part = node.name.partition(".")
            table = self.rulebook.tables.get(name)
            if table is not None and (
                part in table.columns or (not part and (table.unit is not None or not column))
            ):
                return name, part
        raise Mismatch(node, "这里需要表格，或 表格.列", "a table is needed here, or table.column")

    def _column_type(self, name: str, part: str) -> Type:
        table = self.rulebook.tables[name]
        return parse_unit(table.columns[part] if part else table.unit or "ratio")

    def _call_min(self, node: Call) -> Type:
        found = self._numeric(node.arguments[0])
        for argument in node.arguments[1:]:
            found = self._same(argument, found, self._numeric(argument))
        return found

    _call_max = _call_min

    def _call_round(self, node: Call) -> Type:
        return self._numeric(node.arguments[0])

    _call_floor = _call_round

    def _call_sum(self, node: Call) -> Type:
        if len(node.arguments) == 1:
            for name, value in node.options:
                if name != "weights":
                    raise Mismatch(
                        value,
                        f"一组数没有选项 {name}",
                        f"over the items of a group there is no option {name}",
                    )
            return self._group(node.arguments[0])
        self._population(node.arguments[1])
        if weights := node.option("weights"):
            raise Mismatch(weights, "weights 只用于一组数", "weights are for the items of a group")
        return self._numeric(node.arguments[0])

    def _call_mean(self, node: Call) -> Type:
        each = node.option("each")
        if each is not None and not (isinstance(each, Name) and each.name == "team"):
            raise Mismatch(
                each,
                "each 只能是 team（每个班组计一次）",
                "each can only be team: every team counts once",
            )
        found = self._call_sum(node)
        if weights := node.option("weights"):
            if self._column_type(*self._table(weights)) != RATIO:
                raise Mismatch(weights, "权重的单位须是 ratio", "weights are ratios")
            self._same_items(node.arguments[0], weights)
            name, part = self._table(weights)
            figures = self.rulebook.tables[name].column(part).values()
            if min(figures, default=0) < 0 or not any(figures):
                raise Mismatch(
                    weights, "权重不能为负，也不能全为 0", "weights are not negative, and not all 0"
                )
        return found

    def _call_count(self, node: Call) -> Type:
        self._population(node.arguments[0])
        return PEOPLE

    def _call_rank(self, node: Call) -> Type:
        self._numeric(node.arguments[0])
        self._population(node.arguments[1])
        for option in ("fixed_by", "then"):
            if value := node.option(option):
                self._numeric(value)
        return PEOPLE

    def _call_distribute(self, node: Call) -> Type:
        self._same(node.arguments[0], self._numeric(node.arguments[0]), PEOPLE)
        name, _ = self._table(node.arguments[1], column=False)
        if "share" not in self.rulebook.tables[name].columns:
            raise Mismatch(
                node.arguments[1],
                "强制分布的表格须有 share 列",
                "the table of a forced distribution has a column share",
            )
        self._population(node.arguments[2])
        if barred := node.option("barred"):
            self._flag(barred)
        return RATIO if numeric_keys(self.rulebook.tables[name].rows) else TEXT_TYPE

    def _call_share(self, node: Call) -> Type:
        if self._numeric(node.arguments[0]) != parse_unit("yuan"):
            raise Mismatch(
                node.arguments[0], "分配的是以元计的总额", "what is shared out is a pool in yuan"
            )
        self._numeric(node.arguments[1])
        self._population(node.arguments[2])
        return parse_unit("yuan")

    def _call_lookup(self, node: Call) -> Type:
        name, part = self._table(node.arguments[0])
        table = self.rulebook.tables[name]
        key = self.type(node.arguments[1])
        wanted = {NUMBER, FLAG} if table.match == "from" or numeric_keys(table.rows) else set()
        wanted |= (
            {TEXT_TYPE.kind} if table.match == "exact" else set()
        )  # a word that is a row's key, even if a number
        if key.kind not in wanted:
            raise Mismatch(
                node.arguments[1],
                "查表的值与表格的键不是同一类",
                "the value looked up is not of the kind of the table's keys",
            )
        if isinstance(word := node.arguments[1], Words) and word.value not in table.rows:
            raise Mismatch(
                word, f"{name} 没有 {word.value} 这一行", f"{name} has no row {word.value}"
            )
        return self._column_type(name, part)

    def _call_sumproduct(self, node: Call) -> Type:
        found = self._group(node.arguments[0])
        name, part = self._table(node.arguments[1])
        self._same_items(*node.arguments)
        return product(found, self._column_type(name, part))

    def _same_items(self, group: Node, table: Node) -> None:
        """An input's items are the table's rows."""
        assert isinstance(group, Name)
        assert isinstance(table, Name)
        given = self.rulebook.inputs.get(group.name)
        if given is None:
            raise Mismatch(group, "这里需要有 items 的输入", "an input with items is needed here")
        differing = ", ".join(
            sorted(
                {*(given.items or {})} ^ {*self.rulebook.tables[table.name.partition(".")[0]].rows}
            )
        )
        if differing:
            raise Mismatch(
                table,
                f"项目与表格的行不一致：{differing}",
                f"items and rows of the table differ: {differing}",
            )

    def _call_has(self, node: Call) -> Type:
        self.type(node.arguments[0])
        return FLAG_TYPE

    def _call_otherwise(self, node: Call) -> Type:
        if warn := node.option("warn"):
            self._code(warn, (*WARNINGS, *self.rulebook.warnings))
        return self._same(
            node.arguments[1], self.type(node.arguments[0]), self.type(node.arguments[1])
        )

    def _call_refuse(self, node: Call) -> Type:
        self._code(node.arguments[0], REFUSALS)
        return LITERAL

    def _code(self, node: Node, codes: tuple[str, ...]) -> None:
        if not (isinstance(node, Words) and node.value in codes):
            known = ", ".join(codes)
            raise Mismatch(
                node, f"这里需要加引号的代码：{known}", f"a code in quotes is needed here: {known}"
            )

    def _call_tenure(self, node: Call) -> Type:
        if self.type(node.arguments[0]) != units.DATE_TYPE:
            raise Mismatch(node.arguments[0], "tenure 需要日期", "tenure takes a date")
        return parse_unit("month")


def agrees(found: Type, declared: Type, node: Node) -> bool:
    """Whether an expression of type `found` may stand where `declared` is written."""
    if declared == FLAG_TYPE and found == LITERAL:
        return _is_flag(node)
    return found == declared or (found.kind == declared.kind == NUMBER and found.unit is None)


def _is_flag(node: Node) -> bool:
    """Whether figures written in a rule can only be 0 or 1."""
    if isinstance(node, Choice):
        return _is_flag(node.then) and _is_flag(node.otherwise)
    return isinstance(node, Number) and node.value in {0, 1}


def numeric_keys(rows: Iterable[str]) -> bool:
    """Whether all keys of a table are numbers."""
    return all(re.fullmatch(r"-?\d+(\.\d+)?", key) for key in rows)


def _nearest(name: str, known: list[str]) -> str:
    return next(iter(difflib.get_close_matches(name, known, 1)), "")
