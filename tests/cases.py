"""A test that goes through many cases by itself, and says in which one it failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def case(*named: object) -> Iterator[None]:
    """One case of a loop: what fails in it is reported with its name."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the case {', '.join(map(str, named))}")
        raise
