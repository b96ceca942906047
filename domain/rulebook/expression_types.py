"""The types of expressions: names, arguments and units are checked before anything is computed."""

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
from domain.rulebook.vocabulary import FUNCTIONS, REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from domain.rulebook.model import Rulebook

POPULATIONS = ("branch", "team")
PERSON = {"grade": RATIO, "role": TEXT_TYPE, "team": TEXT_TYPE}
WARNINGS = ("missing_rating", "missing_measure")  # for otherwise(…, warn=…), beside own codes
AUTOMATIC_WARNINGS = ("tie", "uncounted_rating", "undistributed")  # given without being asked for
# A function's name may also be a step's: before a bracket it is the function, elsewhere the step.
RESERVED = {*POPULATIONS, *PERSON, "everyone", "none", "and", "or", "not", "if", "else", "in"}


class Mismatch(Exception):
    """A part of an expression that is of the wrong type, and what to write instead."""

    def __init__(self, node: Node, zh: str, en: str) -> None:
        self.node, self.text = node, Text(zh, en)


class Typer:
    """Finds the type of every expression, in the order of the steps.

    `types` and `groups` hold the names that are declared so far.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.types: dict[str, Type] = dict(PERSON)
        self.groups: dict[str, Type | None] = {}  # None: its members are of different types

    def type(self, node: Node) -> Type:  # noqa: C901 - one case for each node of the language
        """The type of an expression. Raises Mismatch at the part that is wrong."""
        match node:
            case Number():
                return LITERAL
            case Words():
                return TEXT_TYPE
            case Name():
                return self._name(node)
            case Binary():
                left, right = self._numeric(node.left), self._numeric(node.right)
                if node.operator == "*":
                    return product(left, right)
                return self._require_same(node.right, left, right)
            case Quotient():
                return product(self._numeric(node.dividend), self._numeric(node.divisor), -1)
            case Comparison():
                left, right = self.type(node.left), self.type(node.right)
                are_figures = {left.kind, right.kind} <= {NUMBER, FLAG}
                if not are_figures and node.operator not in {"==", "!="}:
                    raise Mismatch(
                        node, "文本只能比较是否相等", "texts are compared with == and != only"
                    )
                self._require_same(node.right, left, right)
                return FLAG_TYPE
            case Logical():
                for part in node.parts:
                    self._require_flag(part)
                return FLAG_TYPE
            case Choice():
                self._require_flag(node.condition)
                then, otherwise = self.type(node.then), self.type(node.otherwise)
                return self._require_same(node.otherwise, then, otherwise)
            case Call():
                return self._call(node)
        raise AssertionError(node)

    def _name(self, node: Name) -> Type:
        name = node.name
        if name == "none":
            return LITERAL
        if name in self.types:
            return self.types[name]
        if any(step.step == name for step in self.rulebook.steps):
            raise Mismatch(
                node,
                f"{name} 在这里还没有算出，请把它移到前面",
                f"{name} is not computed yet here: move its step up",
            )
        if name in self.groups:
            raise Mismatch(
                node,
                f"{name} 是一组数，用 sum({name}) 或写明其中一项",
                f"{name} is a group: write sum({name}), or name one of its items",
            )
        if name in self.rulebook.tables:
            raise Mismatch(
                node,
                f"{name} 是表格，用 lookup({name}, …)",
                f"{name} is a table: write lookup({name}, …)",
            )
        similar = _similar_name(name, [*self.types, *self.groups, *self.rulebook.tables])
        raise Mismatch(
            node,
            f"没有名称 {name}{f'，是否 {similar}？' if similar else ''}",
            f"there is no {name}{f': did you mean {similar}?' if similar else ''}",
        )

    def _numeric(self, node: Node) -> Type:
        """The type of a part that must be a number; a flag counts as a ratio."""
        type_ = self.type(node)
        if type_ == FLAG_TYPE:
            return RATIO
        if type_.kind != NUMBER:
            raise Mismatch(node, "这里需要数字", "a number is needed here")
        return type_

    def _require_flag(self, node: Node) -> None:
        if self.type(node) != FLAG_TYPE:
            raise Mismatch(
                node,
                "这里需要条件（0/1），例如比较",
                "a condition is needed here, such as a comparison",
            )

    def _require_same(self, node: Node, left: Type, right: Type) -> Type:
        """The common type of two parts; `node` is to blame if they have none."""
        if left.kind == right.kind == NUMBER and None in (left.unit, right.unit):
            return right if left.unit is None else left
        if left == right:
            return left
        if {left, right} == {FLAG_TYPE, LITERAL}:
            return FLAG_TYPE
        raise Mismatch(node, f"单位不同：{left} 与 {right}", f"units differ: {left} and {right}")

    def _call(self, node: Call) -> Type:
        function = node.function
        if function not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            similar = _similar_name(function, list(FUNCTIONS))
            zh = f"没有函数 {function}{f'，是否 {similar}？' if similar else '。'}可用：{known}"
            question = f": did you mean {similar}?" if similar else "."
            en = f"there is no function {function}{question} The functions are {known}"
            raise Mismatch(node, zh, en)
        least, most, _, options, _ = FUNCTIONS[function]
        if not least <= len(node.arguments) <= most:
            count = str(least) if least == most else f"{least}–{most}"
            raise Mismatch(
                node,
                f"{function} 需要 {count} 个参数",
                f"{function} takes {count} arguments, not {len(node.arguments)}",
            )
        for name, value in node.options:
            if name not in options:
                listed = ", ".join(options)
                raise Mismatch(
                    value,
                    f"{function} 没有选项 {name}，可用：{listed or '无'}",
                    f"{function} has no option {name}; it has {listed or 'none'}",
                )
        if where := node.option("where"):
            self._require_flag(where)
        if (by := node.option("by")) and self.type(by) != TEXT_TYPE:
            raise Mismatch(by, "by 需要文本（如分组属性）", "by needs a text, such as an attribute")
        check: Callable[[Call], Type] = getattr(self, f"_call_{function}")
        return check(node)

    def _require_population(self, node: Node) -> None:
        if not (isinstance(node, Name) and node.name in POPULATIONS):
            raise Mismatch(
                node,
                "总体须是 branch（分公司）或 team（班组）",
                "the population must be branch or team",
            )

    def _group(self, node: Node) -> Type:
        """The type of a group's items, which must be numbers of one unit."""
        if isinstance(node, Name) and node.name.partition(".")[0] in self.rulebook.tables:
            column = self._column_type(*self._table(node))
            return RATIO if column == FLAG_TYPE else column
        if isinstance(node, Name) and node.name in self.groups:
            type_ = self.groups[node.name]
            if type_ is None or type_.kind not in {NUMBER, FLAG}:
                raise Mismatch(
                    node,
                    f"{node.name} 的各项单位不同，或不是数字",
                    f"the items of {node.name} have different units, or are not numbers",
                )
            return RATIO if type_ == FLAG_TYPE else type_
        raise Mismatch(
            node,
            "这里需要一组数（有 items 的输入、同名前缀的步骤，或表格）",
            "a group is needed here: an input with items, steps with the same prefix, or a table",
        )

    def _table(self, node: Node, *, needs_column: bool = True) -> tuple[str, str]:
        """The name and the column ("" for the only one) of `table` or `table.column`.

        With `needs_column=False`, a table of several columns may be named as a whole.
        """
        if isinstance(node, Name):
            name, _, part = node.name.partition(".")
            table = self.rulebook.tables.get(name)
            if table is not None:
                may_be_whole = table.unit is not None or not needs_column
                if part in table.columns or (not part and may_be_whole):
                    return name, part
        raise Mismatch(node, "这里需要表格，或 表格.列", "a table is needed here, or table.column")

    def _column_type(self, name: str, part: str) -> Type:
        table = self.rulebook.tables[name]
        return parse_unit(table.columns[part] if part else table.unit or "ratio")

    def _call_min(self, node: Call) -> Type:
        type_ = self._numeric(node.arguments[0])
        for argument in node.arguments[1:]:
            type_ = self._require_same(argument, type_, self._numeric(argument))
        return type_

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
                        f"the items of a group have no option {name}",
                    )
            return self._group(node.arguments[0])
        self._require_population(node.arguments[1])
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
        type_ = self._call_sum(node)
        if weights := node.option("weights"):
            self._check_weights(node.arguments[0], weights)
        return type_

    def _check_weights(self, group: Node, weights: Node) -> None:
        name, part = self._table(weights)
        if self._column_type(name, part) != RATIO:
            raise Mismatch(weights, "权重的单位须是 ratio", "the unit of weights must be ratio")
        self._require_same_items(group, weights)
        figures = self.rulebook.tables[name].column(part).values()
        if min(figures, default=0) < 0 or not any(figures):
            raise Mismatch(
                weights,
                "权重不能为负，也不能全为 0",
                "weights must not be negative, and not all 0",
            )

    def _call_count(self, node: Call) -> Type:
        self._require_population(node.arguments[0])
        return PEOPLE

    def _call_rank(self, node: Call) -> Type:
        self._numeric(node.arguments[0])
        self._require_population(node.arguments[1])
        for option in ("fixed_by", "then"):
            if value := node.option(option):
                self._numeric(value)
        return PEOPLE

    def _call_distribute(self, node: Call) -> Type:
        place, tiers, population = node.arguments
        self._require_same(place, self._numeric(place), PEOPLE)
        name, _ = self._table(tiers, needs_column=False)
        if "share" not in self.rulebook.tables[name].columns:
            raise Mismatch(
                tiers,
                "强制分布的表格须有 share 列",
                "the table of a forced distribution must have a column share",
            )
        self._require_population(population)
        if barred := node.option("barred"):
            self._require_flag(barred)
        return RATIO if numeric_keys(self.rulebook.tables[name].rows) else TEXT_TYPE

    def _call_share(self, node: Call) -> Type:
        pool, weight, population = node.arguments
        if self._numeric(pool) != parse_unit("yuan"):
            raise Mismatch(pool, "分配的是以元计的总额", "what is shared must be a pool in yuan")
        self._numeric(weight)
        self._require_population(population)
        return parse_unit("yuan")

    def _call_lookup(self, node: Call) -> Type:
        name, part = self._table(node.arguments[0])
        table = self.rulebook.tables[name]
        kinds: set[str] = set()
        if table.match == "from" or numeric_keys(table.rows):
            kinds |= {NUMBER, FLAG}
        if table.match == "exact":
            kinds.add(TEXT_TYPE.kind)  # also where the keys are numbers: '5' is the row 5
        if self.type(node.arguments[1]).kind not in kinds:
            raise Mismatch(
                node.arguments[1],
                "查表的值与表格的键不是同一类",
                "the value looked up and the table's keys are of different kinds",
            )
        if isinstance(word := node.arguments[1], Words) and word.value not in table.rows:
            raise Mismatch(
                word, f"{name} 没有 {word.value} 这一行", f"{name} has no row {word.value}"
            )
        return self._column_type(name, part)

    def _call_sumproduct(self, node: Call) -> Type:
        type_ = self._group(node.arguments[0])
        name, part = self._table(node.arguments[1])
        self._require_same_items(*node.arguments)
        return product(type_, self._column_type(name, part))

    def _require_same_items(self, group: Node, table: Node) -> None:
        """The table must have exactly the input's items as rows."""
        assert isinstance(group, Name)
        assert isinstance(table, Name)
        spec = self.rulebook.inputs.get(group.name)
        if spec is None:
            raise Mismatch(group, "这里需要有 items 的输入", "an input with items is needed here")
        rows = self.rulebook.tables[table.name.partition(".")[0]].rows
        differing = ", ".join(sorted({*(spec.items or {})} ^ {*rows}))
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
            self._require_code(warn, (*WARNINGS, *self.rulebook.warnings))
        value, default = node.arguments
        return self._require_same(default, self.type(value), self.type(default))

    def _call_refuse(self, node: Call) -> Type:
        self._require_code(node.arguments[0], REFUSALS)
        return LITERAL

    def _require_code(self, node: Node, codes: Collection[str]) -> None:
        if not (isinstance(node, Words) and node.value in codes):
            known = ", ".join(codes)
            raise Mismatch(
                node, f"这里需要加引号的代码：{known}", f"a code in quotes is needed here: {known}"
            )

    def _call_tenure(self, node: Call) -> Type:
        if self.type(node.arguments[0]) != units.DATE_TYPE:
            raise Mismatch(node.arguments[0], "tenure 需要日期", "tenure takes a date")
        return parse_unit("month")


def agrees(actual: Type, declared: Type, node: Node) -> bool:
    """Whether an expression of the actual type may have the declared unit."""
    if declared == FLAG_TYPE and actual == LITERAL:
        return _is_flag(node)
    return actual == declared or (actual.kind == declared.kind == NUMBER and actual.unit is None)


def _is_flag(node: Node) -> bool:
    """Whether an expression of written figures can only be 0 or 1."""
    if isinstance(node, Choice):
        return _is_flag(node.then) and _is_flag(node.otherwise)
    return isinstance(node, Number) and node.value in {0, 1}


def numeric_keys(rows: Iterable[str]) -> bool:
    """Whether all keys of a table are numbers."""
    return all(re.fullmatch(r"-?\d+(\.\d+)?", key) for key in rows)


def _similar_name(name: str, known: list[str]) -> str:
    """The known name that a misspelt one may stand for; "" if none is close."""
    return next(iter(difflib.get_close_matches(name, known, 1)), "")
