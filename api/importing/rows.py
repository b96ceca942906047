"""What every kind of file is read into: raw entries, each with the line it stands on, or why the
line is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from domain.errors import MeritError, Reason, Text

if TYPE_CHECKING:
    from pathlib import Path


class RawRow(NamedTuple):
    """One line of a file, counted from 1 as an editor or Excel counts: an object, or reasons why it
    is none, beside which `raw` has at most the pair that names the entry.
    """

    line: int
    raw: dict[str, Any] | None
    reasons: tuple[Reason, ...] = ()


class UnreadableFile(MeritError):
    """The file as a whole cannot be read: it is missing, not allowed, or not what its name says."""

    code = "unreadable_file"

    def __init__(self, path: Path, why: Text) -> None:
        super().__init__(Text(f"无法读取 {path}：{why.zh}", f"cannot read {path}: {why.en}"))
        self.path = path
