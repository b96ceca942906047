"""The rule language: expressions such as `min(raw_deduction, deduction_cap)`.

They are read with Python's grammar, but only the nodes below exist. A number is taken from the
text, never from a parsed float; `/` is allowed only inside `round(a / b, places)`; names may be
Chinese and may have dots (`kpi_sales.group_count`). Length, nesting and digits are limited before
parsing, because deep nesting would exhaust the parser.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

from domain.errors import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH, MAX_DEPTH, MAX_DIGITS = 2000, 40, 18
COMPARISONS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_TOO_DEEP = Text(
    f"嵌套超过 {MAX_DEPTH} 层，请分成几步",
    f"nested more than {MAX_DEPTH} deep: make it several steps",
)
_NUMBER_LIKE = re.compile(r"(?<![\w.])\.?\d[\w.]*")  # what begins like a number
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# Characters that the language does not have → what to write instead.
_REPLACEMENTS = {"≤": "<=", "≥": ">=", "≠": "!=", "\u3000": "a space"}
_REPLACEMENTS |= dict.fromkeys("“”‘’＂＇", "'")
_REPLACEMENTS |= zip(
    "＋－×＊÷／（），＜＞＝．：０１２３４５６７８９", "+-**//(),<>=.:0123456789", strict=True
)


class ExpressionError(ValueError):
    """A mistake in an expression; `column` is the character (from 0) where it is."""

    def __init__(self, column: int, text: Text) -> None:
        super().__init__(text.both)
        self.column, self.text = column, text


@dataclass(frozen=True)
class Node:
    """Part of an expression; `column` is the character (from 0) where it begins."""

    column: int


@dataclass(frozen=True)
class Number(Node):
    """A figure written in the rule."""

    value: Decimal


@dataclass(frozen=True)
class Words(Node):
    """A text in quotes, such as 'senior'."""

    value: str


@dataclass(frozen=True)
class Name(Node):
    """The name of a step, an input, a parameter, …; dots join its parts."""

    name: str


@dataclass(frozen=True)
class Binary(Node):
    """+, -, * of two figures."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Quotient(Node):
    """round(dividend / divisor, places)."""

    dividend: Node
    divisor: Node
    places: int


@dataclass(frozen=True)
class Comparison(Node):
    """One comparison: 1 or 0."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logical(Node):
    """and, or, not."""

    operator: str
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice(Node):
    """a if condition else b."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True)
class Call(Node):
    """A function of the language."""

    function: str
    arguments: tuple[Node, ...]
    options: tuple[tuple[str, Node], ...] = ()

    def option(self, name: str) -> Node | None:
        return dict(self.options).get(name)


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node, in reading order."""
    match node:
        case Binary() | Comparison():
            return node.left, node.right
        case Quotient():
            return node.dividend, node.divisor
        case Logical():
            return node.parts
        case Choice():
            return node.then, node.condition, node.otherwise
        case Call():
            return *node.arguments, *(value for _, value in node.options)
        case _:
            return ()


def is_without_value(node: Node) -> bool:
    """Whether it never has a value: `none`, or a refusal."""
    return (isinstance(node, Name) and node.name == "none") or (
        isinstance(node, Call) and node.function == "refuse"
    )


def names(node: Node) -> Iterator[Name]:
    """Every name in the expression, in reading order."""
    if isinstance(node, Name):
        yield node
    for child in children(node):
        yield from names(child)


def parse(text: str) -> Node:
    """The expression of a text. Raises ExpressionError."""
    _check_text(text)
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        before = sum(len(line) + 1 for line in text.split("\n")[: (error.lineno or 1) - 1])
        column = before + max((error.offset or 1) - 1, 0)
        raise ExpressionError(
            column,
            Text(f"表达式写法不对：{error.msg}", f"the expression does not parse: {error.msg}"),
        ) from None
    except (ValueError, RecursionError, MemoryError):  # null characters; deeper than Python reads
        raise ExpressionError(
            0,
            Text(
                "表达式无法读取：请分成几步", "the expression cannot be read: make it several steps"
            ),
        ) from None
    return _Parser(text).parse(tree)


def _check_text(text: str) -> None:
    """Refuses what Python's grammar would read otherwise, or not at all. Raises ExpressionError."""
    if len(text) > MAX_LENGTH:
        words = Text(
            f"表达式超过 {MAX_LENGTH} 个字符",
            f"the expression is longer than {MAX_LENGTH} characters",
        )
        raise ExpressionError(0, words)
    without_quotes = _QUOTED.sub(lambda match: " " * len(match[0]), text)
    _check_characters(without_quotes)
    _check_numbers(without_quotes)
    if "\\" in text:
        words = Text("表达式中没有反斜杠", "an expression cannot contain a backslash")
        raise ExpressionError(text.index("\\"), words)


