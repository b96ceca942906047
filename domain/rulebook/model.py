"""A rulebook's parts as typed models: whom it is for, what it reads, its tables and its steps."""

from __future__ import annotations

import hashlib
import keyword
import re
import unicodedata
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
)

from domain.errors import Text
from domain.fact_kinds import READABLE, FactKind
from domain.identifiers import ID, BadIdentifier, Month
from domain.numbers import BadNumber, parse_number
from domain.rulebook.source import BrokenRulebook, Path, Problem, Source, read
from domain.rulebook.templates import expand_templates

PERSON_LABELS = {
    "grade": Text("职级", "grade"),
    "role": Text("岗位", "role"),
    "team": Text("班组", "team"),
}


def _parse_figure(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else parse_number(value)


def _parse_flag(value: object) -> object:
    if not isinstance(value, str):
        return value
    return {"true": True, "false": False, "yes": True, "no": False}.get(value, value)


def _wrap_in_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _parse_month(value: object) -> Month:
    return value if isinstance(value, Month) else Month.parse(str(value))


def _check_name(name: str) -> str:
    # Expressions are read with Python's grammar, which takes ａ for a. Names stay within the first
    # 65,536 characters, where sorting by character and by UTF-16 unit (RFC 8785) is the same.
    plain = unicodedata.normalize("NFKC", name)
    if plain != name or max(name) > "\uffff":
        raise BadIdentifier(
            Text(f"名称 {name} 请写成 {plain}", f"write the name {name} as {plain}")
        )
    if any(keyword.iskeyword(part) for part in name.split(".")):
        raise BadIdentifier(
            Text(
                f"{name} 是表达式的保留词，请换一个名称",
                f"{name} is reserved in expressions: choose another name",
            )
        )
    return name


def _parse_bound(value: object) -> object:
    is_name = isinstance(value, str) and re.match(r"[^\W\d]", value)
    return value if is_name or isinstance(value, Decimal) else parse_number(value)


def _parse_whole(value: object, most: int, what: Text) -> int:
    number = parse_number(value)
    if number != number.to_integral_value() or not 1 <= number <= most:
        raise BadNumber(
            "not_whole",
            Text(
                f"{what.zh}须是 1 至 {most} 之间的整数，不能是 {value}",
                f"{what.en} must be a whole number from 1 to {most}, not {value}",
            ),
        )
    return int(number)


def _parse_day(value: object) -> int:
    return _parse_whole(
        value, 28, Text("日期（每个月都有的一天）", "a day, which every month has,")
    )


def _parse_window(value: object) -> int:
    return _parse_whole(value, 365, Text("天数", "a number of days"))


def _row_or_figure(value: object) -> str:
    return "row" if isinstance(value, dict) else "figure"


Figure = Annotated[Decimal, BeforeValidator(_parse_figure)]
Flag = Annotated[bool, BeforeValidator(_parse_flag)]
RuleName = Annotated[
    str, StringConstraints(pattern=r"^[^\W\d]\w*$", max_length=80), AfterValidator(_check_name)
]
StepName = Annotated[
    str,
    StringConstraints(pattern=r"^[^\W\d]\w*(\.\w+)*$", max_length=80),
    AfterValidator(_check_name),
]
# A figure, or the name of the table or input that has it.
Bound = Annotated[Decimal | StepName, BeforeValidator(_parse_bound)]
Code = Annotated[str, StringConstraints(pattern=f"^{ID}$")]
CodePattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._<>{}-]{1,80}$")]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
OneOrMore = Annotated[tuple[str, ...], BeforeValidator(_wrap_in_list), Field(min_length=1)]
Row = Annotated[
    Annotated[Figure, Tag("figure")] | Annotated[dict[RuleName, Figure], Tag("row")],
    Discriminator(_row_or_figure),
]
Day = Annotated[int, BeforeValidator(_parse_day)]  # of the month after the period
Window = Annotated[int, BeforeValidator(_parse_window)]  # days from publication
RowKey = Annotated[str, StringConstraints(max_length=80)]

