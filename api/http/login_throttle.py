"""Passwords cannot be guessed by trying: after a few wrong ones a name has to wait, longer every
time.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import NamedTuple

from domain.errors import MeritError, Text

FREE_ATTEMPTS = 5  # without a pause
MAX_PAUSE_SECONDS = 300
MAX_NAMES = 10_000  # trying more names than that at once does not fill the memory


class TooManyAttempts(MeritError):
    """Too many wrong passwords for one name; `headers` say when to try again."""

    code = "too_many_tries"

    def __init__(self, seconds: int) -> None:
        self.headers = {"Retry-After": str(seconds)}
        super().__init__(
            Text(
                f"口令错误次数过多；请 {seconds} 秒后再试",
                f"too many wrong passwords: try again in {seconds} seconds",
            )
        )


class _Attempts(NamedTuple):
    """How many a name has made, and from when on (by the monotonic clock) it may make the next."""

    made: int = 0
    next_from: float = 0.0


class LoginThrottle:
    """Counts the attempts of each name since its last right password, in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._attempts: dict[str, _Attempts] = {}

    def count_attempt(self, name: str) -> None:
        """Counts an attempt before the password is checked, so that two at once are two.

        Raises TooManyAttempts.
        """
        with self._lock:
            before = self._attempts.pop(name, _Attempts())
            wait = before.next_from - monotonic()
            if wait > 0:
                self._attempts[name] = before
                raise TooManyAttempts(int(wait) + 1)
            count = before.made + 1
            self._attempts[name] = _Attempts(count, monotonic() + _pause_seconds(count))
            if len(self._attempts) > MAX_NAMES:
                oldest = next(iter(self._attempts))
                del self._attempts[oldest]

    def reset(self, name: str) -> None:
        """The password was right: the count begins anew."""
        with self._lock:
            self._attempts.pop(name, None)


def _pause_seconds(count: int) -> int:
    """How long a name waits after its attempt number `count`: 1 second, then twice as long."""
    if count < FREE_ATTEMPTS:
        return 0
    doubled: int = 2 ** min(count - FREE_ATTEMPTS, 20)
    return min(doubled, MAX_PAUSE_SECONDS)
