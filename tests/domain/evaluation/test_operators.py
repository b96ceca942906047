"""What is computed over a population equals the same thing done person by person."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.evaluation import columns, operators
from domain.evaluation.columns import LIMIT, Column, fit
from domain.evaluation.operators import Groups
from tests.oracle_schemes import arithmetic

GS = [Decimal("0.10"), Decimal("0.20"), Decimal("0.60"), Decimal("0.10")]
TOP = [True, True, False, False]


def groups(codes: list[int], count: int | None = None) -> Groups:
    return Groups(np.array(codes, np.int64), max(codes, default=-1) + 1 if count is None else count)


def mask(flags: list[Any]) -> Any:
    return np.array(flags, bool)


def column(wholes: list[int], places: int = 0, poison: list[int] | None = None) -> Column:
    return fit(
        np.array(wholes, object), places, None if poison is None else np.array(poison, np.int16)
    )


@st.composite
def crowds(draw: st.DrawFn, wholes: st.SearchStrategy[int]) -> tuple[Groups, list[int], list[bool]]:
    """People of up to four groups (some may be empty), a figure each, and who counts."""
    codes = draw(st.lists(st.integers(0, 3), max_size=12))
    figures = [draw(wholes) for _ in codes]
    return groups(codes, 4), figures, [draw(st.booleans()) for _ in codes]


WHOLES = st.one_of(st.integers(-5, 5), st.sampled_from([LIMIT, -LIMIT, 2**62, 2**70]))


# Sums


@given(crowds(WHOLES))
@example((groups([0, 0]), [LIMIT, 1], [True, True]))
@example((groups([0, 0, 1]), [LIMIT, LIMIT, 3], [True, False, True]))
def test_a_total_is_the_sum_over_those_of_the_group_who_count(
    crowd: tuple[Groups, list[int], list[bool]],
) -> None:
    of, figures, counts = crowd
    result = operators.sum_over_groups(column(figures, 2), mask(counts), of)
    codes = of.codes.tolist()
    wanted = [
        sum(x for x, c, there in zip(figures, codes, counts, strict=True) if c == code and there)
        for code in codes
    ]
    assert [int(whole) for whole in result.data.tolist()] == wanted
    assert result.places == 2
    assert all(abs(whole) <= result.bound for whole in wanted)


@given(crowds(WHOLES))
def test_a_count_is_how_many_of_the_group_count(
    crowd: tuple[Groups, list[int], list[bool]],
) -> None:
    of, _, counts = crowd
    codes = of.codes.tolist()
    wanted = [
        sum(there for c, there in zip(codes, counts, strict=True) if c == code) for code in codes
    ]
    result = operators.count_over_groups(mask(counts), of)
    assert result.data.tolist() == wanted
    assert max(wanted, default=0) <= result.bound


def test_a_total_has_no_value_where_one_of_the_group_who_counts_has_none() -> None:
    of = groups([0, 1, 0, 1, 2])
    result = operators.sum_over_groups(
        column([1, 1, 1, 1, 1], poison=[0, 0, 3, 4, 5]), mask([1, 1, 1, 0, 0]), of
    )
    assert result.poison is not None
    assert result.poison.tolist() == [3, 0, 3, 0, 0]
    assert operators.spread_poison(column([1]), mask([1]), groups([0])) is None


def test_groups_have_sizes_and_rows_in_any_order_of_rows() -> None:
    of = groups([2, 0, 2, 0, 2], 4)
    assert of.sizes.tolist() == [2, 0, 3, 0]
    assert of.rows.tolist() == [1, 3, 0, 2, 4]
    assert of.starts.tolist() == [0, 2, 2, 5]


def test_groups_are_split_so_that_equal_names_in_two_branches_stay_two() -> None:
    branches = groups([0, 0, 1, 1])
    teams = branches.split(np.array([0, 1, 0, 1]), 2)
    assert teams.count == 4
    assert teams.codes.tolist() == [0, 1, 2, 3]
    assert groups([0, 0, 1]).split(np.array([1, 1, 1]), 2).codes.tolist() == [0, 0, 1]
    assert groups([]).split(np.array([], np.int64), 1).count == 0


@pytest.mark.parametrize("apart", [1, 1_000_000])
def test_groups_are_split_the_same_however_large_their_codes(apart: int) -> None:
    teams = groups([0, 0, 1, 1, 0]).split(np.array([3, 0, 3, 0, 3]) * apart, 3 * apart + 1)
    assert teams.codes.tolist() == [1, 0, 3, 2, 1]
    assert teams.count == 4


@given(st.lists(st.integers(0, 3), max_size=12))
def test_every_row_has_the_figure_of_its_group(codes: list[int]) -> None:
    figures = np.array([10, 20, 30, 40])
    for of in (groups(codes, 4), groups(sorted(codes), 4)):
        assert of.spread(figures).tolist() == [10 * (code + 1) for code in of.codes.tolist()]


def test_more_flags_than_fit_a_byte_are_added_up() -> None:
    many = columns.flags(np.ones(1000, bool))
    assert (
        operators.sum_over_groups(many, mask([1] * 1000), groups([0] * 1000)).data.tolist()
        == [1000] * 1000
    )


# Ranks


@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.data())
def test_groups_of_every_size_are_ranked_side_by_side(
    sizes: list[int], data: st.DataObject
) -> None:
    codes = [code for code, size in enumerate(sizes) for _ in range(size)]
    key = data.draw(st.lists(st.integers(-3, 3), min_size=len(codes), max_size=len(codes)))
    places = operators.rank(
        [np.array(key, np.int64)], mask([1] * len(codes)), groups(codes, len(sizes))
    ).ranks
    for code in range(len(sizes)):
        rows = [row for row, of in enumerate(codes) if of == code]
        best_first = sorted(rows, key=lambda row: (-key[row], row))
        assert [int(places[row]) for row in best_first] == [*range(1, len(rows) + 1)]


def test_flags_rank_like_any_figures() -> None:
    ranking = operators.rank(
        [columns.flags(mask([0, 1] * 100)).data], mask([1] * 200), groups([0] * 200)
    )
    assert ranking.ranks.tolist() == [n // 2 + (1 if n % 2 else 101) for n in range(200)]


@given(crowds(WHOLES), st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_a_rank_is_by_the_first_key_then_the_second_then_the_row(
    crowd: tuple[Groups, list[int], list[bool]], seconds: list[int]
) -> None:
    of, firsts, counts = crowd
    rows = range(len(firsts))
    for keys in ([firsts], [firsts, seconds[: len(firsts)]]):
        ranking = operators.rank([column(key).data for key in keys], mask(counts), of)
        for code in range(of.count):
            inside = [row for row in rows if of.codes[row] == code and counts[row]]
            order = sorted(inside, key=lambda row: (*(-key[row] for key in keys), row))
            assert [int(ranking.ranks[row]) for row in order] == list(range(1, len(order) + 1))
            alike = defaultdict(set)
            for row in inside:
                alike[tuple(key[row] for key in keys)].add(row)
            for equals in alike.values():
                marks = {int(ranking.ties[row]) for row in equals}
                assert len(marks) == 1
                assert (marks == {0}) == (len(equals) == 1)
        assert all(
            ranking.ranks[row] == 0 and ranking.ties[row] == 0 for row in rows if not counts[row]
        )
        marked: dict[int, set[Any]] = defaultdict(set)
        for row in rows:
            if ranking.ties[row]:
                marked[int(ranking.ties[row])].add(
                    (int(of.codes[row]), *(key[row] for key in keys))
                )
        assert all(len(sets) == 1 for sets in marked.values())


def test_keys_too_wide_to_pack_into_one_rank_the_same() -> None:
    wide = [-(2**62), 2**62, 0, 2**62]
    places = operators.rank([np.array(wide)], mask([1] * 4), groups([0] * 4)).ranks
    assert places.tolist() == [4, 1, 3, 2]


@pytest.mark.parametrize("groups_of", [1, 3])
def test_the_packed_order_is_taken_exactly_as_long_as_it_fits(groups_of: int) -> None:
    rows = 2 * groups_of
    limit = LIMIT // groups_of // rows  # the widest range that packs
    codes = groups(sorted([*range(groups_of)] * 2))
    for width in (limit, limit + 1, limit + 2):
        key = np.array([0, width - 1] * groups_of)
        assert operators.rank([key], mask([1] * rows), codes).ranks.tolist() == [2, 1] * groups_of


# Forced distribution


@pytest.mark.parametrize(
    ("people", "seats"),
    [  # by hand, from section 0
        (0, [0, 0, 0, 0]),
        (1, [0, 0, 1, 0]),
        (2, [0, 1, 1, 0]),
        (3, [1, 1, 1, 0]),
        (4, [1, 1, 1, 1]),
        (5, [1, 1, 2, 1]),  # 0.5, 1, 3, 0.5 → 1 1 3 1: the third tier gives one
        (10, [1, 2, 6, 1]),
        (12, [1, 2, 8, 1]),  # 1.2, 2.4, 7.2, 1.2 → 1 2 7 1: it takes one
        (15, [2, 3, 8, 2]),  # 1.5, 3, 9, 1.5 → 2 3 9 2
        (40, [4, 8, 24, 4]),
    ],
)
def test_seats_for_10_20_60_10(people: int, seats: list[int]) -> None:
    assert operators.count_seats(GS, people) == seats


def test_of_two_largest_tiers_the_better_one_takes_the_difference() -> None:
    halves = [Decimal("0.2"), Decimal("0.4"), Decimal("0.4")]
    assert operators.largest_tier(halves) == 1
    assert operators.count_seats(halves, 6) == [1, 3, 2]  # 1.2, 2.4, 2.4 → 1 2 2
    assert operators.count_seats(halves, 2) == [
        0,
        1,
        1,
    ]  # 1 1 1 is too many, and the second tier cannot give its last


SHARES = [
    ["0.1", "0.2", "0.6", "0.1"],
    ["0.05", "0.2", "0.5", "0.2", "0.05"],
    ["0.2", "0.2", "0.2", "0.2", "0.2"],
    ["0.5", "0.5"],
    ["1"],
]


@given(st.integers(0, 60), st.sampled_from(SHARES))
def test_seats_add_up_to_the_people(people: int, shares: list[str]) -> None:
    seats = operators.count_seats([Decimal(part) for part in shares], people)
    assert sum(seats) == people
    assert seats == arithmetic.seats([Fraction(part) for part in shares], people)


@st.composite
def ranked_crowds(draw: st.DrawFn) -> tuple[Groups, list[int], list[bool]]:
    """People in groups with places 1, 2, … in each, 0 for some outside; and who is barred."""
    codes = draw(st.lists(st.integers(0, 2), max_size=25))
    places = [0] * len(codes)
    for code in range(3):
        inside = draw(st.permutations([row for row, c in enumerate(codes) if c == code]))
        outside = draw(st.integers(0, 2))
        for place, row in enumerate(inside[outside:], 1):
            places[row] = place
    return groups(codes, 3), places, [draw(st.booleans()) for _ in codes]


@given(ranked_crowds())
@example((groups([0, 0]), [1, 2], [True, False]))
@example((groups([0] * 4), [1, 2, 3, 4], [True] * 4))
@example((groups([0] * 10), list(range(1, 11)), [False, False, True] + [False] * 7))
def test_a_forced_distribution_seats_everyone_as_the_rules_say(
    crowd: tuple[Groups, list[int], list[bool]],
) -> None:
    of, places, barred = crowd
    tiers = operators.distribute(np.array(places, np.int64), GS, TOP, mask(barred), of)
    shares = [Fraction(part) for part in GS]
    for code in range(of.count):
        inside = [row for row in range(len(places)) if of.codes[row] == code and places[row]]
        order = sorted(inside, key=lambda row: places[row])
        names = {row: f"{row:02d}" for row in order}
        out = {names[row] for row in order if barred[row]}
        wanted = arithmetic.distribute([names[row] for row in order], shares, out, 2)
        assert {names[row]: int(tiers[row]) + 1 for row in order} == wanted
    assert all(tiers[row] == -1 for row in range(len(places)) if not places[row])


def test_a_closed_tier_between_open_ones_is_passed_over_by_the_barred() -> None:
    shares = [Decimal("0.25"), Decimal("0.25"), Decimal("0.5")]
    tiers = operators.distribute(
        np.arange(1, 5), shares, [False, True, False], mask([1, 0, 0, 0]), groups([0] * 4)
    )
    # Seats 1 1 2: the closed tier is filled first, by the first who may; the others sit down in
    # order.
    assert tiers.tolist() == [0, 1, 2, 2]


# Shares of a pool


WEIGHTS = st.one_of(st.integers(0, 5), st.sampled_from([0, 1, 10**18, 2**62]))


POOLS = st.one_of(st.integers(-1000, 1000), st.sampled_from([10**14, LIMIT, 2**70]))


def test_a_sum_that_leaves_64_bits_is_exact() -> None:
    of = Groups(np.array([0, 0, 0, 0, 1]), 2)
    big = 2**62 + 1
    assert operators.sum_groups(np.array([big] * 5, np.int64), big, of).tolist() == [4 * big, big]


def test_a_pool_is_shared_exactly_by_weights_that_almost_fill_64_bits() -> None:
    weights = [
        1_425_568_371_289_739_584,
        6_929_836_934_015_602_552,
    ]  # 8.36e18 together, more than 2**62
    parts, _ = operators.share_pool(
        column([957_615_271] * 2, 2), column(weights, 0), Groups(np.zeros(2, np.int64), 1)
    )
    # 957615271 × the first ÷ both = 163384778.15…, the second 794230492.84…, so the cent left over
    # is the second's.
    assert parts.data.tolist() == [163_384_778, 794_230_493]


@given(crowds(WEIGHTS), st.lists(POOLS, min_size=4, max_size=4))
@example((groups([0, 0, 0]), [1, 1, 1], [True] * 3), [100, 0, 0, 0])
@example((groups([0, 0, 0]), [1, 1, 1], [True] * 3), [-100, 0, 0, 0])
@example((groups([0, 0]), [0, 0], [True] * 2), [100, 0, 0, 0])
def test_a_shared_pool_adds_up_to_the_cent_and_goes_to_the_largest_remainders(
    crowd: tuple[Groups, list[int], list[bool]], pools: list[int]
) -> None:
    of, weights, _ = crowd
    pool = column([pools[code] for code in of.codes.tolist()], 2)
    parts, nothing = operators.share_pool(pool, column(weights, 1), of)
    assert parts.places == 2
    for code in range(of.count):
        rows = [row for row in range(len(weights)) if of.codes[row] == code]
        wanted = arithmetic.share(
            Fraction(pools[code], 100), {f"{row:02d}": Fraction(weights[row]) for row in rows}
        )
        assert [Fraction(int(parts.data[row]), 100) for row in rows] == list(wanted.values())
        unshared = sum(weights[row] for row in rows) == 0
        assert all(nothing[row] == unshared for row in rows)


# Looking up


def test_a_value_matches_its_equal_or_the_last_key_not_above_it() -> None:
    keys, values = np.array([10, 0, 20]), np.array([-1, 0, 5, 10, 15, 20, 99])
    assert operators.match_keys(values, keys).tolist() == [-1, 1, -1, 0, -1, 2, -1]
    assert operators.match_keys(values, keys, exact=False).tolist() == [-1, 1, 1, 0, 0, 2, 2]
    assert operators.match_keys(values[:2], keys[:0]).tolist() == [-1, -1]
    assert operators.match_keys(values[:0], keys).tolist() == []


@given(st.lists(st.integers(-3, 8), max_size=20), st.sets(st.integers(-3, 8)), st.booleans())
def test_values_of_a_narrow_range_match_as_each_alone_would(
    values: list[int], keys: set[int], exact: bool
) -> None:
    among = np.array(sorted(keys), np.int64)
    alone = [operators.match_keys(np.array([value]), among, exact=exact)[0] for value in values]
    assert operators.match_keys(np.array(values, np.int64), among, exact=exact).tolist() == alone


def test_flags_are_matched_like_any_figures() -> None:
    flags = columns.flags(mask([1, 0, 1, 1])).data
    assert operators.match_keys(flags, np.array([0, 1])).tolist() == [1, 0, 1, 1]


# Products that pass 63 bits


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**34),
            st.integers(1, 2**62 - 1),
            st.integers(0, 2**62),
            st.integers(0, 61),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_a_product_is_divided_exactly_however_large(rows: list[tuple[int, int, int, int]]) -> None:
    factors = [factor for factor, _, _, _ in rows]
    wholes = [max(whole >> shift, 1) for _, whole, _, shift in rows]
    parts = [part % (whole + 1) for (_, _, part, _), whole in zip(rows, wholes, strict=True)]
    found = operators._multiply_and_divide(
        *(np.array(data, np.int64) for data in (factors, parts, wholes))
    )
    wanted = [divmod(f * p, w) for f, p, w in zip(factors, parts, wholes, strict=True)]
    assert [(int(q), int(r)) for q, r in zip(*found, strict=True)] == wanted


def test_a_product_is_divided_exactly_at_the_limits_of_the_leading_bits() -> None:
    for whole in (2**61, 2**61 + 1, 2**62 - 1, 3 * 2**60):
        for factor in (1, 2**20 - 1, 2**24, 2**30 - 1):
            parts = np.array(
                [0, 1, whole // factor, whole // factor + 1, whole - 1, whole], np.int64
            )
            sizes = len(parts)
            quotients, rests = operators._multiply_and_divide(
                np.full(sizes, factor), parts, np.full(sizes, whole)
            )
            assert [(int(q), int(r)) for q, r in zip(quotients, rests, strict=True)] == [
                divmod(factor * int(part), whole) for part in parts
            ]
