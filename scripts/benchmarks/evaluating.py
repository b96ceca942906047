"""V3.0 for 1,000 to 1,000,000 managers against OpenFisca-core, and piece rates and the four virtues
for 1,000,000.

Both engines start from their inputs as arrays in memory, one figure a person and input, and end
with every step of the rulebook as an array. Neither reads entries: grouping a ledger's rows, and
OpenFisca's copying of inputs into its own storage, are done before. Branches have 40 people, teams
ten; both engines take any sizes.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks.measuring import Row, seconds
from domain.evaluation.evaluator import evaluate
from domain.evaluation.programs import program_of, shipped_texts
from domain.rulebook.checks import Program, check

COMPARED = (
    ("elastic-pay", 1_000),
    ("elastic-pay", 100_000),
    ("elastic-pay", 1_000_000),
    ("piece-rate", 1_000_000),
)
LARGEST = 1_000_000
TURNS = 6


def evaluations() -> Iterator[Row]:
    """Each in a process of its own, so that its memory is its own."""
    context = multiprocessing.get_context("spawn")
    together = [0.0, 0.0]
    for rulebook, size in COMPARED:
        with context.Pool(1) as pool:
            ours, theirs, wrong = pool.apply(compare, (rulebook, size))
        with context.Pool(1) as pool:
            memory = pool.apply(peak, (rulebook, size))
        if size == LARGEST:
            together = [together[0] + ours, together[1] + theirs]
        notes = f"OpenFisca: {wrong:,} salaries wrong; ours at most {memory:,} MB"
        what = f"{rulebook} for {size:,} managers ({notes})"
        yield Row(what, milliseconds(ours), milliseconds(theirs), f"{theirs / ours:.1f}", "≥ 4")
    ours, theirs = together
    yield Row(
        "both for 1,000,000",
        milliseconds(ours),
        milliseconds(theirs),
        f"{theirs / ours:.1f}",
        "≥ 6",
    )
    with context.Pool(1) as pool:
        alone, v3 = pool.apply(virtues, ())
    with context.Pool(1) as pool:
        memory = pool.apply(peak, ("four-virtues", LARGEST))
    what = f"four-virtues for 1,000,000 managers (reference: elastic-pay; at most {memory:,} MB)"
    yield Row(what, milliseconds(alone), milliseconds(v3), f"{v3 / alone:.1f}", "–")


def compilation() -> Iterator[Row]:
    """The largest rulebook from its text to a program that can be run."""
    text = max(shipped_texts(), key=len)
    ours = median(seconds(lambda: check(text)) for _ in range(9))
    yield Row(
        f"compile the largest rulebook ({len(text):,} characters)",
        milliseconds(ours),
        "–",
        "–",
        "≤ 20 ms",
    )


def milliseconds(time: float) -> str:
    """As the table shows it."""
    return f"{time * 1000:,.0f} ms"


def program(rulebook: str) -> Program:
    """A shipped rulebook."""
    return next(p for p in map(program_of, shipped_texts()) if p.rulebook.id == rulebook)


def compare(rulebook: str, size: int) -> tuple[float, float, int]:
    """Median seconds of ours and theirs, in turns; and their salaries that differ by a cent or
    more.
    """
    from benchmarks.branches import province
    from benchmarks.openfisca_scheme import MONTH_ASKED, plain, prepare, system

    rules = program(rulebook)
    given = province(size, rules.rulebook)
    made, steps = system(rules.rulebook), [plain(checked.step.step) for checked in rules.steps]
    ours, theirs = list[float](), list[float]()
    for turn in range(
        TURNS
    ):  # who goes second finds memory that the first has touched: each is second as often
        fresh = replace(given, people=replace(given.people))  # nobody is grouped yet
        simulation = prepare(made, fresh)
        runs = [
            (ours, lambda fresh=fresh: evaluate(rules, fresh)),
            (theirs, lambda s=simulation: [s.calculate(step, MONTH_ASKED) for step in steps]),
        ]
        for times, run in runs if turn % 2 else reversed(runs):
            times.append(seconds(run))
    evaluation = evaluate(rules, given)
    assert not evaluation.findings, evaluation.findings[:3]
    pay = evaluation.steps["pay"]
    cents = np.array([int(figure) for figure in pay.data], np.int64) * 10 ** (2 - pay.places)  # type: ignore[union-attr]
    pays = np.rint(simulation.calculate("pay", MONTH_ASKED).astype(np.float64) * 100).astype(
        np.int64
    )
    return median(ours), median(theirs), int((cents != pays).sum())


def virtues() -> tuple[float, float]:
    """Median seconds of four-virtues and of elastic-pay for as many people, in turns."""
    from benchmarks.branches import province

    made = [
        (rules, province(LARGEST, rules.rulebook))
        for rules in (program("four-virtues"), program("elastic-pay"))
    ]
    times: list[list[float]] = [[], []]
    for _ in range(3):
        for taken, (rules, given) in zip(times, made, strict=True):
            fresh = replace(given, people=replace(given.people))
            taken.append(seconds(lambda rules=rules, fresh=fresh: evaluate(rules, fresh)))
    return median(times[0]), median(times[1])


def peak(rulebook: str, size: int) -> int:
    """Peak memory of our evaluation with its inputs, in MB."""
    from benchmarks.branches import province

    rules = program(rulebook)
    evaluate(rules, province(size, rules.rulebook))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
