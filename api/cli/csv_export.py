"""Answers as tables for a spreadsheet: exactly the figures, as text; a cell that Excel would run is
marked as text.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from domain.errors import Declined, Text

if TYPE_CHECKING:
    from pathlib import Path

    from projections.replay.replay import Answer


def write_csv(path: Path, answer: Answer) -> None:
    """One row a statement and step; with a comparison, one row a person who differs. Raises
    Declined.
    """
    try:
        file = path.open("w", encoding="utf-8-sig", newline="")
    except OSError as error:
        why = error.strerror or str(error)
        raise Declined(
            Text(f"写不了文件 {path}：{why}", f"cannot write the file {path}: {why}")
        ) from None
    with file:
        rows = csv.writer(file)
        if answer.comparison is not None:
            rows.writerow(
                ["period", "branch", "rulebook", "manager", "step", "before", "after", "difference"]
            )
            for d in answer.comparison["differences"]:
                names = (
                    "period",
                    "branch",
                    "rulebook",
                    "manager",
                    "step",
                    "before",
                    "after",
                    "difference",
                )
                rows.writerow([as_text(d[name]) for name in names])
            return
        rows.writerow(
            ["period", "branch", "rulebook", "version", "manager", "team", "step", "value"]
        )
        for evaluation in answer.evaluations:
            service = evaluation.program.rulebook
            for s in evaluation.statements:
                of = [
                    evaluation.period,
                    evaluation.branch,
                    service.id,
                    service.version,
                    s.manager,
                    s.team,
                ]
                rows.writerows(
                    [*map(as_text, of), step, as_text(value)] for step, value in s.steps.items()
                )


def as_text(value: str | None) -> str:
    """A cell: text that begins like a formula gets an apostrophe, numbers stay as they are."""
    if value is None:
        return ""
    number = value.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{value}" if value.startswith(("=", "+", "-", "@")) and not number else value
