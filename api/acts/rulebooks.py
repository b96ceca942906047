"""管理办法: rulebooks are checked, compared, published and shown; branches choose what they pay
by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from api.acts.access import check
from api.acts.versions import StaleState, Versioned
from api.documents.parts.base import Both, Rules, Written
from api.documents.rulebooks import (
    BranchRulebooks,
    Checked,
    Choice,
    FieldChange,
    Impact,
    Published,
    PublishedBy,
    RulebookChange,
    RulebookChanges,
    RulebookInput,
    RulebookItem,
    RulebookLine,
    RulebookNote,
    RulebookParameter,
    Rulebooks,
    RulebookStep,
    RulebookText,
)
from domain.errors import Invalid, Reason, Text, VersionClash
from domain.evaluation.programs import program_of, publishable_program
from domain.identifiers import Month
from domain.rights import Place
from domain.rulebook.differences import find_changes

if TYPE_CHECKING:
    from api.documents.rulebooks import ChangeWord, SetRulebooks
    from domain.processes import rulebook_history as history
    from domain.rulebook import differences
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Input
    from projections.records.accounts.accounts import Caller
    from projections.service import Service

MAX_CHOICES = 1000  # of a branch, that are shown


class RulebookVersion(NamedTuple):
    """The id and version that a text must have."""

    id: str
    version: str


class OtherRulebook(Invalid):
    """A text that is not the version as which it is sent."""

    def __init__(self, text: RulebookVersion, wanted: RulebookVersion) -> None:
        words = Text(
            f"正文是 {text.id} {text.version}，地址是 {wanted.id} {wanted.version}；请改为一致",
            f"the text is {text.id} {text.version} and the address {wanted.id} {wanted.version}: "
            "make them the same",
        )
        super().__init__([Reason("bad_value", "version", words)])


class RulebookPage(NamedTuple):
    """Published versions, and the position after which the next page begins."""

    document: Rulebooks
    following: int | None


def check_rulebook(text: str, file: str) -> Checked:
    """Checks a text and runs its examples. It needs no ledger: everybody who has a seat may.

    Raises BrokenRulebook with the line and column of every mistake.
    """
    program = publishable_program(text, file)
    rules = program.rulebook
    return Checked(
        ok=True,
        problems=[],
        id=rules.id,
        version=rules.version,
        digest=program.digest,
        steps=len(rules.steps),
        examples=len(rules.examples),
    )


def publish_rulebook(
    service: Service,
    who: Caller,
    text: str,
    *,
    file: str = "rulebook",
    effective_from: Month | None = None,
    dry_run: bool = False,
    only: RulebookVersion | None = None,
) -> Written[Published]:
    """Publishes a text whose examples hold, never changed afterwards, and says what it does to pay.

    `only`: the version that the text must be.
    """
    check(who, "publish_rulebooks")
    if only is not None:
        rules = program_of(text, file).rulebook
        named = RulebookVersion(rules.id, rules.version)
        if named != only:
            raise OtherRulebook(named, only)
    done = service.publish(
        text, file=file, by=who.name, effective_from=effective_from, dry_run=dry_run
    )
    document = Published(
        **_rules(done.program).model_dump(),
        effective_from=str(done.effective_from),
        position=done.position,
        new=done.new,
        impact=Impact.model_validate(done.impact.recorded()) if done.impact else None,
    )
    return Written(document, done.position)


def list_rulebooks(
    service: Service, who: Caller, *, after: int = 0, limit: int | None = None
) -> RulebookPage:
    """The versions published after a position, in the order of publication."""
    check(who, "read_rulebooks", None)
    rows = [row for row in service.rulebooks.all() if row.position > after]
    shown = rows if limit is None else rows[:limit]
    following = shown[-1].position if len(shown) < len(rows) else None
    return RulebookPage(Rulebooks(rulebooks=[_line(row) for row in shown], next=None), following)


def show_rulebook(
    service: Service, who: Caller, rulebook: str, version: str | None = None
) -> RulebookText:
    """The text as it was published, byte for byte, and what it says; without a version, of the last
    published.
    """
    check(who, "read_rulebooks", None)
    row = service.rulebooks.version(rulebook, version)
    rules = program_of(row.text).rulebook
    return RulebookText(
        **dict(_line(row)),
        cycle=rules.cycle.days,
        parameters=[
            RulebookParameter(
                name=name,
                label=Both.of(parameter.label),
                value=str(parameter.value),
                unit=parameter.unit,
                clause=parameter.clause,
            )
            for name, parameter in rules.parameters.items()
        ],
        inputs=[
            RulebookInput(
                name=name,
                label=Both.of(given.label),
                read=given.read,
                clause=given.clause,
                items=[_item(name, given, item) for item in given.items or {}],
            )
            for name, given in rules.inputs.items()
        ],
        steps=[RulebookStep.of(step) for step in rules.steps],
        notes=[RulebookNote.of(note) for note in rules.notes],
        text=row.text,
    )


def _item(name: str, given: Input, item: str) -> RulebookItem:
    label = (given.items or {})[item]
    return RulebookItem(
        item=given.item_code(name, item),
        label=Both.of(label),
        help=Both.of(label.help) if label.help else None,
    )


def find_rulebook(
    service: Service, who: Caller, rulebook: str, version: str | None = None
) -> Program:
    """A published version to compare; without a version, the last published."""
    check(who, "read_rulebooks", None)
    return service.rulebooks.find(rulebook, version)


def compare_rulebooks(old: Program, new: Program) -> RulebookChanges:
    """What one version changes of another: parameters, tables, inputs, steps, notes, examples, with
    their clauses.
    """
    changes = find_changes(old.rulebook, new.rulebook)
    return RulebookChanges(
        **{"from": _rules(old)}, to=_rules(new), changes=[_change(change) for change in changes]
    )


def show_branch_rulebooks(
    service: Service,
    who: Caller,
    branch: str,
    month: Month | None = None,
    as_of: str | None = None,
) -> Versioned[BranchRulebooks]:
    """What a branch pays by in a month (this one, where none is named), and every choice that was
    made: the last 1000.
    """
    check(who, "read_rulebooks", None)
    return _branch_rulebooks(service, branch, month, service.position_as_of(as_of))


def set_branch_rulebooks(
    service: Service,
    who: Caller,
    branch: str,
    asked: SetRulebooks,
    *,
    version_read: str | None = None,
) -> Versioned[BranchRulebooks]:
    """From a month on the branch pays by these rulebooks; their populations must not share a role.

    `version_read`: one of the versions that an If-Match has; StaleState where it is none.
    """
    check(who, "set_branch_rulebooks", Place(branch))
    made = len(service.rulebooks.choices(branch))
    if version_read is not None:
        tags = {tag.strip() for tag in version_read.split(",")}
        if tags.isdisjoint({"*", f'"{made}"'}):
            raise StaleState
    month = Month.parse(asked.from_)
    try:
        position = service.rulebooks.pay_by(branch, asked.rulebooks, month, by=who.name, after=made)
    except VersionClash:
        raise StaleState from None
    return _branch_rulebooks(service, branch, month, position=position)


def _branch_rulebooks(
    service: Service,
    branch: str,
    month: Month | None,
    as_of: int | None = None,
    position: int | None = None,
) -> Versioned[BranchRulebooks]:
    """The version is the number of choices: none is ever taken back."""
    if month is None:
        month = service.calendar.month()
    choices = service.rulebooks.choices(branch, as_of)
    document = BranchRulebooks(
        branch=branch,
        month=str(month),
        rulebooks=list(service.rulebooks.pays_by(branch, month, as_of)),
        choices=[
            Choice(
                from_=str(choice.effective_from),
                rulebooks=list(choice.rulebooks),
                position=choice.position,
                by=choice.by,
                at=choice.at,
            )
            for choice in choices[-MAX_CHOICES:]
        ],
    )
    if position is not None:
        document.position = position
    return Versioned(document, len(choices), position)


def _rules(program: Program) -> Rules:
    rules = program.rulebook
    return Rules(id=rules.id, version=rules.version, digest=program.digest)


def _line(row: history.Published) -> RulebookLine:
    rules = program_of(row.text).rulebook
    return RulebookLine(
        id=row.rulebook,
        version=row.version,
        title=Both.of(rules.title),
        source=Both.of(rules.source),
        period=rules.period,
        effective_from=str(row.effective_from),
        roles=list(rules.roles),
        digest=row.digest,
        position=row.position,
        by=row.by,
        at=row.at,
        published=PublishedBy(by=row.by, at=row.at, position=row.position),
    )


def _change(change: differences.RulebookChange) -> RulebookChange:
    return RulebookChange(
        part=change.part,
        name=change.name,
        change=cast("ChangeWord", change.change),
        label=Both.of(change.label),
        clause=change.clause,
        fields=[
            FieldChange(field=field, before=before, after=after)
            for field, before, after in change.fields
        ],
    )
