"""The table of kinds is whole: every kind has its model, event, fact, columns and right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest

from domain.entries.entry import AnyEntry
from domain.entries.kinds import COMMON_COLUMNS, KINDS, Kind
from domain.fact_kinds import FACT_KINDS, READABLE
from domain.ledger.events import ENTRY_EVENTS
from domain.rights import ACTS

EACH = pytest.mark.parametrize(("code", "kind"), KINDS.items(), ids=list(KINDS))


def test_every_model_of_an_entry_has_its_row() -> None:
    assert [kind.model for kind in KINDS.values()] == list(get_args(AnyEntry))


@EACH
def test_a_kind_is_known_by_the_code_of_its_model_and_event(code: str, kind: Kind) -> None:
    assert kind.model.model_fields["kind"].default == code
    assert f"{code}-recorded" == ENTRY_EVENTS[code].TOPIC
    assert ENTRY_EVENTS[code].model_fields["entry"].annotation is kind.model


@EACH
def test_a_table_has_a_column_for_every_field(kind: Kind, code: str) -> None:
    fields = {column.partition(".")[0] for column in (*COMMON_COLUMNS, *kind.columns)}
    assert fields == set(kind.model.model_fields)


@EACH
def test_the_numbers_of_a_kind_are_named(kind: Kind, code: str) -> None:
    fields = kind.model.model_fields.items()
    assert set(kind.numbers) == {name for name, field in fields if _is_number(field.annotation)}
    assert set(kind.printed) <= {"item", *kind.model.model_fields}


def _is_number(annotation: Any) -> bool:
    return annotation in {Decimal, int} or any(map(_is_number, get_args(annotation)))


@EACH
def test_a_kind_names_a_right_that_there_is(kind: Kind, code: str) -> None:
    assert kind.act in ACTS


def test_every_kind_but_reversals_has_facts_of_its_own() -> None:
    assert [*FACT_KINDS, "reversal"] == list(KINDS)
    assert len({kind.code for kind in FACT_KINDS.values()}) == len(FACT_KINDS)


@pytest.mark.parametrize("code", READABLE)
def test_what_a_rulebook_reads_of_a_kind_is_in_its_entries(code: str) -> None:
    assert KINDS[code].numbers
    takes_amounts = {"amount", "yuan"} & set(READABLE[code].takes)
    assert bool(takes_amounts) == ("amount" in KINDS[code].numbers)


def test_the_codes_of_facts_in_ledgers_never_change() -> None:
    stored = ("assignment", "deduction", "sale", "rating", "adjustment", "measure")
    assert [FACT_KINDS[kind].code for kind in stored] == [0, 1, 2, 3, 4, 5]
