"""发布影响: what a new version of a rulebook would have made of the months that were last settled
under it.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from domain.identifiers import Period
from domain.numbers import plain
from projections.replay.replay import Question, answered

if TYPE_CHECKING:
    from domain.rulebook.checks import Program
    from projections.models import ReadModels

SUMS = ("before", "after", "difference")
COUNTS = ("gainers", "losers", "managers")


def impact_of(models: ReadModels, program: Program) -> dict[str, Any] | None:
    """Each branch's last settled period replayed under the program, against what was settled; None:
    there is none.

    Totals are exact decimals as texts; `refused` has the periods and branches that the program
    would refuse, `digest` is the SHA-256 of the rest as canonical JSON.
    """
    settled = models.statements.last_settled(program.rulebook.id)
    by_period: dict[str, list[str]] = {}
    for branch, period in settled.items():
        if Period.parse(period).kind == program.rulebook.period:
            by_period.setdefault(period, []).append(branch)
    answers = [
        answered(
            models,
            Question(
                (Period.parse(period),),
                tuple(branches),
                draft=program,
                against="settled",
                causes=False,
            ),
        )
        for period, branches in sorted(by_period.items())
    ]
    if not answers:
        return None
    totals = [answer.comparison["totals"] for answer in answers if answer.comparison]
    said: dict[str, Any] = {
        "position": models.ledger.position(),
        "months": [
            {"period": e.period, "branch": e.branch, "digest": e.digest}
            for a in answers
            for e in a.evaluations
        ],
        "totals": {
            name: plain(sum((Decimal(t[name]) for t in totals), Decimal(0))) for name in SUMS
        }
        | {name: sum(t[name] for t in totals) for name in COUNTS},
        "refused": [
            {"period": e.period, "branch": e.branch, "findings": len(e.findings)}
            for answer in answers
            for e in answer.evaluations
            if e.findings
        ],
    }
    return said | {
        "digest": hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    }
