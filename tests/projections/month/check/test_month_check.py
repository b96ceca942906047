"""The month check: what nobody would otherwise see of a month, and its acknowledgement."""

from __future__ import annotations

import time
from typing import Any

import pytest

from domain.errors import VersionClash
from domain.identifiers import Month, Period
from domain.processes.branch_month import BY_CODE, Closed, NoText
from domain.processes.month_check import CODES, CheckFinding
from projections.month.check.branch_facts import period_before, periods_around
from projections.month.check.month_check import MonthCheck, acknowledge, check_month
from projections.month.cycle import Cycle
from projections.month.refusals import FindingsNotAcknowledged, NothingToAcknowledge
from projections.service import Service
from tests.closing import NOVEMBER, OCTOBER, entry, floor, pay_quarters_too, record, works
from tests.rules import text_of
from tests.ten_people import HER, PAY
from tests.worksheet import Ledger as Sheet

STEPS = list(BY_CODE)
TARGETS = ("group_count", "group_members", "adc_groups", "mas_groups")


def check(book: Service, period: Period = OCTOBER, branch: str = "B01") -> MonthCheck:
    return check_month(Cycle(book, period, branch))


def found(book: Service, code: str, **where: Any) -> dict[str, CheckFinding]:
    """The findings of a code, by what they are about."""
    return {f.about: f for f in check(book, **where).findings if f.code == code}


def names(finding: CheckFinding) -> tuple[list[str], list[str]]:
    return [n.name for n in finding.managers], [n.name for n in finding.entries]


def targets(team: str | None = "T1", month: str = "2026-10") -> list[dict[str, Any]]:
    where = {"branch": "B01"} | ({"team": team} if team else {})
    return [
        entry("measure", f"{item}-{team}-{month}", month, item=f"target.{item}", value="1", **where)
        for item in TARGETS
    ]


@pytest.fixture
def lacking(october: Service) -> Service:
    """The ten people, of whom one has an industry without its coefficient."""
    record(october, works("M01", "2026-10", "B01") | {"attributes": {"industry": "education"}})
    return october


@pytest.fixture
def clean(october: Service) -> Service:
    """The ten people, with the targets of their team."""
    record(october, *targets())
    return october


def test_a_month_that_has_everything_has_nothing_to_decide(clean: Service) -> None:
    assert check(clean).open == []
    assert {f.code for f in check(clean).findings} == {"cap"}  # of deductions, for all of grade 6


def test_people_whom_no_pay_rulebook_has_are_named_with_the_nearest_role(clean: Service) -> None:
    record(
        clean,
        works("P02", "2026-10", "B01", "Customer_Manager"),
        works("P03", "2026-10", "B01", "driver"),
        works("P04", "2026-10", "B02", "driver"),
    )
    uncovered = found(clean, "uncovered")
    assert {about: names(f)[0] for about, f in uncovered.items()} == {
        "Customer_Manager": ["P02"], "driver": ["P03"],
    }  # fmt: skip
    assert "nearest: customer_manager" in uncovered["Customer_Manager"].message.en
    assert "最接近" not in uncovered["driver"].message.zh


def test_whom_a_quarterly_rulebook_pays_is_covered(clean: Service) -> None:
    record(clean, works("P03", "2026-10", "B01", "driver"))
    assert found(clean, "uncovered")
    text = text_of(
        {"pay yuan": "base"},
        parameters={"base yuan": "100"},
        id="drivers",
        period="quarter",
        roles=["driver"],
    )
    clean.publish(text, file="drivers", by="hr")
    clean.rulebooks.pay_by("B01", ["elastic-pay", "drivers"], Month(2026, 10), by="hr")
    assert found(clean, "uncovered") == {}


