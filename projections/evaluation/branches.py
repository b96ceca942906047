"""A period's facts meet a rulebook: evaluations of branches, as of any position, with entries added
or left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.entries.entry import Assignment, reversed_keys
from domain.errors import Declined, Finding, Text
from domain.evaluation.context import Evaluation
from domain.evaluation.evaluator import evaluate
from domain.evaluation.statements import (
    Statement,
    digest_of,
    findings_of,
    refused_branches,
    statements_of,
)
from domain.fact_kinds import KIND_CODES
from domain.identifiers import Month
from domain.ledger.acceptance import Draft, Target, arrange
from domain.ledger.events import EntryRecorded
from domain.numbers import plain
from projections.facts.counting import inputs_of
from projections.store.database import database_of
from projections.store.fact_rows import FACT, Interning, fact_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.entries.entry import AnyEntry
    from domain.evaluation.ledger_inputs import SettledFigure
    from domain.identifiers import Period
    from domain.ledger.ledger import Ledger
    from domain.rulebook.checks import Program
    from projections.facts.counting import Rows
    from projections.facts.reader import FactStore
    from projections.records.statements import Statements

MONEY_STEP = "pay"


class WrongPeriod(Declined):
    """A rulebook of months asked about a year, or the like."""

    code = "wrong_period"

    def __init__(self, program: Program, period: Period) -> None:
        rules = program.rulebook
        super().__init__(
            Text(
                f"{rules.id} 按{_KINDS[rules.period].zh}考核，{period} 不是这样的周期",
                f"{rules.id} is for a {_KINDS[rules.period].en}, and {period} is none",
            )
        )


class NothingToLeaveOut(Declined):
    """Entries to be left out that are not in the ledger."""

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        listed = ", ".join(f"{source}:{number}" for source, number in keys)
        super().__init__(
            Text(
                f"账本中没有要略去的记录：{listed}",
                f"the ledger has no such entry to leave out: {listed}",
            )
        )


_KINDS = {
    "month": Text("月", "month"),
    "quarter": Text("季度", "quarter"),
    "half": Text("半年", "half-year"),
    "year": Text("年", "year"),
}


@dataclass(frozen=True)
class WhatIf:
    """试算: entries added, and keys of entries left out."""

    added: Sequence[AnyEntry] = ()
    left_out: Sequence[tuple[str, str]] = ()

    @property
    def assigns(self) -> set[str]:
        """The branches that supposed assignments name."""
        return {
            entry.branch for entry in self.added if isinstance(entry, Assignment) and entry.branch
        }


class Loaded(NamedTuple):
    """Rows as the ledger has them: of a period's facts, of assignments up to its end; and the texts
    that they name.
    """

    facts: Rows
    assignments: Rows
    symbols: list[str]


class Totals(NamedTuple):
    """Of a branch: how many people, and Σ pay; None where the rulebook does not pay."""

    managers: int
    pay: str | None


@dataclass
class BranchEvaluation:
    """One branch's period under one rulebook: its statements, or the findings that refuse it."""

    period: str
    branch: str
    program: Program
    position: int
    statements: list[Statement]
    findings: list[Finding] = field(default_factory=list)
    columns: Evaluation | None = field(
        default=None, repr=False, compare=False
    )  # the run, which may have other branches

    @property
    def digest(self) -> str:
        """What pins the result: equal facts under equal rules give equal digests, wherever they are
        evaluated.
        """
        rules = self.program.rulebook
        return digest_of(rules.id, rules.version, self.period, self.branch, self.statements)

    def totals(self) -> Totals:
        """How many people, and Σ pay."""
        if not self.program.rulebook.pays:
            return Totals(len(self.statements), None)
        pays = [Decimal(s.steps[MONEY_STEP]) for s in self.statements if MONEY_STEP in s.steps]
        return Totals(len(self.statements), plain(sum(pays, Decimal(0))))

    def as_json(self) -> dict[str, object]:
        """The evaluation as JSON: plain values, because a replay may have 100,000 statements.

        A sum or findings that there are none of are left out.
        """
        rules = self.program.rulebook
        totals = self.totals()
        document: dict[str, object] = {
            "period": self.period,
            "branch": self.branch,
            "rulebook": {"id": rules.id, "version": rules.version, "digest": self.program.digest},
            "position": self.position,
            "digest": self.digest,
            "statements": [statement.as_json() for statement in self.statements],
            "totals": {"managers": totals.managers}
            if totals.pay is None
            else {"managers": totals.managers, "pay": totals.pay},
        }
        if self.findings:
            document["findings"] = [finding.as_json() for finding in self.findings]
        return document


