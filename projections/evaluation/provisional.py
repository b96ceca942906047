"""考核单（未结算）: what a person's statement would say as of any moment, evaluated anew and
recorded nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import LEFT
from domain.errors import NotFound, Refused, Text
from domain.fact_kinds import KIND_CODES
from projections.facts.counting import counting, latest_assignments

if TYPE_CHECKING:
    from domain.evaluation.statements import Statement
    from domain.identifiers import Period
    from projections.evaluation.branches import BranchEvaluation, Evaluator
    from projections.facts.reader import FactStore
    from projections.records.rulebooks import Rulebooks


class Live(NamedTuple):
    """A statement, and the evaluation of the branch that it belongs to."""

    evaluation: BranchEvaluation
    statement: Statement


def statement_as_of(
    evaluator: Evaluator,
    rulebooks: Rulebooks,
    manager: str,
    period: Period,
    rulebook: str | None,
    as_of: int,
) -> Live:
    """A person's statement with the branch that is theirs as of a position, under `ID` or
    `ID@VERSION`.

    Where none is named: under the branch's pay rulebook that has the person. Raises NotFound,
    Refused, WrongPeriod.
    """
    branch = _branch(evaluator.facts, manager, period, as_of)
    if rulebook:
        programs = [rulebooks.named(rulebook, period.last, as_of)]
    else:
        programs = rulebooks.programs_of(branch, period, as_of)
    for program in programs:
        evaluation = evaluator.branches(program, period, [branch], as_of)[0]
        if evaluation.findings:
            raise Refused(evaluation.findings)
        for statement in evaluation.statements:
            if statement.manager == manager:
                return Live(evaluation, statement)
    listed = rulebook or ", ".join(rulebooks.pays_by(branch, period.last, as_of))
    raise NotFound(
        Text(
            f"{manager} 在 {period} 不属于 {listed} 的适用人员；请核对岗位，或指明另一办法",
            f"{manager} is not of the population of {listed} in {period}: check the role, or name "
            "another rulebook",
        )
    )


def _branch(facts: FactStore, manager: str, period: Period, as_of: int) -> str:
    rows = facts.of_manager(manager, 0, period.last.index, as_of=as_of)
    texts = facts.symbols()
    latest = latest_assignments(counting(rows[rows["kind"] == KIND_CODES["assignment"]]))
    if not len(latest) or texts[int(latest[0]["item"])] == LEFT:
        raise NotFound(
            Text(
                f"按账本位置 {as_of}，{manager} 在 {period} 不在任何分公司；请核对编号与任职记录",
                f"as of position {as_of}, {manager} is in no branch in {period}: check the id and "
                "the assignments",
            )
        )
    return texts[int(latest[0]["branch"])]
