"""A period's facts as the evaluator's inputs: what counts as of a position, and who works where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from domain.entries.entry import LEFT
from domain.evaluation.columns import Column, TextColumn
from domain.evaluation.ledger_inputs import LedgerInputs, read_attribute
from domain.evaluation.people import People
from domain.fact_kinds import ABSENT
from domain.numbers import SCALE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from domain.identifiers import Period
    from domain.rulebook.model import Rulebook

Rows = NDArray[Any]  # fact rows, see fact_rows.FACT


def counting(rows: Rows) -> Rows:
    """The rows that count: entries (not reversals) that no counting reversal names. In position
    order.
    """
    rows = rows[np.argsort(rows["position"], kind="stable")]
    dead = set(counting_reversals(rows).values())
    entries: Rows = rows[rows["reverses"] == 0]
    return entries[~np.isin(entries["position"], list(dead))] if dead else entries


def counting_reversals(rows: Rows) -> dict[int, int]:
    """The reversals that no counting reversal names, each with what it names, by position."""
    reversals = rows[rows["reverses"] != 0]
    found: dict[int, int] = {}
    dead: set[int] = set()
    # A reversal names something earlier, so from the last to the first each is known to count or
    # not.
    for position, reverses in sorted(
        zip(reversals["position"].tolist(), reversals["reverses"].tolist(), strict=True),
        reverse=True,
    ):
        if position not in dead:
            dead.add(reverses)
            found[position] = reverses
    return found


def latest_assignments(rows: Rows) -> Rows:
    """Each manager's latest assignment: the greatest month, within it the highest position. Rows
    count already.
    """
    order = np.lexsort((rows["position"], rows["month"], rows["manager"]))
    rows = rows[order]
    last = np.append(rows["manager"][1:] != rows["manager"][:-1], True)
    latest: Rows = rows[last[: len(rows)]]
    return latest


def inputs_of(
    assignments: Rows,
    facts: Rows,
    symbols: Sequence[str],
    period: Period,
    rulebook: Rulebook,
    branches: Sequence[str] | None,
) -> LedgerInputs:
    """The people of a period and rulebook in these branches (None: every branch), and their entries
    that count.

    `assignments` are all assignment rows up to the period's last month of anyone ever in the
    branches, `facts` the other rows of the period.
    """
    people_rows = latest_assignments(counting(assignments))
    roles, role = _coded(people_rows["item"], symbols)
    wanted = set(roles if rulebook.is_for_everyone else rulebook.roles) - {LEFT}
    keep = _among(wanted, roles)[role]
    if branches is not None:
        names, branch = _coded(people_rows["branch"], symbols)
        keep &= _among(branches, names)[branch]
    for attribute in rulebook.only:
        numbers, inverse = np.unique(people_rows["attributes"], return_inverse=True)
        words = [read_attribute(symbols[number], attribute) for number in numbers.tolist()]
        keep &= np.array([rulebook.is_for(attribute, word) for word in words], bool)[inverse]
    people_rows = people_rows[keep]
    ids = [
        (symbols[branch], symbols[manager])
        for branch, manager in people_rows[["branch", "manager"]].tolist()
    ]
    people_rows = people_rows[sorted(range(len(ids)), key=ids.__getitem__)]
    people = _people(people_rows, symbols)
    return LedgerInputs(
        people,
        counting(facts),
        symbols,
        people_rows["manager"].astype(np.int64),
        people_rows["attributes"].astype(np.int64),
        period.last.index,
        people_rows["position"].astype(np.int64),
    )


def _among(wanted: Collection[str], words: Sequence[str]) -> NDArray[np.bool_]:
    chosen = frozenset(wanted)
    return np.array([word in chosen for word in words], bool)


def _people(rows: Rows, symbols: Sequence[str]) -> People:
    branches, branch = _coded(rows["branch"], symbols)
    teams, team = _coded(rows["team"], symbols)
    roles, role = _coded(rows["item"], symbols)
    grades = rows["value"].copy()
    poison = np.where(grades == ABSENT, np.int16(1), np.int16(0))
    grades[grades == ABSENT] = 0
    return People(
        tuple(symbols[number] for number in rows["manager"].tolist()),
        branches,
        branch,
        teams,
        team,
        Column(grades // SCALE, 0, 99, poison if poison.any() else None),
        TextColumn(role, roles),
    )


def _coded(
    numbers: NDArray[Any], symbols: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Codes in the order of the words, so that branches stand in the order of the rows."""
    unique, inverse = np.unique(numbers, return_inverse=True)
    words = [symbols[number] for number in unique.tolist()]
    order = sorted(range(len(words)), key=words.__getitem__)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return tuple(words[i] for i in order), place[inverse] if len(order) else np.zeros(0, np.int64)


def branches_of(assignments: Rows, symbols: Sequence[str]) -> list[str]:
    """The branches that somebody is assigned to, in order, by the assignments up to a month."""
    rows = latest_assignments(counting(assignments))
    return sorted({symbols[number] for number in np.unique(rows["branch"]).tolist() if number})
