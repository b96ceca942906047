"""What is computed over a branch or a team: sums, ranks, forced distributions, shares of a pool.

Rows are in the order (branch, manager id), so the row number is the last tie-break everywhere.
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
    def is_contiguous(self) -> bool:
        """Whether the rows are ordered by group already."""
        return bool(np.all(self.codes[1:] >= self.codes[:-1]))

    @cached_property
    def rows(self) -> Codes:
        """All rows, group by group, within a group in row order."""
        if self.is_contiguous:
            return np.arange(len(self.codes))
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def sizes(self) -> Codes:
        """People in each group."""
        return np.bincount(self.codes, minlength=self.count).astype(np.int64)

    @cached_property
    def starts(self) -> Codes:
        """Where each group begins in `rows`."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)

    def split(self, codes: Codes, count: int) -> Groups:
        """Every group split by another code, such as the branch by staff group."""
        parts = self.codes * count + codes
        if self.count * count > 4 * len(parts):
            parts = number_densely(parts)
        is_used = np.zeros(int(parts.max(initial=-1)) + 1, bool)
        is_used[parts] = True
        return Groups((np.cumsum(is_used) - 1)[parts], int(is_used.sum()))

    def spread(self, figures: Ints) -> Ints:
        """Each row: the figure of its group."""
        return np.repeat(figures, self.sizes) if self.is_contiguous else figures[self.codes]


def number_densely(values: Ints) -> Codes:
    """The values as 0, 1, … in the same order; equal values get one number."""
    numbers: Codes = np.unique(values, return_inverse=True)[1]
    return numbers


def sum_groups(data: Ints, bound: int, groups: Groups) -> Ints:
    """Per group: the exact sum, promoted to Python integers where int64 could overflow."""
    if not len(data):
        return np.zeros(groups.count, np.int64)
    largest_group = int(groups.sizes.max(initial=0))
    data = widen(data)
    if bound * largest_group > LIMIT and max_abs(data) * largest_group > LIMIT:
        data = data.astype(object)
    by_group = data if groups.is_contiguous else data[groups.rows]
    has_people = groups.sizes > 0
    sums = np.zeros(groups.count, data.dtype)
    sums[has_people] = np.add.reduceat(by_group, groups.starts[has_people])
    return fit(sums, 0).data


def spread_poison(column: Column, where: Mask, groups: Groups) -> Poison | None:
    """Each row: the reason why a counted row of its group has no value, 0 where all have one."""
    if column.poison is None or not (rows := np.flatnonzero(where & (column.poison != 0))).size:
        return None
    per_group = np.zeros(groups.count, np.int16)
    np.maximum.at(per_group, groups.codes[rows], column.poison[rows])
    return groups.spread(per_group)


def differs_from_most(groups: Groups, data: Ints) -> Mask:
    """The rows whose figure is not the one that most of their group have.

    Where several figures are equally frequent, nobody knows which is meant: all rows of the group.
    """
    figures = number_densely(data)
    width = int(figures.max(initial=0)) + 1
    kinds, kind_of_row, sizes = np.unique(
        groups.codes * width + figures, return_inverse=True, return_counts=True
    )
    group_of_kind = kinds // width
    largest = np.zeros(groups.count, np.int64)
    np.maximum.at(largest, group_of_kind, sizes)
    is_largest = sizes == largest[group_of_kind]
    is_tied = np.bincount(group_of_kind[is_largest], minlength=groups.count) > 1
    differs: Mask = (~is_largest | is_tied[group_of_kind])[kind_of_row]
    return differs


def sum_over_groups(column: Column, where: Mask, groups: Groups) -> Column:
    """Each row: the sum over its group's rows for which `where` holds."""
    data = column.data if where.all() else np.where(where, column.data, 0)
    sums = fit(sum_groups(data, column.bound, groups), column.places)
    poison = spread_poison(column, where, groups)
    return Column(groups.spread(sums.data), sums.places, sums.bound, poison)


def count_over_groups(where: Mask, groups: Groups) -> Column:
    """Each row: for how many rows of its group `where` holds."""
    sizes = groups.sizes if where.all() else sum_groups(where.view(np.int8), 1, groups)
    return Column(groups.spread(sizes), 0, len(where))


@dataclass(frozen=True)
class Ranking:
    """Ranks 1, 2, … within each group, and the ties."""

    ranks: Codes  # 0: not ranked
    ties: Codes  # 0: nobody has the same keys; else the number of the set of people who have


class RankedRows(NamedTuple):
    """The rows that are ranked, group by group and best first."""

    rows: Codes
    sizes: Codes  # of each group
    ahead: Codes  # per row: how many of the group come before it
    keys: Codes  # per row: within a group, equal for equal keys

    @property
    def starts(self) -> Codes:
        """Where each group begins."""
        return np.cumsum(self.sizes) - self.sizes


