"""`merit person …`: interviews with plans of days that there are, and agreement with a rulebook, in
both languages.
"""

from __future__ import annotations

from contextlib import closing

import pytest

from projections.service import Service
from tests.api.service import branch
from tests.command_line import Run, merit
from tests.store import entries

TALK = ("--held-on", "2026-11-25", "--held-by", "班组长", "--agreed", "补齐回收")


@pytest.fixture
def october(database_url: str) -> str:
    with closing(Service.open(database_url)) as book:
        book.ledger.append(entries(branch()), by="system")
    return database_url


def person(url: str, command: str, *words: object) -> Run:
    done = merit("person", command, "A", *words, database=url)
    assert done.status == 0, done.err
    return done


def test_an_interview_stands_on_the_persons_page_with_its_plan(october: str) -> None:
    plan = ("--plan", "2026-12-10=欠费回收=八成", "--plan", "2028-02-29=拜访客户")
    position = person(october, "feedback", "2026-10", *TALK, *plan, "--json").json["position"]
    (talk,) = person(october, "show", "--json").json["feedback"]
    assert talk["plan"] == [
        {"what": "欠费回收=八成", "until": "2026-12-10"},
        {"what": "拜访客户", "until": "2028-02-29"},
    ]
    zh = person(october, "show", "--lang", "zh").out.splitlines()
    assert zh[:3] == [
        "2026-10 面谈：2026-11-25，班组长：补齐回收",
        "  2026-12-10 前：欠费回收=八成",
        "  2028-02-29 前：拜访客户",
    ]
    en = person(october, "show", "--lang", "en").out.splitlines()
    assert en[:2] == [
        "2026-10, interview of 2026-11-25 by 班组长: 补齐回收",
        "  by 2026-12-10: 欠费回收=八成",
    ]
    said = person(october, "feedback", "2026-10", *TALK, "--lang", "en").out
    assert said == f"Recorded at ledger position {position + 1}\n"
    assert (
        person(october, "feedback", "2026-10", *TALK, "--lang", "zh").out
        == f"已记录，账本位置 {position + 2}\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--plan", "欠费回收"), ["--plan 欠费回收：请写 日期=事项"]),
        (("--plan", "soon=欠费回收"), ["plan.0.until", "'soon' 不是日期"]),
        (("--plan", "2026-12-10="), ["plan.0.what"]),
        (("--plan", "2026-12-10=x", "--plan", "2026-02-30=y"), ["plan.1.until", "'2026-02-30' 不是日期"]),
        (("--held-on", "2026-11-31", "--agreed", " ", "--plan", "2026-13-01=x"),
         ["held_on", "'2026-11-31' 不是日期", "agreed", "plan.0.until"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_every_reason_and_nothing_is_recorded(
    october: str, words: tuple[str, ...], said: list[str]
) -> None:
    run = merit(
        "person", "feedback", "A", "2026-10", *TALK, *words, "--lang", "zh", database=october
    )
    assert (run.status, run.out) == (2, "")
    assert [text for text in said if text not in run.err] == []
    assert person(october, "show", "--json").json["feedback"] == []


def test_a_rulebook_that_applies_waits_for_agreement_by_the_command_that_the_page_names(
    october: str,
) -> None:
    zh, en = (person(october, "show", "--lang", language).out for language in ("zh", "en"))
    assert zh == "尚未认同 elastic-pay@3.0.0：merit person acknowledge A elastic-pay@3.0.0\n"
    assert en.startswith("Not agreed with yet: elastic-pay@3.0.0; ")
    assert merit(*en.split("; merit ")[1].split(), database=october).status == 0
    page = person(october, "show", "--json").json
    assert ([(a["rulebook"], a["version"]) for a in page["acknowledged"]], page["to_acknowledge"]) == (
        [("elastic-pay", "3.0.0")], [],
    )  # fmt: skip
    assert person(october, "show", "--lang", "zh").out.startswith("已认同 elastic-pay 3.0.0（")
    assert person(october, "show", "--lang", "en").out.startswith("Agreed with elastic-pay 3.0.0 (")


def test_without_a_version_it_is_the_latest_that_is_agreed_with_and_once(october: str) -> None:
    first, second = (person(october, "acknowledge", "elastic-pay", "--json").json for _ in range(2))
    assert first == second
    unknown = merit("person", "acknowledge", "A", "elastic-pay@9.9.9", database=october)
    assert (unknown.status, unknown.out) == (2, "")
