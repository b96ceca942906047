"""The door for files: a file's name says how it is read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from api.importing.comma_separated import read_csv
from api.importing.json_lines import read_json_lines
from api.importing.rows import RawRow, UnreadableFile
from api.importing.workbooks import read_workbook
from domain.errors import Text

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_file(path: str | Path) -> Iterator[RawRow]:
    """The rows of a .jsonl, .csv or .xlsx file, in its order; blank ones are left out.

    Raises UnreadableFile, at the first step, for a file that cannot be opened or is of no known
    kind.
    """
    path = Path(path)
    try:
        refuse_device(path)
        match path.suffix.lower():
            case ".jsonl":
                with path.open("rb") as lines:
                    yield from read_json_lines(lines)
            case ".csv":
                yield from read_csv(path.read_bytes())
            case ".xlsx":
                yield from read_workbook(path)
            case suffix:
                raise UnreadableFile(path, _unknown(suffix))
    except OSError as error:
        why = error.strerror or str(error)
        raise UnreadableFile(
            path, Text(f"{why}；请检查路径和权限", f"{why}; check the path and its permissions")
        ) from None


def read_given(path: Path, most: int) -> bytes:
    """A file that is read whole. Raises OSError where it cannot be, is a device, or is longer than
    this.
    """
    refuse_device(path)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"{os.strerror(errno.EFBIG)} (> {most} bytes)")
    return content


def refuse_device(path: Path) -> None:
    """Raises OSError for what may never end, such as /dev/zero."""
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise OSError(errno.EINVAL, "a device, not a file")


def _unknown(suffix: str) -> Text:
    return Text(
        f"不认识扩展名 {suffix!r}，请用 .jsonl、.csv 或 .xlsx",
        f"the extension {suffix!r} is not known: use .jsonl, .csv or .xlsx",
    )
