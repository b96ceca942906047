"""Explanations: what is explained is what was issued, to the last entry; what was changed since is
noticed.
"""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Declined, NotFound, StoreError
from domain.identifiers import Period
from domain.ledger.events import EntryRecorded
from projections.explain.derivation import explain
from projections.explain.history import EntryEvent, HistoryEvent, StatementEvent, history
from projections.month.cycle import Cycle
from projections.service import Service
from projections.store.database import database_of
from tests.closing import NOVEMBER, close, entry, floor, payable, record, works
from tests.rules import text_of
from tests.store import entries
from tests.ten_people import APPEALED, HER, PAY, reversal
from tests.worksheet import Ledger as Sheet

OCTOBER = Period.parse("2026-10")


@pytest.fixture
def settled(october: Service) -> Service:
    october.settle(OCTOBER, "B01", None, by="clerk")
    return october


def append(service: Service, *raw: dict[str, Any]) -> None:
    assert {o.status for o in service.ledger.append(entries(raw), by="late-clerk")} == {"accepted"}


def tamper(service: Service, sql: str, *params: Any) -> None:
    with database_of(service.ledger).writing() as connection:
        connection.execute(sql, params)


def place(service: Service, key: str) -> int:
    source, _, number = key.partition(":")
    with database_of(service.ledger).reading() as connection:
        found: int = connection.value(
            "SELECT position FROM keys WHERE source = ? AND source_id = ?", (source, number)
        )
        return found


def test_every_figure_is_explained_by_entries_of_the_person_and_of_their_branch(
    settled: Service,
) -> None:
    found = explain(settled, HER, OCTOBER)
    assert (found.total.step, found.total.value, found.total.unit) == ("pay", "1635", "yuan")
    assert {
        step.step: step.value for step in found.steps if step.value is not None
    } == found.issued.steps
    assert found.name == HER
    for behind in found.entries.values():
        assert behind.entry.get("manager", HER) == HER
        assert behind.by == "importer"
        assert "manager" in behind.entry or behind.entry["branch"] == "B01"
    keys = {
        step.step: {source_of(found.entries[p].entry) for p in step.positions}
        for step in found.steps
    }
    assert keys["raw_deduction"] == {"billing:120", "billing:250"}
    assert {found.entries[p].entry["item"] for p in trace(found, "kpi_points").positions} == {
        "group_count", "group_members", "mas_groups",
    }  # fmt: skip
    assert {found.entries[p].entry["kind"] for p in trace(found, "base_points").positions} == {
        "assignment"
    }
    assert {found.entries[p].entry["item"] for p in trace(found, "pay").positions} == {
        "minimum_wage"
    }
    assert trace(found, "deduction").positions == ()  # it reads steps alone
    assert found.reversed_entries == []


def source_of(entry: dict[str, Any]) -> str:
    return f"{entry['source']}:{entry['source_id']}"


def trace(found: Any, name: str) -> Any:
    return next(step for step in found.steps if step.step == name)


def test_every_version_explains_itself_as_of_its_own_moment(settled: Service) -> None:
    append(settled, reversal(APPEALED, "1"))
    settled.settle(OCTOBER, "B01", None, by="clerk")
    assert explain(settled, HER, OCTOBER, number=1).total.value == "1635"
    second = explain(settled, HER, OCTOBER)
    assert (second.issued.number, second.total.value) == (2, "2085")
    assert [(source_of(e.entry), e.reversed_by) for e in second.reversed_entries] == [
        (APPEALED, "appeal:1")
    ]
    assert explain(settled, HER, OCTOBER, number=1).reversed_entries == []
    assert second.rulebook_digest == settled.rulebooks.find("elastic-pay").digest
    assert {p for step in second.steps for p in step.positions} == second.entries.keys()


def test_of_many_reversals_the_one_that_counts_is_named(october: Service) -> None:
    append(october, reversal(APPEALED, "1"))
    append(october, reversal("appeal:1", "2"))
    append(october, reversal(APPEALED, "3"))
    assert [by for *_, by in named(october)] == ["appeal:3"]
    append(october, reversal("appeal:3", "4"))
    append(october, reversal("appeal:2", "5"))  # the first counts again, the third does not
    assert [by for *_, by in named(october)] == ["appeal:1"]
    october.settle(OCTOBER, "B01", None, by="clerk")
    found = explain(october, HER, OCTOBER)
    assert found.total.value == "2085"
    assert [entry.reversed_by for entry in found.reversed_entries] == ["appeal:1"]


