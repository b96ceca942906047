"""A rulebook as the program sees it: who it is for, what it reads, its tables and its steps, all
with their clauses.
"""

from __future__ import annotations

import hashlib
import keyword
import re
import unicodedata
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from domain.numbers import parse_number
from domain.rulebook.source import BrokenRulebook, Path, Problem, Source, read
from domain.rulebook.templates import written_out

PERSON_LABELS = {
    "grade": Text("职级", "grade"),
    "role": Text("岗位", "role"),
    "team": Text("班组", "team"),
}


def _number(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else parse_number(value)


def _flag(value: object) -> object:
    return (
        {"true": True, "false": False, "yes": True, "no": False}.get(value, value)
        if isinstance(value, str)
        else value
    )


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _month(value: object) -> Month:
    return Month.parse(str(value)) if not isinstance(value, Month) else value


def _spelling(name: str) -> str:
    # Expressions are read with Python's grammar, which takes ａ for a; names keep to the 65,536
    # first characters, so that every way of sorting them gives the same order.
    plain = unicodedata.normalize("NFKC", name)
    if plain != name or max(name) > "\uffff":
        raise BadIdentifier(
            Text(f"名称 {name} 请写成 {plain}", f"write the name {name} as {plain}")
        )
    if any(keyword.iskeyword(part) for part in name.split(".")):
        raise BadIdentifier(
            Text(
                f"{name} 是表达式的保留词，请换一个名称",
                f"{name} is a word of the expressions: choose another name",
            )
        )
    return name


def _bound(value: object) -> object:
    is_name = isinstance(value, str) and re.match(r"[^\W\d]", value)
    return value if is_name or isinstance(value, Decimal) else parse_number(value)


def _row_or_figure(value: object) -> str:
    return "row" if isinstance(value, dict) else "figure"


Figure = Annotated[Decimal, BeforeValidator(_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]
RuleName = Annotated[
    str, StringConstraints(pattern=r"^[^\W\d]\w*$", max_length=80), AfterValidator(_spelling)
]
StepName = Annotated[
    str,
    StringConstraints(pattern=r"^[^\W\d]\w*(\.\w+)*$", max_length=80),
    AfterValidator(_spelling),
]
Bound = Annotated[
    Decimal | StepName, BeforeValidator(_bound)
]  # a figure, or where it stands: a table, an input
Code = Annotated[str, StringConstraints(pattern=f"^{ID}$")]
CodePattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._<>{}-]{1,80}$")]
Words = Annotated[str, StringConstraints(min_length=1)]
Row = Annotated[
    Annotated[Figure, Tag("figure")] | Annotated[dict[RuleName, Figure], Tag("row")],
    Discriminator(_row_or_figure),
]


if TYPE_CHECKING:
    Read = str
else:
    Read = Literal[(*READABLE, "attribute", "statement")]
RaterLevel = Literal["leader", "peer", "subordinate", "self", "customer", "company"]


class Part(BaseModel):
    """Any part of a rulebook: unknown keys are mistakes, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Part):
    """A name in the two languages."""

    zh: Words
    en: Words

    @property
    def text(self) -> Text:
        """The name as a text of the service."""
        return Text(self.zh, self.en)


class Note(Part):
    """读法: how a silent, damaged or contradictory clause is read, so that an auditor sees it."""

    zh: str
    en: str
    clause: str | None = None


class Parameter(Part):
    """A figure that a clause sets: a cap, a bar, a rate."""

    label: Label
    unit: str
    clause: Words
    value: Figure


class Table(Part):
    """Rows of a clause's table: by exact key, or, with `match: from`, by the greatest key not above
    the value.
    """

    label: Label
    clause: Words
    unit: str | None = None  # of the one column, where there is only one
    columns: dict[RuleName, str] = Field(
        default_factory=dict
    )  # name → unit, where there are several
    match: Literal["exact", "from"] = "exact"
    rows: dict[Annotated[str, StringConstraints(max_length=80)], Row]

    def column(self, name: str) -> dict[str, Decimal]:
        """The rows' figures of a column ("" where there is only one); a flag that a row does not
        have is 0.
        """
        return {
            k: row.get(name, Decimal(0)) if isinstance(row, dict) else row
            for k, row in self.rows.items()
        }


class Input(Part):
    """What a rulebook reads of a person's entries, and what counts when there is none."""

    label: Label
    unit: str
    clause: str | None = None
    read: Read
    take: (
        Literal["sum", "count", "amount", "mean", "latest", "points", "yuan", "text", "date"] | None
    ) = None
    of: Literal["manager", "team", "branch", "manager_or_branch"] = "manager"  # whose measure
    item: CodePattern | None = (
        None  # where it is not the input's name; {item} in a group, <attribute> for a value
    )
    items: dict[Code, Label] | None = None  # a group: `name.item` is one of them
    level: Literal[RaterLevel, "{item}"] | None = None  # of raters
    one_of: Annotated[tuple[str, ...], Field(min_length=1)] | None = (
        None  # the words that an attribute may be
    )
    but_not: tuple[Code, ...] = ()  # adjustments of these items are read elsewhere
    unless: str | None = None  # entries whose attribute of this name is true do not count
    missing: Literal["refuse", "warn", "absent"] | None = None
    default: str | None = None
    low: Bound | None = None
    high: Bound | None = None
    above: Bound | None = None  # refuses at or below
    rulebook: str | None = None
    step: str | None = None

    @property
    def kind(self) -> FactKind | None:
        """The kind of the entries that it reads; None where it reads an attribute or a statement."""
        return READABLE.get(self.read)

    def item_code(self, name: str, item: str | None) -> str:
        """The entries' item code for this input, or for one item of its group."""
        return (self.item or (name if item is None else "{item}")).replace("{item}", item or "")


class Step(Part):
    """One figure of the statement: label, unit, clause and the expression that gives it."""

    step: StepName
    label: Label
    unit: str
    clause: Words
    value: str
    optional: Flag = False  # a person may be without it


class Example(Part):
    """A case worked by hand: what these people's inputs are, and what they must get."""

    name: str
    clause: str | None = None
    given: dict[str, Any] = Field(default_factory=dict)  # for everyone
    people: dict[str, dict[str, Any]]
    expect: dict[str, dict[str, str]] = Field(default_factory=dict)
    refused: dict[str, str] = Field(default_factory=dict)  # person → code of the finding
    warned: dict[str, str] = Field(default_factory=dict)  # person → code of a warning


class Rulebook(Part):
    """管理办法: one version of a pay scheme."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    version: Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    title: Label
    source: Label
    period: Literal["month", "quarter", "half", "year"]
    effective_from: Annotated[Month, BeforeValidator(_month)]
    roles: Annotated[
        tuple[Code, ...], BeforeValidator(_listed), Field(min_length=1)
    ]  # `everyone`, or whom it is for
    only: dict[
        RuleName, Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
    ] = Field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    parameters: dict[RuleName, Parameter] = Field(default_factory=dict)
    tables: dict[RuleName, Table] = Field(default_factory=dict)
    inputs: dict[RuleName, Input] = Field(default_factory=dict)
    warnings: dict[RuleName, Label] = Field(
        default_factory=dict
    )  # that its expressions give, and what they say
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    examples: tuple[Example, ...] = ()

    @property
    def is_for_everyone(self) -> bool:
        """Whether its population is all of the branch."""
        return self.roles == ("everyone",)

    def is_for(self, attribute: str, word: str | None) -> bool:
        """Whether people with this attribute are of its population; `only` shuts out who is said to
        be another.
        """
        return word is None or word in self.only.get(attribute, (word,))

    @cached_property
    def pays(self) -> bool:
        """Whether it ends in pay."""
        return any(step.step == "pay" for step in self.steps)

    @property
    def items(self) -> set[tuple[str, str]]:
        """Every (kind of entry, item code or prefix ending in `*`) that it reads."""
        return {
            (given.read, re.sub(r"<\w+>.*", "*", given.item_code(name, item)))
            for name, given in self.inputs.items()
            if given.read not in {"attribute", "statement"}
            for item in (given.items or [None])
        }

    @cached_property
    def labels(self) -> dict[str, Text]:
        """What people call everything that has a name: steps and groups of them, inputs and their
        items, tables, …
        """
        found = dict(PERSON_LABELS)
        for named in (self.parameters, self.inputs, self.tables):
            found |= {name: part.label.text for name, part in named.items()}
        for name, given in self.inputs.items():
            found |= {f"{name}.{item}": label.text for item, label in (given.items or {}).items()}
        for name, table in self.tables.items():
            found |= {f"{name}.{column}": table.label.text for column in table.columns}
        for step in self.steps:
            # A group of steps is called by what its members' labels share, up to the colon.
            prefix = step.step.rpartition(".")[0]
            if prefix:
                found.setdefault(
                    prefix, Text(re.split("[：:]", step.label.zh)[0], step.label.en.split(":")[0])
                )
            found[step.step] = step.label.text
        return found

    def find_input(self, name: str) -> tuple[Input, str | None] | None:
        """The input of this name, or the group that it is an item of, and the item; None where
        there is neither.
        """
        if given := self.inputs.get(name):
            return given, None
        group, _, item = name.partition(".")
        given = self.inputs.get(group)
        return (given, item) if given and item in (given.items or {}) else None

    @cached_property
    def item_labels(self) -> dict[tuple[str, str], Text]:
        """What people call the items of entries: by kind of entry and item code."""
        return {
            (given.read, given.item_code(name, item)): self.label_of(
                name if item is None else f"{name}.{item}"
            )
            for name, given in self.inputs.items()
            for item in (given.items or [None])
        }

    def label_of(self, name: str) -> Text:
        """What people call it; its own name where the rulebook does not say."""
        return self.labels.get(name, Text(name, name))


def digest_of(text: str) -> str:
    """SHA-256 of a rulebook's text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def load(text: str, file: str = "rulebook") -> tuple[Rulebook, Source]:
    """The rulebook that a text is, with the places of its parts. Raises BrokenRulebook with every
    mistake of shape.
    """
    source = read(text, file)
    expanded = written_out(source, file)
    try:
        return Rulebook.model_validate(expanded), source
    except ValidationError as error:
        # A list of which a part is broken counts as too short as well.
        mistakes = [e for e in error.errors() if not (e["type"] == "too_short" and e["input"])]
        raise BrokenRulebook([_problem(e, source) for e in mistakes], file) from None


WORDS = {  # pydantic's kinds of mistakes, in words
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
        "{name} 不能这样写：{given}", "{name} cannot be written so: {given}"
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
    path: Path = ()
    for part in error["loc"]:  # it also names the branches of unions, which are no part of the text
        if source.written((*path, part)) in source.values:
            path = (*path, part)
    is_key = error["type"] == "extra_forbidden" or error["loc"][-1] == "[key]"
    place = source.key_place(path) if is_key else source.place(path)
    if error["type"] == "value_error":
        return Problem(
            place, getattr(error["ctx"]["error"], "text", Text(error["msg"], error["msg"]))
        )
    words = WORDS.get(error["type"], Text("{name} 不合要求：{message}", "{name}: {message}"))
    name = error["loc"][-1] if error["type"] == "missing" else next((p for p in reversed(path)), "")
    fields = {
        "name": name,
        "given": error["input"],
        "message": error["msg"],
        **error.get("ctx", {}),
    }
    return Problem(place, Text(words.zh.format(**fields), words.en.format(**fields)))
