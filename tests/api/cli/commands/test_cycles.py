"""`merit cycle …`: a branch's month in words, in both languages: days, samples, findings, memo,
late evidence.
"""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from domain.identifiers import Period
from domain.processes.branch_month import STEPS
from domain.rights import Role, Seat
from projections.month.cycle import Cycle
from projections.service import Service
from tests.api.service import branch
from tests.closing import acknowledge_all
from tests.command_line import Run, merit
from tests.store import entries

OCTOBER = ("2026-10", "--branch", "B01")
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+08:00"


@pytest.fixture
def october(database_url: str) -> str:
    """B01's October, recorded and settled."""
    with closing(Service.open(database_url)) as book:
        book.ledger.append(entries(branch()), by="system")
        book.settle(Period.parse("2026-10"), "B01", None, by="clerk")
    return database_url


def through(url: str, last: str) -> None:
    """The month up to a step, each by somebody else, the submission with a note."""
    codes = [step.code for step in STEPS]
    with closing(Service.open(url)) as book:
        cycle = Cycle(book, Period.parse("2026-10"), "B01")
        for code in codes[: codes.index(last) + 1]:
            if code == "total_reviewed":
                acknowledge_all(book)
            book.do_step(
                cycle, code, by=f"by-{code}", note="两人缺勤" if code == "submitted" else None
            )


def run(url: str, *words: object) -> Run:
    done = merit("cycle", *words, database=url)
    assert done.status == 0, done.err
    return done


def spoken(url: str, *words: object) -> tuple[str, str]:
    """What a command prints in Chinese and in English, lines unbroken."""
    zh, en = (run(url, *words, "--lang", language).out for language in ("zh", "en"))
    return zh, en


def matches(text: str, *patterns: str) -> None:
    for pattern in patterns:
        assert re.search(f"^{pattern}$", text, re.MULTILINE), f"{pattern}\n{text}"


def test_a_published_month_says_its_days_its_samples_its_findings_and_its_notes(
    october: str,
) -> None:
    through(october, "submitted")
    drawn = run(october, "sample", *OCTOBER, "--size", "1", "--as", "shen", "--json").json
    for words in (("字迹不清", "--minor"), ("凭证缺失", "--manager", "A"), ("少签字",)):
        run(october, "finding", *OCTOBER, "--text", *words, "--as", "shen")
    run(october, "resolve", "2026-10", "3", "--branch", "B01", "--text", "已补", "--as", "wang")
    for step in ("audited", "reported"):
        run(october, "do", "2026-10", step, "--branch", "B01", "--as", "zhao")
    month = run(october, "show", *OCTOBER, "--json").json
    zh, en = spoken(october, "show", *OCTOBER)
    until, decided = month["objection_until"], month["decision_until"]
    (who,) = drawn["managers"]
    matches(
        zh,
        "分公司 B01　2026-10　已公示",
        "submitted 说明：两人缺勤",
        f"{MOMENT} 公示；申诉截至 {until}，裁决截至 {decided}",
        f"抽样 1 人（shen {MOMENT}，种子 {drawn['seed']}）：{who}",
        f"稽核问题 1：字迹不清（shen {MOMENT}）　未整改，不影响封账",
        f"稽核问题 2：A 凭证缺失（shen {MOMENT}）　未整改，不能封账",
        f"稽核问题 3：少签字（shen {MOMENT}）　已销号：已补，wang {MOMENT}",
    )
    matches(
        en,
        "Branch B01, 2026-10: published",
        "submitted, note: 两人缺勤",
        f"Published {MOMENT}; objections until {until}, decisions until {decided}",
        rf"Sample of 1 \(shen {MOMENT}, seed {drawn['seed']}\): {who}",
        rf"Finding 1: 字迹不清 \(shen {MOMENT}\): open, does not hold up the closing",
        rf"Finding 2: A 凭证缺失 \(shen {MOMENT}\): open, holds up the closing",
        rf"Finding 3: 少签字 \(shen {MOMENT}\): resolved: 已补, wang {MOMENT}",
    )


def test_a_month_that_is_not_published_names_no_days(october: str) -> None:
    zh, en = spoken(october, "show", *OCTOBER)
    assert "公示；" not in zh
    assert "objections until" not in en


