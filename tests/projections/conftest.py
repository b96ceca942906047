"""Books for the tests of the read models: a fresh one, and one with the worked case in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from projections.service import Service
from tests.closing import close
from tests.store import entries
from tests.ten_people import ten_people


@pytest.fixture
def book(database_url: str) -> Iterator[Service]:
    """A fresh book, on both databases."""
    opened = Service.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def october(book: Service) -> Service:
    """The ten people, not settled yet."""
    outcomes = book.ledger.append(entries(ten_people()), by="importer")
    assert {outcome.status for outcome in outcomes} == {"accepted"}
    return book


@pytest.fixture
def closed(october: Service) -> Service:
    """Their October, settled and closed."""
    close(october)
    return october
