"""Interviews and agreements: what acts on them take and return, each shape with an example."""

from __future__ import annotations

from pydantic import Field

from api.documents.parts.base import AT, RULES, RulebookId, Shape, VersionText, example
from api.documents.parts.field_types import DayText, PeriodText, Words


class Planned(Shape):
    """What is to get better, until when."""

    model_config = example(what="欠费回收", until="2026-12-10")
    what: Words
    until: DayText


class Feedback(Shape):
    """An interview about a month: who spoke with whom, when, what was agreed, and a plan with
    dates.
    """

    model_config = example(
        period="2026-10",
        held_on="2026-11-25",
        held_by="team-leader-t1",
        agreed="下月补齐欠费回收",
        plan=[{"what": "欠费回收", "until": "2026-12-10"}],
    )
    period: PeriodText
    held_on: DayText
    held_by: Words
    agreed: Words
    plan: list[Planned] = Field(default_factory=list, max_length=50)


class Acknowledge(Shape):
    """The version of a rulebook that a manager has read and agrees with."""

    model_config = example(rulebook=RULES["id"], version=RULES["version"])
    rulebook: RulebookId
    version: VersionText


class PlannedItem(Shape):
    """What is to get better, until when, as it was recorded."""

    what: str
    until: str


class Interview(Shape):
    """An interview about a month."""

    period: str
    branch: str
    held_on: str
    held_by: str
    agreed: str
    plan: list[PlannedItem]
    by: str
    at: str


class Agreement(Shape):
    """That the person agrees with a version of a rulebook."""

    rulebook: str
    version: str
    by: str
    at: str


class RulebookVersion(Shape):
    """A version of a rulebook that waits for agreement."""

    rulebook: str
    version: str


class PersonPage(Shape):
    """What stands on a person's page beside the statements."""

    model_config = example(
        manager="M0007",
        feedback=[],
        acknowledged=[
            {"rulebook": RULES["id"], "version": RULES["version"], "by": "m0007", "at": AT}
        ],
        to_acknowledge=[],
    )
    manager: str
    feedback: list[Interview]
    acknowledged: list[Agreement]
    to_acknowledge: list[RulebookVersion]


class Done(Shape):
    """The ledger position that was reached."""

    model_config = example(position=1042)
    position: int
