"""口令: hashing passwords, in threads and a queue of their own.

A hash takes a fifth of a second and 64 MB on purpose. Many log-ins at once wait here, and keep
nobody else waiting; those beyond the queue are told to come again.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from domain.errors import MeritError, Text

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
AT_ONCE, MOST_WAITING = 4, 32


class TooBusy(MeritError):
    """More passwords to check than can wait."""

    code = "busy"
    headers = {"Retry-After": "5"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(
            Text(
                "同时登录的人过多，没有核对口令；请 5 秒后再试",
                "too many people are logging in at once, and no password was looked at: try again "
                "in 5 seconds",
            )
        )


class PasswordQueue:
    """Runs what hashes passwords, a few at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "passwords")
        self._inside = 0  # changed by the event loop alone

    async def run(self, act: Callable[[], T]) -> T:
        """What the act returns. Raises TooBusy before it begins where too many wait."""
        if self._inside >= AT_ONCE + MOST_WAITING:
            raise TooBusy
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, act)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Waits for those that have begun; the others are gone."""
        self._threads.shutdown(cancel_futures=True)
