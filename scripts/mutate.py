"""Breaks the evaluator one operator at a time and prints the breakages that no test notices.

    .venv/bin/python scripts/mutate.py [FILE[:LINE]…]
    .venv/bin/python scripts/mutate.py --check    # only whether EQUIVALENT fits the code

Each mutant runs in a fork with the changed module in place of the real one; nothing on disk is
touched. A change that no caller could see is listed in EQUIVALENT, with the reason.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import numpy  # noqa: F401 - imported once, for all forks
import orjson  # noqa: F401
import pydantic  # noqa: F401
import pytest
import yaml  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
FILES = [
    f"domain/evaluation/{name}.py"
    for name in ("columns", "operators", "functions", "context", "evaluator")
]
TESTED = (
    "columns",
    "operators",
    "functions",
    "evaluator",
    "trace",
    "ledger_inputs",
    "examples",
    "against_reference",
    "against_oracle",
)
TESTS = [f"tests/domain/evaluation/test_{name}.py" for name in TESTED]
SECONDS = 120  # of work, however busy the machine is; a mutant that takes longer is noticed
SWAPS: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
    **{
        a: [b]
        for pair in ((ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn))
        for a, b in (pair, pair[::-1])
    },
    **{
        a: [b]
        for pair in ((ast.Add, ast.Sub), (ast.And, ast.Or), (ast.BitAnd, ast.BitOr))
        for a, b in (pair, pair[::-1])
    },
    ast.Mult: [ast.Add],
    ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.BitXor: [ast.BitAnd],
}
PAIRS = (
    "minimum maximum",
    "any all",
    "add subtract",
    "min max",
    "lt le",
    "gt ge",
    "eq ne",
)
TWINS = {a: b for pair in PAIRS for a, b in (pair.split(), pair.split()[::-1])} | {
    "multiply": "add"
}
ANY = "*"
SLOWER = "only slower, with Python's integers"
LOOSER = "a bound that is less tight"
# (function, code, change) → why no caller can see it. The code is the changed expression, of a
# changed number or name the expression around it, as `ast.unparse` writes it. ANY: every change.
EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("calculate_exactly", "bound <= LIMIT", "LtE → Lt"): "at the limit a later branch does it",
    (
        "_find_runs",
        "(a.bound + b.bound) * 2 * factor <= LIMIT",
        "LtE → Lt",
    ): "an even number is never the limit, which is odd",
    ("_half_up_quotients", "a < 0", "Lt → LtE"): "0 has no sign",
    ("_half_up_quotients", "a < 0", "0 → 1"): "0 has no sign",
    ("_half_up_quotients", "b < 0", "Lt → LtE"): "no divisor is 0",
    ("_half_up_quotients", "b < 0", "0 → 1"): "no divisor is 0",
    ("", "maxsize=1024", "1024 → 1025"): "how many are kept",
    ("split", "self.count * count > 4 * len(parts)", ANY): "only saves memory",
    ("split", "self.count * count", ANY): "only saves memory",
    ("split", "4 * len(parts)", ANY): "only saves memory",
    ("split", "if self.count * count > 4 * len(parts):", ANY): "only saves memory",
    (
        "sum_groups",
        "bound * largest_group > LIMIT and max_abs(data) * largest_group > LIMIT",
        "And → Or",
    ): SLOWER,
    ("sum_groups", "bound * largest_group > LIMIT", "Gt → GtE"): SLOWER,
    ("sum_groups", "max_abs(data) * largest_group > LIMIT", "Gt → GtE"): SLOWER,
    ("sum_groups", "fit(sums, 0)", "0 → 1"): "its places are not read",
    ("count_over_groups", "sum_groups(where.view(np.int8), 1, groups)", "1 → 2"): LOOSER,
    (
        "_multiply_and_divide",
        "largest_factor * largest_whole <= LIMIT",
        "LtE → Lt",
    ): "at the limit the other way gives the same",
    (
        "_multiply_and_divide",
        "largest_factor.bit_length() + largest_whole.bit_length() - 62",
        "Sub → Add",
    ): SLOWER,
    ("_multiply_and_divide", "whole >> shift >= 4 * largest_factor", "GtE → Gt"): SLOWER,
    (
        "match_keys",
        "(low := int(values.min())) > int(values.max()) - len(values)",
        "Gt → GtE",
    ): "only whether work is saved",
    (
        "_choose_for_all",
        "isinstance(chosen, Column) and isinstance(other, Column)",
        "And → Or",
    ): "both sides are of one kind; the second test is for the type checker",
    ("_report_input", "strict=True", "True → False"): "a fault has as many rows as positions",
    ("poisoned_column", "Decimal(0)", "0 → 1"): "a figure of rows without a value",
    (
        "_group_population",
        "max(len(words.words), 1)",
        "1 → 2",
    ): "differs only where nobody has a word",
    ("call_tenure", "[0]", "0 → 1"): "used only without people",
    ("_members", "Name(0, name)", "0 → 1"): "the column of a name is never reported here",
    (
        "_fix_order",
        "counts & order.present",
        "BitAnd → BitOr",
    ): "only saves work: without a place nothing is fixed",
    ("_fix_order", "np.where(is_fixed, 0, key)", "0 → 1"): "any figure that is the same for all",
    ("call_share", "max(pool.places, 2)", "2 → 3"): "rounded to cents afterwards",
    (
        "_combine_flags",
        "Column(LOGICAL[node.operator](result.data, other.data), 0, 1)",
        "1 → 2",
    ): LOOSER,
    ("_differs_within_tie", "int(sets.max()) + 1", "1 → 2"): "room for one set more",
}


class Mutant(NamedTuple):
    """A file with one node changed into another."""

    file: str
    function: str
    code: str
    change: str
    original: ast.Module
    old: ast.AST
    new: ast.AST

    @property
    def line(self) -> int:
        return getattr(self.old, "lineno", 0)

    @property
    def keys(self) -> set[tuple[str, str, str]]:
        """The keys of EQUIVALENT that it could have."""
        return {(self.function, self.code, change) for change in (self.change, ANY)}

    @property
    def tree(self) -> ast.Module:
        """The changed file."""
        tree: ast.Module = _replace(self.original, self.old, self.new)
        return ast.fix_missing_locations(tree)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.function}: {self.change}: {self.code}"


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a node can be changed into, each with the name of the change."""
    match node:
        case ast.Compare(ops=operators):
            for index, operator in enumerate(operators):
                for name, other in _other_operators(operator):
                    ops = [*operators[:index], other, *operators[index + 1 :]]
                    yield name, _with(node, ops=ops)
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) | ast.BoolOp(op=operator):
            for name, other in _other_operators(operator):
                yield name, _with(node, op=other)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield f"no {type(node.op).__name__}", operand
        case ast.If(test=test) | ast.IfExp(test=test):
            yield "condition negated", _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Call(func=ast.Attribute(attr="where"), args=[condition, a, b]):
            yield "where swapped", _with(node, args=[condition, b, a])
        case _:
            yield from _leaf_changes(node)


