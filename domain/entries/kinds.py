"""The table of the kinds of entry: all that is known of a kind beside its fields (its model, in
`entry.py`), its event (in `domain/ledger/events.py`, which names the model) and how rulebooks read
it (in `domain/fact_kinds.py`).

A new kind is a row here and one in each of these three: `docs/adding-an-entry-kind.md` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from domain.entries.entry import (
    Adjustment,
    Assignment,
    Deduction,
    Entry,
    Measure,
    Rating,
    Reversal,
    Sale,
)
from domain.errors import Text

Columns = dict[str, str]  # field (`reverses.source`: a part of one) → its header in Chinese


class Kind(NamedTuple):
    """One kind of entry."""

    name: Text
    model: type[Entry]
    columns: Columns  # of a table, beside COMMON_COLUMNS
    about: str = "item"  # the field that says what its fact is about
    numbers: tuple[str, ...] = ()  # the fields that are numbers; the first is its fact's value
    also_printed: tuple[str, ...] = ()  # in a line, behind what it is about and the numbers
    act: str = "record_entries"  # the right that recording it needs

    @property
    def value(self) -> str | None:
        """The field whose number is the fact's value."""
        return self.numbers[0] if self.numbers else None

    @property
    def printed(self) -> tuple[str, ...]:
        """The fields that a line about an entry shows, in order."""
        return self.about, *self.numbers, *self.also_printed


COMMON_COLUMNS: Columns = {
    "kind": "类型",
    "source": "来源系统",
    "source_id": "来源编号",
    "occurred_on": "发生日期",
    "note": "备注",
    "attributes": "属性",
}
_OF_MANAGER: Columns = {"manager": "客户经理", "month": "考核月", "item": "项目"}

KINDS = {
    "assignment": Kind(
        Text("任职", "assignment"),
        Assignment,
        {
            "manager": "客户经理",
            "name": "姓名",
            "month": "月份",
            "branch": "分公司",
            "team": "班组",
            "role": "岗位",
            "grade": "职级",
        },
        about="role",
        numbers=("grade",),
    ),
    "deduction": Kind(
        Text("扣减", "deduction"),
        Deduction,
        _OF_MANAGER | {"points": "分值"},
        numbers=("points",),
    ),
    "sale": Kind(
        Text("产品发展", "sale"),
        Sale,
        _OF_MANAGER | {"quantity": "数量", "amount": "金额"},
        numbers=("quantity", "amount"),
    ),
    "rating": Kind(
        Text("评价", "rating"),
        Rating,
        _OF_MANAGER | {"score": "得分", "rater": "评价人", "rater_level": "评价人级别"},
        numbers=("score",),
        also_printed=("rater",),
        act="record_ratings",
    ),
    "adjustment": Kind(
        Text("调整", "adjustment"),
        Adjustment,
        _OF_MANAGER | {"points": "分值", "amount": "金额", "reason": "原因", "appeal": "申诉"},
        numbers=("points", "amount"),
    ),
    "measure": Kind(
        Text("指标值", "measure"),
        Measure,
        {
            "month": "月份",
            "item": "项目",
            "value": "数值",
            "branch": "分公司",
            "team": "班组",
            "manager": "客户经理",
        },
        numbers=("value",),
    ),
    "reversal": Kind(
        Text("冲销", "reversal"),
        Reversal,
        {
            "reverses.source": "冲销来源系统",
            "reverses.source_id": "冲销来源编号",
            "reason": "原因",
        },
    ),
}
NUMBERS = frozenset(field for kind in KINDS.values() for field in kind.numbers)
if TYPE_CHECKING:
    KindCode = str
else:
    KindCode = Literal[tuple(KINDS)]
