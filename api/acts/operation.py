"""Operation: whether the store answers, and the derivation of every read model anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.acts.access import check
from api.documents.operation import Ready, Rebuilt, RebuiltModel

if TYPE_CHECKING:
    from projections.records.accounts.accounts import Caller
    from projections.service import Service


def check_store(service: Service) -> Ready:
    """The position of the ledger, read from the store. Whoever probes needs no right."""
    return Ready(status="ok", position=service.ledger.position())


def rebuild(service: Service, who: Caller) -> Rebuilt:
    """Drops every read model and derives it again."""
    check(who, "maintain")
    return {
        name: RebuiltModel(before, after, same=before == after)
        for name, (before, after) in service.rebuild().items()
    }


def check_maintenance(who: Caller) -> None:
    """Raises Forbidden unless the caller may run the service, or fill a ledger with the demo."""
    check(who, "maintain")
