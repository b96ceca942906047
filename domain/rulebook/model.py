"""A rulebook as the program sees it: who it is for, what it reads, its tables and its steps, all with their clauses."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from domain.errors import Text
from domain.identifiers import Month
from domain.numbers import parse_number
from domain.rulebook.source import BrokenRulebook, Path, Problem, Source, read

NAME = r"[^\W\d]\w*(\.\w+)*"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


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


Figure = Annotated[Decimal, BeforeValidator(_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]
RuleName = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=80)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._<>{}-]{1,80}$")]


class Part(BaseModel):
    """Any part of a rulebook: unknown keys are mistakes, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Part):
    """A name in the two languages."""

    zh: str
    en: str

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
    clause: str
    value: Figure


class Table(Part):
    """Rows of a clause's table: by exact key, or, with `match: from`, by the greatest key not above the value."""

    label: Label
    clause: str
    unit: str | None = None  # of the one column, where there is only one
    columns: dict[str, str] = Field(default_factory=dict)  # name → unit, where there are several
    match: Literal["exact", "from"] = "exact"
    rows: dict[str, Figure | dict[str, Figure | str]]

    def column(self, name: str) -> dict[str, Decimal | str]:
        """The rows' values of a column ("" where there is only one)."""
        return {k: row.get(name, Decimal(0)) if isinstance(row, dict) else row for k, row in self.rows.items()}


class Input(Part):
    """What a rulebook reads of a person's entries, and what counts when there is none."""

    label: Label
    unit: str
    clause: str | None = None
    read: Literal["deduction", "sale", "rating", "adjustment", "measure", "attribute", "statement"]
    take: Literal["sum", "count", "amount", "mean", "latest", "points", "yuan", "text", "date"] | None = None
    of: Literal["manager", "team", "branch", "manager_or_branch"] = "manager"  # whose measure
    item: Code | None = (
        None  # the item's code where it is not the input's name; {item} in a group, <attribute> for a value
    )
    items: dict[Code, Label] | None = None  # a group: `name.item` is one of them
    level: str | None = None  # only ratings of this rater level
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

    step: RuleName
    label: Label
    unit: str
    clause: str
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
    roles: Annotated[tuple[str, ...], BeforeValidator(_listed)]  # `everyone`, or the roles it is for
    notes: tuple[Note, ...] = ()
    parameters: dict[RuleName, Parameter] = Field(default_factory=dict)
    tables: dict[RuleName, Table] = Field(default_factory=dict)
    inputs: dict[RuleName, Input] = Field(default_factory=dict)
    steps: tuple[Step, ...]
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

    def label_of(self, name: str) -> Text:
        """What people call a step, an input, one item of a group, a parameter or a table."""
        for step in self.steps:
            if step.step == name:
                return step.label.text
        named: dict[str, Input | Parameter | Table] = {**self.parameters, **self.tables, **self.inputs}
        if name in named:
            return named[name].label.text
        for prefix, given in self.inputs.items():
            if given.items and name.startswith(f"{prefix}."):
                return given.items[name[len(prefix) + 1 :]].text
        return Text(name, name)


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
        raise BrokenRulebook([_problem(e, source) for e in error.errors()], file) from None


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
        if not (isinstance(each, dict) and len(each) == 1 and all(isinstance(v, dict | list) for v in each.values())):
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


def _problem(error: Any, source: Source) -> Problem:
    path = tuple(
        part
        for part in error["loc"]
        if not (isinstance(part, str) and part.startswith(("function-", "dict[", "constrained")))
    )
    if path and path[-1] == "[key]":
        path = path[:-1]
    match error["type"]:
        case "missing":
            text = Text(f"缺少 {path[-1]}", f"{path[-1]} is missing: add it")
        case "extra_forbidden":
            place = source.keys.get(path, source.place(path))
            return Problem(
                place,
                Text(f"没有 {path[-1]} 这个键，请删去或改正", f"there is no key {path[-1]}: correct or remove it"),
            )
        case "value_error":
            text = getattr(error["ctx"]["error"], "text", Text(error["msg"], error["msg"]))
        case _:
            text = Text(
                f"{path[-1] if path else ''} 不合要求：{error['msg']}", f"{path[-1] if path else ''}: {error['msg']}"
            )
    return Problem(source.place(path), text)
