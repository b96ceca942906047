"""The service over a fresh ledger, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.http.app import create_app
from api.settings import Settings
from tests.api.service import Service, branch


@pytest.fixture
def service(database_url: str) -> Iterator[Service]:
    """Started, with the key of the actor `hr`."""
    app = create_app(Settings(database=database_url))
    with Service(app) as client:
        secret, _ = app.state.service.accounts.keys.create("hr", by="tester")
        client.headers["X-API-Key"] = secret
        yield client


@pytest.fixture
def settled(service: Service) -> Service:
    """With October of B01 recorded and settled."""
    service.append(branch())
    service.settle()
    return service