def rank(keys: Sequence[Ints], where: Mask, groups: Groups) -> Ranking:
    """Best first: the largest of the first key, then of the next, last the smaller row number."""
    ranks, ties = np.zeros(len(where), np.int64), np.zeros(len(where), np.int64)
    ranked = order_rows(keys, where, groups)
    ranks[ranked.rows] = ranked.ahead + 1
    equals_previous = np.zeros(len(ranked.rows) + 1, bool)
    equals_previous[1:-1] = (ranked.keys[1:] == ranked.keys[:-1]) & (ranked.ahead[1:] > 0)
    tied = np.flatnonzero(equals_previous[:-1] | equals_previous[1:])
    ties[ranked.rows[tied]] = np.cumsum(~equals_previous[tied])
    return Ranking(ranks, ties)


def order_rows(keys: Sequence[Ints], where: Mask, groups: Groups) -> RankedRows:
    """The rows for which `where` holds: by group, then largest keys first, then by row number."""
    rows, sizes = groups.rows, groups.sizes
    if not where.all():
        rows = rows[where[rows]]
        sizes = np.bincount(groups.codes[rows], minlength=groups.count)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    ahead = np.arange(len(rows)) - starts
    if not len(rows):
        return RankedRows(rows, sizes, ahead, ahead)
    bits = int(sizes.max()).bit_length()
    key = widen(_combine_keys([key[rows] for key in keys], LIMIT >> bits))
    # One int64 to sort by: the distance from the largest key, then the row within the group.
    packed = ((int(key.max()) - key) << bits) | ahead
    _sort_groups(packed, sizes)
    row_in_group = packed & ((1 << bits) - 1)
    return RankedRows(rows[starts + row_in_group], sizes, ahead, packed >> bits)


def _combine_keys(keys: Sequence[Ints], limit: int) -> Codes:
    """The keys as one key of the same order, with a difference below `limit` between any two."""
    combined = keys[0]
    for key in keys[1:]:
        combined = number_densely(combined) * len(key) + number_densely(key)
    fits = combined.dtype != object and int(combined.max()) - int(combined.min()) < limit
    return combined if fits else number_densely(combined)


def _sort_groups(packed: Codes, sizes: Codes) -> None:
    """Sorts within each group; groups of equal size are sorted at once, as rows of a matrix."""
    if (sizes == sizes[0]).all():
        packed.reshape(len(sizes), -1).sort(axis=1)
        return
    starts = np.cumsum(sizes) - sizes
    for size in set(sizes.tolist()):
        indices = starts[sizes == size, None] + np.arange(size)
        packed[indices] = np.sort(packed[indices], axis=1)


def largest_tier(shares: Sequence[Decimal]) -> int:
    """The tier with the largest share; of equal shares the better tier."""
    return max(range(len(shares)), key=lambda tier: (shares[tier], -tier))


def count_seats(shares: Sequence[Decimal], people: int) -> list[int]:
    """强制分布: seats of every tier for this many people.

    Forced distribution, steps 1–3.
    """
    largest = largest_tier(shares)
    seats = [max(1, _multiply_half_up(share, people)) for share in shares]
    seats[largest] += people - sum(seats)
    if seats[largest] >= 1:
        return seats
    # Too few people for one seat in every tier: one seat each, the largest shares first.
    seats = [0] * len(shares)
    by_share = sorted(range(len(shares)), key=lambda tier: (-shares[tier], tier))
    for person in range(people):
        seats[by_share[person % len(shares)]] += 1
    return seats


def _multiply_half_up(share: Decimal, people: int) -> int:
    numerator, denominator = share.as_integer_ratio()
    return half_up(numerator * people, denominator)


def distribute(
    ranks: Codes,
    shares: Sequence[Decimal],
    barred_tiers: Sequence[bool],
    barred: Mask,
    groups: Groups,
) -> Codes:
    """Each row's tier, from 0: seats are filled by rank; rank 0 takes no part and gets tier -1.

    Forced distribution, step 4. First the barred tiers are filled, passing over people
    who are barred; seats left there for lack of eligible people go to the tier with the largest
    share. Then everyone without a seat fills the other tiers.
    """
    tiers = np.full(len(ranks), -1, np.int64)
    ranked = order_rows([-ranks], ranks > 0, groups)
    if not len(ranked.rows):
        return tiers
    is_eligible, is_barred_tier = ~barred[ranked.rows], np.array(barred_tiers, bool)
    sizes, size_of_group = np.unique(ranked.sizes, return_inverse=True)
    seats = np.array([count_seats(shares, int(size)) for size in sizes], np.int64)[size_of_group]
    reserved, free = np.where(is_barred_tier, seats, 0), np.where(is_barred_tier, 0, seats)
    first, eligible = _fill_seats(is_eligible, reserved, ranked)
    free[:, largest_tier(shares)] += np.maximum(reserved.sum(axis=1) - eligible, 0)
    second, _ = _fill_seats(first == len(shares), free, ranked)
    tiers[ranked.rows] = np.minimum(first, second).astype(np.int64)
    return tiers


