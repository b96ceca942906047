"""Replays through both doors: one question, one set of limits, one right, one document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.commands.replays import checked_key
from api.documents.replays import Differences, Replayed
from domain.errors import Declined
from domain.identifiers import BadIdentifier
from domain.rights import Role, Seat
from tests.api.service import Service, branch
from tests.command_line import merit

ASKED = {"periods": ["2026-10"], "branches": ["B01", "B02"], "against": "settled"}
WORDS = ("replay", "2026-10", "--branch", "B01", "--branch", "B02", "--against", "settled")


def run(service: Service, **asked: Any) -> Any:
    response = service.post("/v1/replays", json=ASKED | asked)
    assert response.status_code == 201, response.text
    return response.json()


def supposing(folder: Path, *entries: dict[str, Any]) -> Path:
    file = folder / "if.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
    return file


def undone(entry: dict[str, Any]) -> dict[str, Any]:
    key = {"source": entry["source"], "source_id": entry["source_id"]}
    return branch().reverse(key) | {"source": "back"}


@pytest.fixture
def compared(settled: Service) -> Service:
    """B01 with a change since it was settled; in B02 somebody whom the rules refuse."""
    settled.append([branch().put("deduction", "B", "member_retention", points="4.5", source="l")])
    settled.append([branch().hire("X", branch="B02", source="b02")])
    return settled


def test_both_doors_give_the_same_document(compared: Service, database_url: str) -> None:
    as_of = compared.position
    body = run(compared, as_of=as_of)
    shown = merit(*WORDS, "--as-of", as_of, "--json", database=database_url)
    assert shown.status == 1  # B02 is refused
    assert shown.json == body | {"id": body["id"] + 1, "position": body["position"] + 1}
    assert [e["branch"] for e in body["evaluations"] if "findings" in e] == ["B02"]
    assert [d["manager"] for d in body["comparison"]["differences"]] == ["B"]


@pytest.mark.parametrize(
    "asked", [{}, {"against": None}, {"against": "elastic-pay"}, {"as_of": 30}], ids=str
)
def test_what_is_written_row_by_row_has_the_documented_shape(
    compared: Service, asked: dict[str, Any]
) -> None:
    body = run(compared, branches=["B01"], **asked)
    assert json.loads(Replayed.model_validate(body).json_bytes()) == body
    differences = compared.get(f"/v1/replays/{body['id']}/differences").json()
    assert json.loads(Differences.model_validate(differences).json_bytes()) == differences
    refused = run(compared)
    assert json.loads(Replayed.model_validate(refused).json_bytes()) == refused


def test_an_unknown_cause_has_the_documented_shape(compared: Service) -> None:
    """Rules that B's figures before the change do not fit: nobody's causes are known."""
    bound = compared.draft("8000").replace(
        "clause: 第五条3\n    read: deduction\n",
        "clause: 第五条3\n    read: deduction\n    high: 5\n",
    )
    deduction = next(entry for entry in branch() if entry["kind"] == "deduction")
    compared.settle()
    compared.append([undone(deduction)])
    body = run(compared, branches=["B01"], draft=bound)
    (unknown,) = body["comparison"]["causes"]["unparted"]
    assert (unknown["part"], unknown["branch"], unknown["manager"]) == ("rule", "B01", None)
    assert unknown["findings"][0]["manager"] == "B"
    assert json.loads(Replayed.model_validate(body).json_bytes()) == body


def test_what_is_over_a_limit_is_refused_at_both_doors(settled: Service, database_url: str) -> None:
    before = settled.position
    periods = ["2026-10"] * 121
    assert settled.post("/v1/replays", json={"periods": periods}).status_code == 422
    shown = merit("replay", *periods, "--lang", "en", database=database_url)
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.startswith("periods: ")
    assert "120" in shown.err
    assert settled.position == before


def test_every_word_that_does_not_fit_is_listed(settled: Service, database_url: str) -> None:
    shown = merit("replay", "bad", "2026-10", "worse", "--branch", "B 1", database=database_url)
    assert (shown.status, shown.out) == (2, "")
    assert [word for word in ("'bad'", "'worse'", "branches.0") if word not in shown.err] == []


def test_nobody_replays_or_supposes_beyond_their_branch_at_either_door(
    settled: Service, database_url: str, tmp_path: Path
) -> None:
    seat = Seat(Role.BRANCH_LEADER, "B01")
    key, _ = settled.app.state.service.accounts.keys.create("leader", by="hr", seats=[seat])
    headers, to_leader = {"X-API-Key": key}, ("--as", "leader")
    hired = branch().hire("C", branch="C01", source="c01")
    settled.append([hired])
    move = branch().hire("C", branch="B01", source="if")
    key_of_c = f"c01:{hired['source_id']}"
    mine = {"periods": ["2026-10"], "branches": ["B01"]}
    words = ("replay", "2026-10", "--branch", "B01", *to_leader)
    before = settled.position
    for asked, option in (
        (mine | {"branches": []}, ("replay", "2026-10", *to_leader)),
        (mine | {"branches": ["B01", "C01"]}, (*words, "--branch", "C01")),
        (mine | {"with": [move]}, (*words, "--with", supposing(tmp_path, move))),
        (mine | {"without": [key_of_c]}, (*words, "--without", key_of_c)),
    ):
        assert settled.post("/v1/replays", json=asked, headers=headers).status_code == 403
        shown = merit(*option, "--json", database=database_url)
        assert (shown.status, shown.out) == (2, ""), option
    assert settled.position == before
    assert settled.post("/v1/replays", json=mine, headers=headers).status_code == 201
    assert merit(*words, "--json", database=database_url).status == 0


def test_a_supposed_entry_that_does_not_fit_is_placed_and_has_the_same_reasons(
    settled: Service, database_url: str, tmp_path: Path
) -> None:
    good = branch().put("deduction", "B", "member_retention", points="1", source="if")
    bad = branch().put("sale", "nobody", "mas_groups", quantity="x", source="if")
    response = settled.post("/v1/replays", json=ASKED | {"with": [good, bad]})
    reasons = response.json()["reasons"]
    assert {reason["field"] for reason in reasons} >= {"with.1.quantity", "with.1.manager"}
    file = supposing(tmp_path, good, bad)
    lines = merit("replay", "2026-10", "--with", file, database=database_url).err.splitlines()
    assert lines == [
        f"{file}:2 {reason['field'].removeprefix('with.1.')}: {reason['message']}"
        for reason in reasons
    ]


@pytest.mark.parametrize(
    ("branch", "hint"), [("B0l", "B01"), ("b01", "B01"), ("Shanghai", "the branches are B01")]
)
def test_a_branch_that_nobody_knows_is_refused_with_those_that_are_near(
    settled: Service, database_url: str, branch: str, hint: str
) -> None:
    before = settled.position
    run = merit("replay", "2026-10", "--branch", branch, "--lang", "en", database=database_url)
    assert run.status == 2
    assert f"nobody was ever assigned to branch {branch}" in run.err
    assert hint in run.err
    both = {"periods": ["2026-10"], "branches": ["B01", branch]}
    for route in ("/v1/replays", "/v1/jobs/replays"):
        answer = settled.post(route, json=both)
        assert answer.status_code == 404
        assert hint in answer.json()["detail"]
    assert settled.position == before


def test_a_branch_that_all_have_left_or_that_somebody_is_supposed_in_is_known(
    settled: Service,
) -> None:
    place = {"name": "x", "branch": "B09", "team": "T1", "role": "customer_manager", "grade": 6}
    hired = {"kind": "assignment", "source": "s", "manager": "A", "month": "2026-10", **place}
    supposed = {"periods": ["2026-10"], "branches": ["B09"], "with": [hired | {"source_id": "1"}]}
    assert settled.post("/v1/replays", json=supposed).status_code == 201
    left = {"kind": "assignment", "source": "s", "month": "2026-11", "role": "left"}
    settled.append(left | {"source_id": f"l{who}", "manager": who} for who in ("A", "B"))
    gone = {"periods": ["2026-12"], "branches": ["B01"]}
    assert settled.post("/v1/replays", json=gone).status_code == 201


def test_a_draft_is_a_file_at_the_command_line_and_a_text_over_http(
    compared: Service, database_url: str, tmp_path: Path
) -> None:
    text, file = compared.draft("6000"), tmp_path / "draft.yml"
    file.write_text(text, "utf-8")
    as_of = compared.position
    body = run(compared, branches=["B01"], draft=text, as_of=as_of)
    words = ("replay", "2026-10", "--branch", "B01", "--against", "settled", "--as-of", as_of)
    shown = merit(*words, "--rulebook", file, "--json", database=database_url).json
    assert shown["evaluations"] == body["evaluations"]
    parameters = compared.get(f"/v1/replays/{shown['id']}").json()["parameters"]
    assert parameters == compared.get(f"/v1/replays/{body['id']}").json()["parameters"]
    assert parameters["rulebook"] == "elastic-pay@3.1.0"


@pytest.mark.parametrize("text", ["nokey", "", ":1", "crm:", "c r m:1"])
def test_a_key_is_source_and_number(text: str) -> None:
    with pytest.raises((Declined, BadIdentifier)):
        checked_key(text)
    assert checked_key("crm:sale-1") == "crm:sale-1"
