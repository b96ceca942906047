"""权限: which roles may do which acts, and where. One table; what it does not allow is refused.

A person or program has seats. A seat is a role and its scope: a branch, a team of it, or one
manager's own records. An act is allowed if one of the seats has a role that may do it and a scope
that covers what the act is about.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import Declined, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Role(StrEnum):
    """角色."""

    INTEGRATION = "integration"
    MANAGER = "manager"
    TEAM_LEADER = "team_leader"
    BRANCH_LEADER = "branch_leader"
    BACK_OFFICE = "back_office"
    DEPARTMENT = "department"
    AUDITOR = "auditor"
    HR = "hr"
    ADMIN = "admin"


LABELS = {
    Role.INTEGRATION: Text("系统接口", "integration"),
    Role.MANAGER: Text("客户经理本人", "the manager themselves"),
    Role.TEAM_LEADER: Text("班组长", "team leader"),
    Role.BRANCH_LEADER: Text("分公司负责人", "branch leader"),
    Role.BACK_OFFICE: Text("分公司后台", "back office"),
    Role.DEPARTMENT: Text("主管部门", "department"),
    Role.AUDITOR: Text("稽核", "auditor"),
    Role.HR: Text("人力资源", "HR"),
    Role.ADMIN: Text("管理员", "administrator"),
}
# The scope that a seat of these roles must name; the other roles count everywhere unless a branch
# is named.
NEEDS = {
    Role.MANAGER: ("manager",),
    Role.TEAM_LEADER: ("branch", "team"),
    Role.BRANCH_LEADER: ("branch",),
    Role.BACK_OFFICE: ("branch",),
}

_OFFICES = (Role.DEPARTMENT, Role.AUDITOR, Role.HR)
_LEADERS = (Role.BRANCH_LEADER, Role.TEAM_LEADER)
_BRANCH = (Role.BRANCH_LEADER, Role.TEAM_LEADER, Role.BACK_OFFICE)
_HANDLERS = (Role.HR, Role.DEPARTMENT)
_ALL = tuple(Role)

# Act → the roles that may do it. The administrator may do everything, but the separation of duties
# (below) holds for them too.
ACTS: dict[str, tuple[Role, ...]] = {
    "record_entries": (Role.INTEGRATION, Role.BACK_OFFICE, Role.DEPARTMENT, Role.HR),
    "record_ratings": (Role.INTEGRATION, *_BRANCH, Role.DEPARTMENT, Role.HR),
    "read_entries": (*_OFFICES, *_BRANCH, Role.MANAGER),
    "read_statements": (*_OFFICES, *_BRANCH, Role.MANAGER),
    "read_settlements": (*_OFFICES, *_BRANCH),
    "settle": (Role.BACK_OFFICE, Role.DEPARTMENT, Role.HR),
    "replay": (*_OFFICES, Role.BRANCH_LEADER, Role.BACK_OFFICE),
    "read_rulebooks": _ALL,
    "check_rulebooks": _ALL,
    "publish_rulebooks": (Role.DEPARTMENT, Role.HR),
    "set_branch_rulebooks": (Role.HR,),
    "read_cycle": (*_OFFICES, *_BRANCH),
    "read_publication": (*_OFFICES, *_BRANCH, Role.MANAGER),
    "do_steps": (Role.INTEGRATION, *_BRANCH, *_OFFICES),
    "rate": _LEADERS,
    "load": (Role.INTEGRATION,),
    "calculate": (Role.BACK_OFFICE,),
    "review_position": (Role.TEAM_LEADER,),
    "review_total": _LEADERS,
    "submit": (Role.BACK_OFFICE,),
    "audit": (Role.DEPARTMENT, Role.AUDITOR),
    "report": (Role.DEPARTMENT,),
    "close": (Role.HR,),
    "resettle": (Role.HR,),
    "record_feedback": (*_BRANCH, *_HANDLERS),
    "acknowledge": (Role.MANAGER,),
    "file_appeals": (Role.MANAGER, Role.HR),
    "read_appeals": (*_OFFICES, *_BRANCH, Role.MANAGER),
    "handle_appeals": _HANDLERS,
    "decide_appeals": _HANDLERS,
    "withdraw_appeals": (Role.MANAGER, Role.HR),
    "request_reviews": (Role.MANAGER, Role.HR),
    "add_evidence": (Role.MANAGER, *_BRANCH, *_HANDLERS),
    "make_grants": (Role.BRANCH_LEADER, *_HANDLERS),
    "use_grants": (*_BRANCH, Role.MANAGER, *_HANDLERS),
    "read_grants": (*_OFFICES, *_BRANCH, Role.MANAGER),
    "audit_grants": (*_OFFICES, Role.BRANCH_LEADER),
    "read_reads": (Role.AUDITOR,),
    "manage_accounts": (),
    "read_self": _ALL,
    "keep_self": _ALL,  # one's own password and sessions
    "operate": (Role.AUDITOR,),
    "maintain": (),  # the service and its tables
}


class Place(NamedTuple):
    """What an act is about: a branch, a team of it, one manager. None: all of that kind."""

    branch: str | None = None
    team: str | None = None
    manager: str | None = None


EVERYWHERE = Place()


class Seat(NamedTuple):
    """A role and its scope. None: no limit.

    An integration may be narrowed to entries of one source, of one kind, or of both.
    """

    role: Role
    branch: str | None = None
    team: str | None = None
    manager: str | None = None
    source: str | None = None
    kind: str | None = None

    def covers(self, place: Place) -> bool:
        """Whether the seat's scope includes what an act is about."""
        limits = zip((self.branch, self.team, self.manager), place, strict=True)
        return all(limit is None or limit == about for limit, about in limits)

    @property
    def is_narrowed(self) -> bool:
        """Whether it records entries of some sources or kinds alone."""
        return self.source is not None or self.kind is not None

    def records(self, sources: Iterable[str], kind: str | None) -> bool:
        """Whether it records entries of all these sources and of a kind (None: not known)."""
        of_source = self.source is None or all(source == self.source for source in sources)
        return of_source and self.kind in {None, kind}

    def __str__(self) -> str:
        return " ".join([self.role, *(part for part in self[1:] if part)])


