"""What a reader sees of people who moved, left or came back: the months in which they worked within
the reader's scope, whichever period is asked for, through HTTP and on the command line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import orjson
import pytest

from domain.identifiers import Period
from domain.rights import Role, Seat
from projections.appeals import process
from projections.month.cycle import Cycle
from tests.api.service import Service
from tests.closing import acknowledge_all
from tests.command_line import merit
from tests.conftest import Files
from tests.worksheet import Ledger as Sheet

SEATS = {
    "hr": Seat(Role.HR),
    "admin": Seat(Role.ADMIN),
    "leader-b01": Seat(Role.BRANCH_LEADER, "B01"),
    "leader-c01": Seat(Role.BRANCH_LEADER, "C01"),
    "office-b01": Seat(Role.BACK_OFFICE, "B01"),
    "office-c01": Seat(Role.BACK_OFFICE, "C01"),
    "auditor-c01": Seat(Role.AUDITOR, "C01"),
    "team-t1": Seat(Role.TEAM_LEADER, "B01", "T1"),
    "team-t2": Seat(Role.TEAM_LEADER, "B01", "T2"),
    "team-c01": Seat(Role.TEAM_LEADER, "C01", "T1"),
} | {name: Seat(Role.MANAGER, manager=name) for name in ("MOVER", "INNER", "LEAVER", "RETURN")}
MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")
# Who held whom in September, October, November and December.
HELD = {
    "MOVER": {"leader-b01": "1100", "team-t1": "1100", "leader-c01": "0011", "team-c01": "0011"},
    "INNER": {"leader-b01": "1111", "team-t1": "1100", "team-t2": "0011"},
    "LEAVER": {"leader-b01": "1110", "team-t1": "1110"},
    "RETURN": {"leader-b01": "1001", "team-t1": "1001", "leader-c01": "0110", "team-c01": "0110"},
}


@pytest.fixture
def database_url(sqlite_ledgers: Files) -> str:
    """Rights ask no database: SQLite stands for both."""
    return sqlite_ledgers.begun_ledger()


@pytest.fixture
def moved(service: Service) -> Service:
    """B01 and C01 from September on; a deduction of each month of each person, and an interview."""
    sheet = Sheet()

    def hire(manager: str, month: str, **place: str) -> None:
        sheet.hire(manager, month=month, source_id=f"{manager}-{month}-at", **place)

    for branch in ("B01", "C01"):
        sheet.branch("minimum_wage", "1680", branch=branch, source=f"of-{branch}")
        hire(f"STAYS-{branch}", "2026-09", branch=branch)
    for manager in HELD:
        hire(manager, "2026-09")
    hire("MOVER", "2026-11", branch="C01")
    hire("INNER", "2026-11", team="T2")
    hire("RETURN", "2026-10", branch="C01")
    hire("RETURN", "2026-12")
    sheet.put("assignment", "LEAVER", role="left", month="2026-12", source_id="LEAVER-2026-12-left")
    for manager in HELD:
        for month in MONTHS[: 3 if manager == "LEAVER" else 4]:
            sheet.put(
                "deduction",
                manager,
                "member_retention",
                points="1",
                month=month,
                source_id=f"{manager}-{month}",
            )
    service.append(sheet)
    ledger = service.app.state.service
    for manager in HELD:
        for month in MONTHS:
            ledger.people.record_feedback(
                manager, Period.parse(month), held_on="2026-12-01", held_by="li",
                agreed=month, plan=[], by="li",
            )  # fmt: skip
    service.keys = {  # type: ignore[attr-defined]
        name: ledger.accounts.keys.create(name, by="root", seats=[seat])[0]
        for name, seat in SEATS.items()
    }
    return service


class Door(Protocol):
    """Reads as somebody: the document, or None where it is refused."""

    def history(self, who: str, manager: str, period: str) -> Any: ...

    def person(self, who: str, manager: str) -> Any: ...

    def late(self, who: str, branch: str, period: str) -> Any: ...

    def memo(self, who: str, branch: str, period: str) -> Any: ...

    def explain(self, who: str, manager: str, period: str) -> Any: ...

    def replay(self, who: str, branch: str, period: str) -> Any: ...

    def appeal(self, who: str, name: str) -> Any: ...

    def appeals(self, who: str, manager: str) -> Any: ...

    def record(self, who: str, entry: dict[str, Any]) -> bool: ...


class Http:
    """The service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def get(self, who: str, path: str) -> Any:
        key = {"X-API-Key": self.service.keys[who]}  # type: ignore[attr-defined]
        read = self.service.get(f"/v1/{path}", headers=key)
        assert read.status_code in {200, 403}, read.text
        return read.json() if read.status_code == 200 else None

    def history(self, who: str, manager: str, period: str) -> Any:
        return self.get(who, f"statements/{period}/{manager}/history")

    def person(self, who: str, manager: str) -> Any:
        return self.get(who, f"managers/{manager}")

    def late(self, who: str, branch: str, period: str) -> Any:
        return self.get(who, f"cycles/{period}/{branch}/late")

    def memo(self, who: str, branch: str, period: str) -> Any:
        return self.get(who, f"cycles/{period}/{branch}/memo")

    def explain(self, who: str, manager: str, period: str) -> Any:
        return self.get(who, f"statements/{period}/{manager}/derivation")

    def replay(self, who: str, branch: str, period: str) -> Any:
        key = {"X-API-Key": self.service.keys[who]}  # type: ignore[attr-defined]
        asked = {"periods": [period], "branches": [branch], "rulebook": YEARLY}
        answer = self.service.post("/v1/replays", json=asked, headers=key)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def appeal(self, who: str, name: str) -> Any:
        return self.get(who, f"appeals/{name}")

    def appeals(self, who: str, manager: str) -> Any:
        return self.get(who, f"appeals?manager={manager}")

    def record(self, who: str, entry: dict[str, Any]) -> bool:
        key = {"X-API-Key": self.service.keys[who]}  # type: ignore[attr-defined]
        return bool(self.service.post("/v1/entries", json=entry, headers=key).status_code == 201)


