"""What is computed over a branch or a team: sums, ranks, forced distributions, shares of a pool.

Rows stand in the order (branch, manager id), so the row number is the last tie-break everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domain.evaluation.columns import LIMIT, Column, Ints, Mask, Poison, fit, largest
from domain.numbers import half_up

if TYPE_CHECKING:
    from collections.abc import Sequence

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """A population: which group each row is in, as codes 0 … count - 1."""

    codes: Codes
    count: int

    @cached_property
    def order(self) -> Codes:
        """The rows, group by group, each in row order."""
        if not len(self.codes) or bool(np.all(self.codes[1:] >= self.codes[:-1])):
            return np.arange(len(self.codes))
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def sizes(self) -> Codes:
        """People in each group."""
        return np.bincount(self.codes, minlength=self.count).astype(np.int64)

    @cached_property
    def starts(self) -> Codes:
        """Where each group begins in `order`."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)

    def split(self, codes: Codes, count: int) -> Groups:
        """Every group parted by another code, such as the branch by staff group."""
        _, inverse = np.unique(self.codes * count + codes, return_inverse=True)
        return Groups(inverse.astype(np.int64), int(inverse.max(initial=-1)) + 1)


def group_sum(data: Ints, bound: int, groups: Groups) -> Ints:
    """Per group: the exact sum, promoted to Python integers where int64 could overflow."""
    if not len(data):
        return np.zeros(groups.count, np.int64)
    biggest = int(groups.sizes.max(initial=0))
    if bound * biggest > LIMIT and largest(data) * biggest > LIMIT:
        data = data.astype(object)
    ordered, filled = data[groups.order], groups.sizes > 0
    sums = np.zeros(groups.count, data.dtype)
    sums[filled] = np.add.reduceat(ordered, groups.starts[filled])
    return fit(sums, 0).data


def spread_poison(column: Column, where: Mask, groups: Groups) -> Poison | None:
    """Each row: the reason why a row of its group that counts has no value, 0 where all have."""
    if column.poison is None:
        return None
    per_group = np.zeros(groups.count, np.int16)
    np.maximum.at(per_group, groups.codes, np.where(where, column.poison, 0))
    return per_group[groups.codes]


def total(column: Column, where: Mask, groups: Groups) -> Column:
    """Each row: the sum over its group of the rows that count."""
    sums = fit(group_sum(np.where(where, column.data, 0), column.bound, groups), column.places)
    return sums.take(groups.codes).with_poison(spread_poison(column, where, groups))


def counted(where: Mask, groups: Groups) -> Column:
    """Each row: how many of its group count."""
    return Column(
        np.bincount(groups.codes[where], minlength=groups.count).astype(np.int64)[groups.codes], 0, len(where)
    )


@dataclass(frozen=True)
class Ranking:
    """Places 1, 2, … within the group (0 for who does not count), and who stands level with a neighbour."""

    places: Codes
    tied: Codes  # 0: alone; else the number of the set of equals


def rank(keys: Sequence[Ints], where: Mask, groups: Groups) -> Ranking:
    """Best first: the largest of the first key, then of the next, last the smaller row number."""
    rows = np.flatnonzero(where)
    places, tied = np.zeros(len(where), np.int64), np.zeros(len(where), np.int64)
    if not len(rows):
        return Ranking(places, tied)
    order = rows[_sorted(groups.codes[rows], [key[rows] for key in keys], groups.count)]
    codes = groups.codes[order]
    first = np.concatenate([[True], codes[1:] != codes[:-1]])
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    places[order] = np.arange(len(order)) - start + 1
    same = ~first
    for key in keys:
        same[1:] &= (key[order][1:] == key[order][:-1]).astype(bool)
    sets = np.cumsum(~same)
    level = same.copy()
    level[:-1] |= same[1:]
    tied[order] = np.where(level, sets, 0)
    return Ranking(places, tied)


def _sorted(codes: Codes, keys: list[Ints], count: int) -> Codes:
    """The order by group, then keys falling, then row; one packed int64 key where it fits, which sorts faster."""
    rows = len(codes)
    if len(keys) == 1 and keys[0].dtype != object:
        top, bottom = int(keys[0].max()), int(keys[0].min())
        width = top - bottom + 1
        if count * width * rows <= LIMIT:
            packed: Codes = (codes * width + (top - keys[0])) * rows + np.arange(rows)
            packed.sort()
            return packed % rows
    dense = [np.unique(key, return_inverse=True)[1] for key in keys]
    order: Codes = np.lexsort((*(-key for key in reversed(dense)), codes))  # stable: the last tie-break is the row
    return order


