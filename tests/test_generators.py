"""The made-up branches are what the tests that use them rely on: the same every time, valid, mostly
evaluated, edgy.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings

from tests.generation.defects import DEFECTS
from tests.generators import SCHEMES, Branch, branches, random_branch
from tests.oracle import RULEBOOKS, Result, evaluate

SIZES = (1, 3, 4, 17, 40, 61)


def evaluated(branch: Branch) -> Result:
    return evaluate(
        branch.rulebook, branch.entries, branch.period, branch.branch, settled=branch.settled
    )


def test_there_is_a_branch_for_every_rulebook() -> None:
    assert set(SCHEMES) == set(DEFECTS) == set(RULEBOOKS)


@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_a_branch_has_its_people_and_is_evaluated(rulebook: str) -> None:
    for size in SIZES:
        branch = random_branch(rulebook, size, seed=1)
        assert branch == random_branch(rulebook, size, seed=1)
        assert branch != random_branch(rulebook, size, seed=2)
        result = evaluated(branch)
        assert result.refusals == []
        assert list(result.statements) == branch.members
        assert len(branch.members) == size


@pytest.mark.parametrize("rulebook", [rulebook for rulebook in RULEBOOKS if DEFECTS[rulebook]])
def test_a_spoiled_branch_is_refused_with_the_codes_of_its_defects(rulebook: str) -> None:
    seen = set()
    for seed in range(12):
        branch = random_branch(rulebook, SIZES[seed % len(SIZES)], seed, refused=True)
        codes = {code for code, _, _ in evaluated(branch).refusals}
        assert branch.refusals
        assert branch.refusals <= codes
        seen |= codes
    assert seen <= {code for code, _ in DEFECTS[rulebook]}


@settings(max_examples=25, deadline=None)
@given(branches("elastic-pay"))
def test_drawn_branches_keep_to_the_contract(branch: Branch) -> None:
    keys = [(entry["source"], entry["source_id"]) for entry in branch.entries]
    assert len(set(keys)) == len(keys)
    known, assigned, reversed_keys = set(), {}, Counter()
    for entry, key in zip(branch.entries, keys, strict=True):
        if entry["kind"] == "reversal":
            target = entry["reverses"]["source"], entry["reverses"]["source_id"]
            assert target in known
            reversed_keys[target] += 1
        elif entry["kind"] == "assignment":
            assigned.setdefault(entry["manager"], entry["month"])
        elif "manager" in entry:
            assert assigned[entry["manager"]] <= entry["month"]
        known.add(key)
    assert set(reversed_keys.values()) <= {1}
    assert list(evaluated(branch).statements) == branch.members


def test_the_branches_of_the_main_scheme_reach_its_edges() -> None:
    steps: Counter[tuple[str, str]] = Counter()
    warned: Counter[str] = Counter()
    for seed in range(40):
        result = evaluated(random_branch("elastic-pay", 17, seed))
        warned.update(code for found in result.warnings.values() for code, _ in found)
        for statement in result.statements.values():
            steps.update(
                (step, statement[step])
                for step in ("raw_deduction", "gs_barred", "gs_tier", "performance_points")
            )
            steps[
                "deduction capped", str(statement["raw_deduction"] != statement["deduction"])
            ] += 1
            steps["at the floor", str(statement["pay"] != statement["pay_before_floor"])] += 1
    for edge in (
        *(
            ("raw_deduction", points)
            for points in ("300", "300.000001", "1000", "1000.5", "655.000001", "654.999999")
        ),
        *(("gs_tier", tier) for tier in "1234"),
        *(
            ("gs_barred", "0"),
            ("gs_barred", "1"),
            ("performance_points", "0"),
            ("performance_points", "8000"),
        ),
        *(("deduction capped", "True"), ("at the floor", "True"), ("at the floor", "False")),
    ):
        assert steps[edge], edge
    assert set(warned) == {"missing_rating", "no_review", "tie"}
