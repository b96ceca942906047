"""The words of a replay, from the command line or HTTP, as a question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.importing import read_file
from domain.entries import AnyEntry, parse_entry
from domain.errors import Declined, Invalid, NotFound, Text
from domain.evaluation.programs import program_of
from domain.identifiers import Period, check_id
from projections.replay import Question

if TYPE_CHECKING:
    from collections.abc import Sequence


def question_of(
    periods: Sequence[str],
    branches: Sequence[str],
    rulebook: str | None,
    against: str | None,
    as_of: str | None,
    added: Path | None,
    without: Sequence[str],
) -> Question:
    """The question that the words ask. Raises BadIdentifier, Declined, Invalid, BrokenRulebook, UnreadableFile."""
    draft = program_of(read_text(Path(rulebook)), rulebook) if rulebook and is_file(rulebook) else None
    return Question(
        tuple(Period.parse(period) for period in periods),
        tuple(check_id(branch) for branch in branches),
        None if draft else rulebook,
        draft,
        against,
        as_of,
        tuple(_entries(added)) if added else (),
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
        raise NotFound(Text(f"读不了规则文件 {file}：{error}", f"cannot read the rulebook {file}: {error}")) from None


def key_of(text: str) -> tuple[str, str]:
    """`SOURCE:SOURCE_ID` as a pair. Raises Declined."""
    source, colon, number = text.partition(":")
    if not colon:
        raise Declined(Text(f"{text!r} 应写成 来源:编号", f"{text!r}: write SOURCE:SOURCE_ID"))
    return check_id(source), check_id(number)


def _entries(file: Path) -> list[AnyEntry]:
    entries, reasons = [], []
    for row in read_file(file):
        try:
            if row.raw is None or row.reasons:
                raise Invalid(row.reasons)
            entries.append(parse_entry(row.raw))
        except Invalid as invalid:
            reasons += [r._replace(field=f"{file}:{row.line} {r.field}".strip()) for r in invalid.reasons]
    if reasons:
        raise Invalid(reasons)
    return entries
