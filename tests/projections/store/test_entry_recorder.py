"""What must hold of the store whatever happens: many writers, followers, killed importers, lost
acknowledgements.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from eventsourcing.persistence import ApplicationRecorder, EventStore
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore
from psycopg.conninfo import conninfo_to_dict

from domain.identifiers import stream_id
from domain.ledger.events import ApiKeyCreated
from domain.ledger.ledger import Ledger
from projections.store.database import database_of, open_ledger
from tests.conftest import Server
from tests.store import count, entries, fact_rows, states
from tests.worksheet import Ledger as Sheet

ROOT = Path(__file__).parents[3]


def sales(number: int, source: str = "test") -> list[dict[str, Any]]:
    """One manager and so many sales."""
    sheet = Sheet()
    sheet.hire("M1")
    for i in range(number):
        sheet.put("sale", "M1", f"item{i % 7}", quantity=str(i), note="说明")
    return [entry | {"source": source} for entry in sheet]


def stock(url: str) -> ApplicationRecorder:
    """The library's own recorder, on the tables of a ledger."""
    if url.startswith("sqlite"):
        return SQLiteApplicationRecorder(SQLiteDatastore(url.removeprefix("sqlite:///")))
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    names = ("dbname", "host", "port", "user", "password")
    return PostgresApplicationRecorder(PostgresDatastore(*(parts.get(name, "") for name in names)))


def test_the_unmodified_library_reads_every_event_back(database_url: str) -> None:
    with open_ledger(database_url) as ledger:
        month = entries(sales(30))
        ledger.append(month[:20], by="x")
        for entry in month[20:]:
            ledger.append([entry], by="x")
        key = {"by": "x", "account": "HR", "number": 1, "secret_hash": "…", "originator_version": 1}
        ledger.record(
            *(ApiKeyCreated(originator_id=stream_id("key", str(i)), **key) for i in range(150))
        )
        ledger.record(ApiKeyCreated(originator_id=stream_id("key", "x"), **key))

        recorder = stock(database_url)
        assert recorder.select_notifications(None, 1000) == ledger.recorder.select_notifications(
            None, 1000
        )
        assert recorder.max_notification_id() == ledger.position() == 31 + 151
        stream = stream_id("manager", "M1", 2026 * 12 + 9)
        assert list(EventStore(ledger.mapper, recorder).get(stream)) == ledger.events_of(stream)
        assert len(ledger.events_of(stream)) == 31
        recorder.datastore.close()  # type: ignore[attr-defined]


def test_personal_text_is_in_its_part_of_the_event_and_nowhere_else(ledger: Ledger) -> None:
    sheet = Sheet()
    sheet.hire("M1", note="从外地调入")
    sheet[0]["name"] = "张三丰"
    adjustment = sheet.put("adjustment", "M1", points="1", reason="家中有事")
    ledger.append(entries(sheet[:1]), by="x")
    ledger.append(entries([adjustment]), by="x")
    told = [state.pop("personal") for state in states(ledger)]
    assert told == [{"name": "张三丰", "note": "从外地调入"}, {"reason": "家中有事"}]
    rest = [*states(ledger)]
    for state in rest:
        del state["personal"]
    with database_of(ledger).reading() as connection:
        tables = [
            connection.fetch(f"SELECT * FROM {table}") for table in ("keys", "symbols", "facts")
        ]
    assert not any(text in repr((rest, tables)) for text in ("张三丰", "从外地调入", "家中有事"))


def test_of_sixteen_writers_with_one_key_one_wins(database_url: str) -> None:
    sheet = sales(1)
    with open_ledger(database_url) as ledger:
        ledger.append(entries(sheet[:1]), by="x")

    def write(number: int) -> tuple[str, int | None]:
        with open_ledger(database_url) as mine:
            ready.wait()
            (outcome,) = mine.append(
                entries([sheet[1] | {"quantity": str(number)}]), by=str(number)
            )
            return outcome.status, outcome.position

    ready = threading.Barrier(16)
    with ThreadPoolExecutor(16) as writers:
        found = sorted(writers.map(write, range(16)))
    assert found == [("accepted", 2), *[("conflict", None)] * 15]
    with open_ledger(database_url) as ledger:
        assert count(ledger, "stored_events") == count(ledger, "facts") == 2


