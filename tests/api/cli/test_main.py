"""The command line: exit statuses, one JSON document on standard output, and what each command is
for.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from api.cli import commands
from api.cli.main import TOPICS
from projections.store.database import database_of, open_ledger
from tests.command_line import Run, merit
from tests.ten_people import APPEALED, DISPLACED, HER, PAY, reversal, ten_people
from tests.worksheet import Ledger as Sheet

NOWHERE = "postgresql://merit@127.0.0.1:1/none?connect_timeout=2"


def write(path: Path, *raw: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in raw), "utf-8")
    return path


CLOSING = ("2026-10", "--branch", "B01")


@pytest.fixture
def october(database_url: str, tmp_path: Path) -> str:
    """A ledger with the ten people, imported by the command."""
    run = merit(
        "import",
        write(tmp_path / "october.jsonl", *ten_people()),
        "--as",
        "importer",
        database=database_url,
    )
    assert (run.status, run.err) == (0, "")
    return database_url


@pytest.fixture
def settled(october: str) -> str:
    assert (
        merit("settle", "2026-10", "--branch", "B01", "--as", "clerk", database=october).status == 0
    )
    return october


@pytest.fixture
def plain(tmp_path: Path) -> str:
    """A new ledger in a file, where the database is of no account."""
    return f"sqlite:///{tmp_path}/plain.db"


def position(url: str) -> int:
    with open_ledger(url) as ledger:
        return ledger.position()


# import


def test_good_lines_are_kept_and_bad_ones_listed_with_every_reason(
    october: str, tmp_path: Path
) -> None:
    good = Sheet().put("sale", HER, "group_count", quantity="1", source="crm", source_id="1")
    wrong = Sheet().put("sale", "NOBODY", "group_count", quantity="1", source="crm", source_id="2")
    twice = Sheet().put(
        "sale", HER, "group_count", quantity=1.5, colour="red", source="crm", source_id="3"
    )
    file = write(tmp_path / "more.jsonl", good, wrong, twice)
    file.write_text(file.read_text("utf-8") + "not json\n", "utf-8")
    run = merit("import", file, "--json", database=october)
    assert run.status == 1
    report = run.json
    assert (report["accepted"], report["duplicates"], report["position"]) == (
        1,
        0,
        position(october),
    )
    assert [(row["file"], row["line"], len(row["reasons"])) for row in report["rejected"]] == [
        (str(file), 2, 1),
        (str(file), 3, 2),
        (str(file), 4, 1),
    ]
    again = merit("import", file, database=october)
    assert again.status == 1
    assert again.out.splitlines()[0] == f"记入 0，重复 1，拒绝 3；账本位置 {report['position']}"
    assert f"{file} 第 3 行：" in again.out


def test_a_dry_run_says_what_would_be_and_writes_nothing(october: str, tmp_path: Path) -> None:
    before = position(october)
    file = write(
        tmp_path / "more.jsonl", Sheet().put("sale", HER, "group_count", quantity="1", source="crm")
    )
    for _ in range(2):
        run = merit("import", file, "--dry-run", "--json", database=october)
        assert (run.status, run.json["accepted"], run.json["position"]) == (0, 1, before)
    assert merit("import", file, "--dry-run", "--lang", "en", database=october).out.startswith(
        "would be accepted 1,"
    )
    assert position(october) == before


def test_an_item_that_no_rulebook_reads_is_accepted_and_reported(
    october: str, tmp_path: Path
) -> None:
    sheet = Sheet()
    sheet.put("sale", HER, "moon_phone", quantity="1", source="crm")
    sheet.put("sale", HER, "mas_groups", quantity="1", source="crm")
    run = merit("import", write(tmp_path / "more.jsonl", *sheet), "--json", database=october)
    assert (run.status, run.json["accepted"], run.json["unknown_items"]) == (
        0,
        2,
        ["sale:moon_phone"],
    )
    said = merit("import", tmp_path / "more.jsonl", "--lang", "en", database=october).out
    assert "unknown item sale:moon_phone: recorded, but no rulebook reads it" in said


def test_files_are_one_batch(plain: str, tmp_path: Path) -> None:
    sheet = ten_people()
    people = [raw for raw in sheet if raw["kind"] == "assignment"]
    rest = [raw for raw in sheet if raw["kind"] != "assignment"]
    files = write(tmp_path / "1.jsonl", *rest), write(tmp_path / "2.jsonl", *people)
    run = merit("import", *files, "--json", database=plain)
    assert (run.status, run.json["accepted"]) == (0, len(sheet))


@pytest.mark.parametrize("name", ["missing.jsonl", "letter.docx"])
def test_a_file_that_cannot_be_read_is_a_wrong_call(plain: str, tmp_path: Path, name: str) -> None:
    if name.endswith("docx"):
        (tmp_path / name).write_text("x")
    run = merit("import", tmp_path / name, "--json", database=plain)
    assert (run.status, run.out) == (2, "")
    assert name in run.err


@pytest.mark.parametrize(
    ("flag", "cells"), [(True, ("TRUE", "True", "true")), (False, ("FALSE", "False"))]
)
def test_a_flag_of_a_table_is_the_flag_of_the_same_entry_in_json(
    october: str, tmp_path: Path, flag: bool, cells: tuple[str, ...]
) -> None:
    sale = Sheet().put(
        "sale", HER, "group_count", quantity="1", attributes={"in_arrears": flag}, source="crm"
    )
    assert merit("import", write(tmp_path / "sale.jsonl", sale), database=october).status == 0
    for cell in cells:
        file = tmp_path / f"{cell}.csv"
        heads = "类型,来源系统,来源编号,客户经理,月份,项目,数量,属性.in_arrears"
        file.write_text(f"{heads}\n产品发展,crm,0,{HER},2026-10,group_count,1,{cell}\n", "utf-8")
        report = merit("import", file, "--json", database=october).json
        assert (report["accepted"], report["duplicates"], report["rejected"]) == (0, 1, []), cell


# settle, explain, history


def test_a_month_of_a_branch_that_also_pays_by_the_quarter_is_reckoned_by_its_monthly_rulebook(
    october: str,
) -> None:
    choice = ("branch", "rulebooks", "B01", "elastic-pay", "quarterly-bonus", "--from", "2026-10")
    assert merit(*choice, database=october).status == 0
    run = merit("replay", "2026-10", "--branch", "B01", "--json", database=october)
    assert run.status == 0, run.err
    assert [e["rulebook"]["id"] for e in run.json["evaluations"]] == ["elastic-pay"]
    for period, rulebook in (("2026-10", "elastic-pay"), ("2026-Q4", "quarterly-bonus")):
        run = merit("settle", period, "--branch", "B01", "--json", database=october)
        assert run.status == 0, run.err
        assert [e["rulebook"]["id"] for e in run.json["evaluations"]] == [rulebook]
    year = merit("settle", "2026", "--branch", "B01", "--lang", "en", database=october)
    assert (year.status, year.out) == (2, "")
    assert "name a rulebook" in year.err


def test_who_left_and_has_something_to_get_has_it_explained(settled: str, tmp_path: Path) -> None:
    gone = Sheet().put("assignment", HER, role="left", month="2026-11", source="hr")
    assert merit("import", write(tmp_path / "gone.jsonl", gone), database=settled).status == 0
    assert merit("close", *CLOSING, database=settled).status == 0
    merit(
        "import",
        write(tmp_path / "undo.jsonl", reversal(APPEALED, "1", source="fix")),
        database=settled,
    )
    assert (
        merit("resettle", "2026-10", "--branch", "B01", "--reason", "重复", database=settled).status
        == 0
    )
    document = merit("explain", HER, "2026-11", "--json", database=settled).json
    # The 250 points that were deducted, and 1000 instead of 800 for the tier that she was barred
    # from.
    assert (document["rulebook"], document["payable"]) == (None, "450")
    assert [p["item"] for p in document["payment"]["postings"]] == ["back_pay"]
    said = merit("explain", HER, "2026-11", "--lang", "zh", database=settled).out
    assert "本月没有考核单" in said
    assert "应发：450 元 = 薪酬 0 + 补发 450 − 扣回 0" in said
    assert "补发 450　2026-10 elastic-pay（考核单第 1 → 2 版，merit:posting-" in said
    said = merit("explain", HER, "2026-11", "--lang", "en", database=settled).out
    assert "no statement in this month" in said
    assert "back pay 450　2026-10 elastic-pay (statement 1 → 2, merit:posting-" in said
    nothing = merit("explain", "M09", "2026-11", database=settled)
    assert (nothing.status, nothing.out) == (2, "")


def test_settling_gives_each_statement_and_says_who_and_how_much(october: str) -> None:
    run = merit("settle", "2026-10", "--branch", "B01", "--json", database=october)
    assert run.status == 0
    (settlement,) = run.json["evaluations"]
    assert {s["manager"]: s["steps"]["pay"] for s in settlement["statements"]} == PAY
    assert settlement["totals"] == {"managers": 10, "pay": str(sum(map(int, PAY.values())))}
    assert run.json["position"] == position(october) == settlement["settlement"] + 10
    again = merit(
        "settle",
        "2026-10",
        "--branch",
        "B01",
        "--rulebook",
        "elastic-pay@3.0.0",
        "--lang",
        "en",
        database=october,
    )
    assert "settled 2026-10 B01:" in again.out
    assert settlement["digest"] in again.out


def test_a_branch_with_findings_is_not_settled(october: str, tmp_path: Path) -> None:
    odd = write(
        tmp_path / "odd.jsonl",
        Sheet().put("rating", HER, "ability", score="101", source="review", source_id="9"),
    )
    merit("import", odd, database=october)
    before = position(october)
    run = merit("settle", "2026-10", "--branch", "B01", "--json", database=october)
    assert run.status == 1
    (finding,) = run.json["findings"]
    assert set(run.json) == {"findings"}
    assert (finding["code"], finding["manager"], finding["step"], finding["entry"]) == (
        "out_of_bounds",
        HER,
        "gs_score",
        "review:9",
    )
    said = merit("settle", "2026-10", "--branch", "B01", database=october)
    assert said.status == 1
    assert "[review:9]" in said.err
    assert position(october) == before


def test_an_explanation_is_one_document(settled: str) -> None:
    run = merit("explain", HER, "2026-10", "--json", database=settled)
    assert (run.status, run.err) == (0, "")
    assert run.json["total"] == {"step": "pay", "value": "1635", "unit": "yuan"}
    assert run.json["issued"]["by"] == "clerk"
    assert {entry["by"] for entry in run.json["entries"]} == {"importer"}


def test_an_explanation_as_of_a_moment_needs_no_settlement_and_says_that_there_is_none(
    october: str,
) -> None:
    known = position(october)
    run = merit("explain", HER, "2026-10", "--as-of", str(known), "--json", database=october)
    assert (run.status, run.json["total"]["value"]) == (0, "1635")
    assert (run.json["provisional"], run.json["version"], run.json["position"]) == (
        True,
        None,
        known,
    )
    said = merit(
        "explain", HER, "2026-10", "--as-of", str(known), "--lang", "en", database=october
    ).out
    assert (
        f"Not settled: evaluated on all up to ledger position {known}, and recorded nowhere" in said
    )
    assert "Statement version" not in said


def test_a_replay_is_compared_with_what_was_paid(settled: str) -> None:
    assert merit("close", *CLOSING, database=settled).status == 0
    run = merit(
        "replay", "2026-10", "--without", APPEALED, "--against", "paid", "--json", database=settled
    )
    assert {d["manager"]: d["difference"] for d in run.json["comparison"]["differences"]} == {
        HER: "450",
        DISPLACED: "-200",
    }


def test_a_replay_as_of_before_the_closing_is_compared_with_what_was_paid(settled: str) -> None:
    before = position(settled)
    assert merit("close", *CLOSING, database=settled).status == 0
    run = merit(
        "replay", "2026-10", "--as-of", before, "--against", "paid", "--json", database=settled
    )
    assert run.status == 0, run.err
    assert run.json["comparison"]["differences"] == []


def test_a_damaged_ledger_is_not_explained(settled: str) -> None:
    with open_ledger(settled) as ledger, database_of(ledger).writing() as connection:
        connection.execute("UPDATE facts SET value = value - 1 WHERE value > 0 AND kind = 1")
    run = merit("explain", HER, "2026-10", "--json", database=settled)
    assert (run.status, run.out) == (3, "")
    assert "rebuild the read models" in run.err
    rebuilt = merit("rebuild", "--json", database=settled)
    assert (rebuilt.status, rebuilt.json["facts"]["same"], rebuilt.json["keys"]["same"]) == (
        1,
        False,
        True,
    )
    assert merit("explain", HER, "2026-10", database=settled).status == 0
    assert merit("rebuild", database=settled).status == 0


def test_a_history_shows_what_a_second_version_changed(settled: str, tmp_path: Path) -> None:
    merit(
        "import",
        write(tmp_path / "appeal.jsonl", reversal(APPEALED, "1")),
        "--as",
        "judge",
        database=settled,
    )
    merit("settle", "2026-10", "--branch", "B01", "--as", "clerk2", database=settled)
    run = merit("history", HER, "2026-10", "--json", database=settled)
    statements = [item for item in run.json["events"] if item["type"] == "statement"]
    assert [(s["version"], s["by"]) for s in statements] == [(1, "clerk"), (2, "clerk2")]
    assert {"step": "pay", "before": "1635", "after": "2085"} in statements[1]["changed"]
    said = merit("history", HER, "2026-10", "--lang", "en", database=settled).out.splitlines()
    assert any(line.endswith("judge  reversal  → billing:250 appeal:1 (申诉成立)") for line in said)
    assert "            pay: 1635 → 2085" in said
    explained = merit("explain", HER, "2026-10", "--lang", "en", database=settled).out
    assert "reversed by appeal:1" in explained


# replay


def test_the_worked_case_by_replay_without(settled: str, tmp_path: Path) -> None:
    asked = ("replay", "2026-10", "--branch", "B01", "--without", APPEALED, "--against", "settled")
    run = merit(*asked, "--json", "--csv", tmp_path / "d.csv", database=settled)
    assert run.status == 0
    differences = {d["manager"]: d["difference"] for d in run.json["comparison"]["differences"]}
    assert differences == {HER: "450", "M04": "-200"}
    assert set(run.json["evaluations"][0]) == {
        "period", "branch", "rulebook", "position", "digest", "statements", "totals",
    }  # fmt: skip
    rows = (tmp_path / "d.csv").read_text("utf-8-sig").splitlines()
    assert rows[1:] == [
        f"2026-10,B01,elastic-pay,{HER},pay,1635,2085,450",
        "2026-10,B01,elastic-pay,M04,pay,2025,1825,-200",
    ]
    said = merit(*asked, "--lang", "en", database=settled).out
    assert "1 gain, 1 lose, of 10" in said
    assert "no statement has changed" in said


def test_a_supposed_file_and_an_earlier_moment(settled: str, tmp_path: Path) -> None:
    supposed = write(tmp_path / "if.jsonl", reversal(APPEALED, "1"))
    run = merit("replay", "2026-10", "--with", supposed, "--json", database=settled)
    pay = {s["manager"]: s["steps"]["pay"] for s in run.json["evaluations"][0]["statements"]}
    assert pay[HER] == "2085"
    merit("import", supposed, database=settled)
    then = merit(
        "replay",
        "2026-10",
        "--as-of",
        run.json["evaluations"][0]["position"],
        "--json",
        database=settled,
    )
    assert {
        s["manager"]: s["steps"]["pay"] for s in then.json["evaluations"][0]["statements"]
    } == PAY
    assert then.json["comparison"] is None


def test_a_refused_branch_leaves_status_1_and_the_others_are_given(
    october: str, tmp_path: Path
) -> None:
    merit(
        "import",
        write(tmp_path / "b02.jsonl", Sheet().hire("X01", branch="B02", source="b02")),
        database=october,
    )
    run = merit("replay", "2026-10", "--json", database=october)
    assert run.status == 1
    given, refused = run.json["evaluations"]
    assert (len(given["statements"]), "findings" in given) == (10, False)
    assert refused["statements"] == []
    assert [(f["code"], f["manager"], f["step"], f["entry"]) for f in refused["findings"]] == [
        ("missing_measure", "X01", "pay", None)
    ]
    assert merit("replay", "2026-10", database=october).status == 1


# rulebooks, branches, keys


def test_a_rulebook_is_shown_checked_published_and_listed(plain: str, tmp_path: Path) -> None:
    shown = merit("rulebook", "show", "elastic-pay@3.0.0", database=plain)
    file = tmp_path / "revised.yaml"
    file.write_text(shown.out.replace("version: 3.0.0", "version: 3.1.0"), "utf-8")
    checked = merit("rulebook", "check", file, "--json")
    assert (checked.status, checked.json["ok"], checked.json["version"]) == (0, True, "3.1.0")
    published = merit(
        "rulebook", "publish", file, "--from", "2026-11", "--as", "hr", "--json", database=plain
    )
    assert (published.status, published.json["digest"]) == (0, checked.json["digest"])
    again = merit("rulebook", "publish", file, "--json", database=plain)
    assert again.json == published.json | {"new": False}
    rows = merit("rulebook", "list", "--json", database=plain).json["rulebooks"]
    assert (rows[-1]["version"], rows[-1]["effective_from"], rows[-1]["published"]["by"]) == (
        "3.1.0",
        "2026-11",
        "hr",
    )
    assert "3.1.0" in merit("rulebook", "list", database=plain).out
    assert merit("rulebook", "show", "elastic-pay", "--json", database=plain).json[
        "text"
    ] == file.read_text("utf-8")
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    other = merit("rulebook", "publish", file, "--json", database=plain)
    assert (other.status, other.out) == (2, "")
    assert "不能更改" in other.err


def test_a_check_takes_a_database_like_every_command_and_leaves_it_alone(
    plain: str, tmp_path: Path
) -> None:
    text = merit("rulebook", "show", "elastic-pay", database=plain).out
    (tmp_path / "rules.yaml").write_text(text, "utf-8")
    nowhere = tmp_path / "nowhere.db"
    run = merit(
        "rulebook", "check", tmp_path / "rules.yaml", "--as", "li", database=f"sqlite:///{nowhere}"
    )
    assert (run.status, run.err) == (0, "")
    assert not nowhere.exists()


def test_two_versions_are_compared_by_their_parts(plain: str, tmp_path: Path) -> None:
    file = tmp_path / "revised.yaml"
    text = merit("rulebook", "show", "elastic-pay@3.0.0", database=plain).out
    file.write_text(
        text.replace("value: 8000}", "value: 6000}").replace("version: 3.0.0", "version: 3.1.0"),
        "utf-8",
    )
    run = merit("rulebook", "diff", "elastic-pay@3.0.0", file, "--json", database=plain)
    assert (run.status, run.json["from"]["version"], run.json["to"]["version"]) == (
        0,
        "3.0.0",
        "3.1.0",
    )
    cap = next(change for change in run.json["changes"] if change["part"] == "parameter")
    assert (cap["name"], cap["clause"]) == ("performance_cap", "第七条5(2)")
    assert cap["fields"] == [{"field": "value", "before": "8000", "after": "6000"}]
    said = merit("rulebook", "diff", "elastic-pay", file, database=plain).out
    assert "elastic-pay 3.0.0 → elastic-pay 3.1.0" in said
    assert (
        "  ~ 参数 performance_cap 业绩积分封顶 〔第七条5(2)〕\n      value: 8000 → 6000\n" in said
    )
    assert "do not differ" in merit("rulebook", "diff", file, file, "--lang", "en").out
    assert merit("rulebook", "diff", "elastic-pay", "no-such-rules", database=plain).status == 2


def test_a_broken_rulebook_names_file_line_and_column(plain: str, tmp_path: Path) -> None:
    text = merit("rulebook", "show", "elastic-pay", database=plain).out
    broken = text.replace("value: base_points - deduction}", "value: base_points - deductoin}")
    file = tmp_path / "broken.yaml"
    file.write_text(broken, "utf-8")
    line = 1 + broken[: broken.index("deductoin")].count("\n")
    column = broken.splitlines()[line - 1].index("deductoin") + 1
    run = merit("rulebook", "check", file, "--json")
    assert run.status == 1
    (problem,) = run.json["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == (str(file), line, column)
    for words in (("rulebook", "publish", file), ("replay", "2026-10", "--rulebook", file)):
        assert merit(*words, "--json", database=plain).json["problems"] == [problem]
    for words in (("rulebook", "check", file), ("rulebook", "publish", file, "--database", plain)):
        said = merit(*words)
        assert (said.status, said.out) == (1, "")
        assert f"{file}:{line}:{column}" in said.err


def test_a_mistake_on_line_100_is_said_in_figures(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text("# a line\n" * 99 + "id: 1: 2\n", "utf-8")
    assert f"{file}:100:" in merit("rulebook", "check", file).err


def test_a_branch_chooses_what_it_pays_by(plain: str) -> None:
    open_ledger(plain).close()
    shown = merit("branch", "rulebooks", "B01", "--json", database=plain)
    assert (shown.status, shown.json["rulebooks"]) == (0, ["elastic-pay"])
    chosen = merit(
        "branch", "rulebooks", "B01", "elastic-pay", "--from", "2026-10", "--json", database=plain
    )
    assert (chosen.json["month"], chosen.json["rulebooks"]) == ("2026-10", ["elastic-pay"])
    assert (
        "elastic-pay"
        in merit("branch", "rulebooks", "B01", "--from", "2026-10", database=plain).out
    )
    twice = merit(
        "branch",
        "rulebooks",
        "B01",
        "elastic-pay",
        "elastic-pay",
        "--from",
        "2026-10",
        database=plain,
    )
    assert (twice.status, "同一岗位" in twice.err) == (2, True)
    assert merit("branch", "rulebooks", "B01", "elastic-pay", database=plain).status == 2


def test_a_key_is_shown_once_and_stored_hashed(plain: str) -> None:
    run = merit("key", "create", "payroll", "--role", "hr", "--json", database=plain)
    assert run.status == 0
    secret = run.json["key"]
    assert len(secret) >= 32
    assert secret.encode() not in Path(plain.removeprefix("sqlite:///")).read_bytes()
    assert (
        merit("key", "create", "payroll", database=plain).status == 0
    )  # the old and the new one live at once
    third = merit("key", "create", "payroll", database=plain)
    assert (third.status, third.out) == (2, "")
    said = merit("key", "create", "audit", "--role", "auditor", database=plain)
    assert len(said.out.splitlines()) == 2
    assert merit("key", "create", "two words", database=plain).status == 2


# what is wrong with a call, and what is wrong with the store

COMMANDS = [
    ("import", "FILE"),
    ("settle", "2026-10", "--branch", "B01"),
    ("replay", "2026-10"),
    ("explain", HER, "2026-10"),
    ("history", HER, "2026-10"),
    ("rebuild",),
    ("rulebook", "publish", "FILE"),
    ("rulebook", "list"),
    ("rulebook", "show", "elastic-pay"),
    ("rulebook", "diff", "elastic-pay", "elastic-pay"),
    ("branch", "rulebooks", "B01"),
    ("key", "create", "payroll"),
]


@pytest.mark.parametrize("command", [*COMMANDS, ("demo",)], ids=" ".join)
def test_a_store_that_is_no_ledger_is_status_3_and_one_line(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    file = write(tmp_path / "entries.jsonl", *ten_people())
    words = [str(file) if word == "FILE" else word for word in command]
    text = tmp_path / "letter.txt"
    text.write_text("Dear Sir or Madam, this is no database at all." * 40)
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE invoices (id integer)")
    connection.close()
    for url in (
        f"sqlite:///{text}",
        f"sqlite:///{foreign}",
        f"sqlite:///{tmp_path}/no/folder.db",
        "mysql://x",
    ):
        run = merit(*words, database=url)
        assert (run.status, run.out) == (3, ""), url
        assert run.err.count("\n") == 1


@pytest.mark.parametrize(
    "command", [("settle", "2026-10", "--branch", "B01", "--json"), ("demo",)], ids=" ".join
)
def test_a_server_that_does_not_answer_is_status_3_and_one_line(command: tuple[str, ...]) -> None:
    run = merit(*command, database=NOWHERE)
    assert (run.status, run.out) == (3, "")
    assert run.err.count("\n") == 1
    assert "127.0.0.1" in run.err


def wrong(run: Run, *said: str) -> None:
    assert (run.status, run.out) == (2, "")
    for words in said:
        assert words in run.err


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("settle", "2026-13", "--branch", "B01"), "2026-13"),
    (("settle", "2026-10", "--branch", "B 01"), "B 01"),
    (("settle", "2026-10", "--branch", "B99"), "B99"),
    (("settle", "2026-Q3", "--branch", "B01"), "2026-Q3"),
    (("settle", "2026-10", "--branch", "B01", "--rulebook", "nothing"), "nothing"),
    (("settle", "2026-10"), "--branch"),
    (("replay", "2026-10", "--as-of", "yesterday"), "yesterday"),
    (("replay", "2026-10", "--as-of", "999999"), "999999"),
    (("replay", "2026-10", "--without", "nokey"), "nokey"),
    (("replay", "2026-10", "--without", "crm:nothing"), "crm:nothing"),
    (("replay", "2026-10", "--with", "missing.jsonl"), "missing.jsonl"),
    (("replay", "2026-10", "--rulebook", "missing.yaml"), "missing.yaml"),
    (("replay", "2026-10", "--rulebook", "elastic-pay@9.9.9"), "9.9.9"),
    (("replay", "2026-10", "--against", "paid", "--lang", "en"), "paid"),
    (("replay", "2026-10", "--against", "nothing@1.0.0"), "nothing"),
    (("replay",), "PERIOD"),
    (("explain", "NOBODY", "2026-10"), "NOBODY"),
    (("explain", HER, "2026-10", "--version", "9"), "9"),
    (("explain", HER, "october"), "october"),
    (("history", HER, "october"), "october"),
    (("rulebook", "show", "nothing"), "nothing"),
    (("rulebook", "check", "missing.yaml"), "missing.yaml"),
    (("rulebook", "publish", "missing.yaml"), "missing.yaml"),
    (("rulebook", "list", "--lang", "fr"), "fr"),
    (("branch", "rulebooks", "B01", "nothing", "--from", "2026-10"), "nothing"),
    (("branch", "rulebooks", "B01", "--from", "2026-1"), "2026-1"),
    (("nonsense",), "nonsense"),
]


@pytest.fixture(scope="module")
def one_settled(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("settled")
    url = f"sqlite:///{folder}/one.db"
    assert merit("import", write(folder / "october.jsonl", *ten_people()), database=url).status == 0
    assert merit("settle", "2026-10", "--branch", "B01", database=url).status == 0
    return url


@pytest.mark.parametrize(("command", "said"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_a_wrong_call_is_status_2_says_what_was_wrong_and_writes_nothing(
    one_settled: str, command: tuple[str, ...], said: str
) -> None:
    before = position(one_settled)
    takes_no_store = command[:2] == ("rulebook", "check") or command == ("nonsense",)
    wrong(merit(*command, database=None if takes_no_store else one_settled), said)
    assert position(one_settled) == before


def test_a_table_that_cannot_be_written_is_a_wrong_call(one_settled: str) -> None:
    wrong(
        merit("replay", "2026-10", "--csv", "/no/folder/x.csv", database=one_settled),
        "/no/folder/x.csv",
    )


@pytest.mark.parametrize(("name", "value"), [("MERIT_LANGUAGE", "fr"), ("MERIT_PORT", "eighty")])
def test_a_setting_that_does_not_fit_is_a_wrong_call(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    wrong(merit("rulebook", "list"), name, value)


def test_the_database_comes_from_the_environment_and_the_actor_from_the_system(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MERIT_DATABASE", new_database())
    monkeypatch.setenv("LOGNAME", "someone")
    monkeypatch.setenv("MERIT_LANGUAGE", "en")
    assert merit("import", write(tmp_path / "october.jsonl", *ten_people())).out.startswith(
        "accepted "
    )
    assert merit("settle", "2026-10", "--branch", "B01").status == 0
    document = merit("explain", HER, "2026-10", "--json").json
    assert (document["issued"]["by"], document["entries"][0]["by"]) == ("someone", "someone")


@pytest.mark.parametrize("name", TOPICS)
def test_the_help_says_of_a_topic_what_the_topic_says_of_itself(name: str) -> None:
    """`merit --help` imports no topic, so each line stands twice."""
    app = import_module(f"api.cli.commands.{TOPICS[name].module}").topic_app
    groups = {group.name: group.typer_instance.info.help for group in app.registered_groups}
    commands = {
        command.name or command.callback.__name__: command.callback.__doc__ or ""
        for command in app.registered_commands
    }
    own = " ".join((groups | commands)[name].split()).removesuffix(".")
    assert TOPICS[name].help == own


def test_the_help_lists_every_command_there_is() -> None:
    modules = {f.stem for f in Path(commands.__file__).parent.glob("*.py")} - {"__init__"}
    named = set()
    for module in modules:
        app = import_module(f"api.cli.commands.{module}").topic_app
        named |= {group.name for group in app.registered_groups}
        named |= {c.name or c.callback.__name__ for c in app.registered_commands}
    assert named == set(TOPICS)