def test_an_entry_of_somebody_who_has_left_is_unread(clean: Service) -> None:
    left = {
        "kind": "assignment",
        "source": "hr",
        "source_id": "l1",
        "manager": "M01",
        "month": "2026-10",
        "role": "left",
    }
    bonus = entry("adjustment", "sev", "2026-10", manager="M01", amount="500", reason="leaving")
    before = entry("adjustment", "sep", "2026-09", manager="M01", amount="500", reason="leaving")
    assert found(clean, "unread") == {}
    hired = works("M11", "2026-09", "B01")
    record(
        clean,
        hired,
        left | {"manager": "M11"},
        bonus | {"manager": "M11"},
        before | {"manager": "M11"},
    )
    unread = found(clean, "unread")
    assert names(unread["left"]) == (["M11"], ["later:sev"])
    assert unread["left"].yuan == "500"
    record(
        clean,
        {
            "kind": "reversal",
            "source": "hr",
            "source_id": "r",
            "reason": "x",
            "reverses": {"source": "later", "source_id": "sev"},
        },
    )
    assert found(clean, "unread") == {}


def test_an_entry_of_somebody_who_moved_belongs_to_the_other_branch(clean: Service) -> None:
    record(clean, entry("sale", "s", "2026-10", manager="M01", item="no_such", quantity="1"))
    assert set(found(clean, "unread")) == {"item"}
    record(clean, works("M01", "2026-10", "B02"))
    assert found(clean, "unread") == {}
    assert set(found(clean, "unread", branch="B02")) == {"item"}


def test_an_entry_of_somebody_who_left_from_another_branch_is_not_of_this_one(
    clean: Service,
) -> None:
    left = {
        "kind": "assignment",
        "source": "hr",
        "source_id": "l",
        "manager": "M11",
        "month": "2026-10",
        "role": "left",
    }
    record(clean, works("M11", "2026-08", "B01"), works("M11", "2026-09", "B02"), left)
    record(clean, entry("sale", "s", "2026-10", manager="M11", item="group_count", quantity="1"))
    assert found(clean, "unread") == {}
    assert set(found(clean, "unread", branch="B02")) == {"left"}


def test_a_posting_is_read_by_nothing_and_never_unread(clean: Service) -> None:
    """It settles another month, and is paid beside the pay."""
    record(clean, works("P02", "2026-10", "B01", "driver"))
    posting = entry("adjustment", "b", "2026-10", manager="P02", amount="5", reason="r")
    record(clean, posting | {"item": "back_pay"})
    assert found(clean, "unread") == {}


def test_a_mistyped_item_is_unread_with_the_nearest_code(clean: Service) -> None:
    record(
        clean,
        entry("measure", "g", "2026-10", branch="B01", item="gs_adjustment.xyz", value="0.5"),
        entry("sale", "s", "2026-10", manager=HER, item="group_cuont", quantity="1"),
        entry(
            "rating", "q", "2026-10", manager=HER, item="results", score="90", rater_level="company"
        ),
    )
    (finding,) = found(clean, "unread").values()
    assert finding.about == "item"
    assert names(finding) == ([HER], ["later:g", "later:s", "later:q"])
    assert "group_cuont (nearest: group_count)" in finding.message.en
    assert "measure gs_adjustment.xyz" in finding.message.en  # nobody has an industry


def test_what_another_rulebook_of_the_branch_reads_is_not_unread(clean: Service) -> None:
    rating = entry(
        "rating", "q", "2026-10", manager=HER, item="results", score="90", rater_level="company"
    )
    record(clean, rating)
    assert set(found(clean, "unread")) == {"item"}
    clean.rulebooks.pay_by("B01", ["elastic-pay", "quarterly-bonus"], Month(2026, 10), by="hr")
    assert found(clean, "unread") == {}


def test_a_measure_of_another_scope_or_of_a_team_of_nobody_is_unread(clean: Service) -> None:
    """A team cell left empty makes a measure of the branch; the rulebook reads it of the team."""
    by_branch, of_manager, of_nobody, other_team = (
        entry("measure", name, "2026-10", item="target.group_count", value="9", **where)
        for name, where in (
            ("b", {"branch": "B01"}),
            ("m", {"manager": HER}),
            ("n", {"branch": "B01", "team": "T9"}),
            ("o", {"branch": "B02", "team": "T9"}),
        )
    )
    record(clean, by_branch, of_manager, of_nobody, other_team)
    unread = found(clean, "unread")
    assert {about: names(f)[1] for about, f in unread.items()} == {
        "scope": ["later:b", "later:m"], "nobody": ["later:n"],
    }  # fmt: skip
    assert "read of a team" in unread["scope"].message.en


