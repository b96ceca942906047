"""The rule language: expressions such as `min(raw_deduction, deduction_cap)`, read with Python's
own grammar.

Only the nodes below exist. A number is taken from the source text, never from a parsed float; `/`
stands only inside
`round(a / b, places)`; names may be Chinese and may have dots (`kpi_sales.group_count`). Length,
nesting and digits are capped before parsing, because deep nesting would exhaust the parser.
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
_FIGURE = re.compile(r"(?<![\w.])\.?\d[\w.]*")  # what begins like a number
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_ODD = {"≤": "<=", "≥": ">=", "≠": "!=", "\u3000": "a space"} | dict.fromkeys("“”‘’＂＇", "'")
_ODD |= zip(
    "＋－×＊÷／（），＜＞＝．：０１２３４５６７８９", "+-**//(),<>=.:0123456789", strict=True
)


class ExpressionError(ValueError):
    """What is wrong with an expression, and the character (from 0) where it is."""

    def __init__(self, column: int, text: Text) -> None:
        super().__init__(text.both)
        self.column, self.text = column, text


@dataclass(frozen=True)
class Node:
    """Part of an expression; `column` is where it begins in the text of the expression."""

    column: int


@dataclass(frozen=True)
class Number(Node):
    """A figure written in the rule."""

    value: Decimal


@dataclass(frozen=True)
class Words(Node):
    """A word in quotes, such as 'senior'."""

    value: str


@dataclass(frozen=True)
class Name(Node):
    """A step, an input, a parameter or a table; dots join the parts."""

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
        """The argument given by this name, if any."""
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


def names(node: Node) -> Iterator[Name]:
    """Every name in the expression, in reading order."""
    if isinstance(node, Name):
        yield node
    for child in children(node):
        yield from names(child)


def parse(text: str) -> Node:
    """The expression that `text` is. Raises ExpressionError with its place."""
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
    except (ValueError, RecursionError, MemoryError):  # nulls; deeper than Python reads
        raise ExpressionError(
            0,
            Text(
                "表达式无法读取：请分成几步", "the expression cannot be read: make it several steps"
            ),
        ) from None
    return _Parser(text).node(tree)


def _check_text(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            0, Text(f"表达式超过 {MAX_LENGTH} 个字符", f"longer than {MAX_LENGTH} characters")
        )
    bare = _QUOTED.sub(lambda match: " " * len(match[0]), text)
    for column, character in enumerate(bare):
        if plain := _ODD.get(character):
            raise ExpressionError(
                column,
                Text(
                    f"{character} 请改用半角 {plain}",
                    f"write {plain} (half-width) instead of {character}",
                ),
            )
    depth = runs = 0
    for column, character in enumerate(bare):
        depth += (character in "([{") - (character in ")]}")
        runs = runs + 1 if character in "+-~" else runs if character == " " else 0
        if max(depth, runs) > MAX_DEPTH:
            raise ExpressionError(column, _TOO_DEEP)
    for match in _FIGURE.finditer(bare):
        if len(match[0]) > MAX_DIGITS + 1:
            raise ExpressionError(
                match.start(), Text(f"数字超过 {MAX_DIGITS} 位", f"more than {MAX_DIGITS} digits")
            )
        if _NUMBER.fullmatch(match[0]) is None:
            raise ExpressionError(
                match.start(),
                Text(
                    f"{match[0]} 不是数字；数字写成 12 或 12.50，名称不以数字开头",
                    f"{match[0]} is no number: write 12 or 12.50; a name does not begin with a "
                    "digit",
                ),
            )
    if "\\" in text:
        raise ExpressionError(
            text.index("\\"), Text("表达式中没有反斜杠", "there is no backslash in expressions")
        )


def _check_shared(operand: Node) -> None:
    """What several comparisons share is visited once for each: nested, that would double with every
    level.
    """
    if not isinstance(operand, Name | Number | Words):
        raise ExpressionError(
            operand.column,
            Text(
                "连续比较的中间项和 in (…) 的左边只能是名称、数字或文字；请先写成一个步骤，"
                "再比较它",
                "between two comparisons, and before in (…), only a name, a figure or words can "
                "stand: make it a step "
                "and compare that",
            ),
        )


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.bytes = text.encode()
        self.depth = 0

    def column(self, tree: ast.expr) -> int:
        """Python counts UTF-8 bytes; people count characters."""
        lines = self.bytes.split(b"\n")
        before = sum(len(line.decode()) + 1 for line in lines[: tree.lineno - 1])
        return before + len(lines[tree.lineno - 1][: tree.col_offset].decode())

    def node(self, tree: ast.expr) -> Node:
        """The node of the language that a node of Python's grammar stands for."""
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
                operand = self.node(tree.operand)
                if isinstance(operand, Number):
                    return Number(at, -operand.value)
                return Binary(at, "-", Number(at, Decimal(0)), operand)
            case ast.UnaryOp(op=ast.Not()):
                return Logical(at, "not", (self.node(tree.operand),))
            case ast.BinOp(op=ast.Div()):
                self.refuse(
                    tree,
                    "除法须写明小数位数：round(a / b, 位数)",
                    "write a quotient with its places: round(a / b, n)",
                )
            case ast.BinOp() if type(tree.op) in OPERATORS:
                return Binary(
                    at, OPERATORS[type(tree.op)], self.node(tree.left), self.node(tree.right)
                )
            case ast.BoolOp():
                operator = "and" if isinstance(tree.op, ast.And) else "or"
                return Logical(at, operator, tuple(self.node(value) for value in tree.values))
            case ast.Compare():
                return self.comparison(tree, at)
            case ast.IfExp():
                return Choice(
                    at, self.node(tree.test), self.node(tree.body), self.node(tree.orelse)
                )
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
                f"no {source}: a flag is 1 or 0, no value is none",
            )
        return Number(at, Decimal(source))

    def dotted(self, tree: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(tree, ast.Attribute):
            parts.append(tree.attr)
            tree = tree.value
        if not isinstance(tree, ast.Name):
            self.refuse(tree, "点号只能连接名称", "a dot joins names only")
        return ".".join([tree.id, *reversed(parts)])

    def comparison(self, tree: ast.Compare, at: int) -> Node:
        parts: list[Node] = []
        left = self.node(tree.left)
        for operator, right_tree in zip(tree.ops, tree.comparators, strict=True):
            among = right_tree.elts if isinstance(right_tree, ast.Tuple | ast.List) else []
            if parts or len(among) > 1:
                _check_shared(left)
            if isinstance(operator, ast.In) and among:
                alternatives = tuple(Comparison(at, "==", left, self.node(e)) for e in among)
                parts.append(Logical(at, "or", alternatives))
                continue
            if type(operator) not in COMPARISONS:
                self.refuse(
                    tree,
                    "比较只能用 < <= > >= == != 或 in (…)",
                    "compare with < <= > >= == != or in (…)",
                )
            right = self.node(right_tree)
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
            self.refuse(tree, "不支持 * 参数", "starred arguments do not exist here")
        if len({k.arg for k in tree.keywords}) < len(tree.keywords):
            self.refuse(tree, f"{function} 有重复的选项", f"{function} has the same option twice")
        options = tuple((k.arg or "", self.node(k.value)) for k in tree.keywords)
        return Call(at, function, tuple(self.node(argument) for argument in tree.args), options)

    def round(self, tree: ast.Call, at: int) -> Node:
        match tree.args:
            case [value, ast.Constant(value=int(places))] if (
                not tree.keywords and 0 <= places <= 12 and places is not True
            ):
                if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div):
                    return Quotient(at, self.node(value.left), self.node(value.right), places)
                return Call(at, "round", (self.node(value), Number(at, Decimal(places))))
        self.refuse(
            tree,
            "写成 round(x, 位数) 或 round(a / b, 位数)，位数 0–12",
            "write round(x, n) or round(a / b, n), n from 0 to 12",
        )

    def refuse(self, tree: ast.expr, zh: str, en: str) -> NoReturn:
        raise ExpressionError(self.column(tree), Text(zh, en))
