"""考核单: the figures and warnings of each person, and the digest over all of them."""

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

    from domain.evaluation.context import Evaluation, RowWarning


@dataclass(frozen=True)
class Warning:  # noqa: A001 - the public format's word
    """What must be seen beside a statement: a code, the step, and what it is about."""

    code: str
    step: str
    about: str

    def as_json(self) -> dict[str, str]:
        """The warning as data; its sentence depends on the language, so it is not stored."""
        return {"code": self.code, "step": self.step, "about": self.about}


@dataclass(frozen=True)
class Statement:
    """One person's result of every step, as plain decimals or words."""

    manager: str
    branch: str
    team: str
    steps: dict[str, str]
    warnings: tuple[Warning, ...]

    def as_json(self) -> dict[str, Any]:
        """The statement as the API and the digest have it."""
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
    """The statements of every branch without findings, by branch and manager id.

    A statement leaves out the optional steps that the person is without.
    """
    people, refused = evaluation.people, refused_branches(evaluation)
    texts = {name: column.texts() for name, column in evaluation.steps.items()}
    present = {name: column.present for name, column in evaluation.steps.items()}
    incomplete = {name: rows for name, rows in present.items() if not rows.all()}
    warnings = _warnings_by_row(evaluation.warnings)
    statements = []
    for row, manager in enumerate(people.managers):
        if int(people.branch[row]) in refused:
            continue
        steps = {
            name: values[row]
            for name, values in texts.items()
            if name not in incomplete or incomplete[name][row]
        }
        branch = people.branches[people.branch[row]]
        row_warnings = tuple(warnings.get(row, ()))
        statements.append(Statement(manager, branch, people.team_of(row), steps, row_warnings))
    return statements


def _warnings_by_row(warnings: Iterable[RowWarning]) -> dict[int, list[Warning]]:
    by_row: dict[int, list[Warning]] = {}
    for warning in warnings:
        for row in np.flatnonzero(warning.rows).tolist():
            by_row.setdefault(row, []).append(Warning(warning.code, warning.step, warning.about))
    return by_row


def findings_of(
    evaluation: Evaluation, branch: str, entry_at: Callable[[int], str]
) -> list[Finding]:
    """A refused branch's findings, all at once, by person and step.

    `entry_at` names the entry at a ledger position.
    """
    people, rulebook = evaluation.people, evaluation.program.rulebook
    order = {checked.step.step: index for index, checked in enumerate(evaluation.program.steps)}
    of_branch = [f for f in evaluation.findings if people.branches[people.branch[f.row]] == branch]
    of_branch.sort(key=lambda f: (f.row, order.get(f.step, 0), f.position or 0))
    findings = []
    for row_finding in of_branch:
        manager, (code, about) = people.managers[row_finding.row], row_finding.reason
        text = finding_text(code, manager, row_finding.step, about, rulebook)
        entry = entry_at(row_finding.position) if row_finding.position else None
        findings.append(Finding(code, manager, row_finding.step, entry, text))
    return findings


def digest_of(
    rulebook: str, version: str, period: str, branch: str, statements: Iterable[Statement]
) -> str:
    """SHA-256 over the RFC 8785 JSON of what was evaluated and its results.

    Equal facts under equal rules give equal digests. orjson writes the bytes that RFC 8785 asks for
    because the document holds only texts, and because its keys are within the first 65,536
    characters (`model.py` checks a rulebook's names), where the order of characters is that of
    UTF-16 units.
    """
    document = {
        "rulebook": rulebook,
        "version": version,
        "period": period,
        "branch": branch,
        "statements": [statement.as_json() for statement in statements],
    }
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
