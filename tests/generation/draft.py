"""A branch in the making: people with their histories, the facts about them, and in the end one
ledger of entries.

`finish` makes the ledger untidy without changing what it means: entries of neighbouring months,
wrong entries that are reversed, right ones whose reversal is reversed, and any order that keeps
each subject's own order.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.generation.pick import Pick
from tests.oracle_schemes.facts import months_of

Entry = dict[str, Any]
BRANCH, ELSEWHERE = "B01", "B02"
GRADES = (4, 5, 6, 7, 8)
PREFIXES = (
    "M",
    "m",
    "A-",
    "Z_",
    "k.",
    "9",
)  # ids are ordered by code point, whatever a database's collation says
NUMBERS = ("quantity", "points", "score", "value")


@dataclass
class Member:
    """Someone with a current assignment; entries about them are possible from `since` on."""

    manager: str
    team: str
    role: str
    grade: int
    since: str
    assignment: Entry = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the current assignment; what is changed here is changed there."""
        return self.assignment["attributes"]


def shifted(month: str, by: int) -> str:
    """The month so many months later."""
    index = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


class Draft:
    """One branch and period. `members` are the rulebook's population, `bystanders` must not matter
    to it.
    """

    def __init__(self, pick: Pick, period: str, size: int) -> None:
        self.pick, self.period, self.size = pick, period, size
        self.months = months_of(period)
        self.entries: list[Entry] = []
        self.members: list[Member] = []
        self.bystanders: list[Member] = []
        self.settled: dict[str, dict[str, str]] = {}
        self.teams = [f"T{n}" for n in range(pick.integer(1, min(5, size)))]

    # People.

    def staff(
        self,
        attributes: Callable[[], Mapping[str, Any]] = dict,
        roles: Sequence[str] = ("customer_manager",),
        other_roles: Sequence[str] = (),
    ) -> None:
        """Hire the population, and a few people who are not of it."""
        for number in range(self.size):
            team, grade = self.pick.of(self.teams), self.pick.of(GRADES)
            member = Member(self._id(number), team, self.pick.of(roles), grade, self._since())
            self._hire(member, attributes())
            self.members.append(member)
        for number in range(self.size, self.size + self.pick.integer(0, 4)):
            kind = self.pick.of(("moved", "left", "elsewhere", *("role" for _ in other_roles)))
            role = self.pick.of(other_roles) if kind == "role" else self.pick.of(roles)
            team = (
                self.pick.of((*self.teams, "T-other"))
                if kind == "role"
                else self.pick.of(self.teams)
            )
            member = Member(self._id(number), team, role, self.pick.of(GRADES), self.months[0])
            self._stand_by(member, kind, attributes())
            self.bystanders.append(member)

    def _id(self, number: int) -> str:
        return f"{self.pick.of(PREFIXES)}{number}"

    def _since(self) -> str:
        return self.pick.of(
            (shifted(self.months[0], -11), shifted(self.months[0], -1), *self.months[:3])
        )

    def assign(self, member: Member, month: str, **changed: Any) -> Entry:
        """An assignment as the member has it, but for what is changed."""
        fields = {
            "name": f"员工{member.manager}",
            "branch": BRANCH,
            "team": member.team,
            "role": member.role,
        }
        fields |= {"grade": member.grade, "attributes": {}, **changed}
        return self.add("assignment", manager=member.manager, month=month, **fields)

    def _hire(self, member: Member, attributes: Mapping[str, Any]) -> None:
        month = member.since
        history = self.pick.of(
            (
                "only",
                "only",
                "only",
                "moved",
                "corrected",
                "returned",
                "leaves later",
                "moves later",
            )
        )
        if history == "moved":
            member.since = shifted(month, -2)
            self.assign(
                member, member.since, branch=ELSEWHERE, team="T0", grade=self.pick.of(GRADES)
            )
        elif history == "corrected":
            self.assign(member, month, team="T0", grade=self.pick.of(GRADES), role="trainee")
        elif history == "returned":
            member.since = shifted(month, -5)
            self.assign(member, member.since)
            self.assign(member, shifted(month, -3), role="left")
        member.assignment = self.assign(member, month, attributes=dict(attributes))
        if history == "leaves later":
            self.assign(member, shifted(self.months[-1], 1), role="left")
        elif history == "moves later":
            self.assign(member, shifted(self.months[-1], 1), branch=ELSEWHERE)

    def _stand_by(self, member: Member, kind: str, attributes: Mapping[str, Any]) -> None:
        elsewhere = (
            ELSEWHERE if kind == "elsewhere" else BRANCH
        )  # in a team that has the same name there
        member.assignment = self.assign(
            member, member.since, branch=elsewhere, attributes=dict(attributes)
        )
        if kind == "moved":
            self.assign(member, self.months[-1], branch=ELSEWHERE, attributes=dict(attributes))
        elif kind == "left":
            self.assign(member, self.months[-1], role="left")

    @property
    def everyone(self) -> list[Member]:
        """The population and the others: facts are reported about both."""
        return [*self.members, *self.bystanders]

    # Facts.

    def add(self, kind: str, **fields: Any) -> Entry:
        """One entry; its key is given when the ledger is finished."""
        entry = {"kind": kind, **fields}
        self.entries.append(entry)
        return entry

    def month(self, member: Member) -> str:
        """A month of the period in which something can be said about the member."""
        return self.pick.of([month for month in self.months if month >= member.since])

    def about(self, member: Member, kind: str, item: str, **fields: Any) -> Entry:
        """An entry about a member in some month of the period."""
        return self.add(
            kind, manager=member.manager, item=item, **{"month": self.month(member), **fields}
        )

    def rate(
        self,
        member: Member,
        item: str,
        score: Callable[[], str],
        counts: Sequence[int] = (1, 1, 1, 1, 0, 2, 3),
    ) -> None:
        """Some ratings of an item: mostly one, sometimes none, sometimes several."""
        for _ in range(self.pick.of(counts)):
            self.about(member, "rating", item, score=score())

    def of_branch(self, item: str, value: str) -> None:
        """A measure of the branch, in the last month of the period; another branch's must not
        matter.
        """
        self.add("measure", month=self.months[-1], item=item, value=value, branch=BRANCH)
        if self.pick.chance(8):
            self.add("measure", month=self.months[-1], item=item, value="7", branch=ELSEWHERE)

    def of_team(self, team: str, item: str, value: str, branch: str = BRANCH) -> None:
        """A measure of a team, in the last month of the period."""
        self.add("measure", month=self.months[-1], item=item, value=value, branch=branch, team=team)

    def of_manager(self, member: Member, item: str, value: str) -> None:
        """A measure of a member; sometimes an older value was recorded before."""
        month = self.month(member)
        if self.pick.chance(10):
            self.add("measure", manager=member.manager, month=month, item=item, value="13.13")
        self.add("measure", manager=member.manager, month=month, item=item, value=value)

    def adjust(self, member: Member, yuan: Sequence[str], points: Sequence[str] = ()) -> None:
        """Sometimes an adjustment, sometimes a posting of a resettlement, which no rulebook
        reads.
        """
        if self.pick.chance(4):
            kind, values = self.pick.of(
                (("amount", yuan), *((("points", points),) if points else ()))
            )
            self.about(
                member, "adjustment", "adjustment", reason="复核", **{kind: self.pick.of(values)}
            )
        if self.pick.chance(12):
            item = self.pick.of(("back_pay", "clawback"))
            self.about(
                member,
                "adjustment",
                item,
                reason="上月重算",
                amount=self.pick.of(("77.70", "1000")),
            )

    def minimum_wage(self) -> None:
        """Below everybody's pay, in between, above."""
        self.of_branch(
            "minimum_wage", self.pick.of(("2100", "0.01", "1500.5", "3000.005", "6000", "1000000"))
        )

    # The ledger.

    def finish(self, tidy: bool) -> list[Entry]:
        """The entries in ledger order, each with its key."""
        chaos = self.pick.chaos()
        facts = [
            (entry, 0) for entry in self.entries
        ]  # an entry and how often it is reversed, each time the last one
        if not tidy:
            facts = self._untidy(chaos)
        return numbered(interleaved(facts, chaos), chaos)

    def _untidy(self, chaos: Random) -> list[tuple[Entry, int]]:
        since = {member.manager: member.since for member in self.everyone}
        first: set[str] = set()
        facts: list[tuple[Entry, int]] = []
        for entry in self.entries:
            fate = chaos.randrange(40)
            if entry["kind"] == "assignment" and entry["manager"] not in first:
                first.add(entry["manager"])
                fate = -1  # so that nobody is ever without an assignment
            if is_posting(entry):
                fate = -1  # a resettlement's own entries are not reversed
            facts.append((entry, 2 if fate == 0 else 0))
            if fate == 1 or (fate == 2 and chaos.random() < 0.3):
                facts.append((wrong(entry), 3 if fate == 2 else 1))
            if fate == 3 and entry["kind"] != "assignment":
                month = chaos.choice((shifted(self.months[0], -1), shifted(self.months[-1], 1)))
                if month >= since.get(entry.get("manager", ""), month):
                    facts.append(({**entry, "month": month}, 0))
        return facts


