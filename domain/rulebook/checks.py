"""What can be wrong with a rulebook beyond its shape: names, units, arguments, tables. Everything
is found at once.

`check` gives the program that the evaluator runs: every step with its expression and type.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import Text
from domain.rulebook import units
from domain.rulebook.declarations import input_mistakes, only_mistakes, table_mistakes
from domain.rulebook.digits import Sizes
from domain.rulebook.expression_types import OF_ITSELF, RESERVED, WARNINGS, Mismatch, Typer, agrees
from domain.rulebook.expressions import ExpressionError, Node, parse
from domain.rulebook.model import Input, Rulebook, Step, Table, digest_of, load
from domain.rulebook.source import BrokenRulebook, Path, Problem, Source
from domain.rulebook.units import RATIO, Type, parse_unit


@dataclass(frozen=True)
class CheckedStep:
    """A step with its parsed expression."""

    step: Step
    node: Node
    type: Type


@dataclass(frozen=True, eq=False)  # one text is checked once: a program is itself
class Program:
    """A rulebook that holds, ready to be evaluated."""

    rulebook: Rulebook
    steps: tuple[CheckedStep, ...]
    digest: str
    text: str


def check(text: str, file: str = "rulebook") -> Program:
    """The program of a rulebook's text. Raises BrokenRulebook with every mistake, each with line
    and column.
    """
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
        self.typer, self.sizes = Typer(rulebook), Sizes(rulebook)
        self.steps: list[CheckedStep] = []

    def problem(self, path: Path, zh: str, en: str, offset: int = 0) -> None:
        self.problems.append(Problem(self.source.place(path, offset), Text(zh, en)))

    def run(self) -> None:
        """Everything, in the order in which a reader meets it."""
        if "everyone" in self.rulebook.roles and len(self.rulebook.roles) > 1:
            self.problem(("roles",), "everyone 不与其他岗位并列", "everyone stands alone")
        for place, text in only_mistakes(self.rulebook):
            self.problem(place, *text)
        for name in {*WARNINGS, *OF_ITSELF} & self.rulebook.warnings.keys():
            self.problem(
                ("warnings", name),
                f"{name} 是系统的警告，请换一个代码",
                f"{name} is a warning of the service",
            )
        for name, parameter in self.rulebook.parameters.items():
            self._declare(
                name, self._unit(parameter.unit, ("parameters", name, "unit")), ("parameters", name)
            )
        for name, table in self.rulebook.tables.items():
            self._check_table(name, table)
        for name, given in self.rulebook.inputs.items():
            self._check_input(name, given)
        for index, step in enumerate(self.rulebook.steps):
            self._check_step(index, step)
        self._check_pay()

    def _check_table(self, name: str, table: Table) -> None:
        path: Path = ("tables", name)
        self._free(name, path)
        if table.unit:
            self._unit(table.unit, (*path, "unit"))
        for column, unit in table.columns.items():
            self._unit(unit, (*path, "columns", column))
        for place, text in table_mistakes(name, table):
            self.problem(place, *text)

    def _check_input(self, name: str, given: Input) -> None:
        path: Path = ("inputs", name)
        kind = self._unit(given.unit, (*path, "unit"))
        self._free(name, path)
        if given.items is None:
            self.typer.types[name] = kind
        else:
            self.typer.groups[name] = kind
            self.typer.types |= {f"{name}.{item}": kind for item in given.items}
        for place, text in input_mistakes(name, given, self.rulebook):
            self.problem(place, *text)

    def _check_step(self, index: int, step: Step) -> None:
        path: Path = ("steps", index, "value")
        declared = self._unit(step.unit, ("steps", index, "unit"))
        try:
            node = parse(step.value)
            found = self.typer.type(node)
            self.sizes.check(step.step, node)
            if not agrees(found, declared, node):
                self.problem(
                    ("steps", index, "unit"),
                    f"{step.step} 标为 {declared}，表达式却是 {found}",
                    f"{step.step} says {declared}, its expression is {found}",
                )
            self.steps.append(CheckedStep(step, node, declared))
        except ExpressionError as error:
            self.problem(path, *error.text, error.column)
        except Mismatch as error:
            self.problem(path, *error.text, error.node.column)
        self._declare(step.step, declared, ("steps", index, "step"))
        self._group(step.step, declared, ("steps", index, "step"))

    def _group(self, name: str, kind: Type, path: Path) -> None:
        """Steps that share what stands before the last dot are a group, which can be summed if all
        are alike.
        """
        prefix = name.rpartition(".")[0]
        if not prefix:
            return
        if prefix in self.typer.types or prefix.partition(".")[0] in {
            *self.rulebook.inputs,
            *self.rulebook.tables,
        }:
            self.problem(path, f"名称 {prefix} 已用过", f"the name {prefix} is taken")
        before = self.typer.groups.get(prefix, kind)
        self.typer.groups[prefix] = kind if before == kind else None

    def _declare(self, name: str, kind: Type, path: Path) -> None:
        self._free(name, path)
        self.typer.types[name] = kind

    def _free(self, name: str, path: Path) -> None:
        if name in RESERVED:
            self.problem(
                path,
                f"{name} 是规则语言的保留词，请换一个名称",
                f"{name} is a word of the language: choose another name",
            )
        taken = {
            *self.typer.types,
            *self.typer.groups,
            *(self.rulebook.tables if path[0] != "tables" else ()),
        }
        if name in taken - RESERVED:
            self.problem(path, f"名称 {name} 已用过", f"the name {name} is taken")

    def _unit(self, text: str, path: Path) -> Type:
        try:
            return parse_unit(text)
        except units.UnknownUnit as error:
            known = ", ".join([*units.BASE_UNITS, *sorted(units.PLAIN), "flag", "text", "date"])
            self.problem(
                path,
                f"没有单位 {error}，可用：{known}，或 a/b",
                f"no unit {error}: one of {known}, or a/b",
            )
            return RATIO

    def _check_pay(self) -> None:
        """Section 0: a monthly rulebook with pay reads every adjustment in yuan; those in points
        refuse if unread.
        """
        taken = {
            given.take for given in self.rulebook.inputs.values() if given.read == "adjustment"
        }
        if self.rulebook.pays and self.rulebook.period == "month" and "yuan" not in taken:
            self.problem(
                ("inputs",),
                "按月计薪的办法须读取以元计的调整：read: adjustment, take: yuan",
                "a monthly rulebook with pay reads adjustments in yuan: read: adjustment, take: "
                "yuan",
            )
        for index, step in enumerate(self.rulebook.steps):
            if step.step == "pay" and step.unit != "yuan":
                self.problem(("steps", index, "unit"), "pay 的单位须是 yuan", "pay is in yuan")
