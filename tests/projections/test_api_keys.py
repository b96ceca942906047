"""API keys: shown once, kept as a hash, found by it."""

from __future__ import annotations

import hashlib

import pytest

from domain.identifiers import BadIdentifier
from domain.ledger import Ledger
from projections.api_keys import ApiKeys, KeyTaken
from projections.book import Book
from tests.store import states


def test_a_secret_is_known_by_the_name_of_its_key(ledger: Ledger):
    keys = ApiKeys(ledger)
    crm, position = keys.create("crm", by="root")
    hr, _ = keys.create("hr", by="root")
    assert position == ledger.position() - 1
    for reader in (keys, ApiKeys(ledger)):
        assert [reader.actor_of(secret) for secret in (crm, hr)] == ["crm", "hr"]
        assert [reader.actor_of(wrong) for wrong in ("", "crm", crm + "x")] == [None, None, None]


def test_a_key_that_another_process_made_is_known_at_once(ledger: Ledger):
    reader = ApiKeys(ledger)
    assert reader.actor_of("nothing") is None
    secret, _ = ApiKeys(ledger).create("crm", by="root")
    assert reader.actor_of(secret) == "crm"


def test_the_ledger_keeps_a_hash_and_never_the_secret(ledger: Ledger):
    secret, _ = ApiKeys(ledger).create("crm", by="root")
    (state,) = states(ledger)
    assert state["secret_hash"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(state)
    assert len(secret) >= 43  # 32 random bytes, in letters
    assert state["by"] == "root"


def test_a_name_has_one_key_and_is_an_id(ledger: Ledger):
    keys = ApiKeys(ledger)
    keys.create("crm", by="root")
    with pytest.raises(KeyTaken):
        keys.create("crm", by="root")
    with pytest.raises(BadIdentifier):
        keys.create("两个字", by="root")
    assert ledger.position() == 1


def test_rebuilt_keys_are_the_same(ledger: Ledger):
    book = Book(ledger)
    secret, _ = book.keys.create("crm", by="root")
    before, after = book.rebuild()["api_keys"]
    assert before == after
    assert ApiKeys(ledger).actor_of(secret) == "crm"
