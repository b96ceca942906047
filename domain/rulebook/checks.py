"""What can be wrong with a rulebook beyond its shape: names, units, arguments, tables. Everything is found at once.

`check` gives the program that the evaluator runs: every step with its expression and type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from domain.errors import Text
from domain.rulebook import units
from domain.rulebook.expression_types import RESERVED, Mismatch, Typer, agrees
from domain.rulebook.expressions import ExpressionError, Node, parse
from domain.rulebook.model import Input, Rulebook, Step, digest_of, load
from domain.rulebook.source import BrokenRulebook, Path, Problem, Source
from domain.rulebook.units import RATIO, Type, parse_unit


@dataclass(frozen=True)
class CheckedStep:
    """A step with its parsed expression."""

    step: Step
    node: Node
    type: Type


@dataclass(frozen=True)
class Program:
    """A rulebook that holds, ready to be evaluated."""

    rulebook: Rulebook
    steps: tuple[CheckedStep, ...]
    digest: str
    text: str


def check(text: str, file: str = "rulebook") -> Program:
    """The program of a rulebook's text. Raises BrokenRulebook with every mistake, each with line and column."""
    rulebook, source = load(text, file)
    checker = _Checker(rulebook, source)
    checker.run()
    if checker.problems:
        raise BrokenRulebook(list(dict.fromkeys(checker.problems)), file)
    return Program(rulebook, tuple(checker.steps), digest_of(text), text)


