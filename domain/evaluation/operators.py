"""What is computed over a branch or a team: sums, ranks, forced distributions, shares of a pool.

Rows stand in the order (branch, manager id), so the row number is the last tie-break everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluation.columns import LIMIT, OBJECT, Column, Ints, Mask, Poison, fit, max_abs, widen
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
    def together(self) -> bool:
        """Whether the rows already stand group by group."""
        return bool(np.all(self.codes[1:] >= self.codes[:-1]))

    @cached_property
    def order(self) -> Codes:
        """The rows, group by group, each in row order."""
        return (
            np.arange(len(self.codes)) if self.together else np.argsort(self.codes, kind="stable")
        )

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
        parts = self.codes * count + codes
        if self.count * count > 4 * len(parts):
            parts = dense(parts)
        there = np.zeros(int(parts.max(initial=-1)) + 1, bool)
        there[parts] = True
        return Groups((np.cumsum(there) - 1)[parts], int(there.sum()))

    def spread(self, figures: Ints) -> Ints:
        """Each row: the figure of its group."""
        return np.repeat(figures, self.sizes) if self.together else figures[self.codes]


def dense(values: Ints) -> Codes:
    """The same order as places 0, 1, … without gaps; equals share one."""
    places: Codes = np.unique(values, return_inverse=True)[1]
    return places


def group_sum(data: Ints, bound: int, groups: Groups) -> Ints:
    """Per group: the exact sum, promoted to Python integers where int64 could overflow."""
    if not len(data):
        return np.zeros(groups.count, np.int64)
    biggest = int(groups.sizes.max(initial=0))
    data = widen(data)
    if bound * biggest > LIMIT and max_abs(data) * biggest > LIMIT:
        data = data.astype(object)
    ordered, filled = data if groups.together else data[groups.order], groups.sizes > 0
    sums = np.zeros(groups.count, data.dtype)
    sums[filled] = np.add.reduceat(ordered, groups.starts[filled])
    return fit(sums, 0).data


def spread_poison(column: Column, where: Mask, groups: Groups) -> Poison | None:
    """Each row: the reason why a row of its group that counts has no value, 0 where all have."""
    if column.poison is None or not (rows := np.flatnonzero(where & (column.poison != 0))).size:
        return None
    per_group = np.zeros(groups.count, np.int16)
    np.maximum.at(per_group, groups.codes[rows], column.poison[rows])
    return groups.spread(per_group)


def total(column: Column, where: Mask, groups: Groups) -> Column:
    """Each row: the sum over its group of the rows that count."""
    counting = column.data if where.all() else np.where(where, column.data, 0)
    sums = fit(group_sum(counting, column.bound, groups), column.places)
    return Column(
        groups.spread(sums.data), sums.places, sums.bound, spread_poison(column, where, groups)
    )


def counted(where: Mask, groups: Groups) -> Column:
    """Each row: how many of its group count."""
    sizes = groups.sizes if where.all() else group_sum(where.view(np.int8), 1, groups)
    return Column(groups.spread(sizes), 0, len(where))


@dataclass(frozen=True)
class Ranking:
    """Places 1, 2, … within the group (0 for who does not count), and who stands level with a
    neighbour.
    """

    places: Codes
    tied: Codes  # 0: alone; else the number of the set of equals


class Line(NamedTuple):
    """Who counts, group by group and best first."""

    rows: Codes
    sizes: Codes  # of each group
    before: Codes  # how many of the group stand before each
    level: Codes  # equal within the group for equals

    @property
    def begins(self) -> Codes:
        """Where each group begins."""
        return np.cumsum(self.sizes) - self.sizes


def rank(keys: Sequence[Ints], where: Mask, groups: Groups) -> Ranking:
    """Best first: the largest of the first key, then of the next, last the smaller row number."""
    places, tied = np.zeros(len(where), np.int64), np.zeros(len(where), np.int64)
    line = lined_up(keys, where, groups)
    places[line.rows] = line.before + 1
    same = np.zeros(len(line.rows) + 1, bool)  # as the one before
    same[1:-1] = (line.level[1:] == line.level[:-1]) & (line.before[1:] > 0)
    equals = np.flatnonzero(same[:-1] | same[1:])
    tied[line.rows[equals]] = np.cumsum(~same[equals])
    return Ranking(places, tied)


def lined_up(keys: Sequence[Ints], where: Mask, groups: Groups) -> Line:
    """Who counts, by group, then keys falling, then row."""
    rows, sizes = groups.order, groups.sizes
    if not where.all():
        rows = rows[where[rows]]
        sizes = np.bincount(groups.codes[rows], minlength=groups.count)
    begins = np.repeat(np.cumsum(sizes) - sizes, sizes)
    before = np.arange(len(rows)) - begins
    if not len(rows):
        return Line(rows, sizes, before, before)
    bits = int(sizes.max()).bit_length()
    key = widen(_one_key([key[rows] for key in keys], LIMIT >> bits))
    packed = (
        (int(key.max()) - key) << bits
    ) | before  # one number of int64: how far behind, then the row
    _sort_groups(packed, sizes)
    return Line(rows[begins + (packed & ((1 << bits) - 1))], sizes, before, packed >> bits)


def _one_key(keys: Sequence[Ints], limit: int) -> Codes:
    """The keys as one, in the same order, with fewer than `limit` steps between any two."""
    one = keys[0]
    for key in keys[1:]:
        one = dense(one) * len(key) + dense(key)
    fits = one.dtype != object and int(one.max()) - int(one.min()) < limit
    return one if fits else dense(one)


def _sort_groups(packed: Codes, sizes: Codes) -> None:
    """Sorts within each group: those of equal size side by side, as the rows of a matrix."""
    if (sizes == sizes[0]).all():
        packed.reshape(len(sizes), -1).sort(axis=1)
        return
    begins = np.cumsum(sizes) - sizes
    for size in np.unique(sizes).tolist():
        at = begins[sizes == size, None] + np.arange(size)
        packed[at] = np.sort(packed[at], axis=1)


def bulk_of(shares: Sequence[Decimal]) -> int:
    """The tier that most people are meant to be in; of two equal ones the better."""
    return max(range(len(shares)), key=lambda tier: (shares[tier], -tier))


def seats(shares: Sequence[Decimal], people: int) -> list[int]:
    """强制分布: seats of every tier for a population of this size (section 0, forced distribution,
    steps 1–3).
    """
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
    places: Codes,
    shares: Sequence[Decimal],
    barred_tiers: Sequence[bool],
    barred: Mask,
    groups: Groups,
) -> Codes:
    """Each row's tier, from 0: seats are filled in the order of `places` (0 there: outside, tier
    -1).

    Who is barred is passed over for the barred tiers; their seats that nobody eligible is left for
    go to the tier with the largest share; then everyone not yet seated fills the other tiers by
    rank (section 0, step 4).
    """
    tiers = np.full(len(places), -1, np.int64)
    line = lined_up([-places], places > 0, groups)
    if not len(line.rows):
        return tiers
    eligible, closed = ~barred[line.rows], np.array(barred_tiers, bool)
    sizes, which = np.unique(line.sizes, return_inverse=True)
    table = np.array([seats(shares, int(size)) for size in sizes], np.int64)[which]
    reserved, free = np.where(closed, table, 0), np.where(closed, 0, table)
    found, waiting = _seated(eligible, reserved, line)
    free[:, bulk_of(shares)] += np.maximum(reserved.sum(axis=1) - waiting, 0)
    again, _ = _seated(found == len(shares), free, line)
    tiers[line.rows] = np.minimum(found, again).astype(np.int64)
    return tiers


def _seated(who: Mask, seats: NDArray[np.int64], line: Line) -> tuple[Codes, Codes]:
    """The tier of each of `who`, seated as they stand, group by group, after the last for whom no
    seat is left and for all others; and how many of each group were waiting.
    """
    waiting = np.append(0, np.cumsum(who, dtype=np.int64))
    earlier = waiting[line.begins]
    order = waiting[1:] - np.repeat(earlier, line.sizes)
    tiers = np.zeros(len(who), np.int16)
    for ends in np.cumsum(seats, axis=1).T:
        tiers += order > np.repeat(ends, line.sizes)
    return np.maximum(tiers, np.int16(seats.shape[1]) * ~who), waiting[
        line.begins + line.sizes
    ] - earlier


def share(pool: Column, weight: Column, groups: Groups) -> tuple[Column, Mask]:
    """Each group's pool parted by weight, to the cent and exactly; and who gets nothing of a pool
    for lack of weight.

    Each part is rounded down to 0.01; the cents left over go one each to the largest remainders,
    ties to the smaller row. `pool` is in whole cents (places 2) and the same for all of a group,
    weights are not negative.
    """
    sums, pools = (
        group_sum(weight.data, weight.bound, groups),
        np.zeros(groups.count, pool.data.dtype),
    )
    pools[groups.codes] = pool.data
    nothing = groups.spread(sums == 0)
    cents, weights, divisor = pool.data, weight.data, groups.spread(np.where(sums == 0, 1, sums))
    quotients, rests = _parted(cents, weights, divisor)
    parts, remainders = fit(quotients, 2), fit(rests, 0)
    left = pools - group_sum(parts.data, parts.bound, groups)
    order = rank([remainders.data], np.ones(len(weights), bool), groups).places
    extra = (order <= groups.spread(left)) & ~nothing
    return fit(np.where(nothing, 0, parts.data + extra), 2), nothing


def _parted(factor: Ints, part: Ints, whole: Ints) -> tuple[Ints, Ints]:
    """factor × part // whole and what remains, exactly, for 0 ≤ part ≤ whole and whole > 0."""
    biggest, size = max_abs(factor), max_abs(whole)
    if OBJECT in (factor.dtype, part.dtype, whole.dtype) or size >= 2**62:
        return _parted_in_full(factor, part, whole)
    if biggest * size <= LIMIT:
        return _parted_in_full(factor, part, whole, np.int64)
    # From the leading bits of both, the quotient is at most one off where enough bits of the whole
    # are left: below, factor / leading < 1/4 bounds the error. The remainder then fits 63 bits, so
    # that it is right modulo 2**64.
    leading = biggest.bit_length() + size.bit_length() - 62
    enough = (whole >> leading) >= 4 * biggest
    quotients = factor * (part >> leading) // np.maximum(whole >> leading, 1)
    rests = factor * part - quotients * whole
    correction = (rests >= whole).astype(np.int64) - (rests < 0)
    quotients, rests = quotients + correction, rests - correction * whole
    few = ~enough
    if few.any():
        quotients, rests = quotients.astype(object), rests.astype(object)
        quotients[few], rests[few] = _parted_in_full(
            *(data[few] for data in np.broadcast_arrays(factor, part, whole))
        )
    return quotients, rests


def _parted_in_full(factor: Ints, part: Ints, whole: Ints, kind: Any = object) -> tuple[Ints, Ints]:
    product = factor.astype(kind) * part
    return product // whole, product % whole


def standing_of(values: Ints, keys: Ints, *, exact: bool = True) -> Codes:
    """Where each value stands among the keys: the equal one, or the last not above it; -1 for
    none.
    """
    if (
        len(values)
        and values.dtype != object
        and (low := int(values.min())) > int(values.max()) - len(values)
    ):
        all_there_are = np.arange(
            low, int(values.max()) + 1
        )  # fewer than there are rows: each is looked for once
        found: Codes = _standing_of(all_there_are, keys, exact)[widen(values) - low]
        return found
    return _standing_of(values, keys, exact)


def _standing_of(values: Ints, keys: Ints, exact: bool) -> Codes:
    order = np.argsort(keys, kind="stable")
    found = np.searchsorted(keys[order], values, side="right") - 1
    if not len(keys):
        return found
    rows = order[np.maximum(found, 0)]
    hit = found >= 0
    if exact:
        hit &= np.asarray(keys[rows] == values, bool)
    return np.where(hit, rows, -1)