class Forbidden(Declined):
    """Somebody may not do this, or not here; the message names the roles that may."""

    code = "forbidden"

    def __init__(
        self, who: str, act: str, *, elsewhere: bool = False, some_months: bool = False
    ) -> None:
        roles = [LABELS[role] for role in (*ACTS[act], Role.ADMIN)]
        zh, en = "、".join(role.zh for role in roles), ", ".join(role.en for role in roles)
        hint = Text("", "")
        if elsewhere:
            hint = Text(
                f"；{who} 的权限限于自己的范围，请写明其中的分公司、班组或客户经理",
                f". {who} may do it within their own scope only: name a branch, team or manager "
                "in it",
            )
        if some_months:
            hint = Text(
                f"；此人在该周期内有月份不在 {who} 的范围内，请写明在范围内的月份",
                f". The person worked outside the scope of {who} in a part of the period: name a "
                "month within it",
            )
        super().__init__(
            Text(
                f"{who} 无权办理此事（{act}）；可由{zh}在其范围内办理{hint.zh}",
                f"{who} may not do this ({act}). These roles may, within their scope: "
                f"{en}{hint.en}",
            )
        )


def roles_of(act: str) -> set[Role]:
    """The roles that may do the act in some scope."""
    return {*ACTS[act], Role.ADMIN}


def may(seats: Iterable[Seat], act: str, place: Place | None = None) -> bool:
    """Whether one of the seats allows the act at a place; without a place, in any scope."""
    return any(
        seat.role in roles_of(act) and (place is None or seat.covers(place)) for seat in seats
    )


def scope(seats: Iterable[Seat], act: str) -> list[Seat]:
    """The seats whose role may do the act."""
    return [seat for seat in seats if seat.role in roles_of(act)]


def may_in_branch(seats: Iterable[Seat], act: str, branch: str) -> bool:
    """Whether one of the seats allows an act on the whole branch.

    A team leader's seat does, because the cycle gives steps of the whole branch to team leaders.
    """
    whole = [seat for seat in seats if seat.team is None or seat.role is Role.TEAM_LEADER]
    here = [seat for seat in whole if seat.branch in {None, branch} and seat.manager is None]
    return any(seat.role in roles_of(act) for seat in here)


def seat_of(
    role: str,
    branch: str | None,
    team: str | None,
    manager: str | None,
    source: str | None = None,
    kind: str | None = None,
) -> Seat:
    """A seat with this role and scope. Raises Declined if the role needs more scope than this, or
    is narrowed and no integration.
    """
    if role not in LABELS:
        raise NoSuchRole(role)
    seat = Seat(Role(role), branch, team, manager, source, kind)
    if seat.is_narrowed and seat.role is not Role.INTEGRATION:
        raise OnlyIntegrationsNarrowed(role)
    missing = [name for name in NEEDS.get(seat.role, ()) if getattr(seat, name) is None]
    if missing or (team and not branch):
        raise ScopeMissing(role, missing or ["branch"])
    return seat


class NoSuchRole(Declined):
    """A word that is none of the roles."""

    def __init__(self, role: str) -> None:
        listed = ", ".join(Role)
        super().__init__(
            Text(
                f"没有角色 {role}，可用：{listed}", f"there is no role {role}; there are: {listed}"
            )
        )
        self.role = role


class OnlyIntegrationsNarrowed(Declined):
    """A source or a kind was named for a role that is no integration."""

    def __init__(self, role: str) -> None:
        super().__init__(
            Text(
                f"来源和类别只能限定系统接口（integration），{role} 不能；请去掉来源和类别",
                f"a source or a kind narrows an integration only, and not the role {role}: leave "
                "them out",
            )
        )
        self.role = role


class ScopeMissing(Declined):
    """A role that must say what it counts for."""

    def __init__(self, role: str, missing: Sequence[str]) -> None:
        listed = ", ".join(missing)
        super().__init__(
            Text(f"角色 {role} 须写明范围：{listed}", f"the role {role} needs a scope: {listed}")
        )
        self.role, self.missing = role, missing


class SeparationOfDuties(Declined):
    """职责分离: whoever did one act may not do the other."""

    code = "separation_of_duties"

    def __init__(self, who: str, done: Text, act: Text, roles: Sequence[Role]) -> None:
        zh, en = (
            "、".join(LABELS[role].zh for role in roles),
            ", ".join(LABELS[role].en for role in roles),
        )
        super().__init__(
            Text(
                f"{who} {done.zh}，不能再{act.zh}；请由另一人（{zh}）办理",
                f"{who} {done.en} and may not {act.en}: another person ({en}) must do it",
            )
        )
