"""Choices: the same generator draws from a seed, or lets hypothesis draw (and shrink) for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Pick:
    """Every choice comes down to a whole number within bounds; the smallest is the simplest."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer

    @classmethod
    def seeded(cls, seed: str) -> Pick:
        """The same seed makes the same choices, on any machine."""
        return cls(Random(seed).randint)

    def of(self, options: Sequence[T]) -> T:
        """One of the options; the first is the simplest."""
        return options[self.integer(0, len(options) - 1)]

    def chance(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.integer(1, one_in) == one_in

    def number(self, low: str | int, high: str | int, places: int = 2) -> str:
        """A decimal of at most so many places, as plain text."""
        scale = 10**places
        value = Decimal(self.integer(int(Decimal(low) * scale), int(Decimal(high) * scale))).scaleb(
            -places
        )
        return plain(value)

    def chaos(self) -> Random:
        """A source of what need not shrink: one choice for all of it."""
        return Random(self.integer(0, 2**32 - 1))


def plain(value: Decimal) -> str:
    """A decimal as an entry writes it."""
    return f"{value:f}".rstrip("0").rstrip(".") if value.as_tuple().exponent < 0 else f"{value:f}"
