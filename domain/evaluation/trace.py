"""推导: how one person's figures came about, read from the kept columns.

Steps are not calculated again: the columns of the evaluation are the trace. Only a part within an
expression is computed anew, where it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.evaluation.columns import MEAN_PLACES, AnyColumn, Column, subtract
from domain.evaluation.evaluator import Runner
from domain.evaluation.functions import group_population
from domain.evaluation.operators import count_seats
from domain.evaluation.wording import LOOSE, ONE, PRODUCT, SUM, Bound, in_words
from domain.numbers import plain
from domain.rulebook.declarations import TAKES
from domain.rulebook.expression_types import PERSON
from domain.rulebook.expressions import (
    Call,
    Choice,
    Comparison,
    Name,
    Node,
    Number,
    Quotient,
    children,
    names,
)
from domain.rulebook.units import FLAG, FLAG_TYPE, unit_label
from domain.rulebook.vocabulary import HALF_UP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.evaluation.context import Evaluation
    from domain.rulebook.checks import CheckedStep, Program
    from domain.rulebook.model import Rulebook, Table

NONE = Text("无", "none")
YES_NO = {"1": Text("是", "yes"), "0": Text("否", "no")}


@dataclass(frozen=True)
class Operand:
    """What a step reads: `kind` is step, input, parameter, table or person."""

    name: str
    kind: str
    label: Text
    value: str | None  # None: the person has none, or it is a table
    averaged: Text | None = None  # of an input that is a mean of several figures: of how many


@dataclass(frozen=True)
class Limit:
    """封顶、保底、条件: what could limit a step, whether it did, and how far away it was."""

    kind: str  # cap, floor, condition, tier, seat
    fired: bool
    distance: str  # between the figure and the limit, never negative
    text: Text


@dataclass(frozen=True)
class StepTrace:
    """One step of a person's derivation."""

    step: str
    label: Text
    value: str | None  # None: an optional step that the person is without
    unit: str
    clause: str
    formula: Text
    figures: Text  # the formula with this person's figures
    reads: tuple[Operand, ...]
    limits: tuple[Limit, ...]
    positions: tuple[int, ...]  # ledger positions of the entries behind the inputs read here
    word: Text | None = None  # how the rulebook says a value that is a code

    def value_text(self, language: str) -> str:
        """The value with its unit; a flag is yes or no."""
        if self.value is None:
            return NONE.in_language(language)
        if self.unit == FLAG:
            return YES_NO[self.value].in_language(language)
        if self.word is not None:
            return f"{self.word.in_language(language)} ({self.value})"
        return f"{self.value} {self.unit_label(language)}".rstrip()

    def unit_label(self, language: str) -> str:
        return unit_label(self.unit, language)


@lru_cache(maxsize=4096)
def formula(program: Program, node: Node) -> Text:
    """An expression in words: the same for everyone."""
    label = program.rulebook.label_of
    return Text(
        in_words(node, "zh", lambda name: label(name).zh),
        in_words(node, "en", lambda name: label(name).en),
    )


def trace_steps(evaluation: Evaluation, row: int) -> list[StepTrace]:
    """Every step of a person, in the order of the rulebook."""
    tracer = _Tracer(evaluation, row)
    return [tracer.trace(checked) for checked in evaluation.program.steps]


def limits_of(evaluation: Evaluation, step: str, rows: Sequence[int]) -> list[list[Limit]]:
    """What could limit a step, of each of these people; without the derivation around it."""
    (checked,) = [c for c in evaluation.program.steps if c.step.step == step]
    tracer, found = _Tracer(evaluation, 0), []
    for row in rows:
        tracer.row = row
        found.append(list(tracer.limits(checked.node)))
    return found


def positions_read(evaluation: Evaluation, row: int) -> set[int]:
    """The ledger positions of all that a person's steps read."""
    tracer = _Tracer(evaluation, row)
    return {
        position
        for checked in evaluation.program.steps
        for position in tracer.positions(checked.node)
    }


