"""The text of a rulebook: YAML in which every value keeps its line and column, and nothing is
guessed.

All scalars stay text (0.10 never becomes a float); anchors, aliases, tags, duplicate keys and empty
values are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

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

    def at(self, file: str, language: str | None = None) -> str:
        """`file:line:column: words`, in `zh` or `en`, or in both languages."""
        words = self.text.in_language(language) if language else self.text.both
        return f"{file}:{self.place.line}:{self.place.column}: {words}"


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
    folded: set[Path] = field(
        default_factory=set
    )  # values over several lines: columns inside are lost
    origins: Sequence[
        int
    ] = ()  # of each step, where several were written as one: which one of the text it is from

    def place(self, path: Path, offset: int = 0) -> Place:
        """Where the value at `path` stands, `offset` characters into it; the nearest parent's if it
        is absent.
        """
        path = self.written(path)
        while path and path not in self.values:
            path, offset = path[:-1], 0
        line, column = self.values.get(path, Place(1, 1))
        return Place(line, column) if path in self.folded else Place(line, column + offset)

    def key_place(self, path: Path) -> Place:
        """Where the key of the value at `path` stands."""
        return self.keys.get(self.written(path)) or self.place(path)

    def written(self, path: Path) -> Path:
        """The path in the text as it was written."""
        if self.origins and len(path) > 1 and path[0] == "steps":
            return ("steps", self.origins[int(path[1])], *path[2:])
        return path


HINTS = {  # what the reader of YAML says → what to do about it
    "cannot start any token": Text(
        "缩进用空格，不用制表符；以 @ ` % 开头的值加引号",
        "indent by spaces, not tabs; quote a value that begins with @ ` %",
    ),
    "mapping values are not allowed": Text(
        "含冒号的值加引号；检查缩进", "quote a value that has a colon; check the indentation"
    ),
    "did not find expected": Text(
        "检查括号与逗号是否成对", "check that brackets and commas pair up"
    ),
    "unexpected end of stream": Text("引号没有结束", "a quote does not end"),
    "found another document": Text("一个文件只写一个办法", "one rulebook a file"),
}


def read(text: str, file: str = "rulebook") -> Source:
    """The tree of a rulebook's text. Raises BrokenRulebook with the place of what YAML or we
    refuse.
    """

    def broken(place: Place, zh: str, en: str) -> BrokenRulebook:
        return BrokenRulebook([Problem(place, Text(zh, en))], file)

    if len(text.encode()) > MAX_BYTES:
        raise broken(Place(1, 1), "文件超过 1 MB", "the file is over 1 MB")
    try:
        problem = _first_oddity(text)
        root = None if problem else yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        hint = next(
            (hint for words, hint in HINTS.items() if words in str(error.problem)), Text("", "")
        )
        place = _place(error.problem_mark or error.context_mark)
        zh, en = (
            f"YAML 写法不对（{error.problem}）：{hint.zh}",
            f"not YAML ({error.problem}): {hint.en}",
        )
        raise broken(place, zh, en) from None
    except yaml.YAMLError as error:
        place = _place_in(text, getattr(error, "position", 0))
        raise broken(place, f"YAML 写法不对：{error}", f"not YAML: {error}") from None
    if problem:
        raise BrokenRulebook([problem], file)
    if not isinstance(root, yaml.MappingNode):
        place = _place(root.start_mark if root else None)
        raise broken(place, "规则文件应是键值结构", "a rulebook is a mapping of keys to values")
    source, reader = Source({}), _Reader()
    source.tree = reader.walk(root, (), source)
    if reader.problems:
        raise BrokenRulebook(reader.problems, file)
    return source


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _place_in(text: str, bytes_before: int) -> Place:
    before = text.encode()[:bytes_before].decode(errors="ignore").split("\n")
    return Place(len(before), len(before[-1]) + 1)


def _first_oddity(text: str) -> Problem | None:
    """What YAML has and rulebooks do not, found before anything is built from the text."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            words = Text(
                "这里不用锚点和引用（& *），请写全",
                "anchors and aliases (& *) are not used here: write it out",
            )
            return Problem(place, words)
        if getattr(event, "tag", None):
            return Problem(
                place, Text("这里不用标签（!），请删去", "tags (!) are not used here: remove it")
            )
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
            event, yaml.CollectionEndEvent
        )
        if depth > MAX_DEPTH:
            return Problem(
                place, Text(f"嵌套超过 {MAX_DEPTH} 层", f"nested more than {MAX_DEPTH} deep")
            )
    return None


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, place: Place, zh: str, en: str) -> None:
        self.problems.append(Problem(place, Text(zh, en)))

    def walk(self, node: yaml.Node, path: Path, source: Source) -> Tree:
        """The tree below a node, with the places of its parts."""
        place = _place(node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            quoted = node.style in {"'", '"'}
            source.values[path] = Place(place.line, place.column + quoted)
            if node.end_mark.line != node.start_mark.line:
                source.folded.add(path)
            if not node.value.strip() and not quoted:
                self.problem(
                    place,
                    "这里缺少值；花括号中含逗号的表达式须加引号",
                    "a value is missing here; in { } an expression with commas needs quotes",
                )
            return str(node.value)
        source.values[path] = place
        if isinstance(node, yaml.SequenceNode):
            return [self.walk(child, (*path, i), source) for i, child in enumerate(node.value)]
        tree: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            key, key_place = str(key_node.value), _place(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problem(key_place, "键应是文字", "a key is a word")
                continue
            if key in tree:
                line = source.keys[(*path, key)].line
                self.problem(
                    key_place,
                    f"键 {key} 重复，前一个在第 {line} 行",
                    f"key {key} stands twice; the first is on line {line}",
                )
            source.keys[(*path, key)] = key_place
            tree[key] = self.walk(value_node, (*path, key), source)
        return tree
