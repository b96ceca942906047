"""What can be wrong with a rulebook beyond its shape: names, units, arguments, tables.

All mistakes are found at once. `check` gives the program that the evaluator runs: every step with
its expression and type.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import Text
from domain.numbers import BadNumber, parse_number, plain
from domain.rulebook import units
from domain.rulebook.declarations import input_mistakes, only_mistakes, table_mistakes
from domain.rulebook.expression_types import (
    AUTOMATIC_WARNINGS,
    RESERVED,
    WARNINGS,
    Mismatch,
    Typer,
    agrees,
)
from domain.rulebook.expressions import ExpressionError, Node, parse
from domain.rulebook.figures.digits import Sizes
from domain.rulebook.model import Input, Rulebook, Step, Table, load, text_digest
from domain.rulebook.source import BrokenRulebook, Path, Problem, Source
from domain.rulebook.units import RATIO, Type, parse_unit


@dataclass(frozen=True)
class CheckedStep:
    """A step with its parsed expression."""

    step: Step
    node: Node
    type: Type


@dataclass(frozen=True, eq=False)  # compared by identity: one text is checked once
class Program:
    """A rulebook without mistakes, ready to be evaluated."""

    rulebook: Rulebook
    steps: tuple[CheckedStep, ...]
    digest: str
    text: str


def check(text: str, file: str = "rulebook") -> Program:
    """The program of a rulebook's text. Raises BrokenRulebook with every mistake."""
    rulebook, source = load(text, file)
    checker = _Checker(rulebook, source)
    checker.run()
    if checker.problems:
        raise BrokenRulebook(list(dict.fromkeys(checker.problems)), file)
    return Program(rulebook, tuple(checker.steps), text_digest(text), text)


