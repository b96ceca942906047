"""The cases that a rulebook carries: worked by hand, run as it is checked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from domain.errors import Text
from domain.evaluation.columns import MEAN_PLACES, Mask, TextColumn, fit
from domain.evaluation.evaluator import evaluate
from domain.evaluation.people import UNBOUND, Bounds, Fault, People, Reading, out_of_bounds, worded
from domain.evaluation.statements import refused_branches, statements_of
from domain.identifiers import Month
from domain.numbers import PLACES, BadNumber, half_up, parse_number, plain, scaled
from domain.rulebook.expression_types import numeric_keys
from domain.rulebook.source import Path, Problem, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.evaluation.evaluator import Evaluation
    from domain.evaluation.operators import Codes
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Example, Input, Rulebook

LAST_MONTH = Month(2026, 12).index  # the last month of every example's period
PLACE = {
    "branch": "B",
    "team": "T",
    "grade": "6",
}  # of whom nothing else is said; the role is the rulebook's first
POINTS = "points_adjustment"  # an adjustment in points that the rulebook does not read
APART = "\n"  # between several entries: no figure has it
Mistake = tuple[Path, Text]  # where in the example, and what is wrong


class ExampleInputs:
    """Inputs as an example gives them: by the name of the input, one value a person.

    What is given for a group counts for each of its items; a figure may be the name of a parameter;
    `none` stands for nothing: a sale that is paid by its amount has none then. A list is several
    entries. Sums of which nothing is said are 0, all else is absent.
    """

    def __init__(self, example: Example, program: Program) -> None:
        book, everyone = program.rulebook, _flat(example.given)
        self.figures = _figures(book)
        self.given = {
            name: PLACE | {"role": book.roles[0]} | everyone | _flat(p)
            for name, p in example.people.items()
        }
        members = [
            name
            for name, said in self.given.items()
            if (book.is_for_everyone or said["role"] in book.roles)
            and all(book.is_for(attribute, _word(said.get(attribute))) for attribute in book.only)
        ]
        self.names = sorted(members, key=lambda name: (self.given[name]["branch"], name))
        self.last_month = LAST_MONTH
        branches, branch = self._coded("branch")
        teams, team = self._coded("team")
        roles, role = self._coded("role")
        grade = fit(np.array([int(self.given[name]["grade"]) for name in self.names], np.int64), 0)
        self.people = People(
            tuple(self.names), branches, branch, teams, team, grade, TextColumn(role, roles)
        )

    def _coded(self, key: str) -> tuple[tuple[str, ...], Codes]:
        words = [self.given[name][key] for name in self.names]
        distinct = tuple(dict.fromkeys(words))
        return distinct, np.array([distinct.index(word) for word in words], np.int64)

    def _said(self, name: str, item: str | None) -> list[str | None]:
        full = name if item is None else f"{name}.{item}"
        return [self.given[person].get(full, self.given[person].get(name)) for person in self.names]

    def read(self, name: str, given: Input, item: str | None, bounds: Bounds = UNBOUND) -> Reading:
        """The value written for each person."""
        written, nowhere = self._said(name, item), np.zeros(len(self.names), np.int64)
        said = [_word(value) for value in written]
        if given.read == "attribute":
            return worded(said, np.arange(len(said)), given, nowhere)
        absent = np.array([value is None for value in said], bool)
        entries = [self._entries(value) for value in said]
        values = np.array([scaled(_together(figures, given)) for figures in entries], np.int64)
        rows = np.repeat(
            np.arange(len(said)),
            [0 if gone else len(e) for gone, e in zip(absent, entries, strict=True)],
        )
        each = [
            scaled(figure)
            for gone, figures in zip(absent, entries, strict=True)
            if not gone
            for figure in figures
        ]
        faults = out_of_bounds(
            rows, np.array(each, np.int64), np.zeros(len(rows), np.int64), bounds
        )
        if given.take == "amount" and "none" in written:
            rows = np.flatnonzero([value == "none" for value in written])
            faults.append(Fault("missing_amount", rows, nowhere[rows]))
        sums = (given.kind and given.kind.is_summed) or given.take == "count"
        return Reading(fit(values, PLACES), None if sums else absent, tuple(faults))

    def _entries(self, value: str | None) -> list[Decimal]:
        """The figures of the entries written for a person: one, or a list."""
        return [parse_number(self.figures.get(word, word)) for word in (value or "0").split(APART)]

    def unread_points(self) -> Mask:
        """Written as `points_adjustment`."""
        return np.array([value is not None for value in self._said(POINTS, None)], bool)

    def positions(self, name: str, given: Input, item: str | None, row: int) -> set[int]:  # noqa: ARG002
        """None: an example has no ledger."""
        return set()

    def positions_of_person(self, row: int) -> set[int]:  # noqa: ARG002
        """None: an example has no ledger."""
        return set()


def _figures(book: Rulebook) -> dict[str, str]:
    return {name: plain(parameter.value) for name, parameter in book.parameters.items()}


def _word(written: str | None) -> str | None:
    """What is said; None where that is nothing."""
    return None if written == "none" else written


def _are_added(given: Input | None) -> bool:
    """Whether several entries come to a figure that a list of theirs can show: their sum or
    mean.
    """
    entries = given is not None and given.read not in {"attribute", "statement", "measure"}
    return (
        given is not None
        and given.take not in {"latest", "count"}
        and (entries or given.take == "sum")
    )


def _together(figures: list[Decimal], given: Input) -> Decimal:
    """What several entries come to: their mean for a rating, else their sum."""
    total = sum(figures, Decimal(0))
    mean = given.kind is not None and (given.take or given.kind.takes[0]) == "mean"
    if len(figures) > 1 and mean:
        top, bottom = total.scaleb(MEAN_PLACES).as_integer_ratio()
        return Decimal(half_up(top, bottom * len(figures))).scaleb(-MEAN_PLACES)
    return total


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        words = APART.join(map(str, value)) if isinstance(value, list) else str(value)
        flat |= (
            _flat(value, f"{prefix}{key}.")
            if isinstance(value, dict)
            else {f"{prefix}{key}": words}
        )
    return flat


def run_examples(program: Program) -> list[Problem]:
    """Every example that does not come out as it is written, with its place; unknown names count as
    mistakes.
    """
    source = read(program.text)
    problems = [
        Problem(
            source.place(("examples", index, *path)),
            Text(f"例「{example.name}」：{zh}", f"example {example.name}: {en}"),
        )
        for index, example in enumerate(program.rulebook.examples)
        for path, (zh, en) in _mistakes(example, program)
    ]
    return sorted(problems)


def _mistakes(example: Example, program: Program) -> list[Mistake]:
    if unclear := [*_misspelt(example, program.rulebook), *_not_figures(example, program.rulebook)]:
        return unclear
    evaluation = evaluate(program, ExampleInputs(example, program))
    return [
        *_unexpected(example, evaluation),
        *_unrefused(example, evaluation),
        *_unwarned(example, evaluation),
    ]


def _misspelt(example: Example, book: Rulebook) -> Iterator[Mistake]:
    """Names that the rulebook does not have, and examples that say nothing."""
    groups = {f"{name}.{item}" for name, given in book.inputs.items() for item in given.items or ()}
    known, steps = (
        {*groups, *book.inputs, *book.only, *PLACE, "role", POINTS},
        {step.step for step in book.steps},
    )
    for path, values in _givens(example):
        for key in values.keys() - known:
            yield (*path, key), Text(f"没有输入 {key}", f"there is no input {key}")
    for person, expected in example.expect.items():
        for step in expected.keys() - steps:
            yield ("expect", person, step), Text(f"没有步骤 {step}", f"there is no step {step}")
    for section in ("expect", "refused", "warned"):
        for person in getattr(example, section).keys() - example.people:
            yield (
                (section, person),
                Text(f"例中没有 {person} 这个人", f"nobody in the example is called {person}"),
            )
    if not (example.expect or example.refused or example.warned):
        yield (), Text("没有写预期", "it expects nothing")


def _not_figures(example: Example, book: Rulebook) -> Iterator[Mistake]:
    """Figures that cannot be read."""
    for path, values in _givens(example):
        for key, value in values.items():
            given = book.inputs.get(key.partition(".")[0])
            words = given.read == "attribute" if given else key != "grade"
            several = value.split(APART)
            if len(several) > 1 and not _are_added(given):
                text = Text(f"{key} 只有一个值，不写列表", f"{key} is one value, not a list")
                yield (*path, *key.split(".")), text
                continue
            names = {*book.parameters, *(["none"] if len(several) == 1 else [])}
            try:
                for word in several:
                    if not (words or (given and word in names)):
                        parse_number(word)
            except BadNumber as error:
                yield (*path, *key.split(".")), error.text
            if key == "grade" and not value.isdecimal():
                yield (*path, key), Text("职级是整数", "a grade is a whole number")


def _givens(example: Example) -> Iterator[tuple[Path, dict[str, str]]]:
    yield ("given",), _flat(example.given)
    for person, values in example.people.items():
        yield ("people", person), _flat(values)


def _unexpected(example: Example, evaluation: Evaluation) -> Iterator[Mistake]:
    """Steps that come out otherwise; `none` where a person is without one."""
    statements = {statement.manager: statement.steps for statement in statements_of(evaluation)}
    figures = _figures(evaluation.program.rulebook)
    for person, expected in example.expect.items():
        for step, written in expected.items():
            value = figures.get(written, written)
            nothing = "refused" if person in evaluation.people.managers else "outside"
            found = statements[person].get(step, "none") if person in statements else nothing
            if not (
                found == value
                or (numeric_keys([found, value]) and Decimal(found) == Decimal(value))
            ):
                yield (
                    ("expect", person, step),
                    Text(
                        f"{person} 的 {step} 应为 {value}，算得 {found}",
                        f"{step} of {person} should be {value}, comes out as {found}",
                    ),
                )


def _unrefused(example: Example, evaluation: Evaluation) -> Iterator[Mistake]:
    """Findings other than the ones that are written."""
    found = {(evaluation.people.managers[f.row], f.problem.code) for f in evaluation.findings}
    wanted = set(example.refused.items())
    if found != wanted:
        shown = ", ".join(f"{person} {code}" for person, code in sorted(found)) or "none"
        yield (
            ("refused",),
            Text(
                f"拒绝应如所写，实际为 {shown}",
                f"the findings should be as written, they are {shown}",
            ),
        )


def _unwarned(example: Example, evaluation: Evaluation) -> Iterator[Mistake]:
    """Of every warning that is written: who else has it, and who lacks it."""
    refused, people = refused_branches(evaluation), evaluation.people
    for code in sorted(set(example.warned.values())):
        rows = {
            int(row)
            for warning in evaluation.warnings
            if warning.code == code
            for row in np.flatnonzero(warning.rows)
        }
        found = sorted(
            people.managers[row] for row in rows if int(people.branch[row]) not in refused
        )
        if found != sorted(person for person, wanted in example.warned.items() if wanted == code):
            shown = ", ".join(found) or "nobody"
            yield (
                ("warned",),
                Text(
                    f"警告 {code} 应如所写，实际为 {shown}",
                    f"{code} should warn as written, it warns {shown}",
                ),
            )