def named(service: Service) -> list[tuple[str, str | None]]:
    """Reversed entries of a settlement made now, each with the reversal that counts."""
    service.settle(OCTOBER, "B01", None, by="clerk")
    return [
        (source_of(e.entry), e.reversed_by) for e in explain(service, HER, OCTOBER).reversed_entries
    ]


def test_an_explanation_outlives_a_new_version_of_the_rulebook(settled: Service) -> None:
    text = settled.rulebooks.find("elastic-pay").text.replace("version: 3.0.0", "version: 3.0.1")
    settled.publish(
        text.replace("value: 8000}", "value: 100}").partition("\nexamples:")[0] + "\n",
        file="f",
        by="x",
    )
    assert explain(settled, HER, OCTOBER).rulebook.version == "3.0.0"
    settled.settle(OCTOBER, "B01", None, by="clerk")
    assert (
        explain(settled, HER, OCTOBER).rulebook.version,
        explain(settled, HER, OCTOBER).total.value,
    ) == (
        "3.0.1",
        "1555",
    )


def test_a_changed_fact_is_noticed(settled: Service) -> None:
    tamper(
        settled,
        "UPDATE facts SET value = value + 1000000 WHERE position = ?",
        place(settled, APPEALED),
    )
    with pytest.raises(StoreError, match="does not follow from the ledger"):
        explain(settled, HER, OCTOBER)


def test_a_removed_fact_is_noticed(settled: Service) -> None:
    tamper(
        settled, "DELETE FROM facts WHERE position = ?", place(settled, "test:0")
    )  # the minimum wage
    with pytest.raises(StoreError, match="does not follow from the ledger"):
        explain(settled, HER, OCTOBER)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('"points":"2500"', "an entry behind it was changed"),
        ('"points":"minus"', "the event at position {at} cannot be read"),
        ('"points":"25', "the event at position {at} cannot be read"),
    ],
)
def test_a_changed_event_is_noticed(settled: Service, written: str, said: str) -> None:
    at, column = place(settled, APPEALED), database_of(settled.ledger).position
    with database_of(settled.ledger).reading() as connection:
        state = bytes(
            connection.value(f"SELECT state FROM stored_events WHERE {column} = ?", (at,))
        )
    assert state.count(b'"points":"250"') == 1
    changed = state.replace(b'"points":"250"', written.encode())
    tamper(settled, f"UPDATE stored_events SET state = ? WHERE {column} = ?", changed, at)
    with pytest.raises(StoreError, match=said.format(at=at)):
        explain(settled, HER, OCTOBER)


def test_a_changed_statement_is_noticed(settled: Service) -> None:
    settled.statements.of_manager(HER, "2026-10")
    tamper(
        settled,
        "UPDATE statements SET steps = replace(steps, '1635', '9635') WHERE manager = ?",
        HER,
    )
    with pytest.raises(StoreError, match="does not follow from the ledger"):
        explain(settled, HER, OCTOBER)
    before, after = settled.rebuild()["statements"]
    assert before != after
    assert explain(settled, HER, OCTOBER).total.value == "1635"


def test_a_statement_that_is_not_there_is_said(settled: Service) -> None:
    with pytest.raises(NotFound, match="NOBODY has no statement for 2026-10"):
        explain(settled, "NOBODY", OCTOBER)
    with pytest.raises(NotFound, match="no version 2; the latest is 1"):
        explain(settled, HER, OCTOBER, number=2)
    with pytest.raises(NotFound, match="settle it first"):
        explain(settled, HER, Period.parse("2026-09"))


def test_of_several_rulebooks_that_pay_nobody_one_must_be_named(settled: Service) -> None:
    text = settled.rulebooks.find("elastic-pay").text.partition("\nexamples:")[0] + "\n"
    for name in ("one-pay", "two-pay"):
        settled.publish(text.replace("id: elastic-pay", f"id: {name}"), file=name, by="x")
        settled.settle(OCTOBER, "B01", name, by="clerk")
    assert explain(settled, HER, OCTOBER).rulebook.id == "elastic-pay"  # what the branch pays by
    settled.publish(text.replace("id: elastic-pay", "id: three-pay"), file="three", by="x")
    settled.rulebooks.pay_by("B01", ["three-pay"], OCTOBER.first, by="x")
    with pytest.raises(Declined, match="elastic-pay, one-pay, two-pay; name one"):
        explain(settled, HER, OCTOBER)
    assert explain(settled, HER, OCTOBER, "two-pay").rulebook.id == "two-pay"


