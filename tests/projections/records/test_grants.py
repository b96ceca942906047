"""Grants in the ledger: counted by month, by several at once, listed, sampled the same for ever,
rebuilt the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Declined, NotFound, VersionClash
from domain.ledger.events import GrantSampleOrdered
from domain.ledger.ledger import Ledger
from domain.processes.grant import Grant, Person, Use
from domain.processes.grant_terms import Terms, Usage
from domain.rights import Role, Seat
from projections.records.grant_report import report
from projections.records.grants import GrantFilter, Grants, UseFilter
from projections.service import Service
from projections.store.database import database_of

WANG = Person("wang", (Seat(Role.MANAGER, manager="M1"),))
HR = Person("hr", (Seat(Role.HR),))
TERMS = Terms(
    "G1", "policy_use", "B01", "2024-01-01", "2099-12-31", role="manager", limit_amount="1000"
)
TODAY = datetime.now(UTC).date()


@pytest.fixture
def book(ledger: Ledger) -> Service:
    made = Service(ledger)
    for account in ("wang", "li", "zhou"):
        made.accounts.open(account, [], by="root")
    made.grants.make(TERMS._replace(owner="li"), by=HR)
    return made


def use(book: Service, grant: str = "G1", by: Person = WANG, **changed: Any) -> Use:
    said = {
        "day": "2024-03-31",
        "amount": "100",
        "branch": "B01",
        "team": "T1",
        "manager": "M1",
    } | changed
    return book.grants.use(grant, Usage("换卡免卡费", "C-1", "投诉", **said), by=by)


def ids(found: tuple[list[Any], int | None]) -> list[Any]:
    return [row.id for row in found[0]]


# Counting


def test_a_grant_is_read_as_it_was_made(book: Service):
    grant = book.grants.get("G1")
    assert (grant.id, grant.kind, grant.role, grant.account, grant.owner, grant.by) == (
        *("G1", "policy_use", "manager", None, "li", "hr"),
    )
    assert (grant.branch, grant.team, grant.limit_amount, grant.limit_count) == (
        "B01",
        None,
        Decimal(1000),
        None,
    )
    assert (grant.from_day, grant.until_day, grant.correction_days) == (
        date(2024, 1, 1),
        date(2099, 12, 31),
        10,
    )
    assert (grant.version, grant.ended) == (1, None)
    with pytest.raises(NotFound):
        book.grants.get("G2")


def test_a_use_is_read_as_it_was_recorded(book: Service):
    found = use(book, amount="100.50", count=2)
    assert (found.id, found.grant, found.by) == (book.ledger.position(), "G1", "wang")
    assert (found.what, found.customer, found.why) == ("换卡免卡费", "C-1", "投诉")
    assert (found.day, found.amount, found.count, found.total) == (
        date(2024, 3, 31),
        Decimal("100.5"),
        2,
        "100.5",
    )
    assert (found.branch, found.team, found.manager, found.over_limit) == ("B01", "T1", "M1", ())
    assert book.grants.used(found.id) == found


def test_each_calendar_month_has_the_limit_for_itself(book: Service):
    assert not use(book, day="2024-03-31", amount="1000").over_limit
    assert not use(book, day="2024-04-01", amount="1000").over_limit
    assert use(book, day="2024-03-01", amount="0.01").over_limit == ("over_amount",)
    assert use(book, day="2024-04-30", amount="0.01").total == "1000.01"


def test_each_grant_has_a_limit_of_its_own(book: Service):
    book.grants.make(TERMS._replace(id="G2", limit_amount=None, limit_count=2), by=HR)
    use(book, amount="1000")
    assert [use(book, "G2", count=1).over_limit for _ in range(3)] == [(), (), ("over_count",)]
    assert use(book, "G2", day="2024-04-01").total == "1"


def test_what_is_beyond_the_grant_is_counted_too(book: Service):
    assert use(book, amount="1500").over_limit
    assert use(book, amount="0.01").total == "1500.01"


def test_uses_by_several_at_once_are_all_recorded_and_counted_one_after_another(
    book: Service, database_url: str
):
    """Eight people, each with a door of their own, three uses each: exactly ten of 24 are within
    the limit.
    """
    books = [Service.open(database_url) for _ in range(8)]

    def work(own: Service) -> list[Use]:
        return [use(own) for _ in range(3)]

    try:
        with ThreadPoolExecutor(8) as pool:
            done = [found for part in pool.map(work, books) for found in part]
    finally:
        for own in books:
            own.close()
    assert sorted(int(found.total) for found in done) == list(range(100, 2500, 100))
    assert {found.id for found in done} == set(ids(book.grants.uses(UseFilter())))
    assert all(bool(found.over_limit) == (int(found.total) > 1000) for found in done)
    assert sum(not found.over_limit for found in done) == 10


class Slow(Grants):
    """Somebody in whose way another always comes once: after they counted, before they record."""

    def __init__(self, book: Service, meanwhile: Callable[[], object]) -> None:
        super().__init__(book.ledger, book.accounts, book.calendar)
        self.meanwhile: Callable[[], object] | None = meanwhile

    def _counted(self, grant: str, month: str) -> tuple[Grant, Decimal]:
        found = super()._counted(grant, month)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found


def test_who_was_slower_is_counted_after_the_other(book: Service):
    slow = Slow(book, lambda: use(book, amount="600"))
    said = Usage(
        "换卡免卡费",
        "C-1",
        "投诉",
        "2024-03-31",
        amount="600",
        branch="B01",
        team="T1",
        manager="M1",
    )
    found = slow.use("G1", said, by=WANG)
    assert (found.total, found.over_limit) == ("1200", ("over_amount",))
    assert [u.total for u in book.grants.uses(UseFilter())[0]] == ["600", "1200"]


def test_a_grant_that_ends_while_somebody_uses_it_has_ended(book: Service):
    yesterday = TODAY - timedelta(days=1)
    slow = Slow(
        book,
        lambda: book.grants.end(book.grants.get("G1"), last_day=yesterday, reason="x", by="li"),
    )
    said = Usage(
        "换卡免卡费",
        "C-1",
        "投诉",
        TODAY.isoformat(),
        amount="1",
        branch="B01",
        team="T1",
        manager="M1",
    )
    assert slow.use("G1", said, by=WANG).over_limit == ("ended",)


def test_of_two_who_end_a_grant_at_once_the_second_is_told(book: Service):
    seen = book.grants.get("G1")
    book.grants.end(seen, last_day=None, reason="x", by="li")
    with pytest.raises(VersionClash):
        book.grants.end(seen, last_day=None, reason="y", by="zhou")
    with pytest.raises(Declined, match="li"):
        book.grants.end(book.grants.get("G1"), last_day=None, reason="y", by="zhou")


def test_who_ends_a_grant_that_was_used_since_is_told(book: Service):
    seen = book.grants.get("G1")
    use(book)
    with pytest.raises(VersionClash):
        book.grants.end(seen, last_day=None, reason="x", by="li")


def test_a_use_after_the_end_is_marked_and_one_before_stays_as_it_was(book: Service):
    before = use(book, day=TODAY.isoformat())
    book.grants.end(book.grants.get("G1"), last_day=TODAY - timedelta(days=1), reason="x", by="li")
    assert use(book, day=TODAY.isoformat()).over_limit == ("ended",)
    assert use(book, day=(TODAY - timedelta(days=1)).isoformat()).over_limit == ()
    assert book.grants.used(before.id).over_limit == ()


def test_an_id_is_granted_once(book: Service):
    with pytest.raises(Declined, match="G1"):
        book.grants.make(TERMS, by=HR)
    assert ids(book.grants.all(GrantFilter())) == ["G1"]


def test_whoever_is_to_answer_has_an_account(book: Service):
    for changed in (
        {"id": "G2", "owner": "nobody"},
        {"id": "G2", "role": None, "account": "nobody"},
    ):
        with pytest.raises(NotFound, match="nobody"):
            book.grants.make(TERMS._replace(**changed), by=HR)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="nobody"):
        use(book, accountable="nobody")
    assert use(book, amount="1001", accountable="zhou").accountable == "zhou"


# What became of uses


def test_a_correction_closes_a_use_and_a_finding_may_follow(book: Service):
    found = use(book, amount="1001")
    assert (found.is_open, found.accountable) == (True, "li")
    assert found.deadline == date.fromisoformat(found.at[:10]) + timedelta(days=10)
    position = book.grants.correct(found.id, "已补缴", by="li")
    book.grants.record_finding(found.id, "整改属实", by="shen")
    now = book.grants.used(found.id)
    assert [(o.kind, o.text, o.by) for o in now.outcomes] == [
        ("correction", "已补缴", "li"),
        ("finding", "整改属实", "shen"),
    ]
    assert now.outcomes[0].position == position
    assert (now.is_open, now.over_limit) == (False, ("over_amount",))
    with pytest.raises(NotFound):
        book.grants.correct(position, "x", by="li")


def test_of_two_who_settle_a_use_at_once_one_is_told(book: Service):
    found = use(book, amount="1001")

    def settle(by: str) -> bool:
        try:
            book.grants.correct(found.id, "x", by=by)
        except (VersionClash, Declined):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(settle, [f"p{number}" for number in range(8)])) == 1
    assert len(book.grants.used(found.id).outcomes) == 1


# Lists and totals


@pytest.fixture
def busy(book: Service) -> tuple[Service, list[int]]:
    """Six uses: of two grants, two branches, two months; the second and the fifth beyond; the fifth
    corrected.
    """
    book.grants.make(TERMS._replace(id="G2", kind="service_upkeep", branch="B02", team="T9"), by=HR)
    done = [
        use(book, amount="1000"),
        use(book, amount="1"),
        use(book, day="2024-04-01", team="T2"),
        use(book, "G2", branch="B02", team="T9"),
        use(book, "G2", branch="B02", team="T8"),
        use(book, day="2024-04-02", amount="0.5"),
    ]
    book.grants.correct(done[4].id, "x", by="hr")
    return book, [found.id for found in done]


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (UseFilter(), [0, 1, 2, 3, 4, 5]),
        (UseFilter(grant="G2"), [3, 4]),
        (UseFilter(branch="B01"), [0, 1, 2, 5]),
        (UseFilter(branch="B01", team="T2"), [2]),
        (UseFilter(by="wang", month="2024-04"), [2, 5]),
        (UseFilter(by="zhou"), []),
        (UseFilter(over_limit=True), [1, 4]),
        (UseFilter(over_limit=False, branch="B02"), [3]),
        (UseFilter(open=True), [1]),
        (UseFilter(open=False, over_limit=True), [4]),
    ],
)
def test_uses_are_found_by_what_is_asked(
    busy: tuple[Service, list[int]], wanted: UseFilter, places: list[int]
):
    book, done = busy
    assert ids(book.grants.uses(wanted)) == [done[place] for place in places]


def test_pages_join_without_a_gap(busy: tuple[Service, list[int]]):
    book, done = busy
    first, following = book.grants.uses(UseFilter(), limit=4)
    assert following is not None
    second, end = book.grants.uses(UseFilter(), after=following, limit=2)
    assert ([found.id for found in [*first, *second]], end) == (done, None)


def test_grants_are_found_by_scope_and_by_the_day_on_which_they_may_be_used(book: Service):
    days = {"from_day": "2024-02-01", "until_day": "2024-02-29"}
    book.grants.make(
        TERMS._replace(id="G2", branch="B02", team="T9", role=None, account="wang", **days), by=HR
    )
    book.grants.make(TERMS._replace(id="G3"), by=HR)
    book.grants.end(book.grants.get("G3"), last_day=TODAY, reason="x", by="hr")

    def found(**wanted: Any) -> list[str]:
        return ids(book.grants.all(GrantFilter(**wanted)))

    assert found() == ["G1", "G2", "G3"]
    assert (found(branch="B02"), found(team="T9"), found(account="wang")) == (
        ["G2"],
        ["G2"],
        ["G2"],
    )
    assert (found(role="manager"), found(kind="service_upkeep")) == (["G1", "G3"], [])
    assert [
        found(branch="B02", on=date(2024, m, d)) for m, d in ((1, 31), (2, 1), (2, 29), (3, 1))
    ] == [
        *([], ["G2"], ["G2"], []),
    ]
    assert found(role="manager", on=TODAY) == ["G1", "G3"]
    assert found(role="manager", on=TODAY + timedelta(days=1)) == ["G1"]


def test_totals_stand_by_level_class_and_month(busy: tuple[Service, list[int]]):
    book, _ = busy
    lines = report(book.grants, UseFilter(), today=TODAY)
    figures = {
        (line.level, line.branch, line.team, line.month, line.kind): (
            *(line.uses, line.amount, line.over_limit, line.open, line.overdue),
        )
        for line in lines
    }
    policy, upkeep = "policy_use", "service_upkeep"
    assert figures == {
        ("all", None, None, "2024-03", policy): (2, "1001", 1, 1, 0),
        ("all", None, None, "2024-03", upkeep): (2, "200", 1, 0, 0),
        ("all", None, None, "2024-04", policy): (2, "100.5", 0, 0, 0),
        ("branch", "B01", None, "2024-03", policy): (2, "1001", 1, 1, 0),
        ("branch", "B01", None, "2024-04", policy): (2, "100.5", 0, 0, 0),
        ("branch", "B02", None, "2024-03", upkeep): (2, "200", 1, 0, 0),
        ("team", "B01", "T1", "2024-03", policy): (2, "1001", 1, 1, 0),
        ("team", "B01", "T1", "2024-04", policy): (1, "0.5", 0, 0, 0),
        ("team", "B01", "T2", "2024-04", policy): (1, "100", 0, 0, 0),
        ("team", "B02", "T8", "2024-03", upkeep): (1, "100", 1, 0, 0),
        ("team", "B02", "T9", "2024-03", upkeep): (1, "100", 0, 0, 0),
    }
    assert [line.level for line in lines] == ["all"] * 3 + ["branch"] * 3 + ["team"] * 5


def test_a_report_of_a_branch_or_a_team_says_nothing_of_the_others(busy: tuple[Service, list[int]]):
    book, _ = busy
    branch = report(book.grants, UseFilter(branch="B01", month="2024-04"), today=TODAY)
    assert [(line.level, line.branch, line.team) for line in branch] == [
        *(("branch", "B01", None), ("team", "B01", "T1"), ("team", "B01", "T2")),
    ]
    team = report(book.grants, UseFilter(branch="B02", team="T8"), today=TODAY)
    assert [(line.level, line.team, line.uses) for line in team] == [("team", "T8", 1)]


def test_what_is_open_is_overdue_after_its_deadline(busy: tuple[Service, list[int]]):
    book, done = busy
    deadline = book.grants.used(done[1]).deadline
    assert deadline is not None
    for today, overdue in ((deadline, 0), (deadline + timedelta(days=1), 1)):
        (line, *_) = report(book.grants, UseFilter(month="2024-03"), today=today)
        assert (line.kind, line.open, line.overdue) == ("policy_use", 1, overdue)


# Samples


def test_the_seed_is_the_hash_of_the_event_that_ordered_the_sample(busy: tuple[Service, list[int]]):
    book, done = busy
    sample = book.grants.order_sample(2, UseFilter(), by="shen")
    database = database_of(book.ledger)
    with database.reading() as connection:
        sql = f"SELECT state FROM stored_events WHERE {database.position} = ?"
        stored = bytes(connection.value(sql, (sample.id,)))
    assert sample.seed == hashlib.sha256(stored).hexdigest()
    # The two with the smallest lots, worked out here from the seed alone.
    lots = sorted(
        (hashlib.sha256(f"{sample.seed}\n\n{use}".encode()).digest()[:8], use) for use in done
    )
    assert [found.id for found in sample.uses] == sorted(use for _, use in lots[:2])
    assert (sample.population, sample.order.size, sample.order.by) == (6, 2, "shen")
    assert isinstance(book.ledger.event_at(sample.id), GrantSampleOrdered)


def test_a_sample_is_the_same_whatever_happens_afterwards(busy: tuple[Service, list[int]]):
    book, _ = busy
    wanted = UseFilter(month="2024-03", branch="B01")
    sample = book.grants.order_sample(1, wanted, by="shen", by_team=True, by_amount=True)
    for _ in range(5):
        use(book, amount="900")
    again = book.grants.sample(sample.id)
    assert (again.seed, again.population, [u.id for u in again.uses]) == (
        *(sample.seed, 2, [u.id for u in sample.uses]),
    )
    before, after = book.rebuild()["grants"]
    assert before == after
    assert book.grants.sample(sample.id) == again
    with pytest.raises(NotFound):
        book.grants.sample(sample.id + 1)


def test_two_samples_of_the_same_uses_have_seeds_of_their_own(busy: tuple[Service, list[int]]):
    book, done = busy
    one, two = (book.grants.order_sample(99, UseFilter(), by="shen") for _ in range(2))
    assert one.seed != two.seed
    assert [u.id for u in one.uses] == [u.id for u in two.uses] == done
    with pytest.raises(Declined):
        book.grants.order_sample(0, UseFilter(), by="shen")


# Rebuilding


def test_rebuilt_grants_are_the_same(busy: tuple[Service, list[int]]):
    book, done = busy
    book.grants.end(book.grants.get("G2"), last_day=None, reason="x", by="hr")
    before = [book.grants.used(use) for use in done], book.grants.all(GrantFilter())
    old, new = book.rebuild()["grants"]
    assert old == new
    assert ([book.grants.used(use) for use in done], book.grants.all(GrantFilter())) == before


def test_rebuilding_finds_a_row_that_somebody_changed(busy: tuple[Service, list[int]]):
    book, done = busy
    with database_of(book.ledger).writing() as connection:
        connection.execute("UPDATE grant_uses SET is_open = 0 WHERE position = ?", (done[1],))
    old, new = book.rebuild()["grants"]
    assert old != new
    assert ids(book.grants.uses(UseFilter(open=True))) == [done[1]]
