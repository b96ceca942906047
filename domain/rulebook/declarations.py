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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.rulebook.model import Input, Rulebook, Table
    from domain.rulebook.source import Mistake, Path

KEYS = {  # by `read`: the keys that an input may have beside label, unit, clause and read
    **{name: kind.keys for name, kind in READABLE.items()},
    "attribute": {"missing", "default", "take", "item", "one_of"},
    "statement": {"missing", "default", "take", "rulebook", "step"},
}
TAKES = {  # by `read`: the words of `take`, the default first
    **{name: kind.takes for name, kind in READABLE.items()},
    "attribute": ("text", "date"),
    "statement": ("mean", "latest"),
}
LEVELS = get_args(RaterLevel)
PLACEHOLDERS = re.compile(r"[<>{}]")

# tables


def table_mistakes(name: str, table: Table) -> Iterator[Mistake]:
    """What is wrong with a table: its columns, its units, its keys, the shares of its tiers."""
    path: Path = ("tables", name)
    if (table.unit is None) == (not table.columns):
        text = Text(
            "表格须写 unit（单列）或 columns（多列）之一",
            "a table has a unit (one column) or columns (several)",
        )
        yield path, text
    if not table.rows:
        yield (*path, "rows"), Text("表格没有行", "the table has no rows")
    yield from _table_unit_mistakes(path, table)
    yield from _row_mistakes(path, name, table)
    yield from _key_mistakes(path, table)
    if "share" in table.columns:
        yield from _tier_mistakes(path, table)


def _table_unit_mistakes(path: Path, table: Table) -> Iterator[Mistake]:
    units: dict[tuple[str, ...], str | None] = {("unit",): table.unit}
    units |= {("columns", column): unit for column, unit in table.columns.items()}
    for key, unit in units.items():
        if unit in {"text", "date"}:
            text = Text(
                "表格里是数字，单位不能是 text 或 date",
                "a table holds figures: its unit cannot be text or date",
            )
            yield (*path, *key), text


def _row_mistakes(path: Path, name: str, table: Table) -> Iterator[Mistake]:
    """Rows without the table's columns, and flags that are neither 0 nor 1."""
    optional = {column for column, unit in table.columns.items() if unit == "flag"}
    required = set(table.columns) - optional
    for key, row in table.rows.items():
        columns = set(row) if isinstance(row, dict) else set()
        has_columns = required <= columns <= {*table.columns}
        if isinstance(row, dict) != bool(table.columns) or not has_columns:
            listed = "、".join(table.columns) or "一个数", ", ".join(table.columns) or "one figure"
            text = Text(
                f"该行与表格的列不符，应有 {listed[0]}",
                f"the row does not have the table's columns: {listed[1]}",
            )
            yield (*path, "rows", key), text
        for column in optional & columns:
            if table.column(column)[key] not in {0, 1}:
                text = Text(f"{column} 只能是 0 或 1", f"{column} is 0 or 1")
                yield (*path, "rows", key, column), text
        if table.unit == "flag" and row not in (0, 1):
            yield (*path, "rows", key), Text(f"{name} 只能是 0 或 1", f"{name} is 0 or 1")


def _key_mistakes(path: Path, table: Table) -> Iterator[Mistake]:
    rows: Path = (*path, "rows")
    if not numeric_keys(table.rows):
        if table.match == "from":
            text = Text(
                "match: from 的键须是数字下限",
                "with match: from the keys are lower bounds, numbers",
            )
            yield rows, text
        return
    keys = [Decimal(key) for key in table.rows]
    if len(set(keys)) < len(keys):
        yield rows, Text("有两行的键是同一个数", "two rows have the same number as their key")
    if table.match == "from" and sorted(keys) != keys:
        yield rows, Text("下限须从小到大排列", "order the lower bounds from small to large")


