"""薪酬的情况: whose pay changed much, who is paid elsewhere too, whose payable is below zero."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from domain.entries.entry import BACK_PAY
from domain.errors import Text
from domain.fact_kinds import ABSENT
from domain.numbers import PLACES, plain
from domain.processes.month_check import CheckFinding
from domain.processes.payout import ZERO, Due, paid_out
from projections.month.check.branch_facts import period_before
from projections.month.payable import paid_elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.evaluation.context import Evaluation
    from projections.month.check.branch_facts import BranchFacts

Pays = dict[str, Decimal]  # by manager
CHANGE_SHARE = Decimal("0.5")  # of last period's pay; a rulebook's `change_share` sets another


def pays_of(evaluations: Sequence[Evaluation]) -> Pays:
    """What everybody's pay comes to, under all these rulebooks."""
    pays: defaultdict[str, Decimal] = defaultdict(Decimal)
    for evaluation in evaluations:
        column = evaluation.steps.get("pay")
        if column is None:
            continue
        people = zip(evaluation.people.managers, column.texts(), column.present, strict=True)
        for manager, text, is_present in people:
            if is_present:
                pays[manager] += Decimal(text)
    return dict(pays)


def find_changes(
    facts: BranchFacts, evaluations: Sequence[Evaluation], pays: Pays
) -> list[CheckFinding]:
    """Who is new, who is gone, and whose pay changed by more than a share of the last one.

    Nothing where the branch has no statements of the period before.
    """
    before = _pays_before(facts)
    if not before:
        return []
    share = _share(evaluations)
    changed = {
        manager: abs(pay - before[manager])
        for manager, pay in pays.items()
        if manager in before and abs(pay - before[manager]) > share * abs(before[manager])
    }
    percent = plain(share * 100)
    kinds = (
        (
            "pay",
            changed,
            Text(
                f"{{n}} 人的薪酬与上期相差超过 {percent}%",
                f"people whose pay differs from the last period's by more than {percent}%: {{n}}",
            ),
        ),
        (
            "new",
            {m: pay for m, pay in pays.items() if m not in before},
            Text("{n} 人上期没有薪酬", "people who had no pay in the last period: {n}"),
        ),
        (
            "gone",
            {m: pay for m, pay in before.items() if m not in pays},
            Text(
                "{n} 人上期有薪酬，本期没有",
                "people who had pay in the last period and have none: {n}",
            ),
        ),
    )
    return [_change(facts, about, amounts, text) for about, amounts, text in kinds if amounts]


def _change(
    facts: BranchFacts, about: str, amounts: Mapping[str, Decimal], text: Text
) -> CheckFinding:
    yuan = plain(sum(amounts.values(), ZERO))
    words = Text(*(part.format(n=len(amounts)) for part in text))
    return CheckFinding("change", about, words, facts.named_people(amounts), yuan=yuan)


def _share(evaluations: Sequence[Evaluation]) -> Decimal:
    shares = [
        parameter.value
        for evaluation in evaluations
        if (parameter := evaluation.program.rulebook.parameters.get("change_share")) is not None
    ]
    return min(shares, default=CHANGE_SHARE)


def _pays_before(facts: BranchFacts) -> Pays:
    """Everybody's pay by the last settlements of the period before."""
    before, models = period_before(facts.period), facts.models
    pays: defaultdict[str, Decimal] = defaultdict(Decimal)
    for program in models.rulebooks.programs_of(facts.branch, before, facts.as_of):
        latest = models.statements.latest_of(
            str(before), program.rulebook.id, [facts.branch], facts.as_of
        )
        for manager, issued in latest[facts.branch].items():
            if "pay" in issued.steps:
                pays[manager] += Decimal(issued.steps["pay"])
    return dict(pays)


def find_negative(facts: BranchFacts, pays: Pays) -> list[CheckFinding]:
    """Whose pay is so far below zero that the back pay of the month does not make up for it: they
    are paid nothing, and what is lacking is carried.

    A clawback takes nothing from them (`paid_out`), so it need not be looked at.
    """
    below = {manager: pay for manager, pay in pays.items() if pay < 0}
    if not below:
        return []
    back_pay = _back_pay(facts)
    lacking = {
        manager: paid_out(pay, Due(back_pay.get(manager, ZERO)), None).carried
        for manager, pay in below.items()
    }
    negative = {manager: -carried for manager, carried in lacking.items() if carried}
    if not negative:
        return []
    yuan = plain(sum(negative.values(), ZERO))
    text = Text(
        f"{len(negative)} 人的薪酬为负，本月不发，不足部分结转下月扣回；请核对其调整和扣减，"
        "更正后重新结算，或确认",
        f"people whose pay is below zero: {len(negative)}. They are paid nothing, and what is "
        "lacking is carried as a clawback: check their adjustments and deductions, correct them "
        "and settle again, or acknowledge it",
    )
    return [CheckFinding("negative", "", text, facts.named_people(negative), yuan=yuan)]


def _back_pay(facts: BranchFacts) -> Pays:
    """The back pay that was posted into the period."""
    rows = facts.postings[facts.postings["item"] == facts.numbers.get(BACK_PAY, -1)]
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for manager, amount in rows[["manager", "amount"]].tolist():
        if amount != ABSENT:
            sums[facts.symbols[manager]] += Decimal(amount).scaleb(-PLACES)
    return dict(sums)


def find_paid_elsewhere(facts: BranchFacts, pays: Pays) -> list[CheckFinding]:
    """Who is paid for the period here, and was paid or is settled in another branch: a finding for
    each of these branches.
    """
    models, people = facts.models, sorted(_assigned_elsewhere(facts) & pays.keys())
    elsewhere: defaultdict[str, Pays] = defaultdict(dict)
    closed = {
        closing.branch
        for closing in models.payments.closings(facts.period.last.index)
        if closing.period == str(facts.period) and closing.position <= facts.as_of
    }
    standing = models.statements.standing(str(facts.period), people, facts.as_of)
    for manager, rows in standing.items():
        for row in rows:
            if row.branch not in {facts.branch, *closed} and "pay" in row.steps:
                elsewhere[row.branch][manager] = Decimal(row.steps["pay"])
    paid = paid_elsewhere(models, facts.branch, facts.period, people, facts.as_of)
    for manager, (branch, amount) in paid.items():
        elsewhere[branch][manager] = amount
    return [
        _paid_elsewhere(branch, dict(sorted(of.items())), facts, is_closed=branch in closed)
        for branch, of in sorted(elsewhere.items())
    ]


def _assigned_elsewhere(facts: BranchFacts) -> set[str]:
    """Who was ever assigned to another branch, even by an entry that was reversed: nobody else can
    have been paid there.
    """
    rows, here = facts.loaded.assignments, facts.numbers.get(facts.branch, -1)
    return facts.managers_of(rows[(rows["branch"] != 0) & (rows["branch"] != here)])


def _paid_elsewhere(
    branch: str, paid: Pays, facts: BranchFacts, *, is_closed: bool
) -> CheckFinding:
    yuan = plain(sum(paid.values(), ZERO))
    zh, en = ("已发放", "has paid") if is_closed else ("已结算、将发放", "has settled, to pay,")
    text = Text(
        f"分公司 {branch} 也{zh}{len(paid)} 人本期的薪酬；一人一期只由一处发放，请更正任职，并由"
        f" {branch} 重新结算",
        f"people whom branch {branch} {en} for this period too: {len(paid)}. A period is paid "
        f"once: correct the assignments, and settle {branch} again",
    )
    return CheckFinding("paid_elsewhere", branch, text, facts.named_people(paid), yuan=yuan)