def _check_characters(text: str) -> None:
    """Full-width and mathematical characters, and brackets or signs that are nested too deep."""
    for column, character in enumerate(text):
        if replacement := _REPLACEMENTS.get(character):
            words = Text(
                f"{character} 请改用半角 {replacement}",
                f"write {replacement} (half-width) instead of {character}",
            )
            raise ExpressionError(column, words)
    brackets = signs = 0
    for column, character in enumerate(text):
        brackets += (character in "([{") - (character in ")]}")
        if character in "+-~":
            signs += 1
        elif character != " ":
            signs = 0
        if max(brackets, signs) > MAX_DEPTH:
            raise ExpressionError(column, _TOO_DEEP)


def _check_numbers(text: str) -> None:
    for match in _NUMBER_LIKE.finditer(text):
        number, column = match[0], match.start()
        if len(number) > MAX_DIGITS + 1:
            words = Text(f"数字超过 {MAX_DIGITS} 位", f"a number of more than {MAX_DIGITS} digits")
            raise ExpressionError(column, words)
        if _NUMBER.fullmatch(number) is None:
            words = Text(
                f"{number} 不是数字；数字写成 12 或 12.50，名称不以数字开头",
                f"{number} is not a number: write 12 or 12.50; a name cannot begin with a digit",
            )
            raise ExpressionError(column, words)


