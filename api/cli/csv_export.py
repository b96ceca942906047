"""Replays as tables for a spreadsheet: exactly the figures, as text; a cell that Excel would run is
marked as text.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from domain.errors import Declined, Text
from domain.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from api.documents.parts.rows import EvaluationRows
    from api.documents.replays import ReplayedRows
    from projections.replay.comparison import Difference

DIFFERENCE_COLUMNS = (
    *("period", "branch", "rulebook", "manager", "step", "before", "after", "difference"),
)
FIGURE_COLUMNS = (*("period", "branch", "rulebook", "version", "manager", "team", "step", "value"),)


class UnwritableFile(Declined):
    """A file that cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        why = error.strerror or str(error)
        super().__init__(Text(f"写不了文件 {path}：{why}", f"cannot write the file {path}: {why}"))
        self.path = path


def write_csv(path: Path, document: ReplayedRows) -> None:
    """One row a statement and step; with a comparison, one row a person who differs. Raises
    Declined.
    """
    try:
        file = path.open("w", encoding="utf-8-sig", newline="")
        with file:
            _write(csv.writer(file), document)
    except OSError as error:
        raise UnwritableFile(path, error) from None


def _write(rows: Any, document: ReplayedRows) -> None:
    if document.comparison is not None:
        rows.writerow(DIFFERENCE_COLUMNS)
        rows.writerows(difference_rows(document.comparison.differences))
        return
    rows.writerow(FIGURE_COLUMNS)
    for evaluation in document.evaluations:
        rows.writerows(figure_rows(evaluation))


def difference_rows(differences: Iterable[Difference]) -> Iterator[list[str]]:
    """One row a person."""
    for each in differences:
        of = (each.period, each.branch, each.rulebook, each.manager, each.step)
        figures = (each.before, each.after, plain(each.difference))
        yield [as_text(value) for value in (*of, *figures)]


def figure_rows(evaluation: EvaluationRows) -> Iterator[list[str]]:
    """One row a person and step."""
    rules = evaluation.rulebook
    for person in evaluation.statements:
        of = (
            *(evaluation.period, evaluation.branch, rules.id, rules.version),
            *(person.manager, person.team),
        )
        for step, value in person.steps.items():
            yield [*map(as_text, of), step, as_text(value)]


def as_text(value: str | None) -> str:
    """A cell: text that begins like a formula gets an apostrophe, numbers stay as they are."""
    if value is None:
        return ""
    number = value.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{value}" if value.startswith(("=", "+", "-", "@")) and not number else value
