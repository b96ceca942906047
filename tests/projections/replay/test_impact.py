"""Before a version is published, the months last settled are replayed under it, and the ledger
keeps what came out.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

import orjson
import pytest

from domain.identifiers import Period
from domain.ledger.events import RulebookPublished
from projections.replay.comparison import Totals
from projections.replay.impact import RefusedMonth
from projections.service import Service
from tests.projections.records.test_rulebooks import revised
from tests.store import entries
from tests.ten_people import PAY
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")
TOTAL = sum(int(pay) for pay in PAY.values())


@pytest.fixture
def settled(october: Service) -> Service:
    """The ten people in B01; in B02 one of education, whose GS points are raised by 70%. Both are
    settled.
    """
    sheet = Sheet()
    sheet.branch("minimum_wage", "1500", branch="B02", source="b02")
    sheet.branch("gs_adjustment.education", "0.7", branch="B02", source="b02")
    sheet.hire("X01", branch="B02", source="b02", attributes={"industry": "education"})
    october.ledger.append(entries(sheet), by="importer")
    for branch in ("B01", "B02"):
        october.settle(OCTOBER, branch, None, by="clerk")
    return october


def test_the_impact_is_what_the_last_settled_months_would_have_been(settled: Service) -> None:
    # Six of B01 are in tier 3; X01, alone in B02, is too: 800 x 1.7 = 1360 becomes 850 x 1.7 =
    # 1445.
    text = revised(
        settled, "3.1.0", **{"3: {share: 0.60, points: 800}": "3: {share: 0.60, points: 850}"}
    )
    done = settled.publish(text, file="f", by="hr")
    assert done.impact is not None
    before = TOTAL + 1025 + 1360
    assert done.impact.totals == Totals(
        before=Decimal(before),
        after=Decimal(before + 300 + 85),
        difference=Decimal(385),
        gainers=7,
        losers=0,
        managers=11,
    )
    assert [(month.period, month.branch) for month in done.impact.months] == [
        ("2026-10", "B01"), ("2026-10", "B02"),
    ]  # fmt: skip
    assert done.impact.refused == []


def test_the_publication_event_keeps_the_impact_with_its_digest(settled: Service) -> None:
    done = settled.publish(revised(settled, "3.1.0"), file="f", by="hr")
    event = settled.ledger.event_at(done.position)
    assert isinstance(event, RulebookPublished)
    assert done.impact is not None
    assert event.impact == done.impact.recorded()
    said = {key: value for key, value in event.impact.items() if key != "digest"}
    canonical = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    assert event.impact["digest"] == hashlib.sha256(canonical).hexdigest()


def test_a_month_that_the_new_version_refuses_is_named(settled: Service) -> None:
    done = settled.publish(
        revised(settled, "3.1.0", **{"high: 0.8": "high: 0.5"}), file="f", by="hr"
    )
    assert done.impact is not None
    assert done.impact.refused == [RefusedMonth("2026-10", "B02", findings=1)]
    assert (done.impact.totals.before, done.impact.totals.managers) == (TOTAL, 10)


def test_only_the_last_settled_period_of_a_branch_counts(settled: Service) -> None:
    november = Sheet()
    november.branch("minimum_wage", "9000", month="2026-11", source="nov")
    settled.ledger.append(entries(november), by="importer")
    settled.settle(Period.parse("2026-11"), "B01", None, by="clerk")
    done = settled.publish(revised(settled, "3.1.0"), file="f", by="hr")
    assert done.impact is not None
    assert {(month.period, month.branch) for month in done.impact.months} == {
        ("2026-11", "B01"), ("2026-10", "B02"),
    }  # fmt: skip
    assert done.impact.totals.before == 10 * 9000 + 1025 + 1360


def test_where_nothing_is_settled_there_is_no_impact(october: Service) -> None:
    assert october.publish(revised(october, "3.1.0"), file="f", by="hr").impact is None


def test_a_dry_run_shows_the_impact_and_publishes_nothing(settled: Service) -> None:
    before = settled.ledger.position()
    tried = settled.publish(revised(settled, "3.1.0"), file="f", by="hr", dry_run=True)
    assert tried.impact is not None
    assert settled.ledger.position() == before == tried.position
    assert "3.1.0" not in {row.version for row in settled.rulebooks.all()}
