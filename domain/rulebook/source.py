"""The text of a rulebook: YAML in which every value keeps its line and column, and nothing is guessed.

All scalars stay text (0.10 never becomes a float); anchors, aliases, tags, duplicate keys and empty values are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import yaml

from domain.errors import MeritError, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
Path = tuple[str | int, ...]
Tree = str | dict[str, "Tree"] | list["Tree"]


class Place(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One mistake in a rulebook: where it is, and what to write instead."""

    place: Place
    text: Text

    def at(self, file: str) -> str:
        """`file:line:column: words`, in both languages."""
        return f"{file}:{self.place.line}:{self.place.column}: {self.text.both}"


class BrokenRulebook(MeritError):
    """A rulebook that does not hold; `problems` has every mistake with its place."""

    code = "broken_rulebook"

    def __init__(self, problems: Sequence[Problem], file: str = "rulebook") -> None:
        self.problems = tuple(sorted(problems))
        self.file = file
        lines = "\n".join(problem.at(file) for problem in self.problems)
        super().__init__(Text(lines, lines))


@dataclass
class Source:
    """A rulebook's text as a tree of words, with the place of every key and value."""

    tree: Tree
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    folded: set[Path] = field(default_factory=set)  # values over several lines: columns inside are lost

    def place(self, path: Path, offset: int = 0) -> Place:
        """Where the value at `path` stands, `offset` characters into it; the nearest parent's if it is absent."""
        while path and path not in self.values:
            path, offset = path[:-1], 0
        line, column = self.values.get(path, Place(1, 1))
        return Place(line, column) if path in self.folded else Place(line, column + offset)


def read(text: str, file: str = "rulebook") -> Source:
    """The tree of a rulebook's text. Raises BrokenRulebook with the place of what YAML or we refuse."""
    if len(text.encode()) > MAX_BYTES:
        raise BrokenRulebook([Problem(Place(1, 1), Text("文件超过 1 MB", "the file is over 1 MB"))], file)
    reader = _Reader()
    try:
        _check_events(text)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise BrokenRulebook(
            [Problem(place, Text(f"YAML 写法不对：{error.problem}", f"not YAML: {error.problem}"))], file
        ) from None
    except yaml.YAMLError as error:
        raise BrokenRulebook(
            [Problem(Place(1, 1), Text(f"YAML 写法不对：{error}", f"not YAML: {error}"))], file
        ) from None
    if not isinstance(root, yaml.MappingNode):
        raise BrokenRulebook(
            [Problem(Place(1, 1), Text("规则文件应是键值结构", "a rulebook is a mapping of keys to values"))], file
        )
    source = Source({})
    source.tree = reader.walk(root, (), source)
    if reader.problems:
        raise BrokenRulebook(reader.problems, file)
    return source


def _check_events(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                None, None, "anchors and aliases (& *) are not used here: write it out", event.start_mark
            )
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(None, None, f"nested more than {MAX_DEPTH} deep", event.start_mark)


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def walk(self, node: yaml.Node, path: Path, source: Source) -> Tree:
        place = Place(node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.ScalarNode):
            quoted = node.style in {"'", '"'}
            source.values[path] = Place(place.line, place.column + quoted)
            if node.end_mark.line != node.start_mark.line:
                source.folded.add(path)
            if not node.value.strip() and not quoted:
                self.problems.append(Problem(place, Text("这里缺少值", "a value is missing here")))
            return str(node.value)
        source.values[path] = place
        if isinstance(node, yaml.SequenceNode):
            return [self.walk(child, (*path, i), source) for i, child in enumerate(node.value)]
        tree: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            key, key_place = str(key_node.value), Place(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key in tree:
                self.problems.append(
                    Problem(
                        key_place,
                        Text(
                            f"键 {key} 重复，前一个在第 {source.keys[(*path, key)].line} 行",
                            f"key {key} stands twice; the first is on line {source.keys[(*path, key)].line}",
                        ),
                    )
                )
            source.keys[(*path, key)] = key_place
            tree[key] = self.walk(value_node, (*path, key), source)
        return tree
