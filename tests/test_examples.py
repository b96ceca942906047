"""Every worked period, end to end: an example's file in, the expected statements out, on both
databases.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests import oracle
from tests.command_line import merit

FOLDER = Path(__file__).parent / "examples"
EXAMPLES = sorted(path.name.removesuffix(".jsonl") for path in FOLDER.glob("*.jsonl"))


def entries(example: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (FOLDER / f"{example}.jsonl").read_bytes().splitlines()]


def expected(example: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((FOLDER / f"{example}.expected.json").read_bytes())
    return found


def imported(example: str, url: str) -> None:
    run = merit("import", FOLDER / f"{example}.jsonl", "--json", database=url)
    counts = {name: run.json[name] for name in ("accepted", "duplicates", "rejected")}
    assert (run.status, counts) == (
        0,
        {"accepted": len(entries(example)), "duplicates": 0, "rejected": []},
    )


def settled(rulebook: str, period: str, branch: str, url: str) -> dict[str, dict[str, Any]]:
    """Manager → statement, of what `settle` records."""
    run = merit(
        "settle", period, "--branch", branch, "--rulebook", rulebook, "--json", database=url
    )
    assert run.status == 0, run.out + run.err
    (evaluation,) = run.json["evaluations"]
    assert (evaluation["rulebook"]["id"], evaluation["period"], evaluation["branch"]) == (
        rulebook,
        period,
        branch,
    )
    return {statement["manager"]: statement for statement in evaluation["statements"]}


def test_every_rulebook_has_an_example_but_the_one_that_reads_statements() -> None:
    assert {*oracle.RULEBOOKS} == {*EXAMPLES, "elastic-pay-year"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_gives_what_is_expected_to_the_last_digit(
    example: str, database_url: str
) -> None:
    wanted = expected(example)
    imported(example, database_url)
    statements = settled(wanted["rulebook"], wanted["period"], wanted["branch"], database_url)
    assert list(statements) == sorted(wanted["statements"])
    for manager, steps in wanted["statements"].items():
        found = statements[manager]["steps"]
        assert {step: found.get(step) for step in steps} == steps, manager
    told = {
        m: {(w["code"], w["step"]) for w in s["warnings"]}
        for m, s in statements.items()
        if s["warnings"]
    }
    by_the_rules = oracle.evaluate(
        wanted["rulebook"], entries(example), wanted["period"], wanted["branch"]
    )
    assert told == {manager: set(warnings) for manager, warnings in by_the_rules.warnings.items()}


def test_the_year_averages_the_latest_settlement_of_each_of_its_months(
    database_url: str, tmp_path: Path
) -> None:
    october = expected("elastic-pay")["statements"]
    imported("elastic-pay", database_url)
    settled("elastic-pay", "2026-10", "B01", database_url)
    year = settled("elastic-pay-year", "2026", "B01", database_url)
    totals = {manager: steps["total_points"] for manager, steps in october.items()}
    assert year_by_the_rules({"2026-10": totals}) == {m: s["steps"] for m, s in year.items()}
    hers = min(october)
    late = tmp_path / "late.jsonl"
    common = {"source": "late", "reason": "补记"}
    wage = {
        "kind": "measure",
        "source": "late",
        "source_id": "1",
        "branch": "B01",
        "month": "2026-11",
    }
    points = {
        "kind": "adjustment",
        "source_id": "2",
        "manager": hers,
        "month": "2026-10",
        "points": "30",
        **common,
    }
    late.write_bytes(
        b"\n".join(map(orjson.dumps, (wage | {"item": "minimum_wage", "value": "2000"}, points)))
    )
    assert merit("import", late, database=database_url).status == 0
    months = {
        month: settled("elastic-pay", month, "B01", database_url)
        for month in ("2026-10", "2026-11")
    }
    found = {
        month: {m: s["steps"]["total_points"] for m, s in said.items()}
        for month, said in months.items()
    }
    assert Decimal(found["2026-10"][hers]) == Decimal(totals[hers]) + 30
    year = settled("elastic-pay-year", "2026", "B01", database_url)
    assert year_by_the_rules(found) == {m: s["steps"] for m, s in year.items()}


def year_by_the_rules(totals: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """What the oracle makes of the year, given month → manager → total points."""
    return oracle.evaluate(
        "elastic-pay-year", entries("elastic-pay"), "2026", "B01", settled=totals
    ).statements
