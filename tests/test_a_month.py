"""docs/a-month.md: a branch of forty through its thirteen steps, an appeal, and the sums that agree
to the cent.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from projections.service import Service
from tests.console import DOCS, Reader

TEXT = (DOCS / "a-month.md").read_text("utf-8")
ZERO = Decimal(0)


def test_the_month_goes_as_it_is_told_and_its_sums_agree(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERIT_DATABASE", database_url)
    Reader(tmp_path, monkeypatch).follows(TEXT)
    book = Service.open(database_url)
    try:
        agree(book)
    finally:
        book.close()


def agree(book: Service) -> None:
    """Paid + posted = the latest statements, and what was posted is paid with November."""
    paid = {p.manager: Decimal(p.pay) for p in book.payments.paid("B01", "2026-10")}
    assert len(paid) == 40
    posted = {p.manager: p.signed for p in book.payments.posted("B01", "2026-10")}
    assert posted == {"M0003": Decimal(-200), "M0007": Decimal("1019.5"), "M0038": Decimal(-200)}
    latest = book.statements.latest("2026-10", "elastic-pay", "B01")
    for manager, amount in paid.items():
        assert amount + posted.get(manager, ZERO) == Decimal(latest[manager].steps["pay"])
    november = {p.manager: p for p in book.payments.paid("B01", "2026-11")}
    for manager, amount in posted.items():
        line = november[manager]
        carried = Decimal(line.carried)
        assert Decimal(line.back_pay) - Decimal(line.clawback) - carried == amount
        assert Decimal(line.payable) == Decimal(line.pay) + amount + carried
    before, after = zip(*book.rebuild().values(), strict=True)
    assert before == after
