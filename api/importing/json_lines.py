"""JSON Lines: one entry a line, in UTF-8. What JSON leaves open and pay cannot is refused line by
line.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from api.importing.rows import RawRow
from domain.errors import Reason, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SMALL = 64 * 1024  # bytes, with which nobody can do harm
MOST_DEEP = 64  # lists and objects within each other
MOST_NESTED, MOST_PARTS = 200_000, 1_000_000  # of one document
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json_lines(lines: Iterable[bytes]) -> Iterator[RawRow]:
    """Each line as an object, or why it is none. Floats stay floats, so that the entry can refuse
    them.
    """
    for number, line in enumerate(lines, 1):
        content = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
        if not content.strip():
            continue
        try:
            yield RawRow(number, read_object(content))
        except BadLine as bad:
            yield RawRow(number, None, (bad.reason,))


class BadLine(ValueError):
    """A line that is no JSON object, or one that could be read in two ways."""

    def __init__(self, code: str, zh: str, en: str, field: str = "") -> None:
        super().__init__(en)
        self.reason = Reason(code, field, Text(zh, en))


def read_object(line: bytes) -> dict[str, Any]:
    """The one JSON object in a line of UTF-8. Raises BadLine for anything else, and for a key that
    stands twice.
    """
    _check_shape(line)
    raw = _quickly(line)
    if raw is None:
        raw = _carefully(line)
    if not isinstance(raw, dict):
        raise BadLine(
            "not_an_object", "每行应是一个 JSON 对象 {…}", "a line is one JSON object, {…}"
        )
    return raw


def read_document(data: bytes) -> object:
    """Any one JSON document in UTF-8, with the same care. Raises BadLine."""
    _check_shape(data)
    return _carefully(data.removeprefix(BYTE_ORDER_MARK))


def _check_shape(data: bytes) -> None:
    """Raises BadLine for JSON of so many parts, or so deep, that reading it takes many times its
    size of memory. Nothing that small is looked at, and nothing is read for it.
    """
    if len(data) <= SMALL:
        return
    opened = data.count(b"[") + data.count(b"{")
    if opened > MOST_NESTED or data.count(b",") > MOST_PARTS or data.count(b'"') > 4 * MOST_PARTS:
        raise BadLine(
            "too_large",
            f"内容过多：数组和对象至多 {MOST_NESTED} 个，逗号至多 {MOST_PARTS} 个；请分批发送",
            f"too much at once: at most {MOST_NESTED} lists and objects, and {MOST_PARTS} commas. "
            "Send it in parts",
        )
    depth = 0
    for found in _TOKENS.finditer(data) if opened > MOST_DEEP else ():
        token = found[0]
        depth += (token in b"[{") - (token in b"]}")
        if depth > MOST_DEEP:
            raise BadLine("not_json", "嵌套过深", "nested too deeply")


def _quickly(line: bytes) -> object:
    """The object where it is sure to be plain, else None, which means: look closer.

    orjson is three times as quick, and silently keeps the last of two equal keys. An object whose
    keys, with those of the objects in it, are as many as the line has colons cannot have had
    another key.
    """
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(raw, dict):
        return None
    keys = len(raw) + sum(len(value) for value in raw.values() if type(value) is dict)
    return raw if keys == line.count(b":") else None


def _carefully(line: bytes) -> object:
    try:
        text = line.decode("utf-8").strip()
        raw: object = _DECODER.decode(text)
        if "\\ud" in text.lower():
            json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        byte = error.start + 1
        raise BadLine(
            "encoding", f"第 {byte} 字节起不是 UTF-8", f"not UTF-8 from byte {byte} on"
        ) from None
    except UnicodeEncodeError:
        raise BadLine(
            "encoding",
            "\\ud… 转义不成对，不是字符",
            "a \\ud… escape without its other half is no text",
        ) from None
    except json.JSONDecodeError as error:
        column = error.pos + 1
        raise BadLine(
            "not_json",
            f"第 {column} 列起不是 JSON：{error.msg}",
            f"not JSON from column {column} on: {error.msg}",
        ) from None
    except RecursionError:
        raise BadLine("not_json", "嵌套过深", "nested too deeply") from None
    except BadLine:
        raise
    except ValueError:  # what is left: Python reads no integer of thousands of digits
        raise BadLine("too_large", "有一个数字过长", "a number is far too long") from None
    return raw


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadLine(
                "duplicate_field",
                "同一字段出现两次，请只留一个",
                "the field stands twice: keep one",
                key,
            )
        found[key] = value
    return found


def _constant(word: str) -> NoReturn:
    raise BadLine(
        "not_finite", f"{word} 不是有限数，也不是 JSON", f"{word} is not finite, nor JSON"
    )


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
