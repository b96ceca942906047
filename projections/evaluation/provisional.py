"""考核单（未结算）: what a person's statement would say as of a moment; nothing is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import LEFT
from domain.errors import Invalid, NotFound, Reason, Refused, Text
from domain.fact_kinds import KIND_CODES
from projections.facts.counting import counting, latest_assignments

if TYPE_CHECKING:
    from domain.evaluation.statements import Statement
    from domain.identifiers import Period
    from projections.evaluation.branches import BranchEvaluation, Evaluator
    from projections.facts.reader import FactStore
    from projections.records.rulebooks import Rulebooks


class NotInPopulation(NotFound):
    """A person whom the rulebooks asked about do not apply to in a period."""

    def __init__(self, manager: str, period: Period, rulebooks: str) -> None:
        super().__init__(
            Text(
                f"{manager} 在 {period} 不属于 {rulebooks} 的适用人员；请核对岗位，或指明另一办法",
                f"{manager} is not of the population of {rulebooks} in {period}: check the role, "
                "or name another rulebook",
            )
        )


class InNoBranch(NotFound):
    """A person who works in no branch in a period, as of a ledger position."""

    def __init__(self, manager: str, period: Period, as_of: int) -> None:
        super().__init__(
            Text(
                f"按账本位置 {as_of}，{manager} 在 {period} 不在任何分公司；请核对编号与任职记录",
                f"as of position {as_of}, {manager} is in no branch in {period}: check the id and "
                "the assignments",
            )
        )


class VersionAndMoment(Invalid):
    """A statement version was asked for together with a moment."""

    def __init__(self) -> None:
        text = Text("版本和时点只能给一个", "give a version or a moment, not both")
        super().__init__([Reason("bad_value", "version", text)])


class ProvisionalStatement(NamedTuple):
    """A statement that was not issued, and the evaluation of its branch."""

    evaluation: BranchEvaluation
    statement: Statement


def statement_as_of(
    evaluator: Evaluator,
    rulebooks: Rulebooks,
    manager: str,
    period: Period,
    rulebook: str | None,
    as_of: int,
) -> ProvisionalStatement:
    """A person's statement in the branch where they work as of a position.

    Under `ID` or `ID@VERSION`; where none is named under the branch's pay rulebook that applies to
    the person. Raises NotFound, Refused, WrongPeriod.
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
                return ProvisionalStatement(evaluation, statement)
    listed = rulebook or ", ".join(rulebooks.pays_by(branch, period.last, as_of))
    raise NotInPopulation(manager, period, listed)


def _branch(facts: FactStore, manager: str, period: Period, as_of: int) -> str:
    rows = facts.of_manager(manager, 0, period.last.index, as_of=as_of)
    texts = facts.symbols()
    latest = latest_assignments(counting(rows[rows["kind"] == KIND_CODES["assignment"]]))
    if not len(latest) or texts[int(latest[0]["item"])] == LEFT:
        raise InNoBranch(manager, period, as_of)
    return texts[int(latest[0]["branch"])]
