"""办理步骤: does one of the thirteen steps of a branch's month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import Text
from domain.processes.branch_month import BY_CODE, CALCULATED, REVIEWED, check_step
from domain.rights import ACTS, SeparationOfDuties
from projections.month.check.month_check import check_acknowledged
from projections.month.close import close
from projections.month.settle import settle_branch

if TYPE_CHECKING:
    from projections.models import ReadModels
    from projections.month.cycle import Cycle


def do_step(
    models: ReadModels,
    cycle: Cycle,
    code: str,
    *,
    by: str,
    note: str | None = None,
    known_version: int | None = None,
) -> int:
    """Does a step, or does it again; a calculation settles the branch, `paid` closes the month.

    `known_version`: the version of the month that the caller has read. The position reached.
    Raises what `check_step`, `settle_branch` and `close` raise, FindingsNotAcknowledged before the
    total is reviewed, VersionClash.
    """
    state = cycle.state()
    check_step(state, code, by)
    if code == "paid":
        return close(cycle, by=by, note=note, known_version=known_version)
    if code in REVIEWED and any(settlement.by == by for settlement in cycle.last_settlements()):
        done = Text("结算了该月", "settled this month")
        raise SeparationOfDuties(by, done, Text("复核", "review it"), ACTS[BY_CODE[code].act])
    if code == "total_reviewed":
        check_acknowledged(cycle)
    settlements: tuple[int, ...] = ()
    if code in CALCULATED:
        settled = settle_branch(models, cycle.period, cycle.branch, None, by=by)
        settlements = tuple(settlement.id for settlement in settled)
    version = state.version if known_version is None else known_version
    return models.ledger.record(cycle.step_done(code, by, note, settlements, version + 1))
