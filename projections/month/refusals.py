"""Why a month is not settled, closed or resettled: each refusal with its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import Declined, NextAct, NotFound, Text
from domain.processes.branch_month import roles_text
from domain.processes.month_check import CODES, DECIDE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from domain.errors import Reason
    from domain.identifiers import Period
    from domain.processes.month_check import CheckFinding

    Roles = Sequence[tuple[str, str]]  # managers, each with a role; "": not known


def _settle(period: Period, branch: str) -> NextAct:
    return NextAct("settle", {"period": str(period), "branch": branch})


class NobodyAssigned(NotFound):
    """A branch in which nobody worked by the end of a period."""

    def __init__(self, branch: str, period: Period) -> None:
        super().__init__(
            Text(
                f"到 {period} 为止没有人任职于分公司 {branch}；请核对编号",
                f"nobody was assigned to branch {branch} by {period}: check its id",
            )
        )
        self.branch, self.period = branch, period


class NothingSettled(Declined):
    """A month without any settlement under the branch's pay rulebooks."""

    def __init__(self, branch: str, period: Period) -> None:
        super().__init__(
            Text(
                f"{branch} {period} 尚未结算；请先结算",
                f"nothing is settled for {period} of {branch}: settle it first",
            ),
            _settle(period, branch),
        )
        self.branch, self.period = branch, period


class NotSettledUnder(Declined):
    """A month with people of pay rulebooks under which it was not settled."""

    def __init__(self, branch: str, period: Period, rulebooks: Sequence[str]) -> None:
        listed = ", ".join(rulebooks)
        super().__init__(
            Text(
                f"{branch} {period} 还有适用 {listed} 的人员没有结算；请先结算",
                f"{period} of {branch} has people of {listed} who are not settled: settle it first",
            ),
            _settle(period, branch),
        )
        self.branch, self.period, self.rulebooks = branch, period, rulebooks


class SettledUnderAnother(Declined):
    """A month with statements under a pay rulebook by which the branch does not pay."""

    def __init__(self, branch: str, period: Period, rulebooks: Sequence[str]) -> None:
        listed = ", ".join(rulebooks)
        super().__init__(
            Text(
                f"{branch} {period} 还有按 {listed} 结算的考核单，而该分公司并不按其计薪；"
                "请不指明办法重新结算，使其作废，再封账",
                f"{period} of {branch} is settled under {listed} too, by which the branch does not "
                "pay: settle it again without naming a rulebook, which withdraws those statements, "
                "then close",
            ),
            _settle(period, branch),
        )
        self.branch, self.period, self.rulebooks = branch, period, rulebooks


class PeopleMoved(Declined):
    """A settlement with people who work elsewhere by now."""

    def __init__(self, branch: str, period: Period, managers: Sequence[str]) -> None:
        super().__init__(
            Text(
                f"{'、'.join(managers)} 按现有任职已不在 {branch}；请重新结算后封账",
                f"{', '.join(managers)} no longer belong to {branch} by their assignments: "
                "settle again, then close",
            ),
            _settle(period, branch),
        )
        self.branch, self.managers = branch, managers


class CorrectionNotSettled(Declined):
    """A settlement without the corrections of appeals that were carried out after it."""

    def __init__(self, branch: str, period: Period, appeals: Sequence[str]) -> None:
        super().__init__(
            Text(
                f"申诉 {'、'.join(appeals)} 的更正尚未计入 {branch} {period} 的结算；请重新计算、"
                "复核后封账",
                f"the settlement of {period} of {branch} does not take in what was corrected for "
                f"appeal {', '.join(appeals)}: calculate and review it again, then close",
            )
        )
        self.branch, self.period, self.appeals = branch, period, appeals


class PostingsNotRecorded(Declined):
    """Postings whose entries could not be recorded, so that nobody knows what is due."""

    def __init__(self, keys: Sequence[str]) -> None:
        listed = ", ".join(keys)
        super().__init__(
            Text(
                f"补发或扣回 {listed} 未能记入账本（编号被其他记录占用）；"
                "请冲销占用的记录并联系管理员，再封账",
                f"the postings {listed} could not be recorded, because other entries have their "
                "keys: let an administrator look into it, then close",
            )
        )
        self.keys = keys


