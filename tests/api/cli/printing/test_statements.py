"""What people read: the whole explanation of one demo statement in both languages, and the small
formats.

The snapshots are reviewed texts. After a wanted change, write them again with MERIT_SNAPSHOTS=write
and read the diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import merit

SNAPSHOTS = Path(__file__).parents[3] / "snapshots"
# What differs from run to run, and positions, which move when another rulebook is shipped.
VOLATILE = (
    (re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\+08:00"), "<instant>"),
    (re.compile(r"(?<=position )\d+|(?<=位置 )\d+"), "<n>"),
)
WRITE = os.environ.get("MERIT_SNAPSHOTS") == "write"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_explanation_reads_as_it_was_reviewed(demo: str, language: str) -> None:
    run = merit("explain", "M0007", "2026-10", "--lang", language, database=demo)
    assert run.status == 0
    text = run.out
    for pattern, mask in VOLATILE:
        text = pattern.sub(mask, text)
    snapshot = SNAPSHOTS / f"explain-M0007.{language}.txt"
    if WRITE:
        snapshot.write_text(text, "utf-8")
    assert text == snapshot.read_text("utf-8")


def test_an_explanation_shows_the_total_first_then_every_step_with_its_clause(demo: str) -> None:
    lines = merit("explain", "M0007", "2026-10", "--lang", "en", database=demo).out.splitlines()
    document = merit("explain", "M0007", "2026-10", "--json", database=demo).json
    assert lines[1] == f"Pay: {document['total']['value']} yuan"
    heads = [line for line in lines if re.match(r"\d+\. ", line)]
    assert [line.split(". ", 1)[0] for line in heads] == [
        str(n) for n in range(1, len(document["steps"]) + 1)
    ]
    for head, step in zip(heads, document["steps"], strict=True):
        value = (
            {None: "(none)", "0": "no", "1": "yes"}[step["value"]]
            if is_word(step)
            else step["value"]
        )
        assert f"{step['label']['en']} = {value} " in head
        assert head.endswith(f"[{step['clause']}]")
    shown = "\n".join(lines)
    for entry in document["entries"] + document["reversed"]:
        assert f"{entry['entry']['source']}:{entry['entry']['source_id']}; " in shown


def is_word(step: dict[str, Any]) -> bool:
    return step["value"] is None or step["unit"] == "flag"


def test_as_of_a_moment_the_statement_in_force_then_is_named(demo: str) -> None:
    document = merit("explain", "M0007", "2026-10", "--json", database=demo).json
    assert "in_force" not in document
    issued, pay = document["issued"]["position"], document["total"]["value"]
    then = merit("explain", "M0007", "2026-10", "--as-of", issued, "--json", database=demo).json
    assert (then["version"], then["provisional"]) == (None, True)
    assert (then["in_force"]["version"], then["in_force"]["pay"]) == (1, pay)
    before = document["position"]
    for at, zh, en in (
        (issued, f"当时有效的考核单：第 1 版，薪酬 {pay} 元（", f"version 1, pay {pay} yuan ("),
        (before, "当时没有已结算的考核单", "No statement had been settled by then"),
    ):
        for language, words in (("zh", zh), ("en", en)):
            run = merit(
                "explain", "M0007", "2026-10", "--as-of", at, "--lang", language, database=demo
            )
            assert words in run.out
    early = merit("explain", "M0007", "2026-10", "--as-of", before, "--json", database=demo).json
    assert early["in_force"] is None


def test_who_is_lifted_to_the_minimum_wage_is_told_so(demo: str) -> None:
    lines = merit("explain", "M0023", "2026-10", database=demo).out.splitlines()
    assert lines[1] == "月度薪酬：2010 元"
    assert any(
        re.fullmatch(r"   ▲ 当地最低工资标准 2010：触发，[\d.]+ 不足 [\d.]+", line)
        for line in lines
    )


def test_reversed_entries_are_listed_with_what_reversed_them(demo: str) -> None:
    chinese = merit("explain", "M0030", "2026-10", database=demo).out.partition(
        "已冲销、不计入的记录："
    )[2]
    english = merit("explain", "M0030", "2026-10", "--lang", "en", database=demo).out.partition(
        "which do not count:"
    )[2]
    for text, end in ((chinese, "被 branch:R002 冲销"), (english, "reversed by branch:R002")):
        (line,) = text.strip().splitlines()
        assert "billing:deduction-2026-10-M0030-arrears_recovery-late" in line
        assert line.endswith(end)
