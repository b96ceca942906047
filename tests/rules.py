"""Small rulebooks for tests of one word or rule, and what becomes of a few people under them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from domain.evaluation.context import Evaluation
from domain.evaluation.evaluator import evaluate
from domain.evaluation.examples import ExampleInputs
from domain.rulebook.checks import Program, check
from domain.rulebook.model import Example

Parts = Mapping[str, Any]
HEAD = {
    "id": "small",
    "version": "1.0.0",
    "title": {"zh": "小", "en": "Small"},
    "source": {"zh": "试", "en": "Test"},
    "period": "year",
    "effective_from": "2000-01",
    "roles": "everyone",
}


class _WrittenOut(yaml.SafeDumper):
    def ignore_aliases(self, _: object) -> bool:
        return True


def label(name: str) -> dict[str, str]:
    return {"zh": f"《{name}》", "en": f"the {name}"}


def text_of(
    steps: Mapping[str, str],
    *,
    inputs: Mapping[str, Parts] | None = None,
    tables: Mapping[str, Parts] | None = None,
    parameters: Mapping[str, str] | None = None,
    **head: Any,
) -> str:
    """A rulebook's text. Steps are written {"name unit": expression}, with `?` before the name
    where one is optional; parameters {"name unit": figure}; inputs and tables as in the file,
    without label and clause.
    """
    written = []
    for named, value in steps.items():
        name, unit = named.split()
        step = {
            "step": name.lstrip("?"),
            "label": label(name),
            "unit": unit,
            "clause": "一",
            "value": value,
        }
        written.append(step | ({"optional": "true"} if name.startswith("?") else {}))
    figures: dict[str, Any] = {}
    for named, value in (parameters or {}).items():
        name, unit = named.split()
        figures[name] = {"label": label(name), "unit": unit, "clause": "一", "value": value}
    tree = {
        **HEAD,
        **head,
        "parameters": figures,
        "tables": {
            name: {"label": label(name), "clause": "一", **part}
            for name, part in (tables or {}).items()
        },
        "inputs": {name: {"label": label(name), **part} for name, part in (inputs or {}).items()},
        "steps": written,
    }
    return yaml.dump(tree, Dumper=_WrittenOut, allow_unicode=True, sort_keys=False)


def program(steps: Mapping[str, str], **parts: Any) -> Program:
    """The program of such a rulebook."""
    return check(text_of(steps, **parts))


def run(rules: Program, people: Mapping[str, Parts], **given: Any) -> Evaluation:
    """The evaluation of these people, given as in an example."""
    return evaluate(
        rules, ExampleInputs(Example(name="test", people=dict(people), given=given), rules)
    )


def figures(evaluation: Evaluation, step: str) -> dict[str, str | None]:
    """Person → the step's figure, None where there is none."""
    column = evaluation.steps[step]
    there = column.present
    return {
        manager: column.text(row) if there[row] else None
        for row, manager in enumerate(evaluation.people.managers)
    }


def found(evaluation: Evaluation) -> set[tuple[str, str, str, str]]:
    """The findings: person, code, step, what about."""
    return {
        (evaluation.people.managers[f.row], f.reason.code, f.step, f.reason.about)
        for f in evaluation.findings
    }


def warned(evaluation: Evaluation) -> set[tuple[str, str, str]]:
    """The warnings: person, code, step."""
    return {
        (evaluation.people.managers[row], warning.code, warning.step)
        for warning in evaluation.warnings
        for row in warning.rows.nonzero()[0].tolist()
    }


def given(read: str, unit: str = "ratio", **more: Any) -> dict[str, Any]:
    """An input."""
    return {"read": read, "unit": unit, **more}


def value(
    expression: str, people: Mapping[str, Parts], *, unit: str = "ratio", **parts: Any
) -> dict[str, str | None]:
    """What an expression is for each of these people."""
    return figures(run(program({f"?x {unit}": expression}, **parts), people), "x")