class MonthNotBegun(Declined):
    """A month that has not begun: closed by a slip, it would make postings wait for the month after
    it.
    """

    def __init__(self, branch: str, period: Period, today: date) -> None:
        super().__init__(
            Text(
                f"今天是 {today}，{branch} 的 {period} 还没有开始，不能封账；请核对月份",
                f"today is {today}, and {period} of {branch} has not begun: check the month",
            )
        )
        self.branch, self.period = branch, period


class PaidTwice(Declined):
    """People whom two of a branch's pay rulebooks would pay for one period."""

    def __init__(self, branch: str, period: Period, one: str, other: str, people: Roles) -> None:
        listed_zh = "、".join(f"{who}（岗位 {role}）" if role else who for who, role in people)
        listed_en = ", ".join(f"{who} (role {role})" if role else who for who, role in people)
        super().__init__(
            Text(
                f"{branch} {period} 的 {listed_zh} 会按 {one} 和 {other} 各计一次薪酬；"
                "请修改其中一个办法的适用岗位，或只选用其中一个",
                f"{one} and {other} would both pay {listed_en} of {branch} for {period}: change "
                "the roles of one of them, or choose one",
            )
        )
        self.branch, self.period, self.rulebooks = branch, period, (one, other)


class PaidElsewhere(Declined):
    """People whom other branches have paid for the period."""

    def __init__(self, branch: str, period: Period, people: Mapping[str, str]) -> None:
        listed_zh = "、".join(f"{manager}（{other}）" for manager, other in people.items())
        listed_en = ", ".join(f"{manager} (by {other})" for manager, other in people.items())
        other = next(iter(people.values()))
        super().__init__(
            Text(
                f"{period} 已由其他分公司发放过：{listed_zh}；请先在该分公司重新结算 {period}，"
                f"再封账 {branch}",
                f"{period} has been paid elsewhere: {listed_en}; resettle it there first, then "
                f"close {branch}",
            ),
            NextAct("resettle_month", {"period": str(period), "branch": other}),
        )
        self.branch, self.period, self.people = branch, period, people


class PayNotInCents(Declined):
    """Pay that is not whole cents, which nobody can be paid."""

    def __init__(
        self, branch: str, period: Period, rulebook: str, people: Mapping[str, str]
    ) -> None:
        listed = ", ".join(f"{manager} {pay}" for manager, pay in people.items())
        super().__init__(
            Text(
                f"{rulebook} 算出的 {branch} {period} 应发薪酬不是整分：{listed}；"
                "请发布一个把应发四舍五入到分的版本，再结算",
                f"the pay of {branch} for {period} under {rulebook} is not whole cents: {listed}; "
                "publish a version that rounds pay to cents, then settle again",
            )
        )
        self.branch, self.period, self.rulebook, self.people = branch, period, rulebook, people


class PostingsImpossible(Declined):
    """Differences that no entry can carry: whoever's they are is named, and nothing is recorded."""

    def __init__(self, period: Period, reasons: Mapping[str, Reason]) -> None:
        zh = "；".join(f"{manager}：{reason.text.zh}" for manager, reason in reasons.items())
        en = "; ".join(f"{manager}: {reason.text.en}" for manager, reason in reasons.items())
        super().__init__(
            Text(
                f"{period} 的差额不能记作补发或扣回，没有写入任何内容：{zh}；请核对这些人的记录",
                f"the differences of {period} cannot be posted, nothing is recorded: {en}; check "
                "the entries of these people",
            )
        )
        self.period, self.reasons = period, reasons


class StatementWithdrawn(Declined):
    """A statement that the last settlement no longer contains."""

    def __init__(self, manager: str, period: str, branch: str) -> None:
        super().__init__(
            Text(
                f"{manager} {period} 的考核单已作废：{branch} 最近一次结算不再包含该人员；"
                "请对现行有效的考核单提出申诉",
                f"{manager}'s statement for {period} is withdrawn: the last settlement of {branch} "
                "does not contain them; appeal against the statement that stands",
            )
        )
        self.manager, self.period = manager, period


