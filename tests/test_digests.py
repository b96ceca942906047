"""The digest that auditors recompute: the documented example, and a replay's own answer, by other
means than ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import rfc8785

from domain.evaluation import statements as ours
from tests.command_line import merit
from tests.ten_people import ten_people

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "digests.md").read_text("utf-8")


def recomputed(document: dict[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(document)).hexdigest()


def test_the_documented_example_comes_out_as_it_says() -> None:
    document = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[0])
    canonical, digest = re.findall(r"```text\n(.*?)\n```", TEXT)
    assert rfc8785.dumps(document).decode() == canonical
    assert hashlib.sha256(canonical.encode()).hexdigest() == digest
    statements = [
        ours.Statement(
            s["manager"],
            "B01",
            s["team"],
            s["steps"],
            tuple(ours.Warning(**w) for w in s["warnings"]),
        )
        for s in document["statements"]
    ]
    of = (document[key] for key in ("rulebook", "version", "period", "branch"))
    assert ours.digest_of(*of, statements) == digest


def test_a_replay_says_all_that_its_digest_is_made_of(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "october.jsonl"
    file.write_text("".join(json.dumps(raw) + "\n" for raw in ten_people()), "utf-8")
    assert merit("import", file, database=database_url).status == 0
    (found,) = merit("replay", "2026-10", "--json", database=database_url).json["evaluations"]
    rules = {"rulebook": found["rulebook"]["id"], "version": found["rulebook"]["version"]}
    assert (
        recomputed(rules | {key: found[key] for key in ("period", "branch", "statements")})
        == found["digest"]
    )
    shown = merit(
        "rulebook", "show", f"{rules['rulebook']}@{rules['version']}", database=database_url
    ).out
    assert hashlib.sha256(shown.encode()).hexdigest() == found["rulebook"]["digest"]


def test_the_readme_leads_there_and_to_no_page_that_is_not_served() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "docs/digests.md" in readme
    assert "`/docs`" not in readme
