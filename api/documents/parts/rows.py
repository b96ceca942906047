"""Documents of very many rows: dataclasses that are written by orjson, as pydantic takes too long.

A shape beside each says what it looks like; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Self

import orjson

from domain.errors import Finding, Text
from domain.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from domain.evaluation.statements import Warning  # noqa: A004 - the public format's word
    from projections.evaluation.branches import BranchEvaluation

    MaySee = Callable[[str, str], bool]  # a manager and a period


class Rows:
    """A document of very many rows."""

    __slots__ = ()

    def json_bytes(self, *, indent: int | None = None) -> bytes:
        """The document as JSON; an indent is always of two."""
        option = orjson.OPT_INDENT_2 if indent else 0
        return orjson.dumps(self, default=_as_json, option=option)


def _as_json(value: object) -> object:
    """What orjson does not write by itself."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Text):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, Finding):
        return value.as_json()
    if isinstance(value, EvaluationRows):
        return value.written()
    raise TypeError(type(value).__name__)


@dataclass(frozen=True, slots=True)
class RulesRow:
    """A version of a rulebook."""

    id: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class FiguresRow:
    """One person's figures, by step."""

    manager: str
    team: str
    steps: Mapping[str, str]
    warnings: Sequence[Warning]


class EvaluationRows:
    """A branch's period under a rulebook. Findings are left out where there are none."""

    def __init__(self, evaluation: BranchEvaluation, may_see: MaySee | None = None) -> None:
        rules = evaluation.program.rulebook
        self.period, self.branch = evaluation.period, evaluation.branch
        self.rulebook = RulesRow(rules.id, rules.version, evaluation.program.digest)
        self.position, self.digest = evaluation.position, evaluation.digest
        self.statements = [
            FiguresRow(each.manager, each.team, each.steps, each.warnings)
            for each in evaluation.statements
            if may_see is None or may_see(each.manager, evaluation.period)
        ]
        totals = evaluation.totals()
        self.totals: dict[str, int | str] = {"managers": totals.managers}
        if totals.pay is not None:
            self.totals["pay"] = totals.pay
        self.findings: Sequence[Finding] = evaluation.findings

    @classmethod
    def of(cls, evaluation: BranchEvaluation) -> Self:
        """The rows of an evaluation."""
        return cls(evaluation)

    def written(self) -> dict[str, object]:
        """The fields as they are written."""
        fields = dict(self.__dict__)
        if not self.findings:
            del fields["findings"]
        return fields
