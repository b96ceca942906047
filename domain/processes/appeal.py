"""申诉: an appeal as a process: filed, accepted or rejected, investigated, decided, carried out,
notified, reviewed.

Pure functions of the appeal's own events. Whoever rated or calculated the month does not decide;
whoever proposes a correction does not approve it; a review is decided by somebody else than the
first decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from domain.entries.entry import AnyEntry
from domain.entries.parsing import parse_entry
from domain.errors import Declined, Invalid, NextAct, Text
from domain.ledger.events import (
    AppealAccepted,
    AppealCarriedOut,
    AppealDecided,
    AppealFiled,
    AppealNotified,
    AppealRejected,
    AppealWithdrawn,
    CorrectionProposed,
    EvidenceAttached,
    ReviewRequested,
)
from domain.processes.branch_month import roles_text
from domain.rights import ACTS, SeparationOfDuties

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from domain.ledger.events import Event

DECISIONS = {
    "upheld": Text("成立", "upheld"),
    "partly_upheld": Text("部分成立", "partly upheld"),
    "dismissed": Text("不成立", "dismissed"),
}
REJECTIONS = {
    "out_of_time": Text("超过申诉期限", "out of time"),
    "not_own": Text("不是本人的考核", "not the person's own"),
    "other": Text("其他", "other"),
}
STATES = {
    "filed": Text("已提出", "filed"),
    "accepted": Text("已受理", "accepted"),
    "rejected": Text("不予受理", "rejected"),
    "decided": Text("已裁决", "decided"),
    "carried_out": Text("已执行", "carried out"),
    "in_review": Text("复核中", "in review"),
    "withdrawn": Text("已撤回", "withdrawn"),
}
MAX_FILE_BYTES = 1_000_000


class Act(NamedTuple):
    """What can be done with an appeal: in which states, and by which right."""

    label: Text
    states: tuple[str, ...]
    right: str


ALLOWED = {
    "accept": Act(Text("受理", "accept it"), ("filed",), "handle_appeals"),
    "reject": Act(Text("不予受理", "reject it"), ("filed",), "handle_appeals"),
    "evidence": Act(
        Text("补充证据", "attach evidence"), ("filed", "accepted", "in_review"), "add_evidence"
    ),
    "propose": Act(
        Text("提出更正", "propose a correction"), ("accepted", "in_review"), "handle_appeals"
    ),
    "decide": Act(Text("裁决", "decide it"), ("accepted", "in_review"), "decide_appeals"),
    "notify": Act(
        Text("告知", "notify the person"), ("decided", "carried_out", "rejected"), "handle_appeals"
    ),
    "withdraw": Act(Text("撤回", "withdraw it"), ("filed", "accepted"), "withdraw_appeals"),
    "review": Act(
        Text("申请复核", "ask for a review"), ("decided", "carried_out"), "request_reviews"
    ),
}


@dataclass
class Appeal:
    """The state of an appeal after its events."""

    filed: AppealFiled
    state: str = "filed"
    accepted: AppealAccepted | None = None
    rejected: AppealRejected | None = None
    withdrawn: AppealWithdrawn | None = None
    review: ReviewRequested | None = None
    evidence: list[EvidenceAttached] = field(default_factory=list)
    proposals: list[CorrectionProposed] = field(default_factory=list)
    decisions: list[AppealDecided] = field(default_factory=list)  # the first, then the review's
    carried_out: list[AppealCarriedOut] = field(default_factory=list)
    notified: list[AppealNotified] = field(default_factory=list)
    to_carry_out: AppealDecided | None = None  # it approved a correction, not recorded yet
    history: list[Event] = field(default_factory=list)
    version: int = 1

    def correction_approved_by(self, decision: AppealDecided) -> CorrectionProposed | None:
        """The correction that a decision approved, if any."""
        return self.proposals[decision.proposal - 1] if decision.proposal else None


def evolve(events: Iterable[Event]) -> Appeal:  # noqa: C901 - one case for each event
    """The appeal after these events, of which the first filed it."""
    first, *rest = events
    assert isinstance(first, AppealFiled)
    appeal = Appeal(first, history=[first])
    for event in rest:
        appeal.version = event.originator_version
        appeal.history.append(event)
        match event:
            case AppealAccepted():
                appeal.accepted, appeal.state = event, "accepted"
            case AppealRejected():
                appeal.rejected, appeal.state = event, "rejected"
            case EvidenceAttached():
                appeal.evidence.append(event)
            case CorrectionProposed():
                appeal.proposals.append(event)
            case AppealDecided():
                appeal.decisions.append(event)
                appeal.state = "decided"
                if event.proposal:
                    appeal.to_carry_out = event
            case AppealCarriedOut():
                appeal.carried_out.append(event)
                appeal.to_carry_out = None
                appeal.state = "carried_out" if appeal.state == "decided" else appeal.state
            case AppealNotified():
                appeal.notified.append(event)
            case AppealWithdrawn():
                appeal.withdrawn, appeal.state = event, "withdrawn"
            case ReviewRequested():
                appeal.review, appeal.state = event, "in_review"
    return appeal


class WrongState(Declined):
    """An act that the appeal's state does not allow. It names the state, the acts that the state
    allows, and who may do them.
    """

    code = "wrong_state"

    def __init__(self, appeal: Appeal, act: str) -> None:
        state, declined = STATES[appeal.state], ALLOWED[act]
        open_acts = [a for a in ALLOWED.values() if appeal.state in a.states]
        zh = "；".join(f"{a.label.zh}（{roles_text(a.right).zh}）" for a in open_acts) or "无"
        en = "; ".join(f"{a.label.en} ({roles_text(a.right).en})" for a in open_acts) or "nothing"
        name = appeal.filed.appeal
        super().__init__(
            Text(
                f"申诉 {name} 的状态是{state.zh}，不能{declined.label.zh}；现在可以：{zh}",
                f"appeal {name} is {state.en}: one cannot {declined.label.en}; what can be done "
                f"now: {en}",
            )
        )
        self.name, self.state, self.act = name, appeal.state, act


class ReviewedAlready(Declined):
    """A second review of an appeal."""

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(
                f"申诉 {name} 已复核过一次，复核决定为最终决定",
                f"appeal {name} was reviewed once: that decision stands",
            )
        )
        self.name = name


class FiledLate(Declined):
    """An appeal that was filed after the window for objections can't be accepted."""

    def __init__(self, name: str, day: str, last_day: str) -> None:
        super().__init__(
            Text(
                f"申诉 {name} 于 {day} 提出，申诉期到 {last_day} 为止；请以 out_of_time 不予受理",
                f"appeal {name} was filed on {day}, and the window closed on {last_day}: reject it "
                "as out_of_time",
            ),
            NextAct("reject", {"appeal": name, "code": "out_of_time"}),
        )
        self.name, self.day, self.last_day = name, day, last_day


