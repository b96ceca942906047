"""The bounds of an input: names that give no figure, other units, bounds that leave no figure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.rulebook.units import UnknownUnit, parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.rulebook.model import Input, Rulebook
    from domain.rulebook.source import Mistake

BOUND_KEYS = ("low", "high", "above")


def bound_mistakes(name: str, spec: Input, rulebook: Rulebook) -> Iterator[Mistake]:
    """What is wrong with an input's bounds."""
    for key in BOUND_KEYS:
        bound = getattr(spec, key)
        text = _name_mistake(key, bound, name, rulebook) if isinstance(bound, str) else None
        if text is not None:
            yield ("inputs", name, key), text
    items = list(spec.items or [""])
    if any(_is_empty(spec.low, spec.high, item, rulebook) for item in items):
        yield ("inputs", name, "low"), Text("low 大于 high", "low is above high")
    if any(_is_empty(spec.above, spec.high, item, rulebook, open_end=True) for item in items):
        text = Text(
            "above 须小于 high，否则没有数可用", "above must be below high, or no figure is left"
        )
        yield ("inputs", name, "above"), text


def _name_mistake(key: str, bound: str, name: str, rulebook: Rulebook) -> Text | None:
    """What is wrong with a bound that names a table or another input."""
    spec = rulebook.inputs[name]
    unit = _unit_of_bound(bound, spec, rulebook)
    if unit is None:
        return Text(
            f"{key} 须是数、行与 items 一致的表格（或 表格.列），或有 default 的指标",
            f"{key} is a figure, a table (or table.column) with the items as rows, or a measure "
            "with a default",
        )
    if name in _inputs_behind(bound, rulebook):
        return Text(f"{name} 的范围取决于它自己", f"the bounds of {name} depend on {name} itself")
    # With take: count, the bounds are of the entries' values, whose unit is not declared.
    if spec.take != "count" and _units_differ(unit, spec.unit):
        return Text(f"单位不同：{bound} 是 {unit}", f"units differ: {bound} is in {unit}")
    return None


def _unit_of_bound(bound: str, spec: Input, rulebook: Rulebook) -> str | None:
    """The unit of a table with a row for every item, or of a measure that always has a value.

    None for anything else: it cannot be a bound.
    """
    name, _, column = bound.partition(".")
    if table := rulebook.tables.get(name):
        if {*table.rows} != {*(spec.items or {})}:
            return None
        return table.columns.get(column) if column else table.unit
    other = rulebook.inputs.get(bound)
    if other is None or other.read != "measure" or other.default is None or other.items is not None:
        return None
    return other.unit


def _inputs_behind(bound: str, rulebook: Rulebook) -> set[str]:
    """The inputs that must be read to know a bound: the input that it names, and its bounds."""
    inputs, waiting = set[str](), [bound]
    while waiting:
        name = waiting.pop()
        if name in rulebook.inputs and name not in inputs:
            inputs.add(name)
            bounds = (getattr(rulebook.inputs[name], key) for key in BOUND_KEYS)
            waiting += [other for other in bounds if isinstance(other, str)]
    return inputs


def _units_differ(unit: str, other: str) -> bool:
    try:
        return parse_unit(unit) != parse_unit(other)
    except UnknownUnit:
        return False  # reported where the unit is written


def _is_empty(
    low: Decimal | str | None,
    high: Decimal | str | None,
    item: str,
    rulebook: Rulebook,
    *,
    open_end: bool = False,
) -> bool:
    """Whether no figure is between the two bounds; a bound that is an input is not known here."""
    least, most = _written_figure(low, item, rulebook), _written_figure(high, item, rulebook)
    if least is None or most is None:
        return False
    return least > most or (open_end and least == most)


def _written_figure(bound: Decimal | str | None, item: str, rulebook: Rulebook) -> Decimal | None:
    if bound is None or isinstance(bound, Decimal):
        return bound
    name, _, column = bound.partition(".")
    table = rulebook.tables.get(name)
    return table.column(column).get(item) if table else None