def test_late_evidence_says_in_words_what_it_is_about_and_since_when_it_is_late(
    october: str,
) -> None:
    through(october, "reported")
    deduction = next(entry for entry in branch() if entry["kind"] == "deduction")
    sheet = branch()
    sheet[:] = [sheet.put("deduction", "A", "member_retention", points="4.5", source="late")]
    undo = branch().reverse(deduction) | {"source": "undo"}
    with closing(Service.open(october)) as book:
        book.ledger.append(entries([*sheet, undo]), by="system")
    zh, en = spoken(october, "late", *OCTOBER)
    matches(
        zh,
        rf" *\d+ +late:13 +扣减 A member_retention +system +{MOMENT} +公示后 +-4\.5 *",
        rf" *\d+ +undo:13 +冲销 B member_retention +system +{MOMENT} +公示后 +10\.5 *",
    )
    assert re.search("deduction A member_retention +system", en)
    assert re.search("reversal B member_retention +system", en)
    assert en.count("after publication") == 2
    with closing(Service.open(october)) as book:
        book.do_step(Cycle(book, Period.parse("2026-10"), "B01"), "paid", by="hr")
        book.ledger.append(
            entries([branch().put("deduction", "B", "member_retention", points="1", source="x")]),
            by="s",
        )
    zh, en = spoken(october, "late", *OCTOBER)
    assert [line.split()[1] for line in zh.splitlines() if "封账后" in line][-1] == "x:13"
    assert "after close" in en
    with closing(Service.open(october)) as book:
        book.accounts.open("team", [Seat(Role.TEAM_LEADER, "B01", "T1")], by="root")
    refused = merit("cycle", "late", *OCTOBER, "--as", "team", database=october)
    assert (refused.status, refused.out) == (2, "")


def test_nothing_is_late_in_a_month_that_is_still_open(october: str) -> None:
    assert run(october, "late", *OCTOBER, "--json").json["late"] == []


def test_the_memo_is_told_in_the_language_asked_for_under_its_digest(october: str) -> None:
    zh, en = spoken(october, "memo", *OCTOBER)
    assert "（草稿，尚未报送）" in zh
    assert "(draft, not reported yet)" in en
    through(october, "reported")
    found = run(october, "memo", *OCTOBER, "--json").json
    zh, en = spoken(october, "memo", *OCTOBER)
    assert zh == found["text"]["zh"] + f"摘要 {found['digest']}\n"
    assert en == found["text"]["en"] + f"Digest {found['digest']}\n"
    matches(
        en,
        "Memo to human resources",
        "Period: 2026-10  Branch: B01",
        r"Settlement \d+ \(elastic-pay 3\.0\.0\): 2 people, pay [\d.]+ yuan in all, ledger taken "
        r"in to \d+, digest \w+",
        r"  A  T1  [\d.]+ yuan \(statement \d\)",
        r"submitted: by-submitted  .+",
        "No sample was drawn",
    )
    matches(zh, "部门联系单", "主送：人力资源部　　考核月：2026-10　　分公司：B01", "未抽样")
    with closing(Service.open(october)) as book:
        book.accounts.open("team", [Seat(Role.TEAM_LEADER, "B01", "T1")], by="root")
    assert (
        merit("cycle", "memo", *OCTOBER, "--as", "team", database=october).status == 2
    )  # it has everyone's pay


def test_the_publication_shows_everyones_points_and_nobodys_pay(october: str) -> None:
    early = merit("cycle", "publication", *OCTOBER, "--lang", "zh", database=october)
    assert (early.status, early.out) == (2, "")
    assert "尚未公示" in early.err
    through(october, "reported")
    found = run(october, "publication", *OCTOBER, "--json").json
    zh, en = spoken(october, "publication", *OCTOBER)
    until = found["objection_until"]
    matches(zh, f"分公司 B01　2026-10　{MOMENT} 公示，申诉截至 {until}")
    matches(en, f"Branch B01, 2026-10: published {MOMENT}, objections until {until}")
    for person in found["people"]:
        assert {"pay", "pay_before_floor"}.isdisjoint(person["steps"])
        assert person["steps"].keys() >= {"total_points", "gs_tier"}
    assert "pay" not in en
    for row in ("A", "B"):
        assert any(line.split()[:2] == [row, "T1"] for line in zh.splitlines())
