"""未读记录: the entries of a month that none of the branch's rulebooks reads, why not, and the
nearest code that would be read.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from domain.entries.kinds import KINDS
from domain.errors import Text
from domain.evaluation.ledger_inputs import ATTRIBUTE_IN_CODE, read_attribute
from domain.fact_kinds import ABSENT, FACT_KINDS, KIND_CODES
from domain.numbers import PLACES, plain
from domain.processes.month_check import CheckFinding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.evaluation.columns import Mask
    from domain.evaluation.ledger_inputs import LedgerInputs
    from domain.rulebook.model import Input
    from projections.facts.counting import Rows
    from projections.month.check.branch_facts import BranchFacts, Reader

KIND_NAMES = {kind.code: name for name, kind in FACT_KINDS.items()}
SHOWN = 5  # codes in a message; the entries are all named
HOLDERS = {
    "manager": Text("客户经理", "of a manager"),
    "team": Text("班组", "of a team"),
    "branch": Text("分公司", "of the branch"),
}
_OF = {"manager_or_branch": ("manager", "branch")}

# Why entries are not read, each with what happened and what to do. `{n}` is how many, `{codes}` of
# which items.
WHY = {
    "left": Text(
        "{n} 条记录的客户经理已离职，没有办法读取（{codes}），不会发放；要发放的请冲销后记到其在"
        "岗的月份，否则请确认",
        "entries of people who have left: {n} ({codes}). No rulebook reads them and nothing is "
        "paid for them: reverse them and record them in a month in which the person worked, or "
        "acknowledge it",
    ),
    "item": Text(
        "{n} 条记录的项目没有本分公司的办法读取：{codes}；代码写错的请冲销后按正确的代码重录，"
        "属于其他办法的请确认",
        "entries of items that no rulebook of this branch reads: {n} ({codes}). Reverse what is "
        "misspelt and record it under the right code; acknowledge what is for another rulebook",
    ),
    "scope": Text(
        "{n} 条指标值的范围与办法所读的不同：{codes}；请冲销后按办法的范围重录",
        "measures of another scope than the rulebook reads: {n} ({codes}). Reverse them and "
        "record them for the right scope",
    ),
    "nobody": Text(
        "{n} 条指标值所属的班组或分公司没有适用的人员：{codes}；请核对班组，冲销后重录",
        "measures of a team or branch without people of the rulebook: {n} ({codes}). Check the "
        "team, reverse them and record them again",
    ),
    "person": Text(
        "{n} 条记录的客户经理不适用读取这些项目的办法：{codes}；请更正任职，或冲销记录",
        "entries of people to whom no rulebook that reads these items applies: {n} ({codes}). "
        "Correct the assignments, or reverse the entries",
    ),
    "form": Text(
        "{n} 条记录的评价人层级或单位（分、元）与办法所读的不同：{codes}；请冲销后重录",
        "entries of another rater level or unit (points, yuan) than the rulebook reads: {n} "
        "({codes}). Reverse them and record them again",
    ),
}


class _Readable(NamedTuple):
    """A code that a rulebook reads, of whom it reads it, and which rows it reads."""

    kind: int
    code: str
    holders: tuple[str, ...]  # of a measure
    people: Mask  # which rows are of its population
    is_read: Mask


def find_unread(facts: BranchFacts) -> list[CheckFinding]:
    """A finding for each reason why entries are not read."""
    if not len(facts.rows):
        return []
    readable = [read for reader in facts.readers for read in _readable(facts, reader)]
    is_read: Mask = np.zeros(len(facts.rows), bool)
    for read in readable:
        is_read |= read.is_read
    by_reason: defaultdict[str, list[int]] = defaultdict(list)
    reasons = _Reasons(facts, readable)
    for row in np.flatnonzero(~is_read).tolist():
        by_reason[reasons.of_row(row)].append(row)
    return [
        _finding(facts, why, facts.rows[by_reason[why]], readable)
        for why in WHY
        if why in by_reason
    ]


def codes_of(name: str, spec: Input, people: LedgerInputs) -> Iterator[tuple[str | None, str]]:
    """Each item of an input with the codes that its entries have for these people."""
    for item in spec.items or [None]:
        code = spec.item_code(name, item)
        match = ATTRIBUTE_IN_CODE.fullmatch(code)
        if match is None:
            yield item, code
        else:
            for word in sorted(words_of(people, match[2])):
                yield item, f"{match[1]}{word}{match[3]}"


def words_of(people: LedgerInputs, attribute: str) -> set[str]:
    """The distinct words of an attribute that these people have."""
    numbers = np.unique(people.attributes).tolist()
    words = (read_attribute(people.symbols[number], attribute) for number in numbers)
    return {word for word in words if word is not None}


def nearest(code: str, codes: Iterable[str]) -> str | None:
    """The code that is spelt most alike, if one is alike at all."""
    found = get_close_matches(code, sorted(codes), 1)
    return found[0] if found else None


def _readable(facts: BranchFacts, reader: Reader) -> Iterator[_Readable]:
    people = np.isin(facts.rows["manager"], reader.people.manager_symbols)
    for name, spec in reader.rulebook.inputs.items():
        if spec.kind is None:
            continue
        if spec.read == "adjustment" and spec.item is None:
            for item in facts.items_of("adjustment") - {*spec.but_not}:
                is_read = facts.is_item("adjustment", item) & people & _in_form(facts, spec)
                yield _Readable(spec.kind.code, item, (), people, is_read)
            continue
        for _, code in codes_of(name, spec, reader.people):
            is_item = facts.is_item(spec.read, code)
            if spec.read == "measure":
                holders = _OF.get(spec.of, (spec.of,))
                is_read = is_item & _in_scope(facts, holders, reader, people)
                yield _Readable(spec.kind.code, code, holders, people, is_read)
            else:
                is_read = is_item & people
                if is_read.any():
                    is_read &= _in_form(facts, spec)
                yield _Readable(spec.kind.code, code, (), people, is_read)


def _in_scope(facts: BranchFacts, holders: tuple[str, ...], reader: Reader, people: Mask) -> Mask:
    """Which rows are measures of what the input reads them of, and somebody is there."""
    rows = facts.rows
    is_of_branch = (rows["manager"] == 0) & (rows["team"] == 0) & (len(reader.people.people) > 0)
    teams = [facts.numbers[team] for team in reader.people.people.teams]
    is_of_team = (rows["manager"] == 0) & np.isin(rows["team"], teams) & (rows["team"] != 0)
    in_scope: Mask = np.zeros(len(rows), bool)
    for holder in holders:
        in_scope |= {"manager": people, "team": is_of_team, "branch": is_of_branch}[holder]
    return in_scope


def _in_form(facts: BranchFacts, spec: Input) -> Mask:
    """Which rows have the rater level or the unit that the input reads."""
    rows = facts.rows
    in_form: Mask = np.ones(len(rows), bool)
    if spec.read == "adjustment":
        figure = rows["value"] if spec.take == "points" else rows["amount"]
        in_form &= figure != ABSENT
    if spec.level is not None:
        levels = spec.items or {} if spec.level == "{item}" else {spec.level: None}
        in_form &= np.isin(rows["detail"], [facts.numbers.get(level, -1) for level in levels])
    return in_form


class _Reasons:
    """Says why a row is not read."""

    def __init__(self, facts: BranchFacts, readable: list[_Readable]) -> None:
        self._rows = facts.rows
        self._leavers = {*facts.leavers["manager"].tolist()}
        self._readable: defaultdict[tuple[int, int], list[_Readable]] = defaultdict(list)
        for read in readable:
            self._readable[read.kind, facts.numbers.get(read.code, -1)].append(read)

    def of_row(self, row: int) -> str:
        """The key of `WHY`."""
        kind, item, manager, team = self._rows[row][["kind", "item", "manager", "team"]].tolist()
        if manager in self._leavers:
            return "left"
        readable = self._readable.get((kind, item), [])
        if not readable:
            return "item"
        holder = "manager" if manager else "team" if team else "branch"
        if kind == KIND_CODES["measure"] and not any(holder in r.holders for r in readable):
            return "scope"
        if not manager:
            return "nobody"
        return "form" if any(read.people[row] for read in readable) else "person"


def _finding(facts: BranchFacts, why: str, rows: Rows, readable: list[_Readable]) -> CheckFinding:
    items = sorted({(int(row["kind"]), facts.symbols[row["item"]]) for row in rows})
    described = [_described(why, kind, item, readable) for kind, item in items[:SHOWN]]
    more = Text("", "")
    if len(items) > SHOWN:
        more = Text(f"等 {len(items)} 项", f" and {len(items) - SHOWN} more")
    zh = "、".join(text.zh for text in described) + more.zh
    en = ", ".join(text.en for text in described) + more.en
    words = WHY[why]
    amounts = rows["amount"][
        (rows["amount"] != ABSENT) & (rows["kind"] == KIND_CODES["adjustment"])
    ]
    total = Decimal(sum(amounts.tolist())).scaleb(-PLACES)
    return CheckFinding(
        "unread",
        why,
        Text(words.zh.format(n=len(rows), codes=zh), words.en.format(n=len(rows), codes=en)),
        facts.named_people(facts.managers_of(rows)),
        facts.named_rows(rows),
        plain(total) if len(amounts) else None,
    )


def _described(why: str, kind: int, item: str, readable: list[_Readable]) -> Text:
    """A kind and item in words, with what would be read instead."""
    name = KINDS[KIND_NAMES[kind]].name
    zh, en = f"{name.zh} {item}", f"{name.en} {item}"
    if why == "scope":
        holders = {h for read in readable if (read.kind, read.code) == (kind, item)
                   for h in read.holders}  # fmt: skip
        listed = [HOLDERS[holder] for holder in HOLDERS if holder in holders]
        return Text(
            f"{zh}（应为{'或'.join(text.zh for text in listed)}）",
            f"{en} (read {' or '.join(text.en for text in listed)})",
        )
    if why == "item":
        near = nearest(item, {read.code for read in readable if read.kind == kind})
        if near is not None:
            return Text(f"{zh}（最接近 {near}）", f"{en} (nearest: {near})")
    return Text(zh, en)
