"""Which items the published rulebooks read, without a look at the rulebooks."""

from __future__ import annotations

from domain.evaluation.programs import program_of
from projections.records.rulebook_items import RulebookItems
from projections.service import Service
from tests.console import DOCS
from tests.rules import given, text_of

TUTORIAL = (DOCS / "tutorial" / "store-bonus.yaml").read_text("utf-8")
READ = [
    ("deduction", "provincial_accountability"),
    ("sale", "mas_groups"),
    ("rating", "final_rank"),
    ("measure", "minimum_wage"),
    ("measure", "target.adc_groups"),
    ("measure", "gs_adjustment.education"),
    ("adjustment", "anything"),
]
UNREAD = [
    ("sale", "minimum_wage"),
    ("measure", "target.nothing"),
    ("rating", "abilities"),
    ("deduction", "x"),
]


def test_items_that_a_rulebook_reads_are_known(book: Service) -> None:
    assert [book.rulebooks.knows_item(*item) for item in READ] == [True] * len(READ)
    assert [book.rulebooks.knows_item(*item) for item in UNREAD] == [False] * len(UNREAD)


def test_what_is_published_later_is_known_too(book: Service) -> None:
    inputs = {"x": given("measure", item="moon.<phase>"), "y": given("sale", item="moon_phone")}
    text = text_of({"z ratio": "x + y"}, inputs=inputs, id="moon")
    asked = [("sale", "moon_phone"), ("measure", "moon."), ("measure", "moon.full")]
    unread = [("sale", "moon_phones"), ("measure", "moon"), ("measure", "moon_full")]
    items = RulebookItems(book.ledger)
    assert not any(items.knows(*item) for item in [*asked, *unread])
    event = book.rulebooks.publication(program_of(text), by="hr", effective_from=None, impact=None)
    assert event is not None
    book.ledger.record(event)
    assert all(items.knows(*item) for item in asked)
    assert not any(items.knows(*item) for item in unread)


def test_no_program_is_asked_for_after_a_ledger_was_begun_or_a_rulebook_published(
    book: Service,
) -> None:
    before = program_of.cache_info()
    assert RulebookItems(book.ledger).knows("sale", "mas_groups")
    assert program_of.cache_info() == before
    book.publish(TUTORIAL, file="f", by="hr")
    before = program_of.cache_info()
    assert RulebookItems(book.ledger).knows("sale", "phones")
    assert program_of.cache_info() == before
