"""What the ledger does with entries and other events, on both databases."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import NotFound, Overtaken, VersionClash
from domain.identifiers import Month, stream_id
from domain.ledger.event_json import stamped
from domain.ledger.events import ApiKeyCreated, SaleRecorded
from domain.ledger.ledger import Ledger, Outcome
from domain.ledger.store_protocol import AsRead
from projections.service import Service
from projections.store.database import database_of, open_ledger
from tests.domain.ledger.test_acceptance import batches
from tests.store import count, counting, entries, fact_rows
from tests.worksheet import Ledger as Sheet

AT = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)


def statuses(outcomes: list[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def small_month() -> Sheet:
    sheet = Sheet()
    sheet.hire("M1")
    sheet.put("sale", "M1", "group_count", quantity="3", note="一")
    sheet.put("rating", "M1", "initiative", score="90", rater_level="leader")
    sheet.branch("minimum_wage", "1000")
    sheet.reverse(sheet[1])
    return sheet


def test_an_entry_becomes_an_event_of_its_manager_and_month(ledger: Ledger) -> None:
    sheet = small_month()
    ledger.append(entries(sheet[:2]), by="王五", at=AT)
    event = ledger.events_of(stream_id("manager", "M1", Month(2026, 10).index))[1]
    assert isinstance(event, SaleRecorded)
    assert (event.originator_version, event.by, event.at, event.entry) == (
        2,
        "王五",
        AT,
        entries(sheet)[1],
    )


@pytest.mark.parametrize("together", [True, False], ids=["together", "one by one"])
def test_what_was_accepted_is_a_duplicate_when_it_comes_again(
    ledger: Ledger, *, together: bool
) -> None:
    month = entries(small_month())

    def send() -> list[Outcome]:
        return (
            ledger.append(month, by="x")
            if together
            else [ledger.append([e], by="x")[0] for e in month]
        )

    first = send()
    again = send()
    assert statuses(first) == ["accepted"] * 5
    assert statuses(again) == ["duplicate"] * 5
    assert [o.position for o in again] == [o.position for o in first]
    assert count(ledger, "stored_events") == count(ledger, "keys") == count(ledger, "facts") == 5


@pytest.mark.parametrize("many", [True, False], ids=["among many", "alone"])
def test_who_has_no_assignment_is_refused_and_the_others_are_taken(
    ledger: Ledger, *, many: bool
) -> None:
    sheet = small_month()
    stranger = sheet.put("sale", "M9", "group_count", quantity="3")
    ledger.append(entries(sheet[:1]), by="x")
    outcomes = ledger.append(entries([stranger, *(sheet[1:5] if many else [])]), by="x")
    assert [r.code for r in outcomes[0].reasons] == ["no_assignment"]
    assert statuses(outcomes) == ["rejected"] + ["accepted"] * (4 if many else 0)
    assert count(ledger, "symbols") == len(
        {v for row in fact_rows(ledger) for v in row.values() if isinstance(v, str)} - {""}
    )


def test_a_reversal_may_name_what_stands_in_the_ledger_or_later_in_the_batch(
    ledger: Ledger,
) -> None:
    sheet = small_month()
    assert statuses(ledger.append(entries(sheet[:1]), by="x")) == ["accepted"]
    of_stored, of_later = sheet.reverse(sheet[0]), sheet[4]
    assert statuses(ledger.append(entries([of_later, of_stored, sheet[3], sheet[1]]), by="x"))[
        :3
    ] == [
        "rejected",  # the sale that it names has no assignment any more
        "accepted",
        "accepted",
    ]


def test_a_reversal_stands_with_what_it_reverses_and_knows_its_place(ledger: Ledger) -> None:
    sheet = small_month()
    sheet.reverse(sheet[4])
    positions = [o.position for o in ledger.append(entries(sheet), by="x")]
    stream = ledger.events_of(stream_id("manager", "M1", Month(2026, 10).index))
    assert [e.TOPIC for e in stream[-2:]] == ["reversal-recorded"] * 2
    last = stream[-1]
    assert (last.position, last.root, last.manager, last.item, last.month) == (  # type: ignore[attr-defined]
        positions[4],
        "sale",
        "M1",
        "group_count",
        "2026-10",
    )


def test_of_nothing_nothing_becomes(ledger: Ledger) -> None:
    assert ledger.append([], by="x") == ledger.append([], by="x", dry_run=True) == []
    assert ledger.record() == ledger.position() == 0


def test_a_dry_run_says_the_same_and_writes_nothing(ledger: Ledger) -> None:
    sheet = small_month()
    sheet.put("sale", "M9", "group_count", quantity="3")
    dry = ledger.append(entries(sheet), by="x", dry_run=True)
    assert ledger.position() == 0
    real = ledger.append(entries(sheet), by="x")
    assert statuses(dry) == statuses(real)
    assert [o.reasons for o in dry] == [o.reasons for o in real]
    again = ledger.append(entries(sheet), by="x", dry_run=True)
    assert [o.position for o in again] == [o.position for o in real]


def test_entries_of_one_batch_keep_their_order_and_reversals_come_last(ledger: Ledger) -> None:
    sheet = Sheet()
    sheet.put("sale", "M1", "a", quantity="1")
    sheet.hire("M1")
    sheet.reverse(sheet[0])
    sheet.put("sale", "M1", "a", quantity="2")
    assert [o.position for o in ledger.append(entries(sheet), by="x")] == [1, 2, 4, 3]


def test_the_latest_of_two_values_is_the_later_one_wherever_the_batch_is_cut(
    ledger: Ledger,
) -> None:
    ledger.chunk = 3
    sheet = Sheet()
    for wage in range(10):
        sheet.branch("minimum_wage", str(wage))
        sheet.hire("M1", grade=wage)
    ledger.append(entries(sheet), by="x")
    for kind in (0, 5):
        values = [row["value"] for row in fact_rows(ledger) if row["kind"] == kind]
        assert values == sorted(values)


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_acceptance_does_not_depend_on_where_a_batch_is_cut(ledger: Ledger, chunk: int) -> None:
    sheet = Sheet()
    sheet.put("sale", "M1", "a", quantity="1")
    sheet.reverse(sheet[0])
    sheet.put("sale", "M2", "a", quantity="1")
    first = sheet.hire("M2")
    sheet.reverse(first)
    sheet.reverse(first)
    sheet.reverse(sheet[4])
    sheet.hire("M3", month="2026-12")
    sheet.put("sale", "M3", "a", quantity="1")
    sheet.hire("M1")
    ledger.chunk = chunk
    expected = ["accepted", "accepted", "rejected", *["accepted"] * 5, "rejected", "accepted"]
    assert statuses(ledger.append(entries(sheet), by="x")) == expected


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sheet=batches(), seed=st.integers(0, 1000), chunk=st.integers(1, 8))
def test_entries_in_any_order_and_any_pieces_give_the_same_facts(
    new_database: Callable[[], str], sheet: list[dict[str, Any]], seed: int, chunk: int
) -> None:
    shuffled = random.Random(seed).sample(sheet, len(sheet))
    with open_ledger(new_database()) as plain, open_ledger(new_database()) as cut:
        cut.chunk = chunk
        expected = {
            e["source_id"]: o.status
            for e, o in zip(sheet, plain.append(entries(sheet), by="x"), strict=True)
        }
        found = {
            e["source_id"]: o.status
            for e, o in zip(shuffled, cut.append(entries(shuffled), by="x"), strict=True)
        }
        assert found == expected
        assert counting(cut) == counting(plain)


def key_created(version: int = 1, stream: Any = None) -> ApiKeyCreated:
    stream = stream or stream_id("key", "HR")
    return ApiKeyCreated(
        originator_id=stream,
        originator_version=version,
        by="x",
        at=AT,
        account="HR",
        number=1,
        secret_hash="…",
    )


def test_an_event_is_recorded_in_its_place_once(ledger: Ledger) -> None:
    stream = stream_id("key", "HR")
    assert ledger.next_version(stream) == 1
    assert ledger.record(key_created()) == 1
    assert ledger.next_version(stream) == 2
    with pytest.raises(VersionClash):
        ledger.record(key_created(2), key_created(1))
    assert len(ledger.events_of(stream)) == 1


@pytest.mark.parametrize("events", [3, 500], ids=["few", "many"])
def test_of_events_recorded_together_all_are_written_or_none(ledger: Ledger, events: int) -> None:
    taken = uuid4()
    ledger.record(key_created(1, taken))
    batch = [key_created(1, uuid4()) for _ in range(events)]
    with pytest.raises(VersionClash):
        ledger.record(*batch, key_created(1, taken))
    assert ledger.position() == 1
    assert ledger.record(*batch) == ledger.position()
    assert [event for _, event in ledger.read(1, events + 1)] == batch


def test_the_very_same_event_recorded_again_is_where_it_was(ledger: Ledger) -> None:
    event = key_created()
    position = ledger.record(event)
    ledger.record(key_created(1, uuid4()))
    assert ledger.record(event) == position


class Interrupted(list[Any]):
    """Entries of an import, whose drafts are made chunk by chunk: at some of them somebody else
    comes in between.
    """

    def __init__(self, given: list[Any], every: int, meanwhile: Callable[[], None]) -> None:
        super().__init__(given)
        self._every, self._meanwhile = every, meanwhile

    def __getitem__(self, place: Any) -> Any:
        if place and place % self._every == 0:
            self._meanwhile()
        return super().__getitem__(place)


def test_times_never_decrease_with_position_whoever_writes_meanwhile(database_url: str) -> None:
    sheet = Sheet()
    sheet.hire("M1")
    for number in range(60):
        sheet.put("sale", "M1", f"item{number}", quantity="1")
    book = Service.open(database_url)
    singles = iter(entries([Sheet().hire(f"N{n}", source_id=f"single{n}") for n in range(9)]))
    with open_ledger(database_url) as another:

        def meanwhile() -> None:
            another.append([next(singles)], by="y")
            another.record(key_created_now())

        book.ledger.chunk = 10
        book.ledger.append(Interrupted(entries(sheet), 20, meanwhile), by="x")
        book.ledger.record(*(key_created_now() for _ in range(120)))
        log = book.ledger.read(0, 1000)
        written = [event.by for _, event in log if event.TOPIC.endswith("recorded")]
        assert "xyx" in "".join(written)
        times = [event.at for _, event in log]
        assert times == sorted(times)
        for at in {*times}:
            for instant in (at, at - timedelta(microseconds=1)):
                known = max((position for position, event in log if event.at <= instant), default=0)
                assert book.position_of(instant.isoformat()) == known
    book.close()


def test_an_instant_waits_for_who_is_writing_what_is_dated_by_then(database_url: str) -> None:
    book = Service.open(database_url)
    database, known = database_of(book.ledger), book.ledger.position()
    with ThreadPoolExecutor(1) as others:
        with database.locking() as connection:
            moment = database.moment(connection)
            state = stamped(book.ledger.mapper.to_stored_event(key_created_now()).state, moment)
            row = (
                database.stream(uuid4()),
                1,
                ApiKeyCreated.TOPIC,
                state,
                database.next_position(connection),
            )
            database.insert_events(connection, [row])
            asked = others.submit(book.position_of, moment)
            wait([asked], timeout=0.2)  # who does not wait has answered by now
        assert asked.result() == known + 1
    book.close()


def test_after_an_event_of_a_clock_that_was_ahead_all_have_its_time_until_the_others_are_there(
    ledger: Ledger,
) -> None:
    ahead = datetime(2100, 1, 1, tzinfo=UTC)
    sheet = small_month()
    ledger.append(entries(sheet[:1]), by="x", at=ahead)
    ledger.append(entries(sheet[1:2]), by="x")
    ledger.append(entries(sheet[2:]), by="x")
    ledger.record(key_created_now())
    ledger.record(*(key_created_now() for _ in range(120)))
    assert {event.at for _, event in ledger.read(0, 1000)} == {ahead}


def test_an_event_is_dated_when_it_is_written_and_not_when_it_is_made(ledger: Ledger) -> None:
    made = [key_created_now(), *(key_created_now() for _ in range(120))]
    ledger.append(entries(small_month()), by="x")
    ledger.record(made[0])
    ledger.record(*made[1:])
    log = dict(ledger.read(0, 1000))
    assert log[6].at >= log[5].at
    assert log[7].at >= log[6].at
    assert ledger.record(made[0]) == 6  # by its salt it knows itself, whenever it is written


def key_created_now() -> ApiKeyCreated:
    return ApiKeyCreated(
        originator_id=uuid4(), originator_version=1, by="x", account="HR", number=1, secret_hash="…"
    )


@pytest.mark.parametrize("events", [1, 120], ids=["one", "many"])
def test_what_is_recorded_alone_is_written_only_where_nothing_of_the_topic_came_since(
    ledger: Ledger, events: int
) -> None:
    ledger.record(key_created_now())
    known = ledger.position()
    ledger.append(entries(small_month()), by="x")  # of other topics
    made = [key_created_now() for _ in range(events)]
    reached = ledger.record(*made, as_read=AsRead(known, (ApiKeyCreated.TOPIC,)))
    assert (reached, ledger.events_of(made[-1].originator_id)) == (
        known + 5 + events,
        [ledger.event_at(reached)],
    )
    late = [key_created_now() for _ in range(events)]
    with pytest.raises(Overtaken):
        ledger.record(*late, as_read=AsRead(reached - 1, (ApiKeyCreated.TOPIC,)))
    assert ledger.position() == reached
    assert [ledger.events_of(event.originator_id) for event in late] == [[]] * events
    assert ledger.record(*late, as_read=AsRead(reached, (ApiKeyCreated.TOPIC,))) == reached + events


def test_what_was_read_of_a_stream_holds_while_nothing_comes_into_that_stream(
    ledger: Ledger,
) -> None:
    one, other = key_created_now(), key_created_now()
    ledger.record(one, other)
    read = AsRead(ledger.position(), streams=(one.originator_id,))
    reached = ledger.record(other.model_copy(update={"originator_version": 2}), as_read=read)
    assert reached == read.position + 1
    reached = ledger.record(one.model_copy(update={"originator_version": 2}), as_read=read)
    assert reached == read.position + 2
    with pytest.raises(Overtaken):
        ledger.record(other.model_copy(update={"originator_version": 3}), as_read=read)
    assert ledger.position() == reached


def test_of_eight_who_record_alone_at_the_same_time_one_does(database_url: str) -> None:
    def write(_: int) -> str:
        with open_ledger(database_url) as mine:
            ready.wait()
            try:
                mine.record(key_created_now(), as_read=AsRead(0, (ApiKeyCreated.TOPIC,)))
            except Overtaken:
                return "overtaken"
            return "recorded"

    open_ledger(database_url).close()
    ready = threading.Barrier(8, timeout=60)
    with ThreadPoolExecutor(8) as writers:
        assert sorted(writers.map(write, range(8))) == ["overtaken"] * 7 + ["recorded"]
    with open_ledger(database_url) as ledger:
        assert ledger.position() == 1


def test_what_was_recorded_alone_is_known_when_it_comes_again(ledger: Ledger) -> None:
    event = key_created_now()
    assert ledger.record(event, as_read=AsRead(0, (ApiKeyCreated.TOPIC,))) == 1
    assert (
        ledger.record(event, as_read=AsRead(0, (ApiKeyCreated.TOPIC,))) == 1
    )  # the acknowledgement was lost


def test_the_log_is_read_in_order_and_by_position(ledger: Ledger) -> None:
    assert (ledger.position(), ledger.read(0, 10)) == (0, [])
    ledger.append(entries(small_month()), by="x")
    log = ledger.read(0, 10)
    assert [position for position, _ in log] == sorted(position for position, _ in log)
    assert ledger.read(log[1][0], 2) == log[2:4]
    assert ledger.events_at([log[3][0], log[0][0], 999]) == dict([log[0], log[3]])
    assert ledger.event_at(log[2][0]) == log[2][1]
    with pytest.raises(NotFound, match="999"):
        ledger.event_at(999)


def test_a_text_longer_than_an_index_holds_is_kept(ledger: Ledger) -> None:
    sheet = Sheet()
    noise = random.Random(1)  # which nothing can make shorter
    sheet.hire("M1", attributes={f"key{i}": noise.randbytes(200).hex() for i in range(60)})
    sheet.hire("M2", attributes=sheet[0]["attributes"])
    ledger.append(entries(sheet[:1]), by="x")
    ledger.append(entries(sheet[1:]), by="x")
    first, second = fact_rows(ledger)
    assert first["attributes"] == second["attributes"]
    assert len(first["attributes"]) > 10_000
