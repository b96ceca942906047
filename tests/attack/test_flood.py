"""Bodies that are too large, too deep or cut off; and what still answers while the store is away."""

from __future__ import annotations

import logging

import pytest
from eventsourcing.persistence import OperationalError

from api.http import dependencies
from tests.api.service import Service

JSON = {"Content-Type": "application/json"}


def test_of_whom_nobody_knows_little_is_read(service: Service) -> None:
    body = b'{"account": "hr", "password": "' + b"x" * dependencies.MAX_BYTES_WITHOUT_KEY + b'"}'
    answer = service.post("/v1/sessions", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too_large")


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'[{"a":' * 50_000, b"[" + b"[]," * 250_000 + b"0]", b"[" + b"0," * 1_100_000],
    ids=["lists", "objects", "many lists", "many numbers"],
)
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_what_takes_many_times_its_size_is_not_parsed(
    service: Service, body: bytes, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(*_: object) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr("api.importing.json_lines._DECODER", None)
    monkeypatch.setattr("api.importing.json_lines._quickly", parsed)
    answer = service.post("/v1/entries", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 422


def test_brackets_in_texts_are_no_depth(service: Service) -> None:
    note = "[{" * 40_000
    answer = service.post("/v1/appeals/x/withdraw", json={"reason": note}, headers=JSON)
    assert answer.status_code in {404, 422, 428}
    assert "nested" not in answer.text


def test_an_upload_that_its_sender_leaves_is_one_line(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    sent = iter([{"type": "http.request", "body": b"{", "more_body": True}])
    answers = []

    async def receive() -> dict[str, object]:
        return next(sent, {"type": "http.disconnect"})

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    headers = {"x-api-key": service.headers["X-API-Key"]} | {"content-type": "application/json"}
    scope = {
        "type": "http", "method": "POST", "path": "/v1/entries", "raw_path": b"/v1/entries",
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("1.2.3.4", 5), "server": ("x", 80),
    }  # fmt: skip
    with caplog.at_level(logging.INFO, "uvicorn.error"):
        assert service.portal is not None
        service.portal.call(service.app, scope, receive, send)
    assert answers[0]["status"] == 400
    assert ["left" in record.getMessage() for record in caplog.records] == [True]


def test_health_and_metrics_answer_while_the_store_is_away(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.get("/metrics").status_code == 200

    def away(*_: object, **__: object) -> None:
        raise OperationalError("gone")

    book = service.app.state.service
    monkeypatch.setattr(book.accounts, "caller_of", away)
    monkeypatch.setattr(book.ledger.recorder, "last_position", away)
    assert service.get("/health/live").status_code == 200
    assert service.get("/health/ready").status_code == 503
    scraped = service.get("/metrics")
    assert scraped.status_code == 200
    assert 'route="/health/ready",status="503"' in scraped.text
    stranger = service.get("/metrics", headers={"X-API-Key": "another"})
    assert stranger.status_code == 503
    assert service.get("/v1/me").status_code == 503


def test_what_shows_a_person_is_kept_by_no_cache(settled: Service) -> None:
    for address in (
        "/v1/statements/2026-10/A",
        "/v1/me",
        "/v1/entries",
        "/v1/statements/2026-10/Z",
    ):
        assert settled.get(address).headers["Cache-Control"] == "no-store", address
