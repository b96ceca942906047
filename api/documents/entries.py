"""Entries: what became of those that were sent, and the audit trail of those that were recorded."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, InstanceOf, PlainSerializer, TypeAdapter

from api.documents.parts.base import AT, SALE, Shape, example, one_example
from api.importing.bodies import EVENT, EVENTS, JSON, NDJSON
from domain import errors
from domain.entries.entry import AnyEntry

_PAIR = ("kind", "source", "source_id")
SALE_EVENT = {
    "specversion": "1.0",
    "type": "merit.sale",
    "source": "crm",
    "id": "2026-10-000123",
    "data": {name: value for name, value in SALE.items() if name not in _PAIR},
}


class Reason(Shape):
    """Why: a code for programs, the field, and the words in both languages."""

    code: str
    field: str
    message: str

    @classmethod
    def of_reason(cls, reason: errors.Reason) -> Self:
        """The reason with its words in both languages."""
        return cls(code=reason.code, field=reason.field, message=reason.text.both)


class EntryResult(Shape):
    """What became of one entry. `position`: of its event, or of the one that it repeats."""

    source: str | None
    source_id: str | None
    status: Literal["accepted", "duplicate", "conflict", "rejected"]
    position: int | None
    reasons: list[Reason]
    unknown_item: bool
    late: bool = Field(
        default=False, description="its month is closed: it waits for a resettlement"
    )


RESULT = {
    "source": "crm",
    "source_id": "2026-10-000123",
    "status": "accepted",
    "position": 1042,
    "reasons": [],
    "unknown_item": False,
}


class Appended(Shape):
    """What became of each entry, in the order given, and the position that the ledger reached."""

    model_config = example(results=[RESULT], position=1042)
    results: list[EntryResult]
    position: int


class TrailLine(Shape):
    """An entry as it was recorded. `counts`: no reversal that counts itself names it."""

    position: int
    kind: str
    entry: dict[str, object]
    by: str
    at: str
    reversed_by: list[int]
    counts: bool
    late: bool = Field(
        default=False, description="it came after what the closing of its month took in"
    )


class Trail(Shape):
    """A page of the audit trail; `next` is the address of the next one."""

    model_config = example(
        entries=[
            {
                "position": 1042,
                "kind": "sale",
                "entry": SALE,
                "by": "crm",
                "at": AT,
                "reversed_by": [],
                "counts": True,
            }
        ],
        next="/v1/entries?manager=M0007&limit=1&cursor=1042",
    )
    entries: list[TrailLine]
    next: str | None = None


# As JSON one text in both languages; printers take it in one.
ReasonText = Annotated[InstanceOf[errors.Reason], PlainSerializer(str, return_type=str)]


class RefusedLine(Shape):
    """A line of a file that was not taken, and every reason."""

    file: str
    line: int
    reasons: list[ReasonText]


class UnreadItem(Shape):
    """Entries of an item that none of the rulebooks of their branch will read. `why`: `left` (the
    person has left) or `item`; `near`: the code that would be read and is spelt alike.
    """

    why: Literal["left", "item"]
    kind: str
    item: str
    near: str | None
    entries: list[str]


class ImportReport(Shape):
    """What became of the lines. `unknown_items`: recorded, but read by no published rulebook;
    `unread`: recorded, but read by none of the rulebooks of their branch; `late`: entries of a
    month that is closed, which wait for a resettlement.
    """

    accepted: int
    duplicates: int
    rejected: list[RefusedLine]
    position: int
    unknown_items: list[str]
    unread: list[UnreadItem]
    late: list[str]
    dry_run: bool = Field(exclude=True)  # nothing was written


def entry_schemas() -> dict[str, object]:
    """The JSON schemas of an entry of any kind and of each kind, by name."""
    schema = TypeAdapter(AnyEntry).json_schema(ref_template=SCHEMAS + "{model}")
    kinds: dict[str, object] = schema.pop("$defs")
    return kinds | {"Entry": schema}


# Entries are not read by their shape: floats and doubled keys must stay recognisable.

SCHEMAS = "#/components/schemas/"
_ENTRY = {"$ref": SCHEMAS + "Entry"}
_EVENT = {
    "type": "object",
    "required": ["specversion", "type", "source", "id", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "type": {"type": "string", "pattern": "^merit\\."},
        "source": {"type": "string"},
        "id": {"type": "string"},
        "data": {"type": "object"},
    },
}


ENTRY_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"anyOf": [_ENTRY, {"type": "array", "items": _ENTRY}]},
                "examples": one_example(SALE, "one entry") | one_example([SALE], "several"),
            },
            NDJSON[0]: {
                "schema": {"type": "string"},
                "examples": one_example('{"kind": "sale", …}\n', "one entry a line"),
            },
            EVENT: {"schema": _EVENT, "examples": one_example(SALE_EVENT, "a CloudEvent")},
            EVENTS: {
                "schema": {"type": "array", "items": _EVENT},
                "examples": one_example([SALE_EVENT], "a batch of CloudEvents"),
            },
        },
    }
}
