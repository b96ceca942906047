"""计算中的情况: whom no rulebook pays, what was missing, which ties decided, whom a cap or floor
limited.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.errors import Text
from domain.evaluation.ledger_inputs import ATTRIBUTE_IN_CODE, read_attribute
from domain.numbers import plain
from domain.processes.month_check import CheckFinding
from projections.month.check.limits import find_limits
from projections.month.check.unread import SHOWN, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.evaluation.columns import Column, Mask
    from domain.evaluation.context import Evaluation
    from domain.rulebook.model import Input, Rulebook
    from projections.month.check.branch_facts import BranchFacts

EVERYONE = "everyone"


def find_uncovered(facts: BranchFacts) -> list[CheckFinding]:
    """The people of the branch whom none of its pay rulebooks has, by role."""
    covered: set[str] = set()
    for reader in facts.paying:
        covered |= set(reader.people.people.managers)
    by_role: defaultdict[str, list[str]] = defaultdict(list)
    for manager, role in facts.members[["manager", "item"]].tolist():
        if facts.symbols[manager] not in covered:
            by_role[facts.symbols[role]].append(facts.symbols[manager])
    roles = {role for reader in facts.paying for role in reader.rulebook.roles} - {EVERYONE}
    return [
        _uncovered(facts, role, managers, nearest(role, roles - {role}))
        for role, managers in sorted(by_role.items())
    ]


def _uncovered(
    facts: BranchFacts, role: str, managers: list[str], near: str | None
) -> CheckFinding:
    zh, en = (f"（最接近 {near}）", f" (nearest: {near})") if near else ("", "")
    rulebooks = ", ".join(reader.rulebook.id for reader in facts.paying)
    text = Text(
        f"{len(managers)} 人的岗位 {role}{zh}不在分公司薪酬办法（{rulebooks}）的适用范围，本期没有"
        "薪酬；请更正任职或为分公司选用适用的办法，本不由此发放的请确认",
        f"people with the role {role}{en}, whom none of the branch's pay rulebooks ({rulebooks}) "
        f"pays: {len(managers)}. Correct the assignments or choose a rulebook that pays them; "
        "acknowledge it where they are not paid here",
    )
    return CheckFinding("uncovered", role, text, facts.named_people(managers))


# missing


class _Gap(NamedTuple):
    """An input of a rulebook and the codes of it that people lack."""

    spec: Input
    managers: set[str]
    codes: set[str]
    lacking: set[str]  # who lacks which code


def find_missing(facts: BranchFacts, evaluations: Sequence[Evaluation]) -> list[CheckFinding]:
    """A finding for each input that counted 0 or its default because nothing was recorded."""
    findings = []
    for evaluation in evaluations:
        rulebook = evaluation.program.rulebook
        for name, gap in _gaps(evaluation).items():
            about = name if len(evaluations) == 1 else f"{rulebook.id}.{name}"
            text = _missing_text(facts, rulebook, name, gap)
            people, detail = facts.named_people(gap.managers), tuple(sorted(gap.lacking))
            findings.append(CheckFinding("missing", about, text, people, detail=detail))
    return findings


def _gaps(evaluation: Evaluation) -> dict[str, _Gap]:
    """The inputs of ratings and measures with gaps, in the order of the rulebook."""
    found: dict[str, _Gap] = {}
    for full_name, rows in evaluation.gaps.items():
        spec, item = evaluation.program.rulebook.input_of(full_name)
        if spec.read not in {"rating", "measure"}:
            continue
        name = full_name if item is None else full_name[: -len(item) - 1]
        gap = found.setdefault(name, _Gap(spec, set(), set(), set()))
        for code, rows_lacking in _codes_lacking(evaluation, spec.item_code(name, item), rows):
            people = _people_of(evaluation, rows_lacking)
            named = f"{code}:{item}" if spec.level == "{item}" else code
            gap.managers.update(people)
            gap.codes.add(named)
            gap.lacking.update(f"{manager} {named}" for manager in people)
    order = [name for name in evaluation.program.rulebook.inputs if name in found]
    return {name: found[name] for name in order if found[name].managers}


def _codes_lacking(evaluation: Evaluation, code: str, rows: Mask) -> Iterator[tuple[str, Mask]]:
    """The code that these people lack; where it names an attribute, each word's own.

    Whoever has no such attribute lacks nothing: the measure is not about them.
    """
    match, people = ATTRIBUTE_IN_CODE.fullmatch(code), evaluation.inputs
    numbers, symbols = getattr(people, "attributes", None), getattr(people, "symbols", ())
    if match is None or numbers is None:
        yield code, rows
        return
    for number in np.unique(numbers[rows]).tolist():
        if (word := read_attribute(symbols[number], match[2])) is not None:
            yield f"{match[1]}{word}{match[3]}", rows & (numbers == number)


def _missing_text(facts: BranchFacts, rulebook: Rulebook, name: str, gap: _Gap) -> Text:
    label, recorded = rulebook.label_of(name), facts.items_of(gap.spec.read)
    if ATTRIBUTE_IN_CODE.fullmatch(gap.spec.item or "") is None:
        # What is read under its own code was not meant to be this one.
        recorded -= {code for kind, code in rulebook.item_labels if kind == gap.spec.read}
    codes = [_with_near(code, recorded) for code in sorted(gap.codes)]
    zh = "、".join(code.zh for code in codes[:SHOWN])
    en = ", ".join(code.en for code in codes[:SHOWN])
    if len(codes) > SHOWN:
        zh, en = f"{zh}等 {len(codes)} 项", f"{en} and {len(codes) - SHOWN} more"
    counted, number = gap.spec.default or "0", len(gap.managers)
    return Text(
        f"{number} 人没有「{label.zh}」（{zh}），按 {counted} 计；请补录后重新结算，"
        "确实没有的请确认",
        f"people without “{label.en}”: {number} ({en}). It counts {counted}: record it and settle "
        "again, or acknowledge that there is none",
    )


def _with_near(code: str, recorded: set[str]) -> Text:
    """A code that is missing, with what was recorded and is spelt alike."""
    near = None if code in recorded else nearest(code, recorded)
    return (
        Text(f"{code}（已录 {near}）", f"{code} (recorded: {near})") if near else Text(code, code)
    )


# ties, caps and floors


def find_ties(facts: BranchFacts, evaluations: Sequence[Evaluation]) -> list[CheckFinding]:
    """A finding for each step that differs between equals by their ids alone."""
    findings = []
    for evaluation in evaluations:
        rows_of: defaultdict[str, set[str]] = defaultdict(set)
        for warning in evaluation.warnings:
            if warning.code == "tie":
                rows_of[warning.about] |= _people_of(evaluation, warning.rows)
        for step, managers in rows_of.items():
            label = evaluation.program.rulebook.label_of(step)
            text = Text(
                f"{len(managers)} 人并列而「{label.zh}」不同，由员工编号的先后决定；请录入评议"
                "确定的排名后重新结算，认可该顺序的请确认",
                f"people of equal rank whose “{label.en}” differs by the order of their ids: "
                f"{len(managers)}. Record the order that a review decides and settle again, or "
                "acknowledge this order",
            )
            findings.append(CheckFinding("tie", step, text, facts.named_people(managers)))
    return findings


def find_limited(facts: BranchFacts, evaluations: Sequence[Evaluation]) -> list[CheckFinding]:
    """A finding for each step in which a floor lifted somebody, and in which a cap cut somebody."""
    findings = []
    for evaluation in evaluations:
        rulebook = evaluation.program.rulebook
        units = {step.step: step.unit for step in rulebook.steps}
        found: dict[tuple[str, str], tuple[set[str], Decimal]] = {}
        for kind, step, rows, by in find_limits(evaluation):
            managers, total = found.get((kind, step), (set(), Decimal(0)))
            managers = managers | _people_of(evaluation, rows)
            found[kind, step] = managers, total + _sum(by, rows)
        for (kind, step), (managers, total) in sorted(found.items()):
            yuan = plain(total) if units[step] == "yuan" else None
            text = _limited_text(kind, rulebook.label_of(step), len(managers))
            finding = CheckFinding(kind, step, text, facts.named_people(managers), yuan=yuan)
            findings.append(finding)
    return findings


def _limited_text(kind: str, label: Text, number: int) -> Text:
    if kind == "floor":
        return Text(
            f"{number} 人的「{label.zh}」低于保底，按保底计",
            f"people lifted to the floor of “{label.en}”: {number}",
        )
    return Text(
        f"{number} 人的「{label.zh}」超过封顶，按封顶计",
        f"people cut to the cap of “{label.en}”: {number}",
    )


def _sum(column: Column, rows: Mask) -> Decimal:
    return Decimal(sum(column.data[rows].tolist())).scaleb(-column.places)


def _people_of(evaluation: Evaluation, rows: Mask) -> set[str]:
    managers = evaluation.people.managers
    return {managers[row] for row in np.flatnonzero(rows).tolist()}