def test_an_entry_of_somebody_whom_no_rulebook_reads_is_unread(clean: Service) -> None:
    record(
        clean,
        works("P02", "2026-10", "B01", "driver"),
        entry("sale", "s", "2026-10", manager="P02", item="group_count", quantity="1"),
        entry("adjustment", "a", "2026-10", manager="P02", amount="5", reason="r"),
    )
    assert names(found(clean, "unread")["person"]) == (["P02"], ["later:s", "later:a"])
    assert found(clean, "unread")["person"].yuan == "5"


def test_a_rating_of_a_level_that_is_not_read_is_unread(october: Service) -> None:
    pay_quarters_too(october, "M01")
    rating = {"manager": "M01", "item": "results", "score": "90"}
    record(october, entry("rating", "peer", "2026-11", rater_level="peer", **rating))
    assert names(found(october, "unread", period=NOVEMBER)["form"])[1] == ["later:peer"]


def test_without_ratings_tiers_that_ids_decide_are_a_tie(book: Service) -> None:
    sheet = Sheet()
    sheet.branch("minimum_wage", "1500")
    for number in range(1, 5):
        sheet.hire(f"M{number}")
    record(book, *sheet)
    everyone = ["M1", "M2", "M3", "M4"]
    missing = found(book, "missing")
    assert {about: names(f)[0] for about, f in missing.items()} == {
        "gs_ratings": everyone,
    }
    assert "counts 0" in missing["gs_ratings"].message.en
    tie = found(book, "tie")["gs_tier"]
    assert names(tie) == (everyone, [])
    for place, manager in enumerate(everyone, 1):
        final = entry(
            "rating", f"f{place}", "2026-10", manager=manager, item="final_rank", score=str(place)
        )
        record(book, final)
    assert found(book, "tie") == {}


def test_an_industry_without_its_measure_is_missing_with_what_is_near(clean: Service) -> None:
    """A blank behind a word is no other word; 教育 is."""
    industry = {"M01": "education ", "M02": "education", "M03": "教育"}
    for manager, word in industry.items():
        record(clean, works(manager, "2026-10", "B01") | {"attributes": {"industry": word}})
    record(
        clean,
        entry("measure", "g", "2026-10", branch="B01", item="gs_adjustment.education", value="0.5"),
    )
    missing = found(clean, "missing")["gs_adjustment"]
    assert names(missing)[0] == ["M03"]
    assert "gs_adjustment.教育 (recorded: gs_adjustment.education)" in missing.message.en


def test_what_came_after_the_settlement_is_late(clean: Service) -> None:
    assert found(clean, "late") == {}
    clean.settle(OCTOBER, "B01", None, by="clerk")
    assert found(clean, "late") == {}
    record(clean, entry("sale", "s", "2026-10", manager=HER, item="group_count", quantity="1"))
    late = found(clean, "late")[""]
    assert (names(late), late.severity) == (([HER], ["later:s"]), "note")
    clean.settle(OCTOBER, "B01", None, by="clerk")
    assert found(clean, "late") == {}


def test_who_is_new_who_is_gone_and_whose_pay_changed_by_more_than_half(clean: Service) -> None:
    clean.settle(OCTOBER, "B01", None, by="clerk")
    assert found(clean, "change") == {}  # nothing was settled in September
    left = {
        "kind": "assignment",
        "source": "hr",
        "source_id": "l",
        "manager": "M10",
        "month": "2026-11",
        "role": "left",
    }
    record(
        clean,
        floor("2026-11"),
        left,
        works("N01", "2026-11", "B01"),
        entry("adjustment", "big", manager="M05", amount="1000", reason="r"),
        entry("adjustment", "small", manager="M06", amount="500", reason="r"),
    )
    changes = found(clean, "change", period=NOVEMBER)
    assert {about: names(f)[0] for about, f in changes.items()} == {
        "pay": ["M05"], "new": ["N01"], "gone": ["M10"],
    }  # fmt: skip
    assert changes["gone"].yuan == "1625"
    assert {f.severity for f in changes.values()} == {"note"}


