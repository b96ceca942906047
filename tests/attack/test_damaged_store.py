"""A store that is damaged: one line that says where, exit status 3, and 503 over HTTP; what does
not need the damaged part goes on.
"""

from __future__ import annotations

from contextlib import closing

import pytest
from eventsourcing.persistence import OperationalError

from api.http.app import create_app
from api.settings import Settings
from projections.facts.reader import FactStore
from projections.store.database import database_of, open_ledger
from tests.api.service import Service, branch
from tests.command_line import merit

# What an event's stored form may have become.
NO_EVENT = {
    "not JSON": b"{",
    "no UTF-8": b'{"at":"\xff"}',
    "a list": b"[]",
    "a number": b"1",
    "empty": b"",
    "nothing in it": b"{}",
    "of another shape": b'{"at":"2026-10-01T00:00:00.000000Z","by":1,"entry":[],"personal":"x"}',
}
COMMANDS = (
    ("explain", "A", "2026-10"),
    ("history", "A", "2026-10"),
    ("settle", "2026-11", "--branch", "B01"),
    ("cycle", "show", "2026-10", "--branch", "B01"),
    ("resettle", "2026-10", "--branch", "B01", "--reason", "x"),
    ("person", "show", "A"),
    ("close", "2026-11", "--branch", "B01"),
    ("replay", "2026-10", "--branch", "B01"),
    ("appeal", "file", "A", "2026-10", "--reason", "x"),
    ("rebuild",),
)


@pytest.fixture
def closed(database_url: str) -> str:
    """A ledger with A and B, settled and closed."""
    with Service(create_app(Settings(database=database_url))) as service:
        secret, _ = service.app.state.service.accounts.keys.create("hr", by="tester")
        service.headers["X-API-Key"] = secret
        service.append(branch())
        service.settle()
    close = ("close", "2026-10", "--branch", "B01", "--acknowledge", "tie", "--note", "n")
    assert merit(*close, database=database_url).status == 0
    return database_url


def spoilt(url: str, state: bytes, *, of: str) -> list[int]:
    """The positions of the entries of a manager, whose stored form is spoilt."""
    with closing(open_ledger(url)) as ledger:
        database = database_of(ledger)
        positions = [
            position
            for position, event in ledger.read(0, 1000)
            if getattr(getattr(event, "entry", None), "manager", None) == of
        ]
        with database.writing() as connection:
            connection.execute(
                f"UPDATE stored_events SET state = ? WHERE {database.position} {database.one_of}",
                (state, database.array(positions)),
            )
    return positions


@pytest.mark.parametrize("state", NO_EVENT.values(), ids=list(NO_EVENT))
def test_events_that_are_none_are_all_named(closed: str, state: bytes) -> None:
    positions = spoilt(closed, state, of="A")
    assert len(positions) > 3
    for language in ("zh", "en"):
        run = merit("history", "A", "2026-10", "--lang", language, database=closed)
        assert (run.status, run.out, run.err.count("\n")) == (3, "", 1)
        assert all(str(position) in run.err for position in positions)
    rebuilt = merit("rebuild", "--lang", "en", database=closed)
    assert (rebuilt.status, rebuilt.err.count("\n")) == (3, 1)
    assert str(positions[0]) in rebuilt.err
    others = merit("history", "B", "2026-10", database=closed)
    assert (others.status, others.err) == (0, "")


def test_over_http_a_damaged_event_is_503_and_names_its_position(closed: str) -> None:
    with Service(create_app(Settings(database=closed))) as service:
        secret, _ = service.app.state.service.accounts.keys.create("hr", by="tester")
        service.headers["X-API-Key"] = secret
        position = spoilt(closed, b"{", of="A")[0]
        for route in ("/v1/entries?manager=A", "/v1/statements/2026-10/A/derivation"):
            answer = service.get(route)
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store"), route
            assert str(position) in answer.json()["detail"]
        assert service.get("/v1/entries?manager=B").status_code == 200


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_of_a_damaged_database_that_it_is_one(
    closed: str, command: tuple[str, ...]
) -> None:
    with closing(open_ledger(closed)) as ledger, database_of(ledger).writing() as connection:
        connection.execute("DROP TABLE facts")
    run = merit(*command, database=closed)
    assert (run.status, run.err.count("\n")) == (3, 1), run.err


def test_every_route_says_of_a_damaged_database_that_it_is_one(closed: str) -> None:
    with Service(create_app(Settings(database=closed))) as service:
        secret, _ = service.app.state.service.accounts.keys.create("hr", by="tester")
        service.headers["X-API-Key"] = secret
        with closing(open_ledger(closed)) as ledger, database_of(ledger).writing() as connection:
            connection.execute("DROP TABLE facts")
        for route in ("/v1/entries?manager=A", "/v1/statements/2026-10/A/derivation"):
            answer = service.get(route)
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store"), route


def test_a_connection_that_ends_in_a_replay_is_one_line(
    closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(FactStore, "facts", ended)
    run = merit("replay", "2026-10", "--branch", "B01", "--lang", "en", database=closed)
    assert (run.status, run.out, run.err.count("\n")) == (3, "", 1)
    assert "closed the connection" in run.err
