"""授权: grants are made, used, ended; uses are listed, corrected, found upon and sampled."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from domain.errors import Declined, NotFound, Text, VersionClash
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
    from datetime import date

    from domain.ledger.ledger import Ledger
    from domain.processes.grant import Grant, Person, Use
    from projections.records.accounts import Accounts

ATTEMPTS = 100  # of a use that others were quicker than: each time at least one of them got through
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


class Sample(NamedTuple):
    """A sample of uses: how it was asked for, the seed that followed, out of how many, and who was
    drawn.
    """

    id: int  # its ledger position
    asked: dict[str, Any]
    seed: str
    population: int
    uses: list[Use]


class Grants:
    """The grants of one ledger."""

    def __init__(self, ledger: Ledger, accounts: Accounts) -> None:
        self.ledger, self.accounts, self.rows, self.database = (
            ledger,
            accounts,
            GrantRows(),
            database_of(ledger),
        )

    # acts

    def make(self, terms: Terms, *, by: Person) -> int:
        """A new grant; the ledger position. Raises Invalid, SeparationOfDuties, NotFound, Declined
        where it is there.

        Whoever it is for, and its owner, have accounts: somebody must be there to answer.
        """
        event = authorisation.make(terms, by=by)
        self._check_accounts(terms.account, terms.owner, but=by.name)
        try:
            return self.ledger.record(event)
        except VersionClash:
            raise Declined(
                Text(
                    f"授权 {terms.id} 已存在，不能更改；请换一个编号，或先终止原授权",
                    f"there is a grant {terms.id}, and it never changes: take another id, or end "
                    "that one",
                )
            ) from None

    def end(self, grant: Grant, *, last_day: date | None, reason: str, by: str) -> int:
        """Ends a grant as it was read. Raises Declined, VersionClash where somebody acted on it
        since, Invalid.
        """
        today = datetime.now(UTC).date()
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
            found, counted = self._counted(grant, month)
            event = authorisation.use(found, counted, usage, by=by, at=datetime.now(UTC))
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
        """A new sample of the uses that there are: first its size is on record, its seed follows
        from the record.
        """
        if not 1 <= size <= MAX_SAMPLE:
            raise Declined(Text(f"样本量为 1–{MAX_SAMPLE}", f"a sample has 1 to {MAX_SAMPLE} uses"))
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

    # reading

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
            raise NotFound(
                Text(f"没有授权使用记录 {position}", f"there is no use of a grant {position}")
            )
        return use_of(*found[0])

    def all(
        self, wanted: GrantFilter, *, after: int = 0, limit: int = 100
    ) -> tuple[list[Grant], int | None]:
        """A page of grants in the order in which they were made, and where the next one begins."""
        conditions = _equal(wanted._asdict() | {"on": None})
        if wanted.on is not None:
            conditions += [
                ("from_day <= ?", wanted.on.isoformat()),
                ("last_day >= ?", wanted.on.isoformat()),
            ]
        rows, following = self._page(
            "grants", f"position, {GRANT_COLUMNS}", conditions, after, limit
        )
        return [grant_of(*row[1:]) for row in rows], following

    def uses(
        self, wanted: UseFilter, *, after: int = 0, limit: int = 100
    ) -> tuple[list[Use], int | None]:
        """A page of uses in ledger order, and where the next one begins."""
        rows, following = self._page("grant_uses", USE_COLUMNS, _uses_where(wanted), after, limit)
        return [use_of(*row) for row in rows], following

    def figures(self, wanted: UseFilter, as_of: int | None = None) -> list[tuple[Any, ...]]:
        """Of every use: branch, team, month, class, yuan, count, whether over the limit, whether
        open, deadline.

        As they were as of a position.
        """
        reached = self.rows.catch_up(self.ledger)
        last = reached if as_of is None else as_of
        where, values = _where([*_uses_where(wanted), ("position <= ?", last)])
        columns = "branch, team, month, kind, amount, times, over_limit, outcomes, deadline"
        with self.database.reading() as connection:
            rows = connection.fetch(f"SELECT {columns} FROM grant_uses WHERE {where}", values)
        return [(*row[:7], row[6] and _is_open(row[7], last), row[8]) for row in rows]

    def sample(self, position: int) -> Sample:
        """A sample, drawn again from its seed: the same uses on any day. Raises NotFound."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            found = connection.fetch(
                "SELECT seed, state FROM grant_samples WHERE position = ?", (position,)
            )
            if not found:
                raise NotFound(
                    Text(f"没有授权抽样 {position}", f"there is no sample of uses {position}")
                )
            seed, asked = found[0][0], orjson.loads(found[0][1])
            wanted = UseFilter(branch=asked["branch"], team=asked["team"], month=asked["month"])
            where, values = _where([*_uses_where(wanted), ("position < ?", position)])
            columns = "position, branch, team, amount"
            rows = connection.fetch(
                f"SELECT {columns} FROM grant_uses WHERE {where} ORDER BY position", values
            )
        lots = [(str(p), f"{b or ''}\n{t or ''}", scaled(Decimal(a or 0))) for p, b, t, a in rows]
        chosen = drawn(
            lots, seed, asked["size"], by_team=asked["by_team"], by_amount=asked["by_amount"]
        )
        return Sample(
            position, asked, seed, len(rows), [self.used(p) for p in sorted(map(int, chosen))]
        )

    def _counted(self, grant: str, month: str) -> tuple[Grant, Decimal]:
        """A grant, and what was used of it in a month: at least all that its version knows of."""
        self.rows.catch_up(self.ledger)
        with self.database.reading() as connection:
            found = connection.fetch(f"SELECT {GRANT_COLUMNS} FROM grants WHERE id = ?", (grant,))
            uses = "SELECT amount, times FROM grant_uses WHERE grant_id = ? AND month = ?"
            rows = connection.fetch(uses, (grant, month))
        if not found:
            raise NotFound(
                Text(
                    f"没有授权 {grant}；merit grant list 列出已有的",
                    f"there is no grant {grant}; `merit grant list` shows those there are",
                )
            )
        known = grant_of(*found[0])
        counted = (
            Decimal(times if known.limit_amount is None else amount or 0) for amount, times in rows
        )
        return known, sum(counted, Decimal())

    def _page(
        self, table: str, columns: str, conditions: list[tuple[str, Any]], after: int, limit: int
    ) -> tuple[list[tuple[Any, ...]], int | None]:
        self.rows.catch_up(self.ledger)
        where, values = _where([*conditions, ("position > ?", after)])
        with self.database.reading() as connection:
            sql = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY position LIMIT ?"
            rows = connection.fetch(sql, (*values, limit + 1))
        return rows[:limit], rows[limit - 1][0] if len(rows) > limit else None

    def _check_accounts(self, *names: str | None, but: str) -> None:
        """Raises NotFound where one of them has no account; who acts need not have one."""
        for name in names:
            if name is not None and name != but and self.accounts.find(name) is None:
                raise NotFound(
                    Text(
                        f"没有账号 {name}，无人可以负责；请核对，或由管理员开户",
                        f"there is no account {name}, so nobody would answer: check it, or the "
                        "administrator opens it",
                    )
                )


def _uses_where(wanted: UseFilter) -> list[tuple[str, Any]]:
    columns = {"grant": "grant_id", "by": "used_by", "open": "is_open"}
    return _equal({columns.get(name, name): value for name, value in wanted._asdict().items()})


def _is_open(outcomes: str, last: int) -> bool:
    """Whether nothing had come of a use by a position."""
    return all(Outcome(*outcome).position > last for outcome in orjson.loads(outcomes))


def _equal(values: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        (f"{name} = ?", int(v) if isinstance(v, bool) else v)
        for name, v in values.items()
        if v is not None
    ]


def _where(conditions: list[tuple[str, Any]]) -> tuple[str, list[Any]]:
    return " AND ".join(condition for condition, _ in conditions), [
        value for _, value in conditions
    ]
