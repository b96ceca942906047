"""A store that goes away, is held by somebody, or cannot be written: what can be done is done."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from projections.store.database import database_of, open_ledger
from projections.store.postgres_connection import LOCK_SECONDS, STATEMENT_SECONDS
from tests.attack.test_hostile_words import imported
from tests.command_line import merit
from tests.conftest import Files, Server
from tests.worksheet import Ledger as Sheet

NOBODY = 65_534
READING = (
    ("explain", "A", "2026-10"),
    ("history", "A", "2026-10"),
    ("cycle", "show", "2026-10", "--branch", "B01"),
    ("rulebook", "list"),
)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, if the tests have them."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def settled(url: str, folder: Path) -> None:
    """Settled, and read once, so that the read models have followed."""
    sheet = Sheet()
    sheet.branch("minimum_wage", "1680")
    sheet.hire("A", 6)
    sheet.rate_gs("A", "80")
    imported(folder, url, sheet)
    assert merit("settle", "2026-10", "--branch", "B01", database=url).status == 0
    for command in READING:
        assert merit(*command, database=url).status == 0


def test_a_file_that_may_not_be_written_is_read(
    sqlite_ledgers: Files, ledger_folder: Path, tmp_path: Path
) -> None:
    url = sqlite_ledgers.begun_ledger()
    settled(url, tmp_path)
    file = Path(url.removeprefix("sqlite:///"))
    assert [*ledger_folder.iterdir()] == [file]
    ledger_folder.chmod(0o555)
    file.chmod(0o444)
    with as_nobody():
        runs = [merit(*command, database=url) for command in READING]
        written = merit("settle", "2026-10", "--branch", "B01", database=url)
        begun = merit("account", "create", "x", "--role", "hr", database=url)
    ledger_folder.chmod(0o755)
    assert [(run.status, run.err) for run in runs] == [(0, "")] * len(READING)
    assert (written.status, written.err.count("\n")) == (3, 1)
    assert (begun.status, begun.err.count("\n")) == (3, 1)
    assert [*ledger_folder.iterdir()] == [file]


def test_a_file_on_a_full_disk_is_read(
    sqlite_ledgers: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_ledgers.begun_ledger()
    settled(url, tmp_path)
    connect = sqlite3.connect

    def no_room(address: str, *args: object, **options: object) -> object:
        """Beside the file there is no room for its log."""
        if "immutable" not in address:
            raise sqlite3.OperationalError("disk I/O error")
        return connect(address, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(sqlite3, "connect", no_room)
    for command in READING:
        assert merit(*command, database=url).status == 0, command
    assert merit("settle", "2026-10", "--branch", "B01", database=url).status == 3


def test_a_server_that_only_reads_is_read(postgres: Server, tmp_path: Path) -> None:
    with postgres.one_test():
        url = postgres.begun_ledger()
        settled(url, tmp_path)
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        postgres.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        for command in READING:
            assert merit(*command, database=url).status == 0, command
        assert merit("settle", "2026-10", "--branch", "B01", database=url).status == 3


def test_the_first_request_after_a_restart_of_the_server_succeeds(postgres: Server) -> None:
    with postgres.one_test():
        url = postgres.begun_ledger()
        with closing(open_ledger(url)) as ledger:
            before = ledger.position()
            name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
            postgres.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                f"WHERE datname = '{name}'"
            )
            assert ledger.position() == before
            assert ledger.next_version(ledger.event_at(1).originator_id) > 1


def test_nothing_waits_for_ever_for_a_lock_or_a_statement(postgres: Server) -> None:
    with postgres.one_test():
        url = postgres.begun_ledger()
        with closing(open_ledger(url)) as ledger:
            database = database_of(ledger)
            with database.reading() as connection:
                assert connection.value("SHOW lock_timeout") == f"{LOCK_SECONDS}s"
                seconds = connection.value(
                    "SELECT extract(epoch FROM current_setting('statement_timeout')::interval)::int"
                )
                assert seconds == STATEMENT_SECONDS
            with database.rebuilding() as connection:
                assert connection.value("SHOW statement_timeout") == "0"