def bulk_of(shares: Sequence[Decimal]) -> int:
    """The tier that most people are meant to be in; of two equal ones the better."""
    return max(range(len(shares)), key=lambda tier: (shares[tier], -tier))


def seats(shares: Sequence[Decimal], people: int) -> list[int]:
    """强制分布: seats of every tier for a population of this size (section 0, forced distribution, steps 1–3)."""
    bulk = bulk_of(shares)
    given = [max(1, half_up(*_times(share, people))) for share in shares]
    given[bulk] += people - sum(given)
    if given[bulk] >= 1:
        return given
    given = [0] * len(shares)
    by_share = sorted(range(len(shares)), key=lambda tier: (-shares[tier], tier))
    for seat in range(people):
        given[by_share[seat % len(shares)]] += 1
    return given


def _times(share: Decimal, people: int) -> tuple[int, int]:
    top, bottom = share.as_integer_ratio()
    return top * people, bottom


def distribute(
    places: Codes, shares: Sequence[Decimal], barred_tiers: Sequence[bool], barred: Mask, groups: Groups
) -> Codes:
    """Each row's tier, from 0: seats are filled in the order of `places` (0 there: outside, tier -1).

    Who is barred is passed over for the barred tiers; their seats that nobody eligible is left for go to the tier
    with the largest share; then everyone not yet seated fills the other tiers by rank (section 0, step 4).
    """
    tiers = np.full(len(places), -1, np.int64)
    rows = np.flatnonzero(places > 0)
    if not len(rows):
        return tiers
    rows = rows[_sorted(groups.codes[rows], [-places[rows]], groups.count)]
    codes = groups.codes[rows]
    people, eligible = np.bincount(codes, minlength=groups.count), ~barred[rows]
    sizes, which = np.unique(people, return_inverse=True)
    table = np.array([seats(shares, int(size)) for size in sizes], np.int64)[which]
    closed = np.array(barred_tiers, bool)
    reserved, free = np.where(closed, table, 0), np.where(closed, 0, table)
    begins = (np.cumsum(people) - people)[codes]
    found = _seated(eligible, reserved, codes, begins)
    left = reserved.sum(axis=1) - np.bincount(codes[found >= 0], minlength=groups.count)
    free[:, bulk_of(shares)] += left
    tiers[rows] = np.where(found >= 0, found, _seated(found < 0, free, codes, begins))
    return tiers


def _seated(who: Mask, seats: NDArray[np.int64], codes: Codes, begins: Codes) -> Codes:
    """The tier of each of `who`, seated as they stand, group by group; -1 for whom no seat is left, and all others."""
    waiting = np.cumsum(who)
    order: Codes = waiting - (waiting - who)[begins]
    full = [order > ends[codes] for ends in np.cumsum(seats, axis=1).T]
    tiers = np.sum(full, axis=0, dtype=np.int64)
    return np.where(who & (tiers < len(full)), tiers, -1)


def share(pool: Column, weight: Column, groups: Groups) -> tuple[Column, Mask]:
    """Each group's pool parted by weight, to the cent and exactly; and who gets nothing of a pool for lack of weight.

    Each part is rounded down to 0.01; the cents left over go one each to the largest remainders, ties to the smaller
    row. `pool` is in whole cents (places 2) and the same for all of a group, weights are not negative.
    """
    sums, pools = group_sum(weight.data, weight.bound, groups), np.zeros(groups.count, pool.data.dtype)
    pools[groups.codes] = pool.data
    nothing = (sums == 0)[groups.codes]
    cents, weights, divisor = pool.data, weight.data, np.where(sums == 0, 1, sums)[groups.codes]
    if largest(cents) * largest(weights) > LIMIT:
        cents, weights = cents.astype(object), weights.astype(object)
    product = cents * weights
    parts, remainders = fit(product // divisor, 2), fit(product % divisor, 0)
    left = pools - group_sum(parts.data, parts.bound, groups)
    order = rank([remainders.data], np.ones(len(weights), bool), groups).places
    extra = (order <= left[groups.codes]) & ~nothing
    return fit(np.where(nothing, 0, parts.data + extra), 2), nothing & (cents != 0)


def standing_of(values: Ints, keys: Ints, *, exact: bool = True) -> Codes:
    """Where each value stands among the keys: the equal one, or the last not above it; -1 for none."""
    order = np.argsort(keys, kind="stable")
    found = np.searchsorted(keys[order], values, side="right") - 1
    if not len(keys):
        return found
    rows = order[np.maximum(found, 0)]
    hit = found >= 0
    if exact:
        hit &= np.asarray(keys[rows] == values, bool)
    return np.where(hit, rows, -1)
