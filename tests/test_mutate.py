"""scripts/mutate.py: the changes that it leaves out are changes of the present code."""

from __future__ import annotations

import pytest

from scripts import mutate


def test_every_change_called_equivalent_is_one_of_the_present_code() -> None:
    assert mutate.stale_keys() == []


def test_a_key_of_code_that_is_gone_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ("calculate_exactly", "bound <= LIMIT + 7", "LtE → Lt")
    monkeypatch.setitem(mutate.EQUIVALENT, gone, "whatever the reason")
    assert mutate.stale_keys() == [gone]
