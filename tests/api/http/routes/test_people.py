"""A person's page over HTTP: interviews as they were held, on days that there are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.service import Service, branch

PAGE = "/v1/managers/A"
TALK: dict[str, Any] = {
    "period": "2026-10",
    "held_on": "2026-11-25",
    "held_by": "班组长",
    "agreed": "补齐回收",
}


@pytest.fixture
def october(service: Service) -> Service:
    service.append(branch())
    return service


def refused(service: Service, path: str, **body: Any) -> list[str]:
    """The fields for which a call is refused; nothing is written."""
    before = service.position
    response = service.post(f"{PAGE}/{path}", json=body)
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid"), (
        response.text
    )
    assert service.position == before
    return [reason["field"] for reason in response.json()["reasons"]]


@pytest.mark.parametrize(
    "day", ["2026-02-29", "2026-13-01", "2026-1-05", "20260105", "2026-01-05T10:00", "soon", ""]
)
def test_a_day_that_there_is_not_is_refused_wherever_it_stands(october: Service, day: str):
    assert refused(october, "feedback", **TALK | {"held_on": day}) == ["held_on"]
    plan = [{"what": "欠费回收", "until": "2028-02-29"}, {"what": "拜访", "until": day}]
    assert refused(october, "feedback", **TALK, plan=plan) == ["plan.1.until"]


def test_an_interview_is_refused_with_every_reason_at_once(october: Service):
    plan = [{"what": " ", "until": "2026-02-30"}, {"until": "2026-12-10"}]
    wrong = {
        "period": "2026-13",
        "held_on": "2026-11-31",
        "held_by": "",
        "agreed": "x",
        "plan": plan,
    }
    assert set(refused(october, "feedback", **wrong)) == {
        "period", "held_on", "held_by", "plan.0.what", "plan.0.until", "plan.1.what",
    }  # fmt: skip


@pytest.mark.parametrize("field", ["held_by", "agreed", "plan"])
def test_a_character_that_no_database_keeps_is_refused_and_the_page_still_reads(
    october: Service, field: str
):
    word: Any = [{"what": "a\0b", "until": "2026-12-10"}] if field == "plan" else "a\0b"
    assert refused(october, "feedback", **TALK | {field: word})[0].startswith(field)
    assert october.post(f"{PAGE}/feedback", json=TALK).status_code == 201
    (talk,) = october.get(PAGE).json()["feedback"]
    assert {name: talk[name] for name in TALK} == TALK


@pytest.mark.parametrize("path", ["feedback", "acknowledgements"])
def test_without_a_body_the_fields_are_missing(october: Service, path: str):
    response = october.post(f"{PAGE}/{path}")
    assert response.status_code == 422
    assert [reason["code"] for reason in response.json()["reasons"]] == ["missing_field"]


def test_only_a_version_that_there_is_is_agreed_with(october: Service):
    assert refused(october, "acknowledgements", rulebook="elastic-pay", version="3") == ["version"]
    unknown = october.post(
        f"{PAGE}/acknowledgements", json={"rulebook": "elastic-pay", "version": "9.0.0"}
    )
    assert unknown.status_code == 404
