"""考核单: what an evaluation says of each person, and the digest that pins it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from domain.errors import Finding
from domain.evaluation.messages import finding_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.evaluation.evaluator import Evaluation, RowWarning


@dataclass(frozen=True)
class Warning:  # noqa: A001 - the contract's word
    """What must be seen beside a statement: a code, the step, and what it is about."""

    code: str
    step: str
    about: str

    def as_json(self) -> dict[str, str]:
        """The warning as data: its words depend on the language, so they are no part of a
        statement.
        """
        return {"code": self.code, "step": self.step, "about": self.about}


@dataclass(frozen=True)
class Statement:
    """One person's figures, by step, as plain decimals (or words)."""

    manager: str
    branch: str
    team: str
    steps: dict[str, str]
    warnings: tuple[Warning, ...]

    def as_json(self) -> dict[str, Any]:
        """The statement as the contract prints it."""
        return {
            "manager": self.manager,
            "team": self.team,
            "steps": self.steps,
            "warnings": [warning.as_json() for warning in self.warnings],
        }


def refused_branches(evaluation: Evaluation) -> set[int]:
    """Codes of the branches that have a finding: nothing of theirs is settled."""
    return {int(evaluation.people.branch[finding.row]) for finding in evaluation.findings}


def statements_of(evaluation: Evaluation) -> list[Statement]:
    """The statements of every branch without findings, by branch and manager id; optional steps
    only where present.
    """
    people = evaluation.people
    refused = refused_branches(evaluation)
    texts = {name: column.texts() for name, column in evaluation.steps.items()}
    gaps = {
        name: column.present
        for name, column in evaluation.steps.items()
        if not column.present.all()
    }
    warned = _warnings(evaluation.warnings)
    return [
        Statement(
            manager,
            people.branches[people.branch[row]],
            people.team_of(row),
            {
                name: values[row]
                for name, values in texts.items()
                if name not in gaps or gaps[name][row]
            },
            tuple(warned.get(row, ())),
        )
        for row, manager in enumerate(people.managers)
        if int(people.branch[row]) not in refused
    ]


def _warnings(warnings: Iterable[RowWarning]) -> dict[int, list[Warning]]:
    found: dict[int, list[Warning]] = {}
    for warning in warnings:
        for row in np.flatnonzero(warning.rows).tolist():
            found.setdefault(row, []).append(Warning(warning.code, warning.step, warning.about))
    return found


def findings_of(
    evaluation: Evaluation, branch: str, entry_of: Callable[[int], str]
) -> list[Finding]:
    """A refused branch's findings, all at once, by person and step; `entry_of` names the entry at a
    ledger position.
    """
    people = evaluation.people
    order = {checked.step.step: index for index, checked in enumerate(evaluation.program.steps)}
    mine = [f for f in evaluation.findings if people.branches[people.branch[f.row]] == branch]
    mine.sort(key=lambda f: (f.row, order.get(f.step, 0), f.position or 0))
    return [
        Finding(
            f.problem.code,
            people.managers[f.row],
            f.step,
            entry_of(f.position) if f.position else None,
            finding_text(
                f.problem.code,
                people.managers[f.row],
                f.step,
                f.problem.about,
                evaluation.program.rulebook,
            ),
        )
        for f in mine
    ]


def digest_of(
    rulebook: str, version: str, period: str, branch: str, statements: Iterable[Statement]
) -> str:
    """SHA-256 over the RFC 8785 JSON of what was evaluated and what came out.

    Equal facts under equal rules give equal digests. The document is made of texts alone, and its
    keys are within the
    65,536 first characters (a rulebook's names are, and all others are ours), where sorting by
    character is sorting by UTF-16 unit: orjson then writes the same bytes as RFC 8785 asks for.
    """
    document = {
        "rulebook": rulebook,
        "version": version,
        "period": period,
        "branch": branch,
        "statements": [statement.as_json() for statement in statements],
    }
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
