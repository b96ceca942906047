"""Whole columns against a second evaluator: person by person, lazily, in fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.rulebook.expressions import (
    Binary,
    Call,
    Choice,
    Comparison,
    Logical,
    Name,
    Node,
    Number,
    Quotient,
    parse,
)
from tests.oracle_schemes.arithmetic import half_up, plain
from tests.rules import figures, program, run
from tests.rules import given as reads

INPUTS = {
    "a": reads("measure", missing="absent"),
    "b": reads("measure", missing="refuse"),
    "c": reads("measure"),
}
TABLES = {
    "exact": {"unit": "ratio", "rows": {"0": "7", "1": "-0.5", "2.5": "1000000000.5"}},
    "bands": {"unit": "ratio", "match": "from", "rows": {"-1": "3", "0.5": "2", "100": "-1"}},
}
COMPARE = {
    "<": "__lt__",
    "<=": "__le__",
    ">": "__gt__",
    ">=": "__ge__",
    "==": "__eq__",
    "!=": "__ne__",
}


class NoValue(Exception):
    """Why a person has none."""

    def __init__(self, code: str) -> None:
        self.code = code

    @property
    def is_gap(self) -> bool:
        return self.code in {"absent", "division_by_zero"} or self.code.startswith("missing_")


class Person:
    """One person's values; an expression is read lazily, from the left."""

    def __init__(self, given_values: dict[str, Fraction | None]) -> None:
        self.given = given_values

    def value(self, node: Node) -> Fraction:  # noqa: C901 - one case for each node of the language
        match node:
            case Number():
                return Fraction(node.value)
            case Name():
                return self.named(node.name)
            case Binary():
                left, right = self.all(node.left, node.right)
                return {"+": left + right, "-": left - right, "*": left * right}[node.operator]
            case Quotient():
                dividend, divisor = self.all(node.dividend, node.divisor)
                if divisor == 0:
                    raise NoValue("division_by_zero")
                return half_up(dividend / divisor, node.places)
            case Comparison():
                left, right = self.all(node.left, node.right)
                return Fraction(getattr(left, COMPARE[node.operator])(right))
            case Logical(operator="not"):
                return Fraction(self.value(node.parts[0]) == 0)
            case Logical():
                stop = 0 if node.operator == "and" else 1
                return Fraction(
                    stop if any(self.value(part) == stop for part in node.parts) else 1 - stop
                )
            case Choice():
                return self.value(node.then if self.value(node.condition) else node.otherwise)
            case Call():
                return self.call(node)
        raise AssertionError(node)

    def all(self, *nodes: Node) -> list[Fraction]:
        return [self.value(node) for node in nodes]

    def named(self, name: str) -> Fraction:
        if name == "none":
            raise NoValue("absent")
        value = self.given[name]
        if value is None and name != "c":
            raise NoValue({"a": "absent", "b": "missing_measure"}[name])
        return value or Fraction(0)

    def call(self, node: Call) -> Fraction:
        match node.function:
            case "min" | "max":
                return (min if node.function == "min" else max)(self.all(*node.arguments))
            case "round":
                value, places = self.all(*node.arguments)
                return half_up(value, int(places))
            case "floor":
                return Fraction(floor(self.value(node.arguments[0])))
            case "lookup":
                return self.looked_up(node)
        try:
            value = self.value(node.arguments[0])
        except NoValue as reason:
            if not reason.is_gap:
                raise
            return Fraction(0) if node.function == "has" else self.value(node.arguments[1])
        return Fraction(1) if node.function == "has" else value

    def looked_up(self, node: Call) -> Fraction:
        table, key = node.arguments[0], self.value(node.arguments[1])
        assert isinstance(table, Name)
        rows = {Fraction(k): Fraction(v) for k, v in TABLES[table.name]["rows"].items()}  # type: ignore[attr-defined]
        fitting = [k for k in rows if (k <= key if table.name == "bands" else k == key)]
        if not fitting:
            raise NoValue("unknown_key")
        return rows[fitting[-1]]


LEAVES = st.sampled_from(
    ["a", "a", "b", "c", "none", "0", "1", "2.5", "0.05", "999999999999.999999", "0.000001"]
)
FORMS = st.sampled_from(
    (
        *(
            "({0} + {1})",
            "({0} - {1})",
            "({0} * {1})",
            "(-{0})",
            "floor({0})",
            "min({0}, {1})",
            "max({0}, {1})",
        ),
        *(
            "round({0} / ({1}), 0)",
            "round({0} / ({1}), 6)",
            "round({0}, 2)",
            "lookup(exact, {0})",
            "lookup(bands, {0})",
        ),
        *(
            "({0} if {2} else {1})",
            "({0} if {2} else {1})",
            "otherwise({0}, {1})",
            "otherwise({0}, {1})",
        ),
    )
)
FLAGS = st.sampled_from(
    ("({0} {2} {1})", "({0} {2} {1})", "has({0})", "({3} and {4})", "({3} or {4})", "(not {3})")
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 4) -> str:
    """A figure of the language, so many constructs deep at most."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(LEAVES)
    parts = draw(expressions(depth - 1)), draw(expressions(depth - 1)), draw(conditions(depth - 1))
    return draw(FORMS).format(*parts)


@st.composite
def conditions(draw: st.DrawFn, depth: int) -> str:
    """A condition of the language."""
    if depth <= 0:
        return draw(st.sampled_from(("a > 0", "b >= 1", "c == 0", "has(a)")))
    sides = (
        draw(expressions(depth - 1)),
        draw(expressions(depth - 1)),
        draw(st.sampled_from(sorted(COMPARE))),
    )
    return draw(FLAGS).format(*sides, draw(conditions(depth - 2)), draw(conditions(depth - 2)))


FIGURES = st.sampled_from(
    [None, "0", "1", "-1", "2.5", "0.5", "-0.000001", "100", "-999999999999.999999"]
)
PEOPLE = st.lists(
    st.fixed_dictionaries({"a": FIGURES, "b": FIGURES, "c": FIGURES}), min_size=1, max_size=4
)


@settings(max_examples=300, deadline=None)
@given(expressions(), PEOPLE)
@example(
    "(1 if a > 0 and round(1 / c, 2) > 0 else b)",
    [{"a": "0", "b": None, "c": "0"}, {"a": "1", "b": "1", "c": "0"}],
)
@example("(a + b)", [{"a": None, "b": None, "c": None}])
@example(
    "otherwise(lookup(exact, a), b)",
    [{"a": None, "b": None, "c": None}, {"a": "5", "b": "1", "c": None}],
)
def test_a_column_is_what_everybody_gets_alone(
    expression: str, people: list[dict[str, Any]]
) -> None:
    rules = program({"x ratio": expression}, inputs=INPUTS, tables=TABLES)
    named = {
        f"M{n}": {k: v for k, v in person.items() if v is not None}
        for n, person in enumerate(people)
    }
    evaluation = run(rules, named)
    # The reason that the column carries is told first; the other inputs that the step lacks follow
    # it.
    values = figures(evaluation, "x")
    findings = {
        evaluation.people.managers[f.row]: f.reason.code for f in reversed(evaluation.findings)
    }
    for manager, person in named.items():
        assert (values[manager], findings.get(manager)) == alone(person, expression)


def alone(person: dict[str, Any], expression: str) -> tuple[str | None, str | None]:
    """What the person gets, or the reason why not."""
    reading = Person({name: Fraction(person[name]) if name in person else None for name in INPUTS})
    try:
        return plain(reading.value(parse(expression))), None
    except NoValue as reason:
        return None, reason.code