def is_posting(entry: Entry) -> bool:
    """Whether only a resettlement makes such an entry."""
    return entry.get("item") in {"back_pay", "clawback"}


def wrong(entry: Entry) -> Entry:
    """A copy that would change the result if it counted."""
    if entry["kind"] == "assignment":
        return {**entry, "branch": ELSEWHERE, "team": "T8"}
    return {**entry, **{name: "101" for name in NUMBERS if entry.get(name) is not None}}


def subject(entry: Entry) -> tuple[Any, ...]:
    """What an entry is about: within it the order of recording means something."""
    if entry["kind"] == "assignment":
        return "assignment", entry["manager"]
    return tuple(entry.get(name) for name in ("kind", "manager", "branch", "team", "item"))


def interleaved(facts: Sequence[tuple[Entry, int]], chaos: Random) -> list[tuple[Entry, int]]:
    """Any order that keeps the order within each subject; everybody's first assignment comes before
    all else.
    """
    queues: dict[tuple[Any, ...], deque[tuple[Entry, int]]] = defaultdict(deque)
    for fact in facts:
        queues[subject(fact[0])].append(fact)
    ahead = [queues[key].popleft() for key in queues if key[0] == "assignment"]
    labels = [key for key, queue in queues.items() for _ in queue]
    chaos.shuffle(labels)
    return ahead + [queues[label].popleft() for label in labels]


