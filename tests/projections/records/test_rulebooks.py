"""The shelf: what is published never changes, a month has its version, a branch has its
rulebooks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from domain.errors import Declined, NotFound, VersionClash
from domain.evaluation.programs import shipped_texts
from domain.identifiers import Month
from domain.ledger.events import Event
from domain.ledger.store_protocol import AsRead
from domain.processes.pay_rulebooks import PaysNobody, SameRoleTwice
from domain.processes.rulebook_history import AlreadyPublished
from domain.rulebook.source import BrokenRulebook
from projections.service import Service
from tests.rules import text_of
from tests.ten_people import HER

OCTOBER = Month.parse("2026-10")


def revised(book: Service, version: str, **replaced: str) -> str:
    """The shipped text as another version, without its examples."""
    text = book.rulebooks.find("elastic-pay", "3.0.0").text.partition("\nexamples:")[0] + "\n"
    for old, new in {"version: 3.0.0": f"version: {version}", **replaced}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_a_new_ledger_begins_with_every_shipped_rulebook_in_force_from_2000(
    new_empty_ledger: Callable[[], str],
) -> None:
    with closing(Service.open(new_empty_ledger())) as book:
        assert [row.text for row in book.rulebooks.all()] == shipped_texts()
        assert {str(row.effective_from) for row in book.rulebooks.all()} == {"2000-01"}
        assert {row.by for row in book.rulebooks.all()} == {"merit"}
        assert book.ledger.position() == len(shipped_texts())


def test_opened_again_a_ledger_is_not_begun_again(new_empty_ledger: Callable[[], str]) -> None:
    url = new_empty_ledger()
    for _ in range(2):
        book = Service.open(url)
        assert book.ledger.position() == len(shipped_texts())
        book.close()


def test_the_same_text_twice_changes_nothing_and_another_text_needs_a_version_of_its_own(
    book: Service,
) -> None:
    text = revised(book, "3.1.0")
    first = book.publish(text, file="f", by="hr")
    assert book.publish(text, file="f", by="hr") == first._replace(new=False)
    position = first.position
    assert book.ledger.position() == position
    with pytest.raises(AlreadyPublished, match=r"3\.1\.0 is published and never changes"):
        book.publish(text.replace("value: 8000}", "value: 6000}"), file="f", by="hr")
    assert book.ledger.position() == position
    assert [(row.version, row.by) for row in book.rulebooks.versions("elastic-pay")] == [
        ("3.0.0", "merit"),
        ("3.1.0", "hr"),
    ]


def test_a_rulebook_whose_example_does_not_hold_is_not_published(book: Service) -> None:
    text = book.rulebooks.find("elastic-pay").text.replace("version: 3.0.0", "version: 3.1.0")
    before = book.ledger.position()
    with pytest.raises(BrokenRulebook):
        book.publish(text.replace("points: 800}", "points: 850}"), file="f", by="hr")
    assert book.ledger.position() == before


def test_a_month_has_the_version_in_force(book: Service) -> None:
    book.publish(revised(book, "3.1.0"), file="f", by="hr", effective_from=OCTOBER)
    book.publish(revised(book, "3.0.5"), file="f", by="hr", effective_from=Month.parse("2026-08"))
    found = {
        m: book.rulebooks.find("elastic-pay", month=Month.parse(m)).rulebook.version
        for m in ("2026-07", "2026-08", "2026-09", "2026-10", "2027-01")
    }
    assert found == {
        "2026-07": "3.0.0",
        "2026-08": "3.0.5",
        "2026-09": "3.0.5",
        "2026-10": "3.1.0",
        "2027-01": "3.1.0",
    }
    assert (
        book.rulebooks.named("elastic-pay", None).rulebook.version == "3.0.5"
    )  # the one published last
    assert (
        book.rulebooks.named("elastic-pay@3.1.0", Month.parse("2020-01")).rulebook.version
        == "3.1.0"
    )


def test_a_month_is_settled_under_the_version_in_force_in_it(october: Service) -> None:
    from domain.identifiers import Period

    low = revised(october, "3.1.0", **{"{share: 0.60, points: 800}": "{share: 0.60, points: 700}"})
    october.publish(low, file="f", by="hr", effective_from=OCTOBER)
    november = revised(
        october, "3.2.0", **{"{share: 0.60, points: 800}": "{share: 0.60, points: 1}"}
    )
    october.publish(november, file="f", by="hr", effective_from=Month.parse("2026-11"))
    (settled,) = october.settle(Period.parse("2026-10"), "B01", None, by="clerk")
    assert settled.evaluation.program.rulebook.version == "3.1.0"
    assert october.find_statement(HER, Period.parse("2026-10"), None, None).steps["pay"] == "1535"


def test_what_is_not_published_is_said_with_what_is(book: Service) -> None:
    with pytest.raises(NotFound, match=r"published are: .*elastic-pay"):
        book.rulebooks.find("elastic")
    with pytest.raises(
        NotFound, match=r"no version of elastic-pay for 9.0.0; published: 3.0.0 \(2000-01\)"
    ):
        book.rulebooks.find("elastic-pay", "9.0.0")
    later = revised(book, "1.0.0").replace("id: elastic-pay", "id: later")
    book.publish(later, file="f", by="hr", effective_from=OCTOBER)
    with pytest.raises(NotFound, match="no version of later for 2026-09"):
        book.rulebooks.find("later", month=Month.parse("2026-09"))


def test_a_branch_pays_by_the_shipped_rulebook_until_it_chooses(book: Service) -> None:
    other = revised(book, "1.0.0", **{"roles: [customer_manager]": "roles: [clerk]"}).replace(
        "id: elastic-pay", "id: clerk-pay"
    )
    book.publish(other, file="f", by="hr")
    reached = book.rulebooks.pay_by("B01", ["elastic-pay", "clerk-pay"], OCTOBER, by="hr")
    assert reached == book.ledger.position()
    assert book.rulebooks.pays_by("B01", OCTOBER) == ("elastic-pay", "clerk-pay")
    assert (
        book.rulebooks.pays_by("B01", Month.parse("2026-09"))
        == book.rulebooks.pays_by("B02", OCTOBER)
        == ("elastic-pay",)
    )
    book.rulebooks.pay_by("B01", ["clerk-pay"], OCTOBER, by="hr2")
    assert book.rulebooks.pays_by("B01", Month.parse("2027-01")) == ("clerk-pay",)
    assert [(c.by, c.rulebooks) for c in book.rulebooks.choices("B01")] == [
        ("hr", ("elastic-pay", "clerk-pay")),
        ("hr2", ("clerk-pay",)),
    ]


def test_a_choice_made_later_for_an_earlier_month_holds_until_the_next_one(book: Service) -> None:
    other = revised(book, "1.0.0").replace("id: elastic-pay", "id: other-pay")
    book.publish(other, file="f", by="hr")
    book.rulebooks.pay_by("B01", ["elastic-pay"], OCTOBER, by="hr")
    book.rulebooks.pay_by("B01", ["other-pay"], Month.parse("2026-08"), by="hr")
    months = [Month.parse(text) for text in ("2026-07", "2026-08", "2026-09", "2026-10", "2026-11")]
    assert [book.rulebooks.pays_by("B01", month)[0] for month in months] == [
        "elastic-pay", "other-pay", "other-pay", "elastic-pay", "elastic-pay",
    ]  # fmt: skip


def test_pay_rulebooks_for_the_same_role_are_declined(book: Service) -> None:
    text = revised(book, "1.0.0").replace("id: elastic-pay", "id: same")
    everyone = revised(book, "1.0.0", **{"roles: [customer_manager]": "roles: [everyone]"}).replace(
        "id: elastic-pay", "id: everyone"
    )
    for program in (text, everyone):
        book.publish(program, file="f", by="hr")
    before = book.ledger.position()
    for listed in (
        ["elastic-pay", "same"],
        ["everyone", "elastic-pay"],
        ["elastic-pay", "elastic-pay"],
    ):
        with pytest.raises(Declined, match="for the same role"):
            book.rulebooks.pay_by("B01", listed, OCTOBER, by="hr")
    with pytest.raises(NotFound):
        book.rulebooks.pay_by("B01", ["nothing"], OCTOBER, by="hr")
    assert book.ledger.position() == before


def test_who_did_not_see_the_last_choice_does_not_overwrite_it(book: Service) -> None:
    book.rulebooks.pay_by("B01", ["elastic-pay"], OCTOBER, by="hr", after=0)
    with pytest.raises(VersionClash):
        book.rulebooks.pay_by("B01", ["elastic-pay"], OCTOBER, by="other", after=0)
    book.rulebooks.pay_by("B01", ["elastic-pay"], OCTOBER, by="other", after=1)
    assert [choice.by for choice in book.rulebooks.choices("B01")] == ["hr", "other"]


def small(rulebook: str, version: str, month: str, *roles: str, step: str = "pay") -> str:
    """A rulebook that pays what was adjusted to people of these roles."""
    return text_of(
        {f"{step} yuan": "round(adjusted, 2)"},
        inputs={"adjusted": {"unit": "yuan", "read": "adjustment", "take": "yuan"}},
        id=rulebook, version=version, period="month", effective_from=month, roles=list(roles),
    )  # fmt: skip


def publish(book: Service, *parts: str) -> int:
    return book.publish(small(*parts), file="f", by="hr").position


def test_a_version_by_which_a_branch_would_pay_one_person_twice_is_not_published(
    book: Service,
) -> None:
    publish(book, "a", "1.0.0", "2026-01", "clerk")
    publish(book, "b", "1.0.0", "2026-01", "driver")
    book.rulebooks.pay_by("B01", ["a", "b"], Month.parse("2026-01"), by="hr")
    before = book.ledger.position()
    wider = small("a", "1.1.0", "2026-10", "clerk", "driver")
    for dry_run in (True, False):
        with pytest.raises(SameRoleTwice, match=r"a 1\.1\.0 and b 1\.0\.0 .* from 2026-10 on"):
            book.publish(wider, file="f", by="hr", dry_run=dry_run)
    assert book.ledger.position() == before
    book.rulebooks.pay_by("B01", ["b"], Month.parse("2026-10"), by="hr")
    assert book.publish(wider, file="f", by="hr").new


def test_a_branch_does_not_choose_what_a_later_version_makes_overlap(book: Service) -> None:
    publish(book, "a", "1.0.0", "2026-01", "clerk")
    publish(book, "b", "1.0.0", "2026-01", "driver")
    before = publish(book, "a", "1.1.0", "2026-10", "clerk", "driver")
    with pytest.raises(SameRoleTwice, match=r"a 1\.1\.0 and b 1\.0\.0 .* from 2026-10 on"):
        book.rulebooks.pay_by("B01", ["a", "b"], Month.parse("2026-01"), by="hr")
    with pytest.raises(PaysNobody, match="support-binding"):
        book.rulebooks.pay_by("B01", ["a", "support-binding"], Month.parse("2026-01"), by="hr")
    assert book.ledger.position() == before


def test_a_choice_and_a_publication_at_the_same_moment_do_not_pass_each_other(
    book: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(book, "a", "1.0.0", "2026-01", "clerk")
    publish(book, "b", "1.0.0", "2026-01", "driver")
    record, wider = book.ledger.record, small("a", "1.1.0", "2026-10", "clerk", "driver")

    def publish_first(*events: Event, as_read: AsRead | None = None) -> int:
        monkeypatch.setattr(book.ledger, "record", record)
        book.publish(wider, file="f", by="hr")
        return record(*events, as_read=as_read)

    monkeypatch.setattr(book.ledger, "record", publish_first)
    with pytest.raises(SameRoleTwice):
        book.rulebooks.pay_by("B01", ["a", "b"], Month.parse("2026-01"), by="hr")
    again = small("b", "1.1.0", "2026-10", "clerk", "driver")
    book.rulebooks.pay_by("B01", ["a"], Month.parse("2026-01"), by="hr")

    def choose_first(*events: Event, as_read: AsRead | None = None) -> int:
        monkeypatch.setattr(book.ledger, "record", record)
        book.publish(small("a", "1.2.0", "2026-10", "clerk"), file="f", by="hr")
        book.rulebooks.pay_by("B01", ["a", "b"], Month.parse("2026-01"), by="hr")
        return record(*events, as_read=as_read)

    monkeypatch.setattr(book.ledger, "record", choose_first)
    with pytest.raises(SameRoleTwice):
        book.publish(again, file="f", by="hr")
