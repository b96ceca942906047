"""Why a month is not settled, closed or resettled: each refusal with its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.errors import Declined, NextAct, NotFound, Text
from domain.processes.branch_month import roles_text
from domain.processes.month_check import CODES, DECIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.identifiers import Period
    from domain.processes.month_check import CheckFinding


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


class MonthTooFarAhead(Declined):
    """A month years ahead: closed by a slip, it would make postings wait for the month after it."""

    def __init__(self, branch: str, period: Period, years: int) -> None:
        super().__init__(
            Text(
                f"{period} 比今天和 {branch} 已封账的月份晚 {years} 年以上，不能封账；请核对月份",
                f"{period} is more than {years} years after today and what {branch} has closed: "
                "check the month",
            )
        )
        self.branch, self.period = branch, period


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