def _other_operators(operator: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for other in SWAPS.get(type(operator), ()):
        yield f"{type(operator).__name__} → {other.__name__}", other()


def _leaf_changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Constant(value=bool(flag)):
            yield f"{flag} → {not flag}", _with(node, value=not flag)
        case ast.Constant(value=int(number)):
            yield f"{number} → {number + 1}", _with(node, value=number + 1)
        case ast.Attribute(attr=name) if name in TWINS:
            yield f"{name} → {TWINS[name]}", _with(node, attr=TWINS[name])
        case ast.Name(id=name) if name in TWINS:
            yield f"{name} → {TWINS[name]}", _with(node, id=TWINS[name])


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    changed = copy.copy(node)
    vars(changed).update(fields)
    return changed


def mutants(file: str) -> Iterator[Mutant]:
    """Every mutant of a file; assertions and code for type checkers stay as they are."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    skipped = _skipped_nodes(tree)
    for function, parent, node in _with_surroundings(tree, "", tree):
        for change, other in () if node in skipped else changes(node):
            yield Mutant(file, function, _code_of(node, parent), change, tree, node, other)


def _skipped_nodes(tree: ast.Module) -> set[ast.AST]:
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        parts = [
            getattr(node, "annotation", None),
            getattr(node, "returns", None),
            *getattr(node, "decorator_list", []),
        ]
        is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if isinstance(node, ast.Assert) or is_for_types:
            parts = [node]
        for part in parts:
            skipped.update(ast.walk(part) if part else ())
    return skipped


def _with_surroundings(
    node: ast.AST, function: str, parent: ast.AST
) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """The node and all below it, each with the name of its function and its parent."""
    yield function, parent, node
    inside = node.name if isinstance(node, ast.FunctionDef) else function
    for child in ast.iter_child_nodes(node):
        yield from _with_surroundings(child, inside, node)


def _code_of(node: ast.AST, parent: ast.AST) -> str:
    """The text of the expression; of a number or name that of its parent, of an `if` its head."""
    shown = parent if isinstance(node, ast.Constant | ast.Name | ast.Attribute) else node
    if isinstance(shown, ast.keyword):
        return ast.unparse(shown)
    if isinstance(shown, ast.If):
        return ast.unparse(_with(shown, body=[], orelse=[]))
    return ast.unparse(shown)


def _replace(tree: Any, old: ast.AST, new: ast.AST) -> Any:
    """The tree with one node replaced; the tree itself stays as it is."""
    if tree is old:
        return new
    if isinstance(tree, list):
        return [_replace(part, old, new) for part in tree]
    if not isinstance(tree, ast.AST):
        return tree
    return _with(tree, **{name: _replace(part, old, new) for name, part in ast.iter_fields(tree)})


def stale_keys() -> list[tuple[str, str, str]]:
    """The keys of EQUIVALENT that no mutant has any more: the code has changed."""
    keys = {key for file in FILES for mutant in mutants(file) for key in mutant.keys}
    return [key for key in EQUIVALENT if key not in keys]


class _InPlace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self.module, self.code = module, compile(tree, module, "exec")

    def find_spec(self, name: str, *_: Any) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self.module else None

    def exec_module(self, module: Any) -> None:
        exec(self.code, vars(module))  # noqa: S102 - that is what it is for


def is_noticed(file: str, tree: ast.Module) -> bool:
    """Whether a test fails, or does not end, with this file."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.meta_path.insert(0, _InPlace(file.removesuffix(".py").replace("/", "."), tree))
    hypothesis.settings.register_profile(
        "mutate", derandomize=True, deadline=None, database=None, max_examples=60
    )
    hypothesis.settings.load_profile("mutate")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        os._exit(
            pytest.main(
                ["-x", "-q", "--noconftest", "--assert=plain", "-p", "no:cacheprovider", *TESTS]
            )
        )
    finally:  # whatever was raised: a fork must not go on with the jobs of its parent
        os._exit(1)


def main(arguments: list[str]) -> int:
    """Prints the survivors; 1 if there are any, or if EQUIVALENT does not fit the code."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    if stale := stale_keys():
        for key in stale:
            print(f"EQUIVALENT has a key that fits no mutant: {key}")
        return 1
    if arguments == ["--check"]:
        return 0
    jobs: list[Mutant] = []
    for argument in arguments or FILES:
        file, _, line = argument.partition(":")
        unchanged = ast.parse(Path(file).read_text("utf-8"))
        assert not is_noticed(file, unchanged), f"the tests fail with {file} as it is"
        for mutant in mutants(file):
            if line in {"", str(mutant.line)} and not mutant.keys & EQUIVALENT.keys():
                jobs.append(mutant)
    survivors = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda mutant: is_noticed(mutant.file, mutant.tree), jobs)
        for mutant, noticed in zip(jobs, results, strict=True):
            if not noticed:
                survivors += 1
                print(mutant, flush=True)
    print(f"{len(jobs)} mutants, {survivors} survive")
    return int(bool(survivors))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
