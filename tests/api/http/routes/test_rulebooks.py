"""Rulebooks over HTTP: checked, published once, read as they were written."""

from __future__ import annotations

from typing import Any

from tests.api.service import YAML, Service

PUBLISH = "/v1/rulebooks/publish"


def send(service: Service, address: str, text: str) -> Any:
    return service.post(address, content=text.encode(), headers=YAML)


def test_the_shipped_rulebook_is_listed_and_read_byte_for_byte(service: Service):
    (line,) = [
        row
        for row in service.get("/v1/rulebooks").json()["rulebooks"]
        if row["id"] == "elastic-pay"
    ]
    assert (line["version"], line["effective_from"], line["roles"]) == (
        "3.0.0",
        "2000-01",
        ["customer_manager"],
    )
    body = service.get("/v1/rulebooks/elastic-pay/3.0.0").json()
    assert body["text"].startswith("# 客户经理绩效考核及弹性薪酬管理办法 V3.0")
    assert {"performance_cap": "8000"}.items() <= {
        p["name"]: p["value"] for p in body["parameters"]
    }.items()
    assert body["steps"][-1]["step"] == "pay"
    assert body["cycle"] == {}
    items = {one["item"]: one for given in body["inputs"] for one in given["items"]}
    assert items["target.group_count"]["help"] is None
    assert items["teamwork"]["label"]["zh"] == "团队协作"
    assert items["teamwork"]["help"]["zh"] == "团队意识、团队协作、团队建设"
    assert service.get("/v1/rulebooks/elastic-pay/9.0.0").status_code == 404
    assert service.get("/v1/rulebooks/no-such-rules/3.0.0").status_code == 404


def test_checking_publishes_nothing(service: Service):
    before = service.position
    response = send(service, "/v1/rulebooks", service.draft("6000"))
    assert response.status_code == 200
    assert response.json()["version"] == "3.1.0"
    assert service.position == before


def test_a_broken_text_says_line_and_column(service: Service):
    lines = service.draft("6000").splitlines()
    number = next(i for i, line in enumerate(lines) if "step: deduction," in line)
    lines[number] = lines[number].replace("raw_deduction", "raw_deductoin")
    response = send(service, "/v1/rulebooks", "\n".join(lines))
    assert (response.status_code, response.json()["type"]) == (422, "/problems/broken_rulebook")
    problem = response.json()["problems"][0]
    assert problem["line"] == number + 1
    assert lines[number][problem["column"] - 1 :].startswith("raw_deductoin")


def test_an_example_that_does_not_come_out_is_a_problem(service: Service):
    text = service.draft("6000").replace(
        "G8: {base_points: 1275, position_points: 1275}", "G8: {base_points: 1276}", 1
    )
    response = send(service, "/v1/rulebooks", text)
    assert response.status_code == 422
    assert "1276" in response.json()["problems"][0]["message"]


def test_publishing_is_an_event_and_the_same_text_again_is_none(service: Service):
    text = service.draft("6000")
    response = send(service, f"{PUBLISH}?effective_from=2026-11", text)
    assert response.status_code == 201
    assert response.json()["effective_from"] == "2026-11"
    assert response.headers["Merit-Position"] == str(service.position)
    before = service.position
    again = send(service, PUBLISH, text)
    assert (again.status_code, again.json()["effective_from"]) == (200, "2026-11")
    assert service.position == before
    body = service.get("/v1/rulebooks/elastic-pay/3.1.0").json()
    assert (body["text"], body["by"]) == (text, "hr")


def test_versions_are_compared_by_their_parts(service: Service):
    assert send(service, PUBLISH, service.draft("6000")).status_code == 201
    body = service.get("/v1/rulebooks/elastic-pay/3.0.0/diff/3.1.0").json()
    assert (body["from"]["version"], body["to"]["version"]) == ("3.0.0", "3.1.0")
    assert [(c["part"], c["name"]) for c in body["changes"]] == [
        ("head", "version"),
        ("parameter", "performance_cap"),
    ]
    assert body["changes"][1]["fields"] == [{"field": "value", "before": "8000", "after": "6000"}]
    assert service.get("/v1/rulebooks/elastic-pay/3.0.0/diff/3.0.0").json()["changes"] == []
    assert service.get("/v1/rulebooks/elastic-pay/3.0.0/diff/9.9.9").status_code == 404


def test_what_is_published_never_changes(service: Service):
    assert send(service, PUBLISH, service.draft("6000")).status_code == 201
    response = send(service, PUBLISH, service.draft("7000"))
    assert (response.status_code, response.json()["type"]) == (409, "/problems/already_published")


def test_an_address_with_a_version_takes_no_other_text(service: Service):
    text = service.draft("6000")
    assert send(service, "/v1/rulebooks/elastic-pay/3.2.0/publish", text).status_code == 422
    assert send(service, "/v1/rulebooks/elastic-pay/3.1.0/publish", text).status_code == 201


def test_the_list_comes_in_pages(service: Service):
    assert send(service, PUBLISH, service.draft("6000")).status_code == 201
    found, address = [], "/v1/rulebooks?limit=1"
    while address:
        body = service.get(address).json()
        found += [(row["id"], row["version"]) for row in body["rulebooks"]]
        address = body["next"]
    assert found[-1] == ("elastic-pay", "3.1.0")
    assert len(found) == len(set(found)) == len(service.get("/v1/rulebooks").json()["rulebooks"])


def test_what_is_no_text_says_why(service: Service):
    assert service.post(PUBLISH, json={}).status_code == 415
    assert (
        service.post(PUBLISH, content=b"\xff", headers=YAML).json()["reasons"][0]["code"]
        == "encoding"
    )
    assert send(service, f"{PUBLISH}?effective_from=soon", service.draft("6000")).status_code == 422
