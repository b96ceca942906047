"""结算: a branch's period is evaluated and recorded, or read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.acts.access import check, held_people, put_listing_on_record, put_on_record
from api.acts.cycles import check_of
from api.documents.parts.base import Page, Written
from api.documents.settlements import Promotions, SettledBranch, Settlement, Settlements
from domain.errors import NotFound, Text
from domain.identifiers import Period
from domain.rights import Place, may
from projections.month.cycle import Cycle
from projections.month.promotions import find_candidates

if TYPE_CHECKING:
    from projections.records.accounts.accounts import Caller
    from projections.service import Service


class NoSuchSettlement(NotFound):
    """A ledger position at which no settlement is recorded."""

    def __init__(self, id_: int) -> None:
        super().__init__(
            Text(
                f"没有结算 {id_}；编号是结算时返回的 id",
                f"no settlement {id_}: its id came with the settling",
            )
        )


def settle(
    service: Service, who: Caller, period: Period, branch: str, rulebook: str | None = None
) -> Written[SettledBranch]:
    """Evaluates a branch and issues a new statement version to everyone, all or none.

    Under `ID` or `ID@VERSION`, or under every rulebook that the branch pays by. Raises Refused with
    every finding; then nothing is recorded. The month check comes along, as of now.
    """
    check(who, "settle", Place(branch))
    recorded = service.settle(period, branch, rulebook, by=who.name)
    settled = SettledBranch(recorded, check_of(Cycle(service, period, branch), who))
    return Written(settled, settled.position)


def show_settlement(service: Service, who: Caller, id_: int) -> Settlement:
    """A recorded settlement by its id; that it was read is on record. Raises NotFound."""
    settlement = service.statements.settlement(id_)
    if settlement is None:
        raise NoSuchSettlement(id_)
    check(who, "read_settlements", Place(settlement.branch))
    period = Period.parse(settlement.period)
    put_listing_on_record(service, who, [settlement.branch], [period], "settlement")
    return Settlement.of_settlement(settlement)


def list_settlements(
    service: Service,
    who: Caller,
    *,
    period: Period | None = None,
    branch: str | None = None,
    after: int = 0,
    limit: int,
) -> Page[Settlements]:
    """A page of settlements in ledger order, without anybody's pay: those that the caller may read.

    It may have fewer than `limit`, and there is a next one while there are more.
    """
    check(who, "read_settlements", Place(branch) if branch else None)
    settlements, following = service.statements.settlements_page(
        period=str(period) if period else None, branch=branch, after=after, limit=limit
    )
    listed = [
        Settlement.of_settlement(settlement)
        for settlement in settlements
        if may(who.seats, "read_settlements", Place(settlement.branch))
    ]
    return Page(Settlements(settlements=listed, next=None), following)


def list_promotions(service: Service, who: Caller, period: Period, branch: str) -> Promotions:
    """Who of a branch stands for promotion and who for exit, by what was last settled for a period.

    Everybody listed has figures of their statement shown, which is put on record.
    """
    check(who, "read_settlements", Place(branch))
    candidates = find_candidates(service, branch, period)
    managers = {candidate.manager for candidate in candidates}
    shown = held_people(service, who, "read_settlements", managers, period)
    candidates = [candidate for candidate in candidates if candidate.manager in shown]
    for manager in sorted(shown):
        put_on_record(service, who, manager, period, "promotions")
    return Promotions.of_candidates(branch, period, candidates)
