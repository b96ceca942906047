"""`merit appeal …` in words: what is disputed with the entries behind it, until when, and what was
done; for whom.
"""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from domain.identifiers import Period
from domain.processes.branch_month import STEPS
from domain.rights import Role, Seat
from projections.month.cycle import Cycle
from projections.service import Service
from tests.closing import acknowledge_all
from tests.command_line import Run, merit
from tests.store import entries
from tests.ten_people import DISPLACED, HER, ten_people
from tests.worksheet import Ledger as Sheet

SEATS = {
    "hers": Seat(Role.MANAGER, manager=HER),
    "colleague": Seat(Role.MANAGER, manager=DISPLACED),
    "leader": Seat(Role.BRANCH_LEADER, "B01"),
    "there": Seat(Role.BRANCH_LEADER, "B02"),
    "handler": Seat(Role.HR),
}
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+08:00"


@pytest.fixture
def october(database_url: str) -> str:
    """The ten people of B01, settled and published, and an account of each role."""
    with closing(Service.open(database_url)) as service:
        service.ledger.append(entries(ten_people()), by="system")
        for name, seat in SEATS.items():
            service.accounts.open(name, [seat], by="root", manager=seat.manager)
        cycle = Cycle(service, Period.parse("2026-10"), "B01")
        for step in STEPS[:-1]:
            if step.code == "total_reviewed":
                acknowledge_all(service)
            service.do_step(cycle, step.code, by=f"by-{step.code}")
    return database_url


def appeal(url: str, command: str, *words: object) -> Run:
    done = merit("appeal", command, *words, database=url)
    assert done.status == 0, done.err
    return done


def filed(
    url: str, manager: str = HER, period: str = "2026-10", *words: str, who: str = "handler"
) -> str:
    asked = (manager, period, "--reason", "有误", *words, "--as", who, "--json")
    name: str = appeal(url, "file", *asked).json["appeal"]
    return name


def listed(url: str, who: str, *words: str) -> list[str]:
    return [
        row["appeal"] for row in appeal(url, "list", *words, "--as", who, "--json").json["appeals"]
    ]


def matches(text: str, *patterns: str) -> None:
    for pattern in patterns:
        assert re.search(f"^{pattern}$", text, re.MULTILINE), f"{pattern}\n{text}"


def elsewhere(url: str, manager: str, month: str) -> None:
    """Somebody works in B02 from a month on, which is settled."""
    sheet = Sheet()
    sheet.hire(manager, branch="B02", team="T9", month=month, source="b02")
    sheet.branch("minimum_wage", "1500", branch="B02", month=month, source="b02")
    with closing(Service.open(url)) as service:
        service.ledger.append(entries(sheet), by="system")
        service.settle(Period.parse(month), "B02", None, by="clerk")


def test_an_appeal_is_shown_with_its_days_its_disputed_lines_and_its_history(october: str) -> None:
    name = filed(
        october, HER, "2026-10", "--line", "raw_deduction", "--line", "gs_points", who="hers"
    )
    appeal(october, "accept", name, "--as", "handler")
    found = appeal(october, "show", name, "--as", "hers", "--json").json
    zh, en = (
        appeal(october, "show", name, "--as", "hers", "--lang", language).out
        for language in ("zh", "en")
    )
    version, until, decided = (
        found["statement"]["version"],
        found["objection_until"],
        found["decision_until"],
    )
    assert until < decided
    matches(
        zh,
        rf"申诉 {name}　.+　{HER} 2026-10，考核单第 {version} 版",
        "理由：有误",
        f"申诉截至 {until}，裁决截至 {decided}",
        r"异议：扣减合计（未封顶）（raw_deduction）= 370，条款 第五条3",
        rf"  \d+  billing:120  arrears_recovery 120  system {MOMENT}",
        rf"  \d+  billing:250  arrears_recovery 250  system {MOMENT}",
        r"异议：.+（gs_points）= 800，条款 .+",
        f"{MOMENT}  hers  提出申诉",
        f"{MOMENT}  handler  受理",
    )
    matches(
        en,
        rf"Appeal {name}: .+; {HER} 2026-10, statement {version}",
        f"Objections until {until}, decision until {decided}",
        r"Disputed: Deductions before the cap \(raw_deduction\) = 370, clause 第五条3",
        rf"  \d+  billing:250  arrears_recovery 250  system {MOMENT}",
        f"{MOMENT}  hers  filed",
        f"{MOMENT}  handler  accepted",
    )


