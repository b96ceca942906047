"""Accounts, seats, keys and sessions: shown once, kept as a hash, found by it, ended for good."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import Declined, NotFound, VersionClash
from domain.identifiers import BadIdentifier, stream_id
from domain.ledger.event_json import instant
from domain.ledger.events import ApiKeyCreated, SeatGiven
from domain.ledger.ledger import Ledger
from domain.rights import Role, Seat
from projections.records.accounts.accounts import Accounts
from projections.records.accounts.api_keys import KeyTaken
from projections.service import Service
from tests.store import states

PASSWORD = "correct horse battery"
LEADER = Seat(Role.BRANCH_LEADER, "B01")


def name_of(accounts: Accounts, secret: str) -> str | None:
    caller = accounts.caller_of(secret)
    return caller.name if caller else None


def test_a_secret_is_known_by_the_account_of_its_key(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    crm, _ = accounts.keys.create("crm", by="root")
    hr, position = accounts.keys.create("hr", by="root")
    assert position == ledger.position()
    for reader in (accounts, Accounts(ledger)):
        assert [name_of(reader, secret) for secret in (crm, hr)] == ["crm", "hr"]
        assert [name_of(reader, wrong) for wrong in ("", "crm", crm + "x")] == [None, None, None]


def test_a_key_that_another_process_made_is_known_at_once(ledger: Ledger) -> None:
    reader = Accounts(ledger)
    assert reader.caller_of("nothing") is None
    secret, _ = Accounts(ledger).keys.create("crm", by="root")
    assert name_of(reader, secret) == "crm"


def test_the_ledger_keeps_a_hash_and_never_the_secret(ledger: Ledger) -> None:
    secret, _ = Accounts(ledger).keys.create("crm", by="root")
    state = states(ledger)[-1]
    assert state["secret_hash"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(states(ledger))
    assert len(secret) >= 43  # 32 random bytes, in letters
    assert state["by"] == "root"


def test_two_keys_live_at_once_and_a_third_waits_for_one_to_be_revoked(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    first, _ = accounts.keys.create("crm", by="root")
    second, _ = accounts.keys.create("crm", by="root")
    with pytest.raises(KeyTaken):
        accounts.keys.create("crm", by="root")
    accounts.keys.revoke("crm", 1, by="root")
    third, _ = accounts.keys.create("crm", by="root")
    assert [name_of(accounts, key) for key in (first, second, third)] == [None, "crm", "crm"]
    assert [key.number for key in accounts.get("crm").live_keys] == [2, 3]
    with pytest.raises(NotFound):
        accounts.keys.revoke("crm", 1, by="root")


def test_a_name_is_an_id(ledger: Ledger) -> None:
    before = ledger.position()
    with pytest.raises(BadIdentifier):
        Accounts(ledger).keys.create("两个字", by="root")
    assert ledger.position() == before


def test_a_key_ends_on_its_day(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    lasting, _ = accounts.keys.create("crm", by="root", days=1)
    gone = instant(datetime.now(UTC) - timedelta(seconds=1))
    key = {
        "account": "crm",
        "number": 2,
        "secret_hash": hashlib.sha256(b"old").hexdigest(),
        "expires_at": gone,
    }
    ledger.record(
        ApiKeyCreated(
            originator_id=stream_id("account", "crm"), originator_version=4, by="root", **key
        )
    )
    assert name_of(accounts, lasting) == "crm"
    assert name_of(accounts, "old") is None
    accounts.keys.create("crm", by="root")  # a key that has ended is not one of the two


def test_a_seat_counts_from_when_it_is_given_until_it_is_taken(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    accounts.open("li", [], by="root", manager="M0001")
    assert accounts.at_the_console("li").seats == ()
    accounts.give("li", LEADER, by="root")
    accounts.give("li", LEADER, by="root")
    assert accounts.at_the_console("li").seats == (LEADER,)
    accounts.take("li", LEADER, by="root")
    assert accounts.at_the_console("li").seats == ()
    with pytest.raises(NotFound):
        accounts.take("li", LEADER, by="root")
    with pytest.raises(NotFound):
        accounts.give("wang", LEADER, by="root")


def test_of_two_who_change_an_account_at_once_one_is_told(ledger: Ledger) -> None:
    Accounts(ledger).open("li", [], by="root")
    fields = {
        "originator_id": stream_id("account", "li"),
        "originator_version": 2,
        "account": "li",
        "role": "hr",
    }
    ledger.record(SeatGiven(**fields, by="a"))
    with pytest.raises(VersionClash):
        ledger.record(SeatGiven(**fields, by="b"))


def test_who_runs_commands_without_an_account_is_the_administrator(ledger: Ledger) -> None:
    assert Accounts(ledger).at_the_console("root").seats == (Seat(Role.ADMIN),)


def test_a_session_opens_with_the_password_and_ends_when_it_is_closed(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    accounts.open("li", [LEADER], by="root", password=PASSWORD)
    assert accounts.sessions.log_in("li", PASSWORD + "!") is None
    assert accounts.sessions.log_in("wang", PASSWORD) is None
    session = accounts.sessions.log_in("li", PASSWORD)
    assert session is not None
    token = session.token
    caller = accounts.caller_of(token)
    assert caller is not None
    assert (caller.name, caller.seats) == ("li", (LEADER,))
    assert PASSWORD not in str(states(ledger))
    assert token not in str(states(ledger))
    accounts.sessions.log_out(token)
    accounts.sessions.log_out(token)
    assert accounts.caller_of(token) is None


def test_a_changed_password_replaces_the_one_before(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    accounts.open("li", [LEADER], by="root", password=PASSWORD)
    accounts.sessions.set_password("li", "another long password", by="li")
    assert accounts.sessions.log_in("li", PASSWORD) is None
    assert accounts.sessions.log_in("li", "another long password") is not None
    with pytest.raises(Declined):
        accounts.sessions.set_password("li", "short", by="li")


def test_a_new_password_ends_every_session_and_no_key(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    accounts.open("li", [LEADER], by="root", password=PASSWORD)
    accounts.open("wang", [LEADER], by="root", password=PASSWORD)
    key, _ = accounts.keys.create("li", by="root")
    hers, his = accounts.sessions.log_in("li", PASSWORD), accounts.sessions.log_in("wang", PASSWORD)
    assert hers
    assert his
    accounts.sessions.set_password("li", "another long password", by="root")
    assert [name_of(accounts, secret) for secret in (hers.token, his.token, key)] == [
        None,
        "wang",
        "li",
    ]


def test_a_key_is_not_closed_like_a_session(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    key, position = accounts.keys.create("li", by="root")
    with pytest.raises(Declined):
        accounts.sessions.log_out(key)
    assert (name_of(accounts, key), ledger.position()) == ("li", position)


def test_a_managers_seat_makes_their_statements_the_accounts_own(ledger: Ledger) -> None:
    accounts = Accounts(ledger)
    seat = Seat(Role.MANAGER, manager="M0001")
    accounts.open("a", [LEADER, seat], by="root")
    accounts.open("b", [seat], by="root", manager="M0002")
    accounts.keys.create("c", "root", [seat])
    assert [account.manager for account in accounts.all()] == ["M0001", "M0002", "M0001"]


def test_an_account_is_opened_once(ledger: Ledger) -> None:
    Accounts(ledger).open("li", [], by="root")
    with pytest.raises(Declined):
        Accounts(ledger).open("li", [], by="root")


def test_rebuilt_accounts_are_the_same(ledger: Ledger) -> None:
    book = Service(ledger)
    secret, _ = book.accounts.keys.create("crm", by="root")
    revoked, _ = book.accounts.keys.create("crm", by="root")
    book.accounts.keys.revoke("crm", 2, by="root")
    before, after = book.rebuild()["accounts"]
    assert before == after
    assert name_of(Accounts(ledger), secret) == "crm"
    assert name_of(Accounts(ledger), revoked) is None