def test_a_rulebook_sets_the_share_from_which_pay_has_changed(book: Service) -> None:
    book.publish(_no_floor(change_share="0.1"), file="bare", by="hr")
    book.rulebooks.pay_by("B01", ["bare-pay"], Month(2026, 10), by="hr")
    record(book, works("P1", "2026-10", "B01"), works("P2", "2026-10", "B01"))
    book.settle(OCTOBER, "B01", None, by="clerk")
    for manager, amount in (("P1", "10"), ("P2", "11")):
        record(book, entry("adjustment", manager, manager=manager, amount=amount, reason="r"))
    changed = found(book, "change", period=NOVEMBER)["pay"]
    assert (names(changed)[0], changed.yuan) == (["P2"], "11")
    assert "10%" in changed.message.en


def test_how_many_were_lifted_to_a_floor_or_cut_to_a_cap(clean: Service) -> None:
    record(
        clean,
        entry("deduction", "d", "2026-10", manager="M05", item="member_retention", points="600"),
        entry("sale", "s", "2026-10", manager="M06", item="effective_customers", quantity="9000"),
    )
    floors, caps = found(clean, "floor"), found(clean, "cap")
    assert (names(floors["pay"])[0], floors["pay"].yuan) == (["M05"], "275")  # 1025 - 600 + 800
    assert (names(caps["performance_points"])[0], caps["performance_points"].yuan) == (
        ["M06"],
        None,
    )


def test_who_is_settled_or_paid_in_another_branch_is_named_with_it(clean: Service) -> None:
    clean.settle(OCTOBER, "B01", None, by="clerk")
    record(clean, floor("2026-10", "B02"), works("M01", "2026-10", "B02"))
    assert found(clean, "paid_elsewhere") == {}
    elsewhere = found(clean, "paid_elsewhere", branch="B02")["B01"]
    assert (names(elsewhere)[0], elsewhere.yuan) == (["M01"], "2225")
    assert "B01" in elsewhere.message.zh
    clean.settle(OCTOBER, "B01", None, by="clerk")  # without M01
    assert found(clean, "paid_elsewhere", branch="B02") == {}


def test_who_was_paid_by_another_branch_that_is_closed_is_named(closed: Service) -> None:
    record(closed, floor("2026-10", "B02"), works("M01", "2026-10", "B02"))
    elsewhere = found(closed, "paid_elsewhere", branch="B02")["B01"]
    assert names(elsewhere)[0] == ["M01"]
    assert "has paid" in elsewhere.message.en


def test_a_payable_below_zero_is_found_unless_back_pay_makes_up_for_it(book: Service) -> None:
    text = _no_floor()
    book.publish(text, file="bare", by="hr")
    book.rulebooks.pay_by("B01", ["bare-pay"], Month(2026, 10), by="hr")
    record(
        book,
        works("P1", "2026-10", "B01"),
        works("P2", "2026-10", "B01"),
        entry("adjustment", "a", "2026-10", manager="P1", amount="-150", reason="r"),
        entry("adjustment", "b", "2026-10", manager="P2", amount="-50", reason="r"),
    )
    negative = found(book, "negative")[""]
    assert (names(negative)[0], negative.yuan) == (["P1"], "-50")
    back_pay = entry(
        "adjustment", "c", "2026-10", manager="P1", item="back_pay", amount="50", reason="r"
    )
    record(book, back_pay)
    assert found(book, "negative") == {}


def test_an_acknowledged_amount_lapses_when_it_grows(book: Service) -> None:
    book.publish(_no_floor(), file="bare", by="hr")
    book.rulebooks.pay_by("B01", ["bare-pay"], Month(2026, 10), by="hr")
    record(book, works("P1", "2026-10", "B01"))
    taken = {"manager": "P1", "reason": "r"}
    record(book, entry("adjustment", "a", "2026-10", amount="-150", **taken))
    acknowledge(Cycle(book, OCTOBER, "B01"), ["negative"], "分期扣回", by="hr")
    assert check(book).open == []
    record(book, entry("adjustment", "b", "2026-10", amount="-1", **taken))
    assert [(f.code, f.yuan) for f in check(book).open] == [("negative", "-51")]