def _fill_seats(
    is_candidate: Mask, seats: NDArray[np.int64], ranked: RankedRows
) -> tuple[Codes, Codes]:
    """Each row's tier when the candidates of a group fill its seats in order.

    Rows without a seat, and rows that are no candidates, get the number after the last tier. The
    second result is how many candidates each group has.
    """
    counted = np.append(0, np.cumsum(is_candidate, dtype=np.int64))
    before_group = counted[ranked.starts]
    turn = counted[1:] - np.repeat(before_group, ranked.sizes)
    tiers = np.zeros(len(is_candidate), np.int16)
    for last_turn in np.cumsum(seats, axis=1).T:
        tiers += turn > np.repeat(last_turn, ranked.sizes)
    seated: Codes = np.maximum(tiers, np.int16(seats.shape[1]) * ~is_candidate)
    return seated, counted[ranked.starts + ranked.sizes] - before_group


def share_pool(pool: Column, weight: Column, groups: Groups) -> tuple[Column, Mask]:
    """Each row's part of its group's pool, by weight; and the rows of groups without any weight.

    Each part is rounded down to 0.01; the cents left over go one each to the largest remainders,
    ties to the smaller row. So the parts sum to the pool. `pool` is in whole cents (places 2) and
    the same for all of a group, weights are not negative. A group without weight gets nothing.
    """
    sums = sum_groups(weight.data, weight.bound, groups)
    pools = np.zeros(groups.count, pool.data.dtype)
    pools[groups.codes] = pool.data
    without_weight = groups.spread(sums == 0)
    divisor = groups.spread(np.where(sums == 0, 1, sums))
    quotients, remainders = _multiply_and_divide(pool.data, weight.data, divisor)
    parts = fit(quotients, 2)
    left_over = pools - sum_groups(parts.data, parts.bound, groups)
    by_remainder = rank([fit(remainders, 0).data], np.ones(len(weight), bool), groups).ranks
    extra_cent = (by_remainder <= groups.spread(left_over)) & ~without_weight
    return fit(np.where(without_weight, 0, parts.data + extra_cent), 2), without_weight


def _multiply_and_divide(factor: Ints, part: Ints, whole: Ints) -> tuple[Ints, Ints]:
    """factor × part // whole and the remainder, exactly, for 0 ≤ part ≤ whole and whole > 0."""
    largest_factor, largest_whole = max_abs(factor), max_abs(whole)
    if OBJECT in (factor.dtype, part.dtype, whole.dtype) or largest_whole >= 2**62:
        return _multiply_then_divide(factor, part, whole)
    if largest_factor * largest_whole <= LIMIT:
        return _multiply_then_divide(factor, part, whole, np.int64)
    # The product does not fit int64. Divided by their leading bits, part and whole give a quotient
    # that is at most one off wherever enough bits of the whole remain: with the condition below,
    # factor / leading bits < 1/4 bounds the error. The remainder then fits 63 bits, so its value
    # modulo 2**64 is its value.
    shift = largest_factor.bit_length() + largest_whole.bit_length() - 62
    is_precise = (whole >> shift) >= 4 * largest_factor
    quotients = factor * (part >> shift) // np.maximum(whole >> shift, 1)
    remainders = factor * part - quotients * whole
    correction = (remainders >= whole).astype(np.int64) - (remainders < 0)
    quotients, remainders = quotients + correction, remainders - correction * whole
    imprecise = ~is_precise
    if imprecise.any():
        quotients, remainders = quotients.astype(object), remainders.astype(object)
        operands = (data[imprecise] for data in np.broadcast_arrays(factor, part, whole))
        quotients[imprecise], remainders[imprecise] = _multiply_then_divide(*operands)
    return quotients, remainders


def _multiply_then_divide(
    factor: Ints, part: Ints, whole: Ints, dtype: Any = object
) -> tuple[Ints, Ints]:
    product = factor.astype(dtype) * part
    return product // whole, product % whole


def match_keys(values: Ints, keys: Ints, *, exact: bool = True) -> Codes:
    """For each value the index of its key, -1 for none: the equal key, or the last not above it."""
    if (
        len(values)
        and values.dtype != object
        and (low := int(values.min())) > int(values.max()) - len(values)
    ):
        # There are more rows than whole numbers between the least and the greatest value: each
        # number is searched for once.
        numbers = np.arange(low, int(values.max()) + 1)
        indices: Codes = _search_keys(numbers, keys, exact)[widen(values) - low]
        return indices
    return _search_keys(values, keys, exact)


def _search_keys(values: Ints, keys: Ints, exact: bool) -> Codes:
    order = np.argsort(keys, kind="stable")
    last_not_above = np.searchsorted(keys[order], values, side="right") - 1
    if not len(keys):
        return last_not_above
    indices = order[np.maximum(last_not_above, 0)]
    matches = last_not_above >= 0
    if exact:
        matches &= np.asarray(keys[indices] == values, bool)
    return np.where(matches, indices, -1)
