"""发放单位: which branch pays somebody, with which closings, and from which month on.

One person is paid a month by one branch: the one where they work. Where that branch pays nobody, or
they work nowhere, it is the branch that paid or posted to them last.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from domain.identifiers import Month, Period

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.rights import Place
    from projections.models import ReadModels


def payer_of(models: ReadModels, manager: str, month: Month) -> str | None:
    """The branch that pays somebody what is due in a month; None where nobody ever paid them."""
    works_at = models.places.place_of(manager, Period(month, month)).branch
    if works_at is not None and PayingBranch(models, works_at, Period(month, month)).pays:
        return works_at
    return models.payments.last_branch(manager)


class PayingBranch:
    """A branch as it pays in a period; whatever is asked twice is read once."""

    def __init__(self, models: ReadModels, branch: str, period: Period) -> None:
        self.models, self.branch, self.period = models, branch, period

    @cached_property
    def _kinds(self) -> set[str]:
        """The kinds of period of its pay rulebooks."""
        programs = self.models.rulebooks.paying(self.branch, self.period.last)
        return {program.rulebook.period for program in programs}

    @property
    def pays(self) -> bool:
        """Whether it pays anybody."""
        return bool(self._kinds)

    @property
    def by_longer_periods(self) -> bool:
        """Whether it pays by quarters, halves or years alone."""
        return self.pays and "month" not in self._kinds

    @property
    def pays_dues(self) -> bool:
        """Whether its closing of this period pays what other periods have posted.

        Those of months do; a branch that closes none pays it with whatever it closes.
        """
        return (self.period.kind == "month") != self.by_longer_periods

    @cached_property
    def first_open_month(self) -> Month:
        """The month after its last closed one, and after this period: where postings go."""
        month = self._month_after(months_only=True)
        if PayingBranch(self.models, self.branch, Period(month, month)).by_longer_periods:
            return self._month_after(months_only=False)
        return month

    def _month_after(self, *, months_only: bool) -> Month:
        closed = self.models.payments.last_closed(self.branch, months_only=months_only)
        return Month.of_index(max(closed, self.period.last.index) + 1)

    @cached_property
    def places_then(self) -> Mapping[str, Place]:
        """Where everyone who was ever here works in that month."""
        month = self.first_open_month
        return self.models.places.of_everyone(self.branch, Period(month, month))


class PostingMonths:
    """The months into which postings of a closed period go."""

    def __init__(self, models: ReadModels, period: Period) -> None:
        self.models, self.period = models, period
        self._branches: dict[str, PayingBranch] = {}

    def of(self, manager: str, branch: str) -> Month:
        """The first month that is open at the branch that pays a person by then; `branch` has
        settled the period.
        """
        own = self._branch(branch)
        place = own.places_then.get(manager)
        if place is not None and place.branch is not None:
            other = self._branch(place.branch)
            if other.pays:
                return other.first_open_month
        last = self.models.payments.last_branch(manager) or branch
        return self._branch(last).first_open_month

    def _branch(self, name: str) -> PayingBranch:
        if name not in self._branches:
            self._branches[name] = PayingBranch(self.models, name, self.period)
        return self._branches[name]
