"""Every step of every shipped rulebook is explained, printed in both languages, and follows from
what its explanation prints; and so is every word of the language.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

import pytest

from api.cli.printing.statements import explanation
from api.documents.statements import Derivation
from domain.errors import Text
from domain.evaluation.context import Evaluation
from domain.evaluation.nearest import nearest_changes
from domain.evaluation.statements import refused_branches, statements_of
from domain.evaluation.trace import StepTrace, trace_steps
from domain.evaluation.wording import SAID_BEHIND
from domain.rulebook.expressions import COMPARISONS, OPERATORS, Call, Node, children, parse
from domain.rulebook.vocabulary import FUNCTIONS, JOINERS, REFUSALS, SIGNS
from projections.explain.derivation import Explanation
from projections.records.statements import Issued
from tests.cases import case
from tests.facts import evaluated, shipped_ids, shipped_program
from tests.generators import random_branch
from tests.oracle_schemes.arithmetic import half_up
from tests.recomputed import Explained
from tests.rules import given, program, run

SIZES = (1, 4, 11)
SEEDS = range(3)
LANGUAGES = ("zh", "en")


def documented(evaluation: Evaluation, row: int, changes: bool = False) -> Derivation:
    """What is printed of a person's statement."""
    statement = statements_of(evaluation)[row]
    rules = evaluation.program.rulebook
    issued = Issued(
        statement.manager, "2026-10", rules.id, 1, 1, statement.branch, statement.team,
        rules.version, 1, "", statement.steps, [dict(w.as_json()) for w in statement.warnings],
        "hr", "2026-11-01T00:00:00.000000Z",
    )  # fmt: skip
    found = Explanation(
        issued, rules, "", "", trace_steps(evaluation, row), {}, {}, [], None,
        nearest_changes(evaluation, row) if changes else [],
    )  # fmt: skip
    return Derivation.of_explanation(found)


def printed(document: Derivation, capsys: pytest.CaptureFixture[str], language: str) -> str:
    explanation(document, language)
    return capsys.readouterr().out


@cache
def months(rulebook: str) -> tuple[tuple[str, Evaluation], ...]:
    """Random months of a rulebook that are not refused."""
    found = []
    for size in SIZES:
        for seed in SEEDS:
            made = random_branch(rulebook, size, seed)
            evaluation = evaluated(
                made.entries, shipped_program(rulebook), made.period, [made.branch], made.settled
            )
            if not refused_branches(evaluation):
                found.append((f"{size} people, seed {seed}", evaluation))
    assert len(found) > len(SIZES), "few months are refused"
    return tuple(found)


