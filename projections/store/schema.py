"""Whether a database is a ledger, and of which schema: one row says so, written with the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import NextAct, NotFound, StoreError, Text

if TYPE_CHECKING:
    from projections.store.connection import Connection

VERSION = 1
TABLE = "merit_schema"
CREATE_TABLE = f"CREATE TABLE {TABLE} (version integer NOT NULL)"
INSERT_VERSION = f"INSERT INTO {TABLE} VALUES ({VERSION})"


class NoLedger(NotFound):
    """An address at which there is no ledger, where none is to be begun: nothing was made there."""

    def __init__(self, where: str) -> None:
        text = Text(
            f"{where} 没有账本，这条命令也不新建；请核对地址，或先导入业务记录以新建账本",
            f"there is no ledger at {where}, and this does not begin one: check the address, or "
            "begin a ledger by importing entries",
        )
        super().__init__(text, NextAct("import_entries", {}))
        self.where = where


def is_ledger(connection: Connection, tables: set[str], where: str) -> bool:
    """Whether the database with these tables is a ledger that we can read; False of an empty one.

    Raises StoreError for somebody else's tables, and for a ledger of a later version of this
    program.
    """
    if not tables:
        return False
    if TABLE not in tables:
        raise StoreError(
            Text(
                f"{where} 里已有别的表（{_some(tables)}），不是绩效账本；请换一个空库，或核对地址",
                f"{where} holds other tables ({_some(tables)}) and is no ledger: choose an empty "
                "database, "
                "or check the address",
            )
        )
    version = connection.value(f"SELECT max(version) FROM {TABLE}")
    if version != VERSION:
        raise StoreError(
            Text(
                f"{where} 的账本结构版本是 {version}，本程序只认 {VERSION}；请升级程序",
                f"{where} is a ledger of schema {version}, and this program knows {VERSION}: "
                "install a newer one",
            )
        )
    return True


def _some(tables: set[str]) -> str:
    names = sorted(tables)
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def unusable(where: str, zh: str, en: str) -> StoreError:
    """A database that cannot be opened, and why."""
    return StoreError(Text(f"打不开账本 {where}：{zh}", f"cannot open the ledger {where}: {en}"))
