"""Settling over HTTP, and reading a settlement again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.service import Service, branch
from tests.worksheet import Ledger


def test_settling_answers_with_id_position_and_evaluations(service: Service):
    service.append(branch())
    taken_in = service.position
    response = service.post("/v1/settlements", json={"period": "2026-10", "branch": "B01"})
    body = response.json()
    assert response.status_code == 201
    # The settlement stands first, then a statement each of two people.
    assert (body["id"], body["position"]) == (taken_in + 1, taken_in + 3)
    assert response.headers["Merit-Position"] == str(body["position"])
    (evaluation,) = body["evaluations"]
    assert evaluation["position"] == taken_in
    assert evaluation["statements"][0]["steps"]["performance_points"] == "8000"
    read = service.get(response.headers["Location"]).json()
    assert (read["by"], read["managers"], read["as_of"]) == ("hr", 2, taken_in)
    assert read["digest"] == evaluation["digest"]
    assert read["rulebook"] == evaluation["rulebook"]


def test_a_refused_evaluation_is_422_with_findings_and_writes_nothing(service: Service):
    service.append(entry for entry in branch() if entry.get("item") != "minimum_wage")
    before = service.position
    response = service.post("/v1/settlements", json={"period": "2026-10", "branch": "B01"})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/refused")
    assert {finding["manager"] for finding in response.json()["findings"]} == {"A", "B"}
    assert service.position == before


def test_what_cannot_be_settled_says_why(service: Service):
    def declined(**asked: str) -> tuple[int, str]:
        response = service.post(
            "/v1/settlements", json={"period": "2026-10", "branch": "B01"} | asked
        )
        return response.status_code, response.json()["type"].removeprefix("/problems/")

    assert declined() == (409, "nobody_to_settle")
    assert declined(period="2026-13") == (422, "invalid")
    assert declined(period="2026-Q4", rulebook="elastic-pay") == (422, "wrong_period")
    assert declined(rulebook="no-such-rules") == (404, "not_found")
    assert declined(rulebook="elastic-pay@9.9.9") == (404, "not_found")
    assert declined(branch="B 01") == (422, "invalid")
    assert declined(colour="red") == (422, "invalid")
    assert service.get("/v1/settlements/1").status_code == 404


def sold(*attributes: dict[str, Any]) -> Ledger:
    """A of B01 under the quantified pay, with a dedicated line sold (at 300 yuan) for each of these
    attributes.
    """
    sheet = Ledger()
    sheet.hire("A", attributes={"level": "junior"})
    for item, value in (("minimum_wage", "0"), ("post3_wage", "2000")):
        sheet.branch(item, value)
    sheet.put("measure", "A", "position_wage", value="3000")
    sheet.put("rating", "A", "performance_score", score="80")
    for given in attributes:
        sheet.put("sale", "A", "dedicated_line", quantity="1", attributes=given)
    return sheet


def quantified(service: Service) -> Any:
    return service.post(
        "/v1/settlements", json={"period": "2026-10", "branch": "B01", "rulebook": "quantified-pay"}
    )


@pytest.mark.parametrize(
    ("flag", "amount"),
    [
        (True, "0"),
        ("TRUE", "0"),
        ("True", "0"),
        ("true", "0"),
        (False, "300"),
        ("FALSE", "300"),
        ("false", "300"),
    ],
)
def test_what_is_marked_true_in_whatever_letters_does_not_count(
    service: Service, flag: object, amount: str
):
    service.append(sold({"in_arrears": flag}))
    (statement,) = quantified(service).json()["evaluations"][0]["statements"]
    assert statement["steps"]["own_amount"] == amount


@pytest.mark.parametrize("flag", ["yes", "是", "1"])
def test_a_mark_that_is_neither_true_nor_false_refuses_the_month_and_names_the_entry(
    service: Service, flag: str
):
    sheet = sold({}, {"in_arrears": flag}, {"in_arrears": False})
    odd = sheet[-2]
    service.append(sheet)
    before = service.position
    response = quantified(service)
    assert (response.status_code, response.json()["type"]) == (422, "/problems/refused")
    (finding,) = response.json()["findings"]
    assert (finding["code"], finding["manager"], finding["entry"]) == (
        "bad_flag", "A", f"{odd['source']}:{odd['source_id']}",
    )  # fmt: skip
    assert "true or false" in str(finding)
    assert service.position == before
    service.append([sheet.reverse(odd)])  # as the finding advises
    (statement,) = quantified(service).json()["evaluations"][0]["statements"]
    assert statement["steps"]["own_amount"] == "600"
