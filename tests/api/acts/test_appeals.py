"""Appeals through both doors: what one refuses, hides or records, the other does too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson
import pytest

from domain.identifiers import Period
from domain.rights import Role, Seat
from tests.api.service import Service
from tests.command_line import merit
from tests.store import entries
from tests.ten_people import APPEALED, DISPLACED, HER, ten_people

SEATS = {
    "hers": Seat(Role.MANAGER, manager=HER),
    "colleague": Seat(Role.MANAGER, manager=DISPLACED),
    "leader": Seat(Role.BRANCH_LEADER, "B01"),
    "elsewhere": Seat(Role.BRANCH_LEADER, "B02"),
    "handler": Seat(Role.HR),
    "department": Seat(Role.DEPARTMENT),
}
SOURCE, _, NUMBER = APPEALED.partition(":")
REVERSAL = {"kind": "reversal", "reverses": {"source": SOURCE, "source_id": NUMBER}}


class Answer(NamedTuple):
    """What a door answers: a document, or the words of a refusal."""

    document: Any
    refusal: str = ""


class Door(Protocol):
    """Does an act with an appeal as somebody. `said`: the fields of the act by their HTTP names."""

    def ask(self, who: str, act: str, name: str = "", **said: Any) -> Answer: ...


class Http:
    """Appeals over HTTP."""

    def __init__(self, service: Service, keys: dict[str, str]) -> None:
        self.service, self.keys = service, keys

    def ask(self, who: str, act: str, name: str = "", **said: Any) -> Answer:
        headers = {"X-API-Key": self.keys[who]}
        if act in {"list", "show"}:
            address = f"/v1/appeals/{name}" if name else "/v1/appeals"
            response = self.service.get(address, params=said, headers=headers)
        else:
            path = {"file": "", "propose": f"/{name}/evidence"}.get(act, f"/{name}/{act}")
            response = self.service.post(f"/v1/appeals{path}", json=said, headers=headers)
        if response.status_code < 400:
            return Answer(response.json())
        return Answer(None, response.text)


class CommandLine:
    """Appeals by `merit appeal …`."""

    ARGUMENTS = ("manager", "period", "decision", "entries")

    def __init__(self, database: str, folder: Path) -> None:
        self.database, self.folder = database, folder

    def ask(self, who: str, act: str, name: str = "", **said: Any) -> Answer:
        words = [name] if name else []
        if "entries" in said:
            file = self.folder / "entries.jsonl"
            file.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in said["entries"]))
            said["entries"] = file
        if act != "list":
            words += [said.pop(word) for word in self.ARGUMENTS if word in said]
        for field, value in said.items():
            option = f"--{field.removesuffix('s').replace('_', '-')}"
            option = "--as-of" if field == "as_of" else option
            for one in value if isinstance(value, list) else [value]:
                words += [option, one]
        run = merit("appeal", act, *words, "--as", who, "--json", database=self.database)
        assert run.status in {0, 2}, run.err
        return Answer(run.json) if run.status == 0 else Answer(None, run.err)


@pytest.fixture
def keys(service: Service) -> dict[str, str]:
    """An account of each role, over the ten people of October, settled."""
    ledger = service.app.state.service
    ledger.ledger.append(entries(ten_people()), by="system")
    ledger.settle(Period.parse("2026-10"), "B01", None, by="clerk")
    return {
        name: ledger.accounts.create(name, by="root", seats=[seat])[0]
        for name, seat in SEATS.items()
    }


@pytest.fixture(params=[Http, CommandLine], ids=["http", "command line"])
def door(
    request: pytest.FixtureRequest,
    service: Service,
    keys: dict[str, str],
    database_url: str,
    tmp_path: Path,
) -> Door:
    if request.param is Http:
        return Http(service, keys)
    return CommandLine(database_url, tmp_path)


@pytest.fixture
def file_one(door: Door) -> Callable[[], str]:
    """Files an appeal of hers: its name."""

    def file() -> str:
        filed = door.ask("hers", "file", manager=HER, period="2026-10", reason="有误")
        name: str = filed.document["appeal"]
        return name

    return file


@pytest.mark.parametrize("item", ["back_pay", "clawback"])
def test_postings_are_proposed_by_whoever_may_resettle_alone(
    door: Door, file_one: Callable[[], str], item: str
) -> None:
    name = file_one()
    assert door.ask("handler", "accept", name).document["state"] == "accepted"
    posting = {"kind": "adjustment", "manager": HER, "month": "2026-10", "item": item}
    correction = {"note": "n", "entries": [posting | {"amount": "5000"}]}
    assert "(resettle)" in door.ask("department", "propose", name, **correction).refusal
    assert door.ask("handler", "show", name).document["proposals"] == []
    assert door.ask("handler", "propose", name, **correction).document["proposals"]
