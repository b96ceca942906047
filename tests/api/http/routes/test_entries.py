"""Entries over HTTP: every content type, every status, and the trail."""

from __future__ import annotations

import asyncio
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from api.importing.bodies import read_json
from tests.api.service import NDJSON, Service, branch

EVENT = {"content-type": "application/cloudevents+json"}
EVENTS = {"content-type": "application/cloudevents-batch+json"}
JSON = {"content-type": "application/json"}


def hire(manager: str = "A", number: str = "1", **fields: Any) -> dict[str, Any]:
    place = {"name": "赵", "branch": "B01", "team": "T1", "role": "customer_manager", "grade": 6}
    pair = {"source": "hr", "source_id": number}
    return {"kind": "assignment", **pair, "manager": manager, "month": "2026-10", **place, **fields}


def sale(number: str = "2", manager: str = "A", **fields: Any) -> dict[str, Any]:
    said = {"item": "effective_customers", "quantity": "3", **fields}
    return {
        "kind": "sale",
        "source": "crm",
        "source_id": number,
        "manager": manager,
        "month": "2026-10",
        **said,
    }


def event(entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    rest = {k: v for k, v in entry.items() if k not in {"kind", "source", "source_id"}}
    pair = {"type": f"merit.{entry['kind']}", "source": entry["source"], "id": entry["source_id"]}
    return {"specversion": "1.0", **pair, "data": rest, **fields}


def statuses(response: Any) -> list[str]:
    return [result["status"] for result in response.json()["results"]]


def codes(response: Any) -> list[list[str]]:
    return [
        [reason["code"] for reason in result["reasons"]] for result in response.json()["results"]
    ]


def test_a_posting_by_hand_is_yuan_above_0_in_whole_cents(service: Service):
    posting = {"kind": "adjustment", "source": "x", "manager": "A", "month": "2026-10"}
    posting |= {"item": "clawback", "reason": "r"}
    wrong = [
        posting | {"source_id": "1", "amount": "-300"},
        posting | {"source_id": "2", "points": "5"},
        posting | {"source_id": "3", "amount": "1.001"},
    ]
    answer = service.post("/v1/entries", json=[hire(), *wrong])
    assert statuses(answer) == ["accepted", "rejected", "rejected", "rejected"]
    assert codes(answer) == [[], ["not_positive"], ["not_in_yuan"], ["fractional_cents"]]
    cloud = service.post("/v1/entries", json=event(wrong[0]), headers=EVENT)
    assert codes(cloud) == [["not_positive"]]
    assert statuses(service.post("/v1/entries", json=wrong[0] | {"amount": "300"})) == ["accepted"]


def test_one_entry_an_array_and_ndjson_are_accepted(service: Service):
    one = service.post("/v1/entries", json=hire())
    assert (one.status_code, statuses(one)) == (201, ["accepted"])
    array = service.post("/v1/entries", json=[sale("2"), sale("3")])
    assert (array.status_code, statuses(array)) == (201, ["accepted", "accepted"])
    lines = orjson.dumps(sale("4")) + b"\n\n" + orjson.dumps(sale("5"))
    several = service.post("/v1/entries", content=lines, headers=NDJSON)
    assert (several.status_code, statuses(several)) == (201, ["accepted", "accepted"])


def test_a_write_says_which_position_the_ledger_reached(service: Service):
    response = service.post("/v1/entries", json=[hire(), sale()])
    assert response.json()["position"] == service.position
    assert response.headers["Merit-Position"] == str(service.position)
    assert [result["position"] for result in response.json()["results"]] == [
        service.position - 1,
        service.position,
    ]


def test_the_actor_of_an_entry_is_the_name_of_the_key(service: Service):
    service.append([hire()])
    assert service.get("/v1/entries").json()["entries"][0]["by"] == "hr"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (EVENT, event(hire())),
        (
            EVENT,
            event(
                hire(), time="2026-11-01T00:00:00Z", subject="x", datacontenttype="application/json"
            ),
        ),
        ({"content-type": "application/cloudevents+json; charset=utf-8"}, event(hire())),
        (EVENTS, [event(hire())]),
        (
            JSON
            | {
                "ce-specversion": "1.0",
                "ce-type": "merit.assignment",
                "ce-source": "hr",
                "ce-id": "%31",
            },
            None,
        ),
    ],
)
def test_a_cloud_event_that_says_what_an_entry_said_is_its_duplicate(
    service: Service, headers: Any, body: Any
):
    service.append([hire()])
    sent = event(hire())["data"] if body is None else body
    before = service.position
    response = service.post("/v1/entries", content=orjson.dumps(sent), headers=headers)
    assert (response.status_code, statuses(response)) == (200, ["duplicate"])
    assert service.position == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"type": "other.sale"}, "type"),
        ({"data": "text"}, "data"),
        ({"data": {**sale(), "month": "2026-10"}}, "data.source"),
        ({"id": None}, "id"),
    ],
)
def test_an_event_that_is_no_entry_is_rejected_with_the_attribute(
    service: Service, change: Any, field: str
):
    response = service.post(
        "/v1/entries", content=orjson.dumps(event(hire(), **change)), headers=EVENT
    )
    assert response.status_code == 422
    assert field in [reason["field"] for reason in response.json()["results"][0]["reasons"]]
    assert response.json()["results"][0]["source"] == "hr"


