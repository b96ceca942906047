"""Lines for people, in the language that they asked for."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

from projections.facts.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.errors import Finding

calendar = ContextVar("calendar", default=Calendar())  # noqa: B039 - it never changes


def say(language: str, zh: str, en: str) -> None:
    """One line in the language asked for."""
    sys.stdout.write((en if language == "en" else zh) + "\n")


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
