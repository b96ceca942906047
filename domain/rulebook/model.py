"""A rulebook as the program sees it: who it is for, what it reads, its tables and its steps, all with their clauses."""

from __future__ import annotations

import hashlib
import keyword
import re
import unicodedata
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

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
from domain.identifiers import BadIdentifier, Month
from domain.numbers import parse_number
from domain.rulebook.source import BrokenRulebook, Path, Problem, Source, read

PLACEHOLDER = re.compile(r"\{(\w+)\}")
PERSON_LABELS = {"grade": Text("职级", "grade"), "role": Text("岗位", "role"), "team": Text("班组", "team")}


def _number(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else parse_number(value)


def _flag(value: object) -> object:
    return (
        {"true": True, "false": False, "yes": True, "no": False}.get(value, value) if isinstance(value, str) else value
    )


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _month(value: object) -> Month:
    return Month.parse(str(value)) if not isinstance(value, Month) else value


def _spelling(name: str) -> str:
    # Expressions are read with Python's grammar, which takes ａ for a; names keep to the 65,536 first characters, so
    # that every way of sorting them gives the same order.
    plain = unicodedata.normalize("NFKC", name)
    if plain != name or max(name) > "\uffff":
        raise BadIdentifier(Text(f"名称 {name} 请写成 {plain}", f"write the name {name} as {plain}"))
    if any(keyword.iskeyword(part) for part in name.split(".")):
        raise BadIdentifier(
            Text(
                f"{name} 是表达式的保留词，请换一个名称",
                f"{name} is a word of the expressions: choose another name",
            )
        )
    return name


def _row_or_figure(value: object) -> str:
    return "row" if isinstance(value, dict) else "figure"


Figure = Annotated[Decimal, BeforeValidator(_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]
RuleName = Annotated[str, StringConstraints(pattern=r"^[^\W\d]\w*$", max_length=80), AfterValidator(_spelling)]
StepName = Annotated[str, StringConstraints(pattern=r"^[^\W\d]\w*(\.\w+)*$", max_length=80), AfterValidator(_spelling)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
CodePattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._<>{}-]{1,80}$")]
Words = Annotated[str, StringConstraints(min_length=1)]
Row = Annotated[
    Annotated[Figure, Tag("figure")] | Annotated[dict[RuleName, Figure], Tag("row")], Discriminator(_row_or_figure)
]


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
    """Rows of a clause's table: by exact key, or, with `match: from`, by the greatest key not above the value."""

    label: Label
    clause: Words
    unit: str | None = None  # of the one column, where there is only one
    columns: dict[RuleName, str] = Field(default_factory=dict)  # name → unit, where there are several
    match: Literal["exact", "from"] = "exact"
    rows: dict[str, Row]

    def column(self, name: str) -> dict[str, Decimal]:
        """The rows' figures of a column ("" where there is only one); a flag that a row does not have is 0."""
        return {k: row.get(name, Decimal(0)) if isinstance(row, dict) else row for k, row in self.rows.items()}


class Input(Part):
    """What a rulebook reads of a person's entries, and what counts when there is none."""

    label: Label
    unit: str
    clause: str | None = None
    read: Literal["deduction", "sale", "rating", "adjustment", "measure", "attribute", "statement"]
    take: Literal["sum", "count", "amount", "mean", "latest", "points", "yuan", "text", "date"] | None = None
    of: Literal["manager", "team", "branch", "manager_or_branch"] = "manager"  # whose measure
    item: CodePattern | None = None  # where it is not the input's name; {item} in a group, <attribute> for a value
    items: dict[Code, Label] | None = None  # a group: `name.item` is one of them
    level: Literal["leader", "peer", "subordinate", "self", "customer", "company"] | None = None  # only these raters'
    but_not: tuple[Code, ...] = ()  # adjustments of these items are read elsewhere
    unless: str | None = None  # entries whose attribute of this name is true do not count
    missing: Literal["refuse", "warn", "absent"] | None = None
    default: str | None = None
    low: Figure | None = None
    high: Figure | None = None
    above: Figure | None = None  # refuses at or below
    rulebook: str | None = None
    step: str | None = None

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
    roles: Annotated[tuple[Code, ...], BeforeValidator(_listed), Field(min_length=1)]  # `everyone`, or whom it is for
    notes: tuple[Note, ...] = ()
    parameters: dict[RuleName, Parameter] = Field(default_factory=dict)
    tables: dict[RuleName, Table] = Field(default_factory=dict)
    inputs: dict[RuleName, Input] = Field(default_factory=dict)
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    examples: tuple[Example, ...] = ()

    @property
    def is_for_everyone(self) -> bool:
        """Whether its population is all of the branch."""
        return self.roles == ("everyone",)

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
        """What people call everything that has a name: steps and groups of them, inputs and their items, tables, …"""
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
                found.setdefault(prefix, Text(re.split("[：:]", step.label.zh)[0], step.label.en.split(":")[0]))
            found[step.step] = step.label.text
        return found

    def find_input(self, name: str) -> tuple[Input, str | None] | None:
        """The input of this name, or the group that it is an item of, and the item; None where there is neither."""
        if given := self.inputs.get(name):
            return given, None
        group, _, item = name.partition(".")
        given = self.inputs.get(group)
        return (given, item) if given and item in (given.items or {}) else None

    @cached_property
    def item_labels(self) -> dict[tuple[str, str], Text]:
        """What people call the items of entries: by kind of entry and item code."""
        return {
            (given.read, given.item_code(name, item)): self.label_of(name if item is None else f"{name}.{item}")
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
    """The rulebook that a text is, with the places of its parts. Raises BrokenRulebook with every mistake of shape.

    Steps with `each` are written out, one for each value: `{k}` stands for it in name, label and expression.
    """
    source = read(text, file)
    assert isinstance(source.tree, dict)
    expanded = _expand(source, file)
    try:
        return Rulebook.model_validate(expanded), source
    except ValidationError as error:
        # A list of which a part is broken counts as too short as well.
        mistakes = [e for e in error.errors() if not (e["type"] == "too_short" and e["input"])]
        raise BrokenRulebook([_problem(e, source) for e in mistakes], file) from None


def _expand(source: Source, file: str) -> dict[str, Any]:
    assert isinstance(source.tree, dict)
    tree: dict[str, Any] = dict(source.tree)
    steps = tree.get("steps")
    if not isinstance(steps, list):
        return tree
    written: list[Any] = []
    origins: list[Path] = []
    for index, step in enumerate(steps):
        if not (isinstance(step, dict) and "each" in step):
            written.append(step)
            origins.append(("steps", index))
            continue
        each = step["each"]
        if not (
            isinstance(each, dict) and len(each) == 1 and all(isinstance(v, dict | list) and v for v in each.values())
        ):
            text = Text(
                "each 写成 {k: [值, …]} 或 {k: {值: {zh: …, en: …}}}",
                "write each: {k: [values]} or {k: {value: {zh: …, en: …}}}",
            )
            raise BrokenRulebook([Problem(source.place(("steps", index, "each")), text)], file)
        (variable, values), rest = next(iter(each.items())), {k: v for k, v in step.items() if k != "each"}
        for value in values:
            label = values[value] if isinstance(values, dict) else {"zh": value, "en": value}
            written.append(_filled(rest, variable, str(value), label))
            origins.append(("steps", index))
    _move_places(source, origins)
    return tree | {"steps": written}


def _filled(tree: Any, variable: str, value: str, label: Any, key: str = "") -> Any:
    """The tree with {variable} replaced: by the value, and inside labels by its name in the label's language."""
    if isinstance(tree, dict):
        return {k: _filled(v, variable, value, label, k) for k, v in tree.items()}
    if isinstance(tree, list):
        return [_filled(v, variable, value, label) for v in tree]
    shown = label.get(key, value) if isinstance(label, dict) and key in {"zh", "en"} else value
    return tree.replace(f"{{{variable}}}", shown)


def _move_places(source: Source, origins: list[Path]) -> None:
    """Lets every written-out step point to where it was written."""
    for places in (source.values, source.keys):
        old = {path: place for path, place in places.items() if path[:1] == ("steps",) and len(path) > 1}
        for path in old:
            del places[path]
        by_step: dict[int | str, list[Path]] = {}
        for path in old:
            by_step.setdefault(path[1], []).append(path)
        for new, origin in enumerate(origins):
            for path in by_step[origin[1]]:
                places[("steps", new, *path[2:])] = old[path]
    source.folded = {p for p in source.folded if p[:1] != ("steps",)} | {
        ("steps", new, *p[2:]) for new, o in enumerate(origins) for p in source.folded if p[:2] == o
    }


WORDS = {  # pydantic's kinds of mistakes, in words
    "missing": Text("缺少 {name}，请补上", "{name} is missing: add it"),
    "extra_forbidden": Text("没有 {name} 这个键，请删去或改正", "there is no key {name}: correct or remove it"),
    "literal_error": Text("{name} 只能是 {expected}", "{name} must be {expected}"),
    "too_short": Text("{name} 不能为空", "{name} must not be empty"),
    "string_too_short": Text("{name} 不能为空", "{name} must not be empty"),
    "string_too_long": Text("{name} 超过 {max_length} 个字符", "{name} is longer than {max_length} characters"),
    "string_pattern_mismatch": Text("{name} 不能这样写：{given}", "{name} cannot be written so: {given}"),
    "model_type": Text(
        "{name} 应是键值结构，例如 {{zh: …, en: …}}", "{name} must be keys with values, like {{zh: …, en: …}}"
    ),
    "dict_type": Text("{name} 应是键值结构", "{name} must be keys with values"),
    "tuple_type": Text("{name} 应是列表", "{name} must be a list"),
    "string_type": Text("{name} 应是文字", "{name} must be a text"),
    "bool_parsing": Text("{name} 只能是 true 或 false", "{name} must be true or false"),
}


def _problem(error: Any, source: Source) -> Problem:
    path: Path = ()
    for part in error["loc"]:  # it also names the branches of unions, which are no part of the text
        if (*path, part) in source.values:
            path = (*path, part)
    is_key = error["type"] == "extra_forbidden" or error["loc"][-1] == "[key]"
    place = source.keys.get(path, source.place(path)) if is_key else source.place(path)
    if error["type"] == "value_error":
        return Problem(place, getattr(error["ctx"]["error"], "text", Text(error["msg"], error["msg"])))
    words = WORDS.get(error["type"], Text("{name} 不合要求：{message}", "{name}: {message}"))
    name = error["loc"][-1] if error["type"] == "missing" else next((p for p in reversed(path)), "")
    fields = {"name": name, "given": error["input"], "message": error["msg"], **error.get("ctx", {})}
    return Problem(place, Text(words.zh.format(**fields), words.en.format(**fields)))
