"""Breaks the evaluator one operator at a time and says which breakages no test notices.

    .venv/bin/python scripts/mutate.py [FILE[:LINE]…]

Each mutant runs in a fork with the changed module in place of the real one; nothing on disk is
touched. What changes nothing that a caller could see stands in EQUIVALENT, by its line and change,
with the reason.
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
from typing import Any

import hypothesis
import numpy  # noqa: F401 - imported once, for all forks
import orjson  # noqa: F401
import pydantic  # noqa: F401
import pytest
import yaml  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
FILES = [
    f"domain/evaluation/{name}.py" for name in ("columns", "operators", "functions", "evaluator")
]
NAMES = (
    "columns",
    "operators",
    "functions",
    "evaluator",
    "trace",
    "ledger_inputs",
    "examples",
    "against_reference",
)
TESTS = [f"tests/domain/evaluation/test_{name}.py" for name in (*NAMES, "against_oracle")]
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
    "smaller greater",
    "min max",
    "lt le",
    "gt ge",
    "eq ne",
)
TWINS = {a: b for pair in PAIRS for a, b in (pair.split(), pair.split()[::-1])} | {
    "multiply": "add"
}
ANY = "*"
PLACE = "where the name stands in the text is told to nobody"
EQUIVALENT: dict[tuple[str, str], str] = {
    (
        "if bound <= LIMIT and a.dtype == b.dtype == INT64:",
        "LtE → Lt",
    ): "at the limit the next branch does the same",
    (
        (
            "if (a.bound + b.bound) * 2 * factor <= LIMIT or len(a) != len(b) or OBJECT in "
            "(a.data.dtype, b.data.dtype):"
        ),
        "LtE → Lt",
    ): "an even number is never the limit, which is odd",
    ("below = (a < 0) ^ (b < 0)", "Lt → LtE"): "0 has no sign, and no divisor is 0",
    ("below = (a < 0) ^ (b < 0)", "0 → 1"): "the same: these are whole numbers",
    (
        (
            "in_table = lru_cache(maxsize=1024)(columns.from_decimals)  # a table's figures are the same "
            "each time"
        ),
        "1024 → 1025",
    ): ("how many are kept"),
    (
        "if self.count * count > 4 * len(parts):",
        ANY,
    ): "only saves memory: the parts stay the same ones",
    (
        "if bound * biggest > LIMIT and largest(data) * biggest > LIMIT:",
        "And → Or",
    ): "only slower: Python's integers",
    (
        "if bound * biggest > LIMIT and largest(data) * biggest > LIMIT:",
        "Gt → GtE",
    ): "at the limit only slower",
    ("if biggest * size <= LIMIT:", "LtE → Lt"): "at the limit the other way gives the same",
    (
        (
            "if len(values) and values.dtype != object and (low := int(values.min())) > "
            "int(values.max()) - len(values):"
        ),
        "Gt → GtE",
    ): "only when the work is saved",
    (
        "result = Column(LOGICAL[node.operator](result.data, other.data), 0, 1)",
        "1 → 2",
    ): "a bound that is less tight",
    (
        "for row, position in zip(fault.rows.tolist(), fault.positions.tolist(), strict=True):",
        "True → False",
    ): "they are as many, by how faults are made",
    (
        (
            "return columns.constant(Decimal(0)).with_poison(np.array([self.poison(code, self.step)], "
            "np.int16))"
        ),
        "0 → 1",
    ): "a value that is not there",
    (
        "return groups.split(parted.codes, max(len(parted.words), 1)), parted.poison",
        "1 → 2",
    ): "only where nobody has a word",
    ("return fit(sums, 0).data", "0 → 1"): "its places are not looked at",
    ("first = np.zeros(int(sets.max()) + 1, np.int64)", "1 → 2"): "room for one that is not there",
    (
        "sizes = groups.sizes if where.all() else group_sum(where.view(np.int8), 1, groups)",
        "1 → 2",
    ): "a bound that is less tight",
    (
        "leading = biggest.bit_length() + size.bit_length() - 62",
        "Sub → Add",
    ): "only slower: few enough bits for nobody",
    (
        "enough = (whole >> leading) >= 4 * biggest",
        "GtE → Gt",
    ): "only slower: the other way gives the same",
    (
        (
            "starts = np.array([_month_index(word) for word in given.words] or [0], "
            "np.int64)[given.codes]"
        ),
        "0 → 1",
    ): "nobody is there to have it",
    (
        'return {item: run.figure(Name(0, f"{group}.{item}")) for item in given.items}',
        "0 → 1",
    ): PLACE,
    (
        (
            "return {item: run.figure(Name(0, step)) for step, (prefix, _, item) in steps.items() if "
            "prefix == group}"
        ),
        "0 → 1",
    ): PLACE,
    (
        "if not (counts & order.present).any():",
        "BitAnd → BitOr",
    ): "only saves work: without a place nothing is fixed",
    (
        (
            "chosen = [np.where(fixed, -order.data, first), *(np.where(fixed, 0, key) for key in "
            "others)]"
        ),
        "0 → 1",
    ): "any figure that is the same for all",
    (
        "cents = columns.round_half_up(columns.rescale(pool, max(pool.places, 2)), 2)",
        "2 → 3",
    ): "rounded to cents after",
    (
        "if isinstance(chosen, Column) and isinstance(other, Column):",
        "And → Or",
    ): "both sides are of one kind; the second look is for the type checker",
}


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a node could be changed into, and what the change is called."""
    match node:
        case ast.Compare(ops=operators):
            for place, operator in enumerate(operators):
                for name, other in _others(operator):
                    yield (
                        name,
                        _with(node, ops=[*operators[:place], other, *operators[place + 1 :]]),
                    )
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) | ast.BoolOp(op=operator):
            for name, other in _others(operator):
                yield name, _with(node, op=other)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield f"no {type(node.op).__name__}", operand
        case ast.If(test=test) | ast.IfExp(test=test):
            yield "condition turned", _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Call(func=ast.Attribute(attr="where"), args=[condition, a, b]):
            yield "where turned", _with(node, args=[condition, b, a])
        case _:
            yield from _changed_names(node)


