"""考核单: a person's figures, how they came about, and everything that happened to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from api.documents.parts.base import (
    AT,
    BOTH,
    DIGEST,
    FIGURES,
    RULES,
    SALE,
    Both,
    Rules,
    Shape,
    Warning,  # noqa: A004 - the public format's word
    example,
)
from api.documents.parts.postings import POSTING, Posting
from domain.evaluation.messages import warning_text
from domain.evaluation.nearest import change_text

if TYPE_CHECKING:
    from domain.evaluation import nearest, trace
    from domain.rulebook.model import Rulebook
    from projections.evaluation.provisional import ProvisionalStatement
    from projections.explain.derivation import Explanation
    from projections.month.payable import Payout as MonthPayout
    from projections.month.payable import PostingsAlone as MonthPostings
    from projections.records.statements import Issued

IN_FORCE = "as of a moment: the version that had been issued last by then; null: none had"
ISSUE = {"by": "hr", "at": AT, "position": 1044}
PAYOUT = {
    "pay": "0",
    "back_pay": "450",
    "clawback": "0",
    "carried": "0",
    "payable": "450",
    "paid": False,
    "postings": [POSTING | {"period": "2026-10"}],
}


class RulesName(Shape):
    """A version of a rulebook, by its name."""

    id: str
    version: str


class Issue(Shape):
    """By whom, when and where in the ledger."""

    by: str
    at: str
    position: int


class InForce(Shape):
    """The statement version that had been issued last by a moment, and its pay (null: none)."""

    rulebook: RulesName
    version: int
    pay: str | None
    position: int
    by: str
    at: str

    @classmethod
    def of_issued(cls, issued: Issued | None) -> Self | None:
        """The version as it was issued, if any was."""
        if issued is None:
            return None
        return cls(
            rulebook=RulesName(id=issued.rulebook, version=issued.version),
            version=issued.number,
            pay=issued.steps.get("pay"),
            position=issued.position,
            by=issued.by,
            at=issued.at,
        )


class PayoutPosting(Posting):
    """A posting into a month, and the period whose resettlement it is from."""

    period: str


class Payout(Shape):
    """What a month pays: `paid` with its closing, by the statement of this version; else as it
    stands now.
    """

    pay: str
    back_pay: str
    clawback: str
    carried: str
    payable: str
    paid: bool
    version: int | None = None
    postings: list[PayoutPosting] = Field(
        default=[], description="into this month, each between two statements"
    )


WITHDRAWN = Field(
    default=False, description="the last settlement of its branch no longer contains the person"
)


def _payment(
    payout: MonthPayout | None, *, withdrawn: bool
) -> dict[str, str | Payout | bool | None]:
    """The fields `payable` and `payment`, none where the rulebook does not pay; and that the
    statement is withdrawn, and payable to nobody.
    """
    said: dict[str, str | Payout | bool | None] = {}
    if withdrawn:
        said = {"withdrawn": True, "payable": None}
    if payout is not None:
        said |= {"payable": payout.payable, "payment": Payout.of(payout)}
    return said


class Statement(Shape):
    """A statement: `version` counts from 1, `position` is the last taken in; null parts mean that
    it is not issued.
    """

    model_config = example(
        period="2026-10",
        branch="B01",
        rulebook=RULES,
        version=1,
        position=1042,
        digest=DIGEST,
        issued=ISSUE,
        **FIGURES,
    )
    manager: str
    period: str
    branch: str
    team: str
    rulebook: Rules
    version: int | None
    position: int
    digest: str
    steps: dict[str, str]
    warnings: list[Warning]
    issued: Issue | None
    provisional: bool = Field(
        default=False, description="evaluated for this answer and recorded nowhere"
    )
    payable: str | None = Field(
        default=None, description="of a pay statement: pay + back pay - clawback"
    )
    payment: Payout | None = None
    withdrawn: bool = WITHDRAWN
    in_force: InForce | None = Field(default=None, description=IN_FORCE)

    @classmethod
    def of_issued(
        cls, issued: Issued, digest: str, payout: MonthPayout | None, *, withdrawn: bool
    ) -> Self:
        """A statement version, with the digest of its rulebook and what its month pays."""
        return cls.model_validate(
            {
                "manager": issued.manager,
                "period": issued.period,
                "branch": issued.branch,
                "team": issued.team,
                "rulebook": {"id": issued.rulebook, "version": issued.version, "digest": digest},
                "version": issued.number,
                "position": issued.as_of,
                "digest": issued.digest,
                "steps": issued.steps,
                "warnings": issued.warnings,
                "issued": Issue.of(issued),
                "provisional": False,
                **_payment(payout, withdrawn=withdrawn),
            }
        )

    @classmethod
    def of_provisional(cls, provisional: ProvisionalStatement, in_force: Issued | None) -> Self:
        """What a statement would say, beside the version that was in force; nobody issued it."""
        evaluation, statement = provisional
        rules = evaluation.program.rulebook
        return cls(
            manager=statement.manager,
            period=evaluation.period,
            branch=evaluation.branch,
            team=statement.team,
            rulebook=Rules(id=rules.id, version=rules.version, digest=evaluation.program.digest),
            version=None,
            position=evaluation.position,
            digest=evaluation.digest,
            steps=statement.steps,
            warnings=[Warning.of(warning) for warning in statement.warnings],
            issued=None,
            provisional=True,
            in_force=InForce.of_issued(in_force),
        )


class PostingsAlone(Shape):
    """A statement of postings alone, without rulebook and steps: of somebody who left, and has
    something to get or to give back.
    """

    model_config = example(
        manager="M0007",
        period="2026-11",
        branch="B01",
        team="",
        position=1200,
        steps={},
        warnings=[],
        provisional=True,
        payable="450",
        payment=PAYOUT,
    )
    manager: str
    period: str
    branch: str
    team: Literal[""]
    rulebook: None = None
    version: None = None
    position: int
    digest: None = None
    steps: dict[str, str]
    warnings: list[Warning]
    issued: None = None
    provisional: bool
    payable: str
    payment: Payout

    @classmethod
    def of_postings(cls, alone: MonthPostings) -> Self:
        """The postings, with the fields of a statement that there is none of."""
        return cls(
            manager=alone.manager,
            period=alone.period,
            branch=alone.branch,
            team="",
            rulebook=None,
            version=None,
            position=alone.position,
            digest=None,
            steps={},
            warnings=[],
            issued=None,
            provisional=not alone.payment.paid,
            payable=alone.payment.payable,
            payment=Payout.of(alone.payment),
        )


# Derivations


class FullRules(Rules):
    """A version of a rulebook, with its name and where it is from."""

    title: Both
    source: Both


class Total(Shape):
    """The figure that the statement comes to."""

    step: str
    value: str | None
    unit: str


class ReadFigure(Shape):
    """What a step reads; `value` is null where the person has none, or it is a table. `averaged`:
    of an input that is a mean of several figures, how many, and how it is rounded.
    """

    name: str
    kind: str
    label: Both
    value: str | None
    averaged: Both | None = None


class Limit(Shape):
    """A cap, floor or condition of a step: whether it bound, and how far off it was."""

    kind: str
    fired: bool
    distance: str
    message: Both


class DerivedStep(Shape):
    """A step. `entries` and `statements`: the ledger positions of what is behind it."""

    step: str
    label: Both
    value: str | None
    word: Both | None = None  # how the rulebook says a value that is a code
    unit: str
    clause: str
    formula: Both
    figures: Both
    reads: list[ReadFigure]
    limits: list[Limit]
    entries: list[int]
    statements: list[int]

    @classmethod
    def of_trace(cls, step: trace.StepTrace, statements: set[int]) -> Self:
        """The trace of a step; what is behind it is an entry or one of these statements."""
        limits = [
            Limit(
                kind=limit.kind,
                fired=limit.fired,
                distance=limit.distance,
                message=Both.of(limit.text),
            )
            for limit in step.limits
        ]
        return cls(
            step=step.step,
            label=Both.of(step.label),
            value=step.value,
            **({"word": Both.of(step.word)} if step.word else {}),
            unit=step.unit,
            clause=step.clause,
            formula=Both.of(step.formula),
            figures=Both.of(step.figures),
            reads=[ReadFigure.of(read) for read in step.reads],
            limits=limits,
            entries=[position for position in step.positions if position not in statements],
            statements=[position for position in step.positions if position in statements],
        )


class Moved(Shape):
    """A step that would have come out otherwise."""

    step: str
    before: str | None
    after: str | None


class Change(Shape):
    """The smallest change of one of the person's own figures that would have moved something."""

    input: str
    label: Both
    unit: str
    before: str
    after: str
    moves: list[Moved]
    limits: list[Moved]
    total: Moved
    message: Both

    @classmethod
    def of_change(cls, change: nearest.NearestChange, rulebook: Rulebook) -> Self:
        """The change, with its sentence."""
        return cls(
            input=change.name,
            label=Both.of(change.label),
            unit=change.unit,
            before=change.before,
            after=change.after,
            moves=[Moved.of(move) for move in change.moves],
            limits=[Moved.of(move) for move in change.limits],
            total=Moved.of(change.total),
            message=Both.of(change_text(change, rulebook)),
        )


