"""What an expression is, before it is ever computed: names, arguments and units, with the place of what does not fit."""

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
from domain.rulebook.units import FLAG_TYPE, LITERAL, NUMBER, PEOPLE, RATIO, TEXT_TYPE, Type, parse_unit, product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.rulebook.model import Rulebook

POPULATIONS = ("branch", "team")
PERSON = {"grade": RATIO, "role": TEXT_TYPE, "team": TEXT_TYPE}
OPTIONS: dict[str, tuple[int, int, tuple[str, ...]]] = {  # function → least and most arguments, options
    "min": (2, 9, ()),
    "max": (2, 9, ()),
    "round": (2, 2, ()),
    "floor": (1, 1, ()),
    "sum": (1, 2, ("where", "by")),
    "mean": (1, 2, ("where", "by", "each")),
    "count": (1, 1, ("where", "by")),
    "rank": (2, 2, ("where", "by", "fixed_by", "then")),
    "distribute": (3, 3, ("by", "barred")),
    "share": (3, 3, ()),
    "lookup": (2, 2, ()),
    "sumproduct": (2, 2, ()),
    "has": (1, 1, ()),
    "otherwise": (2, 2, ("warn",)),
    "tenure": (1, 1, ()),
}
RESERVED = {*OPTIONS, *POPULATIONS, *PERSON, "everyone", "none", "and", "or", "not", "if", "else", "in"}


class Mismatch(Exception):
    """A part of an expression that does not fit, and what to write instead."""

    def __init__(self, node: Node, zh: str, en: str) -> None:
        self.node, self.text = node, Text(zh, en)


