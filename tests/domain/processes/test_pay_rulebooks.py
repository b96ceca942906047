"""What a branch pays by is checked over every month, against every version in force in it."""

from __future__ import annotations

import pytest

from domain.evaluation.programs import program_of
from domain.identifiers import Month
from domain.processes.pay_rulebooks import (
    Choice,
    PaysNobody,
    SameRoleTwice,
    check_choice,
    check_publication,
    chosen_in,
)
from domain.processes.rulebook_history import Published
from tests.rules import text_of

ADJUSTED = {"adjusted": {"unit": "yuan", "read": "adjustment", "take": "yuan"}}


def published(
    rulebook: str,
    month: str,
    position: int,
    *roles: str,
    period: str = "month",
    step: str = "pay",
) -> Published:
    value = "round(adjusted, 2)" if period == "month" else "100"
    inputs = ADJUSTED if period == "month" else None
    text = text_of(
        {f"{step} yuan": value}, inputs=inputs, id=rulebook, period=period, roles=list(roles)
    )
    version = f"1.{position}.0"
    digest = program_of(text).digest
    return Published(rulebook, version, Month.parse(month), position, digest, text, "hr", "")


def histories(*versions: Published) -> dict[str, list[Published]]:
    found: dict[str, list[Published]] = {}
    for version in versions:
        found.setdefault(version.rulebook, []).append(version)
    return found


def choice(month: str, *rulebooks: str, position: int = 100) -> Choice:
    return Choice(Month.parse(month), rulebooks, position, "hr", "")


CLERKS = published("a", "2026-01", 1, "clerk")
DRIVERS = published("b", "2026-01", 2, "driver")
WIDER = published("a", "2026-10", 3, "clerk", "driver")
BOTH = choice("2026-01", "a", "b")


def test_two_rulebooks_whose_roles_are_apart_may_be_chosen_together() -> None:
    check_choice("B01", [], BOTH, histories(CLERKS, DRIVERS))


def test_a_choice_is_refused_for_a_version_that_takes_effect_after_its_first_month() -> None:
    with pytest.raises(SameRoleTwice) as refused:
        check_choice("B01", [], BOTH, histories(CLERKS, DRIVERS, WIDER))
    said = refused.value
    assert (said.branch, said.month, said.one, said.other, said.roles) == (
        "B01", Month.parse("2026-10"), "a", "b", ("driver",),
    )  # fmt: skip
    for words in (said.text.zh, said.text.en):
        assert all(part in words for part in ("a 1.3.0", "b 1.2.0", "driver", "2026-10", "B01"))


def test_a_choice_is_judged_until_the_branchs_next_one() -> None:
    known = histories(CLERKS, DRIVERS, WIDER)
    check_choice("B01", [choice("2026-10", "b", position=50)], BOTH, known)
    with pytest.raises(SameRoleTwice):
        check_choice("B01", [choice("2026-11", "b", position=50)], BOTH, known)
    with pytest.raises(SameRoleTwice):  # an earlier one does not end it
        check_choice("B01", [choice("2025-10", "b", position=50)], BOTH, known)


def test_a_version_that_another_has_replaced_by_then_does_not_count() -> None:
    narrower = published("a", "2026-10", 4, "clerk")  # of equal months the one published last
    check_choice("B01", [], BOTH, histories(CLERKS, DRIVERS, WIDER, narrower))
    later = choice("2026-11", "a", "b")
    check_choice("B01", [], later, histories(WIDER, DRIVERS, published("a", "2026-11", 5, "clerk")))


def test_one_rulebook_for_everyone_goes_with_no_other_of_its_kind_of_period() -> None:
    everyone = published("all", "2026-01", 3, "everyone")
    chosen = choice("2026-01", "a", "all")
    with pytest.raises(SameRoleTwice) as refused:
        check_choice("B01", [], chosen, histories(CLERKS, everyone))
    assert refused.value.roles == ("clerk",)
    quarterly = published("all", "2026-01", 3, "everyone", period="quarter")
    check_choice("B01", [], chosen, histories(CLERKS, quarterly))
    with pytest.raises(SameRoleTwice) as refused:
        check_choice("B01", [], choice("2026-01", "all", "all"), histories(everyone))
    assert "所有岗位" in refused.value.text.zh


def test_a_rulebook_that_does_not_pay_is_nothing_to_pay_by() -> None:
    bonus = published("c", "2026-01", 3, "driver", step="bonus")
    with pytest.raises(PaysNobody, match=r"c 1\.3\.0 has no step pay"):
        check_choice("B01", [], choice("2026-01", "a", "c"), histories(CLERKS, bonus))
    pays_later = [published("c", "2026-06", 4, "driver"), bonus]
    with pytest.raises(PaysNobody):
        check_choice("B01", [], choice("2026-01", "a", "c"), histories(CLERKS, *pays_later))
    check_choice("B01", [], choice("2026-06", "a", "c"), histories(CLERKS, *pays_later))


def test_a_publication_is_refused_where_a_branch_pays_by_both() -> None:
    known, wider = histories(CLERKS, DRIVERS, WIDER), WIDER
    with pytest.raises(SameRoleTwice) as refused:
        check_publication(wider, {"B01": [choice("2026-01", "b")], "B02": [BOTH]}, known)
    assert (refused.value.branch, refused.value.month) == ("B02", Month.parse("2026-10"))
    until = [BOTH, choice("2026-10", "b", position=101)]
    check_publication(wider, {"B01": [choice("2026-01", "b")], "B02": until, "B03": []}, known)
    since = [choice("2026-01", "a"), choice("2026-12", "a", "b", position=101)]
    with pytest.raises(SameRoleTwice) as refused:
        check_publication(wider, {"B01": since}, known)
    assert refused.value.month == Month.parse("2026-12")


def test_a_publication_is_not_refused_for_what_it_does_not_change() -> None:
    known = histories(CLERKS, DRIVERS, WIDER, narrower := published("a", "2026-12", 4, "clerk"))
    check_publication(narrower, {"B01": [BOTH]}, known)  # what overlaps in October did before
    other = published("c", "2026-01", 5, "guard")
    check_publication(other, {"B01": [BOTH]}, known | {"c": [other]})


def test_what_is_chosen_in_a_month_is_the_latest_by_then() -> None:
    made = [choice("2026-10", "a", position=1), choice("2026-08", "b", position=2)]
    made.append(choice("2026-10", "c", position=3))
    found = [chosen_in(made, Month.parse(m)) for m in ("2026-07", "2026-09", "2026-10", "2027-01")]
    assert found == [("elastic-pay",), ("b",), ("c",), ("c",)]
