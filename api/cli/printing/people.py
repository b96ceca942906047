"""A person's page in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import moment, say

if TYPE_CHECKING:
    from api.documents.people import Done, PersonPage


def person(page: PersonPage, language: str) -> None:
    """Interviews and agreements of a person."""
    for interview in page.feedback:
        say(
            language,
            f"{interview.period} 面谈：{interview.held_on}，{interview.held_by}："
            f"{interview.agreed}",
            f"{interview.period}, interview of {interview.held_on} by {interview.held_by}: "
            f"{interview.agreed}",
        )
        for item in interview.plan:
            say(
                language,
                f"  {item.until} 前：{item.what}",
                f"  by {item.until}: {item.what}",
            )
    for agreed in page.acknowledged:
        name = f"{agreed.rulebook} {agreed.version}"
        say(
            language,
            f"已认同 {name}（{moment(agreed.at)}）",
            f"Agreed with {name} ({moment(agreed.at)})",
        )
    for waiting in page.to_acknowledge:
        name = f"{waiting.rulebook}@{waiting.version}"
        todo = f"merit person acknowledge {page.manager} {name}"
        say(language, f"尚未认同 {name}：{todo}", f"Not agreed with yet: {name}; {todo}")


def recorded(done: Done, language: str) -> None:
    """It is on record."""
    say(
        language,
        f"已记录，账本位置 {done.position}",
        f"Recorded at ledger position {done.position}",
    )