def test_writers_of_one_process_get_each_the_outcome_of_their_own_entry(ledger: Ledger) -> None:
    sheet = sales(80)
    ledger.append(entries(sheet[:1]), by="x")
    mixed = [
        *sheet[1:],
        *sheet[1:41],
        *(e | {"manager": "M9", "source": "other"} for e in sheet[1:21]),
    ]
    with ThreadPoolExecutor(8) as writers:
        found = list(
            writers.map(lambda entry: (entry, ledger.append(entries([entry]), by="x")[0]), mixed)
        )
    by_status: dict[str, list[Any]] = {"accepted": [], "duplicate": [], "rejected": []}
    for entry, outcome in found:
        by_status[outcome.status].append((entry["source_id"], outcome.position))
    assert [len(by_status[status]) for status in ("accepted", "duplicate", "rejected")] == [
        80,
        40,
        20,
    ]
    stored = {p: e.entry.source_id for p, e in ledger.read(0, 1000)}  # type: ignore[attr-defined]
    assert all(
        stored[position] == source_id
        for source_id, position in by_status["accepted"] + by_status["duplicate"]
    )


def test_who_follows_the_log_while_eight_write_misses_nothing_and_sees_it_in_order(
    database_url: str,
) -> None:
    def write(number: int) -> None:
        with open_ledger(database_url) as mine:
            mine.append(entries(sales(20, f"many{number}")), by="x")
            for entry in entries(sales(20, f"one{number}")):
                mine.append([entry], by="x")

    seen: list[int] = []
    with open_ledger(database_url) as ledger, ThreadPoolExecutor(8) as writers:
        done = [writers.submit(write, number) for number in range(8)]
        while len(seen) < 8 * 42:
            seen.extend(position for position, _ in ledger.read(seen[-1] if seen else 0, 50))
            for writer in done:
                if writer.done():
                    writer.result()
        assert seen == [position for position, _ in ledger.read(0, 1000)]
        assert seen == sorted(set(seen))


IMPORT = """
import sys
from projections.store.database import open_ledger
from tests.projections.store.test_entry_recorder import sales
from tests.store import entries
with open_ledger(sys.argv[1]) as ledger:
    ledger.chunk = 100
    print("begin", flush=True)
    ledger.append(entries(sales(6000)), by="x")
    print("end", flush=True)
"""


