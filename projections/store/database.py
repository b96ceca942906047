"""Opening a ledger: where it is, whether it is one, and the tables of a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.errors import StoreError, Text
from domain.ledger.ledger import Ledger
from projections.store import sqlite
from projections.store.connection import Connection, Database
from projections.store.entry_recorder import EntryRecorder

if TYPE_CHECKING:
    from eventsourcing.persistence import InfrastructureFactory

__all__ = ["Connection", "Database", "database_of", "open_ledger"]


def open_ledger(url: str, *, begin: bool = True) -> Ledger:
    """The ledger at `sqlite:///PATH` (`sqlite:////PATH` from the root) or `postgresql://…`. Where
    none is, a new one is begun; or else NoLedger is raised, and nothing is left behind.

    Raises StoreError, with one line that never has a password in it, for a server that does not
    answer or does not let us in, and for a file or database that is something else.
    """
    factory: InfrastructureFactory[Any]
    scheme, _, path = url.partition("://")
    if scheme == "sqlite" and path.startswith("/"):
        factory = sqlite.open_factory(path[1:], begin=begin)
    elif scheme in {"postgresql", "postgres"}:
        from projections.store import (
            postgres,  # its client is slow to import, and not always needed
        )

        factory = postgres.open_factory(url, begin=begin)
    else:
        raise StoreError(
            Text(
                "数据库地址应写成 sqlite:///文件路径 或 postgresql://用户@主机/库名",
                "a database address is sqlite:///PATH or postgresql://USER@HOST/DATABASE",
            )
        )
    return Ledger(factory)


def database_of(ledger: Ledger) -> Database:
    """The database behind a ledger, for the read models."""
    assert isinstance(ledger.recorder, EntryRecorder)
    return ledger.recorder.database
