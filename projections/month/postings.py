"""补发与扣回入账: the entries of postings that a resettlement decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.records.payments import Payments


def record_postings(ledger: Ledger, payments: Payments) -> None:
    """Records the entries of postings that were decided and are not recorded yet.

    One that the ledger does not take, because another entry has its key, holds up nothing else.
    """
    for posted in payments.not_carried_out():
        ledger.append([posted.as_entry()], by=posted.by)