@pytest.mark.parametrize("progress", [0.0, 0.02, 0.3, 0.6, 0.9])
def test_an_import_killed_at_any_moment_leaves_a_whole_ledger_and_is_completed_without_doubles(
    database_url: str, progress: float
) -> None:
    """Killed while writing: as soon as the log is seen to be so far."""
    whole = entries(sales(6000))
    importer = subprocess.Popen(
        [sys.executable, "-c", IMPORT, database_url], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert importer.stdout is not None
    assert importer.stdout.readline() == b"begin\n"
    with open_ledger(database_url) as ledger:
        while ledger.position() < progress * len(whole) and importer.poll() is None:
            time.sleep(0.001)
        importer.send_signal(signal.SIGKILL)
        importer.wait()
        importer.stdout.close()
        _wait_for_the_dead(ledger)
        kept = count(ledger, "stored_events")
        assert count(ledger, "keys") == count(ledger, "facts") == kept
        assert kept % 100 == 0 or kept == len(whole)
        outcomes = ledger.append(whole, by="x")
        assert [o.status for o in outcomes] == ["duplicate"] * kept + ["accepted"] * (
            len(whole) - kept
        )
        assert (
            count(ledger, "stored_events")
            == count(ledger, "keys")
            == count(ledger, "facts")
            == len(whole)
        )
        assert [row["position"] for row in fact_rows(ledger)] == [
            position for position, _ in ledger.read(0, 10_000)
        ]


def _wait_for_the_dead(ledger: Ledger) -> None:
    """A server may still be busy for a client that is gone; whoever gets the lock knows that it is
    not any more.
    """
    with database_of(ledger).locking():
        pass


class LosingProxy:
    """Stands between client and server; asked to, it loses the answer to the next that contains
    some word, once.
    """

    def __init__(self, server: str, directory: Path) -> None:
        parts = {key: str(value) for key, value in conninfo_to_dict(server).items()}
        self._target = parts["host"], int(parts.get("port", 5432))
        self._word: bytes | None = None
        self.lost = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / ".s.PGSQL.5432"))
        self._listener.listen()
        self.url = f"postgresql:///{parts['dbname']}?" + urlencode(
            parts | {"host": str(directory), "port": "5432"}
        )
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, word: bytes) -> None:
        self._word = word

    def _connect(self) -> socket.socket:
        host, port = self._target
        if host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{host}/.s.PGSQL.{port}")
            return server
        return socket.create_connection((host, port))

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server, losing = self._connect(), threading.Event()
            threading.Thread(target=self._forth, args=(client, server, losing), daemon=True).start()
            threading.Thread(target=self._back, args=(server, client, losing), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        while data := _receive(client):
            if self._word is not None and self._word in data and not self.lost.is_set():
                self.lost.set()
                losing.set()
            server.sendall(data)
        _end(server)

    def _back(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        while data := _receive(server):
            if losing.is_set():
                time.sleep(
                    0.1
                )  # the answer has come, so it is done; what else comes is lost with it
                break
            client.sendall(data)
        _end(client)

    def close(self) -> None:
        self._listener.close()


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 20)
    except OSError:
        return b""


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@pytest.fixture
def lossy(postgres: Server) -> Iterator[LosingProxy]:
    with tempfile.TemporaryDirectory(
        prefix="merit-"
    ) as directory:  # the path of a socket must be short
        proxy = LosingProxy(postgres.empty_ledger(), Path(directory))
        yield proxy
        proxy.close()


@pytest.mark.parametrize(
    ("number", "word"), [(1, b"merit_append"), (50, b"COMMIT")], ids=["one", "many"]
)
def test_a_lost_acknowledgement_makes_neither_a_double_nor_a_conflict(
    lossy: LosingProxy, number: int, word: bytes
) -> None:
    month = entries(sales(number))[:number]
    with open_ledger(lossy.url) as ledger:
        lossy.lose(word)
        first = ledger.append(month, by="x")
        assert lossy.lost.is_set()
        again = ledger.append(month, by="x")
        assert [(o.status, o.position) for o in first] == [
            ("duplicate", p + 1) for p in range(number)
        ]
        assert again == first
        assert (
            count(ledger, "stored_events")
            == count(ledger, "keys")
            == count(ledger, "facts")
            == number
        )


@pytest.mark.parametrize("number", [1, 200])
def test_an_event_whose_acknowledgement_was_lost_is_recorded_once(
    lossy: LosingProxy, number: int
) -> None:
    key = {"by": "x", "account": "HR", "number": 1, "secret_hash": "…", "originator_version": 1}
    with open_ledger(lossy.url) as ledger:
        events = [
            ApiKeyCreated(originator_id=stream_id("key", str(i)), **key) for i in range(number)
        ]
        lossy.lose(b"COMMIT")
        assert ledger.record(*events) == number
        assert lossy.lost.is_set()
        assert count(ledger, "stored_events") == number


@pytest.mark.parametrize("number", [1, 3])
def test_an_event_larger_than_what_a_connection_takes_at_once_is_recorded(
    database_url: str, number: int
) -> None:
    """Evidence may be a file; a pipeline of psycopg waited for ever for the answer to half of it."""
    key = {"by": "x", "account": "HR", "number": 1, "originator_version": 1}
    secret = "…" * 5_000_000
    events = [
        ApiKeyCreated(originator_id=stream_id("key", str(i)), secret_hash=secret, **key)
        for i in range(number)
    ]
    with open_ledger(database_url) as ledger:
        before = ledger.position()
        assert ledger.record(*events) == before + number
        assert [event.secret_hash for _, event in ledger.read(before, 10)] == [secret] * number


def test_who_listens_is_told_of_every_way_in(postgres: Server) -> None:
    url = postgres.empty_ledger()
    month = entries(sales(3))
    key = {"by": "x", "account": "HR", "number": 1, "secret_hash": "…", "originator_version": 1}
    events = [ApiKeyCreated(originator_id=stream_id("key", str(i)), **key) for i in range(201)]
    with open_ledger(url) as ledger, psycopg.connect(url, autocommit=True) as listener:
        listener.execute("LISTEN stored_events")
        for write in (
            lambda: ledger.append(month[:1], by="x"),
            lambda: ledger.append(month[1:], by="x"),
            lambda: ledger.record(events[0]),
            lambda: ledger.record(*events[1:]),
        ):
            write()
            assert len(list(listener.notifies(timeout=10, stop_after=1))) == 1


def test_positions_have_no_gaps_where_nothing_failed(database_url: str) -> None:
    with open_ledger(database_url) as ledger:
        month = entries(sales(20))
        ledger.append(month[:10], by="x")
        ledger.append(month[:12], by="x")  # ten of them are known
        ledger.append(month[12:13], by="x")
        ledger.append(month[13:], by="x")
        assert [position for position, _ in ledger.read(0, 100)] == list(range(1, 22))


def test_a_writer_that_fails_leaves_no_trace(postgres: Server) -> None:
    url = postgres.empty_ledger()
    with open_ledger(url) as ledger:
        ledger.append(entries(sales(3)), by="x")
        with psycopg.connect(url) as connection:
            connection.execute("ALTER TABLE facts ADD CHECK (value <> 4000000)")
        with pytest.raises(Exception, match="facts_value_check"):
            ledger.append(entries(sales(6)), by="x")
        assert (
            count(ledger, "stored_events") == count(ledger, "keys") == count(ledger, "facts") == 4
        )
