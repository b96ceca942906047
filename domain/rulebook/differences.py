"""版本差异: what a revision changes, in terms of steps, tables and clauses, not lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from domain.errors import Text
from domain.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from domain.rulebook.model import Rulebook

PARTS = {  # in the order in which a reader meets them
    "head": Text("总则", "head"),
    "note": Text("读法", "note"),
    "parameter": Text("参数", "parameter"),
    "table": Text("表格", "table"),
    "input": Text("输入", "input"),
    "warning": Text("警告", "warning"),
    "step": Text("步骤", "step"),
    "example": Text("例子", "example"),
}
HEAD = {"id", "version", "title", "source", "period", "effective_from", "roles", "only"}
Flat = dict[str, str]  # dotted field → figure or words


@dataclass(frozen=True)
class Change:
    """One part of a rulebook that differs: added, removed, moved, or changed in these fields
    (before, after).
    """

    part: str
    name: str
    change: str
    label: Text
    clause: str | None
    fields: tuple[tuple[str, str | None, str | None], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The change as data."""
        return {
            "part": self.part,
            "name": self.name,
            "change": self.change,
            "label": {"zh": self.label.zh, "en": self.label.en},
            "clause": self.clause,
            "fields": [
                {"field": field, "before": before, "after": after}
                for field, before, after in self.fields
            ],
        }


def differences(old: Rulebook, new: Rulebook) -> list[Change]:
    """What `new` changes of `old`. A step that only stands elsewhere has moved: its place decides
    no figure.
    """
    before, after = _parts(old), _parts(new)
    return [
        change for part in PARTS for change in _changed(part, before[part], after[part], old, new)
    ]


def _parts(book: Rulebook) -> dict[str, dict[str, tuple[Flat, str | None]]]:
    """Every part by its name: its fields, and its clause."""

    def said(named: Mapping[str, BaseModel]) -> dict[str, tuple[Flat, str | None]]:
        return {
            name: (_flat(part.model_dump()), getattr(part, "clause", None))
            for name, part in named.items()
        }

    head = book.model_dump(include=HEAD) | {"effective_from": str(book.effective_from)}
    return {
        "head": {field: ({field: _words(value)}, None) for field, value in head.items()},
        "note": said({f"{note.clause or ''} {note.zh[:20]}".strip(): note for note in book.notes}),
        "parameter": said(book.parameters),
        "table": said(book.tables),
        "input": said(book.inputs),
        "warning": said(book.warnings),
        "step": said({step.step: step for step in book.steps}),
        "example": said({example.name: example for example in book.examples}),
    }


def _changed(
    part: str,
    before: dict[str, tuple[Flat, str | None]],
    after: dict[str, tuple[Flat, str | None]],
    old: Rulebook,
    new: Rulebook,
) -> Iterator[Change]:
    moved = _moved(
        [name for name in before if name in after], [name for name in after if name in before]
    )
    for name in dict.fromkeys([*after, *before]):
        book = new if name in after else old
        fields, clause = after.get(name) or before[name]
        what = (
            "changed"
            if name in before and name in after
            else "added"
            if name in after
            else "removed"
        )
        differing = tuple(_fields(before[name][0], fields)) if what == "changed" else ()
        if what == "changed" and not differing:
            if part != "step" or name not in moved:
                continue
            what = "moved"
        yield Change(part, name, what, _label(part, name, book), clause, differing)


def _fields(before: Flat, after: Flat) -> Iterator[tuple[str, str | None, str | None]]:
    for field in dict.fromkeys([*before, *after]):
        if before.get(field) != after.get(field):
            yield field, before.get(field), after.get(field)


def _moved(before: list[str], after: list[str]) -> set[str]:
    """The names whose removal leaves the rest in the same order."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return set(after) - {name for block in blocks for name in after[block.b : block.b + block.size]}


def _label(part: str, name: str, book: Rulebook) -> Text:
    return (
        book.label_of(name) if part in {"parameter", "table", "input", "step"} else Text(name, name)
    )


def _flat(value: Any, prefix: str = "") -> Flat:
    """A part's fields by their dotted names, without what is not said."""
    if isinstance(value, dict):
        return {
            k: v for key, inner in value.items() for k, v in _flat(inner, f"{prefix}.{key}").items()
        }
    return {} if value in (None, (), False) else {prefix.lstrip("."): _words(value)}


def _words(value: Any) -> str:
    match value:
        case Decimal():
            return plain(value)
        case dict():
            return ", ".join(f"{key}: {_words(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(map(_words, value))
        case _:
            return str(value)
