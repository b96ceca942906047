"""推导: how one person's figures came about, read from the kept columns. The trace is the
calculation, not a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.evaluation.columns import AnyColumn, Column, subtract
from domain.evaluation.evaluator import Runner
from domain.evaluation.functions import group_of
from domain.evaluation.operators import count_seats
from domain.evaluation.wording import in_words
from domain.numbers import plain
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.evaluation.evaluator import Evaluation
    from domain.rulebook.checks import CheckedStep, Program
    from domain.rulebook.model import Rulebook

NONE = Text("无", "none")
YES_NO = {"1": Text("是", "yes"), "0": Text("否", "no")}


@dataclass(frozen=True)
class Read:
    """What a step reads: a step, an input or one item of it, a parameter, a table, or what is known
    of the person.
    """

    name: str
    kind: str
    label: Text
    value: str | None  # None: this person has none, or it is a table


@dataclass(frozen=True)
class Limit:
    """封顶、保底、条件: what could bind at a step, whether it did, and how far away it was."""

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
    figures: Text
    reads: tuple[Read, ...]
    limits: tuple[Limit, ...]
    positions: tuple[
        int, ...
    ]  # ledger positions of the person's entries behind the inputs read here

    def told(self, language: str) -> str:
        """The value with its unit, as people say it: a flag is yes or no."""
        if self.value is None:
            return NONE.in_language(language)
        if self.unit == FLAG:
            return YES_NO[self.value].in_language(language)
        return f"{self.value} {self.unit_label(language)}".rstrip()

    def unit_label(self, language: str) -> str:
        """The unit as people write it."""
        return unit_label(self.unit, language)


@lru_cache(maxsize=4096)
def formula(program: Program, node: Node) -> Text:
    """An expression in words: the same for everyone."""
    label = program.rulebook.label_of
    return Text(
        in_words(node, "zh", lambda name: label(name).zh),
        in_words(node, "en", lambda name: label(name).en),
    )


def derivation(evaluation: Evaluation, row: int) -> list[StepTrace]:
    """Every step of a person, in the order of the rulebook."""
    tracer = _Tracer(evaluation, row)
    return [tracer.step(checked) for checked in evaluation.program.steps]


class _Tracer:
    def __init__(self, evaluation: Evaluation, row: int) -> None:
        self.evaluation, self.row = evaluation, row
        self.rulebook: Rulebook = evaluation.program.rulebook
        self.flags = {c.step.step for c in evaluation.program.steps if c.type == FLAG_TYPE}
        # Parts of expressions are computed anew for their figures; what they warn of has been said
        # already.
        self.runner = Runner(replace(evaluation, warnings=[], findings=[]))
        self.computed = {
            id(c.node): evaluation.steps[c.step.step] for c in evaluation.program.steps
        }

    def step(self, checked: CheckedStep) -> StepTrace:
        step = checked.step
        return StepTrace(
            step.step,
            step.label.text,
            self.value(self.evaluation.steps[step.step]),
            step.unit,
            step.clause,
            self.words(checked.node),
            Text(self.in_figures(checked.node, "zh"), self.in_figures(checked.node, "en")),
            tuple(self.reads(checked.node)),
            tuple(self.limits(checked.node)),
            tuple(sorted(self.positions(checked.node))),
        )

    def value(self, column: AnyColumn) -> str | None:
        at = self.row if len(column) > 1 else 0
        return column.text(at) if column.poison is None or not column.poison[at] else None

    def words(self, node: Node) -> Text:
        return formula(self.evaluation.program, node)

    def in_figures(self, node: Node, language: str) -> str:
        """The expression with this person's figures; what stands for many people or items is
        written out or summed.
        """

        def show(name: str) -> str:
            table = name.partition(".")[0]
            if table in self.rulebook.tables or not self.is_figure(name):
                return self.rulebook.label_of(
                    table if table in self.rulebook.tables else name
                ).in_language(language)
            value = self.value(self.runner.named(name)) or NONE.in_language(language)
            return YES_NO.get(value, NONE).in_language(language) if name in self.flags else value

        return in_words(node, language, show, lambda call: self.special(call, language))

    def special(self, node: Call, language: str) -> str | None:
        """How a call is shown with figures, where its phrase would not say enough."""
        match node.function:
            case "sumproduct":
                return self.products(node)
            case "sum" | "mean" if len(node.arguments) == 1:
                return self.items(node)
            case "lookup":
                return f"{self.in_figures(node.arguments[1], language)} → {self.result(node)}"
            case "has":
                there = (
                    Text("有", "there is")
                    if self.result(node) == "1"
                    else Text("没有", "there is no")
                )
                return f"{there.in_language(language)}「{self.words(node.arguments[0]).in_language(language)}」"
            case "sum" | "mean" | "count" | "share" | "tenure":
                words = self.words(node).in_language(language)
                return f"{self.result(node) or NONE.in_language(language)}〔{words}〕"
            case "rank":
                words = Text("第 {0} 名，共 {1} 人", "place {0} of {1} people").in_language(
                    language
                )
                return words.format(self.result(node), self.size(node, 1))
            case "distribute":
                return self.seats(node, language)
        return None

    def result(self, node: Node) -> str | None:
        return self.value(self.compute(node))

    def compute(self, node: Node) -> AnyColumn:
        """An expression or a part of one, computed once."""
        if id(node) not in self.computed:
            self.computed[id(node)] = self.runner.compute(node)
        return self.computed[id(node)]

    def size(self, node: Call, argument: int) -> int:
        """People in this person's group of the population."""
        groups = group_of(self.runner, node, argument)
        return int(groups.sizes[groups.codes[self.row]])

    def items(self, node: Call) -> str:
        group = node.arguments[0]
        assert isinstance(group, Name)
        values = [self.value(self.runner.named(name)) for name in self.members(group.name)]
        there = [value for value in values if value is not None]
        shown = (
            " + ".join(value for value in there if value != "0" or node.function == "mean") or "0"
        )
        return shown if node.function == "sum" else f"({shown}) ÷ {len(there)}"

    def seats(self, node: Call, language: str) -> str:
        table = node.arguments[1]
        assert isinstance(table, Name)
        rows = self.rulebook.tables[table.name].rows
        listed = "、".join(
            f"{key}:{count}" for key, count in zip(rows, self.seats_of(node), strict=True)
        )
        words = Text(
            "名次 {0}，{1} 人的席位 {2}", "place {0}; seats for {1} people {2}"
        ).in_language(language)
        return words.format(
            self.in_figures(node.arguments[0], language), self.size(node, 2), listed
        )

    def seats_of(self, node: Call) -> list[int]:
        """The seats of every tier for the person's population."""
        table = node.arguments[1]
        assert isinstance(table, Name)
        return count_seats(
            list(self.rulebook.tables[table.name].column("share").values()), self.size(node, 2)
        )

    def products(self, node: Call) -> str:
        """Σ quantity × unit score, without what is 0."""
        group, table = node.arguments
        assert isinstance(group, Name)
        assert isinstance(table, Name)
        name, _, part = table.name.partition(".")
        terms = []
        for item, figure in self.rulebook.tables[name].column(part).items():
            quantity = self.value(self.runner.named(f"{group.name}.{item}")) or "0"
            if quantity != "0":
                terms.append(f"{quantity} × {figure}")
        return " + ".join(terms) or "0"

    def is_figure(self, name: str) -> bool:
        """Whether the name stands for one figure of this person, not for a group."""
        if (
            name in self.evaluation.steps
            or name in self.rulebook.parameters
            or name in {"grade", "role", "team", "none"}
        ):
            return True
        given = self.rulebook.inputs.get(name)
        return (
            given.items is None
            if given
            else any(name.startswith(f"{n}.") for n in self.rulebook.inputs)
        )

    def expanded(self, node: Node) -> Iterator[str]:
        """Every name that the step reads, groups written out."""
        for found in names(node):
            if found.name in {"branch", "none"}:
                continue
            name = found.name.partition(".")[0]
            if name in self.rulebook.tables:
                yield name
            elif self.is_figure(found.name):
                yield found.name
            elif found.name != "team":
                yield from self.members(found.name)

    def members(self, group: str) -> list[str]:
        given = self.rulebook.inputs.get(group)
        if given is not None and given.items is not None:
            return [f"{group}.{item}" for item in given.items]
        return [name for name in self.evaluation.steps if name.rpartition(".")[0] == group]

    def reads(self, node: Node) -> Iterator[Read]:
        for name in dict.fromkeys(self.expanded(node)):
            label = self.rulebook.label_of(name)
            if name in self.rulebook.tables:
                yield Read(name, "table", label, None)
            elif name in self.evaluation.steps:
                yield Read(name, "step", label, self.value(self.evaluation.steps[name]))
            elif name in self.rulebook.parameters:
                yield Read(name, "parameter", label, self.value(self.runner.named(name)))
            else:
                kind = "person" if name in {"grade", "role", "team"} else "input"
                yield Read(name, kind, label, self.value(self.runner.named(name)))

    def positions(self, node: Node) -> set[int]:
        """The person's entries behind the inputs that the step reads."""
        found: set[int] = set()
        for name in dict.fromkeys(self.expanded(node)):
            if (
                name in self.evaluation.steps
                or name in self.rulebook.parameters
                or name in self.rulebook.tables
            ):
                continue
            if name in {"grade", "role", "team"}:
                found |= self.evaluation.inputs.positions_of_person(self.row)
                continue
            given, item = self.runner.find_input(name)
            found |= self.evaluation.inputs.positions(
                name if item is None else name[: -len(item) - 1], given, item, self.row
            )
        return found

    def limits(self, node: Node) -> Iterator[Limit]:
        """Every cap, floor and condition in the expression, with whether it bound this person."""
        match node:
            case Call(function="min" | "max"):
                for limit in node.arguments[1:]:
                    yield self.bound(node.function, node.arguments[0], limit)
            case Call(function="lookup"):
                yield from self.next_tier(node)
            case Call(function="distribute"):
                yield from self.seat(node)
            case Choice():
                yield from (
                    limit for limit in self.limits(node.condition) if not _is_guard(node.condition)
                )
                yield from self.limits(node.then)
                yield from self.limits(node.otherwise)
                return
            case Quotient():
                return
            case Comparison():
                yield from self.condition(node)
        for child in children(node):
            yield from self.limits(child)

    def bound(self, function: str, subject: Node, limit: Node) -> Limit:
        a, b = self.figure(subject), self.figure(limit)
        over = subtract(a, b) if function == "min" else subtract(b, a)
        fired = int(over.data[self.row if len(over) > 1 else 0]) > 0
        distance = (self.value(over) or "").lstrip("-")
        zh_name, en_name = self.words(limit).zh, self.words(limit).en
        if isinstance(limit, Number):  # a figure without a name
            kind = Text("上限", "limit of") if function == "min" else Text("下限", "floor of")
            zh_name, en_name = f"{kind.zh} {zh_name}", f"{kind.en} {en_name}"
        size, top = self.value(a), "" if isinstance(limit, Number) else f" {self.value(b)}"
        if function == "min":
            words = Text(
                f"{zh_name}{top}："
                + (f"触发，{size} 超出 {distance}" if fired else f"未触发，{size}"),
                f"{en_name}{top}: "
                + (f"bound, {size} is {distance} above" if fired else f"did not bind, {size}"),
            )
            return Limit("cap", fired, distance, words)
        words = Text(
            f"{zh_name}{top}：" + (f"触发，{size} 不足 {distance}" if fired else f"未触发，{size}"),
            f"{en_name}{top}: "
            + (f"bound, {size} is {distance} below" if fired else f"did not bind, {size}"),
        )
        return Limit("floor", fired, distance, words)

    def condition(self, node: Comparison) -> Iterator[Limit]:
        left, right = self.compute(node.left), self.compute(node.right)
        if not (isinstance(left, Column) and isinstance(right, Column)):
            return
        result, gap = self.value(self.compute(node)), self.value(subtract(left, right))
        if result is None or gap is None:
            return
        fired = result == "1"
        a, b = self.value(left), self.value(right)
        zh, en = self.words(node).zh, self.words(node).en
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
        above = [
            Decimal(bound)
            for bound in table.rows
            if key is not None and Decimal(bound) > Decimal(key)
        ]
        if above:
            gap = plain(min(above) - Decimal(key or 0))
            words = Text(
                f"《{table.label.zh}》下一档自 {min(above)} 起：{key}，差 {gap}",
                f"the next tier of “{table.label.en}” begins at {min(above)}: {key} is {gap} below",
            )
            yield Limit("tier", False, gap, words)

    def seat(self, node: Call) -> Iterator[Limit]:
        """How many places the person is behind the last seat of the tiers above."""
        table = node.arguments[1]
        assert isinstance(table, Name)
        rows, tier, place = (
            [*self.rulebook.tables[table.name].rows],
            self.result(node),
            self.result(node.arguments[0]),
        )
        if tier not in rows[1:] or place is None:
            return
        better = rows[: rows.index(tier)]
        taken = sum(self.seats_of(node)[: len(better)])
        behind = int(place) - taken
        if behind > 0:  # else a bar, and not the seats, decided
            words = Text(
                f"第 {'、'.join(better)} 档共 {taken} 席：第 {place} 名，差 {behind} 名",
                f"{taken} seats in {', '.join(better)}: place {place}, {behind} behind",
            )
            yield Limit("seat", True, str(behind), words)

    def figure(self, node: Node) -> Column:
        column = self.compute(node)
        assert isinstance(column, Column), node
        return column


def _is_guard(condition: Node) -> bool:
    """Whether a choice only asks if there is anything at all: that is seen in the figures."""
    return (
        isinstance(condition, Comparison)
        and isinstance(condition.right, Number)
        and condition.right.value == 0
    )
