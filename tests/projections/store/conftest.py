"""Here the store itself is tested: its ledgers begin without an event."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def new_database(new_empty_ledger: Callable[[], str]) -> Callable[[], str]:
    """Makes addresses of ledgers without an event."""
    return new_empty_ledger
