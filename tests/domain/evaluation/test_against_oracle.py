"""The evaluator against the row-by-row oracle in fractions, on made-up branch-months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from domain.evaluation.context import Evaluation
from domain.evaluation.statements import digest_of, findings_of, refused_branches, statements_of
from tests import oracle
from tests.cases import case
from tests.facts import evaluated, shipped_ids, shipped_program
from tests.generation.draft import BRANCH, ELSEWHERE, Entry, subject
from tests.generators import Branch, branches, random_branch

RULEBOOKS = shipped_ids()
SIZES = (1, 3, 4, 17, 40, 61)
SEEDS = {size: range(min(10, 170 // size)) for size in SIZES}  # as many people of each size


def agree(branch: Branch) -> None:
    """Statements, warnings and refusals are those of the oracle."""
    wanted = oracle.evaluate(
        branch.rulebook, branch.entries, branch.period, branch.branch, settled=branch.settled
    )
    program = shipped_program(branch.rulebook)
    evaluation = evaluated(branch.entries, program, branch.period, [branch.branch], branch.settled)
    ours = {
        *outcomes(statements(evaluation), warnings(evaluation)),
        *(("refused", *parts) for parts in findings(evaluation, wanted.refusals)),
    }
    theirs = {
        *outcomes(wanted.statements, wanted.warnings),
        *(("refused", *parts) for parts in wanted.refusals),
    }
    differing = [("evaluator", *parts) for parts in ours - theirs]
    differing += [("oracle", *parts) for parts in theirs - ours]
    assert not differing, "\n".join(map(str, sorted(differing, key=str)))


def outcomes(
    statements: Mapping[str, Mapping[str, str]],
    warnings: Mapping[str, Iterable[tuple[str, str]]],
) -> Iterator[tuple[str | None, ...]]:
    """Who has a statement, each step of it with its value, and each warning."""
    for manager, steps in statements.items():
        yield "statement", manager
        for step, value in steps.items():
            yield "step", manager, step, value
    for manager, warned in warnings.items():
        for code, step in warned:
            yield "warned", manager, code, step


@cache
def published(rulebook: str) -> frozenset[str]:
    """The steps that the oracle gives, for so many people that each step has a value."""
    made = [random_branch(rulebook, 61, seed) for seed in range(3)]
    results = [
        oracle.evaluate(rulebook, b.entries, b.period, b.branch, settled=b.settled) for b in made
    ]
    return frozenset(
        step for result in results for steps in result.statements.values() for step in steps
    )


def statements(evaluation: Evaluation) -> dict[str, dict[str, str]]:
    """The published steps; a rulebook may show others beside them."""
    named = published(evaluation.program.rulebook.id)
    return {
        statement.manager: {step: value for step, value in statement.steps.items() if step in named}
        for statement in statements_of(evaluation)
    }


def warnings(evaluation: Evaluation) -> dict[str, set[tuple[str, str]]]:
    found = {s.manager: {(w.code, w.step) for w in s.warnings} for s in statements_of(evaluation)}
    return {manager: warned for manager, warned in found.items() if warned}


def leads_to(evaluation: Evaluation, step: str) -> str:
    """The published step that a step is on the way to: the rules' words know no other."""
    named, steps = published(evaluation.program.rulebook.id), list(evaluation.steps)
    return next((later for later in steps[steps.index(step) :] if later in named), step)