def test_a_history_has_every_entry_and_version_in_order_with_who_and_why(settled: Service) -> None:
    append(settled, reversal(APPEALED, "1"))
    append(settled, Sheet().put("adjustment", HER, points="10", reason="补记", source="late"))
    settled.settle(OCTOBER, "B01", None, by="second-clerk")
    events = history(settled, HER, OCTOBER).events
    assert [event.position for event in events] == sorted(event.position for event in events)
    kinds = [
        event.entry["kind"] if isinstance(event, EntryEvent) else event.type for event in events
    ]
    assert kinds == [
        "measure",  # the branch's minimum wage
        "assignment",
        *["rating"] * 4,
        *["deduction"] * 2,
        *["sale"] * 3,
        "statement",
        "reversal",
        "adjustment",
        "statement",
    ]
    assert [(event.by, event.why) for event in events[-3:-1]] == [
        ("late-clerk", "申诉成立"),
        ("late-clerk", "补记"),
    ]
    first, second = events[11], events[-1]
    assert isinstance(first, StatementEvent)
    assert isinstance(second, StatementEvent)
    assert (first.version, first.by, first.changed) == (1, "clerk", ())
    assert (second.version, second.by, second.steps["pay"]) == (2, "second-clerk", "2095")
    changed = {change.step: (change.before, change.after) for change in second.changed}
    assert changed["raw_deduction"] == ("370", "120")
    assert changed["pay"] == ("1635", "2095")
    assert "base_points" not in changed
    for event in events:
        assert event.at.endswith("Z")
        if isinstance(event, EntryEvent):
            assert isinstance(settled.ledger.event_at(event.position), EntryRecorded)


def test_a_history_is_of_the_period_but_for_the_assignment_that_holds(settled: Service) -> None:
    append(
        settled,
        Sheet().put("sale", HER, "group_count", quantity="1", month="2026-11", source="later"),
    )
    october = entries_of(settled, OCTOBER)[1:]
    november = entries_of(settled, Period.parse("2026-11"))
    assert {entry.get("month") for entry in october} == {"2026-10"}
    assert [entry["kind"] for entry in november] == ["assignment", "sale"]
    assert set(PAY) >= {HER}


def entries_of(service: Service, period: Period) -> list[dict[str, Any]]:
    events = history(service, HER, period).events
    return [event.entry for event in events if isinstance(event, EntryEvent)]


def reasons(service: Service, manager: str = HER) -> list[str | None]:
    """Of every statement version of October."""
    events = history(service, manager, OCTOBER).events
    return [event.why for event in events if isinstance(event, StatementEvent)]


def resettled(service: Service, reason: str, *raw: dict[str, Any]) -> None:
    append(service, *raw)
    service.resettle(Cycle(service, OCTOBER, "B01"), reason, by="hr")


def test_a_version_has_the_reason_of_its_own_resettlement(settled: Service) -> None:
    close(settled)  # settled a second time: the same figures, and so the same digest
    resettled(settled, "first", reversal(APPEALED, "1"))
    resettled(settled, "second", reversal("appeal:1", "2"))
    resettled(settled, "third", reversal("appeal:2", "3"))
    assert reasons(settled) == [None, None, "first", "second", "third"]
    digests = {row.digest for row in settled.statements.of_manager(HER, "2026-10")}
    assert len(digests) == 2


def test_a_resettlement_gives_no_reason_to_what_was_settled_while_the_month_was_open(
    settled: Service,
) -> None:
    append(settled, reversal(APPEALED, "1"))
    settled.settle(OCTOBER, "B01", None, by="clerk")
    append(settled, reversal("appeal:1", "2"))
    close(settled)
    resettled(settled, "as it was in version 2", reversal("appeal:2", "3"))
    assert reasons(settled) == [None, None, None, "as it was in version 2"]


def test_a_history_has_the_measures_of_branch_and_team_that_a_statement_read(
    settled: Service,
) -> None:
    def measure(number: str, value: str, **scope: str) -> dict[str, Any]:
        scope = {"branch": "B01", "item": "minimum_wage"} | scope
        return entry("measure", number, "2026-10", value=value, **scope)

    team = {"team": settled.places.place_of(HER, OCTOBER).team or "", "item": "target.group_count"}
    append(settled, measure("unread", "1", item="nobody_reads"), measure("B02", "1", branch="B02"))
    append(settled, measure("other-team", "5", **{**team, "team": "T-other"}))
    append(settled, measure("target", "5", **team), measure("wage", "1600"))
    settled.settle(OCTOBER, "B01", None, by="clerk")
    append(settled, reversal("later:wage", "1"))
    settled.settle(OCTOBER, "B01", None, by="clerk")
    append(settled, reversal("later:unread", "2"), measure("late", "1700"))
    assert moved(settled) == ["test:0", "later:target", "later:wage", "appeal:1"]
    assert [event.why for event in history(settled, HER, OCTOBER).events if event.type == "entry"][
        -1
    ] == "申诉成立"
    only_first = history(
        settled, HER, OCTOBER, as_of=str(settled.statements.of_manager(HER, "2026-10")[0].position)
    )
    assert [key_of(e) for e in only_first.events if is_of_branch(e)] == ["test:0"]


