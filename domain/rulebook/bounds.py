"""What can be wrong with the bounds of an input: names that give no figure, other units, bounds
that leave nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from domain.errors import Text
from domain.rulebook.units import UnknownUnit, parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.rulebook.model import Input, Rulebook
    from domain.rulebook.source import Path

KEYS = ("low", "high", "above")


def bound_mistakes(name: str, given: Input, rulebook: Rulebook) -> Iterator[tuple[Path, Text]]:
    """What is wrong with an input's bounds, each with its place."""
    for key in KEYS:
        bound = getattr(given, key)
        text = _name_mistake(key, bound, name, rulebook) if isinstance(bound, str) else None
        if text is not None:
            yield ("inputs", name, key), text
    items = [*(given.items or {""})]
    if any(_crossed(given.low, given.high, item, rulebook) for item in items):
        yield ("inputs", name, "low"), Text("low 大于 high", "low is above high")
    if any(_crossed(given.above, given.high, item, rulebook, equal=True) for item in items):
        words = Text(
            "above 须小于 high，否则没有数可用", "above must be below high, or no figure is left"
        )
        yield ("inputs", name, "above"), words


def _name_mistake(key: str, bound: str, name: str, rulebook: Rulebook) -> Text | None:
    given = rulebook.inputs[name]
    unit = _unit(bound, given, rulebook)
    if unit is None:
        return Text(
            f"{key} 须是数、行与 items 一致的表格（或 表格.列），或有 default 的指标",
            f"{key} is a figure, a table (or table.column) with the items as rows, or a measure "
            "with a default",
        )
    if name in _chain(bound, rulebook):
        return Text(f"{name} 的范围取决于它自己", f"the bounds of {name} depend on {name} itself")
    if given.take != "count" and _differ(
        unit, given.unit
    ):  # of what is counted, the values are bound
        return Text(f"单位不同：{bound} 是 {unit}", f"units differ: {bound} is in {unit}")
    return None


def _unit(bound: str, given: Input, rulebook: Rulebook) -> str | None:
    """The unit of a table that has a figure for every item, or of an input that always has one;
    None for all else.
    """
    word, _, column = bound.partition(".")
    if table := rulebook.tables.get(word):
        return (
            (table.columns.get(column) if column else table.unit)
            if {*table.rows} == {*(given.items or {})}
            else None
        )
    other = rulebook.inputs.get(bound)
    always = (
        other is not None
        and other.read == "measure"
        and other.default is not None
        and other.items is None
    )
    return other.unit if other is not None and always else None


def _chain(bound: str, rulebook: Rulebook) -> set[str]:
    """The inputs that must be read to know a bound."""
    found, open_still = set[str](), [bound]
    while open_still:
        name = open_still.pop()
        if name in rulebook.inputs and name not in found:
            found.add(name)
            bounds = (getattr(rulebook.inputs[name], key) for key in KEYS)
            open_still += [other for other in bounds if isinstance(other, str)]
    return found


def _differ(unit: str, other: str) -> bool:
    try:
        return parse_unit(unit) != parse_unit(other)
    except UnknownUnit:
        return False  # told where the unit is written


def _crossed(
    low: Decimal | str | None,
    high: Decimal | str | None,
    item: str,
    rulebook: Rulebook,
    *,
    equal: bool = False,
) -> bool:
    """Whether what is written leaves no figure between them; measures are known only when they are
    recorded.
    """
    least, most = _figure(low, item, rulebook), _figure(high, item, rulebook)
    return least is not None and most is not None and (least > most or (equal and least == most))


def _figure(bound: Decimal | str | None, item: str, rulebook: Rulebook) -> Decimal | None:
    if bound is None or isinstance(bound, Decimal):
        return bound
    word, _, column = bound.partition(".")
    table = rulebook.tables.get(word)
    return table.column(column).get(item) if table else None
