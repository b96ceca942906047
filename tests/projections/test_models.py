"""A book: whatever is derived is derived again to the same digests, and nobody begins a ledger
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from domain.identifiers import Month, Period
from projections.explain.derivation import explain
from projections.service import Service
from projections.store.read_model import Projection
from tests.store import entries
from tests.ten_people import APPEALED, HER, reversal
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")


def test_rebuilt_every_read_model_has_the_same_digest_and_says_the_same(october: Service) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    october.ledger.append(entries([reversal(APPEALED, "1")]), by="x")
    october.settle(OCTOBER, "B01", None, by="clerk")
    october.rulebooks.pay_by("B01", ["elastic-pay"], Month.parse("2026-10"), by="hr")
    before = explain(october, HER, OCTOBER)
    digests = october.rebuild()
    found = Projection.__subclasses__()
    models = {model.name for model in found if model.__module__.startswith("projections.")}
    assert set(digests) == {"keys", "facts", "symbols"} | models
    assert [name for name, (old, new) in digests.items() if old != new] == []
    assert explain(october, HER, OCTOBER) == before
    assert october.rulebooks.pays_by("B01", Month.parse("2026-10")) == ("elastic-pay",)


def test_branches_are_those_with_anyone_in_the_period(october: Service) -> None:
    sheet = Sheet()
    sheet.hire("N01", branch="A01", month="2026-11", source="hr")
    october.ledger.append(entries(sheet), by="x")
    assert october.places.branches(OCTOBER) == ["B01"]
    assert october.places.branches(Period.parse("2026-11")) == ["A01", "B01"]
    assert october.places.branches(Period.parse("2026-09")) == []


def test_many_who_open_a_new_ledger_at_once_begin_it_once(
    new_empty_ledger: Callable[[], str],
) -> None:
    url = new_empty_ledger()
    with ThreadPoolExecutor(4) as threads:
        books = list(threads.map(Service.open, [url] * 4))
    assert {book.ledger.position() for book in books} == {len(books[0].rulebooks.all())}
    assert len({row.rulebook for row in books[0].rulebooks.all()}) == len(books[0].rulebooks.all())
    for book in books:
        book.close()
