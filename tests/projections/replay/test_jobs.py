"""Jobs: run in the background as of when they were asked for, resumed after a restart, cancelled,
never run twice.
"""

from __future__ import annotations

from threading import Event as Flag
from time import monotonic, sleep
from typing import Any

import pytest

from domain.errors import Declined, NotFound
from domain.identifiers import Period
from domain.ledger.events import ReplayRun
from projections.replay.jobs import JobProgress, Jobs
from projections.replay.question import Question
from projections.replay.repeat import repeat_replay
from projections.replay.replay import replay
from projections.service import Service
from tests.store import entries
from tests.ten_people import APPEALED, HER, reversal

OCTOBER = Period.parse("2026-10")
SOURCE, _, NUMBER = APPEALED.partition(":")
QUESTION = Question((OCTOBER,), ("B01",), left_out=((SOURCE, NUMBER),), against="settled")
PATIENCE_SECONDS = 60


@pytest.fixture
def settled(october: Service) -> Service:
    october.settle(OCTOBER, "B01", None, by="clerk")
    return october


def ended(jobs: Jobs, name: str) -> str:
    """The state in which a job ends."""
    until = monotonic() + PATIENCE_SECONDS
    while (state := jobs.get(name).state) == "waiting" and monotonic() < until:
        sleep(0.01)
    return state


def runs(book: Service) -> list[ReplayRun]:
    events = (event for _, event in book.ledger.read(0, 10_000))
    return [event for event in events if isinstance(event, ReplayRun)]


def test_a_job_ends_with_the_replay_that_the_question_has(settled: Service) -> None:
    jobs = Jobs(settled)
    name = jobs.request(QUESTION, by="hr")
    jobs.start()
    assert ended(jobs, name) == "done"
    jobs.stop()
    result = jobs.get(name).replay
    assert result is not None
    now = replay(settled, QUESTION, by="hr")
    answer = repeat_replay(settled, result)
    assert [e.digest for e in answer.evaluations] == [e.digest for e in now.evaluations]
    assert answer.comparison == now.comparison
    assert jobs.progress(name) == JobProgress("2026-10", 1, 1)


def test_it_answers_as_of_when_it_was_asked_for(settled: Service) -> None:
    jobs = Jobs(settled)
    name = jobs.request(Question((OCTOBER,), ("B01",)), by="hr")
    settled.ledger.append(entries([reversal(APPEALED, "1")]), by="x")
    jobs.run(name)
    replayed = jobs.get(name).replay
    assert replayed is not None
    (evaluation,) = repeat_replay(settled, replayed).evaluations
    assert {s.manager: s.steps["pay"] for s in evaluation.statements}[HER] == "1635"


def test_what_waited_when_the_service_ended_is_done_after_the_next_start_and_once(
    settled: Service,
) -> None:
    name = Jobs(settled).request(QUESTION, by="hr")  # nobody has started
    for _ in range(2):
        again = Jobs(settled)
        again.start()
        assert ended(again, name) == "done"
        again.stop()
    assert len(runs(settled)) == 1


def test_a_crash_before_its_end_is_written_leaves_it_waiting(
    settled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(settled)
    name = jobs.request(QUESTION, by="hr")

    def crash(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(settled.ledger, "record", crash)
        with pytest.raises(KeyboardInterrupt):
            jobs.run(name)
    assert jobs.get(name).state == "waiting"
    assert runs(settled) == []
    jobs.run(name)
    assert jobs.get(name).state == "done"


def test_a_cancelled_job_is_not_run_and_one_that_has_ended_is_not_cancelled(
    settled: Service,
) -> None:
    jobs = Jobs(settled)
    first, second = (jobs.request(QUESTION, by="hr") for _ in range(2))
    jobs.cancel(first, by="hr")
    jobs.run(first)
    jobs.run(second)
    assert [jobs.get(name).state for name in (first, second)] == ["cancelled", "done"]
    assert len(runs(settled)) == 1
    for name in (first, second):
        with pytest.raises(Declined):
            jobs.cancel(name, by="hr")
    with pytest.raises(NotFound):
        jobs.get("none")


def test_a_job_that_is_cancelled_while_it_runs_stops_and_records_nothing(
    settled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, reached, go = Jobs(settled), Flag(), Flag()
    branches = settled.evaluator.branches

    def slow(*given: Any, **named: Any) -> Any:
        reached.set()
        assert go.wait(PATIENCE_SECONDS)
        return branches(*given, **named)

    name = jobs.request(Question((OCTOBER,), ("B01",)), by="hr")
    monkeypatch.setattr(settled.evaluator, "branches", slow)
    jobs.start()
    assert reached.wait(PATIENCE_SECONDS)
    Jobs(settled).cancel(name, by="other")  # from another process
    go.set()
    jobs.stop()
    assert jobs.get(name).state == "cancelled"
    assert runs(settled) == []


def test_a_question_that_cannot_be_asked_is_refused_at_once(settled: Service) -> None:
    with pytest.raises(NotFound):
        Jobs(settled).request(Question((OCTOBER,), ("B01",), rulebook="nothing"), by="hr")


def test_what_cannot_be_answered_ends_with_the_reason(settled: Service) -> None:
    jobs = Jobs(settled)
    name = jobs.request(Question((OCTOBER,), ("B01",), against="paid"), by="hr")
    jobs.run(name)
    job = jobs.get(name)
    assert (job.state, job.replay) == ("refused", None)
    assert "2026-10" in str(job.why)


def test_rebuilt_jobs_are_the_same(settled: Service) -> None:
    jobs = Jobs(settled)
    jobs.run(jobs.request(QUESTION, by="hr"))
    before, after = settled.rebuild()["jobs"]
    assert before == after