def test_all_duplicates_are_200_and_append_nothing(service: Service):
    first = service.append([hire()])
    again = service.append([hire()], status=200)
    assert again["position"] == first["position"]
    assert again["results"][0] | {"status": "accepted"} == first["results"][0]


def test_all_conflicts_are_422_and_append_nothing(service: Service):
    service.append([hire()])
    before = service.position
    assert service.append([hire(grade=7)], status=422)["results"][0]["status"] == "conflict"
    assert service.position == before


def test_some_accepted_and_some_not_are_207_in_the_order_sent(service: Service):
    service.append([hire()])
    response = service.post(
        "/v1/entries", json=[sale(manager="nobody"), hire(), sale("3"), hire(grade=7)]
    )
    assert response.status_code == 207
    assert statuses(response) == ["rejected", "duplicate", "accepted", "conflict"]
    assert codes(response) == [["no_assignment"], [], [], ["conflict"]]


def test_all_rejected_is_422_with_every_reason_at_once_and_nothing_appended(service: Service):
    before = service.position
    response = service.post("/v1/entries", json=sale(month="2026-13", colour="red"))
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "/problems/entries_rejected"
    assert {reason["field"] for reason in response.json()["results"][0]["reasons"]} == {
        "month",
        "colour",
    }
    assert service.position == before


@pytest.mark.parametrize("headers", [JSON, NDJSON])
def test_a_float_is_refused_with_the_advice_to_quote_it(service: Service, headers: dict[str, str]):
    service.append([hire()])
    response = service.post(
        "/v1/entries", content=orjson.dumps(sale(quantity=1.5)), headers=headers
    )
    (reason,) = response.json()["results"][0]["reasons"]
    assert (reason["code"], reason["field"]) == ("float", "quantity")
    assert "quote" in reason["message"]


@pytest.mark.parametrize(
    "content", [b'{"kind": "sale", "kind": "sale"}', b"{", b'{"points": NaN}', b"\xff", b"[]"]
)
def test_a_body_that_is_no_entries_is_an_invalid_problem(service: Service, content: bytes):
    response = service.post("/v1/entries", content=content, headers=JSON)
    assert response.status_code == 422
    assert response.json()["type"] == "/problems/invalid"
    assert response.json()["reasons"]


def test_a_bad_line_of_ndjson_keeps_the_good_ones(service: Service):
    lines = b'{"kind":\n' + orjson.dumps(hire())
    response = service.post("/v1/entries", content=lines, headers=NDJSON)
    assert (response.status_code, statuses(response)) == (207, ["rejected", "accepted"])


