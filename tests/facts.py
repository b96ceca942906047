"""Entries as the evaluator's inputs without a database: fact rows as the ledger would write them, in ledger order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from domain.entries import Reversal, parse_entry
from domain.evaluation.evaluator import Evaluation, evaluate
from domain.evaluation.ledger_inputs import LedgerInputs
from domain.evaluation.programs import program_of, shipped
from domain.identifiers import Period
from domain.rulebook.checks import Program
from projections.fact_rows import FACT, Interning, fact_row
from projections.facts import Rows, inputs_of

Entries = Sequence[Mapping[str, Any]]


def fact_rows(entries: Entries) -> tuple[Rows, list[str]]:
    """The rows of these entries at positions 1, 2, …, and the texts that they name by number."""
    symbols = Interning({})
    rows: list[tuple[int, ...]] = []
    links: dict[tuple[str, str], dict[str, Any]] = {}
    for position, raw in enumerate(entries, 1):
        entry = parse_entry(dict(raw))
        fields: dict[str, Any] = entry.parts()[0]
        link: dict[str, Any] = {}
        if isinstance(entry, Reversal):
            link = links[entry.reverses.source, entry.reverses.source_id]
            links[entry.key] = link | {"position": position}
        else:
            item = fields.get("item") or fields.get("role")
            links[entry.key] = {**fields, "root": fields["kind"], "item": item, "position": position}
        rows.append(fact_row(position, fields, link, symbols))
    return np.array(rows, FACT), ["", *symbols.texts]


def inputs(entries: Entries, program: Program, period: str, branches: Sequence[str] | None = None) -> LedgerInputs:
    """What the evaluator reads of a ledger with these entries and no others."""
    rows, symbols = fact_rows(entries)
    time = Period.parse(period)
    assignments = rows[(rows["kind"] == 0) & (rows["month"] <= time.last.index)]
    facts = rows[(rows["kind"] != 0) & (rows["month"] >= time.first.index) & (rows["month"] <= time.last.index)]
    return inputs_of(assignments, facts, symbols, time, program.rulebook, branches)


def evaluated(entries: Entries, program: Program, period: str, branches: Sequence[str] | None = None) -> Evaluation:
    """The evaluation of these entries."""
    return evaluate(program, inputs(entries, program, period, branches))


@cache
def shipped_text(rulebook: str) -> str:
    """The text of a shipped rulebook."""
    (text,) = [text for text in shipped() if f"\nid: {rulebook}\n" in f"\n{text}"]
    return text


def shipped_program(rulebook: str) -> Program:
    """A shipped rulebook, ready to be evaluated."""
    return program_of(shipped_text(rulebook))
