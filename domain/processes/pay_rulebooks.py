"""计薪办法: what a branch pays by from a month on, and which rulebooks may not pay it together.

One person is paid a month by one rulebook. So of two rulebooks for the same kind of period, by
which a branch pays, no versions that are in force in one month may share a role. That is decided
twice: when a branch chooses, and when a version is published by which a branch would pay.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, NextAct, Text
from domain.evaluation.programs import program_of
from domain.processes.rulebook_history import Published, in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from domain.identifiers import Month
    from domain.rulebook.model import Rulebook

DEFAULT_RULEBOOKS = ("elastic-pay",)
EVERYONE = "everyone"


class Choice(NamedTuple):
    """The rulebooks that a branch was to pay by from a month on."""

    effective_from: Month
    rulebooks: tuple[str, ...]
    position: int
    by: str
    at: str


class SameRoleTwice(Declined):
    """Two rulebooks for the same role in one month, by which a branch cannot pay at once."""

    def __init__(self, branch: str, month: Month, one: Published, other: Published) -> None:
        self.branch, self.month = branch, month
        self.one, self.other = one.rulebook, other.rulebook
        self.roles = shared_roles(_rules(one), _rules(other))
        zh = "所有岗位" if self.roles == (EVERYONE,) else "岗位 " + "、".join(self.roles)
        en = "everyone" if self.roles == (EVERYONE,) else ", ".join(self.roles)
        a, b = f"{one.rulebook} {one.version}", f"{other.rulebook} {other.version}"
        super().__init__(
            Text(
                f"{a} 与 {b} 适用于同一岗位（{zh}），分公司 {branch} 自 {month} 起会按两者给同一人"
                "计薪，未写入任何内容；请让岗位不重叠，或为该分公司另选计薪办法",
                f"{a} and {b} are for the same role ({en}): from {month} on branch {branch} would "
                "pay one person by both. Nothing was recorded. Part the roles, or choose other "
                "rulebooks for the branch",
            ),
            NextAct("set_branch_rulebooks", {"branch": branch, "month": str(month)}),
        )


class PaysNobody(Declined):
    """A rulebook without a step `pay`, by which a branch was to pay."""

    def __init__(self, branch: str, rulebook: str, version: str) -> None:
        super().__init__(
            Text(
                f"{rulebook} {version} 没有 pay 步骤，不计薪酬，分公司 {branch} 不能按它计薪；"
                "请只选计薪的办法，其他办法在结算时指明",
                f"{rulebook} {version} has no step pay, so branch {branch} cannot pay by it: "
                "choose rulebooks that pay, and name this one when you settle by it",
            )
        )
        self.branch, self.rulebook, self.version = branch, rulebook, version


def chosen_in(choices: Iterable[Choice], month: Month) -> tuple[str, ...]:
    """What a branch pays by in a month: the choice with the latest month by then; of equal months
    the one made last.
    """
    by_then = [choice for choice in choices if choice.effective_from <= month]
    last = max(by_then, key=lambda c: (c.effective_from, c.position), default=None)
    return last.rulebooks if last else DEFAULT_RULEBOOKS


def check_choice(
    branch: str,
    choices: Sequence[Choice],
    chosen: Choice,
    histories: Mapping[str, Sequence[Published]],
) -> None:
    """Raises PaysNobody or SameRoleTwice where the branch cannot pay by a new choice, in any month
    from its own until the branch's next choice.
    """
    later = [c.effective_from for c in choices if c.effective_from > chosen.effective_from]
    until = min(later, default=None)
    first = chosen.effective_from
    # One rulebook named twice would be one in the versions of a month.
    for name in chosen.rulebooks:
        if chosen.rulebooks.count(name) > 1 and (twice := in_force(histories[name], first)):
            raise SameRoleTwice(branch, first, twice, twice)
    for month in months_of_change([chosen], histories, first):
        if until is None or month < until:
            versions = _versions_in(chosen.rulebooks, histories, month)
            for version in versions:
                if not _rules(version).pays:
                    raise PaysNobody(branch, version.rulebook, version.version)
            for one, other in _overlaps(versions):
                raise SameRoleTwice(branch, month, one, other)


def check_publication(
    new: Published,
    branches: Mapping[str, Sequence[Choice]],
    histories: Mapping[str, Sequence[Published]],
) -> None:
    """Raises SameRoleTwice where a branch would pay one person by a new version and by another
    rulebook, in any month in which both are in force.

    `histories` has the new version among those of its rulebook.
    """
    for branch, choices in branches.items():
        for month in months_of_change(choices, histories, new.effective_from):
            versions = _versions_in(chosen_in(choices, month), histories, month)
            for one, other in _overlaps(versions):
                if new in {one, other}:
                    raise SameRoleTwice(branch, month, one, other)


def months_of_change(
    choices: Iterable[Choice], histories: Mapping[str, Sequence[Published]], first: Month
) -> list[Month]:
    """The first month, and every later one from which on other rulebooks or versions count."""
    changes = {choice.effective_from for choice in choices}
    changes |= {version.effective_from for history in histories.values() for version in history}
    return sorted({first, *(month for month in changes if month > first)})


def shared_roles(one: Rulebook, other: Rulebook) -> tuple[str, ...]:
    """The roles that both are for; `everyone` where both are for all."""
    if one.is_for_everyone:
        return other.roles
    if other.is_for_everyone:
        return one.roles
    return tuple(role for role in one.roles if role in other.roles)


def _versions_in(
    names: Iterable[str], histories: Mapping[str, Sequence[Published]], month: Month
) -> list[Published]:
    found = [in_force(histories.get(name, ()), month) for name in dict.fromkeys(names)]
    return [version for version in found if version is not None]


def _overlaps(versions: Sequence[Published]) -> Iterator[tuple[Published, Published]]:
    """The pairs that would pay one person twice."""
    for one, other in combinations(versions, 2):
        a, b = _rules(one), _rules(other)
        if a.pays and b.pays and a.period == b.period and shared_roles(a, b):
            yield one, other


def _rules(version: Published) -> Rulebook:
    return program_of(version.text).rulebook