def findings(
    evaluation: Evaluation, wanted: Sequence[tuple[str, str | None, str | None]]
) -> set[Any]:
    """By code, person and step; what concerns a whole branch or whole teams, and nobody by the
    oracle, has no person.
    """
    people = evaluation.people
    team_of = {manager: people.team_of(row) for row, manager in enumerate(people.managers)}
    shared = {(code, step) for code, manager, step in wanted if manager is None}
    found = {
        (f.code, f.manager, leads_to(evaluation, str(f.step)))
        for branch in evaluation.people.branches
        for f in findings_of(evaluation, branch, str)
    }
    of_all = set()
    for code, step in shared:
        blamed = {str(manager) for c, manager, s in found if (c, s) == (code, step)}
        teams = {team_of[manager] for manager in blamed}
        if blamed and blamed == {manager for manager, team in team_of.items() if team in teams}:
            of_all.add((code, step))
    return {
        (code, None if (code, step) in of_all else manager, step) for code, manager, step in found
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_a_generated_period_comes_out_as_in_the_oracle(rulebook: str, size: int) -> None:
    for seed in SEEDS[size]:
        with case(rulebook, f"{size} people", f"seed {seed}"):
            agree(random_branch(rulebook, size, seed))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_a_spoilt_period_is_refused_as_in_the_oracle(rulebook: str, size: int) -> None:
    for seed in SEEDS[size][:5]:
        with case(rulebook, f"{size} people", f"seed {seed}, spoilt"):
            agree(random_branch(rulebook, size, seed, refused=True))


@settings(max_examples=25, deadline=None)
@given(branches("elastic-pay", max_size=12))
def test_a_month_that_hypothesis_draws_comes_out_as_in_the_oracle(branch: Branch) -> None:
    agree(branch)


# Order of arrival, and other branches.


def reordered(entries: Sequence[Entry], seed: int) -> list[Entry]:
    """Another order: that of each subject is kept, and a person's first assignment comes first."""
    by_key = {(entry["source"], entry["source_id"]): entry for entry in entries}

    def about(entry: Entry) -> Any:
        while entry["kind"] == "reversal":
            entry = by_key[entry["reverses"]["source"], entry["reverses"]["source_id"]]
        return subject(entry)

    queues: dict[Any, list[Entry]] = defaultdict(list)
    for entry in reversed(entries):
        queues[about(entry)].append(entry)
    first = [queue.pop() for key, queue in queues.items() if key[0] == "assignment"]
    labels = [key for key, queue in queues.items() for _ in queue]
    Random(seed).shuffle(labels)
    return first + [queues[label].pop() for label in labels]


def digests(evaluation: Evaluation) -> dict[str, str]:
    """Branch → digest, of the branches that are not refused."""
    people, refused = evaluation.people, refused_branches(evaluation)
    every = statements_of(evaluation)
    return {
        name: digest_of(
            "elastic-pay", "3.0.0", "2026-10", name, [s for s in every if s.branch == name]
        )
        for code, name in enumerate(people.branches)
        if code not in refused
    }


def test_the_order_of_arrival_changes_no_digest() -> None:
    program = shipped_program("elastic-pay")
    for seed in range(20):
        with case(f"seed {seed}"):
            branch = random_branch("elastic-pay", 12, seed)
            before = digests(evaluated(branch.entries, program, branch.period))
            after = digests(evaluated(reordered(branch.entries, seed), program, branch.period))
            assert before
            assert after == before


def side_by_side(made: Sequence[Branch]) -> list[Entry]:
    """One ledger of several branches: other people and keys, the same names of teams."""
    entries: list[Entry] = []
    for number, branch in enumerate(made):
        names = {BRANCH: f"B{number}", ELSEWHERE: f"E{number}"}
        for entry in branch.entries:
            moved = {**entry, "source_id": f"{entry['source_id']}-{number}"}
            if "branch" in entry:
                moved["branch"] = names[entry["branch"]]
            if "manager" in entry:
                moved["manager"] = f"{entry['manager']}-{number}"
            if "reverses" in entry:
                moved["reverses"] = {
                    **entry["reverses"],
                    "source_id": f"{entry['reverses']['source_id']}-{number}",
                }
            entries.append(moved)
    return reordered(entries, len(made))


@pytest.mark.parametrize("seed", range(12))
def test_a_branch_alone_equals_that_branch_among_others_even_where_one_of_them_is_refused(
    seed: int,
) -> None:
    program = shipped_program("elastic-pay")
    made = [random_branch("elastic-pay", 1 + 5 * n, seed, refused=n == 2) for n in range(5)]
    entries = side_by_side(made)
    together = evaluated(entries, program, "2026-10")
    assert len(digests(together)) >= 4
    assert refused_branches(together)
    for branch in together.people.branches:
        alone = evaluated(entries, program, "2026-10", [branch])
        assert digests(alone) == {
            name: digest for name, digest in digests(together).items() if name == branch
        }
        assert findings_of(alone, branch, str) == findings_of(together, branch, str)
        told = [warnings(evaluation) for evaluation in (alone, together)]
        assert told[0] == {
            manager: found for manager, found in told[1].items() if manager in alone.people.managers
        }
