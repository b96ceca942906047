"""月检: what must be seen before a month's money moves, and who has acknowledged it.

A finding is a value. Severity `decide` holds up the review of the total and the closing until
somebody who may close acknowledges it; `note` is only shown.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import rfc8785

from domain.errors import Text

if TYPE_CHECKING:
    from domain.processes.branch_month import Acknowledged
    from domain.rights import Place

DECIDE, NOTE = "decide", "note"


class Code(NamedTuple):
    """A kind of finding. `counts`: what its number is of, `managers` or `entries`."""

    label: Text
    severity: str
    counts: str = "managers"


CODES = {
    "uncovered": Code(Text("没有薪酬办法的人员", "people whom no pay rulebook pays"), DECIDE),
    "unread": Code(Text("没有办法读取的记录", "entries that nothing reads"), DECIDE, "entries"),
    "missing": Code(Text("缺少的评价和指标值", "missing ratings and measures"), DECIDE),
    "tie": Code(Text("由员工编号决定的并列", "ties decided by manager id"), DECIDE),
    "late": Code(Text("结算之后的记录", "entries after the settlement"), NOTE, "entries"),
    "change": Code(Text("与上期相比的变化", "changes since the last period"), NOTE),
    "floor": Code(Text("保底", "lifted to a floor"), NOTE),
    "cap": Code(Text("封顶", "cut to a cap"), NOTE),
    "paid_elsewhere": Code(Text("其他分公司发放的人员", "people paid elsewhere"), DECIDE),
    "negative": Code(Text("应发为负", "payable below zero"), DECIDE),
}


class Named(NamedTuple):
    """A person or an entry that a finding names, and where it belongs.

    Whoever may not read there is not shown the name.
    """

    name: str
    place: Place


@dataclass(frozen=True)
class CheckFinding:
    """One finding. `about` tells those of one code apart: the input, the step, or the reason."""

    code: str
    about: str
    message: Text  # names no person, so that whoever may read the check may read it
    managers: tuple[Named, ...] = ()
    entries: tuple[Named, ...] = ()
    yuan: str | None = None
    detail: tuple[str, ...] = ()  # what else was found, such as who lacks which item
    acknowledged: Acknowledged | None = None

    @property
    def severity(self) -> str:
        """`decide` or `note`."""
        return CODES[self.code].severity

    @property
    def count(self) -> int:
        """How many people, or entries, it is about."""
        return len(self.managers if CODES[self.code].counts == "managers" else self.entries)

    @property
    def is_open(self) -> bool:
        """Whether it holds up the month."""
        return self.severity == DECIDE and self.acknowledged is None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what was found, not of its words: another digest is another finding."""
        content = {
            "code": self.code,
            "about": self.about,
            "managers": [named.name for named in self.managers],
            "entries": [named.name for named in self.entries],
            "yuan": self.yuan,
        } | ({"detail": list(self.detail)} if self.detail else {})
        return hashlib.sha256(rfc8785.dumps(content)).hexdigest()
