"""What becomes of an entry: one table, decided in four ways that must agree.

Each case says what is in the ledger and what is sent, in this order. It is decided by the pure
function, by the store on SQLite and on PostgreSQL, and by the function in the server of PostgreSQL,
which leaves what it cannot decide to the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import pytest

from domain.entries.entry import AnyEntry
from domain.entries.parsing import parse_entry
from domain.ledger.acceptance import BatchContext, Decision, Draft, decide
from domain.ledger.append import Outcome, append_expecting_new
from domain.ledger.ledger import Ledger
from projections.store.database import database_of, open_ledger
from tests.conftest import Server
from tests.store import fact_rows

Raw = dict[str, Any]


class Case(NamedTuple):
    """Entries in the ledger, entries that are sent, and what becomes of each: its status, or the
    code of the reason why it is refused. The server leaves reversals to the store, and what is said
    to be `left`, by its place among what is sent.
    """

    name: str
    before: list[Raw]
    sent: list[Raw]
    expected: str
    left: tuple[int, ...] = ()


def entry(kind: str, number: str, **fields: Any) -> Raw:
    raw = {"kind": kind, "source": "t", "source_id": number, "manager": "M1", "month": "2026-10"}
    return {name: value for name, value in (raw | fields).items() if value is not None}


def hired(number: str, manager: str = "M1", **fields: Any) -> Raw:
    place = {"name": "钱", "branch": "B1", "team": "T1", "role": "clerk", "grade": 6}
    return entry("assignment", number, manager=manager, **(place | fields))


def sold(number: str, manager: str = "M1", **fields: Any) -> Raw:
    return entry("sale", number, manager=manager, **({"item": "phones", "quantity": "2"} | fields))


def posted(number: str, **fields: Any) -> Raw:
    owed = {"source": "merit", "source_id": f"posting-{number}", "item": "back_pay"}
    return entry("adjustment", number, **(owed | {"amount": "5", "reason": "r"} | fields))


def measured(number: str, **scope: Any) -> Raw:
    value = {"item": "target", "value": "-7.5", "manager": None}
    return entry("measure", number, **(value | scope))


def reversed_by(number: str, named: Raw, reason: str = "错") -> Raw:
    key = {"source": named["source"], "source_id": named["source_id"]}
    return entry("reversal", number, manager=None, month=None, reverses=key, reason=reason)


HIRED, SOLD = hired("h"), sold("s")
UNHIRED, UNSOLD = reversed_by("u", HIRED), reversed_by("v", SOLD)
REHIRED, RESOLD = reversed_by("w", UNHIRED), reversed_by("x", UNSOLD)
LONG = {f"key{number}": f"{number:03}" * 60 for number in range(60)}

CASES = [
    # who works where
    Case("who works here", [HIRED], [SOLD], "accepted"),
    Case("who works here for long", [hired("h", month="2020-01")], [SOLD], "accepted"),
    Case("who comes later", [hired("h", month="2026-11")], [SOLD], "no_assignment"),
    Case("who works nowhere", [], [SOLD], "no_assignment"),
    Case("another works here", [hired("h", "M2")], [SOLD], "no_assignment"),
    Case("who has left", [HIRED, hired("l", role="left", month="2026-11")],
         [sold("s", month="2026-12")], "accepted"),
    Case("hired in the same call", [], [HIRED, SOLD], "accepted accepted"),
    Case("hired in the same call, too late", [], [SOLD, HIRED], "no_assignment accepted"),
    Case("hired in the same call, and refused", [HIRED],
         [hired("h", "M2"), sold("s", "M2")], "conflict no_assignment"),
    Case("the assignment was reversed", [HIRED, UNHIRED], [SOLD], "no_assignment", left=(0,)),
    Case("the assignment counts again", [HIRED, UNHIRED, REHIRED], [SOLD], "accepted", left=(0,)),
    Case("one of two assignments was reversed", [HIRED, hired("i"), UNHIRED],
         [SOLD, hired("j")], "accepted accepted", left=(0,)),
    Case("the earlier of two was reversed", [hired("i", month="2026-11"), HIRED, UNHIRED],
         [SOLD], "no_assignment", left=(0,)),
    Case("a reversal of another's assignment",
         [HIRED, hired("i", "M2"), reversed_by("r", hired("i", "M2"))], [SOLD], "accepted"),
    # kinds
    Case("a deduction", [HIRED], [entry("deduction", "d", item="late", points="0.5")], "accepted"),
    Case("a rating", [HIRED], [entry("rating", "r", item="care", score="-3", rater="M9",
         rater_level="peer")], "accepted"),
    Case("an adjustment", [HIRED], [entry("adjustment", "a", points="-1", reason="r")], "accepted"),
    Case("a deduction of nobody", [], [entry("deduction", "d", item="late", points="1")],
         "no_assignment"),
    Case("a rating of nobody", [], [entry("rating", "r", item="care", score="1")], "no_assignment"),
    Case("an adjustment of nobody", [], [entry("adjustment", "a", points="1", reason="r")],
         "no_assignment"),
    Case("a measure of a branch", [], [measured("m", branch="B1")], "accepted"),
    Case("a measure of a team", [], [measured("m", branch="B1", team="T1")], "accepted"),
    Case("a measure of a manager", [HIRED], [measured("m", manager="M1")], "accepted"),
    Case("a measure of nobody", [], [measured("m", manager="M1")], "no_assignment"),
    # keys
    Case("sent again", [HIRED, SOLD], [SOLD], "duplicate"),
    Case("sent twice in one call", [HIRED], [SOLD, SOLD], "accepted duplicate"),
    Case("sent again, written in another way", [HIRED, SOLD],
         [sold("s", quantity=2, attributes={}, note=None)], "duplicate"),
    Case("other content", [HIRED, SOLD], [sold("s", quantity="3")], "conflict"),
    Case("other content at once", [HIRED], [SOLD, sold("s", quantity="3")], "accepted conflict"),
    Case("other personal text", [HIRED, SOLD], [sold("s", note="另一说明")], "conflict"),
    Case("of another source", [HIRED, SOLD], [sold("s", source="u")], "accepted"),
    Case("a refused entry leaves its key free", [], [SOLD, HIRED, SOLD],
         "no_assignment accepted accepted"),
    Case("sent again after it was reversed", [HIRED, SOLD, UNSOLD], [SOLD], "duplicate"),
    Case("sent again after the assignment was reversed", [HIRED, SOLD, UNHIRED],
         [SOLD, sold("s", quantity="3")], "duplicate conflict"),
    Case("under the key of a reversal", [HIRED, SOLD, UNSOLD], [sold("v")], "conflict"),
    # reversals
    Case("a reversal", [HIRED, SOLD], [UNSOLD], "accepted"),
    Case("a reversal of an assignment", [HIRED], [UNHIRED], "accepted"),
    Case("a reversal of a measure", [measured("m", branch="B1")],
         [reversed_by("r", measured("m"))], "accepted"),
    Case("a reversal in the same call", [HIRED], [SOLD, UNSOLD], "accepted accepted"),
    Case("a reversal of nothing", [HIRED], [UNSOLD], "unknown_entry"),
    Case("a reversal of what is refused", [], [SOLD, UNSOLD], "no_assignment unknown_entry"),
    Case("a second reversal", [HIRED, SOLD, UNSOLD], [reversed_by("r", SOLD)], "already_reversed"),
    Case("a second reversal in the same call", [HIRED, SOLD],
         [UNSOLD, reversed_by("r", SOLD)], "accepted already_reversed"),
    Case("a reversal of a reversal", [HIRED, SOLD, UNSOLD], [RESOLD], "accepted"),
    Case("a reversal of a reversal in the same call", [HIRED, SOLD], [UNSOLD, RESOLD],
         "accepted accepted"),
    Case("reversed again after it counted again", [HIRED, SOLD, UNSOLD, RESOLD],
         [reversed_by("r", SOLD)], "accepted"),
    Case("a reversal sent again", [HIRED, SOLD, UNSOLD], [UNSOLD], "duplicate"),
    Case("a reversal with another reason", [HIRED, SOLD, UNSOLD],
         [reversed_by("v", SOLD, "又")], "conflict"),
    # postings
    Case("a posting, wherever its person works", [], [posted("1")], "accepted"),
    Case("a posting to who was reversed", [HIRED, UNHIRED], [posted("1")], "accepted"),
    Case("a posting of another source", [], [posted("1", source="hr")], "no_assignment"),
    Case("no posting of the service", [], [posted("1", source_id="seat-1")], "no_assignment"),
    Case("a reversal of a posting", [posted("1")], [reversed_by("r", posted("1"))], "is_posting"),
    Case("a reversal of a posting that is not there", [], [reversed_by("r", posted("1"))],
         "is_posting"),
    Case("a reversal of what is no posting", [HIRED, posted("1", source="hr")],
         [reversed_by("r", posted("1", source="hr"))], "accepted"),
    # texts
    Case("many new texts in one call", [],
         [hired("h", branch="N1", team="N2", role="N3"),
          sold("s", item="N1"), hired("i", "N2"), sold("t", "N2", item="M1")],
         "accepted accepted accepted accepted"),
    Case("attributes", [], [hired("h", attributes={"industry": "教育", "key": True}),
         hired("i", attributes={"key": True, "industry": "教育"}),
         sold("s", attributes={"gift": False})], "accepted accepted accepted"),
    Case("attributes too long for an ordered index", [],
         [hired("h", attributes=LONG), hired("i", "M2", attributes=LONG)], "accepted accepted"),
    Case("personal text with all sorts of signs", [],
         [hired("h", name="O'Brien \"\\ $$ {x}", note="一\n二 % ?")], "accepted"),
]  # fmt: skip


def entries(number: int, raws: list[Raw]) -> list[AnyEntry]:
    """The entries of a case with names of its own, so that many cases share a ledger."""

    def own(raw: Raw) -> Raw:
        named = {name: own(part) if isinstance(part, dict) else part for name, part in raw.items()}
        for name in ("source_id", "manager", "branch"):
            if name in named:
                named[name] = f"{named[name]}.{number}"
        return named

    return [parse_entry(own(raw)) for raw in raws]


def words(decisions: list[Decision] | list[Outcome]) -> str:
    """The status of each, or the code of the reason why it was refused."""
    return " ".join(d.reasons[0].code if d.reasons else d.status for d in decisions)


EACH = pytest.mark.parametrize(
    ("number", "case"), list(enumerate(CASES)), ids=[case.name for case in CASES]
)


@EACH
def test_the_pure_function_decides(number: int, case: Case) -> None:
    drafts = [Draft.of(each) for each in entries(number, [*case.before, *case.sent])]
    decisions = decide(drafts, BatchContext())
    stored = len(case.before)
    assert {decision.status for decision in decisions[:stored]} <= {"accepted"}
    assert words(decisions[stored:]) == case.expected


def prepared(ledger: Ledger, number: int, case: Case) -> list[Draft]:
    """The drafts of what is sent; what is there before is in the ledger."""
    for each in entries(number, case.before):
        assert ledger.append([each], by="x")[0].status == "accepted"
    return [Draft.of(each, b'{"by":"x"') for each in entries(number, case.sent)]


def by_store(ledger: Ledger, drafts: list[Draft]) -> list[Outcome]:
    """What the store makes of the drafts, in this order."""
    return append_expecting_new(ledger._store, drafts, range(len(drafts)))[0]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ledger]:
    """One ledger for all cases, on each database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('decisions')}/ledger.db"
    else:
        url = request.getfixturevalue("postgres").empty_ledger()
    with open_ledger(url) as ledger:
        yield ledger


