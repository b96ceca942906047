"""What the ledger asks of its store. `projections` answer it for SQLite and for PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from eventsourcing.persistence import IntegrityError, PersistenceError

from domain.errors import StoreError, Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from uuid import UUID

    from eventsourcing.persistence import Notification, StoredEvent

    from domain.entries.entry import Key
    from domain.ledger.acceptance import BatchContext, Draft, Outcome, Target


# An accepted entry, the stream that its event belongs to, and what the event stores beside the
# entry: of a reversal, what it reverses; else nothing.
Row = tuple["Draft", "UUID", dict[str, Any]]
PrepareNext = Callable[[], object]  # begins work on the entries that come next

MOST_LISTED = 10  # positions in one sentence
# Words of the databases about pages that are not what they wrote.
_DAMAGE = "malformed", "corrupt", "not a database", "invalid page", "could not read block"


class AsRead(NamedTuple):
    """What was read before something is recorded: up to a ledger position.

    It still holds while no event of these topics, and none of these streams, has come since.
    """

    position: int
    topics: tuple[str, ...] = ()
    streams: tuple[UUID, ...] = ()


class Reading(Protocol):
    """The store as it is at one moment."""

    def load_context(self, drafts: Sequence[Draft], *, look_up_keys: bool) -> BatchContext:
        """What the store has that decides these drafts; with their own keys only if these are to be
        looked up.
        """

    def targets(self, keys: Collection[Key]) -> dict[Key, Target]:
        """The entries and reversals with these keys, where they are stored."""


class Writing(Reading, Protocol):
    """A transaction during which no other one writes."""

    def next_position(self) -> int:
        """The position of the next event; the transaction may use it and those that follow."""

    def write(
        self,
        first: int,
        rows: Sequence[Row],
        states: Iterable[bytes],
        prepare_next: PrepareNext,
    ) -> None:
        """Events from that position on, with these states, and their keys and facts. Raises
        IntegrityError where a key is taken.

        `prepare_next` begins what this process can do while the store is busy with them.
        """


class Store(Protocol):
    """What the ledger needs of its recorder beside what the library has."""

    def reading(self, as_of: int | None = None) -> AbstractContextManager[Reading]:
        """A look at what is stored, or was as of a position."""

    def writing(self) -> AbstractContextManager[Writing]:
        """The lock, and a transaction that commits at the end or leaves no trace."""

    def append_in_one_trip(self, drafts: Sequence[Draft]) -> list[Outcome | None]:
        """Decides and writes entries in one round trip, one after the other; None for each that the
        store cannot decide so, which is left to `writing`.
        """

    def position_of(self, stored_event: StoredEvent) -> int | None:
        """The position of this very event; None where the ledger does not have it, whoever has its
        version of the stream.
        """

    def version_at(self, stream_id: UUID, position: int) -> int:
        """The version that a stream had reached by a position; 0 where it had not begun."""

    def last_position(self) -> int:
        """The position of the last event; 0 of an empty ledger. A store that does not answer is
        asked once, not again and again as by the library.
        """

    def select_positions(self, positions: Collection[int]) -> Sequence[Notification]:
        """The events at these positions; positions without one are left out."""


class UnreadableEvents(StoreError):
    """Events of the ledger that are not what this program writes: all of them that were met."""

    def __init__(self, positions: Sequence[int]) -> None:
        listed = [str(position) for position in sorted(positions)]
        zh, en = "、".join(listed[:MOST_LISTED]), ", ".join(listed[:MOST_LISTED])
        if more := len(listed[MOST_LISTED:]):
            zh, en = f"{zh} 等 {len(listed)} 处", f"{en} and {more} more"
        plural = "s" if len(listed) > 1 else ""
        super().__init__(
            Text(
                f"账本已损坏：位置 {zh} 的事件无法读取；请停用服务，从最近的备份恢复，"
                "并查明是谁改动了数据库",
                f"the ledger is damaged: the event{plural} at position{plural} {en} cannot be "
                "read. Stop the service, restore the last backup, and find out who changed the "
                "database",
            )
        )
        self.positions = tuple(sorted(positions))


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns the library's error about a database that fails into a StoreError; not IntegrityError,
    which is a clash.
    """
    try:
        yield
    except IntegrityError:
        raise
    except PersistenceError as error:
        raise store_error(error) from error


def store_error(error: PersistenceError) -> StoreError:
    """What the library says of a database that fails, as a refusal with a next step."""
    detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if any(word in detail for word in _DAMAGE) or isinstance(error, IntegrityError):
        return StoreError(
            Text(
                f"数据库已损坏：{detail}；请停用服务，从最近的备份恢复；若只是读模型有误，"
                "重建读模型即可",
                f"the database is damaged: {detail}. Stop the service and restore the last "
                "backup; if only read models are wrong, rebuild them",
            )
        )
    return StoreError(
        Text(
            f"数据库无法完成操作：{detail}；未确认的内容请重新提交，重复提交不会重复记录",
            f"the database could not do this: {detail}. Send again what was not acknowledged: "
            "nothing is recorded twice",
        )
    )
