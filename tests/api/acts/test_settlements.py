"""Settling at both doors."""

from __future__ import annotations

from domain.rights import Role, Seat
from tests.api.service import Service, branch
from tests.command_line import merit

SETTLE = ("settle", "2026-10", "--branch", "B01", "--json")


def test_both_doors_answer_with_the_first_id_the_position_and_every_evaluation(
    settled: Service, database_url: str
):
    answered = settled.settle()
    run = merit(*SETTLE, database=database_url)
    assert run.status == 0, run.err
    (first,), (second,) = answered["evaluations"], run.json["evaluations"]
    # A settlement and two statements are recorded each time, and no entry came between.
    later = {"settlement": first["settlement"] + 3, "position": first["position"] + 3}
    assert second == first | later
    assert (run.json["id"], run.json["position"]) == (answered["id"] + 3, answered["position"] + 3)


def test_a_refusal_has_the_same_findings_at_both_doors(service: Service, database_url: str):
    service.append(entry for entry in branch() if entry.get("item") != "minimum_wage")
    refused = service.post("/v1/settlements", json={"period": "2026-10", "branch": "B01"}).json()
    run = merit(*SETTLE, database=database_url)
    assert run.status == 1
    assert run.json == {"findings": refused["findings"]}
    in_words = merit(*SETTLE[:-1], "--lang", "en", database=database_url)
    assert (in_words.status, in_words.out) == (1, "")
    lines = in_words.err.splitlines()
    assert lines[0] == "the evaluation is refused, nothing is written; 2 finding(s):"
    assert [line[:5] for line in lines[1:]] == ["  - A", "  - B"]


def test_who_may_settle_one_branch_settles_no_other_at_either_door(
    service: Service, database_url: str
):
    service.append(branch())
    accounts = service.app.state.service.accounts
    secret, _ = accounts.keys.create("office", "tester", [Seat(Role.BACK_OFFICE, "B02")])
    before = service.position
    asked = {"period": "2026-10", "branch": "B01"}
    answered = service.post("/v1/settlements", json=asked, headers={"X-API-Key": secret})
    run = merit(*SETTLE, "--as", "office", database=database_url)
    assert (answered.status_code, run.status, run.out) == (403, 2, "")
    assert service.position == before


def test_who_stands_for_promotion_is_the_same_at_both_doors(service: Service, database_url: str):
    service.append(branch())
    grade = {"kind": "rating", "source": "year", "month": "2026-12", "item": "annual_grade"}
    service.append(
        grade | {"source_id": manager, "manager": manager, "score": score}
        for manager, score in (("A", "1"), ("B", "5"))
    )
    asked = {"period": "2026", "branch": "B01", "rulebook": "elastic-pay-year"}
    assert service.post("/v1/settlements", json=asked).status_code == 201
    answered = service.get("/v1/branches/B01/promotions/2026").json()
    words = ("branch", "promotions", "B01", "2026")
    assert merit(*words, "--json", database=database_url).json == answered
    assert [one["manager"] for one in answered["promotion"]] == ["A"]
    assert [one["manager"] for one in answered["exit"]] == ["B"]
    for language, promoted in (("zh", "晋升对象：A（T1）"), ("en", "for promotion: A (T1)")):
        said = merit(*words, "--lang", language, database=database_url).out
        assert promoted in said
        assert "elastic-pay-year 1.0.0" in said
    nobody = merit("branch", "promotions", "B01", "2025", "--lang", "en", database=database_url)
    assert nobody.out.startswith("nobody of B01 stands for promotion or exit in 2025")
