"""Publishing decides by what is published already; a month's version is decided by effect, then by
publication.
"""

from __future__ import annotations

import pytest

from domain.evaluation.programs import program_of, shipped_texts
from domain.identifiers import Month
from domain.ledger.events import RulebookPublished
from domain.processes.rulebook_history import AlreadyPublished, Published, in_force, publish

TEXT = next(text for text in shipped_texts() if "id: elastic-pay\n" in text)
PROGRAM = program_of(TEXT)


def published(version: str, month: str, position: int) -> Published:
    return Published(
        "elastic-pay", version, Month.parse(month), position, PROGRAM.digest, TEXT, "hr", ""
    )


def test_a_first_publication_carries_text_digest_and_month() -> None:
    event = publish((), PROGRAM, effective_from=None, by="hr")
    assert isinstance(event, RulebookPublished)
    assert (event.version, event.effective_from, event.text, event.digest) == (
        "3.0.0",
        "2000-01",
        TEXT,
        PROGRAM.digest,
    )
    assert (event.originator_version, event.by) == (1, "hr")


def test_a_month_that_is_given_goes_before_the_rulebooks_own() -> None:
    event = publish(
        [published("2.0.0", "2000-01", 1)], PROGRAM, effective_from=Month.parse("2026-11"), by="hr"
    )
    assert event is not None
    assert (event.effective_from, event.originator_version) == ("2026-11", 2)


def test_the_same_text_is_quiet_and_another_is_declined() -> None:
    assert (
        publish([published("3.0.0", "2000-01", 1)], PROGRAM, effective_from=None, by="hr") is None
    )
    other = published("3.0.0", "2000-01", 1)._replace(digest="other")
    with pytest.raises(AlreadyPublished, match=r"elastic-pay 3\.0\.0"):
        publish([other], PROGRAM, effective_from=None, by="hr")


def test_in_force_is_the_latest_to_take_effect_and_of_equal_months_the_last_published() -> None:
    history = [
        published("1", "2026-10", 1),
        published("2", "2026-08", 2),
        published("3", "2026-10", 3),
    ]
    found = {
        month: in_force(history, Month.parse(month))
        for month in ("2026-07", "2026-08", "2026-09", "2026-10", "2030-01")
    }
    assert {month: row and row.version for month, row in found.items()} == {
        "2026-07": None, "2026-08": "2", "2026-09": "2", "2026-10": "3", "2030-01": "3",
    }  # fmt: skip