def numbered(facts: Sequence[tuple[Entry, int]], chaos: Random) -> list[Entry]:
    """Give every entry its key, and put its reversals somewhere behind it."""
    issued = {"crm": 0, "hr": 0, "merit": 0}  # sources that use the same numbers

    def keyed(entry: Entry) -> Entry:
        source = "merit" if is_posting(entry) else chaos.choice(("crm", "hr"))
        issued[source] += 1
        whole = {
            name: int(entry[name])
            for name in NUMBERS
            if str(entry.get(name)).isdigit() and chaos.random() < 0.05
        }
        number = f"posting-{issued[source]}" if source == "merit" else f"{issued[source]:05d}"
        return {"kind": entry["kind"], "source": source, "source_id": number, **entry, **whole}

    ledger: list[Entry] = []
    waiting: list[tuple[Entry, int]] = []
    for entry, reversals in facts:
        ledger.append(keyed(entry))
        if reversals:
            waiting.append((ledger[-1], reversals))
        if waiting and chaos.random() < 0.2:
            reverse(ledger, waiting, keyed, chaos.randrange(len(waiting)))
    while waiting:
        reverse(ledger, waiting, keyed, chaos.randrange(len(waiting)))
    return ledger


def reverse(
    ledger: list[Entry], waiting: list[tuple[Entry, int]], keyed: Callable[[Entry], Entry], at: int
) -> None:
    """Reverse one waiting entry; the reversal may itself be waiting for its own."""
    entry, reversals = waiting.pop(at)
    key = {"source": entry["source"], "source_id": entry["source_id"]}
    ledger.append(keyed({"kind": "reversal", "reverses": key, "reason": "录入错误"}))
    if reversals > 1:
        waiting.append((ledger[-1], reversals - 1))
