"""A rulebook's own examples: cases worked by hand, run when the rulebook is checked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from domain.errors import Text
from domain.evaluation.columns import MEAN_PLACES, Mask, TextColumn, fit
from domain.evaluation.evaluator import evaluate
from domain.evaluation.people import (
    UNBOUNDED,
    Bounds,
    Fault,
    InputColumn,
    People,
    attribute_column,
    out_of_bounds,
)
from domain.evaluation.statements import refused_branches, statements_of
from domain.identifiers import Month
from domain.numbers import PLACES, BadNumber, half_up, parse_number, plain, scaled
from domain.rulebook.expression_types import numeric_keys
from domain.rulebook.source import Mistake, Path, Problem, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.evaluation.context import Evaluation
    from domain.evaluation.operators import Codes
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Example, Input, Rulebook

LAST_MONTH = Month(2026, 12).index  # the last month of every example's period
# What a person is where the example does not say; the role is then the rulebook's first.
DEFAULT_PERSON = {"branch": "B", "team": "T", "grade": "6"}
POINTS = "points_adjustment"  # an adjustment in points that the rulebook does not read
SEPARATOR = "\n"  # between several entries written as a list; no figure contains it


class ExampleInputs:
    """Inputs as an example gives them: by the name of the input, one value a person.

    What is given for a group counts for each of its items. A value is a figure or the name of a
    parameter; `none` means that there is no entry (where a sale's amount is read: no amount); a
    list stands for several entries. Without a value, sums are 0 and all else is absent.
    """

    def __init__(self, example: Example, program: Program) -> None:
        rulebook = program.rulebook
        self.parameters = _parameter_texts(rulebook)
        defaults = DEFAULT_PERSON | {"role": rulebook.roles[0]} | _flatten(example.given)
        self.values = {name: defaults | _flatten(values) for name, values in example.people.items()}
        members = [
            name for name, values in self.values.items() if _is_in_population(values, rulebook)
        ]
        self.names = sorted(members, key=lambda name: (self.values[name]["branch"], name))
        self.last_month = LAST_MONTH
        branches, branch = self._words_and_codes("branch")
        teams, team = self._words_and_codes("team")
        roles, role = self._words_and_codes("role")
        grades = np.array([int(self.values[name]["grade"]) for name in self.names], np.int64)
        self.people = People(
            tuple(self.names),
            branches,
            branch,
            teams,
            team,
            fit(grades, 0),
            TextColumn(role, roles),
        )

    def _words_and_codes(self, key: str) -> tuple[tuple[str, ...], Codes]:
        """The distinct words of a key, and each person's index in them."""
        words = [self.values[name][key] for name in self.names]
        distinct = tuple(dict.fromkeys(words))
        return distinct, np.array([distinct.index(word) for word in words], np.int64)

    def _written(self, name: str, item: str | None) -> list[str | None]:
        """What the example gives for the item, or for its group, of each person."""
        full_name = name if item is None else f"{name}.{item}"
        values = [self.values[person] for person in self.names]
        return [given.get(full_name, given.get(name)) for given in values]

    def read(
        self, name: str, spec: Input, item: str | None, bounds: Bounds = UNBOUNDED
    ) -> InputColumn:
        """The value written for each person."""
        written, no_position = self._written(name, item), np.zeros(len(self.names), np.int64)
        values = [_without_none(value) for value in written]
        if spec.read == "attribute":
            return attribute_column(values, np.arange(len(values)), spec, no_position)
        figures, entry_rows, entries = [], [], []
        for row, value in enumerate(values):
            row_entries = self._entries(value or "0")
            figures.append(scaled(_combine_entries(row_entries, spec)))
            if value is not None:
                entry_rows += [row] * len(row_entries)
                entries += [scaled(entry) for entry in row_entries]
        rows = np.array(entry_rows, np.int64)
        positions = np.zeros(len(rows), np.int64)
        faults = out_of_bounds(rows, np.array(entries, np.int64), positions, bounds)
        if spec.take == "amount" and "none" in written:
            rows = np.flatnonzero([value == "none" for value in written])
            faults.append(Fault("missing_amount", rows, no_position[rows]))
        nothing_is_zero = (spec.kind and spec.kind.is_summed) or spec.take == "count"
        absent = np.array([value is None for value in values], bool)
        column = fit(np.array(figures, np.int64), PLACES)
        return InputColumn(column, None if nothing_is_zero else absent, tuple(faults))

    def _entries(self, value: str) -> list[Decimal]:
        """The figures of the entries written for a person: one, or a list."""
        words = value.split(SEPARATOR)
        return [parse_number(self.parameters.get(word, word)) for word in words]

    def unread_points(self) -> Mask:
        """Who has an adjustment in points, written as `points_adjustment`."""
        return np.array([value is not None for value in self._written(POINTS, None)], bool)

    def positions(self, name: str, spec: Input, item: str | None, row: int) -> set[int]:  # noqa: ARG002
        """None: an example has no ledger."""
        return set()

    def positions_of_person(self, row: int) -> set[int]:  # noqa: ARG002
        """None: an example has no ledger."""
        return set()


def _is_in_population(values: dict[str, str], rulebook: Rulebook) -> bool:
    """Whether the rulebook is for a person with this role and these attributes."""
    if not (rulebook.is_for_everyone or values["role"] in rulebook.roles):
        return False
    return all(
        rulebook.is_for(attribute, _without_none(values.get(attribute)))
        for attribute in rulebook.only
    )


def _parameter_texts(rulebook: Rulebook) -> dict[str, str]:
    return {name: plain(parameter.value) for name, parameter in rulebook.parameters.items()}


def _without_none(value: str | None) -> str | None:
    return None if value == "none" else value


def _may_be_list(spec: Input | None) -> bool:
    """Whether the input adds up or averages several entries: then a list may be given."""
    if spec is None or spec.take in {"latest", "count"}:
        return False
    return spec.read not in {"attribute", "statement", "measure"} or spec.take == "sum"


def _combine_entries(figures: list[Decimal], spec: Input) -> Decimal:
    """Several entries as one figure: the mean of a rating, else the sum."""
    total = sum(figures, Decimal(0))
    mean = spec.kind is not None and (spec.take or spec.kind.takes[0]) == "mean"
    if len(figures) > 1 and mean:
        top, bottom = total.scaleb(MEAN_PLACES).as_integer_ratio()
        return Decimal(half_up(top, bottom * len(figures))).scaleb(-MEAN_PLACES)
    return total


def _flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """The values by their dotted names; a list becomes one text."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            flat[f"{prefix}{key}"] = SEPARATOR.join(map(str, value))
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


def run_examples(program: Program) -> list[Problem]:
    """Every difference between an example and its evaluation, and every mistake in an example."""
    source = read(program.text)
    problems = []
    for index, example in enumerate(program.rulebook.examples):
        for path, (zh, en) in _find_mistakes(example, program):
            text = Text(f"例「{example.name}」：{zh}", f"example {example.name}: {en}")
            problems.append(Problem(source.locate(("examples", index, *path)), text))
    return sorted(problems)


def _find_mistakes(example: Example, program: Program) -> list[Mistake]:
    """What is wrong with an example; a path begins below the example."""
    rulebook = program.rulebook
    if unclear := [*_unknown_names(example, rulebook), *_bad_figures(example, rulebook)]:
        return unclear
    evaluation = evaluate(program, ExampleInputs(example, program))
    return [
        *_compare_figures(example, evaluation),
        *_compare_findings(example, evaluation),
        *_compare_warnings(example, evaluation),
    ]


def _unknown_names(example: Example, rulebook: Rulebook) -> Iterator[Mistake]:
    """Names that the rulebook does not have, and examples without any expectation."""
    inputs = {*rulebook.inputs, *rulebook.only, *DEFAULT_PERSON, "role", POINTS}
    for name, spec in rulebook.inputs.items():
        inputs |= {f"{name}.{item}" for item in spec.items or ()}
    steps = {step.step for step in rulebook.steps}
    for path, values in _given_values(example):
        for key in values.keys() - inputs:
            yield (*path, key), Text(f"没有输入 {key}", f"there is no input {key}")
    for person, expected in example.expect.items():
        for step in expected.keys() - steps:
            yield ("expect", person, step), Text(f"没有步骤 {step}", f"there is no step {step}")
    for section in ("expect", "refused", "warned"):
        for person in getattr(example, section).keys() - example.people:
            text = Text(f"例中没有 {person} 这个人", f"nobody in the example is called {person}")
            yield (section, person), text
    if not (example.expect or example.refused or example.warned):
        yield (), Text("没有写预期", "it expects nothing")


def _bad_figures(example: Example, rulebook: Rulebook) -> Iterator[Mistake]:
    """Figures that cannot be read, and lists where there is only one value."""
    for path, values in _given_values(example):
        for key, value in values.items():
            spec = rulebook.inputs.get(key.partition(".")[0])
            words = value.split(SEPARATOR)
            if len(words) > 1 and not _may_be_list(spec):
                text = Text(f"{key} 只有一个值，不写列表", f"{key} is one value, not a list")
                yield (*path, *key.split(".")), text
                continue
            if spec is not None and spec.read != "attribute":
                names = {*rulebook.parameters, *(["none"] if len(words) == 1 else [])}
                words = [word for word in words if word not in names]
            elif spec is not None or key != "grade":
                words = []  # any text will do
            try:
                for word in words:
                    parse_number(word)
            except BadNumber as error:
                yield (*path, *key.split(".")), error.text
            if key == "grade" and not value.isdecimal():
                yield (*path, key), Text("职级是整数", "a grade is a whole number")


def _given_values(example: Example) -> Iterator[tuple[Path, dict[str, str]]]:
    yield ("given",), _flatten(example.given)
    for person, values in example.people.items():
        yield ("people", person), _flatten(values)


def _compare_figures(example: Example, evaluation: Evaluation) -> Iterator[Mistake]:
    """Steps whose result is not the expected one.

    `none`: the person is without the step; `refused`: the branch has findings; `outside`: the
    rulebook is not for the person.
    """
    statements = {statement.manager: statement.steps for statement in statements_of(evaluation)}
    parameters = _parameter_texts(evaluation.program.rulebook)
    for person, expected in example.expect.items():
        for step, word in expected.items():
            value = parameters.get(word, word)
            if person in statements:
                result = statements[person].get(step, "none")
            else:
                result = "refused" if person in evaluation.people.managers else "outside"
            if not _are_equal(result, value):
                text = Text(
                    f"{person} 的 {step} 应为 {value}，算得 {result}",
                    f"{step} of {person} should be {value}, comes out as {result}",
                )
                yield ("expect", person, step), text


def _are_equal(a: str, b: str) -> bool:
    return a == b or (numeric_keys([a, b]) and Decimal(a) == Decimal(b))


def _compare_findings(example: Example, evaluation: Evaluation) -> Iterator[Mistake]:
    """Findings other than the expected ones."""
    managers = evaluation.people.managers
    findings = {(managers[f.row], f.reason.code) for f in evaluation.findings}
    if findings != set(example.refused.items()):
        listed = ", ".join(f"{person} {code}" for person, code in sorted(findings)) or "none"
        text = Text(
            f"拒绝应如所写，实际为 {listed}",
            f"the findings should be as written, they are {listed}",
        )
        yield ("refused",), text


def _compare_warnings(example: Example, evaluation: Evaluation) -> Iterator[Mistake]:
    """Of every expected warning: whether exactly the expected people have it."""
    for code in sorted(set(example.warned.values())):
        warned = _warned_people(evaluation, code)
        if warned != sorted(person for person, word in example.warned.items() if word == code):
            listed = ", ".join(warned) or "nobody"
            text = Text(
                f"警告 {code} 应如所写，实际为 {listed}",
                f"{code} should warn as written, it warns {listed}",
            )
            yield ("warned",), text


def _warned_people(evaluation: Evaluation, code: str) -> list[str]:
    """Who has this warning, in branches that are not refused."""
    people, refused = evaluation.people, refused_branches(evaluation)
    rows: set[int] = set()
    for warning in evaluation.warnings:
        if warning.code == code:
            rows.update(np.flatnonzero(warning.rows).tolist())
    return sorted(people.managers[row] for row in rows if int(people.branch[row]) not in refused)
