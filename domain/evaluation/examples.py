"""The cases that a rulebook carries: worked by hand, run as it is checked."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np

from domain.errors import Text
from domain.evaluation import columns
from domain.evaluation.columns import Column, Mask, TextColumn
from domain.evaluation.evaluator import evaluate
from domain.evaluation.people import Fault, People, Reading
from domain.evaluation.statements import statements_of
from domain.identifiers import Month
from domain.rulebook.source import Problem, read

if TYPE_CHECKING:
    from domain.rulebook.checks import Program
    from domain.rulebook.model import Example, Input

LAST_MONTH = Month(2026, 12).index  # the last month of every example's period
PERSON = ("branch", "team", "grade", "role")


class ExampleInputs:
    """Inputs as an example gives them: by the name of the input, one value a person."""

    def __init__(self, example: Example, program: Program) -> None:
        self.given = {name: _flat(example.given) | _flat(values) for name, values in example.people.items()}
        roles = program.rulebook.roles
        self.names = sorted(self.given, key=lambda name: (self.of(name, "branch", "B"), name))
        self.names = [
            n for n in self.names if program.rulebook.is_for_everyone or self.of(n, "role", roles[0]) in roles
        ]
        self.last_month = LAST_MONTH
        branches = tuple(dict.fromkeys(self.of(name, "branch", "B") for name in self.names))
        teams = tuple(dict.fromkeys(self.of(name, "team", "T") for name in self.names))
        words = tuple(dict.fromkeys(self.of(name, "role", roles[0]) for name in self.names))
        self.people = People(
            tuple(self.names),
            branches,
            np.array([branches.index(self.of(name, "branch", "B")) for name in self.names], np.int64),
            teams,
            np.array([teams.index(self.of(name, "team", "T")) for name in self.names], np.int64),
            columns.of_decimals([Decimal(self.of(name, "grade", "6")) for name in self.names]),
            TextColumn(np.array([words.index(self.of(n, "role", roles[0])) for n in self.names], np.int64), words),
        )

    def of(self, person: str, key: str, default: str) -> str:
        """What the example says of a person."""
        return str(self.given[person].get(key, default))

    def read(self, name: str, given: Input, item: str | None) -> Reading:
        """The value written for each person; sums that are not written are 0, everything else is absent."""
        full = name if item is None else f"{name}.{item}"
        values = [self.given[person].get(full) for person in self.names]
        absent = np.array([value is None for value in values], bool)
        if given.read == "attribute":
            words = tuple(dict.fromkeys(value or "" for value in values))
            return Reading(TextColumn(np.array([words.index(v or "") for v in values], np.int64), words), absent)
        column = columns.of_decimals([Decimal(value or 0) for value in values])
        faults = tuple(_faults(column, absent, given))
        sums = given.read in {"deduction", "sale", "adjustment"} or given.take == "count"
        return Reading(column, None if sums else absent, faults)

    def unread_points(self) -> Mask:
        """Written as `points_adjustment`."""
        return np.array(["points_adjustment" in self.given[person] for person in self.names], bool)


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": str(value)}
    return flat


def _faults(column: Column, absent: Mask, given: Input) -> list[Fault]:
    faults = []
    bounds = [
        ("out_of_bounds", given.low, np.less),
        ("out_of_bounds", given.high, np.greater),
        ("not_positive", given.above, np.less_equal),
    ]
    for code, bound, wrong in bounds:
        if bound is not None:
            beyond = columns.compare(wrong, column, columns.constant(bound, 1)).data != 0
            rows = np.flatnonzero(beyond & ~absent)
            if len(rows):
                faults.append(Fault(code, rows, np.zeros(len(rows), np.int64)))
    return faults


def run_examples(program: Program) -> list[Problem]:
    """Every example that does not come out as it is written, with its place; unknown names count as mistakes."""
    source = read(program.text)
    problems = []
    for index, example in enumerate(program.rulebook.examples):
        for path, text in _run(example, program):
            problems.append(Problem(source.place(("examples", index, *path)), text))
    return problems


def _run(example: Example, program: Program) -> list[tuple[tuple[str, ...], Text]]:
    unknown = _unknown(example, program)
    if unknown:
        return unknown
    try:
        evaluation = evaluate(program, ExampleInputs(example, program))
    except InvalidOperation:
        return [
            (
                ("people",),
                Text(f"例「{example.name}」的输入有不是数字的值", f"example {example.name}: an input is not a number"),
            )
        ]
    statements = {s.manager: s for s in statements_of(evaluation)}
    wrong: list[tuple[tuple[str, ...], Text]] = []
    codes = {(evaluation.people.managers[f.row], f.problem.code) for f in evaluation.findings}
    for person, steps in example.expect.items():
        for step, value in steps.items():
            found = statements[person].steps.get(step, "none") if person in statements else "refused"
            if found != value:
                wrong.append(
                    (
                        ("expect", person, step),
                        Text(
                            f"例「{example.name}」{person} 的 {step} 应为 {value}，算得 {found}",
                            f"example {example.name}: {step} of {person} should be {value}, comes out as {found}",
                        ),
                    )
                )
    for person, code in example.refused.items():
        if (person, code) not in codes:
            wrong.append(
                (
                    ("refused", person),
                    Text(
                        f"例「{example.name}」{person} 应以 {code} 拒绝，实际 {sorted(codes)}",
                        f"example {example.name}: {person} should be refused with {code}, findings are {sorted(codes)}",
                    ),
                )
            )
    if not example.refused and codes:
        wrong.append(
            (
                (),
                Text(
                    f"例「{example.name}」被拒绝：{sorted(codes)}",
                    f"example {example.name} is refused: {sorted(codes)}",
                ),
            )
        )
    for person, code in example.warned.items():
        if person not in statements or code not in {warning.code for warning in statements[person].warnings}:
            wrong.append(
                (
                    ("warned", person),
                    Text(
                        f"例「{example.name}」{person} 应有警告 {code}",
                        f"example {example.name}: {person} should be warned with {code}",
                    ),
                )
            )
    return wrong


def _unknown(example: Example, program: Program) -> list[tuple[tuple[str, ...], Text]]:
    book = program.rulebook
    names = (
        {f"{n}.{item}" for n, given in book.inputs.items() for item in given.items or ()}
        | set(book.inputs)
        | {*PERSON, "points_adjustment"}
    )
    steps = {step.step for step in book.steps}
    wrong: list[tuple[tuple[str, ...], Text]] = []
    for path, values in [(("given",), example.given), *((("people", p), v) for p, v in example.people.items())]:
        wrong += [
            (path, Text(f"没有输入 {key}", f"there is no input {key}")) for key in _flat(values) if key not in names
        ]
    for section in ("expect", "refused", "warned"):
        wrong += [
            ((section, p), Text(f"例中没有 {p} 这个人", f"nobody in the example is called {p}"))
            for p in getattr(example, section)
            if p not in example.people
        ]
    wrong += [
        (("expect", p, s), Text(f"没有步骤 {s}", f"there is no step {s}"))
        for p, v in example.expect.items()
        for s in v
        if s not in steps
    ]
    if not (example.expect or example.refused or example.warned):
        wrong.append(((), Text(f"例「{example.name}」没有写预期", f"example {example.name} expects nothing")))
    return wrong