class Typer:
    """Gives every expression its type, in the order of the steps: what is known so far is in `types` and `groups`."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.types: dict[str, Type] = dict(PERSON)
        self.groups: dict[str, Type] = {}

    def type(self, node: Node) -> Type:  # noqa: C901 - one case for each node of the language
        """What an expression is. Raises Mismatch at the part that does not fit."""
        match node:
            case Number():
                return LITERAL
            case Words():
                return TEXT_TYPE
            case Name():
                return self.name(node)
            case Binary():
                left, right = self.numeric(node.left), self.numeric(node.right)
                return product(left, right) if node.operator == "*" else self.same(node.right, left, right)
            case Quotient():
                return product(self.numeric(node.dividend), self.numeric(node.divisor), -1)
            case Comparison():
                left, right = self.type(node.left), self.type(node.right)
                if TEXT_TYPE in (left, right) and node.operator not in {"==", "!="}:
                    raise Mismatch(node, "文本只能比较是否相等", "texts are compared with == and != only")
                self.same(node.right, left, right)
                return FLAG_TYPE
            case Logical():
                for part in node.parts:
                    self.flag(part)
                return FLAG_TYPE
            case Choice():
                self.flag(node.condition)
                return self.same(node.otherwise, self.type(node.then), self.type(node.otherwise))
            case Call():
                return self.call(node)
        raise AssertionError(node)

    def name(self, node: Name) -> Type:
        if node.name == "none":
            return LITERAL
        if node.name in self.types:
            return self.types[node.name]
        later = [step.step for step in self.rulebook.steps]
        if node.name in later:
            raise Mismatch(
                node,
                f"{node.name} 在后面才算出，请把它移到前面",
                f"{node.name} is only computed further down: move it up",
            )
        if node.name in self.groups:
            raise Mismatch(
                node,
                f"{node.name} 是一组数，用 sum({node.name}) 或写明其中一项",
                f"{node.name} is a group: sum({node.name}), or name one of it",
            )
        near = _nearest(node.name, [*self.types, *self.groups, *self.rulebook.tables])
        raise Mismatch(
            node,
            f"没有名称 {node.name}{f'，是否 {near}？' if near else ''}",
            f"there is no {node.name}{f': did you mean {near}?' if near else ''}",
        )

    def numeric(self, node: Node) -> Type:
        found = self.type(node)
        if found == FLAG_TYPE:
            return RATIO
        if found.kind != NUMBER:
            raise Mismatch(node, "这里需要数字", "a number is needed here")
        return found

    def flag(self, node: Node) -> None:
        if self.type(node) != FLAG_TYPE:
            raise Mismatch(node, "这里需要条件（0/1），例如比较", "a condition is needed here, such as a comparison")

    def same(self, node: Node, left: Type, right: Type) -> Type:
        if left.kind == right.kind == NUMBER and None in (left.unit, right.unit):
            return right if left.unit is None else left
        if left == right:
            return left
        if {left, right} == {FLAG_TYPE, LITERAL}:
            return FLAG_TYPE
        raise Mismatch(node, f"单位不同：{left} 与 {right}", f"units differ: {left} and {right}")

    def call(self, node: Call) -> Type:
        if node.function not in OPTIONS:
            near = _nearest(node.function, list(OPTIONS))
            raise Mismatch(
                node,
                f"没有函数 {node.function}，可用：{', '.join(OPTIONS)}",
                f"no function {node.function}{f': did you mean {near}?' if near else ''}",
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
                raise Mismatch(value, f"{node.function} 没有选项 {name}", f"{node.function} has no option {name}")
        if where := node.option("where"):
            self.flag(where)
        if (by := node.option("by")) and self.type(by) != TEXT_TYPE:
            raise Mismatch(by, "by 需要文本（如分组属性）", "by needs a text, such as an attribute")
        check: Callable[[Call], Type] = getattr(self, f"call_{node.function}")
        return check(node)

    def population(self, node: Node) -> None:
        if not (isinstance(node, Name) and node.name in POPULATIONS):
            raise Mismatch(node, "总体须是 branch（分公司）或 team（班组）", "the population is branch or team")

    def group(self, node: Node) -> Type:
        if isinstance(node, Name) and node.name in self.groups:
            return self.groups[node.name]
        raise Mismatch(
            node,
            "这里需要一组数（有 items 的输入，或同名前缀的步骤）",
            "a group is needed here: an input with items, or steps with the same prefix",
        )

    def table(self, node: Node, *, column: bool = True) -> tuple[str, str]:
        if isinstance(node, Name):
            name, _, part = node.name.partition(".")
            table = self.rulebook.tables.get(name)
            if table is not None and (part in table.columns or (not part and (table.unit is not None or not column))):
                return name, part
        raise Mismatch(node, "这里需要表格，或 表格.列", "a table is needed here, or table.column")

    def column_type(self, name: str, part: str) -> Type:
        table = self.rulebook.tables[name]
        return parse_unit(table.columns[part] if part else table.unit or "ratio")

    def call_min(self, node: Call) -> Type:
        found = self.numeric(node.arguments[0])
        for argument in node.arguments[1:]:
            found = self.same(argument, found, self.numeric(argument))
        return found

    call_max = call_min

    def call_round(self, node: Call) -> Type:
        return self.numeric(node.arguments[0])

    call_floor = call_round

    def call_sum(self, node: Call) -> Type:
        if len(node.arguments) == 1:
            found = self.group(node.arguments[0])
            return RATIO if found == FLAG_TYPE else found
        self.population(node.arguments[1])
        return self.numeric(node.arguments[0])

    def call_mean(self, node: Call) -> Type:
        each = node.option("each")
        if each is not None and not (isinstance(each, Name) and each.name == "team"):
            raise Mismatch(each, "each 只能是 team（每个班组计一次）", "each can only be team: every team counts once")
        return self.call_sum(node)

    def call_count(self, node: Call) -> Type:
        self.population(node.arguments[0])
        return PEOPLE

    def call_rank(self, node: Call) -> Type:
        self.numeric(node.arguments[0])
        self.population(node.arguments[1])
        for option in ("fixed_by", "then"):
            if value := node.option(option):
                self.numeric(value)
        return PEOPLE

    def call_distribute(self, node: Call) -> Type:
        self.same(node.arguments[0], self.numeric(node.arguments[0]), PEOPLE)
        name, _ = self.table(node.arguments[1], column=False)
        if "share" not in self.rulebook.tables[name].columns:
            raise Mismatch(
                node.arguments[1],
                "强制分布的表格须有 share 列",
                "the table of a forced distribution has a column share",
            )
        self.population(node.arguments[2])
        if barred := node.option("barred"):
            self.flag(barred)
        return RATIO if numeric_keys(self.rulebook.tables[name].rows) else TEXT_TYPE

    def call_share(self, node: Call) -> Type:
        if self.numeric(node.arguments[0]) != parse_unit("yuan"):
            raise Mismatch(node.arguments[0], "分配的是以元计的总额", "what is shared out is a pool in yuan")
        self.numeric(node.arguments[1])
        self.population(node.arguments[2])
        return parse_unit("yuan")

    def call_lookup(self, node: Call) -> Type:
        name, part = self.table(node.arguments[0])
        table = self.rulebook.tables[name]
        key = self.type(node.arguments[1])
        if (key == TEXT_TYPE) != (table.match == "exact" and not numeric_keys(table.rows)):
            raise Mismatch(
                node.arguments[1],
                "查表的值与表格的键不是同一类",
                "the value looked up is not of the kind of the table's keys",
            )
        return self.column_type(name, part)

    def call_sumproduct(self, node: Call) -> Type:
        found = self.group(node.arguments[0])
        name, part = self.table(node.arguments[1])
        group = node.arguments[0]
        assert isinstance(group, Name)
        given = self.rulebook.inputs.get(group.name)
        items = set(given.items or {}) if given else set()
        if items != set(self.rulebook.tables[name].rows):
            missing = ", ".join(sorted(items ^ set(self.rulebook.tables[name].rows)))
            raise Mismatch(
                node.arguments[1], f"项目与表格的行不一致：{missing}", f"items and rows of the table differ: {missing}"
            )
        return product(found, self.column_type(name, part))

    def call_has(self, node: Call) -> Type:
        self.type(node.arguments[0])
        return FLAG_TYPE

    def call_otherwise(self, node: Call) -> Type:
        warn = node.option("warn")
        if warn is not None and not isinstance(warn, Words):
            raise Mismatch(warn, "warn 需要加引号的警告代码", "warn takes the code of a warning in quotes")
        return self.same(node.arguments[1], self.type(node.arguments[0]), self.type(node.arguments[1]))

    def call_tenure(self, node: Call) -> Type:
        if self.type(node.arguments[0]) != units.DATE_TYPE:
            raise Mismatch(node.arguments[0], "tenure 需要日期", "tenure takes a date")
        return parse_unit("month")


def agrees(found: Type, declared: Type) -> bool:
    """Whether an expression of type `found` may stand where `declared` is written."""
    return (
        found == declared
        or (found.kind == declared.kind == NUMBER and found.unit is None)
        or (found == LITERAL and declared == FLAG_TYPE)
    )


def numeric_keys(rows: Iterable[str]) -> bool:
    """Whether all keys of a table are numbers."""
    return all(re.fullmatch(r"-?\d+(\.\d+)?", key) for key in rows)


def _nearest(name: str, known: list[str]) -> str:
    return next(iter(difflib.get_close_matches(name, known, 1)), "")
