"""发放单位: which branch pays somebody, with which closings, and from which month on.

One person is paid a month by one branch: the one where they work. Where that branch pays nobody, or
they work nowhere, it is the branch that paid or posted to them last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.identifiers import Month, Period

if TYPE_CHECKING:
    from domain.rights import Place
    from projections.models import ReadModels


def payer_of(
    models: ReadModels, manager: str, month: Month, place: Place | None = None
) -> str | None:
    """The branch that pays somebody what is due in a month; None where nobody ever paid them.

    `place`: where they work, where that is known already.
    """
    works_at = (place or models.places.place_of(manager, Period(month, month))).branch
    if works_at is not None and models.rulebooks.paying(works_at, month):
        return works_at
    return models.payments.last_branch(manager)


def pays_dues(models: ReadModels, branch: str, period: Period) -> bool:
    """Whether a closing of this period pays what other periods have posted.

    Those of months do. A branch that pays by no rulebook of months pays it with whatever it closes.
    """
    return (period.kind == "month") != _pays_by_longer_periods_only(models, branch, period.last)


def first_open_month(models: ReadModels, branch: str, period: Period) -> Month:
    """The first month of a branch that is open for postings of a closed period."""
    longer = _pays_by_longer_periods_only(models, branch, period.last)
    closed = models.payments.last_closed(branch, months_only=not longer)
    return Month.of_index(max(closed, period.last.index) + 1)


def month_of_posting(models: ReadModels, manager: str, branch: str, period: Period) -> Month:
    """The first month that is open at the branch that pays a person now; `branch` settled the
    period.
    """
    month = first_open_month(models, branch, period)
    payer = payer_of(models, manager, month) or branch
    return first_open_month(models, payer, period)


def _pays_by_longer_periods_only(models: ReadModels, branch: str, month: Month) -> bool:
    kinds = {program.rulebook.period for program in models.rulebooks.paying(branch, month)}
    return bool(kinds) and "month" not in kinds
