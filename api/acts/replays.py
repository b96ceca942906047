"""The words of a replay, from the command line or HTTP, as a question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from api.acts.access import supposes
from api.acts.entries import Malformed, every_reason, parsed
from domain.entries.entry import AnyEntry
from domain.entries.field_errors import misfit
from domain.errors import Declined, Invalid, NotFound, Reason, Text
from domain.evaluation.programs import program_of
from domain.identifiers import BadIdentifier, Period, check_id
from projections.replay.replay import Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from api.importing.rows import RawRow
    from projections.records.accounts import Caller
    from projections.service import Service

S = TypeVar("S", bound=BaseModel)


def question_of(
    periods: Sequence[str],
    branches: Sequence[str],
    rulebook: str | None,
    against: str | None,
    as_of: str | None,
    added: Sequence[AnyEntry],
    without: Sequence[str],
) -> Question:
    """The question that the words ask. Raises BadIdentifier, Declined, Invalid, BrokenRulebook."""
    draft = (
        program_of(read_text(Path(rulebook)), rulebook) if rulebook and is_file(rulebook) else None
    )
    return Question(
        _periods(periods),
        tuple(check_id(branch) for branch in branches),
        None if draft else rulebook,
        draft,
        against,
        as_of,
        tuple(added),
        tuple(key_of(key) for key in without),
    )


def is_file(rulebook: str) -> bool:
    """Whether a rulebook is named by its file."""
    return rulebook.endswith((".yaml", ".yml"))


def read_text(file: Path) -> str:
    """A rulebook file's text. Raises NotFound."""
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(
            Text(f"读不了规则文件 {file}：{error}", f"cannot read the rulebook {file}: {error}")
        ) from None


def key_of(text: str) -> tuple[str, str]:
    """`SOURCE:SOURCE_ID` as a pair. Raises Declined."""
    source, colon, number = text.partition(":")
    if not colon:
        raise Declined(Text(f"{text!r} 应写成 来源:编号", f"{text!r}: write SOURCE:SOURCE_ID"))
    return check_id(source), check_id(number)


def checked(shape: type[S], **values: object) -> S:
    """A command's words as the shape that they have over HTTP. Raises Invalid with every reason."""
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        reasons = [
            Reason("bad_value", ".".join(map(str, e["loc"])), misfit(e)) for e in error.errors()
        ]
        raise Invalid(reasons) from None


def _periods(texts: Sequence[str]) -> tuple[Period, ...]:
    """Raises Invalid with every text that is no period."""
    found, reasons = [], []
    for text in texts:
        try:
            found.append(Period.parse(text))
        except BadIdentifier as error:
            reasons.append(Reason("bad_value", "", error.text))
    if reasons:
        raise Invalid(reasons)
    return tuple(found)


def supposed(service: Service, who: Caller, rows: Iterable[tuple[str, RawRow]]) -> list[AnyEntry]:
    """The entries of these rows, each given with its place, if the ledger would take them all.

    Raises Invalid with every reason of each, its field behind the place; Forbidden where the caller
    may not suppose one of them; UnreadableFile.
    """
    places, found = [], []
    for place, row in rows:
        places.append(place)
        found.append(parsed(row))
    entries = [one for one in found if not isinstance(one, Malformed)]
    supposes(service, who, entries, ())
    outcomes = iter(service.ledger.append(entries, by=who.name, dry_run=True))
    malformed = [one for one in found if isinstance(one, Malformed)]
    refused = iter(
        every_reason(
            service,
            who,
            malformed,
            beside=entries,
            asks=lambda service, who, probe: supposes(service, who, probe, ()),
        )
    )
    told = [
        next(refused) if isinstance(one, Malformed) else next(outcomes).reasons for one in found
    ]
    reasons = [
        reason._replace(field=f"{place}{reason.field}".rstrip(" ."))
        for place, of_one in zip(places, told, strict=True)
        for reason in of_one
    ]
    if reasons:
        raise Invalid(reasons)
    return entries