def test_an_item_that_no_rulebook_reads_is_accepted_and_marked(service: Service):
    body = service.append([hire(), sale("2", item="never-heard-of"), sale("3")])
    assert [result["unknown_item"] for result in body["results"]] == [False, True, False]


def test_another_content_type_is_415(service: Service):
    response = service.post(
        "/v1/entries", content=b"kind,source", headers={"content-type": "text/csv"}
    )
    assert response.status_code == 415
    assert "application/x-ndjson" in response.json()["detail"]


def test_too_many_entries_and_too_many_bytes_are_413(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("api.http.routes.entries.MAX_ENTRIES", 2)
    many = service.post("/v1/entries", json=[hire(), sale("2"), sale("3")])
    assert (many.status_code, many.json()["type"]) == (413, "/problems/too_large")
    monkeypatch.setattr("api.http.dependencies.MAX_BYTES", 10)
    assert service.post("/v1/entries", json=hire()).status_code == 413
    pieces = (orjson.dumps(hire()) for _ in range(2))  # without a length that says so beforehand
    assert service.post("/v1/entries", content=pieces, headers=JSON).status_code == 413
    monkeypatch.setattr(
        "api.http.dependencies.DRAINED_BYTES", 20
    )  # more than this is not even read
    assert service.post("/v1/entries", json=hire()).status_code == 413
    assert service.get("/v1/entries").json()["entries"] == []


@pytest.mark.parametrize(
    ("headers", "content"),
    [(JSON, b"[" + b",".join([b"1"] * 200_000) + b"]"), (NDJSON, b"1\n" * 200_000)],
)
def test_too_many_entries_are_refused_before_anything_is_made_of_them(
    service: Service, headers: dict[str, str], content: bytes
):
    tracemalloc.start()
    refused = service.post("/v1/entries", content=content, headers=headers)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/too_large")
    assert most < 100 * 200_000  # bytes


def test_a_body_is_read_beside_the_event_loop(service: Service, monkeypatch: pytest.MonkeyPatch):
    def noting(content: bytes) -> object:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return read_json(content)

    monkeypatch.setattr("api.http.dependencies.read_json", noting)
    assert service.post("/v1/replays", json={"periods": ["2026-10"]}).status_code == 201


def test_of_many_who_send_one_entry_at_once_one_is_accepted(service: Service):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.post("/v1/entries", json=hire()), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


# The trail


def trail(service: Service, **query: Any) -> list[dict[str, Any]]:
    response = service.get("/v1/entries", params=query)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["entries"]
    return found


def ids(lines: list[dict[str, Any]]) -> list[str]:
    return [line["entry"]["source_id"] for line in lines]


def test_the_trail_has_every_entry_as_it_was_sent_in_ledger_order(service: Service):
    sent = branch()
    service.append(sent)
    lines = trail(service)
    said = [{k: v for k, v in entry.items() if v != {}} for entry in sent]
    assert [line["entry"] for line in lines] == said
    assert [line["position"] for line in lines] == sorted(line["position"] for line in lines)
    assert all(line["at"].endswith("Z") for line in lines)


def test_pages_are_complete_and_stable_while_others_write(service: Service):
    service.append([hire(), *(sale(f"s{n}") for n in range(10))])
    found, address = [], "/v1/entries?limit=4&manager=A"
    while address:
        response = service.get(address)
        body = response.json()
        assert len(body["entries"]) <= 4
        assert body["next"] == (response.links["next"]["url"] if "next" in response.links else None)
        found += ids(body["entries"])
        if address.endswith("manager=A"):
            service.append([sale("late")])
        address = body["next"]
        assert address is None or address.count("cursor=") == 1
    assert found == ["1", *(f"s{n}" for n in range(10)), "late"]


def test_the_last_page_names_no_next_one_even_when_it_is_full(service: Service):
    service.append([hire(), sale()])
    assert service.get("/v1/entries?limit=2").json()["next"] is None


def test_filters_choose_and_combine(service: Service):
    service.append(
        [
            hire(),
            hire("B", "1b", branch="B02"),
            sale("a10"),
            sale("a11", month="2026-11"),
            sale("b10", "B", item="other"),
            {
                "kind": "measure",
                "source": "m",
                "source_id": "m1",
                "month": "2026-10",
                "item": "wage",
                "value": "1",
                "branch": "B02",
            },
        ]
    )
    assert ids(trail(service, manager="A")) == ["1", "a10", "a11"]
    assert ids(trail(service, period="2026-10")) == ["1", "1b", "a10", "b10", "m1"]
    assert ids(trail(service, period="2026-Q4", manager="A", kind="sale")) == ["a10", "a11"]
    assert ids(trail(service, branch="B02")) == ["1b", "b10", "m1"]
    assert ids(trail(service, item="other")) == ["b10"]
    assert (
        ids(trail(service, item="customer_manager")) == []
    )  # the role of an assignment is no item
    assert ids(trail(service, kind="measure")) == ["m1"]
    assert trail(service, manager="nobody") == []


def test_the_trail_says_what_was_reversed_by_what_and_whether_it_counts(service: Service):
    def reverse(number: str, source: str, source_id: str) -> dict[str, Any]:
        named = {"source": source, "source_id": source_id}
        return {
            "kind": "reversal",
            "source": "r",
            "source_id": number,
            "reverses": named,
            "reason": "录入错误",
        }

    service.append([hire(), sale()])
    service.append([reverse("r1", "crm", "2")])
    of_sale, of_first = trail(service, kind="sale"), trail(service, kind="reversal")
    assert of_sale[0]["reversed_by"] == [of_first[0]["position"]]
    assert (of_sale[0]["counts"], of_first[0]["counts"]) == (False, True)
    before = service.position
    service.append([reverse("r2", "r", "r1")])
    assert [line["counts"] for line in trail(service, manager="A")] == [True, True, False, True]
    assert [line["counts"] for line in trail(service, manager="A", as_of=before)] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "cursor=-1", "kind=gift", "period=2026-13", "as_of=soon"]
)
def test_a_query_that_makes_no_sense_is_an_invalid_problem(service: Service, query: str):
    response = service.get(f"/v1/entries?{query}")
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid")


