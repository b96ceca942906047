"""Settlements: what was evaluated and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import orjson
from pydantic import ConfigDict

from api.documents.checks import CHECK, Check
from api.documents.parts.base import (
    AT,
    DIGEST,
    EVALUATION,
    RULES,
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

    from projections.month import settle
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


class Settlement(Shape):
    """A recorded settlement. `as_of`: the last position taken in."""

    model_config = example(
        id=1043,
        period="2026-10",
        branch="B01",
        rulebook=RULES,
        as_of=1042,
        digest=DIGEST,
        managers=40,
        by="hr",
        at=AT,
    )
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
