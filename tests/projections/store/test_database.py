"""Opening a ledger: what is taken for one, and the one clear line for everything else."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from domain.errors import StoreError
from projections.store.database import database_of, open_ledger
from tests.conftest import Server
from tests.store import count, entries
from tests.worksheet import Ledger as Sheet

SECRET = "s3cr3t"
NOBODY = 65534


def refusal(url: str) -> str:
    """The line that opening the address ends with, which has no password in it."""
    with pytest.raises(StoreError) as caught:
        open_ledger(url)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "/" in str(caught.value)
    return str(caught.value)


def test_what_was_written_is_there_when_it_is_opened_again(database_url: str) -> None:
    sheet = Sheet()
    sheet.hire("M1")
    with open_ledger(database_url) as ledger:
        ledger.append(entries(sheet), by="x")
    with open_ledger(database_url) as ledger:
        assert ledger.position() == 1
        assert ledger.append(entries(sheet), by="x")[0].status == "duplicate"


def test_eight_may_open_a_new_ledger_at_once(tmp_path: Path, postgres: Server) -> None:
    for url in (f"sqlite:///{tmp_path}/new.db", postgres.empty()):

        def number(_: int, url: str = url) -> int:
            with open_ledger(url) as ledger:
                return count(ledger, "merit_schema")

        with ThreadPoolExecutor(8) as openers:
            assert list(openers.map(number, range(8))) == [1] * 8


def test_a_relative_path_is_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    open_ledger("sqlite:///账本 100%.db").close()
    assert (tmp_path / "账本 100%.db").exists()


def test_a_commit_is_on_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    with (
        open_ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger,
        database_of(ledger).reading() as connection,
    ):
        assert connection.value("PRAGMA journal_mode") == "wal"
        assert connection.value("PRAGMA synchronous") == 2


@pytest.mark.parametrize("url", ["mysql://x", "merit.db", "sqlite:merit.db", "", "sqlite://host/x"])
def test_another_address_is_explained(url: str) -> None:
    assert "sqlite:///" in refusal(url)


def test_a_directory_is_no_ledger(tmp_path: Path) -> None:
    assert "directory" in refusal(f"sqlite:///{tmp_path}")
    assert "directory" in refusal("sqlite:///")


def test_a_file_in_no_directory_says_so(tmp_path: Path) -> None:
    assert "does not exist" in refusal(f"sqlite:///{tmp_path}/no/ledger.db")
    (tmp_path / "file").touch()
    assert "does not exist" in refusal(f"sqlite:///{tmp_path}/file/ledger.db")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("考核 " * 2000)
    assert "not an SQLite database" in refusal(f"sqlite:///{tmp_path}/notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "考核 " * 2000


def test_somebody_elses_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE orders (id)")
    before = file.read_bytes()
    assert "orders" in refusal(f"sqlite:///{file}")
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["other.db"]


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


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Path]:
    """A directory in which we may not write."""
    tmp_path.chmod(0o500)
    yield tmp_path
    tmp_path.chmod(0o700)


def test_a_place_where_we_may_not_write_says_so(guarded: Path) -> None:
    with as_nobody():
        assert "permission" in refusal(f"sqlite:///{guarded}/ledger.db")


@pytest.mark.parametrize("version", [0, 2, 17])
def test_a_ledger_of_another_schema_asks_for_another_program(
    new_database: Callable[[], str], version: int
) -> None:
    url = new_database()
    with open_ledger(url) as ledger, database_of(ledger).writing() as connection:
        connection.execute("UPDATE merit_schema SET version = ?", (version,))
    assert f"schema {version}" in refusal(url)


def test_a_server_that_does_not_answer_says_so() -> None:
    line = refusal(f"postgresql://hr:{SECRET}@localhost:1/merit")
    assert "postgresql://hr@localhost:1/merit" in line


def test_a_database_that_is_not_there_says_so(postgres: Server) -> None:
    assert "make it first" in refusal(postgres.address("nothing_of_that_name"))


def test_somebody_elses_database_is_left_alone(postgres: Server) -> None:
    url = postgres.empty()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE orders (id int)")
    assert "orders" in refusal(url)
    with psycopg.connect(url) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() == (1,)


def test_an_address_that_cannot_be_read_is_not_repeated() -> None:
    assert "%XX" in refusal(f"postgresql://hr:{SECRET}%zz@localhost/merit")


@pytest.fixture
def guest(postgres: Server) -> Iterator[str]:
    """Somebody who may come in with a password, and make no tables; of the server in the wheel only
    they need one.
    """
    name = f"guest_{os.getpid()}"
    postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}%/@:'")
    postgres.guard(name)
    yield name
    postgres.execute(f"DROP OWNED BY {name}")
    postgres.execute(f"DROP ROLE {name}")


def of_guest(url: str, name: str, password: str) -> str:
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    database, host, port = (parts.get(key, "") for key in ("dbname", "host", "port"))
    return f"postgresql://{name}:{quote(password, safe='')}@/{database}?host={quote(host)}&port={port or 5432}"


def test_a_wrong_password_says_so(postgres: Server, guest: str) -> None:
    assert "password is wrong" in refusal(of_guest(postgres.empty_ledger(), guest, f"{SECRET}!"))


def test_the_right_password_with_odd_signs_lets_us_in(postgres: Server, guest: str) -> None:
    assert "permission" in refusal(of_guest(postgres.empty(), guest, f"{SECRET}%/@:"))
