"""发布前的检查: what a rulebook that computes may still lack before people are paid by it.

Every clause that it cites must have a step, every figure a use, every table all its rows, every row
and condition must be reachable, and pay must come to whole cents.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.rulebook.expression_types import numeric_keys
from domain.rulebook.expressions import Call, Node, Words, children, names
from domain.rulebook.figures.cents import DecimalPlaces
from domain.rulebook.figures.ranges import Ranges
from domain.rulebook.model import load
from domain.rulebook.source import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.rulebook.checks import Program
    from domain.rulebook.model import Rulebook, Table
    from domain.rulebook.source import Mistake

MISSING_ROWS_SHOWN = 5


def find_weaknesses(program: Program) -> list[Problem]:
    """Everything that prevents publication; the rulebook's examples are run elsewhere."""
    rulebook, source = load(program.text)
    expressions = [checked.node for checked in program.steps]
    mistakes = [
        *unused_parts(rulebook, expressions),
        *unused_warnings(rulebook, expressions),
        *uncited_clauses(rulebook),
        *missing_rows(rulebook),
        *unused_cycle(rulebook),
    ]
    problems = [Problem(source.locate(path), text) for path, text in mistakes]
    ranges, decimals = Ranges(rulebook), DecimalPlaces(rulebook)
    for index, checked in enumerate(program.steps):
        for node, text in ranges.find_impossible(checked.step.step, checked.node):
            location = source.locate(("steps", index, "value"), node.column)
            problems.append(Problem(location, text))
        for path, text in decimals.mistakes(index, checked.step.step, checked.node):
            problems.append(Problem(source.locate(path), text))
    return sorted(set(problems))


# Read by the month check and not by steps: the share from which on pay has changed.
MONTH_PARAMETERS = frozenset({"change_share"})


def unused_parts(rulebook: Rulebook, expressions: Sequence[Node]) -> Iterator[Mistake]:
    """Parameters, tables and inputs that no step reads."""
    words = {name.name for node in expressions for name in names(node)}
    for spec in rulebook.inputs.values():
        words |= {bound for bound in (spec.low, spec.high, spec.above) if isinstance(bound, str)}
    read = words | {word.partition(".")[0] for word in words} | MONTH_PARAMETERS
    for section in ("parameters", "tables", "inputs"):
        for name, part in getattr(rulebook, section).items():
            if name not in read:
                clause = f"（{part.clause}）" if part.clause else ""
                text = Text(
                    f"没有步骤用到 {name}{clause}；请写出步骤或删去",
                    f"no step reads {name}: add one, or remove it",
                )
                yield (section, name), text


def unused_warnings(rulebook: Rulebook, expressions: Sequence[Node]) -> Iterator[Mistake]:
    """Own warnings that no step gives."""
    used = {code for node in expressions for code in _warnings_given(node)}
    for code in rulebook.warnings.keys() - used:
        text = Text(
            f"没有步骤给出警告 {code}", f"no step gives the warning {code}: add one, or remove it"
        )
        yield ("warnings", code), text


def _warnings_given(node: Node) -> Iterator[str]:
    if isinstance(node, Call) and isinstance(warn := node.option("warn"), Words):
        yield warn.value
    for child in children(node):
        yield from _warnings_given(child)


def uncited_clauses(rulebook: Rulebook) -> Iterator[Mistake]:
    """Clauses that only an example names."""
    cited: set[str | None] = {step.clause for step in rulebook.steps}
    cited |= {spec.clause for spec in rulebook.inputs.values()}
    cited |= {parameter.clause for parameter in rulebook.parameters.values()}
    cited |= {table.clause for table in rulebook.tables.values()}
    cited |= {note.clause for note in rulebook.notes}
    for index, example in enumerate(rulebook.examples):
        if example.clause is not None and example.clause not in cited:
            text = Text(
                f"没有步骤依据 {example.clause}；请改正或写出步骤",
                f"no step cites {example.clause}: correct it, or add the step",
            )
            yield ("examples", index, "clause"), text


def unused_cycle(rulebook: Rulebook) -> Iterator[Mistake]:
    """Windows and days of a rulebook by which no month is paid."""
    if rulebook.cycle.days and not rulebook.pays:
        text = Text(
            "没有 pay 步骤的办法不决定考核周期；请删去 cycle",
            "a rulebook without a step pay decides no month's days: remove cycle",
        )
        yield ("cycle",), text


def missing_rows(rulebook: Rulebook) -> Iterator[Mistake]:
    """Whole numbers missing between a table's keys, such as grade 6 between 5 and 7."""
    for name, table in rulebook.tables.items():
        if missing := _missing_keys(table):
            listed = ", ".join(map(str, missing))
            text = Text(f"表格缺少 {listed} 的行", f"the table has no row for {listed}")
            yield ("tables", name, "rows"), text


def _missing_keys(table: Table) -> list[int]:
    if table.match != "exact" or not numeric_keys(table.rows):
        return []
    keys = {Decimal(key) for key in table.rows}
    if any(key != key.to_integral_value() for key in keys):
        return []
    between = range(int(min(keys)), int(max(keys)))  # may be huge: not made a list
    return list(islice((key for key in between if key not in keys), MISSING_ROWS_SHOWN))
