"""What can be wrong with the tables and inputs that a rulebook declares, beyond their shape."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

from domain.errors import Text
from domain.fact_kinds import READABLE
from domain.identifiers import is_date
from domain.numbers import BadNumber, parse_number
from domain.rulebook.bounds import bound_mistakes
from domain.rulebook.expression_types import PERSON, numeric_keys
from domain.rulebook.model import RaterLevel
from domain.rulebook.source import Path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.rulebook.model import Input, Rulebook, Table

Mistake = tuple[Path, Text]  # where in the rulebook, and what to write instead
KEYS = {  # what can be said of an input, beside label, unit, clause and read
    **{name: kind.keys for name, kind in READABLE.items()},
    "attribute": {"missing", "default", "take", "item", "one_of"},
    "statement": {"missing", "default", "take", "rulebook", "step"},
}
TAKES = {
    **{name: kind.takes for name, kind in READABLE.items()},
    "attribute": ("text", "date"),
    "statement": ("mean", "latest"),
}
LEVELS = get_args(RaterLevel)
PLACEHOLDERS = re.compile(r"[<>{}]")


def table_mistakes(name: str, table: Table) -> Iterator[Mistake]:
    """What is wrong with a table: columns that do not fit, bounds out of order, shares that do not
    add up.
    """
    path: Path = ("tables", name)
    if (table.unit is None) == (not table.columns):
        yield (
            path,
            Text(
                "表格须写 unit（单列）或 columns（多列）之一",
                "a table has a unit (one column) or columns (several)",
            ),
        )
    if not table.rows:
        yield (*path, "rows"), Text("表格没有行", "the table has no rows")
    yield from _table_unit_mistakes(path, table)
    optional = {column for column, unit in table.columns.items() if unit == "flag"}
    for key, row in table.rows.items():
        given = set(row) if isinstance(row, dict) else set()
        if isinstance(row, dict) != bool(table.columns) or not set(
            table.columns
        ) - optional <= given <= {*table.columns}:
            yield (
                (*path, "rows", key),
                Text(
                    f"该行与表格的列不符，应有 {'、'.join(table.columns) or '一个数'}",
                    "the row does not have the table's columns: "
                    f"{', '.join(table.columns) or 'one figure'}",
                ),
            )
        for column in optional & given:
            if table.column(column)[key] not in {0, 1}:
                yield (
                    (*path, "rows", key, column),
                    Text(f"{column} 只能是 0 或 1", f"{column} is 0 or 1"),
                )
        if table.unit == "flag" and row not in (0, 1):
            yield (*path, "rows", key), Text(f"{name} 只能是 0 或 1", f"{name} is 0 or 1")
    yield from _key_mistakes(path, table)
    if "share" in table.columns:
        yield from _tier_mistakes(path, table)


def _table_unit_mistakes(path: Path, table: Table) -> Iterator[Mistake]:
    units = {("unit",): table.unit} | {
        ("columns", column): unit for column, unit in table.columns.items()
    }
    for place, unit in units.items():
        if unit in {"text", "date"}:
            words = Text(
                "表格里是数字，单位不能是 text 或 date",
                "a table holds figures: its unit is no text or date",
            )
            yield (*path, *place), words


def _key_mistakes(path: Path, table: Table) -> Iterator[Mistake]:
    if not numeric_keys(table.rows):
        if table.match == "from":
            words = Text(
                "match: from 的键须是数字下限",
                "with match: from the keys are lower bounds, numbers",
            )
            yield (*path, "rows"), words
        return
    keys = [Decimal(key) for key in table.rows]
    if len(set(keys)) < len(keys):
        yield (
            (*path, "rows"),
            Text("有两行的键是同一个数", "two rows have the same number as their key"),
        )
    if table.match == "from" and sorted(keys) != keys:
        yield (
            (*path, "rows"),
            Text("下限须从小到大排列", "order the lower bounds from small to large"),
        )


def _tier_mistakes(path: Path, table: Table) -> Iterator[Mistake]:
    shares = list(table.column("share").values())
    if sum(shares) != 1 or min(shares, default=0) <= 0:
        yield (
            (*path, "rows"),
            Text(
                f"各档占比须大于 0，合计须为 1，现为 {sum(shares)}",
                f"shares must be above 0 and add up to 1, they come to {sum(shares)}",
            ),
        )
    if shares and list(table.column("barred").values())[shares.index(max(shares))]:
        words = Text(
            "人数最多的一档不能是禁入档", "the tier with the largest share cannot be a barred one"
        )
        yield (*path, "rows"), words


def input_mistakes(name: str, given: Input, rulebook: Rulebook) -> Iterator[Mistake]:
    """What is wrong with an input: keys that say nothing about such entries, bounds, defaults,
    codes.
    """
    path: Path = ("inputs", name)
    known = KEYS[given.read]
    for key in sorted(given.model_fields_set - known - {"label", "unit", "clause", "read"}):
        yield (
            (*path, key),
            Text(
                f"read: {given.read} 没有 {key}，可用：{'、'.join(sorted(known))}",
                f"there is no {key} with read: {given.read}, but {', '.join(sorted(known))}",
            ),
        )
    takes = TAKES[given.read]
    if given.take is not None and given.take not in takes:
        text = Text(
            f"read: {given.read} 的 take 可用：{', '.join(takes)}",
            f"with read: {given.read} take is one of {', '.join(takes)}",
        )
        yield (*path, "take"), text
    yield from _unit_mistakes(path, given)
    yield from _code_mistakes(path, given)
    yield from _gap_mistakes(path, given)
    if given.read == "adjustment":
        yield from _adjustment_mistakes(path, name, given, rulebook)
    if given.read == "statement" and not (given.rulebook and given.step):
        yield (
            path,
            Text("读取考核单须写明 rulebook 和 step", "reading statements names rulebook and step"),
        )
    yield from bound_mistakes(name, given, rulebook)


def _unit_mistakes(path: Path, given: Input) -> Iterator[Mistake]:
    words = given.read == "attribute"
    if given.unit == "flag" or (given.unit in {"text", "date"}) != words:
        yield (
            (*path, "unit"),
            Text(
                "属性的单位是 text 或 date，其他输入是数的单位；是否成立用比较来写",
                "an attribute is text or date, any other input a figure; whether it holds is a "
                "comparison",
            ),
        )
    if words and given.take not in {None, given.unit}:
        yield (*path, "take"), Text("take 与 unit 不一致", "take and unit differ")
    if given.one_of is not None and given.unit == "date":
        yield (
            (*path, "one_of"),
            Text("one_of 只用于 unit: text", "one_of is for attributes with unit: text"),
        )
    elif (
        given.one_of is not None and given.default is not None and given.default not in given.one_of
    ):
        listed = ", ".join(given.one_of)
        yield (
            (*path, "default"),
            Text(f"default 须是 one_of 之一：{listed}", f"default is one of {listed}"),
        )


def _code_mistakes(path: Path, given: Input) -> Iterator[Mistake]:
    rest = given.item or ""
    if given.level == "{item}" and given.items is None:
        yield (
            (*path, "level"),
            Text("{item} 只用于有 items 的输入", "{item} is for inputs with items"),
        )
    if given.read == "rating" and given.level == "{item}" and given.items is not None:
        yield from _level_mistakes(path, given)
    elif given.items is not None and given.item is not None and "{item}" not in given.item:
        yield (
            (*path, "item"),
            Text("各项的代码须含 {item}", "the code of a group's items has {item} in it"),
        )
    if given.items is not None:
        rest = rest.replace("{item}", "", 1)
    if given.read == "measure":
        rest = re.sub(r"<\w+>", "", rest, count=1)
    if PLACEHOLDERS.search(rest):
        yield (
            (*path, "item"),
            Text(
                "代码中 {item} 只用于有 items 的输入，<属性> 只用于 measure",
                "in a code {item} is for inputs with items, <attribute> for a measure",
            ),
        )


def _level_mistakes(path: Path, given: Input) -> Iterator[Mistake]:
    """A group by the raters' level parts the ratings of one code, so that those of no level of its
    can be told.
    """
    if given.item is None or "{item}" in given.item:
        words = Text(
            "各层级的评价是同一代码，用 item 写明，不含 {item}",
            "all levels rate one code: item, without {item}",
        )
        yield (*path, "item"), words
    for item in given.items or ():
        if item not in LEVELS:
            words = Text(
                f"没有评价人层级 {item}，可用：{', '.join(LEVELS)}",
                f"there is no level {item} of raters: one of {', '.join(LEVELS)}",
            )
            yield (*path, "items", item), words


def _gap_mistakes(path: Path, given: Input) -> Iterator[Mistake]:
    if given.default is not None and given.missing is not None:
        yield (
            (*path, "missing"),
            Text("default 与 missing 只写一个", "give default or missing, not both"),
        )
    if given.missing == "warn" and given.read in {"attribute", "statement"}:
        yield (
            (*path, "missing"),
            Text(
                "这里不能按 0 计，用 refuse 或 absent",
                "there is no 0 to count here: refuse or absent",
            ),
        )
    if given.default is None or given.unit == "text":
        return
    if given.unit == "date":
        if not is_date(given.default):
            yield (
                (*path, "default"),
                Text("default 应是 2026-10-31 这样的日期", "default is a date like 2026-10-31"),
            )
        return
    try:
        parse_number(given.default)
    except BadNumber as error:
        yield (
            (*path, "default"),
            Text(f"default 应是数字：{error.text.zh}", f"default is a number: {error.text.en}"),
        )


def _adjustment_mistakes(
    path: Path, name: str, given: Input, rulebook: Rulebook
) -> Iterator[Mistake]:
    """Every adjustment counts once: what one input reads by its item, the one that reads all others
    leaves out.
    """
    if given.take is None:
        yield (
            path,
            Text(
                "调整须写明 take: points 或 yuan", "an adjustment says take: points or take: yuan"
            ),
        )
    others = {
        n: other for n, other in rulebook.inputs.items() if n != name and other.read == "adjustment"
    }
    elsewhere = {
        other.item
        for other in others.values()
        if other.item is not None and other.take == given.take
    }
    if given.item is None and set(given.but_not) != elsewhere:
        yield (
            (*path, "but_not"),
            Text(
                f"but_not 须恰好列出别处读取的项目：{'、'.join(sorted(elsewhere)) or '无'}",
                "but_not lists exactly the items that are read elsewhere: "
                f"{', '.join(sorted(elsewhere)) or 'none'}",
            ),
        )


def only_mistakes(rulebook: Rulebook) -> Iterator[Mistake]:
    """What is wrong with `only`: what is no attribute, words that the attribute cannot be."""
    for attribute, words in rulebook.only.items():
        namesake = rulebook.inputs.get(attribute)
        if attribute in {*PERSON, "branch"} or (namesake and namesake.read != "attribute"):
            text = Text(
                f"only 按任职属性写，{attribute} 不是属性；岗位写在 roles",
                f"only names attributes of an assignment, {attribute} is something else; roles "
                "stand in roles",
            )
            yield ("only", attribute), text
        read = [
            g
            for name, g in rulebook.inputs.items()
            if g.read == "attribute" and (g.item or name) == attribute
        ]
        listed = {word for given in read for word in given.one_of or ()}
        if listed and not listed & {*words}:
            text = Text(
                f"{attribute} 只能是 {'、'.join(sorted(listed))}",
                f"{attribute} is one of {', '.join(sorted(listed))}",
            )
            yield ("only", attribute), text