def _no_floor(**parameters: str) -> str:
    return text_of(
        {"pay yuan": "base + adjusted"},
        inputs={"adjusted": {"unit": "yuan", "read": "adjustment", "take": "yuan"}},
        parameters={"base yuan": "100"}
        | {f"{name} ratio": figure for name, figure in parameters.items()},
        id="bare-pay",
        period="month",
        roles=["customer_manager"],
    )


# acknowledgement


def test_an_acknowledged_finding_lapses_when_it_changes(lacking: Service) -> None:
    cycle = Cycle(lacking, OCTOBER, "B01")
    assert [f.code for f in check(lacking).open] == ["missing"]
    position = acknowledge(cycle, ["missing"], "不设系数", by="hr")
    assert position == lacking.ledger.position()
    assert check(lacking).open == []
    (acknowledged,) = (f.acknowledged for f in check(lacking).findings if f.acknowledged)
    assert (acknowledged.by, acknowledged.note) == ("hr", "不设系数")
    assert acknowledge(cycle, ["missing"], "again", by="hr") == position  # nothing new
    new = works("M11", "2026-10", "B01") | {"attributes": {"industry": "education"}}
    record(lacking, new)
    assert {(f.code, f.about) for f in check(lacking).open} == {
        ("missing", "gs_adjustment"), ("missing", "gs_ratings"),
    }  # fmt: skip


def test_what_is_not_there_or_only_a_note_is_not_acknowledged(lacking: Service) -> None:
    cycle, before = Cycle(lacking, OCTOBER, "B01"), lacking.ledger.position()
    for code in ("tie", "cap", "nonsense"):
        with pytest.raises(NothingToAcknowledge, match=code):
            acknowledge(cycle, ["missing", code], "x", by="hr")
    for note in ("", "  ", "x" * 2001):
        with pytest.raises(NoText):
            acknowledge(cycle, ["missing"], note, by="hr")
    assert lacking.ledger.position() == before


def test_two_who_acknowledge_at_once_do_not_both(lacking: Service) -> None:
    cycle = Cycle(lacking, OCTOBER, "B01")
    stale = cycle.state()
    acknowledge(cycle, ["missing"], "x", by="hr")
    cycle.state = lambda: stale  # type: ignore[method-assign] - what the other had read before
    with pytest.raises(VersionClash):
        acknowledge(cycle, ["missing"], "y", by="other")


def test_a_closed_month_is_not_acknowledged(closed: Service) -> None:
    with pytest.raises(Closed):
        acknowledge(Cycle(closed, OCTOBER, "B01"), ["missing"], "x", by="hr")


def test_a_month_with_open_findings_is_neither_reviewed_nor_closed(lacking: Service) -> None:
    cycle = Cycle(lacking, OCTOBER, "B01")
    for step in STEPS[: STEPS.index("total_reviewed")]:
        by = "leader" if step.endswith("reviewed") else "clerk"
        lacking.do_step(cycle, step, by=by)
    before = lacking.ledger.position()
    with pytest.raises(FindingsNotAcknowledged, match="gs_adjustment") as refused:
        lacking.do_step(cycle, "total_reviewed", by="leader")
    assert refused.value.next_act is not None
    assert refused.value.next_act.about == {
        "period": "2026-10", "branch": "B01", "finding": "missing",
    }  # fmt: skip
    assert lacking.ledger.position() == before
    acknowledge(cycle, ["missing"], "不设系数", by="hr")
    for step in ("total_reviewed", "submitted", "audited", "reported"):
        lacking.do_step(cycle, step, by="leader")
    record(lacking, works("P02", "2026-10", "B01", "driver"))  # what was found has changed
    with pytest.raises(FindingsNotAcknowledged, match="driver"):
        lacking.do_step(cycle, "paid", by="hr")
    assert lacking.payments.closings() == []
    acknowledge(cycle, ["uncovered"], "另付", by="hr")
    lacking.do_step(cycle, "paid", by="hr")
    assert [closing.period for closing in lacking.payments.closings()] == ["2026-10"]