def _check_repeatable(operand: Node) -> None:
    """An operand of several comparisons is computed once for each.

    If it could be an expression, nesting such comparisons would double the work at every level.
    """
    if not isinstance(operand, Name | Number | Words):
        raise ExpressionError(
            operand.column,
            Text(
                "连续比较的中间项和 in (…) 的左边只能是名称、数字或文字；请先写成一个步骤，"
                "再比较它",
                "between two comparisons, and before in (…), only a name, a figure or a text in "
                "quotes is allowed: make it a step and compare that",
            ),
        )


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.bytes = text.encode()
        self.depth = 0

    def column(self, tree: ast.expr) -> int:
        """Where a node begins, in characters; Python counts UTF-8 bytes in a line."""
        lines = self.bytes.split(b"\n")
        before = sum(len(line.decode()) + 1 for line in lines[: tree.lineno - 1])
        return before + len(lines[tree.lineno - 1][: tree.col_offset].decode())

    def parse(self, tree: ast.expr) -> Node:
        """The node of the language for a node of Python's grammar."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(self.column(tree), _TOO_DEEP)
        try:
            return self.dispatch(tree)
        finally:
            self.depth -= 1

    def dispatch(self, tree: ast.expr) -> Node:  # noqa: C901 - one case for each node of the language
        at = self.column(tree)
        match tree:
            case ast.Constant():
                return self.constant(tree, at)
            case ast.Name() | ast.Attribute():
                return Name(at, self.dotted(tree))
            case ast.UnaryOp(op=ast.USub()):
                operand = self.parse(tree.operand)
                if isinstance(operand, Number):
                    return Number(at, -operand.value)
                return Binary(at, "-", Number(at, Decimal(0)), operand)
            case ast.UnaryOp(op=ast.Not()):
                return Logical(at, "not", (self.parse(tree.operand),))
            case ast.BinOp(op=ast.Div()):
                self.refuse(
                    tree,
                    "除法须写明小数位数：round(a / b, 位数)",
                    "a quotient needs its decimal places: round(a / b, n)",
                )
            case ast.BinOp() if type(tree.op) in OPERATORS:
                left, right = self.parse(tree.left), self.parse(tree.right)
                return Binary(at, OPERATORS[type(tree.op)], left, right)
            case ast.BoolOp():
                operator = "and" if isinstance(tree.op, ast.And) else "or"
                return Logical(at, operator, tuple(self.parse(value) for value in tree.values))
            case ast.Compare():
                return self.comparison(tree, at)
            case ast.IfExp():
                condition, then = self.parse(tree.test), self.parse(tree.body)
                return Choice(at, condition, then, self.parse(tree.orelse))
            case ast.Call():
                return self.call(tree, at)
        self.refuse(
            tree,
            "规则语言没有这种写法，可用 + - *、比较、and or not、a if c else b 和函数",
            "the rule language has no such construct: use + - *, comparisons, and or not, a if c "
            "else b, functions",
        )

    def constant(self, tree: ast.Constant, at: int) -> Node:
        if isinstance(tree.value, str):
            return Words(at, tree.value)
        source = ast.get_source_segment(self.text, tree) or ""
        if _NUMBER.fullmatch(source) is None:
            self.refuse(
                tree,
                f"没有 {source}；条件写 1 或 0，没有值写 none",
                f"{source} does not exist here: write 1 or 0 for a flag, none for no value",
            )
        return Number(at, Decimal(source))

    def dotted(self, tree: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(tree, ast.Attribute):
            parts.append(tree.attr)
            tree = tree.value
        if not isinstance(tree, ast.Name):
            self.refuse(tree, "点号只能连接名称", "a dot can only join names")
        return ".".join([tree.id, *reversed(parts)])

    def comparison(self, tree: ast.Compare, at: int) -> Node:
        """A chain of comparisons as one Comparison, or as several joined by `and`."""
        parts: list[Node] = []
        left = self.parse(tree.left)
        for operator, right_tree in zip(tree.ops, tree.comparators, strict=True):
            choices = right_tree.elts if isinstance(right_tree, ast.Tuple | ast.List) else []
            if parts or len(choices) > 1:
                _check_repeatable(left)
            if isinstance(operator, ast.In) and choices:
                equalities = tuple(Comparison(at, "==", left, self.parse(c)) for c in choices)
                parts.append(Logical(at, "or", equalities))
                continue
            if type(operator) not in COMPARISONS:
                self.refuse(
                    tree,
                    "比较只能用 < <= > >= == != 或 in (…)",
                    "compare with < <= > >= == != or in (…)",
                )
            right = self.parse(right_tree)
            parts.append(Comparison(at, COMPARISONS[type(operator)], left, right))
            left = right
        return parts[0] if len(parts) == 1 else Logical(at, "and", tuple(parts))

    def call(self, tree: ast.Call, at: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            self.refuse(
                tree, "只能调用规则语言的函数", "only functions of the rule language can be called"
            )
        function = tree.func.id
        if function == "round":
            return self.round(tree, at)
        if any(isinstance(argument, ast.Starred) for argument in tree.args) or any(
            k.arg is None for k in tree.keywords
        ):
            self.refuse(tree, "不支持 * 参数", "arguments with * are not supported")
        if len({k.arg for k in tree.keywords}) < len(tree.keywords):
            self.refuse(tree, f"{function} 有重复的选项", f"{function} has the same option twice")
        options = tuple((k.arg or "", self.parse(k.value)) for k in tree.keywords)
        return Call(at, function, tuple(self.parse(argument) for argument in tree.args), options)

    def round(self, tree: ast.Call, at: int) -> Node:
        match tree.args:
            case [value, ast.Constant(value=int(places))] if (
                not tree.keywords and 0 <= places <= 12 and places is not True
            ):
                if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div):
                    return Quotient(at, self.parse(value.left), self.parse(value.right), places)
                return Call(at, "round", (self.parse(value), Number(at, Decimal(places))))
        self.refuse(
            tree,
            "写成 round(x, 位数) 或 round(a / b, 位数)，位数 0–12",
            "write round(x, n) or round(a / b, n), n from 0 to 12",
        )

    def refuse(self, tree: ast.expr, zh: str, en: str) -> NoReturn:
        raise ExpressionError(self.column(tree), Text(zh, en))