@pytest.mark.parametrize("rulebook", shipped_ids())
def test_every_step_is_explained_and_printed_in_both_languages(
    rulebook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, evaluation in months(rulebook):
        for row in range(min(len(evaluation.people), 3)):
            with case(rulebook, name, row):
                document = documented(evaluation, row, changes=row == 0)
                for language in LANGUAGES:
                    text = printed(document, capsys, language)
                    assert not re.search(r"None|\{|\}", text), text
                    for step in document.steps:
                        label = getattr(step.label, language)
                        assert f". {label} = " in text
                        assert getattr(step.formula, language) in text


@pytest.mark.parametrize("rulebook", shipped_ids())
def test_every_figure_follows_from_what_its_explanation_prints(rulebook: str) -> None:
    for name, evaluation in months(rulebook):
        explained = Explained(evaluation)
        for row, steps in enumerate(explained.traces):
            for step in steps.values():
                with case(rulebook, name, row, step.step):
                    assert explained.recomputed(row, step.step) == step.value
                    check_arithmetic(step)


ROUNDED = re.compile(r"(.*) \(half up, (\d+) places\)")
OTHERWISE = re.compile(r"\((.*)\) \(or \S+ where there is none\)(?: \(with a note\))?")
ARITHMETIC = re.compile(r"[\d.() +−×÷-]+")


def check_arithmetic(step: StepTrace) -> bool:
    """Where the figures are plain arithmetic, they come to the value. Whether they are."""
    figures, places = step.figures.en, None
    if match := OTHERWISE.fullmatch(figures):
        figures = match[1]
    if match := ROUNDED.fullmatch(figures):
        figures, places = match[1], int(match[2])
    if not ARITHMETIC.fullmatch(figures) or step.value is None or step.unit == "flag":
        return False
    python = figures.replace("−", "-").replace("×", "*").replace("÷", "/")
    exact = eval(re.sub(r"\d+(\.\d+)?", r"Fraction('\g<0>')", python), {"Fraction": Fraction})  # noqa: S307
    assert (exact if places is None else half_up(exact, places)) == Fraction(step.value), figures
    return True


def test_the_figures_of_many_steps_are_arithmetic_that_anyone_can_do() -> None:
    checked = [
        check_arithmetic(step)
        for rulebook in shipped_ids()
        for _, evaluation in months(rulebook)[:2]
        for step in trace_steps(evaluation, 0)
    ]
    assert sum(checked) > 100


# every word of the language

WORDS = {  # an expression for each word, and for each of its options
    "min": "min(a, b)",
    "max": "max(a, b)",
    "round": "round(a + b, 1)",
    "floor": "floor(a)",
    "sum": "sum(rated) * 2 + sum(own) - sum(a, team, where=a > 1, by=role) + sum(t.x)",
    "mean": "otherwise(mean(rated) + mean(rated, weights=w), 0) + mean(own) + mean(t.x)"
    " + mean(a, branch, where=a > 0, by=role) + mean(a, branch, each=team)",
    "count": "count(branch, where=a > 1, by=team)",
    "rank": "rank(a, branch, where=a > 0, by=role, then=b, fixed_by=a)",
    "distribute": "distribute(place, tiers, branch, barred=a > 1, by=role)",
    "share": "share(pool, a, branch)",
    "lookup": "lookup(bands, a) * lookup(t.x, 'speed')",
    "sumproduct": "sumproduct(rated, w) * 2",
    "has": "has(c)",
    "otherwise": "otherwise(c, 0, warn='missing_rating') + otherwise(c + 1, a)",
    "refuse": "(refuse('out_of_bounds') if a < 0 else refuse('missing_measure') if a < 0"
    " else refuse('missing_rating') if a < 0 else refuse('missing_attribute') if a < 0"
    " else refuse('not_positive') if a < 0 else b)",
    "tenure": "tenure(hired)",
}
UNITS = {"share": "yuan", "has": "flag", "rank": "people", "count": "people", "tenure": "month"}
PARTS = {
    "inputs": {
        "a": given("measure", default="0"),
        "b": given("measure"),
        "c": given("measure", missing="absent"),
        "hired": given("attribute", "date", take="date", default="2020-01-31"),
        "pool": given("measure", "yuan", of="branch"),
        "rated": given(
            "rating",
            missing="absent",
            items={"speed": {"zh": "速度", "en": "Speed"}, "care": {"zh": "服务", "en": "Care"}},
        ),
    },
    "tables": {
        "w": {"unit": "ratio", "rows": {"speed": "0.4", "care": "0.6"}},
        "t": {"columns": {"x": "ratio"}, "rows": {"speed": {"x": "1"}, "care": {"x": "3"}}},
        "bands": {"unit": "ratio", "match": "from", "rows": {"0": "1", "2": "3"}},
        "tiers": {
            "columns": {"share": "ratio", "barred": "flag"},
            "rows": {"1": {"share": "0.4", "barred": "1"}, "2": {"share": "0.6", "barred": "0"}},
        },
    },
}
PEOPLE = {
    "M1": {"a": "1", "b": "2", "c": "3", "rated": {"speed": "90", "care": "85.5"}},
    "M2": {"a": "2.5", "b": "-2", "rated": {"speed": "70"}},
    "M3": {"a": "3", "team": "T2"},
}


def calls(node: Node) -> list[Call]:
    own = [node] if isinstance(node, Call) else []
    return own + [call for child in children(node) for call in calls(child)]


def spoken(function: str) -> Evaluation:
    """The evaluation of a word."""
    steps = {"?own.x ratio": "a", "?own.y ratio": "b", "place place": "rank(b, branch)"}
    return run(
        program(steps | {f"?x {UNITS.get(function, 'ratio')}": WORDS[function]}, **PARTS),
        PEOPLE,
        pool="100",
    )


def test_every_word_of_the_language_has_an_expression_here() -> None:
    assert WORDS.keys() == FUNCTIONS.keys()
    for function, expression in WORDS.items():
        options = {
            name
            for call in calls(parse(expression))
            if call.function == function
            for name, _ in call.options
        }
        assert options == FUNCTIONS[function].options.keys()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_word_is_explained_printed_and_recomputed(
    function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluation = spoken(function)
    assert not evaluation.findings
    explained = Explained(evaluation)
    for row in range(len(PEOPLE)):
        step = explained.traces[row]["x"]
        assert explained.recomputed(row, "x") == step.value
        check_arithmetic(step)
        for language in LANGUAGES:
            text = printed(documented(evaluation, row, changes=True), capsys, language)
            assert not re.search(r"None|\{|\}", text), text
            assert step.formula.in_language(language) in text
    assert step.formula.zh != step.formula.en


def test_every_operator_and_every_code_is_said_in_both_languages() -> None:
    assert SIGNS.keys() == {*OPERATORS.values(), *COMPARISONS.values()}
    assert JOINERS.keys() == {"and", "or"}
    said: list[Text] = [*REFUSALS.values(), *JOINERS.values()]
    for function in FUNCTIONS.values():
        phrases = [function.phrase, *function.options.values()]
        said += [*phrases, *([function.of_population] if function.of_population else [])]
    for zh, en in said:
        assert zh.strip()
        assert en.strip()
        assert sorted(re.findall(r"{\w+}", zh)) == sorted(re.findall(r"{\w+}", en))
        assert not re.search(r"[A-Za-z]", re.sub(r"{\w+}", "", zh))
    assert FUNCTIONS.keys() >= SAID_BEHIND