class WordedWarning(Warning):
    """A warning with its sentence."""

    message: Both


class RecordedEntry(Shape):
    """An entry behind a figure; `reversed_by`: the reversal that counts, SOURCE:SOURCE_ID."""

    position: int
    entry: dict[str, object]
    by: str
    at: str
    reversed_by: str | None = None


class EarlierStatement(Shape):
    """A statement that the rulebook reads."""

    position: int
    period: str
    branch: str
    rulebook: RulesName
    version: int
    steps: dict[str, str]
    digest: str
    by: str
    at: str

    @classmethod
    def of_issued(cls, issued: Issued) -> Self:
        """The statement as it was issued."""
        return cls(
            position=issued.position,
            period=issued.period,
            branch=issued.branch,
            rulebook=RulesName(id=issued.rulebook, version=issued.version),
            version=issued.number,
            steps=issued.steps,
            digest=issued.digest,
            by=issued.by,
            at=issued.at,
        )


class Note(Shape):
    """How a silent, damaged or contradictory clause is read."""

    zh: str
    en: str
    clause: str | None = None


class Derivation(Shape):
    """Every step with value, unit, formula, clause, limits, what it reads, and the entries behind
    it.
    """

    model_config = example(
        manager="M0007",
        name="赵晓岚",
        period="2026-10",
        branch="B01",
        team="T1",
        rulebook=RULES | {"title": BOTH, "source": BOTH},
        version=1,
        position=1042,
        digest=DIGEST,
        issued=ISSUE,
        total={"step": "pay", "value": "4200", "unit": "yuan"},
        steps=[
            {
                "step": "deduction",
                "label": {"zh": "扣减积分", "en": "Deduction"},
                "value": "800",
                "unit": "point",
                "clause": "第五条4",
                "formula": {
                    "zh": "扣减合计与扣减上限中较小者",
                    "en": "the lesser of deductions and cap",
                },
                "figures": {"zh": "900.5 与 800 中较小者", "en": "the lesser of 900.5 and 800"},
                "reads": [
                    {"name": "raw_deduction", "kind": "step", "label": BOTH, "value": "900.5"}
                ],
                "limits": [{"kind": "cap", "fired": True, "distance": "100.5", "message": BOTH}],
                "entries": [311],
                "statements": [],
            }
        ],
        changes=[
            {
                "input": "deductions.arrears_recovery",
                "label": {"zh": "集团欠费追缴", "en": "Corporate arrears recovery"},
                "unit": "point",
                "before": "370",
                "after": "300",
                "moves": [{"step": "gs_tier", "before": "3", "after": "2"}],
                "limits": [],
                "total": {"step": "pay", "before": "1635", "after": "1905"},
                "message": BOTH,
            }
        ],
        warnings=[],
        entries=[{"position": 311, "entry": SALE, "by": "crm", "at": AT, "reversed_by": None}],
        statements=[],
        reversed=[],
        notes=[],
    )
    manager: str
    name: str
    period: str
    branch: str
    team: str
    rulebook: FullRules
    version: int | None
    position: int
    digest: str
    issued: Issue | None
    provisional: bool = Field(
        default=False, description="evaluated for this answer and recorded nowhere"
    )
    in_force: InForce | None = Field(default=None, description=IN_FORCE)
    total: Total
    steps: list[DerivedStep]
    changes: list[Change]
    warnings: list[WordedWarning]
    entries: list[RecordedEntry]
    statements: list[EarlierStatement]
    reversed: list[RecordedEntry]
    notes: list[Note]
    payable: str | None = None
    payment: Payout | None = None
    withdrawn: bool = WITHDRAWN
    item_labels: dict[tuple[str, str], Both] = Field(exclude=True)  # by kind and item of entries

    @classmethod
    def of_explanation(cls, found: Explanation) -> Self:
        """The explanation, with every sentence in both languages."""
        issued, rulebook = found.issued, found.rulebook
        return cls.model_validate(
            {
                "manager": issued.manager,
                "name": found.name,
                "period": issued.period,
                "branch": issued.branch,
                "team": issued.team,
                "rulebook": {
                    "id": rulebook.id,
                    "version": rulebook.version,
                    "digest": found.rulebook_digest,
                    "title": Both.of(rulebook.title),
                    "source": Both.of(rulebook.source),
                },
                "version": None if found.provisional else issued.number,
                "position": issued.as_of,
                "digest": issued.digest,
                "issued": None if found.provisional else Issue.of(issued),
                "provisional": found.provisional,
                "total": Total.of(found.total),
                "steps": [DerivedStep.of_trace(step, {*found.statements}) for step in found.steps],
                "changes": [Change.of_change(change, rulebook) for change in found.changes],
                "warnings": [_worded(warning, rulebook) for warning in issued.warnings],
                "entries": [
                    RecordedEntry.of(found.entries[position]) for position in sorted(found.entries)
                ],
                "statements": [
                    EarlierStatement.of_issued(row) for row in found.statements.values()
                ],
                "reversed": [RecordedEntry.of(entry) for entry in found.reversed_entries],
                "notes": [note.model_dump(exclude_none=True) for note in rulebook.notes],
                "item_labels": {
                    item: Both.of(label) for item, label in rulebook.item_labels.items()
                },
                **_payment(found.payout, withdrawn=found.withdrawn),
                **_in_force(found),
            }
        )


