"""补发与扣回入账: the entries of postings that a resettlement decided."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.records.payments import Payments


def record_postings(ledger: Ledger, payments: Payments) -> None:
    """Records the entries of postings that were decided and are not recorded yet."""
    for by, postings in groupby(payments.not_carried_out(), key=attrgetter("by")):
        ledger.append([posted.as_entry() for posted in postings], by=by)
