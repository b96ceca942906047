"""docs/rulebook-language.md: each example comes out as printed, and every word of the language is
there, no other.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
import yaml
from pydantic import BaseModel

from domain.evaluation.context import Evaluation
from domain.evaluation.evaluator import evaluate
from domain.evaluation.examples import ExampleInputs
from domain.evaluation.functions import COMPUTED
from domain.evaluation.programs import publishable_program
from domain.rulebook import model, units
from domain.rulebook.checks import Program, check
from domain.rulebook.declarations import KEYS, TAKES
from domain.rulebook.expression_types import RESERVED, WARNINGS
from domain.rulebook.expressions import COMPARISONS, OPERATORS
from domain.rulebook.model import Example, load
from domain.rulebook.source import BrokenRulebook, read
from domain.rulebook.vocabulary import FUNCTIONS, REFUSALS
from tests.facts import evaluated
from tests.rules import figures, program

TEXT = (Path(__file__).parents[1] / "docs" / "rulebook-language.md").read_text("utf-8")
RULEBOOK = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[1]  # type: ignore[index]
ENTRIES = re.search(r"```jsonl\n(.*?)```", TEXT, re.DOTALL)[1]  # type: ignore[index]
PAID = {"2026-10": {"Ann": "820"}, "2026-11": {"Ann": "800"}}
OF_ALL = {"label", "unit", "clause", "read", "take"}  # keys that the page says every input may have
WRITTEN_OUT = {"each", "tree", "leaves", "labels", "clauses"}  # keys of steps that templates read


def tree(text: str) -> dict[str, Any]:
    """The keys and values of a piece of a rulebook."""
    found = read(text).tree
    assert isinstance(found, dict)
    return found


def rows(section: str) -> list[list[str]]:
    """The rows of a section's tables, without heads."""
    body = re.search(rf"^## {section}.*?(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert body, section
    tables = re.findall(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", body[0], re.MULTILINE)
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for part in tables
        for line in part.splitlines()
    ]


def words(cell: str) -> list[str]:
    """What stands in it as code."""
    return re.findall(r"`([^`]+)`", cell)


def code(cell: str) -> str:
    (found,) = words(cell)
    return str(found)


UNIT_ROWS = [row[at : at + 3] for row in rows("Units") for at in (0, 3)]
UNITS = [(words(row[0])[0], code(row[1]), row[2].strip(" |")) for row in UNIT_ROWS]
EXPRESSIONS = [(code(row[2]), row[3]) for row in rows("Expressions") + rows("Functions")]
INPUTS = [(code(row[2]), row[3]) for row in rows("Inputs")]


# what the examples give


def outcome(evaluation: Evaluation, step: str, printed: str) -> str:
    """What came of a step, in the words of the page and for those whom it names."""
    people, told = figures(evaluation, step), []
    refused = sorted({found.reason.code for found in evaluation.findings if found.step == step})
    for part in printed.split(", "):
        person, _, value = part.rpartition(" ")
        if person not in {"refused", "warns"}:
            assert not person or (person in people and value)
            told.append(f"{person} {people[person or 'Ann'] or 'none'}".strip())
    told = [f"refused {name}" for name in refused] if refused else told
    return ", ".join([*told, *(f"warns {w.code}" for w in evaluation.warnings if w.step == step)])


@cache
def context() -> tuple[str, Example]:
    """The page's rulebook without its examples, and the first of these."""
    return RULEBOOK.partition("examples:")[0], load(RULEBOOK)[0].examples[0]


def with_expression(expression: str, unit: str = "ratio") -> Program:
    """The page's rulebook with one more step, in this unit."""
    step = {
        "step": "x",
        "label": {"zh": "甲", "en": "x"},
        "unit": unit,
        "clause": "一",
        "optional": "true",
    }
    text = yaml.dump(step | {"value": expression}, default_flow_style=True, width=10_000)
    return check(f"{context()[0]}  - {text}")


def in_its_own_unit(expression: str) -> Program:
    """The same, in the unit that the expression has."""
    try:
        return with_expression(expression)
    except BrokenRulebook as broken:
        unit = re.search(r"its expression is (\S+)", broken.text.en)
        if unit is None:
            raise
        return with_expression(expression, unit[1])


def test_the_rulebook_of_the_page_may_be_published() -> None:
    assert publishable_program(RULEBOOK).rulebook.examples


@pytest.mark.parametrize(("unit", "expression", "gives"), UNITS, ids=[unit for unit, *_ in UNITS])
def test_each_unit_is_that_of_its_example(unit: str, expression: str, gives: str) -> None:
    rules = with_expression(expression, unit)
    assert outcome(evaluate(rules, ExampleInputs(context()[1], rules)), "x", gives) == gives


@pytest.mark.parametrize(
    ("expression", "gives"), EXPRESSIONS, ids=[expression for expression, _ in EXPRESSIONS]
)
def test_each_expression_gives_what_the_page_says(expression: str, gives: str) -> None:
    rules = in_its_own_unit(expression)
    assert outcome(evaluate(rules, ExampleInputs(context()[1], rules)), "x", gives) == gives


@pytest.mark.parametrize(("example", "gives"), INPUTS, ids=[example for example, _ in INPUTS])
def test_each_input_reads_what_the_page_says(example: str, gives: str) -> None:
    given = tree(example)
    beside = {
        item: {"read": "adjustment", "item": item, "take": given["take"], "unit": given["unit"]}
        for item in given.get("but_not", ())
    }
    value = "sum(x)" if "items" in given else "x"
    rules = program({f"?y {given['unit']}": value}, inputs={"x": given, **beside}, period="quarter")
    entries = [
        {"source": "page", "source_id": str(n)} | orjson.loads(e)
        for n, e in enumerate(ENTRIES.splitlines())
    ]
    assert outcome(evaluated(entries, rules, "2026-Q4", settled=PAID), "y", gives) == gives


# the page has every word, and none that is not one


def test_every_unit_is_there_and_no_other() -> None:
    assert [unit for unit, *_ in UNITS] == [*dict.fromkeys(unit for unit, *_ in UNITS)]
    assert {unit for unit, *_ in UNITS} == {
        *units.BASE_UNITS,
        *units.PLAIN,
        units.FLAG,
        units.TEXT,
        units.DATE,
    }


def test_every_operator_and_word_of_expressions_is_there_and_no_other() -> None:
    written = {word for row in rows("Expressions") for word in words(row[0])}
    assert written == {*OPERATORS.values(), *COMPARISONS.values(), "/", *RESERVED - {"everyone"}}


def called(row: list[str]) -> tuple[str, list[str]]:
    """The function of a row, and its options."""
    function, _, rest = code(row[0]).partition("(")
    return function, re.findall(r"(\w+)=", rest)


def test_every_function_with_every_option_is_there_and_no_other() -> None:
    found: dict[str, set[str]] = {}
    for row in rows("Functions"):
        function, options = called(row)
        found.setdefault(function, set()).update(options)
    assert found == {name: set(function.options) for name, function in FUNCTIONS.items()}
    assert COMPUTED.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("row", rows("Functions"), ids=lambda row: row[0])
def test_an_example_uses_the_word_that_it_stands_for(row: list[str]) -> None:
    function, options = called(row)
    assert f"{function}(" in code(row[2])
    assert all(f"{option}=" in code(row[2]) for option in options)


def test_every_code_that_expressions_give_is_there() -> None:
    cells = {words(row[0])[0].partition("(")[0]: words(row[1]) for row in rows("Functions")}
    assert cells["refuse"] == list(REFUSALS)
    assert set(cells["otherwise"]) >= {*WARNINGS, "warnings"}


def test_every_take_word_is_there_in_its_order_and_no_other() -> None:
    pairs = [tuple(words(row[0])) for row in rows("Inputs")]
    taken = [pair for pair in pairs if pair[0] in TAKES]
    assert taken == [(kind, take) for kind, takes in TAKES.items() for take in takes]
    for row, (kind, take) in zip(rows("Inputs"), taken, strict=False):
        given = tree(code(row[2]))
        assert (given["read"], given.get("take", TAKES[kind][0])) == (kind, take)


def test_every_key_of_an_input_is_there_and_no_other() -> None:
    keys = {words(row[0])[0] for row in rows("Inputs")} - TAKES.keys()
    keys |= {"step"} if ["rulebook", "step"] in [words(row[0]) for row in rows("Inputs")] else set()
    assert keys - {"<attribute>"} == {*model.Input.model_fields} - OF_ALL
    assert set().union(*KEYS.values()) | OF_ALL == {*model.Input.model_fields}
    for row in rows("Inputs"):
        key = words(row[0])[0]
        assert key in TAKES or key == "<attribute>" or key in tree(code(row[2]))


@pytest.mark.parametrize("key", ["of", "missing", "level"])
def test_every_word_of_a_key_is_there_and_no_other(key: str) -> None:
    cells = [row for row in rows("Inputs") if words(row[0])[0] == key]
    written = {
        word for row in cells for word in (words(row[1]) if key == "level" else words(row[0])[1:])
    }
    assert {word.strip('"') for word in written} == literals(model.Input, key)


def literals(part: type[BaseModel], key: str) -> set[str]:
    """The words that a key may be."""
    return {
        word
        for choice in (
            part.model_fields[key].annotation,
            *get_args(part.model_fields[key].annotation),
        )
        for word in get_args(choice)
        if isinstance(word, str)
    }


TREE = tree(RULEBOOK)


def keys_of(parts: Any) -> set[str]:
    return {key for part in (parts.values() if isinstance(parts, dict) else parts) for key in part}


PARTS: list[tuple[type[BaseModel], set[str], set[str]]] = [
    (model.Rulebook, {*TREE}, set()),
    (model.Label, {*TREE["title"]}, set()),
    (model.Item, keys_of(TREE["inputs"]["rated"]["items"]), set()),
    (model.Note, keys_of(TREE["notes"]), set()),
    (model.Parameter, keys_of(TREE["parameters"]), set()),
    (model.Table, keys_of(TREE["tables"]), set()),
    (model.Step, keys_of(TREE["steps"]), WRITTEN_OUT),
    (model.Example, keys_of(TREE["examples"]), set()),
]


@pytest.mark.parametrize(
    ("part", "written", "beside"), PARTS, ids=[part.__name__ for part, *_ in PARTS]
)
def test_the_rulebook_of_the_page_shows_every_key(
    part: type[BaseModel], written: set[str], beside: set[str]
) -> None:
    assert written == {*part.model_fields} | beside


def test_the_rulebook_of_the_page_names_every_period_every_match_and_everyone() -> None:
    assert all(
        re.search(rf"\b{word}\b", RULEBOOK)
        for word in literals(model.Rulebook, "period") | {"everyone"}
    )
    assert all(re.search(rf"\b{word}\b", RULEBOOK) for word in literals(model.Table, "match"))