class NotClosed(Declined):
    """A month that is open: it is settled again, not resettled."""

    def __init__(self, branch: str, period: Period) -> None:
        super().__init__(
            Text(
                f"{branch} {period} 尚未封账，可直接重新结算",
                f"{period} of {branch} is not closed: settle it again",
            ),
            _settle(period, branch),
        )
        self.branch, self.period = branch, period


class AppealOfAnotherMonth(Declined):
    """An appeal that is named for another month than its own."""

    def __init__(self, appeal: str, own: tuple[str, str], branch: str, period: Period) -> None:
        own_branch, own_period = own
        super().__init__(
            Text(
                f"申诉 {appeal} 针对 {own_branch} {own_period}，不是 {branch} {period}；请核对编号",
                f"appeal {appeal} is about {own_period} of {own_branch} and not about {period} of "
                f"{branch}: check its id",
            )
        )
        self.appeal = appeal


class NotPublished(Declined):
    """A month that is not published yet."""

    def __init__(self, branch: str, period: Period) -> None:
        super().__init__(
            Text(
                f"{branch} {period} 尚未公示；步骤 reported 办理后公示",
                f"{period} of {branch} is not published yet: step reported publishes it",
            )
        )
        self.branch, self.period = branch, period


class NeverWorkedHere(Declined):
    """A finding about somebody who never worked in the branch."""

    def __init__(self, manager: str, branch: str) -> None:
        super().__init__(
            Text(
                f"{manager} 没有在 {branch} 任职；请核对编号",
                f"{manager} never worked in {branch}: check the id",
            )
        )
        self.manager, self.branch = manager, branch


class NoSuchFinding(NotFound):
    """A finding that nobody recorded."""

    def __init__(self, number: int) -> None:
        super().__init__(Text(f"没有稽核问题 {number}", f"there is no finding {number}"))
        self.number = number


class FindingResolved(Declined):
    """A finding that is resolved already."""

    def __init__(self, number: int) -> None:
        super().__init__(Text(f"稽核问题 {number} 已销号", f"finding {number} is resolved already"))
        self.number = number


class FindingsNotAcknowledged(Declined):
    """A month with findings of its check that somebody must decide on first."""

    code = "check_open"

    def __init__(self, branch: str, period: Period, findings: Sequence[CheckFinding]) -> None:
        zh = "；".join(f"{f.code}：{f.message.zh}" for f in findings)
        en = "; ".join(f"{f.code}: {f.message.en}" for f in findings)
        who = roles_text("close")
        about = {"period": str(period), "branch": branch, "finding": findings[0].code}
        super().__init__(
            Text(
                f"{branch} {period} 的月检有 {len(findings)} 项须先处理（{zh}）；更正后重新结算，"
                f"或由{who.zh}写明原因后确认",
                f"the month check of {period} of {branch} has {len(findings)} finding(s) to decide "
                f"on first ({en}): correct them and settle again, or have them acknowledged, with "
                f"the reason, by one of {who.en}",
            ),
            NextAct("acknowledge_finding", about),
        )
        self.branch, self.period, self.findings = branch, period, tuple(findings)


class NothingToAcknowledge(NotFound):
    """A code of which the month check has no finding that must be decided."""

    def __init__(
        self, code: str, branch: str, period: Period, findings: Sequence[CheckFinding]
    ) -> None:
        known = ", ".join(code for code, kind in CODES.items() if kind.severity == DECIDE)
        listed = ", ".join(dict.fromkeys(finding.code for finding in findings))
        super().__init__(
            Text(
                f"{branch} {period} 的月检没有须确认的 {code}；尚未确认的：{listed or '无'}"
                f"（可确认的代码：{known}）",
                f"the month check of {period} of {branch} has no finding {code} to acknowledge; "
                f"open are: {listed or 'none'} (codes that are acknowledged: {known})",
            )
        )
        self.finding, self.branch, self.period = code, branch, period
