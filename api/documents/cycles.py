"""考核周期: what acts on a branch's month take and return, each shape with an example."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.documents.checks import CodeText
from api.documents.parts.base import (
    AT,
    DIGEST,
    RULES,
    Both,
    IdText,
    Shape,
    example,
)
from api.documents.parts.field_types import Words
from api.documents.parts.postings import POSTING, Posting

LABEL = {"zh": "积分总和计算", "en": "total calculated"}
PAYMENT = {
    "position": 1100,
    "branch": "B01",
    "period": "2026-10",
    "manager": "M0007",
    "rulebook": RULES["id"],
    "version": 1,
    "pay": "4200",
    "back_pay": "0",
    "clawback": "0",
    "carried": "0",
    "payable": "4200",
}
STEP = {
    "number": 8,
    "step": "total_calculated",
    "label": LABEL,
    "owners": ["back_office"],
    "due": "2026-11-14",
    "state": "done",
    "overdue": False,
    "waits_for": [],
    "by": "office-b01",
    "at": AT,
    "note": "集体评议",
    "settlements": [1043],
    "times": 1,
}
SAMPLE = {
    "size": 5,
    "seed": DIGEST,
    "by_team": True,
    "by_amount": False,
    "settlements": [1043],
    "by": "auditor",
    "at": AT,
    "managers": ["M0003", "M0007", "M0012", "M0021", "M0033"],
}


class StepState(Shape):
    """One of the thirteen steps. `state`: done, outdated (to be done again), ready or blocked."""

    number: int
    step: str
    label: Both
    owners: list[str]
    due: str
    state: str
    overdue: bool
    waits_for: list[str]
    by: str | None
    at: str | None
    note: str | None
    settlements: list[int]
    times: int


class Payment(Shape):
    """What a person was paid: pay and back pay less clawback; what is carried is taken in the next
    month.
    """

    position: int
    branch: str
    period: str
    manager: str
    rulebook: str | None
    version: int | None
    pay: str
    back_pay: str
    clawback: str
    carried: str
    payable: str


class Drawn(Shape):
    """Who was drawn, from which settlement, with the size and seed that were on record before."""

    model_config = example(**SAMPLE, position=1050)
    size: int
    seed: str
    by_team: bool
    by_amount: bool
    settlements: list[int]
    by: str
    at: str
    managers: list[str]
    position: int | None = None


class AuditFinding(Shape):
    """What an audit found; blocking, it holds up the closing until it is resolved."""

    number: int
    manager: str | None
    text: str
    blocking: bool
    by: str
    at: str
    resolved: str | None
    resolved_by: str | None
    resolved_at: str | None


class Pinned(Shape):
    """A settlement that a closing pinned: its rules, the last position it took in, its digest."""

    settlement: int
    rulebook: str
    version: str
    position: int
    digest: str


class Closing(Shape):
    """How the month was closed. `payments` are shown to whoever may read the statements."""

    by: str
    at: str
    settlements: list[Pinned]
    payable: str
    payments: list[Payment]


class Resettlement(Shape):
    """A resettlement. `postings` are shown to whoever may read the statements."""

    by: str
    at: str
    reason: str
    appeal: str | None
    digests: list[str]
    postings: list[Posting]


class CycleState(Shape):
    """A branch's month. `version` is its ETag."""

    model_config = example(
        branch="B01",
        period="2026-10",
        state="open",
        version=9,
        steps=[STEP],
        published_at=AT,
        objection_until="2026-11-10",
        decision_until="2026-11-20",
        samples=[SAMPLE],
        findings=[],
        closed={
            "by": "payroll",
            "at": AT,
            "settlements": [],
            "payable": "4200",
            "payments": [PAYMENT],
        },
        resettlements=[],
        late=0,
    )
    branch: str
    period: str
    state: str
    version: int
    steps: list[StepState]
    published_at: str | None
    objection_until: str | None
    decision_until: str | None
    samples: list[Drawn]
    findings: list[AuditFinding]
    closed: Closing | None
    resettlements: list[Resettlement]
    late: int


