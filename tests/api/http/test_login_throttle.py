"""A name waits after a few wrong passwords, longer every time; others do not."""

from __future__ import annotations

import pytest

from api.http import login_throttle
from api.http.login_throttle import (
    FREE_ATTEMPTS,
    MAX_PAUSE_SECONDS,
    LoginThrottle,
    TooManyAttempts,
)


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(login_throttle, "monotonic", made)
    return made


def waits(throttle: LoginThrottle, name: str) -> int:
    """How long the name has to wait; 0 where it may try, which counts."""
    try:
        throttle.count_attempt(name)
    except TooManyAttempts as refused:
        return int(refused.headers["Retry-After"])
    return 0


def test_the_pause_doubles_up_to_the_longest(clock: Clock) -> None:
    throttle, pauses = LoginThrottle(), []
    for _ in range(FREE_ATTEMPTS - 1):
        assert waits(throttle, "li") == 0
    for _ in range(11):
        assert waits(throttle, "li") == 0
        pauses.append(waits(throttle, "li"))
        clock.now += pauses[-1]
    assert pauses == [
        1 + 1,
        2 + 1,
        4 + 1,
        8 + 1,
        16 + 1,
        32 + 1,
        64 + 1,
        128 + 1,
        256 + 1,
        *[MAX_PAUSE_SECONDS + 1] * 2,
    ]


def test_a_refused_try_does_not_make_the_pause_longer(clock: Clock) -> None:
    throttle = LoginThrottle()
    for _ in range(FREE_ATTEMPTS):
        throttle.count_attempt("li")
    assert [waits(throttle, "li") for _ in range(20)] == [2] * 20
    clock.now += 2
    assert waits(throttle, "li") == 0


def test_each_name_waits_for_itself_and_a_right_password_ends_the_count(clock: Clock) -> None:
    throttle = LoginThrottle()
    for _ in range(FREE_ATTEMPTS):
        throttle.count_attempt("li")
    assert waits(throttle, "wang") == 0
    throttle.reset("li")
    assert [waits(throttle, "li") for _ in range(FREE_ATTEMPTS)] == [0] * FREE_ATTEMPTS
    assert waits(throttle, "li") > 0


def test_names_without_number_do_not_fill_the_memory(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_throttle, "MAX_NAMES", 3)
    throttle = LoginThrottle()
    for _ in range(FREE_ATTEMPTS):
        throttle.count_attempt("li")
    for number in range(2):
        throttle.count_attempt(f"other{number}")
    assert waits(throttle, "li") > 0  # asked for again, so that others are forgotten first
    for number in range(2, 4):
        throttle.count_attempt(f"other{number}")
    assert waits(throttle, "li") > 0
    for number in range(4, 8):
        throttle.count_attempt(f"other{number}")
    assert waits(throttle, "li") == 0
