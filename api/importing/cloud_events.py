"""CloudEvents 1.0: `source` and `id` are an entry's pair, `type` is `merit.<kind>`, `data` has the
rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from domain.errors import Reason, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "1.0"
TYPE = "merit."
_OWN = {
    "source": "source",
    "source_id": "id",
    "kind": "type",
}  # an entry's field → the attribute that says it


def entry_of(event: object) -> tuple[dict[str, Any] | None, list[Reason]]:
    """The raw entry that an event carries; or its pair, and everything that keeps it from being
    one.
    """
    if not isinstance(event, dict):
        return None, [
            Reason(
                "not_an_object",
                "",
                Text("每个事件应是一个 JSON 对象", "an event is one JSON object"),
            )
        ]
    reasons = [*_attributes(event), *_data(event)]
    pair = {"source": event.get("source"), "source_id": event.get("id")}
    if reasons:
        return pair, reasons
    return {"kind": event["type"].removeprefix(TYPE), **pair, **event["data"]}, []


def event_of(headers: Mapping[str, str], data: object) -> dict[str, Any]:
    """The event of the binary mode: its attributes stand in `ce-…` headers, its data is the
    body.
    """
    found = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    return {**found, "data": data}


def _attributes(event: Mapping[str, Any]) -> list[Reason]:
    reasons = [
        Reason(
            "missing_field",
            name,
            Text("缺少必填的 CloudEvents 属性", "a CloudEvent must have this attribute"),
        )
        for name in ("specversion", "type", "source", "id")
        if event.get(name) is None
    ]
    if event.get("specversion", VERSION) != VERSION:
        reasons.append(Reason("bad_value", "specversion", Text("须为 1.0", "must be 1.0")))
    kind = event.get("type", TYPE)
    if not (isinstance(kind, str) and kind.startswith(TYPE)):
        text = Text(
            f"类型 {kind!r} 应写成 merit.<kind>，如 merit.sale",
            f"type {kind!r}: write merit.<kind>, as in merit.sale",
        )
        reasons.append(Reason("unknown_kind", "type", text))
    return reasons


def _data(event: Mapping[str, Any]) -> list[Reason]:
    data = event.get("data")
    if not isinstance(data, dict):
        text = Text(
            "data 应是 JSON 对象，不能用 data_base64",
            "data is a JSON object; data_base64 is not read",
        )
        return [Reason("bad_value", "data", text)]
    return [
        Reason(
            "bad_value",
            f"data.{field}",
            Text(
                f"由属性 {attribute} 给出，请从 data 中删去",
                f"the attribute {attribute} says it: leave it out of data",
            ),
        )
        for field, attribute in _OWN.items()
        if field in data
    ]
