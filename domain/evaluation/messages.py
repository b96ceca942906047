"""The sentences of findings and warnings: what happened, why, and what to do next.

`{about}` is the label of the input, table or step, `{code}` the item code that entries have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import Text

if TYPE_CHECKING:
    from domain.rulebook.model import Rulebook

FINDINGS = {
    "missing_measure": Text(
        "缺少指标值「{about}」；请录入该月的 {code} 后重算",
        "the measure “{about}” is missing; record {code} for the month, then evaluate again",
    ),
    "missing_attribute": Text(
        "任职缺少属性「{about}」；请重录任职并写明 {code}",
        "the assignment lacks “{about}”; record the assignment again with {code}",
    ),
    "missing_rating": Text(
        "缺少评价「{about}」；请录入 {code}",
        "the rating “{about}” is missing; record {code}",
    ),
    "missing_statement": Text(
        "本周期没有已结算的「{about}」；请先结算有关月份",
        "no settled “{about}” in the period; settle its months first",
    ),
    "missing_amount": Text(
        "「{about}」的产品发展记录没有金额；请冲销后补录 amount",
        "a sale of “{about}” has no amount; reverse it and record it again with one",
    ),
    "absent": Text(
        "「{about}」没有值，而本步骤必须有值",
        "“{about}” has no value and this step needs one",
    ),
    "out_of_bounds": Text(
        "「{about}」超出办法规定的范围；请冲销并更正",
        "“{about}” is outside the bounds the rulebook states; reverse and correct it",
    ),
    "not_positive": Text(
        "「{about}」须大于规定的下限，否则无法作除数；请更正",
        "“{about}” must be above its lower bound to divide by it; correct it",
    ),
    "bad_attribute": Text(
        "任职属性「{about}」应写成 2026-10-31 这样的日期；请重录任职并更正 {code}",
        "the attribute “{about}” must be a date like 2026-10-31; record the assignment again with "
        "{code} corrected",
    ),
    "bad_flag": Text(
        "决定记录是否计入「{about}」的属性应为 true 或 false；请冲销该记录后按此重录",
        "the attribute that says whether an entry counts for “{about}” must be true or false; "
        "reverse the entry and record it again with one of them",
    ),
    "too_many_digits": Text(
        "已结算的「{about}」数字过长，不能再用来计算；请修订得出它的办法，重新结算",
        "the settled “{about}” has too many digits to calculate with; revise its rulebook and "
        "settle again",
    ),
    "unknown_key": Text(
        "「{about}」中没有此人的取值（职级、岗位等）；请更正任职或修订办法",
        "“{about}” does not have this person's value (grade, role, …); correct the assignment or "
        "revise the rulebook",
    ),
    "division_by_zero": Text(
        "除数为零；请检查本步骤所用的数据",
        "a quotient by zero; check the data that the step reads",
    ),
    "partial_ranking": Text(
        "只有部分人有「{about}」，此人没有；请为全体补齐，或全部不录",
        "only some have “{about}” and this person has none; record it for everyone or for nobody",
    ),
    "fractional_cents": Text(
        "待分配总额含不足一分的部分；请更正总额",
        "the pool has fractions of a cent; correct it",
    ),
    "uneven_pool": Text(
        "同一总体内的待分配总额不一致；请检查总额的来源或修订办法",
        "the pool is not the same for everyone it is shared among; check where it comes from, or "
        "revise the rulebook",
    ),
    "negative_weight": Text(
        "分配权重为负；请检查本步骤所用的数据",
        "a weight of the share is negative; check the data that the step reads",
    ),
    "points_not_read": Text(
        "本办法不读取以分计的调整；请冲销，改以元计",
        "this rulebook reads no adjustment in points; reverse it and record it in yuan",
    ),
}
WARNINGS = {
    "missing_rating": Text("没有「{about}」的评价，按 0 计", "no rating of “{about}”: it counts 0"),
    "missing_measure": Text("没有指标值「{about}」，按 0 计", "no measure “{about}”: it counts 0"),
    "tie": Text(
        "并列：关键值相同，按员工编号排序，「{about}」因此不同",
        "a tie: people with equal keys are ordered by manager id, and their “{about}” differs "
        "because of that",
    ),
    "uncounted_rating": Text(
        "「{about}」有评价没有写明规定的评价人层级，未计入",
        "a rating of “{about}” has none of the rater levels that count: it is left out",
    ),
    "undistributed": Text(
        "权重合计为零，总额未分配", "all weights are zero: the pool is not distributed"
    ),
}


def finding_text(code: str, manager: str, step: str, about: str, rulebook: Rulebook) -> Text:
    """The sentence of a finding, with the person and the step."""
    words, item_code = FINDINGS[code], _item_code(about, rulebook)
    about_label, step_label = rulebook.label_of(about), rulebook.label_of(step)
    zh = words.zh.format(about=about_label.zh, code=item_code)
    en = words.en.format(about=about_label.en, code=item_code)
    return Text(f"{manager}「{step_label.zh}」：{zh}", f"{manager}, {step_label.en}: {en}")


def warning_text(code: str, about: str, rulebook: Rulebook) -> Text:
    """The sentence of a warning: the rulebook's own, or the service's."""
    if own := rulebook.warnings.get(code):
        return own.text
    label, words = rulebook.label_of(about), WARNINGS[code]
    return Text(words.zh.format(about=label.zh), words.en.format(about=label.en))


def _item_code(about: str, rulebook: Rulebook) -> str:
    """The item code that entries of an input have; the name itself if it is not an input's."""
    found = rulebook.find_input(about)
    if found is None:
        return about
    spec, item = found
    return spec.item_code(about.partition(".")[0], item)
