"""考核月: a branch's month as a process of thirteen steps (V3.0, 附件1): who does what by when,
after what.

Everything here is a pure function of the month's own events. A step may be done again: it counts as
done while nothing that it stands on was done after it. A day that has passed marks a step overdue
and never blocks it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, NextAct, NotFound, Text
from domain.ledger.event_json import instant
from domain.ledger.events import (
    AuditFindingRecorded,
    AuditFindingResolved,
    CycleStepDone,
    FindingAcknowledged,
    MonthClosed,
    MonthResettled,
    SampleOrdered,
)
from domain.rights import ACTS, LABELS, Role, SeparationOfDuties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from domain.identifiers import Month, Period
    from domain.ledger.events import Event
    from domain.rulebook.model import Rulebook

MAX_TEXT = 2000  # characters of a finding, or its resolution
OBJECTION_DAYS, DECISION_DAYS = 5, 15  # from publication, where no rulebook says otherwise
CALCULATED = ("position_calculated", "total_calculated")
REVIEWED = {"position_reviewed": "position_calculated", "total_reviewed": "total_calculated"}


class Step(NamedTuple):
    """One of the thirteen. Its usual day is of the month after the assessed one."""

    code: str
    label: Text
    act: str  # of the table of rights
    day: int
    needs: tuple[str, ...] = ()


STEPS = (
    Step("gs_rated", Text("GS考核计算", "GS assessed"), "rate", 10),
    Step("deductions_loaded", Text("扣减积分取数", "deductions loaded"), "load", 10),
    Step(
        "position_calculated", Text("岗位考核积分计算", "position calculated"), "calculate", 12,
        ("deductions_loaded",),
    ),
    Step(
        "position_reviewed", Text("岗位考核积分复核", "position reviewed"), "review_position", 13,
        CALCULATED[:1],
    ),
    Step("industry_loaded", Text("行业深度运营取数", "industry operation loaded"), "load", 10),
    Step("kpi_loaded", Text("集团KPI取数", "group KPI loaded"), "load", 12),
    Step("deep_loaded", Text("集团深度运营取数", "group deep operation loaded"), "load", 12),
    Step(
        "total_calculated", Text("积分总和计算", "total calculated"), "calculate", 14,
        ("gs_rated", "position_reviewed", "industry_loaded", "kpi_loaded", "deep_loaded"),
    ),
    Step(
        "total_reviewed", Text("积分总和复核", "total reviewed"), "review_total", 16,
        ("total_calculated",),
    ),
    Step("submitted", Text("积分总和报送", "submitted"), "submit", 16, ("total_reviewed",)),
    Step("audited", Text("考核积分稽核", "audited"), "audit", 18, ("submitted",)),
    Step(
        "reported", Text("报送人力资源部", "reported to HR and published"), "report", 18,
        ("audited",),
    ),
    Step("paid", Text("薪酬计算与发放", "paid"), "close", 20, ("reported",)),
)  # fmt: skip
BY_CODE = {step.code: step for step in STEPS}


class Schedule(NamedTuple):
    """The windows of a month, in days from publication, and the day of each step."""

    objection_days: int
    decision_days: int
    days: Mapping[str, int]  # step → day of the month after


USUAL = Schedule(OBJECTION_DAYS, DECISION_DAYS, {step.code: step.day for step in STEPS})


def schedule_of(rulebooks: Iterable[Rulebook]) -> Schedule:
    """The schedule of a branch that pays by these rulebooks: their `cycle` sections, and the usual
    values for what they leave out.

    Where they differ, the longer window holds, so that nobody has fewer days than their own
    rulebook gives, and the earlier day, because a step is done for all of them at once.
    """
    own = [_own_schedule(rulebook.cycle.days) for rulebook in rulebooks] or [USUAL]
    return Schedule(
        max(schedule.objection_days for schedule in own),
        max(schedule.decision_days for schedule in own),
        {step.code: min(schedule.days[step.code] for schedule in own) for step in STEPS},
    )


def _own_schedule(terms: Mapping[str, int]) -> Schedule:
    return Schedule(
        terms.get("objection_days", OBJECTION_DAYS),
        terms.get("decision_days", DECISION_DAYS),
        {code: terms.get(code, day) for code, day in USUAL.days.items()},
    )


class Done(NamedTuple):
    """A step as it was last done."""

    by: str
    at: str  # the instant, as it is stored
    note: str | None
    settlements: tuple[int, ...]
    order: int  # its place among the month's events
    times: int  # how often it was done


class AuditFinding(NamedTuple):
    """What an audit found; blocking, until it is resolved."""

    number: int
    manager: str | None
    text: str
    blocking: bool
    by: str
    at: str
    resolved: str | None = None
    resolved_by: str | None = None
    resolved_at: str | None = None


class Acknowledged(NamedTuple):
    """Who acknowledged a finding of the month check, when, and why it may stand."""

    by: str
    at: str
    note: str


@dataclass
class BranchMonth:
    """The state of a branch's month."""

    branch: str
    period: str
    done: dict[str, Done] = field(default_factory=dict)
    samples: list[SampleOrdered] = field(default_factory=list)
    findings: list[AuditFinding] = field(default_factory=list)
    # Of the month check, by the digest of what was found.
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    closed: MonthClosed | None = None
    resettled: list[MonthResettled] = field(default_factory=list)
    version: int = 0  # of its stream
    settled: frozenset[int] = (
        frozenset()
    )  # the last settlement under each pay rulebook, by ledger position

    @property
    def stage(self) -> str:
        """How far the month is: `new`, `open`, `published` or `closed`."""
        if self.closed:
            return "closed"
        if self.published_at:
            return "published"
        return "open" if self.begun else "new"

    @property
    def begun(self) -> bool:
        """Whether any step was recorded."""
        return bool(self.done)

    @property
    def published_at(self) -> str | None:
        """When the month was published: reported, as last done."""
        return self.done["reported"].at if "reported" in self.done else None

    def state_of(self, step: Step) -> str:
        """`done`, `outdated` (something that it stands on was done after it), `ready` or
        `blocked`.
        """
        if (own := self.done.get(step.code)) is not None:
            stands = all(
                (below := self.done.get(n)) is not None and below.order < own.order
                for n in step.needs
            )
            stands = stands and not (step.code == "total_calculated" and self._settled_since(own))
            return (
                "done"
                if stands and all(self.state_of(BY_CODE[n]) == "done" for n in step.needs)
                else "outdated"
            )
        return "ready" if not self.waits_for(step) else "blocked"

    def _settled_since(self, calculated: Done) -> bool:
        """Whether the branch was settled again after its total was calculated, so that nobody
        reviewed what counts.
        """
        return self.closed is None and not self.settled <= {*calculated.settlements}

    def waits_for(self, step: Step) -> list[str]:
        """The steps that must be done, or done again, before this one."""
        return [code for code in step.needs if self.state_of(BY_CODE[code]) != "done"]

    def missing_for(self, step: Step) -> list[Step]:
        """Everything that must be done, or done again, before this step, in order."""
        open_still = {code for code in step.needs if self.state_of(BY_CODE[code]) != "done"}
        before = {below.code for code in open_still for below in self.missing_for(BY_CODE[code])}
        return [below for below in STEPS if below.code in open_still | before]

    def open_findings(self) -> list[AuditFinding]:
        """Those that block, and are not resolved."""
        return [
            finding for finding in self.findings if finding.blocking and finding.resolved is None
        ]


