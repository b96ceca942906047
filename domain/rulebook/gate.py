"""发布前的检查: what a rulebook that computes can still lack before people are paid by it.

Every clause that it cites has a step, every figure a use, no table a hole, no tier that nobody can
come to.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.rulebook.expression_types import numeric_keys
from domain.rulebook.expressions import Call, Node, Words, children, names
from domain.rulebook.model import load
from domain.rulebook.ranges import Ranges
from domain.rulebook.source import Path, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.rulebook.checks import Program
    from domain.rulebook.model import Rulebook, Table

Mistake = tuple[Path, Text]  # where in the rulebook, and what to do about it


def weaknesses(program: Program) -> list[Problem]:
    """Everything that stands in the way of publishing, with its place; the examples are run
    elsewhere.
    """
    rulebook, source = load(program.text)
    expressions = [checked.node for checked in program.steps]
    mistakes = [
        *unread(rulebook, expressions),
        *unsaid(rulebook, expressions),
        *uncited(rulebook),
        *holes(rulebook),
    ]
    problems = [Problem(source.place(path), text) for path, text in mistakes]
    ranges = Ranges(rulebook)
    for index, checked in enumerate(program.steps):
        for node, text in ranges.mistakes(checked.step.step, checked.node):
            problems.append(Problem(source.place(("steps", index, "value"), node.column), text))
    return sorted(set(problems))


def unread(rulebook: Rulebook, expressions: Sequence[Node]) -> Iterator[Mistake]:
    """Parameters, tables and inputs that no step reads."""
    words = {name.name for node in expressions for name in names(node)}
    for given in rulebook.inputs.values():
        words |= {bound for bound in (given.low, given.high, given.above) if isinstance(bound, str)}
    read = words | {word.partition(".")[0] for word in words}
    for section in ("parameters", "tables", "inputs"):
        for name, part in getattr(rulebook, section).items():
            if name not in read:
                clause = f"（{part.clause}）" if part.clause else ""
                yield (
                    (section, name),
                    Text(
                        f"没有步骤用到 {name}{clause}；请写出步骤或删去",
                        f"no step reads {name}: add one, or remove it",
                    ),
                )


def unsaid(rulebook: Rulebook, expressions: Sequence[Node]) -> Iterator[Mistake]:
    """Warnings that no step gives."""
    given = {code for node in expressions for code in _warnings(node)}
    for code in rulebook.warnings.keys() - given:
        yield (
            ("warnings", code),
            Text(f"没有步骤给出警告 {code}", f"no step warns of {code}: add one, or remove it"),
        )


def _warnings(node: Node) -> Iterator[str]:
    if isinstance(node, Call) and isinstance(warn := node.option("warn"), Words):
        yield warn.value
    for child in children(node):
        yield from _warnings(child)


def uncited(rulebook: Rulebook) -> Iterator[Mistake]:
    """Clauses that only an example names."""
    cited = {step.clause for step in rulebook.steps} | {
        given.clause for given in rulebook.inputs.values()
    }
    cited |= {parameter.clause for parameter in rulebook.parameters.values()}
    cited |= {table.clause for table in rulebook.tables.values()} | {
        note.clause for note in rulebook.notes
    }
    for index, example in enumerate(rulebook.examples):
        if example.clause is not None and example.clause not in cited:
            yield (
                ("examples", index, "clause"),
                Text(
                    f"没有步骤依据 {example.clause}；请改正或写出步骤",
                    f"no step cites {example.clause}: correct it, or add the step",
                ),
            )


def holes(rulebook: Rulebook) -> Iterator[Mistake]:
    """Whole numbers that are missing between the keys of a table, such as grade 6 between 5 and
    7.
    """
    for name, table in rulebook.tables.items():
        if missing := _missing(table):
            listed = ", ".join(map(str, missing))
            yield (
                ("tables", name, "rows"),
                Text(f"表格缺少 {listed} 的行", f"the table has no row for {listed}"),
            )


def _missing(table: Table) -> list[int]:
    if table.match != "exact" or not numeric_keys(table.rows):
        return []
    keys = [Decimal(key) for key in table.rows]
    if any(key != key.to_integral_value() for key in keys):
        return []
    there = {int(key) for key in keys}
    return list(
        islice((number for number in range(min(there), max(there)) if number not in there), 5)
    )
