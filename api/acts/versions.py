"""Whether what a caller has read is still current, where somebody else may have changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from domain.errors import MeritError, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_DIGITS = 10  # of a version that somebody has read
D = TypeVar("D")


class Versioned(NamedTuple, Generic[D]):
    """A document and the version of what it shows, by which a change names what was read."""

    document: D
    version: int
    position: int | None = None  # that was reached, where something was written


class StaleState(MeritError):
    """The state that was read is no longer the current one."""

    code = "precondition_failed"

    def __init__(self, changes: Sequence[Text] = ()) -> None:
        zh, en = (
            "；".join(change.zh for change in changes),
            "; ".join(change.en for change in changes),
        )
        super().__init__(
            Text(
                "已被别人修改；请重新读取，再用新的 ETag 修改"
                + (f"。其间：{zh}" if changes else ""),
                "somebody changed it: read it again and use the new ETag"
                + (f". Since then: {en}" if changes else ""),
            )
        )


def check_version_read(
    version_read: str | None, version: int, changes_since: Callable[[int], Sequence[Text]]
) -> int | None:
    """The version that a caller has read (as an ETag has it), if one is named.

    Raises StaleState with what was done since.
    """
    if version_read is None or version_read.strip() == "*":
        return None
    tag = version_read.strip().strip('"')
    if tag != str(version):
        raise StaleState(
            changes_since(
                int(tag) if tag.isascii() and tag.isdigit() and len(tag) < MAX_DIGITS else 0
            )
        )
    return version