def evolve(state: BranchMonth, events: Iterable[Event]) -> BranchMonth:
    """The state after these events."""
    for event in events:
        state.version = event.originator_version
        match event:
            case CycleStepDone():
                before = state.done.get(event.step)
                state.done[event.step] = Done(
                    event.by,
                    instant(event.at),
                    event.note,
                    event.settlements,
                    event.originator_version,
                    before.times + 1 if before else 1,
                )
            case SampleOrdered():
                state.samples.append(event)
            case AuditFindingRecorded():
                number = len(state.findings) + 1
                found = AuditFinding(
                    number, event.manager, event.text, event.blocking, event.by, instant(event.at)
                )
                state.findings.append(found)
            case AuditFindingResolved():
                found = state.findings[event.number - 1]
                state.findings[event.number - 1] = found._replace(
                    resolved=event.text, resolved_by=event.by, resolved_at=instant(event.at)
                )
            case FindingAcknowledged():
                state.acknowledged[event.digest] = Acknowledged(
                    event.by, instant(event.at), event.note
                )
            case MonthClosed():
                state.closed = event
            case MonthResettled():
                state.resettled.append(event)
    return state


def deadline(step: Step, period: Period, schedule: Schedule = USUAL) -> date:
    """The day by which a step is due: of the month after the period's last."""
    return after(period.last).replace(day=schedule.days[step.code])


def after(month: Month) -> date:
    """The first day of the month after."""
    year, number = divmod(month.index + 1, 12)
    return date(year, number + 1, 1)


def roles_text(act: str) -> Text:
    """Who may, in words."""
    roles: tuple[Role, ...] = (*ACTS[act], Role.ADMIN)
    return Text(
        "、".join(LABELS[role].zh for role in roles), ", ".join(LABELS[role].en for role in roles)
    )


class NotReady(Declined):
    """A step whose turn has not come: it says what is missing, and who can do that."""

    code = "not_ready"

    def __init__(self, state: BranchMonth, step: Step) -> None:
        missing = state.missing_for(step)
        zh = "；".join(
            f"{s.code}（{s.label.zh}，{_state_zh(state, s)}，由{roles_text(s.act).zh}办理）"
            for s in missing
        )
        en = "; ".join(
            f"{s.code} ({s.label.en}, {state.state_of(s)}, by {roles_text(s.act).en})"
            for s in missing
        )
        super().__init__(
            Text(
                f"{state.branch} {state.period} 的 {step.code}（{step.label.zh}）还不能办理，"
                f"须先完成：{zh}",
                f"{step.code} ({step.label.en}) of {state.branch} {state.period} cannot be done "
                f"yet; first: {en}",
            )
        )