class Evaluator:
    """Evaluates from a ledger."""

    def __init__(self, ledger: Ledger, facts: FactStore, statements: Statements) -> None:
        self.ledger, self.facts, self.statements = ledger, facts, statements

    def columns(
        self,
        program: Program,
        period: Period,
        branches: Sequence[str] | None,
        as_of: int,
        what_if: WhatIf | None = None,
        loaded: Loaded | None = None,
    ) -> Evaluation:
        """The columns of a period for these branches (None: for all). Raises WrongPeriod."""
        if program.rulebook.period != period.kind:
            raise WrongPeriod(program, period)
        facts, assignments, symbols = loaded or self.loaded(period, branches, as_of, what_if)
        if what_if is not None:
            facts, assignments, symbols = self.supposed(
                what_if, facts, assignments, symbols, period
            )
        inputs = inputs_of(assignments, facts, symbols, period, program.rulebook, branches)
        inputs.settled = self._settled(program, period, as_of)
        return evaluate(program, inputs)

    def loaded(
        self,
        period: Period,
        branches: Sequence[str] | None,
        as_of: int,
        what_if: WhatIf | None = None,
    ) -> Loaded:
        """What is in the ledger of a period and these branches, for several evaluations of them."""
        # Who is only supposed to work in a branch brings along what is known of them in others.
        among = None if what_if and what_if.assigns else branches
        facts = self.facts.facts(period.first.index, period.last.index, branches=among, as_of=as_of)
        assignments = self.facts.assignments(period.last.index, branches=among, as_of=as_of)
        return Loaded(facts, assignments, self.facts.symbols())

    def branches(
        self,
        program: Program,
        period: Period,
        branches: Sequence[str] | None,
        as_of: int,
        what_if: WhatIf | None = None,
        loaded: Loaded | None = None,
    ) -> list[BranchEvaluation]:
        """One evaluation a branch, in the order of branches; a branch without anyone is empty."""
        evaluation = self.columns(program, period, branches, as_of, what_if, loaded)
        names = evaluation.people.branches
        refused = {names[code] for code in refused_branches(evaluation)}
        by_branch: dict[str, list[Statement]] = {
            branch: [] for branch in sorted({*names, *(branches or ())})
        }
        for statement in statements_of(evaluation):
            by_branch[statement.branch].append(statement)
        named = self.entry_names(evaluation)
        return [
            BranchEvaluation(
                str(period),
                branch,
                program,
                as_of,
                statements,
                findings_of(evaluation, branch, named.__getitem__) if branch in refused else [],
                evaluation,
            )
            for branch, statements in by_branch.items()
        ]

    def entry_names(self, evaluation: Evaluation) -> dict[int, str]:
        """The entries that findings blame, by ledger position."""
        positions = {finding.position for finding in evaluation.findings if finding.position}
        return {
            position: f"{event.entry.source}:{event.entry.source_id}"
            for position, event in self.ledger.events_at(positions).items()
            if isinstance(event, EntryRecorded)
        } | {position: "what-if" for position in positions if position > self.ledger.position()}

    def _settled(
        self, program: Program, period: Period, as_of: int
    ) -> dict[tuple[str, str], dict[int, dict[str, SettledFigure]]]:
        """What earlier statements say, where the rulebook reads them: (rulebook, step) → month →
        manager → figure.
        """
        wanted = {
            (given.rulebook, given.step)
            for given in program.rulebook.inputs.values()
            if given.read == "statement" and given.rulebook and given.step
        }
        months = range(period.first.index, period.last.index + 1)
        return {
            (rulebook, step): {
                month: self.statements.latest_steps(
                    str(Month.of_index(month)), rulebook, step, as_of
                )
                for month in months
            }
            for rulebook, step in wanted
        }

    def supposed(
        self, what_if: WhatIf, facts: Rows, assignments: Rows, symbols: list[str], period: Period
    ) -> tuple[Rows, Rows, list[str]]:
        """The rows of facts and of assignments, and their texts, as if entries had been left out,
        and others had come last.
        """
        left_out = self._positions(what_if.left_out)
        if missing := [key for key in what_if.left_out if key not in left_out]:
            raise NothingToLeaveOut(missing)
        positions = list(left_out.values())
        facts = facts[~np.isin(facts["position"], positions)]
        assignments = assignments[~np.isin(assignments["position"], positions)]
        if not what_if.added:
            return facts, assignments, symbols
        rows, texts = self._supposed_rows(what_if.added, symbols)
        rows = rows[rows["month"] <= period.last.index]
        is_assignment = rows["kind"] == KIND_CODES["assignment"]
        in_period = rows["month"] >= period.first.index
        facts = np.concatenate([facts, rows[~is_assignment & in_period]])
        return facts, np.concatenate([assignments, rows[is_assignment]]), texts

    def _positions(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        database = database_of(self.ledger)
        with database.reading() as connection:
            return {key: position for key, (position, _) in database.keys(connection, keys).items()}

    def _supposed_rows(
        self, entries: Sequence[AnyEntry], symbols: list[str]
    ) -> tuple[Rows, list[str]]:
        """Fact rows of entries that are not in the ledger, at positions after its last."""
        interning = Interning({text: number for number, text in enumerate(symbols) if number})
        targets = self.ledger.targets(reversed_keys(entries))
        order, first = arrange(entries, targets), self.ledger.position() + 1
        rows = []
        for position, draft in enumerate((Draft.of(entries[i]) for i in order), first):
            key = draft.reversed_key
            target = targets[key] if key else Target.of_draft(draft)
            link = target.link() if key else {}
            rows.append(fact_row(position, draft.fields, link, interning))
            targets[draft.key] = target._replace(node=position)
        return np.array(rows, FACT), [*symbols, *interning.texts]