def test_a_rejection_and_a_decision_say_who_when_and_why(october: str) -> None:
    first, second = filed(october), filed(october)
    late = merit(
        "appeal", "reject", first, "--code", "out_of_time", "--reason", "过期", database=october
    )
    assert (late.status, late.out) == (2, "")
    rejected = appeal(
        october,
        "reject",
        first,
        "--code",
        "not_own",
        "--reason",
        "非本人",
        "--as",
        "handler",
        "--json",
    )
    label = rejected.json["rejected"]["label"]
    appeal(october, "accept", second, "--as", "handler")
    appeal(october, "decide", second, "dismissed", "--reason", "无误", "--as", "wang")
    texts = {
        (name, lang): appeal(october, "show", name, "--lang", lang).out
        for name in (first, second)
        for lang in ("zh", "en")
    }
    matches(
        texts[first, "zh"],
        f"不予受理：{label['zh']}，非本人（handler {MOMENT}）",
        f"{MOMENT}  handler  不予受理",
    )
    matches(
        texts[first, "en"],
        rf"Rejected: {label['en']}, 非本人 \(handler {MOMENT}\)",
        f"{MOMENT}  handler  rejected",
    )
    matches(texts[second, "zh"], f"裁决：.+（wang {MOMENT}）：无误", f"{MOMENT}  wang  裁决")
    matches(
        texts[second, "en"], rf"Decision: .+ \(wang {MOMENT}\): 无误", f"{MOMENT}  wang  decided"
    )


def test_a_file_over_the_limit_is_refused_with_its_size(october: str, tmp_path: Path) -> None:
    name, file = filed(october), tmp_path / "凭证.pdf"
    asked = ("appeal", "evidence", name, "--note", "凭证", "--file", file, "--as", "hers")
    for size in (1_000_001, 3_000_000):
        file.write_bytes(bytes(size))
        refused = merit(*asked, database=october)
        assert (refused.status, refused.out) == (2, "")
        assert f"{size} bytes, at most 1000000" in refused.err
    file.write_bytes(bytes(1_000_000))
    assert "证据 1：凭证 凭证.pdf" in merit(*asked, "--lang", "zh", database=october).out


def test_the_list_shows_everybody_the_appeals_that_they_may_read(october: str) -> None:
    elsewhere(october, "X01", "2026-10")
    hers, colleagues, other = filed(october), filed(october, DISPLACED), filed(october, "X01")
    assert listed(october, "hers") == [hers]
    assert listed(october, "colleague") == [colleagues]
    assert listed(october, "leader") == [hers, colleagues]
    assert listed(october, "there") == [other]
    assert listed(october, "handler") == [hers, colleagues, other]
    assert listed(october, "handler", "--manager", DISPLACED) == [colleagues]
    assert listed(october, "handler", "--branch", "B02") == [other]
    refused = merit("appeal", "list", "--branch", "B02", "--as", "leader", database=october)
    assert (refused.status, refused.out) == (2, "")
    said = appeal(october, "list", "--as", "hers", "--lang", "en").out
    assert re.search(rf"{hers} +filed +{HER} +2026-10 +B01 +有误", said)


def test_of_who_moved_away_a_leader_reads_the_appeals_of_their_own_branch_alone(
    october: str,
) -> None:
    before = filed(october)
    elsewhere(october, HER, "2026-11")
    after = filed(october, HER, "2026-11")
    assert listed(october, "there", "--manager", HER) == [after]
    assert listed(october, "leader") == [before]
    assert listed(october, "hers", "--manager", HER) == [before, after]


def test_an_appeal_that_somebody_else_reads_is_on_record_and_ones_own_is_not(october: str) -> None:
    name = filed(october)
    for who in ("hers", "leader"):
        appeal(october, "show", name, "--as", who)
    with closing(Service.open(october)) as service:
        found, _ = service.statement_reads.page(HER, limit=100)
    assert [(reading.by, reading.period, reading.what) for reading in found] == [
        ("leader", "2026-10", "appeal")
    ]
    refused = merit("appeal", "show", name, "--as", "colleague", database=october)
    assert (refused.status, refused.out) == (2, "")