def _tier_mistakes(path: Path, table: Table) -> Iterator[Mistake]:
    """Shares of a forced distribution that do not add up, and a largest tier that is barred."""
    rows: Path = (*path, "rows")
    shares = list(table.column("share").values())
    if sum(shares) != 1 or min(shares, default=0) <= 0:
        text = Text(
            f"各档占比须大于 0，合计须为 1，现为 {sum(shares)}",
            f"shares must be above 0 and add up to 1, they come to {sum(shares)}",
        )
        yield rows, text
    if shares and list(table.column("barred").values())[shares.index(max(shares))]:
        text = Text(
            "人数最多的一档不能是禁入档", "the tier with the largest share cannot be a barred one"
        )
        yield rows, text


# inputs


def input_mistakes(name: str, spec: Input, rulebook: Rulebook) -> Iterator[Mistake]:
    """What is wrong with an input: its keys, unit, codes, defaults and bounds."""
    path: Path = ("inputs", name)
    keys = KEYS[spec.read]
    for key in sorted(spec.model_fields_set - keys - {"label", "unit", "clause", "read"}):
        text = Text(
            f"read: {spec.read} 没有 {key}，可用：{'、'.join(sorted(keys))}",
            f"read: {spec.read} has no key {key}; it has {', '.join(sorted(keys))}",
        )
        yield (*path, key), text
    takes = TAKES[spec.read]
    if spec.take is not None and spec.take not in takes:
        text = Text(
            f"read: {spec.read} 的 take 可用：{', '.join(takes)}",
            f"with read: {spec.read} take is one of {', '.join(takes)}",
        )
        yield (*path, "take"), text
    yield from _unit_mistakes(path, spec)
    yield from _one_of_mistakes(path, spec)
    yield from _code_mistakes(path, spec)
    yield from _gap_mistakes(path, spec)
    if spec.read == "adjustment":
        yield from _adjustment_mistakes(path, name, spec, rulebook)
    if spec.read == "statement" and not (spec.rulebook and spec.step):
        text = Text(
            "读取考核单须写明 rulebook 和 step", "to read statements, write rulebook and step"
        )
        yield path, text
    yield from bound_mistakes(name, spec, rulebook)


def _unit_mistakes(path: Path, spec: Input) -> Iterator[Mistake]:
    is_attribute = spec.read == "attribute"
    if spec.unit == "flag" or (spec.unit in {"text", "date"}) != is_attribute:
        text = Text(
            "属性的单位是 text 或 date，其他输入是数的单位；是否成立用比较来写",
            "the unit of an attribute is text or date, of any other input that of a figure; write "
            "a condition as a comparison",
        )
        yield (*path, "unit"), text
    if is_attribute and spec.take not in {None, spec.unit}:
        yield (*path, "take"), Text("take 与 unit 不一致", "take and unit differ")


def _one_of_mistakes(path: Path, spec: Input) -> Iterator[Mistake]:
    if spec.one_of is None:
        return
    if spec.unit == "date":
        text = Text("one_of 只用于 unit: text", "one_of is for attributes with unit: text")
        yield (*path, "one_of"), text
    elif spec.default is not None and spec.default not in spec.one_of:
        listed = ", ".join(spec.one_of)
        text = Text(f"default 须是 one_of 之一：{listed}", f"default is one of {listed}")
        yield (*path, "default"), text


def _code_mistakes(path: Path, spec: Input) -> Iterator[Mistake]:
    """Placeholders in item codes and levels that the input cannot fill."""
    if spec.level == "{item}" and spec.items is None:
        text = Text("{item} 只用于有 items 的输入", "{item} is for inputs with items")
        yield (*path, "level"), text
    if spec.read == "rating" and spec.level == "{item}" and spec.items is not None:
        yield from _level_mistakes(path, spec)
    elif spec.items is not None and spec.item is not None and "{item}" not in spec.item:
        text = Text("各项的代码须含 {item}", "the item code of a group must contain {item}")
        yield (*path, "item"), text
    rest = spec.item or ""
    if spec.items is not None:
        rest = rest.replace("{item}", "", 1)
    if spec.read == "measure":
        rest = re.sub(r"<\w+>", "", rest, count=1)
    if PLACEHOLDERS.search(rest):
        text = Text(
            "代码中 {item} 只用于有 items 的输入，<属性> 只用于 measure",
            "in a code {item} is for inputs with items, <attribute> for a measure",
        )
        yield (*path, "item"), text


