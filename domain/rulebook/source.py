"""The text of a rulebook: YAML in which every value keeps its line and column.

All scalars stay text (0.10 never becomes a float). Anchors, aliases, tags, duplicate keys and empty
values are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from domain.errors import MeritError, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
Path = tuple[str | int, ...]  # of a value, by keys and indices: ("steps", 0, "value")
Tree = str | dict[str, "Tree"] | list["Tree"]
Mistake = tuple[Path, Text]  # the value that is wrong, and what to write instead


class Location(NamedTuple):
    """Line and column in the text, both from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """A mistake in a rulebook's text: where it is, and what to write instead."""

    location: Location
    text: Text

    def at(self, file: str, language: str | None = None) -> str:
        """`file:line:column: words`, in `zh` or `en`, or in both languages."""
        words = self.text.in_language(language) if language else self.text.both
        return f"{file}:{self.location.line}:{self.location.column}: {words}"


class BrokenRulebook(MeritError):
    """A rulebook with mistakes; `problems` has all of them, in the order of the text."""

    code = "broken_rulebook"

    def __init__(self, problems: Sequence[Problem], file: str = "rulebook") -> None:
        self.problems = tuple(sorted(problems))
        self.file = file
        lines = "\n".join(problem.at(file) for problem in self.problems)
        super().__init__(Text(lines, lines))


@dataclass
class Source:
    """A rulebook's text as a tree of texts, with the location of every key and value."""

    tree: Tree
    values: dict[Path, Location] = field(default_factory=dict)
    keys: dict[Path, Location] = field(default_factory=dict)
    # Values over several lines: a character's column inside them is not known.
    multiline: set[Path] = field(default_factory=set)
    # The index of the written step that each step comes from (`templates.py` makes several of one).
    step_origins: Sequence[int] = ()

    def locate(self, path: Path, offset: int = 0) -> Location:
        """Where the value at `path` begins, plus `offset` characters; if absent, its parent."""
        path = self.written_path(path)
        while path and path not in self.values:
            path, offset = path[:-1], 0
        line, column = self.values.get(path, Location(1, 1))
        return Location(line, column if path in self.multiline else column + offset)

    def locate_key(self, path: Path) -> Location:
        """Where the key of the value at `path` begins."""
        return self.keys.get(self.written_path(path)) or self.locate(path)

    def written_path(self, path: Path) -> Path:
        """The path in the text as written, before templates."""
        if self.step_origins and len(path) > 1 and path[0] == "steps":
            return ("steps", self.step_origins[int(path[1])], *path[2:])
        return path


HINTS = {  # part of YAML's own message → what to do about it
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
}


def read(text: str, file: str = "rulebook") -> Source:
    """The tree of a rulebook's text. Raises BrokenRulebook for what YAML or we refuse."""

    def broken(location: Location, zh: str, en: str) -> BrokenRulebook:
        return BrokenRulebook([Problem(location, Text(zh, en))], file)

    if len(text.encode()) > MAX_BYTES:
        raise broken(Location(1, 1), "文件超过 1 MB", "the file is over 1 MB")
    try:
        events, problem = _parse(text)
    except yaml.MarkedYAMLError as error:
        hint = next(
            (hint for words, hint in HINTS.items() if words in str(error.problem)), Text("", "")
        )
        zh = f"YAML 写法不对（{error.problem}）：{hint.zh}"
        en = f"not YAML ({error.problem}): {hint.en}"
        raise broken(_location(error.problem_mark or error.context_mark), zh, en) from None
    except yaml.YAMLError as error:
        location = _location_of_byte(text, getattr(error, "position", 0))
        raise broken(location, f"YAML 写法不对：{error}", f"not YAML: {error}") from None
    if problem:
        raise BrokenRulebook([problem], file)
    root = events[0] if events else None
    if not isinstance(root, yaml.MappingStartEvent):
        location = _location(root.start_mark if root else None)
        raise broken(location, "规则文件应是键值结构", "a rulebook is a mapping of keys to values")
    source, reader = Source({}), _Reader(events[1:])
    source.tree = reader.walk(root, (), source)
    if reader.problems:
        raise BrokenRulebook(reader.problems, file)
    return source


def _location(mark: Any) -> Location:
    return Location(mark.line + 1, mark.column + 1) if mark else Location(1, 1)


def _location_of_byte(text: str, bytes_before: int) -> Location:
    lines = text.encode()[:bytes_before].decode(errors="ignore").split("\n")
    return Location(len(lines), len(lines[-1]) + 1)


def _parse(text: str) -> tuple[list[yaml.Event], Problem | None]:
    """The events of the one document, or the first use of YAML that rulebooks do not have, found
    before anything is built of it.
    """
    events: list[yaml.Event] = []
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if words := _refused(event, depth, documents):
            return [], Problem(_location(event.start_mark), words)
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            events.append(event)
    return events, None


def _refused(event: yaml.Event, depth: int, documents: int) -> Text | None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return Text(
            "这里不用锚点和引用（& *），请写全",
            "anchors and aliases (& *) are not used here: write it out",
        )
    if getattr(event, "tag", None):
        return Text("这里不用标签（!），请删去", "tags (!) are not used here: remove it")
    if depth > MAX_DEPTH:
        return Text(f"嵌套超过 {MAX_DEPTH} 层", f"nested more than {MAX_DEPTH} deep")
    if documents > 1:
        return Text("一个文件只写一个办法", "write one rulebook per file")
    return None


class _Reader:
    def __init__(self, events: Sequence[yaml.Event]) -> None:
        self.events = iter(events)  # those after the root's
        self.problems: list[Problem] = []

    def problem(self, location: Location, zh: str, en: str) -> None:
        self.problems.append(Problem(location, Text(zh, en)))

    def children(self) -> Iterator[yaml.Event]:
        """How each part of the collection begins; it must be walked or skipped before the next."""
        while not isinstance(event := next(self.events), yaml.CollectionEndEvent):
            yield event

    def skip(self, event: yaml.Event) -> None:
        """Passes over the value that begins here."""
        if isinstance(event, yaml.CollectionStartEvent):
            for child in self.children():
                self.skip(child)

    def walk(self, event: yaml.Event, path: Path, source: Source) -> Tree:
        """The tree that begins here; the locations of its parts go into `source`."""
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, path, source)
        source.values[path] = _location(event.start_mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self.walk(child, (*path, i), source) for i, child in enumerate(self.children())]
        tree: dict[str, Tree] = {}
        for key_event in self.children():
            key_location = _location(key_event.start_mark)
            if not isinstance(key_event, yaml.ScalarEvent):
                self.problem(key_location, "键应是文字", "a key is a word")
                self.skip(key_event)
                self.skip(next(self.events))
                continue
            key = str(key_event.value)
            if key in tree:
                line = source.keys[(*path, key)].line
                self.problem(
                    key_location,
                    f"键 {key} 重复，前一个在第 {line} 行",
                    f"key {key} is written twice; the first is on line {line}",
                )
            source.keys[(*path, key)] = key_location
            tree[key] = self.walk(next(self.events), (*path, key), source)
        return tree

    def scalar(self, event: yaml.ScalarEvent, path: Path, source: Source) -> str:
        location, quoted = _location(event.start_mark), event.style in {"'", '"'}
        source.values[path] = Location(location.line, location.column + quoted)
        if _location(event.end_mark).line != location.line:
            source.multiline.add(path)
        if not event.value.strip() and not quoted:
            self.problem(
                location,
                "这里缺少值；花括号中含逗号的表达式须加引号",
                "a value is missing here; in { } an expression with commas needs quotes",
            )
        return str(event.value)