def _others(operator: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for other in SWAPS.get(type(operator), ()):
        yield f"{type(operator).__name__} → {other.__name__}", other()


def _changed_names(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
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


def mutants(source: str) -> Iterator[tuple[int, str, ast.Module]]:
    """Line, change and tree of every mutant of a file; assertions and what is only for type
    checkers stay.
    """
    tree = ast.parse(source)
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        parts = [
            getattr(node, "annotation", None),
            getattr(node, "returns", None),
            *getattr(node, "decorator_list", []),
        ]
        if isinstance(node, ast.Assert) or (
            isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        ):
            parts = [node]
        skipped.update(inner for part in parts if part for inner in ast.walk(part))
    for node in ast.walk(tree):
        for change, other in () if node in skipped else changes(node):
            yield (
                getattr(node, "lineno", 0),
                change,
                ast.fix_missing_locations(_put(tree, node, other)),
            )


def _put(tree: Any, old: ast.AST, new: ast.AST) -> Any:
    """The tree with one node replaced; the tree itself stays as it is."""
    if tree is old:
        return new
    if isinstance(tree, list):
        return [_put(part, old, new) for part in tree]
    if not isinstance(tree, ast.AST):
        return tree
    return _with(tree, **{name: _put(part, old, new) for name, part in ast.iter_fields(tree)})


class _InPlace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self.module, self.code = module, compile(tree, module, "exec")

    def find_spec(self, name: str, *_: Any) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self.module else None

    def exec_module(self, module: Any) -> None:
        exec(self.code, vars(module))  # noqa: S102 - that is what it is for


def noticed(file: str, tree: ast.Module) -> bool:
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


def main(wanted: list[str]) -> int:
    """Prints the survivors; 1 if there are any."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    jobs: list[tuple[str, int, str, str, ast.Module]] = []
    for name in wanted or FILES:
        file, _, only = name.partition(":")
        source = Path(file).read_text("utf-8")
        assert not noticed(file, ast.parse(source)), f"the tests fail with {file} as it is"
        for line, change, tree in mutants(source):
            text = source.splitlines()[line - 1].strip()
            if (
                only in {"", str(line)}
                and (text, change) not in EQUIVALENT
                and (text, ANY) not in EQUIVALENT
            ):
                jobs.append((file, line, change, text, tree))
    survivors = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda job: noticed(job[0], job[-1]), jobs)
        for (file, line, change, text, _), was_noticed in zip(jobs, results, strict=True):
            if not was_noticed:
                survivors += 1
                print(f"{file}:{line}: {change}: {text}", flush=True)
    print(f"{len(jobs)} mutants, {survivors} survive")
    return int(bool(survivors))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