@EACH
def test_the_store_decides(number: int, case: Case, shared: Ledger) -> None:
    drafts = prepared(shared, number, case)
    before = shared.position()
    outcomes = by_store(shared, drafts)
    assert words(outcomes) == case.expected
    accepted = [outcome.position for outcome in outcomes if outcome.status == "accepted"]
    assert sorted(accepted) == list(range(before + 1, shared.position() + 1))
    assert len(accepted) == shared.position() - before
    for draft, outcome in zip(drafts, outcomes, strict=True):
        if outcome.status in {"accepted", "duplicate"}:
            assert outcome.position is not None
            assert shared.event_at(outcome.position).entry.key == draft.key  # type: ignore[attr-defined]
        else:
            assert outcome.position is None


@pytest.fixture(scope="module")
def pair(postgres: Server) -> Iterator[tuple[Ledger, Ledger]]:
    """Two ledgers on PostgreSQL: one for the function in the server, one for the store."""
    with open_ledger(postgres.empty_ledger()) as one, open_ledger(postgres.empty_ledger()) as other:
        yield one, other


@EACH
def test_the_function_in_the_server_decides_and_writes_the_same(
    number: int, case: Case, pair: tuple[Ledger, Ledger]
) -> None:
    by_function, other = pair
    drafts = prepared(by_function, number, case)
    found = by_function._store.append_in_one_trip(drafts)
    left = [place for place, outcome in enumerate(found) if outcome is None]
    reversals = [place for place, draft in enumerate(drafts) if draft.reversed_key is not None]
    assert left == sorted({*case.left, *reversals})
    outcomes = dict(enumerate(found)) | dict(
        zip(left, by_store(by_function, [drafts[place] for place in left]), strict=True)
    )
    assert words([outcome for outcome in outcomes.values() if outcome]) == case.expected
    by_store(other, prepared(other, number, case))
    assert written(by_function, number) == written(other, number)