def _in_force(found: Explanation) -> dict[str, InForce | None]:
    """The field `in_force`, of what was not issued."""
    return {"in_force": InForce.of_issued(found.in_force)} if found.provisional else {}


def _worded(warning: dict[str, str], rulebook: Rulebook) -> dict[str, str | Both]:
    message = Both.of(warning_text(warning["code"], warning["about"], rulebook))
    return {**warning, "message": message}


# Histories


class HistoryEntry(Shape):
    """An entry was recorded; `why` is its reason or its note."""

    type: Literal["entry"]
    position: int
    entry: dict[str, object]
    by: str
    at: str
    why: str | None = None


class HistoryStatement(Shape):
    """A statement version was issued; `changed` since the version before."""

    type: Literal["statement"]
    position: int
    version: int
    rulebook: RulesName
    branch: str
    as_of: int
    digest: str
    steps: dict[str, str]
    warnings: list[Warning]
    changed: list[Moved]
    by: str
    at: str
    why: str | None = None


class HistoryWithdrawal(Shape):
    """A settlement no longer contained the person: the statement of this version is withdrawn."""

    type: Literal["withdrawal"]
    position: int
    version: int
    rulebook: RulesName
    branch: str
    by: str
    at: str
    why: None = None


class HistoryPayment(Shape):
    """The person was paid with the closing of a month; `version` is that of the statement."""

    type: Literal["payment"]
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
    by: str
    at: str
    why: None = None


HistoryEvent = Annotated[
    HistoryEntry | HistoryStatement | HistoryWithdrawal | HistoryPayment,
    Field(discriminator="type"),
]


class History(Shape):
    """Statement versions, entries, withdrawals and payments of a person and period, in ledger
    order.
    """

    model_config = example(
        manager="M0007",
        period="2026-10",
        events=[
            {"position": 311, "type": "entry", "entry": SALE, "by": "crm", "at": AT, "why": None}
        ],
    )
    manager: str
    period: str
    events: list[HistoryEvent]
