"""Who may do what, about whom: one table of acts, run through HTTP and through the command line.

A row is an act as somebody would try it. Under each relation stand the roles that may do it there;
the administrator may everywhere. Relations are to a person of branch B01, team T1 (the manager who
tries is that person): `own` is about them, `team` about a colleague of the team, `branch` about
somebody of another team or about the branch as a whole, `other` about branch B02. `any` is about
nothing of these.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.http.app import create_app
from api.settings import Settings
from domain.identifiers import Period
from domain.processes.grant import Person
from domain.processes.grant_terms import Terms
from domain.rights import ACTS, Role, Seat
from projections.appeals import process
from projections.service import Service as Ledger
from tests.api.service import Service
from tests.command_line import Run, merit
from tests.store import entries
from tests.worksheet import Ledger as Sheet

LETTERS = {
    "I": Role.INTEGRATION, "M": Role.MANAGER, "T": Role.TEAM_LEADER, "L": Role.BRANCH_LEADER,
    "B": Role.BACK_OFFICE, "D": Role.DEPARTMENT, "A": Role.AUDITOR, "H": Role.HR, "N": Role.ADMIN,
}  # fmt: skip
HER = "M0007"
SEATS = {
    Role.MANAGER: Seat(Role.MANAGER, manager=HER),
    Role.TEAM_LEADER: Seat(Role.TEAM_LEADER, "B01", "T1"),
    Role.BRANCH_LEADER: Seat(Role.BRANCH_LEADER, "B01"),
    Role.BACK_OFFICE: Seat(Role.BACK_OFFICE, "B01"),
}
PEOPLE = {"own": (HER, "B01", "T1"), "team": ("MATE", "B01", "T1"),
          "branch": ("FAR", "B01", "T2"), "other": ("X", "B02", "T9"),
          "any": (HER, "B01", "T1")}  # fmt: skip
ROLES = list(Role)


@dataclass(frozen=True)
class Row:
    """An act as it is tried: who may do it under which relation, and how each door is asked."""

    act: str
    what: str
    may: dict[str, str]  # relation → letters
    http: str | None = None  # METHOD /path
    json: Any = None
    cli: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"If-Match": "*"})

    def __str__(self) -> str:
        return f"{self.act}-{self.what}".replace(" ", "_")


def about(own: str, team: str, branch: str, other: str) -> dict[str, str]:
    return {"own": own, "team": team, "branch": branch, "other": other}


def of_branch(branch: str, other: str) -> dict[str, str]:
    return {"branch": branch, "other": other}


def step(act: str, code: str, branch: str, other: str = "") -> Row:
    return Row(
        act,
        code,
        of_branch(branch, other),
        f"POST /v1/cycles/2026-10/{{branch}}/steps/{code}",
        {},
        f"cycle do 2026-10 {code} --branch {{branch}}",
    )


SALE = {"kind": "sale", "source": "acts", "source_id": "{id}", "manager": "{manager}",
        "month": "2026-10", "item": "effective_customers", "quantity": "1"}  # fmt: skip
RATING = {"kind": "rating", "source": "acts", "source_id": "{id}", "manager": "{manager}",
          "month": "2026-10", "item": "ability", "score": "80"}  # fmt: skip
BACK_PAY = {"kind": "adjustment", "manager": "{manager}", "month": "2026-11", "item": "back_pay",
            "amount": "1", "reason": "r"}  # fmt: skip
REVERSAL = {"kind": "deduction", "manager": "{manager}", "month": "2026-10",
            "item": "member_retention", "points": "1"}  # fmt: skip
FEEDBACK = {"period": "2026-10", "held_on": "2026-11-20", "held_by": "li", "agreed": "ok",
            "plan": []}  # fmt: skip
USE = {"what": "赠机", "customer": "C1", "why": "r", "day": "2026-11-20", "branch": "{branch}",
       "team": "{team}"}  # fmt: skip
GRANT = {"id": "G-{id}", "kind": "policy_use", "role": "manager", "branch": "{branch}",
         "team": "{team}", "limit_amount": "10", "from": "2026-11-01",
         "until": "2026-12-31"}  # fmt: skip
YES = "I M T L B D A H"
OCTOBER = Period.parse("2026-10")
FILES: dict[str, Any] = {"sale": SALE, "rating": RATING, "correction": REVERSAL,
                         "back_pay": BACK_PAY, "draft": "id: x"}  # fmt: skip

TABLE = (
    # entries
    Row("record_entries", "a sale",
        about("I B D H", "I B D H", "I B D H", "I D H"),
        "POST /v1/entries", SALE, "import {sale}"),
    Row("record_ratings", "a rating",
        about("I T L B D H", "I T L B D H", "I L B D H", "I D H"),
        "POST /v1/entries", RATING, "import {rating}"),
    Row("read_entries", "the trail of a person",
        about("M T L B D A H", "T L B D A H", "L B D A H", "D A H"),
        "GET /v1/entries?manager={manager}"),
    Row("read_entries", "late entries", of_branch("L B D A H", "D A H"),
        "GET /v1/cycles/2026-10/{branch}/late", None, "cycle late 2026-10 --branch {branch}"),
    # statements
    Row("read_statements", "a statement",
        about("M T L B D A H", "T L B D A H", "L B D A H", "D A H"),
        "GET /v1/statements/2026-10/{manager}"),
    Row("read_statements", "a derivation",
        about("M T L B D A H", "T L B D A H", "L B D A H", "D A H"),
        "GET /v1/statements/2026-10/{manager}/derivation", None, "explain {manager} 2026-10"),
    Row("read_statements", "a history",
        about("M T L B D A H", "T L B D A H", "L B D A H", "D A H"),
        "GET /v1/statements/2026-10/{manager}/history", None, "history {manager} 2026-10"),
    Row("read_statements", "a person's page",
        about("M T L B D A H", "T L B D A H", "L B D A H", "D A H"),
        "GET /v1/managers/{manager}", None, "person show {manager}"),
    Row("read_settlements", "a settlement", of_branch("L B D A H", "D A H"),
        "GET /v1/settlements/{settlement}"),
    Row("read_settlements", "the settlements", of_branch("L B D A H", "D A H"),
        "GET /v1/settlements?branch={branch}"),
    Row("replay", "the runs", {"any": "L B D A H"}, "GET /v1/replays"),
    Row("read_settlements", "the memo", of_branch("L B D A H", "D A H"),
        "GET /v1/cycles/2026-10/{branch}/memo", None, "cycle memo 2026-10 --branch {branch}"),
    Row("read_settlements", "promotions", of_branch("L B D A H", "D A H"),
        "GET /v1/branches/{branch}/promotions/2026", None, "branch promotions {branch} 2026"),
    Row("settle", "a branch", of_branch("B D H", "D H"),
        "POST /v1/settlements", {"period": "2026-10", "branch": "{branch}"},
        "settle 2026-10 --branch {branch}"),
    Row("replay", "a branch", of_branch("L B D A H", "D A H"),
        "POST /v1/replays", {"periods": ["2026-10"], "branches": ["{branch}"]},
        "replay 2026-10 --branch {branch}"),
    Row("replay", "everybody", {"any": "D A H"},
        "POST /v1/replays", {"periods": ["2026-10"]}, "replay 2026-10"),
    # rulebooks
    Row("read_rulebooks", "a version", {"any": YES},
        "GET /v1/rulebooks/elastic-pay/3.0.0", None, "rulebook show elastic-pay@3.0.0"),
    Row("check_rulebooks", "a draft", {"any": YES},
        "POST /v1/rulebooks", {"text": "id: x"}, "rulebook check {draft}"),
    Row("publish_rulebooks", "a draft", {"any": "D H"},
        "POST /v1/rulebooks/publish", {"text": "id: x"}, "rulebook publish {draft}"),
    Row("set_branch_rulebooks", "a branch's", of_branch("H", "H"),
        "PUT /v1/branches/{branch}/rulebooks",
        {"rulebooks": ["elastic-pay"], "effective_from": "2026-12"},
        "branch rulebooks {branch} elastic-pay --from 2026-12"),
    # the month
    Row("read_cycle", "the steps", of_branch("T L B D A H", "D A H"),
        "GET /v1/cycles/2026-10/{branch}", None, "cycle show 2026-10 --branch {branch}"),
    Row("read_publication", "the points", of_branch("M T L B D A H", "D A H"),
        "GET /v1/cycles/2026-10/{branch}/publication", None,
        "cycle publication 2026-10 --branch {branch}"),
    Row("read_cycle", "the check", of_branch("T L B D A H", "D A H"),
        "GET /v1/checks/2026-10/{branch}", None, "check 2026-10 --branch {branch}"),
    step("do_steps", "total_reviewed", "T L"),
    step("rate", "gs_rated", "T L"),
    step("load", "deductions_loaded", "I", "I"),
    step("calculate", "position_calculated", "B"),
    step("review_position", "position_reviewed", "T"),
    step("review_total", "total_reviewed", "T L"),
    step("submit", "submitted", "B"),
    step("audit", "audited", "D A", "D A"),
    Row("audit", "a finding", of_branch("D A", "D A"),
        "POST /v1/cycles/2026-10/{branch}/findings", {"text": "缺凭证"},
        "cycle finding 2026-10 --branch {branch} --text 缺凭证"),
    Row("audit", "a sample", of_branch("D A", "D A"),
        "POST /v1/cycles/2026-10/{branch}/sample", {"size": 1},
        "cycle sample 2026-10 --branch {branch} --size 1"),
    step("report", "reported", "D", "D"),
    step("close", "paid", "H", "H"),
    Row("close", "a month", of_branch("H", "H"),
        "POST /v1/cycles/2026-10/{branch}/close", {}, "close 2026-10 --branch {branch}"),
    Row("close", "a finding of the check", of_branch("H", "H"),
        "POST /v1/checks/2026-10/{branch}/acknowledgements", {"code": "missing", "note": "n"},
        "check 2026-10 --branch {branch} --acknowledge missing --note n"),
    Row("resettle", "a month", of_branch("H", "H"),
        "POST /v1/cycles/2026-10/{branch}/resettle", {"reason": "r"},
        "resettle 2026-10 --branch {branch} --reason r"),
    # people
    Row("record_feedback", "an interview",
        about("T L B D H", "T L B D H", "L B D H", "D H"),
        "POST /v1/managers/{manager}/feedback", FEEDBACK,
        "person feedback {manager} 2026-10 --held-on 2026-11-20 --held-by li --agreed ok"),
    Row("acknowledge", "a rulebook", about("M", "", "", ""),
        "POST /v1/managers/{manager}/acknowledgements",
        {"rulebook": "elastic-pay", "version": "3.0.0"},
        "person acknowledge {manager} elastic-pay@3.0.0"),
    # appeals
    Row("file_appeals", "an appeal", about("M H", "H", "H", "H"),
        "POST /v1/appeals", {"manager": "{manager}", "period": "2026-10", "reason": "r"},
        "appeal file {manager} 2026-10 --reason r"),
    Row("read_appeals", "an appeal",
        about("M T L B D A H", "T L B D A H", "L B D A H", "D A H"),
        "GET /v1/appeals/{appeal}", None, "appeal show {appeal}"),
    Row("handle_appeals", "accepted", about("D H", "D H", "D H", "D H"),
        "POST /v1/appeals/{appeal}/accept", {}, "appeal accept {appeal}"),
    Row("handle_appeals", "rejected", about("D H", "D H", "D H", "D H"),
        "POST /v1/appeals/{appeal}/reject", {"code": "other", "reason": "r"},
        "appeal reject {appeal} --reason r"),
    Row("handle_appeals", "a correction", about("D H", "D H", "D H", "D H"),
        "POST /v1/appeals/{accepted}/evidence", {"note": "n", "entries": [REVERSAL]},
        "appeal propose {accepted} {correction}"),
    Row("resettle", "back pay as a correction", about("H", "H", "H", "H"),
        "POST /v1/appeals/{accepted}/evidence", {"note": "n", "entries": [BACK_PAY]},
        "appeal propose {accepted} {back_pay}"),
    Row("handle_appeals", "notified", about("D H", "D H", "D H", "D H"),
        "POST /v1/appeals/{appeal}/notify", {}, "appeal notify {appeal}"),
    Row("add_evidence", "a note", about("M T L B D H", "T L B D H", "L B D H", "D H"),
        "POST /v1/appeals/{appeal}/evidence", {"note": "n"}, "appeal evidence {appeal} --note n"),
    Row("decide_appeals", "a decision", about("D H", "D H", "D H", "D H"),
        "POST /v1/appeals/{accepted}/decide", {"decision": "dismissed", "reason": "r"},
        "appeal decide {accepted} dismissed --reason r"),
    Row("withdraw_appeals", "an appeal", about("M H", "H", "H", "H"),
        "POST /v1/appeals/{appeal}/withdraw", {"reason": "r"},
        "appeal withdraw {appeal} --reason r"),
    Row("request_reviews", "an appeal", about("M H", "H", "H", "H"),
        "POST /v1/appeals/{appeal}/review", {"reason": "r"}, "appeal review {appeal} --reason r"),
    # grants
    Row("make_grants", "a grant", of_branch("L D H", "D H"),
        "POST /v1/grants", GRANT,
        "grant make G-{id} --kind policy_use --role manager --branch {branch} --team {team} "
        "--from 2026-11-01 --until 2026-12-31 --amount 10"),
    Row("make_grants", "its end", of_branch("L D H", "D H"),
        "POST /v1/grants/{grant}/end", {"reason": "r"}, "grant end {grant} --reason r"),
    Row("use_grants", "a use", about("M T L B D H", "M T L B D H", "L B D H", "D H"),
        "POST /v1/grants/{grant}/uses", USE,
        "grant use {grant} --what 赠机 --customer C1 --why r --day 2026-11-20 --branch {branch} "
        "--team {team}"),
    Row("read_grants", "the grants", about("M T L B D A H", "M T L B D A H", "L B D A H", "D A H"),
        "GET /v1/grants?branch={branch}&team={team}", None,
        "grant list --branch {branch} --team {team}"),
    Row("read_grants", "the uses", about("T L B D A H", "T L B D A H", "L B D A H", "D A H"),
        "GET /v1/grants/uses?branch={branch}&team={team}", None,
        "grant uses --branch {branch} --team {team}"),
    Row("audit_grants", "a sample", of_branch("L D A H", "D A H"),
        "POST /v1/grants/sample", {"size": 1, "branch": "{branch}"},
        "grant sample 1 --branch {branch}"),
    # accounts and operation
    Row("read_reads", "who read", {"any": "A"}, "GET /v1/audit/reads"),
    Row("manage_accounts", "an account", {"any": ""},
        "GET /v1/accounts/spare", None, "account show spare"),
    Row("manage_accounts", "a new one", {"any": ""},
        "POST /v1/accounts", {"account": "n{id}", "roles": [{"role": "auditor"}]},
        "account create n{id} --role auditor"),
    Row("read_self", "who am I", {"any": YES}, "GET /v1/me"),
    Row("keep_self", "another's password", {"any": ""},
        "PUT /v1/accounts/spare/password", {"password": "correct horse battery"}),
    Row("operate", "metrics", {"any": "A"}, "GET /metrics"),
    Row("maintain", "rebuild", {"any": ""}, None, None, "rebuild"),
)  # fmt: skip
ONE_DOOR = {
    "read_reads": "the command line has no list of reads yet",
    "read_self": "a command says who acts with --as",
    "keep_self": "a password is asked for at the command line, never given",
    "operate": "metrics are scraped",
    "maintain": "read models are rebuilt beside the service, not through it",
}


def test_every_act_of_the_table_of_rights_has_a_row_behind_each_door() -> None:
    """Whoever adds an act adds a row: who may do it, and how both doors are asked."""
    doors = {
        "http": {row.act for row in TABLE if row.http},
        "cli": {row.act for row in TABLE if row.cli},
    }
    assert doors["http"] | doors["cli"] == set(ACTS)
    assert (doors["http"] ^ doors["cli"]) == set(ONE_DOOR)


# One world, copied for each row


@dataclass
class World:
    """A ledger in which everybody who tries has an account, with what rows are about."""

    file: Path
    ids: dict[str, dict[str, object]]  # relation → what a row may name there
    keys: dict[Role, str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two branches, settled; for each relation two appeals, one of them accepted, and a grant."""
    file = tmp_path_factory.mktemp("world") / "world.db"
    with closing(Ledger.open(f"sqlite:///{file}")) as ledger:
        sheet = Sheet()
        for branch in ("B01", "B02"):
            sheet.branch("minimum_wage", "1680", branch=branch, source=f"of-{branch}")
        for manager, branch, team in dict.fromkeys(PEOPLE.values()):
            sheet.hire(manager, branch=branch, team=team, source=f"of-{branch}")
            sheet.put("sale", manager, "effective_customers", quantity="10", source="crm")
        outcomes = ledger.ledger.append(entries(sheet), by="crm")
        assert {outcome.status for outcome in outcomes} == {"accepted"}
        for branch in ("B01", "B02"):
            terms = Terms(
                id=f"G-{branch}", kind="policy_use", branch=branch,
                from_day="2026-11-01", until_day="2026-12-31", role="manager", limit_count=9,
            )  # fmt: skip
            ledger.grants.make(terms, by=Person("maker", (Seat(Role.ADMIN),)))
        ledger.accounts.keys.create("spare", "tester", [Seat(Role.AUDITOR)])
        settled = {
            branch: ledger.settle(OCTOBER, branch, None, by="clerk")[0].id
            for branch in ("B01", "B02")
        }
        ids: dict[str, dict[str, object]] = {}
        for relation, (manager, branch, team) in PEOPLE.items():
            filed = [process.file_appeal(ledger, manager, OCTOBER, "r", by=manager) for _ in "ab"]
            process.accept(ledger, filed[1], by="handler")
            ids[relation] = {
                "manager": manager,
                "branch": branch,
                "team": team,
                "appeal": filed[0],
                "accepted": filed[1],
                "grant": f"G-{branch}",
                "settlement": settled[branch],
            }
        keys = {
            role: ledger.accounts.keys.create(role, "tester", [SEATS.get(role, Seat(role))])[0]
            for role in Role
        }
    return World(file, ids, keys)


