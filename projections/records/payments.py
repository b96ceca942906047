"""发放: what was paid when a month was closed, what was posted since, and what of it is still due
to whom.

Postings are entries (adjustments 补发 and 扣回) that no rulebook reads. What is due to a person is
everything posted up to a month less everything paid so far, so that what a clawback could not take
is carried on by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from domain.entries.entry import BACK_PAY, CLAWBACK, POSTING, SERVICE, AnyEntry
from domain.entries.parsing import parse_entry
from domain.errors import Invalid
from domain.fact_kinds import ABSENT, KIND_CODES
from domain.identifiers import Month, Period
from domain.ledger.events import MonthClosed, MonthResettled
from domain.numbers import PLACES
from domain.processes.payout import ZERO, Due, in_cents, set_off
from projections.facts.counting import counting
from projections.store.database import database_of
from projections.store.entry_recorder import EntryRecorder
from projections.store.fact_rows import COLUMNS, FACT
from projections.store.read_model import Projection, Recorded

if TYPE_CHECKING:
    from domain.ledger.ledger import Ledger
    from projections.store.connection import Connection

_CLOSINGS = """
CREATE TABLE IF NOT EXISTS closings (
    position bigint NOT NULL PRIMARY KEY, branch text NOT NULL, period text NOT NULL,
    first_month integer NOT NULL,
    last_month integer NOT NULL, taken_in bigint NOT NULL, closed_by text NOT NULL,
    closed_at text NOT NULL
)"""
_PAYMENTS = """
CREATE TABLE IF NOT EXISTS payments (
    position bigint NOT NULL, branch text NOT NULL, period text NOT NULL,
    last_month integer NOT NULL,
    manager text NOT NULL, rulebook text, number integer, pay text NOT NULL, back_pay text NOT NULL,
    clawback text NOT NULL, carried text NOT NULL, payable text NOT NULL
)"""
_POSTINGS = """
CREATE TABLE IF NOT EXISTS postings (
    source_id text NOT NULL PRIMARY KEY, position bigint NOT NULL, branch text NOT NULL,
    period text NOT NULL,
    manager text NOT NULL, rulebook text NOT NULL, item text NOT NULL, amount text NOT NULL,
    from_number integer,
    to_number integer, month text NOT NULL, reason text NOT NULL, appeal text,
    posted_by text NOT NULL
)"""

# Of one position, ids differ in their number alone: the tenth comes after the second.
_IN_ORDER = "ORDER BY position, length(source_id), source_id"


def is_posting(kind: int, item: str) -> bool:
    """Whether a fact is a 补发 or 扣回, which belongs to the month that it is posted into, whenever
    it came.
    """
    return kind == KIND_CODES["adjustment"] and item in {BACK_PAY, CLAWBACK}


class PaymentRows(Projection):
    """The rows: one a closing, one a payment, one a posting."""

    name = "payments"
    topics = (MonthClosed.TOPIC, MonthResettled.TOPIC)
    tables: ClassVar[tuple[str, ...]] = ("closings", "payments", "postings")
    schema = (
        *(_CLOSINGS, _PAYMENTS, _POSTINGS),
        "CREATE INDEX IF NOT EXISTS payments_of_manager ON payments (manager)",
        "CREATE INDEX IF NOT EXISTS payments_of_branch ON payments (period, branch)",
    )
    canonical = (
        "SELECT position, branch, period, manager, payable, carried FROM payments UNION ALL "
        "SELECT position, branch, period, manager, amount, source_id FROM postings UNION ALL "
        "SELECT position, branch, period, closed_by, closed_at, '' FROM closings ORDER BY 1, 4, 6"
    )

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Adds the rows of these events."""
        for event in events:
            s = event.json()
            where = event.position, s["branch"], s["period"]
            if event.topic == MonthClosed.TOPIC:
                period = Period.parse(s["period"])
                # Postings alone take in what there was.
                pinned = [pinned["position"] for pinned in s["settlements"]]
                taken_in = min(pinned, default=event.position)
                row = (*where, period.first.index, period.last.index, taken_in, s["by"], s["at"])
                connection.execute("INSERT INTO closings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
                names = (
                    "manager",
                    "rulebook",
                    "version",
                    "pay",
                    "back_pay",
                    "clawback",
                    "carried",
                    "payable",
                )
                paid = [
                    (*where, period.last.index, *(p[name] for name in names)) for p in s["payments"]
                ]
                connection.executemany(f"INSERT INTO payments VALUES ({', '.join('?' * 12)})", paid)
            else:
                fields = (
                    "manager",
                    "rulebook",
                    "item",
                    "amount",
                    "from_version",
                    "to_version",
                    "month",
                )
                why = s["reason"], s["appeal"], s["by"]
                posted = [
                    (f"{POSTING}{event.position}-{n}", *where, *(p[name] for name in fields), *why)
                    for n, p in enumerate(s["postings"], 1)
                ]
                connection.executemany(
                    f"INSERT INTO postings VALUES ({', '.join('?' * 14)})", posted
                )


class Closing(NamedTuple):
    """A closed period of a branch; `taken_in`: what was recorded after this ledger position is
    late.
    """

    position: int
    branch: str
    period: str
    first_month: int
    last_month: int
    taken_in: int
    by: str
    at: str


class Paid(NamedTuple):
    """What a person was paid with a closing; `version`: of the statement."""

    position: int
    branch: str
    period: str
    manager: str
    rulebook: str | None
    version: int | None
    pay: str
    back_pay: str
    clawback: str
    carried: str
    payable: str


class Posted(NamedTuple):
    """A posting that a resettlement decided."""

    source_id: str
    position: int
    branch: str
    period: str
    manager: str
    rulebook: str
    item: str
    amount: str
    from_version: int | None
    to_version: int | None
    month: str
    reason: str
    appeal: str | None
    by: str

    @classmethod
    def all_of(cls, event: MonthResettled, position: int) -> list[Posted]:
        """The postings of a resettlement that is recorded at a ledger position."""
        return [
            cls(
                f"{POSTING}{position}-{number}",
                position,
                event.branch,
                event.period,
                p.manager,
                p.rulebook,
                p.item,
                p.amount,
                p.from_version,
                p.to_version,
                p.month,
                event.reason,
                event.appeal,
                event.by,
            )
            for number, p in enumerate(event.postings, 1)
        ]

    @property
    def signed(self) -> Decimal:
        """Above 0 where the person gets it."""
        return Decimal(self.amount) if self.item == BACK_PAY else -Decimal(self.amount)

    def as_entry(self) -> AnyEntry:
        """The entry that carries it out; the same for ever."""
        word = "补发" if self.item == BACK_PAY else "扣回"
        attributes: dict[str, str | bool] = {
            "period": self.period,
            "rulebook": self.rulebook,
            "branch": self.branch,
        }
        versions = {"from_version": self.from_version, "to_version": self.to_version}
        raw = {
            "kind": "adjustment",
            "source": SERVICE,
            "source_id": self.source_id,
            "manager": self.manager,
            "month": self.month,
            "item": self.item,
            "amount": self.amount,
            "reason": f"{word} {self.period} {self.rulebook}：{self.reason}",
            "attributes": attributes
            | {name: str(number) for name, number in versions.items() if number is not None},
        }
        return parse_entry(raw | ({"appeal": self.appeal} if self.appeal else {}))

    @property
    def entry(self) -> str:
        """The key of its entry, `source:source_id`."""
        return f"{SERVICE}:{self.source_id}"

    @property
    def is_possible(self) -> bool:
        """Whether it can be an entry: one that was decided before resettlements made sure of it may
        have an amount that nobody can be paid. Unrecorded, it counts for nothing, and is settled
        again.
        """
        try:
            self.as_entry()
        except Invalid:
            return False
        amount = Decimal(self.amount)
        return amount > 0 and in_cents(amount)


class Payments:
    """Reads closings, payments and postings; never behind the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.rows, self.database = ledger, PaymentRows(), database_of(ledger)

    def closing(self, branch: str, period: str) -> Closing | None:
        """The closing of a branch's period; None while it is open."""
        found = self._fetch(
            "SELECT * FROM closings WHERE branch = ? AND period = ?", branch, period
        )
        return Closing(*found[0]) if found else None

    def closings(self, month: int | None = None) -> list[Closing]:
        """Every closing, or those whose period has a month (by its index)."""
        if month is None:
            return [
                Closing(*row) for row in self._fetch("SELECT * FROM closings ORDER BY position")
            ]
        sql = "SELECT * FROM closings WHERE first_month <= ? AND last_month >= ? ORDER BY position"
        return [Closing(*row) for row in self._fetch(sql, month, month)]

    def last_closed(self, branch: str, *, months_only: bool = True) -> int:
        """The last closed month of a branch, by its index; 0 where none is. Without `months_only`
        the last month of a closed quarter, half or year counts too.
        """
        sql = "SELECT max(last_month) FROM closings WHERE branch = ?"
        sql += " AND first_month = last_month" if months_only else ""
        return int(self._fetch(sql, branch)[0][0] or 0)

    def paid(self, branch: str, period: str) -> list[Paid]:
        """Everyone's payment of a closed period."""
        return sorted(
            self._paid("WHERE branch = ? AND period = ?", branch, period), key=attrgetter("manager")
        )

    def of_manager(self, manager: str, period: str) -> list[Paid]:
        """A person's payments with a period."""
        return self._paid("WHERE manager = ? AND period = ? ORDER BY position", manager, period)

    def paid_for(self, period: str, managers: Collection[str]) -> list[Paid]:
        """What these people were paid with a period, by whichever branch."""
        where = f"WHERE period = ? AND manager {self.database.one_of} ORDER BY position"
        return self._paid(where, period, self.database.array([*managers]))

    def posted_for(self, period: str, managers: Collection[str]) -> list[Posted]:
        """What was posted for a period of these people, by whichever branch, in order."""
        where = f"period = ? AND manager {self.database.one_of}"
        return self._posted(where, period, self.database.array([*managers]))

    def posted(self, branch: str, period: str) -> list[Posted]:
        """What resettlements of a closed period have posted, in order."""
        return self._posted("branch = ? AND period = ?", branch, period)

    def posted_to(self, manager: str, period: Period) -> tuple[Posted, ...]:
        """What resettlements have posted into a person's months of a period, in order."""
        months = [str(Month.of_index(i)) for i in range(period.first.index, period.last.index + 1)]
        where = f"manager = ? AND month {self.database.one_of}"
        return tuple(self._posted(where, manager, self.database.array(months)))

    def not_carried_out(self) -> list[Posted]:
        """Postings that were decided and whose entries are not in the ledger: a crash came
        between.
        """
        return self._posted(
            "NOT EXISTS (SELECT 1 FROM keys "
            f"WHERE keys.source = '{SERVICE}' AND keys.source_id = postings.source_id)"
        )

    def served_by(self, branch: str) -> set[str]:
        """Everyone whom a branch has ever paid, or posted something for."""
        sql = (
            "SELECT manager FROM payments WHERE branch = ? UNION "
            "SELECT manager FROM postings WHERE branch = ?"
        )
        return {manager for (manager,) in self._fetch(sql, branch, branch)}

    def last_branch(self, manager: str) -> str | None:
        """The branch that paid a person last, or posted something for them."""
        sql = (
            "SELECT branch FROM (SELECT branch, position FROM payments WHERE manager = ? UNION ALL "
            "SELECT branch, position FROM postings WHERE manager = ?) AS known ORDER BY position "
            "DESC LIMIT 1"
        )
        found = self._fetch(sql, manager, manager)
        return str(found[0][0]) if found else None

    def due(self, month: Month, manager: str | None = None) -> dict[str, Due]:
        """What is due by a month to everyone to whom anything is (or to one person).

        Who was paid with a later month already has had what was posted up to that one.
        """
        about, params = ("AND manager = ? ", [manager]) if manager else ("", [])
        months = "SELECT position FROM closings WHERE first_month = last_month"
        last = dict(
            self._fetch(
                f"SELECT manager, max(last_month) FROM payments WHERE position IN ({months}) "
                f"{about}GROUP BY manager",
                *params,
            )
        )
        sums: dict[str, list[Decimal]] = {}
        for name, index, item, amount in self._posting_entries(manager):
            if index <= max(month.index, last.get(name, 0)):
                sums.setdefault(name, [ZERO, ZERO])[item == CLAWBACK] += amount
        where = f"(back_pay <> '0' OR clawback <> '0') {about}"
        paid = f"SELECT manager, back_pay, clawback FROM payments WHERE {where}"
        for name, back_pay, clawback in self._fetch(paid, *params):
            own = sums.setdefault(name, [ZERO, ZERO])
            own[0] -= Decimal(back_pay)
            own[1] -= Decimal(clawback)
        dues = {name: set_off(back_pay, clawback) for name, (back_pay, clawback) in sums.items()}
        return {name: due for name, due in dues.items() if due != Due()}

    def _posting_entries(self, manager: str | None) -> list[tuple[str, int, str, Decimal]]:
        """Manager, month (its index), item and amount of the postings that count."""
        recorder = self.ledger.recorder
        assert isinstance(recorder, EntryRecorder)
        with self.database.reading() as connection:
            recorder.symbols.refresh(connection)
            numbers = recorder.symbols.numbers
            items = [numbers[item] for item in (BACK_PAY, CLAWBACK) if item in numbers]
            where = f"kind = {KIND_CODES['adjustment']} AND item {self.database.one_of}"
            params: list[object] = [self.database.array(items)]
            if manager is not None:
                where, params = where + " AND manager = ?", [*params, numbers.get(manager, -1)]
            rows = connection.numbers(
                f"SELECT {', '.join(COLUMNS)} FROM facts WHERE {where}", params, FACT
            )
        texts = recorder.symbols.texts
        adjustments = [row for row in counting(rows) if row["amount"] != ABSENT and row["manager"]]
        return [
            (
                texts[r["manager"]],
                int(r["month"]),
                texts[r["item"]],
                Decimal(int(r["amount"])).scaleb(-PLACES),
            )
            for r in adjustments
        ]

    def _paid(self, where: str, *params: object) -> list[Paid]:
        columns = ", ".join(Paid._fields).replace("version", "number")
        return [
            Paid(*row) for row in self._fetch(f"SELECT {columns} FROM payments {where}", *params)
        ]

    def _posted(self, where: str, *params: object) -> list[Posted]:
        sql = f"SELECT * FROM postings WHERE {where} {_IN_ORDER}"
        postings = [Posted(*row) for row in self._fetch(sql, *params)]
        if not (odd := [posting for posting in postings if not posting.is_possible]):
            return postings
        # An earlier release recorded some with fractions of a cent: those are paid, and count.
        with self.database.reading() as connection:
            recorded = self.database.keys(connection, [(SERVICE, p.source_id) for p in odd])
        void = {p.source_id for p in odd} - {source_id for _, source_id in recorded}
        return [posting for posting in postings if posting.source_id not in void]

    def _fetch(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            return connection.fetch(sql, params)
