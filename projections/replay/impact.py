"""发布影响: what a new version of a rulebook would have made of the months that were last settled
under it.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson

from domain.identifiers import Period
from domain.numbers import plain
from projections.replay.comparison import Totals
from projections.replay.question import Question
from projections.replay.replay import answer_question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.rulebook.checks import Program
    from projections.models import ReadModels
    from projections.replay.replay import Answer


@dataclass(frozen=True)
class ReplayedMonth:
    """A branch's period, and the digest of its evaluation under the new version."""

    period: str
    branch: str
    digest: str


@dataclass(frozen=True)
class RefusedMonth:
    """A branch's period that the new version refuses, and how many findings it has."""

    period: str
    branch: str
    findings: int


@dataclass(frozen=True)
class Impact:
    """The months last settled as they would have been, as of a ledger position.

    `digest` is the SHA-256 of the rest as canonical JSON.
    """

    position: int
    months: list[ReplayedMonth]
    totals: Totals
    refused: list[RefusedMonth]
    digest: str

    def recorded(self) -> dict[str, object]:
        """The impact as it is recorded with the publication: amounts are plain decimals."""
        return asdict(self, dict_factory=_without_decimals)


def _without_decimals(fields: list[tuple[str, object]]) -> dict[str, object]:
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in fields}


def find_impact(models: ReadModels, program: Program) -> Impact | None:
    """Each branch's last settled period under the program, against what was settled; None: nothing
    is settled.
    """
    by_period: dict[str, list[str]] = {}
    for branch, period in models.statements.last_settled(program.rulebook.id).items():
        if Period.parse(period).kind == program.rulebook.period:
            by_period.setdefault(period, []).append(branch)
    answers = [
        _replayed(models, program, Period.parse(period), branches)
        for period, branches in sorted(by_period.items())
    ]
    if not answers:
        return None
    evaluations = [evaluation for answer in answers for evaluation in answer.evaluations]
    impact = Impact(
        position=models.ledger.position(),
        months=[ReplayedMonth(e.period, e.branch, e.digest) for e in evaluations],
        totals=_added_up([each.comparison.totals for each in answers if each.comparison]),
        refused=[
            RefusedMonth(e.period, e.branch, len(e.findings)) for e in evaluations if e.findings
        ],
        digest="",
    )
    digested = impact.recorded()
    del digested["digest"]
    canonical = orjson.dumps(digested, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(canonical).hexdigest()
    return Impact(impact.position, impact.months, impact.totals, impact.refused, digest)


def _replayed(
    models: ReadModels, program: Program, period: Period, branches: Sequence[str]
) -> Answer:
    question = Question((period,), tuple(branches), draft=program, against="settled", causes=False)
    return answer_question(models, question)


def _added_up(totals: Sequence[Totals]) -> Totals:
    zero = Decimal(0)
    return Totals(
        before=sum((each.before for each in totals), zero),
        after=sum((each.after for each in totals), zero),
        difference=sum((each.difference for each in totals), zero),
        gainers=sum(each.gainers for each in totals),
        losers=sum(each.losers for each in totals),
        managers=sum(each.managers for each in totals),
    )
