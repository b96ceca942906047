"""What was settled is written as JSON without its shape; the two say the same."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from api.documents.checks import Check
from api.documents.settlements import Settled, SettledBranch
from domain.identifiers import Period
from projections.month.check.month_check import check_month
from projections.month.cycle import Cycle
from projections.service import Service
from tests.store import entries
from tests.worksheet import Ledger as Sheet


@pytest.fixture
def branch(database_url: str) -> Iterator[Service]:
    """A branch with one person."""
    sheet = Sheet()
    sheet.branch("minimum_wage", "1500")
    sheet.hire("A")
    sheet.rate_gs("A", "80")
    service = Service.open(database_url)
    service.ledger.append(entries(sheet), by="x")
    yield service
    service.close()


@pytest.mark.parametrize(
    ("period", "rulebook", "totals"),
    [
        ("2026-10", "elastic-pay", {"managers", "pay"}),
        ("2026", "elastic-pay-year", {"managers"}),  # it does not pay
    ],
)
def test_the_json_of_what_was_settled_has_its_shape(
    branch: Service, period: str, rulebook: str, totals: set[str]
) -> None:
    branch.settle(Period.parse("2026-10"), "B01", None, by="hr")
    settled = branch.settle(Period.parse(period), "B01", rulebook, by="hr")
    found = check_month(Cycle(branch, Period.parse(period), "B01"))
    document = SettledBranch(settled, Check.of_check(found, lambda _: True))
    written = orjson.loads(document.json_bytes())
    shape = Settled.model_validate(written)
    assert shape.model_dump(exclude_unset=True) == written
    (evaluation,) = written["evaluations"]
    assert evaluation["totals"].keys() == totals
    assert "findings" not in evaluation
    assert set(written["evaluations"][0]["statements"][0]) == {
        "manager", "team", "steps", "warnings",
    }  # fmt: skip
    assert (written["check"]["period"], written["check"]["open"]) == (period, len(found.open))
    indented = document.json_bytes(indent=2)
    assert orjson.loads(indented) == written
