"""Bodies of HTTP requests become raw entries: JSON, NDJSON and CloudEvents, by their content
type.
"""

from __future__ import annotations

from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from api.importing.cloud_events import entry_of, event_of
from api.importing.json_lines import BadLine, read_document, read_json_lines
from api.importing.rows import RawRow
from domain.errors import Invalid, MeritError, Reason, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON, NDJSON = (
    "application/json",
    ("application/x-ndjson", "application/ndjson", "application/jsonl"),
)
EVENT, EVENTS = "application/cloudevents+json", "application/cloudevents-batch+json"
KNOWN = (JSON, NDJSON[0], EVENT, EVENTS)


class TooMany(MeritError):
    """More entries in one body than are taken at once."""

    code = "too_large"

    def __init__(self, most: int) -> None:
        super().__init__(
            Text(
                f"一次最多 {most} 条；请分批发送",
                f"at most {most} entries at once: send them in parts",
            )
        )


def read_body(
    media_type: str, headers: Mapping[str, str], content: bytes, most: int
) -> list[RawRow]:
    """The entries of a body, counted from 1. Raises Invalid where it cannot be read as what it says
    that it is, and TooMany before anything is made of them.

    `headers` have lower-case names. In CloudEvents' binary mode they are the event, and the body
    its data.
    """
    if media_type in NDJSON:
        rows = list(islice(read_json_lines(BytesIO(content)), most + 1))
        if len(rows) > most:
            raise TooMany(most)
        return rows
    document = read_json(content)
    if isinstance(document, list) and len(document) > most:
        raise TooMany(most)
    if "ce-specversion" in headers:
        return [_from_event(1, event_of(headers, document))]
    if media_type == EVENTS:
        return [_from_event(number, event) for number, event in enumerate(_list(document), 1)]
    if media_type == EVENT:
        return [_from_event(1, document)]
    return [_from_object(number, raw) for number, raw in enumerate(_listed(document), 1)]


def read_json(content: bytes) -> object:
    """The JSON of a body, read with care: no key twice, no NaN. Raises Invalid."""
    try:
        return read_document(content)
    except BadLine as bad:
        raise Invalid([bad.reason]) from None


def _listed(document: object) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _list(document: object) -> list[Any]:
    if isinstance(document, list):
        return document
    raise Invalid(
        [
            Reason(
                "not_a_list",
                "",
                Text("批量事件应是 JSON 数组", "a batch of events is a JSON array"),
            )
        ]
    )


def _from_event(number: int, event: object) -> RawRow:
    raw, reasons = entry_of(event)
    return RawRow(number, raw, tuple(reasons))


def _from_object(number: int, raw: object) -> RawRow:
    if isinstance(raw, dict):
        return RawRow(number, raw)
    return RawRow(
        number,
        None,
        (
            Reason(
                "not_an_object",
                "",
                Text("每条记录应是一个 JSON 对象", "an entry is one JSON object"),
            ),
        ),
    )
