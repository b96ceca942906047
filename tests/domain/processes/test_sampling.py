"""抽样稽核: who is drawn follows from seed and size alone; each stratum has its part, each yuan its
chance.

The lots below are the first eight bytes that `printf '42\\n\\nA' | sha256sum` prints for each person:
06e1… F, 0721… E, 0e2c… A, 3844… C, 436b… B, b323… D. So F is drawn first, then E, and so on.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from domain.errors import Declined
from domain.processes.sampling import Person, drawn


def people(weights: str) -> list[Person]:
    """`A 10, B 20 | C 5`: people with their weights; a bar begins the next team, T1, T2, …"""
    return [
        (name, f"T{team}", int(weight))
        for team, members in enumerate(weights.split("|"), 1)
        for name, weight in (member.split() for member in members.split(","))
    ]


def sample(
    weights: str, size: int, seed: str = "42", *, by_team: bool = False, by_amount: bool = False
) -> str:
    return " ".join(drawn(people(weights), seed, size, by_team=by_team, by_amount=by_amount))


SIX = "A 0, B 0, C 0 | D 0, E 0, F 0"


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, "F"),
        (2, "E F"),
        (3, "A E F"),
        (4, "A C E F"),
        (5, "A B C E F"),
        (6, "A B C D E F"),
        (7, "A B C D E F"),
        (1_000_000, "A B C D E F"),
    ],
)
def test_the_smallest_lots_are_drawn_in_the_order_of_ids(size: int, expected: str) -> None:
    assert sample(SIX, size) == expected


@pytest.mark.parametrize("size", [0, -1])
def test_nobody_is_no_sample(size: int) -> None:
    with pytest.raises(Declined, match="at least one person"):
        sample(SIX, size)


def test_of_nobody_nobody_is_drawn() -> None:
    assert drawn([], "42", 1, by_team=True, by_amount=True) == []


def test_another_seed_draws_others() -> None:
    # printf '43\n\nA' | sha256sum, and so on: 23b5… E, 5670… C, 764a… F, 7d9a… B, c129… A, e766… D.
    assert sample(SIX, 2, "43") == "C E"
    assert sample(SIX, 5, "43") == "A B C E F"


# Strata


@pytest.mark.parametrize(
    ("teams", "size", "parts"),
    [
        ((3, 3), 2, (1, 1)),
        ((3, 3), 3, (2, 1)),  # of equal remainders the first
        ((10, 20, 70), 10, (1, 2, 7)),
        ((5, 3, 2), 1, (1, 0, 0)),  # 0.5, 0.3, 0.2
        ((5, 3, 2), 3, (1, 1, 1)),  # 1.5, 0.9, 0.6
        ((2, 7), 4, (1, 3)),  # 0.89, 3.11
        ((7, 2), 4, (3, 1)),
        ((1, 99), 1, (0, 1)),
        ((1, 1, 8), 5, (1, 0, 4)),
        ((1, 1, 8), 9, (1, 1, 7)),  # 0.9, 0.9, 7.2
        ((1, 1, 8), 10, (1, 1, 8)),
        ((1, 1, 8), 11, (1, 1, 8)),
        ((4,), 3, (3,)),
    ],
)
def test_each_team_has_its_part_by_largest_remainder(
    teams: tuple[int, ...], size: int, parts: tuple[int, ...]
) -> None:
    members = [
        (f"M{team}{number:02d}", f"T{team}", 0)
        for team, count in enumerate(teams, 1)
        for number in range(count)
    ]
    chosen = Counter(name[1] for name in drawn(members, "7", size, by_team=True, by_amount=False))
    assert tuple(chosen[str(team)] for team in range(1, len(teams) + 1)) == parts


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # Each team has lots of its own (printf '42\nT1\nA' | sha256sum): 1651… C, 81f2… B, 9dbd… A;
        # 3811… D, 5b38… E, 7dbe… F.
        (2, "C D"),
        (3, "B C D"),
        (4, "B C D E"),
        (5, "A B C D E"),
    ],
)
def test_a_team_draws_lots_of_its_own(size: int, expected: str) -> None:
    assert sample(SIX, size, by_team=True) == expected


# Weights

LOT = 572561509942183149372146  # 10^24 * 0x92936420266a0928 / 2^64


@pytest.mark.parametrize(
    ("weights", "size", "expected"),
    [
        # Draw by draw the lots are 0.5725, 0.6700, 0.7559 (printf '42\n\n0' | sha256sum: 9293…).
        ("A 10, B 20, C 30, D 40", 1, "C"),  # 57 of 100: 0-9 A, 10-29 B, 30-59 C
        ("A 10, B 20, C 30, D 40", 2, "C D"),  # 46 of the 70 that are left: 30-69 D
        ("A 10, B 20, C 30, D 40", 3, "B C D"),  # 22 of 30: 10-29 B
        ("A 10, B 20, C 30, D 40", 4, "A B C D"),
        ("A 10, B 20, C 30, D 40", 9, "A B C D"),
        # 57 of 100 is the first yuan of B, or the last of A.
        ("A 57, B 43", 1, "B"),
        ("A 58, B 42", 1, "A"),
        # Exact, however large: by `bc` the lot is 572561509942183149372146 of 10^24.
        (f"A {LOT}, B {10**24 - LOT}", 1, "B"),
        (f"A {LOT + 1}, B {10**24 - LOT - 1}", 1, "A"),
        # Who weighs nothing comes last, by lot: A before B.
        ("A 0, B 0, C 1", 1, "C"),
        ("A 0, B 0, C 1", 2, "A C"),
        ("A 0, B 0, C 1", 3, "A B C"),
        (SIX.replace("|", ","), 2, "E F"),
    ],
)
def test_who_weighs_more_is_likelier_to_be_drawn(weights: str, size: int, expected: str) -> None:
    assert sample(weights, size, by_amount=True) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # T1 draws 0.1347, 0.3731; T2 0.5294, 0.9341 (printf '42\nT1\n0' | sha256sum: 227e…).
        (2, "B E"),  # 13 of 100: 10-29 B; 52 of 100: 50-79 E
        (3, "B C E"),  # 29 of 80: 10-79 C
        (4, "B C E F"),  # 65 of 70: 50-69 F
    ],
)
def test_each_team_weighs_its_own(size: int, expected: str) -> None:
    teams = "A 10, B 20, C 70 | D 50, E 30, F 20"
    assert sample(teams, size, by_team=True, by_amount=True) == expected


def test_without_weights_amounts_count_for_nothing_and_without_strata_teams() -> None:
    assert sample("A 9, B 99, C 999 | D 9999, E 1, F 0", 2) == "E F"
    assert sample("A 10, B 20 | C 30, D 40", 2, by_amount=True) == "C D"


@pytest.mark.parametrize(("by_team", "by_amount"), [(False, False), (False, True), (True, True)])
def test_the_order_in_which_people_are_given_counts_for_nothing(
    by_team: bool, by_amount: bool
) -> None:
    given = people("A 10, B 20, C 30 | D 40, E 50, F 60")
    first = drawn(given, "42", 3, by_team=by_team, by_amount=by_amount)
    for seed in range(20):
        Random(seed).shuffle(given)
        assert drawn(given, "42", 3, by_team=by_team, by_amount=by_amount) == first


def test_over_many_seeds_everybody_has_the_chance_that_is_theirs() -> None:
    plain, weighted, second = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(4000):
        plain[sample("A 1, B 2, C 3, D 4", 1, str(seed))] += 1
        weighted[sample("A 1, B 2, C 3, D 4", 1, str(seed), by_amount=True)] += 1
        second[sample("A 1, B 1, C 2", 2, str(seed), by_amount=True)] += 1
    # Five times the standard deviation is 137 at a quarter of 4000, and less than 158 at any part.
    assert all(abs(plain[name] - 1000) < 137 for name in "ABCD")
    assert all(abs(weighted[name] - 400 * part) < 158 for part, name in enumerate("ABCD", 1))
    # A, then B of what is left, has a chance of 1/4 * 1/3; so has B, then A.
    assert abs(second["A B"] - 4000 // 6) < 118