def written(ledger: Ledger, number: int) -> tuple[list[Any], ...]:
    """What a case left in a ledger, whatever was written first: its facts, keys and events."""
    mine = f".{number}"
    facts = [
        {name: value for name, value in row.items() if name not in {"position", "reverses"}}
        for row in fact_rows(ledger)
        if row["manager"].endswith(mine) or row["branch"].endswith(mine)
    ]
    with database_of(ledger).reading() as connection:
        keys = connection.fetch(
            "SELECT source, source_id, digest FROM keys WHERE source_id LIKE ?", (f"%{mine}",)
        )
        events = connection.fetch(
            "SELECT originator_id, originator_version, topic, state FROM stored_events "
            "ORDER BY originator_id, originator_version"
        )
    versions: dict[UUID, int] = {}
    states = []
    for stream, version, topic, state in events:
        versions[stream] = versions.get(stream, 0) + 1
        assert version == versions[stream]
        if f'{mine}"'.encode() in bytes(state):
            states.append((stream, topic, _without_salt(orjson.loads(bytes(state)))))
    return (
        sorted(facts, key=repr),
        sorted((*key, bytes(digest)) for *key, digest in keys),
        sorted(states, key=repr),
    )


def _without_salt(state: Raw) -> Raw:
    assert len(bytes.fromhex(state["salt"])) == 16
    assert state["at"].endswith("Z")
    return {name: part for name, part in state.items() if name not in {"salt", "at", "position"}}