class FiledInTime(Declined):
    """An appeal that was filed within its window, or before it, can't be rejected as late."""

    def __init__(self, name: str, day: str, last_day: str | None) -> None:
        window = (
            Text(
                "该月尚未公示，申诉期没有开始", "the month is not published, so no window has begun"
            )
            if last_day is None
            else Text(f"申诉期到 {last_day} 为止", f"the window closes on {last_day}")
        )
        super().__init__(
            Text(
                f"申诉 {name} 于 {day} 提出，{window.zh}，没有超期；请以 not_own 或 other 写明理由",
                f"appeal {name} was filed on {day}, and {window.en}: it is in time; reject it as "
                "not_own or other",
            ),
            NextAct("reject", {"appeal": name, "code": "other"}),
        )
        self.name, self.day, self.last_day = name, day, last_day


class NoSuchRejection(Declined):
    """A code that is none of the reasons for which an appeal is rejected."""

    def __init__(self, rejection: str) -> None:
        listed = ", ".join(REJECTIONS)
        super().__init__(
            Text(
                f"没有理由 {rejection}，可用：{listed}",
                f"there is no such code {rejection}; use: {listed}",
            )
        )
        self.rejection = rejection


class NoSuchDecision(Declined):
    """A word that is none of the decisions."""

    def __init__(self, decision: str) -> None:
        listed = ", ".join(DECISIONS)
        super().__init__(
            Text(
                f"没有裁决 {decision}，可用：{listed}",
                f"there is no decision {decision}; use: {listed}",
            )
        )
        self.decision = decision


class DismissalCorrects(Declined):
    """A decision that dismisses the appeal and approves a correction all the same."""

    def __init__(self, name: str, proposal: int) -> None:
        super().__init__(
            Text(
                "不成立的申诉没有更正，请不要指定更正",
                "a dismissed appeal corrects nothing: name no correction",
            )
        )
        self.name, self.proposal = name, proposal


