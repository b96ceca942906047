"""Hostile values of every JSON type in every field of every route that takes a body, and in every
place of the address: never a 500, never an answer that is not documented.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.api.service import Service, documented

APPEAL, BEYOND = "A2026-10-1", "beyond 64 bits"
SENT = {"Content-Type": "application/json", "If-Match": "*"}
HOSTILE: dict[str, Any] = {
    "null": None,
    BEYOND: 2**63,
    "a list": [["x"], {}],
    "an object": {"kind": [], "x": {"y": None}},
    "NUL": "a\x00b",
    "beyond ASCII": "＠é😀",
    "long": "9" * 5000,
}

REPLAY = {"periods": ["2026-10"], "branches": ["B01"], "rulebook": "elastic-pay"}
KEY = {"source": "x", "source_id": "1", "month": "2026-10"}
ENTRIES: dict[str, dict[str, Any]] = {
    "sale": {**KEY, "manager": "A", "item": "x", "quantity": "1", "attributes": {"a": "b"}},
    "adjustment": {**KEY, "manager": "A", "amount": "1", "reason": "x", "appeal": APPEAL},
    "reversal": {
        "source": "x",
        "source_id": "1",
        "reason": "x",
        "reverses": {"source": "test", "source_id": "0"},
    },
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in documented()["paths"].items():
        for method, operation in methods.items():
            if method in {"post", "put", "patch", "delete"}:
                yield method, path, operation


def example_of(operation: dict[str, Any]) -> Any:
    """A body of the operation that is about whom the ledger has."""
    example = orjson.dumps(_example_of(operation))
    return orjson.loads(example.replace(b"M0007", b"A").replace(b"A-17", APPEAL.encode()))


def _example_of(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    if "examples" in content:
        return next(iter(content["examples"].values()))["value"]
    if "example" in content:
        return content["example"]
    schema = content["schema"]
    name = schema.get("$ref") or schema["anyOf"][0]["$ref"]
    return documented()["components"]["schemas"][name.rpartition("/")[2]]["examples"][0]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values of a document, itself first."""
    yield path
    within = document.items() if isinstance(document, dict) else ()
    within = enumerate(document) if isinstance(document, list) else within
    for name, value in within:
        yield from places(value, (*path, name))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


def address_of(path: str, **values: str) -> str:
    known = {"period": "2026-10", "branch": "B01", "manager": "A", "account": "hr", "number": "1"}
    known["id"] = APPEAL if "appeals" in path else "g" if "/grants/{id}" in path else "1"
    known["code"] = "ratings_recorded"
    return re.sub(r"\{(\w+)\}", lambda name: (known | values).get(name[1], "1"), path)


@pytest.fixture
def quiet(settled: Service) -> Service:
    """With an appeal and a grant. An error of the service is its answer, and not the test's."""
    settled._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    appeal = {"manager": "A", "period": "2026-10", "reason": "x"}
    filed = settled.post("/v1/appeals", json=appeal)
    assert filed.status_code == 201, filed.text
    accepted = settled.post(f"/v1/appeals/{APPEAL}/accept", headers={"If-Match": "*"})
    assert accepted.status_code == 201
    grant = {"id": "g", "branch": "B01", "kind": "policy_use", "role": "manager", "owner": "hr"}
    days = {"from": "2026-10-01", "until": "2026-10-31", "limit_amount": "5"}
    made = settled.post("/v1/grants", json=grant | days)
    assert made.status_code == 201, made.text
    return settled


@pytest.mark.parametrize("named", HOSTILE)
def test_no_field_of_a_body_makes_the_service_fail(quiet: Service, named: str) -> None:
    asked, failures = 0, []
    hostile = orjson.dumps(HOSTILE[named]) if named in HOSTILE and named != BEYOND else b"9" * 25
    for method, path, operation in operations():
        example = example_of(operation)
        if example is None:
            continue
        for place in places(example):
            marked = orjson.dumps(replaced(example, place, "@@"))
            answer = quiet.request(
                method,
                address_of(path),
                content=marked.replace(b'"@@"', hostile),
                headers=SENT,
            )
            asked += 1
            if answer.status_code >= 500:
                failures.append(f"{method} {path} {place}: {answer.status_code}")
    assert asked > 100
    assert failures == []


def test_no_kind_of_entry_makes_the_service_fail(quiet: Service) -> None:
    routes = ("/v1/entries", f"/v1/appeals/{APPEAL}/evidence", "/v1/replays")
    failures = []
    for kind, fields in ENTRIES.items():
        for name in (*fields, "kind", "more"):
            for hostile in HOSTILE.values():
                entry = {"kind": kind, **fields, name: hostile}
                bodies = (entry, {"note": "x", "entries": [entry]}, REPLAY | {"with": [entry]})
                for route, body in zip(routes, bodies, strict=True):
                    answer = quiet.post(route, content=orjson.dumps(body), headers=SENT)
                    if answer.status_code >= 500:
                        failures.append(f"{route} {kind} {name} {hostile!r}")
    assert failures == []


ADDRESSES = (
    "%00",
    "%0d%0a",
    "%ff",
    "9" * 5000,
    "-1",
    "%E2%80%AE",
    "..%2f..",
    "a'b",
    "2026-13",
    "１",
)


@pytest.mark.parametrize("word", ADDRESSES)
def test_no_place_of_an_address_makes_the_service_fail(quiet: Service, word: str) -> None:
    failures = []
    for path, methods in documented()["paths"].items():
        for method, operation in methods.items():
            if method != "get":
                continue
            given = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
            addresses = [f"{address_of(path)}?{name}={word}" for name in given if name != "wait"]
            addresses += [
                address_of(path, **{name: word}) for name in re.findall(r"\{(\w+)\}", path)
            ]
            for address in addresses:
                status = quiet.get(address).status_code
                if status >= 500:
                    failures.append(f"{address[:80]}: {status}")
    assert failures == []
