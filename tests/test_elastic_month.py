"""The V3.0 month, end to end: the example's file in, the expected statements out, on both
databases, in any order.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
import rfc8785

from tests.command_line import merit

EXAMPLE = Path(__file__).parent / "examples" / "elastic-pay.jsonl"
EXPECTED: dict[str, Any] = orjson.loads((EXAMPLE.parent / "elastic-pay.expected.json").read_bytes())
LINES = EXAMPLE.read_bytes().splitlines()
LOWER_CAP = 6000
DIGESTS: set[str] = set()  # of every run: there must be one


def latest_counts(raw: dict[str, Any]) -> tuple[Any, ...] | None:
    """What entries have in common of which the latest counts, so that their order is part of the
    facts.
    """
    match raw["kind"], raw.get("item"):
        case "assignment", _:
            return "assignment", raw["manager"], raw["month"]
        case "measure", item:
            return (
                "measure",
                item,
                raw["month"],
                raw.get("branch"),
                raw.get("team"),
                raw.get("manager"),
            )
        case "rating", "final_rank" | "team_rank" as item:
            return "rating", item, raw["month"], raw["manager"]
    return None


def shuffled(lines: Sequence[bytes], seed: int) -> list[bytes]:
    """The lines in another order, where the latest counts in the order among themselves that they
    had.
    """
    mixed = Random(seed).sample(lines, len(lines))
    before: dict[Any, list[bytes]] = {}
    for line in lines:
        before.setdefault(latest_counts(orjson.loads(line)), []).append(line)
    queues = {common: iter(of) for common, of in before.items() if common is not None}
    keys = [latest_counts(orjson.loads(line)) for line in mixed]
    return [
        line if common is None else next(queues[common])
        for line, common in zip(mixed, keys, strict=True)
    ]


def settled(url: str) -> dict[str, Any]:
    run = merit(
        "settle", EXPECTED["period"], "--branch", EXPECTED["branch"], "--json", database=url
    )
    assert run.status == 0, run.err
    (evaluation,) = run.json["evaluations"]
    found: dict[str, Any] = evaluation
    return found


def check(evaluation: dict[str, Any]) -> None:
    """Every step that is expected, to the last digit, and nobody else; and the digest of all other
    runs.
    """
    statements = {s["manager"]: s["steps"] for s in evaluation["statements"]}
    assert list(statements) == sorted(EXPECTED["statements"])
    for manager, steps in EXPECTED["statements"].items():
        assert {step: statements[manager].get(step) for step in steps} == steps, manager
    rules = evaluation["rulebook"]
    pinned = {"rulebook": rules["id"], "version": rules["version"], "period": evaluation["period"]}
    pinned |= {"branch": evaluation["branch"], "statements": evaluation["statements"]}
    assert evaluation["digest"] == hashlib.sha256(rfc8785.dumps(pinned)).hexdigest()
    DIGESTS.add(evaluation["digest"])
    assert len(DIGESTS) == 1


def test_the_example_gives_what_is_expected_to_the_last_digit(database_url: str) -> None:
    run = merit("import", EXAMPLE, "--json", database=database_url)
    assert run.status == 0
    counts = {name: run.json[name] for name in ("accepted", "duplicates", "rejected")}
    assert counts == {"accepted": len(LINES), "duplicates": 0, "rejected": []}
    check(settled(database_url))
    again = merit("import", EXAMPLE, "--json", database=database_url).json
    assert (again["accepted"], again["duplicates"]) == (0, len(LINES))


@pytest.mark.parametrize("seed", range(3))
def test_in_any_order_of_arrival_it_gives_the_same_digest(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    lines = shuffled(LINES, seed)
    assert sorted(lines) == sorted(LINES)
    assert lines != LINES
    file = tmp_path / "shuffled.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    run = merit("import", file, "--json", database=database_url)
    assert (run.status, run.json["accepted"]) == (0, len(LINES))
    check(settled(database_url))


def test_in_parts_it_gives_the_same_digest(new_database: Callable[[], str], tmp_path: Path) -> None:
    url = new_database()
    # Without an assignment an entry is refused: assignments go first, and reversals after what they
    # name.
    for part in ("assignment", "measure", "rest", "reversal"):
        of = [
            line
            for line in LINES
            if kind_of(line) == part or (part == "rest" and kind_of(line) in OTHER_KINDS)
        ]
        file = tmp_path / f"{part}.jsonl"
        file.write_bytes(b"\n".join(of) + b"\n")
        assert merit("import", file, database=url).status == 0
    check(settled(url))


OTHER_KINDS = {"sale", "rating", "deduction", "adjustment"}


def kind_of(line: bytes) -> str:
    kind: str = orjson.loads(line)["kind"]
    return kind


def test_the_command_itself_imports_and_settles(database_url: str, tmp_path: Path) -> None:
    """In a process of its own, from another directory, with the ledger in MERIT_DATABASE."""
    out = command(tmp_path, database_url, "import", EXAMPLE, "--json")
    assert orjson.loads(out)["accepted"] == len(LINES)
    document = orjson.loads(
        command(tmp_path, database_url, "settle", "2026-10", "--branch", "B01", "--json")
    )
    check(document["evaluations"][0])


def command(folder: Path, url: str, *words: object) -> bytes:
    program = [sys.executable, "-c", "from api.cli.main import main; main()"]
    environment = {
        "MERIT_DATABASE": url,
        "PATH": "",
        "PYTHONPATH": str(EXAMPLE.parents[2]),
        "LOGNAME": "clerk",
    }
    run = subprocess.run(
        [*program, *map(str, words)],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, b"")
    return run.stdout


def test_a_cap_edited_in_the_published_text_replays_the_settled_month(
    database_url: str, tmp_path: Path
) -> None:
    assert merit("import", EXAMPLE, database=database_url).status == 0
    settled(database_url)
    shown = merit("rulebook", "show", "elastic-pay", database=database_url)
    assert shown.out.count("value: 8000}") == 1
    draft = tmp_path / "draft.yaml"
    draft.write_text(shown.out.replace("value: 8000}", "value: 6000}"), "utf-8")
    manager = "M010001"  # raw performance 9640.4: capped at 8000, and at 6000
    before = position(database_url)
    statement = merit("explain", manager, "2026-10", "--json", database=database_url).json
    asked = (
        "replay",
        "2026-10",
        "--branch",
        "B01",
        "--rulebook",
        draft,
        "--against",
        "settled",
        "--json",
    )
    run = merit(*asked, database=database_url)
    assert run.status == 0
    comparison = run.json["comparison"]
    lowered = {
        m
        for m, steps in EXPECTED["statements"].items()
        if Decimal(steps["performance_raw"]) > LOWER_CAP
    }
    assert {d["manager"] for d in comparison["differences"]} == lowered
    hers = next(d for d in comparison["differences"] if d["manager"] == manager)
    assert {"step": "performance_points", "before": "8000", "after": "6000"} in hers["steps"]
    assert hers["difference"] == "-2000"
    assert position(database_url) == before + 1  # the fact that it was run
    assert merit("explain", manager, "2026-10", "--json", database=database_url).json == statement
    events = merit("history", manager, "2026-10", "--json", database=database_url).json["events"]
    assert [item["version"] for item in events if item["type"] == "statement"] == [1]


def position(url: str) -> int:
    """The ledger's last position, as a dry run of an import reports it."""
    found: int = merit("import", EXAMPLE, "--dry-run", "--json", database=url).json["position"]
    return found
