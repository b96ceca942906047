"""Decisions about one closed month that meet each other: each is carried out once, and says its own
figures.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from domain.errors import NextAct
from domain.ledger.events import MonthResettled
from domain.processes.appeal import CorrectionMissing, FiledInTime
from projections.appeals import carry_out as carrying_out
from projections.appeals import process
from projections.month import resettle as resettling
from projections.records.payments import Posted
from projections.service import Service
from tests.closing import NOVEMBER, OCTOBER, close, floor, grant, payable, proposed, record
from tests.ten_people import DISPLACED, HER

Figures = tuple[str | None, str | None, str | None]


def figures(service: Service, name: str) -> list[Figures]:
    """Before, after, and the month that pays the difference: of each time that it was carried
    out.
    """
    return [(done.before, done.after, done.month) for done in service.appeals.get(name).carried_out]


def posted(service: Service) -> list[tuple[str, str, str]]:
    return sorted((p.manager, p.item, p.amount) for p in service.payments.posted("B01", "2026-10"))


def test_decisions_on_appeals_of_one_closed_month_at_the_same_time_are_all_carried_out(
    closed: Service, database_url: str
) -> None:
    names = [
        proposed(closed),
        *(proposed(closed, manager, grant(manager)) for manager in ("M05", "M06", "M07")),
    ]
    ready = threading.Barrier(len(names), timeout=60)

    def decide(name: str) -> None:
        service = Service.open(database_url)
        try:
            ready.wait()
            process.decide(service, name, "upheld", "属实", by="decider", proposal=1)
        finally:
            service.close()

    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(decide, names))
    assert {closed.appeals.get(name).state for name in names} == {"carried_out"}
    # Her deduction of 250 keeps her out of the second tier: + 250 + 200. The others are given 5
    # each.
    assert [figures(closed, name) for name in names] == [
        [("1635", "2085", "2026-11")],
        *[[("1825", "1830", "2026-11")]] * 3,
    ]
    assert posted(closed) == [
        (HER, "back_pay", "450"),
        (DISPLACED, "clawback", "200"),
        *((manager, "back_pay", "5") for manager in ("M05", "M06", "M07")),
    ]
    assert closed.payments.not_carried_out() == []


def overtake(monkeypatch: pytest.MonkeyPatch, service: Service, times: int) -> list[int]:
    """Somebody else resettles October that often, each time after it was read for a resettlement
    and before it is recorded. How often it was read.
    """
    read, plan = [], resettling._plan

    def slow(cycle: Any, by: str, what_if: Any = None) -> Any:
        found = plan(cycle, by, what_if)
        if what_if is not None:  # the rehearsal
            return found
        read.append(service.ledger.position())
        if len(read) <= times:
            state = cycle.state()
            place = cycle.place("other", state.version + 1)
            service.ledger.record(
                MonthResettled(**place, reason="别的原因", appeal=None, digests=(), postings=())
            )
        return found

    monkeypatch.setattr(resettling, "_plan", slow)
    return read


def test_a_resettlement_that_another_overtakes_is_made_again(
    closed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = proposed(closed)
    read = overtake(monkeypatch, closed, times=3)
    process.decide(closed, name, "upheld", "属实", by="decider", proposal=1)
    assert len(read) == 4
    assert figures(closed, name) == [("1635", "2085", "2026-11")]
    assert posted(closed) == [(HER, "back_pay", "450"), (DISPLACED, "clawback", "200")]


def test_a_decision_that_others_overtake_again_and_again_is_on_record_and_carried_out_later(
    closed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = proposed(closed)
    with monkeypatch.context() as busy:
        overtake(busy, closed, times=carrying_out.MAX_ATTEMPTS)
        process.decide(closed, name, "upheld", "属实", by="decider", proposal=1)
    assert closed.appeals.get(name).state == "decided"
    assert posted(closed) == []
    assert carrying_out.resume(closed) == [name]
    assert figures(closed, name) == [("1635", "2085", "2026-11")]
    assert posted(closed) == [(HER, "back_pay", "450"), (DISPLACED, "clawback", "200")]


def test_a_correction_that_somebody_elses_resettlement_took_in_says_its_figures_all_the_same(
    closed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, resettle = proposed(closed), resettling.resettle
    calls: list[Any] = []

    def second(cycle: Any, reason: str, **fields: Any) -> Any:
        if not calls:
            calls.append(resettle(cycle, "别的原因", by="other"))
        return resettle(cycle, reason, **fields)

    monkeypatch.setattr(carrying_out, "resettle", second)
    process.decide(closed, name, "upheld", "属实", by="decider", proposal=1)
    assert figures(closed, name) == [("1635", "2085", "2026-11")]
    postings: list[Posted] = closed.payments.posted("B01", "2026-10")
    assert [(p.manager, p.amount, p.by, p.appeal) for p in postings] == [
        (HER, "450", "other", None),
        (DISPLACED, "200", "other", None),
    ]


def test_the_correction_of_a_review_says_its_own_before_and_month(closed: Service) -> None:
    name = proposed(closed, HER, grant(HER))
    process.propose(
        closed,
        name,
        [{"kind": "reversal", "reverses": {"source": "billing", "source_id": "250"}}],
        by="handler",
    )
    process.decide(closed, name, "partly_upheld", "部分属实", by="decider", proposal=1)
    record(closed, floor("2026-11"))
    close(closed, NOVEMBER)
    assert payable(closed, NOVEMBER) == {HER: ("2025", "5", "0", "2030")}
    process.request_review(closed, name, "不服", by=HER)
    process.decide(closed, name, "upheld", "复核属实", by="committee", proposal=2)
    assert figures(closed, name) == [
        ("1635", "1640", "2026-11"),
        ("1640", "2090", "2026-12"),  # with the 5: 1635 + 450 + 5; November is closed by then
    ]
    assert posted(closed) == [
        (HER, "back_pay", "450"),
        (HER, "back_pay", "5"),
        (DISPLACED, "clawback", "200"),
    ]


def test_a_correction_that_changes_no_pay_names_no_month_whatever_was_posted_before(
    closed: Service,
) -> None:
    unread = {
        "kind": "sale",
        "manager": HER,
        "month": "2026-10",
        "item": "nobody_reads_this",
        "quantity": "1",
    }
    name, other = proposed(closed), proposed(closed, HER, unread)
    for decided in (name, other):
        process.decide(closed, decided, "upheld", "属实", by="decider", proposal=1)
    assert figures(closed, name) == [("1635", "2085", "2026-11")]
    assert figures(closed, other) == [("2085", "2085", None)]
    assert posted(closed) == [(HER, "back_pay", "450"), (DISPLACED, "clawback", "200")]


def test_in_an_open_month_each_decision_says_what_it_changed(october: Service) -> None:
    october.settle(OCTOBER, "B01", None, by="clerk")
    name, other = proposed(october), proposed(october, "M05", grant("M05"))
    for decided in (name, other):
        process.decide(october, decided, "upheld", "属实", by="decider", proposal=1)
    assert figures(october, name) == [("1635", "2085", "2026-10")]
    assert figures(october, other) == [("1825", "1830", "2026-10")]
    assert posted(october) == []


def test_a_refusal_has_its_facts_and_the_act_that_would_help(closed: Service) -> None:
    name = proposed(closed)
    with pytest.raises(CorrectionMissing) as missing:
        process.decide(closed, name, "upheld", "属实", by="decider")
    assert (missing.value.name, missing.value.decision) == (name, "upheld")
    assert missing.value.next_act == NextAct("propose_correction", {"appeal": name})
    other = process.file_appeal(closed, HER, OCTOBER, "有误", by=HER)
    with pytest.raises(FiledInTime) as in_time:
        process.reject(closed, other, "out_of_time", "过期", by="handler")
    assert (in_time.value.name, in_time.value.last_day) == (other, None)