def test_a_month_without_a_process_is_not_closed_with_open_findings(clean: Service) -> None:
    record(clean, works("P02", "2026-10", "B01", "driver"))
    clean.settle(OCTOBER, "B01", None, by="clerk")
    with pytest.raises(FindingsNotAcknowledged, match="driver"):
        clean.close_month(Cycle(clean, OCTOBER, "B01"), by="hr")
    record(clean, works("P02", "2026-10", "B02", "driver") | {"source_id": "elsewhere"})
    # What is corrected is not settled yet, and the closing pays what is settled.
    with pytest.raises(FindingsNotAcknowledged, match="as it was settled: people with the role"):
        clean.close_month(Cycle(clean, OCTOBER, "B01"), by="hr")
    clean.settle(OCTOBER, "B01", None, by="clerk")
    clean.close_month(Cycle(clean, OCTOBER, "B01"), by="hr")


def test_the_check_as_of_a_position_stays_what_it_was(lacking: Service) -> None:
    then = lacking.ledger.position()
    before = check_month(Cycle(lacking, OCTOBER, "B01", then))
    acknowledge(Cycle(lacking, OCTOBER, "B01"), ["missing"], "x", by="hr")
    lacking.settle(OCTOBER, "B01", None, by="clerk")
    record(lacking, *targets(), works("P02", "2026-10", "B01", "driver"))
    assert check_month(Cycle(lacking, OCTOBER, "B01", then)) == before


def test_every_finding_is_one_of_the_codes_and_names_no_person_in_its_words(
    october: Service,
) -> None:
    record(october, works("P02", "2026-10", "B01", "driver"))
    record(october, entry("sale", "s", "2026-10", manager="P02", item="group_count", quantity="1"))
    for finding in check(october).findings:
        assert finding.code in CODES
        for text in finding.message:
            assert not any(named.name in text for named in (*finding.managers, *finding.entries))


@pytest.mark.parametrize(
    ("period", "before", "around"),
    [
        ("2026-01", "2025-12", ["2026-01", "2026-Q1", "2026-H1", "2026"]),
        ("2026-Q3", "2026-Q2", ["2026-Q3", "2026-H2", "2026"]),
        ("2026-H1", "2025-H2", ["2026-H1", "2026"]),
        ("2026", "2025", ["2026"]),
    ],
)
def test_the_period_before_and_those_around(period: str, before: str, around: list[str]) -> None:
    parsed = Period.parse(period)
    assert str(period_before(parsed)) == before
    assert [str(one) for one in periods_around(parsed)] == around


def test_a_branch_of_1200_is_checked_well_under_a_second(book: Service) -> None:
    sheet = Sheet()
    sheet.branch("minimum_wage", "1500")
    for number in range(1200):
        manager = f"M{number:04d}"
        sheet.hire(manager, 4 + number % 5, team=f"T{number % 40}")
        sheet.rate_gs(manager, str(60 + number % 40))
        for item in TARGETS:
            sheet.put("sale", manager, item, quantity="3")
    record(book, *sheet)
    check(book)
    started = time.perf_counter()
    assert check(book).findings
    assert time.perf_counter() - started < 1


def test_an_acknowledgement_of_what_is_missing_is_of_what_each_lacks(book: Service) -> None:
    sheet = Sheet()
    sheet.branch("minimum_wage", "1500")
    sheet.hire("M1")
    sheet.rate_gs("M1", "80")
    record(book, *sheet)
    rated = [raw for raw in sheet if raw["kind"] == "rating"]
    away = [sheet.reverse(raw) for raw in rated]
    record(book, away[0])
    acknowledge(Cycle(book, OCTOBER, "B01"), ["missing"], "免评", by="hr")
    assert [f.about for f in check(book).open] == []
    record(book, sheet.reverse(away[0]), *away[1:])
    assert [f.about for f in check(book).open] == ["gs_ratings"]


def test_who_moved_and_was_settled_by_both_branches_is_paid_by_one(closed: Service) -> None:
    record(closed, floor("2026-10", "B02"), works(HER, "2026-10"))
    assert found(closed, "paid_elsewhere", branch="B02")["B01"].yuan == PAY[HER]
    closed.resettle(Cycle(closed, OCTOBER, "B01"), "moved", by="hr")
    assert found(closed, "paid_elsewhere", branch="B02") == {}