class CorrectionMissing(Declined):
    """A decision that upholds the appeal, or part of it, and approves no correction."""

    def __init__(self, name: str, decision: str) -> None:
        super().__init__(
            Text(
                "成立或部分成立须批准一项更正；先由另一人提出更正",
                "upheld, or partly, approves a correction; another person proposes one first",
            ),
            NextAct("propose_correction", {"appeal": name}),
        )
        self.name, self.decision = name, decision


class NoSuchCorrection(Declined):
    """A number that is none of the corrections proposed; they are counted from 1."""

    def __init__(self, name: str, proposal: int, count: int) -> None:
        super().__init__(
            Text(
                f"没有更正 {proposal}，共有 {count} 项",
                f"there is no correction {proposal}; there are {count}",
            )
        )
        self.name, self.proposal, self.count = name, proposal, count


def check(appeal: Appeal, act: str) -> None:
    """Raises WrongState where the state does not allow the act, ReviewedAlready for a second
    review.
    """
    if appeal.state not in ALLOWED[act].states:
        raise WrongState(appeal, act)
    if act == "review" and appeal.review is not None:
        raise ReviewedAlready(appeal.filed.appeal)


def check_acceptance(appeal: Appeal, filed_on: date, last_day: str | None) -> None:
    """Raises FiledLate where the appeal was filed after the window for objections."""
    day = filed_on.isoformat()
    if last_day is not None and day > last_day:
        raise FiledLate(appeal.filed.appeal, day, last_day)


def check_rejection(appeal: Appeal, code: str, filed_on: date, last_day: str | None) -> None:
    """Raises NoSuchRejection, and FiledInTime where it is not to be rejected as late."""
    if code not in REJECTIONS:
        raise NoSuchRejection(code)
    day = filed_on.isoformat()
    if code == "out_of_time" and (last_day is None or day <= last_day):
        raise FiledInTime(appeal.filed.appeal, day, last_day)


def check_decision(
    appeal: Appeal,
    decision: str,
    proposal: int | None,
    who: str,
    raters: Collection[str],
    calculators: Collection[str],
) -> None:
    """Raises Declined where this decision, SeparationOfDuties where this person won't do."""
    check(appeal, "decide")
    if decision not in DECISIONS:
        raise NoSuchDecision(decision)
    roles, deciding = ACTS["decide_appeals"], Text("裁决该月的申诉", "decide an appeal about it")
    if who in raters:
        raise SeparationOfDuties(who, Text("评价了该月", "rated this month"), deciding, roles)
    if who in calculators:
        raise SeparationOfDuties(who, Text("计算了该月", "calculated this month"), deciding, roles)
    if appeal.decisions and appeal.decisions[-1].by == who:
        raise SeparationOfDuties(
            who,
            Text("作出了原裁决", "made the first decision"),
            Text("复核", "decide the review"),
            roles,
        )
    _check_proposal(appeal, decision, proposal, who)


def check_disinterest(appeal: Appeal, who: str, manager: str | None) -> None:
    """Raises SeparationOfDuties where whoever decides filed the appeal, or is the person whose
    month it is. `manager`: whose statements belong to the account that decides.
    """
    if who == appeal.filed.by or manager == appeal.filed.manager:
        done = Text("是申诉人", "is a party to this appeal")
        raise SeparationOfDuties(who, done, Text("裁决", "decide it"), ACTS["decide_appeals"])


def _check_proposal(appeal: Appeal, decision: str, proposal: int | None, who: str) -> None:
    name, is_review = appeal.filed.appeal, bool(appeal.decisions)
    if decision == "dismissed" and proposal is not None and not is_review:
        raise DismissalCorrects(name, proposal)
    if proposal is None:
        if decision == "dismissed" or is_review:
            return  # a review may leave what was carried out as it is
        raise CorrectionMissing(name, decision)
    if not 1 <= proposal <= len(appeal.proposals):
        raise NoSuchCorrection(name, proposal, len(appeal.proposals))
    if appeal.proposals[proposal - 1].by == who:
        raise SeparationOfDuties(
            who,
            Text("提出了该更正", "proposed this correction"),
            Text("批准", "approve it"),
            ACTS["decide_appeals"],
        )


def parsed_entries(entries: Sequence[Mapping[str, object]]) -> list[AnyEntry]:
    """The entries of a correction. Raises Invalid with every reason of each."""
    parsed, reasons = [], []
    for index, raw in enumerate(entries):
        try:
            parsed.append(parse_entry(dict(raw)))
        except Invalid as invalid:
            reasons += [
                reason._replace(field=f"entries.{index}.{reason.field}".rstrip("."))
                for reason in invalid.reasons
            ]
    if reasons:
        raise Invalid(reasons)
    return parsed
