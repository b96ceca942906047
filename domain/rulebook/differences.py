"""版本差异: what a revision changes, by steps, tables and clauses instead of lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.errors import Text
from domain.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from domain.rulebook.model import Rulebook

PARTS = {  # in the order in which a reader meets them
    "head": Text("总则", "head"),
    "cycle": Text("考核周期", "cycle"),
    "note": Text("读法", "note"),
    "parameter": Text("参数", "parameter"),
    "table": Text("表格", "table"),
    "input": Text("输入", "input"),
    "warning": Text("警告", "warning"),
    "step": Text("步骤", "step"),
    "example": Text("例子", "example"),
}
HEAD = {"id", "version", "title", "source", "period", "effective_from", "roles", "only", "standing"}


@dataclass(frozen=True)
class RulebookChange:
    """One part of a rulebook that differs."""

    part: str  # a key of PARTS
    name: str
    change: str  # added, removed, moved, changed
    label: Text
    clause: str | None
    fields: tuple[tuple[str, str | None, str | None], ...] = ()  # of a change: field, before, after

    def as_json(self) -> dict[str, Any]:
        """The change as the API and `merit rulebook diff --json` have it."""
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


class _Part(NamedTuple):
    """A part as it is compared: the text of every dotted field that is set."""

    fields: dict[str, str]
    clause: str | None


def find_changes(old: Rulebook, new: Rulebook) -> list[RulebookChange]:
    """What `new` changes in `old`.

    A step that only has another place in the order has moved; its place decides no figure.
    """
    before, after = _parts(old), _parts(new)
    changes: list[RulebookChange] = []
    for part in PARTS:
        changes += _compare_parts(part, before[part], after[part], old, new)
    return changes


def _parts(rulebook: Rulebook) -> dict[str, dict[str, _Part]]:
    """All parts, by section and name."""

    def flatten(parts: Mapping[str, BaseModel]) -> dict[str, _Part]:
        return {
            name: _Part(_flatten(part.model_dump()), getattr(part, "clause", None))
            for name, part in parts.items()
        }

    head = rulebook.model_dump(include=HEAD) | {"effective_from": str(rulebook.effective_from)}
    notes = {f"{note.clause or ''} {note.zh[:20]}".strip(): note for note in rulebook.notes}
    return {
        "head": {field: _Part({field: _text(value)}, None) for field, value in head.items()},
        "cycle": {
            key: _Part({"value": str(days)}, None) for key, days in rulebook.cycle.days.items()
        },
        "note": flatten(notes),
        "parameter": flatten(rulebook.parameters),
        "table": flatten(rulebook.tables),
        "input": flatten(rulebook.inputs),
        "warning": flatten(rulebook.warnings),
        "step": flatten({step.step: step for step in rulebook.steps}),
        "example": flatten({example.name: example for example in rulebook.examples}),
    }


def _compare_parts(
    part: str,
    before: dict[str, _Part],
    after: dict[str, _Part],
    old: Rulebook,
    new: Rulebook,
) -> Iterator[RulebookChange]:
    moved = set[str]()
    if part == "step":
        moved = _moved_names(
            [name for name in before if name in after], [name for name in after if name in before]
        )
    for name in dict.fromkeys([*after, *before]):
        if name not in before:
            yield RulebookChange(part, name, "added", _label(part, name, new), after[name].clause)
        elif name not in after:
            clause = before[name].clause
            yield RulebookChange(part, name, "removed", _label(part, name, old), clause)
        else:
            label, clause = _label(part, name, new), after[name].clause
            if fields := tuple(_changed_fields(before[name].fields, after[name].fields)):
                yield RulebookChange(part, name, "changed", label, clause, fields)
            elif name in moved:
                yield RulebookChange(part, name, "moved", label, clause)


def _changed_fields(
    before: dict[str, str], after: dict[str, str]
) -> Iterator[tuple[str, str | None, str | None]]:
    for field in dict.fromkeys([*before, *after]):
        if before.get(field) != after.get(field):
            yield field, before.get(field), after.get(field)


def _moved_names(before: list[str], after: list[str]) -> set[str]:
    """The fewest names without which the others are in the same order."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    moved = set(after)
    for block in blocks:
        moved -= set(after[block.b : block.b + block.size])
    return moved


def _label(part: str, name: str, rulebook: Rulebook) -> Text:
    has_label = part in {"parameter", "table", "input", "step"}
    return rulebook.label_of(name) if has_label else Text(name, name)


def _flatten(value: Any, prefix: str = "") -> dict[str, str]:
    """The texts of all set fields by their dotted names."""
    if isinstance(value, dict):
        fields: dict[str, str] = {}
        for key, inner in value.items():
            fields |= _flatten(inner, f"{prefix}.{key}")
        return fields
    return {} if value in (None, (), False) else {prefix.lstrip("."): _text(value)}


def _text(value: Any) -> str:
    match value:
        case Decimal():
            return plain(value)
        case dict():
            return ", ".join(f"{key}: {_text(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(map(_text, value))
        case _:
            return str(value)
