"""How events are written down, and that they come back as they were."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import uuid4

import pytest
from eventsourcing.utils import resolve_topic

from domain.ledger.acceptance import Draft
from domain.ledger.event_json import JsonTranscoder, LedgerMapper, entry_state, stamp
from domain.ledger.events import (
    BY_TOPIC,
    ENTRY_EVENTS,
    EVENTS,
    Event,
    ReplayRun,
    ReversalRecorded,
    StatementIssued,
)
from tests.store import entries
from tests.worksheet import Ledger

AT = datetime(2026, 11, 3, 8, 30, 0, 5, tzinfo=UTC)
MAPPER = LedgerMapper(JsonTranscoder())


def one_of_each() -> list[Event]:
    sheet = Ledger()
    sheet.hire("M1", note="调入", attributes={"industry": "education", "level": "3", "key": True})
    sheet.put("deduction", "M1", "bundling_rate", points="120")
    sheet.put("sale", "M1", "group_count", quantity="0.5", amount="12.30", occurred_on="2026-10-07")
    sheet.put("rating", "M1", "initiative", score="90", rater="M2", rater_level="peer")
    sheet.put("adjustment", "M1", points="-5", reason="核减")
    sheet.branch("minimum_wage", "1000")
    sheet.reverse(sheet[1])
    place = {"originator_id": uuid4(), "originator_version": 3, "by": "李四", "at": AT}
    chain = {
        "position": 2,
        "root": "deduction",
        "month": "2026-10",
        "manager": "M1",
        "item": "bundling_rate",
    }
    found: list[Event] = [
        ENTRY_EVENTS[entry.kind](
            entry=entry,
            **place,
            **(chain | {"branch": None, "team": None} if entry.kind == "reversal" else {}),
        )
        for entry in entries(sheet)
    ]
    statement = {
        "manager": "M1",
        "period": "2026-10",
        "branch": "B01",
        "team": "T1",
        "rulebook": "elastic-pay",
    }
    found.append(
        StatementIssued(
            version="3.0.0",
            position=9,
            digest="ab",
            steps={"pay": "1635"},
            warnings=({"code": "x"},),
            **statement,
            **place,
        )
    )
    found.append(ReplayRun(parameters={"period": ["2026-10"]}, digests=("ab",), **place))
    return found


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    stored = MAPPER.to_stored_event(event)
    assert (stored.topic, stored.originator_version) == (event.TOPIC, 3)
    assert MAPPER.to_domain_event(stored) == event


def test_a_topic_is_a_name_of_its_own_that_the_library_resolves() -> None:
    assert len(BY_TOPIC) == len(EVENTS)
    for event in EVENTS:
        assert "." not in event.TOPIC
        assert resolve_topic(event.TOPIC) is event


def test_personal_text_stands_in_its_own_part_only() -> None:
    sheet = Ledger()
    sheet.hire("M1", note="从外地调入")
    sheet[0]["name"] = "张三丰"
    sheet.put("adjustment", "M1", points="1", reason="家中有事")
    for entry, words in zip(entries(sheet), (["张三丰", "从外地调入"], ["家中有事"]), strict=True):
        event = ENTRY_EVENTS[entry.kind](
            originator_id=uuid4(), originator_version=1, by="x", at=AT, entry=entry
        )
        state = json.loads(MAPPER.to_stored_event(event).state)
        personal = state.pop("personal")
        assert sorted(personal.values()) == sorted(words)
        assert not any(word in json.dumps(state, ensure_ascii=False) for word in words)


def test_when_is_stored_in_utc_to_the_microsecond() -> None:
    beijing = datetime(2026, 11, 3, 16, 30, tzinfo=timezone(timedelta(hours=8)))
    assert json.loads(stamp("x", beijing) + b"}") == {
        "at": "2026-11-03T08:30:00.000000Z",
        "by": "x",
    }


def test_an_entry_is_stored_alike_by_the_mapper_and_by_the_quick_way() -> None:
    for event in one_of_each():
        if isinstance(event, ReversalRecorded) or event.TOPIC not in {
            e.TOPIC for e in ENTRY_EVENTS.values()
        }:
            continue
        draft = Draft.of(event.entry, stamp(event.by, event.at))  # type: ignore[attr-defined]
        assert (
            entry_state(draft.stamp, event.salt.encode(), draft.body, {})
            == MAPPER.to_stored_event(event).state
        )


def test_every_event_has_salt_of_its_own() -> None:
    assert len({event.salt for event in one_of_each()}) == len(one_of_each())
    assert all(len(bytes.fromhex(event.salt)) == 16 for event in one_of_each())


def test_equal_facts_have_equal_digests_and_others_have_not() -> None:
    sheet = Ledger()
    base = sheet.put("sale", "M1", "a", quantity="12.5")
    same = [
        base | {"quantity": "12.50"},
        base | {"quantity": "012.5", "note": None},
        base | {"attributes": {}},
    ]
    other = [
        base | {"quantity": "12.51"},
        base | {"note": "x"},
        base | {"occurred_on": "2026-10-01"},
    ]
    digest = entries([base])[0].digest()
    assert {entry.digest() for entry in entries(same)} == {digest}
    assert digest not in {entry.digest() for entry in entries(other)}
    assert entries([base])[0].content()["quantity"] == "12.5"
    assert entries([base])[0].quantity == Decimal("12.50")  # type: ignore[union-attr]
