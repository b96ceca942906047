"""Breaks the evaluator one operator at a time and says which breakages no test notices.

    .venv/bin/python scripts/mutate.py [FILE[:LINE]…]

Each mutant runs in a fork with the changed module in place of the real one; nothing on disk is touched.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis
import numpy  # noqa: F401 - imported once, for all forks
import orjson  # noqa: F401
import pydantic  # noqa: F401
import pytest
import yaml  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
FILES = [f"domain/evaluation/{name}.py" for name in ("columns", "operators", "functions", "evaluator")]
TESTS = [f"tests/domain/evaluation/test_{name}.py" for name in ("columns", "operators", "functions", "evaluator")]
TESTS += [f"tests/domain/evaluation/test_{name}.py" for name in ("ledger_inputs", "examples", "against_reference")]
TESTS += ["tests/domain/evaluation/test_against_oracle.py"]
SECONDS = 120  # a mutant that runs longer is noticed
SWAPS: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.Gt], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is], ast.In: [ast.NotIn],
    ast.NotIn: [ast.In], ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Add], ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.FloorDiv], ast.Pow: [ast.Mult], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
    ast.And: [ast.Or], ast.Or: [ast.And],
}  # fmt: skip
NAMES = {"minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any", "add": "subtract", "subtract": "add",
         "multiply": "add", "smaller": "greater", "greater": "smaller", "min": "max", "max": "min", "lt": "le",
         "le": "lt", "gt": "ge", "ge": "gt", "eq": "ne", "ne": "eq"}  # fmt: skip


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a node could be changed into, and what the change is called."""
    match node:
        case ast.Compare(ops=operators):
            for place, operator in enumerate(operators):
                for other in SWAPS.get(type(operator), ()):
                    yield (
                        named(operator, other),
                        replaced(node, ops=[*operators[:place], other(), *operators[place + 1 :]]),
                    )
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) | ast.BoolOp(op=operator):
            for other in SWAPS.get(type(operator), ()):
                yield named(operator, other), replaced(node, op=other())
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield f"no {type(node.op).__name__}", operand
        case ast.Constant(value=bool(flag)):
            yield f"{not flag}", replaced(node, value=not flag)
        case ast.Constant(value=int(number)):
            yield f"{number + 1}", replaced(node, value=number + 1)
        case ast.Attribute(attr=name) if name in NAMES:
            yield f"{name} → {NAMES[name]}", replaced(node, attr=NAMES[name])
        case ast.Name(id=name) if name in NAMES:
            yield f"{name} → {NAMES[name]}", replaced(node, id=NAMES[name])
        case ast.If(test=test) | ast.IfExp(test=test):
            yield "condition turned", replaced(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Call(func=ast.Attribute(attr="where"), args=[condition, a, b]):
            yield "where turned", replaced(node, args=[condition, b, a])


def named(operator: ast.AST, other: type) -> str:
    return f"{type(operator).__name__} → {other.__name__}"


def replaced(node: ast.AST, **fields: Any) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def mutants(source: str) -> Iterator[tuple[int, str, ast.Module]]:
    """Line, change and tree of every mutant of a file; assertions and what is only for type checkers stay."""
    tree = ast.parse(source)
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        parts = [node] if isinstance(node, ast.Assert) else getattr(node, "decorator_list", [])
        parts = [*parts, *filter(None, (getattr(node, "annotation", None), getattr(node, "returns", None)))]
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts = [node]
        skipped.update(inner for part in parts for inner in ast.walk(part))
    for node in [n for n in ast.walk(tree) if n not in skipped]:
        for change, other in changes(node):
            before = dict(vars(node)), type(node)
            yield getattr(node, "lineno", 0), change, put(tree, node, other)
            assert before == (dict(vars(node)), type(node))


def put(tree: ast.Module, old: ast.AST, new: ast.AST) -> ast.Module:
    """The tree with one node replaced."""

    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return new if node is old else self.generic_visit(copy.copy(node))

        def generic_visit(self, node: ast.AST) -> ast.AST:
            for name, value in ast.iter_fields(node):
                if isinstance(value, list):
                    setattr(node, name, [self.visit(v) if isinstance(v, ast.AST) else v for v in value])
                elif isinstance(value, ast.AST):
                    setattr(node, name, self.visit(value))
            return node

    made: ast.Module = Put().visit(tree)
    return ast.fix_missing_locations(made)


class InPlace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self.module, self.code = module, compile(tree, module, "exec")

    def find_spec(self, name: str, *_: Any) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self.module else None

    def exec_module(self, module: Any) -> None:
        exec(self.code, vars(module))  # noqa: S102 - that is what it is for


def noticed(file: str, tree: ast.Module) -> bool:
    """Whether a test fails, or does not end, with this file."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    signal.alarm(SECONDS)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.meta_path.insert(0, InPlace(file.removesuffix(".py").replace("/", "."), tree))
    hypothesis.settings.register_profile("mutate", derandomize=True, deadline=None, database=None, max_examples=60)
    hypothesis.settings.load_profile("mutate")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os._exit(pytest.main(["-x", "-q", "--noconftest", "--assert=plain", "-p", "no:cacheprovider", *TESTS]))


def main(wanted: list[str]) -> int:
    """Prints the survivors; 1 if there are any."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    jobs: list[tuple[str, int, str, ast.Module]] = []
    for name in wanted or FILES:
        file, _, only = name.partition(":")
        source = Path(file).read_text("utf-8")
        assert not noticed(file, ast.parse(source)), f"the tests fail with {file} as it is"
        jobs += [(file, *mutant) for mutant in mutants(source) if only in {"", str(mutant[0])}]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda job: noticed(job[0], job[3]), jobs))
    survivors = [job for job, was_noticed in zip(jobs, results, strict=True) if not was_noticed]
    for file, line, change, _ in survivors:
        text = Path(file).read_text("utf-8").splitlines()[line - 1].strip()
        sys.stdout.write(f"{file}:{line}: {change}: {text}\n")
    sys.stdout.write(f"{len(jobs)} mutants, {len(survivors)} survive\n")
    return int(bool(survivors))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