class _Checker:
    def __init__(self, rulebook: Rulebook, source: Source) -> None:
        self.rulebook, self.source = rulebook, source
        self.problems: list[Problem] = []
        self.typer = Typer(rulebook)
        self.steps: list[CheckedStep] = []

    def problem(self, path: Path, zh: str, en: str, offset: int = 0) -> None:
        self.problems.append(Problem(self.source.place(path, offset), Text(zh, en)))

    def run(self) -> None:
        """Everything, in the order in which a reader meets it."""
        for name, parameter in self.rulebook.parameters.items():
            self.declare(name, parameter.unit, ("parameters", name))
        for name, table in self.rulebook.tables.items():
            self.check_table(name)
            if name in self.typer.types:
                self.problem(("tables", name), f"名称 {name} 已用过", f"the name {name} is taken")
            for unit in [table.unit] if table.unit else table.columns.values():
                self.unit(unit, ("tables", name))
        for name, given in self.rulebook.inputs.items():
            self.check_input(name, given)
        for index, step in enumerate(self.rulebook.steps):
            self.check_step(index, step)
        self.check_pay()

    def declare(self, name: str, unit: str, path: Path, *, known: Type | None = None) -> None:
        if name in RESERVED:
            self.problem(
                path,
                f"{name} 是规则语言的保留词，请换一个名称",
                f"{name} is a word of the language: choose another name",
            )
        if name in self.typer.types or name in self.rulebook.tables:
            self.problem(path, f"名称 {name} 已用过", f"the name {name} is taken")
        kind = known or self.unit(unit, (*path, "unit"))
        self.typer.types[name] = kind
        if "." in name:
            self.typer.groups.setdefault(name.rpartition(".")[0], kind)

    def unit(self, text: str, path: Path) -> Type:
        try:
            return parse_unit(text)
        except units.UnknownUnit as error:
            known = ", ".join([*units.BASE_UNITS, *sorted(units.PLAIN), "flag", "text", "date"])
            self.problem(path, f"没有单位 {error}，可用：{known}，或 a/b", f"no unit {error}: one of {known}, or a/b")
            return RATIO

    def check_input(self, name: str, given: Input) -> None:
        path: Path = ("inputs", name)
        kind = self.unit(given.unit, (*path, "unit"))
        self.check_taking(given, path)
        if given.items is None:
            self.declare(name, given.unit, path, known=kind)
        else:
            self.typer.groups[name] = kind
            for item in given.items:
                self.declare(f"{name}.{item}", given.unit, (*path, "items", item), known=kind)

    def check_taking(self, given: Input, path: Path) -> None:
        allowed = {
            "deduction": ("sum", "count"),
            "sale": ("sum", "amount", "count"),
            "rating": ("mean", "latest", "sum", "count"),
            "adjustment": ("points", "yuan"),
            "measure": ("latest", "sum"),
            "attribute": ("text", "date"),
            "statement": ("mean", "latest"),
        }[given.read]
        if given.take is not None and given.take not in allowed:
            self.problem(
                (*path, "take"),
                f"{given.read} 的 take 可用：{', '.join(allowed)}",
                f"take of {given.read}: {', '.join(allowed)}",
            )
        if given.read == "adjustment" and given.take is None:
            self.problem(path, "调整须写明 take: points 或 yuan", "an adjustment says take: points or take: yuan")
        if given.read == "statement" and not (given.rulebook and given.step):
            self.problem(path, "读取考核单须写明 rulebook 和 step", "reading statements names rulebook and step")
        if given.default is not None and given.missing is not None:
            self.problem((*path, "missing"), "default 与 missing 只写一个", "give default or missing, not both")
        if (
            given.default is not None
            and given.take != "text"
            and given.unit != "text"
            and not re.fullmatch(r"-?\d+(\.\d+)?", given.default)
        ):
            self.problem((*path, "default"), "default 应是数字", "default must be a number")

    def check_table(self, name: str) -> None:
        table = self.rulebook.tables[name]
        path: Path = ("tables", name)
        if (table.unit is None) == (not table.columns):
            self.problem(
                path,
                "表格须写 unit（单列）或 columns（多列）之一",
                "a table has a unit (one column) or columns (several)",
            )
        for key, row in table.rows.items():
            given = set(row) if isinstance(row, dict) else set()
            if isinstance(row, dict) != bool(table.columns) or not given <= set(table.columns):
                self.problem((*path, "rows", key), "该行与表格的列不符", "the row does not have the table's columns")
        if not table.rows:
            self.problem((*path, "rows"), "表格没有行", "the table has no rows")
        if table.match == "from" and not all(re.fullmatch(r"-?\d+(\.\d+)?", key) for key in table.rows):
            self.problem(
                (*path, "rows"), "match: from 的键须是数字下限", "with match: from the keys are lower bounds, numbers"
            )
        elif table.match == "from" and sorted(table.rows, key=Decimal) != list(table.rows):
            self.problem((*path, "rows"), "下限须从小到大排列", "order the lower bounds from small to large")
        if "share" in table.columns:
            self.check_tiers(name)

    def check_tiers(self, name: str) -> None:
        table = self.rulebook.tables[name]
        shares = {key: share for key, share in table.column("share").items() if isinstance(share, Decimal)}
        if len(shares) != len(table.rows) or any(share <= 0 for share in shares.values()) or sum(shares.values()) != 1:
            total = sum(shares.values(), Decimal(0))
            self.problem(
                ("tables", name, "rows"),
                f"各档占比须大于 0，合计须为 1，现为 {total}",
                f"shares must be above 0 and add up to 1, they come to {total}",
            )
        barred = table.column("barred")
        if shares and barred[max(shares, key=lambda key: shares[key])]:
            self.problem(
                ("tables", name, "rows"),
                "人数最多的一档不能是禁入档",
                "the tier with the largest share cannot be a barred one",
            )

    def check_step(self, index: int, step: Step) -> None:
        path: Path = ("steps", index, "value")
        declared = self.unit(step.unit, ("steps", index, "unit"))
        try:
            node = parse(step.value)
            found = self.typer.type(node)
            if not agrees(found, declared):
                self.problem(
                    ("steps", index, "unit"),
                    f"{step.step} 标为 {declared}，表达式却是 {found}",
                    f"{step.step} says {declared}, its expression is {found}",
                )
            self.steps.append(CheckedStep(step, node, declared))
        except ExpressionError as error:
            self.problem(path, error.text.zh, error.text.en, error.column)
        except Mismatch as error:
            self.problem(path, error.text.zh, error.text.en, error.node.column)
        self.declare(step.step, step.unit, ("steps", index, "step"), known=declared)

    def check_pay(self) -> None:
        """Section 0: a monthly rulebook with pay reads every adjustment in yuan; those in points refuse if unread."""
        taken = {given.take for given in self.rulebook.inputs.values() if given.read == "adjustment"}
        if self.rulebook.pays and self.rulebook.period == "month" and "yuan" not in taken:
            self.problem(
                ("inputs",),
                "按月计薪的办法须读取以元计的调整：read: adjustment, take: yuan",
                "a monthly rulebook with pay reads adjustments in yuan: read: adjustment, take: yuan",
            )
        for step in ("pay",) if self.rulebook.pays else ():
            if self.typer.types.get(step) != parse_unit("yuan"):
                self.problem(("steps",), "pay 的单位须是 yuan", "pay is in yuan")
