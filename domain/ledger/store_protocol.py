"""What the ledger asks of its store. `projections` answer it for SQLite and for PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from eventsourcing.persistence import IntegrityError, PersistenceError

from domain.errors import StoreError, Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from uuid import UUID

    from eventsourcing.persistence import Notification, StoredEvent

    from domain.entries.entry import Key
    from domain.ledger.acceptance import Draft, Known, Outcome, Target


# An accepted entry, the stream that it will stand in, and of a reversal what it names, as it is
# stored; else nothing.
Row = tuple["Draft", "UUID", dict[str, Any]]
Ahead = Callable[[], object]  # begins work on what comes next


class Reading(Protocol):
    """The store as it is at one moment."""

    def known(self, drafts: Sequence[Draft], *, look_up: bool) -> Known:
        """What the store knows about these entries: without their own keys, if these are not to be
        looked up.
        """

    def targets(self, keys: Collection[Key]) -> dict[Key, Target]:
        """What reversals name by these keys, where it is stored."""


class Writing(Reading, Protocol):
    """A transaction that nobody else can write beside."""

    def next_position(self) -> int:
        """The position of the next event; the transaction may use it and those that follow."""

    def write(self, first: int, rows: Sequence[Row], states: Iterable[bytes], ahead: Ahead) -> None:
        """Events from that position on, with these states, and their keys and facts; fails where a
        key is taken.

        `ahead` begins what this process can do while the store is busy with them.
        """


class Store(Protocol):
    """What the ledger needs of its recorder beside what the library has."""

    def reading(self, as_of: int | None = None) -> AbstractContextManager[Reading]:
        """A look at what is stored, or was as of a position."""

    def writing(self) -> AbstractContextManager[Writing]:
        """The lock, and a transaction that commits at the end or leaves no trace."""

    def append_few(self, drafts: Sequence[Draft]) -> list[Outcome | None]:
        """Decides and writes entries in one round trip, as if each came alone; None for who takes
        the long way.
        """

    def position_of(self, stored_event: StoredEvent) -> int | None:
        """Where this very event stands; None if it, or its place, is not in the ledger or is
        another's.
        """

    def version_at(self, stream_id: UUID, position: int) -> int:
        """The version that a stream had reached by a position; 0 where it had not begun."""

    def last_position(self) -> int:
        """That of the last event; 0 where there is none. A store that does not answer is asked
        once.
        """

    def select_positions(self, positions: Collection[int]) -> Sequence[Notification]:
        """The events at these positions, where there are any."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns what the library says about a failing database into a StoreError; a clash of versions
    passes.
    """
    try:
        yield
    except IntegrityError:
        raise
    except PersistenceError as error:
        detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StoreError(
            Text(
                f"数据库无法完成操作：{detail}；未确认的内容请重新提交，重复提交不会重复记录",
                f"the database could not do this: {detail}. Send again what was not acknowledged: "
                "nothing is recorded twice",
            )
        ) from error
