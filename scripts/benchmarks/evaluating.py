"""V3.0 for 1,000 to 1,000,000 managers against OpenFisca-core, and how many of its salaries are wrong.

Both start from their inputs as arrays in memory, one figure a person and input, and end with every step of the rulebook
as an array. Neither reads entries: grouping a ledger's rows, and OpenFisca's copying of inputs into its own storage,
are done before. Branches have 40 people, teams ten; both engines take any sizes.
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
from domain.evaluation.programs import program_of, shipped

SIZES = (1_000, 100_000, 1_000_000)


def evaluations() -> Iterator[Row]:
    """Each size in a process of its own, so that its memory is its own."""
    context = multiprocessing.get_context("spawn")
    for size in SIZES:
        with context.Pool(1) as pool:
            ours, theirs, wrong = pool.apply(compare, (size,))
        with context.Pool(1) as pool:
            memory = pool.apply(peak, (size,))
        what = f"V3.0 for {size:,} managers (OpenFisca: {wrong:,} salaries wrong; ours at most {memory:,} MB)"
        yield Row(what, f"{ours * 1000:,.0f} ms", f"{theirs * 1000:,.0f} ms", f"{theirs / ours:.1f}", "≥ 4")


def compare(size: int) -> tuple[float, float, int]:
    """Median seconds of ours and theirs, in turns; and their salaries that differ by a cent or more."""
    from benchmarks.branches import province
    from benchmarks.openfisca_scheme import MONTH_ASKED, plain, prepare, system

    program = next(p for p in map(program_of, shipped()) if "gs_tiers" in p.rulebook.tables)
    given = province(size, program.rulebook)
    made, steps = system(program.rulebook), [plain(checked.step.step) for checked in program.steps]
    ours, theirs = list[float](), list[float]()
    for turn in range(6):  # who goes second finds memory that the first has touched: each is second as often
        fresh = replace(given, people=replace(given.people))  # nobody is grouped yet
        simulation = prepare(made, fresh)
        runs = [
            (ours, lambda fresh=fresh: evaluate(program, fresh)),
            (theirs, lambda s=simulation: [s.calculate(step, MONTH_ASKED) for step in steps]),
        ]
        for times, run in runs if turn % 2 else reversed(runs):
            times.append(seconds(run))
    evaluation = evaluate(program, given)
    assert not evaluation.findings, evaluation.findings[:3]
    pay = evaluation.steps["pay"]
    cents = np.array([int(figure) for figure in pay.data], np.int64) * 10 ** (2 - pay.places)  # type: ignore[union-attr]
    pays = np.rint(simulation.calculate("pay", MONTH_ASKED).astype(np.float64) * 100).astype(np.int64)
    return median(ours), median(theirs), int((cents != pays).sum())


def peak(size: int) -> int:
    """Peak memory of our evaluation with its inputs, in MB."""
    from benchmarks.branches import province

    program = next(p for p in map(program_of, shipped()) if "gs_tiers" in p.rulebook.tables)
    evaluate(program, province(size, program.rulebook))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