def is_of_branch(event: HistoryEvent) -> bool:
    return isinstance(event, EntryEvent) and (
        ("branch" in event.entry and event.entry["kind"] == "measure")
        or event.entry["kind"] == "reversal"
    )


def key_of(event: HistoryEvent) -> str:
    assert isinstance(event, EntryEvent)
    return source_of(event.entry)


def moved(service: Service) -> list[str]:
    return [key_of(event) for event in history(service, HER, OCTOBER).events if is_of_branch(event)]


def test_what_was_not_settled_was_moved_by_no_measure(october: Service) -> None:
    assert moved(october) == []


def test_a_figure_of_earlier_statements_names_them_by_month_and_version(settled: Service) -> None:
    november = Sheet()
    november.branch("minimum_wage", "1500", month="2026-11", source="november")
    append(settled, *november)
    settled.settle(Period.parse("2026-11"), "B01", None, by="clerk")
    append(settled, reversal(APPEALED, "1"))
    settled.settle(
        OCTOBER, "B01", None, by="clerk"
    )  # version 2 of October counts, version 1 does not
    year = Period.parse("2026")
    settled.settle(year, "B01", "elastic-pay-year", by="hr")
    found = explain(settled, HER, year, "elastic-pay-year")
    step = trace(found, "average_points")
    # October: 905 + 1000 + 180; November: nothing sold or rated, third of ten, so tier 2: 1025 +
    # 1000.
    assert step.value == "2055"
    assert [(row.period, row.number) for row in found.statements.values()] == [
        ("2026-11", 1),
        ("2026-10", 2),
    ]
    assert set(step.positions) == set(found.statements)
    assert list(found.statements.values())[1].steps["total_points"] == "2085"
    assert all(position not in found.entries for position in found.statements)


WEIGHED = text_of(
    {
        "mark score": "refuse('out_of_bounds') if count(branch) > 99 else mean(rated, weights=w)",
        "pay yuan": "round(max(per * mark + adjusted, minimum_wage), 2)",
    },
    inputs={
        "rated": {
            "unit": "score",
            "read": "rating",
            "items": {"speed": {"zh": "速度", "en": "Speed"}, "care": {"zh": "服务", "en": "Care"}},
        },
        "adjusted": {"unit": "yuan", "read": "adjustment", "take": "yuan"},
        "minimum_wage": {"unit": "yuan", "read": "measure", "of": "branch", "missing": "refuse"},
    },
    tables={"w": {"unit": "ratio", "rows": {"speed": "0.4", "care": "0.6"}}},
    parameters={"per yuan/score": "30"},
    id="weighed-pay",
    period="month",
)


def test_a_month_paid_by_a_weighted_mean_is_explained_and_closes_with_a_clawback(
    book: Service,
) -> None:
    book.publish(WEIGHED, file="weighed", by="hr")
    book.rulebooks.pay_by("B02", ["weighed-pay"], OCTOBER.first, by="hr")
    record(book, works("M1", "2026-10"), floor("2026-10", "B02"), floor("2026-11", "B02"))
    for month in ("2026-10", "2026-11"):
        for item, score in {"speed": "90", "care": "80"}.items():
            record(
                book, entry("rating", f"{item}{month}", month, manager="M1", item=item, score=score)
            )
    cycle = close(book, OCTOBER, "B02")
    record(book, entry("adjustment", "x", "2026-10", manager="M1", amount="-100", reason="r"))
    book.resettle(cycle, "更正", by="hr")
    close(book, NOVEMBER, "B02")
    assert payable(book, NOVEMBER, "B02") == {"M1": ("2520", "0", "100", "2420")}
    mark = trace(explain(book, "M1", OCTOBER), "mark")
    assert mark.value == "84"
    assert mark.figures.en == (
        "refused (outside the bounds) if 1〔people of the branch〕 > 99, otherwise "
        "(90 × 0.4 + 80 × 0.6) ÷ (0.4 + 0.6) (half up, 6 places)"
    )