class DoStep(Shape):
    """A step is done; a note may say how."""

    model_config = example(note="集体评议确定")
    note: Words | None = None


class Close(Shape):
    """A month is closed. The findings of the month check that have these codes are acknowledged
    before, for the reason in the note.
    """

    model_config = example(acknowledge=["missing"], note="本月不设目标")
    note: Words | None = None
    acknowledge: list[CodeText] = Field(default_factory=list, max_length=20)


class OrderSample(Shape):
    """How many, and how: every team its share, and with chances in proportion to pay."""

    model_config = example(size=5, by_team=True, by_amount=False)
    size: int = Field(ge=1, le=100_000)
    by_team: bool = False
    by_amount: bool = False


class RecordFinding(Shape):
    """What an audit found."""

    model_config = example(text="扣减凭证缺失", manager="M0007", blocking=True)
    text: Words
    manager: IdText | None = None
    blocking: bool = True


class Resolve(Shape):
    """How a finding was mended."""

    model_config = example(text="凭证已补")
    text: Words


class ClosedMonth(Shape):
    """What was paid to whom."""

    model_config = example(
        branch="B01",
        period="2026-10",
        position=1100,
        managers=1,
        pay="4200",
        payable="4200",
        late=0,
        payments=[PAYMENT],
    )
    branch: str
    period: str
    position: int
    managers: int
    pay: str
    payable: str
    late: int
    payments: list[Payment]


class Resettle(Shape):
    """Why a closed month is settled again."""

    model_config = example(reason="申诉 A-17 成立", appeal="A-17")
    reason: Words
    appeal: IdText | None = None


class Resettled(Shape):
    """What was settled and posted; nothing where nothing differs."""

    model_config = example(
        branch="B01", period="2026-10", position=1200, settlements=[1150], postings=[POSTING]
    )
    branch: str
    period: str
    position: int
    settlements: list[int]
    postings: list[Posting]


class LateEntry(Shape):
    """An entry that came after the publication or the close, and what it does to the branch's whole
    pay, in yuan.
    """

    position: int
    entry: dict[str, Any]
    about: dict[str, str | None]
    by: str
    at: str
    appeal: str | None
    after: str
    effect: str | None


class LateEvidence(Shape):
    """The late evidence of a branch's month."""

    model_config = example(
        branch="B01",
        period="2026-10",
        late=[
            {
                "position": 1150,
                "entry": {
                    "kind": "deduction",
                    "source": "billing",
                    "source_id": "9",
                    "manager": "M0007",
                },
                "about": {"manager": "M0007", "branch": None, "item": "member_retention"},
                "by": "hr",
                "at": AT,
                "appeal": "A2026-10-1",
                "after": "close",
                "effect": "-120",
            }
        ],
    )
    branch: str
    period: str
    late: list[LateEntry]


class Memo(Shape):
    """部门联系单: the results as they go to HR, with the digest of the document."""

    model_config = example(
        digest=DIGEST,
        text={"zh": "部门联系单 …", "en": "Memo to human resources …"},
        document={"branch": "B01"},
    )
    digest: str
    text: Both
    document: dict[str, Any]


class PublishedStep(Shape):
    """A step that is published."""

    step: str
    label: Both
    unit: str


class PublishedPerson(Shape):
    """What is published of a person: the steps in points, places and tiers."""

    manager: str
    team: str
    rulebook: str
    version: int
    steps: dict[str, str]


class Publication(Shape):
    """公示: a branch's points as they were published, and the last days for objections and
    decisions.
    """

    model_config = example(
        branch="B01",
        period="2026-10",
        published_at=AT,
        objection_until="2026-11-23",
        decision_until="2026-12-03",
        steps={RULES["id"]: [{"step": "position_points", "label": LABEL, "unit": "point"}]},
        people=[
            {
                "manager": "M0007",
                "team": "T1",
                "rulebook": RULES["id"],
                "version": 1,
                "steps": {"position_points": "90"},
            }
        ],
    )
    branch: str
    period: str
    published_at: str
    objection_until: str
    decision_until: str
    steps: dict[str, list[PublishedStep]]
    people: list[PublishedPerson]
