"""`merit grant`: a grant from its making to its audit, in words and as data, by whoever may."""

from __future__ import annotations

import pytest

from domain.rights import Role, Seat
from projections.service import Service
from tests.command_line import Run, merit


@pytest.fixture
def granted(database_url: str) -> str:
    """wang leads team T1 of B01 and may dispatch resources up to 1000 yuan a month; li leads
    B01.
    """
    book = Service.open(database_url)
    try:
        book.accounts.open("li", [Seat(Role.BRANCH_LEADER, "B01")], by="root")
        book.accounts.open("wang", [Seat(Role.TEAM_LEADER, "B01", "T1")], by="root")
        book.accounts.open("shen", [Seat(Role.AUDITOR)], by="root")
    finally:
        book.close()
    run = make(database_url, "--account", "wang", "--amount", "1000")
    assert run.status == 0, run.err
    return database_url


def make(database: str, *words: str, who: str = "li") -> Run:
    dates = ("--from", "2024-03-01", "--until", "2024-03-31")
    asked = ("--kind", "resource_dispatch", "--branch", "B01", *dates, *words)
    return merit("grant", "make", "G1", *asked, "--as", who, "--json", database=database)


def use(database: str, amount: str, *words: str, who: str = "wang") -> Run:
    said = (
        "--what",
        "施工",
        "--customer",
        "C-1",
        "--why",
        "急单",
        "--day",
        "2024-03-31",
        "--amount",
        amount,
    )
    return merit("grant", "use", "G1", *said, *words, "--as", who, database=database)


def test_a_grant_is_made_and_listed(granted: str):
    (row,) = merit("grant", "list", "--json", database=granted).json["grants"]
    assert (row["id"], row["account"], row["limit_amount"], row["owner"]) == (
        "G1",
        "wang",
        "1000",
        "li",
    )
    assert "资源调配" in merit("grant", "list", "--on", "2024-03-31", database=granted).out
    assert merit("grant", "list", "--on", "2024-04-01", database=granted).out == ""


def test_a_use_beyond_its_grant_says_who_answers_and_what_to_do(granted: str):
    within, beyond = use(granted, "1000"), use(granted, "0.01")
    assert (within.status, beyond.status) == (0, 0)
    assert "整改" not in within.out
    assert "超过当月金额上限" in beyond.out
    assert "责任人 li" in beyond.out
    assert "merit grant correct" in beyond.out
    (row,) = merit("grant", "uses", "--open", "--json", database=granted).json["uses"]
    assert (row["amount"], row["total"], row["accountable"]) == ("0.01", "1000.01", "li")


def test_it_is_corrected_found_upon_and_reported(granted: str):
    number = use(granted, "1001", "--json").json["use"]["id"]
    refused = merit("grant", "finding", number, "--text", "x", "--as", "li", database=granted)
    assert (refused.status, refused.out) == (2, "")
    assert "稽核" in refused.err
    done = merit(
        "grant", "correct", number, "--text", "已追回", "--as", "wang", "--json", database=granted
    )
    assert done.json["use"]["open"] is False
    found = merit(
        "grant",
        "finding",
        number,
        "--text",
        "属实",
        "--as",
        "shen",
        "--lang",
        "en",
        database=granted,
    )
    assert "finding (shen" in found.out
    (total,) = [
        t
        for t in merit("grant", "report", "--json", database=granted).json["totals"]
        if t["level"] == "all"
    ]
    assert (total["uses"], total["amount"], total["over_limit"], total["open"]) == (1, "1001", 1, 0)
    assert "B01/T1 2024-03" in merit("grant", "report", "--branch", "B01", database=granted).out


def test_a_sample_is_drawn_again(granted: str):
    for _ in range(3):
        use(granted, "1")
    drawn = merit(
        "grant", "sample", 2, "--month", "2024-03", "--as", "shen", "--json", database=granted
    ).json
    assert (drawn["population"], len(drawn["uses"])) == (3, 2)
    use(granted, "1")
    again = merit(
        "grant", "sample", "--again", drawn["id"], "--as", "shen", "--json", database=granted
    )
    assert again.json == drawn
    assert drawn["seed"] in merit("grant", "sample", "--again", drawn["id"], database=granted).out
    assert merit("grant", "sample", database=granted).status == 2


def test_an_ended_grant_says_by_whom_and_why(granted: str):
    dates = (
        "--from",
        "2024-01-01",
        "--until",
        "2099-12-31",
        "--kind",
        "policy_use",
        "--branch",
        "B01",
        "--count",
        3,
    )
    assert (
        merit(
            "grant", "make", "G2", *dates, "--role", "manager", "--as", "li", database=granted
        ).status
        == 0
    )
    ended = merit("grant", "end", "G2", "--reason", "政策调整", "--as", "li", database=granted)
    assert "li 终止" in ended.out
    assert "政策调整" in ended.out
    assert merit("grant", "end", "G2", "--reason", "x", "--as", "li", database=granted).status == 2


def test_whoever_may_not_is_told_who_may(granted: str):
    for run in (
        make(granted, "--role", "manager", "--count", "3", who="wang"),
        use(granted, "1", who="shen"),
        merit("grant", "report", "--as", "li", database=granted),
        merit("grant", "uses", "--branch", "B01", "--as", "wang", database=granted),
        merit("grant", "sample", 1, "--as", "wang", database=granted),
    ):
        assert (run.status, run.out) == (2, "")
        assert "可由" in run.err
    missing = make(granted, who="li")
    assert missing.status == 2
    assert "被授权人" in missing.err
    assert "每月上限" in missing.err
