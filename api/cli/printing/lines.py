"""Lines for people, in the language that they asked for."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

from domain.errors import visible
from projections.facts.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.errors import Finding

WIDTH = 200  # of a table that goes to a file or a program
calendar = ContextVar("calendar", default=Calendar())  # noqa: B039 - it never changes


def say(language: str, zh: str, en: str) -> None:
    """One line in the language asked for. What people wrote cannot make it two: see `visible`."""
    put_line(en if language == "en" else zh)


def put_line(text: str = "") -> None:
    """One line, through which everything is printed that is not JSON or a table."""
    sys.stdout.write(visible(text) + "\n")


def put_text(text: str) -> None:
    """A text of many lines, such as a document."""
    for line in text.removesuffix("\n").split("\n"):
        put_line(line)


def put_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal, each cell as `visible` has it."""
    from rich.console import Console  # slow to import, and most commands print no table
    from rich.table import Table

    table = Table(*heads, box=None)
    for row in rows:
        table.add_row(*map(visible, row))
    width = None if sys.stdout.isatty() else WIDTH
    Console(highlight=False, markup=False, emoji=False, width=width).print(table)


def findings(found: Sequence[Finding], language: str) -> None:
    """Why an evaluation is refused."""
    say(
        language,
        f"未结算，共 {len(found)} 个问题：",
        f"nothing is settled; {len(found)} finding(s):",
    )
    for finding in found:
        entry = f" [{finding.entry}]" if finding.entry else ""
        say(language, f"  · {finding.text.zh}{entry}", f"  - {finding.text.en}{entry}")


def moment(text: str) -> str:
    """A recorded moment to the second, in the organisation's zone; `--json` has UTC and the
    microseconds.
    """
    return calendar.get().at(text).isoformat(" ", "seconds")
