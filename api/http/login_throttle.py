"""Passwords cannot be guessed by trying: after a few wrong ones a name has to wait, longer every
time.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic

from domain.errors import MeritError, Text

FREE, LONGEST_SECONDS = 5, 300
NAMES = 10_000  # whoever tries more names than that at once is not to fill the memory


class TooManyTries(MeritError):
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


class Tries:
    """The tries of each name since its last right password, in this process."""

    def __init__(self) -> None:
        self._lock, self._known = (
            Lock(),
            dict[str, tuple[int, float]](),
        )  # how many, and from when on the next may be

    def begin(self, name: str) -> None:
        """Counts a try, before it is known whether it is right: two at once are two. Raises
        TooManyTries.
        """
        with self._lock:
            count, since = self._known.pop(name, (0, 0.0))
            if (wait := since - monotonic()) > 0:
                self._known[name] = count, since
                raise TooManyTries(int(wait) + 1)
            pause = min(2 ** min(count + 1 - FREE, 20), LONGEST_SECONDS) if count + 1 >= FREE else 0
            self._known[name] = count + 1, monotonic() + pause
            if len(self._known) > NAMES:
                del self._known[next(iter(self._known))]

    def right(self, name: str) -> None:
        """The password was right: the count begins anew."""
        with self._lock:
            self._known.pop(name, None)
