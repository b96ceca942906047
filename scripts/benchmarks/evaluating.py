"""V3.0 for 1,000 to 1,000,000 managers against OpenFisca-core, and how many of its salaries are wrong."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Iterator
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
    from benchmarks.openfisca_scheme import MONTH_ASKED, prepare, system

    program = next(p for p in map(program_of, shipped()) if "gs_tiers" in p.rulebook.tables)
    given = province(size, program.rulebook)
    made = system(program.rulebook, list(given.columns))
    times, wrong = [], 0
    for _ in range(3):
        simulation = prepare(made, given)
        mine = seconds(lambda: evaluate(program, given))
        times.append((mine, seconds(lambda s=simulation: s.calculate("pay", MONTH_ASKED))))  # type: ignore[misc]
    evaluation = evaluate(program, given)
    assert not evaluation.findings, evaluation.findings[:3]
    pay = evaluation.steps["pay"]
    cents = np.array([int(figure) for figure in pay.data], np.int64) * 10 ** (2 - pay.places)  # type: ignore[union-attr]
    theirs = np.rint(simulation.calculate("pay", MONTH_ASKED).astype(np.float64) * 100).astype(np.int64)
    wrong = int((cents != theirs).sum())
    return median(a for a, _ in times), median(b for _, b in times), wrong


def peak(size: int) -> int:
    """Peak memory of our evaluation with its inputs, in MB."""
    from benchmarks.branches import province

    program = next(p for p in map(program_of, shipped()) if "gs_tiers" in p.rulebook.tables)
    evaluate(program, province(size, program.rulebook))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
