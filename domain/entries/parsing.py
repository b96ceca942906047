"""What arrived (a JSON object, a row of a table) becomes an entry, or is refused with every reason
at once.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, cast

from pydantic import ConfigDict, ValidationError

from domain.entries.entry import (
    PERSONAL,
    Entry,
    Id,
    MonthField,
    OfManager,
    Reference,
    Reversal,
)
from domain.entries.field_errors import misfit, missing, shown
from domain.entries.kinds import KINDS
from domain.errors import Invalid, Reason, Text
from domain.identifiers import bad_id

if TYPE_CHECKING:
    from domain.entries.entry import AnyEntry


def parse_entry(raw: object) -> AnyEntry:
    """The entry that `raw` (a JSON object) is. Raises Invalid with every reason at once."""
    if not isinstance(raw, dict):
        raise Invalid(
            [
                Reason(
                    "not_an_object",
                    "",
                    Text("每条记录应是一个 JSON 对象", "an entry is one JSON object"),
                )
            ]
        )
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Invalid([_no_kind(kind), *_of_any_kind(raw)])
    model = KINDS[kind].model
    if isinstance(attributes := raw.get("attributes"), dict) and attributes:
        raw = raw | {"attributes": {name: _plain_word(word) for name, word in attributes.items()}}
    reasons = model.check_combination(raw)
    try:
        entry = model.__pydantic_validator__.validate_python(raw)
    except ValidationError as error:
        raise Invalid([_reason(e, model) for e in error.errors()] + reasons) from None
    if reasons:
        raise Invalid(reasons)
    return entry  # type: ignore[no-any-return]


def recorded_entry(raw: dict[str, Any]) -> AnyEntry:
    """The entry that was recorded as this JSON object. It is read as it was taken then: what fields
    must be together is asked of entries that arrive.
    """
    entry: AnyEntry = KINDS[raw["kind"]].model.model_validate(raw)  # type: ignore[assignment]
    return entry


def _plain_word(word: object) -> object:
    """An attribute's text as it is compared: NFKC and without blanks around it.

    Done where an entry arrives and not by the model, so that an entry recorded before reads as it
    was recorded.
    """
    return unicodedata.normalize("NFKC", word).strip() if isinstance(word, str) else word


class _Probe(OfManager):
    """The fields of an entry that decide whether its manager needs an assignment, and has one."""

    kind: str


def probe_of(raw: object) -> AnyEntry | None:
    """An entry that needs of the ledger what a malformed one needs: an assignment, or what it
    reverses. None where the fields for that cannot be read.

    It is decided and never appended, so that a malformed entry gets the ledger's reasons together
    with its own.
    """
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or kind in (None, "assignment"):
        return None
    probe = {"source": "probe", "source_id": "probe"}
    try:
        if kind == "reversal":
            reversal = {"reverses": raw.get("reverses"), "reason": "probe"}
            return Reversal.model_validate(probe | reversal)
        fields = {name: raw.get(name) for name in ("kind", "manager", "month")}
        if not isinstance(kind, str) or kind not in KINDS:
            fields["kind"] = "deduction"  # as good as any: no kind needs more than this one
        return cast("AnyEntry", _Probe.model_validate(probe | fields))
    except ValidationError:
        return None


class _AnyKind(Entry):
    """The fields that are checked of an entry whose kind is not known."""

    model_config = ConfigDict(extra="ignore")
    manager: Id | None = None
    month: MonthField | None = None


_KNOWN_FIELDS = frozenset().union(*(kind.model.model_fields for kind in KINDS.values()))


def _no_kind(kind: object) -> Reason:
    known = ", ".join(KINDS)
    if kind is None:
        return Reason(
            "missing_field",
            "kind",
            Text(f"缺少类型，可用：{known}", f"the kind is missing: one of {known}"),
        )
    text = Text(
        f"未知类型 {shown(kind)}，可用：{known}", f"unknown kind {shown(kind)}: one of {known}"
    )
    return Reason("unknown_kind", "kind", text)


def _of_any_kind(raw: dict[str, Any]) -> list[Reason]:
    """What is wrong with the fields that every kind has, and the fields that none has."""
    text = Text("未知字段，任何类型都没有", "unknown field: no kind has it")
    unknown = [
        Reason("unknown_field", str(name), text) for name in raw if name not in _KNOWN_FIELDS
    ]
    try:
        _AnyKind.model_validate(raw)
    except ValidationError as error:
        return [_reason(e, _AnyKind) for e in error.errors()] + unknown
    return unknown


def _reason(error: Any, model: type[Entry]) -> Reason:
    field = ".".join(str(part) for part in error["loc"] if part != "[key]")
    given = error["input"]
    match error["type"]:
        case "missing":
            return missing(field)
        case "extra_forbidden":
            known = ", ".join(
                model.model_fields if len(error["loc"]) == 1 else Reference.model_fields
            )
            return Reason(
                "unknown_field",
                field,
                Text(f"未知字段，可用：{known}", f"unknown field; it has: {known}"),
            )
        case "value_error":
            cause = error["ctx"]["error"]
            return Reason(getattr(cause, "code", "bad_value"), field, cause.text)
        case "string_type" if field.startswith("attributes."):
            text = Text(
                f"{shown(given)} 不能作属性值；请用文本、数字（加引号）或 true、false，没有就不写",
                f"{shown(given)} is no attribute: write text, a number in quotes, true or false, "
                "or leave it out",
            )
            return Reason("bad_value", field, text)
        case "string_type" if field not in PERSONAL:
            what = shown(given)
            text = Text(
                f"编号 {what} 应是文本（请加引号）", f"id {what} must be text: put it in quotes"
            )
            return Reason("bad_value", field, text)
        case "string_pattern_mismatch":
            return Reason("bad_value", field, bad_id(given))
    text = misfit(error)
    return Reason(
        "bad_value", field, Text(f"{shown(given)}：{text.zh}", f"{shown(given)}: {text.en}")
    )