def test_an_instant_whose_plus_was_not_escaped_is_understood(service: Service):
    service.append([hire()])
    for when, found in (("2099-11-18T09:00:00+08:00", ["1"]), ("2001-11-18 09:00:00+08:00", [])):
        response = service.get(f"/v1/entries?as_of={when}")
        assert (response.status_code, ids(response.json()["entries"])) == (200, found)


def test_as_of_a_position_that_the_ledger_has_not_reached_is_invalid_and_says_the_last(
    service: Service,
):
    service.append([hire()])
    response = service.get("/v1/entries", params={"as_of": service.position + 1})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid")
    assert f"its last is {service.position}" in response.json()["reasons"][0]["message"]


@pytest.mark.parametrize("field", ["attributes", "name", "reason"])
def test_a_character_that_no_database_keeps_is_refused_and_everything_still_reads(
    service: Service, field: str
):
    service.append(branch())
    before = service.position
    odd: dict[str, dict[str, Any]] = {
        "attributes": sale(attributes={"note": "a\0b"}),
        "name": hire(name="a\0b"),
        "reason": {"kind": "reversal", "source": "crm", "source_id": "9", "reason": "\0"}
        | {"reverses": {"source": "test", "source_id": "1"}},
    }
    (result,) = service.append([odd[field]], status=422)["results"]
    assert [reason["field"].partition(".")[0] for reason in result["reasons"]] == [field]
    assert service.position == before
    service.settle()
    for address in (
        "/v1/entries",
        "/v1/statements/2026-10/A",
        "/v1/statements/2026-10/A/derivation",
    ):
        assert service.get(address).status_code == 200
