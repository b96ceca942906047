"""Explaining one person of a branch of 40, inside the process, from SQLite."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from statistics import median

from api.cli.demo.data import demo_entries
from benchmarks.measuring import Row, in_turns
from domain.entries.parsing import parse_entry
from domain.identifiers import Period
from projections.explain.derivation import explain
from projections.service import Service

PERIOD = Period.parse("2026-10")


def explanations() -> Iterator[Row]:
    """Against evaluating the branch alone."""
    with tempfile.TemporaryDirectory() as folder:
        book = Service.open(f"sqlite:///{folder}/demo.db")
        book.ledger.append([parse_entry(raw) for raw in demo_entries()], by="bench")
        book.settle(PERIOD, "B01", None, by="bench")
        issued = book.find_statement("M0007", PERIOD, None, None)
        program = book.rulebooks.find(issued.rulebook, issued.version)
        pairs = [
            in_turns(
                lambda: explain(book, "M0007", PERIOD),
                lambda: book.evaluator.columns(program, PERIOD, ["B01"], issued.as_of),
                9,
            )
            for _ in range(3)
        ]
        book.close()
        ours, reference = median(a for a, _ in pairs), median(b for _, b in pairs)
        yield Row(
            "explain one of a branch of 40 (reference: evaluate the branch)",
            f"{ours * 1000:.1f} ms",
            f"{reference * 1000:.1f} ms",
            f"{reference / ours:.2f}",
            "≤ 5 ms",
        )