class CommandLine:
    """The command line."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database, self.folder = database, folder

    def run(self, who: str, *words: object) -> Any:
        run = merit(*words, "--as", who, "--json", database=self.database)
        assert run.status in {0, 2}, run.err
        assert run.status == 0 or "无权办理此事" in run.err, run.err
        return run.json if run.status == 0 else None

    def history(self, who: str, manager: str, period: str) -> Any:
        return self.run(who, "history", manager, period)

    def person(self, who: str, manager: str) -> Any:
        return self.run(who, "person", "show", manager)

    def late(self, who: str, branch: str, period: str) -> Any:
        return self.run(who, "cycle", "late", period, "--branch", branch)

    def memo(self, who: str, branch: str, period: str) -> Any:
        return self.run(who, "cycle", "memo", period, "--branch", branch)

    def explain(self, who: str, manager: str, period: str) -> Any:
        return self.run(who, "explain", manager, period)

    def replay(self, who: str, branch: str, period: str) -> Any:
        return self.run(who, "replay", period, "--branch", branch, "--rulebook", YEARLY)

    def appeal(self, who: str, name: str) -> Any:
        return self.run(who, "appeal", "show", name)

    def appeals(self, who: str, manager: str) -> Any:
        return self.run(who, "appeal", "list", "--manager", manager)

    def record(self, who: str, entry: dict[str, Any]) -> bool:
        file = self.folder / "entry.jsonl"
        file.write_bytes(orjson.dumps(entry) + b"\n")
        return self.run(who, "import", file) is not None


YEARLY = "elastic-pay-year"


@pytest.fixture(params=["http", "command line"])
def door(request: pytest.FixtureRequest, moved: Service, database_url: str, tmp_path: Path) -> Door:
    return Http(moved) if request.param == "http" else CommandLine(database_url, tmp_path)


def months_of(entries: Any) -> set[str]:
    """The months of entries, each as it is recorded, without reversals."""
    return {entry["month"] for entry in entries if "month" in entry}


def held(manager: str, reader: str) -> set[str]:
    flags = HELD[manager].get(reader, "0000")
    if reader in {"hr", "admin", manager}:
        flags = "1111"
    return {month for month, flag in zip(MONTHS, flags, strict=True) if flag == "1"}


READERS = [
    (manager, reader)
    for manager in HELD
    for reader in ("hr", manager, "leader-b01", "leader-c01", "team-t1", "team-t2", "team-c01")
]
PERIODS = {
    **{month: {month} for month in MONTHS},
    "2026-Q4": {"2026-10", "2026-11", "2026-12"},
    "2026-H2": set(MONTHS),
    "2026": set(MONTHS),
    "2026-Q3": {"2026-09"},
}


def test_a_history_has_the_months_in_which_the_reader_held_the_person(door: Door) -> None:
    wrong = []
    for manager, reader in READERS:
        for period, months in PERIODS.items():
            document = door.history(reader, manager, period)
            expected = held(manager, reader) & months
            if manager == "LEAVER" and reader.startswith(("leader-b01", "team-t1")):
                has_left = "2026-12" in months and period != "2026-12"
                expected |= {"2026-12"} if has_left else set()
            told = months_of(e["entry"] for e in document["events"]) if document else set()
            assignments = {month for month in told if month not in months}
            if not assignments <= held(manager, reader) or told - assignments != expected:
                wrong.append(f"{reader} {manager} {period}: {sorted(told)}, not {expected}")
    assert not wrong, "\n".join(wrong)


def test_the_trail_of_a_person_has_the_months_in_which_the_reader_held_them(
    moved: Service,
) -> None:
    wrong = []
    for manager, reader in READERS:
        for period, months in (PERIODS | {"": set(MONTHS)}).items():
            query = {"manager": manager} | ({"period": period} if period else {})
            key = {"X-API-Key": moved.keys[reader]}  # type: ignore[attr-defined]
            read = moved.get("/v1/entries", params=query, headers=key)
            expected = held(manager, reader) & months
            if (read.status_code == 403) != (not expected):
                wrong.append(f"{reader} {manager} {period}: {read.status_code}")
            if read.status_code == 200:
                entries = [line["entry"] for line in read.json()["entries"]]
                told = months_of(e for e in entries if e.get("role") != "left")
                if told != expected - ({"2026-12"} if manager == "LEAVER" else set()):
                    wrong.append(f"{reader} {manager} {period}: {sorted(told)}, not {expected}")
    assert not wrong, "\n".join(wrong)


def test_that_somebody_left_is_told_where_they_worked_before(moved: Service) -> None:
    for reader, sees in (("leader-b01", True), ("team-t1", True), ("hr", True), ("LEAVER", True)):
        key = {"X-API-Key": moved.keys[reader]}  # type: ignore[attr-defined]
        read = moved.get("/v1/entries", params={"manager": "LEAVER"}, headers=key).json()
        left = [line for line in read["entries"] if line["entry"].get("role") == "left"]
        assert bool(left) is sees, reader


def test_a_persons_page_has_interviews_about_the_months_that_the_reader_held(door: Door) -> None:
    for manager, reader in READERS:
        page = door.person(reader, manager)
        expected = held(manager, reader)
        if "2026-12" not in expected:  # they work elsewhere now
            assert page is None, (manager, reader)
        else:
            assert {talk["period"] for talk in page["feedback"]} == expected, (manager, reader)


# What sums up a period


@pytest.fixture
def summed_up(moved: Service) -> Service:
    """The months settled in both branches, then the year; October of B01 is closed."""
    ledger, sheet = moved.app.state.service, Sheet()
    for branch in ("B01", "C01"):
        for month in set(MONTHS) - {"2026-10"}:
            sheet.branch(
                "minimum_wage", "1680", branch=branch, month=month, source=f"of-{branch}-{month}"
            )
    moved.append(sheet)
    for month in MONTHS:
        for branch in ("B01", "C01"):
            ledger.settle(Period.parse(month), branch, None, by="clerk")
    for branch in ("B01", "C01"):
        ledger.settle(Period.parse("2026"), branch, YEARLY, by="clerk")
    return moved


WHOLE = {  # whose year each reads: of everybody, and of those who worked in the scope all along
    "hr": {"B01": {"STAYS-B01", "INNER", "RETURN"}, "C01": {"STAYS-C01", "MOVER"}},
    "leader-b01": {"B01": {"STAYS-B01", "INNER"}},
    "leader-c01": {"C01": {"STAYS-C01"}},
}


def test_a_statement_of_a_year_is_for_who_held_the_person_all_along(
    summed_up: Service, door: Door
) -> None:
    for manager in ("STAYS-B01", "STAYS-C01", "MOVER", "INNER", "RETURN"):
        for reader in ("hr", "leader-b01", "leader-c01", "team-t2", manager):
            if reader not in SEATS:
                continue
            read = door.explain(reader, manager, "2026")
            whole = set().union(*WHOLE.get(reader, {}).values()) | {reader}
            assert (read is not None) == (manager in whole), (reader, manager)


def test_a_history_of_a_year_has_statements_for_who_held_the_person_all_along(
    summed_up: Service, door: Door
) -> None:
    for reader, manager, sees in (
        ("hr", "MOVER", True),
        ("MOVER", "MOVER", True),
        ("leader-c01", "MOVER", False),
        ("leader-b01", "MOVER", False),
        ("leader-b01", "INNER", True),
        ("team-t2", "INNER", False),
        ("leader-b01", "RETURN", False),
    ):
        events = door.history(reader, manager, "2026")["events"]
        assert ("statement" in {event["type"] for event in events}) is sees, (reader, manager)


def test_a_replay_shows_who_was_in_the_scope_all_along(summed_up: Service, door: Door) -> None:
    for reader, branches in WHOLE.items():
        for branch, people in branches.items():
            (evaluation,) = door.replay(reader, branch, "2026")["evaluations"]
            assert {row["manager"] for row in evaluation["statements"]} == people


def test_a_memo_lists_who_was_in_the_scope_and_counts_the_others(
    summed_up: Service, door: Door
) -> None:
    before = door.memo("leader-b01", "B01", "2026-10")
    settled = door.memo("hr", "B01", "2026-10")["document"]["settlements"]
    assert before["document"]["settlements"] == settled
    # By what is recorded now, MOVER was elsewhere in October already.
    summed_up.append([Sheet().hire("MOVER", branch="C01", source="hr", source_id="backdated")])
    whole, memo = (door.memo(reader, "B01", "2026-10") for reader in ("hr", "leader-b01"))
    assert whole["document"]["settlements"] == before["document"]["settlements"]
    (made,) = memo["document"]["settlements"]
    assert {row["manager"] for row in made["people"]} == {"STAYS-B01", "INNER", "LEAVER"}
    assert "MOVER" not in memo["text"]["zh"] + memo["text"]["en"]
    assert "Not listed: 1 " in memo["text"]["en"]
    assert "MOVER" not in str(memo["document"]["check"])
    assert "MOVER" in str(whole["document"]["check"])
    assert memo["digest"] == whole["digest"]


def test_late_evidence_has_the_months_in_which_the_reader_held_the_person(
    summed_up: Service, door: Door
) -> None:
    ledger = summed_up.app.state.service
    october = Period.parse("2026-10")
    acknowledge_all(ledger, october, "B01")
    ledger.close_month(Cycle(ledger, october, "B01"), by="hr", note=None, known_version=None)
    sheet = Sheet()
    for manager in ("MOVER", "RETURN"):
        sheet.put("deduction", manager, "member_retention", points="1", source="late")
    summed_up.append(sheet)
    for reader, people in (("hr", {"MOVER", "RETURN"}), ("leader-b01", {"MOVER"})):
        late = door.late(reader, "B01", "2026-10")["late"]
        assert {row["about"]["manager"] for row in late} == people


def test_an_appeal_is_read_by_who_held_the_person_in_its_period(
    summed_up: Service, door: Door
) -> None:
    ledger = summed_up.app.state.service
    name = process.file_appeal(ledger, "MOVER", Period.parse("2026-10"), "r", by="MOVER")
    for reader, sees in (
        ("hr", True),
        ("MOVER", True),
        ("leader-b01", True),
        ("team-t1", True),
        ("leader-c01", False),
        ("team-c01", False),
    ):
        assert (door.appeal(reader, name) is not None) is sees, reader
        listed = door.appeals(reader, "MOVER")
        assert {one["appeal"] for one in listed["appeals"]} == ({name} if sees else set())
    # They are assigned elsewhere for the month of the appeal too: its branch reads it no more.
    summed_up.append(
        [Sheet().hire("MOVER", branch="C01", team="T1", source="hr", source_id="backdated")]
    )
    assert door.appeal("leader-b01", name) is None
    assert door.appeal("hr", name) is not None


# Who is taken in


def test_a_branch_takes_in_again_only_who_left_it(door: Door) -> None:
    back = Sheet().hire("LEAVER", month="2027-01", source="back")
    assert not door.record("office-c01", back | {"branch": "C01", "source_id": "there"})
    assert door.record("office-b01", back)
    elsewhere = Sheet().hire("NEWCOMER", month="2027-01", branch="C01", source="new")
    assert door.record("office-c01", elsewhere)


def test_a_branch_that_takes_somebody_in_reads_nothing_from_before(door: Door) -> None:
    taken = Sheet().hire("LEAVER", month="2027-01", source="taken", branch="C01")
    assert door.record("hr", taken)
    assert door.explain("leader-c01", "LEAVER", "2026-10") is None
    assert door.history("leader-c01", "LEAVER", "2026") is None
    read = door.history("leader-c01", "LEAVER", "2027")
    assert months_of(event["entry"] for event in read["events"]) == {"2027-01"}


# Who reads who read


def test_an_auditor_of_a_branch_sees_who_read_of_the_months_there(summed_up: Service) -> None:
    """And every auditor finds what one reader has read."""
    door = Http(summed_up)
    for manager, period in (("MOVER", "2026-10"), ("MOVER", "2026-11"), ("INNER", "2026-10")):
        assert door.explain("hr", manager, period) is not None
    assert door.history("leader-b01", "MOVER", "2026-10") is not None

    def reads(who: str, query: str = "") -> Any:
        found = door.get(who, f"audit/reads{query}")
        if found is None:
            return None
        return [(read["manager"], read["period"], read["by"]) for read in found["reads"]]

    everything = [
        ("MOVER", "2026-10", "hr"),
        ("MOVER", "2026-11", "hr"),
        ("INNER", "2026-10", "hr"),
        ("MOVER", "2026-10", "leader-b01"),
    ]
    assert reads("admin") == everything
    assert reads("auditor-c01") == [("MOVER", "2026-11", "hr")]
    assert reads("auditor-c01", "?manager=MOVER") == [("MOVER", "2026-11", "hr")]
    assert reads("auditor-c01", "?manager=INNER") is None
    assert reads("admin", "?by=leader-b01") == everything[3:]
    assert reads("admin", "?by=hr&manager=INNER") == everything[2:3]
    assert reads("leader-b01") is None


def test_who_reads_pay_in_bulk_is_on_record(summed_up: Service, door: Door) -> None:
    """A memo, a replay, its comparison: for every auditor, and of a person where they worked."""

    def reads(query: str, who: str = "admin") -> list[tuple[Any, ...]]:
        found = Http(summed_up).get(who, f"audit/reads?{query}")["reads"]
        return [
            (read["what"], read.get("branches"), read["period"], read["manager"]) for read in found
        ]

    assert door.memo("leader-b01", "B01", "2026-10") is not None
    run = door.replay("leader-b01", "B01", "2026")["id"]
    assert Http(summed_up).get("leader-b01", f"replays/{run}/differences") is not None
    memo, replay, comparison = (
        ("memo", ["B01"], "2026-10", None),
        ("replay", ["B01"], "2026", None),
        ("comparison", ["B01"], "2026", None),
    )
    assert reads("by=leader-b01") == [memo, replay, comparison]
    assert reads("by=hr") == []
    assert reads("by=leader-b01&limit=1") == [memo]
    assert reads("manager=MOVER&by=leader-b01") == [memo, replay, comparison]
    assert reads("manager=RETURN&by=leader-b01") == [replay, comparison]  # October in C01
    assert reads("manager=STAYS-C01&by=leader-b01") == []
    assert reads("by=leader-b01", "auditor-c01") == []
    before = reads("")
    summed_up.app.state.service.rebuild()
    assert reads("") == before


def test_settlements_and_replays_are_listed_page_by_page(summed_up: Service) -> None:
    door = Http(summed_up)

    def settlements(who: str, query: str = "") -> Any:
        return door.get(who, f"settlements{query}")

    everything = settlements("hr")["settlements"]
    assert len(everything) == 10
    page, listed = settlements("hr", "?limit=4"), []
    while page is not None:
        listed += page["settlements"]
        following = page["next"]
        page = door.get("hr", following.removeprefix("/v1/")) if following else None
    assert listed == everything
    own = settlements("leader-b01")["settlements"]
    assert own == settlements("leader-b01", "?branch=B01")["settlements"]
    assert own == [one for one in everything if one["branch"] == "B01"]
    assert len(settlements("hr", "?branch=C01&period=2026-10")["settlements"]) == 1
    assert settlements("leader-b01", "?branch=C01") is None

    runs = [
        door.replay(who, branch, "2026")["id"]
        for who, branch in (("hr", "B01"), ("hr", "C01"), ("leader-b01", "B01"))
    ]
    for who, seen in (("hr", runs), ("leader-b01", [runs[0], runs[2]]), ("leader-c01", [runs[1]])):
        replays = door.get(who, "replays")["replays"]
        assert [run["id"] for run in replays] == seen
        assert replays[0] == door.get(who, f"replays/{seen[0]}")
    first = door.get("hr", "replays?limit=2")
    assert [run["id"] for run in first["replays"]] == runs[:2]
    rest = door.get("hr", first["next"].removeprefix("/v1/"))
    assert ([run["id"] for run in rest["replays"]], rest["next"]) == (runs[2:], None)
    assert door.get("team-t1", "replays") is None
