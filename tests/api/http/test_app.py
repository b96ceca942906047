"""The wired service: its OpenAPI document, waiting for a position, health and metrics."""

from __future__ import annotations

import re
from threading import Timer
from typing import Any
from uuid import uuid4

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.http.app import create_app
from api.settings import Settings
from domain.errors import StoreError
from tests.api.service import Service, branch
from tests.conftest import started

APP = create_app(Settings())
OPERATIONS = [
    pytest.param(operation, id=f"{method} {path}")
    for path, operations in APP.openapi()["paths"].items()
    for method, operation in operations.items()
]


def test_the_document_is_openapi_3_1(service: Service):
    document = service.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_summed_up_explained_and_has_examples(operation: dict[str, Any]):
    assert operation["summary"]
    assert len(operation["description"]) > 10
    for status, response in operation["responses"].items():
        for content in response["content"].values():
            assert examples(content), status
    for content in operation.get("requestBody", {"content": {}})["content"].values():
        assert examples(content)


def examples(content: dict[str, Any]) -> Any:
    if "examples" in content or "example" in content:
        return content.get("examples", content.get("example"))
    name = content["schema"]["$ref"].rpartition("/")[2]
    return APP.openapi()["components"]["schemas"][name]["examples"]


def test_examples_fit_their_shapes():
    from jsonschema import Draft202012Validator

    document = APP.openapi()
    shapes = document["components"]["schemas"]
    for shape in shapes.values():
        for example in shape.get("examples", ()):
            Draft202012Validator(shape | {"components": document["components"]}).validate(example)


def test_a_refused_database_keeps_the_service_from_starting():
    with pytest.raises(StoreError), Service(create_app(Settings(database="mysql://x"))):
        pass


# Waiting


def test_a_read_waits_until_the_ledger_has_reached_the_position(service: Service):
    service.append(branch())
    book, wanted = service.app.state.service, service.position + 1
    writing = Timer(0.2, lambda: book.accounts.open("later", [], by="tester"))
    writing.start()
    response = service.get("/v1/entries", params={"wait": wanted})
    writing.join()
    assert response.status_code == 200
    assert service.position == wanted


def test_a_position_that_does_not_come_is_409_with_when_to_try_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("api.http.dependencies.WAIT_SECONDS", 0.05)
    response = service.get("/v1/rulebooks", params={"wait": service.position + 1})
    assert (response.status_code, response.json()["type"]) == (409, "/problems/not_yet")
    assert response.headers["Retry-After"] == "1"
    assert service.get("/v1/rulebooks", params={"wait": service.position}).status_code == 200
    assert service.get("/v1/rulebooks", params={"wait": -1}).status_code == 422


def test_every_read_of_the_ledger_can_wait():
    for path, operations in APP.openapi()["paths"].items():
        names = [parameter["name"] for parameter in operations.get("get", {}).get("parameters", ())]
        assert ("wait" in names) == (path.startswith("/v1/") and "get" in operations), path


# Operation


def test_health_and_metrics(service: Service):
    assert service.get("/health/live").json() == {"status": "ok"}
    assert service.get("/health/ready").json() == {"status": "ok", "position": service.position}
    service.append(branch())
    service.settle()
    service.get("/v1/statements/2026-10/A")
    text = service.get("/metrics").text
    count = {m[1]: float(m[2]) for m in re.finditer(r"^(\S+) (\S+)$", text, re.MULTILINE)}
    assert count['merit_entries_total{outcome="accepted"}'] == len(branch())
    assert count["merit_settlements_total"] == 1
    assert count["merit_ledger_position"] == service.position
    # A person's id is in no label.
    route = "/v1/statements/{period}/{manager}"
    assert count[f'merit_http_requests_total{{method="GET",route="{route}",status="200"}}'] == 1


def test_words_that_anybody_can_send_do_not_become_labels(service: Service):
    for number in range(3):
        service.request(f"WORD{number}", "/health/live")
        service.request(f"WORD{number}", f"/nowhere/{number}")
    text = service.get("/metrics").text
    assert "WORD" not in text
    assert "nowhere" not in text
    assert 'merit_http_requests_total{method="other",route="other",status="404"} 3.0' in text


def test_a_stopped_database_is_asked_once_and_readiness_does_not_wait_for_it():
    server = started(uuid4().hex)
    try:
        with Service(create_app(Settings(database=str(server.get_uri())))) as service:
            assert service.get("/health/ready").status_code == 200
            ledger = service.app.state.service.ledger
            pool = ledger.recorder.datastore.pool
            lost = pool.get_stats()["pool_size"]  # connections: each is found out once
            server.cleanup()
            answers = [service.get("/health/ready") for _ in range(lost + 1)]
            assert {(a.status_code, a.json()["type"]) for a in answers} == {
                (503, "/problems/store")
            }
            assert "within 2 seconds" in answers[-1].json()["detail"]
            pool.timeout = 0.1
            before = pool.get_stats()["requests_num"]
            with pytest.raises(StoreError):
                ledger.position()
            assert pool.get_stats()["requests_num"] == before + 1
    finally:
        server.cleanup()


def test_a_body_is_required_where_some_field_of_it_is() -> None:
    wrong, asked = [], 0
    for path, operations in APP.openapi()["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody")
            if (
                body is None
                or (schema := body["content"].get("application/json", {}).get("schema")) is None
            ):
                continue
            asked += 1
            shape = APP.openapi()["components"]["schemas"].get(
                schema.get("$ref", "").rpartition("/")[2], {}
            )
            if "required" in shape and body.get("required") is not True:
                wrong.append(f"{method} {path}")
    assert asked > 10
    assert wrong == []


@pytest.mark.parametrize(
    "path", ["cycles/{period}/{branch}/steps/{code}", "cycles/{period}/{branch}/close", "appeals/{id}/accept",
             "appeals/{id}/notify", "appeals/{id}/withdraw"],
)  # fmt: skip
def test_where_every_field_may_be_left_out_so_may_the_body(path: str) -> None:
    assert (
        APP.openapi()["paths"][f"/v1/{path}"]["post"]["requestBody"].get("required", False) is False
    )