def _level_mistakes(path: Path, spec: Input) -> Iterator[Mistake]:
    """A group by rater level splits the ratings of one code, so the code must be one."""
    if spec.item is None or "{item}" in spec.item:
        text = Text(
            "各层级的评价是同一代码，用 item 写明，不含 {item}",
            "all levels rate one code: write it as item, without {item}",
        )
        yield (*path, "item"), text
    for item in spec.items or ():
        if item not in LEVELS:
            text = Text(
                f"没有评价人层级 {item}，可用：{', '.join(LEVELS)}",
                f"there is no rater level {item}: one of {', '.join(LEVELS)}",
            )
            yield (*path, "items", item), text


def _gap_mistakes(path: Path, spec: Input) -> Iterator[Mistake]:
    """What is wrong with `missing` and `default`."""
    if spec.default is not None and spec.missing is not None:
        text = Text("default 与 missing 只写一个", "write default or missing, not both")
        yield (*path, "missing"), text
    if spec.missing == "warn" and spec.read in {"attribute", "statement"}:
        text = Text(
            "这里不能按 0 计，用 refuse 或 absent",
            "it cannot count 0 here: write refuse or absent",
        )
        yield (*path, "missing"), text
    if spec.default is None or spec.unit == "text":
        return
    if spec.unit == "date":
        if not is_date(spec.default):
            text = Text("default 应是 2026-10-31 这样的日期", "default is a date like 2026-10-31")
            yield (*path, "default"), text
        return
    try:
        parse_number(spec.default)
    except BadNumber as error:
        text = Text(f"default 应是数字：{error.text.zh}", f"default is a number: {error.text.en}")
        yield (*path, "default"), text


def _adjustment_mistakes(
    path: Path, name: str, spec: Input, rulebook: Rulebook
) -> Iterator[Mistake]:
    """Every adjustment counts once: the input that reads all must leave out those of others."""
    if spec.take is None:
        text = Text(
            "调整须写明 take: points 或 yuan", "an adjustment needs take: points or take: yuan"
        )
        yield path, text
    read_elsewhere = {
        other.item
        for other_name, other in rulebook.inputs.items()
        if other_name != name
        and other.read == "adjustment"
        and other.take == spec.take
        and other.item is not None
    }
    if spec.item is None and set(spec.but_not) != read_elsewhere:
        listed = sorted(read_elsewhere)
        text = Text(
            f"but_not 须恰好列出别处读取的项目：{'、'.join(listed) or '无'}",
            "but_not must list exactly the items that other inputs read: "
            f"{', '.join(listed) or 'none'}",
        )
        yield (*path, "but_not"), text


def only_mistakes(rulebook: Rulebook) -> Iterator[Mistake]:
    """What is wrong with `only`: names of other things, words that the attribute cannot have."""
    for attribute, words in rulebook.only.items():
        namesake = rulebook.inputs.get(attribute)
        if attribute in {*PERSON, "branch"} or (namesake and namesake.read != "attribute"):
            text = Text(
                f"only 按任职属性写，{attribute} 不是属性；岗位写在 roles",
                f"only is for attributes of the assignment, and {attribute} is none; write roles "
                "in roles",
            )
            yield ("only", attribute), text
        allowed = {
            word
            for name, spec in rulebook.inputs.items()
            if spec.read == "attribute" and (spec.item or name) == attribute
            for word in spec.one_of or ()
        }
        if allowed and not allowed & {*words}:
            listed = sorted(allowed)
            text = Text(
                f"{attribute} 只能是 {'、'.join(listed)}",
                f"{attribute} is one of {', '.join(listed)}",
            )
            yield ("only", attribute), text
