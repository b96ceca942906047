"""The words of the rule language, one table: what each takes, and how it is read aloud.

What a word computes stands in `domain/evaluation/functions.py`, its types in `expression_types.py`;
tests hold that both have every word of this table and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from domain.errors import Text
from domain.numbers import PLACES

NO_OPTIONS: Mapping[str, Text] = MappingProxyType({})
HALF_UP = Text("（四舍五入，{places} 位小数）", " (half up, {places} places)")
_OF_MEAN = Text(HALF_UP.zh.format(places=PLACES), HALF_UP.en.format(places=PLACES))
_WHERE_BY = {
    "where": Text("（限 {0}）", " (where {0})"),
    "by": Text("（按 {0} 分组）", " (by {0})"),
}


class Function(NamedTuple):
    """A function: how many arguments it takes, its phrase, and its options with theirs.

    In a phrase, `{0}`, `{1}`, … are the arguments and `{all}` all of them.
    """

    least: int
    most: int
    phrase: Text
    options: Mapping[str, Text] = NO_OPTIONS
    of_population: Text | None = None  # the phrase with a population as second argument


FUNCTIONS: dict[str, Function] = {
    "min": Function(2, 9, Text("取较小者（{all}）", "the smaller of ({all})")),
    "max": Function(2, 9, Text("取较大者（{all}）", "the greater of ({all})")),
    "round": Function(2, 2, Text("{0}（四舍五入，{1} 位小数）", "{0} (half up, {1} places)")),
    "floor": Function(1, 1, Text("{0} 取整（舍去小数）", "{0} rounded down to a whole number")),
    "sum": Function(
        1,
        2,
        Text("{0} 各项合计", "total of {0}"),
        _WHERE_BY,
        Text("{1}内 {0} 合计", "total of {0} over {1}"),
    ),
    "mean": Function(
        1,
        2,
        Text(f"{{0}} 各项平均{_OF_MEAN.zh}", f"mean of {{0}}{_OF_MEAN.en}"),
        {
            **_WHERE_BY,
            "each": Text("（每个班组计一次）", " (each team once)"),
            "weights": Text("（按《{0}》加权）", " (weighted by “{0}”)"),
        },
        Text(f"{{1}}内 {{0}} 平均{_OF_MEAN.zh}", f"mean of {{0}} over {{1}}{_OF_MEAN.en}"),
    ),
    "count": Function(1, 1, Text("{0}人数", "people of {0}"), _WHERE_BY),
    "rank": Function(
        2,
        2,
        Text("{0} 在{1}内从高到低的名次", "place by {0} within {1}, highest first"),
        {
            **_WHERE_BY,
            "fixed_by": Text("（{0} 齐备时以其为准）", " (or {0} where everyone has one)"),
            "then": Text("（相同再按 {0}）", " (then by {0})"),
        },
    ),
    "distribute": Function(
        3,
        3,
        Text("按排名强制分布于《{1}》", "forced distribution over “{1}” by rank"),
        {
            "by": _WHERE_BY["by"],
            "barred": Text("（{0} 者不入禁入档）", " (closed tiers pass over {0})"),
        },
    ),
    "share": Function(
        3,
        3,
        Text(
            "总额 {0} 按 {1} 占{2}合计的比例分配到分（先舍去，余分归余数最大者），分毫不差",
            "the pool {0} shared by {1} over {2} in whole cents (rounded down, the cents left over "
            "to the largest remainders), exactly",
        ),
    ),
    "lookup": Function(2, 2, Text("查《{0}》：{1}", "look up {1} in “{0}”")),
    "sumproduct": Function(2, 2, Text("Σ（{0} × 《{1}》）", "Σ ({0} × “{1}”)")),
    "has": Function(1, 1, Text("有「{0}」", "there is “{0}”")),
    "otherwise": Function(
        2,
        2,
        Text("{0}（没有时取 {1}）", "{0} (or {1} where there is none)"),
        {"warn": Text("（并提示）", " (with a note)")},
    ),
    "refuse": Function(1, 1, Text("不予结算（{0}）", "refused ({0})")),
    "tenure": Function(
        1, 1, Text("自 {0} 至期末的整月数", "whole months from {0} to the period's end")
    ),
}

# The codes that refuse(…) may give.
REFUSALS = {
    "out_of_bounds": Text("超出规定的范围", "outside the bounds"),
    "missing_measure": Text("缺少指标值", "a measure is missing"),
    "missing_rating": Text("缺少评价", "a rating is missing"),
    "missing_attribute": Text("任职缺少属性", "the assignment lacks an attribute"),
    "not_positive": Text("须大于规定的下限", "not above the lower bound"),
}

SIGNS = {
    "<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠", "+": "+", "-": "−", "*": "×",
}  # fmt: skip
JOINERS = {"and": Text(" 且 ", " and "), "or": Text(" 或 ", " or ")}
NOT = Text("非 {0}", "not {0}")
CHOICE = Text("若 {1}，则 {0}；否则 {2}", "{0} if {1}, otherwise {2}")
NOTHING = Text("{0}（没有则空缺）", "{0} (nothing where there is none)")
FIXED = {
    "branch": Text("分公司", "the branch"),
    "team": Text("班组", "the team"),
    "none": Text("无", "none"),
}