if TYPE_CHECKING:
    Read = str
else:
    Read = Literal[(*READABLE, "attribute", "statement")]
RaterLevel = Literal["leader", "peer", "subordinate", "self", "customer", "company"]
Outcome = Literal["promotion", "exit"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
TakeWord = Literal["sum", "count", "amount", "mean", "latest", "points", "yuan", "text", "date"]


class Part(BaseModel):
    """Any part of a rulebook: unknown keys are mistakes, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Label(Part):
    """A name in the two languages."""

    zh: NonEmpty
    en: NonEmpty

    @property
    def text(self) -> Text:
        return Text(self.zh, self.en)


class Item(Label):
    """The name of an item, and what whoever records it should look at."""

    help: Label | None = None


class Note(Part):
    """读法: how a silent, damaged or contradictory clause is read, so that an auditor sees it."""

    zh: str
    en: str
    clause: str | None = None


class Parameter(Part):
    """A figure that a clause sets: a cap, a bar, a rate."""

    label: Label
    unit: str
    clause: NonEmpty
    value: Figure


class Table(Part):
    """Rows of a clause's table.

    A row is found by its exact key or, with `match: from`, by the greatest key not above the value.
    """

    label: Label
    clause: NonEmpty
    unit: str | None = None  # of the only column; a table has a unit or columns
    columns: dict[RuleName, str] = Field(default_factory=dict)  # name → unit
    match: Literal["exact", "from"] = "exact"
    rows: dict[RowKey, Row]

    def column(self, name: str) -> dict[str, Decimal]:
        """The figures of a column by row key; `name` is "" where there is only one column.

        A flag that a row leaves out is 0.
        """
        return {
            key: row.get(name, Decimal(0)) if isinstance(row, dict) else row
            for key, row in self.rows.items()
        }


class Input(Part):
    """What a rulebook reads of a person's entries, and what counts when there is none."""

    label: Label
    unit: str
    clause: str | None = None
    read: Read
    take: TakeWord | None = None
    of: Literal["manager", "team", "branch", "manager_or_branch"] = "manager"  # whose measure
    # The entries' item code, if it is not the input's name. `{item}` in it is the item of a group,
    # `<attribute>` the person's own attribute.
    item: CodePattern | None = None
    items: dict[Code, Item] | None = None  # a group: `name.item` is one of them
    level: Literal[RaterLevel, "{item}"] | None = None  # of the raters whose ratings count
    one_of: Annotated[tuple[str, ...], Field(min_length=1)] | None = None  # an attribute's words
    but_not: tuple[Code, ...] = ()  # items of adjustments that other inputs read
    unless: str | None = None  # entries whose attribute of this name is true do not count
    missing: Literal["refuse", "warn", "absent"] | None = None
    default: str | None = None
    low: Bound | None = None
    high: Bound | None = None
    above: Bound | None = None  # refuses at or below
    rulebook: str | None = None  # whose statements are read
    step: str | None = None  # which of their steps

    @property
    def kind(self) -> FactKind | None:
        """The kind of entry that it reads; None where it reads an attribute or a statement."""
        return READABLE.get(self.read)

    def item_code(self, name: str, item: str | None) -> str:
        """The entries' item code for this input, or for one item of its group."""
        pattern = self.item or (name if item is None else "{item}")
        return pattern.replace("{item}", item or "")


class Step(Part):
    """One figure of the statement: label, unit, clause and the expression that gives it."""

    step: StepName
    label: Label
    unit: str
    clause: NonEmpty
    value: str
    optional: Flag = False  # a person may be without it
    words: dict[RowKey, Label] = Field(default_factory=dict)  # of a text: how its values are said


class Example(Part):
    """A case worked by hand: these people's inputs, and the results they must have."""

    name: str
    clause: str | None = None
    given: dict[str, Any] = Field(default_factory=dict)  # inputs of everyone
    people: dict[str, dict[str, Any]]  # person → their own inputs
    expect: dict[str, dict[str, str]] = Field(default_factory=dict)  # person → step → result
    refused: dict[str, str] = Field(default_factory=dict)  # person → code of the finding
    warned: dict[str, str] = Field(default_factory=dict)  # person → code of a warning


class CycleTerms(Part):
    """考核周期: the windows and the day of each step of the month, where they are not the usual
    ones. The steps are those of `domain/processes/branch_month.py`.
    """

    objection_days: Window | None = None
    decision_days: Window | None = None
    gs_rated: Day | None = None
    deductions_loaded: Day | None = None
    position_calculated: Day | None = None
    position_reviewed: Day | None = None
    industry_loaded: Day | None = None
    kpi_loaded: Day | None = None
    deep_loaded: Day | None = None
    total_calculated: Day | None = None
    total_reviewed: Day | None = None
    submitted: Day | None = None
    audited: Day | None = None
    reported: Day | None = None
    paid: Day | None = None

    @property
    def days(self) -> dict[str, int]:
        """What is set: windows and days by their keys."""
        return self.model_dump(exclude_none=True)


class Standing(Part):
    """晋升、淘汰: the step that decides it, and the values that do, as statements have them."""

    step: StepName
    values: OneOrMore


class Rulebook(Part):
    """管理办法: one version of a pay scheme."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    version: Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    title: Label
    source: Label
    period: Literal["month", "quarter", "half", "year"]
    effective_from: Annotated[Month, BeforeValidator(_parse_month)]
    # The roles that it is for, or `everyone`.
    roles: Annotated[tuple[Code, ...], BeforeValidator(_wrap_in_list), Field(min_length=1)]
    only: dict[RuleName, OneOrMore] = Field(default_factory=dict)  # attribute → allowed words
    notes: tuple[Note, ...] = ()
    cycle: CycleTerms = CycleTerms()
    standing: dict[Outcome, Standing] = Field(default_factory=dict)  # who is promoted, who leaves
    parameters: dict[RuleName, Parameter] = Field(default_factory=dict)
    tables: dict[RuleName, Table] = Field(default_factory=dict)
    inputs: dict[RuleName, Input] = Field(default_factory=dict)
    warnings: dict[RuleName, Label] = Field(default_factory=dict)  # own codes → their sentences
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    examples: tuple[Example, ...] = ()

    @property
    def is_for_everyone(self) -> bool:
        """Whether it is for all roles."""
        return self.roles == ("everyone",)

    def is_for(self, attribute: str, word: str | None) -> bool:
        """Whether `only` allows this word of an attribute; a missing attribute is allowed."""
        return word is None or word in self.only.get(attribute, (word,))

    @cached_property
    def pays(self) -> bool:
        """Whether it has a step `pay`."""
        return any(step.step == "pay" for step in self.steps)

    @property
    def items_read(self) -> set[tuple[str, str]]:
        """Every (kind of entry, item code) that it reads.

        Where a code ends in a person's attribute, it is the prefix with `*` at its end.
        """
        return {
            (kind, re.sub(r"<\w+>.*", "*", code))
            for kind, code in self.item_labels
            if kind not in {"attribute", "statement"}
        }

    @cached_property
    def labels(self) -> dict[str, Text]:
        """The labels by name: of parameters, inputs, tables and steps, of items and columns.

        A group of steps is called what its members' labels have before the colon.
        """
        labels = dict(PERSON_LABELS)
        for parts in (self.parameters, self.inputs, self.tables):
            labels |= {name: part.label.text for name, part in parts.items()}
        for name, spec in self.inputs.items():
            labels |= {f"{name}.{item}": label.text for item, label in (spec.items or {}).items()}
        for name, table in self.tables.items():
            labels |= {f"{name}.{column}": table.label.text for column in table.columns}
        for step in self.steps:
            zh, en = step.label.text
            if prefix := step.step.rpartition(".")[0]:
                labels.setdefault(prefix, Text(re.split("[：:]", zh)[0], en.split(":")[0]))
            labels[step.step] = step.label.text
        return labels

    def find_input(self, name: str) -> tuple[Input, str | None] | None:
        """The input that `input` or `group.item` names, and the item; None if there is none."""
        if spec := self.inputs.get(name):
            return spec, None
        group, _, item = name.partition(".")
        spec = self.inputs.get(group)
        return (spec, item) if spec and item in (spec.items or {}) else None

    def input_of(self, name: str) -> tuple[Input, str | None]:
        """The same for a name that is known to be an input's, as those that steps read are."""
        found = self.find_input(name)
        assert found is not None, name
        return found

    @cached_property
    def item_labels(self) -> dict[tuple[str, str], Text]:
        """The labels of the items that it reads, by kind of entry and item code."""
        labels: dict[tuple[str, str], Text] = {}
        for name, spec in self.inputs.items():
            for item in spec.items or [None]:
                full_name = name if item is None else f"{name}.{item}"
                labels[spec.read, spec.item_code(name, item)] = self.label_of(full_name)
        return labels

    def label_of(self, name: str) -> Text:
        """The label of what has this name; the name itself if it has no label."""
        return self.labels.get(name, Text(name, name))


def text_digest(text: str) -> str:
    """SHA-256 of a rulebook's text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def load(text: str, file: str = "rulebook") -> tuple[Rulebook, Source]:
    """The rulebook of a text, and the locations of its parts.

    Raises BrokenRulebook with every mistake in its shape.
    """
    source = read(text, file)
    expanded = expand_templates(source, file)
    try:
        return Rulebook.model_validate(expanded), source
    except ValidationError as error:
        # pydantic also reports a list with a broken part as too short.
        mistakes = [e for e in error.errors() if not (e["type"] == "too_short" and e["input"])]
        raise BrokenRulebook([_problem(e, source) for e in mistakes], file) from None


MESSAGES = {  # by pydantic's type of error
    "missing": Text("缺少 {name}，请补上", "{name} is missing: add it"),
    "extra_forbidden": Text(
        "没有 {name} 这个键，请删去或改正", "there is no key {name}: correct or remove it"
    ),
    "literal_error": Text("{name} 只能是 {expected}", "{name} must be {expected}"),
    "too_short": Text("{name} 不能为空", "{name} must not be empty"),
    "string_too_short": Text("{name} 不能为空", "{name} must not be empty"),
    "string_too_long": Text(
        "{name} 超过 {max_length} 个字符", "{name} is longer than {max_length} characters"
    ),
    "string_pattern_mismatch": Text(
        "{name} 不能这样写：{given}", "{name} cannot be written like this: {given}"
    ),
    "model_type": Text(
        "{name} 应是键值结构，例如 {{zh: …, en: …}}",
        "{name} must be keys with values, like {{zh: …, en: …}}",
    ),
    "dict_type": Text("{name} 应是键值结构", "{name} must be keys with values"),
    "tuple_type": Text("{name} 应是列表", "{name} must be a list"),
    "string_type": Text("{name} 应是文字", "{name} must be a text"),
    "bool_parsing": Text("{name} 只能是 true 或 false", "{name} must be true or false"),
}


def _problem(error: Any, source: Source) -> Problem:
    """One error of pydantic in our words, at its location."""
    path: Path = ()
    for part in error["loc"]:
        # `loc` also names the branches of unions, which are not in the text.
        if source.written_path((*path, part)) in source.values:
            path = (*path, part)
    is_key = error["type"] == "extra_forbidden" or error["loc"][-1] == "[key]"
    location = source.locate_key(path) if is_key else source.locate(path)
    if error["type"] == "value_error":
        message = Text(error["msg"], error["msg"])
        return Problem(location, getattr(error["ctx"]["error"], "text", message))
    words = MESSAGES.get(error["type"], Text("{name} 不合要求：{message}", "{name}: {message}"))
    name = error["loc"][-1] if error["type"] == "missing" else next((p for p in reversed(path)), "")
    fields = {
        "name": name,
        "given": error["input"],
        "message": error["msg"],
        **error.get("ctx", {}),
    }
    return Problem(location, Text(words.zh.format(**fields), words.en.format(**fields)))
