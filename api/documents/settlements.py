"""Settlements: what was evaluated and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import orjson
from pydantic import ConfigDict

from api.documents.checks import CHECK, Check
from api.documents.parts.base import (
    AT,
    BOTH,
    DIGEST,
    EVALUATION,
    RULES,
    Both,
    Evaluation,
    IdText,
    RulebookName,
    Rules,
    Shape,
    example,
)
from api.documents.parts.field_types import PeriodText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.identifiers import Period
    from projections.month import promotions, settle
    from projections.records import statements


class RecordedEvaluation(Evaluation):
    """The evaluation of a settlement, and its id."""

    settlement: int


class Settle(Shape):
    """What to settle; without a rulebook, under all that the branch pays by."""

    model_config = ConfigDict(extra="forbid", **example(period="2026-10", branch="B01"))
    period: PeriodText
    branch: IdText
    rulebook: RulebookName | None = None


class Settled(Shape):
    """What was settled: the first settlement's id, the position reached, every evaluation, and the
    month check as of then.
    """

    model_config = example(
        id=1043,
        position=1083,
        evaluations=[{"settlement": 1043, **EVALUATION}],
        check=CHECK,
    )
    id: int
    position: int
    evaluations: list[RecordedEvaluation]
    check: Check


@dataclass(frozen=True)
class SettledBranch:
    """What was settled, in values: a branch may have many thousands of statements.

    Its JSON has the shape `Settled`.
    """

    settlements: Sequence[settle.Settled]  # at least one
    check: Check

    @property
    def id(self) -> int:
        """The id of the first settlement."""
        return self.settlements[0].id

    @property
    def position(self) -> int:
        """The ledger position that was reached."""
        return self.settlements[0].position

    def json_bytes(self, *, indent: int | None = None) -> bytes:
        """The document as JSON."""
        evaluations = [
            {"settlement": settled.id, **settled.evaluation.as_json()}
            for settled in self.settlements
        ]
        document = {
            "id": self.id,
            "position": self.position,
            "evaluations": evaluations,
            "check": orjson.loads(self.check.json_bytes()),
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 if indent else 0)


SETTLEMENT = {
    "id": 1043,
    "period": "2026-10",
    "branch": "B01",
    "rulebook": RULES,
    "as_of": 1042,
    "digest": DIGEST,
    "managers": 40,
    "by": "hr",
    "at": AT,
}


class Settlement(Shape):
    """A recorded settlement. `as_of`: the last position taken in."""

    model_config = example(**SETTLEMENT)
    id: int
    period: str
    branch: str
    rulebook: Rules
    as_of: int
    digest: str
    managers: int
    by: str
    at: str

    @classmethod
    def of_settlement(cls, settlement: statements.Settlement) -> Self:
        """The settlement as it was recorded."""
        return cls(
            id=settlement.position,
            period=settlement.period,
            branch=settlement.branch,
            rulebook=Rules(
                id=settlement.rulebook,
                version=settlement.version,
                digest=settlement.rulebook_digest,
            ),
            as_of=settlement.as_of,
            digest=settlement.digest,
            managers=settlement.people,
            by=settlement.by,
            at=settlement.at,
        )


class Settlements(Shape):
    """A page of settlements, in ledger order; `next` is the address of the next one."""

    model_config = example(
        settlements=[SETTLEMENT],
        next="/v1/settlements?branch=B01&limit=1&cursor=1043",
    )
    settlements: list[Settlement]
    next: str | None


class PromotionFigure(Shape):
    """A figure of the statement."""

    step: str
    label: Both
    value: str
    unit: str


class Candidate(Shape):
    """Somebody who stands for promotion or exit: the figure that says so, and the figures of the
    statement behind it. Its derivation is that of the manager, the period and the rulebook.
    """

    manager: str
    team: str
    rulebook: str
    version: str
    statement: int
    step: str
    label: Both
    clause: str
    value: str
    figures: list[PromotionFigure]


class Promotions(Shape):
    """Who of a branch stands for promotion, and who for exit, in a period."""

    model_config = example(
        branch="B01",
        period="2026",
        promotion=[
            {
                "manager": "M0007",
                "team": "T1",
                "rulebook": RULES["id"],
                "version": "1.0.0",
                "statement": 1,
                "step": "annual_grade",
                "label": BOTH,
                "clause": "第九条",
                "value": "1",
                "figures": [{"step": "annual_grade", "label": BOTH, "value": "1", "unit": "grade"}],
            }
        ],
        exit=[],
    )
    branch: str
    period: str
    promotion: list[Candidate]
    exit: list[Candidate]

    @classmethod
    def of_candidates(
        cls, branch: str, period: Period, candidates: Sequence[promotions.Candidate]
    ) -> Self:
        """The candidates by what they stand for."""
        listed: dict[str, list[Candidate]] = {"promotion": [], "exit": []}
        for candidate in candidates:
            listed[candidate.outcome].append(Candidate.of(candidate))
        return cls(branch=branch, period=str(period), **listed)
