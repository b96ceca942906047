"""Log-ins wait in a queue of their own, and keep nobody else waiting."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest

from api.http import password_queue
from api.http.password_queue import AT_ONCE, MOST_WAITING, PasswordQueue, TooBusy
from tests.api.service import Service

LOGIN = {"account": "hr", "password": "correct horse battery staple"}


def test_who_comes_beyond_the_queue_is_told_to_come_again() -> None:
    async def crowd() -> tuple[int, int]:
        go, queue = Event(), PasswordQueue()
        waiting = [
            asyncio.ensure_future(queue.run(lambda: go.wait(60)))
            for _ in range(AT_ONCE + MOST_WAITING + 5)
        ]
        await asyncio.sleep(0)
        refused = [one for one in waiting if one.done() and one.exception()]
        assert all(isinstance(one.exception(), TooBusy) for one in refused)
        go.set()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert await queue.run(lambda: True)  # there is room again
        queue.close()
        return len(refused), sum(one is True for one in done)

    assert asyncio.run(crowd()) == (5, AT_ONCE + MOST_WAITING)


def test_over_http_it_is_503_and_says_when(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_queue, "AT_ONCE", 0)
    monkeypatch.setattr(password_queue, "MOST_WAITING", 0)
    answer = service.post("/v1/sessions", json=LOGIN)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
    assert int(answer.headers["Retry-After"]) > 0
    password = {"password": LOGIN["password"]}
    assert service.put("/v1/accounts/hr/password", json=password).status_code == 503
    assert service.get("/v1/me").status_code == 200


def test_no_password_is_hashed_in_the_threads_of_all(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threading import current_thread

    from projections.records.accounts import sessions

    names = []

    def noted(password: str, hashed: str | None) -> bool:
        names.append(current_thread().name)
        return False

    monkeypatch.setattr(sessions, "is_password", noted)
    assert service.post("/v1/sessions", json=LOGIN).status_code == 401
    assert [name.rpartition("_")[0] for name in names] == ["passwords"]