class Doors:
    """Both doors of a copy of the world."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.address = f"sqlite:///{folder / 'copy.db'}"
        shutil.copy(world.file, folder / "copy.db")
        self.client = Service(create_app(Settings(database=self.address)))

    def try_http(self, row: Row, role: Role, relation: str) -> Any:
        """The answer of the service."""
        assert row.http is not None
        method, path = row.http.split(" ", 1)
        names = self.names(role, relation, "http")
        headers = row.headers | {"X-API-Key": self.world.keys[role]}
        return self.client.request(
            method, path.format(**names), json=_filled(row.json, names), headers=headers
        )

    def try_cli(self, row: Row, role: Role, relation: str) -> Run:
        """What the command did."""
        assert row.cli is not None
        names = self.names(role, relation, "cli")
        words = [word.format(**names) for word in row.cli.split()]
        return merit(*words, "--as", role, "--json", database=self.address)

    def names(self, role: Role, relation: str, door: str) -> dict[str, object]:
        """What a row may name: ids, and files for commands that take one."""
        names = self.world.ids[relation] | {"id": f"{door}-{role}-{relation}"}
        for name, content in FILES.items():
            path = self.folder / f"{name}-{names['id']}.{'yaml' if name == 'draft' else 'jsonl'}"
            filled = _filled(content, names)
            path.write_bytes(filled.encode() if name == "draft" else orjson.dumps(filled) + b"\n")
            names = names | {name: path}
        return names


def _filled(value: Any, names: dict[str, object]) -> Any:
    match value:
        case str():
            return value.format(**names)
        case dict():
            return {key: _filled(inner, names) for key, inner in value.items()}
        case list():
            return [_filled(inner, names) for inner in value]
    return value


@pytest.fixture
def doors(world: World, tmp_path: Path) -> Iterator[Doors]:
    opened = Doors(world, tmp_path)
    with opened.client:
        yield opened


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_an_act_is_done_by_exactly_those_who_may_at_both_doors(doors: Doors, row: Row) -> None:
    tries = [
        (role, relation, role is Role.ADMIN or role in {LETTERS[x] for x in letters.split()})
        for relation, letters in row.may.items()
        for role in ROLES
    ]
    wrong, before = [], doors.client.position
    for role, relation, allowed in sorted(tries, key=lambda tried: tried[2]):
        if row.http:
            answer = doors.try_http(row, role, relation)
            refused = answer.text.startswith('{"type":"/problems/forbidden"')
            if (
                refused == allowed
                or answer.status_code in {401, 404, 405}
                or answer.is_server_error
            ):
                wrong.append(f"HTTP {role} {relation}: {answer.status_code} {answer.text[:200]}")
        if row.cli:
            run = doors.try_cli(row, role, relation)
            refused = run.status == 2 and "无权办理此事" in run.err
            if refused == allowed or run.status not in {0, 1, 2} or "Usage:" in run.err:
                wrong.append(f"command {role} {relation}: {run.status} {run.err[:200]}")
        if not allowed and doors.client.position != before:
            wrong.append(f"{role} {relation}: was refused, and something was written")
            before = doors.client.position
    assert not wrong, "\n".join(wrong)
