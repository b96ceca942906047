"""抽样稽核: a sample that anyone can draw again: by a seed and a size that were on record before it
was drawn.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from domain.errors import Declined, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

Person = tuple[str, str, int]  # id, team, weight (a whole number, at least 0)
LOT_BITS = 64


class EmptySample(Declined):
    """A sample of nobody."""

    def __init__(self) -> None:
        super().__init__(Text("样本量至少为 1", "a sample has at least one person"))


def drawn(
    people: Sequence[Person], seed: str, size: int, *, by_team: bool, by_amount: bool
) -> list[str]:
    """The sample, in the order of ids. A size over the population draws everyone.

    Without weights: those whose lots (SHA-256 over seed and id) are smallest. With weights: one
    after another, each time with a chance proportional to the weight among those left; who weighs
    nothing comes last, by lot.
    """
    if size < 1:
        raise EmptySample
    groups: dict[str, list[Person]] = {}
    for person in sorted(people):
        groups.setdefault(person[1] if by_team else "", []).append(person)
    named = sorted(groups.items())
    chosen: list[str] = []
    for (name, group), number in zip(
        named, _sizes([len(group) for _, group in named], size), strict=True
    ):
        pick = _weighted if by_amount else _plain
        chosen += pick(group, f"{seed}\n{name}", number)
    return sorted(chosen)


def _sizes(population: list[int], size: int) -> list[int]:
    """Each group's part of the size, by largest remainder, of equal ones the first; the sum is the
    size.
    """
    total = sum(population)
    size = min(size, total)
    parts = [size * group // total for group in population]
    by_remainder = sorted(
        range(len(parts)), key=lambda place: (-(size * population[place] % total), place)
    )
    for place in by_remainder[: size - sum(parts)]:
        parts[place] += 1
    return parts


def _lot(seed: str, name: str) -> int:
    return int.from_bytes(
        hashlib.sha256(f"{seed}\n{name}".encode()).digest()[: LOT_BITS // 8], "big"
    )


def _plain(group: Sequence[Person], seed: str, number: int) -> list[str]:
    return sorted((name for name, _, _ in group), key=lambda name: (_lot(seed, name), name))[
        :number
    ]


def _weighted(group: Sequence[Person], seed: str, number: int) -> list[str]:
    left = [(name, weight) for name, _, weight in group if weight > 0]
    chosen: list[str] = []
    while left and len(chosen) < number:
        # A whole number below the total, from a lot of its own for every draw: exact, whatever the
        # weights.
        at = _lot(seed, str(len(chosen))) * sum(weight for _, weight in left) >> LOT_BITS
        for place, (name, weight) in enumerate(left):
            at -= weight
            if at < 0:
                chosen.append(name)
                del left[place]
                break
    rest = [(name, team, weight) for name, team, weight in group if name not in chosen]
    return chosen + _plain(rest, seed, number - len(chosen))