class _Tracer:
    """Reads one person's figures; a part of an expression is computed anew where it is shown."""

    def __init__(self, evaluation: Evaluation, row: int) -> None:
        self.evaluation, self.row = evaluation, row
        self.rulebook: Rulebook = evaluation.program.rulebook
        self.flags = {c.step.step for c in evaluation.program.steps if c.type == FLAG_TYPE}
        # The evaluation has reported its warnings and findings; computing parts must add none.
        self.runner = Runner(replace(evaluation, warnings=[], findings=[], gaps={}))
        self.computed = {
            id(c.node): evaluation.steps[c.step.step] for c in evaluation.program.steps
        }

    def trace(self, checked: CheckedStep) -> StepTrace:
        step, node = checked.step, checked.node
        value = self.value(self.evaluation.steps[step.step])
        said = step.words.get(value or "")
        return StepTrace(
            step.step,
            step.label.text,
            value,
            step.unit,
            step.clause,
            self.words(node),
            Text(self.in_figures(node, "zh"), self.in_figures(node, "en")),
            tuple(self.operands(node)),
            tuple(self.limits(node)),
            tuple(sorted(self.positions(node))),
            said.text if said else None,
        )

    # values

    def value(self, column: AnyColumn) -> str | None:
        """The person's value of a column; None where there is none."""
        row = self.row if len(column) > 1 else 0
        return column.text(row) if column.poison is None or not column.poison[row] else None

    def result(self, node: Node) -> str | None:
        """The person's value of an expression."""
        return self.value(self.compute(node))

    def compute(self, node: Node) -> AnyColumn:
        """An expression or a part of one, computed once."""
        if id(node) not in self.computed:
            self.computed[id(node)] = self.runner.compute(node)
        return self.computed[id(node)]

    def compute_figure(self, node: Node) -> Column:
        column = self.compute(node)
        assert isinstance(column, Column), node
        return column

    def value_of(self, name: str) -> str | None:
        """The person's value of what has this name."""
        return self.value(self.runner.column_of(name))

    # words and figures

    def words(self, node: Node) -> Text:
        return formula(self.evaluation.program, node)

    def in_figures(self, node: Node, language: str) -> str:
        """The expression with this person's figures instead of names.

        A call over many people or items is written out, or shown by its result.
        """

        def show(name: str) -> str:
            table = name.partition(".")[0]
            if table in self.rulebook.tables:
                return self.rulebook.label_of(table).in_language(language)
            if not self.is_figure(name):
                return self.rulebook.label_of(name).in_language(language)
            value = self.value_of(name) or NONE.in_language(language)
            return YES_NO.get(value, NONE).in_language(language) if name in self.flags else value

        return in_words(node, language, show, lambda call: self.call_in_figures(call, language))

    def call_in_figures(self, node: Call, language: str) -> Bound | None:
        """How a call is shown with figures, and how strongly that holds together; None where its
        phrase says enough.
        """
        match node.function:
            case "sum" | "mean" if len(node.arguments) == 1:
                return self.items_in_figures(node, language)
            case "sumproduct":
                return self.items_in_figures(node, language)
            case "lookup":
                key = self.in_figures(node.arguments[1], language)
                return f"{key} → {self.said(node, language)}", LOOSE
            case "has":
                words = Text("没有「{0}」", "there is no「{0}」")
                if self.result(node) == "1":
                    words = Text("有「{0}」", "there is「{0}」")
                subject = self.words(node.arguments[0]).in_language(language)
                return words.in_language(language).format(subject), ONE
            case "sum" | "mean" | "count" | "share" | "tenure":
                formula = self.words(node).in_language(language)
                return f"{self.said(node, language)}〔{formula}〕", ONE
            case "rank":
                words = Text("第 {0} 名，共 {1} 人", "place {0} of {1} people")
                size = self.group_size(node, 1)
                return words.in_language(language).format(self.said(node, language), size), ONE
            case "distribute":
                return self.seats(node, language), ONE
        return None

    def group_size(self, node: Call, argument: int) -> int:
        """How many people are in this person's group of the population."""
        groups = group_population(self.runner, node, argument)
        return int(groups.sizes[groups.codes[self.row]])

    def said(self, node: Node, language: str) -> str:
        """The person's value of an expression, or that there is none."""
        return self.result(node) or NONE.in_language(language)

    def items_in_figures(self, node: Call, language: str) -> Bound:
        """What is computed from the items of a group, written out."""
        if self.result(node) is None:
            return NONE.in_language(language), ONE
        if node.function == "sumproduct":
            return self.products(node)
        if node.function == "sum":
            return self.sum_of_items(node)
        return self.mean_of_items(node, language), LOOSE

    def sum_of_items(self, node: Call) -> Bound:
        """The items of a group that the person has, without what is 0."""
        figures = [figure for figure in self.items(node).values() if figure != "0"]
        return " + ".join(figures) or "0", SUM if len(figures) > 1 else ONE

    def mean_of_items(self, node: Call, language: str) -> str:
        """The items of a group that the person has, over their number or their weights."""
        items = self.items(node)
        rounding = HALF_UP.in_language(language).format(places=MEAN_PLACES)
        option = node.option("weights")
        if option is None:
            return f"({' + '.join(items.values())}) ÷ {len(items)}{rounding}"
        assert isinstance(option, Name)
        weights = {item: plain(weight) for item, weight in self.column(option.name).items()}
        terms = " + ".join(f"{figure} × {weights[item]}" for item, figure in items.items())
        return f"({terms}) ÷ ({' + '.join(weights[item] for item in items)}){rounding}"

    def items(self, node: Call) -> dict[str, str]:
        """By item: the figures of a group that the person has."""
        group = node.arguments[0]
        assert isinstance(group, Name)
        if group.name.partition(".")[0] in self.rulebook.tables:
            return {item: plain(figure) for item, figure in self.column(group.name).items()}
        start = len(group.name) + 1
        figures = {name[start:]: self.value_of(name) for name in self.members(group.name)}
        return {item: figure for item, figure in figures.items() if figure is not None}

    def column(self, name: str) -> dict[str, Decimal]:
        """The figures of `table` or `table.column`, by row."""
        table, _, part = name.partition(".")
        return self.rulebook.tables[table].column(part)

    def seats(self, node: Call, language: str) -> str:
        """The person's place, and the seats of every tier."""
        seats = zip(self.tiers(node).rows, self.count_seats(node), strict=True)
        listed = "、".join(f"{tier}:{count}" for tier, count in seats)
        words = Text("名次 {0}，{1} 人的席位 {2}", "place {0}; seats for {1} people {2}")
        place = self.in_figures(node.arguments[0], language)
        return words.in_language(language).format(place, self.group_size(node, 2), listed)

    def tiers(self, node: Call) -> Table:
        """The table of a forced distribution."""
        table = node.arguments[1]
        assert isinstance(table, Name)
        return self.rulebook.tables[table.name]

    def count_seats(self, node: Call) -> list[int]:
        """The seats of every tier in the person's group."""
        shares = list(self.tiers(node).column("share").values())
        return count_seats(shares, self.group_size(node, 2))

    def products(self, node: Call) -> Bound:
        """Σ quantity × unit score, without what is 0."""
        group, table = node.arguments
        assert isinstance(group, Name)
        assert isinstance(table, Name)
        terms = []
        for item, figure in self.column(table.name).items():
            quantity = self.value_of(f"{group.name}.{item}") or "0"
            if quantity != "0":
                terms.append(f"{quantity} × {plain(figure)}")
        return " + ".join(terms) or "0", SUM if len(terms) > 1 else PRODUCT

    # names

    def is_figure(self, name: str) -> bool:
        """Whether the name is of one value of this person, not of a group or a population."""
        if name in self.evaluation.steps or name in self.rulebook.parameters:
            return True
        if name in {*PERSON, "none"}:
            return True
        if spec := self.rulebook.inputs.get(name):
            return spec.items is None
        return any(name.startswith(f"{group}.") for group in self.rulebook.inputs)

    def names_read(self, node: Node) -> list[str]:
        """Every name that the step reads, once each; groups are written out."""
        read: dict[str, None] = {}
        for name in (part.name for part in names(node)):
            table = name.partition(".")[0]
            if name in {"branch", "none"}:
                continue
            if table in self.rulebook.tables:
                read[table] = None
            elif self.is_figure(name):
                read[name] = None
            else:
                read |= dict.fromkeys(self.members(name))
        return list(read)

    def members(self, group: str) -> list[str]:
        """The names of a group: an input's items, or steps with a common prefix."""
        spec = self.rulebook.inputs.get(group)
        if spec is not None and spec.items is not None:
            return [f"{group}.{item}" for item in spec.items]
        return [name for name in self.evaluation.steps if name.rpartition(".")[0] == group]

    def operands(self, node: Node) -> Iterator[Operand]:
        for name in self.names_read(node):
            kind = self.kind_of(name)
            value = None if kind == "table" else self.value_of(name)
            averaged = self.averaged(name) if kind == "input" and value is not None else None
            yield Operand(name, kind, self.rulebook.label_of(name), value, averaged)

    def averaged(self, name: str) -> Text | None:
        """That an input is a mean of several figures, how many, and how it is rounded."""
        spec, _ = self.rulebook.input_of(name)
        count = len(self.positions_of_input(name))
        if (spec.take or TAKES[spec.read][0]) != "mean" or count < 2:
            return None
        rounding = Text(*(text.format(places=MEAN_PLACES) for text in HALF_UP))
        return Text(f"{count} 个数的平均{rounding.zh}", f"mean of {count} figures{rounding.en}")

    def kind_of(self, name: str) -> str:
        if name in self.rulebook.tables:
            return "table"
        if name in self.evaluation.steps:
            return "step"
        if name in self.rulebook.parameters:
            return "parameter"
        return "person" if name in PERSON else "input"

    def positions(self, node: Node) -> set[int]:
        """Ledger positions of the person's entries behind the inputs that the step reads."""
        inputs = self.evaluation.inputs
        positions: set[int] = set()
        for name in self.names_read(node):
            kind = self.kind_of(name)
            if kind == "person":
                positions |= inputs.positions_of_person(self.row)
            elif kind == "input":
                positions |= self.positions_of_input(name)
        return positions

    def positions_of_input(self, name: str) -> set[int]:
        """Ledger positions of the person's entries behind an input."""
        spec, item = self.rulebook.input_of(name)
        group = name if item is None else name[: -len(item) - 1]
        return self.evaluation.inputs.positions(group, spec, item, self.row)

    # limits

    def limits(self, node: Node) -> Iterator[Limit]:
        """Every cap, floor and condition in the expression, with whether it bound this person."""
        match node:
            case Call(function="min" | "max"):
                for limit in node.arguments[1:]:
                    yield from self.cap_or_floor(node.function, node.arguments[0], limit)
            case Call(function="lookup"):
                yield from self.next_tier(node)
            case Call(function="distribute"):
                yield from self.seat(node)
            case Choice():
                if not _is_guard(node.condition):
                    yield from self.limits(node.condition)
                yield from self.limits(node.then)
                yield from self.limits(node.otherwise)
                return
            case Quotient():
                return
            case Comparison():
                yield from self.condition(node)
        for child in children(node):
            yield from self.limits(child)

    def cap_or_floor(self, function: str, subject: Node, limit: Node) -> Iterator[Limit]:
        figure, bound = self.compute_figure(subject), self.compute_figure(limit)
        if self.value(figure) is None or self.value(bound) is None:
            return
        over = subtract(figure, bound) if function == "min" else subtract(bound, figure)
        fired = int(over.data[self.row if len(over) > 1 else 0]) > 0
        distance = (self.value(over) or "").lstrip("-")
        name, size = self.limit_name(function, limit, bound), self.value(figure)
        if function == "min":
            zh = f"触发，{size} 超出 {distance}" if fired else f"未触发，{size}"
            en = f"bound, {size} is {distance} above" if fired else f"did not bind, {size}"
            kind = "cap"
        else:
            zh = f"触发，{size} 不足 {distance}" if fired else f"未触发，{size}"
            en = f"bound, {size} is {distance} below" if fired else f"did not bind, {size}"
            kind = "floor"
        yield Limit(kind, fired, distance, Text(f"{name.zh}：{zh}", f"{name.en}: {en}"))

    def limit_name(self, function: str, limit: Node, bound: Column) -> Text:
        """The words of a cap or floor, with its value."""
        zh, en = self.words(limit)
        if isinstance(limit, Number):  # a figure without a name
            kind = Text("上限", "limit of") if function == "min" else Text("下限", "floor of")
            return Text(f"{kind.zh} {zh}", f"{kind.en} {en}")
        return Text(f"{zh} {self.value(bound)}", f"{en} {self.value(bound)}")

    def condition(self, node: Comparison) -> Iterator[Limit]:
        left, right = self.compute(node.left), self.compute(node.right)
        if not (isinstance(left, Column) and isinstance(right, Column)):
            return
        result, gap = self.result(node), self.value(subtract(left, right))
        if result is None or gap is None:
            return
        fired = result == "1"
        a, b = self.value(left), self.value(right)
        zh, en = self.words(node)
        words = Text(
            f"{zh}：{a} 对 {b}，{'成立' if fired else '不成立'}",
            f"{en}: {a} against {b}, {'holds' if fired else 'does not hold'}",
        )
        yield Limit("condition", fired, gap.lstrip("-"), words)

    def next_tier(self, node: Call) -> Iterator[Limit]:
        """How far the value is from the next lower bound of a table of tiers."""
        name = node.arguments[0]
        assert isinstance(name, Name)
        table = self.rulebook.tables[name.name.partition(".")[0]]
        key = self.result(node.arguments[1]) if table.match == "from" else None
        if key is None:
            return
        above = [bound for bound in map(Decimal, table.rows) if bound > Decimal(key)]
        if above:
            gap = plain(min(above) - Decimal(key))
            words = Text(
                f"《{table.label.zh}》下一档自 {min(above)} 起：{key}，差 {gap}",
                f"the next tier of “{table.label.en}” begins at {min(above)}: {key} is {gap} below",
            )
            yield Limit("tier", False, gap, words)

    def seat(self, node: Call) -> Iterator[Limit]:
        """How many places the person is behind the last seat of the tiers above."""
        rows = list(self.tiers(node).rows)
        tier, place = self.result(node), self.result(node.arguments[0])
        if tier not in rows[1:] or place is None:
            return
        better = rows[: rows.index(tier)]
        taken = sum(self.count_seats(node)[: len(better)])
        behind = int(place) - taken
        if behind > 0:  # otherwise not the seats decided, but that the person is barred
            words = Text(
                f"第 {'、'.join(better)} 档共 {taken} 席：第 {place} 名，差 {behind} 名",
                f"{taken} seats in {', '.join(better)}: place {place}, {behind} behind",
            )
            yield Limit("seat", True, str(behind), words)


def _is_guard(condition: Node) -> bool:
    """Whether a choice only asks if a figure is 0: the figures show that themselves."""
    return (
        isinstance(condition, Comparison)
        and isinstance(condition.right, Number)
        and condition.right.value == 0
    )