def _state_zh(state: BranchMonth, step: Step) -> str:
    return {"done": "已完成", "outdated": "须重办", "ready": "未办", "blocked": "未办"}[
        state.state_of(step)
    ]


class NoSuchStep(NotFound):
    """A step that is none of the thirteen."""

    def __init__(self, code: str) -> None:
        listed = ", ".join(BY_CODE)
        super().__init__(
            Text(
                f"没有步骤 {code}，共有：{listed}", f"there is no step {code}; there are: {listed}"
            )
        )
        self.step = code


class NoText(Declined):
    """A text that says nothing, or too much."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                f"请写明内容，1 至 {MAX_TEXT} 字",
                f"write what it is, in 1 to {MAX_TEXT} characters",
            )
        )


class OpenFindings(Declined):
    """A month with blocking findings of an audit that are not resolved."""

    def __init__(self, state: BranchMonth, findings: Sequence[AuditFinding]) -> None:
        listed = "；".join(f"{f.number}. {f.manager or ''} {f.text}" for f in findings)
        super().__init__(
            Text(
                f"{state.branch} {state.period} 有 {len(findings)} 条稽核问题未整改，不能封账："
                f"{listed}；整改后由稽核销号",
                f"{state.period} of {state.branch} has {len(findings)} open blocking finding(s) "
                f"and cannot be closed: {listed}; when they are mended, whoever audits resolves "
                "them",
            )
        )
        self.branch, self.period, self.findings = state.branch, state.period, findings


class Closed(Declined):
    """The month is closed: what changes it now is a resettlement."""

    code = "closed"

    def __init__(self, branch: str, period: str) -> None:
        super().__init__(
            Text(
                f"{branch} {period} 已封账；变化请重新结算",
                f"{period} of {branch} is closed; what changed since goes into a resettlement",
            ),
            NextAct("resettle_month", {"period": period, "branch": branch}),
        )
        self.branch, self.period = branch, period


def check_step(state: BranchMonth, code: str, who: str) -> Step:
    """The step, if it may be done now by this person. Raises Declined, NotReady, Closed,
    SeparationOfDuties.
    """
    step = BY_CODE.get(code)
    if step is None:
        raise NoSuchStep(code)
    if state.closed:
        raise Closed(state.branch, state.period)
    if state.waits_for(step):
        raise NotReady(state, step)
    if code in REVIEWED and state.done[REVIEWED[code]].by == who:
        done = Text("计算了该月积分", "calculated this month")
        raise SeparationOfDuties(who, done, Text("复核", "review it"), ACTS[step.act])
    return step


def check_text(text: str) -> None:
    """Raises Declined for a text that says nothing, or too much, or that a database cannot keep."""
    if not 0 < len(text.strip()) <= MAX_TEXT or "\0" in text:
        raise NoText


def check_closing(state: BranchMonth) -> None:
    """Raises Declined where the month may not be closed: it is closed, or has open findings, or an
    unfinished process.

    A month of which no step was ever recorded is closed on its settlement alone.
    """
    if state.closed:
        raise Closed(state.branch, state.period)
    if findings := state.open_findings():
        raise OpenFindings(state, findings)
    if state.begun and state.waits_for(BY_CODE["paid"]):
        raise NotReady(state, BY_CODE["paid"])


def window(published_on: date | None, days: int) -> date | None:
    """The last day of a window that is counted from publication; None while the month is not
    published.
    """
    return published_on + timedelta(days=days) if published_on else None


class StepState(NamedTuple):
    """A step as it stands: owner, deadline, state, what blocks it, who did it when."""

    number: int
    step: str
    label: Text
    owners: tuple[Role, ...]
    due: str
    state: str  # done, outdated, ready or blocked
    overdue: bool
    waits_for: list[str]
    by: str | None
    at: str | None
    note: str | None
    settlements: tuple[int, ...]
    times: int


def step_states(
    state: BranchMonth,
    period: Period,
    today: date,
    day_of: Callable[[str], date],
    schedule: Schedule = USUAL,
) -> list[StepState]:
    """How each of the thirteen steps stands on a day; `day_of` is the day of a stored instant."""
    found = []
    for number, step in enumerate(STEPS, 1):
        done = state.done.get(step.code)
        judged_on = day_of(done.at) if done and state.state_of(step) == "done" else today
        found.append(_step_state(number, step, state, judged_on, deadline(step, period, schedule)))
    return found


def _step_state(
    number: int, step: Step, state: BranchMonth, judged_on: date, due: date
) -> StepState:
    done, now = state.done.get(step.code), state.state_of(step)
    return StepState(
        number=number,
        step=step.code,
        label=step.label,
        owners=ACTS[step.act],
        due=due.isoformat(),
        state=now,
        overdue=judged_on > due,
        waits_for=state.waits_for(step),
        by=done.by if done else None,
        at=done.at if done else None,
        note=done.note if done else None,
        settlements=done.settlements if done else (),
        times=done.times if done else 0,
    )
