"""The arithmetic that every scheme shares (section 0): exact fractions, half up, shares, ranks,
forced distribution.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

HALF = Fraction(1, 2)


def half_up(value: Fraction, places: int = 0) -> Fraction:
    """四舍五入 to so many decimal places, halves away from zero."""
    size = Fraction(floor(abs(value) * 10**places + HALF), 10**places)
    return -size if value < 0 else size


def quotient(dividend: Fraction, divisor: Fraction | int, places: int = 6) -> Fraction:
    """A quotient exists only with its number of decimal places."""
    return half_up(dividend / divisor, places)


def mean(values: Collection[Fraction]) -> Fraction:
    """Sum / count, to 6 places."""
    return quotient(sum(values, Fraction(0)), len(values))


def plain(value: Fraction) -> str:
    """The shortest plain decimal: no exponent, no trailing zeros, no `-0`. Every value ends
    somewhere.
    """
    places = 0
    while (10**places) % value.denominator:
        places += 1
        assert places <= 60, f"{value} has no end as a decimal"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if value < 0 else text


def share(pool: Fraction, weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Divide a pool of whole cents by weight, so that the parts add up to it; nothing for anyone
    without any weight.
    """
    total = sum(weights.values(), Fraction(0))
    if total == 0:
        return dict.fromkeys(weights, Fraction(0))
    due = {
        manager: pool * 100 * weight / total for manager, weight in weights.items()
    }  # in cents, exact
    cents = {manager: floor(amount) for manager, amount in due.items()}
    left_over = int(pool * 100 - sum(cents.values()))
    by_remainder = sorted(weights, key=lambda manager: (cents[manager] - due[manager], manager))
    for manager in by_remainder[:left_over]:
        cents[manager] += 1
    return {manager: Fraction(amount, 100) for manager, amount in cents.items()}


def rank(managers: Iterable[str], key: Callable[[str], Any]) -> list[str]:
    """The managers in order, smallest key first, equal keys by manager id."""
    return sorted(managers, key=lambda manager: (key(manager), manager))


def ranks(order: Sequence[str]) -> dict[str, int]:
    """Manager → place, from 1."""
    return {manager: place for place, manager in enumerate(order, start=1)}


def rounded_seats(shares: Sequence[Fraction], people: int) -> list[int]:
    """人数按四舍五入计,且每个档次人数不足1人按1人计: clause 1, before the difference is dealt
    with.
    """
    return [max(1, int(half_up(part * people))) for part in shares]


def seats(shares: Sequence[Fraction], people: int) -> list[int]:
    """How many of so many people each tier takes; the seats add up to the people."""
    by_share = sorted(range(len(shares)), key=lambda tier: (-shares[tier], tier))
    bulk = by_share[0]
    taken = rounded_seats(shares, people)
    taken[bulk] += people - sum(taken)
    if taken[bulk] >= 1:
        return taken
    given = Counter(
        by_share[seat % len(shares)] for seat in range(people)
    )  # too few people: one seat at a time
    return [given[tier] for tier in range(len(shares))]


def distribute(
    order: Sequence[str],
    shares: Sequence[Fraction],
    barred: Collection[str] = (),
    barred_tiers: int = 0,
) -> dict[str, int]:
    """强制分布: manager → tier from 1, over people in rank order; `barred` may not be in the first
    `barred_tiers`.
    """
    free = seats(shares, len(order))
    bulk = max(range(len(shares)), key=lambda tier: (shares[tier], -tier))
    tiers: dict[str, int] = {}
    for tier in range(len(shares)):
        closed = barred if tier < barred_tiers else ()
        eligible = [manager for manager in order if manager not in tiers and manager not in closed]
        seated = eligible[: free[tier]]
        tiers.update(dict.fromkeys(seated, tier + 1))
        if tier < barred_tiers:
            free[bulk] += free[tier] - len(seated)
    assert len(tiers) == len(order), "everybody has a seat"
    return tiers


def parted_ties(keys: Mapping[str, Any], ends: Mapping[str, Any]) -> list[str]:
    """The managers with equal keys of whom not all ended in the same tier."""
    groups: dict[Any, list[str]] = defaultdict(list)
    for manager, key in keys.items():
        groups[key].append(manager)
    return [
        manager
        for group in groups.values()
        if len({ends[m] for m in group}) > 1
        for manager in group
    ]
