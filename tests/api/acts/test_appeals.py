"""Appeals through both doors: what one refuses, hides or records, the other does too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, get_args

import orjson
import pytest

from api.documents.appeals import StateName
from domain.identifiers import Period
from domain.processes.appeal import STATES
from domain.rights import Role, Seat
from projections.month.cycle import Cycle
from tests.api.service import Service
from tests.command_line import merit
from tests.store import entries
from tests.ten_people import APPEALED, DISPLACED, HER, ten_people
from tests.worksheet import Ledger as Sheet

SEATS = {
    "hers": Seat(Role.MANAGER, manager=HER),
    "colleague": Seat(Role.MANAGER, manager=DISPLACED),
    "leader": Seat(Role.BRANCH_LEADER, "B01"),
    "elsewhere": Seat(Role.BRANCH_LEADER, "B02"),
    "handler": Seat(Role.HR),
    "department": Seat(Role.DEPARTMENT),
    "system": Seat(Role.INTEGRATION),
}
# Every act with an appeal, with fields that will do.
ACTS: dict[str, dict[str, Any]] = {
    "accept": {},
    "reject": {"code": "other", "reason": "r"},
    "evidence": {"note": "n"},
    "propose": {"note": "n", "entries": [{"kind": "measure"}]},
    "decide": {"decision": "dismissed", "reason": "r"},
    "notify": {},
    "withdraw": {},
    "review": {"reason": "r"},
}
SOURCE, _, NUMBER = APPEALED.partition(":")
REVERSAL = {"kind": "reversal", "reverses": {"source": SOURCE, "source_id": NUMBER}}


class Answer(NamedTuple):
    """What a door answers: a document, or the words of a refusal."""

    document: Any
    refusal: str = ""


class Door(Protocol):
    """Does an act with an appeal as somebody. `said`: the fields of the act by their HTTP names."""

    def ask(self, who: str, act: str, name: str = "", **said: Any) -> Answer: ...


class Http:
    """Appeals over HTTP."""

    def __init__(self, service: Service, keys: dict[str, str]) -> None:
        self.service, self.keys = service, keys

    def ask(self, who: str, act: str, name: str = "", **said: Any) -> Answer:
        headers = {"X-API-Key": self.keys[who]}
        if act in {"list", "show"}:
            address = f"/v1/appeals/{name}" if name else "/v1/appeals"
            response = self.service.get(address, params=said, headers=headers)
        else:
            path = {"file": "", "propose": f"/{name}/evidence"}.get(act, f"/{name}/{act}")
            response = self.service.post(f"/v1/appeals{path}", json=said, headers=headers)
        if response.status_code < 400:
            return Answer(response.json())
        return Answer(None, response.text)


class CommandLine:
    """Appeals by `merit appeal …`."""

    ARGUMENTS = ("manager", "period", "decision", "entries")

    def __init__(self, database: str, folder: Path) -> None:
        self.database, self.folder = database, folder

    def ask(self, who: str, act: str, name: str = "", **said: Any) -> Answer:
        words = [name] if name else []
        if "entries" in said:
            file = self.folder / "entries.jsonl"
            file.write_bytes(b"".join(orjson.dumps(entry) + b"\n" for entry in said["entries"]))
            said["entries"] = file
        if act != "list":
            words += [said.pop(word) for word in self.ARGUMENTS if word in said]
        for field, value in said.items():
            option = f"--{field.removesuffix('s').replace('_', '-')}"
            option = "--as-of" if field == "as_of" else option
            for one in value if isinstance(value, list) else [value]:
                words += [option, one]
        run = merit("appeal", act, *words, "--as", who, "--json", database=self.database)
        assert run.status in {0, 2}, run.err
        return Answer(run.json) if run.status == 0 else Answer(None, run.err)


@pytest.fixture
def keys(service: Service) -> dict[str, str]:
    """An account of each role, over the ten people of October, settled."""
    ledger = service.app.state.service
    ledger.ledger.append(entries(ten_people()), by="system")
    ledger.settle(Period.parse("2026-10"), "B01", None, by="clerk")
    return {
        name: ledger.accounts.keys.create(name, by="root", seats=[seat])[0]
        for name, seat in SEATS.items()
    }


@pytest.fixture(params=[Http, CommandLine], ids=["http", "command line"])
def door(
    request: pytest.FixtureRequest,
    service: Service,
    keys: dict[str, str],
    database_url: str,
    tmp_path: Path,
) -> Door:
    if request.param is Http:
        return Http(service, keys)
    return CommandLine(database_url, tmp_path)


@pytest.fixture
def file_one(door: Door) -> Callable[[], str]:
    """Files an appeal of hers: its name."""

    def file() -> str:
        filed = door.ask("hers", "file", manager=HER, period="2026-10", reason="有误")
        name: str = filed.document["appeal"]
        return name

    return file


def test_evidence_names_only_replays_that_its_giver_may_see(
    door: Door, service: Service, file_one: Callable[[], str]
) -> None:
    """Of the whole province, or of another branch, the leader of B01 may see none."""
    name = file_one()
    for branches, who, allowed in (
        ([], "leader", False),
        ([], "hers", False),
        (["B01"], "leader", True),
        (["B01"], "hers", False),
        ([], "department", True),
    ):
        asked = {"periods": ["2026-10"], "branches": branches}
        run = service.post("/v1/replays", json=asked).json()["id"]
        before = service.position
        given = door.ask(who, "evidence", name, note="n", replay=run)
        assert (given.document is not None) == allowed, (who, branches, given.refusal)
        assert (service.position > before) == allowed


def test_an_appellant_sees_of_others_only_what_the_appeal_has_moved(
    door: Door, service: Service, file_one: Callable[[], str]
) -> None:
    """Late deductions of others are posted by the same resettlement: M07's is all their own, M04
    falls a tier by the appeal (-200) and has one beside.
    """
    ledger = service.app.state.service
    cycle = Cycle(ledger, Period.parse("2026-10"), "B01")
    ledger.close_month(cycle, by="payroll", note=None, known_version=None)
    late = Sheet()
    for manager in ("M04", "M07"):
        late.put("deduction", manager, "arrears_recovery", points="50", source="late")
    ledger.ledger.append(entries(late), by="system")
    name = file_one()
    door.ask("handler", "accept", name)
    asked = {"note": "n", "entries": [REVERSAL | {"reason": "重复"}]}
    assert door.ask("handler", "propose", name, **asked).document
    decided = door.ask("department", "decide", name, decision="upheld", reason="r", proposal=1)
    assert decided.document["state"] == "carried_out", decided
    everything = {(HER, "back_pay", "450"), ("M04", "clawback", "250"), ("M07", "clawback", "50")}
    for who, postings in (
        ("department", everything),
        ("leader", everything),
        ("hers", {(HER, "back_pay", "450"), ("M04", "clawback", "200")}),
    ):
        shown = door.ask(who, "show", name).document["postings"]
        assert {(p["manager"], p["item"], p["amount"]) for p in shown} == postings, who


@pytest.mark.parametrize("item", ["back_pay", "clawback"])
def test_postings_are_proposed_by_whoever_may_resettle_alone(
    door: Door, file_one: Callable[[], str], item: str
) -> None:
    name = file_one()
    assert door.ask("handler", "accept", name).document["state"] == "accepted"
    posting = {"kind": "adjustment", "manager": HER, "month": "2026-10", "item": item}
    correction = {"note": "n", "entries": [posting | {"amount": "5000"}]}
    assert "(resettle)" in door.ask("department", "propose", name, **correction).refusal
    assert door.ask("handler", "show", name).document["proposals"] == []
    assert door.ask("handler", "propose", name, **correction).document["proposals"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"amount": "-5"}, "must be above 0"),
        ({"amount": "0.005"}, "whole cents"),
        ({"points": "5"}, "paid in yuan"),
    ],
)
def test_a_correction_posts_yuan_above_0_in_whole_cents(
    door: Door, file_one: Callable[[], str], fields: dict[str, str], why: str
) -> None:
    name = file_one()
    door.ask("handler", "accept", name)
    posting = {"kind": "adjustment", "manager": HER, "month": "2026-10", "item": "back_pay"}
    correction = {"note": "n", "entries": [posting | fields]}
    assert why in door.ask("handler", "propose", name, **correction).refusal
    assert door.ask("handler", "show", name).document["proposals"] == []


@pytest.mark.parametrize("act", ["show", *ACTS])
def test_an_appeal_is_looked_for_by_those_who_have_the_right_and_acted_on_where_they_have_it(
    door: Door, file_one: Callable[[], str], service: Service, act: str
) -> None:
    name, fields = file_one(), ACTS.get(act, {})
    reached = service.position
    assert "there is no appeal A1" in door.ask("handler", act, "A1", **fields).refusal
    for who, other in (("system", "A1"), ("colleague", name)):
        assert "may not do this" in door.ask(who, act, other, **fields).refusal
    assert service.position == reached


def test_the_appeals_of_a_person_are_asked_for_by_whoever_may_read_them(
    door: Door, file_one: Callable[[], str]
) -> None:
    name = file_one()
    for who in ("hers", "leader", "department"):
        listed = door.ask(who, "list", manager=HER).document["appeals"]
        assert [appeal["appeal"] for appeal in listed] == [name]
    for who in ("colleague", "elsewhere"):
        assert "(read_appeals)" in door.ask(who, "list", manager=HER).refusal
        assert door.ask(who, "list").document["appeals"] == []


def test_appeals_are_listed_by_state_and_period_and_not_by_a_word_that_is_no_state(
    door: Door, file_one: Callable[[], str]
) -> None:
    first, second = file_one(), file_one()
    door.ask("handler", "accept", second)

    def listed(**filters: str) -> list[tuple[str, str]]:
        found = door.ask("handler", "list", **filters).document
        assert found["next"] is None
        return [(appeal["appeal"], appeal["state"]) for appeal in found["appeals"]]

    both = [(first, "filed"), (second, "accepted")]
    assert listed() == listed(period="2026-10") == listed(branch="B01") == both
    assert listed(state="accepted") == both[1:]
    assert listed(period="2026-11") == listed(branch="B02") == []
    for wrong in ({"state": "done"}, {"period": "October"}, {"branch": "B 1"}):
        assert next(iter(wrong)) in door.ask("handler", "list", **wrong).refusal


def test_the_states_to_list_by_are_those_of_an_appeal() -> None:
    assert set(get_args(StateName)) == set(STATES)


def test_an_appeal_is_read_as_of_a_position_and_what_was_not_filed_by_then_leaves_no_trace(
    door: Door, file_one: Callable[[], str], service: Service
) -> None:
    before = service.position
    name = file_one()
    filed = service.position
    door.ask("handler", "accept", name)
    assert "there is no appeal" in door.ask("leader", "show", name, as_of=str(before)).refusal
    reads = service.app.state.service.statement_reads
    assert reads.page(HER, limit=10) == ([], None)
    assert door.ask("leader", "show", name).document["state"] == "accepted"
    assert door.ask("leader", "show", name, as_of=str(filed)).document["state"] == "filed"
    assert [read.by for read in reads.page(HER, limit=10)[0]] == ["leader", "leader"]


def test_a_text_that_is_too_long_or_blank_is_refused_by_every_act_and_nothing_is_recorded(
    door: Door, file_one: Callable[[], str], service: Service
) -> None:
    name = file_one()
    reached = service.position
    for act, fields in ACTS.items():
        field = "reason" if "reason" in fields or act == "withdraw" else "note"
        for wrong in ("字" * 2001, " "):
            refusal = door.ask("handler", act, name, **fields | {field: wrong}).refusal
            assert field in refusal, act
            assert "2000" in refusal or "empty" in refusal, refusal
    assert service.position == reached


def test_words_that_are_none_of_the_act_are_refused(
    door: Door, file_one: Callable[[], str]
) -> None:
    name = file_one()
    for act, wrong in (
        ("reject", {"code": "late"}),
        ("decide", {"decision": "granted"}),
        ("decide", {"proposal": 0}),
        ("evidence", {"replay": 0}),
    ):
        assert next(iter(wrong)) in door.ask("handler", act, name, **ACTS[act] | wrong).refusal
    assert door.ask("handler", "show", name).document["version"] == 1


def test_a_correction_has_at_most_a_hundred_entries(
    door: Door, file_one: Callable[[], str]
) -> None:
    name = file_one()
    door.ask("handler", "accept", name)
    refusal = door.ask("handler", "propose", name, note="n", entries=[REVERSAL] * 101).refusal
    assert "100" in refusal


def test_both_doors_answer_with_the_same_document(
    service: Service, keys: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    http, command = Http(service, keys), CommandLine(database_url, tmp_path)
    asked = {"manager": HER, "period": "2026-10", "reason": " 有误 ", "lines": ["deduction"]}
    name = command.ask("hers", "file", **asked).document["appeal"]
    command.ask("handler", "evidence", name, note="凭证")
    http.ask("handler", "accept", name)
    command.ask("handler", "propose", name, note="重复计入", entries=[REVERSAL])
    decision = {"decision": "upheld", "reason": "属实", "proposal": 1}
    decided = http.ask("department", "decide", name, **decision).document
    assert command.ask("hers", "show", name).document == decided
    assert http.ask("hers", "show", name).document == decided
    assert (decided["reason"], decided["rejected"]) == ("有误", None)
    assert [line["what"] for line in decided["history"]] == [
        "appeal-filed", "evidence-attached", "appeal-accepted", "correction-proposed",
        "appeal-decided", "appeal-carried-out",
    ]  # fmt: skip


def test_whoever_may_not_act_on_an_appeal_learns_nothing_of_it_by_an_old_version(
    service: Service, keys: dict[str, str]
) -> None:
    http = Http(service, keys)
    asked = {"manager": HER, "period": "2026-10", "reason": "有误"}
    name = http.ask("hers", "file", **asked).document["appeal"]
    http.ask("handler", "accept", name)
    refused = service.post(
        f"/v1/appeals/{name}/evidence",
        json={"note": "n"},
        headers={"X-API-Key": keys["colleague"], "If-Match": '"1"'},
    )
    assert (refused.status_code, "appeal-accepted" in refused.text) == (403, False)
