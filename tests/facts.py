"""Entries as the evaluator's inputs without a database: fact rows as the ledger would write them,
in ledger order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from domain.entries.parsing import parse_entry
from domain.evaluation.context import Evaluation
from domain.evaluation.evaluator import evaluate
from domain.evaluation.ledger_inputs import LedgerInputs, SettledFigure
from domain.evaluation.programs import program_of, shipped_texts
from domain.identifiers import Month, Period
from domain.ledger.acceptance import Draft, Target
from domain.rulebook.checks import Program
from projections.facts.counting import Rows, inputs_of
from projections.store.fact_rows import FACT, Interning, fact_row

Entries = Sequence[Mapping[str, Any]]
NOTHING: Mapping[str, Mapping[str, str]] = MappingProxyType({})


def fact_rows(entries: Entries) -> tuple[Rows, list[str]]:
    """The rows of these entries at positions 1, 2, …, and the texts that they name by number."""
    symbols = Interning({})
    rows: list[tuple[int, ...]] = []
    targets: dict[tuple[str, str], Target] = {}
    for position, raw in enumerate(entries, 1):
        draft = Draft.of(parse_entry(dict(raw)))
        key = draft.reversed_key
        target = targets[key] if key else Target.of_draft(draft)
        targets[draft.key] = target._replace(node=position)
        link = target.link() if key else {}
        rows.append(fact_row(position, draft.fields, link, symbols))
    return np.array(rows, FACT), ["", *symbols.texts]


def inputs(
    entries: Entries,
    program: Program,
    period: str,
    branches: Sequence[str] | None = None,
    settled: Mapping[str, Mapping[str, str]] = NOTHING,
) -> LedgerInputs:
    """What the evaluator reads of a ledger with these entries and no others.

    `settled` is what earlier statements say: month → manager → the one figure that the rulebook
    reads of them.
    """
    rows, symbols = fact_rows(entries)
    time = Period.parse(period)
    assignments = rows[(rows["kind"] == 0) & (rows["month"] <= time.last.index)]
    facts = rows[
        (rows["kind"] != 0)
        & (rows["month"] >= time.first.index)
        & (rows["month"] <= time.last.index)
    ]
    found = inputs_of(assignments, facts, symbols, time, program.rulebook, branches)
    months = {
        Month.parse(month).index: {
            manager: SettledFigure(figure, 0) for manager, figure in said.items()
        }
        for month, said in settled.items()
    }
    of_period = {
        month: said
        for month, said in months.items()
        if time.first.index <= month <= time.last.index
    }
    found.settled = {
        (given.rulebook or "", given.step or ""): of_period
        for given in program.rulebook.inputs.values()
        if given.read == "statement"
    }
    return found


def evaluated(
    entries: Entries,
    program: Program,
    period: str,
    branches: Sequence[str] | None = None,
    settled: Mapping[str, Mapping[str, str]] = NOTHING,
) -> Evaluation:
    """The evaluation of these entries."""
    return evaluate(program, inputs(entries, program, period, branches, settled))


@cache
def shipped_ids() -> tuple[str, ...]:
    """Every shipped rulebook's id."""
    return tuple(dict.fromkeys(program_of(text).rulebook.id for text in shipped_texts()))


@cache
def shipped_text(rulebook: str) -> str:
    """The text of a shipped rulebook."""
    (text,) = [text for text in shipped_texts() if f"\nid: {rulebook}\n" in f"\n{text}"]
    return text


def shipped_program(rulebook: str) -> Program:
    """A shipped rulebook, ready to be evaluated."""
    return program_of(shipped_text(rulebook))
