"""What does not fit its field, in both languages: pydantic's kinds of error in the ledger's
words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from domain.errors import Reason, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = 80  # characters of a value that are repeated to whoever sent it
_WORD = re.compile(r"'([^']*)'")

_WORDS = {
    "string_type": ("应是文本（请加引号）", "must be text: put it in quotes"),
    "string_too_long": ("最多 {max_length} 个字符", "at most {max_length} characters"),
    "string_pattern_mismatch": ("应符合格式 {pattern}", "must be of the form {pattern}"),
    "string_unicode": ("不是完整的文字", "is no text that can be written"),
    "literal_error": ("应是其中之一：{words}", "must be one of: {words}"),
    "enum": ("应是其中之一：{words}", "must be one of: {words}"),
    "greater_than": ("应大于 {gt}", "must be above {gt}"),
    "greater_than_equal": ("不能小于 {ge}", "must be at least {ge}"),
    "less_than": ("应小于 {lt}", "must be below {lt}"),
    "less_than_equal": ("不能大于 {le}", "must be at most {le}"),
    "too_long": ("最多 {max_length} 项", "at most {max_length} items"),
    "list_type": ("应是数组 […]", "must be a list, […]"),
    "int_parsing_size": ("应是不超过 18 位的整数", "must be a whole number of at most 18 digits"),
    "json_invalid": ("不是 JSON", "is no JSON"),
}
_FAMILIES = {  # of kinds that begin alike and mean the same
    "int": ("应是整数", "must be a whole number"),
    "bool": ("应是 true 或 false", "must be true or false"),
    "dict": ("应是对象 {{…}}", "must be an object, {{…}}"),
    "model": ("应是对象 {{…}}", "must be an object, {{…}}"),
    "date": ("应是日期，写成 YYYY-MM-DD", "must be a date: write YYYY-MM-DD"),
    "float": ("应是数字", "must be a number"),
    "decimal": ("应是数字", "must be a number"),
}


def missing(field: str) -> Reason:
    """A field that must be there is not."""
    return Reason("missing_field", field, Text("缺少必填字段", "required field is missing"))


def misfit(error: Mapping[str, Any]) -> Text:
    """What one of pydantic's errors says, without the value. Its English alone where the kind of
    error is not known.
    """
    kind, facts = error["type"], dict(error.get("ctx", {}))
    said: Text | None = getattr(facts.get("error"), "text", None)
    if said is not None:
        return said
    if kind in {"string_too_short", "too_short"}:
        return _too_short(kind, facts["min_length"])
    found = _WORDS.get(kind) or _FAMILIES.get(kind.partition("_")[0])
    if found is None:
        return Text("不合要求，请对照 /openapi.json 核对", error["msg"])
    words = _WORD.findall(str(facts.get("expected", "")))
    return Text(
        found[0].format(words="、".join(words), **facts),
        found[1].format(words=", ".join(words), **facts),
    )


def _too_short(kind: str, least: int) -> Text:
    if least == 1:
        return Text("不能为空", "must not be empty")
    if kind == "too_short":
        return Text(f"至少 {least} 项", f"at least {least} items")
    return Text(f"至少 {least} 个字符", f"at least {least} characters")


def shown(value: object) -> str:
    """A value as it is repeated in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
