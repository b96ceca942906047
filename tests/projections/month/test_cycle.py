"""A branch's month by the windows and days of the rulebooks that it pays by."""

from __future__ import annotations

from datetime import timedelta

from domain.identifiers import Month
from projections.month.cycle import Cycle
from projections.service import Service
from tests.closing import OCTOBER, acknowledge_all
from tests.rules import text_of

STEPS = ("gs_rated", "paid")


def published(book: Service, rulebook: str, role: str, **cycle: str) -> None:
    text = text_of(
        {"pay yuan": "round(adjusted, 2)"},
        inputs={"adjusted": {"unit": "yuan", "read": "adjustment", "take": "yuan"}},
        id=rulebook, period="month", roles=[role], cycle=cycle,
    )  # fmt: skip
    book.publish(text, file="f", by="hr")


def due(book: Service) -> list[str]:
    steps = {step.step: step.due for step in Cycle(book, OCTOBER, "B01").overview().steps}
    return [steps[step] for step in STEPS]


def test_days_are_those_of_what_the_branch_pays_by(october: Service) -> None:
    assert due(october) == ["2026-11-10", "2026-11-20"]
    published(october, "a", "customer_manager", paid="25", gs_rated="8")
    published(october, "b", "clerk", paid="23")
    october.rulebooks.pay_by("B01", ["a"], Month(2026, 10), by="hr")
    assert due(october) == ["2026-11-08", "2026-11-25"]
    october.rulebooks.pay_by("B01", ["a", "b"], Month(2026, 10), by="hr")
    assert due(october) == ["2026-11-08", "2026-11-23"]


def test_windows_are_those_of_what_the_branch_pays_by(october: Service) -> None:
    published(october, "a", "customer_manager", objection_days="7", decision_days="20")
    october.rulebooks.pay_by("B01", ["a"], Month(2026, 10), by="hr")
    cycle = Cycle(october, OCTOBER, "B01")
    acknowledge_all(october)
    for step in (step.step for step in cycle.overview().steps[:12]):
        october.do_step(cycle, step, by="leader" if step.endswith("reviewed") else "clerk")
    month = cycle.overview()
    assert month.published_at is not None
    on = october.calendar.day_of(month.published_at)
    assert month.objection_until == (on + timedelta(days=7)).isoformat()
    assert month.decision_until == (on + timedelta(days=20)).isoformat()