class _Checker:
    def __init__(self, rulebook: Rulebook, source: Source) -> None:
        self.rulebook, self.source = rulebook, source
        self.problems: list[Problem] = []
        self.typer, self.sizes = Typer(rulebook), Sizes(rulebook)
        self.steps: list[CheckedStep] = []

    def problem(self, path: Path, zh: str, en: str, offset: int = 0) -> None:
        self.problems.append(Problem(self.source.locate(path, offset), Text(zh, en)))

    def run(self) -> None:
        """Checks everything in the order of a rulebook: a step may use what is above it."""
        self._check_head()
        for name, parameter in self.rulebook.parameters.items():
            path: Path = ("parameters", name)
            self._declare(name, self._parse_unit(parameter.unit, (*path, "unit")), path)
        for name, table in self.rulebook.tables.items():
            self._check_table(name, table)
        for name, spec in self.rulebook.inputs.items():
            self._check_input(name, spec)
        for index, step in enumerate(self.rulebook.steps):
            self._check_step(index, step)
        self._check_pay()
        self._check_standing()

    def _check_head(self) -> None:
        if "everyone" in self.rulebook.roles and len(self.rulebook.roles) > 1:
            self.problem(
                ("roles",),
                "everyone 不与其他岗位并列",
                "everyone cannot be listed with other roles",
            )
        for path, text in only_mistakes(self.rulebook):
            self.problem(path, *text)
        for name in {*WARNINGS, *AUTOMATIC_WARNINGS} & self.rulebook.warnings.keys():
            self.problem(
                ("warnings", name),
                f"{name} 是系统的警告，请换一个代码",
                f"{name} is a warning of the service: choose another code",
            )

    def _check_table(self, name: str, table: Table) -> None:
        path: Path = ("tables", name)
        self._check_free(name, path)
        if table.unit:
            self._parse_unit(table.unit, (*path, "unit"))
        for column, unit in table.columns.items():
            self._parse_unit(unit, (*path, "columns", column))
        for mistake_path, text in table_mistakes(name, table):
            self.problem(mistake_path, *text)

    def _check_input(self, name: str, spec: Input) -> None:
        path: Path = ("inputs", name)
        type_ = self._parse_unit(spec.unit, (*path, "unit"))
        self._check_free(name, path)
        if spec.items is None:
            self.typer.types[name] = type_
        else:
            self.typer.groups[name] = type_
            self.typer.types |= {f"{name}.{item}": type_ for item in spec.items}
        for mistake_path, text in input_mistakes(name, spec, self.rulebook):
            self.problem(mistake_path, *text)

    def _check_step(self, index: int, step: Step) -> None:
        path: Path = ("steps", index, "value")
        declared = self._parse_unit(step.unit, ("steps", index, "unit"))
        try:
            node = parse(step.value)
            actual = self.typer.type(node)
            self.sizes.check(step.step, node)
            if not agrees(actual, declared, node):
                self.problem(
                    ("steps", index, "unit"),
                    f"{step.step} 标为 {declared}，表达式却是 {actual}",
                    f"{step.step} says {declared}, its expression is {actual}",
                )
            self.steps.append(CheckedStep(step, node, declared))
        except ExpressionError as error:
            self.problem(path, *error.text, error.column)
        except Mismatch as error:
            self.problem(path, *error.text, error.node.column)
        if step.words and step.unit != "text":
            self.problem(
                ("steps", index, "words"),
                f"words 只用于单位为 text 的步骤；{step.step} 的单位是 {declared}",
                f"words are for steps of unit text; the unit of {step.step} is {declared}",
            )
        self._declare(step.step, declared, ("steps", index, "step"))
        self._add_to_group(step.step, declared, ("steps", index, "step"))

    def _add_to_group(self, name: str, type_: Type, path: Path) -> None:
        """Steps with a common part before the last dot are a group.

        It can be summed if all members are of one type; otherwise its type is None.
        """
        prefix = name.rpartition(".")[0]
        if not prefix:
            return
        first = prefix.partition(".")[0]
        if prefix in self.typer.types or first in {*self.rulebook.inputs, *self.rulebook.tables}:
            self.problem(path, f"名称 {prefix} 已用过", f"the name {prefix} is taken")
        type_before = self.typer.groups.get(prefix, type_)
        self.typer.groups[prefix] = type_ if type_before == type_ else None

    def _declare(self, name: str, type_: Type, path: Path) -> None:
        self._check_free(name, path)
        self.typer.types[name] = type_

    def _check_free(self, name: str, path: Path) -> None:
        if name in RESERVED:
            self.problem(
                path,
                f"{name} 是规则语言的保留词，请换一个名称",
                f"{name} is reserved in the rule language: choose another name",
            )
        taken = {*self.typer.types, *self.typer.groups}
        if path[0] != "tables":
            taken |= {*self.rulebook.tables}
        if name in taken - RESERVED:
            self.problem(path, f"名称 {name} 已用过", f"the name {name} is taken")

    def _parse_unit(self, text: str, path: Path) -> Type:
        try:
            return parse_unit(text)
        except units.UnknownUnit as error:
            known = ", ".join([*units.BASE_UNITS, *sorted(units.PLAIN), "flag", "text", "date"])
            self.problem(
                path,
                f"没有单位 {error}，可用：{known}，或 a/b",
                f"there is no unit {error}: one of {known}, or a/b",
            )
            return RATIO

    def _check_pay(self) -> None:
        """A monthly rulebook with pay reads every adjustment in yuan."""
        takes = {spec.take for spec in self.rulebook.inputs.values() if spec.read == "adjustment"}
        if self.rulebook.pays and self.rulebook.period == "month" and "yuan" not in takes:
            self.problem(
                ("inputs",),
                "按月计薪的办法须读取以元计的调整：read: adjustment, take: yuan",
                "a monthly rulebook with pay must read adjustments in yuan: read: adjustment, "
                "take: yuan",
            )
        for index, step in enumerate(self.rulebook.steps):
            if step.step == "pay" and step.unit != "yuan":
                path = ("steps", index, "unit")
                self.problem(path, "pay 的单位须是 yuan", "the unit of pay must be yuan")

    def _check_standing(self) -> None:
        """What decides promotion and exit is a step; its values are written as statements do."""
        steps = {step.step: step for step in self.rulebook.steps}
        for outcome, standing in self.rulebook.standing.items():
            path: Path = ("standing", outcome)
            if standing.step not in steps:
                self.problem(
                    (*path, "step"),
                    f"没有步骤 {standing.step}",
                    f"there is no step {standing.step}",
                )
            elif steps[standing.step].unit != "text":
                for value in standing.values:
                    if not _is_plain(value):
                        self.problem(
                            (*path, "values"),
                            f"{value} 不是数字；请写成考核单上的样子，例如 1",
                            f"{value} is not a figure: write it as statements have it, such as 1",
                        )


def _is_plain(value: str) -> bool:
    try:
        return plain(parse_number(value)) == value
    except BadNumber:
        return False
