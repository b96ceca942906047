"""One tree of refusals. Each says what happened, why, and what to do next, in Chinese and in
English.

MeritError
├── Declined          the act is understood and not allowed now, or what it names does not exist
│   ├── NotFound      a manager, statement, rulebook, … that the ledger does not have
│   └── VersionClash  somebody else wrote to the same stream first
├── Invalid           what was given is not well formed: carries every reason at once
├── Refused           an evaluation that stops with findings, because a number would be wrong
└── StoreError        the database cannot be reached, or is not a ledger, or is damaged
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Text(NamedTuple):
    """One sentence in the two languages of the service."""

    zh: str
    en: str

    @property
    def both(self) -> str:
        """Both languages in one line, Chinese first: for messages that are read by whoever
        comes.
        """
        return self.zh if self.zh == self.en else f"{self.zh} / {self.en}"

    def in_language(self, language: str) -> str:
        """The sentence in `zh` or `en`; in any other word (`both`) in both."""
        return {"zh": self.zh, "en": self.en}.get(language, self.both)


def visible(text: str) -> str:
    """A text as it stands on one line of print: what would break the line, move the cursor, change
    colours or the direction of writing is shown as an escape (`\\n`, `\\x1b`, `\\u202e`).
    """
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(_escaped, text)


# Controls, ends of lines and paragraphs, halves of characters; and what turns the direction.
_HIDDEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff"
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]"
)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


class Reason(NamedTuple):
    """Why one entry is refused: a stable code, the field it is about ("" for the whole), and the
    words.
    """

    code: str
    field: str
    text: Text

    def __str__(self) -> str:
        return self._behind_field(self.text.both)

    def told(self, language: str) -> str:
        """The field and the words, in `zh` or `en`."""
        return self._behind_field(self.text.in_language(language))

    def _behind_field(self, words: str) -> str:
        return f"{self.field}: {words}" if self.field else words


class Finding(NamedTuple):
    """What keeps a month from being evaluated, or what must be seen beside its result. Unknown
    parts are None.
    """

    code: str
    manager: str | None
    step: str | None
    entry: str | None  # source:source_id
    text: Text

    def as_json(self) -> dict[str, str | None]:
        """The finding in the shape that every door gives it."""
        return {
            "code": self.code,
            "manager": self.manager,
            "step": self.step,
            "entry": self.entry,
            "message": self.text.both,
        }


class NextAct(NamedTuple):
    """What would help: the name of an act, and what it is about (its period, branch, …), as far as
    the refusal knows.

    The command line words it as a command, HTTP as a route, a page as a button.
    """

    act: str
    about: dict[str, str]


class MeritError(Exception):
    """The root: `text` is the sentence for people, `code` the word for programs."""

    code = "error"
    next_act: NextAct | None = None

    def __init__(self, text: Text, next_act: NextAct | None = None) -> None:
        super().__init__(text.both)
        self.text, self.next_act = text, next_act


class Declined(MeritError):
    """The act is understood and not allowed as things stand."""

    code = "declined"


class NotFound(Declined):
    """What the act names is not in the ledger."""

    code = "not_found"


class Overtaken(Exception):
    """Something was recorded meanwhile that what was to be recorded did not know of: read again,
    and try again.
    """


class VersionClash(Declined):
    """Somebody else wrote to the same stream between reading and writing."""

    code = "version_clash"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "同一对象刚刚被别人修改，未写入任何内容；请重新读取后再试",
                "somebody else changed the same thing first; nothing was written. Read it again, "
                "then retry",
            )
        )


class Invalid(MeritError):
    """What was given is not well formed; `reasons` has everything that is wrong with it."""

    code = "invalid"

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(
            Text("；".join(r.text.zh for r in reasons), "; ".join(r.text.en for r in reasons))
        )
        self.reasons = tuple(reasons)


class Refused(MeritError):
    """An evaluation that stops, because a figure would be missing or wrong; nothing is settled."""

    code = "refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(
            Text(
                f"考核未通过，共 {len(findings)} 条问题："
                + "；".join(f.text.zh for f in findings[:5]),
                f"evaluation refused, {len(findings)} finding(s): "
                + "; ".join(f.text.en for f in findings[:5]),
            )
        )
        self.findings = tuple(findings)


class StoreError(MeritError):
    """The store cannot be reached, is not a ledger, or is damaged."""

    code = "store"
