"""Numbers for texts: what one transaction adds never gets the number of what another has just
added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from projections.store.fact_rows import Interning, Symbols


class Between(dict[str, int]):
    """Known numbers; once, after the first look, another thread learns of a new one."""

    def __init__(self, known: Mapping[str, int], learn: Callable[[], None]) -> None:
        super().__init__(known)
        self.learn: Callable[[], None] | None = learn

    def get(self, text: str, default: int | None = None) -> int | None:  # type: ignore[override]
        found = super().get(text, default)
        if (learn := self.learn) is not None:
            self.learn = None
            learn()
        return found


def known(learnt: str) -> Symbols:
    """The symbol B01, and another that the process learns of after the first look."""
    symbols = Symbols()
    symbols.numbers = Between({}, lambda: symbols._extend(2, [learnt]))
    symbols._extend(1, ["B01"])
    return symbols


def test_what_another_thread_learns_meanwhile_has_no_number_that_is_given_here() -> None:
    new = Interning(known("bonus").numbers)
    assert [new["Ann"], new["bonus"], new["B01"]] == [2, 3, 1]
    assert new.texts == ["Ann", "bonus"]  # whoever writes them asks by the text


def test_a_text_that_is_learnt_before_it_is_asked_for_keeps_the_numbers_in_order() -> None:
    new = Interning(known("bonus").numbers)
    assert [new["B01"], new["bonus"], new["Ann"], new["bonus"]] == [1, 2, 3, 2]
    assert (new.first, new.texts) == (2, ["bonus", "Ann"])
