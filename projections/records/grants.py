"""授权: makes, ends and uses grants; lists, corrects, audits and samples their uses."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import orjson

from domain.errors import Declined, NextAct, NotFound, Text, VersionClash
from domain.identifiers import stream_id
from domain.ledger.events import GrantSampleOrdered
from domain.numbers import scaled
from domain.processes import grant as authorisation
from domain.processes.grant import Outcome
from domain.processes.grant_terms import Terms, Usage, checked_day
from domain.processes.sampling import drawn
from projections.records.grant_rows import GRANT_COLUMNS, USE_COLUMNS, GrantRows, grant_of, use_of
from projections.store.database import database_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from domain.ledger.ledger import Ledger
    from domain.processes.grant import Grant, Person, Use
    from projections.facts.calendar import Calendar
    from projections.records.accounts.rows import AccountRecords

ATTEMPTS = 100  # to record a use while others do: each time at least one of them gets through
MAX_SAMPLE = 1_000


class GrantFilter(NamedTuple):
    """Which grants. `on`: those that may be used on this day."""

    branch: str | None = None
    team: str | None = None
    kind: str | None = None
    role: str | None = None
    account: str | None = None
    on: date | None = None


class UseFilter(NamedTuple):
    """Which uses. None: all."""

    grant: str | None = None
    branch: str | None = None
    team: str | None = None
    by: str | None = None
    month: str | None = None
    open: bool | None = None
    over_limit: bool | None = None


class SampleOrder(NamedTuple):
    """What a sample was asked for: how many uses of which month, branch and team, and how."""

    by: str
    at: str
    size: int
    month: str | None
    branch: str | None
    team: str | None
    by_team: bool
    by_amount: bool


class Sample(NamedTuple):
    """A sample of uses: its order, the seed that followed, out of how many, and who was drawn."""

    id: int  # its ledger position
    order: SampleOrder
    seed: str
    population: int
    uses: list[Use]


@dataclass(frozen=True)
class UseFigures:
    """What a report counts of a use. `deadline`: of one beyond its grant."""

    branch: str | None
    team: str | None
    month: str
    kind: str
    amount: str | None  # yuan
    count: int
    is_over_limit: bool
    is_open: bool
    deadline: str | None


Condition = tuple[str, object]  # of a query, and its one value
R = TypeVar("R")


class GrantNotFound(NotFound):
    """No grant has this id."""

    def __init__(self, grant: str) -> None:
        super().__init__(
            Text(
                f"没有授权 {grant}；可列出已有的授权",
                f"there is no grant {grant}; a list shows those there are",
            ),
            NextAct("list_grants", {}),
        )
        self.grant = grant


class UseNotFound(NotFound):
    """No use of a grant was recorded at this position."""

    def __init__(self, use: int) -> None:
        super().__init__(
            Text(
                f"没有授权使用记录 {use}",
                f"there is no use of a grant {use}",
            )
        )
        self.use = use


class SampleNotFound(NotFound):
    """No sample was ordered at this position."""

    def __init__(self, sample: int) -> None:
        super().__init__(
            Text(
                f"没有授权抽样 {sample}",
                f"there is no sample of uses {sample}",
            )
        )
        self.sample = sample


class GrantExists(Declined):
    """A grant of this id was made before."""

    def __init__(self, grant: str) -> None:
        super().__init__(
            Text(
                f"授权 {grant} 已存在，不能更改；请换一个编号，或先终止原授权",
                f"there is a grant {grant}, and it never changes: take another id, or end that one",
            )
        )
        self.grant = grant


class BadSampleSize(Declined):
    """A sample of none, or of more than are drawn at once."""

    def __init__(self, size: int) -> None:
        super().__init__(
            Text(
                f"样本量为 1–{MAX_SAMPLE}",
                f"a sample has 1 to {MAX_SAMPLE} uses",
            )
        )
        self.size = size


class NobodyAnswers(NotFound):
    """Whoever is to hold a grant, or to answer for one, has no account."""

    def __init__(self, account: str) -> None:
        super().__init__(
            Text(
                f"没有账号 {account}，无人可以负责；请核对，或由管理员开户",
                f"there is no account {account}, so nobody would answer: check it, or the "
                "administrator opens it",
            ),
            NextAct("open_account", {"account": account}),
        )
        self.account = account


class Grants:
    """The grants of one ledger."""

    def __init__(self, ledger: Ledger, accounts: AccountRecords, calendar: Calendar) -> None:
        self.ledger, self.accounts, self.calendar = ledger, accounts, calendar
        self.rows, self.database = GrantRows(), database_of(ledger)

    def make(self, terms: Terms, *, by: Person) -> int:
        """Makes a grant; the ledger position. Whoever it is for, and its owner, need accounts.

        Raises Invalid, SeparationOfDuties, NobodyAnswers, GrantExists.
        """
        event = authorisation.make(terms, by=by)
        self._check_accounts(terms.account, terms.owner, but=by.name)
        try:
            return self.ledger.record(event)
        except VersionClash:
            raise GrantExists(terms.id) from None

    def end(self, grant: Grant, *, last_day: date | None, reason: str, by: str) -> int:
        """Ends a grant as it was read. Raises Declined, VersionClash where somebody acted on it
        since, Invalid.
        """
        today = self.calendar.today()
        return self.ledger.record(
            authorisation.end(grant, last_day=last_day, reason=reason, by=by, today=today)
        )

    def use(self, grant: str, usage: Usage, *, by: Person) -> Use:
        """Records a use, counted against all that were recorded before it. Raises NotFound,
        Invalid.
        """
        self._check_accounts(usage.accountable, but=by.name)
        month = checked_day("day", usage.day).isoformat()[:7]
        for attempt in range(ATTEMPTS):
            used, counted = self._counted(grant, month)
            event = authorisation.use(used, counted, usage, by=by, at=self.calendar.now())
            try:
                return self.used(self.ledger.record(event))
            except VersionClash:  # somebody used or ended it in between: it counts anew
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError

    def correct(self, use: int, text: str, *, by: str) -> int:
        """Records what was done about a use beyond its grant. Raises NotFound, Declined,
        VersionClash, Invalid.
        """
        return self.ledger.record(authorisation.correct(self.used(use), text, by=by))

    def record_finding(self, use: int, text: str, *, by: str) -> int:
        """Records what an audit makes of a use. Raises NotFound, Declined, VersionClash,
        Invalid.
        """
        return self.ledger.record(authorisation.record_finding(self.used(use), text, by=by))

    def order_sample(
        self,
        size: int,
        wanted: UseFilter,
        *,
        by: str,
        by_team: bool = False,
        by_amount: bool = False,
    ) -> Sample:
        """A new sample of the uses so far. Its order is recorded first and gives the seed."""
        if not 1 <= size <= MAX_SAMPLE:
            raise BadSampleSize(size)
        number = self.ledger.next_version(stream := stream_id("grant-samples", ""))
        event = GrantSampleOrdered(
            originator_id=stream,
            originator_version=number,
            by=by,
            size=size,
            month=wanted.month,
            branch=wanted.branch,
            team=wanted.team,
            by_team=by_team,
            by_amount=by_amount,
        )
        return self.sample(self.ledger.record(event))

    def get(self, grant: str) -> Grant:
        """A grant. Raises NotFound."""
        return self._counted(grant, "")[0]

    def used(self, position: int) -> Use:
        """A use by its ledger position. Raises NotFound."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            found = connection.fetch(
                f"SELECT {USE_COLUMNS} FROM grant_uses WHERE position = ?", (position,)
            )
        if not found:
            raise UseNotFound(position)
        return use_of(*found[0])

    def all(
        self, wanted: GrantFilter, *, after: int = 0, limit: int | None = None
    ) -> tuple[list[Grant], int | None]:
        """A page of grants in the order in which they were made, and where the next one begins."""
        conditions = _equal(wanted._asdict() | {"on": None})
        if wanted.on is not None:
            conditions += [
                ("from_day <= ?", wanted.on.isoformat()),
                ("last_day >= ?", wanted.on.isoformat()),
            ]
        columns = f"position, {GRANT_COLUMNS}"
        return self._page("grants", columns, conditions, after, limit, _grant_at)

    def uses(
        self, wanted: UseFilter, *, after: int = 0, limit: int | None = None
    ) -> tuple[list[Use], int | None]:
        """A page of uses in ledger order, and where the next one begins."""
        return self._page("grant_uses", USE_COLUMNS, _uses_where(wanted), after, limit, use_of)

    def figures(self, wanted: UseFilter, as_of: int | None = None) -> list[UseFigures]:
        """The figures of every use, as of a position."""
        reached = self.rows.catch_up(self.ledger)
        last = reached if as_of is None else as_of
        where, values = _where([*_uses_where(wanted), ("position <= ?", last)])
        columns = "branch, team, month, kind, amount, times, over_limit, outcomes, deadline"
        with self.database.reading() as connection:
            rows = connection.fetch(f"SELECT {columns} FROM grant_uses WHERE {where}", values)
        return [
            UseFigures(
                *(branch, team, month, kind, amount, count),
                is_over_limit=bool(over_limit),
                is_open=bool(over_limit) and _is_open(outcomes, last),
                deadline=deadline,
            )
            for branch, team, month, kind, amount, count, over_limit, outcomes, deadline in rows
        ]

    def sample(self, position: int) -> Sample:
        """A sample, drawn again from its seed: the same uses on any day. Raises NotFound."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            found = connection.fetch(
                "SELECT seed, state FROM grant_samples WHERE position = ?", (position,)
            )
            if not found:
                raise SampleNotFound(position)
            seed, order = found[0][0], SampleOrder(**orjson.loads(found[0][1]))
            wanted = UseFilter(branch=order.branch, team=order.team, month=order.month)
            where, values = _where([*_uses_where(wanted), ("position < ?", position)])
            columns = "position, branch, team, amount"
            rows = connection.fetch(
                f"SELECT {columns} FROM grant_uses WHERE {where} ORDER BY position", values
            )
        lots = [(str(p), f"{b or ''}\n{t or ''}", scaled(Decimal(a or 0))) for p, b, t, a in rows]
        chosen = drawn(lots, seed, order.size, by_team=order.by_team, by_amount=order.by_amount)
        return Sample(
            position, order, seed, len(rows), [self.used(p) for p in sorted(map(int, chosen))]
        )

    def _counted(self, grant: str, month: str) -> tuple[Grant, Decimal]:
        """A grant, and what was used of it in a month: at least all that its version knows of."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            found = connection.fetch(f"SELECT {GRANT_COLUMNS} FROM grants WHERE id = ?", (grant,))
            uses = "SELECT amount, times, state FROM grant_uses WHERE grant_id = ? AND month = ?"
            rows = connection.fetch(uses, (grant, month))
        if not found:
            raise GrantNotFound(grant)
        row = grant_of(*found[0])
        counted = (
            Decimal(times if row.limit_amount is None else amount or 0)
            for amount, times, state in rows
            if not authorisation.is_attempt(orjson.loads(state)["over_limit"])
        )
        return row, sum(counted, Decimal())

    def _page(
        self,
        table: str,
        columns: str,  # the first is the position
        conditions: list[Condition],
        after: int,
        limit: int | None,  # None: all rows
        make: Callable[..., R],
    ) -> tuple[list[R], int | None]:
        self.rows.catch_up(self.ledger)
        where, values = _where([*conditions, ("position > ?", after)])
        sql = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY position"
        if limit is not None:
            sql += f" LIMIT {limit + 1}"
        with self.database.reading() as connection:
            rows = connection.fetch(sql, values)
        page = rows[:limit]
        following = page[-1][0] if len(page) < len(rows) else None
        return [make(*row) for row in page], following

    def _check_accounts(self, *names: str | None, but: str) -> None:
        """Raises NotFound where one of them has no account; who acts need not have one."""
        for name in names:
            if name is not None and name != but and self.accounts.find(name) is None:
                raise NobodyAnswers(name)


def _grant_at(_: int, state: str, ended: str | None, version: int) -> Grant:
    return grant_of(state, ended, version)


def _uses_where(wanted: UseFilter) -> list[Condition]:
    columns = {"grant": "grant_id", "by": "used_by", "open": "is_open"}
    return _equal({columns.get(name, name): value for name, value in wanted._asdict().items()})


def _is_open(outcomes: str, last: int) -> bool:
    """Whether nothing had come of a use by a position."""
    return all(Outcome(*outcome).position > last for outcome in orjson.loads(outcomes))


def _equal(values: Mapping[str, object]) -> list[Condition]:
    return [
        (f"{name} = ?", int(v) if isinstance(v, bool) else v)
        for name, v in values.items()
        if v is not None
    ]


def _where(conditions: list[Condition]) -> tuple[str, list[object]]:
    where = " AND ".join(condition for condition, _ in conditions)
    return where, [value for _, value in conditions]
